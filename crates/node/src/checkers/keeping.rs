//! Writing down what is known of checks, on a thread of its own: a disk that stalls holds up no count,
//! and so no failover. What is written is `meridian_health`'s, and the file is in `last.rs`.

use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};
use std::thread::{self, JoinHandle};

use anyhow::Result;
use meridian_health::State as Known;

use super::last::LastFile;

/// The thread that writes. One state at a time is handed to it; it waits for the next.
pub(super) struct Keeping {
    file: Arc<LastFile>,
    /// Closed, it ends.
    hand: Option<SyncSender<Known>>,
    written: Receiver<Written>,
    is_at_work: bool,
    thread: Option<JoinHandle<()>>,
}

/// What became of a state that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// It is on the disk.
    Whole,
    /// It is not, which was said.
    Not,
}

impl Keeping {
    pub(super) fn start(file: LastFile) -> Result<Self> {
        let file = Arc::new(file);
        let (hand, handed) = mpsc::sync_channel(1);
        let (tell, written) = mpsc::sync_channel(1);
        let writer = Arc::clone(&file);
        let work = move || {
            for known in handed {
                if tell.send(write(&writer, &known)).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("health-state".to_owned());
        Ok(Self {
            file,
            hand: Some(hand),
            written,
            is_at_work: false,
            thread: Some(thread.spawn(work)?),
        })
    }

    /// What became of the last state, if that is known since it was asked last.
    pub(super) fn outcome(&mut self) -> Option<Written> {
        let outcome = match self.written.try_recv() {
            Ok(written) => written,
            Err(TryRecvError::Empty) => return None,
            // The thread ended by a panic: whoever has something to keep writes it at the end.
            Err(TryRecvError::Disconnected) => return self.is_at_work.then_some(Written::Not),
        };
        self.is_at_work = false;
        Some(outcome)
    }

    /// Whether a state is being written: the next has to wait.
    pub(super) const fn is_at_work(&self) -> bool {
        self.is_at_work
    }

    /// Has this written, as nothing is being written.
    pub(super) fn hand(&mut self, known: Known) {
        let handed = self.hand.as_ref().map(|hand| hand.try_send(known));
        self.is_at_work = handed.is_some();
    }

    /// Waits for what is being written, and says what became of it; nothing is handed over after
    /// that.
    pub(super) fn end(&mut self) -> Option<Written> {
        drop(self.hand.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("writing down the states of health checks ended by a panic");
        }
        self.outcome()
    }

    /// Writes this on the caller's thread.
    pub(super) fn write(&self, known: &Known) -> Written {
        write(&self.file, known)
    }
}

fn write(file: &LastFile, known: &Known) -> Written {
    match file.write(known) {
        Ok(()) => Written::Whole,
        Err(error) => {
            tracing::warn!(%error, "the states of health checks are not kept: {error:#}");
            Written::Not
        }
    }
}
