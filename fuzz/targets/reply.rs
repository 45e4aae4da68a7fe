//! Writing replies: whatever is written in whatever order, the limit holds, and what was taken
//! stands in the message. A list of what was taken is kept beside it and compared in the end.
#![no_main]

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use meridian_dns::message::codes::class;
use meridian_dns::message::{
    ClientSubnet, ExtendedError, HEADER_LEN, Mark, Owner, Query, Question, Reply, ReplyEdns,
    Section, ZoneVersion, truncate_reply,
};
use meridian_fuzz::judge::{self, Judged, Record};

const SECTIONS: [Section; 3] = [Section::Answer, Section::Authority, Section::Additional];
/// Type, class, TTL and length of data.
const RECORD_HEAD: usize = 10;
const MAX_POINTER: usize = 0x3fff;
const MAX_OPS: usize = 64;
/// Behind the buffer; it must stay as it is.
const GUARD: u8 = 0xee;

#[derive(Arbitrary, Debug)]
struct Input<'a> {
    question: Labels<'a>,
    qtype: u16,
    class: u16,
    buffer: u16,
    limit: u16,
    edns: Option<EdnsInput<'a>>,
    ops: Vec<Op<'a>>,
}

/// The bytes are labels as far as they can be.
#[derive(Arbitrary, Debug, Clone, Copy)]
struct Labels<'a>(&'a [u8]);

#[derive(Arbitrary, Debug)]
struct EdnsInput<'a> {
    udp_payload: u16,
    dnssec_ok: bool,
    subnet: Option<(u16, u8, u8, &'a [u8])>,
    cookie: Option<[u8; 24]>,
    zone_version: Option<(u8, u32)>,
    keepalive: Option<u16>,
    nsid: &'a [u8],
    error: Option<(u16, &'a str)>,
    padded: bool,
}

#[derive(Arbitrary, Debug)]
enum Op<'a> {
    Record {
        later: u8,
        owner: OwnerInput<'a>,
        rtype: u8,
        ttl: u32,
        data: DataInput<'a>,
    },
    /// The same record many times, as in a large set.
    Many(u16, u8),
    Mark,
    Rewind(u8),
    Truncate,
    Fail(u8),
    Reserve(u8),
    Rcode(u8),
    Authoritative,
}

#[derive(Arbitrary, Debug)]
enum OwnerInput<'a> {
    /// One of the places at which a name is known to stand.
    At(u8),
    /// The question name without this many labels.
    Question(u8),
    /// Labels in front of the question name without this many labels.
    Below(Labels<'a>, u8),
    Other(Labels<'a>),
    /// The owner that was written last, as a name.
    Last,
}

#[derive(Arbitrary, Debug)]
enum DataInput<'a> {
    Bytes(&'a [u8]),
    /// A name, which later records may be owned by.
    Name(u8, Labels<'a>),
    Zeros(u16),
}

fuzz_target!(|input: Input<'_>| {
    let name = input.question.name(255);
    let query = Query {
        id: 0x1234,
        opcode: 0,
        recursion_desired: input.qtype & 1 != 0,
        checking_disabled: true,
        question: Question {
            name: &name,
            qtype: input.qtype,
            class: input.class,
        },
        edns: None,
        question_end: HEADER_LEN + name.len() + 4,
    };
    let limit = usize::from(input.limit);
    let size = usize::from(input.buffer);
    let mut buffer = vec![GUARD; size];
    let Ok(reply) = Reply::new(&mut buffer, limit, &query) else {
        assert!(limit.min(size) < query.question_end);
        return;
    };
    let limit = limit.min(size);
    assert!(limit >= query.question_end);
    let mut writer = Writer {
        reply,
        limit,
        reserved: 0,
        class: match query.question.class {
            class::ANY => class::IN,
            class => class,
        },
        question: &name,
        section: Section::Answer,
        names: vec![(HEADER_LEN, name.clone())],
        taken: Vec::new(),
        marks: Vec::new(),
        rcode: 0,
        authoritative: false,
        truncated: false,
    };
    for op in input.ops.iter().take(MAX_OPS) {
        writer.run(op);
    }
    let edns = input.edns.as_ref().map(EdnsInput::edns);
    let (len, expected) = writer.finish(edns.as_ref(), &query);
    assert!(len <= limit);
    assert!(buffer[limit..].iter().all(|byte| *byte == GUARD));
    let judged = judge::read(&buffer[..len]).expect("a message that can be read");
    check_opt(edns.as_ref(), &judged, (len, limit));
    assert_eq!(
        Judged {
            opt: None,
            ..judged.clone()
        },
        expected
    );

    let cut = truncate_reply(&mut buffer, len);
    assert!(cut <= len);
    let after = judge::read(&buffer[..cut]).expect("a message still");
    let expected = Judged {
        flags: judged.flags | 0x0200,
        sections: [const { Vec::new() }; 3],
        ..judged
    };
    assert_eq!(after, expected);
});

/// A reply and what must be in it.
struct Writer<'b, 'q> {
    reply: Reply<'b>,
    limit: usize,
    reserved: usize,
    class: u16,
    question: &'q [u8],
    section: Section,
    /// Where names stand, and which.
    names: Vec<(usize, Vec<u8>)>,
    taken: Vec<(Section, Record)>,
    marks: Vec<(Mark, Section, usize)>,
    rcode: u16,
    authoritative: bool,
    truncated: bool,
}

impl Writer<'_, '_> {
    fn run(&mut self, op: &Op<'_>) {
        match op {
            Op::Record {
                later,
                owner,
                rtype,
                ttl,
                data,
            } => {
                let place = self.section as usize + usize::from(later % 4 == 3);
                let section = SECTIONS[place.min(2)];
                let (data, name) = data.bytes();
                // Types that are written as records: all but OPT.
                let rtype = u16::from(*rtype).max(1) | 0x0100;
                let at = self.reply.position();
                if self.record(section, owner, (rtype, *ttl), &data)
                    && let Some(name) = name
                {
                    self.names.push((self.reply.position() - name.len(), name));
                }
                assert!(self.reply.position() >= at);
            }
            Op::Many(count, size) => {
                let data = vec![0; usize::from(*size)];
                for _ in 0..*count {
                    let fields = (256, 60);
                    if !self.record(self.section, &OwnerInput::Question(0), fields, &data) {
                        break;
                    }
                }
            }
            Op::Mark => {
                let taken = self.taken.len();
                self.marks.push((self.reply.mark(), self.section, taken));
            }
            Op::Rewind(which) => self.rewind(*which),
            Op::Truncate => {
                self.reply.truncate();
                self.truncated = true;
                self.drop_all();
            }
            Op::Fail(rcode) => {
                self.rcode = u16::from(*rcode);
                self.reply.fail(self.rcode);
                (self.truncated, self.authoritative) = (false, false);
                self.drop_all();
            }
            Op::Reserve(len) => {
                self.reserved = usize::from(*len);
                self.reply.reserve(self.reserved);
            }
            Op::Rcode(rcode) => {
                self.rcode = u16::from(*rcode);
                self.reply.rcode(self.rcode);
            }
            Op::Authoritative => {
                self.authoritative = true;
                self.reply.authoritative();
            }
        }
        let room = (self.limit - self.reply.position()).saturating_sub(self.reserved);
        assert_eq!(self.reply.room(), room);
        for section in SECTIONS {
            let count = self.taken.iter().filter(|(s, _)| *s == section).count();
            assert_eq!(usize::from(self.reply.count(section)), count);
        }
    }

    /// Whether it was taken. What is refused must have been too long, and leaves no trace.
    fn record(
        &mut self,
        section: Section,
        owner: &OwnerInput<'_>,
        (rtype, ttl): (u16, u32),
        data: &[u8],
    ) -> bool {
        let (at, room) = (self.reply.position(), self.reply.room());
        let (written, name) = self.owner(owner);
        let owner = match &written {
            Place::At(at) => Owner::At(u16::try_from(*at).expect("in the message")),
            Place::Question(at) => Owner::QuestionAt(*at),
            Place::Name => Owner::Name(&name),
        };
        let beyond = matches!(written, Place::At(at) if at > MAX_POINTER);
        let full = self.reply.count(section) == u16::MAX;
        let parts = data.split_at(data.len() / 3);
        let fields = (rtype, ttl);
        let taken =
            self.reply
                .record_of_parts(section, owner, fields.0, fields.1, &[parts.0, parts.1]);
        if taken.is_err() {
            assert_eq!((self.reply.position(), self.reply.room()), (at, room));
            let longest = if matches!(written, Place::Name) {
                name.len()
            } else {
                2
            };
            assert!(beyond || full || longest + RECORD_HEAD + data.len() > room);
            return false;
        }
        assert!(!beyond);
        self.section = section;
        let mut owner = name.clone();
        owner.make_ascii_lowercase();
        let class = self.class;
        let data = data.to_vec();
        self.taken.push((
            section,
            Record {
                owner,
                rtype,
                class,
                ttl,
                data,
            },
        ));
        if self.names.len() < 256 {
            self.names.push((at, name));
        }
        true
    }

    fn owner(&self, owner: &OwnerInput<'_>) -> (Place, Vec<u8>) {
        match owner {
            OwnerInput::At(which) => {
                let (at, name) = &self.names[usize::from(*which) % self.names.len()];
                (Place::At(*at), name.clone())
            }
            OwnerInput::Question(skipped) => {
                let at = self.suffix(*skipped);
                let place = u8::try_from(at).expect("a name has 255 bytes at most");
                (Place::Question(place), self.question[at..].to_vec())
            }
            OwnerInput::Below(labels, skipped) => {
                let suffix = &self.question[self.suffix(*skipped)..];
                let mut name = labels.name(256 - suffix.len());
                name.pop();
                (Place::Name, [&name, suffix].concat())
            }
            OwnerInput::Other(labels) => (Place::Name, labels.name(255)),
            OwnerInput::Last => {
                let last = self.names.last().expect("that of the question at least");
                (Place::Name, last.1.clone())
            }
        }
    }

    /// Where the question name goes on behind this many labels.
    fn suffix(&self, skipped: u8) -> usize {
        let mut at = 0;
        for _ in 0..skipped % 8 {
            match self.question[at] {
                0 => break,
                len => at += usize::from(len) + 1,
            }
        }
        at
    }

    fn rewind(&mut self, which: u8) {
        if self.marks.is_empty() {
            return;
        }
        let (mark, section, taken) = self.marks[usize::from(which) % self.marks.len()];
        let before = self.reply.position();
        self.reply.rewind(mark);
        // A mark of what was dropped before is without effect.
        if taken > self.taken.len() {
            assert_eq!(self.reply.position(), before);
            return;
        }
        self.section = section;
        self.taken.truncate(taken);
        self.forget();
    }

    fn drop_all(&mut self) {
        self.taken.clear();
        self.marks.clear();
        self.section = Section::Answer;
        self.forget();
    }

    /// What stood behind the end is no name any more.
    fn forget(&mut self) {
        let end = self.reply.position();
        self.names.retain(|(at, _)| *at < end);
        self.marks
            .retain(|(_, _, taken)| *taken <= self.taken.len());
    }

    /// The length of the message, and what it must be but for the OPT record.
    fn finish(mut self, edns: Option<&ReplyEdns<'_>>, query: &Query<'_>) -> (usize, Judged) {
        let full = self.reply.count(Section::Additional) == u16::MAX;
        if edns.is_some() && (self.limit - self.reply.position() < 11 || full) {
            self.taken.clear();
            self.truncated = true;
        }
        let mut flags = 0x8000 | self.rcode & 0xf;
        for (bit, set) in [
            (0x0400, self.authoritative),
            (0x0200, self.truncated),
            (0x0100, query.recursion_desired),
        ] {
            flags |= if set { bit } else { 0 };
        }
        let name = query.question.name.to_ascii_lowercase();
        let mut expected = Judged {
            id: query.id,
            flags,
            questions: vec![(name, query.question.qtype, query.question.class)],
            sections: [const { Vec::new() }; 3],
            opt: None,
        };
        for (section, record) in self.taken {
            expected.sections[section as usize].push(record);
        }
        (self.reply.finish(edns), expected)
    }
}

enum Place {
    At(usize),
    Question(u8),
    Name,
}

impl Labels<'_> {
    /// A name of at most this many bytes.
    fn name(self, max: usize) -> Vec<u8> {
        let (mut name, mut rest) = (Vec::new(), self.0);
        while let Some((&len, after)) = rest.split_first() {
            let len = usize::from(len % 64).clamp(1, 63).min(after.len());
            if len == 0 || name.len() + len + 2 > max {
                break;
            }
            let (label, after) = after.split_at(len);
            name.push(u8::try_from(len).expect("63 at most"));
            name.extend(label);
            rest = after;
        }
        name.push(0);
        name
    }
}

impl DataInput<'_> {
    /// The data, and the name at its end if there is one.
    fn bytes(&self) -> (Vec<u8>, Option<Vec<u8>>) {
        match self {
            DataInput::Bytes(bytes) => (bytes.to_vec(), None),
            DataInput::Zeros(len) => (vec![0; usize::from(*len)], None),
            DataInput::Name(before, labels) => {
                let name = labels.name(255);
                let zeros = vec![0; usize::from(before % 8)];
                ([zeros, name.clone()].concat(), Some(name))
            }
        }
    }
}

impl EdnsInput<'_> {
    fn edns(&self) -> ReplyEdns<'_> {
        let subnet = |(family, source, scope, address)| ClientSubnet {
            family,
            source,
            scope,
            address,
        };
        ReplyEdns {
            udp_payload: self.udp_payload,
            dnssec_ok: self.dnssec_ok,
            client_subnet: self.subnet.map(subnet),
            cookie: self.cookie,
            zone_version: self
                .zone_version
                .map(|(labels, serial)| ZoneVersion { labels, serial }),
            keepalive: self.keepalive,
            nsid: self.nsid,
            extended_error: self.error.map(|(code, text)| ExtendedError { code, text }),
            padded: self.padded,
        }
    }
}

/// Options may be missing, but only where the message has no room for them.
fn check_opt(edns: Option<&ReplyEdns<'_>>, judged: &Judged, (len, limit): (usize, usize)) {
    let Some(edns) = edns else {
        assert_eq!(judged.opt, None);
        return;
    };
    let Some(opt) = &judged.opt else {
        // The question alone leaves no room.
        assert!(judged.sections.iter().all(Vec::is_empty) && limit - len < 11);
        return;
    };
    assert_eq!(opt.udp_payload, edns.udp_payload);
    assert_eq!(opt.version, 0);
    assert_eq!(opt.dnssec_ok, edns.dnssec_ok);
    let wanted = [
        (8, edns.client_subnet.is_some()),
        (10, edns.cookie.is_some()),
        (19, edns.zone_version.is_some()),
        (11, edns.keepalive.is_some()),
        (3, !edns.nsid.is_empty()),
        (15, edns.extended_error.is_some()),
        (12, edns.padded),
    ];
    let codes: Vec<u16> = opt.options.iter().map(|(code, _)| *code).collect();
    let wanted = wanted.into_iter().filter(|(_, set)| *set);
    let wanted: Vec<u16> = wanted.map(|(code, _)| code).collect();
    let mut left = wanted.iter();
    assert!(codes.iter().all(|code| left.any(|wanted| wanted == code)));
    if codes.len() < wanted.len() {
        assert!(edns.wire_len() + 4 > limit - (len - opt_len(opt)));
    } else if edns.padded {
        assert!(len % 468 == 0 || len == limit);
    }
}

fn opt_len(opt: &judge::Opt) -> usize {
    11 + opt
        .options
        .iter()
        .map(|(_, data)| 4 + data.len())
        .sum::<usize>()
}
