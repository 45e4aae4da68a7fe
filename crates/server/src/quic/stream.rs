//! One query on a stream of its own: read to the end, answered, the stream ended (RFC 9250
//! section 4.2).

use std::sync::Arc;

use meridian_answer::Transport;
use meridian_dns::message::Query;
use quinn::{ReadToEndError, RecvStream, SendStream};
use tokio::sync::Mutex;
use tokio::time;

use crate::answerer::Answer;
use crate::config::TcpLimits;
use crate::counters::{Count, StreamCells};
use crate::service::{PREFIX, Peers, Service};

use super::Code;

/// The longest query that is heard out. None that this server answers is longer, and what all
/// streams of all connections may hold is bounded by it.
const QUERY_MAX: usize = 4096;

/// RFC 7828, which has no place in QUIC.
const EDNS_TCP_KEEPALIVE: u16 = 11;

/// Why a query was not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The client has lost interest, or is no more.
    Gone,
    /// It took too long with the query or the reply.
    TooSlow,
    /// Nobody asks for so much.
    TooLong,
    /// The client does not keep to RFC 9250, which ends the connection.
    Protocol,
}

/// A client's stream.
pub(super) struct Stream<A: Answer> {
    pub(super) send: SendStream,
    pub(super) receive: RecvStream,
    /// Held from answering until QUIC has the last byte: one connection has one reply waiting.
    pub(super) writing: Arc<Mutex<()>>,
    pub(super) service: Service<A>,
    pub(super) peers: Peers,
    pub(super) limits: TcpLimits,
    pub(super) cells: Arc<StreamCells>,
}

impl<A: Answer> Stream<A> {
    pub(super) async fn run(mut self) -> Result<(), Trouble> {
        let outcome = self.serve().await;
        if let Err(trouble) = outcome {
            let code = match trouble {
                Trouble::Gone => Code::NoError,
                Trouble::TooSlow | Trouble::TooLong => Code::ExcessiveLoad,
                Trouble::Protocol => Code::ProtocolError,
            };
            // Both directions may have ended already.
            let _ = self.receive.stop(code.into());
            let _ = self.send.reset(code.into());
        }
        if outcome == Err(Trouble::TooSlow) {
            self.cells.too_slow.add(1);
        }
        outcome
    }

    async fn serve(&mut self) -> Result<(), Trouble> {
        let reading = self.receive.read_to_end(PREFIX + QUERY_MAX);
        let message = match time::timeout(self.limits.message_timeout, reading).await {
            Ok(Ok(message)) => message,
            Ok(Err(ReadToEndError::TooLong)) => return Err(Trouble::TooLong),
            Ok(Err(ReadToEndError::Read(_))) => return Err(Trouble::Gone),
            Err(_) => return Err(Trouble::TooSlow),
        };
        let query = query(&message).ok_or(Trouble::Protocol)?;
        match time::timeout(self.limits.write_timeout, self.reply(query)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(Trouble::TooSlow),
        }
    }

    /// Answers, ends the stream, and waits until the client has all of it, so that the connection
    /// does not end before.
    async fn reply(&mut self, query: &[u8]) -> Result<(), Trouble> {
        let turn = self.writing.lock().await;
        let framed = |reply: &[u8]| {
            let len = u16::try_from(reply.len()).unwrap_or_default();
            [&len.to_be_bytes(), reply].concat()
        };
        let (cells, peers) = (&self.cells, self.peers);
        let reply = self
            .service
            .answer(cells, Transport::Quic, peers, query, framed)
            .ok_or(Trouble::Protocol)?;
        let sent = self.send.write_all(&reply).await;
        drop(turn);
        sent.map_err(|_| Trouble::Gone)?;
        self.send.finish().map_err(|_| Trouble::Gone)?;
        match self.send.stopped().await {
            Ok(None) => Ok(()),
            _ => Err(Trouble::Gone),
        }
    }
}

/// The query of a whole stream, if it is as RFC 9250 wants it: all of it there and nothing behind
/// it (section 4.2), the id 0 (section 4.2.1), no edns-tcp-keepalive option (section 5.5.2).
fn query(message: &[u8]) -> Option<&[u8]> {
    let (length, query) = message.split_first_chunk::<PREFIX>()?;
    let whole = usize::from(u16::from_be_bytes(*length)) == query.len();
    if !whole || !query.starts_with(&[0, 0]) {
        return None;
    }
    let options = match Query::read(query) {
        Ok(Query {
            edns: Some(edns), ..
        }) => edns.options,
        _ => &[],
    };
    (!has_option(options, EDNS_TCP_KEEPALIVE)).then_some(query)
}

/// Whether an option is among those of an OPT record.
fn has_option(mut options: &[u8], wanted: u16) -> bool {
    // Each turn takes four bytes at least.
    while let Some(([code_high, code_low, len_high, len_low], rest)) = options.split_first_chunk() {
        if u16::from_be_bytes([*code_high, *code_low]) == wanted {
            return true;
        }
        let len = usize::from(u16::from_be_bytes([*len_high, *len_low]));
        options = rest.get(len..).unwrap_or_default();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_holds_one_query_and_nothing_else() {
        let good = b"\0\x0d\0\0\0\0\0\0\0\0\0\0\0\0\0";
        assert_eq!(query(good), Some(&good[2..]));
        for bad in [
            &b""[..],
            b"\0",
            b"\0\x02",
            b"\0\x02\0",
            b"\0\x02\0\0\0",
            b"\0\x02\0\x01",
        ] {
            assert_eq!(query(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_option_is_found_among_others() {
        for (options, expected) in [
            (&b""[..], false),
            (b"\0\x0b\0\0", true),
            (b"\0\x0a\0\x01a\0\x0b\0\x02ab", true),
            (b"\0\x0a\0\x04\0\x0b\0\0", false),
            (b"\0\x0a\0\x09\0\x0b\0\0", false),
            (b"\0\x0b\0", false),
        ] {
            assert_eq!(
                has_option(options, EDNS_TCP_KEEPALIVE),
                expected,
                "{options:?}"
            );
        }
    }
}
