//! `meridian region`.

use anyhow::Result;
use meridian_model::Coordinates;
use serde_json::{Value, json};

use super::Host;

pub(super) fn list(host: &Host) -> Result<Value> {
    let regions = host.control()?.own_regions()?;
    let shown = regions.iter().map(|region| {
        json!({
            "name": region.name.as_str(),
            "latitude": region.at.latitude,
            "longitude": region.at.longitude,
        })
    });
    Ok(shown.collect())
}

pub(super) fn add(host: &Host, name: &str, latitude: String, longitude: String) -> Result<Value> {
    let at = Coordinates {
        latitude,
        longitude,
    };
    host.control()?.add_region(name, &at)?;
    list(host)
}

pub(super) fn remove(host: &Host, name: &str) -> Result<Value> {
    host.control()?.remove_region(name)?;
    list(host)
}
