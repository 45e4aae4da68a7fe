"""Latency from end to end: machines that are milliseconds apart measure, maps are built of that, and
what a real resolver answers follows. A path becomes slow, and others are noisy.
"""

import concurrent.futures
import contextlib
import json
import shutil

import pytest

from far_apart import machines
from harness import BIN, eventually, reference
from measuring import Far, browser
from resolver import Unbound

# Regions, one of them the operator's own; the first has the server that builds maps and answers.
SITES = {"eu-central-1": "10.77.0.1", "eu-west-1": "10.77.0.2", "home-1": "10.77.0.3"}
VALUES = {region: f"192.0.2.{number}" for number, region in enumerate(SITES, 1)}
APEX = "converge.example"
NAME = f"fast.{APEX}"
# Clients in the Netherlands, Great Britain and Germany, and how long round trips take from them to
# the regions: what is nearest is the slowest.
CLIENTS = {"office": "193.0.6.9", "lab": "130.88.1.9", "flat": "141.20.1.9"}
WAYS_MS = {
    "office": {"eu-west-1": 15, "home-1": 35, "eu-central-1": 55},
    "lab": {"home-1": 15, "eu-central-1": 35, "eu-west-1": 55},
    "flat": {"home-1": 15, "eu-west-1": 35, "eu-central-1": 55},
}
BETWEEN_MS = {
    ("eu-central-1", "eu-west-1"): 25,
    ("eu-central-1", "home-1"): 10,
    ("eu-west-1", "home-1"): 30,
}
# In these an agent measures, in the flat a browser does.
AGENTS = ("office", "lab")
# Scripts of the beacon on the browser's page.
SCRIPTS = 4
# Builds until a number that is another than before is believed.
HOLD = 3
# One browser speaks for its network. Maps are built when the test says so, and all of them are taken.
SECTION = """
    [latency]
    build_interval_s = 86400
    max_churn_percent = 100
    min_samples = 5
    min_clients = 1
    held_out = 0
"""
# Loads itself again when all scripts have reported, or nothing comes of it.
PAGE = """<!doctype html><script>
let left = {count};
const send = navigator.sendBeacon.bind(navigator);
navigator.sendBeacon = (...report) => {{
  if (--left == 0) setTimeout(() => location.reload(), 50);
  return send(...report);
}};
setTimeout(() => location.reload(), 15000);
</script>{scripts}"""


class Internet:
    """All machines, and what runs on them while the test does."""

    def __init__(self, folder, stack):
        self.folder = folder
        addresses = {**SITES, "resolver": "10.77.0.53", **CLIENTS}
        ways = {(client, region): ms for client, to in WAYS_MS.items() for region, ms in to.items()}
        self.far = stack.enter_context(machines(addresses, {**ways, **BETWEEN_MS}))
        sites = {region: f"https://{address}" for region, address in SITES.items()}
        servers = {
            region: Far(
                folder / region, self.far[region], sites, region,
                "samples_per_minute = 10000\nrequests_per_minute = 10000",
                SECTION if region == "eu-central-1" else "[latency]\nbuild = false",
            )
            for region in SITES
        }
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for server in pool.map(Far.start, servers.values()):
                stack.callback(server.kill)
        self.server = servers["eu-central-1"]
        authorities = [server.data / "tls/ca.pem" for server in servers.values()]
        self.authorities = folder / "authorities.pem"
        self.authorities.write_text("".join(each.read_text() for each in authorities))
        self.home, self.keys = sites["eu-central-1"], {}
        self.server.admin("region", "add", "home-1", "--latitude", "52.52", "--longitude", "13.40")
        self.load()
        lines = f"""
            send-client-subnet: {self.server.addresses[0]}
            client-subnet-always-forward: yes
            max-client-subnet-ipv4: 24
        """
        modules = "subnetcache validator iterator"
        machine = self.far["resolver"]
        self.resolver = Unbound(folder, self.server, APEX, modules, lines, machine)
        stack.callback(self.resolver.stop)

    def load(self):
        """A latency set for each region, by the aws command line."""
        zone = self.server.aws(
            "create-hosted-zone", "--name", APEX, "--caller-reference", reference()
        )["HostedZone"]["Id"]
        sets = [
            {"Name": NAME, "Type": "A", "TTL": 1, "SetIdentifier": region, "Region": region,
             "ResourceRecords": [{"Value": value}]}
            for region, value in VALUES.items()
        ]
        changes = [{"Action": "CREATE", "ResourceRecordSet": each} for each in sets]
        self.server.aws(
            "change-resource-record-sets", "--hosted-zone-id", zone,
            "--change-batch", json.dumps({"Changes": changes}),
        )

    # Measuring.

    def agent(self, name, *region):
        """A round of an agent that is on this machine."""
        if name not in self.keys:
            made = self.server.admin("agent", "add", name, *region)
            self.keys[name] = self.folder / f"{name}.key"
            self.keys[name].write_text(made["secret_key"])
        said = self.far[name].run(
            *(BIN, "agent", "--once", "--json", "--site", name, *region),
            *("--server", self.home, "--ca", self.authorities, "--key", self.keys[name]),
        )
        told = json.loads(said)
        assert told["error"] is None, told
        return {result["region"]: result["rtt_ms"] for result in told["results"]}

    def rounds(self, count=1, agents=AGENTS):
        """Rounds of these agents at the same time; what they measured is taken when it returns."""
        expected = self.taken("agent") + count * len(agents) * len(SITES)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: [self.agent(name) for _ in range(count)], agents))
        taken = eventually(lambda: self.taken("agent") >= expected)
        assert taken, (expected, self.taken("agent"))

    def browser(self):
        """A browser in the flat that goes on measuring."""
        folder = self.folder / "browser"
        folder.mkdir()
        scripts = (f'<script src="{self.home}/rum.js?{n}" async></script>' for n in range(SCRIPTS))
        page = folder / "page.html"
        page.write_text(PAGE.format(count=SCRIPTS, scripts="".join(scripts)))
        # Certificates are an authority's that was made a moment ago.
        option, prefix = "--ignore-certificate-errors", self.far["flat"].prefix
        return browser(page.as_uri(), folder, option, prefix=prefix)

    def browsed(self, count):
        """Waits until the browser has measured each region so many times more."""
        samples = lambda: [self.server.samples("rum", region) for region in SITES]
        least = [before + count for before in samples()]
        measured = lambda: all(now >= then for now, then in zip(samples(), least))
        assert eventually(measured, 30, pause=0.1), (samples(), self.server.log_tail())
        sent = sum(samples())
        assert eventually(lambda: self.taken("rum") >= sent), self.taken("rum")

    def taken(self, kind):
        """Samples that maps are made of."""
        return self.server.metric("meridian_latency_samples_total", kind=kind)

    # What comes of it.

    def latency(self, *arguments):
        return self.server.admin("latency", *arguments)

    def build(self):
        built = self.latency("build")
        assert built["in_use"], built
        return built

    def keep_map(self):
        """A copy of the map in use, which is a file."""
        build = self.latency("status")["map"]["build"]
        return shutil.copy(self.server.data / f"latency/map-{build}", self.folder / "kept")

    def fastest(self):
        """The fastest region of each client by the map."""
        shown = {client: self.latency("show", address) for client, address in CLIENTS.items()}
        return {client: found["regions"][0]["region"] for client, found in shown.items()}

    def answers(self):
        """The regions that clients are sent to: they ask the resolver, which tells whom it asks for."""
        server = (f"@{self.far['resolver'].address}", "-p", self.resolver.port)
        regions = {value: region for region, value in VALUES.items()}
        ask = lambda client: self.far[client].run("dig", *server, NAME, "A", "+short").split()
        return {client: regions.get(*ask(client)) for client in CLIENTS}

    def follow(self, expected):
        """Whether that is where clients are sent, as soon as the resolver asks again."""
        assert self.fastest() == expected
        return eventually(lambda: self.answers() == expected, pause=0.2)


@pytest.mark.alone
def test_maps_converge_follow_a_slow_path_and_stand_noise(tmp_path):
    with contextlib.ExitStack() as stack:
        net = Internet(tmp_path, stack)
        best = {client: min(to, key=to.get) for client, to in WAYS_MS.items()}
        by_distance = net.answers()
        assert all(by_distance[client] != best[client] for client in CLIENTS), by_distance
        stack.enter_context(net.browser())
        converge(net, best)
        a_path_becomes_slow(net, best)
        nobody_moves_for_noise(net)


def converge(net, best):
    """What sites know of each other makes a map, what clients measure a right one."""
    for site in ("eu-west-1", "home-1"):
        assert len(net.agent(site, "--region", site)) == 2
    pairs = lambda: net.latency("status")["samples"]["pairs"]
    assert eventually(lambda: pairs() == 4), pairs()
    net.rounds(2)
    net.browsed(12)
    builds = 0
    while builds == 0 or net.fastest() != best:
        assert builds < HOLD, {c: net.latency("show", a) for c, a in CLIENTS.items()}
        net.build()
        builds += 1
    assert net.follow(best), net.answers()
    for client, to in WAYS_MS.items():
        told = net.server.admin("explain", NAME, "--client", CLIENTS[client])
        (choice,) = told["links"][0]["choices"]
        row = choice["latency_map"]
        assert row["network"] == CLIENTS[client].rpartition(".")[0] + ".0/24" and row["samples"] > 0
        (chosen,) = [c for c in choice["candidates"] if c["outcome"] == "chosen"]
        assert (chosen["region"], chosen["latency_from"]) == (best[client], "measured")
        # Neither quicker than the way nor much slower: what machines take, and what is supposed.
        assert to[best[client]] * 0.8 < chosen["latency_ms"] < to[best[client]] + 20, told


def a_path_becomes_slow(net, best):
    """Its clients move to the next fastest region when that has held for some builds."""
    ways = WAYS_MS["office"]
    slow, following = sorted(ways, key=ways.get)[:2]
    net.far.takes("office", slow, 90)
    # More than three times what was measured before: then the lower quartile is another.
    net.rounds(8, ["office"])
    before = net.keep_map()
    for _ in range(HOLD - 1):
        built = net.build()
        assert built["held"] > 0 and built["churn"]["clients"] == 0, built
        assert net.fastest() == best
    assert net.answers() == best
    built = net.build()
    assert 0 < built["churn"]["clients"] < 1, built
    assert net.follow(best | {"office": following}), net.answers()
    moves = net.latency("diff", before, "current")["moves"]
    assert any((m["country"], m["from"], m["to"]) == ("NL", slow, following) for m in moves), moves


def nobody_moves_for_noise(net):
    """Ways that take 5 % more or less from packet to packet."""
    fastest, answers, before = net.fastest(), net.answers(), net.keep_map()
    net.far.jitters(0.05)
    for _ in range(HOLD + 1):
        net.rounds()
        net.browsed(4)
        built = net.build()
        for share in ("clients", "ipv4", "ipv6"):
            assert built["churn"][share] == 0, built
            assert net.server.metric("meridian_latency_churn_ratio", of=share) == 0
        assert net.fastest() == fastest
    assert net.latency("diff", before, "current")["moves"] == []
    assert net.answers() == answers
