//! The random numbers of one answer, all of them from its seed.

/// A sequence of numbers: splitmix64, which begins where a hash of the seed says. Seeds that have
/// something to do with each other, such as those of a batch, begin sequences that have not: a
/// seed taken as it is would let one sequence be another one from its second number on.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

/// What the state of a sequence grows by (from the golden ratio).
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(mix(seed))
    }

    #[inline]
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// One of the numbers below `end`, all equally likely but for one part in 2^64 / `end`; 0
    /// where there is none.
    #[inline]
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let scaled = (u128::from(self.next()) * end as u128) >> 64;
        usize::try_from(scaled).unwrap_or(0)
    }
}

/// The finalizer of splitmix64: every bit of the input reaches every bit of the output.
#[inline]
fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_that_follow_each_other_begin_sequences_that_do_not() {
        let numbers = |seed| {
            let mut random = Random::new(seed);
            [(); 8].map(|()| random.next())
        };
        for factor in [1, STEP, STEP.wrapping_mul(3)] {
            let mut all: Vec<u64> = (0..100u64)
                .flat_map(|n| numbers(n.wrapping_mul(factor)))
                .collect();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), 800);
        }
    }
}
