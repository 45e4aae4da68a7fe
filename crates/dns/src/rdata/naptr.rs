//! NAPTR (RFC 3403 section 4): `order preference "flags" "service" "regexp" replacement`.

use super::RdataError;
use super::fields::Fields;
use super::write::{push_field, push_name, push_quoted};
use crate::cursor::Cursor;

pub(super) fn parse(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let mut out = Vec::new();
    for _ in 0..2 {
        out.extend(fields.u16()?.to_be_bytes());
    }
    for _ in 0..3 {
        fields.string(&mut out)?;
    }
    out.extend(fields.name()?.as_wire());
    fields.end()?;
    Ok(out)
}

pub(super) fn text(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    for _ in 0..2 {
        push_field(out, wire.u16()?)?;
    }
    for _ in 0..3 {
        out.push(' ');
        push_quoted(out, wire.string()?);
    }
    push_name(out, wire.name()?)
}
