//! Where time and randomness come from: the system, or a test.

use std::time::{SystemTime, UNIX_EPOCH};

use meridian_model::{Facts, Timestamp};
use ring::rand::{SecureRandom, SystemRandom};

/// The facts that plans are given.
pub trait Environment: Send + Sync {
    /// The time now.
    fn now(&self) -> Timestamp;
    /// Bytes nobody can guess.
    fn entropy(&self) -> [u8; 32];

    /// Facts for one request.
    fn facts(&self) -> Facts {
        Facts::new(self.now(), self.entropy())
    }
}

/// The system's clock and random source.
#[derive(Debug)]
pub struct SystemEnvironment(SystemRandom);

impl SystemEnvironment {
    /// The one there is.
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEnvironment {
    fn default() -> Self {
        Self::new()
    }
}

impl Environment for SystemEnvironment {
    fn now(&self) -> Timestamp {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn entropy(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        // The system's random source does not fail once the system is up; identifiers and secrets
        // must never be made from anything else.
        self.0
            .fill(&mut bytes)
            .expect("the system has a random source");
        bytes
    }
}
