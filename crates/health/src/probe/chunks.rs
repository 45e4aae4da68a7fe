//! Bodies in chunks (RFC 9112, section 7.1). What follows the last chunk is of no interest here.

use super::found::Malformation;

/// The longest line before a chunk, extensions included: nobody uses them.
const MAX_LINE: usize = 256;

/// Where in a body in chunks its reader stands.
#[derive(Debug, Default)]
pub(super) enum Chunks {
    /// In the line before a chunk: the size so far, and how long the line is.
    #[default]
    Begin,
    Size {
        size: u64,
        digits: u8,
    },
    /// Behind the size, up to the end of the line.
    Rest {
        size: u64,
        len: usize,
    },
    /// In a chunk, of which this much is to come.
    Data(u64),
    /// Behind a chunk, before the end of its line.
    Behind,
    Over,
}

/// Data, and what lies behind it.
pub(super) type Piece<'b> = (&'b [u8], &'b [u8]);

impl Chunks {
    /// The next data in these bytes and what lies behind them; `None` when the bytes are used up or
    /// the body is over.
    pub(super) fn next<'b>(
        &mut self,
        mut bytes: &'b [u8],
    ) -> Result<Option<Piece<'b>>, Malformation> {
        loop {
            if let Self::Data(left) = *self {
                let len = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
                let (data, rest) = bytes.split_at(len);
                let left = left - len as u64;
                *self = if left == 0 {
                    Self::Behind
                } else {
                    Self::Data(left)
                };
                return Ok((!data.is_empty()).then_some((data, rest)));
            }
            if self.is_over() {
                return Ok(None);
            }
            let Some((byte, rest)) = bytes.split_first() else {
                return Ok(None);
            };
            *self = self.step(*byte).ok_or(Malformation::Framing)?;
            bytes = rest;
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    /// One byte of what stands between data.
    fn step(&self, byte: u8) -> Option<Self> {
        let next = match (self, byte) {
            (Self::Behind, b'\r') => Self::Behind,
            (Self::Behind, b'\n') => Self::Begin,
            (Self::Begin, _) => Self::Size {
                size: hex(byte)?,
                digits: 1,
            },
            (Self::Size { size, .. } | Self::Rest { size, .. }, b'\n') => match *size {
                0 => Self::Over,
                size => Self::Data(size),
            },
            (Self::Size { size, .. }, b'\r' | b';' | b' ' | b'\t') => Self::Rest {
                size: *size,
                len: 0,
            },
            (Self::Size { size, digits }, _) if *digits < 15 => Self::Size {
                size: (size << 4) | hex(byte)?,
                digits: digits + 1,
            },
            (Self::Rest { size, len }, _) if *len < MAX_LINE => Self::Rest {
                size: *size,
                len: len + 1,
            },
            _ => return None,
        };
        Some(next)
    }
}

fn hex(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}
