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

    /// Whether somebody may be reached by it. A name that is not is a mistake, such as a network or
    /// an address with a typing error: hosts have letters, digits, `-` and `_` in their names, and
    /// no number at the end (RFC 1123, section 2.1).
    pub fn is_reachable(&self) -> bool {
        let Self::Host(name) = self else {
            return true;
        };
        let is_written = |label: &[u8]| {
            label
                .iter()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(b))
        };
        let is_number = |label: &[u8]| label.iter().all(u8::is_ascii_digit);
        name.labels().all(is_written) && name.labels().last().is_some_and(|it| !is_number(it))
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
