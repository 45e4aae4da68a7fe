"""What works alone is to work together, too: guardrails, disabled checks, restarts and signals."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from harness import Meridian, eventually, free_port
from health_checks import Checks

HEALTH = """
[health]
enabled = {enabled}
[health.damping]
panic_below_percent = 50
panic_least_checks = 3
"""


def dead_ends(server, count):
    """Checks of ports where nobody listens, probed every second."""
    operator = server.operator()
    operator.account = server.operator_account()["id"]
    quota = ("quota", "set", "--account", operator.account)
    server.admin(*quota, "MIN_HEALTH_CHECK_INTERVAL_SECONDS", "1")
    checks = Checks(server, operator)
    made = []
    for _ in range(count):
        endpoint = {"Type": "TCP", "IPAddress": "127.0.0.1", "Port": free_port()}
        made.append(checks.make(endpoint, FailureThreshold=1))
        server.admin("health", "set", made[-1]["Id"], "--interval", "1")
    return checks, made


def states(server):
    return [each["state"] for each in server.admin("health", "list")]


def all_are_let_in(server):
    why = [each["why"] for each in server.admin("health", "list")]
    return all("all count as healthy" in each for each in why)


def test_what_a_guardrail_let_in_is_in_from_the_first_answer_after_a_restart(tmp_path):
    """It was out until votes were counted, and for good where nothing is probed any more."""
    config = HEALTH.format(enabled="true")
    with Meridian(tmp_path / "server", config=config) as server:
        dead_ends(server, 4)
        assert eventually(lambda: all_are_let_in(server)), server.admin("health", "list")
        assert states(server) == ["healthy"] * 4
        assert server.stop() == 0
        (server.folder / "meridian.toml").write_text(HEALTH.format(enabled="false"))
        server.start()
        assert states(server) == ["healthy"] * 4, server.admin("health", "list")


def test_disabled_checks_do_not_bring_on_a_panic(tmp_path):
    """What was known of them when they were disabled counted on, so that nothing else was taken out."""
    config = HEALTH.format(enabled="true")
    with Meridian(tmp_path / "server", config=config) as server:
        checks, made = dead_ends(server, 4)
        assert eventually(lambda: all_are_let_in(server)), server.admin("health", "list")
        for check in made[:3]:
            checks.update(check, Disabled=True)
        # One that is left is too few for a panic.
        right = sorted(["healthy"] * 3 + ["unhealthy"])
        assert eventually(lambda: sorted(states(server)) == right), server.admin("health", "list")


def is_stalled(file):
    """Unless somebody is just writing there."""
    try:
        os.mkfifo(file)
    except FileExistsError:
        return False
    return True


def test_failover_does_not_wait_for_a_disk_that_stalls(tmp_path):
    """Votes were counted again when what they had said before was on the disk."""
    with Meridian(tmp_path / "server") as server:
        checks, (check,) = dead_ends(server, 1)
        port = checks.get(check)["HealthCheckConfig"]["Port"]
        assert eventually(lambda: states(server) == ["unhealthy"])
        # Whoever opens it to write waits for somebody who reads: for ever.
        assert eventually(lambda: is_stalled(server.data / "health-state.new"))
        for _ in range(2):
            with socket.create_server(("127.0.0.1", port)):
                assert eventually(lambda: states(server) == ["healthy"]), server.log_tail()
            assert eventually(lambda: states(server) == ["unhealthy"]), server.log_tail()
        server.kill()


def test_a_hang_up_while_a_server_starts_does_not_end_it(tmp_path):
    """Who rotates logs does not know that it starts. systemd takes that for an end as it should be."""
    server = Meridian(tmp_path / "server")
    with server:
        pass
    tables = (server.data / "tables.redb").resolve()
    with open(server.log, "ab") as log:
        server.process = subprocess.Popen(
            server.command(), cwd=server.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        open_files = Path(f"/proc/{server.process.pid}/fd")
        has_tables = lambda: any(each.resolve() == tables for each in open_files.iterdir())
        assert eventually(has_tables, pause=0.001), "the tables were not opened"
        is_ready = False
        while not is_ready:
            is_ready = server.health("readyz") == 200
            assert server.process.poll() is None, f"{server.process.poll()}\n{server.log_tail()}"
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.005)
        assert server.process.poll() is None
        heard = lambda: "SIGHUP" in server.log_tail()
        assert eventually(heard), server.log_tail()
    finally:
        server.kill()
