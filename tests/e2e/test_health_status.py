"""What the API tells of what checkers saw."""

import ipaddress

import pytest

from harness import refusal
from health_checks import Checks


@pytest.fixture
def checks(meridian):
    return Checks(meridian)


def operations(checks):
    return checks.client.get_health_check_status, checks.client.get_health_check_last_failure_reason


def test_a_check_has_a_status_in_its_account_alone(checks):
    made = checks.make()
    for operation in operations(checks):
        seen = operation(HealthCheckId=made["Id"])["HealthCheckObservations"]
        assert isinstance(seen, list)
    other = Checks(checks.server)
    for operation in operations(other):
        assert refusal(lambda: operation(HealthCheckId=made["Id"])) == (
            "NoSuchHealthCheck",
            f"A health check with id {made['Id']} does not exist.",
        )
        assert refusal(lambda: operation(HealthCheckId="0" * 65))[0] == "InvalidInput"


def test_a_calculated_check_has_none(checks):
    parent = checks.make(checks.parent(checks.make()))
    for operation in operations(checks):
        code, text = refusal(lambda: operation(HealthCheckId=parent["Id"]))
        assert code == "InvalidInput" and "calculated" in text


def test_everybody_may_know_where_checkers_are(checks):
    nobody = checks.server.client(checks.server.new_user(checks.key.account, "nobody"))
    ranges = nobody.get_checker_ip_ranges()["CheckerIpRanges"]
    networks = [ipaddress.ip_network(each) for each in ranges]
    assert networks == sorted(networks, key=ipaddress.get_mixed_type_key)
    assert refusal(nobody.list_health_checks)[0] == "AccessDenied"
