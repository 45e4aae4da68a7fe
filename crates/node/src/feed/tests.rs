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

#[test]
fn a_change_is_answered_though_the_turn_that_applied_it_failed() {
    let (mut feed, live) = feed();
    append(&*feed.journal, vec![put("www.a.test", "A", "192.0.2.1")]);
    // What a turn does up to a failure between the tables and the World.
    feed.next_entries().unwrap();
    feed.stale = true;
    feed.turn(&live).unwrap();
    assert_eq!(served(&live), 2);
    assert_eq!(
        feed.acks.status(Some(&zone_id()), Seq(2)),
        ChangeStatus::Insync
    );
}

#[test]
fn nothing_a_failed_zone_lacks_is_in_sync() {
    let (mut feed, live) = feed();
    append(&*feed.journal, vec![put("www.a.test", "A", "no address")]);
    append(&*feed.journal, vec![put("ftp.a.test", "A", "192.0.2.1")]);
    // Both in one turn: the first is no more served than the last.
    feed.turn(&live).unwrap();
    let status = |feed: &Feed, seq| feed.acks.status(Some(&zone_id()), Seq(seq));
    assert_eq!(served(&live), 1);
    assert_eq!(status(&feed, 1), ChangeStatus::Insync);
    assert_eq!(status(&feed, 2), ChangeStatus::Pending);
    assert_eq!(status(&feed, 3), ChangeStatus::Pending);
    // Nor when everything is built anew, where it keeps its image.
    feed.stale = true;
    feed.turn(&live).unwrap();
    assert_eq!(served(&live), 1);
    assert_eq!(status(&feed, 2), ChangeStatus::Pending);

    append(&*feed.journal, vec![put("www.a.test", "A", "192.0.2.1")]);
    feed.turn(&live).unwrap();
    assert_eq!(served(&live), 4);
    for seq in 1..=4 {
        assert_eq!(status(&feed, seq), ChangeStatus::Insync, "{seq}");
    }
}

#[test]
fn a_zone_is_logged_from_its_configuration_on_whatever_becomes_of_it_otherwise() {
    let (mut feed, live) = feed();
    let config = QueryLoggingConfig {
        id: QueryLoggingConfigId::new("1").unwrap(),
        account: AccountId::new("111111111111").unwrap(),
        zone: zone_id(),
        log_group: LogGroupArn::stored("arn".to_owned()),
    };
    let log_of = |live: &Live, generation| {
        let world = live.load();
        let image = world.zone(&name("a.test"), Generation(generation)).unwrap();
        (world.log(), image.log())
    };
    let (on, off) = ((ZoneLog::On, ZoneLog::On), (ZoneLog::Off, ZoneLog::Off));
    let asked = |feed: &Feed| feed.condition.zone_logs();
    let before = asked(&feed);
    assert_eq!((log_of(&live, 1), before.1), (off, 0));

    let put_config = Effect::PutQueryLoggingConfig(config.clone());
    let soa = "ns.test. host.test. 1 7200 900 1209600 86400";
    let moved = vec![Effect::PutZone(zone(2)), put_in(2, "a.test", "SOA", soa)];
    for (effects, generation) in [
        (vec![put_config.clone()], 1),
        (vec![put("www.a.test", "A", "192.0.2.1")], 1),
        (moved, 2),
    ] {
        append(&*feed.journal, effects);
        feed.turn(&live).unwrap();
        assert_eq!(log_of(&live, generation), on, "{generation}");
    }
    assert_eq!(
        asked(&feed),
        (before.0 + 1, 1),
        "the log is told of it once"
    );
    assert!(matches!(
        feed.condition.zone_log_of(Generation(2)),
        ZoneLogOf::Config(found) if *found == config
    ));
    // Built anew from the tables.
    feed.stale = true;
    feed.turn(&live).unwrap();
    assert_eq!(log_of(&live, 2), on);

    // A change of a set in the same turn is no reason to miss it.
    let gone = Effect::DeleteQueryLoggingConfig(config.id);
    append(&*feed.journal, vec![gone.clone()]);
    let ftp = put_in(2, "ftp.a.test", "A", "192.0.2.1");
    append(&*feed.journal, vec![ftp]);
    feed.turn(&live).unwrap();
    assert_eq!(log_of(&live, 2), off);
    assert_eq!(asked(&feed).1, 0);
    assert!(matches!(
        feed.condition.zone_log_of(Generation(2)),
        ZoneLogOf::None
    ));
    append(&*feed.journal, vec![put_config]);
    append(&*feed.journal, vec![gone, Effect::DeleteZone(zone_id())]);
    feed.turn(&live).unwrap();
    assert_eq!(live.load().log(), ZoneLog::Off);
}

#[test]
fn a_zone_that_fails_at_the_start_is_not_in_sync() {
    let (feed, _) = feed();
    append(&*feed.journal, vec![put("www.a.test", "A", "no address")]);
    let (journal, tables) = (Arc::clone(&feed.journal), Arc::clone(&feed.tables));
    let condition = Arc::default();
    let mut again = Feed::new(journal, tables, condition, Views::new(&[]), HashKey([1, 2]));
    again.catch_up().unwrap();
    again.load().unwrap();
    again.acknowledge();
    assert_eq!(
        again.acks.status(Some(&zone_id()), Seq(1)),
        ChangeStatus::Pending
    );
    assert_eq!(
        again.acks.status(Some(&zone_id()), Seq(2)),
        ChangeStatus::Pending
    );
}

/// What is answered of a zone: its image's generation, its last change and its views.
fn answered(live: &Live) -> Vec<(u64, u64, u64)> {
    let world = live.load();
    let images = world.zones().map(|image| image.meta());
    images
        .map(|meta| (meta.generation.0, meta.last_changed, meta.views))
        .collect()
}

#[test]
fn a_zone_that_could_not_be_pointed_elsewhere_follows_once_it_can() {
    let (mut feed, live) = feed();
    let broken = put_in(2, "www.a.test", "A", "no address");
    append(&*feed.journal, vec![broken, Effect::PutZone(zone(2))]);
    feed.turn(&live).unwrap();
    assert_eq!(answered(&live), [(1, 1, 0)]);
    assert_eq!(
        feed.acks.status(Some(&zone_id()), Seq(2)),
        ChangeStatus::Pending
    );
    // Only a set changes, under a generation that nothing is answered from yet.
    let mended = put_in(2, "www.a.test", "A", "192.0.2.1");
    append(&*feed.journal, vec![mended]);
    feed.turn(&live).unwrap();
    assert_eq!(answered(&live), [(2, 3, 0)]);
    assert_eq!(
        feed.acks.status(Some(&zone_id()), Seq(2)),
        ChangeStatus::Insync
    );
}

#[test]
fn a_zone_and_its_names_that_change_in_one_turn_both_do() {
    let (mut feed, live) = feed();
    let mut commented = zone(1);
    commented.comment = Some("a comment".to_owned());
    append(&*feed.journal, vec![Effect::PutZone(commented)]);
    append(&*feed.journal, vec![put("www.a.test", "A", "192.0.2.1")]);
    feed.turn(&live).unwrap();
    assert_eq!(answered(&live), [(1, 3, 0)]);
    assert_eq!(feed.world.size().names, 2);
}

#[test]
fn zones_follow_their_name_servers_and_go_when_deleted() {
    let (mut feed, live) = feed();
    let server = meridian_model::NameServer {
        name: name("ns.test"),
        addresses: vec!["192.0.2.53".parse().unwrap()],
        ordinal: 0,
    };
    append(&*feed.journal, vec![Effect::PutNameServer(server)]);
    feed.turn(&live).unwrap();
    assert_eq!(answered(&live), [(1, 1, 1)]);
    let mut elsewhere = zone(1);
    elsewhere.delegation_set.name_servers = vec![name("ns.else")];
    append(&*feed.journal, vec![Effect::PutZone(elsewhere)]);
    feed.turn(&live).unwrap();
    assert_eq!(answered(&live), [(1, 1, 0)]);
    append(&*feed.journal, vec![Effect::DeleteZone(zone_id())]);
    feed.turn(&live).unwrap();
    assert_eq!(answered(&live), []);
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

/// A check that is down if it is inverted.
fn disabled_check(id: &meridian_model::HealthCheckId, inverted: bool) -> Effect {
    use meridian_model::{HealthCheck, HealthCheckConfig, HealthSlot, HealthSubject};
    let config = HealthCheckConfig {
        inverted,
        disabled: true,
        subject: HealthSubject::RoutingControl("arn".to_owned()),
    };
    Effect::PutHealthCheck(HealthCheck {
        id: id.clone(),
        account: AccountId::new("111111111111").unwrap(),
        caller_reference: "r".to_owned(),
        version: 1,
        created_with: config.clone(),
        config,
        slot: HealthSlot {
            slot: 0,
            incarnation: 1,
        },
    })
}

#[test]
fn answers_follow_health_checks_and_what_people_say_of_them() {
    use meridian_model::{FailoverRole, Health, HealthCheckId, HealthSwitch, Routing};
    let (mut feed, live) = seen_feed();
    let id = HealthCheckId::new("01234567-89ab-cdef-0123-456789abcdef").unwrap();
    let check = |inverted| disabled_check(&id, inverted);
    let switch = |health| {
        Effect::PutHealthSwitch(HealthSwitch {
            check: id.clone(),
            health,
            reason: String::new(),
            principal: "p".to_owned(),
            at: Timestamp(0),
        })
    };
    let primary = Routing::Failover(FailoverRole::Primary);
    let secondary = Routing::Failover(FailoverRole::Secondary);
    let sets = vec![
        policy_set(1, primary, Some(id.as_str())),
        policy_set(2, secondary, None),
    ];
    for (effects, address) in [
        ([vec![check(false)], sets].concat(), 1),
        (vec![check(true)], 2),
        (vec![switch(Health::Healthy)], 1),
        (vec![switch(Health::Unhealthy), check(false)], 2),
        (vec![Effect::DeleteHealthSwitch(id.clone())], 1),
        (vec![check(true)], 2),
    ] {
        append(&*feed.journal, effects);
        feed.turn(&live).unwrap();
        assert_eq!(addresses(&live, &["192.0.2.1"]), [address]);
    }
    // Built anew from the tables; and a check that is gone is down no more.
    feed.stale = true;
    feed.turn(&live).unwrap();
    assert_eq!(addresses(&live, &["192.0.2.1"]), [2]);
    append(&*feed.journal, vec![Effect::DeleteHealthCheck(id.clone())]);
    feed.turn(&live).unwrap();
    assert_eq!(addresses(&live, &["192.0.2.1"]), [1]);
}

/// The account of the zones, with these rights.
fn with_rights(probes: ProbeRights) -> Effect {
    Effect::PutAccount(meridian_model::Account {
        id: AccountId::new("111111111111").unwrap(),
        name: "tenant".to_owned(),
        operator: false,
        probes,
        created_at: Timestamp(0),
    })
}

/// From now on a host name elsewhere is known, at an address that needs the right to private ones.
fn know_private_target(feed: &mut Feed) {
    use meridian_answer::{
        ExternalFacts, ExternalRecord, ExternalRecords, ExternalState, ExternalTarget,
        ExternalTargets,
    };
    let target = ExternalTarget {
        name: name("lb.example"),
        rtype: "A".parse().unwrap(),
        state: ExternalState::Answers {
            records: ExternalRecords {
                ttl_s: 60,
                records: vec![ExternalRecord {
                    data: vec![198, 51, 100, 9],
                    needs: ProbeRights::Private,
                }],
            },
            for_subnets: Vec::new(),
        },
        facts: ExternalFacts::default(),
    };
    let table = ExternalTargets::of(feed.world.key(), [target]);
    feed.world = feed.world.clone().with_external_targets(table);
}

#[test]
fn answers_go_by_the_health_checks_of_resources_and_the_rights_of_accounts() {
    use meridian_model::{
        AliasTarget, FailoverRole, HealthCheckId, Region, Resource, ResourceName, Routing, SetData,
    };
    let (mut feed, live) = seen_feed();
    let id = HealthCheckId::new("01234567-89ab-cdef-0123-456789abcdef").unwrap();
    let mut primary = policy_set(1, Routing::Failover(FailoverRole::Primary), None);
    if let Effect::PutSet { set, .. } = &mut primary {
        set.data = SetData::Alias(AliasTarget {
            zone: ZoneId::new("ZEXTERNAL").unwrap(),
            name: name("lb.example"),
            evaluate_target_health: true,
        });
    }
    let secondary = policy_set(2, Routing::Failover(FailoverRole::Secondary), None);
    let entitled = with_rights(ProbeRights::Private);
    append(&*feed.journal, vec![primary, secondary, entitled]);
    feed.turn(&live).unwrap();
    assert_eq!(addresses(&live, &["192.0.2.1"]), [2]);
    know_private_target(&mut feed);
    let resource = |account: &str| {
        Effect::PutResource(Resource {
            account: AccountId::new(account).unwrap(),
            name: ResourceName::parse("lb.example").unwrap(),
            region: Region::new("eu-west-1").unwrap(),
            health_check: Some(id.clone()),
        })
    };
    let gone = Effect::DeleteResource {
        account: AccountId::new("111111111111").unwrap(),
        name: ResourceName::parse("lb.example").unwrap(),
    };
    for (effects, address) in [
        // The check of another account's resource is none of the zone's business.
        (vec![disabled_check(&id, true), resource("222222222222")], 9),
        (vec![with_rights(ProbeRights::Public)], 2),
        (vec![with_rights(ProbeRights::Everything)], 9),
        (vec![resource("111111111111")], 2),
        (vec![disabled_check(&id, false)], 9),
        (vec![disabled_check(&id, true)], 2),
        (vec![gone], 9),
        (vec![resource("111111111111")], 2),
    ] {
        append(&*feed.journal, effects);
        feed.turn(&live).unwrap();
        assert_eq!(addresses(&live, &["192.0.2.1"]), [address]);
    }
    // Built anew from the tables.
    feed.load().unwrap();
    know_private_target(&mut feed);
    live.publish(feed.world());
    assert_eq!(addresses(&live, &["192.0.2.1"]), [2]);
}

#[test]
fn answers_heed_what_this_node_is_handed_without_a_journal() {
    use meridian_model::{BreakGlass, FailoverRole, Health, HealthCheckId, Routing};
    let folder = tempfile::tempdir().unwrap();
    let file = Arc::new(BreakGlassFile::open(folder.path()));
    let (feed, live) = seen_feed();
    let mut feed = feed.heeding(Arc::clone(&file));
    let id = HealthCheckId::new("01234567-89ab-cdef-0123-456789abcdef").unwrap();
    let primary = Routing::Failover(FailoverRole::Primary);
    let secondary = Routing::Failover(FailoverRole::Secondary);
    let effects = vec![
        disabled_check(&id, false),
        policy_set(1, primary, Some(id.as_str())),
        policy_set(2, secondary, None),
    ];
    append(&*feed.journal, effects);
    feed.turn(&live).unwrap();
    let now = now();
    let later = |ms| Timestamp(now.0 + ms);
    let document = |health, version| BreakGlass {
        check: id.clone(),
        health,
        reason: "r".to_owned(),
        expires_at: later(60_000),
        version,
    };
    for (version, health, at, address) in [
        (1, Some(Health::Unhealthy), now, 2),
        (2, None, now, 1),
        (3, Some(Health::Unhealthy), later(59_999), 2),
        (3, Some(Health::Unhealthy), later(60_000), 1),
        (4, Some(Health::Unhealthy), now, 2),
    ] {
        file.accept(document(health, version), now).unwrap();
        feed.heed(&live, at);
        assert!(!feed.health.is_outdated(at));
        assert_eq!(addresses(&live, &["192.0.2.1"]), [address], "{version}");
    }
    // Neither changes of the journal nor a World made anew forget it.
    append(
        &*feed.journal,
        vec![disabled_check(&id, true), disabled_check(&id, false)],
    );
    feed.turn(&live).unwrap();
    assert_eq!(addresses(&live, &["192.0.2.1"]), [2]);
    feed.stale = true;
    feed.turn(&live).unwrap();
    assert_eq!(addresses(&live, &["192.0.2.1"]), [2]);
}

#[test]
fn answers_follow_what_checkers_find_and_flips_are_told() {
    use meridian_model::{
        Endpoint, FailoverRole, Health, HealthCheckId, HealthSlot, HealthSubject, Protocol, Routing,
    };
    let (mut feed, live) = seen_feed();
    let board = Arc::clone(feed.condition.board());
    let mut told = board.listen();
    let id = HealthCheckId::new("01234567-89ab-cdef-0123-456789abcdef").unwrap();
    let primary = Routing::Failover(FailoverRole::Primary);
    let secondary = Routing::Failover(FailoverRole::Secondary);
    let Effect::PutHealthCheck(mut check) = disabled_check(&id, false) else {
        panic!("it makes a check");
    };
    check.config.disabled = false;
    check.config.subject = HealthSubject::Endpoint(Endpoint {
        protocol: Protocol::Tcp,
        ip_address: Some("192.0.2.1".parse().unwrap()),
        domain_name: None,
        port: 1,
        path: None,
        search_string: None,
        request_interval_s: 30,
        failure_threshold: 1,
        measure_latency: false,
        enable_sni: false,
        regions: Vec::new(),
    });
    let effects = vec![
        Effect::PutHealthCheck(check.clone()),
        policy_set(1, primary, Some(id.as_str())),
        policy_set(2, secondary, None),
    ];
    append(&*feed.journal, effects);
    feed.turn(&live).unwrap();
    let place = board.state().of(id.as_str()).unwrap().0.slot;
    let of_another = HealthSlot {
        incarnation: place.incarnation + 1,
        ..place
    };
    for (slot, health, address, flips) in [
        // Of the one that had the place before, or will have it, nothing is believed.
        (of_another, Health::Unhealthy, 1, 0),
        (place, Health::Unhealthy, 2, 1),
        (place, Health::Unhealthy, 2, 0),
        (place, Health::Healthy, 1, 1),
    ] {
        board.post_alarms([(slot, health)].into());
        feed.heed(&live, now());
        assert!(!feed.health.is_outdated(now()));
        assert_eq!(addresses(&live, &["192.0.2.1"]), [address]);
        assert_eq!(told.len(), flips);
        if flips > 0 {
            let flips = told.try_recv().unwrap();
            let (check, now) = flips.each().next().unwrap();
            assert_eq!((&check.id, now.health), (&id, health));
        }
    }
    // A change of something else asks for no other probes.
    let before = board.state();
    append(&*feed.journal, vec![Effect::PutHealthCheck(check)]);
    feed.turn(&live).unwrap();
    assert!(board.state().checks.is_copy(&before.checks));
}

#[test]
fn checks_that_come_and_go_one_by_one_lead_where_reading_all_does() {
    use meridian_model::{Health, HealthCheckId, HealthSlot, HealthSwitch};
    let (mut feed, live) = seen_feed();
    let id = |number: u32| {
        HealthCheckId::new(&format!("{number:08x}-89ab-cdef-0123-456789abcdef")).unwrap()
    };
    let check = |number, slot, incarnation, inverted| {
        let Effect::PutHealthCheck(mut check) = disabled_check(&id(number), inverted) else {
            panic!("it makes a check");
        };
        check.slot = HealthSlot { slot, incarnation };
        Effect::PutHealthCheck(check)
    };
    let gone = |number| Effect::DeleteHealthCheck(id(number));
    let switched = |number| {
        Effect::PutHealthSwitch(HealthSwitch {
            check: id(number),
            health: Health::Unhealthy,
            reason: "r".to_owned(),
            principal: "p".to_owned(),
            at: Timestamp(0),
        })
    };
    // An inverted one is down. The place of one that is gone is taken in the same entry, by an id
    // before its own and by one behind it, by one that is up and by one that is down.
    for (step, down) in [
        (
            vec![
                check(5, 0, 1, true),
                check(6, 1, 1, false),
                check(7, 2, 1, true),
            ],
            2,
        ),
        (vec![gone(5), check(4, 0, 2, false)], 1),
        (vec![gone(7), check(8, 2, 2, true)], 1),
        (vec![gone(8), check(3, 2, 3, true)], 1),
        (vec![switched(4), switched(9)], 2),
        (vec![gone(6), check(9, 1, 2, false)], 3),
        (vec![Effect::DeleteHealthSwitch(id(9)), gone(3)], 1),
    ] {
        append(&*feed.journal, step);
        feed.turn(&live).unwrap();
        let condition = Arc::clone(&feed.condition);
        let told = move || {
            let state = condition.board().state();
            let standings: Vec<_> = state
                .each()
                .map(|(check, it)| (check.id.clone(), *it))
                .collect();
            (standings, (*state.said).clone(), condition.health())
        };
        let (health, known) = (feed.world.health().clone(), told());
        assert_eq!(known.2.unhealthy, down);
        feed.load().unwrap();
        assert!(*feed.world.health() == health);
        assert_eq!(told(), known);
    }
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
