//! One probe of one endpoint: what is asked, how long it is waited for, what counts as healthy.
//!
//! Whatever the endpoint does, a probe ends within its time and keeps a few tens of kilobytes. When
//! to probe, and what follows from the outcome, is decided elsewhere.

mod body;
mod chunks;
mod found;
#[cfg(feature = "fuzzing")]
mod fuzzing;
mod http;
mod inflate;
mod tls;

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use meridian_model::{AccountId, Endpoint, HealthCheckId, ProbeRights, Protocol};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::client::TlsStream;

use self::body::{Body, BodyFault, Search};
use self::http::{Head, HeadReader};
use self::tls::Sni;
use crate::guard::{Admission, Busy, Caps, Guard};
use crate::resolve::{ResolveFailure, Resolver};

pub use found::{CertificateFault, Found, Malformation, TlsFailure};
#[cfg(feature = "fuzzing")]
pub use fuzzing::respond;
pub use tls::{Certificate, Tls};

/// How many bytes are read at once.
const READ: usize = 4096;

/// What is probed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Whose it is.
    pub account: AccountId,
    /// Of which check; the endpoint is told.
    pub id: HealthCheckId,
    /// Where and how.
    pub endpoint: Endpoint,
    /// Whether its certificate counts.
    pub certificate: Certificate,
}

/// How long an endpoint may take. The defaults are Route 53's; looking up a name has none there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For the addresses of a name.
    pub resolve: Duration,
    /// For a connection, with its handshake where TLS is spoken.
    pub connect: Duration,
    /// For a connection when that is all that is wanted.
    pub connect_tcp: Duration,
    /// From there to the status.
    pub status: Duration,
    /// From there to the string.
    pub body: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            resolve: Duration::from_secs(4),
            connect: Duration::from_secs(4),
            connect_tcp: Duration::from_secs(10),
            status: Duration::from_secs(2),
            body: Duration::from_secs(2),
        }
    }
}

/// What came out of a probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// What was found.
    pub found: Found,
    /// What the domain name led to, if that was looked up.
    pub resolved: Option<Ipv4Addr>,
    /// How long it took.
    pub times: Times,
}

/// How long the parts of a probe took, as far as it came, in microseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// Until there was a connection.
    pub connect_us: Option<u32>,
    /// From there until TLS's handshake was over.
    pub tls_us: Option<u32>,
    /// From the request until the response's first byte.
    pub first_byte_us: Option<u32>,
}

impl Observation {
    /// The text that Route 53's API tells it by: it begins with `Success: ` or `Failure: `.
    pub fn status(&self) -> String {
        match self.resolved {
            Some(address) => format!("{}. Resolved IP: {address}", self.found),
            None => self.found.to_string(),
        }
    }
}

/// Why nothing was found out. It says nothing of the endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unable {
    /// Too many others are under way.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// This machine has no descriptor, port or memory left.
    #[error("no room for another connection: {0}")]
    Exhausted(io::ErrorKind),
    /// Nobody can be asked for addresses.
    #[error("no resolver can be asked")]
    NoResolver,
}

/// What probes are made with. One serves any number of checkers.
#[derive(Debug)]
pub struct Prober {
    /// Which addresses may be connected to.
    pub guard: Guard,
    /// How many at once.
    pub caps: Caps,
    /// Who is asked for addresses.
    pub resolver: Resolver,
    /// How TLS is spoken.
    pub tls: Tls,
    /// How long endpoints may take.
    pub timeouts: Timeouts,
    /// Where those who are probed may complain; they are told.
    pub contact: Option<String>,
}

impl Prober {
    /// Probes an endpoint for somebody with these rights. By the seed one of several addresses is
    /// chosen, and queries are marked.
    ///
    /// # Errors
    /// When this machine was unable to: that is no outcome.
    pub async fn probe(
        &self,
        target: &Target,
        rights: ProbeRights,
        seed: u64,
    ) -> Result<Observation, Unable> {
        let port = target.endpoint.port;
        let mut seen = Observation {
            found: Found::Connected,
            resolved: None,
            times: Times::default(),
        };
        let address = match target.endpoint.ip_address {
            Some(address) => address,
            None => match self.resolve(target, rights, seed).await {
                Ok(address) => {
                    seen.resolved = Some(address);
                    address.into()
                }
                Err(ResolveFailure::NoResolver) => return Err(Unable::NoResolver),
                Err(failure) => {
                    seen.found = Found::Unresolved(failure);
                    return Ok(seen);
                }
            },
        };
        if let Err(denial) = self.guard.check((address, port).into(), rights) {
            seen.found = Found::Denied(denial);
            return Ok(seen);
        }
        let _place = self.caps.address(address.to_canonical()).await?;
        let outcome = match target.endpoint.protocol {
            Protocol::Tcp => self.tcp(address, port, &mut seen.times).await,
            Protocol::Http => self.http(target, address, &mut seen.times).await,
            Protocol::Https => self.https(target, address, &mut seen.times).await,
        };
        seen.found = match outcome {
            Ok(found) | Err(Stop::Found(found)) => found,
            Err(Stop::Unable(unable)) => return Err(unable),
        };
        Ok(seen)
    }

    /// One of the addresses of the domain name: of those that may be probed, if there are any.
    async fn resolve(
        &self,
        target: &Target,
        rights: ProbeRights,
        seed: u64,
    ) -> Result<Ipv4Addr, ResolveFailure> {
        let name = target.endpoint.domain_name.as_deref().unwrap_or_default();
        let looked_up = self.resolver.addresses(name, seed);
        let mut addresses = timeout(self.timeouts.resolve, looked_up)
            .await
            .unwrap_or(Err(ResolveFailure::NoReply))?;
        let port = target.endpoint.port;
        let may = |address: &Ipv4Addr| self.guard.check((*address, port).into(), rights).is_ok();
        if addresses.iter().any(may) {
            addresses.retain(may);
        }
        let count = addresses.len() as u64;
        let chosen = (seed >> 48).checked_rem(count).unwrap_or(0);
        let mut addresses = addresses.into_iter();
        addresses
            .nth(usize::try_from(chosen).unwrap_or(0))
            .ok_or(ResolveFailure::NoAddress)
    }

    async fn tcp(&self, address: IpAddr, port: u16, times: &mut Times) -> Result<Found, Stop> {
        let deadline = Instant::now() + self.timeouts.connect_tcp;
        connect((address, port).into(), deadline, times).await?;
        Ok(Found::Connected)
    }

    async fn http(
        &self,
        target: &Target,
        address: IpAddr,
        times: &mut Times,
    ) -> Result<Found, Stop> {
        let deadline = Instant::now() + self.timeouts.connect;
        let stream = connect((address, target.endpoint.port).into(), deadline, times).await?;
        let _turn = self.turn(target).await?;
        self.exchange(stream, target, address, times).await
    }

    async fn https(
        &self,
        target: &Target,
        address: IpAddr,
        times: &mut Times,
    ) -> Result<Found, Stop> {
        let endpoint = &target.endpoint;
        let tells = endpoint.enable_sni && endpoint.domain_name.is_some();
        let sni = if tells { Sni::Told } else { Sni::Silent };
        let deadline = Instant::now() + self.timeouts.connect;
        let mut outcome = self.secure(target, address, sni, deadline, times).await;
        if let Err(Stop::Found(found)) = &outcome
            && tls::is_mismatch(*found)
            && sni == Sni::Told
        {
            let again = self.secure(target, address, Sni::Silent, deadline, times);
            outcome = again.await;
        }
        let (stream, _turn) = outcome?;
        self.exchange(stream, target, address, times).await
    }

    /// The turn to talk; that others talk is no result.
    async fn turn(&self, target: &Target) -> Result<Admission, Stop> {
        let turn = self.caps.conversation(&target.account);
        turn.await.map_err(|busy| Stop::Unable(busy.into()))
    }

    /// A connection with TLS over it, and the turn to talk.
    async fn secure(
        &self,
        target: &Target,
        address: IpAddr,
        sni: Sni,
        deadline: Instant,
        times: &mut Times,
    ) -> Result<(TlsStream<TcpStream>, Admission), Stop> {
        let Target {
            endpoint,
            certificate,
            ..
        } = target;
        let stream = connect((address, endpoint.port).into(), deadline, times).await?;
        let connected = Instant::now();
        let turn = self.turn(target).await?;
        let began = Instant::now();
        // It is not the endpoint that others were waited for.
        let deadline = deadline + (began - connected);
        let handshake = self
            .tls
            .connect(stream, endpoint, address, *certificate, sni);
        let outcome = timeout_at(deadline, Box::pin(handshake)).await;
        let stream = outcome.map_err(|_| Found::Tls(TlsFailure::TimedOut))??;
        times.tls_us = Some(since(began));
        Ok((stream, turn))
    }

    /// One request and as much of the response as is wanted.
    async fn exchange(
        &self,
        mut stream: impl AsyncRead + AsyncWrite + Unpin,
        target: &Target,
        address: IpAddr,
        times: &mut Times,
    ) -> Result<Found, Stop> {
        let user_agent = http::user_agent(&target.id, self.contact.as_deref());
        let request = http::request(&target.endpoint, address, &user_agent);
        let answered = answer(&mut stream, &request, times);
        let (head, rest) = timeout(self.timeouts.status, answered)
            .await
            .map_err(|_| Found::StatusTimedOut)??;
        let status = head.status;
        if !(200..400).contains(&status) {
            return Ok(Found::BadStatus(status));
        }
        let Some(wanted) = &target.endpoint.search_string else {
            return Ok(Found::Answered(status));
        };
        let found = find(&mut stream, wanted, head, rest);
        let found = timeout(self.timeouts.body, found).await;
        Ok(found.map_err(|_| Found::BodyTimedOut(status))??)
    }
}

/// Sends the request, and reads the head of the response and what comes with it.
async fn answer(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &[u8],
    times: &mut Times,
) -> Result<(Head, Vec<u8>), Found> {
    let began = Instant::now();
    // One that breaks off may have answered before; what it said is read all the same.
    let _ = send(stream, request).await;
    let mut buffer = vec![0; READ];
    let mut reader = HeadReader::default();
    // Each turn takes at least a byte of no more than the longest head.
    loop {
        let len = stream.read(&mut buffer).await.map_err(|e| broken(&e))?;
        if len == 0 {
            return Err(reader.end());
        }
        times.first_byte_us.get_or_insert_with(|| since(began));
        if let Some(read) = reader.take(buffer.get(..len).unwrap_or_default())? {
            return Ok(read);
        }
    }
}

/// Looks for the string in the body, of which `rest` is there already.
async fn find(
    stream: &mut (impl AsyncRead + Unpin),
    wanted: &str,
    head: Head,
    rest: Vec<u8>,
) -> Result<Found, Found> {
    let status = head.status;
    let fault = |fault| match fault {
        BodyFault::Malformed(what) => Found::Malformed(what),
        BodyFault::Undecodable => Found::Undecodable(status),
    };
    let mut body = Body::new(wanted, head.framing, head.coding).map_err(fault)?;
    let mut buffer = rest;
    let mut len = buffer.len();
    // Each turn takes at least a byte, and the body tells when it has enough.
    loop {
        match body
            .take(buffer.get(..len).unwrap_or_default())
            .map_err(fault)?
        {
            Search::Found => return Ok(Found::Answered(status)),
            Search::Missing => return Ok(Found::StringMissing(status)),
            Search::Goes => {}
        }
        buffer.resize(READ, 0);
        len = match stream.read(&mut buffer).await {
            Ok(len) => len,
            // Many end TLS without saying so.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(broken(&error)),
        };
        if len == 0 && body.may_end() {
            return Ok(Found::StringMissing(status));
        }
        if len == 0 {
            return Err(Found::Closed);
        }
    }
}

/// Why a probe goes no further.
enum Stop {
    Found(Found),
    Unable(Unable),
}

impl From<Found> for Stop {
    fn from(found: Found) -> Self {
        Self::Found(found)
    }
}

async fn connect(
    address: SocketAddr,
    deadline: Instant,
    times: &mut Times,
) -> Result<TcpStream, Stop> {
    let began = Instant::now();
    let Ok(connected) = timeout_at(deadline, TcpStream::connect(address)).await else {
        return Err(Found::ConnectTimedOut.into());
    };
    let stream = connected.map_err(|error| not_connected(&error))?;
    times.connect_us = Some(since(began));
    // Where that fails, the request is sent all the same.
    let _ = stream.set_nodelay(true);
    Ok(stream)
}

fn not_connected(error: &io::Error) -> Stop {
    let found = match error.kind() {
        io::ErrorKind::ConnectionRefused => Found::Refused,
        io::ErrorKind::ConnectionReset => Found::Reset,
        io::ErrorKind::TimedOut => Found::ConnectTimedOut,
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Found::Unreachable,
        kind if is_ours(error) => return Stop::Unable(Unable::Exhausted(kind)),
        _ => Found::NotConnected,
    };
    Stop::Found(found)
}

/// Whether it is this machine that has no room: no descriptors (EMFILE, ENFILE), buffers (ENOBUFS),
/// memory or ports.
fn is_ours(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::OutOfMemory | io::ErrorKind::AddrNotAvailable
    ) || matches!(error.raw_os_error(), Some(23 | 24 | 105))
}

fn broken(error: &io::Error) -> Found {
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Found::Reset,
        io::ErrorKind::UnexpectedEof => Found::Closed,
        // The kernel gave up in the middle of the connection.
        io::ErrorKind::TimedOut => Found::StatusTimedOut,
        _ if error.get_ref().is_some() => Found::Tls(TlsFailure::Misbehaved),
        _ => Found::Closed,
    }
}

async fn send(stream: &mut (impl AsyncWrite + Unpin), request: &[u8]) -> io::Result<()> {
    stream.write_all(request).await?;
    stream.flush().await
}

fn since(began: Instant) -> u32 {
    u32::try_from(began.elapsed().as_micros()).unwrap_or(u32::MAX)
}
