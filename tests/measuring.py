"""What measures round trips, and what makes them longer: a browser, a beacon, relays that delay."""

import contextlib
import heapq
import http.client
import itertools
import json
import os
import re
import selectors
import signal
import socket
import subprocess
import threading
import time
import urllib.request

from harness import BIN, Meridian, free_port


class Beacon(Meridian):
    """A server with a beacon in plain HTTP; `sites` has a URL for each region."""

    def __init__(self, folder, sites=None, region="eu-central-1", more="", port=None):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        sites = {region: self.url} if sites is None else sites
        listed = ", ".join(f'{{ region = "{r}", url = "{url}" }}' for r, url in sites.items())
        config = f"""
            [health]
            enabled = false
            [beacon]
            region = "{region}"
            listen = "127.0.0.1:{self.port}"
            sites = [{listed}]
            {more}
        """
        super().__init__(folder, config=config)

    def connect(self, source="127.0.0.1"):
        """A connection from this address of the machine."""
        return http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=10, source_address=(source, 0)
        )

    def ask(self, path, body=None, source="127.0.0.1", headers=None):
        """Status, headers and body of one request over a connection of its own."""
        connection = self.connect(source)
        connection.request("GET" if body is None else "POST", path, body, headers or {})
        response = connection.getresponse()
        found = response.status, response.headers, response.read()
        connection.close()
        return found

    def token(self, **how):
        """What the script of that client would show."""
        status, _, script = self.ask("/rum.js", **how)
        assert status == 200, (status, script)
        return re.search(rb'\}\("([^"]+)",', script)[1].decode()

    def metric(self, name, **labels):
        """A metric's value; 0 if there is none with these labels."""
        wanted = {f'{label}="{value}"' for label, value in labels.items()}
        for line in self.metrics_page().splitlines():
            found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
            if found and wanted == set(filter(None, (found[1] or "").split(","))):
                return float(found[2])
        return 0.0

    def metrics_page(self):
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=5) as response:
            return response.read().decode()

    def samples(self, kind, region):
        return self.metric("meridian_beacon_samples_total", kind=kind, region=region)

    def mean_ms(self, kind, region):
        """How long round trips of that kind took, on average."""
        total = self.metric("meridian_beacon_round_trip_seconds_total", kind=kind, region=region)
        return 1000 * total / self.samples(kind, region)

    def refused(self, reason):
        return self.metric("meridian_beacon_refused_total", reason=reason)


class Far(Beacon):
    """A beacon with TLS on one of the machines of tests/far_apart.py, where it answers DNS, too.

    `more` is of its section `beacon`, `sections` are others.
    """

    def __init__(self, folder, machine, sites, region, more="", sections=""):
        folder.mkdir()
        tls = ["tls", "init", "--address", machine.address, "--data-dir", folder / "data"]
        command = [str(BIN), *map(str, tls)]
        subprocess.run(command, check=True, capture_output=True, timeout=30)
        more = f"""
            {more}
            [beacon.tls]
            certificate = "data/tls/server.pem"
            key = "data/tls/server-key.pem"
            listen = ["{machine.address}:443"]
            {sections}
        """
        super().__init__(folder, sites, region, more)
        self.machine, self.addresses = machine, [machine.address]

    def command(self):
        return [*self.machine.prefix, *super().command()]

    def health(self, path):
        try:
            said = self.machine.run(
                *("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}"),
                f"http://{self.metrics}/{path}",
            )
        except AssertionError:
            return 0
        return int(said)

    def metrics_page(self):
        return self.machine.run("curl", "-s", f"http://{self.metrics}/metrics")

    def aws(self, *arguments):
        command = ("aws", "route53", *arguments, "--output", "json")
        said = self.machine.run(*command, env=self.aws_environment(), cwd=self.folder)
        return json.loads(said) if said.strip() else None


class Relay:
    """A port that leads to another one, each way half of `delay_ms` later."""

    def __init__(self, port, delay_ms):
        self.target, self.pause = ("127.0.0.1", port), delay_ms / 2000
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.waiting, self.count = [], itertools.count()
        self.selector, self.running = selectors.DefaultSelector(), True
        self.thread = threading.Thread(target=self.run)

    def run(self):
        self.selector.register(self.listener, selectors.EVENT_READ)
        while self.running:
            rest = self.waiting[0][0] - time.monotonic() if self.waiting else 0.05
            for key, _ in self.selector.select(max(0, min(rest, 0.05))):
                if key.fileobj is self.listener:
                    self.begin()
                else:
                    self.take(key.fileobj, key.data)
            while self.waiting and self.waiting[0][0] <= time.monotonic():
                _, _, to, data = heapq.heappop(self.waiting)
                with contextlib.suppress(OSError):
                    to.sendall(data) if data else to.shutdown(socket.SHUT_WR)

    def begin(self):
        client, _ = self.listener.accept()
        server = socket.create_connection(self.target)
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(one, selectors.EVENT_READ, other)

    def take(self, one, other):
        try:
            data = one.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.selector.unregister(one)
        heapq.heappush(self.waiting, (time.monotonic() + self.pause, next(self.count), other, data))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.running = False
        self.thread.join()
        self.listener.close()


@contextlib.contextmanager
def browser(url, folder, *options, prefix=()):
    """A headless Chromium that has this page open; `prefix` says where, if not on this machine."""
    command = [
        *prefix, "chromium-headless-shell", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}",
        "--remote-debugging-port=0", *options, url,
    ]
    with open(folder / "log", "wb") as log:
        running = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        yield running
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
