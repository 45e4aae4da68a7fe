//! The condition operators of IAM that there are keys for.

use super::key::Kind;

/// What an operator compares, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    /// The text itself.
    Equals,
    /// The text itself, whatever its case.
    EqualsIgnoreCase,
    /// With wildcards.
    Like,
    /// With wildcards, part by part.
    Arn,
    /// Ranges of addresses.
    Range,
    /// Earlier, at the same time, later: which of them hold.
    Time {
        before: bool,
        same: bool,
        after: bool,
    },
    /// True or false.
    Truth,
    /// Whether the key is absent.
    Absent,
}

/// Whether the comparison has to hold or must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sense {
    Holds,
    HoldsNot,
}

/// For how many of the request's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quantifier {
    /// For the one there is.
    One,
    /// `ForAllValues:`, true when there are none.
    All,
    /// `ForAnyValue:`, false when there are none.
    Any,
}

/// What a condition without a quantifier says of a request without the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Absence {
    Holds,
    HoldsNot,
}

/// An operator with its prefix and suffix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) quantifier: Quantifier,
    pub(super) comparison: Comparison,
    pub(super) sense: Sense,
    pub(super) absence: Absence,
}

const fn time(before: bool, same: bool, after: bool) -> Comparison {
    Comparison::Time {
        before,
        same,
        after,
    }
}

const OPERATORS: [(&str, Comparison, Sense); 20] = [
    ("StringEquals", Comparison::Equals, Sense::Holds),
    ("StringNotEquals", Comparison::Equals, Sense::HoldsNot),
    (
        "StringEqualsIgnoreCase",
        Comparison::EqualsIgnoreCase,
        Sense::Holds,
    ),
    (
        "StringNotEqualsIgnoreCase",
        Comparison::EqualsIgnoreCase,
        Sense::HoldsNot,
    ),
    ("StringLike", Comparison::Like, Sense::Holds),
    ("StringNotLike", Comparison::Like, Sense::HoldsNot),
    ("ArnEquals", Comparison::Arn, Sense::Holds),
    ("ArnLike", Comparison::Arn, Sense::Holds),
    ("ArnNotEquals", Comparison::Arn, Sense::HoldsNot),
    ("ArnNotLike", Comparison::Arn, Sense::HoldsNot),
    ("IpAddress", Comparison::Range, Sense::Holds),
    ("NotIpAddress", Comparison::Range, Sense::HoldsNot),
    ("DateEquals", time(false, true, false), Sense::Holds),
    ("DateNotEquals", time(false, true, false), Sense::HoldsNot),
    ("DateLessThan", time(true, false, false), Sense::Holds),
    ("DateLessThanEquals", time(true, true, false), Sense::Holds),
    ("DateGreaterThan", time(false, false, true), Sense::Holds),
    (
        "DateGreaterThanEquals",
        time(false, true, true),
        Sense::Holds,
    ),
    ("Bool", Comparison::Truth, Sense::Holds),
    ("Null", Comparison::Absent, Sense::Holds),
];

impl Operator {
    /// Reads an operator as it stands in a policy; none when there is no such one here.
    pub(super) fn named(name: &str) -> Option<Self> {
        let (quantifier, rest) = if let Some(rest) = name.strip_prefix("ForAllValues:") {
            (Quantifier::All, rest)
        } else if let Some(rest) = name.strip_prefix("ForAnyValue:") {
            (Quantifier::Any, rest)
        } else {
            (Quantifier::One, name)
        };
        let (base, if_exists) = match rest.strip_suffix("IfExists") {
            Some(base) => (base, true),
            None => (rest, false),
        };
        let (_, comparison, sense) = OPERATORS
            .into_iter()
            .find(|(operator, ..)| *operator == base)?;
        // To ask whether a key is absent only if it is there, or of each value, means nothing.
        let plain = quantifier == Quantifier::One && !if_exists;
        if comparison == Comparison::Absent && !plain {
            return None;
        }
        let absence = if if_exists || sense == Sense::HoldsNot {
            Absence::Holds
        } else {
            Absence::HoldsNot
        };
        Some(Self {
            quantifier,
            comparison,
            sense,
            absence,
        })
    }

    /// Whether it can be asked of keys of this kind.
    pub(super) const fn suits(self, kind: Kind) -> bool {
        match self.comparison {
            Comparison::Equals | Comparison::EqualsIgnoreCase | Comparison::Like => {
                matches!(kind, Kind::Text | Kind::Arn)
            }
            Comparison::Arn => matches!(kind, Kind::Arn),
            Comparison::Range => matches!(kind, Kind::Address),
            Comparison::Time { .. } => matches!(kind, Kind::Time),
            Comparison::Truth => matches!(kind, Kind::Truth),
            Comparison::Absent => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_and_suffixes_are_read_and_nonsense_is_not() {
        let operator = Operator::named("ForAnyValue:StringNotLikeIfExists").unwrap();
        assert_eq!(operator.quantifier, Quantifier::Any);
        assert_eq!(operator.comparison, Comparison::Like);
        assert_eq!(operator.sense, Sense::HoldsNot);
        for nonsense in [
            "StringEqual",
            "stringequals",
            "NullIfExists",
            "ForAllValues:Null",
            "",
        ] {
            assert_eq!(Operator::named(nonsense), None, "{nonsense}");
        }
        assert_eq!(Operator::named("Bool").unwrap().absence, Absence::HoldsNot);
        assert_eq!(
            Operator::named("BoolIfExists").unwrap().absence,
            Absence::Holds
        );
    }
}
