//! What is true of this machine: paths and addresses. Whatever changes what is accepted, allocated
//! or answered is intent in the journal and has a command instead. What makes no sense is told in
//! `check`.

mod addresses;
mod alarm_shown;
mod alarms;
mod api;
mod audit;
mod beacon;
mod check;
mod geo;
mod health;
mod latency;
mod targets;
mod tls;
mod traffic;
mod webhooks;

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::iter;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use meridian_answer::Identity;
use meridian_control::QueryLogging;
use meridian_dns::Name;
use meridian_server::TcpLimits;
use serde::Deserialize;

use crate::admin::Listens;
use crate::views::Views;

pub(crate) use alarms::Alarm;
pub(crate) use api::{Api, ApiTls};
pub(crate) use audit::Audit;
pub(crate) use beacon::{Beacon, BeaconTls, Site, check_url, is_region};
pub(crate) use geo::Geo;
pub(crate) use health::Health;
pub(crate) use latency::Latency;
pub(crate) use targets::Targets;
pub(crate) use tls::Tls;
pub(crate) use traffic::{Dnstap, QueryLog, RateLimit, ZoneQueryLogs};
pub(crate) use webhooks::Webhook;

/// The file that is read when none is named.
const FILE: &str = "meridian.toml";
/// Where everything is kept unless said otherwise.
const DATA_DIR: &str = "./meridian-data";

/// The configuration file. Unknown keys are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Config {
    /// Everything this node keeps.
    pub(crate) data_dir: PathBuf,
    /// `[[alarms]]`
    pub(crate) alarms: Vec<Alarm>,
    /// `[dns]`
    pub(crate) dns: Dns,
    /// `[api]`
    pub(crate) api: Api,
    /// `[audit]`
    pub(crate) audit: Audit,
    /// `[beacon]`: without it nothing is measured here.
    pub(crate) beacon: Option<Beacon>,
    /// `[geo]`
    pub(crate) geo: Geo,
    /// `[health]`
    pub(crate) health: Health,
    /// `[latency]`
    pub(crate) latency: Latency,
    /// `[metrics]`
    pub(crate) metrics: Metrics,
    /// `[pool]`
    pub(crate) pool: Pool,
    /// `[storage]`
    pub(crate) storage: Storage,
    /// `[targets]`
    pub(crate) targets: Targets,
    /// `[[webhooks]]`
    pub(crate) webhooks: Vec<Webhook>,
}

/// Answering.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Dns {
    /// Each address is a view of its own: the zones whose name servers are there. 0.0.0.0 and
    /// `[::]` are all of them.
    pub(crate) listen: Vec<SocketAddr>,
    /// UDP threads for each address.
    pub(crate) workers: usize,
    /// Cores that UDP threads stay on; without them the system decides.
    pub(crate) cores: Option<Vec<usize>>,
    /// The longest UDP reply, 512 to 4096 bytes.
    pub(crate) max_udp_payload: u16,
    /// Which server this is, for whoever asks; absent, the name of the machine. Empty: not told.
    pub(crate) server_id: Option<String>,
    /// What runs here; absent, program and version. Empty: not told.
    pub(crate) version: Option<String>,
    /// The secret that cookies are made with, where several machines share one; absent, one of
    /// this machine's own in the data directory.
    pub(crate) cookie_secret_file: Option<PathBuf>,
    /// A second one, whose cookies are good too, while machines go over from one to another.
    pub(crate) cookie_secret_accepted_file: Option<PathBuf>,
    /// `[dns.rate_limit]`
    pub(crate) rate_limit: RateLimit,
    /// `[dns.tls]`: without it nothing is encrypted.
    pub(crate) tls: Option<Tls>,
    /// `[dns.query_log]`
    pub(crate) query_log: QueryLog,
    /// `[dns.zone_query_logs]`
    pub(crate) zone_query_logs: ZoneQueryLogs,
    /// `[dns.dnstap]`
    pub(crate) dnstap: Dnstap,
}

/// Health of the process.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Metrics {
    /// Where `/healthz`, `/readyz`, `/readyz/changes` and `/metrics` are.
    pub(crate) listen: SocketAddr,
    /// How many zones are shown by name, those that are asked most.
    pub(crate) top_zones: usize,
    /// How many health checks are shown by id, unhealthy ones first.
    pub(crate) top_health_checks: usize,
}

/// The first pool of name servers; afterwards there is `meridian nameserver`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Pool {
    /// The zone made at first start that names it: `ns-1` to `ns-4` below this.
    pub(crate) domain: String,
    /// Where its names are; without it, where `dns.listen` is.
    pub(crate) addresses: Option<Vec<IpAddr>>,
}

/// The files.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Storage {
    /// Memory for pages of the tables. Answers do not need it.
    pub(crate) cache_mib: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: DATA_DIR.into(),
            alarms: Vec::new(),
            dns: Dns::default(),
            api: Api::default(),
            audit: Audit::default(),
            beacon: None,
            geo: Geo::default(),
            health: Health::default(),
            latency: Latency::default(),
            metrics: Metrics::default(),
            pool: Pool::default(),
            storage: Storage::default(),
            targets: Targets::default(),
            webhooks: Vec::new(),
        }
    }
}

impl Default for Dns {
    fn default() -> Self {
        Self {
            listen: vec![loopback(5300)],
            workers: 1,
            cores: None,
            max_udp_payload: meridian_server::Config::MAX_UDP_PAYLOAD,
            server_id: None,
            version: None,
            cookie_secret_file: None,
            cookie_secret_accepted_file: None,
            rate_limit: RateLimit::default(),
            tls: None,
            query_log: QueryLog::default(),
            zone_query_logs: ZoneQueryLogs::default(),
            dnstap: Dnstap::default(),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            listen: loopback(5390),
            top_zones: 20,
            top_health_checks: 20,
        }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self {
            domain: "meridian.internal".to_owned(),
            addresses: None,
        }
    }
}

impl Default for Storage {
    fn default() -> Self {
        Self { cache_mib: 8 }
    }
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)
}

impl Config {
    /// Reads a file, or `meridian.toml` here if there is one.
    pub(crate) fn read(path: Option<&Path>) -> Result<Self> {
        let file = path.unwrap_or_else(|| Path::new(FILE));
        match fs::read_to_string(file) {
            Ok(text) => {
                toml::from_str(&text).with_context(|| format!("{} is not valid", file.display()))
            }
            Err(error) if error.kind() == ErrorKind::NotFound && path.is_none() => {
                Ok(Self::default())
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Where the names of the first pool are, each address once. Every address of the machine is
    /// none that could be told to anybody: without more, the loopback address stands for it.
    pub(crate) fn pool_addresses(&self) -> Vec<IpAddr> {
        let mut seen = BTreeSet::new();
        let addresses = match &self.pool.addresses {
            Some(addresses) => addresses.clone(),
            None => self.dns_addresses(),
        };
        addresses
            .into_iter()
            .map(|address| match address {
                IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
                IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
                exact => exact,
            })
            .filter(|address| seen.insert(*address))
            .collect()
    }

    /// The zone that names the first pool.
    pub(crate) fn pool_domain(&self) -> Result<Name> {
        let text = &self.pool.domain;
        let name = Name::parse(text).with_context(|| format!("pool.domain is '{text}'"))?;
        Ok(name.to_lowercase())
    }

    /// The addresses that anything is answered on.
    fn listening(&self) -> Vec<SocketAddr> {
        let encrypted = self.dns.tls.iter().flat_map(Tls::addresses);
        self.dns.listen.iter().copied().chain(encrypted).collect()
    }

    /// What is visible where, as far as that depends on this machine.
    pub(crate) fn views(&self) -> Views {
        Views::new(&self.listening())
    }

    /// What is said to those who want the queries of a zone logged.
    pub(crate) fn query_logging(&self) -> QueryLogging {
        if self.dns.zone_query_logs.enabled {
            QueryLogging::Allowed
        } else {
            QueryLogging::Refused
        }
    }

    /// What the server that answers DNS is told.
    pub(crate) fn server(&self, views: &Views, identity: Arc<Identity>) -> meridian_server::Config {
        meridian_server::Config {
            listeners: views.listeners(&self.dns.listen),
            workers_per_address: self.dns.workers,
            max_udp_payload: self.dns.max_udp_payload,
            tcp: TcpLimits::default(),
            cores: self.dns.cores.clone(),
            identity,
            rate_limit: self.dns.rate_limit.server(),
            taps: meridian_server::Taps::default(),
            encrypted: self
                .dns
                .tls
                .as_ref()
                .map(|tls| tls.server(views))
                .unwrap_or_default(),
            encryption: None,
        }
    }

    /// Where a process with this configuration is reached.
    pub(crate) fn listens(&self) -> Listens {
        let over_tls = self.api.tls.iter().flat_map(|tls| &tls.listen);
        Listens {
            dns: self.dns.listen.clone(),
            api: iter::once(&self.api.listen)
                .chain(over_tls)
                .copied()
                .collect(),
            metrics: self.metrics.listen,
        }
    }

    /// The addresses without ports, each once, in the order of the file.
    pub(crate) fn dns_addresses(&self) -> Vec<IpAddr> {
        let mut seen = BTreeSet::new();
        let addresses = self.dns.listen.iter().map(SocketAddr::ip);
        addresses.filter(|address| seen.insert(*address)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_default_and_unknown_keys_are_refused() {
        let config: Config = toml::from_str("").unwrap();
        config.check().unwrap();
        assert_eq!(config.dns.listen, [loopback(5300)]);
        assert!(toml::from_str::<Config>("colour = 1").is_err());
        assert!(toml::from_str::<Config>("[dns]\nlistn = []").is_err());
    }

    #[test]
    fn the_first_pool_is_where_it_can_be_reached() {
        for (text, expected) in [
            ("", &["127.0.0.1"][..]),
            (
                "[dns]\nlisten = ['192.0.2.1:53', '192.0.2.1:54']",
                &["192.0.2.1"],
            ),
            (
                "[dns]\nlisten = ['0.0.0.0:53', '[::]:53']",
                &["127.0.0.1", "::1"],
            ),
            (
                "[dns]\nlisten = ['[::]:53']\n[pool]\naddresses = ['192.0.2.7']",
                &["192.0.2.7"],
            ),
        ] {
            let config: Config = toml::from_str(text).unwrap();
            config.check().unwrap();
            let addresses: Vec<String> = config
                .pool_addresses()
                .iter()
                .map(IpAddr::to_string)
                .collect();
            assert_eq!(addresses, expected, "{text}");
        }
        for text in ["[]", "['0.0.0.0']"] {
            let config: Config = toml::from_str(&format!("[pool]\naddresses = {text}")).unwrap();
            assert!(
                config
                    .check()
                    .unwrap_err()
                    .to_string()
                    .contains("pool.addresses")
            );
        }
    }

    #[test]
    fn networks_that_are_none_are_refused_where_they_stand() {
        let text = "[dns.rate_limit]\nexempt = ['192.0.2.0/24', '2001:db8::/129']";
        let error = toml::from_str::<Config>(text).unwrap_err().to_string();
        assert!(error.contains("2001:db8::/129"), "{error}");
    }
}
