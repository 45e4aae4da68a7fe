//! Outcomes as bits by place: what is known of each check, in words of 64 places. The same size
//! and the same work whether nothing is down or everything.

use meridian_model::Health;

/// The most places that tables have. Checks in higher ones are not voted on, and count as healthy.
pub const MAX_SLOTS: u32 = 1 << 20;

/// How many places a word has.
pub(crate) const PLACES: u32 = u64::BITS;

/// What is known of 64 places.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Word {
    /// Of which anything is known.
    pub(crate) known: u64,
    /// Which of those are healthy; others are not.
    pub(crate) healthy: u64,
}

/// What is known of the checks, by place.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Healths {
    pub(crate) words: Vec<Word>,
}

/// The word of a place, and the place's bit in it.
pub(crate) const fn place(slot: u32) -> (usize, u64) {
    ((slot / PLACES) as usize, 1 << (slot % PLACES))
}

/// The places in word `index` whose bits are set, from the lowest.
pub(crate) fn places(index: usize, mut bits: u64) -> impl Iterator<Item = u32> {
    let base = u32::try_from(index)
        .unwrap_or(u32::MAX)
        .saturating_mul(PLACES);
    std::iter::from_fn(move || {
        let place = (bits != 0).then(|| bits.trailing_zeros())?;
        bits &= bits - 1;
        Some(base.saturating_add(place))
    })
}

impl Word {
    pub(crate) const fn get(self, bit: u64) -> Option<Health> {
        match (self.known & bit != 0, self.healthy & bit != 0) {
            (false, _) => None,
            (true, true) => Some(Health::Healthy),
            (true, false) => Some(Health::Unhealthy),
        }
    }

    pub(crate) const fn set(&mut self, bit: u64, health: Option<Health>) {
        self.known &= !bit;
        self.healthy &= !bit;
        match health {
            None => {}
            Some(Health::Unhealthy) => self.known |= bit,
            Some(Health::Healthy) => {
                self.known |= bit;
                self.healthy |= bit;
            }
        }
    }
}

impl Healths {
    /// What is known of a place.
    pub fn get(&self, slot: u32) -> Option<Health> {
        let (index, bit) = place(slot);
        self.words.get(index)?.get(bit)
    }

    /// Of how many places something is known, and how many of those are healthy.
    pub fn count(&self) -> (usize, usize) {
        self.words.iter().fold((0, 0), |(known, healthy), word| {
            (
                known + word.known.count_ones() as usize,
                healthy + word.healthy.count_ones() as usize,
            )
        })
    }

    /// All places of which something is known, from the lowest.
    pub fn iter(&self) -> impl Iterator<Item = (u32, Health)> {
        self.words.iter().enumerate().flat_map(|(index, word)| {
            places(index, word.known).filter_map(|slot| Some((slot, word.get(place(slot).1)?)))
        })
    }

    /// The places of which the two say different things, from the lowest.
    pub fn differences(&self, other: &Self) -> impl Iterator<Item = u32> {
        (0..self.words.len().max(other.words.len())).flat_map(|index| {
            let word = |healths: &Self| healths.words.get(index).copied().unwrap_or_default();
            let (own, other) = (word(self), word(other));
            let differ = (own.known ^ other.known) | (own.healthy ^ other.healthy);
            places(index, differ)
        })
    }

    pub(crate) fn set(&mut self, slot: u32, health: Option<Health>) {
        let (index, bit) = place(slot);
        if let Some(word) = self.words.get_mut(index) {
            word.set(bit, health);
        }
    }
}
