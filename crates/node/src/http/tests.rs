//! Real connections over loopback against one listener: helpers, and what a connection may do. Who
//! may have one is in `admission`, how everything ends in `ending`.

mod admission;
mod ending;

use std::future::{Future, pending};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response};
use axum::routing::{get, post};
use hyper::body::Incoming;
use meridian_server::TcpInfo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio::task::{self, JoinHandle};
use tokio::time::{self, Instant};

use super::{Answer, AtClose, Clients, Terms, Versions, router, serve};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);
const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";

fn terms() -> Terms {
    Terms {
        tls: None,
        versions: Versions::OneAndTwo,
        connections: None,
        head_len: 16 * 1024,
        headers: 10,
        head_timeout: PATIENCE,
        idle_timeout: None,
        drain_timeout: PATIENCE,
    }
}

/// `/` answers at once, `/panic` never lives to answer, `/stuck` does not answer, and `/body` reads
/// what it is sent.
fn routes() -> Router {
    async fn panics() {
        panic!("as the test wants");
    }
    Router::new()
        .route("/", get(async || "here"))
        .route("/panic", get(panics))
        .route("/stuck", get(async || pending::<()>().await))
        .route("/body", post(async |body: String| body))
}

/// No limit for this machine.
fn everybody() -> Arc<Clients> {
    Arc::new(Clients::new(vec!["127.0.0.0/8".parse().unwrap()]))
}

struct Server {
    address: SocketAddr,
    end: watch::Sender<()>,
    done: JoinHandle<()>,
}

impl Server {
    async fn start<A: Answer>(
        terms: Terms,
        admit: impl Fn(SocketAddr, SocketAddr) -> Option<A> + Send + 'static,
    ) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1024).unwrap();
        let address = listener.local_addr().unwrap();
        let (end, ending) = watch::channel(());
        let done = tokio::spawn(serve(listener, terms, admit, ending));
        Self { address, end, done }
    }

    async fn of_routes(terms: Terms) -> Self {
        Self::start(terms, router::admit(routes(), everybody())).await
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Says that the end has come, and waits for it.
    async fn end(self) {
        drop(self.end);
        in_time(self.done).await.unwrap();
    }
}

async fn in_time<T>(what: impl Future<Output = T>) -> T {
    let what = time::timeout(PATIENCE, what).await;
    what.expect("it takes too long")
}

/// Sends a request and reads its answer, the body of `/` being the last of it.
async fn ask(stream: &mut TcpStream) -> String {
    stream.write_all(REQUEST).await.unwrap();
    heard(stream).await
}

async fn heard(stream: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"here") {
        let mut piece = [0; 1024];
        match in_time(stream.read(&mut piece)).await.unwrap() {
            0 => break,
            length => answer.extend_from_slice(&piece[..length]),
        }
    }
    String::from_utf8(answer).unwrap()
}

/// Waits until the server has closed the connection; what came before that.
async fn rest(stream: &mut TcpStream) -> String {
    let mut rest = String::new();
    // A reset says that there is no more, too.
    let _ = in_time(stream.read_to_string(&mut rest)).await;
    rest
}

#[tokio::test]
async fn heads_are_bounded() {
    let server = Server::of_routes(terms()).await;
    for header in ["X: y\r\n".repeat(11), format!("X: {}", "y".repeat(20_000))] {
        let mut stream = server.connect().await;
        let request = format!("GET / HTTP/1.1\r\n{header}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let answer = rest(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
}

/// Answers everything, and has the socket shown to it when it is closed.
struct Watching(mpsc::UnboundedSender<TcpInfo>);

impl Answer for Watching {
    async fn answer(&self, _: Request<Incoming>) -> Response<Body> {
        Response::new(Body::from("here"))
    }

    async fn evicted(&self) {
        pending::<()>().await;
    }

    fn note_too_slow(&self) {}

    fn at_close(&self) -> Option<AtClose> {
        let shown = self.0.clone();
        Some(Box::new(move |socket| {
            let _ = shown.send(TcpInfo::of(socket).unwrap());
        }))
    }
}

#[tokio::test]
async fn a_socket_can_be_looked_at_when_it_is_closed() {
    let (show, mut shown) = mpsc::unbounded_channel();
    let server = Server::start(terms(), move |_, _| Some(Watching(show.clone()))).await;
    let mut stream = server.connect().await;
    assert!(ask(&mut stream).await.ends_with("here"));
    assert!(ask(&mut stream).await.ends_with("here"));
    assert!(shown.try_recv().is_err(), "it is open");
    drop(stream);
    let info = in_time(shown.recv()).await.unwrap();
    assert_eq!(info.data_segments, 2);
    assert!(info.bytes_acked > 100 && info.min_rtt_us.is_some());
    server.end().await;
    assert!(shown.recv().await.is_none(), "once for each connection");
}

#[tokio::test]
async fn a_head_that_does_not_come_ends_the_connection() {
    let terms = Terms {
        head_timeout: Duration::from_millis(50),
        versions: Versions::One,
        ..terms()
    };
    let server = Server::of_routes(terms).await;
    let (mut silent, mut slow, mut kept) = (
        server.connect().await,
        server.connect().await,
        server.connect().await,
    );
    slow.write_all(b"GET / HT").await.unwrap();
    assert!(ask(&mut kept).await.ends_with("here"));
    for stream in [&mut silent, &mut slow, &mut kept] {
        assert_eq!(rest(stream).await, "");
    }
}

#[tokio::test]
async fn http_2_is_spoken_only_where_the_terms_say_so() {
    for (versions, spoken) in [(Versions::One, false), (Versions::OneAndTwo, true)] {
        let server = Server::of_routes(Terms {
            versions,
            ..terms()
        })
        .await;
        let stream = server.connect().await;
        let (requests, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        assert_eq!(over_http_2(requests, "/").await.is_some(), spoken);
    }
}

/// The status of a request over HTTP/2.
async fn over_http_2(
    requests: h2::client::SendRequest<axum::body::Bytes>,
    path: &str,
) -> Option<u16> {
    let mut requests = in_time(requests.ready()).await.ok()?;
    let request = Request::get(format!("http://x{path}")).body(()).unwrap();
    let (response, _) = requests.send_request(request, true).ok()?;
    Some(in_time(response).await.ok()?.status().as_u16())
}

#[tokio::test]
async fn a_panic_costs_one_request() {
    let server = Server::of_routes(terms()).await;
    let mut other = server.connect().await;
    assert!(ask(&mut other).await.ends_with("here"));
    let mut panicking = server.connect().await;
    let request = b"GET /panic HTTP/1.1\r\nHost: x\r\n\r\n";
    panicking.write_all(request).await.unwrap();
    assert_eq!(rest(&mut panicking).await, "");
    assert!(ask(&mut other).await.ends_with("here"));
    assert!(ask(&mut server.connect().await).await.ends_with("here"));
    // Over HTTP/2 not even its own connection.
    let (requests, connection) = h2::client::handshake(server.connect().await).await.unwrap();
    tokio::spawn(connection);
    assert_eq!(over_http_2(requests.clone(), "/panic").await, None);
    assert_eq!(over_http_2(requests, "/").await, Some(200));
    drop(other);
    server.end().await;
}

#[tokio::test]
async fn the_idle_leave_and_others_stay() {
    let idle_timeout = Duration::from_millis(400);
    let terms = Terms {
        idle_timeout: Some(idle_timeout),
        ..terms()
    };
    let server = Server::of_routes(terms).await;
    let (mut silent, mut asked) = (server.connect().await, server.connect().await);
    let mut busy = server.connect().await;
    assert!(ask(&mut asked).await.ends_with("here"));
    let before = Instant::now();
    // As one that does not take its answer.
    let mut stuck = server.connect().await;
    let request = b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n";
    stuck.write_all(request).await.unwrap();
    while before.elapsed() < 2 * idle_timeout {
        assert!(ask(&mut busy).await.ends_with("here"));
        task::yield_now().await;
    }
    for stream in [&mut silent, &mut asked, &mut stuck] {
        assert_eq!(rest(stream).await, "");
    }
    // With a second for its goodbye.
    assert!(before.elapsed() < PATIENCE / 2);
}
