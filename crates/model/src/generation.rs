//! Generations that no zone points to: what is being written unseen, and what a zone pointed to
//! before. Who reads or writes their sets is not decided here.

use crate::facts::Timestamp;
use crate::id::{AccountId, Generation, ZoneId};

/// A generation with record sets that nobody is answered from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnseenGeneration {
    /// Which one.
    pub generation: Generation,
    /// The account of its zone.
    pub account: AccountId,
    /// The zone it is written for, which may not be there yet, or the one that pointed to it.
    pub zone: ZoneId,
    /// What it is there for.
    pub state: UnseenState,
    /// Since when it is that.
    pub since: Timestamp,
}

/// What an unseen generation is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnseenState {
    /// It is being written, to be published or given up.
    Draft,
    /// Its zone pointed to it before; whole, for history.
    Superseded,
    /// It is being removed; sets may be missing.
    Garbage,
}
