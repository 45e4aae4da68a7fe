//! Resources: hosts and addresses that have a region, and a health check perhaps.

use meridian_log::ReadError;
use meridian_model::{
    NewResource, PlanError, Resource, ResourceName, ResourceRefusal, State, plan_add_resource,
    plan_remove_resource,
};

use super::{AdminError, Outcome, account_or_operators, accounts_of};
use crate::control::Control;

/// A resource to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceRequest {
    /// Whose, by name or id; the operator's when absent.
    pub account: Option<String>,
    /// A host name or an address.
    pub name: String,
    /// Where it is; its name tells when absent.
    pub region: Option<String>,
    /// A health check of the account.
    pub health_check: Option<String>,
}

/// A resource, and whose it is for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedResource {
    /// The resource.
    pub resource: Resource,
    /// The account's name.
    pub account_name: String,
}

impl Control {
    /// All resources, or those of an account given by name or id.
    ///
    /// # Errors
    /// When there is no such account.
    pub fn resources(&self, account: Option<&str>) -> Outcome<Vec<OwnedResource>> {
        let snapshot = self.fresh()?;
        let mut found = Vec::new();
        for account in accounts_of(&snapshot, account)? {
            let resources = snapshot.resources_of(&account.id)?.into_iter();
            found.extend(resources.map(|resource| OwnedResource {
                resource,
                account_name: account.name.clone(),
            }));
        }
        Ok(found)
    }

    /// A resource of an account, the operator's when none is given.
    ///
    /// # Errors
    /// [`ResourceRefusal::Unknown`], and when there is no such account.
    pub fn resource(&self, account: Option<&str>, name: &str) -> Outcome<OwnedResource> {
        let snapshot = self.fresh()?;
        let account = account_or_operators(&snapshot, account)?;
        let found = match ResourceName::parse(name) {
            Some(name) => snapshot.resource(&account.id, &name)?,
            None => None,
        };
        let resource = found.ok_or_else(|| ResourceRefusal::Unknown(name.to_owned()))?;
        Ok(OwnedResource {
            resource,
            account_name: account.name,
        })
    }

    /// Registers a resource, instead of what the account had under its name.
    ///
    /// # Errors
    /// [`ResourceRefusal`], and when there is no such account.
    pub fn add_resource(&self, request: &ResourceRequest) -> Outcome<OwnedResource> {
        self.administer(|snapshot, _| {
            let account = account_or_operators(snapshot, request.account.as_deref())?;
            let new = NewResource {
                account: account.id,
                name: request.name.clone(),
                region: request.region.clone(),
                health_check: request.health_check.clone(),
            };
            let planned = plan_add_resource(snapshot, &new);
            let (effects, resource) = planned.map_err(refused)?;
            let account_name = account.name;
            let owned = OwnedResource {
                resource,
                account_name,
            };
            Ok((effects, owned))
        })
    }

    /// Forgets a resource. Record sets that point to it stay.
    ///
    /// # Errors
    /// [`ResourceRefusal::Unknown`], and when there is no such account.
    pub fn remove_resource(&self, account: Option<&str>, name: &str) -> Outcome<Resource> {
        self.administer(|snapshot, _| {
            let account = account_or_operators(snapshot, account)?;
            plan_remove_resource(snapshot, &account.id, name).map_err(refused)
        })
    }
}

pub(super) fn refused(error: PlanError<ResourceRefusal, ReadError>) -> AdminError {
    match error {
        PlanError::Refused(refusal) => refusal.into(),
        PlanError::State(error) => error.into(),
    }
}
