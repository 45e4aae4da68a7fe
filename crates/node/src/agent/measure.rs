//! How long a round trip to a site takes: what the kernel saw on a connection that carried a few
//! fetches.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use axum::body::Body;
use hyper::Request;
use hyper::header::{HOST, USER_AGENT};
use meridian_server::TcpInfo;
use tokio::time;

use super::http::Open;
use crate::move_in::Endpoint;

/// Fetches over one connection: with its handshake one round trip more.
const FETCHES: u32 = 3;
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The round trip to a site, in microseconds.
pub(super) async fn round_trip(site: &Endpoint) -> Result<u32> {
    let measured = time::timeout(PATIENCE, fetch(site)).await;
    measured.map_err(|_| anyhow!("it took longer than {PATIENCE:?}"))?
}

async fn fetch(site: &Endpoint) -> Result<u32> {
    let mut open = Open::connect(site).await.context("cannot be reached")?;
    for _ in 0..FETCHES {
        let request = Request::get("/p.gif")
            .header(HOST, &site.authority)
            .header(USER_AGENT, super::post::USER)
            .body(Body::empty())?;
        let (status, _) = open.ask(request).await?;
        ensure!(status == 200, "it answers with HTTP status {status}");
    }
    let info = TcpInfo::of(&open.socket)?;
    let rtt_us = info.min_rtt_us.unwrap_or(info.rtt_us);
    ensure!(rtt_us > 0, "the kernel knows no round trip of it");
    Ok(rtt_us)
}
