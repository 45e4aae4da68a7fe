//! From lines to the tokens of an entry: blanks, comments, quotation marks, parentheses. Escapes
//! stay as they are written; what tokens mean is decided elsewhere.

/// The longest entry, in bytes over all its lines: what an unclosed parenthesis may swallow.
pub const MAX_ENTRY_BYTES: usize = 256 * 1024;

/// The tokens of one entry, which parentheses may spread over lines.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    text: Vec<u8>,
    tokens: Vec<(usize, usize, Form)>,
    /// Open parentheses.
    depth: u32,
    /// The entry begins with a blank: its owner is the last one.
    pub(super) blank_owner: bool,
}

/// How a token was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Bare,
    Quoted,
}

/// Where an entry stands after a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// A parenthesis is open.
    GoesOn,
    /// It is whole, perhaps without a token.
    Ends,
}

/// A token: its bytes, without quotation marks around them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) form: Form,
}

impl Tokens {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.tokens.clear();
        self.depth = 0;
        self.blank_owner = false;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Token<'_>> + Clone {
        self.tokens.iter().map(|(start, end, form)| Token {
            bytes: self.text.get(*start..*end).unwrap_or_default(),
            form: *form,
        })
    }

    /// Whether a parenthesis is open.
    pub(super) fn is_open(&self) -> bool {
        self.depth > 0
    }

    /// Takes a line, without its end.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<Entry, &'static str> {
        if self.text.len() + line.len() > MAX_ENTRY_BYTES {
            return Err("an entry of more than 256 KiB: is a parenthesis not closed?");
        }
        if !self.is_open() {
            self.blank_owner = matches!(line.first(), Some(b' ' | b'\t'));
        }
        let mut rest = line;
        // Each turn takes at least one byte.
        while let Some((&byte, after)) = rest.split_first() {
            rest = match byte {
                b' ' | b'\t' | b'\r' => after,
                b';' => break,
                b'(' => {
                    self.depth += 1;
                    after
                }
                b')' => {
                    let outer = self.depth.checked_sub(1);
                    self.depth = outer.ok_or("a closing parenthesis without an opening one")?;
                    after
                }
                b'"' => self.quoted(after)?,
                _ => self.bare(rest)?,
            };
        }
        Ok(if self.is_open() {
            Entry::GoesOn
        } else {
            Entry::Ends
        })
    }

    /// A string up to its closing quotation mark.
    fn quoted<'l>(&mut self, line: &'l [u8]) -> Result<&'l [u8], &'static str> {
        let end = string_end(line)?;
        let (string, rest) = line.split_at(end);
        self.push(string, Form::Quoted);
        Ok(rest.get(1..).unwrap_or_default())
    }

    /// A word; quotation marks inside, as in `alpn="h2"`, keep blanks together.
    fn bare<'l>(&mut self, line: &'l [u8]) -> Result<&'l [u8], &'static str> {
        let mut at = 0;
        // Each turn moves on by a byte at least.
        while let Some(byte) = line.get(at) {
            at += match byte {
                b' ' | b'\t' | b'\r' | b';' | b'(' | b')' => break,
                b'\\' => 2,
                b'"' => 2 + string_end(line.get(at + 1..).unwrap_or_default())?,
                _ => 1,
            };
        }
        let (word, rest) = line
            .split_at_checked(at)
            .ok_or("a backslash at the end of a line")?;
        self.push(word, Form::Bare);
        Ok(rest)
    }

    fn push(&mut self, bytes: &[u8], form: Form) {
        let start = self.text.len();
        self.text.extend_from_slice(bytes);
        self.tokens.push((start, self.text.len(), form));
    }
}

/// Where the quotation mark is that closes a string.
fn string_end(line: &[u8]) -> Result<usize, &'static str> {
    let mut at = 0;
    // Each turn moves on by a byte at least.
    while let Some(byte) = line.get(at) {
        match byte {
            b'"' => return Ok(at),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Err("a quotation mark is not closed on its line")
}
