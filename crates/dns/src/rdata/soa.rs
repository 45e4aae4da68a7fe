//! SOA (RFC 1035 section 3.3.13): two names and five numbers.

use super::RdataError;
use super::fields::Fields;
use super::write::{push_field, push_name};
use crate::cursor::Cursor;

pub(super) fn parse(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let mut out = Vec::new();
    for _ in 0..2 {
        out.extend(fields.name()?.as_wire());
    }
    for _ in 0..5 {
        out.extend(fields.u32()?.to_be_bytes());
    }
    fields.end()?;
    Ok(out)
}

pub(super) fn text(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    for _ in 0..2 {
        push_name(out, wire.name()?)?;
    }
    for _ in 0..5 {
        push_field(out, wire.u32()?)?;
    }
    Some(())
}
