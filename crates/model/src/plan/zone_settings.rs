//! UpdateHostedZoneComment and UpdateHostedZoneFeatures: what of a zone may change while it is
//! there. None of it is answered over DNS.

use crate::effect::Effect;
use crate::zone::{AcceleratedRecovery, Zone};

/// Gives the zone another comment, or none.
pub fn plan_zone_comment(mut zone: Zone, comment: Option<String>) -> Vec<Effect> {
    zone.comment = comment.filter(|text| !text.is_empty());
    vec![Effect::PutZone(zone)]
}

/// Accelerated recovery is for public zones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotPublic;

/// Turns the zone's accelerated recovery on or off; without a word of it the zone stays as it is.
///
/// # Errors
/// [`NotPublic`].
pub fn plan_zone_features(
    mut zone: Zone,
    wanted: Option<AcceleratedRecovery>,
) -> Result<Vec<Effect>, NotPublic> {
    if zone.private {
        return Err(NotPublic);
    }
    let Some(wanted) = wanted.filter(|wanted| *wanted != zone.accelerated_recovery) else {
        return Ok(Vec::new());
    };
    zone.accelerated_recovery = wanted;
    Ok(vec![Effect::PutZone(zone)])
}
