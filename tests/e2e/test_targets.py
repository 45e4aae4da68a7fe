"""External alias targets, resolved beside the queries: what becomes of answers while the world that
they come from changes, fails, lies or is silent."""

import ipaddress
import json
import time
import urllib.request

import dns.edns
import dns.message
import dns.query
import dns.rcode
import pytest

from elsewhere import APEX, Nsd, Scripted, Silence
from harness import Meridian, Zone, adopt_successors, alias, change, create, eventually
from resolver import Unbound

OURS = "ours.example"
EXTERNAL = "ZEXTERNAL"


def config(*resolvers, **settings):
    """Short times: those that nobody has here are proven by tables of the judge."""
    settings = {"min_ttl_s": 1, "timeout_ms": 1000, "resolvers": list(resolvers)} | settings
    lines = [f"{key} = {json.dumps(value)}" for key, value in settings.items()]
    return "\n".join(["[targets]", *lines, ""])


@pytest.fixture
def nsd(tmp_path):
    with Nsd(tmp_path) as nsd:
        yield nsd


@pytest.fixture
def begin(tmp_path):
    """Starts servers with settings, and stops them."""
    started = []

    def begin(*resolvers, **settings):
        folder = tmp_path / f"server-{len(started)}"
        started.append(Meridian(folder, config=config(*resolvers, **settings)).start())
        return started[-1]

    yield begin
    for server in started:
        server.kill()


def external(name, target, rtype="A", action="CREATE", **more):
    return change(action, alias(name, target, EXTERNAL, rtype=rtype, **more))


def shown(server, name, rtype="A"):
    """What the server says of a target; nothing where it does not know it."""
    listed = server.admin("target", "list")
    found = [each for each in listed if (each["name"], each["type"]) == (name, rtype)]
    return found[0] if found else {}


def state(server, name, rtype="A"):
    return shown(server, name, rtype).get("state")


def becomes(server, name, values, rtype="A", timeout=10):
    """Whether a name comes to be answered so."""
    return eventually(lambda: server.values(name, rtype) == set(values), timeout, 0.02)


def extended_error(reply):
    return [option.code for option in reply.options if isinstance(option, dns.edns.EDEOption)]


def is_unknown(server, name):
    """Whether it is said that nobody knows."""
    reply = server.ask(name, payload=1232)
    return reply.rcode() == dns.rcode.SERVFAIL and bool(extended_error(reply))


def metric(server, sample):
    """The value of a sample of /metrics."""
    with urllib.request.urlopen(f"http://{server.metrics}/metrics", timeout=5) as page:
        lines = page.read().decode().splitlines()
    (line,) = [line for line in lines if line.startswith(f"{sample} ")]
    return int(line.removeprefix(sample))


def test_answers_follow_what_targets_say(nsd, begin):
    nsd.have(
        "cdn 60 A 192.0.2.1", "cdn 60 AAAA 2001:db8::1", 'cdn 60 HTTPS 1 edge alpn="h2"',
        "chain 60 CNAME link", "link 2 CNAME cdn",
    )
    server = begin(nsd.address)
    zone = Zone(server.client(), OURS)
    cdn = f"cdn.{APEX}"
    zone.change(
        external(OURS, cdn), external(OURS, cdn, "AAAA"), external(OURS, cdn, "HTTPS"),
        external(f"chain.{OURS}", f"CHAIN.{APEX}"),
    )
    assert becomes(server, OURS, ["192.0.2.1"]), server.log_tail()
    assert becomes(server, OURS, ["2001:db8::1"], "AAAA")
    assert becomes(server, OURS, [f'1 edge.{APEX} alpn="h2"'], "HTTPS")
    (answer,) = server.ask(OURS).answer
    # No CNAME is seen, and what is left of the target's TTL is told.
    assert answer.name.to_text() == f"{OURS}." and 1 <= answer.ttl <= 60
    assert becomes(server, f"chain.{OURS}", ["192.0.2.1"])
    # The shortest link counts.
    assert server.ask(f"chain.{OURS}").answer[0].ttl <= 2
    found = shown(server, cdn)
    assert (found["state"], found["data"], found["source"]) == ("answers", ["192.0.2.1"], nsd.address)
    assert found["failures"] == 0 and found["last_error"] is None and found["age_s"] < 60
    assert {each["type"] for each in server.admin("target", "show", cdn)} == {"A", "AAAA", "HTTPS"}
    text = server.admin("target", "show", cdn, as_json=False)
    assert "192.0.2.1" in text and nsd.address in text
    refused = server.admin("target", "show", "a.b", check=False)
    assert refused.returncode and "no alias points to" in refused.stdout + refused.stderr
    explained = json.dumps(server.admin("explain", OURS, "A", "--client", "192.0.2.9"))
    assert cdn.rstrip(".") in explained and nsd.address in explained
    # The chain's end moves; it is asked for again when the shortest TTL is over.
    nsd.have("cdn 60 A 192.0.2.1", "chain 60 CNAME link", "link 2 CNAME other", "other 2 A 192.0.2.7")
    assert becomes(server, f"chain.{OURS}", ["192.0.2.7"])
    assert server.values(OURS) == {"192.0.2.1"}
    lookups = 'meridian_alias_target_lookups_total{outcome="answers"}'
    assert metric(server, 'meridian_alias_target_failures_total{reason="rcode"}') == 0
    assert eventually(lambda: metric(server, 'meridian_alias_targets{state="answers"}') == 4)
    assert metric(server, lookups) >= 4
    # What nobody points to any more is not asked for.
    zone.change(external(f"chain.{OURS}", f"CHAIN.{APEX}", action="DELETE"))
    assert eventually(lambda: not shown(server, f"chain.{APEX}"))


def test_ttls_shrink_and_grow_with_the_target_within_bounds(nsd, begin):
    nsd.have("cdn 2 A 192.0.2.1")
    server = begin(nsd.address, max_ttl_s=30)
    zone = Zone(server.client(), OURS)
    zone.change(external(OURS, f"cdn.{APEX}"))
    assert becomes(server, OURS, ["192.0.2.1"])
    assert server.ask(OURS).answer[0].ttl <= 2
    nsd.have("cdn 900 A 192.0.2.2")
    assert becomes(server, OURS, ["192.0.2.2"])
    assert eventually(lambda: 2 < server.ask(OURS).answer[0].ttl <= 30)
    before = server.ask(OURS).answer[0].ttl
    assert eventually(lambda: server.ask(OURS).answer[0].ttl < before)


def test_the_last_good_answer_stays_while_nobody_can_say(nsd, begin):
    nsd.have("cdn 1 A 192.0.2.1")
    server = begin(nsd.address, keep_s=3)
    zone = Zone(server.client(), OURS)
    zone.change(external(OURS, f"cdn.{APEX}"), external(f"new.{OURS}", f"new.{APEX}", "AAAA"))
    assert becomes(server, OURS, ["192.0.2.1"])
    nsd.stop()
    stopped = time.monotonic()
    assert eventually(lambda: shown(server, f"cdn.{APEX}")["failures"])
    assert "nothing listens" in shown(server, f"cdn.{APEX}")["last_error"]
    # As long as it stays, it is answered; there is nothing in between.
    while not is_unknown(server, OURS):
        reply = server.ask(OURS)
        if reply.rcode() == dns.rcode.NOERROR:
            assert {str(value) for value in reply.answer[0]} == {"192.0.2.1"}
            assert reply.answer[0].ttl <= 1
        assert time.monotonic() - stopped < 30
    assert time.monotonic() - stopped > 1.5
    assert state(server, f"cdn.{APEX}") == "unknown"
    nsd.start("cdn 1 A 192.0.2.2")
    assert becomes(server, OURS, ["192.0.2.2"], timeout=70)


def test_a_name_that_is_gone_is_believed_to_be_after_a_while(nsd, begin):
    nsd.have("cdn 1 A 192.0.2.1", "typed 1 A 192.0.2.2")
    server = begin(nsd.address, gone_after_s=3)
    zone = Zone(server.client(), OURS)
    zone.change(
        external(OURS, f"cdn.{APEX}", evaluate=True, SetIdentifier="one", Failover="PRIMARY"),
        create(OURS, "A", "192.0.2.99", SetIdentifier="two", Failover="SECONDARY"),
        external(f"typed.{OURS}", f"typed.{APEX}"),
        external(f"never.{OURS}", f"never.{APEX}"),
    )
    assert becomes(server, OURS, ["192.0.2.1"])
    assert becomes(server, f"typed.{OURS}", ["192.0.2.2"])
    # Nothing is held for what never was.
    assert eventually(lambda: state(server, f"never.{APEX}") == "no-such-name")
    assert eventually(lambda: server.rcode(f"never.{OURS}") == "NOERROR")
    nsd.have('typed 1 TXT "no address any more"')
    gone = nsd.changed
    assert eventually(
        lambda: "said not to exist" in (shown(server, f"cdn.{APEX}")["last_error"] or "")
        or time.monotonic() - gone > 3
    )
    # Nothing else is answered before the time is over.
    while server.values(OURS) != {"192.0.2.99"}:
        assert time.monotonic() - gone < 30
    assert time.monotonic() - gone > 1.5
    assert state(server, f"cdn.{APEX}") == "no-such-name"
    assert eventually(lambda: state(server, f"typed.{APEX}") == "no-data")
    assert becomes(server, f"typed.{OURS}", [])
    assert server.rcode(f"typed.{OURS}") == "NOERROR"
    nsd.have("cdn 1 A 192.0.2.3", "typed 1 A 192.0.2.4")
    assert becomes(server, OURS, ["192.0.2.3"])
    assert becomes(server, f"typed.{OURS}", ["192.0.2.4"])


def test_chains_are_followed_and_circles_are_not(nsd, begin):
    links = [f"l{n} 5 CNAME l{n + 1}" for n in range(9)]
    nsd.have(*links, "l9 5 A 192.0.2.1", "round 5 CNAME about", "about 5 CNAME round",
             "self 5 CNAME self", "away 5 CNAME nowhere.invalid.")
    server = begin(nsd.address)
    zone = Zone(server.client(), OURS)
    names = ["l1", "l0", "round", "self", "away"]
    zone.change(*(external(f"{name}.{OURS}", f"{name}.{APEX}") for name in names))
    assert becomes(server, f"l1.{OURS}", ["192.0.2.1"])
    for name, why in [("l0", "more than 8 CNAMEs"), ("round", "circle"), ("self", "circle"),
                      ("away", "REFUSED")]:
        failed = lambda n=name: shown(server, f"{n}.{APEX}").get("last_error")  # noqa: E731
        assert eventually(failed) and why in failed(), (name, failed())
        assert is_unknown(server, f"{name}.{OURS}")


def test_a_real_resolver_is_asked_and_the_next_one_if_it_fails(tmp_path, nsd, begin):
    many = [f"many 5 AAAA 2001:db8::{n:x}" for n in range(1, 61)]
    nsd.have("cdn 5 A 192.0.2.1", "round 5 CNAME round", *many)
    unbound = Unbound(tmp_path, nsd, APEX)
    try:
        with Silence() as silence, Scripted(lambda *_: dns.rcode.SERVFAIL) as failing:
            resolvers = [silence.address, failing.address, f"127.0.0.1:{unbound.port}"]
            server = begin(*resolvers, timeout_ms=300)
            zone = Zone(server.client(), OURS)
            zone.change(
                external(OURS, f"cdn.{APEX}"), external(f"gone.{OURS}", f"gone.{APEX}"),
                external(f"round.{OURS}", f"round.{APEX}"),
                external(f"many.{OURS}", f"many.{APEX}", "AAAA"),
            )
            assert becomes(server, OURS, ["192.0.2.1"])
            assert shown(server, f"cdn.{APEX}")["source"] == f"127.0.0.1:{unbound.port}"
            assert eventually(lambda: state(server, f"gone.{APEX}") == "no-such-name")
            # More than fits a datagram: by TCP.
            all_of_them = {str(ipaddress.ip_address(f"2001:db8::{n:x}")) for n in range(1, 61)}
            assert eventually(
                lambda: server.values(f"many.{OURS}", "AAAA", tcp=True) == all_of_them, 10
            )
            assert eventually(lambda: shown(server, f"round.{APEX}").get("failures"), 10)
            assert is_unknown(server, f"round.{OURS}")
            # The one that answers is asked first from now on: nobody else is asked for what is new.
            new = [f"new{n}.{APEX}" for n in range(5)]
            zone.change(*(external(f"new{n}.{OURS}", name) for n, name in enumerate(new)))
            assert eventually(lambda: all(state(server, n) == "no-such-name" for n in new), 10)
            assert not all((name, None) in failing.asked for name in new)
    finally:
        unbound.stop()


def by_subnet(question, subnet):
    """The world in three parts, of which one is not told apart."""
    if question.name.to_text() != f"cdn.{APEX}":
        return ["192.0.2.200"]
    if subnet is None:
        return ["192.0.2.1"]
    if subnet.startswith("198.51.100."):
        return ["192.0.2.2"], 24
    return ["192.0.2.3"], 16


def partly(question, subnet):
    """The same world, of which little can be seen."""
    if question.name.to_text() != f"cdn.{APEX}":
        return ["192.0.2.200"]
    return ["192.0.2.9"] if subnet is None else dns.rcode.SERVFAIL


def asked_by(server, name, subnet):
    """Values and scope for a client subnet."""
    address, source = subnet.split("/")
    query = dns.message.make_query(
        name, "A", use_edns=True, options=[dns.edns.ECSOption(address, int(source))]
    )
    reply = dns.query.udp(query, "127.0.0.1", port=server.dns_port, timeout=10)
    scopes = [o.scopelen for o in reply.options if isinstance(o, dns.edns.ECSOption)]
    return {str(value) for set_ in reply.answer for value in set_}, scopes[0]


def test_clients_of_networks_are_answered_as_targets_answer_them(begin):
    subnets = ["198.51.100.0/24", "203.0.113.0/24", "192.0.2.0/25"]
    with Scripted(by_subnet, ttl=1) as resolver:
        server = begin(resolver.address, client_subnets=subnets)
        zone = Zone(server.client(), OURS)
        zone.change(external(OURS, f"cdn.{APEX}"), external(f"www.{OURS}", f"flat.{APEX}"))
        assert becomes(server, OURS, ["192.0.2.1"])
        networks = ["192.0.0.0/16", "198.51.100.0/24", "203.0.0.0/16"]
        assert eventually(
            lambda: [n["network"] for n in shown(server, f"cdn.{APEX}")["networks"]] == networks
        )
        assert eventually(
            lambda: asked_by(server, OURS, "198.51.100.0/24") == ({"192.0.2.2"}, 24)
        )
        assert eventually(
            lambda: asked_by(server, OURS, "203.0.113.0/24") == ({"192.0.2.3"}, 16)
        )
        # Wider than was asked for, as the target says.
        assert asked_by(server, OURS, "203.0.77.0/24") == ({"192.0.2.3"}, 16)
        values, scope = asked_by(server, OURS, "10.1.2.0/24")
        assert values == {"192.0.2.1"} and scope > 0
        # Where nobody can say what a network gets any more, it gets what it got.
        resolver.answer = partly
        assert becomes(server, OURS, ["192.0.2.9"])
        assert asked_by(server, OURS, "198.51.100.0/24") == ({"192.0.2.2"}, 24)
        # A target that makes no difference is asked for the first of them only.
        assert becomes(server, f"www.{OURS}", ["192.0.2.200"])
        def asked():
            return {subnet for name, subnet in resolver.asked if name == f"flat.{APEX}"}

        assert eventually(lambda: asked() == {None, subnets[0]})
        assert eventually(lambda: asked_by(server, f"www.{OURS}", "198.51.100.0/24")[1] == 0)


def test_addresses_are_told_to_accounts_with_a_right_to_them_alone(nsd, begin):
    nsd.have(
        "inner 60 A 10.99.0.1", "inner 60 AAAA fd00:99::1",
        'inner 60 HTTPS 1 . alpn="h2" ipv4hint=10.99.0.1',
        "own 60 A 127.0.0.1", "mixed 60 A 8.8.8.8", "mixed 60 A 10.99.0.2",
    )
    server = begin(nsd.address)
    names = ["inner", "own", "mixed"]

    def zone_of(key, apex):
        zone = Zone(server.client(key), apex)
        zone.change(
            *(external(f"{name}.{apex}", f"{name}.{APEX}") for name in names),
            external(f"inner.{apex}", f"inner.{APEX}", "AAAA"),
            external(f"inner.{apex}", f"inner.{APEX}", "HTTPS"),
            create(f"over.{apex}", "A", "192.0.2.99", SetIdentifier="s", Failover="SECONDARY"),
            external(
                f"over.{apex}", f"inner.{APEX}", evaluate=True, SetIdentifier="p", Failover="PRIMARY"
            ),
        )
        return zone

    zone_of(None, OURS)
    tenant, theirs = server.new_account("tenant"), "theirs.example"
    zone = zone_of(tenant, theirs)
    assert becomes(server, f"inner.{OURS}", ["10.99.0.1"]), server.log_tail()
    assert becomes(server, f"inner.{OURS}", ["fd00:99::1"], "AAAA")
    assert becomes(server, f"own.{OURS}", ["127.0.0.1"])
    assert becomes(server, f"mixed.{OURS}", ["8.8.8.8", "10.99.0.2"])
    assert becomes(server, f"over.{OURS}", ["10.99.0.1"])
    assert eventually(lambda: server.values(f"inner.{OURS}", "HTTPS"))
    # The same names, for an account that has not been given any right.
    assert becomes(server, f"mixed.{theirs}", ["8.8.8.8"])
    assert becomes(server, f"over.{theirs}", ["192.0.2.99"])

    def is_withheld(name, rtype):
        reply = server.ask(name, rtype, payload=1232)
        return reply.rcode() == dns.rcode.SERVFAIL and extended_error(reply) == [15]

    hidden = [("inner", "A"), ("inner", "AAAA"), ("inner", "HTTPS"), ("own", "A")]
    for name, rtype in hidden:
        assert is_withheld(f"{name}.{theirs}", rtype)
    # Nothing that the account can ask for says what they are.
    client = server.client(tenant)
    for name, rtype in [*hidden, ("mixed", "A"), ("over", "A")]:
        if rtype == "HTTPS":
            continue
        answer = client.test_dns_answer(
            HostedZoneId=zone.id, RecordName=f"{name}.{theirs}", RecordType=rtype
        )
        said = set(answer["RecordData"])
        assert said == {("mixed", "A"): {"8.8.8.8"}, ("over", "A"): {"192.0.2.99"}}.get((name, rtype), set())
    # And it is explained, with what the operator can do.
    explained = json.dumps(server.admin("explain", f"inner.{theirs}", "A", "--client", "192.0.2.9"))
    assert "10.99.0.1" not in explained and '"withheld"' in explained
    told = server.admin("explain", f"inner.{theirs}", "A", "--client", "192.0.2.9", as_json=False)
    assert "account set NAME --probes private" in told, told
    assert shown(server, f"inner.{APEX}")["needs"] == ["private"]
    assert shown(server, f"own.{APEX}")["needs"] == ["everything"]
    assert "private" in server.admin("target", "show", f"inner.{APEX}", as_json=False)
    # It holds from the moment that the right is given, or taken away.
    server.admin("account", "set", "tenant", "--probes", "private")
    assert becomes(server, f"inner.{theirs}", ["10.99.0.1"])
    assert becomes(server, f"mixed.{theirs}", ["8.8.8.8", "10.99.0.2"])
    assert becomes(server, f"over.{theirs}", ["10.99.0.1"])
    assert is_withheld(f"own.{theirs}", "A")
    server.admin("account", "set", "tenant", "--probes", "public")
    assert eventually(lambda: is_withheld(f"inner.{theirs}", "A"))
    assert becomes(server, f"over.{theirs}", ["192.0.2.99"])
    # What was known before a start is withheld from the first answer on.
    kept = server.data / "targets.json"
    assert eventually(lambda: kept.exists() and "10.99.0.1" in kept.read_text())
    server.kill()
    server.start()
    assert is_withheld(f"inner.{theirs}", "A")
    assert server.values(f"inner.{OURS}") == {"10.99.0.1"}


def test_queries_never_wait_for_resolvers(begin):
    known, new = ([f"{kind}{n}.{OURS}" for n in range(50)] for kind in ("known", "new"))

    def asked(names):
        """How long it takes to ask for these, each after a name that is no alias; and replies."""
        began = time.monotonic()
        replies = []
        for name in names:
            assert server.values(f"plain.{OURS}", timeout=5) == {"192.0.2.1"}
            replies.append(server.ask(name, payload=1232, timeout=5))
        return time.monotonic() - began, replies

    with Scripted(lambda *_: ["192.0.2.2"], ttl=1) as resolver:
        # Whoever waited for a resolver would wait for ten seconds.
        server = begin(resolver.address, timeout_ms=10_000)
        zone = Zone(server.client(), OURS)
        zone.change(
            create(f"plain.{OURS}", "A", "192.0.2.1"),
            *(external(name, f"cdn-{name}") for name in known),
        )
        assert all(becomes(server, name, ["192.0.2.2"]) for name in known)
        alive, _ = asked(known)
        resolver.answer = lambda *_: None
        before = len(resolver.asked)
        assert eventually(lambda: len(resolver.asked) > before + 25)
        dead, replies = asked(known)
        for reply in replies:
            assert {str(value) for value in reply.answer[0]} == {"192.0.2.2"}
        zone.change(*(external(name, f"cdn-{name}") for name in new))
        unknown, replies = asked(new)
        for reply in replies:
            assert reply.rcode() == dns.rcode.SERVFAIL and extended_error(reply)
        # All together took less longer than one alone would have had to wait.
        assert max(dead, unknown) < alive + 10, (alive, dead, unknown)


def test_silent_targets_of_an_account_do_not_hold_up_those_of_another(begin):
    """They had all places of new ones for themselves, and stood in line before all others."""

    def say(question, _):
        return ["8.8.8.8"] if question.name.to_text().startswith("good") else None

    theirs = "theirs.example"
    good = [f"n{n}.{theirs}" for n in range(50)]
    with Scripted(say, ttl=60) as resolver:
        # Each silent one takes three seconds.
        server = begin(resolver.address, max_queries=64)
        other = Zone(server.client(server.new_account("other")), theirs)
        zone = Zone(server.client(), OURS)
        zone.change(*(external(f"n{n}.{OURS}", f"dead{n}.example.net") for n in range(300)))
        assert eventually(lambda: len(resolver.asked) >= 25)
        other.change(*(external(name, f"good-{name}") for name in good))
        assert eventually(lambda: all(server.values(name) == {"8.8.8.8"} for name in good), 30)
        # Silent ones that were there before have not been asked for yet.
        dead = {name for name, _ in resolver.asked if name.startswith("dead")}
        assert len(dead) < 250, len(dead)


def test_targets_are_known_before_the_first_answer(nsd, begin):
    nsd.have("cdn 300 A 192.0.2.1", "other 300 A 192.0.2.2")
    server = begin(nsd.address)
    zone = Zone(server.client(), OURS)
    zone.change(external(OURS, f"cdn.{APEX}"), external(f"gone.{OURS}", f"gone.{APEX}"))
    assert becomes(server, OURS, ["192.0.2.1"])
    assert eventually(lambda: state(server, f"gone.{APEX}") == "no-such-name")
    kept = server.data / "targets.json"
    both = ("192.0.2.1", "no-such-name")
    assert eventually(lambda: kept.exists() and all(word in kept.read_text() for word in both))
    nsd.stop()
    adopt_successors()
    server.replace()
    assert server.values(OURS) == {"192.0.2.1"}
    server.kill()
    server.start()
    # The very first answer, with nobody to be asked.
    assert server.values(OURS) == {"192.0.2.1"}
    assert server.rcode(f"gone.{OURS}") == "NOERROR"
    assert server.stop() == 0
    server.start()
    assert server.values(OURS) == {"192.0.2.1"}
    # Without the journal too, and there targets are asked for as well.
    assert server.stop() == 0
    journal = server.data / "journal.redb"
    journal.write_bytes(journal.read_bytes()[:100])
    server.start()
    assert server.values(OURS) == {"192.0.2.1"}
    assert shown(server, f"cdn.{APEX}")["data"] == ["192.0.2.1"]
    gone = shown(server, f"gone.{APEX}")
    assert gone["state"] == "no-such-name"
    nsd.start("cdn 300 A 192.0.2.1", "gone 300 A 192.0.2.3")
    assert becomes(server, f"gone.{OURS}", ["192.0.2.3"], timeout=70)
    # A file that cannot be read is set aside, and all is asked for again.
    server.kill()
    kept.write_text("{")
    server.start()
    assert becomes(server, OURS, ["192.0.2.1"])
    assert kept.with_suffix(".damaged").read_text() == "{"


def test_without_a_resolver_it_is_said_that_there_is_none(tmp_path):
    folder = tmp_path / "nobody"
    with Meridian(folder, config=config("127.0.0.1:9")) as server:
        zone = Zone(server.client(), OURS)
        zone.change(external(OURS, f"cdn.{APEX}"))
        assert eventually(lambda: shown(server, f"cdn.{APEX}").get("failures"))
        assert "nothing listens" in shown(server, f"cdn.{APEX}")["last_error"]
        assert is_unknown(server, OURS)
