//! A tap: copies of some queries and their replies, for whoever logs them in his own time.
//!
//! Packet threads fill records that are made beforehand and go round between two queues without
//! locks. They never wait and never allocate: when nobody has emptied a record in time, the copy
//! is left out and counted. What is written of it, and where, is not here.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crossbeam_queue::ArrayQueue;
use meridian_answer::{Answered, ZoneLog};

use crate::counters::{Count, Protocol, SharedCell};
use crate::rate::{SECOND, units};

/// Room for a query: what UDP takes whole. A longer one, which only a connection can bring, is
/// left out of its record.
const QUERY_ROOM: usize = crate::sys::QUERY_MAX;

/// Room for a reply, if replies are kept: the longest over UDP. A longer one is left out.
const REPLY_ROOM: usize = 4096;

/// Records of a tap, which is how many may wait to be logged: for replies too, these are 11 MiB.
const RECORDS: usize = 2048;

/// What is tapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TapSettings {
    /// One of this many queries, chosen at random; 1 is all of them.
    pub one_in: u32,
    /// The most records in a second, which may come all at once.
    pub max_per_second: u32,
    /// Whether replies are kept too.
    pub messages: Messages,
}

/// Which messages a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Messages {
    /// The query.
    Query,
    /// The query and what was sent.
    QueryAndReply,
}

/// A copy of one query and what became of it.
#[derive(Debug)]
pub struct Record {
    /// When its reply was made, or would have been.
    pub at: SystemTime,
    /// How long before that the query was received.
    pub waited: Duration,
    /// Who asked.
    pub client: SocketAddr,
    /// Which address of ours.
    pub server: SocketAddr,
    /// How it came.
    pub protocol: Protocol,
    /// What was sent; none if nothing was.
    pub answered: Option<Answered>,
    query: Vec<u8>,
    reply: Vec<u8>,
}

impl Record {
    fn empty(messages: Messages) -> Self {
        let nobody = SocketAddr::from(([0, 0, 0, 0], 0));
        let reply_room = match messages {
            Messages::Query => 0,
            Messages::QueryAndReply => REPLY_ROOM,
        };
        Self {
            at: SystemTime::UNIX_EPOCH,
            waited: Duration::ZERO,
            client: nobody,
            server: nobody,
            protocol: Protocol::Udp,
            answered: None,
            query: Vec::with_capacity(QUERY_ROOM),
            reply: Vec::with_capacity(reply_room),
        }
    }

    /// The query, unless it was longer than any over UDP.
    #[must_use]
    pub fn query(&self) -> Option<&[u8]> {
        (!self.query.is_empty()).then_some(&self.query)
    }

    /// What was sent, if it is kept and not too long.
    #[must_use]
    pub fn reply(&self) -> Option<&[u8]> {
        (!self.reply.is_empty()).then_some(&self.reply)
    }
}

/// One query on its way through the server.
#[derive(Debug)]
pub(crate) struct Passing<'a> {
    pub(crate) received_at: Instant,
    pub(crate) client: SocketAddr,
    pub(crate) server: SocketAddr,
    pub(crate) protocol: Protocol,
    pub(crate) query: &'a [u8],
    /// What is sent, and its bytes.
    pub(crate) sent: Option<(Answered, &'a [u8])>,
}

/// Sums of what a tap did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TapCounts {
    /// Left out because there were more than the limit in a second.
    pub over_rate: u64,
    /// Left out because all records waited to be logged.
    pub queue_full: u64,
}

/// Copies queries for one reader. Shared by all workers of a server.
#[derive(Debug)]
pub struct Tap {
    free: ArrayQueue<Box<Record>>,
    full: ArrayQueue<Box<Record>>,
    one_in: u64,
    pace: Pace,
    started: Instant,
    over_rate: SharedCell,
    queue_full: SharedCell,
}

impl Tap {
    /// A tap with all its records free.
    #[must_use]
    pub fn new(settings: TapSettings) -> Self {
        let free = ArrayQueue::new(RECORDS);
        for _ in 0..RECORDS {
            // There is room for exactly that many.
            let _ = free.push(Box::new(Record::empty(settings.messages)));
        }
        Self {
            free,
            full: ArrayQueue::new(RECORDS),
            one_in: settings.one_in.max(1).into(),
            pace: Pace::new(settings.max_per_second),
            started: Instant::now(),
            over_rate: SharedCell::default(),
            queue_full: SharedCell::default(),
        }
    }

    /// The oldest record that nobody has taken yet.
    pub fn take(&self) -> Option<Taken<'_>> {
        let record = self.full.pop()?;
        Some(Taken {
            tap: self,
            record: Some(record),
        })
    }

    /// What it has done so far.
    #[must_use]
    pub fn counts(&self) -> TapCounts {
        TapCounts {
            over_rate: self.over_rate.read(),
            queue_full: self.queue_full.read(),
        }
    }

    /// Copies this query if it is chosen by `random` and there is room.
    pub(crate) fn offer(&self, random: u64, passing: &Passing<'_>) {
        if !random.is_multiple_of(self.one_in) {
            return;
        }
        let now = passing.received_at.saturating_duration_since(self.started);
        if !self.pace.allows(units(now)) {
            self.over_rate.add(1);
            return;
        }
        let Some(mut record) = self.free.pop() else {
            self.queue_full.add(1);
            return;
        };
        record.at = SystemTime::now();
        record.waited = passing.received_at.elapsed();
        (record.client, record.server) = (passing.client, passing.server);
        record.protocol = passing.protocol;
        record.answered = passing.sent.map(|(answered, _)| answered);
        copy(&mut record.query, passing.query);
        copy(
            &mut record.reply,
            passing.sent.map_or(&[], |(_, reply)| reply),
        );
        // There are no more records than it has room for.
        let _ = self.full.push(record);
    }
}

/// Replaces what `room` holds, without ever making it larger.
fn copy(room: &mut Vec<u8>, bytes: &[u8]) {
    room.clear();
    if bytes.len() <= room.capacity() {
        room.extend_from_slice(bytes);
    }
}

/// A record in its reader's hands; it goes back when dropped.
#[derive(Debug)]
pub struct Taken<'a> {
    tap: &'a Tap,
    record: Option<Box<Record>>,
}

impl Deref for Taken<'_> {
    type Target = Record;

    fn deref(&self) -> &Record {
        self.record.as_ref().expect("it is there until the drop")
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if let Some(record) = self.record.take() {
            // There are no more records than it has room for.
            let _ = self.tap.free.push(record);
        }
    }
}

/// At most so many in a second: a bucket of tokens as in `rate`, for all workers together.
#[derive(Debug)]
struct Pace {
    full_at: AtomicU64,
    cost: u64,
}

impl Pace {
    fn new(per_second: u32) -> Self {
        Self {
            full_at: AtomicU64::new(0),
            cost: SECOND / u64::from(per_second.max(1)),
        }
    }

    fn allows(&self, now: u64) -> bool {
        let next = |full_at: u64| {
            let next = full_at.max(now) + self.cost;
            (next <= now + SECOND).then_some(next)
        };
        let relaxed = Ordering::Relaxed;
        self.full_at.fetch_update(relaxed, relaxed, next).is_ok()
    }
}

/// Who gets copies of which queries.
#[derive(Debug, Clone, Default)]
pub struct Taps {
    /// Those that are shown every query.
    pub all: Arc<[Arc<Tap>]>,
    /// The one that is shown the answered queries for zones that are logged by themselves.
    pub logged_zones: Option<Arc<Tap>>,
}

impl Taps {
    /// Whether somebody wants a query for a zone that is logged or not; of a whole World, whether
    /// there can be such a query.
    #[inline]
    pub(crate) fn want(&self, log: ZoneLog) -> bool {
        !self.all.is_empty() || (log == ZoneLog::On && self.logged_zones.is_some())
    }

    /// Offers a query to each tap that is shown it.
    pub(crate) fn offer(&self, random: u64, passing: &Passing<'_>) {
        for (place, tap) in self.all.iter().enumerate() {
            // Two taps that take one in so many do not take the same ones.
            tap.offer(random.rotate_left(17 * place as u32), passing);
        }
        if let Some(tap) = &self.logged_zones
            && passing
                .sent
                .is_some_and(|(answered, _)| answered.log == ZoneLog::On)
        {
            tap.offer(random, passing);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::iter;

    use super::*;

    fn settings(one_in: u32, max_per_second: u32, messages: Messages) -> TapSettings {
        TapSettings {
            one_in,
            max_per_second,
            messages,
        }
    }

    fn answered(len: usize) -> Answered {
        Answered {
            len: u16::try_from(len).unwrap(),
            rcode: 0,
            qtype: 1,
            valid_cookie: false,
            zone: None,
            log: ZoneLog::Off,
        }
    }

    fn passing<'a>(query: &'a [u8], reply: Option<&'a [u8]>) -> Passing<'a> {
        Passing {
            received_at: Instant::now(),
            client: ([192, 0, 2, 1], 1024).into(),
            server: ([192, 0, 2, 53], 53).into(),
            protocol: Protocol::Tcp,
            query,
            sent: reply.map(|reply| (answered(reply.len()), reply)),
        }
    }

    #[test]
    fn records_come_out_as_they_went_in_and_go_round() {
        let tap = Tap::new(settings(1, 1_000_000, Messages::QueryAndReply));
        for number in 0..3 * RECORDS {
            let query = number.to_be_bytes();
            tap.offer(0, &passing(&query, Some(&query[4..])));
            let record = tap.take().unwrap();
            assert_eq!(record.query(), Some(&query[..]));
            assert_eq!(record.reply(), Some(&query[4..]));
            assert_eq!(record.answered, Some(answered(4)));
            assert_eq!(record.client.port(), 1024);
        }
        assert!(tap.take().is_none());
        tap.offer(0, &passing(b"query", None));
        let record = tap.take().unwrap();
        assert_eq!((record.reply(), record.answered), (None, None));
    }

    #[test]
    fn what_nobody_reads_in_time_is_left_out_and_counted() {
        let tap = Tap::new(settings(1, 1_000_000, Messages::Query));
        for _ in 0..RECORDS + 5 {
            tap.offer(0, &passing(b"query", Some(b"reply")));
        }
        let record = tap.take().unwrap();
        assert_eq!(record.reply(), None);
        // In the reader's hands it is not free yet.
        tap.offer(0, &passing(b"query", None));
        drop(record);
        tap.offer(0, &passing(b"query", None));
        assert_eq!(tap.counts().queue_full, 6);
        assert_eq!(iter::from_fn(|| tap.take()).count(), RECORDS);
    }

    #[test]
    fn longer_messages_than_there_is_room_for_are_left_out_of_their_records() {
        let tap = Tap::new(settings(1, 100, Messages::QueryAndReply));
        for (query, reply) in [(QUERY_ROOM, REPLY_ROOM), (QUERY_ROOM + 1, REPLY_ROOM + 1)] {
            let (query, reply) = (vec![1; query], vec![2; reply]);
            tap.offer(0, &passing(&query, Some(&reply)));
        }
        let kept = tap.take().unwrap();
        assert_eq!(kept.query().unwrap().len(), QUERY_ROOM);
        assert_eq!(kept.reply().unwrap().len(), REPLY_ROOM);
        let too_long = tap.take().unwrap();
        assert_eq!((too_long.query(), too_long.reply()), (None, None));
    }

    #[test]
    fn one_in_so_many_is_taken() {
        let tap = Tap::new(settings(10, 1_000_000, Messages::Query));
        for random in 0..1000 {
            tap.offer(random, &passing(b"query", None));
        }
        assert_eq!(iter::from_fn(|| tap.take()).count(), 100);
    }

    #[test]
    fn no_second_has_more_than_the_limit() {
        let pace = Pace::new(50);
        let allowed = |now: u64| (0..200).filter(|_| pace.allows(now)).count();
        assert_eq!(allowed(SECOND), 50);
        assert_eq!(allowed(SECOND), 0);
        assert_eq!(allowed(SECOND + SECOND / 2), 25);
        assert_eq!(allowed(9 * SECOND), 50);
    }

    #[test]
    fn one_tap_is_shown_the_logged_zones_alone() {
        let tap = || Arc::new(Tap::new(settings(1, 1_000_000, Messages::Query)));
        let (every, zones) = (tap(), tap());
        let both = Taps {
            all: Arc::from([Arc::clone(&every)]),
            logged_zones: Some(Arc::clone(&zones)),
        };
        let alone = Taps {
            all: Arc::default(),
            logged_zones: Some(Arc::clone(&zones)),
        };
        for taps in [&both, &alone] {
            for log in [ZoneLog::Off, ZoneLog::On] {
                let mut passing = passing(b"query", Some(b"reply"));
                if let Some((answered, _)) = &mut passing.sent {
                    answered.log = log;
                }
                taps.offer(7, &passing);
            }
            taps.offer(7, &passing(b"query", None));
            let logged = zones.take().unwrap();
            assert_eq!(logged.answered.unwrap().log, ZoneLog::On);
            assert!(zones.take().is_none());
        }
        assert_eq!(iter::from_fn(|| every.take()).count(), 3);
        let want = |taps: &Taps| [ZoneLog::Off, ZoneLog::On].map(|log| taps.want(log));
        assert_eq!(want(&both), [true, true]);
        assert_eq!(want(&alone), [false, true]);
        assert_eq!(want(&Taps::default()), [false, false]);
    }
}
