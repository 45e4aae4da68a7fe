"""Routing against the real server: the scenario files of crate `answer`, loaded through the API,
with health checks, collections, VPCs and aliases, and where networks are from a file in MaxMind's
format; and what the countries that come with the server say.
"""

import itertools
import uuid

import dns.edns
import dns.query
import pytest

import scenarios
from harness import Zone, alias, change, create, eventually, reference, upsert, wait_insync

FILES = {path.stem: path for path in sorted(scenarios.ROUTING.glob("*.txt"))}
READ = {name: scenarios.read(path) for name, path in FILES.items()}

# How often a query is asked at most that may be answered in several ways.
ROUNDS = 200


# Files with sets that the API does not make, and in which words it says so.
REFUSED = {"cidr-gone": "A CIDR collection with id"}


def load_collections(client, scenario):
    ids = {}
    for collection, location in scenario.collections:
        if collection not in ids:
            made = client.create_cidr_collection(Name=collection, CallerReference=reference())
            ids[collection] = made["Collection"]["Id"]
        blocks = scenario.collections[collection, location]
        changed = {"LocationName": location, "Action": "PUT", "CidrList": blocks}
        client.change_cidr_collection(Id=ids[collection], Changes=[changed])
    return ids


def load(server, scenario, checks):
    """Creates everything but what Route 53 refuses: aliases to what is not there."""
    client = server.client()
    collections = load_collections(client, scenario)
    vpcs = scenarios.create_vpcs(server, scenario.vpcs)
    zones = {zone.apex: scenarios.create_zone(client, zone, vpcs) for zone in scenario.zones}
    waiting = []
    for zone in scenario.zones:
        made, changes = zones[zone.apex], []
        for (name, rtype, ttl, policy), values in zone.sets.items():
            more = scenarios.policy(policy, checks.ids, collections)
            if ttl == "ALIAS":
                waiting += [(made, name, rtype, value, more) for value in values]
            else:
                own = name == zone.apex and rtype in ("SOA", "NS")
                changes.append((upsert if own else create)(name, rtype, *values, ttl=ttl, **more))
        wait_insync(client, made.send(*changes))
    refused = load_aliases(zones, waiting)
    # What is refused for want of a target is made with one that goes again.
    for made, name, rtype, value, more in refused:
        target, *options = value.split()
        options = scenarios.words(" ".join(options))
        home = zones.get(options.get("in"), made)
        if "in" in options and options["in"] not in zones:
            continue
        helper = create(target, rtype, "192.0.2.200")
        home.change(helper)
        load_aliases(zones, [(made, name, rtype, value, more)])
        home.change({**helper, "Action": "DELETE"})
    return {name for _, name, _, value, _ in refused if "in=nowhere" in value}


def load_aliases(zones, waiting):
    """Aliases after their targets; returns those whose targets are nowhere."""
    while waiting:
        left = []
        for made, name, rtype, value, more in waiting:
            target, *options = value.split()
            options = scenarios.words(" ".join(options))
            home = zones.get(options["in"]) if "in" in options else made
            evaluate = "evaluate" in options
            try:
                zone_id = home.id if home else "Z00000000000000000000"
                set_ = alias(name, target, zone_id, rtype, evaluate, **more)
                made.change(change("CREATE", set_))
            except made.client.exceptions.InvalidChangeBatch:
                left.append((made, name, rtype, value, more))
        if len(left) == len(waiting):
            return left
        waiting = left
    return []


def ask(server, query):
    asked = scenarios.message(query)
    send = dns.query.tcp if "tcp" in query.options else dns.query.udp
    source = query.options.get("client")
    where = dict(timeout=10, port=server.dns_port, source=source, one_rr_per_rrset=True)
    reply = send(asked, server.addresses[0], **where)
    return scenarios.normal(scenarios.reply_of(asked, reply))


def unseen(server, query):
    """The right replies that never came, or a wrong one that did."""
    expected = [scenarios.normal(each) for each in query.expected]
    left = list(expected)
    for _ in range(ROUNDS):
        got = ask(server, query)
        if got not in expected:
            return got
        left = [other for other in left if other != got]
        if not left:
            return None
    return left


@pytest.mark.parametrize("name", [name for name in READ if name not in REFUSED])
def test_answered_as_written(start, tmp_path, name):
    scenario, places = READ[name], tmp_path / "places.mmdb"
    scenarios.write_places(places, scenario.places)
    files = f'"{places}"' if scenario.places else ""
    server = start(config=f"[geo]\nfiles = [{files}]\nbuilt_in = false\n")
    checks = scenarios.Checks(server.client(), scenarios.check_names(scenario))
    absent = load(server, scenario, checks)
    wrong = []
    asked = [query for query in scenario.queries if query.name not in absent]
    for down, queries in itertools.groupby(asked, key=lambda query: query.down):
        queries = list(queries)
        if down != checks.down:
            checks.set_down(down)
            # A switch has no change to wait for; the answers themselves are what shows it, and one
            # alone may be the same as before.
            eventually(lambda: all(unseen(server, query) is None for query in queries))
        for query in queries:
            if (got := unseen(server, query)) is not None:
                where = f"{FILES[name]}:{query.line}"
                wrong.append(f"{where}\n  expected {query.expected}\n  got {got}")
    assert not wrong, "\n".join(wrong)


def test_shares_and_orders_over_udp(start):
    """What a file cannot say: how often each reply comes, and which record is first."""
    server = start()
    zone = Zone(server.client(), "often.test")
    nine = [f"192.0.2.{number}" for number in range(1, 10)]
    zone.change(
        create("share.often.test", "A", "192.0.2.1", SetIdentifier="a", Weight=70),
        create("share.often.test", "A", "192.0.2.2", SetIdentifier="b", Weight=30),
        *(
            create("nine.often.test", "A", value, SetIdentifier=value, MultiValueAnswer=True)
            for value in nine
        ),
    )

    def values(name):
        reply = server.ask(name)
        return [str(value) for set_ in reply.answer for value in set_]

    rounds = 600
    first = sum(values("share.often.test") == ["192.0.2.1"] for _ in range(rounds))
    # Five standard deviations.
    assert abs(first - 0.7 * rounds) < 5 * (rounds * 0.7 * 0.3) ** 0.5
    replies = [values("nine.often.test") for _ in range(rounds // 3)]
    assert all(len(set(reply)) == len(reply) == 8 for reply in replies)
    assert {reply[0] for reply in replies} == set(nine), "each is first at times"
    assert len({frozenset(reply) for reply in replies}) == 9, "each is left out at times"
    assert len({tuple(reply) for reply in replies}) > 150, "in any order"


@pytest.mark.parametrize("name", REFUSED)
def test_refused_by_the_api(route53, name):
    zone = READ[name].zones[0]
    made = Zone(route53, zone.apex)
    there = {each["collection"]: str(uuid.uuid4()) for each in scenarios.policies(READ[name]) if "collection" in each}
    for (owner, rtype, ttl, policy), values in zone.sets.items():
        if policy:
            more = scenarios.policy(policy, {}, there)
            code, text = made.refused(create(owner, rtype, *values, ttl=ttl, **more))
            assert code == "InvalidChangeBatch" and REFUSED[name] in text


# Networks that have been where they are for decades: a university of Tokyo, RIPE NCC, and a part
# of Amsterdam; nobody is in the last.
TOKYO, AMSTERDAM, NOBODY = "133.11.0.0/24", "193.0.0.0/24", "198.51.100.0/24"


def values(server, name, subnet):
    """The values of an answer, and the scope it is told for."""
    address, _, bits = subnet.partition("/")
    option = dns.edns.ECSOption(address, int(bits))
    reply = server.ask(name, payload=1232, options=[option])
    scope = [o.scopelen for o in reply.options if o.otype == dns.edns.ECS]
    return {str(value) for set_ in reply.answer for value in set_}, scope[0]


def test_places_come_with_the_server(start):
    server = start()
    zone = Zone(server.client(), "example.test")
    zone.change(
        create("geo.example.test", "A", "192.0.2.1", SetIdentifier="jp", GeoLocation={"CountryCode": "JP"}),
        create("geo.example.test", "A", "192.0.2.2", SetIdentifier="eu", GeoLocation={"ContinentCode": "EU"}),
        create("geo.example.test", "A", "192.0.2.3", SetIdentifier="*", GeoLocation={"CountryCode": "*"}),
        create("fast.example.test", "A", "192.0.2.1", SetIdentifier="a", Region="ap-northeast-1"),
        create("fast.example.test", "A", "192.0.2.2", SetIdentifier="b", Region="eu-central-1"),
        create("near.example.test", "A", "192.0.2.1", SetIdentifier="a",
               GeoProximityLocation={"Coordinates": {"Latitude": "35.7", "Longitude": "139.7"}}),
        create("near.example.test", "A", "192.0.2.2", SetIdentifier="b",
               GeoProximityLocation={"AWSRegion": "eu-west-1", "Bias": 10}),
    )
    for name in ["geo", "fast", "near"]:
        for subnet, expected in [(TOKYO, "192.0.2.1"), (AMSTERDAM, "192.0.2.2")]:
            got, scope = values(server, f"{name}.example.test", subnet)
            assert got == {expected}, (name, subnet)
            assert 0 < scope <= 24, (name, subnet)
    assert values(server, "geo.example.test", NOBODY)[0] == {"192.0.2.3"}
    # Nobody knows where, so the same at every time.
    first = values(server, "fast.example.test", NOBODY)
    assert all(values(server, "fast.example.test", NOBODY) == first for _ in range(20))
    dig = server.dig("geo.example.test", f"+subnet={TOKYO}", "+short")
    assert dig.split() == ["192.0.2.1"]


def test_no_place_fits_and_there_is_no_default(start):
    server = start()
    zone = Zone(server.client(), "example.test")
    zone.change(
        create("geo.example.test", "A", "192.0.2.1", SetIdentifier="jp", GeoLocation={"CountryCode": "JP"}),
    )
    reply = server.ask("geo.example.test")
    assert (reply.rcode(), reply.answer) == (0, [])
    assert [set_.ttl for set_ in reply.authority] == [60]


def test_changes_of_a_target_are_seen_through_its_aliases(start):
    server = start()
    client = server.client()
    one, two = Zone(client, "one.test"), Zone(client, "two.test")
    two.change(create("www.two.test", "A", "192.0.2.1", ttl=33))
    one.change(change("CREATE", alias("one.test", "www.two.test", two.id)))
    assert server.values("one.test") == {"192.0.2.1"}
    two.change(upsert("www.two.test", "A", "192.0.2.7", ttl=44))
    reply = server.ask("one.test")
    assert [(str(set_.name), set_.ttl, str(set_[0])) for set_ in reply.answer] == [
        ("one.test.", 44, "192.0.2.7")
    ]
    # Everything is as before after a start from the tables.
    server.stop()
    server.start()
    assert server.values("one.test") == {"192.0.2.7"}
