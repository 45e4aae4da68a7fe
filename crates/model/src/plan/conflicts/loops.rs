//! Where aliases lead: over other aliases of the account's zones, and over host names elsewhere that
//! are in one of them after all, which `asked` finds. Who leads to an alias is found in `above`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use meridian_dns::{Name, RecordType};

use super::Final;
use super::above::{Height, MAX_SOURCES};
use super::asked::Asked;
use crate::id::{Generation, ZoneId};
use crate::record_set::{RecordSet, SetData, SetKey};
use crate::service_zone::external;
use crate::state::State;

/// The longest chain of aliases, in links.
pub(super) const MAX_ALIAS_DEPTH: usize = 16;
/// The most sets that one alias is followed over, those not counted behind which was looked before.
pub(super) const MAX_ALIAS_STEPS: usize = 4096;
/// How many places behind each other are looked at. Chains of aliases end before; what is asked for
/// anew is not counted there.
const MAX_PATH: usize = 64;

/// What was found out on the way. Shared by all aliases of a batch: what they reach together is
/// walked once.
#[derive(Debug)]
pub(in crate::plan) struct Followed<'k> {
    behind: HashMap<Place, Behind>,
    pub(super) above: HashMap<SetPlace, Height>,
    /// How many aliases that lead to others are looked at yet.
    pub(super) sources_left: usize,
    pub(super) asked: Asked,
    /// Sets that are written beside those of the batch, and looked at themselves.
    pub(super) imported: HashSet<&'k SetKey>,
}

impl<'k> Followed<'k> {
    /// Nothing yet, where these are written and looked at one by one.
    pub(in crate::plan) fn with(imported: HashSet<&'k SetKey>) -> Self {
        Self {
            behind: HashMap::new(),
            above: HashMap::new(),
            sources_left: MAX_SOURCES,
            asked: Asked::default(),
            imported,
        }
    }

    /// Has as much be looked at for the next alias as for the first.
    pub(in crate::plan) fn renew(&mut self) {
        self.sources_left = MAX_SOURCES;
    }
}

/// The sets of one name and type in a zone.
pub(super) type SetPlace = (ZoneId, Name, RecordType);

/// Where a set leads: the sets of a name, as an alias or as a resolver finds them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Place {
    at: SetPlace,
    elsewhere: bool,
}

/// What is at a place.
#[derive(Debug, Clone, Copy)]
enum Behind {
    /// Sets or none, and so many links, one after the other.
    Links { any: bool, deepest: usize },
    /// Something that an alias was refused for.
    Refused,
}

/// What is behind an alias.
pub(super) enum Search {
    /// So many links with its own, and then something that is no alias, or nothing that could be seen.
    Ends(usize),
    /// Itself, or a loop of others, by these names.
    Loop(Vec<String>),
    /// More sets than are looked at.
    TooWide,
}

/// Why a walk does not go on.
enum Halt<E> {
    Found(Search),
    State(E),
}

impl<E> From<E> for Halt<E> {
    fn from(error: E) -> Self {
        Self::State(error)
    }
}

/// Where a set leads, before it was looked at.
pub(super) struct Next<'s> {
    pub(super) zone: ZoneId,
    pub(super) generation: Generation,
    /// Whose sets are there: that name, or a wildcard in place of it.
    pub(super) name: Name,
    /// If they are known.
    pub(super) sets: Option<Cow<'s, [RecordSet]>>,
    pub(super) elsewhere: bool,
}

/// One alias followed, depth first.
struct Walk<'f, 'k> {
    rtype: RecordType,
    /// From the alias to where it is.
    path: Vec<Place>,
    steps_left: usize,
    /// Whether something behind the place that is looked at was left out.
    is_short: bool,
    followed: &'f mut Followed<'k>,
}

impl<'a, S: State> Final<'a, S> {
    /// Follows the alias and every alias behind it.
    pub(super) fn search_loop(
        &self,
        start: &RecordSet,
        followed: &mut Followed<'_>,
    ) -> Result<Search, S::Error> {
        let SetKey { name, rtype, .. } = &start.key;
        let mut walk = Walk {
            rtype: *rtype,
            path: vec![Place {
                at: (self.zone.id.clone(), name.clone(), *rtype),
                elsewhere: false,
            }],
            steps_left: MAX_ALIAS_STEPS,
            is_short: false,
            followed,
        };
        let search = match self.follow(start, &mut walk) {
            Ok(links) => return Ok(Search::Ends(links)),
            Err(Halt::Found(search)) => search,
            Err(Halt::State(error)) => return Err(error),
        };
        // It is told once, not of each alias that leads there.
        for place in walk.path.drain(1..) {
            walk.followed.behind.insert(place, Behind::Refused);
        }
        Ok(search)
    }

    /// How many links there are from a set on.
    fn follow(&self, set: &RecordSet, walk: &mut Walk<'_, '_>) -> Result<usize, Halt<S::Error>> {
        let left = walk.steps_left.checked_sub(1);
        walk.steps_left = left.ok_or(Halt::Found(Search::TooWide))?;
        match &set.data {
            SetData::Alias(target) => {
                if let Some(zone) = self.target_zone(target)? {
                    let next = Next {
                        generation: zone.generation,
                        zone: zone.id,
                        name: target.name.clone(),
                        sets: None,
                        elsewhere: false,
                    };
                    return Ok(1 + self.look_at(next, walk)?);
                }
                if external(&target.zone).is_some()
                    && let Some(next) = self.asked_for(&target.name, &mut walk.followed.asked)?
                {
                    // An answer goes no further: what is there is asked for by a question of its own.
                    self.look_at(next, walk)?;
                }
                Ok(1)
            }
            SetData::Records { values, .. } if set.key.rtype == RecordType::Cname => {
                for name in values.iter().filter_map(|value| Name::parse(value).ok()) {
                    let name = name.to_lowercase();
                    if let Some(next) = self.asked_for(&name, &mut walk.followed.asked)? {
                        self.look_at(next, walk)?;
                    }
                }
                Ok(0)
            }
            SetData::Records { .. } => Ok(0),
        }
    }

    /// How many links there are from a place on. One that was looked at is not looked at again.
    fn look_at(&self, next: Next<'a>, walk: &mut Walk<'_, '_>) -> Result<usize, Halt<S::Error>> {
        let rtype = walk.rtype;
        let place = Place {
            at: (next.zone, next.name, rtype),
            elsewhere: next.elsewhere,
        };
        if walk.path.iter().any(|seen| seen.at == place.at) {
            let names = walk.path.iter().chain([&place]);
            let names = names.map(|place| place.at.1.to_string());
            return Err(Halt::Found(Search::Loop(names.collect())));
        }
        match walk.followed.behind.get(&place) {
            Some(Behind::Links { deepest, .. }) => return Ok(*deepest),
            Some(Behind::Refused) => return Ok(0),
            None => {}
        }
        if walk.path.len() >= MAX_PATH {
            walk.is_short = true;
            return Ok(0);
        }
        let (zone, name, _) = &place.at;
        let sets = match next.sets {
            Some(sets) => sets,
            None => self.sets_of(zone, next.generation, name)?,
        };
        let leads = |set: &&RecordSet| {
            set.key.rtype == rtype || place.elsewhere && set.key.rtype == RecordType::Cname
        };
        let was_short = std::mem::take(&mut walk.is_short);
        walk.path.push(place.clone());
        let mut deepest = 0;
        for set in sets.iter().filter(leads) {
            deepest = deepest.max(self.follow(set, walk)?);
        }
        walk.path.pop();
        // What is too long stays so, whatever else is there.
        if !walk.is_short || deepest > MAX_ALIAS_DEPTH {
            let any = sets.iter().any(|set| leads(&set));
            let behind = Behind::Links { any, deepest };
            walk.followed.behind.insert(place, behind);
        }
        walk.is_short |= was_short;
        Ok(deepest)
    }

    /// Whether there is anything of this type at a name that an alias points to.
    pub(super) fn is_there(
        &self,
        (zone, generation): (&ZoneId, Generation),
        (name, rtype): (&Name, RecordType),
        followed: &Followed<'_>,
    ) -> Result<bool, S::Error> {
        let place = Place {
            at: (zone.clone(), name.clone(), rtype),
            elsewhere: false,
        };
        match followed.behind.get(&place) {
            Some(Behind::Links { any, .. }) => Ok(*any),
            Some(Behind::Refused) => Ok(true),
            None => {
                let sets = self.sets_of(zone, generation, name)?;
                Ok(sets.iter().any(|set| set.key.rtype == rtype))
            }
        }
    }
}
