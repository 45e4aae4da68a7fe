//! Whose turn it is to write. The journal takes one entry after another, so writers wait in line:
//! accounts take turns, the requests of one account come in their order, and lines are bounded.
//!
//! What is written in a turn is control's business.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use meridian_model::AccountId;

/// How many requests of an account may wait for one zone.
const WAITING_FOR_ZONE: usize = 32;
/// How many requests of an account may wait in all: fewer than the API works on at a time, so that
/// one account's line leaves room for the requests of others.
const WAITING_OF_ACCOUNT: usize = 48;
/// How long a request waits for its turn. A turn takes some milliseconds.
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Who waits together: an account, or the operator at the admin socket.
type Party = Option<AccountId>;

/// The lines in front of the journal.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    lines: Mutex<Lines>,
}

/// The line is too long, or it takes too long. Nothing was done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

/// The right to write, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn<'a>(&'a Turns);

impl Turns {
    /// Waits for the party's turn. `zone` is what the request is about, as the request spells it:
    /// nobody gets into the line of another account's zone by naming it.
    pub(crate) fn wait(&self, party: Party, zone: Option<&str>) -> Result<Turn<'_>, Crowded> {
        let mut lines = self.lines();
        let Some((ticket, woken)) = lines.enter(party, zone)? else {
            return Ok(Turn(self));
        };
        let (mut lines, _) = woken
            .wait_timeout_while(lines, WAIT_MAX, |lines| lines.writes != Some(ticket))
            .unwrap_or_else(PoisonError::into_inner);
        if lines.writes == Some(ticket) {
            return Ok(Turn(self));
        }
        lines.give_up(ticket);
        Err(Crowded)
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nothing below panics between two changes that belong together.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(woken) = self.0.lines().leave() {
            woken.notify_one();
        }
    }
}

type Ticket = u64;

/// Who writes and who waits. Without threads, so that it can be tried in every order.
#[derive(Debug, Default)]
struct Lines {
    /// Whoever has the turn, or has been told to take it. When nobody has, nobody waits.
    writes: Option<Ticket>,
    last: Ticket,
    /// The parties with somebody waiting, each once, the next one first.
    order: VecDeque<Party>,
    /// None of them is empty.
    waiting: BTreeMap<Party, VecDeque<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    ticket: Ticket,
    zone: Option<String>,
    woken: Arc<Condvar>,
}

impl Lines {
    /// Takes the turn if it is free: none. Otherwise a place in line, and what tells of the turn.
    fn enter(
        &mut self,
        party: Party,
        zone: Option<&str>,
    ) -> Result<Option<(Ticket, Arc<Condvar>)>, Crowded> {
        let ticket = self.last + 1;
        if self.writes.is_some() {
            let line = self.waiting.get(&party);
            let full = |line: &VecDeque<Waiting>| {
                let same = |waiting: &&Waiting| zone.is_some() && waiting.zone.as_deref() == zone;
                line.len() >= WAITING_OF_ACCOUNT
                    || line.iter().filter(same).count() >= WAITING_FOR_ZONE
            };
            // The admin socket bounds its commands itself.
            if party.is_some() && line.is_some_and(full) {
                return Err(Crowded);
            }
            if line.is_none() {
                self.order.push_back(party.clone());
            }
            let woken = Arc::new(Condvar::new());
            self.waiting.entry(party).or_default().push_back(Waiting {
                ticket,
                zone: zone.map(str::to_owned),
                woken: Arc::clone(&woken),
            });
            self.last = ticket;
            return Ok(Some((ticket, woken)));
        }
        self.writes = Some(ticket);
        self.last = ticket;
        Ok(None)
    }

    /// Ends a turn. The next one goes to the party that has waited longest since its last turn.
    fn leave(&mut self) -> Option<Arc<Condvar>> {
        self.writes = None;
        let party = self.order.pop_front()?;
        let line = self.waiting.get_mut(&party)?;
        let next = line.pop_front()?;
        if line.is_empty() {
            self.waiting.remove(&party);
        } else {
            self.order.push_back(party);
        }
        self.writes = Some(next.ticket);
        Some(next.woken)
    }

    /// Leaves the line without a turn.
    fn give_up(&mut self, ticket: Ticket) {
        for line in self.waiting.values_mut() {
            line.retain(|waiting| waiting.ticket != ticket);
        }
        self.waiting.retain(|_, line| !line.is_empty());
        let waiting = &self.waiting;
        self.order.retain(|party| waiting.contains_key(party));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;
    use proptest::prelude::*;

    fn account(number: usize) -> Party {
        Some(AccountId::new(&format!("{number:012}")).unwrap())
    }

    #[derive(Debug, Clone)]
    enum Step {
        Enter(usize, Option<u8>),
        Leave,
        GiveUp(prop::sample::Index),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (0..4_usize, prop::option::of(0..3_u8)).prop_map(|(a, z)| Step::Enter(a, z)),
            3 => Just(Step::Leave),
            1 => any::<prop::sample::Index>().prop_map(Step::GiveUp),
        ]
    }

    /// What the lines should be, kept the plain way: everybody in the order of coming.
    #[derive(Default)]
    struct Model {
        waiting: Vec<(Ticket, usize)>,
        /// For each account that waits, the turns of others since it began to or had one.
        passed_by: BTreeMap<usize, Vec<usize>>,
    }

    impl Model {
        fn check_turn(&mut self, ticket: Ticket) {
            let place = self.waiting.iter().position(|(t, _)| *t == ticket).unwrap();
            let (_, account) = self.waiting.remove(place);
            let of_account = |(t, a): &(Ticket, usize)| *a == account && *t < ticket;
            assert!(
                !self.waiting.iter().any(of_account),
                "in the order of coming"
            );
            for (other, turns) in &mut self.passed_by {
                if *other != account {
                    assert!(!turns.contains(&account), "{account} twice before {other}");
                    turns.push(account);
                }
            }
            self.forget_unless_waiting(account);
            if let Some(turns) = self.passed_by.get_mut(&account) {
                turns.clear();
            }
        }

        fn forget_unless_waiting(&mut self, account: usize) {
            if !self.waiting.iter().any(|(_, a)| *a == account) {
                self.passed_by.remove(&account);
            }
        }
    }

    proptest! {
        #[test]
        fn accounts_take_turns_whatever_happens(steps in prop::collection::vec(step(), 0..300)) {
            let (mut lines, mut model) = (Lines::default(), Model::default());
            for step in steps {
                match step {
                    Step::Enter(number, zone) => {
                        let zone = zone.map(|zone| format!("Z{zone}"));
                        let free = lines.writes.is_none();
                        match lines.enter(account(number), zone.as_deref()) {
                            Ok(None) => prop_assert!(free),
                            Ok(Some((ticket, _))) => {
                                prop_assert!(!free);
                                model.waiting.push((ticket, number));
                                model.passed_by.entry(number).or_default();
                            }
                            Err(Crowded) => {
                                let of = model.waiting.iter().filter(|(_, a)| *a == number);
                                prop_assert!(of.count() >= WAITING_FOR_ZONE);
                            }
                        }
                    }
                    Step::Leave if lines.writes.is_some() => match lines.leave() {
                        Some(_) => model.check_turn(lines.writes.unwrap()),
                        None => prop_assert!(model.waiting.is_empty() && lines.writes.is_none()),
                    },
                    Step::GiveUp(index) if !model.waiting.is_empty() => {
                        let (ticket, number) = model.waiting.remove(index.index(model.waiting.len()));
                        lines.give_up(ticket);
                        model.forget_unless_waiting(number);
                    }
                    Step::Leave | Step::GiveUp(_) => {}
                }
                let count: usize = lines.waiting.values().map(VecDeque::len).sum();
                prop_assert_eq!(count, model.waiting.len());
                prop_assert_eq!(lines.order.len(), lines.waiting.len());
                prop_assert!(lines.waiting.values().all(|l| (1..=WAITING_OF_ACCOUNT).contains(&l.len())));
            }
        }
    }

    #[test]
    fn lines_are_bounded_for_each_zone_and_account() {
        let mut lines = Lines::default();
        assert!(lines.enter(account(1), Some("Z1")).unwrap().is_none());
        for _ in 0..WAITING_FOR_ZONE {
            assert!(lines.enter(account(1), Some("Z1")).unwrap().is_some());
        }
        assert_eq!(lines.enter(account(1), Some("Z1")).unwrap_err(), Crowded);
        // Neither another zone nor another account, whatever zone it names, has to suffer.
        for _ in WAITING_FOR_ZONE..WAITING_OF_ACCOUNT {
            assert!(lines.enter(account(1), Some("Z2")).is_ok());
        }
        assert_eq!(lines.enter(account(1), Some("Z3")).unwrap_err(), Crowded);
        assert_eq!(lines.enter(account(1), None).unwrap_err(), Crowded);
        assert!(lines.enter(account(2), Some("Z1")).is_ok());
        for _ in 0..2 * WAITING_OF_ACCOUNT {
            assert!(lines.enter(None, None).is_ok());
        }
    }

    #[test]
    fn a_busy_account_does_not_keep_others_from_writing() {
        let turns = Turns::default();
        let done = AtomicUsize::new(0);
        let write = |party: Party, zone: &str, times: usize| {
            for _ in 0..times {
                // A refused request is sent again, as clients do.
                let _turn = loop {
                    match turns.wait(party.clone(), Some(zone)) {
                        Ok(turn) => break turn,
                        Err(Crowded) => thread::sleep(Duration::from_millis(1)),
                    }
                };
                thread::sleep(Duration::from_micros(200));
                done.fetch_add(1, Ordering::Relaxed);
            }
        };
        thread::scope(|scope| {
            for _ in 0..60 {
                scope.spawn(|| write(account(1), "Z1", 20));
            }
            while done.load(Ordering::Relaxed) < 50 {
                thread::sleep(Duration::from_micros(100));
            }
            let before = done.load(Ordering::Relaxed);
            write(account(2), "Z2", 20);
            // Of 1,200 writes of the other account, one or two fell between each two of these.
            assert!(done.load(Ordering::Relaxed) - before < 20 * 6);
        });
        assert_eq!(done.load(Ordering::Relaxed), 1_220);
        assert!(turns.lines().writes.is_none());
    }
}
