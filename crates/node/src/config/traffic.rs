//! Settings of what is done with DNS traffic beside answering it: limiting replies.

use std::net::IpAddr;

use meridian_server::Prefix;
use serde::{Deserialize, Deserializer, de::Error};

/// How many replies a network gets over UDP.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RateLimit {
    /// Replies of each class to each network; 0 is no limit.
    pub(crate) responses_per_second: u32,
    /// Every this many replies that are held back, one goes out with TC=1; 0 is never.
    pub(crate) slip: u8,
    /// The length of an IPv4 network.
    pub(crate) ipv4_prefix: u8,
    /// The length of an IPv6 network.
    pub(crate) ipv6_prefix: u8,
    /// Networks and addresses without a limit.
    #[serde(deserialize_with = "prefixes")]
    pub(crate) exempt: Vec<Prefix>,
}

impl Default for RateLimit {
    fn default() -> Self {
        Self {
            responses_per_second: 0,
            slip: 2,
            ipv4_prefix: 24,
            ipv6_prefix: 56,
            exempt: Vec::new(),
        }
    }
}

impl RateLimit {
    /// What the server is told; none if there is no limit.
    pub(crate) fn server(&self) -> Option<meridian_server::RateLimit> {
        (self.responses_per_second > 0).then(|| meridian_server::RateLimit {
            responses_per_second: self.responses_per_second,
            slip: self.slip,
            ipv4_prefix: self.ipv4_prefix,
            ipv6_prefix: self.ipv6_prefix,
            exempt: self.exempt.clone(),
        })
    }
}

fn prefixes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Prefix>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let prefixes = texts
        .iter()
        .map(|text| text.parse().map_err(D::Error::custom));
    prefixes.collect()
}

/// Whether everybody can ask this address. 0.0.0.0 and `[::]` may be anything, so they count.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(ip) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        IpAddr::V6(ip) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
    }
}
