//! The crate as a server: a case becomes a World, a question a packet, and a reply is read back.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use domain::base::opt::ClientSubnet;
use domain::base::rdata::ComposeRecordData;
use domain::base::{Message, ParsedName, ToName};
use domain::rdata::AllRecordData;
use meridian_answer::{
    BATCH, Broken, CidrCollections, HashKey, Health, Identity, Moment, Outcome, Packet, Scratch,
    Transport, ViewId, World, ZoneChange, ZoneImage, ZoneMeta, answer,
};
use meridian_atlas::{
    Atlas, Continent, Country, Layer, Network, Place, Point, Regions, Source, Subdivision,
};
use meridian_dns::Name;
use meridian_model::{AccountId, Generation, RecordSet, Timestamp, Vpc, VpcId, VpcRegion};

use crate::case::{self, Ask, Case, Seen, Zone};
use crate::compare::{Reply, Server};
use crate::earth;
use crate::model::Record;
use crate::rng::Rng;

pub(crate) const KEY: HashKey = HashKey([0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210]);
/// The fields of a reply's header that say how it went: QR, AA; without RD and the response code.
const FLAGS: [u8; 2] = [0x84, 0x00];

const VPC: &str = "vpc-1";
/// Bytes for one reply: more than any of these needs.
const ROOM: usize = 8192;

/// The crate with the World of a case.
pub(crate) struct Served {
    pub(crate) world: World,
    scratch: Scratch,
    reply: Vec<u8>,
    /// Replies that were read before, since reading takes longest; each is to one question.
    known: BTreeMap<Vec<u8>, Reply>,
}

impl Served {
    pub(crate) fn new(case: &Case) -> Self {
        Self {
            world: surrounded(world(case), case),
            scratch: Scratch::default(),
            reply: vec![0; ROOM * BATCH],
            known: BTreeMap::new(),
        }
    }
}

/// The World, made at once or step by step, which must not matter.
fn world(case: &Case) -> World {
    let down = case.checks.iter().filter(|(_, healthy)| !**healthy);
    let health = Health::of_down(KEY, down.map(|(id, _)| id.as_str()));
    let zones = || case.zones.iter().enumerate();
    let whole = |(place, zone)| Arc::new(image(place, zone, |_| true));
    let count: usize = case.zones.iter().map(|zone| zone.sets.len()).sum();
    match count % 4 {
        0 => World::new(KEY, zones().map(whole).collect()).with_health(health),
        1 => {
            let mut world = World::new(KEY, Vec::new()).with_health(health);
            for zone in zones() {
                world = world.changed(&[ZoneChange::Put(whole(zone))]);
            }
            world
        }
        2 => by_and_by(case, &health),
        _ => {
            // Every other name comes later, and the health in between.
            let half = |name: &Name| name.as_wire().len().is_multiple_of(2);
            let halves = zones().map(|(place, zone)| Arc::new(image(place, zone, half)));
            let halves: Vec<Arc<ZoneImage>> = halves.collect();
            let world = World::new(KEY, halves.clone()).with_health(health);
            let changes = zones().zip(halves).map(|((_, zone), image)| {
                let rows = rows(zone);
                let late = rows.values().filter(|(name, _)| !half(name));
                let late = late.map(|(name, sets)| (*name, sets.as_slice()));
                let image = image.with_names(KEY, 1, late).unwrap();
                ZoneChange::Put(Arc::new(image))
            });
            world.changed(&changes.collect::<Vec<_>>())
        }
    }
}

/// The World after many changes of zones and of health: names come, go and come again.
fn by_and_by(case: &Case, health: &Health) -> World {
    let mut rng = Rng::new(case.zones.len() as u64);
    let mut world = World::new(KEY, Vec::new());
    let zones = || case.zones.iter().enumerate();
    let mut images: Vec<ZoneImage> = zones()
        .map(|(place, zone)| image(place, zone, |_| false))
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
            images[place] = images[place].with_names(KEY, 1, names).unwrap();
            let image = Arc::new(images[place].clone());
            world = world.changed(&[ZoneChange::Put(image)]);
        }
        let down = case.checks.keys().filter(|_| rng.percent(50));
        world = world.with_health(Health::of_down(KEY, down.map(String::as_str)));
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
    let mut collections = CidrCollections::new(KEY);
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
    world
        .with_vpcs(&vpcs.collect::<Vec<_>>())
        .with_atlas(Arc::new(atlas))
        .with_regions(&regions)
        .with_cidr_collections(collections)
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

fn image(place: usize, zone: &Zone, takes: impl Fn(&Name) -> bool) -> ZoneImage {
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
    let image = ZoneImage::build(KEY, meta, names, Broken::Refuse).unwrap();
    let vpcs = (zone.seen == Seen::Vpc).then(|| [VpcId::new(VPC).unwrap()].into());
    image.with_vpcs(vpcs)
}

impl Server for Served {
    fn reply(&mut self, ask: &Ask, seed: u64) -> Reply {
        // At any place of a batch, which may change what chance brings, but not what is possible.
        let copies = 1 + usize::try_from(seed % 3).unwrap();
        let mut reply = self.replies(ask, copies, seed).pop().unwrap();
        reply.records.sort();
        reply
    }
}

impl Served {
    /// The replies to a batch of so many copies of a question, with their records in order.
    pub(crate) fn replies(&mut self, ask: &Ask, copies: usize, seed: u64) -> Vec<Reply> {
        let query = packet(ask);
        let rooms = self.reply.chunks_mut(ROOM).take(copies);
        let mut packets: Vec<Packet<'_>> = rooms
            .map(|reply| Packet {
                query: &query,
                client: ask.source,
                view: ViewId(0),
                transport: Transport::Tcp { idle: 100 },
                reply,
            })
            .collect();
        let mut outcomes = vec![Outcome::Drop; copies];
        let moment = Moment { now_s: 0, seed };
        let identity = Identity::default();
        let (scratch, world, known) = (&mut self.scratch, &self.world, &mut self.known);
        answer(
            scratch,
            world,
            &identity,
            &mut packets,
            &mut outcomes,
            moment,
        );
        let told = packets.iter().zip(&outcomes);
        told.map(|(packet, outcome)| match outcome {
            Outcome::Reply(answered) => {
                let bytes = &packet.reply[..answered.len.into()];
                if let Some(known) = known.get(bytes) {
                    return known.clone();
                }
                let reply = read(ask, bytes);
                known.insert(bytes.to_vec(), reply.clone());
                reply
            }
            Outcome::Drop => panic!("{ask:?} was dropped"),
        })
        .collect()
    }
}

fn packet(ask: &Ask) -> Vec<u8> {
    let mut packet = vec![0xab, 0xcd, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    packet.extend(ask.name.as_wire());
    packet.extend(ask.rtype.code().to_be_bytes());
    packet.extend([0, 1]);
    let Some(subnet) = ask.subnet else {
        return packet;
    };
    let (family, octets) = match subnet.address() {
        IpAddr::V4(v4) => (1, v4.octets().to_vec()),
        IpAddr::V6(v6) => (2, v6.octets().to_vec()),
    };
    packet[11] = 1;
    let told = subnet.len.div_ceil(8);
    packet.extend([0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8 + told]);
    packet.extend([0, 8, 0, 4 + told, 0, family, subnet.len, 0]);
    packet.extend(&octets[..told.into()]);
    packet
}

/// Reads a reply, and checks what does not depend on routing.
pub(crate) fn read(ask: &Ask, reply: &[u8]) -> Reply {
    let message = Message::from_octets(reply).unwrap();
    let rcode = message.opt_rcode().to_int();
    if rcode != 2 {
        assert_eq!([reply[2] & 0xfe, reply[3] & 0xf0], FLAGS, "{ask:?}");
    }
    let (_, answer, authority, additional) = message.sections().unwrap();
    let [records, authority, additional] = [answer, authority, additional].map(|section| {
        let records = section.limit_to::<AllRecordData<_, ParsedName<_>>>();
        let records = records.map(|record| record.unwrap());
        let records = records.filter(|record| !matches!(record.data(), AllRecordData::Opt(_)));
        let record = |record: domain::base::Record<ParsedName<&[u8]>, AllRecordData<_, _>>| {
            let mut data = Vec::new();
            record.data().compose_rdata(&mut data).unwrap();
            let owner = record.owner().to_name::<Vec<u8>>().into_octets();
            Record {
                owner: Name::from_wire(&owner).unwrap().to_lowercase().to_string(),
                rtype: record.rtype().to_int(),
                ttl: record.ttl().as_secs(),
                data,
            }
        };
        records.map(record).collect::<Vec<Record>>()
    });
    assert_eq!(additional, [], "{ask:?}");
    let soa = match &*authority {
        [] => None,
        [soa] => {
            assert_eq!(soa.rtype, 6, "{ask:?}");
            assert!(
                ask.name.is_within(&Name::parse(&soa.owner).unwrap()),
                "{ask:?}"
            );
            Some(soa.ttl)
        }
        others => panic!("{ask:?}: {others:?}"),
    };
    let subnet = message.opt().and_then(|opt| {
        let mut subnets = opt.opt().iter::<ClientSubnet>();
        subnets.next().map(|subnet| subnet.unwrap())
    });
    if let (Some(told), Some(asked)) = (&subnet, ask.subnet) {
        let echoed = (told.addr(), told.source_prefix_len());
        assert_eq!(echoed, (asked.address(), asked.len), "{ask:?}");
    }
    Reply {
        rcode,
        records,
        soa,
        scope: subnet.map(|subnet| subnet.scope_prefix_len()),
    }
}
