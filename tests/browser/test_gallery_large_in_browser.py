"""Photographs of the report of many in large, whatever their files are called."""

from __future__ import annotations

from pathlib import Path

import pytest

from ovxai_convert.datasets.gallery import write_gallery
from tests.browser.devtools import Chromium
from tests.browser.gallery_tab import fill, listed
from tests.browser.seen import complaints, eventually, seen_in_time
from tests.datasets.gallery_cases import Row, draw, failed
from tests.explain.report_cases import FACTS, GREEN, HOSTILE, VIOLET

AT_THE_FIRST = "document.activeElement.closest('li') === document.querySelector('.cards li')"
TITLE = "document.querySelector('#large-title bdi').textContent"


NAMED: tuple[str, ...] = (
    "plain.png",
    "a 100% #1?x=y&z;.png",
    "quotes ' \" <b>.png",
    "</script><script>document.title = 'run'</script>.png".replace("/", "\u2215"),
    "javascript:alert(1).png",
    "back\\slash.png",
    "line\nfeed.png",
    "猫 é 🐈.png",
    "no text \udcff\udc80.png",
    "..hidden.png",
    "!~*'().png",
)


@pytest.fixture
def browser(gallery_tab: Chromium) -> Chromium:
    return gallery_tab


def test_enlarging(browser: Chromium) -> None:
    fill(browser, "show", "wrong answers")
    browser.click(".cards li:nth-child(2) a.view")
    assert browser.value("document.querySelector('dialog').open")
    assert browser.value(TITLE) == "photo13.png"
    assert seen_in_time(browser, GREEN, 100_000)
    assert seen_in_time(browser, VIOLET, 100_000)
    browser.press("ArrowRight")
    assert browser.value(TITLE) == "photo20.png"
    for _ in range(9):
        browser.press("ArrowLeft")
    assert browser.value(TITLE) == "photo6.png"
    assert browser.value("document.querySelector('dialog [name=back]').disabled")
    assert browser.value("document.querySelector('dialog dl').innerText").split("\n")[:4] == [
        "Answer",
        "wrong",
        "Truth",
        "cat",
    ]
    browser.press("Escape")
    assert eventually(browser, "!document.querySelector('dialog').open")
    assert eventually(browser, AT_THE_FIRST)
    assert complaints(browser) == []


def test_enlarging_leads_over_the_list_s_page(browser: Chromium) -> None:
    browser.click(".cards li:nth-child(48) a.view")
    browser.press("ArrowRight")
    assert browser.value(TITLE) == "photo48.png"
    browser.click("dialog [name=close]")
    assert eventually(browser, AT_THE_FIRST)
    assert listed(browser)[0] == 48


def test_maps_of_one_photograph(browser: Chromium, tmp_path: Path) -> None:
    draw(tmp_path / "a.png", VIOLET)
    draw(tmp_path / "a_cat.png", GREEN)
    draw(tmp_path / "a_dog.png", (0, 200, 250))
    rows = [
        Row(str(tmp_path / "a.png"), picture="a_cat.png"),
        Row(str(tmp_path / "a.png"), class_index=1, label="dog", score=0.1, rank=2, picture="a_dog.png"),
    ]
    browser.open(write_gallery(tmp_path / "report.html", rows, FACTS)[0])
    browser.click(".cards a.view")
    browser.click("dialog .maps button:nth-child(2)")
    assert seen_in_time(browser, (0, 200, 250), 100_000)
    assert (
        browser.value("document.querySelectorAll('figcaption')[1].textContent") == "Map of dog, score 0.100"
    )
    assert browser.value(
        "[...document.querySelectorAll('.maps button')].map((each) => each.ariaPressed)"
    ) == [
        "false",
        "true",
    ]


def test_files_that_are_not_there(browser: Chromium, tmp_path: Path) -> None:
    rows = [
        Row("s3://bucket/a.png", picture="gone.png"),
        Row(str(tmp_path / "b.png"), picture="b_cat.png"),
        Row("c.png"),
    ]
    draw(tmp_path / "b_cat.png", GREEN)
    browser.open(write_gallery(tmp_path / "report.html", rows, FACTS)[0])
    assert eventually(browser, "document.querySelector('.cards .view').textContent !== ''")
    views = browser.value("[...document.querySelectorAll('.cards .view')].map((each) => each.textContent)")
    assert views == ["picture not found", "", "no picture"]
    browser.click(".cards li:nth-child(2) a.view")
    assert eventually(browser, "document.querySelector('figure').textContent.includes('not found')")
    browser.press("ArrowLeft")
    assert browser.value("document.querySelector('figure').hidden"), "no browser looks there"
    browser.press("ArrowRight")
    assert browser.value("document.querySelector('dialog [name=forth]').disabled"), (
        "there is no picture of c.png"
    )


def test_pictures_are_found_whatever_they_are_called(browser: Chromium, tmp_path: Path) -> None:
    folder = tmp_path / "photo graphs #%"
    for name in NAMED:
        draw(folder / name, VIOLET)
        draw(tmp_path / "maps?" / name, GREEN)
    rows = [Row(str(folder / name), label=name, picture=f"maps?/{name}", score=0.5) for name in NAMED]
    browser.open(write_gallery(tmp_path / "report.html", rows, FACTS)[0])
    sizes = "[...document.querySelectorAll('.cards img')].filter((each) => each.naturalWidth === 90).length"
    html = "document.querySelector('.cards').innerHTML.replaceAll('\\n', '')"
    assert eventually(browser, f"{sizes} === {len(NAMED)}")
    written = browser.value(html)
    fill(browser, "order", "highest score first")
    browser.value("list.replaceChildren(...found.map(card))")
    assert eventually(browser, f"{sizes} === {len(NAMED)}"), "by the script, too"
    assert browser.value(html) == written
    browser.click(".cards a.view")
    large = "[...document.querySelectorAll('dialog img')].every((each) => each.naturalWidth === 90)"
    for place in range(len(NAMED)):
        assert (
            browser.value("document.querySelector('#large-title .aside').textContent") == f"{place + 1} of 11"
        )
        assert eventually(browser, large)
        browser.press("ArrowRight")
    assert complaints(browser) == []
    assert browser.value("document.title").endswith("saliency report of 11 photographs")


def test_text_of_others_stays_text(browser: Chromium, tmp_path: Path) -> None:
    rows = [
        Row(f"{HOSTILE}.png", HOSTILE, 0, HOSTILE, 0.5, correct=False, head=HOSTILE),
        Row(f"{HOSTILE}.png", HOSTILE, 1, HOSTILE, 0.5, correct=True, head="mood"),
        failed(HOSTILE, HOSTILE, HOSTILE),
    ]
    browser.open(write_gallery(tmp_path / "report.html", rows, FACTS)[0])
    shown = HOSTILE.replace("\udcff", "?")
    fill(browser, "order", "lowest score first")
    fill(browser, "words", shown.split()[0])
    assert browser.value("document.querySelector('.cards .answer bdi').textContent") == f"{shown}: {shown}"
    fill(browser, "reason", shown)
    assert browser.value("document.querySelector('.cards .reason').textContent") == shown
    browser.click(".failures .pick")
    browser.click(".classes .pick")
    assert browser.value("document.scripts.length") == 2
    assert complaints(browser) == []
