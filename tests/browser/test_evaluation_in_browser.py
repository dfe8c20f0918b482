"""The page of an evaluation in a browser: nothing is asked for or blocked, and it fits every window."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ovxai_convert.evaluation.page import evaluation_page
from tests.browser.devtools import Chromium
from tests.browser.seen import complaints
from tests.browser.test_report_in_browser import requests
from tests.evaluation.test_page import FACTS, examples, standings


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "evaluation of é 100%.html"
    path.write_text(evaluation_page(FACTS, standings(), examples()), encoding="utf-8")
    return path


@pytest.fixture
def browser(chromium: Chromium, page: Path) -> Iterator[Chromium]:
    chromium.show(1440, 900)
    chromium.open(page)
    yield chromium
    chromium.show(1280, 900)


def test_asks_for_nothing_and_complains_about_nothing(browser: Chromium, page: Path) -> None:
    assert complaints(browser) == []
    assert requests(browser, page) == []
    sizes = browser.value("[...document.images].map((each) => each.naturalWidth)")
    assert len(sizes) == 3 * 3
    assert set(sizes) == {240}


@pytest.mark.parametrize("width", [360, 390, 820, 1440])
def test_fits_the_window(browser: Chromium, width: int) -> None:
    browser.show(width, 900)
    assert browser.value("document.documentElement.scrollWidth") <= width
    cut = browser.value(
        "[...document.querySelectorAll('td, th')].filter((each) => each.offsetParent"
        " && each.scrollWidth > each.clientWidth + 1).length"
    )
    assert cut == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_drawings_have_the_colours_of_their_names(browser: Chromium, scheme: str) -> None:
    browser.show(1440, 900, scheme)
    patches, strokes = (
        browser.value(
            f"[...document.querySelectorAll('{kind}.c1, {kind}.c2')]"
            f".map((each) => getComputedStyle(each).{name})"
        )
        for kind, name in ((".patch", "backgroundColor"), (".curve", "stroke"))
    )
    assert set(strokes) == set(patches)
    assert len(set(strokes)) == 2
    assert np.ptp(browser.screenshot()) > 100


def test_narrow_windows_have_cards_that_say_what_numbers_are(browser: Chromium) -> None:
    heads = "document.querySelector('thead').offsetParent !== null"
    labels = "getComputedStyle(document.querySelector('td.number'), '::before').content"
    assert browser.value(heads)
    assert browser.value(labels) == "none"
    browser.show(390, 900)
    assert not browser.value(heads)
    assert browser.value(labels) == '"Deletion"'
