"""What of a zone may change while it is there, and what every answer tells of it."""

import pytest

from harness import Zone, create, reference, refusal

MISSING = "Z00000000000000000000"
NO_ZONE = ("NoSuchHostedZone", f"No hosted zone found with ID: {MISSING}")
FEATURES = {"AcceleratedRecoveryStatus": "DISABLED"}


def hosted(zone):
    return zone.client.get_hosted_zone(Id=zone.id)["HostedZone"]


def test_a_comment_is_replaced_and_cleared(zone):
    update = zone.client.update_hosted_zone_comment
    assert "Comment" not in hosted(zone)["Config"]
    for comment in ('first <&> "é"', "second", "x" * 256):
        answer = update(Id=zone.id, Comment=comment)["HostedZone"]
        assert answer == hosted(zone)
        assert answer["Config"] == {"Comment": comment, "PrivateZone": False}
    assert update(Id=zone.id)["HostedZone"]["Config"] == {"PrivateZone": False}, "no body at all"
    update(Id=zone.id, Comment="third")
    assert update(Id=zone.id, Comment="")["HostedZone"]["Config"] == {"PrivateZone": False}
    assert hosted(zone)["Config"] == {"PrivateZone": False}


def test_a_comment_leaves_the_rest_as_it_is(zone, meridian):
    zone.change(create(f"a.{zone.name}", "A", "192.0.2.1"))
    before = hosted(zone)
    zone.client.update_hosted_zone_comment(Id=f"/hostedzone/{zone.id}", Comment="other")
    after = hosted(zone)
    assert after.pop("Config") != before.pop("Config") and after == before
    assert after["ResourceRecordSetCount"] == 3
    assert meridian.values(f"a.{zone.name}") == {"192.0.2.1"}


def test_comments_are_refused(zone):
    update = zone.client.update_hosted_zone_comment
    assert refusal(lambda: update(Id=MISSING, Comment="x")) == NO_ZONE
    code, text = refusal(lambda: update(Id=zone.id, Comment="x" * 257))
    assert code == "InvalidInput" and "maxLength '256'" in text
    code, text = refusal(lambda: update(Id="Z" * 33))
    assert code == "InvalidInput" and "length = '33'" in text


def test_the_count_is_ones_own(meridian):
    client = meridian.client(meridian.new_account("counter"))
    count = lambda: client.get_hosted_zone_count()["HostedZoneCount"]
    assert count() == 0
    zones = [Zone(client, f"{name}.count.example") for name in "abc"]
    assert count() == 3
    client.delete_hosted_zone(Id=zones[0].id)
    assert count() == 2
    assert meridian.aws("get-hosted-zone-count")["HostedZoneCount"] != 2


def test_accelerated_recovery_is_a_switch(zone, meridian):
    update = zone.client.update_hosted_zone_features
    assert hosted(zone)["Features"] == FEATURES == zone.created["HostedZone"]["Features"]
    for enable, status in ((True, "ENABLED"), (True, "ENABLED"), (False, "DISABLED")):
        answer = update(HostedZoneId=zone.id, EnableAcceleratedRecovery=enable)
        assert set(answer) == {"ResponseMetadata"}
        assert hosted(zone)["Features"] == {"AcceleratedRecoveryStatus": status}
    update(HostedZoneId=zone.id, EnableAcceleratedRecovery=True)
    update(HostedZoneId=zone.id)
    assert hosted(zone)["Features"]["AcceleratedRecoveryStatus"] == "ENABLED", "nothing was said"
    zone.client.update_hosted_zone_comment(Id=zone.id, Comment="kept")
    assert hosted(zone)["Features"]["AcceleratedRecoveryStatus"] == "ENABLED"


def test_features_are_refused(zone):
    update = zone.client.update_hosted_zone_features
    assert refusal(lambda: update(HostedZoneId=MISSING, EnableAcceleratedRecovery=True)) == NO_ZONE
    assert refusal(lambda: update(HostedZoneId=MISSING)) == NO_ZONE
    assert refusal(lambda: update(HostedZoneId="Z" * 33))[0] == "InvalidInput"


def test_every_answer_tells_the_same_of_a_zone(meridian):
    client = meridian.client(meridian.new_account("teller"))
    zone = Zone(client, "told.example", HostedZoneConfig={"Comment": "told", "PrivateZone": False})
    zone.send(create("a.told.example", "A", "192.0.2.1"))
    client.update_hosted_zone_features(HostedZoneId=zone.id, EnableAcceleratedRecovery=True)
    answer = hosted(zone)
    assert answer == {
        "Id": f"/hostedzone/{zone.id}",
        "Name": "told.example.",
        "CallerReference": zone.created["HostedZone"]["CallerReference"],
        "Config": {"Comment": "told", "PrivateZone": False},
        "ResourceRecordSetCount": 3,
        "Features": {"AcceleratedRecoveryStatus": "ENABLED"},
    }
    assert client.list_hosted_zones()["HostedZones"] == [answer]
    assert client.list_hosted_zones_by_name()["HostedZones"] == [answer]
    assert client.update_hosted_zone_comment(Id=zone.id, Comment="told")["HostedZone"] == answer


@pytest.mark.parametrize("call", ["comment", "features"])
def test_a_foreign_zone_is_no_zone(zone, meridian, call):
    other = meridian.client(meridian.new_account(f"other-{reference()}"))
    calls = {
        "comment": lambda id: other.update_hosted_zone_comment(Id=id, Comment="mine"),
        "features": lambda id: other.update_hosted_zone_features(
            HostedZoneId=id, EnableAcceleratedRecovery=True
        ),
    }
    code, text = refusal(lambda: calls[call](zone.id))
    assert (code, text.replace(zone.id, MISSING)) == NO_ZONE
    assert hosted(zone) == zone.created["HostedZone"]
