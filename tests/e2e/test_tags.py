"""Tags of hosted zones, as tools put and read them."""

import string

import pytest

from harness import Zone, reference, refusal

MISSING = "Z00000000000000000000"
NO_ZONE = ("NoSuchHostedZone", f"No hosted zone found with ID: {MISSING}")
CHECK = "01234567-89ab-cdef-0123-456789abcdef"
NO_CHECK = ("NoSuchHealthCheck", f"A health check with id {CHECK} does not exist.")


def tag(key, value=""):
    return {"Key": key, "Value": value}


def numbered(*numbers):
    return [tag(f"k{number:02}", "v") for number in numbers]


class Tags:
    def __init__(self, zone):
        self.client, self.id = zone.client, zone.id

    def change(self, add=None, remove=None):
        lists = {"AddTags": add, "RemoveTagKeys": remove}
        answer = self.client.change_tags_for_resource(
            ResourceType="hostedzone",
            ResourceId=self.id,
            **{name: list_ for name, list_ in lists.items() if list_ is not None},
        )
        assert set(answer) == {"ResponseMetadata"}

    def list(self):
        return listed(self.client, self.id)["Tags"]

    def refused(self, **change):
        before = self.list()
        error = refusal(lambda: self.change(**change))
        assert self.list() == before, "a refused change left something"
        return error


def listed(client, id):
    answer = client.list_tags_for_resource(ResourceType="hostedzone", ResourceId=id)
    return answer["ResourceTagSet"]


@pytest.fixture
def tags(zone):
    return Tags(zone)


def test_tags_are_put_replaced_and_removed(zone, tags):
    assert listed(zone.client, zone.id) == {
        "ResourceType": "hostedzone",
        "ResourceId": zone.id,
        "Tags": [],
    }
    tags.change(add=[tag("b", "1"), tag("a", 'x <&> "é" '), tag("B", "2"), tag("empty")])
    wanted = [tag("B", "2"), tag("a", 'x <&> "é" '), tag("b", "1"), tag("empty")]
    assert tags.list() == wanted, "by key, in the order of bytes"
    tags.change(add=[tag("b", "3"), tag("c", "4")], remove=["a", "never there"])
    assert tags.list() == [tag("B", "2"), tag("b", "3"), tag("c", "4"), tag("empty")]
    tags.change(remove=["B", "b", "c", "empty"])
    assert tags.list() == []


def test_the_longest_tags(tags):
    longest = tag("é" * 128, "ß" * 256)
    tags.change(add=[longest])
    assert tags.list() == [longest]
    for key, value, kind in (("k" * 129, "", "TagKey"), ("k", "v" * 257, "TagValue")):
        code, text = tags.refused(add=[tag(key, value)])
        assert code == "InvalidInput" and f"for type '{kind}'" in text
    code, text = tags.refused(remove=["k" * 129])
    assert code == "InvalidInput" and "for type 'TagKey'" in text


@pytest.mark.parametrize(
    "change, word",
    [
        ({}, "At least one"),
        ({"add": numbered(*range(11))}, "11"),
        ({"remove": [f"k{n}" for n in range(11)]}, "11"),
        ({"add": [tag("", "x")]}, "empty"),
        ({"add": [tag("aws:mine", "x")]}, "aws:"),
        ({"add": [tag("AWS:mine", "x")]}, "aws:"),
        ({"remove": ["aws:mine"]}, "aws:"),
        ({"add": [tag("k", "1"), tag("k", "2")]}, "twice"),
        ({"remove": ["k", "k"]}, "twice"),
        ({"add": [tag("k", "1")], "remove": ["k"]}, "twice"),
    ],
)
def test_what_cannot_be_is_refused(tags, change, word):
    tags.change(add=[tag("k", "0")])
    code, text = tags.refused(**change)
    assert code == "InvalidInput" and word in text


def test_fifty_tags_and_no_more_unless_the_operator_says(meridian):
    key = meridian.new_account("tagger")
    tags = Tags(Zone(meridian.client(key), "fifty.example"))
    for first in range(0, 50, 10):
        tags.change(add=numbered(*range(first, first + 10)))
    assert tags.list() == numbered(*range(50))
    code, text = tags.refused(add=[tag("k50", "v")])
    assert code == "InvalidInput" and "50" in text
    tags.change(add=[tag("k50", "v"), tag("k00", "w")], remove=["k01"])
    assert len(tags.list()) == 50
    meridian.admin("quota", "set", "--account", key.account, "MAX_TAGS_BY_RESOURCE", "51")
    tags.change(add=[tag("k01", "v")])
    assert len(tags.list()) == 51


def test_many_resources_in_one_request(meridian):
    client = meridian.client(meridian.new_account("many-tags"))
    zones = [Zone(client, f"{letter}.tags.example") for letter in string.ascii_lowercase[:11]]
    for number, zone in enumerate(zones):
        Tags(zone).change(add=numbered(*range(number % 3)) or None, remove=["none"])

    def sets(*ids):
        answer = client.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=list(ids))
        return answer["ResourceTagSets"]

    ids = [zone.id for zone in reversed(zones[:10])]
    assert sets(*ids) == [listed(client, id) for id in ids], "in the order asked for"
    assert sets(f"/hostedzone/{ids[0]}") == sets(ids[0])
    assert refusal(lambda: sets(ids[0], MISSING)) == NO_ZONE
    code, text = refusal(lambda: sets(*(zone.id for zone in zones)))
    assert code == "InvalidInput" and "11" in text
    code, text = refusal(lambda: sets("Z" * 33))
    assert code == "InvalidInput" and "maxLength '32'" in text


def test_ids_with_their_kind_in_front(zone, tags, meridian):
    """botocore takes `/hostedzone/` off ids everywhere but here."""
    path = f"/hostedzone/{zone.id}"
    zone.client.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=path, AddTags=[tag("a", "1")]
    )
    assert listed(zone.client, path) == listed(zone.client, zone.id)
    assert listed(zone.client, path)["ResourceId"] == zone.id
    command = ["list-tags-for-resource", "--resource-type", "hostedzone", "--resource-id", path]
    assert meridian.aws(*command)["ResourceTagSet"]["Tags"] == [tag("a", "1")]


def test_what_is_not_there_has_no_tags(zone):
    client = zone.client
    calls = [
        lambda kind, id: client.list_tags_for_resource(ResourceType=kind, ResourceId=id),
        lambda kind, id: client.list_tags_for_resources(ResourceType=kind, ResourceIds=[id]),
        lambda kind, id: client.change_tags_for_resource(
            ResourceType=kind, ResourceId=id, AddTags=[tag("a")]
        ),
    ]
    for call in calls:
        assert refusal(lambda: call("hostedzone", MISSING)) == NO_ZONE
        assert refusal(lambda: call("healthcheck", CHECK)) == NO_CHECK
        for kind, id, word in (
            ("hostedzone", "Z" * 33, "maxLength '32'"),
            ("healthcheck", "c" * 65, "maxLength '64'"),
            ("zone", zone.id, "[healthcheck, hostedzone]"),
            ("HostedZone", zone.id, "[healthcheck, hostedzone]"),
        ):
            code, text = refusal(lambda: call(kind, id))
            assert code == "InvalidInput" and word in text


def test_foreign_tags_are_nobodys(zone, tags, meridian):
    tags.change(add=[tag("secret", "1")])
    other = Tags(zone)
    other.client = meridian.client(meridian.new_account(f"tags-{reference()}"))
    for call in (other.list, lambda: other.change(add=[tag("mine")])):
        code, text = refusal(call)
        assert (code, text.replace(zone.id, MISSING)) == NO_ZONE
    assert tags.list() == [tag("secret", "1")]


def test_tags_outlive_a_restart_and_go_with_their_zone(start):
    server = start()
    client = server.client()
    zone = Zone(client, "tagged.example")
    Tags(zone).change(add=[tag("a", "1")])
    server.stop()
    server.start()
    assert Tags(zone).list() == [tag("a", "1")]
    client.delete_hosted_zone(Id=zone.id)
    code, _ = refusal(Tags(zone).list)
    assert code == "NoSuchHostedZone"
    assert server.admin("journal", "verify")["valid"]
