"""`meridian change preview`: who would be answered otherwise, and nothing is written."""

import json

import pytest

from harness import Zone, alias, change, create, delete, eventually, reference, upsert

NAME = "preview.example."


@pytest.fixture(scope="module")
def offices(route53):
    """A CIDR collection with two locations, one inside the other."""
    collection = route53.create_cidr_collection(Name="preview", CallerReference=reference())
    id = collection["Collection"]["Id"]
    blocks = {"berlin": ["203.0.112.0/22"], "lab": ["203.0.113.0/24"]}
    changes = [
        {"LocationName": location, "Action": "PUT", "CidrList": list_}
        for location, list_ in blocks.items()
    ]
    route53.change_cidr_collection(Id=id, Changes=changes)
    return id


@pytest.fixture(scope="module")
def zone(route53, meridian):
    zone = Zone(route53, NAME)
    zone.change(
        create(f"www.{NAME}", "A", "192.0.2.1", ttl=60),
        change("CREATE", alias(f"top.{NAME}", f"www.{NAME}", zone.id)),
        create(f"name.{NAME}", "CNAME", f"top.{NAME}"),
        create(f"*.{NAME}", "TXT", '"any"'),
        geo("geo", "*", "192.0.2.10"),
        geo("geo", "DE", "192.0.2.11"),
    )
    assert eventually(lambda: meridian.values(f"geo.{NAME}"))
    return zone


def geo(label, country, value, action="CREATE"):
    name, place = f"{label}.{NAME}", {"CountryCode": country}
    set_ = create(name, "A", value, SetIdentifier=country, GeoLocation=place)["ResourceRecordSet"]
    return change(action, set_)


@pytest.fixture
def preview(meridian, zone, tmp_path):
    def preview(*changes, **how):
        file = tmp_path / "batch.json"
        file.write_text(json.dumps({"Comment": "a try", "Changes": list(changes)}))
        before = zone.sets()
        said = meridian.admin("change", "preview", file, "--zone", zone.id, **how)
        assert zone.sets() == before, "a preview changed the zone"
        return said

    return preview


def told(result):
    """What differs: (name, type) → [(clients, {answer: share} before, the same after)]."""

    def answers(each):
        data = [record["data"] for record in each["records"]]
        return (*([each["rcode"]] if each["rcode"] != "NOERROR" else []), *data)

    def shares(side):
        return {answers(each): round(each["share"], 3) for each in side}

    assert result["left_out"] == 0 and all(each["complete"] for each in result["questions"])
    return {
        (each["name"].removesuffix(f".{NAME}"), each["type"]): [
            (one["clients"], shares(one["before"]), shares(one["after"]))
            for one in each["different"]
        ]
        for each in result["questions"]
    }


EVERYONE = {"everyone": True}


def test_what_leads_to_a_changed_set_changes(preview, meridian):
    found = told(preview(upsert(f"www.{NAME}", "A", "192.0.2.2", ttl=60)))
    before, after = {("192.0.2.1",): 1.0}, {("192.0.2.2",): 1.0}
    assert found["www", "A"] == found["top", "A"] == [(EVERYONE, before, after)]
    [(clients, _, chain)] = found["name", "A"]
    assert (clients, chain) == (EVERYONE, {(f"top.{NAME}", "192.0.2.2"): 1.0})
    assert len(found) == 3
    assert meridian.values(f"www.{NAME}") == {"192.0.2.1"}


def test_a_wildcard_that_is_hidden(preview):
    found = told(preview(create(f"new.{NAME}", "A", "192.0.2.3")))
    assert found["new", "A"] == [(EVERYONE, {(): 1.0}, {("192.0.2.3",): 1.0})]
    assert found["new", "TXT"] == [(EVERYONE, {('"any"',): 1.0}, {(): 1.0})]
    found = told(preview(delete(f"*.{NAME}", "TXT", '"any"')))
    assert [key for key, rows in found.items() if rows] == [("\\052", "TXT")]


def test_weights_are_shares(preview):
    weighted = [
        create(f"w.{NAME}", "A", f"192.0.2.{n}", SetIdentifier=str(n), Weight=n) for n in (7, 3, 0)
    ]
    found = told(preview(*weighted))
    after = {("192.0.2.7",): 0.7, ("192.0.2.3",): 0.3}
    assert found["w", "A"] == [(EVERYONE, {(): 1.0}, after)]
    sets = [
        create(f"m.{NAME}", "A", f"192.0.2.{n}", SetIdentifier=str(n), MultiValueAnswer=True)
        for n in range(1, 11)
    ]
    result = preview(*sets)
    [question] = [each for each in result["questions"] if each["type"] == "A"]
    [after] = question["different"][0]["after"]
    assert (after["of_sets"], len(after["records"]), after["share"]) == (10, 10, 1.0)


def test_by_country(preview):
    found = told(preview(geo("geo", "DE", "192.0.2.12", "UPSERT")))
    [(clients, before, after)] = found["geo", "A"]
    assert (clients["countries"], clients["unknown"]) == (["DE"], False)
    assert (before, after) == ({("192.0.2.11",): 1.0}, {("192.0.2.12",): 1.0})
    california = {"CountryCode": "US", "SubdivisionCode": "CA"}
    us = create(f"geo.{NAME}", "A", "192.0.2.13", SetIdentifier="ca", GeoLocation=california)
    [(clients, before, _)] = told(preview(us))["geo", "A"]
    assert (clients["countries"], clients["subdivisions"]) == ([], ["US-CA"])
    assert before == {("192.0.2.10",): 1.0}
    no_default = geo("geo", "*", "192.0.2.10", "DELETE")
    [(clients, _, after)] = told(preview(no_default))["geo", "A"]
    assert clients["all_countries_but"] == ["DE"] and clients["unknown"]
    assert len(clients["countries"]) > 240 and after == {(): 1.0}


def test_by_distance_and_nowhere(preview):
    regions = [("us-east-1", "192.0.2.1"), ("ap-south-1", "192.0.2.2")]
    sets = [
        create(f"fast.{NAME}", "A", value, SetIdentifier=region, Region=region)
        for region, value in regions
    ]
    rows = told(preview(*sets))["fast", "A"]
    after = {country: list(row[2]) for row in rows for country in row[0]["countries"]}
    assert (after["CA"], after["LK"]) == ([("192.0.2.1",)], [("192.0.2.2",)])
    [unknown] = [row for row in rows if row[0]["unknown"]]
    assert unknown[2] == {("192.0.2.1",): 0.5, ("192.0.2.2",): 0.5}


def test_by_cidr_location(preview, offices):
    def at(location, value):
        config = {"CollectionId": offices, "LocationName": location}
        return create(f"o.{NAME}", "A", value, SetIdentifier=location, CidrRoutingConfig=config)

    places = [("berlin", "192.0.2.21"), ("lab", "192.0.2.22"), ("*", "192.0.2.23")]
    rows = told(preview(*[at(*place) for place in places]))["o", "A"]
    found = {
        each["location"]: list(after) for row, _, after in rows for each in row["locations"]
    }
    assert found == {"berlin": [("192.0.2.21",)], "lab": [("192.0.2.22",)]}
    [(others, _, after)] = [row for row in rows if row[0]["unknown"]]
    assert others["all_countries_but"] == [] and after == {("192.0.2.23",): 1.0}


def test_what_is_refused_is_said_in_the_words_of_the_api(preview, zone, meridian, tmp_path):
    wrong = [
        create(f"www.{NAME}", "A", "192.0.2.9"),
        delete(f"nothing.{NAME}", "A", "192.0.2.9", ttl=5),
    ]
    code, text = zone.refused(*wrong)
    failed = preview(*wrong, check=False)
    document = json.loads(failed.stdout)
    assert (failed.returncode, document["code"]) == (1, code)
    assert document["error"] == f"{code}: {text}" and len(document["messages"]) == 2
    assert failed.stderr == f"meridian: {code}: {text}\n"
    check = upsert(f"www.{NAME}", "A", "192.0.2.9", HealthCheckId="nothing")
    assert preview(check, check=False).stdout.count("NoSuchHealthCheck") == 2
    odd = upsert(f"www.{NAME}", "A", "192.0.2.9")
    odd["ResourceRecordSet"]["Sort"] = 1
    assert "no change batch" in preview(odd, check=False, as_json=False).stderr
    assert preview(check=False).returncode == 1
    batch = ("change", "preview", tmp_path / "nowhere.json", "--zone")
    assert "cannot read" in meridian.admin(*batch, zone.id, check=False, as_json=False).stderr
    (tmp_path / "nowhere.json").write_text(json.dumps({"Changes": wrong}))
    assert "there is no zone" in meridian.admin(*batch, "x.test", check=False, as_json=False).stderr


def test_for_people(preview):
    said = preview(
        upsert(f"www.{NAME}", "A", "192.0.2.2", ttl=60),
        geo("geo", "DE", "192.0.2.12", "UPSERT"),
        as_json=False,
    )
    for part in (
        f"www.{NAME} A\n  everyone:\n    - 60 A 192.0.2.1\n    + 60 A 192.0.2.2\n",
        f"geo.{NAME} A\n  DE:\n    - 300 A 192.0.2.11\n    + 300 A 192.0.2.12\n",
        f"top.{NAME} A, an alias that leads here\n",
        "nothing was written\n",
    ):
        assert part in said, said
    same = preview(upsert(f"www.{NAME}", "A", "192.0.2.1", ttl=60), as_json=False)
    assert same == "nothing would change\nnothing was written\n"


def test_private_zones_by_their_vpcs(meridian, route53, tmp_path):
    id = meridian.private_zone("previewed.internal")
    vpc = route53.get_hosted_zone(Id=id)["VPCs"][0]["VPCId"]
    meridian.admin("vpc", "set", vpc, "--network", "127.99.0.0/24")
    file = tmp_path / "batch.json"
    sets = [
        create("a.previewed.internal.", "A", value, SetIdentifier=region, Region=region)
        for region, value in [("us-east-1", "10.0.0.1"), ("eu-west-1", "10.0.0.2")]
    ]
    file.write_text(json.dumps({"Changes": sets}))
    result = meridian.admin("change", "preview", file, "--zone", id)
    [[only]] = [each["different"] for each in result["questions"]]
    assert only["clients"] == EVERYONE
    assert [each["records"][0]["data"] for each in only["after"]] == ["10.0.0.2"]
