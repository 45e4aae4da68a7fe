//! The health checks of registered resources, out of the tables.

use meridian_answer::ResourceChecks;
use meridian_log::{ReadError, Snapshot};
use meridian_model::{Resource, ResourceName};

/// The checks of all resources with a host name. No alias points to an address.
pub(super) fn read(snapshot: &Snapshot) -> Result<ResourceChecks, ReadError> {
    let resources = snapshot.resources()?;
    let checked = resources.iter().filter_map(|resource| match resource {
        Resource {
            account,
            name: ResourceName::Host(name),
            health_check: Some(check),
            ..
        } => Some((account, name, check.as_str())),
        _ => None,
    });
    Ok(ResourceChecks::of(checked))
}
