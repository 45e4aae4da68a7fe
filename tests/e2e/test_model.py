"""The whole API against the model that the AWS SDKs ship with: every operation, valid and invalid.

How a response must look is checked by `model` on every answer; here every operation is called, as
it should be and in every way that the model's own words forbid.
"""

import concurrent.futures
import json
import re

import botocore.exceptions
import pytest
from botocore import xform_name

import model
from harness import Key, Zone, create, reference

UUID = "00000000-0000-4000-8000-000000000000"


OPERATIONS = model.documented()
THERE = sorted(name for name, there in OPERATIONS.items() if there)
NOT_YET = sorted(name for name, there in OPERATIONS.items() if not there)


@pytest.fixture(scope="module")
def loose(meridian):
    """A client that sends what botocore would refuse."""
    return meridian.client(parameter_validation=False)


@pytest.fixture(scope="module")
def world(route53, meridian):
    """Things to name in requests."""
    zone = Zone(route53, "model.example")
    zone.change(create("a.model.example", "A", "192.0.2.1"))
    change = zone.created["ChangeInfo"]["Id"]
    account = next(a["id"] for a in meridian.admin("account", "list") if a["operator"])
    group = f"arn:aws:logs:us-east-1:{account}:log-group:/aws/route53/model.example"
    # Many of them are made and few deleted.
    for many in ("CIDR_COLLECTIONS", "TRAFFIC_POLICIES", "TRAFFIC_POLICY_INSTANCES"):
        many = f"MAX_{many}_BY_OWNER"
        meridian.admin("quota", "set", "--account", account, many, "100000")
    for vpc in VPCS:
        meridian.admin("vpc", "create", vpc, "--region", "eu-west-1", "--account", account)
    return {
        "zone": zone.id,
        "change": change,
        "set": new_set(route53),
        "collection": new_collection(route53, "10.0.0.0/8"),
        "log group": group,
        "log": new_log(route53, group),
        "check": new_check(route53),
        "policy": new_policy(route53),
    } | {"instance": new_instance(route53, zone.id)}


# What the owner of private zones has.
VPCS = ["vpc-model-1", "vpc-model-2"]
FIRST, SECOND = ({"VPCId": vpc, "VPCRegion": "eu-west-1"} for vpc in VPCS)


def new_private_zone(client):
    """The id of a new private zone that the first VPC sees."""
    return Zone(client, f"{reference()}.model.example", VPC=FIRST).id


def newly_associated(client):
    """A zone that both VPCs see, and the second one."""
    both = {"HostedZoneId": new_private_zone(client), "VPC": SECOND}
    client.associate_vpc_with_hosted_zone(**both)
    return both


def newly_authorized(client):
    """A zone, and a VPC that may be associated with it."""
    both = {"HostedZoneId": new_private_zone(client), "VPC": SECOND}
    client.create_vpc_association_authorization(**both)
    return both


def new_log(client, group):
    """The id of a new query logging configuration, of a new zone."""
    zone = Zone(client, "new-log.model.example").id
    made = client.create_query_logging_config(HostedZoneId=zone, CloudWatchLogsLogGroupArn=group)
    return made["QueryLoggingConfig"]["Id"]


def new_set(client):
    """The id of a new reusable delegation set."""
    made = client.create_reusable_delegation_set(CallerReference=reference())
    return made["DelegationSet"]["Id"].removeprefix("/delegationset/")


def new_check(client):
    """The id of a new health check."""
    config = {"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 25}
    made = client.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
    return made["HealthCheck"]["Id"]


def new_collection(client, *blocks):
    """The id of a new CIDR collection with these blocks."""
    made = client.create_cidr_collection(Name=reference(), CallerReference=reference())
    id_ = made["Collection"]["Id"]
    if blocks:
        change = {"LocationName": "a", "Action": "PUT", "CidrList": list(blocks)}
        client.change_cidr_collection(Id=id_, Changes=[change])
    return id_


DOCUMENT = json.dumps(
    {
        "AWSPolicyFormatVersion": "2015-10-01",
        "RecordType": "A",
        "StartEndpoint": "one",
        "Endpoints": {"one": {"Type": "value", "Value": "192.0.2.1"}},
    }
)


def new_policy(client):
    """The id of a new traffic policy."""
    made = client.create_traffic_policy(Name=reference(), Document=DOCUMENT)
    return made["TrafficPolicy"]["Id"]


def instance_of(client, zone):
    """What makes an instance of a new traffic policy in a zone."""
    return {
        "HostedZoneId": zone,
        "Name": f"{reference()}.model.example",
        "TTL": 60,
        "TrafficPolicyId": new_policy(client),
        "TrafficPolicyVersion": 1,
    }


def new_instance(client, zone):
    """The id of a new traffic policy instance in a zone."""
    made = client.create_traffic_policy_instance(**instance_of(client, zone))
    return made["TrafficPolicyInstance"]["Id"]


def new_protection(world, client):
    """What deletes a protection that was not there before."""
    key = {"RecordName": f"{reference()}.model.example", "RecordType": "A"}
    client.create_resource_record_set_protections(HostedZoneId=world["zone"], Protections=[key])
    return key


# A valid request for each operation that is there. Those that delete get something of their own.
REQUESTS = {
    "AssociateVPCWithHostedZone": lambda w, c: {
        "HostedZoneId": new_private_zone(c),
        "VPC": SECOND,
        "Comment": "c",
    },
    "ChangeCidrCollection": lambda w, c: {
        "Id": new_collection(c, "10.0.0.0/8"),
        "CollectionVersion": 2,
        "Changes": [
            {"LocationName": "a", "Action": "DELETE_IF_EXISTS", "CidrList": ["10.0.0.0/8"]}
        ],
    },
    "ChangeResourceRecordSets": lambda w, c: {
        "HostedZoneId": w["zone"],
        "ChangeBatch": {
            "Comment": "c",
            "Changes": [
                {
                    "Action": "UPSERT",
                    "ResourceRecordSet": {
                        "Name": "b.model.example",
                        "Type": "A",
                        "TTL": 60,
                        "ResourceRecords": [{"Value": "192.0.2.1"}],
                    },
                }
            ],
        },
    },
    "CreateHealthCheck": lambda w, c: {
        "CallerReference": reference(),
        "HealthCheckConfig": {
            "IPAddress": "192.0.2.1",
            "Port": 443,
            "Type": "HTTPS_STR_MATCH",
            "ResourcePath": "/",
            "FullyQualifiedDomainName": "a.model.example",
            "SearchString": "up",
            "RequestInterval": 10,
            "FailureThreshold": 2,
            "MeasureLatency": True,
            "Inverted": False,
            "Disabled": False,
            "EnableSNI": True,
            "Regions": ["us-east-1", "us-west-1", "us-west-2"],
        },
    },
    "CreateCidrCollection": lambda w, c: {"Name": reference(), "CallerReference": reference()},
    "CreateHostedZone": lambda w, c: {
        "Name": f"{reference()}.model.example",
        "CallerReference": reference(),
        "HostedZoneConfig": {"Comment": "c", "PrivateZone": False},
        "DelegationSetId": w["set"],
    },
    "CreateQueryLoggingConfig": lambda w, c: {
        "HostedZoneId": Zone(c, "logged.model.example").id,
        "CloudWatchLogsLogGroupArn": w["log group"],
    },
    "CreateVPCAssociationAuthorization": lambda w, c: {
        "HostedZoneId": new_private_zone(c),
        "VPC": SECOND,
    },
    "CreateReusableDelegationSet": lambda w, c: {
        "CallerReference": reference(),
        "HostedZoneId": Zone(c, "marked.model.example").id,
    },
    "ChangeTagsForResource": lambda w, c: {
        "ResourceType": "hostedzone",
        "ResourceId": w["zone"],
        "AddTags": [{"Key": "k", "Value": "v"}],
        "RemoveTagKeys": ["other"],
    },
    "CreateTrafficPolicy": lambda w, c: {
        "Name": reference(),
        "Document": DOCUMENT,
        "Comment": "c",
    },
    "CreateTrafficPolicyVersion": lambda w, c: {
        "Id": new_policy(c),
        "Document": DOCUMENT,
        "Comment": "c",
    },
    "DeleteTrafficPolicy": lambda w, c: {"Id": new_policy(c), "Version": 1},
    "GetTrafficPolicy": lambda w, c: {"Id": w["policy"], "Version": 1},
    "ListTrafficPolicies": lambda w, c: {"TrafficPolicyIdMarker": w["policy"], "MaxItems": "2"},
    "ListTrafficPolicyVersions": lambda w, c: {
        "Id": w["policy"],
        "TrafficPolicyVersionMarker": "1",
        "MaxItems": "2",
    },
    "UpdateTrafficPolicyComment": lambda w, c: {
        "Id": w["policy"],
        "Version": 1,
        "Comment": "c",
    },
    "CreateTrafficPolicyInstance": lambda w, c: instance_of(c, w["zone"]),
    "DeleteTrafficPolicyInstance": lambda w, c: {"Id": new_instance(c, w["zone"])},
    "GetTrafficPolicyInstance": lambda w, c: {"Id": w["instance"]},
    "GetTrafficPolicyInstanceCount": lambda w, c: {},
    "ListTrafficPolicyInstances": lambda w, c: {
        "HostedZoneIdMarker": w["zone"],
        "TrafficPolicyInstanceNameMarker": "a.model.example",
        "MaxItems": "2",
    },
    "ListTrafficPolicyInstancesByHostedZone": lambda w, c: {
        "HostedZoneId": w["zone"],
        "TrafficPolicyInstanceNameMarker": "a.model.example",
        "MaxItems": "2",
    },
    "ListTrafficPolicyInstancesByPolicy": lambda w, c: {
        "TrafficPolicyId": w["policy"],
        "TrafficPolicyVersion": 1,
        "HostedZoneIdMarker": w["zone"],
        "MaxItems": "2",
    },
    "UpdateTrafficPolicyInstance": lambda w, c: {
        "Id": new_instance(c, w["zone"]),
        "TTL": 30,
        "TrafficPolicyId": new_policy(c),
        "TrafficPolicyVersion": 1,
    },
    "CreateResourceRecordSetProtections": lambda w, c: {
        "HostedZoneId": Zone(c, "protected.model.example").id,
        "Protections": [
            {"RecordName": "protected.model.example", "RecordType": "MX", "Comment": "c"}
        ],
    },
    "DeleteHealthCheck": lambda w, c: {"HealthCheckId": new_check(c)},
    "DeleteCidrCollection": lambda w, c: {"Id": new_collection(c)},
    "DeleteHostedZone": lambda w, c: {"Id": Zone(c, "gone.example").id},
    "DeleteQueryLoggingConfig": lambda w, c: {"Id": new_log(c, w["log group"])},
    "DeleteReusableDelegationSet": lambda w, c: {"Id": new_set(c)},
    "DeleteResourceRecordSetProtections": lambda w, c: {
        "HostedZoneId": w["zone"],
        "Protections": [new_protection(w, c)],
    },
    "DeleteVPCAssociationAuthorization": lambda w, c: newly_authorized(c),
    "DisassociateVPCFromHostedZone": lambda w, c: newly_associated(c) | {"Comment": "c"},
    "GetAccountLimit": lambda w, c: {"Type": "MAX_HOSTED_ZONES_BY_OWNER"},
    "GetChange": lambda w, c: {"Id": w["change"]},
    "GetCheckerIpRanges": lambda w, c: {},
    "GetDNSSEC": lambda w, c: {"HostedZoneId": w["zone"]},
    "GetHealthCheck": lambda w, c: {"HealthCheckId": w["check"]},
    "GetGeoLocation": lambda w, c: {"CountryCode": "US", "SubdivisionCode": "CA"},
    "GetHealthCheckCount": lambda w, c: {},
    "GetHealthCheckStatus": lambda w, c: {"HealthCheckId": w["check"]},
    "GetHealthCheckLastFailureReason": lambda w, c: {"HealthCheckId": w["check"]},
    "GetHostedZone": lambda w, c: {"Id": w["zone"]},
    "GetQueryLoggingConfig": lambda w, c: {"Id": w["log"]},
    "GetReusableDelegationSet": lambda w, c: {"Id": w["set"]},
    "GetReusableDelegationSetLimit": lambda w, c: {
        "DelegationSetId": w["set"],
        "Type": "MAX_ZONES_BY_REUSABLE_DELEGATION_SET",
    },
    "GetHostedZoneCount": lambda w, c: {},
    "GetHostedZoneLimit": lambda w, c: {"HostedZoneId": w["zone"], "Type": "MAX_RRSETS_BY_ZONE"},
    "ListCidrBlocks": lambda w, c: {
        "CollectionId": w["collection"],
        "LocationName": "a",
        "MaxResults": "2",
    },
    "ListCidrCollections": lambda w, c: {"MaxResults": "2"},
    "ListCidrLocations": lambda w, c: {"CollectionId": w["collection"], "MaxResults": "2"},
    "ListGeoLocations": lambda w, c: {
        "StartCountryCode": "US",
        "StartSubdivisionCode": "CA",
        "MaxItems": "2",
    },
    "ListHealthChecks": lambda w, c: {"MaxItems": "2", "Marker": UUID},
    "ListHostedZones": lambda w, c: {
        "MaxItems": "2",
        "Marker": w["zone"],
        "DelegationSetId": w["set"],
        "HostedZoneType": "PrivateHostedZone",
    },
    "ListHostedZonesByVPC": lambda w, c: FIRST | {"MaxItems": "2"},
    "ListVPCAssociationAuthorizations": lambda w, c: {
        "HostedZoneId": newly_authorized(c)["HostedZoneId"],
        "MaxResults": "2",
    },
    "ListHostedZonesByName": lambda w, c: {
        "MaxItems": "2",
        "DNSName": "model.example",
        "HostedZoneId": w["zone"],
    },
    "ListQueryLoggingConfigs": lambda w, c: {
        "HostedZoneId": w["zone"],
        "MaxResults": "2",
    },
    "ListResourceRecordSets": lambda w, c: {
        "HostedZoneId": w["zone"],
        "MaxItems": "2",
        "StartRecordName": "a.model.example",
        "StartRecordType": "A",
        "StartRecordIdentifier": "a",
    },
    "ListReusableDelegationSets": lambda w, c: {"MaxItems": "2", "Marker": w["set"]},
    "ListResourceRecordSetProtections": lambda w, c: {
        "HostedZoneId": w["zone"],
        "MaxResults": "2",
        "StartRecordName": "a.model.example",
        "StartRecordType": "A",
    },
    "ListTagsForResource": lambda w, c: {"ResourceType": "hostedzone", "ResourceId": w["zone"]},
    "ListTagsForResources": lambda w, c: {"ResourceType": "hostedzone", "ResourceIds": [w["zone"]]},
    "TestDNSAnswer": lambda w, c: {
        "HostedZoneId": w["zone"],
        "RecordName": "a.model.example",
        "RecordType": "A",
        "ResolverIP": "192.0.2.1",
        "EDNS0ClientSubnetIP": "192.0.2.1",
        "EDNS0ClientSubnetMask": "24",
    },
    "UpdateHealthCheck": lambda w, c: {
        "HealthCheckId": new_check(c),
        "HealthCheckVersion": 1,
        "IPAddress": "192.0.2.2",
        "Port": 80,
        "FailureThreshold": 2,
        "Inverted": True,
        "Disabled": True,
        "EnableSNI": False,
        "Regions": ["us-east-1", "us-west-1", "us-west-2"],
        "ResetElements": ["ResourcePath"],
    },
    "UpdateHostedZoneComment": lambda w, c: {"Id": w["zone"], "Comment": "c"},
    "UpdateHostedZoneFeatures": lambda w, c: {
        "HostedZoneId": w["zone"],
        "EnableAcceleratedRecovery": True,
    },
}

# Constraints of the model that are not refusals: what the service does instead.
LENIENT = {
    # Only the first 300 may come at once, so larger numbers are clamped; any text is a size.
    "MaxItems",
}


def send(client, operation, request):
    """The error code, or None; the response itself is checked as it comes."""
    methods = client.meta.method_to_api_mapping
    method = next(name for name, api in methods.items() if api == operation)
    try:
        getattr(client, method)(**request)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"]
    return None


def shape(client, operation):
    return client.meta.service_model.operation_model(operation).input_shape


def made_up(shape):
    """Some value that the model allows."""
    kind, limits = shape.type_name, shape.metadata
    if kind == "structure":
        required = shape.required_members or list(shape.members)[:1]
        return {name: made_up(shape.members[name]) for name in required}
    if kind == "list":
        return [made_up(shape.member)] * max(1, limits.get("min", 1))
    if kind in ("integer", "long"):
        return max(1, limits.get("min", 1))
    if kind == "boolean":
        return True
    if "enum" in limits:
        return limits["enum"][0]
    candidates = ["a", "abc", "abcde", UUID, "192.0.2.1", "24"]
    return next(text for text in candidates if model.scalar_problem(shape, text) is None)


def test_the_document_lists_every_operation(route53):
    assert sorted(OPERATIONS) == sorted(route53.meta.service_model.operation_names)
    assert sorted(REQUESTS) == THERE


@pytest.mark.parametrize("operation", THERE)
def test_valid_requests_are_answered(loose, world, operation):
    request = REQUESTS[operation](world, loose)
    assert send(loose, operation, request) is None


def test_aws_cli_drives_every_operation(meridian, world, loose):
    def run(operation):
        command = xform_name(operation, "-")
        request = json.dumps(REQUESTS[operation](world, loose))
        return meridian.aws(command, "--no-paginate", "--cli-input-json", request)

    # Those three it does not know, whatever botocore's model says.
    known = [each for each in THERE if "ResourceRecordSetProtection" not in each]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = dict(zip(known, pool.map(run, known)))
    assert answers["GetHostedZone"]["HostedZone"]["Name"] == "model.example."
    for operation, answer in answers.items():
        output = loose.meta.service_model.operation_model(operation).output_shape
        assert bool(answer) == bool(output.members), f"{operation}: {answer}"


@pytest.mark.parametrize("operation", THERE)
def test_invalid_requests_get_an_error_that_is_declared(loose, world, operation):
    """Each constraint of the model, broken one at a time."""
    accepted = []
    input_shape = shape(loose, operation)
    if input_shape is None:
        return
    for text, request in model.violations(input_shape, REQUESTS[operation](world, loose)):
        if text.split(":")[0].split(".")[-1] in LENIENT:
            continue
        if send(loose, operation, request) is None:
            accepted.append(text)
    assert accepted == []


# Bounds of the model that the service itself draws closer, as Route 53 does.
CLOSER = {
    # Ids of hosted zones have 32 characters at most, here as elsewhere.
    ("ChangeTagsForResource", "ResourceId: 64"),
    ("ListTagsForResource", "ResourceId: 64"),
    ("ListTagsForResources", "ResourceIds.0: 64"),
    # A number from 1 to 1000.
    ("ListTrafficPolicyVersions", "TrafficPolicyVersionMarker: 4"),
}


@pytest.mark.parametrize("operation", THERE)
def test_what_the_model_just_allows_is_no_violation_of_it(loose, world, operation):
    """Each constraint of the model, at its edge; something else may well be wrong with that."""
    input_shape = shape(loose, operation)
    if input_shape is None:
        return
    wrong = {}
    for text, request in model.edges(input_shape, REQUESTS[operation](world, loose)):
        if (operation, text) in CLOSER:
            continue
        try:
            getattr(loose, xform_name(operation))(**request)
        except botocore.exceptions.ClientError as error:
            message = error.response["Error"]["Message"]
            if message.startswith(("Invalid XML", "1 validation error")):
                wrong[text] = message
    assert wrong == {}


@pytest.mark.parametrize("operation", THERE)
def test_made_up_ids_get_an_error_that_is_declared(loose, world, operation):
    """Whatever an operation is pointed to that does not exist, and that could not."""
    input_shape = shape(loose, operation)
    request = REQUESTS[operation](world, loose)
    for name, member in input_shape.members.items() if input_shape else ():
        if member.serialization.get("location") != "uri" or "enum" in member.metadata:
            continue
        for wrong in ("ZNOTTHERE", "%2F..%2F", "ä", "a b", "-", "Z" + "0" * 19, UUID):
            if model.scalar_problem(member, wrong) is None:
                code = send(loose, operation, request | {name: wrong})
                assert code is not None, f"{name}={wrong} is answered"


@pytest.mark.parametrize("operation", NOT_YET)
def test_what_is_not_there_says_so(loose, operation):
    input_shape = shape(loose, operation)
    request = made_up(input_shape) if input_shape and input_shape.members else {}
    assert send(loose, operation, request) == "NotImplemented"


@pytest.fixture(scope="module")
def asker(meridian):
    """A user without a right, and what gives it one for a single action."""
    meridian.admin("user", "create", "asker", "--account", "operator")
    key = meridian.admin("key", "create", "--account", "operator", "--user", "asker")

    def allow(folder, action):
        statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
        (folder / "one.json").write_text(
            json.dumps({"Version": "2012-10-17", "Statement": statement})
        )
        file = ("--policy-file", folder / "one.json")
        meridian.admin("user", "attach", "asker", "--account", "operator", *file)

    return meridian.client(Key(key["access_key_id"], key["secret_access_key"])), allow


# What everybody knows is told to everybody with a key.
FREE = {"GetCheckerIpRanges", "GetGeoLocation", "ListGeoLocations"}


@pytest.mark.parametrize("operation", sorted(set(THERE) - FREE))
def test_each_operation_asks_for_its_own_right(operation, world, route53, asker, tmp_path):
    client, allow = asker
    request = REQUESTS[operation](world, route53)
    allow(tmp_path, f"route53:Not{operation}")
    assert send(client, operation, request) == "AccessDenied"
    allow(tmp_path, f"route53:{operation}")
    assert send(client, operation, request) != "AccessDenied"
