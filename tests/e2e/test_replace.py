"""`meridian replace`: a new process takes the place of a running one, and nobody notices."""

import json
import os
import random
import re
import signal
import socket
import subprocess
import threading
import time

import pytest

from harness import (
    BIN,
    LONG,
    Adopted,
    Threads,
    Zone,
    adopt_successors,
    create,
    eventually,
    upsert,
    wait_insync,
)
from load import UNDER_WAY, Load
from writers import CROWD, Writer

SWAPS, SECONDS = (60, 60) if LONG else (5, 5)
KILLS = 60 if LONG else 6
ADDRESSES = ["127.0.0.1", "127.0.0.2"]


@pytest.fixture
def server(start, tmp_path):
    """A server with two addresses and two workers on each; a server that replaces it is ours."""
    adopt_successors()
    folder = tmp_path / "meridian0"
    folder.mkdir()
    (folder / "meridian.toml").write_text("[dns]\nworkers = 2\n")
    return start(addresses=ADDRESSES)


def refused(server, *arguments):
    """A replacement that must fail; returns what it says."""
    done = server.admin("replace", *arguments, check=False, as_json=False)
    assert done.returncode == 1, done.stdout
    assert "not replaced; the server goes on as before" in done.stderr
    assert server.admin("status")["pid"] == server.process.pid
    return done.stderr


def script(folder, text):
    """A program to be replaced by."""
    path = folder / f"program{time.monotonic_ns()}"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


class Changes:
    """Changes a record over and over; each must be answered as soon as it is INSYNC."""

    def __init__(self, server, zone):
        self.server, self.zone = server, zone
        self.done, self.slowest = 0, 0.0
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            self.once()

    def once(self):
        self.done += 1
        name, value = f"changing.{self.zone.name}", f'"{self.done}"'
        began = time.monotonic()
        info = self.zone.send(upsert(name, "TXT", value, ttl=1))
        self.slowest = max(self.slowest, time.monotonic() - began)
        wait_insync(self.zone.client, info)
        for address in ADDRESSES:
            found = self.server.values(name, "TXT", address=address)
            assert found == {value}, f"{value} is INSYNC, but {address} says {found}"


class Connections:
    """Asks over TCP and for health, each time on a new connection."""

    def __init__(self, server, zone):
        self.server, self.name = server, f"www0.{zone.name}"
        self.done = 0
        self.over = threading.Event()

    def run(self):
        while not self.over.is_set():
            for address in ADDRESSES:
                assert self.server.values(self.name, tcp=True, address=address) == {"192.0.2.0"}
                self.done += 1
            assert self.server.health("readyz") == 200


def zone_of(server):
    zone = Zone(server.client(), "replace.example.")
    names = [f"www{n}.{zone.name}" for n in range(100)]
    zone.change(*[create(name, "A", f"192.0.2.{n}") for n, name in enumerate(names)])
    return zone, names


@pytest.mark.alone
def test_nothing_is_lost_or_wrong_while_servers_follow_one_another(server):
    zone, names = zone_of(server)
    changes, connections = Changes(server, zone), Connections(server, zone)
    waited = []
    with Load([(address, server.dns_port) for address in ADDRESSES], names) as load:
        with Threads(changes.run, connections.run):
            try:
                began = time.monotonic()
                for number in range(1, SWAPS + 1):
                    waited.append(server.replace()["changes_waited_ms"])
                    # Evenly over the time.
                    time.sleep(max(0.0, began + number * SECONDS / SWAPS - time.monotonic()))
            finally:
                changes.over.set()
                connections.over.set()
    print(
        f"{load.tally}; {connections.done} connections; {changes.done} changes, the slowest "
        f"{1000 * changes.slowest:.0f} ms; changes waited {sorted(waited)} ms"
    )
    assert (load.tally["lost"], load.tally["wrong"]) == (0, 0), load.tally
    assert load.tally["right"] > 1000 * SWAPS
    assert connections.done > 10 * SWAPS and changes.done > 2 * SWAPS
    assert changes.slowest < 5.0
    assert server.stop() == 0
    assert not (server.data / "admin.sock").exists()


def test_a_replaced_server_has_everything(server):
    zone, _ = zone_of(server)
    before = server.process.pid
    shown = server.admin("replace", as_json=False)
    assert "the new process serves" in shown and "changes waited" in shown, shown
    assert server.process.wait(10) == 0
    after = server.admin("status")["pid"]
    server.process = Adopted(after)
    assert after != before and f"process {after} serves" in shown
    assert server.health("readyz") == 200
    assert len(zone.sets(own=True)) == 100
    Changes(server, zone).once()
    # The configuration may have changed.
    (server.folder / "meridian.toml").write_text("[dns]\nworkers = 1\n")
    assert server.replace()["pid"] != after
    Changes(server, zone).once()
    assert server.admin("journal", "verify")["valid"]


def test_entries_that_zones_share_are_whole_on_either_side_of_a_replacement(start):
    """Writers who share entries go on through replacements; each zone is as its own says."""
    adopt_successors()
    server = start()
    server.admin("quota", "set", "--account", "operator", "MAX_REQUESTS_PER_SECOND", "1000000")
    writers = [Writer(server.client(), number) for number in range(CROWD)]
    over = threading.Event()

    def write(writer):
        while not over.is_set():
            writer.zone.send(*writer.batch(writer.acknowledged + 1))
            writer.acknowledged += 1

    with Threads(*[lambda writer=writer: write(writer) for writer in writers]):
        try:
            for _ in range(3):
                time.sleep(0.5)
                server.replace()
            time.sleep(0.5)
        finally:
            over.set()
    for writer in writers:
        # Nothing is on its way any more: what is there is what was acknowledged.
        found = {repr(sorted(s.items())) for s in writer.zone.sets(own=True)}
        assert found == writer.content(writer.acknowledged), writer.zone.name
        wait_insync(writer.zone.client, writer.zone.send(*writer.batch(writer.acknowledged + 1)))
        writer.acknowledged += 1
        writer.check_answers(server)
    verified = server.admin("journal", "verify")
    print(f"{verified['commits']} commits in {verified['head']} entries")
    assert verified["valid"] and verified["commits"] > verified["head"] + CROWD


def test_what_cannot_replace_leaves_the_server_as_it_was(server, tmp_path):
    zone, names = zone_of(server)
    changes = Changes(server, zone)
    hangs = script(tmp_path, "exec sleep 1000")
    # Says hello like a server, and then ends.
    talks = script(tmp_path, """exec python3 -c 'import socket
socket.socket(fileno=0).send(b"{\\"message\\":\\"hello\\",\\"protocol\\":1,\\"version\\":\\"0\\"}")'""")
    other = script(tmp_path, f'exec {BIN} serve --data-dir {tmp_path}/other')
    wrong = script(tmp_path, f'exec {BIN} serve --colour')
    with Load([(address, server.dns_port) for address in ADDRESSES], names) as load:
        with Threads(changes.run):
            try:
                assert "exit status: 1" in refused(server, "--binary", "/bin/false")
                assert "No such file" in refused(server, "--binary", tmp_path / "nothing")
                assert "said nothing for 5 s" in refused(server, "--binary", hangs)
                assert "the new process ended" in refused(server, "--binary", talks)
                assert "the running server's is" in refused(server, "--binary", other)
                assert "--colour" in refused(server, "--binary", wrong)
                (server.folder / "meridian.toml").write_text("[dns]\nwalkers = 2\n")
                assert "walkers" in refused(server)
            finally:
                changes.over.set()
    assert (load.tally["lost"], load.tally["wrong"]) == (0, 0), load.tally
    (server.folder / "meridian.toml").unlink()
    server.replace()
    changes.once()


def test_killed_at_any_instant_the_new_process_leaves_the_old_one(server, tmp_path):
    zone, names = zone_of(server)
    longest = max(0.25, 1.2 * timed(server.replace))
    resumed = replaced = 0
    for n in range(KILLS):
        delay = longest * (n + random.random()) / KILLS
        # The shell becomes the server under the same process id.
        killed = script(tmp_path, f'(sleep {delay:.4f}; kill -9 $$) &\nexec {BIN} "$@"')
        changes = Changes(server, zone)
        with Load([(address, server.dns_port) for address in ADDRESSES], names) as load:
            done = server.admin("replace", "--binary", killed, check=False, as_json=False)
            if done.returncode == 1:
                changes.once()
        if done.returncode == 1:
            resumed += 1
            assert "the server goes on as before" in done.stderr, done.stderr
            assert server.admin("status")["pid"] == server.process.pid
            # A process that is killed while it answers takes along what it had received.
            assert load.tally["lost"] <= UNDER_WAY and load.tally["wrong"] == 0, load.tally
        else:
            # It came too late: what was killed was the server.
            replaced += 1
            assert server.process.wait() == 0
            server.process = Adopted(pid_in(done.stdout))
            assert server.process.wait() == -signal.SIGKILL
            server.start()
        assert len(zone.sets(own=True)) >= 100
    print(f"killed {KILLS} new processes: {resumed} before, {replaced} after they served")
    assert resumed > 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_ended_at_any_instant_the_old_process_leaves_the_new_one_or_nothing(server, number):
    zone, _ = zone_of(server)
    # From the beginning to what may be just after the end, however fast this machine is.
    longest = max(0.2, 1.2 * timed(server.replace))
    went_on = ended = 0
    for n in range(KILLS):
        command = [str(BIN), "replace", "--data-dir", str(server.data)]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as asking:
            time.sleep(longest * (n + random.random()) / KILLS)
            server.process.send_signal(number)
            said, _ = asking.communicate(timeout=30)
        status = server.process.wait()
        assert number == signal.SIGKILL or status == 0, server.log_tail()
        # Whoever has the sockets has the admin socket too, and answers when it serves.
        shown = server.admin("status", check=False)
        if shown.returncode == 0:
            went_on += 1
            pid = json.loads(shown.stdout)["pid"]
            assert pid_in(said) in (pid, None)
            server.process = Adopted(pid)
        else:
            # It had not got the sockets yet, or was taken along; nothing is in the way of a new
            # start.
            ended += 1
            server.start()
        Changes(server, zone).once()
        assert len(zone.sets(own=True)) >= 100
    print(f"ended {KILLS} old processes: {went_on} new ones went on, {ended} did not")
    assert (went_on if number == signal.SIGKILL else ended) > 0


@pytest.mark.skipif(not LONG, reason="waits for a deadline of 20 s: --all")
def test_an_old_process_that_hangs_cannot_answer_on_with_what_it_knew(server):
    zone, _ = zone_of(server)
    command = [str(BIN), "replace", "--data-dir", str(server.data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as asking:
        said = ""
        while "the new process answers DNS" not in said:
            said += asking.stdout.readline()
        # Workers that nobody asks take up to 100 ms to stop.
        server.process.send_signal(signal.SIGSTOP)
        assert server.process.wait(40) == -signal.SIGKILL
    server.process = Adopted(pid_in(said))
    assert server.admin("status")["pid"] == server.process.pid
    Changes(server, zone).once()
    assert "hangs and is killed" in server.log_tail()


def test_a_server_that_ends_takes_a_successor_along_that_is_not_ready(server, tmp_path):
    hangs = script(tmp_path, f"echo $$ > {tmp_path}/pid\nexec sleep 1000")
    command = [str(BIN), "replace", "--data-dir", str(server.data), "--binary", str(hangs)]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as asking:
        assert eventually((tmp_path / "pid").exists) and eventually((tmp_path / "pid").read_text)
        assert server.stop() == 0
        assert asking.wait(5) == 1
    assert not os.path.exists(f"/proc/{(tmp_path / 'pid').read_text().strip()}")


def test_the_service_manager_is_told_who_serves(start, tmp_path, monkeypatch):
    adopt_successors()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(10)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        server = start()
        assert manager.recv(100) == b"READY=1"
        said = server.replace()
        told = {manager.recv(100), manager.recv(100)}
        assert told == {b"READY=1", f"MAINPID={said['pid']}\nREADY=1".encode()}
        assert server.stop() == 0
        assert manager.recv(100) == b"STOPPING=1"


def timed(call):
    """How many seconds it takes."""
    began = time.monotonic()
    call()
    return time.monotonic() - began


def pid_in(said):
    """The new process's id in what the command says."""
    found = re.search(r"process (\d+), version", said)
    return int(found[1]) if found else None
