//! A position in a packet. Every read gives none where the packet is too short.

use crate::name::wire_len;

/// The not yet read part of a packet.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
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

    /// An uncompressed name; none where a compression pointer stands in it.
    pub(super) fn name(&mut self) -> Option<&'a [u8]> {
        self.take(wire_len(self.0)?)
    }

    /// Moves past a name that may end in a compression pointer, which is not followed.
    pub(super) fn skip_name(&mut self) -> Option<()> {
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
