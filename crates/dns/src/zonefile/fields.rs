//! From the fields of a master file to Route 53's value texts: names made absolute, decimal
//! escapes to octal ones, times with units to seconds. Whether the values are right is for
//! [`rdata::parse`] to say, when the zone is changed.

use super::tokens::{Form, Token};
use crate::rdata::{self, push_quoted};
use crate::{MAX_LABEL_LEN, MAX_NAME_LEN, Name, RecordType};

/// What stands in a place of record data.
#[derive(Debug, Clone, Copy)]
enum Field {
    /// A number, an address, digits: as it is.
    Plain,
    /// A domain name.
    Name,
    /// A character string.
    String,
    /// Seconds, or a time with units.
    Time,
    /// A service parameter.
    Param,
}

/// The fields of a type, and what all after them are.
fn fields(rtype: RecordType) -> (&'static [Field], Field) {
    use Field::{Name, Param, Plain, String, Time};
    match rtype {
        RecordType::A
        | RecordType::Aaaa
        | RecordType::Ds
        | RecordType::Sshfp
        | RecordType::Tlsa => (&[], Plain),
        RecordType::Cname | RecordType::Ns | RecordType::Ptr => (&[Name], Plain),
        RecordType::Mx => (&[Plain, Name], Plain),
        RecordType::Srv => (&[Plain, Plain, Plain, Name], Plain),
        RecordType::Soa => (&[Name, Name, Plain, Time, Time, Time, Time], Plain),
        RecordType::Naptr => (&[Plain, Plain, String, String, String, Name], Plain),
        RecordType::Txt | RecordType::Spf => (&[], String),
        RecordType::Caa => (&[Plain, Plain, String], Plain),
        RecordType::Svcb | RecordType::Https => (&[Plain, Name], Param),
    }
}

/// Record data as Route 53's text.
pub(super) fn value<'a>(
    rtype: RecordType,
    tokens: impl Iterator<Item = Token<'a>> + Clone,
    origin: Option<&Name>,
) -> Result<String, String> {
    let mut unknown = tokens.clone();
    if unknown.next().is_some_and(|token| token.bytes == br"\#") {
        return generic(rtype, unknown);
    }
    let (first, rest) = fields(rtype);
    let kinds = first.iter().chain(std::iter::repeat(&rest));
    let mut text = String::new();
    for (token, kind) in tokens.zip(kinds) {
        if !text.is_empty() {
            text.push(' ');
        }
        match kind {
            Field::Plain => text.push_str(plain(token.bytes)?),
            Field::Name => text.push_str(&name(token.bytes, origin)?.to_string()),
            Field::String => push_quoted(&mut text, &unescaped(token.bytes)?),
            Field::Time => match seconds(token.bytes) {
                Some(seconds) => text.push_str(&seconds.to_string()),
                None => text.push_str(plain(token.bytes)?),
            },
            Field::Param => push_param(&mut text, token)?,
        }
    }
    Ok(text)
}

/// RFC 3597: `\# length digits`.
fn generic<'a>(
    rtype: RecordType,
    mut tokens: impl Iterator<Item = Token<'a>>,
) -> Result<String, String> {
    let length = tokens.next().and_then(|token| decimal(token.bytes));
    let length = length.ok_or(r"\# is not followed by a length")?;
    let mut digits = tokens.flat_map(|token| token.bytes);
    let mut wire = Vec::new();
    // Ends with the digits.
    while let Some(high) = digits.next() {
        let low = digits.next().ok_or(r"\# has an odd number of digits")?;
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let byte = digit(high)
            .zip(digit(low))
            .map(|(high, low)| high << 4 | low);
        let byte = byte.and_then(|byte| u8::try_from(byte).ok());
        wire.push(byte.ok_or(r"\# has something else than hexadecimal digits")?);
    }
    if u32::try_from(wire.len()) != Ok(length) {
        return Err(format!(
            r"\# says {length} bytes, but {} follow",
            wire.len()
        ));
    }
    rdata::text(rtype, &wire).map_err(|_| format!("the bytes are no data of type {rtype}"))
}

/// `key`, `key=word` or `key="string"`.
fn push_param(text: &mut String, token: Token<'_>) -> Result<(), String> {
    let mut parts = token.bytes.splitn(2, |byte| *byte == b'=');
    text.push_str(plain(parts.next().unwrap_or_default())?);
    if let Some(given) = parts.next() {
        let inner = given
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""));
        text.push('=');
        push_quoted(text, &unescaped(inner.unwrap_or(given))?);
    }
    Ok(())
}

fn plain(bytes: &[u8]) -> Result<&str, String> {
    match std::str::from_utf8(bytes) {
        Ok(text) if bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) => Ok(text),
        _ => Err(format!(
            "'{}' has characters that do not belong there",
            shown(bytes)
        )),
    }
}

/// Bytes for a message.
pub(super) fn shown(bytes: &[u8]) -> String {
    let shown = bytes.get(..80).unwrap_or(bytes);
    shown.escape_ascii().to_string()
}

/// A domain name; relative ones lie below the origin.
pub(super) fn name(token: &[u8], origin: Option<&Name>) -> Result<Name, String> {
    let wrong = |what: &str| format!("'{}' is no domain name: {what}", shown(token));
    let no_origin = || wrong("it is relative, and there is no $ORIGIN");
    match token {
        b"@" => return origin.cloned().ok_or_else(no_origin),
        b"." => return Ok(Name::root()),
        _ => {}
    }
    let mut wire = Vec::with_capacity(token.len() + 2);
    let mut label = Vec::with_capacity(MAX_LABEL_LEN);
    let mut rest = token;
    let mut absolute = false;
    // Each turn takes at least one byte.
    while let Some((&byte, after)) = rest.split_first() {
        absolute = false;
        match byte {
            b'.' => {
                push_label(&mut wire, &label).map_err(wrong)?;
                label.clear();
                absolute = true;
                rest = after;
            }
            b'\\' => {
                let (escaped, after) = escape(after).ok_or_else(|| wrong("a bad escape"))?;
                label.push(escaped);
                rest = after;
            }
            byte => {
                label.push(byte);
                rest = after;
            }
        }
    }
    if absolute {
        wire.push(0);
    } else {
        push_label(&mut wire, &label).map_err(wrong)?;
        wire.extend_from_slice(origin.ok_or_else(no_origin)?.as_wire());
    }
    if wire.len() > MAX_NAME_LEN {
        return Err(wrong("it is longer than 255 bytes"));
    }
    Name::from_wire(&wire).map_err(|error| wrong(&error.to_string()))
}

fn push_label(wire: &mut Vec<u8>, label: &[u8]) -> Result<(), &'static str> {
    match u8::try_from(label.len()) {
        Ok(0) => Err("a label is empty"),
        Ok(length) if label.len() <= MAX_LABEL_LEN => {
            wire.push(length);
            wire.extend_from_slice(label);
            Ok(())
        }
        _ => Err("a label is longer than 63 bytes"),
    }
}

/// What follows a backslash: three decimal digits, or any character, which means itself.
fn escape(rest: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, after) = rest.split_first()?;
    if !first.is_ascii_digit() {
        return Some((first, after));
    }
    let (digits, after) = rest.split_first_chunk::<3>()?;
    let value = decimal(digits)?;
    Some((u8::try_from(value).ok()?, after))
}

fn unescaped(token: &[u8]) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token;
    // Each turn takes at least one byte.
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'\\' {
            let (escaped, after) =
                escape(after).ok_or_else(|| format!("'{}' has a bad escape", shown(token)))?;
            bytes.push(escaped);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    Ok(bytes)
}

/// Seconds: a number, or numbers with units as in `1h30m`.
pub(super) fn seconds(token: &[u8]) -> Option<u32> {
    if let Some(seconds) = decimal(token) {
        return Some(seconds);
    }
    let mut total: u32 = 0;
    let mut number: Option<u32> = None;
    for byte in token {
        if let Some(digit) = char::from(*byte).to_digit(10) {
            number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?);
            continue;
        }
        let unit = match byte.to_ascii_lowercase() {
            b's' => 1,
            b'm' => 60,
            b'h' => 3_600,
            b'd' => 86_400,
            b'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.take()?.checked_mul(unit)?)?;
    }
    // A number without a unit after one with is nonsense.
    (number.is_none() && !token.is_empty()).then_some(total)
}

/// Digits only.
pub(super) fn decimal(token: &[u8]) -> Option<u32> {
    if token.is_empty() || !token.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(token).ok()?.parse().ok()
}

/// The type that a token names; `TYPE28` is AAAA.
pub(super) fn record_type(token: Token<'_>) -> Result<RecordType, String> {
    let unknown = || {
        let shown = shown(token.bytes);
        format!("type {shown} is none of those that Route 53 has")
    };
    if token.form == Form::Quoted {
        return Err(unknown());
    }
    let text = std::str::from_utf8(token.bytes).map_err(|_| unknown())?;
    let text = text.to_ascii_uppercase();
    if let Some(code) = text.strip_prefix("TYPE") {
        let code = decimal(code.as_bytes()).and_then(|code| u16::try_from(code).ok());
        return code.and_then(RecordType::from_code).ok_or_else(unknown);
    }
    text.parse().map_err(|_| unknown())
}
