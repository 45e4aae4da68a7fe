//! Record data: Route 53's value text on one side, uncompressed wire form on the other.
//!
//! [`parse`] and [`text`] are each other's inverse on valid data. One file per family of types;
//! the field reader of the text side is `fields`, that of the wire side is `wire`.
//! What a record set may hold (one CNAME, no duplicates) is not decided here.

mod address;
mod caa;
mod digest;
mod error;
mod fields;
mod host;
mod naptr;
mod soa;
mod strings;
mod svcb;
mod svcb_param;
mod write;

#[cfg(test)]
mod tests;

use crate::RecordType;
use crate::cursor::Cursor;
use fields::Fields;

pub use error::{NotRdata, ParamProblem, RdataError};
pub(crate) use write::push_quoted;

/// The longest value text, in characters (the API's limit for a `<Value>`).
pub const MAX_TEXT_LEN: usize = 4000;

/// Reads the text of a Route 53 `<Value>` into uncompressed wire record data.
///
/// Names inside are absolute with or without the final dot and keep their case. Escapes are
/// Route 53's: `\ooo` in *octal*. Runs of blanks between fields and at the ends are skipped;
/// tabs and other control characters are refused.
///
/// # Errors
/// The first broken rule, as [`RdataError`], whose text is what follows `FATAL problem: `.
pub fn parse(rtype: RecordType, text: &str) -> Result<Vec<u8>, RdataError> {
    if text.chars().nth(MAX_TEXT_LEN).is_some() {
        return Err(RdataError::TooLong {
            rtype,
            value: text.to_owned(),
        });
    }
    let fields = || Fields::new(rtype, text);
    match rtype {
        RecordType::A | RecordType::Aaaa => address::parse(rtype, text),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => host::parse_name(fields()?),
        RecordType::Mx => host::parse_mx(fields()?),
        RecordType::Srv => host::parse_srv(fields()?),
        RecordType::Soa => soa::parse(fields()?),
        RecordType::Naptr => naptr::parse(fields()?),
        RecordType::Txt | RecordType::Spf => strings::parse(fields()?),
        RecordType::Caa => caa::parse(fields()?),
        RecordType::Ds => digest::parse_ds(fields()?),
        RecordType::Sshfp => digest::parse_sshfp(fields()?),
        RecordType::Tlsa => digest::parse_tlsa(fields()?),
        RecordType::Svcb | RecordType::Https => svcb::parse(fields()?),
    }
}

/// Writes wire record data as canonical Route 53 text.
///
/// `parse` of the result gives `wire` again, unless the text exceeds [`MAX_TEXT_LEN`], which data
/// that came from `parse` can do only when escapes grow it.
///
/// # Errors
/// [`NotRdata`] when `wire` is not exactly one well-formed record data of this type.
pub fn text(rtype: RecordType, wire: &[u8]) -> Result<String, NotRdata> {
    let mut out = String::with_capacity(wire.len() * 2);
    let mut reader = Cursor(wire);
    let wire = &mut reader;
    let written = match rtype {
        RecordType::A => address::text_v4(wire, &mut out),
        RecordType::Aaaa => address::text_v6(wire, &mut out),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => host::text_name(wire, &mut out),
        RecordType::Mx => host::text_mx(wire, &mut out),
        RecordType::Srv => host::text_srv(wire, &mut out),
        RecordType::Soa => soa::text(wire, &mut out),
        RecordType::Naptr => naptr::text(wire, &mut out),
        RecordType::Txt | RecordType::Spf => strings::text(wire, &mut out),
        RecordType::Caa => caa::text(wire, &mut out),
        RecordType::Ds => digest::text_ds(wire, &mut out),
        RecordType::Sshfp => digest::text_sshfp(wire, &mut out),
        RecordType::Tlsa => digest::text_tlsa(wire, &mut out),
        RecordType::Svcb | RecordType::Https => svcb::text(wire, &mut out),
    };
    match written {
        Some(()) if reader.is_empty() => Ok(out),
        _ => Err(NotRdata(rtype)),
    }
}

/// Whether `wire` is exactly one well-formed record data of this type.
pub fn is_valid(rtype: RecordType, wire: &[u8]) -> bool {
    text(rtype, wire).is_ok()
}

/// The domain names that stand inside the record data, uncompressed: one for NS, CNAME, PTR, MX
/// and SRV, two for SOA, none for other types or where the data is cut short.
///
/// The names inside NAPTR, SVCB and HTTPS are left out: nobody chases or compresses them.
pub fn embedded_names(rtype: RecordType, wire: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut reader = Cursor(wire);
    let (skip, count) = match rtype {
        RecordType::Ns | RecordType::Cname | RecordType::Ptr => (0, 1),
        RecordType::Mx => (2, 1),
        RecordType::Srv => (6, 1),
        RecordType::Soa => (0, 2),
        _ => (0, 0),
    };
    let count = reader.take(skip).map_or(0, |_| count);
    (0..count).map_while(move |_| reader.name())
}
