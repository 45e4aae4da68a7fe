//! Numbers in one byte: milliseconds by steps of 3 %, and counts to a sixteenth.

/// In the place of a step: there is no number.
pub(super) const NONE: u8 = u8::MAX;
/// The last step.
const LAST: u8 = 253;
/// What the first step stands for, in milliseconds.
const FIRST_MS: f32 = 0.5;
/// The logarithm of what one step is more than the one before: the last is 1000 ms.
const GROWTH: f32 = 0.030_04;

/// What each step stands for.
static MS: [f32; LAST as usize + 1] = steps();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "done by the compiler, which sees both"
)]
const fn steps() -> [f32; LAST as usize + 1] {
    let mut all = [FIRST_MS; LAST as usize + 1];
    let growth = GROWTH as f64;
    // The first terms of the exponential series: the rest is less than a part in 10^9.
    let factor = 1.0 + growth * (1.0 + growth / 2.0 * (1.0 + growth / 3.0 * (1.0 + growth / 4.0)));
    let (mut step, mut ms) = (1, FIRST_MS as f64);
    while step < all.len() {
        ms *= factor;
        all[step] = ms as f32;
        step += 1;
    }
    all
}

/// What a step stands for.
#[inline]
pub(super) fn ms(step: u8) -> Option<f32> {
    MS.get(usize::from(step)).copied()
}

/// The step next to a time; none for what is no time.
pub(super) fn step(ms: f32) -> Option<u8> {
    if !ms.is_finite() || ms < 0.0 {
        return None;
    }
    let steps = (ms / FIRST_MS).ln() / GROWTH;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to the last step; of zero the logarithm is less than any number"
    )]
    let step = steps.round().clamp(0.0, LAST.into()) as u8;
    Some(step)
}

/// Below this, codes are the counts themselves.
const EXACT: u32 = 16;

/// The code of a count: the largest that stands for no more.
pub(super) fn code(count: u32) -> u8 {
    let exponent = (count / EXACT).checked_ilog2().unwrap_or(0);
    let code = EXACT * exponent + (count >> exponent);
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// The count that a code stands for.
pub(super) fn count(code: u8) -> u32 {
    let code = u32::from(code);
    match (code / EXACT).checked_sub(1) {
        None => code,
        Some(exponent) => (EXACT + code % EXACT) << exponent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_told_to_one_and_a_half_percent() {
        assert_eq!(ms(0), Some(0.5));
        assert!((ms(LAST).unwrap() - 1000.0).abs() < 1.0);
        assert_eq!(ms(LAST + 1), None);
        for number in 0..=LAST {
            assert_eq!(step(ms(number).unwrap()), Some(number));
        }
        let mut time = 0.5_f32;
        while time < 999.0 {
            let told = ms(step(time).unwrap()).unwrap();
            assert!((told / time - 1.0).abs() < 0.0152, "{time} {told}");
            time *= 1.003;
        }
        assert_eq!(
            [0.0, 0.1, 5000.0, f32::MAX].map(step),
            [0, 0, 253, 253].map(Some)
        );
        for none in [-0.1, f32::NAN, f32::INFINITY] {
            assert_eq!(step(none), None);
        }
    }

    #[test]
    fn counts_are_told_to_a_sixteenth_and_never_too_high() {
        for number in 0..=u8::MAX {
            assert_eq!(code(count(number)), number);
        }
        for exact in 0..32 {
            assert_eq!(count(code(exact)), exact);
        }
        for large in [33_u32, 1000, 65_535, 400_000] {
            let told = count(code(large));
            assert!(
                told <= large && told >= large - large / 16,
                "{large} {told}"
            );
        }
        assert_eq!(code(u32::MAX), u8::MAX);
    }
}
