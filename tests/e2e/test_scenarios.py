"""The scenario files against the real server, their zones loaded through the API.

A view is a server of its own here, with the zones that the file shows in it; crates/server's tests
ask every file with all its views at once.
"""

import dns.query
import pytest

import scenarios
from harness import Zone, create, refusal, upsert, wait_insync

FILES = {path.stem: path for path in sorted(scenarios.FOLDER.glob("*.txt"))}

# Files whose zones Route 53's API refuses, and in which words.
REFUSED = {"wildcard-ns": "NS records cannot be wildcards"}


def changes(zone):
    """The batch that makes a new zone into this one."""
    for (name, rtype, ttl, policy), values in zone.sets.items():
        own = name == zone.apex and rtype in ("SOA", "NS")
        more = scenarios.policy(policy, {}, {})
        yield (upsert if own else create)(name, rtype, *values, ttl=ttl, **more)


def load(server, zones, vpcs):
    client = server.client()
    vpcs = scenarios.create_vpcs(server, vpcs)
    for zone in zones:
        made = scenarios.create_zone(client, zone, vpcs)
        wait_insync(client, made.send(*changes(zone)))


@pytest.mark.parametrize("name", [name for name in FILES if name not in REFUSED])
def test_answered_as_written(start, name):
    scenario = scenarios.read(FILES[name])
    wrong = []
    for view in sorted({query.view for query in scenario.queries}):
        server = start()
        zones = [zone for zone in scenario.zones if zone.vpcs or view in zone.views]
        load(server, zones, scenario.vpcs)
        for query in scenario.queries:
            if query.view == view:
                asked = scenarios.message(query)
                send = dns.query.tcp if "tcp" in query.options else dns.query.udp
                reply = send(
                    asked,
                    server.addresses[0],
                    timeout=10,
                    port=server.dns_port,
                    source=query.options.get("client"),
                    one_rr_per_rrset=True,
                )
                got = scenarios.normal(scenarios.reply_of(asked, reply))
                expected = [scenarios.normal(each) for each in query.expected]
                if got not in expected:
                    wrong.append(f"{FILES[name]}:{query.line}\n  expected {expected}\n  got {got}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_the_api(start, name):
    scenario = scenarios.read(FILES[name])
    client = start().client()
    refusals = []
    for zone in scenario.zones:
        made = Zone(client, zone.apex)
        refusals.append(refusal(lambda: made.send(*changes(zone))))
    assert any(REFUSED[name] in text for _, text in refusals), refusals
