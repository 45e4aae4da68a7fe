//! What is told of each request: an event with the names of AWS CloudTrail. Where events are
//! written, and what happens when they cannot be, is the business of whoever takes them.
//!
//! No secret and no signature is ever part of one.

mod names;
mod parameters;

use std::fmt::Debug;

use meridian_control::Caller;
use meridian_model::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub use parameters::lower_first;
pub(crate) use parameters::{request_parameters, response_elements};

/// Takes events. Called once for each request, before it is answered, on threads that must not
/// wait for long.
pub trait Audit: Send + Sync + Debug {
    /// Takes an event.
    fn record(&self, event: Event);
}

/// One call of an API, whether it was carried out or refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// The version of CloudTrail's format.
    pub event_version: &'static str,
    /// Who asked.
    pub user_identity: UserIdentity,
    /// When it was answered; ISO 8601.
    pub event_time: String,
    /// Whose call it is, as in `route53.amazonaws.com`.
    pub event_source: &'static str,
    /// The operation; empty when there is none where the request went.
    pub event_name: String,
    /// The region that it was signed for.
    pub aws_region: String,
    /// Where it came from.
    #[serde(rename = "sourceIPAddress")]
    pub source_ip_address: String,
    /// What the client calls itself.
    pub user_agent: String,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    /// The same in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    /// What was asked for, of bounded size; none when it is not known who asked.
    pub request_parameters: Option<Value>,
    /// What a call that changes something answered; none for those that only read.
    pub response_elements: Option<Value>,
    /// As in the answer.
    #[serde(rename = "requestID")]
    pub request_id: String,
    /// Of this event alone.
    #[serde(rename = "eventID")]
    pub event_id: String,
    /// Whether the call changes nothing.
    pub read_only: bool,
    /// `AwsApiCall`, for commands of operators `MeridianAdminCommand`.
    pub event_type: &'static str,
    /// The account that it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient_account_id: Option<String>,
}

/// Who asked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdentity {
    /// `Root`, `IAMUser`, `Operator`, or `Unknown` for who could not be made sure of.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The principal's unique id, as GetCallerIdentity says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal_id: Option<String>,
    /// The principal's ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The principal's account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// The key that the request was signed with, or says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<String>,
    /// The user's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
}

/// CloudTrail's version of the format that these names are of.
pub const EVENT_VERSION: &str = "1.08";
/// The most characters of a text that a client chose.
const MAX_TEXT: usize = 1024;

/// What becomes known of a request on its way.
#[derive(Debug, Default)]
pub(crate) struct Trail {
    /// What the request says about its key, checked or not.
    pub(crate) claimed_key: Option<String>,
    /// What it was signed for.
    pub(crate) region: Option<String>,
    /// Who it is, made sure of.
    pub(crate) caller: Option<Caller>,
    /// What was asked for.
    pub(crate) parameters: Option<Value>,
    /// What was answered.
    pub(crate) response: Option<Value>,
}

/// What is known of a request from the start.
#[derive(Debug, Clone)]
pub(crate) struct Envelope {
    pub(crate) request_id: String,
    pub(crate) source: String,
    pub(crate) user_agent: String,
    pub(crate) event_source: &'static str,
}

impl Trail {
    /// The event. `error` has code and message.
    pub(crate) fn event(
        self,
        envelope: Envelope,
        operation: &str,
        error: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Event {
        let account = self
            .caller
            .as_ref()
            .map(|caller| caller.account.to_string());
        Event {
            event_version: EVENT_VERSION,
            user_identity: identity(self.caller.as_ref(), self.claimed_key.as_deref()),
            event_time: event_time(now),
            event_source: envelope.event_source,
            event_name: operation.to_owned(),
            aws_region: cut(&self.region.unwrap_or_default()),
            source_ip_address: envelope.source,
            user_agent: cut(&envelope.user_agent),
            error_code: error.map(|(code, _)| code.to_owned()),
            error_message: error.map(|(_, message)| cut(message)),
            request_parameters: self.parameters,
            response_elements: self.response,
            request_id: envelope.request_id,
            event_id: crate::request_id::draw(),
            read_only: is_read_only(operation),
            event_type: "AwsApiCall",
            recipient_account_id: account,
        }
    }
}

impl UserIdentity {
    /// Who has been made sure of.
    pub fn of(caller: &Caller) -> Self {
        let account = caller.account.to_string();
        Self {
            kind: if caller.user.is_some() {
                "IAMUser"
            } else {
                "Root"
            },
            principal_id: Some(caller.user_id()),
            arn: Some(caller.arn()),
            account_id: Some(account),
            access_key_id: Some(caller.access_key.to_string()),
            user_name: caller.user.clone(),
        }
    }

    /// Somebody who says this key.
    pub fn unknown(claimed_key: Option<&str>) -> Self {
        Self {
            kind: "Unknown",
            access_key_id: claimed_key.map(cut),
            ..Self::default()
        }
    }
}

fn identity(caller: Option<&Caller>, claimed_key: Option<&str>) -> UserIdentity {
    caller.map_or_else(|| UserIdentity::unknown(claimed_key), UserIdentity::of)
}

/// Whether an operation changes nothing. An operation that does not exist does not either.
pub(crate) fn is_read_only(operation: &str) -> bool {
    let readers = ["Get", "List", "Test"];
    operation.is_empty() || readers.iter().any(|verb| operation.starts_with(verb))
}

/// A time as events have it.
pub fn event_time(time: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(time.0)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Bounded, with a mark where something is missing.
fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use meridian_control::Transport;
    use meridian_model::{AccessKeyId, AccountId};

    fn caller(user: Option<&str>) -> Caller {
        Caller {
            received_at: Timestamp(0),
            account: AccountId::new("123456789012").unwrap(),
            operator: false,
            user: user.map(str::to_owned),
            access_key: AccessKeyId::new("AKIATEST").unwrap(),
            source: "192.0.2.1".to_owned(),
            transport: Transport::Plain,
            request_id: "r".to_owned(),
            retry: None,
        }
    }

    fn envelope() -> Envelope {
        Envelope {
            request_id: "r".to_owned(),
            source: "192.0.2.1".to_owned(),
            user_agent: "a".repeat(5000),
            event_source: "route53.amazonaws.com",
        }
    }

    #[test]
    fn an_event_has_the_names_of_cloudtrail() {
        let trail = Trail {
            claimed_key: Some("AKIATEST".to_owned()),
            region: Some("eu-west-1".to_owned()),
            caller: Some(caller(Some("ann"))),
            ..Trail::default()
        };
        let refused = Some(("AccessDenied", "no"));
        let event = trail.event(envelope(), "DeleteHostedZone", refused, Timestamp(1500));
        let mut json = serde_json::to_value(&event).unwrap();
        let id = json["eventID"].take();
        assert_eq!(id.as_str().unwrap().len(), 36);
        assert_eq!(
            json["userAgent"].take().as_str().unwrap().chars().count(),
            1025
        );
        let expected = serde_json::json!({
            "eventVersion": "1.08",
            "userIdentity": {
                "type": "IAMUser",
                "principalId": caller(Some("ann")).user_id(),
                "arn": "arn:aws:iam::123456789012:user/ann",
                "accountId": "123456789012",
                "accessKeyId": "AKIATEST",
                "userName": "ann",
            },
            "eventTime": "1970-01-01T00:00:01Z",
            "eventSource": "route53.amazonaws.com",
            "eventName": "DeleteHostedZone",
            "awsRegion": "eu-west-1",
            "sourceIPAddress": "192.0.2.1",
            "userAgent": null,
            "errorCode": "AccessDenied",
            "errorMessage": "no",
            "requestParameters": null,
            "responseElements": null,
            "requestID": "r",
            "eventID": null,
            "readOnly": false,
            "eventType": "AwsApiCall",
            "recipientAccountId": "123456789012",
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn an_account_is_root_and_a_stranger_unknown() {
        let root = identity(Some(&caller(None)), None);
        assert_eq!((root.kind, root.user_name), ("Root", None));
        assert_eq!(root.principal_id.as_deref(), Some("123456789012"));
        let stranger = identity(None, Some("AKIANOBODY"));
        assert_eq!(stranger.kind, "Unknown");
        assert_eq!(stranger.access_key_id.as_deref(), Some("AKIANOBODY"));
        assert!(stranger.arn.is_none() && stranger.account_id.is_none());
    }

    #[test]
    fn readers_are_known_by_their_names() {
        for reader in ["GetChange", "ListTagsForResources", "TestDNSAnswer", ""] {
            assert!(is_read_only(reader), "{reader}");
        }
        assert!(
            !is_read_only("ChangeTagsForResource") && !is_read_only("AssociateVPCWithHostedZone")
        );
    }
}
