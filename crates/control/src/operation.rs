//! Route 53's operations, one file each.

mod associate_vpc;
mod change_cidr_collection;
mod change_protections;
mod change_record_sets;
mod change_tags;
mod cidr;
mod create_cidr_collection;
mod create_health_check;
mod create_hosted_zone;
mod create_query_logging_config;
mod create_reusable_delegation_set;
mod create_traffic_policy;
mod create_traffic_policy_instance;
mod create_traffic_policy_version;
mod create_vpc_authorization;
mod delete_cidr_collection;
mod delete_health_check;
mod delete_hosted_zone;
mod delete_query_logging_config;
mod delete_reusable_delegation_set;
mod delete_traffic_policy;
mod delete_traffic_policy_instance;
mod delete_vpc_authorization;
mod disassociate_vpc;
mod draft_record_sets;
mod geo_locations;
mod get_account_limit;
mod get_change;
mod get_dnssec;
mod get_health_check;
mod get_health_check_count;
mod get_health_check_status;
mod get_hosted_zone;
mod get_hosted_zone_count;
mod get_hosted_zone_limit;
mod get_query_logging_config;
mod get_reusable_delegation_set;
mod get_reusable_delegation_set_limit;
mod get_traffic_policy;
mod get_traffic_policy_instance;
mod list_cidr;
mod list_health_checks;
mod list_hosted_zones;
mod list_hosted_zones_by_name;
mod list_hosted_zones_by_vpc;
mod list_protections;
mod list_query_logging_configs;
mod list_record_sets;
mod list_reusable_delegation_sets;
mod list_tags;
mod list_traffic_policies;
mod list_traffic_policy_instances;
mod list_traffic_policy_versions;
mod list_vpc_authorizations;
mod test_dns_answer;
mod traffic_policy;
mod traffic_policy_instance;
mod update_health_check;
mod update_hosted_zone_comment;
mod update_hosted_zone_features;
mod update_traffic_policy_comment;
mod update_traffic_policy_instance;
mod vpc;

pub use self::draft_record_sets::DraftedSets;

pub(crate) use self::change_record_sets::words as batch_refusal;
pub(crate) use self::create_health_check::words as health_check_refusal;
pub(crate) use self::create_reusable_delegation_set::words as delegation_set_refusal;

use meridian_dns::Name;
use meridian_log::{ReadError, Snapshot};
use meridian_model::{Change, Effect, Facts, PlanError, Zone};

use crate::caller::Caller;
use crate::control::{Author, Committed, Control};
use crate::refusal::{Fault, OperationError, Refusal};
use crate::request::{ChangeOutcome, ChangeStatus, HostedZone};
use crate::turns::Errand;

type Outcome<T> = Result<T, OperationError>;

/// A change of this zone by the caller, who may ask after it, to be written with the effects it
/// stands for. The owner of a VPC changes zones of others too.
fn new_change(facts: &mut Facts, caller: &Caller, zone: &Zone, comment: Option<String>) -> Change {
    Change {
        id: facts.change_id(),
        account: caller.account.clone(),
        zone: Some(zone.id.clone()),
        submitted_at: facts.now,
        comment: comment.filter(|text| !text.is_empty()),
    }
}

fn counted(snapshot: &Snapshot, zone: Zone) -> Outcome<HostedZone> {
    let record_set_count = snapshot.stats(zone.generation)?.sets;
    Ok(HostedZone {
        zone,
        record_set_count,
    })
}

/// A name that marks a place in a list.
fn start_name(text: &str) -> Outcome<Name> {
    match Name::parse(text) {
        Ok(name) => Ok(name.to_lowercase()),
        Err(error) => Err(Refusal::InvalidInput(format!("FATAL problem: {error}")).into()),
    }
}

/// The refusal in Route 53's words, or our fault.
fn refused<R>(error: PlanError<R, ReadError>, words: impl FnOnce(R) -> Refusal) -> OperationError {
    match error {
        PlanError::Refused(refusal) => words(refusal).into(),
        PlanError::State(error) => error.into(),
    }
}

/// What an operation does to one zone.
struct Planned {
    zone: Zone,
    effects: Vec<Effect>,
    comment: Option<String>,
}

impl Control {
    /// Commits what is planned together with a new change of the zone. Returns the effects that
    /// are in the journal: those of an earlier try if this is a retry.
    fn submit(
        &self,
        caller: &Caller,
        plan: impl Fn(&Snapshot, &mut Facts) -> Outcome<Planned>,
    ) -> Outcome<Vec<Effect>> {
        self.submit_to(Errand::Any, caller, plan)
    }

    /// The same on an errand, which may be given as the zone's id.
    fn submit_to<'a>(
        &self,
        errand: impl Into<Errand<'a>>,
        caller: &Caller,
        plan: impl Fn(&Snapshot, &mut Facts) -> Outcome<Planned>,
    ) -> Outcome<Vec<Effect>> {
        let committed = self.commit_on(errand.into(), &Author::of(caller), |snapshot, facts| {
            let Planned {
                zone,
                mut effects,
                comment,
            } = plan(snapshot, facts)?;
            effects.push(Effect::PutChange(new_change(facts, caller, &zone, comment)));
            Ok::<_, OperationError>((effects.clone(), effects))
        })?;
        let (Committed::Now(effects) | Committed::Before(effects)) = committed;
        Ok(effects)
    }

    /// Commits what is planned, without a change to ask after. Returns the effects that are in the
    /// journal: those of an earlier try if this is a retry.
    fn write(
        &self,
        caller: &Caller,
        plan: impl Fn(&Snapshot, &mut Facts) -> Outcome<Vec<Effect>>,
    ) -> Outcome<Vec<Effect>> {
        self.write_to(Errand::Any, caller, plan)
    }

    /// The same on an errand, which may be given as the zone's id.
    fn write_to<'a>(
        &self,
        errand: impl Into<Errand<'a>>,
        caller: &Caller,
        plan: impl Fn(&Snapshot, &mut Facts) -> Outcome<Vec<Effect>>,
    ) -> Outcome<Vec<Effect>> {
        let committed = self.commit_on(errand.into(), &Author::of(caller), |snapshot, facts| {
            let effects = plan(snapshot, facts)?;
            Ok::<_, OperationError>((effects.clone(), effects))
        })?;
        let (Committed::Now(effects) | Committed::Before(effects)) = committed;
        Ok(effects)
    }
}

/// The change among the effects of an entry. PENDING, as Route 53 answers every submission: only
/// GetChange looks further, and a retry gets the very answer that was lost.
fn submitted(effects: &[Effect]) -> Outcome<ChangeOutcome> {
    let found = effects.iter().find_map(|effect| match effect {
        Effect::PutChange(change) => Some(change.clone()),
        _ => None,
    });
    let change = found.ok_or_else(|| Fault::Storage("a commit lost its change".to_owned()))?;
    Ok(ChangeOutcome {
        change,
        status: ChangeStatus::Pending,
    })
}
