//! TLS over a TCP stream (RFC 7858), driven by hand: a connection that waits holds no task of its
//! own, and what TLS buffers counts as the connection's.
//!
//! Which certificate is shown is not decided here.

use std::io::{self, BufRead, IoSlice, Read, Write};
use std::sync::Arc;

use meridian_answer::Transport;
use rustls::{ServerConfig, ServerConnection};
use tokio::net::TcpStream;

use super::wire::Wire;

/// Reads of the socket for one of ours: records without content, which a client may send as many
/// of as it likes, must not keep the thread.
const READS_MAX: usize = 16;

/// A TLS session and the socket below it.
pub(super) struct TlsStream {
    socket: TcpStream,
    session: Box<ServerConnection>,
}

impl TlsStream {
    pub(super) fn new(socket: TcpStream, config: Arc<ServerConfig>) -> io::Result<Self> {
        let session = ServerConnection::new(config).map_err(io::Error::other)?;
        Ok(Self {
            socket,
            session: Box::new(session),
        })
    }

    /// Appends all content that has been decrypted, at most some records' worth; none if there is
    /// none yet, and 0 bytes at the end.
    fn take_content(&mut self, into: &mut Vec<u8>) -> io::Result<Option<usize>> {
        let mut taken = 0;
        let mut reader = self.session.reader();
        // Each turn takes a record's content, and what is held of that is limited.
        loop {
            match reader.fill_buf() {
                Ok([]) => return Ok(Some(taken)),
                Ok(content) => {
                    let len = content.len();
                    into.extend_from_slice(content);
                    reader.consume(len);
                    taken += len;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok((taken > 0).then_some(taken));
                }
                Err(error) => return Err(error),
            }
        }
    }
}

impl Wire for TlsStream {
    fn transport(idle: u16) -> Transport {
        Transport::Tls { idle }
    }

    async fn readable(&self) -> io::Result<()> {
        // `try_read` leaves no content behind, so that only the socket can have more.
        self.socket.readable().await
    }

    async fn writable(&self) -> io::Result<()> {
        self.socket.writable().await
    }

    fn try_read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        for _ in 0..READS_MAX {
            // What the peer's words call for goes out before more of them is heard.
            self.try_flush()?;
            let len = self.session.read_tls(&mut Socket(&self.socket))?;
            if let Err(error) = self.session.process_new_packets() {
                // It says why; whether the peer hears it does not matter.
                let _ = self.try_flush();
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
            if let Some(taken) = self.take_content(into)? {
                return Ok(taken);
            }
            if len == 0 {
                return Ok(0);
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.try_flush()?;
        self.session.writer().write(bytes)
    }

    fn try_flush(&mut self) -> io::Result<()> {
        // Ends with what is held, which is limited.
        while self.session.wants_write() {
            if self.session.write_tls(&mut Socket(&self.socket))? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    fn has_unsent(&self) -> bool {
        self.session.wants_write()
    }

    fn is_handshaking(&self) -> bool {
        self.session.is_handshaking()
    }

    fn close(&mut self) {
        self.session.send_close_notify();
        let _ = self.try_flush();
    }
}

/// A socket that does not wait, as std's traits want it.
struct Socket<'a>(&'a TcpStream);

impl Read for Socket<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.0.try_read(into)
    }
}

impl Write for Socket<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.try_write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
