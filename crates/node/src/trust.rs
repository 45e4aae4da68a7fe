//! Which certificate authorities are trusted when this program connects to others: those of a file,
//! or those of the system. Whom clients of this program trust is in `authority`.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Where systems keep the certificate authorities they trust: Debian, Fedora, SUSE, Alpine.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// How a server of this name is spoken to, its certificate judged by these authorities, or by the
/// system's.
pub(crate) fn tls(host: &str, ca: Option<&Path>) -> Result<(TlsConnector, ServerName<'static>)> {
    let name = ServerName::try_from(host.to_owned());
    let name = name.with_context(|| format!("'{host}' is no name of a server"))?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(&bundle(ca)?)?)
        .with_no_client_auth();
    Ok((TlsConnector::from(Arc::new(config)), name))
}

/// The file with the authorities.
fn bundle(ca: Option<&Path>) -> Result<PathBuf> {
    if let Some(ca) = ca {
        return Ok(ca.to_owned());
    }
    let said = ["AWS_CA_BUNDLE", "SSL_CERT_FILE"]
        .into_iter()
        .find_map(env::var_os);
    let known = BUNDLES.into_iter().map(PathBuf::from);
    said.map(PathBuf::from)
        .or_else(|| known.into_iter().find(|path| path.exists()))
        .context("this system has no file of certificate authorities: name one with --ca")
}

/// The system's authorities, as far as it has any, and those of a file beside them.
pub(crate) fn system_and(file: Option<&Path>) -> Result<RootCertStore> {
    let mut all = bundle(None)
        .and_then(|path| roots(&path))
        .unwrap_or_else(|error| {
            tracing::info!(%error, "no authorities of the system are trusted: {error:#}");
            RootCertStore::empty()
        });
    if let Some(file) = file {
        all.extend(roots(file)?.roots);
    }
    Ok(all)
}

/// The authorities in a file.
pub(crate) fn roots(path: &Path) -> Result<RootCertStore> {
    let shown = path.display();
    let mut roots = RootCertStore::empty();
    let read = CertificateDer::pem_file_iter(path);
    for certificate in read.with_context(|| format!("cannot read {shown}"))? {
        let certificate = certificate.with_context(|| format!("{shown} is damaged"))?;
        // Some of what systems trust is too old to be understood.
        let _ = roots.add(certificate);
    }
    ensure!(!roots.is_empty(), "{shown} has no certificates");
    Ok(roots)
}
