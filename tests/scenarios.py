"""The scenario files of crate `answer`, read as its own tests read them.

crates/answer/tests/scenario/mod.rs describes the format and is the other reader. What a file says
of a reply is compared in full, with the serial of SOA records left out: over the API a zone's
serial is the number of its last change.
"""

import dataclasses
import pathlib
import re

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
from mmdb_writer import MMDBWriter
from netaddr import IPSet

import harness

FOLDER = harness.REPO / "crates/answer/tests/scenarios"
ROUTING = FOLDER / "routing"
EXTERNAL = FOLDER / "external"
SECTIONS = ("answer", "authority", "additional")
RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "BADVERS")


@dataclasses.dataclass
class Zone:
    """A zone as it is to be created."""

    apex: str
    views: set
    # (name, type, TTL or ALIAS, policy) → values, or the target of an alias
    sets: dict = dataclasses.field(default_factory=dict)
    # The ids of those that see a private zone.
    vpcs: list = dataclasses.field(default_factory=list)
    # What its account may answer with of what host names elsewhere lead to.
    rights: str = "everything"


@dataclasses.dataclass
class Query:
    """What to ask, and the reply as `reply_of` gives it."""

    line: int
    name: str
    rtype: str
    options: dict
    # The health checks that are down.
    down: frozenset
    # (host name elsewhere, type) → a state, or subnet or None → values
    targets: dict
    # The replies that are right; each comes at times.
    expected: list = dataclasses.field(default_factory=list)

    @property
    def view(self):
        return int(self.options.get("view", 0))


@dataclasses.dataclass
class Scenario:
    path: pathlib.Path
    zones: list
    queries: list
    # id → region and networks
    vpcs: dict = dataclasses.field(default_factory=dict)
    # (collection, location) → blocks
    collections: dict = dataclasses.field(default_factory=dict)
    # network → what is said of it, by words
    places: dict = dataclasses.field(default_factory=dict)
    # Resources by name, and their health checks.
    resources: dict = dataclasses.field(default_factory=dict)
    # Those that are down for the queries that follow, and what is known of host names elsewhere.
    down: frozenset = frozenset()
    targets: dict = dataclasses.field(default_factory=dict)


def read(path):
    scenario = Scenario(path, [], [])
    for number, line in enumerate(path.read_text().splitlines(), 1):
        line = line.split(" #")[0].strip()
        if line and not line.startswith("#"):
            for each in expand(line):
                read_line(scenario, number, each)
    return scenario


def expand(line):
    """`a{2..4}` stands for `a2`, `a3`, `a4`."""
    match = re.search(r"\{(\d+)\.\.(\d+)\}", line)
    if not match:
        return [line]
    numbers = range(int(match[1]), int(match[2]) + 1)
    return [line[: match.start()] + str(n) + line[match.end() :] for n in numbers]


def read_line(scenario, number, line):
    word, _, rest = line.partition(" ")
    if word == "vpc":
        rest, _, region = rest.partition(" in=")
        vpc, *networks = rest.split()
        scenario.vpcs[vpc] = (region or "eu-west-1", networks)
    elif word == "place":
        network, _, said = rest.partition(" ")
        scenario.places[network] = words(said)
    elif word == "collection":
        collection, location, *blocks = rest.split()
        scenario.collections.setdefault((collection, location), []).extend(blocks)
    elif word == "resource":
        name, check = rest.split()
        scenario.resources[name] = check
    elif word == "target":
        read_target(scenario, rest.split())
    elif word == "down":
        scenario.down = frozenset(rest.split())
    elif word == "zone":
        rest, _, rights = rest.partition(" rights=")
        rest, _, vpcs = rest.partition(" vpcs=")
        apex, _, views = rest.partition(" views=")
        views = {int(v) for v in (views or "0").split(",")}
        vpcs = vpcs.split(",") if vpcs else []
        scenario.zones.append(Zone(apex, views, vpcs=vpcs, rights=rights or "everything"))
    elif word == "query":
        name, rtype, *options = rest.split()
        options = dict(option.partition("=")[::2] for option in options)
        known = scenario.down, scenario.targets
        scenario.queries.append(Query(number, name, rtype, options, *known))
    elif word in RCODES:
        scenario.queries[-1].expected.append(expected(word, rest.split()))
    elif word == "or":
        word, *flags = rest.split()
        scenario.queries[-1].expected.append(expected(word, flags))
    elif word in SECTIONS:
        name, ttl, rtype, value = rest.split(None, 3)
        record = key(word, decimal(name), rtype, int(ttl), rdata(rtype, value))
        scenario.queries[-1].expected[-1][word].append(record)
    else:
        line, _, policy = line.partition(" | ")
        name, ttl, rtype, value = line.split(None, 3)
        sets = scenario.zones[-1].sets
        ttl = ttl if ttl == "ALIAS" else int(ttl)
        sets.setdefault((name, rtype, ttl, policy), []).append(value)


def read_target(scenario, said):
    name, rtype, state, *values = said
    key, subnet = (name, rtype), None
    # Queries before this one keep what was known then.
    scenario.targets = dict(scenario.targets)
    if not values:
        scenario.targets[key] = state
        return
    if values[-1].startswith("subnet="):
        subnet = values.pop().removeprefix("subnet=")
    before = scenario.targets.get(key) if subnet else {}
    # Blanks inside a value are written as `_`.
    scenario.targets[key] = before | {subnet: [value.replace("_", " ") for value in values]}


def expected(rcode, flags):
    """A reply without its records."""
    scope = [int(flag[6:]) for flag in flags if flag.startswith("scope=")]
    return {
        "rcode": rcode,
        "aa": "aa" in flags,
        "tc": "tc" in flags,
        "ede": [int(flag[4:]) for flag in flags if flag.startswith("ede=")],
        "scope": scope[0] if scope else 0,
        **{section: [] for section in SECTIONS},
    }


def words(text):
    """`key=value …` as a dictionary."""
    return dict(word.partition("=")[::2] for word in text.split())


def policy(text, checks, collections):
    """What a line says of a set's policy, as the API takes it; ids are looked up."""
    said = words(text)
    taken = {}
    if "id" in said:
        taken["SetIdentifier"] = said.pop("id")
    if "check" in said:
        taken["HealthCheckId"] = checks[said.pop("check")]
    match said:
        case {"weight": weight}:
            taken["Weight"] = int(weight)
        case {"region": region}:
            taken["Region"] = region
        case {"failover": role}:
            taken["Failover"] = role
        case {"multivalue": _}:
            taken["MultiValueAnswer"] = True
        case {"collection": collection, "location": location}:
            taken["CidrRoutingConfig"] = {
                "CollectionId": collections[collection],
                "LocationName": location,
            }
        case {"continent": continent}:
            taken["GeoLocation"] = {"ContinentCode": continent}
        case {"country": country, "subdivision": subdivision}:
            taken["GeoLocation"] = {"CountryCode": country, "SubdivisionCode": subdivision}
        case {"country": country}:
            taken["GeoLocation"] = {"CountryCode": country}
        case {"near": _} | {"group": _} | {"at": _}:
            taken["GeoProximityLocation"] = proximity(said)
        case _:
            assert not said, f"a policy that is not known here: {text}"
    return taken


def proximity(said):
    bias = {"Bias": int(said["bias"])} if "bias" in said else {}
    if "near" in said:
        return {"AWSRegion": said["near"], **bias}
    if "group" in said:
        return {"LocalZoneGroup": said["group"], **bias}
    latitude, longitude = said["at"].split(",")
    return {"Coordinates": {"Latitude": latitude, "Longitude": longitude}, **bias}


class Checks:
    """Health checks by the names that a file gives them, set by the states that need no probes."""

    CONFIG = {"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80, "Disabled": True}

    def __init__(self, client, names):
        self.client, self.down = client, frozenset()
        self.ids = {name: self.create() for name in names}

    def create(self):
        made = self.client.create_health_check(
            CallerReference=harness.reference(), HealthCheckConfig=self.CONFIG
        )
        return made["HealthCheck"]["Id"]

    def set_down(self, down):
        for name in self.down ^ down:
            self.client.update_health_check(
                HealthCheckId=self.ids[name], Disabled=True, Inverted=name in down
            )
        self.down = down


def policies(scenario):
    """What each set says of its policy, by its words."""
    return [words(policy) for zone in scenario.zones for _, _, _, policy in zone.sets]


def check_names(scenario):
    named = {each["check"] for each in policies(scenario) if "check" in each}
    return named.union(scenario.resources.values(), *(query.down for query in scenario.queries))


def create_vpcs(server, vpcs):
    """The VPCs, all of the operator's account; returns each as the API takes it."""
    account = server.operator_account()["id"]
    for vpc, (region, networks) in vpcs.items():
        inside = [word for network in networks for word in ("--network", network)]
        server.admin("vpc", "create", vpc, "--region", region, "--account", account, *inside)
    return {vpc: {"VPCId": vpc, "VPCRegion": region} for vpc, (region, _) in vpcs.items()}


def create_zone(client, zone, vpcs):
    """A zone that is seen as the file says, without its sets."""
    first, *more = [vpcs[vpc] for vpc in zone.vpcs] or [None]
    made = harness.Zone(client, zone.apex, **({"VPC": first} if first else {}))
    for vpc in more:
        client.associate_vpc_with_hosted_zone(HostedZoneId=made.id, VPC=vpc)
    return made


def write_places(path, places):
    """The places as a file in MaxMind's format."""
    writer = MMDBWriter(6, "GeoLite2-City", languages=["en"], ipv4_compatible=True, float_type="f64")
    for network, said in places.items():
        record = {}
        if "country" in said:
            record["country"] = {"iso_code": said["country"]}
        if "continent" in said:
            record["continent"] = {"code": said["continent"]}
        if "subdivision" in said:
            record["subdivisions"] = [{"iso_code": said["subdivision"]}]
        if "at" in said:
            latitude, longitude = said["at"].split(",")
            record["location"] = {"latitude": float(latitude), "longitude": float(longitude)}
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))


def decimal(text):
    """Route 53's octal escapes as dnspython takes them."""
    return re.sub(r"\\([0-3][0-7]{2})", lambda m: f"\\{int(m[1], 8):03}", text)


def rdata(rtype, value):
    read_as = "TXT" if rtype == "SPF" else rtype
    return dns.rdata.from_text(
        "IN", read_as, decimal(value), origin=dns.name.root, relativize=False
    )


def key(section, owner, rtype, ttl, value):
    """A record as it is compared: owners with their case in the answer section only."""
    name = dns.name.from_text(owner) if isinstance(owner, str) else owner
    name = name if section == "answer" else name.canonicalize()
    wire = value.to_wire()
    if rtype == "SOA":
        wire = wire[:-20] + wire[-16:]
    return name.to_text(), rtype, ttl, wire


# Options of a query that do not mean EDNS, and those that do.
PLAIN, EDNS = {"class", "opcode", "tcp", "view", "client"}, {"edns", "do", "bufsize", "version", "ecs"}


def message(query):
    """The query as a message."""
    options, edns = query.options, None
    assert options.keys() <= PLAIN | EDNS, f"line {query.line} asks for what is not known here"
    if options.keys() & EDNS:
        edns = int(options.get("version", 0))
    subnet = []
    if "ecs" in options:
        address, _, length = options["ecs"].partition("/")
        subnet = [dns.edns.ECSOption(address, int(length))]
    made = dns.message.make_query(
        decimal(query.name),
        dns.rdatatype.from_text(query.rtype),
        3 if options.get("class") == "CH" else int(options.get("class", 1)),
        use_edns=False if edns is None else edns,
        ednsflags=dns.flags.DO if "do" in options else 0,
        payload=int(options.get("bufsize", 1232)),
        options=subnet,
    )
    made.set_opcode(int(options.get("opcode", 0)))
    return made


def reply_of(asked, reply):
    """The reply in the form of `Query.expected`; records in the order in which they came."""
    assert reply.id == asked.id and reply.flags & dns.flags.QR
    assert reply.opcode() == asked.opcode()
    assert reply.flags & dns.flags.RD and not reply.flags & dns.flags.RA
    assert (reply.edns >= 0) == (asked.edns >= 0), "OPT if asked"
    read = {
        "rcode": dns.rcode.to_text(reply.rcode()),
        "aa": bool(reply.flags & dns.flags.AA),
        "tc": bool(reply.flags & dns.flags.TC),
        "ede": [int(option.code) for option in reply.options if option.otype == dns.edns.EDE],
        "scope": sum(o.scopelen for o in reply.options if o.otype == dns.edns.ECS),
    }
    for section in SECTIONS:
        read[section] = [
            key(section, set_.name, dns.rdatatype.to_text(set_.rdtype), set_.ttl, value)
            for set_ in getattr(reply, section)
            for value in set_
        ]
    return read


def normal(reply):
    """Sorts what has no order: records of a set in the answer, all records elsewhere."""
    sets = list(dict.fromkeys(record[:2] for record in reply["answer"]))
    answer = sorted(reply["answer"], key=lambda r: (sets.index(r[:2]), r))
    others = {section: sorted(reply[section]) for section in SECTIONS[1:]}
    return reply | {"answer": answer} | others
