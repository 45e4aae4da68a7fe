//! Where aliases lead: over other aliases of the account's zones, and over host names elsewhere that
//! are in one of them after all. What a resolver finds where the account has no zone is not known
//! here.

use std::collections::HashMap;

use meridian_dns::{Name, RecordType};

use super::Final;
use crate::id::ZoneId;
use crate::record_set::{RecordSet, SetData};
use crate::service_zone::external;
use crate::state::State;
use crate::zone::Zone;

/// The longest chain of aliases, in links.
pub(super) const MAX_ALIAS_DEPTH: usize = 16;
/// The most sets looked at when a loop is searched for.
const MAX_ALIAS_STEPS: usize = 4096;
/// How many places behind each other are looked at. Chains of aliases end before; what is asked for
/// anew is not counted there.
const MAX_PATH: usize = 64;

/// The places whose aliases were followed, and how deep in a chain that was. Shared by all
/// aliases of a batch: what they reach together is walked once.
pub(in crate::plan) type Followed = HashMap<SetPlace, usize>;

/// The sets of one name and type in a zone.
pub(in crate::plan) type SetPlace = (ZoneId, Name, RecordType);

/// What is behind an alias.
pub(super) enum Search {
    /// Something that is no alias, or nothing that could be seen.
    Ends,
    /// Itself, or a loop of others, by these names.
    Loop(Vec<String>),
    /// More than may be.
    TooLong,
}

/// A set on the way.
struct Step {
    zone: Zone,
    set: RecordSet,
    /// Places on the way to it.
    path: usize,
    /// Aliases that an answer follows to get to it: what is elsewhere is asked for by a question of
    /// its own.
    links: usize,
}

/// Where a set leads.
struct Next {
    zone: Zone,
    /// Whose sets are there: that name, or a wildcard in place of it.
    name: Name,
    sets: Vec<RecordSet>,
    elsewhere: bool,
}

impl<S: State> Final<'_, S> {
    /// Follows the alias and every alias behind it, depth first.
    pub(super) fn search_loop(
        &self,
        start: &RecordSet,
        followed: &mut Followed,
    ) -> Result<Search, S::Error> {
        let rtype = start.key.rtype;
        let mut open = vec![Step {
            zone: self.zone.clone(),
            set: start.clone(),
            path: 1,
            links: 1,
        }];
        let mut path: Vec<(SetPlace, String)> = Vec::new();
        for _ in 0..MAX_ALIAS_STEPS {
            let Some(step) = open.pop() else {
                return Ok(Search::Ends);
            };
            let set = &step.set;
            let is_alias = matches!(set.data, SetData::Alias(_));
            if !is_alias && set.key.rtype != RecordType::Cname {
                continue;
            }
            path.truncate(step.path - 1);
            let place = (step.zone.id.clone(), set.key.name.clone(), rtype);
            path.push((place, set.key.name.to_string()));
            if step.links > MAX_ALIAS_DEPTH {
                return Ok(Search::TooLong);
            }
            for next in self.next(&step)? {
                let place = (next.zone.id.clone(), next.name.clone(), rtype);
                if path.iter().any(|(seen, _)| *seen == place) {
                    let mut names: Vec<String> = path.into_iter().map(|(_, name)| name).collect();
                    names.push(next.name.to_string());
                    return Ok(Search::Loop(names));
                }
                let links = if next.elsewhere { 1 } else { step.links + 1 };
                // What was followed from as deep or deeper ends, or has been refused already.
                let known = followed
                    .get(&place)
                    .is_some_and(|deepest| *deepest >= links);
                if known || step.path >= MAX_PATH {
                    continue;
                }
                followed.insert(place, links);
                let leads = |set: &RecordSet| {
                    set.key.rtype == rtype || next.elsewhere && set.key.rtype == RecordType::Cname
                };
                open.extend(next.sets.into_iter().filter(leads).map(|set| Step {
                    zone: next.zone.clone(),
                    set,
                    path: step.path + 1,
                    links,
                }));
            }
        }
        Ok(Search::TooLong)
    }

    /// Where a set leads.
    fn next(&self, step: &Step) -> Result<Vec<Next>, S::Error> {
        let set = &step.set;
        match &set.data {
            SetData::Alias(target) => {
                if let Some(zone) = self.target_zone(target)? {
                    return Ok(vec![Next {
                        sets: self.sets_at(&zone, &target.name)?,
                        name: target.name.clone(),
                        zone,
                        elsewhere: false,
                    }]);
                }
                if external(&target.zone).is_none() {
                    return Ok(Vec::new());
                }
                Ok(self.asked_for(&target.name)?.into_iter().collect())
            }
            SetData::Records { values, .. } if set.key.rtype == RecordType::Cname => {
                let names = values.iter().filter_map(|value| Name::parse(value).ok());
                let found = names.map(|name| self.asked_for(&name.to_lowercase()));
                found.filter_map(Result::transpose).collect()
            }
            SetData::Records { .. } => Ok(Vec::new()),
        }
    }

    /// What a resolver finds by a name, as far as the account's own zones say: those that
    /// everybody sees.
    fn asked_for(&self, name: &Name) -> Result<Option<Next>, S::Error> {
        let Some(zone) = self.zone_of_name(name)? else {
            return Ok(None);
        };
        let found = self.sets_at(&zone, name)?;
        if *name == zone.name || !found.is_empty() && !is_cut(&found) {
            let in_child = self.is_delegated(&zone, name.parent())?;
            return Ok((!in_child).then(|| Next {
                name: name.clone(),
                sets: found,
                zone,
                elsewhere: true,
            }));
        }
        if is_cut(&found) || self.is_delegated(&zone, name.parent())? {
            return Ok(None);
        }
        // Up to the closest name that is there, whose wildcard stands for all below it.
        let mut above = name.parent();
        while let Some(ancestor) = above.filter(|ancestor| ancestor.is_within(&zone.name)) {
            if let Some(wildcard) = wildcard_below(&ancestor) {
                let sets = self.sets_at(&zone, &wildcard)?;
                if !sets.is_empty() {
                    return Ok(Some(Next {
                        name: wildcard,
                        sets,
                        zone,
                        elsewhere: true,
                    }));
                }
            }
            if !self.sets_at(&zone, &ancestor)?.is_empty() {
                return Ok(None);
            }
            above = ancestor.parent();
        }
        Ok(None)
    }

    /// Whether the name, or one above it, is a delegation out of the zone.
    fn is_delegated(&self, zone: &Zone, name: Option<Name>) -> Result<bool, S::Error> {
        let mut above = name;
        // At most 127 turns: a name has no more labels.
        while let Some(name) = above.filter(|name| name.is_within(&zone.name) && *name != zone.name)
        {
            if is_cut(&self.sets_at(zone, &name)?) {
                return Ok(true);
            }
            above = name.parent();
        }
        Ok(false)
    }

    /// The public zone that answers for a name, if it is the account's. Where others have one that is
    /// nearer to the name, nothing is said of it.
    fn zone_of_name(&self, name: &Name) -> Result<Option<Zone>, S::Error> {
        let mut above = Some(name.clone());
        // At most 128 turns: a name has no more labels.
        while let Some(apex) = above {
            let mut zones = self.state.zones_named(&apex)?;
            // This one as it will be; it may be new.
            zones.retain(|zone| zone.id != self.zone.id);
            if self.zone.name == apex {
                zones.push(self.zone.clone());
            }
            zones.retain(|zone| !zone.private);
            if !zones.is_empty() {
                zones.retain(|zone| zone.account == self.zone.account);
                // Of two zones of one name the older answers.
                return Ok(zones.into_iter().min_by_key(|zone| zone.created_at));
            }
            above = apex.parent();
        }
        Ok(None)
    }
}

fn is_cut(sets: &[RecordSet]) -> bool {
    sets.iter().any(|set| set.key.rtype == RecordType::Ns)
}

/// The wildcard right below a name; none where it would be too long.
fn wildcard_below(name: &Name) -> Option<Name> {
    Name::from_wire(&[b"\x01*", name.as_wire()].concat()).ok()
}
