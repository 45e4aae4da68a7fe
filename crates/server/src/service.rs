//! What connections of every kind answer with; one message at a time for those that bring them
//! so.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use meridian_answer::{Answered, Moment, Outcome, Packet, Transport, ViewId, ZoneLog};

use crate::answerer::{Answer, Seeds, now_s};
use crate::config::ListenerView;
use crate::counters::{Count, StreamCells};
use crate::live::Live;
use crate::tap::{Passing, Taps};

/// The bytes of a message's length on a stream (RFC 1035 section 4.2.2).
pub(crate) const PREFIX: usize = 2;

/// The longest message that they can tell of.
pub(crate) const MESSAGE_MAX: usize = u16::MAX as usize;

/// A DNS header; nothing shorter is a query.
pub(crate) const MESSAGE_MIN: usize = 12;

thread_local! {
    /// Where a runtime thread's replies are made, whoever they are for.
    static SCRATCH: RefCell<(Box<[u8]>, Seeds)> =
        RefCell::new((vec![0; MESSAGE_MAX].into_boxed_slice(), Seeds::new()));
}

/// What connections are served with.
#[derive(Debug)]
pub(crate) struct Service<A: Answer> {
    pub(crate) live: Arc<Live<A::World>>,
    pub(crate) answerer: A,
    pub(crate) taps: Taps,
}

impl<A: Answer> Clone for Service<A> {
    fn clone(&self) -> Self {
        Self {
            live: Arc::clone(&self.live),
            answerer: self.answerer.clone(),
            taps: self.taps.clone(),
        }
    }
}

/// Who asks whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peers {
    pub(crate) client: SocketAddr,
    /// The address of ours that was asked.
    pub(crate) asked: SocketAddr,
    /// What the listener shows.
    pub(crate) view: ListenerView,
}

impl<A: Answer> Service<A> {
    /// Answers one message and counts it; `finish` makes of the reply what is needed. None where
    /// the message is not worth an answer.
    pub(crate) fn answer<T>(
        &self,
        cells: &StreamCells,
        transport: Transport,
        peers: Peers,
        query: &[u8],
        finish: impl FnOnce(&[u8]) -> T,
    ) -> Option<T> {
        let received_at = Instant::now();
        cells.queries.add(1);
        SCRATCH.with_borrow_mut(|(reply, seeds)| {
            let packet = Packet {
                query,
                client: peers.client.ip(),
                view: ViewId::EMPTY,
                transport,
                reply: &mut *reply,
            };
            let answered = self.decide(packet, peers, seeds.next());
            let sent =
                answered.and_then(|answered| Some((answered, reply.get(..answered.len.into())?)));
            self.tell(cells, peers, seeds, received_at, query, sent);
            let (_, reply) = sent?;
            let finished = finish(reply);
            cells.answers.latency.count(1, received_at.elapsed());
            Some(finished)
        })
    }

    /// Counts a message and what is sent for it, if anything, and shows both to whoever logs.
    pub(crate) fn tell(
        &self,
        cells: &StreamCells,
        peers: Peers,
        seeds: &mut Seeds,
        received_at: Instant,
        query: &[u8],
        sent: Option<(Answered, &[u8])>,
    ) {
        let log = sent.map_or(ZoneLog::Off, |(answered, _)| answered.log);
        if self.taps.want(log) {
            let passing = Passing {
                received_at,
                client: peers.client,
                server: peers.asked,
                protocol: cells.protocol,
                query,
                sent,
            };
            self.taps.offer(seeds.next(), &passing);
        }
        if let Some((answered, reply)) = sent {
            cells.replies.add(1);
            cells.answers.count(&answered, reply);
        } else {
            cells.dropped.add(1);
            cells.answers.count_unanswered(1);
        }
    }

    fn decide(&self, mut packet: Packet<'_>, peers: Peers, seed: u64) -> Option<Answered> {
        if packet.query.len() < MESSAGE_MIN {
            return None;
        }
        let world = self.live.load();
        packet.view = peers.view.find::<A>(&world, peers.asked.ip());
        let mut outcome = [Outcome::Drop];
        let moment = Moment {
            now_s: now_s(),
            seed,
        };
        self.answerer
            .answer(&world, &mut [packet], &mut outcome, moment);
        match outcome {
            [Outcome::Reply(answered)] => Some(answered),
            [Outcome::Drop] => None,
        }
    }
}
