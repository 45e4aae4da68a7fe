//! Where a service elsewhere is, and how its certificate is judged. Plain HTTP never leaves this
//! machine.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use hyper::Uri;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::trust::tls;

/// A service.
pub(crate) struct Endpoint {
    /// Without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What requests call it.
    pub(crate) authority: String,
    /// None for plain HTTP.
    pub(crate) tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Endpoint {
    /// Reads a URL; certificates are judged by these authorities, or by the system's.
    pub(crate) fn read(url: &str, ca: Option<&Path>) -> Result<Self> {
        let endpoint = Self::read_any(url, ca)?;
        let host = &endpoint.host;
        let here = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
        ensure!(
            endpoint.tls.is_some() || here,
            "'{url}' is plain HTTP to another machine: what it answers could be anybody's; use https"
        );
        Ok(endpoint)
    }

    /// Likewise where it does not matter who answers.
    pub(crate) fn read_any(url: &str, ca: Option<&Path>) -> Result<Self> {
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
            "http" => (80, None),
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
