//! The file with the first access key, in the format of AWS credentials files.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use meridian_control::NewKey;

/// Where it is.
pub(crate) fn path(data_dir: &Path) -> PathBuf {
    data_dir.join("credentials")
}

/// Writes it for the owner's eyes only, replacing one that an interrupted first start left.
pub(crate) fn write(data_dir: &Path, new: &NewKey) -> Result<()> {
    let path = path(data_dir);
    let text = render(new.key.id.as_str(), &new.secret.0);
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("cannot write {}", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}

/// The profile `default` with this key.
pub(crate) fn render(id: &str, secret: &str) -> String {
    format!("[default]\naws_access_key_id = {id}\naws_secret_access_key = {secret}\n")
}
