//! What a server is told when it starts, and why it may refuse to.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use meridian_answer::{Identity, ViewId};
use tokio::runtime::Handle;

use crate::answerer::Answer;
use crate::certificate::Certificate;
use crate::rate::{RateLimit, RateLimitError};
use crate::tap::Taps;

/// The smallest UDP payload every resolver takes, RFC 1035 section 4.2.1.
const PAYLOAD_MIN: u16 = 512;

/// The largest that any resolver asks for.
const PAYLOAD_MAX: u16 = 4096;

/// The most UDP threads for each address. Machines have fewer cores.
const WORKERS_MAX: usize = 1024;

/// Which addresses to serve, and how.
#[derive(Debug, Clone)]
pub struct Config {
    /// At least one; each is served over UDP and TCP.
    pub listeners: Vec<Listener>,
    /// UDP threads, each with a socket of its own, for each listener: 1 to 1024.
    pub workers_per_address: usize,
    /// The longest UDP reply in bytes: 512 to 4096. [`Config::MAX_UDP_PAYLOAD`] unless there is a
    /// reason.
    pub max_udp_payload: u16,
    /// Limits of TCP.
    pub tcp: TcpLimits,
    /// Worker `n` of each address stays on the core `cores[n % cores.len()]`; without them the
    /// system decides.
    pub cores: Option<Vec<usize>>,
    /// What is told about this server, and its cookie secret.
    pub identity: Arc<Identity>,
    /// How replies over UDP are limited, if they are.
    pub rate_limit: Option<RateLimit>,
    /// Who gets copies of queries and replies.
    pub taps: Taps,
    /// Listeners for those who want nobody to listen in; none by default.
    pub encrypted: Encrypted,
    /// What these need; without any of them nothing.
    pub encryption: Option<Encryption>,
}

impl Config {
    /// What passes all common links in one frame, as agreed on DNS Flag Day 2020.
    pub const MAX_UDP_PAYLOAD: u16 = 1232;

    /// Whether it makes sense, as far as that can be told without opening a socket.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), StartError> {
        if self.listeners.is_empty() {
            return Err(StartError::NoListeners);
        }
        if self.workers_per_address == 0 {
            return Err(StartError::NoWorkers);
        }
        if self.workers_per_address > WORKERS_MAX {
            return Err(StartError::Workers {
                workers: self.workers_per_address,
            });
        }
        if !(PAYLOAD_MIN..=PAYLOAD_MAX).contains(&self.max_udp_payload) {
            return Err(StartError::MaxUdpPayload {
                bytes: self.max_udp_payload,
            });
        }
        if self.cores.as_ref().is_some_and(Vec::is_empty) {
            return Err(StartError::NoCores);
        }
        if let Some(limit) = &self.rate_limit {
            limit.check()?;
        }
        let Encrypted { dot, doq, doh } = &self.encrypted;
        check_addresses(self.listeners.iter().chain(dot).chain(doh))?;
        check_addresses(self.listeners.iter().chain(doq))
    }
}

/// Whether these listeners, all over TCP or all over UDP, leave each other alone.
fn check_addresses<'a>(listeners: impl Iterator<Item = &'a Listener>) -> Result<(), StartError> {
    let mut before: Vec<SocketAddr> = Vec::new();
    for Listener { address, .. } in listeners {
        if address.port() != 0 && before.contains(address) {
            return Err(StartError::Twice { address: *address });
        }
        if let Some(other) = before.iter().find(|other| shares_port(**other, *address)) {
            let (every, one) = if address.ip().is_unspecified() {
                (*address, *other)
            } else {
                (*other, *address)
            };
            return Err(StartError::Overlap { every, one });
        }
        before.push(*address);
    }
    Ok(())
}

/// Whether one of two addresses of a family stands for all of them, the other being among them.
fn shares_port(one: SocketAddr, other: SocketAddr) -> bool {
    one.port() != 0
        && one.port() == other.port()
        && one.is_ipv4() == other.is_ipv4()
        && (one.ip().is_unspecified() || other.ip().is_unspecified())
}

/// Listeners that encrypt, by protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Encrypted {
    /// DNS over TLS (RFC 7858), over TCP.
    pub dot: Vec<Listener>,
    /// DNS over QUIC (RFC 9250), over UDP.
    pub doq: Vec<Listener>,
    /// DNS over HTTPS (RFC 8484), over TCP. Their HTTP is spoken by whoever takes
    /// [`Server::https`](crate::Server::https).
    pub doh: Vec<Listener>,
}

impl Encrypted {
    /// Whether nothing is encrypted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dot.is_empty() && self.doq.is_empty() && self.doh.is_empty()
    }
}

/// What listeners that encrypt work with.
#[derive(Debug, Clone)]
pub struct Encryption {
    /// Shown to all clients.
    pub certificate: Arc<Certificate>,
    /// Best one of its own: handshakes take time, which TCP in the clear would miss.
    pub runtime: Handle,
}

/// One address to serve, and whose zones it shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listener {
    /// 0.0.0.0 stands for every address of IPv4 and `[::]` for every one of IPv6; each query is
    /// answered from the address it was sent to. Port 0 lets the system choose one, the same for
    /// UDP and TCP.
    pub address: SocketAddr,
    /// Whose zones it shows.
    pub view: ListenerView,
}

/// How the view is found that queries to a listener are answered from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListenerView {
    /// It is always this one.
    One(ViewId),
    /// It is that of the address asked, as the World says ([`World::view_at`]).
    ///
    /// [`World::view_at`]: meridian_answer::World::view_at
    OfAddress,
}

impl ListenerView {
    pub(crate) fn find<A: Answer>(self, world: &A::World, asked: IpAddr) -> ViewId {
        match self {
            Self::One(view) => view,
            Self::OfAddress => A::view_at(world, asked),
        }
    }
}

/// How many TCP connections there may be, for all listeners together, and how slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpLimits {
    /// Open connections: 1000.
    pub connections: usize,
    /// Open connections from one IPv4 /24 or IPv6 /56: 50.
    pub connections_per_prefix: usize,
    /// How long a connection may stay without a query: 10 s.
    pub idle_timeout: Duration,
    /// How long a client that has connected may take to agree on how to encrypt: 5 s.
    pub handshake_timeout: Duration,
    /// How long a message may take from its first byte to its last: 5 s.
    pub message_timeout: Duration,
    /// How long replies may wait for the client to take them: 5 s.
    pub write_timeout: Duration,
    /// How long [`Server::stop`](crate::Server::stop) lets replies on their way go out: 2 s.
    pub drain_timeout: Duration,
}

impl TcpLimits {
    /// The idle timeout in units of 100 ms, as clients are told (RFC 7828).
    pub(crate) fn idle_tenths(&self) -> u16 {
        u16::try_from(self.idle_timeout.as_millis() / 100).unwrap_or(u16::MAX)
    }
}

impl Default for TcpLimits {
    fn default() -> Self {
        Self {
            connections: 1000,
            connections_per_prefix: 50,
            idle_timeout: Duration::from_secs(10),
            handshake_timeout: Duration::from_secs(5),
            message_timeout: Duration::from_secs(5),
            write_timeout: Duration::from_secs(5),
            drain_timeout: Duration::from_secs(2),
        }
    }
}

/// Why a server did not start. What had been started already ends by itself.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing to serve.
    #[error("no listening address is configured; name at least one, such as 127.0.0.1:5300")]
    NoListeners,
    /// Nobody to serve it.
    #[error("0 workers per address cannot answer anything; use 1 or more")]
    NoWorkers,
    /// More of them than could be of use.
    #[error("{workers} workers per address are too many; the most is {WORKERS_MAX}")]
    Workers {
        /// As configured.
        workers: usize,
    },
    /// An empty list of cores.
    #[error("the list of cores is empty; name at least one, or leave the list out")]
    NoCores,
    /// Out of range.
    #[error("a UDP payload of {bytes} bytes is not possible; use {PAYLOAD_MIN} to {PAYLOAD_MAX}")]
    MaxUdpPayload {
        /// As configured.
        bytes: u16,
    },
    /// A rate limit that cannot be.
    #[error("the rate limit cannot be as it is configured")]
    RateLimit(#[from] RateLimitError),
    /// An address, and every address.
    #[error("{every} stands for every address of this machine, {one} too; leave one of them out")]
    Overlap {
        /// As configured.
        every: SocketAddr,
        /// As configured.
        one: SocketAddr,
    },
    /// Nothing to encrypt with.
    #[error("encrypted listeners need a certificate and its key")]
    NoCertificate,
    /// TLS cannot be set up.
    #[error("encrypted listeners cannot be set up")]
    Tls(#[source] io::Error),
    /// The same address in two listeners.
    #[error("{address} is configured twice; an address belongs to one view")]
    Twice {
        /// As configured.
        address: SocketAddr,
    },
    /// A privileged port.
    #[error(
        "no permission to listen on {address}; ports below 1024 need root or CAP_NET_BIND_SERVICE \
         (systemd: AmbientCapabilities=CAP_NET_BIND_SERVICE)"
    )]
    Permission {
        /// As configured.
        address: SocketAddr,
    },
    /// Somebody else has the port.
    #[error(
        "{address} is in use by another program, which `ss -lptun` names; stop that one or \
         listen elsewhere"
    )]
    InUse {
        /// As configured.
        address: SocketAddr,
    },
    /// Not an address of this machine.
    #[error("{address} is not an address of this machine, which `ip address` lists")]
    NotHere {
        /// As configured.
        address: SocketAddr,
    },
    /// Any other trouble with a socket.
    #[error("cannot listen on {address}")]
    Socket {
        /// As configured.
        address: SocketAddr,
        /// What the system said.
        #[source]
        error: io::Error,
    },
    /// The system gives no more threads.
    #[error("cannot start a thread for {address}")]
    Thread {
        /// Whose thread it would have been.
        address: SocketAddr,
        /// What the system said.
        #[source]
        error: io::Error,
    },
}

impl StartError {
    pub(crate) fn bind(address: SocketAddr, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Permission { address },
            io::ErrorKind::AddrInUse => Self::InUse { address },
            io::ErrorKind::AddrNotAvailable => Self::NotHere { address },
            _ => Self::Socket { address, error },
        }
    }
}
