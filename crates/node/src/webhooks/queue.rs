//! What is to be told, and when it is tried again: bounded in number, and each in time.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

/// The most that waits in one queue.
pub(super) const ROOM: usize = 2500;
/// From the first failure to the next try, before chance is in it.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Something to be told.
#[derive(Debug)]
pub(super) struct Message {
    /// The same with each try, so that receivers know what they have.
    pub(super) id: String,
    /// JSON.
    pub(super) body: Vec<u8>,
    /// Since when it is to be told.
    pub(super) since: Instant,
}

/// Messages in their order. Where there is no room the oldest makes it: what is so now matters
/// more than what was.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<VecDeque<Arc<Message>>>,
    news: Notify,
}

impl Queue {
    /// Puts a message behind all others. Says whether one was lost for it.
    pub(super) fn push(&self, message: Arc<Message>) -> bool {
        let mut waiting = self.waiting();
        let is_full = waiting.len() >= ROOM;
        if is_full {
            waiting.pop_front();
        }
        waiting.push_back(message);
        drop(waiting);
        self.news.notify_one();
        is_full
    }

    /// The oldest, once there is any. One at a time takes them.
    pub(super) async fn next(&self) -> Arc<Message> {
        loop {
            if let Some(message) = self.take() {
                return message;
            }
            self.news.notified().await;
        }
    }

    /// The oldest, if there is any.
    pub(super) fn take(&self) -> Option<Arc<Message>> {
        self.waiting().pop_front()
    }

    /// How many wait.
    pub(super) fn len(&self) -> usize {
        self.waiting().len()
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Arc<Message>>> {
        // Pushing and popping leave nothing half done.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait after so many failures in a row: twice as long each time, and by chance up to
/// half of it less, so that those who failed together do not come back together.
pub(super) fn pause(failures: u32, chance: u64) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    let whole = FIRST_PAUSE
        .saturating_mul(1 << doublings)
        .min(LONGEST_PAUSE);
    let half = whole / 2;
    let span = u64::try_from(half.as_millis()).unwrap_or(0) + 1;
    half + Duration::from_millis(chance % span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: usize) -> Arc<Message> {
        Arc::new(Message {
            id: id.to_string(),
            body: Vec::new(),
            since: Instant::now(),
        })
    }

    #[test]
    fn a_queue_without_room_loses_the_oldest_and_keeps_the_order() {
        let queue = Queue::default();
        let lost: Vec<bool> = (0..ROOM + 2).map(|id| queue.push(message(id))).collect();
        assert_eq!(lost.iter().filter(|lost| **lost).count(), 2);
        assert_eq!(queue.len(), ROOM);
        let taken: Vec<String> = std::iter::from_fn(|| queue.take())
            .map(|m| m.id.clone())
            .collect();
        let expected: Vec<String> = (2..ROOM + 2).map(|id| id.to_string()).collect();
        assert_eq!(taken, expected);
    }

    #[test]
    fn pauses_double_up_to_the_longest_and_differ_by_chance() {
        for (failures, low_ms, high_ms) in [
            (1, 500, 1000),
            (2, 1000, 2000),
            (5, 8000, 16_000),
            (10, 150_000, 300_000),
            (u32::MAX, 150_000, 300_000),
        ] {
            let at = |chance| u64::try_from(pause(failures, chance).as_millis()).unwrap();
            assert_eq!(at(0), low_ms, "{failures}");
            let all = [1, 77, 499, 12_345_678, u64::MAX].map(at);
            assert!(
                all.iter().all(|ms| (low_ms..=high_ms).contains(ms)),
                "{all:?}"
            );
            assert_ne!(all[1], all[2]);
        }
    }
}
