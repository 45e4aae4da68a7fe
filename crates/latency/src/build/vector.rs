//! What is thought of one spot: a number for each region of a map, where it comes from and how far
//! to trust it.

use meridian_atlas::Origin;

use crate::bins;
use crate::clients::Clients;
use crate::holding::{Ageing, Known};
use crate::rules::Rules;

/// A number for a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Guess {
    /// None where there is nothing to go by.
    pub(super) ms: Option<f32>,
    pub(super) origin: Origin,
    /// 0 to 1.
    pub(super) confidence: f32,
}

impl Guess {
    pub(super) const NOTHING: Self = Self {
        ms: None,
        origin: Origin::Model,
        confidence: 0.0,
    };
}

/// One for each region of the map.
pub(super) type Vector = Vec<Guess>;

/// What samples of one region say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Said {
    /// Their quantile.
    pub(super) at: bins::Position,
    /// How many they are.
    pub(super) samples: f32,
    /// How many they count as by now.
    pub(super) fresh: f32,
    /// What is known of those around counts as so many.
    prior: f32,
}

/// Where somebody vouches for samples, what others know counts so much of what it does otherwise.
const VOUCHED: f32 = 0.1;

impl Said {
    pub(super) fn by(
        known: Known<'_>,
        clients: &Clients,
        now_min: u32,
        ageing: Ageing,
        rules: &Rules,
    ) -> Option<Self> {
        let samples = bins::weight(known.bins);
        Some(Self {
            at: bins::quantile(known.bins, rules.quantile)?,
            samples,
            prior: if clients.are_believed() {
                rules.prior * VOUCHED
            } else {
                rules.prior
            },
            fresh: samples * ageing.left(now_min.saturating_sub(known.last_min)),
        })
    }

    /// A number of one's own, drawn to what is known of what one is part of: the fewer samples, the
    /// more.
    pub(super) fn drawn(self, own: f32, parent: Option<f32>) -> f32 {
        let Some(parent) = parent else {
            return own;
        };
        (self.samples * own + self.prior * parent) / (self.samples + self.prior)
    }

    /// Whether at least half of a number drawn by them is theirs.
    pub(super) fn is_most(self) -> bool {
        self.samples >= self.prior
    }

    /// How far to trust the samples, of so many clients, as old as they are.
    pub(super) fn confidence(self, clients: &Clients) -> f32 {
        let (samples, clients) = (self.fresh / (self.fresh + self.prior), clients.count());
        samples.min(clients / (clients + 3.0)).clamp(0.0, 1.0)
    }
}

/// What two sources are worth together, of which the second is believed as far as the first is not.
pub(super) fn either(one: f32, other: f32) -> f32 {
    one + (1.0 - one) * other
}
