//! DNS over QUIC (RFC 9250): one task for each address, one for each connection, one for each
//! query on its stream.
//!
//! QUIC itself is quinn's. A stream's life is in `stream`, the end of quinn's tasks in `tasks`.

mod stream;
mod tasks;

use std::future::Future;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Endpoint, EndpointConfig, Incoming, ServerConfig, TransportConfig, VarInt};
use tokio::runtime::Handle;
use tokio::sync::{Mutex, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{self, Instant};

use crate::answerer::Answer;
use crate::config::{ListenerView, TcpLimits};
use crate::counters::{Count, StreamCells};
use crate::seats::{Seat, Seats};
use crate::service::{Peers, Service};

use stream::{Stream, Trouble};
use tasks::{Tasks, turned};

/// Queries in flight on one connection.
const IN_FLIGHT_MAX: u32 = 64;

/// Bytes that a connection's client may send before we have read them.
const RECEIVE_WINDOW: u32 = 64 << 10;

/// Bytes of ours that may be on their way to a client: one reply of any length, and more.
const SEND_WINDOW: u64 = 128 << 10;

/// Clients that are waited for at the door, beyond whom nobody is.
const INCOMING_MAX: usize = 128;

/// Bytes that each of them may have sent before it is let in, and all of them.
const INCOMING_BYTES: u64 = 16 << 10;
const ALL_INCOMING_BYTES: u64 = 1 << 20;

/// With more connections than this in the making, a client has to show first that its address is
/// its own, which costs it a round trip.
const UNPROVEN_MAX: usize = 32;

/// How long the last words to clients may take after the order to stop.
const GOODBYE: Duration = Duration::from_millis(200);

/// How long after its handshake a connection without a query stays open once the end has come: the
/// first one may be on its way.
const FIRST_QUERY_GRACE: Duration = Duration::from_millis(500);

/// How long one that has had queries does: on a busy machine the next one may have arrived, and
/// not yet come through the tasks that read sockets and take packets apart.
const ARRIVAL_GRACE: Duration = Duration::from_millis(200);

/// Codes of RFC 9250 section 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Code {
    /// DOQ_NO_ERROR
    NoError = 0x0,
    /// DOQ_INTERNAL_ERROR
    InternalError = 0x1,
    /// DOQ_PROTOCOL_ERROR
    ProtocolError = 0x2,
    /// DOQ_EXCESSIVE_LOAD
    ExcessiveLoad = 0x4,
}

impl From<Code> for VarInt {
    fn from(code: Code) -> Self {
        Self::from_u32(code as u32)
    }
}

/// All QUIC listeners of a server.
#[derive(Debug)]
pub(crate) struct Quic {
    /// Turns true, or is dropped, when everything is to end.
    stop: watch::Sender<bool>,
    accepting: Vec<JoinHandle<()>>,
}

/// A bound socket, and what is to be done with what comes there.
#[derive(Debug)]
pub(crate) struct QuicListener {
    pub(crate) socket: UdpSocket,
    pub(crate) address: SocketAddr,
    pub(crate) view: ListenerView,
    pub(crate) config: ServerConfig,
    pub(crate) limits: TcpLimits,
    pub(crate) seats: Arc<Seats>,
    pub(crate) cells: Arc<StreamCells>,
}

/// How QUIC is spoken: with those settings of TLS and these limits.
pub(crate) fn server_config(
    tls: rustls::ServerConfig,
    limits: TcpLimits,
) -> io::Result<ServerConfig> {
    let crypto = QuicServerConfig::try_from(tls).map_err(io::Error::other)?;
    let mut transport = TransportConfig::default();
    let idle = limits.idle_timeout.max(limits.handshake_timeout);
    transport
        .max_concurrent_bidi_streams(IN_FLIGHT_MAX.into())
        .max_concurrent_uni_streams(0_u8.into())
        .stream_receive_window(RECEIVE_WINDOW.into())
        .receive_window(RECEIVE_WINDOW.into())
        .send_window(SEND_WINDOW)
        .datagram_receive_buffer_size(None)
        .max_idle_timeout(Some(idle.try_into().map_err(io::Error::other)?));
    let mut config = ServerConfig::with_crypto(Arc::new(crypto));
    config
        .transport_config(Arc::new(transport))
        .max_incoming(INCOMING_MAX)
        .incoming_buffer_size(INCOMING_BYTES)
        .incoming_buffer_size_total(ALL_INCOMING_BYTES);
    Ok(config)
}

impl Default for Quic {
    fn default() -> Self {
        Self {
            stop: watch::Sender::new(false),
            accepting: Vec::new(),
        }
    }
}

impl Quic {
    /// Starts accepting connections on the runtime.
    pub(crate) fn listen<A: Answer>(
        &mut self,
        listener: QuicListener,
        service: Service<A>,
        runtime: &Handle,
    ) -> io::Result<()> {
        let _entered = runtime.enter();
        let tasks = Arc::new(Tasks::new());
        let endpoint = Endpoint::new(
            EndpointConfig::default(),
            Some(listener.config),
            listener.socket,
            Arc::clone(&tasks) as _,
        )?;
        let acceptor = Acceptor {
            endpoint,
            tasks,
            address: listener.address,
            view: listener.view,
            service,
            limits: listener.limits,
            seats: listener.seats,
            stop: self.stop.subscribe(),
            cells: listener.cells,
        };
        self.accepting.push(runtime.spawn(acceptor.run()));
        Ok(())
    }

    /// Ends every connection as soon as its replies are out, or when the drain timeout is over.
    /// Nobody reads the sockets any more when it returns: what comes is the next reader's.
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
    endpoint: Endpoint,
    tasks: Arc<Tasks>,
    address: SocketAddr,
    view: ListenerView,
    service: Service<A>,
    limits: TcpLimits,
    seats: Arc<Seats>,
    stop: watch::Receiver<bool>,
    cells: Arc<StreamCells>,
}

impl<A: Answer> Acceptor<A> {
    async fn run(mut self) {
        let mut connections = JoinSet::new();
        // Ends with `stop`; the seats bound how many connections there are.
        loop {
            tokio::select! {
                biased;
                () = turned(&mut self.stop) => break,
                Some(ended) = connections.join_next() => note_end(&self.cells, &ended),
                incoming = self.endpoint.accept() => match incoming {
                    Some(incoming) => self.admit(incoming, &mut connections),
                    None => break,
                },
            }
        }
        let _ = time::timeout(self.limits.drain_timeout, self.drain(&mut connections)).await;
        // A connection without its task is closed with the code 0, DOQ_NO_ERROR. To close the
        // endpoint would also refuse whoever comes now.
        connections.abort_all();
        while let Some(ended) = connections.join_next().await {
            note_end(&self.cells, &ended);
        }
        let _ = time::timeout(GOODBYE, self.unheard(self.endpoint.wait_idle())).await;
        self.tasks.end().await;
    }

    /// Lets in whoever has knocked before, and waits until all have left.
    async fn drain(&self, connections: &mut JoinSet<()>) {
        // quinn holds no more than those. Its queue is looked at without waiting.
        for _ in 0..INCOMING_MAX {
            match time::timeout(Duration::ZERO, self.endpoint.accept()).await {
                Ok(Some(incoming)) => self.admit(incoming, connections),
                _ => break,
            }
        }
        // The caller limits how long this takes.
        while let Some(ended) = self.unheard(connections.join_next()).await {
            note_end(&self.cells, &ended);
        }
    }

    /// Waits for something without a word to those who knock meanwhile: they knock again within a
    /// second or so, and are heard by who reads the socket then.
    async fn unheard<T>(&self, awaited: impl Future<Output = T>) -> T {
        let mut awaited = pin!(awaited);
        // Ends with what is waited for.
        loop {
            tokio::select! {
                done = &mut awaited => return done,
                Some(incoming) = self.endpoint.accept() => incoming.ignore(),
            }
        }
    }

    fn admit(&self, incoming: Incoming, connections: &mut JoinSet<()>) {
        let client = incoming.remote_address().ip();
        let crowded = self.endpoint.open_connections() >= UNPROVEN_MAX;
        // Whoever has not shown that its address is its own must not drive others out either.
        if incoming.may_retry() && (crowded || !self.seats.has_room(client)) {
            if *self.stop.borrow() {
                // The proof would come to a process that cannot tell it is one.
                incoming.ignore();
            } else {
                // It fails for those alone that have been asked before.
                let _ = incoming.retry();
            }
            return;
        }
        let Some(seat) = self.seats.admit(client, &self.cells) else {
            self.cells.refused.add(1);
            incoming.refuse();
            return;
        };
        self.cells.accepted.add(1);
        let connection = Connection {
            service: self.service.clone(),
            limits: self.limits,
            address: self.address,
            view: self.view,
            seat,
            cells: Arc::clone(&self.cells),
        };
        connections.spawn(connection.run(incoming, self.stop.clone()));
    }
}

/// A connection and what it is held to.
struct Connection<A: Answer> {
    service: Service<A>,
    limits: TcpLimits,
    address: SocketAddr,
    view: ListenerView,
    seat: Seat,
    cells: Arc<StreamCells>,
}

impl<A: Answer> Connection<A> {
    /// Serves the client until it leaves, breaks a rule or a limit, or `stop` turns.
    async fn run(self, incoming: Incoming, mut stop: watch::Receiver<bool>) {
        // Without it the system has no such option, and the listener has one address.
        let asked = incoming.local_ip();
        let Ok(connecting) = incoming.accept() else {
            return;
        };
        let connected = tokio::select! {
            () = self.seat.evicted() => return,
            connected = time::timeout(self.limits.handshake_timeout, connecting) => connected,
        };
        let connection = match connected {
            Ok(Ok(connection)) => connection,
            Ok(Err(_)) => return,
            Err(_) => return self.cells.too_slow.add(1),
        };
        let local = self.address;
        let asked = SocketAddr::new(asked.unwrap_or_else(|| local.ip()), local.port());
        let mut streams = JoinSet::new();
        let code = self
            .serve(&connection, asked, &mut streams, &mut stop)
            .await;
        if code == Code::NoError {
            // Bounded by the time each of them has; the acceptor's drain timeout ends it earlier.
            while let Some(ended) = streams.join_next().await {
                note_panic(&self.cells, &ended);
            }
        }
        connection.close(code.into(), b"");
    }

    /// Takes streams until the connection is to be closed with the code returned.
    async fn serve(
        &self,
        connection: &quinn::Connection,
        asked: SocketAddr,
        streams: &mut JoinSet<Result<(), Trouble>>,
        stop: &mut watch::Receiver<bool>,
    ) -> Code {
        let writing = Arc::new(Mutex::new(()));
        let mut since = Instant::now();
        let mut asked_before = false;
        let mut ending = None;
        loop {
            let idle = time::sleep_until(ending.unwrap_or(since + self.limits.idle_timeout));
            tokio::select! {
                biased;
                () = turned(stop), if ending.is_none() => {
                    let arrived = Instant::now() + ARRIVAL_GRACE;
                    ending = Some(if asked_before {
                        arrived
                    } else {
                        arrived.max(since + FIRST_QUERY_GRACE)
                    });
                }
                () = self.seat.evicted() => return Code::ExcessiveLoad,
                Some(ended) = streams.join_next() => {
                    note_panic(&self.cells, &ended);
                    match ended {
                        Ok(Err(Trouble::Protocol)) => return Code::ProtocolError,
                        Ok(Ok(())) => {
                            self.seat.progress();
                            since = Instant::now();
                        }
                        Ok(Err(_)) => {}
                        Err(_) => return Code::InternalError,
                    }
                }
                accepted = connection.accept_bi() => match accepted {
                    Ok((send, receive)) => {
                        let stream = Stream {
                            send,
                            receive,
                            writing: Arc::clone(&writing),
                            service: self.service.clone(),
                            peers: Peers {
                                client: connection.remote_address(),
                                asked,
                                view: self.view,
                            },
                            limits: self.limits,
                            cells: Arc::clone(&self.cells),
                        };
                        // At most as many as QUIC lets the client open.
                        streams.spawn(stream.run());
                        asked_before = true;
                        ending = ending.map(|_| since);
                    }
                    Err(_) => return Code::NoError,
                },
                () = idle => return Code::NoError,
            }
        }
    }
}

fn note_end(cells: &StreamCells, ended: &Result<(), JoinError>) {
    cells.ended.add(1);
    if ended.as_ref().is_err_and(JoinError::is_panic) {
        cells.panics.add(1);
        tracing::error!("a panic cost a QUIC connection");
    }
}

fn note_panic<T>(cells: &StreamCells, ended: &Result<T, JoinError>) {
    if ended.as_ref().is_err_and(JoinError::is_panic) {
        cells.panics.add(1);
        tracing::error!("a panic while answering cost a query over QUIC");
    }
}
