//! One connection, from its first byte on. Which of them there are is the acceptor's affair.

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Response, StatusCode, Version};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{self, Instant};
use tokio_rustls::TlsAcceptor;

use super::watched::Watched;
use super::{Answer, Terms, Versions};

/// How long a connection that has had requests stays open once the end has come: a client that is
/// slow between two of them should hear of it with a response. And how long one that has had none
/// does: the first one may be on its way.
const IDLE_GRACE: Duration = Duration::from_millis(400);
const FIRST_REQUEST_GRACE: Duration = Duration::from_millis(500);
/// How long a connection without a request in progress may take to end in peace.
const GOODBYE: Duration = Duration::from_secs(1);

/// Requests in flight on one connection of HTTP/2.
const IN_FLIGHT_MAX: u32 = 64;
/// Bytes of HTTP/2 that a client may send before we have read them: for a stream, for all.
const STREAM_WINDOW: u32 = 16 * 1024;
const CONNECTION_WINDOW: u32 = 64 * 1024;
/// Bytes of a response that wait for a client of HTTP/2.
const MAX_SEND_BUFFER: usize = 64 * 1024;

/// Serves a connection until it ends, is idle for too long, has to make room, or everything ends.
pub(super) async fn converse<A: Answer>(
    stream: TcpStream,
    answers: A,
    terms: Arc<Terms>,
    ending: watch::Receiver<()>,
) {
    // Responses are written in one piece; waiting for more to send only delays them.
    let _ = stream.set_nodelay(true);
    let stream = Watched::new(stream, answers.at_close());
    let Some(tls) = &terms.tls else {
        return attend(stream, answers, &terms, ending).await;
    };
    let acceptor = TlsAcceptor::from(Arc::clone(&tls.config));
    let handshake = time::timeout(tls.handshake_timeout, acceptor.accept(stream));
    let shaken = tokio::select! {
        () = answers.evicted() => return,
        shaken = handshake => shaken,
    };
    match shaken {
        Ok(Ok(stream)) => attend(stream, answers, &terms, ending).await,
        // How a connection breaks is the client's affair.
        Ok(Err(_)) => {}
        Err(_) => answers.note_too_slow(),
    }
}

/// Serves what is in the clear by now.
async fn attend<A, I>(io: I, answers: A, terms: &Terms, ending: watch::Receiver<()>)
where
    A: Answer,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let visit = Arc::new(Visit {
        answers,
        began: Instant::now(),
        last_request: Mutex::new(None),
        ending,
    });
    let answering = Arc::clone(&visit);
    let service = service_fn(move |request| {
        let visit = Arc::clone(&answering);
        async move { Ok::<_, Infallible>(visit.answer(request).await) }
    });
    let builder = builder(terms);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(io), service));
    let goodbye = tokio::select! {
        // What has arrived is read before it is too late for it: on a busy machine both may be so at
        // the same time, and a goodbye would leave a request that came in time without an answer.
        biased;
        _ = &mut serving => return,
        () = visit.answers.evicted() => return,
        goodbye = visit.until_over(terms) => goodbye,
    };
    serving.as_mut().graceful_shutdown();
    tokio::select! {
        _ = serving => {}
        () = visit.answers.evicted() => {}
        () = time::sleep(goodbye) => {}
    }
}

fn builder(terms: &Terms) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(terms.head_timeout)
        .max_buf_size(terms.head_len as usize)
        .max_headers(terms.headers);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(IN_FLIGHT_MAX)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_send_buf_size(MAX_SEND_BUFFER)
        .max_header_list_size(terms.head_len);
    match terms.versions {
        Versions::One => builder.http1_only(),
        Versions::OneAndTwo => builder,
    }
}

/// What the requests of one connection share.
struct Visit<A> {
    answers: A,
    began: Instant,
    /// When the last request came.
    last_request: Mutex<Option<Instant>>,
    ending: watch::Receiver<()>,
}

impl<A: Answer> Visit<A> {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        *self
            .last_request
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        // HTTP/2 has a frame that says it.
        let says_close = request.version() < Version::HTTP_2;
        let mut response = self.answers.answer(request).await;
        // Of a body that was not read to its end the rest stands before the next request.
        let unread = matches!(
            response.status(),
            StatusCode::PAYLOAD_TOO_LARGE | StatusCode::REQUEST_TIMEOUT
        );
        // The channel is closed when the end has come.
        if says_close && (unread || self.ending.has_changed().is_err()) {
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(CONNECTION, close);
        }
        response
    }

    /// None before the first one.
    fn last_request(&self) -> Option<Instant> {
        *self
            .last_request
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns when the connection has been idle for too long, or everything ends and it has had
    /// the time for another request; says how long it may take to end.
    ///
    /// Clients with one request leave by themselves, and some of them take a goodbye in the midst
    /// of it for an error. So nobody is told to go at once.
    async fn until_over(&self, terms: &Terms) -> Duration {
        let mut ending = self.ending.clone();
        loop {
            tokio::select! {
                _ = ending.changed() => break,
                () = sleep_until(self.idle_from(terms)) => {
                    // A client that takes its responses too slowly makes no requests either.
                    if self.idle_from(terms).is_some_and(|from| from <= Instant::now()) {
                        return GOODBYE;
                    }
                }
            }
        }
        if self.last_request().is_some() {
            time::sleep(IDLE_GRACE).await;
        } else {
            time::sleep(FIRST_REQUEST_GRACE).await;
        }
        match self.last_request() {
            // The acceptor limits this together with everything else.
            Some(_) => terms.drain_timeout,
            None => GOODBYE,
        }
    }

    /// From when on it is idle, unless there are further requests.
    fn idle_from(&self, terms: &Terms) -> Option<Instant> {
        let idle_timeout = terms.idle_timeout?;
        Some(self.last_request().unwrap_or(self.began) + idle_timeout)
    }
}

/// Never returns where there is no deadline.
async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => time::sleep_until(deadline).await,
        None => pending().await,
    }
}
