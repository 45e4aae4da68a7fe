"""What servers have written about traffic: lines of query logs, and what is counted of logs."""

import re
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

LINE = re.compile(
    r"1\.0 (?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (?P<zone>Z[0-9A-Z]+|-) (?P<name>\S+) "
    r"(?P<type>[A-Z0-9]+) (?P<rcode>[A-Z]+) (?P<protocol>UDP|TCP) (?P<location>\S+) "
    r"(?P<resolver>[0-9a-f.:]+) (?P<subnet>-|[0-9a-f.:]+/\d+)"
)


def lines(path):
    """The lines of a log, each of which must be whole and in form."""
    if not path.exists():
        return []
    matches = [LINE.fullmatch(line) for line in path.read_text().splitlines()]
    assert all(matches), path.read_text()
    return [match.groupdict() for match in matches]


def log_counts(server, log):
    url = f"http://{server.metrics}/metrics"
    with urllib.request.urlopen(url, timeout=5) as response:
        families = text_string_to_metric_families(response.read().decode())
    return {
        sample.labels["outcome"]: sample.value
        for family in families
        for sample in family.samples
        if sample.name == "meridian_log_records_total" and sample.labels["log"] == log
    }
