"""The beacon: what browsers and the kernel measure becomes samples, and what others make up does not."""

import http.server
import json
import os
import socket
import threading
import time

import pytest

from harness import adopt_successors, eventually
from measuring import Beacon, Relay, browser

SITES = {
    "eu-central-1": "https://eu.example",
    "us-east-1": "https://us.example",
    "ap-south-1": "https://ap.example",
    "office": "https://office.example",
}


@pytest.fixture(scope="module")
def beacon(tmp_path_factory):
    with Beacon(tmp_path_factory.mktemp("beacon"), SITES, more="samples_per_minute = 1000") as server:
        yield server
        # Addresses of clients are not for the log.
        assert "127.0.0.9" not in server.log_tail(size=1_000_000)


def test_it_is_off_by_default(meridian):
    assert "beacon" not in meridian.log_tail(size=1_000_000)
    assert not (meridian.data / "beacon.key").exists()


def test_the_script_says_where_to_measure(beacon):
    status, headers, script = beacon.ask("/rum.js")
    assert status == 200 and len(script) < 2000
    assert headers["Content-Type"].startswith("text/javascript")
    assert headers["Cache-Control"] == "no-store"
    told = json.loads(b"[" + script.strip().rpartition(b"}(")[2][:-1] + b"]")
    token, urls = told
    regions = token.split(".")[1].split("+")
    assert [SITES[region] for region in regions] == urls and len(set(urls)) == 3
    chosen = {url for _ in range(60) for url in SITES.values() if url.encode() in beacon.ask("/rum.js")[2]}
    assert chosen == set(SITES.values())


def test_the_image_can_be_timed_over_one_connection(beacon):
    connection = beacon.connect()
    for _ in range(3):
        connection.request("GET", "/p.gif?x")
        response = connection.getresponse()
        assert response.status == 200 and response.read().startswith(b"GIF89a")
        assert response.headers["Timing-Allow-Origin"] == "*"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert response.headers["Cache-Control"] == "no-store"
        assert not response.will_close
    connection.close()


def test_a_report_becomes_samples(beacon):
    token = beacon.token()
    first, second, third = token.split(".")[1].split("+")
    before = {region: beacon.samples("rum", region) for region in (first, second, third)}
    status, _, _ = beacon.ask("/report", f"{token} 12.50 - 80")
    assert status == 204
    after = {region: beacon.samples("rum", region) for region in (first, second, third)}
    assert after == {first: before[first] + 1, second: before[second], third: before[third] + 1}


def test_what_is_made_up_becomes_none(beacon):
    token = beacon.token()
    expires, regions, code = token.split(".")
    samples = lambda: sum(beacon.samples("rum", region) for region in SITES)
    before = samples()
    for body, source, status in [
        # Another network's, another region's, another time's, another key's.
        (f"{token} 1 2 3", "127.0.1.9", 403),
        (f"{expires}.office+office+office.{code} 1 2 3", "127.0.0.1", 403),
        (f"{int(expires) + 60}.{regions}.{code} 1 2 3", "127.0.0.1", 403),
        (f"{expires}.{regions}.{code[:-4]}AAAA 1 2 3", "127.0.0.1", 403),
        # Nothing that the script sends.
        (f"{token} 1 2", "127.0.0.1", 400),
        (f"{token} 1 2 3 198.51.100.7", "127.0.0.1", 400),
        (json.dumps({"token": token, "address": "198.51.100.7", "ms": [1, 2, 3]}), "127.0.0.1", 400),
        (f"{token} 1 2 -3", "127.0.0.1", 400),
        ("", "127.0.0.1", 400),
        (b"\xff" * 100, "127.0.0.1", 400),
        ("x" * 513, "127.0.0.1", 413),
        ("x" * 5_000_000, "127.0.0.1", 413),
    ]:
        try:
            found = beacon.ask("/report", body, source)[0]
        except (BrokenPipeError, ConnectionResetError):
            found = 413  # It has hung up before all was sent.
        assert found == status, (body[:200], found)
    assert samples() == before
    assert beacon.ask("/report")[0] == 405 and beacon.ask("/other")[0] == 404


def test_the_clients_address_is_the_sockets(beacon):
    """Whoever is no trusted proxy can say what he likes."""
    forged = {"X-Forwarded-For": "127.0.1.9", "Forwarded": "for=127.0.1.9"}
    token = beacon.token(headers=forged)
    assert beacon.ask("/report", f"{token} 1 2 3", "127.0.1.9")[0] == 403
    assert beacon.ask("/report", f"{token} 1 2 3", "127.0.1.9", {"X-Forwarded-For": "127.0.0.1"})[0] == 403
    assert beacon.ask("/report", f"{token} 1 2 3", "127.0.0.9", forged)[0] == 204


def test_connections_are_samples_by_what_the_kernel_knows(tmp_path):
    # Of a beacon that nobody else has had connections to, which may end at any time.
    with Beacon(tmp_path, SITES) as beacon:
        connections_are_samples(beacon)


def connections_are_samples(beacon):
    pixels = lambda: beacon.samples("pixel", "eu-central-1")
    before = pixels()
    # Too little went over these: one carried a few bytes, the other none.
    assert beacon.ask("/other")[0] == 404
    socket.create_connection(("127.0.0.1", beacon.port)).close()
    connection = beacon.connect()
    connection.request("GET", "/p.gif")
    connection.getresponse().read()
    assert pixels() == before, "it is not over yet"
    connection.close()
    assert eventually(lambda: pixels() == before + 1)
    assert 0 < beacon.mean_ms("pixel", "eu-central-1") < 100


def test_tokens_expire_and_there_is_an_end_to_what_is_taken(tmp_path):
    more = "token_lifetime_s = 3\nrequests_per_minute = 40\nsamples_per_minute = 3"
    with Beacon(tmp_path, SITES, more=more) as beacon:
        old = beacon.token()
        made = time.time()
        network = "127.0.2.1"
        statuses = []
        for _ in range(5):
            fresh = beacon.token(source=network)
            statuses.append(beacon.ask("/report", f"{fresh} 1 2 3", network)[0])
        assert set(statuses) <= {204, 429} and 3 <= statuses.count(204) <= 4, statuses
        assert [beacon.ask("/p.gif", source=network)[0] for _ in range(90)].count(429) >= 10
        assert beacon.ask("/p.gif", source="127.0.3.1")[0] == 200
        assert beacon.refused("too-many") >= 10
        time.sleep(max(0, made + 3.1 - time.time()))
        assert beacon.ask("/report", f"{old} 1 2 3") [0] == 403
        assert beacon.refused("expired") == 1


def test_a_trusted_proxy_tells_who_the_client_is(tmp_path):
    more = 'trusted_proxies = ["127.0.0.2"]'
    with Beacon(tmp_path, SITES, more=more) as beacon:
        proxied = {"source": "127.0.0.2", "headers": {"X-Forwarded-For": "10.9.9.9, 127.0.5.1"}}
        token = beacon.token(**proxied)
        body = f"{token} 1 2 3"
        assert beacon.ask("/report", body, "127.0.0.2")[0] == 403
        assert beacon.ask("/report", body, "127.0.5.77")[0] == 204
        assert beacon.ask("/report", body, **proxied)[0] == 204
        # Its own connections say nothing of clients.
        beacon.ask("/p.gif", source="127.0.0.2")
        beacon.ask("/p.gif", source="127.0.5.2")
        assert eventually(lambda: beacon.samples("pixel", "eu-central-1") == 1)


def test_the_key_is_kept_and_a_successor_goes_on(tmp_path):
    adopt_successors()
    with Beacon(tmp_path, SITES) as beacon:
        key = beacon.data / "beacon.key"
        assert os.stat(key).st_mode & 0o777 == 0o600 and key.stat().st_size == 32
        token = beacon.token()
        beacon.replace()
        assert beacon.ask("/report", f"{token} 1 2 3")[0] == 204
        assert beacon.stop() == 0
        beacon.start()
        assert beacon.ask("/report", f"{token} 1 2 3")[0] == 204
        assert beacon.stop() == 0


class Page(http.server.BaseHTTPRequestHandler):
    """A page of somebody's that has the script in it."""

    def do_GET(self):
        body = f'<!doctype html><p>x<script src="{self.server.script}" async></script>'.encode()
        self.send_response(200 if self.path == "/" else 404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.mark.alone
def test_a_browser_measures(tmp_path):
    """A real browser, and sites that are 30, 80 and 150 ms away."""
    delays = {"eu-central-1": 30, "us-east-1": 80, "ap-south-1": 150}
    server = Beacon(tmp_path / "server", {})
    relays = {region: Relay(server.port, delay) for region, delay in delays.items()}
    sites = {region: relay.url for region, relay in relays.items()}
    beacon = Beacon(tmp_path / "beacon", sites, port=server.port)
    page = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    page.script = f"{beacon.url}/rum.js"
    serving = threading.Thread(target=page.serve_forever)
    serving.start()
    (tmp_path / "browser").mkdir()
    try:
        with beacon, relays["eu-central-1"], relays["us-east-1"], relays["ap-south-1"]:
            with browser(f"http://127.0.0.1:{page.server_port}/", tmp_path / "browser"):
                measured = lambda: all(beacon.samples("rum", region) for region in delays)
                assert eventually(measured, 20), beacon.log_tail()
            means = {region: beacon.mean_ms("rum", region) for region in delays}
    finally:
        page.shutdown()
        page.server_close()
        serving.join()
    # One round trip, and what two busy machines take to answer: neither a handshake, which would be
    # a second one, nor less than the way takes.
    for region, delay in delays.items():
        assert delay - 1 <= means[region] <= delay + 25, means
    assert sorted(means, key=means.get) == sorted(delays, key=delays.get)
