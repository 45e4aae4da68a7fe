//! Settings of latency maps: whether and how often they are built here, and of what.

use std::time::Duration;

use anyhow::{Result, ensure};
use meridian_latency::Rules;
use serde::Deserialize;

const DAY_S: u64 = 24 * 60 * 60;

/// `[latency]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Latency {
    /// Whether maps are built here. What others have built is taken either way.
    pub(crate) build: bool,
    /// From one build to the next.
    pub(crate) build_interval_s: u32,
    /// A map that would move more of the clients waits for an operator.
    pub(crate) max_churn_percent: u8,
    /// After so long a sample counts half.
    half_life_days: u16,
    /// From so many samples on a network may have a row of its own,
    min_samples: u32,
    /// and from so many clients.
    min_clients: u8,
    /// Of what clients measure one in so many minutes is kept to judge maps by; 0 keeps none.
    held_out: u32,
    /// Networks that samples are kept of.
    max_networks: usize,
}

/// More of them are not told apart.
const MIN_CLIENTS_MAX: u8 = 50;

impl Default for Latency {
    fn default() -> Self {
        let rules = Rules::default();
        Self {
            build: true,
            build_interval_s: 300,
            max_churn_percent: 50,
            half_life_days: u16::try_from(rules.half_life_s / DAY_S).unwrap_or(u16::MAX),
            min_samples: 20,
            min_clients: 3,
            held_out: 20,
            max_networks: rules.max_keys,
        }
    }
}

impl Latency {
    /// How often maps are built, if they are.
    pub(crate) fn build_every(&self) -> Option<Duration> {
        let every = Duration::from_secs(self.build_interval_s.into());
        self.build.then_some(every)
    }

    /// What samples are worth.
    pub(crate) fn rules(&self) -> Rules {
        #[expect(clippy::cast_precision_loss, reason = "1000 at most")]
        let min_samples = self.min_samples as f32;
        Rules {
            half_life_s: u64::from(self.half_life_days) * DAY_S,
            min_samples,
            min_clients: self.min_clients.into(),
            held_out: self.held_out.into(),
            max_keys: self.max_networks,
            ..Rules::default()
        }
    }

    /// Whether they make sense.
    pub(super) fn check(&self) -> Result<()> {
        ensure!(
            (1..=86_400).contains(&self.build_interval_s),
            "latency.build_interval_s is {}; it is 1 to 86400",
            self.build_interval_s
        );
        ensure!(
            self.max_churn_percent <= 100,
            "latency.max_churn_percent is {}; it is 0 to 100",
            self.max_churn_percent
        );
        ensure!(
            (1..=365).contains(&self.half_life_days),
            "latency.half_life_days is {}; it is 1 to 365",
            self.half_life_days
        );
        ensure!(
            (1..=1000).contains(&self.min_samples),
            "latency.min_samples is {}; it is 1 to 1000",
            self.min_samples
        );
        ensure!(
            (1..=MIN_CLIENTS_MAX).contains(&self.min_clients),
            "latency.min_clients is {}; it is 1 to {MIN_CLIENTS_MAX}",
            self.min_clients
        );
        ensure!(
            (1000..=10_000_000).contains(&self.max_networks),
            "latency.max_networks is {}; it is 1000 to 10000000",
            self.max_networks
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_without_sense_are_refused() {
        let latency = |text: &str| toml::from_str::<Latency>(text).unwrap();
        assert!(latency("").check().is_ok());
        assert_eq!(latency("").rules(), Rules::default());
        assert_eq!(latency("build = false").build_every(), None);
        for (text, part) in [
            ("build_interval_s = 0", "build_interval_s is 0"),
            ("max_churn_percent = 101", "max_churn_percent is 101"),
            ("half_life_days = 0", "half_life_days is 0"),
            ("min_samples = 0", "min_samples is 0"),
            ("min_clients = 51", "min_clients is 51"),
            ("max_networks = 1", "max_networks is 1"),
        ] {
            let error = latency(text).check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
