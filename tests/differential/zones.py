"""Random zones: as nasty as Route 53's API lets them be, told to every server in its own words.

A name is a tuple of labels (bytes), the leftmost first, without the root. Zones come from a
`random.Random`, so that a seed names them.
"""

import dataclasses

TTL_MAX = 2**31 - 1

# Few labels, so that names collide; `*` often, names that only look like it, and bytes that
# have to be escaped in every text form.
PLAIN = [b"a", b"b", b"c", b"www", b"ns", b"_tcp", b"xn--p1ai"]
STARS = [b"*", b"*", b"*", b"*a", b"**"]
ODD = [b"\0", b"\xff\x80", b"a.b", b" ", b"@", b'"', b"\\", b"$(;)", b"\x01*", b"-", b"l" * 63]

PLAIN_BYTES = b"abcdefghijklmnopqrstuvwxyz0123456789-_*"


def name_text(name, escape="\\%03d"):
    """The text of a name; `\\%03o` is Route 53's escape."""

    def label_text(label):
        return "".join(chr(b) if b in PLAIN_BYTES else escape % b for b in label)

    return ".".join(map(label_text, name)) + "."


def wire_length(name):
    return sum(len(label) + 1 for label in name) + 1


def is_within(name, above):
    return len(name) >= len(above) and name[len(name) - len(above) :] == above


@dataclasses.dataclass(frozen=True, order=True)
class Text:
    """A character string of record data."""

    content: bytes

    def text(self, escape):
        plain = (chr(b) if 32 <= b < 127 and b not in b'"\\' else escape % b for b in self.content)
        return f'"{"".join(plain)}"'


@dataclasses.dataclass(frozen=True)
class Set:
    """A record set. A value is a tuple of words: text, a name (tuple) or a `Text`."""

    name: tuple
    rtype: str
    ttl: int
    values: tuple

    def texts(self, escape="\\%03d"):
        def word_text(word):
            if isinstance(word, tuple):
                return name_text(word, escape)
            return word.text(escape) if isinstance(word, Text) else str(word)

        return [" ".join(map(word_text, value)) for value in self.values]


@dataclasses.dataclass
class Zone:
    """An apex and its sets, SOA and NS among them."""

    apex: tuple
    sets: list

    @property
    def names(self):
        return sorted({s.name for s in self.sets})

    def master(self):
        """The zone as a master file."""
        return "".join(
            f"{name_text(s.name)} {s.ttl} IN {s.rtype} {text}\n"
            for s in self.sets
            for text in s.texts()
        )


def zone_of(name, zones):
    """The zone with the longest apex that holds a name."""
    holding = [z for z in zones if is_within(name, z.apex)]
    return max(holding, key=lambda z: len(z.apex), default=None)


class Generator:
    """Draws zones."""

    def __init__(self, random):
        self.random = random

    def zones(self, count):
        """Apexes like z7.test; some are parent and child, with or without a delegation."""
        zones, number = [], 0
        while len(zones) < count:
            apex = (b"z%d" % number, b"test")
            if self.chance(0.06):
                apex = (self.random.choice([b"_under", b"a.b", b"\x07"]), *apex)
            number += 1
            zones.append(self.zone(apex))
            if self.chance(0.2):
                names = [n for n in zones[-1].names if n != apex and len(n) < 20 and b"*" not in n]
                below = self.random.choice(names) if names and self.chance(0.7) else apex
                child = (b"c", *below) if self.chance(0.5) or below == apex else below
                if wire_length(child) < 120 and child[0] != b"*":
                    zones.append(self.zone(child))
        return zones

    def chance(self, probability):
        return self.random.random() < probability

    def zone(self, apex):
        draw = self.random
        soa = ((b"ns", *apex), (b"admin", *apex), 1, 7200, 900, 1209600, self.ttl())
        servers = [self.server(apex, apex) for _ in range(draw.randint(1, 3))]
        self.sets = {
            (apex, "SOA"): Set(apex, "SOA", self.ttl(), (soa,)),
            (apex, "NS"): Set(apex, "NS", self.ttl(), self.distinct(servers)),
        }
        self.apex = apex
        if self.chance(0.6):
            self.some_sets(apex)
        names = [self.name(apex) for _ in range(draw.randint(1, 14))]
        for name in names:
            kind = draw.random()
            if kind < 0.25:
                self.cut(name)
            elif kind < 0.45:
                self.cname(name, names)
            else:
                self.some_sets(name)
            if self.chance(0.3):
                below = (self.label(), *name)
                self.some_sets(below if wire_length(below) < 256 else name)
        if self.chance(0.05):
            self.chain()
        if self.chance(0.03):
            self.bulk()
        return Zone(apex, list(self.sets.values()))

    def chain(self):
        """CNAMEs around the number of links that Meridian follows, 8."""
        links = self.random.randint(6, 12)
        for link in range(links):
            target = (b"link%d" % (link + 1), *self.apex)
            self.put((b"link%d" % link, *self.apex), "CNAME", {(target,)})
        if self.chance(0.8):
            self.some_sets((b"link%d" % links, *self.apex))

    def bulk(self):
        """So many names that Meridian keeps the zone in several pages."""
        for number in range(self.random.randint(100, 500)):
            branch = self.random.choice([(), (b"a",), (b"*",), (b"b", b"c")])
            name = (b"h%d" % number, *branch, *self.apex)
            self.put(name, "TXT", {txt(self, 0)})

    def label(self):
        kind = self.random.random()
        labels = PLAIN if kind < 0.65 else STARS if kind < 0.88 else ODD
        return self.random.choice(labels)

    def name(self, apex):
        """Mostly up to four labels below the apex; some deep, some as long as a name can be."""
        kind, name = self.random.random(), apex
        if kind < 0.02:
            return self.longest(apex)
        depth = self.random.randint(20, 60) if kind < 0.04 else self.random.randint(1, 4)
        for _ in range(depth):
            longer = (self.label(), *name)
            if wire_length(longer) > 230:
                break
            name = longer
        return name

    def longest(self, apex):
        """A name of 255 bytes."""
        name = apex
        while wire_length(name) < 255:
            room = 255 - wire_length(name) - 1
            name = (b"m" * min(63 if room != 64 else 62, room), *name)
        return name

    def ttl(self):
        if self.chance(0.1):
            return self.random.choice([0, 1, TTL_MAX])
        return self.random.randint(1, 86400)

    def distinct(self, values):
        return tuple((v,) for v in sorted(set(values)))

    def put(self, name, rtype, values):
        """Adds a set unless that would put a CNAME beside something else."""
        at = {rtype for owner, rtype in self.sets if owner == name}
        if rtype in at or "CNAME" in at or (rtype == "CNAME" and (at or name == self.apex)):
            return
        if rtype in ("NS", "DS") and (name == self.apex or name[0] == b"*"):
            return  # Not by the API.
        self.sets[name, rtype] = Set(name, rtype, self.ttl(), tuple(sorted(values, key=repr)))

    def some_sets(self, name):
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            rtype = self.random.choice(list(DATA))
            count = 1 if self.chance(0.6) else self.random.randint(2, 5)
            if rtype in ("A", "AAAA", "TXT", "MX") and self.chance(0.08):
                count = self.random.choice([20, 29, 30, 31, 60, 76, 77, 78, 100])
            values = {DATA[rtype](self, place) for place in range(count)}
            self.put(name, rtype, values)

    def server(self, cut, apex):
        """The name of a name server: below the cut, beside it, elsewhere."""
        kind = self.random.random()
        if kind < 0.4:
            return (b"ns", *cut)
        if kind < 0.55:
            return (self.random.choice([b"ns1", b"a"]), b"b", *cut)
        if kind < 0.8:
            return (self.random.choice([b"ns", b"a", b"www"]), *apex)
        if kind < 0.85:
            return cut
        return (b"ns", self.random.choice([b"z0", b"z1", b"elsewhere"]), b"test")

    def cut(self, name):
        count = self.random.choice([1, 1, 2, 2, 2, 3, 3, 13])
        servers = {self.server(name, self.apex) for _ in range(count)}
        if count == 13:
            servers |= {(b"ns%d" % n, *name) for n in range(13)}
        servers = sorted(s for s in servers if wire_length(s) < 256)
        if not servers:
            return
        self.put(name, "NS", {(s,) for s in servers})
        if self.chance(0.4):
            self.put(name, "DS", {ds(self, 0)})
        for server in servers:
            if is_within(server, self.apex) and self.chance(0.7):
                many = self.random.choice([1, 1, 1, 2, 30])
                self.put(server, "A", {a(self, place) for place in range(many)})
                if self.chance(0.5):
                    self.put(server, "AAAA", {aaaa(self, 0)})
        if self.chance(0.3):
            # Occluded: data, a wildcard, another cut below the cut.
            self.some_sets((self.label(), *name) if wire_length(name) < 190 else name)
        if self.chance(0.2) and wire_length(name) < 190:
            self.put((b"a", *name), "NS", {((b"ns", b"elsewhere", b"test"),)})

    def cname(self, name, names):
        kind = self.random.random()
        if kind < 0.45:
            target = self.random.choice(names)
        elif kind < 0.6:
            target = (self.label(), *self.random.choice(names))
        elif kind < 0.7:
            target = self.random.choice(names)[1:]
        elif kind < 0.8:
            target = self.name(self.apex)
        elif kind < 0.85:
            target = self.apex
        else:
            target = (b"www", self.random.choice([b"z0", b"z1", b"elsewhere"]), b"test")
        if name[0] == b"*" and self.chance(0.15):
            target = name
        if wire_length(target) < 256:
            self.put(name, "CNAME", {(target,)})


# Values by type: functions of a generator and the place of the value in its set.


def a(_, place):
    return (f"192.0.2.{place + 1}",)


def aaaa(_, place):
    return (f"2001:db8::{place + 1:x}",)


def txt(draw, place):
    strings = [b"%d " % place + draw.random.choice([b"", b"plain", b'q"\\', b"\0\xff", b"x" * 90])]
    if draw.chance(0.2):
        strings.append(b"y" * draw.random.choice([0, 1, 255]))
    return tuple(map(Text, strings))


def host(draw):
    if draw.chance(0.7):
        return (draw.random.choice([b"www", b"ns", b"a", b"mail"]), *draw.apex)
    return (b"mail", b"elsewhere", b"test")


def ds(_, place):
    return (str(place + 1), "13", "2", "ab" * 32)


DATA = {
    "A": a,
    "AAAA": aaaa,
    "TXT": txt,
    "MX": lambda draw, place: (str(place), host(draw)),
    "SRV": lambda draw, place: (str(place), "1", "443", host(draw)),
    "PTR": lambda draw, place: (host(draw),),
    "CAA": lambda draw, place: (str(place % 2 * 128), "issue", Text(b"ca%d.example" % place)),
    "DS": ds,
    "SPF": txt,
    "NAPTR": lambda draw, place: (
        str(place),
        "1",
        Text(b"u"),
        Text(b"E2U+sip"),
        Text(b"!^.*$!sip:x@example!"),
        (),
    ),
    "SSHFP": lambda draw, place: ("4", "2", f"{place:064x}"),
    "TLSA": lambda draw, place: ("3", "1", "1", f"{place:064x}"),
    "HTTPS": lambda draw, place: (str(place + 1), host(draw), "alpn=h2", "port=8443"),
    "SVCB": lambda draw, place: (str(place + 1), host(draw), "ipv4hint=192.0.2.1"),
}
