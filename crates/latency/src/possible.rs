//! Which round trips can be true, whoever measured them: neither too short and long to be one, nor
//! faster than light.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use meridian_atlas::Direction;

use crate::ground::Ground;
use crate::key::{Family, Key};
use crate::refused::Refused;
use crate::sample::Sample;
use crate::spots::Spots;

/// Microseconds.
const RTT_US: std::ops::RangeInclusive<u32> = 100..=2_000_000;

/// Whether a sample can be true; when it was measured is not looked at.
///
/// # Errors
///
/// Why it cannot.
pub fn possible(sample: &Sample, ground: &Ground<'_>) -> Result<(), Refused> {
    check_range(sample.rtt_us)?;
    let point = ground.regions.point(&sample.region);
    let point = point.ok_or(Refused::UnknownRegion)?;
    let key = Key::of(sample.network);
    check_light(key, Some(point.direction()), ms(sample.rtt_us), ground)
}

pub(crate) fn check_range(rtt_us: u32) -> Result<(), Refused> {
    match RTT_US.contains(&rtt_us) {
        true => Ok(()),
        false => Err(Refused::OutOfRange),
    }
}

/// Whether light in fibre could have been at a region and back from wherever in a network is. Of one
/// that may be in many places most of those that are looked at have to be near enough.
pub(crate) fn check_light(
    key: Key,
    region: Option<Direction>,
    ms: f32,
    ground: &Ground<'_>,
) -> Result<(), Refused> {
    let Some(region) = region else {
        return Ok(());
    };
    let (mut known, mut too_far) = (0, 0);
    for address in looked_at(key) {
        if let Some(spots) = Spots::of(ground.atlas.look_up(address).place) {
            known += 1;
            too_far += u32::from(f64::from(ms) < spots.floor_ms(region));
        }
    }
    match too_far * 2 > known {
        true => Err(Refused::FasterThanLight),
        false => Ok(()),
    }
}

/// Addresses of a wide network that are looked at, at equal distances.
const LOOKED_AT: u8 = 16;

/// Where it is asked that a network is: at its first address, or at several if it is wider than what
/// neighbours are taken together in.
fn looked_at(key: Key) -> impl Iterator<Item = IpAddr> {
    let [narrow, _] = key.levels();
    let count = if key.len() < narrow { LOOKED_AT } else { 1 };
    let (first, behind) = key.span();
    let step = (behind - first) / u128::from(count);
    (0..count).filter_map(move |place| {
        let bits = first + step * u128::from(place);
        Some(match key.family() {
            Family::V4 => Ipv4Addr::from_bits(u32::try_from(bits).ok()?).into(),
            Family::V6 => Ipv6Addr::from_bits(bits << 64).into(),
        })
    })
}

#[expect(clippy::cast_precision_loss, reason = "a sample needs no more")]
pub(crate) fn ms(rtt_us: u32) -> f32 {
    rtt_us as f32 / 1000.0
}
