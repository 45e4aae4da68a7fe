//! Socket options and thread affinity.

use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::{io, mem};

/// Has the kernel tell of each datagram which address it was sent to.
pub(crate) fn tell_destinations(socket: &impl AsRawFd, local: SocketAddr) -> io::Result<()> {
    let (level, option) = match local {
        SocketAddr::V4(_) => (libc::IPPROTO_IP, libc::IP_PKTINFO),
        SocketAddr::V6(_) => (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO),
    };
    set_option(socket.as_raw_fd(), level, option, 1)
}

/// Makes a UDP socket ignore path MTU news, which anyone can forge to make it send fragments, and
/// those can be spoofed (RFC 9715). A datagram goes out whole; with `whole` it also has the DF bit,
/// so that no router cuts it up, otherwise the machine itself cuts one that is longer than the
/// interface's own MTU. The routers of IPv6 cut nothing.
///
/// With the bit the kernel need not number datagrams, which is 2 % of the work for one.
pub(crate) fn ignore_path_mtu(
    socket: &impl AsRawFd,
    local: SocketAddr,
    whole: bool,
) -> io::Result<()> {
    let (level, option, value) = match local {
        SocketAddr::V4(_) if whole => (
            libc::IPPROTO_IP,
            libc::IP_MTU_DISCOVER,
            libc::IP_PMTUDISC_PROBE,
        ),
        SocketAddr::V4(_) => (
            libc::IPPROTO_IP,
            libc::IP_MTU_DISCOVER,
            libc::IP_PMTUDISC_OMIT,
        ),
        SocketAddr::V6(_) => (
            libc::IPPROTO_IPV6,
            libc::IPV6_MTU_DISCOVER,
            libc::IPV6_PMTUDISC_OMIT,
        ),
    };
    set_option(socket.as_raw_fd(), level, option, value)
}

/// Sets a socket's buffers beyond the system's limit; needs CAP_NET_ADMIN.
pub(crate) fn force_buffer_sizes(socket: &impl AsRawFd, bytes: i32) -> io::Result<()> {
    let fd = socket.as_raw_fd();
    set_option(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes)?;
    set_option(fd, libc::SOL_SOCKET, libc::SO_SNDBUFFORCE, bytes)
}

fn set_option(
    fd: RawFd,
    level: libc::c_int,
    option: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    let len = size_of_val(&value) as libc::socklen_t;
    // SAFETY: the value is an int that lives during the call, and the length is its own.
    match unsafe { libc::setsockopt(fd, level, option, (&raw const value).cast(), len) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Keeps the calling thread on that core.
pub(crate) fn pin_to(core: usize) -> io::Result<()> {
    if core >= libc::CPU_SETSIZE as usize {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // SAFETY: all-zero bytes are an empty cpu_set_t, `core` is within it, the size is its own,
    // and 0 means the calling thread.
    let result = unsafe {
        let mut set: libc::cpu_set_t = mem::zeroed();
        libc::CPU_SET(core, &mut set);
        libc::sched_setaffinity(0, size_of_val(&set), &raw const set)
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_core_that_does_not_exist_is_an_error() {
        assert!(pin_to(usize::MAX).is_err());
        assert!(pin_to(libc::CPU_SETSIZE as usize - 1).is_err());
    }
}
