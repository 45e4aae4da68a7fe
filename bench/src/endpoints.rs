//! Endpoints that health checks are measured with, in a process of their own so that what they cost
//! is not taken for what the checker costs: plain and over TLS, slow ones, and ones that nobody
//! takes a connection at. Each listens at one port of all addresses.

use std::io::{self, BufRead, BufReader, Write};
use std::net::Ipv4Addr;
use std::process::{self, Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};
use rcgen::{CertificateParams, KeyPair};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// How long slow ones think: less than they may.
const THINKING: Duration = Duration::from_millis(1500);
/// Connections that wait in a queue of one place before more are let fall.
const WAITING: usize = 4;

/// Where they are.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Ports {
    /// Those that answer at once, by HTTP.
    pub plain: u16,
    /// By HTTPS.
    pub tls: u16,
    /// By HTTP, after most of the time they have.
    pub slow: u16,
    /// Those where packets are let fall.
    pub silent: u16,
    /// Where nobody listens.
    pub nobody: u16,
}

/// Their process. Dropped, it ends.
pub struct Endpoints {
    child: Child,
    /// Where they are.
    pub ports: Ports,
}

impl Endpoints {
    /// Starts this program anew with this argument, which is to make it [`serve`].
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(argument: &str) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(argument)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().context("it was asked for")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        let ports = serde_json::from_str(&line).context("the endpoints do not say their ports")?;
        Ok(Self { child, ports })
    }

    /// Has the kernel take connections until its queues are full, and nobody answer them; or goes
    /// on from there.
    ///
    /// # Errors
    /// When there is no `kill`.
    pub fn set(&self, state: Alive) -> Result<()> {
        let signal = match state {
            Alive::Stopped => "-STOP",
            Alive::Running => "-CONT",
        };
        let id = self.child.id().to_string();
        Command::new("kill").args([signal, &id]).status()?;
        Ok(())
    }

    /// Ends them: connections are refused from then on.
    ///
    /// # Errors
    /// When they cannot be ended.
    pub fn end(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Endpoints {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether the endpoints' process is given any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alive {
    /// It is not.
    Stopped,
    /// It is.
    Running,
}

/// Is the endpoints until the standard input ends, and tells the ports.
///
/// # Errors
/// When nothing can be listened at.
pub async fn serve() -> Result<()> {
    // Whoever started this may be gone before it says so.
    thread::spawn(|| {
        let _ = io::stdin().read_line(&mut String::new());
        process::exit(0);
    });
    let (plain, tls, slow) = (listen().await?, listen().await?, listen().await?);
    let (silent, _waiting) = silent().await?;
    let nobody = listen().await?.local_addr()?.port();
    let ports = Ports {
        plain: plain.local_addr()?.port(),
        tls: tls.local_addr()?.port(),
        slow: slow.local_addr()?.port(),
        silent: silent.local_addr()?.port(),
        nobody,
    };
    writeln!(io::stdout(), "{}", serde_json::to_string(&ports)?)?;
    let acceptor = acceptor()?;
    tokio::spawn(async move {
        while let Ok((stream, _)) = tls.accept().await {
            let acceptor = acceptor.clone();
            // Who breaks off is none of our business, here and below.
            tokio::spawn(async move { answer(acceptor.accept(stream).await?).await });
        }
    });
    tokio::spawn(async move {
        while let Ok((stream, _)) = slow.accept().await {
            tokio::spawn(async move {
                sleep(THINKING).await;
                answer(stream).await
            });
        }
    });
    loop {
        let (stream, _) = plain.accept().await?;
        tokio::spawn(answer(stream));
    }
}

async fn listen() -> Result<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).await?)
}

/// Beyond its backlog the kernel lets packets fall, as a firewall does.
async fn silent() -> Result<(TcpListener, Vec<TcpStream>)> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::UNSPECIFIED, 0).into())?;
    let listener = socket.listen(1)?;
    let address = (Ipv4Addr::LOCALHOST, listener.local_addr()?.port());
    let mut waiting = Vec::new();
    for _ in 0..WAITING {
        let connecting = timeout(Duration::from_millis(50), TcpStream::connect(address));
        waiting.extend(connecting.await.ok().and_then(Result::ok));
    }
    Ok((listener, waiting))
}

/// With a certificate that nobody signed but itself.
fn acceptor() -> Result<TlsAcceptor> {
    let key = KeyPair::generate()?;
    let certificate =
        CertificateParams::new(vec!["endpoint.test".to_owned()])?.self_signed(&key)?;
    let private = PrivateKeyDer::try_from(key.serialize_der()).map_err(anyhow::Error::msg)?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut request = [0; 1024];
    let mut len = 0;
    while !request[..len].ends_with(b"\r\n\r\n") {
        match stream.read(&mut request[len..]).await? {
            0 => return Ok(()),
            more => len += more,
        }
    }
    let body = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\nConnection: close\r\n\r\nall is well\n";
    stream.write_all(body.as_bytes()).await?;
    stream.shutdown().await
}
