//! What a target is taken for, by what was heard of it and when: pure, the clock is an argument.
//!
//! An answer holds for its TTL, within bounds, and is then asked for again. Where nobody can say, the
//! last good one stays for a day; where it is said that there is nothing any more, for ten minutes,
//! and until that is said again.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::time::Duration;

use meridian_model::{Network, Timestamp};

use super::ask::Failure;
use super::reply::{Said, bytes};

/// After the TTL an answer is given for so long, as RFC 8767 has it for stale data.
const STALE_TTL_S: u32 = 30;
/// That there is nothing is believed for no longer, and failures are tried again as often.
const RETRY_MAX: Duration = Duration::from_secs(60);

/// The bounds of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    /// No target is asked for more often, whatever its TTL.
    pub(crate) min_ttl_s: u32,
    /// None is asked for less often.
    pub(crate) max_ttl_s: u32,
    /// How long a good answer stays while it is said that there is nothing.
    pub(crate) gone_after: Duration,
    /// How long what was heard stays while nobody can say.
    pub(crate) keep: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            min_ttl_s: 5,
            max_ttl_s: 3600,
            gone_after: Duration::from_secs(10 * 60),
            keep: Duration::from_secs(24 * 60 * 60),
        }
    }
}

/// What was heard of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heard {
    pub(crate) said: Said,
    /// What is said for some networks in particular, sorted; only beside records.
    pub(crate) for_networks: Vec<ForNetwork>,
    /// Which resolver said it.
    pub(crate) source: SocketAddr,
}

/// What is said for one network.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ForNetwork {
    pub(crate) network: Network,
    /// Which may be before what everybody is told was heard.
    pub(crate) heard_at: Timestamp,
    pub(crate) data: Vec<Vec<u8>>,
}

/// Records that were there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Good {
    pub(crate) data: Vec<Vec<u8>>,
    pub(crate) for_networks: Vec<ForNetwork>,
    /// As the target has it.
    pub(crate) ttl_s: u32,
    pub(crate) heard_at: Timestamp,
    pub(crate) source: SocketAddr,
}

/// There is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gone {
    pub(crate) how: Absence,
    /// Since when nothing else was said.
    pub(crate) since: Timestamp,
    pub(crate) heard_at: Timestamp,
    pub(crate) source: SocketAddr,
}

/// What is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absence {
    /// Records of the type.
    Data,
    /// The name.
    Name,
}

/// What is known of one target.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) good: Option<Good>,
    pub(crate) gone: Option<Gone>,
    /// How often in a row nobody could say, and why the last time.
    pub(crate) failures: u32,
    pub(crate) last_failure: Option<Failure>,
}

/// What a target is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict<'a> {
    /// Nothing was heard, or too long ago.
    Unknown,
    /// These records, as they are or were; with the TTL to tell.
    Answers(&'a Good, u32),
    /// It exists, without such records.
    NoData,
    NoSuchName,
}

impl Standing {
    /// Takes up what came of asking. Returns how long to wait before the next time.
    pub(crate) fn take(
        &mut self,
        outcome: Result<Heard, Failure>,
        now: Timestamp,
        rules: &Rules,
    ) -> Duration {
        let heard = match outcome {
            Ok(heard) => heard,
            Err(failure) => return self.fail(failure, rules),
        };
        (self.failures, self.last_failure) = (0, None);
        let (how, ttl_s) = match heard.said {
            Said::Records { data, ttl_s } => {
                let mut for_networks = heard.for_networks;
                for_networks.retain(|own| passed(own.heard_at, now) < rules.keep);
                self.gone = None;
                self.good = Some(Good {
                    data,
                    for_networks,
                    ttl_s,
                    heard_at: now,
                    source: heard.source,
                });
                let whole = Duration::from_secs(rules.bounded(ttl_s).into());
                return whole.min(rules.confirm_within());
            }
            Said::NoData { ttl_s } => (Absence::Data, ttl_s),
            Said::NoSuchName { ttl_s } => (Absence::Name, ttl_s),
        };
        let since = self.gone.map_or(now, |gone| gone.since.min(now));
        self.gone = Some(Gone {
            how,
            since,
            heard_at: now,
            source: heard.source,
        });
        let pause = Duration::from_secs(ttl_s.max(rules.min_ttl_s).into());
        let pause = pause.min(RETRY_MAX).min(rules.confirm_within());
        if self.good.is_none() {
            return pause;
        }
        // Held: only who says so again at the end of the time is believed.
        match rules.gone_after.checked_sub(passed(since, now)) {
            Some(left) if !left.is_zero() => pause.min(left),
            _ => {
                self.good = None;
                pause
            }
        }
    }

    /// All of it was heard by now, whatever it says: else it would stay beyond its time.
    pub(crate) fn heard_by(&mut self, now: Timestamp) {
        if let Some(good) = &mut self.good {
            good.heard_at = good.heard_at.min(now);
            for own in &mut good.for_networks {
                own.heard_at = own.heard_at.min(now);
            }
        }
        if let Some(gone) = &mut self.gone {
            gone.heard_at = gone.heard_at.min(now);
            gone.since = gone.since.min(now);
        }
    }

    /// How long data of records are.
    pub(crate) fn bytes(&self) -> usize {
        let own = |good: &Good| {
            good.for_networks
                .iter()
                .map(|own| bytes(&own.data))
                .sum::<usize>()
        };
        let good = self.good.as_ref();
        good.map_or(0, |good| bytes(&good.data) + own(good))
    }

    /// Whether it is the same as another but for times, TTLs and who said it.
    pub(crate) fn answers_like(&self, other: &Self) -> bool {
        let gone = |standing: &Self| standing.gone.map(|gone| (gone.how, gone.since));
        let good = match (&self.good, &other.good) {
            (Some(one), Some(other)) => one.has_data_of(other),
            (one, other) => one.is_none() == other.is_none(),
        };
        good && gone(self) == gone(other)
    }

    fn fail(&mut self, failure: Failure, rules: &Rules) -> Duration {
        self.last_failure = Some(failure);
        self.failures = self.failures.saturating_add(1);
        let doublings = (self.failures - 1).min(16);
        let pause = Duration::from_secs(rules.min_ttl_s.into()) * (1 << doublings);
        pause.min(RETRY_MAX)
    }

    /// What it is taken for.
    pub(crate) fn verdict(&self, now: Timestamp, rules: &Rules) -> Verdict<'_> {
        if let Some(good) = &self.good {
            let age = passed(good.heard_at, now);
            // Whoever says that there is nothing is heard, but not believed yet.
            return match age < rules.keep {
                true => Verdict::Answers(good, self.ttl_s(good, age, rules)),
                false => Verdict::Unknown,
            };
        }
        match self.gone {
            Some(gone) if passed(gone.heard_at, now) < rules.keep => match gone.how {
                Absence::Data => Verdict::NoData,
                Absence::Name => Verdict::NoSuchName,
            },
            _ => Verdict::Unknown,
        }
    }

    /// Whether something else than what it is taken for was heard last, or nothing.
    pub(crate) fn is_held(&self) -> bool {
        self.failures > 0 || self.good.is_some() && self.gone.is_some()
    }

    /// When what it is taken for was heard, and who said it.
    pub(crate) fn heard(&self) -> Option<(Timestamp, SocketAddr)> {
        let good = self.good.as_ref().map(|good| (good.heard_at, good.source));
        good.or_else(|| self.gone.map(|gone| (gone.heard_at, gone.source)))
    }

    /// Why what it is taken for is not what was heard last, for people.
    pub(crate) fn last_error(&self) -> Option<String> {
        if let Some(failure) = self.last_failure {
            return Some(failure.to_string());
        }
        let gone = self.gone.filter(|_| self.good.is_some())?;
        Some(match gone.how {
            Absence::Data => "it is said to have no such records any more".to_owned(),
            Absence::Name => "it is said not to exist any more".to_owned(),
        })
    }

    /// What is left of the target's TTL; where it should have come anew and did not, so much that
    /// resolvers do not come all the time.
    fn ttl_s(&self, good: &Good, age: Duration, rules: &Rules) -> u32 {
        let whole = rules.bounded(good.ttl_s);
        let age_s = u32::try_from(age.as_secs()).unwrap_or(u32::MAX);
        let left = whole.saturating_sub(age_s);
        match left == 0 && self.is_held() {
            true => whole.min(STALE_TTL_S),
            false => left.max(rules.min_ttl_s),
        }
    }
}

impl Good {
    fn has_data_of(&self, other: &Self) -> bool {
        fn own(good: &Good) -> impl Iterator<Item = (Network, &[Vec<u8>])> {
            let networks = good.for_networks.iter();
            networks.map(|own| (own.network, own.data.as_slice()))
        }
        self.data == other.data && own(self).eq(own(other))
    }

    /// What is told to networks, with its TTL, where everybody else is told this one.
    pub(crate) fn networks<'g>(
        &'g self,
        ttl_s: u32,
        now: Timestamp,
        rules: &'g Rules,
    ) -> impl Iterator<Item = (&'g ForNetwork, u32)> {
        let whole = Duration::from_secs(rules.bounded(self.ttl_s).into());
        self.for_networks.iter().filter_map(move |own| {
            let age = passed(own.heard_at, now);
            let ttl_s = match age < whole {
                true => ttl_s,
                false => ttl_s.min(STALE_TTL_S),
            };
            (age < rules.keep).then_some((own, ttl_s))
        })
    }
}

impl Rules {
    /// What holds for longer than it may stay is asked for before that: else it would be unknown for
    /// the rest of its TTL.
    fn confirm_within(&self) -> Duration {
        (self.keep / 2).max(Duration::from_secs(self.min_ttl_s.into()))
    }

    fn bounded(&self, ttl_s: u32) -> u32 {
        ttl_s.clamp(self.min_ttl_s, self.max_ttl_s)
    }
}

/// How long ago that was; no time if it is yet to come, as after a clock was set back.
pub(super) fn passed(since: Timestamp, now: Timestamp) -> Duration {
    let ms = now.0.saturating_sub(since.0);
    Duration::from_millis(u64::try_from(ms).unwrap_or(0))
}
