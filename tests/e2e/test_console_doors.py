"""The console over TLS, behind a proxy, over a replaced process, and in a browser that people have."""

import http.client
import json
import re
import ssl
import subprocess

from chromium import chromium
from harness import BIN, Meridian, Zone, adopt_successors, eventually, free_port
from visitor import Visitor


def logins(server):
    lines = (server.data / "audit.log").read_text().splitlines()
    return [e for e in map(json.loads, lines) if e["eventName"] == "ConsoleLogin"]


def test_a_session_over_tls_is_for_tls_alone(tmp_path):
    server = Meridian(tmp_path / "tls")
    server.folder.mkdir(exist_ok=True)
    made = [str(BIN), "tls", "init", "--address", "127.0.0.1", "--data-dir", str(server.data)]
    subprocess.run(made, check=True, capture_output=True, timeout=30)
    https = f"127.0.0.1:{free_port()}"
    (server.folder / "meridian.toml").write_text(
        f'[health]\nenabled = false\n[api.tls]\ncertificate = "data/tls/server.pem"\n'
        f'key = "data/tls/server-key.pem"\nlisten = ["{https}"]\n'
    )
    context = ssl.create_default_context(cafile=server.data / "tls/ca.pem")
    with server:
        over_tls = Visitor(
            server, https, lambda: http.client.HTTPSConnection(https, timeout=30, context=context),
            origin=f"https://{https}",
        )  # fmt: skip
        page = over_tls.sign_in(server.operator())
        assert page.title.startswith("Hosted zones"), page.text
        ((name, value),) = over_tls.cookies.items()
        assert name == "__Secure-meridian-session"
        form = over_tls.get("/console/sign-in").form("/console/sign-in")
        key = server.operator()
        fields = [("access_key_id", key.id), ("secret_access_key", key.secret)]
        (cookie,) = over_tls.post(form.action, fields).headers.get_all("set-cookie")
        assert cookie.endswith("; Path=/console; HttpOnly; SameSite=Strict; Secure"), cookie
        in_the_clear = Visitor(server)
        for cookies in ({name: value}, {"meridian-session": value}):
            in_the_clear.cookies = cookies
            assert in_the_clear.get().url.startswith("/console/sign-in")
        in_the_clear.sign_in(key)
        over_tls.cookies = {"__Secure-meridian-session": in_the_clear.cookies["meridian-session"]}
        assert over_tls.get().url.startswith("/console/sign-in")
        assert f"the console: https://{https}/console/" in server.log_tail()


def test_behind_a_trusted_proxy_clients_are_who_the_proxy_says(start):
    config = '[health]\nenabled = false\n[api]\ntrusted_proxies = ["127.0.0.1"]\n'
    server = start(config=config)
    forwarded = {
        "X-Forwarded-For": "198.51.100.7",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "dns.example",
    }
    key = server.operator()
    visitor = Visitor(server, headers=forwarded, origin="https://dns.example")
    assert visitor.sign_in(key).title.startswith("Hosted zones")
    assert list(visitor.cookies) == ["__Secure-meridian-session"]
    told = eventually(lambda: logins(server))
    assert [event["sourceIPAddress"] for event in told] == ["198.51.100.7"]
    # Too many of one client's sign-ins keep nobody else out.
    form = visitor.get("/console/sign-in").form("/console/sign-in")
    for _ in range(11):
        page = visitor.send(form, access_key_id=key.id, secret_access_key="wrong")
    assert page.status == 429
    other = Visitor(
        server, headers=forwarded | {"X-Forwarded-For": "198.51.100.8"}, origin="https://dns.example"
    )
    assert other.sign_in(key).title.startswith("Hosted zones")
    # A proxy that passes neither name on is told of, not guessed at.
    silent = Visitor(server, headers={"X-Forwarded-For": "198.51.100.9"}, origin="https://dns.example")
    page = silent.sign_in(key)
    assert page.status == 403 and "does not pass the Host header on" in page.text


def test_sessions_end_with_the_process_and_nothing_else_does(start):
    adopt_successors()
    server = start(config="[health]\nenabled = false\n")
    visitor = Visitor(server)
    visitor.sign_in(server.operator())
    server.replace()
    page = visitor.get("/console/")
    assert page.url.startswith("/console/sign-in") and not visitor.cookies
    assert visitor.sign_in(server.operator()).title.startswith("Hosted zones")


def test_in_a_browser_from_signing_in_to_an_answer(start, tmp_path):
    server = start(config="[health]\nenabled = false\n")
    key = server.operator()
    zone = Zone(server.client(key), "browser.example.", HostedZoneConfig={"Comment": "<b>x</b>"})
    profile = tmp_path / "chromium"
    profile.mkdir()
    with chromium(profile) as tab:
        tab.open(f"http://{server.api}/")
        tab.settled("location.pathname == '/console/sign-in'")
        tab.type("access_key_id", key.id)
        tab.type("secret_access_key", key.secret)
        tab.press("main button")
        tab.settled("location.pathname == '/console/'")
        assert tab.run("document.cookie") == "", "no script sees the session"
        tab.open(f"http://{server.api}/console/zones/{zone.id}/add")
        tab.settled("document.getElementById('name')")
        shown = "getComputedStyle(document.getElementById('region').closest('.more')).display"
        assert tab.run(shown) == "none", "fields of another policy are out of the way"
        tab.press("input[name=policy][value=latency]")
        tab.settled(f"{shown} != 'none'")
        tab.type("name", "www")
        tab.press("input[name=target][value=alias]")
        tab.settled("document.getElementById('alias').offsetParent")
        tab.type("alias", "web-1.eu-west-1.elb.amazonaws.com")
        tab.press(".buttons button")
        tab.settled("document.querySelector('mark')")
        text = tab.run("document.querySelector('main').innerText")
        assert re.search(r"Region\s+eu-west-1\s+filled in: the target's name tells it", text), text
        tab.press("button[value=write]")
        tab.settled("location.pathname.startsWith('/console/changes/')")
        sets = [s for s in zone.sets(own=True) if s["Name"] == "www.browser.example."]
        assert {s["Region"] for s in sets} == {"eu-west-1"}, sets
        for width in (400, 1200):
            tab.resize(width)
            for path in (f"/console/zones/{zone.id}", f"/console/zones/{zone.id}/add", "/console/"):
                tab.open(f"http://{server.api}{path}")
                tab.settled("document.querySelector('h1')")
                wide = tab.run("document.documentElement.scrollWidth")
                assert wide <= width, f"{path} is {wide} wide on {width}"
        # A page of another site: what it sends brings no cookie along, and would be refused with one.
        evil = tmp_path / "evil.html"
        evil.write_text(
            f'<form method="post" action="http://{server.api}/console/sign-out"><button>x</button></form>'
        )
        tab.open(evil.as_uri())
        tab.settled("document.querySelector('button')")
        tab.press("button")
        tab.settled("document.querySelector('[role=alert]')")
        assert "ForeignForm" in tab.run("document.body.innerText")
        tab.open(f"http://{server.api}/console/")
        tab.settled("document.querySelector('h1')")
        assert tab.run("document.querySelector('h1').innerText") == "Hosted zones"
        errors = [text for text in tab.errors if "403" not in text]
        assert not errors, errors
