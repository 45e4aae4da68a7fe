//! From names and record data to the texts of master files.

use crate::{Name, RecordType, rdata};

/// A name as an absolute owner, or inside record data.
pub fn owner(name: &Name) -> String {
    decimal_escapes(&name.to_string())
}

/// The text of record data; none where `value` is no value of this type.
pub fn value(rtype: RecordType, value: &str) -> Option<String> {
    let wire = rdata::parse(rtype, value).ok()?;
    Some(decimal_escapes(&rdata::text(rtype, &wire).ok()?))
}

/// Route 53's octal escapes as those of master files, which are decimal; characters that mean
/// nothing there stand for themselves.
fn decimal_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        let digits: Option<u32> = rest.as_str().get(..3).and_then(octal);
        let Some(byte) = digits else {
            // `\"` and `\\` are the same in both.
            out.push('\\');
            out.extend(rest.next());
            continue;
        };
        rest.nth(2);
        match char::from_u32(byte) {
            Some(plain) if "*/+!#%&'<=>?^`{|}~:,[]".contains(plain) => out.push(plain),
            _ => out.push_str(&format!("\\{byte:03}")),
        }
    }
    out
}

fn octal(digits: &str) -> Option<u32> {
    let all = digits.bytes().all(|digit| (b'0'..=b'7').contains(&digit));
    all.then(|| u32::from_str_radix(digits, 8).ok()).flatten()
}
