//! Reusable delegation sets that operators make, for zones that are moved in.

use meridian_log::Snapshot;
use meridian_model::{
    Account, DelegationSetId, Effect, NewDelegationSet, PlanError, ReusableDelegationSet, State,
    plan_create_delegation_set,
};

use super::{AdminError, Outcome, account_of};
use crate::control::Control;
use crate::operation::delegation_set_refusal as words;
use crate::refusal::Fault;

impl Control {
    /// The account's reusable delegation set of this reference: the one it has, or a new one.
    ///
    /// # Errors
    /// When there is no such account, or it can have no further set.
    pub fn provide_delegation_set(
        &self,
        account: &str,
        caller_reference: &str,
    ) -> Outcome<ReusableDelegationSet> {
        let snapshot = self.fresh()?;
        let owner = account_of(&snapshot, account)?.id;
        let used = snapshot.delegation_set_by_reference(&owner, caller_reference)?;
        let known = used.as_ref().map(|id| snapshot.delegation_set(id));
        if let Some(set) = known.transpose()?.flatten() {
            return Ok(set);
        }
        self.administer(|snapshot, facts| {
            let account = account_of(snapshot, account)?.id;
            let new = NewDelegationSet {
                // A reference that a set had which is gone is spent.
                caller_reference: match used {
                    Some(_) => format!("import {:016x}", facts.draw()),
                    None => caller_reference.to_owned(),
                },
                zone: None,
            };
            let planned = plan_create_delegation_set(snapshot, facts, &account, new);
            let effects = planned.map_err(|error| match error {
                PlanError::State(error) => error.into(),
                PlanError::Refused(refusal) => {
                    AdminError::DelegationSet(words(refusal).to_string())
                }
            })?;
            let made = effects.iter().find_map(|effect| match effect {
                Effect::PutDelegationSet(set) => Some(set.clone()),
                _ => None,
            });
            let made = made.ok_or_else(|| Fault::Storage("a plan lost its set".to_owned()))?;
            Ok((effects, made))
        })
    }
}

/// A set of this account, by id.
pub(super) fn delegation_set_of(
    snapshot: &Snapshot,
    account: &Account,
    text: &str,
) -> Outcome<ReusableDelegationSet> {
    let found = match DelegationSetId::new(text) {
        Ok(id) => snapshot.delegation_set(&id)?,
        Err(_) => None,
    };
    let own = found.filter(|set| set.account == account.id);
    own.ok_or_else(|| AdminError::UnknownDelegationSet(account.id.clone(), text.to_owned()))
}
