"""Latency maps: measurements in by files, a map built of them, and answers that follow it, by client
subnets through boto3 and dig. Nothing is measured here but by the numbers in the files.
"""

import concurrent.futures
import json
import socket
import urllib.request

from harness import Zone, create, eventually, reference

# Addresses of Dutch, German and Japanese networks, as the countries that come with the server have
# it, and where each is fastest by what is imported: not where it is nearest.
NETWORKS = {
    "193.0.6.0/24": {"us-east-1": 80, "home-1": 100, "eu-west-1": 120, "ap-northeast-1": 260},
    "141.20.1.0/24": {"home-1": 9, "eu-west-1": 30, "us-east-1": 95, "ap-northeast-1": 240},
    "202.12.27.0/24": {"ap-northeast-1": 4, "us-east-1": 160, "home-1": 230, "eu-west-1": 240},
}
REGIONS = ["ap-northeast-1", "eu-west-1", "home-1", "us-east-1"]
ADDRESS = {region: f"192.0.2.{number}" for number, region in enumerate(REGIONS, 1)}
CHECK = {"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80, "Disabled": True}
# Builds are made when they are asked for.
CONFIG = "[latency]\nbuild_interval_s = 86400\n"


def latency(server, *arguments, **how):
    return server.admin("latency", *arguments, **how)


def rows(networks, count=100):
    return "".join(
        f"{network},{region},{ms},{count}\n"
        for network, regions in networks.items()
        for region, ms in regions.items()
    )


def bring(server, text, name="samples.csv", *arguments, **how):
    path = server.folder / name
    path.write_text(text)
    return latency(server, "import", path, *arguments, **how)


def measured(server, address):
    """The regions of an address from the fastest on, and how the numbers came about."""
    found = latency(server, "show", address)
    return [row["region"] for row in found["regions"]], {row["from"] for row in found["regions"]}


def answer(server, subnet):
    said = server.dig("fast.latency.example", "A", f"+subnet={subnet}", "+short").split()
    return {value: region for region, value in ADDRESS.items()}.get(*said)


def winners(networks):
    return {network: min(regions, key=regions.get) for network, regions in networks.items()}


def answers(server):
    return {network: answer(server, network) for network in NETWORKS}


def home(server):
    server.admin("region", "add", "home-1", "--latitude", "52.52", "--longitude", "13.40")


def load(server):
    """A set for each region, with a check; returns the checks."""
    client = server.client()
    zone, checks = Zone(client, "latency.example."), {}
    for region in REGIONS:
        made = client.create_health_check(
            CallerReference=reference(), HealthCheckConfig=CHECK
        )
        checks[region] = made["HealthCheck"]["Id"]
    zone.change(*(
        create(
            "fast.latency.example", "A", ADDRESS[region], ttl=60,
            SetIdentifier=region, Region=region, HealthCheckId=checks[region],
        )
        for region in REGIONS
    ))
    return checks


def maps(server):
    return sorted(int(p.name[4:]) for p in (server.data / "latency").glob("map-*"))


def test_each_network_gets_its_fastest_healthy_region(start):
    server = start(config=CONFIG)
    home(server)
    checks = load(server)
    by_distance = answers(server)
    assert by_distance["193.0.6.0/24"] != "us-east-1"
    refused = latency(server, "build", check=False)
    assert refused.returncode == 1 and "nothing to build from" in refused.stderr
    taken = bring(server, rows(NETWORKS))
    assert (taken["samples"], taken["refused"], taken["wrong_rows"]) == (12, 0, 0)
    built = latency(server, "build")
    assert built["in_use"] and built["churn"] is None and built["networks"] == 3
    best = winners(NETWORKS)
    assert eventually(lambda: answers(server) == best), answers(server)
    for network, regions in NETWORKS.items():
        order, origins = measured(server, network.split("/")[0])
        assert order == sorted(regions, key=regions.get)
        assert origins == {"measured"} or "inherited" in origins
    # The next fastest while the check of the first is down.
    down = checks["us-east-1"]
    server.admin("health", "force", down, "unhealthy", "--reason", "to see who is next")
    assert eventually(lambda: answer(server, "193.0.6.0/24") == "home-1")
    assert answer(server, "141.20.1.0/24") == "home-1"
    server.admin("health", "release", down)
    assert eventually(lambda: answers(server) == best)
    # Why, and for whom else.
    told = server.admin("explain", "fast.latency.example", "--client", "193.0.6.1", as_json=False)
    assert ADDRESS["us-east-1"] in told
    flows = latency(server, "map", "--region", "home-1", "--region", "eu-west-1")["flows"]
    assert {flow["region"] for flow in flows} <= {"home-1", "eu-west-1", None}
    # A restart keeps all of it: map, samples and answers.
    status = latency(server, "status")
    server.stop()
    server.start()
    assert answers(server) == best
    again = latency(server, "status")
    assert again["map"]["build"] == status["map"]["build"] == 1
    assert again["samples"]["networks"] == 3
    # And so does the loss of the samples, which can be had again, for the map.
    with urllib.request.urlopen(f"http://{server.metrics}/metrics") as page:
        text = page.read().decode()
    for part in ("map_build 1", "map_age_seconds ", "networks 3", "samples_dropped_total 0",
                 'samples_refused_total{reason="faster-than-light"} 0'):
        assert f"meridian_latency_{part}" in text, part


def by_cli(server, checks):
    """A latency set for each region, each with its check, by the aws command line; returns the zone."""
    zone = server.aws(
        "create-hosted-zone", "--name", "latency.example", "--caller-reference", reference()
    )["HostedZone"]["Id"]
    sets = [
        {"Name": "fast.latency.example", "Type": "A", "TTL": 1, "SetIdentifier": region,
         "Region": region, "HealthCheckId": checks[region],
         "ResourceRecords": [{"Value": ADDRESS[region]}]}
        for region in REGIONS
    ]
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": each} for each in sets]}
    change = server.aws(
        "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", json.dumps(batch)
    )["ChangeInfo"]["Id"]
    server.aws("wait", "resource-record-sets-changed", "--id", change)
    return zone


def tcp_check(server, endpoint):
    config = {"Type": "TCP", "IPAddress": "127.0.0.1", "Port": endpoint.getsockname()[1],
              "RequestInterval": 1, "FailureThreshold": 1}
    made = server.aws(
        "create-health-check", "--caller-reference", reference(),
        "--health-check-config", json.dumps(config),
    )
    return made["HealthCheck"]["Id"]


def votes(server, check):
    told = server.admin("health", "show", check)["votes"]
    return [each["vote"] for each in told["checkers"]] if told else []


def test_the_aws_command_line_sends_each_client_to_its_fastest_healthy_region(start):
    """Three regions and one of the operator's own, at each an endpoint that is probed."""
    server = start(config=CONFIG)
    home(server)
    (account,) = [each for each in server.admin("account", "list") if each["operator"]]
    server.admin("quota", "set", "--account", account["id"], "MIN_HEALTH_CHECK_INTERVAL_SECONDS", 1)
    # The command line would refuse to ask for a probe each second.
    (server.folder / ".aws").mkdir()
    (server.folder / ".aws/config").write_text("[default]\nparameter_validation = false\n")
    endpoints = {region: socket.create_server(("127.0.0.1", 0)) for region in REGIONS}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        made = pool.map(lambda endpoint: tcp_check(server, endpoint), endpoints.values())
        checks = dict(zip(endpoints, made))
        zone = by_cli(server, checks)
        bring(server, rows(NETWORKS))
        latency(server, "build")
        for check in checks.values():
            assert eventually(lambda c=check: votes(server, c) == ["healthy"], timeout=10)

        def tested(network):
            said = server.aws(
                "test-dns-answer", "--hosted-zone-id", zone, "--resolver-ip", "198.51.100.53",
                "--record-name", "fast.latency.example", "--record-type", "A",
                "--edns0-client-subnet-ip", network.split("/")[0], "--edns0-client-subnet-mask", "24",
            )
            return said["RecordData"]

        best = winners(NETWORKS)
        assert eventually(lambda: answers(server) == best, timeout=10), answers(server)
        # What is fastest for some dies, then what comes next for them, then all: that is as if all
        # were well.
        alive = set(REGIONS)
        for region in ("us-east-1", "home-1"):
            endpoints[region].close()
            alive.remove(region)
            next_best = winners({n: {r: to[r] for r in alive} for n, to in NETWORKS.items()})
            assert eventually(lambda: answers(server) == next_best, timeout=10), answers(server)
        by_test = dict(zip(NETWORKS, pool.map(tested, NETWORKS)))
        assert by_test == {network: [ADDRESS[next_best[network]]] for network in NETWORKS}
        for region in alive:
            endpoints[region].close()
        assert eventually(lambda: answers(server) == best, timeout=10), answers(server)


def test_a_bad_map_is_refused_and_the_old_one_kept(start):
    server = start(config=CONFIG)
    home(server)
    load(server)
    bring(server, rows(NETWORKS))
    latency(server, "build")
    best = winners(NETWORKS)
    assert eventually(lambda: answers(server) == best)
    folder = server.data / "latency"
    good = (folder / "map-1").read_bytes()
    # Damaged, of another version, and with another one's number.
    damaged = bytearray(good)
    damaged[-9] ^= 1
    (folder / "map-7").write_bytes(damaged)
    said = eventually(lambda: latency(server, "status")["refused_map"], timeout=10, pause=0.2)
    assert "map-7 is refused: its checksum is wrong" in said
    assert "map-7 is refused" in server.why_not_ready("readyz") and server.health("readyz") == 200
    other_version = bytearray(good)
    other_version[8] = 9
    (folder / "map-7").write_bytes(other_version)
    refused = lambda: latency(server, "status")["refused_map"] or ""
    said = lambda: "its format is version 9" in refused()
    assert eventually(said, timeout=10, pause=0.2), refused()
    (folder / "map-7").write_bytes(good)
    other = lambda: "it is build 1, not 7" in refused()
    assert eventually(other, timeout=10, pause=0.2), refused()
    assert answers(server) == best
    # A start passes over what is bad, too.
    (folder / "map-7").write_bytes(bytes(damaged))
    server.stop()
    server.start()
    assert answers(server) == best
    status = latency(server, "status")
    assert status["map"]["build"] == 1 and "map-7" in status["refused_map"]
    # The next build is newer than what was refused; three are kept.
    assert latency(server, "build")["build"] == 8
    for _ in range(3):
        latency(server, "build")
    assert maps(server) == [9, 10, 11]
    assert eventually(lambda: not latency(server, "status")["refused_map"], timeout=10, pause=0.2)
    # Samples that cannot be read are put aside; the map stays.
    server.stop()
    (folder / "aggregate").write_bytes(b"nonsense")
    server.start()
    status = latency(server, "status")
    assert "put aside" in status["failure"] and status["samples"]["networks"] == 0
    assert (folder / "aggregate.unreadable").read_bytes() == b"nonsense"
    assert answers(server) == best


def test_a_map_that_moves_many_waits_for_an_operator(start):
    server = start(config=CONFIG + "max_churn_percent = 30\n")
    home(server)
    load(server)
    bring(server, rows(NETWORKS))
    latency(server, "build")
    best = winners(NETWORKS)
    assert eventually(lambda: answers(server) == best)
    refused = latency(server, "accept", check=False)
    assert refused.returncode == 1 and "no latency map waits" in refused.stderr
    # All paths change; a number has to be another for three builds.
    turned = {
        "193.0.6.0/24": {"us-east-1": 190, "home-1": 20, "eu-west-1": 110, "ap-northeast-1": 260},
        "141.20.1.0/24": {"home-1": 120, "eu-west-1": 30, "us-east-1": 95, "ap-northeast-1": 240},
        "202.12.27.0/24": {"ap-northeast-1": 280, "us-east-1": 160, "home-1": 230, "eu-west-1": 240},
    }
    bring(server, rows(turned, count=9000))
    bring(server, rows(turned, count=9000), "samples.csv", "--again")
    for _ in range(4):
        built = latency(server, "build")
        if not built["in_use"]:
            break
    assert not built["in_use"] and built["churn"]["most"] > 0.3, built
    assert answers(server) == best
    status = latency(server, "status")
    assert status["waiting"]["build"] == built["build"] > status["map"]["build"]
    assert "waits for `meridian latency accept`" in server.why_not_ready("readyz")
    moved = latency(server, "diff", "current", "waiting")
    assert moved["new"] == built["build"] and moved["moves"]
    # It waits over a restart.
    server.stop()
    server.start()
    assert answers(server) == best
    assert latency(server, "status")["waiting"]["build"] == built["build"]
    assert latency(server, "accept") == {"accepted": built["build"]}
    assert eventually(lambda: answers(server) == winners(turned)), answers(server)
    assert latency(server, "status")["waiting"] is None


def test_files_of_each_kind_are_taken(start):
    server = start(config=CONFIG)
    home(server)
    # What cannot be true is refused and counted, what is wrong is told with its line.
    text = rows(NETWORKS) + "193.0.6.0/24,us-east-1,0.4,5\n193.0.6.0/24,mars-1,9,5\nx,y,z\n"
    done = bring(server, text, check=False)
    assert done.returncode == 3
    taken = json.loads(done.stdout)
    assert (taken["samples"], taken["impossible"], taken["wrong_rows"]) == (12, 1, 1)
    assert taken["refused_for"] == {"faster-than-light": 1, "unknown-region": 1}
    assert taken["faults"] == ["line 15: 'x' is no network, such as 192.0.2.0/24"]
    many = bring(server, "193.0.6.0/24,home-1,30,1\n" + "x,y,z\n" * 50, check=False, as_json=False)
    assert "… and 30 more rows are wrong" in many.stderr
    assert "1 samples and 0 pairs of regions taken" in many.stdout
    # The same as objects.
    lines = [
        {"prefix": network, "region": region, "rtt_ms": ms, "count": 3}
        for network, regions in NETWORKS.items() for region, ms in regions.items()
    ]
    taken = bring(server, "\n".join(map(json.dumps, lines)), "a.ndjson")
    assert (taken["format"], taken["samples"]) == ("ndjson", 12)
    # A matrix, alone and with the networks at a site.
    matrix = "from,to,ms\nhome-1,us-east-1,92\nhome-1,eu-west-1,28\n"
    assert bring(server, matrix, "m.csv")["pairs"] == 2
    prefixes = server.folder / "prefixes"
    prefixes.write_text("home-1,141.20.0.0/16\n")
    taken = bring(server, matrix, "m.csv", "--prefixes", prefixes)
    assert (taken["pairs"], taken["samples"]) == (2, 2)
    # Pings of RIPE Atlas in an array.
    targets = server.folder / "targets"
    targets.write_text("192.0.2.77,eu-west-1\n")
    ping = {"type": "ping", "from": "193.0.6.9", "dst_addr": "192.0.2.77", "min": 31.5, "rcvd": 3,
            "timestamp": 1790000000, "prb_id": 7}
    silent = ping | {"min": -1, "rcvd": 0}
    taken = bring(server, json.dumps([ping, silent, ping]), "p.json", "--targets", targets)
    assert (taken["format"], taken["samples"], taken["passed_over"]) == ("ripe-atlas", 2, 1)
    # Rows of M-Lab, for a site in Berlin.
    mlab = "date,MinRTT,cidr,site,server_latitude,server_longitude\n"
    mlab += "2026-11-01,14.2,141.20.1.0/24,ber01,52.5,13.4\n"
    assert bring(server, mlab, "ndt.csv")["samples"] == 1
    unknown = bring(server, "what is this\n", "u.txt", check=False)
    assert unknown.returncode == 1 and "--format" in unknown.stderr
    # The map is right about what it was made of.
    latency(server, "build")
    (server.folder / "truth.csv").write_text(rows(NETWORKS))
    score = latency(server, "score", "--truth", server.folder / "truth.csv")
    assert score["clients"] == 3 and score["map"]["right"] == 1.0
    assert score["distance"]["right"] < 1.0
    text = latency(server, "score", "--truth", server.folder / "truth.csv", as_json=False)
    assert "distance" in text and "RIGHT" in text
    shown = latency(server, "show", "141.20.1.9", as_json=False)
    assert "home-1" in shown and "DE" in shown
