//! What one checker thinks of one check: results in a row turn its mind. How a result comes about,
//! and its text, are the business of probes.

use meridian_model::Health;

/// How one probe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Finding {
    /// The endpoint did what the check asks for.
    Success,
    /// It did not, for whatever reason.
    Failure,
}

/// A checker's opinion of a check. There is none before as many results in a row say the same as
/// the check's threshold asks for; then as many turn it, in either direction (reference 6.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Opinion {
    held: Option<Health>,
    /// What the last results said, and how many there were in a row.
    row: Option<(Finding, u8)>,
}

impl Opinion {
    /// What is thought; nothing as long as there are too few results.
    pub const fn held(self) -> Option<Health> {
        self.held
    }

    /// The last results that said the same, and how many there were; 255 stands for more.
    pub const fn row(self) -> Option<(Finding, u8)> {
        self.row
    }

    /// One more result, under the threshold that the check has now; 0 counts as 1. Returns what
    /// the opinion became if it is another one by that.
    ///
    /// A threshold that was lowered takes effect with the next result, which is of the row too.
    pub fn learn(&mut self, finding: Finding, threshold: u8) -> Option<Health> {
        let so_far = match self.row {
            Some((last, count)) if last == finding => count,
            _ => 0,
        };
        let count = so_far.saturating_add(1);
        self.row = Some((finding, count));
        let health = finding.says();
        if count < threshold || self.held == Some(health) {
            return None;
        }
        self.held = Some(health);
        self.held
    }
}

impl Finding {
    /// What it says of the endpoint.
    pub const fn says(self) -> Health {
        match self {
            Self::Success => Health::Healthy,
            Self::Failure => Health::Unhealthy,
        }
    }
}
