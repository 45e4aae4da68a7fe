//! What the beacon has done since the process began, for metrics.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::latency::Measured;

/// The most pairs of regions and kinds that are told apart: more would be somebody's fault.
const MAX_SERIES: usize = 2048;

/// Why something that was asked or sent is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It is no report, or of no agent.
    Malformed,
    /// The token is not ours, or another network's.
    Token,
    /// The token was good once.
    Expired,
    /// No agent that is known has signed it, or not now.
    Agent,
    /// This network, or all together, have had enough.
    TooMany,
}

impl Refusal {
    const ALL: [Self; 5] = [
        Self::Malformed,
        Self::Token,
        Self::Expired,
        Self::Agent,
        Self::TooMany,
    ];

    /// A word for metrics.
    fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Token => "token",
            Self::Expired => "expired",
            Self::Agent => "agent",
            Self::TooMany => "too-many",
        }
    }
}

/// Numbers that only rise.
#[derive(Debug, Default)]
pub(crate) struct BeaconCounts {
    scripts: AtomicU64,
    images: AtomicU64,
    reports: AtomicU64,
    posts: AtomicU64,
    refused: [AtomicU64; Refusal::ALL.len()],
    dropped: AtomicU64,
    measured: Mutex<BTreeMap<(&'static str, Box<str>), Times>>,
}

/// Round trips that were measured.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) count: u64,
    pub(crate) sum_us: u64,
}

impl BeaconCounts {
    pub(super) fn script(&self) {
        self.scripts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn image(&self) {
        self.images.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn report(&self) {
        self.reports.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn post(&self) {
        self.posts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self, why: Refusal) {
        for (reason, count) in Refusal::ALL.iter().zip(&self.refused) {
            if *reason == why {
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    pub(super) fn measured(&self, measured: &Measured) {
        let (kind, region, rtt_us) = match measured {
            Measured::Sample(sample) => (sample.kind.as_str(), &sample.region, sample.rtt_us),
            Measured::Between { to, rtt_us, .. } => ("site", to, *rtt_us),
        };
        let mut series = self.series();
        let key = (kind, region.clone());
        if series.len() < MAX_SERIES || series.contains_key(&key) {
            let times = series.entry(key).or_default();
            times.count += 1;
            times.sum_us += u64::from(rtt_us);
        }
    }

    fn series(&self) -> MutexGuard<'_, BTreeMap<(&'static str, Box<str>), Times>> {
        self.measured.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was answered or taken, by what it is.
    pub(crate) fn taken(&self) -> [(&'static str, u64); 4] {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        [
            ("script", read(&self.scripts)),
            ("image", read(&self.images)),
            ("report", read(&self.reports)),
            ("agent", read(&self.posts)),
        ]
    }

    /// What was not, by reason.
    pub(crate) fn refusals(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = self
            .refused
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        Refusal::ALL
            .iter()
            .map(|reason| reason.as_str())
            .zip(counts)
    }

    /// Samples that whoever builds maps had no room for.
    pub(crate) fn dropped_so_far(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Round trips by kind and region.
    pub(crate) fn times(&self) -> Vec<(&'static str, Box<str>, Times)> {
        let series = self.series();
        let times = series.iter();
        let times = times.map(|((kind, region), times)| (*kind, region.clone(), *times));
        times.collect()
    }
}
