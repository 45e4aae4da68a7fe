//! Files in MaxMind's format, with the fields of several providers, whole and damaged.
#![expect(clippy::unwrap_used, reason = "tests, which may panic")]

mod mmdb;

use std::net::IpAddr;

use meridian_atlas::mmdb::{MmdbError, read};
use meridian_atlas::{Atlas, Layer, Place};
use mmdb::{Shape, Value, Writer};

const CITY: Shape = Shape {
    ip_version: 6,
    record_size: 28,
    database_type: "GeoLite2-City",
};

fn map<const N: usize>(fields: [(&'static str, Value); N]) -> Value {
    Value::Map(fields.into())
}

/// A record as MaxMind's files of cities have it.
fn city(country: &str, continent: &str, state: &str, point: (f64, f64)) -> Value {
    let names = || map([("de", "Name".into()), ("en", "Name".into())]);
    map([
        (
            "city",
            map([("geoname_id", Value::Number(1)), ("names", names())]),
        ),
        (
            "continent",
            map([("code", continent.into()), ("names", names())]),
        ),
        (
            "country",
            map([("iso_code", country.into()), ("names", names())]),
        ),
        (
            "location",
            map([
                ("accuracy_radius", Value::Number(20)),
                ("latitude", Value::Double(point.0)),
                ("longitude", Value::Double(point.1)),
            ]),
        ),
        ("registered_country", map([("iso_code", "FR".into())])),
        (
            "subdivisions",
            Value::List(vec![
                map([("iso_code", state.into()), ("names", names())]),
                map([("iso_code", "XYZ".into())]),
            ]),
        ),
    ])
}

fn file(shape: Shape, rows: &[(&str, Value)]) -> Vec<u8> {
    let mut writer = Writer::new(shape);
    for (network, value) in rows {
        writer.add(network, value);
    }
    writer.finish()
}

fn layer(shape: Shape, rows: &[(&str, Value)]) -> Layer {
    read("some.mmdb", &file(shape, rows)).unwrap()
}

/// The place of an address in words: continent, country, subdivision, point in whole degrees.
fn words(place: &Place) -> String {
    let or_nothing = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let point =
        |point: meridian_atlas::Point| format!("{:.0},{:.0}", point.latitude(), point.longitude());
    [
        or_nothing(place.continent.map(|continent| continent.to_string())),
        or_nothing(place.country.map(|country| country.to_string())),
        or_nothing(place.subdivision.map(|subdivision| subdivision.to_string())),
        or_nothing(place.point.map(point)),
    ]
    .join(" ")
}

fn found(atlas: &Atlas, address: &str) -> String {
    words(atlas.look_up(address.parse::<IpAddr>().unwrap()).place)
}

#[test]
fn cities_are_read_whatever_the_size_of_the_tree() {
    for (ip_version, record_size) in [(4, 24), (4, 28), (4, 32), (6, 24), (6, 28), (6, 32)] {
        let shape = Shape {
            ip_version,
            record_size,
            ..CITY
        };
        let mut rows = vec![
            ("192.0.2.0/24", city("US", "NA", "CA", (37.8, -122.4))),
            ("192.0.2.64/26", city("US", "NA", "OR", (45.5, -122.7))),
            ("203.0.113.0/24", city("TR", "AS", "34", (41.0, 29.0))),
        ];
        if ip_version == 6 {
            rows.push(("2001:db8::/32", city("DE", "EU", "BE", (52.5, 13.4))));
        }
        let layer = layer(shape, &rows);
        assert_eq!(layer.source().name, "some.mmdb");
        assert_eq!(layer.source().kind.as_deref(), Some("GeoLite2-City"));
        assert_eq!(layer.source().made, Some(1_700_000_000));
        let atlas = Atlas::new(vec![layer]).unwrap();
        assert_eq!(found(&atlas, "192.0.2.1"), "NA US CA 38,-122");
        assert_eq!(found(&atlas, "192.0.2.65"), "NA US OR 46,-123");
        // By Route 53's table, not the file's.
        assert_eq!(found(&atlas, "203.0.113.7"), "EU TR 34 41,29");
        assert_eq!(found(&atlas, "192.0.3.1"), "- - - -");
        if ip_version == 6 {
            assert_eq!(found(&atlas, "2001:db8::1"), "EU DE BE 52,13");
        }
    }
}

#[test]
fn every_providers_fields_are_understood() {
    let text = |text: &str| Value::Text(text.to_owned());
    for (record, expected) in [
        // MaxMind's and DB-IP's countries: with the country's middle for a point.
        (
            map([("country", map([("iso_code", "NL".into())]))]),
            "EU NL - 52,5",
        ),
        // DB-IP's cities: states by name only.
        (
            map([
                ("country", map([("iso_code", "US".into())])),
                (
                    "subdivisions",
                    Value::List(vec![map([("names", map([("en", "New York".into())]))])]),
                ),
                (
                    "location",
                    map([
                        ("latitude", Value::Double(40.7)),
                        ("longitude", Value::Double(-74.0)),
                    ]),
                ),
            ]),
            "NA US NY 41,-74",
        ),
        // IPinfo Lite.
        (
            map([
                ("country", text("United States")),
                ("country_code", text("US")),
                ("continent", text("North America")),
                ("continent_code", text("NA")),
                ("asn", text("AS64496")),
            ]),
            "NA US - 38,-92",
        ),
        // IPinfo's locations: everything is text.
        (
            map([
                ("city", text("Portland")),
                ("country", text("US")),
                ("region", text("Oregon")),
                ("lat", text("45.52")),
                ("latitude", Value::Double(45.52)),
                ("lng", text("-122.67")),
            ]),
            "NA US OR 46,-123",
        ),
        // Files of countries alone.
        (map([("country_code", text("jp"))]), "AS JP - 36,137"),
        (
            map([("country", text("US")), ("region_code", text("US-TX"))]),
            "NA US TX 38,-92",
        ),
    ] {
        let rows = [("192.0.2.0/24", record)];
        let atlas = Atlas::new(vec![layer(CITY, &rows)]).unwrap();
        assert_eq!(found(&atlas, "192.0.2.1"), expected, "{rows:?}");
    }
}

#[test]
fn what_is_not_understood_is_unknown() {
    let text = |text: &str| Value::Text(text.to_owned());
    for (record, expected) in [
        // Nobody knows the country, but the continent.
        (
            map([("continent", map([("code", "EU".into())]))]),
            "EU - - -",
        ),
        (map([("continent_code", text("OC"))]), "OC - - -"),
        // What Route 53 has no records for is unknown, but not where it is.
        (city("BV", "AN", "", (-54.4, 3.4)), "- - - -54,3"),
        (
            map([("country_code", text("??")), ("continent_code", text("EU"))]),
            "- - - -",
        ),
        // Zeros are what no coordinates look like, and so is what is on no globe.
        (city("GH", "AF", "AA", (0.0, 0.0)), "AF GH AA 7,-1"),
        (city("GH", "AF", "AA", (95.0, 7.0)), "AF GH AA 7,-1"),
        // Other kinds of values than expected.
        (
            map([
                ("country", Value::List(vec![Value::Number(3)])),
                ("country_code", text("SE")),
                ("location", text("59.3,18.1")),
                ("subdivisions", Value::Number(7)),
                ("continent", Value::Double(1.0)),
            ]),
            "EU SE - 59,16",
        ),
    ] {
        let rows = [
            ("198.51.100.0/24", map([("country_code", text("FR"))])),
            ("192.0.2.0/24", record),
        ];
        let atlas = Atlas::new(vec![layer(CITY, &rows)]).unwrap();
        assert_eq!(found(&atlas, "192.0.2.1"), expected, "{rows:?}");
    }
}

#[test]
fn what_a_file_repeats_for_mapped_addresses_is_left_out() {
    let mut writer = Writer::new(CITY);
    writer.add("192.0.2.0/24", &city("US", "NA", "CA", (37.8, -122.4)));
    writer.add("2001:db8::/32", &city("DE", "EU", "BE", (52.5, 13.4)));
    writer.alias(0xFFFF << 32, 96);
    writer.alias(0x2002 << 112, 16);
    writer.alias(0x2001 << 112, 32);
    let atlas = Atlas::new(vec![read("aliases", &writer.finish()).unwrap()]).unwrap();
    for address in ["192.0.2.1", "::ffff:192.0.2.1", "2002:c000:201::"] {
        assert_eq!(found(&atlas, address), "NA US CA 38,-122", "{address}");
    }
    assert_eq!(found(&atlas, "2001:0:c000:201::"), "- - - -");
}

#[test]
fn files_of_providers_tell_operators_and_no_places() {
    let isp = map([
        ("autonomous_system_number", Value::Number(64496)),
        ("autonomous_system_organization", "EXAMPLE-AS".into()),
        ("isp", "Example".into()),
    ]);
    let lite = map([
        ("asn", "AS64511".into()),
        ("as_name", "Another".into()),
        ("country_code", "SE".into()),
    ]);
    let rows = [("192.0.2.0/24", isp), ("2001:db8::/32", lite)];
    let shape = Shape {
        database_type: "GeoIP2-ISP",
        ..CITY
    };
    let city = layer(
        CITY,
        &[("192.0.2.0/25", city("US", "NA", "CA", (37.8, -122.4)))],
    );
    let atlas = Atlas::new(vec![city, layer(shape, &rows)]).unwrap();
    let operator = |address: &str| {
        let operator = atlas.operator(address.parse().unwrap())?;
        Some((operator.asn?, operator.name.clone()?.to_string()))
    };
    let example = Some((64496, "Example".to_owned()));
    for address in [
        "192.0.2.1",
        "192.0.2.200",
        "::ffff:192.0.2.1",
        "2002:c000:201::",
    ] {
        assert_eq!(operator(address), example, "{address}");
    }
    assert_eq!(operator("2001:db8::1"), Some((64511, "Another".to_owned())));
    assert_eq!(operator("192.0.3.0"), None);
    assert_eq!(operator("2001:db9::"), None);
    // Range by range the same.
    let (v4, v6): (Vec<_>, Vec<_>) = (
        atlas.operators_v4().collect(),
        atlas.operators_v6().collect(),
    );
    assert!(v4.is_sorted_by_key(|(first, _)| *first) && v6.is_sorted_by_key(|(first, _)| *first));
    let v4 = v4.into_iter().map(|(first, of)| (IpAddr::V4(first), of));
    let v6 = v6.into_iter().map(|(first, of)| (IpAddr::V6(first), of));
    let all: Vec<_> = v4.chain(v6).collect();
    assert!(all.iter().any(|(_, of)| of.is_some()) && all.iter().any(|(_, of)| of.is_none()));
    for (first, of) in all {
        assert_eq!(atlas.operator(first), of, "{first}");
    }
    assert_eq!(found(&atlas, "192.0.2.1"), "NA US CA 38,-122");
    assert_eq!(found(&atlas, "192.0.2.200"), "- - - -");
    assert_eq!(found(&atlas, "2001:db8::1"), "EU SE - 59,16");
}

#[test]
fn files_that_tell_nothing_are_refused() {
    let isp = map([
        ("domain", "example.com".into()),
        ("autonomous_system_number", "x".into()),
    ]);
    let shape = Shape {
        database_type: "GeoIP2-ISP",
        ..CITY
    };
    let refused = read("isp.mmdb", &file(shape, &[("192.0.2.0/24", isp)])).unwrap_err();
    assert!(
        matches!(&refused, MmdbError::Nothing(kind) if kind == "GeoIP2-ISP"),
        "{refused}"
    );
}

#[test]
fn damaged_files_are_refused() {
    let whole = file(
        CITY,
        &[
            ("192.0.2.0/24", city("US", "NA", "CA", (37.8, -122.4))),
            ("2001:db8::/32", city("DE", "EU", "BE", (52.5, 13.4))),
        ],
    );
    assert!(read("whole", &whole).is_ok());
    assert!(matches!(
        read("empty", b"").unwrap_err(),
        MmdbError::Format(_)
    ));
    for len in 0..whole.len() {
        assert!(read("cut off", &whole[..len]).is_err(), "{len}");
    }
    // Whatever one wrong byte does, it does no harm.
    for at in 0..whole.len() {
        for byte in [0x00, 0xFF, whole[at] ^ 1, whole[at] ^ 0x80] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            let read = read("damaged", &damaged);
            if let Some(layer) = read.ok().filter(|_| at % 16 == 0) {
                assert!(Atlas::new(vec![layer]).is_ok());
            }
        }
    }
}

/// A tree in which both ways lead to the same node has as many networks as there are addresses.
#[test]
fn a_tangle_is_refused_in_time() {
    let mut writer = Writer::new(Shape {
        record_size: 32,
        ..CITY
    });
    writer.add("ffff::/128", &city("US", "NA", "CA", (37.8, -122.4)));
    let mut bytes = writer.finish();
    for node in 0_u32..127 {
        let at = usize::try_from(node).unwrap() * 8;
        let next = (node + 1).to_be_bytes();
        bytes[at..at + 8].copy_from_slice(&[next, next].concat());
    }
    assert!(matches!(
        read("tangle", &bytes).unwrap_err(),
        MmdbError::Tangled
    ));
}
