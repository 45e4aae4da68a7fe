//! Looking up where an endpoint is: its IPv4 addresses, asked of resolvers each time anew. Nothing
//! is cached: that is what resolvers are for, and a check is to see what its users see.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use domain::base::iana::{Class, Rcode};
use domain::base::{Message, MessageBuilder, Name, Rtype, ToName};
use domain::rdata::{A, Cname};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

/// The most resolvers that are asked, as `resolv.conf` has it.
const MAX_RESOLVERS: usize = 3;
/// How often each of them is asked.
const ROUNDS: usize = 2;
/// What fits a reply by UDP (DNS flag day 2020).
const PAYLOAD: u16 = 1232;
/// The most records of an answer that are looked at, and links of a chain of CNAMEs.
const MAX_RECORDS: usize = 256;
const MAX_LINKS: usize = 16;
/// The most packets that are passed over while a reply is waited for: others' are thrown in to
/// guess at the query's id.
const MAX_STRANGERS: usize = 32;

/// Resolvers, asked in their order.
#[derive(Debug, Clone)]
pub struct Resolver {
    servers: Vec<SocketAddr>,
    patience: Duration,
}

/// Why a name led to no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ResolveFailure {
    /// It has none of version 4.
    NoAddress,
    /// It does not exist.
    NoSuchName,
    /// No resolver could find out; the last said this code.
    Rcode(u8),
    /// No reply came in time.
    NoReply,
    /// No reply could be read.
    Unreadable,
    /// There is nobody to ask: none is configured, or none of them listens. That is no fault of the
    /// endpoint's.
    NoResolver,
}

impl Resolver {
    /// Resolvers at these addresses, at most three, and how long each reply may take.
    pub fn new(servers: &[SocketAddr], patience: Duration) -> Self {
        Self {
            servers: servers.iter().copied().take(MAX_RESOLVERS).collect(),
            patience,
        }
    }

    /// The resolvers that the text of a `resolv.conf` names. Zones of link-local ones are not known
    /// here, so those are passed over.
    pub fn in_resolv_conf(text: &str) -> Vec<SocketAddr> {
        let servers = text.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            let address = (words.next()? == "nameserver").then(|| words.next())??;
            Some(SocketAddr::new(address.parse().ok()?, 53))
        });
        servers.take(MAX_RESOLVERS).collect()
    }

    /// The IPv4 addresses of a host, in the order of the reply. Of the seed come the ids of queries.
    ///
    /// # Errors
    /// Why there are none.
    pub async fn addresses(&self, host: &str, seed: u64) -> Result<Vec<Ipv4Addr>, ResolveFailure> {
        let mut worst = ResolveFailure::NoResolver;
        let mut marks = seed;
        for _ in 0..ROUNDS {
            for server in &self.servers {
                let [low, high, ..] = marks.to_le_bytes();
                marks = marks.rotate_right(13);
                let query = query(host, u16::from_le_bytes([low, high]))?;
                match self.ask(*server, &query).await {
                    Ok(reply) => match read(&reply, &query) {
                        Err(failure @ (ResolveFailure::Rcode(_) | ResolveFailure::Unreadable)) => {
                            worst = failure;
                        }
                        outcome => return outcome,
                    },
                    Err(error) if is_nobody(&error) => {}
                    Err(_) if worst == ResolveFailure::NoResolver => {
                        worst = ResolveFailure::NoReply;
                    }
                    Err(_) => {}
                }
            }
        }
        Err(worst)
    }

    async fn ask(&self, server: SocketAddr, query: &Query) -> io::Result<Reply> {
        let deadline = Instant::now() + self.patience;
        let reply = timeout_at(deadline, by_udp(server, query)).await??;
        if reply.header().tc() {
            return timeout_at(deadline, by_tcp(server, query)).await?;
        }
        Ok(reply)
    }
}

type Query = Message<Vec<u8>>;
type Reply = Message<Vec<u8>>;

/// Whether it says that nothing listens there, or that there is no way.
fn is_nobody(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
    )
}

fn query(host: &str, id: u16) -> Result<Query, ResolveFailure> {
    let name = host_name(host).ok_or(ResolveFailure::NoSuchName)?;
    let mut question = MessageBuilder::new_vec().question();
    question.header_mut().set_id(id);
    question.header_mut().set_rd(true);
    let pushed = question.push((name, Rtype::A, Class::IN));
    let mut additional = question.additional();
    let added = additional.opt(|opt| {
        opt.set_udp_payload_size(PAYLOAD);
        Ok(())
    });
    // A question and an option fit any message.
    match (pushed, added) {
        (Ok(()), Ok(())) => Ok(additional.into_message()),
        _ => Err(ResolveFailure::NoSuchName),
    }
}

fn host_name(host: &str) -> Option<Name<Vec<u8>>> {
    // Read as everywhere here: escapes are octal.
    let name = meridian_dns::Name::parse(host).ok()?;
    Name::from_octets(name.as_wire().to_vec()).ok()
}

async fn by_udp(server: SocketAddr, query: &Query) -> io::Result<Reply> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(query.as_slice()).await?;
    let mut buffer = vec![0; usize::from(PAYLOAD)];
    for _ in 0..MAX_STRANGERS {
        let len = socket.recv(&mut buffer).await?;
        let packet = buffer.get(..len).unwrap_or_default();
        if let Ok(reply) = Message::from_octets(packet.to_vec())
            && belongs(&reply, query)
        {
            return Ok(reply);
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

async fn by_tcp(server: SocketAddr, query: &Query) -> io::Result<Reply> {
    let mut stream = TcpStream::connect(server).await?;
    let bytes = query.as_slice();
    let len = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream
        .write_all(&[&len.to_be_bytes(), bytes].concat())
        .await?;
    let mut reply = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut reply).await?;
    let reply = Message::from_octets(reply).map_err(io::Error::other)?;
    if !belongs(&reply, query) {
        return Err(io::Error::other("the reply is to another question"));
    }
    Ok(reply)
}

/// Whether it is the reply to this query. A server that refuses may leave out the question.
fn belongs(reply: &Reply, query: &Query) -> bool {
    let header = reply.header();
    let same = match (reply.sole_question(), query.sole_question()) {
        (Ok(theirs), Ok(ours)) => {
            theirs.qname().name_eq(ours.qname()) && theirs.qtype() == ours.qtype()
        }
        _ => reply.header_counts().qdcount() == 0 && header.rcode() != Rcode::NOERROR,
    };
    header.qr() && header.id() == query.header().id() && same
}

fn read(reply: &Reply, query: &Query) -> Result<Vec<Ipv4Addr>, ResolveFailure> {
    match reply.header().rcode() {
        Rcode::NOERROR => {}
        Rcode::NXDOMAIN => return Err(ResolveFailure::NoSuchName),
        other => return Err(ResolveFailure::Rcode(other.to_int())),
    }
    let found = follow(reply, query).ok_or(ResolveFailure::Unreadable)?;
    if found.is_empty() {
        return Err(ResolveFailure::NoAddress);
    }
    Ok(found)
}

/// The addresses at the end of the chain of CNAMEs that begins at the question.
fn follow(reply: &Reply, query: &Query) -> Option<Vec<Ipv4Addr>> {
    let mut name: Name<Vec<u8>> = query.sole_question().ok()?.qname().to_name();
    for _ in 0..MAX_LINKS {
        let mut addresses = Vec::new();
        let mut next = None;
        for record in reply.answer().ok()?.take(MAX_RECORDS) {
            let record = record.ok()?;
            if record.class() != Class::IN || !record.owner().name_eq(&name) {
                continue;
            }
            if let Ok(Some(address)) = record.to_record::<A>() {
                addresses.push(address.data().addr());
            } else if let Ok(Some(alias)) = record.to_record::<Cname<_>>() {
                next = Some(alias.data().cname().to_name());
            }
        }
        match next {
            Some(next) if addresses.is_empty() => name = next,
            _ => return Some(addresses),
        }
    }
    Some(Vec::new())
}
