//! The signals that a server listens to.

use std::sync::Arc;

use anyhow::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::condition::Condition;

/// SIGHUP, before there is anything that heeds it. It may come at any time, as from those who rotate
/// logs, and ends a process that does not listen.
pub(super) struct HangUp(Signal);

impl HangUp {
    /// Must be called on a runtime.
    pub(super) fn listen() -> Result<Self> {
        Ok(Self(signal(SignalKind::hangup())?))
    }
}

/// Listens from the start on: a signal that comes while nobody waits for one is not lost.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hang_up: Signal,
    /// Told of SIGHUP.
    condition: Arc<Condition>,
}

impl Signals {
    /// Must be called on a runtime.
    pub(super) fn listen(condition: Arc<Condition>, HangUp(hang_up): HangUp) -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hang_up,
            condition,
        })
    }

    /// Waits for a signal to end.
    pub(super) async fn end(&mut self) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hang_up.recv() => {
                    // Who watches the certificate hears it too.
                    tracing::info!(
                        "SIGHUP: certificates and files of addresses are read again, the audit log \
                         and logs of DNS traffic are opened anew"
                    );
                    self.condition.hung_up();
                }
            }
        }
    }
}
