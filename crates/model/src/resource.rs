//! Resources: hosts and addresses that somebody has said the region of, and how their health is
//! known. What is read out of names is the business of `host_region`.

use std::fmt;
use std::net::IpAddr;

use meridian_dns::Name;

use crate::id::{AccountId, HealthCheckId};
use crate::routing::Region;

/// A host or an address that an account has registered, for its own record sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Whose it is.
    pub account: AccountId,
    /// What it is reached by.
    pub name: ResourceName,
    /// Where it is.
    pub region: Region,
    /// The check that says whether it works; one of the account's when it was registered.
    pub health_check: Option<HealthCheckId>,
}

impl Resource {
    /// How many an account may have.
    pub const MAX: u64 = 10_000;
}

/// What a resource is reached by.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ResourceName {
    /// A host name, in lower case.
    Host(Name),
    /// An address.
    Address(IpAddr),
}

impl ResourceName {
    /// An address, or a host name with or without its final dot. None for what is neither, and for
    /// names that many hosts have: the root and wildcards.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Address(address.to_canonical()));
        }
        let name = Name::parse(text).ok()?.to_lowercase();
        (!name.is_root() && !name.is_wildcard()).then_some(Self::Host(name))
    }
}

impl fmt::Display for ResourceName {
    /// A host name ends with a dot, which no address does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(name) => name.fmt(f),
            Self::Address(address) => address.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hosts_or_addresses() {
        for (text, shown) in [
            ("LB.example.net", "lb.example.net."),
            ("lb.example.net.", "lb.example.net."),
            ("192.0.2.7", "192.0.2.7"),
            ("2001:DB8::7", "2001:db8::7"),
            ("::ffff:192.0.2.7", "192.0.2.7"),
        ] {
            let name = ResourceName::parse(text).unwrap();
            assert_eq!(name.to_string(), shown);
            assert_eq!(ResourceName::parse(shown), Some(name));
        }
        for text in ["", ".", "*.example.net", "a b", "x..y"] {
            assert_eq!(ResourceName::parse(text), None, "{text}");
        }
    }
}
