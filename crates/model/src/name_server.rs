//! The pool of name-server names that zones are answered through.

use std::net::IpAddr;

use meridian_dns::Name;

/// One name of the pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameServer {
    /// The name that delegations carry, in lower case.
    pub name: Name,
    /// Where it is reached. Zones are visible on the addresses of their name servers and nowhere
    /// else.
    pub addresses: Vec<IpAddr>,
    /// The order of the pool: stripes are taken from it, so it never changes for a name.
    pub ordinal: u32,
}
