//! Messages as crate `domain` reads them: what is written here must be sound to somebody else.

use std::ops::Range;

use domain::base::opt::UnknownOptData;
use domain::base::rdata::UnknownRecordData;
use domain::base::{Message, ToName};

const OPT: u16 = 41;

/// A message taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The sender's id of the query.
    pub id: u16,
    /// The second word of the header.
    pub flags: u16,
    /// Names in lower case and uncompressed, with type and class.
    pub questions: Vec<(Vec<u8>, u16, u16)>,
    /// Answer, authority, additional, without the OPT record at the root.
    pub sections: [Vec<Record>; 3],
    /// The OPT record.
    pub opt: Option<Opt>,
}

/// One record, its data as it stands in the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// In lower case and uncompressed.
    pub owner: Vec<u8>,
    /// The number of the type.
    pub rtype: u16,
    /// The class.
    pub class: u16,
    /// Seconds.
    pub ttl: u32,
    /// The data.
    pub data: Vec<u8>,
}

/// An OPT record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opt {
    /// The payload size.
    pub udp_payload: u16,
    /// High bits of the response code.
    pub rcode_high: u8,
    /// The version.
    pub version: u8,
    /// The DO bit.
    pub dnssec_ok: bool,
    /// Codes and data.
    pub options: Vec<(u16, Vec<u8>)>,
}

impl Judged {
    /// The response code with its high bits.
    pub fn rcode(&self) -> u16 {
        let high = self.opt.as_ref().map_or(0, |opt| opt.rcode_high);
        self.flags & 0xf | u16::from(high) << 4
    }

    /// Whether the TC bit is set.
    pub fn is_truncated(&self) -> bool {
        self.flags & 0x0200 != 0
    }
}

/// Reads all of a message; none where `domain` finds it malformed, or where bytes are left over.
pub fn read(bytes: &[u8]) -> Option<Judged> {
    let message = Message::from_octets(bytes).ok()?;
    let flags = u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]);
    let mut question = message.question();
    let mut questions = Vec::new();
    for asked in &mut question {
        let asked = asked.ok()?;
        let (qtype, class) = (asked.qtype().to_int(), asked.qclass().to_int());
        questions.push((lower(asked.qname()), qtype, class));
    }
    let mut judged = Judged {
        id: message.header().id(),
        flags,
        questions,
        sections: [const { Vec::new() }; 3],
        opt: None,
    };
    let mut section = Some(question.answer().ok()?);
    let mut end = 0;
    for place in 0..3 {
        let mut records = section?;
        for record in &mut records {
            judged.add(place, &record.ok()?)?;
        }
        end = records.pos();
        section = records.next_section().ok()?;
    }
    (end == bytes.len()).then_some(judged)
}

impl Judged {
    fn add(&mut self, place: usize, record: &domain::base::ParsedRecord<'_, &[u8]>) -> Option<()> {
        let (class, ttl) = (record.class().to_int(), record.ttl().as_secs());
        let known = record.to_record::<UnknownRecordData<_>>().ok()??;
        let data = known.data().data().to_vec();
        let rtype = record.rtype().to_int();
        let owner = lower(&record.owner());
        if rtype != OPT || owner != [0] {
            self.sections.get_mut(place)?.push(Record {
                owner,
                rtype,
                class,
                ttl,
                data,
            });
            return Some(());
        }
        let [rcode_high, version, flags, _] = ttl.to_be_bytes();
        let options = domain::base::opt::Opt::from_octets(data.as_slice()).ok()?;
        let options = options.iter::<UnknownOptData<_>>().map(|option| {
            let option = option.ok()?;
            Some((option.code().to_int(), option.data().to_vec()))
        });
        let opt = Opt {
            udp_payload: class,
            rcode_high,
            version,
            dnssec_ok: flags & 0x80 != 0,
            options: options.collect::<Option<_>>()?,
        };
        // Where it stands and how many there are is for whoever sent it to get right.
        (place == 2 && self.opt.replace(opt).is_none()).then_some(())
    }
}

fn lower(name: &impl ToName) -> Vec<u8> {
    let mut wire = name.to_name::<Vec<u8>>().into_octets();
    wire.make_ascii_lowercase();
    wire
}

/// Whether `part` is a part of `whole`, not a copy of one.
pub fn is_inside(part: &[u8], whole: &[u8]) -> bool {
    let (Range { start, end }, whole) = (part.as_ptr_range(), whole.as_ptr_range());
    part.is_empty() || whole.start <= start && end <= whole.end
}
