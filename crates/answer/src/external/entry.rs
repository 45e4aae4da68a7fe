//! One host name elsewhere as answers are made from it: its records stand as a set of a node does, so
//! that they are written like any other's.

use std::net::IpAddr;

use meridian_dns::message::fits_in_message;
use meridian_dns::{Name, RecordType, rdata};

use super::{ExternalFacts, ExternalRecords, ExternalState, ExternalTarget, Outside};
use crate::blocks::Blocks;
use crate::compile::write_plain;
use crate::node::Set;

/// What is known of a name and type.
#[derive(Debug)]
pub(crate) struct Entry {
    name: Name,
    rtype: RecordType,
    held: Held,
    pub(crate) facts: ExternalFacts,
}

/// What it answers with.
#[derive(Debug)]
pub(crate) enum Held {
    /// To whoever lies in none of the subnets, where there is something for them; and by subnet.
    Records(Option<Records>, Option<Box<BySubnet>>),
    Nothing,
    NoSuchName,
    Unknown,
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
        let held = match target.state {
            ExternalState::Answers {
                records,
                for_subnets,
            } => {
                let (mut networks, mut sets) = (Vec::new(), Vec::new());
                for (network, records) in for_subnets {
                    // A subnet for which there is nothing is told what everybody is told.
                    if let Some(set) = Records::of(rtype, records) {
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
                match (Records::of(rtype, records), by_subnet) {
                    (None, None) => Held::Nothing,
                    (everybody, by_subnet) => Held::Records(everybody, by_subnet),
                }
            }
            ExternalState::Nothing => Held::Nothing,
            ExternalState::NoSuchName => Held::NoSuchName,
            ExternalState::Unknown => Held::Unknown,
        };
        Self {
            name: target.name.to_lowercase(),
            rtype,
            held,
            facts: target.facts,
        }
    }

    #[inline]
    pub(super) fn is_of(&self, name: &[u8]) -> bool {
        self.name.as_wire() == name
    }

    pub(super) fn has_records(&self) -> bool {
        matches!(self.held, Held::Records(..))
    }

    /// What it holds, for people.
    pub(crate) fn held(&self) -> &Held {
        &self.held
    }

    #[inline]
    pub(super) fn find(&self, address: IpAddr, bits: u8) -> Outside<'_> {
        let (everybody, by_subnet) = match &self.held {
            Held::Records(everybody, by_subnet) => (everybody, by_subnet),
            Held::Nothing | Held::NoSuchName => return Outside::Nothing,
            Held::Unknown => return Outside::Unknown,
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
    fn of(rtype: RecordType, told: ExternalRecords) -> Option<Self> {
        let mut records: Vec<Vec<u8>> = Vec::with_capacity(told.records.len());
        for data in told.records {
            let lengths = records.iter().chain([&data]).map(Vec::len);
            if rdata::is_valid(rtype, &data) && !records.contains(&data) && fits_in_message(lengths)
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
