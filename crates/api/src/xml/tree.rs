//! A request body as a small tree of elements.
//!
//! Stricter than the parser underneath: one root of the right name and nothing after it, one
//! namespace, no DOCTYPE, no characters that XML 1.0 forbids, and bounds on everything.

use meridian_model::is_xml_char;
use quick_xml::NsReader;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};

use super::{NAMESPACE, XmlError};

/// How deep elements may nest. The deepest request there is needs eight.
const MAX_DEPTH: usize = 16;
/// How many elements a body may have. A full batch of aliases needs some 14,000.
const MAX_ELEMENTS: usize = 40_000;
/// How many elements an answer of another service may have. A page of full record sets has some
/// 250,000.
const MAX_ANSWER_ELEMENTS: usize = 500_000;
/// How many attributes an element may have. Only namespace declarations are expected.
const MAX_ATTRIBUTES: usize = 16;

/// An element with what stands in it: text or elements, not both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    /// Without prefix.
    pub(crate) name: String,
    /// References resolved, blanks kept.
    pub(crate) text: String,
    /// In document order.
    pub(crate) children: Vec<Self>,
}

/// Reads a body that may be empty: clients send none when a request says nothing beside its path.
///
/// # Errors
/// As for [`parse`].
pub(crate) fn parse_optional(body: &[u8], root: &str, subject: &str) -> Result<Element, XmlError> {
    if !body.is_empty() {
        return parse(body, root, subject);
    }
    Ok(Element {
        name: root.to_owned(),
        ..Element::default()
    })
}

/// Reads a body whose root has to be `root`. `subject` is what the request is about, for the
/// message about a wrong root.
///
/// # Errors
/// See [`XmlError`]. A missing namespace is forgiven, a wrong one is not.
pub(crate) fn parse(body: &[u8], root: &str, subject: &str) -> Result<Element, XmlError> {
    parse_bounded(body, root, subject, MAX_ELEMENTS)
}

/// Reads what another service answers, which may be longer than what we are asked.
///
/// # Errors
/// As for [`parse`].
pub(crate) fn parse_answer(body: &[u8], root: &str) -> Result<Element, XmlError> {
    parse_bounded(body, root, "The answer", MAX_ANSWER_ELEMENTS)
}

fn parse_bounded(
    body: &[u8],
    root: &str,
    subject: &str,
    max_elements: usize,
) -> Result<Element, XmlError> {
    let Ok(text) = std::str::from_utf8(body) else {
        return malformed("The request body is not UTF-8.");
    };
    let mut builder = Builder::new(max_elements);
    builder.read(text)?;
    match builder.root {
        Some(element) if builder.open.is_empty() && element.name == root => Ok(element),
        _ => malformed(format!("{subject} is not valid, expected {root}")),
    }
}

/// The beginning of a document, for whoever shows it: as much as can be read, and at most so many
/// elements. Says whether that is all there is.
pub(crate) fn outline(body: &[u8], max_elements: usize) -> (Option<Element>, bool) {
    let text = match std::str::from_utf8(body) {
        Ok(text) => text,
        Err(error) => {
            let readable = body.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(readable).unwrap_or_default()
        }
    };
    let end = text.find(|c| !is_xml_char(c)).unwrap_or(text.len());
    let text = text.get(..end).unwrap_or_default();
    let mut builder = Builder::new(max_elements);
    let read = builder.read(text).is_ok() && builder.open.is_empty();
    let whole = read && text.len() == body.len();
    while !builder.open.is_empty() {
        builder.close();
    }
    (builder.root, whole)
}

struct Builder {
    /// Elements whose end has not come yet, outermost first.
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
    max_elements: usize,
}

impl Builder {
    const fn new(max_elements: usize) -> Self {
        Self {
            open: Vec::new(),
            root: None,
            elements: 0,
            max_elements,
        }
    }

    fn read(&mut self, text: &str) -> Result<(), XmlError> {
        if text.chars().any(|c| !is_xml_char(c)) {
            return malformed("The request body contains characters that XML does not allow.");
        }
        let mut reader = NsReader::from_str(text.strip_prefix('\u{feff}').unwrap_or(text));
        reader.config_mut().check_comments = true;
        // Every event but the last consumes input, so the loop ends with it.
        loop {
            let (namespace, event) = match reader.read_resolved_event() {
                Ok(next) => next,
                Err(error) => return malformed(format!("The request body is not XML: {error}")),
            };
            match event {
                Event::Start(start) => self.open(&start, &namespace)?,
                Event::Empty(start) => {
                    self.open(&start, &namespace)?;
                    self.close();
                }
                Event::End(_) => self.close(),
                Event::Text(text) => self.push_text(&text.xml10_content())?,
                Event::CData(text) => self.push_text(&text.xml10_content())?,
                Event::GeneralRef(reference) => self.push_reference(&reference)?,
                Event::DocType(_) => return malformed("DOCTYPE is disallowed."),
                Event::Decl(declaration) => match declaration.encoding() {
                    Some(Ok(name)) if !name.eq_ignore_ascii_case("utf-8") => {
                        return malformed("The request body is not UTF-8.");
                    }
                    _ => {}
                },
                Event::Comment(_) | Event::PI(_) => {}
                Event::Eof => return Ok(()),
            }
        }
    }

    fn open(
        &mut self,
        start: &BytesStart<'_>,
        namespace: &ResolveResult<'_>,
    ) -> Result<(), XmlError> {
        let local_name = start.local_name();
        let name: &str = local_name.as_ref();
        self.elements += 1;
        if self.elements > self.max_elements || self.open.len() >= MAX_DEPTH {
            return malformed("The request body has too many elements, or nests them too deeply.");
        }
        if self.open.is_empty() && self.root.is_some() {
            return malformed(
                "The markup in the document following the root element must be well-formed.",
            );
        }
        match namespace {
            ResolveResult::Unbound => {}
            ResolveResult::Bound(Namespace(uri)) if *uri == NAMESPACE => {}
            _ if self.open.is_empty() => {
                return malformed(format!("The namespace of {name} is not {NAMESPACE}"));
            }
            _ => {
                return schema(format!(
                    "cvc-elt.1: Cannot find the declaration of element '{name}'."
                ));
            }
        }
        check_attributes(start)?;
        // Blanks in front of a first child go at once: looking at them again for every further
        // child would take time in the square of the body.
        match self.open.last_mut() {
            Some(parent) if !parent.text.trim().is_empty() => return mixed(&self.open),
            Some(parent) => parent.text.clear(),
            None => {}
        }
        self.open.push(Element {
            name: name.to_owned(),
            ..Element::default()
        });
        Ok(())
    }

    fn close(&mut self) {
        // The parser has already refused ends without a start.
        let Some(element) = self.open.pop() else {
            return;
        };
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
    }

    fn push_text(&mut self, text: &str) -> Result<(), XmlError> {
        let blank = text.trim().is_empty();
        match self.open.last_mut() {
            None if blank => Ok(()),
            None if self.root.is_none() => malformed("Content is not allowed in prolog."),
            None => malformed("Content is not allowed in trailing section."),
            Some(element) if element.children.is_empty() => {
                element.text.push_str(text);
                Ok(())
            }
            Some(_) if blank => Ok(()),
            Some(_) => mixed(&self.open),
        }
    }

    fn push_reference(&mut self, reference: &BytesRef<'_>) -> Result<(), XmlError> {
        let character = match reference.as_ref() {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            _ => reference.resolve_char_ref().ok().flatten(),
        };
        match character {
            Some(character) if is_xml_char(character) => {
                self.push_text(character.encode_utf8(&mut [0; 4]))
            }
            _ => malformed(
                "The request body refers to an entity or a character that XML does not know.",
            ),
        }
    }
}

fn check_attributes(start: &BytesStart<'_>) -> Result<(), XmlError> {
    let count = start
        .attributes()
        .with_checks(false)
        .take(MAX_ATTRIBUTES + 1)
        .count();
    if count > MAX_ATTRIBUTES {
        return malformed("The request body has an element with too many attributes.");
    }
    for attribute in start.attributes() {
        if attribute.is_err() {
            return malformed("The request body has an attribute that is not well-formed.");
        }
    }
    Ok(())
}

fn mixed<T>(open: &[Element]) -> Result<T, XmlError> {
    let name = open.last().map_or("", |element| element.name.as_str());
    schema(format!(
        "cvc-complex-type.2.3: Element '{name}' cannot have character [children], because the \
         type's content type is element-only."
    ))
}

fn malformed<T>(message: impl Into<String>) -> Result<T, XmlError> {
    Err(XmlError::Malformed(message.into()))
}

fn schema<T>(message: String) -> Result<T, XmlError> {
    Err(XmlError::Schema(message))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Result<Element, XmlError> {
        parse(body.as_bytes(), "Root", "Thing")
    }

    fn leaf(name: &str, text: &str) -> Element {
        Element {
            name: name.to_owned(),
            text: text.to_owned(),
            children: vec![],
        }
    }

    #[test]
    fn text_is_kept_and_references_and_cdata_are_resolved() {
        let root = read(&format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- hello -->\n\
             <Root xmlns=\"{NAMESPACE}\">\n  <V> &quot;a&#x26;b&apos; <!-- x --><![CDATA[<&>]]> </V>\n  <E/>\n</Root>\n"
        ))
        .unwrap();
        assert_eq!(root.children, [leaf("V", " \"a&b' <&> "), leaf("E", "")]);
        assert_eq!(root.text, "");
    }

    #[test]
    fn prefixes_and_a_missing_namespace_are_accepted_a_wrong_one_is_not() {
        let prefixed = format!("<r:Root xmlns:r=\"{NAMESPACE}\"><r:V>1</r:V></r:Root>");
        assert_eq!(read(&prefixed).unwrap().children, [leaf("V", "1")]);
        assert!(read("<Root><V>1</V></Root>").is_ok());
        assert!(read("<Root xmlns=\"https://example.com/\"/>").is_err());
        assert!(read("<r:Root/>").is_err());
        let foreign = format!("<Root xmlns=\"{NAMESPACE}\"><V xmlns=\"urn:x\"/></Root>");
        assert_eq!(
            read(&foreign).unwrap_err().to_string(),
            "Invalid XML ; cvc-elt.1: Cannot find the declaration of element 'V'."
        );
    }

    #[test]
    fn a_wrong_root_is_malformed_input() {
        let error = read("<Other/>").unwrap_err();
        assert_eq!(error.to_string(), "Thing is not valid, expected Root");
        assert_eq!(error.code(), "MalformedInput");
        assert_eq!(read(""), Err(error));
    }

    #[test]
    fn what_is_not_one_plain_document_is_refused() {
        for body in [
            "<Root>",
            "<Root></Other>",
            "<Root/><Root/>",
            "<Root/>x",
            "x<Root/>",
            "<Root/>&amp;",
            "<!DOCTYPE Root [<!ENTITY a \"b\">]><Root>&a;</Root>",
            "<Root>&a;</Root>",
            "<Root>&#0;</Root>",
            "<Root>&#1;</Root>",
            "<Root>&#xFFFE;</Root>",
            "<Root>\u{1}</Root>",
            "<Root>a & b</Root>",
            "<Root>text<V/></Root>",
            "<Root><V/>text</Root>",
            "<Root a=\"1\" a=\"2\"/>",
            "<Root a=1/>",
            "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><Root/>",
        ] {
            assert!(read(body).is_err(), "{body}");
        }
        assert!(parse(b"<Root>\xff</Root>", "Root", "Thing").is_err());
        assert!(read(&format!("{}{}", "<Root>".repeat(17), "</Root>".repeat(17))).is_err());
        assert!(read(&format!("{}{}", "<Root>".repeat(16), "</Root>".repeat(16))).is_ok());
        assert!(read(&format!("<Root>{}</Root>", "<V/>".repeat(MAX_ELEMENTS))).is_err());
        let attributes: String = (0..17).map(|i| format!(" a{i}=\"\"")).collect();
        assert!(read(&format!("<Root{attributes}/>")).is_err());
    }

    #[test]
    fn blanks_in_front_of_many_elements_do_not_stall_the_reader() {
        let body = format!(
            "<Root>{}{}</Root>",
            " ".repeat(700_000),
            "<V/>".repeat(39_000)
        );
        let root = read(&body).unwrap();
        assert_eq!((root.text.len(), root.children.len()), (0, 39_000));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(body in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = parse(&body, "Root", "Thing");
        }

        #[test]
        fn nothing_made_of_markup_panics(parts in prop::collection::vec(prop::sample::select(vec![
            "<", ">", "/", "Root", "V", "=", "\"", "'", "&", ";", "#", "x41", "amp", "<Root>", "</Root>",
            "<V/>", "<!--", "-->", "<![CDATA[", "]]>", "<?", "?>", "<!DOCTYPE", " ", "\r\n", "é", ":", "xmlns",
        ]), 0..40)) {
            let _ = read(&parts.concat());
        }
    }
}
