//! Zones of a scenario as a World.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use meridian_answer::{
    Broken, CidrCollections, ExternalFacts, ExternalRecord, ExternalRecords, ExternalState,
    ExternalTarget, ExternalTargets, HashKey, Health, ResourceChecks, World, ZoneImage, ZoneMeta,
};
use meridian_atlas::{
    Atlas, Cell, Continent, Country, LatencyMap, Layer, MapDraft, MapRegion, MapRow, Origin, Place,
    Point, Regions, Source, Subdivision,
};
use meridian_dns::{Name, RecordType, rdata};
use meridian_model::{
    AccountId, AddressRange, AliasTarget, Generation, ProbeRights, RecordSet, SetData, SetKey,
    Timestamp, Vpc, VpcId, VpcRegion, ZoneId, external,
};

use crate::scenario::{self, Known, Measured, Scenario, Set, Zone};

pub(crate) const KEY: HashKey = HashKey([0x1234_5678, 0x9abc_def0]);

/// All record sets of each name.
pub(crate) type Rows = BTreeMap<Vec<u8>, (Name, Vec<RecordSet>)>;

/// The zones, the first created first.
pub(crate) fn world(zones: &[Zone]) -> World {
    let images = zones.iter().enumerate().map(|(place, zone)| {
        let rows = rows(&zone.sets);
        let vpcs = zone.vpcs.as_ref();
        let vpcs = vpcs.map(|vpcs| vpcs.iter().map(|id| VpcId::new(id).unwrap()).collect());
        let image = image(meta(zone, place), &rows).with_vpcs(vpcs);
        Arc::new(image.with_account(&account_with(zone.rights)))
    });
    let rights = ProbeRights::ALL.map(|rights| (account_with(rights), rights));
    World::new(KEY, images.collect()).with_egress_rights(Arc::new(rights.into()))
}

/// The zones of a scenario for the clients of its VPCs.
pub(crate) fn world_of(scenario: &Scenario) -> World {
    let vpcs = scenario.vpcs.iter().map(|vpc| Vpc {
        id: VpcId::new(&vpc.id).unwrap(),
        region: VpcRegion::new(&vpc.region).unwrap(),
        account: account(),
        networks: vpc
            .networks
            .iter()
            .map(|text| text.parse().unwrap())
            .collect(),
    });
    let mut collections = CidrCollections::new(KEY);
    let mut names: Vec<&str> = scenario.blocks.iter().map(|b| &*b.collection).collect();
    names.dedup();
    for name in names {
        let blocks = scenario.blocks.iter().filter(|b| b.collection == name);
        collections.put(name, blocks.map(|b| (b.address, b.bits, &*b.location)));
    }
    let mut regions = Regions::default();
    for (name, latitude, longitude) in &scenario.regions {
        regions.add(name, Point::new(*latitude, *longitude).unwrap());
    }
    let world = if scenario.measured.is_empty() {
        world(&scenario.zones)
    } else {
        let map = latency_map(&scenario.measured, &regions);
        world(&scenario.zones).with_latency_map(Arc::new(map))
    };
    let resources = scenario.resources.iter();
    let account = account();
    let resources = resources.map(|(name, check)| (&account, name, check.as_str()));
    world
        .with_resource_checks(ResourceChecks::of(resources))
        .with_regions(&regions)
        .with_vpcs(&vpcs.collect::<Vec<_>>())
        .with_atlas(Arc::new(atlas(&scenario.places)))
        .with_cidr_collections(collections)
}

/// The atlas of these places.
pub(crate) fn atlas(places: &[scenario::Place]) -> Atlas {
    let mut layer = Layer::new(Source::named("a scenario"));
    for place in places {
        let country = place
            .country
            .as_deref()
            .map(|code| Country::new(code).unwrap());
        let found = match (country, &place.continent) {
            (Some(country), _) => Place::in_country(country),
            (None, Some(continent)) => Place {
                continent: Continent::new(continent),
                ..Place::UNKNOWN
            },
            (None, None) => Place::UNKNOWN,
        };
        let found = Place {
            subdivision: place.subdivision.as_deref().and_then(Subdivision::new),
            point: place.point.map(|(lat, lon)| Point::new(lat, lon).unwrap()),
            ..found
        };
        layer.add(place.network.parse().unwrap(), found).unwrap();
    }
    Atlas::new(vec![layer]).unwrap()
}

/// The latency map of these measurements: those of the longest network count.
pub(crate) fn latency_map(measured: &[Measured], regions: &Regions) -> LatencyMap {
    let names = measured.iter().flat_map(|measured| &measured.ms);
    let names: BTreeSet<&str> = names.map(|(name, _)| name.as_str()).collect();
    let row = |measured: &Measured| MapRow {
        country: None,
        samples: 100,
        confidence: 90,
        age_h: 1,
        cells: names
            .iter()
            .map(|name| Cell {
                ms: measured
                    .ms
                    .iter()
                    .find(|(known, _)| known == name)
                    .map(|(_, ms)| *ms),
                origin: Origin::Measured,
            })
            .collect(),
    };
    let draft = MapDraft {
        build: 1,
        made_s: 0,
        regions: names
            .iter()
            .map(|name| MapRegion {
                name: (*name).into(),
                point: regions.point(name).unwrap(),
            })
            .collect(),
        rows: measured.iter().map(row).collect(),
        v4: ranges(measured, |address| address.is_ipv4())
            .map(|(first, row)| (u32::try_from(first >> 96).unwrap(), row))
            .collect(),
        v6: ranges(measured, |address| address.is_ipv6())
            .map(|(first, row)| (u64::try_from(first >> 64).unwrap(), row))
            .collect(),
    };
    LatencyMap::read(&draft.write().unwrap()).unwrap()
}

/// Where rows begin in a family: addresses at the upper end of 128 bits.
fn ranges(measured: &[Measured], family: fn(&IpAddr) -> bool) -> impl Iterator<Item = (u128, u32)> {
    let networks = measured
        .iter()
        .zip(0..)
        .filter(|(measured, _)| family(&measured.address));
    let networks: Vec<(u128, u128, u8, u32)> = networks
        .map(|(measured, row)| {
            let first = match measured.address {
                IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
                IpAddr::V6(v6) => v6.to_bits(),
            };
            let behind = u128::MAX.checked_shr(measured.bits.into()).unwrap_or(0);
            (first, first | behind, measured.bits, row)
        })
        .collect();
    let edges = networks
        .iter()
        .flat_map(|(first, last, ..)| [Some(*first), last.checked_add(1)]);
    let edges: BTreeSet<u128> = edges.flatten().chain([0]).collect();
    edges.into_iter().map(move |edge| {
        let around = networks
            .iter()
            .filter(|(first, last, ..)| (*first..=*last).contains(&edge));
        let longest = around.max_by_key(|(_, _, bits, _)| *bits);
        (edge, longest.map_or(u32::MAX, |(.., row)| *row))
    })
}

/// The same world with these health checks down.
pub(crate) fn with_down(world: World, down: &[String]) -> World {
    world.with_health(Health::of_down(KEY, down.iter().map(String::as_str)))
}

/// The same world with this known of host names elsewhere.
pub(crate) fn with_targets(world: World, targets: &[scenario::Target]) -> World {
    let mut known: Vec<ExternalTarget> = Vec::new();
    for target in targets {
        let records = |ttl_s, values: &[String]| ExternalRecords {
            ttl_s,
            records: values
                .iter()
                .map(|text| record(target.rtype, text))
                .collect(),
        };
        let state = match &target.known {
            Known::Records(ttl, values, None) => ExternalState::Answers {
                records: records(*ttl, values),
                for_subnets: Vec::new(),
            },
            Known::Records(ttl, values, Some(subnet)) => {
                let general = known
                    .iter_mut()
                    .find(|other| (&other.name, other.rtype) == (&target.name, target.rtype));
                let Some(ExternalTarget {
                    state: ExternalState::Answers { for_subnets, .. },
                    ..
                }) = general
                else {
                    panic!("{} tells subnets, but not everybody", target.name);
                };
                for_subnets.push((subnet.parse().unwrap(), records(*ttl, values)));
                continue;
            }
            Known::Nothing => ExternalState::Nothing,
            Known::Gone => ExternalState::NoSuchName,
            Known::Unknown => ExternalState::Unknown,
        };
        known.push(ExternalTarget {
            name: target.name.clone(),
            rtype: target.rtype,
            state,
            facts: ExternalFacts::default(),
        });
    }
    world.with_external_targets(ExternalTargets::of(KEY, known))
}

/// A record, with the right that its address needs; in HTTPS records there are none.
fn record(rtype: RecordType, text: &str) -> ExternalRecord {
    let range = text.parse().ok().and_then(AddressRange::of);
    let needs = range.map_or(Some(ProbeRights::Public), AddressRange::needs);
    ExternalRecord {
        data: rdata::parse(rtype, text).unwrap(),
        needs: needs.unwrap_or(ProbeRights::Everything),
    }
}

/// Whose everything is that is not said to be of an account with fewer rights.
fn account() -> AccountId {
    account_with(ProbeRights::Everything)
}

fn account_with(rights: ProbeRights) -> AccountId {
    let id = match rights {
        ProbeRights::Everything => "111111111111",
        ProbeRights::Private => "222222222222",
        ProbeRights::Public => "333333333333",
    };
    AccountId::new(id).unwrap()
}

pub(crate) fn image(meta: ZoneMeta, rows: &Rows) -> ZoneImage {
    let names = rows.values().map(|(name, sets)| (name, sets.as_slice()));
    ZoneImage::build(KEY, meta, names, Broken::Refuse).unwrap()
}

/// What identifies the zone that stands at this place of its file. Its last change is the serial
/// that its SOA was submitted with, so that files show what replies do.
pub(crate) fn meta(zone: &Zone, place: usize) -> ZoneMeta {
    let soa = zone.sets.iter().find(|set| set.rtype == RecordType::Soa);
    let serial = soa.and_then(|soa| soa.values[0].split(' ').nth(2)?.parse().ok());
    ZoneMeta {
        zone: id_of(&zone.apex),
        apex: zone.apex.clone(),
        generation: Generation(place as u64),
        created_at: Timestamp(i64::try_from(place).unwrap()),
        views: zone.views.iter().fold(0, |views, view| views | 1 << view),
        last_changed: serial.unwrap_or(1),
    }
}

pub(crate) fn rows(sets: &[Set]) -> Rows {
    let mut rows = Rows::new();
    for set in sets {
        let key = set.name.as_wire().to_vec();
        let (_, sets) = rows
            .entry(key)
            .or_insert_with(|| (set.name.clone(), Vec::new()));
        sets.push(record_set(set));
    }
    rows
}

fn record_set(set: &Set) -> RecordSet {
    let policy = set.policy.clone();
    let data = match &set.alias {
        Some(alias) => SetData::Alias(AliasTarget {
            zone: id_of(&alias.zone),
            name: alias.name.clone(),
            evaluate_target_health: alias.evaluate,
        }),
        None => SetData::Records {
            ttl: set.ttl,
            values: set.values.clone(),
        },
    };
    RecordSet {
        key: SetKey {
            name: set.name.clone(),
            rtype: set.rtype,
            set_identifier: policy.identifier,
        },
        routing: policy.routing,
        data,
        health_check_id: policy.check,
        traffic_policy_instance_id: None,
    }
}

/// The id of the zone with this apex; those of one name share it. An external one is its own id.
fn id_of(apex: &Name) -> ZoneId {
    let text = apex.to_string().to_uppercase();
    if let Ok(id) = ZoneId::new(text.trim_end_matches('.'))
        && external(&id).is_some()
    {
        return id;
    }
    let bytes = apex.as_wire().iter();
    let hash = bytes.fold(0u64, |hash, byte| hash.wrapping_mul(257) ^ u64::from(*byte));
    ZoneId::new(&format!("Z{hash:016X}")).unwrap()
}
