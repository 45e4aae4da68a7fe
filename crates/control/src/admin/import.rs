//! Importing a zone: names in order, planned by the rules of a batch, written into a generation
//! nobody sees and published by one entry. What files look like is not known here.

mod checks;
mod instances;
mod request;

use std::collections::{HashMap, HashSet, VecDeque};

use meridian_dns::{Name, RecordType};
use meridian_log::{SetStart, Snapshot};
use meridian_model::{
    Account, Change, Effect, Facts, FollowedAliases, Generation, ImportLimits, ImportedName,
    NewZone, PlanError, Quota, RecordSet, Seq, SetData, SetKey, State, TagSet, TaggedKind,
    TaggedResource, Zone, check_imported_apex, plan_create_zone, plan_imported_alias,
    plan_imported_name, plan_publish_generation,
};

use self::checks::{check_existing, check_room, check_unprotected, check_unpublished, room};
use self::instances::{Judged, StandingInstances};
pub use self::request::{
    ExistingSets, ImportOutcome, ImportRequest, ImportRoom, ImportTarget, Imported, ImportedApex,
    ImportedSet, InvalidSets, RefusedSet,
};
use super::delegation_set::delegation_set_of;
use super::zone::zone_of;
use super::{AdminError, OPERATOR, Outcome, account_or_operators};
use crate::control::Control;
use crate::generation::GenerationDraft;
use crate::refusal::{Fault, Refusal};

/// Sets of the zone that are read at a time while they are merged.
const MERGED_AT_A_TIME: usize = 1000;
/// Names after which the state is looked at anew.
const NAMES_PER_SNAPSHOT: u64 = 2000;
/// How often aliases are followed anew after some were left out: as often as a chain has links.
const ALIAS_ROUNDS: usize = 17;

/// An import at work. Names come in Route 53's order. Dropped it leaves nothing.
#[derive(Debug)]
pub struct ZoneImport<'a> {
    control: &'a Control,
    request: ImportRequest,
    account: Account,
    /// As it will be; of a new zone, as it was planned at the beginning.
    zone: Zone,
    /// None for a new zone.
    old: Option<Old>,
    /// None when nothing is to be written any more.
    draft: Option<GenerationDraft<'a>>,
    snapshot: Snapshot,
    limits: ImportLimits,
    last_name: Option<String>,
    /// The accepted aliases and their places.
    aliases: Vec<(u64, SetKey)>,
    apex: Vec<RecordSet>,
    /// Those of the zone, which stay.
    instances: StandingInstances,
    /// Names that were taken.
    names: u64,
    /// The most sets that the zone may have.
    room: u64,
    sets: u64,
    /// Those of them that are aliases to names elsewhere.
    external: u64,
    passed_over: u64,
    refused: u64,
}

/// The zone before an import.
#[derive(Debug)]
struct Old {
    zone: Zone,
    last_changed: Seq,
    /// Read but not merged yet.
    waiting: VecDeque<RecordSet>,
    /// Where reading goes on; none when all is read, or nothing is to be.
    next: Option<SetKey>,
    begun: bool,
}

impl Control {
    /// Begins an import.
    ///
    /// # Errors
    /// When there is no such zone or account, or it may not be imported to.
    pub fn begin_import(&self, request: ImportRequest) -> Outcome<ZoneImport<'_>> {
        let snapshot = self.fresh()?;
        let mut instances = StandingInstances::default();
        let (account, zone, old) = match &request.target {
            ImportTarget::Zone(text) => {
                let zone = zone_of(&snapshot, text, request.account.as_deref())?;
                check_existing(&snapshot, &zone, request.existing)?;
                check_unprotected(&snapshot, &zone)?;
                instances = StandingInstances::of(&snapshot, &zone)?;
                let account = snapshot.account(&zone.account)?;
                let account = account.ok_or_else(|| Fault::storage("a zone lost its account"))?;
                let old = Old {
                    last_changed: snapshot.stats(zone.generation)?.last_changed,
                    zone: zone.clone(),
                    waiting: VecDeque::new(),
                    next: None,
                    begun: request.existing != ExistingSets::Merge && instances.is_empty(),
                };
                (account, zone, Some(old))
            }
            ImportTarget::New { .. } => {
                let account = new_zones_account(&snapshot, &request)?;
                let mut facts = self.environment.facts();
                let (zone, _) = plan_new(&snapshot, &mut facts, &account, &request)?;
                (account, zone, None)
            }
        };
        let limits = ImportLimits::of(&snapshot, &zone)?;
        let room = room(&snapshot, &zone, request.room)?;
        let mut import = ZoneImport {
            control: self,
            account,
            zone,
            old,
            draft: None,
            snapshot,
            limits,
            last_name: None,
            aliases: Vec::new(),
            instances,
            names: 0,
            room,
            apex: Vec::new(),
            sets: 0,
            external: 0,
            passed_over: 0,
            refused: 0,
            request,
        };
        if import.request.outcome == ImportOutcome::Publish {
            let ZoneImport { account, zone, .. } = &import;
            let draft = self.begin_generation(OPERATOR, &account.id, &zone.id)?;
            import.zone.generation = draft.generation();
            import.draft = Some(draft);
        } else {
            // A number that no generation has: nothing is found there.
            import.zone.generation = Generation(u64::MAX);
        }
        Ok(import)
    }
}

impl ZoneImport<'_> {
    /// The zone.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// Notes a set that cannot be planned at all.
    pub fn refused(&mut self, place: u64, reason: String) -> RefusedSet {
        self.refuse(1);
        RefusedSet {
            place,
            reasons: vec![reason],
        }
    }

    /// Takes all sets of one name, which comes after those before. Returns those that are refused.
    ///
    /// # Errors
    /// When names are out of order, the zone is too large or was changed meanwhile, or a fault.
    pub fn name(&mut self, sets: Vec<ImportedSet>) -> Outcome<Vec<RefusedSet>> {
        let Some(first) = sets.first() else {
            return Ok(Vec::new());
        };
        self.names += 1;
        if self.names.is_multiple_of(NAMES_PER_SNAPSHOT) {
            // So that none keeps old pages for long.
            self.snapshot = self.control.fresh()?;
        }
        let name = Name::parse(&first.draft.name).map(|name| name.to_lowercase());
        let before = match &name {
            Ok(name) => {
                let key = name.sort_key();
                if self.last_name.as_ref().is_some_and(|last| *last >= key) {
                    return Err(AdminError::Import(format!("{name} comes out of order")));
                }
                let before = self.merge_up_to(Some(&key))?;
                self.last_name = Some(key);
                before
            }
            Err(_) => Vec::new(),
        };
        let mut places = Vec::with_capacity(sets.len());
        let mut drafts = Vec::with_capacity(sets.len());
        let mut refused = Vec::new();
        for ImportedSet { place, draft } in sets {
            if self.request.apex == ImportedApex::Keep
                && matches!(draft.rtype, RecordType::Ns | RecordType::Soa)
                && name.as_ref() == Ok(&self.zone.name)
            {
                self.passed_over += 1;
                continue;
            }
            match self.instances.judge(&draft) {
                Judged::Own => {}
                Judged::Root => continue,
                Judged::Refused(reason) => {
                    let reasons = vec![reason];
                    refused.push(RefusedSet { place, reasons });
                    continue;
                }
            }
            places.push(place);
            drafts.push(draft);
        }
        let aliases: HashMap<_, _> = drafts
            .iter()
            .zip(&places)
            .filter(|(draft, _)| draft.alias_target.is_some())
            .map(|(draft, place)| ((draft.rtype, draft.set_identifier.clone()), *place))
            .collect();
        let imported = ImportedName { before, drafts };
        let planned = plan_imported_name(&self.snapshot, &self.zone, &self.limits, imported)?;
        refused.extend(planned.refused.into_iter().map(|(at, reasons)| RefusedSet {
            place: places[at],
            reasons,
        }));
        self.refuse(refused.len());
        for set in planned.sets {
            if matches!(set.data, SetData::Alias(_))
                && let Some(place) = aliases.get(&(set.key.rtype, set.key.set_identifier.clone()))
            {
                self.aliases.push((*place, set.key.clone()));
            }
            self.put(set)?;
        }
        Ok(refused)
    }

    /// All names have come: follows the aliases, and publishes. Sets that are refused only now are
    /// given with it.
    ///
    /// # Errors
    /// When something speaks against the whole import, or a fault.
    pub fn finish(mut self) -> Outcome<(Imported, Vec<RefusedSet>)> {
        self.merge_up_to(None)?;
        let mut refused = Vec::new();
        let mut not_followed = 0;
        match &mut self.draft {
            Some(draft) => {
                draft.flush()?;
                refused = self.follow_aliases()?;
            }
            None => not_followed = self.aliases.len() as u64,
        }
        self.refuse(refused.len());
        if self.request.apex == ImportedApex::Take {
            let problems = check_imported_apex(&self.snapshot, &self.zone, self.apex.clone());
            if !problems.is_empty() {
                return Err(AdminError::Import(problems.join(" ")));
            }
        }
        self.check_external(&self.snapshot)?;
        let mut imported = Imported {
            zone: self.zone.clone(),
            change: None,
            sets: self.sets,
            passed_over: self.passed_over,
            instances: self.instances.count(),
            refused: self.refused,
            aliases_not_followed: not_followed,
        };
        if let Some(draft) = self.draft.take() {
            let (zone, change, sets) =
                draft.publish(|snapshot, facts| self.plan_publish(snapshot, facts))?;
            (imported.zone, imported.change, imported.sets) = (zone, Some(change), sets);
        }
        Ok((imported, refused))
    }

    fn refuse(&mut self, sets: usize) {
        self.refused += sets as u64;
        if sets > 0 && self.request.invalid == InvalidSets::Refuse {
            // It goes on, to say what else is refused, but writes no more.
            self.draft = None;
        }
    }

    fn put(&mut self, set: RecordSet) -> Outcome<()> {
        self.sets += u64::from(!set.is_hidden());
        check_room(&self.zone, self.sets, self.room)?;
        self.external += u64::from(set.is_external_alias());
        if set.key.name == self.zone.name {
            self.apex.push(set.clone());
        }
        if let Some(draft) = &mut self.draft {
            draft.put(set)?;
        }
        Ok(())
    }

    /// Writes the sets that stay of the zone at names before `key`, or all that are left, and
    /// returns those at `key`.
    fn merge_up_to(&mut self, key: Option<&str>) -> Outcome<Vec<RecordSet>> {
        let mut at_name = Vec::new();
        // Ends with the zone's sets.
        while let Some(set) = self.next_own()? {
            let order = key.map(|key| set.key.name.sort_key().as_str().cmp(key));
            match order {
                None | Some(std::cmp::Ordering::Less) => self.put(set)?,
                Some(std::cmp::Ordering::Equal) => at_name.push(set),
                Some(std::cmp::Ordering::Greater) => {
                    if let Some(old) = &mut self.old {
                        old.waiting.push_front(set);
                    }
                    break;
                }
            }
        }
        Ok(at_name)
    }

    /// The next set of the zone that is to be merged.
    fn next_own(&mut self) -> Outcome<Option<RecordSet>> {
        let Some(old) = &mut self.old else {
            return Ok(None);
        };
        // Of a zone that is replaced only what instances made is merged: a portion may have none.
        while old.waiting.is_empty() && (!old.begun || old.next.is_some()) {
            // A new look for each portion, so that none keeps old pages for long.
            self.snapshot = self.control.fresh()?;
            self.instances
                .check(&self.snapshot, old, self.request.existing)?;
            let from = old.next.as_ref().map(|key| SetStart {
                name: &key.name,
                rtype: Some(key.rtype),
                identifier: key.set_identifier.as_deref(),
            });
            let limit = MERGED_AT_A_TIME + 1;
            let mut sets = self.snapshot.sets_from(old.zone.generation, from, limit)?;
            let more = sets.len() == limit;
            old.next = sets.pop_if(|_| more).map(|set| set.key);
            old.begun = true;
            if self.request.existing != ExistingSets::Merge {
                sets.retain(|set| set.traffic_policy_instance_id.is_some());
            }
            old.waiting = sets.into();
        }
        Ok(old.waiting.pop_front())
    }

    /// Leaves out aliases that lead nowhere, and then those that led to them.
    fn follow_aliases(&mut self) -> Outcome<Vec<RefusedSet>> {
        let mut refused = Vec::new();
        for _ in 0..ALIAS_ROUNDS {
            if self.aliases.is_empty() {
                break;
            }
            let snapshot = self.control.fresh()?;
            let aliases = std::mem::take(&mut self.aliases);
            let mut followed = FollowedAliases::of(aliases.iter().map(|(_, key)| key));
            let before = refused.len();
            for (place, key) in &aliases {
                let reasons = plan_imported_alias(&snapshot, &self.zone, key, &mut followed)?;
                if reasons.is_empty() {
                    continue;
                }
                let place = *place;
                refused.push(RefusedSet { place, reasons });
                self.sets = self.sets.saturating_sub(1);
                if let Some(draft) = &mut self.draft {
                    draft.delete(key.clone())?;
                }
            }
            drop(followed);
            let gone: HashSet<u64> = refused[before..].iter().map(|set| set.place).collect();
            self.aliases = aliases;
            self.aliases.retain(|(place, _)| !gone.contains(place));
            let last = refused.len() == before || self.request.invalid == InvalidSets::Refuse;
            if let Some(draft) = &mut self.draft {
                draft.flush()?;
            }
            if last {
                break;
            }
        }
        Ok(refused)
    }

    fn plan_publish(
        &self,
        snapshot: &Snapshot,
        facts: &mut Facts,
    ) -> Outcome<(Vec<Effect>, (Zone, Change, u64))> {
        self.check_external(snapshot)?;
        let generation = self.zone.generation;
        let (zone, mut effects, kept) = match &self.old {
            Some(old) => {
                let zone = check_unpublished(snapshot, old)?;
                check_unprotected(snapshot, &zone)?;
                self.instances.check(snapshot, old, self.request.existing)?;
                let kept = self.kept(snapshot, old)?;
                let mut effects: Vec<Effect> = Vec::new();
                let sets = kept.len() as u64;
                effects.extend(
                    kept.into_iter()
                        .map(|set| Effect::PutSet { generation, set }),
                );
                effects.extend(plan_publish_generation(&zone, generation, facts.now));
                (Zone { generation, ..zone }, effects, sets)
            }
            None => self.plan_publish_new(snapshot, facts)?,
        };
        let sets = self.sets + kept;
        check_room(&zone, sets, room(snapshot, &zone, self.request.room)?)?;
        let change = Change {
            id: facts.change_id(),
            account: zone.account.clone(),
            zone: Some(zone.id.clone()),
            submitted_at: facts.now,
            comment: None,
        };
        effects.push(Effect::PutChange(change.clone()));
        Ok((effects, (zone, change, sets)))
    }

    /// No more aliases to names elsewhere than the account may have, with those of its other zones.
    fn check_external(&self, snapshot: &Snapshot) -> Outcome<()> {
        if self.external == 0 || self.request.room == ImportRoom::Unlimited {
            return Ok(());
        }
        let (account, quota) = (&self.account.id, Quota::ExternalAliasesByOwner);
        let replaced = match &self.old {
            Some(old) => snapshot.external_aliases_in(account, old.zone.generation)?,
            None => 0,
        };
        let others = snapshot.external_alias_count(account)?;
        let all = others.saturating_sub(replaced) + self.external;
        let limit = snapshot.limit(account, quota)?;
        // What was beyond it before may stay.
        if all <= limit || self.external <= replaced {
            return Ok(());
        }
        Err(AdminError::Import(format!(
            "Exceeded limit {} for account: {account}: it may have {limit} aliases to names \
             elsewhere, and would have {all}; raise it with `meridian quota set`, or say \
             --beyond-quota",
            quota.as_str()
        )))
    }

    /// A new zone as it is planned now, with the id it was given at the beginning.
    fn plan_publish_new(
        &self,
        snapshot: &Snapshot,
        facts: &mut Facts,
    ) -> Outcome<(Zone, Vec<Effect>, u64)> {
        let (planned, effects) = plan_new(snapshot, facts, &self.account, &self.request)?;
        let generation = self.zone.generation;
        let zone = Zone {
            id: self.zone.id.clone(),
            generation,
            ..planned
        };
        let mut sets = 0;
        let mut published = vec![Effect::DeleteUnseenGeneration(generation)];
        for effect in effects {
            match effect {
                Effect::PutZone(_) => published.push(Effect::PutZone(zone.clone())),
                Effect::PutSet { .. } if self.request.apex == ImportedApex::Take => {}
                Effect::PutSet { set, .. } => {
                    sets += 1;
                    published.push(Effect::PutSet { generation, set });
                }
                other => published.push(other),
            }
        }
        if let ImportTarget::New { tags, .. } = &self.request.target
            && !tags.is_empty()
        {
            published.push(Effect::PutTags(TagSet {
                resource: TaggedResource {
                    kind: TaggedKind::HostedZone,
                    id: zone.id.to_string(),
                },
                tags: tags.clone(),
            }));
        }
        Ok((zone, published, sets))
    }

    /// The zone's own NS and SOA, as they are now, where they stay. A merge has them already.
    fn kept(&self, snapshot: &Snapshot, old: &Old) -> Outcome<Vec<RecordSet>> {
        if self.request.apex == ImportedApex::Take || self.request.existing == ExistingSets::Merge {
            return Ok(Vec::new());
        }
        let mut sets = snapshot.sets_at(old.zone.generation, &old.zone.name)?;
        sets.retain(|set| matches!(set.key.rtype, RecordType::Ns | RecordType::Soa));
        Ok(sets)
    }
}

fn new_zones_account(snapshot: &Snapshot, request: &ImportRequest) -> Outcome<Account> {
    account_or_operators(snapshot, request.account.as_deref())
}

fn plan_new(
    snapshot: &Snapshot,
    facts: &mut Facts,
    account: &Account,
    request: &ImportRequest,
) -> Outcome<(Zone, Vec<Effect>)> {
    let ImportTarget::New {
        name,
        comment,
        caller_reference,
        delegation_set,
        ..
    } = &request.target
    else {
        return Err(AdminError::Import("no zone is to be made".to_owned()));
    };
    let set = delegation_set.as_deref();
    let set = set.map(|id| delegation_set_of(snapshot, account, id));
    let new = NewZone {
        name: name.clone(),
        caller_reference: match caller_reference {
            Some(reference) if !is_spent(snapshot, account, reference)? => reference.clone(),
            _ => format!("import {:016x}", facts.draw()),
        },
        comment: comment.clone(),
        vpc: None,
        delegation_set: set.transpose()?,
    };
    plan_create_zone(snapshot, facts, account, new).map_err(|error| match error {
        PlanError::State(error) => error.into(),
        PlanError::Refused(refusal) => AdminError::Import(Refusal::from(refusal).to_string()),
    })
}

/// Whether a reference is that of a zone which is gone. That of one which is there is refused later.
fn is_spent(snapshot: &Snapshot, account: &Account, reference: &str) -> Outcome<bool> {
    match snapshot.zone_by_reference(&account.id, reference)? {
        Some(zone) => Ok(snapshot.zone(&zone)?.is_none()),
        None => Ok(false),
    }
}
