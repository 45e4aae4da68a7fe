//! Who may have a connection: a bounded number in total and for each client network, where the
//! stalest makes room for the newcomer.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::counters::{Count, StreamCells};
use crate::prefix::{Lengths, Prefix};

/// A connection without progress for this long is idle and may be evicted. Were it 0, a flood of
/// connections would evict everybody before the first query arrives; so it takes in as many as can
/// be given a chance and refuses the rest.
const IDLE_AFTER: Duration = Duration::from_millis(500);

/// The networks that connections are counted by: what one customer usually has.
const NETWORKS: Lengths = Lengths { v4: 24, v6: 56 };

/// The seats of all listeners.
#[derive(Debug)]
pub(crate) struct Seats {
    total: usize,
    per_prefix: usize,
    /// Moments are counted from here.
    start: Instant,
    table: Mutex<Table>,
}

/// One connection's right to exist; given back when dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    id: u64,
    state: Arc<State>,
    seats: Arc<Seats>,
}

/// What connection and table share.
#[derive(Debug, Default)]
struct State {
    /// When it last made progress, in microseconds from the start.
    progress_us: AtomicU64,
    evicted: Notify,
}

#[derive(Debug, Default)]
struct Table {
    next_id: u64,
    entries: HashMap<u64, Entry>,
    by_prefix: HashMap<Prefix, Vec<u64>>,
    /// By progress as of when it was last looked at, which is never later than it really was.
    by_progress: BTreeSet<(u64, u64)>,
}

#[derive(Debug)]
struct Entry {
    prefix: Prefix,
    /// Its place in `by_progress`.
    known_us: u64,
    state: Arc<State>,
    /// Where it is counted when it is evicted.
    cells: Arc<StreamCells>,
}

impl Seats {
    pub(crate) fn new(total: usize, per_prefix: usize) -> Self {
        Self {
            total,
            per_prefix,
            start: Instant::now(),
            table: Mutex::default(),
        }
    }

    /// Whether a client would get a seat without anybody's leaving.
    pub(crate) fn has_room(&self, client: IpAddr) -> bool {
        let table = self.table();
        let neighbours = table
            .by_prefix
            .get(&NETWORKS.of(client))
            .map_or(0, Vec::len);
        neighbours < self.per_prefix && table.entries.len() < self.total
    }

    /// A seat for this client, or none if a limit is reached and nobody it concerns is idle. Whoever
    /// has to leave for it is counted as evicted in the cells it came with.
    pub(crate) fn admit(
        self: &Arc<Self>,
        client: IpAddr,
        cells: &Arc<StreamCells>,
    ) -> Option<Seat> {
        self.admit_at(client, cells, self.now_us())
    }

    fn admit_at(
        self: &Arc<Self>,
        client: IpAddr,
        cells: &Arc<StreamCells>,
        now_us: u64,
    ) -> Option<Seat> {
        let prefix = NETWORKS.of(client);
        let idle_before_us = now_us.checked_sub(IDLE_AFTER.as_micros() as u64);
        let mut table = self.table();
        if table.by_prefix.get(&prefix).map_or(0, Vec::len) >= self.per_prefix {
            let stalest = table.stalest_of(prefix, idle_before_us?)?;
            table.evict(stalest);
        }
        if table.entries.len() >= self.total {
            let stalest = table.stalest(idle_before_us?)?;
            table.evict(stalest);
        }
        let (id, state) = table.insert(prefix, cells, now_us);
        Some(Seat {
            id,
            state,
            seats: Arc::clone(self),
        })
    }

    fn now_us(&self) -> u64 {
        self.start.elapsed().as_micros() as u64
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// Notes that the client has just sent a whole message or taken its replies.
    pub(crate) fn progress(&self) {
        self.state
            .progress_us
            .store(self.seats.now_us(), Ordering::Relaxed);
    }

    /// Returns when the seat was given to somebody else.
    pub(crate) async fn evicted(&self) {
        self.state.evicted.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.table().remove(self.id);
    }
}

impl Table {
    fn insert(
        &mut self,
        prefix: Prefix,
        cells: &Arc<StreamCells>,
        now_us: u64,
    ) -> (u64, Arc<State>) {
        let id = self.next_id;
        self.next_id += 1;
        let state = Arc::new(State {
            progress_us: now_us.into(),
            evicted: Notify::new(),
        });
        let entry = Entry {
            prefix,
            known_us: now_us,
            state: Arc::clone(&state),
            cells: Arc::clone(cells),
        };
        self.entries.insert(id, entry);
        self.by_prefix.entry(prefix).or_default().push(id);
        self.by_progress.insert((now_us, id));
        (id, state)
    }

    fn evict(&mut self, id: u64) {
        if let Some(entry) = self.remove(id) {
            entry.cells.evicted.add(1);
            entry.state.evicted.notify_one();
        }
    }

    /// Nothing happens when it has been evicted before.
    fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.by_progress.remove(&(entry.known_us, id));
        if let Some(neighbours) = self.by_prefix.get_mut(&entry.prefix) {
            neighbours.retain(|neighbour| *neighbour != id);
            if neighbours.is_empty() {
                self.by_prefix.remove(&entry.prefix);
            }
        }
        Some(entry)
    }

    /// The one of that network that has been idle longest. Looks at all, at most the limit.
    fn stalest_of(&self, prefix: Prefix, idle_before_us: u64) -> Option<u64> {
        let progress = |id: &u64| {
            let entry = self.entries.get(id)?;
            Some((entry.state.progress_us.load(Ordering::Relaxed), *id))
        };
        let (progress_us, id) = self
            .by_prefix
            .get(&prefix)?
            .iter()
            .filter_map(progress)
            .min()?;
        (progress_us <= idle_before_us).then_some(id)
    }

    /// The one that has been idle longest of all.
    ///
    /// Puts those that have made progress since the last look where they belong, which is paid for
    /// by that progress; with nothing to move this is one step.
    fn stalest(&mut self, idle_before_us: u64) -> Option<u64> {
        for _ in 0..=self.entries.len() {
            let (known_us, id) = *self.by_progress.first()?;
            let entry = self.entries.get_mut(&id)?;
            let progress_us = entry.state.progress_us.load(Ordering::Relaxed);
            if progress_us == known_us {
                return (known_us <= idle_before_us).then_some(id);
            }
            entry.known_us = progress_us;
            self.by_progress.remove(&(known_us, id));
            self.by_progress.insert((progress_us, id));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::counters::Protocol;

    const IDLE_US: u64 = IDLE_AFTER.as_micros() as u64;

    fn seats(total: usize, per_prefix: usize) -> Arc<Seats> {
        Arc::new(Seats::new(total, per_prefix))
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// A client in a network of its own.
    fn stranger(number: u8) -> IpAddr {
        IpAddr::from([10, 0, number, 1])
    }

    fn cells() -> Arc<StreamCells> {
        Arc::new(StreamCells::new(Protocol::Tcp))
    }

    fn is_evicted(seat: &Seat) -> bool {
        !seat.seats.table().entries.contains_key(&seat.id)
    }

    fn progress_at(seat: &Seat, now_us: u64) {
        seat.state.progress_us.store(now_us, Ordering::Relaxed);
    }

    #[test]
    fn the_longest_idle_leaves_first_whatever_the_order_of_coming() {
        let (seats, cells) = (seats(3, 3), cells());
        let taken: Vec<Seat> = (0..3)
            .map(|n| seats.admit_at(stranger(n), &cells, 0).unwrap())
            .collect();
        progress_at(&taken[0], 30);
        progress_at(&taken[1], 10);
        progress_at(&taken[2], 20);
        let mut newcomers = Vec::new();
        for (number, leaves) in [(3, 1), (4, 2), (5, 0)] {
            let seat = seats.admit_at(stranger(number), &cells, IDLE_US + 50);
            newcomers.push(seat.unwrap());
            assert!(is_evicted(&taken[leaves]));
        }
        assert_eq!(cells.evicted.read(), 3);
        assert!(!newcomers.iter().any(is_evicted));
    }

    #[test]
    fn a_newcomer_is_refused_while_nobody_is_idle() {
        let (seats, cells) = (seats(2, 2), cells());
        let first = seats.admit_at(stranger(0), &cells, 0).unwrap();
        let _second = seats.admit_at(stranger(1), &cells, 0).unwrap();
        assert!(seats.admit_at(stranger(2), &cells, IDLE_US - 1).is_none());
        progress_at(&first, IDLE_US);
        progress_at(&_second, IDLE_US);
        assert!(seats.admit_at(stranger(2), &cells, IDLE_US).is_none());
        drop(first);
        assert!(seats.admit_at(stranger(2), &cells, IDLE_US).is_some());
        assert_eq!(cells.evicted.read(), 0);
    }

    #[test]
    fn a_full_network_takes_from_itself_alone() {
        let (seats, cells) = (seats(10, 2), cells());
        let admit = |client, now_us| seats.admit_at(ip(client), &cells, now_us);
        let other = admit("192.0.2.1", 0).unwrap();
        let older = admit("2001:db8::1", 1).unwrap();
        let newer = admit("2001:db8::2", 2).unwrap();
        assert!(admit("2001:db8::3", 3).is_none());
        let _newest = admit("2001:db8::3", IDLE_US + 3).unwrap();
        assert_eq!(cells.evicted.read(), 1);
        assert!(is_evicted(&older) && !is_evicted(&newer) && !is_evicted(&other));
    }

    #[test]
    fn whoever_leaves_is_counted_where_it_was() {
        let (seats, theirs, ours) = (seats(1, 1), cells(), cells());
        let _old = seats.admit_at(stranger(0), &theirs, 0).unwrap();
        let _new = seats.admit_at(stranger(1), &ours, IDLE_US).unwrap();
        assert_eq!((theirs.evicted.read(), ours.evicted.read()), (1, 0));
    }

    #[test]
    fn nothing_is_left_when_all_have_gone() {
        let seats = seats(4, 4);
        let taken: Vec<Seat> = (0..8)
            .filter_map(|n| seats.admit_at(stranger(n), &cells(), u64::from(n) * IDLE_US))
            .collect();
        assert_eq!(taken.len(), 8);
        drop(taken);
        let table = seats.table();
        assert!(table.entries.is_empty());
        assert!(table.by_prefix.is_empty());
        assert!(table.by_progress.is_empty());
    }

    #[test]
    fn a_limit_of_zero_refuses_everybody() {
        assert!(
            seats(0, 5)
                .admit_at(stranger(0), &cells(), IDLE_US)
                .is_none()
        );
        assert!(
            seats(5, 0)
                .admit_at(stranger(0), &cells(), IDLE_US)
                .is_none()
        );
    }
}
