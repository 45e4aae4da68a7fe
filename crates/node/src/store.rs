//! The files of a data directory: journal, tables, vault. Each is opened by itself, because the
//! tables alone are enough to answer.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail, ensure};
use meridian_log::{Durability, Journal, LocalJournal, Options, Tables, Vault};
use meridian_model::Seq;

use crate::admin;

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
    Ok(())
}

/// Opens the tables, or makes empty ones.
pub(crate) fn open_tables(data_dir: &Path, cache_mib: usize) -> Result<Arc<Tables>> {
    let path = data_dir.join("tables.redb");
    let options = Options {
        cache_bytes: cache_mib * 1024 * 1024,
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
pub(crate) fn open_journal(data_dir: &Path) -> Result<Arc<dyn Journal>> {
    let path = data_dir.join("journal.redb");
    let journal = open(&path, LocalJournal::open).context("the journal cannot be used")?;
    Ok(Arc::new(journal))
}

/// Opens the vault that belongs to the journal. Only an empty journal may begin one: a lost vault
/// is to be put back, not replaced.
pub(crate) fn open_vault(data_dir: &Path, journal: &dyn Journal) -> Result<Arc<Vault>> {
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
