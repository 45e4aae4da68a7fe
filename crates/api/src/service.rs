//! One HTTP request from its bytes to its answer: bounds, identity, dispatch, the audit event.
//!
//! Everything that may block (keys, operations) or takes long (hashing a body) runs off the async
//! threads, in one piece. Connections are `server`'s business.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ALLOW, CONTENT_TYPE, HOST, LOCATION};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, Version};
use meridian_control::{Caller, Control, Environment, Fault, SystemEnvironment, Transport};
use meridian_model::{AccessKeyId, Timestamp};
use tokio::sync::Semaphore;
use tokio::task;

use crate::audit::{Audit, Envelope, Trail, is_read_only, request_parameters, response_elements};
use crate::body::{self, Bodies, Received};
use crate::dialect::Dialect;
use crate::fault::{ErrorResponse, Failure, response_to, throttled};
use crate::request::{Found, endpoint, headers, retry_key, source, transport, user_agent};
use crate::request_id;
use crate::route53::{self, Call, Form, Match, Reply};
use crate::sigv4::{Claim, SignatureError, SignedRequest, claimed};
use crate::sts;

/// What tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How the service is reached and bounded.
#[derive(Clone)]
pub struct ApiConfig {
    /// How many operations run at the same time; the others wait. Default 128, more than one
    /// account's requests that wait for their turn to write.
    pub max_operations: usize,
    /// How many bytes of large bodies are held at the same time; further ones wait. Default
    /// 128 MiB.
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
            clock: Arc::new(|| SystemEnvironment::new().now()),
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

/// The APIs as a fallback of a router, so that other pages can be merged in front of it.
///
/// Requests are expected to carry [`ConnectInfo`](axum::extract::ConnectInfo) with a socket address,
/// and their [`Scheme`]: whoever serves them knows both.
/// Every request is authenticated before anything but its size is looked at.
pub fn router(control: Arc<Control>, config: ApiConfig) -> Router {
    let service = Service {
        operations: control,
        slots: Arc::new(Semaphore::new(config.max_operations)),
        bodies: Bodies::new(config.max_bodies_len, config.body_timeout),
        config,
    };
    Router::new().fallback(answer).with_state(Arc::new(service))
}

struct Service {
    operations: Arc<Control>,
    slots: Arc<Semaphore>,
    bodies: Bodies,
    config: ApiConfig,
}

/// What is known of who sends a request before its signature is looked at.
struct Sender {
    source: String,
    transport: Transport,
    request_id: String,
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

/// What is known of a request from the start, and needed at the end.
#[derive(Debug, Clone)]
struct Seen {
    started: Instant,
    dialect: Dialect,
    envelope: Envelope,
}

async fn answer(State(service): State<Arc<Service>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let dialect = Dialect::of(&parts);
    let seen = Seen {
        started: Instant::now(),
        dialect,
        envelope: Envelope {
            request_id: request_id::draw(),
            source: source(&parts),
            user_agent: user_agent(&parts),
            event_source: dialect.event_source(),
        },
    };
    let received = match check_host(&parts) {
        Ok(()) => service.bodies.receive(&seen.envelope.source, body).await,
        Err(response) => Err(response),
    };
    match received {
        Ok(body) => service.run(parts, body, seen).await,
        Err(response) => {
            let network = seen.envelope.source.parse().ok();
            let outcome = service.turn_away(network, Trail::default(), response.into());
            service.conclude(seen, outcome)
        }
    }
}

/// A request has one name to go to (RFC 9112, section 3.2): with two, a proxy may have gone by the
/// one and the signature by the other.
fn check_host(parts: &Parts) -> Result<(), ErrorResponse> {
    let hosts = parts.headers.get_all(HOST).iter().count();
    if hosts == 1 || hosts == 0 && parts.version != Version::HTTP_11 {
        return Ok(());
    }
    Err(ErrorResponse::new(
        "MalformedInput",
        format!("A request has one Host header, this one has {hosts}."),
    ))
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
            if reply.form == Form::Json {
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, json);
            }
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
            let mut response = document(dialect, error.status, envelope, request_id);
            if !error.allow.is_empty()
                && let Ok(allow) = HeaderValue::try_from(error.allow.join(", "))
            {
                response.headers_mut().insert(ALLOW, allow);
            }
            response
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
    /// Once begun it goes on, is told of and holds its place, also when the client is gone.
    async fn run(self: Arc<Self>, parts: Parts, body: Received, seen: Seen) -> Response<Body> {
        let Ok(slot) = Arc::clone(&self.slots).acquire_owned().await else {
            let refusal = ErrorResponse::new("ServiceUnavailable", "Shutting down.");
            return self.conclude(seen, Outcome::failed(refusal));
        };
        let found = Found::by(&parts, &body.bytes);
        let operation = found.operation();
        let (service, known) = (Arc::clone(&self), seen.clone());
        let work = move || {
            let Envelope {
                source, request_id, ..
            } = known.envelope.clone();
            let outcome = service.dispatch(found, &parts, &body.bytes, source, request_id);
            let outcome = Outcome {
                operation,
                ..outcome
            };
            let response = service.conclude(known, outcome);
            drop((body.room, slot));
            response
        };
        task::spawn_blocking(work).await.unwrap_or_else(|error| {
            let fault = Fault::Storage(format!("an operation panicked: {error}"));
            let outcome = Outcome {
                operation,
                ..Outcome::failed(fault)
            };
            self.conclude(seen, outcome)
        })
    }

    /// Tells of what happened, and makes the answer.
    fn conclude(&self, seen: Seen, outcome: Outcome) -> Response<Body> {
        let Seen {
            started,
            dialect,
            envelope,
        } = seen;
        let Outcome {
            operation,
            trail,
            result,
        } = outcome;
        let request_id = envelope.request_id.clone();
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
        if let (Some(audit), Some(trail)) = (&self.config.audit, trail) {
            audit.record(trail.event(envelope, operation, error, (self.config.clock)()));
        }
        respond(dialect, result, &request_id)
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
        let sender = Sender {
            source,
            transport: transport(parts),
            request_id,
        };
        let mut trail = Trail::default();
        let dialect = found.dialect();
        let (caller, requests_per_second) =
            match self.authenticate(dialect, signed, sender, &mut trail) {
                Ok(authenticated) => authenticated,
                Err(failure) => return self.turn_away(network, trail, failure),
            };
        let operation = found.operation();
        if self.config.audit.is_some() {
            // Other protocols have bodies of other kinds, and no parameters to tell of.
            let document = if dialect == Dialect::Route53 {
                body
            } else {
                b""
            };
            trail.parameters = request_parameters(operation, found.ids(), signed.query, document);
        }
        let account = &caller.account;
        let throttle = self.operations.throttle();
        let result = if throttle.admits(account, requests_per_second, Instant::now()) {
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
        let throttle = self.operations.throttle();
        if is_fault || throttle.answers_stranger(source, Instant::now()) {
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
        sender: Sender,
        trail: &mut Trail,
    ) -> Result<(Caller, u64), Failure> {
        let now = (self.config.clock)();
        let claim = Claim::read(request, dialect.service(), now).inspect_err(|_| {
            (trail.claimed_key, trail.region) = claimed(&request).unzip();
        })?;
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
            source: sender.source,
            transport: sender.transport,
            received_at: now,
            request_id: sender.request_id,
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
            Match::WrongMethod(others) => {
                return Err(ErrorResponse::method_not_allowed(
                    others,
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
