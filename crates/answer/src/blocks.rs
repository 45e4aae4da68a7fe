//! Networks that have something each: from a client's address to what is for the longest of them that
//! it lies in, and how far around the client that is so.

use std::net::IpAddr;

/// Networks of both families.
#[derive(Debug)]
pub(crate) struct Blocks<L> {
    v4: Family<L>,
    v6: Family<L>,
}

/// What is found for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found<L> {
    /// What is for the longest network that holds all of the client's.
    pub(crate) what: Option<L>,
    /// How many leading bits of the address other addresses have to share for the same to be found.
    pub(crate) scope: u8,
}

/// Blocks in the order of their addresses, a shorter one before the longer ones in it. Addresses
/// are the upper ends of 128 bits, so that both families are searched alike.
#[derive(Debug)]
struct Family<L> {
    firsts: Box<[u128]>,
    others: Box<[Block<L>]>,
}

/// What belongs to a first address.
#[derive(Debug, Clone, Copy)]
struct Block<L> {
    len: u8,
    /// The smallest block that it lies in; none has its own place.
    parent: u32,
    what: L,
}

impl<L: Copy> Blocks<L> {
    /// These: address, bits and what each has.
    pub(crate) fn of(blocks: impl IntoIterator<Item = (IpAddr, u8, L)>) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (address, len, what) in blocks {
            let (to, first) = match address {
                IpAddr::V4(address) => (&mut v4, u128::from(address.to_bits()) << 96),
                IpAddr::V6(address) => (&mut v6, address.to_bits()),
            };
            to.push((first, len, what));
        }
        Self {
            v4: Family::of(v4),
            v6: Family::of(v6),
        }
    }

    /// What is for a client of whose address so many bits are known.
    pub(crate) fn find(&self, address: IpAddr, bits: u8) -> Found<L> {
        let (own, other, address) = match address {
            IpAddr::V4(address) => (&self.v4, &self.v6, u128::from(address.to_bits()) << 96),
            IpAddr::V6(address) => (&self.v6, &self.v4, address.to_bits()),
        };
        let found = own.find(address, bits);
        // A scope of 0 is that of all addresses, those of the other family among them (RFC 7871
        // section 7.3.1).
        let least = u8::from(!other.firsts.is_empty());
        Found {
            scope: found.scope.max(least),
            ..found
        }
    }
}

impl<L: Copy> Family<L> {
    fn of(mut blocks: Vec<(u128, u8, L)>) -> Self {
        for (first, len, _) in &mut blocks {
            *len = (*len).min(128);
            *first &= mask(*len);
        }
        blocks.sort_unstable_by_key(|(first, len, _)| (*first, *len));
        blocks.dedup_by_key(|(first, len, _)| (*first, *len));
        let mut others: Vec<Block<L>> = Vec::with_capacity(blocks.len());
        // The blocks that the next one may lie in, the smallest last.
        let mut open: Vec<usize> = Vec::new();
        for (place, (first, len, what)) in blocks.iter().enumerate() {
            while open
                .pop_if(|outer| !holds(blocks[*outer].0, blocks[*outer].1, *first))
                .is_some()
            {}
            others.push(Block {
                len: *len,
                parent: u32::try_from(*open.last().unwrap_or(&place)).unwrap_or(u32::MAX),
                what: *what,
            });
            open.push(place);
        }
        Self {
            firsts: blocks.iter().map(|(first, ..)| *first).collect(),
            others: others.into(),
        }
    }

    fn find(&self, address: u128, bits: u8) -> Found<L> {
        let after = self.firsts.partition_point(|first| *first <= address);
        let next = self.firsts.get(after);
        let mut scope = next.map_or(0, |next| shared(*next, address) + 1);
        let mut at = after.checked_sub(1);
        if let Some(before) = at.and_then(|at| self.firsts.get(at).zip(self.others.get(at)))
            && !holds(*before.0, before.1.len, address)
        {
            scope = scope.max(shared(*before.0, address) + 1);
        }
        // Whatever is nearest may lie in something that holds the address: blocks lie in each other
        // at most as often as there are lengths.
        let mut whole = None;
        for _ in 0..=128 {
            let Some((place, first, block)) =
                at.and_then(|at| Some((at, self.firsts.get(at)?, self.others.get(at)?)))
            else {
                break;
            };
            if holds(*first, block.len, address) {
                // Longer ones inside have been passed over only because less is known.
                whole = whole.or(Some(block.len));
                if block.len <= bits {
                    return Found {
                        what: Some(block.what),
                        scope: scope.max(whole.unwrap_or(0)),
                    };
                }
            }
            let parent = usize::try_from(block.parent).ok();
            at = parent.filter(|parent| *parent != place);
        }
        Found {
            what: None,
            scope: scope.max(whole.unwrap_or(0)),
        }
    }
}

/// The bits of a prefix of this length.
fn mask(len: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0)
}

/// Whether a block holds an address.
fn holds(first: u128, len: u8, address: u128) -> bool {
    (first ^ address) & mask(len) == 0
}

/// How many leading bits two addresses share; fewer than 128, as they differ.
fn shared(one: u128, other: u128) -> u8 {
    u8::try_from((one ^ other).leading_zeros()).map_or(127, |bits| bits.min(127))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// By their places.
    fn placed(blocks: &[(u128, u8)]) -> Blocks<usize> {
        let address = |first: u128| IpAddr::V6(first.into());
        let places = blocks.iter().enumerate();
        Blocks::of(places.map(|(place, (first, len))| (address(*first), *len, place)))
    }

    /// Blocks of few bits at the upper end, so that they lie in each other in every way.
    fn blocks() -> impl Strategy<Value = Vec<(u128, u8)>> {
        let block = (any::<u8>(), 1..=8u8)
            .prop_map(|(first, len)| ((u128::from(first) << 120) & mask(len), len));
        prop::collection::vec(block, 0..24).prop_map(|mut blocks| {
            blocks.sort_unstable();
            blocks.dedup();
            blocks
        })
    }

    /// The same by looking at every block.
    fn slow(blocks: &[(u128, u8)], address: u128, bits: u8) -> Option<usize> {
        let fits = |place: &usize| {
            let (first, len) = blocks[*place];
            len <= bits && holds(first, len, address)
        };
        (0..blocks.len())
            .filter(fits)
            .max_by_key(|place| blocks[*place].1)
    }

    proptest! {
        #[test]
        fn the_longest_block_that_holds_the_whole_network_is_found(
            blocks in blocks(), address in any::<u8>(), bits in 0..=10u8,
        ) {
            let address = (u128::from(address) << 120) & mask(bits);
            let found = placed(&blocks).find(IpAddr::V6(address.into()), bits);
            prop_assert_eq!(found.what, slow(&blocks, address, bits));
        }

        #[test]
        fn everybody_inside_the_scope_has_the_same(
            blocks in blocks(), address in any::<u8>(), bits in 0..=10u8,
        ) {
            let blocks = placed(&blocks);
            let find = |address: u8, bits| {
                let address = (u128::from(address) << 120) & mask(bits);
                blocks.find(IpAddr::V6(address.into()), bits)
            };
            let found = find(address, bits);
            prop_assert!(found.scope <= 8);
            // Who tells fewer bits than the scope speaks for nobody else.
            if found.scope <= bits {
                let size = 1u16 << (8 - found.scope.min(8));
                let first = u16::from(address) & !(size - 1);
                for other in first..first + size {
                    for bits in found.scope.max(1)..=10 {
                        prop_assert_eq!(find(other as u8, bits).what, found.what);
                    }
                }
            }
        }
    }
}
