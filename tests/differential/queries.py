"""Random queries about zones, how they are sent, and replies in a form that can be compared."""

import dataclasses
import socket
import struct

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from differential.zones import name_text, wire_length

TYPES = {
    "A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "HINFO": 13, "MX": 15, "TXT": 16,
    "AAAA": 28, "SRV": 33, "NAPTR": 35, "DNAME": 39, "DS": 43, "SSHFP": 44, "RRSIG": 46,
    "NSEC": 47, "DNSKEY": 48, "TLSA": 52, "SVCB": 64, "HTTPS": 65, "SPF": 99, "ANY": 255,
    "CAA": 257, "TYPE65280": 65280,
}  # fmt: skip
OFTEN = ["A", "A", "AAAA", "NS", "NS", "DS", "DS", "SOA", "CNAME", "TXT", "MX", "ANY"]

TIMEOUT = 2.0
NO_ANSWER = "no answer"


@dataclasses.dataclass(frozen=True)
class Query:
    """One question and the way to put it."""

    name: tuple
    rtype: str
    rclass: int = 1
    payload: int | None = None
    dnssec_ok: bool = False
    tcp: bool = False

    def __str__(self):
        how = [name_text(self.name), self.rtype]
        how += [f"class {self.rclass}"] if self.rclass != 1 else []
        how += [f"EDNS {self.payload}"] if self.payload is not None else []
        how += ["DO"] if self.dnssec_ok else []
        return " ".join(how + ["TCP" if self.tcp else "UDP"])

    @property
    def folded(self):
        return tuple(label.lower() for label in self.name)

    @property
    def room(self):
        """The longest reply the client takes; no server here sends more than 1232 over UDP."""
        if self.tcp:
            return 65_535
        return min(1232, max(512, self.payload or 0))

    def wire(self, number):
        """The message with this id."""
        name = b"".join(bytes([len(label)]) + label for label in self.name) + b"\0"
        question = name + struct.pack("!HH", TYPES[self.rtype], self.rclass)
        head = struct.pack("!6H", number, 0, 1, 0, 0, int(self.payload is not None))
        opt = b""
        if self.payload is not None:
            opt = struct.pack("!BHHIH", 0, 41, self.payload, self.dnssec_ok << 15, 0)
        return head + question + opt


class Drawer:
    """Draws queries about given zones."""

    def __init__(self, random, zones):
        self.random, self.zones = random, zones
        self.types = {}
        for zone in zones:
            for set_ in zone.sets:
                self.types.setdefault(set_.name, []).append(set_.rtype)

    def chance(self, probability):
        return self.random.random() < probability

    def query(self):
        name = self.name(self.random.choice(self.zones))
        rtype = self.rtype(name)
        if self.chance(0.2):
            name = tuple(bytes(self.other_case(b) for b in label) for label in name)
        how = {"tcp": self.chance(0.25)}
        if self.chance(0.6):
            size = self.random.choice([512, 512, 700, 1232, 1232, 4096, None])
            if size is None:
                size = self.random.choice([0, 1, 511, 513, 65_535, self.random.randint(2, 4096)])
            how |= {"payload": size, "dnssec_ok": self.chance(0.4)}
        if self.chance(0.01):
            how["rclass"] = self.random.choice([3, 255])
        return Query(name, rtype, **how)

    def other_case(self, byte):
        letter = 65 <= byte & 0xDF <= 90
        return byte ^ 0x20 if letter and self.chance(0.5) else byte

    def name(self, zone):
        """A name of the zone, or one near it: above, below, beside, covered by a wildcard."""
        draw, name = self.random, self.random.choice(zone.names)
        targets = [v[-1] for s in zone.sets for v in s.values if s.rtype in ("NS", "CNAME", "MX")]
        label = draw.choice([b"a", b"b", b"*", b"ns", b"nothing", b"\0", b"zzz"])
        kind = draw.random()
        if kind < 0.4:
            result = name
        elif kind < 0.5:
            result = name[draw.randint(1, len(name)) :]
        elif kind < 0.65:
            result = (label, *name)
        elif kind < 0.7:
            result = (label, b"x", label, *name)
        elif kind < 0.75:
            result = (label, *name[1:])
        elif kind < 0.85:
            result = tuple(draw.choice([b"a", b"w"]) if la == b"*" else la for la in name)
        elif kind < 0.92:
            result = draw.choice(targets)
        elif kind < 0.96:
            result = name[: draw.randint(0, len(name) - 2)] + zone.apex
        else:
            result = (label, draw.choice([b"org", b"test", b"z0"]))
        return result if wire_length(result) < 256 else name

    def rtype(self, name):
        kind, known = self.random.random(), self.types.get(name)
        if known and kind < 0.45:
            return self.random.choice(known)
        return self.random.choice(OFTEN if kind < 0.85 else list(TYPES))


@dataclasses.dataclass(frozen=True)
class Record:
    """A record with its owner in lower case and its data in wire form."""

    owner: tuple
    rtype: str
    ttl: int
    data: bytes
    # The data with the names in it in lower case, and as text.
    folded: bytes = dataclasses.field(compare=False)
    text: str = dataclasses.field(compare=False)

    @property
    def target(self):
        """Where a CNAME leads."""
        return tuple(dns.name.from_wire(self.folded, 0)[0].labels[:-1])

    def __str__(self):
        return f"{name_text(self.owner)} {self.ttl} {self.rtype} {self.text}"


@dataclasses.dataclass(frozen=True)
class Reply:
    """What a reply says. Sections are sets: an order is nobody's promise."""

    rcode: str
    authoritative: bool
    truncated: bool
    edns: bool
    answer: frozenset
    authority: frozenset
    additional: frozenset
    # Whether a section has a record twice.
    twice: bool
    length: int = dataclasses.field(compare=False)

    @property
    def head(self):
        words = [self.rcode, "AA" * self.authoritative, "TC" * self.truncated, "EDNS" * self.edns]
        words += ["a record twice" * self.twice, f"{self.length} bytes"]
        return " ".join(filter(None, words))

    def records(self):
        """Lines of all sections."""
        sections = ("answer", "authority", "additional")
        return {f"{section} {record}" for section in sections for record in getattr(self, section)}


def difference(theirs, ours):
    """What one reply has and the other has not, as lines."""
    lines = [f"  theirs: {theirs.head}", f"  ours:   {ours.head}"]
    lines += [f"  only theirs: {line}" for line in sorted(theirs.records() - ours.records())]
    lines += [f"  only ours:   {line}" for line in sorted(ours.records() - theirs.records())]
    shared = sorted(ours.records() & theirs.records())
    lines += [f"  both:        {line}" for line in shared[:4]]
    if len(shared) > 4:
        lines.append(f"  both:        and {len(shared) - 4} records more")
    return "\n".join(lines)


def read(query, number, wire):
    """Checks what every reply owes its query, whoever sent it; returns the rest."""
    sent = query.wire(number)
    end = len(sent) - (11 if query.payload is not None else 0)
    assert wire[:2] == sent[:2] and wire[2] & 0xF9 == 0x80, "id, QR, opcode and RD"
    assert wire[4:6] == b"\0\1" and wire[12:end] == sent[12:end], "the question, case and all"
    assert len(wire) <= query.room, f"{len(wire)} bytes where {query.room} are taken"
    message = dns.message.from_wire(wire, one_rr_per_rrset=True)
    assert not message.flags & (dns.flags.RA | dns.flags.AD | dns.flags.CD), "RA, AD, CD"
    found = [records(s) for s in (message.answer, message.authority, message.additional)]
    sections = [section for section, _ in found]
    return Reply(
        rcode=dns.rcode.to_text(message.rcode()),
        authoritative=bool(message.flags & dns.flags.AA),
        truncated=bool(message.flags & dns.flags.TC),
        edns=message.edns >= 0,
        answer=sections[0],
        authority=sections[1],
        additional=sections[2],
        twice=any(twice for _, twice in found),
        length=len(wire),
    )


def records(section):
    found = [
        Record(
            owner=tuple(label.lower() for label in set_.name.labels[:-1]),
            rtype=dns.rdatatype.to_text(set_.rdtype),
            ttl=set_.ttl,
            data=value.to_wire(),
            folded=value.to_digestable(),
            text=value.to_text(),
        )
        for set_ in section
        for value in set_
    ]
    return frozenset(found), len(found) > len(set(found))


class Asker:
    """Asks one server."""

    def __init__(self, server):
        self.address = ("127.0.0.1", server.port)

    def ask(self, query):
        """The reply, or a text that says what is wrong with it."""
        return self.ask_all([query])[0]

    def ask_all(self, queries):
        """The same of each query, all of which are under way at once: at most some dozens.

        What gets no answer is asked once more: a busy machine may have lost it.
        """
        replies = self.try_all(dict(enumerate(queries)))
        missing = {n: query for n, query in enumerate(queries) if n not in replies}
        replies |= self.try_all(missing)
        return [replies.get(number, NO_ANSWER) for number in range(len(queries))]

    def try_all(self, queries):
        """Replies by number, without those that did not come in time."""
        over_tcp = {number: query for number, query in queries.items() if query.tcp}
        over_udp = {number: query for number, query in queries.items() if not query.tcp}
        wires = [*self.over_udp(over_udp), *self.over_tcp(over_tcp)]
        replies = {}
        for wire in wires:
            number = int.from_bytes(wire[:2])
            try:
                replies[number] = read(queries[number], number, wire)
            except (AssertionError, KeyError, dns.exception.DNSException) as error:
                replies[number] = f"{type(error).__name__}: {error}"
        return replies

    def over_udp(self, queries):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(TIMEOUT)
            udp.connect(self.address)
            for number, query in queries.items():
                udp.send(query.wire(number))
            for _ in queries:
                try:
                    yield udp.recv(65_535)
                except TimeoutError:
                    return

    def over_tcp(self, queries):
        """On one connection, one after the other without waiting."""
        if not queries:
            return
        with socket.create_connection(self.address, TIMEOUT) as tcp:
            stream = tcp.makefile("rb")
            try:
                for number, query in queries.items():
                    wire = query.wire(number)
                    tcp.sendall(struct.pack("!H", len(wire)) + wire)
                for _ in queries:
                    (length,) = struct.unpack("!H", stream.read(2))
                    yield stream.read(length)
            except (OSError, struct.error):
                # Closed, or nothing comes: the rest is asked again.
                return
