//! From a client's address to its VPC: ranges of addresses that do not overlap, found by halving.

use std::net::IpAddr;

use meridian_model::Vpc;

/// The networks of all VPCs.
#[derive(Debug, Default)]
pub(crate) struct Networks {
    v4: Box<[Range<u32>]>,
    v6: Box<[Range<u128>]>,
}

#[derive(Debug)]
struct Range<A> {
    first: A,
    last: A,
    /// The place of its VPC.
    vpc: u32,
}

impl Networks {
    /// The networks of these VPCs, which are known by their places. Where some overlap all the
    /// same, an address counts as of the one that begins last.
    pub(crate) fn of(vpcs: &[Vpc]) -> Self {
        let (mut v4, mut v6) = (Vec::new(), Vec::new());
        for (vpc, place) in vpcs.iter().zip(0..) {
            for network in &vpc.networks {
                let len = u32::from(network.prefix_len());
                match network.address() {
                    IpAddr::V4(first) => {
                        let first = first.to_bits();
                        let last = first | u32::MAX.checked_shr(len).unwrap_or(0);
                        v4.push(Range {
                            first,
                            last,
                            vpc: place,
                        });
                    }
                    IpAddr::V6(first) => {
                        let first = first.to_bits();
                        let last = first | u128::MAX.checked_shr(len).unwrap_or(0);
                        v6.push(Range {
                            first,
                            last,
                            vpc: place,
                        });
                    }
                }
            }
        }
        v4.sort_unstable_by_key(|range| range.first);
        v6.sort_unstable_by_key(|range| range.first);
        Self {
            v4: v4.into(),
            v6: v6.into(),
        }
    }

    /// The place of the VPC that a client is in. Clients of IPv4 may come in the form of IPv6.
    pub(crate) fn find(&self, client: IpAddr) -> Option<usize> {
        let place = match client.to_canonical() {
            IpAddr::V4(client) => find(&self.v4, client.to_bits()),
            IpAddr::V6(client) => find(&self.v6, client.to_bits()),
        };
        place.and_then(|place| usize::try_from(place).ok())
    }
}

fn find<A: PartialOrd + Copy>(ranges: &[Range<A>], client: A) -> Option<u32> {
    let after = ranges.partition_point(|range| range.first <= client);
    let range = ranges.get(after.checked_sub(1)?)?;
    (client <= range.last).then_some(range.vpc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use meridian_model::{AccountId, VpcId, VpcRegion};

    #[test]
    fn clients_are_found_in_their_networks_and_nowhere_else() {
        let vpc = |networks: &[&str]| Vpc {
            id: VpcId::new("vpc-1").unwrap(),
            region: VpcRegion::stored("eu-west-1"),
            account: AccountId::new("1").unwrap(),
            networks: networks.iter().map(|text| text.parse().unwrap()).collect(),
        };
        let networks = Networks::of(&[
            vpc(&["10.1.0.0/16", "2001:db8:1::/48", "192.0.2.7"]),
            vpc(&[]),
            vpc(&["10.0.0.0/16", "10.2.0.0/15", "ffff::/16", "255.0.0.0/8"]),
        ]);
        for (client, place) in [
            ("10.0.0.0", Some(2)),
            ("10.0.255.255", Some(2)),
            ("10.1.0.0", Some(0)),
            ("::ffff:10.1.255.255", Some(0)),
            ("10.3.255.255", Some(2)),
            ("10.4.0.0", None),
            ("9.255.255.255", None),
            ("0.0.0.0", None),
            ("255.255.255.255", Some(2)),
            ("192.0.2.7", Some(0)),
            ("192.0.2.8", None),
            ("2001:db8:1:ffff::1", Some(0)),
            ("2001:db8:2::", None),
            ("::", None),
            ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Some(2)),
        ] {
            assert_eq!(networks.find(client.parse().unwrap()), place, "{client}");
        }
        let all = Networks::of(&[vpc(&["0.0.0.0/0", "::/0"])]);
        assert_eq!(all.find("203.0.113.1".parse().unwrap()), Some(0));
        assert_eq!(all.find("2001:db8::1".parse().unwrap()), Some(0));
        assert_eq!(Networks::default().find("10.0.0.1".parse().unwrap()), None);
    }
}
