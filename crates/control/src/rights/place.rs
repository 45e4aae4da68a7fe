//! Where in a policy document something stands, for whoever has to mend it.

use std::fmt;

/// A policy document is not one that can be kept to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// It is no JSON, or a name comes twice in an object of it.
    #[error("the policy document is not JSON that can be read: {0}")]
    Json(String),
    /// It is longer than IAM's managed policies may be.
    #[error(
        "the policy document has {0} characters beside white space; the most there may be is {max}",
        max = super::MAX_CHARACTERS
    )]
    TooLong(usize),
    /// Something in it is not understood.
    #[error("{place}: {reason}")]
    NotUnderstood {
        /// As in `Statement[1].Condition.StringLike`.
        place: String,
        /// What is wrong there.
        reason: String,
    },
}

/// The way from the root of a document to one of its values.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// The document itself.
    Root,
    /// A value of an object.
    Field(&'a Self, &'a str),
    /// An element of a list.
    Item(&'a Self, usize),
}

impl<'a> Place<'a> {
    pub(super) fn field(&'a self, name: &'a str) -> Self {
        Self::Field(self, name)
    }

    pub(super) fn item(&'a self, index: usize) -> Self {
        Self::Item(self, index)
    }

    /// The error that is to be mended here.
    pub(super) fn wrong(&self, reason: impl Into<String>) -> PolicyError {
        PolicyError::NotUnderstood {
            place: self.to_string(),
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("the policy document"),
            Self::Field(Self::Root, name) => f.write_str(name),
            Self::Field(parent, name) => write!(f, "{parent}.{name}"),
            Self::Item(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}
