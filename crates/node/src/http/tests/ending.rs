//! What becomes of connections once the end has come.

use std::io::Write as _;
use std::thread;

use super::*;

#[tokio::test]
async fn a_request_in_progress_is_answered() {
    let server = Server::of_routes(terms()).await;
    let mut stream = server.connect().await;
    let head =
        "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    // The interim answer says that the request has begun.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    let address = server.address;
    drop(server.end);
    // Longer than an idle connection would be there.
    time::sleep(Duration::from_millis(300)).await;
    stream.write_all(b"here").await.unwrap();
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
    in_time(server.done).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

/// Whoever connected in time cannot know that the end has come.
#[tokio::test]
async fn each_connection_has_one_more_request() {
    for versions in [Versions::One, Versions::OneAndTwo] {
        let server = Server::of_routes(Terms {
            versions,
            ..terms()
        })
        .await;
        let (mut fresh, mut silent) = (server.connect().await, server.connect().await);
        // Accepted after the others.
        let mut kept = server.connect().await;
        assert!(!ask(&mut kept).await.contains("connection: close"));
        drop(server.end);
        // Soon: it has 400 ms, and this machine may be busy.
        time::sleep(Duration::from_millis(10)).await;
        kept.write_all(REQUEST).await.unwrap();
        assert!(rest(&mut kept).await.ends_with("here"));
        while TcpStream::connect(server.address).await.is_ok() {
            task::yield_now().await;
        }
        fresh.write_all(REQUEST).await.unwrap();
        let answer = rest(&mut fresh).await;
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        // One that never asks does not hold the end up for long.
        let closed = time::timeout(Duration::from_secs(2), rest(&mut silent)).await;
        assert_eq!(closed.unwrap(), "");
        in_time(server.done).await.unwrap();
    }
}

/// It was lost in every other case, when the machine had so much else to do that the request and the
/// end of its time were noticed together. In one thread, so that nothing is noticed meanwhile.
#[tokio::test(flavor = "current_thread")]
async fn a_request_that_came_in_time_is_answered_by_a_busy_machine() {
    for versions in [Versions::One, Versions::OneAndTwo] {
        let server = Server::of_routes(Terms {
            versions,
            ..terms()
        })
        .await;
        let mut streams = Vec::new();
        for number in 0..20 {
            let mut stream = server.connect().await;
            if number % 2 == 0 {
                ask(&mut stream).await;
            }
            streams.push(stream.into_std().unwrap());
        }
        drop(server.end);
        while TcpStream::connect(server.address).await.is_ok() {
            task::yield_now().await;
        }
        for mut stream in &streams {
            stream.write_all(REQUEST).unwrap();
        }
        // Longer than it has.
        thread::sleep(Duration::from_millis(600));
        for stream in streams {
            let mut stream = TcpStream::from_std(stream).unwrap();
            assert!(rest(&mut stream).await.ends_with("here"));
        }
        in_time(server.done).await.unwrap();
    }
}

#[tokio::test]
async fn who_has_asked_before_does_not_hold_the_end_up() {
    let server = Server::of_routes(terms()).await;
    let mut one = server.connect().await;
    assert!(ask(&mut one).await.ends_with("here"));
    let (mut requests, connection) = h2::client::handshake(server.connect().await).await.unwrap();
    let mut connection = tokio::spawn(connection);
    assert_eq!(over_http_2(requests.clone(), "/").await, Some(200));
    drop(server.end);
    assert_eq!(rest(&mut one).await, "");
    // Over HTTP/2 the goodbye is a frame.
    in_time(&mut connection).await.unwrap().unwrap();
    let request = Request::get("http://x/").body(()).unwrap();
    assert!(requests.send_request(request, true).is_err());
    in_time(server.done).await.unwrap();
}

/// Half a request is not waited for as a whole one is.
#[tokio::test]
async fn half_a_head_does_not_hold_the_end_up() {
    let server = Server::of_routes(terms()).await;
    let mut half = server.connect().await;
    half.write_all(b"GET / HT").await.unwrap();
    let before = Instant::now();
    server.end().await;
    assert!(before.elapsed() < PATIENCE / 2);
    assert_eq!(rest(&mut half).await, "");
}

/// In one thread, which makes sure that nobody accepts before the end.
#[tokio::test(flavor = "current_thread")]
async fn all_that_wait_to_be_accepted_are_served() {
    let server = Server::of_routes(terms()).await;
    let ask = |_| {
        let mut stream = std::net::TcpStream::connect(server.address).unwrap();
        stream.write_all(REQUEST).unwrap();
        stream.set_nonblocking(true).unwrap();
        TcpStream::from_std(stream).unwrap()
    };
    let waiting: Vec<TcpStream> = (0..300).map(ask).collect();
    drop(server.end);
    let mut answered = 0;
    for mut stream in waiting {
        answered += usize::from(rest(&mut stream).await.ends_with("here"));
    }
    assert_eq!(answered, 300);
    in_time(server.done).await.unwrap();
}

#[tokio::test]
async fn who_does_not_finish_is_cut_off() {
    let drain_timeout = Duration::from_millis(700);
    let server = Server::of_routes(Terms {
        drain_timeout,
        ..terms()
    })
    .await;
    let mut stuck = server.connect().await;
    let request = b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n";
    stuck.write_all(request).await.unwrap();
    assert!(ask(&mut server.connect().await).await.ends_with("here"));
    let before = Instant::now();
    server.end().await;
    assert!(before.elapsed() >= drain_timeout);
    assert_eq!(rest(&mut stuck).await, "");
}
