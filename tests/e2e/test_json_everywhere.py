"""`--json`: every verb takes it, and prints one document whatever comes of it."""

import json
import re
import subprocess

from harness import BIN, Zone, create

# A server says what it does in its log; a completion script is for shells.
WITHOUT = {("serve",), ("completions",)}


def run(*arguments, folder):
    return subprocess.run(
        [str(BIN), *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=30
    )


def leaves(folder, verb=()):
    """Every verb that does something, with what its help says."""
    text = run(*verb, "--help", folder=folder).stdout
    (_, _, commands) = text.partition("Commands:\n")
    below = re.findall(r"^  ([a-z-]+)  ", commands.partition("\n\n")[0], re.MULTILINE)
    for name in below:
        if name != "help":
            yield from leaves(folder, (*verb, name))
    if not below or "[OPTIONS]" in text.partition("Usage:")[2].partition("\n")[0]:
        yield verb, text


def test_every_verb_has_it(tmp_path):
    verbs = {verb: "--json" in text for verb, text in leaves(tmp_path)}
    assert len(verbs) > 50, verbs
    assert {verb for verb, has in verbs.items() if not has} == WITHOUT


def test_what_fails_is_a_document_too(meridian, tmp_path):
    for arguments in (("zone", "show", "nowhere.example"), ("key", "rotate", "AKIANONE")):
        done = meridian.admin(*arguments, check=False)
        (error,) = json.loads(done.stdout).values()
        assert done.returncode == 1 and done.stderr == f"meridian: {error}\n"
    nobody = run("status", "--data-dir", tmp_path, "--json", folder=tmp_path)
    assert nobody.returncode == 1 and "no server answers" in json.loads(nobody.stdout)["error"]
    plain = run("status", "--data-dir", tmp_path, folder=tmp_path)
    assert plain.returncode == 1 and plain.stdout == ""


def test_a_refused_import_is_one_document(meridian, route53, tmp_path):
    zone = Zone(route53, "json-import.example.")
    file = tmp_path / "zone.db"
    file.write_text("$TTL 60\nbad A 1.2.3\n")
    done = meridian.admin("zone", "import", file, "--zone", zone.id, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["refusals"][0]["place"] == f"{file}:2"


def test_an_export_to_a_file_is_counted(meridian, route53, tmp_path):
    zone = Zone(route53, "json-export.example.")
    zone.send(create(f"a.{zone.name}", "A", "192.0.2.1", SetIdentifier="i", Weight=1))
    file = tmp_path / "zone.db"
    to_file = ("zone", "export", zone.id, "--format", "bind", "--output", file)
    done = meridian.admin(*to_file, check=False)
    assert done.returncode == 3
    assert json.loads(done.stdout) == {
        "file": str(file), "record_sets": 3, "comments_only": 1
    }
    assert "IN\tSOA" in file.read_text()
    both = meridian.admin(*to_file[:-2], check=False)
    assert both.returncode == 1 and "--output" in json.loads(both.stdout)["error"]


def test_a_configuration_is_checked(tmp_path):
    file = tmp_path / "meridian.toml"
    file.write_text('[dns]\nlisten = ["127.0.0.1:5300"]\n')
    good = run("config", "check", "--json", folder=tmp_path)
    checked = json.loads(good.stdout)
    assert good.returncode == 0 and checked["valid"] is True
    assert any("port 53" in warning for warning in checked["warnings"])
    file.write_text("no_such_key = 1\n")
    bad = run("config", "check", "--json", folder=tmp_path)
    assert bad.returncode == 1 and "no_such_key" in json.loads(bad.stdout)["error"]
