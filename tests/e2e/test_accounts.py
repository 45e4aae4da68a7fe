"""Two accounts: neither reads, lists, changes or guesses what is the other's."""

import pytest

from harness import Zone, alias, change, create, eventually, reference, refusal, rrset


@pytest.fixture(scope="module")
def pair(meridian):
    """A zone of Alice's with a change, and Bob."""
    alice, bob = (meridian.client(meridian.new_account(name)) for name in ("alice", "bob"))
    zone = Zone(alice, "alice.example.")
    info = zone.change(create("www.alice.example.", "A", "192.0.2.1"))
    return zone, info, bob


# As long and as plausible as a real one, and nobody's.
NOBODYS_ZONE, NOBODYS_CHANGE = "Z00000000000000000000", "C00000000000000000000"

CALLS = {
    "get": lambda client, zone: client.get_hosted_zone(Id=zone),
    "list": lambda client, zone: client.list_resource_record_sets(HostedZoneId=zone),
    "delete": lambda client, zone: client.delete_hosted_zone(Id=zone),
    "change": lambda client, zone: client.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [create("new.alice.example.", "A", "192.0.2.66")]},
    ),
    "impossible change": lambda client, zone: client.change_resource_record_sets(
        HostedZoneId=zone,
        ChangeBatch={"Changes": [create("out.of.zone.", "A", "not an address")]},
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_foreign_zone_looks_like_none(pair, meridian, call):
    zone, _, bob = pair
    code, text = refusal(lambda: CALLS[call](bob, zone.id))
    nobodys_code, nobodys_text = refusal(lambda: CALLS[call](bob, NOBODYS_ZONE))
    assert code == nobodys_code == "NoSuchHostedZone" or call == "impossible change"
    assert (code, text.replace(zone.id, "ID")) == (
        nobodys_code,
        nobodys_text.replace(NOBODYS_ZONE, "ID"),
    )
    assert len(zone.sets()) == 3
    assert meridian.values("www.alice.example.") == {"192.0.2.1"}
    assert meridian.rcode("new.alice.example.") == "NXDOMAIN"


def test_a_foreign_change_looks_like_none(pair):
    _, info, bob = pair
    mine = info["Id"].removeprefix("/change/")
    code, text = refusal(lambda: bob.get_change(Id=mine))
    nobodys = refusal(lambda: bob.get_change(Id=NOBODYS_CHANGE))
    assert (code, text.replace(mine, NOBODYS_CHANGE)) == nobodys
    assert code == "NoSuchChange"


def test_lists_show_only_ones_own(pair, meridian):
    zone, _, bob = pair
    own = Zone(bob, "bob.example.")
    assert [z["Name"] for z in bob.list_hosted_zones()["HostedZones"]] == ["bob.example."]
    for start in ({}, {"DNSName": "alice.example"}):
        listed = bob.list_hosted_zones_by_name(**start)["HostedZones"]
        assert {z["Name"] for z in listed} <= {"bob.example."}
    listed = bob.list_hosted_zones_by_name(DNSName="alice.example", HostedZoneId=zone.id)
    assert "alice" not in str(listed["HostedZones"])
    # A marker that is another's zone says no more than one that is nobody's.
    answers = []
    for marker in (zone.id, NOBODYS_ZONE):
        try:
            answers.append(str(bob.list_hosted_zones(Marker=marker)["HostedZones"]))
        except bob.exceptions.ClientError as error:
            answers.append(str(error).replace(marker, "ID"))
    assert "alice" not in answers[0]
    assert answers[0] == answers[1] or "bob.example." in answers[0] + answers[1]
    bob.delete_hosted_zone(Id=own.id)


def test_aliases_do_not_reach_over(pair):
    zone, _, bob = pair
    own = Zone(bob, "bobs-alias.example.")
    texts = []
    for target in (zone.id, NOBODYS_ZONE):
        code, text = own.refused(
            change("CREATE", alias(f"a.{own.name}", "www.alice.example.", target))
        )
        assert code == "InvalidChangeBatch"
        texts.append(text.replace(target, "ID"))
    assert texts[0] == texts[1]


def test_references_are_ones_own(pair):
    """Two accounts may use the same caller reference."""
    zone, _, bob = pair
    mine = reference()
    zone.client.create_hosted_zone(Name="ref-a.example", CallerReference=mine)
    assert bob.create_hosted_zone(Name="ref-b.example", CallerReference=mine)


@pytest.mark.parametrize("name", [".", "tld", "example.", "com"])
def test_root_and_one_label_zones_are_the_operators(pair, name):
    _, _, bob = pair
    code, text = refusal(lambda: Zone(bob, name))
    assert code == "InvalidDomainName" and text


def test_the_operator_may_have_a_root_and_a_tld(start):
    server = start()
    client = server.client()
    root, tld = Zone(client, "."), Zone(client, "tld.")
    assert root.created["HostedZone"]["Name"] == "."
    root.change(change("CREATE", rrset("tld.", "NS", *(f"{n}." for n in tld.name_servers))))
    tld.change(create("www.tld.", "A", "192.0.2.1"))
    assert server.values("www.tld.") == {"192.0.2.1"}
    assert server.rcode("no-such-tld.") == "NXDOMAIN"
    assert server.values(".", "NS") == {f"{n}." for n in root.name_servers}
    assert [s["Name"] for s in root.sets()] == [".", ".", "tld."]
    assert eventually(lambda: server.values("ns-1.meridian.internal.") == {"127.0.0.1"})


def test_each_call_leaves_no_secret_in_the_log(meridian, pair):
    log = meridian.log.read_text(errors="replace")
    assert meridian.operator().secret not in log
