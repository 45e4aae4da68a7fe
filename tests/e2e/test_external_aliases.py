"""Aliases to host names elsewhere against the real server: the scenario files of crate `answer` about
them, loaded through the API, with a resolver that says what they say is known. What is answered for
how long is shown by those files inside the process: here all is asked for every second.
"""

import dns.query
import dns.rcode
import dns.rdatatype
import pytest

import scenarios
from elsewhere import Scripted
from harness import Meridian, Zone, alias, change, create, eventually, upsert, wait_insync

READ = {path.stem: scenarios.read(path) for path in sorted(scenarios.EXTERNAL.glob("*.txt"))}
IDS = {"zexternal": "ZEXTERNAL", "z2fdtndataqyw2": "Z2FDTNDATAQYW2"}


class Elsewhere(Scripted):
    """Says what is known of host names at the moment, for a second."""

    def __init__(self):
        self.known = {}
        super().__init__(self.say, ttl=1)

    def say(self, question, subnet):
        name = question.name.to_text(omit_final_dot=True).lower()
        known = self.known.get((name, dns.rdatatype.to_text(question.rdtype)), "unknown")
        if isinstance(known, dict):
            told = subnet if subnet in known else None
            return known[told], int(told.partition("/")[2]) if told else 0
        return {
            # No records, which is not an error.
            "nothing": dns.rcode.NOERROR,
            "gone": dns.rcode.NXDOMAIN,
            "unknown": dns.rcode.SERVFAIL,
        }[known]


def clients(server, scenario):
    """A client for each kind of rights that zones' accounts have: the operator's has all."""
    found = {"everything": server.client()}
    for rights in {zone.rights for zone in scenario.zones} - found.keys():
        found[rights] = server.client(server.new_account(rights))
        server.admin("account", "set", rights, "--probes", rights)
    return found


def load(server, scenario, checks):
    of, aliases, sent = clients(server, scenario), [], {}
    zones = {zone.apex: Zone(of[zone.rights], zone.apex) for zone in scenario.zones}
    for zone in scenario.zones:
        changes = []
        for (name, rtype, ttl, policy), values in zone.sets.items():
            more = scenarios.policy(policy, checks.ids, {})
            if ttl == "ALIAS":
                target, *options = values[0].split()
                options = scenarios.words(" ".join(options))
                home = options.get("in", zone.apex)
                home = IDS.get(home) or zones[home].id
                evaluate = "evaluate" in options
                aliases.append((zone.apex, alias(name, target, home, rtype, evaluate, **more)))
            else:
                own = name == zone.apex and rtype in ("SOA", "NS")
                changes.append((upsert if own else create)(name, rtype, *values, ttl=ttl, **more))
        zones[zone.apex].send(*changes)
    # In the order of the file no alias comes before what it leads to.
    for apex, set_ in aliases:
        sent[apex] = zones[apex].send(change("CREATE", set_))
    for zone in scenario.zones:
        wait_insync(of[zone.rights], sent[zone.apex])
    for name, check in scenario.resources.items():
        region = ["--region", "eu-west-1"]
        server.admin("resource", "add", name, *region, "--health-check", checks.ids[check])


def without_ttls(reply):
    """A reply as it is compared: what is left of a second is no business of these tests."""
    answer = [(name, rtype, data) for name, rtype, _, data in reply["answer"]]
    return scenarios.normal(reply) | {"answer": sorted(answer)}


def ask(server, query):
    asked = scenarios.message(query)
    source = query.options.get("client")
    where = dict(timeout=10, port=server.dns_port, source=source, one_rr_per_rrset=True)
    reply = dns.query.udp(asked, server.addresses[0], **where)
    return without_ttls(scenarios.reply_of(asked, reply))


@pytest.mark.parametrize("name", READ)
def test_answered_as_written(tmp_path, name):
    scenario = READ[name]
    known = [known for query in scenario.queries for known in query.targets.values()]
    subnets = {each for known in known if isinstance(known, dict) for each in known if each}
    with Elsewhere() as elsewhere:
        config = f"""[targets]
resolvers = ["{elsewhere.address}"]
client_subnets = {sorted(subnets)}
min_ttl_s = 1
gone_after_s = 1
keep_s = 2
"""
        server = Meridian(tmp_path / "server", config=config).start()
        try:
            checks = scenarios.Checks(server.client(), scenarios.check_names(scenario))
            load(server, scenario, checks)
            for query in scenario.queries:
                elsewhere.known = query.targets
                checks.set_down(query.down)
                expected = without_ttls(query.expected[0])
                # What is heard has to be heard first.
                if not eventually(lambda: ask(server, query) == expected, 20, 0.05):
                    got, where = ask(server, query), f"{name}:{query.line}"
                    assert got == expected, f"{where}, {server.admin('target', 'list')}"
        finally:
            server.kill()
