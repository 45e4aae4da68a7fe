"""The walk, and what must be true of it."""

import json
import pathlib
import re
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).with_name("walk.py")


@pytest.fixture(scope="module")
def walk(tmp_path_factory):
    """Runs the script; returns what it printed and its evidence."""
    evidence = tmp_path_factory.mktemp("walk") / "evidence.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--json", str(evidence)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode == 77:
        pytest.skip(done.stderr.strip())
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    print(done.stdout)
    return done.stdout, json.loads(evidence.read_text())


def asked(evidence, zone):
    return [step for step in evidence["resolver_asked"] if step["zone"] == zone]


def test_nine_steps_are_told(walk):
    printed, _ = walk
    assert re.findall(r"^(\d)\.", printed, re.MULTILINE) == [str(n) for n in range(1, 10)]
    assert "NOT SEEN" not in printed


def test_each_level_has_servers_of_its_own(walk):
    _, evidence = walk
    levels = [set(evidence["zones"][level]["addresses"]) for level in ("root", "tld", "site")]
    assert len(levels[1]) == len(levels[2]) == 4
    assert not levels[0] & levels[1] and not levels[1] & levels[2] and not levels[0] & levels[2]


@pytest.mark.parametrize(
    ("level", "zone", "answer"),
    [("root", ".", "REFERRAL"), ("tld", "test.", "REFERRAL"), ("site", "site.test.", "ANSWER")],
)
def test_the_resolver_walks_down(walk, level, zone, answer):
    _, evidence = walk
    steps = asked(evidence, zone)
    assert answer in {step["answer"] for step in steps}
    assert {step["server"] for step in steps} <= set(evidence["zones"][level]["addresses"])


def test_the_page_comes_by_name_through_the_cache(walk):
    _, evidence = walk
    first = evidence["first"]
    assert first["exit"] == 0 and first["status"].endswith("200 OK"), first
    assert first["page"] == "<h1>It works</h1>\n"
    assert (first["address"], first["cache"]) == ("127.0.0.80", "MISS")


def test_the_second_time_nobody_is_asked(walk):
    _, evidence = walk
    assert evidence["second"]["cache"] == "HIT" and evidence["second"]["page"]
    assert evidence["origin_requests"] == [1, 1]
    assert not [s for s in evidence["resolver_asked_again"] if s["answer"] == "ANSWER"]
