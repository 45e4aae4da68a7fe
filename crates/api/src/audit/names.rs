//! What the SDKs' model calls the parts of requests: which parts of a path, which parameters of a
//! query, which elements are lists, numbers and truth values. A table, nothing else.

/// The names of what an operation takes outside of its body.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) operation: &'static str,
    /// In the order of the path.
    pub(super) path: &'static [&'static str],
    /// As in the query, and as in the model.
    pub(super) query: &'static [(&'static str, &'static str)],
}

/// Elements that hold others of one kind.
pub(super) const LISTS: &[&str] = &[
    "AddTags",
    "Changes",
    "ChildHealthChecks",
    "CidrList",
    "NameServers",
    "Protections",
    "Regions",
    "RemoveTagKeys",
    "ResetElements",
    "ResourceIds",
    "ResourceRecords",
    "Tags",
    "VPCs",
];

/// Elements that hold a whole number, in requests and in responses to changes.
pub(super) const NUMBERS: &[&str] = &[
    "Bias",
    "CollectionVersion",
    "FailureThreshold",
    "Flag",
    "HealthCheckVersion",
    "HealthThreshold",
    "KeyTag",
    "Port",
    "RequestInterval",
    "ResourceRecordSetCount",
    "TTL",
    "TrafficPolicyVersion",
    "Version",
    "Weight",
];

/// Elements that hold `true` or `false`.
pub(super) const TRUTHS: &[&str] = &[
    "Disabled",
    "EnableAcceleratedRecovery",
    "EnableSNI",
    "EvaluateTargetHealth",
    "Inverted",
    "MeasureLatency",
    "MultiValueAnswer",
    "PrivateZone",
];

/// The operations that take anything there.
pub(super) const NAMES: &[Names] = &[
    Names {
        operation: "ActivateKeySigningKey",
        path: &["hostedZoneId", "name"],
        query: &[],
    },
    Names {
        operation: "AssociateVPCWithHostedZone",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "ChangeCidrCollection",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "ChangeResourceRecordSets",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "ChangeTagsForResource",
        path: &["resourceType", "resourceId"],
        query: &[],
    },
    Names {
        operation: "CreateResourceRecordSetProtections",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "CreateTrafficPolicyVersion",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "CreateVPCAssociationAuthorization",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "DeactivateKeySigningKey",
        path: &["hostedZoneId", "name"],
        query: &[],
    },
    Names {
        operation: "DeleteCidrCollection",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "DeleteHealthCheck",
        path: &["healthCheckId"],
        query: &[],
    },
    Names {
        operation: "DeleteHostedZone",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "DeleteKeySigningKey",
        path: &["hostedZoneId", "name"],
        query: &[],
    },
    Names {
        operation: "DeleteQueryLoggingConfig",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "DeleteResourceRecordSetProtections",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "DeleteReusableDelegationSet",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "DeleteTrafficPolicy",
        path: &["id", "version"],
        query: &[],
    },
    Names {
        operation: "DeleteTrafficPolicyInstance",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "DeleteVPCAssociationAuthorization",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "DisableHostedZoneDNSSEC",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "DisassociateVPCFromHostedZone",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "EnableHostedZoneDNSSEC",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "GetAccountLimit",
        path: &["type"],
        query: &[],
    },
    Names {
        operation: "GetChange",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "GetDNSSEC",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "GetGeoLocation",
        path: &[],
        query: &[
            ("continentcode", "continentCode"),
            ("countrycode", "countryCode"),
            ("subdivisioncode", "subdivisionCode"),
        ],
    },
    Names {
        operation: "GetHealthCheck",
        path: &["healthCheckId"],
        query: &[],
    },
    Names {
        operation: "GetHealthCheckLastFailureReason",
        path: &["healthCheckId"],
        query: &[],
    },
    Names {
        operation: "GetHealthCheckStatus",
        path: &["healthCheckId"],
        query: &[],
    },
    Names {
        operation: "GetHostedZone",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "GetHostedZoneLimit",
        path: &["hostedZoneId", "type"],
        query: &[],
    },
    Names {
        operation: "GetQueryLoggingConfig",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "GetReusableDelegationSet",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "GetReusableDelegationSetLimit",
        path: &["delegationSetId", "type"],
        query: &[],
    },
    Names {
        operation: "GetTrafficPolicy",
        path: &["id", "version"],
        query: &[],
    },
    Names {
        operation: "GetTrafficPolicyInstance",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "ListCidrBlocks",
        path: &["collectionId"],
        query: &[
            ("location", "locationName"),
            ("nexttoken", "nextToken"),
            ("maxresults", "maxResults"),
        ],
    },
    Names {
        operation: "ListCidrCollections",
        path: &[],
        query: &[("nexttoken", "nextToken"), ("maxresults", "maxResults")],
    },
    Names {
        operation: "ListCidrLocations",
        path: &["collectionId"],
        query: &[("nexttoken", "nextToken"), ("maxresults", "maxResults")],
    },
    Names {
        operation: "ListGeoLocations",
        path: &[],
        query: &[
            ("startcontinentcode", "startContinentCode"),
            ("startcountrycode", "startCountryCode"),
            ("startsubdivisioncode", "startSubdivisionCode"),
            ("maxitems", "maxItems"),
        ],
    },
    Names {
        operation: "ListHealthChecks",
        path: &[],
        query: &[("marker", "marker"), ("maxitems", "maxItems")],
    },
    Names {
        operation: "ListHostedZones",
        path: &[],
        query: &[
            ("marker", "marker"),
            ("maxitems", "maxItems"),
            ("delegationsetid", "delegationSetId"),
            ("hostedzonetype", "hostedZoneType"),
        ],
    },
    Names {
        operation: "ListHostedZonesByName",
        path: &[],
        query: &[
            ("dnsname", "dNSName"),
            ("hostedzoneid", "hostedZoneId"),
            ("maxitems", "maxItems"),
        ],
    },
    Names {
        operation: "ListHostedZonesByVPC",
        path: &[],
        query: &[
            ("vpcid", "vPCId"),
            ("vpcregion", "vPCRegion"),
            ("maxitems", "maxItems"),
            ("nexttoken", "nextToken"),
        ],
    },
    Names {
        operation: "ListQueryLoggingConfigs",
        path: &[],
        query: &[
            ("hostedzoneid", "hostedZoneId"),
            ("nexttoken", "nextToken"),
            ("maxresults", "maxResults"),
        ],
    },
    Names {
        operation: "ListResourceRecordSetProtections",
        path: &["hostedZoneId"],
        query: &[
            ("name", "startRecordName"),
            ("type", "startRecordType"),
            ("maxresults", "maxResults"),
            ("nexttoken", "nextToken"),
        ],
    },
    Names {
        operation: "ListResourceRecordSets",
        path: &["hostedZoneId"],
        query: &[
            ("name", "startRecordName"),
            ("type", "startRecordType"),
            ("identifier", "startRecordIdentifier"),
            ("maxitems", "maxItems"),
        ],
    },
    Names {
        operation: "ListReusableDelegationSets",
        path: &[],
        query: &[("marker", "marker"), ("maxitems", "maxItems")],
    },
    Names {
        operation: "ListTagsForResource",
        path: &["resourceType", "resourceId"],
        query: &[],
    },
    Names {
        operation: "ListTagsForResources",
        path: &["resourceType"],
        query: &[],
    },
    Names {
        operation: "ListTrafficPolicies",
        path: &[],
        query: &[
            ("trafficpolicyid", "trafficPolicyIdMarker"),
            ("maxitems", "maxItems"),
        ],
    },
    Names {
        operation: "ListTrafficPolicyInstances",
        path: &[],
        query: &[
            ("hostedzoneid", "hostedZoneIdMarker"),
            (
                "trafficpolicyinstancename",
                "trafficPolicyInstanceNameMarker",
            ),
            (
                "trafficpolicyinstancetype",
                "trafficPolicyInstanceTypeMarker",
            ),
            ("maxitems", "maxItems"),
        ],
    },
    Names {
        operation: "ListTrafficPolicyInstancesByHostedZone",
        path: &[],
        query: &[
            ("id", "hostedZoneId"),
            (
                "trafficpolicyinstancename",
                "trafficPolicyInstanceNameMarker",
            ),
            (
                "trafficpolicyinstancetype",
                "trafficPolicyInstanceTypeMarker",
            ),
            ("maxitems", "maxItems"),
        ],
    },
    Names {
        operation: "ListTrafficPolicyInstancesByPolicy",
        path: &[],
        query: &[
            ("id", "trafficPolicyId"),
            ("version", "trafficPolicyVersion"),
            ("hostedzoneid", "hostedZoneIdMarker"),
            (
                "trafficpolicyinstancename",
                "trafficPolicyInstanceNameMarker",
            ),
            (
                "trafficpolicyinstancetype",
                "trafficPolicyInstanceTypeMarker",
            ),
            ("maxitems", "maxItems"),
        ],
    },
    Names {
        operation: "ListTrafficPolicyVersions",
        path: &["id"],
        query: &[
            ("trafficpolicyversion", "trafficPolicyVersionMarker"),
            ("maxitems", "maxItems"),
        ],
    },
    Names {
        operation: "ListVPCAssociationAuthorizations",
        path: &["hostedZoneId"],
        query: &[("nexttoken", "nextToken"), ("maxresults", "maxResults")],
    },
    Names {
        operation: "TestDNSAnswer",
        path: &[],
        query: &[
            ("hostedzoneid", "hostedZoneId"),
            ("recordname", "recordName"),
            ("recordtype", "recordType"),
            ("resolverip", "resolverIP"),
            ("edns0clientsubnetip", "eDNS0ClientSubnetIP"),
            ("edns0clientsubnetmask", "eDNS0ClientSubnetMask"),
        ],
    },
    Names {
        operation: "UpdateHealthCheck",
        path: &["healthCheckId"],
        query: &[],
    },
    Names {
        operation: "UpdateHostedZoneComment",
        path: &["id"],
        query: &[],
    },
    Names {
        operation: "UpdateHostedZoneFeatures",
        path: &["hostedZoneId"],
        query: &[],
    },
    Names {
        operation: "UpdateTrafficPolicyComment",
        path: &["id", "version"],
        query: &[],
    },
    Names {
        operation: "UpdateTrafficPolicyInstance",
        path: &["id"],
        query: &[],
    },
];
