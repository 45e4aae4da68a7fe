//! What the updates of a zone's settings take.

use meridian_model::AcceleratedRecovery;

/// `UpdateHostedZoneCommentRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateHostedZoneComment {
    /// The zone, bare.
    pub hosted_zone_id: String,
    /// At most 256 characters; without one the zone has none.
    pub comment: Option<String>,
}

/// `UpdateHostedZoneFeaturesRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateHostedZoneFeatures {
    /// The zone, bare.
    pub hosted_zone_id: String,
    /// `EnableAcceleratedRecovery`; without it nothing changes.
    pub accelerated_recovery: Option<AcceleratedRecovery>,
}
