//! Types that name a host: NS, CNAME and PTR (RFC 1035), MX, SRV (RFC 2782).

use super::RdataError;
use super::fields::Fields;
use super::write::{push_field, push_name};
use crate::Name;
use crate::cursor::Cursor;

/// One name. An empty value is an empty name rather than a missing field, as at Route 53.
pub(super) fn parse_name(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let name = if fields.is_at_end() {
        Name::parse("")?
    } else {
        fields.name()?
    };
    fields.end()?;
    Ok(name.as_wire().into())
}

pub(super) fn parse_mx(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let mut out = Vec::new();
    out.extend(fields.u16()?.to_be_bytes());
    out.extend(fields.name()?.as_wire());
    fields.end()?;
    Ok(out)
}

pub(super) fn parse_srv(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let mut out = Vec::new();
    for _ in 0..3 {
        out.extend(fields.u16()?.to_be_bytes());
    }
    out.extend(fields.name()?.as_wire());
    fields.end()?;
    Ok(out)
}

pub(super) fn text_name(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    push_name(out, wire.name()?)
}

pub(super) fn text_mx(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    push_field(out, wire.u16()?)?;
    push_name(out, wire.name()?)
}

pub(super) fn text_srv(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    for _ in 0..3 {
        push_field(out, wire.u16()?)?;
    }
    push_name(out, wire.name()?)
}
