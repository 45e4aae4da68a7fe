//! Networks of clients: those that clients are counted by, because one customer usually has a whole
//! one, and those that an operator names. What is counted is others' business.

use std::net::IpAddr;
use std::str::FromStr;

/// A network: addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Prefix {
    /// Zero behind the length.
    address: IpAddr,
    len: u8,
}

/// A text is no network.
#[derive(Debug, thiserror::Error)]
#[error("'{0}' is no network; write 192.0.2.0/24, 2001:db8::/32 or a single address")]
pub struct PrefixError(String);

impl FromStr for Prefix {
    type Err = PrefixError;

    /// Reads `192.0.2.0/24`, `2001:db8::/32` or an address alone. Bits behind the length do not
    /// matter.
    fn from_str(text: &str) -> Result<Self, PrefixError> {
        let wrong = || PrefixError(text.to_owned());
        let (address, len) = match text.split_once('/') {
            Some((address, len)) => (address, Some(len)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let len = match len {
            Some(len) => len.parse().map_err(|_| wrong())?,
            None => longest,
        };
        if len > longest {
            return Err(wrong());
        }
        Ok(Self::around(address, len))
    }
}

impl Prefix {
    /// Whether the address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        Self::around(address.to_canonical(), self.len) == *self
    }

    /// Whether every address of its family lies in it.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.len == 0
    }

    /// Its first address.
    pub(crate) fn first_address(&self) -> IpAddr {
        self.address
    }

    /// That of this length which the address lies in.
    fn around(address: IpAddr, len: u8) -> Self {
        let address = match address {
            IpAddr::V4(ip) => {
                let behind = u32::MAX.checked_shr(len.into()).unwrap_or(0);
                IpAddr::V4((ip.to_bits() & !behind).into())
            }
            IpAddr::V6(ip) => {
                let behind = u128::MAX.checked_shr(len.into()).unwrap_or(0);
                IpAddr::V6((ip.to_bits() & !behind).into())
            }
        };
        Self { address, len }
    }
}

/// How long the networks are that clients are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) v4: u8,
    pub(crate) v6: u8,
}

impl Lengths {
    /// The network of a client. A socket for both families shows clients of IPv4 as mapped; they
    /// are of the network they would be of otherwise.
    pub(crate) fn of(self, client: IpAddr) -> Prefix {
        let client = client.to_canonical();
        let len = if client.is_ipv4() { self.v4 } else { self.v6 };
        Prefix::around(client, len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_are_read_and_contain_their_addresses() {
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.9", "192.0.3.9"),
            ("192.0.2.77/24", "::ffff:192.0.2.9", "::192.0.2.9"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
            ("2001:db8::/32", "2001:db8:ffff::", "2001:db9::"),
            ("::/0", "2001:db8::", "192.0.2.1"),
        ] {
            let network: Prefix = network.parse().unwrap();
            assert!(network.contains(ip(inside)), "{inside}");
            assert!(!network.contains(ip(outside)), "{outside}");
        }
        for text in [
            "",
            "192.0.2.0/33",
            "::/129",
            "192.0.2/24",
            "192.0.2.0/",
            "a/8",
            "1.2.3.4/-1",
        ] {
            assert!(text.parse::<Prefix>().is_err(), "{text}");
        }
    }

    #[test]
    fn clients_of_a_network_begin_alike_for_its_length() {
        let lengths = Lengths { v4: 24, v6: 56 };
        let same = |a: &str, b: &str| lengths.of(ip(a)) == lengths.of(ip(b));
        assert!(same("192.0.2.1", "192.0.2.255"));
        assert!(!same("192.0.2.1", "192.0.3.1"));
        assert!(same("2001:db8:0:ff00::1", "2001:db8:0:ffff::1"));
        assert!(!same("2001:db8:0:ff00::1", "2001:db8:0:fe00::1"));
        assert!(same("192.0.2.1", "::ffff:192.0.2.7"));
    }
}
