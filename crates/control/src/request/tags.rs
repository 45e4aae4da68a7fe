//! What the operations on tags take.

use meridian_model::{TagChange, TaggedResource};

/// `ChangeTagsForResourceRequest`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeTags {
    /// Whose tags.
    pub resource: TaggedResource,
    /// What to put and to remove.
    pub change: TagChange,
}
