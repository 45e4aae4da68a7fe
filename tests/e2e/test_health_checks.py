"""Health checks by the API: what may be made, changed and deleted, and who may name them."""

import re

import pytest

from harness import Zone, change, reference, refusal, rrset
from health_checks import HTTP, NOBODYS, Checks

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
ENDPOINT = {
    "RequestInterval": 30,
    "FailureThreshold": 3,
    "MeasureLatency": False,
    "Inverted": False,
    "Disabled": False,
}
ARN = "arn:aws:route53-recovery-control::123456789012:controlpanel/a/routingcontrol/b"
# What is sent, and what is added to it in answers.
TYPES = [
    (HTTP, ENDPOINT | {"Port": 80, "EnableSNI": False}),
    (
        {"Type": "HTTPS", "IPAddress": "2001:db8::1", "ResourcePath": "/up?a=b"},
        ENDPOINT | {"Port": 443, "EnableSNI": True},
    ),
    (
        {
            "Type": "HTTP_STR_MATCH",
            "IPAddress": "192.0.2.1",
            "SearchString": "<ok> & fine",
            "Port": 8080,
        },
        ENDPOINT | {"EnableSNI": False},
    ),
    (
        {
            "Type": "HTTPS_STR_MATCH",
            "FullyQualifiedDomainName": "www.example.com",
            "IPAddress": "192.0.2.1",
            "SearchString": "ok",
            "RequestInterval": 10,
            "FailureThreshold": 1,
            "MeasureLatency": True,
            "Inverted": True,
            "Disabled": True,
            "EnableSNI": False,
            "Regions": ["us-east-1", "eu-west-1", "sa-east-1"],
        },
        {"Port": 443},
    ),
    (
        {"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 25},
        ENDPOINT | {"EnableSNI": False},
    ),
    (
        {"Type": "CALCULATED", "HealthThreshold": 0},
        {"Inverted": False, "Disabled": False, "ChildHealthChecks": []},
    ),
    (
        {
            "Type": "CLOUDWATCH_METRIC",
            "AlarmIdentifier": {"Region": "ap-southeast-7", "Name": "alarm"},
        },
        {"Inverted": False, "Disabled": False, "InsufficientDataHealthStatus": "LastKnownStatus"},
    ),
    (
        {"Type": "RECOVERY_CONTROL", "RoutingControlArn": ARN},
        {"Inverted": False, "Disabled": False},
    ),
]


@pytest.fixture
def checks(meridian):
    return Checks(meridian)


@pytest.mark.parametrize("sent,added", TYPES, ids=lambda config: config.get("Type"))
def test_each_type_is_made_and_read_back(checks, sent, added):
    name = reference()
    made = checks.make(sent, name)
    assert UUID.fullmatch(made["Id"]) and checks.status == 201
    assert checks.location.endswith(f"/2013-04-01/healthcheck/{made['Id']}")
    assert made == {
        "Id": made["Id"],
        "CallerReference": name,
        "HealthCheckConfig": sent | added,
        "HealthCheckVersion": 1,
    }
    assert checks.get(made) == made
    assert checks.all() == [made]
    assert checks.client.get_health_check_count()["HealthCheckCount"] == 1
    assert checks.make(sent, name) == made, "the same request has the same answer"
    checks.delete(made)
    assert refusal(lambda: checks.get(made)) == (
        "NoSuchHealthCheck",
        f"A health check with id {made['Id']} does not exist.",
    )
    assert checks.client.get_health_check_count()["HealthCheckCount"] == 0


def test_a_reference_is_used_once(checks):
    made = checks.make(HTTP, "same")
    exists = (
        "HealthCheckAlreadyExists",
        "A different health check has already been created with the specified caller reference.",
    )
    assert checks.refused(HTTP, name="same", Port=81) == exists
    assert Checks(checks.server).make(HTTP, "same")["Id"] != made["Id"], "references are accounts'"
    updated = checks.update(made, Port=81)
    assert checks.make(HTTP, "same") == updated
    checks.delete(made)
    assert checks.refused(HTTP, name="same") == exists
    assert checks.make(HTTP)["Id"] != made["Id"]


def test_an_update_changes_what_it_names(checks):
    made = checks.make(
        {"Type": "HTTPS", "IPAddress": "192.0.2.1"},
        Regions=["us-east-1", "us-west-1", "us-west-2"],
        FullyQualifiedDomainName="a.example",
        ResourcePath="/",
    )
    updated = checks.update(
        made,
        HealthCheckVersion=1,
        IPAddress="192.0.2.2",
        Port=8443,
        FailureThreshold=10,
        Inverted=True,
        Disabled=True,
        EnableSNI=False,
        ResetElements=["FullyQualifiedDomainName", "ResourcePath", "Regions"],
    )
    config = {
        "Type": "HTTPS",
        "IPAddress": "192.0.2.2",
        "Port": 8443,
        "RequestInterval": 30,
        "FailureThreshold": 10,
        "MeasureLatency": False,
        "Inverted": True,
        "Disabled": True,
        "EnableSNI": False,
    }
    assert updated == made | {"HealthCheckConfig": config, "HealthCheckVersion": 2}
    assert checks.get(made) == updated
    assert refusal(lambda: checks.update(made, HealthCheckVersion=1, Port=1)) == (
        "HealthCheckVersionMismatch",
        "The specified version does not match the version of the health check, which is 2.",
    )
    assert checks.update(made)["HealthCheckVersion"] == 3


def test_an_update_of_what_cannot_change_is_refused(checks):
    named = checks.make()
    for settings, word in (
        ({"IPAddress": "192.0.2.1"}, "cannot be added"),
        ({"SearchString": "a"}, "search string"),
        ({"ResetElements": ["FullyQualifiedDomainName"]}, "must have an IP address"),
        ({"AlarmIdentifier": {"Region": "us-east-1", "Name": "a"}}, "metric region"),
        ({"HealthThreshold": 1}, "health threshold"),
    ):
        code, text = refusal(lambda: checks.update(named, **settings))
        assert code == "InvalidInput" and word in text
    assert checks.get(named) == named


def test_route_53s_own_words(checks):
    tcp = {"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 1}
    assert checks.refused(tcp, FullyQualifiedDomainName="a.example") == (
        "InvalidInput",
        "TCP health checks that have IP address must not have a fully qualified domain name"
        " specified.",
    )
    assert checks.refused(HTTP, AlarmIdentifier={"Region": "us-east-1", "Name": "a"}) == (
        "InvalidInput",
        "Invalid parameter : Basic health checks must not have an metric region specified.",
    )


@pytest.mark.parametrize(
    "config",
    [
        {"Type": "HTTP"},
        {"Type": "HTTP", "IPAddress": "224.0.0.1"},
        {"Type": "HTTP", "FullyQualifiedDomainName": "a example"},
        {"Type": "HTTP_STR_MATCH", "IPAddress": "192.0.2.1"},
        {"Type": "TCP", "IPAddress": "192.0.2.1"},
        HTTP | {"SearchString": "a"},
        HTTP | {"RequestInterval": 20},
        HTTP | {"ResourcePath": "/a b"},
        HTTP | {"Regions": ["us-east-1", "us-east-1", "us-west-1"]},
        HTTP | {"HealthThreshold": 1},
        {"Type": "CALCULATED"},
        {"Type": "CALCULATED", "HealthThreshold": 1, "Port": 80},
        {"Type": "CALCULATED", "HealthThreshold": 1, "ChildHealthChecks": [NOBODYS]},
        {"Type": "CLOUDWATCH_METRIC"},
        {"Type": "RECOVERY_CONTROL"},
        {"Type": "RECOVERY_CONTROL", "RoutingControlArn": ARN, "FailureThreshold": 3},
    ],
)
def test_what_does_not_go_together_is_invalid(checks, config):
    assert checks.refused(config)[0] == "InvalidInput"
    assert checks.all() == []


def test_calculated_checks_nest_without_loops_and_keep_their_children(checks):
    leaf = checks.make()
    middle = checks.make(checks.parent(leaf))
    top = checks.make(checks.parent(leaf, middle, threshold=256))
    assert top["HealthCheckConfig"]["ChildHealthChecks"] == [leaf["Id"], middle["Id"]]
    for loop in (middle, top):
        code, text = refusal(lambda: checks.update(middle, ChildHealthChecks=[loop["Id"]]))
        assert code == "InvalidInput" and "from itself" in text
    for child in (leaf, middle):
        assert refusal(lambda: checks.delete(child))[0] == "HealthCheckInUse"
    checks.update(top, ResetElements=["ChildHealthChecks"])
    checks.delete(middle)
    checks.delete(leaf)
    assert [check["Id"] for check in checks.all()] == [top["Id"]]


def test_checks_of_others_are_nobodys(checks):
    foreign = Checks(checks.server).make()
    missing = (
        "NoSuchHealthCheck",
        f"A health check with id {foreign['Id']} does not exist.",
    )
    assert checks.all() == []
    for call in (checks.get, checks.update, checks.delete):
        assert refusal(lambda: call(foreign)) == missing
    assert checks.refused(checks.parent(foreign)) == (
        "InvalidInput",
        f"Invalid parameter : The child health check {foreign['Id']} does not exist.",
    )
    zone = Zone(checks.client, "foreign.example")
    set_ = rrset("a.foreign.example", "A", "192.0.2.1", HealthCheckId=foreign["Id"])
    assert zone.refused(change("CREATE", set_)) == missing
    for call in (
        lambda: checks.client.list_tags_for_resource(
            ResourceType="healthcheck", ResourceId=foreign["Id"]
        ),
        lambda: checks.client.change_tags_for_resource(
            ResourceType="healthcheck", ResourceId=foreign["Id"], AddTags=[{"Key": "a"}]
        ),
    ):
        assert refusal(call) == missing


def test_ids_that_cannot_be_are_invalid_or_nobodys(checks):
    long = {"Id": "0" * 65}
    for call in (checks.get, checks.update, checks.delete):
        assert refusal(lambda: call(long))[0] == "InvalidInput"
        assert refusal(lambda: call({"Id": "Not-an-id"}))[0] == "NoSuchHealthCheck"


def test_lists_come_in_pages(checks):
    made = sorted((checks.make() for _ in range(5)), key=lambda check: check["Id"])
    page = checks.client.list_health_checks(MaxItems="2")
    assert page["IsTruncated"] and page["NextMarker"] == made[2]["Id"]
    assert (page["MaxItems"], page["Marker"]) == ("2", "")
    assert page["HealthChecks"] == made[:2]
    assert checks.all(MaxItems="5000") == made
    pages = checks.client.get_paginator("list_health_checks").paginate(
        PaginationConfig={"PageSize": 2}
    )
    assert [check for page in pages for check in page["HealthChecks"]] == made
    last = checks.client.list_health_checks(Marker=made[4]["Id"])
    assert last["HealthChecks"] == made[4:] and not last["IsTruncated"]
    assert "NextMarker" not in last
    assert refusal(lambda: checks.all(Marker="No marker"))[0] == "InvalidInput"


def test_an_account_has_as_many_as_its_limit(checks):
    account = ("--account", checks.key.account)
    checks.server.admin("quota", "set", *account, "MAX_HEALTH_CHECKS_BY_OWNER", 1)
    made = checks.make()
    limit = checks.client.get_account_limit(Type="MAX_HEALTH_CHECKS_BY_OWNER")
    assert (limit["Limit"]["Value"], limit["Count"]) == (1, 1)
    assert checks.refused(HTTP) == (
        "TooManyHealthChecks",
        "Limits Exceeded: MAX_HEALTH_CHECKS_BY_OWNER - Cannot create more health checks.",
    )
    checks.delete(made)
    assert checks.make()


def test_an_account_makes_as_many_in_a_day_as_it_may(checks):
    account = ("--account", checks.key.account)
    checks.server.admin("quota", "set", *account, "MAX_HEALTH_CHECK_CREATIONS_BY_DAY", 2)
    made = [checks.make(), checks.make(name="twice")]
    for check in made:
        checks.update(check, Disabled=True)
        checks.delete(check)
    assert checks.refused(HTTP) == (
        "TooManyHealthChecks",
        "Limits Exceeded: MAX_HEALTH_CHECK_CREATIONS_BY_DAY - Cannot create more health checks.",
    )
    checks.server.admin("quota", "set", *account, "MAX_HEALTH_CHECK_CREATIONS_BY_DAY", 3)
    check = checks.make(name="thrice")
    # The same request again makes nothing.
    assert checks.make(name="thrice")["Id"] == check["Id"]


def test_addresses_that_are_not_public_take_a_right(checks):
    checks.may_probe("public")
    public = checks.make({"Type": "TCP", "IPAddress": "8.8.8.8", "Port": 53, "Disabled": True})
    for address, range_ in (
        ("10.0.0.1", "a private address"),
        ("127.0.0.1", "a loopback address"),
        ("169.254.169.254", "an address of cloud metadata"),
        ("192.0.2.44", "an address for documentation"),
        ("::1", "a loopback address"),
        ("::ffff:10.0.0.1", "a private address"),
    ):
        config = {"Type": "HTTP", "IPAddress": address}
        code, text = checks.refused(config)
        assert code == "InvalidInput" and f"{range_}, which this account may not" in text
        assert refusal(lambda: checks.update(public, IPAddress=address)) == (code, text)
    checks.may_probe("private")
    private = checks.make({"Type": "HTTP", "IPAddress": "10.0.0.1", "Disabled": True})
    assert "loopback" in checks.refused({"Type": "HTTP", "IPAddress": "127.0.0.1"})[1]
    checks.may_probe("everything")
    assert checks.make({"Type": "HTTP", "IPAddress": "127.0.0.1", "Disabled": True})
    assert "multicast" not in checks.refused({"Type": "HTTP", "IPAddress": "0.0.0.0"})[1]
    # Those that are there stay, and stay where they are.
    checks.may_probe("public")
    assert checks.update(private, Port=81)["HealthCheckVersion"] == 2
    assert refusal(lambda: checks.update(private, IPAddress="10.0.0.2"))[0] == "InvalidInput"


def test_the_operators_account_holds_every_right(meridian, route53):
    operator = meridian.operator_account()
    assert operator["probes"] == "everything"
    made = route53.create_health_check(
        CallerReference=reference(),
        HealthCheckConfig={"Type": "TCP", "IPAddress": "127.0.0.1", "Port": 1, "Disabled": True},
    )
    route53.delete_health_check(HealthCheckId=made["HealthCheck"]["Id"])
    less = ("account", "set", operator["name"], "--probes", "public")
    done = meridian.admin(*less, check=False, as_json=False)
    assert done.returncode != 0 and "holds every right" in done.stderr


def test_short_intervals_are_an_operators_leave(checks):
    loose = checks.server.client(checks.key, parameter_validation=False)
    quota = ("quota", "set", "--account", checks.key.account, "MIN_HEALTH_CHECK_INTERVAL_SECONDS")

    def make(seconds):
        config = HTTP | {"RequestInterval": seconds, "Disabled": True}
        made = loose.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
        return made["HealthCheck"]

    def interval(check):
        return checks.get(check)["HealthCheckConfig"]["RequestInterval"]

    for seconds in (0, 1, 5, 9, 20, 31):
        assert refusal(lambda: make(seconds))[0] == "InvalidInput"
    slow = checks.make()
    often = ("health", "set", slow["Id"], "--interval", 2)
    done = checks.server.admin(*often, check=False, as_json=False)
    assert done.returncode != 0 and "must be 10 or 30" in done.stderr
    checks.server.admin(*quota, 2)
    assert refusal(lambda: make(1))[0] == "InvalidInput"
    assert interval(make(2)) == 2 and interval(make(5)) == 5
    assert refusal(lambda: make(7))[0] == "InvalidInput"
    for seconds in (1, 7):
        other = ("health", "set", slow["Id"], "--interval", seconds)
        done = checks.server.admin(*other, check=False, as_json=False)
        assert done.returncode != 0 and "must be 2, 3, 4, 5, 10 or 30." in done.stderr
    checks.server.admin(*often)
    assert interval(slow) == 2 and checks.get(slow)["HealthCheckVersion"] == 2
    # What is there stays when the quota does not.
    checks.server.admin(*quota, 20)
    assert interval(checks.update(slow, Port=81)) == 2
    assert refusal(lambda: make(10))[0] == "InvalidInput"
    assert make(30)


def test_tags_are_the_checks_and_go_with_it(checks):
    made = checks.make()
    resource = {"ResourceType": "healthcheck", "ResourceId": made["Id"]}

    def tags():
        return checks.client.list_tags_for_resource(**resource)["ResourceTagSet"]

    assert tags() == resource | {"Tags": []}
    name = [{"Key": "Name", "Value": "front door"}]
    checks.client.change_tags_for_resource(**resource, AddTags=name)
    assert tags() == resource | {"Tags": name}
    both = checks.client.list_tags_for_resources(
        ResourceType="healthcheck", ResourceIds=[made["Id"]]
    )
    assert both["ResourceTagSets"] == [tags()]
    quotas = checks.server.admin("quota", "list", "--account", checks.key.account)
    (most,) = (row for row in quotas if row["quota"] == "MAX_TAGS_BY_RESOURCE")
    assert (most["used"], most["used_by"]) == (1, made["Id"])
    checks.delete(made)
    assert refusal(tags)[0] == "NoSuchHealthCheck"


def test_record_sets_name_checks_that_may_be_deleted_all_the_same(checks):
    zone, made = Zone(checks.client, "checked.example"), checks.make()
    set_ = rrset("a.checked.example", "A", "192.0.2.1", HealthCheckId=made["Id"])
    zone.send(change("CREATE", set_))
    listed = [each for each in zone.sets() if each["Name"] == "a.checked.example."]
    assert [each["HealthCheckId"] for each in listed] == [made["Id"]]
    assert checks.server.values("a.checked.example") == {"192.0.2.1"}
    checks.delete(made)
    assert checks.server.values("a.checked.example") == {"192.0.2.1"}
    # To delete the set takes no check; to write it anew does.
    assert zone.refused(change("UPSERT", set_))[0] == "NoSuchHealthCheck"
    zone.send(change("DELETE", set_))


def test_checks_survive_a_restart(start):
    server = start()
    checks = Checks(server)
    made = checks.make(checks.parent(checks.make()))
    before = checks.all()
    server.stop()
    server.start()
    checks.client = server.client(checks.key)
    assert checks.all() == before
    assert checks.update(made)["HealthCheckVersion"] == 2


def test_an_account_with_checks_is_not_deleted(checks):
    made = checks.make()
    checks.server.admin("key", "delete", checks.key.id)
    done = checks.server.admin("account", "delete", checks.key.account, check=False, as_json=False)
    assert done.returncode != 0 and "1 health check" in done.stderr
    assert made
