//! The one pointer through which a new World reaches the packet threads.
//!
//! What a World is and when a new one is due are other crates' business; this file promises only
//! that readers never wait, and that the writer, not a packet thread, frees what is retired.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use arc_swap::{ArcSwap, Guard};
use meridian_answer::World;

/// The most retired values kept while readers may still hold them.
const RETIRED_MAX: usize = 16;

/// How long [`Live::publish`] waits for readers when that many are retired. A batch takes well
/// under a millisecond, so only a reader that keeps its guard for no good reason reaches this.
const READERS_WAIT: Duration = Duration::from_secs(1);

/// How often the writer looks again meanwhile.
const READERS_POLL: Duration = Duration::from_micros(200);

/// The current `World`, which packet threads read while one writer replaces it.
///
/// **What holds when [`publish`](Self::publish) has returned:** every query received from then on
/// is answered from the new value, by every worker. A worker receives a batch first and loads
/// the value afterwards, anew for each batch; the store has happened before `publish` returns, and
/// therefore before any load for a query that was sent later. So nothing has to wait for the
/// workers before a change is reported INSYNC. Queries received before the return may still be
/// answered from the old value shortly after it.
#[derive(Debug)]
pub struct Live<W = World> {
    current: ArcSwap<W>,
    /// Replaced values, oldest first. Each keeps one count here, so that a reader's is never the
    /// last and its destructor never runs on a packet thread. Taken by writers only.
    retired: Mutex<Vec<Arc<W>>>,
}

impl<W> Live<W> {
    /// Starts with this value.
    #[must_use]
    pub fn new(first: W) -> Self {
        Self {
            current: ArcSwap::from_pointee(first),
            retired: Mutex::default(),
        }
    }

    /// The current value, without touching a reference count in the usual case.
    ///
    /// Meant to be held for one batch: not across a wait of any kind.
    pub fn load(&self) -> Guard<Arc<W>> {
        self.current.load()
    }

    /// Makes `next` the current value and frees those that no reader holds any more.
    ///
    /// Destructors run here, and when 16 retired values are still held this waits for up to a
    /// second: call it from a thread that may block. Writers take turns.
    pub fn publish(&self, next: W) {
        let next = Arc::new(next);
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        free_unheld(&mut retired);
        make_room(&mut retired);
        // `swap` turns every guard on the old value into a counted reference before it returns,
        // so that from here on a count of one means that only the list has it.
        retired.push(self.current.swap(next));
        free_unheld(&mut retired);
    }

    /// Frees retired values that no reader holds any more; how many remain.
    ///
    /// [`publish`](Self::publish) does this too, but where changes are rare the last retired value
    /// would wait for the next one.
    pub fn reclaim(&self) -> usize {
        let mut retired = self.retired.lock().unwrap_or_else(PoisonError::into_inner);
        free_unheld(&mut retired);
        retired.len()
    }
}

fn free_unheld<W>(retired: &mut Vec<Arc<W>>) {
    // Nobody can gain a reference to a retired value but from one who holds it, so a count of one
    // stays one.
    retired.retain(|value| Arc::strong_count(value) > 1);
}

fn make_room<W>(retired: &mut Vec<Arc<W>>) {
    let give_up = Instant::now() + READERS_WAIT;
    while retired.len() >= RETIRED_MAX && Instant::now() < give_up {
        thread::sleep(READERS_POLL);
        free_unheld(retired);
    }
    if retired.len() >= RETIRED_MAX {
        // Memory stays bounded whatever a reader does; the price is that this reader frees it.
        retired.remove(0);
        tracing::warn!(
            waited_ms = READERS_WAIT.as_millis(),
            "a reader still holds the oldest of {RETIRED_MAX} retired worlds; it is left to free it"
        );
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::thread::ThreadId;

    use super::*;

    /// Counts its destructor's runs, by whether the writer ran them.
    struct Watched {
        number: usize,
        writer: ThreadId,
        drops: Arc<Drops>,
    }

    #[derive(Default)]
    struct Drops {
        by_writer: AtomicUsize,
        by_others: AtomicUsize,
    }

    impl Drop for Watched {
        fn drop(&mut self) {
            let by_writer = thread::current().id() == self.writer;
            let cell = if by_writer {
                &self.drops.by_writer
            } else {
                &self.drops.by_others
            };
            cell.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn watched(number: usize, drops: &Arc<Drops>) -> Watched {
        Watched {
            number,
            writer: thread::current().id(),
            drops: Arc::clone(drops),
        }
    }

    #[test]
    fn readers_see_rising_values_and_never_free_one() {
        const PUBLISHED: usize = 20_000;
        let drops = Arc::new(Drops::default());
        let live = Live::new(watched(0, &drops));
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    let mut last = 0;
                    while !stop.load(Ordering::Relaxed) {
                        let now = live.load().number;
                        assert!(now >= last, "went back from {last} to {now}");
                        last = now;
                    }
                });
            }
            for number in 1..=PUBLISHED {
                live.publish(watched(number, &drops));
                assert_eq!(live.load().number, number);
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(live.reclaim(), 0);
        assert_eq!(drops.by_writer.load(Ordering::SeqCst), PUBLISHED);
        assert_eq!(drops.by_others.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn a_held_value_outlives_its_retirement() {
        let drops = Arc::new(Drops::default());
        let live = Live::new(watched(0, &drops));
        let held = live.load();
        live.publish(watched(1, &drops));
        assert_eq!((held.number, live.load().number), (0, 1));
        assert_eq!(live.reclaim(), 1);
        drop(held);
        assert_eq!(drops.by_writer.load(Ordering::SeqCst), 0);
        assert_eq!(live.reclaim(), 0);
        assert_eq!(drops.by_writer.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn retired_values_stay_bounded_when_readers_do_not_let_go() {
        let live = Live::new(0);
        let mut held = Vec::new();
        for number in 1..=RETIRED_MAX + 1 {
            held.push(live.load());
            live.publish(number);
        }
        assert_eq!(live.reclaim(), RETIRED_MAX);
        assert_eq!(**held[0], 0);
        held.clear();
        assert_eq!(live.reclaim(), 0);
    }
}
