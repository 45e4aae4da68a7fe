//! What a connection is made of: bytes in, bytes out, without waiting. TCP in the clear is this by
//! itself; TLS is in `tls`.

use std::future::Future;
use std::io;

use meridian_answer::Transport;
use tokio::net::TcpStream;

/// A stream of bytes in both directions.
///
/// What the last four functions do by themselves is right where nothing is held back, as in the
/// clear. Nothing here waits but `readable` and `writable`; as with sockets they may return for nothing,
/// and whoever is told `WouldBlock` waits for them.
pub(super) trait Wire: Send + Sync + 'static {
    /// How queries come that are heard over it.
    fn transport(idle: u16) -> Transport;

    /// Returns when there may be something to read.
    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// Returns when there may be room to write.
    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send;

    /// Appends what has come; how many bytes, 0 at the end.
    fn try_read(&mut self, into: &mut Vec<u8>) -> io::Result<usize>;

    /// Takes the beginning of `bytes`; how many of them.
    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Sends what was taken and has not left yet, as far as there is room.
    fn try_flush(&mut self) -> io::Result<()> {
        Ok(())
    }

    /// Whether something was taken and has not left yet.
    fn has_unsent(&self) -> bool {
        false
    }

    /// Whether the two sides are not ready for messages yet.
    fn is_handshaking(&self) -> bool {
        false
    }

    /// Says goodbye where that is the custom, if there is room.
    fn close(&mut self) {}
}

impl Wire for TcpStream {
    fn transport(idle: u16) -> Transport {
        Transport::Tcp { idle }
    }

    fn readable(&self) -> impl Future<Output = io::Result<()>> + Send {
        Self::readable(self)
    }

    fn writable(&self) -> impl Future<Output = io::Result<()>> + Send {
        Self::writable(self)
    }

    fn try_read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        self.try_read_buf(into)
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Self::try_write(self, bytes)
    }
}
