//! What each commit overwrote in each zone, so that older versions can be listed, compared and
//! restored. Kept for 90 days and at least the ten newest rows of a zone.

use std::collections::BTreeMap;

use meridian_model::{Generation, Seq, SetKey, Timestamp, ZoneId};
use prost::Message;

use super::ApplyError;
use super::layout::{self, Table};
use super::rows::Rows;
use crate::format::{BeforeMessage, HistoryMessage};

const KEPT_MS: i64 = 90 * 24 * 60 * 60 * 1000;
const KEPT_ROWS: usize = 10;
/// Rows that are removed at most when one is written: more than one, so that old rows get fewer.
const PRUNED_ROWS: usize = 16;

/// The changes of one commit, by zone.
#[derive(Default)]
pub(super) struct Deltas(BTreeMap<ZoneId, Delta>);

#[derive(Default)]
struct Delta {
    previous_generation: Option<Generation>,
    /// By the set's row key.
    before: BTreeMap<Vec<u8>, BeforeMessage>,
}

/// Which commit a history row is about.
pub(super) struct Origin<'a> {
    pub(super) seq: Seq,
    /// The commit's place in the entry.
    pub(super) commit: u32,
    pub(super) principal: &'a str,
    pub(super) time: Timestamp,
}

impl Deltas {
    /// Notes what a set was before this commit touched it first.
    pub(super) fn note_set(
        &mut self,
        zone: ZoneId,
        row_key: Vec<u8>,
        key: &SetKey,
        old: Option<&[u8]>,
    ) -> Result<(), ApplyError> {
        let delta = self.0.entry(zone).or_default();
        if let std::collections::btree_map::Entry::Vacant(first) = delta.before.entry(row_key) {
            let before = BeforeMessage::new(key, old);
            first.insert(before.map_err(|cause| ApplyError::row(Table::Sets, cause))?);
        }
        Ok(())
    }

    /// Notes where the zone's sets lay before this commit pointed it elsewhere.
    pub(super) fn note_generation(&mut self, zone: ZoneId, previous: Generation) {
        let delta = self.0.entry(zone).or_default();
        delta.previous_generation.get_or_insert(previous);
    }

    pub(super) fn write(self, rows: &mut Rows<'_>, origin: &Origin<'_>) -> Result<(), ApplyError> {
        for (zone, delta) in self.0 {
            let message = HistoryMessage {
                principal: origin.principal.into(),
                time: origin.time.0,
                previous_generation: delta.previous_generation.map(|generation| generation.0),
                before: delta.before.into_values().collect(),
            };
            let key = layout::history(&zone, origin.seq, origin.commit);
            rows.put(Table::History, &key, &message.encode_to_vec())?;
            prune(rows, &zone, origin.time)?;
        }
        Ok(())
    }
}

/// Removes a bounded number of the zone's oldest rows.
fn prune(rows: &mut Rows<'_>, zone: &ZoneId, now: Timestamp) -> Result<(), ApplyError> {
    let prefix = layout::history_of(zone);
    let kept_from = now.0.saturating_sub(KEPT_MS);
    let time_of = |value: &[u8]| {
        HistoryMessage::time_of(value).map_err(|cause| ApplyError::row(Table::History, cause))
    };
    // Rows are as long as what their commits changed: as a rule one look at the oldest is enough.
    let oldest = rows.read_first(Table::History, &prefix, time_of)?;
    if oldest.transpose()?.is_none_or(|time| time >= kept_from) {
        return Ok(());
    }
    let oldest = rows.first(Table::History, &prefix, KEPT_ROWS + PRUNED_ROWS)?;
    let surplus = oldest.len().saturating_sub(KEPT_ROWS);
    for (key, value) in oldest.into_iter().take(surplus) {
        if time_of(&value)? >= kept_from {
            return Ok(());
        }
        rows.delete(Table::History, &key)?;
    }
    Ok(())
}
