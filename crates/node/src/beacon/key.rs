//! Secrets of this machine that nobody needs to know: made when they are first asked for, kept for
//! the owner's eyes only.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use meridian_control::{Environment, SystemEnvironment};

use crate::whole_file;

/// Bytes of a secret.
pub(super) const LEN: usize = 32;

/// The secret in this file, which is made if it is not there.
pub(super) fn read_or_make(path: &Path) -> Result<[u8; LEN]> {
    let shown = path.display();
    match fs::read(path) {
        Ok(bytes) => {
            let key = <[u8; LEN]>::try_from(bytes.as_slice());
            ensure!(
                key.is_ok(),
                "{shown} has {} bytes instead of {LEN}: delete it, and another one is made",
                bytes.len()
            );
            Ok(key?)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let key = SystemEnvironment::new().entropy();
            whole_file::replace(path, &key)?;
            Ok(key)
        }
        Err(error) => Err(error).with_context(|| format!("cannot read {shown}")),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_made_once_and_is_nobody_elses() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("beacon.key");
        let key = read_or_make(&path).unwrap();
        assert_eq!(read_or_make(&path).unwrap(), key);
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = read_or_make(&folder.path().join("other.key")).unwrap();
        assert_ne!(other, key);
        fs::write(&path, b"short").unwrap();
        let error = read_or_make(&path).unwrap_err().to_string();
        assert!(error.contains("5 bytes instead of 32"), "{error}");
    }
}
