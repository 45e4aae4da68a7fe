"""docs/ROUTING.md and the quick start of docs/LATENCY.md, as pasted: all commands of each in one
shell, and what they say is printed."""

from harness import REPO
from pasted import paste


def test_the_document_is_true(start, tmp_path):
    server = start()
    text = (REPO / "docs/ROUTING.md").read_text()
    assert text.count("http://127.0.0.1:5380") == 1 and text.count("-p 5300") == 3
    text = text.replace("http://127.0.0.1:5380", server.endpoint)
    paste(server, text.replace("-p 5300", f"-p {server.dns_port}"), tmp_path / "programs")


def test_the_quick_start_of_latencies_is_true(start, tmp_path):
    text = (REPO / "docs/LATENCY.md").read_text()
    begin = text.split("## Quick start")[1].split("\n## ")[0]
    paste(start(), begin, tmp_path / "programs")
