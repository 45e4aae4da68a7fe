"""Programs that speak Route 53, run as their users run them, and the set-ups of docs/CLIENTS.md."""

import pathlib
import re
import select
import socket
import socketserver
import subprocess
import sys
import textwrap
import threading

import dns.edns
import pytest

from acme import Authority
from harness import REPO, TEST_ENV, Meridian, Zone, change, eventually, free_port

CLIENTS = pathlib.Path(TEST_ENV) / "clients/bin"


def key_in_environment(key):
    return {"AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret}


def run(meridian, folder, *command, key=None, check=True):
    """Runs a client, with the operator's key unless it is given another."""
    done = subprocess.run(
        [str(CLIENTS / command[0]), *map(str, command[1:])],
        env=meridian.aws_environment() | (key_in_environment(key) if key else {}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    output = done.stdout + done.stderr
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{output}"
    return output


# OctoDNS: zones as files, made true at the provider.

OCTODNS = """
providers:
  config: {class: octodns.provider.yaml.YamlProvider, directory: ./zones, enforce_order: false}
  route53:
    class: octodns_route53.Route53Provider
    access_key_id: %s
    secret_access_key: %s
zones:
  octo.example.: {sources: [config], targets: [route53]}
"""
RECORDS = """
'':
  - {type: MX, values: [{exchange: mail.octo.example., preference: 10}]}
  - {type: TXT, values: ['v=spf1 -all', 'semi\\; colon']}
  - {type: CAA, value: {flags: 0, tag: issue, value: ca.example}}
'*': {type: A, value: 192.0.2.9}
_sip._tcp: {type: SRV, value: {port: 5060, priority: 1, target: sip.octo.example., weight: 2}}
mail: {type: A, ttl: 60, values: [192.0.2.1, 192.0.2.2]}
v6: {type: AAAA, value: '2001:db8::1'}
www: {type: CNAME, value: mail.octo.example.}
"""


@pytest.fixture(scope="module")
def octo(meridian):
    """The key of an account of its own: OctoDNS takes no account with two zones of one name."""
    key = meridian.new_account("octo")
    meridian.admin("account", "set", key.account, "--probes", "everything")
    return key


@pytest.fixture(scope="module")
def octos(meridian, octo):
    """A boto3 client of that account."""
    return meridian.client(octo)


@pytest.fixture
def octodns(meridian, octo, tmp_path):
    """Runs octodns on a folder; `records` are the zone."""
    key = octo
    (tmp_path / "config.yaml").write_text(OCTODNS % (key.id, key.secret))
    (tmp_path / "zones").mkdir()

    def sync(records, *options):
        (tmp_path / "zones/octo.example.yaml").write_text(textwrap.dedent(records))
        return run(meridian, tmp_path, "octodns-sync", "--config-file=config.yaml", *options)

    return sync


def test_octodns_edits_a_zone_with_rights_for_it_alone(octodns, meridian, octo, octos, tmp_path):
    zone = Zone(octos, "octo.example")
    key = meridian.new_user(octo.account, f"octo-{zone.id}", f"zone-editor={zone.id}")
    (tmp_path / "config.yaml").write_text(OCTODNS % (key.id, key.secret))
    octodns(RECORDS, "--doit")
    assert eventually(lambda: meridian.values("anything.octo.example.") == {"192.0.2.9"})
    zone.send(*(change("DELETE", set_) for set_ in zone.sets(own=True)))
    octos.delete_hosted_zone(Id=zone.id)


def test_octodns_makes_a_zone_and_changes_it(octodns, meridian, octos):
    plan = octodns(RECORDS)
    assert "octo.example." in plan and "create" in plan.lower()
    assert "octo.example." not in str(octos.list_hosted_zones()), "a plan changes nothing"
    octodns(RECORDS, "--doit")
    assert eventually(lambda: meridian.values("mail.octo.example.") == {"192.0.2.1", "192.0.2.2"})
    assert eventually(lambda: meridian.values("anything.octo.example.") == {"192.0.2.9"})
    texts = {'"v=spf1 -all"', '"semi; colon"'}
    assert eventually(lambda: meridian.values("octo.example.", "TXT") == texts)
    again = octodns(RECORDS, "--doit")
    assert "No changes were planned" in again, again
    changed = RECORDS.replace("192.0.2.9", "192.0.2.10").replace("v6:", "six:")
    octodns(changed, "--doit")
    assert eventually(lambda: meridian.values("anything.octo.example.") == {"192.0.2.10"})
    assert eventually(lambda: meridian.rcode("six.octo.example.", "AAAA") == "NOERROR")
    assert "No changes were planned" in octodns(changed, "--doit")


DYNAMIC = """
www:
  type: A
  ttl: 60
  value: 192.0.2.9
  octodns: {healthcheck: {host: www.octo.example, path: /up, port: 8080, protocol: HTTP}}
  dynamic:
    pools:
      eu: {fallback: na, values: [{value: 192.0.2.1}, {value: 192.0.2.2, weight: 3}]}
      na: {values: [{value: 192.0.2.3, status: down}, {value: 192.0.2.4, status: up}]}
    rules:
      - {geos: [EU], pool: eu}
      - {pool: na}
"""


def test_octodns_makes_dynamic_records_with_health_checks(octodns, meridian, octos):
    def own_checks():
        return [
            check["HealthCheckConfig"]
            for check in octos.list_health_checks()["HealthChecks"]
            if "octo.example" in check["CallerReference"]
        ]

    def addresses(subnet):
        ecs = dns.edns.ECSOption(subnet, 24)
        return {
            address
            for _ in range(30)
            for address in meridian.values("www.octo.example.", payload=1232, options=[ecs])
        }

    amsterdam, tokyo = "193.0.0.0", "133.242.0.0"
    octodns(DYNAMIC, "--doit")
    assert eventually(lambda: addresses(amsterdam) == {"192.0.2.1", "192.0.2.2"})
    assert eventually(lambda: addresses(tokyo) == {"192.0.2.4"})
    states = {config["IPAddress"]: config["Disabled"] for config in own_checks()}
    assert states == {"192.0.2.1": False, "192.0.2.2": False, "192.0.2.3": True}
    assert {config["ResourcePath"] for config in own_checks()} == {"/up"}
    assert "No changes were planned" in octodns(DYNAMIC, "--doit")
    # A pool that is down falls back; checks that nothing names any more are deleted.
    down = DYNAMIC.replace("192.0.2.1}", "192.0.2.1, status: down}").replace(
        "weight: 3", "weight: 3, status: down"
    )
    octodns(down, "--doit")
    assert eventually(lambda: addresses(amsterdam) == {"192.0.2.4"})
    assert len(own_checks()) == 3 and all(config["Inverted"] for config in own_checks())
    plain = "www: {type: A, value: 192.0.2.9}\n"
    octodns(plain, "--doit")
    assert eventually(lambda: addresses(amsterdam) == {"192.0.2.9"})
    assert own_checks() == []


# certbot: a certificate by a TXT record.


def certbot(meridian, folder, authority, *names, key=None, check=True):
    directories = [f"--{name}-dir={folder / name}" for name in ("config", "work", "logs")]
    options = [
        "--non-interactive",
        "--agree-tos",
        "--register-unsafely-without-email",
        "--dns-route53",
        f"--server={authority.url}",
        *(f"--domain={name}" for name in names),
    ]
    return run(meridian, folder, "certbot", "certonly", *directories, *options, key=key, check=check)


@pytest.mark.parametrize("name", ["www.certbot.example", "*.sub.certbot.example"])
def test_certbot_gets_a_certificate(meridian, route53, tmp_path, name):
    zone = Zone(route53, "certbot.example")
    inner = Zone(route53, "sub.certbot.example")

    def look_up(owner):
        return {text.strip('"') for text in meridian.values(owner, "TXT")}

    # All the rights it needs.
    user = f"certbot-{zone.id}"
    key = meridian.new_user("operator", user, f"acme={zone.id},{inner.id}")
    with Authority(look_up) as authority:
        certbot(meridian, tmp_path, authority, name, key=key)
    assert authority.valid and authority.asked
    lineage = tmp_path / "config/live" / name.removeprefix("*.")
    assert "BEGIN CERTIFICATE" in (lineage / "fullchain.pem").read_text()
    # The record is gone again.
    for each in (zone, inner):
        assert each.sets(own=True) == []
        route53.delete_hosted_zone(Id=each.id)


def test_certbot_without_the_zone_says_so(meridian, tmp_path):
    with Authority(lambda _: set()) as authority:
        said = certbot(meridian, tmp_path, authority, "www.nobodys.test", check=False)
    assert "Unable to find a Route53 hosted zone" in said


# lego: the same by AWS's SDK for Go, which only knows AWS's own name.


class Tunnel(socketserver.BaseRequestHandler):
    """An HTTP proxy for one request, CONNECT, that leads everybody to the server under test."""

    target = None

    def handle(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(4096)
        assert head.startswith(b"CONNECT route53.amazonaws.com:443 "), head
        with socket.create_connection(self.target) as there:
            self.request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            ends = {self.request: there, there: self.request}
            while True:
                for end in select.select(list(ends), [], [], 30)[0]:
                    data = end.recv(65536)
                    if not data:
                        return
                    ends[end].sendall(data)


@pytest.fixture
def as_amazon(tmp_path):
    """A server with a certificate for AWS's name, and the proxy that leads to it."""
    server = Meridian(tmp_path / "meridian")
    port = free_port()
    server.admin("tls", "init", "--name", "route53.amazonaws.com", as_json=False)
    (server.folder / "meridian.toml").write_text(
        f'[api.tls]\ncertificate = "{server.data}/tls/server.pem"\n'
        f'key = "{server.data}/tls/server-key.pem"\nlisten = ["127.0.0.1:{port}"]\n'
    )
    handler = type("Handler", (Tunnel,), {"target": ("127.0.0.1", port)})
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as proxy, server:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        server.proxy = f"http://127.0.0.1:{proxy.server_address[1]}"
        yield server
        proxy.shutdown()


def test_lego_gets_a_certificate(as_amazon, tmp_path):
    server = as_amazon
    zone = Zone(server.client(), "lego.example")
    # All the rights it needs.
    key = server.new_user("operator", "lego", f"acme={zone.id}")

    def look_up(owner):
        return {text.strip('"') for text in server.values(owner, "TXT")}

    environment = server.aws_environment() | key_in_environment(key) | {
        "AWS_REGION": "us-east-1",
        "AWS_HOSTED_ZONE_ID": zone.id,
        "AWS_POLLING_INTERVAL": "1",
        "HTTPS_PROXY": server.proxy,
        "SSL_CERT_FILE": str(server.data / "tls/ca.pem"),
    }
    with Authority(look_up) as authority:
        done = subprocess.run(
            ["lego", "--server", authority.url, "--accept-tos", "--email", "me@lego.example"]
            + ["--dns", "route53", "--dns.disable-cp", "--path", str(tmp_path / "lego")]
            + ["--domains", "www.lego.example", "run"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "lego/certificates/www.lego.example.crt").exists()
    assert zone.sets(own=True) == []


# docs/CLIENTS.md, as pasted.


def pasted(name):
    text = (REPO / "docs/CLIENTS.md").read_text()
    return re.search(rf"<!-- test: {name} -->\s*```\w+\n(.*?)```", text, re.DOTALL)[1]


@pytest.fixture
def documented(start, tmp_path):
    """A server at the addresses that the document names, in the folder it is read in."""
    server = start(api="127.0.0.1:5380")
    (server.folder / "meridian-data").symlink_to(server.data)
    return server


@pytest.mark.alone
def test_the_document_is_true_for_aws_cli_and_boto3_and_octodns(documented):
    server = documented
    environment = server.aws_environment()
    del environment["AWS_ENDPOINT_URL_ROUTE_53"]

    def run(*command, **variables):
        done = subprocess.run(
            command,
            cwd=server.folder,
            env=environment | variables,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    run("bash", "-euc", pasted("aws"))
    assert eventually(lambda: server.values("www.cli.example.") == {"192.0.2.1"})
    run(sys.executable, "-c", pasted("boto3"))
    assert eventually(lambda: server.values("www.boto3.example.") == {"192.0.2.1"})
    (server.folder / "config.yaml").write_text(pasted("octodns"))
    (server.folder / "zones").mkdir()
    (server.folder / "zones/octo.example.yaml").write_text("www: {type: A, value: 192.0.2.1}\n")
    key = server.operator()
    run(
        str(CLIENTS / "octodns-sync"),
        "--config-file=config.yaml",
        "--doit",
        AWS_ENDPOINT_URL_ROUTE_53="http://127.0.0.1:5380",
        AWS_ACCESS_KEY_ID=key.id,
        AWS_SECRET_ACCESS_KEY=key.secret,
    )
    assert eventually(lambda: server.values("www.octo.example.") == {"192.0.2.1"})
