"""Who am I: sts:GetCallerIdentity as SDKs and tools ask it before anything else."""

import http.client
import json
import subprocess
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import pytest

from harness import Key, refusal

ASK = "Action=GetCallerIdentity&Version=2011-06-15"
NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/"


def client_of(server, service, key=None, region="eu-central-1"):
    key = key or server.operator()
    return boto3.session.Session().client(
        service,
        endpoint_url=server.endpoint,
        region_name=region,
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        config=botocore.config.Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def account(meridian):
    return meridian.admin("account", "create", "who-am-i")["id"]


@pytest.fixture(scope="module")
def user(meridian, account):
    """A key of a user who may do nothing."""
    meridian.admin("user", "create", "nobody@example", "--account", account)
    key = meridian.admin("key", "create", "--account", account, "--user", "nobody@example")
    return Key(key["access_key_id"], key["secret_access_key"], account)


def test_an_account_is_its_root(meridian, account):
    said = client_of(meridian, "sts", meridian.new_key(account)).get_caller_identity()
    assert said["Account"] == said["UserId"] == account
    assert said["Arn"] == f"arn:aws:iam::{account}:root"
    metadata = said["ResponseMetadata"]
    assert metadata["RequestId"] == metadata["HTTPHeaders"]["x-amzn-requestid"]


def test_a_user_without_any_right_hears_who_it_is(meridian, user):
    said = client_of(meridian, "sts", user).get_caller_identity()
    assert said["Account"] == user.account
    assert said["Arn"] == f"arn:aws:iam::{user.account}:user/nobody@example"
    assert said["UserId"].startswith("AIDA") and len(said["UserId"]) == 21
    assert client_of(meridian, "sts", user).get_caller_identity()["UserId"] == said["UserId"]
    code, _ = refusal(meridian.client(user).list_hosted_zones)
    assert code == "AccessDenied"


def test_aws_cli_asks_it(meridian):
    done = subprocess.run(
        ["aws", "--endpoint-url", meridian.endpoint, "sts", "get-caller-identity"],
        env=meridian.aws_environment() | {"AWS_DEFAULT_OUTPUT": "json"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"UserId", "Account", "Arn"}


def test_keys_that_are_wrong_are_refused_as_by_sts(meridian, user):
    for key, expected in (
        (Key("AKIAAAAAAAAAAAAAAAAA", "x" * 40), "InvalidClientTokenId"),
        (Key(user.id, "x" * 40), "SignatureDoesNotMatch"),
    ):
        code, _ = refusal(client_of(meridian, "sts", key).get_caller_identity)
        assert code == expected


def test_a_key_that_is_put_away_is_nobody(meridian, account):
    key = meridian.new_key(account)
    sts = client_of(meridian, "sts", key)
    meridian.admin("key", "deactivate", key.id)
    assert refusal(sts.get_caller_identity)[0] == "InvalidClientTokenId"
    meridian.admin("key", "delete", key.id)


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("AssumeRole", lambda sts: sts.assume_role(RoleArn="a" * 20, RoleSessionName="me")),
        ("GetSessionToken", lambda sts: sts.get_session_token()),
    ],
)
def test_there_are_no_temporary_credentials(meridian, operation, call):
    code, text = refusal(lambda: call(client_of(meridian, "sts")))
    assert code == "InvalidAction"
    assert text == f"Could not find operation {operation} for version 2011-06-15"


def test_services_that_speak_json_hear_json(meridian):
    domains = client_of(meridian, "route53domains", region="us-east-1")
    code, text = refusal(domains.list_domains)
    assert (code, text) == (
        "InvalidAction",
        "Meridian does not implement Route53Domains_v20140515.ListDomains.",
    )


def ask(server, method, query="", body=b"", signer=botocore.auth.SigV4Auth, service="sts", **how):
    """A request that is signed as botocore does it; returns status, headers and body."""
    key = server.operator()
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
    url = f"{server.endpoint}/" + (f"?{query}" if query else "")
    request = botocore.awsrequest.AWSRequest(method, url, headers=headers, data=body)
    credentials = botocore.credentials.Credentials(key.id, key.secret)
    if signer:
        signer(credentials, service, "us-east-1", **how).add_auth(request)
    prepared = request.prepare()
    split = urllib.parse.urlsplit(prepared.url)
    connection = http.client.HTTPConnection(server.api, timeout=10)
    connection.request(method, f"/?{split.query}", body=body, headers=dict(prepared.headers))
    response = connection.getresponse()
    said = response.read().decode()
    connection.close()
    return response.status, response.headers, said


def test_get_and_presigned_requests_are_answered(meridian):
    for how in ({}, {"signer": botocore.auth.SigV4QueryAuth, "expires": 60}):
        status, headers, said = ask(meridian, "GET", ASK, **how)
        assert status == 200, said
        assert headers["content-type"] == "text/xml"
        assert f'<GetCallerIdentityResponse xmlns="{NAMESPACE}">' in said
        assert headers["x-amzn-requestid"] in said


@pytest.mark.parametrize(
    ("expected", "how"),
    [
        ((400, "InvalidAction"), {"body": b"Action=GetCallerIdentity"}),
        ((400, "InvalidAction"), {"body": b"Action=GetCallerIdentity&Version=2010-05-08"}),
        ((400, "MissingAction"), {"body": b"{}"}),
        ((400, "MissingAction"), {}),
        ((413, "RequestEntityTooLarge"), {"body": ASK.encode() + b"&a" * 10_000}),
        ((405, "MethodNotAllowed"), {"method": "DELETE"}),
        ((403, "MissingAuthenticationToken"), {"body": ASK.encode(), "signer": None}),
        ((403, "SignatureDoesNotMatch"), {"body": ASK.encode(), "service": "route53"}),
    ],
)
def test_errors_come_in_the_envelope_of_the_query_protocol(meridian, expected, how):
    status, headers, said = ask(meridian, **({"method": "POST"} | how))
    assert (status, f"<Code>{expected[1]}</Code>" in said) == (expected[0], True), said
    assert f'<ErrorResponse xmlns="{NAMESPACE}">' in said
    assert f"<RequestId>{headers['x-amzn-requestid']}</RequestId>" in said
