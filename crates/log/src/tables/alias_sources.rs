//! Who aliases to what: a row for each alias into a zone that is here, under its target, kept up as
//! sets are written. Aliases to names elsewhere have none: their answers are asked for anew.

use std::ops::ControlFlow;

use meridian_dns::{Name, RecordType};
use meridian_model::{AliasTarget, Generation, RecordSet, SetData, SetKey, Zone, ZoneId};
use redb::WriteTransaction;

use super::ApplyError;
use super::digest::Digest;
use super::layout::{self, Table};
use super::rows::Rows;
use super::snapshot::{ReadError, Snapshot};

/// Notes that a set of a generation was this and is that now.
pub(super) fn note_set(
    rows: &mut Rows<'_>,
    generation: Generation,
    old: Option<&RecordSet>,
    new: Option<&RecordSet>,
) -> Result<(), ApplyError> {
    let (was, is) = (old.and_then(target), new.and_then(target));
    if was.map(place) == is.map(place) {
        return Ok(());
    }
    if let Some((target, key)) = was {
        let row = layout::alias_source(target, generation, key);
        rows.delete(Table::AliasSources, &row)?;
    }
    if let Some((target, key)) = is {
        let row = layout::alias_source(target, generation, key);
        rows.put(Table::AliasSources, &row, b"")?;
    }
    Ok(())
}

/// Where a set points, if it is an alias into a zone, and its key.
fn target(set: &RecordSet) -> Option<(&AliasTarget, &SetKey)> {
    match &set.data {
        SetData::Alias(target) if !set.is_external_alias() => Some((target, &set.key)),
        SetData::Alias(_) | SetData::Records { .. } => None,
    }
}

/// What of a target is in a row. A set keeps its key.
fn place<'a>((target, _): (&'a AliasTarget, &SetKey)) -> (&'a ZoneId, &'a Name) {
    (&target.zone, &target.name)
}

/// Finds all of them anew, in tables that an earlier version wrote.
pub(super) fn find_all(transaction: &WriteTransaction) -> Result<(), ApplyError> {
    let table = Table::AliasSources.definition();
    transaction.delete_table(table)?;
    transaction.open_table(table)?;
    // Nothing that is written here is digested.
    let mut rows = Rows::new(transaction, Digest::default());
    rows.each_set(|rows, generation, set| note_set(rows, generation, None, Some(set)))
}

impl Snapshot {
    /// The aliases to a name and type of a zone that answers go by, and those of `own` as it is given.
    pub(super) fn alias_sources(
        &self,
        (zone, name, rtype): (&ZoneId, &Name, RecordType),
        own: &Zone,
        most: usize,
    ) -> Result<Vec<(ZoneId, SetKey)>, ReadError> {
        let broken = || ReadError::broken(Table::AliasSources);
        let prefix = layout::aliases_to(zone, name, rtype);
        let mut start = prefix.clone();
        let mut found = Vec::new();
        // A turn for each generation that is not looked into.
        loop {
            let mut current: Option<(Generation, ZoneId)> = None;
            let mut passed_over = None;
            self.scan(Table::AliasSources, &prefix, &start, |key, _| {
                if found.len() >= most {
                    return Ok(ControlFlow::Break(()));
                }
                let rest = key.get(prefix.len()..).and_then(layout::alias_source_of);
                let (generation, name, set_identifier) = rest.ok_or_else(broken)?;
                if current.as_ref().is_none_or(|(of, _)| *of != generation) {
                    let Some(id) = self.answering(generation, own)? else {
                        passed_over = Some(generation);
                        return Ok(ControlFlow::Break(()));
                    };
                    current = Some((generation, id));
                }
                let key = SetKey {
                    name,
                    rtype,
                    set_identifier,
                };
                found.extend(current.as_ref().map(|(_, id)| (id.clone(), key)));
                Ok(ControlFlow::Continue(()))
            })?;
            let Some(next) = passed_over.and_then(|Generation(at)| at.checked_add(1)) else {
                return Ok(found);
            };
            start.truncate(prefix.len());
            start.extend_from_slice(&layout::generation(Generation(next)));
        }
    }

    /// The zone of the account that has this generation, with `own` as it is given.
    fn answering(&self, generation: Generation, own: &Zone) -> Result<Option<ZoneId>, ReadError> {
        if generation == own.generation {
            return Ok(Some(own.id.clone()));
        }
        let zone = self.zone_at(generation)?;
        let zone = zone.filter(|zone| zone.id != own.id && zone.account == own.account);
        Ok(zone.map(|zone| zone.id))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use meridian_model::{Effect, State, Timestamp, UnseenGeneration, UnseenState};
    use prost::Message;
    use redb::ReadableTable;

    use super::*;
    use crate::format::{AppliedRow, Entry};
    use crate::storage::META;
    use crate::tables::{APPLIED_KEY, Durability, Options, Tables};
    use crate::testing;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    /// `from=zone/to`, or only `from` for a set that is no alias.
    fn put(generation: u64, text: &str) -> Effect {
        let (from, to) = text.split_once('=').unwrap_or((text, ""));
        let values = vec!["192.0.2.1".to_owned()];
        let mut set = RecordSet::simple(name(from), RecordType::A, 60, values);
        if let Some((zone, to)) = to.split_once('/') {
            set.data = SetData::Alias(AliasTarget {
                zone: ZoneId::new(zone).unwrap(),
                name: name(to),
                evaluate_target_health: false,
            });
        }
        let generation = Generation(generation);
        Effect::PutSet { generation, set }
    }

    fn apply(tables: &Tables, effects: Vec<Effect>) {
        let commits = vec![testing::commit_of(effects)];
        let (entry, _) = Entry::after(tables.head(), Timestamp(1), commits);
        tables.apply(&[entry]).unwrap();
    }

    /// Who aliases to a name of zone Z1, as seen by a zone.
    fn sources(tables: &Tables, to: &str, own: &Zone) -> Vec<String> {
        let snapshot = tables.read().unwrap();
        let target = (&ZoneId::new("Z1").unwrap(), &name(to), RecordType::A);
        let found = snapshot.aliases_to(target, own, 99).unwrap();
        let told: BTreeSet<String> = found
            .into_iter()
            .map(|(zone, key)| format!("{zone}/{}", key.name))
            .collect();
        assert!(snapshot.aliases_to(target, own, 1).unwrap().len() <= 1);
        told.into_iter().collect()
    }

    fn two_zones() -> (Zone, Zone) {
        let first = testing::simple_zone("Z1", Generation(1));
        let second = testing::simple_zone("Z2", Generation(2));
        (first, second)
    }

    fn fill(tables: &Tables) {
        let (first, second) = two_zones();
        let mut effects = vec![Effect::PutZone(first), Effect::PutZone(second)];
        effects.extend(["t.test", "a.test=Z1/t.test", "b.test=Z2/t.test"].map(|text| put(1, text)));
        effects.extend(["a.test=Z1/t.test", "c.test=ZEXTERNAL/t.test"].map(|text| put(2, text)));
        apply(tables, effects);
    }

    #[test]
    fn aliases_are_found_as_long_as_their_zone_has_them() {
        let tables = Tables::in_memory().unwrap();
        let (first, second) = two_zones();
        fill(&tables);
        let both = ["Z1/a.test.", "Z2/a.test."];
        assert_eq!(sources(&tables, "t.test", &first), both);
        assert_eq!(sources(&tables, "t.test", &second), both);
        assert_eq!(sources(&tables, "a.test", &second), [""; 0]);
        // A draft is nobody's but the one's who writes it.
        let draft = UnseenGeneration {
            generation: Generation(3),
            account: first.account.clone(),
            zone: first.id.clone(),
            state: UnseenState::Draft,
            since: Timestamp(1),
        };
        apply(&tables, vec![Effect::PutUnseenGeneration(draft)]);
        apply(&tables, vec![put(3, "d.test=Z1/t.test")]);
        let mut drafted = first.clone();
        drafted.generation = Generation(3);
        assert_eq!(sources(&tables, "t.test", &first), both);
        let with_draft = ["Z1/d.test.", "Z2/a.test."];
        assert_eq!(sources(&tables, "t.test", &drafted), with_draft);
        apply(&tables, vec![Effect::PutZone(drafted)]);
        assert_eq!(sources(&tables, "t.test", &second), with_draft);
        // Another account's lead nowhere.
        let mut others = second;
        others.account = meridian_model::AccountId::new("999999999999").unwrap();
        apply(&tables, vec![Effect::PutZone(others)]);
        assert_eq!(sources(&tables, "t.test", &first), ["Z1/a.test."]);
        apply(&tables, vec![Effect::DeleteZone(first.id.clone())]);
        let mut nobody = first;
        nobody.generation = Generation(9);
        assert_eq!(sources(&tables, "t.test", &nobody), [""; 0]);
    }

    #[test]
    fn an_alias_that_is_pointed_elsewhere_is_not_found_where_it_was() {
        let tables = Tables::in_memory().unwrap();
        let (first, _) = two_zones();
        fill(&tables);
        let effects = ["a.test=Z1/u.test", "b.test=Z1/t.test"].map(|text| put(1, text));
        apply(&tables, effects.to_vec());
        assert_eq!(sources(&tables, "u.test", &first), ["Z1/a.test."]);
        assert_eq!(
            sources(&tables, "t.test", &first),
            ["Z1/b.test.", "Z2/a.test."]
        );
        let collect = |generation| Effect::CollectGeneration {
            generation: Generation(generation),
            most: 9,
        };
        apply(&tables, vec![put(1, "a.test"), collect(2)]);
        assert_eq!(sources(&tables, "u.test", &first), [""; 0]);
        assert_eq!(sources(&tables, "t.test", &first), ["Z1/b.test."]);
        let key = SetKey {
            name: name("b.test"),
            rtype: RecordType::A,
            set_identifier: None,
        };
        let generation = Generation(1);
        apply(&tables, vec![Effect::DeleteSet { generation, key }]);
        assert_eq!(sources(&tables, "t.test", &first), [""; 0]);
    }

    fn open(path: &std::path::Path) -> Tables {
        let options = Options {
            cache_bytes: 1024 * 1024,
            durability: Durability::Each,
        };
        Tables::open(path, options).unwrap()
    }

    #[test]
    fn aliases_that_an_earlier_version_wrote_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tables.redb");
        let tables = open(&path);
        fill(&tables);
        let digest = tables.recompute_digest().unwrap();
        let transaction = tables.store.begin_write().unwrap();
        let gone = transaction.delete_table(Table::AliasSources.definition());
        assert!(gone.unwrap());
        transaction.commit().unwrap();
        drop(tables);
        let tables = open(&path);
        // It is no part of what versions compare.
        assert_eq!(tables.recompute_digest().unwrap(), digest);
        let both = ["Z1/a.test.", "Z2/a.test."];
        assert_eq!(sources(&tables, "t.test", &two_zones().0), both);
    }

    #[test]
    fn aliases_that_an_earlier_version_wrote_into_a_file_of_this_one_are_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tables.redb");
        let tables = open(&path);
        fill(&tables);
        // It knows neither the index nor that it should say so.
        let transaction = tables.store.begin_write().unwrap();
        {
            let mut index = transaction
                .open_table(Table::AliasSources.definition())
                .unwrap();
            index.retain(|_, _| false).unwrap();
            index
                .insert(b"Z1\0stale".as_slice(), b"".as_slice())
                .unwrap();
            let mut meta = transaction.open_table(META).unwrap();
            let row = meta.get(APPLIED_KEY).unwrap().unwrap().value().to_vec();
            let mut row = AppliedRow::decode(row.as_slice()).unwrap();
            assert_eq!(std::mem::take(&mut row.indices), 1);
            meta.insert(APPLIED_KEY, row.encode_to_vec().as_slice())
                .unwrap();
        }
        transaction.commit().unwrap();
        // Closing it writes nothing more: all of it is durable.
        drop(tables);
        let both = ["Z1/a.test.", "Z2/a.test."];
        for _ in 0..2 {
            let tables = open(&path);
            assert_eq!(sources(&tables, "t.test", &two_zones().0), both);
            let snapshot = tables.read().unwrap();
            let mut rows = 0;
            let count = |_: &[u8], _: &[u8]| {
                rows += 1;
                Ok(ControlFlow::Continue(()))
            };
            snapshot.scan(Table::AliasSources, b"", b"", count).unwrap();
            assert_eq!(rows, 3);
        }
    }
}
