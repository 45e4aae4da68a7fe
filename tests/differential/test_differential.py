"""Random zones and queries: Meridian answers as NSD and Knot do, or docs/DIFFERENCES.md says why.

A run draws from two seeds that stay the same: it judges what was changed, and what chance finds about
three servers is not that. MERIDIAN_TEST_LONG=1 draws more, and from seeds that are new and printed;
MERIDIAN_DIFFERENTIAL_SEED names one instead.
"""

import collections
import contextlib
import dataclasses
import functools
import os
import random
import re

import pytest

import harness
from differential.peers import Knot, Nsd, Ours
from differential.queries import NO_ANSWER, Asker, Drawer, difference
from differential.rules import RULES, Case, explain, never_answered
from differential.zones import Generator, Zone, name_text, zone_of

ZONES, QUERIES = (200, 5_000) if harness.LONG else (110, 1_500)
# Queries under way at once.
AT_ONCE = 50
FIXED_SEEDS = range(1, 5 if harness.LONG else 3)
FRESH_SEEDS = 4 if harness.LONG else 0
# Findings that are shown of a run; the first of them is also made small.
MAX_FINDINGS = 5
# The most tries to leave something out of a zone.
MAX_SHRINKS = 60

DOCUMENT = harness.REPO / "docs/DIFFERENCES.md"


@dataclasses.dataclass
class Finding:
    """A difference that no rule explains."""

    query: object
    peer: str
    text: str


class Trio:
    """Meridian and its peers with the same zones."""

    def __init__(self, folder, zones):
        self.zones, self.servers, self.askers = zones, [], {}
        self.used = collections.Counter()
        # Zones about which Knot is not asked any more over UDP.
        self.hanging = []
        try:
            for kind in (Nsd, Knot, Ours):
                self.servers.append(kind(folder))
                self.servers[-1].start(zones)
                self.askers[kind.name] = Asker(self.servers[-1])
        except BaseException:
            self.stop()
            raise

    def stop(self):
        for server in self.servers:
            server.stop()

    def findings(self, queries):
        """Asks all three; yields what no rule explains."""
        ours, nsd = (self.askers[name].ask_all(queries) for name in ("meridian", "nsd"))
        for query, own, *theirs in zip(queries, ours, nsd, self.ask_knot(queries), strict=True):
            if isinstance(own, str):
                yield Finding(query, "meridian", own)
                continue
            if own.twice:
                yield Finding(query, "meridian", f"a record twice\n{difference(own, own)}")
            for peer, reply in zip(("nsd", "knot"), theirs, strict=True):
                if isinstance(reply, str):
                    yield Finding(query, peer, reply)
                elif reply and reply != own:
                    yield from self.unexplained(query, peer, reply, own)

    def unexplained(self, query, peer, theirs, ours):
        used, left = explain(self.case(query, peer, theirs, ours))
        self.used.update((peer, rule) for rule in used)
        if left.theirs != left.ours:
            text = f"{difference(theirs, ours)}\n  explained in part by: {used}"
            yield Finding(query, peer, text)

    def ask_knot(self, queries):
        """Knot's replies; none to the queries that it may hang at, once it did in their zone."""
        replies = [None] * len(queries)
        places = [n for n, query in enumerate(queries) if not self.hangs_at(query)]
        answers = self.askers["knot"].ask_all([queries[n] for n in places])
        if NO_ANSWER in answers:
            self.restart_knot()
        for place, answer in zip(places, answers, strict=True):
            replies[place] = self.ask_knot_again(queries[place]) if answer == NO_ANSWER else answer
        return replies

    def ask_knot_again(self, query):
        """The reply of a Knot that has just been started to a query that got none."""
        if self.hangs_at(query):
            return None
        reply = self.askers["knot"].ask(query)
        if reply == NO_ANSWER:
            self.restart_knot()
            whole = self.askers["knot"].ask(dataclasses.replace(query, tcp=True))
            if never_answered(query, whole):
                self.used["knot", never_answered.__name__] += 1
                self.hanging.append(zone_of(query.folded, self.zones))
                return None
        return reply

    def hangs_at(self, query):
        return not query.tcp and zone_of(query.folded, self.zones) in self.hanging

    def restart_knot(self):
        knot = next(s for s in self.servers if s.name == "knot")
        knot.kill()
        knot.start(self.zones)

    def case(self, query, peer, theirs, ours):
        over_tcp = dataclasses.replace(query, tcp=True)
        return Case(
            query=query,
            peer=peer,
            theirs=theirs,
            ours=ours,
            zone=zone_of(query.folded, self.zones),
            zones=self.zones,
            theirs_whole=functools.cache(lambda: self.askers[peer].ask(over_tcp)),
            ours_whole=functools.cache(lambda: self.askers["meridian"].ask(over_tcp)),
        )


@contextlib.contextmanager
def running(folder, zones):
    trio = Trio(folder, zones)
    try:
        yield trio
    finally:
        trio.stop()


def compare(tmp_path, seed):
    draw = random.Random(seed)
    zones = Generator(draw).zones(ZONES)
    drawer = Drawer(draw, zones)
    findings = []
    with running(tmp_path / "all", zones) as trio:
        for _ in range(QUERIES // AT_ONCE):
            findings += trio.findings([drawer.query() for _ in range(AT_ONCE)])
            if len(findings) >= MAX_FINDINGS:
                break
        used = trio.used
    print(f"seed {seed}: {len(zones)} zones, {QUERIES} queries")
    for (peer, rule), times in sorted(used.items()):
        print(f"  {peer:5} {rule:30} {times}")
    if findings:
        findings = findings[:MAX_FINDINGS]
        pytest.fail(report(seed, findings, smaller(tmp_path, zones, findings[0])), pytrace=False)


def report(seed, findings, zones):
    lines = [f"seed {seed}: MERIDIAN_DIFFERENTIAL_SEED={seed} runs it again"]
    for finding in findings:
        lines += [f"{finding.peer}: {finding.query}", finding.text]
    lines.append("The first finding, with as little as shows it:")
    for zone in zones:
        lines += [f"; zone {name_text(zone.apex)}", zone.master()]
    return "\n".join(lines)


def smaller(tmp_path, zones, finding):
    """Leaves out zones, then names, as long as the finding stays."""
    tries = iter(range(MAX_SHRINKS))

    def still(candidate):
        number = next(tries, None)
        if number is None or not candidate:
            return False
        with running(tmp_path / str(number), candidate) as trio:
            return any(f.peer == finding.peer for f in trio.findings([finding.query]))

    def without(items, rebuild):
        """Leaves out halves, then quarters, … then single items."""
        size = len(items) // 2
        while size:
            start = 0
            while start < len(items):
                rest = items[:start] + items[start + size :]
                if still(rebuild(rest)):
                    items = rest
                else:
                    start += size
            size //= 2
        return items

    zones = without(zones, lambda rest: rest)
    for place, zone in enumerate(zones):

        def rebuild(names, place=place, zone=zone):
            sets = [s for s in zone.sets if s.name in (zone.apex, *names)]
            return [*zones[:place], Zone(zone.apex, sets), *zones[place + 1 :]]

        names = without([n for n in zone.names if n != zone.apex], rebuild)
        zones = rebuild(names)
    return zones


def fresh_seeds():
    given = os.environ.get("MERIDIAN_DIFFERENTIAL_SEED")
    if given:
        return [int(given)]
    # Processes that share a run have to name its tests alike.
    draw = random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID"))
    return [draw.randrange(1 << 32) for _ in range(FRESH_SEEDS)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", FIXED_SEEDS)
def test_fixed_seed(tmp_path, seed):
    compare(tmp_path, seed)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", fresh_seeds())
def test_fresh_seed(tmp_path, seed):
    compare(tmp_path, seed)


def test_every_rule_has_its_paragraph():
    """And every paragraph its rule: the list neither hides nor outlives a difference."""
    headings = re.findall(r"^### `(\w+)`", DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(headings) == sorted(rule.__name__ for rule in [*RULES, never_answered])
