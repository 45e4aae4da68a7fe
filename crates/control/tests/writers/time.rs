//! Time goes on, whatever clocks say.

use super::*;

#[test]
fn the_journal_knows_no_way_back_in_time() {
    let bench = Bench::new();
    let tenant = bench.tenant("clock");
    let at = |time: i64| {
        bench.clock.store(time, Ordering::Relaxed);
        tenant.change(&bench.control, "192.0.2.1").unwrap()
    };
    assert_eq!(at(100 * DAY), Timestamp(100 * DAY));
    // Set back: time stands still until the clock has caught up.
    assert_eq!(at(99 * DAY), Timestamp(100 * DAY));
    assert_eq!(at(-DAY), Timestamp(100 * DAY));
    assert_eq!(at(i64::MIN), Timestamp(100 * DAY));
    assert_eq!(at(100 * DAY + 1), Timestamp(100 * DAY + 1));
    // Far ahead, and right again.
    assert_eq!(at(40_000 * DAY), Timestamp(40_000 * DAY));
    assert_eq!(at(100 * DAY + 2), Timestamp(40_000 * DAY));

    let entries = bench.entries();
    assert!(entries.is_sorted_by_key(|entry| entry.time));
    let ids: BTreeSet<_> = entries
        .iter()
        .flat_map(|entry| &entry.commits)
        .flat_map(|commit| &commit.effects)
        .filter_map(|effect| match effect {
            Effect::PutChange(change) => Some(change.id.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(ids.len(), 8, "no id is made of the time");
}

#[test]
fn another_process_finds_the_time_in_the_journal() {
    let bench = Bench::new();
    let tenant = bench.tenant("clock");
    tenant.change(&bench.control, "192.0.2.1").unwrap();
    // Somebody else appends, with a clock that is ahead.
    let head = bench.journal.head().unwrap();
    let ahead = Timestamp(101 * DAY);
    bench.journal.append(head, Vec::new(), ahead).unwrap();
    assert_eq!(tenant.change(&bench.control, "192.0.2.2").unwrap(), ahead);
}

#[test]
fn a_retry_is_known_when_the_clock_was_set_back() {
    let bench = Bench::new();
    let tenant = bench.tenant("clock");
    let length = || bench.entries().len();
    tenant.change_as(&bench.control, 1, "192.0.2.1").unwrap();
    let before = length();
    for time in [100 * DAY, 50 * DAY, 0, 100 * DAY + 14 * MINUTE] {
        bench.clock.store(time, Ordering::Relaxed);
        tenant.change_as(&bench.control, 1, "192.0.2.1").unwrap();
        assert_eq!(length(), before, "{time}");
    }
    // A clock far ahead ends the window, as a quarter of an hour would.
    bench.clock.store(200 * DAY, Ordering::Relaxed);
    tenant.change_as(&bench.control, 1, "192.0.2.1").unwrap();
    assert_eq!(length(), before + 1);
    // And the new one is known whatever the clock says next.
    bench.clock.store(100 * DAY, Ordering::Relaxed);
    tenant.change_as(&bench.control, 1, "192.0.2.1").unwrap();
    assert_eq!(length(), before + 1);
}

#[test]
fn history_stays_in_order_and_keeps_its_newest_rows() {
    let bench = Bench::new();
    let tenant = bench.tenant("clock");
    let zone = ZoneId::new(&tenant.zone).unwrap();
    // There and back again, a hundred days at a time, which is longer than history is kept.
    for number in 0..30_i64 {
        let time = DAY * (100 + if number % 2 == 0 { 100 * number } else { 0 });
        bench.clock.store(time, Ordering::Relaxed);
        tenant
            .change(&bench.control, &format!("192.0.2.{number}"))
            .unwrap();
    }
    let head = bench.journal.head().unwrap().seq;
    assert!(bench.tables.wait_applied(head, Duration::from_secs(5)));
    let rows = bench
        .tables
        .read()
        .unwrap()
        .history(&zone, Seq(0), 100)
        .unwrap();
    assert!(rows.len() >= 10, "{} rows", rows.len());
    assert!(rows.is_sorted_by(|older, newer| older.seq < newer.seq && older.time <= newer.time));
}
