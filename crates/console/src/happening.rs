//! What is told of everything that somebody does here, for an audit that others keep.

use std::fmt::Debug;

use meridian_control::Caller;
use meridian_model::{DraftChange, Timestamp};

/// Sees what happens. Called on threads that must not wait for long.
pub trait Witness: Send + Sync + Debug {
    /// Something happened.
    fn saw(&self, happening: Happening);
}

/// One thing that somebody did or was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Route 53's operation, or one of the console's own: `ConsoleLogin`, `ConsoleLogout`,
    /// `DraftResourceRecordSets`.
    pub operation: &'static str,
    /// Whether it changes nothing; a session that begins or ends is a change, to be told of always.
    pub read_only: bool,
    /// When.
    pub at: Timestamp,
    /// Who it was, if that is sure.
    pub caller: Option<Caller>,
    /// The access key that was said, sure or not.
    pub claimed_key: Option<String>,
    /// Where it came from.
    pub source: String,
    /// What the browser calls itself.
    pub user_agent: String,
    /// Of the request, which may have done several things.
    pub request_id: String,
    /// What was asked for, as names and values.
    pub parameters: Vec<(&'static str, String)>,
    /// The changes that were asked for.
    pub changes: Vec<DraftChange>,
    /// The id of the change that came of it.
    pub change: Option<String>,
    /// Why it was refused: code and text.
    pub error: Option<(String, String)>,
}
