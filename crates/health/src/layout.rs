//! Which check has which place. Tables say for each word of 64 places whose places their bits are
//! meant for, so that a check never inherits the votes on the one that had its place before.

use meridian_model::{HealthCheckId, HealthSlot};
use ring::digest::{SHA256, digest};

use crate::bits::{MAX_SLOTS, PLACES, place};

/// What the digest of an occupant begins with.
const CONTEXT: &[u8] = b"meridian health slot 1\0";

/// The checks by place.
///
/// The occupants of a word are summed up in a number of 64 bits, the sum, modulo 2^64, of one
/// number for each of them: the first eight bytes, most significant first, of the SHA-256 of
/// `meridian health slot 1`, a zero byte, the place and the incarnation in four bytes each, most
/// significant first, and the check's id. Two that know of the same checks there have the same
/// number, whatever else they know; it needs no common history, so that it holds through lost
/// journals and restored ones too.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    occupants: Vec<Option<Occupant>>,
    sums: Vec<u64>,
    /// By word, the places that are taken.
    taken: Vec<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Occupant {
    incarnation: u32,
    number: u64,
}

/// The place is beyond those that tables have: see [`MAX_SLOTS`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("place {0} is beyond those that are voted on")]
pub struct OutOfPlaces(pub u32);

impl Layout {
    /// A check has this place from now on. Says whether that is new.
    ///
    /// # Errors
    /// The place is too high; nothing is changed.
    pub fn put(&mut self, at: HealthSlot, check: &HealthCheckId) -> Result<bool, OutOfPlaces> {
        if at.slot >= MAX_SLOTS {
            return Err(OutOfPlaces(at.slot));
        }
        let occupant = Occupant {
            incarnation: at.incarnation,
            number: number(at, check),
        };
        let words = place(at.slot).0 + 1;
        if self.sums.len() < words {
            self.sums.resize(words, 0);
            self.taken.resize(words, 0);
            self.occupants.resize(words * PLACES as usize, None);
        }
        Ok(self.replace(at.slot, Some(occupant)))
    }

    /// The check in this place is gone, if it was the one of this incarnation. Says whether it was.
    pub fn remove(&mut self, at: HealthSlot) -> bool {
        self.has(at) && self.replace(at.slot, None)
    }

    /// Whether the place is the one's of this incarnation.
    pub fn has(&self, at: HealthSlot) -> bool {
        self.at(at.slot) == Some(at)
    }

    /// The place with its incarnation, if anyone has it.
    pub fn at(&self, slot: u32) -> Option<HealthSlot> {
        let occupant = self.occupants.get(slot as usize).copied().flatten()?;
        Some(HealthSlot {
            slot,
            incarnation: occupant.incarnation,
        })
    }

    /// All places that are taken, from the lowest.
    pub fn iter(&self) -> impl Iterator<Item = HealthSlot> {
        (0..).zip(&self.occupants).filter_map(|(slot, occupant)| {
            let incarnation = (*occupant)?.incarnation;
            Some(HealthSlot { slot, incarnation })
        })
    }

    /// The number that tells the occupant of a place from all others there ever were.
    pub(crate) fn number(&self, slot: u32) -> Option<u64> {
        let occupant = self.occupants.get(slot as usize).copied().flatten()?;
        Some(occupant.number)
    }

    /// For each word the number of its occupants.
    pub(crate) fn sums(&self) -> &[u64] {
        &self.sums
    }

    /// For each word the places that are taken.
    pub(crate) fn taken(&self) -> &[u64] {
        &self.taken
    }

    fn replace(&mut self, slot: u32, occupant: Option<Occupant>) -> bool {
        let (word, bit) = place(slot);
        let (Some(place), Some(sum), Some(taken)) = (
            self.occupants.get_mut(slot as usize),
            self.sums.get_mut(word),
            self.taken.get_mut(word),
        ) else {
            return false;
        };
        let before = std::mem::replace(place, occupant);
        match occupant {
            Some(_) => *taken |= bit,
            None => *taken &= !bit,
        }
        let number = |occupant: Option<Occupant>| occupant.map_or(0, |occupant| occupant.number);
        *sum = sum
            .wrapping_sub(number(before))
            .wrapping_add(number(occupant));
        before != occupant
    }
}

fn number(at: HealthSlot, check: &HealthCheckId) -> u64 {
    let mut bytes = CONTEXT.to_vec();
    bytes.extend(at.slot.to_be_bytes());
    bytes.extend(at.incarnation.to_be_bytes());
    bytes.extend(check.as_str().as_bytes());
    let digest = digest(&SHA256, &bytes);
    let first = digest.as_ref().iter().take(8);
    first.fold(0, |number, byte| number << 8 | u64::from(*byte))
}
