//! The serial on the wire is the zone's last change, whatever was submitted.

use std::sync::Arc;

use meridian_answer::{Broken, World, ZoneImage};

use crate::scenario::{Scenario, parse};
use crate::wire;
use crate::zones::{KEY, meta, rows};

/// Two zones and every kind of query that an SOA answers.
const TEXT: &str = "
zone p.test
p.test 900 SOA ns.p.test. admin.p.test. 77 7200 900 1209600 300
p.test 900 NS ns.p.test
www.p.test 60 A 192.0.2.1
zone c.p.test
c.p.test 900 SOA ns.p.test. admin.p.test. 78 7200 900 1209600 300

query p.test SOA
query P.test ANY edns
query www.p.test AAAA
query nowhere.p.test A
query c.p.test SOA tcp
query c.p.test DS
";

fn serials(scenario: &Scenario, last_changed: u64) -> Vec<u32> {
    let images = scenario.zones.iter().enumerate().map(|(place, zone)| {
        let (mut meta, rows) = (meta(zone, place), rows(&zone.sets));
        meta.last_changed = last_changed + place as u64;
        let names = rows.values().map(|(name, sets)| (name, sets.as_slice()));
        Arc::new(ZoneImage::build(KEY, meta, names, Broken::Refuse).unwrap())
    });
    let world = World::new(KEY, images.collect());
    let mut serials = Vec::new();
    for query in &scenario.queries {
        let replies = wire::answer_all(&world, 0, 0, std::slice::from_ref(&query.ask));
        let reply = wire::read(&query.ask, &replies[0]);
        for record in reply.sections.iter().flatten().filter(|r| r.rtype == 6) {
            let (names, numbers) = record.data.split_last_chunk::<20>().unwrap();
            assert_eq!(names, b"\x02ns\x01p\x04test\0\x05admin\x01p\x04test\0");
            let numbers: Vec<u32> = numbers
                .as_chunks::<4>()
                .0
                .iter()
                .map(|bytes| u32::from_be_bytes(*bytes))
                .collect();
            assert_eq!(numbers[1..], [7200, 900, 1_209_600, 300]);
            serials.push(numbers[0]);
        }
    }
    serials
}

#[test]
fn the_serial_is_the_last_change_wherever_an_soa_stands() {
    let scenario = parse(TEXT);
    // ANY may be answered with another set; here the NS set is the smaller one.
    assert_eq!(serials(&scenario, 1000), [1000, 1000, 1000, 1001, 1001]);
    let wrapped = serials(&scenario, (5 << 32) - 1);
    assert_eq!(wrapped, [u32::MAX, u32::MAX, u32::MAX, 0, 0]);
}

#[test]
fn any_tells_the_serial_too() {
    let text = TEXT.replace("p.test 900 NS ns.p.test\n", "");
    let scenario = parse(&text);
    assert_eq!(serials(&scenario, 5), [5, 5, 5, 5, 6, 6]);
}
