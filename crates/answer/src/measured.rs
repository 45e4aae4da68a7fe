//! A latency map beside what a World is compiled with: record sets name regions by key, the map by
//! name.

use std::sync::Arc;

use meridian_atlas::{Latencies, LatencyMap, Located, MapScopes, Origin, RegionIndex};

use crate::hash::HashKey;
use crate::health::Key;
use crate::keyed::Keyed;

/// A map, and where it has regions.
#[derive(Debug)]
pub(crate) struct Measured {
    map: Arc<LatencyMap>,
    indices: Keyed<RegionIndex>,
}

impl Measured {
    pub(crate) fn new(key: HashKey, map: Arc<LatencyMap>) -> Self {
        let names = map.regions().iter();
        let indices = names.filter_map(|region| {
            let index = map.region(&region.name)?;
            Some((Key::of_region(key, &region.name), index))
        });
        let indices = indices.collect();
        Self { map, indices }
    }

    pub(crate) fn map(&self) -> &Arc<LatencyMap> {
        &self.map
    }

    /// What the map says of an address, beside where it has regions.
    #[inline]
    pub(crate) fn sight<'a>(&'a self, located: Located<'a>) -> Sight<'a> {
        Sight {
            scope: located.scope,
            told: located.latencies.map(|latencies| Told {
                indices: &self.indices,
                latencies,
            }),
        }
    }
}

/// What a map says of a client, which may be nothing, and how far around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sight<'a> {
    pub(crate) scope: MapScopes,
    pub(crate) told: Option<Told<'a>>,
}

/// The numbers for a client.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    indices: &'a Keyed<RegionIndex>,
    pub(crate) latencies: Latencies<'a>,
}

impl Told<'_> {
    /// How long it takes to a region and back, in milliseconds.
    #[inline]
    pub(crate) fn ms(&self, region: Key) -> Option<f64> {
        let index = *self.indices.get(&region)?;
        self.latencies.ms(index).map(f64::from)
    }

    /// Where that number comes from, if there is one.
    pub(crate) fn origin(&self, region: Key) -> Option<Origin> {
        let index = *self.indices.get(&region)?;
        self.latencies.step(index)?;
        Some(self.latencies.origin(index))
    }
}
