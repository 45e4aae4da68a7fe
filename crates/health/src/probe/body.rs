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
        let taken = match &mut self.unframe {
            Unframe::Length(left) => {
                let len = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
                *left -= len as u64;
                let is_whole = *left == 0;
                let decoded = self.decode(bytes.get(..len).unwrap_or_default());
                decoded.map(|decoded| is_whole || decoded)
            }
            Unframe::UntilClose => self.decode(bytes),
            Unframe::Chunked(chunks) => {
                // Taken out, as what is decoded needs the rest.
                let mut chunks = std::mem::take(chunks);
                let outcome = self.take_chunks(&mut chunks, bytes);
                self.unframe = Unframe::Chunked(chunks);
                outcome
            }
        };
        // What is wrong behind the string is not looked at, even if it came with it.
        if self.looks_found() {
            return Ok(Search::Found);
        }
        // Nor is what is wrong behind the window.
        let is_full = self.window.len() >= WINDOW;
        Ok(if is_full || taken? || self.wire >= MAX_WIRE {
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

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::compress_to_vec;
    use proptest::prelude::*;

    use super::*;

    const WANTED: &str = "needle";

    fn search(body: &mut Body<'_>, pieces: &[&[u8]]) -> Result<Search, BodyFault> {
        for piece in pieces {
            let outcome = body.take(piece)?;
            assert!(body.window.len() <= WINDOW);
            if outcome != Search::Goes {
                return Ok(outcome);
            }
        }
        Ok(Search::Goes)
    }

    fn chunked(data: &[u8], size: usize) -> Vec<u8> {
        let mut chunks = Vec::new();
        for chunk in data.chunks(size) {
            chunks.extend(format!("{:X}\r\n", chunk.len()).bytes());
            chunks.extend(chunk);
            chunks.extend(b"\r\n");
        }
        chunks.extend(b"0\r\n\r\n");
        chunks
    }

    #[test]
    fn a_string_before_a_broken_chunk_is_there_however_it_comes() {
        let bytes = b"6\r\nneedle\r\nzz";
        for piece in 1..=bytes.len() {
            let mut body = Body::new(WANTED, Framing::Chunked, Coding::Identity).unwrap();
            let pieces: Vec<&[u8]> = bytes.chunks(piece).collect();
            assert_eq!(search(&mut body, &pieces), Ok(Search::Found), "{piece}");
        }
    }

    proptest! {
        /// However the network cuts it, in chunks or compressed or both.
        #[test]
        fn a_string_is_found_where_it_is(
            len in 0_usize..7000,
            at in 0_usize..7000,
            chunk in 1_usize..700,
            piece in 1_usize..700,
            is_chunked in any::<bool>(),
            is_deflated in any::<bool>(),
        ) {
            let mut data = vec![b'n'; len];
            if let Some(room) = data.get_mut(at..at + WANTED.len()) {
                room.copy_from_slice(WANTED.as_bytes());
            }
            let is_there = at + WANTED.len() <= len.min(WINDOW);
            let (coding, mut bytes) = if is_deflated {
                (Coding::Deflate, compress_to_vec(&data, 6))
            } else {
                (Coding::Identity, data)
            };
            let framing = if is_chunked {
                bytes = chunked(&bytes, chunk);
                Framing::Chunked
            } else {
                Framing::Length(bytes.len() as u64)
            };
            let mut body = Body::new(WANTED, framing, coding).unwrap();
            let pieces: Vec<&[u8]> = std::iter::once(&b""[..]).chain(bytes.chunks(piece)).collect();
            let expected = if is_there { Search::Found } else { Search::Missing };
            prop_assert_eq!(search(&mut body, &pieces), Ok(expected));
        }

        #[test]
        fn nothing_makes_it_panic_or_grow(
            coding in prop::sample::select(vec![Coding::Identity, Coding::Gzip, Coding::Deflate]),
            framing in prop::sample::select(vec![
                Framing::Length(9000),
                Framing::Chunked,
                Framing::UntilClose,
            ]),
            head in prop::sample::select(vec![&b""[..], b"\x1f\x8b\x08", b"\x78\x9c", b"ff\r\n"]),
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 0..30),
        ) {
            let mut body = Body::new(WANTED, framing, coding).unwrap();
            let pieces: Vec<&[u8]> = [head].into_iter().chain(pieces.iter().map(Vec::as_slice)).collect();
            let _ = search(&mut body, &pieces);
        }
    }
}
