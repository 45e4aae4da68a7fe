"""Checks that go by routing controls, and the command that turns these."""

import pytest

from harness import Zone, create, eventually
from health_checks import Checks

PANEL = "arn:aws:route53-recovery-control::123456789012:controlpanel/0a1b/routingcontrol/"


def test_answers_follow_routing_controls(start):
    server = start()
    checks = Checks(server)

    def control(verb, arn):
        return server.admin("health", "control", verb, arn)

    def state(check):
        shown = server.admin("health", "show", check["Id"])
        return shown["state"], shown["why"]

    zone = Zone(checks.client, "cells.example")
    cells = {}
    for name, address, role in (("a", "192.0.2.1", "PRIMARY"), ("b", "192.0.2.2", "SECONDARY")):
        config = {"Type": "RECOVERY_CONTROL", "RoutingControlArn": PANEL + name}
        cells[name] = checks.make(config)
        zone.change(
            create(
                "www.cells.example",
                "A",
                address,
                SetIdentifier=name,
                Failover=role,
                HealthCheckId=cells[name]["Id"],
            )
        )
    assert state(cells["a"]) == ("unhealthy", "routing control off, never turned")

    def answer(address):
        return eventually(lambda: server.values("www.cells.example") == {address})

    turned = control("on", PANEL + "b")
    assert turned["arn"] == PANEL + "b" and turned["state"] == "on"
    assert answer("192.0.2.2")
    assert state(cells["b"]) == ("healthy", "routing control on")
    control("on", PANEL + "a")
    assert answer("192.0.2.1")
    control("off", PANEL + "a")
    assert answer("192.0.2.2")
    assert state(cells["a"]) == ("unhealthy", "routing control off")
    checks.update(cells["a"], Inverted=True)
    assert eventually(
        lambda: state(cells["a"]) == ("healthy", "routing control off; inverted")
    )
    control("on", PANEL + "unused")
    listed = {each["arn"]: each for each in server.admin("health", "control", "list")}
    assert [(arn[-1], each["state"]) for arn, each in sorted(listed.items())] == [
        ("a", "off"),
        ("b", "on"),
        ("d", "on"),
    ]
    assert listed[PANEL + "b"]["checks"] == [cells["b"]["Id"]]
    assert listed[PANEL + "unused"]["checks"] == [] and listed[PANEL + "b"]["turned_at"]
    # What was turned outlives a restart.
    server.stop()
    server.start()
    after = server.admin("health", "control", "list")
    assert {each["arn"]: each for each in after} == listed
    assert answer("192.0.2.1"), "an inverted check whose control is off"


@pytest.mark.parametrize("arn", ["routingcontrol/a", "arn:aws:route53:::healthcheck/a", ""])
def test_what_is_no_routing_control_is_not_turned(meridian, arn):
    done = meridian.admin("health", "control", "on", arn, check=False, as_json=False)
    assert done.returncode != 0 and "is no ARN of a routing control" in done.stderr
