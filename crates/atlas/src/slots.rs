//! Large lists, of which most is reached by one number instead of a branch after the other: the keys
//! are divided into **slots**, each as wide as the others and with a small list of its own. Where what
//! is known crowds in few of them these are large again, and have the branches that they need.

use crate::line::{CHILDREN, ENTRIES};
use crate::table::Entry;

/// Lists of more entries are divided: those whose lowest branches cannot all be told by one.
const UNDIVIDED: usize = ENTRIES * CHILDREN * CHILDREN;
/// As many entries a slot has at most on average, so that one branch most often leads to the leaves
/// of all.
const AVERAGE: usize = ENTRIES * CHILDREN * 4 / 5;

/// How a list is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slots {
    /// How many of a key's lowest bits make no difference.
    shift: u32,
    /// The last slot, which has all keys behind it too.
    last: u32,
}

/// The words that say how a list is divided. A word for the list of each slot follows.
pub(crate) const SLOTS_WORDS: usize = 2;

impl Slots {
    /// How a list is divided, if it is large enough.
    pub(crate) fn of(list: &[Entry]) -> Option<Self> {
        let last = list.last().filter(|_| list.len() > UNDIVIDED)?.key;
        let wanted = list.len().div_ceil(AVERAGE);
        let widths = (0..u32::BITS).rev();
        let slots = |shift: u32| Self {
            shift,
            last: last >> shift,
        };
        // The widest that are small enough: less than twice as many as are wanted.
        widths.map(slots).find(|slots| slots.count() >= wanted)
    }

    pub(crate) fn count(self) -> usize {
        self.last as usize + 1
    }

    /// The slot of a key.
    #[inline]
    pub(crate) fn slot(self, key: u32) -> u32 {
        (key >> self.shift).min(self.last)
    }

    /// The entries that are in each slot at least with a part of their keys, and where those are that
    /// follow them.
    pub(crate) fn divide(self, list: &[Entry]) -> impl Iterator<Item = (&[Entry], usize)> {
        let mut begun = 0;
        (0..=self.last).map(move |slot| {
            let rest = list.get(begun..).unwrap_or_default();
            let more = rest.partition_point(|entry| self.slot(entry.key) <= slot);
            // The last one that began before is still there.
            let first = begun.saturating_sub(1);
            begun += more;
            (list.get(first..begun).unwrap_or_default(), begun)
        })
    }

    pub(crate) fn words(self) -> [u32; SLOTS_WORDS] {
        [self.shift, self.last]
    }

    pub(crate) fn from_words([shift, last]: [u32; SLOTS_WORDS]) -> Self {
        Self {
            shift: shift % u32::BITS,
            last,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::search::Search;
    use crate::shelf::{Known, Shelf};
    use crate::table::{Edges, PART_BITS};

    fn list(keys: impl IntoIterator<Item = u32>) -> Vec<Entry> {
        let entry = |key| Entry::new(key, 0, [Edges::default(); 4]);
        keys.into_iter().map(entry).collect()
    }

    #[test]
    fn only_large_lists_are_divided_into_slots_of_some_branchs_entries() {
        let short = u32::try_from(UNDIVIDED).unwrap();
        assert_eq!(Slots::of(&list(0..short)), None);
        for (step, count) in [
            (1, short + 1),
            (1, 500_000),
            (7, 500_000),
            (3_000_000, 1400),
        ] {
            let list = list((0..count).map(|at| at * step));
            let slots = Slots::of(&list).unwrap();
            let average = list.len() / slots.count();
            assert!(
                (AVERAGE / 2..=AVERAGE).contains(&average),
                "{step}: {average}"
            );
            assert_eq!(Slots::from_words(slots.words()), slots);
            assert_eq!(slots.slot(u32::MAX) as usize, slots.count() - 1);
        }
    }

    #[test]
    fn a_slot_has_the_entry_that_reaches_into_it_and_those_that_begin_there() {
        let list = list([0, 5, 17, 18, 40]);
        let slots = Slots { shift: 3, last: 5 };
        let keys = |entries: &[Entry]| entries.iter().map(|entry| entry.key).collect::<Vec<_>>();
        let divided = slots.divide(&list);
        let divided: Vec<_> = divided.map(|(part, behind)| (keys(part), behind)).collect();
        let of = |keys: &[u32], behind| (keys.to_vec(), behind);
        let expected = [
            of(&[0, 5], 2),
            of(&[5], 2),
            of(&[5, 17, 18], 4),
            of(&[18], 4),
            of(&[18], 4),
            of(&[18, 40], 5),
        ];
        assert_eq!(divided, expected);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        /// Keys crowd: most differ in the lowest bits only, or in the topmost.
        #[test]
        fn every_key_is_found_in_the_entry_that_it_is_in(
            crowds in prop::collection::vec((any::<u32>(), 0_u32..32, 1_u32..900), 3..12),
            probes in prop::collection::vec(any::<u32>(), 200),
        ) {
            let crowd = |(base, bits, count): (u32, u32, u32)| {
                let mask = u32::MAX >> (31 - bits);
                (0..count).map(move |at| base ^ (at.wrapping_mul(0x9E37_79B9) & mask))
            };
            let mut keys: Vec<u32> = crowds.into_iter().flat_map(crowd).chain([0]).collect();
            keys.sort_unstable();
            keys.dedup();
            let address = |key: u32| u128::from(key) << (u128::BITS - PART_BITS - u32::BITS);
            let mut shelf = Shelf::with_capacity(keys.len());
            for (place, key) in keys.iter().enumerate() {
                let last = keys.get(place + 1).map_or(u32::MAX, |next| next - 1);
                let record = u32::try_from(place).unwrap();
                let known = Known { record, ..Known::default() };
                let behind = u128::MAX >> (PART_BITS + u32::BITS);
                shelf.add(address(*key), address(last) | behind, &known).unwrap();
            }
            let table = shelf.table();
            let asked = keys.iter().flat_map(|key| [key.saturating_sub(1), *key, key.saturating_add(1)]);
            for key in asked.chain(probes.iter().copied()).chain([u32::MAX]) {
                let expected = u32::try_from(keys.partition_point(|first| *first <= key) - 1).unwrap();
                let found = table.find(address(key)).map(|(record, _)| record);
                prop_assert_eq!(found, Some(expected), "{}", key);
                let mut search = Search::new(&table, address(key));
                for _ in 0..4 {
                    search.step();
                }
                prop_assert_eq!(search.needs(), Err(Some(expected)));
                prop_assert_eq!(search.end(), table.find(address(key)));
            }
        }
    }
}
