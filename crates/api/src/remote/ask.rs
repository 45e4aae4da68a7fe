//! The requests.

use crate::uri;
use crate::xml::NAMESPACE;

const VERSION: &str = "/2013-04-01";

/// A request that has yet to be signed and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The operation, for messages.
    pub operation: &'static str,
    /// In capitals.
    pub method: &'static str,
    /// Encoded.
    pub path: String,
    /// Encoded, without `?`; empty when there is none.
    pub query: String,
    /// Empty when there is none.
    pub body: String,
}

/// Where a page of record sets begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetsStart {
    /// `NextRecordName`.
    pub name: String,
    /// `NextRecordType`.
    pub rtype: String,
    /// `NextRecordIdentifier`.
    pub identifier: Option<String>,
}

/// Where a page of traffic policy instances begins.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct InstancesStart {
    /// `HostedZoneIdMarker`.
    pub zone: String,
    /// `TrafficPolicyInstanceNameMarker`.
    pub name: String,
    /// `TrafficPolicyInstanceTypeMarker`.
    pub rtype: String,
}

impl Ask {
    /// ListHostedZones.
    pub fn hosted_zones(marker: Option<&str>) -> Self {
        let marker = marker.map(|marker| ("marker", marker));
        Self::get("ListHostedZones", &["hostedzone"], marker)
    }

    /// GetHostedZone.
    pub fn hosted_zone(id: &str) -> Self {
        Self::get("GetHostedZone", &["hostedzone", id], [])
    }

    /// ListResourceRecordSets.
    pub fn record_sets(id: &str, start: Option<&SetsStart>) -> Self {
        let mut parameters = Vec::new();
        if let Some(start) = start {
            parameters.push(("name", start.name.as_str()));
            parameters.push(("type", start.rtype.as_str()));
            parameters.extend(start.identifier.as_deref().map(|id| ("identifier", id)));
        }
        let path = ["hostedzone", id, "rrset"];
        Self::get("ListResourceRecordSets", &path, parameters)
    }

    /// GetDNSSEC.
    pub fn signing(id: &str) -> Self {
        Self::get("GetDNSSEC", &["hostedzone", id, "dnssec"], [])
    }

    /// ListTagsForResources of at most ten resources, all `hostedzone` or all `healthcheck`.
    pub fn tags<'a>(kind: &str, ids: impl IntoIterator<Item = &'a str>) -> Self {
        // An id has nothing that XML would want escaped, or it is none.
        let in_ids = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let plain = |id: &&str| id.bytes().all(in_ids);
        let ids = ids.into_iter().filter(plain);
        let ids: String = ids
            .map(|id| format!("<ResourceId>{id}</ResourceId>"))
            .collect();
        Self {
            method: "POST",
            body: format!(
                "<ListTagsForResourcesRequest xmlns=\"{NAMESPACE}\"><ResourceIds>{ids}\
                 </ResourceIds></ListTagsForResourcesRequest>"
            ),
            ..Self::get("ListTagsForResources", &["tags", kind], [])
        }
    }

    /// ListReusableDelegationSets.
    pub fn delegation_sets(marker: Option<&str>) -> Self {
        let marker = marker.map(|marker| ("marker", marker));
        Self::get("ListReusableDelegationSets", &["delegationset"], marker)
    }

    /// ListHealthChecks.
    pub fn health_checks(marker: Option<&str>) -> Self {
        let marker = marker.map(|marker| ("marker", marker));
        Self::get("ListHealthChecks", &["healthcheck"], marker)
    }

    /// ListQueryLoggingConfigs.
    pub fn query_logs(token: Option<&str>) -> Self {
        let token = token.map(|token| ("nexttoken", token));
        Self::get("ListQueryLoggingConfigs", &["queryloggingconfig"], token)
    }

    /// ListCidrCollections.
    pub fn cidr_collections(token: Option<&str>) -> Self {
        let token = token.map(|token| ("nexttoken", token));
        Self::get("ListCidrCollections", &["cidrcollection"], token)
    }

    /// ListTrafficPolicies.
    pub fn traffic_policies(marker: Option<&str>) -> Self {
        let marker = marker.map(|marker| ("trafficpolicyid", marker));
        Self::get("ListTrafficPolicies", &["trafficpolicies"], marker)
    }

    /// ListTrafficPolicyInstances.
    pub fn policy_instances(start: Option<&InstancesStart>) -> Self {
        let markers = start.map(|start| {
            [
                ("hostedzoneid", start.zone.as_str()),
                ("trafficpolicyinstancename", start.name.as_str()),
                ("trafficpolicyinstancetype", start.rtype.as_str()),
            ]
        });
        let path = ["trafficpolicyinstances"];
        let markers = markers.into_iter().flatten();
        Self::get("ListTrafficPolicyInstances", &path, markers)
    }

    fn get<'a>(
        operation: &'static str,
        segments: &[&str],
        parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Self {
        let mut path = VERSION.to_owned();
        for segment in segments {
            path.push('/');
            uri::encode_into(&mut path, segment.as_bytes());
        }
        let mut query = String::new();
        for (name, value) in parameters {
            if !query.is_empty() {
                query.push('&');
            }
            query.push_str(name);
            query.push('=');
            uri::encode_into(&mut query, value.as_bytes());
        }
        Self {
            operation,
            method: "GET",
            path,
            query,
            body: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_queries_are_encoded() {
        let start = SetsStart {
            name: r"\052.z.".to_owned(),
            rtype: "A".to_owned(),
            identifier: Some("a & b".to_owned()),
        };
        let ask = Ask::record_sets("Z1/x", Some(&start));
        assert_eq!(ask.path, "/2013-04-01/hostedzone/Z1%2Fx/rrset");
        assert_eq!(ask.query, "name=%5C052.z.&type=A&identifier=a%20%26%20b");
        assert_eq!(Ask::hosted_zones(None).query, "");
    }

    #[test]
    fn tags_are_asked_for_by_ids_alone() {
        let ask = Ask::tags("hostedzone", ["Z1", "<x/>", "Z2"]);
        assert!(
            ask.body
                .contains("<ResourceId>Z1</ResourceId><ResourceId>Z2</ResourceId></")
        );
        assert_eq!(
            (ask.method, ask.path.as_str()),
            ("POST", "/2013-04-01/tags/hostedzone")
        );
    }
}
