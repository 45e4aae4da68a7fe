//! What is wrong with a configuration before it is tried, and what a real set-up would want
//! different.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Result, ensure};

use crate::certificate::CertificateFiles;
use crate::identity;
use crate::views::MAX_VIEWS;

use super::{ApiTls, BeaconTls, Config, Tls, addresses, traffic};

/// The most zones shown by name: each is two series, and a scraper keeps all it has ever seen.
const TOP_ZONES_MAX: usize = 10_000;

/// A TiB, which no machine has to spare for pages.
const CACHE_MIB_MAX: usize = 1024 * 1024;

impl Config {
    /// Whether it can be started with, as far as that can be told without trying.
    pub(crate) fn check(&self) -> Result<()> {
        ensure!(
            !self.dns.listen.is_empty(),
            "dns.listen is empty: name at least one address, such as 127.0.0.1:5300"
        );
        let addresses: BTreeSet<IpAddr> = self.listening().iter().map(SocketAddr::ip).collect();
        ensure!(
            addresses.len() <= MAX_VIEWS,
            "dns.listen and dns.tls have {} addresses, the most is {MAX_VIEWS}",
            addresses.len()
        );
        identity::check(&self.dns)?;
        addresses::check(self)?;
        self.dns.rate_limit.check()?;
        traffic::check_logs(&self.dns.query_log, &self.dns.dnstap, &self.data_dir)?;
        self.dns.zone_query_logs.check(&self.data_dir)?;
        let identity = Arc::default();
        self.server(&self.views(), identity).check()?;
        if let Some(tls) = &self.dns.tls {
            tls.check()?;
        }
        ensure!(
            self.metrics.top_zones <= TOP_ZONES_MAX,
            "metrics.top_zones is {}; the most is {TOP_ZONES_MAX}",
            self.metrics.top_zones
        );
        ensure!(
            self.metrics.top_health_checks <= TOP_ZONES_MAX,
            "metrics.top_health_checks is {}; the most is {TOP_ZONES_MAX}",
            self.metrics.top_health_checks
        );
        ensure!(
            self.storage.cache_mib <= CACHE_MIB_MAX,
            "storage.cache_mib is {}; the most is {CACHE_MIB_MAX}",
            self.storage.cache_mib
        );
        self.api.check()?;
        self.audit.check()?;
        if let Some(beacon) = &self.beacon {
            beacon.check()?;
        }
        self.geo.check()?;
        super::alarms::check(&self.alarms)?;
        self.health.check()?;
        self.latency.check()?;
        self.targets.check()?;
        super::webhooks::check(&self.webhooks)?;
        if let Some(addresses) = &self.pool.addresses {
            ensure!(
                !addresses.is_empty() && !addresses.iter().any(IpAddr::is_unspecified),
                "pool.addresses must name the addresses that the first name servers are reached \
                 at; to take them from dns.listen, leave it out"
            );
        }
        self.pool_domain().map(drop)
    }

    /// What is allowed but not what one wants in production.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let addresses = self.dns_addresses();
        let every = addresses.iter().any(IpAddr::is_unspecified);
        if every && self.pool.addresses.is_none() {
            warnings.push(
                "0.0.0.0 and [::] do not say where resolvers find this machine: a first start puts \
                 the name servers on loopback unless pool.addresses has their addresses; later \
                 `meridian nameserver set` moves them"
                    .to_owned(),
            );
        }
        if addresses.len() < 2 && !every {
            warnings.push(
                "all name servers share one address; resolvers have nowhere else to go when it \
                 fails: listen on two or more (dns.listen)"
                    .to_owned(),
            );
        }
        if addresses.iter().all(IpAddr::is_loopback) {
            warnings.push("only this machine can ask: every address is loopback".to_owned());
        }
        if self.dns.listen.iter().any(|address| address.port() != 53) {
            warnings.push("resolvers ask name servers on port 53 only".to_owned());
        }
        let limited = self.dns.rate_limit.responses_per_second > 0;
        if !limited && addresses.iter().copied().any(traffic::is_public) {
            warnings.push(
                "replies over UDP are not limited: whoever forges a sender can flood it through \
                 this server; set dns.rate_limit.responses_per_second, for example to 100"
                    .to_owned(),
            );
        }
        let hands_out_scripts = self.beacon.as_ref().is_some_and(|it| !it.sites.is_empty());
        if hands_out_scripts && self.latency.build_every().is_none() {
            warnings.push(
                "what browsers and agents report here is only counted: beacon.sites has scripts \
                 handed out, but latency.build is false, and no map is made of it"
                    .to_owned(),
            );
        }
        warnings.extend(self.certificate_warnings(SystemTime::now()));
        warnings.extend(self.geo.warnings());
        warnings
    }

    /// Of certificates that end soon, as far as they can be read.
    fn certificate_warnings(&self, now: SystemTime) -> Vec<String> {
        let dns = self.dns.tls.as_ref().map(Tls::files);
        let api = self.api.tls.as_ref().map(ApiTls::files);
        let beacon = self.beacon.as_ref().and_then(|beacon| beacon.tls.as_ref());
        let beacon = beacon.map(BeaconTls::files);
        let warning = |files: CertificateFiles| files.warning(&files.load().ok()?, now);
        let all = dns.into_iter().chain(api).chain(beacon);
        all.filter_map(warning).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_without_a_possible_name_is_refused_before_the_start() {
        let config: Config = toml::from_str("[pool]\ndomain = 'a..b'").unwrap();
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains("pool.domain is 'a..b'"), "{error}");
    }

    #[test]
    fn what_the_server_would_refuse_is_refused_by_the_check() {
        for (text, part) in [
            ("workers = 0", "workers"),
            ("workers = 100000", "the most is 1024"),
            ("max_udp_payload = 100", "512 to 4096"),
            ("listen = ['0.0.0.0:53', '127.0.0.1:53']", "every"),
            ("listen = ['127.0.0.1:53', '127.0.0.1:53']", "again"),
            ("cores = []", "cores is empty"),
            ("query_log = { sample = 0 }", "sample is 0"),
            ("query_log = { max_per_second = 0 }", "max_per_second is 0"),
            ("query_log = { location = 'New York' }", "'New York'"),
            ("dnstap = { path = 'a', socket = 'b' }", "one of them"),
            ("dnstap = { socket = '' }", "dns.dnstap.socket is empty"),
            (
                "zone_query_logs = { max_per_second = 0 }",
                "max_per_second is 0",
            ),
            (
                "zone_query_logs = { max_file_bytes = 9 }",
                "max_file_bytes is 9",
            ),
            ("zone_query_logs = { directory = '' }", "no directory"),
            (
                "zone_query_logs = { directory = '/dev/null' }",
                "'/dev/null', which is no directory",
            ),
            ("query_log = { path = '' }", "dns.query_log.path is empty"),
            ("query_log = { path = '/' }", "is a directory"),
            ("query_log = { path = '/none/log' }", "no directory /none"),
            (
                "query_log = { path = 'log' }\ndnstap = { path = './log' }",
                "a file of its own",
            ),
            (
                "cookie_secret_file = '/none/secret'",
                "dns.cookie_secret_file cannot be used: /none/secret does not exist",
            ),
            (
                "cookie_secret_accepted_file = '/none/other'",
                "dns.cookie_secret_accepted_file cannot be used: /none/other does not exist",
            ),
            ("server_id = \"a\\u001bb\"", "dns.server_id has control"),
            ("version = \"a\\nb\"", "dns.version has control"),
            (
                "rate_limit = { responses_per_second = 200000 }",
                "dns.rate_limit: 200000 responses",
            ),
            ("rate_limit = { ipv4_prefix = 0 }", "IPv4 network of 0"),
            (
                "rate_limit = { responses_per_second = 9, slip = 11 }",
                "slip of 11",
            ),
        ] {
            let config: Config = toml::from_str(&format!("[dns]\n{text}")).unwrap();
            let error = config.check().unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn what_cannot_be_told_is_refused_before_the_start() {
        let text = format!("[dns]\nserver_id = '{}'", "x".repeat(256));
        let config: Config = toml::from_str(&text).unwrap();
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains("dns.server_id has 256 bytes"), "{error}");
    }

    #[test]
    fn a_log_may_be_in_the_data_directory_that_the_start_makes() {
        let text = "data_dir = './none'\n[dns]\nquery_log = { path = 'none/log' }";
        toml::from_str::<Config>(text).unwrap().check().unwrap();
    }

    #[test]
    fn memory_for_pages_is_no_more_than_there_could_be() {
        let config: Config = toml::from_str("[storage]\ncache_mib = 1048577").unwrap();
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains("the most is 1048576"), "{error}");
    }

    #[test]
    fn a_trial_set_up_is_told_what_it_lacks() {
        assert_eq!(Config::default().warnings().len(), 3);
        let text = "[dns]\nlisten = ['192.0.2.1:53', '192.0.2.2:53', '192.0.2.1:53']";
        let config: Config = toml::from_str(text).unwrap();
        let warnings = config.warnings();
        assert!(warnings.len() == 1 && warnings[0].contains("not limited"));
        assert_eq!(config.dns_addresses().len(), 2);
        let text = format!("{text}\nrate_limit = {{ responses_per_second = 100 }}");
        let config: Config = toml::from_str(&text).unwrap();
        assert!(config.warnings().is_empty());
        // What was reported to it vanished, and nobody was told.
        let text = format!(
            "{text}\n[beacon]\nregion = 'home-1'\nlisten = '127.0.0.1:5395'\n\
             sites = [{{ region = 'home-1', url = 'https://a.example' }}]"
        );
        let of = |text: &str| toml::from_str::<Config>(text).unwrap().warnings();
        assert!(of(&text).is_empty());
        let warnings = of(&format!("{text}\n[latency]\nbuild = false"));
        assert!(warnings.len() == 1 && warnings[0].contains("latency.build is false"));
    }
}
