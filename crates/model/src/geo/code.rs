//! The codes of countries and of their parts, small enough to be copied into every answer's
//! decision. Which countries there are stands with the continents.

use std::fmt;

use super::Continent;

/// A country of Route 53's table, by its ISO 3166-1 code in capitals.
///
/// There is none for `BV`, `CX`, `EH` and `HM`, which Route 53 does not support, nor for codes that
/// are no country's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// The country of this code, in capitals or not; none that is not in the table.
    pub fn new(code: &str) -> Option<Self> {
        let code: [u8; 2] = code.as_bytes().try_into().ok()?;
        let code = code.map(|letter| letter.to_ascii_uppercase());
        let known = Continent::of_code(std::str::from_utf8(&code).ok()?);
        known.map(|_| Self(code))
    }

    /// All countries of the table, by continent.
    pub fn all() -> impl Iterator<Item = Self> {
        Continent::ALL.into_iter().flat_map(Continent::countries)
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        text(&self.0)
    }

    /// The code, to be compared.
    #[inline]
    pub fn bytes(self) -> [u8; 2] {
        self.0
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A part of a country by what follows the country in ISO 3166-2: `CA` of `US-CA`. It says nothing
/// without its country.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subdivision([u8; 3]);

impl Subdivision {
    /// One to three letters and digits, in capitals or not.
    pub fn new(code: &str) -> Option<Self> {
        let given = code.as_bytes();
        if given.is_empty() || !given.iter().all(u8::is_ascii_alphanumeric) {
            return None;
        }
        let mut padded = [0; 3];
        padded.get_mut(..given.len())?.copy_from_slice(given);
        Some(Self(padded.map(|letter| letter.to_ascii_uppercase())))
    }

    /// The code.
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().take_while(|letter| **letter != 0).count();
        text(self.0.get(..len).unwrap_or_default())
    }

    /// The code with zeros behind it, to be compared.
    #[inline]
    pub fn bytes(self) -> [u8; 3] {
        self.0
    }
}

impl fmt::Display for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Subdivision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn text(code: &[u8]) -> &str {
    std::str::from_utf8(code).expect("only ASCII is let in by new")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries_are_those_of_the_table() {
        assert_eq!(Country::new("de").unwrap().as_str(), "DE");
        for none in [
            "BV", "CX", "EH", "HM", "??", "*", "", "D", "DEU", "ÄÖ", "UK",
        ] {
            assert_eq!(Country::new(none), None, "{none}");
        }
        assert_eq!(Country::all().count(), 246);
    }

    #[test]
    fn parts_have_up_to_three_letters_and_digits() {
        for code in ["CA", "NSW", "7", "18"] {
            assert_eq!(Subdivision::new(code).unwrap().as_str(), code);
        }
        assert_eq!(Subdivision::new("ca"), Subdivision::new("CA"));
        for none in ["", "ABCD", "A-", "Ä", "A\0"] {
            assert_eq!(Subdivision::new(none), None, "{none}");
        }
    }
}
