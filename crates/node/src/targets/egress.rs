//! Which right the addresses in a record need: those of A and AAAA records, and the hints of HTTPS
//! records. Whose zone it is, and what rights its account has, is known to whoever answers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use meridian_dns::RecordType;
use meridian_health::Guard;
use meridian_model::ProbeRights;

/// The parameters of HTTPS records that are addresses (RFC 9460, section 14.3.2).
const IPV4_HINT: u16 = 4;
const IPV6_HINT: u16 = 6;

/// The least rights with which this record may be answered. What nobody may connect to, and what
/// cannot be read, is for those with all.
pub(super) fn needed(guard: &Guard, rtype: RecordType, data: &[u8]) -> ProbeRights {
    let addresses = match rtype {
        RecordType::A | RecordType::Aaaa => address(data).map(|address| vec![address]),
        _ => hints(data),
    };
    let least = |address| guard.least_rights(address);
    let Some(addresses) = addresses else {
        return ProbeRights::Everything;
    };
    let needed = addresses
        .into_iter()
        .map(|address| least(address).unwrap_or(ProbeRights::Everything));
    needed.max().unwrap_or(ProbeRights::Public)
}

fn address(data: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(data).map(|octets| Ipv4Addr::from(octets).into());
    let v6 = || <[u8; 16]>::try_from(data).map(|octets| Ipv6Addr::from(octets).into());
    v4.or_else(|_| v6()).ok()
}

/// The addresses in an HTTPS record: priority, name and parameters, each with a key and a length.
fn hints(data: &[u8]) -> Option<Vec<IpAddr>> {
    let mut rest = data.get(2..)?;
    loop {
        let (len, labels) = rest.split_first()?;
        rest = labels.get(usize::from(*len)..)?;
        if *len == 0 {
            break;
        }
    }
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (key, behind) = rest.split_first_chunk::<2>()?;
        let (len, behind) = behind.split_first_chunk::<2>()?;
        let len = usize::from(u16::from_be_bytes(*len));
        let (value, behind) = behind.split_at_checked(len)?;
        rest = behind;
        let size = match u16::from_be_bytes(*key) {
            IPV4_HINT => 4,
            IPV6_HINT => 16,
            _ => continue,
        };
        for hint in value.chunks(size) {
            found.push(address(hint)?);
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use meridian_dns::rdata;

    use super::*;

    #[test]
    fn a_record_needs_the_right_to_all_addresses_in_it() {
        use ProbeRights::{Everything, Private, Public};
        let own = ["8.8.4.4:53".parse().unwrap()];
        let guard = Guard::new(&own, &[]);
        for (rtype, text, right) in [
            ("A", "8.8.8.8", Public),
            ("A", "10.0.0.1", Private),
            ("A", "127.0.0.1", Everything),
            ("A", "8.8.4.4", Everything),
            ("A", "0.0.0.0", Everything),
            ("AAAA", "2606:4700::1", Public),
            ("AAAA", "fd00::1", Private),
            ("AAAA", "::ffff:10.0.0.1", Private),
            ("AAAA", "fe80::1", Everything),
            ("HTTPS", "1 . alpn=\"h2\"", Public),
            ("HTTPS", "0 edge.example.", Public),
            ("HTTPS", "1 . ipv4hint=8.8.8.8,10.0.0.1", Private),
            (
                "HTTPS",
                "1 a.b. port=443 ipv4hint=8.8.8.8 ipv6hint=::1",
                Everything,
            ),
            (
                "HTTPS",
                "1 a.b. alpn=\"h2\" ipv6hint=2606:4700::1,fd00::1",
                Private,
            ),
        ] {
            let rtype: RecordType = rtype.parse().unwrap();
            let data = rdata::parse(rtype, text).unwrap();
            assert_eq!(needed(&guard, rtype, &data), right, "{text}");
        }
        // What is cut off somewhere is nobody's but the operator's.
        let whole = rdata::parse(RecordType::Https, "1 a.b. ipv4hint=8.8.8.8").unwrap();
        for len in (0..whole.len()).filter(|len| *len != 7) {
            assert_eq!(
                needed(&guard, RecordType::Https, &whole[..len]),
                Everything,
                "{len}"
            );
        }
    }
}
