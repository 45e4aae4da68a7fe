"""Changing a record set in the console: its form comes with what is there, whatever its policy is."""

import uuid

import pytest

A = {"TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}, {"Value": "192.0.2.2"}]}
HOST = "web-1.eu-west-1.elb.amazonaws.com."


@pytest.fixture
def collection(route53):
    made = route53.create_cidr_collection(Name=uuid.uuid4().hex, CallerReference=uuid.uuid4().hex)
    id = made["Collection"]["Id"]
    block = {"LocationName": "office", "Action": "PUT", "CidrList": ["198.51.100.0/24"]}
    route53.change_cidr_collection(Id=id, Changes=[block])
    return id


def put(zone, *sets):
    zone.send(*({"Action": "UPSERT", "ResourceRecordSet": each} for each in sets))


def own(zone):
    """What is in it besides what it was made with."""
    return [s for s in zone.sets() if s["Name"] != zone.name or s["Type"] not in ("NS", "SOA")]


def edit(visitor, zone, set_):
    """The form of a set, by the link that stands at it."""
    page = visitor.get(f"/console/zones/{zone.id}")
    shown = set_["Name"].replace(r"\052", "*")
    links = [to for text, to in page.links.items() if text == f"Edit {shown} {set_['Type']}"]
    return visitor.get(links[0]).form(f"/console/zones/{zone.id}/add")


def preview(visitor, zone, form, **typed):
    page = visitor.send(form, **typed)
    assert page.status == 200, page.text
    return page, page.form(f"/console/zones/{zone.id}/add")


def every_policy(zone, collection):
    here = lambda label: {"Name": f"{label}.{zone.name}", "Type": "A", "SetIdentifier": "one"} | A
    near = lambda **place: {"GeoProximityLocation": place}
    point = {"Latitude": "-52.37", "Longitude": "4.9"}
    yield {"Name": f"simple.{zone.name}", "Type": "A"} | A
    yield here("weighted") | {"Weight": 0}
    yield here("latency") | {"Region": "eu-west-1"}
    yield here("failover") | {"Failover": "SECONDARY"}
    yield here("country") | {"GeoLocation": {"CountryCode": "US", "SubdivisionCode": "CA"}}
    yield here("continent") | {"GeoLocation": {"ContinentCode": "EU"}}
    yield here("multivalue") | {"MultiValueAnswer": True}
    yield here("cidr") | {"CidrRoutingConfig": {"CollectionId": collection, "LocationName": "office"}}
    yield here("region") | near(AWSRegion="eu-west-1", Bias=-20)
    yield here("group") | near(LocalZoneGroup="us-west-2-phx-2")
    yield here("point") | near(Coordinates=point, Bias=0)
    for label, health in (("alias", True), ("ignored", False)):
        target = {"HostedZoneId": "ZEXTERNAL", "DNSName": HOST, "EvaluateTargetHealth": health}
        yield {"Name": f"{label}.{zone.name}", "Type": "A", "AliasTarget": target}
    text = [{"Value": r'"a \"b\" \303\244" "  c  "'}, {"Value": '"<b>"'}]
    yield {"Name": f"twice.{zone.name}{zone.name}", "Type": "A"} | A
    yield {"Name": rf"\052.text.{zone.name}", "Type": "TXT", "TTL": 0, "ResourceRecords": text}


def test_the_form_of_a_set_writes_it_as_it_is(visitor, zone, collection):
    put(zone, *every_policy(zone, collection))
    before = own(zone)
    assert len(before) == 15
    for set_ in before:
        page, form = preview(visitor, zone, edit(visitor, zone, set_))
        # Nothing was left open, so nothing is filled in; and what goes is what comes.
        assert not [has for tag, has in page.tags if tag == "mark"], (set_, page.text)
        new, old = page.text.split("What it replaces")
        assert old.split(" Write it")[0].strip() in new, page.text
        assert visitor.send(form).url.startswith("/console/changes/C")
        assert own(zone) == before, set_


def test_what_is_changed_is_all_that_changes(meridian, visitor, zone, collection):
    put(zone, *every_policy(zone, collection))
    for set_ in own(zone):
        before = own(zone)
        typed = {"ttl": "77"} if "TTL" in set_ else {"alias": "web-2.us-east-1.elb.amazonaws.com"}
        _, form = preview(visitor, zone, edit(visitor, zone, set_), **typed)
        assert visitor.send(form).url.startswith("/console/changes/C")
        expected = dict(set_)
        if "TTL" in set_:
            expected["TTL"] = 77
        else:
            target = set_["AliasTarget"] | {"DNSName": "web-2.us-east-1.elb.amazonaws.com."}
            expected["AliasTarget"] = target
        assert own(zone) == [expected if each == set_ else each for each in before]


def test_those_a_zone_is_made_with_are_changed_and_stay(visitor, zone):
    path = f"/console/zones/{zone.id}"
    for rtype in ("NS", "SOA"):
        (set_,) = [each for each in zone.sets() if each["Type"] == rtype]
        assert f"Remove {zone.name} {rtype}" not in visitor.get(path).links
        _, form = preview(visitor, zone, edit(visitor, zone, set_), ttl="1234")
        assert visitor.send(form).url.startswith("/console/changes/C")
        assert [each["TTL"] for each in zone.sets() if each["Type"] == rtype] == [1234]


def test_another_name_makes_another_set_and_what_is_gone_is_said(visitor, zone):
    set_ = {"Name": f"www.{zone.name}", "Type": "A"} | A
    put(zone, set_)
    form = edit(visitor, zone, set_)
    page, form = preview(visitor, zone, form, name="other")
    assert "Nothing is there yet that it would replace" in page.text
    visitor.send(form)
    assert [each["Name"] for each in own(zone)] == [f"other.{zone.name}", f"www.{zone.name}"]
    link = visitor.get(f"/console/zones/{zone.id}").links[f"Edit www.{zone.name} A"]
    zone.send({"Action": "DELETE", "ResourceRecordSet": set_})
    gone = visitor.get(link)
    assert gone.status == 404 and "no such record set in the zone any more" in gone.text
    assert visitor.request("POST", link).status in (403, 405)


def test_a_set_that_changes_meanwhile_is_shown_before_it_is_replaced(visitor, zone):
    set_ = {"Name": f"www.{zone.name}", "Type": "A"} | A
    put(zone, set_)
    _, form = preview(visitor, zone, edit(visitor, zone, set_), values="192.0.2.9")
    put(zone, set_ | {"TTL": 5})
    again = visitor.send(form)
    assert again.status == 409 and "TTL 5" in again.text
    assert [each["TTL"] for each in own(zone)] == [5]


def test_places_and_networks_are_typed_into_the_form(meridian, visitor, zone, collection):
    path = f"/console/zones/{zone.id}/add"

    def add(**typed):
        form = visitor.get(path).form(path)
        page = visitor.send(form, values="192.0.2.1", **typed)
        if page.status == 200:
            assert visitor.send(page.form(path)).url.startswith("/console/changes/C")
        return page

    add(name="point", policy="geoproximity", near=" -52.37 , 4.9 ", bias="10")
    add(name="group", policy="geoproximity", near="us-west-2-phx-2")
    add(name="office", policy="ip-based", collection=collection, location="office")
    add(name="rest", policy="ip-based", collection=collection, location="*")
    found = {each["Name"].split(".")[0]: each for each in own(zone)}
    point = {"Latitude": "-52.37", "Longitude": "4.9"}
    assert found["point"]["GeoProximityLocation"] == {"Coordinates": point, "Bias": 10}
    assert found["point"]["SetIdentifier"] == "-52.37,4.9"
    assert found["group"]["GeoProximityLocation"] == {"LocalZoneGroup": "us-west-2-phx-2"}
    assert found["office"]["CidrRoutingConfig"]["LocationName"] == "office"
    assert (found["rest"]["SetIdentifier"], found["office"]["SetIdentifier"]) == ("*", "office")
    for typed, part in (
        ({"policy": "geoproximity", "near": "91,0"}, "Latitude must lie between -90 and 90"),
        ({"policy": "geoproximity", "near": "mars-1"}, "There is no region 'mars-1'"),
        ({"policy": "geoproximity", "near": ""}, "bare address, which has no region"),
        ({"policy": "geoproximity", "near": "eu-west-1", "bias": "100"}, "-99 to 99"),
        ({"policy": "ip-based", "collection": collection}, "a location in it"),
        ({"policy": "ip-based", "collection": "none", "location": "x"}, "collection"),
    ):
        page = add(name="wrong", **typed)
        assert page.status == 400 and part in page.text, (typed, page.text)
    assert len(own(zone)) == 4
