//! The lines of memory that lists are made of, one for each step of a search: **leaves** hold entries
//! side by side, **branches** tell which line below has a key. All of a line is looked at, since that
//! takes no branch of the program, which would be guessed wrong half the time; and a search has one
//! line to wait for at a time, whatever is close to what in a list.

use crate::table::{Entry, PART_WORDS};

/// Words of a line: as many as come from memory at once.
pub(crate) const WORDS: usize = 16;
/// Parts in a line.
pub(crate) const PARTS_PER_LINE: usize = WORDS / PART_WORDS;
/// The most entries of a leaf. A key more, that of the entry behind it, fills the line.
pub(crate) const ENTRIES: usize = 5;
/// The most lines that a branch leads to. They stand side by side, so that the number of the first
/// and what tells each from the next fill the line.
pub(crate) const CHILDREN: usize = WORDS;

/// A line of a table: a leaf, a branch, or parts.
///
/// A leaf has the keys of its entries, the key behind them, then what the entries say, then their
/// far lengths. Where it has fewer entries the last one stands in the place of the others. A branch
/// has the number of its first child, and then the last key of each but the last: the greatest
/// there is in the place of children that are not there.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Line([u32; WORDS]);

impl Line {
    /// No part of which anything is known, which is a part as any other.
    pub(crate) const NO_PARTS: Self = Self([0; WORDS]);

    /// A leaf of one entry or more; `next` is the key of the one behind them.
    pub(crate) fn leaf(entries: &[Entry], next: u32) -> Self {
        let last = entries.last().copied().unwrap_or_default();
        let mut all = [last; ENTRIES];
        for (place, entry) in all.iter_mut().zip(entries) {
            *place = *entry;
        }
        let [keys, whats, fars] = Entry::columns(all);
        let mut line = [next; WORDS];
        let words = keys.into_iter().chain([next]).chain(whats).chain(fars);
        for (place, word) in line.iter_mut().zip(words) {
            *place = word;
        }
        Self(line)
    }

    /// Words that mean what whoever has laid them says.
    pub(crate) fn of_words(words: &[u32]) -> Self {
        let mut line = [0; WORDS];
        for (place, word) in line.iter_mut().zip(words) {
            *place = *word;
        }
        Self(line)
    }

    /// A branch to the lines from this one on, of which these are the last keys.
    pub(crate) fn branch(first: u32, lasts: &[u32]) -> Self {
        let mut line = [u32::MAX; WORDS];
        for (place, word) in line.iter_mut().zip([first].iter().chain(lasts)) {
            *place = *word;
        }
        Self(line)
    }

    /// The line that a key is in, or below, by a branch.
    #[inline]
    pub(crate) fn child(&self, key: u32) -> u32 {
        let [first, lasts @ ..] = &self.0;
        let before = lasts.iter().map(|last| u32::from(*last < key));
        first.wrapping_add(before.sum())
    }

    /// The entry of a leaf that a key is in, and the key of the one behind it.
    #[inline]
    pub(crate) fn entry(&self, key: u32) -> Option<(Entry, u32)> {
        let [_, others @ ..] = self.0.first_chunk::<ENTRIES>()?;
        let begun = others.iter().map(|first| usize::from(*first <= key));
        let place: usize = begun.sum();
        let [first, next] = *self.0.get(place..)?.first_chunk()?;
        let what = *self.0.get(ENTRIES + 1 + place)?;
        let far = *self.0.get(2 * ENTRIES + 1 + place)?;
        Some((Entry::from_words([first, what, far]), next))
    }

    /// The words of a part, by its place in the line.
    #[inline]
    pub(crate) fn part(&self, place: usize) -> Option<[u32; PART_WORDS]> {
        self.0.as_chunks().0.get(place).copied()
    }

    /// Says what a part is.
    pub(crate) fn set_part(&mut self, place: usize, words: [u32; PART_WORDS]) {
        if let Some(part) = self.0.as_chunks_mut().0.get_mut(place) {
            *part = words;
        }
    }

    /// All of it.
    #[inline]
    pub(crate) fn words(&self) -> &[u32] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Edges;

    fn entry(key: u32) -> Entry {
        Entry::new(key, key / 2, [Edges::default(); 4])
    }

    #[test]
    fn a_leaf_finds_the_last_entry_that_has_begun() {
        let keys = [0, 1, 9, u32::MAX - 1, u32::MAX];
        for count in 1..=ENTRIES {
            let keys = keys.get(..count).unwrap();
            let entries: Vec<Entry> = keys.iter().copied().map(entry).collect();
            let leaf = Line::leaf(&entries, 77);
            for key in [0, 1, 2, 8, 9, 10, u32::MAX - 1, u32::MAX] {
                let place = keys.iter().rposition(|first| *first <= key).unwrap();
                let (found, next) = leaf.entry(key).unwrap();
                assert_eq!(found.key, *keys.get(place).unwrap(), "{keys:?} {key}");
                assert_eq!(found.record(), (found.key / 2) & 0xFF_FFFF);
                assert_eq!(next, keys.get(place + 1).copied().unwrap_or(77));
            }
        }
    }

    #[test]
    fn a_branch_leads_to_the_child_that_a_key_is_in() {
        for count in 2..=CHILDREN {
            let mut lasts: Vec<u32> = (1..).map(|last| last * 10).take(count).collect();
            // Nothing is behind the children of the last branch.
            for end in [u32::MAX, 10 * u32::try_from(count).unwrap()] {
                *lasts.last_mut().unwrap() = end;
                let branch = Line::branch(1000, &lasts);
                for (child, last) in (1000..).zip(&lasts) {
                    for key in [last - 9, *last] {
                        assert_eq!(branch.child(key), child, "{lasts:?} {key}");
                    }
                }
            }
        }
    }
}
