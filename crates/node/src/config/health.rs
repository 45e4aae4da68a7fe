//! Settings of health checks at this node: who probes, how votes decide, what is told of it.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use meridian_health::{Certificate, CheckerName, Guardrails, MAX_CHECKERS, Panic, Rules};
use meridian_model::CheckerRegion;
use serde::Deserialize;

use crate::trust;

/// A shorter event log would hardly hold what flips at once.
const EVENT_LOG_MIN_BYTES: u64 = 64 * 1024;
/// More descriptors than a process is usually given.
const PROBES_MAX: usize = 100_000;
/// As many as there are unless it is said. That is enough for a hundred thousand endpoints that say
/// nothing for four seconds, every thirty.
const PROBES_USUAL: usize = 16_000;
/// The longest name of a region.
const REGION_MAX: usize = 63;

/// `[health]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Health {
    /// Whether anything is probed here. What was known last holds if not.
    pub(crate) enabled: bool,
    /// Who probes; each has a vote.
    checkers: Vec<CheckerSettings>,
    /// More than this part of the checkers have to say that an endpoint is healthy.
    healthy_share_percent: u8,
    /// So many of them have to at least.
    healthy_at_least: u8,
    /// They have to stand in so many regions at least.
    healthy_regions_at_least: u8,
    /// More than this part of the checkers have to be heard, or what was known last holds.
    quorum_percent: u8,
    /// `[health.damping]`
    damping: Damping,
    /// The most probes under way, of all checkers; absent: as many as there are descriptors for.
    max_probes: Option<usize>,
    /// Who is asked for the addresses of domain names; empty: those of the system.
    pub(crate) resolvers: Vec<SocketAddr>,
    /// Where those who are probed may complain; told with each HTTP request.
    pub(crate) contact: Option<String>,
    /// Whether certificates of endpoints count unless a check's tag says otherwise.
    validate_certificates: bool,
    /// Authorities that are trusted for that beside the system's.
    pub(crate) certificate_roots: Option<PathBuf>,
    /// As long as the event log may become before another is begun; 0 is no event log.
    event_log_max_bytes: u64,
}

/// A checker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct CheckerSettings {
    name: String,
    region: String,
    /// Where its probes come from, as those are told who ask; absent: where DNS is answered.
    address: Option<IpAddr>,
}

/// What holds outcomes back; nothing unless it is asked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Damping {
    /// An endpoint that is back counts when it has been for so long.
    up_after_s: u32,
    /// The most endpoints of an account that are taken out within a minute; absent: no limit.
    out_per_minute: Option<u32>,
    /// When less than this part of an account's endpoints are in, all count as in; 0: never.
    panic_below_percent: u8,
    /// Only accounts with so many.
    panic_least_checks: u32,
}

impl Default for Damping {
    fn default() -> Self {
        Self {
            up_after_s: 0,
            out_per_minute: None,
            panic_below_percent: 0,
            panic_least_checks: 3,
        }
    }
}

impl Default for Health {
    fn default() -> Self {
        let rules = Rules::ROUTE_53;
        Self {
            enabled: true,
            checkers: vec![CheckerSettings {
                name: "local".to_owned(),
                region: "us-east-1".to_owned(),
                address: None,
            }],
            healthy_share_percent: rules.share_percent,
            healthy_at_least: rules.least_up,
            healthy_regions_at_least: rules.least_regions,
            quorum_percent: rules.quorum_percent,
            damping: Damping::default(),
            max_probes: None,
            resolvers: Vec::new(),
            contact: None,
            validate_certificates: false,
            certificate_roots: None,
            event_log_max_bytes: 64 * 1024 * 1024,
        }
    }
}

impl Health {
    /// As long as the event log may become, if there is one.
    pub(crate) fn event_log_bytes(&self) -> Option<u64> {
        Some(self.event_log_max_bytes).filter(|bytes| *bytes > 0)
    }

    /// The checkers, each with its region; none if nothing is probed.
    pub(crate) fn checkers(&self) -> Result<Vec<(CheckerName, CheckerRegion)>> {
        let checkers = self.checkers.iter().filter(|_| self.enabled);
        checkers.map(CheckerSettings::checker).collect()
    }

    /// The most probes under way in a process that may have so many descriptors. Unless it is said,
    /// a quarter of them at least is left to whatever else it does.
    pub(crate) fn probes(&self, descriptors: Option<u64>) -> usize {
        let usual = || {
            let whole = descriptors.and_then(|all| usize::try_from(all).ok());
            let part = whole.map_or(PROBES_USUAL, |all| all - all.div_ceil(4));
            part.clamp(1, PROBES_USUAL)
        };
        self.max_probes.unwrap_or_else(usual)
    }

    /// Whether certificates of endpoints count where nothing else is said.
    pub(crate) const fn certificates(&self) -> Certificate {
        match self.validate_certificates {
            true => Certificate::Valid,
            false => Certificate::Any,
        }
    }

    /// Where their probes come from, as far as that is said, in the same order.
    pub(crate) fn addresses(&self) -> impl Iterator<Item = Option<IpAddr>> {
        self.checkers.iter().map(|checker| checker.address)
    }

    /// How votes decide.
    pub(crate) fn rules(&self) -> Rules {
        Rules {
            share_percent: self.healthy_share_percent,
            least_up: self.healthy_at_least,
            least_regions: self.healthy_regions_at_least,
            quorum_percent: self.quorum_percent,
            ..Rules::ROUTE_53
        }
    }

    /// What holds outcomes back.
    pub(crate) fn guardrails(&self) -> Guardrails {
        let damping = &self.damping;
        let below_percent = damping.panic_below_percent;
        Guardrails {
            up_after: Duration::from_secs(damping.up_after_s.into()),
            out_per_minute: damping.out_per_minute,
            panic: (below_percent > 0).then_some(Panic {
                below_percent,
                least_checks: damping.panic_least_checks,
            }),
        }
    }

    /// Whether it can be as it is configured.
    pub(super) fn check(&self) -> Result<()> {
        let count = self.checkers.len();
        ensure!(
            (1..=MAX_CHECKERS).contains(&count),
            "health.checkers has {count} checkers; name 1 to {MAX_CHECKERS}, or set health.enabled \
             to false"
        );
        let mut seen = BTreeSet::new();
        for checker in &self.checkers {
            let (name, _) = checker.checker()?;
            ensure!(
                seen.insert(name),
                "health.checkers names {} twice",
                checker.name
            );
        }
        for (key, percent) in [
            ("healthy_share_percent", self.healthy_share_percent),
            ("quorum_percent", self.quorum_percent),
            (
                "damping.panic_below_percent",
                self.damping.panic_below_percent,
            ),
        ] {
            ensure!(percent < 100, "health.{key} is {percent}; 99 is the most");
        }
        if let Some(most) = self.max_probes {
            ensure!(
                (1..=PROBES_MAX).contains(&most),
                "health.max_probes is {most}; 1 to {PROBES_MAX}"
            );
        }
        ensure!(
            self.resolvers.len() <= 3,
            "health.resolvers has {} addresses; three are the most",
            self.resolvers.len()
        );
        let contact = self.contact.as_deref().unwrap_or_default();
        ensure!(
            contact.chars().all(|c| c.is_ascii_graphic() && c != ')') && contact.len() <= 200,
            "health.contact is '{contact}'; an address of 200 visible ASCII characters at most, \
             without spaces and closing brackets"
        );
        if let Some(path) = &self.certificate_roots {
            trust::roots(path).context("health.certificate_roots")?;
        }
        let len = self.event_log_max_bytes;
        ensure!(
            len == 0 || len >= EVENT_LOG_MIN_BYTES,
            "health.event_log_max_bytes is {len}; at least {EVENT_LOG_MIN_BYTES}, or 0 for no log"
        );
        Ok(())
    }
}

impl CheckerSettings {
    fn checker(&self) -> Result<(CheckerName, CheckerRegion)> {
        let name = CheckerName::new(&self.name)
            .map_err(|error| anyhow!("health.checkers names '{}': {error}", self.name))?;
        let region = &self.region;
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        ensure!(
            !region.is_empty() && region.len() <= REGION_MAX && region.bytes().all(good),
            "health.checkers has region '{region}'; a region is 1 to {REGION_MAX} small letters, \
             digits and hyphens, such as eu-west-1"
        );
        Ok((name, CheckerRegion::stored(region)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_be_are_refused_by_name() {
        let health = |text: &str| toml::from_str::<Health>(text).unwrap();
        let default = health("");
        default.check().unwrap();
        assert_eq!(default.rules(), Rules::ROUTE_53);
        assert_eq!(default.guardrails(), Guardrails::OFF);
        assert_eq!(default.checkers().unwrap()[0].0.as_str(), "local");
        assert!(health("enabled = false").checkers().unwrap().is_empty());
        let probes = [None, Some(0), Some(1024), Some(1_000_000)].map(|all| default.probes(all));
        assert_eq!(probes, [16_000, 1, 768, 16_000]);
        assert_eq!(health("max_probes = 20000").probes(Some(1024)), 20_000);
        for (text, part) in [
            ("checkers = []", "0 checkers"),
            ("checkers = [{ name = 'A', region = 'r' }]", "names 'A'"),
            ("checkers = [{ name = 'a', region = '' }]", "region ''"),
            (
                "checkers = [{ name = 'a', region = 'r' }, { name = 'a', region = 's' }]",
                "names a twice",
            ),
            ("quorum_percent = 100", "quorum_percent is 100"),
            ("max_probes = 0", "max_probes is 0"),
            ("contact = 'a b'", "contact is 'a b'"),
            ("certificate_roots = '/nowhere'", "health.certificate_roots"),
            ("event_log_max_bytes = 1", "event_log_max_bytes is 1"),
        ] {
            let error = health(text).check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }
}
