"""Accounts with health checks."""

from harness import reference, refusal

NOBODYS = "00000000-0000-4000-8000-000000000000"
HTTP = {"Type": "HTTP", "FullyQualifiedDomainName": "www.example.com"}


class Checks:
    """An account of its own, and its health checks."""

    def __init__(self, server, key=None):
        self.server, self.key = server, key or server.new_account(f"checks-{reference()}")
        self.client = server.client(self.key)
        self.may_probe("everything")

    def may_probe(self, what):
        """Addresses in documentation are nobody's, and take a right to be named."""
        account = self.key.account
        if account != self.server.operator_account()["id"]:
            self.server.admin("account", "set", account, "--probes", what)

    def make(self, config=None, name=None, **more):
        answer = self.client.create_health_check(
            CallerReference=name or reference(), HealthCheckConfig=(config or HTTP) | more
        )
        self.location = answer["ResponseMetadata"]["HTTPHeaders"]["location"]
        self.status = answer["ResponseMetadata"]["HTTPStatusCode"]
        return answer["HealthCheck"]

    def get(self, check):
        return self.client.get_health_check(HealthCheckId=check["Id"])["HealthCheck"]

    def update(self, check, **settings):
        return self.client.update_health_check(HealthCheckId=check["Id"], **settings)["HealthCheck"]

    def delete(self, check):
        self.client.delete_health_check(HealthCheckId=check["Id"])

    def all(self, **how):
        return self.client.list_health_checks(**how)["HealthChecks"]

    def refused(self, config, **more):
        return refusal(lambda: self.make(config, **more))

    def parent(self, *children, threshold=1):
        children = [child["Id"] for child in children]
        return {"Type": "CALCULATED", "HealthThreshold": threshold, "ChildHealthChecks": children}
