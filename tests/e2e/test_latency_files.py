"""What is wrong with files of measurements, with those that maps are made of, and with what maps are
held against: nothing of it is taken for something else, and nothing stops answers.
"""

import gzip
import json
import subprocess
import time

import pytest

from harness import BIN, eventually

# Builds are made when they are asked for.
CONFIG = "[latency]\nbuild_interval_s = 86400\n"
# To Frankfurt and to Ashburn from a German network. Light does not get to Ashburn in 0.4 ms.
TRUE = "141.20.1.0/24,eu-central-1,9,100\n141.20.1.0/24,us-east-1,95,100\n"
IMPOSSIBLE = "141.20.1.0/24,us-east-1,0.4,1\n"
PING = {
    "type": "ping", "from": "141.20.1.9", "dst_addr": "192.0.2.77", "prb_id": 7,
    "timestamp": 1790000000, "result": [{"x": "*"}, {"rtt": 31.5}, {"error": "e"}],
}


def latency(server, *arguments, **how):
    return server.admin("latency", *arguments, **how)


def bring(server, text, **how):
    path = server.folder / "samples.csv"
    path.write_text(text)
    return latency(server, "import", path, **how)


def test_what_comes_slowly_through_a_pipe_is_waited_for(start):
    """The server had given up after ten seconds, and what had been read was lost."""
    server = start(config=CONFIG)
    command = [BIN, "latency", "import", "-", "--data-dir", server.data, "--json"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:
        process.stdin.write("prefix,region,rtt_ms\n193.0.6.0/24,us-east-1,80\n")
        process.stdin.flush()
        time.sleep(12)
        out, error = process.communicate("193.0.6.0/24,eu-west-1,20\n")
    assert process.returncode == 0, error
    assert json.loads(out)["samples"] == 2


def test_a_map_is_not_held_against_what_cannot_be_true(start):
    """An impossible row, which imports refuse, was the fastest region of its network."""
    server = start(config=CONFIG)
    bring(server, TRUE)
    latency(server, "build")
    (server.folder / "truth.csv").write_text(TRUE + IMPOSSIBLE + "141.20.1.0/24,nowhere-1,1,1\n")
    score = latency(server, "score", "--truth", server.folder / "truth.csv")
    assert score["refused_for"] == {"faster-than-light": 1, "unknown-region": 1}
    assert (score["map"]["right"], score["map"]["max_ms"]) == (1, 0), score
    text = latency(server, "score", "--truth", server.folder / "truth.csv", as_json=False)
    assert "1 samples refused: faster than light" in text
    # Truth may be in any form that measurements have, with the tables that it needs.
    pings = [PING, PING | {"dst_addr": "192.0.2.78", "result": [{"rtt": 12.25}]}]
    (server.folder / "pings.json").write_text(json.dumps(pings))
    (server.folder / "targets").write_text("192.0.2.77,eu-central-1\n192.0.2.78,us-east-1\n")
    told = ("score", "--truth", server.folder / "pings.json")
    refused = latency(server, *told, check=False)
    assert refused.returncode == 1 and "--targets" in refused.stderr
    score = latency(server, *told, "--targets", server.folder / "targets")
    # 12.25 ms is too fast for Ashburn, so that there is no choice left.
    assert (score["clients"], score["refused"], score["map"]["choices"]) == (1, 1, 0), score
    # Where maps are only answered by, they can be held against the truth, too.
    server.stop()
    (server.folder / "meridian.toml").write_text("[latency]\nbuild = false\n")
    server.start()
    score = latency(server, "score", "--truth", server.folder / "truth.csv")
    assert score["map"]["right"] == 1
    refused = bring(server, TRUE, check=False)
    assert refused.returncode == 1 and "latency.build = false" in refused.stderr


def test_files_that_are_no_measurements_say_so(start):
    server = start(config=CONFIG)
    folder = latency(server, "import", server.folder, check=False)
    assert folder.returncode == 1 and "Is a directory" in folder.stderr
    # What was said of these was that their format has to be named.
    for content, why in ((gzip.compress(TRUE.encode()), "packed with gzip: unpack"), (b"", "is empty")):
        (server.folder / "rows").write_bytes(content)
        done = latency(server, "import", server.folder / "rows", "--format", "csv", check=False)
        assert done.returncode == 1 and why in done.stderr, done
    # Of these it was said that no sample was taken, and no more.
    header, mac = "prefix,region,rtt_ms,count\n", ("prefix,region,rtt_ms,count\n" + TRUE).replace("\n", "\r")
    for content, why in ((header, "has no rows"), ("# ours\n" + header, "has no rows"), (mac, "end with CR alone")):
        (server.folder / "rows").write_bytes(content.encode())
        done = latency(server, "import", server.folder / "rows", check=False)
        assert done.returncode == 1 and why in json.loads(done.stdout)["error"], done
    (server.folder / "rows").write_text("1\n")
    row = latency(server, "import", server.folder / "rows", "--format", "ndjson", check=False)
    assert "expected an object" in row.stdout
    # Counts stood where round trips were read, as the name of their column was not known.
    other = "prefix,region,count,ms\n141.20.1.0/24,eu-central-1,40,12\n"
    done = bring(server, other, check=False)
    taken = json.loads(done.stdout)
    assert (done.returncode, taken["samples"], taken["wrong_rows"]) == (3, 0, 1)
    assert "has no column rtt_ms" in taken["faults"][0]
    # Names in quotation marks, and somebody who speaks for the world.
    quoted = '\ufeff"prefix","region","rtt_ms"\r\n"141.20.1.0/24","eu-central-1","9.5"\r\n'
    done = bring(server, quoted + '"0.0.0.0/0","eu-central-1","9.5"\r\n', check=False)
    taken = json.loads(done.stdout)
    assert (taken["samples"], len(taken["faults"])) == (1, 1)
    assert "'0.0.0.0/0' is wider than any network of clients" in taken["faults"][0]


def test_damaged_pairs_of_regions_do_not_stop_the_start(start):
    server = start(config=CONFIG)
    bring(server, TRUE)
    assert bring(server, "from,to,ms\neu-central-1,us-east-1,92\n")["pairs"] == 1
    latency(server, "build")
    server.stop()
    folder = server.data / "latency"
    (folder / "matrix.csv").write_bytes(b"from,to,ms\neu-central-1\n")
    server.start()
    status = latency(server, "status")
    assert "matrix.csv.unreadable" in status["failure"] and status["samples"]["pairs"] == 0
    assert status["samples"]["networks"] == 1 and status["map"]["build"] == 1
    assert (folder / "matrix.csv.unreadable").read_bytes() == b"from,to,ms\neu-central-1\n"
    # What is newest and refused is not what answers go by.
    (folder / "map-9").write_bytes(b"nonsense")
    assert latency(server, "diff", "1", "current")["new"] == 1
    none = latency(server, "diff", "1", "waiting", check=False)
    assert none.returncode == 1 and "no latency map waits" in none.stderr


def test_a_map_that_waited_too_long_is_dropped_when_it_is_accepted(start):
    """It was refused again and again, and went on waiting."""
    server = start(config=CONFIG)
    bring(server, TRUE)
    for build in (1, 2, 3):
        assert latency(server, "build")["build"] == build
    server.stop()
    folder = server.data / "latency"
    (folder / "map-2").rename(folder / "waiting")
    (folder / "map-3").rename(folder / "later")
    server.start()
    status = latency(server, "status")
    assert (status["map"]["build"], status["waiting"]["build"]) == (1, 2)
    (folder / "later").rename(folder / "map-3")
    assert eventually(lambda: latency(server, "status")["map"]["build"] == 3, timeout=10, pause=0.2)
    refused = latency(server, "accept", check=False)
    assert refused.returncode == 1 and "build 3 is in use by now" in refused.stderr
    assert latency(server, "status")["waiting"] is None
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["aggregate", "imported", "map-1", "map-3", "matrix.csv"]


def test_a_file_that_is_imported_twice_counts_once(start):
    """Each time all its samples counted again."""
    server = start(config=CONFIG)

    def counted():
        latency(server, "build")
        return latency(server, "show", "141.20.1.1")["samples"]

    taken = bring(server, TRUE)
    assert (taken["samples"], taken.get("imported_before")) == (2, None)
    once = counted()
    # Under any name, also after a restart.
    copy = server.folder / "copy.csv"
    copy.write_text(TRUE)
    server.kill()
    server.start()
    again = latency(server, "import", copy)
    assert again["samples"] == 0 and again["imported_before"].endswith("Z")
    text = latency(server, "import", copy, as_json=False)
    assert "this file was imported on " in text and "--again" in text
    assert counted() == once
    assert latency(server, "import", copy, "--again")["samples"] == 2
    assert counted() == 2 * once
    assert latency(server, "import", copy)["samples"] == 0
    # A file that has grown is another one, and what of nothing was taken may come again.
    assert bring(server, TRUE + "141.20.1.0/24,home-1,20,1\n")["refused"] == 1
    unknown = "prefix,region,rtt_ms\n141.20.1.0/24,home-1,20\n"
    assert bring(server, unknown)["samples"] == 0
    server.admin("region", "add", "home-1", "--latitude", "52.52", "--longitude", "13.40")
    assert eventually(lambda: bring(server, unknown)["samples"] == 1)
    # So may all of them when what they came to is gone.
    server.stop()
    (server.data / "latency" / "aggregate").unlink()
    server.start()
    assert latency(server, "import", copy)["samples"] == 2


def test_a_list_of_imported_files_that_is_damaged_is_put_aside(start):
    server = start(config=CONFIG)
    bring(server, TRUE)
    server.stop()
    folder = server.data / "latency"
    (folder / "imported").write_text("what is this")
    server.start()
    assert (folder / "imported.unreadable").read_text() == "what is this"
    assert bring(server, TRUE)["samples"] == 2


@pytest.mark.parametrize(
    "names", [["aggregate"], ["matrix.csv"], ["imported"], ["aggregate", "imported"]]
)
def test_what_maps_are_built_from_does_not_stop_the_start_by_not_being_read(start, names):
    """An error of the disk in one of them, and nobody was answered."""
    server = start(config=CONFIG)
    bring(server, TRUE)
    server.stop()
    folder = server.data / "latency"
    for name in names:
        (folder / name).unlink()
        (folder / name).mkdir()
    server.start()
    for name in names:
        assert (folder / f"{name}.unreadable").is_dir()
    assert f"{names[0]}.unreadable: cannot read " in server.why_not_ready("readyz")
    assert bring(server, TRUE)["samples"] == (0 if names == ["matrix.csv"] else 2)
    assert latency(server, "build")["networks"] == 1


def test_a_file_that_two_import_at_once_counts_once(start):
    server = start(config=CONFIG)
    path = server.folder / "large.csv"
    lines = (f"193.{i % 250}.{i // 250}.0/24,eu-central-1,20,1\n" for i in range(50_000))
    path.write_text("".join(lines))
    command = [BIN, "latency", "import", path, "--data-dir", server.data, "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = [json.loads(each.communicate()[0]) for each in both]
    first, second = sorted(told, key=lambda one: one.get("samples", 0), reverse=True)
    assert first["samples"] + first["refused"] == 50_000, told
    said = "this file is being imported at this moment"
    assert second.get("error") == said or second["imported_before"], told
