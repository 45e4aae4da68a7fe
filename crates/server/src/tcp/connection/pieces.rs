//! A connection between a client that sends and takes what it likes, and an answerer that is a
//! mere function: for tests of what becomes of messages that come in pieces.
//!
//! Nothing here is in a server. It is the connection's own code that runs, without a socket and
//! without time.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use meridian_answer::{Answered, Moment, Outcome, Packet, Transport, ViewId};

use crate::answerer::Answer;
use crate::config::{ListenerView, TcpLimits};
use crate::counters::{Protocol, StreamCells};
use crate::live::Live;
use crate::seats::Seats;
use crate::service::{Peers, Service};
use crate::tcp::wire::Wire;

use super::Connection;

/// What the client does.
#[derive(Debug, Clone, Copy)]
pub enum Turn<'a> {
    /// Sends these bytes, which need be neither a whole message nor only one.
    Send(&'a [u8]),
    /// Takes so many bytes of replies.
    Take(usize),
}

/// The length of the reply to a query and its bytes, or none where there is no reply.
type Reply = fn(&[u8], &mut [u8]) -> Option<u16>;

/// All bytes that the client gets when in the end it takes all there is, and whether it was heard
/// until then: a connection ends earlier when a message is not answered.
///
/// # Panics
/// When the connection breaks one of its own rules.
pub fn converse(turns: &[Turn<'_>], reply: Reply) -> (Vec<u8>, bool) {
    let mut connection = connection(reply);
    let all = [Turn::Take(usize::MAX)];
    for turn in turns.iter().chain(&all) {
        match turn {
            Turn::Send(bytes) => connection.wire.sent.extend(*bytes),
            Turn::Take(bytes) => {
                let room = &mut connection.wire.room;
                *room = room.saturating_add(*bytes);
            }
        }
        // Each step takes something from the wire or puts something on it.
        while connection.may_step() {
            if connection.step().is_err() {
                return (connection.wire.taken, false);
            }
        }
    }
    assert!(connection.output.is_empty(), "replies wait for nothing");
    let spare = connection.input.capacity();
    assert!(spare == 0 || !connection.input.is_empty(), "an idle buffer");
    (connection.wire.taken, true)
}

impl Connection<Function, Pieces> {
    /// Whether a socket would wake the connection.
    fn may_step(&self) -> bool {
        if self.is_full() {
            self.wire.room > 0
        } else {
            !self.wire.sent.is_empty()
        }
    }
}

fn connection(reply: Reply) -> Connection<Function, Pieces> {
    let nobody = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 53);
    let seats = Arc::new(Seats::new(1, 1));
    let cells = Arc::new(StreamCells::new(Protocol::Tcp));
    let seat = seats.admit(nobody.ip(), &cells);
    Connection {
        wire: Pieces::default(),
        peers: Peers {
            client: nobody,
            asked: nobody,
            view: ListenerView::One(ViewId(0)),
        },
        service: Service {
            live: Arc::new(Live::new(())),
            answerer: Function(reply),
            taps: crate::Taps::default(),
        },
        limits: TcpLimits::default(),
        seat: seat.expect("the first of one seat"),
        cells,
        input: Vec::new(),
        output: Vec::new(),
    }
}

/// Sees queries only, neither World nor time.
#[derive(Debug, Clone, Copy)]
struct Function(Reply);

impl Answer for Function {
    type World = ();

    fn answer(&self, (): &(), packets: &mut [Packet<'_>], outcomes: &mut [Outcome], _: Moment) {
        for (packet, outcome) in packets.iter_mut().zip(outcomes) {
            let len = (self.0)(packet.query, packet.reply);
            *outcome = len.map_or(Outcome::Drop, |len| {
                Outcome::Reply(Answered {
                    len,
                    rcode: 0,
                    qtype: 1,
                    valid_cookie: false,
                    zone: None,
                    log: meridian_answer::ZoneLog::Off,
                })
            });
        }
    }

    fn view_at((): &(), _: IpAddr) -> ViewId {
        ViewId(0)
    }

    fn log((): &()) -> meridian_answer::ZoneLog {
        meridian_answer::ZoneLog::Off
    }
}

/// A socket's two directions.
#[derive(Debug, Default)]
struct Pieces {
    /// Sent by the client and not read.
    sent: Vec<u8>,
    /// How much the client still takes.
    room: usize,
    /// What the client has got.
    taken: Vec<u8>,
}

impl Wire for Pieces {
    fn transport(idle: u16) -> Transport {
        Transport::Tcp { idle }
    }

    async fn readable(&self) -> io::Result<()> {
        Ok(())
    }

    async fn writable(&self) -> io::Result<()> {
        Ok(())
    }

    /// As a socket: never more than the room that is there already.
    fn try_read(&mut self, into: &mut Vec<u8>) -> io::Result<usize> {
        let len = self.sent.len().min(into.capacity() - into.len());
        if len == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        into.extend(self.sent.drain(..len));
        Ok(len)
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let len = bytes.len().min(self.room);
        if len == 0 {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.taken.extend(&bytes[..len]);
        self.room -= len;
        Ok(len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::collection::vec;
    use proptest::prelude::*;

    /// The query without its first byte, that many times.
    fn repeated(query: &[u8], reply: &mut [u8]) -> Option<u16> {
        let (&times, rest) = query.split_first()?;
        let bytes = rest.repeat(times.into());
        reply.get_mut(..bytes.len())?.copy_from_slice(&bytes);
        u16::try_from(bytes.len()).ok()
    }

    proptest! {
        #[test]
        fn a_stream_cut_anywhere_gets_the_same_replies(
            queries in vec(vec(any::<u8>(), 12..90), 0..80),
            cuts in vec((1..300usize, 0..5000usize), 0..40),
        ) {
            let (mut stream, mut expected) = (Vec::new(), Vec::new());
            for query in &queries {
                stream.extend(u16::try_from(query.len()).unwrap().to_be_bytes());
                stream.extend(query);
                let mut reply = [0; 1 << 16];
                let len = repeated(query, &mut reply).unwrap();
                expected.extend(len.to_be_bytes());
                expected.extend(&reply[..len.into()]);
            }
            let mut rest = stream.as_slice();
            let mut turns = Vec::new();
            for (len, taken) in cuts {
                let (piece, after) = rest.split_at(len.min(rest.len()));
                turns.extend([Turn::Send(piece), Turn::Take(taken)]);
                rest = after;
            }
            turns.push(Turn::Send(rest));
            let (replies, heard) = converse(&turns, repeated);
            prop_assert!(heard && replies == expected);
        }
    }
}
