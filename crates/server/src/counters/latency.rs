//! How long queries waited for their replies, in powers of two.

use std::ops::AddAssign;
use std::time::Duration;

use super::Count;
use super::answers::add_each;

/// Finite buckets: up to 1 µs, 2 µs, 4 µs and so on to 2²⁰ µs, which is a little over a second.
pub const BUCKETS: usize = 21;

/// A histogram of waiting times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Latency {
    /// The last is of what took longer than the last finite bound.
    counts: [u64; BUCKETS + 1],
    sum_ns: u64,
}

impl Latency {
    /// For each finite bucket its upper bound, included, and how many took at most that long.
    pub fn buckets(&self) -> impl Iterator<Item = (Duration, u64)> {
        let mut sum = 0;
        (0..BUCKETS).map(move |place| {
            sum += self.counts[place];
            (Duration::from_micros(1 << place), sum)
        })
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// All their times together.
    #[must_use]
    pub fn sum(&self) -> Duration {
        Duration::from_nanos(self.sum_ns)
    }
}

impl AddAssign for Latency {
    fn add_assign(&mut self, more: Self) {
        add_each(&mut self.counts, &more.counts);
        self.sum_ns = self.sum_ns.wrapping_add(more.sum_ns);
    }
}

/// The cells of a histogram.
#[derive(Debug)]
pub(crate) struct LatencyCells<C> {
    counts: [C; BUCKETS + 1],
    /// Full after 584 years of waiting, all queries taken together.
    sum_ns: C,
}

impl<C: Count> Default for LatencyCells<C> {
    fn default() -> Self {
        Self {
            counts: std::array::from_fn(|_| C::default()),
            sum_ns: C::default(),
        }
    }
}

impl<C: Count> LatencyCells<C> {
    /// Counts queries that all took this long.
    #[inline]
    pub(crate) fn count(&self, queries: usize, elapsed: Duration) {
        if queries == 0 {
            return;
        }
        let elapsed_ns = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.counts[place(elapsed_ns)].add(queries as u64);
        self.sum_ns.add(elapsed_ns.wrapping_mul(queries as u64));
    }

    pub(crate) fn latency(&self) -> Latency {
        Latency {
            counts: std::array::from_fn(|place| self.counts[place].read()),
            sum_ns: self.sum_ns.read(),
        }
    }
}

/// The first bucket whose bound is not below this.
#[inline]
fn place(elapsed_ns: u64) -> usize {
    let us = elapsed_ns.div_ceil(1000).max(1);
    let power = u64::BITS - (us - 1).leading_zeros();
    (power as usize).min(BUCKETS)
}

#[cfg(test)]
mod tests {
    use super::super::Cell;
    use super::*;

    #[test]
    fn each_time_is_in_the_first_bucket_that_holds_it() {
        for (ns, bound_us) in [
            (0, Some(1)),
            (1, Some(1)),
            (1000, Some(1)),
            (1001, Some(2)),
            (2000, Some(2)),
            (2001, Some(4)),
            (4001, Some(8)),
            (1_000_000_000, Some(1 << 20)),
            (1_048_576_000, Some(1 << 20)),
            (1_048_576_001, None),
            (u64::MAX, None),
        ] {
            let cells = LatencyCells::<Cell>::default();
            cells.count(3, Duration::from_nanos(ns));
            let latency = cells.latency();
            let first = latency.buckets().find(|(_, count)| *count > 0);
            let expected = bound_us.map(|us| (Duration::from_micros(us), 3));
            assert_eq!(first, expected, "{ns} ns");
            assert_eq!(latency.count(), 3);
            assert_eq!(latency.sum(), Duration::from_nanos(ns.wrapping_mul(3)));
        }
    }

    #[test]
    fn sums_of_histograms_are_histograms() {
        let cells = LatencyCells::<Cell>::default();
        cells.count(2, Duration::from_micros(3));
        cells.count(0, Duration::from_micros(3));
        let mut sum = cells.latency();
        cells.count(1, Duration::from_secs(9));
        sum += cells.latency();
        assert_eq!(sum.count(), 5);
        let last = sum.buckets().last().unwrap();
        assert_eq!(last, (Duration::from_micros(1 << 20), 4));
    }
}
