//! UpdateHostedZoneFeatures.

use meridian_control::UpdateHostedZoneFeatures;
use meridian_model::AcceleratedRecovery;

use super::call::{Call, RESOURCE_ID, Reply};
use super::route::Route;
use crate::fault::Failure;
use crate::xml::Field::Optional;
use crate::xml::{Fields, parse_optional};

pub(super) const ROUTE: Route = Route {
    operation: "UpdateHostedZoneFeatures",
    method: "POST",
    pattern: "/hostedzone/{}/features",
    handler: Some(handle),
};

fn handle(call: &Call<'_>) -> Result<Reply, Failure> {
    let root = parse_optional(call.body, "UpdateHostedZoneFeaturesRequest", "Features")?;
    let fields = Fields::of(&root, &[Optional("EnableAcceleratedRecovery")])?;
    let wanted = fields
        .optional_boolean("EnableAcceleratedRecovery")?
        .map(|enable| match enable {
            true => AcceleratedRecovery::Enabled,
            false => AcceleratedRecovery::Disabled,
        });
    let request = UpdateHostedZoneFeatures {
        hosted_zone_id: call.id(&RESOURCE_ID)?,
        accelerated_recovery: wanted,
    };
    call.operations
        .update_hosted_zone_features(call.caller, &request)?;
    Ok(Reply::ok("UpdateHostedZoneFeaturesResponse", |_| {}))
}
