//! TXT (RFC 1035 section 3.3.14) and SPF: one or more character strings in quotation marks.

use super::RdataError;
use super::fields::Fields;
use super::write::push_quoted;
use crate::cursor::Cursor;

/// Strings follow each other with or without blanks between them, as Route 53 takes them.
pub(super) fn parse(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let mut out = Vec::new();
    fields.string(&mut out)?;
    // Each turn consumes two quotation marks at least.
    while !fields.is_at_end() {
        fields.string(&mut out)?;
    }
    Ok(out)
}

pub(super) fn text(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    push_quoted(out, wire.string()?);
    while !wire.is_empty() {
        out.push(' ');
        push_quoted(out, wire.string()?);
    }
    Some(())
}
