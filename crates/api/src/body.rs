//! Bodies of requests: how long they are, how long they take, and how much of them is held at a time.

use std::collections::HashMap;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{self, Instant};

use crate::fault::ErrorResponse;

/// The largest body.
///
/// The largest request there is changes 1,000 aliases, each in bytes of XML at most:
/// - twice 1,504 for its name and that of its target: 250 bytes, each a reference such as `&quot;`,
///   and four dots;
/// - 1,280 for a set identifier: 128 characters, each as `&#1114109;`;
/// - 64 for a health check, 32 for a hosted zone, and less than 600 for the tags and short texts;
/// - 53 for each of 16 elements that repeats the namespace, and 20 blanks in front of each of 24 tags.
///
/// That is 6.3 million. Values do not come to that: they are 32,000 characters, and who has values
/// has no target. The document of a traffic policy is 1.02 million, with a reference for each of its
/// 102,400 characters. What is left is for clients that write still more around it, and for quotas
/// that operators raise.
pub(crate) const MAX_LEN: usize = 8 * 1024 * 1024;
/// All large bodies together.
pub(crate) const MAX_TOTAL_LEN: usize = 128 * 1024 * 1024;
/// What one source may have of it: as large a part as of the connections there are, so that it takes
/// as many addresses to keep others from sending.
const SHARES: usize = 8;
/// Up to here a body is not large. Connections are few enough to give each of them that much, and
/// nearly all requests are shorter: they wait for nobody.
const SMALL_LEN: usize = 64 * 1024;
/// The longest a client may take to send its body.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// How much more than is taken of a body that is too long is read and thrown away, and for how long.
/// A client that is still sending when the connection is closed does not hear why.
const DISCARD_LEN: usize = 2 * MAX_LEN;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(1);

/// How many sources are remembered before those are forgotten that have nothing.
const MANY_SOURCES: usize = 1024;

/// What memory is shared out by.
const UNIT: usize = 1024;

/// The room for large bodies.
pub(crate) struct Bodies {
    room: Arc<Semaphore>,
    /// What each source has left of its share, as long as anybody has something of it.
    shares: Mutex<HashMap<Option<IpAddr>, Weak<Semaphore>>>,
    share: usize,
    timeout: Duration,
}

/// A whole body, and its part of the room.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    /// Until the request is answered; none for a small one.
    pub(crate) room: Option<Room>,
}

/// A part of its source's share, and of all the room there is.
pub(crate) type Room = [OwnedSemaphorePermit; 2];

/// Why there is no body.
enum Failure {
    TooLong,
    /// Its encoding is wrong, or it ends in the midst.
    Broken,
}

impl Bodies {
    /// Room for so many bytes, and the time that each body may take.
    pub(crate) fn new(total_len: usize, timeout: Duration) -> Self {
        Self {
            room: Arc::new(Semaphore::new(total_len / UNIT)),
            shares: Mutex::default(),
            share: total_len / UNIT / SHARES,
            timeout,
        }
    }

    /// Waits for a body from this source.
    pub(crate) async fn receive(
        &self,
        source: &str,
        body: Body,
    ) -> Result<Received, ErrorResponse> {
        let deadline = Instant::now() + self.timeout;
        let hint = body.size_hint();
        let announced = |len| usize::try_from(len).unwrap_or(usize::MAX);
        if announced(hint.lower()) > MAX_LEN {
            discard(body).await;
            return Err(too_long());
        }
        // Who does not say how long it is may send all that is allowed. It is taken at the beginning,
        // so that nobody waits for more with a half in hand.
        let len = hint.upper().map_or(MAX_LEN, announced).min(MAX_LEN);
        let room = time::timeout_at(deadline, self.reserve(source, len)).await;
        let room = room.map_err(|_| {
            ErrorResponse::new(
                "ServiceUnavailable",
                "Too many large requests at the same time; send the request again.",
            )
        })?;
        match time::timeout_at(deadline, collect(body, len)).await {
            Ok(Ok(bytes)) => Ok(Received { bytes, room }),
            Ok(Err(Failure::TooLong)) => Err(too_long()),
            Ok(Err(Failure::Broken)) => Err(ErrorResponse::new(
                "MalformedInput",
                "The request body is not encoded as HTTP says, or it is broken off.",
            )),
            Err(_) => Err(ErrorResponse::new(
                "RequestTimeout",
                "The request body did not arrive in time.",
            )),
        }
    }

    /// Room for this many bytes, unless they are few.
    async fn reserve(&self, source: &str, len: usize) -> Option<Room> {
        if len <= SMALL_LEN {
            return None;
        }
        let units = u32::try_from(len.div_ceil(UNIT)).ok()?;
        // Neither is ever closed. The share first: who waits for it takes nothing from others.
        let share = self.share_of(source).acquire_many_owned(units).await.ok()?;
        let room = Arc::clone(&self.room)
            .acquire_many_owned(units)
            .await
            .ok()?;
        Some([share, room])
    }

    fn share_of(&self, source: &str) -> Arc<Semaphore> {
        let source = source.parse().ok().map(network);
        let mut shares = self.shares.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = shares.get(&source).and_then(Weak::upgrade) {
            return share;
        }
        if shares.len() >= MANY_SOURCES {
            shares.retain(|_, share| share.strong_count() > 0);
        }
        let share = Arc::new(Semaphore::new(self.share));
        shares.insert(source, Arc::downgrade(&share));
        share
    }
}

/// Who has one address of IPv6 has a /64.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

async fn collect(mut body: Body, expected: usize) -> Result<Bytes, Failure> {
    let mut bytes = Vec::new();
    while let Some(data) = next(&mut body).await? {
        if bytes.len() + data.len() > MAX_LEN {
            discard(body).await;
            return Err(Failure::TooLong);
        }
        // In one piece, but not before it comes.
        bytes.reserve_exact(expected.saturating_sub(bytes.len()).max(data.len()));
        bytes.extend_from_slice(&data);
    }
    Ok(bytes.into())
}

/// The next piece; none at the end.
async fn next(body: &mut Body) -> Result<Option<Bytes>, Failure> {
    match poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await {
        None => Ok(None),
        // Trailers are nobody's.
        Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
        Some(Err(_)) => Err(Failure::Broken),
    }
}

/// Reads on for a while, so that the client has sent what it has to send.
async fn discard(mut body: Body) {
    let reading = async {
        let mut len = 0;
        while let Ok(Some(data)) = next(&mut body).await
            && len < DISCARD_LEN
        {
            len += data.len();
        }
    };
    let _ = time::timeout(DISCARD_TIMEOUT, reading).await;
}

fn too_long() -> ErrorResponse {
    ErrorResponse::new(
        "RequestEntityTooLarge",
        format!("The request body is larger than {MAX_LEN} bytes."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn receive(bodies: &Bodies, source: &str, len: usize) -> Result<Received, &'static str> {
        let body = bodies.receive(source, Body::from(vec![b'x'; len])).await;
        body.map_err(|error| error.code)
    }

    #[tokio::test]
    async fn bodies_have_an_end() {
        let bodies = Bodies::new(MAX_TOTAL_LEN, TIMEOUT);
        for len in [0, 1, 70_000, MAX_LEN] {
            assert_eq!(receive(&bodies, "a", len).await.unwrap().bytes.len(), len);
        }
        assert_eq!(
            receive(&bodies, "a", MAX_LEN + 1).await.unwrap_err(),
            "RequestEntityTooLarge"
        );
    }

    #[tokio::test]
    async fn what_does_not_fit_beside_others_waits() {
        let bodies = Bodies::new(8 * MAX_LEN, Duration::from_millis(50));
        let first = receive(&bodies, "2001:db8::1", MAX_LEN).await.unwrap();
        // The share of one is used up, that of others is not.
        assert_eq!(
            receive(&bodies, "2001:db8::2", SMALL_LEN + 1)
                .await
                .unwrap_err(),
            "ServiceUnavailable"
        );
        receive(&bodies, "2001:db8::1", SMALL_LEN).await.unwrap();
        let mut others = Vec::new();
        for source in (1..8).map(|n| format!("192.0.2.{n}")) {
            others.push(receive(&bodies, &source, MAX_LEN).await.unwrap());
        }
        // There is no more room at all.
        assert_eq!(
            receive(&bodies, "192.0.2.9", MAX_LEN).await.unwrap_err(),
            "ServiceUnavailable"
        );
        receive(&bodies, "192.0.2.9", SMALL_LEN).await.unwrap();
        drop(first.bytes);
        assert_eq!(
            receive(&bodies, "192.0.2.9", MAX_LEN).await.unwrap_err(),
            "ServiceUnavailable"
        );
        drop(first.room);
        receive(&bodies, "192.0.2.9", MAX_LEN).await.unwrap();
        receive(&bodies, "2001:db8::3", MAX_LEN).await.unwrap();
    }

    #[tokio::test]
    async fn sources_that_have_nothing_are_forgotten() {
        let bodies = Bodies::new(MAX_TOTAL_LEN, TIMEOUT);
        let held = receive(&bodies, "192.0.2.1", MAX_LEN).await.unwrap();
        for number in 0..3 * MANY_SOURCES {
            let source = format!("10.0.{}.{}", number / 256, number % 256);
            receive(&bodies, &source, SMALL_LEN + 1).await.unwrap();
        }
        let shares = bodies.shares.lock().unwrap();
        assert!(shares.len() <= MANY_SOURCES && shares.contains_key(&"192.0.2.1".parse().ok()));
        drop(held);
    }
}
