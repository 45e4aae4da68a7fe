"""What all end-to-end tests of a process share: one server, its log beside a failure, and a record of
what clients were answered."""

import itertools
import os

import pytest

from harness import SEEN, Meridian, Zone
from visitor import Visitor

_numbers = itertools.count(1)
_running = []


@pytest.fixture(scope="session")
def meridian(tmp_path_factory):
    """The server that tests share which do not stop or rearrange it.

    It probes nothing: the endpoints of most tests are nobody's.
    """
    config = "[health]\nenabled = false\n"
    with Meridian(tmp_path_factory.mktemp("meridian"), config=config) as server:
        _running.append(server)
        yield server
        _running.remove(server)
        assert server.stop() == 0, f"SIGTERM: not a clean exit\n{server.log_tail()}"


@pytest.fixture
def start(tmp_path):
    """Starts servers of a test's own: `start()`, `start(addresses=[…])`."""
    servers = []

    def start(**options):
        server = Meridian(tmp_path / f"meridian{len(servers)}", **options)
        servers.append(server)
        _running.append(server)
        return server.start()

    yield start
    for server in servers:
        server.kill()
        _running.remove(server)


@pytest.fixture(scope="session")
def route53(meridian):
    """A boto3 client of the operator's account."""
    return meridian.client()


@pytest.fixture
def zone(route53):
    """A new, empty zone with a name of its own."""
    return Zone(route53, f"zone{next(_numbers)}.example.")


@pytest.fixture
def visitor(meridian):
    """Somebody at the console, signed in with the operator's key."""
    visitor = Visitor(meridian)
    assert visitor.sign_in(meridian.operator()).status == 200
    return visitor


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    SEEN.files.add(item.path.name)
    item.logs_began = {server: server.log.stat().st_size for server in _running}


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in _running:
            log = server.log_tail(since=item.logs_began.get(server, 0))
            report.sections.append((f"log of {server.folder}", log))


def pytest_sessionfinish():
    """Leaves what was seen to the tests that look at whole runs."""
    if "MERIDIAN_TEST_SEEN" in os.environ:
        SEEN.keep(os.environ["MERIDIAN_TEST_SEEN"])
