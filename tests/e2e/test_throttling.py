"""Requests a second, per account: what SDKs see, and that nobody pays for anybody else."""

import concurrent.futures
import http.client
import time

import botocore.exceptions
import pytest

from harness import Key, Meridian, eventually

QUOTA = "MAX_REQUESTS_PER_SECOND"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Meridian(tmp_path_factory.mktemp("throttling")) as server:
        yield server


@pytest.fixture
def tenant(server):
    """A key of a new account that may send five requests a second."""
    key = server.new_account(f"tenant{time.time_ns()}")
    server.admin("quota", "set", "--account", key.account, QUOTA, "5")
    return key


def throttled(client):
    """The first refusal of many requests."""
    for _ in range(50):
        try:
            client.list_hosted_zones()
        except botocore.exceptions.ClientError as error:
            return error.response
    raise AssertionError("50 requests at once were carried out")


def test_more_than_the_quota_is_throttled_in_route_53s_words(server, tenant):
    refused = throttled(server.client(tenant))
    assert refused["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused["Error"]["Code"] == "Throttling"
    assert refused["Error"]["Message"] == "Rate exceeded"
    told = server.data / "audit.log"
    assert eventually(lambda: '"errorCode":"Throttling"' in told.read_text())


TAGS = {
    "list": lambda c: c.list_tags_for_resource(ResourceType="hostedzone", ResourceId="Z0"),
    "list all": lambda c: c.list_tags_for_resources(ResourceType="hostedzone", ResourceIds=["Z0"]),
    "change": lambda c: c.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId="Z0", RemoveTagKeys=["k"]
    ),
}


@pytest.mark.parametrize("call", TAGS)
def test_operations_on_tags_have_a_code_of_their_own(server, tenant, call):
    client = server.client(tenant)
    throttled(client)
    with pytest.raises(botocore.exceptions.ClientError) as raised:
        for _ in range(20):
            try:
                TAGS[call](client)
            except botocore.exceptions.ClientError as error:
                if error.response["Error"]["Code"] == "ThrottlingException":
                    raise
    assert raised.value.response["Error"]["Message"] == "Rate exceeded"


def test_sdks_recover_by_their_own_retries(server, tenant):
    client = server.client(tenant, retries={"mode": "standard", "total_max_attempts": 10})
    answers = [client.list_hosted_zones() for _ in range(12)]
    assert all("HostedZones" in answer for answer in answers)
    assert sum(answer["ResponseMetadata"]["RetryAttempts"] for answer in answers) > 0


def test_nobody_pays_for_another(server, tenant):
    throttled(server.client(tenant))
    other = server.client()
    for _ in range(20):
        other.list_hosted_zones()


def test_strangers_cannot_use_up_a_tenants_requests(server, tenant):
    """Wrong signatures with the tenant's own key id, from the same address."""
    forged = server.client(Key(tenant.id, "x" * 40))

    def attack(_):
        try:
            forged.list_hosted_zones()
        except botocore.exceptions.ClientError as error:
            return error.response["Error"]["Code"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        codes = set(pool.map(attack, range(100)))
    # After some they hear no more of what is wrong, and nothing more is written about them.
    assert codes == {"SignatureDoesNotMatch", "Throttling"}
    client = server.client(tenant)
    for _ in range(5):
        client.list_hosted_zones()
    lines = (server.data / "audit.log").read_text().count('"SignatureDoesNotMatch"')
    assert lines < 100


def test_who_signs_nothing_is_bounded_too(server):
    connection = http.client.HTTPConnection(server.api, timeout=10)
    statuses = set()
    for _ in range(60):
        connection.request("GET", "/2013-04-01/hostedzone")
        response = connection.getresponse()
        response.read()
        statuses.add(response.status)
    assert 400 in statuses and statuses <= {400, 403}
    assert "HostedZones" in server.client().list_hosted_zones()
