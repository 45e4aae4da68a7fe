//! The server as a whole, over real sockets, with an answerer that echoes.

mod encrypted;
mod life;
mod tcp;
mod udp;

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use meridian_answer::{Answered, Moment, Outcome, Packet, Transport, ViewId, ZoneLog};
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

    fn log(_world: &u8) -> ZoneLog {
        ZoneLog::Off
    }
}

fn reply_of(len: usize, wish: u8) -> Outcome {
    Outcome::Reply(Answered {
        len: u16::try_from(len).unwrap(),
        rcode: 0,
        qtype: 0,
        valid_cookie: wish == COOKIE,
        zone: None,
        log: ZoneLog::Off,
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
        Self::on(Runtime::new().unwrap(), |config, _| change(config))
    }

    fn on(runtime: Runtime, change: impl FnOnce(&mut Config, &Runtime)) -> Self {
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
        taps: crate::Taps::default(),
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

/// Asks this many numbered queries, all before the first reply is read.
fn pipeline(stream: &mut impl Write, queries: u32) {
    let queries: Vec<u8> = (0..queries)
        .flat_map(|number| framed(&query(ECHO, number)))
        .collect();
    stream.write_all(&queries).unwrap();
}

/// Reads the replies to numbered queries, which come in their order.
fn read_pipelined(stream: &mut impl Read, queries: u32) {
    for number in 0..queries {
        assert_eq!(number_of(&read_framed(stream).unwrap()), number);
    }
}

/// The longest query and the longest replies: 13 MB, which do not fit the sockets' buffers, so that
/// writing has to wait for reading.
fn exchange_the_longest(stream: &mut (impl Read + Write)) {
    const REPLIES: usize = 200;
    let longest = framed(&vec![ECHO; usize::from(u16::MAX)]);
    stream.write_all(&longest).unwrap();
    assert_eq!(read_framed(stream).unwrap().len(), longest.len() - 2);
    let queries = framed(&query(LONGEST, 9)).repeat(REPLIES);
    stream.write_all(&queries).unwrap();
    for _ in 0..REPLIES {
        let reply = read_framed(stream).unwrap();
        assert_eq!((reply.len(), number_of(&reply)), (usize::from(u16::MAX), 9));
    }
}

/// Whether the server has closed the connection, without or with unread data.
fn is_closed(stream: &mut TcpStream) -> bool {
    match stream.read(&mut [0]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
    }
}
