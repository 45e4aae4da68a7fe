"""Backups of a running server, and the servers that are made of them."""

import json
import re
import shutil
import stat
import subprocess
import threading

import pytest

from harness import BIN, Meridian, Threads, Zone, create, eventually, reference


def run(*arguments, folder):
    """`meridian ARGUMENTS --json` without a server; returns the finished process."""
    command = [str(BIN), *map(str, arguments), "--json"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def said(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def refused(done):
    assert done.returncode == 1, done.stdout
    if done.stdout:  # It was asked with --json.
        assert done.stderr == f"meridian: {json.loads(done.stdout)['error']}\n"
    return done.stderr


def restored(original, backup, folder, *options):
    """A server, not started, over what `backup` has, where the original is."""
    server = Meridian(folder, dns_port=original.dns_port, api=original.api, metrics=original.metrics)
    result = said(
        run("restore", backup, "--data-dir", server.data, *options, folder=server.folder)
    )
    return server, result


@pytest.fixture
def shelf(tmp_path):
    """Where backups lie."""
    path = tmp_path / "shelf"
    path.mkdir()
    return path


class Writer:
    """Adds name after name; knows which were acknowledged."""

    def __init__(self, server, number):
        self.zone = Zone(server.client(), f"writer{number}.example.")
        self.acknowledged, self.stop = [], threading.Event()

    def run(self):
        while not self.stop.is_set():
            name = f"n{len(self.acknowledged)}.{self.zone.name}"
            self.zone.send(create(name, "A", "192.0.2.7"))
            self.acknowledged.append(name)


def test_a_backup_under_load_is_restored_with_all_that_was_acknowledged(start, shelf, tmp_path):
    server = start()
    key = server.new_account("tenant")
    steady = Zone(server.client(key), "steady.example.")
    steady.change(create(f"www.{steady.name}", "A", "192.0.2.1"))
    writers = [Writer(server, number) for number in range(2)]
    with Threads(*(writer.run for writer in writers)):
        assert eventually(lambda: all(len(writer.acknowledged) > 20 for writer in writers), 60)
        before = [list(writer.acknowledged) for writer in writers]
        made = server.admin("backup", shelf)
        for writer in writers:
            writer.stop.set()
    file = shelf / re.sub(r".*/", "", made["file"])
    assert re.fullmatch(rf"meridian-\d{{8}}T\d{{6}}Z-{made['head']}\.backup", file.name)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and file.stat().st_size == made["bytes"]
    assert [each.name for each in shelf.iterdir()] == [file.name], "nothing unfinished is left"

    checked = said(run("backup", "verify", file, folder=tmp_path))
    assert checked["valid"] and checked["head"] == made["head"] == checked["entries"]
    assert checked["vault_key"] == made["vault_key"] and not checked["with_key"]

    # No secret is in it in the clear, nor the key that opens them.
    content = file.read_bytes()
    assert b"writer0" in content, "names are, so this way of looking finds what there is"
    for secret in (key.secret, server.operator().secret):
        assert secret.encode() not in content
    assert (server.data / "vault.key").read_bytes() not in content

    vault_key = shutil.copy(server.data / "vault.key", tmp_path / "kept-elsewhere")
    epoch = server.admin("status")["epoch"]
    assert server.stop() == 0
    again, result = restored(server, file, tmp_path / "again", "--vault-key", vault_key)
    assert result["vault_key_in_place"] and result["epoch"] == epoch + 1
    with again:
        status = again.admin("status")
        assert (status["epoch"], status["head"]) == (epoch + 1, made["head"] + 1)
        assert again.values(f"www.{steady.name}") == {"192.0.2.1"}
        steady.client = again.client(key)
        for writer, names in zip(writers, before, strict=True):
            writer.zone.client = again.client(server_key(again, server))
            found = {s["Name"] for s in writer.zone.sets(own=True)}
            assert set(names) <= found <= set(writer.acknowledged) | {
                f"n{len(writer.acknowledged)}.{writer.zone.name}"
            }
            assert again.values(names[-1]) == {"192.0.2.7"}
        steady.change(create(f"new.{steady.name}", "A", "192.0.2.2"))
        assert again.values(f"new.{steady.name}") == {"192.0.2.2"}
        again.admin("journal", "verify")
        # What is backed up from there is of the new epoch.
        made = again.admin("backup", shelf / "second")
        assert said(run("backup", "verify", shelf / "second", folder=tmp_path))["epoch"] == epoch + 1


def server_key(again, server):
    """The operator's key: a restored directory has no file with it."""
    assert not (again.data / "credentials").exists()
    return server.operator()


def test_a_backup_with_the_key_needs_nothing_else(start, shelf, tmp_path):
    server = start()
    zone = Zone(server.client(), "whole.example.")
    zone.change(create(f"www.{zone.name}", "A", "192.0.2.1"))
    text = server.admin("backup", shelf / "whole", "--with-key", as_json=False)
    assert "whoever has the file has all secrets" in text
    assert server.stop() == 0
    again, result = restored(server, shelf / "whole", tmp_path / "again")
    assert result["vault_key_in_place"]
    assert stat.S_IMODE((again.data / "vault.key").stat().st_mode) == 0o600
    with again:
        zone.client = again.client(server.operator())
        assert len(zone.sets()) == 3


def test_without_the_key_dns_is_answered_and_the_key_is_named(start, shelf, tmp_path):
    server = start()
    zone = Zone(server.client(), "keyless.example.")
    zone.change(create(f"www.{zone.name}", "A", "192.0.2.1"))
    made = server.admin("backup", shelf / "keyless")
    assert server.stop() == 0
    again = Meridian(tmp_path / "again", dns_port=server.dns_port)
    done = subprocess.run(
        [str(BIN), "restore", shelf / "keyless", "--data-dir", again.data],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert made["vault_key"] in done.stdout and "vault.key (mode 0600)" in done.stdout
    with again:
        assert again.values(f"www.{zone.name}") == {"192.0.2.1"}
        assert "vault.key is missing" in again.log_tail()
    shutil.copy(server.data / "vault.key", again.data / "vault.key")
    with again:
        zone.client = again.client(server.operator())
        assert len(zone.sets()) == 3


def test_what_is_refused(start, shelf, tmp_path):
    server = start()
    client = server.client()
    for _ in range(3):
        client.create_hosted_zone(Name="refused.example", CallerReference=reference())
    file = shelf / "good"
    made = server.admin("backup", file)
    done = server.admin("backup", file, check=False)
    assert "is there already" in refused(done)
    done = server.admin("backup", shelf / "no" / "such", check=False)
    assert "No such file or directory" in refused(done)

    # Into a directory that is used, or not empty.
    done = run("restore", file, "--data-dir", server.data, folder=tmp_path)
    assert "a server is running" in refused(done)
    done = run("restore", file, "--data-dir", shelf, folder=tmp_path)
    assert "is not empty: there is good" in refused(done)
    # With another key.
    (tmp_path / "other").write_bytes(bytes(32))
    (tmp_path / "other").chmod(0o600)
    target = tmp_path / "target"
    done = run("restore", file, "--data-dir", target, "--vault-key", "other", folder=tmp_path)
    assert made["vault_key"] in refused(done)
    # From what is no backup, cut off, or changed; each with its place.
    content = file.read_bytes()
    wrongs = {
        "is no backup": b"something else" * 100,
        "is cut off at byte": content[:-40],
        "a checksum does not fit, in the part that begins at byte": content[:-100]
        + bytes([content[-100] ^ 1])
        + content[-99:],
    }
    for text, wrong in wrongs.items():
        (shelf / "wrong").write_bytes(wrong)
        done = run("backup", "verify", shelf / "wrong", folder=tmp_path)
        assert text in refused(done), text
        done = run("restore", shelf / "wrong", "--data-dir", target, folder=tmp_path)
        assert text in refused(done), text
        assert list(target.iterdir()) == [], "a failed restore leaves nothing"
    # A restore that was killed on its way.
    (target / "restoring").mkdir()
    done = run("restore", file, "--data-dir", target, folder=tmp_path)
    assert "a restore into" in refused(done) and "did not end" in done.stderr
    half = Meridian(tmp_path / "half")
    shutil.copytree(target, half.data)
    with pytest.raises(AssertionError, match="did not end"):
        half.start()
    server.admin("backup", shelf / "last", as_json=False)
    assert run("backup", "verify", shelf / "last", folder=tmp_path).returncode == 0
