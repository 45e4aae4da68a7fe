"""Accounts with traffic policies and instances of them, and what clients elsewhere are answered."""

import ipaddress
import random
import threading
import time

import botocore.exceptions
import dns.edns
import dns.flags
import dns.message
import dns.query
import dns.rcode

from harness import Threads, Zone, eventually, reference

# Of universities, whose countries come with the server.
BERLIN, BERKELEY = "141.20.1.0/24", "128.32.0.0/24"


class Owner:
    """An account with a client and a zone."""

    def __init__(self, server, zone=None):
        self.server, self.key = server, server.new_account(f"instances-{reference()}")
        server.admin("quota", "set", "--account", self.key.account, "MAX_REQUESTS_PER_SECOND",
                     "1000000")
        self.client = server.client(self.key)
        self.zone = Zone(self.client, zone or f"i{reference()}.example")

    def allow(self, limit):
        quota = "MAX_TRAFFIC_POLICY_INSTANCES_BY_OWNER"
        self.server.admin("quota", "set", "--account", self.key.account, quota, str(limit))

    def policy(self, *documents):
        """The id of a new policy with a version for each document."""
        made = self.client.create_traffic_policy(Name=reference(), Document=documents[0])
        id_ = made["TrafficPolicy"]["Id"]
        for each in documents[1:]:
            self.client.create_traffic_policy_version(Id=id_, Document=each)
        return id_

    def make(self, name, policy, version=1, ttl=60, zone=None):
        """A new instance; the answer is kept."""
        self.answer = self.client.create_traffic_policy_instance(
            HostedZoneId=(zone or self.zone).id,
            Name=f"{name}.{(zone or self.zone).name}".lstrip("."),
            TTL=ttl,
            TrafficPolicyId=policy,
            TrafficPolicyVersion=version,
        )
        return self.answer["TrafficPolicyInstance"]

    def update(self, instance, policy, version, ttl=60):
        return self.client.update_traffic_policy_instance(
            Id=instance["Id"], TTL=ttl, TrafficPolicyId=policy, TrafficPolicyVersion=version
        )["TrafficPolicyInstance"]

    def get(self, instance):
        return self.client.get_traffic_policy_instance(Id=instance["Id"])["TrafficPolicyInstance"]

    def gone(self, instance):
        self.client.delete_traffic_policy_instance(Id=instance["Id"])

    def applied(self, instance):
        """Waits until every name server answers by it."""
        assert eventually(lambda: self.get(instance)["State"] == "Applied"), self.get(instance)
        return self.get(instance)

    def count(self):
        return self.client.get_traffic_policy_instance_count()["TrafficPolicyInstanceCount"]

    def check(self):
        made = self.client.create_health_check(
            CallerReference=reference(),
            HealthCheckConfig={
                "Type": "TCP", "FullyQualifiedDomainName": "www.example.com", "Port": 443
            },
        )
        check = made["HealthCheck"]["Id"]
        self.force(check, "healthy")
        return check

    def force(self, check, health):
        self.server.admin("health", "force", check, health, "--reason", "a trial")


def after_kills(server, owner, made, policy, times):
    """The instance as it is after each of so many starts. Before each the server was killed while the
    instance moved from one of two versions of its policy to the other and back."""
    known = 1
    for _ in range(times):
        killed, versions = threading.Event(), [known]

        def update():
            while not killed.is_set():
                versions.append(3 - versions[-1])
                try:
                    owner.update(made, policy, versions[-1])
                except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError):
                    return

        with Threads(update):
            time.sleep(random.uniform(0.02, 0.3))
            killed.set()
            server.kill()
        server.start()
        now = owner.applied(made)
        known = now["TrafficPolicyVersion"]
        # That of the last try, or the one before it, which was acknowledged.
        assert known in versions[-2:], versions
        yield now


def seen_from(subnet, name, port, recursive=False):
    """The addresses that a client in this network is answered."""
    network = ipaddress.ip_network(subnet)
    option = dns.edns.ECSOption(str(network.network_address), network.prefixlen)
    query = dns.message.make_query(name, "A", use_edns=0, options=[option])
    if not recursive:
        query.flags &= ~dns.flags.RD
    reply = dns.query.udp(query, "127.0.0.1", timeout=5, port=port)
    assert reply.rcode() == dns.rcode.NOERROR, reply
    return {str(value) for set_ in reply.answer for value in set_}
