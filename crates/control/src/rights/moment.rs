//! Times in policies: ISO 8601, or seconds since 1970.

use jiff::Timestamp;

/// The time in seconds since 1970: `2026-11-21`, `2026-11-21T10:00:00Z` or a number.
pub(super) fn parse(text: &str) -> Option<i64> {
    // Far beyond any clock; longer ones are no times.
    const MAX_DIGITS: usize = 12;
    if !text.is_empty() && text.len() <= MAX_DIGITS && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok();
    }
    let whole = if text.contains('T') {
        text.parse::<Timestamp>()
    } else {
        format!("{text}T00:00:00Z").parse()
    };
    whole.ok().map(Timestamp::as_second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        for (text, expected) in [
            ("1970-01-01", Some(0)),
            ("1970-01-01T00:00:01Z", Some(1)),
            ("2000-02-29", Some(951_782_400)),
            ("2026-11-21T06:30:00Z", Some(1_795_242_600)),
            ("2026-11-21T08:30:00+02:00", Some(1_795_242_600)),
            ("1795242600", Some(1_795_242_600)),
            ("2100-02-29", None),
            ("2026-13-01", None),
            ("2026-11-21T06:30:00", None),
            ("noon", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
    }
}
