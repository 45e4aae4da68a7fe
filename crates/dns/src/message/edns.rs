//! The OPT record of a query (RFC 6891). Its options are read in `options`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::options::Asked;

/// What the OPT record of a query says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edns<'a> {
    /// The largest UDP payload the sender takes, as sent; below 512 means 512.
    pub udp_payload: u16,
    /// The version. For any but 0 the options are not read and the answer is BADVERS.
    pub version: u8,
    /// Whether DNSSEC records are wanted (RFC 3225).
    pub dnssec_ok: bool,
    /// Whom the query is asked for (RFC 7871).
    pub client_subnet: Option<ClientSubnet<'a>>,
    /// Client cookie, and server cookie if there is one: 8 or 16 to 40 bytes (RFC 7873).
    pub cookie: Option<&'a [u8]>,
    /// What is asked for by an option's mere presence.
    pub asked: Asked,
    /// All options as they came.
    pub options: &'a [u8],
}

/// A client subnet option, in a query or in a reply (RFC 7871 section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientSubnet<'a> {
    /// 1 for IPv4, 2 for IPv6; 0 with `source` 0 from senders that tell nothing.
    pub family: u16,
    /// The number of leading bits of the address that the sender tells.
    pub source: u8,
    /// The number of leading bits the answer depends on; 0 in queries.
    pub scope: u8,
    /// The told bits, padded with zero bits to whole bytes.
    pub address: &'a [u8],
}

impl ClientSubnet<'_> {
    /// The address, zero behind the prefix, and the prefix length; none for family 0.
    pub fn prefix(&self) -> Option<(IpAddr, u8)> {
        let address = match self.family {
            1 => {
                // Bytes that are written one by one are slow to be read together.
                let told = |at| u32::from(*self.address.get(at).unwrap_or(&0));
                let bits = (0..4).fold(0, |bits, at| bits << 8 | told(at));
                IpAddr::V4(Ipv4Addr::from_bits(bits))
            }
            2 => {
                let mut octets = [0; 16];
                for (to, from) in octets.iter_mut().zip(self.address) {
                    *to = *from;
                }
                IpAddr::V6(Ipv6Addr::from(octets))
            }
            _ => return None,
        };
        Some((address, self.source))
    }
}

impl<'a> Edns<'a> {
    /// Reads an OPT record from its class, TTL and data; none for anything malformed.
    pub(super) fn read(class: u16, ttl: [u8; 4], options: &'a [u8]) -> Option<Self> {
        let [_rcode, version, flags, _] = ttl;
        let mut edns = Self {
            udp_payload: class,
            version,
            dnssec_ok: flags & 0x80 != 0,
            client_subnet: None,
            cookie: None,
            asked: Asked::default(),
            options,
        };
        if version == 0 {
            edns.read_options()?;
        }
        Some(edns)
    }
}
