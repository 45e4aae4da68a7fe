//! Whole answers: scenario files, an oracle, and attacks.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod ahead;
mod allocation;
mod attack;
mod by_client;
mod compare;
mod crowd;
mod external;
mod options;
mod oracle;
mod possible;
mod random;
mod raw;
mod rfc8906;
mod routing;
#[path = "../scenario/mod.rs"]
mod scenario;
mod scenarios;
mod serial;
mod wire;
mod zones;
