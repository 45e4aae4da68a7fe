"""TestDNSAnswer says what the name servers say."""

import json
import subprocess
import urllib.parse

import dns.rcode
import pytest

from harness import Zone, create, eventually, reference, refusal, rrset
from health_checks import HTTP

NAME = "answer.example."


@pytest.fixture(scope="module")
def zone(route53, meridian):
    zone = Zone(route53, NAME)
    changes = [
        create(f"www.{NAME}", "A", "192.0.2.1", "192.0.2.2"),
        create(f"*.wild.{NAME}", "TXT", '"a wildcard" "in two"'),
        create(f"alias.{NAME}", "CNAME", f"WWW.{NAME}"),
        create(f"below.{NAME}", "NS", "ns.elsewhere.test."),
        create(f"mail.{NAME}", "MX", "10 mx.elsewhere.test."),
        create(f"long.{NAME}", "TXT", *[f'"{number:0250}"' for number in range(8)]),
    ]
    zone.change(*changes)
    assert eventually(lambda: meridian.values(f"www.{NAME}"))
    return zone


def said(route53, zone, name, rtype, **more):
    request = {"HostedZoneId": zone.id, "RecordName": name, "RecordType": rtype}
    answer = route53.test_dns_answer(**request, **more)
    answer.pop("ResponseMetadata")
    assert (answer["RecordName"], answer["RecordType"]) == (name, rtype)
    assert answer["Nameserver"] in zone.created["DelegationSet"]["NameServers"]
    return answer["ResponseCode"], answer["RecordData"], answer["Protocol"]


@pytest.mark.parametrize(
    "name, rtype, expected",
    [
        ("wild", "TXT", ("NOERROR", [])),
        ("x.wild", "TXT", ("NOERROR", ['"a wildcard" "in two"'])),
        ("alias", "CNAME", ("NOERROR", [f"WWW.{NAME}"])),
        ("mail", "MX", ("NOERROR", ["10 mx.elsewhere.test."])),
        ("mail", "AAAA", ("NOERROR", [])),
        ("nothing", "A", ("NXDOMAIN", [])),
        # The servers of a zone below are a referral, not an answer.
        ("below", "NS", ("NOERROR", [])),
        ("x.below", "A", ("NOERROR", [])),
    ],
)
def test_the_answer_section(route53, zone, name, rtype, expected):
    assert said(route53, zone, f"{name}.{NAME}", rtype) == (*expected, "UDP")


def test_it_is_what_is_answered(route53, meridian, zone):
    for name, rtype in [("www", "A"), ("alias", "A"), ("long", "TXT"), ("", "NS"), ("", "SOA")]:
        name = f"{name}.{NAME}" if name else NAME
        heard = meridian.ask(name, rtype, tcp=True)
        values = sorted(str(value) for set_ in heard.answer for value in set_)
        code, data, protocol = said(route53, zone, name, rtype)
        assert (code, sorted(data)) == (dns.rcode.to_text(heard.rcode()), values)
        # As a resolver does when a reply is cut off.
        assert protocol == ("TCP" if name.startswith("long") else "UDP")


def test_a_name_in_capitals_lies_in_the_zone(route53, meridian, zone):
    """RecordName was refused as not within the hosted zone unless it was in lower case."""
    for name in (f"WWW.{NAME}", f"www.{NAME.upper()}", "wWw.AnSwEr.eXaMpLe"):
        code, data, _ = said(route53, zone, name, "A")
        assert (code, sorted(data)) == ("NOERROR", ["192.0.2.1", "192.0.2.2"])
        status, _, text = explained(meridian, zone, recordname=name)
        assert (status, json.loads(text)["zone"]["id"]) == (200, zone.id), text


def test_it_takes_resolvers_and_their_clients(route53, zone):
    first = said(route53, zone, f"mail.{NAME}", "MX")
    for more in [
        {"ResolverIP": "203.0.113.5"},
        {"ResolverIP": "2001:db8::5", "EDNS0ClientSubnetIP": "198.51.100.77"},
        {"EDNS0ClientSubnetIP": "198.51.100.77", "EDNS0ClientSubnetMask": "0"},
        {"EDNS0ClientSubnetIP": "2001:db8::1", "EDNS0ClientSubnetMask": "128"},
    ]:
        assert said(route53, zone, f"mail.{NAME}", "MX", **more) == first


@pytest.mark.parametrize(
    "changed, part",
    [
        ({"RecordName": "www.elsewhere.test."}, "is not within the hosted zone answer.example."),
        ({"RecordName": "a..b"}, "FATAL problem"),
        ({"RecordType": "LOC"}, "Member must satisfy enum value set"),
        ({"ResolverIP": "300.1.1.1"}, "'300.1.1.1' is not an IP address."),
        ({"EDNS0ClientSubnetIP": "here"}, "'here' is not an IP address."),
        ({"EDNS0ClientSubnetMask": "24"}, "needs EDNS0ClientSubnetIP"),
        ({"EDNS0ClientSubnetIP": "192.0.2.1", "EDNS0ClientSubnetMask": "33"}, "from 0 to 32"),
        ({"EDNS0ClientSubnetIP": "2001:db8::", "EDNS0ClientSubnetMask": "129"}, "from 0 to 128"),
        ({"EDNS0ClientSubnetIP": "192.0.2.1", "EDNS0ClientSubnetMask": "+1"}, "not a subnet mask"),
    ],
)
def test_refusals(meridian, zone, changed, part):
    request = {"HostedZoneId": zone.id, "RecordName": f"www.{NAME}", "RecordType": "A"} | changed
    client = meridian.client(parameter_validation=False)
    code, text = refusal(lambda: client.test_dns_answer(**request))
    assert (code, part in text) == ("InvalidInput", True), text


def test_zones_of_others_and_none(route53, meridian, zone):
    stranger = meridian.client(meridian.new_account("stranger-to-answers"))
    request = {"HostedZoneId": zone.id, "RecordName": f"www.{NAME}", "RecordType": "A"}
    missing = ("NoSuchHostedZone", f"No hosted zone found with ID: {zone.id}")
    assert refusal(lambda: stranger.test_dns_answer(**request)) == missing
    request["HostedZoneId"] = "Z0"
    assert refusal(lambda: route53.test_dns_answer(**request))[0] == "NoSuchHostedZone"


def explained(meridian, zone, key=None, **more):
    """What curl gets for a signed question: status, media type and text."""
    key = key or meridian.operator()
    asked = {"hostedzoneid": zone.id, "recordname": f"routed.{NAME}", "recordtype": "A"}
    # It signs parameters as they stand: they are to be in order, and encoded.
    asked = sorted((asked | {"explain": "json"} | more).items())
    query = urllib.parse.urlencode(asked)
    command = ["curl", "-sS", "--aws-sigv4", "aws:amz:us-east-1:route53"]
    command += ["-w", "\n%{http_code} %{content_type}"]
    url = f"{meridian.endpoint}/2013-04-01/testdnsanswer?{query}"
    command += ["--user", f"{key.id}:{key.secret}", url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    text, _, last = done.stdout.rpartition("\n")
    status, media_type = last.split(" ", 1)
    return int(status), media_type, text


def test_the_reason_is_told_over_http(route53, meridian, zone):
    made = route53.create_health_check(CallerReference=reference(), HealthCheckConfig=HTTP)
    check = made["HealthCheck"]["Id"]
    routed = {"SetIdentifier": "near", "Region": "ap-northeast-1", "HealthCheckId": check}
    zone.change(
        create(f"routed.{NAME}", "A", "192.0.2.1", **routed),
        create(f"routed.{NAME}", "A", "192.0.2.2", SetIdentifier="far", Region="eu-west-1"),
    )

    def chosen(**more):
        status, media_type, text = explained(meridian, zone, **more)
        assert (status, media_type) == (200, "application/json"), text
        told = json.loads(text)
        assert "zones" not in told and "asked_at" not in told, "those may be others'"
        assert told["zone"]["id"] == zone.id
        candidates = told["links"][0]["choices"][0]["candidates"]
        (chosen,) = [each["identifier"] for each in candidates if each["outcome"] == "chosen"]
        (record,) = [r for r in told["answer"]["records"] if r["section"] == "answer"]
        return chosen, record["data"]

    assert eventually(lambda: meridian.values(f"routed.{NAME}"))
    near, far = ("near", "192.0.2.1"), ("far", "192.0.2.2")
    assert chosen(edns0clientsubnetip="133.11.0.0") == near
    assert chosen(edns0clientsubnetip="133.11.0.0", health=f"{check}:down") == far
    assert chosen(region="eu-west-1") == far
    assert chosen(region="eu-west-1", health=f"{check}:up,{check}:up") == far

    for more, code in [
        ({"health": "00000000-0000-4000-8000-000000000000:up"}, "NoSuchHealthCheck"),
        ({"health": check}, "InvalidInput"),
        ({"region": "atlantis"}, "InvalidInput"),
        ({"explain": "xml"}, "InvalidInput"),
        ({"recordname": "www.elsewhere.test"}, "InvalidInput"),
    ]:
        status, media_type, text = explained(meridian, zone, **more)
        assert (status >= 400, media_type) == (True, "text/xml") and f"<Code>{code}</Code>" in text
    stranger = meridian.new_account("stranger-to-reasons")
    assert "<Code>NoSuchHostedZone</Code>" in explained(meridian, zone, stranger)[2]
