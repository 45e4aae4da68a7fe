//! Which host names elsewhere the aliases of a World point to, for whoever resolves them.

use std::collections::{HashMap, HashSet};
use std::iter;
use std::sync::Arc;

use meridian_dns::{Name, RecordType};
use meridian_model::{AccountId, Generation, is_external_type};

use crate::hash::HashKey;
use crate::route::group::{Group, Part};
use crate::{ZoneChange, ZoneImage};

/// Zones lie on so many shelves, by their generations: a change of one copies the list of shelves and
/// one shelf, and of two moments only the shelves that are others have to be compared.
const SHELVES: usize = 256;

/// The zones with such aliases of one shelf.
type Shelf = Arc<[Arc<ZoneImage>]>;

/// A host name, in lower case, and a type.
type Target = (Name, RecordType);

/// What is needed, and the account that needs it, if that is known.
pub type Need = (Target, Option<AccountId>);

/// The host names elsewhere that aliases point to, by type. Cloning copies one pointer, and as long as
/// it [is the same](Self::is_same) nothing of it has changed.
#[derive(Debug, Clone)]
pub struct NeededTargets {
    key: HashKey,
    shelves: Arc<[Shelf]>,
}

/// What has become of the host names that are needed: each of them once for each account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NeedChanges {
    /// They are needed now, and were not.
    pub new: Vec<Need>,
    /// They were needed, and are not any more.
    pub gone: Vec<Need>,
}

/// The host names that are needed, followed from World to World: what a change of a zone asks for is a
/// look at that zone.
#[derive(Debug, Default)]
pub struct NeedCounts {
    /// Those that were looked at last.
    known: Option<NeededTargets>,
    /// How many aliases of an account point to each: at least one.
    counts: HashMap<Need, usize>,
}

impl NeededTargets {
    /// Those of a World's zones.
    pub(crate) fn of<'z>(key: HashKey, zones: impl Iterator<Item = &'z Arc<ZoneImage>>) -> Self {
        let mut shelves: Vec<Vec<Arc<ZoneImage>>> = vec![Vec::new(); SHELVES];
        for zone in zones.filter(|zone| zone.leading_out().is_some()) {
            shelves[shelf_of(zone.meta.generation)].push(Arc::clone(zone));
        }
        Self {
            key,
            shelves: shelves.into_iter().map(Arc::from).collect(),
        }
    }

    /// After these changes, at most one for each zone; none where they are about no zone with such
    /// aliases.
    pub(crate) fn changed(&self, changes: &[ZoneChange]) -> Option<Self> {
        let mut shelves: Option<Vec<Shelf>> = None;
        for change in changes {
            let (ZoneChange::Put(zone) | ZoneChange::Remove(zone)) = change;
            let generation = zone.meta.generation;
            let is_old = |other: &&Arc<ZoneImage>| other.meta.generation == generation;
            let place = shelf_of(generation);
            let shelf = &shelves.as_deref().unwrap_or(&self.shelves)[place];
            let new = match change {
                ZoneChange::Put(zone) => zone.leading_out().is_some().then_some(zone),
                ZoneChange::Remove(_) => None,
            };
            if new.is_none() && !shelf.iter().any(|zone| is_old(&zone)) {
                continue;
            }
            let kept = shelf.iter().filter(|zone| !is_old(zone));
            let shelf: Shelf = kept.chain(new).cloned().collect();
            shelves.get_or_insert_with(|| self.shelves.to_vec())[place] = shelf;
        }
        Some(Self {
            key: self.key,
            shelves: shelves?.into(),
        })
    }

    /// Whether nothing has changed from one to the other.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shelves, &other.shelves)
    }

    /// Each name and type once. Looks at all aliases of this kind.
    pub fn targets(&self) -> HashSet<Target> {
        let zones = self.shelves.iter().flat_map(|shelf| shelf.iter());
        zones.flat_map(|zone| of_zone(self.key, zone)).collect()
    }

    /// The zones that only one of the two has, or has so: first those of this one, then those of the
    /// other.
    fn differences<'n>(&'n self, other: &'n Self) -> [Vec<&'n ZoneImage>; 2] {
        let mut differences = [Vec::new(), Vec::new()];
        for (one, other) in self.shelves.iter().zip(other.shelves.iter()) {
            if Arc::ptr_eq(one, other) {
                continue;
            }
            let [mine, theirs] = [one, other].map(|shelf| shelf.iter().map(Arc::as_ptr));
            let [mine, theirs]: [HashSet<_>; 2] = [mine.collect(), theirs.collect()];
            let only = |shelf: &'n Shelf, without: &HashSet<*const ZoneImage>| {
                let zones = shelf.iter().map(|zone| &**zone);
                zones
                    .filter(|zone| !without.contains(&std::ptr::from_ref(*zone)))
                    .collect::<Vec<_>>()
            };
            differences[0].extend(only(one, &theirs));
            differences[1].extend(only(other, &mine));
        }
        differences
    }
}

impl NeedCounts {
    /// Follows a World; returns what is different from the one before. Looks at the zones that are
    /// others than they were.
    pub fn follow(&mut self, needed: &NeededTargets) -> NeedChanges {
        let none = || NeededTargets::of(needed.key, iter::empty());
        let known = self.known.take().unwrap_or_else(none);
        let [old, new] = known.differences(needed);
        // What both have must neither go nor come: so each is weighed once, at the end.
        let mut weighed: HashMap<Need, isize> = HashMap::new();
        for (zones, weight) in [(old, -1), (new, 1)] {
            for zone in zones {
                for target in of_zone(needed.key, zone) {
                    let need = (target, zone.account().cloned());
                    *weighed.entry(need).or_default() += weight;
                }
            }
        }
        let mut changes = NeedChanges::default();
        for (need, weight) in weighed.into_iter().filter(|(_, weight)| *weight != 0) {
            let before = self.counts.get(&need).copied().unwrap_or(0);
            let after = before.saturating_add_signed(weight);
            match (before, after) {
                (_, 0) => {
                    self.counts.remove(&need);
                    changes.gone.push(need);
                }
                (0, after) => {
                    self.counts.insert(need.clone(), after);
                    changes.new.push(need);
                }
                (_, after) => {
                    self.counts.insert(need, after);
                }
            }
        }
        self.known = Some(needed.clone());
        changes
    }

    /// Whether this World's was followed last.
    pub fn is_of(&self, needed: &NeededTargets) -> bool {
        self.known
            .as_ref()
            .is_some_and(|known| known.is_same(needed))
    }

    /// Each name and type once for each account that needs it.
    pub fn needs(&self) -> impl Iterator<Item = &Need> {
        self.counts.keys()
    }
}

fn shelf_of(Generation(generation): Generation) -> usize {
    // Generations are numbers in a row, so the rest spreads them; it is less than the number of
    // shelves, which fits.
    usize::try_from(generation % SHELVES as u64).unwrap_or_default()
}

/// What the aliases of a zone point to, one by one.
fn of_zone(key: HashKey, zone: &ZoneImage) -> impl Iterator<Item = Target> {
    let names = zone.leading_out().into_iter();
    let names = names.flat_map(|names| names.iter());
    let nodes = names.filter_map(move |labels| zone.find(key.below(zone.hash, labels), labels));
    nodes
        .flat_map(|node| node.sets())
        .filter(|set| is_external_type(set.rtype))
        .filter_map(|set| Some((set.rtype, Group::read(set)?)))
        .flat_map(|(rtype, group)| leading_out(group).map(move |name| (name, rtype)))
}

/// The host names elsewhere that members of a group lead to.
fn leading_out(group: Group<'_>) -> impl Iterator<Item = Name> {
    let parts = group.members().map(move |member| group.part(&member));
    parts.filter_map(|part| match part? {
        Part::External(external) => Name::from_wire(external.name).ok(),
        Part::Records(_) | Part::Alias(_) => None,
    })
}
