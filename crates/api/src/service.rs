//! One HTTP request from its bytes to its answer: bounds, identity, dispatch, the audit event.
//!
//! Everything that may block (keys, operations) or takes long (hashing a body) runs off the async
//! threads, in one piece. Connections are `server`'s business.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, USER_AGENT};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode};
use meridian_control::{Caller, Control, Fault};
use meridian_model::{AccessKeyId, Timestamp};
use ring::digest;
use tokio::sync::Semaphore;
use tokio::task;

use crate::audit::{Audit, Envelope, Trail, is_read_only, request_parameters, response_elements};
use crate::body::{self, Bodies, Received};
use crate::dialect::Dialect;
use crate::fault::{ErrorResponse, Failure, response_to, throttled};
use crate::request_id;
use crate::route53::{self, Call, Match, Reply};
use crate::sigv4::{Claim, SignatureError, SignedRequest};
use crate::sts;
use crate::throttle::Throttle;

/// What tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How the service is reached and bounded.
#[derive(Clone)]
pub struct ApiConfig {
    /// How many operations run at the same time; the others wait. Default 128, more than one
    /// account's requests that wait for their turn to write.
    pub max_operations: usize,
    /// How many bytes of bodies are held at the same time; further ones wait. Default 128 MiB.
    pub max_bodies_len: usize,
    /// How long a body may take. Default 30 s.
    pub body_timeout: Duration,
    /// The time signatures are checked against. Default: the system's.
    pub clock: Clock,
    /// What is told of every request. Default: nobody.
    pub audit: Option<Arc<dyn Audit>>,
}

impl Default for ApiConfig {
    fn default() -> Self {
        Self {
            max_operations: 128,
            max_bodies_len: body::MAX_TOTAL_LEN,
            body_timeout: body::TIMEOUT,
            clock: Arc::new(system_time),
            audit: None,
        }
    }
}

impl fmt::Debug for ApiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiConfig")
            .field("max_operations", &self.max_operations)
            .finish_non_exhaustive()
    }
}

/// What clients put in front of our name, with TLS between them and us or without: it stands in
/// `Location` headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the schemes of URLs")]
pub enum Scheme {
    Http,
    Https,
}

impl Scheme {
    /// As it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

fn system_time() -> Timestamp {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

/// The APIs as a fallback of a router, so that other pages can be merged in front of it.
///
/// Requests are expected to carry [`ConnectInfo<SocketAddr>`] and their [`Scheme`]: whoever serves
/// them knows both.
/// Every request is authenticated before anything but its size is looked at.
pub fn router(control: Arc<Control>, config: ApiConfig) -> Router {
    let service = Service {
        operations: control,
        slots: Semaphore::new(config.max_operations),
        throttle: Throttle::default(),
        bodies: Bodies::new(config.max_bodies_len, config.body_timeout),
        config,
    };
    Router::new().fallback(answer).with_state(Arc::new(service))
}

struct Service {
    operations: Arc<Control>,
    slots: Semaphore,
    throttle: Throttle,
    bodies: Bodies,
    config: ApiConfig,
}

/// What happened, for the client and for the audit.
#[derive(Debug)]
struct Outcome {
    /// Empty for none.
    operation: &'static str,
    /// None for what is not worth telling.
    trail: Option<Trail>,
    result: Result<Reply, Failure>,
}

impl Outcome {
    fn failed(failure: impl Into<Failure>) -> Self {
        Self {
            operation: "",
            trail: Some(Trail::default()),
            result: Err(failure.into()),
        }
    }
}

async fn answer(State(service): State<Arc<Service>>, request: Request) -> Response<Body> {
    let started = Instant::now();
    let request_id = request_id::draw();
    let (parts, body) = request.into_parts();
    let dialect = Dialect::of(&parts);
    let envelope = Envelope {
        request_id: request_id.clone(),
        source: source(&parts),
        user_agent: user_agent(&parts),
        event_source: dialect.event_source(),
    };
    let outcome = match service.bodies.receive(body).await {
        Ok(body) => {
            Arc::clone(&service)
                .run(parts, body, envelope.source.clone(), request_id.clone())
                .await
        }
        Err(response) => {
            let network = envelope.source.parse().ok();
            service.turn_away(network, Trail::default(), response.into())
        }
    };
    let Outcome {
        operation,
        trail,
        result,
    } = outcome;
    let result = result.map_err(|failure| refusal(failure, operation, &request_id));
    let error = result.as_ref().err().map(|e| (e.code, e.message.as_str()));
    let duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    let code = error.map_or("-", |(code, _)| code);
    tracing::debug!(
        request_id,
        operation,
        code,
        duration_ms,
        "{operation}: {code} after {duration_ms} ms"
    );
    if let (Some(audit), Some(trail)) = (&service.config.audit, trail) {
        audit.record(trail.event(envelope, operation, error, (service.config.clock)()));
    }
    respond(dialect, result, &request_id)
}

fn source(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or_else(|| "-".to_owned(), |ConnectInfo(peer)| peer.ip().to_string())
}

fn user_agent(parts: &Parts) -> String {
    let agent = parts.headers.get(USER_AGENT).map(HeaderValue::as_bytes);
    String::from_utf8_lossy(agent.unwrap_or_default()).into_owned()
}

/// What the client hears about a failure.
fn refusal(failure: Failure, operation: &str, request_id: &str) -> ErrorResponse {
    match failure {
        Failure::Refused(error) => error,
        Failure::Fault(fault) => {
            // That too many want to write at once is nothing to be mended.
            if !matches!(fault, Fault::Contention) {
                tracing::error!(request_id, %fault, "request {request_id} failed: {fault}");
            }
            response_to(&fault, operation)
        }
    }
}

fn respond(
    dialect: Dialect,
    result: Result<Reply, ErrorResponse>,
    request_id: &str,
) -> Response<Body> {
    match result {
        Ok(reply) => {
            let mut response = document(dialect, reply.status, reply.body, request_id);
            let location = reply
                .location
                .and_then(|url| HeaderValue::try_from(url).ok());
            if let Some(location) = location {
                response.headers_mut().insert(LOCATION, location);
            }
            response
        }
        Err(error) => {
            let envelope = dialect.envelope(&error, request_id);
            document(dialect, error.status, envelope, request_id)
        }
    }
}

/// The server adds `Content-Length`.
fn document(dialect: Dialect, status: u16, body: String, request_id: &str) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status of our tables");
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(dialect.content_type()),
    );
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

impl Service {
    async fn run(
        self: Arc<Self>,
        parts: Parts,
        body: Received,
        source: String,
        request_id: String,
    ) -> Outcome {
        // Its part of the room is given back when the answer is there.
        let Received { bytes, room: _room } = body;
        let Ok(_slot) = self.slots.acquire().await else {
            return Outcome::failed(ErrorResponse::new("ServiceUnavailable", "Shutting down."));
        };
        let found = Found::by(&parts, &bytes);
        let operation = found.operation();
        let service = Arc::clone(&self);
        let work = move || service.dispatch(found, &parts, &bytes, source, request_id);
        let outcome = task::spawn_blocking(work).await.unwrap_or_else(|error| {
            Outcome::failed(Fault::Storage(format!("an operation panicked: {error}")))
        });
        Outcome {
            operation,
            ..outcome
        }
    }

    fn dispatch(
        &self,
        found: Found,
        parts: &Parts,
        body: &[u8],
        source: String,
        request_id: String,
    ) -> Outcome {
        let headers = headers(parts);
        let signed = SignedRequest {
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            headers: &headers,
            body,
        };
        let network = source.parse().ok();
        let mut trail = Trail::default();
        let dialect = found.dialect();
        let (caller, requests_per_second) =
            match self.authenticate(dialect, signed, source, request_id, &mut trail) {
                Ok(authenticated) => authenticated,
                Err(failure) => return self.turn_away(network, trail, failure),
            };
        let operation = found.operation();
        if self.config.audit.is_some() {
            trail.parameters = request_parameters(operation, found.ids(), signed.query, body);
        }
        let account = &caller.account;
        let result = if self
            .throttle
            .admits(account, requests_per_second, Instant::now())
        {
            self.act(found, &signed, &caller, &endpoint(parts))
        } else {
            Err(throttled(operation).into())
        };
        if let Ok(reply) = &result
            && self.config.audit.is_some()
            && !is_read_only(operation)
        {
            trail.response = response_elements(reply.location.as_deref(), &reply.body);
        }
        trail.caller = Some(caller);
        Outcome {
            operation: "",
            trail: Some(trail),
            result,
        }
    }

    /// What happens to a request of somebody unknown. Who sends many is neither told what is wrong
    /// with them nor written about.
    fn turn_away(&self, source: Option<IpAddr>, trail: Trail, failure: Failure) -> Outcome {
        let is_fault = matches!(failure, Failure::Fault(_));
        if is_fault || self.throttle.answers_stranger(source, Instant::now()) {
            return Outcome {
                operation: "",
                trail: Some(trail),
                result: Err(failure),
            };
        }
        Outcome {
            operation: "",
            trail: None,
            result: Err(throttled("").into()),
        }
    }

    /// Who asks, and how many requests a second the account may send.
    fn authenticate(
        &self,
        dialect: Dialect,
        request: SignedRequest<'_>,
        source: String,
        request_id: String,
        trail: &mut Trail,
    ) -> Result<(Caller, u64), Failure> {
        let now = (self.config.clock)();
        let claim = Claim::read(request, dialect.service(), now)?;
        trail.claimed_key = Some(claim.access_key().to_owned());
        trail.region = Some(claim.region().to_owned());
        let key = AccessKeyId::new(claim.access_key()).map_err(|_| SignatureError::InvalidToken)?;
        let credential = self
            .operations
            .credential(&key)?
            .ok_or(SignatureError::InvalidToken)?;
        claim.verify(&credential.secret.0)?;
        let caller = Caller {
            retry: retry_key(&request, &key),
            account: credential.account,
            operator: credential.operator,
            user: credential.user,
            access_key: key,
            source,
            received_at: now,
            request_id,
        };
        self.operations.note_use(&caller);
        Ok((caller, credential.requests_per_second))
    }

    fn act(
        &self,
        found: Found,
        request: &SignedRequest<'_>,
        caller: &Caller,
        endpoint: &str,
    ) -> Result<Reply, Failure> {
        let found = match found {
            Found::Route53(found) => found,
            Found::Sts(action) => return Ok(action?.act(caller)),
            Found::Domains(target) => return Err(sts::no_such_target(&target).into()),
        };
        let (route, ids) = match found {
            Match::Operation(route, ids) => (route, ids),
            Match::WrongMethod => {
                return Err(ErrorResponse::new(
                    "MethodNotAllowed",
                    "The specified method is not allowed against this resource.",
                )
                .into());
            }
            Match::Unknown => {
                return Err(ErrorResponse::new(
                    "UnknownOperationException",
                    "There is no operation at this path.",
                )
                .into());
            }
        };
        let Some(handler) = route.handler else {
            return Err(route53::not_implemented(route.operation).into());
        };
        handler(&Call {
            operations: &self.operations,
            caller,
            ids,
            query: route53::Query::parse(request.query)?,
            body: request.body,
            endpoint,
        })
    }
}

/// What a request asks for, whoever asks.
enum Found {
    Route53(Match),
    Sts(Result<sts::Action, ErrorResponse>),
    /// What its header says.
    Domains(String),
}

impl Found {
    fn by(parts: &Parts, body: &[u8]) -> Self {
        let (method, uri) = (&parts.method, &parts.uri);
        match Dialect::of(parts) {
            Dialect::Route53 => Self::Route53(route53::resolve(method.as_str(), uri.path())),
            Dialect::Sts => {
                let query = uri.query().unwrap_or_default();
                Self::Sts(sts::resolve(method, query, body))
            }
            Dialect::Domains => {
                let target = parts.headers.get("x-amz-target");
                let target = target.map(HeaderValue::as_bytes).unwrap_or_default();
                Self::Domains(String::from_utf8_lossy(target).into_owned())
            }
        }
    }

    const fn dialect(&self) -> Dialect {
        match self {
            Self::Route53(_) => Dialect::Route53,
            Self::Sts(_) => Dialect::Sts,
            Self::Domains(_) => Dialect::Domains,
        }
    }

    /// The variable parts of its path.
    fn ids(&self) -> &[String] {
        match self {
            Self::Route53(Match::Operation(_, ids)) => ids,
            Self::Route53(_) | Self::Sts(_) | Self::Domains(_) => &[],
        }
    }

    /// Its name; empty for none.
    const fn operation(&self) -> &'static str {
        match self {
            Self::Route53(Match::Operation(route, _)) => route.operation,
            Self::Sts(Ok(action)) => action.name(),
            Self::Route53(_) | Self::Sts(_) | Self::Domains(_) => "",
        }
    }
}

/// Where the client thinks we are, as in `http://127.0.0.1:5380`.
fn endpoint(parts: &Parts) -> String {
    let scheme = parts.extensions.get::<Scheme>().copied();
    let host = parts.headers.get("host").map(HeaderValue::to_str);
    let host = match (host, parts.uri.authority()) {
        (Some(Ok(host)), _) => host,
        (None, Some(authority)) => authority.as_str(),
        _ => "localhost",
    };
    format!("{}://{host}", scheme.unwrap_or(Scheme::Http).as_str())
}

/// All headers. A request line with an absolute URL stands for a missing `Host` (RFC 9112,
/// section 3.2.2).
fn headers(parts: &Parts) -> Vec<(&str, &[u8])> {
    let mut headers: Vec<(&str, &[u8])> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    if let Some(authority) = parts.uri.authority()
        && !parts.headers.contains_key("host")
    {
        headers.push(("host", authority.as_str().as_bytes()));
    }
    headers
}

fn header<'a>(request: &SignedRequest<'a>, name: &str) -> Option<&'a str> {
    let (_, value) = request.headers.iter().find(|(other, _)| *other == name)?;
    std::str::from_utf8(value).ok()
}

/// What makes a retry recognisable: AWS's clients keep `amz-sdk-invocation-id` over all attempts
/// of one call.
fn retry_key(request: &SignedRequest<'_>, key: &AccessKeyId) -> Option<[u8; 32]> {
    let invocation = header(request, "amz-sdk-invocation-id")?;
    let mut context = digest::Context::new(&digest::SHA256);
    for part in [
        key.as_str().as_bytes(),
        invocation.as_bytes(),
        request.method.as_bytes(),
        request.path.as_bytes(),
        request.body,
    ] {
        // With lengths, so that no two requests run together to the same bytes.
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.finish().as_ref().try_into().ok()
}
