//! Record sets as operators put and take them by the command line: what a few words stand for is
//! filled in here, and goes by the rules of ChangeResourceRecordSets as one batch.

use std::collections::BTreeSet;
use std::net::IpAddr;

use meridian_dns::{Name, RecordType};
use meridian_log::{SetStart, Snapshot};
use meridian_model::{
    Action, Change, Draft, DraftAlias, DraftChange, EXTERNAL, Effect, FailoverRole, GeoLocation,
    PlanError, RecordSet, Region, ResourceName, ResourceRefusal, SetKey, State, Zone, ZoneId,
    external, known_region, plan_batch, region_of_target,
};

use super::resource::refused;
use super::zone::zone_of;
use super::{AdminError, Outcome};
use crate::control::Control;
use crate::operation::batch_refusal;

/// The longest page of a list.
const PAGE: usize = 1000;
/// How many record sets a refusal names.
const NAMED: usize = 8;

/// Record sets to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordAddition {
    /// The zone, by id or name.
    pub zone: String,
    /// The zone's account, where several have zones of the name.
    pub account: Option<String>,
    /// The owner: within the zone or relative to it; `@` is the apex.
    pub name: String,
    /// Their types; told by values or target when there is none.
    pub types: Vec<RecordType>,
    /// What they answer with.
    pub target: RecordTarget,
    /// By what they are chosen.
    pub policy: RecordPolicy,
    /// What tells them from others of the name; made of the policy when absent and possible.
    pub set_identifier: Option<String>,
    /// A health check; that of the resource when absent.
    pub health_check: Option<String>,
    /// Whether they may be there already.
    pub existing: ExistingRecord,
}

/// What record sets answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordTarget {
    /// Values of their own.
    Values {
        /// At least one.
        values: Vec<String>,
        /// Seconds.
        ttl: u32,
    },
    /// What something else answers.
    Alias {
        /// A record set's name, or any host's.
        name: String,
        /// The zone that the name is in, by id or name. This one when absent and the name is in
        /// it, else no zone here.
        zone: Option<String>,
        /// Whether the target's health counts.
        health: TargetHealth,
    },
}

/// Whether the health of an alias's target is its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetHealth {
    /// Where that can be.
    Evaluate,
    /// It is not.
    Ignore,
}

/// By what record sets are chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordPolicy {
    /// They are alone.
    Simple,
    /// By latency to a region; that of the target when absent.
    Latency(Option<String>),
    /// By weight.
    Weighted(u8),
    /// As a half of a pair.
    Failover(FailoverRole),
    /// By the client's place.
    Geolocation(GeoLocation),
    /// Several at once.
    Multivalue,
}

/// Whether record sets that are there already are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExistingRecord {
    /// It is refused.
    Refuse,
    /// They are.
    Replace,
}

/// Record sets to be taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRemoval {
    /// The zone, by id or name.
    pub zone: String,
    /// The zone's account, where several have zones of the name.
    pub account: Option<String>,
    /// The owner, as in [`RecordAddition`].
    pub name: String,
    /// Of this type only.
    pub rtype: Option<RecordType>,
    /// Of this identifier only.
    pub set_identifier: Option<String>,
    /// How many they may be.
    pub extent: RemovalExtent,
}

/// How many record sets may be taken away at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemovalExtent {
    /// One.
    One,
    /// All that fit; the zone's own NS and SOA only if their type is said.
    All,
}

/// What was done to a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedRecords {
    /// The zone.
    pub zone: Zone,
    /// The sets that were written or taken away.
    pub sets: Vec<Draft>,
    /// The change that did it.
    pub change: Change,
}

/// A page of a zone's record sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedRecords {
    /// In Route 53's order.
    pub sets: Vec<RecordSet>,
    /// The first of the next page.
    pub next: Option<SetKey>,
}

impl Control {
    /// Writes record sets, all or none.
    ///
    /// # Errors
    /// When there is no such zone, a region is nowhere said, or the rules of
    /// ChangeResourceRecordSets refuse it, in their words.
    pub fn add_records(&self, request: &RecordAddition) -> Outcome<ChangedRecords> {
        let action = match request.existing {
            ExistingRecord::Refuse => Action::Create,
            ExistingRecord::Replace => Action::Upsert,
        };
        self.change_records(
            |snapshot| {
                let zone = zone_of(snapshot, &request.zone, request.account.as_deref())?;
                let sets = Filling {
                    snapshot,
                    zone: &zone,
                    request,
                };
                Ok((sets.drafts()?, zone))
            },
            action,
        )
    }

    /// Takes record sets away, all or none.
    ///
    /// # Errors
    /// When there is no such zone or set, or more than were meant; and as for writing.
    pub fn remove_records(&self, request: &RecordRemoval) -> Outcome<ChangedRecords> {
        self.change_records(
            |snapshot| {
                let zone = zone_of(snapshot, &request.zone, request.account.as_deref())?;
                let sets = meant(snapshot, &zone, request)?;
                Ok((sets.iter().map(Draft::from).collect(), zone))
            },
            Action::Delete,
        )
    }

    /// A page of a zone's record sets from a place on, or those at one name.
    ///
    /// # Errors
    /// When there is no such zone.
    pub fn record_sets(
        &self,
        zone: &str,
        account: Option<&str>,
        name: Option<&str>,
        from: Option<&SetKey>,
    ) -> Outcome<ListedRecords> {
        let snapshot = self.fresh()?;
        let zone = zone_of(&snapshot, zone, account)?;
        if let Some(name) = name {
            let name = owner(&zone, name)?;
            let sets = snapshot.sets_at(zone.generation, &name)?;
            return Ok(ListedRecords { sets, next: None });
        }
        let from = from.map(|key| SetStart {
            name: &key.name,
            rtype: Some(key.rtype),
            identifier: key.set_identifier.as_deref(),
        });
        let mut sets = snapshot.sets_from(zone.generation, from, PAGE + 1)?;
        let next = sets.split_off(PAGE.min(sets.len())).pop();
        let next = next.map(|set| set.key);
        Ok(ListedRecords { sets, next })
    }

    fn change_records(
        &self,
        sets: impl Fn(&Snapshot) -> Outcome<(Vec<Draft>, Zone)>,
        action: Action,
    ) -> Outcome<ChangedRecords> {
        self.administer(|snapshot, facts| {
            let (sets, zone) = sets(snapshot)?;
            let changes = sets.iter().cloned();
            let changes: Vec<_> = changes.map(|set| DraftChange { action, set }).collect();
            let mut effects = match plan_batch(snapshot, &zone, &changes) {
                Ok(effects) => effects,
                Err(PlanError::State(error)) => return Err(error.into()),
                Err(PlanError::Refused(refusal)) => {
                    return Err(AdminError::Records(batch_refusal(refusal).to_string()));
                }
            };
            let change = Change {
                id: facts.change_id(),
                account: zone.account.clone(),
                zone: Some(zone.id.clone()),
                submitted_at: facts.now,
                comment: None,
            };
            effects.push(Effect::PutChange(change.clone()));
            Ok((effects, ChangedRecords { zone, sets, change }))
        })
    }
}

/// The owner that a name of the command line stands for.
fn owner(zone: &Zone, text: &str) -> Outcome<Name> {
    if text == "@" {
        return Ok(zone.name.clone());
    }
    let name = parsed(text)?;
    if name.is_within(&zone.name) {
        return Ok(name);
    }
    if text.ends_with('.') {
        return Err(AdminError::Records(format!(
            "{name} does not lie in the zone {}",
            zone.name
        )));
    }
    parsed(&format!("{text}.{}", zone.name))
}

fn parsed(text: &str) -> Outcome<Name> {
    match Name::parse(text) {
        Ok(name) => Ok(name.to_lowercase()),
        Err(error) => Err(AdminError::Records(format!("'{text}' is no name: {error}"))),
    }
}

/// The record sets that a removal means.
fn meant(snapshot: &Snapshot, zone: &Zone, request: &RecordRemoval) -> Outcome<Vec<RecordSet>> {
    let name = owner(zone, &request.name)?;
    let mut sets = snapshot.sets_at(zone.generation, &name)?;
    sets.retain(|set| {
        let of_zone = matches!(set.key.rtype, RecordType::Ns | RecordType::Soa);
        let spared = of_zone && name == zone.name && request.rtype.is_none();
        let wanted =
            request.set_identifier.is_none() || request.set_identifier == set.key.set_identifier;
        request.rtype.is_none_or(|rtype| rtype == set.key.rtype) && wanted && !spared
    });
    let refuse = |text: String| Err(AdminError::Records(text));
    if sets.is_empty() {
        return refuse(format!(
            "there is no such record set at {name}; `meridian record list` shows all"
        ));
    }
    if sets.len() > 1 && request.extent == RemovalExtent::One {
        let named: Vec<String> = sets
            .iter()
            .take(NAMED)
            .map(|set| set.key.to_string())
            .collect();
        let more = if sets.len() > NAMED { ", …" } else { "" };
        return refuse(format!(
            "these are {} record sets: {}{more}; say --type or --set-identifier, or --all",
            sets.len(),
            named.join(", ")
        ));
    }
    Ok(sets)
}

/// What an addition stands for.
struct Filling<'a> {
    snapshot: &'a Snapshot,
    zone: &'a Zone,
    request: &'a RecordAddition,
}

impl Filling<'_> {
    fn drafts(&self) -> Outcome<Vec<Draft>> {
        let name = owner(self.zone, &self.request.name)?.to_string();
        let bare = match &self.request.target {
            RecordTarget::Values { values, ttl } => self.of_values(&name, values, *ttl)?,
            RecordTarget::Alias {
                name: target,
                zone,
                health,
            } => self.of_alias(&name, target, zone.as_deref(), *health)?,
        };
        bare.into_iter().map(|draft| self.routed(draft)).collect()
    }

    /// One set for each type: the one that is said, else those of addresses.
    fn of_values(&self, name: &str, values: &[String], ttl: u32) -> Outcome<Vec<Draft>> {
        let types: Vec<RecordType> = match self.request.types.as_slice() {
            [] => values
                .iter()
                .map(|value| address_type(value))
                .collect::<Outcome<_>>()?,
            [rtype] => vec![*rtype; values.len()],
            _ => {
                let text = "values are of one type: say --type once, or not for addresses";
                return Err(AdminError::Records(text.to_owned()));
            }
        };
        let mut drafts: Vec<Draft> = Vec::new();
        for (value, rtype) in values.iter().zip(types) {
            let found = drafts.iter_mut().find(|draft| draft.rtype == rtype);
            match found.and_then(|draft| draft.records.as_mut()) {
                Some(records) => records.push(value.clone()),
                None => drafts.push(Draft::simple(name, rtype, ttl, &[value.as_str()])),
            }
        }
        Ok(drafts)
    }

    /// One set for each type: those that are said; else those that the target has here, or addresses
    /// where it is elsewhere.
    fn of_alias(
        &self,
        name: &str,
        target: &str,
        zone: Option<&str>,
        health: TargetHealth,
    ) -> Outcome<Vec<Draft>> {
        let target = match target {
            // No host elsewhere has one label.
            text if !text.contains('.') => owner(self.zone, text)?,
            text => parsed(text)?,
        };
        let (id, here) = self.target_zone(&target, zone)?;
        let mut types: BTreeSet<&str> = BTreeSet::new();
        types.extend(self.request.types.iter().map(|rtype| rtype.as_str()));
        if let Some(zone) = here.as_ref().filter(|_| types.is_empty()) {
            let sets = self.snapshot.sets_at(zone.generation, &target)?;
            let aliased = [RecordType::A, RecordType::Aaaa, RecordType::Https];
            let found = sets.iter().map(|set| set.key.rtype);
            types.extend(
                found
                    .filter(|it| aliased.contains(it))
                    .map(RecordType::as_str),
            );
        } else if types.is_empty() {
            types.extend([RecordType::A.as_str(), RecordType::Aaaa.as_str()]);
        }
        if types.is_empty() {
            // What is missing is told in the words of the rules.
            types.insert(RecordType::A.as_str());
        }
        let cannot = here.is_none() && external(&id).is_some_and(|it| it.is_cloudfront());
        let alias = DraftAlias {
            hosted_zone_id: id,
            dns_name: target.to_string(),
            evaluate_target_health: health == TargetHealth::Evaluate && !cannot,
        };
        let drafts = types.into_iter().filter_map(|rtype| rtype.parse().ok());
        let drafts = drafts.map(|rtype| Draft {
            ttl: None,
            records: None,
            alias_target: Some(alias.clone()),
            ..Draft::simple(name, rtype, 0, &[])
        });
        Ok(drafts.collect())
    }

    /// The zone that an alias points into: its id, and the zone itself if it is here.
    fn target_zone(&self, target: &Name, said: Option<&str>) -> Outcome<(ZoneId, Option<Zone>)> {
        let Some(said) = said else {
            if target.is_within(&self.zone.name) {
                return Ok((self.zone.id.clone(), Some(self.zone.clone())));
            }
            let anywhere = ZoneId::new(EXTERNAL);
            let anywhere = anywhere.map_err(|_| AdminError::UnknownZone(EXTERNAL.to_owned()))?;
            return Ok((anywhere, None));
        };
        match zone_of(self.snapshot, said, Some(self.zone.account.as_str())) {
            Ok(zone) => Ok((zone.id.clone(), Some(zone))),
            Err(AdminError::UnknownZone(text)) => match ZoneId::new(said) {
                Ok(id) if external(&id).is_some() => Ok((id, None)),
                _ => Err(AdminError::UnknownZone(text)),
            },
            Err(error) => Err(error),
        }
    }

    /// The set under the policy that was asked for.
    fn routed(&self, mut draft: Draft) -> Outcome<Draft> {
        let mut identifier = None;
        match &self.request.policy {
            RecordPolicy::Simple => {}
            RecordPolicy::Latency(said) => {
                let region = match said {
                    Some(name) => known_region(self.snapshot, name).map_err(refused)?,
                    None => self.region(&draft)?,
                };
                identifier = Some(region.as_str().to_owned());
                draft.region = Some(region);
            }
            RecordPolicy::Weighted(weight) => draft.weight = Some(*weight),
            RecordPolicy::Failover(role) => {
                identifier = Some(role.as_str().to_ascii_lowercase());
                draft.failover = Some(*role);
            }
            RecordPolicy::Geolocation(place) => {
                let parts = [&place.continent, &place.country, &place.subdivision];
                let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
                identifier = Some(parts.join("-"));
                draft.geo_location = Some(place.clone());
            }
            RecordPolicy::Multivalue => draft.multi_value_answer = Some(true),
        }
        if self.request.policy != RecordPolicy::Simple {
            let said = self.request.set_identifier.clone().or(identifier);
            let missing = "say --set-identifier: it tells the sets of a name and type apart";
            let missing = || AdminError::Records(missing.to_owned());
            draft.set_identifier = Some(said.ok_or_else(missing)?);
        } else {
            draft
                .set_identifier
                .clone_from(&self.request.set_identifier);
        }
        draft.health_check_id = match &self.request.health_check {
            Some(id) => Some(id.clone()),
            None => self.check_of_resources(&draft)?,
        };
        Ok(draft)
    }

    /// The region of what a set points to.
    fn region(&self, draft: &Draft) -> Outcome<Region> {
        let of = |target: &str| {
            let found = region_of_target(self.snapshot, &self.zone.account, target);
            found.map_err(refused)
        };
        if let Some(alias) = &draft.alias_target {
            return match of(&alias.dns_name) {
                Err(AdminError::Resource(ResourceRefusal::Untold(name))) => {
                    // The zone of a service may tell what the name does not.
                    let region = external(&alias.hosted_zone_id).and_then(|zone| zone.region);
                    let untold = || ResourceRefusal::Untold(name).into();
                    region.and_then(Region::new).ok_or_else(untold)
                }
                told => told,
            };
        }
        if !points_to_hosts(draft.rtype) {
            return Err(AdminError::Records(format!(
                "a record of type {} has no region of its own: say --region",
                draft.rtype
            )));
        }
        let values = draft.records.iter().flatten();
        let regions = values
            .map(|value| of(value))
            .collect::<Outcome<BTreeSet<Region>>>()?;
        let mut regions = regions.into_iter();
        match (regions.next(), regions.next()) {
            (Some(region), None) => Ok(region),
            (Some(one), Some(other)) => Err(AdminError::Records(format!(
                "the values are in several regions, {} and {}: a latency record has one, so write \
                 one for each, or say --region",
                one.as_str(),
                other.as_str()
            ))),
            _ => Err(AdminError::Records("there is no value".to_owned())),
        }
    }

    /// The health check of the resources that values point to, if it is one. Aliases go by it as
    /// they are.
    fn check_of_resources(&self, draft: &Draft) -> Outcome<Option<String>> {
        if self.request.policy == RecordPolicy::Simple || !points_to_hosts(draft.rtype) {
            return Ok(None);
        }
        let mut checks = BTreeSet::new();
        for value in draft.records.iter().flatten() {
            let found = match ResourceName::parse(value) {
                Some(name) => self.snapshot.resource(&self.zone.account, &name)?,
                None => None,
            };
            checks.insert(found.and_then(|it| it.health_check.map(|id| id.to_string())));
        }
        let mut checks = checks.into_iter();
        match (checks.next(), checks.next()) {
            (Some(Some(check)), None)
                if self
                    .snapshot
                    .health_check_exists(&self.zone.account, &check)? =>
            {
                Ok(Some(check))
            }
            _ => Ok(None),
        }
    }
}

fn address_type(value: &str) -> Outcome<RecordType> {
    match value.parse() {
        Ok(IpAddr::V4(_)) => Ok(RecordType::A),
        Ok(IpAddr::V6(_)) => Ok(RecordType::Aaaa),
        Err(_) => Err(AdminError::Records(format!(
            "'{value}' is no address: say --type"
        ))),
    }
}

/// Whether a value is a host or an address and nothing else.
fn points_to_hosts(rtype: RecordType) -> bool {
    matches!(rtype, RecordType::A | RecordType::Aaaa | RecordType::Cname)
}
