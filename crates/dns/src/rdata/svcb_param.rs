//! The service parameters of SVCB and HTTPS, each between presented value and wire value
//! (RFC 9460 section 7, RFC 9461 for `dohpath`, RFC 9540 for `ohttp`).

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::cursor::Cursor;

use super::fields::decimal;
use super::write::push_quoted;

/// The number of a service parameter key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key(pub(super) u16);

impl Key {
    pub(super) const MANDATORY: Self = Self(0);
    pub(super) const ALPN: Self = Self(1);
    pub(super) const NO_DEFAULT_ALPN: Self = Self(2);
    const PORT: Self = Self(3);
    const IPV4HINT: Self = Self(4);
    const ECH: Self = Self(5);
    const IPV6HINT: Self = Self(6);
    const DOHPATH: Self = Self(7);
    const OHTTP: Self = Self(8);
    /// Reserved by RFC 9460 section 14.3.2.
    pub(super) const INVALID: Self = Self(65535);

    const NAMED: [(&'static str, Self); 9] = [
        ("mandatory", Self::MANDATORY),
        ("alpn", Self::ALPN),
        ("no-default-alpn", Self::NO_DEFAULT_ALPN),
        ("port", Self::PORT),
        ("ipv4hint", Self::IPV4HINT),
        ("ech", Self::ECH),
        ("ipv6hint", Self::IPV6HINT),
        ("dohpath", Self::DOHPATH),
        ("ohttp", Self::OHTTP),
    ];

    /// A registered name, or `keyNNNNN` without leading zeros.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some((_, key)) = Self::NAMED.iter().find(|(name, _)| *name == text) {
            return Some(*key);
        }
        let key = Self(u16::try_from(decimal(text.strip_prefix("key")?)?).ok()?);
        (key != Self::INVALID && key.opaque() == text).then_some(key)
    }

    /// The form `keyNNNNN`, whose value is presented as bytes even where the key has a name.
    pub(super) fn opaque(self) -> String {
        format!("key{}", self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Self::NAMED.iter().find(|(_, key)| key == self) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "key{}", self.0),
        }
    }
}

/// The wire value of a presented one, escapes of the character string already undone. What
/// [`is_valid`] refuses need not be refused here.
pub(super) fn parse(key: Key, presented: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match key {
        Key::MANDATORY => {
            let mut keys = Vec::new();
            for item in std::str::from_utf8(presented).ok()?.split(',') {
                keys.push(Key::parse(item)?);
            }
            keys.sort_unstable();
            out.extend(keys.into_iter().flat_map(|key| key.0.to_be_bytes()));
        }
        Key::ALPN => {
            for id in split_list(presented)? {
                out.push(u8::try_from(id.len()).ok()?);
                out.extend(id);
            }
        }
        Key::PORT => {
            let port = decimal(std::str::from_utf8(presented).ok()?)?;
            out.extend(u16::try_from(port).ok()?.to_be_bytes());
        }
        Key::IPV4HINT => {
            for item in std::str::from_utf8(presented).ok()?.split(',') {
                out.extend(item.parse::<Ipv4Addr>().ok()?.octets());
            }
        }
        Key::IPV6HINT => {
            for item in std::str::from_utf8(presented).ok()?.split(',') {
                out.extend(item.parse::<Ipv6Addr>().ok()?.octets());
            }
        }
        Key::ECH => out = STANDARD.decode(presented).ok()?,
        _ => out.extend_from_slice(presented),
    }
    Some(out)
}

/// Whether a wire value has the form that its key asks for; unknown keys ask for none.
pub(super) fn is_valid(key: Key, value: &[u8]) -> bool {
    match key {
        Key::MANDATORY => {
            let mut last = Key::MANDATORY;
            let mut rises = |key| std::mem::replace(&mut last, key) < key;
            // Starting from `mandatory` itself excludes it from the list (section 8).
            filled(value, 2) && mandatory_keys(value).all(|key| key != Key::INVALID && rises(key))
        }
        Key::ALPN => {
            let mut ids = Cursor(value);
            while !ids.is_empty() {
                if ids.string().is_none_or(<[u8]>::is_empty) {
                    return false;
                }
            }
            !value.is_empty()
        }
        Key::NO_DEFAULT_ALPN | Key::OHTTP => value.is_empty(),
        Key::PORT => value.len() == 2,
        Key::IPV4HINT => filled(value, 4),
        Key::IPV6HINT => filled(value, 16),
        Key::ECH => !value.is_empty(),
        Key::DOHPATH => std::str::from_utf8(value).is_ok_and(|path| !path.is_empty()),
        _ => true,
    }
}

/// The keys in the wire value of `mandatory`.
pub(super) fn mandatory_keys(value: &[u8]) -> impl Iterator<Item = Key> {
    let (keys, _) = value.as_chunks::<2>();
    keys.iter().map(|&bytes| Key(u16::from_be_bytes(bytes)))
}

/// Appends ` key` or ` key=value`. The value is valid.
pub(super) fn push_text(out: &mut String, key: Key, value: &[u8]) -> Option<()> {
    write!(out, " {key}").ok()?;
    if value.is_empty() {
        return Some(());
    }
    out.push('=');
    let mut wire = Cursor(value);
    let mut items: Vec<String> = Vec::new();
    match key {
        Key::MANDATORY => items.extend(mandatory_keys(value).map(|key| key.to_string())),
        Key::PORT => items.push(wire.u16()?.to_string()),
        Key::IPV4HINT => {
            items.extend(std::iter::from_fn(|| wire.v4()).map(|address| address.to_string()));
        }
        Key::IPV6HINT => {
            items.extend(std::iter::from_fn(|| wire.v6()).map(|address| address.to_string()));
        }
        Key::ECH => items.push(STANDARD.encode(value)),
        Key::ALPN => push_quoted(out, &join_list(&mut wire)?),
        _ => push_quoted(out, value),
    }
    out.push_str(&items.join(","));
    Some(())
}

/// One or more items of `size` bytes.
fn filled(value: &[u8], size: usize) -> bool {
    !value.is_empty() && value.len().is_multiple_of(size)
}

/// Splits a comma-separated list in which `\,` and `\\` stand for themselves (appendix A.1).
fn split_list(list: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut items = Vec::new();
    let mut item = Vec::new();
    let mut bytes = list.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' => items.push(std::mem::take(&mut item)),
            b'\\' => item.push(bytes.next().filter(|b| matches!(b, b',' | b'\\'))?),
            byte => item.push(byte),
        }
    }
    items.push(item);
    Some(items)
}

/// The inverse of [`split_list`] for character strings on the wire.
fn join_list(strings: &mut Cursor<'_>) -> Option<Vec<u8>> {
    let mut list = Vec::new();
    while !strings.is_empty() {
        if !list.is_empty() {
            list.push(b',');
        }
        for &byte in strings.string()? {
            if let b',' | b'\\' = byte {
                list.push(b'\\');
            }
            list.push(byte);
        }
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ech_is_strict_base_64_with_padding() {
        for (text, bytes) in [("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo")] {
            assert_eq!(parse(Key::ECH, text.as_bytes()).unwrap(), bytes.as_bytes());
        }
        for bad in [
            "Zg",
            "Zg=",
            "Zh==",
            "Zm9=",
            "Z===",
            "====",
            "Zg==Zg==",
            "Zm 9",
            "-_-_",
            "Zm9vYmF\u{e9}",
        ] {
            assert_eq!(parse(Key::ECH, bad.as_bytes()), None, "{bad}");
        }
    }
}
