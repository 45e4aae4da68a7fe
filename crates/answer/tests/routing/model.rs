//! The routing model, the slow way: plain maps and recursion, written from the reference (section
//! 5) and DESIGN section 9. Nothing shared with the crate that it judges.
//!
//! Which set of a group is chosen is in `policy`; here is what surrounds that: names, health,
//! aliases, CNAME chains.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ptr;
use std::rc::Rc;

use meridian_dns::{Name, RecordType, rdata};
use meridian_model::{AliasTarget, ProbeRights, RecordSet, RoutingKind, SetData};

use crate::answer::{Answer, Negative, Record};
use crate::case::{Ask, Case, Client, Latencies, Outside, Place, Prefix, Seen, Zone};
use crate::fate::Fate;
use crate::names::{Found, find, negative_ttl};
use crate::policy::Pick;
use crate::wrong::Wrong;

/// The most links of a CNAME chain that are followed (DESIGN section 9).
const MAX_LINKS: usize = 8;
const NXDOMAIN: u16 = 3;
const SERVFAIL: u16 = 2;

/// The oracle for one case.
pub(crate) struct Oracle<'c> {
    pub(crate) case: &'c Case,
    wrong: Option<Wrong>,
    /// All sets by zone, name and type.
    groups: BTreeMap<Key, Vec<&'c RecordSet>>,
    /// The record data of each text.
    wire: BTreeMap<(u16, &'c str), Vec<u8>>,
    /// The health of groups that aliases were found to point to.
    pub(crate) known: RefCell<BTreeMap<Key, bool>>,
    /// What was asked before.
    asked: RefCell<BTreeMap<Asked, Rc<Fate<Answer>>>>,
    /// For each kind of address the first that came along.
    kinds: RefCell<Vec<(Kind, Prefix)>>,
    /// The first of its kind for each address.
    firsts: RefCell<BTreeMap<Prefix, Prefix>>,
}

/// A zone's place, a name in wire form, a type.
pub(crate) type Key = (usize, Vec<u8>, u16);
/// A name in wire form, a type, and a client.
type Asked = (Vec<u8>, u16, IpAddr, Client);

/// A group: all sets of one name and type.
#[derive(Clone, Copy)]
pub(crate) struct Group<'c> {
    zone: usize,
    name: &'c Name,
    rtype: RecordType,
}

impl Group<'_> {
    pub(crate) fn key(&self) -> Key {
        (self.zone, self.name.as_wire().to_vec(), self.rtype.code())
    }
}

/// All that decisions can know of an address: its place, how far it is from regions, the blocks it
/// lies in, and whether it is an IPv4 one in IPv6.
pub(crate) type Kind = (Place, Option<Latencies>, Vec<Vec<Prefix>>, bool);

/// What a decision leads to in the end.
#[derive(Debug, Clone, PartialEq)]
enum Leaf {
    Records {
        ttl: u32,
        data: Vec<Vec<u8>>,
    },
    /// A policy has nothing for this client.
    Nothing,
    /// An alias leads to a name and type that are gone.
    Gone,
    /// An alias leads to a host name elsewhere that nobody has resolved, or to addresses that its
    /// zone's account has no right to.
    Unresolved,
}

/// How far an answer has come.
#[derive(Clone)]
struct Way {
    name: Name,
    records: Vec<Record>,
    seen: Vec<Name>,
    source: IpAddr,
    /// Whether a policy was asked.
    routed: bool,
}

impl<'c> Oracle<'c> {
    pub(crate) fn new(case: &'c Case, wrong: Option<Wrong>) -> Self {
        let mut groups: BTreeMap<Key, Vec<&RecordSet>> = BTreeMap::new();
        let mut wire = BTreeMap::new();
        for (zone, sets) in case.zones.iter().map(|zone| &zone.sets).enumerate() {
            for set in sets {
                let rtype = set.key.rtype;
                let key = (zone, set.key.name.as_wire().to_vec(), rtype.code());
                groups.entry(key).or_default().push(set);
                let SetData::Records { values, .. } = &set.data else {
                    continue;
                };
                for text in values {
                    let data = rdata::parse(rtype, text).unwrap();
                    wire.insert((rtype.code(), text.as_str()), data);
                }
            }
        }
        Self {
            case,
            wrong,
            groups,
            wire,
            known: RefCell::default(),
            asked: RefCell::default(),
            kinds: RefCell::default(),
            firsts: RefCell::default(),
        }
    }

    pub(crate) fn errs(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// All that may be answered.
    pub(crate) fn fate(&self, ask: &Ask) -> Rc<Fate<Answer>> {
        let zone = self
            .zone_of(&ask.name, ask.source)
            .expect("only names in zones are asked for");
        let network = match ask.subnet {
            _ if self.errs(Wrong::SubnetIgnored) => Prefix::host(ask.source),
            Some(empty) if self.errs(Wrong::EmptySubnetCounts) => empty,
            _ => ask.client(),
        };
        // Private zones know their clients by the VPC alone (reference 5.5).
        let client = match self.case.vpc {
            Some((_, region)) if self.is_private(ask) && !self.errs(Wrong::SubnetInVpc) => Client {
                network: Prefix::host(ask.source.to_canonical()),
                region: Some(region),
            },
            _ => Client {
                network,
                region: None,
            },
        };
        let key = (
            ask.name.to_lowercase().as_wire().to_vec(),
            ask.rtype.code(),
            ask.source,
            client,
        );
        if let Some(known) = self.asked.borrow().get(&key) {
            return Rc::clone(known);
        }
        let way = Way {
            name: ask.name.to_lowercase(),
            records: Vec::new(),
            seen: vec![ask.name.to_lowercase()],
            source: ask.source,
            routed: false,
        };
        let fate = Rc::new(self.follow(zone, ask.rtype, &client, way));
        self.asked.borrow_mut().insert(key, Rc::clone(&fate));
        fate
    }

    /// What can be known of an address.
    pub(crate) fn kind(&self, at: &Prefix) -> Kind {
        let holding = |blocks: &Vec<(Prefix, String)>| {
            let blocks = blocks.iter().map(|(block, _)| *block);
            blocks.filter(|block| block.contains(at)).collect()
        };
        let blocks = self.case.collections.values().map(holding).collect();
        let latencies = self.latencies_of(at);
        (
            self.place_of(at),
            latencies,
            blocks,
            at.embedded().is_some(),
        )
    }

    /// An address of which all is known that is known of this one: what is decided for one is
    /// decided for the other.
    pub(crate) fn like(&self, at: &Prefix) -> Prefix {
        if let Some(first) = self.firsts.borrow().get(at) {
            return *first;
        }
        let kind = self.kind(at);
        let mut kinds = self.kinds.borrow_mut();
        let known = kinds.iter().find(|(known, _)| *known == kind);
        let first = known.map_or(*at, |(_, first)| *first);
        if first == *at {
            kinds.push((kind, first));
        }
        self.firsts.borrow_mut().insert(*at, first);
        first
    }

    /// The zone with the longest apex that is seen and that the name lies in; private ones first.
    fn zone_of(&self, name: &Name, source: IpAddr) -> Option<usize> {
        let zones = self.case.zones.iter().enumerate();
        let zones = zones.filter(|(_, zone)| name.is_within(&zone.apex));
        let zones: Vec<(usize, &Zone)> = zones.collect();
        let longest = |seen| {
            let zones = zones.iter().filter(|(_, zone)| zone.seen == seen);
            let longest = zones.max_by_key(|(_, zone)| zone.apex.label_count());
            longest.map(|(place, _)| *place)
        };
        let vpc = self.case.vpc.map(|(network, _)| network);
        let inside =
            vpc.is_some_and(|network| network.contains(&Prefix::host(source.to_canonical())));
        let private = if inside { longest(Seen::Vpc) } else { None };
        private.or_else(|| longest(Seen::Here))
    }

    /// Whether a question is answered from a private zone.
    pub(crate) fn is_private(&self, ask: &Ask) -> bool {
        let zone = self.zone_of(&ask.name, ask.source);
        zone.is_some_and(|zone| self.case.zones[zone].seen == Seen::Vpc)
    }

    /// The policy of the group that a question is for.
    pub(crate) fn policy(&self, ask: &Ask) -> Option<RoutingKind> {
        let zone = self.zone_of(&ask.name, ask.source)?;
        let name = self.owner(ask)?;
        let of = |rtype| self.sets(Group { zone, name, rtype }).first();
        let set = of(ask.rtype).or_else(|| of(RecordType::Cname))?;
        Some(set.routing.kind())
    }

    /// The owner of the sets that a name has, its own or a wildcard's.
    pub(crate) fn owner(&self, ask: &Ask) -> Option<&'c Name> {
        let zone = self.zone_of(&ask.name, ask.source)?;
        match find(&self.case.zones[zone], &ask.name.to_lowercase()) {
            Found::Sets(owner) => Some(owner),
            Found::Empty | Found::Nothing => None,
        }
    }

    fn follow(&self, zone: usize, rtype: RecordType, client: &Client, way: Way) -> Fate<Answer> {
        let here = &self.case.zones[zone];
        let owner = match find(here, &way.name) {
            Found::Nothing => return Fate::Sure(self.nothing(here, &way, NXDOMAIN)),
            Found::Empty => return Fate::Sure(self.nothing(here, &way, 0)),
            Found::Sets(owner) => owner,
        };
        let of = |rtype| Group {
            zone,
            name: owner,
            rtype,
        };
        let has = |group: &Group<'_>| !self.sets(*group).is_empty();
        let Some(group) = [of(rtype), of(RecordType::Cname)].into_iter().find(has) else {
            return Fate::Sure(self.nothing(here, &way, 0));
        };
        let simple = self.members(group).iter().all(|member| {
            member.set.key.set_identifier.is_none()
                && matches!(member.set.data, SetData::Records { .. })
        });
        let way = Way {
            routed: way.routed || !simple,
            ..way
        };
        self.decide(group, client, group.name)
            .then(&mut |(leaf, shown)| {
                self.conclude(zone, rtype, client, (group.rtype, leaf, shown), way.clone())
            })
    }

    /// What one link of the answer turns it into.
    fn conclude(
        &self,
        zone: usize,
        asked: RecordType,
        client: &Client,
        (rtype, leaf, shown): (RecordType, Leaf, &Name),
        mut way: Way,
    ) -> Fate<Answer> {
        let here = &self.case.zones[zone];
        let (ttl, data) = match leaf {
            Leaf::Records { ttl, data } => (ttl, data),
            Leaf::Nothing => {
                let rcode = if self.errs(Wrong::NoMatchIsNxdomain) {
                    NXDOMAIN
                } else {
                    0
                };
                return Fate::Sure(self.nothing_here(here, &way, rcode));
            }
            Leaf::Unresolved => return Fate::Sure(Answer::new(SERVFAIL, Vec::new(), None)),
            Leaf::Gone => {
                // Neither the reference nor DESIGN says which.
                let failed = Answer::new(SERVFAIL, Vec::new(), None);
                return Fate::settled(vec![self.nothing_here(here, &way, 0), failed]);
            }
        };
        let owner = if self.errs(Wrong::AliasShowsTarget) {
            shown
        } else {
            &way.name
        };
        let owner = owner.to_string();
        let target = data.first().cloned();
        way.records.extend(data.into_iter().map(|data| Record {
            owner: owner.clone(),
            rtype: rtype.code(),
            ttl,
            data,
        }));
        let target = target
            .filter(|_| rtype == RecordType::Cname && asked != RecordType::Cname)
            .map(|wire| Name::from_wire(&wire).unwrap().to_lowercase())
            .filter(|target| way.seen.len() <= MAX_LINKS && !way.seen.contains(target))
            .filter(|target| self.zone_of(target, way.source) == Some(zone));
        let Some(target) = target else {
            return Fate::Sure(Answer::new(0, way.records, None));
        };
        way.seen.push(target.clone());
        way.name = target;
        self.follow(zone, asked, client, way)
    }

    /// The end at a name or type that does not exist.
    fn nothing(&self, zone: &Zone, way: &Way, rcode: u16) -> Answer {
        let ttl = negative_ttl(zone);
        let negative = if way.routed {
            Negative::AtMost(ttl)
        } else {
            Negative::Exactly(ttl)
        };
        Answer::new(rcode, way.records.clone(), Some(negative))
    }

    /// The end at a group that has nothing for this client (DESIGN section 4: at most 60 s).
    fn nothing_here(&self, zone: &Zone, way: &Way, rcode: u16) -> Answer {
        let most = if self.errs(Wrong::EmptyAnswerStays) {
            u32::MAX
        } else {
            60
        };
        let negative = Negative::AtMost(negative_ttl(zone).min(most));
        Answer::new(rcode, way.records.clone(), Some(negative))
    }

    /// What a group answers: the records, and the name of the group they were found in.
    fn decide(&self, group: Group<'c>, client: &Client, shown: &'c Name) -> Fate<(Leaf, &'c Name)> {
        let members = self.members(group);
        if members.is_empty() {
            return Fate::Sure((Leaf::Gone, shown));
        }
        let fate = self.choose(&members, client);
        let fate = if self.errs(Wrong::NothingSettled) {
            fate.unsettled()
        } else {
            fate
        };
        fate.then(&mut |pick| match pick {
            Pick::Nothing => Fate::Sure((Leaf::Nothing, shown)),
            Pick::Together(sets) => Fate::Sure((self.together(&sets), shown)),
            Pick::Set(set) => match &set.data {
                SetData::Records { .. } => Fate::Sure((self.together(&[set]), shown)),
                SetData::Alias(target) if is_outside(target) => {
                    let leaf = match self.outside(target, set) {
                        Some(Outside::Records { data, .. }) if data.is_empty() => Leaf::Unresolved,
                        Some(Outside::Records { ttl, data }) => Leaf::Records { ttl, data },
                        Some(Outside::Nothing) => Leaf::Nothing,
                        None => Leaf::Unresolved,
                    };
                    Fate::Sure((leaf, shown))
                }
                SetData::Alias(target) => match self.target(target, set.key.rtype) {
                    Some(group) => self.decide(group, client, group.name),
                    None => Fate::Sure((Leaf::Gone, shown)),
                },
            },
        })
    }

    /// The records of sets that are answered together, with the smallest TTL.
    fn together(&self, sets: &[&RecordSet]) -> Leaf {
        let mut all = Vec::new();
        let mut ttls = Vec::new();
        for set in sets {
            let SetData::Records { ttl, values } = &set.data else {
                unreachable!("aliases have no values");
            };
            ttls.push(*ttl);
            let rtype = set.key.rtype.code();
            let wire = |text: &String| self.wire[&(rtype, text.as_str())].clone();
            all.extend(values.iter().map(wire));
        }
        if !self.errs(Wrong::MultivalueSameTwice) {
            all.sort();
            all.dedup();
        }
        if self.errs(Wrong::MultivalueCountsValues) && sets.len() > 1 {
            all.truncate(8);
        }
        let first = self.errs(Wrong::MultivalueFirstTtl);
        let ttl = if first {
            ttls[0]
        } else {
            *ttls.iter().min().unwrap()
        };
        Leaf::Records { ttl, data: all }
    }

    pub(crate) fn sets(&self, group: Group<'_>) -> &[&'c RecordSet] {
        self.groups.get(&group.key()).map_or(&[], Vec::as_slice)
    }

    /// What is known of a host name elsewhere, and may be told by the zone of this set, whose alias
    /// it is: the records that it has the right to, which may be none (DESIGN, section 8).
    pub(crate) fn outside(&self, target: &AliasTarget, set: &RecordSet) -> Option<Outside> {
        let key = (target.name.as_wire().to_vec(), set.key.rtype.code());
        let mut known = self.case.outside.get(&key)?.clone();
        let is_home = |zone: &&Zone| zone.sets.as_ptr_range().contains(&ptr::from_ref(set));
        let home = self.case.zones.iter().find(is_home).unwrap();
        if let Outside::Records { data, .. } = &mut known
            && !self.errs(Wrong::AddressesForAll)
        {
            data.retain(|address| needed(address) <= home.rights);
        }
        Some(known)
    }

    /// The group an alias points to, if it is there.
    pub(crate) fn target(&self, target: &AliasTarget, rtype: RecordType) -> Option<Group<'c>> {
        let zone = self
            .case
            .zones
            .iter()
            .position(|zone| zone.id == target.zone)?;
        let key = (zone, target.name.as_wire().to_vec(), rtype.code());
        let set = self.groups.get(&key)?[0];
        Some(Group {
            zone,
            name: &set.key.name,
            rtype,
        })
    }
}

/// The right that an address needs, of those that cases have.
fn needed(address: &[u8]) -> ProbeRights {
    match address {
        [10, ..] | [0xfd, ..] => ProbeRights::Private,
        [127, ..] | [0xfe, 0x80, ..] => ProbeRights::Everything,
        _ => ProbeRights::Public,
    }
}

/// Whether an alias points to a host name elsewhere.
pub(crate) fn is_outside(target: &AliasTarget) -> bool {
    target.zone.as_str() == "ZEXTERNAL"
}
