//! The form of a backup: sixteen bytes that say what it is, then frames.
//!
//! A frame is `kind u8 · length u32 · payload · check`, numbers big-endian. The check is the
//! SHA-256 over the check before, kind, length and payload: whatever is changed, moved, left out or
//! cut off shows at that place.

use std::io::{self, ErrorKind, Read, Write};

use meridian_model::Seq;
use prost::Message;
use ring::digest::{Context, SHA256};

use super::{BEGINNING, BackupError, first_check};
use crate::format::Hash;

/// The longest payload: a page of entries, with room to spare.
pub(super) const MAX_PAYLOAD: usize = 8 * 1024 * 1024;

/// What a frame holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    Opening = 1,
    Secrets = 2,
    Entries = 3,
    Closing = 4,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [Self::Opening, Self::Secrets, Self::Entries, Self::Closing]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct OpeningMessage {
    #[prost(uint32, tag = "1")]
    pub(super) format: u32,
    #[prost(int64, tag = "2")]
    pub(super) time: i64,
    #[prost(string, tag = "3")]
    pub(super) version: String,
    #[prost(uint32, tag = "4")]
    pub(super) epoch: u32,
    #[prost(uint64, tag = "5")]
    pub(super) seq: u64,
    #[prost(bytes = "vec", tag = "6")]
    pub(super) hash: Vec<u8>,
    #[prost(uint32, tag = "7")]
    pub(super) level: u32,
    #[prost(bytes = "vec", tag = "8")]
    pub(super) digest: Vec<u8>,
    #[prost(bytes = "vec", tag = "9")]
    pub(super) key_id: Vec<u8>,
    /// The key itself, when the operator asked for it.
    #[prost(bytes = "vec", optional, tag = "10")]
    pub(super) key: Option<Vec<u8>>,
    /// The vault's row by which a key is known to be the right one.
    #[prost(bytes = "vec", tag = "11")]
    pub(super) key_check: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SecretsMessage {
    #[prost(message, repeated, tag = "1")]
    pub(super) rows: Vec<SecretMessage>,
}

/// A row of the vault, sealed as it lies there.
#[derive(Clone, PartialEq, Message)]
pub(super) struct SecretMessage {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) sealed: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct EntriesMessage {
    /// Entries as they are stored.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(super) entries: Vec<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct ClosingMessage {
    #[prost(uint64, tag = "1")]
    pub(super) entries: u64,
    #[prost(uint64, tag = "2")]
    pub(super) secrets: u64,
}

/// Writes frames.
pub(super) struct FrameWriter<W> {
    out: W,
    check: Hash,
    pub(super) bytes: u64,
}

impl<W: Write> FrameWriter<W> {
    pub(super) fn begin(mut out: W) -> io::Result<Self> {
        out.write_all(BEGINNING)?;
        Ok(Self {
            out,
            check: first_check(),
            bytes: BEGINNING.len() as u64,
        })
    }

    pub(super) fn write(&mut self, kind: Kind, message: &impl Message) -> io::Result<()> {
        let payload = message.encode_to_vec();
        let length = u32::try_from(payload.len()).ok();
        let length = length.filter(|length| *length as usize <= MAX_PAYLOAD);
        let length = length.ok_or_else(|| io::Error::from(ErrorKind::FileTooLarge))?;
        let head = head(kind as u8, length);
        self.check = next_check(&self.check, &head, &payload);
        self.out.write_all(&head)?;
        self.out.write_all(&payload)?;
        self.out.write_all(&self.check.0)?;
        self.bytes += (head.len() + payload.len() + self.check.0.len()) as u64;
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.out.flush()?;
        Ok(self.bytes)
    }
}

/// Reads frames.
pub(super) struct FrameReader<R> {
    input: R,
    check: Hash,
    /// Where the next frame begins.
    pub(super) offset: u64,
    /// The last entry that was read, for messages.
    pub(super) after: Seq,
}

impl<R: Read> FrameReader<R> {
    pub(super) fn begin(mut input: R) -> Result<Self, BackupError> {
        let mut beginning = [0; BEGINNING.len()];
        match input.read_exact(&mut beginning) {
            Ok(()) if beginning == *BEGINNING => {}
            Err(error) if error.kind() != ErrorKind::UnexpectedEof => {
                return Err(BackupError::File(error));
            }
            _ => return Err(BackupError::NoBackup),
        }
        Ok(Self {
            input,
            check: first_check(),
            offset: BEGINNING.len() as u64,
            after: Seq(0),
        })
    }

    /// The next frame. There is one until the closing one was read.
    pub(super) fn read(&mut self) -> Result<(Kind, Vec<u8>), BackupError> {
        let mut head = [0; 5];
        self.fill(&mut head)?;
        let [kind, length @ ..] = head;
        let length = u32::from_be_bytes(length) as usize;
        if length > MAX_PAYLOAD {
            return Err(self.damaged("a length is not one that is written"));
        }
        let mut payload = vec![0; length];
        self.fill(&mut payload)?;
        let mut check = [0; 32];
        self.fill(&mut check)?;
        let expected = next_check(&self.check, &head, &payload);
        if expected != Hash(check) {
            return Err(self.damaged("a checksum does not fit"));
        }
        let Some(kind) = Kind::of(kind) else {
            return Err(self.damaged("a part is of an unknown kind"));
        };
        self.check = expected;
        self.offset += (head.len() + payload.len() + check.len()) as u64;
        Ok((kind, payload))
    }

    /// What the payload says.
    pub(super) fn decode<M: Message + Default>(&self, payload: &[u8]) -> Result<M, BackupError> {
        M::decode(payload).map_err(|_| self.damaged("a part cannot be read"))
    }

    /// Whether the file ends here, as it must.
    pub(super) fn end(&mut self) -> Result<(), BackupError> {
        match self.input.read(&mut [0]) {
            Ok(0) => Ok(()),
            Ok(_) => Err(self.damaged("there is more behind the end")),
            Err(error) => Err(BackupError::File(error)),
        }
    }

    pub(super) fn damaged(&self, what: &'static str) -> BackupError {
        BackupError::Damaged {
            what,
            offset: self.offset,
            after: self.after,
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        self.input.read_exact(bytes).map_err(|error| {
            if error.kind() == ErrorKind::UnexpectedEof {
                let (offset, after) = (self.offset, self.after);
                BackupError::CutOff { offset, after }
            } else {
                BackupError::File(error)
            }
        })
    }
}

fn head(kind: u8, length: u32) -> [u8; 5] {
    let [a, b, c, d] = length.to_be_bytes();
    [kind, a, b, c, d]
}

fn next_check(before: &Hash, head: &[u8], payload: &[u8]) -> Hash {
    let mut context = Context::new(&SHA256);
    context.update(&before.0);
    context.update(head);
    context.update(payload);
    let digest = context.finish();
    Hash(digest.as_ref().try_into().expect("SHA-256 has 32 bytes"))
}
