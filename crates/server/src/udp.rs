//! The UDP loop: receive a batch, load the World once, answer, send. One thread and socket per
//! address and core.
//!
//! Binding is `socket`'s, system calls are `sys`'s. Nothing here waits but for the socket, and
//! nothing allocates once a worker runs.

use std::array;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use meridian_answer::{Answered, BATCH, Moment, Outcome, Packet, Transport, ViewId, ZoneLog};

use meridian_dns::message::truncate_reply;

use crate::answerer::{Answer, Seeds, now_s};
use crate::config::ListenerView;
use crate::counters::{Count, Protocol, UdpCells};
use crate::live::Live;
use crate::rate::{self, Class, Limiter, Verdict};
use crate::sys::{self, BATCH_MESSAGES, Batch, Datagram, Destination, Reply, Slot, Wait};
use crate::tap::{Passing, Taps};

/// Full batches still answered after the order to stop: what the kernel had received by then,
/// unless more keeps coming.
const DRAIN_BATCHES: usize = 64;

/// A pause after a receive error, which might otherwise repeat at full speed.
const ERROR_PAUSE: Duration = Duration::from_millis(10);

/// Where no datagram came from.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// All that one worker needs.
#[derive(Debug)]
pub(crate) struct Worker<A: Answer> {
    pub(crate) socket: UdpSocket,
    pub(crate) address: SocketAddr,
    pub(crate) view: ListenerView,
    pub(crate) max_payload: u16,
    /// Where to stay, if anywhere.
    pub(crate) core: Option<usize>,
    pub(crate) live: Arc<Live<A::World>>,
    /// This worker's own.
    pub(crate) cells: Arc<UdpCells>,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) answerer: A,
    /// Shared by all workers; none if replies are not limited.
    pub(crate) limiter: Option<Arc<Limiter>>,
    pub(crate) taps: Taps,
    /// The same moment for all workers.
    pub(crate) started: Instant,
}

impl<A: Answer> Worker<A> {
    /// Starts the worker as the address's number `number`.
    ///
    /// Linux shows only the first 15 bytes of the thread's name.
    pub(crate) fn spawn(self, number: usize) -> io::Result<JoinHandle<()>> {
        let name = format!("dns-udp-{}-{number}", self.address.ip());
        thread::Builder::new().name(name).spawn(move || self.run())
    }

    fn run(self) {
        if let Some(core) = self.core
            && let Err(error) = sys::pin_to(core)
        {
            let address = self.address;
            tracing::warn!(%address, core, %error, "cannot keep a worker of {address} on core {core}: {error}");
        }
        let mut batch = Batch::new(self.address, usize::from(self.max_payload));
        let mut seeds = Seeds::new();
        // A dead worker would leave its share of the clients without answers, so a fault of ours
        // costs one batch instead.
        while panic::catch_unwind(AssertUnwindSafe(|| self.serve(&mut batch, &mut seeds))).is_err()
        {
            self.cells.panics.add(1);
            let address = self.address;
            tracing::error!(%address, "a panic while answering on {address} cost a batch of queries");
            if self.stopping() {
                break;
            }
        }
    }

    fn serve(&self, batch: &mut Batch, seeds: &mut Seeds) {
        while !self.stopping() {
            self.turn(batch, seeds, Wait::ForOne);
        }
        for _ in 0..DRAIN_BATCHES {
            if self.turn(batch, seeds, Wait::No) == 0 {
                break;
            }
        }
    }

    fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Receives, answers and sends one batch; how many datagrams it had.
    fn turn(&self, batch: &mut Batch, seeds: &mut Seeds, wait: Wait) -> usize {
        let received = match batch.receive(&self.socket, wait) {
            Ok(received @ 1..) => received,
            Err(error) if is_ordinary(&error) => return 0,
            _ => {
                self.cells.receive_errors.add(1);
                thread::sleep(ERROR_PAUSE);
                return 0;
            }
        };
        let received_at = Instant::now();
        let mut replies = Replies::default();
        let truncated = self.answer(batch, seeds, received_at, &mut replies);
        let limited = replies.limited;
        let replies = &replies.list[..replies.count];
        let sent = batch.send(&self.socket, replies);
        let whole = received - truncated;
        self.cells.queries.add(whole as u64);
        self.cells.truncated.add(truncated as u64);
        let dropped = whole - replies.len() - limited;
        self.cells.dropped.add(dropped as u64);
        let answers = &self.cells.answers;
        answers.count_unanswered(dropped);
        answers.latency.count(sent, received_at.elapsed());
        self.cells.replies.add(sent as u64);
        self.cells.send_errors.add((replies.len() - sent) as u64);
        received
    }

    /// Answers the batch out of one World; how many of its datagrams had been truncated.
    fn answer(
        &self,
        batch: &mut Batch,
        seeds: &mut Seeds,
        received_at: Instant,
        replies: &mut Replies,
    ) -> usize {
        let world = self.live.load();
        let now_s = now_s();
        let transport = Transport::Udp {
            max_payload: self.max_payload,
        };
        let tapped = self.taps.want(A::log(&world));
        let mut truncated = 0;
        let mut datagrams = batch.datagrams().filter(|datagram| {
            truncated += usize::from(datagram.truncated);
            !datagram.truncated
                && can_be_answered(datagram.source)
                && datagram.destination != Destination::Many
        });
        let mut packets = array::from_fn::<_, BATCH, _>(|_| no_packet());
        let mut slots = [Slot::default(); BATCH];
        let mut ends = [(NOBODY, NOBODY.ip()); BATCH];
        loop {
            let mut count = 0;
            // In this order: the zip must run out of packets before it takes a datagram.
            for (packet, datagram) in packets.iter_mut().zip(&mut datagrams) {
                let Datagram {
                    slot,
                    query,
                    source,
                    destination,
                    reply,
                    ..
                } = datagram;
                let asked = destination.or(self.address.ip());
                *packet = Packet {
                    query,
                    client: source.ip(),
                    view: self.view.find::<A>(&world, asked),
                    transport,
                    reply,
                };
                slots[count] = slot;
                if tapped {
                    ends[count] = (source, asked);
                }
                count += 1;
            }
            if count == 0 {
                break;
            }
            let mut outcomes = [Outcome::Drop; BATCH];
            let (packets, outcomes) = (&mut packets[..count], &mut outcomes[..count]);
            let moment = Moment {
                now_s,
                seed: seeds.next(),
            };
            self.answerer.answer(&world, packets, outcomes, moment);
            self.take(replies, received_at, &slots, (packets, outcomes));
            if tapped {
                let ends = &ends[..count];
                self.tap(moment.seed, received_at, ends, (packets, outcomes));
            }
            if count < BATCH {
                break;
            }
        }
        truncated
    }
}

impl<A: Answer> Worker<A> {
    /// Counts the replies of a chunk and takes those that are to be sent.
    #[inline]
    fn take(
        &self,
        replies: &mut Replies,
        received_at: Instant,
        slots: &[Slot],
        (packets, outcomes): (&mut [Packet<'_>], &mut [Outcome]),
    ) {
        for ((slot, packet), outcome) in slots.iter().zip(packets).zip(outcomes) {
            let Outcome::Reply(answered) = outcome else {
                continue;
            };
            self.cells.answers.count(answered, packet.reply);
            if let Some(len) = self.limited(answered, packet, received_at) {
                answered.len = len;
                replies.push(Reply { slot: *slot, len });
            } else {
                replies.limited += 1;
                *outcome = Outcome::Drop;
            }
        }
    }

    /// How much of a reply is sent; none if its client has had enough.
    #[inline]
    fn limited(
        &self,
        answered: &Answered,
        packet: &mut Packet<'_>,
        received_at: Instant,
    ) -> Option<u16> {
        let Some(limiter) = &self.limiter else {
            return Some(answered.len);
        };
        if answered.valid_cookie {
            return Some(answered.len);
        }
        let since_start = received_at.saturating_duration_since(self.started);
        let now = rate::units(since_start);
        match limiter.judge(packet.client, Class::of(answered, packet.reply), now) {
            Verdict::Send => Some(answered.len),
            Verdict::Slip => {
                self.cells.slipped.add(1);
                let len = truncate_reply(packet.reply, usize::from(answered.len));
                // It is never longer than before.
                u16::try_from(len).ok()
            }
            Verdict::Drop => {
                self.cells.limited.add(1);
                None
            }
        }
    }
}

impl<A: Answer> Worker<A> {
    /// Shows queries and what becomes of them to whoever logs.
    #[cold]
    fn tap(
        &self,
        random: u64,
        received_at: Instant,
        ends: &[(SocketAddr, IpAddr)],
        (packets, outcomes): (&[Packet<'_>], &[Outcome]),
    ) {
        let chunk = packets.iter().zip(outcomes).zip(ends);
        for (place, ((packet, outcome), (client, asked))) in (0..).zip(chunk) {
            let log = match outcome {
                Outcome::Reply(answered) => answered.log,
                Outcome::Drop => ZoneLog::Off,
            };
            if !self.taps.want(log) {
                continue;
            }
            let passing = Passing {
                received_at,
                client: *client,
                server: SocketAddr::new(*asked, self.address.port()),
                protocol: Protocol::Udp,
                query: packet.query,
                sent: match *outcome {
                    Outcome::Reply(answered) => {
                        let sent = &packet.reply[..usize::from(answered.len)];
                        Some((answered, sent))
                    }
                    Outcome::Drop => None,
                },
            };
            self.taps.offer(mixed(random, place), &passing);
        }
    }
}

/// A number of its own for each query of a chunk.
fn mixed(random: u64, place: u64) -> u64 {
    let mixed = (random ^ place).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed ^ mixed >> 32
}

/// What stands in the places of a chunk that has fewer packets; never shown to the answerer.
fn no_packet<'a>() -> Packet<'a> {
    Packet {
        query: &[],
        client: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        view: ViewId(0),
        transport: Transport::Quic,
        reply: &mut [],
    }
}

/// The replies of one batch.
struct Replies {
    list: [Reply; BATCH_MESSAGES],
    count: usize,
    /// How many more there would have been without a limit.
    limited: usize,
}

impl Default for Replies {
    fn default() -> Self {
        Self {
            list: [Reply::default(); BATCH_MESSAGES],
            count: 0,
            limited: 0,
        }
    }
}

impl Replies {
    fn push(&mut self, reply: Reply) {
        self.list[self.count] = reply;
        self.count += 1;
    }
}

/// Whether a reply to this source reaches a single socket: nobody listens on port 0, and one to
/// many would make us somebody's amplifier.
fn can_be_answered(source: SocketAddr) -> bool {
    source.port() != 0
        && match source.ip() {
            IpAddr::V4(ip) => !ip.is_multicast() && !ip.is_broadcast(),
            IpAddr::V6(ip) => !ip.is_multicast(),
        }
}

/// Nothing came in time, or a signal did.
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
    fn sources_that_are_nobody_or_many_get_no_reply() {
        for (source, expected) in [
            ("192.0.2.1:53", true),
            ("192.0.2.1:0", false),
            ("224.0.0.251:5353", false),
            ("255.255.255.255:68", false),
            ("0.0.0.0:0", false),
            ("[2001:db8::1]:1024", true),
            ("[2001:db8::1]:0", false),
            ("[ff02::fb]:5353", false),
        ] {
            assert_eq!(
                can_be_answered(source.parse().unwrap()),
                expected,
                "{source}"
            );
        }
    }
}
