//! Looking up where an endpoint is: its IPv4 addresses, asked of resolvers each time anew. Nothing
//! is cached: that is what resolvers are for, and a check is to see what its users see.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use domain::base::iana::{Class, Rcode};
use domain::base::{Message, MessageBuilder, Name, Rtype, ToName};
use domain::rdata::{A, Cname};

use crate::exchange::{PAYLOAD, exchange, is_nobody};

/// The most resolvers that are asked, as `resolv.conf` has it.
const MAX_RESOLVERS: usize = 3;
/// How often each of them is asked.
const ROUNDS: usize = 2;
/// The most records of an answer that are looked at, and links of a chain of CNAMEs.
const MAX_RECORDS: usize = 256;
const MAX_LINKS: usize = 16;
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
                match exchange(*server, &query, self.patience).await {
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
}

type Query = Message<Vec<u8>>;
type Reply = Message<Vec<u8>>;

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
