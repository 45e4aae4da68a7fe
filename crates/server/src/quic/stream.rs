//! One query on a stream of its own: read to the end, answered, the stream ended (RFC 9250
//! section 4.2).

use std::sync::Arc;

use meridian_answer::Transport;
use meridian_dns::message::Query;
use meridian_dns::message::codes::option;
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
    let edns = Query::read(query).ok().and_then(|query| query.edns);
    let keepalive = edns.is_some_and(|edns| edns.has_option(option::TCP_KEEPALIVE));
    (!keepalive).then_some(query)
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
    fn a_stream_has_no_keepalive_whatever_the_version() {
        for (version, code, heard) in [(0, 10, true), (0, 11, false), (1, 10, true), (1, 11, false)]
        {
            // A header, a question for the root, and an OPT record with one option of 8 bytes.
            let mut message = b"\0\0\0\0\0\x01\0\0\0\0\0\x01\0\0\x01\0\x01".to_vec();
            message.extend(b"\0\0\x29\x04\xd0\0");
            message.extend([version, 0, 0, 0, 12, 0, code, 0, 8]);
            message.extend(b"clientco");
            let len = u16::try_from(message.len()).unwrap();
            let framed = [&len.to_be_bytes(), &message[..]].concat();
            let expected = heard.then_some(&message[..]);
            assert_eq!(query(&framed), expected, "{version}, {code}");
        }
    }
}
