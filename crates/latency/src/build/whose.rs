//! Whose addresses are told the same where nothing is known of themselves: all in a place, or those
//! of one operator there, as far as enough is known of its clients.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::net::IpAddr;

use meridian_atlas::{Atlas, Country, Place};

use crate::aggregate::Aggregate;
use crate::area::Area;
use crate::clients::Clients;
use crate::key::Family;

/// All in a place, or all there of one autonomous system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Whose {
    pub(super) place: Place,
    pub(super) asn: Option<u32>,
}

impl Whose {
    /// All in a place.
    pub(super) fn of(place: Place) -> Self {
        Self { place, asn: None }
    }

    /// What stands for them where they have nothing of their own: all in the place, and for those
    /// the country.
    pub(super) fn wider(self) -> Option<Self> {
        if self.asn.is_some() {
            return Some(Self::of(self.place));
        }
        let country = self.place.country?;
        let whole = Place::in_country(country).completed();
        (!self.place.is_country_wide()).then_some(Self::of(whole))
    }

    /// How many wider ones there are.
    pub(super) fn depth(self) -> u8 {
        let mut depth = 0;
        let mut wider = self.wider();
        while let Some(whose) = wider {
            depth += 1;
            wider = whose.wider();
        }
        depth
    }
}

/// Operators in countries of whose clients enough is known to tell them apart from others.
#[derive(Debug, Default)]
pub(super) struct Telling(BTreeSet<(Country, u32)>);

impl Telling {
    /// Those of an aggregate: by the same numbers by which networks get rows.
    pub(super) fn of(aggregate: &Aggregate, atlas: &Atlas) -> Self {
        let nobody = atlas.operators_v4().all(|(_, operator)| operator.is_none())
            && atlas.operators_v6().all(|(_, operator)| operator.is_none());
        if nobody {
            return Self::default();
        }
        let mut known: BTreeMap<(Country, u32), (f32, Clients)> = BTreeMap::new();
        let of_keys = aggregate
            .keys
            .iter()
            .map(|(key, holding)| (Area::of(atlas, key.address()), holding));
        let of_areas = aggregate
            .areas
            .iter()
            .map(|(area, holding)| (Some(*area), holding));
        for (area, holding) in of_keys.chain(of_areas) {
            let operator = area.and_then(|area| Some((area.country?, area.asn?)));
            if let Some(operator) = operator {
                let (weight, clients) = known.entry(operator).or_default();
                *weight += holding.weight();
                clients.join(&holding.clients);
            }
        }
        let rules = aggregate.rules();
        let enough = known.into_iter().filter(|(_, (weight, clients))| {
            *weight >= rules.min_samples && clients.count() >= rules.min_clients - 0.5
        });
        Self(enough.map(|(operator, _)| operator).collect())
    }

    /// Whose an address in a place is that this one runs.
    pub(super) fn whose(&self, place: &Place, asn: Option<u32>) -> Whose {
        let tells = |asn: &u32| {
            let country = place.country;
            country.is_some_and(|country| self.0.contains(&(country, *asn)))
        };
        Whose {
            place: *place,
            asn: asn.filter(tells),
        }
    }

    /// Whose an address is.
    pub(super) fn at(&self, atlas: &Atlas, address: IpAddr) -> Whose {
        let operator = (!self.0.is_empty()).then(|| atlas.operator(address));
        let asn = operator.flatten().and_then(|operator| operator.asn);
        self.whose(atlas.look_up(address).place, asn)
    }

    /// Who runs networks from which address on.
    pub(super) fn changes<'a>(&self, family: Family, atlas: &'a Atlas) -> Changes<'a> {
        let ranges: Ranges<'a> = match family {
            _ if self.0.is_empty() => Box::new(std::iter::empty()),
            Family::V4 => Box::new(atlas.operators_v4().map(|(first, operator)| {
                let asn = operator.and_then(|operator| operator.asn);
                (first.to_bits().into(), asn)
            })),
            Family::V6 => Box::new(atlas.operators_v6().map(|(first, operator)| {
                let asn = operator.and_then(|operator| operator.asn);
                (first.to_bits() >> 64, asn)
            })),
        };
        Changes {
            ranges: ranges.peekable(),
            asn: None,
        }
    }
}

type Ranges<'a> = Box<dyn Iterator<Item = (u128, Option<u32>)> + 'a>;

/// Who runs networks, asked for addresses in order.
pub(super) struct Changes<'a> {
    ranges: Peekable<Ranges<'a>>,
    asn: Option<u32>,
}

impl Changes<'_> {
    /// Who does at an address, and from which one on somebody else may.
    pub(super) fn at(&mut self, address: u128) -> (Option<u32>, Option<u128>) {
        while let Some((_, asn)) = self.ranges.next_if(|(first, _)| *first <= address) {
            self.asn = asn;
        }
        (self.asn, self.ranges.peek().map(|(first, _)| *first))
    }
}
