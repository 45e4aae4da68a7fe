//! CIDR collections: networks of clients under the names of locations, for routing by address.
//! Which location a client is at is the business of `answer`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::id::{AccountId, CidrCollectionId};
use crate::vpc::Network;

/// A collection without its blocks, which may be thousands and are kept one by one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrCollection {
    /// A lower-case UUID.
    pub id: CidrCollectionId,
    /// The owner.
    pub account: AccountId,
    /// Unique in the account.
    pub name: String,
    /// What the client called its creation.
    pub caller_reference: String,
    /// 1 at first, and one more with each change of its blocks.
    pub version: u64,
}

/// Blocks of one location of a collection. No block is at two locations; one may lie inside
/// another's, as the longest that matches a client decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CidrBlocks {
    /// The collection.
    pub collection: CidrCollectionId,
    /// The location.
    pub location: CidrLocation,
    /// Some of its blocks.
    pub blocks: Vec<CidrBlock>,
}

/// The name of a location. There are those that have blocks, and no others.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CidrLocation(Box<str>);

/// A text is no name of a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not 1 to 16 letters, digits, hyphens and underscores")]
pub struct InvalidLocation;

/// The longest name of a location.
const LOCATION_MAX: usize = 16;

impl CidrLocation {
    /// A name that a location may be given. `*`, every other client, is none: only record sets
    /// name it.
    ///
    /// # Errors
    /// [`InvalidLocation`] for everything else.
    pub fn new(text: &str) -> Result<Self, InvalidLocation> {
        let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        let fits = (1..=LOCATION_MAX).contains(&text.len());
        (fits && text.bytes().all(known))
            .then(|| Self::stored(text))
            .ok_or(InvalidLocation)
    }

    /// One that was accepted before, whatever is accepted today.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CidrLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A network of clients: /1 to /24 of IPv4, /1 to /48 of IPv6. In the order of the addresses, and
/// a shorter one before the longer ones in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CidrBlock(Network);

/// A text is no block that a collection may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an IPv4 network of /1 to /24 or an IPv6 network of /1 to /48")]
pub struct InvalidBlock;

impl CidrBlock {
    /// One that was accepted before, whatever is accepted today.
    pub fn stored(network: Network) -> Self {
        Self(network)
    }

    /// The network.
    pub fn network(&self) -> Network {
        self.0
    }

    /// The first address.
    pub fn address(&self) -> IpAddr {
        self.0.address()
    }

    /// How many bits all its addresses share.
    pub fn prefix_len(&self) -> u8 {
        self.0.prefix_len()
    }
}

impl FromStr for CidrBlock {
    type Err = InvalidBlock;

    /// Reads `192.0.2.0/24` or `2001:db8::/32` in any spelling of the address. Bits behind the
    /// length do not matter.
    fn from_str(text: &str) -> Result<Self, InvalidBlock> {
        let (address, len) = text.split_once('/').ok_or(InvalidBlock)?;
        let address: IpAddr = address.parse().map_err(|_| InvalidBlock)?;
        // A number of the standard library may have a sign.
        if !len.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidBlock);
        }
        let len: u8 = len.parse().map_err(|_| InvalidBlock)?;
        let longest = if address.is_ipv4() { 24 } else { 48 };
        if !(1..=longest).contains(&len) {
            return Err(InvalidBlock);
        }
        // An IPv4 address in the form of an IPv6 one would need more than 48 bits.
        Network::new(address, len).map(Self).ok_or(InvalidBlock)
    }
}

impl fmt::Display for CidrBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_in_any_spelling_and_written_in_one() {
        for (text, block) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.9/24", "192.0.2.0/24"),
            ("128.0.0.0/1", "128.0.0.0/1"),
            ("2001:DB8:0:0::/48", "2001:db8::/48"),
            ("8000::/1", "8000::/1"),
        ] {
            let read = text.parse::<CidrBlock>().map(|block| block.to_string());
            assert_eq!(read.as_deref(), Ok(block), "{text}");
        }
        for text in [
            "",
            "/8",
            "192.0.2.0",
            "192.0.2.0/25",
            "192.0.2.0/0",
            "0.0.0.0/0",
            "::/0",
            "2001:db8::/49",
            "2001:db8::/32/1",
            "192.0.2.0/+8",
            "192.0.2.0/-8",
            "192.0.2.0/300",
            "192.0.2/16",
            "::ffff:192.0.2.0/120",
            "::ffff:192.0.2.0/40",
            " 192.0.2.0/24",
        ] {
            assert_eq!(text.parse::<CidrBlock>(), Err(InvalidBlock), "{text}");
        }
    }

    #[test]
    fn blocks_go_by_address_and_the_wider_first() {
        let block = |text: &str| text.parse::<CidrBlock>().unwrap();
        let sorted = ["10.0.0.0/8", "10.0.0.0/16", "10.1.0.0/16", "2001:db8::/32"].map(block);
        assert!(sorted.is_sorted());
    }

    #[test]
    fn the_default_location_is_no_name() {
        for text in ["a", "Office_Nord-2", "0123456789abcdef"] {
            assert_eq!(CidrLocation::new(text).unwrap().as_str(), text);
        }
        for text in ["", "*", "a b", "0123456789abcdefg", "ä"] {
            assert_eq!(CidrLocation::new(text), Err(InvalidLocation), "{text}");
        }
    }
}
