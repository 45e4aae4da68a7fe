//! One request and its response (RFC 8484 section 4).

use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hyper::body::Incoming;
use meridian_dns::message::freshness_s;
use meridian_server::{HttpsConnection, TcpLimits};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time;

use crate::http::Answer;

/// The path of the one resource there is, as in RFC 8484's examples.
const PATH: &str = "/dns-query";
/// The media type of a message (RFC 8484 section 6).
const MEDIA_TYPE: &str = "application/dns-message";
/// The longest message.
const MESSAGE_MAX: usize = u16::MAX as usize;
/// Of one connection, this many replies longer than that wait for the client to take them; with
/// HTTP/2 it could ask for many more at once and take none.
const LONG_REPLIES: usize = 2;
const LONG: usize = 4096;
/// What may be done with the resource.
const METHODS: &str = "GET, HEAD, POST";

/// What the requests of one connection share.
pub(super) struct Exchange {
    connection: HttpsConnection,
    limits: TcpLimits,
    room: Arc<Semaphore>,
}

impl Exchange {
    pub(super) fn new(connection: HttpsConnection, limits: TcpLimits) -> Self {
        Self {
            connection,
            limits,
            room: Arc::new(Semaphore::new(LONG_REPLIES)),
        }
    }

    /// The reply, once there is room for one of any length.
    async fn reply(&self, query: &[u8]) -> Result<Bytes, StatusCode> {
        let room = Arc::clone(&self.room).acquire_owned();
        let Ok(Ok(room)) = time::timeout(self.limits.write_timeout, room).await else {
            self.connection.note_too_slow();
            return Err(StatusCode::SERVICE_UNAVAILABLE);
        };
        let reply = self.connection.answer(query);
        let reply = reply.ok_or(StatusCode::BAD_REQUEST)?;
        Ok(held(reply, room))
    }

    async fn read(&self, body: Incoming) -> Result<Vec<u8>, StatusCode> {
        let reading = to_bytes(Body::new(body), MESSAGE_MAX);
        match time::timeout(self.limits.message_timeout, reading).await {
            Ok(Ok(message)) => Ok(message.into()),
            // A body that breaks off is not distinguished: nobody is there to be told.
            Ok(Err(_)) => Err(StatusCode::PAYLOAD_TOO_LARGE),
            Err(_) => {
                self.connection.note_too_slow();
                Err(StatusCode::REQUEST_TIMEOUT)
            }
        }
    }
}

impl Answer for Exchange {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let (head, body) = request.into_parts();
        let query = if head.uri.path() != PATH {
            Err(StatusCode::NOT_FOUND)
        } else if head.method == Method::GET || head.method == Method::HEAD {
            query_of(head.uri.query().unwrap_or_default())
        } else if head.method != Method::POST {
            Err(StatusCode::METHOD_NOT_ALLOWED)
        } else if is_message(&head.headers) {
            self.read(body).await
        } else {
            Err(StatusCode::UNSUPPORTED_MEDIA_TYPE)
        };
        let reply = match query {
            Ok(query) => self.reply(&query).await,
            Err(code) => Err(code),
        };
        match reply {
            Ok(reply) if head.method == Method::HEAD => response(&reply, Body::empty()),
            Ok(reply) => {
                let mut response = response(&reply, Body::empty());
                *response.body_mut() = Body::from(reply);
                response
            }
            Err(code) => refusal(code),
        }
    }

    async fn evicted(&self) {
        self.connection.evicted().await;
    }

    fn note_too_slow(&self) {
        self.connection.note_too_slow();
    }
}

/// A reply that keeps its room, if it is long, until its last byte is sent or given up.
fn held(reply: Vec<u8>, room: OwnedSemaphorePermit) -> Bytes {
    struct Held(
        Vec<u8>,
        #[expect(dead_code, reason = "dropped with it")] OwnedSemaphorePermit,
    );
    impl AsRef<[u8]> for Held {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    if reply.len() > LONG {
        Bytes::from_owner(Held(reply, room))
    } else {
        reply.into()
    }
}

/// The message in the query part of a URI.
fn query_of(parameters: &str) -> Result<Vec<u8>, StatusCode> {
    let mut messages = parameters
        .split('&')
        .filter_map(|parameter| parameter.strip_prefix("dns="));
    messages
        .next()
        .and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .ok_or(StatusCode::BAD_REQUEST)
}

/// Whether a message is said to be in the body.
fn is_message(headers: &HeaderMap) -> bool {
    let said = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    // Parameters mean nothing here (RFC 8484 section 6).
    let essence = said.and_then(|said| said.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case(MEDIA_TYPE))
}

fn response(reply: &[u8], body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, MEDIA_TYPE.parse().expect("a media type"));
    let freshness = format!("max-age={}", freshness_s(reply));
    headers.insert(
        CACHE_CONTROL,
        freshness.parse().expect("letters and digits"),
    );
    response
}

/// Says in a line what is wrong, for whoever tries it by hand.
fn refusal(code: StatusCode) -> Response<Body> {
    let text = match code {
        StatusCode::NOT_FOUND => "DNS over HTTPS is at /dns-query\n",
        StatusCode::METHOD_NOT_ALLOWED => "use GET with ?dns=, or POST\n",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "the body must be application/dns-message\n",
        StatusCode::PAYLOAD_TOO_LARGE => "a message has at most 65535 bytes\n",
        StatusCode::SERVICE_UNAVAILABLE => "take the replies before asking for more\n",
        StatusCode::REQUEST_TIMEOUT => "the message took too long\n",
        _ => "there must be one DNS query, in ?dns= as base 64 for URLs without padding\n",
    };
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = code;
    let headers = response.headers_mut();
    let plain = "text/plain; charset=utf-8";
    headers.insert(CONTENT_TYPE, plain.parse().expect("a media type"));
    if code == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, METHODS.parse().expect("names of methods"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_the_parameter_of_that_name() {
        for (parameters, expected) in [
            ("dns=Zm9v", Ok(&b"foo"[..])),
            ("ct=x&dns=Zm9v&dns=AAAA", Ok(b"foo")),
            ("", Err(StatusCode::BAD_REQUEST)),
            ("mdns=Zm9v", Err(StatusCode::BAD_REQUEST)),
            ("dns=", Ok(b"")),
            ("dns=-_-_Zg", Ok(&[0xfb, 0xff, 0xbf, b'f'])),
            ("dns=Zm9v=", Err(StatusCode::BAD_REQUEST)),
            ("dns=Zg==", Err(StatusCode::BAD_REQUEST)),
            ("dns=+/+/", Err(StatusCode::BAD_REQUEST)),
            // Bits that do not count are zero.
            ("dns=Zh", Err(StatusCode::BAD_REQUEST)),
            ("dns=Zm9", Err(StatusCode::BAD_REQUEST)),
            ("dns=A", Err(StatusCode::BAD_REQUEST)),
            ("dns=Zm%208", Err(StatusCode::BAD_REQUEST)),
        ] {
            let read = query_of(parameters);
            assert_eq!(
                read.as_deref().map_err(|code| *code),
                expected,
                "{parameters}"
            );
        }
    }

    #[test]
    fn long_replies_keep_their_room_until_they_are_gone() {
        let room = Arc::new(Semaphore::new(1));
        let take = || Arc::clone(&room).try_acquire_owned();
        let short = held(vec![0; LONG], take().unwrap());
        let mut long = held(vec![0; LONG + 1], take().unwrap());
        drop(short);
        let sent = long.split_to(LONG);
        assert!(take().is_err());
        drop(sent);
        assert!(take().is_err());
        drop(long);
        assert!(take().is_ok());
    }

    #[test]
    fn a_media_type_may_have_parameters() {
        for (said, expected) in [
            ("application/dns-message", true),
            ("Application/DNS-Message; charset=x", true),
            ("application/json", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, said.parse().unwrap());
            assert_eq!(is_message(&headers), expected, "{said}");
        }
        assert!(!is_message(&HeaderMap::new()));
    }
}
