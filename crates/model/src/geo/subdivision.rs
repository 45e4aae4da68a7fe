//! The parts of countries that Route 53 has records for, by name: states of the USA, which some files
//! of addresses only name, and Ukraine's regions.

use super::{Country, Subdivision};

/// Code and English name, in the order of the codes.
const US_STATES: [(&str, &str); 51] = [
    ("AK", "Alaska"),
    ("AL", "Alabama"),
    ("AR", "Arkansas"),
    ("AZ", "Arizona"),
    ("CA", "California"),
    ("CO", "Colorado"),
    ("CT", "Connecticut"),
    ("DC", "District of Columbia"),
    ("DE", "Delaware"),
    ("FL", "Florida"),
    ("GA", "Georgia"),
    ("HI", "Hawaii"),
    ("IA", "Iowa"),
    ("ID", "Idaho"),
    ("IL", "Illinois"),
    ("IN", "Indiana"),
    ("KS", "Kansas"),
    ("KY", "Kentucky"),
    ("LA", "Louisiana"),
    ("MA", "Massachusetts"),
    ("MD", "Maryland"),
    ("ME", "Maine"),
    ("MI", "Michigan"),
    ("MN", "Minnesota"),
    ("MO", "Missouri"),
    ("MS", "Mississippi"),
    ("MT", "Montana"),
    ("NC", "North Carolina"),
    ("ND", "North Dakota"),
    ("NE", "Nebraska"),
    ("NH", "New Hampshire"),
    ("NJ", "New Jersey"),
    ("NM", "New Mexico"),
    ("NV", "Nevada"),
    ("NY", "New York"),
    ("OH", "Ohio"),
    ("OK", "Oklahoma"),
    ("OR", "Oregon"),
    ("PA", "Pennsylvania"),
    ("RI", "Rhode Island"),
    ("SC", "South Carolina"),
    ("SD", "South Dakota"),
    ("TN", "Tennessee"),
    ("TX", "Texas"),
    ("UT", "Utah"),
    ("VA", "Virginia"),
    ("VT", "Vermont"),
    ("WA", "Washington"),
    ("WI", "Wisconsin"),
    ("WV", "West Virginia"),
    ("WY", "Wyoming"),
];

/// Code and name as ListGeoLocations has it, in the order of the codes.
const UKRAINES_REGIONS: [(&str, &str); 27] = [
    ("05", "Vinnytska oblast"),
    ("07", "Volynska oblast"),
    ("09", "Luhanska oblast"),
    ("11", "Crimea"),
    ("12", "Dnipropetrovska oblast"),
    ("14", "Donetska oblast"),
    ("18", "Zhytomyrska oblast"),
    ("20", "Sevastopol"),
    ("21", "Zakarpatska oblast"),
    ("23", "Zaporizka oblast"),
    ("26", "Ivano-Frankivska oblast"),
    ("30", "Kyiv"),
    ("32", "Kyivska oblast"),
    ("35", "Kirovohradska oblast"),
    ("46", "Lvivska oblast"),
    ("48", "Mykolaivska oblast"),
    ("51", "Odeska oblast"),
    ("53", "Poltavska oblast"),
    ("56", "Rivnenska oblast"),
    ("59", "Sumska oblast"),
    ("61", "Ternopilska oblast"),
    ("63", "Kharkivska oblast"),
    ("65", "Khersonska oblast"),
    ("68", "Khmelnytska oblast"),
    ("71", "Cherkaska oblast"),
    ("74", "Chernihivska oblast"),
    ("77", "Chernivetska oblast"),
];

/// What Route 53 has of a country's parts.
fn parts(country: Country) -> &'static [(&'static str, &'static str)] {
    match country.as_str() {
        "UA" => &UKRAINES_REGIONS,
        "US" => &US_STATES,
        _ => &[],
    }
}

impl Subdivision {
    /// The parts of a country that records may name, by code.
    pub fn of(country: Country) -> impl Iterator<Item = Self> {
        parts(country)
            .iter()
            .filter_map(|(code, _)| Self::new(code))
    }

    /// The name in ListGeoLocations; empty for a part that Route 53 does not have.
    pub fn name_in(&self, country: Country) -> &'static str {
        let mut parts = parts(country).iter();
        let part = parts.find(|(code, _)| *code == self.as_str());
        part.map_or("", |(_, name)| name)
    }

    /// The state of the USA of this English name; none of other countries.
    pub fn named(country: Country, name: &str) -> Option<Self> {
        let (code, _) = US_STATES
            .iter()
            .filter(|_| country.as_str() == "US")
            .find(|(_, state)| state.eq_ignore_ascii_case(name))?;
        Self::new(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_countries_have_parts() {
        let with_parts = Country::all().filter(|country| Subdivision::of(*country).count() > 0);
        let mut codes: Vec<String> = with_parts.map(|country| country.to_string()).collect();
        codes.sort();
        assert_eq!(codes, ["UA", "US"]);
        assert!(UKRAINES_REGIONS.is_sorted_by_key(|(code, _)| code));
        let (ua, us) = (Country::new("UA").unwrap(), Country::new("US").unwrap());
        let name = |code, country| Subdivision::new(code).unwrap().name_in(country);
        assert_eq!(name("43", ua), "");
        assert_eq!(name("30", ua), "Kyiv");
        assert_eq!(name("DC", us), "District of Columbia");
    }

    #[test]
    fn states_have_names() {
        let (us, ge) = (Country::new("US").unwrap(), Country::new("GE").unwrap());
        assert_eq!(Subdivision::named(us, "georgia"), Subdivision::new("GA"));
        assert_eq!(Subdivision::named(ge, "Georgia"), None);
        assert_eq!(Subdivision::named(us, "Bavaria"), None);
        assert!(US_STATES.is_sorted_by_key(|(code, _)| code));
        for (code, name) in US_STATES {
            assert_eq!(Subdivision::named(us, name), Subdivision::new(code));
        }
    }
}
