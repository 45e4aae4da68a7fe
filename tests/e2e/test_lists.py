"""ListResourceRecordSets: order, pages, escapes, and every field echoed as it came."""

import pytest

from harness import Zone, alias, change, create, refusal, rrset


def names(sets):
    return [s["Name"] for s in sets]


def test_hyphen_sorts_before_dot(zone):
    """Reversed names are compared as bytes with their dots: `a-x` comes before `a` and `c.a`."""
    n = zone.name
    wanted = ["a-x", "a", "c.a", r"\052", "_u", "b"]
    # As escaped text `\052` begins with a backslash: after capitals and digits, before `_`.
    order = sorted(
        (f"{label}.{n}" for label in wanted),
        key=lambda name: ".".join(reversed(name.rstrip(".").split("."))) + ".",
    )
    zone.send(*(create(f"{label}.{n}", "A", "192.0.2.1") for label in wanted))
    assert names(zone.sets(own=True)) == order
    assert order.index(f"a-x.{n}") < order.index(f"a.{n}") < order.index(f"c.a.{n}")


def test_types_and_identifiers_sort_within_a_name(zone):
    n = f"a.{zone.name}"
    zone.send(
        create(n, "TXT", '"x"'),
        create(n, "AAAA", "2001:db8::1"),
        create(n, "MX", "1 m.example."),
        *(create(n, "A", "192.0.2.1", SetIdentifier=i, Weight=1) for i in ("b", "a", "C", "a b")),
    )
    listed = [(s["Type"], s.get("SetIdentifier")) for s in zone.sets(own=True)]
    assert listed == [
        ("A", "C"),
        ("A", "a"),
        ("A", "a b"),
        ("A", "b"),
        ("AAAA", None),
        ("MX", None),
        ("TXT", None),
    ]


def test_pages_continue_at_the_first_unseen(zone):
    n = zone.name
    zone.send(
        *(create(f"{label}.{n}", "A", "192.0.2.1") for label in ("a-x", "a", "c.a", "*")),
        *(
            create(f"w.{n}", "A", "192.0.2.1", SetIdentifier=f"s/{i} {i}", Weight=1)
            for i in range(3)
        ),
    )
    everything = zone.sets()
    for size in (1, 2, 3, 300):
        seen, start = [], {}
        while True:
            page = zone.client.list_resource_record_sets(
                HostedZoneId=zone.id, MaxItems=str(size), **start
            )
            assert page["MaxItems"] == str(size) and len(page["ResourceRecordSets"]) <= size
            seen += page["ResourceRecordSets"]
            if not page["IsTruncated"]:
                assert "NextRecordName" not in page
                break
            following = everything[len(seen)]
            assert page["NextRecordName"] == following["Name"]
            assert page["NextRecordType"] == following["Type"]
            assert page.get("NextRecordIdentifier") == following.get("SetIdentifier")
            start = {
                "StartRecordName": page["NextRecordName"],
                "StartRecordType": page["NextRecordType"],
            } | (
                {"StartRecordIdentifier": page["NextRecordIdentifier"]}
                if "NextRecordIdentifier" in page
                else {}
            )
        assert seen == everything


def test_default_page_is_three_hundred(zone):
    zone.send(*(create(f"n{i:03}.{zone.name}", "A", "192.0.2.1") for i in range(301)))
    page = zone.client.list_resource_record_sets(HostedZoneId=zone.id)
    assert (len(page["ResourceRecordSets"]), page["MaxItems"], page["IsTruncated"]) == (
        300,
        "300",
        True,
    )
    assert len(zone.sets(own=True)) == 301


def test_start_is_a_position(zone):
    n = zone.name
    zone.send(
        create(f"b.{n}", "A", "192.0.2.1"),
        create(f"b.{n}", "TXT", '"x"'),
        create(f"d.{n}", "A", "192.0.2.1"),
    )

    def start(**parameters):
        page = zone.client.list_resource_record_sets(HostedZoneId=zone.id, **parameters)
        return [(s["Name"].removesuffix(f".{n}"), s["Type"]) for s in page["ResourceRecordSets"]]

    assert start(StartRecordName=f"b.{n}") == [("b", "A"), ("b", "TXT"), ("d", "A")]
    assert start(StartRecordName=f"B.{n}".rstrip(".")) == [("b", "A"), ("b", "TXT"), ("d", "A")]
    assert start(StartRecordName=f"b.{n}", StartRecordType="MX") == [("b", "TXT"), ("d", "A")]
    assert start(StartRecordName=f"c.{n}", StartRecordType="TXT") == [("d", "A")]
    assert start(StartRecordName=f"e.{n}") == []
    code, _ = refusal(
        lambda: zone.client.list_resource_record_sets(HostedZoneId=zone.id, StartRecordType="A")
    )
    assert code == "InvalidInput"


def test_what_is_wrong_with_a_start_is_told_before_the_zone_is_looked_for(route53):
    """A type without a name was NoSuchHostedZone, as if a better id would help."""
    for operation in (
        route53.list_resource_record_sets,
        route53.list_resource_record_set_protections,
    ):
        for start in ({"StartRecordType": "A"}, {"StartRecordName": "a..b"}):
            code, _ = refusal(lambda: operation(HostedZoneId="abcd", **start))
            assert code == "InvalidInput", start
        code, text = refusal(lambda: operation(HostedZoneId="abcd", StartRecordName="a"))
        assert (code, text) == ("NoSuchHostedZone", "No hosted zone found with ID: abcd")


def test_one_record_by_name_type_and_one_item(zone):
    """How Terraform reads a wildcard back."""
    n = zone.name
    zone.send(create(f"*.{n}", "A", "192.0.2.1"), create(f"a.{n}", "A", "192.0.2.1"))
    for asked in (f"*.{n}", rf"\052.{n}"):
        page = zone.client.list_resource_record_sets(
            HostedZoneId=zone.id, StartRecordName=asked, StartRecordType="A", MaxItems="1"
        )
        assert names(page["ResourceRecordSets"]) == [rf"\052.{n}"]


@pytest.mark.parametrize(
    ("sent", "listed"),
    [
        ("*", r"\052"),
        (r"\052", r"\052"),
        ("@", r"\100"),
        (r"\100", r"\100"),
        ("x.*.c", r"x.\052.c"),
        ("MiXeD", "mixed"),
        ("_acme-challenge", "_acme-challenge"),
        (r"sp\040ace", r"sp\040ace"),
        (r"\141\142", "ab"),
        (r"do\056t", r"do\056t"),
        (r"back\134slash", r"back\134slash"),
        (r"h\344user", r"h\344user"),
        ("a!b", r"a\041b"),
    ],
)
def test_escapes_go_there_and_back(zone, sent, listed):
    zone.send(create(f"{sent}.{zone.name}", "TXT", '"there"'))
    (set_,) = zone.sets(own=True)
    assert set_["Name"] == f"{listed}.{zone.name}"
    zone.send(change("DELETE", set_))
    assert zone.sets(own=True) == []


def test_an_unescaped_character_is_named(zone):
    code, text = zone.refused(create(f"a b.{zone.name}", "A", "192.0.2.1"))
    assert (code, text) == (
        "InvalidChangeBatch",
        "[FATAL problem: UnsupportedCharacter (Value contains unsupported characters) encountered "
        "with ' ']",
    )


@pytest.mark.parametrize("name", ["a b", "a..b", "é", f"{'x' * 64}"])
def test_impossible_names_are_refused(zone, name):
    code, text = zone.refused(create(f"{name}.{zone.name}", "A", "192.0.2.1"))
    assert code in ("InvalidChangeBatch", "InvalidInput") and text


def group(name, rtype, *members):
    return [
        rrset(name, rtype, f"192.0.2.{i}", SetIdentifier=f"id {i}", **m)
        for i, m in enumerate(members)
    ]


def every_policy(zone):
    """One group of sets for each routing policy, with every field in all its forms."""
    n = zone.name
    return [
        *group(f"weighted.{n}", "A", {"Weight": 0}, {"Weight": 255}, {"Weight": 1}),
        *group(f"latency.{n}", "A", {"Region": "eu-west-1"}, {"Region": "ap-southeast-7"}),
        *group(f"failover.{n}", "A", {"Failover": "PRIMARY"}, {"Failover": "SECONDARY"}),
        *group(
            f"geo.{n}",
            "A",
            {"GeoLocation": {"CountryCode": "*"}},
            {"GeoLocation": {"ContinentCode": "EU"}},
            {"GeoLocation": {"CountryCode": "DE"}},
            {"GeoLocation": {"CountryCode": "US"}},
            {"GeoLocation": {"CountryCode": "US", "SubdivisionCode": "CA"}},
        ),
        *group(f"multi.{n}", "A", {"MultiValueAnswer": True}, {"MultiValueAnswer": True}),
        *group(
            f"proximity.{n}",
            "A",
            {"GeoProximityLocation": {"AWSRegion": "us-east-1", "Bias": -99}},
            {"GeoProximityLocation": {"Coordinates": {"Latitude": "-12.5", "Longitude": "130.85"}}},
            {
                "GeoProximityLocation": {
                    "Coordinates": {"Latitude": "49.22", "Longitude": "-74.01"},
                    "Bias": 99,
                }
            },
            {"GeoProximityLocation": {"LocalZoneGroup": "us-west-2-den-1", "Bias": 0}},
        ),
        rrset(f"target.{n}", "A", "192.0.2.1"),
        alias(f"alias.{n}", f"target.{n}", zone.id),
        alias(f"healthy.{n}", f"target.{n}", zone.id, evaluate=True),
        alias(n, f"alias.{n}", zone.id),
        alias(f"both.{n}", f"target.{n}", zone.id, evaluate=True, SetIdentifier="a", Weight=3),
        rrset(f"both.{n}", "A", "192.0.2.1", ttl=300, SetIdentifier="b", Weight=4),
        alias(
            f"branch.{n}",
            f"weighted.{n}",
            zone.id,
            evaluate=True,
            SetIdentifier="e",
            Failover="PRIMARY",
        ),
        rrset(f"branch.{n}", "A", "192.0.2.1", SetIdentifier="f", Failover="SECONDARY"),
    ]


def key(set_):
    return set_["Name"], set_["Type"], set_.get("SetIdentifier", "")


def test_every_field_is_echoed_as_it_came(zone):
    sent = every_policy(zone)
    zone.send(*(change("CREATE", set_) for set_ in sent))
    listed = zone.sets(own=True)
    assert sorted(listed, key=key) == sorted(sent, key=key)
    # What is listed can be sent back: as UPSERT it changes nothing, as DELETE it removes.
    zone.send(*(change("UPSERT", set_) for set_ in listed))
    assert zone.sets(own=True) == listed
    zone.send(*(change("DELETE", set_) for set_ in listed))
    assert zone.sets(own=True) == []


def test_fields_survive_a_restart(start):
    server = start()
    zone = Zone(server.client(), "restart.example.")
    sent = every_policy(zone)
    zone.send(*(change("CREATE", set_) for set_ in sent))
    before = zone.sets()
    server.stop()
    server.start()
    assert zone.sets() == before


def test_unknown_health_check(zone):
    missing = "01234567-89ab-cdef-0123-456789abcdef"
    for set_ in (
        rrset(f"a.{zone.name}", "A", "192.0.2.1", HealthCheckId=missing),
        rrset(
            f"a.{zone.name}", "A", "192.0.2.1", HealthCheckId=missing, SetIdentifier="x", Weight=1
        ),
    ):
        code, text = zone.refused(change("CREATE", set_))
        assert code in ("NoSuchHealthCheck", "InvalidChangeBatch")
        assert f"A health check with id {missing} does not exist." in text


def test_unknown_cidr_collection(zone):
    config = {"CollectionId": "01234567-89ab-cdef-0123-456789abcdef", "LocationName": "*"}
    set_ = rrset(f"a.{zone.name}", "A", "192.0.2.1", SetIdentifier="x", CidrRoutingConfig=config)
    code, _ = zone.refused(change("CREATE", set_))
    assert code in ("NoSuchCidrCollectionException", "InvalidChangeBatch", "InvalidInput")


@pytest.mark.parametrize(
    "fields",
    [
        {"Weight": 1},
        {"SetIdentifier": "x"},
        {"SetIdentifier": "x", "Weight": 1, "Region": "eu-west-1"},
        {"SetIdentifier": "x", "Failover": "PRIMARY", "MultiValueAnswer": True},
        {"SetIdentifier": "x", "GeoLocation": {"ContinentCode": "EU", "CountryCode": "DE"}},
        {"SetIdentifier": "x", "GeoLocation": {"CountryCode": "BV"}},
        {"SetIdentifier": "x", "GeoLocation": {"SubdivisionCode": "CA"}},
        {"SetIdentifier": "x", "GeoLocation": {}},
        {"SetIdentifier": "x", "GeoProximityLocation": {}},
        {
            "SetIdentifier": "x",
            "GeoProximityLocation": {"AWSRegion": "us-east-1", "LocalZoneGroup": "us-west-2-den-1"},
        },
        {
            "SetIdentifier": "x",
            "GeoProximityLocation": {"Coordinates": {"Latitude": "91", "Longitude": "0"}},
        },
    ],
)
def test_policies_that_make_no_sense_are_refused(zone, fields):
    code, text = zone.refused(create(f"a.{zone.name}", "A", "192.0.2.1", **fields))
    assert code in ("InvalidInput", "InvalidChangeBatch") and text


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"Region": "eu-west-1"}, {"Region": "eu-west-1"}),
        ({"Failover": "PRIMARY"}, {"Failover": "PRIMARY"}),
        ({"GeoLocation": {"CountryCode": "DE"}}, {"GeoLocation": {"CountryCode": "DE"}}),
        ({"Weight": 1}, {"Region": "eu-west-1"}),
        ({"MultiValueAnswer": True}, {"Failover": "SECONDARY"}),
    ],
)
def test_members_of_a_group_must_fit_each_other(zone, first, second):
    name = f"a.{zone.name}"
    zone.send(create(name, "A", "192.0.2.1", SetIdentifier="1", **first))
    code, text = zone.refused(create(name, "A", "192.0.2.2", SetIdentifier="2", **second))
    assert code == "InvalidChangeBatch" and text


def test_alias_loops_are_refused(zone):
    n = zone.name
    code, _ = zone.refused(change("CREATE", alias(f"a.{n}", f"a.{n}", zone.id)))
    assert code == "InvalidChangeBatch"
    code, _ = zone.refused(
        change("CREATE", alias(f"a.{n}", f"b.{n}", zone.id)),
        change("CREATE", alias(f"b.{n}", f"a.{n}", zone.id)),
    )
    assert code == "InvalidChangeBatch"
