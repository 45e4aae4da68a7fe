//! Routers over HTTP/1.1 in the clear: the API, health and metrics.

use std::future::pending;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, Response};
use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::{Answer, Terms, Versions, serve};

const TERMS: Terms = Terms {
    tls: None,
    versions: Versions::One,
    connections: Some(512),
    head_len: 64 * 1024,
    headers: 100,
    head_timeout: Duration::from_secs(30),
    // A request may take its time.
    idle_timeout: None,
    drain_timeout: Duration::from_secs(10),
};

/// Serves `router` until the sender of `ending` is dropped, then finishes the requests that have
/// begun. They carry [`ConnectInfo<SocketAddr>`].
pub(crate) async fn serve_router(
    listener: TcpListener,
    router: Router,
    ending: watch::Receiver<()>,
) {
    serve(listener, TERMS, admit(router), ending).await;
}

/// Lets everybody in.
pub(super) fn admit(router: Router) -> impl Fn(SocketAddr, SocketAddr) -> Option<Routed> {
    move |client, _| {
        let router = router.clone().layer(Extension(ConnectInfo(client)));
        Some(Routed(TowerToHyperService::new(router)))
    }
}

/// A router and its client.
pub(super) struct Routed(TowerToHyperService<Router>);

impl Answer for Routed {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match self.0.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    async fn evicted(&self) {
        pending::<()>().await;
    }

    /// A slow client is nobody's loss: it is not counted.
    fn note_too_slow(&self) {}
}
