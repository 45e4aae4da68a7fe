//! What a resolver finds by a name, as far as the account's own zones say: those that everybody sees.
//! What it finds where the account has no zone is not known here.

use std::borrow::Cow;
use std::collections::HashMap;

use meridian_dns::{Name, RecordType};

use super::Final;
use super::loops::Next;
use crate::id::{Generation, ZoneId};
use crate::record_set::RecordSet;
use crate::state::{State, labels_in_common};

/// The most names that are remembered: an import may ask for any number.
const MAX_REMEMBERED: usize = 65_536;

/// What was found out about names: those that many others lie below are asked about once.
#[derive(Debug, Default)]
pub(super) struct Asked {
    zones: HashMap<Name, Option<Answering>>,
    ways: HashMap<(ZoneId, Name), Way>,
}

/// The zone that answers for a name.
#[derive(Debug, Clone)]
struct Answering {
    id: ZoneId,
    generation: Generation,
    apex: Name,
}

/// What becomes of names that are not there below another.
#[derive(Debug, Clone)]
enum Way {
    /// Somebody else answers for them.
    Delegated,
    /// This wildcard stands for them, if there is one.
    Wildcard(Option<Name>),
}

impl<'a, S: State> Final<'a, S> {
    /// What a resolver finds by a name.
    pub(super) fn asked_for(
        &self,
        name: &Name,
        asked: &mut Asked,
    ) -> Result<Option<Next<'a>>, S::Error> {
        let Some(zone) = self.zone_of_name(name, &mut asked.zones)? else {
            return Ok(None);
        };
        let sets = self.sets_of(&zone.id, zone.generation, name)?;
        let found = |name, sets| {
            Some(Next {
                zone: zone.id.clone(),
                generation: zone.generation,
                name,
                sets,
                elsewhere: true,
            })
        };
        if *name == zone.apex {
            return Ok(found(name.clone(), Some(sets)));
        }
        if is_cut(&sets) {
            return Ok(None);
        }
        Ok(
            match self.way_below(&zone, name.parent(), &mut asked.ways)? {
                Way::Delegated => None,
                _ if !sets.is_empty() => found(name.clone(), Some(sets)),
                Way::Wildcard(wildcard) => wildcard.and_then(|name| found(name, None)),
            },
        )
    }

    /// What becomes of names below this one, which is the apex or below it: it or one above it is a
    /// delegation, or the closest name that is there has a wildcard that stands for all below it.
    fn way_below(
        &self,
        zone: &Answering,
        name: Option<Name>,
        ways: &mut HashMap<(ZoneId, Name), Way>,
    ) -> Result<Way, S::Error> {
        let Some(name) = name else {
            return Ok(Way::Wildcard(None));
        };
        let mut unknown = Vec::new();
        let mut way = Way::Wildcard(None);
        // Of a name with nothing at it or below it the same becomes as of the one above it.
        let most = self.labels_in_common(zone, &name)?;
        let mut above = Some(cut_to(name, most));
        // At most 128 turns: a name has no more labels.
        while let Some(name) = above.filter(|name| name.is_within(&zone.apex)) {
            let key = (zone.id.clone(), name);
            if let Some(known) = ways.get(&key) {
                way = known.clone();
                break;
            }
            above = key.1.parent();
            unknown.push(key);
        }
        if ways.len() > MAX_REMEMBERED {
            ways.clear();
        }
        while let Some(key) = unknown.pop() {
            if let Way::Wildcard(_) = way {
                let name = &key.1;
                let sets = self.sets_of(&zone.id, zone.generation, name)?;
                way = if *name != zone.apex && is_cut(&sets) {
                    Way::Delegated
                } else {
                    self.wildcard_way(zone, name, (way, !sets.is_empty()))?
                };
            }
            ways.insert(key, way.clone());
        }
        Ok(way)
    }

    /// The way below a name that is no delegation, from that below its parent and whether it is there.
    fn wildcard_way(
        &self,
        zone: &Answering,
        name: &Name,
        (above, is_there): (Way, bool),
    ) -> Result<Way, S::Error> {
        if let Some(wildcard) = wildcard_below(name)
            && !self
                .sets_of(&zone.id, zone.generation, &wildcard)?
                .is_empty()
        {
            return Ok(Way::Wildcard(Some(wildcard)));
        }
        Ok(if is_there { Way::Wildcard(None) } else { above })
    }

    /// The public zone that answers for a name, if it is the account's. Where others have one that is
    /// nearer to the name, nothing is said of it.
    fn zone_of_name(
        &self,
        name: &Name,
        zones: &mut HashMap<Name, Option<Answering>>,
    ) -> Result<Option<Answering>, S::Error> {
        let mut unknown = Vec::new();
        let mut answering = None;
        let most = self.state.zone_labels_in_common(name)?;
        // This one may be new.
        let own = (self.zone.name.sort_key(), name.sort_key());
        let most = most.max(labels_in_common(own.0.as_bytes(), own.1.as_bytes()));
        let mut above = Some(cut_to(name.clone(), most));
        // At most 128 turns: a name has no more labels.
        while let Some(apex) = above {
            if let Some(known) = zones.get(&apex) {
                answering.clone_from(known);
                break;
            }
            above = apex.parent();
            let found = self.zone_named(&apex)?;
            unknown.push(apex);
            if let Some(zone) = found {
                answering = zone;
                break;
            }
        }
        if zones.len() > MAX_REMEMBERED {
            zones.clear();
        }
        for name in unknown {
            zones.insert(name, answering.clone());
        }
        Ok(answering)
    }

    /// Whether there are public zones of this name, and the account's that answers, if one does.
    fn zone_named(&self, apex: &Name) -> Result<Option<Option<Answering>>, S::Error> {
        let mut zones = self.state.zones_named(apex)?;
        // This one as it will be; it may be new.
        zones.retain(|zone| zone.id != self.zone.id);
        if self.zone.name == *apex {
            zones.push(self.zone.clone());
        }
        zones.retain(|zone| !zone.private);
        if zones.is_empty() {
            return Ok(None);
        }
        zones.retain(|zone| zone.account == self.zone.account);
        // Of two zones of one name the older answers.
        let oldest = zones.into_iter().min_by_key(|zone| zone.created_at);
        Ok(Some(oldest.map(|zone| Answering {
            id: zone.id,
            generation: zone.generation,
            apex: zone.name,
        })))
    }

    /// How many labels a name has in common, from the root on, with one that has sets or had.
    fn labels_in_common(&self, zone: &Answering, name: &Name) -> Result<usize, S::Error> {
        let stored = self.state.labels_in_common(zone.generation, name)?;
        if zone.id != self.zone.id || self.names.is_empty() {
            return Ok(stored);
        }
        // In this order those that have most in common stand beside each other.
        let key = name.sort_key();
        let before = self.names.range(..key.clone()).next_back();
        let around = before
            .into_iter()
            .chain(self.names.range(key.clone()..).next());
        let common = around.map(|(other, _)| labels_in_common(other.as_bytes(), key.as_bytes()));
        Ok(common.max().unwrap_or(0).max(stored))
    }

    /// The sets of a name: those of the zone as the batch leaves them.
    pub(super) fn sets_of(
        &self,
        zone: &ZoneId,
        generation: Generation,
        name: &Name,
    ) -> Result<Cow<'a, [RecordSet]>, S::Error> {
        if *zone == self.zone.id
            && !self.names.is_empty()
            && let Some(sets) = self.names.get(&name.sort_key())
        {
            return Ok(Cow::Borrowed(sets));
        }
        self.state.sets_at(generation, name).map(Cow::Owned)
    }
}

/// The name above this one, or itself, that has at most so many labels.
fn cut_to(mut name: Name, most: usize) -> Name {
    for _ in most..name.label_count() {
        match name.parent() {
            Some(parent) => name = parent,
            None => break,
        }
    }
    name
}

fn is_cut(sets: &[RecordSet]) -> bool {
    sets.iter().any(|set| set.key.rtype == RecordType::Ns)
}

/// The wildcard right below a name; none where it would be too long.
fn wildcard_below(name: &Name) -> Option<Name> {
    Name::from_wire(&[b"\x01*", name.as_wire()].concat()).ok()
}
