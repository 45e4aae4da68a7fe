//! TLS and QUIC with real clients: rustls's and quinn's.

use std::net::Ipv4Addr;

use quinn::crypto::rustls::QuicClientConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::*;
use crate::{Certificate, CertificateError, Encryption};

const NAME: &str = "ns.test";

type TlsClient = StreamOwned<ClientConnection, TcpStream>;

/// A self-signed certificate and its key, in PEM.
fn pem() -> (String, String) {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()]).unwrap();
    (made.cert.pem(), made.signing_key.serialize_pem())
}

/// A server with listeners for TCP, TLS and QUIC on 127.0.0.1, all of view 0, or on every address,
/// and who is trusted by its clients.
struct Encrypted {
    fixture: Fixture,
    certificate: Arc<Certificate>,
    trusted: String,
}

impl Encrypted {
    fn new() -> Self {
        Self::with(LOOPBACK[0], |_| ())
    }

    fn with(ip: IpAddr, change: impl FnOnce(&mut Config)) -> Self {
        Self::on(Runtime::new().unwrap(), ip, change)
    }

    fn on(runtime: Runtime, ip: IpAddr, change: impl FnOnce(&mut Config)) -> Self {
        let (trusted, key) = pem();
        let certificate = Certificate::from_pem(trusted.as_bytes(), key.as_bytes()).unwrap();
        let certificate = Arc::new(certificate);
        let fixture = Fixture::on(runtime, |config, runtime| {
            *config = self::config(&[SocketAddr::new(ip, 0)]);
            config.encrypted.dot.clone_from(&config.listeners);
            config.encrypted.doq.clone_from(&config.listeners);
            config.encryption = Some(Encryption {
                certificate: Arc::clone(&certificate),
                runtime: runtime.handle().clone(),
            });
            change(config);
        });
        Self {
            fixture,
            certificate,
            trusted,
        }
    }

    fn address(&self, role: Role) -> SocketAddr {
        let known = self.fixture.server.encrypted_addresses();
        known.iter().find(|(known, _)| *known == role).unwrap().1
    }

    fn client_config(&self, protocol: &str) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        let trusted = CertificateDer::from_pem_slice(self.trusted.as_bytes()).unwrap();
        roots.add(trusted).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap();
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        config
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address(Role::Dot)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    fn tls(&self) -> TlsClient {
        self.tls_over(self.tcp(), "dot")
    }

    fn tls_over(&self, stream: TcpStream, protocol: &str) -> TlsClient {
        let name = ServerName::try_from(NAME).unwrap();
        let session = ClientConnection::new(Arc::new(self.client_config(protocol)), name).unwrap();
        StreamOwned::new(session, stream)
    }

    async fn quic(&self, address: SocketAddr) -> quinn::Connection {
        let crypto = QuicClientConfig::try_from(self.client_config("doq")).unwrap();
        let config = quinn::ClientConfig::new(Arc::new(crypto));
        let local = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let endpoint = quinn::Endpoint::client(local).unwrap();
        let connecting = endpoint.connect_with(config, address, NAME).unwrap();
        connecting.await.unwrap()
    }

    fn quic_address(&self) -> SocketAddr {
        self.address(Role::Doq)
    }

    /// Runs a client of the server.
    fn run<T>(&self, client: impl Future<Output = T>) -> T {
        let client = async { tokio::time::timeout(PATIENCE, client).await };
        self.fixture.runtime.block_on(client).unwrap()
    }
}

/// Sends one query on a stream of its own; what comes back.
async fn ask(connection: &quinn::Connection, message: &[u8]) -> Option<Vec<u8>> {
    let (mut send, mut receive) = connection.open_bi().await.ok()?;
    send.write_all(message).await.ok()?;
    send.finish().ok()?;
    receive.read_to_end(70_000).await.ok()
}

/// As RFC 9250 wants it: the id is 0.
fn doq_query(wish: u8, number: u32) -> Vec<u8> {
    let mut query = query(wish, number);
    query[..2].fill(0);
    query
}

/// The code that the server closed with.
async fn closed_with(connection: &quinn::Connection) -> u64 {
    match connection.closed().await {
        quinn::ConnectionError::ApplicationClosed(close) => close.error_code.into_inner(),
        other => panic!("closed otherwise: {other}"),
    }
}

#[test]
fn tls_answers_pipelined_queries_and_ends_with_a_goodbye() {
    let server = Encrypted::new();
    let mut stream = server.tls();
    pipeline(&mut stream, 100);
    read_pipelined(&mut stream, 100);
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"dot"[..]));
    // A byte each in a record of its own.
    for byte in framed(&query(ECHO, 7)) {
        stream.write_all(&[byte]).unwrap();
    }
    assert_eq!(number_of(&read_framed(&mut stream).unwrap()), 7);
    stream.write_all(&framed(&query(IGNORE, 0))).unwrap();
    // rustls reads 0 bytes only where the other side has said that it ends.
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
    let counts = server.fixture.stop();
    let tls = counts.streams[Protocol::Tls];
    assert_eq!((tls.accepted, tls.replies, tls.dropped), (1, 101, 1));
    assert_eq!(counts.streams[Protocol::Tcp].accepted, 0);
}

/// A slow one had used up the time of the query behind it, and left without an answer.
#[test]
fn stop_waits_for_the_first_query_after_a_handshake_over_tls() {
    let server = Encrypted::with(LOOPBACK[0], |config| config.tcp.drain_timeout = PATIENCE);
    let stream = server.tcp();
    let is_there = |counts: &Counts| counts.streams[Protocol::Tls].accepted == 1;
    server.fixture.wait_for("the connection", is_there);
    let mut client = server.tls_over(stream, "dot");
    let Fixture {
        runtime, server, ..
    } = server.fixture;
    let stopping = runtime.spawn(server.stop());
    // More than a query has, and far less than everything together.
    std::thread::sleep(Duration::from_millis(700));
    client.write_all(&framed(&query(ECHO, 7))).unwrap();
    assert_eq!(number_of(&read_framed(&mut client).unwrap()), 7);
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
    runtime.block_on(stopping).unwrap();
}

#[test]
fn tls_clients_that_read_late_get_everything() {
    let server = Encrypted::new();
    exchange_the_longest(&mut server.tls());
    server.fixture.stop();
}

#[test]
fn tls_closes_on_slow_handshakes_nonsense_and_other_protocols() {
    let short = Duration::from_millis(150);
    let server = Encrypted::with(LOOPBACK[0], |config| {
        config.tcp.handshake_timeout = short;
        config.tcp.idle_timeout = PATIENCE;
    });
    let start = Instant::now();
    let mut silent = server.tcp();
    let mut slow = server.tcp();
    // The beginning of a record with a ClientHello; a byte now and then is not progress.
    for byte in [22, 3, 1, 1, 0, 1, 0, 0, 252, 3, 3] {
        if slow.write_all(&[byte]).is_err() {
            break;
        }
        std::thread::sleep(short / 6);
    }
    // No more than an alert comes before the end.
    for stream in [&mut silent, &mut slow] {
        let heard = stream.read_to_end(&mut Vec::new());
        assert!(heard.is_ok_and(|len| len < 16));
    }
    assert!(start.elapsed() >= short);
    let too_slow = |counts: &Counts| counts.streams[Protocol::Tls].too_slow == 2;
    server.fixture.wait_for("both slow clients", too_slow);
    // In the clear, which TLS answers with an alert before it closes.
    let mut stream = server.tcp();
    stream.write_all(&framed(&query(ECHO, 0))).unwrap();
    assert!(
        stream
            .read_to_end(&mut Vec::new())
            .is_ok_and(|len| len < 16)
    );
    let mut other = server.tls_over(server.tcp(), "h2");
    let refused = other.write_all(b"x").and_then(|()| other.read(&mut [0]));
    assert!(
        refused
            .unwrap_err()
            .to_string()
            .contains("NoApplicationProtocol")
    );
    // All this has done no harm.
    let mut stream = server.tls();
    stream.write_all(&framed(&query(ECHO, 3))).unwrap();
    assert_eq!(number_of(&read_framed(&mut stream).unwrap()), 3);
    server.fixture.stop();
}

#[test]
fn all_kinds_of_connection_share_their_limits() {
    let server = Encrypted::with(LOOPBACK[0], |config| config.tcp.connections = 2);
    let mut tcp = server.fixture.tcp();
    tcp.write_all(&framed(&query(ECHO, 0))).unwrap();
    read_framed(&mut tcp).unwrap();
    let mut tls = server.tls();
    tls.write_all(&framed(&query(ECHO, 0))).unwrap();
    read_framed(&mut tls).unwrap();
    assert!(is_closed(&mut server.tcp()));
    std::thread::sleep(Duration::from_millis(510));
    // The stalest, that over TCP, leaves.
    let address = server.quic_address();
    let reply = server.run(async {
        let connection = server.quic(address).await;
        ask(&connection, &framed(&doq_query(ECHO, 5))).await
    });
    assert_eq!(number_of(&reply.unwrap()[2..]), 5);
    assert!(is_closed(&mut tcp));
    tls.write_all(&framed(&query(ECHO, 1))).unwrap();
    assert_eq!(number_of(&read_framed(&mut tls).unwrap()), 1);
    server.fixture.stop();
}

#[test]
fn a_certificate_can_be_replaced_under_way() {
    let mut server = Encrypted::new();
    let mut before = server.tls();
    before.write_all(&framed(&query(ECHO, 0))).unwrap();
    read_framed(&mut before).unwrap();
    let (trusted, key) = pem();
    let other = Certificate::from_pem(trusted.as_bytes(), key.as_bytes()).unwrap();
    server.certificate.replace(&other);
    let mut distrustful = server.tls();
    assert!(distrustful.write_all(&framed(&query(ECHO, 0))).is_err());
    server.trusted = trusted;
    let mut after = server.tls();
    for stream in [&mut before, &mut after] {
        stream.write_all(&framed(&query(ECHO, 1))).unwrap();
        assert_eq!(number_of(&read_framed(stream).unwrap()), 1);
    }
    let address = server.quic_address();
    assert!(server.run(async {
        let connection = server.quic(address).await;
        ask(&connection, &framed(&doq_query(ECHO, 1)))
            .await
            .is_some()
    }));
    server.fixture.stop();
}

#[test]
fn certificates_that_cannot_be_used_say_why() {
    let ((one, key), (_, other_key)) = (pem(), pem());
    let error = |certificate: &str, key: &str| {
        Certificate::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap_err()
    };
    assert!(matches!(
        error(&one, &other_key),
        CertificateError::Mismatch
    ));
    assert!(matches!(error("", &key), CertificateError::NoCertificate));
    assert!(matches!(error(&key, &key), CertificateError::NoCertificate));
    assert!(error(&one, &one).is_of_key());
    let broken = one.replace("MII", "***");
    assert!(matches!(
        error(&broken, &key),
        CertificateError::Certificates { .. }
    ));
    let empty = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
    error(empty, &key);
}

#[test]
fn quic_answers_each_query_on_its_stream() {
    let server = Encrypted::new();
    let address = server.quic_address();
    server.run(async {
        let connection = server.quic(address).await;
        let asked = (0..100).map(|number| {
            let connection = connection.clone();
            let wish = if number % 10 == 0 { LONGEST } else { ECHO };
            tokio::spawn(async move { ask(&connection, &framed(&doq_query(wish, number))).await })
        });
        for (number, asked) in (0..).zip(asked.collect::<Vec<_>>()) {
            let reply = asked.await.unwrap().unwrap();
            assert_eq!(
                usize::from(u16::from_be_bytes([reply[0], reply[1]])),
                reply.len() - 2
            );
            assert_eq!(number_of(&reply[2..]), number);
            assert_eq!(reply.len() > 60_000, number % 10 == 0);
        }
    });
    let counts = server.fixture.stop();
    let quic = counts.streams[Protocol::Quic];
    assert_eq!(
        (quic.accepted, quic.ended, quic.queries, quic.replies),
        (1, 1, 100, 100)
    );
}

#[test]
fn quic_clients_that_break_the_rules_are_told() {
    let server = Encrypted::new();
    let address = server.quic_address();
    let good = doq_query(ECHO, 0);
    let mut other_id = good.clone();
    other_id[0] = 1;
    let trailing = [framed(&good), vec![0]].concat();
    let short = framed(&good)[..10].to_vec();
    server.run(async {
        for wrong in [
            framed(&other_id),
            trailing,
            short,
            Vec::new(),
            framed(b"\0\0eleven by"),
        ] {
            let connection = server.quic(address).await;
            assert_eq!(ask(&connection, &wrong).await, None);
            assert_eq!(closed_with(&connection).await, 2, "{wrong:?}");
        }
        // Too long is not against the rules.
        let connection = server.quic(address).await;
        let mut long = vec![ECHO; 60_000];
        long[..2].fill(0);
        assert_eq!(ask(&connection, &framed(&long)).await, None);
        assert!(ask(&connection, &framed(&good)).await.is_some());
    });
    server.fixture.stop();
}

#[test]
fn quic_closes_idle_and_slow_clients() {
    let server = Encrypted::with(LOOPBACK[0], |config| {
        config.tcp.idle_timeout = Duration::from_millis(300);
        config.tcp.handshake_timeout = Duration::from_millis(300);
        config.tcp.message_timeout = Duration::from_millis(100);
    });
    let address = server.quic_address();
    server.run(async {
        let connection = server.quic(address).await;
        let (mut send, mut receive) = connection.open_bi().await.unwrap();
        send.write_all(b"\0").await.unwrap();
        assert!(receive.read_to_end(10).await.is_err());
        let start = Instant::now();
        assert_eq!(closed_with(&connection).await, 0);
        assert!(start.elapsed() < Duration::from_secs(1));
    });
    assert_eq!(server.fixture.stop().streams[Protocol::Quic].too_slow, 1);
}

#[test]
fn stop_lets_quic_replies_out() {
    let server = Encrypted::new();
    let address = server.quic_address();
    let (asked, connection) = server.run(async {
        let connection = server.quic(address).await;
        ask(&connection, &framed(&doq_query(ECHO, 0)))
            .await
            .unwrap();
        let asking = connection.clone();
        let asked =
            tokio::spawn(async move { ask(&asking, &framed(&doq_query(LONGEST, 1))).await });
        (asked, connection)
    });
    let replies = |counts: &Counts| counts.streams[Protocol::Quic].replies == 2;
    server.fixture.wait_for("the last reply", replies);
    let Fixture {
        runtime, server, ..
    } = server.fixture;
    let reply = runtime.block_on(async {
        let (_, reply) = tokio::join!(server.stop(), asked);
        assert_eq!(closed_with(&connection).await, 0);
        reply.unwrap().unwrap()
    });
    assert_eq!(number_of(&reply[2..]), 1);
}

#[test]
fn stop_waits_for_the_first_query_over_quic() {
    let server = Encrypted::new();
    let address = server.quic_address();
    let connection = server.run(server.quic(address));
    let Fixture {
        runtime, server, ..
    } = server.fixture;
    runtime.block_on(async {
        let asking = async {
            // Long enough for the server to notice, and far less than the grace.
            tokio::time::sleep(Duration::from_millis(50)).await;
            ask(&connection, &framed(&doq_query(ECHO, 7))).await
        };
        let (_, reply) = tokio::join!(server.stop(), asking);
        assert_eq!(number_of(&reply.unwrap()[2..]), 7);
        assert_eq!(closed_with(&connection).await, 0);
    });
}

/// A connection that had asked before was closed with its next query unread.
#[test]
fn a_query_that_came_before_the_stop_is_answered_over_quic_by_a_busy_machine() {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let server = Encrypted::on(runtime, LOOPBACK[0], |_| ());
    let address = server.quic_address();
    // Clients have threads of their own.
    let clients = Runtime::new().unwrap();
    let connection = clients.block_on(server.quic(address));
    let asked = clients.block_on(ask(&connection, &framed(&doq_query(ECHO, 1))));
    assert_eq!(number_of(&asked.unwrap()[2..]), 1);
    let Fixture {
        runtime, server, ..
    } = server.fixture;
    // The one thread of all connections is busy until after the order to stop.
    let (busy, is_busy) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    runtime.spawn(async move {
        busy.send(()).unwrap();
        let _ = released.recv_timeout(PATIENCE);
    });
    is_busy.recv().unwrap();
    let sent = |connection: &quinn::Connection| connection.stats().udp_tx.datagrams;
    let (before, client) = (sent(&connection), connection.clone());
    let asking = async move { ask(&client, &framed(&doq_query(ECHO, 7))).await };
    let asking = clients.spawn(asking);
    let give_up = Instant::now() + PATIENCE;
    while sent(&connection) == before {
        assert!(Instant::now() < give_up, "the query is not sent");
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut stopping = Box::pin(server.stop());
    runtime.block_on(async {
        // The order is given when this has been looked at once.
        let looked = std::future::poll_fn(|context| {
            let _ = stopping.as_mut().poll(context);
            std::task::Poll::Ready(())
        });
        looked.await;
        drop(release);
        stopping.await;
    });
    let reply = clients.block_on(asking).unwrap();
    assert_eq!(number_of(&reply.unwrap()[2..]), 7);
}

#[test]
fn every_address_has_its_view_under_encryption_too() {
    let server = Encrypted::with(Ipv4Addr::UNSPECIFIED.into(), |_| ());
    for last in 1..4 {
        let ip = Ipv4Addr::new(127, 0, 0, last);
        let stream = TcpStream::connect((ip, server.address(Role::Dot).port())).unwrap();
        let mut stream = server.tls_over(stream, "dot");
        stream.write_all(&framed(&query(ECHO, 0))).unwrap();
        assert_eq!(read_framed(&mut stream).unwrap()[2], last);
        let asked = SocketAddr::from((ip, server.quic_address().port()));
        let reply = server.run(async {
            let connection = server.quic(asked).await;
            ask(&connection, &framed(&doq_query(ECHO, 0)))
                .await
                .unwrap()
        });
        assert_eq!(reply[4], last);
    }
    server.fixture.stop();
}

#[test]
fn encrypted_sockets_can_be_handed_over() {
    let (certificate, key) = pem();
    let certificate = Certificate::from_pem(certificate.as_bytes(), key.as_bytes()).unwrap();
    let mut config = config(&[SocketAddr::new(LOOPBACK[0], 0)]);
    config.encrypted.dot.clone_from(&config.listeners);
    config.encrypted.doq.clone_from(&config.listeners);
    config.encrypted.doh.clone_from(&config.listeners);
    let first = Bound::bind(&config).unwrap();
    let second = Bound::take_over(&config, first.duplicate().unwrap()).unwrap();
    let addresses = |bound: &Bound| bound.encrypted_addresses().collect::<Vec<_>>();
    assert_eq!(addresses(&first), addresses(&second));
    assert_eq!(addresses(&first).len(), 3);
    let runtime = Runtime::new().unwrap();
    let live = Arc::new(Live::new(0));
    let start = |config: &Config, bound| {
        Server::start_with(config, bound, &live, runtime.handle(), &Echo::default())
    };
    let error = start(&config, first).unwrap_err().to_string();
    assert!(error.contains("need a certificate"), "{error}");
    config.encryption = Some(Encryption {
        certificate: Arc::new(certificate),
        runtime: runtime.handle().clone(),
    });
    runtime.block_on(start(&config, second).unwrap().stop());
}
