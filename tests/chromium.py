"""A headless Chromium that is told what to do over a pipe, in its DevTools protocol."""

import base64
import contextlib
import fcntl
import itertools
import json
import os
import select
import signal
import subprocess
import time


class Tab:
    """The one page that is open; `errors` has what the browser complained about."""

    def __init__(self, read, write):
        self.read, self.write = read, write
        self.buffer, self.numbers, self.session, self.errors = b"", itertools.count(1), None, []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """One command, and what comes of it."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.write, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + 30
        while time.monotonic() < end:
            for told in self.messages(end):
                if told.get("id") == number:
                    assert "error" not in told, told
                    return told["result"]
        raise AssertionError(f"no answer to {method}")

    def messages(self, end):
        ready, _, _ = select.select([self.read], [], [], max(0, end - time.monotonic()))
        if ready:
            self.buffer += os.read(self.read, 1 << 20)
        *whole, self.buffer = self.buffer.split(b"\0")
        for message in map(json.loads, whole):
            if message.get("method") == "Log.entryAdded":
                self.errors.append(message["params"]["entry"]["text"])
            yield message

    def run(self, script):
        """The value of some script in the page."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def settled(self, where):
        """Waits until the page is one of which this is true."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            # In between there may be no page to ask.
            with contextlib.suppress(AssertionError):
                if self.run(f"document.readyState == 'complete' && !!({where})"):
                    return
            time.sleep(0.05)
        raise AssertionError(f"never {where}: {self.run('document.documentElement.innerText')}")

    def open(self, url):
        self.call("Page.navigate", url=url)
        self.settled("location.href != 'about:blank'")

    def type(self, field, text):
        """Types into the field of this id."""
        self.run(f"document.getElementById({json.dumps(field)}).focus()")
        self.call("Input.insertText", text=text)

    def press(self, selector):
        """Clicks in the middle of an element."""
        found = self.run(f"""(() => {{
            const found = document.querySelector({json.dumps(selector)});
            found.scrollIntoView({{block: "center"}});
            const box = found.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        }})()""")
        for kind in ("mousePressed", "mouseReleased"):
            place = {"x": found[0], "y": found[1], "button": "left", "clickCount": 1}
            self.call("Input.dispatchMouseEvent", type=kind, **place)

    def resize(self, width, height=900):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.call("Emulation.setDeviceMetricsOverride", **metrics)

    def picture(self):
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])


@contextlib.contextmanager
def chromium(folder):
    """A browser with one empty page."""
    # Numbers that the redirections below do not take.
    ours, theirs = os.pipe(), os.pipe()
    reads, writes = (fcntl.fcntl(end, fcntl.F_DUPFD, 100) for end in (theirs[0], ours[1]))
    command = [
        "bash", "-c", f'exec 3<&{reads} 4>&{writes} && exec "$@"', "bash",
        "chromium-headless-shell", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}",
        "--remote-debugging-pipe",
    ]  # fmt: skip
    with open(folder / "log", "wb") as log:
        running = subprocess.Popen(
            command, stdout=log, stderr=log, pass_fds=(reads, writes), start_new_session=True
        )
    for end in (reads, writes, theirs[0], ours[1]):
        os.close(end)
    try:
        yield Tab(ours[0], theirs[1])
    finally:
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        os.close(ours[0])
        os.close(theirs[1])
