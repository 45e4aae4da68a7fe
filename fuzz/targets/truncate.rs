//! Cutting replies: any bytes become a shorter message or none, and a message keeps its question
//! and its OPT record.
#![no_main]

use libfuzzer_sys::fuzz_target;
use meridian_dns::Name;
use meridian_dns::message::{HEADER_LEN, truncate_reply};
use meridian_fuzz::judge::{self, Judged};

const GUARD: [u8; 8] = [0xee; 8];

fuzz_target!(|bytes: &[u8]| {
    let mut reply = [bytes, &GUARD].concat();
    let len = truncate_reply(&mut reply, bytes.len());
    assert!(len <= bytes.len());
    assert_eq!(len >= HEADER_LEN, bytes.len() >= HEADER_LEN);
    assert_eq!(reply[bytes.len()..], GUARD);
    if len == 0 {
        return;
    }
    let after = judge::read(&reply[..len]);
    if let Some(before) = judge::read(bytes).filter(|before| is_plain(bytes, before)) {
        let expected = Judged {
            flags: before.flags | 0x0200,
            sections: [const { Vec::new() }; 3],
            ..before
        };
        assert_eq!(after.as_ref(), Some(&expected));
    }
    let once = reply[..len].to_vec();
    assert_eq!(
        truncate_reply(&mut reply, len),
        len,
        "nothing is left to take away"
    );
    assert_eq!(reply[..len], once);
});

/// As replies are here: one question or none, its name spelt out.
fn is_plain(bytes: &[u8], message: &Judged) -> bool {
    match message.questions.len() {
        0 => true,
        1 => Name::read(&bytes[HEADER_LEN..]).is_ok(),
        _ => false,
    }
}
