"""Limits and quotas: what an account may have, how much of it there is, and who raises it."""

import pytest

from harness import Zone, create, reference, refusal, upsert

MISSING = "Z00000000000000000000"
# Route 53's defaults.
OWNED = {
    "MAX_HOSTED_ZONES_BY_OWNER": 500,
    "MAX_REUSABLE_DELEGATION_SETS_BY_OWNER": 100,
    "MAX_HEALTH_CHECKS_BY_OWNER": 200,
    "MAX_TRAFFIC_POLICIES_BY_OWNER": 50,
    "MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER": 5,
}


class Account:
    def __init__(self, meridian, name):
        key = meridian.new_account(name)
        self.meridian, self.id, self.client = meridian, key.account, meridian.client(key)

    def set(self, quota, limit):
        return self.meridian.admin("quota", "set", "--account", self.id, quota, limit)

    def quotas(self):
        rows = self.meridian.admin("quota", "list", "--account", self.id)
        return {row.pop("quota"): row for row in rows}

    def limit(self, kind):
        answer = self.client.get_account_limit(Type=kind)
        assert answer["Limit"]["Type"] == kind
        return answer["Limit"]["Value"], answer["Count"]


@pytest.fixture
def account(meridian):
    return Account(meridian, f"limits-{reference()}")


def zone_limit(zone, kind="MAX_RRSETS_BY_ZONE"):
    answer = zone.client.get_hosted_zone_limit(HostedZoneId=zone.id, Type=kind)
    assert answer["Limit"]["Type"] == kind
    return answer["Limit"]["Value"], answer["Count"]


def test_limits_of_an_account(account, meridian):
    assert {kind: account.limit(kind) for kind in OWNED} == {k: (n, 0) for k, n in OWNED.items()}
    zone = Zone(account.client, "limits.example")
    assert account.limit("MAX_HOSTED_ZONES_BY_OWNER") == (500, 1)
    account.set("MAX_HOSTED_ZONES_BY_OWNER", 2)
    account.set("MAX_HEALTH_CHECKS_BY_OWNER", 1000)
    assert account.limit("MAX_HOSTED_ZONES_BY_OWNER") == (2, 1)
    assert account.limit("MAX_HEALTH_CHECKS_BY_OWNER") == (1000, 0)
    account.client.delete_hosted_zone(Id=zone.id)
    assert account.limit("MAX_HOSTED_ZONES_BY_OWNER") == (2, 0)
    other = Account(meridian, "limits-of-another")
    assert other.limit("MAX_HOSTED_ZONES_BY_OWNER") == (500, 0), "limits are each account's own"


def test_the_last_zone_is_the_one_that_the_limit_says(account):
    account.set("MAX_HOSTED_ZONES_BY_OWNER", 1)
    Zone(account.client, "first.example")
    assert refusal(lambda: Zone(account.client, "second.example")) == (
        "TooManyHostedZones",
        "Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more hosted zones.",
    )
    account.set("MAX_HOSTED_ZONES_BY_OWNER", 2)
    Zone(account.client, "second.example")


def test_limits_of_a_zone(account):
    zone = Zone(account.client, "zone-limits.example")
    assert zone_limit(zone) == (10_000, 2)
    zone.send(create(f"a.{zone.name}", "A", "192.0.2.1"), create(zone.name, "TXT", '"t"'))
    account.set("MAX_RRSETS_BY_ZONE", 20_000)
    assert zone_limit(zone) == (20_000, 4)
    assert refusal(lambda: zone_limit(zone, "MAX_VPCS_ASSOCIATED_BY_ZONE")) == (
        "HostedZoneNotPrivate",
        "The specified hosted zone is a public hosted zone, not a private hosted zone.",
    )


def test_what_has_no_limits(account, zone):
    for kind in ("MAX_RRSETS_BY_ZONE", "max_hosted_zones_by_owner", "NONE"):
        code, text = refusal(lambda kind=kind: account.limit(kind))
        assert code == "InvalidInput" and kind in text
    get = zone.client.get_hosted_zone_limit
    for kind in ("MAX_HOSTED_ZONES_BY_OWNER", "NONE"):
        code, text = refusal(lambda kind=kind: get(HostedZoneId=zone.id, Type=kind))
        assert code == "InvalidInput" and "[MAX_RRSETS_BY_ZONE, " in text
    for kind in ("MAX_RRSETS_BY_ZONE", "MAX_VPCS_ASSOCIATED_BY_ZONE"):
        code, text = refusal(lambda kind=kind: get(HostedZoneId=MISSING, Type=kind))
        assert (code, text) == ("NoSuchHostedZone", f"No hosted zone found with ID: {MISSING}")
    code, _ = refusal(lambda: get(HostedZoneId="Z" * 33, Type="MAX_RRSETS_BY_ZONE"))
    assert code == "InvalidInput"
    get = account.client.get_hosted_zone_limit
    code, _ = refusal(lambda: get(HostedZoneId=zone.id, Type="MAX_RRSETS_BY_ZONE"))
    assert code == "NoSuchHostedZone", "another's zone"


def test_values_of_a_set(account):
    zone = Zone(account.client, "values.example")
    account.set("MAX_RECORDS_BY_RRSET", 2)
    record = f"a.{zone.name}", "A"
    zone.send(create(*record, "192.0.2.1", "192.0.2.2"))
    code, text = zone.refused(upsert(*record, "192.0.2.1", "192.0.2.2", "192.0.2.3"))
    assert (code, text) == ("InvalidChangeBatch", "[Cannot have more than 2 records in a RRSet.]")
    account.set("MAX_RECORDS_BY_RRSET", 3)
    zone.send(upsert(*record, "192.0.2.1", "192.0.2.2", "192.0.2.3"))


def test_sets_of_a_name(account):
    zone = Zone(account.client, "policies.example")
    account.set("MAX_POLICY_RRSETS_BY_NAME", 2)
    account.set("MAX_GEOPROXIMITY_RRSETS_BY_NAME", 1)

    def weighted(*ids):
        policies = ({"SetIdentifier": id, "Weight": 1} for id in ids)
        return (create(f"w.{zone.name}", "A", "192.0.2.1", **policy) for policy in policies)

    def near(*regions):
        policies = (
            {"SetIdentifier": r, "GeoProximityLocation": {"AWSRegion": r}} for r in regions
        )
        return (create(f"g.{zone.name}", "A", "192.0.2.1", **policy) for policy in policies)

    for sets, most, kind in (
        (weighted("a", "b", "c"), 2, "weighted"),
        (near("eu-west-1", "us-east-1"), 1, "geoproximity"),
    ):
        code, text = zone.refused(*sets)
        assert code == "InvalidChangeBatch" and f"no more than {most} {kind} sets" in text
    zone.send(*weighted("a", "b"), *near("eu-west-1"))
    account.set("MAX_POLICY_RRSETS_BY_NAME", 3)
    zone.send(*weighted("c"))


def test_values_and_characters_of_a_batch(account):
    zone = Zone(account.client, "batches.example")
    many = [create(f"{n}.{zone.name}", "A", "192.0.2.1") for n in range(1001)]
    text = "[Number of records limit of 1000 exceeded.]"
    assert zone.refused(*many) == ("InvalidChangeBatch", text)
    account.set("MAX_RECORDS_BY_CHANGE_BATCH", 1001)
    zone.send(*many)
    long = [upsert(f"t{n}.{zone.name}", "TXT", f'"{"x" * 198}"') for n in range(81)]
    text = "[RDATA character limit of 32000 exceeded.]"
    assert zone.refused(*long) == ("InvalidChangeBatch", text)
    account.set("MAX_RDATA_CHARACTERS_BY_CHANGE_BATCH", 32_400)
    zone.send(*long)


def test_the_operator_sees_all_limits(account):
    listed = account.quotas()
    assert {kind: listed[kind]["limit"] for kind in OWNED} == OWNED
    assert listed["MAX_RECORDS_BY_RRSET"] == {
        "used": None,
        "used_by": None,
        "limit": 400,
        "default": 400,
    }
    names = ("limits-small.example", "limits-large.example")
    small, large = (Zone(account.client, name) for name in names)
    large.send(create(f"a.{large.name}", "A", "192.0.2.1"))
    small.client.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=small.id, AddTags=[{"Key": "k", "Value": "v"}]
    )
    account.set("MAX_RRSETS_BY_ZONE", 20_000)
    listed = account.quotas()
    row = {"used": 3, "used_by": large.id, "limit": 20_000, "default": 10_000}
    assert listed["MAX_RRSETS_BY_ZONE"] == row
    row = {"used": 1, "used_by": small.id, "limit": 50, "default": 50}
    assert listed["MAX_TAGS_BY_RESOURCE"] == row
    row = {"used": 2, "used_by": None, "limit": 500, "default": 500}
    assert listed["MAX_HOSTED_ZONES_BY_OWNER"] == row
    made = account.client.create_reusable_delegation_set(
        CallerReference=reference(), HostedZoneId=small.id
    )
    listed = account.quotas()
    row = {"used": 1, "used_by": None, "limit": 100, "default": 100}
    assert listed["MAX_REUSABLE_DELEGATION_SETS_BY_OWNER"] == row
    set_id = made["DelegationSet"]["Id"].removeprefix("/delegationset/")
    row = {"used": 1, "used_by": set_id, "limit": 100, "default": 100}
    assert listed["MAX_ZONES_BY_REUSABLE_DELEGATION_SET"] == row
    assert account.limit("MAX_REUSABLE_DELEGATION_SETS_BY_OWNER") == (100, 1)
    text = account.meridian.admin("quota", "list", "--account", account.id, as_json=False)
    head, *rows = text.splitlines()
    assert head.split() == ["default", "limit", "quota", "used", "used_by"]
    assert ["10000", "20000", "MAX_RRSETS_BY_ZONE", "3", large.id] in [row.split() for row in rows]


@pytest.mark.parametrize(
    "arguments, word",
    [
        (["set", "--account", "nobody", "MAX_RRSETS_BY_ZONE", "1"], "nobody"),
        (["list", "--account", "nobody"], "nobody"),
        (["set", "--account", "ACCOUNT", "MAX_NOTHING", "1"], "MAX_REUSABLE_DELEGATION_SETS"),
        (["set", "--account", "ACCOUNT", "MAX_RRSETS_BY_ZONE", "0"], "1.."),
        (["set", "--account", "ACCOUNT", "MAX_RRSETS_BY_ZONE", "-1"], "-1"),
    ],
)
def test_impossible_quotas(account, arguments, word):
    arguments = [account.id if each == "ACCOUNT" else each for each in arguments]
    done = account.meridian.admin("quota", *arguments, check=False, as_json=False)
    assert done.returncode != 0 and word in done.stderr
    assert account.quotas()["MAX_RRSETS_BY_ZONE"]["limit"] == 10_000
