//! Switches of health checks that this node was handed directly: documents in `break-glass.json`,
//! in the data directory. They need neither journal nor tables, so that they can be given when
//! those cannot be written. What outcome they make of a check is the model's to say.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Result, anyhow, bail, ensure};
use meridian_model::{
    BreakGlass, Health, HealthCheckId, MAX_BREAK_GLASS_MS, Timestamp, check_reason,
};
use serde::{Deserialize, Serialize};

use crate::whole_file;

/// The most checks there may be documents for.
const MAX_DOCUMENTS: usize = 10_000;
/// The longest file that is read.
const MAX_LEN: u64 = 64 * 1024 * 1024;
const FORMAT: u32 = 1;

/// The documents, in memory and in their file.
pub(crate) struct BreakGlassFile {
    path: PathBuf,
    known: Mutex<Documents>,
    /// How often they changed since the start.
    revision: AtomicU64,
}

/// Where a document is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// On the disk, read again at the next start.
    OnDisk,
    /// In memory alone; why.
    InMemory(String),
}

/// Of each check the document of the highest version, for as long as it could count, and a day
/// more: by then no older one can.
type Documents = BTreeMap<HealthCheckId, BreakGlass>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    format: u32,
    documents: Vec<StoredDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct StoredDocument {
    check: String,
    /// Absent in one that lets go.
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    reason: String,
    expires_at_ms: i64,
    version: u64,
}

impl BreakGlassFile {
    /// What is in the data directory. A file that cannot be read is set aside, and says so: the
    /// checks are then what they are without it.
    pub(crate) fn open(data_dir: &Path) -> Self {
        let path = data_dir.join("break-glass.json");
        let documents = read(&path).unwrap_or_else(|error| {
            let aside = path.with_extension("damaged");
            let shown = path.display();
            tracing::error!(%error, "{shown} cannot be read, its switches do not count: {error:#}");
            if let Err(error) = fs::rename(&path, &aside) {
                tracing::error!(%error, "{shown} cannot be set aside: {error}");
            }
            BTreeMap::new()
        });
        Self {
            path,
            known: Mutex::new(documents),
            revision: AtomicU64::new(0),
        }
    }

    /// Every document that is known, those whose time is over among them.
    pub(crate) fn documents(&self) -> Vec<BreakGlass> {
        self.known().values().cloned().collect()
    }

    /// A number that is another one once a document came.
    pub(crate) fn revision(&self) -> u64 {
        self.revision.load(Ordering::Acquire)
    }

    /// That of a check.
    pub(crate) fn document(&self, check: &HealthCheckId) -> Option<BreakGlass> {
        self.known().get(check).cloned()
    }

    /// A version above all that are known for the check, and above those given out elsewhere
    /// before, as far as clocks agree.
    pub(crate) fn next_version(&self, check: &HealthCheckId, now: Timestamp) -> u64 {
        let known = self.known();
        let last = known.get(check).map_or(0, |known| known.version);
        u64::try_from(now.0)
            .unwrap_or(0)
            .max(last.saturating_add(1))
    }

    /// Takes a document, which counts from then on. Where it cannot be written, on a full disk for
    /// one, it counts all the same, until the process ends.
    pub(crate) fn accept(&self, document: BreakGlass, now: Timestamp) -> Result<Kept> {
        check_reason(&document.reason).map_err(|problem| anyhow!(problem))?;
        let left = document.expires_at.0.saturating_sub(now.0);
        ensure!(left > 0, "the time of this switch is over");
        ensure!(
            left <= MAX_BREAK_GLASS_MS,
            "such a switch holds for 24 hours at most"
        );
        let mut known = self.known();
        match known.get(&document.check) {
            Some(same) if *same == document => return Ok(self.keep(&known)),
            Some(other) if other.version >= document.version => bail!(
                "a document of version {} is known for this check, which is not below {}",
                other.version,
                document.version
            ),
            _ => {}
        }
        let mut documents = known.clone();
        documents.retain(|_, known| known.expires_at.0.saturating_add(MAX_BREAK_GLASS_MS) > now.0);
        documents.insert(document.check.clone(), document);
        ensure!(
            documents.len() <= MAX_DOCUMENTS,
            "there are documents for {MAX_DOCUMENTS} health checks already"
        );
        *known = documents;
        self.revision.fetch_add(1, Ordering::Release);
        Ok(self.keep(&known))
    }

    fn keep(&self, documents: &Documents) -> Kept {
        match self.write(documents) {
            Ok(()) => Kept::OnDisk,
            Err(error) => {
                tracing::error!(%error, "a switch is kept in memory only: {error:#}");
                Kept::InMemory(format!("{error:#}"))
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Documents> {
        // It is replaced as a whole.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file is there whole, and on the disk, or as it was.
    fn write(&self, documents: &Documents) -> Result<()> {
        let stored = Stored {
            format: FORMAT,
            documents: documents.values().map(StoredDocument::of).collect(),
        };
        whole_file::replace(&self.path, &serde_json::to_vec(&stored)?)
    }
}

fn read(path: &Path) -> Result<Documents> {
    let file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        opened => opened?,
    };
    let mut text = String::new();
    file.take(MAX_LEN).read_to_string(&mut text)?;
    let stored: Stored = serde_json::from_str(&text)?;
    ensure!(stored.format == FORMAT, "it is of format {}", stored.format);
    let documents = stored.documents.into_iter().map(|stored| {
        let document = stored.document()?;
        Ok((document.check.clone(), document))
    });
    documents.collect()
}

impl StoredDocument {
    fn of(document: &BreakGlass) -> Self {
        Self {
            check: document.check.to_string(),
            state: document.health.map(|health| health.as_str().to_owned()),
            reason: document.reason.clone(),
            expires_at_ms: document.expires_at.0,
            version: document.version,
        }
    }

    fn document(self) -> Result<BreakGlass> {
        let health = self.state.map(|word| {
            Health::parse(&word).ok_or_else(|| anyhow!("'{word}' is no state of a health check"))
        });
        Ok(BreakGlass {
            check: HealthCheckId::new(&self.check)?,
            health: health.transpose()?,
            reason: self.reason,
            expires_at: Timestamp(self.expires_at_ms),
            version: self.version,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000_000_000);
    const DAY_MS: i64 = MAX_BREAK_GLASS_MS;

    fn document(check: &str, version: u64, left_ms: i64) -> BreakGlass {
        BreakGlass {
            check: HealthCheckId::new(check).unwrap(),
            health: Some(Health::Unhealthy),
            reason: "the switch \"in\" the hall".to_owned(),
            expires_at: Timestamp(NOW.0 + left_ms),
            version,
        }
    }

    #[test]
    fn documents_are_there_after_a_restart_and_the_highest_version_stays() {
        let folder = tempfile::tempdir().unwrap();
        let file = BreakGlassFile::open(folder.path());
        assert_eq!(file.documents(), []);
        file.accept(document("1", 5, 9), NOW).unwrap();
        let released = BreakGlass {
            health: None,
            ..document("2", 1, DAY_MS)
        };
        file.accept(released.clone(), NOW).unwrap();
        // The same once more is no change; another one of that version or below is refused.
        file.accept(document("1", 5, 9), NOW).unwrap();
        for (version, left) in [(5, 8), (4, 9)] {
            let error = file.accept(document("1", version, left), NOW).unwrap_err();
            assert!(error.to_string().contains("version 5 is known"), "{error}");
        }
        assert_eq!(file.revision(), 2);
        let again = BreakGlassFile::open(folder.path());
        assert_eq!(again.documents(), [document("1", 5, 9), released]);
        assert_eq!(
            again.next_version(&HealthCheckId::new("1").unwrap(), NOW),
            1_000_000_000_000
        );
        assert_eq!(
            again.next_version(&HealthCheckId::new("1").unwrap(), Timestamp(3)),
            6
        );
    }

    #[test]
    fn a_document_is_kept_until_nothing_older_can_count() {
        let folder = tempfile::tempdir().unwrap();
        let file = BreakGlassFile::open(folder.path());
        file.accept(document("1", 1, 9), NOW).unwrap();
        let later = |ms| Timestamp(NOW.0 + ms);
        file.accept(document("2", 1, DAY_MS + 8), later(8 + DAY_MS / 2))
            .unwrap();
        assert_eq!(file.documents().len(), 2);
        file.accept(document("3", 1, DAY_MS + 10), later(9 + DAY_MS))
            .unwrap();
        let checks: Vec<_> = file
            .documents()
            .into_iter()
            .map(|known| known.check)
            .collect();
        assert_eq!(checks, ["2", "3"].map(|id| HealthCheckId::new(id).unwrap()));
    }

    #[test]
    fn what_holds_too_long_or_says_nothing_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = BreakGlassFile::open(folder.path());
        let silent = BreakGlass {
            reason: String::new(),
            ..document("1", 1, 1)
        };
        for (wrong, text) in [
            (document("1", 1, 0), "is over"),
            (document("1", 1, i64::MIN / 2), "is over"),
            (document("1", 1, DAY_MS + 1), "24 hours"),
            (silent, "reason"),
        ] {
            let error = file.accept(wrong, NOW).unwrap_err();
            assert!(error.to_string().contains(text), "{error}");
        }
        assert!(!folder.path().join("break-glass.json").exists());
        file.accept(document("1", 1, DAY_MS), NOW).unwrap();
    }

    #[test]
    fn a_damaged_file_is_set_aside_and_one_that_cannot_be_written_does_not_matter() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("break-glass.json");
        for damaged in ["", "{", "{\"format\":2,\"documents\":[]}", "\u{1}"] {
            fs::write(&path, damaged).unwrap();
            let file = BreakGlassFile::open(folder.path());
            assert_eq!(file.documents(), []);
            assert_eq!(
                fs::read_to_string(path.with_extension("damaged")).unwrap(),
                damaged
            );
            assert!(!path.exists());
        }
        let file = BreakGlassFile::open(folder.path());
        fs::create_dir(path.with_extension("new")).unwrap();
        let kept = file.accept(document("1", 1, 1), NOW).unwrap();
        assert!(matches!(kept, Kept::InMemory(_)), "{kept:?}");
        fs::remove_dir(path.with_extension("new")).unwrap();
        assert_eq!(file.accept(document("1", 1, 1), NOW).unwrap(), Kept::OnDisk);
        assert_eq!(file.documents(), [document("1", 1, 1)]);
    }
}
