//! What the kernel knows of a TCP connection: how long its packets take there and back.

use std::os::fd::{AsFd, AsRawFd};
use std::{io, mem};

/// How a connection has been so far (Linux's TCP_INFO).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TcpInfo {
    /// The shortest round trip of the last minutes; none before the first.
    pub min_rtt_us: Option<u32>,
    /// The smoothed round trip, which delayed acknowledgements and queues make longer. 0 before the
    /// first.
    pub rtt_us: u32,
    /// Bytes that were sent and acknowledged.
    pub bytes_acked: u64,
    /// Segments with data that were sent, those sent again among them.
    pub data_segments: u32,
}

/// The beginning of the kernel's structure, which only ever grows at its end. libc's ends before
/// the shortest round trip.
#[repr(C)]
struct Raw {
    /// State, options and counters of retransmissions.
    bytes: [u8; 8],
    /// From the retransmission timeout to the slow start threshold of the receiver.
    before_rtt: [u32; 15],
    rtt: u32,
    /// From the variance of the round trip to the number of all retransmissions.
    before_rates: [u32; 8],
    pacing_rates: [u64; 2],
    bytes_acked: u64,
    bytes_received: u64,
    segments: [u32; 2],
    not_sent: u32,
    min_rtt: u32,
    data_segments_in: u32,
    data_segments_out: u32,
}

/// What stands in `min_rtt` while there was none.
const NONE_YET: u32 = u32::MAX;

impl TcpInfo {
    /// That of a TCP socket, as long as its descriptor is open: also when the connection has ended.
    pub fn of(socket: &impl AsFd) -> io::Result<Self> {
        let wanted = size_of::<Raw>() as libc::socklen_t;
        let mut len = wanted;
        // SAFETY: all-zero bytes are a `Raw`, which is integers alone; the kernel writes no more
        // than `len` bytes into it, which is its size, and both live during the call.
        let (result, raw) = unsafe {
            let mut raw: Raw = mem::zeroed();
            let result = libc::getsockopt(
                socket.as_fd().as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_INFO,
                (&raw mut raw).cast(),
                &raw mut len,
            );
            (result, raw)
        };
        if result != 0 {
            return Err(io::Error::last_os_error());
        }
        if len < wanted {
            // Linux before 4.6.
            return Err(io::ErrorKind::Unsupported.into());
        }
        Ok(Self {
            min_rtt_us: (raw.min_rtt != NONE_YET).then_some(raw.min_rtt),
            rtt_us: raw.rtt,
            bytes_acked: raw.bytes_acked,
            data_segments: raw.data_segments_out,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::mem::offset_of;
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    #[test]
    fn the_structure_is_the_kernels() {
        // As linux/tcp.h has it.
        assert_eq!(offset_of!(Raw, rtt), 68);
        assert_eq!(offset_of!(Raw, bytes_acked), 120);
        assert_eq!(offset_of!(Raw, min_rtt), 148);
        assert_eq!(size_of::<Raw>(), 160);
    }

    #[test]
    fn a_connection_tells_what_went_over_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        for _ in 0..3 {
            server.write_all(&[7; 1000]).unwrap();
            client.read_exact(&mut [0; 1000]).unwrap();
            // Takes the acknowledgement along.
            client.write_all(b"x").unwrap();
            server.read_exact(&mut [0]).unwrap();
        }
        drop(client);
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
        let info = TcpInfo::of(&server).unwrap();
        assert!(
            info.bytes_acked >= 3000 && info.data_segments >= 3,
            "{info:?}"
        );
        // Over loopback, on however busy a machine.
        let shortest = info.min_rtt_us.unwrap();
        assert!(shortest < 1_000_000 && shortest <= info.rtt_us, "{info:?}");
    }

    #[test]
    fn what_is_no_connection_has_none() {
        assert!(TcpInfo::of(&UdpSocket::bind("127.0.0.1:0").unwrap()).is_err());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let info = TcpInfo::of(&listener);
        assert!(info.is_ok_and(|info| info.min_rtt_us.is_none() || info.bytes_acked == 0));
    }
}
