"""Many writers at once: one zone's line is bounded, and others are served meanwhile."""

import collections
import concurrent.futures
import re
import socket
import threading
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest

from harness import Threads, Zone, eventually, upsert

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
        signed(server, key, path, batch(zone, 250, f"192.0.2.{n}")) for n in range(100)
    ]
    answers = []
    with Threads(lambda: answers.extend(send_together(server, requests))):
        for n in range(5):
            calm.send(upsert(f"n{n}.calm.example", "A", "192.0.2.1"))
    codes = collections.Counter(
        (answer.split()[1], (re.findall("<Code>(.*?)</Code>", answer) or [""])[0])
        for answer in answers
    )
    assert set(codes) == {("200", ""), ("400", "PriorRequestNotComplete")}, codes
    assert codes[("200", "")] >= 33
    refused = next(answer for answer in answers if "<Code>" in answer)
    assert (
        "<Message>The request was rejected because Route 53 was still processing a prior "
        "request.</Message>" in refused
    )
    # What was accepted is there, one whole batch after another.
    values = {s["ResourceRecords"][0]["Value"] for s in zone.sets(own=True)}
    assert len(values) == 1 and len(zone.sets(own=True)) == 250


# What else stands in a zone's line.
CHANGES = {
    "DeleteHostedZone": lambda c, zone: c.delete_hosted_zone(Id=zone),
    "UpdateHostedZoneComment": lambda c, zone: c.update_hosted_zone_comment(Id=zone, Comment="c"),
    "UpdateHostedZoneFeatures": lambda c, zone: c.update_hosted_zone_features(
        HostedZoneId=zone, EnableAcceleratedRecovery=True
    ),
    "ChangeTagsForResource": lambda c, zone: c.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=zone, AddTags=[{"Key": "k", "Value": "v"}]
    ),
    "CreateResourceRecordSetProtections": lambda c, zone: c.create_resource_record_set_protections(
        HostedZoneId=zone, Protections=[{"RecordName": "busy.example", "RecordType": "A"}]
    ),
    "DeleteResourceRecordSetProtections": lambda c, zone: c.delete_resource_record_set_protections(
        HostedZoneId=zone, Protections=[{"RecordName": "busy.example", "RecordType": "A"}]
    ),
}


def test_every_change_of_a_zone_waits_in_its_line(start):
    server = start()
    key = server.new_account("crowd")
    server.admin("quota", "set", "--account", key.account, "MAX_REQUESTS_PER_SECOND", "100000")
    client = server.client(key, max_pool_connections=8)
    zone = Zone(client, "busy.example")
    path = f"/2013-04-01/hostedzone/{zone.id}/rrset/"
    requests = [signed(server, key, path, batch(zone, 50, f"192.0.2.{n}")) for n in range(48)]
    done = threading.Event()

    def crowd():
        while not done.is_set():
            send_together(server, requests)

    def code(change):
        try:
            change(client, zone.id)
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    def is_crowded_out(change):
        return "PriorRequestNotComplete" in pool.map(code, [change] * 8)

    with concurrent.futures.ThreadPoolExecutor(8) as pool, Threads(crowd):
        try:
            for name, change in CHANGES.items():
                assert eventually(lambda c=change: is_crowded_out(c), 20), name
        finally:
            done.set()


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
