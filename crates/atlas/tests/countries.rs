//! The countries that come with the program: that the file is what the tool makes, and that it
//! knows some networks everybody knows.

mod ipfire;

use std::net::IpAddr;

use meridian_atlas::{Atlas, Continent, countries};

const FILE: &[u8] = include_bytes!("../../../data/geo/countries");

#[test]
fn the_file_is_what_the_tool_makes_of_the_crate() {
    assert!(
        ipfire::countries().to_bytes() == FILE,
        "tor-geoip-db has other data: look at MADE in tests/ipfire, then\n\
         cargo run -p meridian-atlas --example pack-countries -- data/geo/countries"
    );
}

#[test]
fn countries_are_found() {
    let layer = countries::read(FILE).unwrap();
    let source = layer.source().clone();
    assert!(source.notice.as_ref().unwrap().contains("CC BY-SA 4.0"));
    let atlas = Atlas::new(vec![layer]).unwrap();
    for (address, country, continent) in [
        // The RIPE NCC, APNIC, LACNIC, Vodacom, the University of California, DENIC, the University
        // of Vienna, and Turkish Telecom.
        ("193.0.6.139", "NL", Continent::Europe),
        ("203.119.101.61", "AU", Continent::Oceania),
        ("200.3.14.184", "UY", Continent::SouthAmerica),
        ("41.0.0.1", "ZA", Continent::Africa),
        ("128.32.0.1", "US", Continent::NorthAmerica),
        ("81.91.164.5", "DE", Continent::Europe),
        ("131.130.1.11", "AT", Continent::Europe),
        ("78.160.0.1", "TR", Continent::Europe),
        ("2001:67c:2e8::1", "NL", Continent::Europe),
        ("2001:628::1", "AT", Continent::Europe),
        ("240e::1", "CN", Continent::Asia),
    ] {
        let address: IpAddr = address.parse().unwrap();
        let found = atlas.look_up(address);
        let country_found = found.place.country.map(|country| country.to_string());
        assert_eq!(country_found.as_deref(), Some(country), "{address}");
        assert_eq!(found.place.continent, Some(continent), "{address}");
        assert!(found.place.is_country_wide());
        assert_eq!(found.source, Some(&source));
        assert!(found.scope.record > 0);
    }
    for nowhere in [
        "10.0.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "224.0.0.1",
        "fe80::1",
        "::1",
    ] {
        let found = atlas.look_up(nowhere.parse().unwrap());
        assert!(!found.place.is_known(), "{nowhere}");
    }
}
