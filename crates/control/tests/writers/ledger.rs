//! A journal read once more from its beginning, commit by commit, by rules of its own: what each
//! change may refer to has to be there at its place.

use meridian_model::{Generation, Quota, RecordSet, Routing, SetKey};

use super::*;

/// Used where no other limit is said.
const SETS_BY_ZONE: u64 = 10_000;

/// What there is after a commit.
#[derive(Default)]
pub(super) struct Ledger {
    zones: BTreeMap<ZoneId, Generation>,
    accounts: BTreeMap<Generation, AccountId>,
    sets: BTreeMap<Generation, Vec<RecordSet>>,
    checks: BTreeSet<String>,
    collections: BTreeSet<String>,
    limits: BTreeMap<AccountId, u64>,
    /// References to a check or collection that were looked at.
    pub(super) references: usize,
    /// Checks and collections that were deleted.
    pub(super) deleted: usize,
}

impl Ledger {
    /// Goes through all entries; fails at the first change that may not be where it is.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut ledger = Self::default();
        for entry in entries {
            for (place, commit) in entry.commits.iter().enumerate() {
                for effect in &commit.effects {
                    ledger.take(effect, &format!("{} {place}: {effect:?}", entry.seq));
                }
                ledger.check_room(commit);
            }
        }
        ledger
    }

    fn take(&mut self, effect: &Effect, at: &str) {
        match effect {
            Effect::PutZone(zone) => {
                self.zones.insert(zone.id.clone(), zone.generation);
                self.accounts.insert(zone.generation, zone.account.clone());
            }
            Effect::DeleteZone(id) => {
                let generation = self.zones.remove(id).unwrap();
                self.accounts.remove(&generation);
                self.sets.remove(&generation);
            }
            Effect::PutSet { generation, set } => {
                self.check_references(set, at);
                let sets = self.sets_of(*generation, at);
                sets.retain(|other| other.key != set.key);
                sets.push(set.clone());
            }
            Effect::DeleteSet { generation, key } => self.delete(*generation, key, at),
            Effect::PutHealthCheck(check) => drop(self.checks.insert(check.id.to_string())),
            Effect::DeleteHealthCheck(id) => {
                self.deleted += 1;
                assert!(self.checks.remove(&id.to_string()), "{at}");
            }
            Effect::PutCidrCollection(collection) => {
                self.collections.insert(collection.id.to_string());
            }
            Effect::DeleteCidrCollection(id) => {
                self.deleted += 1;
                assert!(self.collections.remove(&id.to_string()), "{at}");
                let sets = self.sets.values().flatten();
                let users = sets.filter(|set| named(set) == Some(id.to_string().as_str()));
                assert_eq!(users.count(), 0, "{at} is in use");
            }
            Effect::PutQuota {
                account,
                quota: Quota::RecordSetsByZone,
                limit,
            } => drop(self.limits.insert(account.clone(), *limit)),
            _ => {}
        }
    }

    fn sets_of(&mut self, generation: Generation, at: &str) -> &mut Vec<RecordSet> {
        assert!(self.accounts.contains_key(&generation), "no zone: {at}");
        self.sets.entry(generation).or_default()
    }

    fn delete(&mut self, generation: Generation, key: &SetKey, at: &str) {
        let sets = self.sets_of(generation, at);
        let before = sets.len();
        sets.retain(|set| set.key != *key);
        assert_eq!(sets.len() + 1, before, "nothing there: {at}");
    }

    fn check_references(&mut self, set: &RecordSet, at: &str) {
        if let Some(check) = &set.health_check_id {
            assert!(self.checks.contains(check), "no such check: {at}");
            self.references += 1;
        }
        if let Some(collection) = named(set) {
            let exists = self.collections.contains(collection);
            assert!(exists, "no such collection: {at}");
            self.references += 1;
        }
    }

    /// Who adds sets has the room for them, by the limit of that moment.
    fn check_room(&self, commit: &Commit) {
        let (mut added, mut removed) = (BTreeSet::new(), 0);
        for effect in &commit.effects {
            match effect {
                Effect::PutSet { generation, .. } => drop(added.insert(*generation)),
                Effect::DeleteSet { .. } => removed += 1,
                _ => {}
            }
        }
        for generation in added.into_iter().filter(|_| removed == 0) {
            let account = &self.accounts[&generation];
            let limit = self.limits.get(account).copied().unwrap_or(SETS_BY_ZONE);
            let sets = self.sets[&generation].len() as u64;
            // A zone begins with two, whatever the limit; and what was there may be written again.
            assert!(sets <= limit.max(2), "{sets} sets, {limit} are allowed");
        }
    }
}

fn named(set: &RecordSet) -> Option<&str> {
    match &set.routing {
        Routing::Cidr { collection_id, .. } => Some(collection_id),
        _ => None,
    }
}
