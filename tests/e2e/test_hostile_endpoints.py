"""Endpoints that mean harm to those who probe them: each probe ends within its time and keeps little,
names lead nowhere they may not, and the checks of others do not suffer."""

import contextlib
import itertools
import os
import socket
import struct
import threading
import time

import dns.message
import dns.rrset
import pytest

from harness import Meridian, eventually, reference

# Everything a probe may take: 4 s for a connection, 2 for the status, 2 for the string; and a debug
# build on a busy machine.
PROBE_MAX = 12
# What a probe may keep, in bytes, and what all else may grow by meanwhile.
GROWTH_MAX = 64 * 1024 * 1024
# Descriptors: checks here, and what the server has anyway.
DESCRIPTORS_MAX = 160


class Endpoint:
    """Does the same with each connection; counts them."""

    def __init__(self, serve):
        self.serve, self.seen = serve, 0
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.socket.accept()
                self.seen += 1
                threading.Thread(target=self.handle, args=(connection,), daemon=True).start()

    def handle(self, connection):
        with contextlib.suppress(OSError), connection:
            self.serve(connection)

    def close(self):
        self.socket.close()


def requested(serve):
    """Serves once a request is there."""

    def after_request(connection):
        got = b""
        while not got.endswith(b"\r\n\r\n"):
            more = connection.recv(4096)
            if not more:
                return
            got += more
        serve(connection)

    return after_request


def says(*pieces, pause=0.0):
    """Says these; the last one for ever."""

    def serve(connection):
        for piece in itertools.chain(pieces, itertools.repeat(pieces[-1])):
            connection.sendall(piece)
            time.sleep(pause)

    return requested(serve)


def resets(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_open(connection):
    """Says that nothing will come, and holds on to the connection."""
    connection.shutdown(socket.SHUT_WR)
    time.sleep(60)


def redirects(connection):
    port = connection.getsockname()[1]
    location = f"http://127.0.0.1:{port}/again"
    head = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
    connection.sendall(head.encode())
    connection.recv(1)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
# What is done, what is looked for, and what is told of it.
HOSTILE = {
    "slow head": (says(b"H", pause=0.1), None, "Failure: Response "),
    "endless head": (says(b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536), None, "Failure: Response headers"),
    "endless headers": (says(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 999), None, "Failure: Response headers"),
    "endless interim": (says(b"HTTP/1.1 103 x\r\n\r\n" * 99), None, "Failure: Response headers"),
    "endless body": (says(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536), "needle", "Search string not"),
    "slow body": (says(b"HTTP/1.1 200 OK\r\n\r\n", b"x", pause=0.1), "needle", "body timed out"),
    "endless chunks": (says(CHUNKED, b"1\r\nx\r\n" * 999), "needle", "Search string not"),
    "chunk of every size": (says(CHUNKED, b"f" * 65536), "needle", "malformed length"),
    "no gzip": (says(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", b"x" * 99), "needle",
                "cannot be decoded"),
    "redirect loop": (requested(redirects), None, "Success: HTTP Status Code 302"),
    "reset": (resets, None, "Failure: Connection reset"),
    "reset behind the request": (requested(resets), None, "Failure: Connection reset"),
    "half open": (half_open, None, "Failure: Connection closed before"),
    "silence": (lambda connection: time.sleep(60), None, "Failure: Response timed out"),
}


class Resolver:
    """Says of every name what was bound to it last."""

    def __init__(self):
        self.address, self.asked = "203.0.113.1", 0
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                packet, client = self.socket.recvfrom(4096)
                query = dns.message.from_wire(packet)
                reply = dns.message.make_response(query)
                name = query.question[0].name
                reply.answer.append(dns.rrset.from_text(name, 0, "IN", "A", self.address))
                self.asked += 1
                self.socket.sendto(reply.to_wire(), client)


@pytest.fixture(scope="module")
def resolver():
    return Resolver()


@pytest.fixture(scope="module")
def server(tmp_path_factory, resolver):
    config = f"""
        [health]
        resolvers = ["127.0.0.1:{resolver.port}"]
    """
    with Meridian(tmp_path_factory.mktemp("hostile"), config=config) as server:
        yield server


@pytest.fixture
def endpoints():
    made = []

    def make(serve):
        made.append(Endpoint(serve))
        return made[-1]

    yield make
    for each in made:
        each.close()


def short_intervals(server, account):
    """Endpoints of this account may be probed each second."""
    quota = ("--account", account, "MIN_HEALTH_CHECK_INTERVAL_SECONDS", 1)
    server.admin("quota", "set", *quota)


def make(client, port, **more):
    config = {"Type": "HTTP", "Port": port, "RequestInterval": 1, "FailureThreshold": 1} | more
    made = client.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
    return made["HealthCheck"]["Id"]


def saw(server, check):
    votes = server.admin("health", "show", check)["votes"]
    return votes and votes["checkers"][0]["saw"]


def resident(server):
    pages = open(f"/proc/{server.process.pid}/statm").read().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def test_hostile_endpoints_are_bounded_and_told_apart(server, endpoints):
    (operator,) = [each for each in server.admin("account", "list") if each["operator"]]
    short_intervals(server, operator["id"])
    client = server.client(parameter_validation=False)
    well = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    good = endpoints(requested(lambda connection: connection.sendall(well)))
    sound = make(client, good.port, IPAddress="127.0.0.1")
    assert eventually(lambda: (saw(server, sound) or "").startswith("Success"), 10, 0.1)
    before, checks, hosts = resident(server), {}, {}
    for name, (serve, wanted, _) in HOSTILE.items():
        hosts[name] = endpoints(serve)
        more = {"Type": "HTTP_STR_MATCH", "SearchString": wanted} if wanted else {}
        checks[name] = make(client, hosts[name].port, IPAddress="127.0.0.1", **more)
    for name, check in checks.items():
        expected = HOSTILE[name][2]
        assert eventually(lambda: expected in (saw(server, check) or ""), PROBE_MAX, 0.1), (
            name,
            saw(server, check),
        )
    # Some of each, one after the other: nothing piles up.
    assert eventually(lambda: all(host.seen >= 2 for host in hosts.values()), PROBE_MAX, 0.1), {
        name: host.seen for name, host in hosts.items()
    }
    assert len(os.listdir(f"/proc/{server.process.pid}/fd")) < DESCRIPTORS_MAX
    assert resident(server) - before < GROWTH_MAX
    # A redirect is one connection for each probe, which come a second apart.
    loop = hosts["redirect loop"]
    seen, began = loop.seen, time.monotonic()
    time.sleep(2)
    assert loop.seen - seen <= time.monotonic() - began + 1
    # What is well stays well.
    assert saw(server, sound) == "Success: HTTP Status Code 200, OK"
    events = server.data / "health-events.log"
    assert not events.exists() or sound not in events.read_text()
    for check in checks.values():
        client.delete_health_check(HealthCheckId=check)


def test_names_that_are_bound_anew_lead_nowhere_they_may_not(server, endpoints, resolver):
    key = server.new_account("rebinder")
    short_intervals(server, "rebinder")
    client = server.client(key, parameter_validation=False)
    inside = endpoints(lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n"))
    check = make(client, inside.port, FullyQualifiedDomainName="rebound.example.com")
    for address, why in (
        ("127.0.0.1", "loopback"),
        ("169.254.169.254", "metadata"),
        ("10.0.0.1", "private"),
        ("100.64.0.1", ""),
        ("0.0.0.0", ""),
        ("127.0.0.1", "loopback"),
    ):
        resolver.address = address
        expected = ("Failure: Not probed: ", f"Resolved IP: {address}")
        assert eventually(
            lambda: all(text in (saw(server, check) or "") for text in expected), PROBE_MAX, 0.05
        ), (address, saw(server, check))
        assert why in saw(server, check)
    # The name is looked up for each probe, and nobody was connected to.
    asked = resolver.asked
    assert eventually(lambda: resolver.asked > asked + 1, PROBE_MAX, 0.05)
    assert inside.seen == 0
