"""Traffic policy instances by the API: what they come to for a resolver, how an update moves it all at
once, what a kill leaves, and every refusal."""

import json
import random
import re
import threading
import time

import pytest

from harness import LONG, Threads, Zone, alias, change, create, delete, eventually, reference
from harness import refusal, upsert
from instances import BERKELEY, BERLIN, Owner, after_kills, seen_from
from resolver import Unbound

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NOBODYS = "00000000-0000-4000-8000-000000000000"
LINES = 4 if not LONG else 40


def document(rtype="A", value="192.0.2.1"):
    """A document of one endpoint."""
    return json.dumps(
        {
            "AWSPolicyFormatVersion": "2015-10-01",
            "RecordType": rtype,
            "StartEndpoint": "one",
            "Endpoints": {"one": {"Type": "value", "Value": value}},
        }
    )


def nested(net, check):
    """Europe fails over to two addresses by weight, which all others have; all within `net`."""
    endpoints = {"europe": f"{net}.1", "blue": f"{net}.2", "green": f"{net}.3"}
    branch = {"RuleReference": "spread", "EvaluateTargetHealth": "true"}
    return json.dumps(
        {
            "AWSPolicyFormatVersion": "2015-10-01",
            "RecordType": "A",
            "StartRule": "where",
            "Endpoints": {
                name: {"Type": "value", "Value": value} for name, value in endpoints.items()
            },
            "Rules": {
                "where": {
                    "RuleType": "geo",
                    "Locations": [
                        {"Continent": "EU", "RuleReference": "in-europe",
                         "EvaluateTargetHealth": "true"},
                        {"IsDefault": "true"} | branch,
                    ],
                },
                "in-europe": {
                    "RuleType": "failover",
                    "Primary": {"EndpointReference": "europe", "HealthCheck": check},
                    "Secondary": branch,
                },
                "spread": {
                    "RuleType": "weighted",
                    "Items": [
                        {"EndpointReference": "blue", "Weight": "1"},
                        {"EndpointReference": "green", "Weight": "1"},
                    ],
                },
            },
        }
    )


@pytest.fixture
def owner(meridian):
    return Owner(meridian)


def missing(id_=NOBODYS):
    return ("NoSuchTrafficPolicyInstance", f"No traffic policy instance exists with ID: {id_}")


def test_an_instance_is_made_updated_and_deleted(owner, meridian):
    client, zone = owner.client, owner.zone
    policy = owner.policy(document(), document(value="192.0.2.2"))
    made = owner.make("WWW", policy)
    assert UUID.fullmatch(made["Id"])
    assert made == {
        "Id": made["Id"],
        "HostedZoneId": zone.id,
        "Name": f"www.{zone.name}",
        "TTL": 60,
        "State": "Creating",
        "Message": "",
        "TrafficPolicyId": policy,
        "TrafficPolicyVersion": 1,
        "TrafficPolicyType": "A",
    }
    response = owner.answer["ResponseMetadata"]
    assert response["HTTPStatusCode"] == 201
    assert owner.answer["Location"].endswith(f"/2013-04-01/trafficpolicyinstance/{made['Id']}")
    assert owner.applied(made) == made | {"State": "Applied"}
    assert meridian.values(f"www.{zone.name}") == {"192.0.2.1"}
    assert owner.count() == 1
    root = {"Name": f"www.{zone.name}", "Type": "A", "TrafficPolicyInstanceId": made["Id"]}
    assert zone.sets(own=True) == [root]

    changed = owner.update(made, policy, 2, ttl=5)
    assert changed == made | {"TTL": 5, "TrafficPolicyVersion": 2}
    owner.applied(made)
    reply = meridian.ask(f"www.{zone.name}")
    assert [(set_.ttl, str(set_[0])) for set_ in reply.answer] == [(5, "192.0.2.2")]
    # Nothing is different, and it is applied again.
    owner.update(made, policy, 2, ttl=5)
    owner.applied(made)
    assert zone.sets(own=True) == [root]

    owner.gone(made)
    assert eventually(lambda: meridian.rcode(f"www.{zone.name}") == "NXDOMAIN")
    assert zone.sets(own=True) == [] and owner.count() == 0
    for call in (
        lambda: owner.get(made),
        lambda: owner.gone(made),
        lambda: owner.update(made, policy, 1),
    ):
        assert refusal(call) == missing(made["Id"])
    client.delete_hosted_zone(Id=zone.id)


def test_a_nested_document_is_one_name_for_all_but_its_answers(owner, meridian):
    zone, check, port = owner.zone, owner.check(), meridian.dns_port
    made = owner.make("www", owner.policy(nested("192.0.2", check)))
    owner.applied(made)
    name = f"www.{zone.name}"
    others = {"192.0.2.2", "192.0.2.3"}
    assert seen_from(BERLIN, name, port) == {"192.0.2.1"}
    spread = set().union(*(seen_from(BERKELEY, name, port) for _ in range(40)))
    assert spread == others
    owner.force(check, "unhealthy")
    assert eventually(lambda: seen_from(BERLIN, name, port) <= others)
    owner.force(check, "healthy")
    assert eventually(lambda: seen_from(BERLIN, name, port) == {"192.0.2.1"})
    # One record set is told of, whatever it takes.
    assert [set_["Name"] for set_ in zone.sets(own=True)] == [name]
    assert owner.client.get_hosted_zone(Id=zone.id)["HostedZone"]["ResourceRecordSetCount"] == 3
    explained = meridian.admin("explain", name, "A", "--client", BERLIN.split("/")[0])
    assert f"_tp-{made['Id']}" in json.dumps(explained)
    # The root may be the target of others, and other types at its name are the zone's own.
    zone.change(change("CREATE", alias(zone.name, name, zone.id, evaluate=True)),
                create(name, "TXT", '"beside it"'))
    assert seen_from(BERLIN, zone.name, port) == {"192.0.2.1"}


def test_an_update_moves_all_answers_at_once(owner, meridian):
    """Whoever asks meanwhile sees the old tree or the new one, and after the new one never the old."""
    check, port = owner.check(), meridian.dns_port
    nets = ["192.0.2", "198.51.100"]
    policy = owner.policy(*(nested(net, check) for net in nets))
    made = owner.make("www", policy)
    name = f"www.{owner.zone.name}"
    owner.applied(made)
    over, seen = threading.Event(), {BERLIN: [], BERKELEY: []}

    def ask(subnet):
        while not over.is_set():
            (value,) = seen_from(subnet, name, port)
            seen[subnet].append(value.rsplit(".", 1))

    def update():
        try:
            for version in [2, 1] * LINES + [2]:
                time.sleep(random.uniform(0, 0.02))
                owner.update(made, policy, version)
                owner.applied(made)
                # What is applied is answered.
                (value,) = seen_from(BERLIN, name, port)
                assert value == f"{nets[version - 1]}.1"
        finally:
            over.set()

    with Threads(update, *(lambda subnet=subnet: ask(subnet) for subnet in seen)):
        pass
    for subnet, hosts in ((BERLIN, {"1"}), (BERKELEY, {"2", "3"})):
        assert {net for net, _ in seen[subnet]} <= set(nets)
        assert {host for _, host in seen[subnet]} <= hosts
        moves = [net for net, before in zip(
            [net for net, _ in seen[subnet]], [None] + [net for net, _ in seen[subnet]]
        ) if net != before]
        # Each update moves once: no answer goes back between two of them.
        assert len(moves) <= 2 * LINES + 2, moves


def test_a_resolver_follows_an_update(owner, meridian, tmp_path):
    """unbound, which keeps answers for as long as they hold, and tells its clients' networks."""
    zone, check = owner.zone, owner.check()
    policy = owner.policy(nested("192.0.2", check), nested("198.51.100", check))
    made = owner.make("www", policy, ttl=1)
    owner.applied(made)
    lines = """
    send-client-subnet: 127.0.0.1
    client-subnet-always-forward: yes
"""
    resolver = Unbound(tmp_path, meridian, zone.name, "subnetcache validator iterator", lines)
    try:
        def seen(subnet):
            return seen_from(subnet, f"www.{zone.name}", resolver.port, recursive=True)

        assert seen(BERLIN) == {"192.0.2.1"}
        assert seen(BERKELEY) <= {"192.0.2.2", "192.0.2.3"}
        owner.force(check, "unhealthy")
        assert eventually(lambda: seen(BERLIN) <= {"192.0.2.2", "192.0.2.3"})
        owner.update(made, policy, 2, ttl=1)
        new = {"198.51.100.2", "198.51.100.3"}
        assert eventually(lambda: seen(BERLIN) <= new and seen(BERKELEY) <= new)
        owner.force(check, "healthy")
        assert eventually(lambda: seen(BERLIN) == {"198.51.100.1"})
        owner.gone(made)
    finally:
        resolver.stop()


def test_a_kill_leaves_one_tree_or_the_other(start):
    server = start(config="[health]\nenabled = false\n")
    owner = Owner(server)
    check = owner.check()
    policy = owner.policy(nested("192.0.2", check), nested("198.51.100", check))
    made = owner.make("www", policy)
    name = f"www.{owner.zone.name}"
    for now in after_kills(server, owner, made, policy, LINES):
        known = now["TrafficPolicyVersion"]
        net = ["192.0.2", "198.51.100"][known - 1]
        assert seen_from(BERLIN, name, server.dns_port) == {f"{net}.1"}
        assert seen_from(BERKELEY, name, server.dns_port) <= {f"{net}.2", f"{net}.3"}
        assert [set_["Name"] for set_ in owner.zone.sets(own=True)] == [name]
    owner.gone(made)
    assert eventually(lambda: server.rcode(name) == "NXDOMAIN")
    # Nothing of any tree is left.
    owner.client.delete_hosted_zone(Id=owner.zone.id)
    assert server.stop() == 0
    server.admin("journal", "verify", as_json=False)


def test_what_an_instance_made_is_changed_with_it_alone(owner):
    zone = owner.zone
    policy = owner.policy(nested("192.0.2", owner.check()))
    made = owner.make("www", policy)
    name, hidden = f"www.{zone.name}", f"_tp-{made['Id']}-0.{zone.name}"
    text = "The resource record set [name='{}', type='A'] belongs to the traffic policy instance {}"
    for owned in (name, hidden):
        for call in (create, upsert, delete):
            code, said = zone.refused(call(owned, "A", "192.0.2.66"))
            assert code == "InvalidChangeBatch"
            assert text.format(owned, made["Id"]) in said
    (listed,) = zone.sets(own=True)
    for action in ("CREATE", "UPSERT", "DELETE"):
        code, said = zone.refused(change(action, listed))
        assert code == "InvalidInput" and made["Id"] in said
    not_empty = (
        "HostedZoneNotEmpty",
        "The specified hosted zone contains non-required resource record sets and so cannot be "
        "deleted.",
    )
    assert refusal(lambda: owner.client.delete_hosted_zone(Id=zone.id)) == not_empty
    in_use = refusal(lambda: owner.client.delete_traffic_policy(Id=policy, Version=1))
    assert in_use[0] == "TrafficPolicyInUse"
    owner.gone(made)
    owner.client.delete_traffic_policy(Id=policy, Version=1)
    owner.client.delete_hosted_zone(Id=zone.id)


def test_every_refusal_of_making_one(owner, meridian):
    client, zone, check = owner.client, owner.zone, owner.check()
    policy = owner.policy(document(), document("AAAA", "2001:db8::1"), nested("192.0.2", check))
    gone = ("NoSuchHostedZone", f"No hosted zone found with ID: {'Z' + '0' * 19}")
    stranger = Owner(meridian)

    def make(name="www", policy=policy, version=1, zone=zone, maker=owner):
        return refusal(lambda: maker.make(name, policy, version, zone=zone))

    class Nowhere:
        id, name = "Z" + "0" * 19, "nowhere.example."

    assert make(zone=Nowhere) == gone
    assert make(zone=stranger.zone)[0] == "NoSuchHostedZone"
    assert make(policy=NOBODYS)[0] == "NoSuchTrafficPolicy"
    assert make(version=9)[0] == "NoSuchTrafficPolicy"
    assert make(maker=stranger, zone=stranger.zone)[0] == "NoSuchTrafficPolicy"
    for name in ("a b", "x" * 64, "a..b"):
        assert make(name)[0] == "InvalidInput", name
    elsewhere = dict(HostedZoneId=zone.id, Name="www.elsewhere.test", TTL=60,
                     TrafficPolicyId=policy, TrafficPolicyVersion=1)
    assert refusal(lambda: client.create_traffic_policy_instance(**elsewhere)) == (
        "InvalidInput",
        f"RRSet with DNS name www.elsewhere.test. is not permitted in zone {zone.name}",
    )
    zone.change(create(f"own.{zone.name}", "A", "192.0.2.1"))
    assert make("own") == (
        "InvalidInput",
        f"Tried to create resource record set [name='own.{zone.name}', type='A'] but it already "
        "exists",
    )
    made = owner.make("www", policy)
    assert make() == (
        "TrafficPolicyInstanceAlreadyExists",
        f"The name and type are those of the traffic policy instance {made['Id']}.",
    )
    owner.make("www", policy, 2)
    owner.allow(2)
    assert make("more") == (
        "TooManyTrafficPolicyInstances",
        "Limits Exceeded: MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER - Cannot create more traffic "
        "policy instances.",
    )
    limit = client.get_account_limit(Type="MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER")
    assert (limit["Limit"]["Value"], limit["Count"]) == (2, 2)
    client.delete_health_check(HealthCheckId=check)
    owner.allow(5)
    assert make("more", version=3) == (
        "InvalidInput", f"A health check with id {check} does not exist."
    )
    for wrong in ({"TTL": -1}, {"TrafficPolicyVersion": 0}, {"TrafficPolicyId": "x" * 37}):
        raw = client_without_checks(owner)
        code, _ = refusal(lambda: raw.create_traffic_policy_instance(**elsewhere | wrong))
        assert code == "InvalidInput", wrong


def client_without_checks(owner):
    """A client that sends what its model forbids."""
    return owner.server.client(owner.key, parameter_validation=False)


def test_every_refusal_of_what_is_there(owner, meridian):
    client = owner.client
    policy = owner.policy(document(), document("AAAA", "2001:db8::1"))
    made, stranger = owner.make("www", policy), Owner(meridian)
    theirs = stranger.policy(document())
    assert refusal(lambda: owner.update(made, policy, 2)) == (
        "ConflictingTypes",
        "The traffic policy instance is of type A, and the traffic policy version of type AAAA.",
    )
    for other in ((NOBODYS, 1), (policy, 3), (theirs, 1)):
        assert refusal(lambda: owner.update(made, *other))[0] == "NoSuchTrafficPolicy"
    for call in (stranger.get, stranger.gone, lambda it: stranger.update(it, theirs, 1)):
        assert refusal(lambda: call(made)) == missing(made["Id"])
        for unknown in (NOBODYS, "none"):
            assert refusal(lambda: call({"Id": unknown})) == missing(unknown)
    raw, long = client_without_checks(owner), {"Id": "x" * 37}
    update = {"TTL": 1, "TrafficPolicyId": policy, "TrafficPolicyVersion": 1}
    for call in (
        lambda: raw.get_traffic_policy_instance(**long),
        lambda: raw.delete_traffic_policy_instance(**long),
        lambda: raw.update_traffic_policy_instance(**long, **update),
        lambda: raw.update_traffic_policy_instance(Id=made["Id"], **update | {"TTL": 2**31}),
    ):
        assert refusal(call)[0] == "InvalidInput"
    # Protections hold for what instances made, too.
    protection = {"RecordName": made["Name"], "RecordType": "A"}
    protect = {"HostedZoneId": owner.zone.id, "Protections": [protection]}
    client.create_resource_record_set_protections(**protect)
    assert refusal(lambda: owner.gone(made))[0] == "InvalidInput"
    assert refusal(lambda: owner.update(made, policy, 1))[0] == "InvalidInput"
    client.delete_resource_record_set_protections(**protect)
    owner.gone(made)


def paged(call, *markers, **what):
    """All instances of a list of pages of one, by the markers of each."""
    listed, start = [], {}
    for _ in range(20):
        page = call(MaxItems="1", **what, **start)
        assert page["MaxItems"] == "1" and len(page["TrafficPolicyInstances"]) <= 1
        listed += page["TrafficPolicyInstances"]
        start = {name: page[name] for name in markers if name in page}
        assert page["IsTruncated"] == (set(start) == set(markers)) and (
            page["IsTruncated"] or not start
        )
        if not page["IsTruncated"]:
            return listed
    raise AssertionError("it does not end")


NAME_AND_TYPE = ("TrafficPolicyInstanceNameMarker", "TrafficPolicyInstanceTypeMarker")
PLACE = ("HostedZoneIdMarker", *NAME_AND_TYPE)


def test_lists_go_by_zone_name_and_type(owner, meridian):
    client, owner_zones = owner.client, [owner.zone, Zone(owner.client, "more.example")]
    owner.allow(20)
    policy = owner.policy(document(), document("AAAA", "2001:db8::1"))
    made = []
    for zone in sorted(owner_zones, key=lambda zone: zone.id):
        for name in ("", "a-x", "a", "c.a", "b"):
            for version in (1, 2):
                if version == 1 or name == "a":
                    instance = owner.make(name, policy, version, zone=zone)
                    made.append(owner.applied(instance))
    stranger = Owner(meridian)
    stranger.make("www", stranger.policy(document()))

    listed = client.list_traffic_policy_instances()
    assert listed["TrafficPolicyInstances"] == made and not listed["IsTruncated"]
    assert listed["MaxItems"] == "100"
    assert paged(client.list_traffic_policy_instances, *PLACE) == made
    for zone in owner_zones:
        own = [each for each in made if each["HostedZoneId"] == zone.id]
        by_zone = client.list_traffic_policy_instances_by_hosted_zone
        assert by_zone(HostedZoneId=zone.id)["TrafficPolicyInstances"] == own
        assert paged(by_zone, *NAME_AND_TYPE, HostedZoneId=zone.id) == own
    for version in (1, 2):
        of = {"TrafficPolicyId": policy, "TrafficPolicyVersion": version}
        own = [each for each in made if each["TrafficPolicyVersion"] == version]
        by_policy = client.list_traffic_policy_instances_by_policy
        assert by_policy(**of)["TrafficPolicyInstances"] == own
        assert paged(by_policy, *PLACE, **of) == own
    assert owner.count() == len(made) == 12

    # A name alone is where to begin, whether it is there or not.
    begin = {"HostedZoneIdMarker": made[0]["HostedZoneId"], NAME_AND_TYPE[0]: f"a.{owner.zone.name}"}
    names = [each["Name"] for each in made]
    page = client.list_traffic_policy_instances(**begin)["TrafficPolicyInstances"]
    assert page == made[len(made) - len(page):] and 6 <= len(page) <= len(names)


def test_every_refusal_of_lists(owner, meridian):
    client, zone = owner.client, owner.zone
    policy = owner.policy(document())
    made, stranger = owner.make("www", policy), Owner(meridian)
    everywhere = client.list_traffic_policy_instances
    by_zone = lambda **start: client.list_traffic_policy_instances_by_hosted_zone(
        HostedZoneId=zone.id, **start
    )
    by_policy = lambda **start: client.list_traffic_policy_instances_by_policy(
        TrafficPolicyId=policy, TrafficPolicyVersion=1, **start
    )
    at = {NAME_AND_TYPE[0]: f"none.{zone.name}", NAME_AND_TYPE[1]: "A"}
    for call in (everywhere, by_zone, by_policy):
        start = at if call is by_zone else at | {"HostedZoneIdMarker": zone.id}
        assert refusal(lambda: call(**start)) == (
            "NoSuchTrafficPolicyInstance",
            f"No traffic policy instance of type A exists for none.{zone.name} in hosted zone "
            f"{zone.id}",
        )
        assert refusal(lambda: call(**{NAME_AND_TYPE[1]: "A"}))[0] == "InvalidInput"
        assert refusal(lambda: call(**start | {NAME_AND_TYPE[0]: "a..b"}))[0] == "InvalidInput"
        assert refusal(lambda: call(MaxItems="0"))[0] == "InvalidInput"
    for call in (everywhere, by_policy):
        assert refusal(lambda: call(**at))[0] == "InvalidInput"
    theirs = {"HostedZoneIdMarker": zone.id, NAME_AND_TYPE[0]: made["Name"], NAME_AND_TYPE[1]: "A"}
    strangers = stranger.client.list_traffic_policy_instances
    assert refusal(lambda: strangers(**theirs))[0] == "NoSuchTrafficPolicyInstance"
    for id_ in ("Z" + "0" * 19, stranger.zone.id):
        by_zone = client.list_traffic_policy_instances_by_hosted_zone
        assert refusal(lambda: by_zone(HostedZoneId=id_))[0] == "NoSuchHostedZone"
    for id_, version in ((NOBODYS, 1), (policy, 2)):
        assert refusal(
            lambda: client.list_traffic_policy_instances_by_policy(
                TrafficPolicyId=id_, TrafficPolicyVersion=version
            )
        )[0] == "NoSuchTrafficPolicy"


def test_rights_are_asked_for(owner, meridian):
    policy = owner.policy(document())
    made = owner.make("www", policy)
    client = meridian.client(meridian.new_user(owner.key.account, "reader", "read-only"))
    assert client.get_traffic_policy_instance(Id=made["Id"])["TrafficPolicyInstance"]["Id"]
    assert client.list_traffic_policy_instances()["TrafficPolicyInstances"]
    assert client.get_traffic_policy_instance_count()["TrafficPolicyInstanceCount"] == 1
    new = {"TTL": 1, "TrafficPolicyId": policy, "TrafficPolicyVersion": 1}
    for call in (
        lambda: client.create_traffic_policy_instance(
            HostedZoneId=owner.zone.id, Name=owner.zone.name, **new
        ),
        lambda: client.update_traffic_policy_instance(Id=made["Id"], **new),
        lambda: client.delete_traffic_policy_instance(Id=made["Id"]),
    ):
        assert refusal(call)[0] == "AccessDenied"


def test_the_command_line_lists_and_spares_what_instances_made(owner, meridian):
    zone = owner.zone
    made = owner.make("www", owner.policy(nested("192.0.2", owner.check())))
    name = f"www.{zone.name}"
    zone.change(create(name, "TXT", '"own"'))
    listed = [set_["Name"] for set_ in meridian.admin("record", "list", zone.id)]
    assert name in listed and not [each for each in listed if each.startswith("_tp-")]
    text = meridian.admin("record", "list", zone.id, "www", as_json=False)
    assert f"traffic policy instance {made['Id']}" in text
    hidden = meridian.admin("record", "list", zone.id, f"_tp-{made['Id']}-0")
    assert hidden == []
    # Its own sets alone are taken away; what is left is the instance's.
    gone = meridian.admin("record", "remove", zone.id, "www", "--all")
    assert [set_["Type"] for set_ in gone["sets"]] == ["TXT"]
    for words in ([], ["--all"], ["--type", "A"]):
        refused = meridian.admin("record", "remove", zone.id, "www", *words, check=False)
        assert refused.returncode != 0 and made["Id"] in refused.stdout + refused.stderr


def test_imports_and_restores_leave_instances_alone(owner, meridian):
    zone = owner.zone
    policy = owner.policy(nested("192.0.2", owner.check()), document(value="198.51.100.1"))
    zone.change(create(f"a.{zone.name}", "A", "192.0.2.1"))
    before = meridian.admin("zone", "history", zone.id)[0]["entry"]
    made = owner.make("www", policy)
    zone.change(upsert(f"a.{zone.name}", "A", "192.0.2.2"))
    owner.update(made, policy, 2)
    owner.applied(made)
    meridian.admin("zone", "restore", zone.id, "--to", str(before))
    assert eventually(lambda: meridian.values(f"a.{zone.name}") == {"192.0.2.1"})
    assert meridian.values(f"www.{zone.name}") == {"198.51.100.1"}
    file = meridian.folder / f"{reference()}.zone"
    file.write_text(f"$ORIGIN {zone.name}\nb 60 A 192.0.2.3\n")
    into = ("zone", "import", file, "--zone", zone.id)
    done = meridian.admin(*into, "--merge")
    assert done["traffic_policy_instances"] == 1
    assert eventually(lambda: meridian.values(f"b.{zone.name}") == {"192.0.2.3"})
    assert meridian.values(f"www.{zone.name}") == {"198.51.100.1"}
    assert [set_["Name"] for set_ in zone.sets(own=True)] == [
        f"{name}.{zone.name}" for name in ("a", "b", "www")
    ]
    exported = meridian.admin("zone", "export", zone.id, "--format", "json", as_json=False)
    sets = json.loads(exported)["ResourceRecordSets"]
    assert [set_["TrafficPolicyInstanceId"] for set_ in sets if len(set_) == 3] == [made["Id"]]
    assert len(sets) == 5
    # What was exported is imported again, and whatever else is put in its place leaves it alone.
    whole = meridian.folder / f"{reference()}.json"
    whole.write_text(exported)
    again = ("zone", "import", whole, "--zone")
    text = meridian.admin(*again, zone.id, "--replace", "--take-apex", as_json=False)
    assert "1 traffic policy instances of the zone stay as they are" in text
    assert meridian.admin("zone", "export", zone.id, "--format", "json", as_json=False) == exported
    done = meridian.admin(*into, "--replace")
    assert (done["record_sets"], done["traffic_policy_instances"]) == (4, 1)
    assert eventually(lambda: meridian.rcode(f"a.{zone.name}") == "NXDOMAIN")
    assert meridian.values(f"www.{zone.name}") == {"198.51.100.1"}
    # More than a batch takes, which is put in place of all.
    many = meridian.folder / f"{reference()}.zone"
    many.write_text(f"$ORIGIN {zone.name}\n$GENERATE 1-1500 n$ 60 A 192.0.2.4\n")
    meridian.admin("zone", "import", many, "--zone", zone.id, "--replace")
    full = meridian.admin("zone", "history", zone.id)[0]["entry"]
    meridian.admin(*into, "--replace")
    meridian.admin("zone", "restore", zone.id, "--to", str(full))
    assert eventually(lambda: meridian.values(f"n1500.{zone.name}") == {"192.0.2.4"})
    assert meridian.values(f"www.{zone.name}") == {"198.51.100.1"}
    assert len(zone.sets(own=True)) == 1501
    meridian.admin(*into, "--replace")
    owner.gone(made)
    assert eventually(lambda: meridian.rcode(f"www.{zone.name}") == "NXDOMAIN")
    # An import makes none, and says so.
    refused = meridian.admin(*again, zone.id, "--replace", check=False, as_json=False)
    assert refused.returncode != 0 and made["Id"] in refused.stderr
    assert "CreateTrafficPolicyInstance" in refused.stderr
    left = meridian.admin(*again, zone.id, "--replace", "--skip-invalid", check=False)
    assert left.returncode == 3
    names = [set_["Name"] for set_ in zone.sets(own=True)]
    assert names == [f"{name}.{zone.name}" for name in ("a", "b")]
