//! Which regions are faster than which: rows that agree in that make the same choice among any of
//! the regions, whatever their numbers are.

use super::{MAX_REGIONS, scale};

/// The order of one row.
#[derive(Debug)]
pub(super) struct Order<'a> {
    /// None where nothing is said.
    steps: Option<&'a [u8]>,
    /// The regions from the fastest on, once somebody has needed it.
    sorted: Option<[u8; MAX_REGIONS]>,
}

impl<'a> Order<'a> {
    /// That of these steps.
    pub(super) fn of(steps: Option<&'a [u8]>) -> Self {
        Self {
            steps,
            sorted: None,
        }
    }

    /// Whether other steps have the same order: who is faster, who is as fast, and of whom there is
    /// a number at all.
    pub(super) fn is_that_of(&mut self, other: Option<&[u8]>) -> bool {
        let (Some(own), Some(other)) = (self.steps, other) else {
            return false;
        };
        // Of most rows that differ, neighbours in the list already do.
        own.len() == other.len()
            && own
                .array_windows()
                .zip(other.array_windows())
                .all(|([a, b], [c, d]): (&[u8; 2], &[u8; 2])| a.cmp(b) == c.cmp(d))
            && own
                .iter()
                .zip(other)
                .all(|(a, b)| (*a == scale::NONE) == (*b == scale::NONE))
            && self.is_sorted_alike(own, other)
    }

    /// Whether each region is to the next slower one in the other steps what it is in these.
    fn is_sorted_alike(&mut self, own: &[u8], other: &[u8]) -> bool {
        let sorted = self.sorted.get_or_insert_with(|| sorted(own));
        let sorted = sorted.get(..own.len()).unwrap_or_default();
        let of = |steps: &[u8], region: u8| steps.get(usize::from(region)).copied();
        sorted
            .array_windows()
            .all(|[a, b]| of(own, *a).cmp(&of(own, *b)) == of(other, *a).cmp(&of(other, *b)))
    }
}

/// The places of steps, by these.
fn sorted(steps: &[u8]) -> [u8; MAX_REGIONS] {
    let mut pairs = [(0, 0); MAX_REGIONS];
    for ((pair, step), place) in pairs.iter_mut().zip(steps).zip(0..) {
        *pair = (*step, place);
    }
    pairs
        .get_mut(..steps.len())
        .unwrap_or_default()
        .sort_unstable();
    pairs.map(|(_, place)| place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_those_of_every_pair() {
        const N: u8 = scale::NONE;
        for (a, b, same) in [
            (&[1, 2, 3][..], &[5, 9, 200][..], true),
            (&[1, 2, 3], &[1, 3, 3], false),
            (&[1, 3, 2], &[1, 3, 1], false),
            (&[3, 9, 5, 7], &[3, 9, 6, 8], true),
            // Neighbours agree; the first and the third do not.
            (&[3, 9, 5, 7], &[6, 9, 5, 7], false),
            (&[4, 4], &[5, 5], true),
            (&[4, N], &[5, 6], false),
            (&[4, N, N], &[5, N, N], true),
            (&[N, N], &[N, N], true),
            (&[7], &[9], true),
            (&[], &[], true),
        ] {
            assert_eq!(Order::of(Some(a)).is_that_of(Some(b)), same, "{a:?} {b:?}");
            assert_eq!(Order::of(Some(b)).is_that_of(Some(a)), same, "{b:?} {a:?}");
        }
        assert!(!Order::of(None).is_that_of(None));
        assert!(!Order::of(Some(&[1])).is_that_of(None));
    }
}
