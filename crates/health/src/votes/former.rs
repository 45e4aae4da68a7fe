//! Who had the 64 places of a word a moment ago. A table is sealed up to a second before it is
//! counted, and where checks are made and deleted in between, its line is about checks that are
//! not all there any more. What it says of the others counts all the same: else whoever makes and
//! deletes checks without a pause would keep the votes on those beside his from being heard.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::layout::Layout;

/// The most changes of a word that are remembered: more than can be written in the time.
const MOST: usize = 4096;

/// What words of the layout were, by word.
#[derive(Debug, Default)]
pub(super) struct Former {
    words: HashMap<usize, VecDeque<Known>>,
    /// When votes were counted last.
    now: Duration,
}

/// What a word once was.
#[derive(Debug, Clone, Copy)]
struct Known {
    /// The sum of its occupants.
    sum: u64,
    /// Up to here, or a little longer.
    until: Duration,
    /// The place that somebody else has had since.
    changed: u64,
}

impl Former {
    /// In a word whose occupants had this sum another one has a place from now on, or nobody.
    pub(super) fn note(&mut self, word: usize, sum: u64, changed: u64) {
        let known = self.words.entry(word).or_default();
        if known.len() == MOST {
            known.pop_front();
        }
        known.push_back(Known {
            sum,
            until: self.now,
            changed,
        });
    }

    /// The places of a word that have the same occupants as when the sum of all was this; none if
    /// that was never so, or is too long ago.
    pub(super) fn unchanged(&self, layout: &Layout, word: usize, sum: u64) -> u64 {
        if layout.sums().get(word) == Some(&sum) {
            return u64::MAX;
        }
        let mut changed = 0;
        let known = self.words.get(&word).into_iter().flatten().rev();
        for known in known {
            changed |= known.changed;
            if known.sum == sum {
                return !changed;
            }
        }
        0
    }

    /// It is this late; what is older than this is forgotten.
    pub(super) fn forget(&mut self, now: Duration, age: Duration) {
        self.now = now;
        self.words.retain(|_, known| {
            let is_old = |known: &Known| now.saturating_sub(known.until) > age;
            while known.front().is_some_and(is_old) {
                known.pop_front();
            }
            !known.is_empty()
        });
    }
}
