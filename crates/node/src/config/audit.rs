//! Settings of the audit log.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::audit;

/// `[audit]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Audit {
    /// Where it is; absent, `audit.log` in the data directory.
    pub(crate) file: Option<PathBuf>,
    /// Whether calls that only read, and were carried out, are written down too.
    pub(crate) reads: bool,
}

impl Default for Audit {
    fn default() -> Self {
        Self {
            file: None,
            reads: true,
        }
    }
}

impl Audit {
    /// Where it is.
    pub(crate) fn path(&self, data_dir: &Path) -> PathBuf {
        let default = || audit::default_path(data_dir);
        self.file.clone().unwrap_or_else(default)
    }

    /// Whether a file can be there, as far as that shows without making it.
    pub(super) fn check(&self) -> Result<()> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        ensure!(
            !file.as_os_str().is_empty(),
            "audit.file is empty; name a file, or leave it out"
        );
        ensure!(
            !file.is_dir(),
            "audit.file is {}, which is a directory; name a file in it",
            file.display()
        );
        Ok(())
    }
}
