//! Which files of measurements were taken already: samples of one that is read again would count
//! twice. Kept beside what they came to, as `latency/imported`: a digest and the second of the import
//! on each line, the oldest first.
//!
//! A round trip between two regions replaces the one that was there, so a file that told of nothing
//! else may be read as often as anybody likes.

use std::collections::VecDeque;
use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::files::Folder;

/// Files that are remembered; with one more the oldest is forgotten.
const MAX_FILES: usize = 1000;
/// Hexadecimal digits of SHA-256.
const DIGITS: usize = 64;

/// The digest of a file and of what it was read with, in hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Digest(String);

impl Digest {
    /// Of 32 bytes.
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let mut text = String::with_capacity(DIGITS);
        for byte in bytes {
            // Writing to a string does not fail.
            let _ = write!(text, "{byte:02x}");
        }
        Self(text)
    }

    /// As it was told, if it is one.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let is_one = text.len() == DIGITS && text.bytes().all(is_digit);
        is_one.then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The files, with the second in which each was taken to its end.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Imported(VecDeque<(Digest, u64)>);

impl Imported {
    /// Reads what is kept in the folder.
    pub(super) fn read(text: &[u8]) -> Result<Self> {
        let mut files = VecDeque::new();
        for (number, line) in str::from_utf8(text)?.lines().take(MAX_FILES).enumerate() {
            let (digest, at_s) = line.split_once(' ').unwrap_or((line, ""));
            let file = Digest::parse(digest).zip(at_s.parse().ok());
            files.push_back(file.with_context(|| format!("line {} is no file", number + 1))?);
        }
        Ok(Self(files))
    }

    /// When a file was taken, if it was.
    pub(super) fn at_s(&self, digest: &Digest) -> Option<u64> {
        let found = self.0.iter().find(|(known, _)| known == digest);
        found.map(|(_, at_s)| *at_s)
    }

    /// It is taken now.
    pub(super) fn insert(&mut self, digest: &Digest, at_s: u64) {
        self.0.retain(|(known, _)| known != digest);
        if self.0.len() >= MAX_FILES {
            self.0.pop_front();
        }
        self.0.push_back((digest.clone(), at_s));
    }

    /// Puts it on the disk.
    pub(super) fn keep(&self, folder: &Folder) -> Result<()> {
        let mut text = String::with_capacity(self.0.len() * (DIGITS + 12));
        for (digest, at_s) in &self.0 {
            let _ = writeln!(text, "{} {at_s}", digest.as_str());
        }
        folder.put_imported(text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(number: usize) -> Digest {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&number.to_be_bytes());
        Digest::new(&bytes)
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::of(dir.path());
        let mut imported = Imported::default();
        imported.insert(&digest(1), 10);
        imported.insert(&digest(2), 20);
        imported.insert(&digest(1), 30);
        imported.keep(&folder).unwrap();
        let kept = folder.imported().unwrap().unwrap();
        let again = Imported::read(&kept).unwrap();
        assert_eq!(again, imported);
        assert_eq!(again.at_s(&digest(1)), Some(30));
        assert_eq!(again.at_s(&digest(3)), None);
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let mut imported = Imported::default();
        for number in 0..=MAX_FILES {
            imported.insert(&digest(number), 1);
        }
        assert_eq!(imported.0.len(), MAX_FILES);
        assert_eq!(imported.at_s(&digest(0)), None);
        assert_eq!(imported.at_s(&digest(1)), Some(1));
    }

    #[test]
    fn what_is_no_list_of_files_is_refused() {
        let good = digest(7).0;
        for text in [
            good.clone(),
            format!("{good} "),
            format!("{good} x"),
            format!("{} 1", &good[1..]),
            format!("{} 1", good.replace('7', "g")),
            format!("{good} 1\n\n"),
        ] {
            assert!(Imported::read(text.as_bytes()).is_err(), "{text:?}");
        }
        assert!(Imported::read(b"\xff").is_err());
        assert_eq!(Imported::read(b"").unwrap(), Imported::default());
    }
}
