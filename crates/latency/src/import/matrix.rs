//! `from,to,ms` between regions. With a table of the networks at each, rows are samples as well.

use std::collections::VecDeque;

use super::columns::Columns;
use super::fields::{rtt_us, shown};
use super::{Reading, Record, Wrong};
use crate::sample::{Kind, Sample};

/// The columns, all of which have to be there.
pub(super) const NAMES: [&str; 3] = ["from", "to", "ms"];

/// A row.
#[derive(Debug)]
pub(super) struct Pair {
    from: Box<str>,
    to: Box<str>,
    rtt_us: u32,
}

/// A row; none for the line that names the columns.
pub(super) fn read(
    columns: &mut Columns<{ NAMES.len() }>,
    line: &str,
) -> Result<Option<Pair>, Wrong> {
    let Some([from, to, ms]) = columns.read(line, NAMES.len())? else {
        return Ok(None);
    };
    let (from, to) = (
        from.ok_or(Wrong::Missing("from"))?,
        to.ok_or(Wrong::Missing("to"))?,
    );
    Ok(Some(Pair {
        from: shown(&from).into(),
        to: shown(&to).into(),
        rtt_us: rtt_us("ms", &ms.ok_or(Wrong::Missing("ms"))?)?,
    }))
}

impl Pair {
    /// What it tells: of the two regions, and of each network at the first one.
    pub(super) fn push_to(self, records: &mut VecDeque<Record>, reading: &Reading) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "milliseconds are not told more exactly"
        )]
        let ms = (f64::from(self.rtt_us) / 1000.0) as f32;
        for network in reading.tables.networks_at(&self.from) {
            records.push_back(Record::Sample(Sample {
                at_s: reading.now_s,
                network: *network,
                region: self.to.clone(),
                rtt_us: self.rtt_us,
                count: 1,
                weight: Kind::Import.weight(),
                kind: Kind::Import,
                client: None,
            }));
        }
        records.push_back(Record::Pair {
            from: self.from,
            to: self.to,
            ms,
        });
    }
}
