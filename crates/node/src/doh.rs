//! DNS over HTTPS (RFC 8484): connections, TLS and HTTP/1.1 and 2 around them. What a request
//! means is in `exchange`; sockets, limits and answers are crate `server`'s.

mod base64url;
mod exchange;

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use meridian_server::{Https, HttpsConnection, HttpsListener, TcpLimits};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle, JoinSet};
use tokio::time::{self, Instant};
use tokio_rustls::TlsAcceptor;

use exchange::Exchange;

/// The largest request head, for either version.
const MAX_HEAD_LEN: usize = 16 * 1024;
/// The most headers.
const MAX_HEADERS: usize = 64;
/// Requests in flight on one connection of HTTP/2.
const IN_FLIGHT_MAX: u32 = 64;
/// Bytes of HTTP/2 that a client may send before we have read them: for a stream, for all.
const STREAM_WINDOW: u32 = 16 * 1024;
const CONNECTION_WINDOW: u32 = 64 * 1024;
/// Bytes of a reply that wait for a client of HTTP/2.
const MAX_SEND_BUFFER: usize = 64 * 1024;
/// How long an idle connection may take to end in peace.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long a connection that has had requests stays open once the end has come, and how long
/// after its handshake one that has not: the next one may be on its way, or its answer.
const IDLE_GRACE: Duration = Duration::from_millis(100);
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(500);
/// How many connections that wait in the listen queue are taken at the end: more than fit there.
const MAX_WAITING: usize = 8192;
/// The pause after accepting failed: most often for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// All listeners of DNS over HTTPS, running.
pub(crate) struct Doh {
    end: watch::Sender<()>,
    accepting: Vec<JoinHandle<()>>,
}

/// What connections are served with.
#[derive(Clone)]
struct Means {
    tls: TlsAcceptor,
    limits: TcpLimits,
    ending: watch::Receiver<()>,
}

impl Doh {
    /// Starts accepting connections on the runtime that they bring along.
    pub(crate) fn start(https: Https) -> std::io::Result<Self> {
        let (end, ending) = watch::channel(());
        let means = Means {
            tls: TlsAcceptor::from(https.tls),
            limits: https.limits,
            ending,
        };
        let _entered = https.runtime.enter();
        let mut accepting = Vec::new();
        for (socket, door) in https.listeners {
            let listener = TcpListener::from_std(socket)?;
            accepting.push(https.runtime.spawn(accept(listener, door, means.clone())));
        }
        Ok(Self { end, accepting })
    }

    /// Ends every connection as soon as its replies are out, or when the drain timeout is over.
    pub(crate) async fn stop(self) {
        drop(self.end);
        for accepting in self.accepting {
            // It fails only if its runtime has ended, and with it all connections.
            let _ = accepting.await;
        }
    }
}

/// The task of one listening address.
async fn accept(listener: TcpListener, door: HttpsListener, mut means: Means) {
    let mut connections = JoinSet::new();
    // Ends with everything; the door bounds how many connections there are.
    loop {
        tokio::select! {
            biased;
            _ = means.ending.changed() => break,
            Some(ended) = connections.join_next() => note_end(&ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, client)) => admit(stream, client, &door, &means, &mut connections),
                Err(error) => {
                    let address = door.address();
                    tracing::warn!(%address, %error, "cannot accept a connection: {error}");
                    time::sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    // Whoever waits in the listen queue has connected in time.
    for _ in 0..MAX_WAITING {
        match time::timeout(Duration::ZERO, listener.accept()).await {
            Ok(Ok((stream, client))) => admit(stream, client, &door, &means, &mut connections),
            _ => break,
        }
    }
    drop(listener);
    let drained = async {
        while let Some(ended) = connections.join_next().await {
            note_end(&ended);
        }
    };
    let _ = time::timeout(means.limits.drain_timeout, drained).await;
}

fn admit(
    stream: TcpStream,
    client: SocketAddr,
    door: &HttpsListener,
    means: &Means,
    connections: &mut JoinSet<()>,
) {
    // A connection that cannot tell has failed already.
    let Ok(asked) = stream.local_addr() else {
        return;
    };
    if let Some(connection) = door.admit(client, asked) {
        connections.spawn(converse(stream, connection, means.clone()));
    }
}

fn note_end(ended: &Result<(), JoinError>) {
    if ended.is_err() {
        tracing::error!("a panic cost a connection of DNS over HTTPS");
    }
}

/// One connection, from the first byte of TLS on.
async fn converse(stream: TcpStream, connection: HttpsConnection, means: Means) {
    // Replies are written in one piece; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let handshake = time::timeout(means.limits.handshake_timeout, means.tls.accept(stream));
    let stream = tokio::select! {
        () = connection.evicted() => return,
        shaken = handshake => match shaken {
            Ok(Ok(stream)) => stream,
            Ok(Err(_)) => return,
            Err(_) => return connection.note_too_slow(),
        },
    };
    let exchange = Arc::new(Exchange::new(connection, means.limits));
    let answering = Arc::clone(&exchange);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let exchange = Arc::clone(&answering);
        async move { Ok::<_, Infallible>(exchange.answer(request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(means.limits.idle_timeout)
        .max_buf_size(MAX_HEAD_LEN)
        .max_headers(MAX_HEADERS);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(IN_FLIGHT_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(MAX_SEND_BUFFER)
        .max_header_list_size(MAX_HEAD_LEN as u32);
    let serving = pin!(builder.serve_connection(TokioIo::new(stream), service));
    attend(serving, &exchange, means).await;
}

/// Lets the connection live until it ends, is idle for too long, has to make room, or everything
/// ends.
async fn attend<C>(mut serving: Pin<&mut C>, exchange: &Exchange, mut means: Means)
where
    C: Future + Graceful,
{
    loop {
        let deadline = exchange.last_request() + means.limits.idle_timeout;
        tokio::select! {
            // How a connection breaks is the client's affair.
            _ = &mut serving => return,
            () = exchange.evicted() => return,
            _ = means.ending.changed() => return finish(serving, exchange).await,
            () = time::sleep_until(deadline) => {
                // A client that takes its replies too slowly makes no requests either.
                if exchange.last_request() + means.limits.idle_timeout <= Instant::now() {
                    serving.as_mut().end();
                    let _ = time::timeout(GOODBYE, serving).await;
                    return;
                }
            }
        }
    }
}

/// Ends the connection once its requests are answered and it has had the time for another one.
async fn finish<C>(mut serving: Pin<&mut C>, exchange: &Exchange)
where
    C: Future + Graceful,
{
    let until = if exchange.is_asked() {
        Instant::now() + IDLE_GRACE
    } else {
        exchange.last_request() + FIRST_REQUEST_GRACE
    };
    // Clients with one request leave by themselves, and some of them take a goodbye in the midst
    // of it for an error.
    tokio::select! {
        _ = &mut serving => return,
        () = exchange.evicted() => return,
        () = time::sleep_until(until) => {}
    }
    serving.as_mut().end();
    // The acceptor limits how long this takes.
    let _ = serving.await;
}

/// A connection that can be told to end once its requests are answered.
trait Graceful {
    fn end(self: Pin<&mut Self>);
}

impl<I, S, E> Graceful for auto::Connection<'_, I, S, E>
where
    S: hyper::service::HttpService<Incoming>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
    S::ResBody: hyper::body::Body + 'static,
    <S::ResBody as hyper::body::Body>::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    E: auto::HttpServerConnExec<S::Future, S::ResBody>,
{
    fn end(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
