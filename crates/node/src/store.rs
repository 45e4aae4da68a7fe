//! The files of a data directory: journal, tables, vault. Each is opened by itself, because the
//! tables alone are enough to answer.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, anyhow, bail, ensure};
use meridian_log::{Durability, Journal, LocalJournal, Options, RESTORING, Tables, Vault};
use meridian_model::Seq;

use crate::admin;
use crate::config::Config;

/// All three files, open. One process at a time can have them open.
pub(crate) struct Files {
    pub(crate) journal: Arc<LocalJournal>,
    pub(crate) tables: Arc<Tables>,
    pub(crate) vault: Arc<Vault>,
}

impl Files {
    /// Opens all of them.
    pub(crate) fn open(config: &Config) -> Result<Self> {
        let tables = open_tables(&config.data_dir, config.storage.cache_mib)?;
        Self::open_beside(tables, &config.data_dir)
    }

    /// Opens journal and vault beside tables that are open.
    pub(crate) fn open_beside(tables: Arc<Tables>, data_dir: &Path) -> Result<Self> {
        let journal = open_journal(data_dir)?;
        let vault = open_vault(data_dir, &*journal)?;
        Ok(Self {
            journal,
            tables,
            vault,
        })
    }

    /// Closes all of them. That they are closed when this returns is known from nobody else having
    /// them: with somebody who has, it is an error, and a file is closed when that one is done.
    pub(crate) fn close(self) -> Result<()> {
        let Self {
            journal,
            tables,
            vault,
        } = self;
        if let Err(error) = tables.flush() {
            tracing::warn!(%error, "the tables were not flushed, the journal is replayed: {error}");
        }
        // Each waits for the disk: all at the same time.
        let closed = thread::scope(|scope| {
            let journal = scope.spawn(|| Arc::into_inner(journal).map(drop));
            let tables = scope.spawn(|| Arc::into_inner(tables).map(drop));
            let vault = Arc::into_inner(vault).map(drop);
            let (journal, tables) = (journal.join().ok()?, tables.join().ok()?);
            journal.and(tables).and(vault)
        });
        closed.context("a file is still in use, or broke while it was closed")
    }
}

/// Makes the directory if there is none, and makes sure that no server is at work in it.
pub(crate) fn prepare(data_dir: &Path) -> Result<()> {
    if !data_dir.is_dir() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(data_dir)
            .with_context(|| format!("cannot make the data directory {}", data_dir.display()))?;
    }
    if admin::answers(data_dir) {
        bail!(
            "a server is running with the data directory {}; stop it, or name another one with \
             --data-dir",
            data_dir.display()
        );
    }
    ensure!(
        !data_dir.join(RESTORING).exists(),
        "a restore into {} did not end; empty the directory and restore again",
        data_dir.display()
    );
    Ok(())
}

/// Opens the tables, or makes empty ones.
pub(crate) fn open_tables(data_dir: &Path, cache_mib: usize) -> Result<Arc<Tables>> {
    let path = data_dir.join("tables.redb");
    let options = Options {
        // What is configured is bounded far below the end of numbers.
        cache_bytes: cache_mib.saturating_mul(1024 * 1024),
        durability: Durability::Batched,
    };
    let tables = open(&path, |path| Tables::open(path, options)).with_context(|| {
        format!(
            "the tables cannot be used; if {} is damaged, move it away: it is made again from the \
             journal",
            path.display()
        )
    })?;
    Ok(Arc::new(tables))
}

/// Opens the journal, or begins one.
pub(crate) fn open_journal(data_dir: &Path) -> Result<Arc<LocalJournal>> {
    let path = data_dir.join("journal.redb");
    let journal = open(&path, LocalJournal::open).context("the journal cannot be used")?;
    Ok(Arc::new(journal))
}

/// Opens the vault that belongs to the journal. Only an empty journal may begin one: a lost vault
/// is to be put back, not replaced.
fn open_vault(data_dir: &Path, journal: &dyn Journal) -> Result<Arc<Vault>> {
    let path = data_dir.join("vault.redb");
    ensure!(
        path.exists() || journal.head()?.seq == Seq(0),
        "{} is missing; put it back from the backup, together with vault.key",
        path.display()
    );
    let vault = open(&path, |_| Vault::open(data_dir)).context("the vault cannot be used")?;
    Ok(Arc::new(vault))
}

/// Opens a file for its owner alone. The storage panics at some damages; that is an error here.
fn open<T, E>(path: &Path, open: impl FnOnce(&Path) -> Result<T, E>) -> Result<T>
where
    E: std::error::Error + Send + Sync + 'static,
{
    let opened = panic::catch_unwind(AssertUnwindSafe(|| open(path)))
        .map_err(|_| anyhow!("{} is damaged", path.display()))??;
    fs::set_permissions(path, Permissions::from_mode(0o600))
        .with_context(|| format!("cannot keep {} to its owner", path.display()))?;
    Ok(opened)
}
