"""From browsers to answers: what reports say is in what `latency show` tells, in metrics, in a map that
follows when paths change, and nowhere is there an address of anybody.
"""

import ipaddress
import re

import pytest

from harness import Zone, create, eventually
from measuring import Beacon

# In Germany by the countries that come with the server. From some, of which many clients report, the
# nearest region is not the fastest; from the others, with a client each, it is.
FEW = [f"141.20.{number}" for number in range(220)]
BUSY = [f"141.20.{number}" for number in range(240, 244)]
CLIENTS, REPORTS = range(70, 78), 4
OF_FEW = {"eu-central-1": 20, "eu-west-1": 60, "us-east-1": 95}
OF_BUSY = {"eu-central-1": 60, "eu-west-1": 20, "us-east-1": 95}
WAYS_MS = {**dict.fromkeys(FEW, OF_FEW), **dict.fromkeys(BUSY, OF_BUSY)}
BY_SPEED = sorted(OF_BUSY, key=OF_BUSY.get)
VALUES = {region: f"192.0.2.{number}" for number, region in enumerate(OF_BUSY, 1)}
SITES = {region: f"https://{region}.example" for region in OF_BUSY}
NAME = "fast.measured.example"
SETTINGS = """
    trusted_proxies = ["127.0.0.1"]
    requests_per_minute = 10000
    requests_per_minute_in_all = 100000
    samples_per_minute = 10000
    samples_per_minute_in_all = 100000
    [latency]
    build_interval_s = 86400
    max_churn_percent = 100
"""


@pytest.fixture(scope="module")
def beacon(tmp_path_factory):
    folder = tmp_path_factory.mktemp("measured")
    with Beacon(folder, SITES, more=SETTINGS) as server:
        zone = Zone(server.client(), "measured.example.")
        zone.change(*(
            create(NAME, "A", value, ttl=60, SetIdentifier=region, Region=region)
            for region, value in VALUES.items()
        ))
        assert answer(server, BUSY[0]) == "eu-central-1", "the nearest"
        server.sent = sum(report(server, client, REPORTS) for client in addresses())
        assert eventually(lambda: samples(server)["taken"].get("rum") == server.sent), samples(server)
        server.first = server.admin("latency", "build")
        yield server


def report(beacon, client, count=1):
    """Reports of a browser at this address; returns how many round trips they told."""
    proxied = {"headers": {"X-Forwarded-For": client}}
    token = beacon.token(**proxied)
    regions = token.split(".")[1].split("+")
    assert sorted(regions) == sorted(SITES)
    ways = WAYS_MS[client.rpartition(".")[0]]
    body = f"{token} " + " ".join(str(ways[region]) for region in regions)
    for _ in range(count):
        assert beacon.ask("/report", body, **proxied)[0] == 204
    return count * len(regions)


def samples(beacon):
    return beacon.admin("latency", "status")["samples"]


def show(beacon, network):
    return beacon.admin("latency", "show", f"{network}.200")


def answer(beacon, network):
    said = beacon.dig(NAME, "A", f"+subnet={network}.0/24", "+short").split()
    return {value: region for region, value in VALUES.items()}.get(*said)


def addresses():
    """All that report."""
    for network in WAYS_MS:
        for host in CLIENTS if network in BUSY else CLIENTS[:1]:
            yield f"{network}.{host}"


def test_what_browsers_report_is_shown_and_answered(beacon):
    # One in 20 minutes of a network is put aside, to see what the map is worth.
    found, sent = samples(beacon), beacon.sent
    assert found["folded"] + found["held_out"] == sent
    assert 0 < found["held_out"] < sent / 4, found
    assert beacon.first["in_use"] and beacon.first["own_rows"] >= 1, beacon.first
    # For a network of which all was put aside its neighbours speak.
    shown = [show(beacon, network) for network in BUSY]
    measured = [row for row in shown if {each["from"] for each in row["regions"]} == {"measured"}]
    assert measured, shown
    for row in measured:
        assert [each["region"] for each in row["regions"]] == BY_SPEED, row
        for each in row["regions"]:
            ways = OF_BUSY[each["region"]]
            assert ways * 0.7 < each["ms"] < ways * 1.3, row
        assert row["country"] == "DE" and row["samples"] >= 80, row
        assert 50 <= row["confidence_percent"] <= 100 and row["age_h"] == 0, row
    # Of the others none says anything that the country does not.
    row = show(beacon, FEW[100])
    assert row["regions"][0]["region"] == "eu-central-1" and row["country"] == "DE", row
    assert {each["from"] for each in row["regions"]} <= {"inherited", "measured"}, row
    network = measured[-1]["address"].rpartition(".")[0]
    assert eventually(lambda: answer(beacon, network) == BY_SPEED[0])
    assert answer(beacon, FEW[100]) == "eu-central-1"
    explained(beacon, network, measured[-1])


def explained(beacon, network, row):
    """TestDNSAnswer tells the same as `latency show`, and where it comes from."""
    made = beacon.client()
    zone = made.list_hosted_zones_by_name(DNSName="measured.example.")["HostedZones"][0]["Id"]
    (value,) = made.test_dns_answer(
        HostedZoneId=zone, RecordName=NAME, RecordType="A",
        EDNS0ClientSubnetIP=f"{network}.0", EDNS0ClientSubnetMask="24",
    )["RecordData"]
    assert value == VALUES[BY_SPEED[0]]
    (choice,) = beacon.admin("explain", NAME, "--client", f"{network}.200")["links"][0]["choices"]
    told = choice["latency_map"]
    assert (told["build"], told["network"]) == (row["build"], row["network"])
    assert (told["samples"], told["confidence_percent"]) == (row["samples"], row["confidence_percent"])
    assert told["age_hours"] == 0
    found = {each["region"]: each for each in choice["candidates"]}
    for each in row["regions"]:
        candidate = found[each["region"]]
        assert candidate["latency_from"] == each["from"] == "measured"
        assert abs(candidate["latency_ms"] - each["ms"]) < 0.2, candidate


def test_metrics_tell_what_the_map_is_worth(beacon):
    built = beacon.admin("latency", "build")
    ratio = lambda of: beacon.metric("meridian_latency_coverage_ratio", of=of)
    assert 0.5 < ratio("ipv4") <= 1 and 0 < ratio("ipv6") < 1 and 0 < ratio("measured") <= 1
    page = beacon.metrics_page()
    # The same as before: nobody moves.
    assert built["churn"]["most"] == 0
    for of in ("ipv4", "ipv6", "clients"):
        assert f'meridian_latency_churn_ratio{{of="{of}"}} 0\n' in page, page
    # What was put aside says the same as what was counted.
    assert built["regret"]["choices"] >= 1 and built["regret"]["right"] == 1
    for quantile in ("0.5", "0.9", "0.95", "0.99"):
        assert f'meridian_latency_regret_seconds{{quantile="{quantile}"}} 0\n' in page, page
    assert beacon.metric("meridian_latency_right_ratio") == 1
    assert beacon.metric("meridian_latency_map_build") == built["build"]
    assert 0 <= beacon.metric("meridian_latency_map_age_seconds") < 60
    assert beacon.metric("meridian_latency_samples_total", kind="rum") == samples(beacon)["folded"] + (
        samples(beacon)["held_out"]
    )


def test_who_goes_where_is_told_before_and_after_a_change(beacon):
    goes = lambda: {
        flow["region"]: flow["ipv4_24s"]
        for flow in beacon.admin("latency", "map")["flows"]
        if flow["country"] == "DE"
    }
    before, build = goes(), beacon.admin("latency", "status")["map"]["build"]
    kept = beacon.folder / "before"
    kept.write_bytes((beacon.data / f"latency/map-{build}").read_bytes())
    assert before.get("eu-central-1", 0) > 1000, before
    # Somebody vouches for other ways, which count from the third build on.
    turned = {"eu-central-1": 80, "eu-west-1": 20, "us-east-1": 110}
    rows = (f"{network}.0/24,{region},{ms},9000\n" for network in FEW for region, ms in turned.items())
    (beacon.folder / "turned.csv").write_text("".join(rows))
    taken = beacon.admin("latency", "import", beacon.folder / "turned.csv")
    assert (taken["samples"], taken["refused"]) == (len(FEW) * 3, 0)
    moved = [beacon.admin("latency", "build")["churn"]["clients"] for _ in range(4)]
    assert max(moved) > 0.5, moved
    after = goes()
    assert after.get("eu-west-1", 0) > before.get("eu-west-1", 0) + 100, (before, after)
    told = beacon.admin("latency", "diff", kept, "current")
    assert told["old"] == build < told["new"] and 0 < told["moved_share"] <= 1
    moves = {(move["country"], move["from"], move["to"]): move for move in told["moves"]}
    move = moves["DE", "eu-central-1", "eu-west-1"]
    assert move["ipv4_24s"] >= 100 and move["gain_ms"] > 10, move
    assert eventually(lambda: answer(beacon, FEW[0]) == "eu-west-1")
    # Distance is wrong about what is, and was right about what was before.
    for truth, lost in ((turned, {"map": 0, "distance": 60}), (OF_FEW, {"map": 40, "distance": 0})):
        file = beacon.folder / "truth.csv"
        file.write_text("".join(f"{FEW[0]}.0/24,{r},{ms},1\n" for r, ms in truth.items()))
        score = beacon.admin("latency", "score", "--truth", file)
        for of, ms in lost.items():
            assert score[of]["choices"] == 1 and score[of]["right"] == (ms == 0), score
            for figure in ("mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms"):
                assert score[of][figure] == pytest.approx(ms, abs=0.1), score


def test_no_address_of_a_client_is_kept(beacon):
    client = f"{BUSY[0]}.{CLIENTS[0]}"
    before = samples(beacon)["taken"]["rum"]
    sent = report(beacon, client, 3)
    assert eventually(lambda: samples(beacon)["taken"]["rum"] == before + sent)
    assert beacon.stop() == 0
    kept = (beacon.data / "latency/aggregate").read_bytes()
    # Networks are kept as a number, shifted by 31 bits, with their length: so addresses would be, too.
    number = int(ipaddress.ip_address(client))
    key = lambda bits, length: (bits << 31 | length).to_bytes(8, "little")
    assert key(number & ~0xFF, 24) in kept
    forms = [number.to_bytes(4, order) for order in ("big", "little")]
    forms += [key(number, length) for length in (24, 32)]
    text = re.compile(rb"141\.20\.\d+\.7[0-7]")
    assert all(text.fullmatch(address.encode()) for address in addresses())
    files = [file for file in beacon.data.rglob("*") if file.is_file()]
    assert len(files) > 5
    for file in files:
        found = file.read_bytes()
        assert not text.search(found), file
        if file.parent.name == "latency":
            assert not any(form in found for form in forms), file
    assert not text.search(beacon.log_tail(size=10_000_000).encode())
    beacon.start()
    assert samples(beacon)["networks"] >= len(FEW)
