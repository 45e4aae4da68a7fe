//! Checkers at work in this process: which there are, what they are told, and what becomes of what
//! they find. How an endpoint is probed and how votes are counted is `meridian_health`'s.

mod board;
mod events;
mod told;

pub(crate) use board::{Board, Findings, State};
pub(crate) use events::EventLog;
pub(crate) use told::{flip, reason, row};
