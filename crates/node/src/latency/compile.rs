//! One build: from what is known to a map that is checked as if somebody else had made it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use meridian_atlas::LatencyMap;
use meridian_latency::{BuildReport, Hysteresis, Making};

/// What a build found, for people and metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Built {
    pub(crate) build: u64,
    /// Seconds since 1970.
    pub(crate) made_s: u64,
    pub(crate) took: Duration,
    pub(crate) report: BuildReport,
}

/// A map, and the file of it.
pub(super) struct Compiled {
    pub(super) map: LatencyMap,
    pub(super) bytes: Vec<u8>,
    pub(super) built: Built,
}

/// Builds the map of this number.
pub(super) fn compile(
    making: &Making<'_>,
    hysteresis: &mut Hysteresis,
    build: u64,
) -> Result<Compiled> {
    let began = Instant::now();
    let (mut draft, report) = meridian_latency::build(making, hysteresis);
    // Higher than those of files that were refused, too.
    draft.build = build;
    let bytes = draft.write().context("the latency map cannot be written")?;
    let map = LatencyMap::read(&bytes);
    let map = map.context("the latency map that was written cannot be read, which is our fault")?;
    Ok(Compiled {
        map,
        bytes,
        built: Built {
            build,
            made_s: making.ground.now_s,
            took: began.elapsed(),
            report,
        },
    })
}
