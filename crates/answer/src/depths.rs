//! A set of depths in the tree of names: 0 to 127, as no name has more labels.

/// Depths as bits of two words: shifts of one word are a third of the work of double ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Depths([u64; 2]);

impl Depths {
    /// Adds a depth below 128.
    pub(crate) fn insert(&mut self, depth: usize) {
        self.0[depth >> 6] |= 1 << (depth & 63);
    }

    /// Whether the depth is one of them; none above 127 is.
    #[inline]
    pub(crate) fn has(self, depth: usize) -> bool {
        let word = self.0.get(depth >> 6).copied().unwrap_or_default();
        word >> (depth & 63) & 1 != 0
    }

    /// Those smaller than `depth`.
    #[inline]
    pub(crate) fn below(self, depth: usize) -> Self {
        let [low, high] = self.0;
        let mask = (1 << (depth & 63)) - 1;
        match depth >> 6 {
            0 => Self([low & mask, 0]),
            1 => Self([low, high & mask]),
            _ => self,
        }
    }

    #[inline]
    pub(crate) fn is_empty(self) -> bool {
        self.0 == [0, 0]
    }

    /// Takes out the smallest.
    #[inline]
    pub(crate) fn take_first(&mut self) -> Option<usize> {
        let [low, high] = self.0;
        if low != 0 {
            self.0 = [low & (low - 1), high];
            Some(low.trailing_zeros() as usize)
        } else if high != 0 {
            self.0 = [0, high & (high - 1)];
            Some(64 + high.trailing_zeros() as usize)
        } else {
            None
        }
    }

    /// Takes out the largest.
    #[inline]
    pub(crate) fn take_last(&mut self) -> Option<usize> {
        let [low, high] = self.0;
        if high != 0 {
            let depth = high.ilog2();
            self.0 = [low, high & !(1 << depth)];
            Some(64 + depth as usize)
        } else if low != 0 {
            let depth = low.ilog2();
            self.0 = [low & !(1 << depth), 0];
            Some(depth as usize)
        } else {
            None
        }
    }
}

impl FromIterator<usize> for Depths {
    fn from_iter<I: IntoIterator<Item = usize>>(depths: I) -> Self {
        let mut set = Self::default();
        depths.into_iter().for_each(|depth| set.insert(depth));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn it_is_the_set_it_says(depths in prop::collection::btree_set(0..128usize, 0..20),
                                 limit in 0..200usize) {
            let set: Depths = depths.iter().copied().collect();
            prop_assert_eq!(set.is_empty(), depths.is_empty());
            for depth in 0..300 {
                prop_assert_eq!(set.has(depth), depths.contains(&depth));
            }
            let (mut up, mut down) = (set.below(limit), set.below(limit));
            let below: BTreeSet<usize> = depths.range(..limit).copied().collect();
            prop_assert!(below.iter().all(|depth| up.take_first() == Some(*depth)));
            prop_assert!(below.iter().rev().all(|depth| down.take_last() == Some(*depth)));
            prop_assert_eq!((up.take_first(), down.take_last()), (None, None));
        }
    }
}
