//! Sockets bound to one exact address: all of them before anything runs, or a reason why not.

use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

use crate::{StartError, sys};

/// Best effort, for each of the two directions: bursts of some thousands of queries.
const BUFFER_BYTES: i32 = 4 << 20;

/// How long a worker waits for a datagram before it looks at its stop flag.
pub(crate) const RECEIVE_WAIT: Duration = Duration::from_millis(100);

/// How long a full send queue may hold a worker up before the rest of a batch is given up.
const SEND_WAIT: Duration = Duration::from_millis(100);

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

/// Binds a TCP listener and that many UDP sockets to one address and port.
pub(crate) fn bind(address: SocketAddr, workers: usize) -> Result<Sockets, StartError> {
    let attempts = if address.port() == 0 {
        PORT_ATTEMPTS
    } else {
        1
    };
    let mut outcome = try_bind(address, workers);
    for _ in 1..attempts {
        match outcome {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                outcome = try_bind(address, workers);
            }
            _ => break,
        }
    }
    outcome.map_err(|error| StartError::bind(address, error))
}

fn try_bind(mut address: SocketAddr, workers: usize) -> io::Result<Sockets> {
    // TCP first: its port is exclusive, while a second server of the same user could join the
    // group of UDP sockets unnoticed and take half of the queries.
    let tcp = tcp_listener(address)?;
    address.set_port(tcp.local_addr()?.port());
    let udp = (0..workers)
        .map(|_| udp_socket(address))
        .collect::<io::Result<_>>()?;
    Ok(Sockets { address, udp, tcp })
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

fn udp_socket(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_reuse_port(true)?;
    socket.set_read_timeout(Some(RECEIVE_WAIT))?;
    socket.set_write_timeout(Some(SEND_WAIT))?;
    sys::ignore_path_mtu(&socket, address)?;
    if sys::force_buffer_sizes(&socket, BUFFER_BYTES).is_err() {
        // The kernel takes as much of this as net.core.rmem_max and wmem_max allow.
        socket.set_recv_buffer_size(BUFFER_BYTES as usize)?;
        socket.set_send_buffer_size(BUFFER_BYTES as usize)?;
    }
    prepare(&socket, address)?;
    Ok(socket.into())
}

fn prepare(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())
}
