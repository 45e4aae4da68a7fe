//! ISO 8601 "basic format", the one way SigV4 writes a time: `20150830T123600Z`; and that of HTTP.

use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;
use meridian_model::Timestamp;

/// Reads `YYYYMMDD'T'HHMMSS'Z'`; none for anything else.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range)?;
        if !part.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        part.parse::<i16>().ok()
    };
    if text.len() != 16 || text.get(8..9)? != "T" || text.get(15..)? != "Z" {
        return None;
    }
    let two = |range| i8::try_from(digits(range)?).ok();
    let (month, day) = (two(4..6)?, two(6..8)?);
    let (hour, minute, second) = (two(9..11)?, two(11..13)?, two(13..15)?);
    let civil = DateTime::new(digits(0..4)?, month, day, hour, minute, second, 0).ok()?;
    let zoned = civil.to_zoned(TimeZone::UTC).ok()?;
    Some(Timestamp(zoned.timestamp().as_millisecond()))
}

/// Reads a time of HTTP (RFC 9110, section 5.6.7): `Sun, 30 Aug 2015 12:36:00 GMT`.
pub(super) fn of_http(text: &str) -> Option<Timestamp> {
    let time = rfc2822::parse(text).ok()?;
    Some(Timestamp(time.timestamp().as_millisecond()))
}

/// Writes a time; the milliseconds are cut off.
pub(super) fn format(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.0)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime("%Y%m%dT%H%M%SZ")
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_http_are_the_same_times() {
        let time = of_http("Sun, 30 Aug 2015 12:36:00 GMT");
        assert_eq!(time, parse("20150830T123600Z"));
        for wrong in [
            "",
            "20150830T123600Z",
            "Mon, 30 Aug 2015 12:36:00 GMT",
            "now",
        ] {
            assert_eq!(of_http(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn only_the_basic_format_is_a_time() {
        let text = "20150830T123600Z";
        let time = parse(text).unwrap();
        assert_eq!(time, Timestamp(1_440_938_160_000));
        assert_eq!(format(time), text);
        for wrong in [
            "",
            "20150830T123600",
            "2015-08-30T12:36:00Z",
            "20150832T123600Z",
            "20150830T123660Z",
            "+0150830T123600Z",
            "20150830 123600Z",
            "2015083é123600Z",
        ] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
