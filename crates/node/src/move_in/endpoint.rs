//! Where a service elsewhere is, and how its certificate is judged. Plain HTTP never leaves this
//! machine.

use std::env;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use hyper::Uri;
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

/// A service.
pub(super) struct Endpoint {
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// What requests call it.
    pub(super) authority: String,
    /// None for plain HTTP.
    pub(super) tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Endpoint {
    /// Reads a URL; certificates are judged by these authorities, or by the system's.
    pub(super) fn read(url: &str, ca: Option<&Path>) -> Result<Self> {
        let uri: Uri = url.parse().with_context(|| format!("'{url}' is no URL"))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            bail!("'{url}' is no URL: it begins with https:// or http://");
        };
        ensure!(
            matches!(uri.path(), "" | "/") && uri.query().is_none(),
            "'{url}' has a path; an endpoint is a scheme, a name and perhaps a port"
        );
        let bare = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .to_owned();
        let (default_port, tls) = match scheme {
            "https" => (443, Some(tls(&bare, ca)?)),
            "http" => {
                let address = bare.parse::<IpAddr>();
                let here = bare == "localhost" || address.is_ok_and(|ip| ip.is_loopback());
                ensure!(
                    here,
                    "'{url}' is plain HTTP to another machine: what it answers could be anybody's; \
                     use https"
                );
                (80, None)
            }
            other => bail!("'{url}': {other} is neither https nor http"),
        };
        let port = uri.port_u16().unwrap_or(default_port);
        let authority = match port == default_port {
            true => host.to_owned(),
            false => format!("{host}:{port}"),
        };
        Ok(Self {
            host: bare,
            port,
            authority,
            tls,
        })
    }
}

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

fn roots(path: &Path) -> Result<RootCertStore> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_stays_on_this_machine() {
        let read = |url: &str| Endpoint::read(url, None);
        for (url, authority, port) in [
            ("http://127.0.0.1:5380", "127.0.0.1:5380", 5380),
            ("http://localhost/", "localhost", 80),
            ("http://[::1]:5380", "[::1]:5380", 5380),
        ] {
            let endpoint = read(url).unwrap();
            assert_eq!(
                (endpoint.authority.as_str(), endpoint.port),
                (authority, port)
            );
            assert!(endpoint.tls.is_none());
        }
        for (url, reason) in [
            ("http://route53.amazonaws.com", "plain HTTP"),
            ("http://192.0.2.1", "plain HTTP"),
            ("ftp://localhost", "ftp"),
            ("route53.amazonaws.com", "no URL"),
            ("http://localhost/2013-04-01", "path"),
        ] {
            let error = format!("{:#}", read(url).err().unwrap());
            assert!(error.contains(reason), "{url}: {error}");
        }
        let missing = Endpoint::read("https://localhost", Some(Path::new("/nowhere")));
        assert!(missing.is_err());
    }
}
