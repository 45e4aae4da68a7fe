//! What name servers say they serve, and whether a change is in sync.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use meridian_model::{Seq, ZoneId};

use crate::request::ChangeStatus;

/// What one name server serves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Served {
    /// The last entry that is on its disk and in the World all its workers use.
    pub seq: Seq,
    /// Zones that keep an older image, with the entry from which on it is older.
    pub failed: BTreeMap<ZoneId, Seq>,
}

/// The acknowledgements of all registered name servers. Status: never in the journal.
#[derive(Debug, Default)]
pub struct Acks(Mutex<BTreeMap<String, Served>>);

impl Acks {
    /// Registers a name server or takes its newest acknowledgement.
    pub fn report(&self, node: &str, served: Served) {
        self.nodes().insert(node.to_owned(), served);
    }

    /// All registered name servers with what they serve.
    pub fn all(&self) -> BTreeMap<String, Served> {
        self.nodes().clone()
    }

    /// Whether every registered name server serves the entry, and this zone as of it where it
    /// changed one. Without any name server nothing is in sync.
    pub fn status(&self, zone: Option<&ZoneId>, seq: Seq) -> ChangeStatus {
        let nodes = self.nodes();
        let serves = |served: &Served| {
            let failed = zone.and_then(|zone| served.failed.get(zone));
            served.seq >= seq && failed.is_none_or(|since| seq < *since)
        };
        if !nodes.is_empty() && nodes.values().all(serves) {
            ChangeStatus::Insync
        } else {
            ChangeStatus::Pending
        }
    }

    /// Whether a name server has come to the entry, and could not take the zone over as of it or of
    /// one before.
    pub fn fails(&self, zone: &ZoneId, seq: Seq) -> bool {
        let nodes = self.nodes();
        let fails = |served: &Served| {
            let since = served.failed.get(zone);
            served.seq >= seq && since.is_some_and(|since| *since <= seq)
        };
        nodes.values().any(fails)
    }

    fn nodes(&self) -> MutexGuard<'_, BTreeMap<String, Served>> {
        // Every write is one insert, so a poisoned map is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ChangeStatus::{Insync, Pending};

    #[test]
    fn in_sync_means_all_of_them_and_this_zone() {
        let (a, b) = (ZoneId::new("ZA").unwrap(), ZoneId::new("ZB").unwrap());
        let acks = Acks::default();
        assert_eq!(acks.status(Some(&a), Seq(1)), Pending);
        let served = |seq| Served {
            seq: Seq(seq),
            failed: BTreeMap::new(),
        };
        acks.report("one", served(5));
        assert_eq!(acks.status(Some(&a), Seq(5)), Insync);
        assert_eq!(acks.status(Some(&a), Seq(6)), Pending);
        acks.report("two", served(4));
        assert_eq!(acks.status(Some(&a), Seq(5)), Pending);
        let failed = BTreeMap::from([(a.clone(), Seq(6))]);
        acks.report(
            "two",
            Served {
                seq: Seq(9),
                failed,
            },
        );
        acks.report("one", served(9));
        assert_eq!(acks.status(Some(&a), Seq(5)), Insync);
        assert_eq!(acks.status(Some(&a), Seq(6)), Pending);
        assert!(acks.fails(&a, Seq(6)) && acks.fails(&a, Seq(9)));
        assert!(!acks.fails(&a, Seq(5)) && !acks.fails(&a, Seq(10)) && !acks.fails(&b, Seq(9)));
        assert_eq!(acks.status(Some(&b), Seq(9)), Insync);
        assert_eq!(acks.status(None, Seq(9)), Insync);
        assert_eq!(acks.status(None, Seq(10)), Pending);
    }
}
