//! Rows of M-Lab's NDT as its tables are exported: CSV whose first line names the columns, or
//! objects with the fields nested as they are there or flat.

use std::borrow::Cow;
use std::net::IpAddr;

use meridian_atlas::{Point, Regions};
use serde_json::Value;

use super::columns::split;
use super::fields::{client, network, rtt_us, shown, time};
use super::ndjson::not_json;
use super::tables::Site;
use super::{Reading, Wrong};
use crate::sample::{Kind, Sample};

/// How near a site has to be to stand for a region.
pub(super) const NEAR_KM: f64 = 50.0;
/// Objects in objects that are looked into.
const MAX_DEPTH: u8 = 4;

/// What is read of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
enum Field {
    Rtt,
    Time,
    Network,
    Address,
    Site,
    Latitude,
    Longitude,
}

/// How many there are.
const FIELDS: usize = 7;

/// By which names fields are known: in small letters, with dots between parts.
const NAMES: [(&str, Field); 17] = [
    ("a.minrtt", Field::Rtt),
    ("minrtt", Field::Rtt),
    ("a.testtime", Field::Time),
    ("testtime", Field::Time),
    ("date", Field::Time),
    ("client.network.cidr", Field::Network),
    ("client.cidr", Field::Network),
    ("cidr", Field::Network),
    ("raw.clientip", Field::Address),
    ("clientip", Field::Address),
    ("client.ip", Field::Address),
    ("server.site", Field::Site),
    ("site", Field::Site),
    ("server.geo.latitude", Field::Latitude),
    ("server.latitude", Field::Latitude),
    ("server.geo.longitude", Field::Longitude),
    ("server.longitude", Field::Longitude),
];

fn field_of(name: &str) -> Option<Field> {
    let name = name.to_ascii_lowercase().replace('_', ".");
    let found = NAMES.iter().find(|(known, _)| *known == name);
    found.map(|(_, field)| *field)
}

/// The columns of a CSV, once its first line was read.
#[derive(Debug, Default)]
pub(super) struct MLabRows {
    columns: Option<Vec<Option<Field>>>,
}

/// The values of a row.
type Row<'a> = [Option<Cow<'a, str>>; FIELDS];

impl MLabRows {
    /// A row; none for the line that names the columns.
    pub(super) fn read(&mut self, text: &str, reading: &Reading) -> Result<Option<Sample>, Wrong> {
        let mut row = Row::default();
        if text.starts_with('{') {
            let value: Value = serde_json::from_str(text).map_err(|error| not_json(&error))?;
            flatten(&mut row, "", &value, 0);
            return sample(&row, reading).map(Some);
        }
        let values = split(text)?;
        let Some(columns) = &self.columns else {
            let columns: Vec<_> = values.iter().map(|name| field_of(name)).collect();
            if !columns.contains(&Some(Field::Rtt)) {
                return Err(Wrong::NoColumn("MinRTT"));
            }
            self.columns = Some(columns);
            return Ok(None);
        };
        for (field, value) in columns.iter().zip(values) {
            if let Some(field) = field {
                put(&mut row, *field, value);
            }
        }
        sample(&row, reading).map(Some)
    }
}

/// The first that says something counts.
fn put<'a>(row: &mut Row<'a>, field: Field, value: Cow<'a, str>) {
    if let Some(cell) = row.get_mut(field as usize)
        && cell.is_none()
        && !value.is_empty()
    {
        *cell = Some(value);
    }
}

fn get<'a>(row: &'a Row<'_>, field: Field) -> Option<&'a str> {
    row.get(field as usize).and_then(Option::as_deref)
}

/// Reads what is known by its name out of an object and those in it.
fn flatten(row: &mut Row<'_>, path: &str, value: &Value, depth: u8) {
    let Value::Object(members) = value else {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            _ => return,
        };
        if let Some(field) = field_of(path) {
            put(row, field, Cow::Owned(text));
        }
        return;
    };
    if depth < MAX_DEPTH {
        for (name, value) in members {
            let path = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            flatten(row, &path, value, depth + 1);
        }
    }
}

fn sample(row: &Row<'_>, reading: &Reading) -> Result<Sample, Wrong> {
    let address = get(row, Field::Address);
    let whose = get(row, Field::Network).or(address);
    let who = address.and_then(|text| text.parse::<IpAddr>().ok());
    let rtt = get(row, Field::Rtt).ok_or(Wrong::Missing("MinRTT"))?;
    Ok(Sample {
        at_s: time(get(row, Field::Time), reading)?,
        network: network(whose.ok_or(Wrong::Missing("CIDR"))?)?,
        region: region(row, reading)?,
        rtt_us: rtt_us("MinRTT", rtt)?,
        count: 1,
        weight: Kind::MLab.weight(),
        kind: Kind::MLab,
        client: who.map(|who| client(who, reading)),
    })
}

/// The region that the site of a row is at, or so near to that it makes no difference.
fn region(row: &Row<'_>, reading: &Reading) -> Result<Box<str>, Wrong> {
    let site = get(row, Field::Site).unwrap_or_default();
    let number = |field| get(row, field).and_then(|text| text.parse::<f32>().ok());
    let told = number(Field::Latitude).zip(number(Field::Longitude));
    let at = match reading.tables.site(site) {
        Some(Site::Region(region)) => return Ok(region.clone()),
        Some(Site::At(at)) => Some(*at),
        None => told.and_then(|(latitude, longitude)| Point::new(latitude, longitude)),
    };
    let at = at.ok_or_else(|| Wrong::UnknownSite(shown(site)))?;
    let near = nearest(&reading.regions, at);
    near.map(Into::into)
        .ok_or_else(|| Wrong::FarSite(shown(site)))
}

fn nearest(regions: &Regions, at: Point) -> Option<&str> {
    let near = regions
        .iter()
        .map(|(name, point)| (point.distance_km(at), name));
    let near = near.filter(|(km, _)| *km <= NEAR_KM);
    near.min_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, name)| name)
}
