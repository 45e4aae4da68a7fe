//! What a resolver's reply says about a name: records at the end of a chain of CNAMEs, or that there
//! are none. Bytes in, a verdict out: no socket, no clock, and nothing of what becomes of it.

use domain::base::iana::{Class, Rcode};
use domain::base::message::RecordSection;
use domain::base::opt::ClientSubnet;
use domain::base::rdata::ComposeRecordData as _;
use domain::base::{Message, Name, ParsedName, Rtype, ToName};
use domain::rdata::{AllRecordData, Cname, Soa};
use meridian_dns::{RecordType, rdata};

/// The most links of a chain of CNAMEs, over all questions that it takes.
pub(crate) const MAX_LINKS: usize = 8;
/// The most records of a section that are looked at.
const MAX_SEEN: usize = 512;
/// The most records of an answer. More are a mistake, and would not fit most replies.
pub(crate) const MAX_RECORDS: usize = 100;
/// The most bytes that the data of an answer's records may have. More would not fit most replies
/// either, and whoever runs the target's zone must not fill this process.
pub(crate) const MAX_DATA: usize = 4096;

/// A name as it is asked for.
pub(crate) type Host = Name<Vec<u8>>;

/// What there is at a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// The data of records, uncompressed, sorted, each once; and for how long that holds.
    Records { data: Vec<Vec<u8>>, ttl_s: u32 },
    /// It exists, without such records.
    NoData { ttl_s: u32 },
    /// It does not exist.
    NoSuchName { ttl_s: u32 },
}

/// What one reply comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read {
    /// The end of the way.
    Said(Said),
    /// The chain goes on at this name, of which this server says nothing.
    GoesOn(Host),
}

/// Why a reply says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The server cannot or will not say; its response code.
    Rcode(u16),
    /// It points to other servers instead, as one does that is no resolver.
    Referral,
    /// It is not what a reply looks like.
    Unreadable,
    /// A chain of CNAMEs leads to where it has been.
    Loop,
    /// A chain of CNAMEs is longer than is followed.
    TooLong,
    /// There are more records than anybody could mean.
    TooMany,
    /// Their data are longer than anybody could mean.
    TooMuch,
}

/// The way from the name that was asked for.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// Names that were come to, the last one last.
    seen: Vec<Host>,
    /// How long all links so far hold.
    ttl_s: u32,
}

impl Way {
    /// It begins here.
    pub(crate) fn from(name: Host) -> Self {
        Self {
            seen: vec![name],
            ttl_s: u32::MAX,
        }
    }

    /// Goes on where a CNAME leads.
    fn follow(&mut self, next: Host, ttl_s: u32) -> Result<(), Fault> {
        if self.seen.iter().any(|seen| seen.name_eq(&next)) {
            return Err(Fault::Loop);
        }
        if self.seen.len() > MAX_LINKS {
            return Err(Fault::TooLong);
        }
        self.seen.push(next);
        self.ttl_s = self.ttl_s.min(ttl_s);
        Ok(())
    }

    /// Reads a reply to a question of this type about the name that the way has come to.
    ///
    /// # Errors
    /// Why it says nothing.
    pub(crate) fn read(
        &mut self,
        reply: &Message<Vec<u8>>,
        rtype: RecordType,
    ) -> Result<Read, Fault> {
        let rcode = reply.header().rcode();
        if !matches!(rcode, Rcode::NOERROR | Rcode::NXDOMAIN) {
            return Err(Fault::Rcode(reply.opt_rcode().to_int()));
        }
        let began = self.seen.len();
        // Ends: each turn but the last one adds a link, of which there are at most so many.
        loop {
            let found = self.at_end(reply, rtype)?;
            if !found.data.is_empty() {
                let ttl_s = self.ttl_s.min(found.ttl_s);
                let data = found.data;
                return Ok(Read::Said(Said::Records { data, ttl_s }));
            }
            match found.next {
                Some((next, ttl_s)) => self.follow(next, ttl_s)?,
                None => break,
            }
        }
        let authority = authority(reply)?;
        let ttl_s = self.ttl_s.min(authority.negative_ttl_s.unwrap_or(0));
        if rcode == Rcode::NXDOMAIN {
            return Ok(Read::Said(Said::NoSuchName { ttl_s }));
        }
        if authority.negative_ttl_s.is_some() {
            return Ok(Read::Said(Said::NoData { ttl_s }));
        }
        match self.seen.last() {
            Some(end) if self.seen.len() > began => Ok(Read::GoesOn(end.clone())),
            _ if authority.refers => Err(Fault::Referral),
            _ => Ok(Read::Said(Said::NoData { ttl_s })),
        }
    }

    /// What the answer has at the end of the way.
    fn at_end(&self, reply: &Message<Vec<u8>>, rtype: RecordType) -> Result<Found, Fault> {
        let wanted = Rtype::from_int(rtype.code());
        let mut found = Found {
            data: Vec::new(),
            ttl_s: u32::MAX,
            next: None,
        };
        let Some(end) = self.seen.last() else {
            return Ok(found);
        };
        for record in section(reply.answer())?.take(MAX_SEEN) {
            let record = record.map_err(|_| Fault::Unreadable)?;
            if record.class() != Class::IN || !record.owner().name_eq(end) {
                continue;
            }
            let ttl_s = record.ttl().as_secs();
            if record.rtype() == wanted {
                let read = record.to_any_record::<AllRecordData<_, ParsedName<_>>>();
                let read = read.map_err(|_| Fault::Unreadable)?;
                let mut data = Vec::new();
                let Ok(()) = read.data().compose_rdata(&mut data);
                if !rdata::is_valid(rtype, &data) {
                    return Err(Fault::Unreadable);
                }
                found.data.push(data);
                found.ttl_s = found.ttl_s.min(ttl_s);
            } else if record.rtype() == Rtype::CNAME && found.next.is_none() {
                let read = record.to_record::<Cname<_>>();
                let read = read.map_err(|_| Fault::Unreadable)?;
                found.next = read.map(|link| (link.data().cname().to_name(), ttl_s));
            }
        }
        found.data.sort_unstable();
        found.data.dedup();
        if found.data.len() > MAX_RECORDS {
            return Err(Fault::TooMany);
        }
        if bytes(&found.data) > MAX_DATA {
            return Err(Fault::TooMuch);
        }
        Ok(found)
    }
}

/// How long data of records are together.
pub(crate) fn bytes(data: &[Vec<u8>]) -> usize {
    data.iter().map(Vec::len).sum()
}

/// What an answer has at a name.
struct Found {
    data: Vec<Vec<u8>>,
    ttl_s: u32,
    /// Where a CNAME leads, and how long it holds.
    next: Option<(Host, u32)>,
}

/// What a reply says beside the answer.
struct Authority {
    /// How long it holds that there is nothing (RFC 2308, section 5), if that is said.
    negative_ttl_s: Option<u32>,
    /// Other servers are named.
    refers: bool,
}

fn authority(reply: &Message<Vec<u8>>) -> Result<Authority, Fault> {
    let mut authority = Authority {
        negative_ttl_s: None,
        refers: false,
    };
    for record in section(reply.authority())?.take(MAX_SEEN) {
        let record = record.map_err(|_| Fault::Unreadable)?;
        if let Ok(Some(soa)) = record.to_record::<Soa<_>>() {
            let ttl_s = record.ttl().as_secs().min(soa.data().minimum().as_secs());
            authority.negative_ttl_s = Some(ttl_s);
        }
        authority.refers |= record.rtype() == Rtype::NS;
    }
    Ok(authority)
}

fn section<E>(
    section: Result<RecordSection<'_, Vec<u8>>, E>,
) -> Result<RecordSection<'_, Vec<u8>>, Fault> {
    section.map_err(|_| Fault::Unreadable)
}

/// For how much of the subnet that was told an answer holds; none where the reply is silent about
/// that, or speaks of another subnet (RFC 7871, section 7.3).
pub(crate) fn scope(reply: &Message<Vec<u8>>, asked: ClientSubnet) -> Option<u8> {
    let opt = reply.opt()?;
    let told = opt.opt().iter::<ClientSubnet>().next()?.ok()?;
    let same = told.addr() == asked.addr() && told.source_prefix_len() == asked.source_prefix_len();
    same.then(|| told.scope_prefix_len())
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use domain::base::MessageBuilder;
    use domain::base::Ttl;
    use domain::base::iana::Opcode;
    use domain::rdata::{A, Mx, Ns, Txt};

    use super::*;

    fn host(text: &str) -> Host {
        Host::from_str(text).unwrap()
    }

    /// A reply of lines such as `a.test 30 A 192.0.2.1`; `!` marks the authority section.
    fn reply(rcode: Rcode, lines: &[&str]) -> Message<Vec<u8>> {
        let mut answer =
            MessageBuilder::from_target(domain::base::StaticCompressor::new(Vec::new()))
                .unwrap()
                .question();
        answer.header_mut().set_opcode(Opcode::QUERY);
        answer.header_mut().set_qr(true);
        answer.header_mut().set_rcode(rcode);
        let mut answer = answer.answer();
        let words = |line: &str| -> Vec<String> { line.split(' ').map(str::to_owned).collect() };
        for line in lines.iter().filter(|line| !line.starts_with('!')) {
            let words = words(line);
            let (owner, ttl) = (host(&words[0]), Ttl::from_secs(words[1].parse().unwrap()));
            match &*words[2] {
                "A" => answer.push((owner, ttl, A::from_str(&words[3]).unwrap())),
                "CNAME" => answer.push((owner, ttl, Cname::new(host(&words[3])))),
                "MX" => answer.push((owner, ttl, Mx::new(10, host(&words[3])))),
                // As many bytes as the second number says, of which the first comes first.
                "TXT" => {
                    let mut text = vec![b'x'; words[4].parse().unwrap()];
                    text[0] = words[3].parse().unwrap();
                    let text = Txt::<Vec<u8>>::build_from_slice(&text).unwrap();
                    answer.push((owner, ttl, text))
                }
                other => panic!("{other}"),
            }
            .unwrap();
        }
        let mut authority = answer.authority();
        for line in lines.iter().filter_map(|line| line.strip_prefix('!')) {
            let words = words(line);
            let (owner, ttl) = (host(&words[0]), Ttl::from_secs(words[1].parse().unwrap()));
            match &*words[2] {
                "NS" => authority.push((owner, ttl, Ns::new(host("ns.test")))),
                "SOA" => {
                    let minimum = Ttl::from_secs(words[3].parse().unwrap());
                    let zero = Ttl::from_secs(0);
                    let soa = Soa::new(
                        host("m.test"),
                        host("r.test"),
                        1.into(),
                        zero,
                        zero,
                        zero,
                        minimum,
                    );
                    authority.push((owner, ttl, soa))
                }
                other => panic!("{other}"),
            }
            .unwrap();
        }
        Message::from_octets(authority.finish().into_target()).unwrap()
    }

    fn read(rcode: Rcode, lines: &[&str]) -> Result<Read, Fault> {
        Way::from(host("a.test")).read(&reply(rcode, lines), RecordType::A)
    }

    fn records(last: &[u8], ttl_s: u32) -> Result<Read, Fault> {
        let data = last.iter().map(|last| vec![192, 0, 2, *last]).collect();
        Ok(Read::Said(Said::Records { data, ttl_s }))
    }

    #[test]
    fn records_are_found_at_the_end_of_the_chain_and_hold_as_long_as_its_shortest_link() {
        let chain = [
            "b.test 20 CNAME c.test",
            "A.TEST 300 CNAME b.test",
            "c.test 60 A 192.0.2.2",
            "c.test 50 A 192.0.2.1",
            "c.test 60 A 192.0.2.2",
            "other.test 1 A 192.0.2.9",
        ];
        assert_eq!(read(Rcode::NOERROR, &chain), records(&[1, 2], 20));
        let plain = ["a.test 7 A 192.0.2.1", "b.test 1 CNAME a.test"];
        assert_eq!(read(Rcode::NOERROR, &plain), records(&[1], 7));
    }

    #[test]
    fn that_there_is_nothing_holds_as_long_as_the_soa_says() {
        let no_data = |ttl_s| Ok(Read::Said(Said::NoData { ttl_s }));
        let no_name = |ttl_s| Ok(Read::Said(Said::NoSuchName { ttl_s }));
        let soa = ["!test 900 SOA 30"];
        assert_eq!(read(Rcode::NOERROR, &soa), no_data(30));
        assert_eq!(read(Rcode::NXDOMAIN, &soa), no_name(30));
        assert_eq!(read(Rcode::NXDOMAIN, &[]), no_name(0));
        assert_eq!(read(Rcode::NOERROR, &[]), no_data(0));
        let chained = ["a.test 5 CNAME b.test", "!test 20 SOA 30"];
        assert_eq!(read(Rcode::NXDOMAIN, &chained), no_name(5));
        assert_eq!(read(Rcode::NOERROR, &chained), no_data(5));
        let other_type = ["a.test 5 MX b.test", "!test 20 SOA 30"];
        assert_eq!(read(Rcode::NOERROR, &other_type), no_data(20));
    }

    #[test]
    fn what_says_nothing_is_told_apart() {
        assert_eq!(read(Rcode::SERVFAIL, &[]), Err(Fault::Rcode(2)));
        assert_eq!(
            read(Rcode::REFUSED, &["a.test 5 A 192.0.2.1"]),
            Err(Fault::Rcode(5))
        );
        assert_eq!(read(Rcode::NOERROR, &["!test 5 NS"]), Err(Fault::Referral));
        let chain = ["a.test 5 CNAME b.test", "b.test 5 CNAME A.test"];
        assert_eq!(read(Rcode::NOERROR, &chain), Err(Fault::Loop));
        assert_eq!(
            read(Rcode::NOERROR, &["a.test 5 CNAME a.test"]),
            Err(Fault::Loop)
        );
        let many: Vec<String> = (0..=MAX_RECORDS)
            .map(|last| format!("a.test 5 A 192.0.2.{last}"))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(read(Rcode::NOERROR, &many), Err(Fault::TooMany));
        assert!(read(Rcode::NOERROR, &many[1..]).is_ok());
    }

    #[test]
    fn data_of_four_kib_are_taken_and_no_more() {
        // Each has a byte of its own that says how long it is.
        let lines = |last: usize| -> Vec<String> {
            let line = |n: usize| match n {
                16 => format!("a.test 5 TXT 16 {last}"),
                n => format!("a.test 5 TXT {n} 255"),
            };
            // The first one twice, which counts once.
            let lines = (1..=16).map(line);
            lines.chain(["a.test 5 TXT 1 255".to_owned()]).collect()
        };
        let read = |last| {
            let lines = lines(last);
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let reply = reply(Rcode::NOERROR, &lines);
            Way::from(host("a.test")).read(&reply, RecordType::Txt)
        };
        let Ok(Read::Said(Said::Records { data, .. })) = read(255) else {
            panic!("no records");
        };
        assert_eq!(bytes(&data), MAX_DATA);
        // A string more, with its length.
        assert_eq!(read(256), Err(Fault::TooMuch));
    }

    #[test]
    fn eight_links_are_followed_and_no_more() {
        let chain = |links: usize| {
            let link = |n: usize| match n {
                0 => "a.test".to_owned(),
                n => format!("l{n}.test"),
            };
            let mut lines: Vec<String> = (0..links)
                .map(|n| format!("{} 60 CNAME {}", link(n), link(n + 1)))
                .collect();
            lines.push(format!("{} 60 A 192.0.2.1", link(links)));
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            read(Rcode::NOERROR, &lines)
        };
        assert_eq!(chain(MAX_LINKS), records(&[1], 60));
        assert_eq!(chain(MAX_LINKS + 1), Err(Fault::TooLong));
    }

    #[test]
    fn a_chain_may_go_on_in_another_reply_and_loops_are_seen_over_all() {
        let mut way = Way::from(host("a.test"));
        let first = reply(Rcode::NOERROR, &["a.test 9 CNAME b.other"]);
        let on = way.read(&first, RecordType::A);
        assert_eq!(on, Ok(Read::GoesOn(host("b.other"))));
        let mut looping = way.clone();
        let second = reply(Rcode::NOERROR, &["b.other 60 A 192.0.2.3"]);
        assert_eq!(way.read(&second, RecordType::A), records(&[3], 9));
        let back = reply(Rcode::NOERROR, &["b.other 60 CNAME a.test"]);
        assert_eq!(looping.read(&back, RecordType::A), Err(Fault::Loop));
    }

    #[test]
    fn names_in_data_are_not_compressed_any_more() {
        let reply = reply(Rcode::NOERROR, &["a.test 9 MX mail.a.test"]);
        let read = Way::from(host("a.test")).read(&reply, RecordType::Mx);
        let data = vec![b"\x00\x0a\x04mail\x01a\x04test\x00".to_vec()];
        assert_eq!(read, Ok(Read::Said(Said::Records { data, ttl_s: 9 })));
    }
}
