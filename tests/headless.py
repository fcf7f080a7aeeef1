"""A real browser without a window, spoken to through two pipes: no driver and no package is needed."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import IO, Any

import pytest

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
PATIENCE = 60.0  # seconds for an answer


def browser() -> str | None:
    """The program of an installed Chromium or Chrome; None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


needs_browser = pytest.mark.skipif(browser() is None, reason="no Chromium or Chrome is installed")


@dataclass
class Tab:
    """A page of the browser.  events: (name, what it tells), in order."""

    inlet: IO[bytes]
    outlet: IO[bytes]
    session: str = ""
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    ids: Iterator[int] = field(default_factory=lambda: count(1))

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """What the browser answers, which notes events meanwhile.  [Chrome DevTools Protocol]"""
        id, at = next(self.ids), {"sessionId": self.session} if self.session else {}
        self.inlet.write(json.dumps({"id": id, "method": method, "params": params} | at).encode() + b"\0")
        self.inlet.flush()
        return self._wait(lambda message: message.get("id") == id)["result"]

    def open(self, path: Path) -> None:
        """Load a file and wait until all of it is there."""
        before = len(self.events)
        self.ask("Page.navigate", url=path.absolute().as_uri())
        if not any(name == "Page.loadEventFired" for name, _ in self.events[before:]):
            self._wait(lambda message: message.get("method") == "Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of an expression in the page.  Raises AssertionError if it throws."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """One key, as the keyboard sends it."""
        code = {"Enter": 13, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}.get(key, 0)
        more: Mapping[str, Any] = {"text": "\r"} if key == "Enter" else {}
        self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, windowsVirtualKeyCode=code, **more)
        self.ask("Input.dispatchKeyEvent", type="keyUp", key=key, code=key, windowsVirtualKeyCode=code)

    def show(self, width: int, height: int = 900, dark: bool = False) -> None:
        """The size of the window and the colours that its user prefers."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def fits(self, width: int) -> bool:
        """Whether a window of that width need not be scrolled sideways."""
        self.show(width)
        return bool(self.run("document.documentElement.scrollWidth") <= width)

    def requests(self) -> list[str]:
        """Every address that was asked for, pictures within the page left out."""
        asked = [told["request"]["url"] for name, told in self.events if name == "Network.requestWillBeSent"]
        return [url for url in asked if not url.startswith("data:")]

    def complaints(self) -> list[dict[str, Any]]:
        """What was thrown, and what the console says."""
        names = ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")
        return [told for name, told in self.events if name in names]

    def picture(self, path: Path) -> Path:
        """Write what the window shows as a PNG."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))
        return path

    def _wait(self, wanted: Any) -> dict[str, Any]:
        until = monotonic() + PATIENCE
        while monotonic() < until:
            message = json.loads(self._message())
            if "method" in message:
                self.events.append((message["method"], message["params"]))
            assert "error" not in message, message["error"]
            if wanted(message):
                return dict(message)
        raise AssertionError("the browser does not answer")

    def _message(self) -> bytes:
        parts = []
        while (byte := self.outlet.read(1)) != b"\0":
            assert byte, "the browser has ended"
            parts.append(byte)
        return b"".join(parts)


@contextmanager
def tab(program: str) -> Iterator[Tab]:
    """A browser with one empty page, its network, console and errors noted; gone at the end."""
    to_browser, from_browser = os.pipe(), os.pipe()
    with TemporaryDirectory(ignore_cleanup_errors=True) as profile:  # its processes end after it
        command = [program, *FLAGS, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        theirs = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (to_browser[0], from_browser[1])]
        process = subprocess.Popen(
            command,
            preexec_fn=lambda: [os.dup2(fd, at) for at, fd in enumerate(theirs, 3)],  # where it looks for its pipes
            pass_fds=(3, 4),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (*theirs, to_browser[0], from_browser[1]):
            os.close(fd)
        with os.fdopen(to_browser[1], "wb") as inlet, os.fdopen(from_browser[0], "rb") as outlet:
            found = Tab(inlet, outlet)
            try:
                page = next(t for t in found.ask("Target.getTargets")["targetInfos"] if t["type"] == "page")
                attached = found.ask("Target.attachToTarget", targetId=page["targetId"], flatten=True)
                found.session = attached["sessionId"]
                for domain in ("Page", "Network", "Runtime", "Log"):
                    found.ask(f"{domain}.enable")
                yield found
            finally:
                process.terminate()
                process.wait()
