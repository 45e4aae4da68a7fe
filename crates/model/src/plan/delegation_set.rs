//! CreateReusableDelegationSet and DeleteReusableDelegationSet. Zones on a reusable set are made by
//! `hosted_zone`.

use std::collections::BTreeSet;

use super::{PlanError, pool};
use crate::delegation_set::ReusableDelegationSet;
use crate::effect::Effect;
use crate::facts::Facts;
use crate::id::AccountId;
use crate::quota::Quota;
use crate::state::State;
use crate::zone::Zone;

/// What a reusable delegation set is asked to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelegationSet {
    /// 1 to 128 characters.
    pub caller_reference: String,
    /// The account's zone whose own set becomes the reusable one; without, a new set is chosen.
    pub zone: Option<Zone>,
}

/// Why a set is not made; named by Route 53's error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreateDelegationSetRefusal {
    /// `DelegationSetAlreadyCreated`: the reference was used before.
    AlreadyCreated,
    /// `DelegationSetAlreadyReusable`: the zone's set is one already.
    AlreadyReusable,
    /// `InvalidArgument`: a private zone has no name servers that another zone could have.
    PrivateZone,
    /// `LimitsExceeded`.
    TooMany,
    /// `DelegationSetNotAvailable`: the pool has no four names to choose.
    NotAvailable,
}

/// A new reusable set, and the effects that make it: the set, and the zone whose set it was.
///
/// # Errors
/// The refusal, or the state's error.
pub fn plan_create_delegation_set<S: State>(
    state: &S,
    facts: &mut Facts,
    account: &AccountId,
    new: NewDelegationSet,
) -> Result<Vec<Effect>, PlanError<CreateDelegationSetRefusal, S::Error>> {
    let refused = |refusal| Err(PlanError::Refused(refusal));
    if state
        .delegation_set_by_reference(account, &new.caller_reference)?
        .is_some()
    {
        return refused(CreateDelegationSetRefusal::AlreadyCreated);
    }
    if let Some(zone) = &new.zone {
        if zone.private {
            return refused(CreateDelegationSetRefusal::PrivateZone);
        }
        if zone.delegation_set.id.is_some() {
            return refused(CreateDelegationSetRefusal::AlreadyReusable);
        }
    }
    let limit = state.limit(account, Quota::ReusableDelegationSetsByOwner)?;
    if state.delegation_set_count(account)? >= limit {
        return refused(CreateDelegationSetRefusal::TooMany);
    }
    let (name_servers, turn) = match &new.zone {
        Some(zone) => (zone.delegation_set.name_servers.clone(), zone.generation),
        None => {
            // Which zones it will have is not known, so nothing is avoided.
            let turn = state.next_generation()?;
            match pool::choose(&state.name_servers()?, &BTreeSet::new(), turn) {
                Some(names) => (names, turn),
                None => return refused(CreateDelegationSetRefusal::NotAvailable),
            }
        }
    };
    let set = ReusableDelegationSet {
        id: facts.delegation_set_id(),
        account: account.clone(),
        caller_reference: new.caller_reference,
        name_servers,
        turn,
    };
    let marked = new.zone.map(|zone| {
        Effect::PutZone(Zone {
            delegation_set: set.delegation_set(),
            ..zone
        })
    });
    let mut effects = vec![Effect::PutDelegationSet(set)];
    effects.extend(marked);
    Ok(effects)
}

/// Zones have the set: `DelegationSetInUse`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelegationSetInUse;

/// The effects that remove a set which no zone has.
///
/// # Errors
/// [`DelegationSetInUse`], or the state's error.
pub fn plan_delete_delegation_set<S: State>(
    state: &S,
    set: &ReusableDelegationSet,
) -> Result<Vec<Effect>, PlanError<DelegationSetInUse, S::Error>> {
    if state.delegation_set_zone_count(&set.id)? > 0 {
        return Err(PlanError::Refused(DelegationSetInUse));
    }
    Ok(vec![Effect::DeleteDelegationSet(set.id.clone())])
}
