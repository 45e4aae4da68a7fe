//! Rows of networks laid over rows of places: which row is shown from which address on.

use crate::build::base::Segment;
use crate::key::Key;

/// No row: nothing is said.
pub(super) const NOTHING: u32 = u32::MAX;

/// First addresses with the row from there on. `base` has the row of each segment, `own` the rows of
/// networks of the same family, in the order of their keys; `end` is behind the last address.
pub(super) fn laid_over(base: &[(u128, u32)], own: &[(Key, u32)], end: u128) -> Vec<(u128, u32)> {
    let mut cuts: Vec<u128> = base.iter().map(|(first, _)| *first).collect();
    for (key, _) in own {
        let (first, behind) = key.span();
        cuts.extend([first, behind]);
    }
    cuts.sort_unstable();
    cuts.dedup();
    let mut shown: Vec<(u128, u32)> = Vec::with_capacity(cuts.len());
    let (mut base, mut own) = (base.iter().peekable(), own.iter().peekable());
    let mut under = NOTHING;
    // Networks around the address, the narrowest last: at most as many as there are lengths.
    let mut around: Vec<(u128, u32)> = Vec::new();
    for cut in cuts.into_iter().take_while(|cut| *cut < end) {
        while let Some((_, row)) = base.next_if(|(first, _)| *first <= cut) {
            under = *row;
        }
        around.retain(|(behind, _)| *behind > cut);
        while let Some((key, row)) = own.next_if(|(key, _)| key.span().0 <= cut) {
            around.push((key.span().1, *row));
        }
        let row = around.last().map_or(under, |(_, row)| *row);
        if shown.last().is_none_or(|(_, last)| *last != row) {
            shown.push((cut, row));
        }
    }
    shown
}

/// The row of each segment.
pub(super) fn rows_of(segments: &[Segment], rows: &[u32]) -> Vec<(u128, u32)> {
    let row = |segment: &Segment| {
        let place = segment.place.and_then(|place| usize::try_from(place).ok());
        place.and_then(|place| rows.get(place)).copied()
    };
    segments
        .iter()
        .map(|segment| (segment.first, row(segment).unwrap_or(NOTHING)))
        .collect()
}

/// The row that is shown at an address.
pub(super) fn at<T: Copy + PartialOrd>(ranges: &[(T, u32)], address: T) -> Option<u32> {
    let behind = ranges.partition_point(|(first, _)| *first <= address);
    let (_, row) = ranges.get(behind.checked_sub(1)?)?;
    (*row != NOTHING).then_some(*row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The longest network around an address decides, and where there is none, the place.
        #[test]
        fn each_address_has_the_row_of_its_longest_network(
            networks in prop::collection::btree_map((0u32..64, 18u8..=24), 0u32..50, 0..20),
            segments in prop::collection::btree_map(0u32..64, 100u32..104, 0..10),
            asked in prop::collection::vec(0u32..64, 20),
        ) {
            let spread = |number: u32| number << 8;
            let mut own: Vec<(Key, u32)> = networks
                .iter()
                .filter_map(|((number, len), row)| {
                    let address = std::net::Ipv4Addr::from_bits(spread(*number));
                    let network = meridian_model::Network::new(address.into(), *len)?;
                    Some((Key::of(network), *row))
                })
                .collect();
            own.sort_unstable();
            own.dedup_by_key(|(key, _)| *key);
            let mut base: Vec<(u128, u32)> = vec![(0, NOTHING)];
            base.extend(segments.iter().map(|(number, row)| (u128::from(spread(*number)), *row)));
            base.sort_by_key(|(first, _)| *first);
            base.reverse();
            base.dedup_by_key(|(first, _)| *first);
            base.reverse();
            let shown = laid_over(&base, &own, 1 << 32);
            prop_assert_eq!(shown.first().map(|(first, _)| *first), Some(0));
            prop_assert!(shown.is_sorted_by(|a, b| a.0 < b.0 && a.1 != b.1));
            for number in asked {
                let address = u128::from(spread(number)) + 7;
                let longest = own
                    .iter()
                    .filter(|(key, _)| key.span().0 <= address && address < key.span().1)
                    .max_by_key(|(key, _)| key.len());
                let under = base.iter().rfind(|(first, _)| *first <= address);
                let under = under.map(|(_, row)| *row);
                let row = longest.map(|(_, row)| *row).or(under);
                prop_assert_eq!(at(&shown, address), row.filter(|row| *row != NOTHING));
            }
        }

        #[test]
        fn the_last_network_ends_with_the_last_address(row in 0u32..9) {
            let last = Key::of("255.255.255.0/24".parse().map_err(|_| TestCaseError::fail("a network"))?);
            let shown = laid_over(&[(0, 50)], &[(last, row)], 1 << 32);
            prop_assert_eq!(shown, [(0, 50), (0xFFFF_FF00, row)]);
        }
    }
}
