"""The console, as somebody with a browser meets it: signing in, zones, record sets, adding and removing."""

import json
import re
import urllib.parse
import uuid

import pytest

from harness import Zone, create, eventually, refusal, upsert
from visitor import Visitor

BALANCER = "web-1.eu-west-1.elb.amazonaws.com"
XSS = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&amp;"


def add_path(zone):
    return f"/console/zones/{zone.id}/add"


def fill_in(visitor, zone, **typed):
    """The page that comes of the form with this typed into it."""
    form = visitor.get(add_path(zone)).form(add_path(zone))
    return visitor.send(form, **typed)


def write(visitor, zone, page):
    """Agrees to what would be written; the page of the change."""
    form = page.form(add_path(zone))
    assert form.buttons == [("step", "write"), ("step", "edit")], page.text
    return visitor.send(form)


def add(visitor, zone, **typed):
    page = fill_in(visitor, zone, **typed)
    assert page.status == 200, (page.status, page.text)
    changed = write(visitor, zone, page)
    assert changed.status == 200 and changed.url.startswith("/console/changes/C"), changed.text
    return changed


def in_sync(visitor, page):
    """The same page, once the change is in sync."""
    return eventually(lambda: (p := visitor.get(page.url)) and "INSYNC" in p.text and p)


def events(server, **wanted):
    lines = (server.data / "audit.log").read_text().splitlines()
    found = [json.loads(line) for line in lines]
    return [e for e in found if all(e.get(k) == v for k, v in wanted.items())]


# From the door to an answer.


def test_from_the_door_to_an_answer_over_dns(meridian, zone):
    visitor = Visitor(meridian)
    path = f"/console/zones/{zone.id}"
    led = visitor.request("GET", "/")
    assert (led.status, led.headers["location"]) == (303, "/console/")
    # Who wanted to go somewhere gets there by signing in.
    page = visitor.sign_in(meridian.operator(), path)
    assert (page.status, page.url) == (200, path), page.text
    assert all(name.rstrip(".") in page.text for name in zone.name_servers)
    zones = visitor.get()
    for _ in range(20):
        if zone.name in zones.links or "Next page" not in zones.links:
            break
        zones = visitor.get(zones.links["Next page"])
    assert zones.links[zone.name] == path
    # The type follows from the values, whatever else is left as it is.
    page = fill_in(visitor, zone, name="www", values="192.0.2.1\r\n192.0.2.2\r\n", ttl="77")
    assert "Nothing is written yet" in page.text and "type filled in" in page.text
    assert not [s for s in zone.sets(own=True) if s["Type"] == "A"], "shown, not written"
    changed = write(visitor, zone, page)
    assert in_sync(visitor, changed)
    assert meridian.values(f"www.{zone.name}") == {"192.0.2.1", "192.0.2.2"}
    page = visitor.get(path)
    assert "192.0.2.1" in page.text and "77" in page.text
    # And away again, after a look at what it is.
    remove = visitor.get(page.links[f"Remove www.{zone.name} A"])
    assert "192.0.2.2" in remove.text
    gone = visitor.send(remove.form(f"{path}/remove"))
    assert in_sync(visitor, gone)
    assert meridian.rcode(f"www.{zone.name}") == "NXDOMAIN"


def test_a_latency_record_gets_the_region_of_its_target(meridian, visitor, zone):
    page = fill_in(visitor, zone, name="lb", target="alias", alias=BALANCER, policy="latency")
    assert page.status == 200, page.text
    assert "Region eu-west-1 filled in: the target's name tells it" in page.text
    assert "Identifier eu-west-1 filled in: by the policy" in page.text
    assert "ZEXTERNAL ) filled in: by the target's name" in page.text
    write(visitor, zone, page)
    found = [s for s in zone.sets(own=True) if s["Name"] == f"lb.{zone.name}"]
    assert {(s["Type"], s["Region"], s["SetIdentifier"]) for s in found} == {
        ("A", "eu-west-1", "eu-west-1"),
        ("AAAA", "eu-west-1", "eu-west-1"),
    }
    # Regions of the operator's own are on offer beside AWS's.
    own = f"edge-{uuid.uuid4().hex[:8]}"
    meridian.admin("region", "add", own, "--latitude", "52.5", "--longitude", "13.4")
    offered = {has.get("value") for tag, has in visitor.get(add_path(zone)).tags if tag == "option"}
    meridian.admin("region", "remove", own)
    assert {own, "eu-west-1"} <= offered
    address = f"192.0.2.{uuid.uuid4().int % 200 + 1}"
    bare = fill_in(visitor, zone, name="www", values=address, policy="latency")
    assert bare.status == 400
    assert f"{address} is a bare address, which has no region: choose the region" in bare.text
    meridian.admin("resource", "add", address, "--region", "us-east-1")
    page = fill_in(visitor, zone, name="www", values=address, policy="latency")
    assert "Region us-east-1 filled in: the target is registered there" in page.text
    write(visitor, zone, page)
    assert eventually(lambda: meridian.values(f"www.{zone.name}") == {address})
    # What was shown is what is written, or nothing.
    page = fill_in(visitor, zone, name="moved", values=address, policy="latency")
    meridian.admin("resource", "add", address, "--region", "eu-north-1")
    again = write(visitor, zone, page)
    assert again.status == 409 and "has changed since it was shown" in again.text, again.text
    assert "Region eu-north-1" in again.text
    assert not [s for s in zone.sets(own=True) if s["Name"] == f"moved.{zone.name}"]
    write(visitor, zone, again)
    moved = [s for s in zone.sets(own=True) if s["Name"] == f"moved.{zone.name}"]
    assert [s["Region"] for s in moved] == ["eu-north-1"]
    meridian.admin("resource", "remove", address)


def test_every_policy_is_written_as_it_is_typed(visitor, zone):
    one = {"values": "192.0.2.1", "ttl": "60"}
    add(visitor, zone, name="w", policy="weighted", weight="7", identifier="blue", **one)
    add(visitor, zone, name="f", policy="failover", failover="SECONDARY", **one)
    add(visitor, zone, name="g", policy="geolocation", country="*", **one)
    add(visitor, zone, name="e", policy="geolocation", continent="EU", **one)
    add(visitor, zone, name="m", policy="multivalue", identifier="1", **one)
    add(visitor, zone, name="l", policy="latency", region="ap-south-1", **one)
    add(visitor, zone, name="t", type="TXT", values='"one" "two"', ttl="60")
    add(visitor, zone, name="", target="alias", alias="w")
    sets = {s["Name"].removesuffix(zone.name).rstrip("."): s for s in zone.sets(own=True)}
    assert (sets["w"]["Weight"], sets["w"]["SetIdentifier"]) == (7, "blue")
    assert (sets["f"]["Failover"], sets["f"]["SetIdentifier"]) == ("SECONDARY", "secondary")
    assert (sets["g"]["GeoLocation"], sets["g"]["SetIdentifier"]) == ({"CountryCode": "*"}, "*")
    assert sets["e"]["GeoLocation"] == {"ContinentCode": "EU"}
    assert sets["m"]["MultiValueAnswer"] and sets["l"]["Region"] == "ap-south-1"
    assert sets["t"]["ResourceRecords"] == [{"Value": '"one" "two"'}]
    assert sets[""]["AliasTarget"]["HostedZoneId"] == zone.id
    page = visitor.get(f"/console/zones/{zone.id}")
    for shown in ("Weight 7", "Role SECONDARY", "Country *", "Continent EU", "Region ap-south-1"):
        assert shown in page.text, (shown, page.text)
    # A set that is there is replaced only when that is asked for.
    typed = {"name": "w", "policy": "weighted", "weight": "8", "identifier": "blue"}
    refused = fill_in(visitor, zone, values="192.0.2.9", **typed)
    assert refused.status == 400 and "already exists" in refused.text, refused.text
    add(visitor, zone, values="192.0.2.9", replace="on", **typed)
    assert [s["Weight"] for s in zone.sets(own=True) if s["Name"] == f"w.{zone.name}"] == [8]


def test_what_is_refused_stands_beside_what_was_typed(visitor, zone):
    typed = {
        "name": "a.b", "type": "AAAA", "values": "192.0.2.1\n<x>", "ttl": "60", "policy": "weighted",
        "weight": "3", "identifier": XSS, "health_check": "none", "replace": "on", "country": "D",
    }  # fmt: skip
    page = fill_in(visitor, zone, **typed)
    assert page.status == 400
    refused = refusal(
        lambda: zone.send({"Action": "UPSERT", "ResourceRecordSet": {
            "Name": f"a.b.{zone.name}", "Type": "AAAA", "TTL": 60, "Weight": 3,
            "SetIdentifier": XSS, "HealthCheckId": "none",
            "ResourceRecords": [{"Value": "192.0.2.1"}, {"Value": "<x>"}],
        }})
    )  # fmt: skip
    assert refused[0] in page.text, (refused, page.text)
    kept = dict(page.form(add_path(zone)).fields)
    kept["values"] = kept["values"].replace("\r\n", "\n")
    assert {name: kept[name] for name in typed} == typed
    for more, part in [
        ({"ttl": "soon"}, "The TTL is a number of seconds"),
        ({"values": " \n"}, "at least one value"),
        ({"values": "host.test", "type": ""}, "'host.test' is no address: choose the type"),
        ({"policy": "weighted", "weight": "1"}, "Give a set identifier"),
        ({"name": "www.elsewhere.test."}, "does not lie in the zone"),
        ({"target": "alias", "alias": "x.test", "alias_zone": "nowhere.test"}, "no hosted zone"),
        ({"target": "alias", "alias": "192.0.2.1"}, "192.0.2.1 is an address, and an alias leads to a name"),
        ({"target": "alias", "alias": "https://x.test/"}, "'https://x.test/' is no name of a host"),
        ({"policy": "latency", "region": "mars"}, "There is no region 'mars'"),
    ]:
        page = fill_in(visitor, zone, **{"name": "www", "values": "192.0.2.1"} | more)
        assert page.status == 400 and part in page.text, (part, page.text)
        assert "--" not in page.text, "words of the command line"


def test_back_to_the_form_with_everything_typed(visitor, zone):
    typed = {"name": "www", "values": "192.0.2.1\r\n192.0.2.2", "policy": "latency", "region": "eu-west-1"}
    page = fill_in(visitor, zone, **typed)
    page = visitor.send(page.form(add_path(zone)), button=("step", "edit"))
    kept = dict(page.form(add_path(zone)).fields)
    assert kept["values"].split() == typed["values"].split()
    assert (kept["name"], kept["policy"], kept["region"]) == ("www", "latency", "eu-west-1")


def test_a_form_that_is_sent_twice_is_done_once(visitor, zone):
    form = fill_in(visitor, zone, name="www", values="192.0.2.1").form(add_path(zone))
    fields = [*form.fields, ("step", "write")]
    first, second = (visitor.post(form.action, fields) for _ in range(2))
    assert first.status == second.status == 303, second.text
    assert first.headers["location"] == second.headers["location"]
    later = [field for field in fields if field[0] != "once"] + [("once", "another")]
    third = visitor.post(form.action, later)
    assert third.status == 400 and "already exists" in third.text


def test_what_has_changed_since_it_was_shown_is_not_removed(visitor, zone):
    zone.change(create(f"www.{zone.name}", "A", "192.0.2.1"))
    path = f"/console/zones/{zone.id}/remove"
    link = visitor.get(f"/console/zones/{zone.id}").links[f"Remove www.{zone.name} A"]
    form = visitor.get(link).form(path)
    zone.change(upsert(f"www.{zone.name}", "A", "192.0.2.2"))
    page = visitor.send(form)
    assert page.status == 409 and "192.0.2.2" in page.text, page.text
    assert len(zone.sets(own=True)) == 1
    visitor.send(page.form(path))
    assert not zone.sets(own=True)
    again = visitor.send(form)
    assert (again.status, again.url) == (200, f"/console/zones/{zone.id}"), "it is gone: as was wanted"
    assert visitor.get(link).status == 404
    # What keeps the zone a zone has no link, and is refused without one, too.
    soa = visitor.get(f"{path}?name={zone.name}&type=SOA")
    refused = visitor.send(soa.form(path))
    assert refused.status == 400 and "InvalidChangeBatch" in refused.text, refused.text
    assert len(zone.sets()) == 2


def test_what_is_replaced_is_shown_and_nothing_else_is(visitor, zone):
    name, path = f"www.{zone.name}", add_path(zone)
    typed = {"name": "www", "values": "192.0.2.9", "replace": "on"}
    page = fill_in(visitor, zone, **typed)
    assert "Nothing is there yet that it would replace" in page.text
    zone.change(create(name, "A", "192.0.2.1", ttl=33))
    page = visitor.send(page.form(path))
    assert page.status == 409 and "What it replaces" in page.text, page.text
    assert "192.0.2.1" in page.text and "33" in page.text
    zone.change(upsert(name, "A", "192.0.2.77"))
    page = visitor.send(page.form(path))
    assert page.status == 409 and "192.0.2.77" in page.text, page.text
    form = page.form(path)
    fields = [*form.fields, ("step", "write")]
    first, second = (visitor.post(form.action, fields) for _ in range(2))
    assert first.status == second.status == 303, second.text
    assert first.headers["location"] == second.headers["location"]
    (written,) = [s for s in zone.sets(own=True) if s["Type"] == "A"]
    assert [r["Value"] for r in written["ResourceRecords"]] == ["192.0.2.9"]


def test_identifiers_that_no_client_could_delete_again_are_refused(visitor, zone):
    for identifier in ["x" * 129, "a\x01", "a\x00b", "\ufffe"]:
        page = fill_in(visitor, zone, name="www", values="192.0.2.1", policy="weighted", weight="1",
                       identifier=identifier)  # fmt: skip
        assert page.status == 400 and "SetIdentifier" in page.text, page.text
    assert not zone.sets(own=True)


def test_lists_are_paged(visitor, zone):
    names = [f"n{number:03}" for number in range(230)]
    for start in range(0, len(names), 115):
        zone.send(*[create(f"{n}.{zone.name}", "A", "192.0.2.1") for n in names[start : start + 115]])
    page, seen = visitor.get(f"/console/zones/{zone.id}"), []
    for _ in range(5):
        seen += re.findall(r"Remove (n\d+)\.", " ".join(page.links))
        if "Next page" not in page.links:
            break
        page = visitor.get(page.links["Next page"])
    assert seen == names
    assert visitor.get(page.links["First page"]).url == f"/console/zones/{zone.id}"
    jump = page.form(f"/console/zones/{zone.id}")
    there = visitor.get(f"{jump.action}?name=n200.{zone.name}")
    assert min(re.findall(r"Remove (n\d+)\.", " ".join(there.links))) == "n200"


def test_names_and_texts_of_any_bytes_survive_and_are_only_shown(meridian, visitor, route53):
    hosted = Zone(route53, f"odd{uuid.uuid4().hex[:8]}.example.", HostedZoneConfig={"Comment": XSS})
    name = rf"\052.a\040\046\043\377b.{hosted.name}"
    add(visitor, hosted, name=name, type="TXT", values=f'"{XSS[:25]}"', policy="weighted",
        weight="1", identifier=XSS)  # fmt: skip
    pages = [visitor.get(), visitor.get(f"/console/zones/{hosted.id}")]
    for _ in range(20):
        if "Next page" not in pages[0].links or XSS in pages[0].text:
            break
        pages[0] = visitor.get(pages[0].links["Next page"])
    (remove,) = [link for link in pages[1].links.items() if link[0].startswith("Remove")]
    assert rf"*.a\040\046\043\377b.{hosted.name}" in remove[0], remove
    pages.append(visitor.get(remove[1]))
    for page in pages:
        assert page.status == 200 and "alert(1)" in page.text, page.text
        tags = {tag for tag, _ in page.tags}
        assert not tags & {"script", "img"}, tags
        assert not [1 for _, has in page.tags for name in has if name.startswith("on")]
    visitor.send(pages[-1].form(f"/console/zones/{hosted.id}/remove"))
    assert eventually(lambda: not [s for s in hosted.sets(own=True) if s["Type"] == "TXT"])


# Who may.


def test_a_wrong_secret_and_an_unknown_key_hear_the_same(start):
    server = start(config="[health]\nenabled = false\n")
    key, visitor = server.operator(), Visitor(server)
    form = visitor.get().form("/console/sign-in")
    heard = set()
    for access_key, secret in [
        (key.id, "wrong"), (key.id, ""), ("AKIANOBODY", key.secret), ("", ""), ("<b>", "x"),
        (key.id, key.secret[:-1]), (key.secret, key.id),
    ]:  # fmt: skip
        page = visitor.send(form, access_key_id=access_key, secret_access_key=secret)
        heard.add((page.status, page.text))
        assert key.secret not in page.body, "also in the wrong field"
    assert len(heard) == 1, heard
    assert not visitor.cookies
    for _ in range(3):
        page = visitor.send(form, access_key_id=key.id, secret_access_key="wrong")
    assert page.status == 403
    # Eleven are too many, and are not written about; who knows the secret is not kept out by them.
    page = visitor.send(form, access_key_id=key.id, secret_access_key="wrong")
    assert page.status == 429 and "Too many attempts" in page.text
    assert visitor.sign_in(key).status == 200
    told = eventually(lambda: len(found := events(server, eventName="ConsoleLogin")) == 11 and found)
    *failed, signed_in = told
    assert "errorCode" not in signed_in or signed_in["errorCode"] is None
    assert {e["errorCode"] for e in failed} == {"AuthFailure"}
    assert {e["userIdentity"]["type"] for e in failed} == {"Unknown"}
    everything = (server.data / "audit.log").read_text() + server.log.read_text()
    assert key.secret not in everything and key.id in everything


def test_sessions_end(meridian, zone):
    key = meridian.new_key(meridian.operator_account()["id"])
    visitor, other = Visitor(meridian), Visitor(meridian)
    for each in (visitor, other):
        assert each.sign_in(key).title.startswith("Hosted zones")
    path = add_path(zone)
    kept = dict(visitor.cookies)
    page = visitor.send(visitor.get(path).form("/console/sign-out"))
    assert page.url.startswith("/console/sign-in") and not visitor.cookies
    visitor.cookies = kept
    assert visitor.get(path).url.startswith("/console/sign-in"), "the cookie is nobody's any more"
    assert other.get(path).status == 200
    form = other.get(path).form(path)
    meridian.admin("key", "delete", key.id)
    page = other.send(form, name="late", values="192.0.2.1")
    assert page.url.startswith("/console/sign-in?to="), page.url
    assert "what you sent was not done" in page.text
    assert not other.cookies and not zone.sets(own=True)
    # A link on another site brings no cookie along: that ends nothing.
    assert "set-cookie" not in other.request("GET", path).headers
    # Who signs in again in the same browser has one session.
    other.sign_in(meridian.operator())
    before = dict(other.cookies)
    other.send(other.get("/console/sign-in").form("/console/sign-in"),
               access_key_id=meridian.operator().id,
               secret_access_key=meridian.operator().secret)  # fmt: skip
    assert other.get(path).status == 200 and other.cookies != before
    other.cookies = before
    assert other.get(path).url.startswith("/console/sign-in")
    # Guessed cookies open nothing.
    other.cookies = {"meridian-session": "0" * 64}
    assert other.get().url.startswith("/console/sign-in")


def test_a_forged_form_does_nothing(meridian, visitor, zone):
    form = fill_in(visitor, zone, name="www", values="192.0.2.1").form(add_path(zone))
    fields = [*form.fields, ("step", "write")]
    without = [field for field in fields if field[0] != "token"]
    stranger = Visitor(meridian)
    stranger.sign_in(meridian.operator())
    theirs = stranger.get(add_path(zone)).form(add_path(zone)).value("token")
    for forged, headers in [
        (without, {}),
        ([*without, ("token", theirs)], {}),
        ([*without, ("token", "")], {}),
        (fields, {"Origin": "http://evil.test"}),
        (fields, {"Origin": "null"}),
        (fields, {"Sec_Fetch_Site": "cross-site"}),
        (fields, {"Sec_Fetch_Site": "same-site", "Origin": None}),
    ]:
        page = visitor.post(form.action, forged, **headers)
        assert page.status == 403 and "Nothing was done" in page.text, (headers, page.text)
    page = stranger.post("/console/sign-out", [("token", "x")])
    assert page.status == 403 and stranger.get().title.startswith("Hosted zones")
    signing = [("access_key_id", meridian.operator().id), ("secret_access_key", meridian.operator().secret)]
    assert Visitor(meridian).post("/console/sign-in", signing, Origin="http://evil.test").status == 403
    assert not zone.sets(own=True)
    # What asks with GET changes nothing either.
    assert visitor.get(f"{form.action}?step=write&name=www&values=192.0.2.1").status == 200
    assert not zone.sets(own=True)
    assert visitor.post(form.action, fields, Origin=None, Sec_Fetch_Site=None).status == 303


def test_users_may_here_what_they_may_by_the_api(meridian):
    account = f"users-{uuid.uuid4().hex[:8]}"
    root = meridian.new_account(account)
    mine = Zone(meridian.client(root), f"{account}.example.")
    other = Zone(meridian.client(root), f"other-{account}.example.")
    reader = meridian.new_user(account, "reader", "read-only")
    visitor = Visitor(meridian)
    assert f"reader in account {root.account}" in visitor.sign_in(reader).text
    assert visitor.get(f"/console/zones/{mine.id}").status == 200
    page = fill_in(visitor, mine, name="www", values="192.0.2.1")
    assert page.status == 403 and "is not authorized to perform: route53:Change" in page.text
    # The whole form at once, without a look.
    token = page.form(add_path(mine)).value("token")
    fields = {"token": token, "target": "values", "values": "192.0.2.1", "ttl": "60", "policy": "simple"}
    page = visitor.post(add_path(mine), fields | {"step": "write", "shown": "x"})
    assert page.status == 403 and not mine.sets(own=True)
    # An editor of one zone, there of some names.
    limited = {
        "Effect": "Deny", "Action": "route53:ChangeResourceRecordSets", "Resource": "*",
        "Condition": {"ForAnyValue:StringNotLike":
            {"route53:ChangeResourceRecordSetsNormalizedRecordNames": ["dev*"]}},
    }  # fmt: skip
    file = meridian.folder / f"{account}.json"
    file.write_text(json.dumps({"Version": "2012-10-17", "Statement": [limited]}))
    editor = meridian.new_user(account, "editor", f"zone-editor={mine.id}")
    meridian.admin("user", "attach", "editor", "--account", account, "--policy-file", file)
    visitor = Visitor(meridian)
    visitor.sign_in(editor)
    add(visitor, mine, name="dev", values="192.0.2.1")
    assert fill_in(visitor, mine, name="www", values="192.0.2.1").status == 403
    for path in (f"/console/zones/{other.id}", f"/console/zones/{other.id}/add"):
        page = visitor.get(path)
        assert page.status == 403 and "AccessDenied" in page.text, page.text
    assert [s["Name"] for s in mine.sets(own=True)] == [f"dev.{mine.name}"]
    # Who may not list zones gets to the one by its id.
    nolist = meridian.folder / f"no-list-{account}.json"
    nolist.write_text(json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "route53:ListHostedZonesByName", "Resource": "*"},
    ]}))  # fmt: skip
    meridian.admin("user", "attach", "editor", "--account", account, "--policy-file", nolist)
    page = visitor.get()
    assert page.status == 403 and "Open a zone by its id" in page.text, page.text
    for typed in (mine.id, f"/hostedzone/{mine.id}"):
        assert visitor.get(f"/console/?{urllib.parse.urlencode({'open': typed})}").url.endswith(mine.id)
    assert visitor.get("/console/?open=..%2Fx").status == 400
    # All of it is told of, what was refused too.
    told = [e for e in events(meridian) if e["userIdentity"].get("userName") == "editor"]
    told = [(e["eventName"], e.get("errorCode"), e["readOnly"]) for e in told]
    assert ("ChangeResourceRecordSets", None, False) in told, told
    assert ("DraftResourceRecordSets", "AccessDenied", True) in told, told
    assert ("GetHostedZone", "AccessDenied", True) in told, told
    assert ("ConsoleLogin", None, False) in told, told


def test_a_tenant_finds_nothing_of_anothers(meridian, zone, visitor):
    change = add(visitor, zone, name="www", values="192.0.2.1").url
    tenant = meridian.new_account(f"tenant-{uuid.uuid4().hex[:8]}")
    stranger = Visitor(meridian)
    stranger.sign_in(tenant)
    own = Zone(meridian.client(tenant), f"own{uuid.uuid4().hex[:8]}.example.")
    nobodys = "Z00AAAAAAAAAAAAAAAAAA"
    heard = [
        stranger.get(f"/console/zones/{id}{more}")
        for more in ("", "/add", f"/remove?name=www.{zone.name}&type=A")
        for id in (zone.id, nobodys)
    ]
    for theirs, none in zip(heard[::2], heard[1::2]):
        same = re.sub("Request [0-9a-f]+", "", theirs.text).replace(zone.id, nobodys)
        assert (theirs.status, same) == (404, re.sub("Request [0-9a-f]+", "", none.text))
    token = stranger.get(add_path(own)).form(add_path(own)).value("token")
    fields = {"token": token, "target": "values", "values": "192.0.2.9", "ttl": "60", "policy": "simple"}
    assert stranger.post(add_path(zone), fields).status == 404
    assert stranger.get(change).status == 404
    page = fill_in(stranger, own, name="x", target="alias", alias=f"www.{zone.name}", alias_zone=zone.id)
    assert page.status == 400 and f"There is no hosted zone '{zone.id}' in this account" in page.text
    assert zone.name not in stranger.get().text


def test_an_account_has_no_more_requests_here_than_by_the_api(meridian):
    name = f"slow-{uuid.uuid4().hex[:8]}"
    key = meridian.new_account(name)
    visitor = Visitor(meridian)
    visitor.sign_in(key)
    meridian.admin("quota", "set", "MAX_REQUESTS_PER_SECOND", "1", "--account", name)
    pages = [visitor.request("GET", "/console/").status for _ in range(6)]
    assert 429 in pages and set(pages) <= {200, 429}, pages
    (token,) = {form.value("token") for form in visitor.get().forms if form.value("token")}
    assert [visitor.get().status for _ in range(3)][-1] == 429
    out = visitor.request("POST", "/console/sign-out", urllib.parse.urlencode({"token": token}))
    assert out.status == 303, "leaving is free"


# What is sent around it.


def test_every_page_tells_browsers_how_far_to_trust_it(meridian, visitor, zone):
    nobody = Visitor(meridian)
    pages = [
        visitor.get(), visitor.get(f"/console/zones/{zone.id}"), visitor.get(add_path(zone)),
        visitor.get("/console/nothing"), nobody.request("GET", "/console/"),
        nobody.request("GET", "/console/sign-in"), nobody.request("GET", "/console/style.css"),
        nobody.request("PUT", "/console/"), nobody.request("POST", "/console/sign-in", "a" * 70_000),
    ]  # fmt: skip
    assert [page.status for page in pages] == [200, 200, 200, 404, 303, 200, 200, 405, 413]
    for page in pages:
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'")
        assert "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
        # Nothing that the policy would keep from working.
        assert not [1 for tag, has in page.tags if tag == "style" or "style" in has]
    form = nobody.request("GET", "/console/sign-in").form("/console/sign-in")
    key = meridian.operator()
    fields = [("access_key_id", key.id), ("secret_access_key", key.secret), ("to", "//evil.test/")]
    signed = nobody.post(form.action, fields)
    assert signed.headers["location"] == "/console/"
    (cookie,) = signed.headers.get_all("set-cookie")
    assert re.fullmatch(
        "meridian-session=[0-9a-f]{64}; Path=/console; HttpOnly; SameSite=Strict", cookie
    )


def test_the_api_is_where_it_was(meridian):
    visitor = Visitor(meridian)
    for accept, query, more in [
        ("*/*", "", {}), ("text/html", "?Action=GetCallerIdentity", {}),
        ("text/html", "", {"Authorization": "AWS4-HMAC-SHA256 x"}),
    ]:  # fmt: skip
        page = visitor.request("GET", f"/{query}", Accept=accept, **more)
        assert page.status in (400, 403, 404) and "html" not in page.headers["content-type"], page.body
    assert meridian.client().list_hosted_zones()["HostedZones"]


def test_it_can_be_switched_off(start):
    server = start(config="[api]\nconsole = false\n[health]\nenabled = false\n")
    visitor = Visitor(server)
    for path in ("/", "/console/", "/console/sign-in", "/console/style.css"):
        page = visitor.request("GET", path)
        assert page.status in (400, 403, 404) and "html" not in page.headers["content-type"], page.body
    assert "/console" not in server.log.read_text().partition("the API is open")[2]
    assert server.client().list_hosted_zones()["HostedZones"]


def test_fields_have_labels_and_pages_landmarks(visitor, zone):
    for path in (f"/console/zones/{zone.id}", add_path(zone), "/console/"):
        page = visitor.get(path)
        tags = [tag for tag, _ in page.tags]
        assert tags.count("main") == tags.count("h1") == tags.count("header") == 1
        assert page.tags[0] == ("html", {"lang": "en"}) and "nav" in tags
        labelled = {has["for"] for tag, has in page.tags if tag == "label" and "for" in has}
        described = {has["id"] for _, has in page.tags if "id" in has}
        for tag, has in page.tags:
            if tag in ("input", "select", "textarea") and has.get("type") not in ("hidden", "radio", "checkbox"):
                assert has["id"] in labelled, has
            assert has.get("aria-describedby", "main") in described, has
