"""Listening on 0.0.0.0 and [::]: each address answers for itself, from itself."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from harness import Zone, create, eventually

# All of 127.0.0.0/8 is this machine's.
ADDRESSES = [f"127.0.0.{n}" for n in range(11, 15)]


def test_each_address_shows_its_zones_as_the_pool_says(start):
    server = start(addresses=["0.0.0.0"])
    # The first pool is on loopback, where one can try it.
    assert server.rcode("meridian.internal.", "SOA", address="127.0.0.1") == "NOERROR"
    zone = Zone(server.client(), "everywhere.example.")
    zone.change(create("www.everywhere.example.", "A", "192.0.2.1"))

    def rcodes(address):
        # dnspython takes a reply from the address asked only.
        name = "www.everywhere.example."
        return [server.rcode(name, address=address, tcp=tcp) for tcp in (False, True)]

    def shown(address):
        return rcodes(address) == ["NOERROR"] * 2

    def refused(address):
        return rcodes(address) == ["REFUSED"] * 2

    assert shown("127.0.0.1")
    assert all(refused(address) for address in ADDRESSES)
    for number, address in enumerate(ADDRESSES, 1):
        name = f"ns-{number}.meridian.internal"
        server.admin("nameserver", "set", name, "--address", address)
    assert eventually(lambda: refused("127.0.0.1") and all(map(shown, ADDRESSES)))
    for address in ADDRESSES:
        assert "status: NOERROR" in server.dig("www.everywhere.example", address=address)
    assert refused("127.0.0.15")
    server.kill()
    server.start()
    assert shown(ADDRESSES[0]) and refused("127.0.0.1")


def in_a_network_of_its_own(folder):
    """Runs this file as a program where addresses can be added at will."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("needs unshare and ip")
    unshare = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*unshare, "true"], capture_output=True).returncode != 0:
        pytest.skip("a network namespace is not permitted here")
    tests = str(pathlib.Path(__file__).resolve().parent.parent)
    return subprocess.run(
        [*unshare, sys.executable, __file__, str(folder)],
        env=os.environ | {"PYTHONPATH": tests},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_ipv6_addresses_answer_for_themselves(tmp_path):
    done = in_a_network_of_its_own(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def main(folder):
    from harness import Meridian

    own = [f"2001:db8::{n}" for n in range(1, 4)]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in own:
        subprocess.run(
            ["ip", "-6", "addr", "add", f"{address}/128", "dev", "lo", "nodad"], check=True
        )
    with Meridian(folder, addresses=["[::]", "0.0.0.0"], dns_port=5353) as server:
        zone = Zone(server.client(), "six.example.")
        zone.change(create("www.six.example.", "A", "192.0.2.6"))
        name = "www.six.example."
        for address in ("::1", "127.0.0.1"):
            assert server.values(name, address=address) == {"192.0.2.6"}
        for number in range(1, 5):
            at = [argument for each in own[:2] for argument in ("--address", each)]
            server.admin("nameserver", "set", f"ns-{number}.meridian.internal", *at)
        # The last name to move was at the second of these.
        for address in ("::1", "127.0.0.1"):
            assert eventually(lambda a=address: server.rcode(name, address=a) == "REFUSED")
        for tcp in (False, True):
            for address in own[:2]:
                assert server.values(name, address=address, tcp=tcp) == {"192.0.2.6"}
            assert server.rcode(name, address=own[2], tcp=tcp) == "REFUSED"
            assert server.rcode(name, address="127.0.0.1", tcp=tcp) == "REFUSED"
        assert server.stop() == 0


if __name__ == "__main__":
    main(sys.argv[1])
