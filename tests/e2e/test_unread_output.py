"""What commands print, where nobody reads on."""

import os
import subprocess

import pytest

from harness import BIN, Zone, create

APEX = "unread.example."


@pytest.fixture(scope="module")
def zone(route53):
    zone = Zone(route53, APEX)
    zone.change(*(create(f"host{n}.{APEX}", "A", f"192.0.2.{n}") for n in range(100)))
    return zone


def unread(server, *arguments, own_data=True):
    """Runs a command whose output goes to somebody who is gone; its exit code and errors."""
    command = [str(BIN), *arguments]
    if own_data:
        command += ["--data-dir", str(server.data)]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            command, cwd=server.folder, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60
        )
    finally:
        os.close(writing)
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["status"],
        ["status", "--json"],
        ["zone", "list"],
        ["zone", "export", APEX, "--format", "bind"],
        ["zone", "export", APEX, "--format", "json"],
        ["explain", f"host1.{APEX}", "--client", "192.0.2.9"],
        ["journal", "verify"],
        ["latency", "status", "--json"],
        # It has no end of its own.
        ["health", "watch", "--json"],
    ],
    ids=" ".join,
)
def test_a_broken_pipe_was_an_error(meridian, zone, arguments):
    assert unread(meridian, *arguments) == (0, "")


def test_a_broken_pipe_without_a_server(meridian, tmp_path):
    assert unread(meridian, "completions", "bash", own_data=False) == (0, "")
    # What is no stays no, and what is wrong is said.
    document = tmp_path / "document.json"
    document.write_text("{}")
    code, _ = unread(meridian, "policy-document", "check", str(document), own_data=False)
    assert code == 4
    code, said = unread(meridian, "status", "--data-dir", str(tmp_path), own_data=False)
    assert code == 1 and "no server answers" in said
