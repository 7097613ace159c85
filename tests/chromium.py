"""Chromium without a window, told over two pipes what to do: pages as a browser has them."""

import base64
import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

FOUND = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
_FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run",
    "--hide-scrollbars", "--disable-background-networking", "--disable-component-update",
    "--allow-file-access-from-files=false",
)  # fmt: skip
# It reads from 3 and writes to 4, which may be taken: both are put aside first.
_NUMBERED = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
for number, end in zip((3, 4), ends):
    os.dup2(end, number)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Page:
    """A page, and all that it asked for."""

    def __init__(self, out: int, back: int):
        self._out, self._back, self._left, self._number = out, back, b"", 0
        self.asked: list[str] = []
        self.said: list[str] = []
        target = self.tell("Target.createTarget", alone=True, url="about:blank")["targetId"]
        self._session = self.tell(
            "Target.attachToTarget", alone=True, targetId=target, flatten=True
        )["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.tell(f"{domain}.enable")

    def tell(self, method: str, alone: bool = False, **values) -> dict:
        """Sends a command and returns what comes back; remembers what happens meanwhile."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": values}
        if not alone:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        while True:
            found = self._next()
            if found.get("id") == self._number:
                assert "error" not in found, found
                return found["result"]
            self._happened(found)

    def open(self, path: pathlib.Path, fragment: str = "") -> None:
        """Opens a file, and waits until what it shows at first is there."""
        self.tell("Page.navigate", url=path.absolute().as_uri() + fragment)
        self.wait("document.readyState === 'complete' && document.querySelector('h1') !== null")

    def value(self, code: str):
        """Returns the value of an expression in the page."""
        found = self.tell("Runtime.evaluate", expression=code, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait(self, code: str, seconds: float = 60.0) -> None:
        """Waits until an expression is true."""
        deadline = time.monotonic() + seconds
        while not self.value(code):
            assert time.monotonic() < deadline, f"{code}: {self.said}"
            time.sleep(0.05)

    def press(self, key: str) -> None:
        """Presses a key; one letter is typed."""
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        self.tell("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.tell("Input.dispatchKeyEvent", type="keyUp", key=key)

    def look(self, path: pathlib.Path, width: int, height: int, dark: bool = False) -> None:
        """Writes what a screen of a size shows, as PNG."""
        mobile = width < 600
        self.tell("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=mobile)  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.tell("Emulation.setEmulatedMedia", features=[scheme])
        time.sleep(0.5)
        path.write_bytes(base64.b64decode(self.tell("Page.captureScreenshot")["data"]))

    def _next(self) -> dict:
        while b"\0" not in self._left:
            more = os.read(self._back, 2**20)
            assert more, "the browser is gone"
            self._left += more
        message, _, self._left = self._left.partition(b"\0")
        return json.loads(message)

    def _happened(self, event: dict) -> None:
        values = event.get("params", {})
        if event.get("method") == "Network.requestWillBeSent":
            self.asked.append(values["request"]["url"])
        if event.get("method") == "Runtime.exceptionThrown":
            details = values["exceptionDetails"]
            self.said.append(details.get("exception", {}).get("description", details["text"]))
        if event.get("method") == "Log.entryAdded":
            self.said.append(values["entry"]["text"])


@contextlib.contextmanager
def page():
    """Yields a page of a browser that ends with it."""
    to_read, out = os.pipe()
    back, to_write = os.pipe()
    with tempfile.TemporaryDirectory() as home:
        numbered = [sys.executable, "-c", _NUMBERED, str(to_read), str(to_write), FOUND]
        process = subprocess.Popen(
            [*numbered, *_FLAGS, f"--user-data-dir={home}"], pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_read)
        os.close(to_write)
        try:
            yield Page(out, back)
        finally:
            process.terminate()
            process.wait(30)
            os.close(out)
            os.close(back)
