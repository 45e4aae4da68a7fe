//! The fields of one object of a document: which there may be, and of what kind each is. `null` is
//! as good as nothing, and numbers and truth values may be written as strings, as in AWS's own
//! examples.

use std::collections::HashSet;

use super::fault::{Faults, Path, echo};
use crate::json::Json;

/// An object with its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    pub(super) path: &'a Path<'a>,
    fields: &'a [(String, Json)],
}

impl<'a> Fields<'a> {
    /// The object that is here; faults are told for one that is none, and for names that it may not
    /// have or has twice.
    pub(super) fn of(
        json: &'a Json,
        path: &'a Path<'a>,
        known: &[&str],
        faults: &mut Faults,
    ) -> Option<Self> {
        let fields = named(json, path, faults)?;
        for (name, _) in fields {
            if !known.contains(&name.as_str()) {
                let alike = known.iter().find(|other| other.eq_ignore_ascii_case(name));
                let text = match alike {
                    Some(other) => format!("is not known here; is {other} meant?"),
                    None => format!("is not known here; {} are", known.join(", ")),
                };
                faults.add(&path.field(name), text);
            }
        }
        Some(Self { path, fields })
    }

    /// An object whose names were looked at before.
    pub(super) fn again(json: &'a Json, path: &'a Path<'a>) -> Option<Self> {
        let Json::Object(fields) = json else {
            return None;
        };
        Some(Self { path, fields })
    }

    /// A field, unless it is absent or null.
    pub(super) fn get(&self, name: &str) -> Option<&'a Json> {
        let (_, value) = self.fields.iter().find(|(other, _)| other == name)?;
        (!matches!(value, Json::Null)).then_some(value)
    }

    /// A field that has to be there.
    pub(super) fn required(&self, name: &str, faults: &mut Faults) -> Option<&'a Json> {
        let value = self.get(name);
        if value.is_none() {
            faults.add(&self.path.field(name), "is missing");
        }
        value
    }

    /// A string.
    pub(super) fn text(&self, name: &str, faults: &mut Faults) -> Option<&'a str> {
        match self.get(name)? {
            Json::Text(text) => Some(text),
            other => {
                self.wrong(name, other, "a string", faults);
                None
            }
        }
    }

    /// A string that has to be there.
    pub(super) fn required_text(&self, name: &str, faults: &mut Faults) -> Option<&'a str> {
        self.required(name, faults)?;
        self.text(name, faults)
    }

    /// A number, written as such or as a string.
    pub(super) fn number(&self, name: &str, faults: &mut Faults) -> Option<&'a str> {
        match self.get(name)? {
            Json::Number(text) | Json::Text(text) => Some(text),
            other => {
                self.wrong(name, other, "a number", faults);
                None
            }
        }
    }

    /// A whole number between two.
    pub(super) fn whole(
        &self,
        name: &str,
        (least, most): (i16, i16),
        faults: &mut Faults,
    ) -> Option<i16> {
        let text = self.number(name, faults)?;
        let number: Option<i16> = text.parse().ok();
        let number = number.filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let text = format!(
                "'{}' is not a whole number from {least} to {most}",
                echo(text)
            );
            faults.add(&self.path.field(name), text);
        }
        number
    }

    /// True or false, written as such or as a string; false when it is absent.
    pub(super) fn flag(&self, name: &str, faults: &mut Faults) -> bool {
        match self.get(name) {
            None => false,
            Some(Json::Bool(flag)) => *flag,
            Some(Json::Text(text)) if text == "true" => true,
            Some(Json::Text(text)) if text == "false" => false,
            Some(other) => {
                self.wrong(name, other, "true or false", faults);
                false
            }
        }
    }

    fn wrong(&self, name: &str, found: &Json, wanted: &str, faults: &mut Faults) {
        let found = match found {
            Json::Text(text) => format!("'{}'", echo(text)),
            other => other.kind().to_owned(),
        };
        faults.add(&self.path.field(name), format!("is {found}, not {wanted}"));
    }
}

/// The fields of an object, whatever their names; names that come twice are faults.
pub(super) fn named<'a>(
    json: &'a Json,
    path: &Path<'_>,
    faults: &mut Faults,
) -> Option<&'a [(String, Json)]> {
    let Json::Object(fields) = json else {
        faults.add(path, format!("is {}, not an object", json.kind()));
        return None;
    };
    let mut seen = HashSet::new();
    for (name, _) in fields {
        if !seen.insert(name) {
            faults.add(&path.field(name), "comes twice");
        }
    }
    Some(fields)
}
