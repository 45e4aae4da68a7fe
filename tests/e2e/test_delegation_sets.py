"""Reusable delegation sets: made, marked, used by zones, listed, removed; every code declared."""

import re

import pytest

from harness import POOL_START, POOL_ZONE, Key, Zone, create, delete, reference, refusal, wait_insync


class Set:
    """A reusable delegation set and the client that made it."""

    def __init__(self, client, **parameters):
        self.client, self.reference = client, reference()
        self.created = client.create_reusable_delegation_set(
            CallerReference=self.reference, **parameters
        )
        self.set = self.created["DelegationSet"]
        self.path_id = self.set["Id"]
        self.id = self.path_id.removeprefix("/delegationset/")

    def zone(self, name, **parameters):
        return Zone(self.client, name, DelegationSetId=self.id, **parameters)

    def zones(self, **parameters):
        return self.client.list_hosted_zones(DelegationSetId=self.id, **parameters)["HostedZones"]


@pytest.fixture
def client(meridian):
    """A client of an account of its own, with quotas and lists of its own."""
    return meridian.client(meridian.new_account(f"sets-{reference()}"))


def test_a_set_from_scratch(client, meridian):
    made = Set(client)
    location = made.created["ResponseMetadata"]["HTTPHeaders"]["location"]
    assert location.endswith(f"/2013-04-01/delegationset/{made.id}")
    assert made.created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert re.fullmatch("N[0-9A-Z]+", made.id)
    assert made.set["CallerReference"] == made.reference
    assert len(set(made.set["NameServers"])) == 4
    for spelling in (made.id, made.path_id):
        assert client.get_reusable_delegation_set(Id=spelling)["DelegationSet"] == made.set


def test_its_zones_share_its_name_servers_and_are_answered_there(client, meridian):
    made = Set(client)
    zones = [made.zone(f"{name}.reused.example.") for name in ("a", "b")]
    zones.append(Zone(client, "c.reused.example.", DelegationSetId=made.path_id))
    for zone in zones:
        assert zone.created["DelegationSet"] == made.set
        assert client.get_hosted_zone(Id=zone.id)["DelegationSet"] == made.set
        wait_insync(client, zone.created["ChangeInfo"])
        servers = {f"{name}." for name in made.set["NameServers"]}
        assert meridian.values(zone.name, "NS") == servers
        soa = [s for s in zone.sets() if s["Type"] == "SOA"][0]["ResourceRecords"][0]["Value"]
        assert soa.split()[0] in servers
    listed = [zone["Id"] for zone in made.zones()]
    assert listed == sorted(f"/hostedzone/{zone.id}" for zone in zones)


def test_the_names_shown_are_those_that_serve(start):
    """Eight names on as many addresses: each zone is answered at its set's four, nowhere else."""
    server = start(addresses=[f"127.0.0.{n}" for n in range(1, 9)])
    pool = server.spread_pool()
    client = server.client()
    made = [Set(client) for _ in range(4)]
    assert len({tuple(each.set["NameServers"]) for each in made}) > 1
    for number, each in enumerate(made):
        zone = each.zone(f"served{number}.example.")
        wait_insync(client, zone.created["ChangeInfo"])
        at = {name for name, address in pool.items() if serves(server, zone, address)}
        assert at == set(each.set["NameServers"])


def serves(server, zone, address):
    return server.rcode(zone.name, "SOA", address=address) == "NOERROR"


def test_a_zones_own_set_is_marked(client, meridian):
    zone = Zone(client, "marked.example.")
    own = zone.created["DelegationSet"]
    assert set(own) == {"NameServers"}
    made = Set(client, HostedZoneId=zone.id)
    assert made.set["NameServers"] == own["NameServers"]
    assert client.get_hosted_zone(Id=zone.id)["DelegationSet"] == made.set
    assert [listed["Id"] for listed in made.zones()] == [f"/hostedzone/{zone.id}"]
    assert made.zone("second.marked.example.").name_servers == own["NameServers"]
    zone.change(create("www.marked.example.", "A", "192.0.2.1"))
    assert meridian.values("www.marked.example.") == {"192.0.2.1"}
    again = lambda: Set(client, HostedZoneId=f"/hostedzone/{zone.id}")
    assert refusal(again) == (
        "DelegationSetAlreadyReusable",
        "The specified delegation set has already been marked as reusable.",
    )


def test_a_reference_is_good_once_also_when_its_set_is_gone(client):
    made = Set(client)
    again = lambda: client.create_reusable_delegation_set(CallerReference=made.reference)
    expected = (
        "DelegationSetAlreadyCreated",
        "A delegation set with the same owner and caller reference combination has already been"
        " created.",
    )
    assert refusal(again) == expected
    client.delete_reusable_delegation_set(Id=made.id)
    assert refusal(again) == expected


@pytest.mark.parametrize(
    "zone, code",
    [
        ("Z00000000000000000", "HostedZoneNotFound"),
        ("not-an-id", "InvalidArgument"),
        ("Z" * 33, "InvalidInput"),
    ],
)
def test_only_ones_own_zones_can_be_marked(client, route53, zone, code):
    assert refusal(lambda: Set(client, HostedZoneId=zone))[0] == code
    foreign = Zone(route53, "foreign-to-mark.example.")
    code, text = refusal(lambda: Set(client, HostedZoneId=foreign.id))
    assert code == "HostedZoneNotFound"
    assert text == f"The specified hosted zone cannot be found: {foreign.id}"


def test_a_private_zones_set_stays_its_own(meridian, route53):
    """It has no name servers that a resolver elsewhere could ask."""
    zone = meridian.private_zone("private-set.example.")
    assert refusal(lambda: Set(route53, HostedZoneId=zone)) == (
        "InvalidArgument",
        "The delegation set of a private hosted zone cannot be reusable.",
    )
    listed = refusal(lambda: route53.list_hosted_zones(DelegationSetId=zone))
    assert listed[0] == "NoSuchDelegationSet"


@pytest.mark.parametrize("missing", ["N00000000000000000", "Z00000000000000000", "n1", "N1*"])
def test_no_such_set(client, missing):
    expected = ("NoSuchDelegationSet", f"No delegation set found with ID: {missing}")
    kind = "MAX_ZONES_BY_REUSABLE_DELEGATION_SET"
    for call in (
        lambda: client.get_reusable_delegation_set(Id=missing),
        lambda: client.delete_reusable_delegation_set(Id=missing),
        lambda: client.get_reusable_delegation_set_limit(DelegationSetId=missing, Type=kind),
        lambda: client.list_hosted_zones(DelegationSetId=missing),
        lambda: Zone(client, "no-such-set.example.", DelegationSetId=missing),
    ):
        assert refusal(call) == expected


def test_ids_that_are_too_long(client):
    for call in (
        lambda: client.get_reusable_delegation_set(Id="N" * 33),
        lambda: client.delete_reusable_delegation_set(Id="N" * 33),
        lambda: client.list_hosted_zones(DelegationSetId="N" * 33),
        lambda: Zone(client, "long-set.example.", DelegationSetId="N" * 33),
    ):
        assert refusal(call)[0] == "InvalidInput"


def test_another_accounts_set_looks_like_none(client, route53):
    foreign = Set(route53)
    expected = ("NoSuchDelegationSet", f"No delegation set found with ID: {foreign.id}")
    for call in (
        lambda: client.get_reusable_delegation_set(Id=foreign.id),
        lambda: client.delete_reusable_delegation_set(Id=foreign.id),
        lambda: client.list_hosted_zones(DelegationSetId=foreign.id),
        lambda: Zone(client, "foreign-set.example.", DelegationSetId=foreign.id),
    ):
        assert refusal(call) == expected
    assert client.list_reusable_delegation_sets()["DelegationSets"] == []


def test_a_zones_own_set_is_not_reusable(client):
    """It has no id; a client that gives the zone's hears what is wrong."""
    zone = Zone(client, "own-set.example.")
    expected = (
        "DelegationSetNotReusable",
        f"The delegation set of the hosted zone {zone.id} is not reusable.",
    )
    for call in (
        lambda: client.get_reusable_delegation_set(Id=zone.id),
        lambda: client.delete_reusable_delegation_set(Id=zone.id),
        lambda: client.list_hosted_zones(DelegationSetId=zone.id),
        lambda: Zone(client, "on-own-set.example.", DelegationSetId=zone.id),
    ):
        assert refusal(call) == expected


def test_a_set_in_use_stays(client):
    made = Set(client)
    zone = made.zone("in-use.example.")
    assert refusal(lambda: client.delete_reusable_delegation_set(Id=made.id)) == (
        "DelegationSetInUse",
        "The specified delegation set contains associated hosted zones which must be deleted before"
        " the reusable delegation set can be deleted.",
    )
    client.delete_hosted_zone(Id=zone.id)
    assert made.zones() == []
    client.delete_reusable_delegation_set(Id=made.path_id)
    assert refusal(made.zones)[0] == "NoSuchDelegationSet"


def test_lists_page_by_the_first_unseen(client):
    made = sorted(Set(client).id for _ in range(5))
    seen, marker = [], {}
    while True:
        page = client.list_reusable_delegation_sets(MaxItems="2", **marker)
        seen += [each["Id"].removeprefix("/delegationset/") for each in page["DelegationSets"]]
        assert page["MaxItems"] == "2" and page["Marker"] == marker.get("Marker", "")
        if not page["IsTruncated"]:
            assert "NextMarker" not in page
            break
        assert page["NextMarker"] not in seen
        marker = {"Marker": page["NextMarker"]}
    assert seen == made
    assert client.list_reusable_delegation_sets(MaxItems="1000")["MaxItems"] == "100"
    for wrong in ({"MaxItems": "0"}, {"MaxItems": "some"}, {"Marker": "a b"}):
        assert refusal(lambda: client.list_reusable_delegation_sets(**wrong))[0] == "InvalidInput"


def test_zones_of_a_set_are_paged_like_all_zones(client):
    made = Set(client)
    zones = sorted(made.zone(f"z{n}.paged-set.example.").id for n in range(3))
    Zone(client, "beside.paged-set.example.")
    page = client.list_hosted_zones(DelegationSetId=made.id, MaxItems="2")
    assert [zone["Id"].removeprefix("/hostedzone/") for zone in page["HostedZones"]] == zones[:2]
    assert page["NextMarker"] == zones[2]
    page = client.list_hosted_zones(DelegationSetId=made.id, Marker=page["NextMarker"])
    assert len(page["HostedZones"]) == 1 and not page["IsTruncated"]
    assert client.list_hosted_zones()["HostedZones"][3:], "without a set, all"


KIND = "MAX_ZONES_BY_REUSABLE_DELEGATION_SET"


def test_limits_are_kept_and_can_be_raised(meridian):
    key = meridian.new_account("set-limits")
    client = meridian.client(key)
    made = Set(client)
    limit = lambda: client.get_reusable_delegation_set_limit(DelegationSetId=made.id, Type=KIND)
    answer = limit()
    assert answer["Limit"] == {"Type": KIND, "Value": 100} and answer["Count"] == 0
    raw = meridian.client(key, parameter_validation=False)
    wrong = lambda: raw.get_reusable_delegation_set_limit(DelegationSetId=made.id, Type="MAX")
    assert refusal(wrong)[0] == "InvalidInput"

    quota = ("quota", "set", "--account", key.account)
    meridian.admin(*quota, KIND, "1")
    made.zone("one.limit.example.")
    assert (limit()["Limit"]["Value"], limit()["Count"]) == (1, 1)
    assert refusal(lambda: made.zone("two.limit.example.")) == (
        "TooManyHostedZones",
        f"Limits Exceeded: {KIND} - Cannot create more hosted zones.",
    )
    sets = "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER"
    meridian.admin(*quota, sets, "1")
    assert refusal(lambda: Set(client)) == (
        "LimitsExceeded",
        f"Limits Exceeded: {sets} - Cannot create more reusable delegation sets.",
    )
    meridian.admin(*quota, sets, "2")
    meridian.admin(*quota, KIND, "2")
    Set(client)
    made.zone("two.limit.example.")


def test_related_zones_of_two_accounts_never_share_a_set(meridian, client):
    """Within one account they may: of two zones of one name the older answers."""
    theirs = meridian.client(meridian.new_account(f"rival-{reference()}"))
    Zone(theirs, "rival.example.")
    made = Set(client)
    for name in ("rival.example.", "below.rival.example."):
        assert refusal(lambda: made.zone(name)) == (
            "ConflictingDomainExists",
            f"Cannot create hosted zone with DelegationSetId DelegationSetId:{made.id} as the"
            f" DNSName {name} conflicts with existing ones sharing the delegation set",
        )
        assert refusal(lambda: Zone(client, name))[0] == "DelegationSetNotAvailable"
    for name in ("kin.example.", "kin.example.", "below.kin.example."):
        made.zone(name)
    assert len(made.zones()) == 3


def test_no_set_without_name_servers(start):
    """An operator has taken the pool apart."""
    server = start()
    client = server.client()
    zone = client.list_hosted_zones_by_name(DNSName=POOL_ZONE)["HostedZones"][0]
    id_ = zone["Id"].removeprefix("/hostedzone/")
    batch = [delete(f"{name}.", "A", "127.0.0.1", ttl=3600) for name in POOL_START]
    client.change_resource_record_sets(HostedZoneId=id_, ChangeBatch={"Changes": batch})
    client.delete_hosted_zone(Id=id_)
    # A name that a set has stays, although no zone has the set.
    made = Set(client)
    done = server.admin("nameserver", "remove", POOL_START[0], check=False)
    assert done.returncode == 1 and f"have it: {made.id}" in done.stderr
    client.delete_reusable_delegation_set(Id=made.id)
    for name in POOL_START:
        server.admin("nameserver", "remove", name)
    code, text = refusal(lambda: Set(client))
    assert code == "DelegationSetNotAvailable" and text


def test_rights_name_the_set(meridian):
    """A policy can be about one set."""
    key = meridian.new_account("set-rights")
    made = Set(meridian.client(key))
    other = Set(meridian.client(key))
    document = (
        '{"Statement": {"Effect": "Allow", "Action": "route53:GetReusableDelegationSet",'
        f' "Resource": "arn:aws:route53:::delegationset/{made.id}"}}}}'
    )
    file = meridian.folder / "set-policy.json"
    file.write_text(document)
    account = ("--account", key.account)
    meridian.admin("user", "create", "looker", *account, "--policy-file", file)
    made_key = meridian.admin("key", "create", *account, "--user", "looker")
    looker = meridian.client(Key(made_key["access_key_id"], made_key["secret_access_key"]))
    assert looker.get_reusable_delegation_set(Id=made.id)["DelegationSet"] == made.set
    for call in (
        lambda: looker.get_reusable_delegation_set(Id=other.id),
        lambda: looker.delete_reusable_delegation_set(Id=made.id),
        lambda: Set(looker),
        lambda: looker.list_reusable_delegation_sets(),
    ):
        assert refusal(call)[0] == "AccessDenied"
