//! Timing what is done in this process: CPU time, in rounds, and a line for each. What is timed is
//! the business of those in `benches`.
#![expect(clippy::print_stdout, reason = "printing figures is what it is for")]

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// How often something is done to be timed.
pub const ROUNDS: usize = 9;

/// What this thread has taken of a processor: others' work is not ours.
///
/// # Panics
/// Never: no clock of CPU time is negative.
#[must_use]
pub fn cpu() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime)
        .try_into()
        .expect("no clock of CPU time is negative")
}

/// What comes of some work, and what it took of a processor.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = cpu();
    let made = work();
    (made, cpu() - started)
}

/// What so many pieces of work took each.
pub fn per(times: usize, work: impl FnOnce()) -> Duration {
    timed(work).1 / u32::try_from(times).unwrap_or(u32::MAX)
}

/// What each round tells of itself. A first one, which has everything to make, is passed over.
pub fn rounds(mut round: impl FnMut() -> Duration) -> Vec<Duration> {
    round();
    (0..ROUNDS).map(|_| round()).collect()
}

/// Prints the median, the least and the most of some rounds as a row of a table.
pub fn report(what: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let [least, .., most] = times[..] else {
        return;
    };
    let median = times[times.len() / 2];
    println!("| {what} | {median:?} | {least:?} | {most:?} |");
}
