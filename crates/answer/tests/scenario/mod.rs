//! Scenario files: zones, queries and the replies they are due, as plain text.
//!
//! ```text
//! # A comment. Names are absolute, with or without the last dot; values are Route 53's.
//! vpc vpc-1 127.1.0.0/16 fd00::/8 [in=us-east-1]     whose clients see the private zones that name it
//! place 192.0.2.0/24 country=US subdivision=CA at=37.4,-122.1      who is there is where
//! collection c-1 tokyo 192.0.2.0/24 2001:db8::/32     blocks of a location of a CIDR collection
//! zone example.test [views=0,2]           the older of two zones of one name comes first
//! zone example.test vpcs=vpc-1,vpc-2      a private zone
//! zone example.test rights=public         of an account that may not answer with all addresses that
//!                                         host names elsewhere have: `public` ones, or `private` too
//! www.example.test 300 A 192.0.2.1        records of one name and type make one set
//! w.example.test 60 A 192.0.2.9 | weight=3 id=x check=hc-1    a set of a policy: weighted
//!                                         failover=PRIMARY multivalue region=eu-west-1
//!                                         continent=EU country=US subdivision=CA
//!                                         near=eu-west-1 group=us-west-2-den-1 at=51.5,-0.12 bias=9
//!                                         collection=c-1 location=tokyo
//! l.example.test ALIAS A w.example.test [in=example.test] [evaluate] [| weight=3 …]
//! big.example.test 60 A 192.0.2.{1..60}   sixty lines in one
//!
//! x.example.test ALIAS A cdn.test in=zexternal [evaluate] [| weight=3 …]   to a host name elsewhere
//! resource cdn.test hc-1                  a resource of everybody's with a health check
//!
//! down hc-1 hc-2                          from here on these health checks are down, and no others
//! target cdn.test A 60 192.0.2.1 192.0.2.2         from here on this is known of a host name elsewhere
//! target cdn.test A 60 192.0.2.9 subnet=10.0.0.0/8 and this is told to clients there
//! target cdn.test A nothing               or `gone`: no such name; or `unknown`, as all are at first
//! query www.example.test A [class=CH] [tcp] [edns] [do] [bufsize=N] [version=N] [opcode=N]
//!       [ecs=192.0.2.0/24] [view=1] [client=127.1.0.1]    on one line; all but class, opcode,
//!                                         `tcp`, view and client mean EDNS
//! NOERROR [aa] [tc] [ede=N] [scope=24]
//! answer www.example.test 300 A 192.0.2.1
//! authority …
//! additional …
//! or NOERROR …                            another reply that is as good; each one comes, at times
//! ```
//! What is not listed must not be there. The order of the answer's sets counts, that of records
//! in a set does not. Owners in the answer section are compared with their case.
//! This module knows the text only: no sockets, no server, so that any runner can use it.

mod policy;

use std::fmt;
use std::net::IpAddr;

use meridian_dns::{Name, RecordType, rdata};
use meridian_model::ProbeRights;

pub(crate) use policy::Policy;

/// One file.
#[derive(Debug, Default)]
pub(crate) struct Scenario {
    pub(crate) vpcs: Vec<Vpc>,
    pub(crate) places: Vec<Place>,
    /// Regions besides AWS's: name, latitude, longitude.
    pub(crate) regions: Vec<(String, f32, f32)>,
    pub(crate) measured: Vec<Measured>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) zones: Vec<Zone>,
    /// Resources by their names, and their health checks.
    pub(crate) resources: Vec<(Name, String)>,
    pub(crate) queries: Vec<Query>,
    /// The health checks that are down for the queries that follow.
    down: Vec<String>,
    /// What is known for them of host names elsewhere.
    targets: Vec<Target>,
}

/// A host name elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub(crate) name: Name,
    pub(crate) rtype: RecordType,
    pub(crate) known: Known,
}

/// What is known of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Known {
    /// TTL and values, and for which subnet, if it is for one.
    Records(u32, Vec<String>, Option<String>),
    Nothing,
    Gone,
    Unknown,
}

/// A VPC as it is to be described.
#[derive(Debug)]
pub(crate) struct Vpc {
    pub(crate) id: String,
    pub(crate) region: String,
    pub(crate) networks: Vec<String>,
}

/// Where the clients of a network are.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) network: String,
    pub(crate) continent: Option<String>,
    pub(crate) country: Option<String>,
    pub(crate) subdivision: Option<String>,
    /// Latitude and longitude.
    pub(crate) point: Option<(f32, f32)>,
}

/// How many milliseconds it is from a network to regions.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) address: IpAddr,
    pub(crate) bits: u8,
    pub(crate) ms: Vec<(String, f32)>,
}

/// A block of a location of a CIDR collection.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) collection: String,
    pub(crate) location: String,
    pub(crate) address: IpAddr,
    pub(crate) bits: u8,
}

/// A zone as it is to be created, in this order.
#[derive(Debug)]
pub(crate) struct Zone {
    pub(crate) apex: Name,
    pub(crate) views: Vec<u8>,
    /// The VPCs that see a private zone; none for a public one.
    pub(crate) vpcs: Option<Vec<String>>,
    /// What its account may answer with of what is elsewhere.
    pub(crate) rights: ProbeRights,
    pub(crate) sets: Vec<Set>,
}

/// A record set as it is to be created.
#[derive(Debug, Clone)]
pub(crate) struct Set {
    pub(crate) name: Name,
    pub(crate) rtype: RecordType,
    pub(crate) ttl: u32,
    /// None for an alias.
    pub(crate) values: Vec<String>,
    pub(crate) alias: Option<Alias>,
    pub(crate) policy: Policy,
}

/// Where an alias points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Alias {
    /// The apex of the target's zone.
    pub(crate) zone: Name,
    pub(crate) name: Name,
    pub(crate) evaluate: bool,
}

impl Set {
    /// A set of these values without a policy.
    pub(crate) fn simple(name: Name, rtype: RecordType, ttl: u32, values: Vec<String>) -> Self {
        Self {
            name,
            rtype,
            ttl,
            values,
            alias: None,
            policy: Policy::default(),
        }
    }
}

/// What to ask, and the reply.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) line: usize,
    pub(crate) view: u8,
    /// The health checks that are down.
    pub(crate) down: Vec<String>,
    /// What is known of host names elsewhere.
    pub(crate) targets: Vec<Target>,
    pub(crate) ask: Ask,
    /// At least one; each comes at times.
    pub(crate) expected: Vec<Expected>,
}

/// One query.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) name: Name,
    pub(crate) qtype: u16,
    pub(crate) class: u16,
    pub(crate) opcode: u8,
    pub(crate) tcp: bool,
    pub(crate) client: IpAddr,
    pub(crate) edns: Option<Edns>,
}

/// The OPT record of a query.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edns {
    pub(crate) payload: u16,
    pub(crate) version: u8,
    pub(crate) dnssec_ok: bool,
    pub(crate) subnet: Option<(IpAddr, u8)>,
}

/// A reply without what follows from the query: id, question, EDNS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) rcode: u16,
    pub(crate) authoritative: bool,
    pub(crate) truncated: bool,
    pub(crate) extended_error: Option<u16>,
    /// Of the client subnet option; 0 where there is none.
    pub(crate) scope: u8,
    /// Answer, authority, additional.
    pub(crate) sections: [Vec<Record>; 3],
}

/// One record of a reply.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Record {
    /// Wire form.
    pub(crate) owner: Vec<u8>,
    pub(crate) rtype: u16,
    pub(crate) ttl: u32,
    /// Wire form without compression.
    pub(crate) data: Vec<u8>,
}

impl fmt::Debug for Record {
    /// As in a file where it can be, so that a difference can be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Name::from_wire(&self.owner) {
            Ok(owner) => write!(f, "{owner} {} ", self.ttl)?,
            Err(_) => write!(f, "{:x?} {} ", self.owner, self.ttl)?,
        }
        let stored = RecordType::from_code(self.rtype);
        match stored.and_then(|rtype| Some((rtype, rdata::text(rtype, &self.data).ok()?))) {
            Some((rtype, value)) => write!(f, "{rtype} {value}"),
            None => write!(f, "TYPE{} {:x?}", self.rtype, self.data),
        }
    }
}

const RCODES: [(&str, u16); 7] = [
    ("NOERROR", 0),
    ("FORMERR", 1),
    ("SERVFAIL", 2),
    ("NXDOMAIN", 3),
    ("NOTIMP", 4),
    ("REFUSED", 5),
    ("BADVERS", 16),
];

/// Types that are asked for or answered but not stored.
const TYPES: [(&str, u16); 8] = [
    ("HINFO", 13),
    ("DNAME", 39),
    ("RRSIG", 46),
    ("DNSKEY", 48),
    ("IXFR", 251),
    ("AXFR", 252),
    ("ANY", 255),
    ("OPT", 41),
];

const SECTIONS: [&str; 3] = ["answer", "authority", "additional"];

/// Reads a file.
///
/// # Panics
/// With the number of the line that makes no sense.
pub(crate) fn parse(text: &str) -> Scenario {
    let mut scenario = Scenario::default();
    for (place, line) in text.lines().enumerate() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        for line in expand(line) {
            if scenario.line(place + 1, &line).is_none() {
                panic!("line {} makes no sense: {line}", place + 1);
            }
        }
    }
    scenario
}

/// `a{2..4}` becomes `a2`, `a3`, `a4`.
fn expand(line: &str) -> Vec<String> {
    let range = || {
        let (head, rest) = line.split_once('{')?;
        let (range, tail) = rest.split_once('}')?;
        let (from, to) = range.split_once("..")?;
        let numbers = from.parse::<u32>().ok()?..=to.parse().ok()?;
        Some(numbers.map(|i| format!("{head}{i}{tail}")).collect())
    };
    range().unwrap_or_else(|| vec![line.to_owned()])
}

impl Scenario {
    fn line(&mut self, number: usize, line: &str) -> Option<()> {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match word {
            "vpc" => {
                let (rest, region) = rest.split_once(" in=").unwrap_or((rest, "eu-west-1"));
                let mut words = rest.split_whitespace().map(str::to_owned);
                self.vpcs.push(Vpc {
                    id: words.next()?,
                    region: region.to_owned(),
                    networks: words.collect(),
                });
            }
            "place" => self.places.push(place(rest)?),
            "collection" => self.collection(rest)?,
            "measured" => self.measured.push(measured(rest)?),
            "region" => {
                let (name, point) = rest.split_once(' ')?;
                let (latitude, longitude) = point.split_once(',')?;
                let (latitude, longitude) = (latitude.parse().ok()?, longitude.parse().ok()?);
                self.regions.push((name.to_owned(), latitude, longitude));
            }
            "zone" => self.zones.push(zone(rest)?),
            "down" => self.down = rest.split_whitespace().map(str::to_owned).collect(),
            "resource" => {
                let (name, check) = rest.split_once(' ')?;
                self.resources
                    .push((Name::parse(name).ok()?, check.to_owned()));
            }
            "target" => self.target(rest)?,
            "query" => {
                let query = query(number, rest, (&self.down, &self.targets))?;
                self.queries.push(query);
            }
            "or" => {
                let (word, rest) = rest.split_once(' ').unwrap_or((rest, ""));
                let expected = reply(word, rest)?;
                self.queries.last_mut()?.expected.push(expected);
            }
            section if SECTIONS.contains(&section) => {
                let section = SECTIONS.iter().position(|s| *s == section)?;
                let expected = self.queries.last_mut()?.expected.last_mut()?;
                expected.sections[section].push(record(rest)?);
            }
            rcode if RCODES.iter().any(|(text, _)| *text == rcode) => {
                self.queries.last_mut()?.expected = vec![reply(rcode, rest)?];
            }
            _ => self.zones.last_mut()?.add(line)?,
        }
        Some(())
    }
}

impl Scenario {
    fn target(&mut self, text: &str) -> Option<()> {
        let mut words = text.split_whitespace().map(str::to_owned);
        let name = Name::parse(&words.next()?).ok()?;
        let rtype = words.next()?.parse().ok()?;
        let known = match words.next()?.as_str() {
            "nothing" => Known::Nothing,
            "gone" => Known::Gone,
            "unknown" => Known::Unknown,
            ttl => {
                // Blanks inside a value are written as `_`.
                let mut values: Vec<String> = words.map(|word| word.replace('_', " ")).collect();
                let last = values.last()?.strip_prefix("subnet=").map(str::to_owned);
                if last.is_some() {
                    values.pop();
                }
                Known::Records(ttl.parse().ok()?, values, last)
            }
        };
        if !matches!(known, Known::Records(_, _, Some(_))) {
            let other = |target: &Target| target.name != name || target.rtype != rtype;
            self.targets.retain(other);
        }
        self.targets.push(Target { name, rtype, known });
        Some(())
    }

    fn collection(&mut self, text: &str) -> Option<()> {
        let mut words = text.split_whitespace();
        let (collection, location) = (words.next()?, words.next()?);
        for block in words {
            let (address, bits) = block.split_once('/')?;
            self.blocks.push(Block {
                collection: collection.to_owned(),
                location: location.to_owned(),
                address: address.parse().ok()?,
                bits: bits.parse().ok()?,
            });
        }
        Some(())
    }
}

fn place(text: &str) -> Option<Place> {
    let mut words = text.split_whitespace();
    let mut place = Place {
        network: words.next()?.to_owned(),
        continent: None,
        country: None,
        subdivision: None,
        point: None,
    };
    for word in words {
        let (key, value) = word.split_once('=')?;
        let text = Some(value.to_owned());
        match key {
            "continent" => place.continent = text,
            "country" => place.country = text,
            "subdivision" => place.subdivision = text,
            "at" => {
                let (latitude, longitude) = value.split_once(',')?;
                place.point = Some((latitude.parse().ok()?, longitude.parse().ok()?));
            }
            _ => return None,
        }
    }
    Some(place)
}

fn measured(text: &str) -> Option<Measured> {
    let mut words = text.split_whitespace();
    let (address, bits) = words.next()?.split_once('/')?;
    let ms = words.map(|word| {
        let (region, ms) = word.split_once('=')?;
        Some((region.to_owned(), ms.parse().ok()?))
    });
    Some(Measured {
        address: address.parse().ok()?,
        bits: bits.parse().ok()?,
        ms: ms.collect::<Option<_>>()?,
    })
}

/// A reply without its records.
fn reply(rcode: &str, flags: &str) -> Option<Expected> {
    let (_, rcode) = RCODES.iter().find(|(text, _)| *text == rcode)?;
    let mut expected = Expected {
        rcode: *rcode,
        ..Expected::default()
    };
    for flag in flags.split_whitespace() {
        match flag.split_once('=').unwrap_or((flag, "")) {
            ("aa", _) => expected.authoritative = true,
            ("tc", _) => expected.truncated = true,
            ("ede", code) => expected.extended_error = Some(code.parse().ok()?),
            ("scope", bits) => expected.scope = bits.parse().ok()?,
            _ => return None,
        }
    }
    Some(expected)
}

impl Zone {
    fn add(&mut self, line: &str) -> Option<()> {
        let (line, policy) = line.split_once(" | ").unwrap_or((line, ""));
        let [name, ttl, rtype, value] = fields(line)?;
        let (name, rtype) = (Name::parse(name).ok()?.to_lowercase(), rtype.parse().ok()?);
        let policy = Policy::parse(policy)?;
        if ttl == "ALIAS" {
            let alias = Some(self.alias(value)?);
            let set = Set::simple(name, rtype, 0, Vec::new());
            self.sets.push(Set {
                alias,
                policy,
                ..set
            });
            return Some(());
        }
        let ttl = ttl.parse().ok()?;
        let known = self.sets.iter_mut().find(|set| {
            (&set.name, set.rtype, &set.policy) == (&name, rtype, &policy) && set.ttl == ttl
        });
        match known {
            Some(set) => set.values.push(value.to_owned()),
            None => {
                let set = Set::simple(name, rtype, ttl, vec![value.to_owned()]);
                self.sets.push(Set { policy, ..set });
            }
        }
        Some(())
    }

    fn alias(&self, text: &str) -> Option<Alias> {
        let mut words = text.split_whitespace();
        let mut alias = Alias {
            zone: self.apex.clone(),
            name: Name::parse(words.next()?).ok()?.to_lowercase(),
            evaluate: false,
        };
        for word in words {
            match word.split_once('=').unwrap_or((word, "")) {
                ("in", apex) => alias.zone = Name::parse(apex).ok()?.to_lowercase(),
                ("evaluate", _) => alias.evaluate = true,
                _ => return None,
            }
        }
        Some(alias)
    }
}

/// Name, TTL, type and the rest of the line.
fn fields(line: &str) -> Option<[&str; 4]> {
    let (name, rest) = line.split_once(' ')?;
    let (ttl, rest) = rest.trim_start().split_once(' ')?;
    let (rtype, value) = rest.trim_start().split_once(' ')?;
    Some([name, ttl, rtype, value.trim()])
}

fn zone(text: &str) -> Option<Zone> {
    let (text, rights) = match text.split_once(" rights=") {
        Some((text, word)) => {
            let mut all = ProbeRights::ALL.into_iter();
            (text, all.find(|rights| rights.as_str() == word)?)
        }
        None => (text, ProbeRights::Everything),
    };
    let (text, vpcs) = match text.split_once(" vpcs=") {
        Some((text, vpcs)) => (text, Some(vpcs.split(',').map(str::to_owned).collect())),
        None => (text, None),
    };
    let (apex, views) = text.split_once(" views=").unwrap_or((text, "0"));
    Some(Zone {
        apex: Name::parse(apex).ok()?.to_lowercase(),
        views: views
            .split(',')
            .map(|view| view.parse().ok())
            .collect::<Option<_>>()?,
        vpcs,
        rights,
        sets: Vec::new(),
    })
}

fn query(line: usize, text: &str, known: (&[String], &[Target])) -> Option<Query> {
    let (down, targets) = known;
    let mut words = text.split_whitespace();
    let mut ask = Ask {
        name: Name::parse(words.next()?).ok()?,
        qtype: rtype(words.next()?)?,
        class: 1,
        opcode: 0,
        tcp: false,
        client: IpAddr::from([127, 0, 0, 1]),
        edns: None,
    };
    let mut view = 0;
    for word in words {
        let (key, value) = word.split_once('=').unwrap_or((word, ""));
        match key {
            "class" => {
                ask.class = if value == "CH" {
                    3
                } else {
                    value.parse().ok()?
                }
            }
            "opcode" => ask.opcode = value.parse().ok()?,
            "tcp" => ask.tcp = true,
            "view" => view = value.parse().ok()?,
            "client" => ask.client = value.parse().ok()?,
            _ => {
                let edns = ask.edns.get_or_insert_default();
                match key {
                    "edns" => {}
                    "do" => edns.dnssec_ok = true,
                    "bufsize" => edns.payload = value.parse().ok()?,
                    "version" => edns.version = value.parse().ok()?,
                    "ecs" => {
                        let (address, len) = value.split_once('/')?;
                        edns.subnet = Some((address.parse().ok()?, len.parse().ok()?));
                    }
                    _ => return None,
                }
            }
        }
    }
    Some(Query {
        line,
        view,
        down: down.to_vec(),
        targets: targets.to_vec(),
        ask,
        expected: Vec::new(),
    })
}

impl Default for Edns {
    fn default() -> Self {
        Self {
            payload: 1232,
            version: 0,
            dnssec_ok: false,
            subnet: None,
        }
    }
}

fn record(text: &str) -> Option<Record> {
    let [name, ttl, type_text, value] = fields(text)?;
    let number = rtype(type_text)?;
    // HINFO is two character strings, as TXT is any number of them.
    let like = RecordType::from_code(number).unwrap_or(RecordType::Txt);
    Some(Record {
        owner: Name::parse(name).ok()?.as_wire().to_vec(),
        rtype: number,
        ttl: ttl.parse().ok()?,
        data: rdata::parse(like, value).ok()?,
    })
}

fn rtype(text: &str) -> Option<u16> {
    if let Ok(stored) = text.parse::<RecordType>() {
        return Some(stored.code());
    }
    if let Some((_, code)) = TYPES.iter().find(|(name, _)| *name == text) {
        return Some(*code);
    }
    text.strip_prefix("TYPE")?.parse().ok()
}
