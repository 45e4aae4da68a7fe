//! What a request asks for and says of itself, before it is known who asks.

use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use axum::http::HeaderValue;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;
use meridian_control::Transport;
use meridian_model::AccessKeyId;
use ring::digest;

use crate::dialect::Dialect;
use crate::fault::ErrorResponse;
use crate::route53::{self, Match};
use crate::service::Scheme;
use crate::sigv4::SignedRequest;
use crate::sts;

/// What a request asks for, whoever asks.
pub(crate) enum Found {
    /// At a path of Route 53's.
    Route53(Match),
    /// An action of the query protocol.
    Sts(Result<sts::Action, ErrorResponse>),
    /// What its header says.
    Domains(String),
}

impl Found {
    /// By its line and headers, and by the body where that names it.
    pub(crate) fn by(parts: &Parts, body: &[u8]) -> Self {
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

    /// The protocol it speaks.
    pub(crate) const fn dialect(&self) -> Dialect {
        match self {
            Self::Route53(_) => Dialect::Route53,
            Self::Sts(_) => Dialect::Sts,
            Self::Domains(_) => Dialect::Domains,
        }
    }

    /// The variable parts of its path.
    pub(crate) fn ids(&self) -> &[String] {
        match self {
            Self::Route53(Match::Operation(_, ids)) => ids,
            Self::Route53(_) | Self::Sts(_) | Self::Domains(_) => &[],
        }
    }

    /// Its name; empty for none.
    pub(crate) const fn operation(&self) -> &'static str {
        match self {
            Self::Route53(Match::Operation(route, _)) => route.operation,
            Self::Sts(Ok(action)) => action.name(),
            Self::Route53(_) | Self::Sts(_) | Self::Domains(_) => "",
        }
    }
}

/// Where the client thinks we are, as in `http://127.0.0.1:5380`.
pub(crate) fn endpoint(parts: &Parts) -> String {
    let scheme = parts.extensions.get::<Scheme>().copied();
    let host = parts.headers.get("host").map(HeaderValue::to_str);
    let host = match (host, parts.uri.authority()) {
        (Some(Ok(host)), _) => host,
        (None, Some(authority)) => authority.as_str(),
        _ => "localhost",
    };
    format!("{}://{host}", scheme.unwrap_or(Scheme::Http).as_str())
}

/// Whether the client's request came over TLS.
pub(crate) fn transport(parts: &Parts) -> Transport {
    match parts.extensions.get::<Scheme>() {
        Some(Scheme::Https) => Transport::Tls,
        Some(Scheme::Http) | None => Transport::Plain,
    }
}

/// All headers. A request line with an absolute URL stands for a missing `Host` (RFC 9112,
/// section 3.2.2).
pub(crate) fn headers(parts: &Parts) -> Vec<(&str, &[u8])> {
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
pub(crate) fn retry_key(request: &SignedRequest<'_>, key: &AccessKeyId) -> Option<[u8; 32]> {
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

/// Where it came from.
pub(crate) fn source(parts: &Parts) -> String {
    let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or_else(|| "-".to_owned(), |ConnectInfo(peer)| peer.ip().to_string())
}

/// What the client calls itself.
pub(crate) fn user_agent(parts: &Parts) -> String {
    let agent = parts.headers.get(USER_AGENT).map(HeaderValue::as_bytes);
    String::from_utf8_lossy(agent.unwrap_or_default()).into_owned()
}
