"""Answers on the wire, asked by dnspython and dig: simple sets and the shapes of DNS around them."""

import socket
import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from harness import Zone, change, create, eventually, rrset


@pytest.fixture(scope="module")
def site(meridian, route53):
    """A zone with a bit of everything."""
    zone = Zone(route53, "site.example.")
    zone.change(
        create("www.site.example.", "A", "192.0.2.1", "192.0.2.2", ttl=60),
        create("www.site.example.", "TXT", '"www"'),
        create("alias.site.example.", "CNAME", "www.site.example."),
        create("alias2.site.example.", "CNAME", "alias.site.example."),
        create("away.site.example.", "CNAME", "www.elsewhere.example.org."),
        create("dangling.site.example.", "CNAME", "missing.site.example."),
        create("*.wild.site.example.", "A", "192.0.2.3"),
        create("*.wild.site.example.", "TXT", '"wild"'),
        create("real.wild.site.example.", "TXT", '"real"'),
        create("deep.ent.site.example.", "A", "192.0.2.4"),
        create("child.site.example.", "NS", "ns.child.site.example.", "ns.other.example."),
        create("child.site.example.", "DS", "1 13 2 " + "ab" * 32),
        create("ns.child.site.example.", "A", "192.0.2.53"),
        create("ns.child.site.example.", "AAAA", "2001:db8::53"),
        create("hidden.child.site.example.", "A", "192.0.2.6"),
        create("big.site.example.", "A", *(f"10.0.{i >> 8}.{i & 255}" for i in range(400))),
        create("site.example.", "MX", "10 www.site.example."),
    )
    return zone


def texts(section):
    return {f"{s.name} {dns.rdatatype.to_text(s.rdtype)} {value}" for s in section for value in s}


def only_soa(reply):
    (soa,) = reply.authority
    return soa.rdtype == dns.rdatatype.SOA and str(soa.name) == "site.example."


@pytest.mark.usefixtures("site")
class TestAnswers:
    def test_exact(self, meridian):
        reply = meridian.ask("www.site.example.")
        assert reply.rcode() == dns.rcode.NOERROR
        assert reply.flags & dns.flags.AA and not reply.flags & dns.flags.RA
        assert texts(reply.answer) == {
            "www.site.example. A 192.0.2.1",
            "www.site.example. A 192.0.2.2",
        }
        assert reply.answer[0].ttl == 60
        assert not reply.authority, "positive answers are minimal"

    def test_recursion_desired_is_copied_and_not_offered(self, meridian):
        for flag in ("+rec", "+norec"):
            head = meridian.dig(flag, "www.site.example.").split(";; flags: ")[1].split(";")[0]
            assert ("rd" in head.split()) == (flag == "+rec") and "ra" not in head.split()

    def test_order_of_values_varies(self, meridian):
        orders = {
            tuple(str(v) for v in meridian.ask("www.site.example.").answer[0]) for _ in range(60)
        }
        assert len(orders) == 2

    def test_nodata(self, meridian):
        reply = meridian.ask("www.site.example.", "AAAA")
        assert reply.rcode() == dns.rcode.NOERROR and not reply.answer and only_soa(reply)
        # RFC 2308: the negative TTL is the smaller of the SOA's TTL (900) and minimum (86400).
        assert reply.authority[0].ttl == 900

    def test_nxdomain(self, meridian):
        reply = meridian.ask("missing.site.example.")
        assert reply.rcode() == dns.rcode.NXDOMAIN and reply.flags & dns.flags.AA
        assert not reply.answer and only_soa(reply)

    def test_below_a_name_is_nxdomain(self, meridian):
        assert meridian.rcode("below.www.site.example.") == "NXDOMAIN"

    def test_empty_non_terminal(self, meridian):
        reply = meridian.ask("ent.site.example.")
        assert reply.rcode() == dns.rcode.NOERROR and not reply.answer and only_soa(reply)
        assert meridian.rcode("missing.ent.site.example.") == "NXDOMAIN"

    def test_apex(self, meridian, site):
        assert meridian.values("site.example.", "NS") == {f"{n}." for n in site.name_servers}
        assert meridian.values("site.example.", "MX") == {"10 www.site.example."}
        assert meridian.ask("site.example.").rcode() == dns.rcode.NOERROR

    def test_cname_chain_in_the_zone(self, meridian):
        reply = meridian.ask("alias2.site.example.")
        assert [str(s.name) for s in reply.answer] == [
            "alias2.site.example.",
            "alias.site.example.",
            "www.site.example.",
        ]
        assert {str(v) for v in reply.answer[-1]} == {"192.0.2.1", "192.0.2.2"}

    def test_cname_itself(self, meridian):
        assert meridian.values("alias2.site.example.", "CNAME") == {"alias.site.example."}

    def test_cname_leads_away(self, meridian):
        reply = meridian.ask("away.site.example.")
        assert reply.rcode() == dns.rcode.NOERROR
        assert texts(reply.answer) == {"away.site.example. CNAME www.elsewhere.example.org."}

    def test_cname_to_nothing(self, meridian):
        """RFC 6604: the code tells of the last name of the chain."""
        reply = meridian.ask("dangling.site.example.")
        assert texts(reply.answer) == {"dangling.site.example. CNAME missing.site.example."}
        assert reply.rcode() == dns.rcode.NXDOMAIN and only_soa(reply)

    def test_wildcard(self, meridian):
        for name in ("a.wild.site.example.", "a.b.c.wild.site.example.", "*.wild.site.example."):
            reply = meridian.ask(name)
            assert texts(reply.answer) == {f"{name} A 192.0.2.3"}

    def test_wildcard_stays_off_its_own_name_and_existing_ones(self, meridian):
        assert meridian.rcode("wild.site.example.") == "NOERROR"
        assert meridian.values("wild.site.example.") == set()
        assert meridian.values("real.wild.site.example.") == set(), "RFC 4592: the name exists"
        assert meridian.values("real.wild.site.example.", "TXT") == {'"real"'}
        assert meridian.rcode("below.real.wild.site.example.") == "NXDOMAIN"

    def test_wildcard_nodata(self, meridian):
        reply = meridian.ask("a.wild.site.example.", "AAAA")
        assert reply.rcode() == dns.rcode.NOERROR and not reply.answer and only_soa(reply)

    @pytest.mark.parametrize(
        "name", ["child.site.example.", "www.child.site.example.", "hidden.child.site.example."]
    )
    def test_delegation(self, meridian, name):
        reply = meridian.ask(name)
        assert reply.rcode() == dns.rcode.NOERROR and not reply.answer
        assert not reply.flags & dns.flags.AA
        referral = [s for s in reply.authority if s.rdtype == dns.rdatatype.NS]
        assert texts(referral) == {
            "child.site.example. NS ns.child.site.example.",
            "child.site.example. NS ns.other.example.",
        }
        assert texts(reply.additional) == {
            "ns.child.site.example. A 192.0.2.53",
            "ns.child.site.example. AAAA 2001:db8::53",
        }

    def test_ds_at_a_cut_is_the_parents(self, meridian):
        reply = meridian.ask("child.site.example.", "DS")
        assert reply.flags & dns.flags.AA
        assert texts(reply.answer) == {"child.site.example. DS 1 13 2 " + "ab" * 32}

    def test_outside_every_zone(self, meridian):
        for name in ("www.nowhere.example.", "example.", ".", "com."):
            reply = meridian.ask(name)
            assert reply.rcode() == dns.rcode.REFUSED
            assert not reply.answer and not reply.authority and not reply.flags & dns.flags.AA
        reply = meridian.ask("www.nowhere.example.", payload=1232)
        assert [o for o in reply.options if o.otype == dns.edns.EDE], "says why (RFC 8914)"

    def test_tcp(self, meridian):
        reply = meridian.ask("www.site.example.", tcp=True)
        assert {str(v) for v in reply.answer[0]} == {"192.0.2.1", "192.0.2.2"}

    def test_several_queries_on_one_tcp_connection(self, meridian):
        with socket.create_connection((meridian.addresses[0], meridian.dns_port), 5) as connection:
            queries = [dns.message.make_query("www.site.example.", "A") for _ in range(5)]
            for query in queries:
                wire = query.to_wire()
                connection.sendall(struct.pack("!H", len(wire)) + wire)
            stream = connection.makefile("rb")
            ids = set()
            for _ in queries:
                (length,) = struct.unpack("!H", stream.read(2))
                ids.add(dns.message.from_wire(stream.read(length)).id)
            assert ids == {query.id for query in queries}

    def test_large_sets_are_cut_over_udp_and_whole_over_tcp(self, meridian):
        plain = meridian.ask("big.site.example.")
        assert plain.flags & dns.flags.TC and len(plain.to_wire()) <= 512
        extended = meridian.ask("big.site.example.", payload=4096)
        assert extended.flags & dns.flags.TC and len(extended.to_wire()) <= 1232
        whole = meridian.ask("big.site.example.", tcp=True)
        assert not whole.flags & dns.flags.TC and len(whole.answer[0]) == 400
        lines = meridian.dig("+short", "big.site.example.").split()
        assert len(lines) == 400, "dig asks again over TCP"

    def test_case_of_the_question_comes_back(self, meridian):
        for name in ("wWw.SiTe.eXaMpLe.", "X.wIlD.site.EXAMPLE.", "MISSING.Site.Example."):
            query = dns.message.make_query(name, "A")
            wire = query.to_wire()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
                udp.settimeout(10)
                udp.sendto(wire, (meridian.addresses[0], meridian.dns_port))
                answer = udp.recv(4096)
            assert answer[12 : len(wire)] == wire[12:], "the question is not echoed byte for byte"
            reply = dns.message.from_wire(answer)
            for set_ in reply.answer:
                assert str(set_.name) == name

    def test_edns(self, meridian):
        reply = meridian.ask("www.site.example.", payload=4096)
        assert reply.edns == 0 and reply.payload == 1232
        assert meridian.ask("www.site.example.").edns == -1
        status = meridian.dig("+edns=1", "+noednsneg", "www.site.example.")
        assert "status: BADVERS" in status

    def test_client_subnet_is_echoed(self, meridian):
        subnet = dns.edns.ECSOption("198.51.100.0", 24)
        reply = meridian.ask("www.site.example.", payload=1232, options=[subnet])
        (echo,) = [o for o in reply.options if o.otype == dns.edns.ECS]
        assert (echo.address, echo.srclen, echo.scopelen) == ("198.51.100.0", 24, 0)

    def test_any_is_small(self, meridian):
        """RFC 8482."""
        reply = meridian.ask("www.site.example.", "ANY")
        assert reply.rcode() == dns.rcode.NOERROR and len(reply.answer) == 1

    @pytest.mark.parametrize("opcode", ["NOTIFY", "UPDATE", "STATUS"])
    def test_other_opcodes(self, meridian, opcode):
        assert "status: NOTIMP" in meridian.dig(f"+opcode={opcode}", "www.site.example.")

    def test_other_classes(self, meridian):
        printed = meridian.dig("-c", "CH", "www.site.example.")
        assert "status: REFUSED" in printed or "status: NOTIMP" in printed

    def test_nonsense_is_survived(self, meridian):
        """Packets that are no queries get FORMERR or nothing; the next query is answered."""
        good = dns.message.make_query("www.site.example.", "A").to_wire()
        responses = bytes([good[0], good[1], good[2] | 0x80]) + good[3:]
        packets = [b"", b"\0", good[:11], good[:12], good[:20], good[:-1], responses, b"\xff" * 512]
        packets += [good[:4] + b"\0\2" + good[6:], good[:12] + b"\xc0\x0c\0\1\0\1", good + b"tail"]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(0.2)
            for packet in packets:
                udp.sendto(packet, (meridian.addresses[0], meridian.dns_port))
            udp.sendto(responses, (meridian.addresses[0], meridian.dns_port))
            answers = []
            try:
                while True:
                    answers.append(udp.recv(4096))
            except TimeoutError:
                pass
        for answer in answers:
            assert answer[2] & 0x80 and answer[3] & 15 in (0, 1, 4, 5), answer
        assert meridian.values("www.site.example.") == {"192.0.2.1", "192.0.2.2"}

    def test_dig_prints_no_warning(self, meridian):
        for name, rtype in (
            ("www.site.example.", "A"),
            ("x.child.site.example.", "A"),
            ("no.site.example.", "MX"),
        ):
            printed = meridian.dig("+norec", name, rtype)
            assert (
                "WARNING" not in printed
                and "Warning" not in printed
                and "extra bytes" not in printed
            )


def test_nearest_zone_answers(meridian, route53):
    """A child zone on the same servers answers for itself; the parent answers for its DS."""
    parent, child = Zone(route53, "family.example"), Zone(route53, "kid.family.example")
    parent.change(
        create("kid.family.example.", "NS", *(f"{n}." for n in child.name_servers)),
        create("kid.family.example.", "DS", "7 13 2 " + "cd" * 32),
        create("www.kid.family.example.", "A", "192.0.2.1"),
    )
    child.change(create("www.kid.family.example.", "A", "192.0.2.2"))
    assert meridian.values("www.kid.family.example.") == {"192.0.2.2"}
    assert meridian.values("kid.family.example.", "DS") == {"7 13 2 " + "cd" * 32}
    assert meridian.ask("kid.family.example.", "NS").flags & dns.flags.AA
    child.change(change("DELETE", rrset("www.kid.family.example.", "A", "192.0.2.2")))
    route53.delete_hosted_zone(Id=child.id)
    gone = eventually(lambda: not meridian.ask("www.kid.family.example.").flags & dns.flags.AA)
    assert gone, "without the child zone the parent refers"


def test_of_two_zones_of_one_name_the_older_answers(meridian, route53):
    older, newer = Zone(route53, "twin.example"), Zone(route53, "twin.example")
    newer.change(create("www.twin.example.", "A", "192.0.2.2"))
    assert meridian.rcode("www.twin.example.") == "NXDOMAIN"
    older.change(create("www.twin.example.", "A", "192.0.2.1"))
    assert meridian.values("www.twin.example.") == {"192.0.2.1"}
