//! Which addresses an account may have connected to on its behalf, by probes and whatever else goes
//! out for it. Ranges here are the special purposes of RFC 6890 and its registries (before: RFC
//! 5735, 6598 and 5156), and where clouds keep their secrets; what listens on this machine is not
//! known here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an account may have probed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProbeRights {
    /// What the whole Internet can reach.
    #[default]
    Public,
    /// Private networks too, as far as they are not this machine's own affairs.
    Private,
    /// Whatever something can listen at: the operator's right.
    Everything,
}

impl ProbeRights {
    /// All of them, the least first.
    pub const ALL: [Self; 3] = [Self::Public, Self::Private, Self::Everything];

    /// The word on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Private => "private",
            Self::Everything => "everything",
        }
    }

    /// Whether an address of this range may be probed; `None` is an ordinary address.
    pub fn allow(self, range: Option<AddressRange>) -> bool {
        match range.map(AddressRange::needs) {
            None => true,
            Some(Some(needed)) => self >= needed,
            Some(None) => false,
        }
    }
}

/// A range of addresses for a special purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their own names")]
pub enum AddressRange {
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

impl AddressRange {
    /// The range an address is in, unless it is an ordinary one.
    pub fn of(address: IpAddr) -> Option<Self> {
        match address {
            IpAddr::V4(v4) => of_v4(v4),
            IpAddr::V6(v6) => of_v6(v6),
        }
    }

    /// The right that its addresses need; `None` is that nobody can have it.
    pub const fn needs(self) -> Option<ProbeRights> {
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
    pub const fn as_str(self) -> &'static str {
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

fn of_v4(address: Ipv4Addr) -> Option<AddressRange> {
    if METADATA.contains(&address) {
        return Some(AddressRange::Metadata);
    }
    let range = match address.octets() {
        // Linux connects to itself for all of 0.0.0.0/8's first address.
        [0, ..] => AddressRange::Unspecified,
        [127, ..] => AddressRange::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => AddressRange::Private,
        [100, 64..=127, ..] => AddressRange::Shared,
        [169, 254, ..] => AddressRange::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => AddressRange::Documentation,
        [198, 18..=19, ..] => AddressRange::Benchmarking,
        [192, 0, 0, _] => AddressRange::Reserved,
        // The anycast relay of 6to4 (RFC 7526).
        [192, 88, 99, _] => AddressRange::Tunnel,
        [224..=239, ..] => AddressRange::Multicast,
        // Reserved for ever (RFC 1112, section 4), up to the broadcast address.
        [240..=255, ..] => AddressRange::Nowhere,
        _ => return None,
    };
    Some(range)
}

fn of_v6(address: Ipv6Addr) -> Option<AddressRange> {
    if let Some(v4) = address.to_ipv4_mapped() {
        return of_v4(v4);
    }
    let [.., c, d] = address.segments();
    let last = Ipv4Addr::from((u32::from(c) << 16) | u32::from(d));
    let range = match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => AddressRange::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => AddressRange::Loopback,
        // AWS's own services on an instance, and Google's.
        [0xfd00, 0xec2, ..] | [0xfd20, 0xce, ..] => AddressRange::Metadata,
        [0xfc00..=0xfdff, ..] => AddressRange::Private,
        [0xfe80..=0xfebf, ..] => AddressRange::LinkLocal,
        [0xff00..=0xffff, ..] => AddressRange::Multicast,
        // A translator (RFC 6052) goes to the address in it, so that is what counts.
        [0x64, 0xff9b, 0, 0, 0, 0, ..] => return of_v4(last),
        // Translators with other ideas of where the address stands (RFC 8215), addresses written
        // after zeros (RFC 4291, section 2.5.5.1; RFC 2765), Teredo (RFC 4380), 6to4 (RFC 3056).
        [0x64, 0xff9b, 1, ..]
        | [0, 0, 0, 0, 0 | 0xffff, 0, ..]
        | [0x2001, 0, ..]
        | [0x2002, ..] => AddressRange::Tunnel,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => AddressRange::Documentation,
        [0x2001, 2, 0, ..] => AddressRange::Benchmarking,
        // The rest of what the IETF keeps for protocols (RFC 2928), ORCHIDs among it.
        [0x2001, 1..=0x1ff, ..] => AddressRange::Reserved,
        // Nothing else is given out yet (RFC 4291, section 2.4).
        [0x2000..=0x3fff, ..] => return None,
        _ => AddressRange::Reserved,
    };
    Some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_probed_grows_with_the_rights() {
        let least = |text: &str| {
            let range = AddressRange::of(text.parse().unwrap());
            let mut rights = ProbeRights::ALL.into_iter();
            rights.find(|rights| rights.allow(range))
        };
        for (address, needed) in [
            ("8.8.8.8", Some(ProbeRights::Public)),
            ("2606:4700::1111", Some(ProbeRights::Public)),
            ("64:ff9b::8.8.8.8", Some(ProbeRights::Public)),
            ("10.0.0.1", Some(ProbeRights::Private)),
            ("100.64.0.1", Some(ProbeRights::Private)),
            ("fd00::1", Some(ProbeRights::Private)),
            ("::ffff:10.0.0.1", Some(ProbeRights::Private)),
            ("127.0.0.1", Some(ProbeRights::Everything)),
            ("169.254.169.254", Some(ProbeRights::Everything)),
            ("192.0.2.44", Some(ProbeRights::Everything)),
            ("2001:db8::1", Some(ProbeRights::Everything)),
            ("64:ff9b::127.0.0.1", Some(ProbeRights::Everything)),
            ("0.0.0.0", None),
            ("224.0.0.1", None),
            ("255.255.255.255", None),
            ("ff02::1", None),
            ("::", None),
        ] {
            assert_eq!(least(address), needed, "{address}");
        }
    }
}
