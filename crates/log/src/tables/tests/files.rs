//! The file of the tables: crashes, formats and versions, epochs, a full disk.

use super::*;

#[test]
fn with_each_write_durable_a_crash_costs_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let (path, crashed) = (
        directory.path().join("a.redb"),
        directory.path().join("b.redb"),
    );
    let tables = Tables::open(&path, options(Durability::Each)).unwrap();
    let (entry, _) = Entry::after(Head::EMPTY, Timestamp(1), vec![]);
    tables.apply(&[entry]).unwrap();
    std::fs::copy(&path, &crashed).unwrap();
    assert_eq!(open(&crashed).head(), tables.head());
}

#[test]
fn every_thousandth_digest_is_kept_whatever_the_portions() {
    let mut chain = Vec::new();
    let mut head = Head::EMPTY;
    for number in 0..2500 {
        let (entry, _) = Entry::after(head, Timestamp(number), vec![]);
        head = entry.head();
        chain.push(entry);
    }
    let (whole, parts) = (Tables::in_memory().unwrap(), Tables::in_memory().unwrap());
    assert_eq!(whole.apply(&chain).unwrap().entries, 2500);
    for portion in chain.chunks(700) {
        parts.apply(portion).unwrap();
    }
    for tables in [&whole, &parts] {
        let state = tables.read().unwrap();
        let kept = |seq| state.digest_at(Seq(seq)).unwrap();
        assert!(kept(1000).is_some() && kept(2000).is_some());
        assert_eq!(kept(1500), None);
    }
}

#[test]
fn an_epoch_may_rise_but_not_fall() {
    let tables = Tables::in_memory().unwrap();
    let time = Timestamp(1);
    let (first, _) = Entry::after(
        Head {
            epoch: 3,
            ..Head::EMPTY
        },
        time,
        vec![],
    );
    tables.apply(std::slice::from_ref(&first)).unwrap();
    let older = Head {
        epoch: 2,
        ..first.head()
    };
    let (second, _) = Entry::after(older, time, vec![]);
    assert!(matches!(
        tables.apply(&[second]),
        Err(ApplyError::Epoch {
            seq: Seq(2),
            found: 2,
            applied: 3
        })
    ));
    let newer = Head {
        epoch: 4,
        ..first.head()
    };
    let (second, _) = Entry::after(newer, time, vec![]);
    assert_eq!(tables.apply(&[second]).unwrap().head.epoch, 4);
}

#[test]
fn other_formats_are_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("tables.redb");
    drop(open(&path));
    let set_format = |format| {
        let database = Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        write_format(&transaction, format).unwrap();
        transaction.commit().unwrap();
    };
    set_format(2);
    let refused = Tables::open(&path, options(Durability::Batched));
    assert!(matches!(
        refused,
        Err(OpenError::NewerFormat { found: 2, known: 1 })
    ));
    set_format(0);
    let refused = Tables::open(&path, options(Durability::Batched));
    assert!(matches!(
        refused,
        Err(OpenError::OlderFormat { found: 0, known: 1 })
    ));
}

#[test]
fn a_file_of_an_earlier_version_gets_the_tables_that_came_later() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("tables.redb");
    let tables = open(&path);
    let transaction = tables.store.begin_write().unwrap();
    let gone = transaction.delete_table(Table::Quotas.definition());
    assert!(gone.unwrap());
    transaction.commit().unwrap();
    drop(tables);
    let tables = open(&path);
    let limit = tables.read().unwrap().limit(
        &AccountId::new("123456789012").unwrap(),
        Quota::HostedZonesByOwner,
    );
    assert_eq!(limit.unwrap(), 500);
}

/// Entries that each put a set of some kilobytes.
fn long_entries(count: u64) -> Vec<Entry> {
    let mut head = Head::EMPTY;
    let entry = |number| {
        let name = Name::parse(&format!("n{number}.test")).unwrap();
        let rtype = meridian_dns::RecordType::Txt;
        let commit = crate::format::Commit {
            request_id: String::new(),
            account: None,
            principal: String::new(),
            source: String::new(),
            retry: None,
            effects: vec![Effect::PutSet {
                generation: Generation(1),
                set: RecordSet::simple(name, rtype, 60, vec!["x".repeat(4000)]),
            }],
        };
        let (entry, _) = Entry::after(head, Timestamp(1), vec![commit]);
        head = entry.head();
        entry
    };
    (0..count).map(entry).collect()
}

#[test]
fn a_full_disk_stops_the_tables_and_room_lets_them_go_on() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    let limit = Arc::new(AtomicU64::new(3 * 1024 * 1024));
    let store = Store::limited(Arc::clone(&limit), create);
    let tables = Tables::start(store, Durability::Batched).unwrap();
    let entries = long_entries(1000);
    let follow = || {
        let applied = usize::try_from(tables.head().seq.0).unwrap();
        tables.apply(&entries[applied..=applied])
    };
    let error = loop {
        if let Err(error) = follow() {
            break error;
        }
    };
    assert!(
        matches!(&error, ApplyError::Storage(cause) if cause.is_full()),
        "{error}"
    );
    // Readers see what is there, and that is some whole entry.
    let kept = tables.read().unwrap().head();
    assert_eq!(tables.head(), kept, "back at what was durable");
    assert_eq!(
        kept,
        entries[usize::try_from(kept.seq.0).unwrap() - 1].head()
    );
    limit.store(u64::MAX, Ordering::Relaxed);
    while tables.head().seq < Seq(1000) {
        follow().unwrap();
    }
    let whole = Tables::in_memory().unwrap();
    whole.apply(&entries).unwrap();
    assert_eq!(digest(&tables), digest(&whole));
}
