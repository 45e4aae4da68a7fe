//! Turns of the feed over a journal in memory: what is answered and acknowledged after each.

use std::time::Duration;

use meridian_atlas::{Atlas, countries};
use meridian_control::ChangeStatus;
use meridian_dns::Name;
use meridian_log::{Commit, LocalJournal};
use meridian_model::{
    AccountId, DelegationSet, Effect, LogGroupArn, ProbeRights, QueryLoggingConfig,
    QueryLoggingConfigId, RecordSet, Timestamp,
};

use super::*;
use crate::condition::ZoneLogOf;

mod health;
mod zones;

/// A feed over a journal with one zone, which is being answered.
fn feed() -> (Feed, Live) {
    let journal = Arc::new(LocalJournal::in_memory().unwrap());
    let soa = "ns.test. host.test. 1 7200 900 1209600 86400";
    let first = vec![Effect::PutZone(zone(1)), put("a.test", "SOA", soa)];
    append(&*journal, first);
    let tables = Arc::new(Tables::in_memory().unwrap());
    let (condition, key) = (Arc::default(), HashKey([1, 2]));
    let views = Views::new(&["192.0.2.53:53".parse().unwrap()]);
    let mut feed = Feed::new(journal, tables, condition, views, key);
    feed.catch_up().unwrap();
    feed.load().unwrap();
    let live = Live::new(feed.world());
    feed.acknowledge();
    (feed, live)
}

/// The zone, with its sets under this generation.
fn zone(generation: u64) -> Zone {
    Zone {
        id: zone_id(),
        account: AccountId::new("111111111111").unwrap(),
        name: name("a.test"),
        caller_reference: "r".to_owned(),
        comment: None,
        private: false,
        delegation_set: DelegationSet::own(vec![name("ns.test")]),
        generation: Generation(generation),
        created_at: Timestamp(0),
        accelerated_recovery: meridian_model::AcceleratedRecovery::default(),
        vpcs: vec![],
    }
}

fn zone_id() -> ZoneId {
    ZoneId::new("Z1").unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn put(owner: &str, rtype: &str, value: &str) -> Effect {
    put_in(1, owner, rtype, value)
}

fn put_in(generation: u64, owner: &str, rtype: &str, value: &str) -> Effect {
    Effect::PutSet {
        generation: Generation(generation),
        set: RecordSet::simple(
            name(owner),
            rtype.parse().unwrap(),
            60,
            vec![value.to_owned()],
        ),
    }
}

fn append(journal: &dyn Journal, effects: Vec<Effect>) {
    let commit = Commit {
        request_id: "r".to_owned(),
        account: None,
        principal: "p".to_owned(),
        source: String::new(),
        retry: None,
        effects,
    };
    let head = journal.head().unwrap();
    journal.append(head, vec![commit], Timestamp(0)).unwrap();
}

fn served(live: &Live) -> u64 {
    let world = live.load();
    let image = world.zone(&name("a.test"), Generation(1));
    image.unwrap().meta().last_changed
}

/// What a query for the zone's apex of this type is answered, for each client in turn.
fn ask(live: &Live, rtype: u8, clients: &[&str]) -> Vec<(bool, Vec<u8>)> {
    use meridian_answer::{Identity, Moment, Outcome, Packet, Scratch, Transport, ViewId, answer};
    let query = [
        b"\xab\xcd\0\0\0\x01\0\0\0\0\0\0\x01a\x04test\0\0",
        &[rtype, 0, 1][..],
    ]
    .concat();
    let world = live.load();
    let asked = clients.iter().map(|client| {
        let (mut reply, mut outcome) = (vec![0; 512], [Outcome::Drop]);
        let packet = Packet {
            query: &query,
            client: client.parse().unwrap(),
            view: ViewId(0),
            transport: Transport::Udp { max_payload: 512 },
            reply: &mut reply,
        };
        let moment = Moment { now_s: 0, seed: 0 };
        let (scratch, identity) = (&mut Scratch::default(), Identity::default());
        answer(
            scratch,
            &world,
            &identity,
            &mut [packet],
            &mut outcome,
            moment,
        );
        match outcome {
            [Outcome::Reply(answered)] => {
                reply.truncate(answered.len.into());
                (answered.zone.is_some(), reply)
            }
            [Outcome::Drop] => panic!("no reply"),
        }
    });
    asked.collect()
}

/// Who sees the zone's apex: the public view, and a client of each VPC.
fn seen_by(feed: &Feed, live: &Live, clients: &[&str]) -> Vec<bool> {
    feed.acknowledge();
    let asked = ask(live, 6, clients).into_iter();
    asked.map(|(seen, _)| seen).collect()
}

/// The last byte of the only address at the zone's apex, as these clients get it.
fn addresses(live: &Live, clients: &[&str]) -> Vec<u8> {
    let asked = ask(live, 1, clients).into_iter();
    asked.map(|(_, reply)| *reply.last().unwrap()).collect()
}

/// A set of a policy at the zone's apex: an address that ends with this byte.
fn policy_set(last: u8, routing: meridian_model::Routing, check: Option<&str>) -> Effect {
    let values = vec![format!("192.0.2.{last}")];
    let mut set = RecordSet::simple(name("a.test"), "A".parse().unwrap(), 60, values);
    set.routing = routing;
    set.key.set_identifier = Some(last.to_string());
    set.health_check_id = check.map(str::to_owned);
    let generation = Generation(1);
    Effect::PutSet { generation, set }
}

/// A feed whose zone is seen by the queries of these tests.
fn seen_feed() -> (Feed, Live) {
    let (feed, live) = feed();
    let server = meridian_model::NameServer {
        name: name("ns.test"),
        addresses: vec!["192.0.2.53".parse().unwrap()],
        ordinal: 0,
    };
    append(&*feed.journal, vec![Effect::PutNameServer(server)]);
    (feed, live)
}

#[test]
fn answers_follow_the_blocks_of_collections() {
    use meridian_model::{CidrBlocks, CidrCollection, CidrCollectionId, CidrLocation, Routing};
    let (mut feed, live) = seen_feed();
    let id = CidrCollectionId::new("01234567-89ab-cdef-0123-456789abcdef").unwrap();
    let collection = Effect::PutCidrCollection(CidrCollection {
        id: id.clone(),
        account: AccountId::new("111111111111").unwrap(),
        name: "c".to_owned(),
        caller_reference: "r".to_owned(),
        version: 1,
    });
    let blocks = |block: &str| CidrBlocks {
        collection: id.clone(),
        location: CidrLocation::new("here").unwrap(),
        blocks: vec![block.parse().unwrap()],
    };
    let cidr = |location: &str| Routing::Cidr {
        collection_id: id.to_string(),
        location: location.to_owned(),
    };
    let sets = vec![
        policy_set(1, cidr("here"), None),
        policy_set(2, cidr("*"), None),
    ];
    let clients = ["192.0.2.1", "198.51.100.1"];
    for (effects, expected) in [
        ([vec![collection], sets].concat(), [2, 2]),
        (vec![Effect::PutCidrBlocks(blocks("192.0.2.0/24"))], [1, 2]),
        (
            vec![Effect::PutCidrBlocks(blocks("198.51.100.0/24"))],
            [1, 1],
        ),
        (
            vec![Effect::DeleteCidrBlocks(blocks("192.0.2.0/24"))],
            [2, 1],
        ),
    ] {
        append(&*feed.journal, effects);
        feed.turn(&live).unwrap();
        assert_eq!(addresses(&live, &clients), expected);
        // Built anew from the tables it is the same.
        feed.stale = true;
        feed.turn(&live).unwrap();
        assert_eq!(addresses(&live, &clients), expected);
    }
    let last = Effect::DeleteCidrBlocks(blocks("198.51.100.0/24"));
    let gone = Effect::DeleteCidrCollection(id.clone());
    append(&*feed.journal, vec![last, gone]);
    feed.turn(&live).unwrap();
    assert_eq!(addresses(&live, &clients), [2, 2]);
}

#[test]
fn answers_follow_who_is_where() {
    use meridian_model::{GeoLocation, Routing};
    let (mut feed, live) = seen_feed();
    let in_country = |code: &str| {
        Routing::Geolocation(GeoLocation {
            continent: None,
            country: Some(code.to_owned()),
            subdivision: None,
        })
    };
    let sets = vec![
        policy_set(1, in_country("JP"), None),
        policy_set(2, in_country("*"), None),
    ];
    append(&*feed.journal, sets);
    feed.turn(&live).unwrap();
    assert_eq!(
        addresses(&live, &["133.11.0.1"]),
        [2],
        "nobody has a place yet"
    );
    let countries =
        countries::read(include_bytes!("../../../../data/geo/countries").as_slice()).unwrap();
    let atlas = Atlas::new(vec![countries]).unwrap();
    feed.condition.geo().is_now(atlas, Duration::ZERO, None);
    feed.follow_atlas(&live);
    // A university of Tokyo, and nobody.
    assert_eq!(addresses(&live, &["133.11.0.1", "192.0.2.1"]), [1, 2]);
}

#[test]
fn private_zones_follow_their_vpcs() {
    use meridian_model::{Vpc, VpcId, VpcRegion};
    let (mut feed, live) = feed();
    let vpc = |id: &str, network: &str| Vpc {
        id: VpcId::new(id).unwrap(),
        region: VpcRegion::stored("eu-west-1"),
        account: AccountId::new("111111111111").unwrap(),
        networks: vec![network.parse().unwrap()],
    };
    let (one, two) = (vpc("vpc-1", "10.1.0.0/16"), vpc("vpc-2", "10.2.0.0/16"));
    let zone = |vpcs: &[&Vpc]| {
        Effect::PutZone(Zone {
            private: true,
            vpcs: vpcs.iter().map(|vpc| vpc.associated()).collect(),
            ..zone(1)
        })
    };
    let clients = ["192.0.2.1", "10.1.0.1", "10.2.0.1", "10.3.0.1"];
    append(&*feed.journal, vec![Effect::DeleteZone(zone_id())]);
    append(
        &*feed.journal,
        vec![Effect::PutVpc(one.clone()), zone(&[&one])],
    );
    feed.turn(&live).unwrap();
    assert_eq!(seen_by(&feed, &live, &clients), [false, true, false, false]);
    let added = vec![Effect::PutVpc(two.clone()), zone(&[&one, &two])];
    append(&*feed.journal, added);
    feed.turn(&live).unwrap();
    assert_eq!(seen_by(&feed, &live, &clients), [false, true, true, false]);
    // A record changes, and the zone stays where it is.
    append(&*feed.journal, vec![put("www.a.test", "A", "192.0.2.1")]);
    feed.turn(&live).unwrap();
    assert_eq!(seen_by(&feed, &live, &clients), [false, true, true, false]);
    append(&*feed.journal, vec![zone(&[&two])]);
    feed.turn(&live).unwrap();
    assert_eq!(seen_by(&feed, &live, &clients), [false, false, true, false]);
    // The mapping changes, and nothing else.
    append(
        &*feed.journal,
        vec![Effect::PutVpc(vpc("vpc-2", "10.3.0.0/16"))],
    );
    feed.turn(&live).unwrap();
    assert_eq!(seen_by(&feed, &live, &clients), [false, false, false, true]);
    // Built anew from the tables it is the same.
    feed.stale = true;
    feed.turn(&live).unwrap();
    assert_eq!(seen_by(&feed, &live, &clients), [false, false, false, true]);
    append(&*feed.journal, vec![Effect::DeleteZone(zone_id())]);
    feed.turn(&live).unwrap();
    assert_eq!(seen_by(&feed, &live, &clients), [false; 4]);
    assert_eq!(feed.world.size().zones, 0);
}
