//! What an import says on the way: refusals and warnings, line by line up to a bound.

use std::io::{self, Write};

use serde_json::{Value, json};

use crate::terminal::Form;

/// Refusals that are printed; all are counted, and `--json` has all.
const PRINTED: usize = 100;

/// Messages about places in files.
#[derive(Debug)]
pub(super) struct Messages {
    kind: &'static str,
    /// Text is printed at once; all are kept for JSON.
    form: Form,
    kept: Vec<Value>,
    count: u64,
}

impl Messages {
    /// None yet.
    pub(super) fn new(kind: &'static str, form: Form) -> Self {
        Self {
            kind,
            form,
            kept: Vec::new(),
            count: 0,
        }
    }

    /// Takes a message.
    pub(super) fn say(&mut self, place: &str, text: &str) {
        self.count += 1;
        if self.form == Form::Json {
            self.kept.push(json!({ "place": place, "reason": text }));
        } else if self.count <= PRINTED as u64 {
            let _ = writeln!(io::stderr(), "{place}: {}{text}", self.kind);
        }
    }

    /// How many there were.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Says how many more there were than were printed.
    pub(super) fn end(&self) {
        if self.form == Form::Text && self.count > PRINTED as u64 {
            let more = self.count - PRINTED as u64;
            let _ = writeln!(io::stderr(), "… and {more} more; --json shows all");
        }
    }

    /// All of them, for `--json`.
    pub(super) fn all(&self) -> &[Value] {
        &self.kept
    }
}
