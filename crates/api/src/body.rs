//! Bodies of requests: how long they are, how long they take, and how much of them is held at a time.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{self, Instant};

use crate::fault::ErrorResponse;

/// The largest body. A full batch with the longest names and values stays below it.
const MAX_LEN: usize = 1024 * 1024;
/// All bodies together: what two clients can send over all the connections that one may have.
pub(crate) const MAX_TOTAL_LEN: usize = 128 * 1024 * 1024;
/// The longest a client may take to send its body.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);
/// How much more than is taken of a body that is too long is read and thrown away, and for how long.
/// A client that is still sending when the connection is closed does not hear why.
const DISCARD_LEN: usize = 16 * MAX_LEN;
const DISCARD_TIMEOUT: Duration = Duration::from_secs(1);

/// What memory is shared out by.
const UNIT: usize = 1024;

/// The room for bodies.
pub(crate) struct Bodies {
    room: Arc<Semaphore>,
    timeout: Duration,
}

/// A whole body, and its part of the room.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    /// Until the request is answered.
    pub(crate) room: Option<OwnedSemaphorePermit>,
}

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
            timeout,
        }
    }

    /// Waits for a body.
    pub(crate) async fn receive(&self, body: Body) -> Result<Received, ErrorResponse> {
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
        let room = time::timeout_at(deadline, self.reserve(len)).await;
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

    /// Room for this many bytes; requests without a body need none.
    async fn reserve(&self, len: usize) -> Option<OwnedSemaphorePermit> {
        let units = u32::try_from(len.div_ceil(UNIT)).ok().filter(|&n| n > 0)?;
        // It is never closed.
        Arc::clone(&self.room).acquire_many_owned(units).await.ok()
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

    async fn code(bodies: &Bodies, len: usize) -> Result<Received, &'static str> {
        let body = bodies.receive(Body::from(vec![b'x'; len])).await;
        body.map_err(|error| error.code)
    }

    #[tokio::test]
    async fn bodies_have_an_end() {
        let bodies = Bodies::new(MAX_TOTAL_LEN, TIMEOUT);
        for len in [0, 1, 70_000, MAX_LEN] {
            assert_eq!(code(&bodies, len).await.unwrap().bytes.len(), len);
        }
        assert_eq!(
            code(&bodies, MAX_LEN + 1).await.unwrap_err(),
            "RequestEntityTooLarge"
        );
    }

    #[tokio::test]
    async fn what_does_not_fit_beside_others_waits() {
        let bodies = Bodies::new(4 * UNIT, Duration::from_millis(50));
        let first = code(&bodies, 3 * UNIT + 1).await.unwrap();
        assert_eq!(code(&bodies, 1).await.unwrap_err(), "ServiceUnavailable");
        // Those without one have nothing to wait for.
        code(&bodies, 0).await.unwrap();
        drop(first.bytes);
        assert_eq!(code(&bodies, 1).await.unwrap_err(), "ServiceUnavailable");
        drop(first.room);
        let two = [code(&bodies, 2 * UNIT).await, code(&bodies, 2 * UNIT).await];
        assert!(two.iter().all(Result::is_ok));
    }
}
