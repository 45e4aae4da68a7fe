//! `prefix,region,rtt_ms,count[,ts]`.

use super::columns::Columns;
use super::fields::{count, network, rtt_us, time};
use super::{Reading, Wrong};
use crate::sample::{Kind, Sample};

/// The columns; the first three have to be there.
pub(super) const NAMES: [&str; 5] = ["prefix", "region", "rtt_ms", "count", "ts"];

/// A row; none for the line that names the columns.
pub(super) fn read(
    columns: &mut Columns<{ NAMES.len() }>,
    line: &str,
    reading: &Reading,
) -> Result<Option<Sample>, Wrong> {
    let Some([prefix, region, rtt, n, at]) = columns.read(line, 3)? else {
        return Ok(None);
    };
    Ok(Some(Sample {
        at_s: time(at.as_deref(), reading)?,
        network: network(&prefix.ok_or(Wrong::Missing("prefix"))?)?,
        region: region.ok_or(Wrong::Missing("region"))?.as_ref().into(),
        rtt_us: rtt_us("rtt_ms", &rtt.ok_or(Wrong::Missing("rtt_ms"))?)?,
        count: count(n.as_deref())?,
        weight: Kind::Import.weight(),
        kind: Kind::Import,
        client: None,
    }))
}
