//! Endpoints made of a few lines, and probes with little patience.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use meridian_health::{
    CapLimits, Caps, Certificate, Found, Guard, Observation, Prober, Resolver, Target, Timeouts,
    Tls,
};
use meridian_model::{AccountId, Endpoint, HealthCheckId, ProbeRights, Protocol};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::RootCertStore;

pub(crate) const ID: &str = "0f6f2c3c-6b0e-4c66-8a5e-0d7c4c1f6a11";
/// How long each step of a probe may take here.
pub(crate) const PATIENCE: Duration = Duration::from_millis(400);
/// What no probe here may exceed: all steps, and a busy machine.
const LIMIT: Duration = Duration::from_secs(4);

/// An endpoint, and how many connections it has seen.
pub(crate) struct Scene {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<AtomicUsize>,
}

impl Scene {
    pub(crate) fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// An endpoint that does this with each connection.
pub(crate) async fn endpoint<F, S>(serve: S) -> Scene
where
    S: Fn(TcpStream) -> F + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(serve(stream));
        }
    });
    Scene { address, seen }
}

/// Reads a request to its empty line.
pub(crate) async fn request(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8(request).unwrap()
}

/// An endpoint that answers each request with these bytes, and closes.
pub(crate) async fn answering(bytes: impl Into<Vec<u8>>) -> Scene {
    let bytes: Arc<Vec<u8>> = Arc::new(bytes.into());
    endpoint(move |mut stream| {
        let bytes = Arc::clone(&bytes);
        async move {
            request(&mut stream).await;
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
            // The rest is read, so that closing is no reset.
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
    })
    .await
}

/// An endpoint that answers with these bytes, and then says these for ever.
pub(crate) async fn endless(head: &'static [u8], more: &'static [u8], pause: Duration) -> Scene {
    endpoint(move |mut stream| async move {
        request(&mut stream).await;
        let mut outcome = stream.write_all(head).await;
        while outcome.is_ok() {
            if !pause.is_zero() {
                tokio::time::sleep(pause).await;
            }
            outcome = stream.write_all(more).await;
        }
    })
    .await
}

pub(crate) fn target(address: SocketAddr, protocol: Protocol) -> Target {
    Target {
        account: AccountId::new("123456789012").unwrap(),
        id: HealthCheckId::new(ID).unwrap(),
        endpoint: Endpoint {
            protocol,
            ip_address: Some(address.ip()),
            domain_name: None,
            port: address.port(),
            path: None,
            search_string: None,
            request_interval_s: 10,
            failure_threshold: 3,
            measure_latency: true,
            enable_sni: protocol == Protocol::Https,
            regions: Vec::new(),
        },
        certificate: Certificate::Any,
    }
}

pub(crate) fn prober() -> Prober {
    Prober {
        guard: Guard::default(),
        caps: Caps::new(CapLimits::default()),
        resolver: Resolver::new(&[], PATIENCE),
        tls: Tls::new(RootCertStore::empty()).unwrap(),
        timeouts: Timeouts {
            resolve: PATIENCE,
            connect: PATIENCE,
            connect_tcp: PATIENCE,
            status: PATIENCE,
            body: PATIENCE,
        },
        contact: None,
    }
}

/// What the operator's probe finds; it is over in time, whatever happens.
pub(crate) async fn observe(prober: &Prober, target: &Target) -> Observation {
    let began = Instant::now();
    let observed = prober.probe(target, ProbeRights::Everything, 7).await;
    assert!(began.elapsed() < LIMIT, "it took {:?}", began.elapsed());
    observed.unwrap()
}

pub(crate) async fn find(target: &Target) -> Found {
    observe(&prober(), target).await.found
}

/// The text of a probe by HTTP of an endpoint.
pub(crate) async fn status(scene: &Scene) -> String {
    find(&target(scene.address, Protocol::Http))
        .await
        .to_string()
}

/// What comes of looking for a string.
pub(crate) async fn search(scene: &Scene, wanted: &str) -> Found {
    let mut target = target(scene.address, Protocol::Http);
    target.endpoint.search_string = Some(wanted.to_owned());
    find(&target).await
}
