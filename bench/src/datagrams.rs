//! Batches of datagrams by recvmmsg and sendmmsg: as little work per datagram as Linux allows, so
//! that the echo is a ceiling and the load generator cheaper than what it measures.
#![expect(unsafe_code, reason = "recvmmsg and sendmmsg exist only in libc")]

use std::io;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::ptr::{self, NonNull};

/// Datagrams per system call.
pub const BATCH: usize = 64;
/// The longest datagram taken. An odd number of cache lines, so that neighbouring buffers do not
/// share cache sets.
pub const MAX_LEN: usize = 1472;

/// Asked of the kernel for each direction, as the server does.
const SOCKET_BUFFER: libc::c_int = 4 << 20;

/// Whether receiving waits for the first datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// As long as the socket does.
    ForOne,
    /// Not at all.
    No,
}

/// Room for one batch, reused for ever: it is never freed.
pub struct Batch {
    /// Headers point at vectors, names and buffers, so the whole is reached through this pointer
    /// only, never through a reference that would claim it all.
    storage: NonNull<Storage>,
    size: usize,
    /// Places whose header the kernel or a sender has changed since the last receive.
    used: usize,
}

struct Storage {
    headers: [libc::mmsghdr; BATCH],
    vectors: [libc::iovec; BATCH],
    names: [libc::sockaddr_in; BATCH],
    buffers: [[u8; MAX_LEN]; BATCH],
}

const NAME_LEN: libc::socklen_t = size_of::<libc::sockaddr_in>() as libc::socklen_t;

impl Batch {
    /// Room for at most `size` datagrams, no more than [`BATCH`].
    #[must_use]
    pub fn new(size: usize, peer: Peer) -> Self {
        // SAFETY: all-zero bytes are valid headers, vectors, addresses and buffers.
        let storage = Box::into_raw(unsafe { Box::<Storage>::new_zeroed().assume_init() });
        for place in 0..BATCH {
            // SAFETY: `storage` is allocated, nobody else has it, and `place` is within its arrays.
            unsafe {
                let vector = &raw mut (*storage).vectors[place];
                (*vector).iov_base = (&raw mut (*storage).buffers[place]).cast();
                (*vector).iov_len = MAX_LEN;
                let header = &raw mut (*storage).headers[place].msg_hdr;
                (*header).msg_iov = vector;
                (*header).msg_iovlen = 1;
                if peer == Peer::Any {
                    (*header).msg_name = (&raw mut (*storage).names[place]).cast();
                    (*header).msg_namelen = NAME_LEN;
                }
            }
        }
        Self {
            storage: NonNull::new(storage).expect("boxes are not null"),
            size: size.clamp(1, BATCH),
            used: 0,
        }
    }

    /// Receives what is there; how many datagrams.
    ///
    /// # Errors
    /// `WouldBlock` when nothing is there, and whatever else the kernel says.
    pub fn receive(&mut self, socket: &UdpSocket, wait: Wait) -> io::Result<usize> {
        for place in 0..self.used {
            let storage = self.storage.as_ptr();
            // SAFETY: `used` is at most BATCH, and no reference into the storage exists.
            unsafe {
                (*storage).vectors[place].iov_len = MAX_LEN;
                let header = &raw mut (*storage).headers[place].msg_hdr;
                if !(*header).msg_name.is_null() {
                    (*header).msg_namelen = NAME_LEN;
                }
            }
        }
        let flags = match wait {
            Wait::ForOne => libc::MSG_WAITFORONE,
            Wait::No => libc::MSG_DONTWAIT,
        };
        // SAFETY: the headers point at room of the lengths they state, which `self` owns; no
        // reference into it exists.
        let received = unsafe {
            let headers = (&raw mut (*self.storage.as_ptr()).headers).cast();
            let size = self.size as libc::c_uint;
            libc::recvmmsg(
                socket.as_raw_fd(),
                headers,
                size,
                flags as _,
                ptr::null_mut(),
            )
        };
        self.used = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
        Ok(self.used)
    }

    /// The bytes of a datagram of the last [`receive`](Self::receive).
    #[must_use]
    pub fn datagram(&self, place: usize) -> &[u8] {
        let storage = self.storage.as_ptr();
        // SAFETY: the index is checked, and only `&mut self` writes.
        unsafe {
            let len = (*storage).headers[place].msg_len as usize;
            let buffer: &[u8; MAX_LEN] = &(*storage).buffers[place];
            &buffer[..len.min(MAX_LEN)]
        }
    }

    /// Where the next datagram to send at this place is written.
    pub fn buffer(&mut self, place: usize) -> &mut [u8; MAX_LEN] {
        // SAFETY: the index is checked, and the borrow of `self` keeps others out.
        unsafe { &mut (*self.storage.as_ptr()).buffers[place] }
    }

    /// Sends the last batch back to where it came from, as it came.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn send_back(&mut self, socket: &UdpSocket) -> io::Result<()> {
        let storage = self.storage.as_ptr();
        for place in 0..self.used {
            // SAFETY: `used` is at most BATCH, and no reference into the storage exists.
            unsafe {
                let len = (*storage).headers[place].msg_len as usize;
                (*storage).vectors[place].iov_len = len.min(MAX_LEN);
            }
        }
        self.send_all(socket)
    }

    /// Sends the first buffers, with these lengths, to whom the socket is connected to.
    ///
    /// # Errors
    /// Whatever the kernel says.
    pub fn send(&mut self, socket: &UdpSocket, lens: &[usize]) -> io::Result<()> {
        for (place, len) in lens.iter().enumerate() {
            // SAFETY: the index is checked, and no reference into the storage exists.
            unsafe {
                (*self.storage.as_ptr()).vectors[place].iov_len = (*len).min(MAX_LEN);
            }
        }
        self.used = lens.len();
        self.send_all(socket)
    }

    fn send_all(&mut self, socket: &UdpSocket) -> io::Result<()> {
        let mut next = 0;
        while next < self.used {
            // SAFETY: `used` is at most BATCH, and each header points at bytes of the length it
            // states.
            let sent = unsafe {
                let headers = (&raw mut (*self.storage.as_ptr()).headers).cast::<libc::mmsghdr>();
                let count = (self.used - next) as libc::c_uint;
                libc::sendmmsg(socket.as_raw_fd(), headers.add(next), count, 0)
            };
            next += usize::try_from(sent).map_err(|_| io::Error::last_os_error())?;
        }
        Ok(())
    }
}

/// Whom a batch is exchanged with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Peer {
    /// Whoever sends something.
    Any,
    /// The one that the socket is connected to.
    Connected,
}

/// Gives a socket large buffers, as far as the kernel permits.
pub fn grow_buffers(socket: &UdpSocket) {
    let options = [
        (libc::SO_RCVBUFFORCE, libc::SO_RCVBUF),
        (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF),
    ];
    for (force, ask) in options {
        // Forcing needs CAP_NET_ADMIN; asking is capped silently.
        if set_option(socket, force).is_err() {
            let _ = set_option(socket, ask);
        }
    }
}

fn set_option(socket: &UdpSocket, option: libc::c_int) -> io::Result<()> {
    let value = SOCKET_BUFFER;
    let len = size_of_val(&value) as libc::socklen_t;
    let fd = socket.as_raw_fd();
    // SAFETY: the value is an int that lives during the call, and the length is its own.
    match unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, (&raw const value).cast(), len) }
    {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_comes_back() {
        let server = UdpSocket::bind("127.0.0.1:0").unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").unwrap();
        client.connect(server.local_addr().unwrap()).unwrap();
        let (mut ours, mut theirs) = (Batch::new(BATCH, Peer::Connected), Batch::new(4, Peer::Any));
        ours.buffer(0)[..3].copy_from_slice(b"abc");
        ours.buffer(1)[..1].copy_from_slice(b"d");
        ours.send(&client, &[3, 1]).unwrap();
        assert_eq!(theirs.receive(&server, Wait::ForOne).unwrap(), 2);
        theirs.send_back(&server).unwrap();
        assert_eq!(ours.receive(&client, Wait::ForOne).unwrap(), 2);
        assert_eq!(
            (ours.datagram(0), ours.datagram(1)),
            (&b"abc"[..], &b"d"[..])
        );
        let nothing = ours.receive(&client, Wait::No).unwrap_err();
        assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    }
}
