"""The world that external alias targets lie in: NSD, whose zones change while it runs, and a server
that behaves as it is told to."""

import pathlib
import socket
import subprocess
import threading
import time

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.rrset

from harness import eventually, free_port

APEX = "elsewhere.example."


class Nsd:
    """NSD with one zone; asked as if it were a resolver, which for that zone it is as good as."""

    def __init__(self, folder, apex=APEX):
        self.folder, self.apex = pathlib.Path(folder) / "nsd", apex
        self.folder.mkdir(parents=True)
        self.port, self.serial, self.process = free_port(), 0, None
        # Nothing else than before was answered earlier.
        self.changed = None
        # What a resolver wants to know of a server.
        self.addresses, self.dns_port = ["127.0.0.1"], self.port
        (self.folder / "config").write_text(f"""server:
  ip-address: 127.0.0.1@{self.port}
  server-count: 1
  username: ""
  chroot: ""
  database: ""
  zonesdir: "{self.folder}"
  pidfile: ""
  zonelistfile: "{self.folder}/zone.list"
  xfrdfile: "{self.folder}/xfrd.state"
  xfrdir: "{self.folder}"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "{apex}"
  zonefile: "zone"
""")

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def write(self, *lines):
        self.serial += 1
        soa = f"@ 60 SOA ns hostmaster {self.serial} 60 60 600 1"
        text = "\n".join(["$TTL 60", soa, "@ 60 NS ns", "ns 60 A 127.0.0.1", *lines])
        (self.folder / "zone").write_text(f"$ORIGIN {self.apex}\n{text}\n")

    def start(self, *lines):
        """Begins to serve these lines, or what was there before."""
        if lines or not self.serial:
            self.write(*lines)
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                ["nsd", "-d", "-c", self.folder / "config"],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )
        assert eventually(self.serves, 15), (self.folder / "log").read_text(errors="replace")
        return self

    def have(self, *lines):
        """Serves these lines instead."""
        before = (self.folder / "zone").stat().st_mtime_ns
        # NSD looks at the second in which its files were changed.
        while time.time_ns() // 10**9 <= before // 10**9:
            time.sleep(0.02)
        self.write(*lines)
        self.changed = time.monotonic()
        self.process.send_signal(1)
        assert eventually(self.serves, 15), (self.folder / "log").read_text(errors="replace")

    def serves(self):
        """Whether what was written last is answered."""
        query = dns.message.make_query(self.apex, "SOA")
        try:
            reply = dns.query.udp(query, "127.0.0.1", port=self.port, timeout=0.5)
        except (OSError, dns.exception.Timeout):
            return False
        return bool(reply.answer) and reply.answer[0][0].serial == self.serial

    def stop(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class Scripted:
    """A resolver over UDP that answers by a function: (question, subnet or None) → rcode or records.

    Records are texts, and with the scope of the subnet a pair of the two. None is no reply at all.
    Forgeries come before each reply, which no client may take for one.
    """

    def __init__(self, answer, ttl=30):
        self.answer, self.ttl, self.asked, self.ended = answer, ttl, [], False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        while True:
            packet, client = self.socket.recvfrom(4096)
            if self.ended:
                return
            query = dns.message.from_wire(packet)
            question = query.question[0]
            subnets = [o for o in query.options if isinstance(o, dns.edns.ECSOption)]
            subnet = subnets[0] if subnets else None
            told = subnet and f"{subnet.address}/{subnet.srclen}"
            self.asked.append((question.name.to_text(), told))
            said = self.answer(question, told)
            if said is None:
                continue
            for reply in self.replies(query, question, subnet, said):
                self.socket.sendto(reply, client)

    def replies(self, query, question, subnet, said):
        reply = dns.message.make_response(query, our_payload=1232)
        reply.flags |= dns.flags.RA
        scope = 0
        if isinstance(said, dns.rcode.Rcode):
            reply.set_rcode(said)
        else:
            values, scope = said if isinstance(said, tuple) else (said, 0)
            records = dns.rrset.from_text(question.name, self.ttl, "IN", question.rdtype, *values)
            reply.answer.append(records)
        if subnet is not None:
            option = dns.edns.ECSOption(subnet.address, subnet.srclen, scope)
            reply.use_edns(0, options=[option])
        wire = reply.to_wire()
        yield b"\x00" * 5
        # Another id, another question, and no reply at all.
        yield bytes([wire[0] ^ 1]) + wire[1:]
        forged = dns.message.make_query("forged.example.", question.rdtype, id=reply.id)
        forged.flags |= dns.flags.QR
        yield forged.to_wire()
        yield query.to_wire()
        yield wire

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended = True
        # Wakes who waits for a question.
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join(5)
        self.socket.close()


class Silence:
    """A resolver that takes questions and says nothing."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()
