//! Whose turn it is, by a clock that is moved by hand.

use meridian_model::{AccountId, Network};

use super::super::judge::ForNetwork;
use super::super::places::Places;
use super::super::reply::Said;
use super::*;

const RULES: Rules = Rules {
    min_ttl_s: 5,
    max_ttl_s: 3600,
    gone_after: Duration::from_secs(600),
    keep: Duration::from_secs(24 * 60 * 60),
};

fn key(name: &str) -> Key {
    (Name::parse(name).unwrap(), RecordType::A)
}

fn keys(names: &str) -> Vec<Key> {
    names.split_whitespace().map(key).collect()
}

fn heard(ttl_s: u32) -> Heard {
    Heard {
        said: Said::Records {
            data: vec![vec![192, 0, 2, 1]],
            ttl_s,
        },
        for_networks: vec![ForNetwork {
            network: "198.51.100.0/24".parse::<Network>().unwrap(),
            heard_at: at(9_999_999),
            data: vec![vec![192, 0, 2, 2]],
        }],
        source: "127.0.0.1:53".parse().unwrap(),
    }
}

fn at(seconds: i64) -> Timestamp {
    Timestamp(seconds * 1000)
}

impl Book {
    /// Where there is room for everybody.
    fn next_in(&mut self, lane: Lane, now: Timestamp) -> Option<Job> {
        self.next((lane, usize::MAX), now)
    }

    /// For one account, whichever.
    fn need_keys<'k>(&mut self, keys: impl IntoIterator<Item = &'k Key>, now: Timestamp) {
        let needs: Vec<Need> = keys.into_iter().map(|key| (key.clone(), None)).collect();
        self.need(&needs, now);
    }

    fn follow_keys(&mut self, new: impl IntoIterator<Item = Key>, gone: &[Key], now: Timestamp) {
        let gone: Vec<Need> = gone.iter().map(|key| (key.clone(), None)).collect();
        self.follow(new.into_iter().map(|key| (key, None)), &gone, now);
    }
}

/// All that are due in a lane; new ones before the usual ones.
fn due(book: &mut Book, lane: Lane, now: Timestamp) -> Vec<Job> {
    let new = |book: &mut Book| match lane {
        Lane::Usual => book.next_in(Lane::New, now),
        Lane::New | Lane::Failing => None,
    };
    std::iter::from_fn(|| new(book).or_else(|| book.next_in(lane, now))).collect()
}

fn names(jobs: &[Job]) -> Vec<String> {
    jobs.iter().map(|job| job.key.0.to_string()).collect()
}

#[test]
fn each_is_asked_for_at_once_and_then_when_its_time_is_over() {
    let mut book = Book::new(RULES);
    book.need_keys(&keys("a.test b.test"), at(100));
    let jobs = due(&mut book, Lane::Usual, at(100));
    assert_eq!(names(&jobs), ["a.test.", "b.test."]);
    // Nobody is asked for twice at once.
    assert!(due(&mut book, Lane::Usual, at(200)).is_empty());
    book.take(jobs[0].id, Ok(heard(60)), (at(101), 0));
    book.take(jobs[1].id, Ok(heard(20)), (at(101), 0));
    assert_eq!(book.next_due(), Some(at(121)));
    assert!(due(&mut book, Lane::Usual, at(120)).is_empty());
    assert_eq!(names(&due(&mut book, Lane::Usual, at(121))), ["b.test."]);
    assert_eq!(names(&due(&mut book, Lane::Usual, at(161))), ["a.test."]);
}

#[test]
fn chance_makes_it_a_tenth_later_at_most() {
    for (ttl_s, chance, due_ms) in [
        (60, 6_000, 66_000),
        (60, 6_001, 60_000),
        (3600, 10_000, 3_610_000),
        (
            3600,
            u64::MAX,
            3_600_000 + i64::try_from(u64::MAX % 10_001).unwrap(),
        ),
    ] {
        let mut book = Book::new(RULES);
        book.need_keys(&keys("a.test"), at(0));
        let jobs = due(&mut book, Lane::Usual, at(0));
        book.take(jobs[0].id, Ok(heard(ttl_s)), (at(0), chance));
        assert_eq!(book.next_due(), Some(Timestamp(due_ms)));
    }
}

#[test]
fn those_that_fail_wait_in_their_own_line() {
    let mut book = Book::new(RULES);
    book.need_keys(&keys("a.test b.test"), at(0));
    let jobs = due(&mut book, Lane::Usual, at(0));
    book.take(jobs[0].id, Err(Failure::NoReply), (at(0), 0));
    book.take(jobs[1].id, Ok(heard(5)), (at(0), 0));
    assert_eq!(names(&due(&mut book, Lane::Usual, at(9))), ["b.test."]);
    let failing = due(&mut book, Lane::Failing, at(9));
    assert_eq!(names(&failing), ["a.test."]);
    book.take(failing[0].id, Ok(heard(5)), (at(9), 0));
    assert!(due(&mut book, Lane::Failing, at(99)).is_empty());
    assert_eq!(names(&due(&mut book, Lane::Usual, at(99))), ["a.test."]);
}

#[test]
fn new_ones_wait_in_their_own_line() {
    let mut book = Book::new(RULES);
    book.need_keys(&keys("a.test b.test c.test"), at(0));
    assert!(book.next_in(Lane::Usual, at(0)).is_none());
    let jobs = due(&mut book, Lane::New, at(0));
    assert_eq!(names(&jobs), ["a.test.", "b.test.", "c.test."]);
    book.take(jobs[0].id, Ok(heard(5)), (at(0), 0));
    book.take(jobs[1].id, Err(Failure::NoReply), (at(0), 0));
    let gone = Heard {
        said: Said::NoSuchName { ttl_s: 5 },
        for_networks: Vec::new(),
        ..heard(5)
    };
    book.take(jobs[2].id, Ok(gone), (at(0), 0));
    assert!(due(&mut book, Lane::New, at(5)).is_empty());
    let usual = due(&mut book, Lane::Usual, at(5));
    assert_eq!(names(&usual), ["a.test.", "c.test."]);
    assert_eq!(names(&due(&mut book, Lane::Failing, at(5))), ["b.test."]);
    // One that is not needed any more leaves its line.
    book.need_keys(&keys("d.test"), at(6));
    book.need_keys(&keys("e.test"), at(7));
    assert_eq!(names(&due(&mut book, Lane::New, at(7))), ["e.test."]);
}

#[test]
fn what_is_not_needed_any_more_is_forgotten() {
    let mut book = Book::new(RULES);
    book.need_keys(&keys("a.test b.test"), at(0));
    let jobs = due(&mut book, Lane::Usual, at(0));
    book.need_keys(&keys("b.test c.test"), at(1));
    book.take(jobs[0].id, Ok(heard(5)), (at(2), 0));
    book.take(jobs[1].id, Ok(heard(5)), (at(2), 0));
    let left: Vec<String> = book
        .entries()
        .map(|entry| entry.key.0.to_string())
        .collect();
    assert_eq!(left, ["b.test.", "c.test."]);
    // It comes back with nothing known.
    book.need_keys(&keys("a.test b.test c.test"), at(3));
    assert_eq!(book.counts(at(3)).unknown, 2);
    assert_eq!(
        names(&due(&mut book, Lane::Usual, at(3))),
        ["c.test.", "a.test."]
    );
    let other_type = (Name::parse("a.test").unwrap(), RecordType::Aaaa);
    book.need_keys([&other_type], at(4));
    assert_eq!(book.len(), 1);
    assert_eq!(due(&mut book, Lane::Usual, at(4))[0].key, other_type);
}

#[test]
fn no_more_than_there_is_room_for_are_taken() {
    let mut book = Book::new(RULES);
    let many: Vec<Key> = (0..MAX_TARGETS + 3)
        .map(|n| key(&format!("n{n}.test")))
        .collect();
    book.need_keys(&many, at(0));
    let counts = book.counts(at(0));
    assert_eq!((counts.unknown, counts.left_out), (MAX_TARGETS, 3));
    book.need_keys(&many[3..], at(1));
    let counts = book.counts(at(1));
    assert_eq!((counts.unknown, counts.left_out), (MAX_TARGETS, 0));
}

#[test]
fn those_that_are_followed_are_those_that_are_needed() {
    let key = |n: usize| key(&format!("n{n}.test"));
    let (mut whole, mut followed) = (Book::new(RULES), Book::new(RULES));
    (whole.most, followed.most) = (50, 50);
    let mut needed: BTreeSet<usize> = (0..30).collect();
    whole.need_keys(&needed.iter().map(|n| key(*n)).collect::<Vec<_>>(), at(0));
    followed.follow_keys(needed.iter().map(|n| key(*n)), &[], at(0));
    let mut random = 1_usize;
    let mut turned_away = 0;
    for turn in 0..200 {
        let before = needed.clone();
        for _ in 0..9 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            // There is room at times, and at times there is none.
            let n = (random >> 33) % 100;
            if !needed.remove(&n) {
                needed.insert(n);
            }
        }
        let keys: Vec<Key> = needed.iter().map(|n| key(*n)).collect();
        whole.need_keys(&keys, at(turn));
        let gone: Vec<Key> = before.difference(&needed).map(|n| key(*n)).collect();
        followed.follow_keys(needed.difference(&before).map(|n| key(*n)), &gone, at(turn));
        let counts = followed.counts(at(turn));
        assert_eq!(counts, whole.counts(at(turn)));
        assert_eq!(counts.unknown + counts.left_out, needed.len());
        turned_away += usize::from(counts.left_out > 0);
        let (keys, waiting) = (&followed.ids, &followed.waiting);
        let held = keys.keys().chain(waiting.places.keys());
        let held: BTreeSet<String> = held.map(|(name, _)| name.to_string()).collect();
        let right = needed.iter().map(|n| format!("n{n}.test."));
        assert_eq!(held, right.collect());
        assert_eq!(keys.len() + waiting.keys.len(), needed.len());
    }
    assert!((20..180).contains(&turned_away), "{turned_away}");
}

#[test]
fn only_what_is_answered_otherwise_has_to_be_kept_at_once() {
    let mut book = Book::new(RULES);
    book.need_keys(&keys("a.test"), at(0));
    let records = |last: u8, own: u8, ttl_s| {
        let mut heard = heard(ttl_s);
        heard.said = Said::Records {
            data: vec![vec![192, 0, 2, last]],
            ttl_s,
        };
        heard.for_networks[0].data = vec![vec![192, 0, 2, own]];
        Ok(heard)
    };
    let nothing = |said| {
        Ok(Heard {
            said,
            for_networks: Vec::new(),
            ..heard(5)
        })
    };
    let mut now = 0;
    for (outcome, unkept) in [
        (records(1, 2, 60), Unkept::Answers),
        (records(1, 2, 7), Unkept::Times),
        (Err(Failure::NoReply), Unkept::Nothing),
        (records(1, 2, 7), Unkept::Times),
        (records(3, 2, 7), Unkept::Answers),
        (records(3, 4, 7), Unkept::Answers),
        (nothing(Said::NoData { ttl_s: 9 }), Unkept::Answers),
        (nothing(Said::NoData { ttl_s: 8 }), Unkept::Times),
        (nothing(Said::NoSuchName { ttl_s: 8 }), Unkept::Answers),
        (records(3, 4, 7), Unkept::Answers),
    ] {
        now += 100;
        let lanes = Lane::ALL.into_iter();
        let mut jobs = lanes.filter_map(|lane| book.next_in(lane, at(now)));
        let job = jobs.next().unwrap();
        assert_eq!(book.take(job.id, outcome, (at(now), 0)), unkept, "{now}");
    }
}

#[test]
fn what_is_restored_goes_on_as_if_nothing_had_been() {
    let standing = |heard_at| {
        let mut standing = Standing::default();
        standing.take(Ok(heard(60)), heard_at, &RULES);
        standing
    };
    // The last is of a clock that ran ahead.
    let known = [("a", at(1000)), ("b", at(1)), ("c", at(9_999_999))];
    let known = known.map(|(name, heard_at)| (key(&format!("{name}.test")), standing(heard_at)));
    let mut book = Book::restored(known, at(1010), RULES);
    assert_eq!(book.counts(at(1010)).answers, 3);
    book.need_keys(&keys("a.test b.test c.test"), at(1010));
    assert_eq!(names(&due(&mut book, Lane::Usual, at(1010))), ["b.test."]);
    assert_eq!(names(&due(&mut book, Lane::Usual, at(1060))), ["a.test."]);
    assert_eq!(names(&due(&mut book, Lane::Usual, at(1070))), ["c.test."]);
}

#[test]
fn what_a_clock_that_ran_ahead_kept_is_as_old_as_the_start() {
    let day = 24 * 60 * 60;
    let hear = |words: Vec<Said>| {
        let mut standing = Standing::default();
        for said in words {
            let heard = Heard { said, ..heard(60) };
            standing.take(Ok(heard), at(9_999_999), &RULES);
        }
        standing
    };
    let records = heard(60).said;
    let gone = Said::NoSuchName { ttl_s: 60 };
    let known = [
        (key("good.test"), hear(vec![records.clone()])),
        (key("held.test"), hear(vec![records, gone.clone()])),
        (key("gone.test"), hear(vec![gone.clone()])),
    ];
    let mut book = Book::restored(known, at(1000), RULES);
    book.need_keys(&keys("good.test held.test gone.test"), at(1000));
    let counts = book.counts(at(1000 + day - 1));
    assert_eq!((counts.answers, counts.no_such_name), (2, 1));
    assert_eq!(book.counts(at(1000 + day)).unknown, 3);
    // The ten minutes of what is gone count from the start.
    let jobs = due(&mut book, Lane::Usual, at(1600));
    let held = jobs.iter().find(|job| job.key == key("held.test")).unwrap();
    let said = Heard {
        said: gone,
        for_networks: Vec::new(),
        ..heard(60)
    };
    book.take(held.id, Ok(said), (at(1600), 0));
    assert_eq!(book.counts(at(1600)).answers, 1);
}

#[test]
fn no_more_data_than_there_is_room_for_are_taken() {
    let mut book = Book::new(RULES);
    book.need_keys(&keys("a.test b.test c.test"), at(0));
    // Each takes eight: four for everybody, and four for a network.
    book.most_bytes = 15;
    let jobs = due(&mut book, Lane::Usual, at(0));
    for job in &jobs {
        book.take(job.id, Ok(heard(60)), (at(0), 0));
    }
    let networks = |book: &Book, n: usize| book.networks_of(jobs[n].id).len();
    let shown = [0, 1, 2].map(|n| networks(&book, n));
    assert_eq!((book.bytes, shown), (12, [1, 0, 0]));
    let states = |book: &Book| (book.counts(at(0)).answers, book.counts(at(0)).unknown);
    assert_eq!(states(&book), (2, 1));
    let error = |book: &Book| {
        let last = book.entries().last().unwrap();
        last.standing.last_failure
    };
    assert_eq!(error(&book), Some(Failure::Fault(Fault::TooMuch)));
    // There is room again when another one is not needed any more, or loses what it had.
    book.need_keys(&keys("b.test c.test"), at(0));
    assert_eq!(book.bytes, 4);
    let again = due(&mut book, Lane::Failing, at(5));
    book.take(again[0].id, Ok(heard(60)), (at(5), 0));
    assert_eq!((book.bytes, states(&book)), (12, (2, 0)));
    // Heard again, it takes the place that it had.
    let again = due(&mut book, Lane::Usual, at(60));
    book.take(again[0].id, Ok(heard(60)), (at(60), 0));
    assert_eq!(book.bytes, 12);
    // And no more than that is restored.
    let standing = |entry: &Entry| (entry.key.clone(), entry.standing.clone());
    let known: Vec<_> = book.entries().map(standing).collect();
    let restored = Book::restored(known, at(60), RULES);
    assert_eq!((restored.len(), restored.bytes), (2, 12));
}

#[test]
fn targets_are_counted_by_how_they_are() {
    let mut book = Book::new(RULES);
    book.need_keys(&keys("good held data name new"), at(0));
    let jobs = due(&mut book, Lane::Usual, at(0));
    let said = |said| {
        Ok(Heard {
            said,
            for_networks: Vec::new(),
            ..heard(5)
        })
    };
    book.take(jobs[0].id, Ok(heard(60)), (at(0), 0));
    book.take(jobs[1].id, Ok(heard(5)), (at(0), 0));
    book.take(jobs[2].id, said(Said::NoData { ttl_s: 60 }), (at(0), 0));
    book.take(jobs[3].id, said(Said::NoSuchName { ttl_s: 60 }), (at(0), 0));
    let again = due(&mut book, Lane::Usual, at(5));
    book.take(again[0].id, Err(Failure::NoReply), (at(9), 0));
    let expected = Counts {
        answers: 2,
        held: 1,
        no_data: 1,
        no_such_name: 1,
        unknown: 1,
        left_out: 0,
        oldest_s: 50,
    };
    assert_eq!(book.counts(at(50)), expected);
}

fn account(n: usize) -> Account {
    Some(AccountId::new(&format!("{n:012}")).unwrap())
}

/// So many names of an account, as it needs them.
fn needs(of: usize, count: usize) -> Vec<Need> {
    let name = |n| key(&format!("n{n}.a{of}.test"));
    (0..count).map(|n| (name(n), account(of))).collect()
}

/// The targets of one that came before held all places of new ones and stood in line before all others.
#[test]
fn silent_targets_of_an_account_do_not_hold_up_new_ones_of_another() {
    let mut book = Book::new(RULES);
    let mut places = Places::new(64);
    let begin = |book: &mut Book, places: &mut Places| {
        let lanes: Vec<Lane> = places.open().collect();
        let mut lanes = lanes.into_iter().map(|lane| (lane, places.free(lane)));
        let job = lanes.find_map(|lane| book.next(lane, at(0)))?;
        places.begin(job.lane);
        Some(job)
    };
    book.follow(needs(1, 300), &[], at(0));
    let silent = std::iter::from_fn(|| begin(&mut book, &mut places)).count();
    assert_eq!(silent, 28);
    book.follow(needs(2, 50), &[], at(0));
    // Nothing ends but the questions of the second account.
    for n in 0..50 {
        let job = begin(&mut book, &mut places).unwrap();
        assert_eq!(job.key, needs(2, 50)[n].0);
        places.end(job.lane);
        book.take(job.id, Ok(heard(60)), (at(0), 0));
    }
    assert_eq!(book.counts(at(0)).answers, 50);
    // Those that failed last time stand in another line, in which accounts take turns as well.
    let all = [needs(1, 300), needs(2, 50)].concat();
    let mut book = Book::new(RULES);
    book.need(&all, at(0));
    while let Some(job) = book.next_in(Lane::New, at(0)) {
        book.take(job.id, Err(Failure::NoReply), (at(0), 0));
    }
    let of_second = |job: &Job| job.key.0.to_string().ends_with("a2.test.");
    let next = std::iter::from_fn(|| book.next_in(Lane::Failing, at(99)));
    assert_eq!(next.take(20).filter(of_second).count(), 10);
}

#[test]
fn one_that_several_need_is_asked_for_until_nobody_does() {
    let shared = |of| (key("shared.test"), account(of));
    let mut book = Book::new(RULES);
    book.follow([shared(1), shared(2)], &[], at(0));
    let job = book.next_in(Lane::New, at(0)).unwrap();
    assert!(book.next_in(Lane::New, at(0)).is_none());
    book.take(job.id, Err(Failure::NoReply), (at(0), 0));
    // It is ready when one goes and another comes, and nothing is forgotten.
    assert!(book.next((Lane::Failing, 0), at(9)).is_none());
    book.follow([shared(3)], &[shared(1)], at(9));
    book.follow([], &[shared(2)], at(9));
    assert_eq!(book.entries().next().unwrap().standing.failures, 1);
    let job = book.next_in(Lane::Failing, at(9)).unwrap();
    assert_eq!(book.under_way[&job.id], (Lane::Failing, account(3)));
    book.follow([], &[shared(3)], at(9));
    assert_eq!((book.len(), book.accounts.len()), (0, 0));
    book.take(job.id, Ok(heard(5)), (at(9), 0));
    assert!(book.under_way.is_empty());
    // One moves from an account to another at once.
    book.need(&[shared(4)], at(10));
    book.need(&[shared(5)], at(11));
    assert_eq!(book.next_in(Lane::New, at(11)).unwrap().key, shared(5).0);
    assert!(book.next_in(Lane::New, at(99)).is_none());
}
