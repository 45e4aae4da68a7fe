//! What was asked and what was answered: types, response codes, truncation and latency, counted
//! for each protocol.

use std::ops::{AddAssign, Index, IndexMut};

use meridian_answer::{Answered, Transport};
use meridian_dns::RecordType;
use meridian_dns::message::codes::{qtype, rcode};

use super::latency::{Latency, LatencyCells};
use super::{Cell, Count};

/// How queries come: [`Transport`] without what differs from query to query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the protocols")]
pub enum Protocol {
    Udp,
    Tcp,
    Tls,
    Quic,
    Https,
}

impl Protocol {
    /// All of them, in the order of [`PerProtocol`].
    pub const ALL: [Self; 5] = [Self::Udp, Self::Tcp, Self::Tls, Self::Quic, Self::Https];

    /// In lower case, as in `udp`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Quic => "quic",
            Self::Https => "https",
        }
    }
}

impl From<Transport> for Protocol {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp { .. } => Self::Udp,
            Transport::Tcp { .. } => Self::Tcp,
            Transport::Tls { .. } => Self::Tls,
            Transport::Quic => Self::Quic,
            Transport::Https => Self::Https,
        }
    }
}

/// One value for each protocol.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PerProtocol<T>([T; Protocol::ALL.len()]);

impl<T> Index<Protocol> for PerProtocol<T> {
    type Output = T;

    fn index(&self, protocol: Protocol) -> &T {
        &self.0[protocol as usize]
    }
}

impl<T> IndexMut<Protocol> for PerProtocol<T> {
    fn index_mut(&mut self, protocol: Protocol) -> &mut T {
        &mut self.0[protocol as usize]
    }
}

/// The types that are counted one by one: the stored ones, then ANY, all others, and none.
const TYPES: usize = RecordType::ALL.len() + 3;
const ANY: usize = RecordType::ALL.len();
const OTHER: usize = ANY + 1;
const NONE: usize = ANY + 2;

/// The response codes that are counted one by one; all others are counted behind them.
const RCODES: [(u16, &str); 8] = [
    (rcode::NOERROR, "NOERROR"),
    (rcode::FORMERR, "FORMERR"),
    (rcode::SERVFAIL, "SERVFAIL"),
    (rcode::NXDOMAIN, "NXDOMAIN"),
    (rcode::NOTIMP, "NOTIMP"),
    (rcode::REFUSED, "REFUSED"),
    (rcode::BADVERS, "BADVERS"),
    (rcode::BADCOOKIE, "BADCOOKIE"),
];

/// A type's name in counters: its mnemonic, `ANY`, `other`, or `none` for queries that show none.
pub type TypeLabel = &'static str;

/// A response code's name in counters, or `other`.
pub type RcodeLabel = &'static str;

/// The name of a response code, if it is one of those that are counted one by one.
#[must_use]
pub fn rcode_label(code: u16) -> Option<RcodeLabel> {
    let known = RCODES.into_iter().find(|(known, _)| *known == code);
    known.map(|(_, label)| label)
}

/// Numbers of codes up to 257, CAA, which has the highest of the stored ones; higher ones are
/// others.
const PLACES: [u8; 258] = places();

const fn places() -> [u8; 258] {
    let mut places = [OTHER as u8; 258];
    places[0] = NONE as u8;
    places[qtype::ANY as usize] = ANY as u8;
    let mut place = 0;
    while place < RecordType::ALL.len() {
        places[RecordType::ALL[place].code() as usize] = place as u8;
        place += 1;
    }
    places
}

/// What was asked and answered, as sums.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnswerCounts {
    types: [u64; TYPES],
    rcodes: [u64; RCODES.len() + 1],
    /// Replies that did not fit, with bit TC.
    pub truncated: u64,
    /// Queries whose client showed a valid server cookie.
    pub cookies: u64,
    /// From receiving a query, with all that came in the same batch, to sending its reply.
    pub latency: Latency,
}

impl AnswerCounts {
    /// Queries of each type.
    pub fn types(&self) -> impl Iterator<Item = (TypeLabel, u64)> {
        let stored = RecordType::ALL.into_iter().map(RecordType::as_str);
        let labels = stored.chain(["ANY", "other", "none"]);
        labels.zip(self.types)
    }

    /// Replies made with each response code, before any is held back.
    pub fn rcodes(&self) -> impl Iterator<Item = (RcodeLabel, u64)> {
        let labels = RCODES.into_iter().map(|(_, label)| label);
        labels.chain(["other"]).zip(self.rcodes)
    }
}

impl AddAssign for AnswerCounts {
    fn add_assign(&mut self, more: Self) {
        add_each(&mut self.types, &more.types);
        add_each(&mut self.rcodes, &more.rcodes);
        self.truncated += more.truncated;
        self.cookies += more.cookies;
        self.latency += more.latency;
    }
}

pub(super) fn add_each(sums: &mut [u64], more: &[u64]) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum += more;
    }
}

/// Cells of what was asked and answered: a UDP worker's own, or of all connections of a listener.
#[derive(Debug)]
pub(crate) struct AnswerCells<C = Cell> {
    types: [C; TYPES],
    rcodes: [C; RCODES.len() + 1],
    truncated: C,
    cookies: C,
    pub(crate) latency: LatencyCells<C>,
}

impl<C: Count> Default for AnswerCells<C> {
    fn default() -> Self {
        Self {
            types: std::array::from_fn(|_| C::default()),
            rcodes: std::array::from_fn(|_| C::default()),
            truncated: C::default(),
            cookies: C::default(),
            latency: LatencyCells::default(),
        }
    }
}

impl<C: Count> AnswerCells<C> {
    /// Counts a reply as it was made.
    #[inline]
    pub(crate) fn count(&self, answered: &Answered, reply: &[u8]) {
        self.types[type_place(answered.qtype)].add(1);
        self.rcodes[rcode_place(answered.rcode)].add(1);
        if is_truncated(reply) {
            self.truncated.add(1);
        }
        if answered.valid_cookie {
            self.cookies.add(1);
        }
    }

    /// Counts queries that got no reply.
    pub(crate) fn count_unanswered(&self, queries: usize) {
        if queries > 0 {
            self.types[NONE].add(queries as u64);
        }
    }

    pub(crate) fn counts(&self) -> AnswerCounts {
        AnswerCounts {
            types: std::array::from_fn(|place| self.types[place].read()),
            rcodes: std::array::from_fn(|place| self.rcodes[place].read()),
            truncated: self.truncated.read(),
            cookies: self.cookies.read(),
            latency: self.latency.latency(),
        }
    }
}

#[inline]
fn type_place(code: u16) -> usize {
    PLACES
        .get(usize::from(code))
        .map_or(OTHER, |place| usize::from(*place))
}

#[inline]
fn rcode_place(code: u16) -> usize {
    // The first six are their own places.
    if code <= rcode::REFUSED {
        return usize::from(code);
    }
    let place = RCODES.iter().position(|(known, _)| *known == code);
    place.unwrap_or(RCODES.len())
}

/// Bit TC of the header (RFC 1035 section 4.1.1).
fn is_truncated(reply: &[u8]) -> bool {
    reply.get(2).is_some_and(|flags| flags & 0b10 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(qtype: u16, rcode: u16) -> Answered {
        Answered {
            len: 12,
            rcode,
            qtype,
            valid_cookie: rcode == rcode::BADVERS,
            zone: None,
            log: meridian_answer::ZoneLog::Off,
        }
    }

    #[test]
    fn every_type_and_code_is_counted_under_its_name_and_no_other() {
        let cells = AnswerCells::<Cell>::default();
        for code in 0..=u16::MAX {
            cells.count(&answered(code, code), &[0; 12]);
        }
        cells.count_unanswered(3);
        let counts = cells.counts();
        for (label, count) in counts.types() {
            let expected = match label {
                "none" => 1 + 3,
                "other" => 65_536 - 1 - 1 - RecordType::ALL.len() as u64,
                _ => 1,
            };
            assert_eq!(count, expected, "{label}");
        }
        for (label, count) in counts.rcodes() {
            let others = 65_536 - RCODES.len() as u64;
            assert_eq!(count, if label == "other" { others } else { 1 }, "{label}");
        }
        assert_eq!((counts.truncated, counts.cookies), (0, 1));
        for (code, label) in [
            (1, "A"),
            (28, "AAAA"),
            (257, "CAA"),
            (255, "ANY"),
            (13, "other"),
        ] {
            let cells = AnswerCells::<Cell>::default();
            cells.count(&answered(code, 0), &[0, 0, 0b1000_0110, 0]);
            let counts = cells.counts();
            assert_eq!(
                counts.types().find(|(_, count)| *count > 0),
                Some((label, 1))
            );
            assert_eq!(counts.truncated, 1);
        }
    }

    #[test]
    fn codes_are_at_their_places() {
        for (place, (code, _)) in RCODES.into_iter().enumerate() {
            assert_eq!(rcode_place(code), place);
        }
    }

    #[test]
    fn protocols_are_at_their_places() {
        let mut values = PerProtocol::<u8>::default();
        for (number, protocol) in (1..).zip(Protocol::ALL) {
            values[protocol] = number;
        }
        assert_eq!(values.0, [1, 2, 3, 4, 5]);
    }
}
