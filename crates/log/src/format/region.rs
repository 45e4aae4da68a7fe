//! The stored form of the operator's own regions.

use meridian_model::{Coordinates, OwnRegion, Region};
use prost::Message;

use super::record_set::CoordinatesMessage;
use super::{DecodeError, Stored, required};

/// A region, or in an effect that there is none of this name any more.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct RegionMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(message, optional, tag = "2")]
    at: Option<CoordinatesMessage>,
}

impl RegionMessage {
    /// It is there.
    pub(super) fn put(region: &OwnRegion) -> Self {
        region.to_message()
    }

    /// It is gone.
    pub(super) fn delete(name: &Region) -> Self {
        Self {
            name: name.as_str().into(),
            at: None,
        }
    }

    /// What it is called.
    pub(super) fn name(&self) -> Region {
        Region::stored(&self.name)
    }

    /// The region, if it is there.
    pub(super) fn place(&self) -> Option<OwnRegion> {
        let at = self.at.as_ref()?;
        Some(OwnRegion {
            name: self.name(),
            at: Coordinates {
                latitude: at.latitude.clone(),
                longitude: at.longitude.clone(),
            },
        })
    }
}

impl Stored for OwnRegion {
    type Message = RegionMessage;

    fn to_message(&self) -> RegionMessage {
        RegionMessage {
            name: self.name.as_str().into(),
            at: Some(CoordinatesMessage {
                latitude: self.at.latitude.clone(),
                longitude: self.at.longitude.clone(),
            }),
        }
    }

    fn from_message(message: RegionMessage) -> Result<Self, DecodeError> {
        required(message.place(), "place of a region")
    }
}
