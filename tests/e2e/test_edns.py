"""EDNS options and what a server tells about itself, asked by dig and dnspython."""

import os
import re
import secrets
import socket

import dns.edns
import dns.message
import dns.query
import dns.rcode
import pytest

from harness import Meridian, adopt_successors, create

COOKIE, KEEPALIVE, PADDING, ZONEVERSION = 10, 11, 12, 19


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """A server with an identity of its own and a larger payload."""
    server = Meridian(tmp_path_factory.mktemp("edns"))
    (server.folder / "meridian.toml").write_text(
        '[dns]\nserver_id = "ams-1"\nversion = "name server"\nmax_udp_payload = 1400\n'
    )
    with server:
        yield server


def ask(server, name="ns-1.meridian.internal.", rtype="A", options=(), tcp=False, **flags):
    query = dns.message.make_query(name, rtype, use_edns=0, payload=1400, options=options, **flags)
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, server.addresses[0], port=server.dns_port, timeout=10)


def option(reply, code):
    """The data of an option of a reply, or None."""
    (data,) = [o.to_wire() for o in reply.options if o.otype == code] or [None]
    return data


def ask_option(server, code, data=b"", **how):
    return ask(server, options=[dns.edns.GenericOption(code, data)], **how)


def cookie_alone(server, cookie):
    """A query for nothing but a cookie: BADCOOKIE answers one that the server does not know."""
    packet = b"\x12\x34" + bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    packet += b"\0\0\x29\x05\x78\0\0\0\0" + (4 + len(cookie)).to_bytes(2, "big")
    packet += COOKIE.to_bytes(2, "big") + len(cookie).to_bytes(2, "big") + cookie
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(10)
        client.sendto(packet, (server.addresses[0], server.dns_port))
        return dns.message.from_wire(client.recv(4096))


def test_dig_learns_a_cookie_and_it_is_good(alone):
    client = secrets.token_hex(8)
    first = alone.dig("+cookie=" + client, "ns-1.meridian.internal")
    (cookie,) = re.findall(r"; COOKIE: ([0-9a-f]{48}) \(good\)", first)
    assert cookie.startswith(client + "01000000")
    again = alone.dig("+cookie=" + cookie, "ns-1.meridian.internal")
    assert f"; COOKIE: {cookie} (good)" in again and "status: NOERROR" in again


def test_a_cookie_asked_for_alone(alone):
    first = cookie_alone(alone, b"clientco")
    assert first.rcode() == dns.rcode.NOERROR and not first.question
    ours = option(first, COOKIE)
    assert len(ours) == 24 and ours.startswith(b"clientco")
    assert cookie_alone(alone, ours).rcode() == dns.rcode.NOERROR
    forged = ours[:-1] + bytes([ours[-1] ^ 1])
    assert cookie_alone(alone, forged).rcode() == dns.rcode.BADCOOKIE
    assert cookie_alone(alone, b"short").rcode() == dns.rcode.FORMERR


def secret_file(path):
    path.write_text(secrets.token_hex(16) + "\n")
    path.chmod(0o600)
    return path


def test_the_secret_outlives_a_restart_and_can_be_shared(tmp_path):
    secret = secret_file(tmp_path / "shared-secret")
    servers = [Meridian(tmp_path / f"{n}") for n in range(3)]
    for server in servers[:2]:
        text = f'[dns]\ncookie_secret_file = "{secret}"\n'
        (server.folder / "meridian.toml").write_text(text)

    def is_good(server, cookie):
        # One that is good and young comes back as it is.
        return option(ask_option(server, COOKIE, cookie), COOKIE) == cookie

    try:
        for server in servers:
            server.start()
        first, second, stranger = servers
        cookie = option(ask_option(first, COOKIE, b"clientco"), COOKIE)
        assert is_good(first, cookie) and is_good(second, cookie)
        assert not is_good(stranger, cookie)
        own = stranger.data / "cookie-secret"
        assert own.stat().st_mode & 0o777 == 0o600
        assert re.fullmatch("[0-9a-f]{32}\n", own.read_text())
        assert not (first.data / "cookie-secret").exists()
        cookie = option(ask_option(stranger, COOKIE, b"clientco"), COOKIE)
        stranger.stop()
        stranger.start()
        assert is_good(stranger, cookie)
        # A file that everybody can read is no secret.
        first.stop()
        secret.chmod(0o644)
        with pytest.raises(AssertionError, match="chmod 600"):
            first.start()
    finally:
        for server in servers:
            server.kill()


def test_a_shared_secret_is_exchanged_and_no_client_is_turned_away(start, tmp_path):
    adopt_successors()
    old, new = secret_file(tmp_path / "2026"), secret_file(tmp_path / "2027")

    def settings(used, accepted=None):
        text = f'[dns]\ncookie_secret_file = "{used}"\n'
        return text + (f'cookie_secret_accepted_file = "{accepted}"\n' if accepted else "")

    servers = [start(config=settings(old)) for _ in range(2)]
    # One client asks both servers and shows what it was told last; another one asked but once.
    shown = at_first = option(cookie_alone(servers[0], b"clientco"), COOKIE)
    steps = [settings(old, new), settings(new, old), settings(new)]
    for number, step in enumerate(steps, 1):
        for server in servers:
            (server.folder / "meridian.toml").write_text(step)
            server.replace()
            for asked in [*servers, *servers]:
                reply = cookie_alone(asked, shown)
                assert reply.rcode() == dns.rcode.NOERROR, f"step {number}"
                shown = option(reply, COOKIE)
                if number < 3:
                    reply = cookie_alone(asked, at_first)
                    assert reply.rcode() == dns.rcode.NOERROR, f"step {number}"
    # What was made with the old secret has become worthless.
    for server in servers:
        assert cookie_alone(server, at_first).rcode() == dns.rcode.BADCOOKIE
        assert server.stop() == 0


def test_nsid_and_class_chaos(alone):
    assert '("ams-1")' in alone.dig("+nsid", "ns-1.meridian.internal")
    for name, text in [
        ("version.bind", "name server"),
        ("version.server", "name server"),
        ("id.server", "ams-1"),
        ("hostname.bind", "ams-1"),
    ]:
        assert alone.dig("+short", "CH", "TXT", name).strip() == f'"{text}"'
    assert "status: REFUSED" in alone.dig("CH", "TXT", "authors.bind")


def test_by_default_host_and_version_are_told(meridian):
    version = meridian.admin("status")["version"]
    told = meridian.dig("+short", "CH", "TXT", "version.bind").strip()
    assert told == f'"meridian {version}"'
    told = meridian.dig("+short", "CH", "TXT", "id.server").strip()
    assert told == f'"{socket.gethostname()}"'


def test_zoneversion_is_the_serial_and_rises(zone, meridian):
    def version(name):
        data = option(ask_option(meridian, ZONEVERSION, name=name), ZONEVERSION)
        assert data[:2] == bytes([2, 0]), "two labels, SOA-SERIAL"
        return int.from_bytes(data[2:], "big")

    def serial():
        return meridian.ask(zone.name, "SOA").answer[0][0].serial

    zone.change(create(f"b.{zone.name}", "A", "192.0.2.1"))
    first = version(zone.name)
    assert first == version(f"nowhere.{zone.name}") == serial()
    zone.change(create(f"a.{zone.name}", "A", "192.0.2.1"))
    assert version(f"a.{zone.name}") == serial() > first
    outside = ask_option(meridian, ZONEVERSION, name="nowhere.example.org.")
    assert outside.rcode() == dns.rcode.REFUSED and option(outside, ZONEVERSION) is None
    assert ask_option(meridian, ZONEVERSION, b"\2\0").rcode() == dns.rcode.FORMERR


def test_keepalive_over_tcp_alone_and_no_padding_in_the_clear(alone):
    assert option(ask_option(alone, KEEPALIVE, tcp=True), KEEPALIVE) == (100).to_bytes(2, "big")
    assert option(ask_option(alone, KEEPALIVE), KEEPALIVE) is None
    for tcp in (False, True):
        assert option(ask_option(alone, PADDING, bytes(8), tcp=tcp), PADDING) is None


def test_the_payload_size_told_is_what_is_taken_whatever_is_sent(alone, meridian):
    assert (ask(alone).payload, ask(meridian).payload) == (1232, 1232)


# dig's words for the tests of RFC 8906 section 8, and what its section 8 expects to see.
@pytest.mark.parametrize(
    ("arguments", "status", "flags", "edns"),
    [
        ("+noedns +noad +norec", "NOERROR", "qr aa", None),
        ("+noedns +noad +norec TYPE1000", "NOERROR", "qr aa", None),
        ("+noedns +noad +norec +cd", "NOERROR", "qr aa", None),
        ("+noedns +norec +ad", "NOERROR", "qr aa", None),
        ("+noedns +noad +norec +zflag", "NOERROR", "qr aa", None),
        ("+noedns +noad +rec", "NOERROR", "qr aa rd", None),
        ("+noedns +noad +norec +opcode=15 +header-only", "NOTIMP", "qr", None),
        ("+edns=0 +nocookie +noad +norec", "NOERROR", "qr aa", "flags:; udp: 1232"),
        ("+edns=1 +noednsneg +nocookie +noad +norec", "BADVERS", "qr", "flags:; udp: 1232"),
        ("+edns=0 +ednsopt=100 +nocookie +noad +norec", "NOERROR", "qr aa", "flags:; udp: 1232"),
        ("+edns=0 +ednsflags=0x40 +nocookie +noad +norec", "NOERROR", "qr aa", "flags:; udp: 1232"),
        ("+edns=1 +noednsneg +ednsopt=100 +nocookie +noad +norec", "BADVERS", "qr", "flags:; udp"),
        ("+edns=0 +dnssec +nocookie +noad +norec", "NOERROR", "qr aa", "flags: do; udp: 1232"),
        (
            "+edns=0 +cookie +nsid +expire +subnet=0.0.0.0/0 +noad +norec",
            "NOERROR",
            "qr aa",
            "flags:; udp: 1232",
        ),
    ],
)
@pytest.mark.parametrize("tcp", ["+notcp", "+tcp"])
def test_rfc_8906(alone, arguments, status, flags, edns, tcp):
    types = [] if "TYPE1000" in arguments else ["SOA"]
    text = alone.dig("meridian.internal", *types, *arguments.split(), tcp)
    assert f"status: {status}," in text
    assert f";; flags: {flags};" in text
    assert "MBZ" not in text and "; OPT=100" not in text
    has_soa = status == "NOERROR" and types != []
    assert bool(re.search(r"^meridian\.internal\.\s.*\sSOA\s", text, re.M)) == (
        has_soa or "TYPE1000" in arguments
    )
    if edns is None:
        assert "OPT PSEUDOSECTION" not in text
    else:
        assert f"; EDNS: version: 0, {edns}" in text


def flags_of_reply(server):
    """The flags and the fragment offset in the IPv4 header of a reply, as the wire has them."""
    port, to_all = server.dns_port, socket.htons(0x0003)
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, to_all) as wire:
        wire.bind(("lo", 0))
        wire.settimeout(10)
        ask(server)
        while True:
            packet = wire.recv(65535)
            udp = packet[(packet[0] & 15) * 4 :]
            if packet[0] >> 4 == 4 and packet[9] == 17 and udp[:2] == port.to_bytes(2, "big"):
                return int.from_bytes(packet[6:8], "big")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root sees packets")
def test_replies_of_usual_length_go_out_whole_or_not_at_all(meridian, alone):
    dont_fragment = 0x4000
    assert flags_of_reply(meridian) == dont_fragment
    # It may send replies that are longer than some links take.
    assert flags_of_reply(alone) == 0
