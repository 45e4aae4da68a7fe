"""Where imitations of Route 53 usually fail clients, by the numbers of the list of 25 traps.

16 to 23 are in `test_traps_of_routing`; 25 is about DNSSEC, and comes with it.
"""

import http.client
import re
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest

from harness import Zone, alias, change, create, delete, reference, refusal, rrset, upsert


def raw(meridian, method, path, body=None, region="us-east-1"):
    """A signed request whose path goes out as it is; returns status and document."""
    key = meridian.operator()
    request = botocore.awsrequest.AWSRequest(
        method=method, url=meridian.endpoint + path, data=body, headers={}
    )
    credentials = botocore.credentials.Credentials(key.id, key.secret)
    botocore.auth.SigV4Auth(credentials, "route53", region).add_auth(request)
    connection = http.client.HTTPConnection(meridian.api, timeout=30)
    connection.request(method, path, body, dict(request.headers))
    response = connection.getresponse()
    return response.status, response.read().decode()


def test_trap_1_a_refused_batch_has_the_ordinary_envelope(meridian, zone):
    body = (
        '<ChangeResourceRecordSetsRequest xmlns="https://route53.amazonaws.com/doc/2013-04-01/">'
        "<ChangeBatch><Changes><Change><Action>DELETE</Action><ResourceRecordSet>"
        f"<Name>a.{zone.name}</Name><Type>A</Type><TTL>1</TTL><ResourceRecords><ResourceRecord>"
        "<Value>192.0.2.1</Value></ResourceRecord></ResourceRecords></ResourceRecordSet></Change>"
        "</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>"
    )
    status, document = raw(meridian, "POST", f"/2013-04-01/hostedzone/{zone.id}/rrset/", body)
    assert status == 400
    assert re.search("<ErrorResponse [^>]*><Error><Type>Sender</Type>", document), document
    assert "<Code>InvalidChangeBatch</Code><Message>[" in document


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1", "cn-northwest-1", "my-own-9"])
def test_trap_2_any_region_may_be_signed_for(meridian, region):
    assert meridian.client(region=region).list_hosted_zones()["MaxItems"]


def test_trap_3_slashes_inside_a_segment_are_signed_doubly_and_understood(meridian, zone):
    """botocore sends `%2Fhostedzone%2FZ…` as a tag's resource, and `%252F` is what it signs."""
    client = meridian.client()
    for prefixed in (f"/hostedzone/{zone.id}", zone.id):
        try:
            client.list_tags_for_resource(ResourceType="hostedzone", ResourceId=prefixed)
        except client.exceptions.ClientError as error:
            # A prefix makes no tag resource; the signature was right, though.
            assert error.response["Error"]["Code"] == "InvalidInput"
    path = f"/2013-04-01/hostedzone/{urllib.parse.quote('/hostedzone/' + zone.id, safe='')}"
    assert raw(meridian, "GET", path)[0] in (200, 404)


def test_trap_4_throttling_is_400(meridian):
    """PriorRequestNotComplete too: test_contention.py provokes it, and harness.py checks its status."""
    key = meridian.new_account("trap-4")
    meridian.admin("quota", "set", "--account", key.account, "MAX_REQUESTS_PER_SECOND", "1")
    client = meridian.client(key)
    with pytest.raises(client.exceptions.ClientError) as refused:
        for _ in range(20):
            client.get_hosted_zone_count()
    error = refused.value.response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert error["Error"]["Code"] == "Throttling" and error["Error"]["Message"] == "Rate exceeded"


def test_trap_5_ids_carry_their_kind_in_bodies_only_where_route_53_has_it(zone):
    assert re.fullmatch("/hostedzone/Z[0-9A-Z]+", zone.created["HostedZone"]["Id"])
    assert re.fullmatch("/change/C[0-9A-Z]+", zone.created["ChangeInfo"]["Id"])
    zone.send(
        create(f"b.{zone.name}", "A", "192.0.2.1"),
        change("CREATE", alias(f"a.{zone.name}", f"b.{zone.name}", zone.id)),
    )
    (first, _) = zone.sets(own=True)
    assert first["AliasTarget"]["HostedZoneId"] == zone.id
    for form in (zone.id, f"/hostedzone/{zone.id}", f"hostedzone/{zone.id}"):
        assert zone.client.get_hosted_zone(Id=form)["HostedZone"]["Id"].endswith(zone.id)


def test_trap_6_stars_and_ats_come_back_as_octal_and_go_into_delete(zone):
    n = zone.name
    zone.send(create(f"*.{n}", "A", "192.0.2.1"), create(f"@.{n}", "A", "192.0.2.1"))
    zone.send(create(f"UPPER.{n}", "A", "192.0.2.1"))
    listed = zone.sets(own=True)
    assert {s["Name"] for s in listed} == {rf"\052.{n}", rf"\100.{n}", f"upper.{n}"}
    zone.send(*(change("DELETE", each) for each in listed))
    assert zone.sets(own=True) == []


def test_trap_7_order_is_by_reversed_names_with_their_dots(zone):
    names = [f"{label}.{zone.name}" for label in ("a-x", "a", "c.a")]
    zone.send(*(create(name, "A", "192.0.2.1") for name in reversed(names)))
    assert [s["Name"] for s in zone.sets(own=True)] == names


def test_trap_8_lists_start_somewhere_they_do_not_filter(zone):
    client, n = zone.client, zone.name
    zone.send(*(create(f"{label}.{n}", "A", "192.0.2.1") for label in "ab"))
    page = client.list_resource_record_sets(
        HostedZoneId=zone.id, StartRecordName=f"a.{n}", StartRecordType="TXT", MaxItems="1"
    )
    assert page["ResourceRecordSets"][0]["Name"] == f"b.{n}", "the first set from here on"
    listed = client.list_hosted_zones_by_name(DNSName=f"a-before.{n}", MaxItems="1")
    assert listed["DNSName"] == f"a-before.{n}" and listed["HostedZones"] != []


def test_trap_9_markers_name_the_first_set_not_returned(zone):
    n = f"w.{zone.name}"
    zone.send(
        create(f"a.{zone.name}", "A", "192.0.2.1"),
        *(create(n, "A", "192.0.2.1", SetIdentifier=i, Weight=1) for i in "xy"),
    )
    page = zone.client.list_resource_record_sets(
        HostedZoneId=zone.id, StartRecordName=f"a.{zone.name}", MaxItems="2"
    )
    assert page["ResourceRecordSets"][-1]["SetIdentifier"] == "x"
    assert (page["NextRecordName"], page["NextRecordType"]) == (n, "A")
    assert page["NextRecordIdentifier"] == "y"
    page = zone.client.list_resource_record_sets(HostedZoneId=zone.id, MaxItems="1")
    assert "NextRecordIdentifier" not in page and page["IsTruncated"]


def test_trap_10_elements_may_come_in_any_order(zone):
    set_ = rrset(f"a.{zone.name}", "A", "192.0.2.1", SetIdentifier="i", Weight=1)
    zone.send(change("CREATE", dict(reversed(set_.items()))))
    (listed,) = zone.sets(own=True)
    assert list(listed) == ["Name", "Type", "SetIdentifier", "Weight", "TTL", "ResourceRecords"]


def test_trap_11_a_batch_may_replace_one_type_by_another_but_touch_no_set_twice(zone):
    n = f"a.{zone.name}"
    zone.send(create(n, "CNAME", "x.example."))
    zone.send(delete(n, "CNAME", "x.example."), create(n, "A", "192.0.2.1"))
    code, text = zone.refused(create(f"b.{zone.name}", "A", "1.1.1.1"), create(n, "A", "1.1.1.1"))
    assert code == "InvalidChangeBatch" and "already exists" in text
    code, text = zone.refused(delete(n, "A", "192.0.2.1"), delete(n, "A", "192.0.2.1"))
    assert "The request contains an invalid set of changes for a resource record set" in text


def test_trap_12_delete_says_everything_again_in_any_order(zone):
    n = f"a.{zone.name}"
    zone.send(create(n, "A", "192.0.2.1", "192.0.2.2", ttl=60))
    for wrong in (("192.0.2.1",), ("192.0.2.1", "192.0.2.2", "192.0.2.3")):
        assert "do not match" in zone.refused(delete(n, "A", *wrong, ttl=60))[1]
    assert "do not match" in zone.refused(delete(n, "A", "192.0.2.1", "192.0.2.2", ttl=61))[1]
    zone.send(delete(n, "A", "192.0.2.2", "192.0.2.1", ttl=60))


def test_trap_13_upsert_counts_twice_and_never_changes_the_kind(zone):
    values = [f"192.0.{i}.{j}" for i in range(2) for j in range(200)]
    sets = [upsert(f"{n}.{zone.name}", "A", *values[:251]) for n in range(2)]
    code, text = zone.refused(*sets)
    assert (code, "limit of 1000 exceeded" in text) == ("InvalidChangeBatch", True)
    zone.send(create(f"a.{zone.name}", "A", "192.0.2.1"))
    code, text = zone.refused(
        upsert(f"a.{zone.name}", "A", "192.0.2.1", SetIdentifier="i", Weight=1)
    )
    assert code == "InvalidChangeBatch" and "cannot be created as a non-weighted set exists" in text


def test_trap_14_mixing_policies_has_two_texts(zone):
    weighted = {"SetIdentifier": "i", "Weight": 1}
    zone.send(create(f"a.{zone.name}", "A", "192.0.2.1"))
    zone.send(create(f"b.{zone.name}", "A", "192.0.2.1", **weighted))
    _, first = zone.refused(create(f"a.{zone.name}", "A", "192.0.2.1", **weighted))
    _, second = zone.refused(create(f"b.{zone.name}", "A", "192.0.2.1"))
    assert "cannot be created as a non-weighted set exists with the same name and type." in first
    assert "cannot be created as other RRSets exist with the same name and type." in second


def test_trap_15_a_wrong_alias_zone_makes_two_messages(route53, zone):
    other = Zone(route53, "trap15.example")
    set_ = alias(f"a.{zone.name}", f"b.{zone.name}", other.id)
    code, text = zone.refused(change("CREATE", set_))
    assert code == "InvalidChangeBatch"
    assert "does not lie within the target zone, Tried to create an alias" in text
    assert text.endswith("but that target was not found]")
    # A target that the same batch makes is there.
    zone.send(
        change("CREATE", alias(f"a.{zone.name}", f"b.{zone.name}", zone.id)),
        create(f"b.{zone.name}", "A", "192.0.2.1"),
    )


def test_trap_24_what_keeps_a_zone_from_being_deleted(route53, zone):
    zone.send(create(f"a.{zone.name}", "A", "192.0.2.1"))
    code, _ = refusal(lambda: route53.delete_hosted_zone(Id=zone.id))
    assert code == "HostedZoneNotEmpty"
    zone.send(delete(f"a.{zone.name}", "A", "192.0.2.1"))
    protection = {"RecordName": zone.name, "RecordType": "NS"}
    route53.create_resource_record_set_protections(
        HostedZoneId=zone.id, Protections=[protection]
    )
    code, _ = refusal(lambda: route53.delete_hosted_zone(Id=zone.id))
    assert code == "HostedZoneNotEmpty"
    route53.delete_resource_record_set_protections(
        HostedZoneId=zone.id, Protections=[protection]
    )
    assert route53.delete_hosted_zone(Id=zone.id)["ChangeInfo"]["Status"] == "PENDING"


def test_row_26_an_action_that_is_none(zone):
    code, text = refusal(
        lambda: zone.client.change_resource_record_sets(
            HostedZoneId=zone.id,
            ChangeBatch={"Changes": [change("REPLACE", rrset(zone.name, "A", "192.0.2.1"))]},
        )
    )
    assert code == "InvalidInput"
    assert text == (
        "Invalid XML ; cvc-enumeration-valid: Value 'REPLACE' is not facet-valid with respect to "
        "enumeration '[CREATE, DELETE, UPSERT]'. It must be a value from the enumeration."
    )


def test_row_27_a_type_without_a_name(zone):
    code, text = refusal(
        lambda: zone.client.list_resource_record_sets(HostedZoneId=zone.id, StartRecordType="A")
    )
    assert code == "InvalidInput" and text


def test_row_29_too_many_zones(meridian):
    key = meridian.new_account("row-29")
    meridian.admin(
        "quota", "set", "--account", key.account, "MAX_HOSTED_ZONES_BY_OWNER", "1"
    )
    client = meridian.client(key)
    client.create_hosted_zone(Name="row29.example", CallerReference=reference())
    assert refusal(
        lambda: client.create_hosted_zone(Name="row29.test", CallerReference=reference())
    ) == (
        "TooManyHostedZones",
        "Limits Exceeded: MAX_HOSTED_ZONES_BY_OWNER - Cannot create more hosted zones.",
    )


def test_row_36_a_health_check_that_is_not_there(zone):
    missing = "00000000-0000-4000-8000-000000000000"
    set_ = rrset(f"a.{zone.name}", "A", "192.0.2.1", HealthCheckId=missing)
    assert zone.refused(change("CREATE", set_)) == (
        "NoSuchHealthCheck",
        f"A health check with id {missing} does not exist.",
    )
