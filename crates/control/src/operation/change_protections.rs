//! CreateResourceRecordSetProtections and DeleteResourceRecordSetProtections.

use meridian_log::{ReadError, Snapshot};
use meridian_model::{
    Effect, PlanError, ProtectionDraft, ProtectionRefusal, Zone, plan_create_protections,
    plan_delete_protections,
};

use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::ChangeProtections;
use crate::rights::{authorize, own_zone, zone_arn};

type Plan = fn(
    &Snapshot,
    &Zone,
    &[ProtectionDraft],
) -> Result<Vec<Effect>, PlanError<ProtectionRefusal, ReadError>>;

impl Control {
    /// CreateResourceRecordSetProtections: all of them, or none.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `InvalidInput`, `InvalidResourceRecordSetProtectionBatch`,
    /// `ProtectionAlreadyExists`, `LimitsExceeded`.
    pub fn create_protections(&self, caller: &Caller, request: &ChangeProtections) -> Outcome<()> {
        let action = "route53:CreateResourceRecordSetProtections";
        self.change_protections(caller, action, request, plan_create_protections)
    }

    /// DeleteResourceRecordSetProtections: all of them, or none.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `InvalidInput`, `InvalidResourceRecordSetProtectionBatch`.
    pub fn delete_protections(&self, caller: &Caller, request: &ChangeProtections) -> Outcome<()> {
        let action = "route53:DeleteResourceRecordSetProtections";
        self.change_protections(caller, action, request, plan_delete_protections)
    }

    fn change_protections(
        &self,
        caller: &Caller,
        action: &str,
        request: &ChangeProtections,
        plan: Plan,
    ) -> Outcome<()> {
        let id = request.hosted_zone_id.as_str();
        self.write_to(Some(id), caller, |snapshot, _| {
            authorize(snapshot, caller, action, &zone_arn(id))?;
            let zone = own_zone(snapshot, caller, id)?;
            plan(snapshot, &zone, &request.protections)
                .map_err(|error| refused(error, |refusal| words(refusal, &zone)))
        })?;
        Ok(())
    }
}

fn words(refusal: ProtectionRefusal, zone: &Zone) -> Refusal {
    match refusal {
        ProtectionRefusal::InvalidInput(text) => Refusal::InvalidInput(text),
        ProtectionRefusal::InvalidBatch(problems) => Refusal::InvalidProtectionBatch(problems),
        ProtectionRefusal::AlreadyExist(problems) => Refusal::ProtectionAlreadyExists(problems),
        ProtectionRefusal::LimitExceeded(limit) => Refusal::LimitsExceeded(format!(
            "Limits Exceeded: MAX_RRSET_PROTECTIONS_BY_ZONE - the hosted zone {} cannot have more \
             than {limit} protections.",
            zone.id
        )),
    }
}
