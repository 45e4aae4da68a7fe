//! Settings of external alias targets: who is asked for them, and how long what is heard holds.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use meridian_model::Network;
use serde::{Deserialize, Deserializer, de};

use crate::targets::Rules;

/// A day, and a week.
const DAY_S: u32 = 24 * 60 * 60;
const WEEK_S: u32 = 7 * DAY_S;
/// The most networks whose clients are asked for: each is a question for each target that makes a
/// difference.
const MAX_SUBNETS: usize = 64;

/// `[targets]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Targets {
    /// Who is asked; empty: those of the system.
    pub(crate) resolvers: Vec<SocketAddr>,
    /// Networks of clients for which targets are asked in particular.
    #[serde(deserialize_with = "networks")]
    pub(crate) client_subnets: Vec<Network>,
    /// Bounds of TTLs.
    min_ttl_s: u32,
    max_ttl_s: u32,
    /// How long a reply may take.
    timeout_ms: u32,
    /// The most questions under way.
    pub(crate) max_queries: usize,
    /// A name that was there is taken for gone when that is said for so long.
    gone_after_s: u32,
    /// What was heard stays so long while nobody can say.
    keep_s: u32,
}

impl Default for Targets {
    fn default() -> Self {
        let rules = Rules::default();
        let seconds = |time: Duration| u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
        Self {
            resolvers: Vec::new(),
            client_subnets: Vec::new(),
            min_ttl_s: rules.min_ttl_s,
            max_ttl_s: rules.max_ttl_s,
            timeout_ms: 1000,
            max_queries: 64,
            gone_after_s: seconds(rules.gone_after),
            keep_s: seconds(rules.keep),
        }
    }
}

impl Targets {
    /// How long what is heard holds.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            min_ttl_s: self.min_ttl_s,
            max_ttl_s: self.max_ttl_s,
            gone_after: Duration::from_secs(self.gone_after_s.into()),
            keep: Duration::from_secs(self.keep_s.into()),
        }
    }

    /// How long a reply may take.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_millis(self.timeout_ms.into())
    }

    /// Whether they make sense.
    pub(super) fn check(&self) -> Result<()> {
        let count = self.resolvers.len();
        ensure!(
            count <= 3,
            "targets.resolvers has {count} addresses; three are the most"
        );
        let count = self.client_subnets.len();
        ensure!(
            count <= MAX_SUBNETS,
            "targets.client_subnets has {count} networks; {MAX_SUBNETS} are the most"
        );
        ensure!(
            self.client_subnets
                .iter()
                .all(|network| network.prefix_len() > 0),
            "targets.client_subnets has a network of length 0, which is everybody"
        );
        for (key, value, most) in [
            ("min_ttl_s", self.min_ttl_s, 3600),
            ("max_ttl_s", self.max_ttl_s, DAY_S),
            ("gone_after_s", self.gone_after_s, DAY_S),
            ("keep_s", self.keep_s, WEEK_S),
        ] {
            let range = 1..=most;
            ensure!(
                range.contains(&value),
                "targets.{key} is {value}; it is 1 to {most}"
            );
        }
        ensure!(
            self.min_ttl_s <= self.max_ttl_s,
            "targets.min_ttl_s is {}, more than targets.max_ttl_s, which is {}",
            self.min_ttl_s,
            self.max_ttl_s
        );
        ensure!(
            self.keep_s > self.min_ttl_s,
            "targets.keep_s is {}, and targets.min_ttl_s is {}: what is known would be forgotten \
             before it may be asked for again",
            self.keep_s,
            self.min_ttl_s
        );
        ensure!(
            (10..=10_000).contains(&self.timeout_ms),
            "targets.timeout_ms is {}; it is 10 to 10000",
            self.timeout_ms
        );
        ensure!(
            (1..=1000).contains(&self.max_queries),
            "targets.max_queries is {}; it is 1 to 1000",
            self.max_queries
        );
        Ok(())
    }
}

fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Network>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let network = |text: &String| text.parse().map_err(de::Error::custom);
    texts.iter().map(network).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_without_sense_are_refused_by_name() {
        let targets = |text: &str| toml::from_str::<Targets>(text);
        let default = targets("").unwrap();
        default.check().unwrap();
        assert_eq!(default.rules(), Rules::default());
        assert_eq!(default.patience(), Duration::from_secs(1));
        let subnets = targets("client_subnets = ['192.0.2.0/24', '2001:db8::/56']").unwrap();
        assert_eq!(subnets.client_subnets.len(), 2);
        assert!(targets("client_subnets = ['192.0.2.0/33']").is_err());
        assert!(targets("resolvers = ['192.0.2.1']").is_err());
        let many = "'192.0.2.0/24',".repeat(MAX_SUBNETS + 1);
        for (text, part) in [
            (
                "resolvers = ['[::1]:1', '[::1]:2', '[::1]:3', '[::1]:4']",
                "has 4 addresses",
            ),
            (&format!("client_subnets = [{many}]"), "has 65 networks"),
            ("client_subnets = ['0.0.0.0/0']", "of length 0"),
            ("min_ttl_s = 0", "min_ttl_s is 0"),
            ("max_ttl_s = 86401", "max_ttl_s is 86401"),
            (
                "min_ttl_s = 9\nmax_ttl_s = 8",
                "more than targets.max_ttl_s",
            ),
            ("timeout_ms = 9", "timeout_ms is 9"),
            ("max_queries = 0", "max_queries is 0"),
            ("gone_after_s = 0", "gone_after_s is 0"),
            ("keep_s = 0", "keep_s is 0"),
            ("keep_s = 5", "before it may be asked for again"),
        ] {
            let error = targets(text).unwrap().check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
