"""ChangeResourceRecordSets: batches are all or nothing, and refusals use the texts clients match on.

The numbers are the rows of the table of texts that clients are known to match.
"""

import re

import pytest

from harness import Zone, alias, change, create, delete, rrset, upsert

BATCH = "InvalidChangeBatch"


def test_everything_or_nothing(zone, meridian):
    n = zone.name
    zone.change(create(f"keep.{n}", "A", "192.0.2.1"))
    code, text = zone.refused(
        create(f"new.{n}", "A", "192.0.2.2"),
        upsert(f"keep.{n}", "A", "192.0.2.3"),
        delete(f"missing.{n}", "A", "192.0.2.4"),
    )
    assert code == BATCH
    assert (
        text
        == f"[Tried to delete resource record set [name='missing.{n}', type='A'] but it was not found]"
    )
    assert meridian.values(f"keep.{n}") == {"192.0.2.1"}
    assert meridian.rcode(f"new.{n}") == "NXDOMAIN"


def test_all_errors_are_told(zone):
    n = zone.name
    code, text = zone.refused(
        delete(f"one.{n}", "A", "192.0.2.1"),
        create(n, "CNAME", "other.example."),
        create("out.example.org.", "A", "192.0.2.1"),
        create(f"bad.{n}", "A", "192.0.2.300"),
    )
    assert code == BATCH and text.startswith("[") and text.endswith("]")
    for part in (
        f"Tried to delete resource record set [name='one.{n}', type='A'] but it was not found",
        f"RRSet of type CNAME with DNS name {n} is not permitted at apex in zone {n}",
        f"RRSet with DNS name out.example.org. is not permitted in zone {n}",
        "ARRDATAIllegalIPv4Address",
    ):
        assert part in text


def test_a_change_may_have_several_errors(zone):
    n = zone.name
    zone.send(create(f"a.{n}", "A", "192.0.2.1"))
    wrong = "Invalid Resource Record: FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid "
    wrong += "IPv4 address) encountered with 'x'"
    for changes, first in (
        (
            [create(f"a.{n}", "A", "x")],
            f"Tried to create resource record set [name='a.{n}', type='A'] but it already exists",
        ),
        (
            [create("out.example.org.", "A", "x")],
            f"RRSet with DNS name out.example.org. is not permitted in zone {n}",
        ),
        (
            [create(f"b.{n}", "A", "192.0.2.1"), upsert(f"b.{n}", "A", "x")],
            "The request contains an invalid set of changes for a resource record set "
            f"'A b.{n}'",
        ),
    ):
        assert zone.refused(*changes) == (BATCH, f"[{first}, {wrong}]")


def test_row_1_create_existing(zone):
    zone.send(create(f"a.{zone.name}", "A", "192.0.2.1"))
    assert zone.refused(create(f"A.{zone.name}", "A", "192.0.2.2")) == (
        BATCH,
        f"[Tried to create resource record set [name='a.{zone.name}', type='A'] but it already exists]",
    )


def test_row_2_create_existing_with_identifier(zone):
    member = {"SetIdentifier": "Default", "Weight": 1}
    zone.send(create(f"a.{zone.name}", "A", "192.0.2.1", **member))
    assert zone.refused(create(f"a.{zone.name}", "A", "192.0.2.1", **member)) == (
        BATCH,
        f"[Tried to create resource record set [name='a.{zone.name}', type='A', "
        "set-identifier='Default'] but it already exists]",
    )


def test_row_3_delete_missing(zone):
    assert zone.refused(delete(f"*.{zone.name}", "TXT", '"x"')) == (
        BATCH,
        rf"[Tried to delete resource record set [name='\052.{zone.name}', type='TXT'] but it was not found]",
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"ttl": 301},
        {"values": ["192.0.2.1"]},
        {"values": ["192.0.2.1", "192.0.2.2", "192.0.2.3"]},
        {"values": ["192.0.2.1", "192.0.2.9"]},
    ],
)
def test_row_4_delete_must_repeat_everything(zone, wrong):
    name = f"a.{zone.name}"
    zone.send(create(name, "A", "192.0.2.1", "192.0.2.2"))
    values = wrong.get("values", ["192.0.2.2", "192.0.2.1"])
    assert zone.refused(delete(name, "A", *values, ttl=wrong.get("ttl", 300))) == (
        BATCH,
        f"[Tried to delete resource record set [name='{name}', type='A'] "
        "but the values provided do not match the current values]",
    )
    zone.send(delete(name, "A", "192.0.2.2", "192.0.2.1"))
    assert zone.sets(own=True) == []


def test_row_4_delete_must_repeat_the_policy(zone):
    name = f"a.{zone.name}"
    zone.send(create(name, "A", "192.0.2.1", SetIdentifier="x", Weight=1))
    code, text = zone.refused(delete(name, "A", "192.0.2.1", SetIdentifier="x", Weight=2))
    assert code == BATCH and "but the values provided do not match the current values" in text


def test_row_5_same_set_twice(zone):
    name = f"a.{zone.name}"
    code, text = zone.refused(create(name, "A", "192.0.2.1"), create(name, "A", "192.0.2.2"))
    assert code == BATCH
    assert (
        f"The request contains an invalid set of changes for a resource record set 'A {name}'"
        in text
    )
    zone.send(create(name, "A", "192.0.2.1"))
    code, text = zone.refused(delete(name, "A", "192.0.2.1"), delete(name, "A", "192.0.2.1"))
    assert code == BATCH and f"resource record set 'A {name}'" in text


def test_row_6_cname_at_apex(zone):
    assert zone.refused(create(zone.name, "CNAME", "other.example.")) == (
        BATCH,
        f"[RRSet of type CNAME with DNS name {zone.name} is not permitted at apex in zone {zone.name}]",
    )


def test_row_7_cname_beside_others(zone):
    name = f"a.{zone.name}"
    zone.send(create(name, "A", "192.0.2.1"))
    assert zone.refused(create(name, "CNAME", "other.example.")) == (
        BATCH,
        f"[RRSet of type CNAME with DNS name {name} is not permitted as it conflicts with other "
        f"records with the same DNS name in zone {zone.name}]",
    )


def test_row_8_others_beside_a_cname(zone):
    name = f"a.{zone.name}"
    zone.send(create(name, "CNAME", "other.example."))
    for rtype, value in (("A", "192.0.2.1"), ("TXT", '"x"'), ("CAA", '0 issue "ca.example"')):
        code, text = zone.refused(create(name, rtype, value))
        assert code == BATCH
        # AWS has sent one and two spaces before CNAME.
        assert re.sub(" +", " ", text) == (
            f"[RRSet of type {rtype} with DNS name {name} is not permitted because a conflicting "
            f"RRSet of type CNAME with the same DNS name already exists in zone {zone.name}]"
        )


def test_row_9_outside_the_zone(zone):
    for name in ("a.other.example.", f"x{zone.name}", "example."):
        assert zone.refused(create(name, "A", "192.0.2.1")) == (
            BATCH,
            f"[RRSet with DNS name {name} is not permitted in zone {zone.name}]",
        )


def test_row_10_policy_beside_simple(zone):
    name = f"a.{zone.name}"
    zone.send(create(name, "A", "192.0.2.1"))
    code, text = zone.refused(create(name, "A", "192.0.2.1", SetIdentifier="w", Weight=1))
    assert code == BATCH and text == (
        f"[RRSet with DNS name {name}, type A, SetIdentifier w cannot be created as a "
        "non-weighted set exists with the same name and type.]"
    )


def test_row_11_simple_beside_policy(zone):
    name = f"a.{zone.name}"
    zone.send(create(name, "A", "192.0.2.1", SetIdentifier="w", Weight=1))
    for action in ("CREATE", "UPSERT"):
        assert zone.refused(change(action, rrset(name, "A", "192.0.2.2"))) == (
            BATCH,
            f"[RRSet with DNS name {name}, type A cannot be created as other RRSets exist with "
            "the same name and type.]",
        )


def test_row_12_weighted_sets_share_a_ttl(zone):
    name = f"a.{zone.name}"
    zone.send(create(name, "A", "192.0.2.1", SetIdentifier="w1", Weight=1))
    code, text = zone.refused(create(name, "A", "192.0.2.1", ttl=60, SetIdentifier="w2", Weight=1))
    assert code == BATCH and text == (
        f"[RRSet with DNS name {name} and type A, SetIdentifier w2 cannot be created as weighted "
        "sets must contain the same TTL.]"
    )


def test_rows_13_and_14_alias_targets_must_exist(zone):
    n = zone.name
    code, text = zone.refused(change("CREATE", alias(f"a.{n}", f"missing.{n}", zone.id)))
    assert (code, text) == (
        BATCH,
        f"[Tried to create an alias that targets missing.{n}, type A in zone {zone.id}, "
        "but that target was not found]",
    )
    code, text = zone.refused(change("CREATE", alias(f"a.{n}", "b.other.example.", zone.id)))
    assert code == BATCH
    assert (
        f"Tried to create an alias that targets b.other.example., type A in zone {zone.id}, "
        "but the alias target name does not lie within the target zone"
    ) in text
    # The target may come with the same batch.
    zone.send(
        change("CREATE", alias(f"a.{n}", f"b.{n}", zone.id)), create(f"b.{n}", "A", "192.0.2.1")
    )


def test_row_15_exactly_one_soa(zone):
    soa = next(s for s in zone.sets() if s["Type"] == "SOA")
    code, text = zone.refused(change("DELETE", soa))
    assert code == BATCH and "A HostedZone must contain exactly one SOA record." in text
    other = soa["ResourceRecords"][0]["Value"]
    code, text = zone.refused(create(f"sub.{zone.name}", "SOA", other))
    assert code == BATCH and "A HostedZone must contain exactly one SOA record." in text


def test_row_16_apex_ns_stays(zone):
    ns = next(s for s in zone.sets() if s["Type"] == "NS")
    code, text = zone.refused(change("DELETE", ns))
    assert code == BATCH
    assert "A HostedZone must contain at least one NS record for the zone itself." in text


def many_values(count, first=0):
    return [f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}" for n in range(first, first + count)]


def test_row_17_a_thousand_records(zone):
    def sets(count, action):
        return [change(action, rrset(f"n{i}.{zone.name}", "A", "192.0.2.1")) for i in range(count)]

    for changes in (sets(1001, "CREATE"), sets(501, "UPSERT")):
        code, text = zone.refused(*changes)
        assert code == BATCH and "Number of records limit of 1000 exceeded." in text
    zone.send(*sets(1000, "CREATE"))
    assert len(zone.sets(own=True)) == 1000


def test_row_18_thirty_two_thousand_characters(zone):
    def texts(size, action):
        value = " ".join(f'"{"x" * 198}"' for _ in range(19))  # 200 each, 18 blanks: 3818
        count, rest = divmod(size, len(value))
        short = f'"{"y" * 198}"'
        values = [value] * count + [short] * (rest // len(short))
        return [
            change(action, rrset(f"t{i}.{zone.name}", "TXT", value))
            for i, value in enumerate(values)
        ]

    for changes in (texts(32_200, "CREATE"), texts(16_200, "UPSERT")):
        code, text = zone.refused(*changes)
        assert code == BATCH and "RDATA character limit of 32000 exceeded." in text
    zone.send(*texts(31_500, "CREATE"))


def test_row_20_four_hundred_values(zone):
    code, text = zone.refused(create(f"a.{zone.name}", "A", *many_values(401)))
    assert code == BATCH and "Cannot have more than 400 records in a RRSet." in text
    zone.send(create(f"a.{zone.name}", "A", *many_values(400)))


def test_row_21_duplicate_values(zone):
    code, text = zone.refused(create(f"a.{zone.name}", "A", "192.0.2.7", "192.0.2.7"))
    assert code == BATCH and "Duplicate Resource Record: '192.0.2.7'" in text


@pytest.mark.parametrize(
    ("rtype", "value", "problem"),
    [
        ("A", "192.0.2.256", "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
        ("A", "host.example.", "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
        (
            "TXT",
            "no quotes",
            "InvalidCharacterString (Value should be enclosed in quotation marks)",
        ),
        ("TXT", f'"{"x" * 256}"', "CharacterStringTooLong (Value is too long)"),
    ],
)
def test_row_22_bad_values(zone, rtype, value, problem):
    code, text = zone.refused(create(f"a.{zone.name}", rtype, value))
    assert code == BATCH
    assert f"Invalid Resource Record: FATAL problem: {problem} encountered with " in text.replace(
        "Record: 'FATAL", "Record: FATAL"
    )


@pytest.mark.parametrize(
    ("rtype", "value"),
    [
        ("AAAA", "2001:db8::g"),
        ("AAAA", "192.0.2.1"),
        ("CAA", "0 issue"),
        ("CAA", '256 issue "ca.example"'),
        ("CNAME", "a..b."),
        ("DS", "1 2 3 zz"),
        ("MX", "mail.example."),
        ("MX", "65536 mail.example."),
        ("NAPTR", '1 1 "u" "sip" replacement.'),
        ("NS", ""),
        ("PTR", "two names."),
        ("SRV", "1 2 mail.example."),
        ("SSHFP", "1 1 xyz"),
        ("SVCB", "1"),
        ("HTTPS", "1 . no-such-key=1"),
        ("TLSA", "3 1 1"),
    ],
)
def test_bad_values_of_all_types_are_refused(zone, rtype, value):
    code, text = zone.refused(create(f"a.{zone.name}", rtype, value))
    assert code in (BATCH, "InvalidInput") and text


WORDING = (
    "Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
    "TrafficPolicyInstanceId], but found {} in Change with "
    "[Action=CREATE, Name={}, Type=A, SetIdentifier=null]"
)


def test_row_23_neither_values_nor_alias(zone):
    for name in (f"A.{zone.name}", f"a.{zone.name}".rstrip(".")):
        for fields in ({}, {"TTL": 5}, {"ResourceRecords": [{"Value": "192.0.2.1"}]}):
            assert zone.refused(change("CREATE", {"Name": name, "Type": "A", **fields})) == (
                "InvalidInput",
                WORDING.format("none", name),
            )


def test_row_24_values_and_alias(zone):
    name = f"a.{zone.name}"
    both = alias(name, f"b.{zone.name}", zone.id) | rrset(name, "A", "192.0.2.1")
    assert zone.refused(change("CREATE", both)) == (
        "InvalidInput",
        WORDING.format("more than one", name),
    )


def test_order_matters_and_the_end_counts(zone, meridian):
    """DELETE of a CNAME and CREATE of an A at one name is a legal batch."""
    name = f"a.{zone.name}"
    zone.change(create(name, "CNAME", "other.example."))
    zone.change(delete(name, "CNAME", "other.example."), create(name, "A", "192.0.2.1"))
    assert meridian.values(name) == {"192.0.2.1"}
    assert [s["Type"] for s in zone.sets(own=True)] == ["A"]


def test_upsert_of_the_same_is_a_change_of_its_own(zone):
    first = zone.send(upsert(f"a.{zone.name}", "A", "192.0.2.1"))
    second = zone.send(upsert(f"a.{zone.name}", "A", "192.0.2.1"))
    assert first["Id"] != second["Id"]


def test_apex_soa_and_ns_can_be_upserted(zone, meridian):
    ns = [f"{n}." for n in zone.name_servers]
    zone.change(
        upsert(zone.name, "SOA", f"{ns[0]} me.example. 7 1 2 3 4", ttl=60),
        upsert(zone.name, "NS", *ns[:2], ttl=60),
    )
    (soa,) = meridian.ask(zone.name, "SOA").answer[0]
    assert str(soa.replace(serial=7)) == f"{ns[0]} me.example. 7 1 2 3 4"
    assert meridian.values(zone.name, "NS") == set(ns[:2])


def test_comment_of_a_batch_belongs_to_the_change(zone):
    info = zone.client.change_resource_record_sets(
        HostedZoneId=zone.id,
        ChangeBatch={
            "Comment": "why <this>",
            "Changes": [create(f"a.{zone.name}", "A", "192.0.2.1")],
        },
    )["ChangeInfo"]
    assert zone.client.get_change(Id=info["Id"])["ChangeInfo"]["Comment"] == "why <this>"


def test_quota_of_record_sets(meridian):
    """Row 19: a zone is full when its account's quota says so."""
    key = meridian.new_account("small")
    meridian.admin(
        "quota", "set", "--account", key.account, "MAX_RRSETS_BY_ZONE", "4", as_json=False
    )
    zone = Zone(meridian.client(key), "small.example.")
    zone.send(
        create("a.small.example.", "A", "192.0.2.1"), create("b.small.example.", "A", "192.0.2.1")
    )
    code, text = zone.refused(create("c.small.example.", "A", "192.0.2.1"))
    assert code == BATCH and f"Exceeded limit MAX_RRSETS_BY_ZONE for zone: {zone.id}" in text
    zone.send(upsert("b.small.example.", "A", "192.0.2.2"))
