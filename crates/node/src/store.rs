//! The files of a data directory: journal, tables, vault.

use std::fs::{self, DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
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
        let store = Self {
            journal: Arc::new(LocalJournal::open(&data_dir.join("journal.redb"))?),
            tables: Arc::new(open_tables(data_dir, options)?),
            vault: Arc::new(Vault::open(data_dir)?),
        };
        for file in ["journal.redb", "tables.redb", "vault.redb"] {
            fs::set_permissions(data_dir.join(file), Permissions::from_mode(0o600))?;
        }
        Ok(store)
    }
}

fn open_tables(data_dir: &Path, options: Options) -> Result<Tables> {
    let path = data_dir.join("tables.redb");
    Tables::open(&path, options).with_context(|| {
        format!(
            "the tables cannot be used; if {} is damaged, move it away: it is made again from the \
             journal",
            path.display()
        )
    })
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
