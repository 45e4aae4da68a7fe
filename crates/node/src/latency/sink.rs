//! Where samples from elsewhere go in: whoever measures never waits for who builds maps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};

use crate::beacon::{Measured, SampleSink, queue};

/// The way in, and how much there was no room for.
#[derive(Debug, Clone)]
pub(crate) struct Sink {
    queue: SyncSender<Measured>,
    dropped: Arc<AtomicU64>,
}

impl Sink {
    /// How much there was no room for.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl SampleSink for Sink {
    fn try_send(&self, measured: Measured) -> bool {
        let taken = self.queue.try_send(measured).is_ok();
        if !taken {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        taken
    }
}

/// A bounded queue, and the way into it.
pub(super) fn open() -> (Sink, Receiver<Measured>) {
    let (queue, taken) = queue();
    let dropped = Arc::default();
    (Sink { queue, dropped }, taken)
}
