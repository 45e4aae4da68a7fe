//! Writing down what is told on the way to an answer.

use std::net::IpAddr;
use std::sync::Arc;

use meridian_atlas::{Latencies, Network};
use meridian_dns::{Name, RecordType};
use meridian_model::{ProbeRights, RoutingKind};

use super::{
    AliasSeen, Candidate, ChoiceMode, ExternalHeld, ExternalSeen, LatencySeen, Link, Outcome,
    Parameter, Placement, ReachedBy, Step, ZoneSeen,
};
use crate::external::entry::{Entry, Held};
use crate::health::{CheckState, Key};
use crate::image::name_of;
use crate::lookup::Place;
use crate::route::candidates::{Candidates, Mode};
use crate::route::group::{External, Group, Member, Names, Part, Target};
use crate::route::trace::{Fate, Finding, Lost, Trace};
use crate::route::{failover, geoproximity, weighted};
use crate::{World, ZoneImage};

/// Keeps every step.
#[derive(Debug)]
pub(super) struct Recorder<'w> {
    world: &'w World,
    now_s: u64,
    pub(super) links: Vec<Link>,
    pub(super) steps: Vec<Step>,
    /// What leads to the next step.
    next: ReachedBy,
}

impl<'w> Recorder<'w> {
    pub(super) fn new(world: &'w World, now_s: u64) -> Self {
        Self {
            world,
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
        state(!self.world.health().down().has(check))
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
            alias: self.alias(zone, candidates, member),
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

    fn alias(
        &self,
        zone: &ZoneImage,
        candidates: &Candidates<'_>,
        member: &Member<'_>,
    ) -> Option<AliasSeen> {
        let (zone, name, external) = match candidates.group().part(member)? {
            Part::Records(_) => return None,
            Part::Alias(Target::Here { labels, .. }) => (None, name_of(zone, labels), None),
            Part::Alias(Target::Elsewhere { zone, name }) => {
                (Some(zone.to_owned()), Name::from_wire(name).ok()?, None)
            }
            Part::External(external) => {
                let name = Name::from_wire(external.name).ok()?;
                let seen = self.external(zone, (candidates.group().rtype, &external));
                (Some(external.zone.to_owned()), name, Some(seen))
            }
        };
        let evaluated = member.target.filter(|_| member.evaluates());
        Some(AliasSeen {
            zone,
            name,
            evaluated: evaluated.map(|key| state(candidates.is_key_up(key))),
            external,
        })
    }

    fn external(
        &self,
        zone: &ZoneImage,
        (rtype, external): (RecordType, &External<'_>),
    ) -> ExternalSeen {
        let entry = self.world.known_targets().entry(external);
        let facts = entry.map(|entry| entry.facts.clone()).unwrap_or_default();
        let check = self.world.resources.check(zone, external.name);
        let check = check.map(|id| {
            let key = Key::of_check(self.world.key(), id);
            (id.to_string(), self.state_of(key))
        });
        let owned = |text: Option<Arc<str>>| text.map(|text| text.to_string());
        ExternalSeen {
            state: entry.map_or(ExternalHeld::Unknown, |entry| {
                held(entry, rtype, self.world.egress_of(zone))
            }),
            age_s: facts.resolved_at_s.map(|at| self.now_s.saturating_sub(at)),
            source: owned(facts.source),
            last_error: owned(facts.last_error),
            resource_check: check,
        }
    }
}

impl Trace for Recorder<'_> {
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

    fn left(&mut self, bits: u8) {
        if let Some(step) = self.steps.last_mut() {
            step.scope = step.scope.max(bits);
        }
    }

    fn lost(&mut self, why: Lost) {
        if let Some(step) = self.steps.last_mut() {
            step.lost = Some(why);
        }
    }
}

/// What a host name elsewhere has for zones of accounts with these rights.
fn held(entry: &Entry, rtype: RecordType, rights: ProbeRights) -> ExternalHeld {
    let counts = |rights| entry.held(rights).counts(rtype).unwrap_or_default();
    match entry.held(rights) {
        Held::Records(..) => {
            let (records, ttl_s, subnets) = counts(rights);
            let (whole, ..) = counts(ProbeRights::Everything);
            ExternalHeld::Answers {
                records,
                ttl_s,
                subnets,
                withheld: whole.saturating_sub(records),
            }
        }
        Held::Nothing => ExternalHeld::Nothing,
        Held::NoSuchName => ExternalHeld::NoSuchName,
        Held::Unknown => ExternalHeld::Unknown,
        Held::Withheld => ExternalHeld::Withheld(entry.needs()),
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
