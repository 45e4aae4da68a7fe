//! What tables answer after a few entries, one scenario each.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests are not seen as tests by the lint"
)]

use std::time::Duration;

use meridian_dns::{Name, RecordType};
use meridian_log::{ApplyError, Commit, Journal, LocalJournal, RetryKey, Tables, verify};
use meridian_model::{
    AcceleratedRecovery, AccessKey, AccessKeyId, Account, AccountId, Change, ChangeId,
    DelegationSet, Effect, Generation, KeyStatus, NameServer, ProbeRights, Quota, RecordSet, Seq,
    State, Timestamp, UnseenGeneration, UnseenState, User, Zone, ZoneId, plan_collect_generation,
    plan_publish_generation,
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
        delegation_set: DelegationSet::own(vec![name("ns1.test")]),
        generation: Generation(generation),
        created_at: Timestamp(5),
        accelerated_recovery: AcceleratedRecovery::default(),
        vpcs: vec![],
    }
}

fn ids(zones: &[Zone]) -> Vec<&str> {
    zones.iter().map(|zone| zone.id.as_str()).collect()
}

fn set(owner: &str, value: &str) -> RecordSet {
    RecordSet::simple(name(owner), RecordType::A, 60, vec![value.into()])
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
    let newest = (Seq(u64::MAX), u32::MAX);
    let mut back = state.history_back(&z.id, newest, 2).unwrap();
    let last = back.last().map(|row| (row.seq, row.commit)).unwrap();
    back.extend(state.history_back(&z.id, last, 9).unwrap());
    back.reverse();
    assert_eq!(back, history, "page by page, within an entry too");
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
        zone: Some(ZoneId::new("ZA").unwrap()),
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

#[test]
fn accounts_users_and_keys_are_found_by_what_names_them() {
    let pair = Pair::new();
    let made = |name: &str| Account {
        id: account(),
        name: name.into(),
        operator: true,
        probes: ProbeRights::Public,
        created_at: Timestamp(1),
    };
    let user = User {
        account: account(),
        name: "ada".into(),
        policies: vec![],
        created_at: Timestamp(1),
    };
    let key = |id: &str| AccessKey {
        id: AccessKeyId::new(id).unwrap(),
        account: account(),
        user: Some("ada".into()),
        status: KeyStatus::Active,
        vault_row: format!("access-key/{id}"),
        created_at: Timestamp(1),
    };
    let (first, second) = (key("AKIA1"), key("AKIA2"));
    let effects = vec![
        Effect::PutAccount(made("old")),
        Effect::PutAccount(made("new")),
        Effect::PutUser(user.clone()),
        Effect::PutAccessKey(first.clone()),
        Effect::PutAccessKey(second.clone()),
        Effect::PutQuota {
            account: account(),
            quota: Quota::HostedZonesByOwner,
            limit: 7,
        },
    ];
    pair.write(1, vec![commit(effects)]);
    let state = pair.tables.read().unwrap();
    assert_eq!(state.account_named("new").unwrap(), Some(made("new")));
    assert_eq!(state.account_named("old").unwrap(), None);
    assert_eq!(state.account(&account()).unwrap(), Some(made("new")));
    assert_eq!(state.accounts().unwrap().len(), 1);
    assert_eq!(state.user(&account(), "ada").unwrap().as_ref(), Some(&user));
    assert_eq!(state.users(&account()).unwrap(), [user]);
    assert_eq!(state.access_key(&first.id).unwrap().as_ref(), Some(&first));
    let limit = |quota| state.limit(&account(), quota).unwrap();
    assert_eq!(limit(Quota::HostedZonesByOwner), 7);
    assert_eq!(limit(Quota::RecordSetsByZone), 10_000);
    let gone = first.id.clone();
    assert_eq!(state.access_keys(&account()).unwrap(), [first, second]);

    let effects = vec![
        Effect::DeleteAccessKey(gone.clone()),
        Effect::DeleteUser {
            account: account(),
            name: "ada".into(),
        },
    ];
    pair.write(2, vec![commit(effects)]);
    let state = pair.tables.read().unwrap();
    assert_eq!(state.access_key(&gone).unwrap(), None);
    assert_eq!(state.access_keys(&account()).unwrap().len(), 1);
    assert!(state.users(&account()).unwrap().is_empty());

    pair.write(3, vec![commit(vec![Effect::DeleteAccount(account())])]);
    let state = pair.tables.read().unwrap();
    assert_eq!(state.account(&account()).unwrap(), None);
    assert_eq!(state.account_named("new").unwrap(), None);
    let limit = state.limit(&account(), Quota::HostedZonesByOwner).unwrap();
    assert_eq!(limit, Quota::HostedZonesByOwner.default_limit());
}

#[test]
fn the_pool_comes_by_ordinal() {
    let pair = Pair::new();
    let server = |label: &str, ordinal| NameServer {
        name: name(label),
        addresses: vec!["192.0.2.1".parse().unwrap(), "2001:db8::1".parse().unwrap()],
        ordinal,
    };
    let effects = [("a.test", 2), ("b.test", 0), ("c.test", 1)]
        .map(|(label, ordinal)| Effect::PutNameServer(server(label, ordinal)));
    pair.write(1, vec![commit(effects.into())]);
    pair.write(
        1,
        vec![commit(vec![Effect::DeleteNameServer(name("c.test"))])],
    );
    let state = pair.tables.read().unwrap();
    let expected = [server("b.test", 0), server("a.test", 2)];
    assert_eq!(state.name_servers().unwrap(), expected);
    let found = state.name_server(&name("a.test")).unwrap();
    assert_eq!(found.as_ref(), expected.last());
    assert_eq!(state.name_server(&name("c.test")).unwrap(), None);
}

#[test]
fn a_generation_is_written_unseen_published_and_the_old_one_collected() {
    let journal = LocalJournal::in_memory().unwrap();
    let tables = Tables::in_memory().unwrap();
    let write = |effects| {
        let head = journal.head().unwrap();
        journal
            .append(head, vec![commit(effects)], Timestamp(7))
            .unwrap();
        tables.apply(&journal.read(head.seq, 9).unwrap()).unwrap();
        tables.read().unwrap()
    };
    let (old, new) = (Generation(1), Generation(2));
    let mine = zone("Z1", "site.test", old.0);
    write(vec![
        Effect::PutZone(mine.clone()),
        put(1, "a.site.test", "192.0.2.1"),
        put(1, "b.site.test", "192.0.2.1"),
        put(1, "c.site.test", "192.0.2.1"),
    ]);
    let draft = UnseenGeneration {
        generation: new,
        account: account(),
        zone: mine.id.clone(),
        state: UnseenState::Draft,
        since: Timestamp(6),
    };
    let state = write(vec![Effect::PutUnseenGeneration(draft.clone())]);
    assert_eq!(state.next_generation().unwrap(), Generation(3));
    let state = write(vec![put(2, "d.site.test", "192.0.2.2")]);
    assert_eq!(state.unseen_generations().unwrap(), [draft]);
    assert_eq!(state.zone_at(new).unwrap(), None);
    assert_eq!(state.history(&mine.id, Seq(1), 9).unwrap(), []);
    let state = write(plan_publish_generation(&mine, new, Timestamp(7)));
    assert_eq!(state.zone(&mine.id).unwrap().unwrap().generation, new);
    let history = state.history(&mine.id, Seq(1), 9).unwrap();
    assert_eq!(history[0].previous_generation, Some(old));
    let superseded = state.unseen_generation(old).unwrap().unwrap();
    assert_eq!(superseded.state, UnseenState::Superseded);
    let state = write(plan_collect_generation(&superseded, 2, Timestamp(8)));
    let garbage = state.unseen_generation(old).unwrap().unwrap();
    assert_eq!(
        (garbage.state, state.set_count(old).unwrap()),
        (UnseenState::Garbage, 1)
    );
    let state = write(plan_collect_generation(&garbage, 2, Timestamp(9)));
    assert_eq!(state.unseen_generations().unwrap(), []);
    assert_eq!(state.sets_from(old, None, 9).unwrap(), []);
    assert_eq!(state.set_count(new).unwrap(), 1);
    verify(&journal, Some(&tables)).unwrap();
}
