//! A running server hands its sockets and files to a new process: what the two say to each other.
//!
//! The old process, the predecessor, starts the new one, its successor, and then:
//!
//! 1. sends it duplicates of all its sockets, while everything goes on;
//! 2. stops taking changes: connections queue up. It closes journal, tables and vault, and answers
//!    DNS on from memory;
//! 3. when the successor has read the files and answers DNS too, it stops answering: what it has
//!    not taken from a socket, the successor takes;
//! 4. when the successor has said that it serves, it ends.
//!
//! Up to the last step it kills a successor that fails or takes too long, opens the files again and
//! goes on. From the moment it has the sockets the successor does not need it any more: should it
//! die, the successor goes on alone.

mod channel;
mod predecessor;
mod successor;

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Duration;

use meridian_server::BoundSocket;
use serde::{Deserialize, Serialize};

pub(crate) use predecessor::Predecessor;
pub(crate) use successor::Successor;

/// The version of what is said. It is the value of [`ENVIRONMENT`].
const PROTOCOL: u32 = 1;
/// The variable that tells a process that its standard input is the channel to a predecessor.
const ENVIRONMENT: &str = "MERIDIAN_REPLACES";
/// The most sockets that are handed over: 64 addresses with many workers and kinds of listeners.
const MAX_SOCKETS: usize = 8192;

/// How long a new process may take until it speaks.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// How long each message of handing over the sockets may take.
const SOCKETS_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the successor may take with what needs neither files nor the end of its predecessor: it
/// reads files of addresses.
const PREPARED_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the predecessor may take from then until the files are closed; requests in progress
/// are let finish.
const FILES_TIMEOUT: Duration = Duration::from_secs(60);
/// How long the successor may take to open the files and build what it answers from.
const ANSWERING_TIMEOUT: Duration = Duration::from_secs(120);
/// How long the predecessor may take to stop answering. One that has not by then hangs, and would
/// answer with an old state for ever.
const QUIET_TIMEOUT: Duration = Duration::from_secs(20);
/// How long the successor may take to open the API.
const SERVING_TIMEOUT: Duration = Duration::from_secs(10);

/// What one process tells the other, in the order in which it is told.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case")]
enum Message {
    /// Successor: it is there and speaks this protocol.
    Hello { protocol: u32, version: String },
    /// Predecessor: whose successor it is, and how many sockets will come.
    Welcome { data_dir: String, sockets: usize },
    /// Predecessor: some of the sockets, which come with it in this order.
    Sockets { places: Vec<Place> },
    /// Successor: it has them all.
    Prepared,
    /// Predecessor: the files are closed.
    Files,
    /// Successor: it answers DNS.
    Answering,
    /// Predecessor: it does not answer any more.
    Quiet,
    /// Successor: it has taken everything over.
    Serving,
    /// Successor, at any time: why it ends.
    Failed { reason: String },
}

/// What a socket is for. Words are never given to other kinds of sockets; a successor closes what
/// it does not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// `api`, `metrics`, `admin`, or a role of DNS.
    pub(crate) role: String,
    /// The address as configured; none for the admin socket.
    pub(crate) address: Option<SocketAddr>,
    /// Which of those with this role and address.
    pub(crate) number: usize,
}

/// A socket on its way from one process to the other.
#[derive(Debug)]
pub(crate) struct Handed {
    pub(crate) place: Place,
    pub(crate) socket: OwnedFd,
}

impl From<BoundSocket> for Handed {
    fn from(bound: BoundSocket) -> Self {
        Self {
            place: Place {
                role: bound.role.name().to_owned(),
                address: Some(bound.address),
                number: bound.number,
            },
            socket: bound.socket,
        }
    }
}
