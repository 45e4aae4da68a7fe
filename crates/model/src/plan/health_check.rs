//! CreateHealthCheck, UpdateHealthCheck and DeleteHealthCheck.

use std::collections::HashSet;
use std::net::IpAddr;

use super::PlanError;
use crate::effect::Effect;
use crate::egress::AddressRange;
use crate::facts::{Facts, Timestamp};
use crate::health_check::{
    HealthCheck, HealthCheckConfig, HealthCheckDraft, HealthCheckSettings, HealthSubject,
    INTERVALS_S, ResetElement, no_child, no_interval,
};
use crate::id::{AccountId, HealthCheckId};
use crate::quota::Quota;
use crate::state::State;
use crate::tag::{TagSet, TaggedKind, TaggedResource};

/// The time within which creations are counted.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Why a check is not made, changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HealthCheckRefusal {
    /// `InvalidInput` with this message.
    Invalid(String),
    /// `HealthCheckAlreadyExists`: the reference was used for another check.
    AlreadyExists,
    /// `TooManyHealthChecks`: there are as many as there may be.
    TooMany,
    /// `TooManyHealthChecks`: as many were made within 24 hours as may be.
    TooManyCreated,
    /// `HealthCheckVersionMismatch`: the check is of this version.
    VersionMismatch(u64),
    /// `HealthCheckInUse`: another check is calculated from it.
    InUse,
}

/// A check that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewHealthCheck {
    /// 1 to 64 characters.
    pub caller_reference: String,
    /// What it is to be.
    pub config: HealthCheckDraft,
}

/// What is to become of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HealthCheckUpdate {
    /// The version that it must have, if that matters.
    pub version: Option<u64>,
    /// What is to be different.
    pub settings: HealthCheckSettings,
    /// What is to have its default again.
    pub reset: Vec<ResetElement>,
}

/// A check, and what makes it so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedHealthCheck {
    /// As it is afterwards.
    pub check: HealthCheck,
    /// None when it is so already.
    pub effects: Vec<Effect>,
}

type Planned<T, E> = Result<T, PlanError<HealthCheckRefusal, E>>;

/// A new check, or the one that the same request made before.
///
/// # Errors
/// [`HealthCheckRefusal`], or the state's error.
pub fn plan_create_health_check<S: State>(
    state: &S,
    facts: &mut Facts,
    account: &AccountId,
    new: NewHealthCheck,
) -> Planned<PlannedHealthCheck, S::Error> {
    let NewHealthCheck {
        caller_reference,
        config,
    } = new;
    let config = config.into_config().map_err(invalid)?;
    if let Some(id) = state.health_check_by_reference(account, &caller_reference)? {
        return match state.health_check(&id)? {
            Some(check) if check.created_with == config => Ok(PlannedHealthCheck {
                check,
                effects: Vec::new(),
            }),
            _ => Err(PlanError::Refused(HealthCheckRefusal::AlreadyExists)),
        };
    }
    if state.health_check_count(account)? >= state.limit(account, Quota::HealthChecksByOwner)? {
        return Err(PlanError::Refused(HealthCheckRefusal::TooMany));
    }
    let yesterday = Timestamp(facts.now.0.saturating_sub(DAY_MS));
    let created = state.health_checks_created_since(account, yesterday)?;
    if created >= state.limit(account, Quota::HealthCheckCreationsByDay)? {
        return Err(PlanError::Refused(HealthCheckRefusal::TooManyCreated));
    }
    check_children(state, account, None, &config)?;
    if let HealthSubject::Endpoint(endpoint) = &config.subject {
        check_interval(state, account, endpoint.request_interval_s)?;
        check_target(state, account, endpoint.ip_address)?;
    }
    let check = HealthCheck {
        id: facts.health_check_id(),
        account: account.clone(),
        caller_reference,
        version: 1,
        created_with: config.clone(),
        config,
        slot: state.free_health_slot()?,
    };
    Ok(PlannedHealthCheck {
        effects: vec![Effect::PutHealthCheck(check.clone())],
        check,
    })
}

/// What an update makes of a check. Each one raises its version, whatever it changes.
///
/// # Errors
/// [`HealthCheckRefusal`], or the state's error.
pub fn plan_update_health_check<S: State>(
    state: &S,
    check: &HealthCheck,
    update: HealthCheckUpdate,
) -> Planned<PlannedHealthCheck, S::Error> {
    if update
        .version
        .is_some_and(|version| version != check.version)
    {
        let refusal = HealthCheckRefusal::VersionMismatch(check.version);
        return Err(PlanError::Refused(refusal));
    }
    let config = updated(&check.config, update).map_err(invalid)?;
    check_children(state, &check.account, Some(&check.id), &config)?;
    // A right that is gone is asked for again once the address becomes another.
    if let Some(address) = address_of(&config)
        && address_of(&check.config) != Some(address)
    {
        check_target(state, &check.account, Some(address))?;
    }
    let check = HealthCheck {
        version: check.version.saturating_add(1),
        config,
        ..check.clone()
    };
    Ok(PlannedHealthCheck {
        effects: vec![Effect::PutHealthCheck(check.clone())],
        check,
    })
}

fn updated(
    config: &HealthCheckConfig,
    update: HealthCheckUpdate,
) -> Result<HealthCheckConfig, String> {
    let mut draft = HealthCheckDraft::of(config);
    for element in update.reset {
        if is_set(&update.settings, element) {
            return Err(format!(
                "Invalid parameter : {} cannot be set and reset in one request.",
                element.as_str()
            ));
        }
        draft.settings.reset(element);
    }
    draft.settings.overlay(update.settings);
    let new = draft.into_config()?;
    if address_of(&new).is_some() != address_of(config).is_some() {
        return Err(
            "Invalid parameter : An IP address cannot be added to a health check.".to_owned(),
        );
    }
    Ok(new)
}

fn address_of(config: &HealthCheckConfig) -> Option<IpAddr> {
    match &config.subject {
        HealthSubject::Endpoint(endpoint) => endpoint.ip_address,
        _ => None,
    }
}

/// Has an endpoint be probed at another interval, which no request can change.
///
/// # Errors
/// [`HealthCheckRefusal`], or the state's error.
pub fn plan_set_health_check_interval<S: State>(
    state: &S,
    check: &HealthCheck,
    seconds: u8,
) -> Planned<PlannedHealthCheck, S::Error> {
    if !matches!(check.config.subject, HealthSubject::Endpoint(_)) {
        return Err(invalid(
            "Invalid parameter : Only checks of endpoints have a request interval.".to_owned(),
        ));
    }
    check_interval(state, &check.account, seconds)?;
    let mut draft = HealthCheckDraft::of(&check.config);
    draft.settings.request_interval_s = Some(seconds);
    let config = draft.into_config().map_err(invalid)?;
    let check = HealthCheck {
        version: check.version.saturating_add(1),
        config,
        ..check.clone()
    };
    Ok(PlannedHealthCheck {
        effects: vec![Effect::PutHealthCheck(check.clone())],
        check,
    })
}

fn is_set(settings: &HealthCheckSettings, element: ResetElement) -> bool {
    match element {
        ResetElement::FullyQualifiedDomainName => settings.domain_name.is_some(),
        ResetElement::Regions => settings.regions.is_some(),
        ResetElement::ResourcePath => settings.resource_path.is_some(),
        ResetElement::ChildHealthChecks => settings.children.is_some(),
    }
}

/// What goes with a check: its tags and its switch. Record sets that name it stay as they are, and
/// count as healthy.
///
/// # Errors
/// [`HealthCheckRefusal::InUse`], or the state's error.
pub fn plan_delete_health_check<S: State>(
    state: &S,
    check: &HealthCheck,
) -> Planned<Vec<Effect>, S::Error> {
    if state.is_child_health_check(&check.id)? {
        return Err(PlanError::Refused(HealthCheckRefusal::InUse));
    }
    let mut effects = Vec::new();
    let resource = TaggedResource {
        kind: TaggedKind::HealthCheck,
        id: check.id.to_string(),
    };
    if !state.tags(&resource)?.is_empty() {
        let tags = Vec::new();
        effects.push(Effect::PutTags(TagSet { resource, tags }));
    }
    if state.health_switch(&check.id)?.is_some() {
        effects.push(Effect::DeleteHealthSwitch(check.id.clone()));
    }
    effects.push(Effect::DeleteHealthCheck(check.id.clone()));
    Ok(effects)
}

/// Refuses children that the account does not have, and loops. `own` is the check's id, if it has
/// one yet. Every check is looked at once.
fn check_children<S: State>(
    state: &S,
    account: &AccountId,
    own: Option<&HealthCheckId>,
    config: &HealthCheckConfig,
) -> Planned<(), S::Error> {
    let mut seen: HashSet<HealthCheckId> = HashSet::new();
    let mut ahead: Vec<HealthCheckId> = Vec::new();
    for id in config.children() {
        match state.health_check(id)? {
            Some(child) if child.account == *account => ahead.push(child.id),
            _ => {
                return Err(invalid(format!(
                    "Invalid parameter : {}",
                    no_child(id.as_str())
                )));
            }
        }
    }
    while let Some(id) = ahead.pop() {
        if own == Some(&id) {
            return Err(invalid(format!(
                "Invalid parameter : The health check {id} cannot be calculated from itself."
            )));
        }
        if seen.insert(id.clone())
            && let Some(check) = state.health_check(&id)?
        {
            ahead.extend(check.config.children().iter().cloned());
        }
    }
    Ok(())
}

/// Refuses what is none of the intervals, and what is less than the account's least.
fn check_interval<S: State>(state: &S, account: &AccountId, seconds: u8) -> Planned<(), S::Error> {
    let least = state.limit(account, Quota::HealthCheckInterval)?;
    if !INTERVALS_S.contains(&seconds) || u64::from(seconds) < least {
        return Err(invalid(no_interval(least)));
    }
    Ok(())
}

/// Refuses an address that the account has no right to have probed. Where a name leads is not known
/// here: whoever connects asks again.
fn check_target<S: State>(
    state: &S,
    account: &AccountId,
    address: Option<IpAddr>,
) -> Planned<(), S::Error> {
    let Some(address) = address else {
        return Ok(());
    };
    match AddressRange::of(address) {
        Some(range) if !state.probe_rights(account)?.allow(Some(range)) => Err(invalid(format!(
            "Invalid parameter : The IP address {address} is {}, which this account may not have \
             checked.",
            range.as_str()
        ))),
        _ => Ok(()),
    }
}

fn invalid<E>(text: String) -> PlanError<HealthCheckRefusal, E> {
    PlanError::Refused(HealthCheckRefusal::Invalid(text))
}
