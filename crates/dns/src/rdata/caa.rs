//! CAA (RFC 8659 section 4.1): `flags tag "value"`.

use super::RdataError;
use super::fields::Fields;
use super::write::{push_field, push_quoted};
use crate::cursor::Cursor;

/// The value runs to the end of the data, so the limit of character strings is not its limit.
pub(super) fn parse(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let mut out = vec![fields.u8()?];
    let tag = fields.word()?;
    match u8::try_from(tag.len()) {
        Ok(len) if is_tag(tag.as_bytes()) => out.push(len),
        _ => return Err(RdataError::IllegalTag(tag.to_owned())),
    }
    out.extend_from_slice(tag.as_bytes());
    out.extend(fields.quoted()?);
    fields.end()?;
    Ok(out)
}

pub(super) fn text(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    push_field(out, wire.u8()?)?;
    let tag = wire.string().filter(|tag| is_tag(tag))?;
    push_field(out, std::str::from_utf8(tag).ok()?)?;
    out.push(' ');
    push_quoted(out, wire.rest());
    Some(())
}

fn is_tag(tag: &[u8]) -> bool {
    !tag.is_empty() && tag.iter().all(u8::is_ascii_alphanumeric)
}
