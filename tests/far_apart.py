"""Machines that are milliseconds apart: network namespaces, and between them a router that takes its
time. Unlike relays it passes packets on, so that the kernels at both ends see the delay.

Needs no root where users may make namespaces of their own.
"""

import contextlib
import ctypes
import fcntl
import heapq
import itertools
import json
import os
import pathlib
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time

NEW_USER, NEW_NET = 0x10000000, 0x40000000
# From linux/if_tun.h: a device of packets without a header of its own.
SET_INTERFACE, PACKETS, NO_HEADER = 0x400454CA, 0x0001, 0x1000


class Machines(dict):
    """Machines by name, and the ways between them, which may change."""

    def __init__(self, router, addresses):
        self.router = router
        pids = json.loads(router.stdout.readline())
        super().__init__((name, Machine(pids[name], at)) for name, at in addresses.items())

    def takes(self, one, other, ms):
        """From now on a round trip between these two takes so long."""
        self.tell({"way": [self[one].address, self[other].address, ms]})

    def jitters(self, share):
        """From now on each packet takes up to this share more or less than its way does."""
        self.tell({"jitter": share})

    def tell(self, change):
        self.router.stdin.write(json.dumps(change) + "\n")
        self.router.stdin.flush()
        # It goes by it when it says so.
        assert self.router.stdout.readline() == "\n"


class Machine:
    """A network namespace with one address."""

    def __init__(self, pid, address):
        self.pid, self.address = pid, address
        namespaces = [f"--net=/proc/{pid}/ns/net"]
        if os.getuid() != 0:
            namespaces += [f"--user=/proc/{pid}/ns/user", "--preserve-credentials"]
        self.prefix = ["nsenter", *namespaces, "--"]

    def run(self, *command, **how):
        """What a command prints that runs there."""
        command = [*self.prefix, *map(str, command)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, **how)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout


@contextlib.contextmanager
def machines(addresses, delays_ms):
    """Machines by name; `delays_ms` has a round trip for each pair."""
    router = subprocess.Popen(
        [sys.executable, __file__, json.dumps(addresses)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )
    try:
        far = Machines(router, addresses)
        for (one, other), ms in delays_ms.items():
            far.takes(one, other, ms)
        yield far
    finally:
        # Its machines end with it.
        router.stdin.close()
        router.wait(10)
        router.stdout.close()


# What follows runs in the router's process.


def enter_new(flags):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "a namespace cannot be made")


def become_root():
    """Makes a user who is not root that of a namespace of its own."""
    user, group = os.getuid(), os.getgid()
    if user == 0:
        return
    enter_new(NEW_USER)
    pathlib.Path("/proc/self/setgroups").write_text("deny")
    pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1")
    pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def machine(address, ours):
    """A child that is nothing but a network namespace; its device goes to the router."""
    pid = os.fork()
    if pid:
        return pid
    # PR_SET_PDEATHSIG: not to outlive the router.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    enter_new(NEW_NET)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, SET_INTERFACE, struct.pack("16sH", b"far0", PACKETS | NO_HEADER))
    for command in (
        "link set lo up",
        f"address add {address}/32 dev far0",
        "link set far0 up",
        "route add default dev far0",
    ):
        subprocess.run(["ip", *command.split()], check=True)
    socket.send_fds(ours, [b"x"], [device])
    signal.pause()


class Ways:
    """When packets arrive, as it is told line by line on standard input."""

    def __init__(self):
        self.pauses_s, self.jitter, self.last = {}, 0, {}

    def hear(self):
        """Takes what was told; false when nobody will tell anything any more."""
        line = sys.stdin.readline()
        if not line:
            return False
        change = json.loads(line)
        if "way" in change:
            one, other, ms = change["way"]
            ends = frozenset((socket.inet_aton(one), socket.inet_aton(other)))
            self.pauses_s[ends] = ms / 2000
        self.jitter = change.get("jitter", self.jitter)
        print(flush=True)
        return True

    def arrival(self, one, other):
        """That of a packet which goes now; none overtakes another."""
        pause = self.pauses_s.get(frozenset((one, other)), 0)
        at = time.monotonic() + pause * (1 + random.uniform(-self.jitter, self.jitter))
        self.last[one, other] = max(at, self.last.get((one, other), 0))
        return self.last[one, other]


def route(devices):
    """Passes packets on until standard input ends."""
    waiting, count, ways = [], itertools.count(), Ways()
    poll = select.poll()
    for each in (0, *devices.values()):
        poll.register(each, select.POLLIN | select.POLLHUP)
    addresses = {device: address for address, device in devices.items()}
    while True:
        rest = waiting[0][0] - time.monotonic() if waiting else 1
        for ready, _ in poll.poll(max(0, rest * 1000)):
            if ready == 0:
                if not ways.hear():
                    return
                continue
            with contextlib.suppress(BlockingIOError):
                # Until there is none left.
                while packet := os.read(ready, 65536):
                    to = packet[16:20]
                    if packet[0] >> 4 == 4 and to in devices:
                        at = ways.arrival(addresses[ready], to)
                        heapq.heappush(waiting, (at, next(count), to, packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, to, packet = heapq.heappop(waiting)
            with contextlib.suppress(OSError):
                os.write(devices[to], packet)


def main(named):
    become_root()
    pids, devices = {}, {}
    for name, address in named.items():
        ours, theirs = socket.socketpair()
        pids[name] = machine(address, theirs)
        _, fds, _, _ = socket.recv_fds(ours, 1, 1)
        devices[socket.inet_aton(address)] = fds[0]
    print(json.dumps(pids), flush=True)
    route(devices)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
