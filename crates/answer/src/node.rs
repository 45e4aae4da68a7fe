//! One name of a zone as bytes: its labels below the apex, what lies below it, its record sets.
//!
//! ```text
//! node    labels_len u8 · labels · descendants varint · types u32 · sets… · glue
//! set     type u8 (place in RecordType::ALL) · kind u8 · ttl u32 · count u16 · body_len u16 · body
//!         The five high bits of the kind go before those of body_len.
//! body    Even: record data of equal lengths, one after the other
//!         Uneven: each record's data behind its length, u16
//!         Unserved: nothing
//!         Group: the sets of a policy and aliases, see `route::group`; count is how many
//!         behind it, where the kind says so, for the NS set of a zone below: for each record
//!         whose u8 · labels_len u8 · hash u64
//! glue    where the types say so: glue_len u32 · see `glue`
//! ```
//! Numbers are little-endian; writing sets is in `compile`. The length of a node follows from its
//! parts: sets go on until the types they have are as many as the bitmap says.

use meridian_dns::RecordType;

use crate::glue::Glue;

/// How the body of a set is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Records of equal length.
    Even,
    /// Records of different lengths.
    Uneven,
    /// Stored but not answered: no answer can be made of it.
    Unserved,
    /// What is more than records: sets of a policy, aliases, a set with a health check.
    Group,
}

impl Kind {
    /// Whether the body holds nothing but records, so that there is no choice to be made.
    #[inline]
    pub(crate) fn is_plain(self) -> bool {
        matches!(self, Self::Even | Self::Uneven)
    }
}

pub(crate) const SET_HEAD: usize = 10;
/// The most bytes of a body: 16 bits of its length have a place of their own, five are with the
/// kind.
pub(crate) const MAX_BODY: usize = (1 << 21) - 1;
/// In the byte of the kind: the set is a group.
pub(crate) const GROUP: u8 = 3;
/// In the byte of the kind: there is a table of servers behind the records.
pub(crate) const WITH_SERVERS: u8 = 4;
/// An entry of that table.
pub(crate) const SERVER: usize = 10;
/// In the types: there is glue behind the sets.
const WITH_GLUE: u32 = 1 << 31;

/// A node inside a page.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    /// Labels below the apex, lower case, without the root label.
    pub(crate) labels: &'a [u8],
    /// How many names with record sets lie below it.
    pub(crate) descendants: u32,
    /// Bit i stands for `RecordType::ALL[i]`.
    pub(crate) types: u32,
    with_glue: bool,
    sets: &'a [u8],
}

impl<'a> Node<'a> {
    /// Reads the node at the start of `bytes`, which must be one this module wrote. What follows
    /// it may stay in the slice of sets: they are counted by `types`.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8]) -> Self {
        let (labels, rest) = bytes[1..].split_at(usize::from(bytes[0]));
        Self::read_behind(labels, rest)
    }

    #[inline]
    fn read_behind(labels: &'a [u8], rest: &'a [u8]) -> Self {
        let (descendants, rest) = match rest.split_first() {
            Some((&few, rest)) if few < 0x80 => (few.into(), rest),
            _ => read_varint(rest),
        };
        let (types, sets) = rest.split_first_chunk::<4>().expect("a node has its types");
        let types = u32::from_le_bytes(*types);
        Self {
            labels,
            descendants,
            types: types & !WITH_GLUE,
            with_glue: types & WITH_GLUE != 0,
            sets,
        }
    }

    /// A node of these sets that is in no page yet, so without its glue.
    pub(crate) fn of_sets(labels: &'a [u8], types: u32, sets: &'a [u8]) -> Self {
        Self {
            labels,
            descendants: 0,
            types,
            with_glue: false,
            sets,
        }
    }

    /// As [`read`](Self::read), if the labels are those that are looked for.
    #[inline]
    pub(crate) fn read_if(bytes: &'a [u8], are_they: impl Fn(&[u8]) -> bool) -> Option<Self> {
        let (len, rest) = bytes.split_first()?;
        let (own, rest) = rest.split_at_checked(usize::from(*len))?;
        are_they(own).then(|| Self::read_behind(own, rest))
    }

    /// Whether it has a set of this type.
    #[inline]
    pub(crate) fn has(&self, rtype: RecordType) -> bool {
        self.types & bit(rtype) != 0
    }

    /// Whether it owns any record set; a name without one only has names below it.
    pub(crate) fn has_sets(&self) -> bool {
        self.types != 0
    }

    /// The sets, in order of their types.
    #[inline]
    pub(crate) fn sets(&self) -> Sets<'a> {
        Sets {
            rest: self.sets,
            left: self.types.count_ones(),
        }
    }

    /// The set of this type.
    #[inline]
    pub(crate) fn set(&self, rtype: RecordType) -> Option<Set<'a>> {
        self.set_and_rest(rtype).map(|(set, _)| set)
    }

    /// The set of this type, and what follows it.
    #[inline]
    fn set_and_rest(&self, rtype: RecordType) -> Option<(Set<'a>, &'a [u8])> {
        if !self.has(rtype) {
            return None;
        }
        // Sets stand in the order of their bits, so those before it need not be looked at.
        let before = self.types & (bit(rtype) - 1);
        Set::read(rtype, skip(self.sets, before)?)
    }

    /// The NS set of a zone below, and its glue.
    #[inline]
    pub(crate) fn delegation(&self) -> Option<(Set<'a>, Glue<'a>)> {
        let (set, rest) = self.set_and_rest(RecordType::Ns)?;
        let behind = self.types & !(bit(RecordType::Ns) | (bit(RecordType::Ns) - 1));
        Some((set, self.glue_in(skip(rest, behind)?)))
    }

    /// The glue, out of what is behind the sets.
    #[inline]
    fn glue_in(&self, behind: &'a [u8]) -> Glue<'a> {
        let glue = behind.split_first_chunk::<4>().filter(|_| self.with_glue);
        let bytes = glue.and_then(|(len, rest)| rest.get(..u32::from_le_bytes(*len) as usize));
        Glue::read(bytes.unwrap_or_default())
    }

    /// The glue of a zone below.
    pub(crate) fn glue(&self) -> Glue<'a> {
        self.glue_in(&self.sets[self.set_bytes().len()..])
    }

    /// The bytes of its sets and nothing behind them.
    fn set_bytes(&self) -> &'a [u8] {
        let behind = skip(self.sets, self.types).unwrap_or_default();
        &self.sets[..self.sets.len() - behind.len()]
    }
}

/// What follows the sets of these types, which are the first.
#[inline]
fn skip(sets: &[u8], types: u32) -> Option<&[u8]> {
    let (mut rest, mut left) = (sets, types);
    // Counting bits takes longer than clearing the few there are, one for each set.
    while left != 0 {
        let (head, behind) = rest.split_first_chunk::<SET_HEAD>()?;
        rest = behind.get(body_len(head)..)?;
        left &= left - 1;
    }
    Some(rest)
}

/// The bit of a type in [`Node::types`].
pub(crate) const fn bit(rtype: RecordType) -> u32 {
    1 << rtype.place()
}

/// One set of a node.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Set<'a> {
    pub(crate) rtype: RecordType,
    pub(crate) kind: Kind,
    pub(crate) ttl: u32,
    pub(crate) count: usize,
    pub(crate) body: &'a [u8],
    servers: &'a [u8],
}

/// What has been found out beforehand about the name of a server of a zone below: it depends on
/// nothing that can change without the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) whose: Whose,
    /// Bytes of the name before the cut or the apex, whichever it ends with; 0 if it is others'.
    pub(crate) labels_len: usize,
    /// Of the name of a sibling; otherwise 0.
    pub(crate) hash: u64,
}

/// Where the name of a server lies; the number stands in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    /// At or below the cut: without its addresses a referral leads nowhere.
    Below = 0,
    /// Elsewhere in the zone, a sibling (RFC 9471 section 2.2): its addresses are a kindness.
    Sibling = 1,
    /// In another zone, which knows its addresses.
    Others = 2,
}

impl Server {
    pub(crate) fn write(&self, table: &mut Vec<u8>) {
        let labels_len = u8::try_from(self.labels_len).expect("names are at most 255 bytes");
        table.extend_from_slice(&[self.whose as u8, labels_len]);
        table.extend_from_slice(&self.hash.to_le_bytes());
    }

    #[inline]
    fn read([whose, labels_len, hash @ ..]: &[u8; SERVER]) -> Self {
        Self {
            whose: match whose {
                0 => Whose::Below,
                1 => Whose::Sibling,
                _ => Whose::Others,
            },
            labels_len: usize::from(*labels_len),
            hash: u64::from_le_bytes(*hash),
        }
    }
}

/// The length of the body behind the head of a set.
#[inline]
fn body_len([_, kind, .., l0, l1]: &[u8; SET_HEAD]) -> usize {
    u32::from_le_bytes([*l0, *l1, *kind >> 3, 0]) as usize
}

/// The head of a group of so many sets, but for its type; none if its body is too long.
pub(crate) fn group_head(count: usize, body_len: usize) -> Option<[u8; SET_HEAD - 1]> {
    let [c0, c1] = u16::try_from(count).ok()?.to_le_bytes();
    let [l0, l1, l2, _] = u32::try_from(body_len).ok()?.to_le_bytes();
    let fits = body_len <= MAX_BODY;
    fits.then_some([GROUP | l2 << 3, 0, 0, 0, 0, c0, c1, l0, l1])
}

impl<'a> Set<'a> {
    /// Reads the set at the start of `bytes`, of this type; and what follows it.
    #[inline]
    pub(crate) fn read(rtype: RecordType, bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, rest) = bytes.split_first_chunk::<SET_HEAD>()?;
        let (body, rest) = rest.split_at_checked(body_len(head))?;
        let [_, kind, t0, t1, t2, t3, c0, c1, ..] = *head;
        let count = usize::from(u16::from_le_bytes([c0, c1]));
        let servers = if kind & WITH_SERVERS == 0 {
            0
        } else {
            count * SERVER
        };
        let (body, servers) = body.split_at_checked(body.len().checked_sub(servers)?)?;
        let set = Self {
            rtype,
            kind: match kind & 3 {
                0 => Kind::Even,
                1 => Kind::Uneven,
                2 => Kind::Unserved,
                _ => Kind::Group,
            },
            ttl: u32::from_le_bytes([t0, t1, t2, t3]),
            count,
            body,
            servers,
        };
        Some((set, rest))
    }

    /// The data of its only record, if it has just one.
    #[inline]
    pub(crate) fn only(&self) -> Option<&'a [u8]> {
        (self.count == 1 && self.kind == Kind::Even).then_some(self.body)
    }

    /// The server of a zone below that the record with this number names.
    #[inline]
    pub(crate) fn server(&self, number: usize) -> Option<Server> {
        let (table, _) = self.servers.as_chunks::<SERVER>();
        table.get(number).map(Server::read)
    }

    /// The record data of each record, starting with the one at `first` (any number).
    #[inline]
    pub(crate) fn rotated(&self, first: usize) -> Rotated<'a> {
        // Both are at most 65,535; division is faster the fewer bits there are.
        let (first, each) = match (self.kind, self.count) {
            (Kind::Even, 2..) => {
                let [first, len, count] = [first, self.body.len(), self.count].map(|n| n as u32);
                ((first % count) as usize, (len / count) as usize)
            }
            _ => (0, self.body.len()),
        };
        Rotated {
            set: *self,
            each,
            at: first,
            left: if self.kind.is_plain() { self.count } else { 0 },
            rest: self.body,
        }
    }
}

/// The records of a set, in turn.
pub(crate) struct Rotated<'a> {
    set: Set<'a>,
    /// The length of each record's data, if they are even.
    each: usize,
    at: usize,
    left: usize,
    rest: &'a [u8],
}

impl Rotated<'_> {
    /// The number of the next record in the order of the set.
    #[inline]
    pub(crate) fn number(&self) -> usize {
        self.at
    }
}

impl<'a> Iterator for Rotated<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        self.left = self.left.checked_sub(1)?;
        if self.set.kind == Kind::Even {
            let (len, at) = (self.each, self.at * self.each);
            self.at = if self.at + 1 == self.set.count {
                0
            } else {
                self.at + 1
            };
            return self.set.body.get(at..at + len);
        }
        let (len, rest) = self.rest.split_first_chunk::<2>()?;
        let (data, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*len)))?;
        self.rest = rest;
        self.at += 1;
        Some(data)
    }
}

/// The sets of a node, in turn.
pub(crate) struct Sets<'a> {
    rest: &'a [u8],
    left: u32,
}

impl<'a> Iterator for Sets<'a> {
    type Item = Set<'a>;

    #[inline]
    fn next(&mut self) -> Option<Set<'a>> {
        self.left = self.left.checked_sub(1)?;
        let rtype = RecordType::ALL.get(usize::from(*self.rest.first()?))?;
        let (set, rest) = Set::read(*rtype, self.rest)?;
        self.rest = rest;
        Some(set)
    }
}

/// A node on its way into a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewNode {
    pub(crate) labels: Box<[u8]>,
    pub(crate) descendants: u32,
    pub(crate) types: u32,
    pub(crate) sets: Vec<u8>,
    pub(crate) glue: Vec<u8>,
}

impl NewNode {
    pub(crate) fn encoded_len(&self) -> usize {
        let glue = match self.glue.len() {
            0 => 0,
            len => 4 + len,
        };
        1 + self.labels.len() + varint_len(self.descendants) + 4 + self.sets.len() + glue
    }

    /// It as it will be read, but for its glue.
    pub(crate) fn as_node(&self) -> Node<'_> {
        Node::of_sets(&self.labels, self.types, &self.sets)
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.push(u8::try_from(self.labels.len()).expect("names are at most 255 bytes"));
        out.extend_from_slice(&self.labels);
        write_varint(out, self.descendants);
        let with_glue = if self.glue.is_empty() { 0 } else { WITH_GLUE };
        out.extend_from_slice(&(self.types | with_glue).to_le_bytes());
        out.extend_from_slice(&self.sets);
        if !self.glue.is_empty() {
            let len = u32::try_from(self.glue.len()).expect("`glue` writes less than 128 KiB");
            out.extend_from_slice(&len.to_le_bytes());
            out.extend_from_slice(&self.glue);
        }
    }
}

impl From<Node<'_>> for NewNode {
    fn from(node: Node<'_>) -> Self {
        Self {
            labels: node.labels.into(),
            descendants: node.descendants,
            types: node.types,
            sets: node.set_bytes().to_vec(),
            glue: node.glue().as_bytes().to_vec(),
        }
    }
}

fn read_varint(bytes: &[u8]) -> (u32, &[u8]) {
    let mut value = 0;
    for (place, byte) in bytes.iter().enumerate().take(5) {
        value |= u32::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return (value, &bytes[place + 1..]);
        }
    }
    (value, &[])
}

fn write_varint(out: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        out.push(0x80 | u8::try_from(value & 0x7f).expect("seven bits"));
        value >>= 7;
    }
    out.push(u8::try_from(value).expect("seven bits"));
}

fn varint_len(value: u32) -> usize {
    // Seven bits a byte, and one byte for zero.
    ((32 - value.leading_zeros()).div_ceil(7)).max(1) as usize
}

#[cfg(test)]
mod tests {
    use meridian_dns::Name;
    use meridian_model::{RecordSet, Routing, ZoneId};

    use super::*;
    use crate::compile::{Broken, CompileError, Home, compile};
    use crate::hash::HashKey;

    fn compile_here(sets: &[RecordSet], broken: Broken) -> Result<(u32, Vec<u8>), CompileError> {
        let (key, apex) = (HashKey([3, 4]), Name::parse("z").unwrap());
        let (hash, zone) = (
            crate::image::hash_of(key, &apex),
            ZoneId::new("Z1").unwrap(),
        );
        let home = Home {
            key,
            zone: &zone,
            apex: &apex,
            hash,
        };
        compile(home, sets, broken).map(|compiled| (compiled.types, compiled.sets))
    }

    fn set(rtype: RecordType, values: &[&str]) -> RecordSet {
        RecordSet::simple(
            Name::parse("a.z").unwrap(),
            rtype,
            300,
            values.iter().map(|v| (*v).to_owned()).collect(),
        )
    }

    fn node(sets: &[RecordSet], descendants: u32) -> Vec<u8> {
        let (types, sets) = compile_here(sets, Broken::Refuse).unwrap();
        let new = NewNode {
            labels: Box::from(&b"\x01a"[..]),
            descendants,
            types,
            sets,
            glue: Vec::new(),
        };
        let mut bytes = Vec::new();
        new.write(&mut bytes);
        assert_eq!(bytes.len(), new.encoded_len());
        bytes.extend_from_slice(b"what follows");
        bytes
    }

    #[test]
    fn sets_come_back_in_order_of_types_and_records_in_turn() {
        let sets = [
            set(RecordType::Txt, &["\"x\"", "\"longer\""]),
            set(RecordType::A, &["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
        ];
        for descendants in [0, 1, 127, 128, 1 << 20, u32::MAX] {
            let bytes = node(&sets, descendants);
            let node = Node::read(&bytes);
            assert_eq!(node.labels, b"\x01a");
            assert_eq!(node.descendants, descendants);
            let kinds: Vec<_> = node
                .sets()
                .map(|s| (s.rtype, s.kind, s.count, s.ttl))
                .collect();
            assert_eq!(
                kinds,
                [
                    (RecordType::A, Kind::Even, 3, 300),
                    (RecordType::Txt, Kind::Uneven, 2, 300)
                ]
            );
            let a = node.set(RecordType::A).unwrap();
            let last: Vec<u8> = a.rotated(5).map(|data| data[3]).collect();
            assert_eq!(last, [3, 1, 2]);
            let txt = node.set(RecordType::Txt).unwrap();
            let texts: Vec<&[u8]> = txt.rotated(1).collect();
            assert_eq!(texts, [b"\x01x".as_slice(), b"\x06longer"]);
            assert!(node.set(RecordType::Aaaa).is_none());
            assert_eq!(
                NewNode::from(node).sets,
                compile_here(&sets, Broken::Refuse).unwrap().1
            );
        }
    }

    #[test]
    fn a_group_however_long_has_no_records_of_its_own_and_hides_none() {
        let sets = |count: usize, values: usize| {
            (0..count).map(move |number| {
                let values: Vec<String> = (0..values)
                    .map(|value| format!("2001:db8::{number:x}:{value:x}"))
                    .collect();
                let name = Name::parse("a.z").unwrap();
                let mut weighted = RecordSet::simple(name, RecordType::Aaaa, 60, values);
                weighted.routing = Routing::Weighted(3);
                weighted.key.set_identifier = Some(number.to_string());
                weighted
            })
        };
        for (count, values) in [(1, 1), (3, 2), (100, 400)] {
            let mut sets: Vec<RecordSet> = sets(count, values).collect();
            sets.push(set(RecordType::Txt, &["\"x\""]));
            let bytes = node(&sets, 0);
            let node = Node::read(&bytes);
            let group = node.set(RecordType::Aaaa).unwrap();
            assert_eq!((group.kind, group.count), (Kind::Group, count));
            assert_eq!((group.rotated(0).count(), group.only()), (0, None));
            assert!(group.body.len() > count * values * 16);
            assert!(node.set(RecordType::Txt).is_some());
        }
    }

    #[test]
    fn sets_of_one_name_that_are_too_many_to_be_kept_are_unserved() {
        let set = |number: usize| {
            let values = (0..400).map(|i| format!("\"{i}{}\"", "x".repeat(100)));
            let name = Name::parse("a.z").unwrap();
            let mut set = RecordSet::simple(name, RecordType::Txt, 60, values.collect());
            set.routing = Routing::Weighted(3);
            set.key.set_identifier = Some(number.to_string());
            set
        };
        let sets: Vec<RecordSet> = (0..50).map(set).collect();
        let (types, bytes) = compile_here(&sets, Broken::Refuse).unwrap();
        let kinds: Vec<Kind> = Node::of_sets(b"", types, &bytes)
            .sets()
            .map(|s| s.kind)
            .collect();
        assert_eq!(kinds, [Kind::Unserved]);
    }

    #[test]
    fn a_value_without_a_wire_form_names_its_set() {
        let sets = [
            set(RecordType::A, &["nonsense"]),
            set(RecordType::Txt, &["\"x\""]),
        ];
        let error = compile_here(&sets, Broken::Refuse).unwrap_err();
        assert!(error.to_string().starts_with("[name='a.z.', type='A']: "));
        let (types, sets) = compile_here(&sets, Broken::Unserved).unwrap();
        let mut bytes = Vec::new();
        let labels = Box::from(&b"\x01a"[..]);
        let descendants = 0;
        NewNode {
            labels,
            descendants,
            types,
            sets,
            glue: Vec::new(),
        }
        .write(&mut bytes);
        let kinds: Vec<Kind> = Node::read(&bytes).sets().map(|set| set.kind).collect();
        assert_eq!(kinds, [Kind::Unserved, Kind::Even]);
    }

    #[test]
    fn the_servers_of_a_zone_below_are_known_beforehand() {
        let values = ["Ns.a.Z", "x.z", "out.example", "a.z", "ns.b.z"];
        for values in [&values[..], &["n1.a.z", "n2.b.z", "n3.c.y"], &["a.z"]] {
            let bytes = node(&[set(RecordType::Ns, values)], 0);
            let set = Node::read(&bytes).set(RecordType::Ns).unwrap();
            for first in 0..4 {
                let mut records = set.rotated(first);
                for _ in values {
                    let number = records.number();
                    let name = Name::from_wire(records.next().unwrap()).unwrap();
                    assert_eq!(name.to_string(), format!("{}.", values[number]));
                    let name = name.to_lowercase();
                    let hash = crate::image::hash_of(HashKey([3, 4]), &name);
                    let len = name.as_wire().len();
                    let (whose, suffix, hash) = match name.to_string() {
                        text if text.ends_with("a.z.") => {
                            (Whose::Below, b"\x01a\x01z\x00".len(), 0)
                        }
                        text if text.ends_with(".z.") => (Whose::Sibling, b"\x01z\x00".len(), hash),
                        _ => (Whose::Others, len, 0),
                    };
                    let labels_len = len - suffix;
                    let server = Server {
                        whose,
                        labels_len,
                        hash,
                    };
                    assert_eq!(set.server(number), Some(server), "{name}");
                }
                assert_eq!((records.next(), set.server(values.len())), (None, None));
            }
        }
    }
}
