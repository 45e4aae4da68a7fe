//! What tests of several files measure with.

use crate::sample::{Kind, Sample};

/// When it is, in seconds since 1970.
pub(crate) const NOW_S: u64 = 1_800_000_000;
/// So long is a day.
pub(crate) const DAY_S: u64 = 86_400;

/// A sample of now, which somebody vouches for.
pub(crate) fn sample(network: &str, region: &str, ms: f32) -> Sample {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a round trip"
    )]
    let rtt_us = (ms * 1000.0) as u32;
    Sample {
        at_s: NOW_S,
        network: network.parse().unwrap(),
        region: region.into(),
        rtt_us,
        count: 1,
        weight: 1.0,
        kind: Kind::Agent,
        client: None,
    }
}

/// The number of one of several clients, for whom nobody vouches.
pub(crate) fn client(number: u64) -> Option<u64> {
    Some((number + 1).wrapping_mul(0xD6E8_FEB8_6659_FD93))
}
