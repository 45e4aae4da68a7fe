"""What was: levels of the journal, and the versions of a zone."""

import re

from harness import Zone, create


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

    said = server.admin("journal", "finalize", as_json=False)
    assert f"level {understood}" in said and "cannot read it any more" in said
    finalized = {"finalized": understood, "understood": understood}
    assert server.admin("journal", "finalize") == finalized, "twice is as once"
    zone.change(create(f"new.{zone.name}", "A", "192.0.2.2"))
    assert server.stop() == 0
    server.start()
    assert server.admin("status")["level"] == finalized
    assert server.values(f"new.{zone.name}") == {"192.0.2.2"}
    server.admin("journal", "verify")
