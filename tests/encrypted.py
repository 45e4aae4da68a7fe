"""A running meridian that is asked over TLS, QUIC and HTTPS too."""

import socket
import ssl
import subprocess

import dns.query
from cryptography import x509

from authority import NAME, Authority
from harness import Meridian, free_port

HTTP_2 = dns.query.HTTPVersion.HTTP_2
PROTOCOLS = ["tls", "quic", "get", "post"]


class Encrypted(Meridian):
    """A server with all of them on 127.0.0.1."""

    def __init__(self, folder):
        super().__init__(folder)
        self.authority = Authority(self.folder / "authority")
        self.certificate, self.key = self.folder / "certificate.pem", self.folder / "key.pem"
        self.serial = self.authority.issue(self.certificate, self.key)
        self.dot, self.doq, self.doh = (free_port() for _ in range(3))
        (self.folder / "meridian.toml").write_text(
            f"""
            [dns.tls]
            certificate = "{self.certificate}"
            key = "{self.key}"
            dot = ["127.0.0.1:{self.dot}"]
            doq = ["127.0.0.1:{self.doq}"]
            doh = ["127.0.0.1:{self.doh}"]
            """
        )

    @property
    def trust(self):
        """Each time anew: clients write their protocols into it."""
        return ssl.create_default_context(cafile=str(self.authority.path))

    @property
    def url(self):
        return f"https://127.0.0.1:{self.doh}/dns-query"

    def over(self, protocol, query, source=None):
        """One exchange by dnspython, from this address of a client."""
        how = {"timeout": 5, "source": source}
        if protocol == "tls":
            how |= {"ssl_context": self.trust, "server_hostname": NAME}
            return dns.query.tls(query, "127.0.0.1", port=self.dot, **how)
        if protocol == "quic":
            how |= {"verify": str(self.authority.path), "server_hostname": NAME}
            return dns.query.quic(query, "127.0.0.1", port=self.doq, **how)
        how |= {"verify": self.trust, "http_version": HTTP_2}
        return dns.query.https(query, self.url, post=protocol == "post", **how)

    def kdig(self, *arguments):
        done = subprocess.run(
            ["kdig", "@127.0.0.1", f"+tls-ca={self.authority.path}", "+norec", *arguments],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, f"kdig {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def shown_serial(self):
        """The serial number of the certificate that new connections see."""
        with socket.create_connection(("127.0.0.1", self.dot), 5) as connection:
            with self.trust.wrap_socket(connection, server_hostname=NAME) as session:
                shown = x509.load_der_x509_certificate(session.getpeercert(binary_form=True))
                return shown.serial_number
