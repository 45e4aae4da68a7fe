//! One question to one server: by UDP, by TCP when the reply is cut off, again when none comes.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use domain::base::iana::Class;
use domain::base::{Message, MessageBuilder, Name, Rtype, ToName};
use domain::rdata::AllRecordData;
use meridian_control::{Environment, SystemEnvironment};

/// How long a reply may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// How often one is asked for by UDP.
const TRIES: usize = 3;
/// What fits a reply by UDP (DNS flag day 2020).
const PAYLOAD: u16 = 1232;

/// The port name servers are asked at; another one for trials.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Port(pub(crate) u16);

/// Whether the server is to ask others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recursion {
    Wanted,
    Not,
}

/// A reply, as texts that can be compared and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    /// As in `NXDOMAIN`.
    pub(super) rcode: String,
    /// Whether the server speaks for the zone.
    pub(super) authoritative: bool,
    pub(super) answer: Vec<Record>,
    pub(super) authority: Vec<Record>,
    pub(super) additional: Vec<Record>,
}

/// A record. Names are in lower case with their last dot, also those in the data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Record {
    pub(super) owner: String,
    pub(super) rtype: String,
    pub(super) data: String,
    pub(super) ttl: u32,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            owner,
            rtype,
            data,
            ttl,
        } = self;
        write!(f, "{owner} {ttl} {rtype} {data}")
    }
}

impl Reply {
    /// The data of the answer's records of this type and owner, sorted.
    pub(super) fn data(&self, owner: &str, rtype: &str) -> Vec<String> {
        data(&self.answer, owner, rtype)
    }
}

/// The data of records of this type and owner, sorted.
pub(super) fn data(records: &[Record], owner: &str, rtype: &str) -> Vec<String> {
    let same = |record: &&Record| record.owner == owner && record.rtype == rtype;
    let mut found: Vec<String> = records
        .iter()
        .filter(same)
        .map(|record| record.data.clone())
        .collect();
    found.sort();
    found
}

/// A name in the form in which names are compared here.
pub(super) fn normal(name: &str) -> String {
    format!("{}.", name.trim_end_matches('.').to_lowercase())
}

/// Asks, and reads the reply.
///
/// # Errors
/// When no reply came, or none that can be read.
pub(super) fn ask(
    server: SocketAddr,
    name: &str,
    rtype: &str,
    recursion: Recursion,
) -> Result<Reply> {
    let query = query(name, rtype, recursion)?;
    let reply = exchange(server, &query)
        .with_context(|| format!("{server} does not answer about {name} {rtype}"))?;
    read(&reply).with_context(|| format!("{server}: the reply about {name} {rtype} is unreadable"))
}

fn query(name: &str, rtype: &str, recursion: Recursion) -> Result<Message<Vec<u8>>> {
    // Read as everywhere here: escapes are octal.
    let name = meridian_dns::Name::parse(name)?;
    let name = Name::from_octets(name.as_wire().to_vec())?;
    let Ok(rtype) = Rtype::from_str(rtype) else {
        bail!("'{rtype}' is no type of records");
    };
    let mut question = MessageBuilder::new_vec().question();
    let [high, low, ..] = SystemEnvironment::new().entropy();
    question
        .header_mut()
        .set_id(u16::from_be_bytes([high, low]));
    question.header_mut().set_rd(recursion == Recursion::Wanted);
    question.push((name, rtype, Class::IN))?;
    let mut additional = question.additional();
    additional.opt(|opt| {
        opt.set_udp_payload_size(PAYLOAD);
        Ok(())
    })?;
    Ok(additional.into_message())
}

fn exchange(server: SocketAddr, query: &Message<Vec<u8>>) -> Result<Message<Vec<u8>>> {
    for _ in 0..TRIES {
        match by_udp(server, query) {
            Ok(reply) if reply.header().tc() => return Ok(by_tcp(server, query)?),
            Ok(reply) => return Ok(reply),
            Err(error) if is_silence(&error) => {}
            Err(error) => return Err(error.into()),
        }
    }
    bail!("no reply {TRIES} times within {} s", TIMEOUT.as_secs())
}

fn is_silence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

fn by_udp(server: SocketAddr, query: &Message<Vec<u8>>) -> io::Result<Message<Vec<u8>>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => [0; 4].into(),
        SocketAddr::V6(_) => [0; 16].into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server)?;
    socket.send(query.as_slice())?;
    let deadline = Instant::now() + TIMEOUT;
    let mut buffer = vec![0; usize::from(u16::MAX)];
    // Others' packets are passed over until the time is over.
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        socket.set_read_timeout(Some(left))?;
        let len = socket.recv(&mut buffer)?;
        if let Ok(reply) = Message::from_octets(buffer[..len].to_vec())
            && belongs(&reply, query)
        {
            return Ok(reply);
        }
    }
}

fn by_tcp(server: SocketAddr, query: &Message<Vec<u8>>) -> io::Result<Message<Vec<u8>>> {
    let mut stream = TcpStream::connect_timeout(&server, TIMEOUT)?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    let bytes = query.as_slice();
    let len = u16::try_from(bytes.len()).map_err(io::Error::other)?;
    stream.write_all(&[&len.to_be_bytes(), bytes].concat())?;
    let mut len = [0; 2];
    stream.read_exact(&mut len)?;
    let mut reply = vec![0; usize::from(u16::from_be_bytes(len))];
    stream.read_exact(&mut reply)?;
    let reply = Message::from_octets(reply).map_err(io::Error::other)?;
    if !belongs(&reply, query) {
        return Err(io::Error::other("the reply is to another question"));
    }
    Ok(reply)
}

/// Whether it is the reply to this query. A server that refuses may leave out the question.
fn belongs(reply: &Message<Vec<u8>>, query: &Message<Vec<u8>>) -> bool {
    let header = reply.header();
    let same = match (reply.sole_question(), query.sole_question()) {
        (Ok(theirs), Ok(ours)) => {
            theirs.qname().name_eq(ours.qname()) && theirs.qtype() == ours.qtype()
        }
        _ => reply.header_counts().qdcount() == 0,
    };
    header.qr() && header.id() == query.header().id() && same
}

fn read(reply: &Message<Vec<u8>>) -> Result<Reply> {
    let (_, answer, authority, additional) = reply.sections()?;
    let section = |section: domain::base::message::RecordSection<'_, Vec<u8>>| -> Result<_> {
        let mut records = Vec::new();
        for record in section.limit_to::<AllRecordData<_, _>>() {
            let record = record?;
            if record.rtype() == Rtype::OPT {
                continue;
            }
            records.push(Record {
                owner: normal(&record.owner().to_string()),
                rtype: record.rtype().to_string(),
                ttl: record.ttl().as_secs(),
                data: shown(record.rtype(), &record.data().to_string()),
            });
        }
        Ok(records)
    };
    Ok(Reply {
        rcode: reply.opt_rcode().to_string(),
        authoritative: reply.header().aa(),
        answer: section(answer)?,
        authority: section(authority)?,
        additional: section(additional)?,
    })
}

/// Data as a text. Capitals mean nothing in that of the types that consist of names and numbers.
fn shown(rtype: Rtype, data: &str) -> String {
    match rtype {
        Rtype::CNAME | Rtype::NS | Rtype::PTR | Rtype::MX | Rtype::SRV | Rtype::SOA => data
            .split_whitespace()
            .map(|word| {
                if word.bytes().all(|byte| byte.is_ascii_digit()) {
                    word.to_owned()
                } else {
                    normal(word)
                }
            })
            .collect::<Vec<_>>()
            .join(" "),
        _ => data.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_data_compare_without_case_and_numbers_stay() {
        assert_eq!(shown(Rtype::MX, "10 Mail.Example."), "10 mail.example.");
        assert_eq!(shown(Rtype::TXT, "\"Case Stays\""), "\"Case Stays\"");
        assert_eq!(normal("WWW.Example"), "www.example.");
        assert_eq!(normal("."), ".");
    }

    #[test]
    fn a_query_can_be_made_of_what_a_user_writes() {
        let made = query("www.example", "AAAA", Recursion::Not).unwrap();
        assert_eq!(made.sole_question().unwrap().qtype(), Rtype::AAAA);
        assert!(!made.header().rd());
        assert!(query("a..b", "A", Recursion::Not).is_err());
        assert!(query("a.b", "NONSENSE", Recursion::Not).is_err());
    }
}
