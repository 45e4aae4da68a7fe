//! Where samples from elsewhere go in: whoever measures never waits for who builds maps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// The way in, and how much there was no room for.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    queue: SyncSender<Measured>,
    dropped: Arc<AtomicU64>,
}

impl Sink {
    /// Takes it at once, or says that there is no room.
    pub(crate) fn try_send(&self, measured: Measured) -> bool {
        let taken = self.queue.try_send(measured).is_ok();
        if !taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }

    /// How much there was no room for.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// A bounded queue, and the way into it.
pub(super) fn open() -> (Sink, Receiver<Measured>) {
    let (queue, taken) = sync_channel(QUEUE);
    let dropped = Arc::default();
    (Sink { queue, dropped }, taken)
}
