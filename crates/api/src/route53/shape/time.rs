//! `TimeStamp`.

use std::fmt;

use meridian_model::Timestamp;

/// A time as in `2017-03-27T17:48:16.751Z`.
pub(super) struct Iso8601(pub(super) Timestamp);

impl fmt::Display for Iso8601 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0.0).map_err(|_| fmt::Error)?;
        write!(f, "{time:.3}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_milliseconds() {
        let text = |ms| Iso8601(Timestamp(ms)).to_string();
        assert_eq!(text(1_490_636_896_751), "2017-03-27T17:48:16.751Z");
        assert_eq!(text(1_490_636_896_000), "2017-03-27T17:48:16.000Z");
    }
}
