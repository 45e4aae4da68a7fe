//! When a checker probes what: each check so long after the previous response, spread so that
//! probes never bunch. What a probe is, and how many run at once, is the business of others.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use meridian_model::HealthSlot;

use crate::register::CheckerName;
use crate::steady::Steady;
use crate::table::Conduct;

/// A probe that nobody answered for so long is due again: a lost one must not end a check.
const LOST_AFTER: Duration = Duration::from_secs(60);

/// The checks of one checker by when they are due. One entry for each check, whatever happens.
///
/// Each check has a moment of its own within its interval, by a hash of its place and the
/// checker's name. The first probe is at that moment, so that checks which come all at once, or
/// after a restart, are spread over the interval. Later ones are an interval after the previous
/// response (reference 6.2), or up to a twentieth of it earlier where that leads back to the
/// moment: so a bunch that an outage made dissolves by itself, and no probe is ever later for it.
#[derive(Debug)]
pub struct Schedule {
    seed: u64,
    steady: Steady,
    entries: HashMap<u32, Entry>,
    due: BTreeSet<(Duration, u32)>,
    lost: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    incarnation: u32,
    interval: Duration,
    /// When it is due, or lost if it is under way.
    due: Duration,
    state: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Waiting,
    UnderWay,
}

/// Probes to begin now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// Of which checks, the most overdue first.
    pub checks: Vec<HealthSlot>,
    /// By how much the most overdue check was late, those included that are not in this list
    /// because it is full. It is for [`Punctuality`].
    pub lateness: Duration,
}

impl Schedule {
    /// Nothing is probed by the checker of this name.
    pub fn new(checker: &CheckerName) -> Self {
        let bytes = checker.as_str().bytes();
        Self {
            seed: bytes.fold(0, |seed, byte| mix(seed ^ u64::from(byte))),
            steady: Steady::default(),
            entries: HashMap::new(),
            due: BTreeSet::new(),
            lost: 0,
        }
    }

    /// This check is probed at this interval from now on, zero being as a millisecond. Its
    /// predecessor in the place is gone. One that is there with the same interval stays as it is.
    pub fn put(&mut self, at: HealthSlot, interval: Duration, now: Duration) {
        let now = self.steady.at(now);
        let interval = interval.max(Duration::from_millis(1));
        let known = self.entries.get(&at.slot).copied();
        let known = known.filter(|known| known.incarnation == at.incarnation);
        match known {
            Some(known) if known.interval == interval => return,
            // It is rescheduled by its answer.
            Some(known) if known.state == Progress::UnderWay => {
                self.entries.insert(at.slot, Entry { interval, ..known });
                return;
            }
            _ => {}
        }
        let wait = before(self.moment(at, interval), now, interval);
        self.enter(
            at.slot,
            Entry {
                incarnation: at.incarnation,
                interval,
                due: now.saturating_add(wait),
                state: Progress::Waiting,
            },
        );
    }

    /// A check is not probed any more. Says whether it was; an answer that is still to come is
    /// dropped.
    pub fn remove(&mut self, at: HealthSlot) -> bool {
        let Some(entry) = self.entry(at) else {
            return false;
        };
        self.due.remove(&(entry.due, at.slot));
        self.entries.remove(&at.slot);
        true
    }

    /// The probes that are due, at most so many. Each is to be answered by
    /// [`answered`](Self::answered).
    pub fn take(&mut self, now: Duration, most: usize) -> Due {
        let now = self.steady.at(now);
        let mut due = Due::default();
        while let Some((when, slot)) = self.due.first().copied().filter(|(when, _)| *when <= now) {
            let Some(entry) = self.entries.get(&slot).copied() else {
                self.due.remove(&(when, slot));
                continue;
            };
            if entry.state == Progress::Waiting {
                due.lateness = due.lateness.max(now.saturating_sub(when));
            }
            if due.checks.len() >= most {
                break;
            }
            if entry.state == Progress::UnderWay {
                self.lost = self.lost.saturating_add(1);
            }
            due.checks.push(HealthSlot {
                slot,
                incarnation: entry.incarnation,
            });
            self.enter(
                slot,
                Entry {
                    due: now.saturating_add(LOST_AFTER),
                    state: Progress::UnderWay,
                    ..entry
                },
            );
        }
        due
    }

    /// The response to a probe is there, or it is known that there is none. Says whether the check
    /// still is; otherwise what was found is to be dropped.
    pub fn answered(&mut self, at: HealthSlot, now: Duration) -> bool {
        let now = self.steady.at(now);
        let Some(entry) = self.entry(at) else {
            return false;
        };
        let latest = now.saturating_add(entry.interval);
        let back = before(latest, self.moment(at, entry.interval), entry.interval);
        let due = latest.saturating_sub(back.min(self.earliest(at, entry.interval)));
        self.enter(
            at.slot,
            Entry {
                due,
                state: Progress::Waiting,
                ..entry
            },
        );
        true
    }

    /// How long there is nothing to do; nothing at all is probed if there is no answer.
    pub fn idle(&mut self, now: Duration) -> Option<Duration> {
        let now = self.steady.at(now);
        let (due, _) = self.due.first()?;
        Some(due.saturating_sub(now))
    }

    /// How many checks are probed.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is probed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many probes were never answered and begun again.
    pub const fn lost(&self) -> u64 {
        self.lost
    }

    fn entry(&self, at: HealthSlot) -> Option<Entry> {
        let entry = self.entries.get(&at.slot).copied();
        entry.filter(|entry| entry.incarnation == at.incarnation)
    }

    fn enter(&mut self, slot: u32, entry: Entry) {
        if let Some(former) = self.entries.insert(slot, entry) {
            self.due.remove(&(former.due, slot));
        }
        self.due.insert((entry.due, slot));
    }

    fn hash(&self, at: HealthSlot) -> u64 {
        let place = u64::from(at.slot) << 32 | u64::from(at.incarnation);
        mix(self.seed ^ mix(place))
    }

    /// The check's own moment within the interval.
    fn moment(&self, at: HealthSlot, interval: Duration) -> Duration {
        part(interval, self.hash(at), u32::MAX.into())
    }

    /// By how much a probe may be earlier than an interval after the response: a hundredth to a
    /// twentieth, each check another part, so that those of a bunch part at once.
    fn earliest(&self, at: HealthSlot, interval: Duration) -> Duration {
        let parts = 10 + mix(self.hash(at)) % 41;
        part(interval, parts << 16, 1000 << 16)
    }
}

/// How far a moment that returns with each interval is after another time: less than an interval.
fn before(moment: Duration, time: Duration, interval: Duration) -> Duration {
    let nanos = interval.as_nanos().max(1);
    let (moment, time) = (moment.as_nanos() % nanos, time.as_nanos() % nanos);
    let apart = (moment + nanos - time) % nanos;
    Duration::from_nanos(u64::try_from(apart).unwrap_or(u64::MAX))
}

/// This part of an interval, `part` being taken modulo `whole`.
fn part(interval: Duration, part: u64, whole: u64) -> Duration {
    let nanos = interval.as_nanos() * u128::from(part % whole) / u128::from(whole);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Numbers that lie side by side to such that do not: the finalizer of splitmix64.
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// Whether a checker's own loop runs on time. One that does not takes its own delay for that of
/// endpoints, and does not stand by what it found.
#[derive(Debug, Clone, Copy)]
pub struct Punctuality {
    limit: Duration,
    grace: Duration,
    steady: Steady,
    /// The worst that still counts, and when it was noted.
    worst: Option<(Duration, Duration)>,
}

impl Punctuality {
    /// Late is later than `limit`, and counts for `grace` after it was noted.
    pub fn new(limit: Duration, grace: Duration) -> Self {
        Self {
            limit,
            grace,
            steady: Steady::default(),
            worst: None,
        }
    }

    /// The loop was so late at something: at beginning probes, or at its own next turn.
    pub fn note(&mut self, lateness: Duration, now: Duration) {
        let now = self.steady.at(now);
        let outlived = self.worst(now).is_none_or(|worst| worst <= lateness);
        // A lateness that is too much counts on from its last time, even if it was worse before.
        if outlived || lateness > self.limit {
            let worst = self
                .worst(now)
                .map_or(lateness, |worst| worst.max(lateness));
            self.worst = Some((worst, now));
        }
    }

    /// Whether the checker stands by its opinions, and how late it was at worst of late.
    pub fn judge(&mut self, now: Duration) -> (Conduct, Duration) {
        let now = self.steady.at(now);
        let worst = self.worst(now).unwrap_or_default();
        if worst > self.limit {
            (Conduct::Withholds, worst)
        } else {
            (Conduct::Votes, worst)
        }
    }

    fn worst(&self, now: Duration) -> Option<Duration> {
        let (worst, noted) = self.worst?;
        (now.saturating_sub(noted) <= self.grace).then_some(worst)
    }
}
