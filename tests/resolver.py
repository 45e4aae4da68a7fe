"""unbound, a real resolver, which asks one server for the names of one zone."""

import subprocess

from harness import eventually, free_port


class Unbound:
    """It runs from here on until `stop`. `lines` are more of its section `server`; `machine` is one
    of tests/far_apart.py, if it is not to run on this one, where it is for everybody.
    """

    def __init__(self, folder, server, apex, modules="iterator", lines="", machine=None):
        self.port = free_port()
        prefix, address = (machine.prefix, machine.address) if machine else ([], "127.0.0.1")
        clients = "0.0.0.0/0" if machine else "127.0.0.0/8"
        config, self.log = folder / "unbound.conf", folder / "unbound.log"
        config.write_text(f"""
server:
    interface: {address}@{self.port}
    access-control: {clients} allow
    module-config: "{modules}"
    do-not-query-localhost: no
    do-ip6: no
    local-zone: "example." nodefault
    directory: "{folder}"
    logfile: "{self.log}"
    use-syslog: no
    chroot: ""
    username: ""
    pidfile: ""
    do-daemonize: no
    num-threads: 1
{lines}
stub-zone:
    name: "{apex}"
    stub-addr: {server.addresses[0]}@{server.dns_port}
remote-control:
    control-enable: no
""")
        self.process = subprocess.Popen([*prefix, "unbound", "-d", "-c", config], cwd=folder)
        started = eventually(
            lambda: self.log.exists() and "start of service" in self.log.read_text(), 10
        )
        assert started, self.log.read_text() if self.log.exists() else "unbound wrote nothing"

    def stop(self):
        self.process.kill()
        self.process.wait()
