//! The service over a socket, without other people's clients: what the HTTP side adds.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking too"
)]

mod fake;

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::Arc;

use fake::Fake;
use meridian_api::{ApiConfig, Scheme, router};
use meridian_model::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// When the fixtures were signed.
const NOW: Timestamp = Timestamp(1_440_938_160_000);

struct Server {
    address: SocketAddr,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let config = ApiConfig {
            clock: Arc::new(|| NOW),
            ..ApiConfig::new(Scheme::Https)
        };
        let router = router(Arc::new(Fake::default()), config);
        tokio::spawn(axum::serve(listener, router).into_future());
        Self { address }
    }

    /// Sends a request as it is and returns all that comes back.
    async fn ask(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

/// A request that botocore signed.
fn fixture(name: &str) -> String {
    let document: Value = serde_json::from_str(include_str!("data/sigv4.json")).unwrap();
    let cases = document["cases"].as_array().unwrap();
    let case = cases.iter().find(|case| case["name"] == name).unwrap();
    let text = |key: &str| case[key].as_str().unwrap().to_owned();
    let mut request = format!("{} {}", text("method"), text("path"));
    if !text("query").is_empty() {
        request += &format!("?{}", text("query"));
    }
    request += " HTTP/1.1\r\nConnection: close\r\n";
    for pair in case["headers"].as_array().unwrap() {
        if pair[0] != "content-length" {
            request += &format!(
                "{}: {}\r\n",
                pair[0].as_str().unwrap(),
                pair[1].as_str().unwrap()
            );
        }
    }
    format!(
        "{request}Content-Length: {}\r\n\r\n{}",
        text("body").len(),
        text("body")
    )
}

#[tokio::test]
async fn signed_requests_reach_the_operations() {
    let server = Server::start().await;
    for (name, status, part) in [
        ("port", "200 OK", "<HostedZones></HostedZones>"),
        ("presigned-1", "200 OK", "<MaxItems>1</MaxItems>"),
        ("list", "404 Not Found", "No hosted zone found with ID: Z1"),
        ("change", "404 Not Found", "<Code>NoSuchHostedZone</Code>"),
        (
            "tags",
            "501 Not Implemented",
            "does not implement ListTagsForResource yet",
        ),
        (
            "count",
            "501 Not Implemented",
            "<Code>NotImplemented</Code>",
        ),
    ] {
        let answer = server.ask(&fixture(name)).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}\r\n")),
            "{name}: {answer}"
        );
        assert!(answer.contains(part), "{name}: {answer}");
        assert!(
            answer.contains("\r\ncontent-type: text/xml\r\n"),
            "{answer}"
        );
        let (_, id) = answer.split_once("x-amzn-requestid: ").unwrap();
        let id = id.get(..36).unwrap();
        let ids = if status == "200 OK" { 1 } else { 2 };
        assert_eq!(answer.matches(id).count(), ids, "{answer}");
    }
}

#[tokio::test]
async fn nothing_is_said_to_strangers() {
    let server = Server::start().await;
    for path in ["/", "/2013-04-01/hostedzone", "/2013-04-01/nothing"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let answer = server.ask(&request).await;
        assert!(answer.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{answer}");
        assert!(
            answer.contains("<Code>MissingAuthenticationToken</Code>"),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn bodies_are_bounded() {
    let server = Server::start().await;
    let head = "POST /2013-04-01/hostedzone HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let answer = server
        .ask(&format!("{head}Content-Length: 1048577\r\n\r\n"))
        .await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(
        answer.contains("<Code>RequestEntityTooLarge</Code>"),
        "{answer}"
    );
}
