//! CreateHostedZone.

use meridian_log::Snapshot;
use meridian_model::{CreateZoneRefusal, Effect, NewZone, Vpc, plan_create_zone};

use super::get_reusable_delegation_set::own_delegation_set;
use super::vpc::{known_vpc, overlapping, vpc_context};
use super::{Outcome, Planned, refused, submitted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::{Fault, Refusal};
use crate::request::{CreateHostedZone, CreatedHostedZone, HostedZone};
use crate::rights::authorize_with;

/// A zone starts with its NS and its SOA.
const FIRST_SETS: u64 = 2;

impl Control {
    /// CreateHostedZone.
    ///
    /// # Errors
    /// `InvalidDomainName`, `HostedZoneAlreadyExists`, `TooManyHostedZones`,
    /// `DelegationSetNotAvailable`, `NoSuchDelegationSet`, `DelegationSetNotReusable`,
    /// `ConflictingDomainExists`, `InvalidVPCId`, `InvalidInput`.
    pub fn create_hosted_zone(
        &self,
        caller: &Caller,
        request: &CreateHostedZone,
    ) -> Outcome<CreatedHostedZone> {
        let effects = self.submit(caller, |snapshot, facts| {
            let context = vpc_context(snapshot, request.vpc.as_ref())?;
            let action = "route53:CreateHostedZone";
            authorize_with(snapshot, caller, action, "*", || context)?;
            let vpc = private_vpc(snapshot, caller, request)?;
            let delegation_set = request.delegation_set_id.as_deref();
            let delegation_set = delegation_set.map(|id| own_delegation_set(snapshot, caller, id));
            let account = snapshot
                .account(&caller.account)?
                .ok_or_else(lost_account)?;
            let new = NewZone {
                name: request.name.clone(),
                caller_reference: request.caller_reference.clone(),
                comment: request.comment.clone(),
                delegation_set: delegation_set.transpose()?,
                vpc,
            };
            let (zone, effects) = plan_create_zone(snapshot, facts, &account, new)
                .map_err(|error| refused(error, Refusal::from))?;
            Ok(Planned {
                zone,
                effects,
                comment: None,
            })
        })?;
        let made = effects.iter().find_map(|effect| match effect {
            Effect::PutZone(zone) => Some(zone.clone()),
            _ => None,
        });
        Ok(CreatedHostedZone {
            zone: HostedZone {
                zone: made.ok_or_else(|| Fault::Storage("a commit lost its zone".to_owned()))?,
                record_set_count: FIRST_SETS,
            },
            change: submitted(&effects)?,
        })
    }
}

/// The VPC that makes the zone a private one, of the caller's own.
fn private_vpc(
    snapshot: &Snapshot,
    caller: &Caller,
    request: &CreateHostedZone,
) -> Outcome<Option<Vpc>> {
    let wrong = |text: &str| Err(Refusal::InvalidInput(text.to_owned()).into());
    let Some(named) = &request.vpc else {
        return match request.private_zone {
            true => wrong("When you're creating a private hosted zone, you must specify a VPC."),
            false => Ok(None),
        };
    };
    if request.delegation_set_id.is_some() {
        return wrong("A reusable delegation set cannot be used with a private hosted zone.");
    }
    let vpc = known_vpc(snapshot, named)?;
    if vpc.account != caller.account {
        return Err(Refusal::InvalidVpcId.into());
    }
    Ok(Some(vpc))
}

fn lost_account() -> Fault {
    Fault::Storage("the caller's account is gone".to_owned())
}

impl From<CreateZoneRefusal> for Refusal {
    fn from(refusal: CreateZoneRefusal) -> Self {
        match refusal {
            CreateZoneRefusal::InvalidDomainName(text) => Self::InvalidDomainName(text),
            CreateZoneRefusal::AlreadyExists => Self::HostedZoneAlreadyExists,
            CreateZoneRefusal::TooMany => Self::TooManyHostedZones,
            CreateZoneRefusal::DelegationSetNotAvailable(text) => {
                Self::DelegationSetNotAvailable(text)
            }
            CreateZoneRefusal::TooManyOfDelegationSet => Self::TooManyHostedZonesOfDelegationSet,
            CreateZoneRefusal::ConflictingVpc(vpc, name) => overlapping(&vpc, name),
            CreateZoneRefusal::ConflictingDomainExists(name, id) => {
                Self::ConflictingDomainExists(format!(
                    "Cannot create hosted zone with DelegationSetId DelegationSetId:{id} as the \
                 DNSName {name} conflicts with existing ones sharing the delegation set"
                ))
            }
        }
    }
}
