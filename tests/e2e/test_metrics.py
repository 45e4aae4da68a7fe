"""/metrics, /healthz and /readyz with /readyz/changes, read by Prometheus' own parsers."""

import json
import re
import resource
import signal
import socket
import urllib.error
import urllib.request

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from harness import REPO, Meridian, Zone, create, eventually
from measuring import Beacon

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def fetch(server, path, accept="*/*"):
    """Status, Content-Type and text, whatever the status."""
    request = urllib.request.Request(f"http://{server.metrics}{path}", headers={"Accept": accept})
    try:
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.status, response.headers["Content-Type"], response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


class Scrape:
    """One page of metrics."""

    def __init__(self, server):
        status, kind, text = fetch(server, "/metrics")
        assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
        self.families = {family.name: family for family in text_string_to_metric_families(text)}
        self.samples = [sample for family in self.families.values() for sample in family.samples]

    def sum(self, name, **labels):
        """All samples of this name with at least these labels."""
        return sum(
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        )


def documented():
    """Names and types from the table of docs/METRICS.md."""
    rows = re.findall(
        r"^\| `(\w+)` \| (counter|gauge|histogram) \|([^|]*)\|",
        (REPO / "docs/METRICS.md").read_text(),
        re.MULTILINE,
    )
    return {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def test_what_is_documented_is_there_and_the_other_way_round(tmp_path):
    with Beacon(tmp_path) as server:
        Meridian.ask(server, "meridian.internal.", "SOA")
        server.client().list_hosted_zones()
        samples = tmp_path / "samples.csv"
        samples.write_text("193.0.6.0/24,us-east-1,80,100\n193.0.6.0/24,eu-west-1,20,100\n")
        server.admin("latency", "import", samples)
        server.admin("latency", "build")
        families = Scrape(server).families.values()
    found, expected = {}, documented()
    for family in families:
        name = family.name + ("_total" if family.type == "counter" else "")
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        if not family.samples and name in expected:  # No certificate, no round trip.
            labels = expected[name][1]
        found[name] = (family.type, labels)
    assert found == expected


def test_openmetrics_for_those_who_ask(meridian):
    status, kind, text = fetch(meridian, "/metrics", OPENMETRICS)
    assert (status, kind) == (200, f"{OPENMETRICS}; charset=utf-8")
    families = {family.name for family in openmetrics.text_string_to_metric_families(text)}
    assert "meridian_dns_queries" in families
    assert "meridian_dns_response_duration_seconds" in families


def test_each_query_is_counted_once_where_it_belongs(start):
    server = start(config="[metrics]\ntop_zones = 2")
    client = server.client()
    zones = [Zone(client, f"counted{number}.example.") for number in range(3)]
    zones[0].change(create("www.counted0.example.", "A", "192.0.2.1"))
    before = Scrape(server)
    for _ in range(3):
        server.ask("www.counted0.example.", "A")
    server.ask("www.counted0.example.", "ANY", tcp=True)
    server.ask("none.counted0.example.", "TXT")
    server.ask("counted1.example.", "MX")
    server.ask("counted1.example.", "HINFO")
    server.ask("elsewhere.invalid.", "A", tcp=True)
    # A datagram that is no query, and one that is too long.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as garbage:
        garbage.sendto(b"x" * 11, (server.addresses[0], server.dns_port))
        garbage.sendto(b"x" * 1500, (server.addresses[0], server.dns_port))

    def grown(name, **labels):
        return Scrape(server).sum(name, **labels) - before.sum(name, **labels)

    queries = "meridian_dns_queries_total"
    duration = "meridian_dns_response_duration_seconds"
    # Replies are sent before it is counted how long they took.
    assert eventually(lambda: grown(f"{duration}_count", transport="udp") == 6)
    assert eventually(lambda: grown(queries, transport="udp") == 7)
    assert grown(queries, transport="udp", type="A") == 3
    assert grown(queries, transport="tcp", type="ANY") == 1
    assert grown(queries, transport="udp", type="other") == 1
    assert grown(queries, transport="udp", type="none") == 1
    assert grown(queries, transport="tcp") == 2
    responses = "meridian_dns_responses_total"
    assert grown(responses, transport="udp", rcode="NOERROR") == 5
    assert grown(responses, transport="udp", rcode="NXDOMAIN") == 1
    assert grown(responses, transport="tcp", rcode="REFUSED") == 1
    dropped = "meridian_dns_dropped_queries_total"
    assert grown(dropped, transport="udp", reason="unanswerable") == 1
    assert grown(dropped, transport="udp", reason="too_long") == 1
    assert grown(f"{duration}_count", transport="udp") == 6
    assert grown(f"{duration}_bucket", transport="udp", le="+Inf") == 6
    assert 0 < grown(f"{duration}_sum", transport="udp") < 10
    assert grown("meridian_dns_accepted_connections_total", transport="tcp") == 2
    assert eventually(lambda: grown("meridian_dns_open_connections", transport="tcp") == 0)

    # Of zones the busiest alone are shown, with their ids, and they go on counting when changed.
    for number in range(3):
        zones[0].change(create(f"a{number}.counted0.example.", "A", "192.0.2.1"))
    page = Scrape(server)
    name = "meridian_zone_queries_total"
    shown = [s.labels for s in page.samples if s.name == name]
    expected = [{"zone": z.name.rstrip("."), "zone_id": z.id} for z in zones[:2]]
    assert [{**labels, "zone": labels["zone"].rstrip(".")} for labels in shown] == expected
    assert [page.sum(name, zone_id=z.id) for z in zones[:2]] == [5, 2]
    assert page.sum("meridian_zone_nxdomain_total", zone_id=zones[0].id) == 1
    assert page.sum("meridian_zone_nxdomain_total", zone_id=zones[1].id) == 0


def test_the_journal_the_world_and_the_api_are_shown(start):
    server = start()

    def served():
        return Scrape(server).sum("meridian_served_entry") == server.admin("status")["head"]

    # Queries are answered before the entries of the first start are served.
    assert eventually(served)
    before = Scrape(server)
    zone = Zone(server.client(), "shown.example.")
    zone.change(create("www.shown.example.", "A", "192.0.2.1"))
    assert eventually(served)
    status = server.admin("status")
    page = Scrape(server)
    assert page.sum("meridian_journal_head") == status["head"]
    assert page.sum("meridian_journal_epoch") == status["epoch"]
    world = status["world"]
    assert page.sum("meridian_zones") == world["zones"] == before.sum("meridian_zones") + 1
    assert page.sum("meridian_record_sets") == world["sets"]
    assert page.sum("meridian_world_bytes") == world["bytes"]
    requests = "meridian_api_requests_total"
    assert page.sum(requests, status="201") - before.sum(requests, status="201") == 1
    with pytest.raises(Exception, match="NoSuchHostedZone"):
        zone.client.get_hosted_zone(Id="ZNONE")
    assert eventually(lambda: Scrape(server).sum(requests, status="404") == 1)
    assert page.sum("meridian_ready") == 1
    assert page.sum("meridian_notes") == 0


def test_readiness_has_reasons(start):
    server = start()
    assert fetch(server, "/healthz")[0::2] == (200, "ok\n")
    assert fetch(server, "/readyz")[0::2] == (200, "ready\n")
    status, kind, text = fetch(server, "/readyz", "application/json")
    assert (status, kind) == (200, "application/json")
    assert json.loads(text) == {"ready": True, "problems": [], "notes": []}
    assert fetch(server, "/readyz/changes")[0::2] == (200, "ready\n")


def test_a_server_that_is_told_to_end_is_not_ready(start):
    server = start()
    # A request that has begun keeps the API, and with it the process, from ending at once.
    host, port = server.api.split(":")
    with socket.create_connection((host, int(port))) as slow:
        head = "POST /2013-04-01/hostedzone HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
        slow.sendall(head.encode())
        server.process.send_signal(signal.SIGTERM)
        told = eventually(lambda: "stopping" in fetch(server, "/readyz")[2])
        assert told and fetch(server, "/readyz")[0] == 503
        assert fetch(server, "/readyz/changes")[0] == 503
        assert fetch(server, "/healthz")[0] == 200
    assert server.stop() == 0


def test_old_data_alone_is_ready_and_says_so(start):
    server = start()
    server.stop()
    # Not a journal any more: DNS is answered from the tables.
    (server.data / "journal.redb").write_bytes(b"damaged")
    server.start()
    assert server.rcode("meridian.internal.", "SOA") == "NOERROR"
    status, _, text = fetch(server, "/readyz")
    assert status == 200
    assert text.startswith("ready\nonly old data is served: ")
    status, _, text = fetch(server, "/readyz/changes")
    assert status == 503
    assert text.startswith("not ready\nonly old data is served: ")
    page = Scrape(server)
    assert (page.sum("meridian_ready"), page.sum("meridian_notes")) == (1, 1)
    assert page.sum("meridian_ready_for_changes") == 0


def test_a_full_disk_stops_changes_and_not_queries(start):
    server = start()
    server.stop()
    # Writing too much is an error instead of the end.
    command = ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh", *server.command()]
    server.command = lambda: command
    server.start()
    zone = Zone(server.client(), "fulldisk.example.")
    assert eventually(lambda: server.rcode("fulldisk.example.", "SOA") == "NOERROR")
    # From now on nothing can be written to any file.
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (0, 0))
    with pytest.raises(Exception, match="500|503|ServiceUnavailable|InternalFailure"):
        zone.change(create("www.fulldisk.example.", "A", "192.0.2.1"))
    status, _, text = fetch(server, "/readyz/changes")
    assert status == 503
    assert text.startswith("not ready\nthe journal cannot be written: ")
    status, _, text = fetch(server, "/readyz")
    assert status == 200
    assert text.startswith("ready\nthe journal cannot be written: ")
    assert server.rcode("fulldisk.example.", "SOA") == "NOERROR"
