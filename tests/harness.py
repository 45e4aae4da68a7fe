"""A running meridian and the clients that judge it: boto3, aws cli, dnspython, dig.

Nothing here knows how the server works; it is started, asked and stopped as its users would.
"""

import configparser
import ctypes
import itertools
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import boto3
import botocore.config
import botocore.exceptions
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype

import model

REPO = pathlib.Path(__file__).resolve().parent.parent
BIN = pathlib.Path(os.environ.get("MERIDIAN_BIN", REPO / "target/release/meridian"))
# The programs that ./test unpacked, for those who run a test without it.
TEST_ENV = os.environ.get("MERIDIAN_TEST_ENV", REPO / ".test-env")
os.environ["PATH"] += f":/usr/sbin:/sbin:{TEST_ENV}/bin"
LONG = os.environ.get("MERIDIAN_TEST_LONG", "0") not in ("", "0")

# The zone in which the default pool's names live.
POOL_ZONE = "meridian.internal."
POOL_START = [f"ns-{n}.meridian.internal" for n in range(1, 5)]


# What the clients of all tests have got from the API.
SEEN = model.Record()

# Ports that were given out: whoever has one may not have bound it yet.
GIVEN_PORTS = set()
# Processes that run tests beside each other give out ports that are none of the others'.
PORTS_EVERY = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
FIRST_PORT = 10_000 + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


def free_port(addresses=("127.0.0.1",)):
    """A port that is free for UDP and TCP on all the addresses, below those the kernel hands out.

    Another one each time.
    """
    for _ in range(200):
        port = random.randrange(FIRST_PORT, 32_000, PORTS_EVERY)
        if port in GIVEN_PORTS:
            continue
        sockets = []
        try:
            for address in addresses:
                for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                    sockets.append(socket.socket(socket.AF_INET, kind))
                    sockets[-1].bind((address, port))
            GIVEN_PORTS.add(port)
            return port
        except OSError:
            continue
        finally:
            for each in sockets:
                each.close()
    raise RuntimeError("no free port")


def eventually(check, timeout=15.0, pause=0.01):
    """Calls `check` until it returns something true; returns that, or the last result.

    The time is for machines with slow disks and much else to do: it says nothing of how soon
    something must happen. A test of that measures it, and runs alone.
    """
    end = time.monotonic() + timeout
    while True:
        result = check()
        if result or time.monotonic() > end:
            return result
        time.sleep(pause)


class Adopted:
    """A process that is ours because its parent has ended; as much of Popen as is needed."""

    def __init__(self, pid):
        self.pid, self.status = pid, None

    def poll(self):
        if self.status is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # Its parent has not ended yet.
                return None
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
        return self.status

    def wait(self, timeout=15.0):
        assert eventually(lambda: self.poll() is not None, timeout), f"{self.pid} does not end"
        return self.status

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def adopt_successors():
    """Makes what replaces a server a child of this process once the server has ended."""
    pr_set_child_subreaper = 36
    ctypes.CDLL(None).prctl(pr_set_child_subreaper, 1, 0, 0, 0)


class Key:
    """An access key."""

    def __init__(self, access_key_id, secret_access_key, account=None):
        self.id, self.secret, self.account = access_key_id, secret_access_key, account


class Meridian:
    """One server in a folder of its own, on ports of its own that stay the same over restarts."""

    def __init__(
        self, folder, addresses=("127.0.0.1",), dns_port=None, api=None, metrics=None, config=""
    ):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        if config:
            (self.folder / "meridian.toml").write_text(config)
        self.data = self.folder / "data"
        self.addresses = list(addresses)
        self.dns_port = dns_port or free_port(self.addresses)
        self.api = api or f"127.0.0.1:{free_port()}"
        self.metrics = metrics or f"127.0.0.1:{free_port()}"
        self.log = self.folder / "log"
        self.process = None

    # The process.

    def command(self):
        arguments = ["serve", "--data-dir", self.data, "--api", self.api, "--metrics", self.metrics]
        for address in self.addresses:
            arguments += ["--dns", f"{address}:{self.dns_port}"]
        return [str(BIN), *map(str, arguments)]

    def start(self, timeout=60.0):
        assert BIN.exists(), f"{BIN} is missing: cargo build --release"
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        if not eventually(self.is_ready_or_dead, timeout) or self.process.poll() is not None:
            state = (
                f"exit {self.process.poll()}" if self.process.poll() is not None else "not ready"
            )
            self.kill()
            raise AssertionError(f"meridian did not start ({state}):\n{self.log_tail()}")
        return self

    def is_ready_or_dead(self):
        return self.process.poll() is not None or self.health("readyz") == 200

    def health(self, path):
        """The status code of `/healthz` or `/readyz`, 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://{self.metrics}/{path}", timeout=10) as response:
                return response.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def why_not_ready(self, path):
        """What `/readyz` or `/readyz/changes` says besides its status."""
        try:
            with urllib.request.urlopen(f"http://{self.metrics}/{path}", timeout=10) as response:
                return response.read().decode()
        except urllib.error.HTTPError as error:
            return error.read().decode()

    def stop(self, timeout=30.0):
        """SIGTERM; returns the exit status."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"SIGTERM did not stop meridian in {timeout} s") from None
        finally:
            self.process = None

    def kill(self):
        """SIGKILL, at this instant."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def replace(self):
        """`meridian replace`; returns what it said, once the old process has ended well.

        Who calls it has called `adopt_successors` before.
        """
        said = self.admin("replace")
        assert self.process.wait(30) == 0, self.log_tail()
        self.process = Adopted(said["pid"])
        return said

    def log_tail(self, since=0, size=4_000):
        log = self.log.read_bytes()[since:] if self.log.exists() else b""
        return log[-size:].decode(errors="replace")

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    # Its administration.

    def admin(self, *arguments, check=True, as_json=True):
        """Runs `meridian ARGUMENTS --data-dir … [--json]`; returns what it printed."""
        command = [str(BIN), *map(str, arguments), "--data-dir", str(self.data)]
        done = subprocess.run(
            command + (["--json"] if as_json else []),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if check:
            assert done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        else:
            return done
        return json.loads(done.stdout) if as_json else done.stdout

    def operator(self):
        """The key of the first start."""
        credentials = configparser.ConfigParser()
        assert credentials.read(self.data / "credentials"), "the first start wrote no credentials"
        section = credentials["default"]
        return Key(section["aws_access_key_id"], section["aws_secret_access_key"])

    def operator_account(self):
        """The account of that key, which is there from the first start."""
        return next(a for a in self.admin("account", "list") if a["operator"])

    def new_account(self, name):
        """A new account; returns a key of it."""
        account = self.admin("account", "create", name)
        return self.new_key(account["id"])

    def new_key(self, account):
        key = self.admin("key", "create", "--account", account)
        return Key(key["access_key_id"], key["secret_access_key"], key["account"])

    def new_user(self, account, name, *policies):
        """A new user with these ready-made policies; returns a key of it."""
        options = [word for policy in policies for word in ("--policy", policy)]
        self.admin("user", "create", name, "--account", account, *options)
        key = self.admin("key", "create", "--account", account, "--user", name)
        return Key(key["access_key_id"], key["secret_access_key"], key["account"])

    def spread_pool(self):
        """Gives the pool as many names as there are addresses, one on each; returns name → address."""
        pool = {f"ns-{n}.{POOL_ZONE}".rstrip("."): a for n, a in enumerate(self.addresses, 1)}
        known = len(POOL_START)
        for number, (name, address) in enumerate(pool.items()):
            self.admin("nameserver", "set" if number < known else "add", name, "--address", address)
        for name, address in pool.items():
            resolved = eventually(lambda n=name, a=address: self.values(f"{n}.") == {a})
            assert resolved, f"{name} has {self.values(f'{name}.')}, not {address}"
        return pool

    # The API.

    @property
    def endpoint(self):
        return f"http://{self.api}"

    def client(self, key=None, region="us-east-1", **config):
        """A boto3 client that tries once, so that tests see what the server said.

        Every response must be what the SDKs' model says, whatever else the test looks at.
        """
        key = key or self.operator()
        config.setdefault("retries", {"total_max_attempts": 1})
        config.setdefault("read_timeout", 30)
        client = boto3.session.Session().client(
            "route53",
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=key.id,
            aws_secret_access_key=key.secret,
            config=botocore.config.Config(**config),
        )
        SEEN.attach(client)
        return client

    def aws_environment(self):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
        return environment | {
            "PATH": f"{venv_bin()}:{environment['PATH']}",
            "HOME": str(self.folder),
            "AWS_SHARED_CREDENTIALS_FILE": str(self.data / "credentials"),
            "AWS_ENDPOINT_URL_ROUTE_53": self.endpoint,
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_PAGER": "",
        }

    def private_zone(self, name):
        """The id of a new private zone of the operator's, in a VPC of its own."""
        operator = self.operator_account()["id"]
        vpc = self.admin("vpc", "create", "--region", "eu-west-1", "--account", operator)["id"]
        made = self.aws(
            *("create-hosted-zone", "--name", name, "--caller-reference", reference()),
            *("--vpc", f"VPCRegion=eu-west-1,VPCId={vpc}"),
        )
        return made["HostedZone"]["Id"].removeprefix("/hostedzone/")

    def aws(self, *arguments):
        """Runs `aws route53 ARGUMENTS`; returns its JSON."""
        done = subprocess.run(
            ["aws", "route53", *arguments, "--output", "json"],
            env=self.aws_environment(),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"aws route53 {arguments}: {done.returncode}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    # Its answers.

    def ask(self, name, rtype="A", address=None, tcp=False, payload=None, timeout=10.0, **flags):
        """One query by dnspython; returns the reply."""
        query = dns.message.make_query(
            name, rtype, use_edns=payload is not None or None, payload=payload, **flags
        )
        query.flags &= ~dns.flags.RD
        send = dns.query.tcp if tcp else dns.query.udp
        return send(query, address or self.addresses[0], timeout=timeout, port=self.dns_port)

    def values(self, name, rtype="A", **how):
        """The values of the answer to `name`, as a set of texts."""
        return {str(value) for set_ in self.ask(name, rtype, **how).answer for value in set_}

    def rcode(self, name, rtype="A", **how):
        return dns.rcode.to_text(self.ask(name, rtype, **how).rcode())

    def dig(self, *arguments, address=None):
        """What `dig @server -p port ARGUMENTS` prints."""
        done = subprocess.run(
            ["dig", f"@{address or self.addresses[0]}", "-p", str(self.dns_port), *arguments],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, f"dig {arguments}: {done.stdout}{done.stderr}"
        return done.stdout


def venv_bin():
    """Where the interpreter that runs the tests, and with it aws, lives."""
    return pathlib.Path(sys.executable).parent


# Words of the API.

_numbers = itertools.count(1)


def reference():
    """A caller reference that nobody used before."""
    return f"{time.time_ns()}-{next(_numbers)}"


def rrset(name, rtype, *values, ttl=300, **policy):
    """A record set with values."""
    return {
        "Name": name,
        "Type": rtype,
        "TTL": ttl,
        "ResourceRecords": [{"Value": value} for value in values],
        **policy,
    }


def alias(name, target, zone_id, rtype="A", evaluate=False, **policy):
    """A record set that takes its answer from another one."""
    target = {"HostedZoneId": zone_id, "DNSName": target, "EvaluateTargetHealth": evaluate}
    return {"Name": name, "Type": rtype, "AliasTarget": target, **policy}


def change(action, set_):
    return {"Action": action, "ResourceRecordSet": set_}


def create(name, rtype, *values, **rest):
    return change("CREATE", rrset(name, rtype, *values, **rest))


def upsert(name, rtype, *values, **rest):
    return change("UPSERT", rrset(name, rtype, *values, **rest))


def delete(name, rtype, *values, **rest):
    return change("DELETE", rrset(name, rtype, *values, **rest))


class Zone:
    """A hosted zone and the client that made it."""

    def __init__(self, client, name, **parameters):
        self.client, self.name = client, name if name.endswith(".") else name + "."
        self.created = client.create_hosted_zone(
            Name=name, CallerReference=reference(), **parameters
        )
        self.id = self.created["HostedZone"]["Id"].removeprefix("/hostedzone/")
        # Private zones have none to tell of.
        self.name_servers = self.created.get("DelegationSet", {}).get("NameServers", [])

    def send(self, *changes):
        """Sends one batch; returns the ChangeInfo."""
        return self.client.change_resource_record_sets(
            HostedZoneId=self.id, ChangeBatch={"Changes": list(changes)}
        )["ChangeInfo"]

    def change(self, *changes):
        """Sends one batch and waits until every name server serves it."""
        info = self.send(*changes)
        wait_insync(self.client, info)
        return info

    def sets(self, own=False):
        """All record sets in the order of the list; `own` leaves out the apex's SOA and NS."""
        pages = self.client.get_paginator("list_resource_record_sets").paginate(
            HostedZoneId=self.id
        )
        sets = [set_ for page in pages for set_ in page["ResourceRecordSets"]]
        if own:
            sets = [s for s in sets if not (s["Name"] == self.name and s["Type"] in ("SOA", "NS"))]
        return sets

    def refused(self, *changes):
        """Sends a batch that must be refused, and must leave nothing; returns code and text."""
        before = self.sets()
        error = refusal(lambda: self.send(*changes))
        assert self.sets() == before, "a refused batch changed the zone"
        return error


def refusal(call):
    """Runs a call that must be refused; returns Route 53's code and text."""
    try:
        result = call()
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError(f"was not refused: {result}")


def wait_insync(client, info, timeout=15.0):
    insync = eventually(
        lambda: client.get_change(Id=info["Id"])["ChangeInfo"]["Status"] == "INSYNC", timeout
    )
    assert insync, f"{info['Id']} is not INSYNC after {timeout} s"


class Threads:
    """Threads whose exceptions are not lost: `with Threads(f, g): …` raises the first at the end."""

    def __init__(self, *targets):
        self.errors = []
        self.threads = [threading.Thread(target=self.run, args=(each,)) for each in targets]

    def run(self, target):
        try:
            target()
        except BaseException as error:
            self.errors.append(error)

    def __enter__(self):
        for each in self.threads:
            each.start()
        return self

    def __exit__(self, kind, *_):
        for each in self.threads:
            each.join(60)
        if self.errors and kind is None:
            raise self.errors[0]
