//! What befalls one of those who share an entry is not the others' misfortune.

use meridian_control::RestoreOutcome;

use super::*;

/// Has one write, and the others get into line meanwhile; `between` runs once that one is at it.
/// What each of them does, in order, or that it panicked.
fn behind_one<T: Send>(
    bench: &Bench,
    tenants: &[Tenant],
    between: impl FnOnce(),
    act: impl Fn(&Tenant) -> T + Sync,
) -> Vec<thread::Result<T>> {
    bench.journal.micros.store(40_000, Ordering::Relaxed);
    let done = thread::scope(|scope| {
        let act = &act;
        let first = scope.spawn(move || act(&tenants[0]));
        while !bench.journal.busy.load(Ordering::Relaxed) && !first.is_finished() {
            thread::yield_now();
        }
        between();
        let others = tenants[1..].iter();
        let others: Vec<_> = others
            .map(|other| scope.spawn(move || act(other)))
            .collect();
        let all = [first].into_iter().chain(others);
        all.map(|writer| writer.join()).collect()
    });
    bench.journal.micros.store(0, Ordering::Relaxed);
    done
}

#[test]
fn one_whom_the_journal_refuses_is_refused_alone_and_the_others_hardly_pay() {
    let bench = Bench::new();
    let tenants = crowd(&bench, 24);
    let before = bench.entries().len();
    *bench.journal.banned.lock().unwrap() = Some(ZoneId::new(&tenants[13].zone).unwrap());
    let done = behind_one(
        &bench,
        &tenants,
        || (),
        |tenant| tenant.change(&bench.control, "192.0.2.1").map(drop),
    );
    for (number, done) in done.into_iter().enumerate() {
        match done.unwrap() {
            Ok(()) => assert_ne!(number, 13),
            Err(OperationError::Fault(Fault::NotFinalized { needed: 9, .. })) => {
                assert_eq!(number, 13);
            }
            Err(other) => panic!("{number}: {other}"),
        }
    }
    // Those of the first, of some who came late, and of the pieces of one that was refused.
    let written = bench.entries().len() - before;
    assert!(written <= 12, "{written} entries for 23 changes");
    meridian_log::verify(&*bench.journal, Some(&*bench.tables)).unwrap();
}

#[test]
fn who_panics_while_others_wait_for_it_keeps_nobody() {
    for fright in [Fright::Time, Fright::Entropy] {
        let bench = Bench::new();
        let tenants = crowd(&bench, 8);
        let before = bench.commits();
        let frighten = || *bench.fright.lock().unwrap() = Some(fright);
        let done = behind_one(&bench, &tenants, frighten, |tenant| {
            tenant.change(&bench.control, "192.0.2.1").unwrap();
        });
        assert_eq!(done.iter().filter(|done| done.is_err()).count(), 1);
        assert_eq!(bench.commits(), before + 7, "{fright:?}");
        for tenant in &tenants {
            tenant.change(&bench.control, "192.0.2.2").unwrap();
        }
    }
}

#[test]
fn retries_after_an_entry_of_unknown_outcome_get_their_own_first_answers() {
    let bench = Bench::new();
    let tenants = crowd(&bench, 8);
    let before = bench.commits();
    let mishap = || *bench.journal.mishap.lock().unwrap() = Some(Mishap::Unconfirmed);
    let number = |tenant: &Tenant| tenant.name[1..].parse::<u8>().unwrap();
    let change = &|tenant: &Tenant| tenant.change_as(&bench.control, number(tenant), "192.0.2.1");
    let done = behind_one(&bench, &tenants, mishap, change);
    let failed = done
        .iter()
        .filter(|done| matches!(done, Ok(Err(_))))
        .count();
    assert!(failed > 1, "{done:?}");
    assert_eq!(bench.commits(), before + 8, "all of them are there");
    // Each looks whether the answer names its own zone.
    thread::scope(|scope| {
        for tenant in &tenants {
            scope.spawn(move || change(tenant).unwrap());
        }
    });
    assert_eq!(bench.commits(), before + 8, "and none of them twice");
}

#[test]
fn a_retry_beside_its_first_try_is_not_written_again() {
    let bench = Bench::new();
    let tenants = crowd(&bench, 6);
    let before = bench.commits();
    bench.journal.micros.store(5_000, Ordering::Relaxed);
    let control = &bench.control;
    thread::scope(|scope| {
        for (number, tenant) in (0..).zip(&tenants) {
            for _ in 0..3 {
                scope.spawn(move || tenant.change_as(control, number, "192.0.2.1").unwrap());
            }
        }
    });
    assert_eq!(bench.commits(), before + 6);
}

#[test]
fn each_zone_has_its_own_history_of_an_entry_that_it_shares() {
    let bench = Bench::new();
    let tenants = crowd(&bench, 6);
    for value in ["192.0.2.1", "192.0.2.2"] {
        for done in behind_one(
            &bench,
            &tenants,
            || (),
            |tenant| tenant.change(&bench.control, value).map(drop),
        ) {
            done.unwrap().unwrap();
        }
    }
    let versions: Vec<_> = tenants
        .iter()
        .map(|tenant| bench.control.zone_history(&tenant.zone, 2).unwrap().1)
        .collect();
    let shared: BTreeSet<Seq> = versions.iter().map(|of| of[1].seq).collect();
    assert!(shared.len() < tenants.len(), "no entry was shared");
    for (tenant, versions) in tenants.iter().zip(&versions) {
        for version in versions {
            assert_eq!(version.principal, tenant.caller.arn());
            let change = version.change.as_ref().unwrap();
            assert_eq!(change.account, tenant.account);
            let [difference] = &version.differences[..] else {
                panic!("{:?}", version.differences);
            };
            let name = &difference.after.as_ref().unwrap().key.name;
            assert_eq!(name.to_string(), format!("www.{}.test.", tenant.name));
        }
    }
    // Every second one goes back, while the others write on.
    for done in behind_one(
        &bench,
        &tenants,
        || (),
        |tenant| {
            let number = tenants.iter().position(|other| other.zone == tenant.zone);
            let to = versions[number.unwrap()][1].seq;
            if number.unwrap() % 2 == 0 {
                let publish = RestoreOutcome::Publish;
                let restored = bench.control.restore_zone(&tenant.zone, to, publish);
                assert_eq!(restored.unwrap().differences.len(), 1);
            } else {
                tenant.change(&bench.control, "192.0.2.3").unwrap();
            }
        },
    ) {
        done.unwrap();
    }
    for (number, tenant) in tenants.iter().enumerate() {
        let (_, versions) = bench.control.zone_history(&tenant.zone, 1).unwrap();
        let set = format!("{:?}", versions[0].differences[0].after);
        let value = if number % 2 == 0 {
            "192.0.2.1"
        } else {
            "192.0.2.3"
        };
        assert!(set.contains(value), "{set}");
    }
}

/// What a crowd hears when this happens to the first entry that several of it share.
fn heard(bench: &Bench, tenants: &[Tenant], mishap: Mishap) -> Vec<Result<(), OperationError>> {
    *bench.journal.mishap.lock().unwrap() = Some(mishap);
    bench.journal.micros.store(20_000, Ordering::Relaxed);
    let begin = Barrier::new(tenants.len());
    let heard = thread::scope(|scope| {
        let write = |tenant| {
            let (begin, control) = (&begin, &bench.control);
            scope.spawn(move || {
                begin.wait();
                Tenant::change(tenant, control, "192.0.2.1").map(drop)
            })
        };
        let writers: Vec<_> = tenants.iter().map(write).collect();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect()
    });
    assert_eq!(
        *bench.journal.mishap.lock().unwrap(),
        None,
        "it has happened"
    );
    heard
}

#[test]
fn what_spoils_one_entry_for_all_is_got_over() {
    for mishap in [Mishap::TooLarge, Mishap::Intruder] {
        let bench = Bench::new();
        let tenants = crowd(&bench, 6);
        let before = bench.commits();
        for done in heard(&bench, &tenants, mishap) {
            done.unwrap();
        }
        assert_eq!(bench.commits(), before + 6, "{mishap:?}");
        let entries = bench.entries();
        let intruders = entries.iter().filter(|entry| entry.commits.is_empty());
        assert_eq!(
            intruders.count(),
            usize::from(mishap == Mishap::Intruder),
            "and nothing is written twice or for nothing"
        );
    }
}

#[test]
fn an_entry_that_fails_fails_for_all_in_it_and_nobody_hangs() {
    for mishap in [Mishap::Disk, Mishap::Panic] {
        let bench = Bench::new();
        let tenants = crowd(&bench, 6);
        let before = bench.commits();
        let heard = heard(&bench, &tenants, mishap);
        let failed = heard.iter().filter(|done| done.is_err()).count();
        assert!(failed > 1, "{heard:?}");
        assert_eq!(bench.commits(), before + 6 - failed, "{mishap:?}");
        for done in heard {
            assert!(matches!(
                done,
                Ok(()) | Err(OperationError::Fault(Fault::Storage(_)))
            ));
        }
        for tenant in &tenants {
            tenant.change(&bench.control, "192.0.2.2").unwrap();
        }
    }
}
