//! Traffic policy instances in the tables: writing and reading them. Their record sets lie with those
//! of their zones.

use meridian_dns::{Name, RecordType};
use meridian_model::{
    AccountId, TrafficPolicyId, TrafficPolicyInstance, TrafficPolicyInstanceId, ZoneId,
};

use super::ApplyError;
use super::layout::{self, InstancePlace, Table};
use super::rows::Rows;
use super::snapshot::{ReadError, Snapshot};
use crate::format::Stored;

/// Writes an instance with its indices.
pub(super) fn put(rows: &mut Rows<'_>, instance: &TrafficPolicyInstance) -> Result<(), ApplyError> {
    delete(rows, &instance.id)?;
    let key = layout::traffic_policy_instance(&instance.id);
    rows.put(Table::TrafficPolicyInstances, &key, &instance.to_bytes())?;
    for (table, index) in indices(instance) {
        rows.put(table, &index, &key)?;
    }
    rows.count_up(&layout::traffic_policy_instance_counter(&instance.account))
}

/// Removes an instance, if it is there.
pub(super) fn delete(rows: &mut Rows<'_>, id: &TrafficPolicyInstanceId) -> Result<(), ApplyError> {
    let key = layout::traffic_policy_instance(id);
    let old: Option<TrafficPolicyInstance> =
        rows.get_stored(Table::TrafficPolicyInstances, &key)?;
    let Some(old) = old else {
        return Ok(());
    };
    rows.delete(Table::TrafficPolicyInstances, &key)?;
    for (table, index) in indices(&old) {
        // A later instance of the same place stays there.
        if rows.get(table, &index)?.as_ref() == Some(&key) {
            rows.delete(table, &index)?;
        }
    }
    rows.count_down(&layout::traffic_policy_instance_counter(&old.account))
}

/// Where an instance is found, beside its id.
fn indices(instance: &TrafficPolicyInstance) -> [(Table, Vec<u8>); 3] {
    let place = InstancePlace {
        zone: &instance.zone,
        name: Some((&instance.name, Some(instance.rtype))),
    };
    let of_account = layout::of_account(&instance.account);
    let of_policy = layout::of_policy_version(&instance.policy, instance.version);
    [
        (Table::ZoneInstances, place.key(&[])),
        (Table::AccountInstances, place.key(&of_account)),
        (Table::PolicyInstances, place.key(&of_policy)),
    ]
}

/// Which instances a list is of.
#[derive(Debug, Clone, Copy)]
pub enum InstancesOf<'a> {
    /// Those of an account, by zone, name and type.
    Account(&'a AccountId),
    /// Those of a zone, by name and type.
    Zone(&'a ZoneId),
    /// Those of a version of a policy, by zone, name and type.
    Policy(&'a TrafficPolicyId, u32),
}

/// Where a list of instances starts: at the first one that is not before this.
#[derive(Debug, Clone, Copy)]
pub struct InstanceStart<'a> {
    /// The zone.
    pub zone: &'a ZoneId,
    /// The name in it, in lower case, and the type at that; without one all of them.
    pub name: Option<(&'a Name, Option<RecordType>)>,
}

impl Snapshot {
    /// Instances from a place on.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read.
    pub fn traffic_policy_instances(
        &self,
        of: InstancesOf<'_>,
        from: Option<InstanceStart<'_>>,
        limit: usize,
    ) -> Result<Vec<TrafficPolicyInstance>, ReadError> {
        let (index, base, prefix) = match of {
            InstancesOf::Account(account) => {
                let base = layout::of_account(account);
                (Table::AccountInstances, base.clone(), base)
            }
            InstancesOf::Zone(zone) => (Table::ZoneInstances, Vec::new(), layout::of_zone(zone)),
            InstancesOf::Policy(policy, version) => {
                let base = layout::of_policy_version(policy, version);
                (Table::PolicyInstances, base.clone(), base)
            }
        };
        let start = from.map_or_else(
            || prefix.clone(),
            |InstanceStart { zone, name }| InstancePlace { zone, name }.key(&base),
        );
        self.scan_named(
            (index, Table::TrafficPolicyInstances),
            &prefix,
            &start,
            limit,
        )
    }
}
