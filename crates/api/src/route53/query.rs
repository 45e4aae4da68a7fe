//! The query string's parameters.

use crate::fault::ErrorResponse;
use crate::uri;
use crate::xml::{TextFacets, XmlError};

/// Decoded parameters. Unknown ones are ignored, of repeated ones the first counts, empty ones
/// are absent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads a query as it stood in the request line.
    pub(crate) fn parse(text: &str) -> Result<Self, ErrorResponse> {
        let pairs = uri::decode_query(text)
            .and_then(|pairs| {
                let text = |bytes| String::from_utf8(bytes).ok();
                pairs
                    .into_iter()
                    .map(|(name, value)| Some((text(name)?, text(value)?)))
                    .collect()
            })
            .ok_or_else(|| {
                ErrorResponse::invalid_input("The query string is not percent-encoded UTF-8.")
            })?;
        Ok(Self(pairs))
    }

    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(other, _)| other == name)?;
        Some(value.as_str()).filter(|value| !value.is_empty())
    }

    /// A text within its facets.
    pub(super) fn checked(
        &self,
        name: &str,
        facets: &TextFacets,
    ) -> Result<Option<String>, XmlError> {
        self.text(name).map(|text| facets.check(text)).transpose()
    }

    /// `maxitems`: `limit` when it is absent or larger.
    pub(super) fn max_items(&self, limit: usize) -> Result<usize, ErrorResponse> {
        self.page_size("maxitems", "maxItems", limit)
    }

    /// `maxresults`: `limit` when it is absent or larger.
    pub(super) fn max_results(&self, limit: usize) -> Result<usize, ErrorResponse> {
        self.page_size("maxresults", "maxResults", limit)
    }

    fn page_size(&self, name: &str, member: &str, limit: usize) -> Result<usize, ErrorResponse> {
        let Some(text) = self.text(name) else {
            return Ok(limit);
        };
        let digits = text.bytes().all(|b| b.is_ascii_digit());
        match text.parse::<usize>() {
            Ok(number) if digits && number > 0 => return Ok(number.min(limit)),
            // More digits than any number has.
            Err(_) if digits => return Ok(limit),
            _ => {}
        }
        Err(violated(
            text,
            member,
            "Member must have value greater than or equal to 1",
        ))
    }

    /// One of the words of an enumeration. `member` is the parameter's name in the model.
    pub(super) fn choice<T>(
        &self,
        name: &str,
        member: &str,
        choices: impl IntoIterator<Item = (&'static str, T)>,
    ) -> Result<Option<T>, ErrorResponse> {
        self.text(name)
            .map(|text| choose(text, member, choices))
            .transpose()
    }
}

/// The value of one of the words of an enumeration. `member` is the parameter's name in the model.
pub(super) fn choose<T>(
    text: &str,
    member: &str,
    choices: impl IntoIterator<Item = (&'static str, T)>,
) -> Result<T, ErrorResponse> {
    let mut words = Vec::new();
    for (word, value) in choices {
        if word == text {
            return Ok(value);
        }
        words.push(word);
    }
    Err(violated(
        text,
        member,
        &format!("Member must satisfy enum value set: [{}]", words.join(", ")),
    ))
}

fn violated(value: &str, member: &str, constraint: &str) -> ErrorResponse {
    ErrorResponse::invalid_input(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: \
         {constraint}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_sizes_are_clamped_and_have_to_be_numbers() {
        let max = |text: &str| {
            Query::parse(text)
                .unwrap()
                .max_items(100)
                .map_err(|e| e.code)
        };
        assert_eq!(max(""), Ok(100));
        assert_eq!(max("maxitems="), Ok(100));
        assert_eq!(max("maxitems=7"), Ok(7));
        assert_eq!(max("maxitems=101"), Ok(100));
        assert_eq!(max("maxitems=99999999999999999999999"), Ok(100));
        for wrong in ["0", "-1", "%2B5", "1.5", "ten"] {
            assert_eq!(
                max(&format!("maxitems={wrong}")),
                Err("InvalidInput"),
                "{wrong}"
            );
        }
    }

    #[test]
    fn a_query_that_is_no_text_is_refused() {
        assert_eq!(Query::parse("a=%ff").unwrap_err().code, "InvalidInput");
        assert_eq!(Query::parse("a=b&a=c").unwrap().text("a"), Some("b"));
    }
}
