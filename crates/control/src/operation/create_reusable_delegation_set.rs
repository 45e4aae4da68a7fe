//! CreateReusableDelegationSet.

use meridian_log::Snapshot;
use meridian_model::{
    CreateDelegationSetRefusal, Effect, NewDelegationSet, ReusableDelegationSet, State, Zone,
    ZoneId, plan_create_delegation_set,
};

use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::{Fault, Refusal};
use crate::request::CreateDelegationSet;
use crate::rights::authorize;

impl Control {
    /// CreateReusableDelegationSet: a new set, or the one that a zone has.
    ///
    /// # Errors
    /// `DelegationSetAlreadyCreated`, `DelegationSetAlreadyReusable`, `DelegationSetNotAvailable`,
    /// `HostedZoneNotFound`, `InvalidArgument`, `LimitsExceeded`.
    pub fn create_reusable_delegation_set(
        &self,
        caller: &Caller,
        request: &CreateDelegationSet,
    ) -> Outcome<ReusableDelegationSet> {
        let effects = self.write(caller, |snapshot, facts| {
            authorize(snapshot, caller, "route53:CreateReusableDelegationSet", "*")?;
            let zone = request.hosted_zone_id.as_deref();
            let zone = zone.map(|id| zone_to_mark(snapshot, caller, id));
            let new = NewDelegationSet {
                caller_reference: request.caller_reference.clone(),
                zone: zone.transpose()?,
            };
            plan_create_delegation_set(snapshot, facts, &caller.account, new)
                .map_err(|error| refused(error, words))
        })?;
        let made = effects.into_iter().find_map(|effect| match effect {
            Effect::PutDelegationSet(set) => Some(set),
            _ => None,
        });
        Ok(made.ok_or_else(|| Fault::Storage("a commit lost its set".to_owned()))?)
    }
}

/// The caller's zone. This one operation has a code of its own for one that is not there.
fn zone_to_mark(snapshot: &Snapshot, caller: &Caller, id: &str) -> Outcome<Zone> {
    let Ok(zone_id) = ZoneId::new(id) else {
        let text = format!("The hosted zone ID {id} is not valid.");
        return Err(Refusal::InvalidArgument(text).into());
    };
    let zone = snapshot.zone(&zone_id)?;
    let own = zone.filter(|zone| zone.account == caller.account);
    Ok(own.ok_or_else(|| Refusal::HostedZoneNotFound(id.to_owned()))?)
}

/// What clients and operators hear.
pub(crate) fn words(refusal: CreateDelegationSetRefusal) -> Refusal {
    match refusal {
        CreateDelegationSetRefusal::AlreadyCreated => Refusal::DelegationSetAlreadyCreated,
        CreateDelegationSetRefusal::AlreadyReusable => Refusal::DelegationSetAlreadyReusable,
        CreateDelegationSetRefusal::PrivateZone => Refusal::InvalidArgument(
            "The delegation set of a private hosted zone cannot be reusable.".to_owned(),
        ),
        CreateDelegationSetRefusal::TooMany => Refusal::LimitsExceeded(
            "Limits Exceeded: MAX_REUSABLE_DELEGATION_SETS_BY_OWNER - Cannot create more reusable \
             delegation sets."
                .to_owned(),
        ),
        CreateDelegationSetRefusal::NotAvailable => Refusal::DelegationSetNotAvailable(
            "There are no name servers to make a delegation set of. The operator can add some."
                .to_owned(),
        ),
    }
}
