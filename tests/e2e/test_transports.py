"""DNS over TLS, QUIC and HTTPS: real clients, a certificate that changes, and those who do harm."""

import base64
import functools
import os
import signal
import socket
import subprocess
import threading
import time

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import httpx2
import pytest

from authority import NAME
from encrypted import HTTP_2, PROTOCOLS, Encrypted
from harness import (
    BIN,
    LONG,
    Threads,
    Zone,
    adopt_successors,
    create,
    eventually,
)

SWAPS = 30 if LONG else 4


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Encrypted(tmp_path_factory.mktemp("encrypted") / "meridian") as server:
        zone = Zone(server.client(), "private.example.")
        values = [f"192.0.2.{n}" for n in range(1, 201)]
        zone.change(
            create("www.private.example.", "A", "192.0.2.1", ttl=77),
            create("many.private.example.", "A", *values, ttl=60),
        )
        yield server
        assert server.stop() == 0, server.log_tail()


def query(name="www.private.example.", rtype="A", **how):
    made = dns.message.make_query(name, rtype, **how)
    made.flags &= ~dns.flags.RD
    return made


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_clients_hear_the_same_as_over_udp(server, protocol):
    for name, rtype in [
        ("www.private.example.", "A"),
        ("no.private.example.", "A"),
        ("elsewhere.example.", "A"),
        ("private.example.", "NS"),
    ]:
        expected = server.ask(name, rtype)
        heard = server.over(protocol, query(name, rtype))
        assert heard.rcode() == expected.rcode()
        assert heard.answer == expected.answer and heard.authority == expected.authority
    # What does not fit a datagram comes whole.
    many = server.over(protocol, query("many.private.example.", use_edns=0))
    assert len(many.answer[0]) == 200 and not many.flags & dns.flags.TC


def test_kdig_over_tls_and_https(server):
    name = "www.private.example"
    for how in (
        ["-p", str(server.dot), "+tls", f"+tls-hostname={NAME}"],
        ["-p", str(server.doh), "+https", f"+tls-hostname={NAME}"],
        ["-p", str(server.doh), "+https-get", f"+tls-hostname={NAME}"],
    ):
        assert "192.0.2.1" in server.kdig(*how, name, "A")
    # Several on one connection.
    names = [argument for _ in range(10) for argument in ("-q", name)]
    said = server.kdig("-p", str(server.dot), "+tls", f"+tls-hostname={NAME}", "+keepopen", *names)
    assert said.count("192.0.2.1") >= 10


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_padding_comes_when_asked_for(server, protocol):
    padded = query(use_edns=0, options=[dns.edns.GenericOption(dns.edns.OptionType.PADDING, b"")])
    heard = server.over(protocol, padded)
    assert any(option.otype == dns.edns.OptionType.PADDING for option in heard.options)
    # RFC 8467 section 4.1.
    assert len(heard.to_wire()) % 468 == 0


@pytest.mark.parametrize("http2", [False, True])
def test_requests_over_https_are_told_what_is_wrong_with_them(server, http2):
    wire = query().to_wire()
    message = {"content-type": "application/dns-message"}
    encoded = base64.urlsafe_b64encode(wire).rstrip(b"=").decode()
    with httpx2.Client(http1=not http2, http2=http2, verify=server.trust) as client:
        good = client.post(server.url, content=wire, headers=message)
        assert (good.status_code, good.headers["content-type"]) == (200, message["content-type"])
        assert good.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
        assert good.headers["cache-control"] == "max-age=77"
        assert dns.message.from_wire(good.content).answer
        assert client.get(f"{server.url}?dns={encoded}").content == good.content
        head = client.head(f"{server.url}?dns={encoded}")
        assert (head.status_code, head.content) == (200, b"")
        for code, response in [
            (404, client.get(server.url.replace("dns-query", ""))),
            (405, client.put(server.url, content=wire, headers=message)),
            (400, client.get(server.url)),
            (400, client.get(f"{server.url}?dns={encoded}=")),
            (400, client.get(f"{server.url}?dns=AAAA")),
            (400, client.post(server.url, content=b"nonsense", headers=message)),
            (400, client.post(server.url, content=b"", headers=message)),
            (413, client.post(server.url, content=bytes(65_536), headers=message)),
            (415, client.post(server.url, content=wire)),
            (415, client.post(server.url, content=wire, headers={"content-type": "text/plain"})),
        ]:
            assert response.status_code == code, response.request
            assert response.text.endswith("\n"), "no word about why"
        # Only what does not fit a URL is refused for its length. How much of a head is read beyond
        # the limit depends on how it arrives, and where some is left the word may be lost with it.
        try:
            long = client.get(f"{server.url}?dns={'A' * 60_000}")
            assert long.status_code in (414, 431)
        except httpx2.TransportError:
            pass
    assert httpx2.get(f"{server.url}?dns={encoded}", verify=server.trust).content == good.content


def test_how_long_replies_may_be_kept(server):
    def max_age(name, rtype="A"):
        body = query(name, rtype).to_wire()
        headers = {"content-type": "application/dns-message"}
        response = httpx2.post(server.url, content=body, headers=headers, verify=server.trust)
        return int(response.headers["cache-control"].removeprefix("max-age="))

    assert max_age("www.private.example.") == 77
    soa = server.ask("no.private.example.").authority[0]
    assert max_age("no.private.example.") == min(soa.ttl, soa[0].minimum)
    assert max_age("www.private.example.", "TXT") == min(soa.ttl, soa[0].minimum)
    # Refused: tomorrow it may be otherwise.
    assert max_age("elsewhere.example.") == 0


def test_views_are_those_of_the_address(tmp_path):
    """A second address, on which no name server is, shows nothing."""
    server = Encrypted(tmp_path / "meridian")
    config = server.folder / "meridian.toml"
    config.write_text(config.read_text().replace('"127.0.0.1:', '"0.0.0.0:'))
    with server:
        zone = Zone(server.client(), "here.example.")
        zone.change(create("www.here.example.", "A", "192.0.2.1"))
        asked = query("www.here.example.")
        for address, rcode in (("127.0.0.1", "NOERROR"), ("127.0.0.2", "REFUSED")):
            trusted = str(server.authority.path)
            over_tls = dns.query.tls(
                asked, address, 5, server.dot, ssl_context=server.trust, server_hostname=NAME
            )
            over_quic = dns.query.quic(
                asked, address, 5, server.doq, verify=trusted, server_hostname=NAME
            )
            over_https = dns.query.https(
                asked,
                f"https://{address}:{server.doh}/dns-query",
                5,
                verify=server.trust,
                http_version=HTTP_2,
            )
            for heard in (over_tls, over_quic, over_https):
                assert dns.rcode.to_text(heard.rcode()) == rcode


def test_a_new_certificate_is_shown_and_a_bad_one_is_not(tmp_path):
    with Encrypted(tmp_path / "meridian") as server:
        assert server.shown_serial() == server.serial
        open_connection = socket.create_connection(("127.0.0.1", server.dot), 5)
        session = server.trust.wrap_socket(open_connection, server_hostname=NAME)

        renewed = server.authority.issue(server.certificate, server.key)
        server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: server.shown_serial() == renewed)

        since = server.log.stat().st_size
        server.key.write_text("not a key")
        server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "the one before is shown" in server.log_tail(since))
        assert str(server.key) in server.log_tail(since)
        assert server.shown_serial() == renewed
        for protocol in PROTOCOLS:
            assert server.over(protocol, query("meridian.internal.", "SOA")).answer

        # Whoever was there before stays.
        dns.query.send_tcp(session, query("meridian.internal.", "SOA"))
        assert dns.query.receive_tcp(session)[0].answer
        session.close()


@pytest.mark.skipif(not LONG, reason="waits for a minute; --all")
@pytest.mark.timeout(120)
def test_a_new_certificate_is_found_without_a_signal(tmp_path):
    with Encrypted(tmp_path / "meridian") as server:
        renewed = server.authority.issue(server.certificate, server.key)
        assert eventually(lambda: server.shown_serial() == renewed, timeout=70, pause=1)


def test_configurations_that_cannot_work_say_so(tmp_path):
    server = Encrypted(tmp_path / "meridian")
    config = server.folder / "meridian.toml"
    good = config.read_text()

    def check():
        command = [str(BIN), "config", "check"]
        return subprocess.run(command, cwd=server.folder, capture_output=True, text=True)

    assert check().returncode == 0, check().stderr
    other = server.folder / "other.pem"
    server.authority.issue(other, server.folder / "other.key")
    for change, words in [
        (lambda text: text.replace("certificate.pem", "missing.pem"), "missing.pem"),
        (lambda text: text.replace("key.pem", "certificate.pem"), "no usable private key"),
        (lambda text: text.replace("certificate.pem", "key.pem"), "there is no certificate"),
        (lambda text: text.replace("certificate.pem", "other.pem"), "not that of the certificate"),
        (lambda text: text.split("dot =")[0], "add an address to dot"),
        (lambda text: text.replace(str(server.doh), str(server.dot)), "twice"),
    ]:
        config.write_text(change(good))
        done = check()
        assert done.returncode != 0 and words in done.stderr, (words, done.stderr)


def is_closed(connection, within):
    """Whether the server closes within that time; an alert may come first."""
    connection.settimeout(within)
    try:
        while connection.recv(4096):
            pass
        return True
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def test_garbage_and_slow_handshakes_do_no_harm(server):
    before = time.monotonic()
    silent = [socket.create_connection(("127.0.0.1", port)) for port in (server.dot, server.doh)]
    for number in range(20):
        for port in (server.dot, server.doh):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.sendall(os.urandom(50 + 50 * number))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
            datagrams.sendto(os.urandom(1200), ("127.0.0.1", server.doq))
            # The beginning of a QUIC packet of version 1.
            start = b"\xc3\x00\x00\x00\x01\x08" + os.urandom(1194)
            datagrams.sendto(start, ("127.0.0.1", server.doq))
    # HTTP in the clear, and nonsense inside TLS.
    with socket.create_connection(("127.0.0.1", server.doh)) as connection:
        connection.sendall(b"GET /dns-query HTTP/1.1\r\n\r\n")
        assert is_closed(connection, 5)
    for port in (server.dot, server.doh):
        with socket.create_connection(("127.0.0.1", port)) as connection:
            with server.trust.wrap_socket(connection, server_hostname=NAME) as session:
                session.sendall(b"\0\0" + os.urandom(500))
                assert is_closed(session, 15)
    for protocol in PROTOCOLS:
        assert server.over(protocol, query()).answer
    # Who says nothing is cut off after 5 s.
    for connection in silent:
        assert is_closed(connection, 8), "a client that never begins is waited for"
        connection.close()
    assert time.monotonic() - before > 4
    assert "panic" not in server.log_tail(size=1_000_000)


def test_who_connected_before_the_stop_is_answered_over_https(tmp_path):
    encoded = base64.urlsafe_b64encode(query("meridian.internal.", "SOA").to_wire()).rstrip(b"=")
    request = b"GET /dns-query?dns=" + encoded + b" HTTP/1.1\r\nhost: " + NAME.encode() + b"\r\n\r\n"
    with Encrypted(tmp_path / "meridian") as server:

        def connect():
            return socket.create_connection(("127.0.0.1", server.doh), 5)

        def shake(connection):
            return server.trust.wrap_socket(connection, server_hostname=NAME)

        shaken, connected = shake(connect()), connect()
        server.process.send_signal(signal.SIGTERM)
        assert eventually(lambda: "stopping" in server.log_tail())
        # One that has shown itself, one that has not yet.
        for session in (shaken, shake(connected)):
            session.sendall(request)
            assert session.recv(4096).startswith(b"HTTP/1.1 200"), server.log_tail()
            session.close()
        assert server.process.wait(5) == 0


class Askers:
    """Asks over and over, on a new connection each time; nothing may fail."""

    def __init__(self, server):
        self.server = server
        self.done = dict.fromkeys(PROTOCOLS, 0)
        self.over = threading.Event()

    def run(self, protocol):
        while not self.over.is_set():
            assert self.server.over(protocol, query("meridian.internal.", "SOA")).answer, protocol
            self.done[protocol] += 1


@pytest.mark.alone
def test_replacements_cost_no_encrypted_query(tmp_path):
    adopt_successors()
    with Encrypted(tmp_path / "meridian") as server:
        askers, took = Askers(server), []
        protocols = [*PROTOCOLS, "quic", "quic"]
        threads = Threads(*[functools.partial(askers.run, protocol) for protocol in protocols])
        with threads:
            try:
                for _ in range(SWAPS):
                    before = dict(askers.done)
                    took.append(server.replace()["took_ms"])
                    # Everybody has been answered by this process too.
                    assert eventually(
                        lambda: (
                            threads.errors
                            or all(askers.done[one] > before[one] + 5 for one in protocols)
                        )
                    ), (before, askers.done)
                    if threads.errors:
                        raise threads.errors[0]
            finally:
                askers.over.set()
        print(f"asked {askers.done}, replacements took {took} ms")
        renewed = server.authority.issue(server.certificate, server.key)
        server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: server.shown_serial() == renewed)
        assert "panic" not in server.log_tail(size=1_000_000)
