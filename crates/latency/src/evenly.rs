//! Whether the clock has gone evenly for a while. One that is wrong for some hours, as that of a
//! machine that has just started, is not to decide what is forgotten.

const DAY_S: u64 = 86_400;
/// From one look to the next it may have gone on by so much: builds may be a day apart.
const LEAP_S: u64 = 2 * DAY_S;

/// How the clock went.
#[derive(Debug, Default)]
pub(crate) struct Evenly {
    last_s: Option<u64>,
    since_s: u64,
}

impl Evenly {
    /// What the clock says now. True if it has gone evenly for a day.
    pub(crate) fn goes(&mut self, now_s: u64) -> bool {
        let last_s = self.last_s.replace(now_s);
        let step_s = last_s.and_then(|last_s| now_s.checked_sub(last_s));
        if step_s.is_none_or(|step_s| step_s > LEAP_S) {
            self.since_s = now_s;
        }
        now_s.saturating_sub(self.since_s) >= DAY_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_leaps_is_not_believed_for_a_day() {
        let mut evenly = Evenly::default();
        let now_s = 20_000 * DAY_S;
        assert!(!evenly.goes(now_s));
        assert!(!evenly.goes(now_s + DAY_S - 1));
        assert!(evenly.goes(now_s + DAY_S));
        assert!(evenly.goes(now_s + 2 * DAY_S));
        let ahead_s = now_s + 1000 * DAY_S;
        assert!(!evenly.goes(ahead_s));
        assert!(!evenly.goes(ahead_s + 3600));
        let back_s = now_s + 2 * DAY_S + 7200;
        assert!(!evenly.goes(back_s));
        assert!(!evenly.goes(back_s + 3600));
        assert!(evenly.goes(back_s + DAY_S));
    }
}
