//! A (RFC 1035 section 3.4.1) and AAAA (RFC 3596).

use crate::cursor::Cursor;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::RdataError;
use super::write::push_field;
use crate::RecordType;

/// One address. `std`'s readers are strict: four decimal numbers without leading zeros, no zone.
pub(super) fn parse(rtype: RecordType, value: &str) -> Result<Vec<u8>, RdataError> {
    let field = value.trim_matches(' ');
    if field.contains(' ') {
        let value = value.to_owned();
        return Err(RdataError::NotSingleField { rtype, value });
    }
    if rtype == RecordType::A {
        match field.parse::<Ipv4Addr>() {
            Ok(address) => Ok(address.octets().into()),
            Err(_) => Err(RdataError::IllegalIpv4(value.to_owned())),
        }
    } else {
        match field.parse::<Ipv6Addr>() {
            Ok(address) => Ok(address.octets().into()),
            Err(_) => Err(RdataError::IllegalIpv6(value.to_owned())),
        }
    }
}

pub(super) fn text_v4(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    push_field(out, wire.v4()?)
}

pub(super) fn text_v6(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    push_field(out, wire.v6()?)
}
