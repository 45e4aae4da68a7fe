//! The options of a query that this server reads; all others are ignored (RFC 6891 section 6.1.2).

use super::codes::option;
use super::edns::{ClientSubnet, Edns};
use crate::cursor::Cursor;

/// The options of a query whose presence is all they say. One byte, because queries are moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Asked(u8);

impl Asked {
    const NSID: u8 = 1;
    const ZONE_VERSION: u8 = 2;
    const KEEPALIVE: u8 = 4;
    const PADDING: u8 = 8;

    /// The server's identifier (RFC 5001).
    pub fn nsid(self) -> bool {
        self.0 & Self::NSID != 0
    }

    /// The version of the zone that answers (RFC 9660).
    pub fn zone_version(self) -> bool {
        self.0 & Self::ZONE_VERSION != 0
    }

    /// How long an idle connection is kept (RFC 7828).
    pub fn keepalive(self) -> bool {
        self.0 & Self::KEEPALIVE != 0
    }

    /// A padded reply (RFC 7830 section 4).
    pub fn padding(self) -> bool {
        self.0 & Self::PADDING != 0
    }
}

impl Edns<'_> {
    /// Whether an option with this code came, read or not, of whatever version the record is. What
    /// follows one that is cut short, as those of other versions may be, is not looked at.
    #[must_use]
    pub fn has_option(&self, code: u16) -> bool {
        let mut rest = Cursor(self.options);
        // Each turn consumes four bytes at least.
        while let (Some(found), Some(len)) = (rest.u16(), rest.u16()) {
            if found == code {
                return true;
            }
            if rest.take(len.into()).is_none() {
                return false;
            }
        }
        false
    }

    /// None where an option is due a FORMERR.
    pub(super) fn read_options(&mut self) -> Option<()> {
        let mut rest = Cursor(self.options);
        // Each turn consumes four bytes at least.
        while !rest.is_empty() {
            let code = rest.u16()?;
            let len = rest.u16()?;
            let data = rest.take(len.into())?;
            match code {
                // Data that a query has no business to bring is passed over (RFC 5001 section
                // 2.1), also where it says nothing of servers: BIND reads past the timeout that
                // a client must not send (RFC 7828 section 3.2.1).
                option::NSID => self.asked.0 |= Asked::NSID,
                option::TCP_KEEPALIVE => self.asked.0 |= Asked::KEEPALIVE,
                option::PADDING => self.asked.0 |= Asked::PADDING,
                // A query brings it empty (RFC 9660 section 3.1); BIND refuses others too.
                option::ZONEVERSION if !data.is_empty() => return None,
                option::ZONEVERSION => self.asked.0 |= Asked::ZONE_VERSION,
                // Two subnets contradict each other; no sender has a reason for it.
                option::CLIENT_SUBNET if self.client_subnet.is_some() => return None,
                option::CLIENT_SUBNET => self.client_subnet = Some(read_client_subnet(data)?),
                // Only the first counts, whatever the others are (RFC 7873 section 5.2).
                option::COOKIE if self.cookie.is_some() => {}
                option::COOKIE if !matches!(data.len(), 8 | 16..=40) => return None,
                option::COOKIE => self.cookie = Some(data),
                _ => {}
            }
        }
        Some(())
    }
}

/// None for what is due a FORMERR: address bytes too few or too many, bits set behind the prefix, a
/// prefix longer than the family's addresses, a scope in a query (RFC 7871 section 6), and families
/// without a meaning here.
fn read_client_subnet(data: &[u8]) -> Option<ClientSubnet<'_>> {
    let mut rest = Cursor(data);
    let subnet = ClientSubnet {
        family: rest.u16()?,
        source: rest.u8()?,
        scope: rest.u8()?,
        address: rest.0,
    };
    let longest = match subnet.family {
        0 => 0,
        1 => 32,
        2 => 128,
        _ => return None,
    };
    let whole_bytes = usize::from(subnet.source.div_ceil(8)) == subnet.address.len();
    let spare_bits = subnet.source.wrapping_neg() % 8;
    let spare_mask = !(0xffu8 << spare_bits);
    let clean = subnet
        .address
        .last()
        .is_none_or(|last| last & spare_mask == 0);
    (subnet.source <= longest && subnet.scope == 0 && whole_bytes && clean).then_some(subnet)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(options: &[u8]) -> Option<Edns<'_>> {
        Edns::read(1232, [0; 4], options)
    }

    #[test]
    fn presence_asks_and_unknown_options_do_not() {
        let all = |options| {
            let asked = read(options).unwrap().asked;
            let [a, b] = [asked.nsid(), asked.zone_version()];
            [a, b, asked.keepalive(), asked.padding()]
        };
        assert_eq!(all(b"\x00\x03\x00\x00"), [true, false, false, false]);
        assert_eq!(all(b"\x00\x13\x00\x00"), [false, true, false, false]);
        assert_eq!(all(b"\x00\x0b\x00\x00"), [false, false, true, false]);
        assert_eq!(all(b"\x00\x0c\x00\x03\0\0\0"), [false, false, false, true]);
        // What a query should not bring: an identifier, a timeout.
        assert_eq!(all(b"\x00\x03\x00\x01x"), [true, false, false, false]);
        assert_eq!(
            all(b"\x00\x0b\x00\x02\x00\x64"),
            [false, false, true, false]
        );
        assert_eq!(all(b"\x00\x64\x00\x00\xff\xfe\x00\x01x"), [false; 4]);
        assert_eq!(read(b"\x00\x13\x00\x06\x01\x00\x00\x00\x07\xda"), None);
    }

    #[test]
    fn an_option_is_found_among_others() {
        // Of another version, whose options are not read.
        let other = |options| Edns::read(1232, [0, 1, 0, 0], options).unwrap();
        for (options, expected) in [
            (&b""[..], false),
            (b"\0\x0b\0\0", true),
            (b"\0\x0b\0\x09", true),
            (b"\0\x0a\0\x01a\0\x0b\0\x02ab", true),
            (b"\0\x0a\0\x04\0\x0b\0\0", false),
            (b"\0\x0a\0\x09\0\x0b\0\0", false),
            (b"\0\x0b\0", false),
        ] {
            let found = other(options).has_option(option::TCP_KEEPALIVE);
            assert_eq!(found, expected, "{options:?}");
        }
        let two = read(b"\0\x0b\0\0\xff\xfe\0\x01x").unwrap();
        assert!(two.has_option(0xfffe) && !two.has_option(0xffff));
    }

    #[test]
    fn only_the_first_cookie_counts() {
        let with = |lengths: &[u8]| {
            let mut options = Vec::new();
            for len in lengths {
                options.extend([0, 10, 0, *len]);
                options.extend(vec![*len; usize::from(*len)]);
            }
            read(&options).map(|edns| edns.cookie.map(<[u8]>::len))
        };
        for len in [8, 16, 24, 40] {
            assert_eq!(with(&[len]), Some(Some(len.into())));
            assert_eq!(
                with(&[len, 7]),
                Some(Some(len.into())),
                "the second is not looked at"
            );
        }
        for len in [0, 1, 7, 9, 15, 41, 255] {
            assert_eq!(with(&[len]), None, "{len}");
            assert_eq!(with(&[len, 8]), None, "{len}");
        }
        assert_eq!(with(&[]), Some(None));
    }
}
