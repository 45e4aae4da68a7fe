//! Scans over whole tables for the start: rows are copied out in blocks, so that other threads can
//! decode them while the next block is read.

use std::ops::ControlFlow;

use meridian_model::{Generation, RecordSet, Zone};
use prost::Message;

use super::layout::{self, Table};
use super::snapshot::{GenerationStats, ReadError, Snapshot};
use crate::format::{DecodeError, StatsRow, Stored};

/// A block is closed with the row that makes it this long, or at the next name.
const BLOCK_BYTES: usize = 64 * 1024;
/// What precedes the generation's names in the key of a set.
const GENERATION_BYTES: usize = 8;

/// Rows of the table of zones.
#[derive(Debug)]
pub struct ZoneBlock(Packed);

/// Rows of the table of record sets, in Route 53's order: whole names of one or more generations.
#[derive(Debug)]
pub struct SetBlock {
    rows: Packed,
    /// The generation whose first sets are in an earlier block.
    begun: Option<Generation>,
    /// The generation whose next sets are in a later block.
    open: Option<Generation>,
}

impl ZoneBlock {
    /// The zones.
    ///
    /// # Errors
    /// Each is a [`ReadError`] where its row cannot be read.
    pub fn zones(&self) -> impl Iterator<Item = Result<Zone, ReadError>> {
        self.0.iter().map(|row| stored(Table::Zones, row))
    }
}

impl SetBlock {
    /// The sets of those generations that are `wanted`, which is asked once for each run of sets,
    /// with the generation that each belongs to.
    ///
    /// # Errors
    /// Each is a [`ReadError`] where its row cannot be read.
    pub fn sets(
        &self,
        mut wanted: impl FnMut(Generation) -> bool,
    ) -> impl Iterator<Item = Result<(Generation, RecordSet), ReadError>> {
        let mut last: Option<(Generation, bool)> = None;
        self.rows.iter().filter_map(move |row| {
            let (generation, value) = row.split_at_checked(GENERATION_BYTES).unwrap_or_default();
            let generation = match generation_of(generation) {
                Ok(generation) => generation,
                Err(error) => return Some(Err(error)),
            };
            let (_, take) = match last {
                Some(known) if known.0 == generation => known,
                _ => *last.insert((generation, wanted(generation))),
            };
            take.then(|| Ok((generation, stored(Table::Sets, value)?)))
        })
    }

    /// Whether other blocks hold sets of this generation too.
    pub fn is_part_of(&self, generation: Generation) -> bool {
        [self.begun, self.open].contains(&Some(generation))
    }
}

impl Snapshot {
    /// Hands the rows of all zones to `each`, by id, until it breaks.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read; so for all methods.
    pub fn zone_blocks(
        &self,
        mut each: impl FnMut(ZoneBlock) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut rows = Packed::default();
        let mut flow = ControlFlow::Continue(());
        self.scan(Table::Zones, b"", b"", |_, value| {
            rows.push(b"", value);
            if rows.is_full() {
                flow = each(ZoneBlock(std::mem::take(&mut rows)));
            }
            Ok(flow)
        })?;
        if flow.is_continue() && !rows.is_empty() {
            let _ = each(ZoneBlock(rows));
        }
        Ok(())
    }

    /// Hands the rows of all record sets to `each`, by generation and in Route 53's order, until
    /// it breaks. Sets that no zone points to are among them.
    ///
    /// # Errors
    /// As for all methods.
    pub fn set_blocks(
        &self,
        each: impl FnMut(SetBlock) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.set_blocks_under(b"", each)
    }

    /// Hands the rows of one generation's record sets to `each`, in Route 53's order, until it
    /// breaks.
    ///
    /// # Errors
    /// As for all methods.
    pub fn set_blocks_of(
        &self,
        generation: Generation,
        each: impl FnMut(SetBlock) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        self.set_blocks_under(&layout::generation(generation), each)
    }

    fn set_blocks_under(
        &self,
        prefix: &[u8],
        mut each: impl FnMut(SetBlock) -> ControlFlow<()>,
    ) -> Result<(), ReadError> {
        let mut rows = Packed::default();
        let (mut begun, mut last) = (None, Vec::new());
        let mut flow = ControlFlow::Continue(());
        self.scan(Table::Sets, prefix, prefix, |key, value| {
            if rows.is_full() && owner(key) != owner(&last) {
                let before = generation_of(&last)?;
                let open = (generation_of(key)? == before).then_some(before);
                flow = each(SetBlock {
                    rows: std::mem::take(&mut rows),
                    begun,
                    open,
                });
                begun = open;
            }
            rows.push(key.get(..GENERATION_BYTES).unwrap_or_default(), value);
            if rows.is_full() {
                last.clear();
                last.extend_from_slice(key);
            }
            Ok(flow)
        })?;
        if flow.is_continue() && !rows.is_empty() {
            let open = None;
            let _ = each(SetBlock { rows, begun, open });
        }
        Ok(())
    }

    /// Hands the counts of every generation to `each`, by generation.
    ///
    /// # Errors
    /// As for all methods.
    pub fn each_stats(
        &self,
        mut each: impl FnMut(Generation, GenerationStats),
    ) -> Result<(), ReadError> {
        self.scan(Table::Stats, b"", b"", |key, value| {
            let row = StatsRow::decode(value);
            let row = row.map_err(|cause| ReadError::row(Table::Stats, cause.into()))?;
            each(generation_of(key)?, row.into());
            Ok(ControlFlow::Continue(()))
        })
    }
}

/// Rows one after the other, each behind its length.
#[derive(Debug, Default)]
struct Packed(Vec<u8>);

impl Packed {
    fn push(&mut self, head: &[u8], value: &[u8]) {
        if self.0.is_empty() {
            self.0.reserve(BLOCK_BYTES + 4096);
        }
        self.0
            .extend_from_slice(&(head.len() + value.len()).to_le_bytes());
        self.0.extend_from_slice(head);
        self.0.extend_from_slice(value);
    }

    fn is_full(&self) -> bool {
        self.0.len() >= BLOCK_BYTES
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.0.as_slice();
        std::iter::from_fn(move || {
            let (len, rows) = rest.split_first_chunk::<{ size_of::<usize>() }>()?;
            let (row, after) = rows.split_at_checked(usize::from_le_bytes(*len))?;
            rest = after;
            Some(row)
        })
    }
}

/// The part of a set's key that all sets of one name share: up to the zero after the name.
fn owner(key: &[u8]) -> &[u8] {
    let (generation, rest) = key.split_at_checked(GENERATION_BYTES).unwrap_or_default();
    let name = rest.iter().position(|byte| *byte == 0);
    let len = generation.len() + name.unwrap_or(rest.len());
    key.get(..len).unwrap_or_default()
}

fn generation_of(key: &[u8]) -> Result<Generation, ReadError> {
    let number = key.first_chunk::<GENERATION_BYTES>();
    let number = number.ok_or_else(|| ReadError::row(Table::Sets, DecodeError::Field("key")))?;
    Ok(Generation(u64::from_be_bytes(*number)))
}

fn stored<T: Stored>(table: Table, value: &[u8]) -> Result<T, ReadError> {
    T::from_bytes(value).map_err(|cause| ReadError::row(table, cause))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use meridian_dns::{Name, RecordType};
    use meridian_model::{Effect, Timestamp};

    use super::*;
    use crate::format::Entry;
    use crate::tables::Tables;
    use crate::testing;

    fn tables(effects: Vec<Effect>) -> Tables {
        let tables = Tables::in_memory().unwrap();
        let commit = testing::commit_of(effects);
        let (entry, _) = Entry::after(tables.head(), Timestamp(1), vec![commit]);
        tables.apply(&[entry]).unwrap();
        tables
    }

    fn set(owner: &str, rtype: RecordType, value: &str) -> RecordSet {
        let name = Name::parse(owner).unwrap();
        RecordSet::simple(name, rtype, 60, vec![value.to_owned()])
    }

    /// Small generations around one that takes several blocks.
    fn effects() -> Vec<Effect> {
        let mut effects = Vec::new();
        for (generation, names) in [(1, 3), (2, 5000), (3, 0), (4, 1)] {
            let generation = Generation(generation);
            for number in 0..names {
                let owner = format!("h{number}.test");
                let address = set(&owner, RecordType::A, "192.0.2.1");
                let text = set(&owner, RecordType::Txt, "\"of some length\"");
                effects.extend([address, text].map(|set| Effect::PutSet { generation, set }));
            }
            let zone = testing::simple_zone(&format!("Z{}", generation.0), generation);
            effects.push(Effect::PutZone(zone));
        }
        effects
    }

    #[test]
    fn blocks_hold_every_row_once_and_names_as_a_whole() {
        let tables = tables(effects());
        let snapshot = tables.read().unwrap();
        let mut zones = Vec::new();
        let each = |block: ZoneBlock| {
            zones.extend(block.zones().map(Result::unwrap));
            ControlFlow::Continue(())
        };
        snapshot.zone_blocks(each).unwrap();
        let mut expected = Vec::new();
        let each = |zone| {
            expected.push(zone);
            ControlFlow::Continue(())
        };
        snapshot.each_zone(each).unwrap();
        assert_eq!(zones, expected);

        let mut sets: BTreeMap<Generation, Vec<RecordSet>> = BTreeMap::new();
        let mut blocks: BTreeMap<Generation, usize> = BTreeMap::new();
        let mut parts = Vec::new();
        let each = |block: SetBlock| {
            let rows: Vec<_> = block.sets(|_| true).map(Result::unwrap).collect();
            for generations in rows.chunk_by(|(a, _), (b, _)| a == b) {
                let generation = generations[0].0;
                *blocks.entry(generation).or_default() += 1;
                parts.push((generation, block.is_part_of(generation)));
                let new = generations.iter().map(|(_, set)| set.clone());
                let known = sets.entry(generation).or_default();
                let last = known.last().map(|set| set.key.name.clone());
                assert_ne!(
                    last,
                    Some(generations[0].1.key.name.clone()),
                    "a name is cut"
                );
                known.extend(new);
            }
            ControlFlow::Continue(())
        };
        snapshot.set_blocks(each).unwrap();
        for generation in [1, 2, 3, 4].map(Generation) {
            let mut expected = Vec::new();
            let each = |set| {
                expected.push(set);
                ControlFlow::Continue(())
            };
            snapshot.each_set(generation, each).unwrap();
            assert_eq!(sets.remove(&generation).unwrap_or_default(), expected);
        }
        assert!(blocks[&Generation(2)] > 3);
        let (mut own, mut others) = (0, 0);
        let each = |block: SetBlock| {
            own += block.sets(|generation| generation == Generation(2)).count();
            others += block.sets(|generation| generation != Generation(2)).count();
            assert!(block.is_part_of(Generation(2)));
            ControlFlow::Continue(())
        };
        snapshot.set_blocks_of(Generation(2), each).unwrap();
        assert_eq!((own, others), (10_000, 0));
        for (generation, part) in parts {
            assert_eq!(part, blocks[&generation] > 1, "{generation:?}");
        }
    }

    #[test]
    fn whoever_breaks_gets_no_further_block() {
        let tables = tables(effects());
        let mut blocks = 0;
        let each = |_| {
            blocks += 1;
            ControlFlow::Break(())
        };
        tables.read().unwrap().set_blocks(each).unwrap();
        assert_eq!(blocks, 1);
    }

    #[test]
    fn counts_of_all_generations_are_those_of_each() {
        let tables = tables(effects());
        let snapshot = tables.read().unwrap();
        let mut all = Vec::new();
        let each = |generation, stats| all.push((generation, stats));
        snapshot.each_stats(each).unwrap();
        let known: Vec<_> = all
            .iter()
            .map(|(generation, stats)| (generation.0, stats.sets))
            .collect();
        assert_eq!(known, [(1, 6), (2, 10_000), (3, 0), (4, 2)]);
        for (generation, stats) in all {
            assert_eq!(snapshot.stats(generation).unwrap(), stats);
        }
    }
}
