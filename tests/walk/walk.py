#!/usr/bin/env python3
"""The walk: what happens between typing a name and seeing a page, with nothing in it made up.

Root, top-level domain and site are zones of one meridian, on port 53 of addresses of their own. A
real resolver (unbound), which knows our root and nothing else, finds the site's address; a real
cache and a real web server (nginx) give the page; curl asks for it by name. The nine steps are
printed from the logs of those programs.

Runs in network and mount namespaces of its own, so that ports, addresses and /etc/resolv.conf of
the machine stay as they are. `./test` prepares the programs; then:

    .test-env/venv/bin/python tests/walk/walk.py
"""

import argparse
import contextlib
import ctypes
import fcntl
import json
import os
import pathlib
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

from harness import (  # noqa: E402
    BIN,
    POOL_ZONE,
    Meridian,
    Zone,
    create,
    eventually,
    rrset,
    upsert,
)

HOST, TLD, SITE = "www.site.test.", "test.", "site.test."
RESOLVER, EDGE, ORIGIN = "127.0.0.10", "127.0.0.80", "127.0.0.81"
# Root, top-level domain and site shall have servers of their own, or there would be no referrals to
# see: a server that has the site's zone answers at once. So the pool has twelve names, and the site
# is another account's, which never shares a server with those above it.
NAME_SERVERS = [f"127.0.0.{n}" for n in range(11, 23)]
PAGE = "<h1>It works</h1>\n"
# The exit status that test harnesses take for "skipped".
SKIPPED = 77


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--json", metavar="FILE", help="also write the evidence to FILE")
    options.add_argument("--inside", choices=["namespace", "machine"], help=argparse.SUPPRESS)
    options = options.parse_args()
    if options.inside is None:
        enter_namespace()
    missing = [p for p in ("unbound", "nginx", "curl") if not shutil.which(p)]
    if missing or not BIN.exists():
        sys.exit(f"walk: missing: {', '.join(missing) or BIN}; ./test gets them")
    private = options.inside == "namespace"
    if private:
        raise_loopback()
    with (
        tempfile.TemporaryDirectory(prefix="meridian-walk-") as folder,
        contextlib.ExitStack() as stack,
    ):
        evidence = walk(pathlib.Path(folder), stack, private)
    if options.json:
        pathlib.Path(options.json).write_text(json.dumps(evidence, indent=1))


def enter_namespace():
    """Starts this script again where port 53 and /etc/resolv.conf are its own."""
    unshare = ["unshare", "--net", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    again = [sys.executable, *sys.argv]
    works = subprocess.run([*unshare, "true"], capture_output=True).returncode == 0
    if works:
        os.execvp("unshare", [*unshare, *again, "--inside", "namespace"])
    if os.geteuid() == 0:
        os.execv(sys.executable, [*again, "--inside", "machine"])
    print("walk: NOT RUN: needs root, or a system that lets users make namespaces", file=sys.stderr)
    sys.exit(SKIPPED)


def raise_loopback():
    """`ip link set lo up`, where there is no ip."""
    up, set_flags = 0x1, 0x8914
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, set_flags, struct.pack("16sh", b"lo", up))


def walk(folder, stack, private):
    server = stack.enter_context(Meridian(folder / "meridian", addresses=NAME_SERVERS, dns_port=53))
    zones, hints = make_zones(server)
    resolver_log = start_resolver(folder, stack, hints)
    origin_log = start_web(folder, stack)
    if private:
        use_resolver(folder)

    show("Before: three zones of one meridian, each with four name servers.")
    for zone in zones.values():
        detail(f"{zone['name']:12} {', '.join(zone['addresses'])}   owner: {zone['owner']}")

    seen = resolver_log.stat().st_size
    first = fetch(private)
    log = resolver_log.read_bytes()[seen:].decode()
    path = follow(log)
    asked_origin = origin_log.read_text().count("GET / ")
    tell(log, path, first, asked_origin)

    seen = resolver_log.stat().st_size
    second = fetch(private)
    path_of_second = follow(resolver_log.read_bytes()[seen:].decode())
    asked_origin_after = origin_log.read_text().count("GET / ")
    show("Again: the resolver and the edge remember.")
    detail(
        f"curl: {second['status']}, X-Cache: {second['cache']}; name servers asked: "
        f"{len(path_of_second)}; the origin was asked {asked_origin_after - asked_origin} times"
    )
    return {
        "zones": zones,
        "resolver_asked": path,
        "resolver_asked_again": path_of_second,
        "first": first,
        "second": second,
        "origin_requests": [asked_origin, asked_origin_after],
        "by_name": private,
    }


def make_zones(server):
    """Root, TLD and site by the API; returns them and the root hints for a resolver."""
    pool = server.spread_pool()
    operator = server.client()
    customer = server.client(server.new_account("customer"))
    root, tld, site = Zone(operator, "."), Zone(operator, TLD), Zone(customer, SITE)

    # One account's zones may share servers. Those that have both root and TLD are left out of the
    # root's own list, as they would answer for both at once.
    roots = [name for name in root.name_servers if name not in tld.name_servers]
    assert roots, f"root and {TLD} have the same four name servers"
    ours = operator.list_hosted_zones_by_name(DNSName=POOL_ZONE, MaxItems="1")["HostedZones"][0]
    ours = operator.get_hosted_zone(Id=ours["Id"])["DelegationSet"]["NameServers"]
    root.change(
        upsert(".", "NS", *dotted(roots)),
        create(TLD, "NS", *dotted(tld.name_servers)),
        create(POOL_ZONE, "NS", *dotted(ours)),
        # Glue: below a delegation, so only ever seen beside a referral.
        *(create(f"{name}.", "A", address) for name, address in pool.items()),
    )
    tld.change(create(SITE, "NS", *dotted(site.name_servers)))
    site.change({"Action": "CREATE", "ResourceRecordSet": rrset(HOST, "A", EDGE, ttl=60)})

    def described(zone, names, owner):
        return {"name": zone.name, "addresses": sorted(pool[n] for n in names), "owner": owner}

    zones = {
        "root": described(root, roots, "operator"),
        "tld": described(tld, tld.name_servers, "operator"),
        "site": described(site, site.name_servers, "customer"),
    }
    hints = "".join(f". 3600000 NS {n}.\n{n}. 3600000 A {pool[n]}\n" for n in roots)
    return zones, hints


def dotted(names):
    return [f"{name}." for name in names]


def start_resolver(folder, stack, hints):
    """unbound with our root hints, otherwise as it comes; returns its log."""
    (folder / "root.hints").write_text(hints)
    log = folder / "unbound.log"
    (folder / "unbound.conf").write_text(f"""
server:
    interface: {RESOLVER}@53
    access-control: 127.0.0.0/8 allow
    root-hints: "{folder}/root.hints"
    # Our zones are not signed.
    module-config: "iterator"
    # Our name servers are on this machine, and these names are ours here.
    do-not-query-localhost: no
    local-zone: "test." nodefault
    local-zone: "internal." nodefault
    directory: "{folder}"
    logfile: "{log}"
    log-queries: yes
    verbosity: 4
    use-syslog: no
    chroot: ""
    username: ""
    pidfile: ""
    do-daemonize: no
    num-threads: 1
    do-ip6: no
remote-control:
    control-enable: no
""")
    run(stack, folder, ["unbound", "-d", "-c", folder / "unbound.conf"])
    ready = eventually(lambda: log.exists() and "start of service" in log.read_text(), 10)
    assert ready, f"unbound did not start: {tail(folder)}"
    return log


def start_web(folder, stack):
    """nginx as the site's server, and nginx as the cache in front of it; returns the former's log."""
    pages = folder / "pages"
    pages.mkdir()
    (pages / "index.html").write_text(PAGE)
    for name, address, server in (
        ("origin", ORIGIN, f"root {pages};"),
        (
            "edge",
            EDGE,
            f"""location / {{
                proxy_pass http://{ORIGIN};
                proxy_set_header Host $host;
                proxy_cache pages;
                proxy_cache_valid 200 1m;
                add_header X-Cache $upstream_cache_status;
            }}""",
        ),
    ):
        home = folder / name
        home.mkdir()
        temporary = "\n".join(
            f"    {kind}_temp_path {home}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (home / "nginx.conf").write_text(f"""
daemon off;
# One process, which stays who it is: the only user there is in a user's namespace.
master_process off;
user root;
pid {home}/pid;
error_log {home}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {home}/access.log;
{temporary}
    proxy_cache_path {home}/cache keys_zone=pages:1m;
    server {{
        listen {address}:80;
        server_name {HOST.rstrip(".")};
        {server}
    }}
}}
""")
        run(
            stack,
            folder,
            ["nginx", "-e", home / "error.log", "-p", home, "-c", home / "nginx.conf"],
        )
        assert eventually(lambda address=address: listens(address)), (
            f"nginx ({name}) did not start: {tail(folder)}"
        )
    return folder / "origin" / "access.log"


def listens(address):
    with socket.socket() as probe:
        return probe.connect_ex((address, 80)) == 0


def run(stack, folder, command):
    """Starts a program and stops it, by its process id, at the end."""
    with open(folder / "programs.log", "ab") as output:
        process = subprocess.Popen(
            [str(part) for part in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )

    def stop():
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    stack.callback(stop)


def tail(folder):
    return (folder / "programs.log").read_text(errors="replace")[-2000:]


def use_resolver(folder):
    """Makes unbound this namespace's resolver: a file of ours over /etc/resolv.conf."""
    ours = folder / "resolv.conf"
    ours.write_text(f"nameserver {RESOLVER}\n")
    # The link, if it is one, may lead to where nothing is.
    real = os.path.realpath("/etc/resolv.conf")
    bind = 4096
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(str(ours).encode(), real.encode(), None, bind, None) != 0:
        raise OSError(ctypes.get_errno(), "could not put our resolv.conf in place", real)


def fetch(private):
    """curl, as a browser: the name goes through the system's resolver, to unbound."""
    name = HOST.rstrip(".")
    command = [
        "curl",
        "--silent",
        "--show-error",
        "--noproxy",
        "*",
        "--max-time",
        "20",
        "--include",
    ]
    if not private:
        # Without a namespace the machine's resolv.conf is not ours to change: dig stands in for the
        # system's resolver.
        found = subprocess.run(
            ["dig", f"@{RESOLVER}", "+short", name, "A"], capture_output=True, text=True, timeout=20
        ).stdout.split()
        command += ["--resolve", f"{name}:80:{found[0] if found else 'not-found'}"]
    done = subprocess.run(
        [*command, "--write-out", "%{remote_ip}", f"http://{name}/"],
        capture_output=True,
        text=True,
        timeout=30,
    )
    head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
    cache = re.search(r"^X-Cache: (\w+)", head, re.MULTILINE | re.IGNORECASE)
    return {
        "exit": done.returncode,
        "error": done.stderr.strip(),
        "status": head.splitlines()[0] if head else "",
        "cache": cache[1] if cache else None,
        "address": body[len(PAGE) :],
        "page": body[: len(PAGE)],
    }


def follow(log):
    """Whom the resolver asked and what came back, from its log.

    `sought` is what the resolver wants to know, `question` what it asked: QNAME minimisation
    (RFC 9156) shows each server no more of a name than it needs.
    """
    path, open_questions = [], []
    question = sought = reply = None
    for line in log.splitlines():
        if found := re.search(r"sending query: (\S+ \S+) IN", line):
            question = found[1]
        elif found := re.search(r"sending to target: <\S+> ([0-9.]+)#53", line):
            open_questions.append((found[1], question))
        elif found := re.search(r"response for (\S+ \S+) IN", line):
            sought = found[1]
        elif found := re.search(r"reply from <(\S+)> ([0-9.]+)#53", line):
            reply = {"zone": found[1], "server": found[2], "sought": sought}
        elif (found := re.search(r"query response was (.+)", line)) and reply:
            asked = next(
                (q for q in open_questions if q[0] == reply["server"] and leads(q[1], sought)), None
            )
            if asked:
                open_questions.remove(asked)
            path.append({**reply, "question": asked and asked[1], "answer": found[1].strip()})
            reply = None
    return path


def leads(question, sought):
    """Whether a question is one on the way to what is sought."""
    return f".{sought.split()[0]}".endswith("." + question.split()[0].lstrip("."))


def tell(log, path, first, asked_origin):
    """The nine steps."""

    def step(zone, answer):
        return next(
            (
                s
                for s in path
                if (s["zone"], s["answer"]) == (zone, answer) and s["sought"] == f"{HOST} A"
            ),
            None,
        )

    asked = re.search(r"info: ([0-9.]+) (www\.site\.test\. A IN)", log)
    show("1. The browser asks the system's resolver for the address of a name")
    detail(f"unbound at {RESOLVER}: asked by {asked[1]}: {asked[2]}" if asked else "NOT SEEN")
    for number, who, seen, back in (
        (2, "a root server", step(".", "REFERRAL"), f"The root refers to the servers of {TLD}"),
        (4, f"a server of {TLD}", step(TLD, "REFERRAL"), f"{TLD} refers to the servers of {SITE}"),
        (6, f"a server of {SITE}", step(SITE, "ANSWER"), f"It answers with the address of {HOST}"),
    ):
        show(f"{number}. The resolver asks {who}")
        detail(f"to {seen['server']}: {seen['question']}" if seen else "NOT SEEN")
        show(f"{number + 1}. {back}")
        detail(f"from {seen['server']}: {seen['answer']}" if seen else "NOT SEEN")
    show("8. The browser asks the edge at that address; the edge asks the origin")
    detail(
        f"curl to {first['address']}: X-Cache: {first['cache']}; origin asked {asked_origin} times"
    )
    show("9. The page")
    detail(f"{first['status']}: {first['page'].strip()} {first['error']}")


def show(text):
    print(f"\n{text}", flush=True)


def detail(text):
    print(f"     {text}", flush=True)


if __name__ == "__main__":
    main()
