//! The fields of records: MaxMind's, which DB-IP shares, and the flat ones of IPinfo and others. A
//! field that is of another kind than expected counts as absent.

use meridian_model::{Continent, Country, Subdivision};
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::operator::Operator;
use crate::place::Place;
use crate::point::Point;

/// What of a record is of use.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    continent: Field<'a>,
    #[serde(borrow)]
    continent_code: Field<'a>,
    #[serde(borrow)]
    country: Field<'a>,
    #[serde(borrow)]
    country_code: Field<'a>,
    #[serde(borrow)]
    subdivisions: Field<'a>,
    #[serde(borrow)]
    region: Field<'a>,
    #[serde(borrow)]
    region_code: Field<'a>,
    #[serde(borrow)]
    state: Field<'a>,
    #[serde(borrow)]
    state1: Field<'a>,
    #[serde(borrow)]
    location: Field<'a>,
    #[serde(borrow)]
    latitude: Field<'a>,
    #[serde(borrow)]
    lat: Field<'a>,
    #[serde(borrow)]
    longitude: Field<'a>,
    #[serde(borrow)]
    lng: Field<'a>,
    #[serde(borrow)]
    autonomous_system_number: Field<'a>,
    #[serde(borrow)]
    asn: Field<'a>,
    #[serde(borrow)]
    isp: Field<'a>,
    #[serde(borrow)]
    organization: Field<'a>,
    #[serde(borrow)]
    autonomous_system_organization: Field<'a>,
    #[serde(borrow)]
    as_name: Field<'a>,
}

/// A value of any kind.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field<'a> {
    Text(&'a str),
    Number(f64),
    /// The first is the largest: the state, and in it perhaps a county.
    Parts(Vec<Part<'a>>),
    #[serde(borrow)]
    Part(Part<'a>),
    Other(IgnoredAny),
}

/// A place in more than one word.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Part<'a> {
    #[serde(borrow)]
    iso_code: Option<&'a str>,
    #[serde(borrow)]
    code: Option<&'a str>,
    #[serde(borrow)]
    names: Names<'a>,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Names<'a> {
    #[serde(borrow)]
    en: Option<&'a str>,
}

impl Default for Field<'_> {
    fn default() -> Self {
        Self::Other(IgnoredAny)
    }
}

impl<'a> Field<'a> {
    /// The part, or the first of them.
    fn part(&self) -> Option<&Part<'a>> {
        match self {
            Self::Part(part) => Some(part),
            Self::Parts(parts) => parts.first(),
            _ => None,
        }
    }

    /// A code that stands alone or in its part.
    fn code(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            other => other.part().and_then(|part| part.iso_code.or(part.code)),
        }
    }

    /// A name that stands alone or in its part.
    fn name(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            other => other.part()?.names.en,
        }
    }

    /// The number of an autonomous system, with or without `AS` before it.
    fn asn(&self) -> Option<u32> {
        match self {
            Self::Text(text) => text.strip_prefix("AS").unwrap_or(text).parse().ok(),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "what does not fit becomes another number, and none"
            )]
            Self::Number(number) => Some(*number as u32).filter(|asn| f64::from(*asn) == *number),
            _ => None,
        }
    }

    /// A number, also when it is written as text.
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
            _ => None,
        }
    }
}

impl Record<'_> {
    /// What it says. Of a country that Route 53 does not know, only where it is.
    pub(super) fn place(&self) -> Place {
        // Where both are there, `country` is a name.
        let codes = [&self.country_code, &self.country];
        let code = codes.iter().find_map(|field| field.code());
        let country = code.and_then(Country::new);
        let continent = [&self.continent_code, &self.continent]
            .iter()
            .find_map(|field| Continent::new(field.code()?))
            .filter(|_| code.is_none());
        let place = Place {
            continent,
            country,
            subdivision: country.and_then(|country| self.subdivision(country)),
            point: self.point(),
        };
        place.completed()
    }

    /// Whose the network is: the provider, or else whoever else is named.
    pub(super) fn operator(&self) -> Operator {
        let numbers = [&self.autonomous_system_number, &self.asn];
        let asn = numbers.iter().find_map(|field| field.asn());
        let names = [
            &self.isp,
            &self.autonomous_system_organization,
            &self.as_name,
            &self.organization,
        ];
        Operator {
            asn: asn.filter(|asn| *asn != 0),
            name: names.iter().find_map(|field| field.name()).map(Box::from),
        }
    }

    fn subdivision(&self, country: Country) -> Option<Subdivision> {
        let coded = [
            &self.subdivisions,
            &self.region_code,
            &self.region,
            &self.state,
            &self.state1,
        ];
        let code = coded
            .iter()
            .find_map(|field| Subdivision::new(within(country, field.code()?)));
        let named = || {
            let names = [&self.subdivisions, &self.region, &self.state, &self.state1];
            names
                .iter()
                .find_map(|field| Subdivision::named(country, field.name()?))
        };
        code.or_else(named)
    }

    fn point(&self) -> Option<Point> {
        let (latitude, longitude) = match &self.location {
            Field::Part(location) => (location.latitude?, location.longitude?),
            _ => (
                self.latitude.number().or_else(|| self.lat.number())?,
                self.longitude.number().or_else(|| self.lng.number())?,
            ),
        };
        #[expect(clippy::cast_possible_truncation, reason = "metres do not matter")]
        let point = Point::new(latitude as f32, longitude as f32);
        // Sources that know nothing better write zeros.
        point.filter(|_| latitude != 0.0 || longitude != 0.0)
    }
}

/// The code of a part of a country, which some write behind the country's.
fn within(country: Country, code: &str) -> &str {
    let behind = code
        .strip_prefix(country.as_str())
        .and_then(|rest| rest.strip_prefix('-'));
    behind.unwrap_or(code)
}
