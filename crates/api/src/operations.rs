//! What the dialects need from the control plane: a seam, so that they can be tested without it.

use meridian_control::{
    Caller, ChangeOutcome, ChangeRecordSets, Control, CreateHostedZone, CreatedHostedZone,
    Credential, Fault, HostedZone, ListHostedZones, ListHostedZonesByName, ListRecordSets,
    OperationError, RecordSetPage, ZonePage, ZonesByNamePage,
};
use meridian_model::AccessKeyId;

type Outcome<T> = Result<T, OperationError>;

/// The operations of [`Control`], which is what implements this outside of tests. They may block.
#[expect(missing_docs, reason = "documented at Control")]
pub trait Operations: Send + Sync + 'static {
    fn credential(&self, key: &AccessKeyId) -> Result<Option<Credential>, Fault>;
    fn create_hosted_zone(&self, by: &Caller, ask: &CreateHostedZone)
    -> Outcome<CreatedHostedZone>;
    fn hosted_zone(&self, by: &Caller, id: &str) -> Outcome<HostedZone>;
    fn list_hosted_zones(&self, by: &Caller, ask: &ListHostedZones) -> Outcome<ZonePage>;
    fn list_hosted_zones_by_name(
        &self,
        by: &Caller,
        ask: &ListHostedZonesByName,
    ) -> Outcome<ZonesByNamePage>;
    fn delete_hosted_zone(&self, by: &Caller, id: &str) -> Outcome<ChangeOutcome>;
    fn change_record_sets(&self, by: &Caller, ask: &ChangeRecordSets) -> Outcome<ChangeOutcome>;
    fn list_record_sets(&self, by: &Caller, ask: &ListRecordSets) -> Outcome<RecordSetPage>;
    fn change(&self, by: &Caller, id: &str) -> Outcome<ChangeOutcome>;
}

impl Operations for Control {
    fn credential(&self, key: &AccessKeyId) -> Result<Option<Credential>, Fault> {
        Self::credential(self, key)
    }

    fn create_hosted_zone(
        &self,
        by: &Caller,
        ask: &CreateHostedZone,
    ) -> Outcome<CreatedHostedZone> {
        Self::create_hosted_zone(self, by, ask)
    }

    fn hosted_zone(&self, by: &Caller, id: &str) -> Outcome<HostedZone> {
        Self::hosted_zone(self, by, id)
    }

    fn list_hosted_zones(&self, by: &Caller, ask: &ListHostedZones) -> Outcome<ZonePage> {
        Self::list_hosted_zones(self, by, ask)
    }

    fn list_hosted_zones_by_name(
        &self,
        by: &Caller,
        ask: &ListHostedZonesByName,
    ) -> Outcome<ZonesByNamePage> {
        Self::list_hosted_zones_by_name(self, by, ask)
    }

    fn delete_hosted_zone(&self, by: &Caller, id: &str) -> Outcome<ChangeOutcome> {
        Self::delete_hosted_zone(self, by, id)
    }

    fn change_record_sets(&self, by: &Caller, ask: &ChangeRecordSets) -> Outcome<ChangeOutcome> {
        Self::change_record_sets(self, by, ask)
    }

    fn list_record_sets(&self, by: &Caller, ask: &ListRecordSets) -> Outcome<RecordSetPage> {
        Self::list_record_sets(self, by, ask)
    }

    fn change(&self, by: &Caller, id: &str) -> Outcome<ChangeOutcome> {
        Self::change(self, by, id)
    }
}
