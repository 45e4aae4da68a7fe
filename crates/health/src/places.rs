//! One thing for each place, in pages that copies share: a copy costs a pointer for each page, a
//! change of a copy one page, and what differs between two is found by looking at the pages that
//! they do not share. Places are low, as the smallest free one is always taken first: there is room
//! for all up to the highest.

use std::sync::Arc;

use crate::bits::PLACES;

/// The places of a page: as many as a word of votes has.
const PAGE: usize = PLACES as usize;

/// Things by place. Cloning copies pointers.
#[derive(Debug, Clone)]
pub struct Places<T> {
    pages: Vec<Arc<[Option<T>; PAGE]>>,
    len: usize,
}

/// A place where two copies hold different pages: what the one has there, and what the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference<'p, T> {
    /// The place.
    pub slot: u32,
    /// What was there.
    pub before: Option<&'p T>,
    /// What is there.
    pub now: Option<&'p T>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self {
            pages: Vec::new(),
            len: 0,
        }
    }
}

impl<T> Places<T> {
    /// What has this place.
    pub fn get(&self, slot: u32) -> Option<&T> {
        let (page, at) = split(slot);
        self.pages.get(page)?.get(at)?.as_ref()
    }

    /// Everything, from the lowest place.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        let things = self.pages.iter().flat_map(|page| page.iter());
        let places = (0..).zip(things);
        places.filter_map(|(slot, thing)| Some((slot, thing.as_ref()?)))
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there is nothing.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether both share all pages: one is a copy of the other that nobody changed.
    pub fn is_copy(&self, other: &Self) -> bool {
        self.pages.len() == other.pages.len()
            && self
                .pages
                .iter()
                .zip(&other.pages)
                .all(|(own, other)| Arc::ptr_eq(own, other))
    }

    /// The places of pages that are not shared, where either has anything. What is the same on
    /// both sides may be among them: who asks compares.
    pub fn differences<'p>(
        &'p self,
        before: &'p Self,
    ) -> impl Iterator<Item = Difference<'p, T>> + 'p {
        let count = self.pages.len().max(before.pages.len());
        let apart = (0..count).filter(move |index| {
            match (self.pages.get(*index), before.pages.get(*index)) {
                (Some(now), Some(before)) => !Arc::ptr_eq(now, before),
                _ => true,
            }
        });
        let slots = apart.flat_map(|index| index * PAGE..(index + 1) * PAGE);
        slots.filter_map(move |slot| {
            let slot = u32::try_from(slot).ok()?;
            let (before, now) = (before.get(slot), self.get(slot));
            (before.is_some() || now.is_some()).then_some(Difference { slot, before, now })
        })
    }
}

impl<T: Clone> Places<T> {
    /// Gives the place to this. Returns what had it.
    pub fn put(&mut self, slot: u32, thing: T) -> Option<T> {
        let (page, _) = split(slot);
        if self.pages.len() <= page {
            let empty = Arc::new([const { None }; PAGE]);
            self.pages.resize(page + 1, empty);
        }
        self.replace(slot, Some(thing))
    }

    /// Empties the place. Returns what had it.
    pub fn take(&mut self, slot: u32) -> Option<T> {
        // Nothing is copied for what is not there.
        self.get(slot)?;
        self.replace(slot, None)
    }

    fn replace(&mut self, slot: u32, thing: Option<T>) -> Option<T> {
        let (page, at) = split(slot);
        let page = Arc::make_mut(self.pages.get_mut(page)?);
        let is_there = thing.is_some();
        let before = std::mem::replace(page.get_mut(at)?, thing);
        self.len = self.len + usize::from(is_there) - usize::from(before.is_some());
        before
    }
}

impl<T: Clone> FromIterator<(u32, T)> for Places<T> {
    fn from_iter<I: IntoIterator<Item = (u32, T)>>(things: I) -> Self {
        let mut places = Self::default();
        for (slot, thing) in things {
            places.put(slot, thing);
        }
        places
    }
}

const fn split(slot: u32) -> (usize, usize) {
    (slot as usize / PAGE, slot as usize % PAGE)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against a map, and a copy that is not touched.
        #[test]
        fn copies_part_where_they_are_changed(
            first in prop::collection::btree_map(0..300_u32, 0..9_u8, 0..60),
            steps in prop::collection::vec((0..400_u32, prop::option::of(0..9_u8)), 0..60),
        ) {
            let mut places: Places<u8> = first.clone().into_iter().collect();
            let before = places.clone();
            prop_assert!(places.is_copy(&before));
            let mut expected = first.clone();
            for (slot, thing) in steps {
                match thing {
                    Some(thing) => {
                        prop_assert_eq!(places.put(slot, thing), expected.insert(slot, thing));
                    }
                    None => prop_assert_eq!(places.take(slot), expected.remove(&slot)),
                }
            }
            let all = |places: &Places<u8>| -> BTreeMap<u32, u8> {
                places.iter().map(|(slot, thing)| (slot, *thing)).collect()
            };
            prop_assert_eq!(&all(&places), &expected);
            prop_assert_eq!(places.len(), expected.len());
            prop_assert_eq!(&all(&before), &first);
            let mut patched = first;
            for difference in places.differences(&before) {
                prop_assert_eq!(difference.before.copied(), patched.remove(&difference.slot));
                patched.extend(difference.now.map(|now| (difference.slot, *now)));
            }
            prop_assert_eq!(patched, expected);
        }
    }

    #[test]
    fn a_change_touches_one_page() {
        let mut places: Places<u32> = (0..1000).map(|slot| (slot, slot)).collect();
        let before = places.clone();
        places.put(70, 0);
        let apart: Vec<u32> = places.differences(&before).map(|at| at.slot).collect();
        assert_eq!(apart, (64..128).collect::<Vec<_>>());
        assert!(!places.is_copy(&before));
        assert_eq!(before.get(70), Some(&70));
        assert_eq!((places.take(5000), places.get(5000)), (None, None));
    }
}
