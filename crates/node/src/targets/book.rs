//! All targets: which there are, what is known of each, and whose turn it is. Pure: the clock is an
//! argument, and whoever asks resolvers is told whom to ask for.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

use meridian_answer::Need;
use meridian_dns::{Name, RecordType};
use meridian_model::Timestamp;

use super::ask::Failure;
use super::fair::{Account, FairLine};
use super::judge::{ForNetwork, Good, Heard, Rules, Standing, Verdict};
use super::reply::{Fault, Said, bytes};

/// The most targets. Those beyond are not resolved, and that is told.
pub(crate) const MAX_TARGETS: usize = 100_000;
/// The most bytes of data of all targets together: half of a kilobyte each, if there are as many as
/// may be. Beyond them nothing is taken up for networks, and nothing new at all.
pub(crate) const MAX_BYTES: usize = 50 * 1024 * 1024;
/// So much of a pause is added at most, so that what began together goes apart.
const JITTER_MAX: Duration = Duration::from_secs(10);

/// What is asked for: a name in lower case, and a type.
pub(crate) type Key = (Name, RecordType);

/// One target.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) standing: Standing,
    /// When it is asked for, or was to be if that is under way.
    pub(crate) due: Timestamp,
    is_asked: bool,
}

/// Those there is no room for, in the order in which they came.
#[derive(Debug, Default)]
struct Waiting {
    keys: BTreeMap<u64, Key>,
    places: HashMap<Key, u64>,
    next: u64,
}

impl Waiting {
    fn push(&mut self, key: Key) {
        if !self.places.contains_key(&key) {
            self.places.insert(key.clone(), self.next);
            self.keys.insert(self.next, key);
            self.next += 1;
        }
    }

    fn remove(&mut self, key: &Key) {
        if let Some(place) = self.places.remove(key) {
            self.keys.remove(&place);
        }
    }

    fn pop(&mut self) -> Option<Key> {
        let (_, key) = self.keys.pop_first()?;
        self.places.remove(&key);
        Some(key)
    }
}

/// What a file has to hold that it does not, after something was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unkept {
    Nothing,
    /// When it was said again.
    Times,
    /// What is answered.
    Answers,
}

/// Targets wait in several lines, so that nobody waits for those of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Nothing was heard of them yet, nor tried: nobody knows how long theirs take.
    New,
    Usual,
    /// They failed last time: theirs take long.
    Failing,
}

impl Lane {
    pub(crate) const ALL: [Self; 3] = [Self::New, Self::Usual, Self::Failing];
}

/// Those that wait, by when it is their time. Of those that may be silent accounts take turns.
#[derive(Debug, Default)]
struct Lines {
    new: FairLine,
    usual: BTreeSet<(Timestamp, u64)>,
    failing: FairLine,
}

impl Lines {
    /// Where accounts take turns.
    fn fair(&mut self, lane: Lane) -> Option<&mut FairLine> {
        match lane {
            Lane::New => Some(&mut self.new),
            Lane::Usual => None,
            Lane::Failing => Some(&mut self.failing),
        }
    }

    fn insert(&mut self, lane: Lane, place: (Timestamp, u64)) {
        match self.fair(lane) {
            Some(line) => line.insert(place),
            None => {
                self.usual.insert(place);
            }
        }
    }

    fn remove(&mut self, lane: Lane, place: (Timestamp, u64), accounts: &BTreeSet<Account>) {
        match self.fair(lane) {
            Some(line) => line.remove(place, accounts),
            None => {
                self.usual.remove(&place);
            }
        }
    }
}

/// One to be asked for.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) key: Key,
    pub(crate) lane: Lane,
}

/// How many targets are how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) answers: usize,
    /// Of those: given though they were not confirmed when they should have been.
    pub(crate) held: usize,
    pub(crate) no_data: usize,
    pub(crate) no_such_name: usize,
    pub(crate) unknown: usize,
    /// There was no room for them.
    pub(crate) left_out: usize,
    /// For so long the one that is held longest was not confirmed, in seconds.
    pub(crate) oldest_s: u64,
}

/// The targets.
#[derive(Debug)]
pub(crate) struct Book {
    rules: Rules,
    entries: BTreeMap<u64, Entry>,
    ids: HashMap<Key, u64>,
    /// Who needs each, those that there is no room for as well.
    accounts: HashMap<Key, BTreeSet<Account>>,
    lines: Lines,
    /// With whom one is counted that is under way, needed or not, where accounts take turns.
    under_way: HashMap<u64, (Lane, Account)>,
    next: u64,
    waiting: Waiting,
    /// How many there may be.
    most: usize,
    /// How much data there are.
    bytes: usize,
    most_bytes: usize,
}

impl Book {
    /// There are none.
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            entries: BTreeMap::new(),
            ids: HashMap::new(),
            accounts: HashMap::new(),
            lines: Lines::default(),
            under_way: HashMap::new(),
            next: 0,
            waiting: Waiting::default(),
            most: MAX_TARGETS,
            bytes: 0,
            most_bytes: MAX_BYTES,
        }
    }

    /// What was known when a process kept it last.
    pub(crate) fn restored(
        known: impl IntoIterator<Item = (Key, Standing)>,
        now: Timestamp,
        rules: Rules,
    ) -> Self {
        let mut book = Self::new(rules);
        for (key, mut standing) in known.into_iter().take(MAX_TARGETS) {
            // Of a clock that ran ahead nothing is taken over.
            standing.heard_by(now);
            if book.bytes + standing.bytes() > book.most_bytes {
                continue;
            }
            let due = standing.good.as_ref().map_or(now, |good| {
                let ttl_s = good.ttl_s.clamp(rules.min_ttl_s, rules.max_ttl_s);
                Timestamp(good.heard_at.0.saturating_add(i64::from(ttl_s) * 1000))
            });
            book.put(key, standing, due);
        }
        book
    }

    /// These are needed and no others, each named once. New ones are asked for at once. Looks at all
    /// there are.
    pub(crate) fn need<'n>(&mut self, needs: impl IntoIterator<Item = &'n Need>, now: Timestamp) {
        let needs: Vec<&Need> = needs.into_iter().collect();
        let needed: HashSet<&Need> = needs.iter().copied().collect();
        let known = self.accounts.iter();
        let known = known.flat_map(|(key, of)| of.iter().map(|of| (key.clone(), of.clone())));
        let gone: Vec<Need> = known.filter(|known| !needed.contains(known)).collect();
        // What was restored nobody needs yet.
        let keys: HashSet<&Key> = needs.iter().map(|(key, _)| key).collect();
        let is_unneeded = |key: &&Key| !self.accounts.contains_key(key) && !keys.contains(key);
        let unneeded: Vec<Key> = self.ids.keys().filter(is_unneeded).cloned().collect();
        for key in &unneeded {
            self.forget(key, &BTreeSet::new());
        }
        self.follow(needs.into_iter().cloned(), &gone, now);
    }

    /// These are needed from now on, and those are not any more. Looks at no others.
    pub(crate) fn follow(
        &mut self,
        new: impl IntoIterator<Item = Need>,
        gone: &[Need],
        now: Timestamp,
    ) {
        // First those that come: one that goes from an account to another stays.
        for (key, account) in new {
            self.claim(key, &account);
        }
        for (key, account) in gone {
            self.release(key, account);
        }
        while self.entries.len() < self.most
            && let Some(key) = self.waiting.pop()
        {
            self.put(key, Standing::default(), now);
        }
    }

    /// This account needs it.
    fn claim(&mut self, key: Key, account: &Account) {
        let accounts = self.accounts.entry(key.clone()).or_default();
        if !accounts.insert(account.clone()) {
            return;
        }
        let Some(id) = self.ids.get(&key) else {
            self.waiting.push(key);
            return;
        };
        if let Some(entry) = self.entries.get(id).filter(|entry| !entry.is_asked)
            && let Some(line) = self.lines.fair(lane(&entry.standing))
        {
            line.claim((entry.due, *id), account);
        }
    }

    /// This account does not need it any more.
    fn release(&mut self, key: &Key, account: &Account) {
        let Some(accounts) = self.accounts.get_mut(key) else {
            return;
        };
        if accounts.len() > 1 {
            if accounts.remove(account)
                && let Some(id) = self.ids.get(key)
                && let Some(entry) = self.entries.get(id).filter(|entry| !entry.is_asked)
                && let Some(line) = self.lines.fair(lane(&entry.standing))
            {
                line.release((entry.due, *id), account);
            }
        } else if accounts.contains(account) {
            let accounts = self.accounts.remove(key).unwrap_or_default();
            self.forget(key, &accounts);
        }
    }

    /// Nobody needs it any more; these did last.
    fn forget(&mut self, key: &Key, accounts: &BTreeSet<Account>) {
        self.waiting.remove(key);
        let entry = self.ids.remove(key);
        if let Some((id, entry)) = entry.and_then(|id| Some((id, self.entries.remove(&id)?))) {
            self.bytes -= entry.standing.bytes();
            let lane = lane(&entry.standing);
            self.lines.remove(lane, (entry.due, id), accounts);
        }
    }

    fn put(&mut self, key: Key, standing: Standing, due: Timestamp) {
        if self.ids.contains_key(&key) {
            return;
        }
        let id = self.next;
        self.next += 1;
        self.ids.insert(key.clone(), id);
        self.bytes += standing.bytes();
        self.lines.insert(lane(&standing), (due, id));
        let entry = Entry {
            key,
            standing,
            due,
            is_asked: false,
        };
        self.entries.insert(id, entry);
    }

    /// The one in this line whose turn it is, if it is time, where that line may have so many places
    /// more: with the usual ones the one that has waited longest.
    pub(crate) fn next(&mut self, (lane, free): (Lane, usize), now: Timestamp) -> Option<Job> {
        let id = match self.lines.fair(lane) {
            None => {
                let (due, id) = self.lines.usual.first().copied()?;
                (due <= now).then(|| self.lines.usual.remove(&(due, id)))?;
                id
            }
            Some(line) => {
                let accounts_of = |id| {
                    let key = self.entries.get(&id).map(|entry: &Entry| &entry.key);
                    let accounts = key.and_then(|key| self.accounts.get(key));
                    accounts.into_iter().flatten()
                };
                let (place, account) = line.next((now, free), accounts_of)?;
                line.remove(place, accounts_of(place.1));
                line.begin(&account);
                self.under_way.insert(place.1, (lane, account));
                place.1
            }
        };
        let entry = self.entries.get_mut(&id)?;
        entry.is_asked = true;
        let key = entry.key.clone();
        Some(Job { id, key, lane })
    }

    /// This came of asking. Of `chance` comes how much later than necessary it is asked for again.
    /// Returns what is to be kept of it.
    pub(crate) fn take(
        &mut self,
        id: u64,
        outcome: Result<Heard, Failure>,
        (now, chance): (Timestamp, u64),
    ) -> Unkept {
        if let Some((lane, account)) = self.under_way.remove(&id)
            && let Some(line) = self.lines.fair(lane)
        {
            line.end(&account);
        }
        // Nobody needs it any more.
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| entry.is_asked) else {
            return Unkept::Nothing;
        };
        let before = entry.standing.clone();
        let others = self.bytes - entry.standing.bytes();
        let outcome = outcome.and_then(|heard| fit(heard, self.most_bytes - others));
        let pause = entry.standing.take(outcome, now, &self.rules);
        self.bytes = others + entry.standing.bytes();
        let most = u64::try_from((pause / 10).min(JITTER_MAX).as_millis()).unwrap_or(0);
        let pause = pause + Duration::from_millis(chance % (most + 1));
        let pause_ms = i64::try_from(pause.as_millis()).unwrap_or(i64::MAX);
        entry.is_asked = false;
        entry.due = Timestamp(now.0.saturating_add(pause_ms));
        let unkept = match &entry.standing {
            standing if !standing.answers_like(&before) => Unkept::Answers,
            // A file says nothing of failures.
            standing if standing.failures > 0 => Unkept::Nothing,
            _ => Unkept::Times,
        };
        let (lane, due) = (lane(&entry.standing), entry.due);
        self.lines.insert(lane, (due, id));
        unkept
    }

    /// When the next one is to be asked for.
    #[cfg(test)]
    fn next_due(&self) -> Option<Timestamp> {
        let usual = self.lines.usual.first().map(|(due, _)| *due);
        let dues = [self.lines.new.first(), usual, self.lines.failing.first()];
        dues.into_iter().flatten().min()
    }

    /// All of them, in the order in which they came to be needed.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    /// What one of them is taken for.
    pub(crate) fn verdict<'e>(&self, entry: &'e Entry, now: Timestamp) -> Verdict<'e> {
        entry.standing.verdict(now, &self.rules)
    }

    /// What is told to networks beside that, with its TTL.
    pub(crate) fn networks<'g>(
        &'g self,
        (good, ttl_s): (&'g Good, u32),
        now: Timestamp,
    ) -> impl Iterator<Item = (&'g ForNetwork, u32)> {
        good.networks(ttl_s, now, &self.rules)
    }

    /// How many there was no room for.
    pub(crate) fn left_out(&self) -> usize {
        self.waiting.keys.len()
    }

    /// What is known for networks of one that is asked for.
    pub(crate) fn networks_of(&self, id: u64) -> Vec<ForNetwork> {
        let standing = self.entries.get(&id).map(|entry| &entry.standing);
        let good = standing.and_then(|standing| standing.good.as_ref());
        good.map(|good| good.for_networks.clone())
            .unwrap_or_default()
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many are how. Looks at all of them.
    pub(crate) fn counts(&self, now: Timestamp) -> Counts {
        let mut counts = Counts {
            left_out: self.left_out(),
            ..Counts::default()
        };
        for entry in self.entries() {
            match self.verdict(entry, now) {
                Verdict::Unknown => counts.unknown += 1,
                Verdict::NoData => counts.no_data += 1,
                Verdict::NoSuchName => counts.no_such_name += 1,
                Verdict::Answers(good, _) => {
                    counts.answers += 1;
                    if entry.standing.is_held() {
                        let age = super::judge::passed(good.heard_at, now);
                        counts.held += 1;
                        counts.oldest_s = counts.oldest_s.max(age.as_secs());
                    }
                }
            }
        }
        counts
    }
}

/// As much of it as there is room for.
fn fit(mut heard: Heard, room: usize) -> Result<Heard, Failure> {
    let Said::Records { data, .. } = &heard.said else {
        return Ok(heard);
    };
    let Some(room) = room.checked_sub(bytes(data)) else {
        return Err(Failure::Fault(Fault::TooMuch));
    };
    let own = heard.for_networks.iter().map(|own| bytes(&own.data));
    if own.sum::<usize>() > room {
        heard.for_networks.clear();
    }
    Ok(heard)
}

fn lane(standing: &Standing) -> Lane {
    match standing.failures {
        0 if standing.good.is_none() && standing.gone.is_none() => Lane::New,
        0 => Lane::Usual,
        _ => Lane::Failing,
    }
}
