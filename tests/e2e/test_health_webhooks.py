"""Webhooks: servers that are told of health checks whose states become others."""

import base64
import hashlib
import hmac
import http.server
import json
import subprocess
import threading
import time
import urllib.request

import pytest

from harness import BIN, Meridian, eventually
from health_checks import Checks

SECRET = bytes(range(32))
WEBHOOK = """
[[webhooks]]
name = "{name}"
url = "{url}/hook?key=hidden"
reach = "everything"
"""


class Receiver:
    """Answers each request with the next of its statuses, then with the last of them."""

    def __init__(self, *statuses, slow=0.0):
        self.requests, self.statuses, self.slow = [], list(statuses), slow
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.requests.append((self.path, dict(self.headers), body))
                time.sleep(receiver.slow)
                left = receiver.statuses
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.send_header("location", "/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def webhook(self, name, more=""):
        return WEBHOOK.format(name=name, url=self.url) + more + "\n"

    def flips(self):
        bodies = [json.loads(body) for _, _, body in self.requests]
        return [body["data"] for body in bodies if body["type"] == "health_check.flipped"]


def verified(headers, body):
    """Whether a request is signed as Standard Webhooks 1.0.0 has it."""
    headers = {name.lower(): value for name, value in headers.items()}
    told = int(headers["webhook-timestamp"])
    assert abs(time.time() - told) < 10
    signed = f"{headers['webhook-id']}.{told}.".encode() + body
    tag = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
    return hmac.compare_digest(headers["webhook-signature"], f"v1,{tag}")


def counted(server, name, **labels):
    """The metric's value, as the text has it."""
    with urllib.request.urlopen(f"http://{server.metrics}/metrics", timeout=5) as page:
        lines = page.read().decode().splitlines()
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    found = [
        line for line in lines if line.startswith(name) and all(each in line for each in wanted)
    ]
    return float(found[0].rsplit(" ", 1)[1]) if found else None


def force(server, check, state):
    server.admin("health", "force", check["Id"], state, "--reason", "racks move")


def test_flips_are_told_in_their_order_until_they_are_taken(tmp_path):
    pager, other, away = Receiver(503, 302, 204), Receiver(200), Receiver(200)
    secret = tmp_path / "secret"
    secret.write_text("whsec_" + base64.b64encode(SECRET).decode() + "\n")
    config = pager.webhook("pager", f"secret_file = '{secret}'")
    config += other.webhook("other", "accounts = ['000000000000']")
    # Nobody gets there without a word of whoever runs this machine.
    config += away.webhook("away", "attempts = 1").replace('reach = "everything"', "")
    with Meridian(tmp_path / "server", config=config) as server:
        checks = Checks(server)
        check, second = checks.make(), checks.make()
        checks.client.change_tags_for_resource(
            ResourceType="healthcheck",
            ResourceId=check["Id"],
            AddTags=[{"Key": "Name", "Value": "the hall"}],
        )
        # A flip tells who voted what, so there must be a vote before it.
        voted = lambda: server.admin("health", "show", check["Id"])["votes"]
        assert eventually(voted, 10), server.log_tail()
        for state in ("unhealthy", "healthy", "unhealthy"):
            force(server, check, state)
        force(server, second, "unhealthy")

        def taken():
            return counted(server, "meridian_webhook_flips_total", webhook="pager", outcome="sent")

        assert eventually(lambda: taken() == 4, 10), server.log_tail()
        told = [flip for flip in pager.flips() if flip["check"] == check["Id"]]
        # One that failed is told again, and nothing of the same check before it.
        states = [flip["to"] for flip in told]
        assert states in (
            ["unhealthy"] * 3 + ["healthy", "unhealthy"],
            ["unhealthy"] * 2 + ["healthy", "unhealthy"],
            ["unhealthy", "healthy", "unhealthy"],
        )
        assert len(pager.requests) == 6
        assert told[0] | {"at": None} == {
            "check": check["Id"],
            "name": "the hall",
            "account": checks.key.account,
            "type": "HTTP",
            "checks": "http://www.example.com:80",
            "from": "healthy",
            "to": "unhealthy",
            "at": None,
            "why": "switch: racks move",
            "votes": told[0]["votes"],
        }
        assert told[0]["votes"]["checkers"][0]["checker"] == "local"
        path, headers, body = pager.requests[0]
        assert path == "/hook?key=hidden" and headers["content-type"] == "application/json"
        assert all(verified(headers, body) for _, headers, body in pager.requests)
        told_at = json.loads(body)["timestamp"]
        assert told_at == json.loads(body)["data"]["at"] and told_at.endswith("Z")
        ids = {headers["webhook-id"] for _, headers, _ in pager.requests}
        assert len(ids) == 4
        retries = counted(server, "meridian_webhook_retries_total", webhook="pager")
        assert retries == 2
        assert counted(server, "meridian_webhook_waiting", webhook="pager") == 0
        dropped = {"webhook": "away", "outcome": "dropped"}
        assert eventually(lambda: counted(server, "meridian_webhook_flips_total", **dropped) == 4)
        assert not other.requests and not away.requests
        for words in (
            "the webhook pager cannot be told: HTTP status 503",
            "the webhook pager is told again",
            "`reach` is public",
        ):
            assert eventually(lambda: words in server.log.read_text()), words
        assert "hidden" not in server.log.read_text()


def test_what_is_left_at_the_end_is_told(tmp_path):
    receiver = Receiver(200, slow=0.3)
    with Meridian(tmp_path, config=receiver.webhook("pager")) as server:
        check = Checks(server).make()
        for state in ("unhealthy", "healthy", "unhealthy"):
            force(server, check, state)
        assert server.stop() == 0
    assert [flip["to"] for flip in receiver.flips()] == ["unhealthy", "healthy", "unhealthy"]


def test_a_webhook_is_tried(tmp_path):
    good, bad = Receiver(204), Receiver(404)
    config = good.webhook("good") + bad.webhook("bad")
    with Meridian(tmp_path, config=config) as server:
        row, = server.admin("health", "webhook", "test", "good")
        assert (row["webhook"], row["status"]) == ("good", 204)
        _, headers, body = good.requests[0]
        assert json.loads(body)["type"] == "test" and "webhook-id" in headers
        for arguments, words in (
            ([], "bad: HTTP status 404; taken by good"),
            (["none"], "no webhook 'none'"),
        ):
            done = server.admin("health", "webhook", "test", *arguments, check=False)
            assert done.returncode != 0 and words in done.stderr + done.stdout
        # Tests are no flips.
        assert counted(server, "meridian_webhook_flips_total", outcome="sent") == 0


@pytest.mark.parametrize(
    "more,words",
    [
        ("attempts = 0", "attempts is 0; 1 to 100"),
        ("secret_file = '/nowhere'", "cannot read /nowhere"),
    ],
)
def test_webhooks_that_cannot_be_are_refused(tmp_path, more, words):
    config = WEBHOOK.format(name="pager", url="http://192.0.2.1") + more
    (tmp_path / "meridian.toml").write_text(config)
    command = [str(BIN), "config", "check"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=30)
    said = done.stderr + done.stdout
    assert done.returncode != 0 and words in said and "hidden" not in said
