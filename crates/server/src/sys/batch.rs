//! Batches of datagrams: received, answered in place and sent with one system call each.

use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};
use std::{io, mem, slice};

use super::CACHE_LINE;

/// Datagrams per system call. Going from 16 to 64 an echo server gains 2 %, so more would gain less
/// still.
pub(crate) const BATCH_MESSAGES: usize = 64;

/// The longest query received whole: what fits an Ethernet frame. Longer ones would come in
/// fragments, which no resolver sends; the kernel marks them as truncated. The number is also an
/// odd multiple of the cache line, so that neighbouring buffers do not share cache sets.
pub(crate) const QUERY_MAX: usize = 1472;

/// Interrupted sends taken up again per batch; nothing here installs a signal handler, so more
/// would be a storm.
const INTERRUPTIONS_MAX: usize = 8;

const _: () = assert!(QUERY_MAX % (2 * CACHE_LINE) == CACHE_LINE);

/// Room for a batch of datagrams and their replies, with everything the kernel needs to fill and
/// send them, allocated once. Belongs to one thread and to sockets of one address family.
#[derive(Debug)]
pub(crate) struct Batch {
    storage: NonNull<Storage>,
    /// Only for sockets of every address.
    controls: Option<NonNull<Controls>>,
    replies: NonNull<u8>,
    reply_max: usize,
    reply_stride: usize,
    name_len: libc::socklen_t,
    received: usize,
}

/// What the kernel sees. Headers, vectors and buffers point at one another, so the whole is only
/// ever used through `Batch::storage`, never through a reference that would claim it all.
struct Storage {
    receive: [libc::mmsghdr; BATCH_MESSAGES],
    send: [libc::mmsghdr; BATCH_MESSAGES],
    receive_vectors: [libc::iovec; BATCH_MESSAGES],
    send_vectors: [libc::iovec; BATCH_MESSAGES],
    names: [Name; BATCH_MESSAGES],
    queries: [Query; BATCH_MESSAGES],
}

/// For each slot, which address its datagram was sent to, as the kernel tells it and as it wants to
/// be told where the reply comes from.
type Controls = [Control; BATCH_MESSAGES];

/// Exactly one control message, of the only kind that is ever asked for.
#[derive(Clone, Copy)]
#[repr(C)]
struct Control {
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

#[derive(Clone, Copy)]
#[repr(C)]
union Name {
    v4: libc::sockaddr_in,
    v6: libc::sockaddr_in6,
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Query([u8; QUERY_MAX]);

/// A received datagram and the room for its reply.
#[derive(Debug)]
pub(crate) struct Datagram<'a> {
    pub(crate) slot: Slot,
    /// 0.0.0.0:0 if the kernel named none.
    pub(crate) source: SocketAddr,
    pub(crate) destination: Destination,
    /// The beginning of it if `truncated`.
    pub(crate) query: &'a [u8],
    pub(crate) truncated: bool,
    pub(crate) reply: &'a mut [u8],
}

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

/// A datagram's place in its batch; always less than [`BATCH_MESSAGES`].
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Slot(u8);

/// A reply to send: the first `len` bytes of that slot's room.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Reply {
    pub(crate) slot: Slot,
    pub(crate) len: u16,
}

/// Whether to wait for the first datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// As long as the socket's receive timeout; further ones only if they are there.
    ForOne,
    No,
}

impl Batch {
    /// Room for replies of up to `reply_max` bytes, on sockets of the family of `local`. If that is
    /// every address of the machine, their [`tell_destinations`](super::tell_destinations) must be on.
    pub(crate) fn new(local: SocketAddr, reply_max: usize) -> Self {
        // As with queries, an odd number of cache lines.
        let reply_stride = (reply_max.div_ceil(CACHE_LINE) | 1) * CACHE_LINE;
        let replies = Box::into_raw(vec![0_u8; reply_stride * BATCH_MESSAGES].into_boxed_slice());
        // SAFETY: all-zero bytes are valid headers, vectors, socket addresses and byte arrays.
        let storage = Box::into_raw(unsafe { Box::<Storage>::new_zeroed().assume_init() });
        let controls = local.ip().is_unspecified().then(|| {
            // SAFETY: all-zero bytes are valid control messages.
            Box::into_raw(unsafe { Box::<Controls>::new_zeroed().assume_init() })
        });
        let name_len = match local {
            SocketAddr::V4(_) => size_of::<libc::sockaddr_in>(),
            SocketAddr::V6(_) => size_of::<libc::sockaddr_in6>(),
        };
        let mut batch = Self {
            storage: NonNull::new(storage).expect("boxes are not null"),
            controls: controls.and_then(NonNull::new),
            replies: NonNull::new(replies.cast()).expect("boxes are not null"),
            reply_max,
            reply_stride,
            name_len: name_len as libc::socklen_t,
            received: 0,
        };
        for index in 0..BATCH_MESSAGES {
            batch.connect(index);
        }
        batch
    }

    /// Points the headers of one slot at its buffers.
    fn connect(&mut self, index: usize) {
        assert!(index < BATCH_MESSAGES);
        let storage = self.storage.as_ptr();
        // SAFETY: `storage` is allocated and initialised, `index` is within its arrays and
        // `reply_stride` times `index` within the replies; no reference into either exists.
        unsafe {
            let receive_vector = &raw mut (*storage).receive_vectors[index];
            (*receive_vector).iov_base = (&raw mut (*storage).queries[index]).cast();
            (*receive_vector).iov_len = QUERY_MAX;
            let send_vector = &raw mut (*storage).send_vectors[index];
            (*send_vector).iov_base = self.replies.as_ptr().add(index * self.reply_stride).cast();
            let receive = &raw mut (*storage).receive[index].msg_hdr;
            (*receive).msg_name = (&raw mut (*storage).names[index]).cast();
            (*receive).msg_namelen = self.name_len;
            (*receive).msg_iov = receive_vector;
            (*receive).msg_iovlen = 1;
            if let Some(controls) = self.controls {
                let control = &raw mut (*controls.as_ptr())[index];
                (*receive).msg_control = control.cast();
                (*receive).msg_controllen = size_of::<Control>() as _;
            }
            (*storage).send[index].msg_hdr.msg_namelen = self.name_len;
            (*storage).send[index].msg_hdr.msg_iovlen = 1;
        }
    }

    /// Fills the batch from the socket; how many datagrams there are.
    ///
    /// Fails with `WouldBlock` when none came in time and with `Interrupted` after a signal.
    pub(crate) fn receive(&mut self, socket: &UdpSocket, wait: Wait) -> io::Result<usize> {
        let storage = self.storage.as_ptr();
        for index in 0..mem::take(&mut self.received) {
            // The kernel wrote the lengths of what it had there.
            // SAFETY: `received` was at most BATCH_MESSAGES, and no reference into it exists.
            unsafe {
                let header = &raw mut (*storage).receive[index].msg_hdr;
                (*header).msg_namelen = self.name_len;
                if self.controls.is_some() {
                    (*header).msg_controllen = size_of::<Control>() as _;
                }
            }
        }
        let flags = match wait {
            Wait::ForOne => libc::MSG_WAITFORONE,
            Wait::No => libc::MSG_DONTWAIT,
        };
        // SAFETY: the headers point at names and buffers of the lengths they state, all owned by
        // `self`, which is borrowed mutably, so that no slice of them exists.
        let count = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                (&raw mut (*storage).receive).cast(),
                BATCH_MESSAGES as libc::c_uint,
                flags as _,
                ptr::null_mut(),
            )
        };
        self.received = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        Ok(self.received)
    }

    /// The datagrams of the last [`receive`](Self::receive), in the order of their coming.
    pub(crate) fn datagrams(&mut self) -> Datagrams<'_> {
        Datagrams {
            batch: self,
            next: 0,
            received: self.received,
            lifetime: PhantomData,
        }
    }

    /// Sends these replies to whom the datagrams in their slots came from; how many the kernel
    /// took.
    ///
    /// A reply that fails is skipped; when the socket's send timeout passes, so are the rest.
    pub(crate) fn send(&mut self, socket: &UdpSocket, replies: &[Reply]) -> usize {
        let replies = &replies[..replies.len().min(BATCH_MESSAGES)];
        for (index, reply) in replies.iter().enumerate() {
            self.address(index, *reply);
        }
        let storage = self.storage.as_ptr();
        let (mut next, mut sent, mut interruptions) = (0, 0, 0);
        while next < replies.len() {
            // SAFETY: the headers from `next` on were written just above and point at names and
            // replies owned by `self`, of at least the lengths they state.
            let count = unsafe {
                let first = (&raw mut (*storage).send).cast::<libc::mmsghdr>().add(next);
                let remaining = (replies.len() - next) as libc::c_uint;
                libc::sendmmsg(socket.as_raw_fd(), first, remaining, 0)
            };
            if let Ok(count @ 1..) = usize::try_from(count) {
                next += count;
                sent += count;
                continue;
            }
            match io::Error::last_os_error().kind() {
                io::ErrorKind::Interrupted if interruptions < INTERRUPTIONS_MAX => {
                    interruptions += 1;
                }
                // The queue has been full for the whole timeout: the others would fare no better.
                io::ErrorKind::WouldBlock => break,
                // This address cannot be reached, or is not permitted, just now.
                _ => next += 1,
            }
        }
        sent
    }

    /// Makes the send header at `index` carry that reply.
    fn address(&mut self, index: usize, reply: Reply) {
        let slot = usize::from(reply.slot.0);
        let len = usize::from(reply.len);
        assert!(index < BATCH_MESSAGES && slot < BATCH_MESSAGES && len <= self.reply_max);
        let storage = self.storage.as_ptr();
        // SAFETY: both indices are within the arrays, the length within the slot's room, and no
        // reference into the storage exists.
        unsafe {
            (*storage).send_vectors[slot].iov_len = len;
            let header = &raw mut (*storage).send[index].msg_hdr;
            (*header).msg_name = (&raw mut (*storage).names[slot]).cast();
            (*header).msg_iov = &raw mut (*storage).send_vectors[slot];
            if let Some(controls) = self.controls {
                let control = &raw mut (*controls.as_ptr())[slot];
                (*header).msg_control = control.cast();
                (*header).msg_controllen = answer_from(&mut *control) as _;
            }
        }
    }
}

impl Drop for Batch {
    fn drop(&mut self) {
        let replies = ptr::slice_from_raw_parts_mut(
            self.replies.as_ptr(),
            self.reply_stride * BATCH_MESSAGES,
        );
        // SAFETY: all came from `Box::into_raw` in `new`, the second with this length, and no
        // borrow outlives `self`.
        unsafe {
            drop(Box::from_raw(self.storage.as_ptr()));
            drop(Box::from_raw(replies));
            if let Some(controls) = self.controls {
                drop(Box::from_raw(controls.as_ptr()));
            }
        }
    }
}

/// Iterator of [`Batch::datagrams`]; each item borrows its own slot.
#[derive(Debug)]
pub(crate) struct Datagrams<'a> {
    batch: *const Batch,
    next: usize,
    received: usize,
    lifetime: PhantomData<&'a mut Batch>,
}

impl<'a> Iterator for Datagrams<'a> {
    type Item = Datagram<'a>;

    fn next(&mut self) -> Option<Datagram<'a>> {
        let index = self.next;
        if index >= self.received {
            return None;
        }
        self.next += 1;
        // SAFETY: the batch is borrowed for 'a, during which only this iterator uses it. `index`
        // is less than `received` and so within the arrays. Each slot is visited once, so that
        // its reply is borrowed once; queries, headers and names are only read.
        unsafe {
            let batch = &*self.batch;
            let storage = batch.storage.as_ptr();
            let header = &raw const (*storage).receive[index];
            let query = (&raw const (*storage).queries[index]).cast::<u8>();
            let reply = batch.replies.as_ptr().add(index * batch.reply_stride);
            let destination = match batch.controls {
                None => Destination::Socket,
                // Otherwise the message is that of an earlier datagram.
                Some(controls) if (*header).msg_hdr.msg_controllen > 0 => {
                    destination(&(*controls.as_ptr())[index])
                }
                Some(_) => Destination::Many,
            };
            Some(Datagram {
                slot: Slot(index as u8),
                source: source(&(*storage).names[index], (*header).msg_hdr.msg_namelen),
                destination,
                query: slice::from_raw_parts(query, QUERY_MAX.min((*header).msg_len as usize)),
                truncated: (*header).msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
                reply: slice::from_raw_parts_mut(reply, batch.reply_max),
            })
        }
    }
}

fn source(name: &Name, len: libc::socklen_t) -> SocketAddr {
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

fn destination(control: &Control) -> Destination {
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
fn answer_from(control: &mut Control) -> usize {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sys::tell_destinations;

    fn socket(local: &str) -> UdpSocket {
        let socket = UdpSocket::bind(local).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        socket
    }

    /// A batch with these datagrams in it, received by a socket at `local`.
    fn received(local: &str, queries: &[&[u8]]) -> (Batch, UdpSocket, UdpSocket) {
        let (server, client) = (socket(local), socket(local));
        let address = server.local_addr().unwrap();
        for query in queries {
            client.send_to(query, address).unwrap();
        }
        let mut batch = Batch::new(address, 65_535);
        assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), queries.len());
        (batch, server, client)
    }

    #[test]
    fn datagrams_come_as_sent_with_their_source() {
        for local in ["127.0.0.1:0", "[::1]:0"] {
            let longest = [7; QUERY_MAX];
            let too_long = [8; QUERY_MAX + 1];
            let queries: [&[u8]; 4] = [b"first", b"", &longest, &too_long];
            let (mut batch, _server, client) = received(local, &queries);
            assert_eq!(batch.datagrams().count(), queries.len());
            for (datagram, query) in batch.datagrams().zip(queries) {
                assert_eq!(datagram.source, client.local_addr().unwrap());
                assert_eq!(datagram.truncated, query.len() > QUERY_MAX);
                assert_eq!(datagram.query, &query[..query.len().min(QUERY_MAX)]);
                assert_eq!(datagram.reply.len(), 65_535);
            }
        }
    }

    #[test]
    fn a_socket_of_every_address_answers_from_the_one_that_was_asked() {
        let server = socket("0.0.0.0:0");
        let local = server.local_addr().unwrap();
        tell_destinations(&server, local).unwrap();
        let mut batch = Batch::new(local, 512);
        // More than once, as the kernel and we write to the same control messages.
        for round in 0..3 {
            let clients: Vec<UdpSocket> = (1..=5).map(|_| socket("127.0.0.1:0")).collect();
            let asked = |number: usize| Ipv4Addr::new(127, 0, round, number as u8 + 1);
            for (number, client) in clients.iter().enumerate() {
                // A connected socket hears nobody else.
                client.connect((asked(number), local.port())).unwrap();
                client.send(&[number as u8]).unwrap();
            }
            assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), clients.len());
            let mut replies = Vec::new();
            for datagram in batch.datagrams() {
                let number = datagram.query[0];
                let expected = Destination::Address(asked(number.into()).into());
                assert_eq!(datagram.destination, expected);
                datagram.reply[0] = number;
                replies.insert(
                    0,
                    Reply {
                        slot: datagram.slot,
                        len: 1,
                    },
                );
            }
            assert_eq!(batch.send(&server, &replies), clients.len());
            for (number, client) in clients.iter().enumerate() {
                let mut reply = [0];
                assert_eq!(client.recv(&mut reply).unwrap(), 1);
                assert_eq!(usize::from(reply[0]), number);
            }
        }
    }

    #[test]
    fn datagrams_to_many_are_told_apart() {
        let server = socket("0.0.0.0:0");
        let local = server.local_addr().unwrap();
        tell_destinations(&server, local).unwrap();
        let client = socket("127.0.0.1:0");
        client.set_broadcast(true).unwrap();
        client
            .send_to(b"a", ("127.255.255.255", local.port()))
            .unwrap();
        let mut batch = Batch::new(local, 512);
        assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), 1);
        let datagram = batch.datagrams().next().unwrap();
        assert_eq!(datagram.destination, Destination::Many);
    }

    #[test]
    fn a_socket_of_every_address_of_the_sixth_version_tells_them_too() {
        let server = socket("[::]:0");
        let local = server.local_addr().unwrap();
        tell_destinations(&server, local).unwrap();
        let client = socket("[::1]:0");
        client.connect(("::1", local.port())).unwrap();
        client.send(b"a").unwrap();
        let mut batch = Batch::new(local, 512);
        assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), 1);
        let datagram = batch.datagrams().next().unwrap();
        let expected = Destination::Address(Ipv6Addr::LOCALHOST.into());
        assert_eq!(datagram.destination, expected);
        let reply = Reply {
            slot: datagram.slot,
            len: 3,
        };
        assert_eq!(batch.send(&server, &[reply]), 1);
        assert_eq!(client.recv(&mut [0; 10]).unwrap(), 3);
    }

    #[test]
    fn a_batch_can_be_filled_again() {
        let (mut batch, server, client) = received("127.0.0.1:0", &[b"a", b"b"]);
        let empty = batch.receive(&server, Wait::No).unwrap_err();
        assert_eq!(empty.kind(), io::ErrorKind::WouldBlock);
        assert_eq!(batch.datagrams().count(), 0);
        client.send_to(b"c", server.local_addr().unwrap()).unwrap();
        assert_eq!(batch.receive(&server, Wait::ForOne).unwrap(), 1);
        let datagram = batch.datagrams().next().unwrap();
        assert_eq!(
            (datagram.query, datagram.source),
            (&b"c"[..], client.local_addr().unwrap())
        );
    }

    #[test]
    fn a_reply_that_the_kernel_refuses_is_skipped() {
        let (mut batch, server, client) = received("127.0.0.1:0", &[b"a", b"b", b"c"]);
        let mut replies = Vec::new();
        // The second is longer than a datagram can be.
        for (datagram, len) in batch.datagrams().zip([1, u16::MAX, 1]) {
            datagram.reply[0] = datagram.query[0];
            replies.push(Reply {
                slot: datagram.slot,
                len,
            });
        }
        assert_eq!(batch.send(&server, &replies), 2);
        for expected in [b"a", b"c"] {
            let mut reply = [0; 10];
            assert_eq!(client.recv(&mut reply).unwrap(), 1);
            assert_eq!(&reply[..1], expected);
        }
    }
}
