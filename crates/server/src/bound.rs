//! All sockets of a configuration before anything runs on them: bound here, or handed over by the
//! process that had them before. How one is made is in `socket`.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;

use crate::config::{Config, Encrypted, Listener, StartError};
use crate::socket::{self, Sockets};

/// What a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Queries over UDP, one socket for each worker.
    Udp,
    /// Connections with queries over TCP, one socket for each address.
    Tcp,
    /// The same over TLS.
    Dot,
    /// DNS over QUIC, one socket of UDP for each address.
    Doq,
    /// DNS over HTTPS, one socket of TCP for each address.
    Doh,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Dot, Self::Doq, Self::Doh];

    /// Its name towards another process, perhaps of another version: never given to another role.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Dot => "dot",
            Self::Doq => "doq",
            Self::Doh => "doh",
        }
    }

    /// The role of this name; none when this version does not know it.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

/// An open socket and its place in the configuration.
#[derive(Debug)]
pub struct BoundSocket {
    /// What it is for.
    pub role: Role,
    /// As configured, so with port 0 where the system chose one.
    pub address: SocketAddr,
    /// Which of the sockets with this role and address.
    pub number: usize,
    /// The socket itself.
    pub socket: OwnedFd,
}

/// The sockets of every listener of a [`Config`]. They receive from now on, so that nothing is lost
/// until a [`Server`](crate::Server) starts on them.
#[derive(Debug)]
pub struct Bound {
    pub(crate) listeners: Vec<(Listener, Sockets)>,
    pub(crate) dot: Vec<Single<TcpListener>>,
    pub(crate) doq: Vec<Single<UdpSocket>>,
    pub(crate) doh: Vec<Single<TcpListener>>,
}

/// A listener with a single socket.
#[derive(Debug)]
pub(crate) struct Single<S> {
    pub(crate) listener: Listener,
    /// With the port that the system chose.
    pub(crate) address: SocketAddr,
    pub(crate) socket: S,
}

impl Bound {
    /// Binds every address: all of them or none.
    ///
    /// # Errors
    /// [`StartError`]: the configuration makes no sense, or an address cannot be had.
    pub fn bind(config: &Config) -> Result<Self, StartError> {
        Self::take_over(config, Vec::new())
    }

    /// Uses the sockets handed over as far as the configuration asks for them, binds what is
    /// missing and closes what is left over.
    ///
    /// # Errors
    /// As [`Bound::bind`], and [`StartError::Socket`] for a socket that is not what it is said to
    /// be.
    pub fn take_over(config: &Config, handed: Vec<BoundSocket>) -> Result<Self, StartError> {
        config.check()?;
        let mut handed = Handed(handed);
        let bind = |listener: &Listener| {
            let address = listener.address;
            let sockets = socket::bind(address, config, &mut handed)?;
            Ok::<_, StartError>((*listener, sockets))
        };
        let listeners = config
            .listeners
            .iter()
            .map(bind)
            .collect::<Result<_, _>>()?;
        let Encrypted { dot, doq, doh } = &config.encrypted;
        Ok(Self {
            listeners,
            dot: singles(dot, |address| {
                socket::bind_tcp(address, Role::Dot, &mut handed)
            })?,
            doq: singles(doq, |address| {
                socket::bind_udp(address, Role::Doq, &mut handed)
            })?,
            doh: singles(doh, |address| {
                socket::bind_tcp(address, Role::Doh, &mut handed)
            })?,
        })
    }

    /// The same sockets once more, for another process or another start: what one of the two
    /// receives the other does not.
    ///
    /// # Errors
    /// When there are no file descriptors left.
    pub fn duplicate(&self) -> io::Result<Vec<BoundSocket>> {
        let mut sockets = Vec::new();
        for (Listener { address, .. }, bound) in &self.listeners {
            let mut push = |role, number, socket| {
                sockets.push(BoundSocket {
                    role,
                    address: *address,
                    number,
                    socket,
                });
            };
            push(Role::Tcp, 0, bound.tcp.try_clone()?.into());
            for (number, udp) in bound.udp.iter().enumerate() {
                push(Role::Udp, number, udp.try_clone()?.into());
            }
        }
        let mut push = |role, address, socket| {
            sockets.push(BoundSocket {
                role,
                address,
                number: 0,
                socket,
            });
        };
        for single in &self.dot {
            push(
                Role::Dot,
                single.listener.address,
                single.socket.try_clone()?.into(),
            );
        }
        for single in &self.doq {
            push(
                Role::Doq,
                single.listener.address,
                single.socket.try_clone()?.into(),
            );
        }
        for single in &self.doh {
            push(
                Role::Doh,
                single.listener.address,
                single.socket.try_clone()?.into(),
            );
        }
        Ok(sockets)
    }

    /// The bound addresses of listeners that encrypt, each with what it is for.
    pub fn encrypted_addresses(&self) -> impl Iterator<Item = (Role, SocketAddr)> {
        let streams = |role, singles: &[Single<TcpListener>]| {
            let addresses = singles.iter().map(|single| (role, single.address));
            addresses.collect::<Vec<_>>()
        };
        let quic = self.doq.iter().map(|single| (Role::Doq, single.address));
        let dot = streams(Role::Dot, &self.dot).into_iter();
        dot.chain(quic).chain(streams(Role::Doh, &self.doh))
    }

    /// The bound addresses, in the order of the listeners; ports chosen by the system included.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().map(|(_, sockets)| sockets.address)
    }
}

/// One socket for each of these listeners, with the address it is really on.
fn singles<S>(
    listeners: &[Listener],
    mut bind: impl FnMut(SocketAddr) -> Result<(SocketAddr, S), StartError>,
) -> Result<Vec<Single<S>>, StartError> {
    let single = |listener: &Listener| {
        let (address, socket) = bind(listener.address)?;
        Ok(Single {
            listener: *listener,
            address,
            socket,
        })
    };
    listeners.iter().map(single).collect()
}

/// Sockets that another process handed over and nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Handed(Vec<BoundSocket>);

impl Handed {
    /// The socket for this place, if there is one. Of several for one place, as where the system
    /// chose the ports of two listeners, the first.
    pub(crate) fn take(
        &mut self,
        role: Role,
        address: SocketAddr,
        number: usize,
    ) -> Option<OwnedFd> {
        let place = (role, address, number);
        let found = self
            .0
            .iter()
            .position(|socket| (socket.role, socket.address, socket.number) == place)?;
        Some(self.0.remove(found).socket)
    }
}
