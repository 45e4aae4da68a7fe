//! What agents post, and how it is signed: both ends read this.
//!
//! The body is JSON. Two headers stand beside it: who sends it and when, and an Ed25519 signature
//! over that and the body. A server takes each agent's posts in the order of their times only, so
//! that nothing that was heard on the way can be sent again.

use serde::{Deserialize, Serialize};

/// `<name> <milliseconds since 1970>`.
pub(crate) const FROM: &str = "meridian-agent";
/// The signature in base64 for URLs.
pub(crate) const SIGNATURE: &str = "meridian-signature";
/// Where posts go to.
pub(crate) const PATH: &str = "/samples";
/// Where it is said what is to be measured.
pub(crate) const SITES_PATH: &str = "/sites";
/// The longest body, in bytes.
pub(crate) const MAX_LEN: usize = 64 * 1024;
/// The most round trips in one.
pub(crate) const MAX_ROUND_TRIPS: usize = 500;
/// The longest name of an agent.
const NAME_MAX: usize = 64;

/// What an agent has measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Post {
    /// The region it is in, where it measures from site to site.
    pub(crate) region: Option<String>,
    pub(crate) round_trips: Vec<RoundTrip>,
}

/// One connection's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoundTrip {
    /// The region at the other end.
    pub(crate) to: String,
    /// When, in seconds since 1970.
    pub(crate) at_s: u64,
    pub(crate) rtt_us: u32,
}

/// Who sends a post, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct From<'a> {
    pub(crate) name: &'a str,
    pub(crate) at_ms: u64,
}

impl<'a> From<'a> {
    /// As it stands in its header.
    pub(crate) fn header(&self) -> String {
        format!("{} {}", self.name, self.at_ms)
    }

    pub(crate) fn read(header: &'a str) -> Option<Self> {
        let (name, at_ms) = header.split_once(' ')?;
        let at_ms = at_ms.parse().ok()?;
        is_name(name).then_some(Self { name, at_ms })
    }

    /// What is signed.
    pub(crate) fn signed(&self, body: &[u8]) -> Vec<u8> {
        let mut signed = format!("meridian agent post 1\n{}\n", self.header()).into_bytes();
        signed.extend_from_slice(body);
        signed
    }
}

/// Whether an agent may be called this.
pub(crate) fn is_name(name: &str) -> bool {
    let is_usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=NAME_MAX).contains(&name.len()) && name.bytes().all(is_usual)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_sends_it_is_read_as_it_is_written() {
        let from = From {
            name: "office-1",
            at_ms: 1_763_700_000_123,
        };
        assert_eq!(From::read(&from.header()), Some(from));
        for wrong in ["", "a", "a ", " 1", "a b", "a 1 2", "a/b 1", "a -1", "a\n1"] {
            assert_eq!(From::read(wrong), None, "{wrong:?}");
        }
    }
}
