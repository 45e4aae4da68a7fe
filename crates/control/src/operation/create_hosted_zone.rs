//! CreateHostedZone.

use meridian_model::{CreateZoneRefusal, Effect, NewZone, plan_create_zone};

use super::get_reusable_delegation_set::own_delegation_set;
use super::{Outcome, Planned, refused, submitted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::{Fault, Refusal};
use crate::request::{CreateHostedZone, CreatedHostedZone, HostedZone};
use crate::rights::{Context, authorize_with};

/// A zone starts with its NS and its SOA.
const FIRST_SETS: u64 = 2;

impl Control {
    /// CreateHostedZone.
    ///
    /// # Errors
    /// `InvalidDomainName`, `HostedZoneAlreadyExists`, `TooManyHostedZones`,
    /// `DelegationSetNotAvailable`, `NoSuchDelegationSet`, `DelegationSetNotReusable`,
    /// `ConflictingDomainExists`, and `InvalidInput` for private zones, which are not there yet.
    pub fn create_hosted_zone(
        &self,
        caller: &Caller,
        request: &CreateHostedZone,
    ) -> Outcome<CreatedHostedZone> {
        let effects = self.submit(caller, |snapshot, facts| {
            authorize_with(snapshot, caller, "route53:CreateHostedZone", "*", || {
                Context::of_vpc(request.vpc.as_ref())
            })?;
            check_kind(request)?;
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
                vpc: None,
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

fn check_kind(request: &CreateHostedZone) -> Result<(), Refusal> {
    if request.private_zone || request.vpc.is_some() {
        let text = "Private hosted zones are not available yet in this version of Meridian.";
        return Err(Refusal::InvalidInput(text.to_owned()));
    }
    Ok(())
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
            CreateZoneRefusal::ConflictingVpc(vpc, name) => Self::ConflictingDomainExists(format!(
                "The VPC that you chose, {} in region {}, is already associated with another \
                 private hosted zone that has an overlapping name space, {name}.",
                vpc.id, vpc.region
            )),
            CreateZoneRefusal::ConflictingDomainExists(name, id) => {
                Self::ConflictingDomainExists(format!(
                    "Cannot create hosted zone with DelegationSetId DelegationSetId:{id} as the \
                 DNSName {name} conflicts with existing ones sharing the delegation set"
                ))
            }
        }
    }
}
