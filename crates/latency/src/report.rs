//! What the script in a browser sends: a token and a time for each region that the token names,
//! one space between each two. `1763700000.eu-west-1+us-east-1.….… 12.30 -`
//!
//! Anybody may send anything here. Whether the token is good is not known here.

/// The longest that is looked at, in bytes.
pub const MAX_LEN: usize = 512;
/// The most regions that one is asked to measure.
pub const MAX_REGIONS: usize = 3;
/// Digits before the point and behind it.
const WHOLE_DIGITS: usize = 4;
const DECIMALS: usize = 3;

/// A report as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report<'a> {
    /// The token, not looked into.
    pub token: &'a str,
    /// Round trips in microseconds, in the order of the token's regions; none where it was not
    /// measured.
    pub round_trips_us: Vec<Option<u32>>,
}

/// Something is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is no report of the script's")]
pub struct NotAReport;

impl<'a> Report<'a> {
    /// Reads one, and nothing that is only similar.
    ///
    /// # Errors
    ///
    /// For everything that the script does not send.
    pub fn read(body: &'a [u8]) -> Result<Self, NotAReport> {
        if body.len() > MAX_LEN {
            return Err(NotAReport);
        }
        let text = str::from_utf8(body).map_err(|_| NotAReport)?;
        let mut words = text.split(' ');
        let token = words.next().filter(|token| is_token(token));
        let token = token.ok_or(NotAReport)?;
        let mut round_trips_us = Vec::new();
        for word in words {
            if round_trips_us.len() == MAX_REGIONS {
                return Err(NotAReport);
            }
            round_trips_us.push(match word {
                "-" => None,
                number => Some(microseconds(number).ok_or(NotAReport)?),
            });
        }
        match round_trips_us.is_empty() {
            true => Err(NotAReport),
            false => Ok(Self {
                token,
                round_trips_us,
            }),
        }
    }
}

/// Whether it could be one by its characters.
fn is_token(text: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b".+-_".contains(&byte);
    !text.is_empty() && text.bytes().all(is_known)
}

/// Milliseconds with up to three decimals.
fn microseconds(text: &str) -> Option<u32> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str, most: usize| {
        let right = (1..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        right.then(|| text.parse::<u32>().ok()).flatten()
    };
    let thousandths = digits(decimals, DECIMALS)?;
    let scale = 10_u32.pow(u32::try_from(DECIMALS - decimals.len()).ok()?);
    Some(digits(whole, WHOLE_DIGITS)? * 1000 + thousandths * scale)
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "tests may panic")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_the_script_sends_is_read() {
        let report = Report::read(b"1.eu-west-1+b.X_-9 12.30 - 9999.999").unwrap();
        assert_eq!(report.token, "1.eu-west-1+b.X_-9");
        assert_eq!(report.round_trips_us, [Some(12_300), None, Some(9_999_999)]);
        for (text, expected) in [("7", 7000), ("0.5", 500), ("0.05", 50), ("0.005", 5)] {
            let body = format!("t {text}");
            let report = Report::read(body.as_bytes()).unwrap();
            assert_eq!(report.round_trips_us, [Some(expected)], "{text}");
        }
    }

    #[test]
    fn what_it_does_not_send_is_none() {
        for body in [
            "",
            " ",
            "t",
            "t ",
            " 1",
            "t  1",
            "t 1 ",
            "t 1\n",
            "t\n1",
            "t -1",
            "t +1",
            "t 1e3",
            "t .5",
            "t 5.",
            "t 1.2345",
            "t 10000",
            "t 1.2.3",
            "t NaN",
            "t 1 2 3 4",
            "t\u{e9} 1",
            "t 1,5",
            "t \u{661}",
            "{\"t\":1}",
            "t 1\0",
            "192.0.2.1/24 1",
            "t\t1",
        ] {
            assert_eq!(Report::read(body.as_bytes()), Err(NotAReport), "{body:?}");
        }
        assert_eq!(Report::read(b"\xff 1"), Err(NotAReport));
        let long = format!("{} 1", "t".repeat(MAX_LEN));
        assert_eq!(Report::read(long.as_bytes()), Err(NotAReport));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = Report::read(&body);
        }

        /// Near misses: the characters of reports in any order.
        #[test]
        fn what_is_read_says_what_was_sent(body in "[a-c0-9.+ _-]{1,40}") {
            if let Ok(report) = Report::read(body.as_bytes()) {
                let words: Vec<&str> = body.split(' ').collect();
                prop_assert_eq!(report.token, words[0]);
                prop_assert_eq!(report.round_trips_us.len(), words.len() - 1);
                for (us, word) in report.round_trips_us.iter().zip(&words[1..]) {
                    let said = word.parse::<f64>().ok().map(|ms| ms * 1000.0);
                    match (us, said) {
                        (None, None) => prop_assert_eq!(*word, "-"),
                        (Some(us), Some(said)) => prop_assert!((f64::from(*us) - said).abs() < 0.5),
                        _ => prop_assert!(false, "{us:?} of {word}"),
                    }
                }
            }
        }

        #[test]
        fn what_the_script_may_send_is_read(
            token in "[0-9]{10}\\.[a-z0-9+-]{1,60}\\.[A-Za-z0-9_-]{43}",
            times in prop::collection::vec(prop::option::of(0_u32..10_000_000), 1..=MAX_REGIONS),
        ) {
            let word = |us: &Option<u32>| match us {
                None => "-".to_owned(),
                Some(us) => format!("{}.{:03}", us / 1000, us % 1000),
            };
            let words: Vec<String> = times.iter().map(word).collect();
            let body = format!("{token} {}", words.join(" "));
            let report = Report::read(body.as_bytes()).unwrap();
            prop_assert_eq!(report.token, token);
            prop_assert_eq!(report.round_trips_us, times);
        }
    }
}
