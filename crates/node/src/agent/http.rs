//! One connection to somebody who speaks HTTP/1.1, and short exchanges over it.

use std::os::fd::{AsFd, OwnedFd};

use anyhow::Result;
use axum::body::Body;
use hyper::Request;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use crate::move_in::Endpoint;
use crate::outgoing::whole;

/// The longest body that is read.
const MAX_BODY: usize = 256 * 1024;

/// A connection.
pub(super) struct Open {
    sender: SendRequest<Body>,
    /// The socket once more, to be asked how it is.
    pub(super) socket: OwnedFd,
}

impl Open {
    pub(super) async fn connect(endpoint: &Endpoint) -> Result<Self> {
        let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await?;
        let _ = stream.set_nodelay(true);
        let socket = stream.as_fd().try_clone_to_owned()?;
        let sender = match &endpoint.tls {
            None => begin(stream).await?,
            Some((tls, name)) => begin(tls.connect(name.clone(), stream).await?).await?,
        };
        Ok(Self { sender, socket })
    }

    /// The status and the body of the answer.
    pub(super) async fn ask(&mut self, request: Request<Body>) -> Result<(u16, Vec<u8>)> {
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status().as_u16();
        Ok((status, whole(answer.into_body(), MAX_BODY).await?))
    }
}

async fn begin<I>(io: I) -> Result<SendRequest<Body>>
where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(io)).await?;
    // How it ends is told to whoever sends on it.
    tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok(sender)
}
