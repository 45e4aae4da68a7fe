"""A certificate authority for tests, made by other code than the server's."""

import datetime
import ipaddress

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

# The name in every certificate, beside 127.0.0.1 and 127.0.0.2.
NAME = "ns.transports.test"


class Authority:
    """A certificate authority of our own, which its clients trust."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name.from_rfc4514_string("CN=Test Authority")
        self.certificate = self.sign(self.name, self.key, ca=True)
        self.path = folder / "authority.pem"
        self.path.write_bytes(pem(self.certificate))

    def sign(self, name, key, ca=False, days=30):
        now = datetime.datetime.now(datetime.timezone.utc)
        addresses = [ipaddress.ip_address(f"127.0.0.{n}") for n in (1, 2)]
        names = [x509.DNSName(NAME), *map(x509.IPAddress, addresses)]
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, certificate, key, days=30):
        """Writes a new certificate and its key; returns its serial number."""
        own = ec.generate_private_key(ec.SECP256R1())
        made = self.sign(x509.Name.from_rfc4514_string(f"CN={NAME}"), own, days=days)
        certificate.write_bytes(pem(made))
        key.write_bytes(
            own.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return made.serial_number


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
