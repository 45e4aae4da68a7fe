//! Random cases, biased towards corners: small enough to collide, deep enough to nest.
//!
//! Groups are made in layers: an alias points to a group that was made before, so there are no
//! loops, and the number of links and of ways an answer can go is kept in bounds.

use std::collections::BTreeMap;

use meridian_dns::{Name, RecordType, rdata};
use meridian_model::{
    AliasTarget, FailoverRole, ProbeRights, RecordSet, Routing, RoutingKind, SetData, SetKey,
    ZoneId,
};

use crate::case::{Ask, Case, Outside, Prefix, Seen, Zone};
use crate::networks;
use crate::rng::Rng;
use crate::routings;

/// The most aliases in a row (DESIGN section 9).
const MAX_DEPTH: usize = 16;
/// The most ways one answer may go, which the oracle writes out one by one.
const MAX_WAYS: usize = 600;

const CHECKS: [&str; 6] = ["c0", "c1", "c2", "c3", "c4", "gone"];

/// A group that aliases may point to.
#[derive(Clone)]
struct Made {
    zone: usize,
    name: Name,
    rtype: RecordType,
    depth: usize,
    ways: usize,
}

/// A case on its way.
pub(crate) struct Maker {
    pub(crate) rng: Rng,
    /// For host names elsewhere.
    aside: Rng,
    case: Case,
    made: Vec<Made>,
    /// Half of the groups are of this kind.
    favourite: RoutingKind,
    /// Makes every value different.
    values: usize,
}

/// A case, with many groups of the kind that is given.
pub(crate) fn case(seed: u64, favourite: Option<RoutingKind>) -> Case {
    let mut rng = Rng::new(seed);
    let any = routings::kind(&mut rng);
    let mut maker = Maker {
        rng,
        aside: Rng::new(seed ^ 0x0475),
        favourite: favourite.unwrap_or(any),
        case: Case::default(),
        made: Vec::new(),
        values: 0,
    };
    maker.case.places = networks::places(&mut maker.rng);
    maker.case.collections = networks::collections(&mut maker.rng);
    maker.case.latencies = networks::latencies(&mut Rng::new(seed ^ 0x1a7e));
    maker.zones();
    if maker.rng.percent(15) {
        maker.chain();
    }
    for _ in 0..2 + maker.rng.below(8) {
        maker.name();
    }
    maker.turn_health();
    maker.case
}

/// Questions that suit a case: its names, mostly, from networks near its edges.
pub(crate) fn asks(case: &Case, rng: &mut Rng, count: usize) -> Vec<Ask> {
    let zones = || {
        case.zones
            .iter()
            .filter(|zone| zone.seen != Seen::Elsewhere)
    };
    let sets: Vec<&RecordSet> = zones().flat_map(|zone| &zone.sets).collect();
    let (last, all) = (sets.len() - 1, 0..count);
    all.map(|_| {
        // Later sets stand above others.
        let set = sets[rng.below(sets.len()).max(rng.below(sets.len())).min(last)];
        let text = set.key.name.to_string();
        let name = match text
            .strip_prefix("\\052.")
            .or_else(|| text.strip_prefix("*."))
        {
            Some(rest) if rng.percent(90) => format!("{}.{rest}", rng.pick(&["q", "Any", "a.b"])),
            _ if rng.percent(3) => format!("none.{text}"),
            _ => text,
        };
        let rtype = match set.key.rtype {
            RecordType::Cname if rng.percent(80) => RecordType::A,
            _ if rng.percent(4) => RecordType::Mx,
            rtype => rtype,
        };
        let (mut source, subnet) = networks::client(case, rng);
        if let Some((network, _)) = case.vpc
            && (name.ends_with("two.test.") || rng.percent(40))
        {
            source = networks::inside(&network, rng);
        }
        Ask {
            name: Name::parse(&name).unwrap(),
            rtype,
            source,
            subnet,
        }
    })
    .collect()
}

impl Maker {
    fn zones(&mut self) {
        let second = *self.rng.pick(&["two.test", "sub.one.test"]);
        let count = if self.rng.percent(40) { 2 } else { 1 };
        for (place, apex) in ["one.test", second].into_iter().take(count).enumerate() {
            let apex = Name::parse(apex).unwrap();
            let ttl = [20, 900][self.rng.below(2)];
            let minimum = [30, 86_400][self.rng.below(2)];
            let soa = format!("ns.one.test. admin.one.test. 1 2 3 4 {minimum}");
            let sets = vec![
                RecordSet::simple(apex.clone(), RecordType::Soa, ttl, vec![soa]),
                RecordSet::simple(
                    apex.clone(),
                    RecordType::Ns,
                    60,
                    vec!["ns.test.".to_owned()],
                ),
            ];
            let id = ZoneId::new(&format!("Z{place}")).unwrap();
            let seen = match self.rng.below(10) {
                _ if place == 0 => Seen::Here,
                0..3 => Seen::Elsewhere,
                3..6 => Seen::Vpc,
                _ => Seen::Here,
            };
            if seen == Seen::Vpc {
                self.case.vpc = Some(networks::vpc(&mut self.rng));
            }
            let rights = match self.aside.below(10) {
                0..5 => ProbeRights::Everything,
                5..7 => ProbeRights::Private,
                _ => ProbeRights::Public,
            };
            self.case.zones.push(Zone {
                id,
                apex,
                seen,
                rights,
                sets,
            });
        }
    }

    /// A name with one or two groups.
    fn name(&mut self) {
        let zone = self.rng.below(self.case.zones.len());
        let apex = self.case.zones[zone].apex.clone();
        let number = self.made.len();
        let name = match self.rng.below(10) {
            0 if !self.has(zone, &apex, RecordType::A) => apex.to_string(),
            1 | 2 => format!("*.n{number}.{apex}"),
            3 if zone == 0 => format!("n{number}.sub.{apex}"),
            _ => format!("n{number}.{apex}"),
        };
        let name = Name::parse(&name).unwrap();
        if self.rng.percent(10) && name != apex {
            return self.group(zone, &name, RecordType::Cname);
        }
        self.group(zone, &name, RecordType::A);
        if self.rng.percent(15) {
            self.group(zone, &name, RecordType::Aaaa);
        }
    }

    fn has(&self, zone: usize, name: &Name, rtype: RecordType) -> bool {
        let mut sets = self.case.zones[zone].sets.iter();
        sets.any(|set| set.key.name == *name && set.key.rtype == rtype)
    }

    /// Simple aliases in a row, as long as they may be.
    fn chain(&mut self) {
        let length = *self.rng.pick(&[3, MAX_DEPTH - 1, MAX_DEPTH]);
        let name = |number| Name::parse(&format!("link{number}.one.test")).unwrap();
        self.group(0, &name(0), RecordType::A);
        for number in 1..=length {
            let Some(last) = self
                .made
                .last()
                .filter(|last| last.depth < MAX_DEPTH)
                .cloned()
            else {
                return;
            };
            let data = self.alias(&last);
            let set = self.set(&name(number), RecordType::A, Routing::Simple, data);
            self.case.zones[0].sets.push(set);
            self.made.push(Made {
                zone: 0,
                name: name(number),
                depth: last.depth + 1,
                ..last
            });
        }
    }

    /// All sets of a name and type.
    fn group(&mut self, zone: usize, name: &Name, rtype: RecordType) {
        let kind = if self.rng.percent(50) {
            self.favourite
        } else {
            routings::kind(&mut self.rng)
        };
        // Private zones have no CIDR policy.
        let kind = match self.case.zones[zone].seen {
            Seen::Vpc if kind == RoutingKind::Cidr => RoutingKind::Geolocation,
            _ => kind,
        };
        let routings = routings::group(&mut self.rng, kind, rtype, &self.case.collections);
        let kind = routings[0].kind();
        // A multivalue group goes as many ways as there are choices of eight.
        let choices = [1, 9, 45, 165, 495];
        let mut made = Made {
            zone,
            name: name.clone(),
            rtype,
            depth: 0,
            ways: if kind == RoutingKind::Multivalue {
                choices[routings.len().saturating_sub(8)]
            } else {
                0
            },
        };
        let ttl = self.ttl();
        let first = self.case.zones[zone].sets.len();
        for routing in routings {
            let target = self.target(rtype, kind, &made);
            let data = match target {
                Some(target) => {
                    made.depth = made.depth.max(target.depth + 1);
                    made.ways += target.ways;
                    self.alias(&target)
                }
                None => {
                    made.ways += usize::from(kind != RoutingKind::Multivalue);
                    let mut data = self.records(rtype, kind, ttl);
                    self.repeat((zone, first), &mut data);
                    data
                }
            };
            let data = self.outside(rtype, kind).unwrap_or(data);
            let set = self.set(name, rtype, routing, data);
            self.case.zones[zone].sets.push(set);
        }
        self.made.push(made);
    }

    fn ttl(&mut self) -> u32 {
        10 + u32::try_from(self.rng.below(290)).unwrap()
    }

    /// A group to point to, if this set is to be an alias.
    fn target(&mut self, rtype: RecordType, kind: RoutingKind, made: &Made) -> Option<Made> {
        if kind == RoutingKind::Multivalue || self.rng.percent(45) {
            return None;
        }
        let fits = |target: &&Made| {
            // What is private is not shown by what is not.
            let hidden = self.case.zones[target.zone].seen == Seen::Vpc
                && self.case.zones[made.zone].seen != Seen::Vpc;
            target.rtype == rtype
                && !hidden
                && target.depth < MAX_DEPTH
                && target.ways + made.ways + 8 <= MAX_WAYS
        };
        let targets: Vec<&Made> = self.made.iter().filter(fits).collect();
        if targets.is_empty() {
            return None;
        }
        Some((*self.rng.pick(&targets)).clone())
    }

    fn alias(&mut self, target: &Made) -> SetData {
        // Once in a while a target that is not there.
        let name = if self.rng.percent(1) {
            Name::parse(&format!("gone.{}", self.case.zones[target.zone].apex)).unwrap()
        } else {
            target.name.clone()
        };
        SetData::Alias(AliasTarget {
            zone: self.case.zones[target.zone].id.clone(),
            name,
            evaluate_target_health: self.rng.percent(65),
        })
    }

    /// An alias to one of a few host names elsewhere, of which something is known or nothing; once in
    /// a while, in the place of something else. Draws by itself, so that the rest of a case stays.
    fn outside(&mut self, rtype: RecordType, kind: RoutingKind) -> Option<SetData> {
        // For everybody, for those with a right to private networks, and for the operator.
        let addresses = match rtype {
            RecordType::A => ["8.8.8.", "10.9.9.", "127.9.9."],
            RecordType::Aaaa => ["2606:4700::", "fd00:9::", "fe80::"],
            _ => return None,
        };
        if kind == RoutingKind::Multivalue || !self.aside.percent(8) {
            return None;
        }
        let number = self.aside.below(4);
        let name = Name::parse(&format!("t{number}.outside.test")).unwrap();
        let values = [number, number + 4].map(|last| {
            let address = addresses[self.aside.below(4) % 3];
            format!("{address}{last}")
        });
        let data = values
            .map(|text| rdata::parse(rtype, &text).unwrap())
            .to_vec();
        let known = match self.aside.below(10) {
            0..6 => Some(Outside::Records { ttl: 7, data }),
            6..8 => Some(Outside::Nothing),
            _ => None,
        };
        // What is known of a name is the same for all that lead to it.
        if let Some(known) = known {
            let key = (name.as_wire().to_vec(), rtype.code());
            self.case.outside.entry(key).or_insert(known);
        }
        Some(SetData::Alias(AliasTarget {
            zone: ZoneId::new("ZEXTERNAL").unwrap(),
            name,
            evaluate_target_health: self.aside.percent(65),
        }))
    }

    fn records(&mut self, rtype: RecordType, kind: RoutingKind, ttl: u32) -> SetData {
        let count = match rtype {
            RecordType::Cname => 1,
            _ => *self.rng.pick(&[1, 1, 1, 2, 3]),
        };
        let values = (0..count).map(|_| self.value(rtype)).collect();
        // All sets of a weighted group have one TTL (reference 4.2).
        let ttl = if kind == RoutingKind::Weighted {
            ttl
        } else {
            self.ttl()
        };
        SetData::Records { ttl, values }
    }

    /// Values of another set of the same group now and then, all of them or one beside others.
    fn repeat(&mut self, (zone, first): (usize, usize), data: &mut SetData) {
        let others = &self.case.zones[zone].sets[first..];
        let SetData::Records { values, .. } = data else {
            return;
        };
        if others.is_empty() || self.rng.percent(75) {
            return;
        }
        let SetData::Records { values: other, .. } = &self.rng.pick(others).data else {
            return;
        };
        let mut other = other.clone();
        if self.rng.percent(70) {
            let start = self.rng.below(other.len());
            other.rotate_left(start);
            *values = other;
        } else if values.len() > 1 {
            values[0] = self.rng.pick(&other).clone();
        }
    }

    fn value(&mut self, rtype: RecordType) -> String {
        self.values += 1;
        let number = self.values;
        match rtype {
            RecordType::Aaaa => format!("2001:db8:ffff::{number:x}"),
            RecordType::Cname => {
                let made: Vec<&Made> = self.made.iter().filter(|made| !is_wild(made)).collect();
                match made.len() {
                    0 => format!("t{number}.elsewhere.test."),
                    _ if self.rng.percent(30) => format!("t{number}.elsewhere.test."),
                    _ if self.rng.percent(15) => format!("t{number}.one.test."),
                    _ => self.rng.pick(&made).name.to_string(),
                }
            }
            _ => format!("203.0.{}.{}", number / 256, number % 256),
        }
    }

    fn set(
        &mut self,
        name: &Name,
        rtype: RecordType,
        routing: Routing,
        data: SetData,
    ) -> RecordSet {
        let simple = routing == Routing::Simple;
        let number = self
            .case
            .zones
            .iter()
            .map(|zone| zone.sets.len())
            .sum::<usize>();
        let checked = if simple { 20 } else { 65 };
        RecordSet {
            key: SetKey {
                name: name.clone(),
                rtype,
                set_identifier: (!simple).then(|| format!("s{number}")),
            },
            routing,
            data,
            health_check_id: self
                .rng
                .percent(checked)
                .then(|| (*self.rng.pick(&CHECKS)).to_owned()),
            traffic_policy_instance_id: None,
        }
    }

    /// Another state of the checks.
    fn turn_health(&mut self) {
        self.case.checks = health(&mut self.rng);
    }
}

/// A state of the checks: all up and all down as often as mixed.
pub(crate) fn health(rng: &mut Rng) -> BTreeMap<String, bool> {
    let up = *rng.pick(&[0, 15, 50, 50, 85, 100]);
    let ids = CHECKS.iter().filter(|id| **id != "gone");
    ids.map(|id| ((*id).to_owned(), rng.percent(up))).collect()
}

fn is_wild(made: &Made) -> bool {
    made.name.is_wildcard()
}

/// The halves of a failover pair, of which one may be missing.
pub(crate) fn failover(rng: &mut Rng) -> Vec<Routing> {
    let both = [FailoverRole::Primary, FailoverRole::Secondary];
    let some = match rng.below(8) {
        0 => &both[..1],
        1 => &both[1..],
        _ => &both[..],
    };
    some.iter().map(|role| Routing::Failover(*role)).collect()
}

/// Whether a prefix is of use as a client subnet option.
pub(crate) fn masked(address: std::net::IpAddr, len: u8) -> Prefix {
    Prefix::new(address, len)
}
