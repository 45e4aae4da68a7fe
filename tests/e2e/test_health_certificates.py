"""Certificates of endpoints: none counts, as at Route 53, unless somebody says that it does."""

import datetime
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from authority import NAME, Authority, pem
from harness import Meridian, eventually, free_port, reference

TAG = "meridian:certificate"


def self_signed(certificate, key):
    own, name = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=own")
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(own, hashes.SHA256())
    )
    certificate.write_bytes(pem(made))
    form = serialization.PrivateFormat.PKCS8
    secret = own.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    key.write_bytes(secret)


@pytest.fixture
def nginx(tmp_path):
    """An nginx with a port for each certificate, and the authority of two of them."""
    home = tmp_path / "nginx"
    home.mkdir()
    authority = Authority(tmp_path / "authority")
    authority.issue(home / "good.pem", home / "good.key")
    authority.issue(home / "expired.pem", home / "expired.key", days=-0.5)
    self_signed(home / "own.pem", home / "own.key")
    ports = {name: free_port() for name in ("good", "expired", "own")}
    servers = "".join(
        f"server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {home}/{name}.pem;"
        f" ssl_certificate_key {home}/{name}.key; return 200 well; }}\n"
        for name, port in ports.items()
    )
    temporary = "".join(
        f"{name}_temp_path {home}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (home / "nginx.conf").write_text(f"""
        daemon off; master_process off; pid {home}/pid; error_log {home}/error.log;
        events {{ worker_connections 64; }}
        http {{ access_log off; {temporary} {servers} }}
    """)
    process = subprocess.Popen(
        ["nginx", "-e", home / "error.log", "-p", home, "-c", home / "nginx.conf"]
    )
    yield ports, authority
    process.kill()
    process.wait()


class Validating(Meridian):
    """A server that knows the authority."""

    def __init__(self, folder, authority):
        self.settings = f'[health]\ncertificate_roots = "{authority.path}"\n'
        super().__init__(folder, config=self.settings)

    def allow_short_intervals(self):
        quota = "MIN_HEALTH_CHECK_INTERVAL_SECONDS"
        self.admin("quota", "set", "--account", self.operator_account()["id"], quota, 1)

    def make(self, port, name=NAME):
        config = {
            "Type": "HTTPS",
            "IPAddress": "127.0.0.1",
            "Port": port,
            "FullyQualifiedDomainName": name,
            "RequestInterval": 1,
            "FailureThreshold": 1,
        }
        client = self.client(parameter_validation=False)
        made = client.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
        return made["HealthCheck"]["Id"]

    def tag(self, check, value):
        change = {"AddTags": [{"Key": TAG, "Value": value}]} if value else {"RemoveTagKeys": [TAG]}
        self.client().change_tags_for_resource(
            ResourceType="healthcheck", ResourceId=check, **change
        )

    def saw(self, check):
        observed = self.client().get_health_check_status(HealthCheckId=check)
        reports = [each["StatusReport"]["Status"] for each in observed["HealthCheckObservations"]]
        return reports[0] if reports else None

    def become(self, expected):
        def saw():
            return {check: self.saw(check) for check in expected}

        assert eventually(lambda: saw() == expected, pause=0.1), (saw(), expected)
        listed = {row["id"]: row["state"] for row in self.admin("health", "list")}
        for check, text in expected.items():
            state = "healthy" if text.startswith("Success") else "unhealthy"
            assert listed[check] == state or eventually(
                lambda: self.admin("health", "show", check)["state"] == state
            )


def test_certificates_count_where_somebody_says_so(tmp_path, nginx):
    ports, authority = nginx
    well = "Success: HTTP Status Code 200, OK"
    with Validating(tmp_path / "server", authority) as server:
        server.allow_short_intervals()
        untagged, own = server.make(ports["own"]), server.make(ports["own"])
        good, expired = server.make(ports["good"]), server.make(ports["expired"])
        other = server.make(ports["good"], name="other.example")
        for check in (own, good, expired, other):
            server.tag(check, "validate")
        server.become({
            untagged: well,
            own: "Failure: SSL certificate is from an unknown issuer",
            good: well,
            expired: "Failure: SSL certificate expired",
            other: "Failure: SSL certificate is for another name",
        })
        assert server.admin("health", "show", own)["certificate"] == "validated"
        assert server.admin("health", "show", untagged)["certificate"] == "any"
        # Without the tag all is as it was; a word that is none says nothing.
        server.tag(own, None)
        server.tag(expired, "perhaps")
        server.become({own: well, expired: well})
        # Where all count, one may be let off.
        server.stop()
        config = server.settings + "validate_certificates = true\n"
        (server.folder / "meridian.toml").write_text(config)
        server.start()
        server.tag(expired, "any")
        server.become({
            untagged: "Failure: SSL certificate is from an unknown issuer",
            good: well,
            expired: well,
        })
