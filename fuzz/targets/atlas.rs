//! Who is where: no file of addresses brings the reader down, and what an atlas says of an address
//! holds for every address inside of the scope it tells.
#![no_main]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use libfuzzer_sys::fuzz_target;
use meridian_atlas::{Atlas, Layer, countries, mmdb};

/// Ways through the tree of a file are many more than it has bytes.
const MAX_FILE: usize = 4096;

/// An address that differs from this one only behind so many bits.
fn within(address: IpAddr, len: u8, random: u128) -> IpAddr {
    match address {
        IpAddr::V4(v4) => {
            let behind = u32::MAX.checked_shr(len.into()).unwrap_or(0);
            let [.., a, b, c, d] = random.to_be_bytes();
            let random = u32::from_be_bytes([a, b, c, d]);
            Ipv4Addr::from_bits((v4.to_bits() & !behind) | (random & behind)).into()
        }
        IpAddr::V6(v6) => {
            let behind = u128::MAX.checked_shr(len.into()).unwrap_or(0);
            Ipv6Addr::from_bits((v6.to_bits() & !behind) | (random & behind)).into()
        }
    }
}

fn check(layer: Layer, asked: u128) {
    let Ok(atlas) = Atlas::new(vec![layer]) else {
        return;
    };
    let v4 = Ipv4Addr::from_bits(
        asked
            .to_be_bytes()
            .iter()
            .fold(0, |bits, byte| bits << 2 ^ u32::from(*byte)),
    );
    let v6 = Ipv6Addr::from_bits(asked);
    for address in [v4.into(), v6.into(), v4.to_ipv6_mapped().into()] {
        let found = atlas.look_up(address);
        let scope = found.scope;
        let lens = [
            scope.record,
            scope.subdivision,
            scope.country,
            scope.continent,
        ];
        assert!(lens.is_sorted_by(|a, b| a >= b));
        let longest = if address.is_ipv4() { 32 } else { 128 };
        assert!(scope.record <= longest);
        for random in [0, u128::MAX, asked.reverse_bits(), asked.rotate_left(17)] {
            let other = |len| atlas.look_up(within(address, len, random));
            assert_eq!(other(scope.record).place, found.place);
            assert_eq!(other(scope.record).range.id(), found.range.id());
            assert_eq!(other(scope.country).place.country, found.place.country);
            assert_eq!(
                other(scope.continent).place.continent,
                found.place.continent
            );
        }
    }
}

// Sixteen bytes of an address, then a file.
fuzz_target!(|bytes: &[u8]| {
    let Some((asked, file)) = bytes
        .split_first_chunk()
        .filter(|(_, file)| file.len() <= MAX_FILE)
    else {
        return;
    };
    let asked = u128::from_be_bytes(*asked);
    if let Ok(layer) = countries::read(file.to_vec()) {
        check(layer, asked);
    }
    match mmdb::read("fuzz", file) {
        Ok(layer) => check(layer, asked),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
