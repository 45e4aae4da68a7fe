//! For the fuzz targets alone: a response as it is read off a connection, without a socket.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, ReadBuf, join, sink};

use super::{Found, Prober, Stop, Target, Times};

/// What comes of reading these pieces, each of one packet, and then the end of the connection.
pub async fn respond(prober: &Prober, target: &Target, pieces: &[&[u8]]) -> Option<Found> {
    let stream = join(Pieces(pieces), sink());
    let address = IpAddr::from(Ipv4Addr::LOCALHOST);
    let mut times = Times::default();
    let read = prober.exchange(stream, target, address, &mut times);
    match read.await {
        Ok(found) | Err(Stop::Found(found)) => Some(found),
        Err(Stop::Unable(_)) => None,
    }
}

/// Says one piece after the other; none is longer than what is read at once.
struct Pieces<'p>(&'p [&'p [u8]]);

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some((piece, rest)) = self.0.split_first() {
            let (now, _) = piece.split_at(piece.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.0 = rest;
        }
        Poll::Ready(Ok(()))
    }
}
