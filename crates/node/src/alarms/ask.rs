//! One question to Prometheus by HTTP, in bounded time and of bounded length. Redirects are not
//! followed.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use axum::body::Body;
use hyper::Request;
use hyper::Uri;
use hyper::body::Body as _;
use hyper::client::conn::http1::handshake;
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper_util::rt::TokioIo;
use meridian_model::{AddressRange, ProbeRights};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::answer::Times;
use crate::config::Alarm;
use crate::move_in::tls;

/// How long a whole question takes at most.
const TIMEOUT: Duration = Duration::from_secs(10);
/// The longest answer: a few thousand values.
const MAX_ANSWER: usize = 1024 * 1024;

/// Where Prometheus is, and what is asked there.
pub(super) struct Question {
    /// Without brackets.
    host: String,
    port: u16,
    authority: String,
    /// Before `/api/v1`, without a slash at its end.
    path: String,
    query: String,
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

impl Question {
    pub(super) fn of(alarm: &Alarm) -> Result<Self> {
        let url = &alarm.url;
        let uri: Uri = url.parse().with_context(|| format!("'{url}' is no URL"))?;
        let (Some(scheme), Some(host)) = (uri.scheme_str(), uri.host()) else {
            bail!("'{url}' is no URL: it begins with http:// or https://");
        };
        ensure!(uri.query().is_none(), "'{url}' has a query of its own");
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let (port, tls) = match scheme {
            "http" => (80, None),
            "https" => (443, Some(tls(bare, alarm.ca.as_deref())?)),
            other => bail!("'{url}': {other} is neither http nor https"),
        };
        let port = uri.port_u16().unwrap_or(port);
        Ok(Self {
            host: bare.to_owned(),
            port,
            authority: format!("{host}:{port}"),
            path: uri.path().trim_end_matches('/').to_owned(),
            query: encoded(&alarm.query),
            tls,
        })
    }

    /// What is answered for these times.
    pub(super) async fn ask(&self, times: &Times) -> Result<Vec<u8>> {
        let answered = timeout(TIMEOUT, self.exchange(times)).await;
        answered.map_err(|_| anyhow!("no whole answer within {TIMEOUT:?}"))?
    }

    async fn exchange(&self, times: &Times) -> Result<Vec<u8>> {
        let stream = TcpStream::connect(&*self.addresses().await?).await?;
        match &self.tls {
            None => self.get(stream, times).await,
            Some((tls, name)) => {
                let stream = tls.connect(name.clone(), stream).await?;
                self.get(stream, times).await
            }
        }
    }

    /// Alarms are set up by whoever runs this machine, so they may lead to whatever can be reached
    /// at all.
    async fn addresses(&self) -> Result<Vec<SocketAddr>> {
        let found = lookup_host((self.host.as_str(), self.port)).await?;
        let may = |address: &SocketAddr| {
            let range = AddressRange::of(address.ip().to_canonical());
            ProbeRights::Everything.allow(range)
        };
        let addresses: Vec<SocketAddr> = found.filter(may).collect();
        ensure!(
            !addresses.is_empty(),
            "{} is no address that something listens at",
            self.host
        );
        Ok(addresses)
    }

    async fn get<I>(&self, io: I, times: &Times) -> Result<Vec<u8>>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (mut sender, connection) = handshake(TokioIo::new(io)).await?;
        // How it ends is told to whoever sends on it; it ends with the sender.
        tokio::spawn(async move {
            let _ = connection.await;
        });
        let request = Request::builder()
            .uri(format!(
                "{}/api/v1/query_range?query={}&start={}&end={}&step={}",
                self.path,
                self.query,
                times.start,
                times.end(),
                times.period
            ))
            .header(HOST, &self.authority)
            .header(USER_AGENT, concat!("meridian/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json")
            .body(Body::empty())?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let mut incoming = answer.into_body();
        let mut body = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await
        {
            // Trailers say nothing here.
            let piece = frame?.into_data().unwrap_or_default();
            let fits = body.len() + piece.len() <= MAX_ANSWER;
            ensure!(fits, "the answer is longer than {MAX_ANSWER} bytes");
            body.extend_from_slice(&piece);
        }
        // Errors of Prometheus itself are JSON with a status of 4xx or 5xx; they say more.
        let is_told = body.starts_with(b"{");
        ensure!(status.is_success() || is_told, "HTTP status {status}");
        Ok(body)
    }
}

/// A text as part of a query (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            byte => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_encoded_byte_by_byte() {
        assert_eq!(
            encoded("sum(up{a=\"é\"})"),
            "sum%28up%7Ba%3D%22%C3%A9%22%7D%29"
        );
    }
}
