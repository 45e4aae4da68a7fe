//! Until when a certificate is good: the one thing in it that its owner has to be told. Nothing is
//! judged by it here.
//!
//! Reads X.509 (RFC 5280, section 4.1) as far as the second date and no further. A certificate that
//! looks otherwise has no date, which harms nobody.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

/// DER's tags for what is on the way there.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

const DAY_S: i64 = 86_400;

/// The end of a certificate's validity, in seconds since 1970.
pub(super) fn end_of(certificate: &[u8]) -> Option<i64> {
    let (certificate, _) = enter(certificate, SEQUENCE)?;
    let (signed, _) = enter(certificate, SEQUENCE)?;
    let rest = match signed.first() {
        Some(&VERSION) => skip(signed)?,
        _ => signed,
    };
    // Serial number, algorithm, issuer.
    let rest = skip(skip(skip(rest)?)?)?;
    let (validity, _) = enter(rest, SEQUENCE)?;
    let (tag, text, _) = element(skip(validity)?)?;
    seconds(tag, text)
}

/// Tag and content of the first element, and what comes behind it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, bytes) = bytes.split_first()?;
    let (&first, bytes) = bytes.split_first()?;
    // Long lengths say how many bytes they have.
    let digits = usize::from(first & 0x7f);
    let (len, bytes) = match first {
        0..0x80 => (usize::from(first), bytes),
        _ if (1..=4).contains(&digits) => {
            let (len, bytes) = bytes.split_at_checked(digits)?;
            let len = len
                .iter()
                .fold(0, |len, &byte| len << 8 | usize::from(byte));
            (len, bytes)
        }
        _ => return None,
    };
    let (content, rest) = bytes.split_at_checked(len)?;
    Some((tag, content, rest))
}

/// The content of the first element, which must have this tag, and what comes behind it.
fn enter(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, content, rest) = element(bytes)?;
    (found == tag).then_some((content, rest))
}

fn skip(bytes: &[u8]) -> Option<&[u8]> {
    element(bytes).map(|(_, _, rest)| rest)
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ` (RFC 5280, section 4.1.2.5).
fn seconds(tag: u8, text: &[u8]) -> Option<i64> {
    let digits = text.strip_suffix(b"Z")?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (year_len, expected) = match tag {
        UTC_TIME => (2, 12),
        GENERALIZED_TIME => (4, 14),
        _ => return None,
    };
    if digits.len() != expected {
        return None;
    }
    let number = |from: usize, len: usize| -> Option<i64> {
        std::str::from_utf8(digits.get(from..from + len)?)
            .ok()?
            .parse()
            .ok()
    };
    let year = match (tag, number(0, year_len)?) {
        (UTC_TIME, year) if year < 50 => 2000 + year,
        (UTC_TIME, year) => 1900 + year,
        (_, year) => year,
    };
    let field = |index: usize| number(year_len + 2 * index, 2);
    let (month, day) = (field(0)?, field(1)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let of_day = field(2)? * 3600 + field(3)? * 60 + field(4)?;
    Some(days(year, month, day) * DAY_S + of_day)
}

/// Days from 1970 in the Gregorian calendar, counting years from March so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 306 days from March to the end of the year; 719,528 from year 0 to 1970.
    365 * year + leap_days + (month * 306 + 5) / 10 + day - 1 + 60 - 719_528
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(year: i32, month: u8, day: u8) -> Vec<u8> {
        let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, month, day);
        let key = rcgen::KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn ends_are_found_before_and_after_the_year_2050() {
        for (year, month, day, expected) in [
            (1999, 12, 31, 946_598_400),
            (2000, 2, 29, 951_782_400),
            (2027, 12, 23, 1_829_520_000),
            (2049, 12, 31, 2_524_521_600),
            (2050, 1, 1, 2_524_608_000),
            (4096, 1, 1, 67_090_118_400),
        ] {
            assert_eq!(end_of(&made(year, month, day)), Some(expected), "{year}");
        }
    }

    #[test]
    fn what_is_cut_or_changed_has_no_end_or_another() {
        let whole = made(2027, 12, 23);
        for len in 0..whole.len() {
            let cut = whole.get(..len).unwrap();
            assert_eq!(end_of(cut), None, "{len}");
        }
        // Nothing but not to panic.
        for at in 0..whole.len() {
            for value in [0, 0x7f, 0x80, 0x84, 0xff] {
                let mut changed = whole.clone();
                if let Some(byte) = changed.get_mut(at) {
                    *byte = value;
                }
                let _ = end_of(&changed);
            }
        }
    }
}
