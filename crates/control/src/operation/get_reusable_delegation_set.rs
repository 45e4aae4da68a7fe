//! GetReusableDelegationSet, and how every operation finds a set that a caller names.

use meridian_log::Snapshot;
use meridian_model::{DelegationSetId, ReusableDelegationSet, State, ZoneId};

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::rights::authorize;

impl Control {
    /// GetReusableDelegationSet.
    ///
    /// # Errors
    /// `NoSuchDelegationSet`, for sets of other accounts too; `DelegationSetNotReusable`.
    pub fn reusable_delegation_set(
        &self,
        caller: &Caller,
        id: &str,
    ) -> Outcome<ReusableDelegationSet> {
        let snapshot = self.fresh()?;
        let resource = delegation_set_arn(id);
        let action = "route53:GetReusableDelegationSet";
        authorize(&snapshot, caller, action, &resource)?;
        own_delegation_set(&snapshot, caller, id)
    }
}

/// The reusable set, if it exists and belongs to the caller's account.
///
/// A set of one zone's own has no id. Who gives the id of such a zone instead, and owns it, hears
/// that its set is not reusable.
pub(super) fn own_delegation_set(
    snapshot: &Snapshot,
    caller: &Caller,
    id: &str,
) -> Outcome<ReusableDelegationSet> {
    let missing = || Refusal::NoSuchDelegationSet(id.to_owned());
    let set_id = DelegationSetId::new(id).map_err(|_| missing())?;
    if let Some(set) = snapshot.delegation_set(&set_id)?
        && set.account == caller.account
    {
        return Ok(set);
    }
    let zone_id = ZoneId::new(id).map_err(|_| missing())?;
    match snapshot.zone(&zone_id)? {
        Some(zone)
            if zone.account == caller.account
                && !zone.private
                && zone.delegation_set.id.is_none() =>
        {
            Err(Refusal::DelegationSetNotReusable(id.to_owned()).into())
        }
        _ => Err(missing().into()),
    }
}

/// The ARN of a reusable delegation set.
pub(super) fn delegation_set_arn(id: &str) -> String {
    format!("arn:aws:route53:::delegationset/{id}")
}
