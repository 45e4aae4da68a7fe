//! Zones that change, fail, are logged, are pointed elsewhere and move.

use super::*;

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
