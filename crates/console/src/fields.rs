//! What forms and queries say: names and values, of bounded number. The encoding is `form_urlencoded`'s
//! to undo; bytes that are no UTF-8 become its replacement character.

use form_urlencoded::Serializer;

/// The most fields that are looked at.
const MAX_FIELDS: usize = 128;

/// The fields of a form or a query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads what browsers send.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(bytes).take(MAX_FIELDS);
        let pairs = pairs.map(|(name, value)| (name.into_owned(), value.into_owned()));
        Self(pairs.collect())
    }

    /// A field as it was typed; empty when it is not there. Of several of a name the first counts.
    pub(crate) fn text(&self, name: &str) -> &str {
        let mut found = self.0.iter().filter(|(other, _)| other == name);
        found.next().map_or("", |(_, value)| value)
    }

    /// A field, unless it is empty.
    pub(crate) fn said(&self, name: &str) -> Option<&str> {
        Some(self.text(name)).filter(|text| !text.is_empty())
    }
}

/// A path with a query of these fields, those left out that are not there.
pub(crate) fn link(path: &str, fields: &[(&str, Option<&str>)]) -> String {
    let mut query = Serializer::new(String::new());
    for (name, value) in fields {
        if let Some(value) = value {
            query.append_pair(name, value);
        }
    }
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_of_a_name_counts_and_empty_is_not_said() {
        let fields = Fields::read(b"a=1&a=2&b=&c=%C3%A4+%26&d&%ff=x");
        assert_eq!((fields.text("a"), fields.text("c")), ("1", "ä &"));
        assert_eq!(
            (fields.said("b"), fields.said("d"), fields.said("e")),
            (None, None, None)
        );
    }

    #[test]
    fn fields_have_an_end() {
        let many = Fields::read("a=1&".repeat(MAX_FIELDS + 9).as_bytes());
        assert_eq!(many.0.len(), MAX_FIELDS);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            let fields = Fields::read(&bytes);
            let len: usize = fields.0.iter().map(|(name, value)| name.len() + value.len()).sum();
            // A byte that is none of a character's becomes three.
            prop_assert!(fields.0.len() <= MAX_FIELDS && len <= 3 * bytes.len());
        }

        #[test]
        fn a_link_brings_back_what_was_put_in(name in ".{0,80}", more in ".{1,40}") {
            let made = link("/console/x", &[("name", Some(&name)), ("no", None), ("more", Some(&more))]);
            prop_assert!(made.bytes().all(|byte| byte.is_ascii_graphic()));
            let (path, query) = made.split_once('?').unwrap();
            let fields = Fields::read(query.as_bytes());
            prop_assert_eq!(path, "/console/x");
            prop_assert_eq!((fields.text("name"), fields.text("more")), (&*name, &*more));
            prop_assert_eq!(fields.said("no"), None);
        }
    }
}
