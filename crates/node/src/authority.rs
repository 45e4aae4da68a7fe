//! A certificate authority of one's own: its files below the data directory, and what is signed with
//! them. Nothing of it is read while the server runs but certificate and key, as anybody's are.
//!
//! Certificates are written and never read: what is needed again follows from the authority's key
//! (its name) or stands in a file of lines (the names it vouches for).

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail, ensure};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use meridian_dns::Name;
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, SerialNumber, date_time_ymd,
};
use ring::rand::{SecureRandom, SystemRandom};

/// How long the authority itself is good for.
const AUTHORITY_YEARS: i32 = 10;
/// How long a certificate is: the longest that browsers accept.
const CERTIFICATE_DAYS: i32 = 397;
/// The most names in one certificate.
const NAMES_MAX: usize = 100;

/// What clients reach the server by.
const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The folder of an authority.
#[derive(Debug)]
pub(crate) struct Authority {
    folder: PathBuf,
}

/// What there is now.
#[derive(Debug, serde::Serialize)]
pub(crate) struct Made {
    /// The authority's certificate, which clients are given.
    pub(crate) authority: PathBuf,
    /// The server's certificate.
    pub(crate) certificate: PathBuf,
    /// Its key.
    pub(crate) key: PathBuf,
    /// What the certificate is good for.
    pub(crate) names: Vec<String>,
    /// The last day.
    pub(crate) until: String,
}

/// Host names and addresses for a certificate, each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hosts(Vec<String>);

/// Whether an authority that is there may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

impl Hosts {
    /// These, and what this machine calls itself.
    pub(crate) fn new(names: &[String], addresses: &[IpAddr]) -> Result<Self> {
        let addresses = addresses.iter().map(IpAddr::to_string);
        let local = LOCAL.map(str::to_owned);
        Self::read(names.iter().cloned().chain(addresses).chain(local))
    }

    fn read(texts: impl Iterator<Item = String>) -> Result<Self> {
        let mut hosts: Vec<String> = Vec::new();
        for text in texts {
            let host = host(&text)?;
            if !hosts.contains(&host) {
                hosts.push(host);
            }
        }
        ensure!(
            (1..=NAMES_MAX).contains(&hosts.len()),
            "a certificate has 1 to {NAMES_MAX} names, not {}",
            hosts.len()
        );
        Ok(Self(hosts))
    }
}

/// A host as certificates spell it: an address, or a name in lower case without a dot at the end,
/// whose first label may be `*`.
fn host(text: &str) -> Result<String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(address.to_string());
    }
    let name = text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase();
    let plain = name.strip_prefix("*.").unwrap_or(&name);
    let spelled = plain
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    if plain.is_empty() || !spelled || Name::parse(plain).is_err() {
        bail!(
            "'{text}' is no host name: write dns.example.net, *.example.net or an address; names in \
             other scripts in their xn-- form"
        );
    }
    Ok(name)
}

impl Authority {
    /// That of a data directory, whether it is there or not.
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self {
            folder: data_dir.join("tls"),
        }
    }

    /// Makes a new authority and a certificate for these hosts.
    pub(crate) fn init(&self, hosts: &Hosts, existing: Existing) -> Result<Made> {
        let files = [
            self.authority(),
            self.authority_key(),
            self.certificate(),
            self.key(),
        ];
        let there = files.iter().find(|path| path.exists());
        if let (Some(path), Existing::Keep) = (there, existing) {
            bail!(
                "{} is there already, and clients may trust it: `meridian tls renew` makes a new \
                 certificate of the same authority, --force replaces everything",
                path.display()
            );
        }
        self.prepare()?;
        let (key, today) = (KeyPair::generate()?, today());
        let mut params = params_of_authority(&key)?;
        let end = today.checked_add(AUTHORITY_YEARS.years())?;
        limit(&mut params, today.yesterday()?, end)?;
        let certificate = params.self_signed(&key)?;
        self.write(&self.authority_key(), &key.serialize_pem(), 0o600)?;
        let server_key = KeyPair::generate()?;
        self.write(&self.key(), &server_key.serialize_pem(), 0o600)?;
        self.write(&self.authority(), &certificate.pem(), 0o644)?;
        self.issue(&key, &server_key, hosts)
    }

    /// Makes a new certificate for the key there is, so that one file alone is replaced; for these
    /// hosts, or for those of the one before.
    pub(crate) fn renew(&self, hosts: Option<Hosts>) -> Result<Made> {
        let hosts = match hosts {
            Some(hosts) => hosts,
            None => {
                let lines = read(&self.hosts())?;
                Hosts::read(lines.lines().map(str::to_owned))
                    .with_context(|| format!("{} is not as it was", self.hosts().display()))?
            }
        };
        let (key, server_key) = (key_of(&self.authority_key())?, key_of(&self.key())?);
        self.issue(&key, &server_key, &hosts)
    }

    fn issue(&self, authority: &KeyPair, key: &KeyPair, hosts: &Hosts) -> Result<Made> {
        let today = today();
        let until = today.checked_add(CERTIFICATE_DAYS.days())?;
        let mut params = CertificateParams::new(hosts.0.clone())?;
        // For clients whose clocks are behind, from yesterday on.
        limit(&mut params, today.yesterday()?, until)?;
        params.distinguished_name = named("Meridian");
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        // Two certificates of an authority must not have the same one, and what is made of the key
        // would be, as the key stays.
        params.serial_number = Some(serial_number()?);
        let of_authority = params_of_authority(authority)?;
        let certificate = params.signed_by(key, &Issuer::from_params(&of_authority, authority))?;
        self.write(&self.hosts(), &(hosts.0.join("\n") + "\n"), 0o644)?;
        self.write(&self.certificate(), &certificate.pem(), 0o644)?;
        let absolute = |path: PathBuf| fs::canonicalize(&path).unwrap_or(path);
        Ok(Made {
            authority: absolute(self.authority()),
            certificate: absolute(self.certificate()),
            key: absolute(self.key()),
            names: hosts.0.clone(),
            until: until.yesterday()?.to_string(),
        })
    }

    fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// The key that everything hangs on.
    fn authority_key(&self) -> PathBuf {
        self.folder.join("ca-key.pem")
    }

    fn certificate(&self) -> PathBuf {
        self.folder.join("server.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.join("server-key.pem")
    }

    /// What the certificate is for, one to a line.
    fn hosts(&self) -> PathBuf {
        self.folder.join("names")
    }

    fn prepare(&self) -> Result<()> {
        let mut maker = DirBuilder::new();
        maker.recursive(true).mode(0o700);
        let made = maker
            .create(&self.folder)
            .and_then(|()| self.give_away(&self.folder));
        made.with_context(|| format!("cannot make the folder {}", self.folder.display()))
    }

    /// Puts a whole file in the place of the one that may be there.
    fn write(&self, path: &Path, text: &str, mode: u32) -> Result<()> {
        let new = path.with_extension("new");
        let write = || {
            // One that was left half-way may have other rights.
            let _ = fs::remove_file(&new);
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(mode).open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            self.give_away(&new)?;
            fs::rename(&new, path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }

    /// To whoever has the data directory: the server must be able to read what root made for it.
    fn give_away(&self, path: &Path) -> std::io::Result<()> {
        let owner = fs::metadata(self.folder.parent().unwrap_or_else(|| Path::new(".")))?;
        let now = fs::metadata(path)?;
        if (owner.uid(), owner.gid()) == (now.uid(), now.gid()) {
            return Ok(());
        }
        chown(path, Some(owner.uid()), Some(owner.gid()))
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| {
        format!(
            "cannot read {}; `meridian tls init` makes an authority",
            path.display()
        )
    })
}

fn key_of(path: &Path) -> Result<KeyPair> {
    KeyPair::from_pem(&read(path)?).map_err(|error| {
        anyhow!(
            "{} is no private key that can be used: {error}",
            path.display()
        )
    })
}

/// What an authority with this key is called, so that two of them never have the same name.
fn params_of_authority(key: &KeyPair) -> Result<CertificateParams> {
    let mut params = CertificateParams::default();
    let id = params.key_identifier(key);
    let id: String = id
        .iter()
        .take(4)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    params.distinguished_name = named(&format!("Meridian authority {id}"));
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params.serial_number = Some(serial_number()?);
    Ok(params)
}

fn named(name: &str) -> DistinguishedName {
    let mut named = DistinguishedName::new();
    named.push(DnType::CommonName, name);
    named
}

fn serial_number() -> Result<SerialNumber> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| anyhow!("the system has no random numbers"))?;
    // Positive, and as long as it says (RFC 5280, section 4.1.2.2).
    bytes[0] = bytes[0] & 0x7f | 0x40;
    Ok(SerialNumber::from_slice(&bytes))
}

fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}

/// Good from one day's beginning to another's.
fn limit(params: &mut CertificateParams, from: Date, until: Date) -> Result<()> {
    let fields = |date: Date| -> Result<(i32, u8, u8)> {
        let (month, day) = (u8::try_from(date.month())?, u8::try_from(date.day())?);
        Ok((date.year().into(), month, day))
    };
    let ((year, month, day), (last_year, last_month, last_day)) = (fields(from)?, fields(until)?);
    params.not_before = date_time_ymd(year, month, day);
    params.not_after = date_time_ymd(last_year, last_month, last_day);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    use meridian_server::Certificate;

    fn hosts(names: &[&str]) -> Result<Hosts> {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        Hosts::new(&names, &["192.0.2.1".parse().unwrap()])
    }

    #[test]
    fn hosts_are_names_and_addresses_once() {
        let Hosts(found) = hosts(&["DNS.example.net.", "*.example.net", "localhost"]).unwrap();
        let expected = [
            "dns.example.net",
            "*.example.net",
            "localhost",
            "192.0.2.1",
            "127.0.0.1",
            "::1",
        ];
        assert_eq!(found, expected);
        for wrong in [
            "",
            ".",
            "*",
            "a..b",
            "a b",
            "bücher.example",
            "https://a",
            "a.*.b",
            &"a".repeat(64),
        ] {
            let error = hosts(&[wrong]).unwrap_err().to_string();
            assert!(error.contains("no host name"), "{wrong}: {error}");
        }
        let many: Vec<String> = (0..200).map(|n| format!("n{n}")).collect();
        assert!(Hosts::new(&many, &[]).is_err());
    }

    #[test]
    fn an_authority_is_made_once_and_its_certificates_renewed() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::of(folder.path());
        assert!(format!("{:#}", authority.renew(None).unwrap_err()).contains("tls init"));
        let hosts = hosts(&["a.example"]).unwrap();
        let made = authority.init(&hosts, Existing::Keep).unwrap();
        let read = |path: &Path| fs::read(path).unwrap();
        let (certificate, key) = (read(&made.certificate), read(&made.key));
        Certificate::from_pem(&certificate, &key).unwrap();
        for (path, mode) in [
            (authority.authority_key(), 0o600),
            (authority.key(), 0o600),
            (authority.folder.clone(), 0o700),
        ] {
            let now = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
            assert_eq!(now, mode, "{}", path.display());
        }

        let error = authority
            .init(&hosts, Existing::Keep)
            .unwrap_err()
            .to_string();
        assert!(error.contains("ca.pem is there already"), "{error}");
        assert_eq!(read(&made.certificate), certificate);

        let ca = read(&made.authority);
        let renewed = authority.renew(None).unwrap();
        assert_eq!(renewed.names, made.names);
        assert_ne!(read(&made.certificate), certificate);
        Certificate::from_pem(&read(&made.certificate), &key).unwrap();
        assert_eq!(
            (read(&made.authority), read(&made.key)),
            (ca.clone(), key.clone())
        );

        authority.init(&hosts, Existing::Replace).unwrap();
        assert_ne!(read(&made.authority), ca);
        assert_ne!(read(&made.key), key);
    }
}
