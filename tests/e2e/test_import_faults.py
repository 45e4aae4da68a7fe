"""`meridian import route53` from sources that stumble, know more than we do, or make no sense."""

import http.client
import http.server
import itertools
import re
import socketserver
import ssl
import threading

import pytest

from harness import Meridian, Zone, create
from moving import by_name, run, sets_of

NAMESPACE = "https://route53.amazonaws.com/doc/2013-04-01/"


class Between(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """Stands before a source: `answer(path, pass_on)` is status and body, or None to hang up."""

    daemon_threads = True

    def __init__(self, source, answer, certificate=None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.source, self.answer = source, answer
        scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, certificate))
            self.socket = context.wrap_socket(self.socket, server_side=True)
            scheme = "https"
        self.endpoint = f"{scheme}://127.0.0.1:{self.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        pass


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        answer = self.server.answer(self.path, lambda: self.passed_on(body))
        self.close_connection = answer is None
        if answer is not None:
            status, content = answer
            self.send_response(status)
            self.send_header("Content-Length", len(content))
            self.end_headers()
            self.wfile.write(content)

    do_POST = do_GET

    def passed_on(self, body):
        connection = http.client.HTTPConnection(self.server.source.api, timeout=30)
        connection.request(self.command, self.path, body, dict(self.headers))
        answer = connection.getresponse()
        return answer.status, answer.read()

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    with Meridian(tmp_path_factory.mktemp("source")) as server:
        client = server.client()
        server.zones = [Zone(client, "one.example"), Zone(client, "two.example")]
        for zone in server.zones:
            zone.change(create(f"a.{zone.name}", "A", "192.0.2.1"))
        server.private_zone("inside.example")
        yield server


def document(root, inner):
    return f'<?xml version="1.0"?><{root} xmlns="{NAMESPACE}">{inner}</{root}>'.encode()


def error(status, code):
    inner = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>m</Message></Error>"
    return status, document("ErrorResponse", inner)


def copied(target):
    zones = [z["name"] for z in target.admin("zone", "list")]
    return sorted(name for name in zones if name.endswith(".example."))


ONE = ["--zone", "one.example"]


def test_a_source_that_stumbles_is_asked_again(source, start):
    target = start()
    source.admin("tls", "init", "--address", "127.0.0.1")
    tls = source.data / "tls"
    faults = itertools.cycle(
        [error(400, "Throttling"), (503, b"<html>busy</html>"), None, error(429, "TooMany")]
    )
    asked = itertools.count()

    def answer(_path, pass_on):
        return next(faults) if next(asked) % 3 == 2 else pass_on()

    with Between(source, answer, [tls / "server.pem", tls / "server-key.pem"]) as between:
        said = run(target, source, *ONE, check=1, endpoint=between.endpoint)
        assert "cannot reach" in said and "certificate" in said
        options = [*ONE, "--ca", tls / "ca.pem"]
        zone = by_name(run(target, source, *options, endpoint=between.endpoint))["one.example"]
    assert zone["outcome"] == "copied" and next(asked) > 12
    sets = [sets_of(s.client(), i, {}) for s, i in ((source, zone["id"]), (target, zone["new_id"]))]
    assert sets[0] == sets[1] != []


CIDR = "c8c02a84-aaaa-e8e0-e53f-83e6b9b0b5d0"
MORE = {
    "/healthcheck?marker=h2": (
        "ListHealthChecksResponse",
        "<HealthChecks><HealthCheck><Id>h2</Id><HealthCheckConfig><Type>TCP&#x9b;2J</Type>"
        "</HealthCheckConfig></HealthCheck></HealthChecks><IsTruncated>false</IsTruncated>",
    ),
    "/healthcheck": (
        "ListHealthChecksResponse",
        "<HealthChecks><HealthCheck><Id>h1</Id><HealthCheckConfig><Type>HTTPS</Type>"
        "</HealthCheckConfig></HealthCheck></HealthChecks><IsTruncated>true</IsTruncated>"
        "<NextMarker>h2</NextMarker>",
    ),
    "/cidrcollection": (
        "ListCidrCollectionsResponse",
        f"<CidrCollections><member><Id>{CIDR}</Id><Name>offices</Name></member></CidrCollections>",
    ),
    "/trafficpolicies": (
        "ListTrafficPoliciesResponse",
        "<TrafficPolicySummaries><TrafficPolicySummary><Id>t1</Id><Name>spread</Name>"
        "</TrafficPolicySummary></TrafficPolicySummaries><IsTruncated>false</IsTruncated>",
    ),
    "/trafficpolicyinstances?hostedzoneid=ZX&trafficpolicyinstancename=b."
    "&trafficpolicyinstancetype=A": (
        "ListTrafficPolicyInstancesResponse",
        "<TrafficPolicyInstances><TrafficPolicyInstance><Id>i2</Id><HostedZoneId>ZX</HostedZoneId>"
        "<Name>b.</Name></TrafficPolicyInstance></TrafficPolicyInstances>"
        "<IsTruncated>false</IsTruncated>",
    ),
    "/trafficpolicyinstances": (
        "ListTrafficPolicyInstancesResponse",
        "<TrafficPolicyInstances/><IsTruncated>true</IsTruncated><HostedZoneIdMarker>ZX"
        "</HostedZoneIdMarker><TrafficPolicyInstanceNameMarker>b.</TrafficPolicyInstanceNameMarker>"
        "<TrafficPolicyInstanceTypeMarker>A</TrafficPolicyInstanceTypeMarker>",
    ),
}
VALUE = "<TTL>5</TTL><ResourceRecords><ResourceRecord><Value>192.0.2.9</Value></ResourceRecord>"
VALUE += "</ResourceRecords>"
SETS = {
    "checked": f"<SetIdentifier>x</SetIdentifier><Weight>1</Weight>{VALUE}"
    "<HealthCheckId>h1</HealthCheckId>",
    "cidr": f"<SetIdentifier>x</SetIdentifier>{VALUE}<CidrRoutingConfig><CollectionId>{CIDR}"
    "</CollectionId><LocationName>*</LocationName></CidrRoutingConfig>",
    "cloudfront": "<AliasTarget><HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId><DNSName>"
    "d1.cloudfront.net.</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>",
    "new-service": "<AliasTarget><HostedZoneId>Z0NEWSERVICE</HostedZoneId><DNSName>"
    "d1.service.example.</DNSName><EvaluateTargetHealth>false</EvaluateTargetHealth></AliasTarget>",
    "policy": f"{VALUE}<TrafficPolicyInstanceId>i2</TrafficPolicyInstanceId>",
    "strange": f"<Quantum>1</Quantum>{VALUE}",
}


def knows_more(path, pass_on):
    """What Route 53 has and a meridian has not."""
    path = path.removeprefix("/2013-04-01")
    if path in MORE:
        return 200, document(*MORE[path])
    if path == "/tags/hostedzone":
        return error(403, "AccessDenied")
    status, body = pass_on()
    if re.fullmatch("/hostedzone/[^/]+/rrset", path):
        name = re.search(r"<Name>((?:one|two)\.example\.)", body.decode())[1]
        more = "".join(
            f"<ResourceRecordSet><Name>{label}.{name}</Name><Type>A</Type>{inner}"
            "</ResourceRecordSet>"
            for label, inner in SETS.items()
        )
        body = body.replace(b"</ResourceRecordSets>", f"{more}</ResourceRecordSets>".encode())
    return status, body


def test_what_is_unknown_here_is_reported(source, start, tmp_path):
    target = start()
    text = tmp_path / "report"
    with Between(source, knows_more) as between:
        options = {"check": 3, "endpoint": between.endpoint}
        report = run(target, source, "--report", text, "--drop-health-checks", **options)
        narrow = run(start(), source, *ONE, **options)
    zones = by_name(report)
    assert "private" in zones["inside.example"]["reason"]
    one = zones["one.example"]
    reasons = {left["name"]: left["reason"].split(",")[0] for left in one["left_out"]}
    if "'Quantum'" in reasons["strange.one.example."]:
        reasons["strange.one.example."] = "is not known here: Quantum"
    assert reasons == {
        "cidr.one.example.": "is routed by a CIDR collection",
        "new-service.one.example.": "is an alias to d1.service.example. in Z0NEWSERVICE",
        "policy.one.example.": "is made by the traffic policy instance i2",
        "strange.one.example.": "is not known here: Quantum",
    }
    copied = sets_of(target.client(), one["new_id"], {})
    cloudfront = next(s for s in copied if s["Name"] == "cloudfront.one.example.")
    assert cloudfront["AliasTarget"]["HostedZoneId"] == "Z2FDTNDATAQYW2"
    checked = next(s for s in copied if "SetIdentifier" in s)
    assert checked["Name"] == "checked.one.example." and "HealthCheckId" not in checked
    things = {thing["id"]: thing["kind"] for thing in report["not_copied"]}
    assert things == {
        "h1": "health check",
        "h2": "health check",
        CIDR: "CIDR collection",
        "t1": "traffic policy",
        "i2": "traffic policy instance",
    }
    assert ["AccessDenied" in unknown for unknown in report["unknown"]] == [True]
    shown = text.read_text()
    assert "health check h2: NOT COPIED: TCP\\u{9b}2J" in shown and "\x9b" not in shown
    # What zones that were not asked for have is not missing.
    assert {thing["id"] for thing in narrow["not_copied"]} == {"h1", CIDR, "i2"}
    left = {left["name"].split(".")[0] for left in by_name(narrow)["one.example"]["left_out"]}
    assert left == set(SETS) - {"cloudfront"}


def endless_sets():
    numbers = itertools.count()

    def answer(path, pass_on):
        if "/rrset" not in path:
            return pass_on()
        names = [f"h{next(numbers)}.one.example." for _ in range(300)]
        sets = "".join(
            f"<ResourceRecordSet><Name>{n}</Name><Type>A</Type>{VALUE}</ResourceRecordSet>"
            for n in names
        )
        inner = f"<ResourceRecordSets>{sets}</ResourceRecordSets><IsTruncated>true</IsTruncated>"
        inner += f"<NextRecordName>x{names[-1]}</NextRecordName><NextRecordType>A</NextRecordType>"
        return 200, document("ListResourceRecordSetsResponse", inner)

    return answer


def endless_zones(_path, _pass_on):
    inner = "<HostedZones/><IsTruncated>true</IsTruncated><NextMarker>Z1</NextMarker>"
    return 200, document("ListHostedZonesResponse", inner)


@pytest.mark.parametrize(
    "answer, reason",
    [
        (lambda *_: (200, b"<html><body>Sign in"), "the answer is no ListHostedZonesResponse"),
        (lambda *_: (200, b"\xff\x00"), "the answer is no ListHostedZonesResponse"),
        (lambda *_: (302, b""), "HTTP status 302, and no Route 53 behind it"),
        (lambda *_: (200, b" " * (65 << 20)), "longer than"),
        (lambda *_: error(403, "Access&#x1b;[2JDenied"), "ListHostedZones: Access"),
        (endless_zones, "ListHostedZones: the list does not end"),
        (endless_sets(), ".example.; nothing is copied: the list of its record sets does not end"),
    ],
)
def test_a_source_that_makes_no_sense_is_left(source, start, answer, reason):
    target = start()
    with Between(source, answer) as between:
        said = run(target, source, check=1, endpoint=between.endpoint)
    assert reason in said and "\x1b" not in said, said
    assert copied(target) == []


def test_a_port_that_speaks_something_else_is_left(source, start):
    class Other(socketserver.StreamRequestHandler):
        def handle(self):
            self.wfile.write(b"SSH-2.0-other\r\n")

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, args=[0.01], daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_address[1]}"
        said = run(start(), source, check=1, endpoint=endpoint)
        server.shutdown()
    assert "ListHostedZones: " in said and "HTTP" in said, said


def test_a_source_that_goes_away_leaves_nothing_behind(source, start):
    target = start()
    seen = []

    def answer(path, pass_on):
        if "/rrset" in path:
            seen.append(path)
        if len(seen) == 2:
            between.socket.close()
            return None
        return pass_on()

    with Between(source, answer) as between:
        said = run(target, source, check=1, endpoint=between.endpoint)
    assert "nothing is copied" in said and "failed" in said and copied(target) == []
    # Only the private zone stays.
    report = run(target, source, check=3)
    assert copied(target) == ["one.example.", "two.example."]
    missing = [z["name"] for z in report["zones"] if z["outcome"] == "not-copied"]
    assert missing == ["inside.example."]
    # What a source does not have is not missing.
    assert all("NotImplemented" in note for note in report["notes"]) and not report["unknown"]
