//! As what an alarm is shown to those who know it from CloudWatch: what stood there before a query
//! took its place. Nothing is decided by it.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use meridian_control::AlarmConfiguration;
use serde::Deserialize;

/// `Statistic`.
const STATISTICS: [&str; 5] = ["Average", "Sum", "SampleCount", "Maximum", "Minimum"];
/// The longest name of anything, as in the API.
const MAX_NAME: usize = 255;
/// The most dimensions, as in the API.
const MAX_DIMENSIONS: usize = 10;
/// The shortest period that the API knows.
const MIN_PERIOD_S: u64 = 60;

/// `shown_as` of `[[alarms]]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShownAs {
    namespace: String,
    metric: String,
    statistic: String,
    #[serde(default)]
    dimensions: BTreeMap<String, String>,
}

/// What the alarm itself says.
pub(super) struct Measured {
    pub(super) comparison: &'static str,
    pub(super) threshold: f64,
    pub(super) evaluation_periods: usize,
    pub(super) period_s: u64,
}

impl ShownAs {
    pub(super) fn configuration(&self, measured: &Measured) -> AlarmConfiguration {
        let dimensions = self.dimensions.iter();
        AlarmConfiguration {
            evaluation_periods: measured.evaluation_periods,
            threshold: measured.threshold,
            comparison: measured.comparison,
            period_s: measured.period_s,
            metric: self.metric.clone(),
            namespace: self.namespace.clone(),
            statistic: self.statistic.clone(),
            dimensions: dimensions
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
    }

    pub(super) fn check(&self, measured: &Measured) -> Result<()> {
        let words = self.dimensions.iter().flat_map(|(name, value)| {
            [
                ("the name of a dimension", name),
                ("the value of a dimension", value),
            ]
        });
        for (what, word) in [("namespace", &self.namespace), ("metric", &self.metric)]
            .into_iter()
            .chain(words)
        {
            let len = word.chars().count();
            ensure!(
                (1..=MAX_NAME).contains(&len) && !word.chars().any(char::is_control),
                "shown_as: {what} is '{word}'; it has 1 to {MAX_NAME} characters, none of them a \
                 control character"
            );
        }
        ensure!(
            STATISTICS.contains(&self.statistic.as_str()),
            "shown_as: statistic is '{}'; there are {}",
            self.statistic,
            STATISTICS.join(", ")
        );
        ensure!(
            self.dimensions.len() <= MAX_DIMENSIONS,
            "shown_as: there are {} dimensions; the most is {MAX_DIMENSIONS}",
            self.dimensions.len()
        );
        ensure!(
            measured.period_s >= MIN_PERIOD_S && measured.threshold.is_finite(),
            "shown_as: CloudWatch has no period of less than {MIN_PERIOD_S} s and no threshold \
             without end, so this alarm cannot be shown as one of it"
        );
        Ok(())
    }
}
