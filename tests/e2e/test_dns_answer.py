"""TestDNSAnswer says what the name servers say."""

import dns.rcode
import pytest

from harness import Zone, create, eventually, refusal, rrset

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
