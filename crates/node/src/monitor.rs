//! `/healthz` and `/readyz`: whether the process lives, and whether it answers.

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;

/// Serves both until `over`, and finishes requests that have begun. It is started once DNS is
/// answered, so ready it is.
pub(crate) async fn serve(listener: TcpListener, over: impl Future<Output = ()> + Send) {
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async || "ready\n"));
    // As the API: with limits, and with an answer for whoever connected in time.
    meridian_api::serve(listener, router, over).await;
}
