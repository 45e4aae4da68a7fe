//! What browsers report: nothing brings the reader down, what it reads is what was sent, and it
//! reads nothing twice in different ways.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meridian_latency::report::{MAX_LEN, MAX_REGIONS, Report};

fuzz_target!(|body: &[u8]| {
    let Ok(report) = Report::read(body) else {
        return;
    };
    assert!(body.len() <= MAX_LEN && body.is_ascii());
    assert!((1..=MAX_REGIONS).contains(&report.round_trips_us.len()));
    assert!(body.starts_with(report.token.as_bytes()) && !report.token.is_empty());
    // Written as the script would, it is read as the same.
    let word = |us: &Option<u32>| match us {
        None => "-".to_owned(),
        Some(us) => format!("{}.{:03}", us / 1000, us % 1000),
    };
    let words: Vec<String> = report.round_trips_us.iter().map(word).collect();
    let again = format!("{} {}", report.token, words.join(" "));
    // What was shorter than the script writes it may now be too long.
    if again.len() <= MAX_LEN {
        assert_eq!(Report::read(again.as_bytes()), Ok(report));
    }
});
