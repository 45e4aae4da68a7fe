"""A full disk, for real: changes are refused, answers and what was acknowledged are not touched,
and changes go on once there is room."""

import contextlib
import time

import botocore.exceptions
import pytest

from harness import Meridian, Threads, Zone, create, eventually
from small_disk import filled, small_disk


@pytest.fixture
def disk(tmp_path):
    with small_disk(tmp_path) as disk:
        yield disk


class Writer:
    """Adds name after name to a zone, and knows which were acknowledged and which perhaps made."""

    def __init__(self, server, number):
        self.zone = Zone(server.client(), f"writer{number}.example.")
        self.acknowledged, self.perhaps, self.refusals, self.stop = set(), set(), [], False

    def run(self):
        number = 0
        while not self.stop:
            number += 1
            name = f"n{number}.{self.zone.name}"
            try:
                self.zone.send(create(name, "TXT", *(f'"{n:x>250}"' for n in range(16))))
            except botocore.exceptions.ClientError as error:
                self.perhaps.add(name)
                self.refusals.append(error.response)
                time.sleep(0.01)
            else:
                self.acknowledged.add(name)

    def check(self, server):
        self.zone.client = server.client()
        found = {s["Name"] for s in self.zone.sets(own=True)}
        assert self.acknowledged <= found, f"lost: {sorted(self.acknowledged - found)[:5]}"
        assert found <= self.acknowledged | self.perhaps


@contextlib.contextmanager
def stopped_at_the_end(writers):
    try:
        yield
    finally:
        for writer in writers:
            writer.stop = True


def count(writers):
    """Names that were acknowledged."""
    return sum(len(writer.acknowledged) for writer in writers)


def ready_for_changes(server):
    return server.health("readyz/changes") == 200


def test_a_full_disk_refuses_changes_and_nothing_else(disk):
    with Meridian(disk / "meridian") as server:
        client = server.client()
        zone = Zone(client, "full.example.")
        zone.change(create(f"a.{zone.name}", "A", "192.0.2.1"))
        before = server.admin("status")["head"]
        with filled(disk):
            with pytest.raises(botocore.exceptions.ClientError) as refused:
                zone.send(create(f"b.{zone.name}", "A", "192.0.2.2"))
            answer = refused.value.response
            assert answer["Error"]["Code"] == "ServiceUnavailable"
            assert "disk of this server is full" in answer["Error"]["Message"]
            assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
            refused = server.admin("key", "create", "--account", "operator", check=False)
            assert refused.returncode != 0 and "disk of this server is full" in refused.stderr

            # All else goes on: answers, reads, keys that there are, health.
            assert server.values(f"a.{zone.name}") == {"192.0.2.1"}
            assert len(zone.sets()) == 3
            assert server.admin("status")["head"] == before
            assert server.health("readyz") == 200
            assert eventually(lambda: not ready_for_changes(server))
            reason = server.why_not_ready("readyz/changes")
            assert "the disk is full" in reason and "MiB free" in reason

            # A start needs no room either.
            assert server.stop() == 0
            server.start()
            assert server.values(f"a.{zone.name}") == {"192.0.2.1"}
            assert eventually(lambda: not ready_for_changes(server)), "without a change's trying"
        assert eventually(lambda: ready_for_changes(server)), "and without one's succeeding"
        zone.change(create(f"b.{zone.name}", "A", "192.0.2.2"))
        assert server.values(f"b.{zone.name}") == {"192.0.2.2"}
        server.admin("key", "create", "--account", "operator")
        server.admin("journal", "verify")


def test_a_disk_that_fills_up_under_write_load(disk):
    """All room is taken at once, with changes on their way: the storage itself meets the end."""
    config = f'[dns.query_log]\npath = "{disk}/queries.log"\n'
    with Meridian(disk / "meridian", config=config) as server:
        steady = Zone(server.client(), "steady.example.")
        steady.change(create(f"a.{steady.name}", "A", "192.0.2.1"))
        writers = [Writer(server, number) for number in range(2)]
        with Threads(*(writer.run for writer in writers)), stopped_at_the_end(writers):
            for _ in range(2):
                time.sleep(0.2)
                with filled(disk):
                    for _ in range(10):
                        assert server.values(f"a.{steady.name}") == {"192.0.2.1"}
                        time.sleep(0.02)
                    # Room comes back once somebody has met the end.
                    met = sum(len(writer.refusals) for writer in writers)
                    assert eventually(
                        lambda n=met: sum(len(writer.refusals) for writer in writers) > n
                    ), server.log_tail()
                written = count(writers)
                goes_on = eventually(lambda n=written: count(writers) > n + 9, 30)
                assert goes_on, f"changes do not go on:\n{server.log_tail()}"
        refusals = [refusal for writer in writers for refusal in writer.refusals]
        for refusal in refusals:
            assert refusal["ResponseMetadata"]["HTTPStatusCode"] == 503, refusal
        assert eventually(lambda: ready_for_changes(server))
        for writer in writers:
            writer.check(server)
            assert len(server.values(max(writer.acknowledged), "TXT", tcp=True)) == 16
        server.admin("journal", "verify")
        assert server.process.poll() is None
        server.kill()
        server.start()
        for writer in writers:
            writer.check(server)
        assert server.stop() == 0
