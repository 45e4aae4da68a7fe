//! Ranges of addresses, as in `192.0.2.0/24`.

use std::net::IpAddr;

/// An address and how many of its bits count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    address: IpAddr,
    bits: u32,
}

impl Range {
    /// Reads `192.0.2.0/24`, or an address alone.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().ok()?;
        let all = if address.is_ipv4() { 32 } else { 128 };
        let bits = match bits {
            Some(bits) if bits.len() <= 3 && bits.bytes().all(|b| b.is_ascii_digit()) => {
                bits.parse().ok()?
            }
            Some(_) => return None,
            None => all,
        };
        (bits <= all).then_some(Self { address, bits })
    }

    /// Whether the address is in it. Addresses of the other family are not.
    pub(super) fn contains(self, address: IpAddr) -> bool {
        let (own, other, all) = match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                (u128::from(own.to_bits()), u128::from(other.to_bits()), 32)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => (own.to_bits(), other.to_bits(), 128),
            _ => return false,
        };
        // A shift by all bits is none at all.
        (own ^ other).checked_shr(all - self.bits).unwrap_or(0) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_what_their_bits_say() {
        for (range, address, expected) in [
            ("192.0.2.0/24", "192.0.2.255", true),
            ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "::1", false),
            ("192.0.2.0/24", "::ffff:192.0.2.1", true),
            ("2001:db8::/32", "2001:db8:ffff::", true),
            ("2001:db8::/32", "2001:db9::", false),
            ("::/0", "2001:db8::", true),
        ] {
            let found = Range::parse(range)
                .unwrap()
                .contains(address.parse().unwrap());
            assert_eq!(found, expected, "{range} {address}");
        }
        for nonsense in [
            "",
            "192.0.2.0/33",
            "192.0.2.0/",
            "192.0.2.0/+1",
            "*",
            "192.0.2/24",
        ] {
            assert_eq!(Range::parse(nonsense), None, "{nonsense}");
        }
    }
}
