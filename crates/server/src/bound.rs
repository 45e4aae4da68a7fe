//! All sockets of a configuration before anything runs on them: bound here, or handed over by the
//! process that had them before. How one is made is in `socket`.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use crate::config::{Config, Listener, StartError};
use crate::socket::{self, Sockets};

/// What a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Queries over UDP, one socket for each worker.
    Udp,
    /// Connections with queries over TCP, one socket for each address.
    Tcp,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 2] = [Self::Udp, Self::Tcp];

    /// Its name towards another process, perhaps of another version: never given to another role.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
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
            let sockets = socket::bind(address, config.workers_per_address, &mut handed)?;
            Ok::<_, StartError>((*listener, sockets))
        };
        let listeners = config
            .listeners
            .iter()
            .map(bind)
            .collect::<Result<_, _>>()?;
        Ok(Self { listeners })
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
        Ok(sockets)
    }

    /// The bound addresses, in the order of the listeners; ports chosen by the system included.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.listeners.iter().map(|(_, sockets)| sockets.address)
    }
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
