//! What the server did, as numbers: cells without locks, written by their workers, summed on read.
//!
//! Names and formats of metrics are not here.

mod answers;
mod latency;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

pub use answers::{AnswerCounts, PerProtocol, Protocol, RcodeLabel, TypeLabel, rcode_label};
pub use latency::{BUCKETS, Latency};

pub(crate) use answers::AnswerCells;

/// Sums over all workers since the start.
///
/// Cells are read one after another while workers write: each is exact and never goes back, but
/// two of them may be of slightly different moments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Datagrams: UDP's own.
    pub udp: UdpCounts,
    /// Connections of each protocol that has some. That of UDP is empty.
    pub streams: PerProtocol<StreamCounts>,
    /// What was asked and answered over each protocol.
    pub answers: PerProtocol<AnswerCounts>,
    /// Batches or connections given up because answering panicked; each is a fault of ours.
    pub panics: u64,
}

/// Datagrams. Those received whole end as replies, as dropped, as rate-limited or as send errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct UdpCounts {
    /// Received whole.
    pub queries: u64,
    /// Handed to the kernel for sending.
    pub replies: u64,
    /// Not answered: not worth an answer, or from an address that none can be sent to.
    pub dropped: u64,
    /// Longer than the receive buffer, hence not looked at.
    pub truncated: u64,
    /// Replies that the kernel did not take.
    pub send_errors: u64,
    /// Failed receive calls.
    pub receive_errors: u64,
    /// Replies not sent because their client's network had had enough.
    pub limited: u64,
    /// Replies cut to TC=1 and sent for the same reason.
    pub slipped: u64,
}

/// Connections and their messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StreamCounts {
    /// Connections taken.
    pub accepted: u64,
    /// Connections of those that have ended.
    pub ended: u64,
    /// Connections turned away at a limit with nobody idle to evict.
    pub refused: u64,
    /// Idle connections closed to make room for new ones.
    pub evicted: u64,
    /// Messages and replies that took too long. Over TCP and TLS, and with a handshake, it cost the
    /// connection; over QUIC and HTTPS it may have cost that query alone.
    pub too_slow: u64,
    /// Whole messages received.
    pub queries: u64,
    /// Replies produced, sent unless the connection failed first.
    pub replies: u64,
    /// Messages not answered; each closes its connection.
    pub dropped: u64,
}

impl StreamCounts {
    /// Connections that are open now.
    #[must_use]
    pub fn open(&self) -> u64 {
        self.accepted.saturating_sub(self.ended)
    }
}

/// The counters of a server, for those who show them: a cheap handle that keeps nothing running.
#[derive(Debug, Clone, Default)]
pub struct Counters {
    pub(crate) udp: Vec<Arc<UdpCells>>,
    pub(crate) streams: Vec<Arc<StreamCells>>,
}

impl Counters {
    /// New cells for a listener's connections.
    pub(crate) fn stream(&mut self, protocol: Protocol) -> Arc<StreamCells> {
        let cells = Arc::new(StreamCells::new(protocol));
        self.streams.push(Arc::clone(&cells));
        cells
    }

    /// The protocols that are served.
    #[must_use]
    pub fn protocols(&self) -> Vec<Protocol> {
        let served = |protocol: &Protocol| match protocol {
            Protocol::Udp => !self.udp.is_empty(),
            other => self.streams.iter().any(|cells| cells.protocol == *other),
        };
        Protocol::ALL.into_iter().filter(served).collect()
    }

    /// What has been done since the start, over all addresses and workers.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let mut counts = Counts::default();
        for cells in &self.udp {
            counts.udp += cells.counts();
            counts.answers[Protocol::Udp] += cells.answers.counts();
            counts.panics += cells.panics.read();
        }
        for cells in &self.streams {
            counts.streams[cells.protocol] += cells.counts();
            counts.answers[cells.protocol] += cells.answers.counts();
            counts.panics += cells.panics.read();
        }
        counts
    }
}

/// One UDP worker's cells, alone on their cache lines: 128 bytes because processors fetch lines in
/// pairs.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct UdpCells {
    pub(crate) queries: Cell,
    pub(crate) replies: Cell,
    pub(crate) dropped: Cell,
    pub(crate) truncated: Cell,
    pub(crate) send_errors: Cell,
    pub(crate) receive_errors: Cell,
    pub(crate) limited: Cell,
    pub(crate) slipped: Cell,
    pub(crate) panics: Cell,
    pub(crate) answers: AnswerCells<Cell>,
}

impl UdpCells {
    pub(crate) fn counts(&self) -> UdpCounts {
        UdpCounts {
            queries: self.queries.read(),
            replies: self.replies.read(),
            dropped: self.dropped.read(),
            truncated: self.truncated.read(),
            send_errors: self.send_errors.read(),
            receive_errors: self.receive_errors.read(),
            limited: self.limited.read(),
            slipped: self.slipped.read(),
        }
    }
}

/// The cells of one listening address's connections, which move between the runtime's threads and
/// so share them.
#[derive(Debug)]
#[repr(align(128))]
pub(crate) struct StreamCells {
    pub(crate) protocol: Protocol,
    pub(crate) accepted: SharedCell,
    pub(crate) ended: SharedCell,
    pub(crate) refused: SharedCell,
    pub(crate) evicted: SharedCell,
    pub(crate) too_slow: SharedCell,
    pub(crate) queries: SharedCell,
    pub(crate) replies: SharedCell,
    pub(crate) dropped: SharedCell,
    pub(crate) panics: SharedCell,
    pub(crate) answers: AnswerCells<SharedCell>,
}

impl StreamCells {
    /// Cells of connections of this protocol.
    pub(crate) fn new(protocol: Protocol) -> Self {
        Self {
            protocol,
            accepted: SharedCell::default(),
            ended: SharedCell::default(),
            refused: SharedCell::default(),
            evicted: SharedCell::default(),
            too_slow: SharedCell::default(),
            queries: SharedCell::default(),
            replies: SharedCell::default(),
            dropped: SharedCell::default(),
            panics: SharedCell::default(),
            answers: AnswerCells::default(),
        }
    }

    pub(crate) fn counts(&self) -> StreamCounts {
        // What is counted last is read first, so that no more have ended than were accepted.
        let ended = self.ended.read();
        StreamCounts {
            accepted: self.accepted.read(),
            ended,
            refused: self.refused.read(),
            evicted: self.evicted.read(),
            too_slow: self.too_slow.read(),
            queries: self.queries.read(),
            replies: self.replies.read(),
            dropped: self.dropped.read(),
        }
    }
}

/// A counter.
pub(crate) trait Count: Default {
    fn add(&self, more: u64);
    fn read(&self) -> u64;
}

/// A counter with a single writer, so that adding needs no atomic read-modify-write.
#[derive(Debug, Default)]
pub(crate) struct Cell(AtomicU64);

impl Count for Cell {
    /// Only the worker that owns the cell may call this; another's addition could be lost.
    #[inline]
    fn add(&self, more: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(more),
            Ordering::Relaxed,
        );
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A counter with any number of writers.
#[derive(Debug, Default)]
pub(crate) struct SharedCell(AtomicU64);

impl Count for SharedCell {
    fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl std::ops::AddAssign for UdpCounts {
    fn add_assign(&mut self, more: Self) {
        self.queries += more.queries;
        self.replies += more.replies;
        self.dropped += more.dropped;
        self.truncated += more.truncated;
        self.send_errors += more.send_errors;
        self.receive_errors += more.receive_errors;
        self.limited += more.limited;
        self.slipped += more.slipped;
    }
}

impl std::ops::AddAssign for StreamCounts {
    fn add_assign(&mut self, more: Self) {
        self.accepted += more.accepted;
        self.ended += more.ended;
        self.refused += more.refused;
        self.evicted += more.evicted;
        self.too_slow += more.too_slow;
        self.queries += more.queries;
        self.replies += more.replies;
        self.dropped += more.dropped;
    }
}
