//! Where samples go: whoever builds maps takes them from there, and nobody here waits for that.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use meridian_latency::Sample;

/// How much waits for whoever takes it: some MiB at most, and more than comes in a minute.
const QUEUE: usize = 65_536;

/// Something that was measured.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Measured {
    /// Between a network of clients and a region.
    Sample(Sample),
    /// Between two regions.
    Between {
        from: Box<str>,
        to: Box<str>,
        rtt_us: u32,
    },
}

/// Takes what was measured.
pub(crate) trait SampleSink: Send + Sync {
    /// Takes it at once, or says that there is no room.
    fn try_send(&self, measured: Measured) -> bool;
}

impl SampleSink for SyncSender<Measured> {
    fn try_send(&self, measured: Measured) -> bool {
        Self::try_send(self, measured).is_ok()
    }
}

/// A bounded queue.
pub(crate) fn queue() -> (SyncSender<Measured>, Receiver<Measured>) {
    sync_channel(QUEUE)
}
