//! Why a sample is not taken, and how often that was so.

/// Why a sample was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, thiserror::Error)]
pub enum Refused {
    /// No round trip over a network takes so long, or so short.
    #[error("not between 0.1 and 2000 ms")]
    OutOfRange,
    /// Light in fibre could not have been there and back.
    #[error("faster than light in fibre")]
    FasterThanLight,
    /// There is no region of this name.
    #[error("there is no region of this name")]
    UnknownRegion,
    /// More regions were measured than a map has.
    #[error("more regions than a map has")]
    TooManyRegions,
    /// There is no room for another network.
    #[error("no room for another network")]
    TooManyKeys,
    /// It was measured later than now.
    #[error("of the future")]
    FromTheFuture,
    /// It was measured so long ago that it would be forgotten.
    #[error("too old")]
    TooOld,
    /// It stands for no measurement, or for one that counts nothing or more than one.
    #[error("counts nothing, or more than it may")]
    Weightless,
}

impl Refused {
    /// All reasons.
    pub const ALL: [Self; 8] = [
        Self::OutOfRange,
        Self::FasterThanLight,
        Self::UnknownRegion,
        Self::TooManyRegions,
        Self::TooManyKeys,
        Self::FromTheFuture,
        Self::TooOld,
        Self::Weightless,
    ];

    /// A word for metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OutOfRange => "out-of-range",
            Self::FasterThanLight => "faster-than-light",
            Self::UnknownRegion => "unknown-region",
            Self::TooManyRegions => "too-many-regions",
            Self::TooManyKeys => "too-many-keys",
            Self::FromTheFuture => "from-the-future",
            Self::TooOld => "too-old",
            Self::Weightless => "weightless",
        }
    }
}

/// How many samples were refused, by reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RefusedCounts([u64; Refused::ALL.len()]);

impl RefusedCounts {
    /// As they were stored; none if these are more than there are reasons.
    pub(crate) fn stored(counts: &[u64]) -> Option<Self> {
        let mut all = Self::default();
        all.0.get_mut(..counts.len())?.copy_from_slice(counts);
        Some(all)
    }

    /// One more.
    pub fn count(&mut self, why: Refused) {
        for (reason, count) in Refused::ALL.iter().zip(&mut self.0) {
            *count += u64::from(*reason == why);
        }
    }

    /// How many for one reason.
    pub fn of(&self, why: Refused) -> u64 {
        self.iter()
            .find_map(|(reason, count)| (reason == why).then_some(count))
            .unwrap_or(0)
    }

    /// How many for each reason.
    pub fn iter(&self) -> impl Iterator<Item = (Refused, u64)> {
        Refused::ALL.into_iter().zip(self.0)
    }

    /// All together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_is_counted_by_itself() {
        let mut counts = RefusedCounts::default();
        counts.count(Refused::TooOld);
        counts.count(Refused::TooOld);
        counts.count(Refused::OutOfRange);
        assert_eq!(counts.of(Refused::TooOld), 2);
        assert_eq!(counts.of(Refused::OutOfRange), 1);
        assert_eq!(counts.of(Refused::FasterThanLight), 0);
        assert_eq!(counts.total(), 3);
    }
}
