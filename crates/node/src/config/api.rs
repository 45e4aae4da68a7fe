//! Settings of the API's listeners.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use meridian_server::Prefix;
use serde::Deserialize;

use super::loopback;
use super::traffic::prefixes;
use crate::certificate::CertificateFiles;

/// All of them are looked at for each request.
const PROXIES_MAX: usize = 1000;

/// The Route 53 API.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Api {
    /// Plain HTTP, so loopback only.
    pub(crate) listen: SocketAddr,
    /// Proxies that are believed about their clients.
    #[serde(deserialize_with = "prefixes")]
    pub(crate) trusted_proxies: Vec<Prefix>,
    /// Whether there are web pages at the API's addresses.
    pub(crate) console: bool,
    /// `[api.tls]`: without it there is plain HTTP alone.
    pub(crate) tls: Option<ApiTls>,
}

/// HTTPS beside it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiTls {
    /// The server's certificate and those that lead to the authority, in PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, in PEM.
    pub(crate) key: PathBuf,
    /// Any addresses.
    pub(crate) listen: Vec<SocketAddr>,
}

impl Default for Api {
    fn default() -> Self {
        Self {
            listen: loopback(5380),
            trusted_proxies: Vec::new(),
            console: true,
            tls: None,
        }
    }
}

impl Api {
    /// Whether it makes sense, files included.
    pub(super) fn check(&self) -> Result<()> {
        ensure!(
            self.listen.ip().is_loopback(),
            "api.listen is {}, but plain HTTP is for loopback only: whoever is on the way would \
             read and change what is sent; put the address into the list api.tls.listen, with a \
             certificate (`meridian tls init` makes one), or listen on 127.0.0.1 and have a TLS \
             proxy in front",
            self.listen
        );
        ensure!(
            self.trusted_proxies.len() <= PROXIES_MAX,
            "api.trusted_proxies has {} networks, the most is {PROXIES_MAX}",
            self.trusted_proxies.len()
        );
        ensure!(
            !self.trusted_proxies.iter().any(Prefix::is_everything),
            "api.trusted_proxies has a network that everybody is in: whoever asks could say that \
             he is somebody else; name the proxies' addresses"
        );
        let Some(tls) = &self.tls else {
            return Ok(());
        };
        ensure!(
            !tls.listen.is_empty(),
            "api.tls has a certificate but nothing that shows it: add an address to \
             api.tls.listen, or leave the section out"
        );
        tls.files().load().map(drop)
    }
}

impl ApiTls {
    /// Its certificate on disk.
    pub(crate) fn files(&self) -> CertificateFiles {
        CertificateFiles::new("api.tls", &self.certificate, &self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Config;

    fn refused(text: &str) -> String {
        let config: Config = toml::from_str(text).unwrap();
        format!("{:#}", config.check().unwrap_err())
    }

    #[test]
    fn plain_http_is_for_loopback() {
        for address in ["192.0.2.1:80", "0.0.0.0:80", "[::]:80"] {
            let error = refused(&format!("[api]\nlisten = '{address}'"));
            assert!(
                error.contains("loopback only") && error.contains("meridian tls init"),
                "{error}"
            );
        }
        let config: Config = toml::from_str("[api]\nlisten = '[::1]:80'").unwrap();
        config.check().unwrap();
    }

    #[test]
    fn proxies_are_some_networks() {
        for every in ["0.0.0.0/0", "::/0"] {
            let error = refused(&format!("[api]\ntrusted_proxies = ['10.0.0.1', '{every}']"));
            assert!(error.contains("that everybody is in"), "{error}");
        }
        let text = "[api]\ntrusted_proxies = ['10.0.0.0/33']";
        let error = toml::from_str::<Config>(text).unwrap_err().to_string();
        assert!(error.contains("10.0.0.0/33"), "{error}");
    }

    #[test]
    fn https_needs_files_and_an_address() {
        let tls = "[api.tls]\ncertificate = '/none/c.pem'\nkey = '/none/k.pem'\n";
        assert!(refused(&format!("{tls}listen = []")).contains("nothing that shows it"));
        let error = refused(&format!("{tls}listen = ['0.0.0.0:443']"));
        assert!(
            error.contains("cannot read api.tls.certificate, /none/c.pem"),
            "{error}"
        );
        assert!(refused(&format!("{tls}listen = ['127.0.0.1:5380']")).contains("used twice"));
    }
}
