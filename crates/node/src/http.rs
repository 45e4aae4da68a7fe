//! HTTP over sockets: who is let in, how many, how long connections last and how they end; TLS
//! where it is wanted. What a request means is not here, but with whoever answers it.

mod clients;
mod connection;
mod router;
#[cfg(test)]
mod tests;
mod watched;

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{io, mem};

use axum::body::Body;
use axum::http::{Request, Response};
use hyper::body::Incoming;
use meridian_server::ACCEPT_PAUSE;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tokio::time;
use tokio_rustls::rustls::ServerConfig;

pub(crate) use clients::{Admitted, Clients};
pub(crate) use router::{Entrance, HANDSHAKE_TIMEOUT, PROTOCOL, serve_router};

/// How many connections that wait in the listen queue are taken at the end: more than fit there.
const MAX_WAITING: usize = 8192;

/// Answers the requests of one connection.
pub(crate) trait Answer: Send + Sync + 'static {
    /// The response to one of them.
    fn answer(&self, request: Request<Incoming>) -> impl Future<Output = Response<Body>> + Send;

    /// Returns when the connection has to make room for another one.
    fn evicted(&self) -> impl Future<Output = ()> + Send;

    /// Notes that the client took too long to begin and is cut off for it.
    fn note_too_slow(&self);

    /// What wants to see the socket once the connection is over, right before it is closed.
    fn at_close(&self) -> Option<AtClose> {
        None
    }
}

/// Sees a socket that nothing more goes over.
pub(crate) type AtClose = Box<dyn FnOnce(&TcpStream) + Send>;

/// What the connections of a listener are held to.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    /// Without it everything is in the clear.
    pub(crate) tls: Option<Tls>,
    pub(crate) versions: Versions,
    /// How many are open at the same time; further ones wait in the listen queue. None where
    /// whoever lets them in has a bound for them.
    pub(crate) connections: Option<usize>,
    /// The largest request head, in bytes.
    pub(crate) head_len: u32,
    /// The most headers.
    pub(crate) headers: usize,
    /// How long HTTP/1.1 may stay without a whole request head, between requests too.
    pub(crate) head_timeout: Duration,
    /// How long a connection of either version may stay without a new request, even while
    /// responses are on their way: only for services whose clients take those at once.
    pub(crate) idle_timeout: Option<Duration>,
    /// How long requests may take to finish once the end has come.
    pub(crate) drain_timeout: Duration,
}

/// How a listener encrypts.
#[derive(Debug, Clone)]
pub(crate) struct Tls {
    /// Looks the certificate up for each handshake, so that it may change.
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) handshake_timeout: Duration,
}

/// Which HTTP is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Versions {
    /// HTTP/1.1.
    One,
    /// HTTP/1.1 and HTTP/2, whichever the client begins with.
    OneAndTwo,
}

/// Serves those whom `admit`, told the client's address and ours, lets in, until the sender of
/// `ending` is dropped. Then answers whoever has connected in time, and finishes the requests that
/// have begun.
///
/// `axum::serve` is not used because it has no time limit on request heads, no bound on connections
/// and no TLS.
pub(crate) async fn serve<A: Answer>(
    listener: TcpListener,
    terms: Terms,
    admit: impl Fn(SocketAddr, SocketAddr) -> Option<A> + Send,
    ending: watch::Receiver<()>,
) {
    let acceptor = Acceptor {
        terms: Arc::new(terms),
        admit,
        ending,
        connections: JoinSet::new(),
    };
    acceptor.run(listener).await;
}

/// The task of one listening address.
struct Acceptor<F> {
    terms: Arc<Terms>,
    admit: F,
    ending: watch::Receiver<()>,
    connections: JoinSet<()>,
}

impl<A: Answer, F: Fn(SocketAddr, SocketAddr) -> Option<A>> Acceptor<F> {
    async fn run(mut self, listener: TcpListener) {
        let mut failing = false;
        // Ends with everything.
        loop {
            let has_room = self.has_room();
            tokio::select! {
                biased;
                _ = self.ending.changed() => break,
                Some(ended) = self.connections.join_next() => note_end(&ended),
                accepted = listener.accept(), if has_room => match accepted {
                    Ok((stream, client)) => {
                        failing = false;
                        self.begin(stream, client);
                    }
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => {
                        if !mem::replace(&mut failing, true) {
                            let at = listener.local_addr().ok();
                            tracing::warn!(?at, %error, "cannot accept HTTP connections: {error}");
                        }
                        time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        self.begin_waiting(&listener).await;
        drop(listener);
        self.drain().await;
    }

    fn has_room(&self) -> bool {
        let most = self.terms.connections;
        most.is_none_or(|most| self.connections.len() < most)
    }

    fn begin(&mut self, stream: TcpStream, client: SocketAddr) {
        // A connection that cannot tell has failed already.
        let Ok(asked) = stream.local_addr() else {
            return;
        };
        if let Some(answers) = (self.admit)(client, asked) {
            let (terms, ending) = (Arc::clone(&self.terms), self.ending.clone());
            let connection = connection::converse(stream, answers, terms, ending);
            self.connections.spawn(connection);
        }
    }

    /// Begins with those in the listen queue, who have connected in time.
    async fn begin_waiting(&mut self, listener: &TcpListener) {
        for _ in 0..MAX_WAITING {
            while let Some(ended) = self.connections.try_join_next() {
                note_end(&ended);
            }
            if !self.has_room() {
                break;
            }
            match time::timeout(Duration::ZERO, listener.accept()).await {
                Ok(Ok((stream, client))) => self.begin(stream, client),
                Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                _ => break,
            }
        }
    }

    /// Waits until all have ended; who takes too long is cut off when the set is dropped.
    async fn drain(mut self) {
        let drained = async {
            while let Some(ended) = self.connections.join_next().await {
                note_end(&ended);
            }
        };
        let limit = self.terms.drain_timeout;
        if time::timeout(limit, drained).await.is_err() {
            tracing::warn!("closing with requests still open after {limit:?}");
        }
    }
}

fn note_end(ended: &Result<(), JoinError>) {
    if ended.is_err() {
        tracing::error!("a panic cost an HTTP connection");
    }
}
