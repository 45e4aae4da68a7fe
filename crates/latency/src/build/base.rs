//! What a map says of addresses that nobody has measured: the same of all in a place, or of all there
//! of an operator whose clients are known. Every place of the atlas gets numbers; one within a country
//! has a row of its own where it makes a difference, and so has an operator within a place.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use meridian_atlas::Atlas;

use crate::build::steady::{Hysteresis, Previous, Spot};
use crate::build::vector::{Guess, Vector};
use crate::build::whose::{Telling, Whose};
use crate::build::workshop::sharing;
use crate::key::Family;

/// The places of an atlas, those of operators apart, and where each is.
#[derive(Debug, Default)]
pub(super) struct Places {
    numbers: HashMap<Whose, u32>,
    pub(super) all: Vec<Whose>,
    pub(super) telling: Telling,
    pub(super) v4: Vec<Segment>,
    pub(super) v6: Vec<Segment>,
    /// For each place what the map before says at some of its addresses: how often which row, with
    /// an address where it stands.
    said: Vec<Vec<(u64, u32, IpAddr)>>,
}

/// Addresses of one place from here on, as numbers: of IPv6 the topmost 64 bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) first: u128,
    /// The number of the place; none where nobody knows.
    pub(super) place: Option<u32>,
}

/// What is thought of those in a place, and what is published of them.
#[derive(Debug)]
pub(super) struct Settled {
    pub(super) guesses: Vector,
    pub(super) shown: Vec<Option<f32>>,
}

/// Of each place so many ranges are looked up in the map before.
const LOOKED_UP: u32 = 32;
/// Different rows that are told apart where it is asked which is the most frequent.
const MAX_ROWS: usize = 256;

impl Places {
    /// All that an atlas knows, range by range, with these operators apart.
    pub(super) fn of(atlas: &Atlas, telling: Telling, before: Option<&Previous<'_>>) -> Self {
        let mut places = Self {
            telling,
            ..Self::default()
        };
        for family in [Family::V4, Family::V6] {
            places.walk(family, atlas, before);
        }
        places
    }

    fn walk(&mut self, family: Family, atlas: &Atlas, before: Option<&Previous<'_>>) {
        let bits: u32 = match family {
            Family::V4 => 32,
            Family::V6 => 64,
        };
        let end = 1_u128 << bits;
        let mut segments: Vec<Segment> = Vec::new();
        let mut operators = self.telling.changes(family, atlas);
        let mut first = 0_u128;
        while first < end {
            let (len, place) = match embedding(family, first) {
                // Looked up as what it contains.
                Some(len) => (len, None),
                None => {
                    let found = atlas.look_up(address(family, first));
                    (u32::from(found.scope.record).min(bits), Some(found.place))
                }
            };
            let behind = first + (1_u128 << (bits - len));
            let (asn, change) = operators.at(first);
            let known = place.filter(|place| place.is_known());
            // Within a range of a place operators may change.
            let next = change.filter(|_| known.is_some()).unwrap_or(behind);
            let next = next.min(behind);
            let place = known.map(|place| {
                let whose = self.telling.whose(place, asn);
                self.number(whose)
            });
            if let (Some(place), Some(before)) = (place, before) {
                self.ask(place, address(family, first), before);
                self.ask(place, address(family, next - 1), before);
                self.ask(place, address(family, first.midpoint(next)), before);
            }
            if segments.last().is_none_or(|last| last.place != place) {
                segments.push(Segment { first, place });
            }
            first = next;
        }
        match family {
            Family::V4 => self.v4 = segments,
            Family::V6 => self.v6 = segments,
        }
    }

    /// The number of a place, which has one from now on.
    pub(super) fn number(&mut self, whose: Whose) -> u32 {
        if let Some(number) = self.numbers.get(&whose) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.numbers.insert(whose, number);
        self.all.push(whose);
        self.said.push(Vec::new());
        number
    }

    /// The number of a place that has one.
    pub(super) fn find(&self, whose: Whose) -> Option<usize> {
        let number = self.numbers.get(&whose)?;
        usize::try_from(*number).ok()
    }

    /// Notes what the map before says at an address of a place: for the wider ones, too, where it is
    /// the first of the place. The row of a country is what several of its places have.
    fn ask(&mut self, place: u32, address: IpAddr, before: &Previous<'_>) {
        let said = usize::try_from(place)
            .ok()
            .and_then(|place| self.said.get(place));
        let asked: u32 = said.into_iter().flatten().map(|(_, count, _)| count).sum();
        if asked >= LOOKED_UP {
            return;
        }
        let Some(latencies) = before.map.look_up(address) else {
            return;
        };
        let mut hasher = DefaultHasher::new();
        for ms in before.row(&latencies) {
            ms.map(f32::to_bits).hash(&mut hasher);
        }
        let row = hasher.finish();
        self.note(place, row, address);
        let known = usize::try_from(place)
            .ok()
            .and_then(|place| self.all.get(place));
        let mut wider = known.filter(|_| asked == 0).and_then(|whose| whose.wider());
        // A place, and its country.
        while let Some(whose) = wider {
            let number = self.number(whose);
            self.note(number, row, address);
            wider = whose.wider();
        }
    }

    fn note(&mut self, place: u32, row: u64, address: IpAddr) {
        let said = usize::try_from(place)
            .ok()
            .and_then(|place| self.said.get_mut(place));
        let Some(said) = said else {
            return;
        };
        if let Some((_, count, _)) = said.iter_mut().find(|(other, ..)| *other == row) {
            *count += 1;
        } else if said.len() < MAX_ROWS {
            said.push((row, 1, address));
        }
    }

    /// What the map before says of most of a place: networks in it that have rows of their own are
    /// not the place.
    fn before(&self, place: u32, before: &Previous<'_>) -> Option<Vec<Option<f32>>> {
        let said = self.said.get(usize::try_from(place).ok()?)?;
        // Of those said as often the first, so that it is always the same.
        let most = said.iter().map(|(_, count, _)| *count).max()?;
        let (_, _, address) = said.iter().find(|(_, count, _)| *count == most)?;
        Some(before.row(&before.map.look_up(*address)?))
    }

    /// What to publish of a place of which this is thought.
    pub(super) fn settle(
        &self,
        number: u32,
        guesses: Vector,
        before: Option<&Previous<'_>>,
        hysteresis: &mut Hysteresis,
        rules: &crate::rules::Rules,
    ) -> Settled {
        let whose = usize::try_from(number)
            .ok()
            .and_then(|number| self.all.get(number));
        let whose = whose.copied().unwrap_or_default();
        let of = |number| before.and_then(|before| self.before(number, before));
        let old = of(number);
        let wider = whose
            .wider()
            .and_then(|wider| self.numbers.get(&wider).copied());
        let inherits = wider.is_some_and(|wider| old.is_some() && of(wider) == old);
        let spot = match whose.asn {
            Some(asn) => Spot::Operator(whose.place, asn),
            None => Spot::Place(whose.place),
        };
        let rules = if inherits { sharing(rules) } else { *rules };
        let shown = hysteresis.steadied(spot, old.as_deref(), &guesses, &rules);
        Settled { guesses, shown }
    }
}

impl Settled {
    /// Of what nobody knows.
    pub(super) fn nothing(regions: usize) -> Self {
        Self {
            guesses: vec![Guess::NOTHING; regions],
            shown: vec![None; regions],
        }
    }
}

/// The length of the range around an address of IPv6 whose addresses contain ones of IPv4.
fn embedding(family: Family, first: u128) -> Option<u32> {
    (family == Family::V6 && first >> 48 == 0x2002).then_some(16)
}

/// The first address of those with this number.
pub(super) fn address(family: Family, number: u128) -> IpAddr {
    match family {
        Family::V4 => Ipv4Addr::from_bits(u32::try_from(number).unwrap_or(u32::MAX)).into(),
        Family::V6 => Ipv6Addr::from_bits(number << 64).into(),
    }
}

#[cfg(test)]
mod tests {
    use meridian_atlas::{Country, Layer, Place, Source};

    use super::*;

    #[test]
    fn every_address_is_where_the_atlas_says() {
        let mut layer = Layer::new(Source::named("test"));
        for (network, country) in [
            ("10.0.0.0/9", "DE"),
            ("10.1.2.0/24", "FR"),
            ("10.1.2.7/32", "US"),
            ("2001:db8::/33", "JP"),
            ("2001:db8:1::/64", "KR"),
        ] {
            let place = Place::in_country(Country::new(country).unwrap()).completed();
            layer.add(network.parse().unwrap(), place).unwrap();
        }
        let atlas = Atlas::new(vec![layer]).unwrap();
        let places = Places::of(&atlas, Telling::default(), None);
        assert_eq!(places.all.len(), 5);
        for (family, segments) in [(Family::V4, &places.v4), (Family::V6, &places.v6)] {
            assert_eq!(segments.first().unwrap().first, 0);
            assert!(segments.is_sorted_by(|a, b| a.first < b.first && a.place != b.place));
            for segment in segments {
                let found = atlas.look_up(address(family, segment.first)).place;
                let place = segment
                    .place
                    .map(|place| places.all.get(usize::try_from(place).unwrap()).unwrap());
                assert_eq!(place.copied().unwrap_or_default(), Whose::of(*found));
            }
        }
        assert_eq!(places.v4.len(), 7);
        assert_eq!(places.v6.len(), 5);
    }

    #[test]
    fn an_empty_atlas_is_one_range() {
        let places = Places::of(&Atlas::default(), Telling::default(), None);
        assert_eq!(places.all, []);
        assert_eq!(places.v4.len(), 1);
        assert_eq!(places.v6.len(), 1);
    }
}
