//! The files of a data directory: journal, tables, vault.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use meridian_log::{Durability, Journal, LocalJournal, Options, Tables, Vault};

use crate::admin;

/// All of them, open. A second process that tries is refused.
pub(crate) struct Store {
    pub(crate) journal: Arc<dyn Journal>,
    pub(crate) tables: Arc<Tables>,
    pub(crate) vault: Arc<Vault>,
}

impl Store {
    /// Opens the files, and makes them where there are none.
    pub(crate) fn open(data_dir: &Path, cache_mib: usize) -> Result<Self> {
        make_directory(data_dir)?;
        if admin::answers(data_dir) {
            bail!(
                "a server is running with the data directory {}; stop it, or name another one \
                 with --data-dir",
                data_dir.display()
            );
        }
        let options = Options {
            cache_bytes: cache_mib * 1024 * 1024,
            durability: Durability::Batched,
        };
        Ok(Self {
            journal: Arc::new(LocalJournal::open(&data_dir.join("journal.redb"))?),
            tables: Arc::new(Tables::open(&data_dir.join("tables.redb"), options)?),
            vault: Arc::new(Vault::open(data_dir)?),
        })
    }
}

fn make_directory(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the data directory {}", path.display()))
}
