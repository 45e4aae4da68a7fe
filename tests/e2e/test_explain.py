"""`meridian explain`: what a query is answered and why, and what it would be if things were not so."""

import urllib.request

import pytest

from harness import Zone, alias, change, create, eventually, reference, rrset

NAME = "explain.example."
CHECK_CONFIG = {"Type": "HTTP", "IPAddress": "192.0.2.80", "Port": 80, "Disabled": True}


@pytest.fixture(scope="module")
def checks(route53):
    """Two health checks, which are up."""
    made = [
        route53.create_health_check(CallerReference=f"explain {n}", HealthCheckConfig=CHECK_CONFIG)
        for n in range(2)
    ]
    return [each["HealthCheck"]["Id"] for each in made]


@pytest.fixture(scope="module")
def zone(route53, meridian, checks):
    zone = Zone(route53, NAME)
    regions = [("us", "us-east-1", "192.0.2.1"), ("eu", "eu-central-1", "192.0.2.2")]
    zone.change(
        create(f"plain.{NAME}", "A", "192.0.2.10"),
        create(f"*.wild.{NAME}", "TXT", '"any"'),
        create(f"a.b.{NAME}", "A", "192.0.2.11"),
        create(f"sub.{NAME}", "NS", "ns.elsewhere.test."),
        create(f"name.{NAME}", "CNAME", f"top.{NAME}"),
        *[
            create(f"fast.{NAME}", "A", value, SetIdentifier=key, Region=region, HealthCheckId=check)
            for (key, region, value), check in zip(regions, checks)
        ],
        create(f"draw.{NAME}", "A", "192.0.2.21", SetIdentifier="on", Weight=1),
        create(f"draw.{NAME}", "A", "192.0.2.22", SetIdentifier="off", Weight=0),
        change("CREATE", alias(f"top.{NAME}", f"fast.{NAME}", zone.id, evaluate=True)),
    )
    assert eventually(lambda: meridian.values(f"plain.{NAME}"))
    return zone


@pytest.fixture
def explain(meridian, zone):
    def explain(name, rtype="A", *options, **how):
        options = options or ("--client", "198.51.100.1")
        return meridian.admin("explain", name, rtype, *options, **how)

    return explain


def chosen(choice):
    return [each["identifier"] for each in choice["candidates"] if each["outcome"] == "chosen"]


def data(told):
    return [each["data"] for each in told["answer"]["records"] if each["section"] == "answer"]


@pytest.mark.parametrize(
    "name, rtype, placement, at, rcode",
    [
        (f"plain.{NAME}", "A", "exact", None, "NOERROR"),
        (f"PLAIN.{NAME}", "TYPE65", "exact", None, "NOERROR"),
        (f"b.{NAME}", "A", "empty", None, "NOERROR"),
        (f"x.y.wild.{NAME}", "txt", "wildcard", rf"\052.wild.{NAME}", "NOERROR"),
        (f"www.sub.{NAME}", "A", "delegated", f"sub.{NAME}", "NOERROR"),
        (f"nothing.{NAME}", "A", "nothing", None, "NXDOMAIN"),
    ],
)
def test_where_names_lead(explain, meridian, zone, name, rtype, placement, at, rcode):
    told = explain(name, rtype)
    [link] = told["links"]
    assert (link["placement"], link["at"]) == (placement, at)
    assert link["choices"] == []
    assert told["answer"]["rcode"] == rcode == meridian.rcode(name, rtype)
    assert told["zone"] == {"id": zone.id, "name": NAME, "visibility": "public"}
    assert told["zones"][0]["outcome"] == "answers"
    assert told["asked_at"] == ["127.0.0.1"]


def test_names_outside_all_zones(explain):
    told = explain("elsewhere.test")
    assert (told["zone"], told["zones"], told["links"]) == (None, [], [])
    assert told["answer"]["rcode"] == "REFUSED"
    assert told["answer"]["extended_error"]["code"] == 20


def test_choices_with_their_reasons(explain, zone, checks):
    told = explain(f"name.{NAME}", "A", "--at", "eu-west-3")
    first, second = told["links"]
    assert (first["name"], first["choices"]) == (f"name.{NAME}", [])
    assert second["name"] == f"top.{NAME}"
    over, fast = second["choices"]
    assert over["policy"] == "simple" and over["candidates"][0]["alias"] == {
        "zone": None,
        "name": f"fast.{NAME}",
        "target_health": "up",
        "external": None,
    }
    assert (over["reached_by"], fast["reached_by"]) == ("cname", "alias")
    assert (fast["name"], fast["policy"], fast["mode"]) == (f"fast.{NAME}", "latency", "healthy")
    eu, us = fast["candidates"]
    assert (eu["identifier"], eu["region"], eu["outcome"]) == ("eu", "eu-central-1", "chosen")
    assert (us["outcome"], us["why"]) == ("passed", "another is faster")
    assert 300 < eu["distance_km"] < 700 < 5000 < us["distance_km"]
    by_distance = round(5 + 1.75 * us["distance_km"] / 100, 1)
    assert abs(us["latency_ms"] - by_distance) < 0.2 and us["latency_from"] == "distance"
    assert fast["latency_map"] is None and over["candidates"][0]["latency_ms"] is None
    assert us["health_check"] == {"id": checks[0], "state": "up", "why": "disabled"}
    assert told["client"]["region"] == "eu-west-3" and told["client"]["country"] == "FR"
    assert data(told) == [f"top.{NAME}", "192.0.2.2"]
    draw = explain(f"draw.{NAME}")["links"][0]["choices"][0]
    assert chosen(draw) == ["on"]
    assert draw["candidates"][0]["why"] == "its weight is 0, and others have one"


def test_what_if_health_were_otherwise(explain, meridian, checks):
    at = ("--at", "eu-west-3")
    down = ("--health", f"{checks[1]}=down")
    [link] = explain(f"fast.{NAME}", "A", *at, *down)["links"]
    assert chosen(link["choices"][0]) == ["us"]
    assert link["choices"][0]["candidates"][0]["outcome"] == "unhealthy"
    told = explain(f"top.{NAME}", "A", *at, *down, "--health", f"{checks[0]}=down")
    over, fast = told["links"][0]["choices"]
    assert over["candidates"][0]["alias"]["target_health"] == "down"
    assert (over["mode"], fast["mode"], chosen(fast)) == ("last-resort", "last-resort", ["eu"])
    assert told["supposed"]["health"] == {check: "down" for check in checks}
    # Nothing of that is so.
    assert chosen(explain(f"fast.{NAME}", "A", *at)["links"][0]["choices"][0]) == ["eu"]
    assert meridian.ask(f"fast.{NAME}").rcode() == 0


def test_a_check_that_was_deleted_is_told(explain, route53, zone):
    config = CHECK_CONFIG | {"Inverted": True}
    made = route53.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
    check = made["HealthCheck"]["Id"]
    name = f"gone.{NAME}"
    zone.change(create(name, "A", "192.0.2.31", SetIdentifier="1", Weight=1, HealthCheckId=check))
    assert eventually(lambda: data(explain(name)))

    def told():
        (choice,) = explain(name)["links"][0]["choices"]
        return choice["candidates"][0]["health_check"]

    assert told() == {"id": check, "state": "down", "why": "disabled; inverted"}
    route53.delete_health_check(HealthCheckId=check)
    gone = {"id": check, "state": "up", "why": "there is no such check any more"}
    assert eventually(lambda: told() == gone)


def test_what_is_supposed_of_a_child_holds_for_the_checks_calculated_from_it(
    explain, route53, zone, checks
):
    def calculated(threshold, *children, **more):
        config = {"Type": "CALCULATED", "HealthThreshold": threshold, "ChildHealthChecks": children}
        made = route53.create_health_check(
            CallerReference=reference(), HealthCheckConfig={**config, **more}
        )
        return made["HealthCheck"]["Id"]

    both = calculated(2, *checks)
    some = calculated(1, *checks)
    neither = calculated(1, *checks, Inverted=True)
    name = f"calculated.{NAME}"
    sets = {"both": both, "some": some, "neither": neither}
    zone.change(*(
        create(name, "A", f"192.0.2.{number}", SetIdentifier=key, MultiValueAnswer=True,
               HealthCheckId=check)
        for number, (key, check) in enumerate(sets.items(), 41)
    ))

    def said(*supposed):
        words = [word for each in supposed for word in ("--health", each)]
        told = explain(name, "A", "--client", "198.51.100.1", *words)
        [choice] = told["links"][0]["choices"]
        why = {each["identifier"]: each["health_check"]["why"] for each in choice["candidates"]}
        return sorted(chosen(choice)), [why[key] for key in sets]

    def counted(healthy):
        of = f"{healthy} of 2 children are healthy"
        return [f"{of}, 2 needed", f"{of}, 1 needed", f"{of}, 1 needed; inverted"]

    one, other = checks
    assert eventually(lambda: said()[0] == ["both", "some"])
    assert said(f"{one}=down") == (["some"], counted(1))
    assert said(f"{one}=down", f"{other}=down") == (["neither"], counted(0))
    # What is supposed of a check itself is not counted anew, and has no reason.
    up = (f"{one}=down", f"{both}=up")
    assert said(*up) == (["both", "some"], [None, *counted(1)[1:]])
    assert said() == (["both", "some"], counted(2))


def test_the_last_resort_of_those_that_fit(explain, zone, checks):
    places = {"de": {"CountryCode": "DE"}, "eu": {"ContinentCode": "EU"}, "us": {"CountryCode": "US"}}
    of = dict(zip(places, [*checks, None]))
    zone.change(*(
        create(f"geo.{NAME}", "A", f"192.0.2.{number}", SetIdentifier=key, GeoLocation=place,
               **({"HealthCheckId": of[key]} if of[key] else {}))
        for number, (key, place) in enumerate(places.items(), 31)
    ))
    down = [word for check in checks for word in ("--health", f"{check}=down")]
    at = ("--at", "eu-central-1")
    assert eventually(lambda: data(explain(f"geo.{NAME}", "A", *at, *down)) == ["192.0.2.31"])
    choice = explain(f"geo.{NAME}", "A", *at, *down)["links"][0]["choices"][0]
    de, eu, us = choice["candidates"]
    assert choice["mode"] == "last-resort-for-client"
    assert (de["outcome"], de["health"]) == ("chosen", "down")
    assert (eu["outcome"], eu["why"]) == ("passed", "another is for fewer clients")
    assert (us["outcome"], us["why"]) == ("passed", "it is for other clients")
    text = explain(f"geo.{NAME}", "A", *at, *down, as_json=False)
    assert "none that fits the client is healthy, so the last resort is among those" in text


def test_clients_resolvers_and_networks(explain):
    def client(*options):
        told = explain(f"plain.{NAME}", "A", *options)["client"]
        return told["address"], told["length"], told["known_by"]

    resolver = ("--resolver", "203.0.113.5")
    assert client("--client", "198.51.100.7") == ("198.51.100.7", 32, "source")
    assert client(*resolver) == ("203.0.113.5", 32, "source")
    subnet = ("198.51.100.0", 24, "client-subnet")
    assert client("--client", "198.51.100.7", *resolver) == subnet
    assert client("--client", "198.51.100.7/24") == subnet
    assert client("--client", "198.51.100.7/0", *resolver) == ("203.0.113.5", 32, "source")
    six = client("--client", "2001:db8:1:2ff::1", *resolver)
    assert six == ("2001:db8:1:200::", 56, "client-subnet")


def test_zones_that_do_not_answer(start):
    server = start(addresses=["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5"])
    addresses = server.spread_pool()
    zone, below = (Zone(server.client(), name) for name in ("two.example.", "sub.two.example."))
    below.change(create(f"www.{below.name}", "A", "192.0.2.1"))

    def told(*options):
        name = f"www.{below.name}"
        told = server.admin("explain", name, "A", "--client", "192.0.2.9", *options)
        return [(each["name"], each["why"]) for each in told["zones"]], told["answer"]["rcode"]

    both = [addresses[name] for name in set(zone.name_servers) & set(below.name_servers)]
    assert told("--view", both[0]) == (
        [
            (below.name, "the longest apex that is seen"),
            (zone.name, "another has a longer apex"),
        ],
        "NOERROR",
    )
    without = set(server.addresses) - {addresses[name] for name in below.name_servers}
    zones, rcode = told("--view", without.pop())
    assert zones[0] == (below.name, "none of its name servers is at this address")
    assert rcode in ("NXDOMAIN", "REFUSED")
    assert told()[1] == "NOERROR", "without --view an address is asked that has the zone"
    strange = server.admin("explain", "x", "--at", "us-east-1", "--view", "192.0.2.1", check=False)
    assert strange.returncode == 1 and "no zone is answered at 192.0.2.1" in strange.stdout


def test_the_tree_and_refusals(meridian, explain, checks):
    tree = explain(
        f"top.{NAME}",
        "A",
        *("--at", "us-east-2", "--health", f"{checks[1]}=down"),
        as_json=False,
    )
    for part in (
        f"top.{NAME} A\n├─ client: 0.0.0.0/32 (in region us-east-2), US, NA near ",
        f"├─ supposed: health check {checks[1]} is down; the client is in us-east-2\n",
        f"├─ top.{NAME} has sets of its own\n",
        "* us (region us-east-1, ",
        f"check {checks[1]} down): unhealthy: others are healthy\n",
        "└─ answer: NOERROR; scope /0\n",
        f"   └─ top.{NAME} 300 A 192.0.2.1\n",
    ):
        assert part in tree, tree
    for rtype, more in [("A", ""), ("AAAA", ", none of type AAAA")]:
        tree = explain(f"plain.{NAME}", rtype, as_json=False)
        assert f"├─ plain.{NAME} has sets of its own{more}\n" in tree, tree
    for options, code, text in [
        ((), 2, "--client"),
        (("--client", "192.0.2.1/33"), 2, "the length is 0 to 32"),
        (("--client", "192.0.2.1", "--health", "x"), 2, "not ID=up or ID=down"),
        (("--client", "192.0.2.1", "--health", "x=up"), 1, "there is no health check 'x'"),
        (("--at", "moon-1"), 1, "'moon-1' is none of the regions"),
    ]:
        failed = meridian.admin("explain", "x.test", *options, check=False, as_json=False)
        assert failed.returncode == code and text in failed.stderr, failed


def test_nothing_of_it_is_traffic(meridian, route53, zone, explain):
    before = queries(meridian)
    explain(f"plain.{NAME}")
    request = {"HostedZoneId": zone.id, "RecordName": f"plain.{NAME}", "RecordType": "A"}
    assert route53.test_dns_answer(**request)["RecordData"] == ["192.0.2.10"]
    assert queries(meridian) == before
    meridian.values(f"plain.{NAME}")
    assert queries(meridian) == before + 1


def queries(meridian):
    """What the zone was asked, by its own counter."""
    with urllib.request.urlopen(f"http://{meridian.metrics}/metrics") as page:
        lines = page.read().decode().splitlines()
    found = [line for line in lines if line.startswith("meridian_zone_queries_total") and NAME.rstrip(".") in line]
    return sum(int(float(line.split()[-1])) for line in found)


def test_the_place_of_an_address(explain):
    client = explain(f"plain.{NAME}", "A", "--client", "193.0.6.139")["client"]
    assert (client["country"], client["continent"]) == ("NL", "EU")
    nowhere = explain(f"plain.{NAME}", "A", "--client", "192.0.2.1")["client"]
    assert (nowhere["country"], nowhere["continent"], nowhere["latitude"]) == (None, None, None)


def test_private_zones_and_who_sees_them(meridian, route53):
    id = meridian.private_zone("explained.internal")
    vpc = route53.get_hosted_zone(Id=id)["VPCs"][0]["VPCId"]
    meridian.admin("vpc", "set", vpc, "--network", "10.98.0.0/24")

    def told(client):
        told = meridian.admin("explain", "explained.internal", "SOA", "--client", client)
        return told["zones"][0]["why"], told["client"]["region"], told["answer"]["rcode"]

    seen = ("the longest apex that is seen", "eu-west-1", "NOERROR")
    assert eventually(lambda: told("10.98.0.1") == seen)
    unseen = ("private, and who asks is in none of its VPCs", None, "REFUSED")
    assert told("192.0.2.1") == unseen
