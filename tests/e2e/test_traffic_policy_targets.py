"""Traffic policies whose endpoints are hosts elsewhere: NSD says where these are, instances lead to
them, move from one to another at once, and leave nothing behind; also when the server is killed."""

import json
import random
import threading
import time

import pytest

from elsewhere import APEX, Nsd
from harness import LONG, Threads, alias, change, eventually, reference, refusal
from instances import BERKELEY, BERLIN, Owner, after_kills, seen_from

LINES = 4 if not LONG else 40
CONFIG = """[health]
enabled = false
[targets]
resolvers = ["{}"]
min_ttl_s = 1
"""
HOSTS = ["cdn-1", "cdn-2", "lb-1", "lb-2", "any-1", "any-2"]
# What each is at: the last number is the version that leads there.
LINES_OF_NSD = [
    f"{host} 60 A 10.0.0.{20 * (place // 2) + int(host[-1])}" for place, host in enumerate(HOSTS)
]


@pytest.fixture
def nsd(tmp_path):
    with Nsd(tmp_path) as nsd:
        nsd.have(*LINES_OF_NSD)
        yield nsd


def document(version):
    """Europe has a distribution, Berkeley's country a load balancer, all others any host."""
    endpoints = {
        "cdn": {"Type": "cloudfront", "Value": f"cdn-{version}.{APEX}"},
        "lb": {"Type": "elastic-load-balancer", "Value": f"LB-{version}.{APEX}"},
        "own": {"Type": "value", "Value": f"192.0.2.10{version}"},
    }
    return json.dumps(
        {
            "AWSPolicyFormatVersion": "2015-10-01",
            "RecordType": "A",
            "StartRule": "where",
            "Endpoints": endpoints,
            "Rules": {
                "where": {
                    "RuleType": "geo",
                    "Locations": [
                        {"Continent": "EU", "EndpointReference": "cdn"},
                        {"Country": "US", "EndpointReference": "lb",
                         "EvaluateTargetHealth": "true"},
                        {"IsDefault": "true", "EndpointReference": "own"},
                    ],
                },
            },
        }
    )


# Documentation's, which is nowhere.
NOWHERE = "203.0.113.0/24"


def expected(version):
    return {
        BERLIN: {f"10.0.0.{version}"},
        BERKELEY: {f"10.0.0.{20 + version}"},
        NOWHERE: {f"192.0.2.10{version}"},
    }


def seen(server, name):
    return {net: seen_from(net, name, server.dns_port) for net in (BERLIN, BERKELEY, NOWHERE)}


def answers(server, name, version):
    """Whether a name comes to be answered by this version of the document."""

    def as_expected():
        try:
            return seen(server, name) == expected(version)
        except AssertionError:
            # Nobody has said yet where the hosts are.
            return False

    return eventually(as_expected, 20, 0.05)


def targets(server):
    return {each["name"].rstrip(".") for each in server.admin("target", "list")}


def entitled(server):
    """An account that may be led to addresses of private networks."""
    owner = Owner(server)
    server.admin("account", "set", owner.key.account, "--probes", "private")
    return owner


def with_policy(server):
    """An account whose policy has two versions, and whose zone keeps all hosts known."""
    owner = entitled(server)
    known = [
        change("CREATE", alias(f"{host}.{owner.zone.name}", f"{host}.{APEX}", "ZEXTERNAL"))
        for host in HOSTS
    ]
    owner.zone.change(*known)
    return owner, owner.policy(document(1), document(2))


def test_hosts_elsewhere_are_led_to_moved_and_let_go(nsd, start):
    server = start(config=CONFIG.format(nsd.address))
    owner = entitled(server)
    policy = owner.policy(document(1), document(2))
    made = owner.make("www", policy, ttl=30)
    name = f"www.{owner.zone.name}"
    assert answers(server, name, 1), server.admin("target", "list")
    hosts = lambda version: {f"{kind}-{version}.{APEX}".rstrip(".") for kind in ("cdn", "lb")}
    assert targets(server) == hosts(1)
    explained = json.dumps(server.admin("explain", name, "A", "--client", "141.20.1.1"))
    assert f"cdn-1.{APEX}".rstrip(".") in explained
    nsd.have("cdn-2 1 A 10.0.0.2", "lb-2 1 A 10.0.0.22")
    owner.update(made, policy, 2)
    assert answers(server, name, 2), server.admin("target", "list")
    assert eventually(lambda: targets(server) == hosts(2))
    # A host moves by itself.
    nsd.have("cdn-2 1 A 10.0.0.77", "lb-2 1 A 10.0.0.22")
    assert eventually(lambda: seen_from(BERLIN, name, server.dns_port) == {"10.0.0.77"})
    owner.gone(made)
    assert eventually(lambda: server.rcode(name) == "NXDOMAIN")
    assert eventually(lambda: targets(server) == set())
    owner.client.delete_hosted_zone(Id=owner.zone.id)


def test_an_update_moves_all_hosts_at_once(nsd, start):
    server = start(config=CONFIG.format(nsd.address))
    owner, policy = with_policy(server)
    name = f"www.{owner.zone.name}"
    made = owner.make("www", policy)
    assert answers(server, name, 1)
    over, pairs, port = threading.Event(), [], server.dns_port

    def ask():
        while not over.is_set():
            # Never an error: what is known of the hosts stays known.
            first, second = (seen_from(net, name, port) for net in (BERLIN, BERKELEY))
            pairs.append(tuple(int(str(*values)[-1]) for values in (first, second)))

    def update():
        try:
            for version in [2, 1] * LINES:
                time.sleep(random.uniform(0, 0.02))
                owner.update(made, policy, version)
                owner.applied(made)
                assert seen(server, name) == expected(version)
        finally:
            over.set()

    with Threads(update, ask):
        pass
    versions = [version for pair in pairs for version in pair]
    assert set(versions) == {1, 2}
    moves = sum(one != other for one, other in zip(versions, versions[1:]))
    assert moves <= 2 * LINES, pairs


def test_a_kill_leaves_one_tree_and_its_hosts(nsd, start):
    server = start(config=CONFIG.format(nsd.address))
    owner, policy = with_policy(server)
    made = owner.make("www", policy)
    name = f"www.{owner.zone.name}"
    assert answers(server, name, 1)
    for now in after_kills(server, owner, made, policy, LINES):
        known = now["TrafficPolicyVersion"]
        assert answers(server, name, known), (known, seen(server, name))
    owner.gone(made)
    assert eventually(lambda: server.rcode(name) == "NXDOMAIN")
    owner.zone.change(
        *(change("DELETE", alias(f"{host}.{owner.zone.name}", f"{host}.{APEX}", "ZEXTERNAL"))
          for host in HOSTS)
    )
    # Nothing of any tree is left.
    owner.client.delete_hosted_zone(Id=owner.zone.id)
    assert server.stop() == 0
    server.admin("journal", "verify", as_json=False)


QUOTA = "MAX_EXTERNAL_ALIASES_BY_OWNER"


def test_aliases_to_hosts_elsewhere_are_counted_and_limited(meridian):
    owner = Owner(meridian)
    zone, account = owner.zone, owner.key.account
    allow = lambda limit: meridian.admin("quota", "set", "--account", account, QUOTA, str(limit))
    external = lambda name: alias(f"{name}.{zone.name}", f"{name}.{APEX}", "ZEXTERNAL")
    used = lambda: next(
        each for each in meridian.admin("quota", "list", "--account", account)
        if each["quota"] == QUOTA
    )
    assert (used()["limit"], used()["used"]) == (2000, 0)
    allow(3)
    zone.change(*(change("CREATE", external(name)) for name in ("a", "b")))
    policy = owner.policy(document(1), document(2))
    code, text = refusal(lambda: owner.make("www", policy))
    exceeded = (
        f"Exceeded limit {QUOTA} for account: {account}: there can be no more than 3 aliases that "
        "target names outside of its hosted zones"
    )
    # A tree with two of them is two too many.
    assert (code, text) == ("InvalidInput", exceeded)
    zone.change(change("CREATE", external("c")))
    refused = lambda *names: refusal(
        lambda: zone.send(*(change("UPSERT", external(name)) for name in names))
    )
    assert refused("d") == ("InvalidChangeBatch", f"[{exceeded}]")
    assert refused("d", "e")[0] == "InvalidChangeBatch"
    # What is there may be written again, and one be taken for another.
    zone.change(change("UPSERT", external("a") | {"AliasTarget": external("z")["AliasTarget"]}))
    zone.change(change("DELETE", external("b")), change("CREATE", external("d")))
    assert used()["used"] == 3
    # In all zones of the account together, those of others left aside.
    other = Owner(meridian)
    other.zone.change(change("CREATE", alias(f"a.{other.zone.name}", f"a.{APEX}", "ZEXTERNAL")))
    document_of_zone = meridian.folder / f"{reference()}.json"
    sets = [external(name) for name in ("b", "c", "d", "e")]
    document_of_zone.write_text(json.dumps({"ResourceRecordSets": sets}))
    into = ("zone", "import", document_of_zone, "--zone", zone.id, "--replace")
    failed = meridian.admin(*into, check=False, as_json=False)
    assert failed.returncode != 0 and QUOTA in failed.stderr and "would have 4" in failed.stderr
    assert used()["used"] == 3
    meridian.admin(*into, "--beyond-quota")
    assert used()["used"] == 4
    # Less than before is never too many.
    zone.change(change("DELETE", external("e")))
    assert refused("e")[0] == "InvalidChangeBatch"
    allow(5)
    made = owner.make("www", policy)
    assert used()["used"] == 5
    owner.gone(made)
    assert used()["used"] == 3


def test_loops_over_hosts_that_are_here_after_all_are_named(meridian):
    owner = Owner(meridian)
    zone = owner.zone
    name = lambda label: f"{label}.{zone.name}"
    external = lambda label, target: change("CREATE", alias(name(label), target, "ZEXTERNAL"))
    zone.change(external("a", name("b")))
    code, text = refusal(lambda: zone.send(external("b", name("a"))))
    assert code == "InvalidChangeBatch"
    assert text.endswith(f"but that makes a loop: {name('b')} -> {name('a')} -> {name('b')}]")
    # An instance is refused for it too: its root is where its endpoint leads.
    looping = document(1).replace(f"cdn-1.{APEX}", name("www"))
    code, text = refusal(lambda: owner.make("www", owner.policy(looping)))
    assert code == "InvalidInput" and "that makes a loop: _tp-" in text and name("www") in text, text
    assert [set_["Name"] for set_ in zone.sets(own=True)] == [name("a")]
