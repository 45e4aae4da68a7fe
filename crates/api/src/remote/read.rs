//! The answers.

use meridian_model::{Draft, HealthCheckDraft};

use super::{InstancesStart, SetsStart};
use crate::route53::{read_config, read_record_set};
use crate::xml::{Element, outline, parse_answer};

/// How many elements of an error are looked at.
const MAX_ERROR_ELEMENTS: usize = 50;

/// An answer that is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the answer is no {expected}: {reason}")]
pub struct Unreadable {
    expected: &'static str,
    reason: String,
}

type Outcome<T> = Result<T, Unreadable>;

/// A page of a list, and where the next one begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePage<T, N = String> {
    /// What is in it.
    pub items: Vec<T>,
    /// None at the end.
    pub next: Option<N>,
}

/// A hosted zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteZone {
    /// Bare.
    pub id: String,
    /// With final dot.
    pub name: String,
    /// What its maker called it.
    pub caller_reference: String,
    /// None when empty.
    pub comment: Option<String>,
    /// Whether it is seen only inside VPCs.
    pub private: bool,
    /// How many record sets it says it has.
    pub record_sets: u64,
    /// The service that made it and looks after it, if one does.
    pub linked_service: Option<String>,
}

/// A delegation set, of a zone alone or a reusable one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoteDelegationSet {
    /// Bare; only reusable ones have one.
    pub id: Option<String>,
    /// What its maker called it.
    pub caller_reference: Option<String>,
    /// Without final dot.
    pub name_servers: Vec<String>,
}

/// A record set. What can be said of any is beside what could be read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteSet {
    /// As it was sent.
    pub name: String,
    /// As it was sent.
    pub rtype: String,
    /// As it was sent.
    pub set_identifier: Option<String>,
    /// The set, or why it is none that is known here.
    pub set: Result<Draft, String>,
}

/// The tags of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteTags {
    /// The resource's id.
    pub resource: String,
    /// Keys and values.
    pub tags: Vec<(String, String)>,
}

/// A health check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteHealthCheck {
    /// Its id.
    pub id: String,
    /// Its `Type`.
    pub kind: String,
    /// Its configuration, or why it is none that is known here.
    pub config: Result<HealthCheckDraft, String>,
}

/// A configuration of query logging.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteQueryLog {
    /// The zone's id.
    pub zone: String,
    /// Where the log goes.
    pub log_group: String,
}

/// A traffic policy instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemotePolicyInstance {
    /// Its id.
    pub id: String,
    /// The zone's id.
    pub zone: String,
    /// The name whose sets it makes.
    pub name: String,
}

/// Something that has an id and a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteThing {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// ListHostedZonesResponse.
///
/// # Errors
/// [`Unreadable`], as in all that follow.
pub fn read_hosted_zones(body: &[u8]) -> Outcome<RemotePage<RemoteZone>> {
    let answer = Answer::read(body, "ListHostedZonesResponse")?;
    answer.page("HostedZones", "NextMarker", |zone| answer.zone(zone))
}

/// GetHostedZoneResponse.
///
/// # Errors
/// [`Unreadable`].
pub fn read_hosted_zone(body: &[u8]) -> Outcome<(RemoteZone, RemoteDelegationSet)> {
    let answer = Answer::read(body, "GetHostedZoneResponse")?;
    let zone = answer.zone(answer.required(&answer.root, "HostedZone")?)?;
    // Private zones have none.
    let set = child(&answer.root, "DelegationSet").map(delegation_set);
    Ok((zone, set.unwrap_or_default()))
}

/// ListResourceRecordSetsResponse.
///
/// # Errors
/// [`Unreadable`].
pub fn read_record_sets(body: &[u8]) -> Outcome<RemotePage<RemoteSet, SetsStart>> {
    let answer = Answer::read(body, "ListResourceRecordSetsResponse")?;
    let sets = answer.items("ResourceRecordSets", |set| {
        Ok(RemoteSet {
            name: answer.text(set, "Name")?,
            rtype: answer.text(set, "Type")?,
            set_identifier: text(set, "SetIdentifier").map(str::to_owned),
            set: read_record_set(set).map_err(|error| error.to_string()),
        })
    });
    let next = answer.is_truncated().then(|| {
        Ok(SetsStart {
            name: answer.text(&answer.root, "NextRecordName")?,
            rtype: answer.text(&answer.root, "NextRecordType")?,
            identifier: text(&answer.root, "NextRecordIdentifier").map(str::to_owned),
        })
    });
    Ok(RemotePage {
        items: sets?,
        next: next.transpose()?,
    })
}

/// ListTagsForResourcesResponse.
///
/// # Errors
/// [`Unreadable`].
pub fn read_tags(body: &[u8]) -> Outcome<Vec<RemoteTags>> {
    let answer = Answer::read(body, "ListTagsForResourcesResponse")?;
    answer.items("ResourceTagSets", |set| {
        let tags = child(set, "Tags");
        let tags = tags.into_iter().flat_map(|tags| &tags.children);
        Ok(RemoteTags {
            resource: bare(&answer.text(set, "ResourceId")?).to_owned(),
            tags: tags
                .map(|tag| {
                    let value = text(tag, "Value").unwrap_or_default();
                    Ok((answer.text(tag, "Key")?, value.to_owned()))
                })
                .collect::<Outcome<_>>()?,
        })
    })
}

/// ListReusableDelegationSetsResponse.
///
/// # Errors
/// [`Unreadable`].
pub fn read_delegation_sets(body: &[u8]) -> Outcome<RemotePage<RemoteDelegationSet>> {
    let answer = Answer::read(body, "ListReusableDelegationSetsResponse")?;
    answer.page("DelegationSets", "NextMarker", |set| {
        Ok(delegation_set(set))
    })
}

/// ListHealthChecksResponse.
///
/// # Errors
/// [`Unreadable`].
pub fn read_health_checks(body: &[u8]) -> Outcome<RemotePage<RemoteHealthCheck>> {
    let answer = Answer::read(body, "ListHealthChecksResponse")?;
    answer.page("HealthChecks", "NextMarker", |check| {
        let config = answer.required(check, "HealthCheckConfig")?;
        Ok(RemoteHealthCheck {
            id: answer.text(check, "Id")?,
            kind: text(config, "Type").unwrap_or_default().to_owned(),
            config: read_config(config).map_err(|error| error.to_string()),
        })
    })
}

/// ListQueryLoggingConfigsResponse.
///
/// # Errors
/// [`Unreadable`].
pub fn read_query_logs(body: &[u8]) -> Outcome<RemotePage<RemoteQueryLog>> {
    let answer = Answer::read(body, "ListQueryLoggingConfigsResponse")?;
    let logs = answer.items("QueryLoggingConfigs", |config| {
        Ok(RemoteQueryLog {
            zone: bare(&answer.text(config, "HostedZoneId")?).to_owned(),
            log_group: answer.text(config, "CloudWatchLogsLogGroupArn")?,
        })
    });
    Ok(RemotePage {
        items: logs?,
        next: text(&answer.root, "NextToken").map(str::to_owned),
    })
}

/// ListCidrCollectionsResponse.
///
/// # Errors
/// [`Unreadable`].
pub fn read_cidr_collections(body: &[u8]) -> Outcome<RemotePage<RemoteThing>> {
    let answer = Answer::read(body, "ListCidrCollectionsResponse")?;
    Ok(RemotePage {
        items: answer.items("CidrCollections", |one| answer.thing(one))?,
        next: text(&answer.root, "NextToken").map(str::to_owned),
    })
}

/// ListTrafficPoliciesResponse.
///
/// # Errors
/// [`Unreadable`].
pub fn read_traffic_policies(body: &[u8]) -> Outcome<RemotePage<RemoteThing>> {
    let answer = Answer::read(body, "ListTrafficPoliciesResponse")?;
    let (list, next) = ("TrafficPolicySummaries", "TrafficPolicyIdMarker");
    answer.page(list, next, |one| answer.thing(one))
}

/// ListTrafficPolicyInstancesResponse.
///
/// # Errors
/// [`Unreadable`].
pub fn read_policy_instances(
    body: &[u8],
) -> Outcome<RemotePage<RemotePolicyInstance, InstancesStart>> {
    let answer = Answer::read(body, "ListTrafficPolicyInstancesResponse")?;
    let instances = answer.items("TrafficPolicyInstances", |instance| {
        Ok(RemotePolicyInstance {
            id: answer.text(instance, "Id")?,
            zone: bare(&answer.text(instance, "HostedZoneId")?).to_owned(),
            name: answer.text(instance, "Name")?,
        })
    });
    let marker = |name| answer.text(&answer.root, name);
    let next = answer.is_truncated().then(|| {
        Ok(InstancesStart {
            zone: bare(&marker("HostedZoneIdMarker")?).to_owned(),
            name: marker("TrafficPolicyInstanceNameMarker")?,
            rtype: marker("TrafficPolicyInstanceTypeMarker")?,
        })
    });
    Ok(RemotePage {
        items: instances?,
        next: next.transpose()?,
    })
}

/// GetDNSSECResponse: its `ServeSignature`.
///
/// # Errors
/// [`Unreadable`].
pub fn read_signing(body: &[u8]) -> Outcome<String> {
    let answer = Answer::read(body, "GetDNSSECResponse")?;
    let status = answer.required(&answer.root, "Status")?;
    answer.text(status, "ServeSignature")
}

/// Code and message of an error; none when there is no code in it.
pub fn read_error(body: &[u8]) -> Option<(String, String)> {
    let (root, _) = outline(body, MAX_ERROR_ELEMENTS);
    let root = root?;
    let error = child(&root, "Error").unwrap_or(&root);
    let message = text(error, "Message").unwrap_or_default();
    Some((text(error, "Code")?.to_owned(), message.to_owned()))
}

/// A document whose root is what it should be.
struct Answer {
    root: Element,
    expected: &'static str,
}

impl Answer {
    fn read(body: &[u8], expected: &'static str) -> Outcome<Self> {
        let root = parse_answer(body, expected).map_err(|error| {
            let text = error.to_string();
            // The texts are made for who sends requests.
            let reason = match text.strip_prefix("The request body ") {
                Some(rest) => format!("it {rest}"),
                None => text,
            };
            Unreadable { expected, reason }
        })?;
        Ok(Self { root, expected })
    }

    fn required<'a>(&self, element: &'a Element, name: &str) -> Outcome<&'a Element> {
        child(element, name).ok_or_else(|| Unreadable {
            expected: self.expected,
            reason: format!("{} has no {name}", element.name),
        })
    }

    fn text(&self, element: &Element, name: &str) -> Outcome<String> {
        Ok(self.required(element, name)?.text.clone())
    }

    fn items<T>(&self, list: &str, item: impl FnMut(&Element) -> Outcome<T>) -> Outcome<Vec<T>> {
        let list = self.required(&self.root, list)?;
        list.children.iter().map(item).collect()
    }

    fn page<T>(
        &self,
        list: &str,
        next: &str,
        item: impl FnMut(&Element) -> Outcome<T>,
    ) -> Outcome<RemotePage<T>> {
        let next = self.is_truncated().then(|| self.text(&self.root, next));
        Ok(RemotePage {
            items: self.items(list, item)?,
            next: next.transpose()?,
        })
    }

    fn thing(&self, one: &Element) -> Outcome<RemoteThing> {
        Ok(RemoteThing {
            id: self.text(one, "Id")?,
            name: self.text(one, "Name")?,
        })
    }

    fn is_truncated(&self) -> bool {
        text(&self.root, "IsTruncated") == Some("true")
    }

    fn zone(&self, zone: &Element) -> Outcome<RemoteZone> {
        let config = child(zone, "Config");
        let config = |name| config.and_then(|config| text(config, name));
        let count = text(zone, "ResourceRecordSetCount").and_then(|count| count.parse().ok());
        let linked = child(zone, "LinkedService");
        let linked = linked.and_then(|linked| text(linked, "ServicePrincipal"));
        Ok(RemoteZone {
            id: bare(&self.text(zone, "Id")?).to_owned(),
            name: self.text(zone, "Name")?,
            caller_reference: self.text(zone, "CallerReference")?,
            comment: config("Comment").map(str::to_owned),
            private: config("PrivateZone") == Some("true"),
            record_sets: count.unwrap_or_default(),
            linked_service: linked.map(str::to_owned),
        })
    }
}

fn delegation_set(set: &Element) -> RemoteDelegationSet {
    let servers = child(set, "NameServers");
    let servers = servers.into_iter().flat_map(|servers| &servers.children);
    RemoteDelegationSet {
        id: text(set, "Id").map(|id| bare(id).to_owned()),
        caller_reference: text(set, "CallerReference").map(str::to_owned),
        name_servers: servers.map(|server| server.text.clone()).collect(),
    }
}

fn child<'a>(element: &'a Element, name: &str) -> Option<&'a Element> {
    element.children.iter().find(|child| child.name == name)
}

/// Empty is absent.
fn text<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    let text = child(element, name)?.text.as_str();
    Some(text).filter(|text| !text.is_empty())
}

/// Without `/hostedzone/` and the like.
fn bare(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::NAMESPACE;

    fn document(root: &str, inner: &str) -> Vec<u8> {
        format!("<?xml version=\"1.0\"?>\n<{root} xmlns=\"{NAMESPACE}\">{inner}</{root}>")
            .into_bytes()
    }

    #[test]
    fn zones_are_read_with_elements_nobody_knows() {
        let zone = "<HostedZone><Id>/hostedzone/Z1</Id><Name>z.</Name>\
                    <CallerReference>r</CallerReference><Config><Comment/><PrivateZone>true\
                    </PrivateZone></Config><New><X>1</X></New>\
                    <ResourceRecordSetCount>3</ResourceRecordSetCount></HostedZone>";
        let inner = format!(
            "<HostedZones>{zone}</HostedZones><IsTruncated>true</IsTruncated>\
             <NextMarker>Z2</NextMarker>"
        );
        let page = read_hosted_zones(&document("ListHostedZonesResponse", &inner)).unwrap();
        assert_eq!(page.next.as_deref(), Some("Z2"));
        let expected = RemoteZone {
            id: "Z1".to_owned(),
            name: "z.".to_owned(),
            caller_reference: "r".to_owned(),
            comment: None,
            private: true,
            record_sets: 3,
            linked_service: None,
        };
        assert_eq!(page.items, [expected]);
    }

    #[test]
    fn a_record_set_that_is_not_known_is_not_taken_for_less() {
        let set = |more: &str| {
            format!("<ResourceRecordSet><Name>a.z.</Name><Type>A</Type>{more}</ResourceRecordSet>")
        };
        let inner = format!(
            "<ResourceRecordSets>{}{}{}</ResourceRecordSets><IsTruncated>false</IsTruncated>",
            set(
                "<TTL>5</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.1</Value>\
                 </ResourceRecord></ResourceRecords>"
            ),
            set("<SetIdentifier>x</SetIdentifier><Region>Mars 1</Region>"),
            set("<Quantum>1</Quantum>")
        );
        let page = read_record_sets(&document("ListResourceRecordSetsResponse", &inner)).unwrap();
        let [plain, region, other] = page.items.as_slice() else {
            panic!("{page:?}");
        };
        assert_eq!(plain.set.as_ref().unwrap().ttl, Some(5));
        assert!(region.set.as_ref().unwrap_err().contains("Mars 1"));
        assert_eq!(region.set_identifier.as_deref(), Some("x"));
        assert!(other.set.as_ref().unwrap_err().contains("Quantum"));
        assert_eq!(page.next, None);
    }

    #[test]
    fn what_is_no_answer_says_so() {
        let error = read_hosted_zones(b"<html/>").unwrap_err().to_string();
        assert!(
            error.starts_with("the answer is no ListHostedZonesResponse"),
            "{error}"
        );
        assert!(read_hosted_zones(&document("ListHostedZonesResponse", "")).is_err());
        let cut = document(
            "ListHostedZonesResponse",
            "<HostedZones/><IsTruncated>true</IsTruncated>",
        );
        assert!(
            read_hosted_zones(&cut).is_err(),
            "the next page cannot be found"
        );
    }

    #[test]
    fn lists_say_where_they_go_on() {
        let inner = "<CidrCollections><member><Arn>a</Arn><Id>c</Id><Name>n</Name></member>\
                     </CidrCollections><NextToken>t</NextToken>";
        let page = read_cidr_collections(&document("ListCidrCollectionsResponse", inner));
        let page = page.unwrap();
        let expected = RemoteThing {
            id: "c".to_owned(),
            name: "n".to_owned(),
        };
        assert_eq!(page.items, [expected]);
        assert_eq!(page.next.as_deref(), Some("t"));
        let inner = "<TrafficPolicyInstances><TrafficPolicyInstance><Id>i</Id><HostedZoneId>Z1\
                     </HostedZoneId><Name>a.z.</Name></TrafficPolicyInstance>\
                     </TrafficPolicyInstances><IsTruncated>true</IsTruncated>\
                     <HostedZoneIdMarker>Z2</HostedZoneIdMarker><TrafficPolicyInstanceNameMarker>\
                     b.z.</TrafficPolicyInstanceNameMarker><TrafficPolicyInstanceTypeMarker>A\
                     </TrafficPolicyInstanceTypeMarker>";
        let page = read_policy_instances(&document("ListTrafficPolicyInstancesResponse", inner));
        let page = page.unwrap();
        let expected = RemotePolicyInstance {
            id: "i".to_owned(),
            zone: "Z1".to_owned(),
            name: "a.z.".to_owned(),
        };
        assert_eq!(page.items, [expected]);
        let next = page.next.unwrap();
        assert_eq!(
            (&*next.zone, &*next.name, &*next.rtype),
            ("Z2", "b.z.", "A")
        );
    }

    #[test]
    fn errors_have_code_and_message() {
        let inner = "<Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded\
                     </Message></Error><RequestId>1</RequestId>";
        let found = read_error(&document("ErrorResponse", inner));
        let expected = ("Throttling".to_owned(), "Rate exceeded".to_owned());
        assert_eq!(found, Some(expected));
        assert_eq!(read_error(b"Bad gateway"), None);
    }
}
