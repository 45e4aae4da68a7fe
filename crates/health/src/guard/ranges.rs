//! The ranges of addresses that not everybody may have probed: the special purposes of RFC 6890 and
//! its registries (before: RFC 5735, 6598 and 5156), and where clouds keep their secrets.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::ProbeRights;

/// A range of addresses for a special purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their own names")]
pub enum Range {
    Unspecified,
    Loopback,
    LinkLocal,
    /// Where a cloud tells its machines who they are, credentials included.
    Metadata,
    Private,
    /// Between customers and their provider (RFC 6598).
    Shared,
    Multicast,
    Documentation,
    Benchmarking,
    /// An address of version 6 behind which one of version 4 hides.
    Tunnel,
    /// All others that are not given to anybody.
    Reserved,
    /// Nothing listens there, now or ever.
    Nowhere,
}

impl Range {
    /// The range an address is in, unless it is an ordinary one.
    pub(super) fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }

    /// The right that its addresses need; `None` is that nobody can have it.
    pub(super) const fn needs(self) -> Option<ProbeRights> {
        match self {
            Self::Private | Self::Shared => Some(ProbeRights::Private),
            Self::Loopback
            | Self::LinkLocal
            | Self::Metadata
            | Self::Documentation
            | Self::Benchmarking
            | Self::Tunnel
            | Self::Reserved => Some(ProbeRights::Everything),
            Self::Unspecified | Self::Multicast | Self::Nowhere => None,
        }
    }

    /// What its addresses are.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "an unspecified address",
            Self::Loopback => "a loopback address",
            Self::LinkLocal => "a link-local address",
            Self::Metadata => "an address of cloud metadata",
            Self::Private => "a private address",
            Self::Shared => "a shared address",
            Self::Multicast => "a multicast address",
            Self::Documentation => "an address for documentation",
            Self::Benchmarking => "an address for benchmarks",
            Self::Tunnel => "an address of a tunnel",
            Self::Reserved => "a reserved address",
            Self::Nowhere => "an address that nothing can listen at",
        }
    }
}

/// The metadata of Alibaba, Azure and Oracle, whose addresses are in other ranges or in none; AWS's
/// and Google's is the link-local 169.254.169.254.
const METADATA: [Ipv4Addr; 4] = [
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

fn of_v4(address: Ipv4Addr) -> Option<Range> {
    if METADATA.contains(&address) {
        return Some(Range::Metadata);
    }
    let range = match address.octets() {
        // Linux connects to itself for all of 0.0.0.0/8's first address.
        [0, ..] => Range::Unspecified,
        [127, ..] => Range::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Range::Private,
        [100, 64..=127, ..] => Range::Shared,
        [169, 254, ..] => Range::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Range::Documentation,
        [198, 18..=19, ..] => Range::Benchmarking,
        [192, 0, 0, _] => Range::Reserved,
        // The anycast relay of 6to4 (RFC 7526).
        [192, 88, 99, _] => Range::Tunnel,
        [224..=239, ..] => Range::Multicast,
        // Reserved for ever (RFC 1112, section 4), up to the broadcast address.
        [240..=255, ..] => Range::Nowhere,
        _ => return None,
    };
    Some(range)
}

fn of_v6(address: Ipv6Addr) -> Option<Range> {
    if let Some(v4) = address.to_ipv4_mapped() {
        return of_v4(v4);
    }
    let [.., c, d] = address.segments();
    let last = Ipv4Addr::from((u32::from(c) << 16) | u32::from(d));
    let range = match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Range::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Range::Loopback,
        // AWS's own services on an instance, and Google's.
        [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..] => Range::Metadata,
        [0xfc00..=0xfdff, ..] => Range::Private,
        [0xfe80..=0xfebf, ..] => Range::LinkLocal,
        [0xff00..=0xffff, ..] => Range::Multicast,
        // A translator (RFC 6052) goes to the address in it, so that is what counts.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => return of_v4(last),
        // Translators with other ideas of where the address stands (RFC 8215), addresses written
        // after zeros (RFC 4291, section 2.5.5.1; RFC 2765), Teredo (RFC 4380), 6to4 (RFC 3056).
        [0x64, 0xff9b, 1, ..]
        | [0, 0, 0, 0, 0 | 0xffff, 0, ..]
        | [0x2001, 0, ..]
        | [0x2002, ..] => Range::Tunnel,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => Range::Documentation,
        [0x2001, 2, 0, ..] => Range::Benchmarking,
        // The rest of what the IETF keeps for protocols (RFC 2928), ORCHIDs among it.
        [0x2001, 1..=0x1ff, ..] => Range::Reserved,
        // Nothing else is given out yet (RFC 4291, section 2.4).
        [0x2000..=0x3fff, ..] => return None,
        _ => Range::Reserved,
    };
    Some(range)
}
