//! From a name to the zone that answers it and the place in that zone.
//!
//! The zone is the one with the longest apex that is visible in the view. Inside it cuts come
//! first, from the top, because what lies below one is not this zone's; then the name itself; then
//! the wildcard below the closest encloser (RFC 1034 section 4.3.2, RFC 4592).

use crate::ViewId;
use crate::depths::Depths;
use crate::hash::HashKey;
use crate::image::ZoneImage;
use crate::near::Near;
use crate::node::Node;
use crate::page::Candidate;
use crate::walk::Walk;
use crate::world::World;
use crate::zones::Zones;
use meridian_dns::RecordType;
use meridian_dns::short::same;

/// Where a name leads in its zone.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'w> {
    /// To a name that exists; without sets it only has names below it.
    Node(Node<'w>),
    /// To the sets of a wildcard, under the name asked for.
    Wildcard(Node<'w>),
    /// To the name servers of a zone below, whose apex has this many labels.
    Cut(Node<'w>, usize),
    /// Nowhere.
    Nothing,
}

/// Where the first name that is looked for in a zone seems to be, if its index has it.
pub(crate) type Guess<'w> = Option<Candidate<'w>>;

/// Among which zones a name is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scope<'w> {
    /// The public ones of this view; but names in these private ones are not theirs to answer.
    Public(ViewId, Option<&'w Zones>),
    /// The private ones that the client sees.
    Private(&'w Zones),
}

/// Asks for the slots of the directory where the zone of a name is looked for first.
#[inline]
pub(crate) fn approach_zone(world: &World, walk: &mut Walk, near: &impl Near) {
    let mut depths = apex_depths(world, walk.depth());
    // More than a few lines at a time would push each other out.
    for _ in 0..2 {
        let Some(depth) = depths.take_last() else {
            break;
        };
        near.near(world.zones.directory.place(walk.hash(world.key, depth)));
    }
}

/// The zone that a name probably belongs to, by hash alone.
#[inline]
pub(crate) fn hint<'w>(world: &'w World, walk: &mut Walk) -> Option<&'w ZoneImage> {
    let mut depths = apex_depths(world, walk.depth());
    while let Some(depth) = depths.take_last() {
        let hash = walk.hash(world.key, depth);
        if let Some(zone) = world.zones.directory.find(hash).next() {
            return Some(zone);
        }
    }
    None
}

/// Asks for the apex of the hinted zone, to be compared, and the place in its index where the
/// name is looked for first.
#[inline]
pub(crate) fn approach_node(world: &World, zone: &ZoneImage, walk: &mut Walk, near: &impl Near) {
    near.near(zone.meta.apex.as_wire());
    if let Some(hash) = first_hash(world, zone, walk) {
        near.near(zone.page(hash).place(hash));
    }
}

/// Makes sure of the hinted zone, or finds the right one, and asks for the node that the name
/// most probably needs.
#[inline]
pub(crate) fn settle<'w>(
    world: &'w World,
    view: ViewId,
    hint: Option<&'w ZoneImage>,
    walk: &mut Walk,
    near: &impl Near,
) -> (Option<&'w ZoneImage>, Guess<'w>) {
    let suffix = |labels: u8| walk.suffix(labels.into());
    let hinted = hint.filter(|zone| {
        zone.is_visible(view.0) && same(zone.meta.apex.as_wire(), suffix(zone.apex_labels))
    });
    let Some(settled) = hinted.or_else(|| zone(world, Scope::Public(view, None), walk, None))
    else {
        return (None, None);
    };
    let guess = guess(world, settled, walk);
    if let Some(candidate) = &guess {
        near.near(candidate.place());
    }
    (Some(settled), guess)
}

/// Where the first name that is looked for in `zone` seems to be.
#[inline]
pub(crate) fn guess<'w>(world: &World, zone: &'w ZoneImage, walk: &mut Walk) -> Guess<'w> {
    let hash = first_hash(world, zone, walk)?;
    zone.page(hash).probe(hash)
}

/// The hash of the first name that is looked for in a zone: that of the highest possible cut, or
/// the name itself. None where no name of the zone is that deep.
#[inline]
fn first_hash(world: &World, zone: &ZoneImage, walk: &mut Walk) -> Option<u64> {
    let apex = usize::from(zone.apex_labels);
    // A hint may be wrong, but never by its depth.
    let depth = walk.depth().checked_sub(apex)?;
    let first = first_depth(zone, depth);
    zone.masks
        .names
        .has(first)
        .then(|| walk.hash(world.key, apex + first))
}

#[inline]
fn first_depth(zone: &ZoneImage, depth: usize) -> usize {
    if zone.masks.cuts.is_empty() {
        return depth;
    }
    let mut cuts = zone.masks.cuts.below(depth);
    cuts.take_first().unwrap_or(depth)
}

/// The zone that answers a name; none when it lies outside all zones of the scope. With `above`
/// given, only zones whose apex has fewer labels.
pub(crate) fn zone<'w>(
    world: &'w World,
    scope: Scope<'w>,
    walk: &mut Walk,
    above: Option<usize>,
) -> Option<&'w ZoneImage> {
    match scope {
        Scope::Public(view, _) => {
            let is_visible = |zone: &ZoneImage| zone.is_visible(view.0);
            zone_of(world.key, &world.zones, walk, above, is_visible)
        }
        Scope::Private(zones) => zone_of(world.key, zones, walk, above, |_| true),
    }
}

#[inline]
fn zone_of<'w>(
    key: HashKey,
    zones: &'w Zones,
    walk: &mut Walk,
    above: Option<usize>,
    sees: impl Fn(&ZoneImage) -> bool,
) -> Option<&'w ZoneImage> {
    let deepest = match above {
        Some(0) => return None,
        Some(labels) => walk.depth().min(labels - 1),
        None => walk.depth(),
    };
    let mut depths = zones.apex_depths.below(deepest + 1);
    while let Some(depth) = depths.take_last() {
        let hash = walk.hash(key, depth);
        let suffix = walk.suffix(depth);
        let found = zones
            .directory
            .find(hash)
            .find(|zone| sees(zone) && zone.meta.apex.as_wire() == suffix);
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The depths at which some zone's apex lies, up to this one.
#[inline]
fn apex_depths(world: &World, deepest: usize) -> Depths {
    world.zones.apex_depths.below(deepest + 1)
}

/// Where a name that lies in `zone` leads, given its [`guess`]. `parent_side` asks what the zone
/// itself says about a cut at this very name: that is how DS is asked (RFC 4035 section 3.1.4.1).
#[inline]
pub(crate) fn place<'w>(
    world: &World,
    zone: &'w ZoneImage,
    walk: &mut Walk,
    guess: Guess<'w>,
    parent_side: bool,
) -> Place<'w> {
    let apex = usize::from(zone.apex_labels);
    let depth = walk.depth() - apex;
    let confirm = |walk: &mut Walk, at: usize| {
        let labels = apex + at;
        guess?.confirm(walk.hash(world.key, labels), walk.labels(labels, apex))
    };
    let first = first_depth(zone, depth);
    let mut node = confirm(walk, first);
    if first < depth {
        let mut cuts = zone.masks.cuts.below(depth);
        while let Some(at) = cuts.take_first() {
            if at > first {
                node = find(world, zone, walk, at);
            }
            if let Some(node) = node
                && node.has(RecordType::Ns)
            {
                return Place::Cut(node, apex + at);
            }
        }
        let exists = zone.masks.names.has(depth);
        node = exists.then(|| find(world, zone, walk, depth)).flatten();
    }
    match node {
        Some(node) if depth > 0 && !parent_side && node.has(RecordType::Ns) => {
            Place::Cut(node, apex + depth)
        }
        Some(node) => Place::Node(node),
        None => encloser(world, zone, walk, depth),
    }
}

/// Where a name leads that does not exist: to the wildcard below its closest encloser, if any.
fn encloser<'w>(world: &World, zone: &'w ZoneImage, walk: &mut Walk, depth: usize) -> Place<'w> {
    let mut enclosers = zone.masks.names.below(depth);
    // Ends at the apex at the latest, which always exists.
    while let Some(at) = enclosers.take_last() {
        if at == 0 || find(world, zone, walk, at).is_some() {
            return wildcard(world, zone, walk, at).map_or(Place::Nothing, Place::Wildcard);
        }
    }
    Place::Nothing
}

#[inline]
fn find<'w>(world: &World, zone: &'w ZoneImage, walk: &mut Walk, depth: usize) -> Option<Node<'w>> {
    let apex = usize::from(zone.apex_labels);
    let hash = walk.hash(world.key, apex + depth);
    zone.find(hash, walk.labels(apex + depth, apex))
}

/// The wildcard directly below the suffix that lies `depth` labels below the apex.
fn wildcard<'w>(
    world: &World,
    zone: &'w ZoneImage,
    walk: &mut Walk,
    depth: usize,
) -> Option<Node<'w>> {
    if !zone.masks.wildcards.has(depth + 1) {
        return None;
    }
    let apex = usize::from(zone.apex_labels);
    let above = walk.hash(world.key, apex + depth);
    let hash = world.key.child(above, b"*");
    let behind = walk.labels(apex + depth, apex);
    zone.page(hash).probe(hash)?.confirm_wildcard(hash, behind)
}
