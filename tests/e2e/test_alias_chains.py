"""Chains of aliases, which grow at either end and by whatever door: none gets longer than what is
answered."""

import itertools
import json

from harness import Zone, alias, change, create, delete, eventually, refusal, rrset, upsert

LONGEST = 16
_numbers = itertools.count(1)


def new_zone(client):
    return Zone(client, f"chains{next(_numbers)}.example.")


class Chain:
    """Names of a zone: `x` has an address, `a1` is an alias to it, `a2` to `a1` and so on."""

    def __init__(self, zone, links):
        self.zone = zone
        self.links = [self.to(f"a{n}", f"a{n - 1}" if n > 1 else "x") for n in range(1, links + 1)]
        zone.change(create(self.name("x"), "A", "192.0.2.1"), *self.links)
        zone.change(create(self.name("y"), "A", "192.0.2.2"))

    def name(self, label):
        return f"{label}.{self.zone.name}"

    def to(self, label, target, zone=None, action="UPSERT"):
        zone = zone or self.zone
        return change(action, alias(self.name(label), f"{target}.{zone.name}", zone.id))

    def too_long(self, target, end="x"):
        """What is said when the address at the end becomes an alias."""
        return (
            f"[Tried to create an alias that targets {target}, type A in zone {self.zone.id}, but that "
            f"makes a chain of more than {LONGEST} aliases, counting those that lead to "
            f"{self.name(end)}]"
        )


def test_an_address_at_the_end_of_a_chain_does_not_make_it_too_long(meridian, zone):
    chain = Chain(zone, LONGEST)
    code, text = zone.refused(chain.to("x", "y"))
    assert (code, text) == ("InvalidChangeBatch", chain.too_long(chain.name("y")))
    # From above it was so before, in the same words.
    code, above = zone.refused(chain.to("a17", "a16", action="CREATE"))
    assert code == "InvalidChangeBatch"
    assert above.endswith(f"but that makes a chain of more than {LONGEST} aliases]")
    assert meridian.values(chain.name("a16")) == {"192.0.2.1"}
    # Exactly as many as there may be, with the end among them.
    zone.change(change("DELETE", chain.links[-1]["ResourceRecordSet"]))
    zone.change(chain.to("x", "y"))
    assert meridian.values(chain.name("a15")) == {"192.0.2.2"}
    assert meridian.rcode(chain.name("a15")) == "NOERROR"
    zone.change(create(chain.name("z"), "A", "192.0.2.3"))
    assert zone.refused(chain.to("y", "z"))[1] == chain.too_long(chain.name("z"), "y")


def test_chains_are_followed_back_over_zones(meridian, route53, zone):
    chain = Chain(zone, 7)
    there = Chain(new_zone(route53), 0)
    there.zone.change(there.to("b1", "a7", zone=zone), there.to("b2", "b1"))
    # Nine lead to x. With its own there are ten, and six more are sixteen.
    zone.change(chain.to("x", "y"))
    ends = Chain(new_zone(route53), 7)
    code, text = zone.refused(chain.to("y", "a7", zone=ends.zone))
    assert code == "InvalidChangeBatch"
    assert text.endswith(f"counting those that lead to {chain.name('y')}]")
    zone.change(chain.to("y", "a5", zone=ends.zone))
    assert meridian.values(there.name("b2")) == {"192.0.2.1"}
    assert refusal(lambda: ends.zone.send(ends.to("x", "y")))[0] == "InvalidChangeBatch"
    zone.change(upsert(chain.name("x"), "A", "192.0.2.7"))
    ends.zone.change(ends.to("x", "y"))


def test_a_batch_with_both_ends_and_one_that_cuts_the_chain(meridian, zone):
    chain = Chain(zone, LONGEST - 1)
    both = [chain.to("a16", "a15"), chain.to("x", "y")]
    code, text = zone.refused(*both)
    assert code == "InvalidChangeBatch" and text.count("Tried to") == 1, text
    assert f"targets {chain.name('a15')}" in text and text.endswith("more than 16 aliases]")
    # Each by itself is fine, and so are both if a link between them goes.
    zone.change(upsert(chain.name("a8"), "A", "192.0.2.3"), *both)
    assert meridian.values(chain.name("a16")) == {"192.0.2.3"}
    assert zone.refused(chain.to("a8", "a7"))[0] == "InvalidChangeBatch"


def test_an_end_that_was_deleted_does_not_come_back_as_an_alias(meridian, zone):
    chain = Chain(zone, LONGEST)
    zone.change(delete(chain.name("x"), "A", "192.0.2.1"))
    create_again = chain.to("x", "y", action="CREATE")
    assert zone.refused(create_again)[1] == chain.too_long(chain.name("y"))
    zone.change(create(chain.name("x"), "A", "192.0.2.1"))
    replaced = [delete(chain.name("x"), "A", "192.0.2.1"), create_again]
    assert zone.refused(*replaced)[1] == chain.too_long(chain.name("y"))
    assert meridian.values(chain.name("a16")) == {"192.0.2.1"}
    gone = change("DELETE", chain.links[3]["ResourceRecordSet"])
    zone.change(gone, *replaced)
    assert zone.refused(change("CREATE", chain.links[3]["ResourceRecordSet"]))[0] == (
        "InvalidChangeBatch"
    )


def test_a_chain_that_ends_with_a_cname_was_a_link_shorter(meridian, zone):
    name = lambda n: f"c{n}.{zone.name}"
    link = lambda n: change("CREATE", alias(name(n), name(n - 1), zone.id, rtype="CNAME"))
    zone.change(
        create(name(0), "CNAME", "www.example.net"), *[link(n) for n in range(1, LONGEST + 1)]
    )
    assert meridian.values(name(LONGEST), "CNAME") == {"www.example.net."}
    assert meridian.rcode(name(LONGEST)) == "NOERROR"
    assert zone.refused(link(LONGEST + 1))[1].endswith("more than 16 aliases]")


def test_imports_do_not_make_chains_too_long(meridian, zone):
    chain = Chain(zone, LONGEST)
    document = meridian.folder / f"{zone.id}.json"
    end = chain.to("x", "y")["ResourceRecordSet"]
    document.write_text(json.dumps({"ResourceRecordSets": [end]}))
    into = ("zone", "import", document, "--zone", zone.id)
    failed = meridian.admin(*into, "--merge", check=False, as_json=False)
    assert failed.returncode != 0, failed.stdout
    assert f"counting those that lead to {chain.name('x')}" in failed.stdout + failed.stderr
    assert meridian.values(chain.name("a16")) == {"192.0.2.1"}
    # With all of the zone replaced only what begins too far away is at fault.
    links = [link["ResourceRecordSet"] for link in chain.links]
    sets = [*links, end, rrset(chain.name("y"), "A", "192.0.2.2")]
    document.write_text(json.dumps({"ResourceRecordSets": sets}))
    failed = meridian.admin(*into, "--replace", check=False, as_json=False)
    said = failed.stdout + failed.stderr
    assert failed.returncode != 0 and said.count("that makes a chain of more than") == 1, said
    assert "counting" not in said
    del sets[LONGEST - 1]
    document.write_text(json.dumps({"ResourceRecordSets": sets}))
    meridian.admin(*into, "--replace")
    assert eventually(lambda: meridian.values(chain.name("a15")) == {"192.0.2.2"})
    assert zone.refused(chain.links[-1])[0] == "InvalidChangeBatch"


def test_other_zones_aliases_count_when_a_zone_is_replaced(meridian, route53, zone):
    chain = Chain(zone, 8)
    there = Chain(new_zone(route53), 0)
    there.zone.change(there.to("b1", "a8", zone=zone))
    for n in range(2, 9):
        there.zone.change(there.to(f"b{n}", f"b{n - 1}"))
    links = [link["ResourceRecordSet"] for link in chain.links]
    end = chain.to("x", "y")["ResourceRecordSet"]
    document = meridian.folder / f"{zone.id}.json"
    sets = [*links, end, rrset(chain.name("y"), "A", "192.0.2.2")]
    document.write_text(json.dumps({"ResourceRecordSets": sets}))
    into = ("zone", "import", document, "--zone", zone.id, "--replace")
    failed = meridian.admin(*into, check=False, as_json=False)
    said = failed.stdout + failed.stderr
    assert failed.returncode != 0, said
    assert f"counting those that lead to {chain.name('a8')}" in said, said
    assert meridian.values(there.name("b8")) == {"192.0.2.1"}


def test_the_tree_of_a_policy_does_not_make_a_chain_too_long(meridian, route53, zone):
    chain = Chain(zone, LONGEST)
    zone.change(delete(chain.name("x"), "A", "192.0.2.1"))
    document = {
        "AWSPolicyFormatVersion": "2015-10-01",
        "RecordType": "A",
        "StartRule": "one",
        "Endpoints": {"e": {"Type": "value", "Value": "192.0.2.5"}},
        "Rules": {
            "one": {
                "RuleType": "weighted",
                "Items": [{"EndpointReference": "e", "Weight": "1"}],
            }
        },
    }
    made = route53.create_traffic_policy(
        Name=f"chain-{zone.id}", Document=json.dumps(document)
    )["TrafficPolicy"]
    make = lambda: route53.create_traffic_policy_instance(
        HostedZoneId=zone.id,
        Name=chain.name("x"),
        TTL=60,
        TrafficPolicyId=made["Id"],
        TrafficPolicyVersion=made["Version"],
    )
    code, text = refusal(make)
    assert code == "InvalidInput" and f"counting those that lead to {chain.name('x')}" in text, text
    zone.change(change("DELETE", chain.links[-1]["ResourceRecordSet"]))
    make()
    assert eventually(lambda: meridian.values(chain.name("a15")) == {"192.0.2.5"})
    assert zone.refused(chain.links[-1])[0] == "InvalidChangeBatch"


def test_who_aliases_to_what_is_known_after_a_restart_and_a_crash(start):
    server = start()
    zone = new_zone(server.client())
    chain = Chain(zone, LONGEST)
    for end in (server.stop, server.kill):
        end()
        server.start()
        zone.client = server.client()
        assert zone.refused(chain.to("x", "y"))[1] == chain.too_long(chain.name("y"))
    server.stop()
    (server.data / "tables.redb").unlink()
    server.start()
    zone.client = server.client()
    assert zone.refused(chain.to("x", "y"))[1] == chain.too_long(chain.name("y"))
