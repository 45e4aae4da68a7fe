//! One request by HTTP to a server that whoever runs this machine has named: where it is, and what
//! comes back. Redirects are not followed. How long it may take, and which addresses may be
//! connected to, is the caller's to say.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;

use anyhow::{Context, Result, bail, ensure};
use axum::body::Body;
use hyper::body::{Body as _, Incoming};
use hyper::client::conn::http1::handshake;
use hyper::header::{HOST, HeaderValue, USER_AGENT};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::trust::tls;

/// Where a URL leads to.
pub(crate) struct Place {
    /// Without brackets.
    host: String,
    port: u16,
    authority: HeaderValue,
    /// As in the URL.
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Place {
    /// Reads a URL; certificates are judged by these authorities, or by the system's. The URL is
    /// not told of in errors: there may be a secret in it.
    pub(crate) fn of(url: &str, ca: Option<&Path>) -> Result<Self> {
        let uri: Uri = url.parse().context("the URL is none")?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            bail!("the URL begins with neither http:// nor https://");
        };
        let has_user = uri.authority().is_some_and(|it| it.as_str().contains('@'));
        ensure!(
            !has_user,
            "the URL has a user's name in it, which is not sent"
        );
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let (usual, tls) = match scheme {
            "http" => (80, None),
            "https" => (443, Some(tls(bare, ca)?)),
            other => bail!("the URL begins with {other}, which is neither http nor https"),
        };
        let port = uri.port_u16().unwrap_or(usual);
        let authority = match port == usual {
            true => host.to_owned(),
            false => format!("{host}:{port}"),
        };
        Ok(Self {
            host: bare.to_owned(),
            port,
            authority: HeaderValue::try_from(authority).context("the host's name")?,
            path: uri.path().to_owned(),
            query: uri.query().map(str::to_owned),
            tls,
        })
    }

    /// What is answered to a request, at one of the addresses that may be connected to.
    pub(crate) async fn send(
        &self,
        mut request: Request<Body>,
        may: impl Fn(SocketAddr) -> Result<()>,
    ) -> Result<Response<Incoming>> {
        let agent = HeaderValue::from_static(concat!("meridian/", env!("CARGO_PKG_VERSION")));
        request.headers_mut().insert(HOST, self.authority.clone());
        request.headers_mut().insert(USER_AGENT, agent);
        let addresses = self.addresses(may).await?;
        let stream = TcpStream::connect(&*addresses).await;
        let stream = stream.context("cannot connect")?;
        match &self.tls {
            None => exchange(stream, request).await,
            Some((tls, name)) => {
                let stream = tls.connect(name.clone(), stream).await;
                exchange(stream.context("TLS")?, request).await
            }
        }
    }

    async fn addresses(&self, may: impl Fn(SocketAddr) -> Result<()>) -> Result<Vec<SocketAddr>> {
        let found = lookup_host((self.host.as_str(), self.port)).await;
        let found = found.with_context(|| format!("cannot look up {}", self.host))?;
        let mut allowed = Vec::new();
        let mut refusal = None;
        for address in found {
            match may(address) {
                Ok(()) => allowed.push(address),
                Err(why) => refusal = Some(why),
            }
        }
        match (allowed.is_empty(), refusal) {
            (false, _) => Ok(allowed),
            (true, Some(why)) => Err(why),
            (true, None) => bail!("{} has no address", self.host),
        }
    }
}

async fn exchange<I>(io: I, request: Request<Body>) -> Result<Response<Incoming>>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = handshake(TokioIo::new(io)).await?;
    // How it ends is told to whoever sends on it; it ends with the sender and what it received.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender.send_request(request).await?)
}

/// All of a body, if it is not longer than that.
pub(crate) async fn whole(mut incoming: Incoming, most: usize) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
        // Trailers say nothing here.
        let piece = frame?.into_data().unwrap_or_default();
        let fits = body.len() + piece.len() <= most;
        ensure!(fits, "the answer is longer than {most} bytes");
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lead_somewhere_or_say_why_not_without_telling_what_they_are() {
        let place = Place::of("http://[::1]:9090/a/b?token=c", None).unwrap();
        assert_eq!((place.host.as_str(), place.port), ("::1", 9090));
        assert_eq!(place.authority, "[::1]:9090");
        assert_eq!(place.path, "/a/b");
        assert_eq!(place.query.as_deref(), Some("token=c"));
        assert_eq!(Place::of("http://a:80", None).unwrap().authority, "a");
        for (url, part) in [
            ("secret", "neither http"),
            ("/secret", "neither http"),
            ("ftp://secret", "begins with ftp"),
            ("http://secret@host", "user's name"),
            ("http://secret word", "the URL is none"),
        ] {
            let error = Place::of(url, None).err().unwrap();
            let error = format!("{error:#}");
            assert!(error.contains(part) && !error.contains("secret"), "{error}");
        }
    }
}
