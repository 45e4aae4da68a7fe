//! Explanations against the oracle: the same answer as the one that is sent, from health that is
//! only supposed, and nothing about any set on the way that is not so.

use meridian_answer::{
    Candidate, CandidateOutcome, CheckState, ChoiceMode, Explanation, Fate, Health, LatencySource,
    Moment, Parameter, Step, ViewId, explain,
};
use meridian_model::{FailoverRole, GeoproximityPlace, RecordSet, Routing};

use crate::case::{Ask, Case, Client};
use crate::compare::Server;
use crate::generate;
use crate::model::Oracle;
use crate::rng::Rng;
use crate::served::Served;
use crate::wire::read;
use crate::world::KEY;
use crate::{earth, extent};

#[test]
fn explanations_are_true() {
    let mut steps = 0;
    for seed in extent(50) {
        let mut rng = Rng::new(seed.rotate_left(32));
        let mut case = generate::case(seed, None);
        let mut served = Served::new(&case);
        for _ in 0..3 {
            case.checks = generate::health(&mut rng);
            served.turn(&case);
            let oracle = Oracle::new(&case, None);
            for ask in generate::asks(&case, &mut rng, 8) {
                steps += compare((&mut served, &oracle), &case, &ask, rng.next());
            }
        }
    }
    println!("{steps} steps");
    assert!(steps > 1000);
}

/// Compares one explanation with the reply and with the oracle; says how many steps it had.
fn compare(
    (served, oracle): (&mut Served, &Oracle<'_>),
    case: &Case,
    ask: &Ask,
    seed: u64,
) -> usize {
    let told = told(served, case, ask, seed);
    let reply = served.replies(ask, 1, seed).pop().unwrap();
    let shown = || format!("seed {seed}\n{case:?}\n{ask:?}\n{told:#?}");
    assert_eq!(read(ask, &told.reply), reply, "{}", shown());
    assert_eq!(told.rcode, reply.rcode, "{}", shown());
    assert_eq!(told.scope, reply.scope.unwrap_or(0), "{}", shown());
    for step in &told.steps {
        if let Some(wrong) = wrong(oracle, ask, step) {
            panic!("{wrong}: {step:#?}\n{}", shown());
        }
    }
    told.steps.len()
}

/// The explanation from a World in which all checks are up, with what the case says supposed.
pub(crate) fn told(served: &Served, case: &Case, ask: &Ask, seed: u64) -> Explanation {
    let world = served.world.clone().with_health(Health::all_up(KEY));
    let state = |healthy| {
        if healthy {
            CheckState::Up
        } else {
            CheckState::Down
        }
    };
    let health = case
        .checks
        .iter()
        .map(|(id, healthy)| (id.as_str(), state(*healthy)));
    let health: Vec<(&str, CheckState)> = health.collect();
    let ask = meridian_answer::Ask {
        name: &ask.name,
        qtype: ask.rtype.code(),
        view: ViewId(0),
        source: ask.source,
        subnet: ask.subnet.map(|subnet| (subnet.address(), subnet.len)),
        at: None,
        health: &health,
        moment: Moment { now_s: 0, seed },
    };
    explain(&world, &ask)
}

/// What is not true of a step.
fn wrong(oracle: &Oracle<'_>, ask: &Ask, step: &Step) -> Option<&'static str> {
    let zone = oracle
        .case
        .zones
        .iter()
        .find(|zone| zone.id == step.zone.id);
    let sets = zone.into_iter().flat_map(|zone| &zone.sets);
    let sets = sets.filter(|set| set.key.name == step.name && set.key.rtype == step.rtype);
    let sets: Vec<&RecordSet> = sets.collect();
    let is_up = |candidate: &Candidate| candidate.health == CheckState::Up;
    let last_resort = !step.candidates.iter().any(is_up);
    let (mut chosen, mut only_down) = (0, false);
    for candidate in &step.candidates {
        let mut of = sets
            .iter()
            .filter(|set| set.key.set_identifier == candidate.identifier);
        let (Some(set), None) = (of.next(), of.next()) else {
            return Some("a candidate that is no set, or two");
        };
        if oracle.is_healthy(set) != is_up(candidate) {
            return Some("the health of a candidate");
        }
        let is_chosen = candidate.outcome == CandidateOutcome::Chosen;
        let is_out = candidate.outcome == CandidateOutcome::Unhealthy;
        // Where only some sets fit a client, these are the last resort by themselves.
        let fits = is_chosen || candidate.outcome == CandidateOutcome::Passed(Fate::LessSpecific);
        let may_be_out = !is_up(candidate) && !last_resort;
        let is_kept = step.mode == ChoiceMode::LastResortForClient && fits;
        if is_out != (may_be_out && !is_kept) {
            return Some("who was left out as unhealthy");
        }
        only_down |= is_chosen && may_be_out;
        chosen += usize::from(is_chosen);
        if !says(set, &candidate.parameter) {
            return Some("what a candidate says to its policy");
        }
        if !is_as_far(oracle, ask, set, candidate) {
            return Some("a distance");
        }
    }
    let mode = match (last_resort, only_down) {
        (true, _) => ChoiceMode::LastResort,
        (false, true) => ChoiceMode::LastResortForClient,
        (false, false) => ChoiceMode::Healthy,
    };
    let checks = [
        (
            step.candidates.len() == sets.len(),
            "the number of candidates",
        ),
        (step.mode == mode, "the mode"),
        (
            sets.iter().all(|set| set.routing.kind() == step.policy),
            "the policy",
        ),
        (chosen <= 8, "how many were chosen"),
    ];
    checks
        .iter()
        .find(|(right, _)| !right)
        .map(|(_, wrong)| *wrong)
}

fn says(set: &RecordSet, parameter: &Parameter) -> bool {
    match (&set.routing, parameter) {
        (Routing::Simple | Routing::Multivalue, Parameter::None) => true,
        (Routing::Weighted(weight), Parameter::Weight(told)) => weight == told,
        (Routing::Failover(role), Parameter::Role(told)) => {
            (*role == FailoverRole::Primary) == (*told == FailoverRole::Primary)
        }
        (Routing::Latency(region), Parameter::Region(told)) => region.as_str() == told,
        (Routing::Geolocation(place), Parameter::Place(told)) => {
            let parts = [&place.continent, &place.country, &place.subdivision];
            let parts: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
            parts.join("-") == *told
        }
        (Routing::Cidr { location, .. }, Parameter::Location(told)) => location == told,
        (Routing::Geoproximity(at), Parameter::Near(_, bias)) => at.bias.unwrap_or(0) == *bias,
        _ => false,
    }
}

/// Whether the distances are right where there are any.
fn is_as_far(oracle: &Oracle<'_>, ask: &Ask, set: &RecordSet, candidate: &Candidate) -> bool {
    let (place, bias) = match &set.routing {
        Routing::Latency(region) => (earth::region(region.as_str()), 0),
        Routing::Geoproximity(at) => {
            let point = match &at.place {
                GeoproximityPlace::Region(name) | GeoproximityPlace::LocalZoneGroup(name) => {
                    earth::region(name)
                }
                GeoproximityPlace::Coordinates(at) => {
                    Some((at.latitude.parse().unwrap(), at.longitude.parse().unwrap()))
                }
            };
            (point, at.bias.unwrap_or(0))
        }
        _ => return candidate.distance_km.is_none() && candidate.biased_km.is_none(),
    };
    let from = match oracle.case.vpc {
        Some((_, region)) if oracle.is_private(ask) => earth::region(region),
        _ => oracle.place_of(&ask.client()).point,
    };
    let distance = from.zip(place).map(|(from, to)| earth::distance(from, to));
    let client = Client {
        network: ask.client(),
        region: oracle
            .case
            .vpc
            .filter(|_| oracle.is_private(ask))
            .map(|(_, region)| region),
    };
    if let (Routing::Latency(region), Some(told)) = (&set.routing, candidate.latency) {
        let right = oracle.ms(&client, region.as_str());
        let is_of_map = matches!(told.source, LatencySource::Map(_));
        let measured = oracle.latencies_of(&client.network);
        let measured = measured.filter(|_| client.region.is_none());
        let has = measured.is_some_and(|all| all.contains_key(region.as_str()));
        if has != is_of_map || right.is_none_or(|right| (told.ms - right).abs() > 1e-3) {
            return false;
        }
    }
    let factor = match f64::from(bias) {
        bias if bias >= 0.0 => 1.0 - bias / 100.0,
        bias => 1.0 / (1.0 + bias / 100.0),
    };
    let near = |told: Option<f64>, right: Option<f64>| match (told, right) {
        (Some(told), Some(right)) => (told - right).abs() <= 0.01 + 1e-5 * right,
        // What is left out is not measured.
        (told, _) => told.is_none(),
    };
    near(candidate.distance_km, distance)
        && near(
            candidate.biased_km,
            distance.map(|distance| distance * factor),
        )
}
