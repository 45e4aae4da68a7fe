//! Backups of journals and vaults made here, whole and damaged in each place.

use proptest::prelude::*;

use super::*;
use crate::format::Commit;
use crate::journal::Journal;
use crate::local::LocalJournal;
use crate::tables::Tables;
use crate::testing;
use crate::vault::{ReaderClass, Vault};

const PLANTED: &[u8] = b"a secret that is nowhere in the clear";

struct Source {
    _directory: tempfile::TempDir,
    journal: LocalJournal,
    tables: Tables,
    vault: Vault,
}

/// A journal of these commits, and a vault with a secret.
fn source(commits: Vec<Commit>) -> Source {
    let directory = tempfile::tempdir().unwrap();
    let journal = LocalJournal::in_memory().unwrap();
    for (time, commit) in (1..).zip(commits) {
        let head = journal.head().unwrap();
        journal.append(head, vec![commit], Timestamp(time)).unwrap();
    }
    let tables = Tables::in_memory().unwrap();
    tables
        .apply(&journal.read(Seq(0), usize::MAX).unwrap())
        .unwrap();
    let vault = Vault::open(directory.path()).unwrap();
    vault.put("key/1", &ReaderClass::Control, PLANTED).unwrap();
    Source {
        _directory: directory,
        journal,
        tables,
        vault,
    }
}

enum Key {
    Within,
    Apart,
}

fn backup(source: &Source, key: &Key) -> Vec<u8> {
    let mut bytes = Vec::new();
    let from = BackupSource {
        journal: &source.journal,
        head: source.tables.head(),
        digest: source.tables.read().unwrap().digest(),
        vault: &source.vault.copy().unwrap(),
        key: match key {
            Key::Within => Some(source.vault.key().unwrap()),
            Key::Apart => None,
        },
        time: Timestamp(77),
        version: "1.2.3",
    };
    let written = write_backup(&from, &mut bytes, &mut |_| true).unwrap();
    assert_eq!(written.bytes, bytes.len() as u64);
    bytes
}

fn check(bytes: &[u8]) -> Result<Checked, BackupError> {
    let scratch = tempfile::tempdir().unwrap();
    check_backup(bytes, scratch.path(), &mut |_| true)
}

fn restore_into(
    bytes: &[u8],
    directory: &std::path::Path,
    key: Option<crate::Secret>,
) -> Result<Restored, BackupError> {
    let commit = Commit {
        request_id: "restore".into(),
        account: None,
        principal: "operator".into(),
        source: String::new(),
        retry: None,
        effects: vec![],
    };
    let restoration = Restoration {
        directory,
        key,
        commit,
        time: Timestamp(5),
    };
    restore(bytes, restoration, &mut |_| true)
}

fn some_commits(count: usize) -> Vec<Commit> {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let commits = prop::collection::vec(testing::commit(), count);
    commits.new_tree(&mut runner).unwrap().current()
}

#[test]
fn what_was_backed_up_is_restored_in_a_new_epoch() {
    let source = source(some_commits(40));
    for key in [Key::Within, Key::Apart] {
        let bytes = backup(&source, &key);
        let checked = check(&bytes).unwrap();
        assert_eq!((checked.entries, checked.secrets), (40, 1));
        assert_eq!(checked.opening.head, source.journal.head().unwrap());
        assert_eq!(checked.opening.with_key, matches!(key, Key::Within));
        let planted = |part: &[u8]| bytes.windows(part.len()).any(|window| window == part);
        assert!(!planted(PLANTED), "sealed also beside its key");
        let secret = source.vault.key().unwrap();
        assert_eq!(planted(secret.expose()), checked.opening.with_key);

        let directory = tempfile::tempdir().unwrap();
        let given = (!checked.opening.with_key).then_some(secret);
        let restored = restore_into(&bytes, directory.path(), given).unwrap();
        assert!(restored.has_key);
        let head = restored.head;
        assert_eq!((head.epoch, head.seq), (2, Seq(41)));
        let journal = LocalJournal::open(&directory.path().join("journal.redb")).unwrap();
        assert_eq!(journal.head().unwrap(), head);
        let entries = journal.read(Seq(0), usize::MAX).unwrap();
        let originals = source.journal.read(Seq(0), usize::MAX).unwrap();
        assert_eq!(entries[..40], originals[..40]);
        assert_eq!(
            entries[40].time,
            Timestamp(40),
            "time does not run backwards"
        );
        let tables = Tables::open(&directory.path().join("tables.redb"), read::TABLES).unwrap();
        crate::verify(&journal, Some(&tables)).unwrap();
        let vault = Vault::open(directory.path()).unwrap();
        let secret = vault.get("key/1", &ReaderClass::Control).unwrap();
        assert_eq!(secret.unwrap().expose(), PLANTED);
        assert!(!directory.path().join(RESTORING).exists());
    }
}

#[test]
fn without_the_key_everything_but_the_key_is_restored() {
    let source = source(some_commits(3));
    let bytes = backup(&source, &Key::Apart);
    let directory = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let wrong = Vault::open(other.path()).unwrap().key().unwrap();
    let refused = restore_into(&bytes, directory.path(), Some(wrong));
    assert!(matches!(refused, Err(BackupError::OtherKey { .. })));
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    let restored = restore_into(&bytes, directory.path(), None).unwrap();
    assert!(!restored.has_key);
    assert!(matches!(
        Vault::open(directory.path()),
        Err(VaultError::KeyFileMissing(_))
    ));
    let key = source.vault.key().unwrap();
    crate::vault::write_key_file(&directory.path().join("vault.key"), &key).unwrap();
    Vault::open(directory.path()).unwrap();
}

#[test]
fn every_damaged_byte_and_every_missing_end_is_told_with_its_place() {
    let source = source(some_commits(6));
    let bytes = backup(&source, &Key::Apart);
    check(&bytes).unwrap();
    for place in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[place] ^= 0x10;
        // The first seven are told in other words.
        match frames_of(&damaged) {
            Err(BackupError::Damaged { offset, .. } | BackupError::CutOff { offset, .. }) => {
                assert!(offset <= place as u64, "{offset} for {place}");
            }
            Err(BackupError::NoBackup) => assert!(place < 16),
            other => panic!("byte {place}: {other:?}"),
        }
    }
    for length in 0..bytes.len() {
        let told = frames_of(&bytes[..length]);
        let cut = matches!(told, Err(BackupError::CutOff { .. }));
        assert!(cut || length < 16 && matches!(told, Err(BackupError::NoBackup)));
    }
    let longer = [bytes.as_slice(), b"x"].concat();
    let told = check(&longer).unwrap_err().to_string();
    assert!(told.contains("there is more behind the end"), "{told}");

    // A restore that meets it leaves no journal that a server would take for whole.
    let directory = tempfile::tempdir().unwrap();
    let mut damaged = bytes;
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    restore_into(&damaged, directory.path(), None).unwrap_err();
    assert!(directory.path().join(RESTORING).exists());
    assert!(!directory.path().join("journal.redb").exists());
}

/// Reads all frames, as every reader does before anything else.
fn frames_of(bytes: &[u8]) -> Result<(), BackupError> {
    let mut frames = frame::FrameReader::begin(bytes)?;
    while frames.read()?.0 != frame::Kind::Closing {}
    frames.end()
}

#[test]
fn a_front_that_does_not_fit_its_entries_is_refused() {
    let source = source(some_commits(5));
    let mut from = BackupSource {
        journal: &source.journal,
        head: source.tables.head(),
        digest: Digest::default(),
        vault: &source.vault.copy().unwrap(),
        key: None,
        time: Timestamp(1),
        version: "",
    };
    let mut bytes = Vec::new();
    write_backup(&from, &mut bytes, &mut |_| true).unwrap();
    assert!(matches!(check(&bytes), Err(BackupError::Digest { .. })));
    from.head.hash = Hash::default();
    let mut bytes = Vec::new();
    write_backup(&from, &mut bytes, &mut |_| true).unwrap();
    let wrong = check(&bytes);
    assert!(matches!(
        wrong,
        Err(BackupError::Chain(VerifyError::HeadHash { .. }))
    ));
    assert!(matches!(
        write_backup(&from, &mut Vec::new(), &mut |_| false),
        Err(BackupError::GivenUp)
    ));
}
