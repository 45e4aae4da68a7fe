//! Single values as rows have them.

use std::hash::{DefaultHasher, Hash, Hasher};

use meridian_model::Network;

use super::{Reading, Wrong};
use crate::sample::kept;

/// How much of a value an error shows.
const SHOWN: usize = 60;
/// What is counted from 1970 and is larger than this is counted in milliseconds.
const MS_BEYOND: f64 = 100_000_000_000.0;

/// A value for an error.
pub(super) fn shown(text: &str) -> String {
    text.chars().take(SHOWN).collect()
}

/// The widest networks of clients, of IPv4 and of IPv6: what is wider is no operator's.
const WIDEST: (u8, u8) = (8, 16);

/// A network, no longer than people are told apart by: /24, or /48 of IPv6.
pub(super) fn network(text: &str) -> Result<Network, Wrong> {
    let network: Network = text.parse().map_err(|_| Wrong::Network(shown(text)))?;
    let kept = kept(network.address());
    let widest = if kept.address().is_ipv4() {
        WIDEST.0
    } else {
        WIDEST.1
    };
    if network.prefix_len() < widest {
        return Err(Wrong::TooWide(shown(text)));
    }
    Ok(if network.prefix_len() > kept.prefix_len() {
        kept
    } else {
        network
    })
}

/// A round trip in milliseconds, in microseconds. Whether any takes so long is not asked.
pub(super) fn rtt_us(field: &'static str, text: &str) -> Result<u32, Wrong> {
    let ms = text.parse::<f64>().ok();
    ms.and_then(us_of).ok_or_else(|| Wrong::Number {
        field,
        text: shown(text),
    })
}

/// Milliseconds in microseconds; none of what is no length of time, or more than an hour.
pub(super) fn us_of(ms: f64) -> Option<u32> {
    let us = (ms * 1000.0).round();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the range"
    )]
    (0.0..=3.6e9).contains(&us).then_some(us as u32)
}

/// How many measurements a row sums up; one unless told.
pub(super) fn count(text: Option<&str>) -> Result<u32, Wrong> {
    let Some(text) = text else {
        return Ok(1);
    };
    let count = text.parse::<u32>().ok().filter(|count| *count > 0);
    count.ok_or_else(|| Wrong::Number {
        field: "count",
        text: shown(text),
    })
}

/// When it was measured; now unless told.
pub(super) fn time(text: Option<&str>, reading: &Reading) -> Result<u64, Wrong> {
    let Some(text) = text else {
        return Ok(reading.now_s);
    };
    let seconds = match text.parse::<f64>() {
        Ok(number) => seconds(number),
        Err(_) => date(text),
    };
    seconds.ok_or_else(|| Wrong::Time(shown(text)))
}

/// Seconds since 1970, of a number in seconds or milliseconds.
pub(super) fn seconds(number: f64) -> Option<u64> {
    let seconds = if number > MS_BEYOND {
        number / 1000.0
    } else {
        number
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within the range"
    )]
    (0.0..=MS_BEYOND)
        .contains(&seconds)
        .then_some(seconds as u64)
}

/// `2026-01-31`, with a time of day or without, in UTC.
fn date(text: &str) -> Option<u64> {
    let text = text.trim_end_matches("UTC").trim_end();
    let text = text.trim_end_matches('Z').trim_end_matches("+00:00");
    let (date, clock) = match text.split_once(['T', ' ']) {
        Some((date, clock)) => (date, clock),
        None => (text, "00:00:00"),
    };
    let [year, month, day] = numbers(date, '-')?;
    let (clock, _) = clock.split_once('.').unwrap_or((clock, ""));
    let [hour, minute, second] = numbers(clock, ':')?;
    let within = (1970..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_of(year, month)).contains(&day)
        && hour <= 23
        && minute <= 59
        && second <= 60;
    // Years begin in March, so that a leap day is their last.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year.checked_sub(1)?, month + 9)
    };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    let days = days.checked_sub(DAYS_BEFORE_1970)?;
    within.then_some(((days * 24 + hour) * 60 + minute) * 60 + second)
}

/// How many days a month has.
fn days_of(year: u64, month: u64) -> u64 {
    let leaps = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leaps => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// From the 1st of March of the year 0 to 1970.
const DAYS_BEFORE_1970: u64 = 719_468;

/// Three numbers of four digits at most.
fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let mut parts = text.split(between).map(|part| {
        let is_number = (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        is_number.then(|| part.parse().ok())?
    });
    let three = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(three)
}

/// The number of a client, which leads back to nobody without the key.
pub(super) fn client(who: impl Hash, reading: &Reading) -> u64 {
    let mut hasher = DefaultHasher::new();
    reading.key.hash(&mut hasher);
    who.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_people_and_programs_write_them() {
        for (text, seconds) in [
            ("1970-01-01", 0),
            ("1970-01-01T00:00:01Z", 1),
            ("2000-02-29 12:00:00", 951_825_600),
            ("2026-11-21T15:30:07.123456Z", 1_795_275_007),
            ("2022-12-01 00:00:00 UTC", 1_669_852_800),
            ("2022-12-01T00:00:00+00:00", 1_669_852_800),
        ] {
            assert_eq!(date(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "-",
            "2026",
            "2026-13-01",
            "2026-01-32",
            "2026-02-29",
            "2026-02-31",
            "2100-02-29",
            "2026-04-31",
            "1969-12-31",
            "2026-01-01T24:00:00",
            "2026-01-01T1:2",
            "99999-01-01",
            "2026-01-01T00:00:00+02:00",
        ] {
            assert_eq!(date(text), None, "{text}");
        }
        assert_eq!(seconds(1_669_852_800.9), Some(1_669_852_800));
        assert_eq!(seconds(1_669_852_800_000.0), Some(1_669_852_800));
        assert_eq!(seconds(-1.0), None);
        assert_eq!(seconds(f64::NAN), None);
    }

    #[test]
    fn networks_are_no_longer_than_people_are_told_apart_by() {
        for (text, network_of) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("192.0.2.77/32", "192.0.2.0/24"),
            ("10.1.2.3/16", "10.1.0.0/16"),
            ("2001:db8:1:2::3", "2001:db8:1::/48"),
            ("::ffff:192.0.2.1", "192.0.2.0/24"),
        ] {
            assert_eq!(network(text).unwrap().to_string(), network_of);
        }
        assert!(network("192.0.2.0/33").is_err());
        // Somebody would speak for half of the world.
        for text in [
            "0.0.0.0/0",
            "128.0.0.0/7",
            "::/0",
            "2000::/3",
            "::ffff:0.0.0.0/96",
        ] {
            assert_eq!(network(text), Err(Wrong::TooWide(text.to_owned())));
        }
        for text in ["10.0.0.0/8", "2001::/16"] {
            assert_eq!(network(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn round_trips_are_lengths_of_time() {
        assert_eq!(us_of(1.5), Some(1500));
        assert_eq!(us_of(0.0), Some(0));
        for ms in [-0.1, f64::NAN, f64::INFINITY, 4e6] {
            assert_eq!(us_of(ms), None, "{ms}");
        }
    }
}
