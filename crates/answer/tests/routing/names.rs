//! Names in a zone: which sets a name has, and how long it has none.

use meridian_dns::{Name, RecordType};
use meridian_model::SetData;

use crate::case::Zone;

/// Where a name leads in its zone.
pub(crate) enum Found<'c> {
    Sets(&'c Name),
    /// The name exists but has nothing itself.
    Empty,
    Nothing,
}

/// RFC 2308 section 5: the smaller of the SOA's own TTL and its minimum.
pub(crate) fn negative_ttl(zone: &Zone) -> u32 {
    let soa = zone
        .sets
        .iter()
        .find(|set| set.key.rtype == RecordType::Soa);
    let SetData::Records { ttl, values } = &soa.expect("every zone has one").data else {
        unreachable!("an SOA is no alias");
    };
    let minimum = values[0].split(' ').next_back().unwrap().parse().unwrap();
    (*ttl).min(minimum)
}

/// RFC 4592 over a list of sets.
pub(crate) fn find<'c>(zone: &'c Zone, name: &Name) -> Found<'c> {
    let owner = |name: &Name| {
        zone.sets
            .iter()
            .map(|set| &set.key.name)
            .find(|own| *own == name)
    };
    let exists = |name: &Name| zone.sets.iter().any(|set| set.key.name.is_within(name));
    if let Some(owner) = owner(name) {
        return Found::Sets(owner);
    }
    if exists(name) {
        return Found::Empty;
    }
    let mut encloser = name.parent().expect("the apex exists");
    while !exists(&encloser) {
        encloser = encloser.parent().expect("the apex exists");
    }
    let wildcard = Name::parse(&format!("*.{encloser}")).unwrap();
    match owner(&wildcard) {
        Some(owner) => Found::Sets(owner),
        None if exists(&wildcard) => Found::Empty,
        None => Found::Nothing,
    }
}
