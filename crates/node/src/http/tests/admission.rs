//! Who is let in, who has to wait, and who has to go.

use std::env;
use std::fs::File;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Body;
use axum::http::Response;
use hyper::body::Incoming;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::sync::Notify;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;

use super::super::router::Routed;
use super::super::{ACCEPT_PAUSE, Tls};
use super::*;

/// As `/`, and can be evicted.
struct Guest {
    routed: Routed,
    told: Arc<Told>,
}

#[derive(Default)]
struct Told {
    leave: Notify,
    too_slow: AtomicUsize,
}

impl Answer for Guest {
    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        self.routed.answer(request).await
    }

    async fn evicted(&self) {
        self.told.leave.notified().await;
    }

    fn note_too_slow(&self) {
        self.told.too_slow.fetch_add(1, Ordering::Relaxed);
    }
}

fn guests(told: &Arc<Told>) -> impl Fn(SocketAddr, SocketAddr) -> Option<Guest> + use<> {
    let (admit, told) = (router::admit(routes(), everybody()), Arc::clone(told));
    move |client, asked| {
        let (routed, told) = (admit(client, asked)?, Arc::clone(&told));
        Some(Guest { routed, told })
    }
}

/// TLS that has no certificate to show.
fn tls(handshake_timeout: Duration) -> Tls {
    #[derive(Debug)]
    struct Nothing;
    impl ResolvesServerCert for Nothing {
        fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
            None
        }
    }
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Nothing));
    Tls {
        config: Arc::new(config),
        handshake_timeout,
    }
}

#[tokio::test]
async fn who_is_not_let_in_is_not_heard() {
    let server = Server::start(terms(), |_, _| None::<Guest>).await;
    let mut stream = server.connect().await;
    let _ = stream.write_all(REQUEST).await;
    assert_eq!(rest(&mut stream).await, "");
    server.end().await;
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_until_one_has_ended() {
    let terms = Terms {
        connections: Some(1),
        ..terms()
    };
    let server = Server::of_routes(terms).await;
    let mut first = server.connect().await;
    assert!(ask(&mut first).await.ends_with("here"));
    let mut second = server.connect().await;
    second.write_all(REQUEST).await.unwrap();
    // The first is answered, and the second, which began before, is not.
    assert!(ask(&mut first).await.ends_with("here"));
    let mut piece = [0; 16];
    assert!(second.try_read(&mut piece).is_err());
    drop(first);
    assert!(heard(&mut second).await.ends_with("here"));
}

#[tokio::test]
async fn the_evicted_leave_at_once_whatever_they_do() {
    // In the handshake, before a request, between two, in the midst of one.
    let (told, encrypted) = (Arc::<Told>::default(), tls(PATIENCE));
    let terms_of_tls = Terms {
        tls: Some(encrypted),
        ..terms()
    };
    let shaking = Server::start(terms_of_tls, guests(&told)).await;
    let server = Server::start(terms(), guests(&told)).await;
    let requests: [(&Server, &[u8]); 4] = [
        (&shaking, b""),
        (&server, b""),
        (&server, REQUEST),
        (&server, b"GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n"),
    ];
    for (server, request) in requests {
        let mut stream = server.connect().await;
        stream.write_all(request).await.unwrap();
        if request == REQUEST {
            assert!(heard(&mut stream).await.ends_with("here"));
        }
        told.leave.notify_one();
        assert_eq!(rest(&mut stream).await, "");
    }
    assert_eq!(told.too_slow.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn who_does_not_shake_hands_in_time_is_noted_and_cut_off() {
    let told = Arc::<Told>::default();
    let terms = Terms {
        tls: Some(tls(Duration::from_millis(50))),
        ..terms()
    };
    let server = Server::start(terms, guests(&told)).await;
    let (mut silent, mut clear) = (server.connect().await, server.connect().await);
    clear.write_all(REQUEST).await.unwrap();
    // An alert, and the end.
    assert!(!rest(&mut clear).await.starts_with("HTTP"));
    assert_eq!(rest(&mut silent).await, "");
    server.end().await;
    assert_eq!(told.too_slow.load(Ordering::Relaxed), 1);
}

/// In a process of its own, whose lack of descriptors is nobody else's.
#[test]
fn accepting_goes_on_after_it_has_failed() {
    const ALONE: &str = "MERIDIAN_TEST_ALONE";
    if env::var_os(ALONE).is_some() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        return runtime.unwrap().block_on(accept_without_descriptors());
    }
    let (_, module) = module_path!().split_once("::").unwrap();
    let name = format!("{module}::accepting_goes_on_after_it_has_failed");
    let mut alone = Command::new(env::current_exe().unwrap());
    alone
        .args(["--exact", &name, "--nocapture"])
        .env(ALONE, "1");
    let output = alone.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("1 passed"), "{output:?}");
}

async fn accept_without_descriptors() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(REQUEST).await.unwrap();
    let usual = getrlimit(Resource::Nofile);
    let free = File::open("/dev/null").unwrap().as_raw_fd();
    let none = Rlimit {
        current: Some(free.try_into().unwrap()),
        ..usual
    };
    setrlimit(Resource::Nofile, none).unwrap();
    assert!(File::open("/dev/null").is_err());
    let (end, ending) = watch::channel(());
    let done = tokio::spawn(serve(
        listener,
        terms(),
        router::admit(routes(), everybody()),
        ending,
    ));
    // Time for the first attempt.
    time::sleep(ACCEPT_PAUSE / 2).await;
    assert!(stream.try_read(&mut [0]).is_err());
    setrlimit(Resource::Nofile, usual).unwrap();
    assert!(heard(&mut stream).await.ends_with("here"));
    drop((end, stream));
    in_time(done).await.unwrap();
}
