//! The journal and the tables through the public interface, one scenario each.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not seen as tests by the lint"
)]

use std::time::Duration;

use meridian_dns::{Name, RecordType};
use meridian_log::{
    AppendError, ApplyError, Commit, Head, Journal, LocalJournal, RetryKey, Tables, verify,
};
use meridian_model::{
    AccountId, Change, ChangeId, DelegationSet, Effect, Generation, RecordSet, Routing, Seq,
    SetData, SetKey, State, Timestamp, Zone, ZoneId,
};

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn account() -> AccountId {
    AccountId::new("123456789012").unwrap()
}

fn zone(id: &str, apex: &str, generation: u64) -> Zone {
    Zone {
        id: ZoneId::new(id).unwrap(),
        account: account(),
        name: name(apex),
        caller_reference: format!("ref-{id}"),
        comment: None,
        private: false,
        delegation_set: DelegationSet {
            id: None,
            name_servers: vec![name("ns1.test")],
        },
        generation: Generation(generation),
        created_at: Timestamp(5),
    }
}

fn ids(zones: &[Zone]) -> Vec<&str> {
    zones.iter().map(|zone| zone.id.as_str()).collect()
}

fn set(owner: &str, value: &str) -> RecordSet {
    RecordSet {
        key: SetKey {
            name: name(owner),
            rtype: RecordType::A,
            set_identifier: None,
        },
        routing: Routing::Simple,
        data: SetData::Records {
            ttl: 60,
            values: vec![value.into()],
        },
        health_check_id: None,
        traffic_policy_instance_id: None,
    }
}

fn put(generation: u64, owner: &str, value: &str) -> Effect {
    Effect::PutSet {
        generation: Generation(generation),
        set: set(owner, value),
    }
}

fn commit(effects: Vec<Effect>) -> Commit {
    Commit {
        request_id: "r".into(),
        account: Some(account()),
        principal: "ada".into(),
        source: "127.0.0.1".into(),
        retry: None,
        effects,
    }
}

/// A journal and tables that follow it.
struct Pair {
    journal: LocalJournal,
    tables: Tables,
}

impl Pair {
    fn new() -> Self {
        Self {
            journal: LocalJournal::in_memory().unwrap(),
            tables: Tables::in_memory().unwrap(),
        }
    }

    fn write(&self, time: i64, commits: Vec<Commit>) -> Seq {
        let head = self.journal.head().unwrap();
        let next = self.journal.append(head, commits, Timestamp(time)).unwrap();
        let entries = self.journal.read(head.seq, 10).unwrap();
        self.tables.apply(&entries).unwrap();
        next.seq
    }
}

#[test]
fn an_append_at_another_head_is_a_conflict_that_names_the_head() {
    let journal = LocalJournal::in_memory().unwrap();
    let first = journal
        .append(Head::EMPTY, vec![commit(vec![])], Timestamp(1))
        .unwrap();
    assert_eq!(first.seq, Seq(1));
    match journal.append(Head::EMPTY, vec![], Timestamp(1)) {
        Err(AppendError::Conflict { head }) => assert_eq!(head, first),
        other => panic!("{other:?}"),
    }
    assert_eq!(journal.wait(Seq(0), Duration::ZERO), Seq(1));
    assert_eq!(journal.wait(Seq(1), Duration::from_millis(1)), Seq(1));
}

#[test]
fn entry_time_never_goes_backwards() {
    let journal = LocalJournal::in_memory().unwrap();
    let head = journal.append(Head::EMPTY, vec![], Timestamp(100)).unwrap();
    journal.append(head, vec![], Timestamp(7)).unwrap();
    let times = journal.read(Seq(0), 9).unwrap();
    assert_eq!(
        times.iter().map(|e| e.time.0).collect::<Vec<_>>(),
        [100, 100]
    );
}

#[test]
fn an_entry_above_the_limit_is_refused_and_leaves_the_head() {
    let journal = LocalJournal::in_memory().unwrap();
    let big = put(1, "a.test", &"x".repeat(meridian_log::MAX_ENTRY_BYTES));
    assert!(matches!(
        journal.append(Head::EMPTY, vec![commit(vec![big])], Timestamp(1)),
        Err(AppendError::TooLarge { .. })
    ));
    assert_eq!(journal.head().unwrap(), Head::EMPTY);
}

#[test]
fn a_read_is_bounded_by_bytes_but_gives_at_least_one() {
    let journal = LocalJournal::in_memory().unwrap();
    for _ in 0..4 {
        let big = put(1, "a.test", &"x".repeat(900_000));
        let head = journal.head().unwrap();
        journal
            .append(head, vec![commit(vec![big])], Timestamp(1))
            .unwrap();
    }
    assert_eq!(journal.read(Seq(0), 100).unwrap().len(), 2);
    assert_eq!(journal.read(Seq(3), 0).unwrap().len(), 1);
    assert!(journal.read(Seq(4), 9).unwrap().is_empty());
    assert!(journal.read(Seq(u64::MAX), 9).unwrap().is_empty());
}

#[test]
fn zones_are_found_by_id_name_account_reference_and_from_below() {
    let pair = Pair::new();
    let (a, b) = (
        zone("ZA", "example.test", 1),
        zone("ZB", "sub.example.test", 2),
    );
    let c = zone("ZC", "example-x.test", 3);
    pair.write(
        1,
        vec![commit(
            [&a, &b, &c].map(|z| Effect::PutZone(z.clone())).to_vec(),
        )],
    );
    let state = pair.tables.read().unwrap();
    assert_eq!(state.zone(&a.id).unwrap().as_ref(), Some(&a));
    assert_eq!(ids(&state.zones_named(&a.name).unwrap()), ["ZA"]);
    assert_eq!(ids(&state.zones_below(&a.name).unwrap()), ["ZB"]);
    assert_eq!(state.zones_below(&name("test")).unwrap().len(), 3);
    assert_eq!(state.zones_below(&Name::root()).unwrap().len(), 3);
    assert_eq!(state.zone_count(&account()).unwrap(), 3);
    assert_eq!(state.next_generation().unwrap(), Generation(4));
    let reference = state.zone_by_reference(&account(), "ref-ZB").unwrap();
    assert_eq!(reference.as_ref(), Some(&b.id));
    let page = state.zones_of(&account(), Some(&b.id), 1).unwrap();
    assert_eq!(ids(&page), ["ZB"]);
    let by_name = state.zones_of_by_name(&account(), None, 9).unwrap();
    assert_eq!(ids(&by_name), ["ZC", "ZA", "ZB"]);
    let from = Some((&a.name, Some(&a.id)));
    let by_name = state.zones_of_by_name(&account(), from, 9).unwrap();
    assert_eq!(ids(&by_name), ["ZA", "ZB"]);

    pair.write(2, vec![commit(vec![Effect::DeleteZone(b.id.clone())])]);
    let after = pair.tables.read().unwrap();
    assert_eq!(after.zone_count(&account()).unwrap(), 2);
    assert!(after.zones_below(&a.name).unwrap().is_empty());
    let reference = after.zone_by_reference(&account(), "ref-ZB").unwrap();
    assert_eq!(
        reference,
        Some(b.id),
        "a caller reference is used up for ever"
    );
    assert_eq!(state.zone_count(&account()).unwrap(), 3, "a snapshot stays");
}

#[test]
fn history_holds_what_each_commit_found_and_stats_count() {
    let pair = Pair::new();
    let z = zone("ZA", "example.test", 1);
    pair.write(
        1,
        vec![commit(vec![
            Effect::PutZone(z.clone()),
            put(1, "a.test", "1"),
        ])],
    );
    let second = vec![
        commit(vec![put(1, "a.test", "2"), put(1, "a.test", "3")]),
        commit(vec![Effect::DeleteSet {
            generation: Generation(1),
            key: set("a.test", "").key,
        }]),
    ];
    pair.write(2, second);
    // A generation that no zone points to has no history.
    pair.write(3, vec![commit(vec![put(9, "b.test", "1")])]);
    let state = pair.tables.read().unwrap();
    let history = state.history(&z.id, Seq(0), 9).unwrap();
    let key = set("a.test", "").key;
    let before: Vec<_> = history
        .iter()
        .map(|row| (row.seq.0, row.commit, row.before.clone()))
        .collect();
    assert_eq!(
        before,
        [
            (1, 0, vec![(key.clone(), None)]),
            (2, 0, vec![(key.clone(), Some(set("a.test", "1")))]),
            (2, 1, vec![(key, Some(set("a.test", "3")))]),
        ]
    );
    let page = state.history(&z.id, Seq(1), 1).unwrap();
    assert_eq!(page, history[1..2]);
    assert_eq!(state.set_count(Generation(1)).unwrap(), 0);
    assert_eq!(state.stats(Generation(1)).unwrap().last_changed, Seq(2));
    assert_eq!(state.set_count(Generation(9)).unwrap(), 1);
    assert_eq!(state.next_generation().unwrap(), Generation(10));
}

#[test]
fn history_is_kept_for_ninety_days_and_at_least_ten_rows() {
    const DAY: i64 = 24 * 60 * 60 * 1000;
    let pair = Pair::new();
    let z = zone("ZA", "example.test", 1);
    pair.write(0, vec![commit(vec![Effect::PutZone(z.clone())])]);
    for _ in 0..30 {
        pair.write(0, vec![commit(vec![put(1, "a.test", "1")])]);
    }
    let rows = |after| {
        let state = pair.tables.read().unwrap();
        state.history(&z.id, Seq(after), 99).unwrap().len()
    };
    assert_eq!(rows(0), 30);
    pair.write(90 * DAY, vec![commit(vec![put(1, "a.test", "1")])]);
    assert_eq!(rows(0), 31, "ninety days are not over");
    pair.write(91 * DAY, vec![commit(vec![put(1, "a.test", "1")])]);
    assert_eq!(rows(0), 16, "a write removes a bounded number");
    pair.write(91 * DAY, vec![commit(vec![put(1, "a.test", "1")])]);
    assert_eq!(rows(0), 10);
    assert_eq!(rows(31), 3, "the newest stay");
}

#[test]
fn a_retry_is_recognised_for_fifteen_minutes() {
    const MINUTE: i64 = 60 * 1000;
    let pair = Pair::new();
    let retried = |key| Commit {
        retry: Some(RetryKey([key; 32])),
        ..commit(vec![])
    };
    pair.write(0, vec![retried(1)]);
    pair.write(10 * MINUTE, vec![retried(2)]);
    let retry = |key, now| {
        let state = pair.tables.read().unwrap();
        state.retry(&RetryKey([key; 32]), Timestamp(now)).unwrap()
    };
    assert_eq!(retry(1, 15 * MINUTE), Some(Seq(1)));
    assert_eq!(retry(1, 15 * MINUTE + 1), None);
    assert_eq!(retry(3, 0), None);
    pair.write(16 * MINUTE, vec![retried(2)]);
    assert_eq!(retry(1, 0), None, "the row is gone");
    assert_eq!(retry(2, 20 * MINUTE), Some(Seq(3)), "the newer one counts");
    pair.write(26 * MINUTE, vec![]);
    assert_eq!(retry(2, 26 * MINUTE), Some(Seq(3)));
}

#[test]
fn a_change_carries_the_number_of_its_entry() {
    let pair = Pair::new();
    let change = Change {
        id: ChangeId::new("C1").unwrap(),
        account: account(),
        zone: ZoneId::new("ZA").unwrap(),
        submitted_at: Timestamp(1),
        comment: Some("why".into()),
    };
    pair.write(1, vec![]);
    pair.write(1, vec![commit(vec![Effect::PutChange(change.clone())])]);
    let state = pair.tables.read().unwrap();
    assert_eq!(state.change(&change.id).unwrap(), Some((Seq(2), change)));
    assert!(pair.tables.wait_applied(Seq(2), Duration::ZERO));
    assert!(!pair.tables.wait_applied(Seq(3), Duration::from_millis(1)));
}

#[test]
fn entries_off_the_chain_are_not_applied_and_leave_no_trace() {
    let (pair, other) = (Pair::new(), Pair::new());
    pair.write(1, vec![commit(vec![put(1, "a.test", "1")])]);
    other.write(1, vec![commit(vec![put(1, "a.test", "2")])]);
    other.write(1, vec![commit(vec![put(1, "b.test", "2")])]);
    let digest = pair.tables.read().unwrap().digest();
    let entries = other.journal.read(Seq(0), 9).unwrap();
    assert!(matches!(
        pair.tables.apply(&entries[1..]),
        Err(ApplyError::OffChain { seq: Seq(2), .. })
    ));
    assert!(matches!(
        pair.tables.apply(&entries),
        Err(ApplyError::Gap {
            expected: Seq(2),
            found: Seq(1)
        })
    ));
    assert_eq!(pair.tables.read().unwrap().digest(), digest);
    assert_eq!(pair.tables.recompute_digest().unwrap(), digest);
    let report = verify(&pair.journal, Some(&pair.tables)).unwrap();
    assert_eq!((report.entries, report.effects), (1, 1));
    assert_eq!(report.tables.unwrap().digest, digest);
    assert!(verify(&other.journal, Some(&pair.tables)).is_err());
}
