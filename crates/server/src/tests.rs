//! The server as a whole, over real sockets, with an answerer that echoes.

mod encrypted;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use meridian_answer::{Answered, Moment, Outcome, Packet, Transport, ViewId};
use tokio::runtime::Runtime;

use crate::answerer::Answer;
use crate::sys::{self, BATCH_MESSAGES, QUERY_MAX};
use crate::{
    Bound, BoundSocket, Config, Counts, Listener, ListenerView, Live, Messages, Protocol,
    RateLimit, Role, Server, StartError, Tap, TapSettings, TcpLimits, UdpCounts,
};

const LOOPBACK: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V6(Ipv6Addr::LOCALHOST),
];

/// Longer than anything here takes, so that a lost packet fails a test instead of hanging it.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first byte of a test query says what it wants.
const ECHO: u8 = 1;
/// ... a reply that is dropped.
const IGNORE: u8 = 2;
/// ... a panic.
const PANIC: u8 = 3;
/// ... over TCP, the longest reply there is.
const LONGEST: u8 = 4;
/// ... a reply as to a client with a valid cookie.
const COOKIE: u8 = 5;

/// Returns the query with the number of the World in byte 1 and the view in byte 2.
#[derive(Debug, Clone, Default)]
struct Echo {
    /// Allocations of the thread that answered last, as it was then.
    allocations: Arc<AtomicU64>,
}

impl Answer for Echo {
    type World = u8;

    fn answer(
        &self,
        world: &u8,
        packets: &mut [Packet<'_>],
        outcomes: &mut [Outcome],
        _moment: Moment,
    ) {
        assert_eq!(packets.len(), outcomes.len());
        for (packet, outcome) in packets.iter_mut().zip(outcomes) {
            assert!(packet.client.is_loopback());
            // Over QUIC an id is 0.
            let quic = packet.transport == Transport::Quic;
            let wish = packet.query[if quic { 3 } else { 0 }];
            *outcome = match wish {
                IGNORE => Outcome::Drop,
                PANIC => panic!("as the query wants"),
                LONGEST => reply_of(packet.reply.len(), wish),
                _ => reply_of(packet.query.len(), wish),
            };
            let len = packet.query.len().min(packet.reply.len());
            packet.reply[..len].copy_from_slice(&packet.query[..len]);
            (packet.reply[1], packet.reply[2]) = (*world, packet.view.0);
            if let Transport::Udp { max_payload } = packet.transport {
                assert_eq!(packet.reply.len(), usize::from(max_payload));
            }
        }
        self.allocations
            .store(sys::allocations::of_this_thread(), Ordering::Relaxed);
    }

    fn view_at(_world: &u8, address: IpAddr) -> ViewId {
        match address {
            IpAddr::V4(ip) => ViewId(ip.octets()[3]),
            IpAddr::V6(ip) => ViewId(ip.octets()[15]),
        }
    }
}

fn reply_of(len: usize, wish: u8) -> Outcome {
    Outcome::Reply(Answered {
        len: u16::try_from(len).unwrap(),
        rcode: 0,
        qtype: 0,
        valid_cookie: wish == COOKIE,
        zone: None,
    })
}

/// A server on a port of each loopback address, views 0 and 1, and the runtime it needs.
struct Fixture {
    runtime: Runtime,
    live: Arc<Live<u8>>,
    echo: Echo,
    server: Server,
}

impl Fixture {
    fn new() -> Self {
        Self::with(|_| ())
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::with_runtime(|config, _| change(config))
    }

    fn with_runtime(change: impl FnOnce(&mut Config, &Runtime)) -> Self {
        let runtime = Runtime::new().unwrap();
        let live = Arc::new(Live::new(0));
        let echo = Echo::default();
        let mut config = config(&LOOPBACK.map(|ip| SocketAddr::new(ip, 0)));
        change(&mut config, &runtime);
        let bound = Bound::bind(&config).unwrap();
        let server = Server::start_with(&config, bound, &live, runtime.handle(), &echo).unwrap();
        Self {
            runtime,
            live,
            echo,
            server,
        }
    }

    fn address(&self) -> SocketAddr {
        self.server.addresses()[0]
    }

    fn stop(self) -> Counts {
        let Self {
            runtime, server, ..
        } = self;
        runtime.block_on(server.stop())
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream
    }

    /// Waits until the counts are as told: the client may be told before they are written.
    fn wait_for(&self, what: &str, expected: impl Fn(&Counts) -> bool) {
        let give_up = Instant::now() + PATIENCE;
        while !expected(&self.server.counts()) {
            assert!(
                Instant::now() < give_up,
                "{what}: {:?}",
                self.server.counts()
            );
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn config(addresses: &[SocketAddr]) -> Config {
    let listener = |(view, address): (usize, &SocketAddr)| Listener {
        address: *address,
        view: if address.ip().is_unspecified() {
            ListenerView::OfAddress
        } else {
            ListenerView::One(ViewId(view as u8))
        },
    };
    Config {
        listeners: addresses.iter().enumerate().map(listener).collect(),
        workers_per_address: 2,
        max_udp_payload: Config::MAX_UDP_PAYLOAD,
        tcp: TcpLimits::default(),
        cores: None,
        identity: Arc::default(),
        rate_limit: None,
        taps: Arc::default(),
        encrypted: crate::Encrypted::default(),
        encryption: None,
    }
}

fn limit_of_one() -> RateLimit {
    RateLimit {
        responses_per_second: 1,
        slip: 2,
        ipv4_prefix: 24,
        ipv6_prefix: 56,
        exempt: Vec::new(),
    }
}

fn udp_client(server: SocketAddr) -> UdpSocket {
    let local = if server.is_ipv4() {
        LOOPBACK[0]
    } else {
        LOOPBACK[1]
    };
    let socket = UdpSocket::bind((local, 0)).unwrap();
    socket.connect(server).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// A query of 16 bytes that carries a number.
fn query(wish: u8, number: u32) -> Vec<u8> {
    let mut query = vec![wish; 12];
    query.extend(number.to_be_bytes());
    query
}

fn number_of(reply: &[u8]) -> u32 {
    u32::from_be_bytes(reply[12..16].try_into().unwrap())
}

fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes(), message].concat()
}

fn read_framed(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length)?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message)?;
    Ok(message)
}

/// Whether the server has closed the connection, without or with unread data.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    }
}

#[test]
fn udp_replies_reach_their_askers_over_both_families() {
    // More than a batch each, and no more in all than any system's socket buffers hold.
    const CLIENTS: u32 = 3;
    const EACH: u32 = BATCH_MESSAGES as u32 + 16;
    let fixture = Fixture::new();
    for (view, &address) in fixture.server.addresses().iter().enumerate() {
        let clients: Vec<UdpSocket> = (0..CLIENTS).map(|_| udp_client(address)).collect();
        for number in 0..EACH {
            for (client, socket) in (0..).zip(&clients) {
                socket.send(&query(ECHO, client * EACH + number)).unwrap();
            }
        }
        for (client, socket) in (0..).zip(&clients) {
            let mut numbers: Vec<u32> = (0..EACH)
                .map(|_| {
                    let mut reply = [0; 100];
                    assert_eq!(socket.recv(&mut reply).unwrap(), 16);
                    assert_eq!(usize::from(reply[2]), view);
                    number_of(&reply)
                })
                .collect();
            numbers.sort_unstable();
            assert!(numbers.into_iter().eq(client * EACH..(client + 1) * EACH));
        }
    }
    let counts = fixture.stop();
    let all = u64::from(2 * CLIENTS * EACH);
    assert_eq!((counts.udp.queries, counts.udp.replies), (all, all));
}

#[test]
fn every_address_is_answered_from_itself_and_its_own_view() {
    let every = ["0.0.0.0:0", "[::]:0"].map(|text| text.parse().unwrap());
    let fixture = Fixture::with(|config| *config = self::config(&every));
    let [v4, v6] = fixture.server.addresses() else {
        panic!("two listeners have two addresses");
    };
    let mut asked: Vec<SocketAddr> = (1..=9)
        .map(|last| SocketAddr::from(([127, 0, 0, last], v4.port())))
        .collect();
    asked.push((LOOPBACK[1], v6.port()).into());
    for (number, address) in (0..).zip(asked) {
        // Connected, so that a reply from another address would not be heard.
        let client = udp_client(address);
        client.send(&query(ECHO, number)).unwrap();
        let mut reply = [0; 100];
        assert_eq!(client.recv(&mut reply).unwrap(), 16);
        let view = Echo::view_at(&0, address.ip()).0;
        assert_eq!((number_of(&reply), reply[2]), (number, view));

        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(&framed(&query(ECHO, number))).unwrap();
        let reply = read_framed(&mut stream).unwrap();
        assert_eq!((number_of(&reply), reply[2]), (number, view));
    }
    fixture.stop();
}

#[test]
fn udp_counts_tell_replies_drops_and_truncation_apart() {
    let fixture = Fixture::new();
    let client = udp_client(fixture.address());
    client.send(&query(IGNORE, 0)).unwrap();
    client.send(&vec![ECHO; QUERY_MAX + 1]).unwrap();
    let longest = vec![ECHO; usize::from(Config::MAX_UDP_PAYLOAD)];
    client.send(&longest).unwrap();
    let mut reply = [0; 2000];
    assert_eq!(client.recv(&mut reply).unwrap(), longest.len());
    let counts = fixture.stop();
    let answers = &counts.answers[Protocol::Udp];
    let types: u64 = answers.types().map(|(_, count)| count).sum();
    let rcodes: u64 = answers.rcodes().map(|(_, count)| count).sum();
    assert_eq!((types, rcodes, answers.latency.count()), (2, 1, 1));
    let counts = counts.udp;
    assert_eq!(
        (
            counts.queries,
            counts.dropped,
            counts.truncated,
            counts.replies
        ),
        (2, 1, 1, 1)
    );
    assert_eq!((counts.send_errors, counts.receive_errors), (0, 0));
}

#[test]
fn udp_replies_are_limited_but_for_cookies_and_tcp() {
    const ASKED: u32 = 40;
    let fixture = Fixture::with(|config| {
        config.rate_limit = Some(limit_of_one());
    });
    let client = udp_client(fixture.address());
    let ask = |wish| {
        for number in 0..ASKED {
            client.send(&query(wish, number)).unwrap();
        }
    };
    ask(ECHO);
    fixture.wait_for("all queries", |counts| counts.udp.queries == 40);
    let counts = fixture.server.counts();
    // A second earns a reply more, should the machine be that slow.
    let UdpCounts {
        limited, slipped, ..
    } = counts.udp;
    assert!((36..=39).contains(&(limited + slipped)), "{counts:?}");
    assert!(limited - slipped <= 1, "{counts:?}");
    let mut reply = [0; 100];
    let mut truncated = 0;
    for _ in 0..u64::from(ASKED) - limited {
        let len = client.recv(&mut reply).unwrap();
        assert!(len <= 16);
        truncated += u64::from(len < 16 && reply[2] & 0b10 != 0);
    }
    assert_eq!(truncated, slipped);
    ask(COOKIE);
    for _ in 0..ASKED {
        assert_eq!(client.recv(&mut reply).unwrap(), 16);
    }
    let mut stream = fixture.tcp();
    for number in 0..ASKED {
        stream.write_all(&framed(&query(ECHO, number))).unwrap();
        assert_eq!(number_of(&read_framed(&mut stream).unwrap()), number);
    }
    let counts = fixture.stop().udp;
    assert_eq!((counts.dropped, counts.send_errors), (0, 0));
    assert_eq!((counts.limited, counts.slipped), (limited, slipped));
    assert_eq!(counts.replies, u64::from(2 * ASKED) - limited);
}

#[test]
fn taps_see_what_was_asked_and_sent() {
    let taps = [Messages::Query, Messages::QueryAndReply].map(|messages| {
        Arc::new(Tap::new(TapSettings {
            one_in: 1,
            max_per_second: 1000,
            messages,
        }))
    });
    let fixture = Fixture::with(|config| {
        config.taps = Arc::new(taps.clone());
        config.rate_limit = Some(limit_of_one());
    });
    let client = udp_client(fixture.address());
    for wish in [ECHO, IGNORE, ECHO] {
        client.send(&query(wish, u32::from(wish))).unwrap();
    }
    fixture.wait_for("all queries", |counts| counts.udp.queries == 3);
    let mut stream = fixture.tcp();
    stream.write_all(&framed(&query(ECHO, 9))).unwrap();
    read_framed(&mut stream).unwrap();
    let (udp, tcp) = (client.local_addr().unwrap(), stream.local_addr().unwrap());
    let address = fixture.address();
    fixture.stop();
    for tap in &taps {
        let mut seen = Vec::new();
        while let Some(record) = tap.take() {
            assert_eq!(record.server, address);
            let sent = record.answered.map(|answered| answered.len);
            if Arc::ptr_eq(tap, &taps[1]) {
                assert_eq!(record.reply().map(|reply| reply.len() as u16), sent);
            } else {
                assert_eq!(record.reply(), None);
            }
            let number = number_of(record.query().unwrap());
            seen.push((record.client, record.protocol, number, sent));
        }
        let echo = u32::from(ECHO);
        let expected = [
            (udp, Protocol::Udp, echo, Some(16)),
            (udp, Protocol::Udp, u32::from(IGNORE), None),
            // Held back.
            (udp, Protocol::Udp, echo, None),
            (tcp, Protocol::Tcp, 9, Some(16)),
        ];
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_query_sent_after_publish_is_answered_from_the_new_world() {
    let fixture = Fixture::new();
    let client = udp_client(fixture.address());
    let mut stream = fixture.tcp();
    for world in 1..=255 {
        fixture.live.publish(world);
        client.send(&query(ECHO, 0)).unwrap();
        let mut reply = [0; 100];
        client.recv(&mut reply).unwrap();
        assert_eq!(reply[1], world);
        stream.write_all(&framed(&query(ECHO, 0))).unwrap();
        assert_eq!(read_framed(&mut stream).unwrap()[1], world);
    }
    fixture.stop();
}

#[test]
fn udp_answers_without_allocating() {
    let tap = Arc::new(Tap::new(TapSettings {
        one_in: 1,
        max_per_second: 100_000,
        messages: Messages::QueryAndReply,
    }));
    let fixture = Fixture::with(|config| {
        config.listeners.truncate(1);
        config.workers_per_address = 1;
        config.taps = [Arc::clone(&tap)].into();
        config.rate_limit = Some(RateLimit {
            responses_per_second: 100_000,
            ..limit_of_one()
        });
    });
    let client = udp_client(fixture.address());
    let round = |bursts: u32| {
        for number in 0..bursts {
            for _ in 0..50 {
                client.send(&query(ECHO, number)).unwrap();
            }
            for _ in 0..50 {
                client.recv(&mut [0; 100]).unwrap();
            }
        }
        fixture.echo.allocations.load(Ordering::Relaxed)
    };
    let warm = round(2);
    assert!(warm > 0, "the worker's allocations are counted");
    assert_eq!(round(100), warm);
    fixture.stop();
    assert!(tap.counts().queue_full > 0, "no record was ever missing");
}

#[test]
fn a_panic_costs_one_batch_and_no_worker() {
    let fixture = Fixture::with(|config| config.workers_per_address = 1);
    let client = udp_client(fixture.address());
    client.send(&query(PANIC, 0)).unwrap();
    fixture.wait_for("a panic", |counts| counts.panics == 1);
    client.send(&query(ECHO, 7)).unwrap();
    let mut reply = [0; 100];
    client.recv(&mut reply).unwrap();
    assert_eq!(number_of(&reply), 7);

    let mut stream = fixture.tcp();
    stream.write_all(&framed(&query(PANIC, 0))).unwrap();
    assert!(is_closed(&mut stream));
    let mut stream = fixture.tcp();
    stream.write_all(&framed(&query(ECHO, 8))).unwrap();
    assert_eq!(number_of(&read_framed(&mut stream).unwrap()), 8);
    assert_eq!(fixture.stop().panics, 2);
}

#[test]
fn tcp_answers_a_hundred_pipelined_queries_in_order() {
    let fixture = Fixture::new();
    let mut stream = fixture.tcp();
    let queries: Vec<u8> = (0..100)
        .flat_map(|number| framed(&query(ECHO, number)))
        .collect();
    stream.write_all(&queries).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    for number in 0..100 {
        assert_eq!(number_of(&read_framed(&mut stream).unwrap()), number);
    }
    assert!(is_closed(&mut stream));
    fixture.wait_for("an end", |counts| counts.streams[Protocol::Tcp].ended == 1);
    let counts = fixture.stop();
    assert_eq!(counts.answers[Protocol::Tcp].latency.count(), 100);
    let counts = counts.streams[Protocol::Tcp];
    assert_eq!(
        (
            counts.accepted,
            counts.open(),
            counts.queries,
            counts.replies
        ),
        (1, 0, 100, 100)
    );
}

#[test]
fn tcp_messages_may_come_byte_by_byte() {
    let fixture = Fixture::new();
    let mut stream = fixture.tcp();
    let bytes: Vec<u8> = (0..10)
        .flat_map(|number| framed(&query(ECHO, number)))
        .collect();
    for byte in bytes {
        stream.write_all(&[byte]).unwrap();
    }
    for number in 0..10 {
        assert_eq!(number_of(&read_framed(&mut stream).unwrap()), number);
    }
    fixture.stop();
}

#[test]
fn tcp_takes_and_gives_the_longest_messages() {
    const REPLIES: usize = 200;
    let fixture = Fixture::new();
    let mut stream = fixture.tcp();
    let longest = framed(&vec![ECHO; usize::from(u16::MAX)]);
    stream.write_all(&longest).unwrap();
    assert_eq!(read_framed(&mut stream).unwrap().len(), longest.len() - 2);
    // 13 MB of replies do not fit the sockets' buffers, so that writing has to wait for reading.
    let queries: Vec<u8> = (0..REPLIES)
        .flat_map(|_| framed(&query(LONGEST, 9)))
        .collect();
    stream.write_all(&queries).unwrap();
    for _ in 0..REPLIES {
        let reply = read_framed(&mut stream).unwrap();
        assert_eq!((reply.len(), number_of(&reply)), (usize::from(u16::MAX), 9));
    }
    fixture.stop();
}

#[test]
fn tcp_closes_on_nonsense_after_answering_what_came_before() {
    let fixture = Fixture::new();
    for nonsense in [
        framed(b""),
        framed(b"eleven byte"),
        framed(&query(IGNORE, 0)),
    ] {
        let mut stream = fixture.tcp();
        stream
            .write_all(&[framed(&query(ECHO, 1)), nonsense].concat())
            .unwrap();
        assert_eq!(number_of(&read_framed(&mut stream).unwrap()), 1);
        assert!(is_closed(&mut stream));
    }
    assert_eq!(fixture.stop().streams[Protocol::Tcp].dropped, 3);
}

#[test]
fn tcp_closes_idle_and_slow_clients() {
    let short = Duration::from_millis(150);
    let fixture = Fixture::with(|config| {
        config.tcp.idle_timeout = short;
        config.tcp.message_timeout = short;
        config.tcp.write_timeout = short;
    });
    let start = Instant::now();
    let mut idle = fixture.tcp();
    let mut slow_writer = fixture.tcp();
    let mut slow_reader = fixture.tcp();
    let queries: Vec<u8> = (0..400).flat_map(|_| framed(&query(LONGEST, 0))).collect();
    slow_reader.write_all(&queries).unwrap();
    // A byte now and then does not count as progress.
    for byte in framed(&query(ECHO, 0)) {
        if slow_writer.write_all(&[byte]).is_err() {
            break;
        }
        std::thread::sleep(short / 10);
    }
    assert!(is_closed(&mut slow_writer));
    assert!(is_closed(&mut idle));
    assert!(start.elapsed() >= short);
    fixture.wait_for("both slow clients", |counts| {
        counts.streams[Protocol::Tcp].too_slow == 2
    });
    let mut rest = Vec::new();
    // It ends before all replies, or is reset.
    let _ = slow_reader.read_to_end(&mut rest);
    assert!(rest.len() < 400 * usize::from(u16::MAX));
    fixture.stop();
}

#[test]
fn tcp_evicts_the_longest_idle_and_refuses_while_none_is() {
    let fixture = Fixture::with(|config| config.tcp.connections = 2);
    let ask = |stream: &mut TcpStream| {
        stream.write_all(&framed(&query(ECHO, 0))).unwrap();
        assert_eq!(number_of(&read_framed(stream).unwrap()), 0);
    };
    let (mut first, mut second) = (fixture.tcp(), fixture.tcp());
    ask(&mut second);
    // What a connection did last is noted just after its reply is out.
    std::thread::sleep(Duration::from_millis(50));
    ask(&mut first);
    assert!(is_closed(&mut fixture.tcp()));
    std::thread::sleep(Duration::from_millis(510));
    ask(&mut fixture.tcp());
    assert!(is_closed(&mut second));
    ask(&mut first);
    let counts = fixture.stop().streams[Protocol::Tcp];
    assert_eq!((counts.accepted, counts.refused, counts.evicted), (3, 1, 1));
}

#[test]
fn tcp_limits_each_network_by_itself() {
    let fixture = Fixture::with(|config| config.tcp.connections_per_prefix = 1);
    let _first = fixture.tcp();
    assert!(is_closed(&mut fixture.tcp()));
    let mut other = TcpStream::connect(fixture.server.addresses()[1]).unwrap();
    other.write_all(&framed(&query(ECHO, 3))).unwrap();
    assert_eq!(number_of(&read_framed(&mut other).unwrap()), 3);
    fixture.stop();
}

#[test]
fn stop_is_prompt_and_lets_replies_out() {
    let fixture = Fixture::with(|config| config.tcp.drain_timeout = PATIENCE);
    let mut idle = fixture.tcp();
    let mut partial = fixture.tcp();
    partial.write_all(&[0]).unwrap();
    let mut stream = fixture.tcp();
    let queries: Vec<u8> = (0..200).flat_map(|_| framed(&query(LONGEST, 0))).collect();
    stream.write_all(&queries).unwrap();
    fixture.wait_for("the first replies", |counts| {
        counts.streams[Protocol::Tcp].replies > 0
    });
    let address = fixture.address();
    let reader = std::thread::spawn(move || {
        (0..200).all(|_| read_framed(&mut stream).is_ok_and(|reply| reply.len() == 65_535))
    });
    let start = Instant::now();
    let counts = fixture.stop();
    assert!(
        start.elapsed() < Duration::from_secs(1),
        "took {:?}",
        start.elapsed()
    );
    assert!(reader.join().unwrap());
    assert_eq!(
        (
            counts.streams[Protocol::Tcp].accepted,
            counts.streams[Protocol::Tcp].replies
        ),
        (3, 200)
    );
    assert!(is_closed(&mut idle) && is_closed(&mut partial));
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn stop_waits_for_the_first_query_of_a_connection() {
    let fixture = Fixture::new();
    let mut fresh = fixture.tcp();
    let mut halfway = fixture.tcp();
    let message = framed(&query(ECHO, 7));
    halfway.write_all(&message[..5]).unwrap();
    fixture.wait_for("both", |counts| counts.streams[Protocol::Tcp].accepted == 2);
    let Fixture {
        runtime, server, ..
    } = fixture;
    let address = server.addresses()[0];
    let stopping = runtime.spawn(server.stop());
    let give_up = Instant::now() + PATIENCE;
    while TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < give_up, "it accepts on");
    }
    fresh.write_all(&message).unwrap();
    halfway.write_all(&message[5..]).unwrap();
    for stream in [&mut fresh, &mut halfway] {
        assert_eq!(number_of(&read_framed(stream).unwrap()), 7);
        assert!(is_closed(stream));
    }
    runtime.block_on(stopping).unwrap();
}

#[test]
fn stop_gives_up_on_a_client_that_does_not_read() {
    let drain_timeout = Duration::from_millis(100);
    let fixture = Fixture::with(|config| config.tcp.drain_timeout = drain_timeout);
    let mut stream = fixture.tcp();
    let queries: Vec<u8> = (0..400).flat_map(|_| framed(&query(LONGEST, 0))).collect();
    stream.write_all(&queries).unwrap();
    fixture.wait_for("the first replies", |counts| {
        counts.streams[Protocol::Tcp].replies > 0
    });
    let start = Instant::now();
    fixture.stop();
    assert!((drain_timeout..Duration::from_secs(1)).contains(&start.elapsed()));
}

#[test]
fn a_dropped_server_ends_by_itself() {
    let Fixture {
        runtime, server, ..
    } = Fixture::new();
    let address = server.addresses()[0];
    drop(server);
    let give_up = Instant::now() + PATIENCE;
    while UdpSocket::bind(address).is_err() || TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < give_up);
        std::thread::sleep(Duration::from_millis(5));
    }
    drop(runtime);
}

#[test]
fn workers_can_be_kept_on_a_core() {
    let fixture = Fixture::with(|config| config.cores = Some(vec![0]));
    let client = udp_client(fixture.address());
    client.send(&query(ECHO, 5)).unwrap();
    assert_eq!(client.recv(&mut [0; 100]).unwrap(), 16);
    fixture.stop();
}

#[test]
fn impossible_configurations_say_what_to_do() {
    let fixture = Fixture::new();
    let taken = fixture.address();
    let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let cases: [(Config, &str); 9] = [
        (config(&[]), "name at least one"),
        (
            config(&["0.0.0.0:5300", "127.0.0.1:5300"].map(|text| text.parse().unwrap())),
            "0.0.0.0:5300 stands for every address of this machine, 127.0.0.1:5300 too",
        ),
        (
            config(&["[2001:db8::1]:5300", "[::]:5300"].map(|text| text.parse().unwrap())),
            "leave one of them out",
        ),
        (
            config(&["192.0.2.99:5300".parse().unwrap()]),
            "not an address of this machine",
        ),
        (config(&[free, taken]), "is in use"),
        (config(&[taken, taken]), "configured twice"),
        (
            Config {
                workers_per_address: 0,
                ..config(&[free])
            },
            "use 1 or more",
        ),
        (
            Config {
                max_udp_payload: 511,
                ..config(&[free])
            },
            "use 512 to 4096",
        ),
        (
            Config {
                cores: Some(Vec::new()),
                ..config(&[free])
            },
            "leave the list out",
        ),
    ];
    for (config, text) in cases {
        let error = Bound::bind(&config).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
    let denied = StartError::bind(taken, io::ErrorKind::PermissionDenied.into()).to_string();
    assert!(denied.contains("CAP_NET_BIND_SERVICE") && denied.contains(&taken.to_string()));
    fixture.stop();
}

#[test]
fn a_second_server_takes_the_sockets_over_without_losing_a_query() {
    let runtime = Runtime::new().unwrap();
    let config = Config {
        workers_per_address: 2,
        ..config(&LOOPBACK.map(|ip| SocketAddr::new(ip, 0)))
    };
    let start = |handed, world| {
        let bound = Bound::take_over(&config, handed).unwrap();
        let spare = bound.duplicate().unwrap();
        let (live, echo) = (Arc::new(Live::new(world)), Echo::default());
        let server = Server::start_with(&config, bound, &live, runtime.handle(), &echo);
        (server.unwrap(), spare)
    };
    let (mut server, mut spare) = start(Vec::new(), 0);
    let address = server.addresses()[0];
    for world in 1..=5 {
        // Several sources, so that both sockets of the address get some.
        let clients: Vec<UdpSocket> = (0..16).map(|_| udp_client(address)).collect();
        let handed = spare;
        // Stopped before the next one starts: what comes in between waits in the sockets.
        runtime.block_on(server.stop());
        for client in &clients {
            client.send(&query(ECHO, 5)).unwrap();
        }
        let mut tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(PATIENCE)).unwrap();
        (server, spare) = start(handed, world);
        assert_eq!(server.addresses()[0], address);
        for client in &clients {
            let mut reply = [0; 100];
            assert_eq!(client.recv(&mut reply).unwrap(), 16);
            assert_eq!(reply[1], world);
        }
        let query = query(ECHO, 5);
        tcp.write_all(&[0, 16]).unwrap();
        tcp.write_all(&query).unwrap();
        let mut reply = [0; 18];
        tcp.read_exact(&mut reply).unwrap();
        assert_eq!(reply[3], world);
    }
    runtime.block_on(server.stop());
}

#[test]
fn a_socket_that_is_not_what_it_is_said_to_be_is_refused() {
    let config = config(&["127.0.0.1:5300".parse().unwrap()]);
    for role in Role::ALL {
        assert_eq!(Role::named(role.name()), Some(role));
    }
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let handed = BoundSocket {
        role: Role::Tcp,
        address: config.listeners[0].address,
        number: 0,
        socket: stranger.into(),
    };
    let error = Bound::take_over(&config, vec![handed]).unwrap_err();
    assert!(error.to_string().contains("handed over"), "{error}");
}
