//! Whose turn it is to write. The journal takes one entry after another, so writers wait in line:
//! accounts take turns, the requests of one account come in their order, and lines are bounded. Who
//! does not get into another's way has the turn with others: a group.
//!
//! What is written in a turn is control's business, how a group goes about it that of group.rs.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use meridian_log::Commit;
use meridian_model::AccountId;

use crate::group::{Basis, Group, Verdict, judged};
use crate::refusal::Fault;

/// How many requests of an account may wait for one zone.
const WAITING_FOR_ZONE: usize = 32;
/// How many requests of an account may wait in all: with a whole group of the account's they are
/// fewer than the API works on at a time, so that one account leaves room for the requests of others.
const WAITING_OF_ACCOUNT: usize = 48;
/// How long a request waits for its turn. A turn takes some milliseconds.
const WAIT_MAX: Duration = Duration::from_secs(10);
/// How many have the turn together at most.
const GROUP_MAX: usize = 64;
/// How much they say that they will write, at most, but for one on its own: whoever is not among
/// them waits for as long as that takes.
const GROUP_BYTES: usize = 256 * 1024;

/// Who waits together: an account, or the operator at the admin socket.
type Party = Option<AccountId>;

/// What a writer comes to write: with it goes in which line it waits, and who may write beside it.
/// Zones are named as requests spell them: nobody gets into the line of another account's zone by
/// naming it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Errand<'a> {
    /// Anything, written alone.
    Any,
    /// Something about this zone, written alone.
    Zone(&'a str),
    /// Record sets of this zone, of about so many bytes, by a plan that looks at the record sets of
    /// no other zone: written beside others of this kind, for other zones.
    Sets(&'a str, usize),
}

/// The lines in front of the journal.
#[derive(Default)]
pub(crate) struct Turns {
    lines: Mutex<Lines>,
}

/// The line is too long, or it takes too long. Nothing was done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Crowded;

/// The right to write, until it is dropped or a commit has been judged for good.
pub(crate) struct Turn<'a> {
    turns: &'a Turns,
    ticket: Ticket,
    group: Arc<Group>,
    ended: bool,
}

impl Turns {
    /// Waits for the party's turn.
    pub(crate) fn wait(&self, party: Party, errand: Errand<'_>) -> Result<Turn<'_>, Crowded> {
        let mut lines = self.lines();
        let (ticket, woken) = lines.enter(party, errand)?;
        if let Some(woken) = woken {
            (lines, _) = woken
                .wait_timeout_while(lines, WAIT_MAX, |lines| !lines.writes.contains(&ticket))
                .unwrap_or_else(PoisonError::into_inner);
            if !lines.writes.contains(&ticket) {
                lines.give_up(ticket);
                return Err(Crowded);
            }
        }
        Ok(Turn {
            turns: self,
            ticket,
            group: Arc::clone(&lines.group),
            ended: false,
        })
    }

    /// Ends turns. A group whose last one ends is followed by the next one.
    fn end(&self, tickets: impl IntoIterator<Item = Ticket>) {
        for woken in self.lines().leave(tickets) {
            woken.notify_one();
        }
    }

    fn lines(&self) -> MutexGuard<'_, Lines> {
        // Nothing below panics between two changes that belong together.
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The state to plan on, the same for all who have the turn; whoever comes first makes it.
    pub(crate) fn basis(
        &self,
        make: impl FnOnce() -> Result<Basis, Fault>,
    ) -> Result<Arc<Basis>, Fault> {
        self.group.basis(make)
    }

    /// Writes a commit, with those of the others once all have theirs. `append` is given all of
    /// them and has a verdict for each, in order. A verdict for good ends the turn.
    pub(crate) fn write(
        &mut self,
        commit: Commit,
        append: impl FnOnce(Vec<Commit>) -> Vec<Verdict>,
    ) -> Verdict {
        let verdict = self.group.hand_in(self.ticket, commit, |handed| {
            let (tickets, commits): (Vec<Ticket>, Vec<Commit>) = handed.into_iter().unzip();
            let verdicts = judged(tickets.len(), || append(commits));
            let judged: Vec<_> = tickets.into_iter().zip(verdicts).collect();
            // For all of them, so that nobody waits for them to wake up.
            let done = judged
                .iter()
                .filter(|(_, verdict)| !verdict.is_preliminary());
            self.turns.end(done.map(|(ticket, _)| *ticket));
            judged
        });
        self.ended = !verdict.is_preliminary();
        verdict
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if !self.ended {
            self.group.leave();
            self.turns.end([self.ticket]);
        }
    }
}

/// The number of a writer, in the order of coming.
pub(crate) type Ticket = u64;

/// Who writes and who waits. Without threads, so that it can be tried in every order.
struct Lines {
    /// Those who have the turn, or have been told to take it. When nobody has, nobody waits.
    writes: BTreeSet<Ticket>,
    /// What they have in common.
    group: Arc<Group>,
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
    /// About how much it writes beside others; none for what is written alone.
    bytes: Option<usize>,
    woken: Arc<Condvar>,
}

impl Default for Lines {
    fn default() -> Self {
        Self {
            writes: BTreeSet::new(),
            group: Arc::new(Group::of(0)),
            last: 0,
            order: VecDeque::new(),
            waiting: BTreeMap::new(),
        }
    }
}

impl Lines {
    /// Takes the turn if it is free. Otherwise there is a place in line, and what tells of the turn.
    fn enter(
        &mut self,
        party: Party,
        errand: Errand<'_>,
    ) -> Result<(Ticket, Option<Arc<Condvar>>), Crowded> {
        let ticket = self.last + 1;
        if self.writes.is_empty() {
            self.last = ticket;
            self.begin([ticket].into());
            return Ok((ticket, None));
        }
        let (zone, bytes) = match errand {
            Errand::Any => (None, None),
            Errand::Zone(zone) => (Some(zone), None),
            Errand::Sets(zone, bytes) => (Some(zone), Some(bytes)),
        };
        let line = self.waiting.get(&party);
        let full = |line: &VecDeque<Waiting>| {
            let same = |waiting: &&Waiting| zone.is_some() && waiting.zone.as_deref() == zone;
            line.len() >= WAITING_OF_ACCOUNT || line.iter().filter(same).count() >= WAITING_FOR_ZONE
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
            bytes,
            woken: Arc::clone(&woken),
        });
        self.last = ticket;
        Ok((ticket, Some(woken)))
    }

    /// Ends turns; those that have ended before count for nothing. When nobody writes any more, the
    /// next group does, and is to be woken.
    fn leave(&mut self, tickets: impl IntoIterator<Item = Ticket>) -> Vec<Arc<Condvar>> {
        let mut ended = false;
        for ticket in tickets {
            ended |= self.writes.remove(&ticket);
        }
        if !ended || !self.writes.is_empty() {
            return Vec::new();
        }
        let next = self.next_group();
        self.begin(next.iter().map(|(_, waiting)| waiting.ticket).collect());
        next.into_iter().map(|(_, waiting)| waiting.woken).collect()
    }

    fn begin(&mut self, writes: BTreeSet<Ticket>) {
        self.group = Arc::new(Group::of(writes.len()));
        self.writes = writes;
    }

    /// Takes those out of the lines who write next. The first one is of the party that has waited
    /// longest since its last turn; with it go all who can write beside it, party after party. Who
    /// comes first in its line and cannot is passed over, and not by the next group.
    fn next_group(&mut self) -> Vec<(Party, Waiting)> {
        let mut group: Vec<(Party, Waiting)> = Vec::new();
        let mut passed = VecDeque::new();
        while group.len() < GROUP_MAX
            && let Some(party) = self.order.pop_front()
        {
            let Some(line) = self.waiting.get_mut(&party) else {
                continue;
            };
            let next = line.pop_front_if(|next| may_join(&group, &party, next));
            if line.is_empty() {
                self.waiting.remove(&party);
            } else if next.is_some() {
                self.order.push_back(party.clone());
            } else {
                passed.push_back(party.clone());
            }
            group.extend(next.map(|next| (party, next)));
        }
        passed.append(&mut self.order);
        self.order = passed;
        group
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

/// Whether the next one in a party's line can write beside those who do.
fn may_join(group: &[(Party, Waiting)], party: &Party, next: &Waiting) -> bool {
    if group.is_empty() {
        return true;
    }
    let all: Option<usize> = group.iter().map(|(_, other)| other.bytes).sum();
    let (Some(all), Some(bytes)) = (all, next.bytes) else {
        return false;
    };
    let same = |(of, other): &(Party, Waiting)| of == party && other.zone == next.zone;
    all.saturating_add(bytes) <= GROUP_BYTES && !group.iter().any(same)
}

impl<'a> From<Option<&'a str>> for Errand<'a> {
    /// Something about this zone, or about none.
    fn from(zone: Option<&'a str>) -> Self {
        zone.map_or(Self::Any, Self::Zone)
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

    fn number(party: &Party) -> usize {
        party.as_ref().unwrap().as_str().parse().unwrap()
    }

    #[derive(Debug, Clone)]
    enum Step {
        /// Account, zone, and how much is written beside others.
        Enter(usize, Option<u8>, Option<usize>),
        Leave(prop::sample::Index),
        GiveUp(prop::sample::Index),
    }

    fn step() -> impl Strategy<Value = Step> {
        let bytes = prop_oneof![3 => Just(1_000), 1 => 0..2 * GROUP_BYTES];
        let enter = (
            0..4_usize,
            prop::option::of(0..3_u8),
            prop::option::of(bytes),
        );
        prop_oneof![
            4 => enter.prop_map(|(account, zone, bytes)| Step::Enter(account, zone, bytes)),
            5 => any::<prop::sample::Index>().prop_map(Step::Leave),
            1 => any::<prop::sample::Index>().prop_map(Step::GiveUp),
        ]
    }

    fn errand(zone: Option<&str>, bytes: Option<usize>) -> Errand<'_> {
        match (zone, bytes) {
            (Some(zone), Some(bytes)) => Errand::Sets(zone, bytes),
            (zone, _) => zone.into(),
        }
    }

    #[derive(Debug, Clone)]
    struct Writer {
        ticket: Ticket,
        account: usize,
        zone: Option<u8>,
        bytes: Option<usize>,
    }

    /// What the lines should be, kept the plain way: everybody in the order of coming.
    #[derive(Default)]
    struct Model {
        waiting: Vec<Writer>,
        writing: Vec<Ticket>,
        /// For each account that waits, which others led a group since it began to or had a turn.
        passed_by: BTreeMap<usize, Vec<usize>>,
    }

    impl Model {
        /// `leader` is the account that was first in the order.
        fn check_group(&mut self, leader: Option<usize>, tickets: &BTreeSet<Ticket>) {
            let chosen = |writer: &Writer| tickets.contains(&writer.ticket);
            let group: Vec<Writer> = self.waiting.iter().filter(|w| chosen(w)).cloned().collect();
            assert_eq!(group.len(), tickets.len());
            self.waiting.retain(|writer| !chosen(writer));
            self.writing = tickets.iter().copied().collect();
            check_fits(&group);
            for writer in &group {
                let before = |w: &Writer| w.account == writer.account && w.ticket < writer.ticket;
                assert!(!self.waiting.iter().any(before), "in the order of coming");
            }
            for (other, leaders) in &mut self.passed_by {
                if let Some(leader) = leader
                    && !group.iter().any(|writer| writer.account == *other)
                {
                    assert!(!leaders.contains(&leader), "{leader} twice before {other}");
                    leaders.push(leader);
                }
            }
            let leads = |writer: &Writer| Some(writer.account) == leader;
            assert!(group.is_empty() || group.iter().any(leads));
            for writer in &group {
                self.forget_unless_waiting(writer.account);
                if let Some(leaders) = self.passed_by.get_mut(&writer.account) {
                    leaders.clear();
                }
            }
        }

        fn forget_unless_waiting(&mut self, account: usize) {
            if !self.waiting.iter().any(|writer| writer.account == account) {
                self.passed_by.remove(&account);
            }
        }
    }

    /// Alone, or each with a zone of its own and together not too much.
    fn check_fits(group: &[Writer]) {
        assert!(group.len() <= GROUP_MAX);
        if group.len() > 1 {
            let zones: BTreeSet<_> = group.iter().map(|w| (w.account, w.zone.unwrap())).collect();
            assert_eq!(zones.len(), group.len());
            let bytes: usize = group.iter().map(|writer| writer.bytes.unwrap()).sum();
            assert!(bytes <= GROUP_BYTES);
        }
    }

    proptest! {
        #[test]
        fn accounts_take_turns_whatever_happens(steps in prop::collection::vec(step(), 0..300)) {
            let (mut lines, mut model) = (Lines::default(), Model::default());
            for step in steps {
                match step {
                    Step::Enter(account_, zone, bytes) => {
                        let name = zone.map(|zone| format!("Z{zone}"));
                        let free = lines.writes.is_empty();
                        match lines.enter(account(account_), errand(name.as_deref(), bytes)) {
                            Ok((ticket, None)) => {
                                prop_assert!(free);
                                model.writing = vec![ticket];
                            }
                            Ok((ticket, Some(_))) => {
                                prop_assert!(!free);
                                let bytes = bytes.filter(|_| zone.is_some());
                                let writer = Writer { ticket, account: account_, zone, bytes };
                                model.waiting.push(writer);
                                model.passed_by.entry(account_).or_default();
                            }
                            Err(Crowded) => {
                                let of = model.waiting.iter().filter(|w| w.account == account_);
                                prop_assert!(of.count() >= WAITING_FOR_ZONE);
                            }
                        }
                    }
                    Step::Leave(index) if !model.writing.is_empty() => {
                        let ticket = model.writing.remove(index.index(model.writing.len()));
                        let leader = lines.order.front().map(number);
                        let woken = lines.leave([ticket]);
                        if model.writing.is_empty() {
                            prop_assert_eq!(woken.len(), lines.writes.len());
                            model.check_group(leader, &lines.writes);
                            prop_assert!(!lines.writes.is_empty() || model.waiting.is_empty());
                        } else {
                            prop_assert!(woken.is_empty());
                        }
                        // Once more changes nothing.
                        prop_assert!(lines.leave([ticket]).is_empty());
                    }
                    Step::GiveUp(index) if !model.waiting.is_empty() => {
                        let writer = model.waiting.remove(index.index(model.waiting.len()));
                        lines.give_up(writer.ticket);
                        model.forget_unless_waiting(writer.account);
                    }
                    Step::Leave(_) | Step::GiveUp(_) => {}
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
        let mut enter = |party, zone: Option<&str>| {
            lines
                .enter(party, zone.into())
                .map(|(_, woken)| woken.is_some())
        };
        assert_eq!(enter(account(1), Some("Z1")), Ok(false));
        for _ in 0..WAITING_FOR_ZONE {
            assert_eq!(enter(account(1), Some("Z1")), Ok(true));
        }
        assert_eq!(enter(account(1), Some("Z1")), Err(Crowded));
        // Neither another zone nor another account, whatever zone it names, has to suffer.
        for _ in WAITING_FOR_ZONE..WAITING_OF_ACCOUNT {
            assert_eq!(enter(account(1), Some("Z2")), Ok(true));
        }
        assert_eq!(enter(account(1), Some("Z3")), Err(Crowded));
        assert_eq!(enter(account(1), None), Err(Crowded));
        assert_eq!(enter(account(2), Some("Z1")), Ok(true));
        for _ in 0..2 * WAITING_OF_ACCOUNT {
            assert_eq!(enter(None, None), Ok(true));
        }
    }

    #[test]
    fn record_sets_of_different_zones_are_written_together_and_all_else_alone() {
        let mut lines = Lines::default();
        let mut enter = |number, errand| lines.enter(account(number), errand).unwrap().0;
        let first = enter(1, Errand::Any);
        let a = enter(1, Errand::Sets("A", 10));
        let b = enter(2, Errand::Sets("A", 10));
        let settings = enter(3, Errand::Zone("C"));
        let c = enter(3, Errand::Sets("D", 10));
        let d = enter(1, Errand::Sets("B", 10));
        let same = enter(1, Errand::Sets("A", 10));
        let behind = enter(1, Errand::Sets("E", 10));
        let large = enter(4, Errand::Sets("F", GROUP_BYTES));
        // Another account's zone of that name is another zone. Behind one who has to wait all of
        // the same account do.
        for (ended, next) in [
            (vec![first], vec![a, b, d]),
            (vec![a, b, d], vec![settings]),
            (vec![settings], vec![large]),
            (vec![large], vec![same, c, behind]),
            (vec![same, c, behind], vec![]),
        ] {
            lines.leave(ended);
            assert_eq!(lines.writes, next.into_iter().collect());
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
                    match turns.wait(party.clone(), Errand::Zone(zone)) {
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
        assert!(turns.lines().writes.is_empty());
    }
}
