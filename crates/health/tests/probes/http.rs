//! TCP and HTTP: connections, requests, statuses, heads.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use meridian_health::{
    Busy, Cap, CapLimits, Caps, Denial, Found, Guard, Malformation, Prober, Target, Unable,
};
use meridian_model::{AddressRange, ProbeRights, Protocol};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::scene::{
    ID, answering, endless, endpoint, find, observe, prober, request, status, target,
};

const OK: &str = "Success: HTTP Status Code 200, OK";
const NOT_HTTP: &str = "Failure: Response is not HTTP";
const BAD_HEADER: &str = "Failure: Response has a malformed header";
const BAD_LENGTH: &str = "Failure: Response has a malformed length";
const CLOSED: &str = "Failure: Connection closed before the end of the response";

#[tokio::test]
async fn a_connection_is_all_that_tcp_wants() {
    let scene = endpoint(|_| async {}).await;
    let seen = observe(&prober(), &target(scene.address, Protocol::Tcp)).await;
    assert_eq!(seen.status(), "Success: TCP connection established");
    assert!(seen.times.connect_us.is_some() && seen.times.first_byte_us.is_none());
}

#[tokio::test]
async fn nobody_listens() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    for protocol in [Protocol::Tcp, Protocol::Http, Protocol::Https] {
        let found = find(&target(address, protocol)).await;
        assert_eq!(found.to_string(), "Failure: Connection refused");
    }
}

/// Beyond its backlog the kernel lets packets fall, as a firewall does. As long as what this gives
/// is there.
async fn silent() -> (SocketAddr, impl Sized) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let connecting = TcpStream::connect(address);
        waiting.push(tokio::time::timeout(Duration::from_millis(50), connecting).await);
    }
    (address, (listener, waiting))
}

#[tokio::test]
async fn nobody_takes_the_connection() {
    let (address, _waiting) = silent().await;
    for protocol in [Protocol::Tcp, Protocol::Http, Protocol::Https] {
        let found = find(&target(address, protocol)).await;
        assert_eq!(found.to_string(), "Failure: Connection timed out");
    }
}

#[tokio::test]
async fn endpoints_that_say_nothing_hold_up_nobody_who_talks() {
    let (address, _waiting) = silent().await;
    let limits = CapLimits {
        talking: 1,
        ..CapLimits::default()
    };
    let prober = Arc::new(Prober {
        caps: Caps::new(limits),
        ..prober()
    });
    let probe = |target: Target| {
        let prober = Arc::clone(&prober);
        tokio::spawn(async move { prober.probe(&target, ProbeRights::Everything, 1).await })
    };
    // One after the other they would take longer than anybody waits.
    let silent: Vec<_> = (0..8)
        .map(|_| probe(target(address, Protocol::Http)))
        .collect();
    let talks = answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let talks = [(); 2].map(|()| probe(target(talks.address, Protocol::Http)));
    for seen in silent {
        let seen = seen.await.unwrap();
        assert_eq!(seen.unwrap().found, Found::ConnectTimedOut);
    }
    // The second waits for the first.
    for seen in talks {
        let seen = seen.await.unwrap();
        assert_eq!(seen.unwrap().found, Found::Answered(200));
    }
}

#[tokio::test]
async fn the_status_decides_and_redirects_are_not_followed() {
    for (answer, text) in [
        ("HTTP/1.1 200 OK\r\n\r\n", OK),
        ("HTTP/1.1 200 It is\x20fine\r\nA: b\r\n\r\n", OK),
        ("HTTP/1.1 200\r\n\r\n", OK),
        ("HTTP/1.0 200 OK\r\n\r\nold", OK),
        ("HTTP/1.1 200 OK\n\n", OK),
        ("\r\nHTTP/1.1 200 OK\r\n\r\n", OK),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", OK),
        (
            "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
            "Success: HTTP Status Code 204, No Content",
        ),
        (
            "HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n",
            "Success: HTTP Status Code 301, Moved Permanently",
        ),
        ("HTTP/1.1 399 x\r\n\r\n", "Success: HTTP Status Code 399"),
        (
            "HTTP/1.1 101 Switching Protocols\r\n\r\n",
            "Failure: HTTP Status Code 101",
        ),
        (
            "HTTP/1.1 400 Bad\r\n\r\n",
            "Failure: HTTP Status Code 400, Bad Request",
        ),
        (
            "HTTP/1.1 404 x\r\n\r\n",
            "Failure: HTTP Status Code 404, Not Found",
        ),
        (
            "HTTP/1.1 500 x\r\n\r\n",
            "Failure: HTTP Status Code 500, Internal Server Error",
        ),
        ("HTTP/1.1 999 x\r\n\r\n", "Failure: HTTP Status Code 999"),
        ("HTTP/1.1 099 x\r\n\r\n", "Failure: HTTP Status Code 99"),
        ("SSH-2.0-OpenSSH_9.2\r\n", NOT_HTTP),
        ("HTTP/2.0 200 OK\r\n\r\n", NOT_HTTP),
        ("HTTP/1.1 20 OK\r\n\r\n", NOT_HTTP),
        ("HTTP/1.1 2000 OK\r\n\r\n", NOT_HTTP),
        ("\x15\x03\x01\x00\x02\x02\x0a", NOT_HTTP),
        ("HTTP/1.1 200 OK\r\nA : b\r\n\r\n", BAD_HEADER),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", BAD_HEADER),
        ("HTTP/1.1 200 OK\r\nnothing\r\n\r\n", BAD_HEADER),
        ("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", BAD_HEADER),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            BAD_LENGTH,
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", BAD_LENGTH),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
            BAD_LENGTH,
        ),
        ("", CLOSED),
        ("HTTP/1.1 200 OK\r\nA: b\r\n", CLOSED),
    ] {
        let scene = answering(answer).await;
        assert_eq!(status(&scene).await, text, "{answer:?}");
        assert_eq!(scene.seen(), 1, "{answer:?}");
    }
}

#[tokio::test]
async fn the_request_says_who_asks_and_for_what() {
    let heard = Arc::new(Mutex::new(String::new()));
    let ears = Arc::clone(&heard);
    let scene = endpoint(move |mut stream| {
        let ears = Arc::clone(&ears);
        async move {
            *ears.lock().unwrap() = request(&mut stream).await;
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        }
    })
    .await;
    let mut target = target(scene.address, Protocol::Http);
    assert_eq!(find(&target).await, Found::Answered(200));
    let port = scene.address.port();
    let expected = format!(
        "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: Meridian-Health-Check (ref \
         {ID})\r\nAccept-Encoding: identity,gzip,deflate\r\nConnection: close\r\n\r\n"
    );
    assert_eq!(*heard.lock().unwrap(), expected);
    target.endpoint.path = Some("up?deep=1".to_owned());
    target.endpoint.domain_name = Some("www.example.com".to_owned());
    let mut prober = prober();
    prober.contact = Some("https://example.net/probes".to_owned());
    observe(&prober, &target).await;
    let heard = heard.lock().unwrap();
    let begin = format!("GET /up?deep=1 HTTP/1.1\r\nHost: www.example.com:{port}\r\n");
    assert!(heard.starts_with(&begin), "{heard}");
    assert!(heard.contains("; report https://example.net/probes)\r\n"));
}

#[tokio::test]
async fn heads_may_have_16384_bytes_and_no_more() {
    for (len, found) in [
        (16_384, Found::Answered(200)),
        (16_385, Found::HeadTooLarge),
    ] {
        let frame = "HTTP/1.1 200 OK\r\nA: \r\n\r\n";
        let value = "b".repeat(len - frame.len());
        let scene = answering(format!("HTTP/1.1 200 OK\r\nA: {value}\r\n\r\nbody")).await;
        assert_eq!(find(&target(scene.address, Protocol::Http)).await, found);
    }
    // Thousands of fields are fine as long as they are short.
    let fields = "a:b\r\n".repeat(3_000);
    let scene = answering(format!("HTTP/1.1 200 OK\r\n{fields}\r\n")).await;
    assert_eq!(status(&scene).await, OK);
}

#[tokio::test]
async fn heads_without_end_are_given_up() {
    let now = Duration::ZERO;
    let large = "Failure: Response headers exceed 16384 bytes";
    for (head, more, text) in [
        (&b"HTTP/1.1 200 OK\r\n"[..], &b"A: b\r\n"[..], large),
        (b"HTTP/1.1 200 OK\r\nA: ", b"bbbbbbbb", large),
        (b"HTTP/1.1 200 ", b"OKOKOKOK", large),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n", large),
        (b"", b"\r\n", large),
        (b"", b"\0\0\0\0", NOT_HTTP),
    ] {
        let scene = endless(head, more, now).await;
        assert_eq!(status(&scene).await, text, "{more:?}");
    }
}

#[tokio::test]
async fn slow_bytes_and_silence_end_with_the_time() {
    let late = "Failure: Response timed out";
    let slowly = Duration::from_millis(10);
    let scene = endless(b"HTTP/1.1 200 OK\r\nA: ", b"b", slowly).await;
    assert_eq!(status(&scene).await, late);
    let scene = endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", slowly).await;
    assert_eq!(status(&scene).await, late);
    let scene = endpoint(|stream| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    assert_eq!(status(&scene).await, late);
}

#[tokio::test]
async fn resets_and_half_closed_connections() {
    let scene = endpoint(|mut stream| async move {
        request(&mut stream).await;
        let _ = stream.write_all(b"HTTP/1.1 200").await;
        // Nobody waits for what is not sent yet, and the kernel says so.
        let _ = stream.set_zero_linger();
    })
    .await;
    assert_eq!(status(&scene).await, "Failure: Connection reset");
    let scene = endpoint(|mut stream| async move {
        let _ = stream.shutdown().await;
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(status(&scene).await, CLOSED);
    // It has answered before it was asked, and does not listen.
    let scene = endpoint(|mut stream| async move {
        let _ = stream.write_all(b"HTTP/1.1 503 Busy\r\n\r\n").await;
        let _ = stream.shutdown().await;
        std::future::pending::<()>().await;
    })
    .await;
    let busy = "Failure: HTTP Status Code 503, Service Unavailable";
    assert_eq!(status(&scene).await, busy);
}

#[tokio::test]
async fn forbidden_addresses_are_never_connected_to() {
    let scene = answering("HTTP/1.1 200 OK\r\n\r\n").await;
    let mut target = target(scene.address, Protocol::Http);
    let mut prober = prober();
    for address in ["127.0.0.1", "::ffff:127.0.0.1"] {
        target.endpoint.ip_address = Some(address.parse().unwrap());
        for rights in [ProbeRights::Public, ProbeRights::Private] {
            let seen = prober.probe(&target, rights, 1).await.unwrap();
            assert_eq!(
                seen.found,
                Found::Denied(Denial::Range(AddressRange::Loopback))
            );
            assert_eq!(seen.status(), "Failure: Not probed: a loopback address");
        }
    }
    prober.guard = Guard::new(&[scene.address], &[]);
    assert_eq!(observe(&prober, &target).await.found, Found::Answered(200));
    assert_eq!(scene.seen(), 1);
}

#[tokio::test]
async fn no_more_probes_of_one_address_than_allowed() {
    let scene = endless(b"", b"", Duration::from_secs(1)).await;
    let target = target(scene.address, Protocol::Http);
    let mut prober = prober();
    prober.caps = Caps::new(CapLimits {
        per_address: 1,
        patience: Duration::from_millis(100),
        ..CapLimits::default()
    });
    let rights = ProbeRights::Everything;
    let (first, second) = tokio::join!(
        prober.probe(&target, rights, 1),
        prober.probe(&target, rights, 2)
    );
    assert_eq!(first.unwrap().found, Found::StatusTimedOut);
    assert_eq!(second.unwrap_err(), Unable::Busy(Busy(Cap::Address)));
    let third = prober.probe(&target, rights, 3).await;
    assert_eq!(third.unwrap().found, Found::StatusTimedOut);
}

#[test]
fn failures_of_the_protocol_say_which() {
    let found = Found::Malformed(Malformation::Framing);
    assert_eq!(found.to_string(), BAD_LENGTH);
    assert!(!found.is_healthy());
}
