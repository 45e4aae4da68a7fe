//! The AWS dialects in front of the control plane.
//!
//! Nothing here decides: a request is authenticated, read, handed to control, and the outcome is
//! written in Route 53's words.

mod audit;
mod body;
mod dialect;
mod fault;
mod forwarded;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod remote;
mod request;
mod request_id;
mod route53;
mod service;
pub mod sigv4;
mod sts;
mod uri;
mod xml;

pub use audit::{Audit, EVENT_VERSION, Event, UserIdentity, event_time, lower_first};
pub use forwarded::{Trusts, behind_proxies};
pub use service::{ApiConfig, Clock, Scheme, router};
