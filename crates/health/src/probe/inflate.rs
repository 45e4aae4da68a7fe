//! Gzip and deflate undone, into a window of bounded size and no further: a bomb is let burst in
//! 5,120 bytes.

use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};

/// What came is not what its coding says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Undecodable;

/// The longest head of gzip: a name of a file has 255 bytes, and nothing else is ever in it.
const MAX_GZIP_HEAD: usize = 1024;

/// A stream being decoded.
pub(super) struct Inflate {
    stage: Stage,
}

enum Stage {
    /// What is before the data of gzip; the bytes so far.
    GzipHead(Vec<u8>),
    /// Deflate with or without zlib's two bytes: both are sent under that name.
    Unsure(Vec<u8>),
    Data(Box<InflateState>),
    Over,
}

impl Inflate {
    pub(super) const fn gzip() -> Self {
        Self {
            stage: Stage::GzipHead(Vec::new()),
        }
    }

    pub(super) const fn deflate() -> Self {
        Self {
            stage: Stage::Unsure(Vec::new()),
        }
    }

    /// Decodes into `window` until that has `limit` bytes; whether the stream is over.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        window: &mut Vec<u8>,
        limit: usize,
    ) -> Result<bool, Undecodable> {
        match &mut self.stage {
            Stage::GzipHead(head) => {
                head.extend(bytes);
                let Some(len) = gzip_head(head)? else {
                    // It is looked through again each time.
                    let is_long = head.len() > MAX_GZIP_HEAD;
                    return if is_long { Err(Undecodable) } else { Ok(false) };
                };
                let data = head.split_off(len);
                self.stage = Stage::Data(InflateState::new_boxed(DataFormat::Raw));
                self.decode(&data, window, limit)
            }
            Stage::Unsure(head) => {
                head.extend(bytes);
                let [cmf, flg, ..] = **head else {
                    return Ok(false);
                };
                // RFC 1950, section 2.2.
                let is_zlib = cmf & 15 == 8 && u16::from_be_bytes([cmf, flg]) % 31 == 0;
                let format = if is_zlib {
                    DataFormat::ZLibIgnoreChecksum
                } else {
                    DataFormat::Raw
                };
                let data = std::mem::take(head);
                self.stage = Stage::Data(InflateState::new_boxed(format));
                self.decode(&data, window, limit)
            }
            Stage::Data(_) => self.decode(bytes, window, limit),
            Stage::Over => Ok(true),
        }
    }

    fn decode(
        &mut self,
        mut bytes: &[u8],
        window: &mut Vec<u8>,
        limit: usize,
    ) -> Result<bool, Undecodable> {
        let Stage::Data(state) = &mut self.stage else {
            return Ok(true);
        };
        // Each turn takes bytes or fills the window, or is the last.
        while window.len() < limit {
            let filled = window.len();
            window.resize(limit, 0);
            let room = window.get_mut(filled..).unwrap_or_default();
            let turn = inflate(state, bytes, room, MZFlush::None);
            window.truncate(filled + turn.bytes_written);
            bytes = bytes.get(turn.bytes_consumed..).unwrap_or_default();
            match turn.status {
                Ok(MZStatus::StreamEnd) => {
                    self.stage = Stage::Over;
                    return Ok(true);
                }
                // No progress is possible: more bytes are needed.
                Err(MZError::Buf) => return Ok(false),
                Ok(_) if turn.bytes_consumed == 0 && turn.bytes_written == 0 => return Ok(false),
                Ok(_) => {}
                Err(_) => return Err(Undecodable),
            }
        }
        Ok(false)
    }
}

const GZIP_HAS_CRC: u8 = 2;
const GZIP_HAS_EXTRA: u8 = 4;
const GZIP_HAS_NAME: u8 = 8;
const GZIP_HAS_COMMENT: u8 = 16;

/// How long the head is (RFC 1952, section 2.3), once all of it is there.
fn gzip_head(bytes: &[u8]) -> Result<Option<usize>, Undecodable> {
    let magic = [0x1f, 0x8b, 8];
    if bytes.iter().zip(&magic).any(|(is, must)| is != must) {
        return Err(Undecodable);
    }
    Ok(gzip_head_len(bytes))
}

fn gzip_head_len(bytes: &[u8]) -> Option<usize> {
    let flags = *bytes.get(3)?;
    let mut len = 10;
    if flags & GZIP_HAS_EXTRA != 0 {
        let extra = [*bytes.get(len)?, *bytes.get(len + 1)?];
        len += 2 + usize::from(u16::from_le_bytes(extra));
    }
    for has_text in [GZIP_HAS_NAME, GZIP_HAS_COMMENT] {
        if flags & has_text != 0 {
            len += bytes.get(len..)?.iter().position(|byte| *byte == 0)? + 1;
        }
    }
    if flags & GZIP_HAS_CRC != 0 {
        len += 2;
    }
    (bytes.len() >= len).then_some(len)
}
