//! Traffic policy documents against their meaning: random ones are read and made record sets of, and
//! what the crate answers by those is held against the document itself, which is followed here from
//! rule to rule. Only what a single policy chooses is the oracle's, as everywhere.

use std::collections::BTreeMap;
use std::fmt::Write;

use meridian_dns::{Name, RecordType};
use meridian_model::{
    AcceleratedRecovery, AccountId, DelegationSet, Document, FailoverRole, Generation, GeoLocation,
    GeoproximityPlace, Plot, ProbeRights, RecordSet, Routing, RoutingKind, SetData, SetKey,
    Timestamp, TrafficPolicyInstanceId, ZoneId, expand,
};

use crate::case::{Ask, Case, Client, Seen, Zone};
use crate::compare::{Reply, Server};
use crate::explained::told;
use crate::extent;
use crate::fate::Fate;
use crate::health::Member;
use crate::model::Oracle;
use crate::policy::Pick;
use crate::rng::Rng;
use crate::routings;
use crate::served::Served;
use crate::wire::read;
use crate::{generate, networks};

const ROOT: &str = "www.one.test.";
const TTL: u32 = 77;
const CHECKS: [&str; 6] = ["c0", "c1", "c2", "c3", "c4", "gone"];
/// The most rules in a row that a document may have.
const LONGEST: usize = Document::MAX_RULE_DEPTH;
/// In how many states of health a document is followed, and by how many clients in each.
const STATES: usize = 3;
const CLIENTS: usize = 6;

/// A document as it is thought of before it is written.
#[derive(Debug, Clone)]
struct Thought {
    /// The values of the endpoints.
    values: Vec<String>,
    /// The first is the start, and they lead to later ones only.
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    kind: RoutingKind,
    items: Vec<Item>,
}

#[derive(Debug, Clone)]
struct Item {
    routing: Routing,
    to: To,
    evaluate: bool,
    check: Option<&'static str>,
}

#[derive(Debug, Clone, Copy)]
enum To {
    Endpoint(usize),
    Rule(usize),
}

/// How a document is misunderstood, to see whether that is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slip {
    None,
    EvaluatesAlways,
    EvaluatesNever,
    NoChecks,
    LastRuleAlone,
}

/// The values that are answered; empty where there is nothing for a client.
type Values = Vec<String>;

impl Thought {
    fn new(rng: &mut Rng) -> Self {
        let mut thought = Self {
            values: Vec::new(),
            rules: Vec::new(),
        };
        let rules = match rng.below(12) {
            0 => 0,
            1 => LONGEST,
            _ => 1 + rng.below(6),
        };
        for place in 0..rules {
            let rule = thought.rule(rng, place, rules);
            thought.rules.push(rule);
        }
        if rules == 0 {
            thought.endpoint(rng);
        }
        thought
    }

    fn rule(&mut self, rng: &mut Rng, place: usize, rules: usize) -> Rule {
        let kind = match routings::kind(rng) {
            RoutingKind::Simple | RoutingKind::Cidr => RoutingKind::Failover,
            kind if rules == LONGEST && kind == RoutingKind::Multivalue => RoutingKind::Weighted,
            kind => kind,
        };
        let mut routings = match kind {
            RoutingKind::Failover => [FailoverRole::Primary, FailoverRole::Secondary]
                .map(Routing::Failover)
                .to_vec(),
            kind => routings::group(rng, kind, RecordType::A, &BTreeMap::new()),
        };
        let mut seen = Vec::new();
        routings.retain(|routing| match routing {
            Routing::Geoproximity(at) if seen.contains(&at.place) => false,
            Routing::Geoproximity(at) => {
                seen.push(at.place.clone());
                true
            }
            _ => true,
        });
        if rules == LONGEST {
            routings.truncate(2);
        }
        let items = routings.into_iter().enumerate();
        let items = items.map(|(number, routing)| {
            let leads_on = place + 1 < rules && kind != RoutingKind::Multivalue;
            let to = match number {
                0 if leads_on && rules == LONGEST => To::Rule(place + 1),
                _ if leads_on && rules < LONGEST && rng.percent(60) => {
                    To::Rule(place + 1 + rng.below(rules - place - 1))
                }
                _ => To::Endpoint(self.endpoint(rng)),
            };
            Item {
                routing,
                to,
                evaluate: rng.percent(65),
                check: rng.percent(60).then(|| *rng.pick(&CHECKS)),
            }
        });
        Rule {
            kind,
            items: items.collect(),
        }
    }

    /// An endpoint, sometimes one that is there already, or one with the same value.
    fn endpoint(&mut self, rng: &mut Rng) -> usize {
        if !self.values.is_empty() && rng.percent(15) {
            return rng.below(self.values.len());
        }
        let number = self.values.len();
        let value = match number {
            0 => 0,
            _ if rng.percent(5) => number - 1,
            _ => number,
        };
        self.values
            .push(format!("203.0.{}.{}", value / 200, value % 200 + 1));
        number
    }

    /// The document, in one of both formats.
    fn text(&self, rng: &mut Rng) -> String {
        let newer = rng.percent(50) || self.rules.iter().any(Rule::has_group);
        let format = if newer { "2023-05-09" } else { "2015-10-01" };
        let mut text = format!(r#"{{"AWSPolicyFormatVersion":"{format}","RecordType":"A","#);
        let start = match self.rules.len() {
            0 => r#""StartEndpoint":"e0""#,
            _ => r#""StartRule":"r0""#,
        };
        let endpoints = self.values.iter().enumerate();
        let endpoints: Vec<String> = endpoints
            .map(|(n, value)| format!(r#""e{n}":{{"Type":"value","Value":"{value}"}}"#))
            .collect();
        let rules = self.rules.iter().enumerate();
        let mut rules: Vec<String> = rules
            .map(|(n, rule)| format!(r#""r{n}":{}"#, rule.text(newer)))
            .collect();
        // Whatever the order that they are written in.
        if rng.percent(50) {
            rules.reverse();
        }
        let (endpoints, rules) = (endpoints.join(","), rules.join(","));
        write!(
            text,
            r#"{start},"Endpoints":{{{endpoints}}},"Rules":{{{rules}}}}}"#
        )
        .unwrap();
        text
    }
}

impl Rule {
    fn has_group(&self) -> bool {
        let is_group = |item: &Item| {
            matches!(&item.routing, Routing::Geoproximity(at)
                if matches!(at.place, GeoproximityPlace::LocalZoneGroup(_)))
        };
        self.items.iter().any(is_group)
    }

    fn text(&self, newer: bool) -> String {
        let items: Vec<String> = self.items.iter().map(|item| item.text(newer)).collect();
        let (word, list) = match self.kind {
            RoutingKind::Failover => {
                let [primary, secondary] = items.as_slice() else {
                    unreachable!("there are two");
                };
                return format!(
                    r#"{{"RuleType":"failover","Primary":{primary},"Secondary":{secondary}}}"#
                );
            }
            RoutingKind::Weighted => ("weighted", "Items"),
            RoutingKind::Multivalue => ("multivalue", "Items"),
            RoutingKind::Latency => ("latency", "Regions"),
            RoutingKind::Geolocation => ("geo", "Locations"),
            RoutingKind::Geoproximity => ("geoproximity", "GeoproximityLocations"),
            RoutingKind::Simple | RoutingKind::Cidr => unreachable!("no rule is of that kind"),
        };
        format!(r#"{{"RuleType":"{word}","{list}":[{}]}}"#, items.join(","))
    }
}

impl Item {
    fn text(&self, newer: bool) -> String {
        let mut fields = vec![match self.to {
            To::Endpoint(place) => format!(r#""EndpointReference":"e{place}""#),
            To::Rule(place) => format!(r#""RuleReference":"r{place}""#),
        }];
        if self.evaluate {
            fields.push(r#""EvaluateTargetHealth":"true""#.to_owned());
        }
        fields.extend(
            self.check
                .map(|check| format!(r#""HealthCheck":"{check}""#)),
        );
        match &self.routing {
            Routing::Weighted(weight) => fields.push(format!(r#""Weight":"{weight}""#)),
            Routing::Latency(region) => fields.push(format!(r#""Region":"{}""#, region.as_str())),
            Routing::Geolocation(place) => fields.push(geolocation(place)),
            Routing::Geoproximity(at) => {
                fields.push(near(&at.place, newer));
                fields.extend(at.bias.map(|bias| format!(r#""Bias":"{bias}""#)));
            }
            _ => {}
        }
        format!("{{{}}}", fields.join(","))
    }
}

fn geolocation(place: &GeoLocation) -> String {
    if place.country.as_deref() == Some("*") {
        return r#""IsDefault":"true""#.to_owned();
    }
    let words = [
        ("Continent", &place.continent),
        ("Country", &place.country),
        ("Subdivision", &place.subdivision),
    ];
    let words = words.into_iter();
    let words = words.filter_map(|(word, code)| Some(format!(r#""{word}":"{}""#, code.as_ref()?)));
    words.collect::<Vec<_>>().join(",")
}

fn near(place: &GeoproximityPlace, newer: bool) -> String {
    let point = |at: &meridian_model::Coordinates| {
        format!(
            r#""Latitude":"{}","Longitude":"{}""#,
            at.latitude, at.longitude
        )
    };
    match (place, newer) {
        (GeoproximityPlace::Region(name), false) => format!(r#""Region":"aws:route53:{name}""#),
        (GeoproximityPlace::Coordinates(at), false) => point(at),
        (GeoproximityPlace::Region(name), true) => {
            format!(r#""Location":{{"Type":"Region","LocationName":"{name}"}}"#)
        }
        (GeoproximityPlace::LocalZoneGroup(name), _) => {
            format!(r#""Location":{{"Type":"LocalZone","LocationName":"{name}"}}"#)
        }
        (GeoproximityPlace::Coordinates(at), true) => {
            format!(r#""Location":{{"Type":"Coordinate",{}}}"#, point(at))
        }
    }
}

/// Follows a document for one client, in one state of health.
struct Reader<'c> {
    thought: &'c Thought,
    oracle: &'c Oracle<'c>,
    client: Client,
    slip: Slip,
}

impl Reader<'_> {
    /// All that may be answered.
    fn meaning(&self) -> Vec<Values> {
        if self.thought.rules.is_empty() {
            return vec![vec![self.thought.values[0].clone()]];
        }
        let mut all = match self.slip {
            Slip::LastRuleAlone => self.of_rule(self.thought.rules.len() - 1),
            _ => self.of_rule(0),
        };
        all.sort();
        all.dedup();
        all
    }

    fn of_rule(&self, place: usize) -> Vec<Values> {
        let rule = &self.thought.rules[place];
        let healthy: Vec<bool> = rule
            .items
            .iter()
            .map(|item| self.is_healthy(item))
            .collect();
        let last_resort = !healthy.contains(&true);
        let sets: Vec<RecordSet> = rule
            .items
            .iter()
            .enumerate()
            .map(|one| self.set(one))
            .collect();
        let members = sets.iter().zip(&healthy).map(|(set, healthy)| Member {
            set,
            live: *healthy || last_resort,
        });
        let members: Vec<Member<'_>> = members.collect();
        let chosen: Fate<Pick<'_>> = self.oracle.choose(&members, &self.client);
        let ends = chosen.ends().into_iter().map(|(pick, _)| pick);
        let lists = ends.map(|pick| match pick {
            Pick::Nothing => vec![Vec::new()],
            Pick::Together(sets) => {
                let mut all: Values = sets.iter().flat_map(|set| values(set)).collect();
                all.sort();
                all.dedup();
                vec![all]
            }
            Pick::Set(set) => {
                let number: usize = set.key.set_identifier.as_ref().unwrap().parse().unwrap();
                match rule.items[number].to {
                    To::Endpoint(_) => vec![values(set)],
                    To::Rule(place) => self.of_rule(place),
                }
            }
        });
        lists.flatten().collect()
    }

    fn is_healthy(&self, item: &Item) -> bool {
        let known = |check: &str| self.oracle.case.checks.get(check).copied().unwrap_or(true);
        let passes = self.slip == Slip::NoChecks || item.check.is_none_or(known);
        let evaluates = match self.slip {
            Slip::EvaluatesAlways => true,
            Slip::EvaluatesNever => false,
            _ => item.evaluate,
        };
        let target = match item.to {
            To::Rule(place) if evaluates => {
                let items = &self.thought.rules[place].items;
                items.iter().any(|item| self.is_healthy(item))
            }
            _ => true,
        };
        passes && target
    }

    /// An item as the oracle's policies know members; what stands behind a rule is not asked there.
    fn set(&self, (number, item): (usize, &Item)) -> RecordSet {
        let value = match item.to {
            To::Endpoint(place) => self.thought.values[place].clone(),
            To::Rule(_) => "192.0.2.1".to_owned(),
        };
        RecordSet {
            key: SetKey {
                set_identifier: Some(number.to_string()),
                name: Name::root(),
                rtype: RecordType::A,
            },
            routing: item.routing.clone(),
            data: SetData::Records {
                ttl: TTL,
                values: vec![value],
            },
            health_check_id: item.check.map(str::to_owned),
            traffic_policy_instance_id: None,
        }
    }
}

fn values(set: &RecordSet) -> Values {
    match &set.data {
        SetData::Records { values, .. } => values.clone(),
        SetData::Alias(_) => unreachable!("none is an alias"),
    }
}

/// The case in which a document is at work.
fn case(rng: &mut Rng, document: &Document) -> Case {
    let apex = Name::parse("one.test").unwrap();
    let zone = meridian_model::Zone {
        id: ZoneId::new("Z0").unwrap(),
        account: AccountId::new("111111111111").unwrap(),
        name: apex.clone(),
        caller_reference: String::new(),
        comment: None,
        private: false,
        delegation_set: DelegationSet::own(Vec::new()),
        generation: Generation(1),
        created_at: Timestamp(0),
        accelerated_recovery: AcceleratedRecovery::Disabled,
        vpcs: Vec::new(),
    };
    let plot = Plot {
        instance: &TrafficPolicyInstanceId::new("00000000-0000-4000-8000-000000000000").unwrap(),
        name: &Name::parse(ROOT).unwrap(),
        ttl: TTL,
        zone: &zone,
    };
    let soa = "ns.one.test. admin.one.test. 1 2 3 4 30".to_owned();
    let ns = "ns.test.".to_owned();
    let mut sets = vec![
        RecordSet::simple(apex.clone(), RecordType::Soa, 900, vec![soa]),
        RecordSet::simple(apex.clone(), RecordType::Ns, 60, vec![ns]),
    ];
    sets.extend(expand(document, &plot).unwrap().sets);
    Case {
        zones: vec![Zone {
            id: zone.id,
            apex,
            seen: Seen::Here,
            rights: ProbeRights::Everything,
            sets,
        }],
        checks: generate::health(rng),
        places: networks::places(rng),
        latencies: networks::latencies(rng),
        vpc: None,
        collections: BTreeMap::new(),
        outside: BTreeMap::new(),
    }
}

fn answered(reply: &Reply) -> Values {
    assert_eq!(reply.rcode, 0, "{reply:?}");
    let texts = reply.records.iter().map(|record| {
        assert_eq!(
            (record.owner.as_str(), record.ttl),
            (ROOT, TTL),
            "{reply:?}"
        );
        meridian_dns::rdata::text(RecordType::A, &record.data).unwrap()
    });
    let mut values: Values = texts.collect();
    values.sort();
    values
}

/// Compares what a document of this seed is answered with to what it means. The first answer that it
/// cannot mean, and how many different ones came.
fn compare(seed: u64, slip: Slip) -> (Option<String>, usize) {
    let mut rng = Rng::new(seed ^ 0xd0c);
    let thought = Thought::new(&mut rng);
    let text = thought.text(&mut rng);
    let document = Document::parse(&text).unwrap_or_else(|faults| panic!("{text}\n{faults:?}"));
    let first = case(&mut rng, &document);
    let turned = |checks| Case {
        checks,
        ..first.clone()
    };
    let states = (0..STATES).map(|_| turned(generate::health(&mut rng)));
    let states: Vec<Case> = states.collect();
    let mut served = Served::new(&first);
    let mut different = std::collections::BTreeSet::new();
    for state in &states {
        served.turn(state);
        let oracle = Oracle::new(state, None);
        for _ in 0..CLIENTS {
            let (source, subnet) = networks::client(state, &mut rng);
            let ask = Ask {
                name: Name::parse(ROOT).unwrap(),
                rtype: RecordType::A,
                source,
                subnet,
            };
            let client = Client {
                network: ask.client(),
                region: None,
            };
            let reader = Reader {
                thought: &thought,
                oracle: &oracle,
                client,
                slip,
            };
            let possible = reader.meaning();
            for round in 0..6 {
                let seed = rng.next();
                // An explanation gives the very answer; once for each client is enough.
                let reply = match round {
                    0 => read(&ask, &told(&served, state, &ask, seed).reply),
                    _ => served.reply(&ask, seed),
                };
                let values = answered(&reply);
                if !possible.contains(&values) {
                    let case = state;
                    let wrong = format!("{text}\n{case:?}\n{ask:?}\n{values:?}\n{possible:?}");
                    return (Some(wrong), different.len());
                }
                different.insert(values);
            }
        }
    }
    (None, different.len())
}

#[test]
fn documents_are_answered_as_they_mean() {
    let mut different = 0;
    for seed in extent(150) {
        let (wrong, answers) = compare(seed, Slip::None);
        if let Some(wrong) = wrong {
            panic!("MERIDIAN_ROUTING_SEED={seed}\n{wrong}");
        }
        different += answers;
    }
    println!("{different} different answers");
    assert!(different >= 2 * extent(150).count());
}

#[test]
fn documents_that_are_misunderstood_are_noticed() {
    for slip in [
        Slip::EvaluatesAlways,
        Slip::EvaluatesNever,
        Slip::NoChecks,
        Slip::LastRuleAlone,
    ] {
        let noticed = (1..400).find(|seed| compare(*seed, slip).0.is_some());
        println!("{slip:?}: {noticed:?}");
        assert!(noticed.is_some(), "{slip:?}");
    }
}
