"""Client subnets through a real resolver: unbound, which tells Meridian the networks of its clients
and keeps what it is answered for as much of them as the scope says."""

import ipaddress
import random

import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode
import pytest

from harness import Meridian, Zone, alias, change, create, eventually, reference
from harness import wait_insync
from resolver import Unbound
from traffic_logs import LINE

# Of universities, whose countries come with the server; and one where nobody is.
TOKYO, BERLIN, BERKELEY = "133.11.0.0/24", "141.20.1.0/24", "128.32.0.0/24"
NOBODY = "198.51.100.0/24"
APEX = "subnets.example."
# As much of an address as the resolver tells.
TOLD = {4: 24, 6: 56}


class Resolver(Unbound):
    """unbound with its module for client subnets, and Meridian as the server of one zone."""

    def __init__(self, folder, server):
        self.server, self.queries = server, server.folder / "queries.log"
        lines = f"""
    send-client-subnet: 127.0.0.1
    client-subnet-always-forward: yes
    max-client-subnet-ipv4: {TOLD[4]}
    max-client-subnet-ipv6: {TOLD[6]}
"""
        super().__init__(folder, server, APEX, "subnetcache validator iterator", lines)

    def ask(self, name, subnet, rtype="A"):
        """What a client in this network is answered."""
        return asked(name, subnet, rtype, self.port, recursive=True)

    def values(self, name, subnet, rtype="A"):
        return values(self.ask(name, subnet, rtype))

    def forwarded(self, name):
        """The networks that Meridian was asked for by this name, in order."""
        name = f"{name}.{APEX}".rstrip(".")
        # The last line may be on its way.
        written = self.queries.read_text().split("\n")[:-1]
        logged = [LINE.fullmatch(line) for line in written]
        return [each["subnet"] for each in logged if each["name"] == name]

    def forwarded_in_all(self, names):
        return sum(len(self.forwarded(name)) for name in names)

    def forwards(self, name, count):
        """Whether it was so many times that the resolver had to ask. The log is a moment late."""
        return eventually(lambda: len(self.forwarded(name)) == count)


def asked(name, subnet, rtype, port, recursive=False):
    network = ipaddress.ip_network(subnet)
    option = dns.edns.ECSOption(str(network.network_address), network.prefixlen)
    query = dns.message.make_query(f"{name}.{APEX}", rtype, use_edns=0, options=[option])
    if not recursive:
        query.flags &= ~dns.flags.RD
    return dns.query.udp(query, "127.0.0.1", timeout=5, port=port)


def values(reply):
    assert reply.rcode() == dns.rcode.NOERROR, reply
    return {str(value) for set_ in reply.answer for value in set_}


def scope(reply):
    (option,) = [option for option in reply.options if option.otype == dns.edns.ECS]
    return option.scopelen


@pytest.fixture(scope="module")
def resolver(tmp_path_factory):
    folder = tmp_path_factory.mktemp("subnets")
    with Meridian(folder, config='[dns.query_log]\npath = "queries.log"\n') as server:
        load(server)
        resolver = Resolver(folder, server)
        yield resolver
        resolver.stop()


BLOCKS = {
    "office": ["133.11.0.0/20", "203.0.113.0/24", "2001:db8::/32"],
    "lab": ["133.11.4.0/24", "2001:db8:7::/48"],
}


def load(server):
    client = server.client()
    made = client.create_cidr_collection(Name="places", CallerReference=reference())
    collection = made["Collection"]["Id"]
    client.change_cidr_collection(
        Id=collection,
        Changes=[
            {"LocationName": location, "Action": "PUT", "CidrList": blocks}
            for location, blocks in BLOCKS.items()
        ],
    )
    zone = Zone(client, APEX)

    def group(name, field, *members, **more):
        for number, member in enumerate(members, 1):
            policy = {"SetIdentifier": str(number), field: member}
            for rtype, value in [("A", "192.0.2.{}"), ("AAAA", "2001:db8::{}")]:
                yield create(f"{name}.{APEX}", rtype, value.format(number), **policy, **more)

    def location(name):
        return {"CollectionId": collection, "LocationName": name}

    places = [{"CountryCode": "JP"}, {"ContinentCode": "EU"}, {"CountryCode": "*"}]
    soa = next(set_ for set_ in zone.sets() if set_["Type"] == "SOA")
    zone.change(
        change("UPSERT", soa | {"TTL": 1}),
        *group("geo", "GeoLocation", *places),
        *group("once", "GeoLocation", *places),
        *group("fast", "Region", "ap-northeast-1", "eu-central-1", "us-west-1"),
        *group("near", "GeoProximityLocation", {"AWSRegion": "ap-northeast-1"},
               {"AWSRegion": "eu-central-1", "Bias": 20}, {"AWSRegion": "us-west-1", "Bias": -20}),
        *group("net", "CidrRoutingConfig", location("office"), location("lab"), location("*")),
        *group("only", "GeoLocation", {"CountryCode": "JP"}, ttl=1),
        create(f"plain.{APEX}", "A", "192.0.2.7"),
    )
    # Those in Europe are told by network, all others by latency.
    branches = [({"ContinentCode": "EU"}, "net"), ({"CountryCode": "*"}, "fast")]
    zone.change(*(
        change("CREATE", alias(f"tree.{APEX}", f"{target}.{APEX}", zone.id, rtype, evaluate=True,
                               SetIdentifier=target, GeoLocation=place))
        for place, target in branches for rtype in ("A", "AAAA")
    ))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("geo", {TOKYO: 1, BERLIN: 2, BERKELEY: 3, NOBODY: 3}),
        ("fast", {TOKYO: 1, BERLIN: 2, BERKELEY: 3}),
        ("near", {TOKYO: 1, BERLIN: 2, BERKELEY: 3}),
        ("net", {TOKYO: 1, "133.11.4.0/24": 2, BERLIN: 3, "203.0.113.0/24": 1,
                 "2001:db8::/56": 1, "2001:db8:7::/56": 2, "2001:db9::/56": 3}),
        ("tree", {TOKYO: 1, BERLIN: 3, BERKELEY: 3}),
    ],
)
def test_clients_of_one_resolver_are_told_apart(resolver, name, expected):
    for subnet, number in expected.items():
        assert resolver.values(name, subnet) == {f"192.0.2.{number}"}, subnet
        assert resolver.values(name, subnet, "AAAA") == {f"2001:db8::{number}"}, subnet


def test_it_is_asked_once_for_each_scope(resolver):
    first = resolver.ask("once", "150.100.0.0/24")
    assert values(first) == {"192.0.2.1"}, "a network of Japan"
    bits = scope(first)
    assert 8 <= bits < 24, "otherwise there are no neighbours to ask for"
    assert resolver.forwards("once", 1)
    assert resolver.forwarded("once") == ["150.100.0.0/24"]
    # Everybody else within the scope is answered by what is kept, wherever in it.
    around = ipaddress.ip_network("150.100.0.0/24").supernet(new_prefix=bits)
    inside = [around[0], around[-1], around[around.num_addresses // 2]]
    for address in inside:
        reply = resolver.ask("once", f"{ipaddress.ip_network((int(address) >> 8 << 8, 24))}")
        assert (values(reply), scope(reply)) == ({"192.0.2.1"}, bits)
    assert resolver.forwards("once", 1)
    # And who is outside is asked for.
    outside = ipaddress.ip_network((int(around[0]) ^ (1 << (32 - bits)), 24))
    resolver.ask("once", str(outside))
    assert resolver.forwards("once", 2)


def test_what_does_not_look_at_clients_is_asked_once(resolver):
    for subnet in (TOKYO, BERLIN, BERKELEY, NOBODY, "2001:db8::/56", "2001:db9::/56"):
        assert resolver.values("plain", subnet) == {"192.0.2.7"}
    # unbound keeps apart what it knows for IPv4 and for IPv6.
    assert resolver.forwards("plain", 2)
    assert resolver.forwarded("plain") == [TOKYO, "2001:db8::/56"]


def test_what_is_kept_is_right_for_every_client(resolver):
    """Clients from all over, many of them near each other: the resolver's answer, kept or not, is
    what Meridian says to exactly that network."""
    dice = random.Random(7)
    names = ["geo", "fast", "near", "net", "tree"]
    before, asked_for = resolver.forwarded_in_all(names), 0
    for _ in range(80):
        name, rtype, subnet = dice.choice(names), dice.choice(["A", "AAAA"]), random_network(dice)
        for subnet in [subnet, *(beside(dice, subnet) for _ in range(4))]:
            exact = asked(name, subnet, rtype, resolver.server.dns_port)
            assert resolver.values(name, subnet, rtype) == values(exact), (name, rtype, subnet)
            asked_for += 1

    def forwarded():
        # What was asked for exactly is in the log as well.
        return resolver.forwarded_in_all(names) - before - asked_for

    assert eventually(lambda: 0 < forwarded() < 0.8 * asked_for), forwarded()


def random_network(dice):
    blocks = [block for blocks in BLOCKS.values() for block in blocks]
    if dice.random() < 0.3:
        block = ipaddress.ip_network(dice.choice(blocks))
        address = int(block.network_address) + dice.randrange(block.num_addresses)
        return shortened(block.version, address)
    return shortened(4, dice.randrange(1 << 24, 224 << 24))


def beside(dice, subnet):
    """A network that shares some of the first bits."""
    network = ipaddress.ip_network(subnet)
    told = TOLD[network.version]
    bit = network.max_prefixlen - dice.randrange(told // 3, told + 1)
    return shortened(network.version, int(network.network_address) ^ (1 << bit))


def shortened(version, address):
    kind = {4: ipaddress.IPv4Address, 6: ipaddress.IPv6Address}[version]
    return str(ipaddress.ip_network((kind(address), TOLD[version]), strict=False))


def test_a_switch_of_health_moves_clients_when_their_answers_are_old(resolver):
    server = resolver.server
    client = server.client()
    config = {"Type": "TCP", "IPAddress": "192.0.2.1", "Port": 25, "Disabled": True}
    made = client.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
    check = made["HealthCheck"]["Id"]
    zone_id = client.list_hosted_zones_by_name(DNSName=APEX)["HostedZones"][0]["Id"]
    sets = [
        create(f"moved.{APEX}", "A", value, ttl=1, SetIdentifier=value, **policy)
        for value, policy in [
            ("192.0.2.1", {"GeoLocation": {"CountryCode": "JP"}, "HealthCheckId": check}),
            ("192.0.2.3", {"GeoLocation": {"CountryCode": "*"}}),
        ]
    ]
    made = client.change_resource_record_sets(HostedZoneId=zone_id, ChangeBatch={"Changes": sets})
    wait_insync(client, made["ChangeInfo"])
    assert resolver.values("moved", TOKYO) == {"192.0.2.1"}
    assert resolver.values("moved", BERLIN) == {"192.0.2.3"}
    server.admin("health", "force", check, "unhealthy", "--reason", "moving racks")
    assert eventually(lambda: values(asked("moved", TOKYO, "A", server.dns_port)) == {"192.0.2.3"})
    assert eventually(lambda: resolver.values("moved", TOKYO) == {"192.0.2.3"})
    assert resolver.values("moved", BERLIN) == {"192.0.2.3"}
    server.admin("health", "release", check)
    assert eventually(lambda: resolver.values("moved", TOKYO) == {"192.0.2.1"})


def test_nothing_for_one_client_is_forgotten_with_its_ttl(resolver):
    """A reply without an answer has scope 0 (RFC 7871 section 7.4): it keeps other clients from
    theirs until its TTL is over, which is that of the SOA and 60 seconds at most."""
    reply = resolver.ask("only", BERLIN)
    assert (values(reply), scope(reply), reply.authority[0].ttl) == (set(), 0, 1)
    assert eventually(lambda: resolver.values("only", TOKYO) == {"192.0.2.1"})
