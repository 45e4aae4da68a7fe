//! One TCP or TLS connection: messages behind two bytes of length (RFC 7766), answered in order.
//!
//! Answering is one synchronous step without a wait inside: at most 64 queries are in flight,
//! those of the current step, and no further byte is read before all their replies are written.
//! So no reply ever waits for another one's answer, which is what sending them out of order is for
//! (RFC 7766 section 6.2.1.1), and a client that does not read is not read from either.
//! An idle connection holds no buffers; one with a slow client holds what is unsent.

#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod pieces;

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;
use std::{io, mem};

use meridian_answer::{Answered, Moment, Outcome, Packet};
use tokio::sync::watch;
use tokio::task::{self, coop};
use tokio::time::{self, Instant};

use crate::answerer::{Answer, Seeds, now_s};
use crate::config::TcpLimits;
use crate::counters::{Count, StreamCells};
use crate::seats::Seat;
use crate::service::{MESSAGE_MAX, MESSAGE_MIN, PREFIX, Peers, Service};

use super::wire::Wire;

/// Queries answered before their replies are written.
const IN_FLIGHT_MAX: usize = 64;

/// Replies gathered before they are written. One more of any length fits behind them.
const OUTPUT_SOFT_MAX: usize = 1 << 16;

/// Bytes asked for at a time: many usual queries. A longer message's buffer grows with what has
/// come, not with what its length promises.
const READ_MIN: usize = 4096;

/// How long a client that has just connected, or is in the midst of a query, may still finish its
/// first one after the order to stop, or after its handshake: it could not know.
const LAST_QUERY_GRACE: Duration = Duration::from_millis(500);

thread_local! {
    /// Where a runtime thread's replies are made, whichever connection they are for.
    static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::new());
}

struct Scratch {
    output: Box<[u8]>,
    seeds: Seeds,
}

impl Scratch {
    fn new() -> Self {
        let output = vec![0; OUTPUT_SOFT_MAX + PREFIX + MESSAGE_MAX].into_boxed_slice();
        Self {
            output,
            seeds: Seeds::new(),
        }
    }
}

/// A connection and what it has not dealt with yet.
pub(super) struct Connection<A: Answer, W> {
    pub(super) wire: W,
    pub(super) peers: Peers,
    pub(super) service: Service<A>,
    pub(super) limits: TcpLimits,
    pub(super) seat: Seat,
    pub(super) cells: Arc<StreamCells>,
    /// Received and not answered: part of a message, or more if `output` is not empty.
    pub(super) input: Vec<u8>,
    /// Answered and not sent.
    pub(super) output: Vec<u8>,
}

/// The connection is over: the client's end, an error, or nonsense.
struct Over;

/// What was put into the scratch output.
struct Filled {
    bytes: usize,
    replies: usize,
    /// Whether all that was looked at made sense.
    valid: Result<(), Over>,
}

/// Why a wait ended.
enum Wake {
    Ready,
    TooLate,
    Evicted,
    Stop,
}

impl<A: Answer, W: Wire> Connection<A, W> {
    /// Serves the client until it leaves, breaks a rule or a limit, or `stop` turns.
    pub(super) async fn run(mut self, stop: watch::Receiver<bool>) {
        self.serve(stop).await;
        self.wire.close();
    }

    async fn serve(&mut self, mut stop: watch::Receiver<bool>) {
        // What is waited for, and since when.
        let mut since = Instant::now();
        let mut awaited = self.awaited();
        let mut heard = false;
        loop {
            match self.wait(since + self.patience(), &mut stop).await {
                Wake::Ready => {}
                Wake::Evicted => return,
                Wake::Stop if heard && awaited != Awaited::Rest => return self.drain().await,
                Wake::Stop => return self.drain_after_query().await,
                Wake::TooLate => {
                    if awaited != Awaited::Query {
                        self.cells.too_slow.add(1);
                    }
                    return;
                }
            }
            let Ok(progress) = self.step() else { return };
            if progress {
                heard = true;
            }
            let now_awaited = self.awaited();
            if progress || now_awaited != awaited {
                (since, awaited) = (Instant::now(), now_awaited);
            }
            // A client that keeps the socket full must not keep the thread.
            coop::consume_budget().await;
        }
    }

    async fn wait(&self, deadline: Instant, stop: &mut watch::Receiver<bool>) -> Wake {
        tokio::select! {
            biased;
            _ = stop.changed() => Wake::Stop,
            () = self.seat.evicted() => Wake::Evicted,
            ready = time::timeout_at(deadline, self.ready()) => match ready {
                // An error of the socket shows when it is read or written.
                Ok(_) => Wake::Ready,
                Err(_) => Wake::TooLate,
            },
        }
    }

    async fn ready(&self) -> io::Result<()> {
        if self.is_full() {
            self.wire.writable().await
        } else {
            self.wire.readable().await
        }
    }

    /// Whether the client has to take something before it is heard again.
    fn is_full(&self) -> bool {
        !self.output.is_empty() || self.wire.has_unsent()
    }

    fn awaited(&self) -> Awaited {
        if self.wire.is_handshaking() {
            Awaited::Handshake
        } else if self.is_full() {
            Awaited::Room
        } else if !self.input.is_empty() {
            Awaited::Rest
        } else {
            Awaited::Query
        }
    }

    fn patience(&self) -> Duration {
        match self.awaited() {
            Awaited::Handshake => self.limits.handshake_timeout,
            Awaited::Query => self.limits.idle_timeout,
            Awaited::Rest => self.limits.message_timeout,
            Awaited::Room => self.limits.write_timeout,
        }
    }

    /// Does what the socket allows at once; whether a message was completed or all replies taken.
    fn step(&mut self) -> Result<bool, Over> {
        if !self.is_full() {
            self.read()?;
            return self.answer();
        }
        let replies_taken = !self.wire.is_handshaking();
        let unsent = mem::take(&mut self.output);
        self.write(&unsent)?;
        if self.is_full() {
            return Ok(false);
        }
        if replies_taken {
            self.seat.progress();
        }
        self.answer()?;
        Ok(replies_taken)
    }

    fn read(&mut self) -> Result<(), Over> {
        self.input
            .reserve(self.missing().min(self.input.len()).max(READ_MIN));
        match self.wire.try_read(&mut self.input) {
            Ok(1..) => Ok(()),
            Err(error) if is_ordinary(&error) => Ok(()),
            Ok(0) | Err(_) => Err(Over),
        }
    }

    /// Bytes that the message begun in `input` still lacks, as far as is known.
    fn missing(&self) -> usize {
        match self.input.first_chunk() {
            Some(length) => {
                let whole = PREFIX + usize::from(u16::from_be_bytes(*length));
                whole.saturating_sub(self.input.len())
            }
            None => PREFIX,
        }
    }

    /// Answers what has come until a reply cannot be sent at once; whether there was any message.
    fn answer(&mut self) -> Result<bool, Over> {
        let input = mem::take(&mut self.input);
        let mut rest = input.as_slice();
        let mut progress = false;
        let mut outcome = Ok(());
        while outcome.is_ok() && !self.is_full() {
            let before = rest.len();
            outcome = SCRATCH.with_borrow_mut(|scratch| {
                let begun = Instant::now();
                let filled = self.fill(&mut rest, scratch, begun);
                // Before the client can know, so that the order of connections is that of replies.
                if filled.replies > 0 {
                    self.seat.progress();
                }
                let written = self.write(&scratch.output[..filled.bytes]);
                let latency = &self.cells.answers.latency;
                latency.count(filled.replies, begun.elapsed());
                written.and(filled.valid)
            });
            if rest.len() == before {
                break;
            }
            progress = true;
        }
        outcome?;
        // With nothing left the buffer goes, rather than wait with the connection.
        if !rest.is_empty() {
            let answered = input.len() - rest.len();
            self.input = input;
            self.input.drain(..answered);
        }
        Ok(progress)
    }

    /// Takes up to 64 messages from `rest` and puts their replies into the scratch output, out of
    /// one World.
    fn fill(&self, rest: &mut &[u8], scratch: &mut Scratch, begun: Instant) -> Filled {
        let world = self.service.live.load();
        let now_s = now_s();
        let view = self.peers.view.find::<A>(&world, self.peers.asked.ip());
        let idle = self.limits.idle_tenths();
        let mut filled = Filled {
            bytes: 0,
            replies: 0,
            valid: Ok(()),
        };
        for _ in 0..IN_FLIGHT_MAX {
            let Some((query, after)) = split_message(rest) else {
                break;
            };
            *rest = after;
            self.cells.queries.add(1);
            let room = &mut scratch.output[filled.bytes..][..PREFIX + MESSAGE_MAX];
            let (length, reply) = room.split_at_mut(PREFIX);
            let mut outcome = [Outcome::Drop];
            if query.len() >= MESSAGE_MIN {
                let packet = Packet {
                    query,
                    client: self.peers.client.ip(),
                    view,
                    transport: W::transport(idle),
                    reply: &mut *reply,
                };
                let moment = Moment {
                    now_s,
                    seed: scratch.seeds.next(),
                };
                let answerer = &self.service.answerer;
                answerer.answer(&world, &mut [packet], &mut outcome, moment);
            }
            let sent = match outcome {
                [Outcome::Reply(answered)] => Some((answered, &reply[..answered.len.into()])),
                [Outcome::Drop] => None,
            };
            let (cells, seeds) = (&self.cells, &mut scratch.seeds);
            let begun = begun.into_std();
            self.service
                .tell(cells, self.peers, seeds, begun, query, sent);
            let Some((Answered { len, .. }, _)) = sent else {
                filled.valid = Err(Over);
                break;
            };
            length.copy_from_slice(&len.to_be_bytes());
            filled.bytes += PREFIX + usize::from(len);
            filled.replies += 1;
            if filled.bytes > OUTPUT_SOFT_MAX {
                break;
            }
        }
        filled
    }

    /// Sends what the socket takes at once and keeps the rest.
    fn write(&mut self, mut bytes: &[u8]) -> Result<(), Over> {
        while !bytes.is_empty() {
            match self.wire.try_write(bytes) {
                Ok(sent @ 1..) => bytes = &bytes[sent..],
                Err(error) if is_ordinary(&error) => {
                    self.output = bytes.to_vec();
                    return Ok(());
                }
                Ok(0) | Err(_) => return Err(Over),
            }
        }
        match self.wire.try_flush() {
            Err(error) if !is_ordinary(&error) => Err(Over),
            _ => Ok(()),
        }
    }

    /// Lets one more query come, so that nobody who connected in time leaves without an answer.
    /// A handshake takes none of its time.
    async fn drain_after_query(&mut self) {
        let mut since = Instant::now();
        // The acceptor limits this together with everything else.
        loop {
            let was_handshaking = self.wire.is_handshaking();
            let patience = if was_handshaking {
                self.limits.handshake_timeout
            } else {
                LAST_QUERY_GRACE
            };
            let ready = time::timeout_at(since + patience, self.ready()).await;
            if !matches!(ready, Ok(Ok(()))) {
                return;
            }
            match self.step() {
                Ok(progress) if progress || !self.output.is_empty() => return self.drain().await,
                Ok(_) => {}
                Err(Over) => return,
            }
            if was_handshaking && !self.wire.is_handshaking() {
                since = Instant::now();
            }
        }
    }

    /// Answers what had arrived before the order to stop, and sees all replies out. Its time is
    /// limited by the acceptor's drain timeout.
    async fn drain(&mut self) {
        // What has arrived is known when the runtime has looked, which on a busy machine it may not
        // have since. It does before it goes on here.
        task::yield_now().await;
        loop {
            if self.step().is_err() || !self.is_full() {
                return;
            }
            if self.ready().await.is_err() {
                return;
            }
        }
    }
}

/// What the client is to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Agree on how to encrypt.
    Handshake,
    /// Send something.
    Query,
    /// Send the rest of a message.
    Rest,
    /// Take its replies.
    Room,
}

/// The first message of `bytes`, if it is there as a whole, and what follows it.
fn split_message(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn is_ordinary(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_split_at_their_lengths() {
        let none: Option<(&[u8], &[u8])> = None;
        for (bytes, message) in [
            (&b""[..], none),
            (b"\0", none),
            (b"\0\x02a", none),
            (b"\0\0", Some((b"", b""))),
            (b"\0\x02ab", Some((b"ab", b""))),
            (b"\0\x01a\0\x01b", Some((b"a", b"\0\x01b"))),
        ] {
            assert_eq!(split_message(bytes), message, "{bytes:?}");
        }
    }
}
