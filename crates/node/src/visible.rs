//! Texts that somebody else chose, made safe to look at: characters that a terminal acts on, that
//! end a line for some readers, or that turn the order of what follows are written as escapes.

use std::borrow::Cow;
use std::fmt::Write;

/// For people: such characters as in `\u{9b}`.
pub(crate) fn text(text: &str) -> Cow<'_, str> {
    escape(text, acts, |c, out| out.extend(c.escape_unicode()))
}

/// For JSON that is made already, on one line or on several. The same document: where they can be
/// in one, inside strings, JSON has escapes for them.
pub(crate) fn json(document: &str) -> Cow<'_, str> {
    // Those below the space are escaped in strings; between strings they are white space.
    let acts_in_json = |c| c > ' ' && acts(c);
    escape(document, acts_in_json, |c, out| {
        for unit in c.encode_utf16(&mut [0; 2]) {
            // A string grows as needed.
            let _ = write!(out, "\\u{unit:04x}");
        }
    })
}

fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2066}'..='\u{2069}')
}

fn escape(
    text: &str,
    acts: impl Fn(char) -> bool,
    write: impl Fn(char, &mut String),
) -> Cow<'_, str> {
    if !text.contains(&acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if acts(c) {
            write(c, &mut out);
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const SLY: &str = "a\n\u{1b}[2J\u{7f}\u{9b}2J\u{85}\u{2028}{}\u{202e}é\u{2067}";

    #[test]
    fn what_terminals_act_on_is_shown() {
        let shown = r"a\u{a}\u{1b}[2J\u{7f}\u{9b}2J\u{85}\u{2028}{}\u{202e}é\u{2067}";
        assert_eq!(text(SLY), shown);
        assert!(matches!(text("plain é 世"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_document_stays_the_same() {
        let value = serde_json::json!({ SLY: [SLY, "plain"] });
        for made in [value.to_string(), format!("{value:#}")] {
            let shown = json(&made);
            assert!(!shown.contains(|c| c != '\n' && acts(c)), "{shown:?}");
            assert_eq!(shown.lines().count(), made.lines().count());
            assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), value);
        }
    }
}
