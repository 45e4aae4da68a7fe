//! From lines to records: owners, times to live and classes that go on from the record before, and
//! the directives.

use super::fields::{decimal, name, record_type, seconds, shown, value};
use super::generate::Generate;
pub use super::tokens::MAX_ENTRY_BYTES;
use super::tokens::{Entry, Form, Token, Tokens};
use crate::{Name, RecordType};

/// The longest time to live (RFC 2181 section 8).
const MAX_TTL: u32 = i32::MAX.cast_unsigned();

/// A record as Route 53 would have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where its entry begins in its file, from 1.
    pub line: u64,
    /// In lower case.
    pub owner: Name,
    /// Seconds.
    pub ttl: u32,
    /// The type.
    pub rtype: RecordType,
    /// The text of a `<Value>`, not checked.
    pub value: String,
}

/// An entry that is no record for Route 53.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Where it begins in its file, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// `$INCLUDE`: lines of another file come here, between [`Reader::enter`] and [`Reader::leave`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Include {
    /// Where it stands, from 1.
    pub line: u64,
    /// The other file, as it is written.
    pub file: String,
    /// The origin inside it, when another one is given.
    pub origin: Option<Name>,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "described at the types")]
pub enum Item {
    Record(Record),
    Refused(Refused),
    Include(Include),
}

/// Reads a master file line by line, in memory for one entry.
#[derive(Debug, Default)]
pub struct Reader {
    tokens: Tokens,
    place: Place,
    /// The places of the files that include this one.
    outer: Vec<Place>,
    /// Where the entry that is being read begins.
    entry_line: u64,
    /// `$TTL`.
    default_ttl: Option<u32>,
    /// Of the last record that said one.
    last_ttl: Option<u32>,
    /// Of the SOA's data: what BIND takes where nothing else is said.
    minimum: Option<u32>,
    generate: Option<Generate>,
}

/// Where in a file the reader is.
#[derive(Debug, Default, Clone)]
struct Place {
    line: u64,
    origin: Option<Name>,
    owner: Option<Name>,
}

impl Reader {
    /// A reader at the beginning of a file; relative names lie below `origin`.
    pub fn new(origin: Option<Name>) -> Self {
        Self {
            place: Place {
                line: 0,
                origin,
                owner: None,
            },
            ..Self::default()
        }
    }

    /// Takes a line, without its end, and gives what ends with it, if something does. After a
    /// `$GENERATE`, [`Reader::generated`] has more.
    pub fn line(&mut self, line: &[u8]) -> Option<Item> {
        self.place.line += 1;
        if !self.tokens.is_open() {
            self.tokens.clear();
            self.entry_line = self.place.line;
        }
        match self.tokens.line(line) {
            Ok(Entry::GoesOn) => None,
            Ok(Entry::Ends) => self.entry(),
            Err(reason) => {
                self.tokens.clear();
                // Whose records come next cannot be told.
                self.place.owner = None;
                Some(self.refused(reason.to_owned()))
            }
        }
    }

    /// The next record of a `$GENERATE`, to be asked for after each line until there is none.
    pub fn generated(&mut self) -> Option<Item> {
        let line = self.generate.as_mut()?.line();
        let Some(line) = line else {
            self.generate = None;
            return None;
        };
        self.tokens.clear();
        let taken = line.and_then(|line| match self.tokens.line(&line) {
            Ok(Entry::Ends) => Ok(()),
            Ok(Entry::GoesOn) => Err("a parenthesis is not closed".to_owned()),
            Err(reason) => Err(reason.to_owned()),
        });
        let record = taken.and_then(|()| self.record());
        self.tokens.clear();
        match record {
            Ok(record) => Some(Item::Record(record)),
            Err(reason) => {
                // The others would be refused for the same.
                self.generate = None;
                Some(self.refused(reason))
            }
        }
    }

    /// The end of a file: an entry that goes on is refused.
    pub fn end(&mut self) -> Option<Item> {
        let open = self.tokens.is_open();
        self.tokens.clear();
        open.then(|| self.refused("a parenthesis is not closed".to_owned()))
    }

    /// The lines of an included file follow.
    pub fn enter(&mut self, include: &Include) {
        let inner = Place {
            line: 0,
            origin: include.origin.clone().or_else(|| self.place.origin.clone()),
            owner: self.place.owner.clone(),
        };
        self.outer.push(std::mem::replace(&mut self.place, inner));
    }

    /// The included file has ended: origin and owner are again what they were (RFC 1035 5.1).
    pub fn leave(&mut self) {
        if let Some(place) = self.outer.pop() {
            self.place = place;
        }
    }

    fn refused(&self, reason: String) -> Item {
        Item::Refused(Refused {
            line: self.entry_line,
            reason,
        })
    }

    fn entry(&mut self) -> Option<Item> {
        let first = self.tokens.iter().next()?;
        let directive = match first.bytes.split_first() {
            Some((b'$', rest)) if first.form == Form::Bare && !self.tokens.blank_owner => {
                Some(rest.to_ascii_uppercase())
            }
            _ => None,
        };
        let item = match directive {
            Some(directive) => self.directive(&directive),
            None => self.record().map(|record| Some(Item::Record(record))),
        };
        item.unwrap_or_else(|reason| Some(self.refused(reason)))
    }

    fn directive(&mut self, directive: &[u8]) -> Result<Option<Item>, String> {
        let mut arguments = self.tokens.iter().skip(1);
        match directive {
            b"ORIGIN" => {
                let token = arguments.next().ok_or("$ORIGIN without a name")?;
                let origin = name(token.bytes, self.place.origin.as_ref())?;
                no_more(arguments)?;
                self.place.origin = Some(origin);
            }
            b"TTL" => {
                let token = arguments.next().ok_or("$TTL without a time")?;
                let ttl = ttl(token.bytes)?;
                no_more(arguments)?;
                self.default_ttl = Some(ttl);
            }
            b"INCLUDE" => {
                let token = arguments.next().ok_or("$INCLUDE without a file")?;
                let file = String::from_utf8(token.bytes.to_vec())
                    .map_err(|_| "$INCLUDE of a file whose name is not UTF-8")?;
                let origin = arguments
                    .next()
                    .map(|token| name(token.bytes, self.place.origin.as_ref()));
                let origin = origin.transpose()?;
                no_more(arguments)?;
                let line = self.entry_line;
                return Ok(Some(Item::Include(Include { line, file, origin })));
            }
            b"GENERATE" => self.generate = Some(Generate::read(arguments)?),
            other => return Err(format!("${} is not known", shown(other))),
        }
        Ok(None)
    }

    fn record(&mut self) -> Result<Record, String> {
        let mut tokens = self.tokens.iter().peekable();
        if !self.tokens.blank_owner {
            self.place.owner = None;
            let token = tokens.next().ok_or("an empty entry")?;
            let owner = name(token.bytes, self.place.origin.as_ref())?;
            self.place.owner = Some(owner.to_lowercase());
        }
        let mut stated = None;
        let mut class = None;
        // At most one of each: two turns.
        while let Some(token) = tokens.peek() {
            if class.is_none() && is_class(*token) {
                class = tokens.next();
            } else if stated.is_none() && token.bytes.first().is_some_and(u8::is_ascii_digit) {
                stated = Some(ttl(token.bytes)?);
                tokens.next();
            } else {
                break;
            }
        }
        let rtype = record_type(tokens.next().ok_or("an owner without a type")?)?;
        if let Some(class) = class.filter(|class| !is_internet(*class)) {
            let class = shown(class.bytes);
            return Err(format!("class {class}: Route 53 has IN only"));
        }
        let owner = self.place.owner.clone();
        let owner = owner.ok_or("a record whose owner is not known: that above it was refused")?;
        let value = value(rtype, tokens, self.place.origin.as_ref())?;
        if rtype == RecordType::Soa {
            let minimum = value.rsplit(' ').next();
            self.minimum = minimum.and_then(|text| decimal(text.as_bytes()));
        }
        self.last_ttl = stated.or(self.last_ttl);
        let ttl = stated
            .or(self.default_ttl)
            .or(self.last_ttl)
            .or(self.minimum);
        Ok(Record {
            line: self.entry_line,
            owner,
            ttl: ttl.ok_or("no TTL: neither here, nor above, nor by $TTL")?,
            rtype,
            value,
        })
    }
}

fn no_more<'a>(mut arguments: impl Iterator<Item = Token<'a>>) -> Result<(), String> {
    match arguments.next() {
        None => Ok(()),
        Some(token) => Err(format!("'{}' is too much", shown(token.bytes))),
    }
}

fn ttl(token: &[u8]) -> Result<u32, String> {
    seconds(token)
        .filter(|seconds| *seconds <= MAX_TTL)
        .ok_or_else(|| format!("'{}' is no TTL: seconds up to 2147483647", shown(token)))
}

fn is_internet(class: Token<'_>) -> bool {
    let names: [&[u8]; 2] = [b"IN", b"CLASS1"];
    names
        .iter()
        .any(|name| class.bytes.eq_ignore_ascii_case(name))
}

fn is_class(token: Token<'_>) -> bool {
    let classes: [&[u8]; 5] = [b"IN", b"CH", b"HS", b"CS", b"ANY"];
    let is = |class: &&[u8]| token.bytes.eq_ignore_ascii_case(class);
    let numbered = token
        .bytes
        .split_at_checked(5)
        .is_some_and(|(word, code)| word.eq_ignore_ascii_case(b"CLASS") && decimal(code).is_some());
    token.form == Form::Bare && (classes.iter().any(is) || numbered)
}
