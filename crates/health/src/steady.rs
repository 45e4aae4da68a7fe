//! Time that only goes on, out of a clock that may jump. Nothing here reads a clock.

use std::time::Duration;

/// The most that time goes on between two readings. A step further is a jump of the clock, or the
/// machine stood still; what was fresh before it is stale after it in either case, and no more is
/// to be known about it.
const MAX_STEP: Duration = Duration::from_secs(60);

/// Time as its owner lives it: it stands still while the clock goes back, and goes on by a minute
/// at most whatever the clock does.
#[derive(Debug, Clone, Copy, Default)]
pub struct Steady {
    last: Option<Duration>,
    lived: Duration,
}

impl Steady {
    /// The time lived when the clock shows this. Clocks count from any moment, as long as it is the
    /// same in all calls.
    pub fn at(&mut self, clock: Duration) -> Duration {
        let step = clock.saturating_sub(self.last.unwrap_or(clock));
        self.last = Some(clock);
        self.lived = self.lived.saturating_add(step.min(MAX_STEP));
        self.lived
    }

    /// The time lived at the last reading.
    pub const fn lived(&self) -> Duration {
        self.lived
    }
}
