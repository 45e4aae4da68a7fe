"""Resources: hosts and addresses with a region, and a health check perhaps."""

import uuid

BALANCER = "web-1.eu-west-1.elb.amazonaws.com"


def refusal(server, *command):
    refused = server.admin("resource", *command, check=False)
    assert refused.returncode == 1, refused
    return refused.stderr


def test_resources_are_registered_shown_and_forgotten(start):
    server = start()
    assert server.admin("resource", "list") == []
    row = {"health_check": None, "state": None, "account": "operator"}
    balancer = {"name": f"{BALANCER}.", "region": "eu-west-1"} | row
    assert server.admin("resource", "add", BALANCER) == balancer
    address = {"name": "192.0.2.7", "region": "us-east-1"} | row
    assert server.admin("resource", "add", "192.0.2.7", "--region", "us-east-1") == address
    server.stop()
    server.start()
    assert server.admin("resource", "list") == [address, balancer]
    assert server.admin("resource", "show", BALANCER.upper()) == balancer
    moved = balancer | {"region": "eu-north-1"}
    assert server.admin("resource", "add", BALANCER, "--region", "eu-north-1") == moved
    assert server.admin("resource", "list") == [address, moved]
    shown = server.admin("resource", "list", as_json=False)
    assert shown.splitlines()[1].split() == ["operator", "-", "192.0.2.7", "us-east-1", "-"]
    assert server.admin("resource", "remove", BALANCER) == {"removed": f"{BALANCER}."}
    assert server.admin("resource", "list") == [address]


def test_resources_are_an_accounts_own(meridian):
    name = f"tenant-{uuid.uuid4().hex[:8]}"
    meridian.admin("account", "create", name)
    own = ("--account", name)
    meridian.admin("resource", "add", "192.0.2.8", "--region", "us-east-1", *own)
    assert [r["name"] for r in meridian.admin("resource", "list", *own)] == ["192.0.2.8"]
    assert "no resource 192.0.2.8" in refusal(meridian, "show", "192.0.2.8")
    refused = meridian.admin("account", "delete", name, check=False)
    assert refused.returncode == 1 and "1 resource" in refused.stderr
    meridian.admin("resource", "remove", "192.0.2.8", *own)
    meridian.admin("account", "delete", name)


def test_a_health_check_is_shown_with_its_state(meridian):
    client = meridian.client()
    check = client.create_health_check(
        CallerReference=str(uuid.uuid4()),
        HealthCheckConfig={"Type": "CALCULATED", "HealthThreshold": 1, "ChildHealthChecks": []},
    )["HealthCheck"]["Id"]
    with_check = ("add", BALANCER, "--health-check", check)
    added = meridian.admin("resource", *with_check)
    assert (added["health_check"], added["state"]) == (check, "unhealthy"), added
    client.delete_health_check(HealthCheckId=check)
    assert meridian.admin("resource", "show", BALANCER)["state"] == "gone"
    assert f"no health check '{check}'" in refusal(meridian, *with_check)
    meridian.admin("resource", "remove", BALANCER)


def test_what_cannot_be_registered_is_refused(meridian):
    bare = refusal(meridian, "add", "2001:db8::7")
    assert "a bare address, which has no region: say --region" in bare
    for arguments, part in [
        (("add", "lb.example.net"), "lb.example.net. does not tell its region"),
        (("add", "lb.example.net", "--region", "home"), "there is no region 'home'"),
        (("add", "x.mars-north-1.elb.amazonaws.com"), "there is no region 'mars-north-1'"),
        (("add", "*.example.net", "--region", "us-east-1"), "neither a host name nor an address"),
        # These were registered, under names that no target has.
        (("add", "192.0.2.0/24", "--region", "us-east-1"), "neither a host name nor an address"),
        (("add", "192.0.2.256", "--region", "us-east-1"), "neither a host name nor an address"),
        (("add", "http://lb.example.net", "--region", "us-east-1"), "neither a host name nor"),
        (("add", "lb.example.net:443", "--region", "us-east-1"), "neither a host name nor an address"),
        (("add", "lb.example.net", "--account", "nobody"), "there is no account 'nobody'"),
        (("remove", "lb.example.net"), "there is no resource lb.example.net"),
        (("list", "--account", "nobody"), "there is no account 'nobody'"),
    ]:
        assert part in refusal(meridian, *arguments)
