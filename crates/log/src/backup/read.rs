//! Reading a backup and checking all of it: the checksums, the chain, and where it leads.

use std::io::Read;
use std::path::Path;

use meridian_model::{Seq, Timestamp};

use super::frame::{
    ClosingMessage, EntriesMessage, FrameReader, Kind, OpeningMessage, SecretMessage,
    SecretsMessage,
};
use super::write::FORMAT;
use super::{BackupError, BackupProgress, Opening, go_on};
use crate::format::{Entry, Hash};
use crate::journal::Head;
use crate::tables::{Digest, Durability, Options, Tables};
use crate::vault::{KeyId, Secret};
use crate::verify::Walk;

/// Memory for the pages of the tables that a backup is replayed into.
pub(super) const TABLES: Options = Options {
    cache_bytes: 64 * 1024 * 1024,
    durability: Durability::Batched,
};

/// A backup that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// What it says of itself.
    pub opening: Opening,
    /// Entries in it.
    pub entries: u64,
    /// Rows of the vault in it.
    pub secrets: u64,
}

/// What takes the parts of a backup, once each is known to be as it was written.
pub(super) trait Taker {
    /// Rows of the vault.
    fn secrets(&mut self, rows: Vec<SecretMessage>) -> Result<(), BackupError>;
    /// Entries that continue the chain, with their bytes.
    fn entries(&mut self, entries: &[Entry], bytes: Vec<Vec<u8>>) -> Result<(), BackupError>;
}

/// What is in front of a backup: what it says, and what only a restore needs of it.
pub(super) struct Front {
    pub(super) opening: Opening,
    pub(super) key: Option<Secret>,
    pub(super) key_check: Vec<u8>,
}

/// A backup that is being read.
pub(super) struct Reader<R> {
    frames: FrameReader<R>,
    pub(super) front: Front,
}

/// Checks a backup. The entries are replayed into tables in `scratch`, an empty directory that is
/// the caller's to remove.
///
/// # Errors
/// [`BackupError`] says what is wrong, and where.
pub fn check_backup(
    input: impl Read,
    scratch: &Path,
    progress: BackupProgress<'_>,
) -> Result<Checked, BackupError> {
    struct Replay(Tables);
    impl Taker for Replay {
        fn secrets(&mut self, _: Vec<SecretMessage>) -> Result<(), BackupError> {
            Ok(())
        }

        fn entries(&mut self, entries: &[Entry], _: Vec<Vec<u8>>) -> Result<(), BackupError> {
            self.0.apply(entries)?;
            Ok(())
        }
    }
    let reader = Reader::begin(input)?;
    let mut replay = Replay(Tables::open(&scratch.join("tables.redb"), TABLES)?);
    let (checked, _) = reader.read_all(&mut replay, progress)?;
    compare(&replay.0, &checked.opening)?;
    Ok(checked)
}

/// Whether the tables are what was backed up.
pub(super) fn compare(tables: &Tables, opening: &Opening) -> Result<(), BackupError> {
    let (expected, actual) = (opening.digest, tables.read()?.digest());
    if expected != actual {
        return Err(BackupError::Digest { expected, actual });
    }
    Ok(())
}

impl<R: Read> Reader<R> {
    pub(super) fn begin(input: R) -> Result<Self, BackupError> {
        let mut frames = FrameReader::begin(input)?;
        let (kind, payload) = frames.read()?;
        if kind != Kind::Opening {
            return Err(frames.damaged("it does not begin with what it is"));
        }
        let message: OpeningMessage = frames.decode(&payload)?;
        if message.format != FORMAT {
            return Err(BackupError::Format {
                found: message.format,
                known: FORMAT,
            });
        }
        let front = front(message).ok_or_else(|| frames.damaged("what it is cannot be read"))?;
        Ok(Self { frames, front })
    }

    /// Reads to the end. The chain must be whole, and end where the front says.
    pub(super) fn read_all(
        mut self,
        taker: &mut dyn Taker,
        progress: BackupProgress<'_>,
    ) -> Result<(Checked, Timestamp), BackupError> {
        let mut walk = Walk::start();
        let mut secrets = 0;
        // Ends with the closing frame or with the file.
        loop {
            let (kind, payload) = self.frames.read()?;
            match kind {
                Kind::Opening => return Err(self.frames.damaged("it begins twice")),
                Kind::Secrets => {
                    let rows = self.frames.decode::<SecretsMessage>(&payload)?.rows;
                    secrets += rows.len() as u64;
                    taker.secrets(rows)?;
                }
                Kind::Entries => {
                    let bytes = self.frames.decode::<EntriesMessage>(&payload)?.entries;
                    let entries = self.entries(&mut walk, &bytes)?;
                    taker.entries(&entries, bytes)?;
                    self.frames.after = walk.last().seq;
                    go_on(progress, walk.last().seq)?;
                }
                Kind::Closing => {
                    let closing: ClosingMessage = self.frames.decode(&payload)?;
                    let entries = walk.last().seq.0;
                    if (closing.entries, closing.secrets) != (entries, secrets) {
                        return Err(self.frames.damaged("the counts at the end do not fit"));
                    }
                    break;
                }
            }
        }
        self.frames.end()?;
        let opening = self.front.opening;
        walk.ends_at(opening.head).map_err(BackupError::Chain)?;
        let entries = opening.head.seq.0;
        let checked = Checked {
            opening,
            entries,
            secrets,
        };
        Ok((checked, walk.time()))
    }

    fn entries(&self, walk: &mut Walk, bytes: &[Vec<u8>]) -> Result<Vec<Entry>, BackupError> {
        let mut entries = Vec::with_capacity(bytes.len());
        for bytes in bytes {
            let after = walk.last().seq;
            let entry =
                Entry::decode(bytes).map_err(|cause| BackupError::Entry { after, cause })?;
            walk.check(&entry).map_err(BackupError::Chain)?;
            entries.push(entry);
        }
        Ok(entries)
    }
}

fn front(message: OpeningMessage) -> Option<Front> {
    let with_key = message.key.is_some();
    Some(Front {
        opening: Opening {
            time: Timestamp(message.time),
            version: message.version,
            head: Head {
                epoch: message.epoch,
                seq: Seq(message.seq),
                hash: Hash(message.hash.try_into().ok()?),
            },
            level: u16::try_from(message.level).ok()?,
            digest: Digest::from_bytes(message.digest.try_into().ok()?),
            vault_key: KeyId(message.key_id.try_into().ok()?),
            with_key,
        },
        key: message.key.map(Secret::new),
        key_check: message.key_check,
    })
}
