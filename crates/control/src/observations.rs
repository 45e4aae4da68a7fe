//! What checkers saw of health checks: asked of whoever gathers it in this process.
//!
//! How it is seen and gathered is the other plane's business; here is only what is asked and told.
//! None of it is in the journal.

use std::net::IpAddr;

use meridian_model::{HealthCheck, HealthSlot, HealthSubject, Network, Timestamp};

use crate::control::Control;

/// What one checker says of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The checker's region.
    pub region: String,
    /// The checker's address.
    pub address: IpAddr,
    /// What it found, in a sentence that begins with `Success: ` or `Failure: `.
    pub status: String,
    /// When it found that.
    pub checked_at: Timestamp,
}

/// Whoever gathers observations in this process.
pub trait Observations: Send + Sync {
    /// What each checker found last, if it found something yet.
    fn status(&self, slot: HealthSlot) -> Vec<Observation>;

    /// Why it failed when it failed last, of each checker for which it ever did.
    fn last_failures(&self, slot: HealthSlot) -> Vec<Observation>;

    /// The networks that checkers send from.
    fn checkers(&self) -> Vec<Network>;

    /// What is known of the alarm of this region and name, beside what it says.
    fn alarm(&self, _region: &str, _name: &str) -> Option<AlarmConfiguration> {
        None
    }
}

/// `CloudWatchAlarmConfiguration`: what a check of the type CLOUDWATCH_METRIC goes by.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmConfiguration {
    /// How many values have to be beyond the threshold.
    pub evaluation_periods: usize,
    /// What values are held against.
    pub threshold: f64,
    /// How: `ComparisonOperator`.
    pub comparison: &'static str,
    /// Seconds from one value to the next.
    pub period_s: u64,
    /// What is measured.
    pub metric: String,
    /// Whose metric it is.
    pub namespace: String,
    /// What is made of the values of a period.
    pub statistic: String,
    /// Names and values, in order of their names.
    pub dimensions: Vec<(String, String)>,
}

/// Has seen nothing: there are no checkers.
#[derive(Debug)]
pub(crate) struct Unseen;

impl Observations for Unseen {
    fn status(&self, _: HealthSlot) -> Vec<Observation> {
        Vec::new()
    }

    fn last_failures(&self, _: HealthSlot) -> Vec<Observation> {
        Vec::new()
    }

    fn checkers(&self) -> Vec<Network> {
        Vec::new()
    }
}

impl Control {
    /// The same, with somebody to ask what checkers saw.
    #[must_use]
    pub fn with_observations(mut self, observations: Box<dyn Observations>) -> Self {
        self.observations = observations;
        self
    }

    /// What is known of the alarm that a check goes by, if it goes by one. Whoever may know the
    /// check may know this.
    pub fn alarm_of(&self, check: &HealthCheck) -> Option<AlarmConfiguration> {
        match &check.config.subject {
            HealthSubject::Metric { region, name, .. } => self.observations.alarm(region, name),
            _ => None,
        }
    }
}
