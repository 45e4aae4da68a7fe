"""The API over TLS: for the clients that AWS has, with a certificate that changes under them."""

import contextlib
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
import urllib.request

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import botocore.exceptions
import pytest
from cryptography import x509

from authority import NAME, Authority
from harness import BIN, Key, Meridian, adopt_successors, eventually, free_port, reference

PATH = "/2013-04-01/hostedzone"


class Encrypted(Meridian):
    """A server whose API speaks HTTPS as well, with the certificate of an authority of its own."""

    def __init__(self, folder, **options):
        super().__init__(folder, **options)
        self.authority = Authority(self.folder / "authority")
        self.certificate, self.key = self.folder / "certificate.pem", self.folder / "key.pem"
        self.serial = self.authority.issue(self.certificate, self.key)
        self.https = f"127.0.0.1:{free_port()}"
        self.configure(f'listen = ["{self.https}"]')

    def configure(self, listen):
        (self.folder / "meridian.toml").write_text(
            f'[api.tls]\ncertificate = "{self.certificate}"\nkey = "{self.key}"\n{listen}\n'
        )

    @property
    def trusted(self):
        return str(self.authority.path)

    def secure_client(self, **config):
        """A boto3 client that trusts our authority."""
        return https_client(self, self.trusted, **config)

    def connect(self):
        """A connection over TLS, as http.client has it."""
        context = ssl.create_default_context(cafile=self.trusted)
        return http.client.HTTPSConnection(self.https, timeout=10, context=context)

    def shown_serial(self):
        connection = self.connect()
        connection.connect()
        with contextlib.closing(connection):
            shown = connection.sock.getpeercert(binary_form=True)
            return x509.load_der_x509_certificate(shown).serial_number


def https_client(server, verify, address=None, key=None, **config):
    key = key or server.operator()
    config.setdefault("retries", {"total_max_attempts": 1})
    return boto3.session.Session().client(
        "route53",
        endpoint_url=f"https://{address or server.https}",
        region_name="us-east-1",
        aws_access_key_id=key.id,
        aws_secret_access_key=key.secret,
        verify=verify,
        config=botocore.config.Config(**config),
    )


def ask(server, connection):
    """A signed request on a connection; returns the status."""
    key = server.operator()
    request = botocore.awsrequest.AWSRequest("GET", f"https://{server.https}{PATH}")
    credentials = botocore.credentials.Credentials(key.id, key.secret)
    botocore.auth.SigV4Auth(credentials, "route53", "us-east-1").add_auth(request)
    connection.request("GET", PATH, headers=dict(request.prepare().headers))
    response = connection.getresponse()
    response.read()
    return response.status


class Polling:
    """Asks again and again, each time over a connection of its own."""

    def __init__(self, server):
        self.server, self.statuses, self.failures = server, [], []
        self.stop, self.thread = threading.Event(), threading.Thread(target=self.run)

    def run(self):
        while not self.stop.is_set():
            connection = self.server.connect()
            try:
                self.statuses.append(ask(self.server, connection))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(error)
            finally:
                connection.close()

    def wait_for(self, more):
        before = len(self.statuses)
        assert eventually(lambda: len(self.statuses) >= before + more)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stop.set()
        self.thread.join(30)
        if kind is None:
            assert not self.failures and set(self.statuses) == {200}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Encrypted(tmp_path_factory.mktemp("api-tls") / "meridian") as server:
        yield server
        assert server.stop() == 0, server.log_tail()


def test_boto3_over_tls(server):
    client = server.secure_client()
    made = client.create_hosted_zone(Name="secure.example.", CallerReference=reference())
    assert made["Location"].startswith(f"https://{server.https}/2013-04-01/hostedzone/Z")
    client.delete_hosted_zone(Id=made["HostedZone"]["Id"])
    # The loopback door stays open, and says of itself what it is.
    made = server.client().create_hosted_zone(Name="plain.example.", CallerReference=reference())
    assert made["Location"].startswith(f"http://{server.api}/")
    server.client().delete_hosted_zone(Id=made["HostedZone"]["Id"])


def test_aws_cli_over_tls(server):
    environment = server.aws_environment() | {
        "AWS_ENDPOINT_URL": f"https://{server.https}",
        "AWS_ENDPOINT_URL_ROUTE_53": f"https://{server.https}",
        "AWS_CA_BUNDLE": server.trusted,
        "AWS_DEFAULT_OUTPUT": "json",
    }
    for command in (["route53", "list-hosted-zones"], ["sts", "get-caller-identity"]):
        done = subprocess.run(
            ["aws", *command], env=environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0 and json.loads(done.stdout), done.stderr


def test_strangers_are_not_trusted(server):
    with pytest.raises(botocore.exceptions.SSLError):
        https_client(server, verify=True).list_hosted_zones()


def test_what_is_spoken(server):
    context = ssl.create_default_context(cafile=server.trusted)
    context.set_alpn_protocols(["h2", "http/1.1"])
    with socket.create_connection(server.https.split(":"), 10) as connection:
        with context.wrap_socket(connection, server_hostname=NAME) as session:
            assert session.selected_alpn_protocol() == "http/1.1"
            assert session.version() == "TLSv1.3"
    # Who speaks without TLS at that door is not kept.
    plain = http.client.HTTPConnection(server.https, timeout=5)
    with pytest.raises((http.client.HTTPException, OSError)):
        plain.request("GET", "/")
        plain.getresponse()


def test_a_renewed_certificate_is_shown_and_nobody_is_cut_off(server):
    kept = server.connect()
    assert ask(server, kept) == 200
    socket_before = kept.sock
    with Polling(server) as polling:
        assert server.shown_serial() == server.serial
        renewed = server.authority.issue(server.certificate, server.key)
        server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: server.shown_serial() == renewed)
        polling.wait_for(5)
        since = server.log.stat().st_size
        server.key.write_text("not a key")
        server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: "the one before is shown" in server.log_tail(since))
        assert f"api.tls.key, {server.key}, cannot be used" in server.log_tail(since)
        assert server.shown_serial() == renewed
        polling.wait_for(5)
    # The connection of before is the same, and still good.
    assert ask(server, kept) == 200 and kept.sock is socket_before
    server.authority.issue(server.certificate, server.key)
    server.process.send_signal(signal.SIGHUP)


def test_replacing_hands_the_sockets_over(tmp_path):
    adopt_successors()
    with Encrypted(tmp_path / "meridian") as server:
        with Polling(server) as polling:
            polling.wait_for(3)
            old = server.process.pid
            server.replace()
            assert server.process.pid != old
            polling.wait_for(3)
        # An address that is new, and the one before left out.
        before, server.https = server.https, f"127.0.0.1:{free_port()}"
        server.configure(f'listen = ["{server.https}"]')
        server.replace()
        assert server.secure_client().list_hosted_zones()["HostedZones"]
        with pytest.raises(botocore.exceptions.EndpointConnectionError):
            https_client(server, server.trusted, address=before).list_hosted_zones()


def test_the_end_of_a_certificate_is_told_beforehand(server):
    def shown():
        with urllib.request.urlopen(f"http://{server.metrics}/metrics", timeout=5) as page:
            sample = re.search(
                r'meridian_certificate_end_seconds\{section="api.tls"\} (\d+)', page.read().decode()
            )
            return int(sample[1])

    def check():
        done = subprocess.run(
            [str(BIN), "config", "check"], cwd=server.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    day = 24 * 3600
    for days, warning in (
        (30, None),
        (5, "ends in 4 days; clients will refuse it then"),
        (0, "has ended, and clients refuse it"),
    ):
        server.authority.issue(server.certificate, server.key, days)
        server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: abs(shown() - (time.time() + days * day)) < 600), shown()
        said = check()
        assert warning in said if warning else "api.tls" not in said, said
    server.authority.issue(server.certificate, server.key)
    server.process.send_signal(signal.SIGHUP)
    assert eventually(lambda: shown() > time.time() + day)


def test_policies_can_ask_for_tls(tmp_path):
    """The statement that most accounts have: nothing in the clear."""
    statements = [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        },
    ]
    with Encrypted(tmp_path / "meridian") as server:
        document = tmp_path / "tls-only.json"
        document.write_text(json.dumps({"Version": "2012-10-17", "Statement": statements}))
        account = server.admin("account", "create", "tls")["id"]
        server.admin("user", "create", "u", "--account", account, "--policy-file", document)
        made = server.admin("key", "create", "--account", account, "--user", "u")
        key = Key(made["access_key_id"], made["secret_access_key"])
        assert server.secure_client(key=key).list_hosted_zones()["HostedZones"] == []
        clear = server.client(key)
        with pytest.raises(clear.exceptions.ClientError, match="AccessDenied.*explicit deny"):
            clear.list_hosted_zones()


@pytest.mark.alone
def test_every_address_of_both_families_and_silent_clients(tmp_path):
    server = Encrypted(tmp_path / "meridian")
    port = server.https.rpartition(":")[2]
    server.configure(f'listen = ["0.0.0.0:{port}", "[::]:{port}"]')
    with server:
        assert server.secure_client().list_hosted_zones()["HostedZones"]
        with socket.create_connection(("::1", int(port)), 5):
            pass
        # Who says nothing keeps nobody else from being served.
        source = ("127.0.0.66", 0)
        address = ("127.0.0.1", int(port))
        silent = [socket.create_connection(address, 5, source) for _ in range(600)]
        begun = time.monotonic()
        assert server.secure_client().list_hosted_zones()["HostedZones"]
        assert time.monotonic() - begun < 2
        for connection in silent:
            connection.close()


def test_configurations_that_cannot_work_say_what_to_do(tmp_path):
    server = Encrypted(tmp_path / "meridian")

    def check():
        done = subprocess.run(
            [str(BIN), "config", "check"], cwd=server.folder, capture_output=True, text=True
        )
        return done.returncode, done.stdout + done.stderr

    assert check()[0] == 0
    for listen, part in (
        ("listen = []", "nothing that shows it"),
        ("", "missing field `listen`"),
        ('listen = ["127.0.0.1:5390"]', "again in metrics.listen"),
        ('listen = ["0.0.0.0:5380"]', "overlap over TCP"),
    ):
        server.configure(listen)
        status, said = check()
        assert status == 1 and part in said, said
    # Plain HTTP for everybody is not to be had, whoever asks for it.
    server.configure(f'listen = ["{server.https}"]')
    server.api = f"0.0.0.0:{free_port()}"
    begun = time.monotonic()
    with pytest.raises(AssertionError, match=r"plain HTTP is for loopback only.*meridian tls init"):
        server.start()
    assert time.monotonic() - begun < 5
