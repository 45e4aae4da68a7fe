//! One authenticated request on its way to an operation, and what comes back.

use meridian_control::{Caller, Control};

use super::query::Query;
use crate::fault::ErrorResponse;
use crate::xml::{Document, TextFacets, XmlError};

/// A request whose sender is known.
pub(crate) struct Call<'a> {
    /// What carries it out.
    pub(crate) operations: &'a Control,
    /// Who asks.
    pub(crate) caller: &'a Caller,
    /// The variable parts of the path, decoded, without their kind.
    pub(crate) ids: Vec<String>,
    /// The query.
    pub(crate) query: Query,
    /// The body.
    pub(crate) body: &'a [u8],
    /// Where the client thinks we are, as in `http://127.0.0.1:5380`.
    pub(crate) endpoint: &'a str,
}

/// `ResourceId`.
pub(super) const RESOURCE_ID: TextFacets = TextFacets::new("ResourceId", 0, 32);
/// A `ResourceId` that may have its kind in front of it; measured without.
pub(super) const PREFIXED_ID: TextFacets = TextFacets::new("ResourceId", 0, usize::MAX);

/// `PageMarker`.
pub(super) const PAGE_MARKER: TextFacets = TextFacets::new("PageMarker", 0, 64);

impl Call<'_> {
    /// The id in the path.
    pub(super) fn id(&self, facets: &TextFacets) -> Result<String, XmlError> {
        facets.check(self.ids.first().map_or("", String::as_str))
    }
}

/// The result of an operation.
#[derive(Debug)]
pub(crate) struct Reply {
    /// 200, or 201 with a location.
    pub(crate) status: u16,
    /// The absolute URL of what was created.
    pub(crate) location: Option<String>,
    /// The document.
    pub(crate) body: String,
    /// What the document is.
    pub(crate) form: Form,
}

/// What a document is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// What all of the dialect's are in.
    Usual,
    /// JSON, where a client asked for what Route 53 does not have.
    Json,
}

impl Reply {
    /// Status 200 with a document.
    pub(super) fn ok(root: &str, content: impl FnOnce(&mut Document)) -> Self {
        Self {
            status: 200,
            location: None,
            body: Document::render(root, content),
            form: Form::Usual,
        }
    }

    /// Status 200 with a document in JSON.
    pub(super) const fn json(body: String) -> Self {
        Self {
            status: 200,
            location: None,
            body,
            form: Form::Json,
        }
    }

    /// Status 201 with a document about what is now at `location`.
    pub(super) fn created(
        location: String,
        root: &str,
        content: impl FnOnce(&mut Document),
    ) -> Self {
        Self {
            status: 201,
            location: Some(location),
            ..Self::ok(root, content)
        }
    }
}

/// The text after the last slash: ids come with and without their kind.
pub(super) fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

/// `NotImplemented`, for operations whose path is all there is of them.
pub(crate) fn not_implemented(operation: &str) -> ErrorResponse {
    ErrorResponse::new(
        "NotImplemented",
        format!("Meridian does not implement {operation} yet."),
    )
}
