//! What a batch of changes would make of a zone, without making it: planned as
//! ChangeResourceRecordSets plans it, and never written. What that does to answers is the other
//! plane's business.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::ops::ControlFlow;

use meridian_dns::{Name, RecordType};
use meridian_log::Snapshot;
use meridian_model::{
    CidrBlock, CidrCollection, CidrCollectionId, CidrLocation, DraftChange, Effect, PlanError,
    RecordSet, SetData, State, Vpc, Zone, ZoneId, plan_batch,
};

use super::Outcome;
use super::zone::zone_of;
use crate::control::Control;
use crate::operation::batch_refusal;
use crate::refusal::Refusal;

/// The most questions that are asked of a change.
const MAX_QUESTIONS: usize = 1000;

/// A change that is not made, and the state that it would be made in.
#[derive(Debug)]
pub struct ChangePreview {
    snapshot: Snapshot,
    /// The zone.
    pub zone: Zone,
    /// The names whose sets it would change.
    pub names: Vec<PreviewedName>,
}

/// A name whose sets would be others.
#[derive(Debug, Clone)]
pub struct PreviewedName {
    /// The name.
    pub name: Name,
    /// All its sets.
    pub before: Vec<RecordSet>,
    /// All its sets afterwards.
    pub after: Vec<RecordSet>,
}

/// A query that may be answered otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PreviewedQuestion {
    /// The name asked for.
    pub name: Name,
    /// The type asked for.
    pub rtype: RecordType,
    /// Why it may be.
    pub why: PreviewReason,
}

/// Why a query may be answered otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewReason {
    /// Its own sets are changed.
    Changed,
    /// It is an alias that leads to changed sets.
    Alias,
    /// It has a CNAME that leads to changed sets.
    Cname,
    /// Its name begins or ends to hide a wildcard.
    Wildcard,
}

/// A CIDR collection that record sets of the zone can refer to.
#[derive(Debug, Clone)]
pub struct PreviewedCollection {
    /// The collection.
    pub collection: CidrCollection,
    /// Its blocks, by address.
    pub blocks: Vec<(CidrBlock, CidrLocation)>,
}

/// Who leads to a name: an alias of one type, or a CNAME for all.
type Pointers = HashMap<Name, Vec<(Name, Option<RecordType>)>>;

impl Control {
    /// Plans a batch for a zone, by id or name, and writes nothing.
    ///
    /// # Errors
    /// When there is no such zone; what ChangeResourceRecordSets would refuse comes as that.
    pub fn preview_change(
        &self,
        zone: &str,
        changes: &[DraftChange],
    ) -> Outcome<Result<ChangePreview, Refusal>> {
        let snapshot = self.fresh()?;
        let zone = zone_of(&snapshot, zone, None)?;
        let effects = match plan_batch(&snapshot, &zone, changes) {
            Ok(effects) => effects,
            Err(PlanError::State(error)) => return Err(error.into()),
            Err(PlanError::Refused(refusal)) => return Ok(Err(batch_refusal(refusal))),
        };
        let mut names: BTreeMap<String, PreviewedName> = BTreeMap::new();
        for effect in effects {
            let (key, set) = match effect {
                Effect::PutSet { set, .. } => (set.key.clone(), Some(set)),
                Effect::DeleteSet { key, .. } => (key, None),
                _ => continue,
            };
            let sort_key = key.name.sort_key();
            if !names.contains_key(&sort_key) {
                let before = snapshot.sets_at(zone.generation, &key.name)?;
                let name = PreviewedName {
                    name: key.name.clone(),
                    after: before.clone(),
                    before,
                };
                names.insert(sort_key.clone(), name);
            }
            if let Some(name) = names.get_mut(&sort_key) {
                name.after.retain(|other| other.key != key);
                name.after.extend(set);
            }
        }
        Ok(Ok(ChangePreview {
            snapshot,
            zone,
            names: names.into_values().collect(),
        }))
    }
}

impl ChangePreview {
    /// The queries that may be answered otherwise, and whether there are more. Looks at all sets of
    /// the zone. Names that a new delegation takes from the zone are not among them.
    ///
    /// # Errors
    /// When the sets cannot be read.
    pub fn questions(&self) -> Outcome<(Vec<PreviewedQuestion>, usize)> {
        let pointers = self.pointers()?;
        let mut questions = Questions::default();
        for name in &self.names {
            let changed = RecordType::ALL.into_iter().filter(|rtype| {
                let of = |sets: &[RecordSet]| -> Vec<RecordSet> {
                    let sets = sets.iter().filter(|set| set.key.rtype == *rtype);
                    sets.cloned().collect()
                };
                of(&name.before) != of(&name.after)
            });
            for rtype in changed {
                questions.add(&name.name, rtype, PreviewReason::Changed);
            }
        }
        for name in &self.names {
            if name.before.is_empty() != name.after.is_empty() {
                for rtype in self.wildcard_types(&name.name)? {
                    questions.add(&name.name, rtype, PreviewReason::Wildcard);
                }
            }
        }
        while let Some((name, rtype)) = questions.open.pop_front() {
            for (owner, alias) in leading_to(&pointers, &name) {
                match alias {
                    Some(alias) if *alias == rtype => {
                        questions.add(owner, rtype, PreviewReason::Alias);
                    }
                    Some(_) => {}
                    None if rtype == RecordType::Cname => {
                        // What they lead to in the end is not known here.
                        for rtype in [RecordType::A, RecordType::Aaaa] {
                            questions.add(owner, rtype, PreviewReason::Cname);
                        }
                    }
                    None => questions.add(owner, rtype, PreviewReason::Cname),
                }
            }
        }
        Ok((questions.all, questions.left_out))
    }

    /// All sets at a name that are there before or after.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn sets_at(&self, zone: &ZoneId, name: &Name) -> Outcome<Vec<RecordSet>> {
        if *zone == self.zone.id
            && let Some(touched) = self.names.iter().find(|touched| touched.name == *name)
        {
            return Ok([&touched.before[..], &touched.after[..]].concat());
        }
        Ok(match self.snapshot.zone(zone)? {
            Some(zone) => self.snapshot.sets_at(zone.generation, name)?,
            None => Vec::new(),
        })
    }

    /// The CIDR collections of the zone's account with their blocks.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn collections(&self) -> Outcome<Vec<PreviewedCollection>> {
        let account = &self.zone.account;
        let found = self
            .snapshot
            .cidr_collections_of(account, None, usize::MAX)?;
        let blocks = |id: &CidrCollectionId| self.snapshot.cidr_blocks(id);
        let with_blocks = found.into_iter().map(|collection| {
            let blocks = blocks(&collection.id)?;
            Ok(PreviewedCollection { collection, blocks })
        });
        with_blocks.collect()
    }

    /// The VPCs that see the zone.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn vpcs(&self) -> Outcome<Vec<Vpc>> {
        let mut vpcs = Vec::new();
        for associated in &self.zone.vpcs {
            vpcs.extend(self.snapshot.vpc(&associated.id)?);
        }
        Ok(vpcs)
    }

    /// Who leads to which name of the zone, before or after.
    fn pointers(&self) -> Outcome<Pointers> {
        let mut pointers = Pointers::new();
        self.snapshot.each_set(self.zone.generation, |set| {
            self.point(&set, &mut pointers);
            ControlFlow::Continue(())
        })?;
        for set in self.names.iter().flat_map(|name| &name.after) {
            self.point(set, &mut pointers);
        }
        Ok(pointers)
    }

    fn point(&self, set: &RecordSet, pointers: &mut Pointers) {
        let owner = || set.key.name.clone();
        match &set.data {
            SetData::Alias(target) if target.zone == self.zone.id => {
                let known = pointers.entry(target.name.clone()).or_default();
                known.push((owner(), Some(set.key.rtype)));
            }
            SetData::Records { values, .. } if set.key.rtype == RecordType::Cname => {
                for target in values.iter().filter_map(|value| Name::parse(value).ok()) {
                    let known = pointers.entry(target.to_lowercase()).or_default();
                    known.push((owner(), None));
                }
            }
            _ => {}
        }
    }

    /// The types of the wildcard that stands in for a name, before or after.
    fn wildcard_types(&self, name: &Name) -> Outcome<Vec<RecordType>> {
        let mut above = name.parent();
        // As often as a name has labels.
        while let Some(parent) = above.filter(|parent| parent.is_within(&self.zone.name)) {
            if let Ok(wildcard) = Name::parse(&format!("*.{parent}"))
                && wildcard != *name
            {
                let sets = self.sets_at(&self.zone.id, &wildcard)?;
                if !sets.is_empty() {
                    return Ok(sets.iter().map(|set| set.key.rtype).collect());
                }
            }
            above = parent.parent();
        }
        Ok(Vec::new())
    }
}

/// Who leads to a name, or to one that this wildcard stands in for.
fn leading_to<'p>(
    pointers: &'p Pointers,
    name: &Name,
) -> impl Iterator<Item = &'p (Name, Option<RecordType>)> {
    let star = name.to_string();
    let base = star.strip_prefix("\\052.");
    let base = base.and_then(|base| Name::parse(base).ok());
    let below = base.into_iter().flat_map(move |base| {
        let below = pointers
            .iter()
            .filter(move |(target, _)| target.is_within(&base));
        let owners = below.flat_map(|(_, owners)| owners);
        owners.filter(|(_, alias)| alias.is_none())
    });
    pointers.get(name).into_iter().flatten().chain(below)
}

/// Questions, each once.
#[derive(Debug, Default)]
struct Questions {
    all: Vec<PreviewedQuestion>,
    known: HashSet<(Name, RecordType)>,
    open: VecDeque<(Name, RecordType)>,
    left_out: usize,
}

impl Questions {
    fn add(&mut self, name: &Name, rtype: RecordType, why: PreviewReason) {
        if self.known.contains(&(name.clone(), rtype)) {
            return;
        }
        if self.all.len() == MAX_QUESTIONS {
            self.left_out += 1;
            return;
        }
        self.known.insert((name.clone(), rtype));
        self.open.push_back((name.clone(), rtype));
        self.all.push(PreviewedQuestion {
            name: name.clone(),
            rtype,
            why,
        });
    }
}
