"""Health checks that go by the alarms of a real Prometheus."""

import contextlib
import http.server
import json
import shutil
import subprocess
import threading
import urllib.request

import pytest

from harness import BIN, Meridian, eventually, free_port
from health_checks import Checks

ALARM = """
[[alarms]]
region = "us-east-1"
name = "{name}"
url = "{url}"
query = "{query}"
comparison = "GreaterThanThreshold"
threshold = 10
evaluation_periods = 1
period_s = 1
"""


class Exporter:
    """Has one metric to be scraped, or nothing."""

    def __init__(self):
        self.value = "1"
        exporter = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if exporter.value is None:
                    self.send_error(503)
                    return
                body = f'load{{part="a"}} {exporter.value}\nload{{part="b"}} 0\n'.encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.place = "127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@contextlib.contextmanager
def prometheus(folder, exporter, port):
    folder.mkdir(exist_ok=True)
    config = {
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms"},
        "scrape_configs": [
            {"job_name": "test", "static_configs": [{"targets": [exporter.place]}]},
        ],
    }
    # YAML is a superset of JSON.
    (folder / "prometheus.yml").write_text(json.dumps(config))
    with open(folder / "log", "ab") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--web.route-prefix=/prom",
            ],
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.skipif(not shutil.which("prometheus"), reason="no prometheus")
def test_checks_follow_metrics_and_the_want_of_them(tmp_path):
    exporter, port = Exporter(), free_port()
    url = f"http://127.0.0.1:{port}/prom/"
    alarms = ALARM.format(name="load is high", url=url, query="sum(load)")
    alarms += ALARM.format(name="several", url=url, query="load")
    running = prometheus(tmp_path / "prometheus", exporter, port)
    with running as process, Meridian(tmp_path / "meridian", config=alarms) as server:
        checks = Checks(server)

        def make(name, **more):
            alarm = {"Region": "us-east-1", "Name": name}
            return checks.make({"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": alarm}, **more)

        last = make("load is high")
        made = {
            "healthy": make("load is high", InsufficientDataHealthStatus="Healthy"),
            "unhealthy": make("load is high", InsufficientDataHealthStatus="Unhealthy"),
            "last": last,
            "inverted": make("load is high", Inverted=True),
            "unknown": make("no such alarm"),
            "several": make("several", InsufficientDataHealthStatus="Unhealthy"),
        }

        def states():
            listed = {each["id"]: each["state"] for each in server.admin("health", "list")}
            return {name: listed[check["Id"]] for name, check in made.items()}

        def become(timeout=15.0, **expected):
            # What is not there goes by what the check says of that.
            expected |= {"unknown": "healthy", "several": "unhealthy"}
            assert eventually(lambda: states() == expected, timeout, 0.1), states()

        def all_are(state, other):
            become(healthy=state, unhealthy=state, last=state, inverted=other)

        all_are("healthy", "unhealthy")
        exporter.value = "20"
        all_are("unhealthy", "healthy")
        shown = server.admin("health", "show", last["Id"])
        assert shown["why"] == "observed"
        # A metric that is not there any more.
        exporter.value = None
        without = {"healthy": "healthy", "unhealthy": "unhealthy"}
        become(**without, last="unhealthy", inverted="healthy")
        exporter.value = "1"
        all_are("healthy", "unhealthy")
        # A Prometheus that is not there any more.
        process.kill()
        become(**without, last="healthy", inverted="unhealthy")
        for words in ("several series", "cannot be told"):
            assert eventually(lambda: words in server.log.read_text()), words
        with prometheus(tmp_path / "prometheus", exporter, port):
            exporter.value = "20"
            all_are("unhealthy", "healthy")
            target = f"{url}api/v1/status/buildinfo"
            assert urllib.request.urlopen(target, timeout=5).status == 200
        assert eventually(lambda: "the alarm is told again" in server.log.read_text())


@pytest.mark.parametrize(
    "change,words",
    [
        (("us-east-1", "mars"), "which no health check can name"),
        (("GreaterThanThreshold", "Greater"), "there are GreaterThanOrEqualToThreshold"),
        (("period_s = 1", "period_s = 0"), "1 at least"),
        (("http://", "ftp://"), "begins with http://"),
        (("threshold = 10", "threshold = 10\nretries = 3"), "unknown field"),
    ],
)
def test_alarms_that_cannot_be_are_refused(tmp_path, change, words):
    config = ALARM.format(name="a", url="http://127.0.0.1:9090", query="up").replace(*change)
    (tmp_path / "meridian.toml").write_text(config)
    done = subprocess.run(
        [str(BIN), "config", "check"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode != 0 and words in done.stderr + done.stdout


def test_an_alarm_is_shown_as_what_it_stands_for(tmp_path):
    alarm = ALARM.format(name="errors", url="http://127.0.0.1:1", query="up")
    alarm = alarm.replace("period_s = 1", "period_s = 60")
    shown = """shown_as = { namespace = "AWS/ELB", metric = "Latency", statistic = "Average",
        dimensions = { Zone = "b", LoadBalancerName = "a & b" } }""".replace("\n", " ")
    config = alarm + shown + "\n" + alarm.replace('"errors"', '"plain"')
    with Meridian(tmp_path, config=config) as server:
        checks = Checks(server)

        def make(name):
            alarm = {"Region": "us-east-1", "Name": name}
            return checks.make({"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": alarm})

        made = make("errors")
        assert made["CloudWatchAlarmConfiguration"] == {
            "EvaluationPeriods": 1,
            "Threshold": 10.0,
            "ComparisonOperator": "GreaterThanThreshold",
            "Period": 60,
            "MetricName": "Latency",
            "Namespace": "AWS/ELB",
            "Statistic": "Average",
            "Dimensions": [
                {"Name": "LoadBalancerName", "Value": "a & b"},
                {"Name": "Zone", "Value": "b"},
            ],
        }
        assert checks.get(made) == made and checks.all() == [made]
        for name in ("plain", "nobody's"):
            assert "CloudWatchAlarmConfiguration" not in make(name)
        moved = {"Region": "us-east-1", "Name": "plain"}
        updated = checks.update(made, AlarmIdentifier=moved)
        assert "CloudWatchAlarmConfiguration" not in updated
