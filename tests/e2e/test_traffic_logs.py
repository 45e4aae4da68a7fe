"""The query log and dnstap: real queries, read back as Route 53's lines and by dnstap-read."""

import datetime
import functools
import resource
import signal
import socket
import struct
import subprocess
import threading

import dns.edns
import dns.message
import dns.query
import yaml

from harness import Zone, create, eventually
from traffic_logs import lines, log_counts


def test_each_answer_is_a_line_of_route_53s_format(start, tmp_path):
    log = tmp_path / "queries.log"
    server = start(config=f'[dns.query_log]\npath = "{log}"\nlocation = "FRA6"')
    zone = Zone(server.client(), "logged.example.")
    zone.change(create("www.logged.example.", "A", "192.0.2.1"))
    began = datetime.datetime.now(datetime.timezone.utc)
    server.ask("WWW.logged.example.", "A")
    server.ask("none.logged.example.", "TYPE1234", tcp=True)
    subnet = dns.edns.ECSOption("198.51.100.0", 24)
    query = dns.message.make_query("www.logged.example.", "ANY", use_edns=0, options=[subnet])
    dns.query.udp(query, server.addresses[0], port=server.dns_port, timeout=10)
    server.ask("elsewhere.invalid.", "AAAA")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as garbage:
        # No query at all: not answered, and not a line.
        garbage.sendto(b"x" * 11, (server.addresses[0], server.dns_port))
    assert eventually(lambda: len(lines(log)) == 4), log.read_text()
    found = lines(log)
    for line in found:
        time = datetime.datetime.fromisoformat(line.pop("time").replace("Z", "+00:00"))
        assert abs(time - began) < datetime.timedelta(seconds=30)
        assert (line.pop("location"), line.pop("resolver")) == ("FRA6", "127.0.0.1")
    fields = ("zone", "name", "type", "rcode", "protocol", "subnet")
    assert [tuple(line[field] for field in fields) for line in found] == [
        (zone.id, "WWW.logged.example", "A", "NOERROR", "UDP", "-"),
        (zone.id, "none.logged.example", "TYPE1234", "NXDOMAIN", "TCP", "-"),
        (zone.id, "www.logged.example", "ANY", "NOERROR", "UDP", "198.51.100.0/24"),
        ("-", "elsewhere.invalid", "AAAA", "REFUSED", "UDP", "-"),
    ]

    # A rotated file is left alone after SIGHUP.
    log.rename(tmp_path / "old.log")
    server.process.send_signal(signal.SIGHUP)
    assert eventually(log.exists)
    server.ask("www.logged.example.", "A")
    assert eventually(lambda: len(lines(log)) == 1)
    assert len(lines(tmp_path / "old.log")) == 4
    # What was asked last is on the disk when the process has ended, and the next one goes on.
    server.ask("www.logged.example.", "A", tcp=True)
    assert server.stop() == 0
    assert len(lines(log)) == 2
    server.start()
    server.ask("www.logged.example.", "A")
    assert eventually(lambda: len(lines(log)) == 3)


def test_a_log_keeps_to_its_limit_and_counts_the_rest(start, tmp_path):
    log = tmp_path / "queries.log"
    server = start(config=f'[dns.query_log]\npath = "{log}"\nmax_per_second = 5')
    for _ in range(50):
        server.ask("meridian.internal.", "SOA")
    counts = eventually(lambda: sum(log_counts(server, "query_log").values()) == 50)
    assert counts
    counts = log_counts(server, "query_log")
    # 50 queries take well under a minute.
    assert 5 <= counts["written"] <= 40
    assert counts["over_rate"] == 50 - counts["written"]
    assert len(lines(log)) == counts["written"]


def test_one_of_many_is_logged(start, tmp_path):
    log = tmp_path / "queries.log"
    server = start(config=f'[dns.query_log]\npath = "{log}"\nsample = 10\nmax_per_second = 9999')
    for _ in range(300):
        server.ask("meridian.internal.", "SOA")
    server.stop()
    # Fewer than 8 or more than 70 of 300 at 1 in 10 happen once in a billion runs.
    assert 8 <= len(lines(log)) <= 70


def dnstap_read(path):
    """What dnstap-read makes of a file."""
    done = subprocess.run(["dnstap-read", "-y", path], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def check_messages(server, zone, messages):
    assert [message["message"]["type"] for message in messages] == [
        "AUTH_QUERY",
        "AUTH_RESPONSE",
        "AUTH_QUERY",
        "AUTH_RESPONSE",
    ]
    for message in messages:
        assert message["type"] == "MESSAGE"
        assert message["identity"] == "tapped-server"
        assert message["version"].startswith("meridian ")
        body = message["message"]
        assert body["socket_family"] == "INET"
        assert body["query_address"] == body["response_address"] == "127.0.0.1"
        assert body["response_port"] == server.dns_port
        assert 0 < body["query_port"] < 65536
    assert [m["message"]["socket_protocol"] for m in messages] == ["UDP", "UDP", "TCP", "TCP"]
    for query, response in (messages[:2], messages[2:]):
        asked = query["message"]["query_message_data"]
        assert asked["id"] == response["message"]["response_message_data"]["id"]
        answered = response["message"]["response_message_data"]
        assert answered["status"] == "NOERROR"
        assert any("192.0.2.7" in record for record in answered["ANSWER_SECTION"])
        assert any(f"www.{zone.name}" in question for question in asked["QUESTION_SECTION"])
        assert query["message"]["query_time"] <= response["message"]["response_time"]


def ask_twice(server, zone):
    server.ask(f"www.{zone.name}", "A")
    server.ask(f"www.{zone.name}", "A", tcp=True)


def tapped(start, output):
    server = start(config=f'[dns]\nserver_id = "tapped-server"\n[dns.dnstap]\n{output}')
    zone = Zone(server.client(), "tapped.example.")
    zone.change(create(f"www.{zone.name}", "A", "192.0.2.7"))
    return server, zone


def test_dnstap_reads_what_was_asked_and_answered(start, tmp_path):
    tap = tmp_path / "tap"
    server, zone = tapped(start, f'path = "{tap}"')
    ask_twice(server, zone)
    assert server.stop() == 0
    check_messages(server, zone, dnstap_read(tap))
    # A file of frames has an end: the next process begins another and keeps this one.
    server.start()
    kept = [path for path in tmp_path.glob("tap.*")]
    assert len(kept) == 1
    check_messages(server, zone, dnstap_read(kept[0]))


class Collector:
    """The other end of a dnstap socket: a Frame Streams reader that keeps what it gets."""

    CONTENT = b"protobuf:dnstap.Dnstap"

    def __init__(self, path):
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        self.listener.listen()
        self.frames, self.failure = [], None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def control(self, kind):
        content = struct.pack(">III", kind, 1, len(self.CONTENT)) + self.CONTENT
        return struct.pack(">II", 0, len(content)) + content

    def run(self):
        try:
            connection, _ = self.listener.accept()
            with connection, connection.makefile("rb") as stream:
                assert stream.read(len(self.control(4))) == self.control(4)
                connection.sendall(self.control(1))
                assert stream.read(len(self.control(2))) == self.control(2)
                while length := struct.unpack(">I", stream.read(4))[0]:
                    self.frames.append(stream.read(length))
                assert stream.read(8) == struct.pack(">II", 4, 3)
                connection.sendall(struct.pack(">III", 0, 4, 5))
        except Exception as error:
            self.failure = error

    def write(self, path):
        stop = struct.pack(">III", 0, 4, 3)
        frames = b"".join(struct.pack(">I", len(frame)) + frame for frame in self.frames)
        path.write_bytes(self.control(2) + frames + stop)


def test_dnstap_goes_to_a_socket_once_somebody_listens(start, tmp_path):
    path = tmp_path / "tap.sock"
    server, zone = tapped(start, f'socket = "{path}"')
    # Nobody listens: answers go out all the same, and the loss is counted.
    ask_twice(server, zone)
    assert eventually(lambda: log_counts(server, "dnstap")["failed"] >= 2)
    before = log_counts(server, "dnstap")["failed"]
    collector = Collector(path)

    def connected():
        server.ask("meridian.internal.", "SOA")
        return collector.frames

    assert eventually(connected, timeout=10, pause=0.2)
    assert log_counts(server, "dnstap")["failed"] >= before
    ask_twice(server, zone)
    assert server.stop() == 0
    collector.thread.join(5)
    assert not collector.thread.is_alive() and collector.failure is None
    # What was asked before somebody listened is lost.
    collector.frames = [frame for frame in collector.frames if b"\x06tapped" in frame]
    collector.write(tmp_path / "tap")
    check_messages(server, zone, dnstap_read(tmp_path / "tap"))


def test_lines_that_a_full_disk_takes_not_are_counted_as_failed(start):
    server = start(config='[dns.query_log]\npath = "/dev/full"')
    for _ in range(3):
        server.ask("meridian.internal.", "SOA")
    assert eventually(lambda: log_counts(server, "query_log")["failed"] == 3)
    assert log_counts(server, "query_log")["written"] == 0
    assert eventually(lambda: "records of query_log are lost" in server.log.read_text())


def test_a_line_that_was_cut_is_not_continued(start, tmp_path):
    log = tmp_path / "queries.log"
    server = start(config=f'[dns.query_log]\npath = "{log}"')
    server.stop()
    # Writing too much is an error instead of the end.
    command = ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh", *server.command()]
    server.command = lambda: command
    server.start()
    server.ask("first.internal.", "SOA")
    assert eventually(lambda: log_counts(server, "query_log")["written"] == 1)
    server_limit = functools.partial(resource.prlimit, server.process.pid, resource.RLIMIT_FSIZE)
    (soft, hard), length = server_limit(), log.stat().st_size
    server_limit((length + 10, hard))
    for _ in range(2):
        failed = log_counts(server, "query_log")["failed"]
        server.ask("cut.internal.", "SOA")
        assert eventually(lambda: log_counts(server, "query_log")["failed"] == failed + 1)
    server_limit((soft, hard))
    server.ask("last.internal.", "SOA")
    assert eventually(lambda: log_counts(server, "query_log")["written"] == 2)
    first, cut, last = log.read_text().splitlines()
    assert " first.internal " in first and len(cut) == 10 and " last.internal " in last


def test_dnstap_goes_on_in_its_file_when_the_disk_was_full(start, tmp_path):
    tap = tmp_path / "queries.dnstap"
    server = start()
    server.stop()
    (server.folder / "meridian.toml").write_text(f'[dns.dnstap]\npath = "{tap}"')
    command = ["sh", "-c", 'trap "" XFSZ; exec "$@"', "sh", *server.command()]
    server.command = lambda: command
    server.start()
    server.ask("first.internal.", "SOA")
    assert eventually(lambda: log_counts(server, "dnstap")["written"] == 1)
    limit = functools.partial(resource.prlimit, server.process.pid, resource.RLIMIT_FSIZE)
    (soft, hard), length = limit(), tap.stat().st_size
    limit((length + 10, hard))
    server.ask("lost.internal.", "SOA")
    assert eventually(lambda: log_counts(server, "dnstap")["failed"] == 1)
    limit((soft, hard))

    def asked_and_written():
        server.ask("last.internal.", "SOA")
        return log_counts(server, "dnstap")["written"] >= 2

    assert eventually(asked_and_written, pause=0.1)
    server.stop()
    assert list(tmp_path.glob("queries.dnstap*")) == [tap]
    messages = dnstap_read(tap)
    assert "first.internal" in str(messages) and "last.internal" in str(messages)
    assert "lost.internal" not in str(messages)
