//! dnstap: queries and responses as protocol-buffer messages (dnstap.proto) in Frame Streams, to a
//! file or to whoever listens on a Unix socket.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use meridian_server::{Protocol, Record};
use prost::Message as _;

use super::{Sink, output};

/// What the frames are.
const CONTENT_TYPE: &[u8] = b"protobuf:dnstap.Dnstap";
/// Control frames.
const ACCEPT: u32 = 1;
const START: u32 = 2;
const STOP: u32 = 3;
const READY: u32 = 4;
const FINISH: u32 = 5;
/// The one field of control frames.
const FIELD_CONTENT_TYPE: u32 = 1;
/// The longest control frame, as the Frame Streams library has it.
const CONTROL_MAX: usize = 512;
/// How long the other end of a socket may take for anything.
const SOCKET_TIMEOUT: Duration = Duration::from_secs(1);
/// How long after a failure it is tried again.
const RETRY: Duration = Duration::from_secs(2);
/// Bytes gathered before they are sent.
const BUFFER: usize = 1 << 16;

/// Where frames go.
#[derive(Debug, Clone)]
pub(crate) enum Output {
    /// A file, anew at each start.
    File(PathBuf),
    /// A socket that somebody else listens on.
    Socket(PathBuf),
}

/// A stream of frames.
pub(super) struct Dnstap {
    output: Output,
    stream: Option<Stream>,
    /// The file whose stream failed, as long as it may be gone on with.
    torn: Option<File>,
    /// How much of the file is whole frames, as of the last flush.
    whole: u64,
    failed_at: Option<Instant>,
    identity: Vec<u8>,
    frame: Vec<u8>,
}

enum Stream {
    File(BufWriter<File>),
    Socket(BufWriter<UnixStream>),
}

impl Dnstap {
    /// A file must open; whoever listens on a socket may come later.
    pub(super) fn open(output: Output, identity: String) -> Result<Self> {
        let stream = match &output {
            Output::File(path) => {
                let opened = open(&output);
                Some(opened.with_context(|| format!("cannot make {}", path.display()))?)
            }
            Output::Socket(_) => None,
        };
        Ok(Self {
            output,
            whole: stream.as_ref().map_or(0, Stream::length),
            stream,
            torn: None,
            failed_at: None,
            identity: identity.into(),
            frame: Vec::new(),
        })
    }

    fn send(&mut self, record: &Record, kind: Kind) -> io::Result<()> {
        let message = Envelope {
            identity: (!self.identity.is_empty()).then(|| self.identity.clone()),
            version: Some(concat!("meridian ", env!("CARGO_PKG_VERSION")).into()),
            message: Some(message(record, kind)),
            kind: 1,
        };
        self.frame.clear();
        // A vector grows as needed.
        let _ = message.encode(&mut self.frame);
        let len = u32::try_from(self.frame.len()).map_err(io::Error::other)?;
        self.connect()?;
        let stream = self.stream.as_mut();
        let stream = stream.ok_or(io::ErrorKind::NotConnected)?;
        stream.write_all(&len.to_be_bytes())?;
        stream.write_all(&self.frame)
    }

    /// A stream that failed in the midst of a frame is of no use any more. Its file is: without the
    /// frame it is whole again.
    fn given_up(&mut self, error: io::Error) -> io::Error {
        if let Some(stream) = self.stream.take() {
            self.failed_at = Some(Instant::now());
            if let Stream::File(file) = stream {
                self.torn = Some(file.into_parts().0);
            }
        }
        error
    }

    fn connect(&mut self) -> io::Result<()> {
        if self.stream.is_some() {
            return Ok(());
        }
        let failed_at = self.failed_at;
        if failed_at.is_some_and(|failed_at| failed_at.elapsed() < RETRY) {
            return Err(io::ErrorKind::NotConnected.into());
        }
        self.failed_at = Some(Instant::now());
        // A file anew at each try would leave one more behind each time.
        let mended = self.torn.take().and_then(|file| mend(file, self.whole));
        let stream = match mended {
            Some(file) => Stream::File(BufWriter::with_capacity(BUFFER, file)),
            None => open(&self.output)?,
        };
        self.whole = stream.length();
        self.stream = Some(stream);
        Ok(())
    }
}

/// Cuts off what is not whole; none where that cannot be done, as with a pipe.
fn mend(file: File, whole: u64) -> Option<File> {
    let found = file.metadata().ok()?.len();
    (whole > 0).then_some(())?;
    file.set_len(whole.min(found)).ok()?;
    Some(file)
}

impl Sink for Dnstap {
    fn write(&mut self, record: &Record) -> io::Result<()> {
        self.send(record, Kind::AuthQuery)
            .and_then(|()| match record.answered {
                Some(_) => self.send(record, Kind::AuthResponse),
                None => Ok(()),
            })
            .map_err(|error| self.given_up(error))
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match &mut self.stream {
            Some(stream) => stream.flush().map(|()| self.whole = stream.length()),
            None => Ok(()),
        };
        flushed.map_err(|error| self.given_up(error))
    }

    fn reopen(&mut self) -> io::Result<()> {
        if let Output::File(_) = self.output {
            self.finish();
            let stream = open(&self.output)?;
            self.whole = stream.length();
            self.stream = Some(stream);
        }
        Ok(())
    }

    fn finish(&mut self) {
        if let Some(file) = self.torn.take() {
            let _ = mend(file, self.whole);
        }
        if let Some(stream) = self.stream.take() {
            // It fails as it did before, which has been said.
            let _ = stop(stream);
        }
    }
}

/// Opens the output and begins the stream.
fn open(output: &Output) -> io::Result<Stream> {
    let mut stream = match output {
        Output::File(path) => Stream::File(BufWriter::with_capacity(BUFFER, output::begin(path)?)),
        Output::Socket(path) => {
            let socket = UnixStream::connect(path)?;
            socket.set_write_timeout(Some(SOCKET_TIMEOUT))?;
            socket.set_read_timeout(Some(SOCKET_TIMEOUT))?;
            let mut stream = Stream::Socket(BufWriter::with_capacity(BUFFER, socket));
            stream.write_all(&control(READY))?;
            stream.flush()?;
            stream.expect(ACCEPT)?;
            stream
        }
    };
    let begun = stream
        .write_all(&control(START))
        .and_then(|()| stream.flush());
    match (begun, stream) {
        (Ok(()), stream) => Ok(stream),
        (Err(error), Stream::File(file)) => {
            // Not empty, it would be kept beside the file of the next try.
            let _ = file.into_parts().0.set_len(0);
            Err(error)
        }
        (Err(error), Stream::Socket(_)) => Err(error),
    }
}

/// Ends the stream; with a socket, as both sides agree.
fn stop(mut stream: Stream) -> io::Result<()> {
    stream.write_all(&control(STOP))?;
    stream.flush()?;
    stream.expect(FINISH)
}

fn control(kind: u32) -> Vec<u8> {
    let mut content = kind.to_be_bytes().to_vec();
    if kind != STOP {
        content.extend(FIELD_CONTENT_TYPE.to_be_bytes());
        content.extend((CONTENT_TYPE.len() as u32).to_be_bytes());
        content.extend(CONTENT_TYPE);
    }
    // An empty data frame announces a control frame.
    let mut frame = vec![0; 4];
    frame.extend((content.len() as u32).to_be_bytes());
    frame.extend(content);
    frame
}

impl Stream {
    /// How long a file is; 0 where there is none.
    fn length(&self) -> u64 {
        match self {
            Self::File(file) => file.get_ref().metadata().map_or(0, |found| found.len()),
            Self::Socket(_) => 0,
        }
    }

    /// Waits for a control frame; a file has nobody to send one. Which content types the other
    /// side lists does not matter: it would not listen for others.
    fn expect(&mut self, kind: u32) -> io::Result<()> {
        let Self::Socket(socket) = self else {
            return Ok(());
        };
        let mut head = [0; 12];
        socket.get_mut().read_exact(&mut head)?;
        let word =
            |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        let rest = (word(4) as usize).saturating_sub(4);
        if word(0) != 0 || word(8) != kind || rest > CONTROL_MAX {
            return Err(io::Error::other(
                "the other end of the socket speaks another language",
            ));
        }
        socket.get_mut().read_exact(&mut vec![0; rest])
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::Socket(socket) => socket.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::Socket(socket) => socket.flush(),
        }
    }
}

/// dnstap.proto's `Dnstap`, as far as it is used.
#[derive(Clone, PartialEq, prost::Message)]
struct Envelope {
    #[prost(bytes = "vec", optional, tag = "1")]
    identity: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    version: Option<Vec<u8>>,
    #[prost(message, optional, tag = "14")]
    message: Option<Message>,
    #[prost(int32, required, tag = "15")]
    kind: i32,
}

/// dnstap.proto's `Message`, as far as it is used.
#[derive(Clone, PartialEq, prost::Message)]
struct Message {
    #[prost(int32, required, tag = "1")]
    kind: i32,
    #[prost(int32, optional, tag = "2")]
    socket_family: Option<i32>,
    #[prost(int32, optional, tag = "3")]
    socket_protocol: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    query_address: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "5")]
    response_address: Option<Vec<u8>>,
    #[prost(uint32, optional, tag = "6")]
    query_port: Option<u32>,
    #[prost(uint32, optional, tag = "7")]
    response_port: Option<u32>,
    #[prost(uint64, optional, tag = "8")]
    query_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "9")]
    query_time_nsec: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "10")]
    query_message: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "12")]
    response_time_sec: Option<u64>,
    #[prost(fixed32, optional, tag = "13")]
    response_time_nsec: Option<u32>,
    #[prost(bytes = "vec", optional, tag = "14")]
    response_message: Option<Vec<u8>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    AuthQuery = 1,
    AuthResponse = 2,
}

fn message(record: &Record, kind: Kind) -> Message {
    let (client, server) = (canonical(record.client), canonical(record.server));
    let mut message = Message {
        kind: kind as i32,
        socket_family: Some(if client.is_ipv4() { 1 } else { 2 }),
        socket_protocol: Some(protocol(record.protocol)),
        query_address: Some(octets(client.ip())),
        response_address: Some(octets(server.ip())),
        query_port: Some(client.port().into()),
        response_port: Some(server.port().into()),
        ..Message::default()
    };
    let asked = since_1970(record.at).saturating_sub(record.waited);
    message.query_time_sec = Some(asked.as_secs());
    message.query_time_nsec = Some(asked.subsec_nanos());
    match kind {
        Kind::AuthQuery => message.query_message = record.query().map(<[u8]>::to_vec),
        Kind::AuthResponse => {
            let answered = since_1970(record.at);
            message.response_time_sec = Some(answered.as_secs());
            message.response_time_nsec = Some(answered.subsec_nanos());
            message.response_message = record.reply().map(<[u8]>::to_vec);
        }
    }
    message
}

/// An IPv4 client of an IPv6 socket is an IPv4 client.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// dnstap.proto's numbers of `SocketProtocol`.
fn protocol(protocol: Protocol) -> i32 {
    match protocol {
        Protocol::Udp => 1,
        Protocol::Tcp => 2,
        Protocol::Tls => 3,
        Protocol::Https => 4,
        Protocol::Quic => 7,
    }
}

fn since_1970(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or_default()
}
