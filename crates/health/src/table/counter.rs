//! The number of a checker's tables, which only rises: also across restarts, across a clock that
//! was set back, and where what was stored is lost and the clock is right.

/// How many tables are reserved at once: at one a second, the file is written three times an hour.
const RESERVED: u64 = 1024;

/// Numbers tables. It gives no number that it would give again after a restart: numbers are
/// reserved on disk before they are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    last: u64,
    reserved: u64,
}

impl Counter {
    /// Goes on behind what was stored last (0 if nothing is left of it), or from the clock, in
    /// milliseconds since 1970, if that is further. Nothing is reserved yet.
    pub fn resume(stored: u64, clock_ms: u64) -> Self {
        let last = stored.max(clock_ms);
        Self {
            last,
            reserved: last,
        }
    }

    /// What has to be stored before there are more numbers; `None` while there are enough.
    pub const fn to_store(&self) -> Option<u64> {
        let left = self.reserved.saturating_sub(self.last);
        if left > RESERVED / 4 {
            return None;
        }
        Some(self.last.saturating_add(RESERVED))
    }

    /// This was stored, and is on disk.
    pub fn stored(&mut self, number: u64) {
        self.reserved = self.reserved.max(number);
    }

    /// The number of the next table; none if what is reserved is used up.
    pub fn take(&mut self) -> Option<u64> {
        let next = self.last.checked_add(1)?;
        if next > self.reserved {
            return None;
        }
        self.last = next;
        Some(next)
    }
}
