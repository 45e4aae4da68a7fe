//! Bounded reading and exact writing of the REST-XML dialect.
//!
//! Which elements a shape has is said where the shape is read or written (`route53`); here are
//! the tree, the facets of simple types and the texts of schema violations.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod read;
mod tree;
mod write;

pub(crate) use read::{Field, Fields, TextFacets, choose_leaf, list};
pub(crate) use tree::{Element, outline, parse, parse_answer, parse_optional};
pub(crate) use write::Document;

/// The namespace of every Route 53 document.
pub(crate) const NAMESPACE: &str = "https://route53.amazonaws.com/doc/2013-04-01/";

/// Why a body is not the request it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum XmlError {
    /// It is no XML document of the expected kind.
    #[error("{0}")]
    Malformed(String),
    /// It is, but it breaks the schema. The texts are those of Xerces, which clients know.
    #[error("Invalid XML ; {0}")]
    Schema(String),
}

impl XmlError {
    /// Route 53's error code.
    pub(crate) const fn code(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "MalformedInput",
            Self::Schema(_) => "InvalidInput",
        }
    }
}
