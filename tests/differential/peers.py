"""The servers that are compared, each started in a folder of its own and given the same zones.

NSD and Knot come from Debian; nothing of the system's configuration is read, nothing needs root.
"""

import pathlib
import socket
import subprocess

import harness
from differential.zones import name_text

ROUTE53_ESCAPE = "\\%03o"
# Limits of one ChangeResourceRecordSets; the last is ours, below that of a request's body.
MAX_ELEMENTS, MAX_CHARACTERS = 1000, 32_000


class Peer:
    """A name server of somebody else's."""

    name = None
    program = None

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / self.name
        self.folder.mkdir(parents=True)
        self.port = harness.free_port()
        self.process = None

    def start(self, zones):
        files = []
        for number, zone in enumerate(zones):
            path = self.folder / f"{number}.zone"
            path.write_text(zone.master())
            files.append((name_text(zone.apex), path.name))
        config = self.folder / "config"
        config.write_text(self.config(files))
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [self.program, *self.arguments(config)],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        ready = harness.eventually(
            lambda: self.process.poll() is not None or self.serves(zones), timeout=15
        )
        if not ready or self.process.poll() is not None:
            self.stop()
            raise AssertionError(f"{self.name} did not start:\n{self.log()}")
        return self

    def serves(self, zones):
        return all(soa_is_answered(self.port, zone.apex) for zone in zones)

    def log(self):
        return (self.folder / "log").read_text(errors="replace")[-4000:]

    def stop(self):
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None


class Nsd(Peer):
    """NSD, told to be minimal and to leave rates alone."""

    name, program = "nsd", "nsd"

    def arguments(self, config):
        return ["-d", "-c", config]

    def config(self, files):
        zones = "".join(
            f'zone:\n  name: "{apex}"\n  zonefile: "{file}"\n' for apex, file in files
        )
        return f"""server:
  ip-address: 127.0.0.1@{self.port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{self.folder}"
  pidfile: ""
  zonelistfile: "{self.folder}/zone.list"
  xfrdfile: "{self.folder}/xfrd.state"
  xfrdir: "{self.folder}"
  minimal-responses: no
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
{zones}"""


class Knot(Peer):
    """Knot DNS, told not to keep anything."""

    name, program = "knot", "knotd"

    def arguments(self, config):
        return ["-c", config]

    def config(self, files):
        zones = "".join(f'  - domain: "{apex}"\n    file: "{file}"\n' for apex, file in files)
        return f"""server:
  listen: 127.0.0.1@{self.port}
  rundir: "{self.folder}"
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
log:
  - target: stderr
    any: warning
database:
  storage: "{self.folder}"
control:
  listen: "{self.folder}/control"
template:
  - id: default
    storage: "{self.folder}"
    journal-content: none
    zonefile-sync: -1
    zonefile-load: whole
    semantic-checks: off
zone:
{zones}"""


def soa_is_answered(port, apex):
    wire = b"".join(bytes([len(label)]) + label for label in apex) + b"\0"
    query = b"\xab\xcd\0\0\0\1\0\0\0\0\0\0" + wire + b"\0\6\0\1"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.settimeout(0.5)
        udp.connect(("127.0.0.1", port))
        try:
            udp.send(query)
            reply = udp.recv(4096)
        except OSError:
            return False
    return reply[3] & 15 == 0 and reply[7] == 1


class Ours:
    """Meridian, given its zones by the API."""

    name = "meridian"

    def __init__(self, folder):
        self.server = harness.Meridian(pathlib.Path(folder) / self.name)
        self.port = self.server.dns_port

    def start(self, zones):
        self.server.start()
        client = self.server.client()
        changes = None
        for zone in zones:
            made = harness.Zone(client, route53_name(zone.apex))
            for batch in batches(zone):
                changes = made.send(*batch)
        harness.wait_insync(client, changes)
        return self

    def log(self):
        return self.server.log_tail()

    def stop(self):
        self.server.stop()


def route53_name(name):
    return name_text(name, ROUTE53_ESCAPE)


def batches(zone):
    """The changes that make a new zone into this one, each batch as large as one may be."""
    batch, elements, characters = [], 0, 0
    for set_ in zone.sets:
        values = set_.texts(ROUTE53_ESCAPE)
        own = set_.name == zone.apex and set_.rtype in ("SOA", "NS")
        make, times = (harness.upsert, 2) if own else (harness.create, 1)
        more = times * len(values), times * sum(map(len, values))
        if elements + more[0] > MAX_ELEMENTS or characters + more[1] > MAX_CHARACTERS:
            yield batch
            batch, elements, characters = [], 0, 0
        elements, characters = elements + more[0], characters + more[1]
        batch.append(make(route53_name(set_.name), set_.rtype, *values, ttl=set_.ttl))
    yield batch
