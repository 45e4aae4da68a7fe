//! Connections: how many, how long, and how they end. Plain HTTP/1.1; TLS is not here.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
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
/// The pause after accepting failed: most often for lack of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves `router` until `shutdown` is ready, then finishes the requests that have begun.
///
/// `axum::serve` is not used because it has no time limit on request heads and no bound on
/// connections.
///
/// # Errors
/// When the listener cannot tell its address.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    tracing::info!(address = %listener.local_addr()?, "the API is open");
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS as usize));
    let (end, ending) = watch::channel(());
    let mut shutdown = pin!(shutdown);
    // Ends with `shutdown`; the slots bound how many tasks there are.
    loop {
        let connection = tokio::select! {
            () = &mut shutdown => break,
            connection = accept(&listener, &slots) => connection,
        };
        if let Some((stream, peer, slot)) = connection {
            let router = router.clone().layer(Extension(ConnectInfo(peer)));
            tokio::spawn(converse(stream, router, slot, ending.clone()));
        }
    }
    drop(listener);
    drop(end);
    let drained = slots.acquire_many(MAX_CONNECTIONS);
    if time::timeout(DRAIN_TIMEOUT, drained).await.is_err() {
        tracing::warn!("the API closes with requests still open after {DRAIN_TIMEOUT:?}");
    }
    Ok(())
}

/// The next connection; none when accepting failed, after a pause.
async fn accept(
    listener: &TcpListener,
    slots: &Arc<Semaphore>,
) -> Option<(TcpStream, std::net::SocketAddr, OwnedSemaphorePermit)> {
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
    mut ending: watch::Receiver<()>,
) {
    // Answers are written in one piece; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD_LEN)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    tokio::select! {
        // How a connection breaks is the client's affair.
        _ = &mut connection => {}
        _ = ending.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
    drop(slot);
}
