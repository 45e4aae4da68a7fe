//! Settings of the beacon.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use hyper::Uri;
use meridian_model::Region;
use meridian_server::Prefix;
use serde::Deserialize;

use super::traffic::prefixes;
use crate::certificate::CertificateFiles;

/// All of them are looked at for each request.
const PROXIES_MAX: usize = 1000;
/// As many regions as a map has.
const SITES_MAX: usize = 255;
/// The longest time, in seconds, from the script to its report.
const LIFETIME_MAX: u64 = 3600;

/// `[beacon]`: measuring how far clients are. Off without it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Beacon {
    /// The region that this machine is in.
    pub(crate) region: String,
    /// Plain HTTP, so loopback only.
    #[serde(default)]
    pub(crate) listen: Option<SocketAddr>,
    /// Proxies that are believed about their clients.
    #[serde(default, deserialize_with = "prefixes")]
    pub(crate) trusted_proxies: Vec<Prefix>,
    /// Where browsers and agents measure.
    #[serde(default)]
    pub(crate) sites: Vec<Site>,
    /// How long after the script a report is taken, in seconds.
    #[serde(default = "token_lifetime_s")]
    pub(crate) token_lifetime_s: u64,
    /// Requests in a minute from a /24 or /48.
    #[serde(default = "requests_per_minute")]
    pub(crate) requests_per_minute: u32,
    /// And from all together.
    #[serde(default = "requests_per_minute_in_all")]
    pub(crate) requests_per_minute_in_all: u32,
    /// Reports that are taken from a /24 or /48 in a minute, and connections that are besides.
    #[serde(default = "samples_per_minute")]
    pub(crate) samples_per_minute: u32,
    /// And from all together.
    #[serde(default = "samples_per_minute_in_all")]
    pub(crate) samples_per_minute_in_all: u32,
    /// `[beacon.tls]`: without it there is plain HTTP alone.
    #[serde(default)]
    pub(crate) tls: Option<BeaconTls>,
}

/// Where a region is measured.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Site {
    pub(crate) region: String,
    /// Scheme, name and perhaps a port of a beacon there.
    pub(crate) url: String,
}

/// HTTPS beside it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BeaconTls {
    /// The server's certificate and those that lead to the authority, in PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, in PEM.
    pub(crate) key: PathBuf,
    /// Any addresses.
    pub(crate) listen: Vec<SocketAddr>,
}

fn token_lifetime_s() -> u64 {
    600
}

fn requests_per_minute() -> u32 {
    600
}

fn requests_per_minute_in_all() -> u32 {
    60_000
}

fn samples_per_minute() -> u32 {
    60
}

fn samples_per_minute_in_all() -> u32 {
    20_000
}

impl Beacon {
    /// Whether it makes sense, files included.
    pub(super) fn check(&self) -> Result<()> {
        if let Some(listen) = self.listen {
            ensure!(
                listen.ip().is_loopback(),
                "beacon.listen is {listen}, but plain HTTP is for loopback only, with a TLS proxy \
                 in front of it (beacon.trusted_proxies); put the address into the list \
                 beacon.tls.listen, with a certificate"
            );
        }
        let over_tls = self.tls.iter().flat_map(|tls| &tls.listen);
        ensure!(
            self.listen.iter().chain(over_tls).next().is_some(),
            "the beacon listens nowhere: name an address in beacon.listen or beacon.tls.listen, or \
             leave the section out"
        );
        ensure!(
            is_region(&self.region),
            "beacon.region is '{}', which is no name of a region, such as eu-central-1",
            self.region
        );
        self.check_sites()?;
        ensure!(
            self.trusted_proxies.len() <= PROXIES_MAX,
            "beacon.trusted_proxies has {} networks, the most is {PROXIES_MAX}",
            self.trusted_proxies.len()
        );
        ensure!(
            !self.trusted_proxies.iter().any(Prefix::is_everything),
            "beacon.trusted_proxies has a network that everybody is in: whoever measures could say \
             that he is somebody else; name the proxies' addresses"
        );
        ensure!(
            (1..=LIFETIME_MAX).contains(&self.token_lifetime_s),
            "beacon.token_lifetime_s is {}; it is 1 to {LIFETIME_MAX}",
            self.token_lifetime_s
        );
        match &self.tls {
            Some(tls) => tls.files().load().map(drop),
            None => Ok(()),
        }
    }

    fn check_sites(&self) -> Result<()> {
        let count = self.sites.len();
        ensure!(
            count <= SITES_MAX,
            "beacon.sites has {count} sites, the most is {SITES_MAX}"
        );
        let mut seen = BTreeSet::new();
        for Site { region, url } in &self.sites {
            ensure!(
                is_region(region),
                "beacon.sites names '{region}', which is no name of a region"
            );
            ensure!(
                seen.insert(region),
                "beacon.sites names {region} twice; one site stands for a region"
            );
            check_url(url).with_context(|| format!("the site of {region} in beacon.sites"))?;
        }
        Ok(())
    }
}

impl BeaconTls {
    /// Its certificate on disk.
    pub(crate) fn files(&self) -> CertificateFiles {
        CertificateFiles::new("beacon.tls", &self.certificate, &self.key)
    }
}

/// Whether it may name a region, AWS's or the operator's own.
pub(crate) fn is_region(name: &str) -> bool {
    Region::possible(name).is_some()
}

/// Whether a site may be at this URL.
pub(crate) fn check_url(url: &str) -> Result<()> {
    let uri: Uri = url.parse().with_context(|| format!("'{url}' is no URL"))?;
    ensure!(
        matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some(),
        "'{url}' is no URL that begins with https:// or http://"
    );
    ensure!(
        uri.path() == "/" && uri.query().is_none() && !url.ends_with('/'),
        "'{url}' has more than scheme, name and port: write https://name or https://name:port"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn refused(text: &str) -> String {
        let config: Config = toml::from_str(text).unwrap();
        format!("{:#}", config.check().unwrap_err())
    }

    #[test]
    fn it_is_off_unless_there_is_a_section() {
        assert!(Config::default().beacon.is_none());
        let text = "[beacon]\nregion = 'eu-west-1'\nlisten = '127.0.0.1:5395'\nsites = [\
                    { region = 'eu-west-1', url = 'https://a.example' }, \
                    { region = 'office-2', url = 'http://[2001:db8::1]:8080' }]";
        let config: Config = toml::from_str(text).unwrap();
        config.check().unwrap();
        assert_eq!(config.beacon.unwrap().sites.len(), 2);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let here = "[beacon]\nregion = 'eu-west-1'\nlisten = '127.0.0.1:5395'";
        for (text, part) in [
            (
                "[beacon]\nregion = 'eu-west-1'".to_owned(),
                "listens nowhere",
            ),
            (
                "[beacon]\nregion = 'eu-west-1'\nlisten = '0.0.0.0:80'".to_owned(),
                "plain HTTP is for loopback only",
            ),
            (
                "[beacon]\nregion = 'Europe'\nlisten = '127.0.0.1:5395'".to_owned(),
                "'Europe', which is no name",
            ),
            (
                "[beacon]\nregion = 'eu-west-1'\nlisten = '127.0.0.1:5380'".to_owned(),
                "in api.listen and again in beacon.listen",
            ),
            (format!("{here}\ntoken_lifetime_s = 0"), "it is 1 to 3600"),
            (
                format!("{here}\ntrusted_proxies = ['::/0']"),
                "that everybody is in",
            ),
            (
                format!("{here}\nsites = [{{ region = 'a+b', url = 'https://a' }}]"),
                "'a+b', which is no name",
            ),
            (
                format!("{here}\nsites = [{{ region = 'a', url = 'https://a/p.gif' }}]"),
                "has more than scheme",
            ),
            (
                format!("{here}\nsites = [{{ region = 'a', url = 'ftp://a' }}]"),
                "the site of a in beacon.sites: 'ftp://a' is no URL",
            ),
            (
                format!(
                    "{here}\nsites = [{{ region = 'a', url = 'https://a' }}, {{ region = 'a', url = 'https://b' }}]"
                ),
                "names a twice",
            ),
            (
                format!("{here}\n[beacon.tls]\ncertificate = '/none'\nkey = '/none'\nlisten = []"),
                "beacon.tls.certificate",
            ),
        ] {
            let error = refused(&text);
            assert!(error.contains(part), "{text}: {error}");
        }
    }
}
