"""A load in a process of its own: asks over UDP all the time and looks at every byte that comes back.

Nothing is asked twice: a query without an answer is lost, and counted.
"""

import multiprocessing
import select
import socket
import struct
import time

import dns.message

# An answer that takes longer is lost: a resolver would have asked again by then.
LOST = 1.0
SOCKETS = 8
WINDOW = 8
# Queries that wait for their answers at any instant.
UNDER_WAY = SOCKETS * WINDOW


class Load:
    """`with Load([(address, port), …], [name, …]) as load: …`; afterwards `load.tally` says it."""

    def __init__(self, servers, names):
        context = multiprocessing.get_context("spawn")
        self.stop = context.Event()
        self.pipe, theirs = context.Pipe()
        arguments = (servers, names, self.stop, theirs)
        self.process = context.Process(target=run, args=arguments, daemon=True)
        self.tally = None

    def __enter__(self):
        self.process.start()
        assert self.pipe.poll(20) and self.pipe.recv() == "running", "the load does not start"
        return self

    def __exit__(self, *_):
        self.stop.set()
        assert self.pipe.poll(20), "the load does not end"
        self.tally = self.pipe.recv()
        self.process.join(20)


def run(servers, names, stop, pipe):
    queries = [dns.message.make_query(name, "A", id=0).to_wire()[2:] for name in names]
    flights = [Flight(servers[n % len(servers)], queries) for n in range(SOCKETS)]
    pipe.send("running")
    by_socket = {flight.socket: flight for flight in flights}
    tally = {"right": 0, "wrong": 0, "lost": 0, "slowest_ms": 0.0, "first_wrong": None}
    for flight in flights:
        flight.fill()
    while not stop.is_set():
        ready, _, _ = select.select(by_socket, [], [], 0.05)
        for each in ready:
            by_socket[each].take(tally)
        for flight in flights:
            # What has come meanwhile is not lost because nobody has looked.
            flight.take(tally)
            flight.expire(tally)
            flight.fill()
    end = time.monotonic() + LOST
    while any(flight.open for flight in flights) and time.monotonic() < end:
        ready, _, _ = select.select(by_socket, [], [], 0.05)
        for each in ready:
            by_socket[each].take(tally)
    tally["lost"] += sum(len(flight.open) for flight in flights)
    pipe.send(tally)


class Flight:
    """The queries under way on one socket. Right is what came the first time, before the test."""

    def __init__(self, server, queries):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(server)
        self.socket.settimeout(10)
        self.queries, self.expected = queries, []
        for query in queries:
            self.socket.send(b"\0\0" + query)
            self.expected.append(self.socket.recv(4096)[2:])
        assert all(dns.message.from_wire(b"\0\0" + reply).answer for reply in self.expected)
        self.socket.setblocking(False)
        self.next, self.open = 0, {}

    def fill(self):
        while len(self.open) < WINDOW:
            number = self.next = (self.next + 1) % 65_536
            query = number % len(self.queries)
            self.socket.send(struct.pack("!H", number) + self.queries[query])
            self.open[number] = (query, time.monotonic())

    def take(self, tally):
        for _ in range(WINDOW):
            try:
                reply = self.socket.recv(4096)
            except BlockingIOError:
                return
            (number,) = struct.unpack("!H", reply[:2])
            query, sent = self.open.pop(number, (None, 0))
            if query is None or reply[2:] != self.expected[query]:
                tally["wrong"] += 1
                tally["first_wrong"] = tally["first_wrong"] or repr(reply)
                continue
            tally["right"] += 1
            tally["slowest_ms"] = max(tally["slowest_ms"], 1000 * (time.monotonic() - sent))

    def expire(self, tally):
        late = time.monotonic() - LOST
        for number in [n for n, (_, sent) in self.open.items() if sent < late]:
            del self.open[number]
            tally["lost"] += 1
