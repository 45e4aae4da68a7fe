"""`meridian import route53` as tests run it."""

import contextlib
import json
import os
import socket
import subprocess
import threading

from harness import BIN


def command(endpoint, *options):
    words = ["import", "route53", "--endpoint", endpoint, "--rate", "10000"]
    return [BIN, *words, *map(str, options)]


def run(target, source, *options, check=0, **more):
    """Moves; returns the report, or what is said where there is none."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    environment |= {"AWS_SHARED_CREDENTIALS_FILE": str(source.data / "credentials")}
    environment |= more.pop("environment", {})
    words = command(more.pop("endpoint", source.endpoint), *options)
    done = subprocess.run(
        [*words, "--data-dir", target.data, "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert done.returncode == check, f"{done.returncode}\n{done.stdout}{done.stderr}"
    said = json.loads(done.stdout)
    return said.get("error", said)


class Halt:
    """A way to a server's admin socket that passes bytes on until `reached` is true, and then none
    to the server until `go_on`. Its directory stands for the server's own."""

    def __init__(self, server, data, reached):
        self.data, self.halted, self._on = data, threading.Event(), threading.Event()
        self._server, self._reached = str(server.data / "admin.sock"), reached
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(data / "admin.sock"))
        self._socket.listen()
        threading.Thread(target=self._run, daemon=True).start()

    def go_on(self):
        self._on.set()

    def _run(self):
        while True:
            near, _ = self._socket.accept()
            far = socket.socket(socket.AF_UNIX)
            try:
                far.connect(self._server)
            except OSError:
                near.close()
                continue
            for pair in ((near, far, self._wait), (far, near, lambda: None)):
                threading.Thread(target=_pass_on, args=pair, daemon=True).start()

    def _wait(self):
        if not self.halted.is_set() and self._reached():
            self.halted.set()
            self._on.wait()


def _pass_on(source, sink, before):
    try:
        while data := source.recv(1 << 14):
            before()
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def by_name(report):
    return {zone["name"].rstrip("."): zone for zone in report["zones"]}


def sets_of(client, zone_id, ids):
    """The sets of a zone without what is its own, with the ids of zones as `ids` has them."""
    pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone_id)
    sets = [set_ for page in pages for set_ in page["ResourceRecordSets"]]
    for set_ in sets:
        if target := set_.get("AliasTarget"):
            target["HostedZoneId"] = ids.get(target["HostedZoneId"], target["HostedZoneId"])
    return [s for s in sets if s["Type"] not in ("NS", "SOA") or s["Name"].startswith("sub.")]
