//! Who may vote: the checkers that are known by name, where they stand, and by what key their
//! tables are verified. Where the register is kept is the business of others.

use meridian_model::CheckerRegion;

use crate::key::PublicKey;

/// The most checkers of a register.
pub const MAX_CHECKERS: usize = 64;
/// The longest name.
pub(crate) const MAX_NAME_BYTES: usize = 63;

/// A checker's name: 1 to 63 small letters, digits and hyphens.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckerName(Box<str>);

/// A text that is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a checker's name is 1 to 63 small letters, digits and hyphens")]
pub struct NotAName;

/// One of those that may vote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checker {
    /// Its name.
    pub name: CheckerName,
    /// Where it stands; several may stand in one region.
    pub region: CheckerRegion,
    /// What it signs with.
    pub key: PublicKey,
}

/// Those that may vote, in the order of their names. At most [`MAX_CHECKERS`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Register(Vec<Checker>);

/// Why there is no such register.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// Too many.
    #[error("a register has {MAX_CHECKERS} checkers at most")]
    TooMany,
    /// One name twice.
    #[error("there are two checkers named {0}")]
    Twice(String),
    /// One that signs with another one's key has two votes.
    #[error("two checkers have the key of {0}")]
    SameKey(String),
}

impl CheckerName {
    /// The name of this text.
    ///
    /// # Errors
    /// It is none.
    pub fn new(text: &str) -> Result<Self, NotAName> {
        let good = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > MAX_NAME_BYTES || !text.bytes().all(good) {
            return Err(NotAName);
        }
        Ok(Self(text.into()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Register {
    /// The register of these.
    ///
    /// # Errors
    /// Too many, or two that cannot be told apart.
    pub fn new(mut checkers: Vec<Checker>) -> Result<Self, RegisterError> {
        if checkers.len() > MAX_CHECKERS {
            return Err(RegisterError::TooMany);
        }
        checkers.sort_by(|a, b| a.name.cmp(&b.name));
        for (index, checker) in checkers.iter().enumerate() {
            let before = || checkers.iter().take(index);
            let name = || checker.name.as_str().to_owned();
            if before().any(|other| other.name == checker.name) {
                return Err(RegisterError::Twice(name()));
            }
            if before().any(|other| other.key == checker.key) {
                return Err(RegisterError::SameKey(name()));
            }
        }
        Ok(Self(checkers))
    }

    /// The checkers, by name.
    pub fn checkers(&self) -> &[Checker] {
        &self.0
    }

    /// Which of them may vote on a check with these regions, in their order: those that stand in
    /// one of them, or all of them if none does or no regions are given. So a check asks for
    /// Route 53's regions where nobody stands in any, and is looked after all the same.
    ///
    /// Checkers go by this too: who may not vote need not probe.
    pub fn electorate(&self, regions: &[CheckerRegion]) -> impl Iterator<Item = bool> {
        let stands = |checker: &Checker| regions.contains(&checker.region);
        let everybody = !self.0.iter().any(stands);
        self.0
            .iter()
            .map(move |checker| everybody || regions.contains(&checker.region))
    }

    /// Whether the checker of this name may vote on a check with these regions.
    pub fn may_vote(&self, name: &CheckerName, regions: &[CheckerRegion]) -> bool {
        self.0
            .iter()
            .zip(self.electorate(regions))
            .any(|(checker, may)| may && checker.name == *name)
    }
}
