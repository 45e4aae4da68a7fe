"""Protections: record sets that stay as they are until somebody lifts it."""

import botocore.exceptions
import pytest

from harness import Zone, change, create, delete, reference, refusal, rrset, upsert

MISSING = "Z00000000000000000000"
NO_ZONE = ("NoSuchHostedZone", f"No hosted zone found with ID: {MISSING}")
INVALID = "InvalidResourceRecordSetProtectionBatch"


def entry(name, rtype="A", comment=None):
    key = {"RecordName": name, "RecordType": rtype}
    return key | {"Comment": comment} if comment is not None else key


class Protections:
    def __init__(self, zone):
        self.zone, self.id, self.client = zone, zone.id, zone.client

    def create(self, *entries):
        answer = self.client.create_resource_record_set_protections(
            HostedZoneId=self.id, Protections=list(entries)
        )
        assert set(answer) == {"ResponseMetadata"}

    def delete(self, *entries):
        answer = self.client.delete_resource_record_set_protections(
            HostedZoneId=self.id, Protections=list(entries)
        )
        assert set(answer) == {"ResponseMetadata"}

    def page(self, **start):
        return self.client.list_resource_record_set_protections(HostedZoneId=self.id, **start)

    def list(self, **start):
        return self.page(**start)["ResourceRecordSetProtections"]

    def refused(self, call, *entries):
        """What must be refused and leave nothing: code, status, and code and name of each entry."""
        before = self.list()
        with pytest.raises(botocore.exceptions.ClientError) as caught:
            call(*entries)
        assert self.list() == before, "a refused request left something"
        response = caught.value.response
        assert response["Error"]["Message"]
        problems = response.get("Errors", [])
        assert all(problem["Message"] for problem in problems)
        return (
            response["Error"]["Code"],
            response["ResponseMetadata"]["HTTPStatusCode"],
            [(p["Code"], p["RecordName"], p["RecordType"]) for p in problems],
        )


@pytest.fixture
def protections(zone):
    return Protections(zone)


def test_what_is_protected_stays_as_it_is(zone, protections, meridian):
    n, www = zone.name, f"www.{zone.name}"
    zone.change(create(www, "A", "192.0.2.1"), create(www, "TXT", '"t"'))
    protections.create(entry(f"WWW.{n}", "A", "asked for by <ops> & co"), entry(f"new.{n}"))
    assert protections.list() == [
        {"RecordName": f"new.{n}", "RecordType": "A"},
        {"RecordName": www, "RecordType": "A", "Comment": "asked for by <ops> & co"},
    ]
    protected = (
        f"Tried to change resource record set [name='{www}', type='A'] but it is protected: "
        "asked for by <ops> & co"
    )
    unborn = f"Tried to change resource record set [name='new.{n}', type='A'] but it is protected"
    for changes, texts in (
        ([delete(www, "A", "192.0.2.1", ttl=300)], [protected]),
        ([upsert(www, "A", "192.0.2.1")], [protected]),
        ([upsert(www, "A", "192.0.2.2"), create(f"x.{n}", "A", "192.0.2.1")], [protected]),
        ([create(f"new.{n}", "A", "192.0.2.1")], [unborn]),
        (
            [
                delete(www, "A", "192.0.2.1"),
                create(www, "A", "192.0.2.2"),
                create(f"new.{n}", "A", "192.0.2.1"),
            ],
            [protected, unborn],
        ),
    ):
        code, text = zone.refused(*changes)
        assert (code, text) == ("InvalidChangeBatch", f"[{', '.join(texts)}]")
    zone.change(upsert(www, "TXT", '"other"'), create(f"new.{n}", "TXT", '"t"'))
    assert meridian.values(www) == {"192.0.2.1"}
    protections.delete(entry(www), entry(f"new.{n}"))
    zone.change(upsert(www, "A", "192.0.2.2"), create(f"new.{n}", "A", "192.0.2.3"))
    assert meridian.values(www) == {"192.0.2.2"}


def test_all_sets_of_a_policy_are_protected(zone, protections):
    name = f"w.{zone.name}"
    sets = {
        id: rrset(name, "A", "192.0.2.1", SetIdentifier=id, Weight=1) for id in ("one", "two", "x")
    }
    zone.send(change("CREATE", sets["one"]), change("CREATE", sets["two"]))
    protections.create(entry(name))
    code, text = zone.refused(change("DELETE", sets["one"]), change("CREATE", sets["x"]))
    assert code == "InvalidChangeBatch" and text.count("is protected") == 1


def test_wildcards_and_the_apex(zone, protections):
    wild = rf"\052.{zone.name}"
    protections.create(entry(f"*.{zone.name}"), entry(zone.name, "SOA"), entry(zone.name, "NS"))
    assert [(p["RecordName"], p["RecordType"]) for p in protections.list()] == [
        (zone.name, "NS"),
        (zone.name, "SOA"),
        (wild, "A"),
    ]
    code, text = zone.refused(create(f"*.{zone.name}", "A", "192.0.2.1"))
    assert code == "InvalidChangeBatch" and f"[name='{wild}', type='A']" in text
    zone.send(create(f"any.{zone.name}", "A", "192.0.2.1"))


def test_requests_are_whole_and_tell_what_is_wrong(zone, protections):
    n = zone.name
    a, b, c = (f"{letter}.{n}" for letter in "abc")
    protections.create(entry(a), entry(b))
    create, delete = protections.create, protections.delete
    invalid = [
        ("InvalidInput", "out.example", "A"),
        ("InvalidInput", f"a..{n}", "TXT"),
        ("InvalidInput", c.upper(), "A"),
    ]
    mixed = [entry(a), entry(c), *(entry(name, rtype) for _, name, rtype in invalid)]
    assert protections.refused(create, *mixed) == (INVALID, 400, invalid)
    exists = [("ProtectionAlreadyExists", a, "A"), ("ProtectionAlreadyExists", b, "A")]
    assert protections.refused(create, entry(a), entry(c), entry(b)) == (INVALID, 400, exists)
    assert protections.refused(create, entry(a), entry(b)) == (
        "ProtectionAlreadyExists",
        409,
        exists,
    )
    missing = [("ProtectionNotFound", c, "A"), ("ProtectionNotFound", a, "TXT")]
    lifted = [entry(a), entry(c), entry(a, "TXT")]
    assert protections.refused(delete, *lifted) == (INVALID, 400, missing)
    assert protections.refused(delete, *mixed) == (INVALID, 400, invalid)
    code, text = refusal(lambda: create(entry(a)))
    assert text == "Everything that the request would protect is protected already."
    code, text = refusal(lambda: delete(entry(c), entry(a, "TXT")))
    assert text == "No protection was created or deleted, because of 2 entries of the request."


def test_what_is_no_request(zone, protections):
    create, delete = protections.create, protections.delete
    many = [entry(f"{number}.{zone.name}") for number in range(101)]
    for call in (create, delete):
        for entries in (many, [entry("x" * 1025)], [entry(zone.name, "DNAME")]):
            assert protections.refused(call, *entries) == ("InvalidInput", 400, [])
    long = entry(zone.name, "A", "x" * 257)
    assert protections.refused(create, long) == ("InvalidInput", 400, [])
    create(*many[:100])
    delete(*many[:100])
    create(entry(zone.name, "A", "x" * 256), entry(zone.name, "AAAA", ""))
    assert [p.get("Comment") for p in protections.list()] == ["x" * 256, None]


def test_as_many_as_the_operator_says(meridian):
    key = meridian.new_account("protector")
    zone = Zone(meridian.client(key), "protected.example")
    protections = Protections(zone)
    limit = ["quota", "set", "--account", key.account, "MAX_RRSET_PROTECTIONS_BY_ZONE"]
    meridian.admin(*limit, "2")
    n = zone.name
    protections.create(entry(n))
    refused = protections.refused(protections.create, entry(f"a.{n}"), entry(f"b.{n}"))
    assert refused == ("LimitsExceeded", 400, [])
    protections.create(entry(f"a.{n}"))
    meridian.admin(*limit, "3")
    protections.create(entry(f"b.{n}"))
    rows = meridian.admin("quota", "list", "--account", key.account)
    row = next(row for row in rows if row["quota"] == "MAX_RRSET_PROTECTIONS_BY_ZONE")
    assert (row["used"], row["used_by"], row["limit"]) == (3, zone.id, 3)


def test_a_zone_with_protections_cannot_be_deleted(zone, protections):
    protections.create(entry(f"a.{zone.name}"))
    code, text = refusal(lambda: zone.client.delete_hosted_zone(Id=zone.id))
    assert code == "HostedZoneNotEmpty" and "protections" in text
    protections.delete(entry(f"a.{zone.name}"))
    zone.client.delete_hosted_zone(Id=zone.id)


def test_pages_go_on_where_the_last_one_ended(zone, protections, route53):
    n = zone.name
    names = [f"{label}.{n}" for label in ("a-x", "a", "c.a", "b")]
    protections.create(*(entry(name, rtype) for name in names for rtype in ("TXT", "A")))
    everything = protections.list()
    assert [(p["RecordName"], p["RecordType"]) for p in everything] == [
        (name, rtype) for name in names for rtype in ("A", "TXT")
    ], "in the order of record sets"
    for size in ("1", "3", "8", "301"):
        pages = route53.get_paginator("list_resource_record_set_protections").paginate(
            HostedZoneId=zone.id, PaginationConfig={"PageSize": int(size)}
        )
        assert [p for page in pages for p in page["ResourceRecordSetProtections"]] == everything
    assert protections.list(StartRecordName=f"a.{n}") == everything[2:]
    assert protections.list(StartRecordName=f"A.{n}", StartRecordType="TXT") == everything[3:]
    assert protections.list(StartRecordName=f"b.{n}", StartRecordType="TXT") == everything[7:]
    assert protections.list(StartRecordName="zz.") == []
    page = protections.page(MaxResults="2")
    assert page["ResourceRecordSetProtections"] == everything[:2]
    token = page["NextToken"]
    ignored = {"StartRecordName": f"b.{n}", "StartRecordType": "TXT"}
    page = protections.page(MaxResults="6", NextToken=token, **ignored)
    assert page["ResourceRecordSetProtections"] == everything[2:] and "NextToken" not in page
    # The one that it names may be gone by then.
    protections.delete(entry(names[1], "A"))
    assert protections.list(NextToken=token) == everything[3:]


def test_lists_are_refused(zone, protections):
    for start, code in (
        ({"StartRecordType": "A"}, "InvalidInput"),
        ({"StartRecordName": "a..b"}, "InvalidInput"),
        ({"StartRecordName": "x" * 1025}, "InvalidInput"),
        ({"StartRecordName": "a", "StartRecordType": "DNAME"}, "InvalidInput"),
        ({"MaxResults": "0"}, "InvalidInput"),
        ({"NextToken": "x" * 1025}, "InvalidInput"),
        ({"NextToken": "made up"}, "InvalidPaginationToken"),
        ({"NextToken": "00ff"}, "InvalidPaginationToken"),
    ):
        assert refusal(lambda start=start: protections.page(**start))[0] == code, start
    other = Protections(Zone(zone.client, "other-pages.example"))
    other.create(entry(other.zone.name, "A"), entry(other.zone.name, "TXT"))
    token = other.page(MaxResults="1")["NextToken"]
    code, text = refusal(lambda: protections.page(NextToken=token))
    assert (code, text) == (
        "InvalidPaginationToken",
        "The pagination token is not one that this list gave out.",
    ), "another zone's token"


def test_nobody_protects_what_is_not_theirs(zone, protections, meridian):
    protections.create(entry(zone.name, "A", "mine"))
    stranger = Protections(zone)
    stranger.client = meridian.client(meridian.new_account(f"protector-{reference()}"))
    calls = [
        lambda: stranger.create(entry(zone.name, "TXT")),
        lambda: stranger.delete(entry(zone.name)),
        stranger.list,
    ]
    for call in calls:
        code, text = refusal(call)
        assert (code, text.replace(zone.id, MISSING)) == NO_ZONE
    stranger.id = MISSING
    for call in calls:
        assert refusal(call) == NO_ZONE
    assert protections.list() == [entry(zone.name, "A", "mine")]


def test_protections_outlive_a_restart(start):
    server = start()
    zone = Zone(server.client(), "kept.example")
    protections = Protections(zone)
    protections.create(entry(zone.name, "A", "kept"))
    server.kill()
    server.start()
    assert protections.list() == [entry(zone.name, "A", "kept")]
    code, _ = zone.refused(create(zone.name, "A", "192.0.2.1"))
    assert code == "InvalidChangeBatch"
    assert server.admin("journal", "verify")["valid"]
