"""What is told of health checks whose states become others: the event log."""

import json

import pytest

from harness import Meridian, eventually
from health_checks import Checks


@pytest.fixture
def server(tmp_path):
    with Meridian(tmp_path) as server:
        yield server


def events(server):
    log = server.data / "health-events.log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def test_flips_are_written_down_with_their_reasons(server):
    checks = Checks(server)
    child = checks.make()
    parent = checks.make(checks.parent(child))
    server.admin("health", "force", child["Id"], "unhealthy", "--reason", "maintenance of the hall")
    assert eventually(lambda: len(events(server)) == 2), server.log_tail()
    server.admin("health", "release", child["Id"])
    assert eventually(lambda: len(events(server)) == 4), server.log_tail()
    told = {(event["check"], event["to"]): event for event in events(server)}
    down, up = told[child["Id"], "unhealthy"], told[child["Id"], "healthy"]
    assert down["why"] == "switch: maintenance of the hall" and down["from"] == "healthy"
    assert down["account"] == checks.key.account and down["type"] == "HTTP"
    assert up["at"] > down["at"] and len(up["at"]) == len("2026-11-21T12:00:00.000Z")
    assert told[parent["Id"], "unhealthy"]["why"] == "0 of 1 children are healthy, 1 needed"
    assert told[parent["Id"], "healthy"]["checks"] == "1 health checks"
