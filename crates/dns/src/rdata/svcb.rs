//! SVCB and HTTPS (RFC 9460): `priority target params…`, and the rules between parameters.
//!
//! Each parameter's own value is the affair of `svcb_param`.

use crate::cursor::Cursor;
use std::collections::BTreeMap;

use super::fields::Fields;
use super::svcb_param::{self as param, Key};
use super::write::{push_field, push_name};
use super::{ParamProblem, RdataError};

pub(super) fn parse(mut fields: Fields<'_>) -> Result<Vec<u8>, RdataError> {
    let rtype = fields.rtype;
    let refuse = |problem, value: &str| {
        Err(RdataError::ServiceParameter {
            rtype,
            problem,
            value: value.to_owned(),
        })
    };
    let priority = fields.u16()?;
    let target = fields.name()?;
    let mut params = BTreeMap::new();
    // Each turn consumes a key at least, or returns.
    while !fields.is_at_end() {
        let (key_text, has_value) = fields.key();
        let Some(key) = Key::parse(key_text) else {
            return refuse(ParamProblem::IllegalKey, key_text);
        };
        let presented = if has_value {
            fields.quoted_or_bare()?
        } else {
            Vec::new()
        };
        let value = if key_text == key.opaque() {
            Some(presented)
        } else {
            param::parse(key, &presented)
        };
        let Some(value) = value.filter(|value| param::is_valid(key, value)) else {
            return refuse(ParamProblem::IllegalValue, key_text);
        };
        if params.insert(key, value).is_some() {
            return refuse(ParamProblem::DuplicateKey, key_text);
        }
    }
    if let Err(problem) = check(priority, &params) {
        return refuse(problem, &fields.value());
    }
    let mut out = Vec::new();
    out.extend(priority.to_be_bytes());
    out.extend(target.as_wire());
    for (key, value) in params {
        // A value text of 4,000 characters cannot make a parameter of 65,536 bytes.
        let len = u16::try_from(value.len()).unwrap_or(u16::MAX);
        out.extend(key.0.to_be_bytes());
        out.extend(len.to_be_bytes());
        out.extend(value);
    }
    Ok(out)
}

pub(super) fn text(wire: &mut Cursor<'_>, out: &mut String) -> Option<()> {
    let priority = wire.u16()?;
    push_field(out, priority)?;
    push_name(out, wire.name()?)?;
    let mut params = BTreeMap::new();
    let mut last = None;
    while !wire.is_empty() {
        let key = Key(wire.u16()?);
        let len = wire.u16()?;
        let value = wire.take(len.into())?;
        // Strictly rising order (RFC 9460 section 2.2) also excludes duplicates.
        if last >= Some(key) || key == Key::INVALID || !param::is_valid(key, value) {
            return None;
        }
        last = Some(key);
        param::push_text(out, key, value)?;
        params.insert(key, value);
    }
    check(priority, &params).ok()
}

/// The rules between the parameters and the priority. Parameters in AliasMode would be ignored by
/// every reader (section 2.4.2): a mistake of the sender, told to him.
fn check(priority: u16, params: &BTreeMap<Key, impl AsRef<[u8]>>) -> Result<(), ParamProblem> {
    if priority == 0 && !params.is_empty() {
        return Err(ParamProblem::AliasMode);
    }
    if let Some(mandatory) = params.get(&Key::MANDATORY) {
        let mut keys = param::mandatory_keys(mandatory.as_ref());
        if !keys.all(|key| params.contains_key(&key)) {
            return Err(ParamProblem::MandatoryAbsent);
        }
    }
    if params.contains_key(&Key::NO_DEFAULT_ALPN) && !params.contains_key(&Key::ALPN) {
        return Err(ParamProblem::AlpnAbsent);
    }
    Ok(())
}
