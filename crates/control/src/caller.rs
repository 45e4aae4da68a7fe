//! Who asks, once the dialect has made sure of it.

use std::fmt;

use meridian_model::{AccessKeyId, AccountId, Timestamp};
use ring::digest;
use zeroize::Zeroizing;

/// How a request came from its sender, who may have a proxy in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// In the clear.
    Plain,
    /// Over TLS.
    Tls,
}

/// The authenticated sender of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account it acts in.
    pub account: AccountId,
    /// Whether that account holds the operator's rights.
    pub operator: bool,
    /// The user; none for the account itself.
    pub user: Option<String>,
    /// The access key it signed with.
    pub access_key: AccessKeyId,
    /// Where it came from, for the audit line and the journal: an address.
    pub source: String,
    /// How the request came.
    pub transport: Transport,
    /// When it was received.
    pub received_at: Timestamp,
    /// This request's id, as the answer carries it.
    pub request_id: String,
    /// What makes a retry of this request recognisable: a digest over the key id, the client's
    /// invocation id and the body. None when the client sends no invocation id.
    pub retry: Option<[u8; 32]>,
}

impl Caller {
    /// The principal's ARN: `arn:aws:iam::<account>:user/<name>`, or `…:root`.
    pub fn arn(&self) -> String {
        match &self.user {
            Some(user) => user_arn(&self.account, user),
            None => format!("arn:aws:iam::{}:root", self.account),
        }
    }

    /// The principal's unique id in the form of IAM's: the account's number, or `AIDA` and 17
    /// letters and digits. It follows from account and name, so that a user who is made again under
    /// the same name has the same one.
    pub fn user_id(&self) -> String {
        const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        let Some(user) = &self.user else {
            return self.account.to_string();
        };
        let named = format!("{}/{user}", self.account);
        let digest = digest::digest(&digest::SHA256, named.as_bytes());
        let letters = digest.as_ref().iter().take(17);
        let letters = letters.map(|byte| char::from(BASE32[usize::from(byte % 32)]));
        "AIDA".chars().chain(letters).collect()
    }
}

/// The ARN of a user.
pub(crate) fn user_arn(account: &AccountId, user: &str) -> String {
    format!("arn:aws:iam::{account}:user/{user}")
}

/// What signature verification needs to know about an access key.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The account.
    pub account: AccountId,
    /// Whether the account is an operator's.
    pub operator: bool,
    /// The user; none for the account itself.
    pub user: Option<String>,
    /// How many requests the account may send in a second.
    pub requests_per_second: u64,
    /// The secret half.
    pub secret: Secret,
}

/// The secret half of an access key: never printed, wiped when dropped.
#[derive(Clone)]
pub struct Secret(pub Zeroizing<String>);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
