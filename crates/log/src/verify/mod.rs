//! Checking a journal from its first entry on, and the tables against a replay of it. What can be
//! wrong is in `error`, the tables' part in `replay`.

mod error;
mod replay;

use meridian_model::{Seq, Timestamp};

use crate::format::Entry;
use crate::journal::{Head, Journal};
use crate::tables::{MAX_ENTRIES_PER_WRITE, Tables};

pub use error::VerifyError;
use replay::Replay;
pub use replay::TablesReport;

/// What was found to be in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The journal's head.
    pub head: Head,
    /// Entries checked.
    pub entries: u64,
    /// Commits in them.
    pub commits: u64,
    /// Effects in them.
    pub effects: u64,
    /// About the tables, when they were given.
    pub tables: Option<TablesReport>,
}

/// Walks the whole journal, replays it in memory, and compares the tables with the replay at the
/// entry they have reached. The replay takes as much memory as the tables take on the disk; without
/// tables there is none.
///
/// # Errors
/// [`VerifyError`] names the first place that is not in order.
pub fn verify(journal: &dyn Journal, tables: Option<&Tables>) -> Result<Report, VerifyError> {
    // The tables are looked at first: what is appended meanwhile is then only ahead of them.
    let replay = tables.map(Replay::new).transpose()?;
    let head = journal.head()?;
    if let Some(applied) = replay.as_ref().map(Replay::applied)
        && applied > head.seq
    {
        return Err(VerifyError::TablesAhead {
            applied,
            head: head.seq,
        });
    }
    let mut report = Report {
        head,
        entries: 0,
        commits: 0,
        effects: 0,
        tables: None,
    };
    let mut walk = Walk::start();
    // Each turn reads at least one entry, or ends.
    while walk.last.seq < head.seq {
        let entries = journal.read(walk.last.seq, MAX_ENTRIES_PER_WRITE)?;
        if entries.is_empty() {
            return Err(VerifyError::Short {
                last: walk.last.seq,
                head,
            });
        }
        for entry in entries.iter().take_while(|entry| entry.seq <= head.seq) {
            walk.check(entry)?;
            report.entries += 1;
            report.commits += entry.commits.len() as u64;
            report.effects += effects(entry);
        }
        if let Some(replay) = &replay {
            replay.follow(&entries)?;
        }
    }
    walk.ends_at(head)?;
    report.tables = replay.map(|replay| replay.compare()).transpose()?;
    Ok(report)
}

/// Where a walk along a chain is.
pub(crate) struct Walk {
    last: Head,
    time: Timestamp,
}

impl Walk {
    /// Before the first entry.
    pub(crate) fn start() -> Self {
        Self {
            last: Head::EMPTY,
            time: Timestamp(i64::MIN),
        }
    }

    /// The last entry that was checked.
    pub(crate) fn last(&self) -> Head {
        self.last
    }

    /// The time of that entry.
    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// Whether the chain ends where its head says.
    pub(crate) fn ends_at(&self, head: Head) -> Result<(), VerifyError> {
        if self.last.seq != head.seq {
            let last = self.last.seq;
            return Err(VerifyError::Short { last, head });
        }
        if self.last.hash != head.hash {
            return Err(VerifyError::HeadHash {
                seq: head.seq,
                head: head.hash,
                actual: self.last.hash,
            });
        }
        Ok(())
    }

    /// Goes on to the next entry, if it continues the chain.
    pub(crate) fn check(&mut self, entry: &Entry) -> Result<(), VerifyError> {
        let seq = entry.seq;
        let expected = Seq(self.last.seq.0 + 1);
        if seq != expected {
            return Err(VerifyError::Gap {
                expected,
                found: seq,
            });
        }
        if entry.previous != self.last.hash {
            return Err(VerifyError::Chain {
                seq,
                follows: entry.previous,
                actual: self.last.hash,
            });
        }
        if entry.epoch < self.last.epoch {
            return Err(VerifyError::Epoch {
                seq,
                found: entry.epoch,
                before: self.last.epoch,
            });
        }
        if entry.time < self.time {
            return Err(VerifyError::Time {
                seq,
                found: entry.time,
                before: self.time,
            });
        }
        // A level above ours does not get here: decoding refuses it.
        let effects = entry.commits.iter().flat_map(|commit| &commit.effects);
        let needed = effects
            .map(meridian_model::Effect::level)
            .max()
            .unwrap_or(1);
        if entry.level != needed {
            return Err(VerifyError::Level {
                seq,
                found: entry.level,
                needed,
            });
        }
        self.last = entry.head();
        self.time = entry.time;
        Ok(())
    }
}

fn effects(entry: &Entry) -> u64 {
    let counts = entry.commits.iter().map(|commit| commit.effects.len());
    counts.sum::<usize>() as u64
}

#[cfg(test)]
mod tests;
