//! ListReusableDelegationSets.

use meridian_model::DelegationSetId;

use super::Outcome;
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::{DelegationSetPage, ListDelegationSets};
use crate::rights::authorize;

/// The longest page.
const MAX_SETS: usize = 100;

impl Control {
    /// ListReusableDelegationSets: a page of the account's sets, by id.
    ///
    /// # Errors
    /// `InvalidInput` for a marker that cannot be one.
    pub fn list_reusable_delegation_sets(
        &self,
        caller: &Caller,
        request: &ListDelegationSets,
    ) -> Outcome<DelegationSetPage> {
        let snapshot = self.fresh()?;
        authorize(&snapshot, caller, "route53:ListReusableDelegationSets", "*")?;
        let from = request.marker.as_deref().map(|marker| {
            let wrong = |_| Refusal::InvalidInput(format!("Invalid marker: {marker}"));
            DelegationSetId::new(marker).map_err(wrong)
        });
        let from = from.transpose()?;
        let limit = request.max_items.clamp(1, MAX_SETS);
        let mut sets = snapshot.delegation_sets_of(&caller.account, from.as_ref(), limit + 1)?;
        let rest = sets.split_off(limit.min(sets.len()));
        let next = rest.into_iter().next().map(|set| set.id);
        Ok(DelegationSetPage { sets, next })
    }
}
