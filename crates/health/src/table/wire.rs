//! A table as bytes. Numbers are unsigned, most significant byte first.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 4 | `MHCT` |
//! | 4 | 2 | the version of the format: 1 |
//! | 6 | 1 | 0 |
//! | 7 | 1 | n, how many bytes the checker's name has: 1 to 63 |
//! | 8 | 8 | the table's counter |
//! | 16 | 8 | the last journal entry from which the checker knew the checks |
//! | 24 | 4 | how late the checker's own loop ran, in milliseconds |
//! | 28 | 4 | w, how many words of 64 places follow: 0 to 16384 |
//! | 32 | 64 | the name: n small letters, digits and hyphens, then zero bytes |
//! | 96 | 24 w | the words, from that of the lowest places |
//! | 96 + 24 w | 64 | the Ed25519 signature over all bytes before it |
//!
//! A word is for the places 64 i to 64 i + 63:
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 8 | the sum of its occupants, as [`Layout`](crate::Layout) has it |
//! | 8 | 8 | the plane *up*: bit b, of value 2^b, is for the place 64 i + b |
//! | 16 | 8 | the plane *down* |
//!
//! A place's two bits, up and down: 00 nothing, 10 up, 01 down, 11 withheld. Places without a check
//! are 00. The size follows from the highest place alone; nothing may come before, between or after.
//! Another format has another version, and is refused by those that do not know it.

use std::time::Duration;

use meridian_model::Seq;

use super::{Issue, Planes};
use crate::bits::{MAX_SLOTS, PLACES};
use crate::key::{CheckerKey, PublicKey, SIGNATURE_BYTES};
use crate::register::CheckerName;

/// The version of the format that is written, and the only one that is read.
pub const FORMAT_VERSION: u16 = 1;

const MAGIC: [u8; 4] = *b"MHCT";
const NAME_BYTES: usize = 64;
const HEADER_BYTES: usize = 32 + NAME_BYTES;
const LINE_BYTES: usize = 24;
const MAX_LINES: usize = (MAX_SLOTS / PLACES) as usize;

/// The most bytes that a table has; more need not be received.
pub const MAX_TABLE_BYTES: usize = HEADER_BYTES + MAX_LINES * LINE_BYTES + SIGNATURE_BYTES;

/// What is said of 64 places, and of whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) sum: u64,
    pub(crate) planes: Planes,
}

/// A table that was received and is its sender's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// What came with the votes.
    pub issue: Issue,
    pub(crate) lines: Vec<Line>,
}

/// What is known of a sender before its table is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// What it signs with.
    pub key: PublicKey,
    /// The counter of its last table, if one is known.
    pub counter: Option<u64>,
}

/// Why a table is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is no table, is cut off, or something stands behind it.
    #[error("these bytes are no table of votes: {0}")]
    Damaged(&'static str),
    /// Another version of the format.
    #[error("the table has version {0} of the format, and {FORMAT_VERSION} is known")]
    UnknownVersion(u16),
    /// More than there can be.
    #[error("the table has {0} bytes, and {MAX_TABLE_BYTES} are the most")]
    TooLarge(usize),
    /// Nobody of this name may vote.
    #[error("no checker {0} is registered")]
    NotRegistered(String),
    /// It has been sent before, or was overtaken.
    #[error("the table of {checker} has counter {counter}, and {last} was there before")]
    Old {
        /// Whose it is.
        checker: String,
        /// Its counter.
        counter: u64,
        /// That of the last table.
        last: u64,
    },
    /// The registered key did not sign this.
    #[error("the table in the name of {0} is not signed with its key")]
    NotSigned(String),
}

pub(super) fn seal(
    issue: &Issue,
    lines: impl ExactSizeIterator<Item = Line>,
    key: &CheckerKey,
) -> Vec<u8> {
    let name = issue.checker.as_str().as_bytes();
    let size = HEADER_BYTES + lines.len() * LINE_BYTES + SIGNATURE_BYTES;
    let mut bytes = Vec::with_capacity(size);
    bytes.extend(MAGIC);
    bytes.extend(FORMAT_VERSION.to_be_bytes());
    // Names have 63 bytes at most, and places end before a million.
    bytes.extend([0, u8::try_from(name.len()).unwrap_or(0)]);
    bytes.extend(issue.counter.to_be_bytes());
    bytes.extend(issue.known_through.0.to_be_bytes());
    let lateness = u32::try_from(issue.lateness.as_millis()).unwrap_or(u32::MAX);
    bytes.extend(lateness.to_be_bytes());
    bytes.extend(u32::try_from(lines.len()).unwrap_or(0).to_be_bytes());
    bytes.extend(name);
    bytes.resize(HEADER_BYTES, 0);
    for line in lines {
        bytes.extend(line.sum.to_be_bytes());
        bytes.extend(line.planes.up.to_be_bytes());
        bytes.extend(line.planes.down.to_be_bytes());
    }
    let signature = key.sign(&bytes);
    bytes.extend(signature.as_ref());
    bytes
}

impl Received {
    /// Reads a table and makes sure that it is its sender's, and a new one. `known` is asked once
    /// for the sender by the name that stands in the table.
    ///
    /// # Errors
    /// It is none that is to be counted.
    pub fn open(
        bytes: &[u8],
        known: impl FnOnce(&CheckerName) -> Option<Known>,
    ) -> Result<Self, Refused> {
        if bytes.len() > MAX_TABLE_BYTES {
            return Err(Refused::TooLarge(bytes.len()));
        }
        let cut_off = Refused::Damaged("it is cut off");
        let signed = bytes.len().checked_sub(SIGNATURE_BYTES);
        let (message, signature) = signed
            .and_then(|signed| bytes.split_at_checked(signed))
            .ok_or_else(|| cut_off.clone())?;
        let mut reader = Reader(message);
        let header = Header::read(&mut reader)?;
        if reader.0.len() != header.lines * LINE_BYTES {
            return Err(Refused::Damaged("its length is not what it says"));
        }
        let checker = header.issue.checker.as_str();
        let sender = known(&header.issue.checker);
        let sender = sender.ok_or_else(|| Refused::NotRegistered(checker.to_owned()))?;
        let counter = header.issue.counter;
        if let Some(last) = sender.counter.filter(|last| counter <= *last) {
            let checker = checker.to_owned();
            return Err(Refused::Old {
                checker,
                counter,
                last,
            });
        }
        if !sender.key.verifies(message, signature) {
            return Err(Refused::NotSigned(checker.to_owned()));
        }
        let mut lines = Vec::with_capacity(header.lines);
        while let Ok(line) = reader.line() {
            lines.push(line);
        }
        Ok(Self {
            issue: header.issue,
            lines,
        })
    }
}

struct Header {
    issue: Issue,
    lines: usize,
}

impl Header {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Refused> {
        if reader.take()? != MAGIC {
            return Err(Refused::Damaged("it does not begin like one"));
        }
        let version = u16::from_be_bytes(reader.take()?);
        if version != FORMAT_VERSION {
            return Err(Refused::UnknownVersion(version));
        }
        let [zero, name_bytes] = reader.take()?;
        if zero != 0 {
            return Err(Refused::Damaged("a byte is not zero that has to be"));
        }
        let counter = u64::from_be_bytes(reader.take()?);
        let known_through = Seq(u64::from_be_bytes(reader.take()?));
        let lateness = u32::from_be_bytes(reader.take()?);
        let lines = u32::from_be_bytes(reader.take()?);
        let lines = usize::try_from(lines).unwrap_or(usize::MAX);
        if lines > MAX_LINES {
            return Err(Refused::Damaged("it has more places than there are"));
        }
        let field: [u8; NAME_BYTES] = reader.take()?;
        let issue = Issue {
            checker: name(&field, name_bytes)?,
            counter,
            known_through,
            lateness: Duration::from_millis(lateness.into()),
        };
        Ok(Self { issue, lines })
    }
}

fn name(field: &[u8; NAME_BYTES], len: u8) -> Result<CheckerName, Refused> {
    let wrong = || Refused::Damaged("its sender's name is none");
    let (name, rest) = field.split_at_checked(len.into()).ok_or_else(wrong)?;
    if rest.iter().any(|byte| *byte != 0) {
        return Err(wrong());
    }
    let name = std::str::from_utf8(name).map_err(|_| wrong())?;
    CheckerName::new(name).map_err(|_| wrong())
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Refused> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .ok_or(Refused::Damaged("it is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn line(&mut self) -> Result<Line, Refused> {
        Ok(Line {
            sum: u64::from_be_bytes(self.take()?),
            planes: Planes {
                up: u64::from_be_bytes(self.take()?),
                down: u64::from_be_bytes(self.take()?),
            },
        })
    }
}
