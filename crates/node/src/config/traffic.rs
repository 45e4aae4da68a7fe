//! Settings of what is done with DNS traffic beside answering it: limiting replies, logging.

use std::fs;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use anyhow::{Result, anyhow, bail, ensure};
use meridian_server::Prefix;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::taps::Output;

/// More than a thread writes.
const MAX_PER_SECOND: u32 = 1_000_000;
/// What a batch of the longest lines needs: a shorter file would never be written to.
const MIN_FILE_BYTES: u64 = 2 * 1024 * 1024;

/// How many replies a network gets over UDP.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RateLimit {
    /// Replies of each class to each network; 0 is no limit.
    pub(crate) responses_per_second: u32,
    /// Every this many replies that are held back, one goes out with TC=1; 0 is never.
    pub(crate) slip: u8,
    /// The length of an IPv4 network.
    pub(crate) ipv4_prefix: u8,
    /// The length of an IPv6 network.
    pub(crate) ipv6_prefix: u8,
    /// Networks and addresses without a limit.
    #[serde(deserialize_with = "prefixes")]
    pub(crate) exempt: Vec<Prefix>,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            responses_per_second: 0,
            slip: 2,
            ipv4_prefix: 24,
            ipv6_prefix: 56,
            exempt: Vec::new(),
        }
    }
}

impl RateLimit {
    /// Whether it can be as it is configured, switched on or not.
    pub(super) fn check(&self) -> Result<()> {
        let off = self.responses_per_second == 0;
        let limit = Self {
            responses_per_second: if off { 1 } else { self.responses_per_second },
            ..self.clone()
        };
        let checked = limit.server().map_or(Ok(()), |limit| limit.check());
        checked.map_err(|error| anyhow!("dns.rate_limit: {error}"))
    }

    /// What the server is told; none if there is no limit.
    pub(crate) fn server(&self) -> Option<meridian_server::RateLimit> {
        (self.responses_per_second > 0).then(|| meridian_server::RateLimit {
            responses_per_second: self.responses_per_second,
            slip: self.slip,
            ipv4_prefix: self.ipv4_prefix,
            ipv6_prefix: self.ipv6_prefix,
            exempt: self.exempt.clone(),
        })
    }
}

/// Networks as they are written.
pub(super) fn prefixes<'de, D>(deserializer: D) -> Result<Vec<Prefix>, D::Error>
where
    D: Deserializer<'de>,
{
    let texts = Vec::<String>::deserialize(deserializer)?;
    let prefixes = texts
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom));
    prefixes.collect()
}

/// Whether everybody can ask this address. 0.0.0.0 and `[::]` may be anything, so they count.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}

/// A line for each answered query.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct QueryLog {
    /// The file; without one there is no log.
    pub(crate) path: Option<PathBuf>,
    /// One of this many queries is logged.
    pub(crate) sample: u32,
    /// The most lines in a second.
    pub(crate) max_per_second: u32,
    /// Where this server is: the field that Route 53 fills with its edge location.
    pub(crate) location: String,
}

impl Default for QueryLog {
    fn default() -> Self {
        Self {
            path: None,
            sample: 1,
            max_per_second: 1000,
            location: "-".to_owned(),
        }
    }
}

/// A file of lines for each zone whose owner asks for them through the API.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ZoneQueryLogs {
    /// Whether owners may ask, and whether those that have asked get any.
    pub(crate) enabled: bool,
    /// Where the files are; absent, in the data directory.
    directory: Option<PathBuf>,
    /// The most lines in a second, of all zones.
    pub(crate) max_per_second: u32,
    /// As long as a file may become.
    pub(crate) max_file_bytes: u64,
}

impl Default for ZoneQueryLogs {
    fn default() -> Self {
        Self {
            enabled: true,
            directory: None,
            max_per_second: 1000,
            max_file_bytes: 1 << 30,
        }
    }
}

impl ZoneQueryLogs {
    /// Where the files are.
    pub(crate) fn directory(&self, data_dir: &Path) -> PathBuf {
        let own = self.directory.clone();
        own.unwrap_or_else(|| data_dir.join("query-logs"))
    }

    /// Whether it can be as it is configured, as far as that shows without trying.
    pub(super) fn check(&self, data_dir: &Path) -> Result<()> {
        let max_per_second = self.max_per_second;
        ensure!(
            (1..=MAX_PER_SECOND).contains(&max_per_second),
            "dns.zone_query_logs.max_per_second is {max_per_second}; use 1 to {MAX_PER_SECOND}"
        );
        ensure!(
            self.max_file_bytes >= MIN_FILE_BYTES,
            "dns.zone_query_logs.max_file_bytes is {}; use {MIN_FILE_BYTES} or more",
            self.max_file_bytes
        );
        let directory = self.directory(data_dir);
        ensure!(
            !directory.as_os_str().is_empty() && (!directory.exists() || directory.is_dir()),
            "dns.zone_query_logs.directory is '{}', which is no directory",
            directory.display()
        );
        Ok(())
    }
}

/// Queries and responses as dnstap messages.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Dnstap {
    /// A file for them.
    pub(crate) path: Option<PathBuf>,
    /// A socket that somebody else listens on.
    pub(crate) socket: Option<PathBuf>,
    /// One of this many queries is copied.
    pub(crate) sample: u32,
    /// The most queries in a second.
    pub(crate) max_per_second: u32,
}

impl Default for Dnstap {
    fn default() -> Self {
        Self {
            path: None,
            socket: None,
            sample: 1,
            max_per_second: 1000,
        }
    }
}

impl Dnstap {
    /// Where the messages go, if anywhere.
    pub(crate) fn output(&self) -> Option<Output> {
        let socket = self.socket.clone().map(Output::Socket);
        socket.or_else(|| self.path.clone().map(Output::File))
    }
}

/// Whether logs can be as they are configured.
pub(crate) fn check_logs(query_log: &QueryLog, dnstap: &Dnstap, data_dir: &Path) -> Result<()> {
    for (name, sample, max_per_second) in [
        ("query_log", query_log.sample, query_log.max_per_second),
        ("dnstap", dnstap.sample, dnstap.max_per_second),
    ] {
        ensure!(
            sample > 0,
            "dns.{name}.sample is 0; 1 is every query, 100 one of a hundred"
        );
        ensure!(
            (1..=MAX_PER_SECOND).contains(&max_per_second),
            "dns.{name}.max_per_second is {max_per_second}; use 1 to {MAX_PER_SECOND}"
        );
    }
    let location = &query_log.location;
    ensure!(
        !location.is_empty() && location.chars().all(|c| c.is_ascii_graphic()),
        "dns.query_log.location is '{location}'; it is one field of a line: use letters and \
         digits, or '-'"
    );
    ensure!(
        dnstap.path.is_none() || dnstap.socket.is_none(),
        "dns.dnstap has a path and a socket; use one of them"
    );
    for (key, path) in [
        ("query_log.path", &query_log.path),
        ("dnstap.path", &dnstap.path),
        ("dnstap.socket", &dnstap.socket),
    ] {
        if let Some(path) = path {
            check_place(key, path, data_dir)?;
        }
    }
    if let (Some(lines), Some(frames)) = (&query_log.path, &dnstap.path) {
        ensure!(
            !is_same_file(lines, frames),
            "dns.query_log and dns.dnstap both write to {}; give each a file of its own",
            frames.display()
        );
    }
    Ok(())
}

/// Whether a file can be there, as far as that shows without making it. The data directory is made
/// before the logs are.
fn check_place(key: &str, path: &Path, data_dir: &Path) -> Result<()> {
    ensure!(
        !path.as_os_str().is_empty(),
        "dns.{key} is empty; name a file, or leave it out"
    );
    ensure!(
        !path.is_dir(),
        "dns.{key} is {}, which is a directory; name a file in it",
        path.display()
    );
    let folder = folder(path);
    let plain = |path: &Path| path.strip_prefix(".").unwrap_or(path).to_owned();
    if !folder.is_dir() && plain(folder) != plain(data_dir) {
        bail!(
            "dns.{key} is {}, but there is no directory {}; make it first",
            path.display(),
            folder.display()
        );
    }
    Ok(())
}

/// Where a file is or would be. A name alone is here.
fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether two paths lead to one file, which need not exist yet.
fn is_same_file(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| {
        let whole = fs::canonicalize(path).ok();
        whole.or_else(|| Some(fs::canonicalize(folder(path)).ok()?.join(path.file_name()?)))
    };
    one == other || place(one).is_some_and(|found| place(other) == Some(found))
}
