//! CreateHostedZone and DeleteHostedZone.

use meridian_dns::{Name, RecordType};

use super::pool::{self, related_elsewhere};
use super::{PlanError, vpc};
use crate::account::Account;
use crate::delegation_set::{DelegationSet, ReusableDelegationSet};
use crate::effect::Effect;
use crate::facts::{Facts, Timestamp};
use crate::id::{AccountId, DelegationSetId, Generation};
use crate::quota::Quota;
use crate::record_set::RecordSet;
use crate::state::State;
use crate::tag::{TagSet, TaggedKind, TaggedResource};
use crate::vpc::{AssociatedVpc, Vpc};
use crate::zone::{AcceleratedRecovery, Zone};

/// What a new zone is asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewZone {
    /// The apex as sent.
    pub name: String,
    /// 1 to 128 characters.
    pub caller_reference: String,
    /// Absent when empty.
    pub comment: Option<String>,
    /// The account's reusable set that it is to have; without, one of its own is chosen.
    pub delegation_set: Option<ReusableDelegationSet>,
    /// The first VPC that sees it, which makes it a private zone.
    pub vpc: Option<Vpc>,
}

/// Why a zone is not created; named by Route 53's error codes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CreateZoneRefusal {
    /// `InvalidDomainName` with this message.
    InvalidDomainName(String),
    /// `HostedZoneAlreadyExists`: the reference was used before.
    AlreadyExists,
    /// `TooManyHostedZones`.
    TooMany,
    /// `DelegationSetNotAvailable` with this message.
    DelegationSetNotAvailable(String),
    /// `TooManyHostedZones`: the reusable set has as many as it may have.
    TooManyOfDelegationSet,
    /// `ConflictingDomainExists`: the zone of this name and the reusable set.
    ConflictingDomainExists(Name, DelegationSetId),
    /// `ConflictingDomainExists`: the VPC sees a zone of this name.
    ConflictingVpc(AssociatedVpc, Name),
}

/// TTL of the apex NS set of a new zone, as Route 53 writes it, in seconds.
const NS_TTL: u32 = 172_800;
/// TTL of the SOA of a new zone, as Route 53 writes it, in seconds.
const SOA_TTL: u32 = 900;
/// The name servers of every private zone, as Route 53 lists them. Nothing is asked there: private
/// zones are answered at all addresses.
const PRIVATE_NAME_SERVERS: [&[u8]; 4] = [
    b"\x07ns-1536\x09awsdns-00\x02co\x02uk\0",
    b"\x04ns-0\x09awsdns-00\x03com\0",
    b"\x07ns-1024\x09awsdns-00\x03org\0",
    b"\x06ns-512\x09awsdns-00\x03net\0",
];
/// The mailbox in the SOA of every private zone.
const PRIVATE_MAILBOX: &str = "awsdns-hostmaster.amazon.com.";

type Planned<T, R, E> = Result<T, PlanError<R, E>>;

/// A new zone with its name servers, and the effects that make it: the zone, its NS and its SOA.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_create_zone<S: State>(
    state: &S,
    facts: &mut Facts,
    account: &Account,
    new: NewZone,
) -> Planned<(Zone, Vec<Effect>), CreateZoneRefusal, S::Error> {
    let refused = |refusal| Err(PlanError::Refused(refusal));
    let least_labels = match &new.vpc {
        _ if account.operator => 0,
        // Whom it hides other names from is in that network, whose owner wants it.
        Some(_) => 1,
        None => 2,
    };
    let name = match apex(&new.name, least_labels) {
        Ok(name) => name,
        Err(text) => return refused(CreateZoneRefusal::InvalidDomainName(text)),
    };
    if state
        .zone_by_reference(&account.id, &new.caller_reference)?
        .is_some()
    {
        return refused(CreateZoneRefusal::AlreadyExists);
    }
    if state.zone_count(&account.id)? >= state.limit(&account.id, Quota::HostedZonesByOwner)? {
        return refused(CreateZoneRefusal::TooMany);
    }
    let generation = state.next_generation()?;
    let delegation_set = match (&new.vpc, &new.delegation_set) {
        (Some(vpc), _) if vpc::sees(state, &vpc.id, &name)? => {
            let conflict = CreateZoneRefusal::ConflictingVpc(vpc.associated(), name);
            return refused(conflict);
        }
        (Some(_), _) => DelegationSet::own(private_name_servers()),
        (None, Some(set)) => reused(state, &name, set)?,
        (None, None) => own(state, &name, &account.id, generation)?,
    };
    let created_at = created_at(state, &name, facts.now)?;
    let zone = Zone {
        id: facts.zone_id(),
        account: account.id.clone(),
        name,
        caller_reference: new.caller_reference,
        comment: new.comment.filter(|text| !text.is_empty()),
        private: new.vpc.is_some(),
        delegation_set,
        generation,
        created_at,
        accelerated_recovery: AcceleratedRecovery::default(),
        vpcs: new.vpc.iter().map(Vpc::associated).collect(),
    };
    let effects = first_effects(&zone);
    Ok((zone, effects))
}

fn private_name_servers() -> Vec<Name> {
    let names = PRIVATE_NAME_SERVERS.into_iter();
    names
        .map(|wire| Name::from_wire(wire).expect("a name in wire form"))
        .collect()
}

/// A set for this zone alone, away from related zones of other accounts.
fn own<S: State>(
    state: &S,
    name: &Name,
    account: &AccountId,
    generation: Generation,
) -> Planned<DelegationSet, CreateZoneRefusal, S::Error> {
    let pool = state.name_servers()?;
    let rivals = related_elsewhere(state, name, account)?;
    let taken = pool::addresses_of(&pool, &rivals);
    let names = pool::choose(&pool, &taken, generation).ok_or_else(|| {
        PlanError::Refused(CreateZoneRefusal::DelegationSetNotAvailable(format!(
            "The hosted zone {name} cannot be created: every set of name servers shares an address \
             with a conflicting zone of another account. The operator can add name servers on \
             further addresses."
        )))
    })?;
    Ok(DelegationSet::own(names))
}

/// The reusable set, if it has room and no related zone of another account is answered there.
fn reused<S: State>(
    state: &S,
    name: &Name,
    set: &ReusableDelegationSet,
) -> Planned<DelegationSet, CreateZoneRefusal, S::Error> {
    let limit = state.limit(&set.account, Quota::ZonesByReusableDelegationSet)?;
    if state.delegation_set_zone_count(&set.id)? >= limit {
        return Err(PlanError::Refused(
            CreateZoneRefusal::TooManyOfDelegationSet,
        ));
    }
    let pool = state.name_servers()?;
    let rivals = related_elsewhere(state, name, &set.account)?;
    let taken = pool::addresses_of(&pool, &rivals);
    if !taken.is_disjoint(&pool::addresses_at(&pool, &set.name_servers)) {
        let conflict = CreateZoneRefusal::ConflictingDomainExists(name.clone(), set.id.clone());
        return Err(PlanError::Refused(conflict));
    }
    Ok(set.delegation_set())
}

/// When a new zone counts as made: not before those of its name, whatever the clock says, because
/// the oldest of them answers. Of zones made at the same time that of the lower generation does.
fn created_at<S: State>(state: &S, name: &Name, now: Timestamp) -> Result<Timestamp, S::Error> {
    let others = state.zones_named(name)?;
    let newest = others.iter().map(|zone| zone.created_at).max();
    Ok(newest.map_or(now, |newest| newest.max(now)))
}

/// The apex that a text names. A wildcard label is none, and names of fewer labels than these belong
/// to those who run the service.
fn apex(text: &str, least_labels: usize) -> Result<Name, String> {
    let name = Name::parse(text)
        .map_err(|error| format!("FATAL problem: {error}"))?
        .to_lowercase();
    if name.is_wildcard() {
        return Err(format!(
            "{name} is not a valid domain name: it starts with a wildcard."
        ));
    }
    if name.label_count() < least_labels {
        return Err(format!(
            "{name} is reserved by the operator: a top-level name cannot be a hosted zone."
        ));
    }
    Ok(name)
}

fn first_effects(zone: &Zone) -> Vec<Effect> {
    let servers = &zone.delegation_set.name_servers;
    let primary = &servers[0];
    // The mailbox lies beside the first name server, in the zone that names the pool.
    let domain = primary.parent().unwrap_or_else(Name::root);
    let mailbox = if zone.private {
        PRIVATE_MAILBOX.to_owned()
    } else if domain.is_root() {
        "hostmaster.".to_owned()
    } else {
        format!("hostmaster.{domain}")
    };
    let soa = format!("{primary} {mailbox} 1 7200 900 1209600 86400");
    let put = |rtype, ttl, values| Effect::PutSet {
        generation: zone.generation,
        set: RecordSet::simple(zone.name.clone(), rtype, ttl, values),
    };
    vec![
        Effect::PutZone(zone.clone()),
        put(
            RecordType::Ns,
            NS_TTL,
            servers.iter().map(Name::to_string).collect(),
        ),
        put(RecordType::Soa, SOA_TTL, vec![soa]),
    ]
}

/// `HostedZoneNotEmpty`: what is left in the zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ZoneNotEmpty {
    /// More record sets than its own NS and SOA.
    RecordSets,
    /// Protections of record sets.
    Protections,
}

/// The effects that remove a zone which has nothing left but its apex NS and SOA.
///
/// # Errors
/// [`ZoneNotEmpty`], or the state's error.
pub fn plan_delete_zone<S: State>(
    state: &S,
    zone: &Zone,
) -> Planned<Vec<Effect>, ZoneNotEmpty, S::Error> {
    let sets = state.sets_at(zone.generation, &zone.name)?;
    let required = |set: &RecordSet| matches!(set.key.rtype, RecordType::Ns | RecordType::Soa);
    if !sets.iter().all(required) || state.set_count(zone.generation)? > sets.len() as u64 {
        return Err(PlanError::Refused(ZoneNotEmpty::RecordSets));
    }
    if state.protection_count(&zone.id)? > 0 {
        return Err(PlanError::Refused(ZoneNotEmpty::Protections));
    }
    let mut effects: Vec<Effect> = sets
        .into_iter()
        .map(|set| Effect::DeleteSet {
            generation: zone.generation,
            key: set.key,
        })
        .collect();
    let resource = TaggedResource {
        kind: TaggedKind::HostedZone,
        id: zone.id.to_string(),
    };
    if !state.tags(&resource)?.is_empty() {
        let tags = Vec::new();
        effects.push(Effect::PutTags(TagSet { resource, tags }));
    }
    let logging = state.query_logging_of(&zone.id)?;
    effects.extend(logging.map(|config| Effect::DeleteQueryLoggingConfig(config.id)));
    for authorization in state.vpc_authorizations(&zone.id)? {
        effects.push(Effect::DeleteVpcAuthorization {
            zone: authorization.zone,
            vpc: authorization.vpc.id,
        });
    }
    effects.push(Effect::DeleteZone(zone.id.clone()));
    Ok(effects)
}
