//! The certificate that encrypted listeners show, and the settings of TLS that go with it.
//!
//! Where the files are and when they are read again is not decided here.

mod validity;

use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// More in one file is not a chain of certificates.
const CHAIN_MAX: usize = 16;

/// A certificate with its key, which can be replaced while listeners show it: connections made
/// afterwards see the new one.
#[derive(Debug)]
pub struct Certificate {
    current: ArcSwap<CertifiedKey>,
}

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Not even one.
    #[error(
        "there is no certificate in it; it must hold the server's certificate and those that lead \
         to the authority, in PEM: -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate,
    /// Broken, or endless.
    #[error("its certificates cannot be read: {reason}")]
    Certificates {
        /// What is wrong.
        reason: String,
    },
    /// None, or broken.
    #[error(
        "there is no usable private key in it; it must hold one without a passphrase, in PEM: \
         -----BEGIN PRIVATE KEY----- ({reason})"
    )]
    Key {
        /// What is wrong.
        reason: String,
    },
    /// Each is good by itself.
    #[error("the private key is not that of the certificate; they must be made for one another")]
    Mismatch,
}

impl CertificateError {
    /// Whether it is the key that is at fault, rather than the certificate or both.
    #[must_use]
    pub fn is_of_key(&self) -> bool {
        matches!(self, Self::Key { .. })
    }
}

impl Certificate {
    /// From a chain of certificates, the server's own first, and its key, both in PEM.
    ///
    /// # Errors
    /// When they cannot be read or do not belong together.
    pub fn from_pem(certificates: &[u8], key: &[u8]) -> Result<Self, CertificateError> {
        let key = certified_key(certificates, key)?;
        Ok(Self {
            current: ArcSwap::from_pointee(key),
        })
    }

    /// Shows that of `other` from now on.
    pub fn replace(&self, other: &Self) {
        self.current.store(other.current.load_full());
    }

    /// Until when it is good; none if that cannot be read.
    #[must_use]
    pub fn ends_at(&self) -> Option<SystemTime> {
        let current = self.current.load();
        let seconds = validity::end_of(current.cert.first()?)?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds.try_into().ok()?))
    }

    /// Settings of TLS for a listener that speaks one of these protocols (RFC 7301): TLS 1.2 and
    /// 1.3, without early data, which could be replayed.
    ///
    /// # Errors
    /// Never with the ciphers of this version; they are checked again all the same.
    pub fn tls_config(self: &Arc<Self>, protocols: &[&str]) -> io::Result<rustls::ServerConfig> {
        let builder = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let mut config = builder
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Ok(config)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.load_full())
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn certified_key(certificates: &[u8], key: &[u8]) -> Result<CertifiedKey, CertificateError> {
    let unreadable = |reason| CertificateError::Certificates { reason };
    let chain = CertificateDer::pem_slice_iter(certificates)
        .take(CHAIN_MAX + 1)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| unreadable(error.to_string()))?;
    if chain.is_empty() {
        return Err(CertificateError::NoCertificate);
    }
    if chain.len() > CHAIN_MAX {
        return Err(unreadable(format!("there are more than {CHAIN_MAX}")));
    }
    let unusable = |reason| CertificateError::Key { reason };
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| unusable(error.to_string()))?;
    let key = provider().key_provider.load_private_key(key);
    let key = key.map_err(|error| unusable(error.to_string()))?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(certified)
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(CertificateError::Mismatch),
        Err(error) => Err(unreadable(error.to_string())),
    }
}
