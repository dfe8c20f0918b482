"""A headless Chromium, driven through its DevTools protocol over a pair of pipes.

Pipes rather than a port: nothing listens, and no package for websockets is needed. Messages are JSON, each
ended by a zero byte; with "--remote-debugging-pipe" the browser reads descriptor 3 and writes descriptor 4.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import cv2
import numpy as np

from ovxai_convert.photographs.image_files import Pixels

_FLAGS: Final = (
    "--headless",
    "--no-sandbox",  # Chromium refuses to run as root with it
    "--disable-gpu",
    "--disable-dev-shm-usage",  # small in containers
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
_PATIENCE: Final = 120.0
"""Seconds until an answer is given up: a loaded machine starts Chromium slowly."""

Message = dict[str, Any]


class Chromium:
    """A browser with one tab; a context manager that ends it.

    Attributes:
        events: all that the browser reported of the tab since it was opened, in its order.
    """

    def __init__(self, program: Path, profile: Path) -> None:
        self.events: list[Message] = []
        self._unread = b""
        self._last_id = 0
        browser_reads, self._to_browser = _pipe()
        self._from_browser, browser_writes = _pipe()
        # The shell gives the two pipes the numbers that the browser expects.
        script = f'exec "$0" "$@" 3<&{browser_reads} 4>&{browser_writes}'
        command = ["bash", "-c", script, str(program), *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        with (profile.parent / "chromium.log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                pass_fds=(browser_reads, browser_writes),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # so that its many processes can be ended together
            )
        os.close(browser_reads)
        os.close(browser_writes)
        self._session: str | None = None

    def __enter__(self) -> Self:
        """The browser, without a tab as yet."""
        return self

    def open_tab(self) -> None:
        """Open the one tab; all commands but this one need it."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "DOM"):
            self.call(f"{domain}.enable")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the browser and all its processes."""
        os.close(self._to_browser)  # the browser takes that for its end
        os.close(self._from_browser)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def call(self, method: str, **parameters: Any) -> Any:
        """One command and its result.

        Raises:
            AssertionError: the browser refuses it, ends, or does not answer in time.
        """
        self._last_id += 1
        message: Message = {"id": self._last_id, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to_browser, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda each: each.get("id") == message["id"])
        assert "error" not in answer, (method, answer)
        return answer["result"]

    def open(self, page: Path | str) -> None:
        """Load a file or a URL and wait until all of it is there; what was reported before is forgotten."""
        self.events.clear()
        self.call("Page.navigate", url=page if isinstance(page, str) else page.resolve().as_uri())
        if not self.reported("Page.loadEventFired"):
            self._until(lambda each: each.get("method") == "Page.loadEventFired")

    def reported(self, method: str) -> list[Message]:
        """Parameters of all events of a name."""
        return [event["params"] for event in self.events if event["method"] == method]

    def value(self, expression: str) -> Any:
        """A JavaScript expression's value in the page, as JSON has it; a promise is awaited."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key, named as in a keyboard event."""
        text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
        code = {"Enter": 13, "Tab": 9, "Escape": 27, "ArrowLeft": 37, "ArrowRight": 39}.get(key, 0)
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, text=text, windowsVirtualKeyCode=code)

    def click(self, selector: str) -> None:
        """Click the middle of an element, wherever the page has it."""
        x, y = self.value(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                element.scrollIntoView({{ block: "center" }});
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def choose(self, selector: str, *files: Path) -> None:
        """Give files to a field for files."""
        field = self.call("Runtime.evaluate", expression=f"document.querySelector({json.dumps(selector)})")
        paths = [str(each.resolve()) for each in files]
        self.call("DOM.setFileInputFiles", files=paths, objectId=field["result"]["objectId"])

    def show(self, width: int, height: int, scheme: str = "light") -> None:
        """Give the tab a size in pixels and a colour scheme."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def screenshot(self) -> Pixels:
        """What the tab shows, ``(H, W, 3)`` blue, green, red."""
        encoded = base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])
        pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        return np.asarray(pixels, np.uint8)

    def _until(self, wanted: Callable[[Message], bool]) -> Message:
        """Read messages, keeping the events, until one is wanted."""
        deadline = time.monotonic() + _PATIENCE
        while True:
            while b"\0" not in self._unread:
                ready, _, _ = select.select(
                    [self._from_browser], [], [], max(0.0, deadline - time.monotonic())
                )
                assert ready, f"Chromium has not answered for {_PATIENCE:.0f} s"
                received = os.read(self._from_browser, 1 << 20)
                assert received, "Chromium has ended; see chromium.log beside its profile"
                self._unread += received
            text, _, self._unread = self._unread.partition(b"\0")
            message: Message = json.loads(text)
            if "method" in message:
                self.events.append(message)
            if wanted(message):
                return message


def _pipe() -> tuple[int, int]:
    """A pipe whose ends have numbers from 10 up, so that none is 3 or 4."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]
