//! Making an image from an old one and the names that changed; whole ones come from a `draft`.
//!
//! A changed name touches its own node and the descendant counts of the names above it; the pages
//! of those are written anew, all others are shared with the old image.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::Arc;

use meridian_dns::{Name, RecordType};
use meridian_model::RecordSet;

use crate::compile::{Broken, CompileError, Home, compile};
use crate::draft::ZoneDraft;
use crate::glue;
use crate::hash::HashKey;
use crate::image::{
    DepthCounts, Lists, Masks, Pages, SEGMENTS, ZoneImage, ZoneMeta, count_labels, labels_below,
    segment_of,
};
use crate::listed::List;
use crate::node::{NewNode, Node, bit};
use crate::page::Page;
use crate::segment::{NewSegment, Segment, node_bytes};

/// A zone is one page up to this many bytes.
pub(crate) const MAX_BLOCK: usize = 16 * 1024;

impl ZoneImage {
    /// The image of a zone. `names` gives each name once, in lower case, with all its sets.
    ///
    /// # Errors
    /// When a record set cannot be turned into an answer and `broken` refuses that.
    pub fn build<'s>(
        key: HashKey,
        meta: ZoneMeta,
        names: impl IntoIterator<Item = (&'s Name, &'s [RecordSet])>,
        broken: Broken,
    ) -> Result<Self, CompileError> {
        let mut draft = ZoneDraft::new(key, &meta.zone, &meta.apex);
        for (name, sets) in names {
            draft.add(name, sets, broken)?;
        }
        Ok(Self::from_drafts(
            key,
            meta,
            vec![draft],
            NonZero::<usize>::MIN,
        ))
    }

    /// The image of these nodes, each of another name.
    pub(crate) fn from_nodes(key: HashKey, hash: u64, meta: ZoneMeta, nodes: Vec<NewNode>) -> Self {
        let mut masks = Masks::default();
        for node in &nodes {
            let (depth, what) = traits(&node.labels, node.types);
            masks.add(depth, what);
        }
        let pages = if node_bytes(&nodes) <= MAX_BLOCK {
            Pages::One(Page::build(key, hash, &nodes))
        } else {
            let mut counts = Box::new(DepthCounts([[0; 3]; 128]));
            for node in &nodes {
                count(&mut counts, &node.labels, node.types, 1);
            }
            let mut parts: [Vec<NewNode>; SEGMENTS] = std::array::from_fn(|_| Vec::new());
            for node in nodes {
                parts[segment_of(key.below(hash, &node.labels))].push(node);
            }
            let segments = parts.map(|nodes| Arc::new(Segment::build(key, hash, nodes)));
            Pages::Many(Arc::new(segments), counts)
        };
        Self::of_pages(hash, meta, masks, pages)
    }

    /// The same zone with these names' sets replaced; a name without sets is gone.
    ///
    /// # Errors
    /// When a record set cannot be turned into an answer; the old image is as good as before.
    pub fn with_names<'s>(
        &self,
        key: HashKey,
        last_changed: u64,
        names: impl IntoIterator<Item = (&'s Name, &'s [RecordSet])>,
    ) -> Result<Self, CompileError> {
        let mut change = Change::new(self, key);
        let home = Home {
            key,
            zone: &self.meta.zone,
            apex: &self.meta.apex,
            hash: self.hash,
        };
        let mut evaluating = List::of(self.evaluating());
        let mut leading_out = List::of(self.leading_out());
        for (name, sets) in names {
            if let Some(labels) = labels_below(name, &self.meta.apex) {
                let compiled = compile(home, sets, Broken::Refuse)?;
                evaluating.set(labels, compiled.evaluates);
                leading_out.set(labels, compiled.leads_out);
                change.set(labels, compiled.types, compiled.sets);
            }
        }
        let mut meta = self.meta.clone();
        meta.last_changed = last_changed;
        let image = change.finish(meta).with_log(self.log);
        let lists = Lists {
            evaluating: evaluating.finish(),
            leading_out: leading_out.finish(),
        };
        Ok(image.with_beside_of(self, lists))
    }

    /// The same zone, visible elsewhere.
    #[must_use]
    pub fn with_views(&self, views: u64) -> Self {
        let mut image = self.clone();
        image.meta.views = views;
        image
    }
}

/// The nodes that a change touches, as they will be.
struct Change<'a> {
    image: &'a ZoneImage,
    key: HashKey,
    touched: BTreeMap<Box<[u8]>, Touched>,
}

struct Touched {
    hash: u64,
    /// Its types before the change, if it existed.
    before: Option<u32>,
    node: NewNode,
}

impl Touched {
    fn stays(&self) -> bool {
        self.node.types != 0 || self.node.descendants > 0 || self.node.labels.is_empty()
    }
}

impl<'a> Change<'a> {
    fn new(image: &'a ZoneImage, key: HashKey) -> Self {
        Self {
            image,
            key,
            touched: BTreeMap::new(),
        }
    }

    fn touch(&mut self, labels: &[u8]) -> &mut NewNode {
        let (image, key) = (self.image, self.key);
        let touched = self.touched.entry(labels.into()).or_insert_with(|| {
            let hash = key.below(image.hash, labels);
            let found = image.find(hash, labels);
            Touched {
                hash,
                before: found.map(|node| node.types),
                node: found.map_or_else(|| empty(labels), NewNode::from),
            }
        });
        &mut touched.node
    }

    fn set(&mut self, labels: &[u8], types: u32, sets: Vec<u8>) {
        let node = self.touch(labels);
        let (had, has) = (node.types != 0, types != 0);
        (node.types, node.sets) = (types, sets);
        if had == has {
            return;
        }
        for above in above(labels) {
            let node = self.touch(above);
            node.descendants = if has {
                node.descendants.saturating_add(1)
            } else {
                node.descendants.saturating_sub(1)
            };
        }
    }

    /// The name as it will be.
    fn node(&self, labels: &[u8]) -> Option<Node<'_>> {
        match self.touched.get(labels) {
            Some(touched) => Some(touched.node.as_node()),
            None => self
                .image
                .find(self.key.below(self.image.hash, labels), labels),
        }
    }

    /// Collects the glue of the zones below anew whose servers' addresses may have changed: those
    /// at and above the names that did.
    fn collect_glue(&mut self) {
        let names = self.touched.keys();
        let around = names.flat_map(|labels| std::iter::once(&labels[..]).chain(above(labels)));
        let around: BTreeSet<&[u8]> = around.collect();
        let apex = &self.image.meta.apex;
        let collected = around.into_iter().filter_map(|labels| {
            let node = self.node(labels)?;
            let glue = glue::collect(&node, apex, |labels| self.node(labels));
            let before = self
                .touched
                .get(labels)
                .map_or_else(|| node.glue().as_bytes(), |touched| &touched.node.glue[..]);
            (glue != before).then(|| (labels.to_vec(), glue))
        });
        for (labels, glue) in collected.collect::<Vec<_>>() {
            self.touch(&labels).glue = glue;
        }
    }

    fn finish(mut self, meta: ZoneMeta) -> ZoneImage {
        self.collect_glue();
        let Self {
            image,
            key,
            touched,
        } = self;
        match &image.pages {
            Pages::One(page) => {
                let mut nodes = untouched(page, &touched);
                nodes.extend(touched.into_values().filter(Touched::stays).map(|t| t.node));
                ZoneImage::from_nodes(key, image.hash, meta, nodes)
            }
            Pages::Many(segments, counts) => {
                let mut counts = counts.clone();
                for touched in touched.values() {
                    if let Some(types) = touched.before {
                        count(&mut counts, &touched.node.labels, types, -1);
                    }
                    if touched.stays() {
                        count(&mut counts, &touched.node.labels, touched.node.types, 1);
                    }
                }
                let segments = rewrite(key, image.hash, segments, &touched);
                ZoneImage {
                    masks: counts.masks(),
                    pages: Pages::Many(Arc::new(segments), counts),
                    meta,
                    ..image.clone()
                }
            }
        }
    }
}

/// The segments with the touched pages written anew.
fn rewrite(
    key: HashKey,
    apex: u64,
    segments: &[Arc<Segment>; SEGMENTS],
    touched: &BTreeMap<Box<[u8]>, Touched>,
) -> [Arc<Segment>; SEGMENTS] {
    let mut parts: [Vec<&Touched>; SEGMENTS] = std::array::from_fn(|_| Vec::new());
    for touched in touched.values() {
        parts[segment_of(touched.hash)].push(touched);
    }
    let mut segments = segments.clone();
    for (segment, mut mine) in segments.iter_mut().zip(parts) {
        if mine.is_empty() {
            continue;
        }
        let stays = |touched: &&&Touched| touched.stays();
        let staying = mine.iter().filter(stays).map(|t| &t.node);
        let mut new = NewSegment::from(key, apex, segment, node_bytes(staying));
        mine.sort_by_key(|t| segment.first_place(t.hash));
        for mine in mine.chunk_by(|a, b| segment.first_place(a.hash) == segment.first_place(b.hash))
        {
            let mut nodes = untouched(segment.page(mine[0].hash), touched);
            nodes.extend(mine.iter().filter(stays).map(|t| t.node.clone()));
            new.put(segment.first_place(mine[0].hash), nodes);
        }
        *segment = Arc::new(new.finish());
    }
    segments
}

/// Nodes of a page that no change touches.
fn untouched(page: &Page, touched: &BTreeMap<Box<[u8]>, Touched>) -> Vec<NewNode> {
    let keep = |node: &Node<'_>| !touched.contains_key(node.labels);
    page.nodes().filter(keep).map(NewNode::from).collect()
}

fn empty(labels: &[u8]) -> NewNode {
    NewNode {
        labels: labels.into(),
        descendants: 0,
        types: 0,
        sets: Vec::new(),
        glue: Vec::new(),
    }
}

/// The names between `labels` and the apex, both left out.
pub(crate) fn above(labels: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::successors(parent(labels), |labels| parent(labels)).filter(|l| !l.is_empty())
}

fn parent(labels: &[u8]) -> Option<&[u8]> {
    let len = usize::from(*labels.first()?);
    Some(&labels[len + 1..])
}

pub(crate) fn count(counts: &mut DepthCounts, labels: &[u8], types: u32, by: i32) {
    let (depth, has) = traits(labels, types);
    for (count, has) in counts.0[depth].iter_mut().zip(has) {
        *count = count.saturating_add_signed(if has { by } else { 0 });
    }
}

/// How deep a name lies, and whether it counts as a name, a cut and a wildcard.
fn traits(labels: &[u8], types: u32) -> (usize, [bool; 3]) {
    let depth = count_labels(labels).min(127);
    let cut = depth > 0 && types & bit(RecordType::Ns) != 0;
    (depth, [true, cut, labels.starts_with(b"\x01*")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::segment::{self, MAX_PAGE};
    use meridian_model::{Generation, Timestamp, ZoneId};
    use proptest::prelude::*;

    const KEY: HashKey = HashKey([11, 12]);

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    fn set(owner: &Name, rtype: RecordType, value: &str) -> RecordSet {
        RecordSet::simple(owner.clone(), rtype, 60, vec![value.to_owned()])
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

    type Rows = BTreeMap<String, Vec<RecordSet>>;

    fn build(rows: &Rows) -> ZoneImage {
        let names: Vec<(Name, &Vec<RecordSet>)> = rows.iter().map(|(n, s)| (name(n), s)).collect();
        ZoneImage::build(
            KEY,
            meta(),
            names.iter().map(|(n, s)| (n, s.as_slice())),
            Broken::Refuse,
        )
        .unwrap()
    }

    /// Everything an image says, so that two can be compared however they were made.
    fn content(image: &ZoneImage) -> (BTreeMap<Vec<u8>, NewNode>, Masks) {
        let nodes = image
            .nodes()
            .map(|n| (n.labels.to_vec(), NewNode::from(n)))
            .collect();
        (nodes, image.masks)
    }

    fn row(text: &str, value: u8, cut: bool) -> (String, Vec<RecordSet>) {
        let owner = name(text);
        let set = if cut {
            let servers = ["ns.else.test", "b.z.test", &format!("a.{text}")];
            let servers = servers.map(str::to_owned).to_vec();
            RecordSet::simple(owner, RecordType::Ns, 60, servers)
        } else {
            set(&owner, RecordType::A, &format!("192.0.2.{value}"))
        };
        (text.to_owned(), vec![set])
    }

    #[test]
    fn names_between_are_there_without_sets() {
        let rows = Rows::from([row("a.b.c.z.test", 1, false), row("z.test", 2, false)]);
        let image = build(&rows);
        let labels = b"\x01b\x01c";
        let node = image.find(KEY.below(image.hash, labels), labels).unwrap();
        assert!(!node.has_sets());
        assert_eq!(node.descendants, 1);
        assert_eq!(image.masks.names, (0..4).collect());
        let gone = image
            .with_names(KEY, 2, [(&name("a.b.c.z.test"), &[][..])])
            .unwrap();
        assert_eq!(gone.masks.names, [0].into_iter().collect());
        assert_eq!(gone.nodes().count(), 1);
        assert_eq!(gone.meta().last_changed, 2);
    }

    #[test]
    fn a_large_zone_is_paged_and_says_the_same() {
        let rows: Rows = (0..5_000)
            .map(|i| row(&format!("h{i}.d{}.z.test", i % 50), 1, false))
            .collect();
        let image = build(&rows);
        assert!(matches!(image.pages, Pages::Many(..)));
        assert_eq!(image.nodes().count(), 5_000 + 50 + 1);
        for text in rows.keys() {
            let owner = name(text);
            let labels = labels_below(&owner, &image.meta.apex).unwrap();
            assert!(image.find(KEY.below(image.hash, labels), labels).is_some());
        }
        let Pages::Many(segments, _) = &image.pages else {
            panic!("said above");
        };
        let pages = segments.iter().flat_map(|segment| segment.pages());
        let largest = pages.map(Page::len).max().unwrap();
        assert!(largest <= 2 * MAX_PAGE, "{largest}");
    }

    /// Checks the segments of an image whose nodes never took more bytes at once.
    fn check_segments(image: &ZoneImage, bytes: usize) {
        if let Pages::Many(segments, _) = &image.pages {
            for segment in segments.iter() {
                segment::tests::check(segment, KEY, image.hash, bytes);
            }
        }
    }

    /// A name with one large set.
    fn large_row(number: u16, strings: usize) -> (Name, RecordSet) {
        let owner = name(&format!("h{number}.z.test"));
        let value = vec![format!("\"{}\"", "x".repeat(250)); strings].join(" ");
        let set = set(&owner, RecordType::Txt, &value);
        (owner, set)
    }

    #[test]
    fn names_with_large_sets_do_not_double_places_until_all_lie_apart() {
        let mut image = build(&Rows::new());
        for (name, set) in (0..1_500).map(|number| large_row(number, 12)) {
            image = image.with_names(KEY, 2, [(&name, &[set][..])]).unwrap();
        }
        let bytes: usize = image.nodes().map(|n| NewNode::from(n).encoded_len()).sum();
        assert!(bytes > 1_500 * 3_000, "{bytes}");
        let all = image.heap_bytes();
        assert!(all < bytes + bytes / 10, "{all} for {bytes}");
        check_segments(&image, bytes);
    }

    fn arbitrary_name() -> impl Strategy<Value = String> {
        let label = prop_oneof!["[a-c]", "\\*"];
        prop::collection::vec(label, 0..4).prop_map(|mut labels| {
            labels.push("z.test".to_owned());
            labels.join(".")
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
        #[test]
        fn a_changed_image_equals_one_built_from_the_changed_sets(
            bulk in prop_oneof![Just(0usize), Just(1500)],
            steps in prop::collection::vec(
                prop::collection::vec((arbitrary_name(), any::<u8>(), 0..3u8), 1..5), 1..20),
        ) {
            let mut rows: Rows = (0..bulk).map(|i| row(&format!("h{i}.z.test"), 1, false)).collect();
            let mut image = build(&rows);
            for step in steps {
                let mut changes = Rows::new();
                for (text, value, kind) in step {
                    let (text, sets) = row(&text, value, kind == 1);
                    changes.insert(text, if kind == 2 { Vec::new() } else { sets });
                }
                let names: Vec<(Name, Vec<RecordSet>)> =
                    changes.iter().map(|(n, s)| (name(n), s.clone())).collect();
                image = image.with_names(KEY, 2, names.iter().map(|(n, s)| (n, &s[..]))).unwrap();
                for (text, sets) in changes {
                    if sets.is_empty() { rows.remove(&text); } else { rows.insert(text, sets); }
                }
                prop_assert_eq!(content(&image), content(&build(&rows)));
            }
            check_segments(&image, 1 << 20);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]
        #[test]
        fn a_zone_that_grows_and_shrinks_by_large_sets_says_the_same(
            steps in prop::collection::vec((0..1000u16, 1..300u16, 0..12usize), 1..12),
        ) {
            let mut rows = Rows::new();
            let mut image = build(&rows);
            for (first, count, strings) in steps {
                let batch: Vec<_> = (first..first + count).map(|n| large_row(n, strings)).collect();
                // Nothing to say: the names go.
                let sets = |set| if strings == 0 { &[][..] } else { std::slice::from_ref(set) };
                let changes = batch.iter().map(|(name, set)| (name, sets(set)));
                image = image.with_names(KEY, 2, changes).unwrap();
                for (name, set) in &batch {
                    rows.insert(name.to_string(), sets(set).to_vec());
                }
                rows.retain(|_, sets| !sets.is_empty());
                check_segments(&image, 1300 * 3_500);
            }
            prop_assert_eq!(content(&image), content(&build(&rows)));
        }
    }
}
