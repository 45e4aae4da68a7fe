//! Route 53's operations and the first start: rights, tenants, retries.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use meridian_control::{
    AdminError, Caller, ChangeStatus, Control, FirstStart, ListHostedZones, ListHostedZonesByName,
    NewUser, OperationError, Refusal, Served,
};
use meridian_dns::Name;
use meridian_log::{Journal, LocalJournal};
use meridian_model::{Action, KeyStatus, Quota, Seq};

use crate::bench::{Bench, Hand, batch, caller, code, ready_made, records, zone};

#[test]
fn a_zone_is_made_changed_listed_and_deleted() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    assert_eq!(
        bench
            .control
            .hosted_zone(&me, &id)
            .unwrap()
            .record_set_count,
        2
    );
    let change = bench
        .control
        .change_record_sets(&me, &batch(&id, "www.site.test", "192.0.2.1"));
    let change = change.unwrap();
    assert_eq!(change.change.comment.as_deref(), Some("why"));
    let page = bench.control.list_record_sets(&me, &records(&id)).unwrap();
    assert_eq!(page.sets.len(), 3);
    assert_eq!(
        code(bench.control.delete_hosted_zone(&me, &id)),
        "HostedZoneNotEmpty"
    );
    let mut gone = batch(&id, "www.site.test", "192.0.2.1");
    gone.changes[0].action = Action::Delete;
    bench.control.change_record_sets(&me, &gone).unwrap();
    bench.control.delete_hosted_zone(&me, &id).unwrap();
    assert_eq!(
        code(bench.control.hosted_zone(&me, &id)),
        "NoSuchHostedZone"
    );
    let again = bench.control.create_hosted_zone(&me, &zone("site.test"));
    assert_eq!(code(again), "HostedZoneAlreadyExists");
}

#[test]
fn a_change_is_in_sync_when_the_name_servers_say_so() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let change = bench
        .control
        .change_record_sets(&me, &batch(&id, "www.site.test", "192.0.2.1"));
    let change = change.unwrap();
    assert_eq!(change.status, ChangeStatus::Pending);
    let status = || {
        bench
            .control
            .change(&me, change.change.id.as_str())
            .unwrap()
            .status
    };
    let served = |seq| Served {
        seq: Seq(seq),
        failed: BTreeMap::new(),
    };
    bench.acks.report("one", served(bench.entries() - 1));
    assert_eq!(status(), ChangeStatus::Pending);
    bench.acks.report("one", served(bench.entries()));
    assert_eq!(status(), ChangeStatus::Insync);
}

#[test]
fn another_accounts_things_do_not_exist() {
    let bench = Bench::new();
    let (one, two) = (caller(&bench.account("one")), caller(&bench.account("two")));
    let id = bench.zone(&one, "site.test");
    let change = bench
        .control
        .change_record_sets(&one, &batch(&id, "www.site.test", "192.0.2.1"));
    let change = change.unwrap().change.id.to_string();
    let missing = |found: Result<_, OperationError>, id: &str| match found {
        Err(OperationError::Refused(refusal)) => refusal.to_string().replace(id, "ID"),
        other => panic!("{other:?}"),
    };
    let nowhere = "Z00NOWHERE";
    let text = missing(bench.control.hosted_zone(&two, nowhere).map(drop), nowhere);
    let control = &bench.control;
    for outcome in [
        control.hosted_zone(&two, &id).map(drop),
        control.list_record_sets(&two, &records(&id)).map(drop),
        control
            .change_record_sets(&two, &batch(&id, "x.site.test", "192.0.2.2"))
            .map(drop),
        control.delete_hosted_zone(&two, &id).map(drop),
    ] {
        assert_eq!(missing(outcome, &id), text);
    }
    assert_eq!(code(control.change(&two, &change)), "NoSuchChange");
    let list = ListHostedZones {
        max_items: 100,
        ..ListHostedZones::default()
    };
    assert!(
        control
            .list_hosted_zones(&two, &list)
            .unwrap()
            .zones
            .is_empty()
    );
    let by_name = ListHostedZonesByName {
        max_items: 100,
        ..ListHostedZonesByName::default()
    };
    assert!(
        control
            .list_hosted_zones_by_name(&two, &by_name)
            .unwrap()
            .zones
            .is_empty()
    );
    assert_eq!(
        code(control.create_hosted_zone(&two, &zone("site.test"))),
        "DelegationSetNotAvailable"
    );
    assert_eq!(
        code(control.create_hosted_zone(&two, &zone("a.site.test"))),
        "DelegationSetNotAvailable"
    );
    bench.zone(&one, "a.site.test");
}

#[test]
fn every_operation_asks_for_its_right() {
    let bench = Bench::new();
    let account = bench.account("one");
    let root = caller(&account);
    let id = bench.zone(&root, "site.test");
    let change = bench
        .control
        .change_record_sets(&root, &batch(&id, "www.site.test", "192.0.2.1"));
    let change = change.unwrap().change.id.to_string();
    let control = &bench.control;
    for (name, policies) in [
        ("nobody", vec![]),
        ("reader", vec![ready_made("read-only")]),
        ("admin", vec![ready_made("admin")]),
    ] {
        let new = NewUser {
            account: "one".to_owned(),
            name: name.to_owned(),
            policies,
        };
        control.create_user(&new).unwrap();
    }
    let allowed = |name: &str| {
        let user = Caller {
            user: Some(name.to_owned()),
            ..root.clone()
        };
        let list = ListHostedZones {
            max_items: 1,
            ..ListHostedZones::default()
        };
        let by_name = ListHostedZonesByName {
            max_items: 1,
            ..ListHostedZonesByName::default()
        };
        [
            control.hosted_zone(&user, &id).map(drop),
            control.list_hosted_zones(&user, &list).map(drop),
            control.list_hosted_zones_by_name(&user, &by_name).map(drop),
            control.list_record_sets(&user, &records(&id)).map(drop),
            control.change(&user, &change).map(drop),
            control
                .create_hosted_zone(&user, &zone(&format!("{name}.test")))
                .map(drop),
            control
                .change_record_sets(&user, &batch(&id, "n.site.test", "192.0.2.9"))
                .map(drop),
            control.delete_hosted_zone(&user, &id).map(drop),
        ]
        .map(|outcome| match outcome {
            Err(OperationError::Refused(Refusal::AccessDenied { .. })) => 'n',
            // The zone is not empty: that is beyond rights.
            Ok(()) | Err(OperationError::Refused(Refusal::HostedZoneNotEmpty)) => 'y',
            Err(other) => panic!("{other:?}"),
        })
        .iter()
        .collect::<String>()
    };
    assert_eq!(allowed("nobody"), "nnnnnnnn");
    assert_eq!(allowed("reader"), "yyyyynnn");
    assert_eq!(allowed("admin"), "yyyyyyyy");
    assert_eq!(allowed("never-made"), "nnnnnnnn");
}

#[test]
fn a_retry_gets_the_first_answer_and_writes_nothing() {
    let bench = Bench::new();
    let me = Caller {
        retry: Some([9; 32]),
        ..caller(&bench.operator)
    };
    let first = bench
        .control
        .create_hosted_zone(&me, &zone("site.test"))
        .unwrap();
    let entries = bench.entries();
    assert_eq!(
        bench
            .control
            .create_hosted_zone(&me, &zone("site.test"))
            .unwrap(),
        first
    );
    assert_eq!(bench.entries(), entries);
    bench.now.fetch_add(16 * 60 * 1000, Ordering::Relaxed);
    let late = bench.control.create_hosted_zone(&me, &zone("site.test"));
    assert_eq!(code(late), "HostedZoneAlreadyExists");
}

#[test]
fn a_refused_request_leaves_no_entry() {
    let bench = Bench::new();
    let me = caller(&bench.operator);
    let id = bench.zone(&me, "site.test");
    let entries = bench.entries();
    let refused = bench
        .control
        .change_record_sets(&me, &batch(&id, "www.else.test", "192.0.2.1"));
    assert_eq!(code(refused), "InvalidChangeBatch");
    assert_eq!(bench.entries(), entries);
}

#[test]
fn keys_open_doors_until_they_are_closed() {
    let bench = Bench::new();
    let control = &bench.control;
    bench.account("one");
    let new = control.create_access_key("one", None).unwrap();
    let credential = control.credential(&new.key.id).unwrap().unwrap();
    assert_eq!(credential.secret.0, new.secret.0);
    assert_eq!(new.secret.0.len(), 40);
    assert!(!format!("{new:?} {credential:?}").contains(new.secret.0.as_str()));
    control
        .set_access_key_status(new.key.id.as_str(), KeyStatus::Inactive)
        .unwrap();
    assert!(control.credential(&new.key.id).unwrap().is_none());
    control.create_access_key("one", None).unwrap();
    assert!(matches!(
        control.create_access_key("one", None),
        Err(AdminError::TooManyKeys)
    ));
    control.delete_access_key(new.key.id.as_str()).unwrap();
    control.create_access_key("one", None).unwrap();
    assert_eq!(control.access_keys(Some("one")).unwrap().len(), 2);
    assert!(matches!(
        control.create_access_key("one", Some("nobody")),
        Err(AdminError::UnknownUser(..))
    ));
}

#[test]
fn secrets_are_in_no_journal_and_in_the_vault_only_sealed() {
    let bench = Bench::new();
    let new = bench.control.create_access_key("operator", None).unwrap();
    let secret = new.secret.0.as_bytes();
    for entry in bench.journal.read(Seq(0), 1000).unwrap() {
        assert!(!format!("{entry:?}").contains(new.secret.0.as_str()));
    }
    for file in std::fs::read_dir(bench.directory.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        assert!(!bytes.windows(secret.len()).any(|window| window == secret));
    }
}

#[test]
fn the_first_start_is_written_once_and_hands_out_a_key_that_works() {
    let bench = Bench::new();
    let first = FirstStart {
        domain: Name::parse("pool.test").unwrap(),
        addresses: vec![[127, 0, 0, 1].into()],
    };
    let kept = RefCell::new(0);
    let again = bench.control.first_start(&first, |_| {
        *kept.borrow_mut() += 1;
        Ok(())
    });
    assert_eq!((again.unwrap(), kept.into_inner()), (None, 0));
    let accounts = bench.control.accounts().unwrap();
    assert_eq!(accounts.len(), 1);
    assert!(accounts[0].operator);
    assert_eq!(bench.control.name_servers().unwrap().len(), 4);
    let keys = bench.control.access_keys(Some("operator")).unwrap();
    assert!(
        bench
            .control
            .credential(&keys[0].id)
            .unwrap()
            .unwrap()
            .operator
    );
}

#[test]
fn a_key_opens_doors_from_the_moment_it_is_shown_and_none_once_it_is_closed() {
    let bench = Bench::new();
    let control = &bench.control;
    for round in 0..20 {
        let name = format!("account-{round}");
        bench.account(&name);
        let id = control.create_access_key(&name, None).unwrap().key.id;
        assert!(control.credential(&id).unwrap().is_some(), "{round}");
        control
            .set_access_key_status(id.as_str(), KeyStatus::Inactive)
            .unwrap();
        assert!(control.credential(&id).unwrap().is_none(), "{round}");
        control
            .set_access_key_status(id.as_str(), KeyStatus::Active)
            .unwrap();
        control.delete_access_key(id.as_str()).unwrap();
        assert!(control.credential(&id).unwrap().is_none(), "{round}");
    }
}

#[test]
fn a_shorter_journal_than_the_tables_is_no_contention() {
    let mut bench = Bench::new();
    let control = &bench.control;
    bench.account("one");
    control.accounts().unwrap();
    bench.stop.store(true, Ordering::Relaxed);
    bench.follower.take().unwrap().join().unwrap();
    let empty = Arc::new(LocalJournal::in_memory().unwrap());
    let hand = Hand {
        now: Arc::clone(&bench.now),
        drawn: AtomicU8::new(1),
    };
    let control = Control::new(
        empty,
        Arc::clone(&bench.tables),
        Arc::clone(&bench.vault),
        Arc::clone(&bench.acks),
        Box::new(hand),
    );
    let error = control.create_account("two").unwrap_err().to_string();
    assert!(
        error.contains("another journal was put in place"),
        "{error}"
    );
}

#[test]
fn quotas_are_per_account_and_can_be_raised() {
    let bench = Bench::new();
    let account = bench.account("one");
    let me = caller(&account);
    bench
        .control
        .put_quota("one", Quota::HostedZonesByOwner, 1)
        .unwrap();
    bench.zone(&me, "a.test.example");
    let refused = bench
        .control
        .create_hosted_zone(&me, &zone("b.test.example"));
    assert_eq!(code(refused), "TooManyHostedZones");
    bench.zone(&caller(&bench.operator), "c.test.example");
    bench
        .control
        .put_quota("one", Quota::HostedZonesByOwner, 2)
        .unwrap();
    bench.zone(&me, "b.test.example");
}

#[test]
fn pages_start_where_the_last_one_ended() {
    let bench = Bench::new();
    let me = caller(&bench.account("one"));
    for name in ["b.test", "a-x.test", "a.test", "c.a.test"] {
        bench.zone(&me, &format!("{name}.example"));
    }
    let mut request = ListHostedZonesByName {
        max_items: 1,
        ..ListHostedZonesByName::default()
    };
    let mut seen = Vec::new();
    loop {
        let page = bench
            .control
            .list_hosted_zones_by_name(&me, &request)
            .unwrap();
        seen.extend(page.zones.iter().map(|zone| zone.zone.name.to_string()));
        let Some(next) = page.next else { break };
        request.dns_name = Some(next.name.to_string());
        request.hosted_zone_id = Some(next.id.to_string());
    }
    let expected = [
        "a-x.test.example.",
        "a.test.example.",
        "c.a.test.example.",
        "b.test.example.",
    ];
    assert_eq!(seen, expected);
    let mut request = ListHostedZones {
        max_items: 3,
        ..ListHostedZones::default()
    };
    let first = bench.control.list_hosted_zones(&me, &request).unwrap();
    request.marker = Some(first.next.unwrap().to_string());
    let second = bench.control.list_hosted_zones(&me, &request).unwrap();
    assert_eq!(
        (first.zones.len(), second.zones.len(), second.next),
        (3, 1, None)
    );
}
