//! The sockets of one address: bound, or taken over and made sure of; or a reason why not.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::OwnedFd;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::bound::{Handed, Role};
use crate::{Config, StartError, sys};

/// Best effort, for each of the two directions: bursts of some thousands of queries.
const BUFFER_BYTES: i32 = 4 << 20;

/// How long a worker waits for a datagram before it looks at its stop flag.
pub(crate) const RECEIVE_WAIT: Duration = Duration::from_millis(100);

/// How long a full send queue may hold a worker up before the rest of a batch is given up.
const SEND_WAIT: Duration = Duration::from_millis(100);

/// The longest UDP reply that is sent whole or not at all, in bytes: it passes every link that
/// carries IPv6.
const WHOLE_MAX: u16 = 1232;

/// Connections the kernel holds ready to be taken.
const BACKLOG: i32 = 1024;

/// Ports tried when the system chooses: one that is free for TCP may be taken for UDP.
const PORT_ATTEMPTS: usize = 16;

/// The sockets of one address.
#[derive(Debug)]
pub(crate) struct Sockets {
    pub(crate) address: SocketAddr,
    pub(crate) udp: Vec<UdpSocket>,
    pub(crate) tcp: TcpListener,
}

/// A TCP listener and UDP sockets for all workers on one address and port: handed over, or else
/// bound.
pub(crate) fn bind(
    address: SocketAddr,
    config: &Config,
    handed: &mut Handed,
) -> Result<Sockets, StartError> {
    if let Some(tcp) = handed.take(Role::Tcp, address, 0) {
        let taken = take_over(address, config, tcp, handed);
        return taken.map_err(|error| StartError::bind(address, error));
    }
    let attempts = if address.port() == 0 {
        PORT_ATTEMPTS
    } else {
        1
    };
    let mut outcome = try_bind(address, config);
    for _ in 1..attempts {
        match outcome {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                outcome = try_bind(address, config);
            }
            _ => break,
        }
    }
    outcome.map_err(|error| StartError::bind(address, error))
}

/// A single TCP listener and the address it is on: handed over, or else bound.
pub(crate) fn bind_tcp(
    address: SocketAddr,
    role: Role,
    handed: &mut Handed,
) -> Result<(SocketAddr, TcpListener), StartError> {
    let mut bind = || {
        let Some(taken) = handed.take(role, address, 0) else {
            return tcp_listener(address);
        };
        let socket = Socket::from(taken);
        check(&socket, Type::STREAM, with_port(address, &socket)?)?;
        socket.set_nonblocking(true)?;
        Ok(socket.into())
    };
    let bound = bind().and_then(|socket: TcpListener| Ok((socket.local_addr()?, socket)));
    bound.map_err(|error| StartError::bind(address, error))
}

/// A single UDP socket and the address it is on: handed over, or else bound. How it receives is
/// its user's to arrange, its buffers aside.
pub(crate) fn bind_udp(
    address: SocketAddr,
    role: Role,
    handed: &mut Handed,
) -> Result<(SocketAddr, UdpSocket), StartError> {
    let mut bind = || {
        let socket = match handed.take(role, address, 0) {
            Some(taken) => {
                let socket = Socket::from(taken);
                check(&socket, Type::DGRAM, with_port(address, &socket)?)?;
                socket
            }
            None => {
                let domain = Domain::for_address(address);
                let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
                prepare(&socket, address)?;
                socket
            }
        };
        enlarge_buffers(&socket)?;
        Ok(socket.into())
    };
    let bound = bind().and_then(|socket: UdpSocket| Ok((socket.local_addr()?, socket)));
    bound.map_err(|error| StartError::bind(address, error))
}

/// The configured address, with the port that the system chose for the socket if it was to.
fn with_port(mut configured: SocketAddr, socket: &Socket) -> io::Result<SocketAddr> {
    if configured.port() == 0 {
        configured.set_port(local_address(socket)?.port());
    }
    Ok(configured)
}

fn try_bind(mut address: SocketAddr, config: &Config) -> io::Result<Sockets> {
    // TCP first: its port is exclusive, while a second server of the same user could join the
    // group of UDP sockets unnoticed and take half of the queries.
    let tcp = tcp_listener(address)?;
    address.set_port(tcp.local_addr()?.port());
    let udp = (0..config.workers_per_address)
        .map(|_| udp_socket(address, config))
        .collect::<io::Result<_>>()?;
    Ok(Sockets { address, udp, tcp })
}

/// Sockets of another process, and new ones where this one has more workers. One that the other
/// had and nobody takes here is closed, with what it holds.
fn take_over(
    configured: SocketAddr,
    config: &Config,
    tcp: OwnedFd,
    handed: &mut Handed,
) -> io::Result<Sockets> {
    let tcp = Socket::from(tcp);
    let address = with_port(configured, &tcp)?;
    check(&tcp, Type::STREAM, address)?;
    tcp.set_nonblocking(true)?;
    let udp = |number| match handed.take(Role::Udp, configured, number) {
        Some(udp) => {
            let udp = Socket::from(udp);
            check(&udp, Type::DGRAM, address)?;
            adjust_udp(&udp, address, config)?;
            Ok(udp.into())
        }
        None => udp_socket(address, config),
    };
    let udp = (0..config.workers_per_address)
        .map(udp)
        .collect::<io::Result<_>>()?;
    Ok(Sockets {
        address,
        udp,
        tcp: tcp.into(),
    })
}

/// Whether a socket is what the process that handed it over says.
fn check(socket: &Socket, kind: Type, address: SocketAddr) -> io::Result<()> {
    let (found, local) = (socket.r#type()?, local_address(socket)?);
    if (found, local) == (kind, address) {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::InvalidData,
        format!("the socket handed over is one of type {found:?} on {local}"),
    ))
}

fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?.as_socket();
    address.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not an internet socket"))
}

fn tcp_listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    // A restart must not wait for the connections of the last run to be forgotten.
    socket.set_reuse_address(true)?;
    prepare(&socket, address)?;
    socket.set_nonblocking(true)?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn udp_socket(address: SocketAddr, config: &Config) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_reuse_port(true)?;
    adjust_udp(&socket, address, config)?;
    prepare(&socket, address)?;
    Ok(socket.into())
}

/// Sets what may also be set on a socket that is bound: another version may want it otherwise.
fn adjust_udp(socket: &Socket, address: SocketAddr, config: &Config) -> io::Result<()> {
    socket.set_read_timeout(Some(RECEIVE_WAIT))?;
    socket.set_write_timeout(Some(SEND_WAIT))?;
    sys::ignore_path_mtu(socket, address, config.max_udp_payload <= WHOLE_MAX)?;
    if address.ip().is_unspecified() {
        sys::tell_destinations(socket, address)?;
    }
    enlarge_buffers(socket)
}

fn enlarge_buffers(socket: &Socket) -> io::Result<()> {
    if sys::force_buffer_sizes(socket, BUFFER_BYTES).is_err() {
        // The kernel takes as much of this as net.core.rmem_max and wmem_max allow.
        socket.set_recv_buffer_size(BUFFER_BYTES as usize)?;
        socket.set_send_buffer_size(BUFFER_BYTES as usize)?;
    }
    Ok(())
}

fn prepare(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())
}
