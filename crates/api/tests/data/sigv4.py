#!/usr/bin/env python3
"""Writes sigv4.json: requests signed by botocore, the oracle for crate `sigv4`.

Run with a Python that has botocore, from any directory. Times are fixed, so the file only changes
when the cases or botocore do. `secret` is the one of AWS's published examples.
"""

import datetime
import json
import pathlib
from unittest import mock
from urllib.parse import urlsplit

import botocore.session
from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

KEY = "AKIDEXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TIME = datetime.datetime(2015, 8, 30, 12, 36, 0)
HOST = "http://127.0.0.1:5380"

cases = []


def keep(name, service, method, url, headers, body):
    parts = urlsplit(url)
    headers = {k.lower(): v.decode() if isinstance(v, bytes) else v for k, v in headers.items()}
    headers.setdefault("host", parts.netloc)
    body = body or b""
    cases.append(
        {
            "name": name,
            "service": service,
            "method": method,
            "path": parts.path or "/",
            "query": parts.query,
            "headers": sorted(headers.items()),
            "body": body.decode() if isinstance(body, bytes) else body,
        }
    )


def sign(name, method, url, headers=(), body=b"", region="us-east-1", service="service", signer=auth.SigV4Auth, **more):
    request = AWSRequest(method=method, url=url, data=body, headers=dict(headers))
    signer(Credentials(KEY, SECRET), service, region, **more).add_auth(request)
    keep(name, service, method, request.url, dict(request.headers.items()), body)


def vectors():
    base = "https://example.amazonaws.com"
    sign("get-vanilla", "GET", base + "/")
    sign("get-vanilla-query-order-key-case", "GET", base + "/?Param2=value2&Param1=value1")
    sign("get-vanilla-query-order-value", "GET", base + "/?Param1=value2&Param1=value1")
    sign("get-unreserved", "GET", base + "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
    sign("get-utf8", "GET", base + "/%E1%88%B4")
    sign("get-space", "GET", base + "/example%20space/")
    sign("get-relative", "GET", base + "/example1/example2/../..")
    sign("get-slashes", "GET", base + "//example//")
    sign("get-header-value-trim", "GET", base + "/", {"My-Header1": " value1", "My-Header2": ' "a   b   c"'})
    sign("post-vanilla", "POST", base + "/")
    sign("post-header-key-sort", "POST", base + "/", {"My-Header1": "value1"})
    sign("post-body", "POST", base + "/", {"Content-Type": "application/x-www-form-urlencoded"}, b"Param1=value1")
    sign("no-value", "GET", base + "/?flag=&other=%26%3D")
    sign("port", "GET", HOST + "/2013-04-01/hostedzone", service="route53", region="eu-west-1")
    for expires in (1, 3600, 604800):
        url = HOST + "/2013-04-01/hostedzone?maxitems=1"
        sign(f"presigned-{expires}", "GET", url, service="route53", signer=auth.SigV4QueryAuth, expires=expires)


def clients():
    """What a whole client sends for the odd corners of Route 53's paths and queries."""
    session = botocore.session.get_session()
    session.set_credentials(KEY, SECRET)
    client = session.create_client("route53", region_name="eu-central-1", endpoint_url=HOST)
    current = []

    def capture(request, **_):
        keep(current[0], "route53", request.method, request.url, dict(request.headers.items()), request.body)
        raise KeyboardInterrupt

    client.meta.events.register("before-send.route53", capture)

    def call(name, operation, **arguments):
        current[:] = [name]
        try:
            getattr(client, operation)(**arguments)
        except KeyboardInterrupt:
            pass

    call("list", "list_resource_record_sets", HostedZoneId="/hostedzone/Z1", StartRecordName="*.ex\\052.com.",
         StartRecordType="A", StartRecordIdentifier="x/y z+ü")
    call("tags", "list_tags_for_resource", ResourceType="hostedzone", ResourceId="/hostedzone/Z1")
    call("change", "change_resource_record_sets", HostedZoneId="Z1", ChangeBatch={
        "Comment": "grüße & <more>",
        "Changes": [{"Action": "UPSERT", "ResourceRecordSet": {
            "TTL": 60, "Type": "TXT", "Name": "a.example.com",
            "ResourceRecords": [{"Value": "\"a  b\""}]}}]})
    call("count", "get_hosted_zone_count")


with mock.patch("botocore.auth.get_current_datetime", lambda: TIME):
    vectors()
    clients()

path = pathlib.Path(__file__).with_suffix(".json")
document = {"access_key": KEY, "secret": SECRET, "now": "20150830T123600Z", "cases": cases}
path.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
