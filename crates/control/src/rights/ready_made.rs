//! The policies that come with the service.

use meridian_model::{Policy, ZoneId};
use serde_json::{Value, json};

/// A policy that comes with the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadyMadePolicy {
    /// Everything.
    Admin,
    /// Every Get and List.
    ReadOnly,
    /// The records of given zones.
    ZoneEditor,
    /// What certificates by DNS challenge need, in given zones.
    Acme,
}

/// A ready-made policy was not asked for in the right way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadyMadeError {
    /// There is none of this name.
    #[error("there is no ready-made policy '{0}'; there are {all}", all = ReadyMadePolicy::names())]
    Unknown(String),
    /// It is for zones, and none was named.
    #[error("'{0}' is for zones that are named: {0}=ZONEID[,ZONEID…]")]
    NoZones(&'static str),
    /// It is not for zones, and some were named.
    #[error("'{0}' takes no zones")]
    TakesNoZones(&'static str),
    /// This is no zone id.
    #[error("'{0}' is no id of a hosted zone")]
    BadZone(String),
    /// Its name would be longer than a policy's may be.
    #[error("'{0}…' names too many zones for one policy; attach it again for the others")]
    TooManyZones(&'static str),
}

/// A ready-made policy and the zones it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadyMade {
    /// Which one.
    pub policy: ReadyMadePolicy,
    /// The zones; none where it is for all.
    pub zones: Vec<ZoneId>,
}

impl ReadyMadePolicy {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Admin, Self::ReadOnly, Self::ZoneEditor, Self::Acme];

    /// Its name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::ReadOnly => "read-only",
            Self::ZoneEditor => "zone-editor",
            Self::Acme => "acme",
        }
    }

    /// What it is for, for people.
    pub const fn summary(self) -> &'static str {
        match self {
            Self::Admin => "everything in the account",
            Self::ReadOnly => "every Get and List in the account",
            Self::ZoneEditor => "read given zones and change their records",
            Self::Acme => "TXT records at _acme-challenge in given zones, for certificates",
        }
    }

    /// Whether it is for zones that are named with it.
    pub const fn takes_zones(self) -> bool {
        matches!(self, Self::ZoneEditor | Self::Acme)
    }

    fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl ReadyMade {
    /// Reads `read-only` or `zone-editor=ZONEID,ZONEID`.
    ///
    /// # Errors
    /// [`ReadyMadeError`].
    pub fn parse(text: &str) -> Result<Self, ReadyMadeError> {
        let (name, zones) = match text.split_once('=') {
            Some((name, zones)) => (name, Some(zones)),
            None => (text, None),
        };
        let policy = ReadyMadePolicy::ALL
            .into_iter()
            .find(|policy| policy.name() == name)
            .ok_or_else(|| ReadyMadeError::Unknown(name.to_owned()))?;
        let zones = match (policy.takes_zones(), zones) {
            (true, Some(zones)) => zones.split(',').map(zone).collect::<Result<_, _>>()?,
            (true, None) => return Err(ReadyMadeError::NoZones(policy.name())),
            (false, Some(_)) => return Err(ReadyMadeError::TakesNoZones(policy.name())),
            (false, None) => Vec::new(),
        };
        let ready = Self { policy, zones };
        if ready.name().len() > super::MAX_NAME {
            return Err(ReadyMadeError::TooManyZones(policy.name()));
        }
        Ok(ready)
    }

    /// The policy. Its name is what it was asked for by, so that the same for other zones is
    /// another one.
    pub fn policy(&self) -> Policy {
        let statements = match self.policy {
            ReadyMadePolicy::Admin => vec![allow("Everything", &["*"], &all())],
            ReadyMadePolicy::ReadOnly => {
                let read = ["route53:Get*", "route53:List*", "route53:TestDNSAnswer"];
                vec![allow("Read", &read, &all())]
            }
            ReadyMadePolicy::ZoneEditor => zone_editor(&self.arns()),
            ReadyMadePolicy::Acme => acme(&self.arns()),
        };
        let document = json!({ "Version": "2012-10-17", "Statement": statements });
        Policy {
            name: self.name(),
            document: document.to_string(),
        }
    }

    fn name(&self) -> String {
        let zones: Vec<&str> = self.zones.iter().map(ZoneId::as_str).collect();
        match zones.as_slice() {
            [] => self.policy.name().to_owned(),
            zones => format!("{}={}", self.policy.name(), zones.join(",")),
        }
    }

    fn arns(&self) -> Vec<String> {
        let arns = self.zones.iter().map(|zone| super::zone_arn(zone.as_str()));
        arns.collect()
    }
}

fn zone(text: &str) -> Result<ZoneId, ReadyMadeError> {
    let bad = || ReadyMadeError::BadZone(text.to_owned());
    ZoneId::new(text)
        .ok()
        .filter(|id| id.as_str().starts_with('Z'))
        .ok_or_else(bad)
}

fn all() -> [String; 1] {
    ["*".to_owned()]
}

fn allow(sid: &str, actions: &[&str], resources: &[String]) -> Value {
    json!({ "Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources })
}

/// What clients ask before they know which zone they want.
fn find() -> Value {
    let find = ["route53:ListHostedZones", "route53:ListHostedZonesByName"];
    allow("Find", &find, &all())
}

/// To see that a change is in sync.
fn wait() -> Value {
    let changes = "arn:aws:route53:::change/*".to_owned();
    allow("Wait", &["route53:GetChange"], &[changes])
}

fn zone_editor(zones: &[String]) -> Vec<Value> {
    let edit = [
        "route53:ChangeResourceRecordSets",
        "route53:GetHostedZone",
        "route53:GetHostedZoneLimit",
        "route53:ListResourceRecordSets",
        "route53:ListTagsForResource",
        "route53:ListTagsForResources",
    ];
    // Records may name health checks; OctoDNS looks at them before every change.
    let checks = allow("HealthChecks", &["route53:ListHealthChecks"], &all());
    vec![find(), wait(), checks, allow("Edit", &edit, zones)]
}

fn acme(zones: &[String]) -> Vec<Value> {
    let read = ["route53:GetHostedZone", "route53:ListResourceRecordSets"];
    let names = "route53:ChangeResourceRecordSetsNormalizedRecordNames";
    let types = "route53:ChangeResourceRecordSetsRecordTypes";
    let actions = "route53:ChangeResourceRecordSetsActions";
    let change = json!({
        "Sid": "Challenge",
        "Effect": "Allow",
        "Action": "route53:ChangeResourceRecordSets",
        "Resource": zones,
        "Condition": {
            "ForAllValues:StringLike": { names: ["_acme-challenge.*"] },
            "ForAllValues:StringEquals": {
                types: ["TXT"],
                actions: ["CREATE", "UPSERT", "DELETE"],
            },
            // All of no values is true: they must be there.
            "Null": { names: "false", types: "false", actions: "false" },
        },
    });
    vec![find(), wait(), allow("Read", &read, zones), change]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_understood_and_kept_within_bounds() {
        for text in ["admin", "read-only", "zone-editor=Z1", "acme=Z1,Z2"] {
            let policy = ReadyMade::parse(text).unwrap().policy();
            assert_eq!(policy.name, text);
            super::super::check_policy(&policy.document).unwrap();
        }
        let many = format!("acme={}", ["Z00ABCDEFGHIJKLMNOPQ"; 6].join(","));
        for (text, expected) in [
            ("zone-editor", ReadyMadeError::NoZones("zone-editor")),
            ("admin=Z1", ReadyMadeError::TakesNoZones("admin")),
            ("acme=*", ReadyMadeError::BadZone("*".to_owned())),
            ("acme=", ReadyMadeError::BadZone(String::new())),
            ("acme=X1", ReadyMadeError::BadZone("X1".to_owned())),
            (&many, ReadyMadeError::TooManyZones("acme")),
            ("root", ReadyMadeError::Unknown("root".to_owned())),
        ] {
            assert_eq!(ReadyMade::parse(text), Err(expected), "{text}");
        }
    }
}
