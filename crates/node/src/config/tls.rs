//! Settings of DNS that is encrypted.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use meridian_server::Encrypted;
use serde::Deserialize;

use crate::certificate::CertificateFiles;
use crate::views::Views;

/// Answering over TLS, QUIC and HTTPS.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tls {
    /// The server's certificate and those that lead to the authority, in PEM.
    pub(crate) certificate: PathBuf,
    /// Its private key, in PEM.
    pub(crate) key: PathBuf,
    /// Where DNS over TLS is spoken.
    #[serde(default)]
    pub(crate) dot: Vec<SocketAddr>,
    /// Where DNS over QUIC is.
    #[serde(default)]
    pub(crate) doq: Vec<SocketAddr>,
    /// Where DNS over HTTPS is.
    #[serde(default)]
    pub(crate) doh: Vec<SocketAddr>,
}

impl Tls {
    /// All that it listens on.
    pub(super) fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.dot.iter().chain(&self.doq).chain(&self.doh).copied()
    }

    /// What the server is told.
    pub(super) fn server(&self, views: &Views) -> Encrypted {
        Encrypted {
            dot: views.listeners(&self.dot),
            doq: views.listeners(&self.doq),
            doh: views.listeners(&self.doh),
        }
    }

    /// Its certificate on disk.
    pub(crate) fn files(&self) -> CertificateFiles {
        CertificateFiles::new("dns.tls", &self.certificate, &self.key)
    }

    /// Whether it makes sense, files included.
    pub(super) fn check(&self) -> Result<()> {
        ensure!(
            self.addresses().next().is_some(),
            "dns.tls has a certificate but nothing that shows it: add an address to dot, doq or \
             doh, or leave the section out"
        );
        self.files().load().map(drop)
    }
}
