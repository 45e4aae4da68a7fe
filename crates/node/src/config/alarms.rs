//! Settings of alarms: metrics that health checks of the type CLOUDWATCH_METRIC go by.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use meridian_control::AlarmConfiguration;
use meridian_health::{AlarmRule, Comparison};
use meridian_model::ALARM_REGIONS;
use serde::Deserialize;

use super::alarm_shown::{Measured, ShownAs};

/// The most alarms. Each is a query of its own.
const MAX_ALARMS: usize = 1000;
/// The longest name, as in the API.
const MAX_NAME: usize = 256;
/// The longest time that values are looked at, as with CloudWatch: a day.
const MAX_RANGE_S: u64 = 24 * 60 * 60;

/// One of `[[alarms]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alarm {
    /// `AlarmIdentifier.Region` of checks that go by it.
    pub(crate) region: String,
    /// `AlarmIdentifier.Name`.
    pub(crate) name: String,
    /// Where Prometheus is, as in `http://127.0.0.1:9090`.
    pub(crate) url: String,
    /// The certificate authority of its certificate; absent, those of the system.
    pub(crate) ca: Option<PathBuf>,
    /// PromQL, for one value at a time.
    pub(crate) query: String,
    /// How values are held against the threshold, by CloudWatch's words.
    comparison: String,
    threshold: f64,
    /// How many values have to be beyond it.
    #[serde(default = "one")]
    evaluation_periods: usize,
    /// Seconds from one value to the next.
    #[serde(default = "minute")]
    period_s: u64,
    /// What stood in CloudWatch, for those who ask the API.
    shown_as: Option<ShownAs>,
}

const fn one() -> usize {
    1
}

const fn minute() -> u64 {
    60
}

impl Alarm {
    /// When it is in alarm.
    pub(crate) fn rule(&self) -> Result<AlarmRule> {
        let mut all = Comparison::ALL.into_iter();
        let known = all.find(|known| known.as_str() == self.comparison);
        let Some(comparison) = known else {
            let words = Comparison::ALL.map(Comparison::as_str).join(", ");
            bail!("comparison is '{}'; there are {words}", self.comparison);
        };
        Ok(AlarmRule {
            comparison,
            threshold: self.threshold,
            evaluation_periods: self.evaluation_periods,
        })
    }

    /// From one value to the next.
    pub(crate) const fn period(&self) -> Duration {
        Duration::from_secs(self.period_s)
    }

    /// As what it is shown, if it is said what stands behind it.
    pub(crate) fn configuration(&self) -> Option<AlarmConfiguration> {
        Some(self.shown_as.as_ref()?.configuration(&self.measured()))
    }

    fn measured(&self) -> Measured {
        let mut words = Comparison::ALL.map(Comparison::as_str).into_iter();
        Measured {
            comparison: words.find(|word| *word == self.comparison).unwrap_or(""),
            threshold: self.threshold,
            evaluation_periods: self.evaluation_periods,
            period_s: self.period_s,
        }
    }

    fn check(&self) -> Result<()> {
        ensure!(
            ALARM_REGIONS.contains(&self.region.as_str()),
            "region is '{}', which no health check can name",
            self.region
        );
        let len = self.name.chars().count();
        ensure!(
            (1..=MAX_NAME).contains(&len),
            "name has {len} characters; 1 to {MAX_NAME}"
        );
        let is_http = self.url.starts_with("http://") || self.url.starts_with("https://");
        ensure!(
            is_http,
            "url is '{}'; it begins with http:// or https://",
            self.url
        );
        ensure!(!self.query.trim().is_empty(), "query is empty");
        ensure!(!self.threshold.is_nan(), "threshold is no number");
        self.rule()?;
        let range = self.period_s.checked_mul(self.evaluation_periods as u64);
        ensure!(
            range.is_some_and(|range| (1..=MAX_RANGE_S).contains(&range)),
            "period_s is {} and evaluation_periods {}; both are 1 at least, and together a day at \
             most",
            self.period_s,
            self.evaluation_periods
        );
        let shown = self.shown_as.as_ref();
        shown.map_or(Ok(()), |shown| shown.check(&self.measured()))
    }
}

/// Whether there can be such alarms.
pub(super) fn check(alarms: &[Alarm]) -> Result<()> {
    ensure!(
        alarms.len() <= MAX_ALARMS,
        "there are {} alarms; the most is {MAX_ALARMS}",
        alarms.len()
    );
    let mut seen = BTreeSet::new();
    for alarm in alarms {
        let named = format!("alarms: '{}' in {}", alarm.name, alarm.region);
        alarm
            .check()
            .map_err(|error| error.context(named.clone()))?;
        ensure!(
            seen.insert((&alarm.region, &alarm.name)),
            "{named} is there twice"
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct File {
        alarms: Vec<Alarm>,
    }

    fn checked(text: &str) -> String {
        let file: File = match toml::from_str(text) {
            Ok(file) => file,
            Err(error) => return error.to_string(),
        };
        check(&file.alarms).map_or_else(|error| format!("{error:#}"), |()| "good".to_owned())
    }

    const GOOD: &str = "[[alarms]]\nregion = 'eu-west-1'\nname = 'a'\nurl = 'http://[::1]:9090'\n\
                        query = 'up'\ncomparison = 'LessThanThreshold'\nthreshold = 1.0\n";

    #[test]
    fn alarms_that_cannot_be_are_refused_by_name() {
        assert_eq!(checked(GOOD), "good");
        for (from, to, part) in [
            ("eu-west-1", "mars", "no health check can name"),
            ("'a'", "''", "0 characters"),
            ("http:", "ftp:", "begins with http://"),
            ("'up'", "' '", "query is empty"),
            ("LessThanThreshold", "Less", "there are GreaterThanOrEqual"),
            ("1.0", "nan", "no number"),
            ("1.0", "1.0\nperiod_s = 0", "1 at least"),
            ("1.0", "1.0\nevaluation_periods = 0", "1 at least"),
            ("1.0", "1.0\nevaluation_periods = 1441", "a day at most"),
            ("1.0", "1.0\nperiod = 60", "unknown field"),
        ] {
            let said = checked(&GOOD.replace(from, to));
            assert!(said.contains(part), "{said}");
        }
        assert!(checked(&GOOD.repeat(2)).contains("'a' in eu-west-1 is there twice"));
    }

    #[test]
    fn what_an_alarm_is_shown_as_fits_the_api() {
        let shown =
            "shown_as = { namespace = 'AWS/ELB', metric = 'Latency', statistic = 'Average' }";
        let with = |from: &str, to: &str| checked(&format!("{GOOD}{}", shown.replace(from, to)));
        assert_eq!(with("", ""), "good");
        for (from, to, part) in [
            ("'AWS/ELB'", "''", "namespace is ''"),
            ("'Latency'", "\"a\\nb\"", "metric is"),
            ("'Average'", "'p99'", "statistic is 'p99'"),
            (" }", ", dimensions = { a = '' } }", "value of a dimension"),
            (" }", ", dimension = {} }", "unknown field"),
            (" }", " }\nperiod_s = 10", "no period of less than 60 s"),
        ] {
            let text = with(from, to);
            assert!(text.contains(part), "{text}");
        }
        let file: File = toml::from_str(&format!("{GOOD}{shown}")).unwrap();
        let told = file.alarms[0].configuration().unwrap();
        let parts = (
            told.evaluation_periods,
            told.threshold,
            told.comparison,
            told.period_s,
        );
        assert_eq!(parts, (1, 1.0, "LessThanThreshold", 60));
        let file: File = toml::from_str(GOOD).unwrap();
        assert_eq!(file.alarms[0].configuration(), None);
    }
}
