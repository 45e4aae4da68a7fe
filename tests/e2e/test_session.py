"""The first minutes: start in an empty folder, the README's session, the doors and their manners."""

import os
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

from harness import BIN, REPO, Meridian, eventually, free_port, reference


@pytest.mark.alone
def test_session_of_a_new_user(start):
    """A zone and a record by aws cli, answered by dig at each of the zone's four name servers."""
    server = start(addresses=["127.0.0.1", "127.0.0.2", "127.0.0.3", "127.0.0.4"])
    created = server.aws(
        "create-hosted-zone", "--name", "example.com", "--caller-reference", reference()
    )
    zone = created["HostedZone"]["Id"]
    assert re.fullmatch(r"/hostedzone/Z[0-9A-Z]{12,31}", zone)
    assert created["HostedZone"]["Name"] == "example.com."
    assert created["HostedZone"]["ResourceRecordSetCount"] == 2
    assert created["ChangeInfo"]["Status"] in ("PENDING", "INSYNC")
    names = created["DelegationSet"]["NameServers"]
    assert len(set(names)) == 4 and not any(name.endswith(".") for name in names)

    batch = """{"Changes": [{"Action": "CREATE", "ResourceRecordSet": {
        "Name": "www.example.com", "Type": "A", "TTL": 60,
        "ResourceRecords": [{"Value": "192.0.2.1"}, {"Value": "192.0.2.2"}]}}]}"""
    changed = server.aws(
        "change-resource-record-sets", "--hosted-zone-id", zone, "--change-batch", batch
    )
    began = time.monotonic()
    server.aws("wait", "resource-record-sets-changed", "--id", changed["ChangeInfo"]["Id"])
    waited = time.monotonic() - began
    # The waiter's second look comes after 30 s; all of this is the client's own start.
    assert waited < 25, f"aws wait took {waited:.1f} s"

    listed = server.aws("list-resource-record-sets", "--hosted-zone-id", zone)
    assert [(s["Name"], s["Type"]) for s in listed["ResourceRecordSets"]] == [
        ("example.com.", "NS"),
        ("example.com.", "SOA"),
        ("www.example.com.", "A"),
    ]
    asked = set()
    for name in names:
        address = server.dig("+short", name, "A").strip()
        assert re.fullmatch(r"127\.0\.0\.[1-4]", address), f"{name} has the address {address!r}"
        asked.add(address)
        answer = server.dig("+short", "+norec", "www.example.com", "A", address=address)
        assert sorted(answer.split()) == ["192.0.2.1", "192.0.2.2"]
        assert " aa" in server.dig("+norec", "www.example.com", address=address)
    assert len(asked) == 4, "four listeners, one for each of the four names"

    server.aws(
        "change-resource-record-sets",
        "--hosted-zone-id",
        zone,
        "--change-batch",
        batch.replace("CREATE", "DELETE"),
    )
    server.aws("delete-hosted-zone", "--id", zone)
    assert zone not in str(server.aws("list-hosted-zones"))
    gone = eventually(lambda: server.rcode("www.example.com.") == "REFUSED")
    assert gone, "a deleted zone is still answered"


def default_ports_are_free():
    for port in (5300, 5380, 5390):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


@pytest.fixture
def default_server(tmp_path):
    """`meridian serve`, nothing else, in an empty folder."""
    if not default_ports_are_free():
        pytest.skip("ports 5300, 5380 or 5390 are in use: the defaults are NOT tested")
    server = Meridian(tmp_path, dns_port=5300, api="127.0.0.1:5380", metrics="127.0.0.1:5390")
    server.data = tmp_path / "meridian-data"
    server.command = lambda: [str(BIN), "serve"]
    with server:
        yield server


@pytest.mark.alone
def test_first_start_needs_no_options(default_server):
    server = default_server
    assert server.health("healthz") == 200
    mode = stat.S_IMODE((server.data / "credentials").stat().st_mode)
    assert mode == 0o600
    assert server.operator().secret not in server.log_tail(), "the secret is in the log"
    assert server.values("ns-1.meridian.internal.") == {"127.0.0.1"}
    assert server.admin("status")
    names = {each["name"].rstrip(".") for each in listed(server.admin("nameserver", "list"))}
    assert names == {f"ns-{n}.meridian.internal" for n in range(1, 5)}


@pytest.mark.alone
def test_session_of_the_readme(default_server):
    """Runs what stands in README.md between `<!-- session -->` and `<!-- /session -->`."""
    readme = REPO / "README.md"
    if not readme.exists():
        pytest.skip("there is no README.md: its session is NOT tested")
    match = re.search(
        r"<!-- session -->\s*```\w*\n(.*?)```\s*<!-- /session -->", readme.read_text(), re.DOTALL
    )
    assert match, "README.md has no ``` block between <!-- session --> and <!-- /session -->"
    environment = default_server.aws_environment()
    for name in list(environment):
        if name.startswith("AWS_") and name != "AWS_PAGER":
            del environment[name]
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", match[1]],
        cwd=default_server.folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert re.search(r"^(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+$", done.stdout, re.MULTILINE), (
        f"dig at the end of the session shows no address:\n{done.stdout}"
    )


def listed(answer):
    """A list that an admin command prints, bare or under one key."""
    return (
        answer
        if isinstance(answer, list)
        else next(v for v in answer.values() if isinstance(v, list))
    )


def test_accounts_and_keys_by_command(start):
    server = start()
    account = server.admin("account", "create", "tenant")
    assert re.fullmatch(r"\d{12}", account["id"]) and account["name"] == "tenant"
    assert "tenant" in str(server.admin("account", "list"))
    key = server.new_key("tenant")
    client = server.client(key)
    assert client.list_hosted_zones()["HostedZones"] == []
    assert key.id in str(server.admin("key", "list"))
    assert key.secret not in str(server.admin("key", "list"))

    server.admin("key", "deactivate", key.id)
    with pytest.raises(client.exceptions.ClientError, match="InvalidClientTokenId"):
        client.list_hosted_zones()
    server.admin("key", "delete", key.id)
    with pytest.raises(client.exceptions.ClientError, match="InvalidClientTokenId"):
        client.list_hosted_zones()


def test_sigterm_drains_and_a_restart_keeps_everything(start):
    server = start()
    client = server.client()
    client.create_hosted_zone(Name="kept.example", CallerReference=reference())
    before = client.list_hosted_zones()["HostedZones"]
    key = server.operator()
    os.kill(server.process.pid, signal.SIGTERM)
    assert server.process.wait(15) == 0
    assert server.admin("journal", "verify", as_json=False) is not None, "offline"
    server.start()
    assert server.operator().id == key.id
    assert server.client().list_hosted_zones()["HostedZones"] == before
    assert server.admin("journal", "verify", as_json=False) is not None, "through the socket"


def test_a_second_server_on_the_same_data_is_refused(start):
    server = start()
    second = subprocess.run(
        [
            str(BIN),
            "serve",
            "--data-dir",
            str(server.data),
            "--dns",
            f"127.0.0.1:{free_port()}",
            "--api",
            f"127.0.0.1:{free_port()}",
            "--metrics",
            f"127.0.0.1:{free_port()}",
        ],
        cwd=server.folder,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert second.returncode != 0 and second.stderr.strip()
    assert server.health("readyz") == 200


def test_unknown_configuration_keys_are_refused(tmp_path):
    config = tmp_path / "meridian.toml"
    config.write_text('no_such_key = "x"\n')
    done = subprocess.run(
        [str(BIN), "config", "check", "--config", str(config)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert done.returncode != 0
    assert "no_such_key" in done.stdout + done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completions(shell, tmp_path):
    done = subprocess.run(
        [str(BIN), "completions", shell], cwd=tmp_path, capture_output=True, text=True, timeout=20
    )
    assert done.returncode == 0 and "meridian" in done.stdout
    assert not list(tmp_path.iterdir()), "printing completions left files behind"


def test_silent_admin_clients_keep_nobody_out_and_do_not_hold_up_the_end(start):
    """More idle connections to the admin socket than it serves at a time."""
    server = start()
    idle = []
    for _ in range(20):
        idle.append(socket.socket(socket.AF_UNIX))
        idle[-1].connect(str(server.data / "admin.sock"))
    try:
        began = time.monotonic()
        # They are sent away after 10 s; then others get their turn.
        assert server.admin("status")["head"] >= 1
        assert time.monotonic() - began < 20
        for _ in range(20):
            idle.append(socket.socket(socket.AF_UNIX))
            idle[-1].connect(str(server.data / "admin.sock"))
        began = time.monotonic()
        assert server.stop() == 0
        # Before they would be sent away.
        assert time.monotonic() - began < 9
    finally:
        for each in idle:
            each.close()
