//! A page: nodes behind a small hash index, in one immutable block.
//!
//! ```text
//! page    slot u32 × slots · node…
//! slot    0, or the low byte of the name's hash · offset of the node in the page (24 bits)
//! ```
//! Numbers are little-endian. The upper half of the low 32 bits of the hash says where probing
//! starts; pages of one zone are told apart by its high bits.

use std::sync::Arc;

use meridian_dns::short::same;

use crate::hash::HashKey;
use crate::node::{NewNode, Node};

/// Nodes and their index.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    bytes: Arc<[u8]>,
    /// Beside the pointer, so that a slot's place is known before the page is near.
    slots: u32,
    /// In a segment: how many low bits of their page numbers its names have in common. Here
    /// because there is room.
    pub(crate) bits: u32,
}

const SLOT: usize = 4;
/// Bytes of a name with one or two sets.
const USUAL_NODE: usize = 64;

/// A place in a page where a node of a certain hash seems to be: its slot says so. Small enough
/// to be returned in registers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    page: &'a Page,
    slot: u32,
    offset: u32,
}

impl Page {
    /// A page of these nodes; `apex` is the hash of the zone's apex.
    pub(crate) fn build(key: HashKey, apex: u64, nodes: &[NewNode]) -> Self {
        let slots = nodes.len() + nodes.len() / 4 + 1;
        let count = u32::try_from(slots).expect("pages have far fewer");
        let index = slots * SLOT;
        let len = index + nodes.iter().map(NewNode::encoded_len).sum::<usize>();
        assert!(
            len < 1 << 24,
            "offsets have 24 bits; the caller splits pages long before"
        );
        let mut bytes = Vec::with_capacity(len);
        bytes.resize(index, 0);
        for node in nodes {
            let hash = key.below(apex, &node.labels);
            let offset = u32::try_from(bytes.len()).expect("checked above");
            node.write(&mut bytes);
            let mut slot = first_slot(hash, count) as usize;
            while bytes[slot * SLOT..][..SLOT] != [0; 4] {
                slot = if slot + 1 == slots { 0 } else { slot + 1 };
            }
            let entry = (tag(hash) << 24) | offset;
            bytes[slot * SLOT..][..SLOT].copy_from_slice(&entry.to_le_bytes());
        }
        Self {
            bytes: bytes.into(),
            slots: count,
            bits: 0,
        }
    }

    /// Its size in bytes.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether both are the same block, and not only of the same nodes.
    #[cfg(test)]
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.bytes, &other.bytes)
    }

    /// The place in the index where the search for a hash starts.
    #[inline]
    pub(crate) fn place(&self, hash: u64) -> &u8 {
        &self.bytes[first_slot(hash, self.slots) as usize * SLOT]
    }

    /// The first slot that fits the hash. Reads only the index.
    #[inline]
    pub(crate) fn probe(&self, hash: u64) -> Option<Candidate<'_>> {
        self.probe_from(first_slot(hash, self.slots), hash)
    }

    #[inline]
    fn probe_from(&self, start: u32, hash: u64) -> Option<Candidate<'_>> {
        let mut slot = start;
        // Ends at an empty slot, which every index has.
        loop {
            let entry = read_u32(&self.bytes, slot as usize * SLOT);
            if entry == 0 {
                return None;
            }
            if entry >> 24 == tag(hash) {
                return Some(Candidate {
                    page: self,
                    slot,
                    offset: entry & 0xff_ffff,
                });
            }
            slot = self.after(slot);
        }
    }

    #[inline]
    fn after(&self, slot: u32) -> u32 {
        if slot + 1 == self.slots { 0 } else { slot + 1 }
    }

    /// The node of this name; labels are in lower case.
    #[inline]
    pub(crate) fn find(&self, hash: u64, labels: &[u8]) -> Option<Node<'_>> {
        self.probe(hash)?.confirm(hash, labels)
    }

    /// All nodes, in no order that means anything.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        (0..self.slots as usize)
            .map(|slot| read_u32(&self.bytes, slot * SLOT))
            .filter(|&entry| entry != 0)
            .map(|entry| Node::read(&self.bytes[(entry & 0xff_ffff) as usize..]))
    }
}

impl<'a> Candidate<'a> {
    /// Where the node is, as far as most nodes reach.
    #[inline]
    pub(crate) fn place(&self) -> &'a [u8] {
        let node = &self.page.bytes[self.offset as usize..];
        &node[..node.len().min(USUAL_NODE)]
    }

    /// The node, if it is the one of this name; else whichever further slot leads to it.
    #[inline]
    pub(crate) fn confirm(self, hash: u64, labels: &[u8]) -> Option<Node<'a>> {
        self.confirm_by(hash, |own| same(own, labels))
    }

    /// As [`confirm`](Self::confirm), for labels in whatever case they were written.
    #[inline]
    pub(crate) fn confirm_as_written(self, hash: u64, labels: &[u8]) -> Option<Node<'a>> {
        self.confirm_by(hash, |own| own.eq_ignore_ascii_case(labels))
    }

    /// As [`confirm`](Self::confirm), for the wildcard with these labels behind its own.
    #[inline]
    pub(crate) fn confirm_wildcard(self, hash: u64, behind: &[u8]) -> Option<Node<'a>> {
        self.confirm_by(hash, |own| {
            own.strip_prefix(b"\x01*")
                .is_some_and(|own| same(own, behind))
        })
    }

    #[inline]
    fn confirm_by(self, hash: u64, is_it: impl Fn(&[u8]) -> bool) -> Option<Node<'a>> {
        let mut candidate = self;
        // Each turn moves on by a slot; an index always has an empty one.
        loop {
            let node = &candidate.page.bytes[candidate.offset as usize..];
            if let Some(node) = Node::read_if(node, &is_it) {
                return Some(node);
            }
            let next = candidate.page.after(candidate.slot);
            candidate = candidate.page.probe_from(next, hash)?;
        }
    }
}

#[inline]
fn first_slot(hash: u64, slots: u32) -> u32 {
    // The low 32 bits as a fraction of 2³², scaled to the number of slots.
    (((hash & 0xffff_ffff) * u64::from(slots)) >> 32) as u32
}

#[inline]
fn tag(hash: u64) -> u32 {
    // The low byte hardly takes part in the choice of the first slot.
    u32::try_from(hash & 0xff).expect("one byte")
}

#[inline]
fn read_u32(bytes: &[u8], at: usize) -> u32 {
    let word = bytes[at..]
        .first_chunk::<4>()
        .expect("inside a page that was built whole");
    u32::from_le_bytes(*word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node(i: usize) -> NewNode {
        let text = format!("h{i}");
        let mut labels = vec![u8::try_from(text.len()).unwrap()];
        labels.extend_from_slice(text.as_bytes());
        NewNode {
            labels: labels.into(),
            descendants: u32::try_from(i).unwrap(),
            types: 0,
            sets: Vec::new(),
            glue: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn what_is_put_in_is_found_and_nothing_else(count in 0usize..200, key in any::<[u64; 2]>()) {
            let key = HashKey(key);
            let apex = key.root();
            let nodes: Vec<NewNode> = (0..count).map(node).collect();
            let page = Page::build(key, apex, &nodes);
            for i in 0..count + 50 {
                let wanted = node(i);
                let found = page.find(key.below(apex, &wanted.labels), &wanted.labels);
                prop_assert_eq!(found.map(|n| n.descendants as usize), (i < count).then_some(i));
            }
            prop_assert_eq!(page.nodes().count(), count);
        }
    }
}
