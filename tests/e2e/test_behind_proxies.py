"""The API behind nginx: who asked, and by which name, is what the trusted proxy says."""

import contextlib
import http.client
import json
import socket
import ssl
import subprocess

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config
import botocore.credentials
import pytest

from authority import Authority
from harness import Key, Meridian, eventually, free_port, reference, refusal

# nginx asks from 127.0.0.1, and is believed there; clients are at other addresses.
CLIENT, FORGED = "127.0.0.9", "198.51.100.66"
PATH = "/2013-04-01/hostedzone"


class Proxied(Meridian):
    """A server, and nginx in front of it with a port for each way to pass requests on."""

    WAYS = {
        # What docs/OPERATIONS.md says.
        "good": """
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;""",
        # Another Host, but with a word about it.
        "renamed": """
            proxy_set_header X-Forwarded-Host $http_host;
            proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
            proxy_set_header X-Forwarded-Proto $scheme;""",
        # As nginx does it by itself.
        "silent": "",
    }

    def __init__(self, folder):
        super().__init__(folder, config='[api]\ntrusted_proxies = ["127.0.0.1", "10.0.0.0/8"]\n')
        self.authority = Authority(self.folder / "authority")
        self.certificate, self.key = self.folder / "certificate.pem", self.folder / "key.pem"
        self.authority.issue(self.certificate, self.key)
        self.ports = {way: free_port() for way in self.WAYS}
        self.home = self.folder / "nginx"
        self.home.mkdir()

    def configure_nginx(self):
        temporary = "\n".join(
            f"{kind}_temp_path {self.home}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        servers = "\n".join(
            f"""server {{
                listen 127.0.0.1:{self.ports[way]} ssl;
                ssl_certificate {self.certificate};
                ssl_certificate_key {self.key};
                location / {{
                    proxy_pass http://{self.api};
                    proxy_http_version 1.1;
                    {directives}
                }}
            }}"""
            for way, directives in self.WAYS.items()
        )
        (self.home / "nginx.conf").write_text(f"""
            daemon off;
            master_process off;
            pid {self.home}/pid;
            error_log {self.home}/error.log;
            events {{ worker_connections 64; }}
            http {{ access_log off; {temporary} {servers} }}
        """)

    @contextlib.contextmanager
    def nginx(self):
        self.configure_nginx()
        command = ["nginx", "-e", self.home / "error.log", "-p", self.home]
        with open(self.home / "output", "ab") as output:
            process = subprocess.Popen(
                [*command, "-c", self.home / "nginx.conf"], stdout=output, stderr=output
            )
        try:
            assert eventually(lambda: process.poll() is None and listens(self.ports["good"])), (
                self.home / "output"
            ).read_text()
            yield self
        finally:
            process.terminate()
            process.wait(10)

    def through(self, way):
        key = self.operator()
        return boto3.session.Session().client(
            "route53",
            endpoint_url=f"https://127.0.0.1:{self.ports[way]}",
            region_name="us-east-1",
            aws_access_key_id=key.id,
            aws_secret_access_key=key.secret,
            verify=str(self.authority.path),
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )

    def asked(self, client, headers=(), way=None, path=PATH, key=None):
        """A signed request from an address; returns the status and what the server wrote of it."""
        address = f"127.0.0.1:{self.ports[way]}" if way else self.api
        url = f"{'https' if way else 'http'}://{address}{path}"
        key = key or self.operator()
        request = botocore.awsrequest.AWSRequest("GET", url)
        credentials = botocore.credentials.Credentials(key.id, key.secret)
        botocore.auth.SigV4Auth(credentials, "route53", "us-east-1").add_auth(request)
        if way:
            context = ssl.create_default_context(cafile=str(self.authority.path))
            connection = http.client.HTTPSConnection(
                address, timeout=10, context=context, source_address=(client, 0)
            )
        else:
            connection = http.client.HTTPConnection(
                address, timeout=10, source_address=(client, 0)
            )
        with contextlib.closing(connection):
            connection.request(
                "GET", path, headers=dict(request.prepare().headers) | dict(headers)
            )
            response = connection.getresponse()
            response.read()
            request_id = response.headers["x-amzn-requestid"]
        return response.status, eventually(lambda: self.written(request_id))

    def written(self, request_id):
        """The lines about a request, in the log and in whatever is kept of requests."""
        files = [self.log, *self.data.glob("**/*audit*")]
        lines = (line for file in files if file.is_file() for line in open(file, errors="replace"))
        # The last line of a file may be on its way.
        return "".join(line for line in lines if request_id in line and line.endswith("\n"))


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with Proxied(tmp_path_factory.mktemp("proxied") / "meridian") as server, server.nginx():
        yield server


@pytest.mark.parametrize("way", ["good", "renamed"])
def test_clients_do_not_notice(server, way):
    client = server.through(way)
    made = client.create_hosted_zone(Name="proxied.example.", CallerReference=reference())
    # What nginx's client has asked, not what nginx asks.
    expected = f"https://127.0.0.1:{server.ports[way]}{PATH}/"
    assert made["Location"].startswith(expected), made["Location"]
    client.delete_hosted_zone(Id=made["HostedZone"]["Id"])


@pytest.mark.parametrize("way", ["good", "renamed"])
def test_the_source_is_the_client_whatever_it_says(server, way):
    for headers in (
        {},
        {"X-Forwarded-For": FORGED},
        {"X-Forwarded-For": f"{FORGED}, 10.0.0.1"},
        {"Forwarded": f"for={FORGED}"},
    ):
        status, written = server.asked(CLIENT, headers, way)
        assert status == 200
        assert f'"{CLIENT}"' in written and FORGED not in written, written


@pytest.mark.parametrize("way", ["good", "renamed", None])
def test_policies_go_by_the_client(server, tmp_path, way):
    def key_for(name, address):
        """A user who may do everything, but from one address only."""
        statement = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        statement["Condition"] = {"IpAddress": {"aws:SourceIp": address}}
        document = tmp_path / f"{name}.json"
        document.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        name = f"{name}-{way}"
        server.admin("user", "create", name, "--account", account, "--policy-file", document)
        made = server.admin("key", "create", "--account", account, "--user", name)
        return Key(made["access_key_id"], made["secret_access_key"])

    account = server.admin("account", "create", f"by-address-{way}")["id"]
    here, elsewhere = key_for("here", CLIENT), key_for("elsewhere", FORGED)
    forged = {"X-Forwarded-For": FORGED}
    assert server.asked(CLIENT, forged, way, key=here)[0] == 200
    assert server.asked(CLIENT, forged, way, key=elsewhere)[0] == 403


def test_paths_arrive_as_they_were_signed(server):
    path = "/2013-04-01/hostedzone/%2Fhostedzone%2FZ00000000000000000000"
    assert server.asked(CLIENT, way="good", path=path)[0] == 404
    assert server.asked(CLIENT, path=path)[0] == 404


def test_a_proxy_that_changes_the_host_and_says_nothing_breaks_signatures(server):
    code, _ = refusal(server.through("silent").list_hosted_zones)
    assert code == "SignatureDoesNotMatch"


def test_whoever_is_no_proxy_is_not_believed(server):
    status, written = server.asked(
        CLIENT, {"X-Forwarded-For": FORGED, "X-Forwarded-Proto": "https"}
    )
    assert status == 200 and f'"{CLIENT}"' in written and FORGED not in written
    # Its Host is the one that counts, so this signature stays good.
    assert server.asked(CLIENT, {"X-Forwarded-Host": "elsewhere.example"})[0] == 200
    # One of the trusted addresses is.
    status, written = server.asked("127.0.0.1", {"X-Forwarded-For": FORGED})
    assert status == 200 and f'"{FORGED}"' in written
    assert server.asked("127.0.0.1", {"X-Forwarded-Host": "elsewhere.example"})[0] == 403
