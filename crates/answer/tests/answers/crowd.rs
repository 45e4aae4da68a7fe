//! Many VPCs with many private zones: everybody still hears what is meant for them, and nothing of
//! that takes long.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use meridian_answer::{World, ZoneChange};
use meridian_dns::Name;
use meridian_model::{Generation, VpcId};

use crate::scenario::{Ask, parse};
use crate::wire;
use crate::zones::world_of;

const VPCS: usize = 2_000;
/// Private zones. The second half has the names of the first, for other VPCs.
const ZONES: usize = 5_000;
const NAMES: usize = ZONES / 2;
/// A quadratic step over VPCs and zones would take minutes; all there is takes a second or two.
const LONG: Duration = Duration::from_secs(30);

/// The two VPCs that see a zone. Those of two zones of one name are four.
fn vpcs_of(zone: usize) -> [usize; 2] {
    let first = zone % VPCS;
    [first, (first + VPCS / 2) % VPCS]
}

/// The private zone of a name that a VPC sees.
fn seen(vpc: usize, name: usize) -> Option<usize> {
    [name, name + NAMES]
        .into_iter()
        .find(|zone| vpcs_of(*zone).contains(&vpc))
}

/// The address that a private zone leads to. That of a public one has 192 in front.
fn address(zone: usize) -> Ipv4Addr {
    let [_, _, high, low] = u32::try_from(zone).unwrap().to_be_bytes();
    Ipv4Addr::new(10, 0, high, low)
}

/// A public zone for every other name, then the private ones, then the VPCs with three networks.
fn text() -> String {
    let mut text = String::new();
    let mut add = |vpcs: &str, name: usize, address: Ipv4Addr| {
        let apex = format!("z{name}.test");
        let soa = "ns.pool.test. admin.pool.test. 1 7200 900 1209600 300";
        writeln!(text, "zone {apex}{vpcs}\n{apex} 900 SOA {soa}").unwrap();
        writeln!(text, "www.{apex} 60 A {address}").unwrap();
    };
    for name in (0..NAMES).step_by(2) {
        let [_, _, high, low] = address(name).octets();
        add("", name, Ipv4Addr::new(192, 0, high, low));
    }
    for zone in 0..ZONES {
        let [one, two] = vpcs_of(zone);
        let vpcs = format!(" vpcs=vpc-{one},vpc-{two}");
        add(&vpcs, zone % NAMES, address(zone));
    }
    for vpc in 0..VPCS {
        let [_, _, high, low] = address(vpc).octets();
        let networks = format!("10.{high}.{low}.0/24 11.{high}.{low}.128/25 fd00:{vpc:x}::/32");
        writeln!(text, "vpc vpc-{vpc} {networks}").unwrap();
    }
    text
}

/// Clients of a VPC, one in each of its networks, and some beside them.
fn clients(vpc: usize) -> ([IpAddr; 3], [IpAddr; 3]) {
    let [_, _, high, low] = address(vpc).octets();
    let v6 = |text: String| text.parse().unwrap();
    let inside = [
        Ipv4Addr::new(10, high, low, 255).into(),
        Ipv4Addr::new(11, high, low, 128).into(),
        v6(format!("fd00:{vpc:x}:ffff::1")),
    ];
    let beside = [
        Ipv4Addr::new(12, high, low, 255).into(),
        Ipv4Addr::new(11, high, low, 127).into(),
        v6(format!("fd01:{vpc:x}:ffff::1")),
    ];
    (inside, beside)
}

/// What a client hears of `www` below a name: the address, if there is one.
fn heard(world: &World, client: IpAddr, name: usize) -> Option<Ipv4Addr> {
    let ask = Ask {
        name: Name::parse(&format!("www.z{name}.test")).unwrap(),
        qtype: 1,
        class: 1,
        opcode: 0,
        tcp: false,
        client,
        edns: None,
    };
    let reply = &wire::answer_all(world, 0, 0, std::slice::from_ref(&ask))[0];
    let read = wire::read(&ask, reply);
    let [answer, ..] = &read.sections;
    let data = answer.first().map(|record| &record.data)?;
    <[u8; 4]>::try_from(&data[..]).ok().map(Ipv4Addr::from)
}

/// What everybody hears of a name outside of the VPCs that see it.
fn public(name: usize) -> Option<Ipv4Addr> {
    let [_, _, high, low] = address(name).octets();
    name.is_multiple_of(2)
        .then(|| Ipv4Addr::new(192, 0, high, low))
}

/// Every VPC asks for names that it sees and for some that it does not.
fn check(world: &World) {
    for vpc in 0..VPCS {
        let (inside, beside) = clients(vpc);
        let quarter = VPCS / 4;
        let names = [vpc, vpc + quarter, vpc + 1, vpc + 2 * quarter].map(|name| name % NAMES);
        for (place, name) in names.into_iter().enumerate() {
            let expected = seen(vpc, name).map(address).or_else(|| public(name));
            let client = inside[(vpc + place) % 3];
            assert_eq!(heard(world, client, name), expected, "{client} z{name}");
            let client = beside[(vpc + place) % 3];
            assert_eq!(heard(world, client, name), public(name), "{client} z{name}");
        }
    }
}

#[test]
fn two_thousand_vpcs_each_see_their_own() {
    let scenario = parse(&text());
    let world = in_time(|| world_of(&scenario));
    assert_eq!(world.zones().count(), NAMES / 2 + ZONES);
    check(&world);

    let changed = in_time(|| moved_about(&world));
    check(&changed);
}

/// Zones go from VPC to VPC, one change after another, and come back.
fn moved_about(world: &World) -> World {
    let image = |zone: usize| {
        let apex = Name::parse(&format!("z{zone}.test")).unwrap();
        let generation = Generation(u64::try_from(NAMES / 2 + zone).unwrap());
        world.zone(&apex, generation).unwrap().clone()
    };
    let only = |vpc: usize| Arc::from([VpcId::new(&format!("vpc-{vpc}")).unwrap()]);
    let mut changed = world.clone();
    for zone in 0..200 {
        let next = image(zone).with_vpcs(Some(only(zone + 1)));
        changed = changed.changed(&[ZoneChange::Put(Arc::new(next))]);
    }
    for zone in 0..200 {
        let [one, two] = vpcs_of(zone).map(|vpc| clients(vpc).0[0]);
        let new = clients(zone + 1).0[0];
        assert_eq!(heard(&changed, new, zone), Some(address(zone)));
        assert_eq!(heard(&changed, one, zone), public(zone));
        assert_eq!(heard(&changed, two, zone), public(zone));
        changed = changed.changed(&[ZoneChange::Put(Arc::new(image(zone)))]);
    }
    changed
}

#[expect(clippy::disallowed_methods, reason = "a test may look at the clock")]
fn in_time<T>(work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    assert!(start.elapsed() < LONG, "it took {:?}", start.elapsed());
    done
}
