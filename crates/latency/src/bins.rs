//! Histograms of round trips: a row of bins, each 12 % wider than the one before, and only those
//! that something is in. A bin knows what its samples are on average, so that one alone is not
//! coarser than they are. When a sample counts how much is the business of those who add it.

/// What a bin is wider than the one before it, by its natural logarithm: 12 %.
const LN_WIDTH: f32 = 0.113_328_69;
/// Where the first begins, in ms. What is less falls into it.
const LEAST_MS: f32 = 0.5;
/// 0.5 ms to more than 2 s. What is more falls into the last.
pub(crate) const BINS: u8 = 74;
/// What is halfway in the scale of ratios: a ratio of 1.
const LEVEL: f32 = 37.0;
/// What weighs less than this part of its histogram is left out when that is made smaller.
const NOTHING: f32 = 1e-4;

/// A position in the scale of bins: the bin and how far into it.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Position(f32);

impl Position {
    /// That of a round trip.
    pub(crate) fn of_ms(ms: f32) -> Self {
        Self::clamped((ms / LEAST_MS).ln() / LN_WIDTH)
    }

    /// Back to ms.
    pub(crate) fn ms(self) -> f32 {
        LEAST_MS * (self.0 * LN_WIDTH).exp()
    }

    /// That of so many times something.
    pub(crate) fn of_ratio(ratio: f32) -> Self {
        Self::clamped(ratio.ln() / LN_WIDTH + LEVEL)
    }

    /// Back to how many times.
    pub(crate) fn ratio(self) -> f32 {
        ((self.0 - LEVEL) * LN_WIDTH).exp()
    }

    /// That of a round trip as so many times another.
    fn relative_to(self, ms: f32) -> Self {
        Self::of_ratio(self.ms() / ms)
    }

    fn clamped(position: f32) -> Self {
        // What is no number is nothing.
        let position = if position.is_nan() { 0.0 } else { position };
        Self(position.clamp(0.0, f32::from(BINS) - 0.001))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "from 0 to less than the number of bins"
    )]
    fn split(self) -> (u8, u16) {
        let bucket = self.0 as u8;
        (bucket, ((self.0 - f32::from(bucket)) * OFFSETS) as u16)
    }
}

/// How finely a bin is divided.
const OFFSETS: f32 = 65_535.0;

/// One bin. Those of a histogram stand in the order of their buckets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Bin {
    /// Of the samples in it, together.
    pub(crate) weight: f32,
    /// How far into the bin they are on average, of `OFFSETS`.
    pub(crate) offset: u16,
    /// Which one, below `BINS`.
    pub(crate) bucket: u8,
}

impl Bin {
    pub(crate) fn at(position: Position, weight: f32) -> Self {
        let (bucket, offset) = position.split();
        Self {
            weight,
            offset,
            bucket,
        }
    }

    /// Where its samples are on average.
    pub(crate) fn position(self) -> Position {
        Position(f32::from(self.bucket) + f32::from(self.offset) / OFFSETS)
    }

    /// The same samples as so many times a round trip.
    pub(crate) fn relative_to(self, ms: f32) -> Self {
        Self::at(self.position().relative_to(ms), self.weight)
    }

    /// With the samples of another in the same bucket.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between two that are in range"
    )]
    fn joined(self, other: Self) -> Self {
        let weight = self.weight + other.weight;
        let (here, there) = (f32::from(self.offset), f32::from(other.offset));
        let part = if weight > 0.0 {
            other.weight / weight
        } else {
            0.0
        };
        Self {
            weight,
            offset: (here + (there - here) * part).round().clamp(0.0, OFFSETS) as u16,
            bucket: self.bucket,
        }
    }
}

/// All samples of a histogram, weighed.
pub(crate) fn weight(bins: &[Bin]) -> f32 {
    bins.iter().map(|bin| bin.weight).sum()
}

/// Where the samples lie of which this share is less; none for an empty histogram. Between the
/// averages of two bins side by side it goes by how much is in them; where there is nothing between
/// two bins, no sample lies there.
pub(crate) fn quantile(bins: &[Bin], share: f32) -> Option<Position> {
    let target = weight(bins) * share;
    let mut below = 0.0;
    let mut before: Option<(f32, Bin)> = None;
    for bin in bins {
        let middle = below + bin.weight / 2.0;
        if target <= middle {
            let Some((last, other)) = before else {
                return Some(bin.position());
            };
            if other.bucket + 1 < bin.bucket {
                let nearer = if target <= below { other } else { *bin };
                return Some(nearer.position());
            }
            let part = (target - last) / (middle - last);
            // Two bins that weigh nothing have no middle between them.
            let part = if part.is_finite() { part } else { 0.0 };
            let (from, to) = (other.position().0, bin.position().0);
            return Some(Position(from + (to - from) * part));
        }
        below += bin.weight;
        before = Some((middle, *bin));
    }
    before.map(|(_, bin)| bin.position())
}

/// Adds a bin's samples. `bins` is part of a longer list, in which one may become necessary: then
/// the place for it is told, and it is not added.
pub(crate) fn add(bins: &mut [Bin], bin: Bin) -> Result<(), usize> {
    let place = bins.binary_search_by_key(&bin.bucket, |other| other.bucket)?;
    if let Some(other) = bins.get_mut(place) {
        *other = other.joined(bin);
    }
    Ok(())
}

/// Makes all samples count so much less. True if some are now worth nothing beside the others.
pub(crate) fn scale(bins: &mut [Bin], factor: f32) -> bool {
    for bin in &mut *bins {
        bin.weight *= factor;
    }
    let least = weight(bins) * NOTHING;
    bins.iter().any(|bin| bin.weight < least)
}

/// Whether a bin is worth so little beside the others of a histogram.
pub(crate) fn is_nothing(bin: Bin, weight: f32) -> bool {
    bin.weight < weight * NOTHING
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn histogram(values: &[(f32, f32)]) -> Vec<Bin> {
        let mut bins = Vec::new();
        for (ms, weight) in values {
            let bin = Bin::at(Position::of_ms(*ms), *weight);
            if let Err(place) = add(&mut bins, bin) {
                bins.insert(place, bin);
            }
        }
        bins
    }

    fn ms(bins: &[Bin], share: f32) -> f32 {
        quantile(bins, share).unwrap().ms()
    }

    #[test]
    fn one_value_comes_back_as_it_is() {
        for value in [0.6, 1.0, 12.5, 40.0, 333.0, 1999.0] {
            let bins = histogram(&[(value, 3.0), (value, 8.0)]);
            assert_eq!(bins.len(), 1);
            assert!((ms(&bins, 0.25) / value - 1.0).abs() < 0.001, "{value}");
        }
        assert_eq!(quantile(&[], 0.25), None);
    }

    #[test]
    fn what_the_scale_does_not_have_is_at_its_ends() {
        assert!((ms(&histogram(&[(0.1, 1.0)]), 0.5) - 0.5).abs() < 0.01);
        assert!(ms(&histogram(&[(9999.0, 1.0)]), 0.5) > 2000.0);
        assert_eq!(Position::of_ms(f32::NAN), Position(0.0));
    }

    #[test]
    fn a_quarter_is_less_than_the_quantile() {
        let even: Vec<(f32, f32)> = (0..1000u16)
            .map(|number| (20.0 + f32::from(number) / 10.0, 1.0))
            .collect();
        let bins = histogram(&even);
        for (share, expected) in [(0.25, 45.0), (0.5, 70.0), (0.9, 110.0)] {
            let found = ms(&bins, share);
            assert!((found / expected - 1.0).abs() < 0.02, "{share}: {found}");
        }
    }

    #[test]
    fn ratios_are_what_they_were_before() {
        let bin = Bin::at(Position::of_ms(60.0), 2.0).relative_to(40.0);
        assert!((bin.position().ratio() - 1.5).abs() < 0.001);
        assert!((bin.weight - 2.0).abs() < f32::EPSILON);
    }

    proptest! {
        #[test]
        fn quantiles_rise_and_stay_within_the_samples(
            values in prop::collection::vec((0.5f32..1500.0, 0.1f32..50.0), 1..60),
            shares in (0.0f32..1.0, 0.0f32..1.0),
        ) {
            let bins = histogram(&values);
            prop_assert!(bins.is_sorted_by_key(|bin| bin.bucket));
            let (low, high) = (shares.0.min(shares.1), shares.0.max(shares.1));
            prop_assert!(ms(&bins, low) <= ms(&bins, high) * 1.0001);
            let least = values.iter().map(|(ms, _)| *ms).fold(f32::MAX, f32::min);
            let most = values.iter().map(|(ms, _)| *ms).fold(0.0, f32::max);
            prop_assert!(ms(&bins, low) >= least * 0.999 && ms(&bins, high) <= most * 1.001);
            let all: f32 = values.iter().map(|(_, weight)| *weight).sum();
            prop_assert!((weight(&bins) / all - 1.0).abs() < 0.001);
        }

        #[test]
        fn what_counts_less_altogether_has_the_same_quantile(
            values in prop::collection::vec((0.5f32..1500.0, 0.1f32..50.0), 1..60),
            factor in 0.001f32..1.0,
        ) {
            let mut bins = histogram(&values);
            let before = ms(&bins, 0.25);
            scale(&mut bins, factor);
            prop_assert!((ms(&bins, 0.25) / before - 1.0).abs() < 0.001);
        }
    }
}
