//! What operators do through the admin socket, one file for each kind of thing: accounts, users,
//! keys, the pool, quotas, zones and their import.
//!
//! Whoever can open the socket is trusted; the socket's file rights say who that is.

mod account;
mod backup;
mod delegation_set;
mod health;
mod health_check;
mod history;
mod import;
mod key;
mod name_server;
mod preview;
mod quota;
mod record;
mod region;
mod resource;
mod user;
mod vpc;
mod zone;

use meridian_dns::Name;
use meridian_log::{Head, ReadError, Snapshot};
use meridian_model::{
    Account, AccountId, Effect, Facts, HealthSwitchRefusal, NameServerRefusal, RegionRefusal,
    ResourceRefusal, Seq, VpcRefusal, ZoneId,
};

pub use self::account::AccountSummary;
pub use self::backup::Frozen;
pub use self::health::ControlUse;
pub use self::history::{RestoreOutcome, RestoredZone, SetDifference, ZoneVersion};
pub use self::import::{
    ExistingSets, ImportOutcome, ImportRequest, ImportRoom, ImportTarget, Imported, ImportedApex,
    ImportedSet, InvalidSets, RefusedSet, ZoneImport,
};
use self::key::MAX_KEYS;
pub use self::key::NewKey;
pub(crate) use self::key::{SECRETS, vault_row};
pub use self::preview::{
    ChangePreview, PreviewReason, PreviewedCollection, PreviewedName, PreviewedQuestion,
};
pub use self::record::{
    ChangedRecords, ExistingRecord, ListedRecords, RecordAddition, RecordPolicy, RecordRemoval,
    RecordTarget, RemovalExtent, TargetHealth,
};
pub use self::resource::{OwnedResource, ResourceRequest};
use self::user::MAX_POLICIES;
pub use self::user::{NewPolicy, NewUser, UserDetails};
pub use self::vpc::NewVpc;
pub(crate) use self::zone::zone_of;
pub use self::zone::{ChangeDetail, ZoneDetail, ZoneFilter, ZoneSets};
use crate::control::Control;
use crate::refusal::Fault;
use crate::rights::{PolicyError, UnreadablePolicy};

/// Who commits what operators do.
pub(crate) const OPERATOR: &str = "operator by the admin socket";

/// An admin command was not carried out.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum AdminError {
    #[error("there is no account '{0}'; `meridian account list` shows all")]
    UnknownAccount(String),
    #[error("there is an account '{0}' already")]
    AccountExists(String),
    #[error("the account '{0}' is not empty: it has {1}")]
    AccountNotEmpty(String, String),
    #[error("the account '{0}' is the operator's and stays")]
    OperatorAccount(String),
    #[error("the account '{0}' is the operator's and holds every right")]
    EveryRight(String),
    #[error("'{0}' is no name: 1 to 64 letters, digits and any of +=,.@_-")]
    BadName(String),
    #[error("account {0} has no user '{1}'")]
    UnknownUser(AccountId, String),
    #[error("account {0} has a user '{1}' already")]
    UserExists(AccountId, String),
    #[error("'{0}' is no name of a policy: 1 to 128 letters, digits and any of _+=,.@-")]
    BadPolicyName(String),
    #[error("the policy '{name}' cannot be kept to: {error}")]
    Policy { name: String, error: PolicyError },
    #[error(transparent)]
    UnreadablePolicy(#[from] UnreadablePolicy),
    #[error("the policy '{0}' is named twice")]
    PolicyTwice(String),
    #[error("a user has {MAX_POLICIES} policies at most; detach one first")]
    TooManyPolicies,
    #[error("the user '{user}' has no policy '{policy}'; `meridian user show` names all")]
    UnknownPolicy { user: String, policy: String },
    #[error("account {0} has no hosted zone {1}")]
    ForeignZone(AccountId, ZoneId),
    #[error("there is no access key '{0}'")]
    UnknownKey(String),
    #[error("there are {MAX_KEYS} access keys already; delete one first")]
    TooManyKeys,
    #[error("there is no zone '{0}'; `meridian zone list` shows all")]
    UnknownZone(String),
    #[error("several zones are called '{0}', name one by its id: {1}")]
    AmbiguousZone(String, String),
    #[error("account {0} has no reusable delegation set '{1}'")]
    UnknownDelegationSet(AccountId, String),
    #[error("{0}")]
    DelegationSet(String),
    #[error("there is no health check '{0}'")]
    UnknownHealthCheck(String),
    #[error("{0}")]
    HealthCheck(String),
    #[error(
        "'{0}' is no ARN of a routing control; one begins with arn: and has routingcontrol/ in it"
    )]
    BadRoutingControl(String),
    #[error("there is no change '{0}'")]
    UnknownChange(String),
    #[error("the history of {0} goes back to entry {1}, and not further")]
    NoHistory(Name, Seq),
    #[error("the zone cannot be made what it was: {0}")]
    NotRestored(String),
    #[error("{0}")]
    Import(String),
    #[error("{0}")]
    Records(String),
    #[error("'{0}' is no id of a VPC: vpc- and small letters, digits and hyphens, 64 at most")]
    BadVpcId(String),
    #[error("'{0}' is none of the regions that a VPC can be in, such as us-east-1")]
    UnknownVpcRegion(String),
    #[error(transparent)]
    Vpc(#[from] VpcRefusal),
    #[error(transparent)]
    HealthSwitch(#[from] HealthSwitchRefusal),
    #[error(transparent)]
    Region(#[from] RegionRefusal),
    #[error(transparent)]
    Resource(#[from] ResourceRefusal),
    #[error(transparent)]
    NameServer(#[from] NameServerRefusal),
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<ReadError> for AdminError {
    fn from(error: ReadError) -> Self {
        Fault::storage(error).into()
    }
}

type Outcome<T> = Result<T, AdminError>;

impl Control {
    /// The end of the journal that this node has applied, once it has applied all there is.
    ///
    /// # Errors
    /// Faults only.
    pub fn head(&self) -> Outcome<Head> {
        Ok(self.fresh()?.head())
    }

    fn administer<T>(
        &self,
        plan: impl FnMut(&Snapshot, &mut Facts) -> Outcome<(Vec<Effect>, T)>,
    ) -> Outcome<T> {
        self.administer_as(OPERATOR, plan)
    }
}

fn account_of(snapshot: &Snapshot, text: &str) -> Outcome<Account> {
    let by_id = match AccountId::new(text) {
        Ok(id) => snapshot.account(&id)?,
        Err(_) => None,
    };
    let found = match by_id {
        Some(account) => Some(account),
        None => snapshot.account_named(text)?,
    };
    found.ok_or_else(|| AdminError::UnknownAccount(text.to_owned()))
}

/// The operator's where none is named.
fn account_or_operators(snapshot: &Snapshot, text: Option<&str>) -> Outcome<Account> {
    if let Some(text) = text {
        return account_of(snapshot, text);
    }
    let accounts = snapshot.accounts()?;
    let operator = accounts.into_iter().find(|account| account.operator);
    operator.ok_or_else(|| AdminError::UnknownAccount("operator".to_owned()))
}

fn accounts_of(snapshot: &Snapshot, text: Option<&str>) -> Outcome<Vec<Account>> {
    match text {
        Some(text) => Ok(vec![account_of(snapshot, text)?]),
        None => Ok(snapshot.accounts()?),
    }
}

fn check_name(name: &str) -> Outcome<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@_-".contains(&byte);
    if name.is_empty() || name.len() > 64 || !name.bytes().all(allowed) {
        return Err(AdminError::BadName(name.to_owned()));
    }
    Ok(())
}
