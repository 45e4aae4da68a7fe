//! `meridian journal`.

use anyhow::Result;
use meridian_log::{Journal, LEVEL, Tables, verify};
use serde_json::{Value, json};

/// Verifies the journal, and the tables against it.
pub(in crate::admin) fn report(journal: &dyn Journal, tables: &Tables) -> Result<Value> {
    let report = verify(journal, Some(tables))?;
    let tables = report
        .tables
        .map(|tables| json!({ "applied": tables.applied.0, "digest": tables.digest.to_string() }));
    Ok(json!({
        "valid": true,
        "head": report.head.seq.0,
        "epoch": report.head.epoch,
        "hash": report.head.hash.to_string(),
        "commits": report.commits,
        "effects": report.effects,
        "tables": tables,
    }))
}

/// Lets the journal take every kind of change that this version knows.
pub(super) fn finalize(journal: &dyn Journal) -> Result<Value> {
    journal.finalize()?;
    levels(journal)
}

/// Which kinds of changes the journal takes, and which it could.
pub(super) fn levels(journal: &dyn Journal) -> Result<Value> {
    Ok(json!({ "finalized": journal.level()?, "understood": LEVEL }))
}
