"""Documents as pasted: all commands in one shell, and what they say is printed."""

import os
import re
import shlex
import subprocess

from harness import BIN

BLOCK = re.compile(r"^```(sh|console)\n(.*?)^```", re.DOTALL | re.MULTILINE)
# Runs a command until it prints what fits, which changes may take a moment to bring about.
SHOWS = """
shows() {
  for attempt in {1..30}; do
    printed=$(eval "$1" 2>&1)
    fits && return
    sleep 0.1
  done
  printf '%s\\n\\nprints\\n\\n%s\\n' "$1" "$printed" >&2
  exit 1
}
"""


def script(text):
    """The blocks, with those of a console made into checks of what is printed."""
    for language, block in BLOCK.findall(text):
        if language == "sh":
            yield block
            continue
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, printed = part.split("\n", 1)
            # Of what differs each time the document shows three dots.
            fitting = "*".join(shlex.quote(piece) for piece in printed.rstrip("\n").split("…"))
            yield f"fits() {{ [[ $printed == {fitting} ]]; }}\nshows {shlex.quote(command)}\n"


def paste(server, text, programs):
    """Runs the commands of a document."""
    (server.folder / "meridian-data").symlink_to(server.data)
    programs.mkdir()
    (programs / "meridian").symlink_to(BIN.resolve())
    environment = server.aws_environment()
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail"],
        input="\n".join([SHOWS, *script(text), "echo all of it"]),
        env=environment,
        cwd=server.folder,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and done.stdout.endswith("all of it\n"), done.stdout + done.stderr
