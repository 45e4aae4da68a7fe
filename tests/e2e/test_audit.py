"""The audit log: a line of JSON for each call, in the words of CloudTrail, and never a secret."""

import datetime
import json
import os
import re
import signal
import urllib.request

import boto3
import botocore.auth
import botocore.exceptions
import pytest

from harness import (
    Key,
    Meridian,
    Zone,
    adopt_successors,
    create,
    eventually,
    reference,
    refusal,
    upsert,
)

NAMES = {
    "eventVersion",
    "userIdentity",
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "requestParameters",
    "responseElements",
    "requestID",
    "eventID",
    "readOnly",
    "eventType",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Meridian(tmp_path_factory.mktemp("audit")) as server:
        yield server


def events(server, path=None):
    # The last line may be on its way.
    lines = (path or server.data / "audit.log").read_text().split("\n")[:-1]
    return [json.loads(line) for line in lines]


def event(server, **wanted):
    """The one event that has these values, once it is written."""

    def found():
        return [e for e in events(server) if all(e.get(k) == v for k, v in wanted.items())]

    assert eventually(found), f"no event {wanted}"
    assert len(found()) == 1, found()
    return found()[0]


def of(server, response):
    return event(server, requestID=response["ResponseMetadata"]["RequestId"])


def test_a_change_is_told_with_all_that_cloudtrail_has(server):
    client = server.client(region="eu-west-3", user_agent_extra="audit-test/1")
    zone = Zone(client, "audit.example")
    response = client.change_resource_record_sets(
        HostedZoneId=zone.id,
        ChangeBatch={
            "Comment": "why",
            "Changes": [create("www.audit.example", "A", "192.0.2.1", "192.0.2.2", ttl=60)],
        },
    )
    told = of(server, response)
    assert NAMES <= set(told) and "errorCode" not in told
    account = told["recipientAccountId"]
    assert told["userIdentity"] == {
        "type": "Root",
        "principalId": account,
        "arn": f"arn:aws:iam::{account}:root",
        "accountId": account,
        "accessKeyId": server.operator().id,
    }
    assert (told["eventSource"], told["eventName"], told["eventType"]) == (
        "route53.amazonaws.com",
        "ChangeResourceRecordSets",
        "AwsApiCall",
    )
    assert (told["awsRegion"], told["sourceIPAddress"]) == ("eu-west-3", "127.0.0.1")
    assert told["readOnly"] is False and "audit-test/1" in told["userAgent"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["eventTime"])
    assert told["requestParameters"] == {
        "hostedZoneId": zone.id,
        "changeBatch": {
            "comment": "why",
            "changes": [
                {
                    "action": "CREATE",
                    "resourceRecordSet": {
                        "name": "www.audit.example",
                        "type": "A",
                        "tTL": 60,
                        "resourceRecords": [{"value": "192.0.2.1"}, {"value": "192.0.2.2"}],
                    },
                }
            ],
        },
    }
    info = told["responseElements"]["changeInfo"]
    assert (info["id"], info["status"]) == (response["ChangeInfo"]["Id"], "PENDING")
    made = event(server, eventName="CreateHostedZone")["responseElements"]
    assert made["hostedZone"]["id"] == f"/hostedzone/{zone.id}"
    assert made["location"].endswith(zone.id)
    assert len(made["delegationSet"]["nameServers"]) == 4


def test_reads_and_refusals_are_told_too(server):
    client = server.client()
    zone = Zone(client, "reads.example")
    response = client.list_resource_record_sets(
        HostedZoneId=zone.id, StartRecordName="a.reads.example", MaxItems="7"
    )
    told = of(server, response)
    assert told["readOnly"] is True and told["responseElements"] is None
    assert told["requestParameters"] == {
        "hostedZoneId": zone.id,
        "startRecordName": "a.reads.example",
        "maxItems": "7",
    }
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        zone.send(create("elsewhere.test", "A", "192.0.2.1"))
    told = of(server, raised.value.response)
    assert told["errorCode"] == "InvalidChangeBatch"
    assert told["errorMessage"] == raised.value.response["Error"]["Message"]
    assert told["requestParameters"]["changeBatch"]["changes"][0]["action"] == "CREATE"
    assert told["responseElements"] is None


def test_users_are_named_and_denied_calls_are_told(server):
    account = server.admin("account", "create", "audited")["id"]
    server.admin("user", "create", "ann", "--account", account, "--policy", "read-only")
    key = server.admin("key", "create", "--account", account, "--user", "ann")
    client = server.client(Key(key["access_key_id"], key["secret_access_key"]))
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        client.create_hosted_zone(Name="denied.example", CallerReference=reference())
    told = of(server, raised.value.response)
    assert told["errorCode"] == "AccessDenied"
    identity = told["userIdentity"]
    assert (identity["type"], identity["userName"]) == ("IAMUser", "ann")
    assert identity["principalId"].startswith("AIDA")
    assert identity["arn"] == f"arn:aws:iam::{account}:user/ann"
    assert identity["accountId"] == told["recipientAccountId"] == account


def test_strangers_are_told_as_such(server):
    client = server.client(Key(server.operator().id, "x" * 40))
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        client.delete_hosted_zone(Id="Z1")
    told = of(server, raised.value.response)
    assert told["errorCode"] == "SignatureDoesNotMatch"
    assert told["userIdentity"] == {"type": "Unknown", "accessKeyId": server.operator().id}
    assert told["requestParameters"] is None and "recipientAccountId" not in told


def test_late_signatures_name_their_key(server, monkeypatch):
    """A clock that is off is found by whose requests fail."""
    late = datetime.timedelta(minutes=-20)
    real = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *a, **k: real(*a, **k) + late
    )
    client = server.client(region="eu-south-1")
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        client.list_hosted_zones()
    told = of(server, raised.value.response)
    assert told["userIdentity"] == {"type": "Unknown", "accessKeyId": server.operator().id}
    assert told["awsRegion"] == "eu-south-1" and "expired" in told["errorMessage"]


def test_whoever_asks_who_they_are_is_told_of_too(server):
    key = server.operator()
    sts = boto3.session.Session().client(
        "sts",
        endpoint_url=server.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
    )
    identity = sts.get_caller_identity()
    told = of(server, identity)
    assert (told["eventSource"], told["eventName"]) == ("sts.amazonaws.com", "GetCallerIdentity")
    assert told["readOnly"] is True and told["requestParameters"] is None
    assert told["userIdentity"]["principalId"] == identity["UserId"]
    assert told["userIdentity"]["arn"] == identity["Arn"]


def test_commands_of_operators_are_told_without_secrets(server):
    account = server.admin("account", "create", "watched")["id"]
    parameters = {"account": account}
    key = server.admin("key", "create", "--account", account)
    told = event(server, eventName="KeyCreate", requestParameters=parameters)
    assert (told["eventSource"], told["readOnly"]) == ("admin.meridian", False)
    assert told["userIdentity"] == {"type": "Operator", "principalId": f"uid:{os.getuid()}"}
    assert told["responseElements"]["accessKeyId"] == key["access_key_id"]
    failed = server.admin("key", "delete", "AKIANOBODY", check=False)
    assert failed.returncode != 0
    told = event(server, eventName="KeyDelete")
    assert told["errorCode"] == "CommandFailed" and "AKIANOBODY" in told["errorMessage"]


def test_no_secret_and_no_signature_is_in_it(server):
    account = server.admin("account", "create", "hushed")["id"]
    key = server.admin("key", "create", "--account", account)
    client = server.client(Key(key["access_key_id"], key["secret_access_key"]))
    response = client.list_hosted_zones()
    url = client.generate_presigned_url("list_hosted_zones", ExpiresIn=60)
    of(server, response)
    text = (server.data / "audit.log").read_text() + server.log_tail(size=1 << 20)
    for secret in (key["secret_access_key"], server.operator().secret, "Signature="):
        assert secret not in text
    assert "X-Amz-Signature" in url


def test_large_requests_are_cut_and_say_so(server):
    zone = Zone(server.client(), "large.example")
    changes = [upsert(f"n{n}.large.example", "A", "192.0.2.1") for n in range(400)]
    response = zone.client.change_resource_record_sets(
        HostedZoneId=zone.id, ChangeBatch={"Changes": changes}
    )
    parameters = of(server, response)["requestParameters"]
    assert 10 < len(parameters["changeBatch"]["changes"]) < 400
    assert parameters["incompleteBodyBytes"] > 32 * 1024


def test_sighup_opens_it_anew(server):
    first, moved = server.data / "audit.log", server.data / "audit.log.1"
    client = server.client()
    before = client.list_hosted_zones()
    of(server, before)
    first.rename(moved)
    server.process.send_signal(signal.SIGHUP)
    assert eventually(first.exists)
    after = client.list_hosted_zones()
    of(server, after)
    kept = [e["requestID"] for e in events(server, moved)]
    assert before["ResponseMetadata"]["RequestId"] in kept
    assert after["ResponseMetadata"]["RequestId"] not in kept


def test_a_process_that_takes_over_writes_on(start):
    adopt_successors()
    server = start()
    client = server.client()
    client.list_hosted_zones()
    server.replace()
    client.get_hosted_zone_count()

    def names():
        return [e["eventName"] for e in events(server)]

    assert eventually(lambda: names() == ["ListHostedZones", "Replace", "GetHostedZoneCount"])


def test_what_cannot_be_written_is_shown_and_changes_go_on(start):
    server = start(config='[audit]\nfile = "/dev/full"\n')
    zone = Zone(server.client(), "full.example")
    zone.change(create("www.full.example", "A", "192.0.2.1"))
    assert eventually(lambda: server.health("readyz/changes") == 503)
    assert server.health("readyz") == 200
    assert eventually(lambda: "the audit log waits" in server.log_tail(size=1 << 16))
    # Nothing is lost before there is no room in memory either.
    assert 'meridian_audit_lines_total{outcome="lost"} 0' in metrics(server)
    assert "meridian_audit_waits 1" in metrics(server)


def test_reads_can_be_left_out_and_the_file_may_be_elsewhere(start, tmp_path):
    log = tmp_path / "calls.jsonl"
    server = start(config=f'[audit]\nfile = "{log}"\nreads = false\n')
    client = server.client()
    client.list_hosted_zones()
    refusal(lambda: client.get_hosted_zone(Id="Z0"))
    Zone(client, "elsewhere.example")
    assert server.stop() == 0
    names = [e["eventName"] for e in events(server, log)]
    assert names == ["GetHostedZone", "CreateHostedZone"]
    assert log.stat().st_mode & 0o777 == 0o640


def metrics(server):
    with urllib.request.urlopen(f"http://{server.metrics}/metrics", timeout=5) as response:
        return response.read().decode()
