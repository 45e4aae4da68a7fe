//! Who goes where by a map, and who would by another one: in numbers of networks, by country.

use std::collections::BTreeMap;
use std::net::IpAddr;

use meridian_atlas::{Country, Latencies, LatencyMap, RegionIndex};

/// An amount of addresses: IPv4 in networks of /24, IPv6 of /48.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Networks {
    /// Of IPv4.
    pub v4: f64,
    /// Of IPv6.
    pub v6: f64,
}

/// The clients of a country that go to a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Flow {
    /// None where none is known.
    pub country: Option<Country>,
    /// None where the map has no number for any of the regions.
    pub region: Option<Box<str>>,
    /// How many they are.
    pub networks: Networks,
    /// How long it takes them, on average.
    pub ms: f32,
}

/// The clients of a country that go elsewhere by another map.
#[derive(Debug, Clone, PartialEq)]
pub struct Move {
    /// None where none is known.
    pub country: Option<Country>,
    /// Where they went; none where the earlier map had no number.
    pub from: Option<Box<str>>,
    /// Where they go; none where the later one has none.
    pub to: Option<Box<str>>,
    /// How many they are.
    pub networks: Networks,
    /// How much less it takes them by the later map, on average of those it has numbers for.
    pub gain_ms: f32,
}

/// What is different between two maps.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Moves {
    /// Who goes elsewhere, the most first.
    pub moves: Vec<Move>,
    /// How many do.
    pub moved: Networks,
    /// How many there are of whom either map says anything.
    pub known: Networks,
}

impl Networks {
    fn add(&mut self, other: Self) {
        self.v4 += other.v4;
        self.v6 += other.v6;
    }

    /// A /48 counts as much as a /24.
    fn weight(self) -> f64 {
        self.v4 + self.v6
    }

    /// The addresses from one to another of its family, both included.
    fn between(first: IpAddr, last: IpAddr) -> Self {
        let bits = |address: IpAddr| match address {
            IpAddr::V4(v4) => u128::from(v4.to_bits()),
            IpAddr::V6(v6) => v6.to_bits(),
        };
        #[expect(clippy::cast_precision_loss, reason = "counted for people")]
        let count = bits(last).saturating_sub(bits(first)) as f64 + 1.0;
        match first {
            IpAddr::V4(_) => Self {
                v4: count / 256.0,
                v6: 0.0,
            },
            IpAddr::V6(_) => Self {
                v4: 0.0,
                v6: count / 2.0_f64.powi(80),
            },
        }
    }

    /// How much of others these are, each family by itself: there are so many networks of IPv6 that
    /// together with them those of IPv4 would not be seen.
    fn rank_among(self, all: Self) -> f64 {
        let part = |some: f64, all: f64| if all > 0.0 { some / all } else { 0.0 };
        part(self.v4, all.v4) + part(self.v6, all.v6)
    }

    /// Which part of others these are, IPv4 and IPv6 alike; none of nothing.
    pub fn share_of(self, all: Self) -> f64 {
        let weight = all.weight();
        if weight > 0.0 {
            self.weight() / weight
        } else {
            0.0
        }
    }
}

/// Who goes where when all of these regions are on offer, the most first.
pub fn spread(map: &LatencyMap, regions: &[&str]) -> Vec<Flow> {
    let offered = Offered::of(map, regions);
    let mut flows: BTreeMap<(Option<Country>, Option<usize>), Sum> = BTreeMap::new();
    for range in map.ranges() {
        let best = offered.fastest(&range.latencies);
        let key = (range.latencies.country(), best.map(|(place, _)| place));
        let networks = Networks::between(range.first, range.last);
        let sum = flows.entry(key).or_default();
        sum.add(networks, best.map(|(_, ms)| ms));
    }
    let flow = |((country, place), sum): ((_, Option<usize>), Sum)| Flow {
        country,
        region: name(regions, place),
        networks: sum.networks,
        ms: sum.mean(),
    };
    let mut flows: Vec<Flow> = flows.into_iter().map(flow).collect();
    let mut all = Networks::default();
    flows.iter().for_each(|flow| all.add(flow.networks));
    let rank = |flow: &Flow| flow.networks.rank_among(all);
    flows.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    flows
}

/// Who goes elsewhere by a later map when all of these regions are on offer.
pub fn moves(old: &LatencyMap, new: &LatencyMap, regions: &[&str]) -> Moves {
    let offered = [Offered::of(old, regions), Offered::of(new, regions)];
    let mut found: BTreeMap<(_, _, _), Sum> = BTreeMap::new();
    let mut told = Moves::default();
    for (first, last) in pieces(old, new) {
        let networks = Networks::between(first, last);
        let [before, after] = [old.look_up(first), new.look_up(first)];
        told.known.add(networks);
        let choice = |offered: &Offered, of: Option<Latencies<'_>>| offered.fastest(&of?);
        let [from, to] = [choice(&offered[0], before), choice(&offered[1], after)];
        let places = [from, to].map(|choice| choice.map(|(place, _)| place));
        if places[0] == places[1] {
            continue;
        }
        told.moved.add(networks);
        let country = after.or(before).and_then(|row| row.country());
        let stayed = places[0].zip(after).and_then(|(place, row)| {
            let region = (*offered[1].places.get(place)?)?;
            row.ms(region)
        });
        let gain = stayed.zip(to).map(|(stayed, (_, ms))| stayed - ms);
        let sum = found.entry((country, places[0], places[1])).or_default();
        sum.add(networks, gain);
    }
    let shown = |((country, from, to), sum): ((_, _, _), Sum)| Move {
        country,
        from: name(regions, from),
        to: name(regions, to),
        networks: sum.networks,
        gain_ms: sum.mean(),
    };
    told.moves = found.into_iter().map(shown).collect();
    let rank = |of: &Move| of.networks.rank_among(told.moved);
    told.moves.sort_by(|a, b| rank(b).total_cmp(&rank(a)));
    told
}

fn name(regions: &[&str], place: Option<usize>) -> Option<Box<str>> {
    place
        .and_then(|place| regions.get(place))
        .map(|name| (*name).into())
}

/// Where the regions stand in a map, those that it has.
struct Offered {
    places: Vec<Option<RegionIndex>>,
}

impl Offered {
    fn of(map: &LatencyMap, regions: &[&str]) -> Self {
        Self {
            places: regions.iter().map(|name| map.region(name)).collect(),
        }
    }

    /// The fastest, by its place among those on offer; of two that are as fast the first.
    fn fastest(&self, row: &Latencies<'_>) -> Option<(usize, f32)> {
        let known = self.places.iter().enumerate();
        let known = known.filter_map(|(place, region)| Some((place, row.ms((*region)?)?)));
        known.min_by(|(_, a), (_, b)| a.total_cmp(b))
    }
}

/// Networks, and a mean over those of which there is anything to be had.
#[derive(Default)]
struct Sum {
    networks: Networks,
    total: f64,
    weight: f64,
}

impl Sum {
    fn add(&mut self, networks: Networks, ms: Option<f32>) {
        self.networks.add(networks);
        if let Some(ms) = ms {
            self.total += f64::from(ms) * networks.weight();
            self.weight += networks.weight();
        }
    }

    fn mean(&self) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "shown to people")]
        let mean = (self.total / self.weight) as f32;
        if self.weight > 0.0 { mean } else { 0.0 }
    }
}

/// The widest pieces in which each of two maps says one thing, of all that either says anything of.
fn pieces(old: &LatencyMap, new: &LatencyMap) -> Vec<(IpAddr, IpAddr)> {
    let mut edges: BTreeMap<(bool, u128), i8> = BTreeMap::new();
    for map in [old, new] {
        for range in map.ranges() {
            let (is_v6, first, last) = match (range.first, range.last) {
                (IpAddr::V4(a), IpAddr::V4(b)) => (false, a.to_bits().into(), b.to_bits().into()),
                (IpAddr::V6(a), IpAddr::V6(b)) => (true, a.to_bits(), b.to_bits()),
                _ => continue,
            };
            *edges.entry((is_v6, first)).or_default() += 1;
            // The last address of all has none behind it; the piece up to it is ended below.
            if let Some(behind) = u128::checked_add(last, 1) {
                *edges.entry((is_v6, behind)).or_default() -= 1;
            }
        }
    }
    let ends = edges.keys().skip(1).copied().map(Some).chain([None]);
    let mut depth = 0;
    let mut pieces = Vec::new();
    for ((&(is_v6, first), change), end) in edges.iter().zip(ends) {
        depth += change;
        let last = match end {
            Some((same, end)) if same == is_v6 => end - 1,
            _ if is_v6 => u128::MAX,
            _ => u32::MAX.into(),
        };
        if depth > 0 {
            pieces.push((address(is_v6, first), address(is_v6, last)));
        }
    }
    pieces
}

fn address(is_v6: bool, bits: u128) -> IpAddr {
    if is_v6 {
        IpAddr::V6(bits.into())
    } else {
        IpAddr::V4(u32::try_from(bits).unwrap_or(u32::MAX).into())
    }
}

#[cfg(test)]
#[expect(
    clippy::indexing_slicing,
    reason = "a test may stop at what must not happen"
)]
mod tests {
    use meridian_atlas::{Cell, MapDraft, MapRegion, MapRow, Origin, Point};

    use super::*;

    /// A map of two regions with these rows, and which ranges have them.
    fn map(rows: &[(&str, [f32; 2])], v4: &[(&str, u32)], v6: &[(u64, u32)]) -> LatencyMap {
        let region = |name: &str| MapRegion {
            name: name.into(),
            point: Point::new(1.0, 1.0).unwrap(),
        };
        let cell = |ms| Cell {
            ms: Some(ms),
            origin: Origin::Measured,
        };
        let row = |(country, ms): &(&str, [f32; 2])| MapRow {
            country: Country::new(country),
            samples: 1,
            confidence: 1,
            age_h: 1,
            cells: ms.map(cell).to_vec(),
        };
        let bits = |text: &str| text.parse::<std::net::Ipv4Addr>().unwrap().to_bits();
        let draft = MapDraft {
            build: 1,
            made_s: 1,
            regions: vec![region("a"), region("b")],
            rows: rows.iter().map(row).collect(),
            v4: v4.iter().map(|(first, row)| (bits(first), *row)).collect(),
            v6: v6.to_vec(),
        };
        LatencyMap::read(&draft.write().unwrap()).unwrap()
    }

    const NONE: u32 = u32::MAX;

    /// A country with little but a large network of IPv6 stood before all others.
    #[test]
    fn a_large_network_of_ipv6_does_not_make_a_country_the_first() {
        let rows = [("DE", [1.0, 2.0]), ("MU", [2.0, 1.0])];
        let v4 = [
            ("0.0.0.0", NONE),
            ("10.0.0.0", 0),
            ("10.255.0.0", 1),
            ("11.0.0.0", NONE),
        ];
        let v6 = [
            (0, NONE),
            (0x2001 << 48, 0),
            (0x2005 << 48, 1),
            (0x200a << 48, NONE),
        ];
        let flows = spread(&map(&rows, &v4, &v6), &["a", "b"]);
        let countries: Vec<_> = flows.iter().map(|flow| flow.country).collect();
        assert_eq!(countries, ["DE", "MU"].map(Country::new), "{flows:?}");
        let old = map(&[("DE", [9.0, 2.0]), ("MU", [2.0, 9.0])], &v4, &v6);
        let told = moves(&old, &map(&rows, &v4, &v6), &["a", "b"]);
        let countries: Vec<_> = told.moves.iter().map(|of| of.country).collect();
        assert_eq!(countries, ["DE", "MU"].map(Country::new), "{told:?}");
    }

    #[test]
    fn countries_go_where_it_is_fastest() {
        let map = map(
            &[
                ("DE", [10.0, 20.0]),
                ("JP", [20.0, 10.0]),
                ("DE", [30.0, 20.0]),
            ],
            &[
                ("0.0.0.0", NONE),
                ("10.0.0.0", 0),
                ("10.0.3.0", 2),
                ("10.0.4.0", NONE),
            ],
            &[(0, NONE), (0x2001_0DB8 << 32, 1), (0x2001_0DB9 << 32, NONE)],
        );
        let flows = spread(&map, &["a", "b"]);
        let shown: Vec<_> = flows
            .iter()
            .map(|flow| {
                let country = flow.country.as_ref().map(Country::as_str).unwrap();
                let region = flow.region.as_deref().unwrap();
                (
                    country,
                    region,
                    flow.networks.v4,
                    flow.networks.v6,
                    flow.ms.round(),
                )
            })
            .collect();
        let expected = [
            ("JP", "b", 0.0, 65536.0, 10.0),
            ("DE", "a", 3.0, 0.0, 10.0),
            ("DE", "b", 1.0, 0.0, 20.0),
        ];
        assert_eq!(shown, expected);
        let alone = spread(&map, &["b", "nowhere"]);
        assert!(alone.iter().all(|flow| flow.region.as_deref() == Some("b")));
        assert!(
            spread(&map, &["nowhere"])
                .iter()
                .all(|flow| flow.region.is_none())
        );
    }

    #[test]
    fn who_moves_is_told_and_what_it_gains() {
        let rows = [("DE", [10.0, 20.0]), ("DE", [20.0, 15.0])];
        let old = map(
            &rows,
            &[("0.0.0.0", NONE), ("10.0.0.0", 0), ("10.0.4.0", NONE)],
            &[],
        );
        let new = map(
            &rows,
            &[
                ("0.0.0.0", NONE),
                ("10.0.1.0", 1),
                ("10.0.2.0", 0),
                ("255.255.255.0", 0),
            ],
            &[(0, NONE), (u64::MAX, 0)],
        );
        let told = moves(&old, &new, &["a", "b"]);
        let shown: Vec<_> = told
            .moves
            .iter()
            .map(|it| (it.from.as_deref(), it.to.as_deref(), it.networks.v4))
            .collect();
        // The new map says something of all from 10.0.2.0 on.
        assert_eq!(shown[0].0, None);
        assert!(shown.contains(&(Some("a"), Some("b"), 1.0)), "{shown:?}");
        assert!(shown.contains(&(Some("a"), None, 1.0)), "{shown:?}");
        let turned = told
            .moves
            .iter()
            .find(|it| it.from.is_some() && it.to.is_some());
        assert!((turned.unwrap().gain_ms - 5.0).abs() < 0.5);
        let same = moves(&new, &new, &["a", "b"]);
        assert_eq!((same.moves.len(), same.moved), (0, Networks::default()));
        let v4 = f64::from(u32::MAX) / 256.0 - f64::from(0x0A00_00FF_u32) / 256.0;
        assert!((same.known.v4 - v4).abs() < 1.0, "{} {v4}", same.known.v4);
        assert!(same.known.v6 > 0.0);
        assert!((told.moved.share_of(told.known) - told.moved.v4 / told.known.v4).abs() < 1e-6);
    }
}
