//! Packets in, packets out: UDP and TCP with their limits and counters; never policy.
//!
//! What a reply says is crate `answer`'s. Here are the sockets, the threads, and the pointer
//! through which a new World reaches them.

mod answerer;
mod bound;
mod certificate;
mod config;
mod counters;
mod https;
mod live;
mod prefix;
mod quic;
mod rate;
mod seats;
mod server;
mod service;
mod socket;
mod sys;
mod tap;
mod tcp;
#[cfg(test)]
mod tests;
mod udp;

pub use bound::{Bound, BoundSocket, Role};
pub use certificate::{Certificate, CertificateError};
pub use config::{Config, Encrypted, Encryption, Listener, ListenerView, StartError, TcpLimits};
pub use counters::{
    AnswerCounts, BUCKETS, Counters, Counts, Latency, PerProtocol, Protocol, RcodeLabel,
    StreamCounts, TypeLabel, UdpCounts, rcode_label,
};
pub use https::{Https, HttpsConnection, HttpsListener};
pub use live::Live;
pub use prefix::{Prefix, PrefixError};
pub use rate::{RateLimit, RateLimitError};
pub use server::Server;
pub use sys::{LargePages, Prefetch, TcpInfo};
pub use tap::{Messages, Record, Taken, Tap, TapCounts, TapSettings, Taps};
pub use tcp::ACCEPT_PAUSE;
#[cfg(any(test, feature = "fuzzing"))]
pub use tcp::{Turn, converse};
