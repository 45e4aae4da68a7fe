//! CIDR collections: from a client's network to the location that owns it, and how far around the
//! client that is so.

use std::net::IpAddr;
use std::sync::Arc;

use crate::hash::HashKey;
use crate::health::Key;
use crate::keyed::Keyed;

/// All collections. A change of one makes a new map that shares the others.
#[derive(Debug, Clone)]
pub struct CidrCollections {
    key: HashKey,
    by_key: Keyed<Arc<Collection>>,
}

/// The blocks of one collection, by family.
#[derive(Debug)]
struct Collection {
    v4: Blocks,
    v6: Blocks,
}

/// Blocks in the order of their addresses, a shorter one before the longer ones in it. Addresses
/// are the upper ends of 128 bits, so that both families are searched alike.
#[derive(Debug, Default)]
struct Blocks {
    firsts: Box<[u128]>,
    others: Box<[Block]>,
}

/// What belongs to a first address.
#[derive(Debug, Clone, Copy)]
struct Block {
    len: u8,
    /// The smallest block that it lies in; none has its own place.
    parent: u32,
    location: Key,
}

/// What a collection says of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    /// The location whose block is the longest that holds all of the client's network.
    pub(crate) location: Option<Key>,
    /// How many leading bits of the address other addresses have to share for the same to be found.
    pub(crate) scope: u8,
}

impl CidrCollections {
    /// None at all, for a World with this key.
    pub fn new(key: HashKey) -> Self {
        Self {
            key,
            by_key: Keyed::default(),
        }
    }

    /// The collection has these blocks now: address, bits and location of each.
    pub fn put<'l>(
        &mut self,
        collection: &str,
        blocks: impl IntoIterator<Item = (IpAddr, u8, &'l str)>,
    ) {
        let id = Key::of_collection(self.key, collection);
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (address, len, location) in blocks {
            let location = Key::of_location(self.key, id, location);
            let (to, first) = match address {
                IpAddr::V4(address) => (&mut v4, u128::from(address.to_bits()) << 96),
                IpAddr::V6(address) => (&mut v6, address.to_bits()),
            };
            to.push((first, len, location));
        }
        let (v4, v6) = (Blocks::of(v4), Blocks::of(v6));
        self.by_key.insert(id, Arc::new(Collection { v4, v6 }));
    }

    /// The collection is gone.
    pub fn remove(&mut self, collection: &str) {
        self.by_key
            .remove(&Key::of_collection(self.key, collection));
    }

    /// What the collection says of a client of whose address so many bits are known.
    pub(crate) fn find(&self, collection: Key, address: IpAddr, bits: u8) -> Found {
        let collection = self.by_key.get(&collection);
        let Some(Collection { v4, v6 }) = collection.map(|collection| &**collection) else {
            return Found {
                location: None,
                scope: 0,
            };
        };
        let (own, other, address) = match address {
            IpAddr::V4(address) => (v4, v6, u128::from(address.to_bits()) << 96),
            IpAddr::V6(address) => (v6, v4, address.to_bits()),
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

impl Blocks {
    fn of(mut blocks: Vec<(u128, u8, Key)>) -> Self {
        for (first, len, _) in &mut blocks {
            *len = (*len).min(128);
            *first &= mask(*len);
        }
        blocks.sort_unstable_by_key(|(first, len, _)| (*first, *len));
        blocks.dedup_by_key(|(first, len, _)| (*first, *len));
        let mut others: Vec<Block> = Vec::with_capacity(blocks.len());
        // The blocks that the next one may lie in, the smallest last.
        let mut open: Vec<usize> = Vec::new();
        for (place, (first, len, location)) in blocks.iter().enumerate() {
            while open
                .pop_if(|outer| !holds(blocks[*outer].0, blocks[*outer].1, *first))
                .is_some()
            {}
            others.push(Block {
                len: *len,
                parent: u32::try_from(*open.last().unwrap_or(&place)).unwrap_or(u32::MAX),
                location: *location,
            });
            open.push(place);
        }
        Self {
            firsts: blocks.iter().map(|(first, ..)| *first).collect(),
            others: others.into(),
        }
    }

    fn find(&self, address: u128, bits: u8) -> Found {
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
                        location: Some(block.location),
                        scope: scope.max(whole.unwrap_or(0)),
                    };
                }
            }
            let parent = usize::try_from(block.parent).ok();
            at = parent.filter(|parent| *parent != place);
        }
        Found {
            location: None,
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

    const KEY: HashKey = HashKey([21, 22]);

    fn collection(blocks: &[(u128, u8)]) -> CidrCollections {
        let mut collections = CidrCollections::new(KEY);
        let texts: Vec<String> = (0..blocks.len()).map(|place| place.to_string()).collect();
        let blocks = blocks.iter().zip(&texts);
        collections.put(
            "c",
            blocks.map(|((first, len), name)| (IpAddr::V6((*first).into()), *len, name.as_str())),
        );
        collections
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
            let collections = collection(&blocks);
            let id = Key::of_collection(KEY, "c");
            let address = (u128::from(address) << 120) & mask(bits);
            let found = collections.find(id, IpAddr::V6(address.into()), bits);
            let right = slow(&blocks, address, bits);
            let right = right.map(|place| Key::of_location(KEY, id, &place.to_string()));
            prop_assert_eq!(found.location, right);
        }

        #[test]
        fn everybody_inside_the_scope_is_at_the_same_location(
            blocks in blocks(), address in any::<u8>(), bits in 0..=10u8,
        ) {
            let collections = collection(&blocks);
            let id = Key::of_collection(KEY, "c");
            let find = |address: u8, bits| {
                let address = (u128::from(address) << 120) & mask(bits);
                collections.find(id, IpAddr::V6(address.into()), bits)
            };
            let found = find(address, bits);
            prop_assert!(found.scope <= 8);
            // Who tells fewer bits than the scope speaks for nobody else.
            if found.scope <= bits {
                let size = 1u16 << (8 - found.scope.min(8));
                let first = u16::from(address) & !(size - 1);
                for other in first..first + size {
                    for bits in found.scope.max(1)..=10 {
                        prop_assert_eq!(find(other as u8, bits).location, found.location);
                    }
                }
            }
        }
    }

    #[test]
    fn families_and_collections_are_apart() {
        let mut collections = CidrCollections::new(KEY);
        let blocks = ["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"].map(|text| {
            let (address, len) = text.split_once('/').unwrap();
            (address.parse().unwrap(), len.parse().unwrap(), text)
        });
        collections.put("c", blocks);
        let id = Key::of_collection(KEY, "c");
        let find = |collections: &CidrCollections, id, address: &str, bits| {
            let found = collections.find(id, address.parse().unwrap(), bits);
            (found.location, found.scope)
        };
        let at = |name| Some(Key::of_location(KEY, id, name));
        assert_eq!(
            find(&collections, id, "10.1.2.3", 32),
            (at("10.1.0.0/16"), 16)
        );
        assert_eq!(
            find(&collections, id, "10.1.0.0", 15),
            (at("10.0.0.0/8"), 16)
        );
        assert_eq!(
            find(&collections, id, "10.2.0.0", 32),
            (at("10.0.0.0/8"), 15)
        );
        assert_eq!(find(&collections, id, "10.0.0.0", 7), (None, 16));
        assert_eq!(find(&collections, id, "192.0.2.1", 32), (None, 1));
        assert_eq!(
            find(&collections, id, "2001:db8::1", 128),
            (at("2001:db8::/32"), 32)
        );
        let other = Key::of_collection(KEY, "d");
        assert_eq!(find(&collections, other, "10.1.2.3", 32), (None, 0));
        // Who lies in no block of the own family is still not everybody.
        collections.put("one", [("10.0.0.0".parse().unwrap(), 8, "ten")]);
        let one = Key::of_collection(KEY, "one");
        assert_eq!(find(&collections, one, "2001:db8::1", 128), (None, 1));
        collections.put("none", []);
        let none = Key::of_collection(KEY, "none");
        assert_eq!(find(&collections, none, "10.1.2.3", 32), (None, 0));
        collections.remove("c");
        assert_eq!(find(&collections, id, "10.1.2.3", 32), (None, 0));
    }
}
