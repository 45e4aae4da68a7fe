//! Response rate limiting: how many replies of a kind a client's network gets over UDP, where
//! anybody can ask in anybody's name.
//!
//! A table of fixed size, shared by all workers without a lock. When a reply is exempt (a valid
//! cookie, another transport) and what becomes of one that is not sent is `udp`'s business.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use meridian_answer::Answered;
use meridian_dns::message::codes::rcode;

use crate::prefix::{Lengths, Prefix};

/// Units of time in a second: 100 ns each.
pub(crate) const SECOND: u64 = 10_000_000;

/// The highest limit. Above it the time for one reply would be too few units to be exact.
const RATE_MAX: u32 = 100_000;

/// The rarest slip, as in BIND.
const SLIP_MAX: u8 = 10;

/// The most exempt networks: they are looked through one by one, though only for those who have
/// reached the limit.
const EXEMPT_MAX: usize = 1000;

/// Buckets side by side in one cache line: a reply costs one visit to memory.
const WAYS: usize = 8;

/// Cache lines of the table, a power of two: 1 MiB for 131,072 buckets.
const LINES: usize = 1 << 14;

/// How often a bucket that other workers change at the same time is tried.
const ATTEMPTS: usize = 4;

/// A bucket's low bits: when it will be full again.
const FULL_AT_BITS: u32 = 40;
/// Above them: replies held back since the last slip.
const HELD_BITS: u32 = 4;
const HELD_SHIFT: u32 = FULL_AT_BITS;
const TAG_SHIFT: u32 = HELD_SHIFT + HELD_BITS;
const FULL_AT_MASK: u64 = (1 << FULL_AT_BITS) - 1;

/// A span of time in units of 100 ns.
pub(crate) fn units(span: Duration) -> u64 {
    u64::try_from(span.as_nanos()).unwrap_or(u64::MAX) / 100
}

/// How replies over UDP are limited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    /// Replies of each class that a network gets in a second: 1 to 100,000. It may have a second's
    /// worth at once; what it has used comes back evenly within a second.
    pub responses_per_second: u32,
    /// Every this many replies that are held back, one is cut to TC=1 and sent, so that a client
    /// that exists can ask again over TCP: 1 to 10, or 0 for never.
    pub slip: u8,
    /// The length of an IPv4 network: 1 to 32.
    pub ipv4_prefix: u8,
    /// The length of an IPv6 network: 1 to 128.
    pub ipv6_prefix: u8,
    /// Networks without a limit, at most 1,000.
    pub exempt: Vec<Prefix>,
}

/// What is wrong with a [`RateLimit`].
#[derive(Debug, thiserror::Error)]
pub enum RateLimitError {
    /// No such limit.
    #[error("{0} responses per second are not possible; use 1 to {RATE_MAX}")]
    Rate(u32),
    /// No such slip.
    #[error("a slip of {0} is not possible; use 1 to {SLIP_MAX}, or 0 to let nothing slip")]
    Slip(u8),
    /// No network of IPv4.
    #[error("an IPv4 network of {0} bits is not possible; use 1 to 32")]
    Ipv4Prefix(u8),
    /// No network of IPv6.
    #[error("an IPv6 network of {0} bits is not possible; use 1 to 128")]
    Ipv6Prefix(u8),
    /// Too much to look through.
    #[error("{0} exempt networks are too many; the most is {EXEMPT_MAX}")]
    Exempt(usize),
}

impl RateLimit {
    /// Whether it makes sense.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn check(&self) -> Result<(), RateLimitError> {
        if !(1..=RATE_MAX).contains(&self.responses_per_second) {
            return Err(RateLimitError::Rate(self.responses_per_second));
        }
        if self.slip > SLIP_MAX {
            return Err(RateLimitError::Slip(self.slip));
        }
        if !(1..=32).contains(&self.ipv4_prefix) {
            return Err(RateLimitError::Ipv4Prefix(self.ipv4_prefix));
        }
        if !(1..=128).contains(&self.ipv6_prefix) {
            return Err(RateLimitError::Ipv6Prefix(self.ipv6_prefix));
        }
        if self.exempt.len() > EXEMPT_MAX {
            return Err(RateLimitError::Exempt(self.exempt.len()));
        }
        Ok(())
    }
}

/// Kinds of replies with a limit each, so that a flood of one kind does not cost a network the
/// others. Not more: each lets an attacker have the limit once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Records or a referral: what a resolver came for.
    Positive,
    /// NXDOMAIN and NODATA: what random names under a zone get.
    Negative,
    /// REFUSED, FORMERR and the like: what any name in the world gets.
    Error,
}

impl Class {
    /// The class of a reply as it was written.
    pub(crate) fn of(answered: &Answered, reply: &[u8]) -> Self {
        match answered.rcode {
            rcode::NOERROR if has_answers(reply) || !is_authoritative(reply) => Self::Positive,
            rcode::NOERROR | rcode::NXDOMAIN => Self::Negative,
            _ => Self::Error,
        }
    }
}

/// ANCOUNT (RFC 1035 section 4.1.1).
fn has_answers(reply: &[u8]) -> bool {
    reply.get(6..8).is_some_and(|count| count != [0, 0])
}

/// Bit AA, which a referral lacks.
fn is_authoritative(reply: &[u8]) -> bool {
    reply.get(2).is_some_and(|flags| flags & 0b100 != 0)
}

/// What is to be done with a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Send,
    /// Send it cut to TC=1.
    Slip,
    Drop,
}

/// The buckets of all networks, and the rule they follow.
///
/// A bucket is one number: the moment at which it will be full again, as in the generic cell rate
/// algorithm, with the tag of its owner. It is changed by compare-and-exchange; when several
/// workers are at one bucket a reply too many may go out.
#[derive(Debug)]
pub(crate) struct Limiter {
    lines: Box<[Line]>,
    /// Secret, so that nobody can aim at a line.
    keys: [u64; 2],
    /// What one reply takes out of a bucket that holds a second.
    cost: u64,
    slip: u8,
    lengths: Lengths,
    exempt: Box<[Prefix]>,
}

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; WAYS]);

impl Limiter {
    /// A limiter of which no network has had anything yet. The limit has passed its check.
    pub(crate) fn new(limit: &RateLimit, keys: [u64; 2]) -> Self {
        Self {
            lines: (0..LINES).map(|_| Line::default()).collect(),
            keys,
            cost: SECOND / u64::from(limit.responses_per_second.max(1)),
            slip: limit.slip,
            lengths: Lengths {
                v4: limit.ipv4_prefix,
                v6: limit.ipv6_prefix,
            },
            exempt: limit.exempt.clone().into(),
        }
    }

    /// Whether a reply of this class to this client is to be sent `now`, in units of 100 ns from
    /// any fixed moment.
    pub(crate) fn judge(&self, client: IpAddr, class: Class, now: u64) -> Verdict {
        let hash = self.hash(client, class);
        let line = &self.lines[hash as usize % LINES];
        let tag = hash >> TAG_SHIFT;
        let mut verdict = Verdict::Send;
        for _ in 0..ATTEMPTS {
            let (bucket, seen) = line.bucket(tag, now);
            let next;
            (verdict, next) = self.step(Bucket::read(seen, tag, now), now);
            if verdict != Verdict::Send && self.is_exempt(client) {
                return Verdict::Send;
            }
            let next = next.write(tag);
            let relaxed = Ordering::Relaxed;
            if next == seen
                || bucket
                    .compare_exchange(seen, next, relaxed, relaxed)
                    .is_ok()
            {
                break;
            }
        }
        verdict
    }

    /// Takes a reply's cost out of the bucket, or counts it as held back.
    fn step(&self, bucket: Bucket, now: u64) -> (Verdict, Bucket) {
        let missing = bucket.missing(now);
        if missing + self.cost <= SECOND {
            let full_at = now + missing + self.cost;
            return (Verdict::Send, Bucket { full_at, ..bucket });
        }
        if self.slip == 0 {
            return (Verdict::Drop, bucket);
        }
        let held = bucket.held + 1;
        if held >= self.slip {
            (Verdict::Slip, Bucket { held: 0, ..bucket })
        } else {
            (Verdict::Drop, Bucket { held, ..bucket })
        }
    }

    fn is_exempt(&self, client: IpAddr) -> bool {
        self.exempt.iter().any(|network| network.contains(client))
    }

    /// Two multiplications folded, after wyhash: enough for keys that nobody sees the hashes of.
    fn hash(&self, client: IpAddr, class: Class) -> u64 {
        let (high, low, family) = match self.lengths.of(client).first_address() {
            IpAddr::V4(ip) => (u64::from(ip.to_bits()), 0, 4),
            IpAddr::V6(ip) => {
                let bits = ip.to_bits();
                ((bits >> 64) as u64, bits as u64, 6)
            }
        };
        let kind = family << 8 | class as u64;
        let network = fold(high ^ self.keys[0], low ^ self.keys[1]);
        fold(network ^ kind, self.keys[1] ^ 0x9e37_79b9_7f4a_7c15)
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

impl Line {
    /// The bucket with this tag, or else that which has been full longest, with what is in it.
    ///
    /// A bucket that is not full is taken over only when all of the line are in use: whoever is
    /// held back stays so, however many others come by.
    fn bucket(&self, tag: u64, now: u64) -> (&AtomicU64, u64) {
        let mut best: Option<(&AtomicU64, u64)> = None;
        let mut least = i64::MAX;
        for bucket in &self.0 {
            let seen = bucket.load(Ordering::Relaxed);
            if seen >> TAG_SHIFT == tag {
                return (bucket, seen);
            }
            let ahead = ahead(seen & FULL_AT_MASK, now);
            if best.is_none() || ahead < least {
                (best, least) = (Some((bucket, seen)), ahead);
            }
        }
        best.expect("a line has buckets")
    }
}

/// What one number of the table says.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    full_at: u64,
    held: u8,
}

impl Bucket {
    /// Of somebody else's number: a full bucket.
    fn read(number: u64, tag: u64, now: u64) -> Self {
        if number >> TAG_SHIFT == tag {
            let held = number >> HELD_SHIFT & ((1 << HELD_BITS) - 1);
            Self {
                full_at: number & FULL_AT_MASK,
                held: held as u8,
            }
        } else {
            Self {
                full_at: now,
                held: 0,
            }
        }
    }

    fn write(self, tag: u64) -> u64 {
        tag << TAG_SHIFT | u64::from(self.held) << HELD_SHIFT | self.full_at & FULL_AT_MASK
    }

    /// How much it lacks to be full, in time.
    fn missing(self, now: u64) -> u64 {
        u64::try_from(ahead(self.full_at, now)).unwrap_or(0)
    }
}

/// How far the 40 bits of `full_at` are ahead of `now`; negative when they are behind.
///
/// They come round after 30 hours. What was written is never ahead by more than a second and what
/// the clocks of two workers differ, so that a bucket that seems further ahead has not been used
/// for hours and is full. Only if it is used again in the one second in which it comes round is
/// it taken for emptier than it is.
fn ahead(full_at: u64, now: u64) -> i64 {
    let unused = u64::BITS - FULL_AT_BITS;
    let ahead = (full_at.wrapping_sub(now) << unused) as i64 >> unused;
    if ahead > 2 * SECOND as i64 {
        i64::MIN
    } else {
        ahead
    }
}

#[cfg(test)]
mod tests;
