//! Queries of each workload, and what a right answer to them looks like.

use meridian_dns::RecordType;

use crate::data::{
    self, CHECKED, CHECKED_TO, CUTS, DELEGATIONS, ONE, ROUTED, ROUTED_NAMES, ROUTED_TO, WILD,
};

const NXDOMAIN: u8 = 3;
const HEADER: usize = 12;
/// A record's owner, as a pointer to the question, its type, class, TTL and length.
const RECORD_HEAD: usize = 12;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Workload {
    /// Names of the zone `one`.
    Hits,
    /// Names that the zone `one` does not have, each another.
    Nxdomain,
    /// Names below the wildcard of the zone `one`, each another.
    Wildcard,
    /// Names below the delegations of the zone `cuts`.
    Referral,
    /// Names and types all over the many zones.
    Many,
    /// Names of the zone `one`, for clients all over (RFC 7871, /24): no answer depends on them.
    Subnets,
    /// Names of the zone `routed` that go by weight.
    Weighted,
    /// Names of the zone `routed` that go by place, for clients all over (RFC 7871, /24).
    Geolocation,
    /// Names of the zone `routed` that go by latency, for clients all over (RFC 7871, /24).
    Latency,
    /// Names of the zone `checked` that go by a health check each.
    Checked,
}

/// A query without its id, and the answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The message; the first two bytes are the place of the id.
    pub query: Vec<u8>,
    rcode: u8,
    authoritative: bool,
    answers: u16,
    authority: u16,
    additional: u16,
    /// Where the question ends, in the query and in the reply.
    question_end: usize,
    /// The address of the first answer is one of these; empty: it is not looked at.
    addresses: Vec<[u8; 4]>,
}

impl Workload {
    /// The query of this number. `size` is how many names, or zones, there are to ask for.
    #[must_use]
    pub fn probe(self, number: u64, size: u64) -> Probe {
        let random = data::mix(number);
        let size = size.max(1);
        match self {
            Self::Hits => hit(random % size),
            Self::Subnets => hit(random % size).for_client(random >> 32),
            Self::Wildcard => Probe::address(&format!("{}.wild.{ONE}", data::label(number)), WILD),
            Self::Nxdomain => Probe {
                rcode: NXDOMAIN,
                authority: 1,
                ..Probe::new(&format!("{}.{ONE}", data::label(number)), RecordType::A)
            },
            Self::Referral => Probe {
                authoritative: false,
                authority: 2,
                ..Probe::new(
                    &format!("www.d{}.{CUTS}", random % DELEGATIONS),
                    RecordType::A,
                )
            },
            Self::Many => many(random % size, random >> 61),
            Self::Weighted => routed('w', random),
            Self::Geolocation => routed('g', random).for_client(random >> 32),
            Self::Latency => routed('l', random).for_client(random >> 32),
            Self::Checked => Probe {
                answers: 1,
                addresses: CHECKED_TO.to_vec(),
                ..Probe::new(&format!("n{}.{CHECKED}", random % size), RecordType::A)
            },
        }
    }
}

fn hit(host: u64) -> Probe {
    Probe::address(&format!("h{host}.{ONE}"), data::address(host))
}

fn routed(kind: char, random: u64) -> Probe {
    Probe {
        answers: 1,
        addresses: ROUTED_TO.to_vec(),
        ..Probe::new(
            &format!("{kind}{}.{ROUTED}", random % ROUTED_NAMES),
            RecordType::A,
        )
    }
}

fn many(zone: u64, kind: u64) -> Probe {
    let apex = data::many_apex(zone);
    let host = |label: &str, place| {
        Probe::address(&format!("{label}.{apex}"), data::address(zone * 4 + place))
    };
    let other = |name: &str, rtype| Probe {
        answers: 1,
        ..Probe::new(name, rtype)
    };
    match kind {
        0 => Probe::address(&apex, data::address(zone * 4)),
        1 => other(&apex, RecordType::Mx),
        2 => other(&format!("v6.{apex}"), RecordType::Aaaa),
        3 | 4 => host("www", 1),
        5 | 6 => host("mail", 2),
        _ => host("api", 3),
    }
}

impl Probe {
    /// A query for which there is nothing.
    fn new(name: &str, rtype: RecordType) -> Self {
        let mut query = vec![0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
        for label in name.split('.') {
            query.push(u8::try_from(label.len()).unwrap_or(63));
            query.extend_from_slice(label.as_bytes());
        }
        query.push(0);
        query.extend_from_slice(&rtype.code().to_be_bytes());
        query.extend_from_slice(&[0, 1]);
        Self {
            question_end: query.len(),
            query,
            rcode: 0,
            authoritative: true,
            answers: 0,
            authority: 0,
            additional: 0,
            addresses: Vec::new(),
        }
    }

    /// The same with an OPT record that tells the /24 of a client, of 1.0.0.0 to 223.255.255.255.
    fn for_client(mut self, random: u64) -> Self {
        let [.., a, b, c] = random.to_be_bytes();
        self.query[HEADER - 1] = 1;
        let opt = [0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 11];
        let subnet = [0, 8, 0, 7, 0, 1, 24, 0, 1 + a % 223, b, c];
        self.query.extend_from_slice(&opt);
        self.query.extend_from_slice(&subnet);
        self.additional = 1;
        self
    }

    fn address(name: &str, address: [u8; 4]) -> Self {
        Self {
            answers: 1,
            addresses: vec![address],
            ..Self::new(name, RecordType::A)
        }
    }

    fn question(&self) -> &[u8] {
        &self.query[HEADER..self.question_end]
    }

    /// Whether `reply` answers this query, whatever its id.
    #[must_use]
    pub fn is_right(&self, reply: &[u8]) -> bool {
        let end = self.question_end;
        if reply.len() < end {
            return false;
        }
        let address = reply.get(end + RECORD_HEAD..end + RECORD_HEAD + 4);
        let word = |at: usize| u16::from_be_bytes([reply[at], reply[at + 1]]);
        // QR, opcode 0, AA as it should be, not TC, RD as in the query.
        let flags = 0x80 | if self.authoritative { 4 } else { 0 };
        reply[2] == flags
            && reply[3] & 0xf == self.rcode
            && [word(4), word(6), word(8)] == [1, self.answers, self.authority]
            // The servers of a referral may have their addresses.
            && (!self.authoritative || word(10) == self.additional)
            && &reply[HEADER..end] == self.question()
            && (self.addresses.is_empty()
                || self.addresses.iter().any(|wanted| address == Some(wanted)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::images::Images;
    use clap::ValueEnum;

    #[test]
    fn our_own_answers_are_right_and_others_are_not() {
        let images = Images::new().one(100).cuts().routed().checked(100).many(50);
        let world = images.world();
        for workload in Workload::value_variants() {
            for number in 0..200 {
                let size = if *workload == Workload::Many { 50 } else { 100 };
                let probe = workload.probe(number, size);
                let reply = world.reply(&probe.query);
                assert!(
                    probe.is_right(&reply),
                    "{workload:?} {number}: {reply:02x?}"
                );
                let other = workload.probe(number + 1, size);
                assert!(other.question() == probe.question() || !other.is_right(&reply));
                assert!(!probe.is_right(&probe.query));
            }
        }
    }
}
