//! Addresses as the kernel writes them beside a datagram: whom it came from, whom it was for.

use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// Whom a datagram was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Destination {
    /// The one address of the socket.
    Socket,
    /// This address of a socket of every address; the reply is sent from there.
    Address(IpAddr),
    /// Many machines, or nobody that the kernel named.
    Many,
}

impl Destination {
    /// The address asked, on a socket of that address.
    #[inline]
    pub(crate) fn or(self, socket: IpAddr) -> IpAddr {
        match self {
            Self::Address(address) => address,
            Self::Socket | Self::Many => socket,
        }
    }
}

/// A socket's address, of whichever family the length beside it says.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) union Name {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

/// Exactly one control message, of the only kind that is ever asked for.
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Control {
    header: libc::cmsghdr,
    info: PacketInfo,
}

#[derive(Clone, Copy)]
#[repr(C)]
union PacketInfo {
    v4: libc::in_pktinfo,
    v6: libc::in6_pktinfo,
}

// SAFETY: both only calculate.
const _: () = unsafe {
    assert!(mem::offset_of!(Control, info) == libc::CMSG_LEN(0) as usize);
    let longest = size_of::<libc::in6_pktinfo>() as libc::c_uint;
    assert!(size_of::<Control>() == libc::CMSG_SPACE(longest) as usize);
};

/// Whom the kernel names as the sender of a datagram; 0.0.0.0:0 if nobody.
#[inline]
pub(super) fn source(name: &Name, len: libc::socklen_t) -> SocketAddr {
    const V4: usize = size_of::<libc::sockaddr_in>();
    const V6: usize = size_of::<libc::sockaddr_in6>();
    match len as usize {
        V4 => {
            // SAFETY: any bytes are a sockaddr_in.
            let name = unsafe { name.v4 };
            let address = Ipv4Addr::from(name.sin_addr.s_addr.to_ne_bytes());
            SocketAddr::from((address, u16::from_be(name.sin_port)))
        }
        V6 => {
            // SAFETY: any bytes are a sockaddr_in6.
            let name = unsafe { name.v6 };
            let (address, port) = (name.sin6_addr.s6_addr, u16::from_be(name.sin6_port));
            SocketAddrV6::new(Ipv6Addr::from(address), port, 0, name.sin6_scope_id).into()
        }
        _ => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
    }
}

/// Whom the kernel says that a datagram was for.
#[inline]
pub(super) fn destination(control: &Control) -> Destination {
    let Control { header, info } = control;
    match (header.cmsg_level, header.cmsg_type) {
        (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
            // SAFETY: any bytes are an in_pktinfo.
            let info = unsafe { info.v4 };
            // The address in the packet, and the one of ours that it stands for: they differ for a
            // broadcast.
            if info.ipi_addr.s_addr != info.ipi_spec_dst.s_addr {
                return Destination::Many;
            }
            let address = Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes());
            Destination::Address(address.into())
        }
        (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
            // SAFETY: any bytes are an in6_pktinfo.
            let address = Ipv6Addr::from(unsafe { info.v6 }.ipi6_addr.s6_addr);
            if address.is_multicast() {
                return Destination::Many;
            }
            Destination::Address(address.into())
        }
        _ => Destination::Many,
    }
}

/// Turns what the kernel told of a datagram into what it is told of the reply: the same address as
/// source, and as interface the one that the routes say, as for any other socket. How long it is.
#[inline]
pub(super) fn answer_from(control: &mut Control) -> usize {
    let Control { header, info } = control;
    if header.cmsg_level == libc::IPPROTO_IPV6 {
        // SAFETY: any bytes are an in6_pktinfo.
        let info = unsafe { &mut info.v6 };
        // Outside its link such an address means nothing.
        if !Ipv6Addr::from(info.ipi6_addr.s6_addr).is_unicast_link_local() {
            info.ipi6_ifindex = 0;
        }
        // SAFETY: this only calculates.
        unsafe { libc::CMSG_SPACE(size_of::<libc::in6_pktinfo>() as libc::c_uint) as usize }
    } else {
        info.v4.ipi_ifindex = 0;
        // SAFETY: this only calculates.
        unsafe { libc::CMSG_SPACE(size_of::<libc::in_pktinfo>() as libc::c_uint) as usize }
    }
}
