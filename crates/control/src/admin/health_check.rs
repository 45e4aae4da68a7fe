//! Health checks as operators name them, and those that they make for zones that are moved in. What
//! they are is the business of the API.

use meridian_log::{ReadError, Snapshot};
use meridian_model::{
    Account, Effect, HealthCheck, HealthCheckDraft, HealthCheckId, HealthCheckRefusal,
    NewHealthCheck, PlanError, State, Tag, TagSet, TaggedKind, TaggedResource,
    plan_create_health_check, plan_set_health_check_interval,
};

use super::{AdminError, Outcome, account_of};
use crate::control::Control;
use crate::operation::health_check_refusal as words;

/// How often a check may have been deleted here and copied again.
const MAX_COPIES: u32 = 100;

impl Control {
    /// The account's health check of this reference: the one it has, whatever became of it, or a
    /// new one with these tags.
    ///
    /// # Errors
    /// When there is no such account, or it can have no such check.
    pub fn provide_health_check(
        &self,
        account: &str,
        caller_reference: &str,
        config: &HealthCheckDraft,
        tags: &[Tag],
    ) -> Outcome<HealthCheckId> {
        let snapshot = self.fresh()?;
        let owner = account_of(&snapshot, account)?;
        if let Copied::Here(id) = copied(&snapshot, &owner, caller_reference)? {
            return Ok(id);
        }
        drop(snapshot);
        self.administer(|snapshot, facts| {
            let account = account_of(snapshot, account)?;
            let caller_reference = match copied(snapshot, &account, caller_reference)? {
                // Somebody else was faster.
                Copied::Here(id) => return Ok((Vec::new(), id)),
                Copied::Not { unspent } => unspent,
            };
            let new = NewHealthCheck {
                caller_reference,
                config: config.clone(),
            };
            let planned = plan_create_health_check(snapshot, facts, &account.id, new);
            let planned = planned.map_err(refused)?;
            let (mut effects, id) = (planned.effects, planned.check.id);
            if !tags.is_empty() {
                let resource = TaggedResource {
                    kind: TaggedKind::HealthCheck,
                    id: id.to_string(),
                };
                // As they are there, those of a stack included, which no request could put.
                let tags = tags.to_vec();
                effects.push(Effect::PutTags(TagSet { resource, tags }));
            }
            Ok((effects, id))
        })
    }

    /// Has an endpoint be probed at another interval. By the API that cannot be changed.
    ///
    /// # Errors
    /// When there is no such check, or it cannot be of that interval.
    pub fn set_health_check_interval(&self, id: &str, seconds: u8) -> Outcome<HealthCheck> {
        self.administer(|snapshot, _| {
            let found = match HealthCheckId::new(id) {
                Ok(id) => snapshot.health_check(&id)?,
                Err(_) => None,
            };
            let check = found.ok_or_else(|| AdminError::UnknownHealthCheck(id.to_owned()))?;
            let planned = plan_set_health_check_interval(snapshot, &check, seconds);
            let planned = planned.map_err(refused)?;
            Ok((planned.effects, planned.check))
        })
    }

    /// Makes sure that these are ids of health checks, of whatever account.
    ///
    /// # Errors
    /// When there is none of some id.
    pub fn know_health_checks<'i>(&self, ids: impl IntoIterator<Item = &'i str>) -> Outcome<()> {
        let snapshot = self.fresh()?;
        for text in ids {
            let found = match HealthCheckId::new(text) {
                Ok(id) => snapshot.health_check(&id)?,
                Err(_) => None,
            };
            if found.is_none() {
                return Err(AdminError::UnknownHealthCheck(text.to_owned()));
            }
        }
        Ok(())
    }
}

fn refused(error: PlanError<HealthCheckRefusal, ReadError>) -> AdminError {
    match error {
        PlanError::State(error) => error.into(),
        PlanError::Refused(refusal) => AdminError::HealthCheck(words(refusal).to_string()),
    }
}

/// Whether there is a check of a reference.
enum Copied {
    Here(HealthCheckId),
    /// A reference that a check had which is gone is spent: this one is not.
    Not {
        unspent: String,
    },
}

fn copied(snapshot: &Snapshot, owner: &Account, reference: &str) -> Outcome<Copied> {
    let mut unspent = reference.to_owned();
    for copy in 2..=MAX_COPIES {
        let Some(id) = snapshot.health_check_by_reference(&owner.id, &unspent)? else {
            return Ok(Copied::Not { unspent });
        };
        if snapshot.health_check(&id)?.is_some() {
            return Ok(Copied::Here(id));
        }
        unspent = format!("{reference} {copy}");
    }
    Err(AdminError::HealthCheck(format!(
        "it was copied and deleted {MAX_COPIES} times"
    )))
}
