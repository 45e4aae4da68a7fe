//! `$GENERATE` (BIND's): one template, many lines.

use super::fields::{decimal, shown};
use super::tokens::{Form, Token};

/// The most lines that one directive makes.
pub(super) const MAX_LINES: u32 = 65_536;

/// What is left of a directive.
#[derive(Debug)]
pub(super) struct Generate {
    next: u32,
    stop: u32,
    step: u32,
    template: Vec<u8>,
}

impl Generate {
    /// Reads `start-stop[/step]` and the template after it.
    pub(super) fn read<'a>(mut tokens: impl Iterator<Item = Token<'a>>) -> Result<Self, String> {
        let range = tokens.next().map_or(&b""[..], |token| token.bytes);
        let wrong = || format!("'{}' is no range as in 1-100 or 0-62/2", shown(range));
        let (numbers, step) = match range.iter().position(|byte| *byte == b'/') {
            Some(at) => (
                range.get(..at),
                decimal(range.get(at + 1..).unwrap_or_default()),
            ),
            None => (Some(range), Some(1)),
        };
        let numbers = numbers.unwrap_or_default();
        let hyphen = numbers.iter().position(|byte| *byte == b'-');
        let hyphen = hyphen.ok_or_else(wrong)?;
        let start = numbers.get(..hyphen).and_then(decimal);
        let stop = numbers.get(hyphen + 1..).and_then(decimal);
        let (Some(next), Some(stop), Some(step @ 1..)) = (start, stop, step) else {
            return Err(wrong());
        };
        if next > stop || stop - next >= step.saturating_mul(MAX_LINES) || stop == u32::MAX {
            return Err(format!(
                "{}: 1 to {MAX_LINES} lines may be generated",
                shown(range)
            ));
        }
        let mut template = Vec::new();
        for token in tokens {
            if !template.is_empty() {
                template.push(b' ');
            }
            match token.form {
                Form::Bare => template.extend_from_slice(token.bytes),
                Form::Quoted => {
                    template.push(b'"');
                    template.extend_from_slice(token.bytes);
                    template.push(b'"');
                }
            }
        }
        Ok(Self {
            next,
            stop,
            step,
            template,
        })
    }

    /// The next line; none when all are made.
    pub(super) fn line(&mut self) -> Option<Result<Vec<u8>, String>> {
        if self.next > self.stop {
            return None;
        }
        let number = self.next;
        self.next = number.saturating_add(self.step);
        Some(fill(&self.template, number))
    }
}

/// Puts the number in the place of each `$` and `${offset,width,base}`; `$$` and `\$` are a `$`.
fn fill(template: &[u8], number: u32) -> Result<Vec<u8>, String> {
    let mut line = Vec::with_capacity(template.len() + 16);
    let mut rest = template;
    // Each turn takes at least one byte.
    while let Some((&byte, after)) = rest.split_first() {
        rest = match (byte, after) {
            (b'\\', [b'$', after @ ..]) | (b'$', [b'$', after @ ..]) => {
                line.push(b'$');
                after
            }
            (b'\\', [next, after @ ..]) => {
                line.extend([b'\\', *next]);
                after
            }
            (b'$', [b'{', after @ ..]) => {
                let end = after.iter().position(|byte| *byte == b'}');
                let end = end.ok_or("'${' is not closed")?;
                let (form, after) = after.split_at(end);
                line.extend(formatted(form, number)?);
                after.get(1..).unwrap_or_default()
            }
            (b'$', after) => {
                line.extend(number.to_string().bytes());
                after
            }
            (byte, after) => {
                line.push(byte);
                after
            }
        };
    }
    Ok(line)
}

/// `offset[,width[,base]]`: bases are those of printf, and `n` or `N` for reversed digits.
fn formatted(form: &[u8], number: u32) -> Result<Vec<u8>, String> {
    let wrong = || format!("'${{{}}}' is no offset, width and base", shown(form));
    let text = std::str::from_utf8(form).map_err(|_| wrong())?;
    let mut parts = text.split(',');
    let offset: i64 = parts.next().unwrap_or("0").parse().map_err(|_| wrong())?;
    let width: usize = parts.next().unwrap_or("0").parse().map_err(|_| wrong())?;
    let base = parts.next().unwrap_or("d");
    let value = i64::from(number)
        .checked_add(offset)
        .filter(|value| *value >= 0);
    let value = value.ok_or_else(wrong)?;
    if width > 255 || parts.next().is_some() {
        return Err(wrong());
    }
    let text = match base {
        "d" => format!("{value:0width$}"),
        "o" => format!("{value:0width$o}"),
        "x" => format!("{value:0width$x}"),
        "X" => format!("{value:0width$X}"),
        "n" => nibbles(&format!("{value:x}"), width),
        "N" => nibbles(&format!("{value:X}"), width),
        _ => return Err(wrong()),
    };
    Ok(text.into_bytes())
}

/// Digits from the last to the first, with dots between them, as in reverse zones. The width
/// counts the dots too.
fn nibbles(digits: &str, width: usize) -> String {
    let mut text = String::new();
    for digit in digits.chars().rev() {
        if !text.is_empty() {
            text.push('.');
        }
        text.push(digit);
    }
    // At most 255 turns.
    while text.len() + 1 < width {
        text.push_str(".0");
    }
    text
}
