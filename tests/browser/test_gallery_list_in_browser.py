"""The list of the report of many photographs: filters, orders, pages, addresses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ovxai_convert.datasets import gallery
from ovxai_convert.datasets.gallery import write_gallery
from tests.browser.devtools import Chromium
from tests.browser.gallery_tab import COUNT, fill, listed
from tests.browser.seen import complaints, eventually
from tests.datasets.gallery_cases import ANIMALS, animals
from tests.explain.report_cases import FACTS

SHOWN = "document.querySelector('.nothing').checkVisibility()"
HASH = "decodeURIComponent(location.hash.slice(1))"


@pytest.fixture
def page(gallery_file: Path) -> Path:
    return gallery_file


@pytest.fixture
def browser(gallery_tab: Chromium) -> Chromium:
    return gallery_tab


def wrong(number: int) -> bool:
    return number % 7 == 6 and number % 10 != 9


def answer(number: int) -> str:
    """What the model answers; nothing for a photograph that was not explained."""
    return "" if number % 10 == 9 else ANIMALS[(number % 3 + (number % 7 == 6)) % 3]


def test_words(browser: Chromium) -> None:
    fill(browser, "words", "  PHOTO1 lynx ")
    expected = [n for n in range(100) if str(n).startswith("1") and "lynx" in (ANIMALS[n % 3], answer(n))]
    assert listed(browser) == expected
    assert browser.value(COUNT) == f"{len(expected)} of 100 photographs"


def test_typing(browser: Chromium) -> None:
    browser.click("[name=words]")
    for key in "photo77":
        browser.press(key)
    assert listed(browser) == [77]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("show", "wrong answers", [n for n in range(100) if wrong(n)]),
        ("show", "right answers", [n for n in range(100) if not wrong(n) and n % 10 != 9]),
        ("show", "not explained", [n for n in range(100) if n % 10 == 9]),
        ("show", "explained", [n for n in range(100) if n % 10 != 9]),
        ("class", "lynx", [n for n in range(100) if answer(n) == "lynx"]),
        ("truth", "dog", [n for n in range(100) if ANIMALS[n % 3] == "dog"]),
        ("reason", "no such file", [n for n in range(100) if n % 20 == 19]),
        ("least", "0.9", [n for n in range(100) if n % 50 >= 45 and n % 10 != 9]),
        ("most", "0.1", [n for n in range(100) if n % 50 <= 5 and n % 10 != 9]),
        ("most", "-1", []),
    ],
)
def test_filters(browser: Chromium, name: str, value: str, expected: list[int]) -> None:
    fill(browser, name, value)
    assert listed(browser) == expected[:48]
    assert browser.value(COUNT).startswith(f"{len(expected)} of 100 photographs")
    assert browser.value(SHOWN) is not bool(expected)
    assert complaints(browser) == []


def test_filters_together_and_away_again(browser: Chromium) -> None:
    fill(browser, "show", "wrong answers")
    fill(browser, "class", "lynx")
    fill(browser, "least", "0.5")
    assert listed(browser) == [n for n in range(100) if wrong(n) and answer(n) == "lynx" and n % 50 >= 25]
    browser.click(".tools [name=clear]")
    assert browser.value(COUNT) == "100 photographs, listed 1 to 48"
    assert browser.value(HASH) == ""


def test_nothing_matches(browser: Chromium) -> None:
    fill(browser, "words", "no such thing")
    assert browser.value("document.querySelector('.nothing p').textContent") == "Nothing matches."
    assert browser.value(SHOWN)
    browser.click(".nothing button")
    assert not browser.value(SHOWN)
    assert len(listed(browser)) == 48


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("highest score first", [48, 98, 47, 97, 46]),
        ("lowest score first", [0, 50, 1, 51, 2]),
        ("by file name", [0, 1, 2, 3, 4]),
        ("by class", [0, 3, 12, 15, 18]),
        ("as given", [0, 1, 2, 3, 4]),
    ],
)
def test_orders(browser: Chromium, order: str, expected: list[int]) -> None:
    fill(browser, "order", order)
    assert listed(browser)[:5] == expected


def test_what_has_no_score_comes_last(browser: Chromium) -> None:
    fill(browser, "order", "highest score first")
    browser.click(".pager [name=forth]")
    browser.click(".pager [name=forth]")
    assert [number % 10 for number in listed(browser)] == [9] * 4
    fill(browser, "order", "lowest score first")
    browser.click(".pager [name=forth]")
    browser.click(".pager [name=forth]")
    assert [number % 10 for number in listed(browser)] == [9] * 4


def test_pages_with_the_keyboard(browser: Chromium) -> None:
    browser.value("document.querySelector('.pager [name=forth]').focus()")
    browser.press("Enter")
    assert listed(browser) == list(range(48, 96))
    assert browser.value(COUNT) == "100 photographs, listed 49 to 96"
    assert browser.value("document.activeElement.id") == "listing-title"
    browser.press("Tab")
    assert browser.value("document.activeElement.name") == "words"
    browser.value(
        "(() => { const field = document.querySelector('.pager input'); field.value = 99;"
        " field.dispatchEvent(new Event('change')); })()"
    )
    assert listed(browser) == [96, 97, 98, 99]
    assert browser.value("document.querySelector('.pager [name=forth]').disabled")


def test_the_address_remembers(browser: Chromium, page: Path) -> None:
    fill(browser, "order", "highest score first")
    fill(browser, "truth", "lynx")
    fill(browser, "least", "0.25")
    before = listed(browser)
    assert len(before) not in (0, 48)
    assert browser.value(HASH) == "truth=lynx&least=0.25&order=highest"
    browser.value("document.querySelector('.cards').replaceChildren()")
    browser.call("Page.reload")
    assert eventually(browser, f"document.querySelectorAll('.cards li').length === {len(before)}")
    assert listed(browser) == before
    assert browser.value("document.querySelector('[name=least]').value") == "0.25"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("page=2", list(range(48, 96))),
        ("page=x&order=backwards&nonsense=1&show=everything", list(range(48))),
        ("class=emu", []),
        ("class=cat&most=0", [0]),
    ],
)
def test_an_address_by_hand(browser: Chromium, text: str, expected: list[int]) -> None:
    browser.value(f"location.hash = {json.dumps(text)}")
    browser.value("new Promise((done) => setTimeout(done, 50))")  # its event comes behind what waits now
    assert listed(browser) == expected
    if "emu" in text:
        assert browser.value("document.querySelector('[name=class]').selectedOptions[0].text") == "emu (0)"
        assert browser.value(HASH) == text
    assert complaints(browser) == []


@pytest.mark.parametrize(
    "selector", [".classes li:nth-child(1)", ".matrix tbody tr:nth-child(3) td", ".failures li:nth-child(2)"]
)
def test_what_a_panel_counts_can_be_listed(browser: Chromium, selector: str) -> None:
    cell = f"document.querySelector('{selector}')"
    times = browser.value(f"parseInt(({cell}.querySelector('.times') ?? {cell}).textContent)")
    fill(browser, "words", "something else")
    browser.click(f"{selector} .pick")
    assert browser.value(COUNT) == f"{times} of 100 photographs"
    pressed = "document.querySelectorAll('.pick[aria-pressed=true]').length"
    assert browser.value(pressed) == 1
    browser.click(f"{selector} .pick")
    assert browser.value(COUNT) == "100 photographs, listed 1 to 48"
    assert browser.value(pressed) == 0


def test_the_chart_of_scores(browser: Chromium) -> None:
    label = "document.querySelector('.chart').getAttribute('aria-label')"
    assert browser.value(label) == "Scores of 90 photographs, half of them up to 0.480"
    heights = "[...document.querySelectorAll('.chart .found')].map((each) => each.height.baseVal.value > 0)"
    assert all(browser.value(heights))
    fill(browser, "least", "0.5")
    assert browser.value(heights) == [False] * 10 + [True] * 10
    browser.click(".tools [name=clear]")
    browser.click(".chart .found:nth-child(31)")
    assert browser.value("[control.least.value, control.most.value]") == ["0.5", "0.55"]
    assert listed(browser) == [25, 26, 27, 75, 76, 77]


def test_links_to_further_pages_keep_what_is_chosen(
    browser: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "MOST_PHOTOGRAPHS", 30)
    browser.open(write_gallery(tmp_path / "report.html", animals(tmp_path), FACTS)[0])
    fill(browser, "truth", "dog")
    assert browser.value(COUNT) == "10 of 30 photographs on this page"
    browser.click(".parts li:nth-child(4) a")
    assert eventually(browser, "document.querySelectorAll('.cards li').length === 3")
    assert listed(browser) == [91, 94, 97]
    assert browser.value(COUNT) == "3 of 10 photographs on this page"
    assert browser.value("location.pathname").endswith("report-4.html")
