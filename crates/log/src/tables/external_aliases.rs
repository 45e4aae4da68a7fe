//! How many aliases to names elsewhere each generation of an account has, counted as sets are
//! written. What such an alias is is the model's business.

use std::ops::ControlFlow;

use meridian_model::{AccountId, Generation, UnseenGeneration, Zone, ZoneId};
use redb::WriteTransaction;

use super::ApplyError;
use super::digest::Digest;
use super::layout::{self, Table};
use super::rows::{Rows, number};
use super::snapshot::{ReadError, Snapshot};

/// Notes that a generation has a set more, or one less.
pub(super) fn note(
    rows: &mut Rows<'_>,
    generation: Generation,
    (was, is): (bool, bool),
) -> Result<(), ApplyError> {
    if was == is {
        return Ok(());
    }
    let Some(account) = account_of(rows, generation)? else {
        return Ok(());
    };
    let key = layout::external_aliases(&account, generation);
    let count = rows.number(Table::ExternalAliases, &key)?;
    let count = if is {
        count.saturating_add(1)
    } else {
        count.saturating_sub(1)
    };
    if count == 0 {
        rows.delete(Table::ExternalAliases, &key)?;
    } else {
        rows.put(Table::ExternalAliases, &key, &count.to_be_bytes())?;
    }
    Ok(())
}

/// Whose zone points to the generation, or will.
fn account_of(rows: &Rows<'_>, generation: Generation) -> Result<Option<AccountId>, ApplyError> {
    let key = layout::generation(generation);
    let unseen: Option<UnseenGeneration> = rows.get_stored(Table::UnseenGenerations, &key)?;
    if let Some(unseen) = unseen {
        return Ok(Some(unseen.account));
    }
    let id = rows.get(Table::Generations, &key)?;
    let id = id.and_then(|bytes| ZoneId::new(&String::from_utf8(bytes).ok()?).ok());
    let Some(id) = id else {
        return Ok(None);
    };
    let zone: Option<Zone> = rows.get_stored(Table::Zones, id.as_str().as_bytes())?;
    Ok(zone.map(|zone| zone.account))
}

/// Counts all of them, in tables that an earlier version wrote.
pub(super) fn count_all(transaction: &WriteTransaction) -> Result<(), ApplyError> {
    // Nothing that is written here is digested.
    let mut rows = Rows::new(transaction, Digest::default());
    rows.each_set(|rows, generation, set| note(rows, generation, (false, set.is_external_alias())))
}

impl Snapshot {
    /// How many aliases to names elsewhere the account's zones have.
    pub(super) fn external_aliases_of(&self, account: &AccountId) -> Result<u64, ReadError> {
        let prefix = layout::of_account(account);
        let mut aliases = 0_u64;
        self.scan(Table::ExternalAliases, &prefix, &prefix, |key, value| {
            let broken = || ReadError::broken(Table::ExternalAliases);
            // That of a zone: others are kept for history, or being written.
            let generation = key.get(prefix.len()..).ok_or_else(broken)?;
            if self.get(Table::Generations, generation)?.is_some() {
                aliases = aliases.saturating_add(number(value).ok_or_else(broken)?);
            }
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(aliases)
    }

    /// How many of them this generation of the account's has, whoever points to it.
    ///
    /// # Errors
    /// [`ReadError`] when storage fails or a row cannot be read.
    pub fn external_aliases_in(
        &self,
        account: &AccountId,
        generation: Generation,
    ) -> Result<u64, ReadError> {
        let key = layout::external_aliases(account, generation);
        let count = self.get(Table::ExternalAliases, &key)?;
        let count = count.map(|bytes| number(&bytes));
        count.map_or(Ok(0), |count| {
            count.ok_or_else(|| ReadError::broken(Table::ExternalAliases))
        })
    }
}

#[cfg(test)]
mod tests {
    use meridian_dns::{Name, RecordType};
    use meridian_model::{
        AliasTarget, Effect, RecordSet, SetData, SetKey, State, Timestamp, UnseenState,
        plan_publish_generation,
    };

    use super::*;
    use crate::format::Entry;
    use crate::journal::Head;
    use crate::tables::{Durability, Options, Tables};
    use crate::testing;

    fn set(name: &str, zone: Option<&str>) -> RecordSet {
        let name = Name::parse(name).unwrap();
        let values = vec!["192.0.2.1".to_owned()];
        let own = RecordSet::simple(name.clone(), RecordType::A, 60, values);
        let target = zone.map(|zone| AliasTarget {
            zone: ZoneId::new(zone).unwrap(),
            name,
            evaluate_target_health: false,
        });
        RecordSet {
            data: target.map_or(own.data, SetData::Alias),
            ..own
        }
    }

    fn put(generation: u64, name: &str, zone: Option<&str>) -> Effect {
        Effect::PutSet {
            generation: Generation(generation),
            set: set(name, zone),
        }
    }

    struct Bench {
        tables: Tables,
        zone: Zone,
    }

    impl Bench {
        fn apply(&self, effects: Vec<Effect>) {
            let head = self.tables.head();
            let (entry, _) = Entry::after(head, Timestamp(1), vec![testing::commit_of(effects)]);
            self.tables.apply(&[entry]).unwrap();
        }

        fn count(&self) -> u64 {
            let snapshot = self.tables.read().unwrap();
            snapshot.external_alias_count(&self.zone.account).unwrap()
        }

        fn count_in(&self, generation: u64) -> u64 {
            let snapshot = self.tables.read().unwrap();
            let generation = Generation(generation);
            let count = snapshot.external_aliases_in(&self.zone.account, generation);
            count.unwrap()
        }
    }

    fn bench(tables: Tables) -> Bench {
        let zone = testing::simple_zone("Z1", Generation(1));
        let bench = Bench { tables, zone };
        assert_eq!(bench.tables.head(), Head::EMPTY);
        bench.apply(vec![
            Effect::PutZone(bench.zone.clone()),
            put(1, "a.test", Some("ZEXTERNAL")),
            put(1, "b.test", Some("Z35SXDOTRQ7X7K")),
            put(1, "c.test", Some("Z1")),
            put(1, "d.test", None),
        ]);
        bench
    }

    #[test]
    fn aliases_count_as_long_as_their_zone_has_them() {
        let bench = bench(Tables::in_memory().unwrap());
        assert_eq!(bench.count(), 2);
        bench.apply(vec![
            put(1, "a.test", Some("ZEXTERNAL")),
            put(1, "b.test", None),
            put(1, "c.test", Some("ZEXTERNAL")),
            put(1, "d.test", Some("ZEXTERNAL")),
        ]);
        assert_eq!(bench.count(), 3);
        // Those that are written unseen count from the entry on that publishes them.
        let draft = UnseenGeneration {
            generation: Generation(2),
            account: bench.zone.account.clone(),
            zone: bench.zone.id.clone(),
            state: UnseenState::Draft,
            since: Timestamp(1),
        };
        bench.apply(vec![Effect::PutUnseenGeneration(draft)]);
        bench.apply(vec![put(2, "a.test", Some("ZEXTERNAL"))]);
        assert_eq!((bench.count(), bench.count_in(2)), (3, 1));
        bench.apply(plan_publish_generation(
            &bench.zone,
            Generation(2),
            Timestamp(1),
        ));
        assert_eq!((bench.count(), bench.count_in(1)), (1, 3));
        bench.apply(vec![Effect::CollectGeneration {
            generation: Generation(1),
            most: 9,
        }]);
        assert_eq!((bench.count(), bench.count_in(1)), (1, 0));
        bench.apply(vec![
            Effect::DeleteSet {
                generation: Generation(2),
                key: SetKey {
                    name: Name::parse("a.test").unwrap(),
                    rtype: RecordType::A,
                    set_identifier: None,
                },
            },
            Effect::DeleteZone(bench.zone.id.clone()),
        ]);
        assert_eq!((bench.count(), bench.count_in(2)), (0, 0));
    }

    #[test]
    fn aliases_that_an_earlier_version_wrote_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        let options = Options {
            cache_bytes: 1024 * 1024,
            durability: Durability::Each,
        };
        let open = || Tables::open(&dir.path().join("tables.redb"), options).unwrap();
        let Bench { tables, zone } = bench(open());
        let digest = tables.recompute_digest().unwrap();
        let transaction = tables.store.begin_write().unwrap();
        let gone = transaction.delete_table(Table::ExternalAliases.definition());
        assert!(gone.unwrap());
        transaction.commit().unwrap();
        drop(tables);
        let tables = open();
        // It is no part of what versions compare.
        assert_eq!(tables.recompute_digest().unwrap(), digest);
        assert_eq!(Bench { tables, zone }.count(), 2);
    }
}
