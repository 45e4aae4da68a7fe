//! Resources: registering them, and the region that a target of record sets is in.

use super::PlanError;
use crate::effect::Effect;
use crate::host_region::region_of_host;
use crate::id::{AccountId, HealthCheckId};
use crate::resource::{Resource, ResourceName};
use crate::routing::Region;
use crate::state::State;

/// Why a resource is not registered or forgotten, or no region found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResourceRefusal {
    /// The text is neither.
    #[error("'{0}' is neither a host name nor an address")]
    BadName(String),
    /// Nobody can know.
    #[error(
        "{0} is a bare address, which has no region: say --region, or register it with `meridian \
         resource add {0} --region REGION`"
    )]
    BareAddress(ResourceName),
    /// The name has no form that tells it.
    #[error(
        "the name {0} does not tell its region: say --region, or register it with `meridian \
         resource add {0} --region REGION`"
    )]
    Untold(ResourceName),
    /// No latency record could name it.
    #[error(
        "there is no region '{0}'; it is one of AWS's, or of your own, which `meridian region list` \
         shows"
    )]
    UnknownRegion(String),
    /// Not in this account.
    #[error("the account has no health check '{0}'")]
    UnknownHealthCheck(String),
    /// There are [`Resource::MAX`].
    #[error("the account has {max} resources already; remove one first", max = Resource::MAX)]
    TooMany,
    /// Nobody has registered it.
    #[error("there is no resource {0}; `meridian resource list` shows all")]
    Unknown(String),
}

/// What is said of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewResource {
    /// Whose it is.
    pub account: AccountId,
    /// A host name or an address.
    pub name: String,
    /// Where it is; absent, its name tells.
    pub region: Option<String>,
    /// A health check of the account.
    pub health_check: Option<String>,
}

type Refused<E> = PlanError<ResourceRefusal, E>;

/// Registers a resource, instead of what was registered under its name.
///
/// # Errors
/// [`ResourceRefusal`], or the state's.
pub fn plan_add_resource<S: State>(
    state: &S,
    new: &NewResource,
) -> Result<(Vec<Effect>, Resource), Refused<S::Error>> {
    let name = resource_name(&new.name)?;
    if !name.is_reachable() {
        return Err(PlanError::Refused(ResourceRefusal::BadName(
            new.name.clone(),
        )));
    }
    let region = match &new.region {
        Some(region) => known_region(state, region)?,
        None => told_region(state, &name)?,
    };
    let health_check = match &new.health_check {
        None => None,
        Some(text) => Some(own_check(state, &new.account, text)?),
    };
    let is_new = state.resource(&new.account, &name)?.is_none();
    if is_new && state.resource_count(&new.account)? >= Resource::MAX {
        return Err(PlanError::Refused(ResourceRefusal::TooMany));
    }
    let resource = Resource {
        account: new.account.clone(),
        name,
        region,
        health_check,
    };
    Ok((vec![Effect::PutResource(resource.clone())], resource))
}

/// Forgets a resource. Record sets that point to it stay.
///
/// # Errors
/// [`ResourceRefusal::Unknown`], or the state's.
pub fn plan_remove_resource<S: State>(
    state: &S,
    account: &AccountId,
    name: &str,
) -> Result<(Vec<Effect>, Resource), Refused<S::Error>> {
    let found = match ResourceName::parse(name) {
        Some(name) => state.resource(account, &name)?,
        None => None,
    };
    let unknown = || PlanError::Refused(ResourceRefusal::Unknown(name.to_owned()));
    let found = found.ok_or_else(unknown)?;
    let gone = Effect::DeleteResource {
        account: found.account.clone(),
        name: found.name.clone(),
    };
    Ok((vec![gone], found))
}

/// The region of what a latency record of the account points to: as it was registered, else as its
/// name tells.
///
/// # Errors
/// [`ResourceRefusal`] where nobody says, or the state's.
pub fn region_of_target<S: State>(
    state: &S,
    account: &AccountId,
    target: &str,
) -> Result<Region, Refused<S::Error>> {
    let name = resource_name(target)?;
    match state.resource(account, &name)? {
        Some(resource) => Ok(resource.region),
        None => told_region(state, &name),
    }
}

/// A region that latency records may name.
///
/// # Errors
/// [`ResourceRefusal::UnknownRegion`], or the state's.
pub fn known_region<S: State>(state: &S, name: &str) -> Result<Region, Refused<S::Error>> {
    if let Some(region) = Region::new(name) {
        return Ok(region);
    }
    let mut own = state.own_regions()?.into_iter().map(|own| own.name);
    let unknown = || PlanError::Refused(ResourceRefusal::UnknownRegion(name.to_owned()));
    own.find(|own| own.as_str() == name).ok_or_else(unknown)
}

fn told_region<S: State>(state: &S, name: &ResourceName) -> Result<Region, Refused<S::Error>> {
    let refuse = |refusal| Err(PlanError::Refused(refusal));
    let ResourceName::Host(host) = name else {
        return refuse(ResourceRefusal::BareAddress(name.clone()));
    };
    match region_of_host(host) {
        Some(region) => known_region(state, region.as_str()),
        None => refuse(ResourceRefusal::Untold(name.clone())),
    }
}

fn resource_name<E>(text: &str) -> Result<ResourceName, Refused<E>> {
    let bad = || PlanError::Refused(ResourceRefusal::BadName(text.to_owned()));
    ResourceName::parse(text).ok_or_else(bad)
}

fn own_check<S: State>(
    state: &S,
    account: &AccountId,
    text: &str,
) -> Result<HealthCheckId, Refused<S::Error>> {
    let known = state.health_check_exists(account, text)?;
    let id = HealthCheckId::new(text).ok().filter(|_| known);
    let unknown = || PlanError::Refused(ResourceRefusal::UnknownHealthCheck(text.to_owned()));
    id.ok_or_else(unknown)
}
