//! Responses to probes: whatever an endpoint says, in whatever pieces, a probe comes to an end and
//! to the same one; and a string is found where it is, in chunks and packed too.
//!
//! An input is a byte of what is wanted and how the bytes are sent, a byte of how they are cut, and
//! the bytes: a whole response, or a body that one is made of.
#![no_main]

use std::cell::LazyCell;
use std::net::Ipv4Addr;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use meridian_health::{
    CapLimits, Caps, Certificate, Found, Guard, Prober, Resolver, Target, Timeouts, Tls, respond,
};
use meridian_model::{AccountId, Endpoint, HealthCheckId, Protocol};
use tokio::runtime::{Builder, Runtime};

const WANTED: &str = "ab";
/// Where it has to be.
const WINDOW: usize = 5120;
/// What is read at once.
const READ: usize = 4096;

/// What probes are made with.
struct Station {
    runtime: Runtime,
    prober: Prober,
    target: Target,
}

thread_local! {
    static STATION: LazyCell<Station> = const { LazyCell::new(station) };
}

fn station() -> Station {
    Station {
        runtime: Builder::new_current_thread()
            .enable_time()
            .build()
            .expect("there is room for a runtime"),
        prober: Prober {
            guard: Guard::default(),
            caps: Caps::new(CapLimits::default()),
            resolver: Resolver::new(&[], Duration::ZERO),
            tls: Tls::trusting_nobody().expect("there is crypto"),
            timeouts: Timeouts::default(),
            contact: None,
        },
        target: Target {
            account: AccountId::new("123456789012").expect("it is an account"),
            id: HealthCheckId::new("0").expect("it is an id"),
            endpoint: Endpoint {
                protocol: Protocol::Http,
                ip_address: Some(Ipv4Addr::LOCALHOST.into()),
                domain_name: None,
                port: 80,
                path: None,
                search_string: None,
                request_interval_s: 30,
                failure_threshold: 3,
                measure_latency: false,
                enable_sni: false,
                regions: Vec::new(),
            },
            certificate: Certificate::Any,
        },
    }
}

/// What comes of a response that is sent in pieces of this size.
fn read(wanted: Option<&str>, bytes: &[u8], piece: usize) -> Found {
    STATION.with(|station| {
        let mut target = station.target.clone();
        target.endpoint.search_string = wanted.map(str::to_owned);
        let pieces: Vec<&[u8]> = bytes.chunks(piece).collect();
        let read = respond(&station.prober, &target, &pieces);
        let found = station.runtime.block_on(read);
        found.expect("there is nothing that this machine may lack")
    })
}

/// Bytes as they come.
fn hostile(wanted: Option<&str>, bytes: &[u8], piece: usize) {
    let found = read(wanted, bytes, READ);
    let text = found.to_string();
    assert!(
        text.starts_with("Success: ") || text.starts_with("Failure: "),
        "{text}"
    );
    assert_eq!(text.starts_with("Success: "), found.is_healthy());
    assert_eq!(read(wanted, bytes, piece), found);
}

/// A body that is sent by the rules.
fn sound(body: &[u8], framing: u8, piece: usize) {
    let mut response = b"HTTP/1.1 200 OK\r\n".to_vec();
    match framing {
        0 => {
            response.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
            response.extend(body);
        }
        1 => {
            response.extend(b"\r\n");
            response.extend(body);
        }
        _ => {
            response.extend(b"Transfer-Encoding: chunked\r\n\r\n");
            for chunk in body.chunks(piece) {
                response.extend(format!("{:x}\r\n", chunk.len()).bytes());
                response.extend(chunk);
                response.extend(b"\r\n");
            }
            response.extend(b"0\r\n\r\n");
        }
    }
    let window = &body[..body.len().min(WINDOW)];
    let is_there = window
        .windows(WANTED.len())
        .any(|two| two == WANTED.as_bytes());
    let found = read(Some(WANTED), &response, piece);
    let expected = if is_there {
        Found::Answered(200)
    } else {
        Found::StringMissing(200)
    };
    assert_eq!(found, expected);
    assert_eq!(read(None, &response, piece), Found::Answered(200));
}

/// A body of stored blocks of deflate, which is what it is without its framing.
fn packed(body: &[u8], piece: usize) {
    let mut response = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n".to_vec();
    response.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0]);
    let mut blocks = body.chunks(piece).peekable();
    while let Some(block) = blocks.next() {
        let len = u16::try_from(block.len()).expect("pieces are short");
        response.push(u8::from(blocks.peek().is_none()));
        response.extend(len.to_le_bytes());
        response.extend((!len).to_le_bytes());
        response.extend(block);
    }
    let window = &body[..body.len().min(WINDOW)];
    let is_there = window
        .windows(WANTED.len())
        .any(|two| two == WANTED.as_bytes());
    let expected = if is_there {
        Found::Answered(200)
    } else {
        Found::StringMissing(200)
    };
    assert_eq!(read(Some(WANTED), &response, piece), expected);
}

fuzz_target!(|input: &[u8]| {
    let [kind, piece, bytes @ ..] = input else {
        return;
    };
    let piece = 1 + usize::from(*piece);
    match kind % 6 {
        0 => hostile(None, bytes, piece),
        1 => hostile(Some(WANTED), bytes, piece),
        5 if bytes.is_empty() => {}
        5 => packed(bytes, piece),
        framing => sound(bytes, framing - 2, piece),
    }
});
