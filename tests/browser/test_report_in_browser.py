from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ovxai_convert.explain.report import report_page
from tests.browser.devtools import Chromium
from tests.browser.seen import complaints, pixels_of
from tests.explain.report_cases import FACTS, GREEN, HOSTILE, VIOLET, entry, plain

ENTRIES = [
    entry("photo10.png", "lynx", 7, 0.2, seconds=0.5),
    entry("photo10.png", "Cat", 3, 0.7, seconds=0.5),
    entry(
        "photo9.png",
        "apple",
        1,
        0.00002,
        method="rise",
        seconds=20.0,
        photograph=plain((9, 99, 199), 400, 300),
    ),
    entry(HOSTILE, "cup", None, 1.0, seconds=0.06, overlay=plain((199, 99, 9), 300, 400)),
]
AS_GIVEN = ["lynx", "Cat", "apple", "cup"]
LABELS = (
    "[...document.querySelectorAll('tbody tr:not([hidden]) td.class bdi')].map((each) => each.textContent)"
)
COLUMN = "thead th:nth-child({}) button"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "report of é 100%.html"
    path.write_text(report_page(FACTS, ENTRIES), encoding="utf-8")
    return path


@pytest.fixture
def browser(chromium: Chromium, page: Path) -> Iterator[Chromium]:
    """The report, opened on a wide window; JavaScript is allowed again afterwards."""
    chromium.show(1280, 900)
    chromium.open(page)
    yield chromium
    chromium.call("Emulation.setScriptExecutionDisabled", value=False)


def requests(browser: Chromium, page: Path) -> list[str]:
    """What was asked for beside the page and the data within."""
    asked = [event["request"]["url"] for event in browser.reported("Network.requestWillBeSent")]
    assert page.resolve().as_uri() in asked, "requests are seen"
    return [url for url in asked if url != page.resolve().as_uri() and not url.startswith("data:")]


def test_asks_for_nothing_and_complains_about_nothing(browser: Chromium, page: Path) -> None:
    assert complaints(browser) == []
    assert requests(browser, page) == []


def test_what_would_be_asked_for_is_seen_and_blocked(browser: Chromium, tmp_path: Path) -> None:
    leaking = tmp_path / "leaking.html"
    leak = '<img src="http://127.0.0.1:9/x.png"><script>document.title = "run"</script></body>'
    leaking.write_text(report_page(FACTS, ENTRIES).replace("</body>", leak), encoding="utf-8")
    browser.open(leaking)
    assert len(complaints(browser)) == 2
    assert browser.value("document.title") == f"{FACTS.model}: saliency report"


def test_every_overlay_is_decoded(browser: Chromium) -> None:
    sizes = browser.value(
        "[...document.images].map((each) => each.complete && [each.naturalHeight, each.naturalWidth])"
    )
    assert sizes == [[60, 90], [60, 90], [60, 90], [300, 400]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 900), (400, 1800)])
def test_pictures_are_on_the_screen(browser: Chromium, size: tuple[int, int], scheme: str) -> None:
    browser.show(*size, scheme)
    seen = browser.screenshot()
    for colour, how_many in ((GREEN, 3), (VIOLET, 3), ((9, 99, 199), 1), ((199, 99, 9), 1)):
        assert pixels_of(seen, colour) > how_many * 6000, colour


@pytest.mark.parametrize("width", [320, 400, 800, 1120, 1121, 1280, 2560])
def test_nothing_sticks_out(browser: Chromium, width: int) -> None:
    browser.show(width, 900)
    assert browser.value("document.documentElement.scrollWidth") == width


def test_colours_follow_the_scheme(browser: Chromium) -> None:
    browser.show(1280, 900, "light")
    assert np.median(browser.screenshot()) > 200
    browser.show(1280, 900, "dark")
    assert np.median(browser.screenshot()) < 60


@pytest.mark.parametrize(
    ("column", "first", "expected"),
    [
        (3, "ascending", ["cup", "apple", "lynx", "Cat"]),  # photo9 before photo10
        (4, "ascending", ["apple", "Cat", "cup", "lynx"]),
        (5, "descending", ["cup", "Cat", "lynx", "apple"]),
        (6, "ascending", ["lynx", "Cat", "cup", "apple"]),
        (7, "ascending", ["cup", "lynx", "Cat", "apple"]),
    ],
)
def test_sorting(browser: Chromium, column: int, first: str, expected: list[str]) -> None:
    assert browser.value(LABELS) == AS_GIVEN
    browser.click(COLUMN.format(column))
    assert browser.value(LABELS) == expected
    sort = f"document.querySelector('thead th:nth-child({column})').getAttribute('aria-sort')"
    assert browser.value(sort) == first
    browser.click(COLUMN.format(column))
    assert browser.value(sort) == {"ascending": "descending", "descending": "ascending"}[first]
    assert browser.value(LABELS) != expected
    assert browser.value("document.querySelectorAll('[aria-sort]').length") == 1
    assert complaints(browser) == []


def test_sorting_with_the_keyboard(browser: Chromium) -> None:
    browser.value(f"document.querySelector('{COLUMN.format(3)}').focus()")
    browser.press("Tab")
    browser.press("Enter")
    assert browser.value(LABELS) == ["apple", "Cat", "cup", "lynx"]


def test_filtering(browser: Chromium) -> None:
    browser.click("input[type=search]")
    for key in "PHOTO10":
        browser.press(key)
    assert browser.value(LABELS) == ["lynx", "Cat"]
    assert browser.value("document.querySelector('.count').textContent") == "2 of 4 maps"
    browser.click(COLUMN.format(4))
    assert browser.value(LABELS) == ["Cat", "lynx"]


def test_enlarging(browser: Chromium) -> None:
    browser.click("tbody tr:nth-child(2) td:nth-child(2) button")
    assert browser.value("document.querySelector('dialog').open")
    assert browser.value("document.querySelector('dialog p').textContent") == "photo10.png: Cat, 0.700"
    seen = browser.screenshot()
    assert min(pixels_of(seen, GREEN), pixels_of(seen, VIOLET)) > 100_000
    browser.press("ArrowRight")
    assert browser.value("document.querySelector('dialog p').textContent") == "photo9.png: apple, < 0.001"
    browser.press("Escape")
    assert not browser.value("document.querySelector('dialog').open")
    assert complaints(browser) == []


def test_text_of_others_stays_text(browser: Chromium) -> None:
    name = browser.value("document.querySelectorAll('tbody th')[3].textContent")
    assert name == HOSTILE.replace("\udcff", "?")
    assert browser.value("document.scripts.length") == 1


def test_without_javascript(browser: Chromium, page: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page)
    seen = browser.screenshot()
    assert min(pixels_of(seen, GREEN), pixels_of(seen, VIOLET)) > 20_000
    assert browser.value("document.querySelectorAll('button:not(dialog *)').length") == 0
    assert not browser.value("document.querySelector('.filter').checkVisibility()")


def test_empty_report(browser: Chromium, tmp_path: Path) -> None:
    empty = tmp_path / "empty.html"
    empty.write_text(report_page(FACTS, []), encoding="utf-8")
    browser.open(empty)
    assert "No image was explained." in browser.value("document.querySelector('main').innerText")
    assert complaints(browser) == []
