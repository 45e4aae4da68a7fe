//! The seam between packets and answers: one function, and the facts it wants to be told.
//!
//! What to answer is crate `answer`'s; the trait exists so that tests can put something simpler
//! in its place at no cost at run time.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use meridian_answer::{Identity, Moment, Outcome, Packet, Scratch, ViewId, World, ZoneLog};

use crate::sys::Prefetch;

/// Turns queries into replies; see [`meridian_answer::answer`] for the contract.
pub(crate) trait Answer: Clone + Send + Sync + 'static {
    type World: Send + Sync + 'static;

    fn answer(
        &self,
        world: &Self::World,
        packets: &mut [Packet<'_>],
        outcomes: &mut [Outcome],
        moment: Moment,
    );

    /// What queries to this address see, where the socket does not say it.
    fn view_at(world: &Self::World, address: IpAddr) -> ViewId;

    /// Whether any zone is logged by itself.
    fn log(world: &Self::World) -> ZoneLog;
}

thread_local! {
    /// Made by a thread's first batch and kept for all others.
    static SCRATCH: RefCell<Scratch<Prefetch>> = RefCell::new(Scratch::new(Prefetch));
}

/// The real one.
#[derive(Debug, Clone)]
pub(crate) struct Answerer {
    pub(crate) identity: Arc<Identity>,
}

impl Answer for Answerer {
    type World = World;

    fn answer(
        &self,
        world: &World,
        packets: &mut [Packet<'_>],
        outcomes: &mut [Outcome],
        moment: Moment,
    ) {
        SCRATCH.with_borrow_mut(|scratch| {
            meridian_answer::answer(scratch, world, &self.identity, packets, outcomes, moment);
        });
    }

    fn view_at(world: &World, address: IpAddr) -> ViewId {
        world.view_at(address)
    }

    fn log(world: &World) -> ZoneLog {
        world.log()
    }
}

/// A thread's sequence of seeds: xorshift64*, which repeats only after 2^64 - 1 numbers.
///
/// Good enough to spread choices, not to keep a secret.
#[derive(Debug)]
pub(crate) struct Seeds(u64);

impl Seeds {
    /// A sequence of its own, from the randomness that std takes from the system for its hash maps.
    pub(crate) fn new() -> Self {
        // The only state that xorshift never leaves is 0.
        Self(RandomState::new().build_hasher().finish() | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }
}

/// Seconds since 1970; 0 on a machine whose clock is before that.
pub(crate) fn now_s() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_sequences_of_seeds_differ() {
        let (mut one, mut other) = (Seeds::new(), Seeds::new());
        let one: Vec<u64> = (0..8).map(|_| one.next()).collect();
        let other: Vec<u64> = (0..8).map(|_| other.next()).collect();
        assert_ne!(one, other);
        assert!(one.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
