//! What is down: health checks, and sets of aliases' targets that have nothing healthy left.
//!
//! Everything is named by the keyed hash of its id, so that an unknown or deleted check is simply
//! not among those that are down, and a record set is compiled without knowing any check. Most of
//! the time nothing is down, and asking costs one look at one word. What makes targets go down is
//! in `health::targets`.

mod targets;

use std::sync::Arc;

use meridian_dns::RecordType;

use crate::hash::HashKey;

pub(crate) use targets::Targets;

/// The name of a check, a target, a collection or a region; 0 is nobody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(pub(crate) u64);

/// What kind of thing a key names.
const CHECK: u64 = 0xc4ec;
const COLLECTION: u64 = 0xc1d2;
const LOCATION: u64 = 0x10ca;
const REGION: u64 = 0x2e61;
const OUTSIDE: u64 = 0x0475;

impl Key {
    /// That of a health check.
    pub(crate) fn of_check(key: HashKey, id: &str) -> Self {
        Self(key.text(CHECK, id.as_bytes()))
    }

    /// That of a CIDR collection.
    pub(crate) fn of_collection(key: HashKey, id: &str) -> Self {
        Self(key.text(COLLECTION, id.as_bytes()))
    }

    /// That of a location in a collection.
    pub(crate) fn of_location(key: HashKey, collection: Self, name: &str) -> Self {
        Self(key.text(LOCATION ^ collection.0, name.as_bytes()))
    }

    /// That of a region or a local zone group.
    pub(crate) fn of_region(key: HashKey, name: &str) -> Self {
        Self(key.text(REGION, name.as_bytes()))
    }

    /// That of a host name elsewhere, which has this key, as the aliases of a zone see its health:
    /// the check of a resource is for its own account alone.
    pub(crate) fn of_outside(key: HashKey, zone: &str, external: Self) -> Self {
        Self(key.text(OUTSIDE ^ external.0, zone.as_bytes()))
    }

    /// That of the sets of one name, by the hash of the whole name, and type in a zone.
    pub(crate) fn of_target(key: HashKey, zone: &str, name: u64, rtype: RecordType) -> Self {
        let above = name.rotate_left(16) ^ u64::from(rtype.code());
        Self(key.text(above, zone.as_bytes()))
    }
}

/// The health checks that are down; all others are up, whether they exist or not. Cloning copies
/// one pointer.
#[derive(Debug, Clone)]
pub struct Health {
    key: HashKey,
    down: Arc<Keys>,
}

impl Health {
    /// Nothing is down, for a World with this key.
    pub fn all_up(key: HashKey) -> Self {
        Self::of_down(key, [])
    }

    /// These checks are down, for a World with this key.
    pub fn of_down<'i>(key: HashKey, ids: impl IntoIterator<Item = &'i str>) -> Self {
        let down = ids.into_iter().map(|id| Key::of_check(key, id));
        Self {
            key,
            down: Arc::new(down.collect()),
        }
    }

    /// The same but for one check.
    #[must_use]
    pub fn with(&self, id: &str, state: CheckState) -> Self {
        self.with_all([(id, state)])
    }

    /// The same but for these checks, each named once.
    #[must_use]
    pub fn with_all<'i>(&self, states: impl IntoIterator<Item = (&'i str, CheckState)>) -> Self {
        let states = states.into_iter();
        let states: Vec<(Key, CheckState)> = states
            .map(|(id, state)| (Key::of_check(self.key, id), state))
            .collect();
        let named: Keys = states.iter().map(|(key, _)| *key).collect();
        let others = self.down.iter().filter(|key| !named.has(*key));
        let down = states
            .iter()
            .filter(|(_, state)| *state == CheckState::Down);
        Self {
            key: self.key,
            down: Arc::new(others.chain(down.map(|(key, _)| *key)).collect()),
        }
    }

    pub(crate) fn down(&self) -> &Arc<Keys> {
        &self.down
    }

    /// The checks of which the two say different things.
    pub(crate) fn differences(&self, other: &Self) -> Vec<Key> {
        let only = |one: &Arc<Keys>, other: &Arc<Keys>| -> Vec<Key> {
            one.iter().filter(|key| !other.has(*key)).collect()
        };
        [only(&self.down, &other.down), only(&other.down, &self.down)].concat()
    }
}

impl PartialEq for Health {
    fn eq(&self, other: &Self) -> bool {
        self.differences(other).is_empty()
    }
}

/// What a health check says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    /// Healthy.
    Up,
    /// Unhealthy.
    Down,
}

/// A set of keys: an open hash table at most half full.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// A power of two of them; 0 where there is none.
    slots: Box<[u64]>,
}

impl Default for Keys {
    fn default() -> Self {
        Self::from_iter([])
    }
}

impl FromIterator<Key> for Keys {
    fn from_iter<I: IntoIterator<Item = Key>>(keys: I) -> Self {
        let keys: Vec<Key> = keys.into_iter().collect();
        let len = (keys.len() * 2 + 1).next_power_of_two();
        let mut slots = vec![0; len].into_boxed_slice();
        for Key(key) in keys {
            let mut at = first(key, len);
            // One that is there already takes no other slot.
            while slots[at] != 0 && slots[at] != key {
                at = (at + 1) & (len - 1);
            }
            slots[at] = key;
        }
        Self { slots }
    }
}

impl Keys {
    /// Whether the key is among them.
    #[inline]
    pub(crate) fn has(&self, Key(key): Key) -> bool {
        let len = self.slots.len();
        let mut at = first(key, len);
        // Ends at an empty slot: at most half of them are taken.
        loop {
            match self.slots.get(at) {
                Some(&slot) if slot == key => return true,
                None | Some(0) => return false,
                Some(_) => at = (at + 1) & (len - 1),
            }
        }
    }

    /// What going over them looks at, in slots.
    pub(crate) fn room(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Key> {
        self.slots
            .iter()
            .filter(|key| **key != 0)
            .map(|key| Key(*key))
    }
}

/// Where to look first among so many slots, which are a power of two.
#[inline]
fn first(key: u64, len: usize) -> usize {
    // The high bits: the low ones choose elsewhere, and keys are hashes.
    (key >> 20) as usize & (len - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn keys_are_those_that_were_put_in(
            keys in prop::collection::btree_set(1..2_000u64, 0..200), shift in 0..40u32,
        ) {
            let of = |key: u64| Key(key << shift);
            let set: Keys = keys.iter().map(|key| of(*key)).collect();
            for key in 1..2_000 {
                prop_assert_eq!(set.has(of(key)), keys.contains(&key));
            }
            prop_assert_eq!(set.iter().count(), keys.len());
        }
    }

    #[test]
    fn a_check_is_up_until_it_is_said_to_be_down() {
        let key = HashKey([7, 8]);
        let is_up = |health: &Health, id| !health.down().has(Key::of_check(key, id));
        let health = Health::of_down(key, ["a", "b", "b"]);
        assert_eq!(
            ["a", "b", "c", "A"].map(|id| is_up(&health, id)),
            [false, false, true, true]
        );
        let other = health.with("a", CheckState::Up).with("c", CheckState::Down);
        let at_once = [
            ("a", CheckState::Up),
            ("c", CheckState::Down),
            ("d", CheckState::Up),
        ];
        assert_eq!(health.with_all(at_once), other);
        assert_eq!(
            ["a", "b", "c"].map(|id| is_up(&other, id)),
            [true, false, false]
        );
        assert_eq!(
            other.with("c", CheckState::Up).with("a", CheckState::Down),
            health
        );
        assert!(is_up(&Health::all_up(key), "a"));
    }
}
