//! Networks of clients as keys of 64 bits, so that a million of them is a table and no burden.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use meridian_model::Network;

/// A network: of IPv4 up to /24, of IPv6 up to /48. In the order of their addresses, IPv4 first,
/// and a wider one before those inside it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(u64);

/// The highest bit tells the families apart. Then come the address (32 bits of IPv4, 48 of IPv6),
/// zeros, and the length in the lowest six bits.
const V6: u64 = 1 << 63;
const ADDRESS_V4: u32 = 31;
const ADDRESS_V6: u32 = 15;
const LEN: u64 = 0x3F;

/// Which addresses, as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Key {
    /// That of a network, or of the /24 or /48 that it is in. Networks behind an IPv4 address by
    /// 6to4 are those of that address.
    pub(crate) fn of(network: Network) -> Self {
        let len = network.prefix_len();
        match network.address() {
            IpAddr::V4(v4) => Self::v4(v4.to_bits(), len),
            IpAddr::V6(v6) => {
                let bits = v6.to_bits();
                match (bits >> 112, len.checked_sub(16)) {
                    (0x2002, Some(behind)) => Self::v4(upper(bits << 16), behind),
                    _ => Self::v6(upper_48(bits), len),
                }
            }
        }
    }

    fn v4(address: u32, len: u8) -> Self {
        let len = len.min(24);
        let behind = u32::MAX.checked_shr(len.into()).unwrap_or(0);
        Self(u64::from(address & !behind) << ADDRESS_V4 | u64::from(len))
    }

    /// From the uppermost 48 bits.
    fn v6(upper: u64, len: u8) -> Self {
        let len = len.min(48);
        let behind = (1_u64 << (48 - u32::from(len))) - 1;
        Self(V6 | (upper & !behind) << ADDRESS_V6 | u64::from(len))
    }

    /// As it was stored; none that is no key.
    pub(crate) fn stored(bits: u64) -> Option<Self> {
        let key = Self(bits);
        let longest = match key.family() {
            Family::V4 => 24,
            Family::V6 => 48,
        };
        (key.len() <= longest && key == Self::of(key.network()?)).then_some(key)
    }

    pub(crate) fn bits(self) -> u64 {
        self.0
    }

    pub(crate) fn family(self) -> Family {
        match self.0 & V6 {
            0 => Family::V4,
            _ => Family::V6,
        }
    }

    pub(crate) fn len(self) -> u8 {
        u8::try_from(self.0 & LEN).unwrap_or(u8::MAX)
    }

    /// The first address.
    pub(crate) fn address(self) -> IpAddr {
        match self.family() {
            Family::V4 => Ipv4Addr::from_bits(upper_32(self.0 << 1)).into(),
            Family::V6 => {
                Ipv6Addr::from_bits(u128::from((self.0 & !V6) >> ADDRESS_V6) << 80).into()
            }
        }
    }

    pub(crate) fn network(self) -> Option<Network> {
        Network::new(self.address(), self.len())
    }

    /// The first address and the one behind the last, as numbers: of IPv4 the address, of IPv6 its
    /// upper half.
    pub(crate) fn span(self) -> (u128, u128) {
        let (first, bits) = match self.address() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32),
            IpAddr::V6(v6) => (v6.to_bits() >> 64, 64),
        };
        (first, first + (1 << (bits - u32::from(self.len()))))
    }

    /// The network of this length around it; itself where it is as short.
    pub(crate) fn widened(self, len: u8) -> Self {
        let len = len.min(self.len());
        match self.address() {
            IpAddr::V4(v4) => Self::v4(v4.to_bits(), len),
            IpAddr::V6(v6) => Self::v6(upper_48(v6.to_bits()), len),
        }
    }

    /// Whether all addresses of the other are in it.
    pub(crate) fn contains(self, other: Self) -> bool {
        self.family() == other.family()
            && self.len() <= other.len()
            && other.widened(self.len()) == self
    }

    /// The lengths at which neighbours are taken together, longest first.
    pub(crate) fn levels(self) -> [u8; 2] {
        match self.family() {
            Family::V4 => [20, 16],
            Family::V6 => [40, 32],
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address(), self.len())
    }
}

fn upper_32(bits: u64) -> u32 {
    (bits >> 32) as u32
}

fn upper_48(bits: u128) -> u64 {
    (bits >> 80) as u64
}

fn upper(bits: u128) -> u32 {
    (bits >> 96) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn key(text: &str) -> Key {
        Key::of(text.parse().unwrap())
    }

    #[test]
    fn networks_are_kept_as_long_as_they_may_be() {
        for (text, kept) in [
            ("192.0.2.7", "192.0.2.0/24"),
            ("192.0.2.128/25", "192.0.2.0/24"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("255.255.255.255", "255.255.255.0/24"),
            ("2001:db8:1:2::3", "2001:db8:1::/48"),
            ("2001:db8::/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::ffff:192.0.2.7", "192.0.2.0/24"),
            ("2002:c000:207::/48", "192.0.2.0/24"),
            ("2002:c000::/24", "192.0.0.0/8"),
        ] {
            assert_eq!(format!("{:?}", key(text)), kept, "{text}");
        }
    }

    #[test]
    fn keys_go_by_address_and_the_wider_first() {
        let sorted = [
            "0.0.0.0/0",
            "10.0.0.0/8",
            "10.0.0.0/24",
            "10.0.1.0/24",
            "255.0.0.0/8",
            "::/0",
            "2001:db8::/32",
            "2001:db8::/48",
        ]
        .map(key);
        assert!(sorted.is_sorted());
    }

    #[test]
    fn spans_end_behind_the_last_address() {
        assert_eq!(key("10.0.1.0/24").span(), (0x0A00_0100, 0x0A00_0200));
        assert_eq!(key("0.0.0.0/0").span(), (0, 1 << 32));
        assert_eq!(key("::/0").span(), (0, 1 << 64));
    }

    proptest! {
        #[test]
        fn keys_come_back_from_their_bits_and_their_networks(
            bits in any::<u128>(), len in 0u8..=128, four in any::<bool>(),
        ) {
            let address: IpAddr = if four {
                Ipv4Addr::from_bits(upper(bits)).into()
            } else {
                Ipv6Addr::from_bits(bits).into()
            };
            let Some(network) = Network::new(address, len.min(if four { 32 } else { 128 })) else {
                return Ok(());
            };
            let key = Key::of(network);
            prop_assert_eq!(Key::stored(key.bits()), Some(key));
            prop_assert_eq!(Key::of(key.network().unwrap()), key);
            for level in key.levels() {
                prop_assert!(key.widened(level).contains(key));
                prop_assert!(key.widened(level) <= key);
            }
        }

        #[test]
        fn bits_that_are_no_key_are_refused(bits in any::<u64>()) {
            if let Some(key) = Key::stored(bits) {
                prop_assert_eq!(key.bits(), bits);
                prop_assert!(key.network().is_some());
            }
        }
    }
}
