//! Manual switches: somebody says what a check's outcome is, whatever is observed.

use crate::facts::Timestamp;
use crate::id::HealthCheckId;

/// Whether something counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "their own names")]
pub enum Health {
    Healthy,
    Unhealthy,
}

/// The most characters of a reason.
const MAX_REASON_CHARACTERS: usize = 256;
/// The longest that a switch may hold that is not in the journal.
pub const MAX_BREAK_GLASS_MS: i64 = 24 * 60 * 60 * 1000;

/// A switch of the normal layer: intent, kept in the journal until it is taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSwitch {
    /// Whose outcome it is.
    pub check: HealthCheckId,
    /// What it is.
    pub health: Health,
    /// Why, for people.
    pub reason: String,
    /// Who said so.
    pub principal: String,
    /// When.
    pub at: Timestamp,
}

/// A switch that a node was handed directly, for when nothing can be written to the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BreakGlass {
    /// Whose outcome it is.
    pub check: HealthCheckId,
    /// What it is; none lets go again, so that an older document does not come back.
    pub health: Option<Health>,
    /// Why, for people.
    pub reason: String,
    /// From when on it says nothing.
    pub expires_at: Timestamp,
    /// Of several for one check the highest counts.
    pub version: u64,
}

impl Health {
    /// The word in answers and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }

    /// The one of this word.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Healthy, Self::Unhealthy]
            .into_iter()
            .find(|health| health.as_str() == word)
    }

    /// Whether it counts.
    pub const fn is_healthy(self) -> bool {
        matches!(self, Self::Healthy)
    }

    /// The other one.
    #[must_use]
    pub const fn turned_round(self) -> Self {
        match self {
            Self::Healthy => Self::Unhealthy,
            Self::Unhealthy => Self::Healthy,
        }
    }
}

/// Whether a text can be the reason of a switch.
///
/// # Errors
/// What is wrong with it.
pub fn check_reason(text: &str) -> Result<(), &'static str> {
    if text.trim().is_empty() {
        return Err("a switch has a reason, for those who find it");
    }
    if text.chars().count() > MAX_REASON_CHARACTERS {
        return Err("a reason has 256 characters at most");
    }
    if text.chars().any(char::is_control) {
        return Err("a reason is one line, without control characters");
    }
    Ok(())
}
