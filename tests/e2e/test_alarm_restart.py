"""What an alarm said last is known before the first answer after a kill -9."""

import http.server
import json
import threading
import time
import urllib.parse

from harness import Meridian, Zone, create, eventually
from health_checks import Checks

ALARM = """
[[alarms]]
region = "us-east-1"
name = "{name}"
url = "{url}"
query = "{name}"
comparison = "GreaterThanThreshold"
threshold = 10
period_s = 1
"""


class Prometheus:
    """Answers queries for the values of its metrics, or not at all."""

    def __init__(self, **values):
        self.values, prometheus = values, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                if prometheus.values is None:
                    self.send_error(503)
                    return
                asked = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)
                times = range(int(asked["start"][0]), int(asked["end"][0]) + 1)
                value = prometheus.values.get(asked["query"][0])
                series = [{"metric": {}, "values": [[at, str(value)] for at in times]}]
                result = series if value is not None else []
                data = {"resultType": "matrix", "result": result}
                body = json.dumps({"status": "success", "data": data}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def test_what_an_alarm_said_last_outlives_a_kill(tmp_path):
    prometheus = Prometheus(gone=20, told=20)
    config = "".join(ALARM.format(name=name, url=prometheus.url) for name in ("gone", "told"))
    with Meridian(tmp_path, config=config) as server:
        checks = Checks(server)

        def make(name, without):
            return checks.make({
                "Type": "CLOUDWATCH_METRIC",
                "AlarmIdentifier": {"Region": "us-east-1", "Name": name},
                "InsufficientDataHealthStatus": without,
            })["Id"]

        last, told = make("gone", "LastKnownStatus"), make("told", "Healthy")
        zone = Zone(checks.client, "alarms.test")
        for name, check in (("last", last), ("told", told)):
            for role, address in (("PRIMARY", "192.0.2.1"), ("SECONDARY", "192.0.2.2")):
                more = {"HealthCheckId": check} if role == "PRIMARY" else {}
                zone.change(create(
                    f"{name}.alarms.test", "A", address, SetIdentifier=role, Failover=role, **more
                ))

        def answers():
            answered = [server.values(f"{name}.alarms.test") for name in ("last", "told")]
            return [",".join(values) for values in answered]

        assert eventually(lambda: answers() == ["192.0.2.2"] * 2, pause=0.05), server.log_tail()
        # One has no more data, so that what it said last counts; and nobody can be asked then.
        del prometheus.values["gone"]

        def kept():
            """What would be known after a kill."""
            file = server.data / "alarm-states.json"
            alarms = json.loads(file.read_text())["alarms"] if file.exists() else []
            return {alarm["name"]: (alarm.get("says"), alarm.get("said")) for alarm in alarms}

        expected = {"gone": (None, "unhealthy"), "told": ("unhealthy", "unhealthy")}
        assert eventually(lambda: kept() == expected, pause=0.05), kept()
        prometheus.values = None
        server.kill()
        began = time.monotonic()
        server.start()
        assert answers() == ["192.0.2.2"] * 2
        # What was told holds as long as its values would have been looked at, three periods from
        # the start on, and no longer.
        assert eventually(lambda: answers() == ["192.0.2.2", "192.0.2.1"], pause=0.05)
        assert time.monotonic() - began > 3
        prometheus.values = {"gone": 1, "told": 20}
        assert eventually(lambda: answers() == ["192.0.2.1", "192.0.2.2"], pause=0.05)
