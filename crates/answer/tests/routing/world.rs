//! A case as a World.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use meridian_answer::{
    Broken, CidrCollections, ExternalFacts, ExternalRecord, ExternalRecords, ExternalState,
    ExternalTarget, ExternalTargets, HashKey, Health, World, ZoneChange, ZoneImage, ZoneMeta,
};
use meridian_atlas::{
    Atlas, Cell, Continent, Country, LatencyMap, Layer, MapDraft, MapRegion, MapRow, Network,
    Origin, Place, Point, Regions, Source, Subdivision,
};
use meridian_dns::{Name, RecordType};
use meridian_model::{
    AccountId, AddressRange, Generation, ProbeRights, RecordSet, Timestamp, Vpc, VpcId, VpcRegion,
};

use crate::case::{self, Case, Outside, Prefix, Seen, Zone};
use crate::earth;
use crate::rng::Rng;

pub(crate) const KEY: HashKey = HashKey([0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210]);
const VPC: &str = "vpc-1";

/// The World of a case.
pub(crate) fn of(case: &Case, key: HashKey) -> World {
    surrounded(zones(case, key), case)
}

/// What the checks of a case say.
pub(crate) fn health(case: &Case, key: HashKey) -> Health {
    let down = case.checks.iter().filter(|(_, healthy)| !**healthy);
    Health::of_down(key, down.map(|(id, _)| id.as_str()))
}

/// The zones and their health, made at once or step by step, which must not matter.
fn zones(case: &Case, key: HashKey) -> World {
    let health = health(case, key);
    let zones = || case.zones.iter().enumerate();
    let whole = |(place, zone)| Arc::new(image((place, zone), key, |_| true));
    let count: usize = case.zones.iter().map(|zone| zone.sets.len()).sum();
    match count % 4 {
        0 => World::new(key, zones().map(whole).collect()).with_health(health),
        1 => {
            let mut world = World::new(key, Vec::new()).with_health(health);
            for zone in zones() {
                world = world.changed(&[ZoneChange::Put(whole(zone))]);
            }
            world
        }
        2 => by_and_by(case, key, &health),
        _ => {
            // Every other name comes later, and the health in between.
            let half = |name: &Name| name.as_wire().len().is_multiple_of(2);
            let halves = zones().map(|(place, zone)| Arc::new(image((place, zone), key, half)));
            let halves: Vec<Arc<ZoneImage>> = halves.collect();
            let world = World::new(key, halves.clone()).with_health(health);
            let changes = zones().zip(halves).map(|((_, zone), image)| {
                let rows = rows(zone);
                let late = rows.values().filter(|(name, _)| !half(name));
                let late = late.map(|(name, sets)| (*name, sets.as_slice()));
                let image = image.with_names(key, 1, late).unwrap();
                let image = image.with_account(&account(zone.rights));
                ZoneChange::Put(Arc::new(image))
            });
            world.changed(&changes.collect::<Vec<_>>())
        }
    }
}

/// The World after many changes of zones and of health: names come, go and come again.
fn by_and_by(case: &Case, key: HashKey, health: &Health) -> World {
    let mut rng = Rng::new(case.zones.len() as u64);
    let mut world = World::new(key, Vec::new());
    let zones = || case.zones.iter().enumerate();
    let mut images: Vec<ZoneImage> = zones()
        .map(|(place, zone)| image((place, zone), key, |_| false))
        .collect();
    for step in 0..8 {
        for (place, zone) in zones() {
            let rows = rows(zone);
            let is_last = step == 7;
            let mut names = Vec::new();
            for (name, sets) in rows.values() {
                match rng.below(3) {
                    _ if is_last => names.push((*name, sets.as_slice())),
                    0 => names.push((*name, sets.as_slice())),
                    1 => names.push((*name, &[])),
                    _ => {}
                }
            }
            images[place] = images[place].with_names(key, 1, names).unwrap();
            let image = images[place].clone().with_account(&account(zone.rights));
            let image = Arc::new(image);
            world = world.changed(&[ZoneChange::Put(image)]);
        }
        let down = case.checks.keys().filter(|_| rng.percent(50));
        world = world.with_health(Health::of_down(key, down.map(String::as_str)));
    }
    world.with_health(health.clone())
}

/// The World with all that is known of clients.
fn surrounded(world: World, case: &Case) -> World {
    let mut layer = Layer::new(Source::named("case"));
    for (network, at) in &case.places {
        let network = Network::new(network.address(), network.len).unwrap();
        layer.add(network, place(at)).unwrap();
    }
    let mut regions = Regions::empty();
    for (name, latitude, longitude) in earth::REGIONS.into_iter().chain(earth::GROUPS) {
        regions.add(name, point((latitude, longitude)));
    }
    let mut collections = CidrCollections::new(world.key());
    for (id, blocks) in &case.collections {
        let blocks = blocks.iter();
        let blocks = blocks.map(|(block, at)| (block.address(), block.len, at.as_str()));
        collections.put(id, blocks);
    }
    let vpcs = case.vpc.iter().map(|(network, region)| Vpc {
        id: VpcId::new(VPC).unwrap(),
        region: VpcRegion::new(region).unwrap(),
        account: AccountId::new("111111111111").unwrap(),
        networks: vec![Network::new(network.address(), network.len).unwrap()],
    });
    let atlas = Atlas::new(vec![layer]).unwrap();
    let world = match latency_map(case) {
        Some(map) => world.with_latency_map(Arc::new(map)),
        None => world,
    };
    let outside = case.outside.iter().map(|((name, rtype), known)| {
        let state = match known {
            Outside::Records { ttl, data } => ExternalState::Answers {
                records: ExternalRecords {
                    ttl_s: *ttl,
                    records: data.iter().map(|data| record(data)).collect(),
                },
                for_subnets: Vec::new(),
            },
            Outside::Nothing => ExternalState::Nothing,
        };
        ExternalTarget {
            name: Name::from_wire(name).unwrap(),
            rtype: RecordType::from_code(*rtype).unwrap(),
            state,
            facts: ExternalFacts::default(),
        }
    });
    let outside = ExternalTargets::of(world.key(), outside);
    let rights = ProbeRights::ALL.map(|rights| (account(rights), rights));
    // Either may be known first.
    let world = match case.zones.len() % 2 {
        0 => world
            .with_egress_rights(Arc::new(rights.into()))
            .with_external_targets(outside),
        _ => world
            .with_external_targets(outside)
            .with_egress_rights(Arc::new(rights.into())),
    };
    world
        .with_vpcs(&vpcs.collect::<Vec<_>>())
        .with_atlas(Arc::new(atlas))
        .with_regions(&regions)
        .with_cidr_collections(collections)
}

/// What was measured, if anything was, as a map: a range from each address at which something can
/// change.
fn latency_map(case: &Case) -> Option<LatencyMap> {
    let all = &case.latencies;
    all.first()?;
    let mut names = earth::regions();
    names.sort_unstable();
    let region = |name: &&str| MapRegion {
        name: (*name).into(),
        point: earth::region(name).map(point).unwrap(),
    };
    let row = |(_, latencies): &(Prefix, case::Latencies)| MapRow {
        country: None,
        samples: 1,
        confidence: 1,
        age_h: 1,
        cells: names.iter().map(|name| cell(latencies.get(name))).collect(),
    };
    let rows_from = |family: &str| {
        let any = Prefix::parse(family);
        let of = |network: &Prefix| network.width() == any.width();
        let networks = || all.iter().map(|(network, _)| network).filter(|n| of(n));
        let edges = networks().flat_map(|network| [Some(network.first()), network.behind()]);
        let edges: BTreeSet<Prefix> = edges.flatten().chain([any.first()]).collect();
        let row = |edge: &Prefix| {
            let around = all
                .iter()
                .enumerate()
                .filter(|(_, (n, _))| n.contains(edge));
            let longest = around.max_by_key(|(_, (network, _))| network.len);
            longest.map_or(u32::MAX, |(row, _)| u32::try_from(row).unwrap())
        };
        let rows: Vec<(IpAddr, u32)> = edges.iter().map(|e| (e.address(), row(e))).collect();
        rows
    };
    let v4 = rows_from("0.0.0.0/0")
        .into_iter()
        .map(|(first, row)| match first {
            IpAddr::V4(v4) => (v4.to_bits(), row),
            IpAddr::V6(_) => unreachable!("of the other family"),
        });
    let v6 = rows_from("::/0")
        .into_iter()
        .map(|(first, row)| match first {
            IpAddr::V6(v6) => (u64::try_from(v6.to_bits() >> 64).unwrap(), row),
            IpAddr::V4(_) => unreachable!("of the other family"),
        });
    let draft = MapDraft {
        build: 1,
        made_s: 0,
        regions: names.iter().map(region).collect(),
        rows: all.iter().map(row).collect(),
        v4: v4.collect(),
        v6: v6.collect(),
    };
    Some(LatencyMap::read(&draft.write().unwrap()).unwrap())
}

#[expect(clippy::cast_possible_truncation, reason = "as precise as a map is")]
fn cell(ms: Option<&f64>) -> Cell {
    Cell {
        ms: ms.map(|ms| *ms as f32),
        origin: Origin::Measured,
    }
}

fn place(at: &case::Place) -> Place {
    let country = at.country.map(|code| Country::new(code).unwrap());
    let continent = at.continent.map(|code| Continent::new(code).unwrap());
    if let Some(country) = country {
        assert_eq!(continent, Some(Continent::of(country)), "{at:?}");
    }
    Place {
        continent,
        country,
        subdivision: at.subdivision.map(|code| Subdivision::new(code).unwrap()),
        point: at.point.map(point),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "as precise as the atlas is"
)]
fn point((latitude, longitude): (f64, f64)) -> Point {
    Point::new(latitude as f32, longitude as f32).unwrap()
}

/// The sets of each name.
fn rows(zone: &Zone) -> BTreeMap<&[u8], (&Name, Vec<RecordSet>)> {
    let mut rows = BTreeMap::new();
    for set in &zone.sets {
        let name = &set.key.name;
        let (_, sets) = rows
            .entry(name.as_wire())
            .or_insert_with(|| (name, Vec::new()));
        sets.push(set.clone());
    }
    rows
}

fn image((place, zone): (usize, &Zone), key: HashKey, takes: impl Fn(&Name) -> bool) -> ZoneImage {
    let meta = ZoneMeta {
        zone: zone.id.clone(),
        apex: zone.apex.clone(),
        generation: Generation(place as u64),
        created_at: Timestamp(0),
        views: match zone.seen {
            Seen::Here => 1,
            Seen::Elsewhere => 2,
            Seen::Vpc => 0,
        },
        last_changed: 1,
    };
    let rows = rows(zone);
    let names = rows.values().filter(|(name, _)| takes(name));
    let names = names.map(|(name, sets)| (*name, sets.as_slice()));
    let image = ZoneImage::build(key, meta, names, Broken::Refuse).unwrap();
    let vpcs = (zone.seen == Seen::Vpc).then(|| [VpcId::new(VPC).unwrap()].into());
    image.with_vpcs(vpcs).with_account(&account(zone.rights))
}

/// The account with these rights.
fn account(rights: ProbeRights) -> AccountId {
    let id = match rights {
        ProbeRights::Everything => "111111111111",
        ProbeRights::Private => "222222222222",
        ProbeRights::Public => "333333333333",
    };
    AccountId::new(id).unwrap()
}

/// A record elsewhere that is an address.
fn record(data: &[u8]) -> ExternalRecord {
    let v4 = <[u8; 4]>::try_from(data).map(IpAddr::from);
    let address = v4.or_else(|_| <[u8; 16]>::try_from(data).map(IpAddr::from));
    let needs = AddressRange::of(address.unwrap()).map(AddressRange::needs);
    ExternalRecord {
        data: data.to_vec(),
        needs: needs.unwrap_or(Some(ProbeRights::Public)).unwrap(),
    }
}
