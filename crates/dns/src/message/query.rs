//! Reading a query in place, and what is told about one that cannot be read.

use super::HEADER_LEN;
use super::codes::{opcode, qtype, rcode};
use super::edns::Edns;
use crate::cursor::Cursor;
use crate::name::wire_len;

/// A well-formed query.
///
/// TSIG and other additional records are skipped; the AA, TC, RA, Z and AD bits are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Query<'a> {
    /// The sender's id of the query.
    pub id: u16,
    /// Always [`opcode::QUERY`].
    pub opcode: u8,
    /// The RD bit.
    pub recursion_desired: bool,
    /// The CD bit.
    pub checking_disabled: bool,
    /// What is asked.
    pub question: Question<'a>,
    /// The OPT record, if there is one.
    pub edns: Option<Edns<'a>>,
    /// Where in the packet the question ends.
    pub question_end: usize,
}

/// The one question of a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Question<'a> {
    /// Uncompressed wire form, root label included, case as sent.
    pub name: &'a [u8],
    /// The type asked for.
    pub qtype: u16,
    /// The class asked for.
    pub class: u16,
}

/// Why a packet is no query this server can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable<'a> {
    /// Shorter than a header, or itself a reply: answering could start a loop.
    #[error("the packet is not a query")]
    Drop,
    /// To be answered with an error, see [`error_reply`](super::error_reply).
    #[error("the query cannot be read (response code {})", .0.rcode)]
    Header(Header<'a>),
    /// A query without a question that shows a cookie: the cookie is all it is about.
    #[error("the query asks for a cookie alone")]
    CookieAlone(CookieQuery<'a>),
}

/// A query for a server cookie and nothing else (RFC 7873 section 5.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CookieQuery<'a> {
    /// The sender's id of the query.
    pub id: u16,
    /// The RD bit.
    pub recursion_desired: bool,
    /// The OPT record, which has a cookie.
    pub edns: Edns<'a>,
}

/// What could be read of a query before it went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    /// The sender's id of the query.
    pub id: u16,
    /// The operation code as sent.
    pub opcode: u8,
    /// The RD bit.
    pub recursion_desired: bool,
    /// The code to answer with: FORMERR or NOTIMP.
    pub rcode: u16,
    /// The question, if it is the only one and readable.
    pub question: Option<Question<'a>>,
    /// Whether a sound OPT record was met, so that the answer needs one (RFC 6891 section 6.1.1).
    /// It is also set for one whose options alone are malformed.
    pub edns: bool,
}

impl<'a> Query<'a> {
    /// Reads one packet.
    ///
    /// FORMERR is due for: a question count other than 1, unless it is 0 and there is a cookie; a
    /// compression pointer in the question; records in the answer section; records in the
    /// authority section other than the one SOA of an IXFR query (RFC 1995 section 3), as in NSD;
    /// two OPT records, one with an owner other than the root, malformed options; a TSIG that is
    /// not last; bytes after the last record.
    ///
    /// # Errors
    /// [`Unreadable`] says whether and how to answer.
    #[inline]
    pub fn read(packet: &'a [u8]) -> Result<Self, Unreadable<'a>> {
        match Self::read_usual(packet) {
            Some(query) => Ok(query),
            None => Self::read_any(packet),
        }
    }

    /// Reads what nearly all packets are: one question, and nothing else or one OPT record. None
    /// for any other and for all that is wrong, which [`read_any`](Self::read_any) knows.
    ///
    /// A call would copy each query once more.
    #[inline(always)]
    fn read_usual(packet: &'a [u8]) -> Option<Self> {
        let (head, rest) = packet.split_first_chunk::<HEADER_LEN>()?;
        let [i0, i1, high, low, counts @ .., additional] = *head;
        // A query by opcode, and the counts but for the last byte of the last.
        if high & 0xf8 != 0 || counts != [0, 1, 0, 0, 0, 0, 0] {
            return None;
        }
        let name_len = wire_len(rest)?;
        let (name, rest) = rest.split_at_checked(name_len)?;
        let ([t0, t1, c0, c1], rest) = rest.split_first_chunk()?;
        let edns = match additional {
            0 if rest.is_empty() => None,
            1 => {
                let (opt, options) = rest.split_first_chunk::<11>()?;
                let [0, 0, 41, p0, p1, ttl @ .., l0, l1] = *opt else {
                    return None;
                };
                if options.len() != usize::from(u16::from_be_bytes([l0, l1])) {
                    return None;
                }
                Some(Edns::read(u16::from_be_bytes([p0, p1]), ttl, options)?)
            }
            _ => return None,
        };
        Some(Self {
            id: u16::from_be_bytes([i0, i1]),
            opcode: opcode::QUERY,
            recursion_desired: high & 1 != 0,
            checking_disabled: low & 0x10 != 0,
            question: Question {
                name,
                qtype: u16::from_be_bytes([*t0, *t1]),
                class: u16::from_be_bytes([*c0, *c1]),
            },
            edns,
            question_end: HEADER_LEN + name_len + 4,
        })
    }

    #[cold]
    fn read_any(packet: &'a [u8]) -> Result<Self, Unreadable<'a>> {
        let mut rest = Cursor(packet);
        let counts = Counts::read(&mut rest).ok_or(Unreadable::Drop)?;
        let [high, low] = counts.flags;
        if high & 0x80 != 0 {
            return Err(Unreadable::Drop);
        }
        let mut header = Header {
            id: counts.id,
            opcode: high >> 3 & 0xf,
            recursion_desired: high & 1 != 0,
            rcode: rcode::FORMERR,
            question: None,
            edns: false,
        };
        if counts.question == 1 {
            header.question = Question::read(&mut rest);
        }
        let asked = header.question.map(|question| question.qtype);
        // Also where the query is refused anyway: the answer should carry OPT if the query does.
        let edns = match (asked, counts.question) {
            (None, 1..) => None,
            _ => counts.read_records(&mut rest, asked, &mut header.edns),
        };
        if header.opcode != opcode::QUERY {
            header.rcode = rcode::NOTIMP;
            return Err(Unreadable::Header(header));
        }
        let (Some(question), Some(edns)) = (header.question, edns) else {
            return Err(unanswerable(header, edns.flatten(), counts.question));
        };
        Ok(Self {
            id: header.id,
            opcode: header.opcode,
            recursion_desired: header.recursion_desired,
            checking_disabled: low & 0x10 != 0,
            question,
            edns,
            question_end: HEADER_LEN + question.wire_len(),
        })
    }
}

/// What a query without a question that can be answered is.
#[cold]
fn unanswerable<'a>(header: Header<'a>, edns: Option<Edns<'a>>, questions: u16) -> Unreadable<'a> {
    match edns {
        Some(edns) if edns.cookie.is_some() && questions == 0 => {
            Unreadable::CookieAlone(CookieQuery {
                id: header.id,
                recursion_desired: header.recursion_desired,
                edns,
            })
        }
        _ => Unreadable::Header(header),
    }
}

impl<'a> Question<'a> {
    pub(super) fn read(rest: &mut Cursor<'a>) -> Option<Self> {
        Some(Self {
            name: rest.name()?,
            qtype: rest.u16()?,
            class: rest.u16()?,
        })
    }

    /// The length of the question on the wire.
    pub(super) fn wire_len(&self) -> usize {
        self.name.len() + 4
    }
}

/// The header as it stands in the packet.
pub(super) struct Counts {
    id: u16,
    flags: [u8; 2],
    pub(super) question: u16,
    pub(super) answer: u16,
    pub(super) authority: u16,
    additional: u16,
}

impl Counts {
    pub(super) fn read(rest: &mut Cursor<'_>) -> Option<Self> {
        Some(Self {
            id: rest.u16()?,
            flags: rest.u16()?.to_be_bytes(),
            question: rest.u16()?,
            answer: rest.u16()?,
            authority: rest.u16()?,
            additional: rest.u16()?,
        })
    }

    /// The code without the bits that are in the OPT record.
    pub(super) fn rcode(&self) -> u16 {
        let [_, low] = self.flags;
        u16::from(low & 0xf)
    }

    /// The number of records in all sections.
    pub(super) fn records(&self) -> u32 {
        u32::from(self.answer) + u32::from(self.authority) + u32::from(self.additional)
    }

    /// Reads everything after the question; the outer none stands for FORMERR.
    fn read_records<'a>(
        &self,
        rest: &mut Cursor<'a>,
        asked: Option<u16>,
        met_opt: &mut bool,
    ) -> Option<Option<Edns<'a>>> {
        if self.answer != 0 || self.authority > u16::from(asked == Some(qtype::IXFR)) {
            return None;
        }
        for _ in 0..self.authority {
            Record::read(rest)?;
        }
        let mut edns = None;
        // A record has eleven bytes at least, so the packet's length bounds the turns.
        for left in (0..self.additional).rev() {
            let record = Record::read(rest)?;
            match record.rtype {
                qtype::OPT => {
                    if !record.at_root || edns.is_some() {
                        return None;
                    }
                    *met_opt = true;
                    edns = Some(Edns::read(record.class, record.ttl, record.rdata)?);
                }
                qtype::TSIG if left > 0 => return None,
                _ => {}
            }
        }
        rest.0.is_empty().then_some(edns)
    }
}

/// A record of any section.
pub(super) struct Record<'a> {
    pub(super) at_root: bool,
    pub(super) rtype: u16,
    class: u16,
    ttl: [u8; 4],
    pub(super) rdata: &'a [u8],
}

impl<'a> Record<'a> {
    /// Seconds; one beyond what a TTL can be is 0 (RFC 2181 section 8).
    pub(super) fn ttl_s(&self) -> u32 {
        let ttl_s = u32::from_be_bytes(self.ttl);
        if ttl_s > i32::MAX as u32 { 0 } else { ttl_s }
    }

    pub(super) fn read(rest: &mut Cursor<'a>) -> Option<Self> {
        let at_root = rest.0.first() == Some(&0);
        rest.skip_name()?;
        let rtype = rest.u16()?;
        let class = rest.u16()?;
        let ttl = rest.array()?;
        let len = rest.u16()?;
        Some(Self {
            at_root,
            rtype,
            class,
            ttl,
            rdata: rest.take(len.into())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bytes around those that a usual query has.
    fn packet() -> impl Strategy<Value = Vec<u8>> {
        let header = (any::<[u8; 4]>(), 0..3u8, 0..3u8).prop_map(|([a, b, flags, low], qd, ar)| {
            vec![a, b, flags & 0x81, low, 0, qd, 0, 0, 0, 0, 0, ar]
        });
        let name = prop::collection::vec(prop::collection::vec(any::<u8>(), 1..9), 0..4).prop_map(
            |labels| {
                let mut name = Vec::new();
                for label in labels {
                    name.push(u8::try_from(label.len()).unwrap());
                    name.extend(label);
                }
                name.push(0);
                name
            },
        );
        let opt = prop::collection::vec(any::<u8>(), 0..12).prop_map(|options| {
            let mut opt = vec![0, 0, 41, 4, 208, 0, 0, 0, 0, 0];
            opt.push(u8::try_from(options.len()).unwrap());
            opt.extend(options);
            opt
        });
        let damage = prop::option::weighted(0.3, (any::<prop::sample::Index>(), any::<u8>()));
        let cut = prop::option::weighted(0.2, any::<prop::sample::Index>());
        let opts = prop::collection::vec(opt, 0..3);
        (header, name, any::<[u8; 4]>(), opts, damage, cut).prop_map(
            |(mut packet, name, rest, opts, damage, cut)| {
                packet.extend(name);
                packet.extend(rest);
                packet.extend(opts.concat());
                if let Some((place, byte)) = damage {
                    let place = place.index(packet.len());
                    *packet.get_mut(place).unwrap() = byte;
                }
                if let Some(cut) = cut {
                    packet.truncate(cut.index(packet.len()));
                }
                packet
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]
        #[test]
        fn the_usual_way_reads_what_the_long_way_reads(packet in packet()) {
            if let Some(query) = Query::read_usual(&packet) {
                prop_assert_eq!(Query::read_any(&packet), Ok(query));
            }
        }
    }

    #[test]
    fn usual_queries_go_the_usual_way() {
        let bare = b"\x01\x02\x01\0\0\x01\0\0\0\0\0\0\x01a\0\0\x01\0\x01";
        assert!(Query::read_usual(bare).is_some());
        let mut with_opt = [&bare[..], b"\0\0\x29\x04\xd0\0\0\x80\0\0\0"].concat();
        *with_opt.get_mut(11).unwrap() = 1;
        let query = Query::read_usual(&with_opt).unwrap();
        assert!(query.edns.unwrap().dnssec_ok);
    }
}
