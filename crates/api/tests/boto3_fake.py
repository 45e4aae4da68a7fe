"""Drives the API with boto3, botocore's signers and aws cli. Arguments: endpoint, key, secret."""

import datetime
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from unittest import mock

import boto3
import botocore.session
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

ENDPOINT, KEY, SECRET = sys.argv[1:4]
for name in list(os.environ):
    if name.startswith("AWS_"):
        del os.environ[name]
os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
os.environ["AWS_EC2_METADATA_DISABLED"] = "true"


def client(key=KEY, secret=SECRET, region="eu-west-1", validate=True, **more):
    config = Config(parameter_validation=validate, retries={"mode": "standard", "max_attempts": 3})
    return boto3.client("route53", endpoint_url=ENDPOINT, region_name=region, aws_access_key_id=key,
                        aws_secret_access_key=secret, config=config, **more)


def refused(call, code, text, status):
    try:
        call()
    except ClientError as error:
        answer = error.response
        assert answer["Error"]["Code"] == code, answer
        assert text in answer["Error"]["Message"], answer
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == status, answer
        assert len(answer["ResponseMetadata"]["RequestId"]) == 36, answer
        return error
    raise AssertionError(f"{code} expected")


def http(method, path, body=b"", headers=(), signer=auth.SigV4Auth, when=None, sign=True, **more):
    """One raw request, signed by botocore; returns status, headers and body."""
    request = AWSRequest(method, ENDPOINT + path, data=body, headers=dict(headers))
    when = when or datetime.datetime.now(datetime.timezone.utc)
    if sign:
        with mock.patch("botocore.auth.get_current_datetime", lambda: when):
            signer(Credentials(KEY, SECRET), "route53", "us-gov-west-1", **more).add_auth(request)
    raw = urllib.request.Request(request.url, data=body or None, method=method, headers=dict(request.headers.items()))
    # urllib would add a type to bodies; it is not signed, so it does no harm.
    try:
        with urllib.request.urlopen(raw, timeout=30) as answer:
            return answer.status, answer.headers, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read().decode()


def zones(r53):
    created = r53.create_hosted_zone(
        Name="Example.COM", CallerReference="one",
        HostedZoneConfig={"Comment": "Grüße & <more>\ttoo", "PrivateZone": False})
    zone = created["HostedZone"]
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["Location"] == f"{ENDPOINT}/2013-04-01{zone['Id']}", created
    assert zone == {
        "Id": zone["Id"], "Name": "example.com.", "CallerReference": "one", "ResourceRecordSetCount": 0,
        "Config": {"Comment": "Grüße & <more>\ttoo", "PrivateZone": False}}, zone
    assert zone["Id"].startswith("/hostedzone/Z")
    assert created["DelegationSet"] == {"NameServers": ["ns1.example.net", "ns2.example.net"]}
    change = created["ChangeInfo"]
    assert change["Status"] == "PENDING" and change["Id"].startswith("/change/C"), change
    assert change["SubmittedAt"].isoformat() == "2017-03-27T17:48:16.751000+00:00", change
    assert "Comment" not in change

    for id in (zone["Id"], zone["Id"].split("/")[-1]):
        got = r53.get_hosted_zone(Id=id)
        assert got["HostedZone"] == zone and got["DelegationSet"] == created["DelegationSet"]

    for number in range(5):
        r53.create_hosted_zone(Name=f"z{number}.example", CallerReference=f"z{number}",
                               HostedZoneConfig={"Comment": ""})
    pages = list(r53.get_paginator("list_hosted_zones").paginate(PaginationConfig={"PageSize": 4}))
    assert [len(page["HostedZones"]) for page in pages] == [4, 2], pages
    assert pages[0]["IsTruncated"] and not pages[1]["IsTruncated"]
    assert pages[0]["MaxItems"] == "4" and pages[1]["Marker"] == pages[0]["NextMarker"]
    assert all("Comment" not in z["Config"] for page in pages for z in page["HostedZones"][1:])
    assert r53.list_hosted_zones()["MaxItems"] == "100"
    assert r53.list_hosted_zones(MaxItems="1000")["MaxItems"] == "100"
    assert r53.list_hosted_zones(HostedZoneType="PrivateHostedZone")["HostedZones"] == []

    page = r53.list_hosted_zones_by_name(DNSName="z1.example", MaxItems="2")
    assert [z["Name"] for z in page["HostedZones"]] == ["z1.example.", "z2.example."], page
    assert (page["DNSName"], page["NextDNSName"]) == ("z1.example", "z3.example."), page
    assert page["NextHostedZoneId"].startswith("Z") and page["IsTruncated"]
    assert "HostedZoneId" not in page

    reusable = r53.create_hosted_zone(Name="r.example", CallerReference="r", DelegationSetId="/delegationset/N1")
    assert reusable["DelegationSet"]["Id"] == "/delegationset/N1", reusable
    r53.delete_hosted_zone(Id=reusable["HostedZone"]["Id"])
    refused(lambda: r53.get_hosted_zone(Id=reusable["HostedZone"]["Id"]), "NoSuchHostedZone", "No hosted zone found", 404)
    return zone["Id"]


def record(type, *values):
    return {"TTL": 60, "ResourceRecords": [{"Value": value} for value in values], "Type": type}


def record_sets(r53, zone):
    uuid = "01234567-89ab-cdef-0123-456789abcdef"
    a = record("A", "192.0.2.1", "192.0.2.2")
    # Not in the order of the model, as callers write them.
    sets = [
        {"Name": "Plain.Example.com", **a},
        {"Name": "*.example.com", **record("TXT", '"two  blanks" "<&>\'\\"é\\\\"', '" lead"')},
        {"ResourceRecords": [{"Value": "\t10 mx.example.com. "}], "TTL": 0, "Type": "MX", "Name": "mx.example.com"},
        *({"SetIdentifier": i, "Weight": w, **a, "Name": "w.example.com"} for i, w in (("a/b c", 0), ("ü", 255))),
        {"HealthCheckId": uuid, "Region": "eu-west-1", "SetIdentifier": "eu", **a, "Name": "l.example.com"},
        {"Failover": "PRIMARY", "SetIdentifier": "p", **a, "Name": "f.example.com"},
        {"GeoLocation": {"CountryCode": "US", "SubdivisionCode": "CA"}, "SetIdentifier": "1", **a, "Name": "g.example.com"},
        {"GeoLocation": {"ContinentCode": "EU"}, "SetIdentifier": "2", **a, "Name": "g.example.com"},
        {"GeoLocation": {"CountryCode": "*"}, "SetIdentifier": "3", **a, "Name": "g.example.com"},
        {"MultiValueAnswer": True, "SetIdentifier": "m", **a, "Name": "m.example.com"},
        {"CidrRoutingConfig": {"LocationName": "*", "CollectionId": uuid}, "SetIdentifier": "c", **a, "Name": "c.example.com"},
        {"GeoProximityLocation": {"Bias": -7, "Coordinates": {"Longitude": "-122.08", "Latitude": "37.22"}},
         "SetIdentifier": "1", **a, "Name": "p.example.com"},
        {"GeoProximityLocation": {"AWSRegion": "us-east-1"}, "SetIdentifier": "2", **a, "Name": "p.example.com"},
        {"GeoProximityLocation": {"LocalZoneGroup": "us-east-1-bue-1", "Bias": 0}, "SetIdentifier": "3", **a, "Name": "p.example.com"},
        {"AliasTarget": {"EvaluateTargetHealth": True, "DNSName": "plain.example.com", "HostedZoneId": zone.split("/")[-1]},
         "Type": "A", "Name": "alias.example.com"},
    ]
    answer = r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={
        "Comment": "all & everything", "Changes": [{"Action": "CREATE", "ResourceRecordSet": s} for s in sets]})
    assert answer["ChangeInfo"]["Comment"] == "all & everything"

    paginator = r53.get_paginator("list_resource_record_sets")
    pages = list(paginator.paginate(HostedZoneId=zone, PaginationConfig={"PageSize": 3}))
    listed = [s for page in pages for s in page["ResourceRecordSets"]]
    assert len(pages) == 6 and len(listed) == len(sets), (len(pages), listed)

    def normal(s):
        s = dict(s, Name=s["Name"].lower().replace("*", "\\052") + ".")
        if "AliasTarget" in s:
            s["AliasTarget"] = dict(s["AliasTarget"], DNSName=s["AliasTarget"]["DNSName"] + ".")
        return json.dumps(s, sort_keys=True)

    assert sorted(map(normal, sets)) == sorted(json.dumps(s, sort_keys=True) for s in listed), listed

    page = r53.list_resource_record_sets(HostedZoneId=zone, StartRecordName="*.example.com", MaxItems="1")
    assert page["ResourceRecordSets"][0]["Name"] == "\\052.example.com." and page["IsTruncated"], page
    assert page["MaxItems"] == "1" and "NextRecordIdentifier" not in page, page
    page = r53.list_resource_record_sets(HostedZoneId=zone, StartRecordName="w.example.com", StartRecordType="A",
                                         StartRecordIdentifier="a/b c", MaxItems="1")
    assert page["ResourceRecordSets"][0]["SetIdentifier"] == "a/b c", page
    assert (page["NextRecordName"], page["NextRecordType"], page["NextRecordIdentifier"]) == ("w.example.com.", "A", "ü"), page

    waiter = r53.get_waiter("resource_record_sets_changed")
    waiter.wait(Id=answer["ChangeInfo"]["Id"], WaiterConfig={"Delay": 0, "MaxAttempts": 3})
    change = r53.get_change(Id=answer["ChangeInfo"]["Id"])["ChangeInfo"]
    assert change["Status"] == "INSYNC", change

    refused(lambda: r53.delete_hosted_zone(Id=zone), "HostedZoneNotEmpty", "non-required", 400)
    # What was listed deletes what is there.
    r53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={
        "Changes": [{"Action": "DELETE", "ResourceRecordSet": s} for s in listed]})
    assert r53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"] == []


def refusals(r53, zone):
    def batch(*changes, by=r53):
        return lambda: by.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={
            "Changes": [{"Action": action, "ResourceRecordSet": s} for action, s in changes]})

    gone = {"Name": "gone.example.com", **record("A", "192.0.2.1")}
    error = refused(batch(("DELETE", gone), ("DELETE", dict(gone, SetIdentifier="x", Weight=1))), "InvalidChangeBatch",
                    "[Tried to delete resource record set [name='gone.example.com.', type='A'] but it was not found, "
                    "Tried to delete resource record set [name='gone.example.com.', type='A', set-identifier='x'] but", 400)
    assert isinstance(error, r53.exceptions.InvalidChangeBatch)
    error = refused(lambda: r53.get_change(Id="C0"), "NoSuchChange", "Could not find resource with ID: C0", 404)
    assert isinstance(error, r53.exceptions.NoSuchChange)
    refused(lambda: r53.get_hosted_zone(Id="Z<&>"), "NoSuchHostedZone", "No hosted zone found with ID: Z<&>", 404)
    refused(lambda: r53.get_hosted_zone(Id="Z" * 33), "InvalidInput",
            "Invalid XML ; cvc-maxLength-valid: Value 'ZZZ", 400)
    refused(lambda: r53.create_hosted_zone(Name="x.example", CallerReference="one"), "HostedZoneAlreadyExists",
            "A hosted zone has already been created", 409)
    refused(lambda: r53.list_hosted_zones(MaxItems="ten"), "InvalidInput", "'maxItems'", 400)
    refused(lambda: r53.list_hosted_zones(HostedZoneType="x"), "InvalidInput", "[PrivateHostedZone]", 400)
    refused(lambda: r53.list_resource_record_sets(HostedZoneId=zone, StartRecordName="a", StartRecordType="X"),
            "InvalidInput", "enum value set: [A, AAAA, ", 400)

    loose = client(validate=False)
    for bad, text in (
        ({"TTL": 2**31}, "maxInclusive '2147483647'"), ({"Weight": -1}, "minInclusive '0'"),
        ({"Region": "mars-1"}, "enumeration '[us-east-1"), ({"Type": "ANY"}, "'ANY' is not facet-valid"),
        ({"SetIdentifier": "x" * 129}, "length = '129'"), ({"GeoLocation": {}}, "'GeoLocation' is not complete"),
        ({"ResourceRecords": [{"Value": "x" * 4001}]}, "for type 'RData'"),
        ({"AliasTarget": {"DNSName": "x", "HostedZoneId": "Z1"}}, ":EvaluateTargetHealth}' is expected"),
    ):
        error = refused(batch(("UPSERT", dict(gone, **bad)), by=loose), "InvalidInput", text, 400)
        assert error.response["Error"]["Message"].startswith("Invalid XML ; cvc-"), error
    refused(batch(by=loose), "InvalidInput", "'Changes' is not complete", 400)
    refused(batch(("REPLACE", gone), by=loose), "InvalidInput", "enumeration '[CREATE, DELETE, UPSERT]'", 400)

    # An empty optional element is an absent one.
    batch(("UPSERT", dict(gone, HealthCheckId="", ResourceRecords=[{"Value": "x"}])), by=loose)()
    listed = r53.list_resource_record_sets(HostedZoneId=zone)["ResourceRecordSets"]
    assert len(listed) == 1 and "HealthCheckId" not in listed[0], listed

    refused(lambda: r53.get_hosted_zone_count(), "NotImplemented", "Meridian does not implement GetHostedZoneCount yet.", 501)
    # Its id goes out as %2Fhostedzone%2FZ…, signed as %252F….
    refused(lambda: r53.list_tags_for_resource(ResourceType="hostedzone", ResourceId=zone), "NotImplemented",
            "ListTagsForResource", 501)
    answer = r53.create_hosted_zone(Name="busy.example", CallerReference="busy")
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1, answer
    for name in ("fault.example", "panic.example"):
        error = refused(lambda: r53.create_hosted_zone(Name=name, CallerReference="x"), "InternalFailure",
                        "The request processing has failed", 500)
        assert "sda9" not in str(error.response)


def signatures(zone):
    mismatch = "The request signature we calculated does not match"
    refused(lambda: client(secret="wrong").list_hosted_zones(), "SignatureDoesNotMatch", mismatch, 403)
    refused(lambda: client(key="AKIAUNKNOWN").list_hosted_zones(), "InvalidClientTokenId",
            "The security token included in the request is invalid.", 403)
    refused(lambda: client(aws_session_token="t").list_hosted_zones(), "InvalidClientTokenId", "security token", 403)
    for region in ("us-east-1", "cn-northwest-1"):
        client(region=region).list_hosted_zones()

    now = datetime.datetime.now(datetime.timezone.utc)
    path = "/2013-04-01/hostedzone?maxitems=1&marker="
    for minutes, text in ((-14, None), (14, None), (-16, "Signature expired: "), (16, "Signature not yet current: ")):
        with mock.patch("botocore.auth.get_current_datetime", lambda: now + datetime.timedelta(minutes=minutes)):
            if text:
                refused(lambda: client().list_hosted_zones(), "SignatureDoesNotMatch", text, 403)
            else:
                client().list_hosted_zones()

    status, headers, body = http("GET", path)
    assert status == 200 and headers["Content-Type"] == "text/xml" and len(headers["x-amzn-RequestId"]) == 36
    assert int(headers["Content-Length"]) == len(body.encode()), headers
    status, _, body = http("GET", path, signer=auth.SigV4QueryAuth, expires=60)
    assert status == 200 and "<MaxItems>1</MaxItems>" in body, body
    status, _, body = http("GET", path, signer=auth.SigV4QueryAuth, expires=60, when=now - datetime.timedelta(minutes=2))
    assert status == 403 and "Signature expired" in body, body
    url = client().generate_presigned_url("list_resource_record_sets", Params={
        "HostedZoneId": zone, "StartRecordName": "*.a\\052", "StartRecordType": "A", "StartRecordIdentifier": "x/y +z"})
    assert url.startswith(ENDPOINT) and "X-Amz-Signature" in url, url
    with urllib.request.urlopen(url) as answer:
        assert answer.status == 200
    status, _, body = http("GET", path, sign=False)
    assert status == 403 and "<Code>MissingAuthenticationToken</Code>" in body, body
    status, _, body = http("GET", path, sign=False, headers={"Authorization": "Basic eDp5"})
    assert status == 400 and "<Code>IncompleteSignature</Code>" in body, body


def oddities(zone):
    id = zone.split("/")[-1]
    for path in (f"/2013-04-01/hostedzone//hostedzone/{id}", f"/2013-04-01/hostedzone/%2Fhostedzone%2F{id}",
                 f"/2013-04-01/hostedzone/{id}/", f"/2013-04-01/x/../hostedzone/{id}"):
        status, _, body = http("GET", path)
        assert status == 200 and f"<Id>{zone}</Id>" in body, (path, body)
    assert http("GET", "/")[0] == 404
    assert http("PUT", "/2013-04-01/hostedzone")[0] == 405
    for path in ("rrset", "rrset/"):
        status, _, body = http("POST", f"/2013-04-01/hostedzone/{id}/{path}", b"<Wrong/>")
        assert status == 400 and "<Code>MalformedInput</Code>" in body, body
        assert "ChangeBatch is not valid, expected ChangeResourceRecordSetsRequest" in body, body
    status, headers, body = http("POST", "/2013-04-01/hostedzone",
                                 b"<CreateHostedZoneRequest><Name>raw.example</Name><CallerReference>raw</CallerReference></CreateHostedZoneRequest>")
    assert status == 201 and headers["Location"].startswith(ENDPOINT), (status, body)
    # The Go SDK signs the length; others the digest of the body, which then has to be right.
    body = b"<CreateHostedZoneRequest><Name>go.example</Name><CallerReference>go</CallerReference></CreateHostedZoneRequest>"
    digest = hashlib.sha256(body).hexdigest()
    status, _, answer = http("POST", "/2013-04-01/hostedzone", body, {
        "Content-Length": str(len(body)), "X-Amz-Content-SHA256": digest, "Content-Type": "application/xml"})
    assert status == 201, answer
    for digest in ("UNSIGNED-PAYLOAD", hashlib.sha256(b"").hexdigest()):
        status, _, answer = http("POST", "/2013-04-01/hostedzone", body, {"X-Amz-Content-SHA256": digest})
        assert status == 403 and "SignatureDoesNotMatch" in answer, answer

    # Announced and chunked bodies that are too long.
    host, port = ENDPOINT.removeprefix("http://").split(":")
    head = b"POST /2013-04-01/hostedzone HTTP/1.1\r\nHost: x\r\n"
    for request in (head + b"Content-Length: 1048577\r\n\r\n", head + b"Transfer-Encoding: chunked\r\n\r\n110000\r\n" + b"x" * 0x110000):
        with socket.create_connection((host, int(port)), timeout=30) as connection:
            connection.sendall(request)
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 413 ") and b"RequestEntityTooLarge" in answer, answer


def aws(*arguments):
    environment = dict(os.environ, AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_DEFAULT_REGION="eu-north-1",
                       AWS_ENDPOINT_URL_ROUTE_53=ENDPOINT, AWS_PAGER="")
    run = subprocess.run([sys.executable, "-m", "awscli", "route53", *arguments, "--output", "json"], env=environment,
                         capture_output=True, text=True)
    return (json.loads(run.stdout) if run.stdout.strip() else None), run.stderr, run.returncode


def command_line():
    created, stderr, code = aws("create-hosted-zone", "--name", "cli.example", "--caller-reference", "cli")
    assert code == 0, stderr
    zone = created["HostedZone"]["Id"]
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": {"Name": "*.cli.example", "Type": "TXT", "TTL": 5,
                                                                    "ResourceRecords": [{"Value": '"a"'}]}}]}
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(batch, file)
        file.flush()
        changed, stderr, code = aws("change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", f"file://{file.name}")
    assert code == 0, stderr
    got, stderr, code = aws("get-change", "--id", changed["ChangeInfo"]["Id"])
    assert got["ChangeInfo"]["Status"] == "PENDING", (got, stderr)
    _, stderr, code = aws("wait", "resource-record-sets-changed", "--id", changed["ChangeInfo"]["Id"])
    assert code == 0, stderr
    listed, stderr, code = aws("list-resource-record-sets", "--hosted-zone-id", zone, "--page-size", "1")
    assert listed["ResourceRecordSets"][0]["Name"] == "\\052.cli.example.", (listed, stderr)
    everything, stderr, code = aws("list-hosted-zones", "--page-size", "2")
    assert len(everything["HostedZones"]) > 5, stderr
    by_name, stderr, code = aws("list-hosted-zones-by-name", "--dns-name", "cli.example", "--max-items", "1")
    assert by_name["HostedZones"][0]["Name"] == "cli.example.", stderr
    got, stderr, code = aws("get-hosted-zone", "--id", zone)
    assert got["HostedZone"]["ResourceRecordSetCount"] == 1, stderr
    _, stderr, code = aws("delete-hosted-zone", "--id", zone)
    assert code != 0 and "(HostedZoneNotEmpty)" in stderr, stderr


r53 = client()
zone = zones(r53)
record_sets(r53, zone)
refusals(r53, zone)
signatures(zone)
oddities(zone)
command_line()
print(f"boto3 {boto3.__version__}, botocore {botocore.__version__}: content")
