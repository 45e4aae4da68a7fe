//! The tasks in which quinn drives an endpoint and its connections: so that they can be ended, and
//! nobody reads the socket any more when that is said.

use std::future::Future;
use std::io;
use std::net::UdpSocket;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use quinn::{AsyncTimer, AsyncUdpSocket, Runtime, TokioRuntime};
use tokio::sync::watch;

/// quinn's runtime of tokio, with an end.
#[derive(Debug)]
pub(super) struct Tasks {
    over: watch::Sender<bool>,
}

impl Tasks {
    pub(super) fn new() -> Self {
        Self {
            over: watch::Sender::new(false),
        }
    }

    /// Ends all tasks wherever they are; returns when they are no more. quinn itself keeps reading
    /// until the last connection has been forgotten, three times the time-out for lost packets
    /// after it was closed.
    pub(super) async fn end(&self) {
        self.over.send_replace(true);
        self.over.closed().await;
    }
}

impl Runtime for Tasks {
    fn new_timer(&self, at: Instant) -> Pin<Box<dyn AsyncTimer>> {
        TokioRuntime.new_timer(at)
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        let mut over = self.over.subscribe();
        TokioRuntime.spawn(Box::pin(async move {
            tokio::select! {
                () = task => {}
                () = turned(&mut over) => {}
            }
            // Not before the task itself is dropped.
            drop(over);
        }));
    }

    fn wrap_udp_socket(&self, socket: UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn now(&self) -> Instant {
        TokioRuntime.now()
    }
}

/// Returns when the signal is true, or nobody is left to turn it so.
pub(super) async fn turned(signal: &mut watch::Receiver<bool>) {
    let _ = signal.wait_for(|turned| *turned).await;
}
