//! Accounts, users, access keys and policies: who asks. Deciding what they may is control's.

use crate::egress::ProbeRights;
use crate::facts::Timestamp;
use crate::id::{AccessKeyId, AccountId};

/// A tenant. Everything users make belongs to exactly one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Twelve digits.
    pub id: AccountId,
    /// A name for people; unique.
    pub name: String,
    /// Whether it holds the operator's rights (the account of the first start does).
    pub operator: bool,
    /// What it was given the right to have probed; see [`Account::probe_rights`].
    pub probes: ProbeRights,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Account {
    /// What it may have probed: everything if it is the operator's, who holds every right.
    pub const fn probe_rights(&self) -> ProbeRights {
        if self.operator {
            ProbeRights::Everything
        } else {
            self.probes
        }
    }
}

/// A user of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The account.
    pub account: AccountId,
    /// Unique in the account; `[A-Za-z0-9+=,.@_-]`, 1 to 64 characters.
    pub name: String,
    /// What the user may do. None means nothing.
    pub policies: Vec<Policy>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A policy document with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// A name for people.
    pub name: String,
    /// IAM JSON, as submitted; read by control.
    pub document: String,
}

/// An access key. Its secret lies in the vault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    /// The public half.
    pub id: AccessKeyId,
    /// The account.
    pub account: AccountId,
    /// The user; none for the account itself, which may do everything in it.
    pub user: Option<String>,
    /// Whether it opens doors.
    pub status: KeyStatus,
    /// The vault row that holds the secret.
    pub vault_row: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// Whether an access key is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the API's own words")]
pub enum KeyStatus {
    Active,
    Inactive,
}
