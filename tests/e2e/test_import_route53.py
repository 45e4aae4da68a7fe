"""`meridian import route53`: a second meridian is the source, read as Route 53 would be."""

import json
import os
import pathlib
import re
import shlex
import subprocess

import pytest

from harness import BIN, Meridian, Zone, alias, change, create, eventually, free_port, reference
from moving import Halt, by_name, command, run, sets_of

MANY = 310


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A server to move from, and its zones by name."""
    with Meridian(tmp_path_factory.mktemp("source")) as server:
        server.zones = fill(server)
        yield server


def fill(server):
    client = server.client()
    reusable = client.create_reusable_delegation_set(CallerReference=reference())
    set_id = reusable["DelegationSet"]["Id"]
    zones = {
        "main": Zone(client, "main.example", HostedZoneConfig={"Comment": 'the "first" <&>'}),
        "other": Zone(client, "other.example", DelegationSetId=set_id),
        "third": Zone(client, "third.example", DelegationSetId=set_id),
        "many": Zone(client, "many.example"),
    }
    tags = [{"Key": "team", "Value": "a b"}, {"Key": "empty", "Value": ""}]
    client.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=zones["main"].id, AddTags=tags
    )
    fill_main(zones["main"])
    zones["other"].change(create("t.other.example", "A", "192.0.2.50"))
    zones["third"].change(create("x.third.example", "AAAA", "2001:db8::1"))
    # A chain over three zones, and an alias of the zone's own that hangs on it.
    zones["other"].change(
        change("CREATE", alias("link.other.example", "x.third.example", zones["third"].id, "AAAA"))
    )
    zones["main"].change(
        change("CREATE", alias("cross.main.example", "t.other.example", zones["other"].id)),
        change("CREATE", alias("own.main.example", "cross.main.example", zones["main"].id)),
        change(
            "CREATE", alias("far.main.example", "link.other.example", zones["other"].id, "AAAA")
        ),
    )
    batch = [create(f"h{n}.many.example", "A", "192.0.2.1") for n in range(MANY)]
    zones["many"].change(*batch)
    for n in range(100):
        client.create_hosted_zone(Name=f"e{n}.empty.example", CallerReference=reference())
    return zones


def fill_main(zone):
    place = {"GeoLocation": {"ContinentCode": "EU"}}
    point = {"GeoProximityLocation": {"Coordinates": {"Latitude": "1.5", "Longitude": "-2"}}}
    wide = "0123456789abcdef" * 4
    zone.change(
        create("main.example", "A", "192.0.2.1", "192.0.2.2", ttl=60),
        create("main.example", "MX", "10 mail.main.example.", "20 mail.other.test."),
        create("main.example", "CAA", '0 issue "ca.example; account=1"'),
        create("main.example", "TXT", '"a \\"quoted\\" text" "\\303\\244 & <b>"'),
        create("*.main.example", "A", "192.0.2.3"),
        create("a\\100b.main.example", "TXT", '"escaped"'),
        create("v6.main.example", "AAAA", "2001:db8::1"),
        create("www.main.example", "CNAME", "main.example."),
        create("sub.main.example", "NS", "ns.sub.main.example."),
        create("ns.sub.main.example", "A", "192.0.2.4"),
        create("sub.main.example", "DS", "12345 13 2 " + wide),
        create("_sip._tcp.main.example", "SRV", "10 20 5060 main.example."),
        create("naptr.main.example", "NAPTR", '100 10 "U" "E2U+sip" "!^.*$!sip:a@b.test!" .'),
        create("ptr.main.example", "PTR", "main.example."),
        create("spf.main.example", "SPF", '"v=spf1 -all"'),
        create("ssh.main.example", "SSHFP", "1 2 " + wide),
        create("_443._tcp.main.example", "TLSA", "3 1 1 " + wide),
        create("svc.main.example", "HTTPS", '1 . alpn="h2"'),
        create("svc.main.example", "SVCB", "0 main.example."),
        create("w.main.example", "A", "192.0.2.5", SetIdentifier="one", Weight=1),
        create("w.main.example", "A", "192.0.2.6", SetIdentifier="two & 2", Weight=0),
        create("l.main.example", "A", "192.0.2.7", SetIdentifier="x", Region="eu-west-1"),
        create("g.main.example", "A", "192.0.2.8", SetIdentifier="x", **place),
        create("p.main.example", "A", "192.0.2.9", SetIdentifier="x", **point),
        create("f.main.example", "A", "192.0.2.10", SetIdentifier="x", Failover="PRIMARY"),
        create("m.main.example", "A", "192.0.2.11", SetIdentifier="x", MultiValueAnswer=True),
        change("CREATE", alias("alias.main.example", "main.example", zone.id, evaluate=True)),
    )


def head(server):
    return server.admin("status")["head"]


def test_everything_is_there_and_a_second_run_changes_nothing(source, start, tmp_path):
    target = start()
    id_map, terraform = tmp_path / "ids.json", tmp_path / "import.tf"
    files = ["--id-map", id_map, "--terraform", terraform, "--report", tmp_path / "report.txt"]
    checked = by_name(run(target, source, "--dry-run"))
    # The pool's zone is there from the first start on, under the same reference.
    assert checked.pop("meridian.internal")["outcome"] == "there-before"
    assert {zone["outcome"] for zone in checked.values()} == {"checked"}
    assert checked["many.example"]["record_sets"] == MANY + 2
    assert not [z for z in target.admin("zone", "list") if z["name"].endswith(".example.")]

    report = run(target, source, *files)
    zones = by_name(report)
    pool = zones.pop("meridian.internal")
    assert len(zones) == 104 and {z["outcome"] for z in zones.values()} == {"copied"}
    assert not any(zone["left_out"] for zone in zones.values())
    ids = json.loads(id_map.read_text())
    every = [pool, *zones.values()]
    assert ids["zones"] == {zone["id"]: zone["new_id"] for zone in every}
    assert "unfinished" not in ids

    old, new = source.client(), target.client()
    for name, zone in source.zones.items():
        moved = ids["zones"][zone.id]
        expected = sets_of(old, zone.id, ids["zones"])
        assert sets_of(new, moved, {}) == expected and expected, name
    main = new.get_hosted_zone(Id=ids["zones"][source.zones["main"].id])
    before = old.get_hosted_zone(Id=source.zones["main"].id)
    assert main["HostedZone"]["Config"] == before["HostedZone"]["Config"]
    assert main["HostedZone"]["CallerReference"] == before["HostedZone"]["CallerReference"]
    assert zones["main.example"]["name_servers"] == main["DelegationSet"]["NameServers"]
    assert zones["main.example"]["old_name_servers"] == source.zones["main"].name_servers
    main_id = main["HostedZone"]["Id"]
    tags = new.list_tags_for_resource(ResourceType="hostedzone", ResourceId=main_id)
    assert {t["Key"]: t["Value"] for t in tags["ResourceTagSet"]["Tags"]} == {
        "team": "a b",
        "empty": "",
    }
    sets = [new.get_hosted_zone(Id=zones[n]["new_id"]) for n in ("other.example", "third.example")]
    made = {one["DelegationSet"]["Id"].removeprefix("/delegationset/") for one in sets}
    assert made == set(ids["delegation_sets"].values()) and len(made) == 1
    assert eventually(lambda: target.values("main.example.") == {"192.0.2.1", "192.0.2.2"})

    text = (tmp_path / "report.txt").read_text()
    assert "meridian delegation check ZONE" in text and "Lower the TTL" in text
    check_terraform(terraform.read_text(), zones, ids)

    before = head(target)
    again = by_name(run(target, source, *files))
    assert {zone["outcome"] for zone in again.values()} == {"there-before"}
    without_map = by_name(run(target, source, "--zone", "main.example"))
    assert without_map["main.example"]["new_id"] == zones["main.example"]["new_id"]
    assert head(target) == before
    aliases_are_made_up_for(source, target, ids, id_map)


def aliases_are_made_up_for(source, target, ids, id_map):
    """What a command that ended early leaves: a zone without its aliases to others."""
    main, client = source.zones["main"], target.client()
    expected = sets_of(client, ids["zones"][main.id], {})
    lost = [s for s in expected if s["Name"].split(".")[0] in ("cross", "own", "far")]
    assert len(lost) == 3
    batch = {"Changes": [change("DELETE", set_) for set_ in lost]}
    client.change_resource_record_sets(HostedZoneId=ids["zones"][main.id], ChangeBatch=batch)
    id_map.write_text(json.dumps(ids | {"unfinished": [main.id]}))
    run(target, source, "--id-map", id_map)
    assert sets_of(client, ids["zones"][main.id], {}) == expected
    assert json.loads(id_map.read_text()) == ids


def check_terraform(text, zones, ids):
    blocks = re.findall(r'import \{\n  to = (\w+)\.(\w+)\n  id = "((?:[^"\\]|\\.)*)"\n\}\n', text)
    assert re.sub(r"\s", "", "".join(re.findall(r"import \{.*?\n\}\n", text, re.S))) == re.sub(
        r"\s", "", text
    )
    assert len({(kind, name) for kind, name, _ in blocks}) == len(blocks)
    of = {kind: {i: n for k, n, i in blocks if k == kind} for kind, _, _ in blocks}
    assert set(of["aws_route53_zone"]) == set(ids["zones"].values())
    assert set(of["aws_route53_delegation_set"]) == set(ids["delegation_sets"].values())
    records = of["aws_route53_record"]
    main = zones["main.example"]["new_id"]
    assert records[f"{main}_main.example_A"] == "main_example_apex_a"
    assert records[f"{main}_*.main.example_A"] == "main_example_wildcard_a"
    assert f"{main}_w.main.example_A_two & 2" in records
    assert f"{main}_main.example_NS" not in records
    assert len([i for i in records if i.startswith(zones["many.example"]["new_id"])]) == MANY


def test_what_cannot_be_copied_is_said(source, start, tmp_path):
    target = start()
    Zone(target.client(), "third.example")
    # other.example alone: what leads to third.example stays behind.
    report = by_name(run(target, source, "--zone", "other.example", check=3))
    left = report["other.example"]["left_out"]
    assert [one["name"] for one in left] == ["link.other.example."]
    assert source.zones["third"].id in left[0]["reason"]
    # A name that is there is left alone.
    third = by_name(run(target, source, "--zone", source.zones["third"].id, check=3))
    assert "another zone of this name" in third["third.example"]["reason"]
    # Later main.example can lead to what was copied before, though not to what was not.
    main = by_name(run(target, source, "--zone", "main.example", check=3))["main.example"]
    assert [one["name"] for one in main["left_out"]] == ["far.main.example."]
    names = {s["Name"] for s in sets_of(target.client(), main["new_id"], {})}
    assert {"cross.main.example.", "own.main.example."} <= names
    # A zone that was deleted is copied again.
    other = report["other.example"]["new_id"]
    client = target.client()
    client.change_resource_record_sets(
        HostedZoneId=other,
        ChangeBatch={
            "Changes": [change("DELETE", s) for s in sets_of(client, other, {})]
        },
    )
    client.delete_hosted_zone(Id=other)
    again = by_name(run(target, source, "--zone", "other.example", check=3))["other.example"]
    assert again["outcome"] == "copied" and again["new_id"] != other


def halt(target, folder):
    """A way to the target that ends for a while once three zones have been copied."""
    client = target.client()
    folder.mkdir()
    return Halt(target, folder, lambda: len(client.list_hosted_zones()["HostedZones"]) > 4)


def test_a_run_that_was_killed_is_finished_by_another(source, start, tmp_path):
    target = start()
    files = tmp_path / "files"
    files.mkdir()
    environment = os.environ | {
        "AWS_SHARED_CREDENTIALS_FILE": str(source.data / "credentials"),
        "TMPDIR": str(files),
    }
    way = halt(target, tmp_path / "way")
    words = command(source.endpoint, "--data-dir", way.data)
    first = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    assert way.halted.wait(30)
    first.kill()
    first.wait()
    assert list(files.iterdir())
    client = target.client()
    report = by_name(run(target, source, environment={"TMPDIR": str(files)}))
    assert not list(files.iterdir())
    assert {zone["outcome"] for zone in report.values()} == {"copied", "there-before"}
    ids = {zone["id"]: zone["new_id"] for zone in report.values()}
    for name, zone in source.zones.items():
        expected = sets_of(source.client(), zone.id, ids)
        assert sets_of(client, ids[zone.id], {}) == expected, name


def test_a_server_that_ends_meanwhile_has_what_the_report_says(source, start, tmp_path):
    target = start()
    environment = os.environ | {"AWS_SHARED_CREDENTIALS_FILE": str(source.data / "credentials")}
    way = halt(target, tmp_path / "way")
    words = command(source.endpoint, "--data-dir", way.data, "--json")
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE) as moving:
        assert way.halted.wait(30)
        target.kill()
        way.go_on()
        report = json.loads(moving.communicate(timeout=30)[0])
    assert moving.returncode == 1 and report["error"]
    copied = {z["name"] for z in report["zones"] if z["outcome"] == "copied"}
    target.start()
    there = {z["name"] for z in target.admin("zone", "list")} - {"meridian.internal."}
    # The last one may be there without an answer that says so.
    assert copied and copied <= there and len(there - copied) <= 1


def test_a_run_that_ended_before_the_aliases_is_finished_by_another(source, start, tmp_path):
    target = start()
    id_map = tmp_path / "ids.json"
    options = ["--zone", "main.example", "--zone", "other.example", "--zone", "third.example"]
    ids = by_name(run(target, source, *options, "--id-map", id_map))
    main = ids["main.example"]["new_id"]
    client = target.client()
    aliases = ("cross.main.example.", "far.main.example.", "own.main.example.")
    gone = [s for s in sets_of(client, main, {}) if s["Name"] in aliases]
    batch = {"Changes": [change("DELETE", s) for s in reversed(gone)]}
    client.change_resource_record_sets(HostedZoneId=main, ChangeBatch=batch)
    kept = create("w.main.example", "A", "192.0.2.99", SetIdentifier="one", Weight=1)
    client.change_resource_record_sets(
        HostedZoneId=main, ChangeBatch={"Changes": [kept | {"Action": "UPSERT"}]}
    )
    # The map knows that the zone was finished: somebody took them out.
    before = head(target)
    assert "zones that are there" in str(run(target, source, *options, "--id-map", id_map))
    assert head(target) == before
    run(target, source, *options)
    names = {s["Name"]: s for s in sets_of(client, main, {})}
    assert set(aliases) <= set(names)
    assert "192.0.2.99" in str(sets_of(client, main, {}))
    after = head(target)
    assert after > before
    run(target, source, *options)
    assert head(target) == after


def test_a_zone_comes_whole_or_not_at_all(source, start):
    target = start()
    key = target.new_account("tenant")
    target.admin("quota", "set", "--account", "tenant", "MAX_RRSETS_BY_ZONE", 100)
    options = ["--account", "tenant", "--zone", "many.example", "--zone", "third.example"]
    zones = by_name(run(target, source, *options, check=3))
    assert "MAX_RRSETS_BY_ZONE" in zones["many.example"]["reason"]
    assert zones["third.example"]["outcome"] == "copied"
    listed = target.client(key).list_hosted_zones()["HostedZones"]
    assert [zone["Name"] for zone in listed] == ["third.example."]
    zones = by_name(run(target, source, *options, "--beyond-quota"))
    assert zones["many.example"]["record_sets"] == MANY + 2


def checked_source(server):
    """A server with a calculated check, its children and one that nobody names, and two zones."""
    client = server.client()

    def check(**config):
        made = client.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
        return made["HealthCheck"]["Id"]

    http = check(
        Type="HTTPS_STR_MATCH",
        IPAddress="192.0.2.80",
        Port=8443,
        FullyQualifiedDomainName="www.checked.example",
        ResourcePath="/live?a=1&b=2",
        SearchString="<ok>",
        RequestInterval=10,
        FailureThreshold=2,
        MeasureLatency=True,
        Inverted=True,
        Disabled=True,
        Regions=["us-east-1", "eu-west-1", "sa-east-1"],
    )
    tcp = check(Type="TCP", IPAddress="192.0.2.81", Port=25, Disabled=True)
    both = check(Type="CALCULATED", HealthThreshold=2, ChildHealthChecks=[tcp, http])
    alone = check(Type="TCP", IPAddress="192.0.2.82", Port=25, Disabled=True)
    tags = [{"Key": "Name", "Value": "front & back"}]
    client.change_tags_for_resource(ResourceType="healthcheck", ResourceId=both, AddTags=tags)
    zone, other = Zone(client, "checked.example"), Zone(client, "later.example")
    to = {"SetIdentifier": "two", "Failover": "SECONDARY"}
    zone.change(
        create("f.checked.example", "A", "192.0.2.1", **to | {"HealthCheckId": http}),
        create(
            "f.checked.example",
            "A",
            "192.0.2.2",
            SetIdentifier="one",
            Failover="PRIMARY",
            HealthCheckId=both,
        ),
        create("plain.checked.example", "A", "192.0.2.3"),
    )
    other.change(create("t.later.example", "A", "192.0.2.4"))
    across = alias("f.later.example", "plain.checked.example", zone.id)
    other.change(
        change("CREATE", across | {"SetIdentifier": "x", "Weight": 1, "HealthCheckId": tcp})
    )
    return {"http": http, "tcp": tcp, "both": both, "alone": alone}


def checks_of(client, ids):
    """Configurations by id, with ids replaced."""
    listed = client.list_health_checks()["HealthChecks"]
    found = {}
    for one in listed:
        config = one["HealthCheckConfig"]
        if "ChildHealthChecks" in config:
            children = config["ChildHealthChecks"]
            config["ChildHealthChecks"] = [ids.get(child, child) for child in children]
        found[ids.get(one["Id"], one["Id"])] = config
    return found


def test_health_checks_come_with_the_sets_that_name_them(start, tmp_path):
    source, target = start(), start()
    checks = checked_source(source)
    old, new = source.client(), target.client()
    id_map, terraform = tmp_path / "ids.json", tmp_path / "import.tf"
    files = ["--id-map", id_map, "--terraform", terraform]
    before = head(target)
    dry = run(target, source, "--dry-run")
    assert {check["id"] for check in dry["health_checks"]} == set(checks.values())
    assert by_name(dry)["checked.example"]["record_sets"] == 5 and head(target) == before

    # One zone brings its own checks, and those they are calculated from.
    run(target, source, "--zone", "checked.example", *files)
    ids = json.loads(id_map.read_text())["health_checks"]
    assert set(ids) == set(checks.values()) - {checks["alone"]}
    report = run(target, source, *files, "--report", tmp_path / "report.txt")
    found = json.loads(id_map.read_text())
    assert ids.items() <= found["health_checks"].items()
    ids = found["health_checks"]
    assert set(ids) == set(checks.values())
    assert {c["id"]: c["new_id"] for c in report["health_checks"]} == ids
    assert checks_of(new, {}) == checks_of(old, ids)
    both = ids[checks["both"]]
    tags = new.list_tags_for_resource(ResourceType="healthcheck", ResourceId=both)
    assert tags["ResourceTagSet"]["Tags"] == [{"Key": "Name", "Value": "front & back"}]
    for zone in by_name(report).values():
        for set_ in (expected := sets_of(old, zone["id"], found["zones"])):
            if "HealthCheckId" in set_:
                set_["HealthCheckId"] = ids[set_["HealthCheckId"]]
        if zone["name"] != "meridian.internal.":
            assert sets_of(new, zone["new_id"], {}) == expected
    blocks = re.findall(r'aws_route53_health_check\.\w+\n  id = "(.*)"', terraform.read_text())
    assert set(blocks) == set(ids.values())
    assert f"health check {checks['both']} (CALCULATED) is {both}" in (
        tmp_path / "report.txt"
    ).read_text()

    before = head(target)
    run(target, source, *files)
    again = run(target, source)
    assert {c["id"]: c["new_id"] for c in again["health_checks"]} == ids
    assert head(target) == before
    # One that was deleted is copied again, and only once.
    new.delete_health_check(HealthCheckId=ids[checks["alone"]])
    for _ in range(2):
        run(target, source, *files)
    moved = json.loads(id_map.read_text())["health_checks"]
    assert moved[checks["alone"]] != ids[checks["alone"]]
    assert len(new.list_health_checks()["HealthChecks"]) == 4


def test_sets_of_checks_that_are_refused_stay_or_lose_them(start):
    source, target = start(), start()
    checks = checked_source(source)
    key = target.new_account("tenant")
    target.admin("quota", "set", "--account", "tenant", "MAX_HEALTH_CHECKS_BY_OWNER", 2)
    target.admin("account", "set", "tenant", "--probes", "everything")
    options = ["--account", "tenant", "--zone", "checked.example"]
    report = run(target, source, *options, check=3)
    assert [thing["id"] for thing in report["not_copied"]] == [checks["both"]]
    zone = by_name(report)["checked.example"]
    left = [(one["set_identifier"], checks["both"] in one["reason"]) for one in zone["left_out"]]
    assert left == [("one", True)] and zone["outcome"] == "copied"
    client = target.client(key)
    named = [s.get("HealthCheckId") for s in sets_of(client, zone["new_id"], {})]
    assert {c["new_id"] for c in report["health_checks"]} >= set(filter(None, named)) != set()

    target = start()
    target.new_account("tenant")
    target.admin("quota", "set", "--account", "tenant", "MAX_HEALTH_CHECKS_BY_OWNER", 2)
    target.admin("account", "set", "tenant", "--probes", "everything")
    zone = by_name(run(target, source, *options, "--drop-health-checks", check=3))
    zone = zone["checked.example"]
    assert zone["left_out"] == [] and zone["record_sets"] == 5
    assert zone["notes"] == ["1 record sets are copied without their health check"]


def test_refusals(source, start):
    target = start()
    wrong = {"AWS_ACCESS_KEY_ID": source.operator().id, "AWS_SECRET_ACCESS_KEY": "wrong"}
    assert "SignatureDoesNotMatch" in run(target, source, check=1, environment=wrong)
    unknown = wrong | {"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN0000000000"}
    assert "InvalidClientTokenId" in run(target, source, check=1, environment=unknown)
    gone = f"http://127.0.0.1:{free_port()}"
    assert "cannot reach" in run(target, source, check=1, endpoint=gone)
    plain = "http://route53.amazonaws.com"
    assert "plain HTTP" in run(target, source, check=1, endpoint=plain)
    assert "'nobody'" in run(target, source, "--profile", "nobody", check=1)
    assert "no zone 'nothing'" in run(target, source, "--zone", "nothing", check=1)
    assert "no account" in run(target, source, "--account", "nobody", check=1)
    assert not [z for z in target.admin("zone", "list") if z["name"] != "meridian.internal."]


def test_the_commands_that_are_documented_exist(tmp_path):
    text = (pathlib.Path(__file__).parents[2] / "docs" / "MOVING.md").read_text()
    lines = re.findall(r"^    meridian (.*)$", text, re.M)
    assert len(lines) >= 7
    for line in lines:
        words = [BIN, *shlex.split(line)]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
        # There is no server; code 2 would be a command line that makes no sense.
        assert done.returncode == 1, f"{line}\n{done.stderr}"
