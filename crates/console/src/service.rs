//! One request from its bytes to its page: bounds, who it is, which page. Everything that may block runs
//! off the async threads, so much of it at a time.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, HOST};
use axum::http::request::Parts;
use axum::http::{Method, Response, StatusCode};
use axum::middleware::{self, Next};
use axum::routing::any;
use meridian_control::{Control, Environment, SystemEnvironment};
use meridian_model::Timestamp;
use tokio::sync::Semaphore;
use tokio::{task, time};

use crate::fields::{Fields, link};
use crate::happening::{Happening, Witness};
use crate::pages::{self, Route};
use crate::reply::Reply;
use crate::session::Sessions;
use crate::visit::{Seen, Visit};
use crate::words::Problem;
use crate::{cookie, origin, random};

/// The longest form.
const MAX_FORM: usize = 64 * 1024;
/// How long one may take to come.
const FORM_TIMEOUT: Duration = Duration::from_secs(15);

/// What tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How the console is bounded, and who sees what is done in it.
#[derive(Clone)]
pub struct ConsoleConfig {
    /// How many pages are made at the same time; further ones wait. Default 64, more than one
    /// account's requests that wait for their turn to write.
    pub max_pages: usize,
    /// The time of requests. Default: the system's.
    pub clock: Clock,
    /// What is told of everything. Default: nobody.
    pub witness: Option<Arc<dyn Witness>>,
}

impl Default for ConsoleConfig {
    fn default() -> Self {
        Self {
            max_pages: 64,
            clock: Arc::new(|| SystemEnvironment::new().now()),
            witness: None,
        }
    }
}

impl fmt::Debug for ConsoleConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsoleConfig")
            .field("max_pages", &self.max_pages)
            .finish_non_exhaustive()
    }
}

/// What all requests have in common.
pub(crate) struct Desk {
    pub(crate) control: Arc<Control>,
    pub(crate) sessions: Sessions,
    slots: Arc<Semaphore>,
    config: ConsoleConfig,
}

/// The pages, all below `/console`. Requests are expected to carry
/// [`ConnectInfo`](axum::extract::ConnectInfo) with a socket address and their
/// [`Transport`](meridian_control::Transport): whoever serves them knows both.
pub fn router(control: Arc<Control>, config: ConsoleConfig) -> Router {
    let desk = Desk {
        control,
        sessions: Sessions::default(),
        slots: Arc::new(Semaphore::new(config.max_pages)),
        config,
    };
    Router::new()
        .route("/console", any(answer))
        .route("/console/", any(answer))
        .route("/console/{*page}", any(answer))
        .with_state(Arc::new(desk))
}

/// Another service that leads browsers here which ask for nothing but its root, and answers everything
/// else as before.
pub fn in_front_of(other: Router) -> Router {
    other.layer(middleware::from_fn(async |request: Request, next: Next| {
        if is_newcomer(&request) {
            return Reply::to(pages::ROOT).into_response();
        }
        next.run(request).await
    }))
}

/// Whether somebody has typed our address into a browser.
fn is_newcomer(request: &Request) -> bool {
    let (uri, headers) = (request.uri(), request.headers());
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    request.method() == Method::GET
        && uri.path() == "/"
        && uri.query().is_none()
        && !headers.contains_key(AUTHORIZATION)
        && accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

async fn answer(State(desk): State<Arc<Desk>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let form = match time::timeout(FORM_TIMEOUT, to_bytes(body, MAX_FORM)).await {
        Ok(Ok(form)) => form,
        Ok(Err(_)) => {
            let text = "The form is too long, or broken off.";
            let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "FormTooLong", text);
            return pages::problem(&problem, "", None).into_response();
        }
        Err(_) => {
            let text = "The form did not arrive in time.";
            let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "FormTooSlow", text);
            return pages::problem(&problem, "", None).into_response();
        }
    };
    let unable = |text: &str| {
        let problem = Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", text);
        pages::problem(&problem, "", None)
    };
    let Ok(slot) = Arc::clone(&desk.slots).acquire_owned().await else {
        return unable("The server is shutting down.").into_response();
    };
    // Once begun it goes on and holds its place, also when the browser is gone.
    let work = move || {
        let reply = desk.answer(&parts, &form);
        drop(slot);
        reply
    };
    let reply = task::spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!(%error, "a page of the console panicked: {error}");
        unable("Something went wrong here. The server's log says what.")
    });
    reply.into_response()
}

impl Desk {
    fn answer(&self, parts: &Parts, form: &Bytes) -> Reply {
        let seen = Seen::of(parts, (self.config.clock)());
        self.page(parts, &seen, form)
            .unwrap_or_else(|problem| pages::problem(&problem, &seen.request_id, None))
    }

    fn page(&self, parts: &Parts, seen: &Seen, form: &Bytes) -> Result<Reply, Problem> {
        let posted = parts.method == Method::POST;
        if !posted && parts.method != Method::GET && parts.method != Method::HEAD {
            let problem = Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "MethodNotAllowed",
                "Pages are asked for with GET, forms sent with POST.",
            );
            return Ok(
                pages::problem(&problem, &seen.request_id, None).with_allow("GET, HEAD, POST")
            );
        }
        if parts.headers.get_all(HOST).iter().count() > 1 {
            let text = "A request has one Host header.";
            return Err(Problem::new(
                StatusCode::BAD_REQUEST,
                "MalformedInput",
                text,
            ));
        }
        if posted && origin::is_foreign(parts) {
            let text = "This form was sent from another site's page, or a proxy in between does \
                        not pass the Host header on. Nothing was done.";
            return Err(Problem::new(StatusCode::FORBIDDEN, "ForeignForm", text));
        }
        let query = Fields::read(parts.uri.query().unwrap_or_default().as_bytes());
        let fields = posted.then(|| Fields::read(form));
        match Route::of(parts.uri.path()) {
            Route::Bare => Ok(Reply::to(pages::ROOT)),
            Route::Style => Ok(Reply::style(include_str!("../templates/style.css"))),
            Route::SignIn => Ok(pages::sign_in(self, (parts, seen), &query, fields.as_ref())),
            route => self.for_somebody(parts, seen, route, (&query, fields.as_ref()), form),
        }
    }

    /// A page for whoever is signed in; the others are led to where one does.
    fn for_somebody(
        &self,
        parts: &Parts,
        seen: &Seen,
        route: Route<'_>,
        (query, fields): (&Fields, Option<&Fields>),
        form: &Bytes,
    ) -> Result<Reply, Problem> {
        let Some(mut visit) = self.visit(parts, seen)? else {
            let whole = parts.uri.path_and_query().map(|whole| whole.as_str());
            let to = whole.filter(|_| route != Route::SignOut);
            // Who sent a form is told that nothing came of it.
            let lost = fields.and(to).map(|_| "1");
            let reply = Reply::to(&link(pages::SIGN_IN, &[("to", to), ("lost", lost)]));
            // A link on another site brings none along, and is no reason to lose it.
            return Ok(match cookie::read(parts, seen.transport).next() {
                Some(_) => reply.with_cookie(cookie::unset(seen.transport)),
                None => reply,
            });
        };
        let (visit, rate) = (&mut visit.0, visit.1);
        let admitted = self.control.throttle();
        let is_free = route == Route::SignOut;
        let outcome = if !is_free && !admitted.admits(&visit.caller.account, rate, Instant::now()) {
            let text =
                "Rate exceeded: this account has sent as many requests as it may in a second.";
            let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "Throttling", text);
            visit.refused(route.operation(), &problem);
            Err(problem)
        } else if fields.is_some_and(|fields| !random::same(fields.text("token"), &visit.token)) {
            let text = "This form is not one of this session. Nothing was done; go back, load the \
                        page again and send it once more.";
            let problem = Problem::new(StatusCode::FORBIDDEN, "ForeignForm", text);
            visit.refused(route.operation(), &problem);
            Err(problem)
        } else {
            if fields.is_some_and(|fields| fields.said("once").is_some()) {
                // A form that is sent twice, by a second click, is answered twice and done once.
                let key = visit.caller.access_key.as_str().as_bytes();
                let path = parts.uri.to_string();
                let all = [b"console".as_slice(), key, path.as_bytes(), form];
                visit.caller.retry = Some(random::digest_of(&all));
            }
            pages::answer(visit, parts, route, query, fields)
        };
        Ok(outcome
            .unwrap_or_else(|problem| pages::problem(&problem, &seen.request_id, Some(visit))))
    }

    /// Whose request it is, and how many the account may send in a second; none without a session, or
    /// when its key is not good any more.
    fn visit<'a>(
        &'a self,
        parts: &Parts,
        seen: &'a Seen,
    ) -> Result<Option<(Visit<'a>, u64)>, Problem> {
        let now = Instant::now();
        let found = cookie::read(parts, seen.transport).find_map(|cookie| {
            let session = self.sessions.find(cookie, seen.transport, now)?;
            Some((cookie, session))
        });
        let Some((cookie, session)) = found else {
            return Ok(None);
        };
        let Some(credential) = self.control.credential(&session.key)? else {
            self.sessions.end(cookie);
            return Ok(None);
        };
        let rate = credential.requests_per_second;
        let caller = seen.caller(session.key, credential);
        self.control.note_use(&caller);
        let visit = Visit {
            desk: self,
            seen,
            caller,
            token: session.token,
        };
        Ok(Some((visit, rate)))
    }

    /// Tells of something, if anybody wants to know.
    pub(crate) fn tell(&self, happening: impl FnOnce() -> Happening) {
        if let Some(witness) = &self.config.witness {
            witness.saw(happening());
        }
    }
}
