//! Writing a backup while the journal grows on: what is in it was there when it began.

use std::io::Write;

use meridian_model::{Seq, Timestamp};

use super::frame::{
    ClosingMessage, EntriesMessage, FrameWriter, Kind, OpeningMessage, SecretMessage,
    SecretsMessage,
};
use super::{BackupError, BackupProgress, go_on};
use crate::format::Hash;
use crate::journal::{Head, Journal};
use crate::tables::{Digest, MAX_ENTRIES_PER_WRITE};
use crate::vault::{Secret, VaultCopy};

/// The format that is written, and the only one so far.
pub(super) const FORMAT: u32 = 1;
/// How many bytes of secrets a frame takes, about.
const SECRETS_BYTES: usize = 1024 * 1024;

/// What is backed up: all of it as of one entry.
pub struct BackupSource<'a> {
    /// The journal, at `head` or further.
    pub journal: &'a dyn Journal,
    /// The entry up to which it is backed up.
    pub head: Head,
    /// The digest of the tables at that entry.
    pub digest: Digest,
    /// The vault as of that entry.
    pub vault: &'a VaultCopy,
    /// The vault's key, if it is to be in the backup too.
    pub key: Option<Secret>,
    /// When.
    pub time: Timestamp,
    /// The version of the program.
    pub version: &'a str,
}

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Entries of the journal.
    pub entries: u64,
    /// Rows of the vault.
    pub secrets: u64,
    /// Bytes of the file.
    pub bytes: u64,
}

/// Writes a backup. Memory is bounded by a page of entries, however long the journal is.
///
/// # Errors
/// [`BackupError`] when something cannot be read or written, or `progress` gives up.
pub fn write_backup(
    source: &BackupSource<'_>,
    out: impl Write,
    progress: BackupProgress<'_>,
) -> Result<Written, BackupError> {
    let mut frames = FrameWriter::begin(out).map_err(BackupError::File)?;
    let opening = opening(source)?;
    frames
        .write(Kind::Opening, &opening)
        .map_err(BackupError::File)?;
    let secrets = write_secrets(source.vault, &mut frames)?;
    let mut last = Head::EMPTY.seq;
    // Each turn writes at least one entry, or ends.
    while last < source.head.seq {
        go_on(progress, last)?;
        let page = page(source, last)?;
        last.0 += page.entries.len() as u64;
        frames
            .write(Kind::Entries, &page)
            .map_err(BackupError::File)?;
    }
    let entries = last.0;
    let closing = ClosingMessage { entries, secrets };
    frames
        .write(Kind::Closing, &closing)
        .map_err(BackupError::File)?;
    go_on(progress, last)?;
    let bytes = frames.finish().map_err(BackupError::File)?;
    Ok(Written {
        entries,
        secrets,
        bytes,
    })
}

fn opening(source: &BackupSource<'_>) -> Result<OpeningMessage, BackupError> {
    let head = source.head;
    Ok(OpeningMessage {
        format: FORMAT,
        time: source.time.0,
        version: source.version.to_owned(),
        epoch: head.epoch,
        seq: head.seq.0,
        hash: head.hash.0.to_vec(),
        level: source.journal.level()?.into(),
        digest: source.digest.to_bytes().to_vec(),
        key_id: source.vault.key_id().0.to_vec(),
        key: source.key.as_ref().map(|key| key.expose().to_vec()),
        key_check: source.vault.check()?,
    })
}

fn write_secrets(
    vault: &VaultCopy,
    frames: &mut FrameWriter<impl Write>,
) -> Result<u64, BackupError> {
    let (mut page, mut bytes, mut count) = (SecretsMessage::default(), 0, 0);
    vault.each_row(|id, sealed| {
        bytes += id.len() + sealed.len();
        count += 1;
        page.rows.push(SecretMessage {
            id: id.to_owned(),
            sealed: sealed.to_vec(),
        });
        if bytes >= SECRETS_BYTES {
            let full = std::mem::take(&mut page);
            bytes = 0;
            frames
                .write(Kind::Secrets, &full)
                .map_err(BackupError::File)?;
        }
        Ok::<_, BackupError>(())
    })?;
    if !page.rows.is_empty() {
        frames
            .write(Kind::Secrets, &page)
            .map_err(BackupError::File)?;
    }
    Ok(count)
}

/// The next entries, in the bytes that they are stored as.
fn page(source: &BackupSource<'_>, last: Seq) -> Result<EntriesMessage, BackupError> {
    let entries = source.journal.read(last, MAX_ENTRIES_PER_WRITE)?;
    let due = entries
        .iter()
        .take_while(|entry| entry.seq <= source.head.seq);
    let entries = due.map(|entry| {
        let bytes = entry.encode();
        if Hash::of(&bytes) != entry.hash {
            return Err(BackupError::Rewritten(entry.seq));
        }
        Ok(bytes)
    });
    let page = EntriesMessage {
        entries: entries.collect::<Result<_, _>>()?,
    };
    if page.entries.is_empty() {
        return Err(BackupError::Rewritten(Seq(last.0 + 1)));
    }
    Ok(page)
}
