//! The writers of text that several types share.

use std::fmt::{Display, Write};

use crate::Name;

/// Appends one field, after a blank if it is not the first.
pub(super) fn push_field(out: &mut String, field: impl Display) -> Option<()> {
    let blank = if out.is_empty() { "" } else { " " };
    write!(out, "{blank}{field}").ok()
}

/// Appends a name.
pub(super) fn push_name(out: &mut String, wire: &[u8]) -> Option<()> {
    push_field(out, Name::from_wire(wire).ok()?)
}

/// Appends bytes in quotation marks, without a blank before them.
pub(crate) fn push_quoted(out: &mut String, bytes: &[u8]) {
    out.push('"');
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            0x20..0x7f => out.push(char::from(byte)),
            _ => {
                out.push('\\');
                out.extend([6, 3, 0].map(|shift| char::from(b'0' + ((byte >> shift) & 7))));
            }
        }
    }
    out.push('"');
}

/// Appends bytes as hexadecimal digits after a blank; none for an empty slice, which no type of
/// ours allows.
pub(super) fn push_hex(out: &mut String, bytes: &[u8]) -> Option<()> {
    out.push(' ');
    for byte in bytes {
        write!(out, "{byte:02x}").ok()?;
    }
    (!bytes.is_empty()).then_some(())
}
