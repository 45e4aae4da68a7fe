//! The file of countries that comes with the program: its own format, because what is general
//! costs many times the bytes. Made by `examples/pack-countries.rs`.
//!
//! A few lines of text say what it is, whose, and under what licence, up to an empty one. Then, all
//! numbers from the low end: how many countries (2 bytes), their codes, and for IPv4 and then IPv6
//! how many runs (4 bytes), each begun by the number of zero bits at the end of its distance from
//! the one before, what stands before these bits in groups of seven, and the country, 0 for none.

use std::borrow::Cow;
use std::iter::once;

use meridian_model::Country;

use crate::layer::{Layer, Source};
use crate::place::Place;
use crate::runs::{Run, joined};

const MAGIC: &str = "Meridian countries 1";
/// Of the lines of text together.
const MAX_HEAD: usize = 4096;

/// The bytes are no file of countries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a file of countries that this version reads: {0}")]
pub struct Unreadable(&'static str);

/// Runs of addresses in one country each, from the lowest on; the first begins at zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Countries {
    /// Who says so.
    pub source: Source,
    /// First addresses of IPv4 with the country from there on.
    pub v4: Vec<(u32, Option<Country>)>,
    /// The same of IPv6.
    pub v6: Vec<(u128, Option<Country>)>,
}

impl Countries {
    /// The file. Neighbours of the same country become one; runs must be in order.
    pub fn to_bytes(&self) -> Vec<u8> {
        let source = &self.source;
        let mut bytes = format!("{MAGIC}\nname: {}\n", source.name).into_bytes();
        if let Some(made) = source.made {
            bytes.extend(format!("made: {made}\n").bytes());
        }
        if let Some(notice) = &source.notice {
            bytes.extend(format!("notice: {notice}\n").bytes());
        }
        bytes.push(b'\n');
        let all: Vec<Country> = Country::all().collect();
        bytes.extend(u16::try_from(all.len()).unwrap_or(0).to_le_bytes());
        bytes.extend(all.iter().flat_map(|country| country.as_str().bytes()));
        let number = |country: Option<Country>| {
            let place = country.and_then(|country| all.iter().position(|other| *other == country));
            place.map_or(0, |place| u8::try_from(place + 1).unwrap_or(0))
        };
        let v4 = self
            .v4
            .iter()
            .map(|(first, c)| (u128::from(*first) << 96, number(*c)));
        pack(v4, &mut bytes);
        pack(
            self.v6.iter().map(|(first, c)| (*first, number(*c))),
            &mut bytes,
        );
        bytes
    }
}

/// Writes the runs of a family.
fn pack(runs: impl Iterator<Item = (u128, u8)>, bytes: &mut Vec<u8>) {
    let mut written = Vec::new();
    let (mut count, mut at, mut country) = (0_u32, 0, 0);
    for (first, next) in runs {
        if next == country {
            continue;
        }
        let distance = first - at;
        // Only a run from zero on has none.
        let zeros = distance.trailing_zeros().min(127);
        written.push(u8::try_from(zeros).unwrap_or(0));
        let mut rest = distance >> zeros;
        while rest >= 0x80 {
            written.push(u8::try_from(rest & 0x7F).unwrap_or(0) | 0x80);
            rest >>= 7;
        }
        written.extend([u8::try_from(rest).unwrap_or(0), next]);
        (count, at, country) = (count + 1, first, next);
    }
    bytes.extend(count.to_le_bytes());
    bytes.extend(written);
}

/// Reads a file into a layer, with the middles of the countries for points. Its runs stay packed.
///
/// # Errors
///
/// If these are not the bytes of such a file.
pub fn read(bytes: impl Into<Cow<'static, [u8]>>) -> Result<Layer, Unreadable> {
    let bytes = bytes.into();
    let (source, body) = head(&bytes)?;
    let mut reader = Reader(body);
    let mut layer = Layer::new(source);
    let count = u16::from_le_bytes(reader.array()?);
    if count > 0xFF {
        return Err(Unreadable("too many countries"));
    }
    let mut places = vec![0];
    for _ in 0..count {
        let code: [u8; 2] = reader.array()?;
        let country = std::str::from_utf8(&code).ok().and_then(Country::new);
        let country = country.ok_or(Unreadable("an unknown country"))?;
        let number = layer.places.number(&Place::in_country(country).completed());
        places.push(number.map_err(|_| Unreadable("too many countries"))?);
    }
    let mut half = |bits| {
        let (rest, count) = (reader.0.len(), reader.pass(places.len(), bits)?);
        let start = bytes.len() - rest;
        Ok(Half { start, count })
    };
    let (v4, v6) = (half(32)?, half(128)?);
    if !reader.0.is_empty() {
        return Err(Unreadable("more than its runs"));
    }
    layer.base = Some(Packed {
        bytes,
        places,
        v4,
        v6,
    });
    Ok(layer)
}

/// The runs of a file that has been read once.
#[derive(Debug)]
pub(crate) struct Packed {
    bytes: Cow<'static, [u8]>,
    /// The number of each country's place in the layer, that of the unknown before them.
    places: Vec<u32>,
    v4: Half,
    v6: Half,
}

/// Where the runs of a family are, from their number on, and how many.
#[derive(Debug, Clone, Copy)]
struct Half {
    start: usize,
    count: u32,
}

impl Packed {
    /// How many runs there are of the family that has more.
    pub(crate) fn len(&self) -> usize {
        usize::try_from(self.v4.count.max(self.v6.count)).unwrap_or(usize::MAX)
    }

    /// The runs of IPv4, the records of the layer counted from `before`.
    pub(crate) fn v4(&self, before: u32) -> impl Iterator<Item = Run> {
        self.runs(self.v4, before)
    }

    /// The same of IPv6.
    pub(crate) fn v6(&self, before: u32) -> impl Iterator<Item = Run> {
        self.runs(self.v6, before)
    }

    fn runs(&self, half: Half, before: u32) -> impl Iterator<Item = Run> {
        let records: Vec<u32> = self
            .places
            .iter()
            .map(|place| if *place == 0 { 0 } else { before + place })
            .collect();
        let mut reader = Reader(self.bytes.get(half.start + 4..).unwrap_or_default());
        let mut at = 0_u128;
        let unpack = move |_| {
            // All of it has been read before without an error.
            at = at.saturating_add(reader.distance().ok()?);
            let [country] = reader.array().ok()?;
            let record = *records.get(usize::from(country))?;
            Some(Run { first: at, record })
        };
        let mut runs = (0..half.count).map_while(unpack).peekable();
        let start = runs.next_if(|run| run.first == 0).unwrap_or(Run::NOTHING);
        joined(once(start).chain(runs))
    }
}

/// What the lines of text say, and what follows them.
fn head(bytes: &[u8]) -> Result<(Source, &[u8]), Unreadable> {
    let no_head = Unreadable("it does not begin like one");
    let start = bytes.get(..MAX_HEAD).unwrap_or(bytes);
    let len = start
        .windows(2)
        .position(|pair| pair == b"\n\n")
        .ok_or(no_head)?;
    let (lines, body) = bytes.split_at_checked(len + 2).ok_or(no_head)?;
    let text = std::str::from_utf8(lines).map_err(|_| no_head)?;
    let mut lines = text.lines();
    if lines.next() != Some(MAGIC) {
        return Err(no_head);
    }
    let mut source = Source::named("");
    for line in lines {
        match line.split_once(": ") {
            Some(("name", name)) => name.clone_into(&mut source.name),
            Some(("made", made)) => source.made = made.parse().ok(),
            Some(("notice", notice)) => source.notice = Some(notice.to_owned()),
            _ => {}
        }
    }
    Ok((source, body))
}

/// What has not been read yet.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (array, rest) = self
            .0
            .split_first_chunk()
            .ok_or(Unreadable("it ends early"))?;
        self.0 = rest;
        Ok(*array)
    }

    /// Reads the runs of a family whose addresses have so many bits, and says how many there are.
    fn pass(&mut self, places: usize, bits: u32) -> Result<u32, Unreadable> {
        let count = u32::from_le_bytes(self.array()?);
        let mut at = 0_u128;
        for place in 0..count {
            let distance = self.distance()?;
            at = at
                .checked_add(distance)
                .ok_or(Unreadable("a run beyond all addresses"))?;
            if at.trailing_zeros() < 128 - bits || (distance == 0 && place > 0) {
                return Err(Unreadable("a run at no address"));
            }
            let [country] = self.array()?;
            if usize::from(country) >= places {
                return Err(Unreadable("a run in no country"));
            }
        }
        Ok(count)
    }

    fn distance(&mut self) -> Result<u128, Unreadable> {
        let [zeros] = self.array()?;
        let mut distance = 0_u128;
        for shift in (u32::from(zeros)..128).step_by(7) {
            let [group] = self.array()?;
            let part = u128::from(group & 0x7F);
            if part.leading_zeros() < shift {
                break;
            }
            distance |= part << shift;
            if group & 0x80 == 0 {
                return Ok(distance);
            }
        }
        Err(Unreadable("a run beyond all addresses"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Atlas;

    fn country() -> impl Strategy<Value = Option<Country>> {
        prop::option::of(prop::sample::select(Country::all().collect::<Vec<_>>()))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(
            v4 in prop::collection::btree_map(any::<u32>(), country(), 0..40),
            v6 in prop::collection::btree_map(any::<(u128, u8)>().prop_map(|(bits, n)| bits >> (n % 128) << (n % 128)), country(), 0..40),
        ) {
            let countries = Countries {
                source: Source {
                    name: "some".to_owned(),
                    kind: None,
                    made: Some(7),
                    notice: Some("whose".to_owned()),
                },
                v4: v4.clone().into_iter().collect(),
                v6: v6.clone().into_iter().collect(),
            };
            let layer = read(countries.to_bytes()).unwrap();
            prop_assert_eq!(layer.source(), &countries.source);
            let atlas = Atlas::new(vec![layer]).unwrap();
            for (first, country) in v4 {
                let found = atlas.look_up(std::net::Ipv4Addr::from_bits(first).into());
                prop_assert_eq!(found.place.country, country);
                prop_assert_eq!(found.place.point.is_some(), country.is_some());
            }
            for (first, country) in v6 {
                let address = std::net::Ipv6Addr::from_bits(first);
                if address.to_ipv4_mapped().is_none() && address.segments()[0] != 0x2002 {
                    prop_assert_eq!(atlas.look_up(address.into()).place.country, country);
                }
            }
        }

        #[test]
        fn broken_files_are_refused_without_panic(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let de = Country::new("DE");
            let countries = Countries {
                source: Source::named("some"),
                v4: vec![(0, de), (5 << 12, None), (1 << 24, de)],
                v6: vec![(0x2001 << 112, de), (0x2003 << 112, None)],
            };
            let mut bytes = countries.to_bytes();
            let at = at.index(bytes.len());
            prop_assert!(read(bytes.split_at(at).0.to_vec()).is_err());
            *bytes.get_mut(at).unwrap() = byte;
            if let Ok(layer) = read(bytes) {
                prop_assert!(Atlas::new(vec![layer]).is_ok());
            }
        }
    }
}
