//! Routers over HTTP/1.1, in the clear or over TLS: the API, health and metrics.

use std::future::pending;
use std::net::SocketAddr;
use std::sync::Arc;
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
use tokio_rustls::rustls::ServerConfig;

use super::clients::{Admitted, Clients};
use super::{Answer, Terms, Tls, Versions, serve};

const TERMS: Terms = Terms {
    tls: None,
    // HTTP/2 would let one connection hold many requests, and its clients have few at a time.
    versions: Versions::One,
    connections: Some(512),
    head_len: 64 * 1024,
    headers: 100,
    head_timeout: Duration::from_secs(30),
    // A request may take its time, and a response: much more than this is a client that reads none.
    idle_timeout: Some(Duration::from_secs(120)),
    drain_timeout: Duration::from_secs(10),
};

/// The protocol that is spoken after the handshake, by its name (RFC 7301).
pub(crate) const PROTOCOL: &str = "http/1.1";
/// How long a handshake may take.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Where requests come in.
pub(crate) struct Entrance {
    pub(crate) listener: TcpListener,
    /// Without it everything is in the clear.
    pub(crate) tls: Option<Arc<ServerConfig>>,
    /// Who has how many connections, at other entrances of the service too.
    pub(crate) clients: Arc<Clients>,
}

/// Serves `router` until the sender of `ending` is dropped, then finishes the requests that have
/// begun. They carry [`ConnectInfo<SocketAddr>`].
pub(crate) async fn serve_router(entrance: Entrance, router: Router, ending: watch::Receiver<()>) {
    let terms = Terms {
        tls: entrance.tls.map(|config| Tls {
            config,
            handshake_timeout: HANDSHAKE_TIMEOUT,
        }),
        ..TERMS
    };
    serve(
        entrance.listener,
        terms,
        admit(router, entrance.clients),
        ending,
    )
    .await;
}

/// Lets everybody in who has not too many connections.
pub(super) fn admit(
    router: Router,
    clients: Arc<Clients>,
) -> impl Fn(SocketAddr, SocketAddr) -> Option<Routed> {
    move |client, _| {
        let admitted = clients.admit(client.ip())?;
        let router = router.clone().layer(Extension(ConnectInfo(client)));
        Some(Routed {
            service: TowerToHyperService::new(router),
            _admitted: admitted,
        })
    }
}

/// A router and its client.
pub(super) struct Routed {
    service: TowerToHyperService<Router>,
    _admitted: Admitted,
}

impl Answer for Routed {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        match self.service.call(request).await {
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
