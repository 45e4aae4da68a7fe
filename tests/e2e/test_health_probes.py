"""Health checks at work: real endpoints are probed, and answers go by what is found."""

import contextlib
import json
import re
import resource
import socket
import subprocess
import time
import urllib.request

import dns.exception
import dns.message
import dns.query
import pytest

from harness import (
    LONG,
    Meridian,
    Zone,
    adopt_successors,
    create,
    eventually,
    free_port,
    reference,
)
from resolver import Unbound

# Of endpoints that die their answers move away within threshold times interval and this.
SLACK = 1.0


class Nginx:
    """A web server that says it is well on one port, and other things on others."""

    def __init__(self, folder, address):
        self.home, self.address, self.process = folder, address, None
        folder.mkdir()
        self.ports = {name: free_port((address,)) for name in ("good", "bad", "redirect")}
        answers = {"good": '200 "all is well"', "bad": "503", "redirect": "302 http://127.0.0.1:1/"}
        servers = "".join(
            f"server {{ listen {address}:{self.ports[name]}; return {answer}; }}\n"
            for name, answer in answers.items()
        )
        temporary = "".join(
            f"{name}_temp_path {folder}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (folder / "nginx.conf").write_text(f"""
            daemon off;
            master_process off;
            pid {folder}/pid;
            error_log {folder}/error.log;
            events {{ worker_connections 64; }}
            http {{ access_log {folder}/access.log; {temporary} {servers} }}
        """)

    def start(self):
        command = ["nginx", "-e", self.home / "error.log", "-p", self.home]
        self.process = subprocess.Popen([*command, "-c", self.home / "nginx.conf"])
        assert eventually(lambda: listens(self.address, self.ports["good"]))
        return self

    def become_well(self):
        """Says on all ports what it said on the good one."""
        self.kill()
        config = self.home / "nginx.conf"
        config.write_text(config.read_text().replace("return 503", "return 200"))
        self.start()

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


def listens(address, port):
    with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
        return True
    return False


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Meridian(tmp_path_factory.mktemp("probes")) as server:
        allow_short_intervals(server)
        yield server


@pytest.fixture
def nginx(tmp_path):
    started = []

    def start(address="127.0.0.1"):
        started.append(Nginx(tmp_path / f"nginx{len(started)}", address).start())
        return started[-1]

    yield start
    for each in started:
        each.kill()


def allow_short_intervals(server):
    (account,) = [each for each in server.admin("account", "list") if each["operator"]]
    server.admin("quota", "set", "--account", account["id"], "MIN_HEALTH_CHECK_INTERVAL_SECONDS", 1)


def make(server, port, address="127.0.0.1", **more):
    client = server.client(parameter_validation=False)
    config = {
        "Type": "HTTP",
        "IPAddress": address,
        "Port": port,
        "RequestInterval": 1,
        "FailureThreshold": 1,
    }
    made = client.create_health_check(CallerReference=reference(), HealthCheckConfig=config | more)
    return made["HealthCheck"]["Id"]


def voted(server, check):
    """What the one checker says, once it says something."""

    def told():
        votes = server.admin("health", "show", check)["votes"]
        vote = votes and votes["checkers"][0]
        return vote if vote and vote["vote"] in ("healthy", "unhealthy") else None

    return eventually(told, 20, 0.1)


def answers(server, name):
    return [str(address) for set_ in server.ask(name).answer for address in set_]


def flips(server, check):
    log = server.data / "health-events.log"
    events = map(json.loads, log.read_text().splitlines()) if log.exists() else ()
    return [event["to"] for event in events if event["check"] == check]


def failover(server, name, primary):
    zone = Zone(server.client(), name)
    www = f"www.{name}"
    zone.change(
        create(www, "A", "192.0.2.1", SetIdentifier="1", Failover="PRIMARY", HealthCheckId=primary),
        create(www, "A", "192.0.2.2", SetIdentifier="2", Failover="SECONDARY"),
    )
    return www


@pytest.mark.alone
def test_the_answer_leaves_an_endpoint_that_dies_and_comes_back(server, nginx):
    web = nginx()
    threshold = 2
    check = make(server, web.ports["good"], FailureThreshold=threshold)
    www = failover(server, "fails.example.", check)
    assert voted(server, check)["vote"] == "healthy"
    assert answers(server, www) == ["192.0.2.1"]
    for step, expected in ((web.kill, "192.0.2.2"), (web.start, "192.0.2.1")):
        step()
        began = time.monotonic()
        assert eventually(lambda: answers(server, www) == [expected], 10), server.log_tail()
        took = time.monotonic() - began
        assert took < threshold + SLACK, took
    # Nothing flaps.
    time.sleep(2.5)
    assert flips(server, check) == ["unhealthy", "healthy"]


def test_failover_works_beside_checks_that_nobody_probes(tmp_path, nginx):
    """A checker's table has a line for 64 places, and is counted where both know who has them."""
    web = nginx()
    with Meridian(tmp_path / "beside") as server:
        allow_short_intervals(server)
        client = server.client()

        def beside(**config):
            made = client.create_health_check(
                CallerReference=reference(), HealthCheckConfig=config
            )
            return made["HealthCheck"]["Id"]

        first = make(server, web.ports["good"])
        arn = "arn:aws:route53-recovery-control::111122223333:controlpanel/a/routingcontrol/b"
        alarm = {"Region": "us-east-1", "Name": "none"}
        beside(Type="TCP", IPAddress="127.0.0.1", Port=9, Disabled=True)
        beside(Type="RECOVERY_CONTROL", RoutingControlArn=arn)
        beside(
            Type="CLOUDWATCH_METRIC",
            AlarmIdentifier=alarm,
            InsufficientDataHealthStatus="Healthy",
        )
        second = make(server, web.ports["good"])
        both = beside(Type="CALCULATED", ChildHealthChecks=[first, second], HealthThreshold=1)
        www = [failover(server, f"fails-{n}.example.", check) for n, check in enumerate((first, both))]
        assert voted(server, second)["vote"] == "healthy"
        assert [answers(server, name) for name in www] == [["192.0.2.1"], ["192.0.2.1"]]
        web.kill()
        assert eventually(
            lambda: all(answers(server, name) == ["192.0.2.2"] for name in www), 30, 0.1
        )
        # Enabled again, a check is voted on as it was.
        client.update_health_check(HealthCheckId=first, Disabled=True)
        assert eventually(lambda: answers(server, www[0]) == ["192.0.2.1"], 30, 0.1)
        client.update_health_check(HealthCheckId=first, Disabled=False)
        assert eventually(lambda: answers(server, www[0]) == ["192.0.2.2"], 30, 0.1)


def test_the_reason_is_told(server, nginx):
    web = nginx()
    silent = socket.create_server(("127.0.0.1", free_port()))
    found = {
        "good": make(server, web.ports["good"]),
        "redirect": make(server, web.ports["redirect"]),
        "tcp": make(server, web.ports["good"], Type="TCP"),
        "string": make(server, web.ports["good"], Type="HTTP_STR_MATCH", SearchString="is well"),
        "refused": make(server, free_port()),
        "status": make(server, web.ports["bad"]),
        "missing": make(server, web.ports["good"], Type="HTTP_STR_MATCH", SearchString="Is well"),
        "tls": make(server, web.ports["good"], Type="HTTPS"),
        "timeout": make(server, silent.getsockname()[1]),
    }
    expected = {
        "good": "Success: HTTP Status Code 200, OK",
        "redirect": "Success: HTTP Status Code 302, ",
        "tcp": "Success: ",
        "string": "Success: HTTP Status Code 200, OK",
        "refused": "Failure: Connection refused",
        "status": "Failure: HTTP Status Code 503, ",
        "missing": "Failure: HTTP Status Code 200, OK. Search string not found",
        "tls": "Failure: SSL ",
        "timeout": "Failure: Response timed out",
    }
    for name, check in found.items():
        vote = voted(server, check)
        assert vote["saw"].startswith(expected[name]), (name, vote)
        well = expected[name].startswith("Success")
        assert vote["vote"] == ("healthy" if well else "unhealthy")
    silent.close()
    client = server.client()
    (status,) = client.get_health_check_status(HealthCheckId=found["good"])["HealthCheckObservations"]
    assert status["StatusReport"]["Status"] == "Success: HTTP Status Code 200, OK"
    assert (status["Region"], status["IPAddress"]) == ("us-east-1", "127.0.0.1")
    failures = client.get_health_check_last_failure_reason(HealthCheckId=found["refused"])
    (failure,) = failures["HealthCheckObservations"]
    assert failure["StatusReport"]["Status"] == "Failure: Connection refused"
    assert client.get_checker_ip_ranges()["CheckerIpRanges"] == ["127.0.0.1/32"]
    told = server.admin("health", "list", as_json=False)
    assert "observed: 1 of 1 checkers say healthy" in told
    assert "observed: 0 of 1 checkers say healthy" in told


def test_what_was_known_outlives_kill_9(start_again, nginx):
    server = start_again
    web = nginx()
    checks = {"bad": make(server, web.ports["bad"])}
    www = failover(server, "killed.example.", checks["bad"])
    assert eventually(lambda: answers(server, www) == ["192.0.2.2"])
    # Answers move before the disk knows why. It does when what is found later is counted.
    checks["good"] = make(server, web.ports["good"])
    assert voted(server, checks["good"])["vote"] == "healthy"
    cycles = 8 if LONG else 2
    for cycle in range(cycles):
        # Flips are under way, or just over.
        (web.kill if cycle % 2 == 0 else web.start)()
        time.sleep(0.7 + 0.2 * cycle)
        before = {row["id"]: row["state"] for row in server.admin("health", "list")}
        server.kill()
        server.start()
        first = answers(server, www)
        assert first == ["192.0.2.2"]
        after = {row["id"]: row["state"] for row in server.admin("health", "list")}
        changed = {check for check in before if before[check] != after[check]}
        # A probe may have ended between the two looks.
        assert checks["bad"] not in changed and len(changed) <= 1, (before, after)


@pytest.fixture
def start_again(tmp_path):
    server = Meridian(tmp_path / "killed")
    with server:
        allow_short_intervals(server)
        yield server


def test_several_checkers_vote_each(tmp_path, nginx):
    config = """
        [health]
        checkers = [
            { name = "ams", region = "eu-west-1" },
            { name = "nyc", region = "us-east-1" },
            { name = "syd", region = "ap-southeast-2" },
        ]
    """
    web = nginx()
    with Meridian(tmp_path / "three", config=config) as server:
        allow_short_intervals(server)
        check = make(server, web.ports["good"])
        assert eventually(
            lambda: (server.admin("health", "show", check)["votes"] or {}).get("healthy") == 3
        )
        votes = server.admin("health", "show", check)["votes"]
        assert [each["checker"] for each in votes["checkers"]] == ["ams", "nyc", "syd"]
        assert votes["basis"] == "votes" and votes["age_ms"] < 5_000

        def metrics():
            with urllib.request.urlopen(f"http://{server.metrics}/metrics", timeout=5) as page:
                return page.read().decode()

        for sample in (
            f'meridian_health_check_healthy{{check="{check}"}} 1',
            f'meridian_health_check_votes{{check="{check}",vote="healthy"}} 3',
            f'meridian_health_check_probe_seconds{{check="{check}",checker="nyc",part="connect"}} ',
            'meridian_checker_withholds{checker="syd"} 0',
        ):
            assert eventually(lambda: sample in metrics()), metrics()
        agents = lambda: (web.home / "access.log").read_text()
        assert eventually(lambda: re.search(rf"\(ref {check}", agents())), agents()


class Resolver(Unbound):
    """unbound, which keeps what it hears no longer than its TTL."""

    def ask(self, name):
        query = dns.message.make_query(name, "A")
        with contextlib.suppress(dns.exception.Timeout):
            reply = dns.query.udp(query, "127.0.0.1", timeout=2, port=self.port)
            return [str(address) for set_ in reply.answer for address in set_]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def test_the_next_fastest_region_answers_through_a_resolver(server, nginx, tmp_path):
    name, regions = "fast.example.", ("eu-central-1", "us-east-1", "ap-southeast-2")
    zone = Zone(server.client(), name)
    webs = [nginx() for _ in regions]
    checks = [make(server, web.ports["good"]) for web in webs]
    zone.change(
        *(
            create(
                f"www.{name}",
                "A",
                f"192.0.2.{number}",
                ttl=1,
                SetIdentifier=region,
                Region=region,
                HealthCheckId=check,
            )
            for number, (region, check) in enumerate(zip(regions, checks))
        )
    )
    for check in checks:
        assert voted(server, check)["vote"] == "healthy"
    with Resolver(tmp_path, server, name) as resolver:
        # Whichever is the fastest from here, one after the other dies.
        order = eventually(lambda: resolver.ask(f"www.{name}"))
        while len(order) < len(regions):
            webs[int(order[-1][-1])].kill()

            def moved():
                answered = resolver.ask(f"www.{name}")
                return answered if answered != order[-1:] else None

            next_best = eventually(moved)
            assert next_best, server.log_tail()
            order += next_best
        assert sorted(order) == ["192.0.2.0", "192.0.2.1", "192.0.2.2"]
        # The first comes back, and is preferred again.
        webs[int(order[0][-1])].start()
        assert eventually(lambda: resolver.ask(f"www.{name}") == [order[0]])


def test_a_replaced_server_hands_over_what_is_known(tmp_path, nginx):
    adopt_successors()
    web = nginx()
    with Meridian(tmp_path / "replaced") as server:
        allow_short_intervals(server)
        check = make(server, web.ports["bad"])
        www = failover(server, "replaced.example.", check)
        assert eventually(lambda: answers(server, www) == ["192.0.2.2"])
        for _ in range(2):
            server.replace()
            # The first answer of the new process, and those after its own probes.
            assert answers(server, www) == ["192.0.2.2"]
            assert voted(server, check)["vote"] == "unhealthy"
            assert answers(server, www) == ["192.0.2.2"]
        assert flips(server, check) == ["unhealthy"]
        # Where DNS is answered without a journal, what is known holds, and endpoints are probed.
        assert server.stop() == 0
        (server.data / "vault.redb").rename(server.data / "elsewhere")
        server.start()
        assert server.health("readyz/changes") == 503
        assert answers(server, www) == ["192.0.2.2"]
        web.become_well()
        assert eventually(lambda: answers(server, www) == ["192.0.2.1"])


def test_a_low_limit_of_descriptors_is_raised(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 512), hard))
    try:
        server = Meridian(tmp_path).start()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (
            min(hard, 65536) if hard != resource.RLIM_INFINITY else 65536,
            hard,
        )
    finally:
        server.kill()
