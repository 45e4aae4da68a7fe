//! The states of the USA by name: of the parts of countries those that Route 53 has records for, and
//! that some files of addresses only name.

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

impl Subdivision {
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
