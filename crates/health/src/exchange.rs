//! One question put to one resolver: over UDP, and over TCP where the reply is cut off. What is to
//! be asked, what replies say and who is asked next is the business of whoever asks.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use domain::base::iana::Rcode;
use domain::base::{Message, ToName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout_at};

/// Bytes of a reply by UDP that queries are to say they take (DNS flag day 2020).
pub const PAYLOAD: u16 = 1232;
/// The most packets that are passed over while a reply is waited for: others' are thrown in to
/// guess at the query's id.
const MAX_STRANGERS: usize = 32;

/// The reply to a query, if it comes in time.
///
/// # Errors
///
/// [`io::ErrorKind::TimedOut`] if it does not, [`io::ErrorKind::InvalidData`] for a reply over TCP
/// that is none to this query, and what the system says of the way there.
pub async fn exchange(
    server: SocketAddr,
    query: &Message<Vec<u8>>,
    patience: Duration,
) -> io::Result<Message<Vec<u8>>> {
    let deadline = Instant::now() + patience;
    let reply = timeout_at(deadline, by_udp(server, query)).await??;
    if reply.header().tc() {
        return timeout_at(deadline, by_tcp(server, query)).await?;
    }
    Ok(reply)
}

/// Whether it says that nothing listens there, or that there is no way.
pub fn is_nobody(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
    )
}

async fn by_udp(server: SocketAddr, query: &Message<Vec<u8>>) -> io::Result<Message<Vec<u8>>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    // A socket for each query, so that its port is another thing that a forger has to guess.
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(query.as_slice()).await?;
    let mut buffer = vec![0; usize::from(PAYLOAD)];
    for _ in 0..MAX_STRANGERS {
        let len = socket.recv(&mut buffer).await?;
        let packet = buffer.get(..len).unwrap_or_default();
        if let Ok(reply) = Message::from_octets(packet.to_vec())
            && belongs(&reply, query)
        {
            return Ok(reply);
        }
    }
    Err(io::ErrorKind::TimedOut.into())
}

async fn by_tcp(server: SocketAddr, query: &Message<Vec<u8>>) -> io::Result<Message<Vec<u8>>> {
    let mut stream = TcpStream::connect(server).await?;
    let bytes = query.as_slice();
    let len = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream
        .write_all(&[&len.to_be_bytes(), bytes].concat())
        .await?;
    let mut reply = vec![0; usize::from(stream.read_u16().await?)];
    stream.read_exact(&mut reply).await?;
    match Message::from_octets(reply) {
        Ok(reply) if belongs(&reply, query) => Ok(reply),
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

/// Whether it is the reply to this query. A server that refuses may leave out the question; without
/// it nothing is believed but that the server cannot say.
fn belongs(reply: &Message<Vec<u8>>, query: &Message<Vec<u8>>) -> bool {
    let header = reply.header();
    let same = match (reply.sole_question(), query.sole_question()) {
        (Ok(theirs), Ok(ours)) => {
            theirs.qname().name_eq(ours.qname())
                && theirs.qtype() == ours.qtype()
                && theirs.qclass() == ours.qclass()
        }
        _ => {
            let says = matches!(header.rcode(), Rcode::NOERROR | Rcode::NXDOMAIN);
            reply.header_counts().qdcount() == 0 && !says
        }
    };
    header.qr() && header.id() == query.header().id() && same
}
