//! Health checks: what may be made, changed and deleted, and what places they take.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

#[path = "../memory/mod.rs"]
mod memory;
mod rights;
mod updates;

use memory::{Memory, facts};
use meridian_model::{
    Account, AccountId, AlarmDraft, CheckerRegion, Effect, Health, HealthCheck, HealthCheckDraft,
    HealthCheckId, HealthCheckRefusal, HealthCheckSettings, HealthCheckType as Type,
    HealthCheckUpdate, HealthSlot, HealthSubject, HealthSwitch, HealthSwitchRefusal,
    NewHealthCheck, PlanError, PlannedHealthCheck, ProbeRights, Quota, ResetElement, State, Tag,
    TagSet, TaggedKind, TaggedResource, Timestamp, WithoutData, plan_create_health_check,
    plan_delete_health_check, plan_release_health_check, plan_set_health_check_interval,
    plan_switch_health_check, plan_update_health_check,
};

fn own() -> AccountId {
    memory::account("111111111111", false).id
}

fn draft(check_type: Type, settings: HealthCheckSettings) -> HealthCheckDraft {
    HealthCheckDraft {
        check_type,
        settings,
    }
}

fn http(settings: HealthCheckSettings) -> HealthCheckDraft {
    let domain_name = Some("www.example.test".to_owned());
    let settings = HealthCheckSettings {
        domain_name,
        ..settings
    };
    draft(Type::Http, settings)
}

fn calculated(threshold: u16, children: &[&HealthCheck]) -> HealthCheckDraft {
    let children = children.iter().map(|child| child.id.to_string()).collect();
    let settings = HealthCheckSettings {
        health_threshold: Some(threshold),
        children: Some(children),
        ..HealthCheckSettings::default()
    };
    draft(Type::Calculated, settings)
}

struct World {
    memory: Memory,
    seed: u8,
}

impl World {
    fn new() -> Self {
        let memory = Memory::with_pool(0);
        let mut world = Self { memory, seed: 0 };
        has_rights(&mut world, ProbeRights::Everything);
        world
    }

    fn plan(
        &mut self,
        reference: &str,
        config: HealthCheckDraft,
    ) -> Result<PlannedHealthCheck, HealthCheckRefusal> {
        self.seed += 1;
        let new = NewHealthCheck {
            caller_reference: reference.to_owned(),
            config,
        };
        refusal(plan_create_health_check(
            &self.memory,
            &mut facts(self.seed),
            &own(),
            new,
        ))
    }

    fn create(&mut self, reference: &str, config: HealthCheckDraft) -> HealthCheck {
        let planned = self.plan(reference, config).unwrap();
        self.memory.apply(planned.effects);
        planned.check
    }

    fn update(
        &mut self,
        check: &HealthCheck,
        update: HealthCheckUpdate,
    ) -> Result<HealthCheck, HealthCheckRefusal> {
        let planned = refusal(plan_update_health_check(&self.memory, check, update))?;
        self.memory.apply(planned.effects);
        Ok(planned.check)
    }

    fn delete(&mut self, check: &HealthCheck) -> Result<Vec<Effect>, HealthCheckRefusal> {
        let effects = refusal(plan_delete_health_check(&self.memory, check))?;
        self.memory.apply(effects.clone());
        Ok(effects)
    }
}

fn has_rights(world: &mut World, probes: ProbeRights) {
    let account = Account {
        probes,
        ..memory::account("111111111111", false)
    };
    world.memory.apply(vec![Effect::PutAccount(account)]);
}

fn refusal<T, E: std::fmt::Debug>(
    planned: Result<T, PlanError<HealthCheckRefusal, E>>,
) -> Result<T, HealthCheckRefusal> {
    planned.map_err(|error| match error {
        PlanError::Refused(refusal) => refusal,
        PlanError::State(error) => panic!("{error:?}"),
    })
}

#[test]
fn absent_settings_have_route_53s_defaults() {
    let HealthSubject::Endpoint(http) = http(HealthCheckSettings::default())
        .into_config()
        .unwrap()
        .subject
    else {
        panic!("an endpoint")
    };
    assert_eq!((http.port, http.request_interval_s), (80, 30));
    assert_eq!((http.failure_threshold, http.measure_latency), (3, false));
    assert!(!http.enable_sni && http.regions.is_empty());
    let https = draft(
        Type::Https,
        HealthCheckSettings {
            ip_address: Some("2001:db8:0::1".to_owned()),
            ..HealthCheckSettings::default()
        },
    );
    let HealthSubject::Endpoint(https) = https.into_config().unwrap().subject else {
        panic!("an endpoint")
    };
    assert_eq!((https.port, https.enable_sni), (443, true));
}

/// Settings as an edit makes them.
fn with(edit: impl Fn(&mut HealthCheckSettings)) -> HealthCheckSettings {
    let mut settings = HealthCheckSettings::default();
    edit(&mut settings);
    settings
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn alarm() -> Option<AlarmDraft> {
    let (region, name) = ("eu-west-1".to_owned(), "a".to_owned());
    Some(AlarmDraft { region, name })
}

fn regions(names: &[&str]) -> Option<Vec<CheckerRegion>> {
    names.iter().map(|name| CheckerRegion::new(name)).collect()
}

#[test]
fn every_type_comes_back_as_the_draft_it_was_made_of() {
    let ip = |edit: fn(&mut HealthCheckSettings)| {
        with(|s| {
            s.ip_address = some("192.0.2.1");
            edit(s);
        })
    };
    for (check_type, settings) in [
        (Type::Http, ip(|_| {})),
        (Type::Https, ip(|_| {})),
        (Type::HttpStrMatch, ip(|s| s.search_string = some("up"))),
        (Type::HttpsStrMatch, ip(|s| s.search_string = some("up"))),
        (Type::Tcp, ip(|s| s.port = Some(25))),
        (
            Type::Calculated,
            with(|s| (s.health_threshold, s.children) = (Some(1), Some(vec!["1".to_owned()]))),
        ),
        (
            Type::CloudWatchMetric,
            with(|s| (s.alarm, s.without_data) = (alarm(), Some(WithoutData::Unhealthy))),
        ),
        (
            Type::RecoveryControl,
            with(|s| s.routing_control = some("arn:aws:x::1:controlpanel/a/routingcontrol/b")),
        ),
    ] {
        let config = draft(check_type, settings).into_config().unwrap();
        assert_eq!(config.check_type(), check_type);
        assert_eq!(HealthCheckDraft::of(&config).into_config(), Ok(config));
    }
}

fn refuses(check_type: Type, cases: &[(HealthCheckSettings, &str)]) {
    for (settings, text) in cases {
        let refused = draft(check_type, settings.clone()).into_config();
        let said = refused.expect_err(text);
        assert!(said.contains(text), "{check_type:?}: {said}");
    }
}

#[test]
fn what_no_endpoint_has_is_refused() {
    let host = |edit: &dyn Fn(&mut HealthCheckSettings)| {
        with(|s| {
            s.domain_name = some("a.test");
            edit(s);
        })
    };
    let ip = |text| with(|s| s.ip_address = some(text));
    let name = |text| with(|s| s.domain_name = some(text));
    let metric =
        "Invalid parameter : Basic health checks must not have an metric region specified.";
    let two = || regions(&["us-east-1", "us-west-1"]);
    let twice = || regions(&["us-east-1", "us-west-1", "us-east-1"]);
    refuses(
        Type::Http,
        &[
            (with(|_| {}), "must have an IP address or a fully"),
            (ip("1.2.3"), "1.2.3 is not valid"),
            (ip("0.0.0.0"), "not that of an endpoint"),
            (ip("ff02::1"), "not that of an endpoint"),
            (name("a b"), "a b is not valid"),
            (name("."), ". is not valid"),
            (host(&|s| s.resource_path = some("/a b")), "blanks"),
            (host(&|s| s.search_string = some("x")), "not string match"),
            (host(&|s| s.alarm = alarm()), metric),
            (host(&|s| s.request_interval_s = Some(20)), "10 or 30"),
            (host(&|s| s.failure_threshold = Some(11)), "1 to 10"),
            (host(&|s| s.port = Some(0)), "1 to 65535"),
            (host(&|s| s.regions = two()), "at least 3 regions"),
            (
                host(&|s| s.regions = twice()),
                "us-east-1 is specified twice",
            ),
        ],
    );
    refuses(Type::HttpStrMatch, &[(host(&|_| {}), "search string")]);
    let both = host(&|s| (s.ip_address, s.port) = (some("192.0.2.1"), Some(1)));
    let path = host(&|s| (s.resource_path, s.port) = (some("/"), Some(1)));
    let tcp = "TCP health checks that have IP address must not have a fully qualified domain name \
               specified.";
    refuses(
        Type::Tcp,
        &[
            (host(&|_| {}), "must have a port"),
            (both, tcp),
            (path, "TCP health checks must not have a resource path"),
        ],
    );
}

#[test]
fn what_no_other_check_has_is_refused() {
    let children = |count: usize| -> Option<Vec<String>> {
        Some((0..count).map(|number| number.to_string()).collect())
    };
    let twice = || Some(vec!["1".to_owned(), "1".to_owned()]);
    let one = |edit: &dyn Fn(&mut HealthCheckSettings)| {
        with(|s| {
            s.health_threshold = Some(1);
            edit(s);
        })
    };
    refuses(
        Type::Calculated,
        &[
            (with(|_| {}), "must have a health threshold"),
            (one(&|s| s.health_threshold = Some(257)), "0 to 256"),
            (
                one(&|s| s.port = Some(80)),
                "Calculated health checks must not have a port",
            ),
            (one(&|s| s.children = twice()), "1 is specified twice"),
            (one(&|s| s.children = children(257)), "more than 256 child"),
        ],
    );
    refuses(
        Type::CloudWatchMetric,
        &[
            (with(|_| {}), "must have an alarm identifier"),
            (
                with(|s| s.regions = Some(Vec::new())),
                "must not have regions",
            ),
        ],
    );
    refuses(
        Type::RecoveryControl,
        &[
            (with(|_| {}), "must have a routing control ARN"),
            (
                with(|s| s.routing_control = some("x")),
                "not that of a routing control",
            ),
        ],
    );
}

#[test]
fn the_same_request_gives_the_same_check_and_another_one_is_refused() {
    let mut world = World::new();
    let plain = || http(HealthCheckSettings::default());
    let first = world.create("r", plain());
    assert_eq!((first.version, first.id.as_str().len()), (1, 36));
    // The defaults, written out.
    let explicit = http(HealthCheckSettings {
        port: Some(80),
        inverted: Some(false),
        ..HealthCheckSettings::default()
    });
    let again = world.plan("r", explicit).unwrap();
    assert_eq!((again.check, again.effects), (first.clone(), vec![]));
    let other = http(HealthCheckSettings {
        port: Some(81),
        ..HealthCheckSettings::default()
    });
    assert_eq!(
        world.plan("r", other.clone()),
        Err(HealthCheckRefusal::AlreadyExists)
    );
    let update = HealthCheckUpdate {
        settings: HealthCheckSettings {
            port: Some(81),
            ..HealthCheckSettings::default()
        },
        ..HealthCheckUpdate::default()
    };
    let updated = world.update(&first, update).unwrap();
    assert_eq!(world.plan("r", plain()).unwrap().check, updated);
    assert_eq!(
        world.plan("r", other),
        Err(HealthCheckRefusal::AlreadyExists)
    );
    world.delete(&updated).unwrap();
    assert_eq!(
        world.plan("r", plain()),
        Err(HealthCheckRefusal::AlreadyExists)
    );
    assert_ne!(world.create("s", plain()).id, first.id);
}

#[test]
fn an_account_has_as_many_as_its_limit() {
    let mut world = World::new();
    world.memory.apply(vec![Effect::PutQuota {
        account: own(),
        quota: Quota::HealthChecksByOwner,
        limit: 1,
    }]);
    let plain = || http(HealthCheckSettings::default());
    let first = world.create("r", plain());
    assert_eq!(world.plan("s", plain()), Err(HealthCheckRefusal::TooMany));
    assert!(world.plan("r", plain()).is_ok(), "it is there");
    world.delete(&first).unwrap();
    assert!(world.plan("s", plain()).is_ok());
}

#[test]
fn as_many_are_made_within_a_day_as_may_be_whatever_becomes_of_them() {
    let mut world = World::new();
    world.memory.apply(vec![Effect::PutQuota {
        account: own(),
        quota: Quota::HealthCheckCreationsByDay,
        limit: 2,
    }]);
    let day_ms = 24 * 60 * 60 * 1000;
    let now_ms = facts(0).now.0;
    let plain = || http(HealthCheckSettings::default());
    for (reference, at_ms) in [
        ("old", now_ms - day_ms - 1),
        ("a", now_ms - day_ms),
        ("b", now_ms),
    ] {
        world.memory.now_ms = at_ms;
        let made = world.create(reference, plain());
        world.update(&made, HealthCheckUpdate::default()).unwrap();
        world.delete(&made).unwrap();
    }
    let refused = world.plan("c", plain());
    assert_eq!(refused, Err(HealthCheckRefusal::TooManyCreated));
}

#[test]
fn a_place_is_taken_again_as_another_incarnation() {
    let mut world = World::new();
    let plain = || http(HealthCheckSettings::default());
    let slot = |slot, incarnation| HealthSlot { slot, incarnation };
    let checks: Vec<_> = (0..3)
        .map(|n| world.create(&n.to_string(), plain()))
        .collect();
    let slots: Vec<_> = checks.iter().map(|check| check.slot).collect();
    assert_eq!(slots, [slot(0, 1), slot(1, 1), slot(2, 1)]);
    world.delete(&checks[1]).unwrap();
    world.delete(&checks[0]).unwrap();
    assert_eq!(world.create("a", plain()).slot, slot(0, 2));
    let second = world.create("b", plain());
    assert_eq!(second.slot, slot(1, 2));
    world.delete(&second).unwrap();
    assert_eq!(world.create("c", plain()).slot, slot(1, 3));
    assert_eq!(world.create("d", plain()).slot, slot(3, 1));
}

#[test]
fn children_are_own_checks_without_loops_and_cannot_go() {
    let mut world = World::new();
    let leaf = world.create("leaf", http(HealthCheckSettings::default()));
    let parent = world.create("parent", calculated(1, &[&leaf]));
    let top = world.create("top", calculated(1, &[&parent, &leaf]));
    assert_eq!(world.delete(&leaf), Err(HealthCheckRefusal::InUse));
    assert_eq!(world.delete(&parent), Err(HealthCheckRefusal::InUse));
    let children = |ids: &[&HealthCheckId]| HealthCheckUpdate {
        settings: HealthCheckSettings {
            children: Some(ids.iter().map(ToString::to_string).collect()),
            ..HealthCheckSettings::default()
        },
        ..HealthCheckUpdate::default()
    };
    for ids in [[&parent.id, &leaf.id], [&top.id, &leaf.id]] {
        match world.update(&parent, children(&ids)) {
            Err(HealthCheckRefusal::Invalid(said)) => {
                assert!(said.contains("cannot be calculated from itself"), "{said}");
            }
            other => panic!("{other:?}"),
        }
    }
    let foreign = HealthCheck {
        id: HealthCheckId::new("f").unwrap(),
        account: AccountId::new("222222222222").unwrap(),
        ..leaf.clone()
    };
    world
        .memory
        .apply(vec![Effect::PutHealthCheck(foreign.clone())]);
    for id in [foreign.id, HealthCheckId::new("0").unwrap()] {
        let said = format!("Invalid parameter : The child health check {id} does not exist.");
        assert_eq!(
            world.update(&parent, children(&[&id])),
            Err(HealthCheckRefusal::Invalid(said))
        );
    }
    let reset = HealthCheckUpdate {
        reset: vec![ResetElement::ChildHealthChecks],
        ..HealthCheckUpdate::default()
    };
    world.update(&top, reset).unwrap();
    world.delete(&parent).unwrap();
    world.delete(&leaf).unwrap();
}

#[test]
fn switches_are_of_checks_that_there_are_and_have_a_reason() {
    let mut world = World::new();
    let check = world.create("r", http(HealthCheckSettings::default()));
    let switch = |id: &HealthCheckId, reason: &str| HealthSwitch {
        check: id.clone(),
        health: Health::Unhealthy,
        reason: reason.to_owned(),
        principal: "p".to_owned(),
        at: Timestamp(0),
    };
    let nobody = HealthCheckId::new("0").unwrap();
    let plan = |world: &World, switch| plan_switch_health_check(&world.memory, switch);
    let long = "é".repeat(257);
    for reason in ["", " ", "a\nb", "\u{85}", &long] {
        let refused = plan(&world, switch(&check.id, reason));
        let reason = matches!(
            refused,
            Err(PlanError::Refused(HealthSwitchRefusal::Reason(_)))
        );
        assert!(reason, "{refused:?}");
    }
    let unknown = PlanError::Refused(HealthSwitchRefusal::Unknown(nobody.clone()));
    assert_eq!(plan(&world, switch(&nobody, "r")), Err(unknown.clone()));
    let release = |world: &World, id| plan_release_health_check(&world.memory, id);
    assert_eq!(release(&world, &nobody), Err(unknown));
    let not_switched = HealthSwitchRefusal::NotSwitched(check.id.clone());
    let not_switched = Err(PlanError::Refused(not_switched));
    assert_eq!(release(&world, &check.id), not_switched);
    // The later one is the check's.
    for reason in [&long[..512], "again"] {
        let switch = switch(&check.id, reason);
        world.memory.apply(plan(&world, switch.clone()).unwrap());
        assert_eq!(world.memory.health_switch(&check.id).unwrap(), Some(switch));
    }
    let effects = release(&world, &check.id).unwrap();
    world.memory.apply(effects);
    assert_eq!(release(&world, &check.id), not_switched);
}

#[test]
fn tags_and_switch_go_with_the_check() {
    let mut world = World::new();
    let check = world.create("r", http(HealthCheckSettings::default()));
    let resource = TaggedResource {
        kind: TaggedKind::HealthCheck,
        id: check.id.to_string(),
    };
    let tag = Tag {
        key: "a".to_owned(),
        value: String::new(),
    };
    world.memory.apply(vec![
        Effect::PutTags(TagSet {
            resource: resource.clone(),
            tags: vec![tag],
        }),
        Effect::PutHealthSwitch(HealthSwitch {
            check: check.id.clone(),
            health: Health::Unhealthy,
            reason: String::new(),
            principal: String::new(),
            at: Timestamp(0),
        }),
    ]);
    assert_eq!(world.delete(&check).unwrap().len(), 3);
    assert_eq!(world.memory.tags(&resource).unwrap(), []);
    assert_eq!(world.memory.health_switch(&check.id).unwrap(), None);
    assert_eq!(world.memory.health_check(&check.id).unwrap(), None);
}
