//! One question to Prometheus by HTTP, in bounded time and of bounded length. Redirects are not
//! followed.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, anyhow, ensure};
use axum::body::Body;
use hyper::Request;
use hyper::header::ACCEPT;
use meridian_model::{AddressRange, ProbeRights};
use tokio::time::timeout;

use super::answer::Times;
use crate::config::Alarm;
use crate::outgoing::{Place, whole};

/// How long a whole question takes at most.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer: a few thousand values.
const MAX_ANSWER: usize = 1024 * 1024;

/// Where Prometheus is, and what is asked there.
pub(super) struct Question {
    place: Place,
    query: String,
}

impl Question {
    pub(super) fn of(alarm: &Alarm) -> Result<Self> {
        let place = Place::of(&alarm.url, alarm.ca.as_deref())?;
        ensure!(place.query.is_none(), "the URL has a query of its own");
        Ok(Self {
            place,
            query: encoded(&alarm.query),
        })
    }

    /// What is answered for these times.
    pub(super) async fn ask(&self, times: &Times) -> Result<Vec<u8>> {
        let answered = timeout(TIMEOUT, self.exchange(times)).await;
        answered.map_err(|_| anyhow!("no whole answer within {TIMEOUT:?}"))?
    }

    async fn exchange(&self, times: &Times) -> Result<Vec<u8>> {
        let request = Request::builder()
            .uri(format!(
                "{}/api/v1/query_range?query={}&start={}&end={}&step={}",
                self.place.path.trim_end_matches('/'),
                self.query,
                times.start,
                times.end(),
                times.period
            ))
            .header(ACCEPT, "application/json")
            .body(Body::empty())?;
        let answer = self.place.send(request, may).await?;
        let status = answer.status();
        let body = whole(answer.into_body(), MAX_ANSWER).await?;
        // Errors of Prometheus itself are JSON with a status of 4xx or 5xx; they say more.
        let is_told = body.starts_with(b"{");
        ensure!(status.is_success() || is_told, "HTTP status {status}");
        Ok(body)
    }
}

/// Alarms are set up by whoever runs this machine, so they may lead to whatever can be reached at
/// all.
fn may(address: SocketAddr) -> Result<()> {
    let range = AddressRange::of(address.ip().to_canonical());
    let may = ProbeRights::Everything.allow(range);
    ensure!(may, "nothing can listen at {}", address.ip());
    Ok(())
}

/// A text as part of a query (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded_byte_by_byte() {
        assert_eq!(
            encoded("sum(up{a=\"é\"})"),
            "sum%28up%7Ba%3D%22%C3%A9%22%7D%29"
        );
    }
}
