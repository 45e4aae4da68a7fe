"""Query logging configurations by the API, and the files of lines that they make."""

import re
import signal

import pytest

from harness import Zone, create, eventually, reference, refusal
from traffic_logs import lines, log_counts

UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
NOBODYS = "00000000-0000-4000-8000-000000000000"


class Owner:
    """An account with a client, and the log groups it may name."""

    def __init__(self, server, key=None):
        self.server, self.key = server, key or server.new_account(f"logs-{reference()}")
        self.client = server.client(self.key)
        if self.key.account is None:
            self.key.account = server.operator_account()["id"]

    def arn(self, group="/aws/route53/example"):
        return f"arn:aws:logs:us-east-1:{self.key.account}:log-group:{group}"

    def log(self, zone, arn=None):
        """Has a zone's queries logged; returns the configuration."""
        answer = self.client.create_query_logging_config(
            HostedZoneId=zone, CloudWatchLogsLogGroupArn=arn or self.arn()
        )
        self.location = answer["ResponseMetadata"]["HTTPHeaders"]["location"]
        return answer["QueryLoggingConfig"]

    def file(self, zone, group="aws_route53_example"):
        return self.server.data / "query-logs" / self.key.account / group / f"{zone.id}.log"


@pytest.fixture
def owner(meridian):
    return Owner(meridian)


def test_a_configuration_is_made_read_and_removed(owner):
    zone = Zone(owner.client, "config.example.")
    made = owner.log(f"/hostedzone/{zone.id}")
    assert UUID.fullmatch(made["Id"])
    assert owner.location.endswith(f"/2013-04-01/queryloggingconfig/{made['Id']}")
    assert made == {
        "Id": made["Id"],
        "HostedZoneId": zone.id,
        "CloudWatchLogsLogGroupArn": owner.arn(),
    }
    client = owner.client
    assert client.get_query_logging_config(Id=made["Id"])["QueryLoggingConfig"] == made
    for listed in (
        client.list_query_logging_configs(),
        client.list_query_logging_configs(HostedZoneId=zone.id),
    ):
        assert listed["QueryLoggingConfigs"] == [made] and "NextToken" not in listed
    assert refusal(lambda: owner.log(zone.id)) == (
        "QueryLoggingConfigAlreadyExists",
        "A query logging configuration already exists for this hosted zone",
    )
    client.delete_query_logging_config(Id=made["Id"])
    assert client.list_query_logging_configs()["QueryLoggingConfigs"] == []
    gone = ("NoSuchQueryLoggingConfig", "The query logging configuration does not exist")
    assert refusal(lambda: client.get_query_logging_config(Id=made["Id"])) == gone
    assert refusal(lambda: client.delete_query_logging_config(Id=made["Id"])) == gone
    assert owner.log(zone.id)["Id"] != made["Id"]


def test_a_configuration_goes_with_its_zone(owner):
    zone = Zone(owner.client, "goes.example.")
    made = owner.log(zone.id)
    owner.client.delete_hosted_zone(Id=zone.id)
    assert owner.client.list_query_logging_configs()["QueryLoggingConfigs"] == []
    get = lambda: owner.client.get_query_logging_config(Id=made["Id"])
    assert refusal(get)[0] == "NoSuchQueryLoggingConfig"


def test_lists_are_paged_by_tokens(owner):
    zones = [Zone(owner.client, f"z{n}.paged.example.") for n in range(5)]
    made = {owner.log(zone.id)["Id"] for zone in zones}
    seen, token = [], {}
    while True:
        page = owner.client.list_query_logging_configs(MaxResults="2", **token)
        seen += [config["Id"] for config in page["QueryLoggingConfigs"]]
        assert len(page["QueryLoggingConfigs"]) == (1 if len(seen) == 5 else 2)
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert seen == sorted(made)
    listed = owner.client.get_paginator("list_query_logging_configs").paginate()
    assert [c["Id"] for page in listed for c in page["QueryLoggingConfigs"]] == seen
    wrong = lambda **what: refusal(lambda: owner.client.list_query_logging_configs(**what))[0]
    for token in ("no token", NOBODYS):
        assert wrong(NextToken=token) == "InvalidPaginationToken"
    assert wrong(MaxResults="0") == "InvalidInput"
    assert wrong(HostedZoneId="Z00000000000000000") == "NoSuchHostedZone"


def test_only_ones_own_zones_and_log_groups(owner, meridian):
    zone = Zone(owner.client, "own.example.")
    other = Owner(meridian)
    missing = lambda id_: ("NoSuchHostedZone", f"No hosted zone found with ID: {id_}")
    for id_ in (zone.id, "Z00000000000000000"):
        assert refusal(lambda: other.log(id_)) == missing(id_)
        list_ = lambda: other.client.list_query_logging_configs(HostedZoneId=id_)
        assert refusal(list_) == missing(id_)
    assert refusal(lambda: owner.log(zone.id, other.arn())) == (
        "NoSuchCloudWatchLogsLogGroup",
        "The specified CloudWatch Logs log group doesn't exist.",
    )
    made = owner.log(zone.id)
    for call in (other.client.get_query_logging_config, other.client.delete_query_logging_config):
        foreign = refusal(lambda: call(Id=made["Id"]))
        assert foreign == refusal(lambda: call(Id=NOBODYS))
        assert foreign[0] == "NoSuchQueryLoggingConfig"
        assert refusal(lambda: call(Id="1" * 37))[0] == "InvalidInput"
    assert other.client.list_query_logging_configs()["QueryLoggingConfigs"] == []


def test_the_arn_must_be_one(owner):
    zone = Zone(owner.client, "arn.example.")
    for arn in (
        "arn:aws:logs:eu-west-1:{0}:log-group:a",
        "arn:aws:s3:us-east-1:{0}:log-group:a",
        "arn:aws:logs:us-east-1:{0}:log-group:a b",
        "arn:aws:logs:us-east-1:{0}:log-group:",
        "/var/log/messages",
    ):
        assert refusal(lambda: owner.log(zone.id, arn.format(owner.key.account))) == (
            "InvalidInput",
            "The ARN for the CloudWatch Logs log group is invalid",
        )


def test_private_zones_are_not_logged(meridian):
    owner = Owner(meridian, meridian.operator())
    zone = meridian.private_zone("private-log.example.")
    assert refusal(lambda: owner.log(zone)) == (
        "InvalidInput",
        "Queries can be logged for public hosted zones only.",
    )


def test_rights_name_the_configuration(owner, meridian):
    zone = Zone(owner.client, "rights.example.")
    made = owner.log(zone.id)
    file = meridian.folder / "log-policy.json"
    file.write_text(
        '{"Statement": {"Effect": "Allow", "Action": "route53:*QueryLogging*", "Resource":'
        f' "arn:aws:route53:::queryloggingconfig/{made["Id"]}"}}}}'
    )
    account = ("--account", owner.key.account)
    meridian.admin("user", "create", "logger", *account, "--policy-file", file)
    key = meridian.admin("key", "create", *account, "--user", "logger")
    logger = meridian.client(type(owner.key)(key["access_key_id"], key["secret_access_key"]))
    assert logger.get_query_logging_config(Id=made["Id"])["QueryLoggingConfig"] == made
    for call in (
        lambda: logger.list_query_logging_configs(),
        lambda: logger.list_query_logging_configs(HostedZoneId=zone.id),
        lambda: logger.get_query_logging_config(Id=NOBODYS),
        lambda: logger.create_query_logging_config(
            HostedZoneId=zone.id, CloudWatchLogsLogGroupArn=owner.arn()
        ),
    ):
        assert refusal(call)[0] == "AccessDenied"
    logger.delete_query_logging_config(Id=made["Id"])


def test_each_logged_zone_has_a_file_of_its_own(start):
    server = start(config='[dns.query_log]\nlocation = "FRA6"')
    owner = Owner(server, server.operator())
    zones = [Zone(owner.client, f"{name}.logged.example.") for name in ("a", "b", "c")]
    for zone in zones:
        zone.change(create(f"www.{zone.name}", "A", "192.0.2.1"))
    first, second, silent = zones
    owner.log(first.id)
    made = owner.log(second.id, owner.arn("../up/../..") + ":*")
    log, other = owner.file(first), owner.file(second, "_._up_.._..")
    ask_until(server, log, first)
    ask_until(server, other, second)

    server.ask(f"none.{first.name}", "TXT", tcp=True)
    for zone in (second, silent):
        server.ask(f"none.{zone.name}")
    server.ask("elsewhere.invalid.")
    assert eventually(lambda: named(log, f"none.{first.name}"))
    assert eventually(lambda: named(other, f"none.{second.name}"))
    [line] = named(log, f"none.{first.name}")
    line.pop("time")
    assert line == {
        "zone": first.id,
        "name": f"none.{first.name}".rstrip("."),
        "type": "TXT",
        "rcode": "NXDOMAIN",
        "protocol": "TCP",
        "location": "FRA6",
        "resolver": "127.0.0.1",
        "subnet": "-",
    }
    for file, zone in ((log, first), (other, second)):
        assert {line["zone"] for line in lines(file)} == {zone.id}
    files = {p for p in (server.data / "query-logs").rglob("*") if p.is_file()}
    assert files == {log, other}
    assert log.stat().st_mode & 0o777 == 0o640 and log.parent.stat().st_mode & 0o007 == 0

    # A zone that changes is logged on; one whose configuration goes is not, and its file stays.
    first.change(create(f"new.{first.name}", "A", "192.0.2.2"))
    owner.client.delete_query_logging_config(Id=made["Id"])
    assert eventually(lambda: not logs(server, other, second))
    server.ask(f"new.{first.name}")
    assert eventually(lambda: len(named(log, f"new.{first.name}")) == 1)
    assert log_counts(server, "zone_query_logs")["failed"] == 0


def named(log, name):
    """The lines about a name. Of what others were asked about some may be on their way."""
    return [line for line in lines(log) if line["name"] == name.rstrip(".")]


def ask_until(server, log, zone):
    """Asks until the first line is there: changes of what is logged take their milliseconds."""
    assert eventually(lambda: logs(server, log, zone))


def logs(server, log, zone):
    """Whether a query now makes a line."""
    before = len(lines(log))
    server.ask(f"www.{zone.name}")
    return eventually(lambda: len(lines(log)) > before, timeout=0.3)


def test_files_are_opened_anew_and_found_again_after_a_restart(start):
    server = start()
    owner = Owner(server, server.operator())
    zone = Zone(owner.client, "moved.example.")
    zone.change(create("www.moved.example.", "A", "192.0.2.1"))
    owner.log(zone.id)
    log = owner.file(zone)
    ask_until(server, log, zone)
    old = log.rename(log.with_name("old"))
    # A file that was moved is written on.
    ask_until(server, old, zone)
    server.process.send_signal(signal.SIGHUP)
    ask_until(server, log, zone)
    kept = len(lines(old))
    # What was asked last is in the file when the process has ended; the next one goes on.
    server.ask("last.moved.example.")
    assert server.stop() == 0
    assert len(named(log, "last.moved.example.")) == 1
    server.start()
    server.ask("next.moved.example.")
    assert eventually(lambda: len(named(log, "next.moved.example.")) == 1)
    assert len(named(log, "last.moved.example.")) == 1
    assert len(lines(old)) == kept


def test_an_operator_may_do_without(start):
    server = start()
    owner = Owner(server, server.operator())
    zone, other = (Zone(owner.client, f"{name}.without.example.") for name in ("a", "b"))
    owner.log(zone.id)
    ask_until(server, owner.file(zone), zone)
    server.stop()
    (server.folder / "meridian.toml").write_text("[dns.zone_query_logs]\nenabled = false\n")
    server.start()
    kept = len(lines(owner.file(zone)))
    code, text = refusal(lambda: owner.log(other.id))
    assert code == "InsufficientCloudWatchLogsResourcePolicy" and "operator" in text
    assert len(owner.client.list_query_logging_configs()["QueryLoggingConfigs"]) == 1
    assert not logs(server, owner.file(zone), zone)
    assert len(lines(owner.file(zone))) == kept


def test_lines_beyond_the_limit_are_counted(start):
    server = start(config="[dns.zone_query_logs]\nmax_per_second = 5\ndirectory = 'logs'")
    owner = Owner(server, server.operator())
    zone = Zone(owner.client, "limit.example.")
    zone.change(create("www.limit.example.", "A", "192.0.2.1"))
    owner.log(zone.id)
    log = server.folder / "logs" / owner.key.account / "aws_route53_example" / f"{zone.id}.log"
    ask_until(server, log, zone)
    for _ in range(50):
        server.ask("www.limit.example.")
    counts = lambda: log_counts(server, "zone_query_logs")
    assert eventually(lambda: sum(counts().values()) >= 51)
    assert counts()["written"] <= 40 and counts()["over_rate"] >= 10
    assert counts()["failed"] == counts()["queue_full"] == 0
    assert eventually(lambda: len(lines(log)) == counts()["written"])
