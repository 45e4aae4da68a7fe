//! The one form that measurements of every source have in common.

use std::net::IpAddr;

use meridian_model::Network;

/// How long a round trip took between a network of clients and a region.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// When it was measured, in seconds since 1970.
    pub at_s: u64,
    /// Whose it is. What is longer than /24 or, of IPv6, /48 is taken as that.
    pub network: Network,
    /// A region by its name.
    pub region: Box<str>,
    /// The round trip, in microseconds.
    pub rtt_us: u32,
    /// How many measurements it sums up; at least 1.
    pub count: u32,
    /// What each of them counts, above 0 and up to 1: [`Kind::weight`], where nothing else is known.
    pub weight: f32,
    /// Who measured it.
    pub kind: Kind,
    /// A number that the same client has in all its samples, keyed so that it leads back to no
    /// address. None where somebody vouches for the sample who is believed: it needs no others.
    pub client: Option<u64>,
}

/// What is kept of an address: the network of /24, or /48 of IPv6, that it is in.
pub fn kept(address: IpAddr) -> Network {
    let address = address.to_canonical();
    let len = if address.is_ipv4() { 24 } else { 48 };
    Network::new(address, len).expect("no address is shorter than this")
}

/// Who measured a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A script in a browser.
    Rum,
    /// An image in a browser, timed by the server.
    Pixel,
    /// The kernel of a server, of somebody's connection to it.
    Tcp,
    /// An agent of the operator's.
    Agent,
    /// A file of the operator's.
    Import,
    /// A probe of RIPE Atlas.
    Atlas,
    /// A test of M-Lab's.
    MLab,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Rum,
        Self::Pixel,
        Self::Tcp,
        Self::Agent,
        Self::Import,
        Self::Atlas,
        Self::MLab,
    ];

    /// What one measurement of this kind counts.
    pub const fn weight(self) -> f32 {
        match self {
            Self::Rum | Self::Pixel | Self::Tcp | Self::Agent | Self::Import => 1.0,
            Self::Atlas => 0.7,
            Self::MLab => 0.5,
        }
    }

    /// What people call it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rum => "rum",
            Self::Pixel => "pixel",
            Self::Tcp => "tcp",
            Self::Agent => "agent",
            Self::Import => "import",
            Self::Atlas => "ripe-atlas",
            Self::MLab => "m-lab",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_names_of_their_own_and_weigh_something() {
        let names: std::collections::BTreeSet<&str> =
            Kind::ALL.iter().map(|kind| kind.as_str()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        assert!(
            Kind::ALL
                .iter()
                .all(|kind| (0.1..=1.0).contains(&kind.weight()))
        );
    }
}
