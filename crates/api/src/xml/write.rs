//! Writing of response documents, element by element in the order of the calls.

use std::fmt::{Display, Write};

use meridian_model::is_xml_char;

use super::NAMESPACE;

/// A document in the making.
#[derive(Debug)]
pub(crate) struct Document(String);

impl Document {
    /// A whole document: prolog, root in Route 53's namespace, and what `content` writes.
    pub(crate) fn render(root: &str, content: impl FnOnce(&mut Self)) -> String {
        Self::render_in(NAMESPACE, root, content)
    }

    /// The same in another namespace.
    pub(crate) fn render_in(
        namespace: &str,
        root: &str,
        content: impl FnOnce(&mut Self),
    ) -> String {
        let mut document = Self(format!(
            "<?xml version=\"1.0\"?>\n<{root} xmlns=\"{namespace}\">"
        ));
        content(&mut document);
        document.close(root);
        document.0
    }

    /// An element around what `content` writes.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.open(name);
        content(self);
        self.close(name);
    }

    /// An element with a text.
    pub(crate) fn text(&mut self, name: &str, text: impl Display) {
        self.open(name);
        // Writing to the escaper never fails, and neither do the Display of our types.
        let _ = write!(Escaper(&mut self.0), "{text}");
        self.close(name);
    }

    /// An element with a text, when there is one.
    pub(crate) fn optional(&mut self, name: &str, text: Option<impl Display>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    fn open(&mut self, name: &str) {
        self.0.extend(["<", name, ">"]);
    }

    fn close(&mut self, name: &str) {
        self.0.extend(["</", name, ">"]);
    }
}

/// Escapes what has a meaning in XML, and replaces what it does not allow at all: such characters
/// can get here through the path and the query of a request.
struct Escaper<'a>(&'a mut String);

impl Write for Escaper<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                // A raw one would be read as a line feed (XML 1.0, section 2.11).
                '\r' => self.0.push_str("&#13;"),
                c if is_xml_char(c) => self.0.push(c),
                _ => self.0.push(char::REPLACEMENT_CHARACTER),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn documents_have_a_prolog_and_the_namespace() {
        let text = Document::render("R", |doc| {
            doc.element("List", |_| {});
            doc.text("V", "\"a\" & <b>\0");
            doc.optional("None", None::<&str>);
        });
        assert_eq!(
            text,
            "<?xml version=\"1.0\"?>\n<R xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
             <List></List><V>&quot;a&quot; &amp; &lt;b&gt;\u{fffd}</V></R>"
        );
    }

    proptest! {
        #[test]
        fn every_text_that_can_be_received_can_be_sent(text in "[\\PC\t\n\r]*") {
            let document = Document::render("R", |doc| doc.text("V", &text));
            let root = parse(document.as_bytes(), "R", "R").unwrap();
            prop_assert_eq!(root.children.first().map(|v| &v.text), Some(&text));
        }
    }
}
