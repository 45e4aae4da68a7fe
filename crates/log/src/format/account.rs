//! The stored form of accounts, users, access keys and quotas.

use meridian_model::{
    AccessKey, AccessKeyId, Account, KeyStatus, Policy, ProbeRights, Quota, Timestamp, User,
};
use prost::Message;

use super::{DecodeError, Stored, account_id, required};

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AccountMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(bool, tag = "3")]
    operator: bool,
    #[prost(int64, tag = "4")]
    created_at: i64,
    /// 0 public, 1 private, 2 everything.
    #[prost(uint32, tag = "5")]
    probes: u32,
}

impl Stored for Account {
    type Message = AccountMessage;

    fn to_message(&self) -> AccountMessage {
        AccountMessage {
            id: self.id.as_str().into(),
            name: self.name.clone(),
            operator: self.operator,
            created_at: self.created_at.0,
            probes: match self.probes {
                ProbeRights::Public => 0,
                ProbeRights::Private => 1,
                ProbeRights::Everything => 2,
            },
        }
    }

    fn from_message(message: AccountMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            id: account_id(&message.id)?,
            name: message.name,
            operator: message.operator,
            probes: match message.probes {
                0 => ProbeRights::Public,
                1 => ProbeRights::Private,
                2 => ProbeRights::Everything,
                _ => return Err(DecodeError::Field("rights to probe")),
            },
            created_at: Timestamp(message.created_at),
        })
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct UserMessage {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(string, tag = "2")]
    name: String,
    #[prost(message, repeated, tag = "3")]
    policies: Vec<PolicyMessage>,
    #[prost(int64, tag = "4")]
    created_at: i64,
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct PolicyMessage {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    document: String,
}

impl Stored for User {
    type Message = UserMessage;

    fn to_message(&self) -> UserMessage {
        let policy = |policy: &Policy| PolicyMessage {
            name: policy.name.clone(),
            document: policy.document.clone(),
        };
        UserMessage {
            account: self.account.as_str().into(),
            name: self.name.clone(),
            policies: self.policies.iter().map(policy).collect(),
            created_at: self.created_at.0,
        }
    }

    fn from_message(message: UserMessage) -> Result<Self, DecodeError> {
        let policy = |policy: PolicyMessage| Policy {
            name: policy.name,
            document: policy.document,
        };
        Ok(Self {
            account: account_id(&message.account)?,
            name: message.name,
            policies: message.policies.into_iter().map(policy).collect(),
            created_at: Timestamp(message.created_at),
        })
    }
}

#[derive(Clone, PartialEq, Message)]
pub(crate) struct AccessKeyMessage {
    #[prost(string, tag = "1")]
    id: String,
    #[prost(string, tag = "2")]
    account: String,
    #[prost(string, optional, tag = "3")]
    user: Option<String>,
    /// 1 active, 2 inactive.
    #[prost(uint32, tag = "4")]
    status: u32,
    #[prost(string, tag = "5")]
    vault_row: String,
    #[prost(int64, tag = "6")]
    created_at: i64,
}

impl Stored for AccessKey {
    type Message = AccessKeyMessage;

    fn to_message(&self) -> AccessKeyMessage {
        AccessKeyMessage {
            id: self.id.as_str().into(),
            account: self.account.as_str().into(),
            user: self.user.clone(),
            status: match self.status {
                KeyStatus::Active => 1,
                KeyStatus::Inactive => 2,
            },
            vault_row: self.vault_row.clone(),
            created_at: self.created_at.0,
        }
    }

    fn from_message(message: AccessKeyMessage) -> Result<Self, DecodeError> {
        Ok(Self {
            id: access_key_id(&message.id)?,
            account: account_id(&message.account)?,
            user: message.user,
            status: match message.status {
                1 => KeyStatus::Active,
                2 => KeyStatus::Inactive,
                _ => return Err(DecodeError::Field("access key status")),
            },
            vault_row: message.vault_row,
            created_at: Timestamp(message.created_at),
        })
    }
}

pub(super) fn access_key_id(text: &str) -> Result<AccessKeyId, DecodeError> {
    AccessKeyId::new(text).map_err(|_| DecodeError::Field("access key id"))
}

pub(super) fn quota(text: &str) -> Result<Quota, DecodeError> {
    let known = Quota::ALL
        .iter()
        .copied()
        .find(|quota| quota.as_str() == text);
    required(known, "quota")
}
