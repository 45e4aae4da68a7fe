//! Route 53's own table of continents, which differs from others': Türkiye and Cyprus are in Europe,
//! Georgia, Armenia and Azerbaijan in Asia, and South Georgia is in Antarctica.

use std::fmt;

use super::Country;

/// One of the seven continents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "their names")]
pub enum Continent {
    Africa,
    Antarctica,
    Asia,
    Europe,
    NorthAmerica,
    Oceania,
    SouthAmerica,
}

/// Every country that Route 53 supports, under its continent.
const TABLE: [(Continent, &str); 7] = [
    (
        Continent::Africa,
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML \
         MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW",
    ),
    (Continent::Antarctica, "AQ GS TF"),
    (
        Continent::Asia,
        "AE AF AM AZ BD BH BN BT CC CN GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM \
         MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TW UZ VN YE",
    ),
    (
        Continent::Europe,
        "AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI \
         LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM TR UA VA XK",
    ),
    (
        Continent::NorthAmerica,
        "AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI \
         PA PM PR SV SX TC TT US VC VG VI",
    ),
    (
        Continent::Oceania,
        "AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS",
    ),
    (
        Continent::SouthAmerica,
        "AR BO BR CL CO EC FK GF GY PE PY SR UY VE",
    ),
];

impl Continent {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 7] = [
        Self::Africa,
        Self::Antarctica,
        Self::Asia,
        Self::Europe,
        Self::NorthAmerica,
        Self::Oceania,
        Self::SouthAmerica,
    ];

    /// The continent that Route 53 counts the country to.
    pub fn of(country: Country) -> Self {
        Self::of_code(country.as_str()).expect("a country is only made of the table's codes")
    }

    /// The continent of the country of this code, in capitals.
    pub(super) fn of_code(code: &str) -> Option<Self> {
        let has = |codes: &str| codes.split_ascii_whitespace().any(|other| other == code);
        let row = TABLE.iter().find(|(_, codes)| has(codes));
        row.map(|(continent, _)| *continent)
    }

    /// The continent of this code, in capitals.
    pub fn new(code: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|continent| continent.as_str() == code)
    }

    /// The API's code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Africa => "AF",
            Self::Antarctica => "AN",
            Self::Asia => "AS",
            Self::Europe => "EU",
            Self::NorthAmerica => "NA",
            Self::Oceania => "OC",
            Self::SouthAmerica => "SA",
        }
    }

    /// The name in ListGeoLocations.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Africa => "Africa",
            Self::Antarctica => "Antarctica",
            Self::Asia => "Asia",
            Self::Europe => "Europe",
            Self::NorthAmerica => "North America",
            Self::Oceania => "Oceania",
            Self::SouthAmerica => "South America",
        }
    }

    /// The countries counted to it, in the order of their codes.
    pub fn countries(self) -> impl Iterator<Item = Country> {
        let row = TABLE.iter().find(|(continent, _)| *continent == self);
        let codes = row.map_or("", |(_, codes)| *codes);
        codes.split_ascii_whitespace().filter_map(Country::new)
    }
}

impl fmt::Display for Continent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_route_53s_where_others_differ() {
        for (country, continent) in [
            ("TR", "EU"),
            ("CY", "EU"),
            ("XK", "EU"),
            ("GE", "AS"),
            ("AM", "AS"),
            ("AZ", "AS"),
            ("IO", "AS"),
            ("GS", "AN"),
            ("UM", "OC"),
            ("TL", "OC"),
        ] {
            let country = Country::new(country).unwrap();
            assert_eq!(Continent::of(country).as_str(), continent, "{country}");
        }
    }

    #[test]
    fn each_country_stands_once_and_in_order() {
        let mut all: Vec<Country> = Country::all().collect();
        for continent in Continent::ALL {
            assert!(continent.countries().is_sorted(), "{continent}");
            assert_eq!(Continent::new(continent.as_str()), Some(continent));
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
        assert_eq!(count, 246);
    }
}
