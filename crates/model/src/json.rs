//! JSON as documents are written in it: with its order, numbers as texts, and names that come twice
//! in one object, where the document's kind leaves that to its reader. What it means is not known
//! here.

use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// As it would be written in a string.
    Number(String),
    /// A string.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// In order.
    Object(Vec<(String, Self)>),
}

/// Whether a name may come twice in one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonNames {
    /// The reader sees both, and says what is to be said of it.
    AsWritten,
    /// That is no document: of two readers one would see the first value and the other the second.
    Once,
}

/// Why a text is no such value, and where.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct JsonError(#[from] serde_json::Error);

impl Json {
    /// Reads one value and nothing behind it. Nesting is bounded by the reader, at 128.
    ///
    /// # Errors
    /// When it is not JSON, or a name comes twice where it must not.
    pub fn parse(text: &str, names: JsonNames) -> Result<Self, JsonError> {
        let mut reader = serde_json::Deserializer::from_str(text);
        let value = Reading(names).deserialize(&mut reader)?;
        reader.end()?;
        Ok(value)
    }

    /// What kind of value it is, for an error message.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Object(_) => "an object",
        }
    }
}

#[derive(Clone, Copy)]
struct Reading(JsonNames);

impl<'de> DeserializeSeed<'de> for Reading {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reading {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        // Ends with the text.
        while let Some(item) = access.next_element_seed(self)? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        let mut seen = HashSet::new();
        // Ends with the text.
        while let Some(name) = access.next_key::<String>()? {
            if self.0 == JsonNames::Once && !seen.insert(name.clone()) {
                return Err(A::Error::custom(format!("'{name}' comes twice")));
            }
            fields.push((name, access.next_value_seed(self)?));
        }
        Ok(Json::Object(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_come_twice_are_seen_or_refused() {
        let text = r#"{"b": 1, "a": [null, true, -1.5, "x"], "b": {"c": 2, "c": 3}}"#;
        let Json::Object(fields) = Json::parse(text, JsonNames::AsWritten).unwrap() else {
            panic!("an object");
        };
        let names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["b", "a", "b"]);
        let list = Json::List(vec![
            Json::Null,
            Json::Bool(true),
            Json::Number("-1.5".to_owned()),
            Json::Text("x".to_owned()),
        ]);
        assert_eq!(fields[1].1, list);
        let refusal = |text| Json::parse(text, JsonNames::Once).unwrap_err().to_string();
        assert_eq!(refusal(text), "'b' comes twice at line 1 column 42");
        let inside = refusal(r#"[{"a": {"c": 2, "c": 3}}]"#);
        assert!(inside.starts_with("'c' comes twice"), "{inside}");
        // The same name in different objects is no repetition.
        let text = r#"[{"a": {"a": 1}}, {"a": 2}]"#;
        assert!(Json::parse(text, JsonNames::Once).is_ok());
    }

    #[test]
    fn nothing_stands_behind_a_value_and_none_is_nested_too_deep() {
        for names in [JsonNames::AsWritten, JsonNames::Once] {
            assert!(Json::parse("{} {}", names).is_err());
            assert!(Json::parse("", names).is_err());
            let deep = "[".repeat(200) + &"]".repeat(200);
            let error = Json::parse(&deep, names).unwrap_err().to_string();
            assert!(error.contains("recursion limit"), "{error}");
        }
    }
}
