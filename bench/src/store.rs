//! Filling a data directory: zones are planned by the real rules, against an empty state, and
//! written into the journal in large entries instead of one request each. Quotas do not apply.

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use meridian_control::{Acks, Control, Environment, FirstStart, NewKey, SystemEnvironment};
use meridian_dns::Name;
use meridian_log::{Commit, Durability, Journal, LocalJournal, Options, Tables, Vault};
use meridian_model::{
    Account, Action, DraftChange, Effect, EmptyState, Generation, HealthCheck, HealthCheckConfig,
    HealthCheckId, HealthSlot, HealthSubject, Limits, NewZone, RecordSet, State, plan_batch,
    plan_create_zone,
};

use crate::data::{self, Row, ZoneRows};

/// The pool's zone, as `meridian serve` makes it.
const POOL_DOMAIN: &str = "meridian.internal";
/// Tables are written through this much memory.
const CACHE_BYTES: usize = 1 << 30;
/// Effects of about this many bytes make an entry, well below the most of a MiB.
const ENTRY_BYTES: usize = 512 * 1024;
/// What an effect takes beside its texts, with room to spare.
const EFFECT_BYTES: usize = 128;
/// Changes planned together. Planning compares each with each, so small batches are faster.
const BATCH_CHANGES: usize = 100;
/// The most characters of values planned together: half of the rules' limit, as what an UPSERT
/// writes counts twice.
const BATCH_CHARACTERS: usize = 16_000;
/// Entries that are read back and applied at once.
const APPLY_ENTRIES: usize = 1000;

/// A data directory that is being filled. No server may have it open.
pub struct Filler {
    journal: Arc<LocalJournal>,
    tables: Arc<Tables>,
    environment: SystemEnvironment,
    account: Account,
    state: EmptyState,
    pending: Vec<Effect>,
    pending_bytes: usize,
    /// What was written so far.
    pub counts: Counts,
}

/// How much was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Zones.
    pub zones: u64,
    /// Record sets, SOA and NS of each zone included.
    pub sets: u64,
    /// Health checks.
    pub checks: u64,
}

impl Filler {
    /// Opens the directory; an empty one gets an operator, whose access key goes to `credentials`,
    /// and a pool of name servers at this address.
    ///
    /// # Errors
    /// When files cannot be made or opened.
    pub fn open(directory: &Path, address: IpAddr) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let options = Options {
            cache_bytes: CACHE_BYTES,
            durability: Durability::Batched,
        };
        let journal = Arc::new(LocalJournal::open(&directory.join("journal.redb"))?);
        let tables = Arc::new(Tables::open(&directory.join("tables.redb"), options)?);
        apply(&*journal, &tables)?;
        let control = Control::new(
            Arc::clone(&journal) as _,
            Arc::clone(&tables),
            Arc::new(Vault::open(directory)?),
            Arc::new(Acks::default()),
            Box::new(SystemEnvironment::new()),
        );
        let first = FirstStart {
            domain: Name::parse(POOL_DOMAIN)?,
            addresses: vec![address],
        };
        control.first_start(&first, |key| {
            write_credentials(directory, key).map_err(|error| format!("{error:#}"))
        })?;
        apply(&*journal, &tables)?;
        let snapshot = tables.read()?;
        let operator = snapshot.accounts()?.into_iter().find(|a| a.operator);
        Ok(Self {
            account: operator.context("there is no operator's account")?,
            state: EmptyState {
                name_servers: snapshot.name_servers()?,
                next_generation: snapshot.next_generation()?,
                sets: Vec::new(),
                limits: Limits::None,
            },
            journal,
            tables,
            environment: SystemEnvironment::new(),
            pending: Vec::new(),
            pending_bytes: 0,
            counts: Counts::default(),
        })
    }

    /// Adds a zone that is not there yet.
    ///
    /// # Errors
    /// When the rules refuse it, or the journal fails.
    pub fn add(&mut self, zone: &ZoneRows) -> Result<()> {
        let mut facts = self.environment.facts();
        let new = NewZone {
            name: zone.apex.clone(),
            caller_reference: zone.apex.clone(),
            comment: None,
            delegation_set: None,
            vpc: None,
        };
        let (made, effects) = plan_create_zone(&self.state, &mut facts, &self.account, new)
            .map_err(|error| anyhow!("zone {}: {error:?}", zone.apex))?;
        let mut effects = self.take(effects)?;
        self.state.next_generation = Generation(made.generation.0 + 1);
        self.state.sets = sets_of(&effects, &made.name);
        self.pending.append(&mut effects);
        for batch in batches(&zone.rows) {
            let effects = plan_batch(&self.state, &made, &batch)
                .map_err(|error| anyhow!("zone {}: {error:?}", zone.apex))?;
            let mut effects = self.take(effects)?;
            self.pending.append(&mut effects);
        }
        self.counts.zones += 1;
        self.counts.sets += zone.rows.iter().filter(|row| !is_apex(row, zone)).count() as u64 + 2;
        Ok(())
    }

    /// Adds the next health checks of the operator's account, which are of these subjects. No other
    /// may be there.
    ///
    /// # Errors
    /// When the journal fails.
    pub fn add_checks(&mut self, subjects: impl IntoIterator<Item = HealthSubject>) -> Result<()> {
        for subject in subjects {
            let number = self.counts.checks;
            let config = HealthCheckConfig {
                inverted: false,
                disabled: false,
                subject,
            };
            let id = HealthCheckId::new(&data::check_id(number));
            let check = HealthCheck {
                id: id.map_err(|_| anyhow!("no id"))?,
                account: self.account.id.clone(),
                caller_reference: number.to_string(),
                version: 1,
                created_with: config.clone(),
                config,
                slot: HealthSlot {
                    slot: u32::try_from(number)?,
                    incarnation: 1,
                },
            };
            let mut effects = self.take(vec![Effect::PutHealthCheck(check)])?;
            self.pending.append(&mut effects);
            self.counts.checks += 1;
        }
        Ok(())
    }

    /// Writes what is left and brings the tables up to the journal.
    ///
    /// # Errors
    /// When the journal or the tables fail.
    pub fn finish(mut self) -> Result<Counts> {
        self.append()?;
        apply(&*self.journal, &self.tables)?;
        self.tables.flush()?;
        Ok(self.counts)
    }

    /// Makes room for effects in the entry to come.
    fn take(&mut self, effects: Vec<Effect>) -> Result<Vec<Effect>> {
        let bytes: usize = effects.iter().map(size_of_effect).sum();
        if self.pending_bytes + bytes > ENTRY_BYTES {
            self.append()?;
        }
        self.pending_bytes += bytes;
        Ok(effects)
    }

    fn append(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let commit = Commit {
            request_id: "fill".to_owned(),
            account: Some(self.account.id.clone()),
            principal: "fill".to_owned(),
            source: String::new(),
            retry: None,
            effects: std::mem::take(&mut self.pending),
        };
        self.pending_bytes = 0;
        let head = self.journal.head()?;
        let now = self.environment.now();
        self.journal.append(head, vec![commit], now)?;
        Ok(())
    }
}

/// SOA and NS of the apex replace those that creating the zone made; they are not two sets more.
fn is_apex(row: &Row, zone: &ZoneRows) -> bool {
    use meridian_dns::RecordType::{Ns, Soa};
    matches!(row.rtype, Ns | Soa) && row.name == zone.apex
}

fn batches(rows: &[Row]) -> Vec<Vec<DraftChange>> {
    let mut batches: Vec<Vec<DraftChange>> = Vec::new();
    let mut room = (0, 0);
    for row in rows {
        let characters: usize = row.values.iter().map(String::len).sum();
        if room.0 < row.values.len() || room.1 < characters {
            batches.push(Vec::new());
            room = (BATCH_CHANGES, BATCH_CHARACTERS);
        }
        room.0 = room.0.saturating_sub(row.values.len());
        room.1 = room.1.saturating_sub(characters);
        let batch = batches.last_mut().expect("the first row makes one");
        batch.push(DraftChange {
            action: Action::Upsert,
            set: row.draft(),
        });
    }
    batches
}

fn size_of_effect(effect: &Effect) -> usize {
    let texts = match effect {
        Effect::PutSet { set, .. } => {
            let values: usize = match &set.data {
                meridian_model::SetData::Records { values, .. } => {
                    values.iter().map(|value| value.len() + 4).sum()
                }
                meridian_model::SetData::Alias(_) => 512,
            };
            set.key.name.as_wire().len() + values
        }
        _ => 512,
    };
    EFFECT_BYTES + texts
}

fn sets_of(effects: &[Effect], name: &Name) -> Vec<RecordSet> {
    let sets = effects.iter().filter_map(|effect| match effect {
        Effect::PutSet { set, .. } if set.key.name == *name => Some(set.clone()),
        _ => None,
    });
    sets.collect()
}

fn apply(journal: &dyn Journal, tables: &Tables) -> Result<()> {
    loop {
        let entries = journal.read(tables.head().seq, APPLY_ENTRIES)?;
        if entries.is_empty() {
            return Ok(());
        }
        let before = tables.head().seq;
        tables.apply(&entries)?;
        ensure!(tables.head().seq > before, "the tables do not move on");
    }
}

fn write_credentials(directory: &Path, new: &NewKey) -> Result<()> {
    let (id, secret) = (new.key.id.as_str(), new.secret.0.as_str());
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(directory.join("credentials"))?;
    write!(
        file,
        "[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n"
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filled_directory_is_sound_and_can_be_filled_further() {
        let directory = tempfile::tempdir().unwrap();
        let address = "127.0.0.1".parse().unwrap();
        let mut filler = Filler::open(directory.path(), address).unwrap();
        for zone in [data::many(1), data::one(2000), data::cuts()] {
            filler.add(&zone).unwrap();
        }
        let counts = filler.finish().unwrap();
        assert_eq!((counts.zones, counts.sets), (3, 10 + 2003 + 3002));
        let mut filler = Filler::open(directory.path(), address).unwrap();
        filler.add(&data::many(2)).unwrap();
        let (journal, tables) = (Arc::clone(&filler.journal), Arc::clone(&filler.tables));
        filler.finish().unwrap();
        let report = meridian_log::verify(&*journal, Some(&tables)).unwrap();
        assert_eq!(report.head, tables.head());
        let snapshot = tables.read().unwrap();
        let zones = snapshot
            .zones_named(&Name::parse("one.test").unwrap())
            .unwrap();
        assert_eq!(snapshot.set_count(zones[0].generation).unwrap(), 2003);
    }
}
