//! Changes that name what others delete, limit or replace at the same time.

use std::time::Instant;

use meridian_control::{ChangeCidrCollection, Refusal};
use meridian_model::{
    CidrAction, CidrChange, CidrLocation, HealthCheckDraft, HealthCheckSettings, HealthCheckType,
    NewCidrCollection, NewHealthCheck, Quota,
};

use super::ledger::Ledger;
use super::*;

const WRITERS: usize = 9;
const ROUNDS: usize = 30;

/// What sets name; the newest of each, which may be gone.
#[derive(Default)]
struct Named {
    check: Mutex<String>,
    collection: Mutex<String>,
}

fn tried<T>(done: Result<T, OperationError>) -> Option<T> {
    match done {
        Ok(done) => Some(done),
        Err(OperationError::Refused(_) | OperationError::Fault(Fault::Contention)) => None,
        Err(other) => panic!("{other}"),
    }
}

/// Makes a check and a collection again and again, and deletes them behind the writers' backs.
fn make_and_delete(bench: &Bench, owner: &Caller, named: &Named, over: &AtomicBool) {
    let mut number = 0;
    while !over.load(Ordering::Relaxed) {
        number += 1;
        let new = NewHealthCheck {
            caller_reference: format!("check{number}"),
            config: HealthCheckDraft {
                check_type: HealthCheckType::Http,
                settings: HealthCheckSettings {
                    domain_name: Some("www.example.test".to_owned()),
                    ..HealthCheckSettings::default()
                },
            },
        };
        let check = bench.control.create_health_check(owner, &new).unwrap().id;
        let new = NewCidrCollection {
            name: format!("collection{number}"),
            caller_reference: format!("collection{number}"),
        };
        let collection = bench.control.create_cidr_collection(owner, &new).unwrap();
        let collection = collection.id;
        let request = ChangeCidrCollection {
            id: collection.to_string(),
            version: None,
            changes: vec![CidrChange {
                location: CidrLocation::new("home").unwrap(),
                action: CidrAction::Put,
                blocks: vec!["192.0.2.0/24".to_owned()],
            }],
        };
        bench
            .control
            .change_cidr_collection(owner, &request)
            .unwrap();
        *named.check.lock().unwrap() = check.to_string();
        *named.collection.lock().unwrap() = collection.to_string();
        thread::sleep(Duration::from_millis(4));
        let empty = ChangeCidrCollection {
            changes: request
                .changes
                .into_iter()
                .map(|change| CidrChange {
                    action: CidrAction::DeleteIfExists,
                    ..change
                })
                .collect(),
            ..request
        };
        // While a set names it, it cannot be; there may be only a few.
        let gone = || {
            tried(bench.control.change_cidr_collection(owner, &empty));
            tried(
                bench
                    .control
                    .delete_cidr_collection(owner, collection.as_str()),
            )
            .is_some()
        };
        while !gone() {
            thread::sleep(Duration::from_micros(500));
        }
        tried(bench.control.delete_health_check(owner, &check.to_string()));
    }
}

/// Has a set of the zone name the newest check, and another one the newest collection.
fn refer(tenant: &Tenant, control: &Control, named: &Named, round: usize) -> [bool; 2] {
    let value = format!("192.0.2.{round}");
    let change = |label: &str, action, alter: &dyn Fn(&mut Draft)| {
        let name = format!("{label}.{}.test", tenant.name);
        let mut set = Draft::simple(&name, RecordType::A, 60, &[&value]);
        set.set_identifier = Some("one".to_owned());
        alter(&mut set);
        let request = ChangeRecordSets {
            hosted_zone_id: tenant.zone.clone(),
            comment: None,
            changes: vec![DraftChange { action, set }],
        };
        tried(control.change_record_sets(&tenant.caller, &request)).is_some()
    };
    let check = named.check.lock().unwrap().clone();
    let checked = change("checked", Action::Upsert, &|set| {
        (set.weight, set.health_check_id) = (Some(1), Some(check.clone()));
    });
    let collection = named.collection.lock().unwrap().clone();
    let by_network = |set: &mut Draft| {
        set.cidr_routing_config = Some((collection.clone(), "home".to_owned()));
    };
    let routed = change("routed", Action::Upsert, &by_network);
    if routed {
        change("routed", Action::Delete, &by_network);
    }
    [checked, routed]
}

#[test]
fn what_is_named_exists_when_it_is_written_whoever_deletes_it() {
    let bench = Bench::new();
    let account = bench.tenant("owner").account;
    let tenants: Vec<_> = (0..WRITERS)
        .map(|number| bench.tenant_of(&account, &format!("t{number}")))
        .collect();
    bench.journal.micros.store(300, Ordering::Relaxed);
    let (named, over) = (Named::default(), AtomicBool::new(false));
    let done: Vec<[bool; 2]> = thread::scope(|scope| {
        let (bench, named, over) = (&bench, &named, &over);
        let owner = &tenants[0].caller;
        let deleting = scope.spawn(move || make_and_delete(bench, owner, named, over));
        let write = |tenant| {
            scope.spawn(move || -> Vec<_> {
                (0..ROUNDS)
                    .map(|round| refer(tenant, &bench.control, named, round))
                    .collect()
            })
        };
        let writers: Vec<_> = tenants.iter().map(write).collect();
        let done = writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap());
        let done = done.collect();
        over.store(true, Ordering::Relaxed);
        deleting.join().unwrap();
        done
    });
    let entries = bench.entries();
    let ledger = Ledger::of(&entries);
    // It was tried in earnest: each way, and in entries that were shared.
    assert!(ledger.references > 10 && ledger.deleted > 5);
    for kind in [0, 1] {
        let taken = done.iter().filter(|done| done[kind]).count();
        assert!(taken > 0 && taken < done.len(), "{kind}: {taken}");
    }
    assert!(entries.iter().any(|entry| entry.commits.len() > 2));
    meridian_log::verify(&*bench.journal, Some(&*bench.tables)).unwrap();
}

#[test]
fn zones_that_go_and_limits_that_fall_are_heeded_by_those_who_share_an_entry() {
    let bench = Bench::new();
    let tenants = crowd(&bench, 6);
    bench.journal.micros.store(300, Ordering::Relaxed);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let (bench, over) = (&bench, &over);
        let operator = scope.spawn(|| {
            let accounts: BTreeSet<_> = tenants.iter().map(|tenant| &tenant.account).collect();
            while !over.load(Ordering::Relaxed) {
                for (account, limit) in accounts.iter().flat_map(|a| [(a, 3), (a, 100)]) {
                    let quota = Quota::RecordSetsByZone;
                    bench
                        .control
                        .put_quota(account.as_str(), quota, limit)
                        .unwrap();
                    thread::sleep(Duration::from_millis(1));
                }
            }
        });
        let write = |tenant: &Tenant| {
            let (account, name) = (tenant.account.clone(), tenant.name.clone());
            scope.spawn(move || {
                let again = bench.tenant_of(&account, &format!("again{name}"));
                write_until_gone(bench, &again);
            })
        };
        let writers: Vec<_> = tenants.iter().map(write).collect();
        for writer in writers {
            writer.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
        operator.join().unwrap();
    });
    Ledger::of(&bench.entries());
    meridian_log::verify(&*bench.journal, Some(&*bench.tables)).unwrap();
}

/// Two write sets of a zone, whose owner deletes it meanwhile.
fn write_until_gone(bench: &Bench, tenant: &Tenant) {
    let full = &AtomicUsize::new(0);
    thread::scope(|scope| {
        for half in 0..2 {
            scope.spawn(move || {
                for step in 0..5000 {
                    let label = format!("n{half}");
                    let action = [Action::Create, Action::Delete][step % 2];
                    if step % 20 == 0 {
                        // With nothing of its own there: the zone is empty between two steps of
                        // the other one.
                        thread::sleep(Duration::from_millis(5 + 3 * half));
                    }
                    let began = Instant::now();
                    let done = tenant.act(&bench.control, action, &label, "192.0.2.1");
                    assert!(
                        began.elapsed() < Duration::from_secs(5),
                        "nobody is forgotten"
                    );
                    match done {
                        Ok(_) => {}
                        Err(OperationError::Refused(Refusal::NoSuchHostedZone(_))) => return,
                        Err(OperationError::Refused(Refusal::InvalidChangeBatch(texts))) => {
                            full.fetch_add(
                                usize::from(texts[0].contains("MAX_RRSETS_BY_ZONE")),
                                Ordering::Relaxed,
                            );
                        }
                        Err(other) => panic!("{other}"),
                    }
                }
                panic!("the zone was never deleted");
            });
        }
        // Once a limit was met, and the zone is empty, if only for a moment.
        while full.load(Ordering::Relaxed) == 0 {
            thread::sleep(Duration::from_micros(200));
        }
        while tried(
            bench
                .control
                .delete_hosted_zone(&tenant.caller, &tenant.zone),
        )
        .is_none()
        {
            thread::sleep(Duration::from_micros(200));
        }
    });
}
