"""Signature Version 4 as the SDKs do it, and the right error for each way to get it wrong."""

import datetime
import http.client
import re
import urllib.error
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from harness import Key, Zone, refusal

PATH = "/2013-04-01/hostedzone"


def fetch(request):
    """Sends a signed request; returns status and body."""
    try:
        with urllib.request.urlopen(
            urllib.request.Request(request.url, headers=dict(request.headers)), timeout=10
        ) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def signed(
    meridian, path, method=botocore.auth.SigV4Auth, region="us-east-1", headers=None, **options
):
    key = meridian.operator()
    request = botocore.awsrequest.AWSRequest("GET", meridian.endpoint + path, headers=headers)
    credentials = botocore.credentials.Credentials(key.id, key.secret)
    method(credentials, "route53", region, **options).add_auth(request)
    return request.prepare()


def error_of(body):
    assert "<ErrorResponse" in body and "<RequestId>" in body, body
    return re.search("<Code>(.*?)</Code>", body)[1], re.search("<Message>(.*?)</Message>", body)[1]


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "anywhere-at-all-9"])
def test_any_region_signs(meridian, region):
    assert "HostedZones" in meridian.client(region=region).list_hosted_zones()


def test_missing_signature(meridian):
    connection = http.client.HTTPConnection(meridian.api, timeout=10)
    connection.request("GET", PATH)
    response = connection.getresponse()
    body = response.read().decode()
    assert response.status == 403
    assert error_of(body)[0].startswith("MissingAuthenticationToken")
    assert response.getheader("x-amzn-RequestId") in body


def test_unknown_key(meridian):
    client = meridian.client(Key("AKIAAAAAAAAAAAAAAAAA", meridian.operator().secret))
    code, text = refusal(client.list_hosted_zones)
    assert code == "InvalidClientTokenId"
    assert text == "The security token included in the request is invalid."


def test_wrong_secret(meridian):
    client = meridian.client(Key(meridian.operator().id, "x" * 40))
    code, text = refusal(client.list_hosted_zones)
    assert code == "SignatureDoesNotMatch"
    assert text.startswith("The request signature we calculated does not match")


def test_a_change_after_signing_is_noticed(meridian):
    request = signed(meridian, f"{PATH}?maxitems=1")
    request.url = request.url.replace("maxitems=1", "maxitems=2")
    status, body = fetch(request)
    assert (status, error_of(body)[0]) == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(-16, "expired"), (16, "not yet current"), (-14, None), (14, None)],
)
def test_clocks_may_differ_by_fifteen_minutes(meridian, monkeypatch, minutes, words):
    moved = datetime.timedelta(minutes=minutes)
    real = botocore.auth.get_current_datetime
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *a, **k: real(*a, **k) + moved
    )
    client = meridian.client()
    if words is None:
        assert "HostedZones" in client.list_hosted_zones()
        return
    code, text = refusal(client.list_hosted_zones)
    assert code in ("SignatureDoesNotMatch", "InvalidSignatureException")
    assert words in text.lower()


def test_a_date_stands_for_an_x_amz_date(meridian):
    """Who signs by Date alone, as SigV4 allows, was told that the signature is incomplete."""
    # What it says does not matter: botocore writes the time into whichever of the two is there.
    request = signed(meridian, PATH, headers={"Date": "now"})
    assert "X-Amz-Date" not in request.headers and request.headers["Date"] != "now"
    status, body = fetch(request)
    assert status == 200 and "<ListHostedZonesResponse" in body, body
    request.headers["Date"] = "Sun, 30 Aug 2015 12:36:00 GMT"
    status, body = fetch(request)
    assert (status, error_of(body)[0]) == (403, "SignatureDoesNotMatch")
    del request.headers["Date"]
    status, body = fetch(request)
    assert (status, error_of(body)) == (
        400,
        (
            "IncompleteSignature",
            "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
        ),
    )


def test_presigned_url(meridian):
    request = signed(meridian, PATH, botocore.auth.SigV4QueryAuth, expires=60)
    assert "X-Amz-Signature=" in request.url
    status, body = fetch(request)
    assert status == 200 and "<ListHostedZonesResponse" in body
    request.url += "0"
    status, body = fetch(request)
    assert (status, error_of(body)[0]) == (403, "SignatureDoesNotMatch")


def test_path_is_encoded_twice_and_query_once(meridian, zone):
    """An id sent with its prefix inside one segment, and a query full of special characters."""
    status, body = fetch(signed(meridian, f"{PATH}/%2Fhostedzone%2F{zone.id}"))
    assert status in (200, 400, 404) and "SignatureDoesNotMatch" not in body, body
    answer = zone.client.list_resource_record_sets(
        HostedZoneId=zone.id,
        StartRecordName=f"*.a b\\052.{zone.name}".replace(" ", "\\040"),
        StartRecordType="A",
        StartRecordIdentifier="x/y z*~+",
    )
    assert answer["ResourceRecordSets"] == []


def test_deactivated_and_foreign_keys_do_not_mix(meridian):
    """The right secret of one key does not open with the id of another."""
    other = meridian.new_account("signing-tenant")
    client = meridian.client(Key(meridian.operator().id, other.secret))
    assert refusal(client.list_hosted_zones)[0] == "SignatureDoesNotMatch"


def test_every_answer_carries_a_request_id(meridian, route53):
    answer = route53.list_hosted_zones()
    headers = answer["ResponseMetadata"]["HTTPHeaders"]
    assert re.fullmatch("[0-9a-f-]{36}", headers["x-amzn-requestid"])
    assert headers["content-type"].startswith("text/xml")


def test_a_thousand_characters_of_nonsense_are_not_a_fault(meridian):
    """Requests that no SDK sends get a 4xx, not a 5xx and not a closed connection."""
    for path in ("/", "/2013-04-01/nothing", "/2013-04-01/hostedzone/" + "Z" * 1000, "/%00%ff"):
        connection = http.client.HTTPConnection(meridian.api, timeout=10)
        connection.request("GET", path)
        assert 400 <= connection.getresponse().status < 500, path
    assert Zone(meridian.client(), "after-nonsense.example").id
