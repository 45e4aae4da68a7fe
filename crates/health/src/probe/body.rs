//! The body of a response, as far as a string is looked for in it: its first 5,120 bytes, without
//! framing and coding. It takes bytes as they come and keeps no more than it looks at.

use super::chunks::Chunks;
use super::found::Malformation;
use super::inflate::{Inflate, Undecodable};

/// Where the string has to be.
const WINDOW: usize = 5120;
/// The most bytes that are taken off the wire. Empty blocks and chunks of one byte are framing
/// enough for more than the window, but not for this.
const MAX_WIRE: usize = 64 * 1024;

/// How a body's end is known (RFC 9112, section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// By its length, which is 0 where there is none.
    Length(u64),
    /// It says so itself.
    Chunked,
    /// By that of the connection.
    UntilClose,
}

/// How a body is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    Identity,
    Gzip,
    Deflate,
    /// One that was not asked for.
    Unknown,
}

/// How a search stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Search {
    /// More is needed.
    Goes,
    /// It is there.
    Found,
    /// It will not be.
    Missing,
}

/// Why a body cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BodyFault {
    Malformed(Malformation),
    Undecodable,
}

/// A body that a string is looked for in.
pub(super) struct Body<'s> {
    wanted: &'s [u8],
    unframe: Unframe,
    inflate: Option<Inflate>,
    window: Vec<u8>,
    /// Where the string may still begin.
    looked: usize,
    wire: usize,
}

enum Unframe {
    Length(u64),
    Chunked(Chunks),
    UntilClose,
}

impl<'s> Body<'s> {
    pub(super) fn new(
        wanted: &'s str,
        framing: Framing,
        coding: Coding,
    ) -> Result<Self, BodyFault> {
        let inflate = match coding {
            Coding::Identity => None,
            Coding::Gzip => Some(Inflate::gzip()),
            Coding::Deflate => Some(Inflate::deflate()),
            Coding::Unknown => return Err(BodyFault::Undecodable),
        };
        Ok(Self {
            wanted: wanted.as_bytes(),
            unframe: match framing {
                Framing::Length(left) => Unframe::Length(left),
                Framing::Chunked => Unframe::Chunked(Chunks::default()),
                Framing::UntilClose => Unframe::UntilClose,
            },
            inflate,
            window: Vec::new(),
            looked: 0,
            wire: 0,
        })
    }

    /// Takes what came off the wire; nothing more comes after [`Search::Found`] or `Missing`.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Search, BodyFault> {
        self.wire += bytes.len();
        let mut is_whole = match &mut self.unframe {
            Unframe::Length(left) => {
                let len = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= len as u64;
                let is_whole = *left == 0;
                let decoded = self.decode(bytes.get(..len).unwrap_or_default())?;
                is_whole || decoded
            }
            Unframe::UntilClose => self.decode(bytes)?,
            Unframe::Chunked(chunks) => {
                // Taken out, as what is decoded needs the rest.
                let mut chunks = std::mem::take(chunks);
                let outcome = self.take_chunks(&mut chunks, bytes);
                self.unframe = Unframe::Chunked(chunks);
                outcome?
            }
        };
        if self.looks_found() {
            return Ok(Search::Found);
        }
        is_whole |= self.window.len() >= WINDOW || self.wire >= MAX_WIRE;
        Ok(if is_whole {
            Search::Missing
        } else {
            Search::Goes
        })
    }

    /// Whether the connection may end here.
    pub(super) fn may_end(&self) -> bool {
        matches!(self.unframe, Unframe::UntilClose | Unframe::Length(0))
    }

    fn take_chunks(&mut self, chunks: &mut Chunks, mut bytes: &[u8]) -> Result<bool, BodyFault> {
        // Each turn takes at least one byte.
        while let Some((data, rest)) = chunks.next(bytes).map_err(BodyFault::Malformed)? {
            if self.decode(data)? {
                return Ok(true);
            }
            bytes = rest;
        }
        Ok(chunks.is_over())
    }

    /// Decodes into the window; whether the coding says that the end is reached.
    fn decode(&mut self, bytes: &[u8]) -> Result<bool, BodyFault> {
        match &mut self.inflate {
            None => {
                let room = WINDOW - self.window.len();
                self.window.extend(bytes.iter().take(room));
                Ok(false)
            }
            Some(inflate) => inflate
                .take(bytes, &mut self.window, WINDOW)
                .map_err(|Undecodable| BodyFault::Undecodable),
        }
    }

    fn looks_found(&mut self) -> bool {
        let fresh = self.window.get(self.looked..).unwrap_or_default();
        let len = self.wanted.len().max(1);
        let is_found = fresh.windows(len).any(|window| window == self.wanted);
        // The next look begins where a string that is there in part may begin.
        self.looked = self.looked.max((self.window.len() + 1).saturating_sub(len));
        is_found
    }
}
