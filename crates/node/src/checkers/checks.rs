//! All checks, by place and by id. Copies share what nobody changed, so that each side of the board
//! keeps the ones it knows and finds out by itself what is new.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use meridian_health::{Difference, Places};
use meridian_model::{HealthCheck, HealthSlot};

/// How many lists the ids are spread over: with 100,000 checks each has a dozen.
const LISTS: u64 = 8192;

/// The checks. Cloning copies pointers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Checks {
    places: Places<Arc<HealthCheck>>,
    /// By a hash of the id, the places of those that have it.
    by_id: Places<Arc<[u32]>>,
}

impl Checks {
    /// A check as it is from now on. Whatever had its place is gone.
    pub(crate) fn put(&mut self, check: &Arc<HealthCheck>) {
        let (slot, list) = (check.slot.slot, list_of(check.id.as_str()));
        if let Some(former) = self.places.put(slot, Arc::clone(check)) {
            if former.id == check.id {
                return;
            }
            self.leave(&former, slot);
        }
        let known = self.by_id.get(list).map_or(&[][..], |list| list);
        let list_with = known.iter().copied().chain([slot]).collect();
        self.by_id.put(list, list_with);
    }

    /// The place is nobody's any more.
    pub(crate) fn take(&mut self, slot: u32) {
        if let Some(former) = self.places.take(slot) {
            self.leave(&former, slot);
        }
    }

    /// The check in this place, whichever that is.
    pub(crate) fn get(&self, slot: u32) -> Option<&Arc<HealthCheck>> {
        self.places.get(slot)
    }

    /// The check in this place, if it is this one.
    pub(crate) fn at(&self, slot: HealthSlot) -> Option<&Arc<HealthCheck>> {
        let check = self.places.get(slot.slot);
        check.filter(|check| check.slot == slot)
    }

    /// The check of this id.
    pub(crate) fn of(&self, id: &str) -> Option<&Arc<HealthCheck>> {
        let places = self.by_id.get(list_of(id))?.iter();
        let mut checks = places.filter_map(|slot| self.places.get(*slot));
        checks.find(|check| check.id.as_str() == id)
    }

    /// All of them, from the lowest place.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<HealthCheck>> {
        self.places.iter().map(|(_, check)| check)
    }

    /// Whether they are the very same.
    pub(crate) fn is_copy(&self, other: &Self) -> bool {
        self.places.is_copy(&other.places)
    }

    /// What is new, gone or another one since then: in each place what was there, and what is.
    pub(crate) fn differences<'c>(
        &'c self,
        before: &'c Self,
    ) -> impl Iterator<Item = (Option<&'c Arc<HealthCheck>>, Option<&'c Arc<HealthCheck>>)> {
        let places = self.places.differences(&before.places);
        let pairs = places.map(|Difference { before, now, .. }| (before, now));
        pairs.filter(|(before, now)| before.map(identity) != now.map(identity))
    }

    fn leave(&mut self, check: &HealthCheck, slot: u32) {
        let list = list_of(check.id.as_str());
        let known = self.by_id.get(list).map_or(&[][..], |list| list);
        let rest: Arc<[u32]> = known.iter().copied().filter(|at| *at != slot).collect();
        if rest.is_empty() {
            self.by_id.take(list);
        } else {
            self.by_id.put(list, rest);
        }
    }
}

impl FromIterator<HealthCheck> for Checks {
    fn from_iter<I: IntoIterator<Item = HealthCheck>>(checks: I) -> Self {
        let mut all = Self::default();
        for check in checks {
            all.put(&Arc::new(check));
        }
        all
    }
}

/// What tells a check from all others and from itself before a change.
fn identity(check: &Arc<HealthCheck>) -> (HealthSlot, u64, &str) {
    (check.slot, check.version, check.id.as_str())
}

/// In which of the lists an id is.
pub(super) fn list_of(id: &str) -> u32 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    u32::try_from(hasher.finish() % LISTS).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use meridian_model::{AccountId, HealthCheckConfig, HealthCheckId, HealthSubject};

    use super::*;

    fn check(id: u32, slot: u32, version: u64) -> Arc<HealthCheck> {
        let config = HealthCheckConfig {
            inverted: false,
            disabled: false,
            subject: HealthSubject::RoutingControl(String::new()),
        };
        let id = HealthCheckId::new(&format!("{id:08x}-0000-4000-8000-000000000000"));
        Arc::new(HealthCheck {
            id: id.unwrap(),
            account: AccountId::new("111111111111").unwrap(),
            caller_reference: String::new(),
            version,
            created_with: config.clone(),
            config,
            slot: HealthSlot {
                slot,
                incarnation: 1,
            },
        })
    }

    #[test]
    fn they_are_found_by_id_and_by_place_and_what_changed_is_told() {
        let mut checks = Checks::default();
        // More than there are lists, so that some ids share one.
        for number in 0..10_000 {
            checks.put(&check(number, number, 1));
        }
        let before = checks.clone();
        assert!(checks.is_copy(&before));
        checks.put(&check(7, 7, 2));
        checks.put(&check(70_000, 8, 1));
        checks.take(9);
        checks.take(9);
        checks.put(&check(10, 10, 1));
        let told = checks.differences(&before);
        let told: Vec<_> = told
            .map(|(before, now)| (before.map(|c| c.id.clone()), now.map(|c| c.version)))
            .collect();
        let id = |number| Some(check(number, 0, 0).id.clone());
        assert_eq!(told, [(id(7), Some(2)), (id(8), Some(1)), (id(9), None)]);
        let place = |checks: &Checks, number: u32| {
            let found = checks.of(id(number)?.as_str())?;
            assert_eq!(checks.at(found.slot), Some(found));
            Some(found.slot.slot)
        };
        for number in 10..10_000 {
            assert_eq!(place(&checks, number), Some(number));
        }
        let places = [7, 70_000, 8, 9].map(|number| place(&checks, number));
        assert_eq!(places, [Some(7), Some(8), None, None]);
        assert_eq!(place(&before, 9), Some(9));
        assert_eq!(checks.iter().count(), 9_999);
    }
}
