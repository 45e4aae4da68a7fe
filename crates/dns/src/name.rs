//! Domain names: wire form inside, Route 53's text form (octal escapes) outside.

use std::fmt;

/// The longest name on the wire, in bytes, root label included (RFC 1035 section 3.1).
pub const MAX_NAME_LEN: usize = 255;
/// The longest label, in bytes (RFC 1035 section 3.1).
pub const MAX_LABEL_LEN: usize = 63;

/// An absolute domain name in uncompressed wire form, root label included.
///
/// Case is kept as given and equality is by byte: names that stand for a place in the tree are
/// made with [`Name::to_lowercase`] first, names inside record data keep the case they came in.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(Box<[u8]>);

/// Why a text or a byte string is no domain name.
///
/// The texts are the ones Route 53 puts into `FATAL problem: …` messages.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The text is empty.
    #[error("DomainNameEmpty (Domain name is empty) encountered with '{0}'")]
    Empty(String),
    /// Two dots follow each other, or the name starts with one.
    #[error("DomainLabelEmpty (Domain label is empty) encountered with '{0}'")]
    LabelEmpty(String),
    /// A label is longer than [`MAX_LABEL_LEN`].
    #[error("DomainLabelTooLong (Domain label is too long) encountered with '{0}'")]
    LabelTooLong(String),
    /// The name is longer than [`MAX_NAME_LEN`] on the wire.
    #[error("DomainNameTooLong (Domain name is too long) encountered with '{0}'")]
    TooLong(String),
    /// This character, which has to be written in octal escapes, stands there raw.
    #[error("UnsupportedCharacter (Value contains unsupported characters) encountered with '{0}'")]
    UnsupportedCharacter(String),
    /// A backslash is not followed by three octal digits up to 377.
    #[error("InvalidEscape (Value contains an invalid escape sequence) encountered with '{0}'")]
    BadEscape(String),
    /// The bytes are not one complete uncompressed name.
    #[error("the bytes are not one uncompressed domain name")]
    NotWire,
}

impl Name {
    /// The root.
    pub fn root() -> Self {
        Self(Box::new([0]))
    }

    /// Reads Route 53's text form: labels separated by dots, the last dot optional, always
    /// absolute, other bytes as `\ooo` in octal. Case is kept.
    ///
    /// # Errors
    /// Each rule of the text form that is broken has its own [`NameError`].
    pub fn parse(text: &str) -> Result<Self, NameError> {
        let fail = |kind: fn(String) -> NameError| Err(kind(text.to_owned()));
        if text.is_empty() {
            return fail(NameError::Empty);
        }
        if text == "." {
            return Ok(Self::root());
        }
        let mut wire = Vec::with_capacity(text.len() + 2);
        let mut label = Vec::with_capacity(MAX_LABEL_LEN);
        let mut bytes = text.bytes();
        let mut ended = false;
        while let Some(byte) = bytes.next() {
            match byte {
                b'.' if label.is_empty() => return fail(NameError::LabelEmpty),
                b'.' => {
                    push_label(&mut wire, &label, text)?;
                    label.clear();
                    ended = true;
                    continue;
                }
                b'\\' => match octal(&mut bytes) {
                    Some(escaped) => label.push(escaped),
                    None => return fail(NameError::BadEscape),
                },
                0..=0x20 | 0x7f..=0xff => return Err(unsupported(text)),
                _ => label.push(byte),
            }
            ended = false;
        }
        if !ended {
            push_label(&mut wire, &label, text)?;
        }
        wire.push(0);
        if wire.len() > MAX_NAME_LEN {
            return fail(NameError::TooLong);
        }
        Ok(Self(wire.into()))
    }

    /// Takes exactly one uncompressed name.
    ///
    /// # Errors
    /// [`NameError::NotWire`] for anything else.
    pub fn from_wire(wire: &[u8]) -> Result<Self, NameError> {
        match wire_len(wire) {
            Some(len) if len == wire.len() => Ok(Self(wire.into())),
            _ => Err(NameError::NotWire),
        }
    }

    /// Reads the uncompressed name at the start of `wire` and returns it with the bytes after it.
    ///
    /// # Errors
    /// [`NameError::NotWire`] when no such name stands there.
    pub fn read(wire: &[u8]) -> Result<(Self, &[u8]), NameError> {
        let len = wire_len(wire).ok_or(NameError::NotWire)?;
        let (name, rest) = wire.split_at_checked(len).ok_or(NameError::NotWire)?;
        Ok((Self(name.into()), rest))
    }

    /// The wire form, root label included: 1 to 255 bytes.
    pub fn as_wire(&self) -> &[u8] {
        &self.0
    }

    /// The same name with ASCII letters in lower case: the form that stands for a place in the
    /// tree (RFC 4343).
    #[must_use]
    pub fn to_lowercase(&self) -> Self {
        // Length bytes are at most 63, below every letter, so the whole form can be folded.
        Self(self.0.to_ascii_lowercase().into())
    }

    /// The labels from the leftmost on, without the root label.
    pub fn labels(&self) -> Labels<'_> {
        Labels { rest: &self.0 }
    }

    /// The number of labels, root not counted: 0 to 127.
    pub fn label_count(&self) -> usize {
        self.labels().count()
    }

    /// Whether this is the root.
    pub fn is_root(&self) -> bool {
        self.0.len() == 1
    }

    /// Whether the leftmost label is exactly `*` (RFC 4592).
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with(&[1, b'*'])
    }

    /// The name without its leftmost label; none for the root.
    pub fn parent(&self) -> Option<Self> {
        let len = usize::from(*self.0.first()?);
        (len > 0).then(|| Self(self.0.get(len + 1..).unwrap_or(&[0]).into()))
    }

    /// Whether this name is `ancestor` or lies below it. Compares bytes: fold both first.
    pub fn is_within(&self, ancestor: &Self) -> bool {
        let mut rest: &[u8] = &self.0;
        loop {
            if rest.len() <= ancestor.0.len() {
                return rest == &*ancestor.0;
            }
            let Some(after) = rest
                .first()
                .and_then(|&len| rest.get(usize::from(len) + 1..))
            else {
                return false;
            };
            rest = after;
        }
    }

    /// The name in Route 53's order of lists: labels reversed, each escaped, joined and ended by
    /// dots, compared as bytes (`com.example.www.`). The root is an empty string.
    pub fn sort_key(&self) -> String {
        let labels: Vec<&[u8]> = self.labels().collect();
        let mut key = String::with_capacity(self.0.len());
        for label in labels.into_iter().rev() {
            escape_into(&mut key, label);
            key.push('.');
        }
        key
    }
}

/// The labels of a [`Name`], from the left, without the root label.
#[derive(Debug, Clone)]
pub struct Labels<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&len, rest) = self.rest.split_first()?;
        let (label, rest) = rest.split_at_checked(usize::from(len))?;
        self.rest = rest;
        (len > 0).then_some(label)
    }
}

impl fmt::Display for Name {
    /// Route 53's text form: every byte outside `a–z A–Z 0–9 - _` as `\ooo`, final dot.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(self.0.len());
        for label in self.labels() {
            escape_into(&mut text, label);
            text.push('.');
        }
        f.write_str(if text.is_empty() { "." } else { &text })
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Route 53 names the character alone.
fn unsupported(text: &str) -> NameError {
    let character = text.chars().find(|c| !matches!(c, '!'..='~'));
    NameError::UnsupportedCharacter(character.map_or_else(String::new, String::from))
}

fn push_label(wire: &mut Vec<u8>, label: &[u8], text: &str) -> Result<(), NameError> {
    match u8::try_from(label.len()) {
        Ok(len) if usize::from(len) <= MAX_LABEL_LEN => {
            wire.push(len);
            wire.extend_from_slice(label);
            Ok(())
        }
        _ => Err(NameError::LabelTooLong(text.to_owned())),
    }
}

/// Three octal digits up to 377.
fn octal(bytes: &mut impl Iterator<Item = u8>) -> Option<u8> {
    let mut value = 0u16;
    for _ in 0..3 {
        let digit = bytes.next().filter(|d| (b'0'..=b'7').contains(d))?;
        value = value * 8 + u16::from(digit - b'0');
    }
    u8::try_from(value).ok()
}

fn escape_into(text: &mut String, label: &[u8]) {
    for &byte in label {
        if byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_' {
            text.push(char::from(byte));
        } else {
            text.push('\\');
            for shift in [6, 3, 0] {
                text.push(char::from(b'0' + ((byte >> shift) & 7)));
            }
        }
    }
}

/// The length of the uncompressed name at the start of `wire`, root label included.
pub(crate) fn wire_len(wire: &[u8]) -> Option<usize> {
    let mut at = 0usize;
    // Each turn moves on by at least one byte and stops at 255.
    while at < MAX_NAME_LEN {
        match usize::from(*wire.get(at)?) {
            0 => return Some(at + 1),
            len if len <= MAX_LABEL_LEN => at += len + 1,
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn text_is_absolute_with_or_without_the_last_dot() {
        assert_eq!(name("www.Example.com"), name("www.Example.com."));
        assert_eq!(name("www.Example.com").to_string(), "www.Example.com.");
        assert_eq!(name("WWW.x").to_lowercase(), name("www.x"));
        assert_eq!(name(".").to_string(), ".");
    }

    #[test]
    fn other_bytes_come_back_as_octal_escapes() {
        assert_eq!(name("*.example.com").to_string(), "\\052.example.com.");
        assert_eq!(name("\\052.example.com"), name("*.example.com"));
        assert_eq!(name("a\\056b.c").to_string(), "a\\056b.c.");
        assert_eq!(name("a\\056b.c").label_count(), 2);
        assert_eq!(name("@.z").to_string(), "\\100.z.");
    }

    #[test]
    fn refusals_carry_route_53s_words() {
        let text = |t: &str| Name::parse(t).unwrap_err().to_string();
        assert_eq!(
            text(""),
            "DomainNameEmpty (Domain name is empty) encountered with ''"
        );
        for (name, character) in [
            ("a b c", " "),
            ("a.\u{e9}\u{e8}", "\u{e9}"),
            ("\u{7f}", "\u{7f}"),
        ] {
            assert_eq!(
                text(name),
                format!(
                    "UnsupportedCharacter (Value contains unsupported characters) encountered with \
                     '{character}'"
                )
            );
        }
        assert!(text("a..b").starts_with("DomainLabelEmpty"));
        assert!(text(".a").starts_with("DomainLabelEmpty"));
        assert!(text("a\\9").starts_with("InvalidEscape"));
        assert!(text("a\\400").starts_with("InvalidEscape"));
        assert!(text(&"a".repeat(64)).starts_with("DomainLabelTooLong"));
        assert!(text(&"aaaaaaa.".repeat(32)).starts_with("DomainNameTooLong"));
        assert!(Name::parse(&"a".repeat(63)).is_ok());
    }

    #[test]
    fn order_of_lists_compares_bytes_so_that_a_hyphen_precedes_the_separator() {
        let mut names: Vec<Name> = ["c.a.z", "a.z", "a-x.z", "z", "\\052.z", "b.z"]
            .map(name)
            .into();
        names.sort_by_key(Name::sort_key);
        let sorted: Vec<String> = names.iter().map(Name::to_string).collect();
        assert_eq!(
            sorted,
            ["z.", "\\052.z.", "a-x.z.", "a.z.", "c.a.z.", "b.z."]
        );
    }

    #[test]
    fn within_is_by_label_not_by_text() {
        assert!(name("a.example.com").is_within(&name("example.com")));
        assert!(name("example.com").is_within(&name("example.com")));
        assert!(name("example.com").is_within(&Name::root()));
        assert!(!name("notexample.com").is_within(&name("example.com")));
        assert!(!name("com").is_within(&name("example.com")));
    }

    proptest! {
        #[test]
        fn any_wire_name_survives_text(labels in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..10)) {
            let mut wire = Vec::new();
            for label in &labels {
                wire.push(u8::try_from(label.len()).unwrap());
                wire.extend_from_slice(label);
            }
            wire.push(0);
            let from_wire = Name::from_wire(&wire).unwrap();
            prop_assert_eq!(Name::parse(&from_wire.to_string()).unwrap(), from_wire);
        }

        #[test]
        fn no_text_panics(text in ".*") {
            let _ = Name::parse(&text);
        }

        #[test]
        fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            if let Ok((name, rest)) = Name::read(&bytes) {
                prop_assert_eq!(name.as_wire().len() + rest.len(), bytes.len());
            }
        }
    }
}
