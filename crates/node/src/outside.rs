//! Asking DNS servers elsewhere, for operators who want to know what others see: whether a zone is
//! delegated here well, and whether two sides answer alike. Nothing of it serves anybody.

mod ask;
mod compare;
mod delegation;

pub(crate) use ask::Port;
pub(crate) use compare::{Comparison, Difference, Question, Ttl};
pub(crate) use delegation::{Checked, Delegation};
