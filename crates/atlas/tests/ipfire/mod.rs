//! IPFire's data as crate `tor-geoip-db` brings them, in our own terms: for the tool that makes
//! `data/geo/countries`, and for the test that it has been run.

use std::collections::HashMap;
use std::num::NonZeroU16;

use meridian_atlas::countries::Countries;
use meridian_atlas::{Country, Source};

/// When IPFire made the data: the crate says it only in prose, in `doc/export-info-v4.txt`.
/// Wed, 23 Sep 2026 04:35:31 GMT.
const MADE: u64 = 1_790_138_131;

/// All runs.
pub(crate) fn countries() -> Countries {
    let known: HashMap<u16, Country> = Country::all()
        .filter_map(|country| Some((country.as_str().as_bytes().try_into().ok()?, country)))
        .map(|(letters, country)| (u16::from_ne_bytes(letters), country))
        .collect();
    let country = |code: &Option<NonZeroU16>| known.get(&(*code)?.get()).copied();
    let v4 = tor_geoip_db::ipv4s().iter().zip(tor_geoip_db::ipv4c());
    let v6 = tor_geoip_db::ipv6s().iter().zip(tor_geoip_db::ipv6c());
    Countries {
        source: Source {
            name: "IPFire Location Database".to_owned(),
            kind: None,
            made: Some(MADE),
            notice: Some(
                "(c) IPFire Project, https://location.ipfire.org/, CC BY-SA 4.0, \
                 https://creativecommons.org/licenses/by-sa/4.0/; reduced to the countries that \
                 Route 53 knows, and packed"
                    .to_owned(),
            ),
        },
        v4: v4.map(|(first, code)| (*first, country(code))).collect(),
        v6: v6.map(|(first, code)| (*first, country(code))).collect(),
    }
}
