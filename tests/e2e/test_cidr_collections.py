"""CIDR collections by the API: what is made, changed, listed and deleted, and every refusal."""

import ipaddress
import json
import re
import time

import dns.edns
import pytest

from harness import Key, Zone, change, reference, refusal, rrset, wait_insync

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NOBODYS = "00000000-0000-4000-8000-000000000000"


class Owner:
    """An account with a client."""

    def __init__(self, server):
        self.server, self.key = server, server.new_account(f"cidr-{reference()}")
        self.client = server.client(self.key)

    def allow(self, quota, limit):
        account = ("--account", self.key.account)
        self.server.admin("quota", "set", *account, quota, str(limit))


class Collection:
    """A new collection."""

    def __init__(self, client, name="offices"):
        self.client, self.reference = client, reference()
        self.answer = client.create_cidr_collection(Name=name, CallerReference=self.reference)
        self.made = self.answer["Collection"]
        self.id = self.made["Id"]

    def change(self, *changes, version=None):
        """(location, action, blocks…) each; returns the id of the change."""
        version = {} if version is None else {"CollectionVersion": version}
        changes = [
            {"LocationName": location, "Action": action, "CidrList": list(blocks)}
            for location, action, *blocks in changes
        ]
        return self.client.change_cidr_collection(Id=self.id, Changes=changes, **version)["Id"]

    def put(self, location, *blocks):
        return self.change((location, "PUT", *blocks))

    def gone(self, location, *blocks):
        return self.change((location, "DELETE_IF_EXISTS", *blocks))

    def refused(self, *changes, **version):
        return refusal(lambda: self.change(*changes, **version))

    @property
    def version(self):
        listed = self.client.list_cidr_collections()["CidrCollections"]
        return next(each["Version"] for each in listed if each["Id"] == self.id)

    def locations(self):
        pages = self.client.get_paginator("list_cidr_locations").paginate(CollectionId=self.id)
        return [each["LocationName"] for page in pages for each in page["CidrLocations"]]

    def blocks(self, **what):
        pages = self.client.get_paginator("list_cidr_blocks").paginate(CollectionId=self.id, **what)
        return [
            (each["LocationName"], each["CidrBlock"]) for page in pages for each in page["CidrBlocks"]
        ]


@pytest.fixture
def owner(meridian):
    return Owner(meridian)


def missing(id_):
    return ("NoSuchCidrCollectionException", f"A CIDR collection with id {id_} does not exist.")


def test_a_collection_is_made_changed_and_deleted(owner):
    client, collection = owner.client, Collection(owner.client)
    assert UUID.fullmatch(collection.id)
    assert collection.made == {
        "Arn": f"arn:aws:route53:::cidrcollection/{collection.id}",
        "Id": collection.id,
        "Name": "offices",
        "Version": 1,
    }
    location = collection.answer["ResponseMetadata"]["HTTPHeaders"]["location"]
    assert location.endswith(f"/2013-04-01/cidrcollection/{collection.id}")
    assert client.list_cidr_collections()["CidrCollections"] == [collection.made]
    assert collection.locations() == collection.blocks() == []

    submitted = collection.put("north", "192.0.2.0/24", "2001:DB8:0::/32", "10.1.2.3/16")
    assert submitted.startswith("/change/C")
    wait_insync(client, client.get_change(Id=submitted)["ChangeInfo"])
    collection.put("south", "198.51.100.0/24")
    assert collection.version == 3
    assert collection.locations() == ["north", "south"]
    assert collection.blocks() == [
        ("north", "10.1.0.0/16"),
        ("north", "192.0.2.0/24"),
        ("north", "2001:db8::/32"),
        ("south", "198.51.100.0/24"),
    ]
    assert collection.blocks(LocationName="south") == [("south", "198.51.100.0/24")]

    in_use = ("CidrCollectionInUseException", "This CIDR collection is in use, and isn't empty.")
    assert refusal(lambda: client.delete_cidr_collection(Id=collection.id)) == in_use
    # In another spelling, some absent, and the last of a location takes it along.
    collection.gone("north", "10.1.0.0/16", "192.0.2.0/24", "2001:db8:0:0::/32", "203.0.113.0/24")
    collection.gone("south", "198.51.100.0/24")
    assert collection.locations() == [] and collection.version == 5
    client.delete_cidr_collection(Id=collection.id)
    assert client.list_cidr_collections()["CidrCollections"] == []
    for call in (
        lambda: client.delete_cidr_collection(Id=collection.id),
        lambda: collection.put("north", "192.0.2.0/24"),
        lambda: client.list_cidr_locations(CollectionId=collection.id),
        lambda: client.list_cidr_blocks(CollectionId=collection.id),
    ):
        assert refusal(call) == missing(collection.id)


def test_a_repeated_request_makes_one_collection(owner):
    collection = Collection(owner.client)
    make = owner.client.create_cidr_collection
    again = make(Name="offices", CallerReference=collection.reference)
    assert again["Collection"] == collection.made
    assert again["ResponseMetadata"]["HTTPStatusCode"] == 201
    for name, other, text in (
        ("offices", "another", "this name and a different caller reference"),
        ("others", collection.reference, "this caller reference and a different name"),
    ):
        assert refusal(lambda: make(Name=name, CallerReference=other)) == (
            "CidrCollectionAlreadyExistsException",
            f"A CIDR collection with {text} already exists in this account.",
        )
    # Another account's names are its own, and a name is free when its collection is gone.
    elsewhere = Owner(owner.server).client
    elsewhere.create_cidr_collection(Name="offices", CallerReference=collection.reference)
    owner.client.delete_cidr_collection(Id=collection.id)
    assert make(Name="offices", CallerReference="another")["Collection"]["Id"] != collection.id


def test_a_version_is_compared_and_set(owner):
    collection = Collection(owner.client)
    collection.change(("north", "PUT", "192.0.2.0/24"), version=1)
    for version in (1, 3):
        assert collection.refused(("north", "PUT", "10.0.0.0/8"), version=version) == (
            "CidrCollectionVersionMismatchException",
            "The CIDR collection version you provided, doesn't match the current version of the "
            "collection, which is 2.",
        )
    # What changes nothing is a change too.
    collection.change(("north", "PUT", "192.0.2.0/24"), version=2)
    assert collection.version == 3
    assert collection.blocks() == [("north", "192.0.2.0/24")]


def test_a_block_is_at_one_location(owner):
    collection = Collection(owner.client)
    collection.put("north", "10.0.0.0/8")
    # One inside another is none of it: the longest that matches decides.
    collection.put("south", "10.1.0.0/16")
    used = ("CidrBlockInUseException", "This CIDR block is already in use: ")
    code, text = collection.refused(("south", "PUT", "10.0.0.0/8", "10.2.0.0/16"))
    assert (code, text) == (used[0], used[1] + "10.0.0.0/8 (locations north and south)")
    code, text = collection.refused(
        ("east", "PUT", "192.0.2.0/24"), ("west", "PUT", "192.0.2.0/24")
    )
    assert (code, text) == (used[0], used[1] + "192.0.2.0/24 (locations east and west)")
    assert collection.version == 3, "what is refused changes nothing"
    # Moved in one step, whichever is said first.
    collection.change(("south", "PUT", "10.0.0.0/8"), ("north", "DELETE_IF_EXISTS", "10.0.0.0/8"))
    assert collection.locations() == ["south"]
    collection.change(("south", "DELETE_IF_EXISTS", "10.0.0.0/8"), ("north", "PUT", "10.0.0.0/8"))
    assert collection.blocks() == [("north", "10.0.0.0/8"), ("south", "10.1.0.0/16")]


@pytest.mark.parametrize(
    "block",
    ["192.0.2.0/25", "192.0.2.0", "0.0.0.0/0", "2001:db8::/49", "::/0", "::ffff:10.0.0.0/104", "x"],
)
def test_other_networks_are_refused(owner, block):
    collection = Collection(owner.client)
    assert collection.refused(("north", "PUT", "10.0.0.0/8", block)) == (
        "InvalidInput",
        "CIDR blocks are IPv4 networks of /1 to /24 and IPv6 networks of /1 to /48, but not "
        f"'{block}'",
    )
    assert collection.refused(("north", "DELETE_IF_EXISTS", block))[0] == "InvalidInput"


def test_the_default_location_is_none_of_a_collection(owner, meridian):
    collection = Collection(owner.client)
    loose = meridian.client(owner.key, parameter_validation=False)
    default = {"LocationName": "*", "Action": "PUT", "CidrList": ["10.0.0.0/8"]}
    call = lambda: loose.change_cidr_collection(Id=collection.id, Changes=[default])
    assert refusal(call)[0] == "InvalidInput"
    call = lambda: loose.list_cidr_blocks(CollectionId=collection.id, LocationName="*")
    assert refusal(call)[0] == "InvalidInput"


def some_blocks(count, base="10.0.0.0"):
    first = int(ipaddress.ip_address(base))
    return [f"{ipaddress.ip_address(first + n * 256)}/24" for n in range(count)]


def test_limits_hold_and_can_be_raised(owner):
    collection = Collection(owner.client)
    thousand = some_blocks(1000)
    assert collection.refused(
        ("a", "PUT", *thousand[:600]), ("b", "PUT", *some_blocks(401, "11.0.0.0"))
    ) == ("InvalidInput", "A request can name 1000 CIDR blocks at most.")
    collection.put("a", *thousand)
    more = ("b", "PUT", "11.0.0.0/24")
    full = (
        "LimitsExceeded",
        "Limits Exceeded: MAX_CIDR_BLOCKS_BY_COLLECTION - Cannot add more CIDR blocks.",
    )
    assert collection.refused(more) == full
    collection.change(more, ("a", "DELETE_IF_EXISTS", thousand[0]))
    owner.allow("MAX_CIDR_BLOCKS_BY_COLLECTION", 1001)
    collection.put("a", thousand[0])
    for n in range(4):
        Collection(owner.client, f"more-{n}")
    assert refusal(lambda: Collection(owner.client, "six")) == (
        "LimitsExceeded",
        "Limits Exceeded: MAX_CIDR_COLLECTIONS_BY_OWNER - Cannot create more CIDR collections.",
    )
    owner.allow("MAX_CIDR_COLLECTIONS_BY_OWNER", 6)
    Collection(owner.client, "six")
    quotas = owner.server.admin("quota", "list", "--account", owner.key.account)
    used = {each["quota"]: each["used"] for each in quotas}
    assert used["MAX_CIDR_COLLECTIONS_BY_OWNER"] == 6
    assert used["MAX_CIDR_BLOCKS_BY_COLLECTION"] == 1001


def test_lists_are_paged_by_tokens(owner):
    client = owner.client
    collections = [Collection(client, name) for name in ("c", "a", "b")]
    collection = collections[0]
    places = ["a", "a-", "b", "north"]
    for n, location in enumerate(places):
        collection.put(location, *some_blocks(3, f"10.{n}.0.0"), f"2001:db8:{n}::/48")
    lists = {
        client.list_cidr_collections: ({}, "CidrCollections", 3),
        client.list_cidr_locations: ({"CollectionId": collection.id}, "CidrLocations", 4),
        client.list_cidr_blocks: ({"CollectionId": collection.id}, "CidrBlocks", 16),
    }
    tokens = []
    for call, (what, items, count) in lists.items():
        whole = call(**what)
        assert len(whole[items]) == count and "NextToken" not in whole
        seen, token = [], {}
        while True:
            page = call(MaxResults="2", **what, **token)
            seen += page[items]
            if "NextToken" not in page:
                break
            assert len(page[items]) == 2
            token = {"NextToken": page["NextToken"]}
        assert seen == whole[items]
        tokens.append(token["NextToken"])
        assert refusal(lambda: call(MaxResults="0", **what))[0] == "InvalidInput"
    # A token is good for the list that gave it out.
    for n, (call, (what, _, _)) in enumerate(lists.items()):
        for token in ("no token", tokens[n - 1]):
            code, text = refusal(lambda: call(NextToken=token, **what))
            assert (code, text) == (
                "InvalidInput",
                "The pagination token is not one that this list gave out.",
            )
    assert [each["Name"] for each in client.list_cidr_collections()["CidrCollections"]] == [
        *"abc"
    ]
    # The blocks of one location are paged too.
    one = {"CollectionId": collection.id, "LocationName": "a"}
    page = client.list_cidr_blocks(MaxResults="3", **one)
    rest = client.list_cidr_blocks(NextToken=page["NextToken"], **one)
    blocks = [each["CidrBlock"] for each in page["CidrBlocks"] + rest["CidrBlocks"]]
    assert blocks == [*some_blocks(3), "2001:db8::/48"] and "NextToken" not in rest


def test_what_is_not_there_is_said_so(owner):
    collection = Collection(owner.client)
    collection.put("north", "10.0.0.0/8")
    for location in ("nort", "northe", "South"):
        assert refusal(lambda: collection.blocks(LocationName=location)) == (
            "NoSuchCidrLocationException",
            f"A CIDR location with name {location} does not exist in the CIDR collection with id "
            f"{collection.id}.",
        )
    stranger = Owner(owner.server).client
    for client, id_ in ((stranger, collection.id), (owner.client, NOBODYS)):
        changes = [{"LocationName": "a", "Action": "PUT", "CidrList": ["10.0.0.0/8"]}]
        for call in (
            lambda: client.delete_cidr_collection(Id=id_),
            lambda: client.change_cidr_collection(Id=id_, Changes=changes),
            lambda: client.list_cidr_locations(CollectionId=id_),
            lambda: client.list_cidr_blocks(CollectionId=id_),
            lambda: client.list_cidr_blocks(CollectionId=id_, LocationName="north"),
        ):
            assert refusal(call) == missing(id_)
    assert stranger.list_cidr_collections()["CidrCollections"] == []


def by_cidr(name, collection, location, value="192.0.2.1", **rest):
    config = {"CollectionId": collection.id, "LocationName": location}
    return rrset(name, "A", value, SetIdentifier=location, CidrRoutingConfig=config, **rest)


def test_record_sets_name_locations_that_exist(owner):
    collection, zone = Collection(owner.client), Zone(owner.client, "cidr.example.")
    collection.put("north", "10.0.0.0/8")
    name = f"www.{zone.name}"
    zone.change(
        change("CREATE", by_cidr(name, collection, "north")),
        change("CREATE", by_cidr(name, collection, "*", "192.0.2.2")),
    )
    configs = [each["CidrRoutingConfig"] for each in zone.sets(own=True)]
    assert configs == [
        {"CollectionId": collection.id, "LocationName": location} for location in ("*", "north")
    ]
    assert zone.refused(change("CREATE", by_cidr(f"x.{name}", collection, "south"))) == (
        "InvalidChangeBatch",
        "[A CIDR location with name south does not exist in the CIDR collection with id "
        f"{collection.id}.]",
    )
    other = Collection(owner.client, "other")
    code, _ = zone.refused(change("CREATE", by_cidr(name, other, "*", "192.0.2.3")))
    assert code == "InvalidChangeBatch", "one name and type has one collection"
    strangers = Zone(Owner(owner.server).client, "stranger.example.")
    _, text = strangers.refused(change("CREATE", by_cidr("a.stranger.example", collection, "*")))
    assert text == f"[A CIDR collection with id {collection.id} does not exist.]"


def test_a_collection_stays_while_record_sets_name_it(owner):
    client, zone = owner.client, Zone(owner.client, "used.example.")
    first, second = Collection(client, "first"), Collection(client, "second")
    sets = [by_cidr(f"{label}.{zone.name}", first, "*") for label in ("a", "b")]
    zone.change(*(change("CREATE", set_) for set_ in sets))
    in_use = (
        "CidrCollectionInUseException",
        "This CIDR collection is in use: record sets are routed by it.",
    )
    gone = lambda collection: client.delete_cidr_collection(Id=collection.id)
    assert refusal(lambda: gone(first)) == in_use
    zone.change(change("DELETE", sets[0]))
    assert refusal(lambda: gone(first)) == in_use
    zone.change(change("UPSERT", by_cidr(f"b.{zone.name}", second, "*")))
    gone(first)
    assert refusal(lambda: gone(second)) == in_use
    zone.change(change("DELETE", by_cidr(f"b.{zone.name}", second, "*")))
    gone(second)


def test_rights_name_the_collection(owner, meridian):
    collection, other = Collection(owner.client, "a"), Collection(owner.client, "b")
    collection.put("north", "10.0.0.0/8")
    file = meridian.folder / "cidr-policy.json"
    statement = {"Effect": "Allow", "Action": "route53:*Cidr*", "Resource": collection.made["Arn"]}
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": statement}))
    account = ("--account", owner.key.account)
    meridian.admin("user", "create", "networker", *account, "--policy-file", file)
    key = meridian.admin("key", "create", *account, "--user", "networker")
    client = meridian.client(Key(key["access_key_id"], key["secret_access_key"]))
    changes = [{"LocationName": "north", "Action": "DELETE_IF_EXISTS", "CidrList": ["10.0.0.0/8"]}]
    for call in (
        lambda: client.list_cidr_collections(),
        lambda: client.create_cidr_collection(Name="c", CallerReference="c"),
        lambda: client.list_cidr_locations(CollectionId=other.id),
        lambda: client.list_cidr_blocks(CollectionId=other.id),
        lambda: client.change_cidr_collection(Id=other.id, Changes=changes),
        lambda: client.delete_cidr_collection(Id=other.id),
        lambda: client.delete_cidr_collection(Id=NOBODYS),
    ):
        assert refusal(call)[0] == "AccessDenied"
    assert client.list_cidr_locations(CollectionId=collection.id)["CidrLocations"]
    assert client.list_cidr_blocks(CollectionId=collection.id)["CidrBlocks"]
    client.change_cidr_collection(Id=collection.id, Changes=changes)
    client.delete_cidr_collection(Id=collection.id)


def test_an_account_with_a_collection_is_not_deleted(meridian):
    owner = Owner(meridian)
    collection = Collection(owner.client)
    shown = meridian.admin("account", "delete", owner.key.account, check=False, as_json=False)
    assert "1 CIDR collection" in str(shown)
    owner.client.delete_cidr_collection(Id=collection.id)


def test_collections_outlive_a_crash(start):
    server = start()
    owner = Owner(server)
    collection = Collection(owner.client)
    collection.put("north", "10.0.0.0/8")
    server.kill()
    server.start()
    assert collection.blocks() == [("north", "10.0.0.0/8")] and collection.version == 2


def test_ten_thousand_blocks(owner):
    owner.allow("MAX_CIDR_BLOCKS_BY_COLLECTION", 10_000)
    collection = Collection(owner.client)
    owner.allow("MAX_CIDR_BLOCKS_BY_CHANGE", 9000)
    collection.put("north", *some_blocks(1000))
    collection.put("north", *some_blocks(9000, "11.0.0.0"))
    for n in range(20):
        collection.change(
            ("north", "DELETE_IF_EXISTS", f"10.0.{n}.0/24"), ("south", "PUT", f"10.0.{n}.0/24")
        )
    assert collection.version == 23
    assert len(collection.blocks(LocationName="south")) == 20
    assert collection.locations() == ["north", "south"]


@pytest.mark.alone
def test_ten_thousand_blocks_come_a_thousand_at_a_time(owner):
    """As much as an account may ever ask for in one collection, by calls of the usual size: the
    last takes about as long as the first, pages have all of it, and answers go by it."""
    owner.allow("MAX_CIDR_BLOCKS_BY_COLLECTION", 10_000)
    collection, zone = Collection(owner.client), Zone(owner.client, "many-blocks.example.")
    zone.change(change("CREATE", by_cidr(zone.name, collection, "*", "192.0.2.9")))
    took, blocks = [], some_blocks(10_000)
    for n in range(10):
        part = blocks[n * 1000 : (n + 1) * 1000]
        began = time.monotonic()
        submitted = collection.change((f"site-{n}", "PUT", *part), version=n + 1)
        info = owner.client.get_change(Id=submitted)["ChangeInfo"]
        wait_insync(owner.client, info)
        took.append(time.monotonic() - began)
    assert collection.version == 11
    assert max(took[-3:]) < 5 * max(took[:3]) + 0.5, took
    refused = collection.refused(("site-0", "PUT", "192.0.2.0/24"))
    assert refused[0] == "LimitsExceeded"
    stale = collection.refused(("site-0", "PUT", blocks[0]), version=10)
    assert stale[0] == "CidrCollectionVersionMismatchException"
    assert collection.locations() == [f"site-{n}" for n in range(10)]
    of_one = collection.blocks(LocationName="site-7")
    assert of_one == [("site-7", block) for block in blocks[7000:8000]]
    assert sorted(collection.blocks()) == sorted(
        (f"site-{n // 1000}", block) for n, block in enumerate(blocks)
    )
    zone.change(change("CREATE", by_cidr(zone.name, collection, "site-7", "192.0.2.7")))
    for block, expected in [(blocks[7000], "192.0.2.7"), (blocks[7999], "192.0.2.7"),
                            (blocks[6999], "192.0.2.9"), ("192.0.2.0/24", "192.0.2.9")]:
        option = dns.edns.ECSOption(block.removesuffix("/24"), 24)
        assert owner.server.values(zone.name, payload=1232, options=[option]) == {expected}, block
