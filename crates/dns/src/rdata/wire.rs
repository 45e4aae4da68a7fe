//! The wire side's reader, and the writers of text that several types share.

use std::fmt::{Display, Write};

use crate::Name;
use crate::name::wire_len;

/// The not yet read part of record data. Every method gives none where the data is too short.
pub(super) struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    pub(super) fn new(wire: &'a [u8]) -> Self {
        Self(wire)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(super) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(super) fn v4(&mut self) -> Option<std::net::Ipv4Addr> {
        self.array::<4>().map(Into::into)
    }

    pub(super) fn v6(&mut self) -> Option<std::net::Ipv6Addr> {
        self.array::<16>().map(Into::into)
    }

    /// An uncompressed name, root label included.
    pub(super) fn name(&mut self) -> Option<&'a [u8]> {
        self.take(wire_len(self.0)?)
    }

    /// A character string without its length byte.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let len = self.u8()?;
        self.take(len.into())
    }
}

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
pub(super) fn push_quoted(out: &mut String, bytes: &[u8]) {
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
