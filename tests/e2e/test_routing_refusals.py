"""What record sets with routing fields may not be: every combination that makes no sense, by boto3.

Each case is one batch at a name of its own, after what it needs was made; it must be refused with
Route 53's code and, where its text is known, in that text. Where the text is not known it must name
what is wrong. botocore's own checks are off: they would keep some of it from the server.
"""

import itertools

import pytest

from harness import Zone, change, reference, refusal

INPUT, BATCH = "InvalidInput", "InvalidChangeBatch"
NOBODYS = "00000000-0000-4000-8000-000000000000"
KINDS = ("Weight", "Region", "Failover", "GeoLocation", "GeoProximityLocation",
         "MultiValueAnswer", "CidrRoutingConfig")
# The words of the fields in the one sentence about groups that is known, and its like.
POLICY = dict(zip(KINDS, ("weighted", "latency", "failover", "geolocation", "geoproximity",
                          "multivalue", "cidr")))


def cidr(location, collection="{collection}"):
    return {"CollectionId": collection, "LocationName": location}


def point(latitude, longitude, **bias):
    return {"Coordinates": {"Latitude": latitude, "Longitude": longitude}, **bias}


# Two values of each field that stand beside each other.
FIRST = dict(zip(KINDS, (
    1, "eu-west-1", "PRIMARY", {"CountryCode": "DE"}, {"AWSRegion": "eu-west-1"}, True,
    cidr("office"),
)))
SECOND = dict(zip(KINDS, (
    2, "us-east-1", "SECONDARY", {"CountryCode": "FR"}, point("50", "8"), True, cidr("*"),
)))


class Case:
    """One batch: what is there before it, what it writes, and the refusal.

    `said` is the whole text, or the words that it must have. `{name}`, `{zone}` and so on stand for
    what is known only when the case is run.
    """

    def __init__(self, title, code, said, *sets, given=(), action="CREATE", name="{name}"):
        self.title, self.code, self.said = title, code, said
        self.sets = [{"Name": name, **each} for each in sets]
        self.given = [{"Name": name, **each} for each in given]
        self.action = action


def records(rtype="A", value="192.0.2.1", ttl=60, **fields):
    return {"Type": rtype, "TTL": ttl, "ResourceRecords": [{"Value": value}], **fields}


def routed(identifier, rtype="A", value="192.0.2.1", ttl=60, **fields):
    return records(rtype, value, ttl, SetIdentifier=identifier, **fields)


def alias(target="{target}", rtype="A", zone="{zone}", evaluate=False, **fields):
    aimed = {"HostedZoneId": zone, "DNSName": target, "EvaluateTargetHealth": evaluate}
    return {"Type": rtype, "AliasTarget": aimed, **fields}


def changed(rtype="A", identifier="null", action="CREATE"):
    return f"Change with [Action={action}, Name={{name}}, Type={rtype}, SetIdentifier={identifier}]"


def exactly_one(of, found, where):
    return f"Invalid request: Expected exactly one of {of}, but found {found} in {where}"


ANY_POLICY = ("[Weight, Region, Failover, GeoLocation, MultiValueAnswer, CidrRoutingConfig, or "
              "GeoProximityLocation]")
ANY_DATA = "[AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId]"
SET = "RRSet with DNS name {name}, type A, SetIdentifier b cannot be created as"


def fields_that_exclude_each_other():
    """More than one policy in a set, none with an identifier, one without."""
    for one, other in itertools.combinations(KINDS, 2):
        both = {one: FIRST[one], other: FIRST[other]}
        several = exactly_one(ANY_POLICY, "more than one", changed(identifier="a"))
        yield Case(f"{one} and {other}", INPUT, several, routed("a", **both))
        unnamed = exactly_one(ANY_POLICY, "more than one", changed())
        yield Case(f"{one} and {other} without an identifier", INPUT, unnamed, records(**both))
    yield Case("all of them", INPUT, several, routed("a", **FIRST))
    for kind in KINDS:
        missing = f"Invalid request: Missing field 'SetIdentifier' in {changed()}"
        yield Case(f"{kind} without an identifier", INPUT, missing, records(**{kind: FIRST[kind]}))
        yield Case(f"alias with {kind} without an identifier", INPUT,
                   ("SetIdentifier",) if kind != "MultiValueAnswer" else (),
                   alias(**{kind: FIRST[kind]}))
    none = exactly_one(ANY_POLICY, "none", changed(identifier="a"))
    yield Case("an identifier alone", INPUT, none, routed("a"))
    yield Case("an identifier of an alias alone", INPUT, none, alias(SetIdentifier="a"))
    yield Case("no multivalue", INPUT, none, routed("a", MultiValueAnswer=False))


def data_that_excludes_itself():
    """An alias beside values, and neither."""
    several, none = (exactly_one(ANY_DATA, found, changed(identifier="a"))
                     for found in ("more than one", "none"))
    weighted = {"SetIdentifier": "a", "Weight": 1}
    values = [{"Value": "192.0.2.1"}]
    instance = {"TrafficPolicyInstanceId": NOBODYS}
    for title, text, set_ in [
        ("alias with TTL", several, alias(TTL=60, **weighted)),
        ("alias with values", several, alias(ResourceRecords=values, **weighted)),
        ("alias with TTL and values", several, alias(TTL=60, ResourceRecords=values, **weighted)),
        ("a TTL alone", none, {"Type": "A", "TTL": 60, **weighted}),
        ("values alone", none, {"Type": "A", "ResourceRecords": values, **weighted}),
        ("no data", none, {"Type": "A", **weighted}),
        ("instance and values", several, routed("a", Weight=1, **instance)),
        ("instance and alias", several, alias(**weighted, **instance)),
    ]:
        yield Case(title, INPUT, text, set_)


def types_that_are_not_routed():
    data = {"NS": "ns.example.", "DS": "1 13 2 " + "0" * 64,
            "SOA": "ns.example. host.example. 1 2 3 4 5"}
    for kind, rtype in itertools.product(KINDS, data):
        yield Case(f"{kind} of {rtype}", INPUT, (rtype, "simple"),
                   routed("a", rtype, data[rtype], **{kind: FIRST[kind]}))
    multi = {"SetIdentifier": "a", "MultiValueAnswer": True}
    yield Case("multivalue alias", INPUT, ("MultiValueAnswer", "AliasTarget"), alias(**multi))
    yield Case("multivalue CNAME", INPUT, ("MultiValueAnswer", "CNAME"),
               records("CNAME", "t.example.", **multi))
    for rtype in ("NS", "SOA"):
        yield Case(f"alias of type {rtype}", INPUT, ("AliasTarget", rtype), alias(rtype=rtype))


def groups_of_several_kinds():
    """A name and type has one policy, whichever is there first."""
    for kind in KINDS:
        set_ = routed("b", **{kind: FIRST[kind]})
        beside = f"[{SET} a non-{POLICY[kind]} set exists with the same name and type.]"
        lone = ("[RRSet with DNS name {name}, type A cannot be created as other RRSets exist with "
                "the same name and type.]")
        yield Case(f"{kind} beside simple", BATCH, beside, set_, given=[records()])
        yield Case(f"{kind} after simple in a batch", BATCH, beside, records(), set_)
        yield Case(f"simple beside {kind}", BATCH, lone, records(), given=[set_])
        yield Case(f"simple alias beside {kind}", BATCH, lone, alias(), given=[set_])
        yield Case(f"simple after {kind} in a batch", BATCH, lone, set_, records())
        yield Case(f"UPSERT of simple beside {kind}", BATCH, lone, records(), given=[set_],
                   action="UPSERT")
    for old, new in itertools.permutations(KINDS, 2):
        yield Case(f"{new} beside {old}", BATCH,
                   f"[{SET} a non-{POLICY[new]} set exists with the same name and type.]",
                   routed("b", **{new: SECOND[new]}), given=[routed("a", **{old: FIRST[old]})])


def duplicates():
    """Members of a group that are not to be told apart, or do not agree."""
    def twice(title, words, one, other=None, **rest):
        sets = [routed("a", **one), routed("b", value="192.0.2.2", **(other or one))]
        yield Case(title, BATCH, words, sets[1], given=sets[:1], **rest)
        yield Case(f"{title} in a batch", BATCH, words, *sets, **rest)

    for kind, words in [
        ("Region", ("SetIdentifier b", "region eu-west-1")),
        ("Failover", ("SetIdentifier b", "PRIMARY")),
        ("GeoLocation", ("SetIdentifier b", "geolocation")),
        ("CidrRoutingConfig", ("SetIdentifier b", "CIDR location")),
        ("GeoProximityLocation", ("SetIdentifier b", "geoproximity location")),
    ]:
        yield from twice(f"{kind} twice", words, {kind: FIRST[kind]})
    for place in ({"CountryCode": "*"}, {"ContinentCode": "EU"},
                  {"CountryCode": "US", "SubdivisionCode": "CA"}):
        yield from twice(f"{place} twice", ("geolocation",), {"GeoLocation": place})
    yield from twice("everybody twice", ("CIDR location",), {"CidrRoutingConfig": cidr("*")})
    yield from twice("a secondary twice", ("SECONDARY",), {"Failover": "SECONDARY"})
    yield from twice("the same point otherwise spelt", ("geoproximity location",),
                     {"GeoProximityLocation": point("50", "8.5")},
                     {"GeoProximityLocation": point("+50.00", "8.50", Bias=5)})
    yield from twice("two collections", ("CIDR collection",), {"CidrRoutingConfig": cidr("*")},
                     {"CidrRoutingConfig": cidr("lab", "{second}")})
    yield Case("an UPSERT into the region of another", BATCH, ("region eu-west-1",),
               routed("b", Region="eu-west-1"), action="UPSERT",
               given=[routed("a", Region="eu-west-1"), routed("b", Region="us-east-1")])
    for kind in KINDS:
        one = routed("a", **{kind: FIRST[kind]})
        exists = ("[Tried to create resource record set [name='{name}', type='A', "
                  "set-identifier='a'] but it already exists]")
        yield Case(f"the identifier of a {kind} twice", BATCH, exists,
                   routed("a", **{kind: SECOND[kind]}), given=[one])
        again = ("[The request contains an invalid set of changes for a resource record set "
                 "'A {name}']")
        yield Case(f"the identifier of a {kind} twice in a batch", BATCH, again, one, one)
    yield Case("weighted TTLs differ", BATCH,
               "[RRSet with DNS name {name} and type A, SetIdentifier b cannot be created as "
               "weighted sets must contain the same TTL.]",
               routed("b", Weight=1, ttl=61), given=[routed("a", Weight=1)])


def values_out_of_range():
    def schema(title, part, set_):
        return Case(title, INPUT, ("Invalid XML ; cvc-", part), set_)

    for weight, part in [(-1, "minInclusive '0'"), (256, "maxInclusive '255'"), ("x", "integer"),
                         (1.5, "integer")]:
        yield schema(f"Weight {weight}", part, routed("a", Weight=weight))
    for region in ("mars-1", "EU-WEST-1", "eu-west-9"):
        yield schema(f"Region {region}", "us-east-1, ", routed("a", Region=region))
    for role in ("THIRD", "primary"):
        yield schema(f"Failover {role}", "[PRIMARY, SECONDARY]", routed("a", Failover=role))
    for bias, part in [(100, "maxInclusive '99'"), (-100, "minInclusive '-99'")]:
        place = {"AWSRegion": "eu-west-1", "Bias": bias}
        yield schema(f"Bias {bias}", part, routed("a", GeoProximityLocation=place))
    for latitude, longitude, part in [
        ("north", "8", "Latitude"), ("50.123", "8", "Latitude"), ("123", "8", "Latitude"),
        ("50", "8.555", "Longitude"), ("50", "1800", "Longitude"), ("50", "east", "Longitude"),
        ("", "8", "Latitude"), ("50", "", "Longitude"),
    ]:
        place = point(latitude, longitude)
        yield schema(f"at {latitude}, {longitude}", part, routed("a", GeoProximityLocation=place))
    for latitude, longitude, part in [("91", "8", "Latitude"), ("-90.01", "8", "Latitude"),
                                      ("50", "180.01", "Longitude"), ("50", "-181", "Longitude")]:
        yield Case(f"beyond the poles: {latitude}, {longitude}", INPUT, (part,),
                   routed("a", GeoProximityLocation=point(latitude, longitude)))
    for place, part in [
        ({}, "AWSRegion"), ({"Bias": 5}, "AWSRegion"),
        ({"Coordinates": {"Latitude": "50"}}, "Longitude"),
        ({"Coordinates": {"Longitude": "8"}}, "Latitude"),
        ({"AWSRegion": "eu-west-1", "LocalZoneGroup": "us-west-2-den-1"}, "LocalZoneGroup"),
        ({"AWSRegion": "eu-west-1", **point("50", "8")}, "Coordinates"),
        ({"LocalZoneGroup": "us-west-2-den-1", **point("50", "8")}, "Coordinates"),
    ]:
        yield schema(f"GeoProximityLocation {place}", part, routed("a", GeoProximityLocation=place))
    for identifier, part in [("x" * 129, "maxLength '128'"), ("é" * 129, "maxLength '128'")]:
        yield schema(f"SetIdentifier of 129 {identifier[0]}", part, routed(identifier, Weight=1))
    yield Case("an empty SetIdentifier", INPUT, ("SetIdentifier",), routed("", Weight=1))
    for ttl, part in [(-1, "minInclusive '0'"), (2**31, "maxInclusive '2147483647'")]:
        yield schema(f"TTL {ttl}", part, routed("a", Weight=1, ttl=ttl))
    yield schema("GeoLocation {}", "GeoLocation", routed("a", GeoLocation={}))
    for config, part in [({}, "CollectionId"), ({"CollectionId": NOBODYS}, "LocationName"),
                         ({"LocationName": "*"}, "CollectionId"), (cidr("*", "x"), "UUID"),
                         (cidr("a b"), "CidrLocationName"), (cidr("x" * 17), "CidrLocationName")]:
        yield schema(f"CidrRoutingConfig {config}", part, routed("a", CidrRoutingConfig=config))
    for aimed, part in [
        ({"DNSName": "{target}", "EvaluateTargetHealth": False}, "HostedZoneId"),
        ({"HostedZoneId": "{zone}", "EvaluateTargetHealth": False}, "DNSName"),
        ({"HostedZoneId": "{zone}", "DNSName": "{target}"}, "EvaluateTargetHealth"),
    ]:
        yield schema(f"alias without {part}", part, {"Type": "A", "AliasTarget": aimed})


def what_does_not_exist():
    for place, words in [
        ({"ContinentCode": "XX"}, ("ContinentCode",)),
        ({"ContinentCode": "eu"}, ("ContinentCode",)),
        ({"CountryCode": "QQ"}, ("CountryCode",)),
        ({"CountryCode": "BV"}, ("CountryCode",)),
        ({"CountryCode": "de"}, ("CountryCode",)),
        ({"CountryCode": "US", "SubdivisionCode": "QQ"}, ("SubdivisionCode",)),
        ({"CountryCode": "DE", "SubdivisionCode": "CA"}, ("SubdivisionCode",)),
        ({"CountryCode": "*", "SubdivisionCode": "CA"}, ("SubdivisionCode",)),
        ({"SubdivisionCode": "CA"}, ("CountryCode",)),
        ({"ContinentCode": "EU", "CountryCode": "DE"}, ("ContinentCode", "CountryCode")),
        ({"ContinentCode": "NA", "SubdivisionCode": "CA"}, ("ContinentCode", "SubdivisionCode")),
        ({"ContinentCode": "EU", "CountryCode": "*"}, ("ContinentCode", "CountryCode")),
    ]:
        yield Case(f"GeoLocation {place}", INPUT, words, routed("a", GeoLocation=place))
    for place in ({"AWSRegion": "mars-1"}, {"LocalZoneGroup": "eu-west-1-mars-1"},
                  {"LocalZoneGroup": "us-west-2-den-1a"}, {"LocalZoneGroup": "eu-west-1"},
                  {"AWSRegion": "us-west-2-den-1"}):
        (field, value), = place.items()
        yield Case(f"GeoProximityLocation {place}", INPUT, (field, value),
                   routed("a", GeoProximityLocation=place))
    for location, collection in [("*", NOBODYS), ("office", NOBODYS), ("*", "{strangers}")]:
        yield Case(f"location {location} of the collection {collection}", BATCH,
                   (f"A CIDR collection with id {collection} does not exist.",),
                   routed("a", CidrRoutingConfig=cidr(location, collection)))
    yield Case("an unknown location", BATCH, ("cellar", "{collection}"),
               routed("a", CidrRoutingConfig=cidr("cellar")))
    yield Case("a location like the default's", BATCH, ("**",),
               routed("a", CidrRoutingConfig=cidr("**")))
    for check in (NOBODYS, "not-an-id", "{strangers_check}"):
        unknown = f"A health check with id {check} does not exist."
        for title, set_ in [
            ("a simple set", records()), ("an alias", alias()),
            *((kind, routed("a", **{kind: FIRST[kind]})) for kind in KINDS),
        ]:
            yield Case(f"health check {check} on {title}", "NoSuchHealthCheck", unknown,
                       {**set_, "HealthCheckId": check})
    yield Case("a health check id of 65 characters", INPUT, ("maxLength '64'",),
               records(HealthCheckId="x" * 65))
    tried = "Tried to create an alias that targets"
    for kind in KINDS:
        if kind == "MultiValueAnswer":
            continue
        fields = {"SetIdentifier": "a", kind: FIRST[kind]}
        yield Case(f"a {kind} alias to nothing", BATCH,
                   f"[{tried} none.{{apex}}, type A in zone {{zone}}, but that target was not "
                   "found]",
                   alias("none.{apex}", **fields))
        yield Case(f"a {kind} alias to another type", BATCH,
                   f"[{tried} {{target}}, type AAAA in zone {{zone}}, but that target was not "
                   "found]",
                   alias(rtype="AAAA", **fields))
        yield Case(f"a {kind} alias out of its zone", BATCH,
                   f"[{tried} x.other.example., type A in zone {{zone}}, but the alias target name "
                   f"does not lie within the target zone, {tried} x.other.example., type A in zone "
                   "{zone}, but that target was not found]",
                   alias("x.other.example.", **fields))
        yield Case(f"a {kind} alias to itself", BATCH, ("{name}", "loop"),
                   alias("{name}", **fields))
        yield Case(f"a {kind} alias into nobody's zone", BATCH, ("ZNOBODYS", "was not found"),
                   alias(zone="ZNOBODYS", **fields))


def cnames():
    """CNAME at the apex, beside others, and others beside it, whatever the policy."""
    at = "RRSet of type CNAME with DNS name {name} is not permitted"
    besides = f"[{at} as it conflicts with other records with the same DNS name in zone {{apex}}]"
    conflicting = ("[RRSet of type A with DNS name {name} is not permitted because a conflicting "
                   "RRSet of type CNAME with the same DNS name already exists in zone {apex}]")
    for kind in KINDS:
        if kind == "MultiValueAnswer":
            continue
        fields = {kind: FIRST[kind]}
        cname, a = routed("a", "CNAME", "t.example.", **fields), routed("a", **fields)
        yield Case(f"{kind} CNAME beside A", BATCH, besides, cname, given=[a])
        yield Case(f"{kind} A beside CNAME", BATCH, conflicting, a, given=[cname])
        yield Case(f"{kind} CNAME at the apex", BATCH,
                   "[RRSet of type CNAME with DNS name {apex} is not permitted at apex in zone "
                   "{apex}]", cname, name="{apex}")
    two = {"ResourceRecords": [{"Value": "a.example."}, {"Value": "b.example."}]}
    yield Case("a weighted CNAME of two values", BATCH, ("CNAME", "more than one"),
               {**routed("a", "CNAME", Weight=1), **two})
    wrong = "[Duplicate Resource Record: '192.0.2.1']"
    yield Case("a value twice in a weighted set", BATCH, wrong,
               {**routed("a", Weight=1), "ResourceRecords": [{"Value": "192.0.2.1"}] * 2})


def what_is_not_there_to_delete():
    """DELETE must repeat every field."""
    mismatch = ("[Tried to delete resource record set [name='{name}', type='A', "
                "set-identifier='a'] but the values provided do not match the current values]")
    missing = ("[Tried to delete resource record set [name='{name}', type='A', "
               "set-identifier='b'] but it was not found]")
    for kind in KINDS:
        one = routed("a", **{kind: FIRST[kind]})
        wrong = {"a TTL": {**one, "TTL": 61},
                 "a value": {**one, "ResourceRecords": [{"Value": "192.0.2.2"}]},
                 "a health check": {**one, "HealthCheckId": "{check}"}}
        if SECOND[kind] != FIRST[kind]:
            wrong[f"the {kind}"] = {**one, kind: SECOND[kind]}
        for what, set_ in wrong.items():
            yield Case(f"DELETE of {kind} with {what} wrong", BATCH, mismatch, set_, given=[one],
                       action="DELETE")
        yield Case(f"DELETE of another {kind}", BATCH, missing, {**one, "SetIdentifier": "b"},
                   given=[one], action="DELETE")


CASES = [case for family in (
    fields_that_exclude_each_other, data_that_excludes_itself, types_that_are_not_routed,
    groups_of_several_kinds, duplicates, values_out_of_range, what_does_not_exist, cnames,
    what_is_not_there_to_delete,
) for case in family()]


def fill(value, words):
    """The same with what stands in braces."""
    if isinstance(value, dict):
        return {key: fill(each, words) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(fill(each, words) for each in value)
    if isinstance(value, str):
        for word, meant in words.items():
            value = value.replace(f"{{{word}}}", meant)
    return value


class Prepared:
    """A zone in which all that the cases need is there."""

    def __init__(self, meridian):
        client = meridian.client(meridian.new_account("refusals"), parameter_validation=False)
        stranger = meridian.client(meridian.new_account("stranger-to-refusals"))
        self.zone = Zone(client, f"refusals-{reference()}.example.")
        target = f"target.{self.zone.name}"
        collections = [
            who.create_cidr_collection(Name=name, CallerReference=reference())["Collection"]["Id"]
            for who, name in ((client, "first"), (client, "second"), (stranger, "strangers"))
        ]
        for collection, location in zip(collections, ("office", "lab")):
            blocks = {"LocationName": location, "Action": "PUT", "CidrList": ["192.0.2.0/24"]}
            client.change_cidr_collection(Id=collection, Changes=[blocks])
        config = {"Type": "HTTP", "FullyQualifiedDomainName": "www.example.com", "Disabled": True}
        checks = [
            who.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
            for who in (client, stranger)
        ]
        names = ("apex", "zone", "target", "collection", "second", "strangers", "check",
                 "strangers_check")
        self.words = dict(zip(names, (
            self.zone.name, self.zone.id, target, *collections,
            *(made["HealthCheck"]["Id"] for made in checks),
        )))
        given = [set_ for number, case in enumerate(CASES) for set_ in self.of(number, case.given)]
        given.append({"Name": target, **records()})
        for start in range(0, len(given), 200):
            self.zone.send(*(change("CREATE", set_) for set_ in given[start : start + 200]))
        self.before = self.zone.sets()

    def of(self, number, what):
        return fill(what, {"name": f"c{number}.{self.zone.name}", **self.words})


@pytest.fixture(scope="module")
def prepared(meridian):
    prepared = Prepared(meridian)
    yield prepared
    assert prepared.zone.sets() == prepared.before, "a refused batch changed the zone"


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: CASES[number].title)
def test_refused(prepared, number):
    case = CASES[number]
    changes = [change(case.action, set_) for set_ in prepared.of(number, case.sets)]
    code, text = refusal(lambda: prepared.zone.send(*changes))
    said = prepared.of(number, case.said)
    assert code == case.code, text
    if isinstance(said, str):
        assert text == said
    else:
        assert all(word in text for word in said), text
    assert case.code != BATCH or (text.startswith("[") and text.endswith("]")), text


def test_first_and_second_stand_beside_each_other(prepared):
    """What the cases are made of is accepted where it is not wrong."""
    name = f"accepted.{prepared.zone.name}"
    for kind in KINDS:
        sets = [routed("a", **{kind: FIRST[kind]}), routed("b", **{kind: SECOND[kind]})]
        sets = [{"Name": name, **set_} for set_ in fill(sets, prepared.words)]
        for action in ("CREATE", "UPSERT", "DELETE"):
            prepared.zone.send(*(change(action, set_) for set_ in sets))


def test_private_zones_do_not_choose_by_network(meridian):
    client = meridian.client(parameter_validation=False)
    zone = meridian.private_zone("refusals.internal.")
    set_ = {"Name": "a.refusals.internal.", **routed("a", CidrRoutingConfig=cidr("*", NOBODYS))}
    batch = {"Changes": [change("CREATE", set_)]}
    code, text = refusal(
        lambda: client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    )
    assert code == BATCH and "CidrRoutingConfig is not supported in the private hosted zone" in text
