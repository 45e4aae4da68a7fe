//! The service over a socket, without other people's clients: what the HTTP side adds.
#![expect(
    clippy::unwrap_used,
    reason = "the helpers of tests fail by panicking too"
)]

use std::future::IntoFuture;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Extension;
use meridian_api::{ApiConfig, Audit, Event, Scheme, router};
use meridian_control::{Acks, Control, SystemEnvironment};
use meridian_log::{
    AppendError, Commit, Entry, Head, Journal, JournalError, LocalJournal, ReaderClass,
    StorageError, Tables, Vault,
};
use meridian_model::{
    AccessKey, AccessKeyId, Account, AccountId, Effect, KeyStatus, ProbeRights, Seq, Timestamp,
};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// When the fixtures were signed.
const NOW: Timestamp = Timestamp(1_440_938_160_000);
/// The key they were signed with.
const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

struct Server {
    address: SocketAddr,
    journal: Arc<Breakable>,
    told: Arc<Told>,
    _directory: tempfile::TempDir,
}

/// Keeps what it is told.
#[derive(Debug, Default)]
struct Told(Mutex<Vec<Event>>);

impl Audit for Told {
    fn record(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}

/// A journal that panics when it is told to.
struct Breakable {
    inner: LocalJournal,
    broken: AtomicBool,
}

impl Journal for Breakable {
    fn head(&self) -> Result<Head, JournalError> {
        assert!(!self.broken.load(Ordering::Relaxed), "as asked");
        self.inner.head()
    }

    fn append(
        &self,
        expected: Head,
        commits: Vec<Commit>,
        time: Timestamp,
    ) -> Result<Head, AppendError> {
        self.inner.append(expected, commits, time)
    }

    fn read(&self, after: Seq, limit: usize) -> Result<Vec<Entry>, JournalError> {
        self.inner.read(after, limit)
    }

    fn wait(&self, after: Seq, timeout: Duration) -> Seq {
        self.inner.wait(after, timeout)
    }

    fn end_waits(&self) {
        self.inner.end_waits();
    }

    fn level(&self) -> Result<u16, JournalError> {
        self.inner.level()
    }

    fn finalize(&self) -> Result<u16, StorageError> {
        self.inner.finalize()
    }
}

/// A control plane in memory with one account, and the key of the fixtures for it.
fn control(journal: &Arc<Breakable>, directory: &tempfile::TempDir) -> Control {
    let account = Account {
        id: AccountId::new("123456789012").unwrap(),
        name: "operator".to_owned(),
        operator: true,
        probes: ProbeRights::Public,
        created_at: NOW,
    };
    let key = AccessKey {
        id: AccessKeyId::new(KEY).unwrap(),
        account: account.id.clone(),
        user: None,
        status: KeyStatus::Active,
        vault_row: "key".to_owned(),
        created_at: NOW,
    };
    let commit = Commit {
        request_id: "test".to_owned(),
        account: None,
        principal: "test".to_owned(),
        source: String::new(),
        retry: None,
        effects: vec![Effect::PutAccount(account), Effect::PutAccessKey(key)],
    };
    journal.append(Head::EMPTY, vec![commit], NOW).unwrap();
    let tables = Tables::in_memory().unwrap();
    tables.apply(&journal.read(Seq(0), 1).unwrap()).unwrap();
    let vault = Vault::open(directory.path()).unwrap();
    vault
        .put("key", &ReaderClass::Control, SECRET.as_bytes())
        .unwrap();
    Control::new(
        Arc::clone(journal) as Arc<dyn Journal>,
        Arc::new(tables),
        Arc::new(vault),
        Arc::new(Acks::default()),
        Box::new(SystemEnvironment::new()),
    )
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let told = Arc::<Told>::default();
        let config = ApiConfig {
            clock: Arc::new(|| NOW),
            audit: Some(Arc::clone(&told) as _),
            body_timeout: Duration::from_millis(200),
            ..ApiConfig::default()
        };
        let journal = Arc::new(Breakable {
            inner: LocalJournal::in_memory().unwrap(),
            broken: AtomicBool::new(false),
        });
        let directory = tempfile::tempdir().unwrap();
        let control = Arc::new(control(&journal, &directory));
        let router = router(control, config).layer(Extension(Scheme::Https));
        tokio::spawn(axum::serve(listener, router).into_future());
        Self {
            address,
            journal,
            told,
            _directory: directory,
        }
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
        ("tags", "404 Not Found", "No hosted zone found with ID: Z1"),
        ("count", "200 OK", "<HostedZoneCount>0</HostedZoneCount>"),
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
async fn what_was_begun_is_told_of_though_the_client_is_gone() {
    let server = Server::start().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    stream
        .write_all(fixture("change").as_bytes())
        .await
        .unwrap();
    drop(stream);
    // At most five seconds.
    for _ in 0..500 {
        if !server.told.0.lock().unwrap().is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let told = server.told.0.lock().unwrap();
    let names: Vec<_> = told.iter().map(|event| event.event_name.as_str()).collect();
    assert_eq!(names, ["ChangeResourceRecordSets"]);
}

#[tokio::test]
async fn every_answer_is_told_of_once() {
    let server = Server::start().await;
    for name in ["port", "list"] {
        server.ask(&fixture(name)).await;
    }
    server
        .ask("GET /2013-04-01/hostedzone HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .await;
    let told = server.told.0.lock().unwrap();
    let told: Vec<_> = told
        .iter()
        .map(|event| {
            let code = event.error_code.as_deref().unwrap_or("-");
            (event.event_name.as_str(), event.user_identity.kind, code)
        })
        .collect();
    let expected = [
        ("ListHostedZones", "Root", "-"),
        ("ListResourceRecordSets", "Root", "NoSuchHostedZone"),
        ("ListHostedZones", "Unknown", "MissingAuthenticationToken"),
    ];
    assert_eq!(told, expected);
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
    let chunked = format!("{head}Transfer-Encoding: chunked\r\n\r\n");
    let chunks = format!("10000\r\n{}\r\n", "x".repeat(0x10000)).repeat(129);
    for (request, status, code) in [
        (
            format!("{head}Content-Length: 8388609\r\n\r\n"),
            413,
            "RequestEntityTooLarge",
        ),
        (
            format!(
                "{head}Content-Length: 9000000\r\n\r\n{}",
                "x".repeat(9_000_000)
            ),
            413,
            "RequestEntityTooLarge",
        ),
        (
            format!("{chunked}{chunks}0\r\n\r\n"),
            413,
            "RequestEntityTooLarge",
        ),
        (format!("{chunked}zz\r\n"), 400, "MalformedInput"),
        (
            format!("{head}Content-Length: 2\r\n\r\nx"),
            408,
            "RequestTimeout",
        ),
        (format!("{chunked}1\r\nx\r\n"), 408, "RequestTimeout"),
        // The whole of it is read before it is asked who sent it.
        (
            format!("{chunked}1\r\nx\r\n0\r\n\r\n"),
            403,
            "MissingAuthenticationToken",
        ),
    ] {
        let answer = server.ask(&request).await;
        let head: String = request.chars().take(120).collect();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head}: {answer}"
        );
        assert!(
            answer.contains(&format!("<Code>{code}</Code>")),
            "{head}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_panic_is_our_fault_and_the_next_request_is_served() {
    let server = Server::start().await;
    server.journal.broken.store(true, Ordering::Relaxed);
    let answer = server.ask(&fixture("port")).await;
    assert!(answer.starts_with("HTTP/1.1 500 "), "{answer}");
    assert!(answer.contains("<Code>InternalFailure</Code>"), "{answer}");
    assert!(!answer.contains("as asked"), "{answer}");
    server.journal.broken.store(false, Ordering::Relaxed);
    let answer = server.ask(&fixture("port")).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}
