//! Finding zones by the hash of their apex: two levels, copied on write.

use std::sync::Arc;

use meridian_dns::Name;
use meridian_model::Generation;

use crate::image::ZoneImage;

/// All zones. Cloning copies one pointer.
#[derive(Debug, Clone)]
pub(crate) struct Directory {
    chunks: Arc<[Chunk]>,
    zones: usize,
}

/// The zones of one range of hashes: a small open hash table.
type Chunk = Arc<[Slot]>;
pub(crate) type Slot = Option<(u64, Arc<ZoneImage>)>;

/// A place where the search for the zones with a hash starts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start<'a> {
    chunk: &'a [Slot],
    slot: usize,
    hash: u64,
}

/// The directory doubles when its chunks hold more than this many zones on average.
const FULL_CHUNK: usize = 256;

impl Directory {
    /// A directory of these zones.
    pub(crate) fn build(zones: Vec<Arc<ZoneImage>>) -> Self {
        let count = zones.len();
        let chunks = (count / FULL_CHUNK).next_power_of_two();
        let mut parts: Vec<Vec<Arc<ZoneImage>>> = (0..chunks).map(|_| Vec::new()).collect();
        for zone in zones {
            parts[chunk_of(zone.hash, chunks)].push(zone);
        }
        Self {
            chunks: parts.into_iter().map(build_chunk).collect(),
            zones: count,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.zones
    }

    /// Where the search for a hash starts.
    #[inline]
    pub(crate) fn start(&self, hash: u64) -> Start<'_> {
        let chunk = &self.chunks[chunk_of(hash, self.chunks.len())];
        let slot = first_slot(hash, chunk.len());
        Start { chunk, slot, hash }
    }

    /// The zones with this hash, the one that answers first first.
    #[inline]
    pub(crate) fn find(&self, hash: u64) -> impl Iterator<Item = &ZoneImage> {
        self.start(hash).zones()
    }

    /// The image of one zone, whose apex has this hash.
    pub(crate) fn image(
        &self,
        hash: u64,
        apex: &Name,
        generation: Generation,
    ) -> Option<&ZoneImage> {
        self.find(hash)
            .find(|zone| zone.meta.generation == generation && zone.meta.apex == *apex)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<ZoneImage>> {
        self.chunks
            .iter()
            .flat_map(|c| c.iter().flatten())
            .map(|(_, zone)| zone)
    }

    /// A directory with some zones taken out and others put in. A zone is taken out by hash and
    /// generation; a put one replaces its namesake of the same generation.
    pub(crate) fn changed(&self, out: &[&ZoneImage], put: &[Arc<ZoneImage>]) -> Self {
        let count = self.chunks.len();
        let mut chunks = self.chunks.to_vec();
        let out = out.iter().map(|zone| (*zone, None));
        let put = put.iter().map(|zone| (&**zone, Some(zone)));
        let mut changes: Vec<(&ZoneImage, Option<&Arc<ZoneImage>>)> = out.chain(put).collect();
        // By chunk, so that each zone of a chunk is compared with the changes of that chunk only.
        let place_of = |zone: &ZoneImage| chunk_of(zone.hash, count);
        changes.sort_by_key(|(zone, _)| place_of(zone));
        let mut zones = self.zones;
        for here in changes.chunk_by(|(a, _), (b, _)| place_of(a) == place_of(b)) {
            let chunk = &mut chunks[place_of(here[0].0)];
            let old = || chunk.iter().flatten().map(|(_, zone)| zone);
            let stays = |zone: &&Arc<ZoneImage>| !here.iter().any(|(other, _)| same(other, zone));
            let kept = old().filter(stays);
            let new: Vec<_> = kept
                .chain(here.iter().filter_map(|(_, zone)| *zone))
                .cloned()
                .collect();
            zones = zones - old().count() + new.len();
            *chunk = build_chunk(new);
        }
        if zones > count * FULL_CHUNK {
            return Self::build(
                chunks
                    .iter()
                    .flat_map(|c| c.iter().flatten())
                    .map(|(_, zone)| Arc::clone(zone))
                    .collect(),
            );
        }
        Self {
            chunks: chunks.into(),
            zones,
        }
    }
}

impl<'a> Start<'a> {
    /// What stands there.
    #[inline]
    pub(crate) fn slot(self) -> &'a Slot {
        &self.chunk[self.slot]
    }

    /// The zones with the hash, the one that answers first first.
    #[inline]
    pub(crate) fn zones(self) -> impl Iterator<Item = &'a ZoneImage> {
        let Self { chunk, slot, hash } = self;
        let (before, from) = chunk.split_at(slot);
        from.iter()
            .chain(before)
            .map_while(Option::as_ref)
            .filter(move |(other, _)| *other == hash)
            .map(|(_, zone)| &**zone)
    }
}

fn same(a: &ZoneImage, b: &ZoneImage) -> bool {
    a.meta.generation == b.meta.generation && a.meta.apex == b.meta.apex
}

fn build_chunk(mut zones: Vec<Arc<ZoneImage>>) -> Chunk {
    // Of zones with one name the older is met first.
    zones.sort_by_key(|zone| (zone.hash, zone.meta.created_at, zone.meta.generation));
    let len = zones.len() + zones.len() / 3 + 1;
    let mut slots: Vec<Slot> = vec![None; len];
    for zone in zones {
        let mut slot = first_slot(zone.hash, len);
        while slots[slot].is_some() {
            slot = if slot + 1 == len { 0 } else { slot + 1 };
        }
        slots[slot] = Some((zone.hash, zone));
    }
    slots.into()
}

#[inline]
fn chunk_of(hash: u64, chunks: usize) -> usize {
    // From the top bits; the low ones choose the slot.
    (((hash >> 32) * chunks as u64) >> 32) as usize
}

#[inline]
fn first_slot(hash: u64, len: usize) -> usize {
    (((hash & 0xffff_ffff) * len as u64) >> 32) as usize
}
