//! The text side's reader: takes one field after the other from a value.
//!
//! Knows blanks, quotation marks, escapes, numbers, names and hexadecimal digits, not types.

use super::RdataError;
use crate::{Name, RecordType};

/// The longest character string, in bytes (RFC 1035 section 3.3).
const MAX_STRING_LEN: usize = 255;

/// The not yet read part of a value. It is ASCII without control characters.
pub(super) struct Fields<'a> {
    pub(super) rtype: RecordType,
    value: &'a str,
    rest: &'a str,
}

impl<'a> Fields<'a> {
    /// Starts at the first field.
    pub(super) fn new(rtype: RecordType, value: &'a str) -> Result<Self, RdataError> {
        if value.bytes().any(|b| !(0x20..0x7f).contains(&b)) {
            return Err(RdataError::UnsupportedCharacter(value.to_owned()));
        }
        let rest = value.trim_start_matches(' ');
        Ok(Self { rtype, value, rest })
    }

    /// The whole value, for error texts.
    pub(super) fn value(&self) -> String {
        self.value.to_owned()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The characters up to the next blank.
    pub(super) fn word(&mut self) -> Result<&'a str, RdataError> {
        if self.rest.is_empty() {
            return Err(self.miscounted());
        }
        let (word, rest) = self.rest.split_once(' ').unwrap_or((self.rest, ""));
        self.rest = rest.trim_start_matches(' ');
        Ok(word)
    }

    /// The characters up to the next `=` or blank, and whether it was a `=`, which is consumed.
    pub(super) fn key(&mut self) -> (&'a str, bool) {
        let end = self.rest.find([' ', '=']).unwrap_or(self.rest.len());
        let (key, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        if let Some(rest) = rest.strip_prefix('=') {
            self.rest = rest;
            return (key, true);
        }
        self.rest = rest.trim_start_matches(' ');
        (key, false)
    }

    /// Refuses whatever is left.
    pub(super) fn end(&self) -> Result<(), RdataError> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.miscounted())
        }
    }

    pub(super) fn u8(&mut self) -> Result<u8, RdataError> {
        let value = self.number(u8::MAX.into())?;
        // `number` has checked the range.
        Ok(u8::try_from(value).unwrap_or(u8::MAX))
    }

    pub(super) fn u16(&mut self) -> Result<u16, RdataError> {
        let value = self.number(u16::MAX.into())?;
        // `number` has checked the range.
        Ok(u16::try_from(value).unwrap_or(u16::MAX))
    }

    pub(super) fn u32(&mut self) -> Result<u32, RdataError> {
        self.number(u32::MAX)
    }

    /// A decimal number: digits only, no sign.
    fn number(&mut self, max: u32) -> Result<u32, RdataError> {
        let word = self.word()?;
        decimal(word)
            .filter(|&value| value <= max)
            .ok_or_else(|| RdataError::IllegalInteger {
                rtype: self.rtype,
                max,
                value: word.to_owned(),
            })
    }

    /// An absolute domain name.
    pub(super) fn name(&mut self) -> Result<Name, RdataError> {
        Ok(Name::parse(self.word()?)?)
    }

    /// A character string in quotation marks, with its length byte.
    pub(super) fn string(&mut self, out: &mut Vec<u8>) -> Result<(), RdataError> {
        let bytes = self.quoted()?;
        match u8::try_from(bytes.len()) {
            Ok(len) => {
                out.push(len);
                out.extend_from_slice(&bytes);
                Ok(())
            }
            Err(_) => Err(RdataError::StringTooLong(self.value())),
        }
    }

    /// The bytes between quotation marks, of any length.
    pub(super) fn quoted(&mut self) -> Result<Vec<u8>, RdataError> {
        if self.rest.is_empty() && !self.value.trim_matches(' ').is_empty() {
            return Err(self.miscounted());
        }
        let not_quoted = || RdataError::NotQuoted(self.value.to_owned());
        let mut bytes = self.rest.strip_prefix('"').ok_or_else(not_quoted)?.bytes();
        let mut out = Vec::with_capacity(MAX_STRING_LEN.min(bytes.len()));
        loop {
            match bytes.next().ok_or_else(not_quoted)? {
                b'"' => break,
                b'\\' => out.push(self.escape(&mut bytes)?),
                byte => out.push(byte),
            }
        }
        // The value is ASCII, so a byte count is a character boundary.
        let at = self.rest.len() - bytes.len();
        let rest = self.rest.get(at..).unwrap_or("");
        if !(rest.is_empty() || rest.starts_with([' ', '"'])) {
            return Err(not_quoted());
        }
        self.rest = rest.trim_start_matches(' ');
        Ok(out)
    }

    /// The bytes of a value that may stand in quotation marks.
    pub(super) fn quoted_or_bare(&mut self) -> Result<Vec<u8>, RdataError> {
        if self.rest.starts_with('"') {
            return self.quoted();
        }
        if self.rest.is_empty() || self.rest.starts_with(' ') {
            self.rest = self.rest.trim_start_matches(' ');
            return Ok(Vec::new());
        }
        let mut bytes = self.word()?.bytes();
        let mut out = Vec::with_capacity(bytes.len());
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => return Err(RdataError::NotQuoted(self.value())),
                b'\\' => out.push(self.escape(&mut bytes)?),
                byte => out.push(byte),
            }
        }
        Ok(out)
    }

    /// What follows a backslash: three octal digits, or a character that stands for itself
    /// (RFC 1035 section 5.1): OctoDNS writes `\;`.
    fn escape(&self, bytes: &mut impl Iterator<Item = u8>) -> Result<u8, RdataError> {
        let bad = || RdataError::BadEscape(self.value.to_owned());
        let first = bytes.next().ok_or_else(bad)?;
        if !first.is_ascii_digit() {
            return Ok(first);
        }
        let mut value = 0u16;
        for digit in [Some(first), bytes.next(), bytes.next()] {
            let digit = digit
                .filter(|d| (b'0'..=b'7').contains(d))
                .ok_or_else(bad)?;
            value = value * 8 + u16::from(digit - b'0');
        }
        u8::try_from(value).map_err(|_| bad())
    }

    /// All that is left as hexadecimal digits, blanks between them skipped (RFC 4034 5.3).
    pub(super) fn hex(&mut self) -> Result<Vec<u8>, RdataError> {
        if self.rest.is_empty() {
            return Err(self.miscounted());
        }
        let digits: Option<Vec<u8>> = self
            .rest
            .bytes()
            .filter(|&byte| byte != b' ')
            .map(hex_digit)
            .collect();
        let pairs = digits.as_deref().map(<[u8]>::as_chunks::<2>);
        let Some((pairs, [])) = pairs else {
            return Err(RdataError::IllegalHex {
                rtype: self.rtype,
                value: self.rest.trim_end_matches(' ').to_owned(),
            });
        };
        self.rest = "";
        Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
    }

    fn miscounted(&self) -> RdataError {
        let count = match self.rtype {
            RecordType::Caa | RecordType::Sshfp => 3,
            RecordType::Ds | RecordType::Srv | RecordType::Tlsa => 4,
            RecordType::Naptr => 6,
            RecordType::Soa => 7,
            RecordType::Mx | RecordType::Svcb | RecordType::Https => 2,
            rtype => {
                return RdataError::NotSingleField {
                    rtype,
                    value: self.value(),
                };
            }
        };
        RdataError::FieldCount {
            rtype: self.rtype,
            count,
            value: self.value(),
        }
    }
}

/// Digits only: `str::parse` alone would take a plus sign.
pub(super) fn decimal(word: &str) -> Option<u32> {
    let digits = !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| word.parse().ok()).flatten()
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}
