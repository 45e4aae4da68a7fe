//! The places that geolocation records may name, in the order and with the names of
//! ListGeoLocations.

use super::{Continent, Country, Subdivision, names};
use crate::routing::GeoLocation;

/// `GeoLocationDetails`: a continent, a country, or a part of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GeoPlace {
    /// `*`: clients that no other place is known of or has a record for.
    Default,
    /// A country.
    Country(Country),
    /// A part of a country.
    Subdivision(Country, Subdivision),
    /// A continent.
    Continent(Continent),
}

/// Where a list of places begins: at the first that is not before this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum GeoStart {
    /// A country's code, and a code of a part of it or nothing.
    Country(String, String),
    /// A continent's code. Continents come behind all countries.
    Continent(String),
}

impl GeoPlace {
    /// All of them: the default, countries by code, each with its parts by code, and continents.
    pub fn all() -> impl Iterator<Item = Self> {
        let countries = names::by_code().flat_map(|country| {
            let parts = Subdivision::of(country).map(move |part| Self::Subdivision(country, part));
            std::iter::once(Self::Country(country)).chain(parts)
        });
        let continents = Continent::ALL.into_iter().map(Self::Continent);
        let default = std::iter::once(Self::Default);
        default.chain(countries).chain(continents)
    }

    /// The place that a record names; none where Route 53 has no such place. Codes are in capitals.
    pub fn of(location: &GeoLocation) -> Option<Self> {
        let GeoLocation {
            continent,
            country,
            subdivision,
        } = location;
        let place = match (continent, country, subdivision) {
            (Some(continent), None, None) => Self::Continent(Continent::new(continent)?),
            (None, Some(code), None) if code == "*" => Self::Default,
            (None, Some(code), None) => Self::Country(Country::new(code)?),
            (None, Some(code), Some(part)) => {
                let (country, part) = (Country::new(code)?, Subdivision::new(part)?);
                let known = Subdivision::of(country).any(|other| other == part);
                known.then_some(Self::Subdivision(country, part))?
            }
            _ => return None,
        };
        // The codes of this crate are taken in small letters too.
        (place.location() == *location).then_some(place)
    }

    /// As a record names it.
    pub fn location(&self) -> GeoLocation {
        let (continent, country, subdivision) = match self {
            Self::Default => (None, Some("*"), None),
            Self::Country(country) => (None, Some(country.as_str()), None),
            Self::Subdivision(country, part) => (None, Some(country.as_str()), Some(part.as_str())),
            Self::Continent(continent) => (Some(continent.as_str()), None, None),
        };
        GeoLocation {
            continent: continent.map(str::to_owned),
            country: country.map(str::to_owned),
            subdivision: subdivision.map(str::to_owned),
        }
    }

    /// The names of continent, country and part, as far as there are any.
    pub fn names(&self) -> [Option<&'static str>; 3] {
        match self {
            Self::Default => [None, Some("Default"), None],
            Self::Country(country) => [None, Some(country.name()), None],
            Self::Subdivision(country, part) => {
                [None, Some(country.name()), Some(part.name_in(*country))]
            }
            Self::Continent(continent) => [Some(continent.name()), None, None],
        }
    }

    /// What the place is found by in the list.
    pub fn start(&self) -> GeoStart {
        let location = self.location();
        match location.continent {
            Some(continent) => GeoStart::Continent(continent),
            None => GeoStart::Country(
                location.country.unwrap_or_default(),
                location.subdivision.unwrap_or_default(),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(codes: [Option<&str>; 3]) -> GeoLocation {
        let [continent, country, subdivision] = codes.map(|code| code.map(str::to_owned));
        GeoLocation {
            continent,
            country,
            subdivision,
        }
    }

    #[test]
    fn the_list_is_in_route_53s_order() {
        let all: Vec<GeoPlace> = GeoPlace::all().collect();
        assert_eq!(all.len(), 1 + 246 + 51 + 27 + 7);
        assert!(all.is_sorted_by(|a, b| a.start() < b.start()));
        for place in &all {
            assert_eq!(GeoPlace::of(&place.location()), Some(*place));
            let location = place.location();
            let codes = [location.continent, location.country, location.subdivision];
            assert_eq!(
                codes.map(|code| code.is_some()),
                place.names().map(|name| name.is_some())
            );
        }
        let names = |from: GeoStart| {
            all.iter()
                .find(|place| place.start() >= from)
                .unwrap()
                .names()
        };
        let country = |code: &str, part: &str| GeoStart::Country(code.into(), part.into());
        assert_eq!(names(country("", "")), [None, Some("Default"), None]);
        let crimea = [None, Some("Ukraine"), Some("Crimea")];
        assert_eq!(names(country("UA", "10")), crimea);
        assert_eq!(names(country("ZZ", "")), [Some("Africa"), None, None]);
        let oceania = [Some("Oceania"), None, None];
        assert_eq!(names(GeoStart::Continent("NB".into())), oceania);
    }

    #[test]
    fn what_route_53_does_not_know_is_no_place() {
        for codes in [
            [Some("EU"), Some("DE"), None],
            [Some("XX"), None, None],
            [Some("eu"), None, None],
            [None, Some("BV"), None],
            [None, Some("de"), None],
            [None, Some("US"), Some("PR")],
            [None, Some("US"), Some("ca")],
            [None, Some("DE"), Some("BY")],
            [None, Some("*"), Some("CA")],
            [None, None, Some("CA")],
            [None, None, None],
        ] {
            assert_eq!(GeoPlace::of(&location(codes)), None, "{codes:?}");
        }
    }
}
