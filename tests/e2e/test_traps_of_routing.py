"""The traps 16 to 23 of the list of 25: where imitations of Route 53 usually answer otherwise.

Health comes from the states that need no probes; what probing must get right in trap 23 comes with
it, as trap 25 does with DNSSEC.
"""

import pytest

from harness import Zone, alias, change, reference, refusal, rrset

ROUNDS = 60
# Of universities, whose countries come with the server.
BERLIN, ANKARA, BERKELEY, TOKYO = "141.20.1.1", "144.122.1.1", "128.32.0.1", "133.11.0.1"


@pytest.fixture(scope="module")
def zone(route53):
    return Zone(route53, "traps-of-routing.example.")


@pytest.fixture(scope="module")
def checks(route53):
    """One that is up and one that is down, as health checks of record sets."""

    def check(**config):
        config = {"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 25, **config}
        made = route53.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
        return {"HealthCheckId": made["HealthCheck"]["Id"]}

    return {
        "new": check(),
        "new inverted": check(Inverted=True),
        "up": check(Disabled=True),
        "down": check(Disabled=True, Inverted=True),
    }


def answers(zone, name, rtype="A", rounds=ROUNDS, **who):
    """Everything that is answered, as sets of values, in so many rounds."""
    seen = set()
    for _ in range(rounds):
        reply = zone.client.test_dns_answer(
            HostedZoneId=zone.id, RecordName=f"{name}.{zone.name}", RecordType=rtype, **who
        )
        assert reply["ResponseCode"] == "NOERROR"
        seen.add(frozenset(reply["RecordData"]))
    return {tuple(sorted(each)) for each in seen}


def make(zone, *sets):
    """Makes sets, and waits until they are served."""
    zone.change(*(change("CREATE", set_) for set_ in sets))


def weighted(zone, name, value, weight, identifier, **health):
    policy = {"SetIdentifier": identifier, "Weight": weight, **health}
    return rrset(f"{name}.{zone.name}", "A", value, **policy)


def test_trap_16_all_down_is_all_up_for_each_group_alone(zone, checks):
    down = checks["down"]
    branch = f"branch.{zone.name}"
    make(
        zone,
        weighted(zone, "branch", "192.0.2.1", 1, "a", **down),
        weighted(zone, "branch", "192.0.2.2", 1, "b", **down),
    )
    for evaluate in (False, True):
        name = f"top-{evaluate}".lower()
        into = {"SetIdentifier": "into", "Weight": 1}
        make(
            zone,
            alias(f"{name}.{zone.name}", branch, zone.id, evaluate=evaluate, **into),
            weighted(zone, name, "192.0.2.9", 1, "other", **checks["up"]),
        )
    assert answers(zone, "branch") == {("192.0.2.1",), ("192.0.2.2",)}
    assert answers(zone, "top-true") == {("192.0.2.9",)}
    assert answers(zone, "top-false") == {("192.0.2.1",), ("192.0.2.2",), ("192.0.2.9",)}


def test_trap_17_no_check_is_healthy_for_ever_and_an_alias_needs_both(zone, checks):
    make(
        zone,
        weighted(zone, "unchecked", "192.0.2.1", 1, "none"),
        weighted(zone, "unchecked", "192.0.2.2", 1, "down", **checks["down"]),
        weighted(zone, "good", "192.0.2.3", 1, "up", **checks["up"]),
        weighted(zone, "bad", "192.0.2.4", 1, "down", **checks["down"]),
    )
    assert answers(zone, "unchecked") == {("192.0.2.1",)}
    for target, check, expected in [
        ("good", "up", {("192.0.2.3",), ("192.0.2.9",)}),
        ("good", "down", {("192.0.2.9",)}),
        ("bad", "up", {("192.0.2.9",)}),
    ]:
        name = f"both-{target}-{check}"
        policy = {"SetIdentifier": "alias", "Weight": 1, **checks[check]}
        target = f"{target}.{zone.name}"
        make(
            zone,
            alias(f"{name}.{zone.name}", target, zone.id, evaluate=True, **policy),
            weighted(zone, name, "192.0.2.9", 1, "other", **checks["up"]),
        )
        assert answers(zone, name) == expected, name


def test_trap_18_zero_weights(zone, checks):
    make(
        zone,
        weighted(zone, "zeros", "192.0.2.1", 0, "a"),
        weighted(zone, "zeros", "192.0.2.2", 0, "b"),
        weighted(zone, "one", "192.0.2.1", 0, "a"),
        weighted(zone, "one", "192.0.2.2", 1, "b", **checks["up"]),
        weighted(zone, "last", "192.0.2.1", 0, "a"),
        weighted(zone, "last", "192.0.2.2", 1, "b", **checks["down"]),
    )
    assert answers(zone, "zeros") == {("192.0.2.1",), ("192.0.2.2",)}
    assert answers(zone, "one") == {("192.0.2.2",)}
    assert answers(zone, "last") == {("192.0.2.1",)}


def test_trap_19_failover_ends_with_the_primary(zone, checks):
    for name, primary, secondary, expected in [
        ("both-down", checks["down"], checks["down"], "192.0.2.1"),
        ("takes-over", checks["down"], {}, "192.0.2.2"),
        ("stays", checks["up"], checks["up"], "192.0.2.1"),
        ("never", {}, checks["up"], "192.0.2.1"),
    ]:
        roles = [("PRIMARY", "192.0.2.1", primary), ("SECONDARY", "192.0.2.2", secondary)]
        make(
            zone,
            *(
                rrset(f"{name}.{zone.name}", "A", value, SetIdentifier=role, Failover=role, **check)
                for role, value, check in roles
            ),
        )
        assert answers(zone, name, rounds=9) == {(expected,)}, name


def test_trap_20_geolocation_widens_and_may_answer_nothing(zone, checks):
    def located(name, value, check=None, **place):
        policy = {"SetIdentifier": value, "GeoLocation": place, **checks.get(check, {})}
        return rrset(f"{name}.{zone.name}", "A", value, **policy)

    make(
        zone,
        located("geo", "192.0.2.1", "down", CountryCode="DE"),
        located("geo", "192.0.2.2", "up", ContinentCode="EU"),
        located("geo", "192.0.2.3", CountryCode="*"),
        located("only", "192.0.2.4", CountryCode="JP"),
    )

    def at(name, address):
        return answers(zone, name, rounds=9, ResolverIP=address)

    assert at("geo", BERLIN) == {("192.0.2.2",)}, "a country that is down gives way to its continent"
    assert at("geo", ANKARA) == {("192.0.2.2",)}, "Turkey is in Europe here"
    assert at("geo", TOKYO) == {("192.0.2.3",)}
    assert at("only", TOKYO) == {("192.0.2.4",)}
    assert at("only", BERKELEY) == {()}, "no match is no answer, and no NXDOMAIN either"


def test_trap_21_a_client_subnet_shorter_than_the_block_does_not_match(route53, zone):
    made = route53.create_cidr_collection(Name=reference(), CallerReference=reference())
    collection = made["Collection"]["Id"]
    office = {"LocationName": "office", "Action": "PUT", "CidrList": ["198.18.4.0/24"]}
    route53.change_cidr_collection(Id=collection, Changes=[office])

    def routed(value, location, collection=collection):
        config = {"CollectionId": collection, "LocationName": location}
        policy = {"SetIdentifier": value, "CidrRoutingConfig": config}
        return rrset(f"cidr.{zone.name}", "A", value, **policy)

    make(zone, routed("192.0.2.1", "office"), routed("192.0.2.9", "*"))
    for bits, expected in [("24", "192.0.2.1"), ("32", "192.0.2.1"), ("22", "192.0.2.9")]:
        client = {"EDNS0ClientSubnetIP": "198.18.4.7", "EDNS0ClientSubnetMask": bits}
        assert answers(zone, "cidr", rounds=3, **client) == {(expected,)}, bits

    everything = {"LocationName": "all", "Action": "PUT", "CidrList": ["0.0.0.0/0"]}
    code, _ = refusal(lambda: route53.change_cidr_collection(Id=collection, Changes=[everything]))
    assert code == "InvalidInput", "everybody is the location *"

    other = route53.create_cidr_collection(Name=reference(), CallerReference=reference())
    other = other["Collection"]["Id"]
    mixed = change("CREATE", routed("192.0.2.2", "*", other))
    assert refusal(lambda: zone.change(mixed))[0] == "InvalidChangeBatch", "one collection each"


def test_trap_22_bias_multiplies_one_way_and_divides_the_other(zone):
    # From Germany the first is about 200 km away, the second about 700.
    near, far = ("51.00", "13.00"), ("51.00", "20.00")
    for name, biases, expected in [
        ("plain", (0, 0), "192.0.2.1"),
        # 700 × 0.1 < 200; divided by 1.9 it would not be.
        ("closer", (0, 90), "192.0.2.2"),
        # 200 / 0.1 > 700; multiplied by 1.9 it would not be.
        ("further", (-90, 0), "192.0.2.2"),
        # 200 / 0.01 = 20,000 > 700 / 0.1 = 7,000.
        ("furthest", (-99, -90), "192.0.2.2"),
    ]:
        sets = []
        for value, place, bias in zip(("192.0.2.1", "192.0.2.2"), (near, far), biases):
            latitude, longitude = place
            location = {"Coordinates": {"Latitude": latitude, "Longitude": longitude}}
            location |= {"Bias": bias} if bias else {}
            policy = {"SetIdentifier": value, "GeoProximityLocation": location}
            sets.append(rrset(f"{name}.{zone.name}", "A", value, **policy))
        make(zone, *sets)
        assert answers(zone, name, rounds=3, ResolverIP=BERLIN) == {(expected,)}, name


def test_trap_23_disabled_is_healthy_and_a_new_inverted_check_is_not(zone, checks):
    for name, check, healthy in [
        ("disabled", "up", True),
        ("inverted-too", "down", False),
        ("unprobed", "new", True),
        ("unprobed-inverted", "new inverted", False),
    ]:
        make(
            zone,
            rrset(f"{name}.{zone.name}", "A", "192.0.2.1", SetIdentifier="p", Failover="PRIMARY")
            | checks[check],
            rrset(f"{name}.{zone.name}", "A", "192.0.2.2", SetIdentifier="s", Failover="SECONDARY"),
        )
        expected = "192.0.2.1" if healthy else "192.0.2.2"
        assert answers(zone, name, rounds=3) == {(expected,)}, name
