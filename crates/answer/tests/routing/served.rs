//! The crate as a server: a case becomes a World, a question a packet, and a reply is read back.

use std::collections::BTreeMap;

use meridian_answer::{
    BATCH, HashKey, Identity, Moment, Outcome, Packet, Scratch, Transport, ViewId, World, answer,
};

use crate::case::{Ask, Case};
use crate::compare::{Reply, Server};
use crate::wire::{packet, read};
use crate::world::{self, KEY};

/// Bytes for one reply: more than any of these needs.
const ROOM: usize = 8192;

/// The crate with the World of a case.
pub(crate) struct Served {
    pub(crate) world: World,
    scratch: Scratch,
    reply: Vec<u8>,
    /// Replies that were read before, since reading takes longest; each is to one question.
    known: BTreeMap<Vec<u8>, Reply>,
}

impl Served {
    pub(crate) fn new(case: &Case) -> Self {
        Self::with_key(case, KEY)
    }

    pub(crate) fn with_key(case: &Case, key: HashKey) -> Self {
        Self {
            world: world::of(case, key),
            scratch: Scratch::default(),
            reply: vec![0; ROOM * BATCH],
            known: BTreeMap::new(),
        }
    }
}

impl<'c> Server<'c> for Served {
    fn turn(&mut self, case: &'c Case) {
        let health = world::health(case, self.world.key());
        self.world = self.world.clone().with_health(health);
    }

    fn reply(&mut self, ask: &Ask, seed: u64) -> Reply {
        // At any place of a batch, which may change what chance brings, but not what is possible.
        let copies = 1 + usize::try_from(seed % 3).unwrap();
        let mut reply = self.replies(ask, copies, seed).pop().unwrap();
        reply.records.sort();
        reply
    }
}

impl Served {
    /// The replies to a batch of so many copies of a question, with their records in order.
    pub(crate) fn replies(&mut self, ask: &Ask, copies: usize, seed: u64) -> Vec<Reply> {
        let query = packet(ask);
        let rooms = self.reply.chunks_mut(ROOM).take(copies);
        let mut packets: Vec<Packet<'_>> = rooms
            .map(|reply| Packet {
                query: &query,
                client: ask.source,
                view: ViewId(0),
                transport: Transport::Tcp { idle: 100 },
                reply,
            })
            .collect();
        let mut outcomes = vec![Outcome::Drop; copies];
        let moment = Moment { now_s: 0, seed };
        let identity = Identity::default();
        let (scratch, world, known) = (&mut self.scratch, &self.world, &mut self.known);
        answer(
            scratch,
            world,
            &identity,
            &mut packets,
            &mut outcomes,
            moment,
        );
        let told = packets.iter().zip(&outcomes);
        told.map(|(packet, outcome)| match outcome {
            Outcome::Reply(answered) => {
                let bytes = &packet.reply[..answered.len.into()];
                if let Some(known) = known.get(bytes) {
                    return known.clone();
                }
                let reply = read(ask, bytes);
                known.insert(bytes.to_vec(), reply.clone());
                reply
            }
            Outcome::Drop => panic!("{ask:?} was dropped"),
        })
        .collect()
    }
}
