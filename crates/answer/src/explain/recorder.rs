//! Writing down what is told on the way to an answer.

use std::net::IpAddr;

use meridian_atlas::{Latencies, Network};
use meridian_dns::Name;
use meridian_model::RoutingKind;

use super::{
    AliasSeen, Candidate, ChoiceMode, LatencySeen, Link, Outcome, Parameter, Placement, ReachedBy,
    Step, ZoneSeen,
};
use crate::ZoneImage;
use crate::health::{CheckState, Health, Key};
use crate::image::name_of;
use crate::lookup::Place;
use crate::route::candidates::{Candidates, Mode};
use crate::route::group::{Group, Member, Names, Part, Target};
use crate::route::trace::{Fate, Finding, Lost, Trace};
use crate::route::{failover, geoproximity, weighted};

/// Keeps every step.
#[derive(Debug)]
pub(super) struct Recorder {
    health: Health,
    now_s: u64,
    pub(super) links: Vec<Link>,
    pub(super) steps: Vec<Step>,
    /// What leads to the next step.
    next: ReachedBy,
}

impl Recorder {
    pub(super) fn new(health: &Health, now_s: u64) -> Self {
        Self {
            health: health.clone(),
            now_s,
            links: Vec::new(),
            steps: Vec::new(),
            next: ReachedBy::Question,
        }
    }

    fn candidate(&mut self, place: usize) -> Option<&mut Candidate> {
        self.steps.last_mut()?.candidates.get_mut(place)
    }

    fn state_of(&self, check: Key) -> CheckState {
        state(!self.health.down().has(check))
    }

    fn seen(
        &self,
        zone: &ZoneImage,
        candidates: &Candidates<'_>,
        member: &Member<'_>,
    ) -> Candidate {
        let group = candidates.group();
        let names = group.names(member).unwrap_or_default();
        let check = member.check.map(|check| self.state_of(check));
        let up = candidates.is_up(member);
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Candidate {
            identifier: some(names.identifier),
            parameter: parameter(group, member, names),
            health_check: some(names.health_check).zip(check),
            alias: alias(zone, candidates, member),
            health: state(up),
            distance_km: None,
            biased_km: None,
            latency: None,
            outcome: match candidates.mode {
                Mode::Healthy if !up => Outcome::Unhealthy,
                // Until something is told of it.
                Mode::Healthy | Mode::LastResort => Outcome::Passed(Fate::NotMatched),
            },
        }
    }
}

impl Trace for Recorder {
    const ON: bool = true;

    fn cname(&mut self) {
        self.next = ReachedBy::Cname;
    }

    fn placed(&mut self, zone: &ZoneImage, name: &[u8], place: &Place<'_>) {
        self.links.push(Link {
            name: Name::from_wire(name).unwrap_or_else(|_| Name::root()),
            zone: ZoneSeen::of(zone),
            placement: match place {
                Place::Node(node) if node.has_sets() => Placement::Exact,
                Place::Node(_) => Placement::Empty,
                Place::Wildcard(node) => Placement::Wildcard(name_of(zone, node.labels)),
                Place::Cut(node, _) => Placement::Delegated(name_of(zone, node.labels)),
                Place::Nothing => Placement::Nothing,
            },
            steps: 0,
        });
    }

    fn group(&mut self, zone: &ZoneImage, labels: &[u8], candidates: &Candidates<'_>) {
        let group = candidates.group();
        let seen = candidates.all();
        let seen = seen.map(|(_, member)| self.seen(zone, candidates, &member));
        let seen = seen.collect();
        if let Some(link) = self.links.last_mut() {
            link.steps += 1;
        }
        self.steps.push(Step {
            reached_by: self.next,
            zone: ZoneSeen::of(zone),
            name: name_of(zone, labels),
            rtype: group.rtype,
            policy: group.policy,
            mode: match candidates.mode {
                Mode::Healthy => ChoiceMode::Healthy,
                Mode::LastResort => ChoiceMode::LastResort,
            },
            latency: None,
            candidates: seen,
            scope: 0,
            lost: None,
        });
        // Behind a choice only an alias leads on by itself.
        self.next = ReachedBy::Alias;
    }

    fn last_resort(&mut self) {
        if let Some(step) = self.steps.last_mut() {
            step.mode = ChoiceMode::LastResortForClient;
        }
    }

    fn fate(&mut self, place: usize, fate: impl FnOnce() -> Fate) {
        if let Some(candidate) = self.candidate(place) {
            candidate.outcome = Outcome::Passed(fate());
        }
    }

    fn latencies<'a>(&mut self, latencies: impl FnOnce() -> (IpAddr, Latencies<'a>)) {
        let (address, latencies) = latencies();
        let seen = latency_seen(address, &latencies, self.now_s);
        if let Some(step) = self.steps.last_mut() {
            step.latency = Some(seen);
        }
    }

    fn finding(&mut self, place: usize, finding: impl FnOnce() -> Finding) {
        if let Some(candidate) = self.candidate(place) {
            match finding() {
                Finding::DistanceKm(km) => candidate.distance_km = Some(km),
                Finding::BiasedKm(km) => candidate.biased_km = Some(km),
                Finding::Latency(found) => candidate.latency = Some(found),
            }
        }
    }

    fn chosen(&mut self, places: &[usize], bits: u8) {
        for place in places {
            if let Some(candidate) = self.candidate(*place) {
                candidate.outcome = Outcome::Chosen;
            }
        }
        if let Some(step) = self.steps.last_mut() {
            step.scope = bits;
        }
    }

    fn lost(&mut self, why: Lost) {
        if let Some(step) = self.steps.last_mut() {
            step.lost = Some(why);
        }
    }
}

fn latency_seen(address: IpAddr, latencies: &Latencies<'_>, now_s: u64) -> LatencySeen {
    let map = latencies.map();
    let since_h = now_s.saturating_sub(map.made_s()) / 3600;
    LatencySeen {
        network: Network::new(address, latencies.scope().record),
        country: latencies.country(),
        samples: latencies.samples(),
        confidence: latencies.confidence(),
        age_h: u64::from(latencies.age_h()) + since_h,
        build: map.build(),
        made_s: map.made_s(),
    }
}

fn state(up: bool) -> CheckState {
    if up { CheckState::Up } else { CheckState::Down }
}

fn parameter(group: &Group<'_>, member: &Member<'_>, names: Names<'_>) -> Parameter {
    let place = || names.place.to_owned();
    match group.policy {
        RoutingKind::Simple | RoutingKind::Multivalue => Parameter::None,
        RoutingKind::Weighted => Parameter::Weight(weighted::weight(member)),
        RoutingKind::Failover => Parameter::Role(failover::role(member)),
        RoutingKind::Latency => Parameter::Region(place()),
        RoutingKind::Geolocation => Parameter::Place(place()),
        RoutingKind::Geoproximity => Parameter::Near(place(), geoproximity::bias(member)),
        RoutingKind::Cidr => Parameter::Location(place()),
    }
}

fn alias(zone: &ZoneImage, candidates: &Candidates<'_>, member: &Member<'_>) -> Option<AliasSeen> {
    let Some(Part::Alias(target)) = candidates.group().part(member) else {
        return None;
    };
    let (zone, name) = match target {
        Target::Here { labels, .. } => (None, name_of(zone, labels)),
        Target::Elsewhere { zone, name } => (Some(zone.to_owned()), Name::from_wire(name).ok()?),
    };
    let evaluated = member.target.filter(|_| member.evaluates());
    Some(AliasSeen {
        zone,
        name,
        evaluated: evaluated.map(|key| state(candidates.is_key_up(key))),
    })
}
