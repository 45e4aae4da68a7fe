//! The beacon's HTTP: which request is whose, and what it is answered with.

use std::future::pending;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use axum::{Extension, Router};
use hyper::body::Incoming;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use meridian_latency::report;
use meridian_latency::{Kind, Sample, kept};
use meridian_server::{Prefix, TcpInfo};
use serde_json::json;
use tokio::sync::watch;

use super::post::{self as agent_post, From, Post};
use super::{Agent, Beacon, Refusal, now_s};
use crate::config::is_region;
use crate::http::{self, Admitted, Answer, AtClose, Entrance, HANDSHAKE_TIMEOUT};
use crate::http::{Terms, Tls, Versions};
use crate::latency::Measured;

const TERMS: Terms = Terms {
    tls: None,
    // Two fetches of an image are to go over one connection, one after the other.
    versions: Versions::One,
    connections: Some(2048),
    head_len: 16 * 1024,
    headers: 64,
    // Between requests, too: a connection that is kept open measures nothing more.
    head_timeout: Duration::from_secs(10),
    idle_timeout: Some(Duration::from_secs(30)),
    drain_timeout: Duration::from_secs(2),
};

/// How often it is looked whether a minute is over.
const FORGET_EVERY: Duration = Duration::from_secs(5);

/// How old what an agent has measured may be, and how far its clock may be ahead, in seconds.
const MAX_AGE_S: u64 = 24 * 3600;
const MAX_AHEAD_S: u64 = 60;

/// Lets pages of others see how long a fetch took.
const TIMING_ALLOW_ORIGIN: HeaderName = HeaderName::from_static("timing-allow-origin");
/// Lets them fetch it, whatever else they restrict.
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// Serves an entrance until the sender of `ending` is dropped. These proxies are believed about
/// their clients.
pub(crate) async fn serve(
    beacon: Arc<Beacon>,
    entrance: Entrance,
    proxies: Arc<[Prefix]>,
    ending: watch::Receiver<()>,
) {
    let terms = Terms {
        tls: entrance.tls.map(|config| Tls {
            config,
            handshake_timeout: HANDSHAKE_TIMEOUT,
        }),
        ..TERMS
    };
    let clients = entrance.clients;
    let trusts = {
        let proxies = Arc::clone(&proxies);
        move |address: IpAddr| proxies.iter().any(|proxy| proxy.contains(address))
    };
    let router = router(Arc::clone(&beacon));
    let router = meridian_api::behind_proxies(router, Arc::new(trusts.clone()));
    let admit = move |client: SocketAddr, _| {
        let admitted = clients.admit(client.ip())?;
        let router = router.clone().layer(Extension(ConnectInfo(client)));
        Some(Visitor {
            service: TowerToHyperService::new(router),
            _admitted: admitted,
            beacon: Arc::clone(&beacon),
            // Of a proxy's connection nothing follows for its clients.
            measured: (!trusts(client.ip().to_canonical())).then_some(client.ip()),
            had_image: Arc::default(),
        })
    };
    http::serve(entrance.listener, terms, admit, ending).await;
}

/// Forgets networks with the minutes that they were counted in, until the sender of `ending` is
/// dropped.
pub(crate) async fn forget(beacon: Arc<Beacon>, mut ending: watch::Receiver<()>) {
    let mut turn = tokio::time::interval(FORGET_EVERY);
    loop {
        tokio::select! {
            _ = turn.tick() => beacon.forget(now_s()),
            _ = ending.changed() => return,
        }
    }
}

/// A connection's requests, and what its packets say.
struct Visitor {
    service: TowerToHyperService<Router>,
    _admitted: Admitted,
    beacon: Arc<Beacon>,
    /// Who is at its other end, if that is the client.
    measured: Option<IpAddr>,
    had_image: Arc<AtomicBool>,
}

impl Answer for Visitor {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        if request.uri().path() == IMAGE_PATH {
            self.had_image.store(true, Ordering::Relaxed);
        }
        match self.service.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }

    async fn evicted(&self) {
        pending::<()>().await;
    }

    fn note_too_slow(&self) {}

    fn at_close(&self) -> Option<AtClose> {
        let client = self.measured?;
        let (beacon, had_image) = (Arc::clone(&self.beacon), Arc::clone(&self.had_image));
        Some(Box::new(move |socket| {
            let kind = match had_image.load(Ordering::Relaxed) {
                true => Kind::Pixel,
                false => Kind::Tcp,
            };
            if let Ok(info) = TcpInfo::of(socket) {
                beacon.connection_ended(client, &info, kind);
            }
        }))
    }
}

const IMAGE_PATH: &str = "/p.gif";

fn router(beacon: Arc<Beacon>) -> Router {
    let limited = Arc::clone(&beacon);
    Router::new()
        .route("/rum.js", get(script))
        .route(IMAGE_PATH, get(image))
        .route(
            "/report",
            post(report).layer(DefaultBodyLimit::max(report::MAX_LEN)),
        )
        .route(agent_post::SITES_PATH, get(sites))
        .route(
            agent_post::PATH,
            post(samples).layer(DefaultBodyLimit::max(agent_post::MAX_LEN)),
        )
        .with_state(beacon)
        .layer(middleware::from_fn(move |request: Request, next: Next| {
            let beacon = Arc::clone(&limited);
            async move { limit(&beacon, request, next).await }
        }))
}

/// Answers as many as there may be, and says what is the same of all answers.
async fn limit(beacon: &Beacon, request: Request, next: Next) -> Response<Body> {
    let client = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let admitted = client.is_some_and(|ConnectInfo(client)| beacon.admits(client.ip()));
    let mut response = match admitted {
        true => next.run(request).await,
        false => StatusCode::TOO_MANY_REQUESTS.into_response(),
    };
    let headers = response.headers_mut();
    let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
    say(CACHE_CONTROL, "no-store");
    say(X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    say(TIMING_ALLOW_ORIGIN, "*");
    say(RESOURCE_POLICY, "cross-origin");
    response
}

type Client = ConnectInfo<SocketAddr>;

async fn script(State(beacon): State<Arc<Beacon>>, ConnectInfo(client): Client) -> Response<Body> {
    match beacon.script(client.ip()) {
        Some(script) => {
            let kind = [(CONTENT_TYPE, "text/javascript; charset=utf-8")];
            (kind, script).into_response()
        }
        None => (StatusCode::NOT_FOUND, "there are no beacon.sites\n").into_response(),
    }
}

async fn image(State(beacon): State<Arc<Beacon>>) -> Response<Body> {
    beacon.counts.image();
    ([(CONTENT_TYPE, "image/gif")], beacon.image.clone()).into_response()
}

async fn report(
    State(beacon): State<Arc<Beacon>>,
    ConnectInfo(client): Client,
    body: Bytes,
) -> Response<Body> {
    match beacon.report(client.ip(), &body) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn sites(State(beacon): State<Arc<Beacon>>) -> Response<Body> {
    let site = |site: &crate::config::Site| json!({ "region": site.region, "url": site.url });
    let sites: Vec<_> = beacon.sites.iter().map(site).collect();
    let kind = [(CONTENT_TYPE, "application/json")];
    (kind, json!({ "sites": sites }).to_string()).into_response()
}

async fn samples(
    State(beacon): State<Arc<Beacon>>,
    ConnectInfo(client): Client,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    match take_post(&beacon, client.ip(), &headers, &body) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(refusal) => {
            beacon.counts.refused(refusal);
            refusal.into_response()
        }
    }
}

/// Takes what an agent has measured.
fn take_post(
    beacon: &Beacon,
    client: IpAddr,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<(), Refusal> {
    let header = |name| headers.get(name)?.to_str().ok();
    let from = header(agent_post::FROM).and_then(From::read);
    let (Some(from), Some(signature)) = (from, header(agent_post::SIGNATURE)) else {
        return Err(Refusal::Agent);
    };
    let agent = beacon.agents.verify(from, body, signature);
    let agent = agent.ok_or(Refusal::Agent)?;
    let post: Post = serde_json::from_slice(body).map_err(|_| Refusal::Malformed)?;
    if !makes_sense(&post, &agent, now_s()) {
        return Err(Refusal::Malformed);
    }
    beacon.counts.post();
    for round_trip in post.round_trips {
        let to = round_trip.to.into_boxed_str();
        let rtt_us = round_trip.rtt_us;
        beacon.send(match &agent.region {
            Some(from) => Measured::Between {
                from: from.as_str().into(),
                to,
                rtt_us,
            },
            None => Measured::Sample(Sample {
                at_s: round_trip.at_s,
                network: kept(client),
                region: to,
                rtt_us,
                count: 1,
                weight: Kind::Agent.weight(),
                kind: Kind::Agent,
                // It is believed without others who say the same.
                client: None,
            }),
        });
    }
    Ok(())
}

/// Whether this agent may have measured that.
fn makes_sense(post: &Post, agent: &Agent, now_s: u64) -> bool {
    let trips = &post.round_trips;
    let is_now = |at_s: u64| at_s <= now_s + MAX_AHEAD_S && at_s.saturating_add(MAX_AGE_S) >= now_s;
    trips.len() <= agent_post::MAX_ROUND_TRIPS
        && post.region == agent.region
        && trips
            .iter()
            .all(|trip| is_region(&trip.to) && is_now(trip.at_s))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response<Body> {
        let (status, text) = match self {
            Self::Malformed => (StatusCode::BAD_REQUEST, "not what is sent here\n"),
            Self::Token => (StatusCode::FORBIDDEN, "the token is not good here\n"),
            Self::Expired => (StatusCode::FORBIDDEN, "the token has expired\n"),
            Self::Agent => (
                StatusCode::FORBIDDEN,
                "no agent that is known here has signed this, or not now\n",
            ),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too many\n"),
        };
        (status, text).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::super::post::RoundTrip;
    use super::*;

    #[test]
    fn agents_may_only_have_measured_what_they_can() {
        let agent = |region: Option<&str>| Agent {
            name: "a".to_owned(),
            region: region.map(str::to_owned),
            public_key: String::new(),
        };
        let post = |region: Option<&str>, to: &str, at_s| Post {
            region: region.map(str::to_owned),
            round_trips: vec![RoundTrip {
                to: to.to_owned(),
                at_s,
                rtt_us: 5,
            }],
        };
        let now = 1_000_000;
        let good = post(None, "eu-west-1", now);
        assert!(makes_sense(&good, &agent(None), now));
        assert!(
            !makes_sense(&good, &agent(Some("a")), now),
            "it is at no site"
        );
        for (post, region) in [
            (post(Some("a"), "b", now), None),
            (post(Some("a"), "b", now), Some("c")),
            (post(None, "no region", now), None),
            (post(None, "b", now + MAX_AHEAD_S + 1), None),
            (post(None, "b", now - MAX_AGE_S - 1), None),
            (post(None, "b", u64::MAX - MAX_AGE_S), None),
        ] {
            assert!(!makes_sense(&post, &agent(region), now), "{post:?}");
        }
        let mut many = good;
        many.round_trips = vec![many.round_trips[0].clone(); agent_post::MAX_ROUND_TRIPS + 1];
        assert!(!makes_sense(&many, &agent(None), now));
    }
}
