//! One case as plain data: zones, health, who is where; and the questions that are put to it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use meridian_dns::{Name, RecordType};
use meridian_model::{ProbeRights, RecordSet, SetData, ZoneId};

/// All facts but the client and chance.
#[derive(Clone, Default)]
pub(crate) struct Case {
    pub(crate) zones: Vec<Zone>,
    /// The checks there are, and whether they say healthy.
    pub(crate) checks: BTreeMap<String, bool>,
    /// Where networks are; the longest that contains an address counts.
    pub(crate) places: Vec<(Prefix, Place)>,
    /// How many milliseconds it is from networks to some regions; the longest network that contains
    /// an address counts.
    pub(crate) latencies: Vec<(Prefix, Latencies)>,
    /// The network of the VPC, if there is one, and its region.
    pub(crate) vpc: Option<(Prefix, &'static str)>,
    /// The collections: blocks and the location of each.
    pub(crate) collections: BTreeMap<String, Vec<(Prefix, String)>>,
    /// What is known of host names elsewhere, by name in wire form and type. The others have not been
    /// resolved.
    pub(crate) outside: BTreeMap<(Vec<u8>, u16), Outside>,
}

/// A host name elsewhere that was resolved.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Outside {
    /// These records.
    Records { ttl: u32, data: Vec<Vec<u8>> },
    /// None.
    Nothing,
}

/// Milliseconds by region.
pub(crate) type Latencies = BTreeMap<&'static str, f64>;

/// A zone of the account.
#[derive(Clone)]
pub(crate) struct Zone {
    pub(crate) id: ZoneId,
    pub(crate) apex: Name,
    pub(crate) seen: Seen,
    /// What its account may answer with of what host names elsewhere lead to.
    pub(crate) rights: ProbeRights,
    pub(crate) sets: Vec<RecordSet>,
}

/// Who sees a zone. Aliases lead into it all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// Whoever asks where questions are asked.
    Here,
    /// Whoever asks at other name servers.
    Elsewhere,
    /// The clients of the VPC.
    Vpc,
}

/// Whom an answer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Client {
    pub(crate) network: Prefix,
    /// The region that stands for its place, in private zones.
    pub(crate) region: Option<&'static str>,
}

/// Where somebody is, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Place {
    pub(crate) continent: Option<&'static str>,
    pub(crate) country: Option<&'static str>,
    pub(crate) subdivision: Option<&'static str>,
    /// Latitude and longitude.
    pub(crate) point: Option<(f64, f64)>,
}

/// A question, and who asks.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) name: Name,
    pub(crate) rtype: RecordType,
    pub(crate) source: IpAddr,
    /// The client subnet option.
    pub(crate) subnet: Option<Prefix>,
}

impl Ask {
    /// Who the answer is for: the subnet, or the source where that says nothing.
    pub(crate) fn client(&self) -> Prefix {
        let told = self.subnet.filter(|subnet| subnet.len > 0);
        // A mapped address is that of an IPv4 client at an IPv6 socket.
        told.unwrap_or_else(|| Prefix::host(self.source.to_canonical()))
    }
}

/// The first bits of an address.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Prefix {
    v6: bool,
    /// At the upper end, zero behind the length.
    bits: u128,
    pub(crate) len: u8,
}

/// What stands before an IPv4 address in an IPv6 one: mapped, and 6to4.
const EMBEDDING: [(u128, u8); 2] = [(0xffff << 32, 96), (0x2002 << 112, 16)];

impl Prefix {
    pub(crate) fn new(address: IpAddr, len: u8) -> Self {
        let (v6, bits) = match address {
            IpAddr::V4(v4) => (false, u128::from(v4.to_bits()) << 96),
            IpAddr::V6(v6) => (true, v6.to_bits()),
        };
        Self { v6, bits, len }.cut(len)
    }

    pub(crate) fn host(address: IpAddr) -> Self {
        Self::new(address, if address.is_ipv4() { 32 } else { 128 })
    }

    pub(crate) fn parse(text: &str) -> Self {
        let (address, len) = text.split_once('/').unwrap();
        Self::new(address.parse().unwrap(), len.parse().unwrap())
    }

    /// The prefix of this length that starts alike.
    pub(crate) fn cut(self, len: u8) -> Self {
        let behind = u128::MAX.checked_shr(len.into()).unwrap_or(0);
        Self {
            bits: self.bits & !behind,
            len,
            ..self
        }
    }

    pub(crate) fn contains(&self, other: &Self) -> bool {
        self.v6 == other.v6 && self.len <= other.len && other.cut(self.len) == *self
    }

    /// The IPv4 prefix in an IPv6 one, mapped or by 6to4: it is where that is.
    pub(crate) fn embedded(&self) -> Option<Self> {
        let behind = EMBEDDING.into_iter().find(|(bits, len)| {
            let around = Self {
                v6: true,
                bits: *bits,
                len: *len,
            };
            around.contains(self)
        });
        behind.map(|(_, len)| Self::new(IpAddr::V4(Ipv4Addr::from_bits(0)), 0).of(self, len))
    }

    fn of(self, whole: &Self, skip: u8) -> Self {
        let len = (whole.len - skip).min(32);
        let bits = whole.bits << skip;
        Self { bits, ..self }.cut(len)
    }

    /// The IPv6 prefixes that an IPv4 one is embedded in.
    pub(crate) fn embedding(&self) -> impl Iterator<Item = Self> {
        let (bits, len) = (self.bits, self.len);
        EMBEDDING.into_iter().map(move |(above, skip)| Self {
            v6: true,
            bits: above | bits >> skip,
            len: skip + len,
        })
    }

    /// Bits of an address of this family.
    pub(crate) fn width(&self) -> u8 {
        if self.v6 { 128 } else { 32 }
    }

    /// The first address as a prefix.
    pub(crate) fn first(&self) -> Self {
        Self {
            len: self.width(),
            ..*self
        }
    }

    /// The address behind the last one, if there is any.
    pub(crate) fn behind(&self) -> Option<Self> {
        let step = 1_u128.checked_shl(128 - u32::from(self.len))?;
        let bits = self.bits.checked_add(step)?;
        Some(Self { bits, ..*self }.first())
    }

    /// The address before the first one, if there is any.
    pub(crate) fn before(&self) -> Option<Self> {
        let step = 1_u128 << (128 - self.width());
        let bits = self.bits.checked_sub(step)?;
        Some(Self { bits, ..*self }.first())
    }

    /// How many first bits two prefixes of one family share.
    pub(crate) fn shared(&self, other: &Self) -> u8 {
        let same = (self.bits ^ other.bits).leading_zeros();
        u8::try_from(same).unwrap().min(self.len).min(other.len)
    }

    pub(crate) fn address(&self) -> IpAddr {
        if self.v6 {
            Ipv6Addr::from_bits(self.bits).into()
        } else {
            Ipv4Addr::from_bits(u32::try_from(self.bits >> 96).unwrap()).into()
        }
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.len)
    }
}

impl fmt::Debug for Case {
    /// One line for each thing, so that a small case can be read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for zone in &self.zones {
            let (seen, rights) = (zone.seen, zone.rights);
            writeln!(f, "zone {} {} {seen:?} {rights:?}", zone.id, zone.apex)?;
            for set in &zone.sets {
                write!(f, "  {} {:?}", set.key, set.routing)?;
                match &set.data {
                    SetData::Records { ttl, values } => write!(f, " {ttl} {values:?}")?,
                    SetData::Alias(target) => {
                        let evaluate = target.evaluate_target_health;
                        write!(f, " alias {} {} {evaluate}", target.zone, target.name)?;
                    }
                }
                match &set.health_check_id {
                    Some(check) => writeln!(f, " check {check}")?,
                    None => writeln!(f)?,
                }
            }
        }
        writeln!(f, "checks {:?}", self.checks)?;
        writeln!(f, "vpc {:?}", self.vpc)?;
        for (network, place) in &self.places {
            writeln!(f, "place {network:?} {place:?}")?;
        }
        for (network, latencies) in &self.latencies {
            writeln!(f, "latencies {network:?} {latencies:?}")?;
        }
        for ((name, rtype), known) in &self.outside {
            writeln!(f, "outside {:?} {rtype} {known:?}", Name::from_wire(name))?;
        }
        for (id, blocks) in &self.collections {
            writeln!(f, "collection {id} {blocks:?}")?;
        }
        Ok(())
    }
}
