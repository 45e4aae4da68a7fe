//! A policy document as it is understood. What is not understood is refused with its place: who
//! attaches a policy must not be left to believe in a restriction that nobody keeps to.

use std::collections::{BTreeMap, BTreeSet};

use meridian_model::{Json, JsonNames};

use super::MAX_CHARACTERS;
use super::condition::Condition;
use super::key::Key;
use super::pattern::{Fold, Pattern, Syntax, Variables, Wildcards};
use super::place::{Place, PolicyError};
use super::{Context, Question};

/// The version of the policy language with variables.
const VERSION: &str = "2012-10-17";
/// The one before.
const OLD_VERSION: &str = "2008-10-17";
/// A document with nothing but four-byte characters and no white space.
const MAX_BYTES: usize = 4 * MAX_CHARACTERS;

/// A whole document.
#[derive(Debug)]
pub(super) struct Document {
    pub(super) statements: Vec<Statement>,
}

/// One statement.
#[derive(Debug)]
pub(super) struct Statement {
    /// Its name, if it has one.
    pub(super) sid: Option<String>,
    pub(super) effect: Effect,
    actions: Patterns,
    resources: Patterns,
    conditions: Vec<Condition>,
}

/// What a statement does to the requests it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "IAM's own words")]
pub enum Effect {
    Allow,
    Deny,
}

/// `Action` or `NotAction`, and the same for resources.
#[derive(Debug)]
enum Patterns {
    OneOf(Vec<Pattern>),
    NoneOf(Vec<Pattern>),
}

impl Statement {
    /// Whether it is about this question.
    pub(super) fn is_about(&self, question: &Question<'_>) -> bool {
        let Question {
            action,
            resource,
            context,
        } = question;
        self.actions
            .hold(|pattern| pattern.matches(action, Fold::Case, context))
            && self
                .resources
                .hold(|pattern| pattern.matches_arn(resource, context))
            && self.conditions.iter().all(|each| each.holds(context))
    }

    /// The keys that it asks a request for.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        let (Patterns::OneOf(resources) | Patterns::NoneOf(resources)) = &self.resources;
        let of_conditions = self.conditions.iter().flat_map(Condition::keys);
        resources
            .iter()
            .flat_map(Pattern::variables)
            .chain(of_conditions)
    }

    /// Whether it is about the action, leaving the rest aside.
    pub(super) fn is_about_action(&self, action: &str) -> bool {
        let context = Context::default();
        self.actions
            .hold(|pattern| pattern.matches(action, Fold::Case, &context))
    }
}

impl Patterns {
    fn hold(&self, matches: impl Fn(&Pattern) -> bool) -> bool {
        match self {
            Self::OneOf(patterns) => patterns.iter().any(matches),
            Self::NoneOf(patterns) => !patterns.iter().any(matches),
        }
    }
}

/// Reads a document.
pub(super) fn parse(text: &str) -> Result<Document, PolicyError> {
    // The bytes first, so that nothing is done about what is far too long.
    let characters = || text.chars().filter(|c| !c.is_whitespace()).count();
    if text.len() > MAX_BYTES || characters() > MAX_CHARACTERS {
        return Err(PolicyError::TooLong(characters()));
    }
    // Of two readers of a name that comes twice one would see the first right, the other the second.
    let json =
        Json::parse(text, JsonNames::Once).map_err(|error| PolicyError::Json(error.to_string()))?;
    let place = Place::Root;
    let mut fields = Fields::of(&json, &place)?;
    let variables = match fields.take_text("Version")? {
        Some(VERSION) => Variables::Replace,
        Some(OLD_VERSION) | None => Variables::Refuse,
        Some(other) => {
            let reason = format!("'{other}' is neither {VERSION} nor {OLD_VERSION}");
            return Err(place.field("Version").wrong(reason));
        }
    };
    fields.take_text("Id")?;
    let statements = fields
        .take("Statement")
        .ok_or_else(|| place.wrong("there is no Statement"))?;
    fields.end()?;
    let place = place.field("Statement");
    let statements = match statements {
        Json::List(list) => {
            let each = list.iter().enumerate();
            each.map(|(index, json)| statement(json, variables, &place.item(index)))
                .collect::<Result<Vec<_>, _>>()?
        }
        one => vec![statement(one, variables, &place)?],
    };
    if statements.is_empty() {
        return Err(place.wrong("there are no statements"));
    }
    check_names(&statements, &place)?;
    Ok(Document { statements })
}

/// A name leads to one statement.
fn check_names(statements: &[Statement], place: &Place<'_>) -> Result<(), PolicyError> {
    let mut seen = BTreeSet::new();
    for (index, statement) in statements.iter().enumerate() {
        if let Some(sid) = &statement.sid
            && !seen.insert(sid)
        {
            let place = place.item(index);
            return Err(place.field("Sid").wrong(format!("'{sid}' comes twice")));
        }
    }
    Ok(())
}

fn statement(
    json: &Json,
    variables: Variables,
    place: &Place<'_>,
) -> Result<Statement, PolicyError> {
    let mut fields = Fields::of(json, place)?;
    let sid = fields.take_text("Sid")?.filter(|sid| !sid.is_empty());
    if let Some(sid) = sid
        && !sid.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        let reason = format!("'{sid}' has other characters than letters and digits");
        return Err(place.field("Sid").wrong(reason));
    }
    let effect = match fields.take_text("Effect")? {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        Some(other) => {
            let reason = format!("'{other}' is neither Allow nor Deny");
            return Err(place.field("Effect").wrong(reason));
        }
        None => return Err(place.wrong("there is no Effect")),
    };
    let actions = patterns(&mut fields, ["Action", "NotAction"], action)?;
    let resources = patterns(&mut fields, ["Resource", "NotResource"], |text, place| {
        resource(text, variables, place)
    })?;
    let conditions = match fields.take("Condition") {
        Some(json) => conditions(json, variables, &place.field("Condition"))?,
        None => Vec::new(),
    };
    fields.end()?;
    Ok(Statement {
        sid: sid.map(str::to_owned),
        effect,
        actions,
        resources,
        conditions,
    })
}

/// Exactly one of two fields, with at least one text.
fn patterns(
    fields: &mut Fields<'_>,
    [is, is_not]: [&str; 2],
    read: impl Fn(&str, &Place<'_>) -> Result<Pattern, PolicyError>,
) -> Result<Patterns, PolicyError> {
    let (name, json, wrap): (_, _, fn(Vec<Pattern>) -> Patterns) =
        match (fields.take(is), fields.take(is_not)) {
            (Some(json), None) => (is, json, Patterns::OneOf),
            (None, Some(json)) => (is_not, json, Patterns::NoneOf),
            (None, None) => {
                let reason = format!("there is neither {is} nor {is_not}");
                return Err(fields.place.wrong(reason));
            }
            (Some(_), Some(_)) => {
                let reason = format!("there are both {is} and {is_not}");
                return Err(fields.place.wrong(reason));
            }
        };
    let place = fields.place.field(name);
    let one = |json: &Json, place: &Place<'_>| match json {
        Json::Text(text) => read(text, place),
        other => Err(place.wrong(format!("this is {}, not a string", other.kind()))),
    };
    let patterns = match json {
        Json::List(list) if list.is_empty() => return Err(place.wrong("the list is empty")),
        Json::List(list) => {
            let each = list.iter().enumerate();
            each.map(|(index, json)| one(json, &place.item(index)))
                .collect::<Result<_, _>>()?
        }
        json => vec![one(json, &place)?],
    };
    Ok(wrap(patterns))
}

/// `*`, or a service and the name of an operation with wildcards.
fn action(text: &str, place: &Place<'_>) -> Result<Pattern, PolicyError> {
    let valid = text == "*"
        || text.split_once(':').is_some_and(|(service, name)| {
            let of_service = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
            let of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"*?".contains(&byte);
            !service.is_empty()
                && !name.is_empty()
                && service.bytes().all(of_service)
                && name.bytes().all(of_name)
        });
    if !valid {
        let reason = format!("'{text}' is neither * nor an action such as route53:GetHostedZone");
        return Err(place.wrong(reason));
    }
    let syntax = Syntax {
        wildcards: Wildcards::Match,
        variables: Variables::Refuse,
    };
    Pattern::parse(text, syntax, place)
}

fn resource(text: &str, variables: Variables, place: &Place<'_>) -> Result<Pattern, PolicyError> {
    let syntax = Syntax {
        wildcards: Wildcards::Match,
        variables,
    };
    let pattern = Pattern::parse(text, syntax, place)?;
    if !pattern.is_arn() {
        return Err(place.wrong(format!(
            "'{text}' is neither * nor an ARN such as arn:aws:route53:::hostedzone/Z1"
        )));
    }
    Ok(pattern)
}

fn conditions(
    json: &Json,
    variables: Variables,
    place: &Place<'_>,
) -> Result<Vec<Condition>, PolicyError> {
    let mut conditions = Vec::new();
    for (operator, keys) in object(json, place)? {
        let place = place.field(operator);
        for (key, values) in object(keys, &place)? {
            conditions.push(Condition::parse(operator, key, values, variables, &place)?);
        }
    }
    Ok(conditions)
}

fn object<'a>(json: &'a Json, place: &Place<'_>) -> Result<&'a [(String, Json)], PolicyError> {
    match json {
        Json::Object(fields) => Ok(fields),
        other => Err(place.wrong(format!("this is {}, not an object", other.kind()))),
    }
}

/// The fields of an object that were not looked at yet.
struct Fields<'a> {
    place: &'a Place<'a>,
    left: BTreeMap<&'a str, &'a Json>,
}

impl<'a> Fields<'a> {
    fn of(json: &'a Json, place: &'a Place<'a>) -> Result<Self, PolicyError> {
        let fields = object(json, place)?;
        let left = fields.iter().map(|(name, json)| (name.as_str(), json));
        Ok(Self {
            place,
            left: left.collect(),
        })
    }

    fn take(&mut self, name: &str) -> Option<&'a Json> {
        self.left.remove(name)
    }

    fn take_text(&mut self, name: &str) -> Result<Option<&'a str>, PolicyError> {
        match self.take(name) {
            Some(Json::Text(text)) => Ok(Some(text)),
            Some(other) => {
                let reason = format!("this is {}, not a string", other.kind());
                Err(self.place.field(name).wrong(reason))
            }
            None => Ok(None),
        }
    }

    /// Refuses what is left.
    fn end(self) -> Result<(), PolicyError> {
        match self.left.first_key_value() {
            Some((name, _)) => Err(self
                .place
                .field(name)
                .wrong("there is no such element in policies of users")),
            None => Ok(()),
        }
    }
}
