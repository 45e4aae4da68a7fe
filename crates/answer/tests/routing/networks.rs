//! Random networks: who is where, the blocks of collections, and clients near their edges.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::case::{Case, Latencies, Place, Prefix};
use crate::earth;
use crate::generate::masked;
use crate::rng::Rng;
use crate::scope::edges;

/// Points that clients and geoproximity sets share, so that distances are equal or 0 at times.
pub(crate) const POINTS: [(f64, f64); 10] = [
    (0.0, 0.0),
    (0.0, 10.0),
    (0.0, -10.0),
    (48.86, 2.35),
    (52.52, 13.4),
    (40.71, -74.01),
    (34.05, -118.24),
    (39.9, 116.41),
    (-33.87, 151.21),
    (90.0, 0.0),
];

const COUNTRIES: [(&str, Option<&str>); 14] = [
    ("US", Some("TX")),
    ("US", Some("CA")),
    ("US", Some("NY")),
    ("US", None),
    ("DE", None),
    ("FR", None),
    ("TR", None),
    ("CA", None),
    ("CN", None),
    ("CN", None),
    ("JP", None),
    ("IO", None),
    ("BR", None),
    ("GS", None),
];

/// A network out of few, nested and side by side.
fn network(rng: &mut Rng, lengths: (&[u8], &[u8])) -> Prefix {
    let parts: Vec<u8> = (0..3)
        .map(|_| *rng.pick(&[0, 0, 1, 2, 3, 128, 255]))
        .collect();
    if rng.percent(30) {
        let address = IpAddr::from([
            0x2001,
            0xdb8,
            u16::from(parts[0]) << 8 | u16::from(parts[1]),
            u16::from(parts[2]),
            0,
            0,
            0,
            0,
        ]);
        return masked(address, *rng.pick(lengths.1));
    }
    let first = *rng.pick(&[10, 10, 10, 11, 192]);
    masked(
        IpAddr::from([first, parts[0], parts[1], parts[2]]),
        *rng.pick(lengths.0),
    )
}

/// Who is where.
pub(crate) fn places(rng: &mut Rng) -> Vec<(Prefix, Place)> {
    let mut places: BTreeMap<Prefix, Place> = BTreeMap::new();
    let mut wide = vec!["8.0.0.0/6", "2001::/17"];
    wide.truncate(rng.below(3));
    for number in 0..rng.below(14) {
        let at = network(
            rng,
            (
                &[7, 8, 9, 12, 16, 20, 24, 28, 32],
                &[20, 32, 40, 48, 56, 64],
            ),
        );
        // Often nearly all clients are somewhere.
        let at = wide.get(number).map_or(at, |text| Prefix::parse(text));
        let point = rng.percent(80).then(|| *rng.pick(&POINTS));
        let (country, subdivision) = *rng.pick(&COUNTRIES);
        let place = match rng.below(10) {
            0 => Place {
                continent: Some(*rng.pick(&["EU", "NA", "AS"])),
                point,
                ..Place::default()
            },
            1 => Place {
                point,
                ..Place::default()
            },
            _ => earth::place(country, subdivision, point),
        };
        places.insert(at, place);
    }
    // A network of which nothing is known counts as the one around it, or as none, as the source
    // of places likes.
    places.retain(|_, place| *place != Place::default());
    places.into_iter().collect()
}

/// How far it is from networks to regions, with numbers that are the same for many, and with the
/// same order where they are not. In half of all cases nothing was measured.
pub(crate) fn latencies(rng: &mut Rng) -> Vec<(Prefix, Latencies)> {
    let mut measured: BTreeMap<Prefix, Latencies> = BTreeMap::new();
    let count = if rng.percent(50) {
        0
    } else {
        1 + rng.below(10)
    };
    for number in 0..count {
        let at = network(
            rng,
            (
                &[7, 8, 9, 12, 16, 20, 24, 28, 32],
                &[20, 32, 40, 48, 56, 64],
            ),
        );
        let all = number == 0 && rng.percent(40);
        let at = if all { Prefix::parse("0.0.0.0/0") } else { at };
        let known = *rng.pick(&[30, 80, 100, 100]);
        let mut latencies = Latencies::new();
        for region in earth::regions() {
            if rng.percent(known) {
                latencies.insert(region, *rng.pick(&[0.7, 8.0, 40.0, 40.3, 90.0, 250.0]));
            }
        }
        // Another network of the same order, somewhat slower.
        if rng.percent(50)
            && let Some((_, other)) = measured.iter().next()
        {
            latencies = other
                .iter()
                .map(|(region, ms)| (*region, ms * 1.5))
                .collect();
        }
        measured.insert(at, latencies);
    }
    measured.into_iter().collect()
}

/// The CIDR collections.
pub(crate) fn collections(rng: &mut Rng) -> BTreeMap<String, Vec<(Prefix, String)>> {
    let mut collections = BTreeMap::new();
    for number in 0..1 + rng.below(2) {
        let mut blocks: BTreeMap<Prefix, String> = BTreeMap::new();
        for _ in 0..rng.below(10) {
            let at = network(
                rng,
                (&[1, 7, 8, 9, 12, 16, 20, 23, 24], &[1, 20, 32, 40, 47, 48]),
            );
            blocks.insert(at, format!("l{}", rng.below(4)));
        }
        let id = format!("00000000-0000-4000-8000-00000000000{number}");
        collections.insert(id, blocks.into_iter().collect());
    }
    collections
}

/// The network of a VPC, and its region.
pub(crate) fn vpc(rng: &mut Rng) -> (Prefix, &'static str) {
    let network = *rng.pick(&["10.0.0.0/8", "10.1.0.0/16", "192.0.0.0/9", "2001:db8::/33"]);
    let region = *rng.pick(&[
        "us-east-1",
        "us-east-2",
        "eu-central-1",
        "ap-southeast-2",
        "cn-north-1",
        "cn-northwest-1",
    ]);
    (Prefix::parse(network), region)
}

/// An address in a network.
pub(crate) fn inside(network: &Prefix, rng: &mut Rng) -> IpAddr {
    let last = network.behind().and_then(|behind| behind.before());
    let ends = [network.first(), last.unwrap_or_else(|| network.first())];
    rng.pick(&ends).address()
}

/// A source address and perhaps a subnet, mostly at an edge of something.
pub(crate) fn client(case: &Case, rng: &mut Rng) -> (IpAddr, Option<Prefix>) {
    let source = address(case, rng);
    if rng.percent(20) {
        return (source, None);
    }
    let address = address(case, rng);
    let len = if address.is_ipv4() {
        *rng.pick(&[0, 1, 8, 12, 15, 16, 17, 20, 23, 24, 24, 24, 25, 28, 32])
    } else {
        *rng.pick(&[0, 1, 20, 32, 33, 40, 47, 48, 48, 56, 56, 64, 128])
    };
    (source, Some(masked(address, len)))
}

fn address(case: &Case, rng: &mut Rng) -> IpAddr {
    let family = masked(
        if rng.percent(25) { "::1" } else { "10.0.0.1" }
            .parse()
            .unwrap(),
        0,
    );
    let edges: Vec<Prefix> = edges(case, &family).into_iter().collect();
    if edges.is_empty() || rng.percent(15) {
        return network(rng, (&[32], &[128])).address();
    }
    rng.pick(&edges).address()
}
