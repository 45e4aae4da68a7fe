//! One host name elsewhere as answers are made from it: its records stand as a set of a node does, so
//! that they are written like any other's.

use std::net::IpAddr;

use meridian_dns::message::fits_in_message;
use meridian_dns::{Name, RecordType, rdata};
use meridian_model::{Network, ProbeRights};

use super::{ExternalFacts, ExternalRecords, ExternalState, ExternalTarget, Outside};
use crate::blocks::Blocks;
use crate::compile::write_plain;
use crate::node::Set;

/// What is known of a name and type.
#[derive(Debug)]
pub(crate) struct Entry {
    name: Name,
    rtype: RecordType,
    /// What it answers with for accounts with every right.
    held: Held,
    /// For those with fewer, the fewest first, where that is something else.
    fewer: Option<Box<[Held; FEWER.len()]>>,
    pub(crate) facts: ExternalFacts,
}

/// Rights that are not all there are.
const FEWER: [ProbeRights; 2] = [ProbeRights::Public, ProbeRights::Private];

/// What it answers with.
#[derive(Debug)]
pub(crate) enum Held {
    /// To whoever lies in none of the subnets, where there is something for them; and by subnet.
    Records(Option<Records>, Option<Box<BySubnet>>),
    Nothing,
    NoSuchName,
    Unknown,
    /// All that there is needs more rights.
    Withheld,
}

/// A set as in a node.
#[derive(Debug)]
pub(crate) struct Records(Box<[u8]>);

/// The sets of subnets, found by their places.
#[derive(Debug)]
pub(crate) struct BySubnet {
    places: Blocks<usize>,
    sets: Box<[Records]>,
}

impl Entry {
    pub(super) fn of(target: ExternalTarget) -> Self {
        let rtype = target.rtype;
        let (held, fewer) = match target.state {
            ExternalState::Answers {
                records,
                for_subnets,
            } => {
                let all = for_subnets.iter().map(|(_, own)| own).chain([&records]);
                let mut all = all.flat_map(|told| &told.records);
                let of = |rights| Held::of(rtype, (&records, &for_subnets), rights);
                let is_for_some = all.any(|record| record.needs > ProbeRights::Public);
                let fewer = is_for_some.then(|| Box::new(FEWER.map(of)));
                (of(ProbeRights::Everything), fewer)
            }
            ExternalState::Nothing => (Held::Nothing, None),
            ExternalState::NoSuchName => (Held::NoSuchName, None),
            ExternalState::Unknown => (Held::Unknown, None),
        };
        Self {
            name: target.name.to_lowercase(),
            rtype,
            held,
            fewer,
            facts: target.facts,
        }
    }

    #[inline]
    pub(super) fn is_of(&self, name: &[u8]) -> bool {
        self.name.as_wire() == name
    }

    pub(super) fn has_records(&self, rights: ProbeRights) -> bool {
        matches!(self.held(rights), Held::Records(..))
    }

    /// What it holds for accounts with these rights.
    #[inline]
    pub(crate) fn held(&self, rights: ProbeRights) -> &Held {
        let fewer = self.fewer.as_ref();
        match (fewer, rights) {
            (None, _) | (_, ProbeRights::Everything) => &self.held,
            (Some(fewer), ProbeRights::Public) => &fewer[0],
            (Some(fewer), ProbeRights::Private) => &fewer[1],
        }
    }

    /// The least rights with which there is something else than that it is withheld.
    pub(crate) fn needs(&self) -> ProbeRights {
        let mut all = ProbeRights::ALL.into_iter();
        let is_open = |rights: &ProbeRights| !matches!(self.held(*rights), Held::Withheld);
        all.find(is_open).unwrap_or(ProbeRights::Everything)
    }

    #[inline]
    pub(super) fn find(
        &self,
        (address, bits): (IpAddr, u8),
        rights: impl FnOnce() -> ProbeRights,
    ) -> Outside<'_> {
        let held = match self.fewer {
            None => &self.held,
            Some(_) => self.held(rights()),
        };
        let (everybody, by_subnet) = match held {
            Held::Records(everybody, by_subnet) => (everybody, by_subnet),
            Held::Nothing | Held::NoSuchName => return Outside::Nothing,
            Held::Unknown => return Outside::Unknown,
            Held::Withheld => return Outside::Withheld,
        };
        let (set, scope) = match by_subnet {
            None => (everybody.as_ref(), 0),
            Some(by_subnet) => {
                let found = by_subnet.places.find(address, bits);
                match found.what.and_then(|place| by_subnet.sets.get(place)) {
                    Some(set) => (Some(set), found.scope),
                    // The target tells clients apart, and has not been asked for this one.
                    None => (everybody.as_ref(), found.scope.max(bits)),
                }
            }
        };
        match set.and_then(|set| set.read(self.rtype)) {
            Some(set) => Outside::Records(set, scope),
            None => Outside::Nothing,
        }
    }
}

impl Records {
    /// Those of the records that somebody with these rights may be told.
    fn of(rtype: RecordType, told: &ExternalRecords, rights: ProbeRights) -> Option<Self> {
        let mut records: Vec<&[u8]> = Vec::with_capacity(told.records.len());
        for record in told.records.iter().filter(|record| record.needs <= rights) {
            let data = record.data.as_slice();
            let lengths = records.iter().chain([&data]).map(|data| data.len());
            if rdata::is_valid(rtype, data) && !records.contains(&data) && fits_in_message(lengths)
            {
                records.push(data);
            }
        }
        let mut bytes = vec![u8::try_from(rtype.place()).ok()?];
        if records.is_empty() {
            return None;
        }
        write_plain(told.ttl_s, &records, &[], &mut bytes)?;
        Some(Self(bytes.into()))
    }

    #[inline]
    fn read(&self, rtype: RecordType) -> Option<Set<'_>> {
        Set::read(rtype, &self.0).map(|(set, _)| set)
    }
}

impl Held {
    /// What somebody with these rights is told of records, those for everybody and those of subnets.
    fn of(
        rtype: RecordType,
        (records, for_subnets): (&ExternalRecords, &[(Network, ExternalRecords)]),
        rights: ProbeRights,
    ) -> Self {
        let everybody = Records::of(rtype, records, rights);
        if everybody.is_none() && records.records.iter().any(|record| record.needs > rights) {
            return Self::Withheld;
        }
        let (mut networks, mut sets) = (Vec::new(), Vec::new());
        for (network, records) in for_subnets {
            // A subnet for which there is nothing is told what everybody is told.
            if let Some(set) = Records::of(rtype, records, rights) {
                networks.push((network.address(), network.prefix_len(), sets.len()));
                sets.push(set);
            }
        }
        let by_subnet = (!sets.is_empty()).then(|| {
            Box::new(BySubnet {
                places: Blocks::of(networks),
                sets: sets.into(),
            })
        });
        match (everybody, by_subnet) {
            (None, None) => Self::Nothing,
            (everybody, by_subnet) => Self::Records(everybody, by_subnet),
        }
    }

    /// How many records everybody is told, for how many seconds, and how many subnets are told
    /// something else; none where there are no records.
    pub(crate) fn counts(&self, rtype: RecordType) -> Option<(usize, u32, usize)> {
        let Self::Records(everybody, by_subnet) = self else {
            return None;
        };
        let set = everybody.as_ref().and_then(|set| set.read(rtype));
        let (count, ttl) = set.map_or((0, 0), |set| (set.count, set.ttl));
        let subnets = by_subnet.as_ref().map_or(0, |subnets| subnets.sets.len());
        Some((count, ttl, subnets))
    }
}
