//! A position in bytes from the wire. Every read gives none where they are too short.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::name::wire_len;

/// The not yet read part of a packet, or of record data.
pub(crate) struct Cursor<'a>(pub(crate) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(crate) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_be_bytes)
    }

    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn v4(&mut self) -> Option<Ipv4Addr> {
        self.array::<4>().map(Into::into)
    }

    pub(crate) fn v6(&mut self) -> Option<Ipv6Addr> {
        self.array::<16>().map(Into::into)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }

    /// A character string without its length byte.
    pub(crate) fn string(&mut self) -> Option<&'a [u8]> {
        let len = self.u8()?;
        self.take(len.into())
    }

    /// An uncompressed name; none where a compression pointer stands in it.
    pub(crate) fn name(&mut self) -> Option<&'a [u8]> {
        self.take(wire_len(self.0)?)
    }

    /// Moves past a name that may end in a compression pointer, which is not followed.
    pub(crate) fn skip_name(&mut self) -> Option<()> {
        // Each turn moves on by a byte at least, so the packet's length is the bound.
        loop {
            match self.u8()? {
                0 => return Some(()),
                len @ 1..=63 => self.take(len.into())?,
                0xc0.. => return self.u8().map(drop),
                // Label types 01 and 10 were never used (RFC 6891 section 5).
                _ => return None,
            };
        }
    }
}
