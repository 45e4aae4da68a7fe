//! `/healthz`, `/readyz`, `/readyz/changes` and `/metrics`: whether the process lives, whether it
//! should be asked, whether it takes changes, and what it did.

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};
use tokio::task;

use crate::condition::{Condition, Verdict};
use crate::http::{Entrance, serve_router};
use crate::metrics::{Format, Metrics};

/// What is shown.
#[derive(Clone)]
pub(crate) struct Monitor {
    condition: Arc<Condition>,
    /// One page at a time: it may take some milliseconds, and scrapers are few.
    metrics: Arc<Mutex<Metrics>>,
}

impl Monitor {
    pub(crate) fn new(condition: Arc<Condition>, metrics: Metrics) -> Self {
        Self {
            condition,
            metrics: Arc::new(Mutex::new(metrics)),
        }
    }

    /// Serves all of it until the sender of `ending` is dropped, and finishes requests that have
    /// begun.
    pub(crate) async fn serve(self, listener: TcpListener, ending: watch::Receiver<()>) {
        let router = Router::new()
            .route("/healthz", get(async || "ok\n"))
            .route("/readyz", get(ready_for_queries))
            .route("/readyz/changes", get(ready_for_changes))
            .route("/metrics", get(metrics))
            .with_state(self);
        // As the API: with limits, and with an answer for whoever connected in time.
        let entrance = Entrance {
            listener,
            tls: None,
            clients: Arc::default(),
        };
        serve_router(entrance, router, ending).await;
    }
}

async fn ready_for_queries(State(monitor): State<Monitor>, headers: HeaderMap) -> Response {
    let readiness = monitor.condition.readiness(Instant::now());
    told(&readiness.for_queries(), &headers)
}

async fn ready_for_changes(State(monitor): State<Monitor>, headers: HeaderMap) -> Response {
    let readiness = monitor.condition.readiness(Instant::now());
    told(&readiness.for_changes(), &headers)
}

fn told(verdict: &Verdict, headers: &HeaderMap) -> Response {
    let status = if verdict.is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    if accepts(headers).contains("application/json") {
        let body = json!({
            "ready": verdict.is_ready(),
            "problems": verdict.problems,
            "notes": verdict.notes,
        });
        let kind = [(CONTENT_TYPE, "application/json")];
        return (status, kind, format!("{body}\n")).into_response();
    }
    (status, text(verdict)).into_response()
}

/// `ready` or `not ready` on the first line, then why, line by line.
fn text(verdict: &Verdict) -> String {
    let head = match verdict.problems.as_slice() {
        [] => "ready",
        _ => "not ready",
    };
    let problems = verdict.problems.iter().map(String::as_str);
    let notes = verdict.notes.iter().map(String::as_str);
    let mut text = String::new();
    for line in [head].into_iter().chain(problems).chain(notes) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

async fn metrics(State(monitor): State<Monitor>, headers: HeaderMap) -> Response {
    let format = Format::of(accepts(&headers));
    let metrics = Arc::clone(&monitor.metrics).lock_owned().await;
    let readiness = monitor.condition.readiness(Instant::now());
    // The walk through the World must not hold up other tasks. It holds the lock itself: it goes
    // on when the client is gone, and this future with it.
    let page = task::spawn_blocking(move || metrics.page(format, readiness)).await;
    match page {
        Ok(page) => ([(CONTENT_TYPE, format.content_type())], page).into_response(),
        Err(error) => {
            tracing::error!(%error, "metrics were not made: {error}");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

fn accepts(headers: &HeaderMap) -> &str {
    let accept = headers.get(ACCEPT);
    accept.and_then(|value| value.to_str().ok()).unwrap_or("")
}
