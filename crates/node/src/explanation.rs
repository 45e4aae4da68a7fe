//! The data plane's own explanation of an answer, as JSON: for `meridian explain`, which operators
//! alone can ask, and for TestDNSAnswer, which every tenant can.

use domain::base::iana::Rtype;
use meridian_answer::{
    Candidate, CandidateOutcome, CheckState, ChoiceMode, ClientKnownBy, ClientSeen, Explanation,
    ExternalHeld, ExternalSeen, Fate, LatencySeen, LatencySource, Link, Lost, Parameter, Placement,
    ReachedBy, Record, Section, Step, Visibility, ZoneOutcome, ZoneSeen,
};
use meridian_atlas::Origin;
use meridian_dns::Name;
use meridian_model::{FailoverRole, RoutingKind};
use serde_json::{Map, Value, json};

use crate::answering::rcode;
use crate::checkers::{Board, State, reason};
use crate::supposition::Supposition;

/// What was asked, and what was supposed.
pub(crate) struct Question<'a> {
    pub(crate) name: &'a Name,
    /// By its number.
    pub(crate) qtype: u16,
    pub(crate) region: Option<&'a str>,
    /// Of health checks.
    pub(crate) supposition: &'a Supposition<'a>,
    pub(crate) reader: Reader,
}

/// Whom an explanation is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reader {
    /// Who may ask for answers in the zone: its account. How this machine comes by what it knows is
    /// none of its business, as the addresses of the resolvers that it asks.
    Owner,
    /// Who runs this server.
    Operator,
}

/// What is known of health checks, really and by what was supposed, and who is told.
#[derive(Clone, Copy)]
struct Known<'a> {
    board: &'a Board,
    state: &'a State,
    supposition: &'a Supposition<'a>,
    reader: Reader,
}

impl Known<'_> {
    /// Why a check says this. What is supposed has no reason, and what follows from it has one.
    fn why(&self, id: &str, said: CheckState) -> Option<String> {
        if self.supposition.is_said(id) {
            return None;
        }
        let Some((check, now)) = self.state.of(id) else {
            return (said == CheckState::Up).then(|| "there is no such check any more".to_owned());
        };
        let now = self.supposition.standing(id).unwrap_or(now);
        // It may have flipped since it was answered by.
        let is_so = now.health.is_healthy() == (said == CheckState::Up);
        is_so.then(|| reason(self.board, self.state, check, now))
    }
}

/// All of it that is the business of the reader.
pub(crate) fn shown(question: &Question<'_>, told: &Explanation, board: &Board) -> Value {
    json!({
        "name": question.name.to_string(),
        "type": rtype(question.qtype),
        "supposed": {
            "health": question.supposition.said().map(|(id, up)| {
                (id.to_owned(), if up { "up" } else { "down" }.into())
            }).collect::<Map<_, _>>(),
            "region": question.region,
        },
        "client": client(&told.client),
        "zone": told.zone.as_ref().map(zone),
        "links": links(told, question, board),
        "answer": answer(told),
    })
}

/// The zones that were considered, whoever's they are.
pub(crate) fn zones(told: &Explanation) -> Value {
    let zones = told.zones.iter().map(|considered| {
        let mut shown = zone(&considered.zone);
        let (outcome, why) = zone_outcome(considered.outcome);
        shown["outcome"] = outcome.into();
        shown["why"] = why.into();
        shown
    });
    zones.collect()
}

fn rtype(code: u16) -> String {
    Rtype::from_int(code).to_string()
}

fn client(client: &ClientSeen) -> Value {
    let place = &client.place;
    json!({
        "address": client.address.to_string(),
        "length": client.bits,
        "known_by": match &client.known_by {
            ClientKnownBy::Subnet => "client-subnet",
            ClientKnownBy::Source => "source",
            ClientKnownBy::Region(_) => "region",
        },
        "region": match &client.known_by {
            ClientKnownBy::Region(region) => Some(region),
            _ => None,
        },
        "continent": place.continent.map(|continent| continent.as_str()),
        "country": place.country.map(|country| country.as_str().to_owned()),
        "subdivision": place.subdivision.map(|subdivision| subdivision.as_str().to_owned()),
        "latitude": place.point.map(|point| point.latitude()),
        "longitude": place.point.map(|point| point.longitude()),
    })
}

fn zone(zone: &ZoneSeen) -> Value {
    json!({
        "id": zone.id.as_str(),
        "name": zone.apex.to_string(),
        "visibility": match zone.visibility {
            Visibility::Public => "public",
            Visibility::Private => "private",
        },
    })
}

fn zone_outcome(outcome: ZoneOutcome) -> (&'static str, &'static str) {
    match outcome {
        ZoneOutcome::Answers => ("answers", "the longest apex that is seen"),
        ZoneOutcome::NotInView => ("passed", "none of its name servers is at this address"),
        ZoneOutcome::NotInVpc => ("passed", "private, and who asks is in none of its VPCs"),
        ZoneOutcome::BehindPrivate => ("passed", "in a VPC its private zones come first"),
        ZoneOutcome::Shorter => ("passed", "another has a longer apex"),
        ZoneOutcome::Younger => ("passed", "another of this name is older"),
        ZoneOutcome::Parents => ("passed", "DS is answered by the zone above"),
        ZoneOutcome::NotAsked => ("passed", "no zone answers such a question"),
    }
}

fn links(told: &Explanation, question: &Question<'_>, board: &Board) -> Value {
    let known = Known {
        board,
        state: &board.state(),
        supposition: question.supposition,
        reader: question.reader,
    };
    let mut steps = told.steps.iter();
    let links = told.links.iter().map(|link| {
        let choices = steps.by_ref().take(link.steps);
        let choices = choices.map(|step| choice(step, known));
        let (placement, at) = placement(link);
        json!({
            "name": link.name.to_string(),
            "zone": zone(&link.zone),
            "placement": placement,
            "at": at.map(Name::to_string),
            "choices": choices.collect::<Vec<_>>(),
        })
    });
    links.collect()
}

fn placement(link: &Link) -> (&'static str, Option<&Name>) {
    match &link.placement {
        Placement::Exact => ("exact", None),
        Placement::Empty => ("empty", None),
        Placement::Wildcard(name) => ("wildcard", Some(name)),
        Placement::Delegated(name) => ("delegated", Some(name)),
        Placement::Nothing => ("nothing", None),
    }
}

fn choice(step: &Step, known: Known<'_>) -> Value {
    let candidates = step.candidates.iter();
    let candidates = candidates.map(|each| candidate((step.policy, each), known));
    json!({
        "name": step.name.to_string(),
        "type": step.rtype.to_string(),
        "reached_by": match step.reached_by {
            ReachedBy::Question => "question",
            ReachedBy::Cname => "cname",
            ReachedBy::Alias => "alias",
        },
        "zone": zone(&step.zone),
        "policy": step.policy.to_string(),
        "mode": match step.mode {
            ChoiceMode::Healthy => "healthy",
            ChoiceMode::LastResort => "last-resort",
            ChoiceMode::LastResortForClient => "last-resort-for-client",
        },
        "scope": step.scope,
        "latency_map": step.latency.as_ref().map(latency_map),
        "candidates": candidates.collect::<Vec<_>>(),
        "lost": step.lost.map(|lost| match lost {
            Lost::NoZone => "the zone it points into is not here",
            Lost::NoTarget => "there is nothing of its type at the target",
            Lost::TooDeep => "more than 16 aliases one after the other",
            Lost::Unserved => "it is stored and cannot be answered",
            Lost::Unresolved => "it is elsewhere and has not been resolved",
            Lost::Withheld => "it is elsewhere, at addresses that the zone's account has no right to",
        }),
    })
}

/// What a latency map says of the client.
fn latency_map(seen: &LatencySeen) -> Value {
    json!({
        "build": seen.build,
        "made_s": seen.made_s,
        "network": seen.network.map(|network| network.to_string()),
        "country": seen.country.map(|country| country.to_string()),
        "samples": seen.samples,
        "confidence_percent": seen.confidence,
        "age_hours": seen.age_h,
    })
}

fn source(source: LatencySource) -> &'static str {
    match source {
        LatencySource::Map(Origin::Measured) => "measured",
        LatencySource::Map(Origin::Inherited) => "inherited",
        LatencySource::Map(Origin::Model) => "model",
        LatencySource::Distance => "distance",
    }
}

fn candidate((policy, candidate): (RoutingKind, &Candidate), known: Known<'_>) -> Value {
    let (outcome, why) = outcome(policy, candidate.outcome);
    let latency = candidate.latency;
    let mut shown = json!({
        "identifier": candidate.identifier,
        "health": state(candidate.health),
        "health_check": candidate.health_check.as_ref().map(|(id, up)| {
            json!({
                "id": id,
                "state": state(*up),
                "why": known.why(id, *up),
            })
        }),
        "alias": candidate.alias.as_ref().map(|alias| json!({
            "zone": alias.zone,
            "name": alias.name.to_string(),
            "target_health": alias.evaluated.map(state),
            "external": alias.external.as_ref().map(|seen| external(seen, known.reader)),
        })),
        "distance_km": candidate.distance_km.map(f64::round),
        "biased_km": candidate.biased_km.map(f64::round),
        "latency_ms": latency.map(|found| (found.ms * 10.0).round() / 10.0),
        "latency_from": latency.map(|found| source(found.source)),
        "outcome": outcome,
        "why": why,
    });
    match &candidate.parameter {
        Parameter::None => {}
        Parameter::Weight(weight) => shown["weight"] = (*weight).into(),
        Parameter::Role(FailoverRole::Primary) => shown["role"] = "primary".into(),
        Parameter::Role(FailoverRole::Secondary) => shown["role"] = "secondary".into(),
        Parameter::Region(region) => shown["region"] = region.as_str().into(),
        Parameter::Place(place) => shown["place"] = place.as_str().into(),
        Parameter::Near(near, bias) => {
            shown["near"] = near.as_str().into();
            shown["bias"] = (*bias).into();
        }
        Parameter::Location(location) => shown["location"] = location.as_str().into(),
    }
    shown
}

/// What is known of a host name elsewhere.
fn external(seen: &ExternalSeen, reader: Reader) -> Value {
    let check = seen.resource_check.as_ref();
    let mut shown = json!({
        "age_s": seen.age_s,
        "last_error": seen.last_error,
        "resource_check": check.map(|(id, up)| json!({ "id": id, "state": state(*up) })),
    });
    if reader == Reader::Operator {
        shown["source"] = seen.source.as_deref().into();
    }
    shown["state"] = match seen.state {
        ExternalHeld::Answers {
            records,
            ttl_s,
            subnets,
            withheld,
        } => {
            shown["records"] = records.into();
            shown["ttl_s"] = ttl_s.into();
            shown["subnets"] = subnets.into();
            shown["withheld"] = withheld.into();
            "answers"
        }
        ExternalHeld::Nothing => "nothing",
        ExternalHeld::NoSuchName => "no-such-name",
        ExternalHeld::Unknown => "unknown",
        ExternalHeld::Withheld(needs) => {
            shown["needs"] = needs.as_str().into();
            "withheld"
        }
    }
    .into();
    shown
}

fn state(state: CheckState) -> &'static str {
    match state {
        CheckState::Up => "up",
        CheckState::Down => "down",
    }
}

fn outcome(policy: RoutingKind, outcome: CandidateOutcome) -> (&'static str, Option<&'static str>) {
    let why = match outcome {
        CandidateOutcome::Chosen => return ("chosen", None),
        CandidateOutcome::Unhealthy => return ("unhealthy", Some("others are healthy")),
        CandidateOutcome::Passed(fate) => fate,
    };
    let why = match why {
        Fate::ZeroWeight => "its weight is 0, and others have one",
        Fate::NotDrawn => "another was drawn",
        Fate::SameValues => "another with the same values stands for it",
        Fate::PrimaryIsUp => "the primary set is healthy",
        Fate::PrimaryIsLastResort => "both are down, and the primary set is the last resort",
        Fate::NotMatched => "it is for other clients",
        Fate::LessSpecific => "another is for fewer clients",
        Fate::Outdone if policy == RoutingKind::Latency => "another is faster",
        Fate::Outdone => "another is nearer",
        Fate::AsNear if policy == RoutingKind::Latency => {
            "another is as fast, and the client's network falls to that"
        }
        Fate::AsNear => "another is as near, and the client's network falls to that",
        Fate::NobodyKnows => "nobody knows where the client is, and its network falls to another",
        Fate::NotOwnRegion => "another is for the client's own region",
        Fate::NotBeijing => "clients in China are answered from cn-north-1",
    };
    ("passed", Some(why))
}

fn answer(told: &Explanation) -> Value {
    let error = told.extended_error.as_ref();
    json!({
        "rcode": rcode(told.rcode),
        "records": told.records.iter().map(record).collect::<Vec<_>>(),
        "extended_error": error.map(|(code, text)| json!({ "code": code, "text": text })),
        "scope": told.scope,
        "bytes": told.reply.len(),
    })
}

fn record(record: &Record) -> Value {
    json!({
        "section": match record.section {
            Section::Answer => "answer",
            Section::Authority => "authority",
            Section::Additional => "additional",
        },
        "name": record.name.to_string(),
        "ttl": record.ttl,
        "type": rtype(record.rtype),
        "data": record.data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_of_a_zone_was_told_which_resolver_the_operator_asks() {
        let seen = ExternalSeen {
            state: ExternalHeld::Nothing,
            age_s: Some(7),
            source: Some("10.0.0.53:53".to_owned()),
            last_error: Some("no reply came in time".to_owned()),
            resource_check: None,
        };
        let told = |reader| external(&seen, reader);
        let (owner, operator) = (told(Reader::Owner), told(Reader::Operator));
        assert!(!owner.to_string().contains("10.0.0.53"), "{owner}");
        assert_eq!(owner["age_s"], 7);
        assert_eq!(operator["source"], "10.0.0.53:53");
    }
}
