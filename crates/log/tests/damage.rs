//! Files that were changed behind our back: found when they are opened, or by verify.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not seen as tests by the lint"
)]

use std::path::Path;

use meridian_dns::Name;
use meridian_log::{
    Commit, Durability, Journal, LocalJournal, OpenError, Options, Tables, VerifyError, verify,
};
use meridian_model::{Effect, NameServer, Timestamp};
use redb::{Database, Key, ReadableTable, TableDefinition};

const PLANTED: &str = "somebody-who-can-be-found-in-the-file";
const OPTIONS: Options = Options {
    cache_bytes: 1024 * 1024,
    durability: Durability::Each,
};

fn fill(directory: &Path) {
    let (journal, tables) = open(directory);
    for ordinal in 0..5 {
        let server = NameServer {
            name: Name::parse(&format!("ns{ordinal}.test")).unwrap(),
            addresses: vec![],
            ordinal,
        };
        let commit = Commit {
            request_id: "request".into(),
            account: None,
            principal: PLANTED.into(),
            source: "source".into(),
            retry: None,
            effects: vec![Effect::PutNameServer(server)],
        };
        let head = journal.head().unwrap();
        journal.append(head, vec![commit], Timestamp(1)).unwrap();
        tables.apply(&journal.read(head.seq, 1).unwrap()).unwrap();
    }
    verify(&journal, Some(&tables)).unwrap();
}

fn open(directory: &Path) -> (LocalJournal, Tables) {
    let journal = LocalJournal::open(&directory.join("journal.redb")).unwrap();
    let tables = Tables::open(&directory.join("tables.redb"), OPTIONS).unwrap();
    (journal, tables)
}

/// Replaces the last row of a table, or removes it.
fn change_last<K: Key + 'static>(
    file: &Path,
    table: TableDefinition<'static, K, &'static [u8]>,
    change: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>,
) {
    let database = Database::open(file).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut rows = transaction.open_table(table).unwrap();
    let (key, value) = {
        let (key, value) = rows.last().unwrap().unwrap();
        let key = K::as_bytes(&key.value()).as_ref().to_vec();
        (key, value.value().to_vec())
    };
    match change(value) {
        Some(value) => drop(rows.insert(K::from_bytes(&key), value.as_slice()).unwrap()),
        None => drop(rows.remove(K::from_bytes(&key)).unwrap()),
    }
    drop(rows);
    transaction.commit().unwrap();
}

const ENTRIES: TableDefinition<'static, u64, &[u8]> = TableDefinition::new("entries");

#[test]
fn a_journal_without_its_last_entry_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let file = directory.path().join("journal.redb");
    change_last(&file, ENTRIES, |_| None);
    let refused = LocalJournal::open(&file).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged(_)));
    assert!(refused.to_string().contains("the head is entry 5"));
}

#[test]
fn a_journal_with_another_last_entry_does_not_open() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let file = directory.path().join("journal.redb");
    change_last(&file, ENTRIES, |mut bytes| {
        *bytes.last_mut().unwrap() ^= 1;
        Some(bytes)
    });
    let refused = LocalJournal::open(&file);
    assert!(matches!(refused, Err(OpenError::Damaged(_))));
}

#[test]
fn a_changed_row_of_the_tables_is_found_with_its_table() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let rows: TableDefinition<'static, &[u8], &[u8]> = TableDefinition::new("name_servers");
    change_last(&directory.path().join("tables.redb"), rows, |mut bytes| {
        *bytes.last_mut().unwrap() ^= 1;
        Some(bytes)
    });
    let (journal, tables) = open(directory.path());
    assert!(matches!(
        verify(&journal, Some(&tables)),
        Err(VerifyError::Rows {
            table: "name_servers",
            ..
        })
    ));
    let kept = tables.read().unwrap().digest();
    assert_ne!(tables.recompute_digest().unwrap(), kept);
}

#[test]
fn a_byte_changed_on_the_disk_is_found() {
    let directory = tempfile::tempdir().unwrap();
    fill(directory.path());
    let file = directory.path().join("journal.redb");
    let good = std::fs::read(&file).unwrap();
    let planted = PLANTED.as_bytes();
    let places: Vec<_> = (0..good.len() - planted.len())
        .filter(|at| good[*at..].starts_with(planted))
        .collect();
    assert!(places.len() >= 5, "redb keeps older pages as well");
    let mut found = 0;
    for at in places {
        let mut damaged = good.clone();
        damaged[at] ^= 0x20;
        std::fs::write(&file, &damaged).unwrap();
        // A page that is not in use any more may be changed by anybody.
        let sound = LocalJournal::open(&file).is_ok_and(|j| verify(&j, None).is_ok());
        found += usize::from(!sound);
    }
    assert!(found >= 5, "found {found}");
}
