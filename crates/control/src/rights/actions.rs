//! Route 53's actions and the resources that each asks for, as IAM's reference of them says. Only
//! for advice: what an operation asks for is said where it is carried out.

/// What an action asks for: kinds of ARNs, or nothing in particular.
type Kinds = &'static [&'static str];

const NOTHING: Kinds = &[];
const ZONE: Kinds = &["hostedzone"];
const CHECK: Kinds = &["healthcheck"];
const TAGGED: Kinds = &["hostedzone", "healthcheck"];
const SET: Kinds = &["delegationset"];
const POLICY: Kinds = &["trafficpolicy"];
const INSTANCE: Kinds = &["trafficpolicyinstance"];
const COLLECTION: Kinds = &["cidrcollection"];
const LOG: Kinds = &["queryloggingconfig"];

/// All of them, by name.
const ACTIONS: &[(&str, Kinds)] = &[
    ("ActivateKeySigningKey", ZONE),
    ("AssociateVPCWithHostedZone", ZONE),
    ("ChangeCidrCollection", COLLECTION),
    ("ChangeResourceRecordSets", ZONE),
    ("ChangeTagsForResource", TAGGED),
    ("CreateCidrCollection", NOTHING),
    ("CreateHealthCheck", NOTHING),
    ("CreateHostedZone", NOTHING),
    ("CreateKeySigningKey", ZONE),
    ("CreateQueryLoggingConfig", ZONE),
    ("CreateResourceRecordSetProtections", ZONE),
    ("CreateReusableDelegationSet", NOTHING),
    ("CreateTrafficPolicy", NOTHING),
    (
        "CreateTrafficPolicyInstance",
        &["hostedzone", "trafficpolicy"],
    ),
    ("CreateTrafficPolicyVersion", POLICY),
    ("CreateVPCAssociationAuthorization", ZONE),
    ("DeactivateKeySigningKey", ZONE),
    ("DeleteCidrCollection", COLLECTION),
    ("DeleteHealthCheck", CHECK),
    ("DeleteHostedZone", ZONE),
    ("DeleteKeySigningKey", ZONE),
    ("DeleteQueryLoggingConfig", LOG),
    ("DeleteResourceRecordSetProtections", ZONE),
    ("DeleteReusableDelegationSet", SET),
    ("DeleteTrafficPolicy", POLICY),
    ("DeleteTrafficPolicyInstance", INSTANCE),
    ("DeleteVPCAssociationAuthorization", ZONE),
    ("DisableHostedZoneDNSSEC", ZONE),
    ("DisassociateVPCFromHostedZone", ZONE),
    ("EnableHostedZoneDNSSEC", ZONE),
    ("GetAccountLimit", NOTHING),
    ("GetChange", &["change"]),
    ("GetCheckerIpRanges", NOTHING),
    ("GetDNSSEC", ZONE),
    ("GetGeoLocation", NOTHING),
    ("GetHealthCheck", CHECK),
    ("GetHealthCheckCount", NOTHING),
    ("GetHealthCheckLastFailureReason", CHECK),
    ("GetHealthCheckStatus", CHECK),
    ("GetHostedZone", ZONE),
    ("GetHostedZoneCount", NOTHING),
    ("GetHostedZoneLimit", ZONE),
    ("GetQueryLoggingConfig", LOG),
    ("GetReusableDelegationSet", SET),
    ("GetReusableDelegationSetLimit", SET),
    ("GetTrafficPolicy", POLICY),
    ("GetTrafficPolicyInstance", INSTANCE),
    ("GetTrafficPolicyInstanceCount", NOTHING),
    ("ListCidrBlocks", COLLECTION),
    ("ListCidrCollections", NOTHING),
    ("ListCidrLocations", COLLECTION),
    ("ListGeoLocations", NOTHING),
    ("ListHealthChecks", NOTHING),
    ("ListHostedZones", NOTHING),
    ("ListHostedZonesByName", NOTHING),
    ("ListHostedZonesByVPC", &["vpc"]),
    ("ListQueryLoggingConfigs", ZONE),
    ("ListResourceRecordSetProtections", ZONE),
    ("ListResourceRecordSets", ZONE),
    ("ListReusableDelegationSets", NOTHING),
    ("ListTagsForResource", TAGGED),
    ("ListTagsForResources", TAGGED),
    ("ListTrafficPolicies", NOTHING),
    ("ListTrafficPolicyInstances", NOTHING),
    ("ListTrafficPolicyInstancesByHostedZone", ZONE),
    ("ListTrafficPolicyInstancesByPolicy", POLICY),
    ("ListTrafficPolicyVersions", POLICY),
    ("ListVPCAssociationAuthorizations", ZONE),
    ("TestDNSAnswer", NOTHING),
    ("UpdateHealthCheck", CHECK),
    ("UpdateHostedZoneComment", ZONE),
    ("UpdateHostedZoneFeatures", ZONE),
    ("UpdateTrafficPolicyComment", POLICY),
    ("UpdateTrafficPolicyInstance", INSTANCE),
];

/// The names of all, as policies have them.
pub(super) fn names() -> impl Iterator<Item = String> {
    ACTIONS.iter().map(|(name, _)| format!("route53:{name}"))
}

/// What is odd about asking for this: an action that is none of Route 53's, or a resource that no
/// request for it has.
pub fn odd_question(action: &str, resource: &str) -> Option<String> {
    let known = action.split_once(':').and_then(|(service, name)| {
        let known = ACTIONS.iter();
        let mut known = known.filter(|_| service.eq_ignore_ascii_case("route53"));
        known.find(|(other, _)| other.eq_ignore_ascii_case(name))
    });
    let Some((name, kinds)) = known else {
        return Some(format!("'{action}' is no action of Route 53"));
    };
    let last = resource.splitn(6, ':').nth(5);
    let kind = last.and_then(|last| last.split('/').next());
    match (kinds, kind) {
        (&[], _) if resource == "*" => None,
        (&[], _) => Some(format!("route53:{name} asks for the resource *")),
        (kinds, Some(kind)) if kinds.contains(&kind) => None,
        (kinds, _) => {
            let kinds = kinds.join(" or ");
            Some(format!("route53:{name} asks for the ARN of a {kinds}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_request_asks_for_is_odd() {
        let zone = "arn:aws:route53:::hostedzone/Z1";
        for (action, resource, expected) in [
            ("route53:GetHostedZone", zone, None),
            ("route53:listhostedzones", "*", None),
            (
                "route53:ListHostedZones",
                zone,
                Some("asks for the resource *"),
            ),
            (
                "route53:GetHostedZone",
                "*",
                Some("the ARN of a hostedzone"),
            ),
            ("route53:GetChange", zone, Some("the ARN of a change")),
            ("route53:GetZone", zone, Some("is no action of Route 53")),
            ("sts:GetHostedZone", zone, Some("is no action of Route 53")),
            ("", "", Some("is no action of Route 53")),
        ] {
            let said = odd_question(action, resource);
            assert_eq!(said.is_some(), expected.is_some(), "{action} {said:?}");
            assert!(
                said.unwrap_or_default()
                    .contains(expected.unwrap_or_default())
            );
        }
    }
}
