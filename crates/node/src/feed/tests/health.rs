//! Answers by health checks, switches, resources and the rights of accounts.

use super::*;

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
