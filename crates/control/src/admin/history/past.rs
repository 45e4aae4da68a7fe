//! A zone's record sets at some entry, as what is different from today. Those that traffic policy
//! instances made are none of them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use meridian_log::{HistoryRow, Snapshot};
use meridian_model::{Generation, RecordSet, Seq, SetKey, State, UnseenState, Zone};

use super::super::{AdminError, Outcome};
use super::SetDifference;

/// Rows of history that are read at a time. Each may be as long as an entry.
const ROWS_AT_A_TIME: usize = 16;

/// Behind every commit.
pub(super) const NEWEST: (Seq, u32) = (Seq(u64::MAX), u32::MAX);

/// Sorts sets as Route 53 lists them.
type Place = (String, &'static str, Option<String>);

/// What a zone held after some entry.
#[derive(Clone)]
pub(super) struct Past<'a> {
    snapshot: &'a Snapshot,
    zone: &'a Zone,
    /// The sets that were not what they are today, or may not have been.
    other: BTreeMap<Place, (SetKey, Option<RecordSet>)>,
}

impl<'a> Past<'a> {
    /// Today.
    pub(super) fn new(snapshot: &'a Snapshot, zone: &'a Zone) -> Self {
        Self {
            snapshot,
            zone,
            other: BTreeMap::new(),
        }
    }

    /// After the entry `seq`.
    pub(super) fn at(snapshot: &'a Snapshot, zone: &'a Zone, seq: Seq) -> Outcome<Self> {
        let oldest = snapshot.history(&zone.id, Seq(0), 1)?.pop();
        let oldest = oldest.map_or(Seq(u64::MAX), |row| row.seq);
        if seq < oldest {
            return Err(AdminError::NoHistory(zone.name.clone(), oldest));
        }
        let mut past = Self::new(snapshot, zone);
        let mut end = NEWEST;
        // Each turn goes further back, or ends.
        loop {
            let rows = snapshot.history_back(&zone.id, end, ROWS_AT_A_TIME)?;
            let read = rows.len();
            for row in rows {
                if row.seq <= seq {
                    return Ok(past);
                }
                end = (row.seq, row.commit);
                let replaced_in = row.seq;
                if past.back_over(row)?.is_none() {
                    return Err(AdminError::NoHistory(zone.name.clone(), replaced_in));
                }
            }
            if read < ROWS_AT_A_TIME {
                return Ok(past);
            }
        }
    }

    /// Goes back over a commit; says what it changed. None when it replaced all sets and those
    /// before are not kept any more: there is no further back.
    pub(super) fn back_over(&mut self, row: HistoryRow) -> Outcome<Option<Vec<SetDifference>>> {
        let mut before = BTreeMap::new();
        match row.previous_generation {
            Some(previous) => {
                if !self.is_kept(previous)? {
                    return Ok(None);
                }
                for set in self.sets()? {
                    before.insert(place(&set.key), (set.key, None));
                }
                self.each(previous, |set| {
                    before.insert(place(&set.key), (set.key.clone(), Some(set)));
                })?;
            }
            None => {
                let sets = row.before.into_iter();
                let sets = sets.map(|(key, set)| (key, set.filter(is_own)));
                before.extend(sets.map(|(key, set)| (place(&key), (key, set))));
            }
        }
        let mut differences = Vec::new();
        for (place, (key, before)) in before {
            let after = self.set(&place, &key)?;
            self.other.insert(place, (key, before.clone()));
            if before != after {
                differences.push(SetDifference { before, after });
            }
        }
        Ok(Some(differences))
    }

    /// What is different in `to`.
    pub(super) fn differences_to(&self, to: &Self) -> Outcome<Vec<SetDifference>> {
        let keys = self.other.iter().chain(&to.other);
        let keys: BTreeMap<&Place, &SetKey> = keys.map(|(place, (key, _))| (place, key)).collect();
        let mut differences = Vec::new();
        for (place, key) in keys {
            let (before, after) = (self.set(place, key)?, to.set(place, key)?);
            if before != after {
                differences.push(SetDifference { before, after });
            }
        }
        Ok(differences)
    }

    /// All sets, in Route 53's order.
    pub(super) fn sets(&self) -> Outcome<Vec<RecordSet>> {
        let mut sets = BTreeMap::new();
        // Sets of today that were not there before a replacement are among the others.
        self.each(self.zone.generation, |set| {
            sets.insert(place(&set.key), set);
        })?;
        for (place, (_, set)) in &self.other {
            match set {
                Some(set) => sets.insert(place.clone(), set.clone()),
                None => sets.remove(place),
            };
        }
        Ok(sets.into_values().collect())
    }

    fn set(&self, place: &Place, key: &SetKey) -> Outcome<Option<RecordSet>> {
        if let Some((_, set)) = self.other.get(place) {
            return Ok(set.clone());
        }
        let sets = self.snapshot.sets_at(self.zone.generation, &key.name)?;
        let mut sets = sets.into_iter().filter(is_own);
        Ok(sets.find(|set| set.key == *key))
    }

    /// Whether the sets that were replaced are there still.
    fn is_kept(&self, generation: Generation) -> Outcome<bool> {
        let unseen = self.snapshot.unseen_generations()?;
        Ok(unseen
            .iter()
            .any(|one| one.generation == generation && one.state == UnseenState::Superseded))
    }

    fn each(&self, generation: Generation, mut take: impl FnMut(RecordSet)) -> Outcome<()> {
        self.snapshot.each_set(generation, |set| {
            if is_own(&set) {
                take(set);
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    }
}

/// Whether a set is the zone's own: those of traffic policy instances come and go with these, which
/// history knows nothing of.
fn is_own(set: &RecordSet) -> bool {
    set.traffic_policy_instance_id.is_none()
}

fn place(key: &SetKey) -> Place {
    let identifier = key.set_identifier.clone();
    (key.name.sort_key(), key.rtype.as_str(), identifier)
}
