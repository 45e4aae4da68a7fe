//! Settings of the API's listeners.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use serde::Deserialize;

use super::loopback;
use crate::certificate::CertificateFiles;

/// The Route 53 API.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Api {
    /// Plain HTTP, so loopback only.
    pub(crate) listen: SocketAddr,
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
