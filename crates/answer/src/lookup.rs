//! From a name to the zone that answers it and the place in that zone.
//!
//! The zone is the one with the longest apex that is visible in the view. Inside it cuts come
//! first, from the top, because what lies below one is not this zone's; then the name itself; then
//! the wildcard below the closest encloser (RFC 1034 section 4.3.2, RFC 4592).

use crate::ViewId;
use crate::image::ZoneImage;
use crate::node::{Node, bit};
use crate::walk::Walk;
use crate::world::World;
use meridian_dns::RecordType;

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

/// The zone that answers a name; none when it lies outside all zones of the view. With `above`
/// given, only zones whose apex has fewer labels.
#[inline]
pub(crate) fn zone<'w>(
    world: &'w World,
    view: ViewId,
    walk: &mut Walk,
    above: Option<usize>,
) -> Option<&'w ZoneImage> {
    let deepest = match above {
        Some(0) => return None,
        Some(labels) => walk.depth().min(labels - 1),
        None => walk.depth(),
    };
    let mut depths = world.apex_depths & (u128::MAX >> (127 - deepest));
    while depths != 0 {
        let depth = 127 - depths.leading_zeros() as usize;
        depths &= !(1 << depth);
        let hash = walk.hash(world.key, depth);
        let suffix = walk.suffix(depth);
        let found = world
            .directory
            .find(hash)
            .find(|zone| zone.is_visible(view.0) && zone.meta.apex.as_wire() == suffix);
        if found.is_some() {
            return found;
        }
    }
    None
}

/// A zone that the name probably belongs to, by hash alone: read long before it is needed, so that
/// it is near when [`zone`] looks closely.
#[inline]
pub(crate) fn hint<'w>(world: &'w World, walk: &mut Walk) -> Option<&'w ZoneImage> {
    let mut depths = world.apex_depths & (u128::MAX >> (127 - walk.depth()));
    while depths != 0 {
        let depth = 127 - depths.leading_zeros() as usize;
        depths &= !(1 << depth);
        let hash = walk.hash(world.key, depth);
        if let Some(zone) = world.directory.find(hash).next() {
            return Some(zone);
        }
    }
    None
}

/// Where a name that lies in `zone` leads. `parent_side` asks what the zone itself says about a
/// cut at this very name: that is how DS is asked (RFC 4035 section 3.1.4.1).
#[inline]
pub(crate) fn place<'w>(
    world: &World,
    zone: &'w ZoneImage,
    walk: &mut Walk,
    parent_side: bool,
) -> Place<'w> {
    let apex = usize::from(zone.apex_labels);
    let depth = walk.depth() - apex;
    let cut_depth = if parent_side { depth } else { depth + 1 };
    let mut cuts = zone.masks.cuts & below(cut_depth);
    while cuts != 0 {
        let at = cuts.trailing_zeros() as usize;
        cuts &= cuts - 1;
        if let Some(node) = find(world, zone, walk, at)
            && node.types & bit(RecordType::Ns) != 0
        {
            return Place::Cut(node, apex + at);
        }
    }
    if zone.has_depth(depth)
        && let Some(node) = find(world, zone, walk, depth)
    {
        return Place::Node(node);
    }
    let mut enclosers = zone.masks.names & below(depth);
    // Ends at the apex at the latest, which always exists.
    while enclosers != 0 {
        let at = 127 - enclosers.leading_zeros() as usize;
        enclosers &= !(1 << at);
        if at == 0 || find(world, zone, walk, at).is_some() {
            return wildcard(world, zone, walk, at).map_or(Place::Nothing, Place::Wildcard);
        }
    }
    Place::Nothing
}

/// Depths smaller than `depth`.
fn below(depth: usize) -> u128 {
    if depth >= 128 {
        u128::MAX
    } else {
        (1 << depth) - 1
    }
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
    if depth >= 127 || zone.masks.wildcards >> (depth + 1) & 1 == 0 {
        return None;
    }
    let apex = usize::from(zone.apex_labels);
    let above = walk.hash(world.key, apex + depth);
    let hash = world.key.child(above, b"*");
    let suffix = walk.labels(apex + depth, apex);
    let mut labels = [0; 257];
    labels[..2].copy_from_slice(b"\x01*");
    labels[2..2 + suffix.len()].copy_from_slice(suffix);
    zone.find(hash, &labels[..2 + suffix.len()])
}
