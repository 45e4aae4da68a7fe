//! Health checks at work: endpoints are probed, opinions formed, votes gathered.
//!
//! A checker reads which checks there are and publishes what it found; it changes no answer and
//! writes no journal. What a check is, and what its outcome is once the votes are known, is the
//! business of `model`; which checkers run, and where their findings go, that of `node`.
#![warn(clippy::indexing_slicing, clippy::cast_possible_truncation)]

mod bits;
mod checker;
mod damping;
mod exchange;
mod guard;
mod key;
mod layout;
mod metric;
mod opinion;
mod places;
mod probe;
mod register;
mod resolve;
mod schedule;
mod state;
mod steady;
mod table;
mod votes;

pub use bits::{Healths, MAX_SLOTS};
pub use checker::{
    Assigned, Assignment, Desk, Duty, Identity, Seen, Sight, Surroundings, Worker, Workload,
};
pub use damping::{Damping, Guardrails, HeldBack, Panic, Turn};
pub use exchange::{PAYLOAD, exchange, is_nobody};
pub use guard::{Admission, Busy, Cap, CapLimits, Caps, Denial, Guard, Place};
pub use key::{CheckerKey, NotAKey, PublicKey};
pub use layout::{Layout, OutOfPlaces};
pub use metric::{AlarmRule, AlarmState, Comparison};
pub use opinion::{Finding, Opinion};
pub use places::{Difference, Places};
#[cfg(feature = "fuzzing")]
pub use probe::respond;
pub use probe::{
    Certificate, CertificateFault, Found, Malformation, Observation, Prober, Target, Timeouts,
    Times, Tls, TlsFailure, Unable,
};
pub use register::{Checker, CheckerName, MAX_CHECKERS, NotAName, Register, RegisterError};
pub use resolve::{ResolveFailure, Resolver};
pub use schedule::{Due, Punctuality, Schedule};
#[cfg(feature = "fuzzing")]
pub use state::sealed;
pub use state::{MAX_STATE_BYTES, Outline, STATE_VERSION, State, Unreadable};
pub use steady::Steady;
pub use table::{
    Conduct, Counter, FORMAT_VERSION, Issue, Known, MAX_TABLE_BYTES, Received, Refused, Table, Vote,
};
pub use votes::{Basis, Cast, CheckerShown, Flip, Rules, Shown, Tally, Voter, Votes};
