//! What is wrong with a document, and where: texts of bounded length, in bounded number, whatever
//! the document is.

use std::fmt;

use crate::routing::Region;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentFault {
    /// Where: names and places of list items from the outermost in, as in
    /// `Rules.near.Locations[2].Country`. Empty for the whole.
    pub path: String,
    /// What, without a full stop.
    pub text: String,
}

/// More are not told.
pub(super) const MAX_FAULTS: usize = 100;
/// More characters of a name or value are not repeated.
const MAX_ECHO: usize = 64;

impl fmt::Display for DocumentFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.text)
    }
}

/// A way into the document, made as it is gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'a> {
    up: Option<&'a Self>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Whole,
    Name(&'a str),
    Place(usize),
}

impl Path<'static> {
    /// The document itself.
    pub(super) const WHOLE: Self = Path {
        up: None,
        step: Step::Whole,
    };
}

impl<'a> Path<'a> {
    /// A field of what is here.
    pub(super) fn field(&'a self, name: &'a str) -> Self {
        Self {
            up: Some(self),
            step: Step::Name(name),
        }
    }

    /// An item of the list that is here.
    pub(super) fn item(&'a self, place: usize) -> Self {
        Self {
            up: Some(self),
            step: Step::Place(place),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As deep as the format is, which is six.
        if let Some(up) = self.up {
            up.fmt(f)?;
        }
        let first = self.up.is_none_or(|up| matches!(up.step, Step::Whole));
        match self.step {
            Step::Whole => Ok(()),
            Step::Place(place) => write!(f, "[{place}]"),
            Step::Name(name) if is_plain(name) => {
                let dot = if first { "" } else { "." };
                write!(f, "{dot}{name}")
            }
            Step::Name(name) => write!(f, "[{:?}]", echo(name)),
        }
    }
}

/// Whether a name stands in a path as it is.
fn is_plain(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    (1..=MAX_ECHO).contains(&name.len()) && name.chars().all(fits)
}

/// Something of the document's own to be repeated in a message.
pub(super) fn echo(text: &str) -> String {
    match text.char_indices().nth(MAX_ECHO) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// All that was found.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<DocumentFault>);

impl Faults {
    /// One more.
    pub(super) fn add(&mut self, path: &Path<'_>, text: impl Into<String>) {
        if self.0.len() < MAX_FAULTS {
            self.0.push(DocumentFault {
                path: path.to_string(),
                text: text.into(),
            });
        }
    }

    /// The outcome, unless something is wrong.
    pub(super) fn or<T>(self, outcome: Option<T>) -> Result<T, Vec<DocumentFault>> {
        match outcome {
            Some(outcome) if self.0.is_empty() => Ok(outcome),
            _ => Err(self.0),
        }
    }
}

/// There is no such region.
pub(super) fn unknown_region(rule: &str, place: usize, region: &Region) -> DocumentFault {
    let rules = Path::WHOLE.field("Rules");
    let rule = rules.field(rule);
    let list = rule.field("Regions");
    let item = list.item(place);
    DocumentFault {
        path: item.field("Region").to_string(),
        text: format!("there is no region '{}'", region.as_str()),
    }
}
