//! Whose addresses networks are, where nothing is known of the networks themselves: of an operator
//! in a country, of a country, of a continent.

use std::net::IpAddr;

use meridian_atlas::{Atlas, Continent, Country};

/// Networks that have something in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Area {
    pub(crate) continent: Continent,
    /// Of that continent; on it somewhere where there is none.
    pub(crate) country: Option<Country>,
    /// The autonomous system of whoever runs them; never without a country.
    pub(crate) asn: Option<u32>,
}

impl Area {
    /// The narrowest that an address is in; none where nobody knows where that is.
    pub(crate) fn of(atlas: &Atlas, address: IpAddr) -> Option<Self> {
        let place = atlas.look_up(address).place;
        let continent = match place.country {
            Some(country) => Continent::of(country),
            None => place.continent?,
        };
        let operator = place.country.and_then(|_| atlas.operator(address));
        Some(Self {
            continent,
            country: place.country,
            asn: operator.and_then(|operator| operator.asn),
        })
    }

    /// The next wider one.
    pub(crate) fn wider(self) -> Option<Self> {
        if self.asn.is_some() {
            return Some(Self { asn: None, ..self });
        }
        self.country.map(|_| Self {
            country: None,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use meridian_atlas::{Layer, Operator, Place, Source};

    use super::*;

    #[test]
    fn areas_widen_from_the_operator_to_the_continent() {
        let mut layer = Layer::new(Source::named("test"));
        let network = "192.0.2.0/24".parse().unwrap();
        let germany = Country::new("DE").unwrap();
        layer.add(network, Place::in_country(germany)).unwrap();
        let operator = Operator {
            asn: Some(64500),
            name: None,
        };
        layer.add_operator(network, &operator).unwrap();
        let atlas = Atlas::new(vec![layer]).unwrap();
        let area = Area::of(&atlas, "192.0.2.9".parse().unwrap()).unwrap();
        assert_eq!(area.asn, Some(64500));
        let country = area.wider().unwrap();
        assert_eq!((country.asn, country.country), (None, Some(germany)));
        let continent = country.wider().unwrap();
        assert_eq!(
            (continent.country, continent.continent),
            (None, Continent::Europe)
        );
        assert_eq!(continent.wider(), None);
        assert_eq!(Area::of(&atlas, "198.51.100.1".parse().unwrap()), None);
    }
}
