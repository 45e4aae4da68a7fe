//! Votes: when they decide, and when the last outcome holds.
#![expect(clippy::unwrap_used, reason = "a test's, which may panic")]

mod common;

use std::time::Duration;

use common::{Station, check, check_from, register, seconds, stations};
use meridian_health::{Basis, Cast, Conduct, Healths, Rules, Vote, Votes};
use meridian_model::Health::{Healthy, Unhealthy};
use meridian_model::{Health, HealthCheck, HealthSlot};

/// Route 53's rules without the time in which outcomes settle, so that each vote shows at once.
const AT_ONCE: Rules = Rules {
    settle: Duration::ZERO,
    ..Rules::ROUTE_53
};

/// Checkers with one check, which the votes are about.
struct Poll {
    stations: Vec<Station>,
    votes: Votes,
    check: HealthCheck,
    now: u64,
}

impl Poll {
    fn new(checkers: u8, rules: Rules) -> Self {
        Self::about(check(0, 1), stations(checkers), rules)
    }

    fn about(check: HealthCheck, stations: Vec<Station>, rules: Rules) -> Self {
        let mut votes = Votes::new(rules, register(&stations));
        votes.put(&check).unwrap();
        Self {
            stations,
            votes,
            check,
            now: 100,
        }
    }

    /// A second later: each of the checkers says this, none at all where there is no word for it.
    fn say(&mut self, words: &str) -> Option<Health> {
        self.now += 1;
        for (station, word) in self.stations.iter_mut().zip(words.chars()) {
            let vote = match word {
                'u' => Vote::Up,
                'd' => Vote::Down,
                'n' => Vote::Nothing,
                'w' => Vote::Withheld,
                _ => continue,
            };
            station.say(std::slice::from_ref(&self.check), vote);
            station.send(&mut self.votes, seconds(self.now)).unwrap();
        }
        self.judge()
    }

    fn judge(&mut self) -> Option<Health> {
        let healths = self.votes.judge(seconds(self.now));
        healths.get(self.check.slot.slot)
    }

    fn wait(&mut self, words: &str) -> Option<Health> {
        (0..10).fold(None, |_, _| self.say(words))
    }

    fn basis(&self) -> Basis {
        self.votes.show(self.check.slot).unwrap().basis
    }
}

#[test]
fn more_than_eighteen_percent_are_needed() {
    let mut poll = Poll::new(16, AT_ONCE);
    assert_eq!(poll.say("uuuddddddddddddd"), Some(Healthy));
    assert_eq!(poll.say("uudddddddddddddd"), Some(Unhealthy));
    assert_eq!(poll.say("uuuddddddddddddd"), Some(Healthy));
    // Exactly 18 % is not more than that.
    let mut poll = Poll::new(50, AT_ONCE);
    let words = |up: usize| format!("{}{}", "u".repeat(up), "d".repeat(50 - up));
    assert_eq!(poll.say(&words(9)), Some(Unhealthy));
    assert_eq!(poll.say(&words(10)), Some(Healthy));
}

#[test]
fn nothing_is_known_before_enough_were_heard() {
    let mut poll = Poll::new(3, AT_ONCE);
    assert_eq!(poll.judge(), None);
    assert_eq!(poll.say("d"), None);
    assert_eq!(poll.say("dnw"), None);
    assert_eq!(poll.basis(), Basis::BelowQuorum);
    assert_eq!(poll.say("ddn"), Some(Unhealthy));
}

#[test]
fn loss_of_checkers_flips_nothing() {
    for rules in [
        Rules::ROUTE_53,
        Rules {
            least_up: 2,
            ..Rules::ROUTE_53
        },
    ] {
        for (before, after) in [
            ("uuu", "   "),
            ("ddd", "   "),
            ("uud", " ud"),
            ("uud", "  d"),
            ("uuuuuuudddddddd", "       dddddddd"),
            ("uudd", "  dd"),
            ("udddd", " wddd"),
            ("uuddd", "wwddd"),
            ("uuddd", "nnddd"),
            ("ddddu", "    u"),
            ("dddduu", "    uu"),
        ] {
            let count = u8::try_from(before.len()).unwrap();
            let mut poll = Poll::new(count, rules);
            let health = poll.say(before);
            assert!(health.is_some());
            for _ in 0..8 {
                assert_eq!(poll.say(after), health, "{before} to {after}");
            }
        }
    }
}

#[test]
fn the_rest_decides_when_somebody_turns() {
    let mut poll = Poll::new(3, AT_ONCE);
    assert_eq!(poll.wait("uuu"), Some(Healthy));
    assert_eq!(poll.wait(" uu"), Some(Healthy));
    assert_eq!(poll.wait(" ud"), Some(Healthy));
    assert_eq!(poll.say(" dd"), Some(Unhealthy));
    assert_eq!(poll.wait(" ud"), Some(Healthy));
    // A checker falls with the endpoint that stands beside it, while its last word is fresh.
    let mut poll = Poll::new(3, AT_ONCE);
    assert_eq!(poll.wait("uuu"), Some(Healthy));
    poll.say(" du");
    assert_eq!(
        poll.say(" dd"),
        Some(Healthy),
        "its last table still counts"
    );
    assert_eq!(poll.wait(" dd"), Some(Unhealthy));
    // The same when it comes back and withholds.
    let mut poll = Poll::new(3, AT_ONCE);
    poll.wait("uuu");
    poll.wait(" uu");
    poll.wait(" ud");
    assert_eq!(poll.wait("wud"), Some(Healthy));
    assert_eq!(poll.wait("wdd"), Some(Unhealthy));
}

#[test]
fn last_words_hold_until_someone_turns_down_after_them() {
    let mut poll = Poll::new(3, AT_ONCE);
    assert_eq!(poll.wait("udd"), Some(Healthy));
    assert_eq!(poll.wait(" dd"), Some(Healthy));
    assert_eq!(poll.basis(), Basis::Contested);
    let shown = poll.votes.show(poll.check.slot).unwrap();
    assert_eq!(shown.voters[0].cast, Cast::Silent);
    assert_eq!(shown.voters[0].last_word, Some(Healthy));
    assert!(shown.age.unwrap() >= seconds(4));
    assert_eq!(poll.wait(" ud"), Some(Healthy));
    assert_eq!(poll.wait(" dd"), Some(Unhealthy));
}

#[test]
fn below_quorum_the_last_outcome_holds_and_its_age_shows() {
    let mut poll = Poll::new(4, AT_ONCE);
    assert_eq!(poll.wait("uuuu"), Some(Healthy));
    assert_eq!(poll.wait("dd  "), Some(Healthy));
    let shown = poll.votes.show(poll.check.slot).unwrap();
    assert_eq!(shown.basis, Basis::BelowQuorum);
    assert_eq!((shown.tally.down, shown.tally.silent), (2, 2));
    assert_eq!(shown.age, Some(seconds(5)));
    assert_eq!(shown.unchanged_for, seconds(19));
    assert_eq!(poll.say("ddd "), Some(Unhealthy));
}

#[test]
fn who_runs_late_withholds_and_is_not_heard() {
    let mut poll = Poll::new(3, AT_ONCE);
    poll.wait("uuu");
    for station in &mut poll.stations[..2] {
        station.conduct = Conduct::Withholds;
    }
    assert_eq!(poll.wait("ddd"), Some(Healthy));
    let shown = poll.votes.show(poll.check.slot).unwrap();
    assert_eq!((shown.tally.withheld, shown.tally.down), (2, 1));
}

#[test]
fn one_of_three_or_more_does_not_decide_alone_where_two_have_to() {
    let rules = Rules {
        least_up: 2,
        ..AT_ONCE
    };
    let mut poll = Poll::new(3, rules);
    assert_eq!(poll.say("udd"), Some(Unhealthy));
    assert_eq!(poll.say("uud"), Some(Healthy));
    let mut poll = Poll::new(1, rules);
    assert_eq!(poll.say("u"), Some(Healthy));
}

#[test]
fn votes_have_to_come_from_several_regions_where_that_is_asked_for() {
    let rules = Rules {
        least_regions: 2,
        ..AT_ONCE
    };
    // The first, fourth and seventh stand in one region.
    let mut poll = Poll::new(9, rules);
    assert_eq!(poll.say("udduddudd"), Some(Unhealthy));
    assert_eq!(poll.say("uuddddddd"), Some(Healthy));
    // Where there is one region only, one is enough.
    let here = (1..=3).map(|number| Station::new(number, "here")).collect();
    let mut poll = Poll::about(check(0, 1), here, rules);
    assert_eq!(poll.say("uud"), Some(Healthy));
}

#[test]
fn only_checkers_in_the_regions_of_a_check_vote() {
    let all = stations(6);
    let of = |name: &str| check_from(0, 1, &[name]);
    let mut poll = Poll::about(of("eu-west-1"), all, AT_ONCE);
    // The first and the fourth stand there.
    assert_eq!(poll.say("duuduu"), Some(Unhealthy));
    let shown = poll.votes.show(poll.check.slot).unwrap();
    assert_eq!(shown.tally.registered, 2);
    assert_eq!(shown.voters.len(), 2);
    // Where nobody stands in any of them, everybody votes.
    let mut poll = Poll::about(of("us-west-2"), stations(6), AT_ONCE);
    assert_eq!(poll.say("duuduu"), Some(Healthy));
    // Regions that change take effect at once.
    let moved = check_from(0, 1, &["eu-west-1"]);
    poll.votes.put(&moved).unwrap();
    assert_eq!(poll.say("duuduu"), Some(Unhealthy));
}

#[test]
fn a_place_that_is_used_again_inherits_nothing() {
    let mut poll = Poll::new(3, AT_ONCE);
    assert_eq!(poll.wait("ddd"), Some(Unhealthy));
    // The name server knows of the next check first: what comes is about the one before.
    let next = check(0, 2);
    assert!(poll.votes.remove(poll.check.slot));
    poll.votes.put(&next).unwrap();
    assert_eq!(poll.judge(), None);
    assert_eq!(poll.wait("ddd"), None);
    assert_eq!(poll.votes.show(poll.check.slot), None);
    // And a checker that knows first is not heard on the one before.
    poll.check = next;
    for station in &mut poll.stations {
        station.table.remove(HealthSlot {
            slot: 0,
            incarnation: 1,
        });
    }
    assert_eq!(poll.wait("uuu"), Some(Healthy));
    let third = check(0, 3);
    for station in &mut poll.stations {
        station.say(std::slice::from_ref(&third), Vote::Down);
        station.send(&mut poll.votes, seconds(poll.now)).unwrap();
    }
    assert_eq!(poll.judge(), Some(Healthy));
}

#[test]
fn a_flip_says_what_it_was_and_who_voted() {
    let mut poll = Poll::new(3, AT_ONCE);
    poll.say("uuu");
    let first: Vec<_> = poll.votes.flips().collect();
    assert_eq!((first[0].before, first[0].health), (None, Healthy));
    poll.say("uuu");
    assert_eq!(poll.votes.flips().count(), 0);
    poll.say("ddd");
    let flips: Vec<_> = poll.votes.flips().collect();
    assert_eq!(flips.len(), 1);
    assert_eq!(
        (flips[0].before, flips[0].health),
        (Some(Healthy), Unhealthy)
    );
    assert_eq!((flips[0].tally.down, flips[0].tally.registered), (3, 3));
    let nothing = Healths::default();
    let told: Vec<u32> = poll.votes.healths().differences(&nothing).collect();
    assert_eq!(told, [poll.check.slot.slot]);
    assert_eq!(poll.votes.healths().count(), (1, 0));
}

#[test]
fn tables_are_taken_once_from_those_who_are_registered() {
    use meridian_health::Refused;
    let mut poll = Poll::new(2, AT_ONCE);
    let now = seconds(1);
    let bytes = poll.stations[0].seal();
    poll.votes.take(&bytes, now).unwrap();
    assert!(matches!(
        poll.votes.take(&bytes, now),
        Err(Refused::Old { .. })
    ));
    let mut stranger = Station::new(9, "us-east-1");
    let taken = stranger.send(&mut poll.votes, now);
    assert!(matches!(taken, Err(Refused::NotRegistered(_))));
    stranger.checker.name = poll.stations[1].checker.name.clone();
    let taken = stranger.send(&mut poll.votes, now);
    assert!(matches!(taken, Err(Refused::NotSigned(_))));
    // Whoever is taken off the register is not heard any more, and the rest decides.
    let mut poll = Poll::new(3, AT_ONCE);
    poll.wait("udd");
    assert_eq!(poll.wait(" dd"), Some(Healthy));
    poll.votes.register(register(&poll.stations[1..]));
    assert_eq!(poll.judge(), Some(Unhealthy));
}

#[test]
fn one_vote_does_not_flip_back_what_flipped_a_moment_ago() {
    let mut poll = Poll::new(6, Rules::ROUTE_53);
    poll.wait("uuuuuu");
    poll.wait("uuuuuu");
    poll.wait("uuuuuu");
    assert_eq!(
        poll.say("uddddd"),
        Some(Unhealthy),
        "the first flip waits for nothing"
    );
    assert_eq!(poll.say("uudddd"), Some(Unhealthy));
    assert_eq!(poll.basis(), Basis::Settling);
    assert_eq!(poll.say("uuuddd"), Some(Healthy), "two more do");
    assert_eq!(poll.say("uddddd"), Some(Healthy));
    assert_eq!(poll.say("dddddd"), Some(Unhealthy));
    for _ in 0..3 {
        assert_eq!(poll.wait("uudddd"), poll.say("uudddd"));
    }
    assert_eq!(
        poll.judge(),
        Some(Healthy),
        "in the end it is the share that counts"
    );
    // Of two nobody can say who is wrong.
    let mut poll = Poll::new(2, Rules::ROUTE_53);
    assert_eq!(poll.say("uu"), Some(Healthy));
    assert_eq!(poll.say("dd"), Some(Unhealthy));
    assert_eq!(poll.say("ud"), Some(Healthy));
}

#[test]
fn an_endpoint_that_just_came_up_and_dies_is_out_once_all_say_so() {
    // Where one vote is enough there is none less than nobody's.
    for (checkers, least_up) in [(3, 1), (5, 1), (3, 2), (5, 2), (3, 3)] {
        let rules = Rules {
            least_up,
            ..Rules::ROUTE_53
        };
        let words = |word: &str| word.repeat(usize::from(checkers));
        let mut poll = Poll::new(checkers, rules);
        assert_eq!(poll.say(&words("u")), Some(Healthy));
        assert_eq!(
            poll.say(&words("d")),
            Some(Unhealthy),
            "{checkers}, {least_up}"
        );
        assert_eq!(
            poll.say(&words("u")),
            Some(Healthy),
            "{checkers}, {least_up}"
        );
        assert_eq!(
            poll.say(&words("d")),
            Some(Unhealthy),
            "{checkers}, {least_up}"
        );
    }
}

#[test]
fn checks_made_and_deleted_without_a_pause_silence_nobody() {
    let mut poll = Poll::new(3, AT_ONCE);
    let mut beside = check(1, 1);
    poll.votes.put(&beside).unwrap();
    for next in 2..10 {
        poll.now += 1;
        let word = if next % 2 == 0 { Vote::Down } else { Vote::Up };
        let mut tables = Vec::new();
        for station in &mut poll.stations {
            station.say(&[poll.check.clone(), beside.clone()], word);
            tables.push(station.seal());
            station.table.remove(beside.slot);
        }
        // Between a table's being sealed and counted another check gets the place beside.
        let next = check(1, next);
        assert!(poll.votes.remove(beside.slot));
        poll.votes.put(&next).unwrap();
        for table in tables {
            poll.votes.take(&table, seconds(poll.now)).unwrap();
        }
        let said = if word == Vote::Up { Healthy } else { Unhealthy };
        assert_eq!(poll.judge(), Some(said), "{next:?}");
        let inherited = poll.votes.healths().get(next.slot.slot);
        assert_eq!(inherited, None, "{next:?}");
        beside = next;
    }
    // Checkers that know nothing new for longer than tables count are not heard.
    poll.now += 10;
    assert_eq!(poll.judge(), Some(Healthy));
    assert_eq!(poll.say("ddd"), Some(Healthy));
}
