//! How long a finished reply may be kept, for those who do not read DNS.

use super::codes::rcode;
use super::query::{Counts, Question, Record};
use crate::RecordType;
use crate::cursor::Cursor;

const SOA: u16 = RecordType::Soa.code();

/// For how many seconds a reply may be kept as a whole (RFC 8484 section 5.1): as long as the
/// record of its answer section that goes first; where it says that there is nothing, also at the
/// end of a CNAME, as long as its SOA tells (RFC 2308 section 5) if that is shorter; where the end
/// is in another zone, or nothing tells, 0.
pub fn freshness_s(reply: &[u8]) -> u32 {
    read(reply).unwrap_or(0)
}

fn read(reply: &[u8]) -> Option<u32> {
    let mut rest = Cursor(reply);
    let counts = Counts::read(&mut rest)?;
    if !matches!(counts.rcode(), rcode::NOERROR | rcode::NXDOMAIN) {
        return None;
    }
    for _ in 0..counts.question {
        Question::read(&mut rest)?;
    }
    // A record has eleven bytes at least, so the length of the reply bounds the turns.
    let mut shortest: Option<u32> = None;
    for _ in 0..counts.answer {
        let ttl_s = Record::read(&mut rest)?.ttl_s();
        shortest = Some(shortest.map_or(ttl_s, |shortest| shortest.min(ttl_s)));
    }
    for _ in 0..counts.authority {
        let record = Record::read(&mut rest)?;
        if record.rtype != SOA {
            return None;
        }
        let minimum = record.rdata.last_chunk().copied().map(u32::from_be_bytes)?;
        let nothing_s = record.ttl_s().min(minimum);
        shortest = Some(shortest.map_or(nothing_s, |shortest| shortest.min(nothing_s)));
    }
    shortest
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 4] = [0, 0, 0x84, 0];

    /// A reply with the question `. A IN` and these records of the root: section, type, TTL, data.
    fn reply(rcode: u8, records: &[(usize, u16, u32, &[u8])]) -> Vec<u8> {
        let mut reply = HEADER.to_vec();
        if let Some(flags) = reply.get_mut(3) {
            *flags |= rcode;
        }
        let count = |section| records.iter().filter(|record| record.0 == section).count();
        for count in [1, count(0), count(1), count(2)] {
            reply.extend(u16::try_from(count).unwrap().to_be_bytes());
        }
        reply.extend([0, 0, 1, 0, 1]);
        for (_, rtype, ttl, data) in records {
            reply.push(0);
            reply.extend(rtype.to_be_bytes());
            reply.extend([0, 1]);
            reply.extend(ttl.to_be_bytes());
            reply.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
            reply.extend(*data);
        }
        reply
    }

    #[test]
    fn the_answer_that_goes_first_or_the_soa_decides() {
        let soa: &[u8] = &[[0; 18].as_slice(), &60_u32.to_be_bytes()].concat();
        let (a, ns, cname, opt) = (1, 2, 5, 41);
        for (records, expected) in [
            (vec![(0, a, 300, &b"addr"[..])], 300),
            (
                vec![(0, a, 300, b"addr"), (0, a, 30, b"addr"), (2, opt, 0, b"")],
                30,
            ),
            (vec![(0, cname, 300, b"\0"), (1, SOA, 5, soa)], 5),
            (vec![(0, cname, 20, b"\0"), (1, SOA, 900, soa)], 20),
            (vec![(0, cname, 300, b"\0"), (1, ns, 3600, b"\0")], 0),
            (vec![(1, SOA, 900, soa)], 60),
            (vec![(1, SOA, 30, soa)], 30),
            (vec![(1, ns, 3600, b"\0"), (2, a, 3600, b"addr")], 0),
            // The top bit means 0 (RFC 2181 section 8).
            (vec![(0, a, 1 << 31, b"addr")], 0),
            (vec![], 0),
        ] {
            assert_eq!(freshness_s(&reply(0, &records)), expected, "{records:?}");
            assert_eq!(freshness_s(&reply(2, &records)), 0);
        }
        assert_eq!(freshness_s(&reply(3, &[(1, SOA, 900, soa)])), 60);
        let whole = reply(0, &[(1, SOA, 900, soa)]);
        for len in 0..whole.len() {
            assert_eq!(freshness_s(whole.get(..len).unwrap()), 0, "{len}");
        }
    }
}
