//! A zone on its way from record sets to an image: names are compiled as they come and lie one
//! after the other in one block, without an allocation for each.
//!
//! A large zone may come in several drafts, made by several threads from different names, and its
//! pages are then written by several threads. Changing an image is in `edit`.

use std::num::NonZero;
use std::sync::Arc;
use std::{panic, thread};

use meridian_dns::{Name, RecordType};
use meridian_model::{RecordSet, ZoneId};

use crate::compile::{Broken, CompileError, Compiled, Home, compile};
use crate::edit::{MAX_BLOCK, above, count};
use crate::glue::Addresses;
use crate::hash::HashKey;
use crate::image::{
    DepthCounts, Lists, Pages, SEGMENTS, ZoneImage, ZoneMeta, hash_of, labels_below, segment_of,
};
use crate::listed::{Listed, list};
use crate::node::{NewNode, Node, bit};
use crate::page::Page;
use crate::segment::{Segment, page_count, place_of};

/// Names of one zone, compiled. Names in order of their labels from the right, as a scan of the
/// tables gives them, take the least room; any order is right.
#[derive(Debug)]
pub struct ZoneDraft {
    key: HashKey,
    zone: ZoneId,
    apex: Name,
    hash: u64,
    items: Vec<u8>,
    /// The names with aliases that evaluate their targets' health.
    evaluating: Vec<Arc<[u8]>>,
    /// Those with aliases to host names elsewhere.
    leading_out: Vec<Arc<[u8]>>,
    /// Bytes that the nodes will take, with their places in an index.
    node_bytes: usize,
    /// Whether there may be glue.
    has_cuts: bool,
    above: Above,
}

/// The names between the last name and the apex, and how many names were counted below each.
#[derive(Debug, Default)]
struct Above {
    /// Labels of the lowest of them.
    labels: Vec<u8>,
    /// For each the bytes of its labels, which are the last of `labels`, and its count. The
    /// highest comes first.
    open: Vec<(usize, u32)>,
}

impl ZoneDraft {
    /// A draft without names, of the zone with this id and apex.
    pub fn new(key: HashKey, zone: &ZoneId, apex: &Name) -> Self {
        Self {
            key,
            zone: zone.clone(),
            apex: apex.clone(),
            hash: hash_of(key, apex),
            items: Vec::new(),
            evaluating: Vec::new(),
            leading_out: Vec::new(),
            node_bytes: 0,
            has_cuts: false,
            above: Above::default(),
        }
    }

    /// Adds a name with all its sets. Each name comes once, in lower case; one outside the zone is
    /// left out.
    ///
    /// # Errors
    /// When a record set cannot be turned into an answer and `broken` refuses that; the name is
    /// not in the draft then.
    pub fn add(
        &mut self,
        name: &Name,
        sets: &[RecordSet],
        broken: Broken,
    ) -> Result<(), CompileError> {
        let Some(labels) = labels_below(name, &self.apex) else {
            return Ok(());
        };
        let home = Home {
            key: self.key,
            zone: &self.zone,
            apex: &self.apex,
            hash: self.hash,
        };
        let Compiled {
            types,
            sets,
            evaluates,
            leads_out,
        } = compile(home, sets, broken)?;
        if evaluates == Listed::Yes {
            self.evaluating.push(labels.into());
        }
        if leads_out == Listed::Yes {
            self.leading_out.push(labels.into());
        }
        if types != 0 {
            self.has_cuts |= !labels.is_empty() && types & bit(RecordType::Ns) != 0;
            self.count_above(labels);
            self.push(labels, 0, types, &sets);
        }
        Ok(())
    }

    /// Counts a name for those above it.
    fn count_above(&mut self, labels: &[u8]) {
        let Some(lowest) = above(labels).next() else {
            return self.close(0);
        };
        let known = &self.above;
        let shared = known.open.iter().rposition(|&(len, _)| {
            let other = &known.labels[known.labels.len() - len..];
            std::iter::once(lowest)
                .chain(above(lowest))
                .any(|mine| mine == other)
        });
        let shared = shared.map_or(0, |place| place + 1);
        self.close(shared);
        let below = shared
            .checked_sub(1)
            .map_or(0, |last| self.above.open[last].0);
        let first_new = self.above.open.len();
        let new = std::iter::once(lowest).chain(above(lowest));
        let new = new.map(<[u8]>::len).take_while(|len| *len > below);
        self.above.open.extend(new.map(|len| (len, 0)));
        self.above.open[first_new..].reverse();
        self.above.labels.clear();
        self.above.labels.extend_from_slice(lowest);
        for (_, count) in &mut self.above.open {
            *count = count.saturating_add(1);
        }
    }

    /// Writes down the counts of all but the highest `keep` names above.
    fn close(&mut self, keep: usize) {
        if self.above.open.len() <= keep {
            return;
        }
        let labels = std::mem::take(&mut self.above.labels);
        for (len, count) in self.above.open.split_off(keep) {
            self.push(&labels[labels.len() - len..], count, 0, &[]);
        }
        self.above.labels = labels;
    }

    fn push(&mut self, labels: &[u8], descendants: u32, types: u32, sets: &[u8]) {
        let item = Item {
            hash: self.key.below(self.hash, labels),
            descendants,
            types,
            labels,
            sets,
        };
        item.write(&mut self.items);
        self.node_bytes += item.node_bytes();
    }
}

impl ZoneImage {
    /// The image of a zone whose names are in these drafts, which were made with the same key and
    /// apex. Pages of a large zone are written by up to `threads` threads; the image is the same
    /// for any number.
    pub fn from_drafts(
        key: HashKey,
        meta: ZoneMeta,
        mut drafts: Vec<ZoneDraft>,
        threads: NonZero<usize>,
    ) -> Self {
        let hash = hash_of(key, &meta.apex);
        if drafts.is_empty() {
            drafts.push(ZoneDraft::new(key, &meta.zone, &meta.apex));
        }
        for draft in &mut drafts {
            draft.close(0);
        }
        // Every zone has its apex.
        drafts[0].push(&[], 0, 0, &[]);
        let evaluating = drafts.iter_mut();
        let evaluating = list(evaluating.flat_map(|draft| draft.evaluating.drain(..)));
        let leading_out = drafts.iter_mut();
        let leading_out = list(leading_out.flat_map(|draft| draft.leading_out.drain(..)));
        Self::of_items(key, hash, meta, &drafts, threads).with_lists(Lists {
            evaluating,
            leading_out,
        })
    }

    fn of_items(
        key: HashKey,
        hash: u64,
        meta: ZoneMeta,
        drafts: &[ZoneDraft],
        threads: NonZero<usize>,
    ) -> Self {
        let size: usize = drafts.iter().map(|draft| draft.node_bytes).sum();
        let items = drafts.iter().flat_map(|draft| Items(&draft.items));
        let has_cuts = drafts.iter().any(|draft| draft.has_cuts);
        let all = items.clone().take_while(|_| has_cuts);
        let addresses = Addresses::among(all.map(|item| item.node()), &meta.apex);
        let home = Home {
            key,
            zone: &meta.zone,
            apex: &meta.apex,
            hash,
        };
        if size <= MAX_BLOCK {
            let nodes = nodes(home, &addresses, &mut items.collect::<Vec<_>>());
            return Self::from_nodes(key, hash, meta, nodes);
        }
        let mut parts: [Vec<Item<'_>>; SEGMENTS] = std::array::from_fn(|_| Vec::new());
        for item in items {
            parts[segment_of(item.hash)].push(item);
        }
        let mut counts = Box::new(DepthCounts([[0; 3]; 128]));
        let mut built = build_segments(home, &addresses, &parts, threads).into_iter();
        let segments = parts.each_ref().map(|_| {
            let (segment, own) = built.next().expect("one for each part");
            counts.add(&own);
            Arc::new(segment)
        });
        let masks = counts.masks();
        Self::of_pages(hash, meta, masks, Pages::Many(Arc::new(segments), counts))
    }
}

/// The segments of these items, in their order, and what is counted in each.
fn build_segments(
    home: Home<'_>,
    addresses: &Addresses<'_>,
    parts: &[Vec<Item<'_>>],
    threads: NonZero<usize>,
) -> Vec<(Segment, DepthCounts)> {
    let build = |parts: &[Vec<Item<'_>>]| -> Vec<_> {
        let segments = parts
            .iter()
            .map(|items| build_segment(home, addresses, items));
        segments.collect()
    };
    let share = parts.len().div_ceil(threads.get());
    thread::scope(|scope| {
        let (first, others) = parts.split_at(share.min(parts.len()));
        let running: Vec<_> = others
            .chunks(share)
            .map(|share| scope.spawn(move || build(share)))
            .collect();
        let mut built = build(first);
        for share in running {
            // A panic there is one here.
            built.extend(
                share
                    .join()
                    .unwrap_or_else(|cause| panic::resume_unwind(cause)),
            );
        }
        built
    })
}

fn build_segment(
    home: Home<'_>,
    addresses: &Addresses<'_>,
    items: &[Item<'_>],
) -> (Segment, DepthCounts) {
    let mut counts = DepthCounts([[0; 3]; 128]);
    let size: usize = items.iter().map(Item::node_bytes).sum();
    let pages = page_count(size);
    let mut parts: Vec<Vec<Item<'_>>> = Vec::new();
    parts.resize_with(pages, || {
        Vec::with_capacity(items.len() / pages * 3 / 2 + 1)
    });
    for item in items {
        parts[place_of(item.hash, pages)].push(*item);
    }
    let mut pages = Vec::with_capacity(pages);
    for items in &mut parts {
        let nodes = nodes(home, addresses, items);
        for node in &nodes {
            count(&mut counts, &node.labels, node.types, 1);
        }
        pages.push(Page::build(home.key, home.hash, &nodes));
    }
    (Segment::of_pages(pages), counts)
}

/// The nodes of these items: those of one name become one.
fn nodes(home: Home<'_>, addresses: &Addresses<'_>, items: &mut [Item<'_>]) -> Vec<NewNode> {
    items.sort_unstable_by(|a, b| a.hash.cmp(&b.hash).then_with(|| a.labels.cmp(b.labels)));
    let names = items.chunk_by(|a, b| a.hash == b.hash && a.labels == b.labels);
    let nodes = names.map(|items| {
        let own = items.iter().find(|item| item.types != 0);
        let own = own.unwrap_or(&items[0]);
        let descendants = items.iter().map(|item| item.descendants);
        NewNode {
            labels: own.labels.into(),
            descendants: descendants.fold(0, u32::saturating_add),
            types: own.types,
            sets: own.sets.to_vec(),
            glue: addresses.of(&own.node(), home.apex),
        }
    });
    nodes.collect()
}

/// What a draft says of a name: its sets, or how many names lie below it.
///
/// ```text
/// item    hash u64 · descendants u32 · types u32 · sets_len u32 · labels_len u8 · labels · sets
/// ```
#[derive(Debug, Clone, Copy)]
struct Item<'a> {
    hash: u64,
    descendants: u32,
    types: u32,
    labels: &'a [u8],
    sets: &'a [u8],
}

const ITEM_HEAD: usize = 21;

impl<'a> Item<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        let sets_len = u32::try_from(self.sets.len()).expect("17 sets of at most 64 KiB");
        out.extend_from_slice(&self.hash.to_le_bytes());
        out.extend_from_slice(&self.descendants.to_le_bytes());
        out.extend_from_slice(&self.types.to_le_bytes());
        out.extend_from_slice(&sets_len.to_le_bytes());
        out.push(u8::try_from(self.labels.len()).expect("names are at most 255 bytes"));
        out.extend_from_slice(self.labels);
        out.extend_from_slice(self.sets);
    }

    fn read(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (head, rest) = bytes.split_first_chunk::<ITEM_HEAD>()?;
        let [
            h @ ..,
            d0,
            d1,
            d2,
            d3,
            t0,
            t1,
            t2,
            t3,
            s0,
            s1,
            s2,
            s3,
            labels_len,
        ] = *head;
        let sets_len = u32::from_le_bytes([s0, s1, s2, s3]) as usize;
        let (labels, rest) = rest.split_at_checked(labels_len.into())?;
        let (sets, rest) = rest.split_at_checked(sets_len)?;
        let item = Self {
            hash: u64::from_le_bytes(h),
            descendants: u32::from_le_bytes([d0, d1, d2, d3]),
            types: u32::from_le_bytes([t0, t1, t2, t3]),
            labels,
            sets,
        };
        Some((item, rest))
    }

    /// What it says of the name's sets.
    fn node(&self) -> Node<'a> {
        Node::of_sets(self.labels, self.types, self.sets)
    }

    /// About the bytes of its node in a page, the place in the index included.
    fn node_bytes(&self) -> usize {
        11 + self.labels.len() + self.sets.len()
    }
}

/// The items of a draft, in turn.
#[derive(Clone)]
struct Items<'a>(&'a [u8]);

impl<'a> Iterator for Items<'a> {
    type Item = Item<'a>;

    fn next(&mut self) -> Option<Item<'a>> {
        let (item, rest) = Item::read(self.0)?;
        self.0 = rest;
        Some(item)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use meridian_model::{Generation, Timestamp};
    use proptest::prelude::*;

    use super::*;
    use crate::image::Masks;

    const KEY: HashKey = HashKey([13, 14]);

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn meta() -> ZoneMeta {
        ZoneMeta {
            zone: ZoneId::new("Z1").unwrap(),
            apex: name("z.test"),
            generation: Generation(1),
            created_at: Timestamp(0),
            views: 1,
            last_changed: 1,
        }
    }

    fn sets(owner: &Name) -> [RecordSet; 1] {
        let value = vec!["192.0.2.1".to_owned()];
        [RecordSet::simple(owner.clone(), RecordType::A, 60, value)]
    }

    fn draft<'n>(names: impl IntoIterator<Item = &'n Name>) -> ZoneDraft {
        let meta = meta();
        let mut draft = ZoneDraft::new(KEY, &meta.zone, &meta.apex);
        for name in names {
            draft.add(name, &sets(name), Broken::Refuse).unwrap();
        }
        draft
    }

    /// Everything an image says.
    fn content(image: &ZoneImage) -> (BTreeMap<Vec<u8>, NewNode>, Masks) {
        let nodes = image.nodes();
        let nodes: Vec<_> = nodes
            .map(|n| (n.labels.to_vec(), NewNode::from(n)))
            .collect();
        let count = nodes.len();
        let by_name = BTreeMap::from_iter(nodes);
        assert_eq!(by_name.len(), count, "each name is there once");
        (by_name, image.masks)
    }

    /// The image that changes of one name at a time lead to.
    fn step_by_step(names: &[Name]) -> ZoneImage {
        let nothing = ZoneImage::from_drafts(KEY, meta(), Vec::new(), NonZero::<usize>::MIN);
        names.iter().fold(nothing, |image, name| {
            let sets = sets(name);
            image.with_names(KEY, 1, [(name, &sets[..])]).unwrap()
        })
    }

    /// Labels that look like two of the others: where one ends matters.
    fn arbitrary_name() -> impl Strategy<Value = String> {
        let label = prop_oneof!["[a-c]", "\\*", Just("c\\001a".to_owned())];
        prop::collection::vec(label, 0..4).prop_map(|mut labels| {
            labels.push("z.test".to_owned());
            labels.join(".")
        })
    }

    proptest! {
        #[test]
        fn drafts_in_any_order_and_parts_give_what_single_changes_give(
            texts in prop::collection::btree_set(arbitrary_name(), 0..40),
            by_key in any::<bool>(), parts in 1..4usize,
        ) {
            let mut names: Vec<Name> = texts.iter().map(|text| name(text)).collect();
            if by_key {
                names.sort_by_key(Name::sort_key);
            }
            let drafts = names.chunks(names.len() / parts + 1).map(draft).collect();
            let image = ZoneImage::from_drafts(KEY, meta(), drafts, NonZero::<usize>::MIN);
            prop_assert_eq!(content(&image), content(&step_by_step(&names)));
        }
    }

    #[test]
    fn a_large_zone_is_the_same_from_any_number_of_drafts_and_threads() {
        let names: Vec<Name> = (0..3_000)
            .map(|i| name(&format!("h{i}.d{}.{}.z.test", i % 50, i % 3)))
            .collect();
        let whole = content(&step_by_step(&names));
        for (parts, threads) in [(1, 1), (2, 3), (7, 2), (3, 100)] {
            let drafts = names.chunks(names.len() / parts + 1).map(draft).collect();
            let threads = NonZero::new(threads).unwrap();
            let image = ZoneImage::from_drafts(KEY, meta(), drafts, threads);
            assert!(matches!(image.pages, Pages::Many(..)));
            assert_eq!(content(&image), whole);
            // The counts behind the masks are right too: they go on from here.
            let gone = names.iter().map(|name| (name, &[][..]));
            let empty = image.with_names(KEY, 2, gone).unwrap();
            assert_eq!(
                (empty.nodes().count(), empty.masks.names),
                (1, [0].into_iter().collect())
            );
        }
    }

    #[test]
    fn names_in_the_order_of_the_tables_take_no_room_for_repeated_counts() {
        let names: Vec<Name> = (0..100)
            .map(|i| name(&format!("h{i}.a.b.z.test")))
            .collect();
        let mut draft = draft(&names);
        draft.close(0);
        assert_eq!(Items(&draft.items).count(), 100 + 2);
    }
}
