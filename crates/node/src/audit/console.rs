//! What is told of the console, in the words of the API's events.

use std::sync::Arc;

use meridian_api::{Audit, EVENT_VERSION, Event, UserIdentity, event_time, lower_first};
use meridian_console::{Happening, Witness};
use meridian_control::{Environment, SystemEnvironment};
use meridian_model::DraftChange;
use serde_json::{Map, Value, json};

use super::command::{cut, hex_id};
use crate::transfer::JsonSet;

/// The most changes that are shown of one request.
const MAX_CHANGES: usize = 100;
/// The most elements of a list.
const MAX_ITEMS: usize = 100;
/// What the console does itself, for no operation of Route 53's.
const OWN: [&str; 3] = ["ConsoleLogin", "ConsoleLogout", "DraftResourceRecordSets"];

/// Makes events of what happens in the console.
#[derive(Debug)]
pub(crate) struct ConsoleAudit(pub(crate) Arc<dyn Audit>);

impl Witness for ConsoleAudit {
    fn saw(&self, happening: Happening) {
        self.0.record(event(happening));
    }
}

fn event(happening: Happening) -> Event {
    let caller = happening.caller.as_ref();
    let account = caller.map(|caller| caller.account.to_string());
    let identity = caller.map_or_else(
        || UserIdentity::unknown(happening.claimed_key.as_deref()),
        UserIdentity::of,
    );
    let (code, message) = happening.error.unzip();
    let mut parameters = Map::new();
    for (name, value) in happening.parameters {
        parameters.insert(name.to_owned(), cut(&value).into());
    }
    if !happening.changes.is_empty() {
        let shown = happening.changes.iter().take(MAX_CHANGES).map(change);
        let batch = json!({ "changes": shown.collect::<Vec<_>>() });
        parameters.insert("changeBatch".to_owned(), batch);
    }
    let parameters = Value::Object(parameters);
    Event {
        event_version: EVENT_VERSION,
        user_identity: identity,
        event_time: event_time(happening.at),
        event_source: match OWN.contains(&happening.operation) {
            true => "console.meridian",
            false => "route53.amazonaws.com",
        },
        event_name: happening.operation.to_owned(),
        aws_region: String::new(),
        source_ip_address: happening.source,
        user_agent: cut(&happening.user_agent),
        error_code: code,
        error_message: message.map(|text| cut(&text)),
        request_parameters: Some(parameters).filter(|it| *it != Value::Object(Map::new())),
        response_elements: happening
            .change
            .map(|id| json!({ "changeInfo": { "id": format!("/change/{id}") } })),
        request_id: happening.request_id,
        event_id: hex_id(SystemEnvironment::new().entropy()),
        read_only: happening.read_only,
        event_type: "MeridianConsoleAction",
        recipient_account_id: account,
    }
}

fn change(change: &DraftChange) -> Value {
    let set = serde_json::to_value(JsonSet::from(change.set.clone())).unwrap_or_default();
    json!({ "action": change.action.as_str(), "resourceRecordSet": lowered(set) })
}

/// With names as CloudTrail has them, `TTL` as `tTL`, and bounded.
fn lowered(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let members = object.into_iter();
            let members = members.map(|(name, value)| (lower_first(&name), lowered(value)));
            Value::Object(members.collect())
        }
        Value::Array(items) => items.into_iter().take(MAX_ITEMS).map(lowered).collect(),
        Value::String(text) => cut(&text).into(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use meridian_control::{Caller, Transport};
    use meridian_dns::RecordType;
    use meridian_model::{AccessKeyId, AccountId, Action, Draft, Timestamp};

    use super::*;

    fn happening(operation: &'static str) -> Happening {
        Happening {
            operation,
            read_only: false,
            at: Timestamp(1500),
            caller: None,
            claimed_key: Some("AKIATEST".to_owned()),
            source: "192.0.2.1".to_owned(),
            user_agent: "browser".to_owned(),
            request_id: "r".to_owned(),
            parameters: Vec::new(),
            changes: Vec::new(),
            change: None,
            error: None,
        }
    }

    fn told(happening: Happening) -> Value {
        serde_json::to_value(event(happening)).unwrap()
    }

    #[test]
    fn a_change_looks_as_one_by_the_api_and_says_that_it_is_the_consoles() {
        let caller = Caller {
            account: AccountId::new("123456789012").unwrap(),
            operator: false,
            user: Some("ann".to_owned()),
            access_key: AccessKeyId::new("AKIATEST").unwrap(),
            source: "192.0.2.1".to_owned(),
            transport: Transport::Plain,
            received_at: Timestamp(1500),
            request_id: "r".to_owned(),
            retry: None,
        };
        let event = told(Happening {
            caller: Some(caller),
            parameters: vec![("hostedZoneId", "Z1".to_owned())],
            changes: vec![DraftChange {
                action: Action::Create,
                set: Draft::simple("a.b", RecordType::A, 300, &["192.0.2.1"]),
            }],
            change: Some("C1".to_owned()),
            ..happening("ChangeResourceRecordSets")
        });
        let expected = json!({
            "hostedZoneId": "Z1",
            "changeBatch": { "changes": [{
                "action": "CREATE",
                "resourceRecordSet": {
                    "name": "a.b",
                    "type": "A",
                    "tTL": 300,
                    "resourceRecords": [{ "value": "192.0.2.1" }],
                },
            }] },
        });
        assert_eq!(event["requestParameters"], expected);
        assert_eq!(event["responseElements"]["changeInfo"]["id"], "/change/C1");
        assert_eq!(event["userIdentity"]["userName"], "ann");
        assert_eq!(event["eventSource"], "route53.amazonaws.com");
        assert_eq!(event["eventType"], "MeridianConsoleAction");
        assert_eq!(event["readOnly"], false);
    }

    #[test]
    fn who_could_not_sign_in_is_unknown_and_the_reason_is_told() {
        let event = told(Happening {
            error: Some(("AuthFailure".to_owned(), "no".to_owned())),
            ..happening("ConsoleLogin")
        });
        let identity = json!({ "type": "Unknown", "accessKeyId": "AKIATEST" });
        assert_eq!(event["userIdentity"], identity);
        assert_eq!(
            (&event["errorCode"], &event["eventSource"]),
            (&json!("AuthFailure"), &json!("console.meridian"))
        );
        assert_eq!(event["requestParameters"], Value::Null);
    }

    #[test]
    fn nothing_is_unbounded() {
        let values = ["x".repeat(5000)];
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let event = told(Happening {
            user_agent: "a".repeat(9000),
            changes: vec![
                DraftChange {
                    action: Action::Create,
                    set: Draft::simple("a.b", RecordType::Txt, 300, &values.repeat(1000)),
                };
                3
            ],
            ..happening("ChangeResourceRecordSets")
        });
        assert!(event.to_string().len() < 400_000);
    }
}
