"""Programs that speak Route 53, run as their users run them: OctoDNS and certbot."""

import pathlib
import subprocess
import textwrap

import pytest

from acme import Authority
from harness import TEST_ENV, Zone, eventually

CLIENTS = pathlib.Path(TEST_ENV) / "clients/bin"


def run(meridian, folder, *command, check=True):
    done = subprocess.run(
        [str(CLIENTS / command[0]), *map(str, command[1:])],
        env=meridian.aws_environment(),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    output = done.stdout + done.stderr
    assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{output}"
    return output


# OctoDNS: zones as files, made true at the provider.

OCTODNS = """
providers:
  config: {class: octodns.provider.yaml.YamlProvider, directory: ./zones, enforce_order: false}
  route53:
    class: octodns_route53.Route53Provider
    access_key_id: %s
    secret_access_key: %s
zones:
  octo.example.: {sources: [config], targets: [route53]}
"""
RECORDS = """
'':
  - {type: MX, values: [{exchange: mail.octo.example., preference: 10}]}
  - {type: TXT, values: ['v=spf1 -all', 'semi\\; colon']}
  - {type: CAA, value: {flags: 0, tag: issue, value: ca.example}}
'*': {type: A, value: 192.0.2.9}
_sip._tcp: {type: SRV, value: {port: 5060, priority: 1, target: sip.octo.example., weight: 2}}
mail: {type: A, ttl: 60, values: [192.0.2.1, 192.0.2.2]}
v6: {type: AAAA, value: '2001:db8::1'}
www: {type: CNAME, value: mail.octo.example.}
"""


@pytest.fixture
def octodns(meridian, tmp_path):
    """Runs octodns on a folder; `records` are the zone."""
    key = meridian.operator()
    (tmp_path / "config.yaml").write_text(OCTODNS % (key.id, key.secret))
    (tmp_path / "zones").mkdir()

    def sync(records, *options):
        (tmp_path / "zones/octo.example.yaml").write_text(textwrap.dedent(records))
        return run(meridian, tmp_path, "octodns-sync", "--config-file=config.yaml", *options)

    return sync


def test_octodns_makes_a_zone_and_changes_it(octodns, meridian, route53):
    plan = octodns(RECORDS)
    assert "octo.example." in plan and "create" in plan.lower()
    assert "octo.example." not in str(route53.list_hosted_zones()), "a plan changes nothing"
    octodns(RECORDS, "--doit")
    assert eventually(lambda: meridian.values("mail.octo.example.") == {"192.0.2.1", "192.0.2.2"})
    assert meridian.values("anything.octo.example.") == {"192.0.2.9"}
    assert meridian.values("octo.example.", "TXT") == {'"v=spf1 -all"', '"semi; colon"'}
    again = octodns(RECORDS, "--doit")
    assert "No changes were planned" in again, again
    changed = RECORDS.replace("192.0.2.9", "192.0.2.10").replace("v6:", "six:")
    octodns(changed, "--doit")
    assert eventually(lambda: meridian.values("anything.octo.example.") == {"192.0.2.10"})
    assert meridian.rcode("six.octo.example.", "AAAA") == "NOERROR"
    assert "No changes were planned" in octodns(changed, "--doit")


# certbot: a certificate by a TXT record.


def certbot(meridian, folder, authority, *names, check=True):
    directories = [f"--{name}-dir={folder / name}" for name in ("config", "work", "logs")]
    options = [
        "--non-interactive",
        "--agree-tos",
        "--register-unsafely-without-email",
        "--dns-route53",
        f"--server={authority.url}",
        *(f"--domain={name}" for name in names),
    ]
    return run(meridian, folder, "certbot", "certonly", *directories, *options, check=check)


@pytest.mark.parametrize("name", ["www.certbot.example", "*.sub.certbot.example"])
def test_certbot_gets_a_certificate(meridian, route53, tmp_path, name):
    zone = Zone(route53, "certbot.example")
    inner = Zone(route53, "sub.certbot.example")

    def look_up(owner):
        return {text.strip('"') for text in meridian.values(owner, "TXT")}

    with Authority(look_up) as authority:
        certbot(meridian, tmp_path, authority, name)
    assert authority.valid and authority.asked
    lineage = tmp_path / "config/live" / name.removeprefix("*.")
    assert "BEGIN CERTIFICATE" in (lineage / "fullchain.pem").read_text()
    # The record is gone again.
    for each in (zone, inner):
        assert each.sets(own=True) == []
        route53.delete_hosted_zone(Id=each.id)


def test_certbot_without_the_zone_says_so(meridian, tmp_path):
    with Authority(lambda _: set()) as authority:
        said = certbot(meridian, tmp_path, authority, "www.nobodys.test", check=False)
    assert "Unable to find a Route53 hosted zone" in said
