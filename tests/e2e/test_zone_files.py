"""`meridian zone import` and `zone export`: master files and JSON, in and out.

Judges: dnspython reads the same master files, BIND's and NSD's checkers read what is written.
"""

import contextlib
import json
import os
import subprocess
import threading

import dns.rdatatype
import dns.zone
import pytest

from harness import BIN, LONG, Zone, create, eventually
from moving import Halt

MASTER_FILE = r"""
; as people write them
$TTL 1h
@           IN  SOA   ns1 hostmaster.real.example. ( 2026112101 ; serial
                      2h 15M 2w 1d )
            IN  NS    ns1
            IN  NS    ns2.other.test.
            IN  MX    10 mail
            IN  MX    20 mail.other.test.
            IN  TXT   "v=spf1 mx -all" "second \"string\""
            IN  CAA   0 issue "ca.example; account=1"
ns1         300 IN A  192.0.2.53
            IN  AAAA  2001:db8::53
mail        IN  A     192.0.2.25
www         60  IN A  192.0.2.80
            60  A     192.0.2.81
ftp         CNAME     www
*.wild      IN TXT    "wild; card" \100\105 "\200\001"
_sip._tcp   IN SRV    10 20 5060 sip
sip         IN NAPTR  100 10 "U" "E2U+sip" "!^.*$!sip:info@real.example!" .
a\.b        IN A      192.0.2.9
sub         IN NS     ns.sub
ns.sub      IN A      192.0.2.66
sub         IN DS     12345 13 2 ( 0123456789abcdef0123456789abcdef
                                  0123456789abcdef0123456789abcdef )
host        IN SSHFP  1 2 ( 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef )
_443._tcp   IN TLSA   3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
svc         IN HTTPS  1 . alpn="h3,h2" ipv4hint=192.0.2.80
raw         IN TYPE1  \# 4 c000 0250
$ORIGIN deep.real.example.
$GENERATE 1-3 host-${0,2} A 192.0.2.$
$INCLUDE included.zone inner
after       IN  A     192.0.2.99
"""
INCLUDED = "x IN A 192.0.2.100\n  IN TXT included\n"


def run(meridian, *arguments):
    """Runs a command; returns its exit code, its output, and what it says beside it."""
    done = meridian.admin(*arguments, check=False, as_json=False)
    return done.returncode, done.stdout, done.stderr


def write(tmp_path, text, name="file.zone"):
    path = tmp_path / name
    path.write_text(text)
    return path


def numbered(count, value="192.0.2.1"):
    """A master file of so many sets, and a name that says which it is."""
    lines = [f"h{n} 60 IN A {value}\n" for n in range(count)]
    return f'version 60 IN TXT "{value}"\n' + "".join(lines)


def rrsets(text, origin, **options):
    """What dnspython reads, without SOA and NS of the apex."""
    zone = dns.zone.from_text(text, origin, relativize=False, check_origin=False, **options)
    for name, rdataset in zone.iterate_rdatasets():
        if str(name) == origin and rdataset.rdtype in (dns.rdatatype.NS, dns.rdatatype.SOA):
            continue
        yield str(name), dns.rdatatype.to_text(rdataset.rdtype), rdataset


def replacing(data, file, zone):
    """An import that replaces a large zone, at work, by way of this directory's socket."""
    arguments = ["zone", "import", file, "--zone", zone, "--replace", "--beyond-quota"]
    return subprocess.Popen(
        [BIN, *arguments, "--data-dir", data],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def generations(meridian):
    """How many generations there are that nobody sees, by what they are."""
    return meridian.admin("status")["unseen_generations"]


def test_a_master_file_is_answered_as_other_people_read_it(meridian, tmp_path):
    write(tmp_path, INCLUDED, "included.zone")
    file = write(tmp_path, MASTER_FILE)
    done = meridian.admin("zone", "import", file, "--create", "real.example")
    assert done["imported"] and done["passed_over"] == 2 and done["warnings"] == []
    assert eventually(
        lambda: meridian.admin("change", "show", done["change"])["status"] == "INSYNC"
    )
    inlined = MASTER_FILE.replace(
        "$INCLUDE included.zone inner",
        "$ORIGIN inner.deep.real.example.\n" + INCLUDED + "$ORIGIN deep.real.example.",
    )
    judged = list(rrsets(inlined, "real.example."))
    assert len(judged) == done["record_sets"] - 2 > 20
    for name, rtype, rdataset in judged:
        if name.startswith("sub.real") or name.startswith("ns.sub") or rtype == "DS":
            continue  # Below a cut: referrals.
        found = meridian.ask(name, rtype)
        answer = next(r for r in found.answer if r.rdtype == rdataset.rdtype)
        assert (set(answer), answer.ttl) == (set(rdataset), rdataset.ttl), (name, rtype)
    ns = {str(server) for server in meridian.ask("real.example.", "NS").answer[0]}
    assert "ns2.other.test." not in ns


def test_what_is_exported_is_read_by_others_and_by_us(meridian, tmp_path):
    write(tmp_path, INCLUDED, "included.zone")
    file = write(tmp_path, MASTER_FILE.replace("real.example", "out.example"))
    first = meridian.admin("zone", "import", file, "--create", "out.example", "--take-apex")
    out = tmp_path / "out.zone"
    code, said, _ = run(
        meridian, "zone", "export", first["zone"], "--format", "bind", "--output", out
    )
    assert (code, said) == (0, "")
    for judge in ("named-checkzone", "nsd-checkzone"):
        done = subprocess.run([judge, "out.example", out], capture_output=True, text=True)
        assert done.returncode == 0, f"{judge}: {done.stdout}{done.stderr}"
    assert len(list(rrsets(out.read_text(), "out.example."))) == first["record_sets"] - 2
    second = meridian.admin("zone", "import", out, "--create", "out.example", "--take-apex")
    assert export(meridian, second["zone"], "bind") == out.read_text().replace(
        first["zone"], second["zone"]
    )


def export(meridian, zone, form="json"):
    code, text, said = run(meridian, "zone", "export", zone, "--format", form)
    assert code == 0, said
    return text


@pytest.fixture
def rich(route53):
    """A zone with what a master file cannot express."""
    zone = Zone(route53, "rich.example.", HostedZoneConfig={"Comment": 'why "not"'})
    tags = [{"Key": "team", "Value": "dns"}, {"Key": "a", "Value": ""}]
    route53.change_tags_for_resource(
        ResourceType="hostedzone", ResourceId=zone.id, AddTags=tags
    )
    plain = create("www.rich.example.", "A", "192.0.2.1")
    weighted = [
        create("w.rich.example.", "A", "192.0.2.1", SetIdentifier=f"s {n}", Weight=n)
        for n in range(3)
    ]
    alias = {
        "Name": "alias.rich.example.",
        "Type": "A",
        "AliasTarget": {
            "HostedZoneId": zone.id,
            "DNSName": "www.rich.example.",
            "EvaluateTargetHealth": False,
        },
    }
    europe = {"SetIdentifier": "eu", "GeoLocation": {"ContinentCode": "EU"}}
    place = create("g.rich.example.", "TXT", '"x\\101\\""', **europe)
    zone.send(plain, *weighted, place)
    zone.send({"Action": "CREATE", "ResourceRecordSet": alias})
    return zone


def test_json_gives_an_identical_zone(meridian, rich, tmp_path):
    file = write(tmp_path, export(meridian, rich.id), "rich.json")
    done = meridian.admin("zone", "import", file, "--create", "rich.example", "--take-apex")
    new = done["zone"]
    assert export(meridian, new).replace(new, rich.id).splitlines()[2:] == (
        file.read_text().splitlines()[2:]
    )
    shown = [meridian.admin("zone", "show", id) for id in (rich.id, new)]
    for field in ("name", "comment", "tags", "record_sets", "private"):
        assert shown[0][field] == shown[1][field], field
    # Into the zone itself: nothing changes, its own apex is kept.
    meridian.admin("zone", "import", file, "--zone", rich.id, "--replace")
    assert export(meridian, rich.id) == file.read_text()


def test_the_aws_cli_prints_what_can_be_imported(meridian, rich, tmp_path):
    sets = rich.client.list_resource_record_sets(HostedZoneId=rich.id)["ResourceRecordSets"]
    file = write(tmp_path, json.dumps({"ResourceRecordSets": sets}), "aws.json")
    done = meridian.admin("zone", "import", file, "--zone", rich.id, "--merge")
    assert done["record_sets"] == len(sets)


def test_what_a_master_file_cannot_say_is_counted(meridian, rich):
    code, text, said = run(meridian, "zone", "export", rich.id, "--format", "bind")
    assert code == 3 and said.startswith("meridian: 5 record sets with a routing policy")
    comments = [line for line in text.splitlines() if line.startswith("; not expressed: ")]
    assert len(comments) == 5
    first = json.loads(comments[0].removeprefix("; not expressed: "))
    assert first["Name"] == "alias.rich.example."


REFUSED = """$TTL 60
good IN A 192.0.2.1
bad IN A 192.0.2.256
other.test. IN A 192.0.2.1
good IN CNAME x
twice IN A 192.0.2.1
twice IN A 192.0.2.1
chaos CH A 192.0.2.1
odd IN TYPE65280 \\# 1 00
ttls 5 IN A 192.0.2.1
ttls 6 IN A 192.0.2.2
open IN TXT "x
fine IN A 192.0.2.1
many IN A 192.0.2.1
many IN A 192.0.2.1
many IN A x
many IN A 192.0.2.2
many IN A 192.0.2.1
many IN A x
$INCLUDE ../../etc/passwd
$INCLUDE missing.zone
"""


def test_each_refusal_has_its_line_and_nothing_is_imported(meridian, tmp_path):
    file = write(tmp_path, REFUSED, "bad.zone")
    head = meridian.admin("status")["head"]
    code, out, said = run(meridian, "zone", "import", file, "--create", "bad.example")
    assert (code, out) == (1, "")
    lines = said.splitlines()
    for line, text in {
        3: "Invalid Resource Record: FATAL problem: ",
        4: "RRSet with DNS name other.test. is not permitted in zone bad.example.",
        5: "RRSet of type CNAME with DNS name good.bad.example. is not permitted",
        7: "Duplicate Resource Record: '192.0.2.1'",
        8: "class CH: Route 53 has IN only",
        9: "type TYPE65280 is none of those that Route 53 has",
        12: "a quotation mark is not closed on its line",
        15: "Duplicate Resource Record: '192.0.2.1'",
        16: "Invalid Resource Record: FATAL problem: ",
        18: "Duplicate Resource Record: '192.0.2.1'",
        19: "Invalid Resource Record: FATAL problem: ",
        20: "$INCLUDE ../../etc/passwd: ",
        21: "$INCLUDE missing.zone: ",
    }.items():
        assert any(f"bad.zone:{line}: {text}" in each for each in lines), (line, said)
    assert any("bad.zone:10: warning: the records of ttls" in line for line in lines)
    assert lines[-1].startswith("meridian: nothing was imported: 13 reasons against it")
    assert meridian.admin("zone", "list", "--name", "bad.example") == []
    assert meridian.admin("status")["head"] == head
    done = meridian.admin("zone", "import", file, "--create", "bad.example", check=False)
    result = json.loads(done.stdout)
    assert done.returncode == 1 and not result["imported"] and result["refused"] == 13
    assert len(result["refusals"]) == 13 and len(result["warnings"]) == 1


def test_what_is_refused_can_be_left_out(meridian, tmp_path):
    file = write(tmp_path, REFUSED, "bad.zone")
    arguments = ["zone", "import", file, "--create", "skipped.example", "--skip-invalid"]
    code, out, said = run(meridian, *arguments, "--dry-run")
    assert code == 3 and out.startswith("would be imported: zone skipped.example.")
    assert meridian.admin("zone", "list", "--name", "skipped.example") == []
    code, out, said = run(meridian, *arguments)
    assert code == 3 and "left out" in said.splitlines()[-1]
    sets = json.loads(export(meridian, "skipped.example"))["ResourceRecordSets"]
    names = {each["Name"] for each in sets}
    assert names == {f"{n}skipped.example." for n in ("", "good.", "ttls.", "fine.")}
    assert eventually(lambda: meridian.values("ttls.skipped.example."))
    assert meridian.ask("ttls.skipped.example.", "A").answer[0].ttl == 5


def test_output_is_bounded_and_json_has_all(meridian, tmp_path):
    file = write(tmp_path, "".join(f"h{n} 60 IN A x{n}\n" for n in range(250)))
    code, _, said = run(meridian, "zone", "import", file, "--create", "many.example")
    assert code == 1 and len(said.splitlines()) == 102
    assert said.splitlines()[100] == "… and 150 more; --json shows all"
    done = meridian.admin("zone", "import", file, "--create", "many.example", check=False)
    assert len(json.loads(done.stdout)["refusals"]) == 250


def test_a_zone_with_sets_is_replaced_or_merged_only_when_told(meridian, route53, tmp_path):
    zone = Zone(route53, "kept.example.")
    zone.send(*(create(f"{n}.kept.example.", "A", "192.0.2.1") for n in ("old", "both")))
    file = write(tmp_path, "both 60 A 192.0.2.2\nnew 60 A 192.0.2.2\n")

    def names():
        return [each["Name"].split(".")[0] for each in zone.sets()[2:]]

    code, _, said = run(meridian, "zone", "import", file, "--zone", "kept.example")
    assert code == 1 and "2 record sets beside its NS and SOA: say --replace or --merge" in said
    assert meridian.admin("zone", "import", file, "--zone", zone.id, "--merge")["record_sets"] == 5
    assert names() == ["both", "new", "old"]
    assert eventually(lambda: meridian.values("both.kept.example.") == {"192.0.2.2"})
    meridian.admin("zone", "import", file, "--zone", zone.id, "--replace")
    assert names() == ["both", "new"]
    zone.send(create("later.kept.example.", "A", "192.0.2.3"))
    assert eventually(lambda: meridian.values("later.kept.example.") == {"192.0.2.3"})
    assert run(meridian, "zone", "import", file)[0] == 2
    assert run(meridian, "zone", "import", file, "--zone", zone.id, "--merge", "--replace")[0] == 2
    assert run(meridian, "zone", "import", tmp_path / "none", "--zone", zone.id)[0] == 1


def test_the_quota_holds_unless_the_operator_says_otherwise(meridian, tmp_path):
    meridian.new_account("importer")
    file = write(tmp_path, numbered(20))
    meridian.admin("quota", "set", "--account", "importer", "MAX_RRSETS_BY_ZONE", "12")
    arguments = ["zone", "import", file, "--create", "quota.example", "--account", "importer"]
    code, _, said = run(meridian, *arguments)
    assert code == 1 and "Exceeded limit MAX_RRSETS_BY_ZONE" in said and "may have 12" in said
    done = meridian.admin(*arguments, "--beyond-quota")
    assert done["record_sets"] == 23
    assert meridian.admin("zone", "show", done["zone"])["account_name"] == "importer"


def test_queries_see_the_old_zone_until_the_new_one_is_whole(start, tmp_path):
    meridian = start()
    count = 20_000
    old = write(tmp_path, numbered(3), "old.zone")
    new = write(tmp_path, numbered(count, "192.0.2.2"), "new.zone")
    zone = meridian.admin("zone", "import", old, "--create", "big.example")["zone"]
    assert eventually(lambda: meridian.values("version.big.example.", "TXT") == {'"192.0.2.1"'})
    before = meridian.admin("status")["head"]
    importing = replacing(meridian.data, new, zone)
    seen = []
    while importing.poll() is None:
        version = meridian.values("version.big.example.", "TXT")
        last = meridian.rcode(f"h{count - 1}.big.example.")
        seen.append((version, last))
    said = importing.communicate()[1]
    assert importing.returncode == 0, said
    assert meridian.admin("status")["head"] > before + 5, "it was written in parts"
    assert seen[0] == ({'"192.0.2.1"'}, "NXDOMAIN")
    # Two queries may see two zones, the later one the newer.
    old, new = {'"192.0.2.1"'}, {'"192.0.2.2"'}
    allowed = (old, "NXDOMAIN"), (new, "NOERROR"), (old, "NOERROR")
    assert all(each in allowed for each in seen)
    assert eventually(lambda: meridian.values("version.big.example.", "TXT") == {'"192.0.2.2"'})
    assert meridian.admin("zone", "show", zone)["record_sets"] == count + 3
    assert generations(meridian) == {"drafts": 0, "superseded": 1, "garbage": 0}
    assert meridian.admin("journal", "verify")["valid"]


@pytest.mark.parametrize("victim", ["server", "stopped server", "client"])
def test_an_import_that_is_killed_leaves_the_old_zone_and_no_garbage(start, tmp_path, victim):
    meridian = start()
    file = write(tmp_path, numbered(20_000, "192.0.2.2"))
    old = write(tmp_path, numbered(3), "old.zone")
    zone = meridian.admin("zone", "import", old, "--create", "killed.example")["zone"]
    before = meridian.admin("status")["head"]
    (tmp_path / "way").mkdir()
    way = Halt(meridian, tmp_path / "way", lambda: meridian.admin("status")["head"] > before + 3)
    importing = replacing(way.data, file, zone)
    assert way.halted.wait(30)
    if victim == "server":
        meridian.kill()
        way.go_on()
        said = importing.communicate()[1]
        assert importing.returncode == 1 and "meridian: " in said
        meridian.start()
    elif victim == "stopped server":
        threading.Timer(0.3, way.go_on).start()
        assert meridian.stop() == 0
        said = importing.communicate()[1]
        assert importing.returncode == 1 and "meridian: " in said
        meridian.start()
    else:
        importing.kill()
        importing.communicate()
        way.go_on()
    nothing = {"drafts": 0, "superseded": 0, "garbage": 0}
    assert eventually(lambda: generations(meridian) == nothing, timeout=30)
    assert meridian.values("version.killed.example.", "TXT") == {'"192.0.2.1"'}
    assert meridian.rcode("h9.killed.example.") == "NXDOMAIN"
    assert meridian.admin("zone", "show", zone)["record_sets"] == 6
    assert meridian.admin("journal", "verify")["valid"]


def test_a_terminal_is_shown_a_bar(meridian, tmp_path):
    file = write(tmp_path, numbered(5000))
    mine, its = os.openpty()
    arguments = ["zone", "import", file, "--create", "bar.example", "--data-dir", meridian.data]
    with os.fdopen(mine, "rb", buffering=0) as terminal:
        done = subprocess.run([BIN, *arguments], stdout=subprocess.DEVNULL, stderr=its)
        os.close(its)
        assert done.returncode == 0
        shown = b""
        with contextlib.suppress(OSError):  # The end of a terminal is an error.
            while part := terminal.read(4096):
                shown += part
    shown = shown.decode()
    assert "\rreading [#" in shown or "\rimporting [#" in shown, shown
    assert shown.endswith("\r\x1b[K"), shown


def test_a_private_zone_is_not_made_public(meridian, tmp_path):
    document = {"HostedZone": {"Config": {"PrivateZone": True}}, "ResourceRecordSets": []}
    file = write(tmp_path, json.dumps(document), "private.json")
    code, _, said = run(meridian, "zone", "import", file, "--create", "private.example")
    assert code == 1 and "private zone" in said
    assert meridian.admin("zone", "list", "--name", "private.example") == []


@pytest.mark.skipif(not LONG, reason="MERIDIAN_TEST_LONG=1: a million records")
def test_a_million_records(start, tmp_path):
    meridian = start()
    file = write(tmp_path, numbered(1_000_000))
    arguments = ["zone", "import", file, "--create", "million.example", "--beyond-quota", "--json"]
    done = subprocess.run(
        [BIN, *arguments, "--data-dir", meridian.data], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    change = json.loads(done.stdout)["change"]

    def insync():
        return meridian.admin("change", "show", change)["status"] == "INSYNC"

    assert eventually(insync, timeout=120)
    assert meridian.values("h999999.million.example.") == {"192.0.2.1"}
    out = tmp_path / "out.zone"
    arguments = ["zone", "export", "million.example", "--format", "bind", "--output", out]
    assert subprocess.run([BIN, *arguments, "--data-dir", meridian.data]).returncode == 0
    assert subprocess.run(["named-checkzone", "-q", "million.example", out]).returncode == 0
