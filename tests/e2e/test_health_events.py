"""What is told of health checks whose states become others: the event log, and to who watches."""

import json
import subprocess

import pytest

from harness import BIN, Meridian, eventually
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


class Watcher:
    """`meridian health watch`, in a thread's hands."""

    def __init__(self, server, *more):
        command = [str(BIN), "health", "watch", "--data-dir", str(server.data), *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def line(self):
        return self.process.stdout.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def test_those_who_watch_see_flips_and_the_end(server):
    checks = Checks(server)
    check = checks.make()
    with Watcher(server, "--json") as program, Watcher(server) as person:
        before = json.loads(program.line())
        assert (before["healthy"], before["unhealthy"]) == (1, 0)
        assert before["checks"][0]["id"] == check["Id"]
        assert person.line() == "1 healthy, 0 unhealthy\n"
        server.admin("health", "force", check["Id"], "unhealthy", "--reason", "racks")
        flip = json.loads(program.line())["flip"]
        assert (flip["check"], flip["to"], flip["why"]) == (
            check["Id"], "unhealthy", "switch: racks"
        )
        assert person.line().endswith(" is unhealthy: switch: racks\n")
        # Nobody waits for those who watch.
        server.stop()
        assert "ends" in person.line() and person.process.wait(5) == 0
        assert program.process.wait(5) == 0


def test_there_are_seats_for_four(server):
    with Watcher(server), Watcher(server), Watcher(server), Watcher(server) as last:
        assert last.line()
        assert eventually(lambda: refused(server))
    assert eventually(lambda: not refused(server))


def refused(server):
    with Watcher(server) as fifth:
        return fifth.line() == ""
