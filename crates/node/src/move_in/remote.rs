//! Requests to a service elsewhere, one after the other: signed, at a bounded rate, repeated when
//! the service asks for it or the network breaks.

use std::error::Error;
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use axum::body::Body;
use hyper::Request;
use hyper::body::Body as _;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use meridian_api::remote::{Ask, SERVICE, read_error};
use meridian_api::sigv4::{SignedRequest, Signer};
use meridian_control::{Environment, SystemEnvironment};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::Origin;
use super::credentials::{self, Key};
use super::endpoint::Endpoint;

/// How often a request is tried, and how often when nobody can be reached or answers in time.
const TRIES: u32 = 8;
const SILENT_TRIES: u32 = 3;
/// The pause after the first failure; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long a connection may take, and an answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// The longest answer: a page of record sets has 300, each at most 32,000 characters of values.
const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// The service says no.
#[derive(Debug)]
pub(super) struct Refused {
    operation: &'static str,
    status: u16,
    code: String,
    message: String,
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            operation,
            status,
            code,
            message,
        } = self;
        match code.as_str() {
            "" => write!(
                f,
                "{operation}: HTTP status {status}, and no Route 53 behind it"
            ),
            code => write!(f, "{operation}: {code} ({status}): {message}"),
        }
    }
}

impl Error for Refused {}

impl Refused {
    /// Whether the service does not have such an operation.
    pub(super) fn is_missing(&self) -> bool {
        self.code == "NotImplemented" || self.status == 501
    }

    fn may_pass(&self) -> bool {
        let codes = [
            "Throttling",
            "ThrottlingException",
            "PriorRequestNotComplete",
        ];
        // What is not there does not come by waiting.
        let fails = self.status >= 500 && !self.is_missing();
        codes.contains(&self.code.as_str()) || self.status == 429 || fails
    }
}

/// A service.
pub(super) struct Remote {
    runtime: Runtime,
    endpoint: Endpoint,
    region: String,
    key: Key,
    clock: SystemEnvironment,
    sender: Option<SendRequest<Body>>,
    /// Between two requests.
    pace: Duration,
    asked: Option<Instant>,
}

impl Remote {
    /// Nothing is sent yet.
    pub(super) fn new(origin: &Origin) -> Result<Self> {
        Ok(Self {
            runtime: Builder::new_current_thread().enable_all().build()?,
            endpoint: Endpoint::read(&origin.endpoint, origin.ca.as_deref())?,
            region: origin.region.clone(),
            key: credentials::find(origin.profile.as_deref())?,
            clock: SystemEnvironment::new(),
            sender: None,
            pace: Duration::from_secs(1) / origin.rate.max(1),
            asked: None,
        })
    }

    /// What the service answers, if it does not refuse.
    pub(super) fn ask(&mut self, ask: &Ask) -> Result<Vec<u8>> {
        let mut pause = FIRST_PAUSE;
        let mut silent = 0;
        let mut tries = 0;
        // Ends with TRIES at the latest.
        loop {
            tries += 1;
            self.wait();
            let error = match self.once(ask) {
                Ok((200..=299, body)) => return Ok(body),
                Ok((status, body)) => {
                    let (code, message) = read_error(&body).unwrap_or_default();
                    let refused = Refused {
                        operation: ask.operation,
                        status,
                        code,
                        message,
                    };
                    if !refused.may_pass() {
                        return Err(refused.into());
                    }
                    refused.into()
                }
                Err(Broken::Silent(error)) => {
                    silent += 1;
                    error
                }
                Err(Broken::Underway(error)) => error,
                Err(Broken::Nonsense(error)) => return Err(error.context(ask.operation)),
            };
            if tries == TRIES || silent == SILENT_TRIES {
                let text = format!("{} failed {tries} times", ask.operation);
                return Err(error.context(text));
            }
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn wait(&mut self) {
        if let Some(asked) = self.asked {
            thread::sleep(self.pace.saturating_sub(asked.elapsed()));
        }
        self.asked = Some(Instant::now());
    }

    fn once(&mut self, ask: &Ask) -> Result<(u16, Vec<u8>), Broken> {
        let request = self.signed(ask).map_err(Broken::Nonsense)?;
        let Self {
            runtime,
            endpoint,
            sender,
            ..
        } = self;
        let outcome = runtime.block_on(async {
            let ready = match sender.take() {
                Some(mut kept) => kept.ready().await.is_ok().then_some(kept),
                None => None,
            };
            let mut open = match ready {
                Some(kept) => kept,
                None => connect(endpoint).await.map_err(Broken::Silent)?,
            };
            match timeout(ANSWER_TIMEOUT, exchange(&mut open, request)).await {
                Ok(answer) => Ok((answer.map_err(Broken::from)?, open)),
                Err(_) => Err(Broken::Silent(anyhow!(
                    "no whole answer within {ANSWER_TIMEOUT:?}"
                ))),
            }
        });
        let (answer, open) = outcome?;
        *sender = Some(open);
        Ok(answer)
    }

    fn signed(&self, ask: &Ask) -> Result<Request<Body>> {
        let signer = Signer {
            access_key: &self.key.id,
            secret: &self.key.secret,
            session_token: self.key.token.as_deref(),
            region: &self.region,
            service: SERVICE,
        };
        let headers = [("host", self.endpoint.authority.as_bytes())];
        let plain = SignedRequest {
            method: ask.method,
            path: &ask.path,
            query: &ask.query,
            headers: &headers,
            body: ask.body.as_bytes(),
        };
        let between = if ask.query.is_empty() { "" } else { "?" };
        let mut request = Request::builder()
            .method(ask.method)
            .uri(format!("{}{between}{}", ask.path, ask.query))
            .header(HOST, &self.endpoint.authority)
            .header(USER_AGENT, concat!("meridian/", env!("CARGO_PKG_VERSION")));
        if !ask.body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/xml");
        }
        for (name, value) in signer.sign(plain, self.clock.now())? {
            request = request.header(name, value);
        }
        Ok(request.body(Body::from(ask.body.clone()))?)
    }
}

/// How an exchange broke.
enum Broken {
    /// Nobody is there, or nobody says anything.
    Silent(anyhow::Error),
    Underway(anyhow::Error),
    /// It would be the same again.
    Nonsense(anyhow::Error),
}

impl From<anyhow::Error> for Broken {
    fn from(error: anyhow::Error) -> Self {
        let http = error.downcast_ref::<hyper::Error>();
        let nonsense = http.is_some_and(hyper::Error::is_parse) || error.is::<TooLong>();
        match nonsense {
            true => Self::Nonsense(error),
            false => Self::Underway(error),
        }
    }
}

/// More than [`MAX_ANSWER`].
#[derive(Debug)]
struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the answer is longer than {MAX_ANSWER} bytes")
    }
}

impl Error for TooLong {}

async fn connect(endpoint: &Endpoint) -> Result<SendRequest<Body>> {
    let place = (endpoint.host.as_str(), endpoint.port);
    let open = async {
        let stream = TcpStream::connect(place).await?;
        let _ = stream.set_nodelay(true);
        match &endpoint.tls {
            None => begin(stream).await,
            Some((tls, name)) => begin(tls.connect(name.clone(), stream).await?).await,
        }
    };
    let opened = timeout(CONNECT_TIMEOUT, open).await;
    let opened = opened.map_err(|_| anyhow!("no connection for {CONNECT_TIMEOUT:?}"));
    opened
        .and_then(|opened| opened)
        .with_context(|| format!("cannot reach {}", endpoint.authority))
}

async fn begin<I>(io: I) -> Result<SendRequest<Body>>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(io)).await?;
    // How it ends is told to whoever sends on it.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}

async fn exchange(
    sender: &mut SendRequest<Body>,
    request: Request<Body>,
) -> Result<(u16, Vec<u8>)> {
    let answer = sender.send_request(request).await?;
    let status = answer.status().as_u16();
    let mut incoming = answer.into_body();
    let mut body = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
        // Trailers say nothing here.
        let piece = frame?.into_data().unwrap_or_default();
        if body.len() + piece.len() > MAX_ANSWER {
            return Err(TooLong.into());
        }
        body.extend_from_slice(&piece);
    }
    Ok((status, body))
}
