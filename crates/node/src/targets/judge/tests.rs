//! What targets are taken for, minute by minute, by a clock that is moved by hand.

use super::*;

const RULES: Rules = Rules {
    min_ttl_s: 5,
    max_ttl_s: 3600,
    gone_after: Duration::from_secs(600),
    keep: Duration::from_secs(24 * 60 * 60),
};

/// A target, and what time it is.
struct Scene {
    standing: Standing,
    now: Timestamp,
}

/// What is heard.
#[derive(Clone, Copy)]
enum Word {
    /// A record that ends in this number, for so long.
    Record(u8, u32),
    NoData(u32),
    NoName(u32),
    Silence,
}

use Word::{NoData, NoName, Record, Silence};

impl Scene {
    fn new() -> Self {
        Self {
            standing: Standing::default(),
            now: Timestamp(1_000_000),
        }
    }

    /// Hears this after so many seconds; returns the pause in seconds.
    fn hear(&mut self, after_s: i64, word: Word) -> u64 {
        self.now.0 += after_s * 1000;
        let heard = |said| {
            Ok(Heard {
                said,
                for_networks: Vec::new(),
                source: "127.0.0.1:53".parse().unwrap(),
            })
        };
        let outcome = match word {
            Record(last, ttl_s) => heard(Said::Records {
                data: vec![vec![192, 0, 2, last]],
                ttl_s,
            }),
            NoData(ttl_s) => heard(Said::NoData { ttl_s }),
            NoName(ttl_s) => heard(Said::NoSuchName { ttl_s }),
            Silence => Err(Failure::NoReply),
        };
        self.standing.take(outcome, self.now, &RULES).as_secs()
    }

    /// The record's last number and TTL, or what there is instead, so many seconds later.
    fn shows(&self, after_s: i64) -> String {
        let now = Timestamp(self.now.0 + after_s * 1000);
        match self.standing.verdict(now, &RULES) {
            Verdict::Unknown => "unknown".to_owned(),
            Verdict::Answers(good, ttl_s) => format!("{} for {ttl_s}", good.data[0][3]),
            Verdict::NoData => "no data".to_owned(),
            Verdict::NoSuchName => "no such name".to_owned(),
        }
    }
}

#[test]
fn an_answer_holds_for_its_ttl_within_bounds() {
    for (ttl_s, pause, told) in [
        (0, 5, "1 for 5"),
        (1, 5, "1 for 5"),
        (5, 5, "1 for 5"),
        (60, 60, "1 for 60"),
        (3600, 3600, "1 for 3600"),
        (86_400, 3600, "1 for 3600"),
        (u32::MAX, 3600, "1 for 3600"),
    ] {
        let mut scene = Scene::new();
        assert_eq!(scene.hear(0, Record(1, ttl_s)), pause, "{ttl_s}");
        assert_eq!(scene.shows(0), told);
    }
}

#[test]
fn what_is_left_of_the_ttl_is_told() {
    let mut scene = Scene::new();
    scene.hear(0, Record(1, 60));
    assert_eq!(scene.shows(20), "1 for 40");
    // Being asked for anew at this moment.
    assert_eq!(scene.shows(58), "1 for 5");
    assert_eq!(scene.shows(61), "1 for 5");
    scene.hear(61, Record(2, 6));
    assert_eq!(scene.shows(0), "2 for 6");
}

#[test]
fn nothing_is_known_before_the_first_word() {
    let mut scene = Scene::new();
    assert_eq!(scene.shows(0), "unknown");
    scene.hear(1, Silence);
    assert_eq!(scene.shows(0), "unknown");
    scene.hear(1, Record(1, 60));
    assert_eq!(scene.shows(0), "1 for 60");
}

#[test]
fn the_last_good_answer_stays_for_a_day_of_silence() {
    let day = 24 * 60 * 60;
    let mut scene = Scene::new();
    scene.hear(0, Record(1, 60));
    scene.hear(60, Silence);
    // Stale, so it is told for as long as RFC 8767 has it.
    assert_eq!(scene.shows(0), "1 for 30");
    assert_eq!(scene.shows(day - 61), "1 for 30");
    assert_eq!(scene.shows(day - 60), "unknown");
    scene.hear(day, Silence);
    assert_eq!(scene.shows(0), "unknown");
    scene.hear(10, Record(2, 60));
    assert_eq!(scene.shows(0), "2 for 60");
    // A short TTL stays one.
    scene.hear(60, Record(3, 10));
    scene.hear(10, Silence);
    assert_eq!(scene.shows(0), "3 for 10");
}

/// A working target was SERVFAIL from `keep` on, for the rest of its TTL.
#[test]
fn what_holds_longer_than_it_may_stay_is_asked_for_in_time() {
    let rules = Rules {
        keep: Duration::from_secs(40),
        ..RULES
    };
    let mut standing = Standing::default();
    let mut hear = |said| {
        let heard = Heard {
            said,
            for_networks: Vec::new(),
            source: "127.0.0.1:53".parse().unwrap(),
        };
        standing.take(Ok(heard), Timestamp(0), &rules).as_secs()
    };
    let record = |ttl_s| Said::Records {
        data: vec![vec![192, 0, 2, 1]],
        ttl_s,
    };
    assert_eq!(hear(Said::NoData { ttl_s: 300 }), 20);
    assert_eq!(hear(Said::NoSuchName { ttl_s: 300 }), 20);
    assert_eq!(hear(record(300)), 20);
    assert_eq!(hear(record(15)), 15);
    assert_eq!(hear(record(0)), 5);
}

#[test]
fn what_is_said_for_a_network_has_a_time_of_its_own() {
    let day = 24 * 60 * 60;
    let at = |seconds: i64| Timestamp(seconds * 1000);
    let own = |network: &str, seconds| ForNetwork {
        network: network.parse().unwrap(),
        heard_at: at(seconds),
        data: vec![vec![192, 0, 2, 2]],
    };
    let mut standing = Standing::default();
    // Both are heard at the beginning, and but one of them ever after.
    let mut hear = |seconds: i64| {
        let heard = Heard {
            said: Said::Records {
                data: vec![vec![192, 0, 2, 1]],
                ttl_s: 600,
            },
            for_networks: vec![own("10.0.0.0/8", seconds), own("11.0.0.0/8", 0)],
            source: "127.0.0.1:53".parse().unwrap(),
        };
        standing.take(Ok(heard), at(seconds), &RULES);
        let Verdict::Answers(good, ttl_s) = standing.verdict(at(seconds + 5), &RULES) else {
            panic!("no answer");
        };
        let told = good.networks(ttl_s, at(seconds + 5), &RULES);
        let told = told.map(|(own, ttl_s)| (own.network.to_string(), ttl_s));
        (told.collect::<Vec<_>>(), good.for_networks.len())
    };
    let (ten, eleven) = ("10.0.0.0/8".to_owned(), "11.0.0.0/8".to_owned());
    let both = |ttl_s| vec![(ten.clone(), 595), (eleven.clone(), ttl_s)];
    assert_eq!(hear(0), (both(595), 2));
    assert_eq!(hear(594), (both(595), 2));
    assert_eq!(hear(595), (both(30), 2));
    assert_eq!(hear(day - 6), (both(30), 2));
    let one = vec![(ten.clone(), 595)];
    assert_eq!(hear(day - 5), (one.clone(), 2));
    assert_eq!(hear(day), (one, 1));
}

#[test]
fn failures_are_tried_again_less_and_less_often() {
    let mut scene = Scene::new();
    scene.hear(0, Record(1, 3600));
    let pauses: Vec<u64> = (0..40).map(|_| scene.hear(60, Silence)).collect();
    assert_eq!(pauses[..6], [5, 10, 20, 40, 60, 60]);
    assert!(pauses[6..].iter().all(|pause| *pause == 60));
    scene.hear(0, Record(1, 3600));
    assert_eq!(scene.hear(0, Silence), 5);
}

#[test]
fn that_a_name_is_gone_is_believed_after_ten_minutes() {
    for (word, end) in [(NoName(900), "no such name"), (NoData(900), "no data")] {
        let mut scene = Scene::new();
        scene.hear(0, Record(1, 60));
        assert_eq!(scene.hear(60, word), 60);
        assert_eq!(scene.shows(0), "1 for 30");
        // Asked for again at the end of the time, not after it.
        assert_eq!(scene.hear(575, word), 25);
        assert_eq!(scene.shows(24), "1 for 30");
        // It takes somebody who says so then.
        assert_eq!(scene.shows(30), "1 for 30");
        scene.hear(25, word);
        assert_eq!(scene.shows(0), end);
        scene.hear(60, Record(2, 60));
        assert_eq!(scene.shows(0), "2 for 60");
    }
}

#[test]
fn ten_minutes_begin_anew_when_the_name_was_there_in_between() {
    let mut scene = Scene::new();
    scene.hear(0, Record(1, 60));
    scene.hear(60, NoName(60));
    scene.hear(500, Record(2, 60));
    scene.hear(60, NoName(60));
    scene.hear(599, NoName(60));
    assert_eq!(scene.shows(0), "2 for 30");
    scene.hear(1, NoName(60));
    assert_eq!(scene.shows(0), "no such name");
}

#[test]
fn silence_neither_ends_nor_fulfils_the_ten_minutes() {
    let mut scene = Scene::new();
    scene.hear(0, Record(1, 60));
    scene.hear(60, NoName(60));
    for _ in 0..20 {
        scene.hear(60, Silence);
    }
    assert_eq!(scene.shows(0), "1 for 30");
    scene.hear(60, NoName(60));
    assert_eq!(scene.shows(0), "no such name");
}

#[test]
fn one_kind_of_nothing_may_become_the_other() {
    let mut scene = Scene::new();
    scene.hear(0, Record(1, 60));
    scene.hear(60, NoData(60));
    scene.hear(599, NoName(60));
    assert_eq!(scene.shows(0), "1 for 30");
    scene.hear(1, NoName(60));
    assert_eq!(scene.shows(0), "no such name");
    scene.hear(60, NoData(60));
    assert_eq!(scene.shows(0), "no data");
}

#[test]
fn where_nothing_is_held_nothing_is_waited_for() {
    let day = 24 * 60 * 60;
    for (word, shown) in [(NoName(60), "no such name"), (NoData(60), "no data")] {
        let mut scene = Scene::new();
        assert_eq!(scene.hear(0, word), 60);
        assert_eq!(scene.shows(0), shown);
        scene.hear(60, Silence);
        assert_eq!(scene.shows(day - 61), shown);
        assert_eq!(scene.shows(day - 60), "unknown");
    }
}

#[test]
fn that_there_is_nothing_is_asked_for_again_within_a_minute() {
    for (ttl_s, pause) in [(0, 5), (30, 30), (900, 60)] {
        let mut scene = Scene::new();
        assert_eq!(scene.hear(0, NoName(ttl_s)), pause);
    }
}

#[test]
fn a_clock_that_is_set_back_makes_nothing_older() {
    let mut scene = Scene::new();
    scene.hear(0, Record(1, 60));
    assert_eq!(scene.shows(-900), "1 for 60");
    scene.hear(60, NoName(60));
    scene.hear(-300, NoName(60));
    assert_eq!(scene.shows(0), "1 for 60");
    // The ten minutes count from the earlier of the two.
    scene.hear(600, NoName(60));
    assert_eq!(scene.shows(0), "no such name");
}
