//! Made-up zones, the same on every run: what is in them, and no more than an index names each.
//!
//! `many` are zones of ten record sets, as a hosting provider has them; `one` is a single zone with
//! any number of names and a wildcard; `cuts` is a zone that delegates; `routed` one whose names have
//! policies; `checked` one whose names go by a health check each.

use std::net::Ipv4Addr;

use anyhow::{Context, Result};
use meridian_dns::{Name, RecordType};
use meridian_model::{
    Draft, Endpoint, FailoverRole, GeoLocation, Protocol, RecordSet, Region, Routing,
};

/// Delegations in the zone [`CUTS`].
pub const DELEGATIONS: u64 = 1000;
/// The apex of the zone with any number of names.
pub const ONE: &str = "one.test";
/// The apex of the zone that delegates.
pub const CUTS: &str = "cuts.test";
/// The apex of the zone whose names have policies.
pub const ROUTED: &str = "routed.test";
/// Names of each policy in it.
pub const ROUTED_NAMES: u64 = 100;

/// The apex of the zone whose names go by a health check each.
pub const CHECKED: &str = "checked.test";

const TTL: u32 = 300;

/// What a record set is chosen by, among others of its name and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Policy {
    /// By its weight.
    Weight(u8),
    /// By the continent of the client, two letters.
    Continent(String),
    /// By no other place being that of the client.
    AnyPlace,
    /// By the latency to a region.
    Latency(&'static str),
    /// As long as this health check says that it is healthy.
    Primary(String),
    /// When that does not.
    Secondary,
}

/// One record set, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The owner, without the final dot.
    pub name: String,
    /// The type.
    pub rtype: RecordType,
    /// Seconds.
    pub ttl: u32,
    /// As a request would spell them.
    pub values: Vec<String>,
    /// None for a plain set.
    pub policy: Option<Policy>,
}

impl Row {
    fn new(name: &str, rtype: RecordType, value: String) -> Self {
        Self {
            name: name.to_owned(),
            rtype,
            ttl: TTL,
            values: vec![value],
            policy: None,
        }
    }

    /// An address that a name has by a policy.
    #[must_use]
    pub fn routed(name: &str, address: String, policy: Policy) -> Self {
        Self {
            policy: Some(policy),
            ..Self::new(name, RecordType::A, address)
        }
    }

    fn identifier(&self) -> Option<String> {
        match self.policy.as_ref()? {
            Policy::Weight(_) => self.values.first().cloned(),
            Policy::Continent(continent) => Some(continent.clone()),
            Policy::AnyPlace => Some("*".to_owned()),
            Policy::Latency(region) => Some((*region).to_owned()),
            Policy::Primary(_) => Some("primary".to_owned()),
            Policy::Secondary => Some("secondary".to_owned()),
        }
    }

    fn check(&self) -> Option<String> {
        match self.policy.as_ref()? {
            Policy::Primary(check) => Some(check.clone()),
            _ => None,
        }
    }

    /// As a request would send it.
    #[must_use]
    pub fn draft(&self) -> Draft {
        let values: Vec<&str> = self.values.iter().map(String::as_str).collect();
        let mut draft = Draft::simple(&self.name, self.rtype, self.ttl, &values);
        draft.set_identifier = self.identifier();
        match self.routing() {
            Routing::Weighted(weight) => draft.weight = Some(weight),
            Routing::Geolocation(place) => draft.geo_location = Some(place),
            Routing::Latency(region) => draft.region = Some(region),
            Routing::Failover(role) => draft.failover = Some(role),
            _ => {}
        }
        draft.health_check_id = self.check();
        draft
    }

    fn routing(&self) -> Routing {
        let place = |continent: Option<&String>, country: Option<&str>| {
            Routing::Geolocation(GeoLocation {
                continent: continent.cloned(),
                country: country.map(str::to_owned),
                subdivision: None,
            })
        };
        match &self.policy {
            None => Routing::Simple,
            Some(Policy::Weight(weight)) => Routing::Weighted(*weight),
            Some(Policy::Continent(continent)) => place(Some(continent), None),
            Some(Policy::AnyPlace) => place(None, Some("*")),
            Some(Policy::Latency(region)) => Routing::Latency(Region::stored(region)),
            Some(Policy::Primary(_)) => Routing::Failover(FailoverRole::Primary),
            Some(Policy::Secondary) => Routing::Failover(FailoverRole::Secondary),
        }
    }

    /// As it is stored.
    ///
    /// # Errors
    /// When the owner is no name.
    pub fn set(&self) -> Result<RecordSet> {
        let name = Name::parse(&self.name).with_context(|| self.name.clone())?;
        let values = self.values.clone();
        let mut set = RecordSet::simple(name.to_lowercase(), self.rtype, self.ttl, values);
        set.key.set_identifier = self.identifier();
        set.routing = self.routing();
        set.health_check_id = self.check();
        Ok(set)
    }
}

/// A zone's apex and what is in it beside SOA and NS of the apex, which creating it makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZoneRows {
    /// The apex, without the final dot.
    pub apex: String,
    /// In no special order.
    pub rows: Vec<Row>,
}

impl ZoneRows {
    /// SOA and NS as they are for a zone of its own name servers: for images that are built
    /// without a journal.
    #[must_use]
    pub fn apex_rows(&self) -> [Row; 2] {
        let soa = format!("ns1.{0} admin.{0} 1 7200 900 1209600 300", self.apex);
        [
            Row::new(&self.apex, RecordType::Soa, soa),
            Row::new(&self.apex, RecordType::Ns, format!("ns1.{}", self.apex)),
        ]
    }
}

/// The apex of the zone of this number among the many.
#[must_use]
pub fn many_apex(number: u64) -> String {
    let domain = ["com", "net", "org", "io"][usize::try_from(mix(number) % 4).unwrap_or(0)];
    format!("{}{number}.{domain}.test", label(number))
}

/// The zone of this number among the many: ten sets with SOA and NS.
#[must_use]
pub fn many(number: u64) -> ZoneRows {
    let apex = many_apex(number);
    let below = |label: &str| format!("{label}.{apex}");
    let v6 = format!("2001:db8::{:x}", number & 0xffff);
    let rows = vec![
        Row::new(&below("ns1"), RecordType::A, "10.0.255.1".to_owned()),
        Row::new(&apex, RecordType::A, text(address(number * 4))),
        Row::new(&apex, RecordType::Mx, format!("10 mail.{apex}")),
        Row::new(&apex, RecordType::Txt, "\"v=spf1 -all\"".to_owned()),
        Row::new(&below("www"), RecordType::A, text(address(number * 4 + 1))),
        Row::new(&below("mail"), RecordType::A, text(address(number * 4 + 2))),
        Row::new(&below("api"), RecordType::A, text(address(number * 4 + 3))),
        Row::new(&below("v6"), RecordType::Aaaa, v6),
    ];
    ZoneRows { apex, rows }
}

/// The zone [`ONE`] with this many names, and a wildcard.
#[must_use]
pub fn one(names: u64) -> ZoneRows {
    let hosts = (0..names).map(|host| {
        Row::new(
            &format!("h{host}.{ONE}"),
            RecordType::A,
            text(address(host)),
        )
    });
    let wildcard = Row::new(&format!("*.wild.{ONE}"), RecordType::A, text(WILD));
    ZoneRows {
        apex: ONE.to_owned(),
        rows: hosts.chain([wildcard]).collect(),
    }
}

/// The zone [`CUTS`]: each delegation has two name servers inside itself.
#[must_use]
pub fn cuts() -> ZoneRows {
    let mut rows = Vec::new();
    for number in 0..DELEGATIONS {
        let cut = format!("d{number}.{CUTS}");
        let servers: Vec<String> = (1..=2).map(|server| format!("ns{server}.{cut}")).collect();
        for (server, place) in servers.iter().zip(0..) {
            let value = text(address(number * 2 + place));
            rows.push(Row::new(server, RecordType::A, value));
        }
        rows.push(Row {
            name: cut,
            rtype: RecordType::Ns,
            ttl: TTL,
            values: servers,
            policy: None,
        });
    }
    ZoneRows {
        apex: CUTS.to_owned(),
        rows,
    }
}

/// The zone [`ROUTED`]: names `w`, `g` and `l` with a number, each with the addresses of
/// [`ROUTED_TO`] by weight, by continent and by latency.
#[must_use]
pub fn routed() -> ZoneRows {
    let mut rows = Vec::new();
    for number in 0..ROUTED_NAMES {
        let mut add = |kind: char, place: usize, policy| {
            let address = text(ROUTED_TO[place]);
            rows.push(Row::routed(
                &format!("{kind}{number}.{ROUTED}"),
                address,
                policy,
            ));
        };
        for (place, weight) in [10, 20, 30, 40].into_iter().enumerate() {
            add('w', place, Policy::Weight(weight));
        }
        add('g', 0, Policy::AnyPlace);
        for (place, continent) in ["EU", "AS", "SA"].into_iter().enumerate() {
            add('g', place + 1, Policy::Continent(continent.to_owned()));
        }
        let regions = ["us-east-1", "eu-west-1", "ap-northeast-1", "sa-east-1"];
        for (place, region) in regions.into_iter().enumerate() {
            add('l', place, Policy::Latency(region));
        }
    }
    ZoneRows {
        apex: ROUTED.to_owned(),
        rows,
    }
}

/// The zone [`CHECKED`] with this many names, each of which goes by the check of its number.
#[must_use]
pub fn checked(names: u64) -> ZoneRows {
    let pairs = (0..names).flat_map(|number| {
        let name = format!("n{number}.{CHECKED}");
        let policies = [Policy::Primary(check_id(number)), Policy::Secondary];
        let places = CHECKED_TO.into_iter().zip(policies);
        places.map(move |(address, policy)| Row::routed(&name, text(address), policy))
    });
    ZoneRows {
        apex: CHECKED.to_owned(),
        rows: pairs.collect(),
    }
}

/// The id of the health check with this number.
#[must_use]
pub fn check_id(number: u64) -> String {
    format!("{number:08x}-0000-4000-8000-000000000000")
}

/// The ARN of a routing control that is called so.
#[must_use]
pub fn control(name: &str) -> String {
    format!("arn:aws:route53-recovery-control::123456789012:controlpanel/0/routingcontrol/{name}")
}

/// The endpoint with this number, by HTTP every 30 seconds: one listener at this port of all
/// addresses has them all.
#[must_use]
pub fn endpoint(number: u32, port: u16) -> Endpoint {
    let address = u32::from(FIRST_ENDPOINT) + number % ENDPOINTS;
    Endpoint {
        protocol: Protocol::Http,
        ip_address: Some(Ipv4Addr::from(address).into()),
        domain_name: None,
        port,
        path: None,
        search_string: None,
        request_interval_s: 30,
        failure_threshold: 3,
        measure_latency: false,
        enable_sni: false,
        regions: Vec::new(),
    }
}

/// Addresses that endpoints are spread over, all in 127.0.0.0/8.
const ENDPOINTS: u32 = 60_000;
const FIRST_ENDPOINT: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 1);

/// What the names of [`CHECKED`] answer: the primary's address, the secondary's.
pub const CHECKED_TO: [[u8; 4]; 2] = [[10, 8, 0, 1], [10, 8, 0, 2]];

/// What the names of [`ROUTED`] answer, one of these.
pub const ROUTED_TO: [[u8; 4]; 4] = [[10, 7, 0, 1], [10, 7, 0, 2], [10, 7, 0, 3], [10, 7, 0, 4]];

/// What the wildcard of [`ONE`] answers.
pub const WILD: [u8; 4] = [10, 99, 0, 1];

/// The address with this number.
#[must_use]
pub fn address(number: u64) -> [u8; 4] {
    let [.., a, b, c] = number.to_be_bytes();
    [10, a, b, c]
}

fn text(address: [u8; 4]) -> String {
    Ipv4Addr::from(address).to_string()
}

/// Ten letters and digits that look random and are the same on every run.
#[must_use]
pub fn label(number: u64) -> String {
    const CHARACTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let bits = mix(number);
    let character = |place: u32| CHARACTERS[usize::try_from(bits >> (5 * place) & 31).unwrap_or(0)];
    let rest = (1..10).map(|place| char::from(character(place)));
    std::iter::once('x').chain(rest).collect()
}

/// One of so many things by a random number, as people ask for things: the second half as often as
/// the first, the third a third as often, and so on (Zipf's law).
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "an estimate of a rank, which is no less than 1"
)]
pub fn popular(random: u64, count: usize) -> usize {
    let share = random as f64 / u64::MAX as f64;
    let rank = ((count as f64 + 1.0).ln() * share).exp() as usize;
    rank.clamp(1, count.max(1)) - 1
}

/// The lower half of a number.
#[must_use]
pub fn low(number: u64) -> u32 {
    let [.., a, b, c, d] = number.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}

/// SplitMix64: spreads numbers over all 64 bits.
#[must_use]
pub fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
