"""The tools that operators have: kdig asks, dnsperf counts."""

import re
import subprocess

import pytest

from harness import Zone, create

HOSTS = 50


@pytest.fixture(scope="module")
def site(route53):
    """A zone with something for every kind of answer."""
    zone = Zone(route53, "tools.example.")
    zone.change(
        *(create(f"host{n}.tools.example.", "A", f"192.0.2.{n}") for n in range(HOSTS)),
        create("alias.tools.example.", "CNAME", "host1.tools.example."),
        create("*.wild.tools.example.", "TXT", '"wild"'),
        create("child.tools.example.", "NS", "ns.child.tools.example."),
        create("ns.child.tools.example.", "A", "192.0.2.53"),
        create("big.tools.example.", "A", *(f"10.0.0.{n}" for n in range(200))),
    )
    return zone


def kdig(server, *arguments):
    """What kdig prints of a reply, and that nothing was wrong with it."""
    command = ["kdig", f"@{server.addresses[0]}", "-p", str(server.dns_port), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    warnings = [line for line in (done.stdout + done.stderr).splitlines() if "WARNING" in line]
    assert all("retrying over TCP" in line for line in warnings), warnings
    return done.stdout


@pytest.mark.usefixtures("site")
class TestKdig:
    @pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
    def test_asks(self, meridian, transport):
        printed = kdig(meridian, transport, "alias.tools.example", "A")
        assert "status: NOERROR" in printed and "Flags: qr aa rd;" in printed
        values = re.findall(r"^(\S+)\s+300\s+IN\s+(\S+)\s+(\S+)$", printed, re.MULTILINE)
        assert values == [
            ("alias.tools.example.", "CNAME", "host1.tools.example."),
            ("host1.tools.example.", "A", "192.0.2.1"),
        ]
        assert ("(TCP)" if transport == "+tcp" else "(UDP)") in printed

    def test_edns(self, meridian):
        printed = kdig(meridian, "+edns=0", "+bufsize=4096", "host1.tools.example", "A")
        assert "EDNS PSEUDOSECTION" in printed and "Version: 0" in printed
        assert "UDP size: 1232 B" in printed and "ext-rcode: NOERROR" in printed
        assert "EDNS PSEUDOSECTION" not in kdig(meridian, "+noedns", "host1.tools.example", "A")

    def test_another_version_of_edns(self, meridian):
        assert "ext-rcode: BADVERS" in kdig(meridian, "+edns=1", "host1.tools.example", "A")

    def test_goes_on_over_tcp_when_truncated(self, meridian):
        values = kdig(meridian, "+short", "big.tools.example", "A").split()
        assert len(values) == 200
        truncated = kdig(meridian, "+ignore", "big.tools.example", "A")
        assert "Flags: qr aa tc rd;" in truncated and "10.0.0." not in truncated

    def test_client_subnet(self, meridian):
        printed = kdig(meridian, "+subnet=198.51.100.0/24", "host1.tools.example", "A")
        assert "CLIENT-SUBNET: 198.51.100.0/24/0" in printed

    def test_referral_and_no_name(self, meridian):
        printed = kdig(meridian, "www.child.tools.example", "A")
        assert "Flags: qr rd;" in printed and "192.0.2.53" in printed
        assert "status: NXDOMAIN" in kdig(meridian, "nothing.tools.example", "A")
        assert "status: REFUSED" in kdig(meridian, "elsewhere.example.org", "A")


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("mode", ["udp", "tcp"])
def test_dnsperf_loses_nothing_and_sees_the_right_codes(meridian, tmp_path, mode):
    kinds = {
        "NOERROR": [f"host{n}.tools.example A" for n in range(HOSTS)]
        + ["alias.tools.example A", "x.wild.tools.example TXT", "www.child.tools.example A"],
        "NXDOMAIN": [f"nothing{n}.tools.example A" for n in range(HOSTS)],
        "REFUSED": ["www.elsewhere.example.org A"],
    }
    rounds = 20 if mode == "udp" else 5
    lines = [line for queries in kinds.values() for line in queries]
    queries = tmp_path / "queries"
    queries.write_text("\n".join(lines) + "\n")
    command = ["dnsperf", "-s", meridian.addresses[0], "-p", str(meridian.dns_port), "-m", mode]
    # At most 50 outstanding: the point is that each is answered, not how fast.
    command += ["-d", queries, "-n", str(rounds), "-q", "50", "-c", "5", "-t", "5"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60)
    printed = done.stdout + done.stderr
    assert done.returncode == 0, printed
    total = rounds * len(lines)
    assert re.search(rf"Queries sent: +{total}$", printed, re.MULTILINE), printed
    assert re.search(rf"Queries completed: +{total} \(100\.00%\)$", printed, re.MULTILINE), printed
    assert re.search(r"Queries lost: +0 \(0\.00%\)$", printed, re.MULTILINE), printed
    codes = re.search(r"Response codes: +(.*)$", printed, re.MULTILINE)[1]
    counted = {code: int(n) for code, n in re.findall(r"(\w+) (\d+) \(", codes)}
    assert counted == {code: rounds * len(queries) for code, queries in kinds.items()}
