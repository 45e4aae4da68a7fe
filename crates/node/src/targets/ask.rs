//! One name asked of resolvers: over UDP, over TCP where the reply is cut off, of the next resolver
//! where one is silent or fails. What replies say is read in `reply`; nothing is remembered here but
//! which resolver answered last.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use domain::base::iana::Class;
use domain::base::opt::ClientSubnet;
use domain::base::{Message, MessageBuilder, Rtype};
use meridian_control::{Environment, SystemEnvironment};
use meridian_dns::{Name, RecordType};
use meridian_health::{PAYLOAD, exchange, is_nobody};
use meridian_model::Network;

use super::reply::{Fault, Host, MAX_DATA, MAX_LINKS, Read, Said, Way, scope};

/// The most resolvers, as `resolv.conf` has it.
pub(crate) const MAX_RESOLVERS: usize = 3;
/// How often each of them is asked.
const ROUNDS: usize = 2;
/// Resolvers, the one first that answered last.
#[derive(Debug)]
pub(crate) struct Stub {
    servers: Vec<SocketAddr>,
    patience: Duration,
    first: AtomicUsize,
}

/// What was said, by whom, and for how much of the network that was told; nothing is said of that
/// where it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) said: Said,
    pub(super) scope: Option<u8>,
    pub(super) source: SocketAddr,
}

/// Why nobody could say what there is at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// There is nobody to ask.
    NoResolver,
    /// Nothing listens at the resolver's address.
    NobodyThere,
    /// No reply came in time.
    NoReply,
    /// A reply says nothing, for this reason.
    Fault(Fault),
}

impl Failure {
    /// Its name in metrics.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::NoResolver => "no-resolver",
            Self::NobodyThere => "nobody-there",
            Self::NoReply => "no-reply",
            Self::Fault(Fault::Rcode(_)) => "rcode",
            Self::Fault(Fault::Referral) => "referral",
            Self::Fault(Fault::Unreadable) => "unreadable",
            Self::Fault(Fault::Loop) => "cname-loop",
            Self::Fault(Fault::TooLong) => "cname-chain",
            Self::Fault(Fault::TooMany) => "too-many-records",
            Self::Fault(Fault::TooMuch) => "too-much-data",
        }
    }

    /// Those names.
    pub(crate) const NAMES: [&'static str; 10] = [
        "no-resolver",
        "nobody-there",
        "no-reply",
        "rcode",
        "referral",
        "unreadable",
        "cname-loop",
        "cname-chain",
        "too-many-records",
        "too-much-data",
    ];
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoResolver => f.write_str("there is no resolver to ask"),
            Self::NobodyThere => f.write_str("nothing listens at the resolver's address"),
            Self::NoReply => f.write_str("no resolver replied in time"),
            Self::Fault(Fault::Rcode(code)) => {
                write!(f, "the resolver answers {}", crate::answering::rcode(*code))
            }
            Self::Fault(Fault::Referral) => f.write_str("what was asked is no resolver"),
            Self::Fault(Fault::Unreadable) => f.write_str("the resolver's reply is unreadable"),
            Self::Fault(Fault::Loop) => f.write_str("its CNAMEs lead in a circle"),
            Self::Fault(Fault::TooLong) => {
                write!(f, "more than {MAX_LINKS} CNAMEs come one after the other")
            }
            Self::Fault(Fault::TooMany) => f.write_str("it has more records than can be meant"),
            Self::Fault(Fault::TooMuch) => {
                write!(f, "its records have more than {MAX_DATA} bytes of data")
            }
        }
    }
}

/// Why one resolver said nothing.
enum Trouble {
    /// Another one may say more.
    Here(Failure),
    /// It is the name's, whoever is asked.
    Everywhere(Failure),
}

impl Stub {
    /// Resolvers at these addresses, and how long each reply may take the first time.
    pub(crate) fn new(servers: &[SocketAddr], patience: Duration) -> Self {
        Self {
            servers: servers.iter().copied().take(MAX_RESOLVERS).collect(),
            patience,
            first: AtomicUsize::new(0),
        }
    }

    /// Who is asked.
    pub(super) fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// What there is at a name, for clients of a network if one is given. Takes no longer than all
    /// resolvers' patience, twice for each link of a chain that has to be asked for.
    ///
    /// # Errors
    /// Why nobody could say.
    pub(super) async fn resolve(
        &self,
        (name, rtype): (&Name, RecordType),
        network: Option<Network>,
    ) -> Result<Told, Failure> {
        let Ok(host) = Host::from_octets(name.as_wire().to_vec()) else {
            return Err(Failure::Fault(Fault::Unreadable));
        };
        let count = self.servers.len();
        let first = self.first.load(Ordering::Relaxed);
        let mut worst = Failure::NoResolver;
        for round in 0..ROUNDS {
            for offset in 0..count {
                let place = (first + offset) % count;
                // Who is slow once may take longer the second time.
                let patience = self.patience * if round == 0 { 1 } else { 2 };
                let server = self.servers[place];
                match follow(server, patience, (&host, rtype), network).await {
                    Ok(told) => {
                        self.first.store(place, Ordering::Relaxed);
                        return Ok(told);
                    }
                    Err(Trouble::Everywhere(failure)) => return Err(failure),
                    Err(Trouble::Here(failure)) => worst = worse(worst, failure),
                }
            }
        }
        Err(worst)
    }
}

/// Of several failures the one that says most: what was replied, then that nothing was.
fn worse(one: Failure, other: Failure) -> Failure {
    let rank = |failure: Failure| match failure {
        Failure::NoResolver => 0,
        Failure::NobodyThere => 1,
        Failure::NoReply => 2,
        Failure::Fault(_) => 3,
    };
    if rank(other) >= rank(one) { other } else { one }
}

/// Goes the whole way with one resolver.
async fn follow(
    server: SocketAddr,
    patience: Duration,
    (host, rtype): (&Host, RecordType),
    network: Option<Network>,
) -> Result<Told, Trouble> {
    let asked = network.map(|n| ClientSubnet::new(n.prefix_len(), 0, n.address()));
    let mut way = Way::from(host.clone());
    let mut name = host.clone();
    let mut whole_scope = None;
    for _ in 0..=MAX_LINKS {
        let query = query(&name, rtype, asked)?;
        let reply = exchange(server, &query, patience).await;
        let reply = reply.map_err(|error| Trouble::Here(failure(&error)))?;
        if let Some(asked) = asked {
            // The longest of all steps: no step may be passed on to more clients than it is for.
            whole_scope = whole_scope.max(scope(&reply, asked));
        }
        match way.read(&reply, rtype) {
            Ok(Read::Said(said)) => {
                return Ok(Told {
                    said,
                    scope: whole_scope,
                    source: server,
                });
            }
            Ok(Read::GoesOn(next)) => name = next,
            Err(fault @ (Fault::Loop | Fault::TooLong | Fault::TooMany | Fault::TooMuch)) => {
                return Err(Trouble::Everywhere(Failure::Fault(fault)));
            }
            Err(fault) => return Err(Trouble::Here(Failure::Fault(fault))),
        }
    }
    Err(Trouble::Everywhere(Failure::Fault(Fault::TooLong)))
}

fn failure(error: &io::Error) -> Failure {
    match error.kind() {
        _ if is_nobody(error) => Failure::NobodyThere,
        io::ErrorKind::InvalidData => Failure::Fault(Fault::Unreadable),
        _ => Failure::NoReply,
    }
}

type Query = Message<Vec<u8>>;

fn query(name: &Host, rtype: RecordType, asked: Option<ClientSubnet>) -> Result<Query, Trouble> {
    let mut question = MessageBuilder::new_vec().question();
    let [high, low, ..] = SystemEnvironment::new().entropy();
    question
        .header_mut()
        .set_id(u16::from_be_bytes([high, low]));
    question.header_mut().set_rd(true);
    let pushed = question.push((name, Rtype::from_int(rtype.code()), Class::IN));
    let mut additional = question.additional();
    let added = additional.opt(|opt| {
        opt.set_udp_payload_size(PAYLOAD);
        asked.map_or(Ok(()), |asked| opt.push(&asked))
    });
    // A question and an option fit any message.
    match (pushed, added) {
        (Ok(()), Ok(())) => Ok(additional.into_message()),
        _ => Err(Trouble::Everywhere(Failure::Fault(Fault::Unreadable))),
    }
}
