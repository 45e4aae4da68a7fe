//! CIDR collections: from a client's network to the location that owns it, and how far around the
//! client that is so.

use std::net::IpAddr;
use std::sync::Arc;

use crate::blocks::{self, Blocks};
use crate::hash::HashKey;
use crate::health::Key;
use crate::keyed::Keyed;

/// All collections. A change of one makes a new map that shares the others.
#[derive(Debug, Clone)]
pub struct CidrCollections {
    key: HashKey,
    by_key: Keyed<Arc<Blocks<Key>>>,
}

/// What a collection says of a client: the location whose block is the longest that holds all of the
/// client's network.
pub(crate) type Found = blocks::Found<Key>;

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
        let blocks = blocks.into_iter();
        let blocks = blocks.map(|(address, len, location)| {
            let location = Key::of_location(self.key, id, location);
            (address, len, location)
        });
        self.by_key.insert(id, Arc::new(Blocks::of(blocks)));
    }

    /// The collection is gone.
    pub fn remove(&mut self, collection: &str) {
        self.by_key
            .remove(&Key::of_collection(self.key, collection));
    }

    /// What the collection says of a client of whose address so many bits are known.
    pub(crate) fn find(&self, collection: Key, address: IpAddr, bits: u8) -> Found {
        match self.by_key.get(&collection) {
            Some(blocks) => blocks.find(address, bits),
            None => Found {
                what: None,
                scope: 0,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: HashKey = HashKey([21, 22]);

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
            (found.what, found.scope)
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
