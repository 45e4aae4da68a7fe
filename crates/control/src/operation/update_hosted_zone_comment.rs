//! UpdateHostedZoneComment.

use meridian_model::{Effect, plan_zone_comment};

use super::{Outcome, counted};
use crate::caller::Caller;
use crate::control::Control;
use crate::refusal::Fault;
use crate::request::{HostedZone, UpdateHostedZoneComment};
use crate::rights::{authorize, own_zone, zone_arn};

impl Control {
    /// UpdateHostedZoneComment: another comment, or none. There is no change to ask after, since
    /// nothing that is answered changes.
    ///
    /// # Errors
    /// `NoSuchHostedZone`.
    pub fn update_hosted_zone_comment(
        &self,
        caller: &Caller,
        request: &UpdateHostedZoneComment,
    ) -> Outcome<HostedZone> {
        let id = request.hosted_zone_id.as_str();
        let effects = self.write_to(Some(id), caller, |snapshot, _| {
            let action = "route53:UpdateHostedZoneComment";
            authorize(snapshot, caller, action, &zone_arn(id))?;
            let zone = own_zone(snapshot, caller, id)?;
            Ok(plan_zone_comment(zone, request.comment.clone()))
        })?;
        let zone = effects.into_iter().find_map(|effect| match effect {
            Effect::PutZone(zone) => Some(zone),
            _ => None,
        });
        let zone = zone.ok_or_else(|| Fault::Storage("a commit lost its zone".to_owned()))?;
        counted(&self.fresh()?, zone)
    }
}
