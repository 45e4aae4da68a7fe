//! From a name to the zone that answers it and the place in that zone.
//!
//! The zone is the one with the longest apex that is visible in the view. Inside it cuts come
//! first, from the top, because what lies below one is not this zone's; then the name itself; then
//! the wildcard below the closest encloser (RFC 1034 section 4.3.2, RFC 4592).

use crate::ViewId;
use crate::depths::Depths;
use crate::directory::Start;
use crate::hash::HashKey;
use crate::image::ZoneImage;
use crate::near::Near;
use crate::node::Node;
use crate::page::{Candidate, Page};
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

/// The page that the first name that is looked for in a zone belongs to, and the name's hash. None
/// where no name of the zone is that deep.
pub(crate) type Sought<'w> = Option<(&'w Page, u64)>;

/// Asks for the slots of the directory where the zone of a name is looked for; gives the first.
#[inline]
pub(crate) fn approach_zone<'w>(
    world: &'w World,
    walk: &mut Walk,
    near: &impl Near,
) -> Option<Start<'w>> {
    let mut depths = apex_depths(world, walk.depth());
    let first = start(world, walk, depths.take_last()?, near);
    // More than a few lines at a time would push each other out.
    if let Some(depth) = depths.take_last() {
        start(world, walk, depth, near);
    }
    Some(first)
}

#[inline]
fn start<'w>(world: &'w World, walk: &mut Walk, depth: usize, near: &impl Near) -> Start<'w> {
    let start = world.zones.directory.start(walk.hash(world.key, depth));
    near.near(start.slot());
    start
}

/// The zone that a name probably belongs to, by hash alone. `first` is where
/// [`approach_zone`] says that it is looked for first.
#[inline]
pub(crate) fn hint<'w>(
    world: &'w World,
    walk: &mut Walk,
    first: Option<Start<'w>>,
) -> Option<&'w ZoneImage> {
    let there = first?.zones().next();
    there.or_else(|| hint_above(world, walk))
}

/// As [`hint`], for a name that has no zone at the place where it is looked for first.
#[inline(never)]
fn hint_above<'w>(world: &'w World, walk: &mut Walk) -> Option<&'w ZoneImage> {
    let mut depths = apex_depths(world, walk.depth());
    depths.take_last();
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
pub(crate) fn approach_node<'w>(
    world: &World,
    zone: &'w ZoneImage,
    walk: &mut Walk,
    near: &impl Near,
) -> Sought<'w> {
    near.near(zone.meta.apex.as_wire());
    let sought = sought(world, zone, walk);
    if let Some((page, hash)) = sought {
        near.near(page.place(hash));
    }
    sought
}

/// Makes sure of the hinted zone, or finds the right one, and asks for the node that the name
/// most probably needs.
#[inline]
pub(crate) fn settle<'w>(
    world: &'w World,
    view: ViewId,
    (hint, sought): (Option<&'w ZoneImage>, Sought<'w>),
    walk: &mut Walk,
    near: &impl Near,
) -> (Option<&'w ZoneImage>, Guess<'w>) {
    let Some(hinted) = hint else {
        // No apex has the hash of a suffix of the name.
        return (None, None);
    };
    let apex = hinted.meta.apex.as_wire();
    if !hinted.is_visible(view.0) || !same(apex, walk.suffix(hinted.apex_labels.into())) {
        let zone = zone(world, Scope::Public(view, None), walk, None);
        return (zone, zone.and_then(|zone| guess(world, zone, walk)));
    }
    let guess = sought.and_then(|(page, hash)| page.probe(hash));
    if let Some(candidate) = &guess {
        near.near(candidate.place());
    }
    (Some(hinted), guess)
}

/// Where the first name that is looked for in `zone` seems to be.
#[inline]
pub(crate) fn guess<'w>(world: &World, zone: &'w ZoneImage, walk: &mut Walk) -> Guess<'w> {
    let (page, hash) = sought(world, zone, walk)?;
    page.probe(hash)
}

/// The first name that is looked for in a zone: that of the highest possible cut, or the name
/// itself.
#[inline]
fn sought<'w>(world: &World, zone: &'w ZoneImage, walk: &mut Walk) -> Sought<'w> {
    let apex = usize::from(zone.apex_labels);
    // A hint may be wrong, but never by its depth.
    let depth = walk.depth().checked_sub(apex)?;
    let first = first_depth(zone, depth);
    if !zone.masks.names.has(first) {
        return None;
    }
    let hash = walk.hash(world.key, apex + first);
    Some((zone.page(hash), hash))
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
    let first = first_depth(zone, depth);
    let labels = apex + first;
    let node = guess.and_then(|guess| {
        // Only here: names deeper than those of the zone are not hashed to their end.
        let hash = walk.hash(world.key, labels);
        guess.confirm(hash, walk.labels(labels, apex))
    });
    match node {
        Some(node) if first == depth => here(zone, node, depth, parent_side),
        Some(node) if node.has(RecordType::Ns) => Place::Cut(node, labels),
        Some(_) => below(world, zone, walk, first, parent_side),
        // Names above others exist too, so nothing lies below what does not.
        None => encloser(world, zone, walk, (0, first)),
    }
}

/// Where a name leads at which this node is.
#[inline]
fn here<'w>(zone: &ZoneImage, node: Node<'w>, depth: usize, parent_side: bool) -> Place<'w> {
    if depth > 0 && !parent_side && node.has(RecordType::Ns) {
        Place::Cut(node, usize::from(zone.apex_labels) + depth)
    } else {
        Place::Node(node)
    }
}

/// Where a name leads that there may be cuts above, deeper than `known`: the depth of the highest
/// name that could have been one.
fn below<'w>(
    world: &World,
    zone: &'w ZoneImage,
    walk: &mut Walk,
    known: usize,
    parent_side: bool,
) -> Place<'w> {
    let depth = walk.depth() - usize::from(zone.apex_labels);
    let mut cuts = zone.masks.cuts.below(depth);
    cuts.take_first();
    let mut known = known;
    while let Some(at) = cuts.take_first() {
        match find(world, zone, walk, at) {
            Some(node) if node.has(RecordType::Ns) => return here(zone, node, at, false),
            Some(_) => known = at,
            None => return encloser(world, zone, walk, (known, at)),
        }
    }
    let exists = zone.masks.names.has(depth);
    match exists.then(|| find(world, zone, walk, depth)).flatten() {
        Some(node) => here(zone, node, depth, parent_side),
        None => encloser(world, zone, walk, (known, depth)),
    }
}

/// Where a name leads that does not exist: to the wildcard below its closest encloser, if any. That
/// lies at the depth `known` or below it, above `depth`.
fn encloser<'w>(
    world: &World,
    zone: &'w ZoneImage,
    walk: &mut Walk,
    (known, depth): (usize, usize),
) -> Place<'w> {
    let mut enclosers = zone.masks.names.below(depth);
    // Ends at what is known to exist at the latest, which is the apex if nothing else.
    while let Some(at) = enclosers.take_last() {
        if at <= known || find(world, zone, walk, at).is_some() {
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
    let hash = world.key.folded_child(above, b"*.......", 1);
    let behind = walk.labels(apex + depth, apex);
    zone.page(hash).probe(hash)?.confirm_wildcard(hash, behind)
}
