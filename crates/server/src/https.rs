//! DNS over HTTPS (RFC 8484) without the HTTP, which whoever speaks it brings along: sockets, TLS
//! settings, limits and one message's answer.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;

use meridian_answer::Transport;

use crate::answerer::Answerer;
use crate::bound::Single;
use crate::config::{Encryption, ListenerView, TcpLimits};
use crate::counters::{Count, StreamCells};
use crate::seats::Seat;
use crate::service::{Peers, Service};
use crate::tcp::Tcp;

/// All that a server of DNS over HTTPS needs from here.
#[derive(Debug)]
pub struct Https {
    /// The bound sockets, which do not block.
    pub listeners: Vec<(TcpListener, HttpsListener)>,
    /// Settings for HTTP/2 and HTTP/1.1, with a certificate that may change.
    pub tls: Arc<rustls::ServerConfig>,
    /// Limits to keep to.
    pub limits: TcpLimits,
    /// Where to do it.
    pub runtime: tokio::runtime::Handle,
}

/// One address; admits connections there.
#[derive(Debug, Clone)]
pub struct HttpsListener {
    view: ListenerView,
    service: Service<Answerer>,
    seats: Arc<crate::seats::Seats>,
    cells: Arc<StreamCells>,
}

/// A client's right to a connection, one of those that all kinds of connection share; given back
/// when dropped.
#[derive(Debug)]
pub struct HttpsConnection {
    seat: Seat,
    peers: Peers,
    service: Service<Answerer>,
    cells: Arc<StreamCells>,
}

impl Https {
    pub(crate) fn new(
        bound: Vec<Single<TcpListener>>,
        service: &Service<Answerer>,
        tcp: &Tcp,
        cells: &Arc<StreamCells>,
        encryption: &Encryption,
    ) -> io::Result<Self> {
        let listener = |single: Single<TcpListener>| {
            let listener = HttpsListener {
                view: single.listener.view,
                service: service.clone(),
                seats: Arc::clone(tcp.seats()),
                cells: Arc::clone(cells),
            };
            (single.socket, listener)
        };
        let tls = encryption.certificate.tls_config(&["h2", "http/1.1"])?;
        Ok(Self {
            listeners: bound.into_iter().map(listener).collect(),
            tls: Arc::new(tls),
            limits: tcp.limits(),
            runtime: encryption.runtime.clone(),
        })
    }
}

impl HttpsListener {
    /// A connection of `client` to our address `asked`; none when a limit says no.
    #[must_use]
    pub fn admit(&self, client: SocketAddr, asked: SocketAddr) -> Option<HttpsConnection> {
        let Some(seat) = self.seats.admit(client.ip(), &self.cells) else {
            self.cells.refused.add(1);
            return None;
        };
        self.cells.accepted.add(1);
        Some(HttpsConnection {
            seat,
            peers: Peers {
                client,
                asked,
                view: self.view,
            },
            service: self.service.clone(),
            cells: Arc::clone(&self.cells),
        })
    }
}

impl HttpsConnection {
    /// The reply to one message; none where it is not worth an answer. Does not wait.
    #[must_use]
    pub fn answer(&self, query: &[u8]) -> Option<Vec<u8>> {
        self.seat.progress();
        let _counted = PanicCount(&self.cells);
        self.service.answer(
            &self.cells,
            Transport::Https,
            self.peers,
            query,
            <[u8]>::to_vec,
        )
    }

    /// Returns when the connection has to make room for another one.
    pub async fn evicted(&self) {
        self.seat.evicted().await;
    }

    /// Notes that the client took too long with something and is cut off for it.
    pub fn note_too_slow(&self) {
        self.cells.too_slow.add(1);
    }
}

/// Counts a panic that drops it: whoever speaks HTTP may have given the task away and never hear
/// of its end.
struct PanicCount<'a>(&'a StreamCells);

impl Drop for PanicCount<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.panics.add(1);
            tracing::error!("a panic while answering cost a query over HTTPS");
        }
    }
}

impl Drop for HttpsConnection {
    fn drop(&mut self) {
        self.cells.ended.add(1);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use crate::counters::{Counters, Protocol};

    use super::*;

    #[test]
    fn a_panic_while_answering_is_counted() {
        let mut counters = Counters::default();
        let cells = counters.stream(Protocol::Https);
        drop(PanicCount(&cells));
        assert_eq!(counters.counts().panics, 0);
        let answering = AssertUnwindSafe(|| {
            let _counted = PanicCount(&cells);
            panic!("as the test wants");
        });
        assert!(catch_unwind(answering).is_err());
        assert_eq!(counters.counts().panics, 1);
    }
}
