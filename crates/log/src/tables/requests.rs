//! Which requests were carried out in the last fifteen minutes, so that a retry gets the first
//! answer instead of acting twice.

use meridian_model::{Seq, Timestamp};
use prost::Message;

use super::ApplyError;
use super::layout::{self, Table};
use super::rows::Rows;
use crate::format::{Entry, RetryKey, RetryRow};

pub(super) const KEPT_MS: i64 = 15 * 60 * 1000;
/// Rows that one entry removes at most, beyond twice what it writes.
const PRUNED_ROWS: usize = 64;

/// Notes the entry's requests and forgets old ones. All of it depends on the entry alone, so that
/// nodes that apply in other portions hold the same rows.
pub(super) fn apply(rows: &mut Rows<'_>, entry: &Entry) -> Result<(), ApplyError> {
    let mut written = 0;
    for key in entry.commits.iter().filter_map(|commit| commit.retry) {
        note(rows, key, entry.seq, entry.time)?;
        written += 1;
    }
    let kept_from = layout::request_times_from(Timestamp(entry.time.0.saturating_sub(KEPT_MS)));
    for (key, _) in rows.first(Table::RequestTimes, b"", PRUNED_ROWS + 2 * written)? {
        if key.as_slice() >= kept_from.as_slice() {
            break;
        }
        rows.delete(Table::RequestTimes, &key)?;
        rows.delete(Table::Requests, &key[kept_from.len()..])?;
    }
    Ok(())
}

fn note(rows: &mut Rows<'_>, key: RetryKey, seq: Seq, time: Timestamp) -> Result<(), ApplyError> {
    let row = RetryRow {
        seq: seq.0,
        time: time.0,
    };
    let old = rows.put(
        Table::Requests,
        &layout::request(&key),
        &row.encode_to_vec(),
    )?;
    if let Some(old) = old {
        let old = RetryRow::decode(old.as_slice())
            .map_err(|cause| ApplyError::row(Table::Requests, cause.into()))?;
        let old_time = layout::request_time(Timestamp(old.time), &key);
        rows.delete(Table::RequestTimes, &old_time)?;
    }
    rows.put(Table::RequestTimes, &layout::request_time(time, &key), b"")?;
    Ok(())
}
