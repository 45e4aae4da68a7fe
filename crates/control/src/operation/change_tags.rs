//! ChangeTagsForResource, and whose tags may be asked for at all.

use meridian_log::Snapshot;
use meridian_model::{TagRefusal, TaggedKind, TaggedResource, plan_change_tags};

use super::get_health_check::{health_check_arn, own_health_check};
use super::{Outcome, refused};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Refusal;
use crate::request::ChangeTags;
use crate::rights::{authorize, own_zone, zone_arn};

impl Control {
    /// ChangeTagsForResource: everything that it asks for, or nothing.
    ///
    /// # Errors
    /// `NoSuchHostedZone`, `NoSuchHealthCheck`, and `InvalidInput` for tags that cannot be, or are
    /// too many.
    pub fn change_tags(&self, caller: &Caller, request: &ChangeTags) -> Outcome<()> {
        let zone = match request.resource.kind {
            TaggedKind::HostedZone => Some(request.resource.id.as_str()),
            TaggedKind::HealthCheck => None,
        };
        self.write_to(zone, caller, |snapshot, _| {
            let action = "route53:ChangeTagsForResource";
            check_resource(snapshot, caller, action, &request.resource)?;
            let ChangeTags { resource, change } = request;
            plan_change_tags(snapshot, &caller.account, resource, change)
                .map_err(|error| refused(error, |TagRefusal(text)| Refusal::InvalidInput(text)))
        })?;
        Ok(())
    }
}

/// Refuses unless the caller may do this to the resource, and it is one of its account.
pub(super) fn check_resource(
    snapshot: &Snapshot,
    caller: &Caller,
    action: &str,
    resource: &TaggedResource,
) -> Outcome<()> {
    let TaggedResource { kind, id } = resource;
    match kind {
        TaggedKind::HostedZone => {
            authorize(snapshot, caller, action, &zone_arn(id))?;
            own_zone(snapshot, caller, id)?;
        }
        TaggedKind::HealthCheck => {
            authorize(snapshot, caller, action, &health_check_arn(id))?;
            own_health_check(snapshot, caller, id)?;
        }
    }
    Ok(())
}
