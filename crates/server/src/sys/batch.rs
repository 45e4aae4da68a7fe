//! Batches of datagrams: received, answered in place and sent with one system call each. How the
//! kernel writes addresses is in `addresses`.

mod addresses;

use std::marker::PhantomData;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};
use std::{io, mem, slice};

use super::CACHE_LINE;

pub(crate) use addresses::Destination;
use addresses::{Control, Name, answer_from, destination, source};

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

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Query([u8; QUERY_MAX]);

/// For each slot, which address its datagram was sent to, as the kernel tells it and as it wants to
/// be told where the reply comes from.
type Controls = [Control; BATCH_MESSAGES];

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

    #[inline]
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

#[cfg(test)]
mod tests;
