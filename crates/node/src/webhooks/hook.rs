//! One webhook: where it is, one request to it, and how it has fared.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use axum::body::Body;
use hyper::Request;
use hyper::header::CONTENT_TYPE;
use meridian_control::{Environment, SystemEnvironment};
use meridian_health::Guard;
use meridian_model::{HealthCheck, ProbeRights};
use tokio::time::timeout;

use super::queue::{Message, Queue};
use super::signature::signature;
use crate::config::Webhook;
use crate::outgoing::Place;

/// Requests that are under way at the same time. What is told of one check is told one by one.
const LANES: usize = 4;

/// A webhook.
pub(crate) struct Hook {
    /// What it is called.
    pub(crate) name: String,
    place: Place,
    secret: Option<Vec<u8>>,
    checks: Vec<String>,
    accounts: Vec<String>,
    guard: Guard,
    reach: ProbeRights,
    timeout: Duration,
    pub(super) attempts: u32,
    pub(super) give_up_after: Duration,
    pub(super) lanes: [Queue; LANES],
    counts: Counts,
    is_failing: AtomicBool,
}

/// How it has fared.
#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    retried: AtomicU64,
    dropped: AtomicU64,
}

/// How it has fared, as numbers.
pub(crate) struct Fared {
    /// What was taken.
    pub(crate) sent: u64,
    /// Tries after a first one.
    pub(crate) retried: u64,
    /// What will not be told.
    pub(crate) dropped: u64,
    /// What waits to be told.
    pub(crate) waiting: usize,
}

impl Hook {
    pub(super) fn of(webhook: &Webhook, guard: &Guard) -> Result<Self> {
        let named = || format!("webhooks: '{}'", webhook.name);
        let place = Place::of(&webhook.url, webhook.ca.as_deref());
        Ok(Self {
            name: webhook.name.clone(),
            place: place.with_context(named)?,
            secret: webhook.secret().with_context(named)?,
            checks: webhook.checks.clone(),
            accounts: webhook.accounts.clone(),
            guard: guard.clone(),
            reach: webhook.reach().with_context(named)?,
            timeout: webhook.timeout(),
            attempts: webhook.attempts,
            give_up_after: webhook.give_up_after(),
            lanes: Default::default(),
            counts: Counts::default(),
            is_failing: AtomicBool::new(false),
        })
    }

    /// Whether it is told of this check.
    pub(super) fn wants(&self, check: &HealthCheck) -> bool {
        let all = self.checks.is_empty() && self.accounts.is_empty();
        all || self.checks.iter().any(|id| id == check.id.as_str())
            || self.accounts.iter().any(|id| id == check.account.as_str())
    }

    /// The queue of what is told of this check: always the same, so that the order stays.
    pub(super) fn lane(&self, check: &HealthCheck) -> &Queue {
        let slot = usize::try_from(check.slot.slot).unwrap_or(0);
        // There are as many as it is divided by.
        &self.lanes[slot % LANES]
    }

    /// Tells once. An answer of success is all that counts; redirects are none.
    pub(super) async fn post(&self, message: &Message) -> Result<u16> {
        let status = timeout(self.timeout, self.exchange(message)).await;
        let status = status.map_err(|_| anyhow!("no answer within {:?}", self.timeout))??;
        ensure!((200..300).contains(&status), "HTTP status {status}");
        Ok(status)
    }

    async fn exchange(&self, message: &Message) -> Result<u16> {
        let at_s = SystemEnvironment::new().now().0.div_euclid(1000);
        let query = self.place.query.as_ref();
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let mut request = Request::post(format!("{}{query}", self.place.path))
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", at_s);
        if let Some(secret) = &self.secret {
            let signature = signature(secret, &message.id, at_s, &message.body);
            request = request.header("webhook-signature", signature);
        }
        let request = request.body(Body::from(message.body.clone()))?;
        let may = |address: SocketAddr| {
            let checked = self.guard.check(address, self.reach);
            checked.map_err(|denial| {
                anyhow!(
                    "{}: {denial}; `reach` is {}",
                    address.ip(),
                    self.reach.as_str()
                )
            })
        };
        // What it says besides is nobody's business.
        Ok(self.place.send(request, may).await?.status().as_u16())
    }

    /// It took a message.
    pub(super) fn note_sent(&self) {
        self.counts.sent.fetch_add(1, Ordering::Relaxed);
        if self.is_failing.swap(false, Ordering::Relaxed) {
            tracing::info!(
                webhook = self.name,
                "the webhook {} is told again",
                self.name
            );
        }
    }

    /// It did not take a message, which is tried again.
    pub(super) fn note_retry(&self) {
        self.counts.retried.fetch_add(1, Ordering::Relaxed);
    }

    /// It failed. That is told once until it does not any more.
    pub(super) fn note_failure(&self, error: &anyhow::Error) {
        if !self.is_failing.swap(true, Ordering::Relaxed) {
            let name = &self.name;
            tracing::warn!(
                webhook = name,
                "the webhook {name} cannot be told: {error:#}"
            );
        }
    }

    /// So many messages will not be told.
    pub(super) fn note_dropped(&self, count: u64) {
        self.counts.dropped.fetch_add(count, Ordering::Relaxed);
    }

    /// How it has fared.
    pub(crate) fn fared(&self) -> Fared {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Fared {
            sent: of(&self.counts.sent),
            retried: of(&self.counts.retried),
            dropped: of(&self.counts.dropped),
            waiting: self.lanes.iter().map(Queue::len).sum(),
        }
    }
}
