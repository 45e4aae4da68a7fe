"""`meridian tls`: an authority of one's own, from nothing to clients that trust it."""

import os
import signal
import socket
import ssl
import stat
import subprocess

import boto3
import botocore.config
import botocore.exceptions
import pytest
from cryptography import x509

from harness import BIN, Meridian, eventually, free_port


class Server(Meridian):
    """A server that has not been started, and its folder."""

    @property
    def tls(self):
        return self.data / "tls"

    def configure(self):
        """Takes the lines that `tls init` prints, with a port of ours."""
        said = self.admin("tls", "init", "--name", "dns.example.test", as_json=False)
        lines = [line[4:] for line in said.splitlines() if line.startswith("    ")]
        lines = lines[lines.index("[api.tls]") :][:4]
        assert lines[3] == 'listen = ["0.0.0.0:5381"]', said
        self.port = free_port(["0.0.0.0"])
        lines[3] = lines[3].replace("5381", str(self.port))
        (self.folder / "meridian.toml").write_text("\n".join(lines))
        return said

    def client(self, host="127.0.0.1", verify=None, **_):
        key = self.operator()
        return boto3.session.Session().client(
            "route53",
            endpoint_url=f"https://{host}:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=key.id,
            aws_secret_access_key=key.secret,
            verify=str(verify or self.tls / "ca.pem"),
            config=botocore.config.Config(retries={"total_max_attempts": 1}),
        )

    def shown(self, name):
        """The certificate that a client of that name accepts."""
        context = ssl.create_default_context(cafile=str(self.tls / "ca.pem"))
        # As strict as clients can be about how certificates are made.
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
            with context.wrap_socket(connection, server_hostname=name) as session:
                return x509.load_der_x509_certificate(session.getpeercert(binary_form=True))


def test_from_nothing_to_clients_that_trust_it(tmp_path):
    server = Server(tmp_path / "meridian")
    said = server.configure()
    assert f"{server.tls}/ca.pem" in said and "AWS_CA_BUNDLE" in said
    with server:
        assert server.client().list_hosted_zones()["HostedZones"]
        assert server.client("localhost").list_hosted_zones()["HostedZones"]
        environment = server.aws_environment() | {
            "AWS_CA_BUNDLE": str(server.tls / "ca.pem"),
            "AWS_MAX_ATTEMPTS": "1",
        }
        endpoint = f"https://localhost:{server.port}"
        for verify, status in (([], 0), (["--ca-bundle", str(server.tls / "server.pem")], 254)):
            command = ["aws", "--endpoint-url", endpoint, *verify, "route53", "list-hosted-zones"]
            done = subprocess.run(command, env=environment, capture_output=True, timeout=60)
            assert (done.returncode == 0) == (status == 0), done.stderr
        for name in ("dns.example.test", "localhost"):
            first = server.shown(name)
        with pytest.raises(ssl.SSLCertVerificationError):
            server.shown("other.example.test")

        # A new certificate of the same authority, for another name besides; nothing is told.
        kept = server.client()
        kept.list_hosted_zones()
        server.admin("tls", "renew", "--name", "dns.example.test", "--name", "api.example.test")
        server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: server.shown("localhost").serial_number != first.serial_number)
        renewed = server.shown("api.example.test")
        assert renewed.issuer == first.issuer and renewed.public_key() == first.public_key()
        kept.list_hosted_zones()

        # Another authority is not the one that clients know.
        before = (server.tls / "ca.pem").read_bytes()
        server.admin("tls", "init", "--force")
        known = tmp_path / "known.pem"
        known.write_bytes(before)
        server.process.send_signal(signal.SIGHUP)
        assert eventually(lambda: trusts(server, server.tls / "ca.pem"))
        assert not trusts(server, known)


def trusts(server, authority):
    try:
        server.client(verify=authority).list_hosted_zones()
        return True
    except botocore.exceptions.SSLError:
        return False


def test_files_and_what_is_said_of_them(tmp_path):
    server = Server(tmp_path / "meridian")
    made = server.admin("tls", "init", "--address", "192.0.2.1", "--name", "A.Example.")
    assert made["names"] == ["a.example", "192.0.2.1", "localhost", "127.0.0.1", "::1"]
    assert made["authority"] == str(server.tls / "ca.pem")
    assert {path.name for path in server.tls.iterdir()} == {
        "ca.pem",
        "ca-key.pem",
        "names",
        "server.pem",
        "server-key.pem",
    }
    for path, mode in (("ca-key.pem", 0o600), ("server-key.pem", 0o600), ("ca.pem", 0o644)):
        assert stat.S_IMODE(os.stat(server.tls / path).st_mode) == mode
    certificate = x509.load_pem_x509_certificate((server.tls / "server.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a.example", "localhost"]
    days = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert days.days == 398

    refused = server.admin("tls", "init", check=False, as_json=False)
    assert refused.returncode == 1 and "--force" in refused.stderr
    refused = server.admin("tls", "init", "--name", "a b", check=False, as_json=False)
    assert refused.returncode == 1 and "'a b' is no host name" in refused.stderr
    other = Server(tmp_path / "other")
    refused = other.admin("tls", "renew", check=False, as_json=False)
    assert refused.returncode == 1 and "meridian tls init" in refused.stderr
    assert not other.tls.exists()


def test_the_check_reads_what_was_made(tmp_path):
    server = Server(tmp_path / "meridian")
    server.configure()
    check = [str(BIN), "config", "check"]
    done = subprocess.run(check, cwd=server.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (server.tls / "server-key.pem").unlink()
    done = subprocess.run(check, cwd=server.folder, capture_output=True, text=True)
    assert done.returncode == 1 and "cannot read api.tls.key" in done.stderr
