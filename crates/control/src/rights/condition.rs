//! One line of a statement's `Condition`: an operator, a key, and what the key is compared with.

use std::net::IpAddr;

use meridian_model::Json;

use super::context::Context;
use super::key::{Count, Key, Kind};
use super::moment;
use super::operator::{Absence, Comparison, Operator, Quantifier, Sense};
use super::pattern::{Fold, Pattern, Syntax, Variables, Wildcards};
use super::place::{Place, PolicyError};
use super::range::Range;

/// A condition that was understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Condition {
    operator: Operator,
    key: Key,
    against: Against,
}

/// What values are compared with: any of these.
#[derive(Debug, PartialEq, Eq)]
enum Against {
    Texts(Vec<Pattern>),
    Ranges(Vec<Range>),
    Times(Vec<i64>),
    Truths(Vec<bool>),
}

impl Condition {
    pub(super) fn parse(
        operator_name: &str,
        key_name: &str,
        values: &Json,
        variables: Variables,
        place: &Place<'_>,
    ) -> Result<Self, PolicyError> {
        let Some(operator) = Operator::named(operator_name) else {
            return Err(place.wrong("there is no such condition operator here"));
        };
        let place = &place.field(key_name);
        let Some(key) = Key::named(key_name) else {
            let reason = format!(
                "there is no such condition key here; there are {}",
                Key::names()
            );
            return Err(place.wrong(reason));
        };
        if !operator.suits(key.kind()) {
            let kind = match key.kind() {
                Kind::Text => "text",
                Kind::Arn => "an ARN",
                Kind::Address => "an address",
                Kind::Time => "a time",
                Kind::Truth => "true or false",
            };
            return Err(place.wrong(format!("the key is {kind}, and the operator is for others")));
        }
        let one = operator.quantifier == Quantifier::One;
        if one && key.count() == Count::Several && operator.comparison != Comparison::Absent {
            return Err(place.wrong(format!(
                "a request has several values of this key: say ForAllValues:{operator_name} or \
                 ForAnyValue:{operator_name}"
            )));
        }
        let against = Against::parse(operator.comparison, values, variables, place)?;
        Ok(Self {
            operator,
            key,
            against,
        })
    }

    /// Whether it holds for a request.
    pub(super) fn holds(&self, context: &Context) -> bool {
        let values = context.values(self.key);
        if let (Comparison::Absent, Against::Truths(wanted)) =
            (self.operator.comparison, &self.against)
        {
            return wanted.contains(&values.is_empty());
        }
        let mut each = values.iter().map(|value| self.holds_for(value, context));
        match self.operator.quantifier {
            Quantifier::All => each.all(|holds| holds),
            Quantifier::Any => each.any(|holds| holds),
            Quantifier::One if values.is_empty() => self.operator.absence == Absence::Holds,
            Quantifier::One => each.all(|holds| holds),
        }
    }

    /// The keys it asks a request for.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        let patterns: &[Pattern] = match &self.against {
            Against::Texts(patterns) => patterns,
            _ => &[],
        };
        std::iter::once(self.key).chain(patterns.iter().flat_map(Pattern::variables))
    }

    fn holds_for(&self, value: &str, context: &Context) -> bool {
        let comparison = self.operator.comparison;
        let found = match &self.against {
            Against::Texts(patterns) => patterns.iter().any(|pattern| match comparison {
                Comparison::Arn => pattern.matches_arn(value, context),
                Comparison::EqualsIgnoreCase => pattern.matches(value, Fold::Case, context),
                _ => pattern.matches(value, Fold::Not, context),
            }),
            Against::Ranges(ranges) => match value.parse::<IpAddr>() {
                Ok(address) => ranges.iter().any(|range| range.contains(address)),
                Err(_) => false,
            },
            Against::Times(times) => times.iter().any(|time| self.is_in_order(value, *time)),
            Against::Truths(truths) => truths.iter().any(|truth| value == truth.to_string()),
        };
        match self.operator.sense {
            Sense::Holds => found,
            Sense::HoldsNot => !found,
        }
    }

    fn is_in_order(&self, value: &str, time: i64) -> bool {
        let Comparison::Time {
            before,
            same,
            after,
        } = self.operator.comparison
        else {
            return false;
        };
        moment::parse(value).is_some_and(|value| match value.cmp(&time) {
            std::cmp::Ordering::Less => before,
            std::cmp::Ordering::Equal => same,
            std::cmp::Ordering::Greater => after,
        })
    }
}

impl Against {
    fn parse(
        comparison: Comparison,
        values: &Json,
        variables: Variables,
        place: &Place<'_>,
    ) -> Result<Self, PolicyError> {
        let values = texts(values, place)?;
        let each = || values.iter().map(String::as_str);
        Ok(match comparison {
            Comparison::Equals
            | Comparison::EqualsIgnoreCase
            | Comparison::Like
            | Comparison::Arn => {
                let wildcards = match comparison {
                    Comparison::Like | Comparison::Arn => Wildcards::Match,
                    _ => Wildcards::Literal,
                };
                let syntax = Syntax {
                    wildcards,
                    variables,
                };
                let patterns: Vec<Pattern> = each()
                    .map(|text| Pattern::parse(text, syntax, place))
                    .collect::<Result<_, _>>()?;
                if comparison == Comparison::Arn && !patterns.iter().all(Pattern::is_arn) {
                    return Err(place.wrong("an ARN has six parts with colons between them"));
                }
                Self::Texts(patterns)
            }
            Comparison::Range => Self::Ranges(all(each(), place, Range::parse, |text| {
                format!("'{text}' is no range of addresses such as 192.0.2.0/24")
            })?),
            Comparison::Time { .. } => Self::Times(all(each(), place, moment::parse, |text| {
                format!("'{text}' is no time such as 2026-11-21T10:00:00Z")
            })?),
            Comparison::Truth | Comparison::Absent => {
                let truth = |text: &str| match text {
                    "true" => Some(true),
                    "false" => Some(false),
                    _ => None,
                };
                let reason = |text: &str| format!("'{text}' is neither true nor false");
                Self::Truths(all(each(), place, truth, reason)?)
            }
        })
    }
}

fn all<'a, T>(
    texts: impl Iterator<Item = &'a str>,
    place: &Place<'_>,
    read: impl Fn(&str) -> Option<T>,
    reason: impl Fn(&str) -> String,
) -> Result<Vec<T>, PolicyError> {
    texts
        .map(|text| read(text).ok_or_else(|| place.wrong(reason(text))))
        .collect()
}

/// One value or a list of them; numbers and truths as texts.
fn texts(values: &Json, place: &Place<'_>) -> Result<Vec<String>, PolicyError> {
    let one = |value: &Json, place: &Place<'_>| match value {
        Json::Text(text) | Json::Number(text) => Ok(text.clone()),
        Json::Bool(truth) => Ok(truth.to_string()),
        other => Err(place.wrong(format!("a value is {}", other.kind()))),
    };
    match values {
        Json::List(list) if list.is_empty() => Err(place.wrong("there are no values")),
        Json::List(list) => {
            let each = list.iter().enumerate();
            each.map(|(index, value)| one(value, &place.item(index)))
                .collect()
        }
        value => Ok(vec![one(value, place)?]),
    }
}
