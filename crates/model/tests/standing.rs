//! What the outcome of each health check is: the documented states one by one, and random checks
//! against a rule that is said another way.
#![expect(
    clippy::unwrap_used,
    reason = "a test may stop at what must not happen"
)]

use std::collections::HashMap;
use std::sync::Arc;

use meridian_model::{
    AccountId, BreakGlass, ControlState, Endpoint, Health, HealthCheck, HealthCheckConfig,
    HealthCheckId, HealthSlot, HealthSubject, HealthSwitch, Protocol, Reason, RoutingControl,
    Standing, Standings, Timestamp, WithoutData,
};
use proptest::prelude::*;
use proptest::sample::select;

use Health::{Healthy, Unhealthy};

const NOW: Timestamp = Timestamp(1_000_000);

fn id(number: usize) -> HealthCheckId {
    HealthCheckId::new(&number.to_string()).unwrap()
}

fn slot(number: usize) -> HealthSlot {
    HealthSlot {
        slot: u32::try_from(number).unwrap(),
        incarnation: 7,
    }
}

/// A check whose id and place are this number.
fn check(number: usize, subject: HealthSubject) -> HealthCheck {
    let config = HealthCheckConfig {
        inverted: false,
        disabled: false,
        subject,
    };
    HealthCheck {
        id: id(number),
        account: AccountId::new("111111111111").unwrap(),
        caller_reference: String::new(),
        version: 1,
        created_with: config.clone(),
        config,
        slot: slot(number),
    }
}

fn endpoint() -> HealthSubject {
    HealthSubject::Endpoint(Endpoint {
        protocol: Protocol::Tcp,
        ip_address: Some([192, 0, 2, 1].into()),
        domain_name: None,
        port: 25,
        path: None,
        search_string: None,
        request_interval_s: 30,
        failure_threshold: 3,
        measure_latency: false,
        enable_sni: false,
        regions: Vec::new(),
    })
}

fn metric(without_data: WithoutData) -> HealthSubject {
    HealthSubject::Metric {
        region: "eu-west-1".to_owned(),
        name: "alarm".to_owned(),
        without_data,
    }
}

fn calculated(threshold: u16, children: &[usize]) -> HealthSubject {
    HealthSubject::Calculated {
        threshold,
        children: children.iter().copied().map(id).collect(),
    }
}

fn switch(number: usize, health: Health) -> HealthSwitch {
    HealthSwitch {
        check: id(number),
        health,
        reason: String::new(),
        principal: String::new(),
        at: Timestamp(0),
    }
}

fn document(number: usize, health: Option<Health>, version: u64, left_ms: i64) -> BreakGlass {
    BreakGlass {
        check: id(number),
        health,
        reason: String::new(),
        expires_at: Timestamp(NOW.0 + left_ms),
        version,
    }
}

/// What is known of checks beside themselves.
#[derive(Debug, Clone, Default)]
struct Known {
    switches: Vec<HealthSwitch>,
    break_glass: Vec<BreakGlass>,
    controls: Vec<RoutingControl>,
    votes: HashMap<HealthSlot, Health>,
}

impl Known {
    fn votes(votes: &[(usize, Health)]) -> Self {
        let votes = votes
            .iter()
            .map(|(number, health)| (slot(*number), *health));
        Self {
            votes: votes.collect(),
            ..Self::default()
        }
    }

    fn of(&self, checks: &[HealthCheck]) -> Vec<Standing> {
        let mut standings = Standings::default();
        for check in checks {
            standings.put(Arc::new(check.clone()));
        }
        self.lead(&mut standings, &Self::default());
        standings.settle(|slot| self.votes.get(&slot).copied());
        let places = checks.iter().map(|check| check.slot.slot);
        places
            .map(|slot| standings.standing(slot).unwrap())
            .collect()
    }

    /// Says what is known now and was not before.
    fn lead(&self, standings: &mut Standings, before: &Self) {
        let said = |known: &Self, number: usize| {
            let switches = known.switches.iter();
            let mut of_it = switches.filter(|switch| switch.check == id(number));
            of_it.next().map(|switch| switch.health)
        };
        for number in 0..CHECKS {
            if said(self, number) != said(before, number) {
                standings.switch(&id(number), said(self, number));
            }
            let slot = slot(number);
            if self.votes.get(&slot) != before.votes.get(&slot) {
                standings.observe(slot.slot);
            }
        }
        standings.hand_over(&self.break_glass, NOW);
        for control in &self.controls {
            standings.turn(control);
        }
    }

    fn last(&self, checks: &[HealthCheck]) -> (Health, Reason) {
        let last = *self.of(checks).last().unwrap();
        (last.health, last.reason)
    }
}

#[test]
fn one_check_by_itself() {
    use Reason::{Disabled, Observed, Unobserved, UnturnedControl, WithoutData as NoData};
    let none = || metric(WithoutData::Unhealthy);
    let known = || metric(WithoutData::LastKnown);
    let arn = || HealthSubject::RoutingControl("arn".to_owned());
    // With `i` the check is inverted, with `d` disabled.
    for (subject, flags, vote, health, reason) in [
        (endpoint(), "", None, Healthy, Unobserved),
        (endpoint(), "i", None, Unhealthy, Unobserved),
        (endpoint(), "d", None, Healthy, Disabled),
        (endpoint(), "id", None, Unhealthy, Disabled),
        (endpoint(), "d", Some(Unhealthy), Healthy, Disabled),
        (endpoint(), "", Some(Healthy), Healthy, Observed),
        (endpoint(), "", Some(Unhealthy), Unhealthy, Observed),
        (endpoint(), "i", Some(Healthy), Unhealthy, Observed),
        (endpoint(), "i", Some(Unhealthy), Healthy, Observed),
        (none(), "", None, Unhealthy, NoData),
        (none(), "i", None, Healthy, NoData),
        (none(), "d", None, Healthy, Disabled),
        (none(), "", Some(Healthy), Healthy, Observed),
        (known(), "", None, Healthy, NoData),
        (arn(), "", None, Unhealthy, UnturnedControl),
        (arn(), "i", None, Healthy, UnturnedControl),
        (arn(), "d", None, Healthy, Disabled),
        (arn(), "", Some(Healthy), Unhealthy, UnturnedControl),
    ] {
        let mut check = check(1, subject);
        check.config.inverted = flags.contains('i');
        check.config.disabled = flags.contains('d');
        let votes: Vec<_> = vote.map(|health| (1, health)).into_iter().collect();
        let outcomes = Known::votes(&votes).of(std::slice::from_ref(&check));
        let standing = Standing {
            slot: slot(1),
            health,
            reason,
            turned_round: check.config.inverted,
        };
        assert_eq!(outcomes, [standing], "{check:?} {vote:?}");
    }
}

#[test]
fn children_are_counted_against_the_threshold() {
    let checks = |threshold| {
        let leaves = (0..3).map(|number| check(number, endpoint()));
        let parent = check(3, calculated(threshold, &[0, 1, 2]));
        leaves.chain([parent]).collect::<Vec<_>>()
    };
    let one_down = Known::votes(&[(0, Unhealthy), (1, Healthy)]);
    for (threshold, health) in [(0, Healthy), (2, Healthy), (3, Unhealthy), (4, Unhealthy)] {
        let reason = Reason::Children {
            healthy: 2,
            threshold,
        };
        assert_eq!(one_down.last(&checks(threshold)), (health, reason));
    }
    let mut inverted = checks(3);
    inverted[3].config.inverted = true;
    assert_eq!(one_down.last(&inverted).0, Healthy);
    // Children count as they are in the end: inverted, disabled or switched.
    let mut turned = checks(3);
    turned[0].config.inverted = true;
    assert_eq!(one_down.last(&turned).0, Healthy);
    let mut disabled = checks(3);
    disabled[0].config.disabled = true;
    assert_eq!(one_down.last(&disabled).0, Healthy);
    let mut switched = one_down;
    switched.switches = vec![switch(0, Healthy)];
    assert_eq!(switched.last(&checks(3)).0, Healthy);
}

#[test]
fn parents_may_come_before_their_children_and_nest_deeply() {
    const DEPTH: usize = 100_000;
    let mut checks: Vec<_> = (1..DEPTH)
        .map(|number| check(number, calculated(1, &[number - 1])))
        .collect();
    checks.push(check(0, endpoint()));
    checks.reverse();
    let down = Known::votes(&[(0, Unhealthy)]);
    for _ in 0..2 {
        checks.reverse();
        let outcomes = down.of(&checks);
        assert_eq!(outcomes.len(), DEPTH);
        assert!(outcomes.iter().all(|outcome| outcome.health == Unhealthy));
    }
}

#[test]
fn children_that_are_gone_and_loops_count_as_healthy() {
    let lone = [check(1, calculated(1, &[9]))];
    assert_eq!(Known::default().last(&lone).0, Healthy);
    let round = [
        check(1, calculated(1, &[2])),
        check(2, calculated(1, &[1])),
        check(3, calculated(1, &[3])),
    ];
    let outcomes = Known::default().of(&round);
    assert!(outcomes.iter().all(|outcome| outcome.health == Healthy));
}

#[test]
fn break_glass_comes_before_switches_and_those_before_votes() {
    let one = [check(1, endpoint())];
    let mut known = Known::votes(&[(1, Unhealthy)]);
    assert_eq!(known.last(&one), (Unhealthy, Reason::Observed));
    known.switches = vec![switch(1, Healthy), switch(2, Unhealthy)];
    assert_eq!(known.last(&one), (Healthy, Reason::Switched));
    known.break_glass = vec![document(1, Some(Unhealthy), 1, 1)];
    assert_eq!(known.last(&one), (Unhealthy, Reason::BreakGlass));
    // The highest version counts, whatever its place.
    known.break_glass = vec![
        document(1, Some(Healthy), 2, 1),
        document(1, Some(Unhealthy), 1, 9),
        document(2, Some(Unhealthy), 3, 9),
    ];
    assert_eq!(known.last(&one), (Healthy, Reason::BreakGlass));
    // One that is over, and one that lets go: what they replaced does not come back.
    known.switches.clear();
    for last in [document(1, Some(Healthy), 9, 0), document(1, None, 9, 1)] {
        let mut known = known.clone();
        known.break_glass.push(last);
        assert_eq!(known.last(&one), (Unhealthy, Reason::Observed));
    }
}

#[test]
fn what_people_say_is_not_turned_round_and_wakes_the_disabled() {
    let mut one = check(1, endpoint());
    (one.config.inverted, one.config.disabled) = (true, true);
    let mut known = Known::default();
    for health in [Healthy, Unhealthy] {
        known.switches = vec![switch(1, health)];
        let outcomes = known.of(std::slice::from_ref(&one));
        assert_eq!(outcomes[0].health, health);
        assert!(!outcomes[0].turned_round);
    }
}

/// The rule once more, one check at a time.
fn oracle(checks: &[HealthCheck], known: &Known, number: usize) -> Health {
    let Some(check) = checks.iter().find(|check| check.id == id(number)) else {
        return Healthy;
    };
    let documents = known.break_glass.iter();
    let newest = documents
        .filter(|document| document.check == check.id)
        .max_by_key(|document| document.version);
    if let Some(document) = newest
        && document.expires_at > NOW
        && let Some(health) = document.health
    {
        return health;
    }
    if let Some(switch) = known
        .switches
        .iter()
        .find(|switch| switch.check == check.id)
    {
        return switch.health;
    }
    let vote = known.votes.get(&check.slot);
    let health = match (&check.config.subject, vote) {
        _ if check.config.disabled => Healthy,
        (
            HealthSubject::Calculated {
                threshold,
                children,
            },
            _,
        ) => {
            let children = children.iter().map(|child| child.as_str().parse().unwrap());
            let up = children.filter(|child| oracle(checks, known, *child) == Healthy);
            if up.count() >= usize::from(*threshold) {
                Healthy
            } else {
                Unhealthy
            }
        }
        (_, Some(vote)) => *vote,
        (
            HealthSubject::Metric {
                without_data: WithoutData::Unhealthy,
                ..
            },
            None,
        ) => Unhealthy,
        _ => Healthy,
    };
    if check.config.inverted {
        health.turned_round()
    } else {
        health
    }
}

const CHECKS: usize = 8;

fn health() -> impl Strategy<Value = Health> + Clone {
    select(vec![Healthy, Unhealthy])
}

/// A check that may be calculated from those of lower numbers, and from ones that are gone.
fn any_check(number: usize) -> impl Strategy<Value = HealthCheck> {
    let mut others: Vec<usize> = (0..number).collect();
    others.push(CHECKS + number);
    let most = others.len().min(4);
    let children = proptest::sample::subsequence(others, 0..=most);
    let subject = prop_oneof![
        Just(endpoint()),
        select(WithoutData::ALL.to_vec()).prop_map(metric),
        (0..4u16, children).prop_map(|(threshold, children)| calculated(threshold, &children)),
    ];
    let flags = (prop::bool::weighted(0.3), prop::bool::weighted(0.2));
    (subject, flags).prop_map(move |(subject, (inverted, disabled))| {
        let mut check = check(number, subject);
        (check.config.inverted, check.config.disabled) = (inverted, disabled);
        check
    })
}

fn known() -> impl Strategy<Value = Known> {
    let number = 0..CHECKS;
    let vote = prop::collection::hash_map(number.clone(), health(), 0..CHECKS);
    let switches = prop::collection::hash_map(number.clone(), health(), 0..3);
    let documents = prop::collection::vec((number, prop::option::of(health()), -1..2i64), 0..4);
    (vote, switches, documents).prop_map(|(votes, switches, documents)| Known {
        controls: Vec::new(),
        votes: votes
            .into_iter()
            .map(|(number, health)| (slot(number), health))
            .collect(),
        switches: switches
            .into_iter()
            .map(|(number, health)| switch(number, health))
            .collect(),
        break_glass: documents
            .into_iter()
            .zip(1..)
            .map(|((number, health, left), version)| document(number, health, version, left))
            .collect(),
    })
}

proptest! {
    #[test]
    fn every_outcome_is_what_the_rule_says_in_whatever_order(
        checks in (0..CHECKS).map(any_check).collect::<Vec<_>>().prop_shuffle(), known in known(),
    ) {
        let outcomes = known.of(&checks);
        prop_assert_eq!(outcomes.len(), checks.len());
        for (check, outcome) in checks.iter().zip(outcomes) {
            prop_assert_eq!(outcome.slot, check.slot);
            let expected = oracle(&checks, &known, usize::try_from(check.slot.slot).unwrap());
            prop_assert_eq!(outcome.health, expected, "{:?}", check);
        }
    }
}

proptest! {
    /// Step by step, with only what has changed being said.
    #[test]
    fn it_is_the_same_however_it_came_about(
        steps in prop::collection::vec(
            ((0..CHECKS).map(any_check).collect::<Vec<_>>(), 0..256_u32, known()), 1..6,
        ),
    ) {
        let mut standings = Standings::default();
        let mut before = (Vec::new(), Known::default(), HashMap::new());
        for (checks, there, known) in steps {
            let there = |check: &HealthCheck| there >> check.slot.slot & 1 == 1;
            let checks: Vec<HealthCheck> = checks.into_iter().filter(there).collect();
            for gone in before.0.iter().filter(|check| !checks.contains(check)) {
                standings.remove(&HealthCheck::clone(gone).id);
            }
            for new in checks.iter().filter(|check| !before.0.contains(check)) {
                standings.put(Arc::new(new.clone()));
            }
            known.lead(&mut standings, &before.1);
            let concerned = standings.settle(|slot| known.votes.get(&slot).copied());
            let expected: HashMap<u32, Standing> =
                known.of(&checks).into_iter().map(|it| (it.slot.slot, it)).collect();
            for number in 0..CHECKS {
                let slot = u32::try_from(number).unwrap();
                let standing = standings.standing(slot);
                prop_assert_eq!(standing, expected.get(&slot).copied(), "{}", number);
                // Who is not told of it would keep the outcome from before.
                let differs = standing != before.2.get(&slot).copied();
                prop_assert!(!differs || concerned.contains(&slot), "{}", number);
            }
            before = (checks, known, expected);
        }
    }
}

#[test]
fn only_what_is_concerned_is_decided_again() {
    let checks = [
        check(0, endpoint()),
        check(1, endpoint()),
        check(2, calculated(1, &[1])),
        check(3, calculated(1, &[2])),
        check(4, endpoint()),
    ];
    let mut standings = Standings::default();
    for check in checks {
        standings.put(Arc::new(check));
    }
    assert_eq!(standings.settle(|_| None), [0, 1, 2, 3, 4]);
    assert_eq!(standings.settle(|_| Some(Unhealthy)), [0; 0]);
    standings.observe(1);
    assert_eq!(standings.settle(|_| Some(Unhealthy)), [1, 2, 3]);
    standings.remove(&id(1));
    assert_eq!(standings.settle(|_| None), [1, 2, 3]);
    assert_eq!(standings.standing(3).map(|it| it.health), Some(Healthy));
}

#[test]
fn routing_controls_are_as_they_were_turned_last() {
    let checks = ["arn:1", "arn:2", "arn:3"];
    let checks: Vec<HealthCheck> = (0..)
        .zip(checks)
        .map(|(number, arn)| check(number, HealthSubject::RoutingControl(arn.to_owned())))
        .collect();
    let control = |arn: &str, state| RoutingControl {
        arn: arn.to_owned(),
        state,
        principal: String::new(),
        at: NOW,
    };
    let mut known = Known {
        controls: vec![
            control("arn:1", ControlState::On),
            control("arn:2", ControlState::Off),
        ],
        ..Known::default()
    };
    let told = |known: &Known| -> Vec<_> {
        let standings = known.of(&checks).into_iter();
        standings.map(|it| (it.health, it.reason)).collect()
    };
    assert_eq!(
        told(&known),
        [
            (Healthy, Reason::RoutingControl),
            (Unhealthy, Reason::RoutingControl),
            (Unhealthy, Reason::UnturnedControl),
        ]
    );
    // A switch says more.
    known.switches.push(switch(1, Healthy));
    assert_eq!(told(&known)[1], (Healthy, Reason::Switched));
}
