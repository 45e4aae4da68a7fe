"""Agents: what they measure arrives, from where they are, and from nobody else."""

import json
import subprocess

import pytest

from far_apart import machines
from harness import BIN, eventually, free_port
from measuring import Beacon, Far

REGIONS = {"eu-central-1": "10.77.0.1", "us-east-1": "10.77.0.2"}


def agent(*arguments, prefix=(), check=True):
    """One round of an agent; what it says of it."""
    command = [*prefix, str(BIN), "agent", "--once", "--json", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if check:
        assert done.returncode == 0, done.stdout + done.stderr
    return (json.loads(done.stdout), done.returncode) if done.stdout else (None, done.returncode)


@pytest.fixture
def beacon(tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    sites = {"eu-central-1": url, "us-east-1": url}
    with Beacon(tmp_path / "beacon", sites, port=port) as server:
        yield server


def add(beacon, name, *options):
    """A new agent; the file with its key."""
    made = beacon.admin("agent", "add", name, *options)
    assert made["name"] == name
    file = beacon.folder / f"{name}.key"
    file.write_text(made["secret_key"] + "\n")
    return file


def test_what_an_agent_measures_arrives(beacon):
    key = add(beacon, "office-1")
    told, _ = agent("--site", "office-1", "--server", beacon.url, "--key", key)
    assert [r["region"] for r in told["results"]] == ["eu-central-1", "us-east-1"]
    assert all(0 < r["rtt_ms"] < 100 for r in told["results"])
    assert (told["posted"], told["waiting"], told["error"]) == (2, 0, None)
    for region in beacon_regions(told):
        assert beacon.samples("agent", region) == 1
    # At a site it measures the others, for the table of ways between sites.
    key = add(beacon, "site-eu", "--region", "eu-central-1")
    at_site = ("--site", "site-eu", "--region", "eu-central-1", "--server", beacon.url, "--key", key)
    told, _ = agent(*at_site)
    assert beacon_regions(told) == ["us-east-1"]
    assert beacon.samples("site", "us-east-1") == 1 and beacon.samples("agent", "us-east-1") == 1
    listed = beacon.admin("agent", "list")
    assert [(a["name"], a["region"]) for a in listed] == [("office-1", None), ("site-eu", "eu-central-1")]
    assert key.read_text().strip() not in json.dumps(listed)
    # A file of sites does without a server.
    file = beacon.folder / "sites"
    file.write_text(f"mine {beacon.url} # here\n")
    told, _ = agent("--site", "x", "--targets", file)
    assert beacon_regions(told) == ["mine"] and told["posted"] is None


def beacon_regions(told):
    return [result["region"] for result in told["results"]]


def test_nobody_else_is_believed(beacon):
    key = add(beacon, "one")
    other = add(beacon, "other", "--region", "us-east-1")
    for arguments in (
        ("--site", "one", "--key", other),
        ("--site", "nobody", "--key", key),
    ):
        told, code = agent(*arguments, "--server", beacon.url, check=False)
        assert code == 1 and told["posted"] == 0 and "HTTP status 403" in told["error"], told
    # From a region that it is not at.
    told, code = agent(
        "--site", "one", "--region", "us-east-1", "--server", beacon.url, "--key", key, check=False
    )
    assert code == 1 and "HTTP status 400" in told["error"]
    assert beacon.refused("agent") >= 2 and beacon.refused("malformed") == 1
    beacon.admin("agent", "remove", "one")
    told, code = agent("--site", "one", "--server", beacon.url, "--key", key, check=False)
    assert code == 1 and "HTTP status 403" in told["error"]
    assert sum(beacon.samples(k, r) for k in ("agent", "site") for r in REGIONS) == 0
    for wrong in (("add", "other"), ("add", "a b"), ("remove", "one")):
        assert beacon.admin("agent", *wrong, check=False).returncode == 1


def test_what_cannot_be_measured_or_posted_is_said(tmp_path):
    file = tmp_path / "sites"
    file.write_text(f"near http://127.0.0.1:{free_port()}\n")
    told, code = agent("--site", "x", "--targets", file, check=False)
    assert code == 1 and "cannot be reached" in told["results"][0]["error"]
    key = tmp_path / "key"
    key.write_text("A" * 43)
    # Plain HTTP to others could be anybody's, and a key is 32 bytes.
    assert agent("--site", "x", "--server", "http://192.0.2.1", "--key", key, check=False)[1] == 1
    key.write_text("short")
    assert agent("--site", "x", "--server", "http://127.0.0.1:1", "--key", key, check=False)[1] == 1


@pytest.mark.alone
def test_the_kernel_measures_as_far_as_it_is(tmp_path):
    """Packets that take their time between machines, over TLS."""
    addresses = {**REGIONS, "client": "10.77.0.9"}
    delays = {
        ("eu-central-1", "client"): 20,
        ("us-east-1", "client"): 90,
        ("eu-central-1", "us-east-1"): 70,
    }
    sites = {region: f"https://{address}" for region, address in REGIONS.items()}
    with machines(addresses, delays) as far:
        with (
            Far(tmp_path / "eu", far["eu-central-1"], sites, "eu-central-1") as eu,
            Far(tmp_path / "us", far["us-east-1"], sites, "us-east-1"),
        ):
            authorities = tmp_path / "authorities.pem"
            parts = [(tmp_path / site / "data/tls/ca.pem").read_text() for site in ("eu", "us")]
            authorities.write_text("".join(parts))
            to_eu = ("--server", sites["eu-central-1"], "--ca", authorities)
            key = add(eu, "client")
            told, _ = agent(
                "--site", "client", "--key", key, *to_eu, prefix=far["client"].prefix
            )
            measured = {result["region"]: result["rtt_ms"] for result in told["results"]}
            assert 20 <= measured["eu-central-1"] <= 26, told
            assert 90 <= measured["us-east-1"] <= 96, told
            key = add(eu, "us", "--region", "us-east-1")
            agent(
                "--site", "us", "--region", "us-east-1", "--key", key, *to_eu,
                prefix=far["us-east-1"].prefix,
            )
            assert 70 <= eu.mean_ms("site", "eu-central-1") <= 76
            # What the server's kernel knows of the image's connection, two of which were agents'.
            curl = ("curl", "-s", "-o", "/dev/null", "--cacert", authorities)
            far["client"].run(*curl, f"{sites['eu-central-1']}/p.gif")
            assert eventually(lambda: eu.samples("pixel", "eu-central-1") == 3)
            mean = eu.mean_ms("pixel", "eu-central-1")
            assert (20 + 70 + 20) / 3 <= mean <= (20 + 70 + 20) / 3 + 6
