//! Where a geoproximity record stands, as people say it.

use meridian_log::Snapshot;
use meridian_model::{
    Coordinates, GeoproximityPlace, Region, State, known_region, local_zone_groups,
};

use super::Outcome;

/// A place, and what to call a record set there.
pub(super) struct Near {
    pub(super) place: GeoproximityPlace,
    pub(super) name: String,
}

/// A region, a local zone group, or two numbers with a comma in between. Whether those are on this
/// earth is not decided here.
pub(super) fn read(snapshot: &Snapshot, said: &str) -> Outcome<Near> {
    let said = said.trim();
    if let Some((latitude, longitude)) = said.split_once(',') {
        let at = Coordinates {
            latitude: latitude.trim().to_owned(),
            longitude: longitude.trim().to_owned(),
        };
        return Ok(Near {
            name: format!("{},{}", at.latitude, at.longitude),
            place: GeoproximityPlace::Coordinates(at),
        });
    }
    if local_zone_groups().any(|group| group == said) {
        return Ok(Near {
            name: said.to_owned(),
            place: GeoproximityPlace::LocalZoneGroup(said.to_owned()),
        });
    }
    of_region(snapshot, &known_region(snapshot, said)?)
}

/// A region. Geoproximity knows AWS's by their names; one of the operator's own is the point where it is.
pub(super) fn of_region(snapshot: &Snapshot, region: &Region) -> Outcome<Near> {
    let name = region.as_str().to_owned();
    let mut own = snapshot.own_regions()?.into_iter();
    let place = match own.find(|own| own.name == *region) {
        Some(own) => GeoproximityPlace::Coordinates(own.at),
        None => GeoproximityPlace::Region(name.clone()),
    };
    Ok(Near { place, name })
}
