//! Virtual private clouds: networks of clients that see private zones. What a VPC is an operator
//! says; which zones it sees, the owners of both.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::id::{AccountId, VpcId, ZoneId};

/// A VPC as an operator has described it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vpc {
    /// `vpc-` and more.
    pub id: VpcId,
    /// Where it is.
    pub region: VpcRegion,
    /// Who may associate zones with it.
    pub account: AccountId,
    /// Where its clients are; of all VPCs no two networks overlap.
    pub networks: Vec<Network>,
}

impl Vpc {
    /// As a zone names it.
    pub fn associated(&self) -> AssociatedVpc {
        AssociatedVpc {
            id: self.id.clone(),
            region: self.region.clone(),
        }
    }
}

/// A VPC as a zone names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssociatedVpc {
    /// `vpc-` and more.
    pub id: VpcId,
    /// Where it is.
    pub region: VpcRegion,
}

/// That the owner of a VPC may associate it with a zone of another account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcAuthorization {
    /// The zone.
    pub zone: ZoneId,
    /// The VPC.
    pub vpc: AssociatedVpc,
    /// Who owned the VPC when the zone's owner agreed: nobody else may make use of it.
    pub account: AccountId,
}

/// `VPCRegion`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VpcRegion(Box<str>);

impl VpcRegion {
    /// One of the API's regions.
    pub fn new(text: &str) -> Option<Self> {
        Self::ALL.contains(&text).then(|| Self::stored(text))
    }

    /// One that was accepted before.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The API's word.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// All of them, in the order of the API's model.
    pub const ALL: [&'static str; 46] = [
        "us-east-1",
        "us-east-2",
        "us-west-1",
        "us-west-2",
        "eu-west-1",
        "eu-west-2",
        "eu-west-3",
        "eu-central-1",
        "eu-central-2",
        "ap-east-1",
        "me-south-1",
        "us-gov-west-1",
        "us-gov-east-1",
        "us-iso-east-1",
        "us-iso-west-1",
        "us-isob-east-1",
        "me-central-1",
        "ap-southeast-1",
        "ap-southeast-2",
        "ap-southeast-3",
        "ap-south-1",
        "ap-south-2",
        "ap-northeast-1",
        "ap-northeast-2",
        "ap-northeast-3",
        "eu-north-1",
        "sa-east-1",
        "ca-central-1",
        "cn-north-1",
        "cn-northwest-1",
        "af-south-1",
        "eu-south-1",
        "eu-south-2",
        "ap-southeast-4",
        "il-central-1",
        "ca-west-1",
        "ap-southeast-5",
        "mx-central-1",
        "us-isof-south-1",
        "us-isof-east-1",
        "ap-southeast-7",
        "ap-east-2",
        "eu-isoe-west-1",
        "ap-southeast-6",
        "us-isob-west-1",
        "eusc-de-east-1",
    ];
}

impl fmt::Display for VpcRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Addresses that begin alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    /// Zero behind the length.
    address: IpAddr,
    len: u8,
}

/// A text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no network; write 10.1.0.0/16, 2001:db8::/32 or a single address")]
pub struct NetworkError(String);

impl Network {
    /// That of this length which the address lies in; none where no address is that long. An
    /// IPv4 address in the form of an IPv6 one is the IPv4 one.
    pub fn new(address: IpAddr, len: u8) -> Option<Self> {
        let (canonical, len) = match (address, address.to_canonical()) {
            (IpAddr::V6(_), canonical @ IpAddr::V4(_)) => (canonical, len.checked_sub(96)?),
            (_, canonical) => (canonical, len),
        };
        let address = match canonical {
            IpAddr::V4(v4) if len <= 32 => {
                let behind = u32::MAX.checked_shr(len.into()).unwrap_or(0);
                IpAddr::V4((v4.to_bits() & !behind).into())
            }
            IpAddr::V6(v6) if len <= 128 => {
                let behind = u128::MAX.checked_shr(len.into()).unwrap_or(0);
                IpAddr::V6((v6.to_bits() & !behind).into())
            }
            _ => return None,
        };
        Some(Self { address, len })
    }

    /// The first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits all its addresses share.
    pub fn prefix_len(&self) -> u8 {
        self.len
    }

    /// Whether some address lies in both.
    pub fn overlaps(&self, other: &Self) -> bool {
        let len = self.len.min(other.len);
        self.address.is_ipv4() == other.address.is_ipv4()
            && Self::new(self.address, len) == Self::new(other.address, len)
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    /// Reads `10.1.0.0/16`, `2001:db8::/32` or an address alone. Bits behind the length do not
    /// matter.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.to_owned());
        let (address, len) = match text.split_once('/') {
            Some((address, len)) => (address, Some(len)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let len = match len {
            Some(len) => len.parse().map_err(|_| wrong())?,
            None if address.is_ipv4() => 32,
            None => 128,
        };
        Self::new(address, len).ok_or_else(wrong)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_without_the_bits_behind_their_length() {
        let read = |text: &str| text.parse::<Network>().map(|network| network.to_string());
        for (text, network) in [
            ("10.1.2.3/16", "10.1.0.0/16"),
            ("192.0.2.1", "192.0.2.1/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:db8:ffff::1/32", "2001:db8::/32"),
            ("::/0", "::/0"),
            ("::ffff:10.0.0.1/104", "10.0.0.0/8"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(network), "{text}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0/8",
            "::ffff:10.0.0.0/95",
            "a/1",
            "1.2.3.4/-1",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn networks_overlap_when_one_holds_the_other() {
        let overlap = |a: &str, b: &str| {
            let (a, b): (Network, Network) = (a.parse().unwrap(), b.parse().unwrap());
            assert_eq!(a.overlaps(&b), b.overlaps(&a));
            a.overlaps(&b)
        };
        assert!(overlap("10.0.0.0/8", "10.1.0.0/16"));
        assert!(overlap("0.0.0.0/0", "192.0.2.1"));
        assert!(!overlap("10.0.0.0/16", "10.1.0.0/16"));
        assert!(!overlap("0.0.0.0/0", "::/0"));
        assert!(overlap("2001:db8::/32", "2001:db8:1::/48"));
    }
}
