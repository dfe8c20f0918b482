"""What a browser's tab shows, and what it complains of."""

from __future__ import annotations

import time

import numpy as np

from ovxai_convert.photographs.image_files import Pixels
from tests.browser.devtools import Chromium


def complaints(browser: Chromium) -> list[object]:
    """Errors and messages of scripts and of the browser itself."""
    browser.value("new Promise((done) => setTimeout(done, 100))")  # what is asked for late is seen, too
    return [
        *browser.reported("Runtime.exceptionThrown"),
        *browser.reported("Runtime.consoleAPICalled"),
        *browser.reported("Log.entryAdded"),
    ]


def pixels_of(picture: Pixels, colour: tuple[int, int, int]) -> int:
    """How many pixels have a colour, or nearly."""
    return int((np.abs(picture.astype(int) - colour).max(axis=-1) <= 2).sum())


def eventually(browser: Chromium, expression: str) -> bool:
    """Whether an expression comes true; pictures and pages take their time, on a loaded machine more."""
    deadline = time.monotonic() + 20
    while not browser.value(expression):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def seen_in_time(browser: Chromium, colour: tuple[int, int, int], least: int) -> bool:
    """Whether so many pixels get a colour."""
    deadline = time.monotonic() + 20
    while pixels_of(browser.screenshot(), colour) <= least:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
