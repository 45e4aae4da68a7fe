//! What this server tells about itself, and the files with the secrets of its cookies. What is done
//! with them is `answer`'s.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use meridian_answer::{CookieSecret, CookieSecrets, Identity};
use meridian_control::{Environment, SystemEnvironment};

use crate::config::{Config, Dns};

/// The longest text that is told, in bytes.
const MAX_TOLD: usize = 255;
/// The secret in the data directory.
const SECRET_FILE: &str = "cookie-secret";
/// Where Linux has the name of the machine.
const HOST_NAME: &str = "/proc/sys/kernel/hostname";

/// Whether it can be told.
pub(crate) fn check(dns: &Dns) -> Result<()> {
    for (key, text) in [("server_id", &dns.server_id), ("version", &dns.version)] {
        let len = text.as_ref().map_or(0, String::len);
        ensure!(
            len <= MAX_TOLD,
            "dns.{key} has {len} bytes, the most that can be told is {MAX_TOLD}"
        );
        let told = text.as_deref().unwrap_or_default();
        ensure!(
            !told.contains(char::is_control),
            "dns.{key} has control characters, which would not show: {told:?}"
        );
    }
    shared_secret(dns)?;
    accepted_secret(dns)?;
    Ok(())
}

/// Reads the secrets, or makes one at the first start.
pub(crate) fn load(config: &Config) -> Result<Identity> {
    let dns = &config.dns;
    let current = match shared_secret(dns)? {
        Some(secret) => secret,
        None => own_secret(&config.data_dir)?,
    };
    let version = || concat!("meridian ", env!("CARGO_PKG_VERSION")).to_owned();
    Ok(Identity {
        server: server(dns),
        version: dns.version.clone().unwrap_or_else(version),
        cookie_secrets: CookieSecrets {
            current,
            accepted: accepted_secret(dns)?,
        },
    })
}

/// The one that cookies are made with where machines share one.
fn shared_secret(dns: &Dns) -> Result<Option<CookieSecret>> {
    named_secret("cookie_secret_file", dns.cookie_secret_file.as_deref())
}

/// The other one, while they go over from one to the next.
fn accepted_secret(dns: &Dns) -> Result<Option<CookieSecret>> {
    let path = dns.cookie_secret_accepted_file.as_deref();
    named_secret("cookie_secret_accepted_file", path)
}

fn named_secret(key: &str, path: Option<&Path>) -> Result<Option<CookieSecret>> {
    let read = path.map(read_secret).transpose();
    read.map_err(|error| anyhow!("dns.{key} cannot be used: {error:#}"))
}

/// Which server this is, as it tells.
pub(crate) fn server(dns: &Dns) -> String {
    dns.server_id.clone().unwrap_or_else(host_name)
}

/// Empty, so not told, where the system does not say.
fn host_name() -> String {
    let name = fs::read_to_string(HOST_NAME).unwrap_or_default();
    name.trim().to_owned()
}

fn own_secret(data_dir: &Path) -> Result<CookieSecret> {
    let path = data_dir.join(SECRET_FILE);
    if !path.exists() {
        let entropy = SystemEnvironment::new().entropy();
        let hex: String = entropy[..16].iter().map(|b| format!("{b:02x}")).collect();
        write_secret(&path, &hex).with_context(|| format!("cannot write {}", path.display()))?;
    }
    read_secret(&path)
        .context("the cookie secret cannot be used; moved away, it is replaced by a new one")
}

/// The file is there whole or not at all.
fn write_secret(path: &Path, hex: &str) -> Result<()> {
    let half_done = path.with_extension("new");
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&half_done)?;
    writeln!(file, "{hex}")?;
    file.sync_all()?;
    fs::rename(&half_done, path)?;
    Ok(())
}

/// Whoever knows the secret can pass for any client, so it must not be everybody's to read.
fn read_secret(path: &Path) -> Result<CookieSecret> {
    let shown = path.display();
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            bail!("{shown} does not exist; `openssl rand -hex 16` makes what belongs in it")
        }
        read => read.with_context(|| format!("cannot read {shown}"))?,
    };
    let mode = fs::metadata(path)?.permissions().mode();
    ensure!(
        mode & 0o007 == 0,
        "{shown} can be read or written by everybody; `chmod 600 {shown}`"
    );
    let digits = text.trim();
    ensure!(
        digits.len() == 32 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()),
        "{shown} must hold 32 hexadecimal digits and nothing else"
    );
    let secret = u128::from_str_radix(digits, 16)?;
    Ok(CookieSecret(secret.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn a_secret_is_made_once_and_kept_to_the_owner() {
        let folder = tempfile::tempdir().unwrap();
        let first = own_secret(folder.path()).unwrap();
        assert_eq!(mode(&folder.path().join(SECRET_FILE)), 0o600);
        assert_eq!(own_secret(folder.path()).unwrap(), first);
        let elsewhere = tempfile::tempdir().unwrap();
        assert_ne!(own_secret(elsewhere.path()).unwrap(), first);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_secret_file_is_32_digits_and_not_everybodys() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shared");
        let read = |text: &str, mode: u32| {
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            read_secret(&path).map_err(|error| format!("{error:#}"))
        };
        let missing = read_secret(&path).unwrap_err().to_string();
        assert!(missing.contains("does not exist"), "{missing}");
        let good = "000102030405060708090A0b0c0d0e0f\n";
        let secret = CookieSecret(std::array::from_fn(|i| u8::try_from(i).unwrap()));
        assert_eq!(read(good, 0o640), Ok(secret));
        assert!(read(good, 0o604).unwrap_err().contains("everybody"));
        for bad in [
            "",
            "00",
            &good[1..],
            "+00102030405060708090a0b0c0d0e0f",
            "zz",
        ] {
            let error = read(bad, 0o600).unwrap_err();
            assert!(error.contains("32 hexadecimal digits"), "{error}");
        }
    }

    #[test]
    fn what_is_told_by_default_and_by_choice() {
        let folder = tempfile::tempdir().unwrap();
        let load = |dns: &str| {
            let mut config: Config = toml::from_str(dns).unwrap();
            config.data_dir = folder.path().into();
            let identity = load(&config).unwrap();
            (identity.server, identity.version)
        };
        let version = concat!("meridian ", env!("CARGO_PKG_VERSION")).to_owned();
        assert_eq!(load(""), (host_name(), version));
        let chosen = load("[dns]\nserver_id = 'ams-1'\nversion = ''");
        assert_eq!(chosen, ("ams-1".to_owned(), String::new()));
    }
}
