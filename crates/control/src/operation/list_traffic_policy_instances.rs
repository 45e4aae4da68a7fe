//! ListTrafficPolicyInstances, ListTrafficPolicyInstancesByHostedZone and
//! ListTrafficPolicyInstancesByPolicy.

use meridian_dns::{Name, RecordType};
use meridian_log::{InstanceStart, InstancesOf, Snapshot};
use meridian_model::{State, ZoneId};

use super::traffic_policy::{own_version, traffic_policy_arn};
use super::{Outcome, start_name};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{InstanceFilter, InstancePage, ListTrafficPolicyInstances};
use crate::rights::{authorize, own_zone, zone_arn};

/// The longest page.
const MAX_INSTANCES: usize = 100;

/// Where a page starts: zone, name and type, the latter two not without the former.
struct Start {
    zone: ZoneId,
    name: Option<(Name, Option<RecordType>)>,
}

impl Control {
    /// A page of the account's instances, by zone, name and type.
    ///
    /// # Errors
    /// `NoSuchHostedZone` and `NoSuchTrafficPolicy` for what instances are listed of;
    /// `NoSuchTrafficPolicyInstance` when zone, name and type of the first one are given and there
    /// is none; `InvalidInput` for a type without a name, or a name without a zone.
    pub fn list_traffic_policy_instances(
        &self,
        caller: &Caller,
        request: &ListTrafficPolicyInstances,
    ) -> Outcome<InstancePage> {
        let snapshot = self.fresh()?;
        let of = match &request.filter {
            InstanceFilter::All => {
                let action = "route53:ListTrafficPolicyInstances";
                authorize(&snapshot, caller, action, "*")?;
                None
            }
            InstanceFilter::HostedZone(id) => {
                let action = "route53:ListTrafficPolicyInstancesByHostedZone";
                authorize(&snapshot, caller, action, &zone_arn(id))?;
                Some(Of::Zone(own_zone(&snapshot, caller, id)?.id))
            }
            InstanceFilter::TrafficPolicy(of) => {
                let action = "route53:ListTrafficPolicyInstancesByPolicy";
                authorize(&snapshot, caller, action, &traffic_policy_arn(&of.id))?;
                let policy = own_version(&snapshot, caller, of)?;
                Some(Of::Policy(policy.id, policy.version))
            }
        };
        let of = match &of {
            None => InstancesOf::Account(&caller.account),
            Some(Of::Zone(zone)) => InstancesOf::Zone(zone),
            Some(Of::Policy(policy, version)) => InstancesOf::Policy(policy, *version),
        };
        let start = start(request, of)?;
        if let Some(start) = &start {
            check_start(&snapshot, caller, start)?;
        }
        let from = start.as_ref().map(|start| InstanceStart {
            zone: &start.zone,
            name: start.name.as_ref().map(|(name, rtype)| (name, *rtype)),
        });
        let limit = request.max_items.clamp(1, MAX_INSTANCES);
        let mut instances = snapshot.traffic_policy_instances(of, from, limit + 1)?;
        let next = instances.split_off(limit.min(instances.len())).pop();
        let instances = instances.into_iter();
        let instances = instances.map(|instance| self.status_of(&snapshot, instance));
        Ok(InstancePage {
            instances: instances.collect::<Outcome<_>>()?,
            next,
        })
    }
}

/// What instances are listed of, where it is not the whole account.
enum Of {
    Zone(ZoneId),
    Policy(meridian_model::TrafficPolicyId, u32),
}

fn start(request: &ListTrafficPolicyInstances, of: InstancesOf<'_>) -> Outcome<Option<Start>> {
    let invalid = |text: &str| Err(Refusal::InvalidInput(text.to_owned()).into());
    let name = match (&request.name, request.rtype) {
        (None, Some(_)) => {
            return invalid(
                "TrafficPolicyInstanceNameMarker is required when TrafficPolicyInstanceTypeMarker \
                 is given.",
            );
        }
        (None, None) => None,
        (Some(name), rtype) => Some((start_name(name)?, rtype)),
    };
    let zone = match (of, &request.hosted_zone_id) {
        (InstancesOf::Zone(zone), _) => Some(zone.clone()),
        (_, None) => None,
        (_, Some(id)) => match ZoneId::new(id) {
            Ok(id) => Some(id),
            Err(_) => return invalid(&format!("Invalid marker: {id}")),
        },
    };
    match (zone, name) {
        (None, None) => Ok(None),
        (Some(zone), name) => Ok(Some(Start { zone, name })),
        (None, Some(_)) => {
            invalid("HostedZoneIdMarker is required when TrafficPolicyInstanceNameMarker is given.")
        }
    }
}

/// A whole marker is that of an instance, as the page before gave it.
fn check_start(snapshot: &Snapshot, caller: &Caller, start: &Start) -> Outcome<()> {
    let Some((name, Some(rtype))) = &start.name else {
        return Ok(());
    };
    let found = snapshot.traffic_policy_instance_at(&start.zone, name, *rtype)?;
    if found.is_some_and(|instance| instance.account == caller.account) {
        return Ok(());
    }
    Err(Refusal::NoTrafficPolicyInstanceAt {
        zone: start.zone.to_string(),
        name: name.to_string(),
        rtype: *rtype,
    }
    .into())
}
