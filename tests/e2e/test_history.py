"""What was: levels of the journal, and the versions of a zone."""

import re

import botocore.exceptions
import pytest

from harness import Zone, change, create, delete, eventually, rrset, upsert, wait_insync


def put_level(server, level):
    """Makes the journal of a stopped server one that an earlier version began.

    In the row of the head the level stands behind the head's hash: it is the last field.
    """
    file = server.data / "journal.redb"
    row = re.compile(rb"(\x08[^\x00]\x10.{1,4}\x1a\x20.{32}\x20).", re.DOTALL)
    content, changed = row.subn(lambda row: row[1] + bytes([level]), file.read_bytes())
    assert changed, "no row of a head is in the file: this test needs another way"
    file.write_bytes(content)


def test_a_journal_of_an_earlier_version_is_finalized_by_the_operator(start):
    server = start()
    understood = server.admin("status")["level"]["understood"]
    assert server.admin("status")["level"] == {"finalized": understood, "understood": understood}
    zone = Zone(server.client(), "levels.example.")
    assert server.stop() == 0
    put_level(server, 1)

    server.start()
    assert server.admin("status")["level"] == {"finalized": 1, "understood": understood}
    zone.client = server.client()
    zone.change(create(f"old.{zone.name}", "A", "192.0.2.1"))
    assert "finalized=1" in server.admin("status", as_json=False)
    tags = {"ResourceType": "hostedzone", "ResourceId": zone.id}
    with pytest.raises(botocore.exceptions.ClientError) as refused:
        zone.client.change_tags_for_resource(**tags, AddTags=[{"Key": "k", "Value": "v"}])
    error, response = refused.value.response["Error"], refused.value.response["ResponseMetadata"]
    assert (error["Code"], response["HTTPStatusCode"]) == ("NotImplemented", 501)
    assert "`meridian journal finalize`" in error["Message"]

    said = server.admin("journal", "finalize", as_json=False)
    assert f"level {understood}" in said and "cannot read it any more" in said
    finalized = {"finalized": understood, "understood": understood}
    assert server.admin("journal", "finalize") == finalized, "twice is as once"
    zone.change(create(f"new.{zone.name}", "A", "192.0.2.2"))
    zone.client.change_tags_for_resource(**tags, AddTags=[{"Key": "k", "Value": "v"}])
    assert server.stop() == 0
    server.start()
    assert server.admin("status")["level"] == finalized
    assert server.values(f"new.{zone.name}") == {"192.0.2.2"}
    server.admin("journal", "verify")


def version(server, zone):
    """The entry that last changed the zone."""
    return server.admin("zone", "history", zone, "--limit", 1)[0]["entry"]


def shown(differences):
    """Names and values, before and after."""

    def values(set_):
        if set_ is None:
            return None
        return [value["Value"] for value in set_["ResourceRecords"]]

    return [
        ((each["before"] or each["after"])["Name"], values(each["before"]), values(each["after"]))
        for each in differences
    ]


def test_who_changed_what_and_back_again(start):
    server = start()
    key = server.new_account("tenant")
    zone = Zone(server.client(key), "past.example.")
    z = zone.name
    made = version(server, zone.id)
    zone.change(create(f"a.{z}", "A", "192.0.2.1"), create(f"b.{z}", "TXT", '"b"'))
    first, sets = version(server, zone.id), zone.sets()
    info = zone.change(
        upsert(f"a.{z}", "A", "192.0.2.2"),
        delete(f"b.{z}", "TXT", '"b"'),
        create(f"b.{z}", "CNAME", f"a.{z}"),
        create(f"c.{z}", "A", "192.0.2.3"),
    )
    changed = [
        (f"a.{z}", ["192.0.2.1"], ["192.0.2.2"]),
        (f"b.{z}", None, [f"a.{z}"]),
        (f"b.{z}", ['"b"'], None),
        (f"c.{z}", None, ["192.0.2.3"]),
    ]

    newest, before, oldest = server.admin("zone", "history", z)
    assert (newest["entry"], before["entry"], oldest["entry"]) == (first + 1, first, made)
    assert f"/change/{newest['change']}" == info["Id"] or newest["change"] == info["Id"]
    assert key.account in newest["principal"] and newest["source"] == "127.0.0.1"
    assert re.fullmatch(r"[0-9a-f-]{36}", newest["request_id"]) and newest["time"]
    assert shown(newest["differences"]) == changed
    assert [name for name, *_ in shown(oldest["differences"])] == [z, z]
    text = server.admin("zone", "history", z, as_json=False)
    assert f"+ b.{z} 300 CNAME a.{z}" in text and f"- a.{z} 300 A 192.0.2.1" in text

    assert shown(server.admin("zone", "diff", z, "--from", first)["differences"]) == changed
    back = server.admin("zone", "diff", z, "--from", first + 1, "--to", first)["differences"]
    assert shown(back) == [(name, after, before) for name, before, after in changed]
    none = server.admin("zone", "diff", z, "--from", first, "--to", first, as_json=False)
    assert none == "no difference\n"

    head = server.admin("status")["head"]
    tried = server.admin("zone", "restore", z, "--to", first, "--dry-run")
    assert tried["change"] is None and shown(tried["differences"]) == shown(back)
    assert server.admin("status")["head"] == head, "a dry run writes nothing"
    restored = server.admin("zone", "restore", z, "--to", first, as_json=False)
    assert "4 record sets changed by" in restored
    assert zone.sets() == sets
    assert eventually(lambda: server.values(f"a.{z}") == {"192.0.2.1"})
    assert server.values(f"b.{z}", "TXT") == {'"b"'} and server.rcode(f"c.{z}") == "NXDOMAIN"
    newest = server.admin("zone", "history", z)[0]
    assert f"restored as of entry {first}" in newest["comment"]
    wait_insync(zone.client, {"Id": newest["change"]})
    again = server.admin("zone", "restore", z, "--to", first)
    assert again["change"] is None and again["differences"] == []

    # A restore is a change as any other: it can be taken back.
    server.admin("zone", "restore", z, "--to", first + 1)
    assert eventually(lambda: server.values(f"c.{z}") == {"192.0.2.3"})
    server.admin("journal", "verify")


def test_a_version_that_cannot_be_had_is_refused(start):
    server = start()
    client = server.client()
    zone = Zone(client, "refused.example.")
    made = version(server, zone.id)
    refused = server.admin("zone", "diff", zone.id, "--from", made - 1, check=False)
    assert refused.returncode != 0 and f"goes back to entry {made}" in refused.stderr
    assert server.admin("zone", "history", "no.such", check=False).returncode != 0

    # What was then is not allowed today.
    sets = [rrset(f"n{n}.{zone.name}", "A", "192.0.2.1") for n in range(3)]
    zone.change(*(change("CREATE", each) for each in sets))
    then = version(server, zone.id)
    zone.change(*(change("DELETE", each) for each in sets))
    server.admin("quota", "set", "--account", "operator", "MAX_RRSETS_BY_ZONE", 4)
    for how in (["--dry-run"], []):
        refused = server.admin("zone", "restore", zone.id, "--to", then, *how, check=False)
        assert refused.returncode != 0 and "cannot be made what it was" in refused.stderr
    assert len(zone.sets()) == 2


def test_more_than_fits_a_batch_is_restored_at_once(start):
    server = start()
    zone = Zone(server.client(), "large.example.")
    z = zone.name
    for n in range(0, 1200, 400):
        zone.send(*(create(f"n{i}.{z}", "A", "192.0.2.1") for i in range(n, n + 400)))
    then, sets = version(server, zone.id), zone.sets()
    for n in range(0, 1200, 400):
        zone.send(*(delete(f"n{i}.{z}", "A", "192.0.2.1") for i in range(n, n + 400)))
    zone.change(create(f"other.{z}", "A", "192.0.2.2"))
    now, later = version(server, zone.id), zone.sets()

    checked = server.admin("zone", "restore", z, "--to", then, "--dry-run")
    assert len(checked["differences"]) == 1201 and zone.sets() == later
    restored = server.admin("zone", "restore", z, "--to", then)
    assert restored["change"] and zone.sets() == sets
    assert eventually(lambda: server.values(f"n7.{z}") == {"192.0.2.1"})
    assert server.rcode(f"other.{z}") == "NXDOMAIN"
    newest = server.admin("zone", "history", z, "--limit", 2)[0]
    assert newest["replaced"] and len(newest["differences"]) == 1201

    # Back over a replacement, and forward again.
    zone.change(create(f"more.{z}", "A", "192.0.2.3"))
    found = server.admin("zone", "diff", z, "--from", now)["differences"]
    assert len(found) == 1202
    server.admin("zone", "restore", z, "--to", now)
    assert zone.sets() == later
    server.admin("journal", "verify")
