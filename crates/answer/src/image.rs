//! A zone as an immutable image: one page while it is small, a paged hash beyond.
//!
//! Looking up is in this file; making images is in `draft`, changing them in `edit`. How the pages
//! of a large zone are found and split is in `segment`.

use std::sync::Arc;

use meridian_dns::Name;
use meridian_model::{AccountId, Generation, Timestamp, VpcId, ZoneId};

use crate::depths::Depths;
use crate::hash::HashKey;
use crate::listed::Names;
use crate::node::Node;
use crate::page::Page;
use crate::segment::Segment;
use crate::traffic::Traffic;

/// The parts a large zone is divided into; each doubles its places by itself.
pub(crate) const SEGMENTS: usize = 32;

/// What identifies a zone and says where it is visible.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneMeta {
    /// Its id: how aliases of other zones find it.
    pub zone: ZoneId,
    /// The apex, in lower case.
    pub apex: Name,
    /// Under which number its record sets are stored: tells zones of one name apart.
    pub generation: Generation,
    /// Of two zones of one name in one view the older answers.
    pub created_at: Timestamp,
    /// Bit i: it is visible in the view with number i.
    pub views: u64,
    /// The journal's sequence number of its last change.
    pub last_changed: u64,
}

/// Whether queries are wanted by whoever logs single zones: those for a zone, or any in a World.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZoneLog {
    /// Nobody wants them.
    #[default]
    Off,
    /// They are logged.
    On,
}

/// A zone ready to be answered from.
#[derive(Debug, Clone)]
pub struct ZoneImage {
    pub(crate) meta: ZoneMeta,
    pub(crate) hash: u64,
    pub(crate) apex_labels: u8,
    pub(crate) masks: Masks,
    pub(crate) pages: Pages,
    pub(crate) traffic: Traffic,
    pub(crate) log: ZoneLog,
    /// None where there is nothing of it.
    pub(crate) beside: Option<Arc<Beside>>,
}

/// What few zones have. It stands apart, so that an image takes no more lines of memory for it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Beside {
    vpcs: Option<Arc<[VpcId]>>,
    /// Whose the zone is, where it has aliases to host names elsewhere.
    account: Option<AccountId>,
    lists: Lists,
}

/// The names of a zone by what their aliases are like; none where there are no such names.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lists {
    /// They evaluate the health of their targets.
    pub(crate) evaluating: Option<Names>,
    /// They point to host names elsewhere.
    pub(crate) leading_out: Option<Names>,
}

/// Which depths below the apex have something; bit 0 is the apex.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Masks {
    /// Depths at which names exist.
    pub(crate) names: Depths,
    /// Depths at which names other than the apex own NS sets.
    pub(crate) cuts: Depths,
    /// Depths at which wildcards stand.
    pub(crate) wildcards: Depths,
}

impl Masks {
    /// Adds a depth to those of names, of cuts and of wildcards, where there are such.
    pub(crate) fn add(&mut self, depth: usize, [names, cuts, wildcards]: [bool; 3]) {
        let masks = [&mut self.names, &mut self.cuts, &mut self.wildcards];
        for (mask, there) in masks.into_iter().zip([names, cuts, wildcards]) {
            if there {
                mask.insert(depth);
            }
        }
    }
}

/// Where the nodes are.
#[derive(Debug, Clone)]
pub(crate) enum Pages {
    /// All in one block.
    One(Page),
    /// By hash in segments, with the counts behind the masks.
    Many(Arc<[Arc<Segment>; SEGMENTS]>, Box<DepthCounts>),
}

/// How many names, cuts and wildcards there are at each depth of a large zone.
#[derive(Debug, Clone)]
pub(crate) struct DepthCounts(pub(crate) [[u32; 3]; 128]);

impl ZoneImage {
    /// What identifies it.
    pub fn meta(&self) -> &ZoneMeta {
        &self.meta
    }

    /// Whether queries for it are logged by themselves.
    pub fn log(&self) -> ZoneLog {
        self.log
    }

    /// The same zone, with its queries logged or not.
    #[must_use]
    pub fn with_log(self, log: ZoneLog) -> Self {
        Self { log, ..self }
    }

    /// Which VPCs see a private zone; none for a public one.
    pub fn vpcs(&self) -> Option<&[VpcId]> {
        self.beside.as_ref()?.vpcs.as_deref()
    }

    /// The same zone as a private one that these VPCs see, or as a public one.
    #[must_use]
    pub fn with_vpcs(self, vpcs: Option<Arc<[VpcId]>>) -> Self {
        let beside = self.beside_or_none();
        self.with_beside(Beside { vpcs, ..beside })
    }

    /// The same zone as one of this account. It is remembered only where it matters: resources are
    /// what the aliases of their own account go by.
    #[must_use]
    pub fn with_account(self, account: &AccountId) -> Self {
        let beside = self.beside_or_none();
        if beside.lists.leading_out.is_none() {
            return self;
        }
        let account = Some(account.clone());
        self.with_beside(Beside { account, ..beside })
    }

    /// Whose it is, if it has aliases to host names elsewhere.
    pub(crate) fn account(&self) -> Option<&AccountId> {
        self.beside.as_ref()?.account.as_ref()
    }

    /// The names with aliases that evaluate the health of their targets; none where there is none.
    pub(crate) fn evaluating(&self) -> Option<&Names> {
        self.beside.as_ref()?.lists.evaluating.as_ref()
    }

    /// The names with aliases to host names elsewhere; none where there is none.
    pub(crate) fn leading_out(&self) -> Option<&Names> {
        self.beside.as_ref()?.lists.leading_out.as_ref()
    }

    fn beside_or_none(&self) -> Beside {
        let beside = self.beside.as_deref();
        beside.map_or_else(Beside::default, Beside::clone)
    }

    /// The same zone with other such names.
    pub(crate) fn with_lists(self, lists: Lists) -> Self {
        let beside = self.beside_or_none();
        self.with_beside(Beside { lists, ..beside })
    }

    /// The same zone with all that `other` has beside its pages, but with these names.
    pub(crate) fn with_beside_of(self, other: &Self, lists: Lists) -> Self {
        let beside = other.beside_or_none();
        self.with_beside(Beside { lists, ..beside })
    }

    fn with_beside(self, beside: Beside) -> Self {
        let Lists {
            evaluating,
            leading_out,
        } = &beside.lists;
        let any = beside.vpcs.is_some() || evaluating.is_some() || leading_out.is_some();
        let beside = any.then(|| Arc::new(beside));
        Self { beside, ..self }
    }

    /// The image of these pages.
    pub(crate) fn of_pages(hash: u64, meta: ZoneMeta, masks: Masks, pages: Pages) -> Self {
        Self {
            apex_labels: u8::try_from(meta.apex.label_count()).expect("at most 127 labels"),
            meta,
            hash,
            masks,
            pages,
            traffic: Traffic::default(),
            log: ZoneLog::default(),
            beside: None,
        }
    }

    /// Whether it is visible in a view; in one of more than 63 nothing is.
    #[inline]
    pub(crate) fn is_visible(&self, view: u8) -> bool {
        self.meta.views.checked_shr(view.into()).unwrap_or(0) & 1 != 0
    }

    #[inline]
    pub(crate) fn page(&self, hash: u64) -> &Page {
        match &self.pages {
            Pages::One(page) => page,
            Pages::Many(segments, _) => segments[segment_of(hash)].page(hash),
        }
    }

    /// The node of the name with this hash and these labels below the apex.
    #[inline]
    pub(crate) fn find(&self, hash: u64, labels: &[u8]) -> Option<Node<'_>> {
        self.page(hash).find(hash, labels)
    }

    /// The apex; every zone has one.
    #[inline]
    pub(crate) fn apex(&self) -> Option<Node<'_>> {
        self.find(self.hash, &[])
    }

    /// All nodes of the zone, in no order that means anything.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        let pages: Vec<&Page> = match &self.pages {
            Pages::One(page) => vec![page],
            Pages::Many(segments, _) => segments.iter().flat_map(|s| s.pages()).collect(),
        };
        pages.into_iter().flat_map(Page::nodes)
    }

    /// The bytes it takes beside its own fields, for statistics.
    pub(crate) fn heap_bytes(&self) -> usize {
        let apex = self.meta.apex.as_wire().len();
        apex + match &self.pages {
            Pages::One(page) => page.len() + 16,
            Pages::Many(segments, _) => {
                let own: usize = segments.iter().map(|segment| segment.heap_bytes()).sum();
                own + size_of::<DepthCounts>() + SEGMENTS * 48
            }
        }
    }
}

impl DepthCounts {
    pub(crate) fn add(&mut self, other: &Self) {
        for (own, other) in self
            .0
            .as_flattened_mut()
            .iter_mut()
            .zip(other.0.as_flattened())
        {
            *own = own.saturating_add(*other);
        }
    }

    pub(crate) fn masks(&self) -> Masks {
        let mut masks = Masks::default();
        for (depth, counts) in self.0.iter().enumerate() {
            masks.add(depth, counts.map(|count| count > 0));
        }
        masks
    }
}

/// The segment of a name in a large zone.
#[inline]
pub(crate) fn segment_of(hash: u64) -> usize {
    (hash >> 59) as usize
}

/// The number of labels in wire form without the root label.
pub(crate) fn count_labels(labels: &[u8]) -> usize {
    let (mut at, mut count) = (0, 0);
    while at < labels.len() {
        at += usize::from(labels[at]) + 1;
        count += 1;
    }
    count
}

/// The labels of `name` below `apex`, lower case, without the root label; none if it lies
/// elsewhere.
pub(crate) fn labels_below<'n>(name: &'n Name, apex: &Name) -> Option<&'n [u8]> {
    let wire = name.as_wire();
    name.is_within(apex)
        .then(|| &wire[..wire.len() - apex.as_wire().len()])
}

/// The name with these labels below the apex of a zone.
pub(crate) fn name_of(zone: &ZoneImage, labels: &[u8]) -> Name {
    let wire = [labels, zone.meta.apex.as_wire()].concat();
    // Names that are stored can be read.
    Name::from_wire(&wire).unwrap_or_else(|_| Name::root())
}

/// The hash of an apex.
pub(crate) fn hash_of(key: HashKey, name: &Name) -> u64 {
    let wire = name.as_wire();
    key.below(key.root(), &wire[..wire.len() - 1])
}
