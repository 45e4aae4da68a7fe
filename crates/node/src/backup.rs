//! Backups as files: writing one beside a running server, checking and restoring one without.
//!
//! What is in a backup, and what makes it whole, is `meridian_log`'s business.

mod file;
mod progress;

use std::env;
use std::fs::{self, DirBuilder};
use std::io::Write;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use meridian_control::{Environment, SystemEnvironment};
use meridian_log::{
    Checked, Commit, RESTORING, Restoration, Restored, Secret, check_backup, read_key_file,
};
use meridian_model::Timestamp;
use serde_json::{Value, json};

use crate::store;
use crate::terminal::{self, Form};

pub(crate) use file::{Unfinished, place};
use progress::Input;

/// Checks a backup: checksums, chain, and that a replay leads to the tables that there were.
pub(crate) fn verify(path: &Path, scratch: Option<&Path>, form: Form) -> Result<()> {
    let input = Input::open(path, form)?;
    let scratch = Scratch::new(scratch)?;
    let mut progress = input.progress("checking");
    let checked = check_backup(input, &scratch.0, &mut |_| progress.draw());
    progress.clear();
    let checked = checked.with_context(|| path.display().to_string())?;
    let mut result = shown(&checked);
    result["valid"] = true.into();
    match form {
        Form::Json => print(&format!("{result:#}")),
        Form::Text => print(&format!(
            "the backup is whole: entries 1 to {} of epoch {}, {} secrets, made {} by version {}\n{}",
            checked.entries,
            checked.opening.head.epoch,
            checked.secrets,
            time(checked.opening.time),
            checked.opening.version,
            about_key(&checked),
        )),
    }
}

/// Makes a data directory of a backup.
pub(crate) fn restore(path: &Path, data_dir: &Path, key: Option<&Path>, form: Form) -> Result<()> {
    let input = Input::open(path, form)?;
    let key = key.map(read_key_file).transpose()?;
    store::prepare(data_dir)?;
    check_empty(data_dir)?;
    let restored = fill(input, path, data_dir, key);
    if restored.is_err() {
        clear(data_dir);
    }
    let restored = restored.with_context(|| path.display().to_string())?;
    let id = restored.backup.opening.vault_key;
    let shown_dir = data_dir.display();
    match form {
        Form::Json => {
            let result = json!({
                "data_dir": data_dir,
                "backup": shown(&restored.backup),
                "epoch": restored.head.epoch,
                "head": restored.head.seq.0,
                "vault_key_in_place": restored.has_key,
            });
            print(&format!("{result:#}"))
        }
        Form::Text => {
            let told = format!(
                "restored entries 1 to {} into {shown_dir}; entry {} begins epoch {}",
                restored.backup.entries, restored.head.seq, restored.head.epoch
            );
            let key = if restored.has_key {
                "the vault's key is in its place".to_owned()
            } else {
                format!(
                    "before the server is started put the vault's key, {id}, into \
                     {shown_dir}/vault.key (mode 0600); without it no access key can be used"
                )
            };
            print(&format!("{told}\n{key}"))
        }
    }
}

fn fill(input: Input, path: &Path, data_dir: &Path, key: Option<Secret>) -> Result<Restored> {
    let mut progress = input.progress("restoring");
    let restoration = Restoration {
        directory: data_dir,
        key,
        commit: Commit {
            request_id: "restore".to_owned(),
            account: None,
            principal: "operator by meridian restore".to_owned(),
            source: path.display().to_string(),
            retry: None,
            effects: Vec::new(),
        },
        time: SystemEnvironment::new().now(),
    };
    let restored = meridian_log::restore(input, restoration, &mut |_| progress.draw());
    progress.clear();
    Ok(restored?)
}

/// What a backup says of itself.
pub(crate) fn shown(checked: &Checked) -> Value {
    let opening = &checked.opening;
    json!({
        "time": time(opening.time),
        "version": opening.version,
        "epoch": opening.head.epoch,
        "head": opening.head.seq.0,
        "hash": opening.head.hash.to_string(),
        "level": opening.level,
        "digest": opening.digest.to_string(),
        "entries": checked.entries,
        "secrets": checked.secrets,
        "vault_key": opening.vault_key.to_string(),
        "with_key": opening.with_key,
    })
}

fn about_key(checked: &Checked) -> String {
    let id = checked.opening.vault_key;
    if checked.opening.with_key {
        format!("the vault's key, {id}, is in it: whoever has the file has all secrets")
    } else {
        format!("its secrets need the vault's key {id}, which is not in it")
    }
}

/// A time as people write it.
pub(crate) fn time(at: Timestamp) -> String {
    let known = jiff::Timestamp::from_millisecond(at.0);
    known.map_or_else(|_| "-".to_owned(), |at| at.to_string())
}

fn check_empty(data_dir: &Path) -> Result<()> {
    let found = fs::read_dir(data_dir)?.next().transpose()?;
    if let Some(found) = found {
        bail!(
            "{} is not empty: there is {}; a backup is restored into an empty directory",
            data_dir.display(),
            found.file_name().display()
        );
    }
    Ok(())
}

/// Takes away what a failed restore left, unless it had begun to put files into their places.
fn clear(data_dir: &Path) {
    let alone = fs::read_dir(data_dir).is_ok_and(|found| found.count() == 1);
    if alone {
        let _ = fs::remove_dir_all(data_dir.join(RESTORING));
    }
}

fn print(text: &str) -> Result<()> {
    writeln!(terminal::out(), "{text}")?;
    Ok(())
}

/// A directory for the time of a check.
struct Scratch(PathBuf);

impl Scratch {
    fn new(within: Option<&Path>) -> Result<Self> {
        let within = within.map_or_else(env::temp_dir, Path::to_owned);
        ensure!(within.is_dir(), "{} is no directory", within.display());
        let path = within.join(format!("meridian-verify-{}", std::process::id()));
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make {} to replay into", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
