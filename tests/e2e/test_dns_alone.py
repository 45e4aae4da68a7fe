"""A server whose journal cannot be used answers DNS, and takes the commands that need no journal."""

import json
import subprocess

import pytest

from harness import BIN, Meridian, Zone, create, eventually
from health_checks import Checks


@pytest.fixture
def server(tmp_path):
    with Meridian(tmp_path) as server:
        yield server


def lose_journal(server):
    """Stops the server, spoils its journal and starts it again; returns what the journal was."""
    server.stop()
    journal = server.data / "journal.redb"
    kept = journal.read_bytes()
    journal.write_bytes(kept[: len(kept) // 2])
    server.start()
    return kept


def mend_journal(server, kept):
    server.stop()
    (server.data / "journal.redb").write_bytes(kept)
    server.start()


def said(server, *arguments):
    done = server.admin(*arguments, check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr


def audited(server, refused=False):
    """What was done by the audit log, or refused."""
    # The last line may be on its way.
    lines = (server.data / "audit.log").read_text().split("\n")[:-1]
    events = map(json.loads, lines)
    return {event["eventName"] for event in events if ("errorMessage" in event) == refused}


def test_break_glass_needs_no_journal(server):
    checks = Checks(server)
    check = checks.make()["Id"]
    zone = Zone(checks.client, "alone.test")
    for role, address in (("PRIMARY", "192.0.2.1"), ("SECONDARY", "192.0.2.2")):
        more = {"HealthCheckId": check} if role == "PRIMARY" else {}
        zone.change(create(
            "www.alone.test", "A", address, SetIdentifier=role, Failover=role, **more
        ))
    kept = lose_journal(server)

    def answer():
        return server.values("www.alone.test")

    assert answer() == {"192.0.2.1"}
    status = server.admin("status")
    assert "journal" in status["dns_alone"] and status["world"]["zones"] == 2
    (row,) = server.admin("health", "list", "--account", checks.key.account)
    assert (row["id"], row["state"]) == (check, "healthy")
    watching = subprocess.Popen(
        [str(BIN), "health", "watch", "--json", "--data-dir", str(server.data)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert json.loads(watching.stdout.readline())["healthy"] == 1
    told = server.admin(
        "health", "force", check, "unhealthy", "--reason", "fire", "--break-glass", "--for", "1h"
    )
    assert told["kept"] == "on disk"
    assert eventually(lambda: answer() == {"192.0.2.2"}), server.log_tail()
    assert json.loads(watching.stdout.readline())["flip"]["why"] == "break-glass: fire"
    shown = server.admin("health", "show", check)
    assert shown["break_glass"]["reason"] == "fire" and shown["state"] == "unhealthy"
    explained = server.admin("explain", "www.alone.test", "A", "--client", "192.0.2.9")
    assert "break-glass" in json.dumps(explained)
    supposed = ("explain", "www.alone.test", "A", "--client", "192.0.2.9", "--health")
    server.admin(*supposed, f"{check}=up")
    assert "no health check 'nobody" in said(server, *supposed, "nobody=up")
    assert server.admin("geo", "status") and server.admin("geo", "lookup", "192.0.2.1")
    for command in (
        ("health", "force", check, "healthy", "--reason", "without glass"),
        ("health", "release", check),
        ("health", "control", "list"),
        ("account", "list"),
        ("zone", "list"),
        ("zone", "export", "alone.test", "--format", "json"),
        ("journal", "verify"),
        ("backup", server.folder / "backup"),
        ("replace",),
    ):
        assert "answers DNS alone" in said(server, *command), command
    # Nobody starts another server here.
    second = subprocess.run(server.command(), cwd=server.folder, capture_output=True, timeout=30)
    assert second.returncode != 0 and b"a server is running" in second.stdout + second.stderr
    # It is written behind the answers.
    assert eventually(lambda: {"AccountList", "HealthRelease"} <= audited(server, refused=True))
    assert eventually(lambda: "HealthForce" in audited(server))
    server.kill()
    server.start()
    assert answer() == {"192.0.2.2"}
    released = server.admin("health", "release", check, "--break-glass")["released"]
    assert released == {"switch": False, "break_glass": True}
    assert eventually(lambda: answer() == {"192.0.2.1"})
    server.admin(
        "health", "force", check, "unhealthy", "--reason", "fire", "--break-glass", "--for", "1h"
    )
    watching.kill()
    watching.wait()
    watching.stdout.close()
    mend_journal(server, kept)
    assert answer() == {"192.0.2.2"}
    assert server.admin("health", "release", check)["released"]["break_glass"]
    assert eventually(lambda: answer() == {"192.0.2.1"})
