//! Cutting a finished reply down to what makes its client ask again over TCP.
//!
//! When to do so is decided elsewhere: this is for limits that are known only once there is a
//! reply. A reply that grows too long while it is written is [`Reply::truncate`]'s business.
//!
//! [`Reply::truncate`]: super::Reply::truncate

use std::ops::Range;

use super::codes::qtype;
use super::query::{Counts, Question, Record};
use super::{HEADER_LEN, TC};
use crate::cursor::Cursor;

/// Cuts the reply that is the first `len` bytes of `reply` down to its header, its question and
/// its OPT record, in place, sets the TC bit, and returns the new length, never above `len`.
///
/// AA and the response code stay, as in BIND and NSD: a resolver does not use what comes with TC
/// (RFC 2181 section 9), and the code's high bits stand in the OPT record anyway. Of bytes that
/// are no reply of ours as much is kept as can be read; too few for a header become none.
pub fn truncate_reply(reply: &mut [u8], len: usize) -> usize {
    let len = len.min(reply.len());
    let Some(reply) = reply.get_mut(..len) else {
        return 0;
    };
    let Some(kept) = Kept::of(reply) else {
        return 0;
    };
    let opt = kept.opt.filter(|opt| opt.start >= kept.question_end);
    let mut end = kept.question_end;
    let counts = [u16::from(end > HEADER_LEN), 0, 0, u16::from(opt.is_some())];
    if let Some(opt) = opt {
        let opt_len = opt.len();
        reply.copy_within(opt, end);
        end += opt_len;
    }
    let (words, _) = reply.as_chunks_mut::<2>();
    for (place, word) in words.iter_mut().skip(2).zip(counts) {
        *place = word.to_be_bytes();
    }
    if let Some(flags) = words.get_mut(1) {
        *flags = (u16::from_be_bytes(*flags) | TC).to_be_bytes();
    }
    end
}

/// Where the parts of a reply stand that outlive the cut.
struct Kept {
    /// [`HEADER_LEN`] where there is no question.
    question_end: usize,
    opt: Option<Range<usize>>,
}

impl Kept {
    fn of(reply: &[u8]) -> Option<Self> {
        let mut rest = Cursor(reply);
        let counts = Counts::read(&mut rest)?;
        let mut kept = Self {
            question_end: HEADER_LEN,
            opt: None,
        };
        match counts.question {
            0 => {}
            1 if Question::read(&mut rest).is_some() => {
                kept.question_end = reply.len() - rest.0.len();
            }
            _ => return Some(kept),
        }
        // A record has eleven bytes at least, so the length of the reply bounds the turns.
        for _ in 0..counts.records() {
            let start = reply.len() - rest.0.len();
            let Some(record) = Record::read(&mut rest) else {
                break;
            };
            if record.rtype == qtype::OPT && record.at_root {
                kept.opt = Some(start..reply.len() - rest.0.len());
            }
        }
        Some(kept)
    }
}

#[cfg(test)]
#[expect(clippy::indexing_slicing, reason = "a test may panic")]
mod tests {
    use super::super::{Owner, Query, Reply, ReplyEdns, Section, codes::rcode};
    use super::*;

    const QUERY: &[u8] = b"\xab\xcd\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\
        \x07example\x03com\x00\x00\x01\x00\x01";
    const OPT: &[u8] = b"\x00\x00\x29\x04\xd0\x01\x00\x00\x00\x00\x05\x00\x03\x00\x01x";

    /// A whole reply of 2 + 1 + 1 records, with or without OPT.
    fn reply(edns: Option<&ReplyEdns<'_>>) -> (Vec<u8>, usize) {
        let mut buffer = vec![0xee; 512];
        let query = Query::read(QUERY).unwrap();
        let mut reply = Reply::new(&mut buffer, 512, &query).unwrap();
        reply.authoritative().rcode(rcode::BADVERS | 3);
        for (section, data) in [
            (Section::Answer, &[192, 0, 2, 1][..]),
            (Section::Answer, &[0; 200]),
            (Section::Authority, &[0]),
            (Section::Additional, &[]),
        ] {
            let owner = Owner::Name(b"\x02ns\x07example\x03com\x00");
            reply.record(section, owner, 1, 5, data).unwrap();
        }
        let len = reply.finish(edns);
        (buffer, len)
    }

    #[test]
    fn header_question_and_opt_are_left() {
        let edns = ReplyEdns {
            udp_payload: 1232,
            nsid: b"x",
            ..ReplyEdns::default()
        };
        for (edns, opt) in [(Some(&edns), OPT), (None, &[])] {
            let (mut buffer, len) = reply(edns);
            let cut = truncate_reply(&mut buffer, len);
            let mut expected = [QUERY, opt].concat();
            expected[2..4].copy_from_slice(&0x8703_u16.to_be_bytes());
            expected[11] = u8::from(!opt.is_empty());
            assert_eq!(buffer[..cut], expected);
            // A second time there is nothing left to take away.
            assert_eq!(truncate_reply(&mut buffer, cut), cut);
            assert_eq!(buffer[..cut], expected);
        }
    }

    #[test]
    fn a_reply_without_a_question_becomes_a_header() {
        let mut formerr = *b"\xab\xcd\x80\x01\x00\x00\x00\x00\x00\x00\x00\x00";
        assert_eq!(truncate_reply(&mut formerr, 12), 12);
        assert_eq!(
            formerr,
            *b"\xab\xcd\x82\x01\x00\x00\x00\x00\x00\x00\x00\x00"
        );
    }

    #[test]
    fn bytes_cut_or_changed_anywhere_never_grow() {
        let (whole, len) = reply(Some(&ReplyEdns::default()));
        for end in 0..=len {
            let mut buffer = whole.clone();
            let cut = truncate_reply(&mut buffer, end);
            assert!(cut <= end && (cut >= HEADER_LEN || end < HEADER_LEN));
            assert_eq!(buffer[end..], whole[end..], "nothing behind is touched");
        }
        for at in 0..len {
            for value in [0, 1, 0x29, 0x3f, 0xc0, 0xff] {
                let mut buffer = whole.clone();
                buffer[at] = value;
                let cut = truncate_reply(&mut buffer, len);
                assert!((HEADER_LEN..=len).contains(&cut));
                assert!(cut <= QUERY.len() + OPT.len() || at >= HEADER_LEN);
            }
        }
        assert_eq!(truncate_reply(&mut [0; 20], 100), 12);
        assert_eq!(truncate_reply(&mut [], 5), 0);
    }
}
