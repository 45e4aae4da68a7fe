"""docs/EDGE.md as pasted, and what the world sees of it: NSD has the names of the network and of the
load balancers, nginx is all of them, unbound is the resolver of the clients and the server's own."""

import contextlib
import json
import re
import socket
import subprocess
import urllib.request

import dns.message
import dns.query
import dns.rdatatype

from elsewhere import Nsd
from harness import REPO, Meridian, eventually, free_port
from pasted import paste
from resolver import Unbound

# What stands in the document, and where it is here.
ADDRESSES = {"192.0.2.80": "127.0.80.80", "192.0.2.1": "127.0.80.1", "192.0.2.2": "127.0.80.2"}
ZONES = {
    "cloudfront.net.": ["d111111abcdef8 2 A 127.0.80.80", "d111111abcdef8 2 AAAA 2001:db8::80"],
    "us-east-1.elb.amazonaws.com.": ["web-1 2 A 127.0.80.1"],
    "eu-central-1.elb.amazonaws.com.": ["web-2 2 A 127.0.80.2"],
}


class Web:
    """The network, which fetches from the load balancers' origin, and the two load balancers."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder, self.processes = folder, {}
        self.port = free_port(tuple(ADDRESSES.values()))

    def start(self, address, inside):
        home = self.folder / address
        home.mkdir(exist_ok=True)
        temporary = " ".join(
            f"{name}_temp_path {home}/{name};"
            for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (home / "nginx.conf").write_text(f"""
            daemon off;
            master_process off;
            pid {home}/pid;
            error_log {home}/error.log;
            events {{ worker_connections 64; }}
            http {{ access_log off; {temporary}
                server {{ listen {address}:{self.port}; location / {{ {inside} }} }} }}
        """)
        command = ["nginx", "-e", home / "error.log", "-p", home, "-c", home / "nginx.conf"]
        self.processes[address] = subprocess.Popen(command)
        assert eventually(lambda: listens(address, self.port)), address

    def origin(self, address, name):
        self.start(address, f"return 200 '{name}\\n';")

    def network(self, address, origin):
        self.start(address, f"proxy_pass http://{origin}:{self.port}; add_header Via network;")

    def kill(self, address):
        process = self.processes.pop(address)
        process.kill()
        process.wait()

    def stop(self):
        for address in list(self.processes):
            self.kill(address)


def listens(address, port):
    with contextlib.suppress(OSError), socket.create_connection((address, port), 1):
        return True
    return False


class Client:
    """Somebody who has a resolver."""

    def __init__(self, resolver, port):
        self.resolver, self.port = resolver, port

    def addresses(self, name, rtype="A"):
        query = dns.message.make_query(name, rtype)
        reply = dns.query.udp(query, "127.0.0.1", port=self.resolver.port, timeout=5)
        assert all(set_.rdtype == dns.rdatatype.from_text(rtype) for set_ in reply.answer), reply
        return {record.to_text() for set_ in reply.answer for record in set_}

    def get(self, name):
        (address,) = self.addresses(name)
        request = urllib.request.Request(f"http://{address}:{self.port}/", headers={"Host": name})
        with urllib.request.urlopen(request, timeout=5) as page:
            return page.read().decode().strip(), page.headers.get("Via")


def served(text, server, web):
    """The document for this server and this world."""
    for here, there in [
        ("http://127.0.0.1:5380", server.endpoint),
        ("-p 5300", f"-p {server.dns_port}"),
        ("Port=80", f"Port={web.port}"),
    ]:
        assert here in text
        text = text.replace(here, there)
    for here, there in ADDRESSES.items():
        assert here in text
        text = re.sub(rf"\b{re.escape(here)}\b", there, text)
    return text


def test_from_origin_to_edge(tmp_path):
    web = Web(tmp_path / "web")
    servers = [Nsd(tmp_path / apex, apex) for apex in ZONES]
    unbounds, server = [], None
    try:
        for nsd in servers:
            nsd.start(*ZONES[nsd.apex])
        web.origin("127.0.80.1", "origin in us-east-1")
        web.origin("127.0.80.2", "origin in eu-central-1")
        web.network("127.0.80.80", "127.0.80.1")
        stubs = "".join(
            f"stub-zone:\n    name: \"{nsd.apex}\"\n    stub-addr: {nsd.address.replace(':', '@')}\n"
            for nsd in servers[1:]
        )
        (tmp_path / "behind").mkdir()
        unbounds.append(Unbound(tmp_path / "behind", servers[0], servers[0].apex, lines=stubs))
        config = f'[targets]\nresolvers = ["127.0.0.1:{unbounds[0].port}"]\nmin_ttl_s = 1\n'
        server = Meridian(tmp_path / "server", config=config).start()
        quota = "MIN_HEALTH_CHECK_INTERVAL_SECONDS"
        server.admin("quota", "set", "--account", "operator", quota, "1")
        text = served((REPO / "docs/EDGE.md").read_text(), server, web)
        paste(server, text, tmp_path / "programs")
        (tmp_path / "front").mkdir()
        unbounds.append(Unbound(tmp_path / "front", server, "example.com"))
        seen_by_the_world(server, web, Client(unbounds[1], web.port))
    finally:
        for each in (*unbounds, *servers, web):
            each.stop()
        if server:
            server.kill()


def seen_by_the_world(server, web, client):
    for name in ("example.com", "www.example.com"):
        # Until the server has heard of its target, a name has no answer.
        assert eventually(lambda: client.addresses(name) == {"127.0.80.80"}, pause=0.1)
        assert eventually(lambda: client.addresses(name, "AAAA"), pause=0.1)
        assert client.get(name) == ("origin in us-east-1", "network")
        assert client.addresses(name, "AAAA") == {"2001:db8::80"}
    # The clients of this resolver are nowhere known, and get one of the healthy ones for good.
    server.admin("record", "remove", "example.com", "api", "--set-identifier", "ap-northeast-1")
    (check,) = [r["health_check"] for r in server.admin("resource", "list") if r["health_check"]]
    server.admin("health", "set", check, "--interval", "1")
    # Only the first has a check: it is the one for these clients, once the other has gone.
    server.admin("record", "remove", "example.com", "api", "--set-identifier", "eu-central-1", "--all")
    assert eventually(lambda: client.addresses("api.example.com") == {"127.0.80.1"}, 10, 0.1)
    assert client.get("api.example.com") == ("origin in us-east-1", None)
    second = ("--failover", "secondary", "--alias", "web-2.eu-central-1.elb.amazonaws.com")
    first = ("--failover", "primary", "--alias", "web-1.us-east-1.elb.amazonaws.com")
    for words in (first, second):
        server.admin("record", "add", "example.com", "site", *words, "--type", "A")
    assert eventually(lambda: client.addresses("site.example.com") == {"127.0.80.1"}, 10, 0.1)
    explained = json.dumps(server.admin("explain", "site.example.com", "A", "--client", "192.0.2.9"))
    assert check in explained and "127.0.80.1" in explained, explained
    # Its machine dies, nobody says anything by hand, and clients are led to the other.
    web.kill("127.0.80.1")
    assert eventually(lambda: client.addresses("site.example.com") == {"127.0.80.2"}, 20, 0.1)
    assert client.get("site.example.com") == ("origin in eu-central-1", None)
    web.origin("127.0.80.1", "origin in us-east-1, again")
    assert eventually(lambda: client.addresses("site.example.com") == {"127.0.80.1"}, 20, 0.1)
    assert client.get("site.example.com") == ("origin in us-east-1, again", None)
