"""States of health checks by `meridian health`: the documented ones, and switches by hand in both
layers."""

import json
import re
import urllib.request

import pytest

from harness import Meridian, Zone, change, eventually, rrset
from health_checks import HTTP, NOBODYS, Checks
from small_disk import filled, small_disk


class Switches:
    """What the operator sees and says."""

    def __init__(self, server):
        self.server = server

    def show(self, which):
        return self.server.admin("health", "show", which["Id"])

    def state(self, check):
        shown = self.show(check)
        return shown["state"], shown["why"]

    def list(self, *how):
        return {row["id"]: row["state"] for row in self.server.admin("health", "list", *how)}

    def force(self, which, state, *how, reason="maintenance", **rest):
        return self.server.admin(
            "health", "force", which["Id"], state, "--reason", reason, *how, **rest
        )

    def release(self, which, *how, **rest):
        return self.server.admin("health", "release", which["Id"], *how, **rest)


class Pair:
    """A name whose first address is answered while a check is healthy, else the second."""

    def __init__(self, checks, check, apex):
        self.server, self.name = checks.server, apex
        zone = Zone(checks.client, apex)
        first = {"SetIdentifier": "1", "Failover": "PRIMARY", "HealthCheckId": check["Id"]}
        second = {"SetIdentifier": "2", "Failover": "SECONDARY"}
        zone.change(
            change("CREATE", rrset(apex, "A", "192.0.2.1", **first)),
            change("CREATE", rrset(apex, "A", "192.0.2.2", **second)),
        )

    def answers(self, address):
        """Whether it comes to be answered, soon."""
        return eventually(lambda: self.server.values(self.name) == {address})


def by_hand(server):
    """How many states are said in each layer, by the metrics."""
    with urllib.request.urlopen(f"http://{server.metrics}/metrics", timeout=5) as response:
        page = response.read().decode()
    line = re.compile(r'^meridian_health_checks_by_hand{layer="(\w+)"} (\d+)$', re.MULTILINE)
    samples = line.findall(page)
    return {layer: int(count) for layer, count in samples}


@pytest.fixture
def checks(meridian):
    return Checks(meridian)


@pytest.fixture
def switches(meridian):
    return Switches(meridian)


def test_the_documented_states(checks, switches):
    plain, inverted = checks.make(), checks.make(Inverted=True)
    disabled, both = checks.make(Disabled=True), checks.make(Disabled=True, Inverted=True)
    metric = {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": "us-east-1", "Name": "a"}}
    silent = checks.make(metric, InsufficientDataHealthStatus="Unhealthy")
    one = checks.make(checks.parent(inverted, both, plain, threshold=1))
    all_ = checks.make(checks.parent(inverted, both, plain, threshold=3))
    nested = checks.make(checks.parent(one, all_, threshold=2))
    expected = {
        plain["Id"]: "healthy",
        inverted["Id"]: "unhealthy",
        disabled["Id"]: "healthy",
        both["Id"]: "unhealthy",
        silent["Id"]: "unhealthy",
        one["Id"]: "healthy",
        all_["Id"]: "unhealthy",
        nested["Id"]: "unhealthy",
    }
    assert switches.list("--account", checks.key.account) == expected
    assert expected.items() <= switches.list().items()
    assert switches.state(both) == ("unhealthy", "disabled; inverted")
    assert switches.state(all_)[1] == "1 of 3 children are healthy, 3 needed"
    checks.update(plain, Inverted=True)
    assert switches.state(one)[0] == "unhealthy"
    shown = switches.show(nested)
    assert shown["children"] == [
        {"id": one["Id"], "state": "unhealthy"},
        {"id": all_["Id"], "state": "unhealthy"},
    ]
    assert (shown["type"], shown["version"], shown["switch"]) == ("CALCULATED", 1, None)
    assert switches.show(plain)["checks"] == "http://www.example.com:80"


def test_people_are_told_how_to_take_it_back(checks, switches):
    check = checks.make()
    id, plain = check["Id"], {"as_json": False}
    assert switches.force(check, "unhealthy", **plain) == (
        f"{id} is unhealthy until it is released: maintenance\n"
        f"to take it back: meridian health release {id}\n"
    )
    said = switches.force(check, "healthy", "--break-glass", "--for", "1h", **plain)
    assert re.fullmatch(
        f"{id} is healthy at this node alone until \\S+Z: maintenance\nkept on disk\n"
        f"to take it back: meridian health release {id} --break-glass\n",
        said,
    ), said
    said = switches.release(check, **plain)
    assert said == f"{id}: released the switch and break-glass at this node\n"


def test_a_switch_holds_until_it_is_released(checks, switches):
    check = checks.make(Inverted=True)
    forced = switches.force(check, "healthy", reason="we know better")
    assert forced["switch"]["state"] == "healthy"
    assert switches.state(check) == ("healthy", "switch: we know better")
    again = switches.force(check, "unhealthy")["switch"]
    assert switches.show(check)["switch"] == again
    assert again["by"] == "operator by the admin socket" and again["reason"] == "maintenance"
    # It is the check's, and no tenant's doing.
    assert checks.get(check) == check
    assert switches.release(check)["released"] == {"switch": True, "break_glass": False}
    assert switches.state(check) == ("unhealthy", "nothing observed yet; inverted")
    done = switches.release(check, check=False)
    assert done.returncode == 1 and "nobody has said" in done.stderr


def test_what_cannot_be_switched_says_why(checks, switches):
    check = checks.make()
    nobody = {"Id": NOBODYS}
    glass = ("--break-glass", "--for")
    for done, code, word in (
        (switches.force(nobody, "healthy", check=False), 1, "no health check"),
        (switches.force(nobody, "healthy", *glass, "1h", check=False), 1, "no health check"),
        (switches.force({"Id": "No id"}, "healthy", check=False), 1, "no health check"),
        (switches.release(nobody, check=False), 1, "no health check"),
        (switches.release(check, "--break-glass", check=False), 1, "was handed no switch"),
        (switches.force(check, "healthy", reason=" ", check=False), 1, "reason"),
        (switches.force(check, "healthy", *glass, "1h", reason="", check=False), 1, "reason"),
        (switches.force(check, "healthy", reason="a\nb", check=False), 1, "one line"),
        (switches.force(check, "healthy", reason="a" * 257, check=False), 1, "256"),
        (switches.force(check, "healthy", *glass, "25h", check=False), 1, "24 hours"),
        (switches.force(check, "healthy", *glass, "0s", check=False), 1, "is over"),
        (switches.force(check, "healthy", *glass, "1d", check=False), 2, "s, m or h"),
        (switches.force(check, "healthy", "--break-glass", check=False), 2, "--for"),
        (switches.force(check, "healthy", "--for", "1h", check=False), 2, "--break-glass"),
        (switches.force(check, "perhaps", check=False), 2, "perhaps"),
    ):
        assert done.returncode == code and word in done.stderr, done
    assert switches.state(check) == ("healthy", "nothing observed yet")


def test_break_glass_comes_first_and_lets_go(checks, switches):
    check = checks.make()
    parent = checks.make(checks.parent(check))
    switches.force(check, "healthy", reason="the switch")
    broken = switches.force(check, "unhealthy", "--break-glass", "--for", "2h", reason="the glass")
    assert broken["kept"] == "on disk"
    state, why = switches.state(check)
    assert state == "unhealthy" and why.startswith("break-glass until 20")
    assert why.endswith(": the glass")
    assert switches.state(parent)[0] == "unhealthy"
    shown = switches.show(check)
    assert shown["break_glass"] == broken["break_glass"] and shown["switch"]["state"] == "healthy"
    # The next document counts, for as long as it says.
    later = switches.force(check, "unhealthy", "--break-glass", "--for", "1s", reason="short")
    assert later["break_glass"]["version"] > broken["break_glass"]["version"]
    assert eventually(lambda: switches.state(check) == ("healthy", "switch: the switch"))
    switches.force(check, "unhealthy", "--break-glass", "--for", "24h", reason="again")
    released = switches.release(check, "--break-glass")["released"]
    assert released == {"switch": False, "break_glass": True}
    assert switches.state(check) == ("healthy", "switch: the switch")
    switches.force(check, "unhealthy", "--break-glass", "--for", "24h", reason="again")
    assert switches.release(check)["released"] == {"switch": True, "break_glass": True}
    assert switches.state(check) == ("healthy", "nothing observed yet")


def test_answers_follow_both_layers(start):
    # What others have forced would be counted, too.
    server = start(config="[health]\nenabled = false\n")
    checks, switches = Checks(server), Switches(server)
    check = checks.make()
    pair = Pair(checks, check, "switched.example")
    assert pair.answers("192.0.2.1")
    switches.force(check, "unhealthy")
    assert pair.answers("192.0.2.2")
    switches.force(check, "healthy", "--break-glass", "--for", "1h")
    assert pair.answers("192.0.2.1")
    note = "break-glass says the state of 1 health checks"
    assert note in checks.server.why_not_ready("readyz")
    assert by_hand(checks.server) == {"switch": 0, "break_glass": 1}
    # What the journal says meanwhile does not count.
    switches.force(check, "unhealthy", reason="once more")
    checks.update(check, Inverted=True)
    assert pair.answers("192.0.2.1")
    switches.release(check, "--break-glass")
    assert pair.answers("192.0.2.2")
    switches.force(check, "healthy", "--break-glass", "--for", "3s")
    assert pair.answers("192.0.2.1")
    assert pair.answers("192.0.2.2"), "the three seconds are over"
    assert eventually(lambda: by_hand(checks.server) == {"switch": 1, "break_glass": 0})
    assert note not in checks.server.why_not_ready("readyz")


def test_glass_that_was_broken_counts_without_a_journal(start):
    server = start()
    checks, switches = Checks(server), Switches(server)
    check = checks.make()
    pair = Pair(checks, check, "alone.example")
    switches.force(check, "unhealthy", "--break-glass", "--for", "10s")
    assert pair.answers("192.0.2.2")
    server.stop()
    (server.data / "journal.redb").rename(server.data / "journal.elsewhere")
    (server.data / "journal.redb").write_bytes(b"no journal")
    server.start()
    assert server.admin("account", "list", check=False).returncode == 1, "there is a journal"
    assert server.values(pair.name) == {"192.0.2.2"}
    assert eventually(lambda: server.values(pair.name) == {"192.0.2.1"}, timeout=20)


def test_switches_of_both_layers_outlive_a_restart(start):
    # What probes find changes from moment to moment.
    server = start(config="[health]\nenabled = false\n")
    checks, switches = Checks(server), Switches(server)
    switched, broken, released = checks.make(), checks.make(), checks.make()
    switches.force(switched, "unhealthy")
    for check in (broken, released):
        switches.force(check, "unhealthy", "--break-glass", "--for", "1h")
    switches.release(released)
    before = [switches.show(check) for check in (switched, broken, released)]
    assert [shown["state"] for shown in before] == ["unhealthy", "unhealthy", "healthy"]
    server.stop()
    server.start()
    assert [switches.show(check) for check in (switched, broken, released)] == before
    # A damaged file does not keep the server from starting.
    server.stop()
    (server.data / "break-glass.json").write_text("{")
    server.start()
    assert [switches.state(check)[0] for check in (switched, broken)] == ["unhealthy", "healthy"]
    assert (server.data / "break-glass.damaged").read_text() == "{"


def test_a_deleted_check_takes_its_switch_along(checks, switches):
    check = checks.make(HTTP, "twice")
    switches.force(check, "unhealthy")
    shown = switches.show(check)
    checks.delete(check)
    done = checks.server.admin("health", "show", check["Id"], check=False)
    assert done.returncode == 1
    # Its place is the next one's, as another incarnation.
    found = [switches.show(check) for check in (checks.make(), checks.make())]
    places = {(shown["slot"], shown["incarnation"]) for shown in found}
    assert (shown["slot"], shown["incarnation"]) not in places
    assert {each["state"] for each in found} == {"healthy"}


def test_glass_is_broken_on_a_full_disk(tmp_path):
    with small_disk(tmp_path) as disk, Meridian(disk / "meridian") as server:
        checks, switches = Checks(server), Switches(server)
        check = checks.make()
        pair = Pair(checks, check, "full.example")
        with filled(disk) as take_again:
            done = switches.force(check, "unhealthy", check=False)
            assert done.returncode == 1 and "disk" in done.stderr

            def kept():
                # Its journal gives up a little room when it is opened again.
                take_again()
                return switches.force(check, "unhealthy", "--break-glass", "--for", "1h")["kept"]

            assert eventually(lambda: kept().startswith("in memory only: ")), kept()
            assert switches.state(check)[0] == "unhealthy"
            assert switches.list()[check["Id"]] == "unhealthy"
            assert pair.answers("192.0.2.2")
        broken = switches.force(check, "unhealthy", "--break-glass", "--for", "2h")
        assert broken["kept"] == "on disk"
        (document,) = json.loads((server.data / "break-glass.json").read_text())["documents"]
        assert document["version"] == broken["break_glass"]["version"]
