//! What a request brings with it that conditions can ask about.

use std::collections::BTreeMap;
use std::net::IpAddr;

use meridian_dns::Name;
use meridian_model::{AccountId, DraftChange};

use super::key::{Count, Key, Kind};
use super::moment;
use crate::caller::{Caller, Transport, user_arn};
use crate::request::Vpc;

/// The values of context keys. A key without values is absent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context(BTreeMap<Key, Vec<String>>);

/// A context that no request can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// There is no such key.
    #[error("there is no context key '{0}'; there are {keys}", keys = Key::names())]
    UnknownKey(String),
    /// The value is not of the key's kind.
    #[error("'{value}' is no value of {key}: it takes {wanted}")]
    BadValue {
        /// Which key.
        key: &'static str,
        /// What it was given.
        value: String,
        /// What it takes.
        wanted: &'static str,
    },
    /// The key has one value in every request.
    #[error("{0} has one value in every request, not several")]
    SeveralValues(&'static str),
}

impl Context {
    /// Gives a key its values, as a simulation does.
    ///
    /// # Errors
    /// [`ContextError`] when no request could have them.
    pub fn set(&mut self, key: &str, values: Vec<String>) -> Result<(), ContextError> {
        let known = Key::named(key).ok_or_else(|| ContextError::UnknownKey(key.to_owned()))?;
        if known.count() == Count::One && values.len() > 1 {
            return Err(ContextError::SeveralValues(known.name()));
        }
        for value in &values {
            let (valid, wanted) = match known.kind() {
                Kind::Address => (value.parse::<IpAddr>().is_ok(), "an address"),
                Kind::Time => (moment::parse(value).is_some(), "a time as in ISO 8601"),
                Kind::Truth => (matches!(&**value, "true" | "false"), "true or false"),
                Kind::Text | Kind::Arn => (true, "text"),
            };
            if !valid {
                return Err(ContextError::BadValue {
                    key: known.name(),
                    value: value.clone(),
                    wanted,
                });
            }
        }
        self.put(known, values);
        Ok(())
    }

    /// What a batch of changes brings.
    pub(crate) fn of_changes(changes: &[DraftChange]) -> Self {
        let (mut names, mut types, mut actions) = (Vec::new(), Vec::new(), Vec::new());
        for change in changes {
            names.push(normalized(&change.set.name));
            types.push(change.set.rtype.as_str().to_owned());
            actions.push(change.action.as_str().to_owned());
        }
        let mut context = Self::default();
        for (key, mut values) in [
            (Key::RecordNames, names),
            (Key::RecordTypes, types),
            (Key::ChangeActions, actions),
        ] {
            values.sort_unstable();
            values.dedup();
            context.put(key, values);
        }
        context
    }

    /// What a request about a network brings.
    pub(crate) fn of_vpc(vpc: &Vpc) -> Self {
        let id = vpc.id.as_deref().unwrap_or_default();
        let region = vpc.region.as_deref().unwrap_or_default();
        let text = format!(
            "VPCId={},VPCRegion={}",
            id.to_ascii_lowercase(),
            region.to_ascii_lowercase()
        );
        let mut context = Self::default();
        context.put(Key::Vpcs, vec![text]);
        context
    }

    fn of_user(account: &AccountId, user: &str) -> Self {
        let mut context = Self::default();
        context.put_user(account, user);
        context
    }

    /// The same, with what every request of this user brings but for how and when it came; what
    /// is there already stays.
    #[must_use]
    pub fn with_user(self, account: &AccountId, user: &str) -> Self {
        let mut whole = Self::of_user(account, user);
        whole.0.extend(self.0);
        whole
    }

    /// The same, with what every request of this caller brings.
    pub(super) fn of_caller(mut self, caller: &Caller, user: &str) -> Self {
        self.put_user(&caller.account, user);
        if caller.source.parse::<IpAddr>().is_ok() {
            self.put(Key::SourceIp, vec![caller.source.clone()]);
        }
        let seconds = caller.received_at.0.div_euclid(1000);
        self.put(Key::CurrentTime, vec![seconds.to_string()]);
        let secure = caller.transport == Transport::Tls;
        self.put(Key::SecureTransport, vec![secure.to_string()]);
        self
    }

    fn put_user(&mut self, account: &AccountId, user: &str) {
        for (key, value) in [
            (Key::Username, user.to_owned()),
            (Key::PrincipalType, "User".to_owned()),
            (Key::PrincipalArn, user_arn(account, user)),
            (Key::PrincipalAccount, account.to_string()),
            (Key::ViaAwsService, "false".to_owned()),
        ] {
            self.put(key, vec![value]);
        }
    }

    /// The values of a key; none when it is absent.
    pub(super) fn values(&self, key: Key) -> &[String] {
        self.0.get(&key).map(Vec::as_slice).unwrap_or_default()
    }

    fn put(&mut self, key: Key, values: Vec<String>) {
        self.0.insert(key, values);
    }
}

/// A record's name as the condition key has it: lower case, no last dot, and in octal whatever is
/// not a letter, a digit, `-` or `_`. One that is no name is refused later on; until then every
/// byte of it stands for itself.
fn normalized(text: &str) -> String {
    match Name::parse(text) {
        Ok(name) => {
            let name = name.to_lowercase();
            let labels: Vec<String> = name.labels().map(escaped).collect();
            labels.join(".")
        }
        Err(_) => text
            .to_ascii_lowercase()
            .split('.')
            .map(|label| escaped(label.as_bytes()))
            .collect::<Vec<_>>()
            .join("."),
    }
}

fn escaped(label: &[u8]) -> String {
    let mut text = String::with_capacity(label.len());
    for byte in label {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => text.push(char::from(*byte)),
            byte => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use meridian_dns::RecordType;
    use meridian_model::{Action, Draft};

    use super::*;

    #[test]
    fn names_are_normalized_as_aws_documents_it() {
        for (sent, expected) in [
            ("WWW.Example.COM.", "www.example.com"),
            ("www.example.com", "www.example.com"),
            ("*.example.com", "\\052.example.com"),
            ("\\052.example.com", "\\052.example.com"),
            ("a\\056b.example.com.", "a\\056b.example.com"),
            ("_acme-challenge.example.com", "_acme-challenge.example.com"),
            ("a/b.example.com", "a\\057b.example.com"),
            ("not..a name", "not..a\\040name"),
        ] {
            assert_eq!(normalized(sent), expected, "{sent}");
        }
    }

    #[test]
    fn a_batch_brings_each_value_once() {
        let change = |action, name: &str, rtype| DraftChange {
            action,
            set: Draft::simple(name, rtype, 60, &["x"]),
        };
        let context = Context::of_changes(&[
            change(Action::Upsert, "b.example", RecordType::Txt),
            change(Action::Delete, "A.example.", RecordType::A),
            change(Action::Upsert, "a.example", RecordType::Txt),
        ]);
        assert_eq!(context.values(Key::RecordNames), ["a.example", "b.example"]);
        assert_eq!(context.values(Key::RecordTypes), ["A", "TXT"]);
        assert_eq!(context.values(Key::ChangeActions), ["DELETE", "UPSERT"]);
    }

    #[test]
    fn a_simulation_has_what_a_request_could_have() {
        let mut context = Context::default();
        let one = |value: &str| vec![value.to_owned()];
        assert!(context.set("AWS:sourceip", one("192.0.2.1")).is_ok());
        assert!(context.set("aws:SourceIp", one("192.0.2.0/24")).is_err());
        assert!(
            context
                .set("aws:CurrentTime", one("2026-11-21T10:00:00Z"))
                .is_ok()
        );
        assert!(context.set("aws:CurrentTime", one("today")).is_err());
        assert!(
            context
                .set("aws:username", vec!["a".into(), "b".into()])
                .is_err()
        );
        assert!(context.set("aws:nothing", vec![]).is_err());
    }
}
