"""A certificate authority that speaks just enough ACME (RFC 8555) for certbot, on loopback.

It looks up the challenge's TXT record at the server under test, as a real authority would at the
zone's name servers, and signs what it is asked to sign only if the record is right. Signatures of
requests are not verified: nothing here is about whether certbot can sign.
"""

import base64
import datetime
import hashlib
import http.server
import json
import secrets
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def unpadded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Authority:
    """`look_up(name)` gives the TXT strings at a name. `url` is the directory's, once it serves."""

    def __init__(self, look_up):
        self.look_up = look_up
        self.thumbprint = None
        self.token = secrets.token_urlsafe(24)
        self.names, self.asked, self.valid, self.chain = [], [], False, None
        handler = type("Handler", (Handler,), {"authority": self})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.url = f"{self.base}/directory"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()

    def learn_account(self, jwk):
        """The account's key, by its thumbprint (RFC 7638)."""
        wanted = {"EC": ("crv", "kty", "x", "y"), "RSA": ("e", "kty", "n")}[jwk["kty"]]
        text = json.dumps({key: jwk[key] for key in wanted}, separators=(",", ":"), sort_keys=True)
        self.thumbprint = unpadded(hashlib.sha256(text.encode()).digest())

    def validate(self):
        """Looks for the answer to the challenge of each name (RFC 8555 section 8.4)."""
        expected = hashlib.sha256(f"{self.token}.{self.thumbprint}".encode()).digest()
        for name in self.names:
            self.asked.append(f"_acme-challenge.{name.removeprefix('*.')}.")
        self.valid = all(unpadded(expected) in self.look_up(name) for name in self.asked)

    def sign(self, csr):
        request = x509.load_der_x509_csr(csr)
        key = ec.generate_private_key(ec.SECP256R1())
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        now = datetime.datetime.now(datetime.timezone.utc)
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(issuer)
            .public_key(request.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=90))
            .add_extension(names, critical=True)
            .sign(key, hashes.SHA256())
        )
        root = (
            x509.CertificateBuilder()
            .subject_name(issuer)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now)
            .not_valid_after(now + datetime.timedelta(days=90))
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        self.chain = certificate.public_bytes(pem) + root.public_bytes(pem)

    # The resources.

    def authorization(self):
        state = "valid" if self.valid else "pending"
        challenge = {
            "type": "dns-01",
            "url": f"{self.base}/challenge",
            "token": self.token,
            "status": state,
        }
        name = self.names[0].removeprefix("*.")
        return {
            "status": state,
            "identifier": {"type": "dns", "value": name},
            "challenges": [challenge],
            "wildcard": self.names[0].startswith("*."),
        }

    def order(self):
        state = "valid" if self.chain else "ready" if self.valid else "pending"
        order = {
            "status": state,
            "identifiers": [{"type": "dns", "value": name} for name in self.names],
            "authorizations": [f"{self.base}/authorization"],
            "finalize": f"{self.base}/finalize",
        }
        return order | ({"certificate": f"{self.base}/certificate"} if self.chain else {})


class Handler(http.server.BaseHTTPRequestHandler):
    """Paths to resources."""

    authority = None
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, location=None, kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Replay-Nonce", secrets.token_urlsafe(12))
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        # The order that an authorization belongs to: certbot wants it of challenges.
        self.send_header("Link", f'<{self.authority.base}/authorization>;rel="up"')
        if location:
            self.send_header("Location", location)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    def do_HEAD(self):
        self.reply(200, b"")

    def do_GET(self):
        base = self.authority.base
        resources = ("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange")
        self.reply(200, {name: f"{base}/{name}" for name in resources})

    def do_POST(self):
        authority, base = self.authority, self.authority.base
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        header = json.loads(decoded(body["protected"]))
        payload = json.loads(decoded(body["payload"])) if body["payload"] else None
        if self.path == "/newAccount":
            authority.learn_account(header["jwk"])
            self.reply(201, {"status": "valid"}, f"{base}/account")
        elif self.path == "/newOrder":
            authority.names = [each["value"] for each in payload["identifiers"]]
            self.reply(201, authority.order(), f"{base}/order")
        elif self.path == "/challenge":
            authority.validate()
            self.reply(200, authority.authorization()["challenges"][0])
        elif self.path == "/finalize":
            if not authority.valid:
                self.reply(403, {"type": "urn:ietf:params:acme:error:orderNotReady"})
                return
            authority.sign(decoded(payload["csr"]))
            self.reply(200, authority.order(), f"{base}/order")
        elif self.path == "/certificate":
            self.reply(200, authority.chain, kind="application/pem-certificate-chain")
        elif self.path == "/authorization":
            self.reply(200, authority.authorization())
        else:
            self.reply(200, authority.order() if self.path == "/order" else {"status": "valid"})
