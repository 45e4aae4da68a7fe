//! What a process takes, as the kernel tells it.

use std::fs;

use anyhow::{Context, Result};

/// The kernel tells CPU time in these.
const TICKS_PER_SECOND: f64 = 100.0;

/// CPU time of this process, in seconds.
///
/// # Errors
/// When the kernel tells it otherwise than expected; so for all here.
pub fn cpu_s() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The name before may hold anything but this.
    let (_, fields) = stat.rsplit_once(") ").context("no fields")?;
    let ticks = fields.split(' ').skip(11).take(2);
    let ticks: Vec<f64> = ticks.map(str::parse).collect::<Result<_, _>>()?;
    Ok(ticks.iter().sum::<f64>() / TICKS_PER_SECOND)
}

/// Resident memory of this process, in bytes.
///
/// # Errors
/// As above.
pub fn resident() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(1024 * kilobytes.context("no VmRSS")?.parse::<u64>()?)
}

/// How many descriptors this process has open.
///
/// # Errors
/// As above.
pub fn descriptors() -> Result<usize> {
    Ok(fs::read_dir("/proc/self/fd")?.count())
}
