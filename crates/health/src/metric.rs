//! Alarms on metrics: what the values of a metric say of those who go by it. The values come from
//! elsewhere, and so does the time.
//!
//! The rules are those of CloudWatch's alarms with missing data left missing: of the newest values
//! that exist in a range somewhat longer than the periods that count, all have to be beyond the
//! threshold. Where there is not a single one, there is not enough data.

use std::time::Duration;

use meridian_model::{Health, WithoutData};

/// How a value is held against the threshold: `ComparisonOperator`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum Comparison {
    GreaterThanOrEqualToThreshold,
    GreaterThanThreshold,
    LessThanThreshold,
    LessThanOrEqualToThreshold,
}

/// When a metric is in alarm.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmRule {
    /// What is beyond the threshold.
    pub comparison: Comparison,
    /// The threshold.
    pub threshold: f64,
    /// How many values have to be beyond it, 1 at least.
    pub evaluation_periods: usize,
}

/// Periods before those that count, where values are looked for when some are missing.
const SPARE_PERIODS: usize = 2;

impl Comparison {
    /// All of them, in the order of the API's enumeration.
    pub const ALL: [Self; 4] = [
        Self::GreaterThanOrEqualToThreshold,
        Self::GreaterThanThreshold,
        Self::LessThanThreshold,
        Self::LessThanOrEqualToThreshold,
    ];

    /// The API's word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GreaterThanOrEqualToThreshold => "GreaterThanOrEqualToThreshold",
            Self::GreaterThanThreshold => "GreaterThanThreshold",
            Self::LessThanThreshold => "LessThanThreshold",
            Self::LessThanOrEqualToThreshold => "LessThanOrEqualToThreshold",
        }
    }

    fn is_beyond(self, value: f64, threshold: f64) -> bool {
        match self {
            Self::GreaterThanOrEqualToThreshold => value >= threshold,
            Self::GreaterThanThreshold => value > threshold,
            Self::LessThanThreshold => value < threshold,
            Self::LessThanOrEqualToThreshold => value <= threshold,
        }
    }
}

impl AlarmRule {
    /// How many values are looked at.
    pub const fn range(&self) -> usize {
        self.evaluation_periods.saturating_add(SPARE_PERIODS)
    }

    /// What the values of the last periods say, the oldest first; none is not enough data. A value
    /// that is no number does not exist.
    pub fn judge(&self, values: &[Option<f64>]) -> Option<Health> {
        let range = values.iter().rev().take(self.range());
        let there = range.flatten().filter(|value| !value.is_nan());
        let newest: Vec<f64> = there
            .take(self.evaluation_periods.max(1))
            .copied()
            .collect();
        if newest.is_empty() {
            return None;
        }
        let beyond = |value: &f64| self.comparison.is_beyond(*value, self.threshold);
        Some(match newest.iter().all(beyond) {
            true => Health::Unhealthy,
            false => Health::Healthy,
        })
    }
}

/// What is known of an alarm over time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlarmState {
    /// What the metric says; none when there is not enough data.
    now: Option<Health>,
    /// What it said when there was enough data last.
    last: Option<Health>,
    /// When somebody could tell last.
    told_at: Duration,
}

impl AlarmState {
    /// What was known when a process ended, for the next. It holds from the time 0 on like what
    /// was read then.
    pub const fn known(says: Option<Health>, said: Option<Health>) -> Self {
        Self {
            now: says,
            last: said,
            told_at: Duration::ZERO,
        }
    }

    /// What the metric says; none when there is not enough data.
    pub const fn says(&self) -> Option<Health> {
        self.now
    }

    /// What it said when there was enough data last.
    pub const fn said(&self) -> Option<Health> {
        self.last
    }

    /// The values were read, and say this.
    pub fn told(&mut self, says: Option<Health>, at: Duration) {
        self.now = says;
        self.last = says.or(self.last);
        self.told_at = at;
    }

    /// Nobody could tell. What was said last holds for so long, as the values of before still would
    /// have been looked at; afterwards there is not enough data.
    pub fn untold(&mut self, at: Duration, holds: Duration) {
        if at.saturating_sub(self.told_at) > holds {
            self.now = None;
        }
    }

    /// What is voted on a check that goes by the alarm; none is to be what the check says of not
    /// enough data.
    pub fn vote(&self, without_data: WithoutData) -> Option<Health> {
        match without_data {
            WithoutData::LastKnown => self.now.or(self.last),
            WithoutData::Healthy | WithoutData::Unhealthy => self.now,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Health::{Healthy, Unhealthy};
    use proptest::prelude::*;

    fn rule(comparison: Comparison, evaluation_periods: usize) -> AlarmRule {
        AlarmRule {
            comparison,
            threshold: 10.0,
            evaluation_periods,
        }
    }

    /// `0` is a value within the threshold, `X` one beyond it, `-` none, `N` no number.
    fn values(text: &str) -> Vec<Option<f64>> {
        let value = |letter| match letter {
            '0' => Some(1.0),
            'X' => Some(11.0),
            'N' => Some(f64::NAN),
            _ => None,
        };
        text.chars().map(value).collect()
    }

    #[test]
    fn missing_values_are_made_up_for_by_older_ones() {
        let three = rule(Comparison::GreaterThanThreshold, 3);
        // The first five are those of CloudWatch's documentation.
        for (text, says) in [
            ("0-X-X", Some(Healthy)),
            ("----0", Some(Healthy)),
            ("-----", None),
            ("0XX-X", Some(Unhealthy)),
            ("--X--", Some(Unhealthy)),
            ("", None),
            ("XXX", Some(Unhealthy)),
            ("0XXX", Some(Unhealthy)),
            ("XX0", Some(Healthy)),
            ("0XX", Some(Healthy)),
            ("X-----", None),
            ("NNNNN", None),
            ("0XXNX", Some(Unhealthy)),
        ] {
            assert_eq!(three.judge(&values(text)), says, "{text}");
        }
    }

    #[test]
    fn comparisons_are_those_of_the_api() {
        use Comparison::{
            GreaterThanOrEqualToThreshold, GreaterThanThreshold, LessThanOrEqualToThreshold,
            LessThanThreshold,
        };
        for (comparison, alarms) in [
            (GreaterThanOrEqualToThreshold, [false, true, true]),
            (GreaterThanThreshold, [false, false, true]),
            (LessThanThreshold, [true, false, false]),
            (LessThanOrEqualToThreshold, [true, true, false]),
        ] {
            let judged = [9.0, 10.0, 11.0].map(|value| {
                let says = rule(comparison, 1).judge(&[Some(value)]);
                says == Some(Unhealthy)
            });
            assert_eq!(judged, alarms, "{comparison:?}");
        }
        let infinite = rule(GreaterThanThreshold, 1).judge(&[Some(f64::INFINITY)]);
        assert_eq!(infinite, Some(Unhealthy));
    }

    #[test]
    fn without_data_a_check_is_what_it_says() {
        let at = Duration::from_secs;
        let mut state = AlarmState::default();
        let votes = |state: &AlarmState| WithoutData::ALL.map(|without| state.vote(without));
        // Nothing is known yet: nobody votes, and model makes healthy of the last known state.
        assert_eq!(votes(&state), [None; 3]);
        state.told(Some(Unhealthy), at(1));
        assert_eq!(votes(&state), [Some(Unhealthy); 3]);
        state.told(None, at(2));
        assert_eq!(votes(&state), [None, None, Some(Unhealthy)]);
        state.told(Some(Healthy), at(3));
        assert_eq!(votes(&state), [Some(Healthy); 3]);
        // Who cannot be asked says nothing else for a while.
        state.untold(at(8), at(5));
        assert_eq!(votes(&state), [Some(Healthy); 3]);
        state.untold(at(9), at(5));
        assert_eq!(votes(&state), [None, None, Some(Healthy)]);
        state.told(Some(Unhealthy), at(10));
        assert_eq!(votes(&state), [Some(Unhealthy); 3]);
        // The next process goes on from there, and has to be told in its turn.
        let mut next = AlarmState::known(state.says(), state.said());
        next.untold(at(5), at(5));
        assert_eq!(votes(&next), [Some(Unhealthy); 3]);
        next.untold(at(6), at(5));
        assert_eq!(votes(&next), [None, None, Some(Unhealthy)]);
        let next = AlarmState::known(next.says(), next.said());
        assert_eq!(votes(&next), [None, None, Some(Unhealthy)]);
    }

    proptest! {
        /// One value within the threshold among those that count is enough to be healthy.
        #[test]
        fn all_that_count_are_beyond_or_it_is_healthy(
            text in "[0XN-]{0,12}",
            periods in 1..6usize,
        ) {
            let range: Vec<char> = text.chars().rev().take(periods + 2).collect();
            let exist = range.into_iter().filter(|letter| "0X".contains(*letter));
            let newest: String = exist.take(periods).collect();
            let expected = match (newest.is_empty(), newest.contains('0')) {
                (true, _) => None,
                (false, true) => Some(Healthy),
                (false, false) => Some(Unhealthy),
            };
            let says = rule(Comparison::GreaterThanThreshold, periods).judge(&values(&text));
            prop_assert_eq!(says, expected);
        }
    }
}
