"""All seventeen types: listed as submitted, and on the wire what dnspython makes of the same text."""

import re

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest

from harness import change, create, delete, rrset

# Type and values, as a user writes them. Names without a last dot are absolute all the same.
VALUES = {
    "A": ["192.0.2.1", "203.0.113.255"],
    "AAAA": ["2001:db8::1", "2001:DB8:0:0:0:0:0:2", "::ffff:192.0.2.1"],
    "CAA": [
        '0 issue "ca.example; policy=ev"',
        '128 iodef "mailto:me@site.example"',
        '0 issuewild ";"',
    ],
    "CNAME": ["Target.Elsewhere"],
    "DS": [
        "12345 13 2 " + "49FD46E6C4B45C55D4AC69CBD3CD34AC1AFE51DE" * 1 + "0123456789abcdef01234567"
    ],
    "HTTPS": ['1 . alpn="h2,h3" ipv4hint="192.0.2.1,192.0.2.2"', "0 alias.example."],
    "MX": ["10 mail.example.", "20 MAIL2.example", "0 ."],
    "NAPTR": [
        r'100 10 "u" "E2U+sip" "!^.*$!sip:info@site.example!" .',
        '50 20 "s" "" "" _sip._udp.example.',
    ],
    "NS": ["ns1.example.", "ns2.example"],
    "PTR": ["host.example.", "other.example"],
    "SPF": ['"v=spf1 -all"'],
    "SRV": ["1 2 443 host.example.", "0 0 0 ."],
    "SSHFP": ["4 2 " + "ab" * 32, "1 1 " + "CD" * 20],
    "SVCB": [
        '16 svc.example. mandatory="alpn" alpn="bar" port="8004"',
        "1 . key65333=ex1 ipv6hint=2001:db8::1",
    ],
    "TLSA": ["3 1 1 " + "0f" * 32],
    "TXT": [
        '"plain"',
        '"two" "strings"',
        '"a""b"',
        r'"quote \" back \\ slash"',
        r'"octal \303\251 \000 \177"',
        '"Case Stays; as = it is"',
        '""',
        f'"{"x" * 255}" "{"y" * 255}"',
    ],
}


def wire(rtype, text):
    """The record data that dnspython reads from Route 53's text."""
    # Route 53 writes escapes in octal, master files in decimal.
    decimal = re.sub(
        r"\\(\d{3}|.)", lambda m: rf"\{int(m[1], 8):03}" if m[1].isdigit() else m[0], text
    )
    return dns.rdata.from_text(
        dns.rdataclass.IN,
        dns.rdatatype.from_text(rtype),
        decimal,
        origin=dns.name.root,
        relativize=False,
    )


def test_no_type_is_left_out():
    assert len(VALUES) == 16, "the seventeenth is SOA"


@pytest.mark.parametrize("rtype", VALUES)
def test_listed_as_submitted_and_answered_as_meant(zone, meridian, rtype):
    name = f"owner.{zone.name}"
    values = VALUES[rtype]
    if rtype == "DS":
        # A DS stands at a delegation, next to its NS.
        zone.change(create(name, "NS", "ns.example."))
    zone.change(create(name, rtype, *values, ttl=123))
    listed = next(s for s in zone.sets() if s["Name"] == name and s["Type"] == rtype)
    assert listed == rrset(name, rtype, *values, ttl=123)

    reply = meridian.ask(name, rtype, tcp=True)
    section = reply.authority if rtype == "NS" else reply.answer
    (answer,) = [s for s in section if s.rdtype == dns.rdatatype.from_text(rtype)]
    assert answer.ttl == 123
    # Bytes, not texts: names in record data keep the case in which they were given.
    got = sorted(value.to_wire() for value in answer)
    assert got == sorted(wire(rtype, value).to_wire() for value in values)

    zone.change(change("DELETE", listed))
    assert not [s for s in zone.sets(own=True) if s["Type"] == rtype]


def test_soa(zone, meridian):
    value = f"{zone.name_servers[0]}. Some.Body.example. 2024 7200 900 1209600 60"
    zone.change(change("UPSERT", rrset(zone.name, "SOA", value, ttl=77)))
    (answer,) = meridian.ask(zone.name, "SOA").answer
    assert answer.ttl == 77
    # The serial is the server's, see below. The API shows what was sent.
    assert [v.replace(serial=2024).to_wire() for v in answer] == [wire("SOA", value).to_wire()]
    (listed,) = [s for s in zone.sets() if s["Type"] == "SOA"]
    assert listed["ResourceRecords"] == [{"Value": value}]


def test_the_serial_rises_with_every_change_of_the_zone(zone, meridian):
    def serial(name, **how):
        reply = meridian.ask(name, "SOA", **how)
        (soa,) = (reply.answer or reply.authority)[0]
        return soa.serial

    zone.change(create(f"b.{zone.name}", "A", "192.0.2.1"))
    first = serial(zone.name)
    zone.change(create(f"a.{zone.name}", "A", "192.0.2.1"))
    second = serial(zone.name)
    assert second > first
    assert serial(f"nowhere.{zone.name}") == serial(zone.name, tcp=True) == second
    zone.change(delete(f"a.{zone.name}", "A", "192.0.2.1"))
    assert serial(zone.name) > second


def test_delete_takes_values_in_any_order_but_not_in_other_words(zone):
    name = f"mx.{zone.name}"
    zone.send(create(name, "MX", "10 a.example.", "20 b.example."))
    zone.send(delete(name, "MX", "20 b.example.", "10 a.example."))
    assert zone.sets(own=True) == []


@pytest.mark.parametrize("ttl", [0, 1, 2147483647])
def test_times_to_live(zone, meridian, ttl):
    zone.change(create(f"a.{zone.name}", "A", "192.0.2.1", ttl=ttl))
    assert meridian.ask(f"a.{zone.name}").answer[0].ttl == ttl
