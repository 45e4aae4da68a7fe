//! A place, as precise as its source knows it.

use meridian_model::{Continent, Country, Subdivision};

use crate::centres;
use crate::point::Point;

/// Where a client is. What is not known is absent; nowhere at all is [`Place::UNKNOWN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// That of the country, by Route 53's table; alone where the source knows no country.
    pub continent: Option<Continent>,
    /// One of Route 53's table.
    pub country: Option<Country>,
    /// A part of the country; never without it.
    pub subdivision: Option<Subdivision>,
    /// Where to measure distances from.
    pub point: Option<Point>,
}

impl Place {
    /// What an address is that no source knows.
    pub const UNKNOWN: Self = Self {
        continent: None,
        country: None,
        subdivision: None,
        point: None,
    };

    /// Somewhere in the country.
    pub fn in_country(country: Country) -> Self {
        Self {
            continent: Some(Continent::of(country)),
            country: Some(country),
            ..Self::UNKNOWN
        }
    }

    /// With what follows from the country: its continent, and a point near the middle of its people
    /// where no other is known.
    #[must_use]
    pub fn completed(self) -> Self {
        let Some(country) = self.country else {
            return self;
        };
        Self {
            continent: Some(Continent::of(country)),
            point: self.point.or_else(|| centres::of(country)),
            ..self
        }
    }

    /// Whether its point is as good as any other of the country.
    pub fn is_country_wide(&self) -> bool {
        self.country
            .is_some_and(|country| self.point == centres::of(country))
    }

    /// Whether anything is known.
    pub fn is_known(&self) -> bool {
        *self != Self::UNKNOWN
    }

    /// The part that the addresses of a subdivision have in common. What is coarser has less.
    pub(crate) fn to_subdivision(self) -> Self {
        Self {
            point: None,
            ..self
        }
    }

    pub(crate) fn to_country(self) -> Self {
        Self {
            subdivision: None,
            ..self.to_subdivision()
        }
    }

    pub(crate) fn to_continent(self) -> Self {
        Self {
            country: None,
            ..self.to_country()
        }
    }
}
