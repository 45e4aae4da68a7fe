//! Who may do what: IAM JSON policies, a subset.
//!
//! The account itself may do everything in itself; a user what the attached policies allow and
//! none denies. Statements have Effect, Action and Resource with `*` and `?`. A document with
//! anything else is refused when it is attached, and allows nothing should it be met all the same.

use meridian_log::Snapshot;
use meridian_model::{Policy, Zone};
use serde::Deserialize;

use crate::caller::Caller;
use crate::refusal::{OperationError, Refusal};

/// Refuses unless the caller may do `action` (as in `route53:GetHostedZone`) to `resource`.
pub(crate) fn authorize(
    snapshot: &Snapshot,
    caller: &Caller,
    action: &str,
    resource: &str,
) -> Result<(), OperationError> {
    let Some(name) = &caller.user else {
        return Ok(());
    };
    let user = snapshot.user(&caller.account, name)?;
    let policies = user.map(|user| user.policies).unwrap_or_default();
    if allows(&policies, action, resource) {
        return Ok(());
    }
    Err(Refusal::AccessDenied {
        principal: caller.arn(),
        action: action.to_owned(),
        resource: resource.to_owned(),
    }
    .into())
}

/// The zone, if it exists and belongs to the caller's account. One of another account is refused
/// in the very words for one that does not exist.
pub(crate) fn own_zone(
    snapshot: &Snapshot,
    caller: &Caller,
    id: &str,
) -> Result<Zone, OperationError> {
    use meridian_model::{State, ZoneId};
    let missing = || Refusal::NoSuchHostedZone(id.to_owned());
    let id = ZoneId::new(id).map_err(|_| missing())?;
    let zone = snapshot.zone(&id)?;
    let own = zone.filter(|zone| zone.account == caller.account);
    Ok(own.ok_or_else(missing)?)
}

/// The ARN of a hosted zone.
pub(crate) fn zone_arn(id: &str) -> String {
    format!("arn:aws:route53:::hostedzone/{id}")
}

/// A policy that comes with the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadyMadePolicy {
    /// Everything.
    Admin,
    /// Every Get and List.
    ReadOnly,
}

impl ReadyMadePolicy {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Admin, Self::ReadOnly];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::ReadOnly => "read-only",
        }
    }

    /// The policy.
    pub fn policy(self) -> Policy {
        let actions = match self {
            Self::Admin => r#""*""#,
            Self::ReadOnly => r#"["route53:Get*", "route53:List*", "route53:TestDNSAnswer"]"#,
        };
        Policy {
            name: self.name().to_owned(),
            document: format!(
                r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "Allow", "Action": {actions}, "Resource": "*"}}]}}"#
            ),
        }
    }
}

/// A policy document is not one that can be kept to.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It is no JSON, or has elements that are not understood.
    #[error("the policy document cannot be read: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A version of the policy language that is not known.
    #[error("the policy's Version is '{0}', not '2012-10-17'")]
    Version(String),
}

/// Whether a document can be kept to.
///
/// # Errors
/// [`PolicyError`] says what is wrong with it.
pub fn check_policy(document: &str) -> Result<(), PolicyError> {
    parse(document).map(drop)
}

fn parse(document: &str) -> Result<Document, PolicyError> {
    let document: Document = serde_json::from_str(document)?;
    match &document.version {
        Some(version) if version != "2012-10-17" => Err(PolicyError::Version(version.clone())),
        _ => Ok(document),
    }
}

fn allows(policies: &[Policy], action: &str, resource: &str) -> bool {
    let mut allowed = false;
    for policy in policies {
        // A document that cannot be read might deny: nothing is allowed beside it.
        let Ok(document) = parse(&policy.document) else {
            return false;
        };
        for statement in document.statement.as_slice() {
            let speaks = statement
                .action
                .as_slice()
                .iter()
                .any(|p| matches(p, action, Fold::Case))
                && statement
                    .resource
                    .as_slice()
                    .iter()
                    .any(|p| matches(p, resource, Fold::Not));
            match statement.effect {
                Effect::Deny if speaks => return false,
                Effect::Allow => allowed |= speaks,
                Effect::Deny => {}
            }
        }
    }
    allowed
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Document {
    version: Option<String>,
    #[serde(rename = "Id")]
    _id: Option<String>,
    statement: OneOrMany<Statement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Statement {
    #[serde(rename = "Sid")]
    _sid: Option<String>,
    effect: Effect,
    action: OneOrMany<String>,
    resource: OneOrMany<String>,
}

#[derive(Deserialize)]
enum Effect {
    Allow,
    Deny,
}

#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "expected one element or a list of them, with nothing in it that is not supported"
)]
enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    fn as_slice(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

#[derive(Clone, Copy)]
enum Fold {
    /// Actions compare without case.
    Case,
    /// Resources compare by byte.
    Not,
}

/// Whether a pattern with `*` and `?` matches the whole text. Linear but for one step back to the
/// last `*`.
fn matches(pattern: &str, text: &str, fold: Fold) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let same = |p: u8, t: u8| match fold {
        Fold::Case => p.eq_ignore_ascii_case(&t),
        Fold::Not => p == t,
    };
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(&c) if c == b'?' || same(c, text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(document: &str) -> Policy {
        Policy {
            name: "p".to_owned(),
            document: document.to_owned(),
        }
    }

    #[test]
    fn patterns_match_as_iam_matches_them() {
        for (pattern, text, expected) in [
            ("*", "anything", true),
            ("route53:Get*", "route53:gethostedzone", true),
            ("route53:Get*", "route53:ListHostedZones", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*b*b", "abab", true),
            ("*b*b", "aba", false),
            ("", "", true),
        ] {
            assert_eq!(
                matches(pattern, text, Fold::Case),
                expected,
                "{pattern} {text}"
            );
        }
        assert!(!matches("arn:Z*", "arn:z1", Fold::Not));
    }

    #[test]
    fn deny_wins_and_silence_denies() {
        let allow = r#"{"Statement": {"Effect": "Allow", "Action": "route53:*", "Resource": "*"}}"#;
        let deny = r#"{"Statement": [{"Effect": "Deny", "Action": ["route53:Delete*"],
                       "Resource": "arn:aws:route53:::hostedzone/Z1"}]}"#;
        let both = [policy(allow), policy(deny)];
        let delete = "route53:DeleteHostedZone";
        assert!(!allows(&both, delete, &zone_arn("Z1")));
        assert!(allows(&both, delete, &zone_arn("Z2")));
        assert!(!allows(&[], delete, &zone_arn("Z2")));
        assert!(!allows(&both, "route53domains:ListDomains", "*"));
    }

    #[test]
    fn what_is_not_understood_allows_nothing() {
        let unknown = r#"{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*",
                          "Condition": {}}}"#;
        assert!(check_policy(unknown).is_err());
        let admin = ReadyMadePolicy::Admin.policy();
        assert!(!allows(
            &[admin.clone(), policy(unknown)],
            "route53:GetChange",
            "*"
        ));
        assert!(allows(&[admin], "route53:GetChange", "*"));
        assert!(check_policy(r#"{"Version": "2008-10-17", "Statement": []}"#).is_err());
        for ready in ReadyMadePolicy::ALL {
            check_policy(&ready.policy().document).unwrap();
        }
    }
}
