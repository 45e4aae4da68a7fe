//! ChangeResourceRecordSets: a batch is planned whole, collecting every error.

use std::collections::{BTreeMap, HashMap};

use meridian_dns::message::fits_in_message;
use meridian_dns::{Name, RecordType, rdata};

use super::PlanError;
use super::conflicts::Final;
use super::protections::check_protections;
use super::structure::{self, Nonsense};
use crate::draft::{Action, DraftChange};
use crate::effect::Effect;
use crate::id::{CidrCollectionId, Generation};
use crate::own_region::OwnRegion;
use crate::quota::Quota;
use crate::record_set::{RecordSet, SetData, SetKey};
use crate::routing::{Region, Routing};
use crate::state::State;
use crate::zone::Zone;

/// Why a batch is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchRefusal {
    /// `InvalidInput` with this message.
    InvalidInput(String),
    /// `InvalidChangeBatch` with these messages, in order.
    InvalidChangeBatch(Vec<String>),
    /// `NoSuchHealthCheck` with this id.
    NoSuchHealthCheck(String),
}

type Planned<E> = Result<Vec<Effect>, PlanError<BatchRefusal, E>>;

/// What a batch does to a zone. Identical sets written again have no effect.
///
/// # Errors
/// All errors of the batch together, or the state's.
pub fn plan_batch<S: State>(state: &S, zone: &Zone, changes: &[DraftChange]) -> Planned<S::Error> {
    let refuse = |problems| {
        Err(PlanError::Refused(BatchRefusal::InvalidChangeBatch(
            problems,
        )))
    };
    if let Some(problem) = over_limit(state, zone, changes)? {
        return refuse(vec![problem]);
    }
    let mut problems = Vec::new();
    let mut sets = Vec::with_capacity(changes.len());
    for change in changes {
        match structure::record_set(change) {
            Ok(set) => sets.push((change.action, set)),
            Err(Nonsense::Input(text)) => {
                return Err(PlanError::Refused(BatchRefusal::InvalidInput(text)));
            }
            Err(Nonsense::Name(text)) => problems.push(text),
        }
    }
    check_health_checks(state, zone, &sets)?;
    if let Some(region) = unknown_region(state, &sets)? {
        let text = not_in_enumeration(&region, &state.own_regions()?);
        return Err(PlanError::Refused(BatchRefusal::InvalidInput(text)));
    }
    check_collections(state, zone, &sets, &mut problems)?;
    check_protections(
        state,
        zone,
        sets.iter().map(|(_, set)| &set.key),
        &mut problems,
    )?;
    let most = SetLimits::of(state, zone)?;
    let mut working = Working::new(state, zone, most.values);
    for (action, set) in sets {
        working.change(action, set, &mut problems)?;
    }
    let finished = Final::new(state, zone, &working.names, &working.written);
    finished.check(&most, &mut problems)?;
    working.check_room(&mut problems)?;
    if problems.is_empty() {
        Ok(working.effects())
    } else {
        refuse(problems)
    }
}

/// The most sets of one name and type, whatever an account's limit is: an answer looks at all of
/// them, and no more are kept to be answered.
const MAX_POLICY_SETS: u64 = 1000;

/// The account's limits on single sets and on those of one name and type.
#[derive(Debug)]
pub(super) struct SetLimits {
    pub(super) values: u64,
    pub(super) policy_sets: u64,
    pub(super) geoproximity_sets: u64,
}

impl SetLimits {
    pub(super) fn of<S: State>(state: &S, zone: &Zone) -> Result<Self, S::Error> {
        let limit = |quota| state.limit(&zone.account, quota);
        Ok(Self {
            values: limit(Quota::ValuesByRecordSet)?,
            policy_sets: limit(Quota::PolicySetsByName)?.min(MAX_POLICY_SETS),
            geoproximity_sets: limit(Quota::GeoproximitySetsByName)?.min(MAX_POLICY_SETS),
        })
    }
}

/// Whether [`plan_batch`] looks at the record sets of no zone but its own: the batch writes no alias,
/// whose chain could lead into others. Batches of which that is true can be planned on one state and
/// applied one after another, as long as they are for different zones.
pub fn keeps_to_zone(changes: &[DraftChange]) -> bool {
    let writes_alias =
        |change: &DraftChange| change.action != Action::Delete && change.set.alias_target.is_some();
    !changes.iter().any(writes_alias)
}

/// Why the batch is too large, if it is: counted are its values, those of an UPSERT twice.
fn over_limit<S: State>(
    state: &S,
    zone: &Zone,
    changes: &[DraftChange],
) -> Result<Option<String>, S::Error> {
    let most_elements = state.limit(&zone.account, Quota::ValuesByBatch)?;
    let most_characters = state.limit(&zone.account, Quota::CharactersByBatch)?;
    let (mut elements, mut characters) = (0, 0);
    for change in changes {
        let times = if change.action == Action::Upsert {
            2
        } else {
            1
        };
        let values = change.set.records.as_deref().unwrap_or_default();
        // An alias has no values and counts as one.
        elements += times * values.len().max(1);
        characters += times * values.iter().map(|v| v.chars().count()).sum::<usize>();
    }
    if elements as u64 > most_elements {
        return Ok(Some(format!(
            "Number of records limit of {most_elements} exceeded."
        )));
    }
    Ok((characters as u64 > most_characters)
        .then(|| format!("RDATA character limit of {most_characters} exceeded.")))
}

pub(super) fn check_health_checks<S: State>(
    state: &S,
    zone: &Zone,
    sets: &[(Action, RecordSet)],
) -> Result<(), PlanError<BatchRefusal, S::Error>> {
    for (action, set) in sets {
        if let Some(id) = &set.health_check_id
            && *action != Action::Delete
            && !state.health_check_exists(&zone.account, id)?
        {
            return Err(PlanError::Refused(BatchRefusal::NoSuchHealthCheck(
                id.clone(),
            )));
        }
    }
    Ok(())
}

/// A region that is written and that there is none of. What is taken away may name any.
pub(super) fn unknown_region<S: State>(
    state: &S,
    sets: &[(Action, RecordSet)],
) -> Result<Option<Region>, S::Error> {
    let written = sets.iter().filter(|(action, _)| *action != Action::Delete);
    let mut unknown = written.filter_map(|(_, set)| match &set.routing {
        Routing::Latency(region) if Region::new(region.as_str()).is_none() => Some(region),
        _ => None,
    });
    let Some(first) = unknown.next() else {
        return Ok(None);
    };
    let own = state.own_regions()?;
    let is_own = |region: &&Region| own.iter().any(|other| other.name == **region);
    let unknown = [first].into_iter().chain(unknown).find(|it| !is_own(it));
    Ok(unknown.cloned())
}

/// In the words of Route 53, to which the name would not be valid XML.
fn not_in_enumeration(region: &Region, own: &[OwnRegion]) -> String {
    let mut words: Vec<&str> = Region::known().collect();
    words.extend(own.iter().map(|region| region.name.as_str()));
    format!(
        "Invalid XML ; cvc-enumeration-valid: Value '{}' is not facet-valid with respect to \
         enumeration '[{}]'. It must be a value from the enumeration.",
        region.as_str(),
        words.join(", ")
    )
}

pub(super) fn check_collections<S: State>(
    state: &S,
    zone: &Zone,
    sets: &[(Action, RecordSet)],
    problems: &mut Vec<String>,
) -> Result<(), S::Error> {
    for (action, set) in sets {
        let Routing::Cidr {
            collection_id,
            location,
        } = &set.routing
        else {
            continue;
        };
        if *action == Action::Delete {
            continue;
        }
        if zone.private {
            let SetKey { name, rtype, .. } = &set.key;
            problems.push(format!(
                "RRSet of type {rtype} with DNS name {name} is not permitted as CidrRoutingConfig \
                 is not supported in the private hosted zone {}",
                zone.name
            ));
        } else {
            problems.extend(no_such_location(state, zone, collection_id, location)?);
        }
    }
    Ok(())
}

/// What is missing of the location that a set is for.
fn no_such_location<S: State>(
    state: &S,
    zone: &Zone,
    collection_id: &str,
    location: &str,
) -> Result<Option<String>, S::Error> {
    let found = match CidrCollectionId::new(collection_id) {
        Ok(id) => state.cidr_collection(&id)?,
        Err(_) => None,
    };
    let Some(collection) = found.filter(|found| found.account == zone.account) else {
        return Ok(Some(format!(
            "A CIDR collection with id {collection_id} does not exist."
        )));
    };
    let exists = location == "*" || state.cidr_location_exists(&collection.id, location)?;
    Ok((!exists).then(|| {
        format!(
            "A CIDR location with name {location} does not exist in the CIDR collection with id \
             {collection_id}."
        )
    }))
}

/// The sets at every touched name, before and while the batch is played through.
pub(super) struct Working<'a, S: State> {
    state: &'a S,
    zone: &'a Zone,
    max_values: u64,
    before: BTreeMap<String, Vec<RecordSet>>,
    pub(super) names: BTreeMap<String, Vec<RecordSet>>,
    /// The sets that were created or replaced, in order.
    pub(super) written: Vec<SetKey>,
    last_action: HashMap<SetKey, Action>,
}

impl<'a, S: State> Working<'a, S> {
    pub(super) fn new(state: &'a S, zone: &'a Zone, max_values: u64) -> Self {
        Self {
            state,
            zone,
            max_values,
            before: BTreeMap::new(),
            names: BTreeMap::new(),
            written: Vec::new(),
            last_action: HashMap::new(),
        }
    }

    fn sets_at(&mut self, name: &Name) -> Result<&mut Vec<RecordSet>, S::Error> {
        let key = name.sort_key();
        if !self.names.contains_key(&key) {
            let sets = self.state.sets_at(self.zone.generation, name)?;
            self.before.insert(key.clone(), sets.clone());
            self.names.insert(key.clone(), sets);
        }
        Ok(self.names.entry(key).or_default())
    }

    /// Takes these as the sets at a name, instead of what the state has there.
    pub(super) fn start(&mut self, name: &Name, sets: Vec<RecordSet>) {
        self.before.insert(name.sort_key(), Vec::new());
        self.names.insert(name.sort_key(), sets);
    }

    /// The set of this key as it is now.
    pub(super) fn find(&self, key: &SetKey) -> Option<RecordSet> {
        let sets = self.names.get(&key.name.sort_key())?;
        sets.iter().find(|set| set.key == *key).cloned()
    }

    /// Takes back what was done to one set since it was `old` and `written` sets were written.
    pub(super) fn undo(&mut self, key: &SetKey, old: Option<RecordSet>, written: usize) {
        self.written.truncate(written);
        self.last_action.remove(key);
        if let Some(sets) = self.names.get_mut(&key.name.sort_key()) {
            sets.retain(|set| set.key != *key);
            sets.extend(old);
        }
    }

    pub(super) fn change(
        &mut self,
        action: Action,
        set: RecordSet,
        problems: &mut Vec<String>,
    ) -> Result<(), S::Error> {
        let key = set.key.clone();
        let max_values = self.max_values;
        // What else is wrong is told as well, whatever the first problem is.
        let check_values_too = |problems: &mut Vec<String>| {
            if action != Action::Delete {
                check_values(&set, max_values, problems);
            }
        };
        if !key.name.is_within(&self.zone.name) {
            problems.push(format!(
                "RRSet with DNS name {} is not permitted in zone {}",
                key.name, self.zone.name
            ));
            check_values_too(problems);
            return Ok(());
        }
        if !self.may_follow(&key, action) {
            problems.push(format!(
                "The request contains an invalid set of changes for a resource record set '{} {}'",
                key.rtype, key.name
            ));
            check_values_too(problems);
            return Ok(());
        }
        let sets = self.sets_at(&key.name)?;
        if let Some(instance) = managed_by(sets, &set) {
            problems.push(format!(
                "The resource record set {key} belongs to the traffic policy instance {instance}, \
                 and is changed and deleted with it alone"
            ));
            return Ok(());
        }
        let found = sets.iter().position(|other| other.key == key);
        match (action, found) {
            (Action::Delete, None) => problems.push(format!(
                "Tried to delete resource record set {key} but it was not found"
            )),
            (Action::Delete, Some(at)) if !same(&sets[at], &set) => problems.push(format!(
                "Tried to delete resource record set {key} but the values provided do not match \
                 the current values"
            )),
            (Action::Delete, Some(at)) => {
                sets.remove(at);
            }
            (Action::Create, Some(_)) => {
                problems.push(format!(
                    "Tried to create resource record set {key} but it already exists"
                ));
                check_values_too(problems);
            }
            (Action::Create | Action::Upsert, found) => {
                check_values(&set, max_values, problems);
                match found {
                    Some(at) => sets[at] = set,
                    None => sets.push(set),
                }
                self.written.push(key);
            }
        }
        Ok(())
    }

    /// A set may be deleted and then made anew in one batch; anything else touches it twice.
    fn may_follow(&mut self, key: &SetKey, action: Action) -> bool {
        let last = self.last_action.insert(key.clone(), action);
        last.is_none_or(|last| last == Action::Delete && action != Action::Delete)
    }

    pub(super) fn check_room(&self, problems: &mut Vec<String>) -> Result<(), S::Error> {
        let (before, after) = self.counts(|set| !set.is_hidden());
        if after > before {
            let limit = self
                .state
                .limit(&self.zone.account, Quota::RecordSetsByZone)?;
            let total = self.state.set_count(self.zone.generation)? + after - before;
            if total > limit {
                problems.push(format!(
                    "Exceeded limit MAX_RRSETS_BY_ZONE for zone: {}",
                    self.zone.id
                ));
            }
        }
        let (before, after) = self.counts(RecordSet::is_external_alias);
        if after > before {
            let (state, account) = (self.state, &self.zone.account);
            let limit = state.limit(account, Quota::ExternalAliasesByOwner)?;
            if state.external_alias_count(account)? + after - before > limit {
                problems.push(format!(
                    "Exceeded limit {} for account: {account}: there can be no more than {limit} \
                     aliases that target names outside of its hosted zones",
                    Quota::ExternalAliasesByOwner.as_str()
                ));
            }
        }
        Ok(())
    }

    /// How many sets of a kind there were and are at the names that were touched.
    fn counts(&self, is_one: impl Fn(&RecordSet) -> bool) -> (u64, u64) {
        let count = |names: &BTreeMap<String, Vec<RecordSet>>| -> u64 {
            let sets = names.values().flatten();
            sets.filter(|set| is_one(set)).count() as u64
        };
        (count(&self.before), count(&self.names))
    }

    /// Tombstones and after-images of what the batch really changed, in order of names.
    pub(super) fn effects(self) -> Vec<Effect> {
        let generation: Generation = self.zone.generation;
        let mut effects = Vec::new();
        for (name, after) in self.names {
            let before = self.before.get(&name).map_or(&[][..], Vec::as_slice);
            for set in before {
                if !after.iter().any(|other| other.key == set.key) {
                    effects.push(Effect::DeleteSet {
                        generation,
                        key: set.key.clone(),
                    });
                }
            }
            for set in after {
                if !before.contains(&set) {
                    effects.push(Effect::PutSet { generation, set });
                }
            }
        }
        effects
    }
}

/// The traffic policy instance whose name and type it is that somebody else changes.
fn managed_by<'s>(sets: &'s [RecordSet], changed: &RecordSet) -> Option<&'s str> {
    let others = sets.iter().filter(|set| {
        set.key.rtype == changed.key.rtype
            && set.traffic_policy_instance_id != changed.traffic_policy_instance_id
    });
    let mut instances = others.filter_map(|set| set.traffic_policy_instance_id.as_deref());
    instances.next()
}

/// Whether a DELETE names the set as it is: values in any order, compared as they are meant.
fn same(stored: &RecordSet, given: &RecordSet) -> bool {
    let data = match (&stored.data, &given.data) {
        (SetData::Records { ttl: a, values: x }, SetData::Records { ttl: b, values: y }) => {
            a == b && meanings(stored.key.rtype, x) == meanings(stored.key.rtype, y)
        }
        (a, b) => a == b,
    };
    data && stored.routing == given.routing && stored.health_check_id == given.health_check_id
}

/// What values mean, sorted: their wire form where they have one, else the text.
fn meanings(rtype: RecordType, values: &[String]) -> Vec<Vec<u8>> {
    let mut meanings: Vec<Vec<u8>> = values
        .iter()
        .map(|text| rdata::parse(rtype, text).unwrap_or_else(|_| text.clone().into_bytes()))
        .collect();
    meanings.sort();
    meanings
}

fn check_values(set: &RecordSet, most: u64, problems: &mut Vec<String>) {
    let SetData::Records { values, .. } = &set.data else {
        return;
    };
    let rtype = set.key.rtype;
    if values.len() as u64 > most {
        problems.push(format!("Cannot have more than {most} records in a RRSet."));
        return;
    }
    if matches!(rtype, RecordType::Cname | RecordType::Soa) && values.len() > 1 {
        problems.push(format!(
            "RRSet of type {rtype} with DNS name {} cannot have more than one record.",
            set.key.name
        ));
    }
    let mut seen: Vec<Vec<u8>> = Vec::with_capacity(values.len());
    for value in values {
        match rdata::parse(rtype, value) {
            Err(error) => {
                problems.push(format!("Invalid Resource Record: FATAL problem: {error}"));
            }
            Ok(wire) if seen.contains(&wire) => {
                problems.push(format!("Duplicate Resource Record: '{value}'"));
            }
            Ok(wire) => seen.push(wire),
        }
    }
    if !fits_in_message(seen.iter().map(Vec::len)) {
        problems.push(format!(
            "RRSet of type {rtype} with DNS name {} does not fit into one DNS message.",
            set.key.name
        ));
    }
}
