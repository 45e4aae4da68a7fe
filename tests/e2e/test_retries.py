"""A request that is sent again, because the answer was lost, gets the first answer."""

import http.client
import urllib.parse
import xml.etree.ElementTree as xml

from harness import Zone, create, delete, reference, refusal, upsert

SPACE = "{https://route53.amazonaws.com/doc/2013-04-01/}"


class Recorder:
    """Keeps what a boto3 client sends, signed, to send it once more."""

    def __init__(self, client):
        self.requests = []
        client.meta.events.register("before-send.route53.*", self.record)

    def record(self, request, **_):
        self.requests.append((request.method, request.url, dict(request.headers), request.body))

    def again(self):
        """Sends the last request byte for byte; returns status and the ChangeInfo's id or error."""
        method, url, headers, body = self.requests[-1]
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=10)
        headers = {k: v.decode() if isinstance(v, bytes) else v for k, v in headers.items()}
        assert any(k.lower() == "amz-sdk-invocation-id" for k in headers)
        connection.request(method, f"{parts.path}?{parts.query}".rstrip("?"), body, headers)
        response = connection.getresponse()
        tree = xml.fromstring(response.read())
        found = tree.find(f"{SPACE}ChangeInfo/{SPACE}Id")
        return response.status, found.text if found is not None else tree.findtext(
            f".//{SPACE}Code"
        )


def test_a_retried_batch_gets_the_first_change(meridian):
    client = meridian.client()
    recorder = Recorder(client)
    zone = Zone(client, "retried.example")
    info = zone.send(create("a.retried.example.", "A", "192.0.2.1"))
    assert recorder.again() == (200, info["Id"])
    assert recorder.again() == (200, info["Id"])
    # The same words of a new invocation are a new request.
    code, _ = zone.refused(create("a.retried.example.", "A", "192.0.2.1"))
    assert code == "InvalidChangeBatch"


def test_a_retry_changes_nothing_after_others_have(meridian):
    """An old UPSERT that comes once more must not undo what happened since."""
    client, other = meridian.client(), meridian.client()
    recorder = Recorder(client)
    zone = Zone(client, "overtaken.example")
    first = zone.send(upsert("a.overtaken.example.", "A", "192.0.2.1"))
    other.change_resource_record_sets(
        HostedZoneId=zone.id,
        ChangeBatch={"Changes": [upsert("a.overtaken.example.", "A", "192.0.2.2")]},
    )
    assert recorder.again() == (200, first["Id"])
    listed = other.list_resource_record_sets(HostedZoneId=zone.id)["ResourceRecordSets"]
    assert [s["ResourceRecords"] for s in listed if s["Type"] == "A"] == [[{"Value": "192.0.2.2"}]]


def test_a_retried_creation_makes_one_zone(meridian):
    client = meridian.client()
    recorder = Recorder(client)
    created = client.create_hosted_zone(Name="created.example", CallerReference=reference())
    assert recorder.again() == (201, created["ChangeInfo"]["Id"])
    found = client.list_hosted_zones_by_name(DNSName="created.example", MaxItems="2")["HostedZones"]
    assert [z["Name"] for z in found].count("created.example.") == 1


def test_a_retried_deletion_succeeds_again(meridian):
    client = meridian.client()
    recorder = Recorder(client)
    zone = Zone(client, "deleted.example")
    deleted = client.delete_hosted_zone(Id=zone.id)
    assert recorder.again() == (200, deleted["ChangeInfo"]["Id"])
    assert refusal(lambda: client.delete_hosted_zone(Id=zone.id))[0] == "NoSuchHostedZone"


def test_what_has_no_change_to_ask_after_is_not_done_twice_either(meridian):
    client, other = meridian.client(), meridian.client()
    recorder = Recorder(client)
    zone = Zone(client, "quiet.example")
    key = {"RecordName": zone.name, "RecordType": "A"}
    tagged = {"ResourceType": "hostedzone", "ResourceId": zone.id}
    client.create_resource_record_set_protections(HostedZoneId=zone.id, Protections=[key])
    assert recorder.again() == (200, None), "not that there is one already"
    client.delete_resource_record_set_protections(HostedZoneId=zone.id, Protections=[key])
    assert recorder.again() == (200, None), "not that there is none"
    client.change_tags_for_resource(**tagged, AddTags=[{"Key": "k", "Value": "first"}])
    other.change_tags_for_resource(**tagged, AddTags=[{"Key": "k", "Value": "second"}])
    assert recorder.again() == (200, None)
    tags = other.list_tags_for_resource(**tagged)["ResourceTagSet"]["Tags"]
    assert tags == [{"Key": "k", "Value": "second"}]
    client.update_hosted_zone_comment(Id=zone.id, Comment="first")
    other.update_hosted_zone_comment(Id=zone.id, Comment="second")
    assert recorder.again() == (200, None)
    config = other.get_hosted_zone(Id=zone.id)["HostedZone"]["Config"]
    assert config["Comment"] == "second"


def test_retries_are_remembered_over_a_crash(start):
    server = start()
    client = server.client()
    recorder = Recorder(client)
    zone = Zone(client, "crash.example")
    zone.send(create("a.crash.example.", "A", "192.0.2.1"))
    info = zone.send(delete("a.crash.example.", "A", "192.0.2.1"))
    server.kill()
    server.start()
    assert recorder.again() == (200, info["Id"])


def test_a_refused_request_can_be_sent_again(meridian):
    client = meridian.client()
    recorder = Recorder(client)
    zone = Zone(client, "refused.example")
    zone.refused(delete("a.refused.example.", "A", "192.0.2.1"))
    recorder.requests.pop()  # the list that followed
    assert recorder.again()[0] == 400
