//! What the server did, as numbers: cells without locks, written by their workers, summed on read.
//!
//! Names and formats of metrics are not here.

use std::sync::atomic::{AtomicU64, Ordering};

/// Sums over all workers since the start.
///
/// Cells are read one after another while workers write: each is exact, but two of them may be of
/// slightly different moments.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Over UDP.
    pub udp: UdpCounts,
    /// Over TCP.
    pub tcp: TcpCounts,
    /// Batches or connections given up because answering panicked; each is a fault of ours.
    pub panics: u64,
}

/// Datagrams. Those received whole end as replies, as dropped or as send errors.
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
}

/// Connections and their messages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TcpCounts {
    /// Connections taken.
    pub accepted: u64,
    /// Connections turned away at a limit with nobody idle to evict.
    pub refused: u64,
    /// Idle connections closed to make room for new ones.
    pub evicted: u64,
    /// Connections closed because a message or a reply took too long.
    pub too_slow: u64,
    /// Whole messages received.
    pub queries: u64,
    /// Replies produced, sent unless the connection failed first.
    pub replies: u64,
    /// Messages not answered; each closes its connection.
    pub dropped: u64,
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
    pub(crate) panics: Cell,
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
        }
    }
}

/// The cells of one listening address's connections, which move between the runtime's threads and
/// so share them.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(crate) struct TcpCells {
    pub(crate) accepted: SharedCell,
    pub(crate) refused: SharedCell,
    pub(crate) evicted: SharedCell,
    pub(crate) too_slow: SharedCell,
    pub(crate) queries: SharedCell,
    pub(crate) replies: SharedCell,
    pub(crate) dropped: SharedCell,
    pub(crate) panics: SharedCell,
}

impl TcpCells {
    pub(crate) fn counts(&self) -> TcpCounts {
        TcpCounts {
            accepted: self.accepted.read(),
            refused: self.refused.read(),
            evicted: self.evicted.read(),
            too_slow: self.too_slow.read(),
            queries: self.queries.read(),
            replies: self.replies.read(),
            dropped: self.dropped.read(),
        }
    }
}

/// A counter with a single writer, so that adding needs no atomic read-modify-write.
#[derive(Debug, Default)]
pub(crate) struct Cell(AtomicU64);

impl Cell {
    /// Only the worker that owns the cell may call this; another's addition could be lost.
    pub(crate) fn add(&self, more: u64) {
        self.0.store(
            self.0.load(Ordering::Relaxed).wrapping_add(more),
            Ordering::Relaxed,
        );
    }

    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A counter with any number of writers.
#[derive(Debug, Default)]
pub(crate) struct SharedCell(AtomicU64);

impl SharedCell {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> u64 {
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
    }
}

impl std::ops::AddAssign for TcpCounts {
    fn add_assign(&mut self, more: Self) {
        self.accepted += more.accepted;
        self.refused += more.refused;
        self.evicted += more.evicted;
        self.too_slow += more.too_slow;
        self.queries += more.queries;
        self.replies += more.replies;
        self.dropped += more.dropped;
    }
}
