"""`meridian zone list|show` and `meridian change show`: what operators see of zones."""

import subprocess

import pytest

from harness import BIN, Zone, create, eventually


def failure(meridian, *arguments):
    """What a command that is refused says, and its exit code."""
    done = meridian.admin(*arguments, check=False, as_json=False)
    assert done.returncode and not done.stdout
    return done.returncode, done.stderr


@pytest.fixture(scope="module")
def zones(meridian):
    client = meridian.client(meridian.new_account("lister"))
    named = Zone(client, "listed.example.", HostedZoneConfig={"Comment": "why"})
    tags = [{"Key": "team", "Value": "dns"}]
    client.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=named.id, AddTags=tags
    )
    return client, named, Zone(client, "twice.example."), Zone(client, "twice.example.")


def test_zones_are_listed_by_account_and_pattern(meridian, zones):
    _, named, one, other = zones
    mine = meridian.admin("zone", "list", "--account", "lister")
    assert {zone["id"] for zone in mine} == {named.id, one.id, other.id}
    found = meridian.admin("zone", "list", "--name", "L*ED.example.")
    assert [zone["id"] for zone in found] == [named.id]
    assert found[0]["record_sets"] == 2 and found[0]["account"] == "lister"
    text = meridian.admin("zone", "list", "--name", "twice.example", as_json=False)
    assert one.id in text and other.id in text and named.id not in text
    code, said = failure(meridian, "zone", "list", "--account", "nobody")
    assert code == 1 and "no account 'nobody'" in said


def test_a_zone_is_shown_by_id_and_name(meridian, zones):
    client, named, one, other = zones
    change = named.change(create("www.listed.example.", "A", "192.0.2.1"))["Id"]
    change = change.removeprefix("/change/")
    assert eventually(lambda: meridian.admin("change", "show", change)["status"] == "INSYNC")
    shown = meridian.admin("zone", "show", "listed.example")
    assert shown == meridian.admin("zone", "show", named.id)
    assert (shown["id"], shown["record_sets"], shown["comment"]) == (named.id, 3, "why")
    assert shown["tags"] == {"team": "dns"}
    assert shown["name_servers"] == [f"{server}." for server in named.name_servers]
    assert "lister" in shown["account_name"] and shown["status"] == "INSYNC"
    assert shown["changed_at"] and "arn:" in shown["changed_by"]
    assert meridian.admin("change", "show", change)["entry"] == shown["changed_in_entry"]
    assert "twice" not in meridian.admin("zone", "show", named.id, as_json=False)
    code, said = failure(meridian, "zone", "show", "twice.example")
    assert code == 1 and one.id in said and other.id in said
    assert failure(meridian, "zone", "show", "no.such.zone")[0] == 1
    assert failure(meridian, "change", "show", "C00000000000000000000")[0] == 1
    assert failure(meridian, "zone", "show")[0] == 2


def test_completions_know_the_verbs(meridian):
    done = subprocess.run([BIN, "completions", "bash"], capture_output=True, text=True, check=True)
    for verb in ("zone", "change", "show", "list"):
        assert verb in done.stdout
