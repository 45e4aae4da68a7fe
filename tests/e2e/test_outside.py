"""`meridian delegation check` and `meridian verify`: this server as the world sees it."""

import pytest

from harness import POOL_START, Zone, create, delete, eventually, free_port

ADDRESSES = ("127.0.0.1", "127.0.0.2")


@pytest.fixture
def pair(start):
    """Two servers on one port of two addresses: who has the parent, and who has the child."""
    port = free_port(ADDRESSES)
    parent = start(addresses=[ADDRESSES[0]], dns_port=port)
    config = '[pool]\ndomain = "pool.child-host.test"\n'
    child = start(addresses=[ADDRESSES[1]], dns_port=port, config=config)
    return parent, child


def checked(parent, child, zone):
    """What the check says, and how it exits. The parent's server stands for a resolver."""
    port = str(parent.dns_port)
    done = child.admin(
        *("delegation", "check", zone, "--port", port),
        *("--resolver", f"{ADDRESSES[0]}:{port}"),
        check=False,
        as_json=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_delegation_is_looked_at_from_the_parent_down(pair):
    parent, child = pair
    above = Zone(parent.client(), "above.test")
    hosts = Zone(parent.client(), "child-host.test")
    zone = Zone(child.client(), "below.above.test")
    servers = [f"{name}." for name in zone.name_servers]
    hosts.change(*(create(name, "A", ADDRESSES[1]) for name in servers))

    status, said = checked(parent, child, zone.name)
    assert status == 4 and "above.test. does not delegate below.above.test." in said, said
    for name in zone.name_servers:
        assert name in said

    above.change(create(zone.name, "NS", *servers))
    status, said = checked(parent, child, zone.name)
    assert status == 0 and "resolvers find this zone" in said, said
    assert said.count("answers for below.above.test.") == 4
    as_json = child.admin(
        *("delegation", "check", zone.id, "--port", str(parent.dns_port)),
        *("--resolver", f"{ADDRESSES[0]}:{parent.dns_port}"),
    )
    assert as_json["parent"] == "above.test."
    assert {finding["level"] for finding in as_json["findings"]} == {"ok"}

    # A server that knows nothing of the zone, and one that nobody finds.
    above.change(
        delete(zone.name, "NS", *servers),
        create(zone.name, "NS", *servers[1:], "lame.child-host.test.", "lost.child-host.test."),
    )
    hosts.change(create("lame.child-host.test.", "A", ADDRESSES[0]))
    status, said = checked(parent, child, zone.name)
    assert status == 4, said
    assert f"above.test. does not name {servers[0]}" in said
    assert "lame.child-host.test. (127.0.0.1) is lame" in said
    assert "lost.child-host.test. has no address" in said


def test_a_ds_record_above_an_unsigned_zone_is_a_problem(pair):
    parent, child = pair
    above = Zone(parent.client(), "signed.test")
    hosts = Zone(parent.client(), "child-host.test")
    zone = Zone(child.client(), "below.signed.test")
    servers = [f"{name}." for name in zone.name_servers]
    hosts.change(*(create(name, "A", ADDRESSES[1]) for name in servers))
    above.change(
        create(zone.name, "NS", *servers), create(zone.name, "DS", f"12345 13 2 {'ab' * 32}")
    )
    status, said = checked(parent, child, zone.name)
    assert status == 4 and said.count("has a DS record, and the zone is not signed") == 1, said


def test_what_cannot_be_looked_at_is_an_error(pair):
    parent, child = pair
    Zone(child.client(), "orphan.test")
    status, said = checked(parent, child, "orphan.test.")
    assert status == 1 and "knows no zone above orphan.test." in said
    status, said = checked(parent, child, "nobodys.test.")
    assert status == 1 and "nobodys.test" in said


@pytest.fixture
def twins(pair):
    """The same zone on both servers."""
    zones = []
    for server in pair:
        zone = Zone(server.client(), "twin.test")
        zone.change(
            create("www.twin.test.", "A", "192.0.2.1", "192.0.2.2"),
            create("*.twin.test.", "TXT", '"any"'),
            create("mail.twin.test.", "MX", "10 Mail.Example."),
            create("away.twin.test.", "NS", "ns1.example.", "ns2.example."),
        )
        zones.append(zone)
    # The apexes name the servers of each side: made alike.
    for zone in zones:
        soa = next(s for s in zone.sets() if s["Type"] == "SOA")["ResourceRecords"][0]["Value"]
        words = soa.split()
        words[0:2] = ["ns.example.", "root.example."]
        zone.change(
            {"Action": "UPSERT", "ResourceRecordSet": rrset_of("NS", ["ns.example."], 172800)},
            {"Action": "UPSERT", "ResourceRecordSet": rrset_of("SOA", [" ".join(words)], 900)},
        )
    return pair, zones


def rrset_of(rtype, values, ttl):
    records = [{"Value": value} for value in values]
    return {"Name": "twin.test.", "Type": rtype, "TTL": ttl, "ResourceRecords": records}


def verified(ours, *arguments, as_json=False):
    done = ours.admin("verify", *arguments, check=False, as_json=as_json)
    return done.returncode, done.stdout + done.stderr


def test_two_sides_that_answer_alike(twins, tmp_path):
    (ours, theirs), zones = twins
    against = ("--against", f"{theirs.addresses[0]}:{theirs.dns_port}")
    status, said = verified(ours, "twin.test", *against)
    assert status == 0 and said.endswith("7 questions asked, 0 answers differ\n"), said

    # An answer, a time to live, and a name that one side lacks.
    zones[1].change(
        delete("www.twin.test.", "A", "192.0.2.1", "192.0.2.2"),
        create("www.twin.test.", "A", "192.0.2.1", "192.0.2.3"),
        delete("mail.twin.test.", "MX", "10 Mail.Example."),
        create("mail.twin.test.", "MX", "10 mail.example.", ttl=60),
        delete("away.twin.test.", "NS", "ns1.example.", "ns2.example."),
    )
    status, said = verified(ours, "twin.test", *against)
    assert status == 4 and said.endswith("7 questions asked, 3 answers differ\n"), said
    assert "  ours   www.twin.test. 300 A 192.0.2.2\n" in said
    assert "  theirs www.twin.test. 300 A 192.0.2.3\n" in said
    assert "192.0.2.1\n" not in said, "what both say is left out"
    status, said = verified(ours, "twin.test", *against, "--ignore-ttl")
    assert status == 4 and "mail.twin.test" not in said

    queries = tmp_path / "queries"
    queries.write_text("anything.twin.test TXT\nelsewhere.example A\n")
    status, said = verified(ours, "--queries", str(queries), *against)
    assert status == 0 and "2 questions asked, 0 answers differ" in said, said


def test_this_side_is_asked_where_the_zone_is_shown(start):
    server = start(addresses=["127.0.0.1", "127.0.0.2"])
    listens = server.admin("status")["listens"]
    assert listens["dns"] == [f"{address}:{server.dns_port}" for address in server.addresses]
    assert listens["api"] == [server.api] and listens["metrics"] == server.metrics
    # All of the pool goes to the second address, so that the first one refuses everything.
    for name in POOL_START:
        server.admin("nameserver", "set", name, "--address", "127.0.0.2")
    Zone(server.client(), "moved.test").change(create("a.moved.test.", "A", "192.0.2.1"))
    theirs = f"127.0.0.2:{server.dns_port}"
    assert eventually(lambda: server.values("a.moved.test.", address="127.0.0.2"))
    for more in ((), ("--at", theirs)):
        status, said = verified(server, "moved.test", "--against", theirs, *more)
        assert status == 0, said


def test_a_side_that_is_silent_differs(start, tmp_path):
    ours = start()
    Zone(ours.client(), "alone.test").change(create("a.alone.test.", "A", "192.0.2.1"))
    assert eventually(lambda: ours.values("a.alone.test.") == {"192.0.2.1"})
    status, said = verified(
        ours, "alone.test", "--against", f"127.0.0.1:{free_port()}", as_json=True
    )
    assert status == 4 and '"error"' in said
