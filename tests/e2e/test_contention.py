"""Many writers at once: one zone's line is bounded, and others are served meanwhile."""

import collections
import contextlib
import json
import re
import socket
import threading
import time
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest

import model
from harness import Threads, Zone, eventually, reference, upsert

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"


def batch(zone, size, value):
    """A body that takes the server some milliseconds."""
    changes = "".join(
        f"<Change><Action>UPSERT</Action><ResourceRecordSet><Name>n{n}.{zone.name}</Name>"
        f"<Type>A</Type><TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value>"
        f"</ResourceRecord></ResourceRecords></ResourceRecordSet></Change>"
        for n in range(size)
    )
    return (
        f'<ChangeResourceRecordSetsRequest xmlns="{NAMESPACE}"><ChangeBatch><Changes>{changes}'
        f"</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    ).encode()


def signed(meridian, key, path, body):
    """The bytes of a signed POST."""
    request = botocore.awsrequest.AWSRequest("POST", meridian.endpoint + path, data=body)
    credentials = botocore.credentials.Credentials(key.id, key.secret)
    botocore.auth.SigV4Auth(credentials, "route53", "us-east-1").add_auth(request)
    lines = [f"POST {path} HTTP/1.1", f"Host: {meridian.api}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    return "\r\n".join([*lines, "Connection: close", "", ""]).encode() + body


def send_together(meridian, requests):
    """Sends all requests but for their last bytes, then these at once; returns the answers."""
    host, port = urllib.parse.urlsplit(meridian.endpoint).netloc.split(":")
    connections = []
    for request in requests:
        connection = socket.create_connection((host, int(port)), timeout=60)
        connection.sendall(request[:-1])
        connections.append(connection)
    for connection, request in zip(connections, requests, strict=True):
        connection.sendall(request[-1:])
    answers = []
    for connection in connections:
        with connection, connection.makefile("rb") as stream:
            answers.append(stream.read().decode())
    return answers


def test_a_zone_has_a_line_of_bounded_length(start):
    server = start()
    key = server.new_account("busy")
    zone = Zone(server.client(key), "busy.example")
    calm = Zone(server.client(), "calm.example")
    path = f"/2013-04-01/hostedzone/{zone.id}/rrset/"
    requests = [
        signed(server, key, path, batch(zone, 150, f"192.0.2.{n}")) for n in range(80)
    ]
    answers, began = [], time.monotonic()
    with Threads(lambda: answers.extend(send_together(server, requests))):
        for n in range(5):
            calm.send(upsert(f"n{n}.calm.example", "A", "192.0.2.1"))
    codes = collections.Counter(
        (answer.split()[1], (re.findall("<Code>(.*?)</Code>", answer) or [""])[0])
        for answer in answers
    )
    assert set(codes) == {("200", ""), ("400", "PriorRequestNotComplete")}, codes
    # Unless the disk is so slow that some have to leave the line, who may wait for ten seconds.
    assert codes[("200", "")] >= 32 or time.monotonic() - began > 10, codes
    refused = next(answer for answer in answers if "<Code>" in answer)
    assert (
        "<Message>The request was rejected because Route 53 was still processing a prior "
        "request.</Message>" in refused
    )
    # What was accepted is there, one whole batch after another.
    values = {s["ResourceRecords"][0]["Value"] for s in zone.sets(own=True)}
    assert len(values) == 1 and len(zone.sets(own=True)) == 150


VPC = {"VPCRegion": "eu-west-1", "VPCId": "vpc-0123456789abcdef0"}
PROTECTION = {"RecordName": "p.crowded.example", "RecordType": "A"}
ARN = "arn:aws:logs:us-east-1:123456789012:log-group:/aws/route53/crowded.example"
# What is asked for while the zone's line is full. What it is without that does not matter here.
CALLS = {
    "ChangeResourceRecordSets": lambda c, z: c.change_resource_record_sets(
        HostedZoneId=z, ChangeBatch={"Changes": [upsert("x.crowded.example", "A", "192.0.2.1")]}
    ),
    "DeleteHostedZone": lambda c, z: c.delete_hosted_zone(Id=z),
    "UpdateHostedZoneComment": lambda c, z: c.update_hosted_zone_comment(Id=z, Comment="x"),
    "UpdateHostedZoneFeatures": lambda c, z: c.update_hosted_zone_features(
        HostedZoneId=z, EnableAcceleratedRecovery=False
    ),
    "ChangeTagsForResource": lambda c, z: c.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=z, AddTags=[{"Key": "a", "Value": "b"}]
    ),
    "CreateResourceRecordSetProtections": lambda c, z: c.create_resource_record_set_protections(
        HostedZoneId=z, Protections=[PROTECTION]
    ),
    "DeleteResourceRecordSetProtections": lambda c, z: c.delete_resource_record_set_protections(
        HostedZoneId=z, Protections=[PROTECTION]
    ),
    "AssociateVPCWithHostedZone": lambda c, z: c.associate_vpc_with_hosted_zone(
        HostedZoneId=z, VPC=VPC
    ),
    "CreateVPCAssociationAuthorization": lambda c, z: c.create_vpc_association_authorization(
        HostedZoneId=z, VPC=VPC
    ),
    "DeleteVPCAssociationAuthorization": lambda c, z: c.delete_vpc_association_authorization(
        HostedZoneId=z, VPC=VPC
    ),
    "CreateQueryLoggingConfig": lambda c, z: c.create_query_logging_config(
        HostedZoneId=z, CloudWatchLogsLogGroupArn=ARN
    ),
    "DeleteQueryLoggingConfig": lambda c, z: delete_log(c, z),
    "UpdateTrafficPolicyInstance": lambda c, z: c.update_traffic_policy_instance(
        TTL=60, **instance(c, z)
    ),
    "DeleteTrafficPolicyInstance": lambda c, z: c.delete_traffic_policy_instance(
        Id=instance(c, z)["Id"]
    ),
}
CONTENTION = ("PriorRequestNotComplete", "ConcurrentModification")


def delete_log(client, zone):
    """Deletes the zone's configuration, and makes it again, as it is asked for once more then."""
    [config] = client.list_query_logging_configs(HostedZoneId=zone)["QueryLoggingConfigs"]
    client.delete_query_logging_config(Id=config["Id"])
    assert eventually(lambda: log(client, zone, config["CloudWatchLogsLogGroupArn"]), 10)


POLICY = """{"AWSPolicyFormatVersion": "2015-10-01", "RecordType": "TXT", "StartEndpoint": "e",
    "Endpoints": {"e": {"Type": "value", "Value": "\\"x\\""}}}"""


def instance(client, zone):
    """The zone's traffic policy instance, which is made if it is not there, and its policy."""
    listed = client.list_traffic_policy_instances_by_hosted_zone(HostedZoneId=zone)
    if not listed["TrafficPolicyInstances"]:
        policy = client.create_traffic_policy(Name=reference(), Document=POLICY)["TrafficPolicy"]
        assert eventually(lambda: new_instance(client, zone, policy["Id"]), 10)
        return instance(client, zone)
    [made] = listed["TrafficPolicyInstances"]
    return {name: made[name] for name in ("Id", "TrafficPolicyId", "TrafficPolicyVersion")}


def new_instance(client, zone, policy):
    """Whether there is one from now on."""
    with contextlib.suppress(botocore.exceptions.ClientError):
        return client.create_traffic_policy_instance(
            HostedZoneId=zone,
            Name="policy.crowded.example",
            TTL=60,
            TrafficPolicyId=policy,
            TrafficPolicyVersion=1,
        )


def log(client, zone, arn):
    """Whether the zone's queries are logged from now on."""
    with contextlib.suppress(botocore.exceptions.ClientError):
        return client.create_query_logging_config(
            HostedZoneId=zone, CloudWatchLogsLogGroupArn=arn
        )


def crowd(server, key, zone):
    """Keeps the line of a zone full."""
    path = f"/2013-04-01/hostedzone/{zone.id}/rrset/"
    return crowding(server, signed(server, key, path, batch(zone, 30, "192.0.2.1")))


@contextlib.contextmanager
def crowding(server, request):
    """Keeps a line full: more clients than fit in, each of whom comes again soon."""
    over = threading.Event()

    def come_again():
        while not over.is_set():
            send_together(server, [request])
            over.wait(0.005)

    with Threads(*[come_again] * 42):
        try:
            yield
        finally:
            over.set()


def test_whatever_changes_a_zone_waits_in_its_line(start):
    """Each operation tells it by the code that it declares; see model.documented for which are there."""
    server = start()
    key = server.new_account("crowded")
    server.admin("quota", "set", "--account", key.account, "MAX_REQUESTS_PER_SECOND", "1000000")
    client = server.client(key)
    zone = Zone(client, "crowded.example")
    there = model.documented()
    assert log(client, zone.id, ARN.replace("123456789012", key.account))
    with crowd(server, key, zone):
        for operation in (name for name in CALLS if there[name]):
            declared = client.meta.service_model.operation_model(operation).error_shapes
            expected = {shape.name for shape in declared} & set(CONTENTION)
            assert len(expected) == 1, operation

            call = lambda call=CALLS[operation]: contended(lambda: call(client, zone.id))
            assert {eventually(call, 10)} == expected, operation


def contended(call):
    """The code of a refusal for the length of the line."""
    try:
        return call() and None
    except botocore.exceptions.ClientError as error:
        code = error.response["Error"]["Code"]
        return code if code in CONTENTION else None


# The same for an account's CIDR collections, whose changes wait for each other.
CIDR_CALLS = {
    "CreateCidrCollection": lambda c, id_: c.create_cidr_collection(
        Name="crowded", CallerReference="first"
    ),
    "ChangeCidrCollection": lambda c, id_: c.change_cidr_collection(
        Id=id_,
        Changes=[{"LocationName": "a", "Action": "DELETE_IF_EXISTS", "CidrList": ["10.0.0.0/8"]}],
    ),
    "DeleteCidrCollection": lambda c, id_: c.delete_cidr_collection(Id=id_),
}


def test_changes_of_cidr_collections_wait_in_a_line(start):
    server = start()
    key = server.new_account("networks")
    server.admin("quota", "set", "--account", key.account, "MAX_REQUESTS_PER_SECOND", "1000000")
    client = server.client(key)
    made = client.create_cidr_collection(Name="crowded", CallerReference="first")["Collection"]
    blocks = "".join(f"<Cidr>10.{n}.0.0/16</Cidr>" for n in range(200))
    body = (
        f'<ChangeCidrCollectionRequest xmlns="{NAMESPACE}"><Changes><member><LocationName>a'
        f"</LocationName><Action>PUT</Action><CidrList>{blocks}</CidrList></member></Changes>"
        f"</ChangeCidrCollectionRequest>"
    ).encode()
    path = f"/2013-04-01/cidrcollection/{made['Id']}"
    with crowding(server, signed(server, key, path, body)):
        for operation, call in CIDR_CALLS.items():
            refused = lambda call=call: contended(lambda: call(client, made["Id"]))
            assert eventually(refused, 10) == "ConcurrentModification", operation


# And for its traffic policies.
POLICY = json.dumps(
    {
        "AWSPolicyFormatVersion": "2015-10-01",
        "RecordType": "A",
        "StartEndpoint": "one",
        "Endpoints": {"one": {"Type": "value", "Value": "192.0.2.1"}},
    }
)
POLICY_CALLS = {
    "CreateTrafficPolicyVersion": lambda c, id_: c.create_traffic_policy_version(
        Id=id_, Document=POLICY
    ),
    "UpdateTrafficPolicyComment": lambda c, id_: c.update_traffic_policy_comment(
        Id=id_, Version=1, Comment="c"
    ),
    "DeleteTrafficPolicy": lambda c, id_: c.delete_traffic_policy(Id=id_, Version=1),
}


def test_changes_of_traffic_policies_wait_in_a_line(start):
    server = start()
    key = server.new_account("policies")
    server.admin("quota", "set", "--account", key.account, "MAX_REQUESTS_PER_SECOND", "1000000")
    client = server.client(key)
    made, crowded = (
        client.create_traffic_policy(Name=name, Document=POLICY)["TrafficPolicy"]["Id"]
        for name in ("made", "crowded")
    )
    body = (
        f'<UpdateTrafficPolicyCommentRequest xmlns="{NAMESPACE}"><Comment>{"c" * 1000}</Comment>'
        f"</UpdateTrafficPolicyCommentRequest>"
    ).encode()
    path = f"/2013-04-01/trafficpolicy/{crowded}/1"
    with crowding(server, signed(server, key, path, body)):
        for operation, call in POLICY_CALLS.items():
            refused = lambda call=call: contended(lambda: call(client, made))
            assert eventually(refused, 10) == "ConcurrentModification", operation


@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_sdks_repeat_what_had_to_wait(meridian, mode):
    """Both of botocore's ways to retry, with as many threads as fill the line."""
    client = meridian.client(
        meridian.new_account(f"patient-{mode}"),
        retries={"mode": mode, "total_max_attempts": 6},
        max_pool_connections=50,
    )
    zone = Zone(client, f"patient-{mode}.example")

    def write(number):
        zone.send(upsert(f"n{number}.{zone.name}", "A", "192.0.2.1"))

    with Threads(*[lambda n=n: write(n) for n in range(50)]):
        pass
    assert len(zone.sets(own=True)) == 50
