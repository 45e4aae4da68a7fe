//! Glue: the addresses of a zone below's name servers whose names lie at or below the cut (RFC
//! 9471 section 2.1). They are kept with the cut, because a referral without them leads nowhere
//! and what lies below a cut is asked for nothing else.
//!
//! ```text
//! glue    record…
//! record  server u16 (its number in the NS set) · ttl u32 · len u8 · address (4 bytes: A, 16: AAAA)
//! ```
//! Numbers are little-endian. Where the bytes stand in a node is in `node`.

use std::collections::HashMap;

use meridian_dns::{Name, RecordType};

use crate::node::{Node, bit};
use crate::referral::ends_with;

const HEAD: usize = 7;
/// No message has room for more: a zone below with such glue is answered with TC.
const ENOUGH: usize = u16::MAX as usize;

/// The glue of a zone below, record by record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Glue<'a> {
    bytes: &'a [u8],
}

/// An address of a name server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Record<'a> {
    /// The number of the server in the NS set.
    pub(crate) server: usize,
    /// A or AAAA.
    pub(crate) rtype: RecordType,
    /// Seconds.
    pub(crate) ttl: u32,
    pub(crate) address: &'a [u8],
}

impl<'a> Glue<'a> {
    /// Reads what [`collect`] wrote.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    /// What [`collect`] wrote.
    pub(crate) fn as_bytes(self) -> &'a [u8] {
        self.bytes
    }
}

impl<'a> Iterator for Glue<'a> {
    type Item = Record<'a>;

    #[inline]
    fn next(&mut self) -> Option<Record<'a>> {
        let ([s0, s1, ttl @ .., len], rest) = self.bytes.split_first_chunk::<HEAD>()?;
        let (address, rest) = rest.split_at_checked(usize::from(*len))?;
        let rtype = match *len {
            4 => RecordType::A,
            _ => RecordType::Aaaa,
        };
        self.bytes = rest;
        Some(Record {
            server: u16::from_le_bytes([*s0, *s1]).into(),
            rtype,
            ttl: u32::from_le_bytes(*ttl),
            address,
        })
    }
}

/// Whether the node is the apex of a zone below.
pub(crate) fn is_cut(node: &Node<'_>) -> bool {
    !node.labels.is_empty() && node.has(RecordType::Ns)
}

/// The glue of a zone below; `find` gives the names of this zone by their labels below the apex.
pub(crate) fn collect<'n>(
    cut: &Node<'_>,
    apex: &Name,
    find: impl Fn(&[u8]) -> Option<Node<'n>>,
) -> Vec<u8> {
    let mut glue = Vec::new();
    for (number, labels) in servers(cut, apex) {
        let Some(server) = find(&labels) else {
            continue;
        };
        for rtype in [RecordType::A, RecordType::Aaaa] {
            let Some(set) = server.set(rtype) else {
                continue;
            };
            for address in set.rotated(0) {
                if glue.len() > ENOUGH {
                    return glue;
                }
                glue.extend_from_slice(&number.to_le_bytes());
                glue.extend_from_slice(&set.ttl.to_le_bytes());
                glue.push(u8::try_from(address.len()).expect("4 or 16"));
                glue.extend_from_slice(address);
            }
        }
    }
    glue
}

/// The servers of a zone below that need glue: the number of each in the NS set, and the labels of
/// its name below the apex of this zone.
fn servers(cut: &Node<'_>, apex: &Name) -> impl Iterator<Item = (u16, Vec<u8>)> {
    let set = Some(*cut)
        .filter(is_cut)
        .and_then(|cut| cut.set(RecordType::Ns));
    let names = set.into_iter().flat_map(|set| set.rotated(0));
    (0..).zip(names).filter_map(|(number, name)| {
        let below = name.len().checked_sub(apex.as_wire().len())?;
        let name = name.to_ascii_lowercase();
        let (labels, rest) = name.split_at(below);
        let is_below = rest == apex.as_wire() && ends_with(labels, cut.labels);
        is_below.then(|| (number, labels.to_vec()))
    })
}

/// The names of a zone that its glue is made of, by their labels below the apex.
pub(crate) struct Addresses<'a>(HashMap<Vec<u8>, Option<Node<'a>>>);

impl<'a> Addresses<'a> {
    /// Looks through all nodes of a zone, twice if there is glue in it.
    pub(crate) fn among(nodes: impl Iterator<Item = Node<'a>> + Clone, apex: &Name) -> Self {
        let needed = nodes.clone().flat_map(|cut| {
            let servers = servers(&cut, apex).map(|(_, labels)| (labels, None));
            servers.collect::<Vec<_>>()
        });
        let mut found: HashMap<_, _> = needed.collect();
        if !found.is_empty() {
            let addresses = bit(RecordType::A) | bit(RecordType::Aaaa);
            for node in nodes.filter(|node| node.types & addresses != 0) {
                if let Some(place) = found.get_mut(node.labels) {
                    *place = Some(node);
                }
            }
        }
        Self(found)
    }

    /// The glue of a node: none if it is not the apex of a zone below.
    pub(crate) fn of(&self, node: &Node<'_>, apex: &Name) -> Vec<u8> {
        if self.0.is_empty() {
            return Vec::new();
        }
        collect(node, apex, |labels| self.0.get(labels).copied().flatten())
    }
}

#[cfg(test)]
mod tests {
    use meridian_model::{Generation, RecordSet, Timestamp};

    use super::*;
    use crate::hash::HashKey;
    use crate::{Broken, ZoneImage, ZoneMeta};

    const KEY: HashKey = HashKey([15, 16]);

    fn set(owner: &str, rtype: RecordType, values: &[&str]) -> RecordSet {
        let owner = Name::parse(owner).unwrap();
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        RecordSet::simple(owner, rtype, 60, values)
    }

    fn image(sets: &[RecordSet]) -> ZoneImage {
        let meta = ZoneMeta {
            zone: meridian_model::ZoneId::new("Z1").unwrap(),
            apex: Name::parse("z.test").unwrap(),
            generation: Generation(1),
            created_at: Timestamp(0),
            views: 1,
            last_changed: 1,
        };
        let names = sets.chunk_by(|a, b| a.key.name == b.key.name);
        let names = names.map(|sets| (&sets[0].key.name, sets));
        ZoneImage::build(KEY, meta, names, Broken::Refuse).unwrap()
    }

    /// The glue of `d.z.test`: number of the server, type and last byte of the address.
    fn glue(image: &ZoneImage) -> Vec<(usize, RecordType, u8)> {
        let labels = b"\x01d";
        let node = image.find(KEY.below(image.hash, labels), labels).unwrap();
        let record = |record: Record<'_>| {
            assert_eq!(record.ttl, 60);
            (record.server, record.rtype, *record.address.last().unwrap())
        };
        node.glue().map(record).collect()
    }

    #[test]
    fn servers_at_and_below_the_cut_have_glue() {
        use RecordType::{A, Aaaa, Ns, Txt};
        let servers = [
            "x.test",
            "NS.D.z.test",
            "b.z.test",
            "d.z.test",
            "gone.d.z.test",
            "e.xd.z.test",
        ];
        let image = image(&[
            set("d.z.test", Ns, &servers),
            set("d.z.test", A, &["192.0.2.4"]),
            set("d.z.test", Txt, &["\"behind the NS set\""]),
            set("ns.d.z.test", A, &["192.0.2.1", "192.0.2.2"]),
            set("ns.d.z.test", Aaaa, &["2001:db8::3"]),
            set("other.d.z.test", A, &["192.0.2.9"]),
            set("b.z.test", A, &["192.0.2.9"]),
            set("e.xd.z.test", A, &["192.0.2.9"]),
        ]);
        assert_eq!(
            glue(&image),
            [(1, A, 1), (1, A, 2), (1, Aaaa, 3), (3, A, 4)]
        );
    }

    #[test]
    fn glue_follows_each_change_of_what_it_is_made_of() {
        use RecordType::{A, Ns};
        let name = |text| Name::parse(text).unwrap();
        let cut = [set("d.z.test", Ns, &["a.d.z.test", "a.b.d.z.test"])];
        let address = |value| [set("a.b.d.z.test", A, &[value])];
        let (first, second) = (address("192.0.2.1"), address("192.0.2.2"));
        let change = |image: &ZoneImage, owner, sets: &[RecordSet]| {
            image.with_names(KEY, 2, [(&name(owner), sets)]).unwrap()
        };
        let both = [&cut[..], &first].concat();
        let made = image(&both);
        assert_eq!(glue(&made), [(1, A, 1)]);
        let changed = change(&made, "a.b.d.z.test", &second);
        assert_eq!(glue(&changed), [(1, A, 2)]);
        assert_eq!(glue(&change(&changed, "a.b.d.z.test", &[])), []);
        let other = [set("d.z.test", Ns, &["a.b.d.z.test"])];
        assert_eq!(glue(&change(&changed, "d.z.test", &other)), [(0, A, 2)]);
        let no_cut = change(&changed, "d.z.test", &[set("d.z.test", A, &["192.0.2.3"])]);
        assert_eq!(glue(&no_cut), []);
        assert_eq!(glue(&change(&no_cut, "d.z.test", &cut)), [(1, A, 2)]);
    }

    #[test]
    fn more_glue_than_a_message_holds_is_cut_off_behind_that() {
        let addresses: Vec<String> = (0..4000).map(|i| format!("2001:db8::{i:x}")).collect();
        let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
        let image = image(&[
            set("d.z.test", RecordType::Ns, &["a.d.z.test"]),
            set("a.d.z.test", RecordType::Aaaa, &addresses[..2000]),
        ]);
        assert_eq!(glue(&image).len(), 2000);
        let servers = ["a.d.z.test", "b.d.z.test"];
        let image = self::image(&[
            set("d.z.test", RecordType::Ns, &servers),
            set("a.d.z.test", RecordType::Aaaa, &addresses[..2000]),
            set("b.d.z.test", RecordType::Aaaa, &addresses[2000..]),
        ]);
        let records = glue(&image).len();
        assert!((2340..4000).contains(&records), "{records}");
    }
}
