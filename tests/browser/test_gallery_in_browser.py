"""The report of many photographs in a browser: what it asks for, how it looks, with and without a script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ovxai_convert.datasets.gallery import write_gallery
from tests.browser.devtools import Chromium
from tests.browser.gallery_tab import fill, listed
from tests.browser.seen import complaints, eventually, seen_in_time
from tests.datasets.gallery_cases import failed
from tests.explain.report_cases import FACTS, GREEN


@pytest.fixture
def page(gallery_file: Path) -> Path:
    return gallery_file


@pytest.fixture
def browser(gallery_tab: Chromium) -> Chromium:
    return gallery_tab


ROLES = (
    "button",
    "link",
    "textbox",
    "searchbox",
    "combobox",
    "spinbutton",
    "region",
    "dialog",
    "navigation",
    "image",
)


def pictures_asked_for(browser: Chromium) -> list[str]:
    asked = [event["request"]["url"] for event in browser.reported("Network.requestWillBeSent")]
    return [url for url in asked if url.endswith(".png")]


def test_asks_for_its_pictures_and_complains_about_nothing(browser: Chromium, page: Path) -> None:
    assert complaints(browser) == []
    asked = [event["request"]["url"] for event in browser.reported("Network.requestWillBeSent")]
    folder = page.parent.resolve().as_uri()
    assert page.resolve().as_uri() in asked
    assert all(
        url.startswith((f"{folder}/maps/", "data:")) for url in asked if url != page.resolve().as_uri()
    )
    assert pictures_asked_for(browser)


def test_what_lies_elsewhere_is_blocked(browser: Chromium, page: Path, tmp_path: Path) -> None:
    leaking = tmp_path / "leaking.html"
    leak = '<img src="http://127.0.0.1:9/x.png"><script>document.title = "run"</script></body>'
    leaking.write_text(page.read_text("utf-8").replace("</body>", leak), encoding="utf-8")
    browser.open(leaking)
    blocked = [each for each in complaints(browser) if "Content Security Policy" in str(each)]
    assert len(blocked) == 2
    assert "saliency report" in browser.value("document.title")


def test_pictures_are_fetched_when_they_are_near(browser: Chromium, page: Path) -> None:
    browser.show(390, 800)
    browser.open(page)
    complete = "[...document.querySelectorAll('.cards img')].filter((each) => each.complete).length"
    assert eventually(browser, f"{complete} > 2")
    before = len(set(pictures_asked_for(browser)))
    assert 2 < before < 40
    browser.value("window.scrollTo(0, document.body.scrollHeight)")
    assert eventually(browser, f"{complete} > {before}")
    assert len(set(pictures_asked_for(browser))) > before


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [(390, 3000), (820, 2000), (1440, 2000)])
def test_pictures_are_on_the_screen(browser: Chromium, size: tuple[int, int], scheme: str) -> None:
    browser.show(*size, scheme)
    assert seen_in_time(browser, GREEN, 50_000)


@pytest.mark.parametrize("width", [320, 390, 639, 820, 1120, 1440, 2560])
def test_nothing_sticks_out(browser: Chromium, width: int) -> None:
    browser.show(width, 900)
    assert browser.value("document.documentElement.scrollWidth") == width
    browser.click(".cards a.view")
    assert browser.value("document.querySelector('dialog').scrollWidth") <= width
    browser.press("Escape")


def test_colours_follow_the_scheme(browser: Chromium) -> None:
    browser.show(1440, 900, "light")
    assert np.median(browser.screenshot()) > 200
    browser.show(1440, 900, "dark")
    assert np.median(browser.screenshot()) < 60


def test_the_script_makes_the_cards_that_stand_there_without_it(browser: Chromium) -> None:
    html = "[...document.querySelectorAll('.cards li')].map((each) => each.outerHTML.replaceAll('\\n', ''))"
    written = browser.value(html)
    fill(browser, "order", "lowest score first")
    assert browser.value(html) != written
    fill(browser, "order", "as given")
    assert browser.value(html) == written
    assert len(written) == 48


def test_controls_have_names(browser: Chromium) -> None:
    browser.click(".cards a.view")
    for dialog in (True, False):
        controls = [
            node
            for node in browser.call("Accessibility.getFullAXTree")["nodes"]
            if node["role"]["value"] in ROLES and not node.get("ignored")
        ]
        assert len(controls) > (2 if dialog else 60)
        assert [node for node in controls if not node["name"]["value"].strip()] == []
        browser.press("Escape")


def test_headings_and_lists(browser: Chromium) -> None:
    nodes: list[dict[str, Any]] = browser.call("Accessibility.getFullAXTree")["nodes"]
    headings = [node["name"]["value"] for node in nodes if node["role"]["value"] == "heading"]
    assert headings == [
        FACTS.model,
        "Answers 3 classes",
        "Truth and answer",
        "Not explained",
        "Scores of what is listed",
        "Photographs",
    ]
    (status,) = [node for node in nodes if node["role"]["value"] == "status" and not node.get("ignored")]
    assert status["role"]["value"] == "status"


def test_without_javascript(browser: Chromium, page: Path) -> None:
    browser.call("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(page)
    assert listed(browser) == list(range(48))
    hidden = (".tools", ".pager", ".scores", ".nothing", "dialog")
    assert not any(browser.value(f"document.querySelector('{each}').checkVisibility()") for each in hidden)
    assert browser.value("document.querySelectorAll('button.pick').length") == 0
    assert seen_in_time(browser, GREEN, 20_000)
    told = browser.value("document.querySelector('noscript').innerText")
    assert "These are the first 48" in told
    assert "photo99.png: no such file" in told


def test_empty_report(browser: Chromium, tmp_path: Path) -> None:
    browser.open(write_gallery(tmp_path / "report.html", [], FACTS)[0])
    assert "No photograph was explained." in browser.value("document.querySelector('main').innerText")
    assert complaints(browser) == []


def test_nothing_was_explained(browser: Chromium, tmp_path: Path) -> None:
    browser.open(write_gallery(tmp_path / "report.html", [failed("a.png", "gone")], FACTS)[0])
    assert browser.value("document.querySelector('.cards').innerText").split("\n")[0] == "not explained"
    assert not browser.value("document.querySelector('.scores').checkVisibility()")
    assert complaints(browser) == []
