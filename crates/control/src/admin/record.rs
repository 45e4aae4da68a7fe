//! Record sets as operators put and take them by the command line: what a few words stand for goes
//! by the rules of ChangeResourceRecordSets as one batch. What they leave open is filled in by `filling`.

use meridian_dns::RecordType;
use meridian_log::{SetStart, Snapshot};
use meridian_model::{
    Action, Change, Draft, DraftChange, Effect, FailoverRole, GeoLocation, PlanError, RecordSet,
    SetKey, State, Zone, plan_batch,
};

use super::zone::zone_of;
use super::{AdminError, Outcome};
use crate::control::Control;
use crate::filling::{Asker, Filling, owner};
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
    /// By distance, which the bias stretches.
    Geoproximity {
        /// Where they stand: a region, a local zone group, or latitude and longitude with a comma in
        /// between; the region of the target when absent.
        near: Option<String>,
        /// -99 to 99.
        bias: Option<i8>,
    },
    /// By the client's address.
    IpBased {
        /// The CIDR collection, by id.
        collection: String,
        /// A location in it; `*` is for addresses in none.
        location: String,
    },
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
    /// All that fit; the zone's own NS and SOA and what a traffic policy instance made only if their
    /// type is said.
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
                    asker: Asker::Operator,
                };
                let sets = sets.filled(sets.bare()?)?.into_iter().map(|set| set.draft);
                Ok((sets.collect(), zone))
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

    /// A page of a zone's record sets from a place on, or those at one name; of a traffic policy
    /// instance the root alone.
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
            let mut sets = snapshot.sets_at(zone.generation, &name)?;
            sets.retain(|set| !set.is_hidden());
            return Ok(ListedRecords { sets, next: None });
        }
        let from = from.map(|key| SetStart {
            name: &key.name,
            rtype: Some(key.rtype),
            identifier: key.set_identifier.as_deref(),
        });
        let mut sets = snapshot.listed_sets_from(zone.generation, from, PAGE + 1)?;
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

/// The record sets that a removal means. Without a type it leaves alone what is a traffic policy
/// instance's, unless that is all there is: then the batch says what to do instead.
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
    let own = |set: &RecordSet| set.traffic_policy_instance_id.is_none();
    if request.rtype.is_none() && sets.iter().any(own) {
        sets.retain(own);
    }
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
