//! What is told of commands at the admin socket, in the words of the API's events.

use std::fmt::Display;

use meridian_api::{Audit, EVENT_VERSION, Event, UserIdentity, event_time};
use meridian_control::{Environment, SystemEnvironment};
use serde::Serialize;
use serde_json::{Map, Value};

/// The longest response that is shown, in bytes of JSON.
const MAX_RESPONSE: usize = 8 * 1024;
/// The longest text of a command that is shown: master files may be among them.
const MAX_TEXT: usize = 1024;
/// The most elements of a list, and the most levels.
const MAX_ITEMS: usize = 100;
const MAX_DEPTH: usize = 16;
/// What stands for secrets, as in CloudTrail.
const HIDDEN: &str = "HIDDEN_DUE_TO_SECURITY_REASONS";

/// Who is at the other end of the socket, as far as the system knows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer {
    pub(crate) user: Option<u32>,
}

/// A command, to be told of once its outcome is known.
#[derive(Debug)]
pub(crate) struct Told {
    peer: Peer,
    name: String,
    parameters: Option<Value>,
}

impl Told {
    /// Of a command as it goes over the socket: an object with its name in `command`.
    pub(crate) fn of(command: &impl Serialize, peer: Peer) -> Self {
        let mut object = match serde_json::to_value(command) {
            Ok(Value::Object(object)) => object,
            _ => Map::new(),
        };
        let name = object.remove("command");
        let name = name.as_ref().and_then(Value::as_str).unwrap_or_default();
        let parameters = shown(Value::Object(object), 0);
        Self {
            peer,
            name: camel(name, Start::Upper),
            parameters: Some(parameters).filter(|value| *value != Value::Object(Map::new())),
        }
    }

    /// Tells of it. The error is the text that the operator gets.
    pub(crate) fn record(self, audit: &dyn Audit, outcome: Result<&Value, &dyn Display>) {
        let read_only = is_read_only(&self.name);
        let result = outcome.ok().filter(|_| !read_only);
        let response = result
            .map(|value| shown(value.clone(), 0))
            .filter(|value| value.to_string().len() <= MAX_RESPONSE);
        let error = outcome.err();
        let random = SystemEnvironment::new();
        let id = hex_id(random.entropy());
        audit.record(Event {
            event_version: EVENT_VERSION,
            user_identity: UserIdentity {
                kind: "Operator",
                principal_id: self.peer.user.map(|user| format!("uid:{user}")),
                ..UserIdentity::default()
            },
            event_time: event_time(random.now()),
            event_source: "admin.meridian",
            event_name: self.name,
            aws_region: String::new(),
            source_ip_address: "admin.sock".to_owned(),
            user_agent: "meridian".to_owned(),
            error_code: error.map(|_| "CommandFailed".to_owned()),
            error_message: error.map(|error| cut(&error.to_string())),
            request_parameters: self.parameters,
            response_elements: response,
            request_id: id.clone(),
            event_id: id,
            read_only,
            event_type: "MeridianAdminCommand",
            recipient_account_id: None,
        });
    }
}

/// Whether a command changes nothing, by the last word of its name.
fn is_read_only(name: &str) -> bool {
    let last = [
        "List", "Show", "Status", "Verify", "Test", "Diff", "Export", "History", "Check", "Find",
        "Lookup", "Explain", "Preview", "Watch", "Map", "Score",
    ];
    last.iter().any(|word| name.ends_with(word))
}

/// With names in CloudTrail's manner, without secrets, and bounded.
fn shown(value: Value, depth: usize) -> Value {
    match value {
        _ if depth >= MAX_DEPTH => Value::Null,
        Value::Object(object) => {
            // What was not said is left out.
            let said = object.into_iter().filter(|(_, value)| !value.is_null());
            let members = said.take(MAX_ITEMS).map(|(name, value)| {
                let value = if is_secret(&name) {
                    HIDDEN.into()
                } else {
                    shown(value, depth + 1)
                };
                (camel(&name, Start::Lower), value)
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => {
            let items = items.into_iter().take(MAX_ITEMS);
            items.map(|item| shown(item, depth + 1)).collect()
        }
        Value::String(text) => cut(&text).into(),
        other => other,
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["secret", "password", "passphrase", "token", "private_key"]
        .iter()
        .any(|word| name.contains(word))
}

#[derive(Clone, Copy, PartialEq)]
enum Start {
    Upper,
    Lower,
}

/// `key-create` becomes `KeyCreate`, `access_key_id` `accessKeyId`.
fn camel(name: &str, start: Start) -> String {
    let mut upper = start == Start::Upper;
    let mut text = String::with_capacity(name.len());
    for c in name.chars() {
        if c == '-' || c == '_' {
            upper = true;
        } else if upper {
            text.push(c.to_ascii_uppercase());
            upper = false;
        } else {
            text.push(c);
        }
    }
    text
}

pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_TEXT) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// An id in the form of the API's: five groups of hexadecimal digits.
pub(super) fn hex_id(random: [u8; 32]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in random.iter().take(16).enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    #[derive(Debug, Default)]
    struct Kept(Mutex<Vec<Event>>);

    impl Audit for Kept {
        fn record(&self, event: Event) {
            self.0.lock().unwrap().push(event);
        }
    }

    fn told(command: &Value, outcome: Result<&Value, &dyn Display>) -> Value {
        let kept = Kept::default();
        Told::of(command, Peer { user: Some(7) }).record(&kept, outcome);
        let events = kept.0.into_inner().unwrap();
        serde_json::to_value(&events[0]).unwrap()
    }

    #[test]
    fn commands_are_told_without_what_is_secret() {
        let command = json!({ "command": "key-create", "account": "a", "user_name": "ann" });
        let result = json!({ "access_key_id": "AKIA", "secret_access_key": "hush" });
        let event = told(&command, Ok(&result));
        assert_eq!(event["eventName"], "KeyCreate");
        assert_eq!(
            event["requestParameters"],
            json!({ "account": "a", "userName": "ann" })
        );
        let shown = json!({ "accessKeyId": "AKIA", "secretAccessKey": HIDDEN });
        assert_eq!(event["responseElements"], shown);
        assert_eq!(
            event["userIdentity"],
            json!({ "type": "Operator", "principalId": "uid:7" })
        );
        assert_eq!(event["requestID"].as_str().unwrap().len(), 36);
        assert_eq!(event["readOnly"], false);
        assert!(!event.to_string().contains("hush"));
        let command = json!({ "command": "key-import", "key_secret": "hush" });
        assert!(
            !told(&command, Ok(&Value::Null))
                .to_string()
                .contains("hush")
        );
    }

    #[test]
    fn reads_and_failures_say_so_and_nothing_is_unbounded() {
        let event = told(&json!({ "command": "account-list" }), Ok(&json!([1])));
        assert_eq!(
            (&event["readOnly"], &event["responseElements"]),
            (&json!(true), &Value::Null)
        );
        assert_eq!(event["requestParameters"], Value::Null);
        let failed = told(
            &json!({ "command": "zone-import", "text": "x".repeat(9000) }),
            Err(&"no"),
        );
        assert_eq!(
            (&failed["errorCode"], &failed["errorMessage"]),
            (&json!("CommandFailed"), &json!("no"))
        );
        assert!(failed.to_string().len() < 3000);
        let mut deep = json!(1);
        for _ in 0..50 {
            deep = json!([deep]);
        }
        assert!(
            told(&json!({ "command": "x", "y": deep }), Ok(&deep))
                .to_string()
                .len()
                < 1000
        );
    }
}
