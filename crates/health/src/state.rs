//! What a name server knows of the checks' health, as bytes for its disk, so that after a restart
//! it knows it before the first answer. Writing the file is the business of `node`.
//!
//! Numbers are unsigned but for the time, most significant byte first.
//!
//! | at | bytes | what |
//! |---|---|---|
//! | 0 | 4 | `MHST` |
//! | 4 | 2 | the version of the format: 1 |
//! | 6 | 2 | c, how many counters follow: 0 to 64 |
//! | 8 | 8 | when it was written, in milliseconds since 1970 |
//! | 16 | 4 | n, how many checks follow |
//! | 20 | 72 c | the counters: a checker's name in 64 bytes, zero bytes behind it, and its last counter |
//! | 20 + 72 c | 13 n | the checks |
//! | 20 + 72 c + 13 n | 32 | the SHA-256 of all bytes before it |
//!
//! A check: four bytes of place, eight that tell it from all others there ever were (its number in
//! [`Layout`]), one of bits: 1 the votes decided it, 2 they said healthy, 4 answers
//! go by an outcome, 8 by healthy, 16 all of its account count as in. Places rise. Last words of silent checkers are not kept.

use std::collections::HashMap;

use meridian_model::{Health, Timestamp};
use ring::digest::{SHA256, digest};

use crate::bits::{Healths, MAX_SLOTS};
use crate::damping::Damping;
use crate::layout::Layout;
use crate::register::{CheckerName, MAX_CHECKERS};
use crate::votes::Votes;

/// The version of the format that is written, and the only one that is read.
pub const STATE_VERSION: u16 = 1;
/// The most bytes that a state has; more need not be read.
pub const MAX_STATE_BYTES: usize =
    HEADER_BYTES + MAX_CHECKERS * COUNTER_BYTES + MAX_SLOTS as usize * CHECK_BYTES + CHECKSUM_BYTES;

const MAGIC: [u8; 4] = *b"MHST";
const HEADER_BYTES: usize = 20;
const NAME_BYTES: usize = 64;
const COUNTER_BYTES: usize = NAME_BYTES + 8;
const CHECK_BYTES: usize = 13;
const CHECKSUM_BYTES: usize = 32;

const DECIDED: u8 = 1;
const DECIDED_HEALTHY: u8 = 2;
const PUBLISHED: u8 = 4;
const PUBLISHED_HEALTHY: u8 = 8;
/// Earlier versions do not look at it.
const PANICKING: u8 = 16;

/// A state that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// When it was written.
    pub written_at: Timestamp,
    counters: Vec<(CheckerName, u64)>,
    checks: Vec<Check>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Check {
    slot: u32,
    number: u64,
    bits: u8,
}

/// What tells a state from the one before, without a look at each check. Counters are left aside:
/// those of a state that is a little old still keep out what was sent before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outline {
    judged: Healths,
    limited: Healths,
    /// Panics are in it.
    published: Healths,
    /// Of whom.
    sums: Vec<u64>,
}

/// Why a state cannot be used. Nothing is known then, and everything counts as healthy until there
/// are votes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not what was written.
    #[error("the state of health checks is damaged: {0}")]
    Damaged(&'static str),
    /// Another version of the format.
    #[error("the state of health checks has version {0}, and {STATE_VERSION} is known")]
    UnknownVersion(u16),
}

impl State {
    /// What is known now.
    pub fn of(votes: &Votes, damping: &Damping, written_at: Timestamp) -> Self {
        let layout = votes.layout();
        let (judged, published) = (votes.healths(), damping.limited());
        let checks = layout.iter().filter_map(|at| {
            let bits = bits(judged.get(at.slot), DECIDED, DECIDED_HEALTHY)
                | bits(published.get(at.slot), PUBLISHED, PUBLISHED_HEALTHY);
            let number = layout.number(at.slot).filter(|_| bits != 0)?;
            let bits = bits
                | if damping.panics(at.slot) {
                    PANICKING
                } else {
                    0
                };
            Some(Check {
                slot: at.slot,
                number,
                bits,
            })
        });
        Self {
            written_at,
            counters: votes.counters().collect(),
            checks: checks.collect(),
        }
    }

    /// The bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(
            HEADER_BYTES
                + self.counters.len() * COUNTER_BYTES
                + self.checks.len() * CHECK_BYTES
                + CHECKSUM_BYTES,
        );
        bytes.extend(MAGIC);
        bytes.extend(STATE_VERSION.to_be_bytes());
        // There are as many as checkers are registered and places are there: these fit.
        bytes.extend(
            u16::try_from(self.counters.len())
                .unwrap_or(0)
                .to_be_bytes(),
        );
        bytes.extend(self.written_at.0.to_be_bytes());
        bytes.extend(u32::try_from(self.checks.len()).unwrap_or(0).to_be_bytes());
        for (name, counter) in &self.counters {
            let name = name.as_str().as_bytes();
            bytes.extend(name);
            bytes.resize(bytes.len() + NAME_BYTES - name.len(), 0);
            bytes.extend(counter.to_be_bytes());
        }
        for check in &self.checks {
            bytes.extend(check.slot.to_be_bytes());
            bytes.extend(check.number.to_be_bytes());
            bytes.push(check.bits);
        }
        sealed(bytes)
    }

    /// Reads what was written.
    ///
    /// # Errors
    /// It is not that.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Unreadable> {
        let damaged = Unreadable::Damaged;
        let end = bytes.len().checked_sub(CHECKSUM_BYTES);
        let (content, checksum) = end
            .and_then(|end| bytes.split_at_checked(end))
            .ok_or_else(|| damaged("it is cut off"))?;
        let mut reader = Reader(content);
        if reader.take()? != MAGIC {
            return Err(damaged("it does not begin like one"));
        }
        let version = u16::from_be_bytes(reader.take()?);
        if version != STATE_VERSION {
            return Err(Unreadable::UnknownVersion(version));
        }
        if digest(&SHA256, content).as_ref() != checksum {
            return Err(damaged("its checksum is another one"));
        }
        let counters = usize::from(u16::from_be_bytes(reader.take()?));
        let written_at = Timestamp(i64::from_be_bytes(reader.take()?));
        let checks = u32::from_be_bytes(reader.take()?);
        let checks = usize::try_from(checks).unwrap_or(usize::MAX);
        let sizes = (counters.saturating_mul(COUNTER_BYTES))
            .checked_add(checks.saturating_mul(CHECK_BYTES));
        if sizes != Some(reader.0.len()) || counters > MAX_CHECKERS {
            return Err(damaged("its length is not what it says"));
        }
        Ok(Self {
            written_at,
            counters: (0..counters)
                .map(|_| reader.counter())
                .collect::<Result<_, _>>()?,
            checks: (0..checks)
                .map(|_| reader.check())
                .collect::<Result<_, _>>()?,
        })
    }

    /// The last counter of each checker.
    pub(crate) fn counters(&self) -> HashMap<&CheckerName, u64> {
        let counters = self.counters.iter();
        counters.map(|(name, counter)| (name, *counter)).collect()
    }

    /// What the votes had decided of the checks that are there now.
    pub(crate) fn decided(&self, layout: &Layout) -> impl Iterator<Item = (u32, Health)> {
        self.known(layout, DECIDED, DECIDED_HEALTHY)
    }

    /// What answers went by.
    pub(crate) fn published(&self, layout: &Layout) -> impl Iterator<Item = (u32, Health)> {
        self.known(layout, PUBLISHED, PUBLISHED_HEALTHY)
    }

    /// Those of the checks that are there now whose accounts were in a panic.
    pub(crate) fn panicking(&self, layout: &Layout) -> impl Iterator<Item = u32> {
        let panicking = |check: &&Check| check.bits & PANICKING != 0;
        self.there(layout).filter(panicking).map(|check| check.slot)
    }

    fn there(&self, layout: &Layout) -> impl Iterator<Item = &Check> {
        let there = |check: &&Check| layout.number(check.slot) == Some(check.number);
        self.checks.iter().filter(there)
    }

    fn known(
        &self,
        layout: &Layout,
        known: u8,
        healthy: u8,
    ) -> impl Iterator<Item = (u32, Health)> {
        self.there(layout).filter_map(move |check| {
            let health = match (check.bits & known != 0, check.bits & healthy != 0) {
                (false, _) => return None,
                (true, true) => Health::Healthy,
                (true, false) => Health::Unhealthy,
            };
            Some((check.slot, health))
        })
    }
}

impl Outline {
    /// That of the state at this moment.
    pub fn of(votes: &Votes, damping: &Damping) -> Self {
        Self {
            judged: votes.healths().clone(),
            limited: damping.limited().clone(),
            published: damping.healths().clone(),
            sums: votes.layout().sums().to_vec(),
        }
    }

    /// Whether it still is.
    pub fn is_of(&self, votes: &Votes, damping: &Damping) -> bool {
        self.judged == *votes.healths()
            && self.limited == *damping.limited()
            && self.published == *damping.healths()
            && self.sums == votes.layout().sums()
    }
}

/// These bytes with their checksum behind them. Fuzz targets get past it by this.
#[cfg_attr(
    not(feature = "fuzzing"),
    expect(unreachable_pub, reason = "it is shown to fuzz targets alone")
)]
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let checksum = digest(&SHA256, &bytes);
    bytes.extend(checksum.as_ref());
    bytes
}

const fn bits(health: Option<Health>, known: u8, healthy: u8) -> u8 {
    match health {
        None => 0,
        Some(Health::Unhealthy) => known,
        Some(Health::Healthy) => known | healthy,
    }
}

/// What is left to be read.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], Unreadable> {
        let (taken, rest) = self
            .0
            .split_first_chunk()
            .ok_or(Unreadable::Damaged("it is cut off"))?;
        self.0 = rest;
        Ok(*taken)
    }

    fn counter(&mut self) -> Result<(CheckerName, u64), Unreadable> {
        let field: [u8; NAME_BYTES] = self.take()?;
        let name = std::str::from_utf8(&field).unwrap_or("");
        let name = CheckerName::new(name.trim_end_matches('\0'))
            .map_err(|_| Unreadable::Damaged("a checker's name is none"))?;
        Ok((name, u64::from_be_bytes(self.take()?)))
    }

    fn check(&mut self) -> Result<Check, Unreadable> {
        Ok(Check {
            slot: u32::from_be_bytes(self.take()?),
            number: u64::from_be_bytes(self.take()?),
            bits: u8::from_be_bytes(self.take()?),
        })
    }
}

impl Votes {
    /// Takes up what was known before a restart, of the checks that are there: no votes, but
    /// outcomes that hold until there are enough, and counters below which no table is taken.
    pub fn restore(&mut self, state: &State) {
        let decided: Vec<_> = state.decided(self.layout()).collect();
        self.take_up(&state.counters(), &decided);
    }
}

impl Damping {
    /// Takes up what answers went by before a restart, of the checks that are there: by the
    /// guardrails that are set, so these come first. Those that were waiting begin to wait again.
    pub fn restore(&mut self, state: &State) {
        let published: Vec<_> = state.published(self.layout()).collect();
        let panicking: Vec<_> = state.panicking(self.layout()).collect();
        self.take_up(&published, &panicking);
    }
}

impl Healths {
    pub(crate) fn set_all(&mut self, known: &[(u32, Health)]) {
        for (slot, health) in known {
            self.set(*slot, Some(*health));
        }
    }
}
