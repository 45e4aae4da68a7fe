//! The control plane's one object.

use meridian_model::AccessKeyId;

use crate::{
    Caller, ChangeOutcome, ChangeRecordSets, CreateHostedZone, CreatedHostedZone, Credential,
    Fault, HostedZone, ListHostedZones, ListHostedZonesByName, ListRecordSets, OperationError,
    RecordSetPage, ZonePage, ZonesByNamePage,
};

/// The control plane. Operations block on disk: call them off the async threads.
#[derive(Debug)]
pub struct Control {}

type Outcome<T> = Result<T, OperationError>;

fn missing<T>() -> Outcome<T> {
    Err(Fault::Storage("not written yet".to_owned()).into())
}

impl Control {
    /// What is needed to check a signature of this key; none for unknown and inactive keys.
    ///
    /// # Errors
    /// When the tables or the vault cannot be read.
    pub fn credential(&self, _key: &AccessKeyId) -> Result<Option<Credential>, Fault> {
        Ok(None)
    }

    /// CreateHostedZone.
    pub fn create_hosted_zone(
        &self,
        _caller: &Caller,
        _request: CreateHostedZone,
    ) -> Outcome<CreatedHostedZone> {
        missing()
    }

    /// GetHostedZone.
    pub fn hosted_zone(&self, _caller: &Caller, _id: &str) -> Outcome<HostedZone> {
        missing()
    }

    /// ListHostedZones.
    pub fn list_hosted_zones(
        &self,
        _caller: &Caller,
        _request: &ListHostedZones,
    ) -> Outcome<ZonePage> {
        missing()
    }

    /// ListHostedZonesByName.
    pub fn list_hosted_zones_by_name(
        &self,
        _caller: &Caller,
        _request: &ListHostedZonesByName,
    ) -> Outcome<ZonesByNamePage> {
        missing()
    }

    /// DeleteHostedZone.
    pub fn delete_hosted_zone(&self, _caller: &Caller, _id: &str) -> Outcome<ChangeOutcome> {
        missing()
    }

    /// ChangeResourceRecordSets.
    pub fn change_record_sets(
        &self,
        _caller: &Caller,
        _request: ChangeRecordSets,
    ) -> Outcome<ChangeOutcome> {
        missing()
    }

    /// ListResourceRecordSets.
    pub fn list_record_sets(
        &self,
        _caller: &Caller,
        _request: &ListRecordSets,
    ) -> Outcome<RecordSetPage> {
        missing()
    }

    /// GetChange.
    pub fn change(&self, _caller: &Caller, _id: &str) -> Outcome<ChangeOutcome> {
        missing()
    }
}
