//! Types that end in a digest: DS (RFC 4034), TLSA (RFC 6698), SSHFP (RFC 4255).
//!
//! Where the digest's type is registered its length is checked; an unregistered one may have any.

use super::RdataError;
use super::fields::Fields;
use super::write::{push_field, push_hex};
use crate::cursor::Cursor;

/// `key tag, algorithm, digest type, digest`.
pub(super) fn parse_ds(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let mut out = Vec::new();
    out.extend(fields.u16()?.to_be_bytes());
    out.push(fields.u8()?);
    let digest_type = fields.u8()?;
    out.push(digest_type);
    parse_digest(fields, ds_len(digest_type), out)
}

/// `usage, selector, matching type, data`.
pub(super) fn parse_tlsa(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let mut out = vec![fields.u8()?, fields.u8()?];
    let matching_type = fields.u8()?;
    out.push(matching_type);
    parse_digest(fields, tlsa_len(matching_type), out)
}

/// `algorithm, fingerprint type, fingerprint`.
pub(super) fn parse_sshfp(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let mut out = vec![fields.u8()?];
    let fingerprint_type = fields.u8()?;
    out.push(fingerprint_type);
    parse_digest(fields, sshfp_len(fingerprint_type), out)
}

pub(super) fn text_ds(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    push_field(out, wire.u16()?)?;
    push_field(out, wire.u8()?)?;
    let digest_type = wire.u8()?;
    push_field(out, digest_type)?;
    text_digest(wire, ds_len(digest_type), out)
}

pub(super) fn text_tlsa(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    push_field(out, wire.u8()?)?;
    push_field(out, wire.u8()?)?;
    let matching_type = wire.u8()?;
    push_field(out, matching_type)?;
    text_digest(wire, tlsa_len(matching_type), out)
}

pub(super) fn text_sshfp(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    push_field(out, wire.u8()?)?;
    let fingerprint_type = wire.u8()?;
    push_field(out, fingerprint_type)?;
    text_digest(wire, sshfp_len(fingerprint_type), out)
}

fn parse_digest(
    mut fields: Fields<'_>,
    len: Option<usize>,
    mut out: Vec<u8>,
) -> Result<Vec<u8>, RdataError> {
    let rtype = fields.rtype;
    let value = fields.value();
    let digest = fields.hex()?;
    match len {
        Some(bytes) if bytes != digest.len() => Err(RdataError::DigestLength {
            rtype,
            bytes,
            value,
        }),
        _ => {
            out.extend(digest);
            Ok(out)
        }
    }
}

fn text_digest(wire: &mut Cursor<'_>, len: Option<usize>, out: &mut String) -> Option<()> {
    let digest = wire.rest();
    if len.is_some_and(|len| len != digest.len()) {
        return None;
    }
    push_hex(out, digest)
}

/// IANA's DS digest types: SHA-1, SHA-256, GOST R 34.11-94, SHA-384, GOST R 34.11-2012, SM3.
fn ds_len(digest_type: u8) -> Option<usize> {
    match digest_type {
        1 => Some(20),
        2 | 3 | 5 | 6 => Some(32),
        4 => Some(48),
        _ => None,
    }
}

/// SHA-256 and SHA-512; type 0 is the whole certificate or key.
fn tlsa_len(matching_type: u8) -> Option<usize> {
    match matching_type {
        1 => Some(32),
        2 => Some(64),
        _ => None,
    }
}

/// SHA-1 and SHA-256.
fn sshfp_len(fingerprint_type: u8) -> Option<usize> {
    match fingerprint_type {
        1 => Some(20),
        2 => Some(32),
        _ => None,
    }
}
