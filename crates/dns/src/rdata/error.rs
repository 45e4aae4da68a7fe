//! What can be wrong with record data, in the words Route 53 puts after `FATAL problem: `.
//!
//! Seen at Route 53: the IPv4 code, `…NotSingleField`, `MXRRDATANotTwoFields`,
//! `SRVRRDATANotFourFields`, the character-string codes. The others are coined in their manner.

use crate::{NameError, RecordType};

/// Why a value is no record data of its type.
///
/// Displays as `CODE (explanation) encountered with 'value'`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RdataError {
    /// Not a strict dotted quad.
    #[error("ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '{0}'")]
    IllegalIpv4(String),
    /// Not an IPv6 address without zone.
    #[error(
        "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address) encountered with '{0}'"
    )]
    IllegalIpv6(String),
    /// Blanks inside a value that is one field.
    #[error("{rtype}RRDATANotSingleField (Value contains spaces) encountered with '{value}'")]
    NotSingleField {
        /// The type of the record.
        rtype: RecordType,
        /// The whole value.
        value: String,
    },
    /// Too few or too many fields.
    #[error(
        "{rtype}RRDATANot{}Fields ({rtype} record doesn't have {count} fields) encountered with '{value}'",
        number_word(*count)
    )]
    FieldCount {
        /// The type of the record.
        rtype: RecordType,
        /// The number of fields the type has; for SVCB and HTTPS the number it has at least.
        count: u8,
        /// The whole value.
        value: String,
    },
    /// A field is not a decimal number or exceeds its range.
    #[error(
        "{rtype}RRDATAIllegalInteger (Value is not an integer between 0 and {max}) encountered with '{value}'"
    )]
    IllegalInteger {
        /// The type of the record.
        rtype: RecordType,
        /// The largest number that fits.
        max: u32,
        /// The field.
        value: String,
    },
    /// An odd number of hexadecimal digits, none, or something else between them.
    #[error(
        "{rtype}RRDATAIllegalHexString (Value is not a valid hexadecimal string) encountered with '{value}'"
    )]
    IllegalHex {
        /// The type of the record.
        rtype: RecordType,
        /// The field.
        value: String,
    },
    /// A digest whose length is not that of its type.
    #[error(
        "{rtype}RRDATAIllegalDigestLength (Digest must have {bytes} bytes) encountered with '{value}'"
    )]
    DigestLength {
        /// The type of the record.
        rtype: RecordType,
        /// The length that the digest's type has.
        bytes: usize,
        /// The field.
        value: String,
    },
    /// A CAA tag that is empty, too long or not letters and digits.
    #[error("CAARRDATAIllegalTag (Value is not a valid CAA tag) encountered with '{0}'")]
    IllegalTag(String),
    /// Service parameters of SVCB or HTTPS that break RFC 9460.
    #[error("{rtype}RRDATA{problem} encountered with '{value}'")]
    ServiceParameter {
        /// The type of the record.
        rtype: RecordType,
        /// The broken rule.
        problem: ParamProblem,
        /// The parameter, or the whole value where several parameters are concerned.
        value: String,
    },
    /// A character string without quotation marks, or one that does not end.
    #[error(
        "InvalidCharacterString (Value should be enclosed in quotation marks) encountered with '{0}'"
    )]
    NotQuoted(String),
    /// A character string of more than 255 bytes.
    #[error("CharacterStringTooLong (Value is too long) encountered with '{0}'")]
    StringTooLong(String),
    /// A control character or a byte above ASCII that has to be written as an octal escape.
    #[error("UnsupportedCharacter (Value contains unsupported characters) encountered with '{0}'")]
    UnsupportedCharacter(String),
    /// A backslash that does not start `\"`, `\\` or three octal digits up to 377.
    #[error("InvalidEscape (Value contains an invalid escape sequence) encountered with '{0}'")]
    BadEscape(String),
    /// More than [`MAX_TEXT_LEN`](super::MAX_TEXT_LEN) characters.
    #[error("{rtype}RRDATATooLong (Value is too long) encountered with '{value}'")]
    TooLong {
        /// The type of the record.
        rtype: RecordType,
        /// The whole value.
        value: String,
    },
    /// A field is no domain name.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// A rule of RFC 9460 for service parameters that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamProblem {
    /// The key is neither registered nor `keyNNNNN`.
    #[error("IllegalKey (Value is not a valid service parameter key)")]
    IllegalKey,
    /// A key stands there twice.
    #[error("DuplicateKey (Service parameter is given more than once)")]
    DuplicateKey,
    /// The value does not fit the key.
    #[error("IllegalParameter (Value is not valid for its service parameter)")]
    IllegalValue,
    /// Priority 0 (AliasMode) with parameters.
    #[error("AliasModeWithParameters (Priority 0 must not have service parameters)")]
    AliasMode,
    /// `mandatory` names a key that is absent.
    #[error("MandatoryKeyAbsent (A mandatory service parameter is absent)")]
    MandatoryAbsent,
    /// `no-default-alpn` without `alpn`.
    #[error("AlpnAbsent (Service parameter no-default-alpn requires alpn)")]
    AlpnAbsent,
}

/// Bytes that are not exactly one well-formed, uncompressed record data of the type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the bytes are not one well-formed {0} record data")]
pub struct NotRdata(pub RecordType);

fn number_word(count: u8) -> &'static str {
    match count {
        2 => "Two",
        3 => "Three",
        4 => "Four",
        6 => "Six",
        _ => "Seven",
    }
}
