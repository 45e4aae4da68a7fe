"""Hosted zones: made, looked at, listed, removed; what is refused, in Route 53's words."""

import re

import pytest

from harness import Zone, create, delete, reference, refusal, wait_insync


def test_a_new_zone_has_soa_and_four_name_servers(zone, meridian):
    created = zone.created
    assert created["Location"].endswith(f"/2013-04-01/hostedzone/{zone.id}")
    assert re.fullmatch("/change/C[0-9A-Z]+", created["ChangeInfo"]["Id"])
    assert len(set(zone.name_servers)) == 4
    ns, soa = zone.sets()
    assert (ns["Name"], ns["Type"], ns["TTL"]) == (zone.name, "NS", 172800)
    assert [v["Value"] for v in ns["ResourceRecords"]] == [f"{n}." for n in zone.name_servers]
    assert (soa["Name"], soa["Type"], soa["TTL"]) == (zone.name, "SOA", 900)
    assert re.fullmatch(
        r"ns-\S+\. \S+\. 1 7200 900 1209600 86400", soa["ResourceRecords"][0]["Value"]
    )
    wait_insync(zone.client, created["ChangeInfo"])
    assert meridian.values(zone.name, "NS") == {f"{n}." for n in zone.name_servers}
    assert len(meridian.values(zone.name, "SOA")) == 1


def test_get_hosted_zone(zone):
    answer = zone.client.get_hosted_zone(Id=zone.id)
    assert answer["HostedZone"] == zone.created["HostedZone"]
    assert answer["HostedZone"]["Config"]["PrivateZone"] is False
    assert answer["DelegationSet"] == zone.created["DelegationSet"]
    zone.send(create(f"a.{zone.name}", "A", "192.0.2.1"))
    assert zone.client.get_hosted_zone(Id=zone.id)["HostedZone"]["ResourceRecordSetCount"] == 3
    assert zone.client.get_hosted_zone(Id=f"/hostedzone/{zone.id}")["HostedZone"]["Id"]


def test_comment_is_kept(route53):
    zone = Zone(route53, "comment.example", HostedZoneConfig={"Comment": 'a <b> & "c" é'})
    assert route53.get_hosted_zone(Id=zone.id)["HostedZone"]["Config"]["Comment"] == 'a <b> & "c" é'


@pytest.mark.parametrize("name", ["UPPER.Example", "trailing.example.", r"oct\141l.example"])
def test_names_are_stored_lower_case_with_a_dot(route53, name):
    plain = name.replace(r"\141", "a").lower().rstrip(".") + "."
    assert Zone(route53, name).created["HostedZone"]["Name"] == plain


@pytest.mark.parametrize(
    "name",
    [
        "a..example",
        "*.example",
        f"{'x' * 64}.example",
        "sp ace.example",
        "." + "example",
        f"{'a.' * 130}example",
    ],
)
def test_impossible_names_are_refused(route53, name):
    code, text = refusal(lambda: route53.create_hosted_zone(Name=name, CallerReference=reference()))
    assert code in ("InvalidDomainName", "InvalidInput") and text


def test_a_reference_is_good_once(route53):
    mine = reference()
    route53.create_hosted_zone(Name="once.example", CallerReference=mine)
    for name in ("once.example", "twice.example"):
        assert refusal(
            lambda name=name: route53.create_hosted_zone(Name=name, CallerReference=mine)
        ) == (
            "HostedZoneAlreadyExists",
            "A hosted zone has already been created with the specified caller reference.",
        )


def test_two_zones_of_one_name_in_one_account(route53):
    first, second = Zone(route53, "same.example"), Zone(route53, "same.example")
    assert first.id != second.id
    found = route53.list_hosted_zones_by_name(DNSName="same.example")["HostedZones"]
    assert {first.id, second.id} <= {z["Id"].removeprefix("/hostedzone/") for z in found}


def test_delete_needs_an_empty_zone(zone, meridian):
    record = f"a.{zone.name}", "A", "192.0.2.1"
    zone.send(create(*record))
    code, text = refusal(lambda: zone.client.delete_hosted_zone(Id=zone.id))
    assert code == "HostedZoneNotEmpty"
    assert text == (
        "The specified hosted zone contains non-required resource record sets and so cannot be deleted."
    )
    zone.send(delete(*record))
    wait_insync(zone.client, zone.client.delete_hosted_zone(Id=zone.id)["ChangeInfo"])
    assert refusal(lambda: zone.client.get_hosted_zone(Id=zone.id))[0] == "NoSuchHostedZone"
    assert meridian.rcode(zone.name, "SOA") == "REFUSED"


@pytest.mark.parametrize("missing", ["Z00000000000000000000", "Z1", "ZNOTTHERE"])
def test_no_such_zone(route53, missing):
    expected = ("NoSuchHostedZone", f"No hosted zone found with ID: {missing}")
    batch = {"Changes": [create("a.example.", "A", "192.0.2.1")]}
    for call in (
        lambda: route53.get_hosted_zone(Id=missing),
        lambda: route53.delete_hosted_zone(Id=missing),
        lambda: route53.list_resource_record_sets(HostedZoneId=missing),
        lambda: route53.change_resource_record_sets(HostedZoneId=missing, ChangeBatch=batch),
    ):
        assert refusal(call) == expected


def test_no_such_change(route53):
    code, text = refusal(lambda: route53.get_change(Id="C00000000000000000000"))
    assert (code, text) == (
        "NoSuchChange",
        "Could not find resource with ID: C00000000000000000000",
    )


def test_lists_of_zones_page_by_the_first_unseen(meridian):
    client = meridian.client(meridian.new_account("zone-lister"))
    zones = {Zone(client, f"{letter}.list.example").id for letter in "cabed"}
    seen, marker = [], {}
    while True:
        page = client.list_hosted_zones(MaxItems="2", **marker)
        seen += [z["Id"].removeprefix("/hostedzone/") for z in page["HostedZones"]]
        assert page["MaxItems"] == "2"
        if not page["IsTruncated"]:
            assert "NextMarker" not in page
            break
        assert page["NextMarker"] not in seen
        marker = {"Marker": page["NextMarker"]}
    assert len(seen) == 5 and set(seen) == zones
    assert client.list_hosted_zones()["MaxItems"] == "100"


@pytest.mark.parametrize(
    "start, code",
    [
        ({"DNSName": "a..b"}, "InvalidDomainName"),
        ({"DNSName": "x" * 64}, "InvalidDomainName"),
        ({"HostedZoneId": "Z00ABC"}, "InvalidInput"),
        ({"DNSName": "a.b", "HostedZoneId": "not an id"}, "InvalidInput"),
        ({"DNSName": "x" * 1025}, "InvalidInput"),
        ({"MaxItems": "0"}, "InvalidInput"),
    ],
)
def test_where_no_list_by_name_starts(route53, start, code):
    assert refusal(lambda: route53.list_hosted_zones_by_name(**start))[0] == code


def test_list_by_name_is_a_start_not_a_filter(meridian):
    client = meridian.client(meridian.new_account("name-lister"))
    # By reversed names: com.a., net.a-x., net.a., net.a.c., net.b.
    for name in ("b.net", "a.net", "c.a.net", "a-x.net", "a.com"):
        Zone(client, name)
    everything = ["a.com.", "a-x.net.", "a.net.", "c.a.net.", "b.net."]

    def names(**start):
        return [z["Name"] for z in client.list_hosted_zones_by_name(**start)["HostedZones"]]

    assert names() == everything
    assert names(DNSName="a.net") == everything[2:]
    assert names(DNSName="a.") == everything, "a name between none starts at the next one"
    assert names(DNSName="zz.") == []
    page = client.list_hosted_zones_by_name(DNSName="a.net", MaxItems="1")
    assert page["DNSName"] == "a.net" and page["IsTruncated"]
    assert page["NextDNSName"] == "c.a.net."
    after = names(DNSName=page["NextDNSName"], HostedZoneId=page["NextHostedZoneId"])
    assert after == everything[3:]
