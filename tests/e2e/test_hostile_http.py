"""What HTTP can be abused for: each gets a clear error or a closed connection, soon, and for little memory.

XML and signatures are judged elsewhere; here nobody gets as far as that.
"""

import concurrent.futures
import contextlib
import http.client
import itertools
import re
import selectors
import socket
import time
import urllib.request

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from harness import LONG, Meridian, eventually

PATH = "/2013-04-01/hostedzone"
HEAD = f" {PATH} HTTP/1.1\r\nHost: x\r\n"
GET, POST = f"GET{HEAD}".encode(), f"POST{HEAD}".encode()
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
MIB = 1024 * 1024
LARGEST = 8 * MIB
# A chunk of 64 KiB.
CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"


def announced(length):
    return POST + f"Content-Length: {length}\r\n\r\n".encode()


_networks = itertools.count(1)


def send(server, data, quiet=0.5):
    """Sends bytes to the API and returns all that comes until the connection is closed.

    When nothing comes for `quiet` seconds after an answer the connection stays open, which is well.
    Each time from another network, since strangers are not answered endlessly.
    """
    host, port = server.api.split(":")
    source = (f"127.1.{next(_networks)}.1", 0)
    with socket.create_connection((host, int(port)), 10, source) as connection:
        # Who closes early wants no more.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        answer = b""
        with contextlib.suppress(ConnectionResetError, TimeoutError):
            while piece := connection.recv(65536):
                answer += piece
                connection.settimeout(quiet)
        return answer


def outcome(answer):
    """Status and error code; without a code where HTTP itself was not understood."""
    if not answer:
        return "closed"
    status = int(answer.split(b" ", 2)[1])
    code = re.search(b"<Code>(.*?)</Code>", answer)
    if not code:
        return status
    assert re.search(rb"x-amzn-requestid: [0-9a-f-]{36}\r\n", answer), answer
    assert b"<ErrorResponse" in answer and b"<RequestId>" in answer
    return status, code[1].decode()


TOO_LARGE = (413, "RequestEntityTooLarge")
MALFORMED = (400, "MalformedInput")
UNSIGNED = (403, "MissingAuthenticationToken")

CASES = {
    # Bodies.
    "announced and not sent": (TOO_LARGE, announced(LARGEST + 1)),
    "announced and sent": (TOO_LARGE, announced(2 * LARGEST) + b"x" * 2 * LARGEST),
    "sent in chunks": (TOO_LARGE, CHUNKED + CHUNK * 129 + b"0\r\n\r\n"),
    "chunks without end": (TOO_LARGE, CHUNKED + CHUNK * 400),
    "just not too large": (UNSIGNED, announced(LARGEST) + b"x" * LARGEST),
    "announced beyond all numbers": (400, announced("9" * 30)),
    "announced up to the end of numbers": (431, announced(2**64 - 1)),
    "announced with a sign": (400, announced("+1") + b"x"),
    "announced as negative": (400, announced("-1")),
    "two lengths": (400, POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"),
    "a list of lengths": (400, announced("1, 2") + b"ab"),
    "an unknown encoding": (400, POST + b"Transfer-Encoding: gzip\r\n\r\n0\r\n\r\n"),
    "a chunk without a length": (MALFORMED, CHUNKED + b"zz\r\n"),
    "a chunk of endless length": (MALFORMED, CHUNKED + b"f" * 17 + b"\r\n"),
    "a chunk that is longer": (MALFORMED, CHUNKED + b"1\r\nxy\r\n0\r\n\r\n"),
    "an endless extension": (MALFORMED, CHUNKED + b"1;" + b"a" * 100_000 + b"\r\nx\r\n0\r\n\r\n"),
    "endless trailers": (MALFORMED, CHUNKED + b"0\r\n" + b"a: b\r\n" * 20_000 + b"\r\n"),
    # Heads.
    "many headers": (431, GET + b"a: b\r\n" * 101 + b"\r\n"),
    "a flood of headers": (431, GET + b"a: b\r\n" * 100_000 + b"\r\n"),
    "a huge header": (431, GET + b"a: " + b"b" * MIB + b"\r\n\r\n"),
    "a huge path": (414, b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a long query": ((400, "IncompleteSignature"), GET.replace(b" HTTP", b"?" + b"a" * 20_000 + b" HTTP") + b"\r\n"),
    "empty lines without end": (431, b"\r\n" * 100_000),
    "a folded header": (400, GET + b"a: b\r\n c\r\n\r\n"),
    "a blank before the colon": (400, GET + b"a : b\r\n\r\n"),
    "no host": (MALFORMED, f"GET {PATH} HTTP/1.1\r\n\r\n".encode()),
    "two hosts": (MALFORMED, GET + b"Host: y\r\n\r\n"),
    "NUL in the path": (400, b"GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n"),
    "NUL in a name": (400, GET + b"a\0: b\r\n\r\n"),
    "NUL in a value": (400, GET + b"a: b\0\r\n\r\n"),
    # Other kinds of requests, and what is none.
    "absolute form": (UNSIGNED, GET.replace(b" /", b" http://x/") + b"\r\n"),
    "CONNECT": (UNSIGNED, b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n"),
    "OPTIONS *": (UNSIGNED, b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"),
    "TRACE": (UNSIGNED, b"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "a method of one's own": (UNSIGNED, b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n"),
    "HTTP/0.9": (400, b"GET /\r\n"),
    "HTTP/1.0": (UNSIGNED, f"GET {PATH} HTTP/1.0\r\n\r\n".encode()),
    "HTTP/2 without TLS": ("closed", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    "HTTP/3.0": (400, GET.replace(b"/1.1", b"/3.0") + b"\r\n"),
    "TLS": (400, bytes.fromhex("160301020001") + b"\0" * 200),
    "noise": (400, bytes(range(256)) * 16),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Meridian(tmp_path_factory.mktemp("hostile") / "meridian") as server:
        yield server
        assert server.stop() == 0, server.log_tail()


@pytest.mark.parametrize("case", CASES)
def test_each_gets_a_clear_error_or_a_closed_connection(server, case):
    expected, data = CASES[case]
    begun = time.monotonic()
    assert outcome(send(server, data)) == expected
    # Not when the server's patience is over, which is 30 s.
    assert time.monotonic() - begun < 15
    assert server.process.poll() is None


def test_garbage_behind_a_request_does_not_touch_it(server):
    answer = send(server, GET + b"\r\n" + b"\0garbage\r\n\r\n", quiet=10)
    first, _, second = answer.partition(b"</ErrorResponse>")
    assert outcome(first + b"</ErrorResponse>") == UNSIGNED
    assert outcome(second) == 400
    # Requests one behind the other are answered one after the other.
    last = GET + b"Connection: close\r\n\r\n"
    assert send(server, (GET + b"\r\n") * 9 + last, quiet=10).count(b"HTTP/1.1 403") == 10


def test_two_lengths_that_agree_or_not_with_chunks_hide_no_request(server):
    """What one of two readers takes for a body must not become a request of its own."""
    hidden = b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
    both = POST + f"Content-Length: {len(hidden) + 5}\r\n".encode()
    answer = send(server, both + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden)
    assert answer.count(b"HTTP/1.1 ") == 1 and b"connection: close" in answer.lower()


def test_what_is_sent_slowly_is_waited_for_only_so_long(server):
    """A head or a body in drops. The whole patience is 30 s: `--all` waits for its end."""
    host, port = server.api.split(":")
    drops = [GET, announced(1000)]
    connections = [socket.create_connection((host, int(port)), 5) for _ in drops]
    begun = time.monotonic()
    for connection, data in zip(connections, drops):
        connection.sendall(data)
    until = 33 if LONG else 1
    answers = [b"" for _ in drops]
    with selectors.DefaultSelector() as selector:
        for index, connection in enumerate(connections):
            selector.register(connection, selectors.EVENT_READ, index)
        while selector.get_map() and time.monotonic() - begun < until:
            for key, _ in selector.select(0.2):
                piece = key.fileobj.recv(65536)
                answers[key.data] += piece
                if not piece:
                    selector.unregister(key.fileobj)
            for key in selector.get_map().values():
                with contextlib.suppress(OSError):
                    key.fileobj.send(b"a: b\r\n" if key.data == 0 else b"x")
    for connection in connections:
        connection.close()
    if LONG:
        assert time.monotonic() - begun < 32
        assert outcome(answers[1]) == (408, "RequestTimeout")
        assert outcome(answers[0]) in ("closed", 408)
    else:
        assert answers == [b"", b""]


def signed(server, path=PATH, method="GET"):
    key = server.operator()
    request = botocore.awsrequest.AWSRequest(method, f"http://{server.api}{path}")
    credentials = botocore.credentials.Credentials(key.id, key.secret)
    botocore.auth.SigV4Auth(credentials, "route53", "us-east-1").add_auth(request)
    return dict(request.prepare().headers)


def ask(server, source="127.0.0.1", path=PATH, method="GET"):
    """One good request from an address of this machine; returns status, seconds and body."""
    begun = time.monotonic()
    connection = http.client.HTTPConnection(server.api, timeout=10, source_address=(source, 0))
    with contextlib.closing(connection):
        connection.request(method, path, headers=signed(server, path, method))
        response = connection.getresponse()
        body = response.read().decode()
        assert response.headers["x-amzn-requestid"]
        return response.status, time.monotonic() - begun, body


def memory_mib(server):
    status = open(f"/proc/{server.process.pid}/status").read()
    return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) / 1024


@pytest.mark.alone
def test_hundreds_of_slow_clients_leave_room_for_a_good_one(start):
    """One client takes all it gets with heads and bodies that never end; another is served."""
    server = start()
    host, port = server.api.split(":")
    before = memory_mib(server)
    slow = []
    # More than there are seats at all.
    for number in range(700):
        connection = socket.create_connection((host, int(port)), 5, ("127.0.0.66", 0))
        with contextlib.suppress(OSError):
            connection.sendall(GET if number % 2 else announced(MIB) + b"x" * 1000)
        slow.append(connection)

    def left():
        """Those that are not closed by the server."""
        open_still = 0
        for connection in slow:
            connection.setblocking(False)
            try:
                open_still += connection.recv(1, socket.MSG_PEEK) != b""
            except BlockingIOError:
                open_still += 1
            except ConnectionResetError:
                pass
        return open_still

    assert eventually(lambda: left() == 256), left()
    assert memory_mib(server) - before < 40
    for _ in range(20):
        status, seconds, _ = ask(server)
        assert status == 200 and seconds < 1
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        assert {status for status, _, _ in pool.map(lambda _: ask(server), range(40))} == {200}
    with pytest.raises((OSError, http.client.HTTPException)):
        ask(server, "127.0.0.66")
    assert metric(server, "meridian_api_connections_refused_total") >= 700 - 256
    assert metric(server, "meridian_api_connections") >= 256
    assert "127.0.0.66 has 256 HTTP connections" in server.log_tail(size=100_000)
    # Who leaves makes room for himself.
    for connection in slow:
        connection.close()
    assert eventually(lambda: served(server, "127.0.0.66"))


def metric(server, name):
    with urllib.request.urlopen(f"http://{server.metrics}/metrics", timeout=5) as page:
        return int(re.search(rf"^{name} (\d+)$", page.read().decode(), re.MULTILINE)[1])


def served(server, source):
    try:
        return ask(server, source)[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def test_clients_of_a_trusted_proxy_share_no_limit(tmp_path):
    config = '[api]\ntrusted_proxies = ["127.0.0.77"]\n'
    with Meridian(tmp_path / "meridian", config=config) as server:
        host, port = server.api.split(":")
        source = ("127.0.0.77", 0)
        held = [socket.create_connection((host, int(port)), 5, source) for _ in range(300)]
        assert served(server, "127.0.0.77")
        for connection in held:
            connection.close()


@pytest.mark.alone
def test_large_bodies_in_great_number_take_bounded_memory(start):
    """More than anybody's share of the room for bodies: the rest waits, and nothing grows."""
    server = start()
    host, port = server.api.split(":")
    held = []
    for number in range(200):
        # Each from one address, of many.
        source = (f"127.0.1.{number // 50 + 1}", 0)
        connection = socket.create_connection((host, int(port)), 5, source)
        connection.settimeout(1)
        with contextlib.suppress(OSError, TimeoutError):
            connection.sendall(announced(MIB) + b"x" * (MIB - 1))
        held.append(connection)
    # Each has a part of 16 MiB.
    assert memory_mib(server) < 160
    status, seconds, _ = ask(server)
    assert status == 200 and seconds < 2
    # Somebody else's large body is taken at once.
    begun = time.monotonic()
    assert outcome(send(server, announced(MIB) + b"x" * MIB)) == UNSIGNED
    assert time.monotonic() - begun < 2
    for connection in held:
        connection.close()


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/2013-04-01/keysigningkey", (501, "NotImplemented")),
        ("GET", "/2013-04-01/nothing", (404, "UnknownOperationException")),
        ("GET", "/2012-12-12/hostedzone", (404, "UnknownOperationException")),
        ("GET", "/favicon.ico", (404, "UnknownOperationException")),
        ("PUT", PATH, (405, "MethodNotAllowed")),
        ("HEAD", PATH, (405, None)),
    ],
)
def test_what_is_not_there_is_said_honestly(server, method, path, expected):
    status, _, body = ask(server, path=path, method=method)
    code = re.search("<Code>(.*?)</Code>", body)
    assert (status, code and code[1]) == expected


@pytest.mark.parametrize(
    ("path", "allow"),
    [(PATH, "GET, POST"), (f"{PATH}/Z1", "GET, POST, DELETE"), (f"{PATH}count", "GET")],
)
def test_a_wrong_method_hears_of_the_right_ones(server, path, allow):
    connection = http.client.HTTPConnection(server.api, timeout=10)
    with contextlib.closing(connection):
        connection.request("OPTIONS", path, headers=signed(server, path, "OPTIONS"))
        response = connection.getresponse()
        assert response.status == 405
        assert set(response.headers["allow"].split(", ")) == set(allow.split(", "))


def test_an_operation_that_is_not_there_is_not_tried_again(server):
    """botocore repeats 500, 502, 503 and 504: with those every such call would take its retries."""
    for mode in ("legacy", "standard", "adaptive"):
        client = server.client(retries={"mode": mode, "total_max_attempts": 5})
        tries = []
        client.meta.events.register(
            "before-send.route53", lambda request, tries=tries, **_: tries.append(request) and None
        )
        with pytest.raises(client.exceptions.ClientError) as error:
            client.enable_hosted_zone_dnssec(HostedZoneId="Z1")
        assert error.value.response["Error"]["Code"] == "NotImplemented"
        assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
        assert error.value.response["ResponseMetadata"]["RequestId"]
        assert len(tries) == 1
