"""The unit file that comes with it: systemd accepts it, and what it allows is enough."""

import configparser
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from harness import BIN, Meridian, Zone, adopt_successors, create, eventually

UNIT = Path(__file__).parents[2] / "systemd" / "meridian.service"
NOBODY = 65534


def service():
    """The settings of the section that says how it runs."""
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str
    unit.read(UNIT)
    return unit["Service"]


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_systemd_accepts_the_unit(tmp_path):
    # It looks for the program, which is not installed here.
    unit = tmp_path / "meridian.service"
    unit.write_text(UNIT.read_text().replace("/usr/local/bin/meridian", str(BIN)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=30
    )
    assert (done.returncode, done.stderr) == (0, "")


class AsTheUnitSays(Meridian):
    """A server of a user without rights, but for the one that the unit gives."""

    def command(self):
        said = service()["ExecStart"].split()
        places = {
            "/usr/local/bin/meridian": BIN,
            "/etc/meridian.toml": self.folder / "meridian.toml",
            "/var/lib/meridian": self.data,
        }
        right = service()["AmbientCapabilities"].removeprefix("CAP_").lower()
        return [
            *("setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups"),
            *("--no-new-privs", "--bounding-set", f"-all,+{right}"),
            *("--inh-caps", f"-all,+{right}", "--ambient-caps", f"-all,+{right}"),
            *[str(places.get(word, word)) for word in said],
        ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_the_rights_of_the_unit_suffice_for_port_53():
    adopt_successors()
    folder = Path(tempfile.mkdtemp())
    try:
        # Others than root cannot enter pytest's folders.
        folder.chmod(0o755)
        server = AsTheUnitSays(folder / "meridian", ["127.5.3.53"], dns_port=53)
        server.data.mkdir(mode=0o700)
        os.chown(server.data, NOBODY, NOBODY)
        (server.folder / "meridian.toml").write_text(
            f"""
            dns.listen = ["127.5.3.53:53"]
            api.listen = "{server.api}"
            metrics.listen = "{server.metrics}"
            """
        )
        with server:
            Zone(server.client(), "unit.example").change(create("a.unit.example", "A", "192.0.2.1"))
            assert eventually(lambda: server.values("a.unit.example") == {"192.0.2.1"})
            # What systemctl reload runs.
            words = service()["ExecReload"].split()[1:]
            assert words == ["replace", "--data-dir", "/var/lib/meridian"]
            server.replace()
            assert server.values("a.unit.example") == {"192.0.2.1"}
            assert os.stat(f"/proc/{server.process.pid}").st_uid == NOBODY
    finally:
        shutil.rmtree(folder)
