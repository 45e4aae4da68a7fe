//! Connections: how many, how long, and how they end. Plain HTTP/1.1; TLS is not here.

use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time;

/// How many connections are open at the same time; further ones wait in the listen queue.
const MAX_CONNECTIONS: u32 = 512;
/// How long a connection may stay without a whole request head, between requests too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// The largest request head.
const MAX_HEAD_LEN: usize = 64 * 1024;
/// The most headers.
const MAX_HEADERS: usize = 100;
/// How long requests may take to finish once the end has come.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection without a request in progress stays open once the end has come, and how
/// long one that has never had a request does: the next one may be on its way. It is answered, and
/// told to be the last.
const IDLE_GRACE: Duration = Duration::from_millis(100);
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(500);
/// The pause after accepting failed: most often for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `shutdown` is ready, then finishes the requests that have begun.
///
/// `axum::serve` is not used because it has no time limit on request heads and no bound on
/// connections.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) {
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    let (end, ending) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    let begin = |(stream, peer, slot): Accepted| {
        let router = router.clone().layer(Extension(ConnectInfo(peer)));
        tokio::spawn(converse(stream, router, slot, ending.clone()));
    };
    // Ends with `shutdown`; the slots bound how many tasks there are.
    loop {
        tokio::select! {
            () = &mut shutdown => break,
            connection = accept(&listener, &slots) => drop(connection.map(begin)),
        }
    }
    // Whoever waits in the listen queue has connected in time; the slots bound this too.
    while let Ok(Some(waiting)) = time::timeout(Duration::ZERO, accept(&listener, &slots)).await {
        begin(waiting);
    }
    drop(listener);
    drop(end);
    let drained = slots.acquire_many(MAX_CONNECTIONS);
    if time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!("closing with requests still open after {DRAIN_TIMEOUT:?}");
    }
}

/// A connection, who it is from, and its slot.
type Accepted = (TcpStream, std::net::SocketAddr, OwnedSemaphorePermit);

/// The next connection; none when accepting failed, after a pause.
async fn accept(listener: &TcpListener, slots: &Arc<Semaphore>) -> Option<Accepted> {
    let slot = Arc::clone(slots).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, slot)),
        Err(error) => {
            tracing::warn!(%error, "cannot accept a connection: {error}");
            time::sleep(ACCEPT_PAUSE).await;
            None
        }
    }
}

async fn converse(
    stream: TcpStream,
    router: Router,
    slot: OwnedSemaphorePermit,
    ending: watch::Receiver<()>,
) {
    // Answers are written in one piece; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let asked = AtomicBool::new(false);
    let router = TowerToHyperService::new(router);
    let service = service_fn(|request| {
        asked.store(true, Ordering::Relaxed);
        let (answer, ending) = (router.call(request), ending.clone());
        async move {
            let mut answer = answer.await?;
            // The channel is closed when the end has come.
            if ending.has_changed().is_err() {
                let close = HeaderValue::from_static("close");
                answer.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, Infallible>(answer)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_LEN)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let mut ending = ending.clone();
    // How a connection breaks is the client's affair.
    tokio::select! {
        _ = &mut connection => return,
        _ = ending.changed() => {}
    }
    let grace = if asked.load(Ordering::Relaxed) {
        IDLE_GRACE
    } else {
        FIRST_REQUEST_GRACE
    };
    let over = time::timeout(grace, &mut connection).await.is_ok();
    if !over && asked.load(Ordering::Relaxed) {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
    drop(slot);
}
