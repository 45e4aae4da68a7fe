//! The file that says which id at the other end became which one here. It is written anew after
//! each zone, so that a command that ends early can be repeated.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

/// Old ids with new ones.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IdMap {
    pub(super) zones: BTreeMap<String, String>,
    pub(super) delegation_sets: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) health_checks: BTreeMap<String, String>,
    /// Old ids of zones whose aliases to other zones are not all there yet.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub(super) unfinished: BTreeSet<String>,
    #[serde(skip)]
    path: Option<PathBuf>,
}

impl IdMap {
    /// The map in a file, or an empty one if there is no such file yet.
    pub(super) fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Ok(Self::default());
        };
        let mut map = Self::default();
        if path.exists() {
            let shown = path.display();
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
            map = serde_json::from_str(&text).with_context(|| format!("{shown} is no id map"))?;
        }
        map.path = Some(path.to_owned());
        Ok(map)
    }

    /// Writes it to its file, if it has one: whole, or it stays as it was.
    pub(super) fn write(&self) -> Result<()> {
        let Some(path) = &self.path else {
            return Ok(());
        };
        replace(path, &format!("{}\n", serde_json::to_string_pretty(self)?))
    }
}

/// Puts a text in a file's place.
pub(super) fn replace(path: &Path, text: &str) -> Result<()> {
    let written = replace_by(path, |out| Ok(out.write_all(text.as_bytes())?));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Puts what is written in a file's place, once all of it is.
pub(super) fn replace_by(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let mut out = BufWriter::new(File::create(&partial)?);
    write(&mut out)?;
    out.flush()?;
    Ok(fs::rename(&partial, path)?)
}
