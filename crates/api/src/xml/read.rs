//! Typed reading of elements: which children there may be, and the facets of their texts.
//!
//! The schema is closed: an element it does not name is refused. Elements come in any order,
//! because botocore sends them in the order of the caller's dict. An optional element of a simple
//! type that is empty is an absent one.

use std::fmt::Display;

use super::{Element, NAMESPACE, XmlError};

/// How much of a wrong value a message repeats, in characters.
const MAX_QUOTED: usize = 1024;

/// A child that a shape has.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field {
    /// Has to be there.
    Required(&'static str),
    /// May be there.
    Optional(&'static str),
}

impl Field {
    const fn name(self) -> &'static str {
        match self {
            Self::Required(name) | Self::Optional(name) => name,
        }
    }
}

/// The children of an element, each known and there once at most.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    element: &'a Element,
}

impl<'a> Fields<'a> {
    /// Checks the children of `element` against the shape.
    pub(crate) fn of(element: &'a Element, shape: &[Field]) -> Result<Self, XmlError> {
        let open = |seen: &[Element]| -> Vec<&'static str> {
            let missing = |field: &Field| seen.iter().all(|child| child.name != field.name());
            shape
                .iter()
                .copied()
                .filter(missing)
                .map(Field::name)
                .collect()
        };
        for (index, child) in element.children.iter().enumerate() {
            let seen = element.children.get(..index).unwrap_or_default();
            if !open(seen).contains(&child.name.as_str()) {
                return unexpected(&child.name, &open(seen));
            }
        }
        if !element.text.trim().is_empty() {
            return schema(format!(
                "cvc-complex-type.2.3: Element '{}' cannot have character [children], because the \
                 type's content type is element-only.",
                element.name
            ));
        }
        let seen = &element.children;
        let lacking = |field: &&Field| {
            matches!(field, Field::Required(_)) && open(seen).contains(&field.name())
        };
        match shape.iter().find(lacking) {
            Some(field) => incomplete(&element.name, &[field.name()]),
            None => Ok(Self { element }),
        }
    }

    /// A child that is there, even when it is empty.
    pub(crate) fn element(&self, name: &str) -> Option<&'a Element> {
        self.element
            .children
            .iter()
            .find(|child| child.name == name)
    }

    /// A child that the shape requires.
    pub(crate) fn required(&self, name: &'static str) -> Result<&'a Element, XmlError> {
        self.element(name)
            .map_or_else(|| incomplete(&self.element.name, &[name]), Ok)
    }

    /// A text that has to be there; it may be empty where the facets allow.
    pub(crate) fn text(&self, name: &'static str, facets: &TextFacets) -> Result<String, XmlError> {
        facets.check(leaf(self.required(name)?)?)
    }

    /// A text; empty is absent.
    pub(crate) fn optional_text(
        &self,
        name: &str,
        facets: &TextFacets,
    ) -> Result<Option<String>, XmlError> {
        match self.element(name).map(leaf).transpose()? {
            None | Some("") => Ok(None),
            Some(text) => facets.check(text).map(Some),
        }
    }

    /// A whole number from `min` to `max`; blank is absent. `kind` is the type's name.
    pub(crate) fn optional_number(
        &self,
        name: &str,
        kind: &str,
        (min, max): (i64, i64),
    ) -> Result<Option<i64>, XmlError> {
        let Some(text) = self.optional_token(name)? else {
            return Ok(None);
        };
        let Ok(number) = text.parse::<i64>() else {
            return schema(format!(
                "cvc-datatype-valid.1.2.1: '{}' is not a valid value for 'integer'.",
                quoted(text)
            ));
        };
        let (facet, bound) = match number {
            n if n < min => ("minInclusive", min),
            n if n > max => ("maxInclusive", max),
            n => return Ok(Some(n)),
        };
        schema(format!(
            "cvc-{facet}-valid: Value '{number}' is not facet-valid with respect to {facet} \
             '{bound}' for type '{kind}'."
        ))
    }

    /// A whole number from `min` to `max` that has to be there. `kind` is the type's name.
    pub(crate) fn number(
        &self,
        name: &'static str,
        kind: &str,
        bounds: (i64, i64),
    ) -> Result<i64, XmlError> {
        self.optional_number(name, kind, bounds)?.map_or_else(
            || {
                schema(
                    "cvc-datatype-valid.1.2.1: '' is not a valid value for 'integer'.".to_owned(),
                )
            },
            Ok,
        )
    }

    /// A truth value that has to be there.
    pub(crate) fn boolean(&self, name: &'static str) -> Result<bool, XmlError> {
        boolean(leaf(self.required(name)?)?.trim())
    }

    /// A truth value; blank is absent.
    pub(crate) fn optional_boolean(&self, name: &str) -> Result<Option<bool>, XmlError> {
        self.optional_token(name)?.map(boolean).transpose()
    }

    /// A word of an enumeration that has to be there.
    pub(crate) fn choice<T>(
        &self,
        name: &'static str,
        choices: impl IntoIterator<Item = (&'static str, T)>,
    ) -> Result<T, XmlError> {
        choose(leaf(self.required(name)?)?.trim(), choices)
    }

    /// A word of an enumeration; blank is absent.
    pub(crate) fn optional_choice<T>(
        &self,
        name: &str,
        choices: impl IntoIterator<Item = (&'static str, T)>,
    ) -> Result<Option<T>, XmlError> {
        self.optional_token(name)?
            .map(|text| choose(text, choices))
            .transpose()
    }

    /// Refuses an element of which all parts are optional when none of them is there.
    pub(crate) fn incomplete<T>(&self, expected: &[&str]) -> Result<T, XmlError> {
        incomplete(&self.element.name, expected)
    }

    /// Refuses a child that the shape knows, but not together with another one.
    pub(crate) fn unexpected<T>(&self, name: &str, expected: &[&str]) -> Result<T, XmlError> {
        unexpected(name, expected)
    }

    /// A text whose surrounding blanks mean nothing; empty is absent.
    fn optional_token(&self, name: &str) -> Result<Option<&'a str>, XmlError> {
        let text = self.element(name).map(leaf).transpose()?;
        Ok(text.map(str::trim).filter(|text| !text.is_empty()))
    }
}

/// The children of a list, which all have to be `item`s.
pub(crate) fn list<'a>(element: &'a Element, item: &str) -> Result<&'a [Element], XmlError> {
    match element.children.iter().find(|child| child.name != item) {
        Some(other) => unexpected(&other.name, &[item]),
        None if element.text.trim().is_empty() => Ok(&element.children),
        None => incomplete(&element.name, &[item]),
    }
}

/// A pattern and whether a text follows it: there is no regular-expression engine here.
pub(crate) type Pattern = (&'static str, fn(&str) -> bool);

/// What a text may be. Lengths are counted in characters.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextFacets {
    /// The type's name in the model.
    pub(crate) kind: &'static str,
    /// The fewest characters.
    pub(crate) min: usize,
    /// The most characters.
    pub(crate) max: usize,
    /// The pattern as the model spells it.
    pub(crate) pattern: Option<Pattern>,
}

impl TextFacets {
    /// A text of this type and length.
    pub(crate) const fn new(kind: &'static str, min: usize, max: usize) -> Self {
        Self {
            kind,
            min,
            max,
            pattern: None,
        }
    }

    /// The same with a pattern.
    pub(crate) const fn pattern(mut self, pattern: &'static str, holds: fn(&str) -> bool) -> Self {
        self.pattern = Some((pattern, holds));
        self
    }

    /// Takes the text when it fits.
    pub(crate) fn check(&self, text: &str) -> Result<String, XmlError> {
        let length = text.chars().count();
        let (facet, bound) = match length {
            n if n < self.min => ("minLength", self.min),
            n if n > self.max => ("maxLength", self.max),
            _ => return self.check_pattern(text),
        };
        schema(format!(
            "cvc-{facet}-valid: Value '{}' with length = '{length}' is not facet-valid with \
             respect to {facet} '{bound}' for type '{}'.",
            quoted(text),
            self.kind
        ))
    }

    /// Takes the text of an item of a list when it fits.
    pub(crate) fn check_leaf(&self, element: &Element) -> Result<String, XmlError> {
        self.check(leaf(element)?)
    }

    fn check_pattern(&self, text: &str) -> Result<String, XmlError> {
        match self.pattern {
            Some((pattern, holds)) if !holds(text) => schema(format!(
                "cvc-pattern-valid: Value '{}' is not facet-valid with respect to pattern \
                 '{pattern}' for type '{}'.",
                quoted(text),
                self.kind
            )),
            _ => Ok(text.to_owned()),
        }
    }
}

/// The word of an enumeration that an item of a list is.
pub(crate) fn choose_leaf<T>(
    element: &Element,
    choices: impl IntoIterator<Item = (&'static str, T)>,
) -> Result<T, XmlError> {
    choose(leaf(element)?.trim(), choices)
}

fn leaf(element: &Element) -> Result<&str, XmlError> {
    if element.children.is_empty() {
        return Ok(&element.text);
    }
    schema(format!(
        "cvc-type.3.1.2: Element '{}' is a simple type, so it must have no element information \
         item [children].",
        element.name
    ))
}

fn boolean(text: &str) -> Result<bool, XmlError> {
    match text {
        "true" | "1" => Ok(true),
        "false" | "0" => Ok(false),
        other => schema(format!(
            "cvc-datatype-valid.1.2.1: '{}' is not a valid value for 'boolean'.",
            quoted(other)
        )),
    }
}

fn choose<T>(
    text: &str,
    choices: impl IntoIterator<Item = (&'static str, T)>,
) -> Result<T, XmlError> {
    let mut words = Vec::new();
    for (word, value) in choices {
        if word == text {
            return Ok(value);
        }
        words.push(word);
    }
    schema(format!(
        "cvc-enumeration-valid: Value '{}' is not facet-valid with respect to enumeration '[{}]'. \
         It must be a value from the enumeration.",
        quoted(text),
        words.join(", ")
    ))
}

fn unexpected<T>(found: &str, expected: &[&str]) -> Result<T, XmlError> {
    let found = quoted(found);
    if expected.is_empty() {
        return schema(format!(
            "cvc-complex-type.2.4.d: Invalid content was found starting with element '{found}'. \
             No child element is expected at this point."
        ));
    }
    schema(format!(
        "cvc-complex-type.2.4.a: Invalid content was found starting with element '{found}'. One of \
         '{}' is expected.",
        qualified(expected)
    ))
}

fn incomplete<T>(element: &str, expected: &[&str]) -> Result<T, XmlError> {
    schema(format!(
        "cvc-complex-type.2.4.b: The content of element '{element}' is not complete. One of '{}' \
         is expected.",
        qualified(expected)
    ))
}

fn qualified(names: &[&str]) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|n| format!("\"{NAMESPACE}\":{n}"))
        .collect();
    format!("{{{}}}", names.join(", "))
}

fn quoted(text: &str) -> impl Display {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn schema<T>(message: String) -> Result<T, XmlError> {
    Err(XmlError::Schema(message))
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const SHAPE: [Field; 3] = [
        Field::Required("Name"),
        Field::Optional("Weight"),
        Field::Optional("On"),
    ];
    const NAME: TextFacets = TextFacets::new("DNSName", 0, 4);

    fn tree(inner: &str) -> Element {
        parse(format!("<Root>{inner}</Root>").as_bytes(), "Root", "Thing").unwrap()
    }

    fn message<T: std::fmt::Debug>(result: Result<T, XmlError>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn children_come_in_any_order_and_blanks_around_values_mean_nothing() {
        let root = tree("<Weight> 7 </Weight><On>\n1\n</On><Name> a </Name>");
        let fields = Fields::of(&root, &SHAPE).unwrap();
        assert_eq!(fields.text("Name", &NAME).unwrap(), " a ");
        assert_eq!(fields.optional_number("Weight", "W", (0, 255)), Ok(Some(7)));
        assert_eq!(fields.optional_boolean("On"), Ok(Some(true)));
    }

    #[test]
    fn empty_is_absent_where_absent_is_allowed() {
        let root = tree("<Weight/><On> </On><Name></Name>");
        let fields = Fields::of(&root, &SHAPE).unwrap();
        assert_eq!(fields.text("Name", &NAME).unwrap(), "");
        assert_eq!(fields.optional_text("Name", &NAME), Ok(None));
        assert_eq!(fields.optional_number("Weight", "W", (0, 255)), Ok(None));
        assert_eq!(fields.optional_boolean("On"), Ok(None));
    }

    #[test]
    fn violations_speak_as_xerces_does() {
        let of = |inner: &str| Fields::of(&tree(inner), &SHAPE).map(|_| ());
        assert_eq!(
            message(of("<Name/><Nome/>")),
            "Invalid XML ; cvc-complex-type.2.4.a: Invalid content was found starting with element \
             'Nome'. One of '{\"https://route53.amazonaws.com/doc/2013-04-01/\":Weight, \
             \"https://route53.amazonaws.com/doc/2013-04-01/\":On}' is expected."
        );
        assert!(message(of("<Name/><Name/>")).contains("starting with element 'Name'"));
        assert!(message(of("<Name/><Weight/><On/><X/>")).contains("cvc-complex-type.2.4.d"));
        assert!(message(of("text")).contains("cvc-complex-type.2.3"));
        assert_eq!(
            message(of("<On/>")),
            "Invalid XML ; cvc-complex-type.2.4.b: The content of element 'Root' is not complete. \
             One of '{\"https://route53.amazonaws.com/doc/2013-04-01/\":Name}' is expected."
        );
        let root = tree("<Name>abcde</Name><Weight>256</Weight><On>maybe</On>");
        let fields = Fields::of(&root, &SHAPE).unwrap();
        assert_eq!(
            message(fields.text("Name", &NAME)),
            "Invalid XML ; cvc-maxLength-valid: Value 'abcde' with length = '5' is not facet-valid \
             with respect to maxLength '4' for type 'DNSName'."
        );
        assert_eq!(
            message(fields.optional_number("Weight", "ResourceRecordWeight", (0, 255))),
            "Invalid XML ; cvc-maxInclusive-valid: Value '256' is not facet-valid with respect to \
             maxInclusive '255' for type 'ResourceRecordWeight'."
        );
        assert!(message(fields.optional_number("Name", "W", (0, 9))).contains("'integer'"));
        assert!(message(fields.optional_boolean("On")).contains("'maybe'"));
        assert_eq!(
            message(fields.choice("On", [("CREATE", 1), ("DELETE", 2)])),
            "Invalid XML ; cvc-enumeration-valid: Value 'maybe' is not facet-valid with respect to \
             enumeration '[CREATE, DELETE]'. It must be a value from the enumeration."
        );
    }

    #[test]
    fn lists_hold_one_kind_of_element_and_leaves_hold_none() {
        assert_eq!(list(&tree("<V/><V/>"), "V").unwrap().len(), 2);
        assert!(list(&tree("<V/><W/>"), "V").is_err());
        assert!(list(&tree("V"), "V").is_err());
        let root = tree("<Name><V/></Name>");
        let fields = Fields::of(&root, &SHAPE).unwrap();
        assert!(message(fields.text("Name", &NAME)).contains("simple type"));
    }

    #[test]
    fn a_long_wrong_value_is_not_repeated_whole() {
        let text = "é".repeat(5000);
        assert!(message(NAME.check(&text)).len() < 2500);
    }
}
