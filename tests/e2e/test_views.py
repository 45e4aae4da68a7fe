"""Name servers and views: a zone is answered where its name servers are, and nowhere else."""

import pytest

from harness import Zone, create, eventually, refusal

ADDRESSES = [f"127.0.0.{n}" for n in range(1, 9)]


@pytest.fixture
def spread_server(start):
    server = start(addresses=ADDRESSES)
    return server, server.spread_pool()


def test_zones_are_answered_only_where_their_name_servers_are(spread_server):
    server, address_of = spread_server
    client = server.client()
    places = set()
    for number in range(6):
        zone = Zone(client, f"placed{number}.example.")
        zone.change(create(f"www.{zone.name}", "A", f"192.0.2.{number}"))
        own = {address_of[name] for name in zone.name_servers}
        assert len(own) == 4
        places.add(frozenset(own))
        for address in ADDRESSES:
            if address in own:
                assert server.values(f"www.{zone.name}", address=address) == {f"192.0.2.{number}"}
            else:
                for tcp in (False, True):
                    assert server.rcode(f"www.{zone.name}", address=address, tcp=tcp) == "REFUSED"
    assert len(places) > 1, "six zones on the same four of eight name servers are not spread"


def test_a_name_moves_to_another_address(start):
    server = start(addresses=ADDRESSES[:5])
    for number in range(1, 5):
        server.admin(
            "nameserver",
            "set",
            f"ns-{number}.meridian.internal",
            "--address",
            ADDRESSES[number - 1],
        )
    zone = Zone(server.client(), "moving.example.")
    zone.change(create("www.moving.example.", "A", "192.0.2.1"))
    assert eventually(
        lambda: server.rcode("www.moving.example.", address=ADDRESSES[4]) == "REFUSED"
    )
    server.admin("nameserver", "set", "ns-4.meridian.internal", "--address", ADDRESSES[4])
    assert eventually(lambda: server.values("www.moving.example.", address=ADDRESSES[4]))
    assert eventually(
        lambda: server.rcode("www.moving.example.", address=ADDRESSES[3]) == "REFUSED"
    )
    server.kill()
    server.start()
    assert server.values("www.moving.example.", address=ADDRESSES[4]) == {"192.0.2.1"}
    assert server.rcode("www.moving.example.", address=ADDRESSES[3]) == "REFUSED"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("shared.example", "shared.example"),
        ("shared.example", "sub.shared.example"),
        ("a.b.shared.example", "shared.example"),
    ],
)
def test_zones_of_two_accounts_never_share_a_view(spread_server, first, second):
    server, address_of = spread_server
    one, two, three = (server.client(server.new_account(name)) for name in ("one", "two", "three"))
    mine, theirs = Zone(one, first), Zone(two, second)
    places = [{address_of[n] for n in zone.name_servers} for zone in (mine, theirs)]
    assert not places[0] & places[1]
    inner = f"www.{max(first, second, key=len)}."
    mine.change(create(inner, "A", "192.0.2.1"))
    theirs.change(create(inner, "A", "192.0.2.2"))
    for address in places[1]:
        assert server.values(inner, address=address) == {"192.0.2.2"}
    for address in places[0]:
        assert server.values(inner, address=address) == {"192.0.2.1"}
    # All eight are taken: the third has nowhere to be.
    code, _ = refusal(lambda: Zone(three, second))
    assert code == "DelegationSetNotAvailable"
    # In the same account they may.
    assert Zone(two, f"deeper.{second}").id


def test_one_view_has_room_for_one_account(start):
    """The default pool of one address is one view."""
    server = start()
    one, two = (server.client(server.new_account(name)) for name in ("one", "two"))
    mine = Zone(one, "b.taken.example")
    mine.change(create("b.taken.example.", "A", "192.0.2.1"))
    for name in ("b.taken.example", "a.b.taken.example", "taken.example"):
        code, text = refusal(lambda name=name: Zone(two, name))
        assert code == "DelegationSetNotAvailable"
        assert mine.id not in text, "an error text tells of another account's zone"
    assert Zone(one, "a.b.taken.example").id
    assert Zone(two, "nottaken.example").id
    # What was in the way has gone.
    sibling = Zone(two, "c.taken.example")
    assert refusal(lambda: Zone(one, "c.taken.example"))[0] == "DelegationSetNotAvailable"
    two.delete_hosted_zone(Id=sibling.id)
    assert Zone(one, "c.taken.example").id


def test_tenants_cannot_shadow_the_names_of_the_pool(start):
    server = start()
    tenant = server.client(server.new_account("tenant"))
    for name in ("meridian.internal", "ns-1.meridian.internal"):
        assert refusal(lambda name=name: Zone(tenant, name))[0] == "DelegationSetNotAvailable"
    assert server.values("ns-1.meridian.internal.") == {"127.0.0.1"}
