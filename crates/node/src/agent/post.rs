//! Posting what was measured, and keeping for a while what cannot be posted.

use std::collections::VecDeque;
use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hyper::Request;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use meridian_control::{Environment, SystemEnvironment};
use ring::signature::Ed25519KeyPair;
use tokio::time::{self, Instant};

use super::Plan;
use super::http::Open;
use crate::beacon::post::{FROM, From, MAX_ROUND_TRIPS, PATH, Post, RoundTrip, SIGNATURE};
use crate::beacon::{MAX_SKEW_MS, key_pair};
use crate::move_in::Endpoint;

/// What servers are told that an agent is.
pub(super) const USER: &str = concat!("meridian-agent/", env!("CARGO_PKG_VERSION"));

/// How many round trips are kept; the oldest make room.
const MAX_KEPT: usize = 10_000;
/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// The pause after the first failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(600);
/// How often it is tried by an agent that measures once.
const TRIES: u32 = 3;

/// What waits to be posted.
#[derive(Debug, Default)]
pub(super) struct Outbox(VecDeque<RoundTrip>);

impl Outbox {
    pub(super) fn put(&mut self, round_trips: impl Iterator<Item = RoundTrip>) {
        self.0.extend(round_trips);
        let over = self.0.len().saturating_sub(MAX_KEPT);
        self.0.drain(..over);
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The oldest, as many as go into one post.
    fn next(&self) -> Vec<RoundTrip> {
        self.0.iter().take(MAX_ROUND_TRIPS).cloned().collect()
    }
}

/// Posts to a server.
pub(super) struct Poster {
    name: String,
    region: Option<String>,
    server: Endpoint,
    key: Ed25519KeyPair,
    /// When the last post was signed, in ms since 1970: each is to be later than the one before.
    signed_ms: u64,
    pause: Duration,
    not_before: Option<Instant>,
    /// How many were posted the last time, and why no more.
    pub(super) posted: usize,
    pub(super) failure: Option<String>,
    /// Whether the server said no, which it will say again in a moment.
    refused: bool,
}

/// Why a post is not taken.
enum Failure {
    /// It will not be, however often it is sent.
    Forever(anyhow::Error),
    Now(anyhow::Error),
}

impl Poster {
    /// None where there is no server.
    pub(super) fn new(plan: &Plan) -> Result<Option<Self>> {
        let Some((url, file)) = &plan.server else {
            return Ok(None);
        };
        let shown = file.display();
        let text = fs::read_to_string(file).with_context(|| format!("cannot read {shown}"))?;
        let secret = BASE64.decode(text.trim());
        let secret = secret.with_context(|| format!("{shown} has no key of an agent"))?;
        let key = key_pair(&secret).with_context(|| format!("{shown} has no key of an agent"))?;
        Ok(Some(Self {
            name: plan.name.clone(),
            region: plan.region.clone(),
            server: Endpoint::read(url, plan.ca.as_deref())?,
            key,
            signed_ms: 0,
            pause: FIRST_PAUSE,
            not_before: None,
            posted: 0,
            failure: None,
            refused: false,
        }))
    }

    /// Posts what there is, unless it failed a moment ago.
    pub(super) async fn try_now(&mut self, outbox: &mut Outbox) {
        self.posted = 0;
        if self.not_before.is_some_and(|then| Instant::now() < then) {
            return;
        }
        // Each turn takes something out.
        while outbox.len() > 0 {
            let next = outbox.next();
            let count = next.len();
            match self.post(next).await {
                Ok(()) => self.posted += count,
                // It would stand before all others for ever.
                Err(Failure::Forever(error)) => self.note(&error),
                Err(Failure::Now(error)) => {
                    self.note(&error);
                    self.not_before = Some(Instant::now() + self.pause);
                    self.pause = (self.pause * 2).min(LONGEST_PAUSE);
                    return;
                }
            }
            outbox.0.drain(..count);
        }
        self.pause = FIRST_PAUSE;
        self.not_before = None;
        if self.posted > 0 {
            self.failure = None;
        }
    }

    /// Posts what there is, a few times if need be.
    pub(super) async fn insist(&mut self, outbox: &mut Outbox) {
        let mut posted = 0;
        for _ in 0..TRIES {
            if let Some(then) = self.not_before {
                time::sleep_until(then).await;
            }
            self.try_now(outbox).await;
            posted += self.posted;
            if outbox.len() == 0 || self.refused {
                break;
            }
        }
        self.posted = posted;
    }

    fn note(&mut self, error: &anyhow::Error) {
        let text = format!("not posted: {error:#}");
        tracing::warn!("{text}");
        self.failure = Some(text);
    }

    async fn post(&mut self, round_trips: Vec<RoundTrip>) -> Result<(), Failure> {
        let post = Post {
            region: self.region.clone(),
            round_trips,
        };
        let request = self.request(&post)?;
        let server = &self.server;
        let exchange = async { Open::connect(server).await?.ask(request).await };
        let answer = time::timeout(PATIENCE, exchange).await;
        let answer = answer.unwrap_or_else(|_| Err(anyhow!("it took longer than {PATIENCE:?}")));
        let authority = &server.authority;
        let answer = answer.with_context(|| format!("{authority} does not answer"));
        let (status, body) = answer.map_err(Failure::Now)?;
        let said = String::from_utf8_lossy(&body);
        let said = said.lines().next().unwrap_or_default();
        let refused = anyhow!("{authority} answers with HTTP status {status}: {said}");
        self.refused = matches!(status, 400..=499) && status != 429;
        match status {
            204 => Ok(()),
            400 | 413 => Err(Failure::Forever(refused)),
            _ => Err(Failure::Now(refused)),
        }
    }

    fn request(&mut self, post: &Post) -> Result<Request<Body>, Failure> {
        let now_ms = u64::try_from(SystemEnvironment::new().now().0).unwrap_or(0);
        self.signed_ms = later(self.signed_ms, now_ms).map_err(Failure::Now)?;
        self.signed(post, self.signed_ms).map_err(Failure::Forever)
    }

    fn signed(&self, post: &Post, now_ms: u64) -> Result<Request<Body>> {
        let body = serde_json::to_vec(post)?;
        let from = From {
            name: &self.name,
            at_ms: now_ms,
        };
        let signature = self.key.sign(&from.signed(&body));
        let request = Request::post(PATH)
            .header(HOST, &self.server.authority)
            .header(USER_AGENT, USER)
            .header(CONTENT_TYPE, "application/json")
            .header(FROM, from.header())
            .header(SIGNATURE, BASE64.encode(signature))
            .body(Body::from(body))?;
        Ok(request)
    }
}

/// When a post is signed that comes after another one. A server takes none from before what it has
/// taken, nor from long after what its own clock says: what was signed far ahead is as good as not.
fn later(signed_ms: u64, now_ms: u64) -> Result<u64> {
    if (now_ms..=now_ms.saturating_add(MAX_SKEW_MS)).contains(&signed_ms) {
        bail!("the clock stands still or was set back: it is tried again when it has gone on");
    }
    Ok(now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that was measured was thrown away until the clock was where it had been.
    #[test]
    fn a_clock_that_is_set_back_costs_no_round_trips() {
        assert_eq!(later(0, 1_000_000).unwrap(), 1_000_000);
        assert_eq!(later(999_999, 1_000_000).unwrap(), 1_000_000);
        for signed_ms in [1_000_000, 1_000_001, 1_000_000 + MAX_SKEW_MS] {
            assert!(later(signed_ms, 1_000_000).is_err());
        }
        assert_eq!(later(u64::MAX, 1_000_000).unwrap(), 1_000_000);
    }

    #[test]
    fn the_oldest_make_room() {
        let trip = |at_s| RoundTrip {
            to: "a".to_owned(),
            at_s,
            rtt_us: 1,
        };
        let mut outbox = Outbox::default();
        outbox.put((0..15_000).map(trip));
        assert_eq!(outbox.len(), MAX_KEPT);
        assert_eq!(outbox.next().len(), MAX_ROUND_TRIPS);
        assert_eq!(outbox.next()[0].at_s, 5000);
    }
}
