//! TCP and TLS: one accepting task for each address, one task for each connection.
//!
//! A connection's life is in `connection`, what it is made of in `wire` and `tls`, who may have one
//! in the crate's `seats`.

mod connection;
mod tls;
mod wire;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use std::{io, mem};

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time;

use crate::answerer::Answer;
use crate::config::{ListenerView, TcpLimits};
use crate::counters::{Count, StreamCells};
use crate::seats::{Seat, Seats};
use crate::service::{Peers, Service};

use connection::Connection;
#[cfg(any(test, feature = "fuzzing"))]
pub use connection::pieces::{Turn, converse};
use tls::TlsStream;
use wire::Wire;

/// A pause after a failed accept, such as for want of file descriptors, which would fail again;
/// also for listeners elsewhere in the process.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A socket that accepts connections, and what is to be done with them.
#[derive(Debug)]
pub(crate) struct StreamListener {
    pub(crate) socket: std::net::TcpListener,
    pub(crate) view: ListenerView,
    /// Without it everything is in the clear.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) cells: Arc<StreamCells>,
}

/// All TCP and TLS listeners of a server, under common limits.
#[derive(Debug)]
pub(crate) struct Tcp {
    limits: TcpLimits,
    seats: Arc<Seats>,
    /// Turns true, or is dropped, when everything is to end.
    stop: watch::Sender<bool>,
    accepting: Vec<JoinHandle<()>>,
}

impl Tcp {
    pub(crate) fn new(limits: TcpLimits) -> Self {
        Self {
            limits,
            seats: Arc::new(Seats::new(
                limits.connections,
                limits.connections_per_prefix,
            )),
            stop: watch::Sender::new(false),
            accepting: Vec::new(),
        }
    }

    /// Starts accepting connections on the runtime.
    pub(crate) fn listen<A: Answer>(
        &mut self,
        listener: StreamListener,
        service: Service<A>,
        runtime: &Handle,
    ) -> io::Result<()> {
        let _entered = runtime.enter();
        let acceptor = Acceptor {
            listener: TcpListener::from_std(listener.socket)?,
            view: listener.view,
            tls: listener.tls,
            service,
            limits: self.limits,
            seats: Arc::clone(&self.seats),
            stop: self.stop.subscribe(),
            cells: listener.cells,
        };
        self.accepting.push(runtime.spawn(acceptor.run()));
        Ok(())
    }

    /// What connections of any kind are held to.
    pub(crate) fn limits(&self) -> TcpLimits {
        self.limits
    }

    /// What connections of any kind need one of.
    pub(crate) fn seats(&self) -> &Arc<Seats> {
        &self.seats
    }

    /// Ends every connection as soon as its replies are out, or when the drain timeout is over.
    pub(crate) async fn stop(&mut self) {
        self.stop.send_replace(true);
        for accepting in self.accepting.drain(..) {
            // It fails only if its runtime has ended, and with it all connections.
            let _ = accepting.await;
        }
    }
}

/// The task of one listening address.
struct Acceptor<A: Answer> {
    listener: TcpListener,
    view: ListenerView,
    tls: Option<Arc<ServerConfig>>,
    service: Service<A>,
    limits: TcpLimits,
    seats: Arc<Seats>,
    stop: watch::Receiver<bool>,
    cells: Arc<StreamCells>,
}

impl<A: Answer> Acceptor<A> {
    async fn run(mut self) {
        let mut connections = JoinSet::new();
        let mut failing = false;
        loop {
            tokio::select! {
                biased;
                _ = self.stop.changed() => break,
                Some(ended) = connections.join_next() => note_end(&self.cells, &ended),
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, client)) => {
                        failing = false;
                        self.admit(stream, client, &mut connections);
                    }
                    Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                    Err(error) => {
                        if !mem::replace(&mut failing, true) {
                            tracing::warn!(%error, "cannot accept TCP connections: {error}");
                        }
                        time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(self.listener);
        let drained = async {
            while let Some(ended) = connections.join_next().await {
                note_end(&self.cells, &ended);
            }
        };
        // Whoever has not taken its replies by then is cut off when the set is dropped.
        let _ = time::timeout(self.limits.drain_timeout, drained).await;
    }

    fn admit(&self, stream: TcpStream, client: SocketAddr, connections: &mut JoinSet<()>) {
        // A connection that cannot tell has failed already.
        let Ok(asked) = stream.local_addr() else {
            return;
        };
        let Some(seat) = self.seats.admit(client.ip(), &self.cells) else {
            self.cells.refused.add(1);
            return;
        };
        self.cells.accepted.add(1);
        // Replies are written whole, so waiting for more to send gains nothing. Should the option
        // fail, the connection is slower or already gone; both show soon enough.
        let _ = stream.set_nodelay(true);
        let peers = Peers {
            client,
            asked,
            view: self.view,
        };
        let stop = self.stop.clone();
        let Some(config) = &self.tls else {
            let connection = self.connection(stream, peers, seat);
            connections.spawn(connection.run(stop));
            return;
        };
        match TlsStream::new(stream, Arc::clone(config)) {
            Ok(stream) => {
                let connection = self.connection(stream, peers, seat);
                connections.spawn(connection.run(stop));
            }
            Err(error) => {
                self.cells.ended.add(1);
                tracing::error!(%error, "cannot begin a TLS session: {error}");
            }
        }
    }

    fn connection<W: Wire>(&self, wire: W, peers: Peers, seat: Seat) -> Connection<A, W> {
        Connection {
            wire,
            peers,
            service: self.service.clone(),
            limits: self.limits,
            seat,
            cells: Arc::clone(&self.cells),
            input: Vec::new(),
            output: Vec::new(),
        }
    }
}

/// A connection that ends otherwise than by itself has panicked: nobody aborts one that is still
/// listened to.
fn note_end(cells: &StreamCells, ended: &Result<(), JoinError>) {
    cells.ended.add(1);
    if ended.is_err() {
        cells.panics.add(1);
        tracing::error!("a panic while answering cost a TCP connection");
    }
}
