//! Reading a reply of our own back into records with texts. What cannot be read is left out: only
//! `reply` writes what is read here.

use meridian_dns::message::codes::option;
use meridian_dns::{Name, RecordType, rdata};

/// One record of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stands.
    pub section: Section,
    /// Its owner.
    pub name: Name,
    /// Its type, by its number.
    pub rtype: u16,
    /// Seconds.
    pub ttl: u32,
    /// Its data as Route 53 writes values; for types that are not stored, as RFC 3597 does.
    pub data: String,
}

/// A section of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names")]
pub enum Section {
    Answer,
    Authority,
    Additional,
}

/// What a reply says.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) records: Vec<Record>,
    /// Of the client subnet option; 0 where there is none.
    pub(super) scope: u8,
    /// Code and text.
    pub(super) extended_error: Option<(u16, String)>,
}

/// OPT, which is no record.
const OPT: u16 = 41;

pub(super) fn read(reply: &[u8]) -> Read {
    let mut read = Read::default();
    let _ = read_into(reply, &mut read);
    read
}

fn read_into(reply: &[u8], read: &mut Read) -> Option<()> {
    let count = |place: usize| number(reply, place).map(usize::from);
    let (_, mut at) = match count(4)? {
        0 => (Name::root(), 12),
        _ => name(reply, 12).map(|(name, at)| (name, at + 4))?,
    };
    let sections = [Section::Answer, Section::Authority, Section::Additional];
    for (section, counted) in sections.into_iter().zip([6, 8, 10]) {
        for _ in 0..count(counted)? {
            let (owner, head) = name(reply, at)?;
            let (rtype, len) = (number(reply, head)?, count(head + 8)?);
            let ttl = [number(reply, head + 4)?, number(reply, head + 6)?];
            let (start, end) = (head + 10, head + 10 + len);
            let data = reply.get(start..end)?;
            at = end;
            if rtype == OPT {
                let scope = option_of(data, option::CLIENT_SUBNET);
                read.scope = scope.and_then(|data| data.get(3).copied()).unwrap_or(0);
                let error = option_of(data, option::EXTENDED_ERROR);
                let error = error.and_then(<[u8]>::split_first_chunk::<2>);
                read.extended_error = error.map(|(code, text)| {
                    let text = String::from_utf8_lossy(text).into_owned();
                    (u16::from_be_bytes(*code), text)
                });
                continue;
            }
            read.records.push(Record {
                section,
                name: owner,
                rtype,
                ttl: u32::from(ttl[0]) << 16 | u32::from(ttl[1]),
                data: text(reply, rtype, start, data),
            });
        }
    }
    Some(())
}

fn text(reply: &[u8], rtype: u16, start: usize, data: &[u8]) -> String {
    let stored = RecordType::from_code(rtype);
    let text = stored.and_then(|rtype| match rtype {
        // The only names that replies have compressed.
        RecordType::Ns => name(reply, start).map(|(name, _)| name.to_string()),
        rtype => rdata::text(rtype, data).ok(),
    });
    text.unwrap_or_else(|| {
        let hex: Vec<String> = data.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("\\# {} {}", data.len(), hex.concat())
    })
}

/// The data of an option.
fn option_of(options: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = options;
    // Each turn takes four bytes at least.
    while let Some(([c0, c1, l0, l1], data)) = rest.split_first_chunk::<4>() {
        let (data, more) = data.split_at_checked(u16::from_be_bytes([*l0, *l1]).into())?;
        if u16::from_be_bytes([*c0, *c1]) == wanted {
            return Some(data);
        }
        rest = more;
    }
    None
}

fn number(reply: &[u8], at: usize) -> Option<u16> {
    let bytes = reply.get(at..)?.first_chunk()?;
    Some(u16::from_be_bytes(*bytes))
}

/// The name that starts here, and what follows it there.
fn name(reply: &[u8], at: usize) -> Option<(Name, usize)> {
    let (mut wire, mut from, mut after) = (Vec::new(), at, None);
    // Each turn takes a label or follows a pointer backwards; a name has at most 127 labels.
    for _ in 0..256 {
        match *reply.get(from)? {
            0 => {
                wire.push(0);
                let end = after.unwrap_or(from + 1);
                return Some((Name::from_wire(&wire).ok()?, end));
            }
            len if len < 0x40 => {
                let end = from + 1 + usize::from(len);
                wire.extend_from_slice(reply.get(from..end)?);
                from = end;
            }
            _ => {
                after = after.or(Some(from + 2));
                from = usize::from(number(reply, from)? & 0x3fff);
            }
        }
    }
    None
}
