//! The request of a probe, and the head of the response to it: what of it counts, and that it is
//! HTTP (RFC 9112).

use std::net::IpAddr;

use httparse::{EMPTY_HEADER, Header, Response, Status};
use meridian_model::{Endpoint, HealthCheckId, Protocol};

use super::body::{Coding, Framing};
use super::found::{Found, Malformation};

/// The longest head, interim ones before it included.
const MAX_HEAD: usize = 16_384;

/// Who asks, as endpoints and their logs see it.
pub(super) fn user_agent(id: &HealthCheckId, contact: Option<&str>) -> String {
    match contact {
        Some(contact) => format!("Meridian-Health-Check (ref {id}; report {contact})"),
        None => format!("Meridian-Health-Check (ref {id})"),
    }
}

/// The request. Path and host hold nothing but visible ASCII: a check with others is not made.
pub(super) fn request(endpoint: &Endpoint, address: IpAddr, user_agent: &str) -> Vec<u8> {
    let path = endpoint.path.as_deref().unwrap_or_default();
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!(
        "GET {slash}{path} HTTP/1.1\r\n\
         Host: {}\r\n\
         User-Agent: {user_agent}\r\n\
         Accept-Encoding: identity,gzip,deflate\r\n\
         Connection: close\r\n\r\n",
        host(endpoint, address)
    )
    .into_bytes()
}

fn host(endpoint: &Endpoint, address: IpAddr) -> String {
    let host = match (&endpoint.domain_name, address) {
        (Some(name), _) => name.clone(),
        (None, IpAddr::V4(v4)) => v4.to_string(),
        (None, IpAddr::V6(v6)) => format!("[{v6}]"),
    };
    match (endpoint.protocol, endpoint.port) {
        (Protocol::Http, 80) | (Protocol::Https, 443) => host,
        (_, port) => format!("{host}:{port}"),
    }
}

/// What of a response's head counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) framing: Framing,
    pub(super) coding: Coding,
}

/// A head on its way, interim ones before it included.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    buffer: Vec<u8>,
    /// How much of the buffer the parser has seen; each time twice as much, or an empty line.
    tried: usize,
    /// The bytes of interim heads.
    spent: usize,
}

impl HeadReader {
    /// Takes what came; the head once it is there, with what came behind it.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Option<(Head, Vec<u8>)>, Found> {
        let fresh = self.buffer.len().saturating_sub(3);
        self.buffer.extend(bytes);
        let mut is_due = has_empty_line(self.buffer.get(fresh..).unwrap_or_default());
        // Each turn but the last takes an interim head off the buffer.
        while is_due || self.buffer.len() >= 2 * self.tried {
            self.tried = self.buffer.len();
            let Some((len, head)) = parse(&self.buffer)? else {
                break;
            };
            self.spent += len;
            if self.spent > MAX_HEAD {
                return Err(Found::HeadTooLarge);
            }
            let rest = self.buffer.split_off(len);
            // 101 answers a wish to speak something else, which nobody had.
            if !matches!(head.status, 100 | 102..=199) {
                return Ok(Some((head, rest)));
            }
            self.buffer = rest;
            self.tried = 0;
            is_due = has_empty_line(&self.buffer);
            if self.buffer.is_empty() {
                break;
            }
        }
        if self.spent + self.buffer.len() > MAX_HEAD {
            return Err(Found::HeadTooLarge);
        }
        Ok(None)
    }

    /// What it is that the connection ended here: a head may be wrong before all of it is there.
    pub(super) fn end(&self) -> Found {
        parse(&self.buffer).err().unwrap_or(Found::Closed)
    }
}

fn has_empty_line(bytes: &[u8]) -> bool {
    let crlf = bytes.windows(3).any(|three| three == b"\n\r\n");
    crlf || bytes.windows(2).any(|two| two == b"\n\n")
}

/// The first head and its length, if all of it is there.
fn parse(bytes: &[u8]) -> Result<Option<(usize, Head)>, Found> {
    let bytes = bytes.get(..MAX_HEAD).unwrap_or(bytes);
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count();
    let mut headers = vec![EMPTY_HEADER; lines + 1];
    let mut response = Response::new(&mut headers);
    match response.parse(bytes) {
        Ok(Status::Partial) => Ok(None),
        Ok(Status::Complete(len)) => {
            let status = response.code.unwrap_or_default();
            let head = Head {
                status,
                framing: framing(status, response.headers)?,
                coding: coding(response.headers),
            };
            Ok(Some((len, head)))
        }
        // What precedes the headers; tokens are names of both methods and headers.
        Err(httparse::Error::Status | httparse::Error::Version) => {
            Err(Found::Malformed(Malformation::StatusLine))
        }
        Err(_) if response.code.is_none() => Err(Found::Malformed(Malformation::StatusLine)),
        Err(_) => Err(Found::Malformed(Malformation::Header)),
    }
}

/// The items of all headers of this name, in lower case.
fn items<'h>(headers: &'h [Header<'_>], name: &'h str) -> impl Iterator<Item = String> + 'h {
    let same = headers
        .iter()
        .filter(move |header| header.name.eq_ignore_ascii_case(name));
    same.flat_map(|header| {
        let items = header.value.split(|byte| *byte == b',');
        items.map(|item| String::from_utf8_lossy(item.trim_ascii()).to_ascii_lowercase())
    })
}

/// RFC 9112, section 6.3.
fn framing(status: u16, headers: &[Header<'_>]) -> Result<Framing, Found> {
    let wrong = Found::Malformed(Malformation::Framing);
    if matches!(status, 100..=199 | 204 | 304) {
        return Ok(Framing::Length(0));
    }
    let mut codings = items(headers, "transfer-encoding");
    match (codings.next(), codings.next()) {
        (None, _) => {}
        (Some(only), None) if only == "chunked" => return Ok(Framing::Chunked),
        // None else was asked for.
        _ => return Err(wrong),
    }
    let mut lengths = items(headers, "content-length");
    let Some(length) = lengths.next() else {
        return Ok(Framing::UntilClose);
    };
    let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
    match length.parse() {
        Ok(number) if is_number && lengths.all(|other| other == length) => {
            Ok(Framing::Length(number))
        }
        _ => Err(wrong),
    }
}

fn coding(headers: &[Header<'_>]) -> Coding {
    let mut codings = items(headers, "content-encoding").filter(|coding| coding != "identity");
    match (codings.next().as_deref(), codings.next()) {
        (None | Some(""), None) => Coding::Identity,
        (Some("gzip" | "x-gzip"), None) => Coding::Gzip,
        (Some("deflate"), None) => Coding::Deflate,
        _ => Coding::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn endpoint() -> Endpoint {
        Endpoint {
            protocol: Protocol::Http,
            ip_address: None,
            domain_name: None,
            port: 80,
            path: None,
            search_string: None,
            request_interval_s: 30,
            failure_threshold: 3,
            measure_latency: false,
            enable_sni: false,
            regions: Vec::new(),
        }
    }

    #[test]
    fn the_host_has_its_port_unless_that_goes_without_saying() {
        for (protocol, port, name, address, expected) in [
            (Protocol::Http, 80, None, "192.0.2.1", "192.0.2.1"),
            (Protocol::Http, 443, None, "192.0.2.1", "192.0.2.1:443"),
            (Protocol::Https, 443, None, "2001:db8::1", "[2001:db8::1]"),
            (Protocol::Https, 80, None, "2001:db8::1", "[2001:db8::1]:80"),
            (
                Protocol::Http,
                8080,
                Some("a.example"),
                "192.0.2.1",
                "a.example:8080",
            ),
            (
                Protocol::Https,
                443,
                Some("a.example"),
                "192.0.2.1",
                "a.example",
            ),
        ] {
            let endpoint = Endpoint {
                protocol,
                port,
                domain_name: name.map(str::to_owned),
                ..endpoint()
            };
            assert_eq!(host(&endpoint, address.parse().unwrap()), expected);
        }
    }

    proptest! {
        /// However the network cuts it.
        #[test]
        fn a_head_is_what_it_is(
            piece in 1_usize..100,
            fields in 0_usize..300,
            interim in 0_usize..5,
            rest in prop::collection::vec(any::<u8>(), 0..50),
        ) {
            let mut bytes = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n".repeat(interim);
            bytes.extend(b"HTTP/1.1 404 Not\r\n");
            bytes.extend(b"X-Field: some value\r\n".repeat(fields));
            bytes.extend(b"content-length: 7\r\nContent-Encoding: gzip\r\n\r\n");
            bytes.extend(&rest);
            let mut reader = HeadReader::default();
            let mut pieces = bytes.chunks(piece);
            let found = pieces.find_map(|piece| reader.take(piece).transpose());
            let (head, mut behind) = found.unwrap().unwrap();
            behind.extend(pieces.flatten());
            prop_assert_eq!(behind, rest);
            let expected = Head {
                status: 404,
                framing: Framing::Length(7),
                coding: Coding::Gzip,
            };
            prop_assert_eq!(head, expected);
        }

        #[test]
        fn no_head_makes_it_panic_or_grow(
            begin in prop::sample::select(vec![&b""[..], b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100\r\n\r\n"]),
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..3000), 0..12),
        ) {
            let mut reader = HeadReader::default();
            for piece in [begin].into_iter().chain(pieces.iter().map(Vec::as_slice)) {
                if !matches!(reader.take(piece), Ok(None)) {
                    break;
                }
                prop_assert!(reader.buffer.len() <= MAX_HEAD);
            }
        }
    }
}
