//! How much is taken in a minute, from one network and in all.
//!
//! A minute has a table of its own, which is forgotten with it, by whoever comes next or by the clock:
//! so there is a bound to what is kept and for how long. At the turn of a minute somebody may have
//! twice as much, which harms nobody.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use meridian_model::Network;

/// The most networks in a minute; there is nothing for further ones.
const MAX_NETWORKS: usize = 65_536;

/// What there is in a minute.
#[derive(Debug)]
pub(super) struct Limit {
    of_a_network: u32,
    in_all: u32,
    minute: Mutex<Minute>,
}

#[derive(Debug, Default)]
struct Minute {
    number: u64,
    networks: HashMap<Network, u32>,
    taken: u32,
}

impl Limit {
    pub(super) fn new(of_a_network: u32, in_all: u32) -> Self {
        Self {
            of_a_network,
            in_all,
            minute: Mutex::default(),
        }
    }

    /// Takes one for this network, if there is one left.
    pub(super) fn take(&self, network: Network, now_s: u64) -> bool {
        let mut minute = self.minute(now_s);
        let is_known = minute.networks.contains_key(&network);
        if minute.taken >= self.in_all || (!is_known && minute.networks.len() >= MAX_NETWORKS) {
            return false;
        }
        let taken = minute.networks.entry(network).or_default();
        if *taken >= self.of_a_network {
            return false;
        }
        *taken += 1;
        minute.taken += 1;
        true
    }

    /// Forgets the networks of a minute that is over, if nobody has come since.
    pub(super) fn forget(&self, now_s: u64) {
        drop(self.minute(now_s));
    }

    /// The table of this minute.
    fn minute(&self, now_s: u64) -> MutexGuard<'_, Minute> {
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now_s / 60;
        // Also when the clock was set back.
        if minute.number != number {
            *minute = Minute {
                number,
                ..Minute::default()
            };
        }
        minute
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn network(number: u32) -> Network {
        Network::new(std::net::Ipv4Addr::from_bits(number << 8).into(), 24).unwrap()
    }

    #[test]
    fn networks_have_their_own_and_all_have_one_together() {
        let limit = Limit::new(2, 5);
        let taken = |from: u32, at| limit.take(network(from), at);
        assert_eq!(
            [taken(1, 0), taken(1, 59), taken(1, 59)],
            [true, true, false]
        );
        assert_eq!([taken(2, 59), taken(3, 59)], [true, true]);
        assert_eq!([taken(3, 59), taken(4, 59)], [true, false]);
        assert!(taken(1, 60), "another minute");
    }

    #[test]
    fn networks_are_forgotten_with_their_minute_whether_anybody_comes_or_not() {
        let limit = Limit::new(2, 5);
        let known = || {
            let minute = limit.minute.lock().unwrap();
            (minute.networks.len(), minute.networks.capacity() > 0)
        };
        assert!(limit.take(network(1), 3 * 60));
        for now_s in [3 * 60, 4 * 60 - 1] {
            limit.forget(now_s);
            assert_eq!(known().0, 1);
        }
        limit.forget(4 * 60);
        assert_eq!(known(), (0, false));
        assert!(limit.take(network(1), 4 * 60));
    }

    #[test]
    fn the_table_is_bounded() {
        let limit = Limit::new(2, u32::MAX);
        let most = u32::try_from(MAX_NETWORKS).unwrap();
        assert!((0..most).all(|number| limit.take(network(number), 0)));
        assert!(!limit.take(network(most), 0));
        assert!(limit.take(network(0), 0), "who is in it already");
        assert!(limit.take(network(most), 60));
    }
}
