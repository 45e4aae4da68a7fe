//! What a proxy in front says about its client: whose address, over TLS or not, to which name.
//!
//! Anybody can send these headers, so they count only from addresses that an operator trusts. Of the
//! two families of them `X-Forwarded-*` is read and `Forwarded` (RFC 7239) is not: a proxy sets one,
//! passes the other on as its client wrote it, and nothing here could tell which.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::map_request;

use crate::service::Scheme;

const FOR: &str = "x-forwarded-for";
const PROTO: &str = "x-forwarded-proto";
const NAME: &str = "x-forwarded-host";

/// Whether an address is that of a proxy to be believed.
pub type Trusts = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

/// The router behind proxies: what it takes for the client's address, scheme and `Host` is what the
/// proxies say, if `trusts` says that they are to be believed.
pub fn behind_proxies(router: Router, trusts: Trusts) -> Router {
    router.layer(map_request(move |mut request: Request| {
        believe(&mut request, &*trusts);
        async { request }
    }))
}

fn believe(request: &mut Request, trusts: &dyn Fn(IpAddr) -> bool) {
    let Some(&ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>() else {
        return;
    };
    if !trusts(peer.ip().to_canonical()) {
        return;
    }
    let headers = request.headers();
    let (client, hops) = client(peer, headers, trusts);
    let scheme = said(headers, PROTO, hops).and_then(scheme);
    // What the client has signed, should the proxy have put another name in its place.
    let host = said(headers, NAME, hops)
        .filter(|host| host.parse::<Authority>().is_ok())
        .and_then(|host| HeaderValue::from_str(host).ok());
    request.extensions_mut().insert(ConnectInfo(client));
    if let Some(scheme) = scheme {
        request.extensions_mut().insert(scheme);
    }
    if let Some(host) = host {
        request.headers_mut().insert(HOST, host);
    }
}

/// The client, and how many trusted proxies are between it and us. Each proxy adds the address that
/// it was asked from at the end of the list, so the client is the last address there that is not a
/// proxy's; what stands before that is what the client says of itself.
fn client(
    peer: SocketAddr,
    headers: &HeaderMap,
    trusts: &dyn Fn(IpAddr) -> bool,
) -> (SocketAddr, usize) {
    let mut client = peer;
    let mut hops = 0;
    for entry in values(headers, FOR).rev() {
        // Something else than an address was written by nobody that can be relied on.
        let Some(address) = address(entry) else {
            break;
        };
        client = address;
        hops += 1;
        if !trusts(address.ip()) {
            break;
        }
    }
    (client, hops.max(1))
}

/// What the proxy said that the client asked. Those behind it may have added what they saw, or have
/// left the list alone.
fn said<'a>(headers: &'a HeaderMap, name: &str, hops: usize) -> Option<&'a str> {
    let from_the_end = values(headers, name).rev().nth(hops - 1);
    from_the_end.or_else(|| values(headers, name).next())
}

/// The elements of a list that may stand in several headers.
fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl DoubleEndedIterator<Item = &'a str> {
    let lines = headers.get_all(name).iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

/// An address with or without a port.
fn address(text: &str) -> Option<SocketAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let ip = bare.unwrap_or(text).parse::<IpAddr>();
    let ip = ip.or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()));
    // Whoever reads the address needs no port.
    Some(SocketAddr::new(ip.ok()?.to_canonical(), 0))
}

fn scheme(text: &str) -> Option<Scheme> {
    [Scheme::Http, Scheme::Https]
        .into_iter()
        .find(|scheme| text.eq_ignore_ascii_case(scheme.as_str()))
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    /// The address, scheme and host that remain of a request from 10.0.0.1 with these headers.
    fn seen_from(peer: &str, headers: &[(&str, &str)]) -> (String, Scheme, String) {
        let mut request = Request::get("/").header("host", "inner");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(Body::empty()).unwrap();
        let peer: SocketAddr = format!("{peer}:1").parse().unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(Scheme::Http);
        believe(&mut request, &|ip| ip.to_string().starts_with("10."));
        let extensions = request.extensions();
        let ConnectInfo(client) = extensions.get::<ConnectInfo<SocketAddr>>().unwrap();
        (
            client.ip().to_string(),
            *extensions.get::<Scheme>().unwrap(),
            request.headers()["host"].to_str().unwrap().to_owned(),
        )
    }

    fn source(forwarded_for: &[&str]) -> String {
        let headers: Vec<_> = forwarded_for.iter().map(|value| (FOR, *value)).collect();
        seen_from("10.0.0.1", &headers).0
    }

    #[test]
    fn the_client_is_the_last_address_that_is_no_proxys() {
        for (list, expected) in [
            (&[][..], "10.0.0.1"),
            (&["192.0.2.1"], "192.0.2.1"),
            (&["192.0.2.1, 10.0.0.2"], "192.0.2.1"),
            (&["192.0.2.1", "10.0.0.3, 10.0.0.2"], "192.0.2.1"),
            // What stands before it is the client's own invention.
            (&["198.51.100.1, 192.0.2.1"], "192.0.2.1"),
            (&["198.51.100.1", "192.0.2.1", "10.0.0.2"], "192.0.2.1"),
            (&["10.0.0.9, 10.0.0.8"], "10.0.0.9"),
            // With ports, and in brackets.
            (&["192.0.2.1:4711"], "192.0.2.1"),
            (&["[2001:db8::1]:4711"], "2001:db8::1"),
            (&["[2001:db8::1]"], "2001:db8::1"),
            (&["2001:db8::1"], "2001:db8::1"),
            (&["::ffff:10.0.0.2"], "10.0.0.2"),
            // What is no address says nothing about those before it.
            (&["192.0.2.1, unknown"], "10.0.0.1"),
            (&["192.0.2.1, , 10.0.0.2"], "10.0.0.2"),
            (&[""], "10.0.0.1"),
        ] {
            assert_eq!(source(list), expected, "{list:?}");
        }
    }

    #[test]
    fn nobody_else_is_believed() {
        let headers = [(FOR, "192.0.2.7"), (PROTO, "https"), (NAME, "dns.example")];
        let (source, scheme, host) = seen_from("192.0.2.1", &headers);
        assert_eq!(
            (source.as_str(), scheme, host.as_str()),
            ("192.0.2.1", Scheme::Http, "inner")
        );
        let (source, scheme, host) = seen_from("[::ffff:10.0.0.1]", &headers);
        assert_eq!(
            (source.as_str(), scheme, host.as_str()),
            ("192.0.2.7", Scheme::Https, "dns.example")
        );
    }

    #[test]
    fn scheme_and_host_are_those_that_the_client_used() {
        let seen = |lists: [&str; 3]| {
            let headers: Vec<_> = [FOR, PROTO, NAME].into_iter().zip(lists).collect();
            let (_, scheme, host) = seen_from("10.0.0.1", &headers);
            (scheme, host)
        };
        for (lists, scheme, host) in [
            (
                ["192.0.2.1", "HTTPS", "a.example:8443"],
                Scheme::Https,
                "a.example:8443",
            ),
            // The inner proxy adds what it was asked.
            (
                ["192.0.2.1, 10.0.0.2", "https, http", "a.example, b"],
                Scheme::Https,
                "a.example",
            ),
            // Only one of two says it.
            (
                ["192.0.2.1, 10.0.0.2", "https", "a.example"],
                Scheme::Https,
                "a.example",
            ),
            // A client that says it first is not heard.
            (
                ["192.0.2.1", "https, http", "a.example, b"],
                Scheme::Http,
                "b",
            ),
            (["192.0.2.1", "gopher", "a b"], Scheme::Http, "inner"),
            (["192.0.2.1", "", ""], Scheme::Http, "inner"),
        ] {
            assert_eq!(seen(lists), (scheme, host.to_owned()), "{lists:?}");
        }
    }
}
