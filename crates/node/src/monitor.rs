//! `/healthz` and `/readyz`: whether the process lives, and whether it answers.

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

/// Serves both until the process ends. It is started once DNS is answered, so ready it is.
pub(crate) async fn serve(listener: TcpListener) -> std::io::Result<()> {
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async || "ready\n"));
    axum::serve(listener, router).await
}
