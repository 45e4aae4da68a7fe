"""What was seen of a check last, and why it failed last, is known after a restart."""

import json
import socket

from harness import Meridian, eventually, free_port, reference


def test_the_last_failure_outlives_a_restart(tmp_path):
    with Meridian(tmp_path) as server:
        (account,) = [each for each in server.admin("account", "list") if each["operator"]]
        quota = "MIN_HEALTH_CHECK_INTERVAL_SECONDS"
        server.admin("quota", "set", "--account", account["id"], quota, 1)
        port = free_port()
        client = server.client(parameter_validation=False)
        config = {
            "Type": "TCP",
            "IPAddress": "127.0.0.1",
            "Port": port,
            "RequestInterval": 1,
            "FailureThreshold": 1,
        }
        made = client.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
        check = made["HealthCheck"]["Id"]

        def last_failure():
            told = server.client().get_health_check_last_failure_reason(HealthCheckId=check)
            reports = [each["StatusReport"] for each in told["HealthCheckObservations"]]
            return reports[0] if reports else None

        def last():
            told = server.client().get_health_check_status(HealthCheckId=check)
            reports = [each["StatusReport"] for each in told["HealthCheckObservations"]]
            return reports[0]["Status"] if reports else None

        assert eventually(lambda: last_failure() is not None), server.log_tail()
        with socket.create_server(("127.0.0.1", port)):
            assert eventually(lambda: last() == "Success: TCP connection established")
            before = last_failure()
            assert before["Status"] == "Failure: Connection refused"
            server.stop()
            server.start()
            assert last_failure() == before
            assert eventually(lambda: last() == "Success: TCP connection established")
            assert last_failure() == before
            (voter,) = server.admin("health", "show", check)["votes"]["checkers"]
            assert voter["last_failure"]["saw"] == before["Status"]
        # One that comes after it is the last.
        assert eventually(lambda: last_failure()["CheckedTime"] > before["CheckedTime"])


def test_what_was_seen_last_outlives_a_restart(tmp_path):
    with Meridian(tmp_path) as server:
        (account,) = [each for each in server.admin("account", "list") if each["operator"]]
        quota = "MIN_HEALTH_CHECK_INTERVAL_SECONDS"
        server.admin("quota", "set", "--account", account["id"], quota, 1)
        port = free_port()
        client = server.client(parameter_validation=False)
        config = {"Type": "TCP", "IPAddress": "127.0.0.1", "Port": port, "RequestInterval": 5}
        # Each is probed at a moment of its own.
        made = [
            client.create_health_check(CallerReference=reference(), HealthCheckConfig=config)
            for _ in range(6)
        ]
        checks = [each["HealthCheck"]["Id"] for each in made]

        def seen(check):
            told = server.client().get_health_check_status(HealthCheckId=check)
            reports = [each["StatusReport"] for each in told["HealthCheckObservations"]]
            return reports[0] if reports else None

        assert eventually(lambda: all(map(seen, checks)), 15), server.log_tail()
        changed, disabled, *same = checks
        client.update_health_check(HealthCheckId=disabled, Disabled=True)
        assert eventually(lambda: seen(disabled) is None)
        server.stop()
        before = json.loads((server.data / "health-sights.json").read_text())["failures"]
        assert {each["check"] for each in before} == {changed, *same}
        server.start()
        client = server.client()
        client.update_health_check(HealthCheckId=changed, Disabled=True)
        for check in same:
            assert seen(check)["Status"] == "Failure: Connection refused"
            (voter,) = server.admin("health", "show", check)["votes"]["checkers"]
            assert voter["saw"] == "Failure: Connection refused"
        # That was of what it is no more.
        assert eventually(lambda: seen(changed) is None)
        assert seen(disabled) is None
