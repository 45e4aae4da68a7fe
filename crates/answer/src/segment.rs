//! A segment: the pages of a thirty-second part of a large zone, by hash.
//!
//! A page that is full is split in two, and only that page. When the segment has no place for the
//! second half its places double: all other pages then stand at two places, until they are full
//! themselves. So no change writes more than the pages it touches and a list of places. Which
//! names a page gets is decided here; how they lie in it is in `page`.

use crate::hash::HashKey;
use crate::node::NewNode;
use crate::page::Page;

/// A page is split when it is larger than this and holds more than one node.
pub(crate) const MAX_PAGE: usize = 4 * 1024;
/// The most places of a segment: 24 bits of the hash tell pages apart.
const MAX_PLACES: usize = 1 << 24;
/// Places do not double beyond one for each so many bytes of nodes. Otherwise names with large
/// sets, of which two make a page full, would double them until all lie apart; so a page of such
/// names may be larger.
const BYTES_PER_PLACE: usize = MAX_PAGE / 8;

/// Some pages of a large zone: at the place with number n is the page of the names with n in the
/// low bits of their page number. Places are a power of two.
#[derive(Debug)]
pub(crate) struct Segment(Vec<Page>);

impl Segment {
    /// These pages, one for each place.
    pub(crate) fn of_pages(mut pages: Vec<Page>) -> Self {
        assert!(pages.len().is_power_of_two(), "the caller counts them so");
        let bits = pages.len().trailing_zeros();
        for page in &mut pages {
            page.bits = bits;
        }
        Self(pages)
    }

    /// A segment of these nodes.
    pub(crate) fn build(key: HashKey, apex: u64, nodes: Vec<NewNode>) -> Self {
        let nothing = Self::of_pages(vec![Page::build(key, apex, &[])]);
        let mut segment = NewSegment::from(key, apex, &nothing, node_bytes(&nodes));
        segment.put(0, nodes);
        segment.finish()
    }

    /// The page of the name with this hash.
    #[inline]
    pub(crate) fn page(&self, hash: u64) -> &Page {
        &self.0[place_of(hash, self.0.len())]
    }

    /// The first place of the page of the name with this hash: another for each page.
    pub(crate) fn first_place(&self, hash: u64) -> usize {
        place_of(hash, 1 << self.page(hash).bits)
    }

    /// The pages, each once.
    pub(crate) fn pages(&self) -> impl Iterator<Item = &Page> {
        let first = |(place, page): &(usize, &Page)| place >> page.bits == 0;
        self.0
            .iter()
            .enumerate()
            .filter(first)
            .map(|(_, page)| page)
    }

    /// The bytes it takes beside its own fields, for statistics.
    pub(crate) fn heap_bytes(&self) -> usize {
        let counts = 2 * size_of::<usize>();
        let pages: usize = self.pages().map(|page| page.len() + counts).sum();
        pages + self.0.len() * size_of::<Page>()
    }
}

/// A segment on its way from what it was to what a change makes of it.
pub(crate) struct NewSegment {
    key: HashKey,
    apex: u64,
    places: Vec<Page>,
    most_places: usize,
}

impl NewSegment {
    /// As `before`, to which come about so many bytes of nodes.
    pub(crate) fn from(key: HashKey, apex: u64, before: &Segment, more: usize) -> Self {
        let bytes: usize = before.pages().map(Page::len).sum();
        Self {
            key,
            apex,
            places: before.0.clone(),
            most_places: MAX_PLACES.min((bytes + more) / BYTES_PER_PLACE),
        }
    }

    /// Writes the page with this first place anew, of these nodes and in as many parts as needed.
    pub(crate) fn put(&mut self, first_place: usize, nodes: Vec<NewNode>) {
        self.put_at(first_place, self.places[first_place].bits, nodes);
    }

    /// At the places that have these low bits. Calls itself once for each bit of a place at most.
    fn put_at(&mut self, low: usize, bits: u32, nodes: Vec<NewNode>) {
        let full = nodes.len() > 1 && node_bytes(&nodes) > MAX_PAGE;
        if full && self.has_places_beyond(bits) {
            let (key, apex, next) = (self.key, self.apex, 1 << bits);
            let (zeros, ones) = nodes.into_iter().partition(|node| {
                let hash = key.below(apex, &node.labels);
                place_of(hash, MAX_PLACES) & next == 0
            });
            self.put_at(low, bits + 1, zeros);
            self.put_at(low | next, bits + 1, ones);
            return;
        }
        let mut page = Page::build(self.key, self.apex, &nodes);
        page.bits = bits;
        for place in self.places.iter_mut().skip(low).step_by(1 << bits) {
            *place = page.clone();
        }
    }

    /// Whether places differ in more than this many bits, if need be after doubling them.
    fn has_places_beyond(&mut self, bits: u32) -> bool {
        if self.places.len() == 1 << bits && self.places.len() * 2 <= self.most_places {
            self.places.extend_from_within(..);
        }
        self.places.len() > 1 << bits
    }

    pub(crate) fn finish(self) -> Segment {
        Segment(self.places)
    }
}

/// The bytes these nodes take in a page, about.
pub(crate) fn node_bytes<'n>(nodes: impl IntoIterator<Item = &'n NewNode>) -> usize {
    // A fifth of the places in the index of a page are empty.
    let bytes = nodes.into_iter().map(|node| node.encoded_len() + 5);
    bytes.sum()
}

/// How many pages a segment needs whose nodes take this many bytes.
pub(crate) fn page_count(bytes: usize) -> usize {
    // Pages are filled to half on average, so that few are over the limit by chance.
    (bytes / (MAX_PAGE / 2)).next_power_of_two().min(MAX_PLACES)
}

/// The place of a name among so many, a power of two.
#[inline]
pub(crate) fn place_of(hash: u64, places: usize) -> usize {
    let number = (hash >> 32) as usize;
    number & (places - 1)
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const KEY: HashKey = HashKey([15, 16]);
    const APEX: u64 = 17;

    /// Asserts that each page stands at all places that share its bits and nowhere else, with the
    /// names that belong there, and that there are not too many places for so many bytes.
    pub(crate) fn check(segment: &Segment, key: HashKey, apex: u64, bytes: usize) {
        let places = segment.0.len();
        assert!(places.is_power_of_two());
        assert!(places == 1 || places * 512 <= bytes, "{places}");
        for (place, page) in segment.0.iter().enumerate() {
            assert!(1 << page.bits <= places);
            let first = place & ((1 << page.bits) - 1);
            assert!(page.is(&segment.0[first]));
            for node in page.nodes() {
                let hash = key.below(apex, node.labels);
                assert_eq!(segment.first_place(hash), first);
            }
        }
        for (number, page) in segment.pages().enumerate() {
            let mut others = segment.pages().skip(number + 1);
            assert!(others.all(|other| !page.is(other)));
        }
    }

    /// A name of 252 bytes: fifteen fill a page.
    fn node(number: u32) -> NewNode {
        let label = format!("\x3e{number:062}");
        NewNode {
            labels: label.repeat(4).into_bytes().into(),
            descendants: number,
            types: 0,
            sets: Vec::new(),
            glue: Vec::new(),
        }
    }

    fn empty() -> Segment {
        Segment::build(KEY, APEX, Vec::new())
    }

    /// With or without the node of this number.
    fn changed(before: &Segment, number: u32, stays: bool) -> Segment {
        let node = node(number);
        let hash = KEY.below(APEX, &node.labels);
        let others = before.page(hash).nodes().map(NewNode::from);
        let mut nodes: Vec<NewNode> = others.filter(|other| other.labels != node.labels).collect();
        nodes.extend(stays.then_some(node));
        let mut new = NewSegment::from(KEY, APEX, before, node_bytes(&nodes));
        new.put(before.first_place(hash), nodes);
        new.finish()
    }

    fn numbers(segment: &Segment) -> Vec<u32> {
        let nodes = segment.pages().flat_map(Page::nodes);
        let mut numbers: Vec<u32> = nodes.map(|node| node.descendants).collect();
        numbers.sort_unstable();
        numbers
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]
        #[test]
        fn names_come_and_go_in_any_order(
            whole in 0..200u32,
            changes in prop::collection::vec((0..300u32, prop::bool::weighted(0.7)), 0..500),
        ) {
            let mut there: BTreeSet<u32> = (0..whole).collect();
            let mut segment = Segment::build(KEY, APEX, there.iter().copied().map(node).collect());
            for (number, stays) in changes {
                segment = changed(&segment, number, stays);
                if stays { there.insert(number); } else { there.remove(&number); }
                prop_assert_eq!(numbers(&segment), there.iter().copied().collect::<Vec<_>>());
            }
            check(&segment, KEY, APEX, 300 * 512);
        }
    }

    #[test]
    fn making_room_writes_only_the_page_that_is_full() {
        let (mut segment, mut doublings) = (empty(), 0);
        for number in 0..1_500 {
            let after = changed(&segment, number, true);
            let before = segment.0.len();
            doublings += usize::from(after.0.len() > before);
            let known = |page: &Page| segment.pages().any(|known| known.is(page));
            let written = after.pages().filter(|page| !known(page)).count();
            assert!((1..=6).contains(&written), "{written}");
            assert!(after.pages().all(|page| page.len() <= MAX_PAGE));
            segment = after;
        }
        assert!(doublings >= 6, "{doublings}");
        check(&segment, KEY, APEX, 1_500 * 300);
        assert_eq!(numbers(&segment), Vec::from_iter(0..1_500));
        for number in 0..1_500 {
            segment = changed(&segment, number, false);
        }
        check(&segment, KEY, APEX, 1_500 * 300);
        assert!(numbers(&segment).is_empty());
    }

    #[test]
    fn a_page_that_stands_at_many_places_counts_once() {
        let mut segment = empty();
        let mut shared = false;
        for number in 0..300 {
            segment = changed(&segment, number, true);
            let blocks: usize = segment.pages().map(|page| page.len() + 16).sum();
            let places = segment.0.len();
            assert_eq!(segment.heap_bytes(), blocks + places * 24);
            shared |= segment.pages().count() < places;
        }
        assert!(shared);
    }
}
