//! How often work may be done that takes the longer the more targets there are. Pure.

use std::time::Duration;

/// What is rested for each part that was worked: work of one kind has a tenth of all time.
const REST: u32 = 9;
/// However long it took, it is done again after so long.
const LONGEST: Duration = Duration::from_secs(60);

/// How long to rest after work that took so long, where it is to be done so often at most.
pub(super) fn rest(took: Duration, every: Duration) -> Duration {
    took.saturating_mul(REST).min(LONGEST).max(every)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_a_tenth_of_all_time_and_comes_again() {
        let ms = Duration::from_millis;
        for (took_ms, every_ms, right_ms) in [
            (0, 100, 100),
            (10, 100, 100),
            (20, 100, 180),
            (150, 1000, 1350),
            (10_000, 1000, 60_000),
            (1, 70_000, 70_000),
        ] {
            assert_eq!(rest(ms(took_ms), ms(every_ms)), ms(right_ms));
        }
        assert_eq!(rest(Duration::MAX, ms(1)), LONGEST);
    }
}
