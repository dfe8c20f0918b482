"""The report of many photographs in a browser: listing, filtering, enlarging, with and without a script."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ovxai_convert.datasets import gallery
from ovxai_convert.datasets.gallery import write_gallery
from tests.browser.devtools import Chromium
from tests.browser.test_report_in_browser import complaints, pixels_of
from tests.datasets.gallery_cases import ANIMALS, WHEN, Row, animals, draw, failed
from tests.explain.report_cases import FACTS, GREEN, HOSTILE, VIOLET

COUNT = "document.querySelector('.count').textContent"
NAMES = "[...document.querySelectorAll('.cards .name')].map((each) => each.textContent)"
SHOWN = "document.querySelector('.nothing').checkVisibility()"
HASH = "decodeURIComponent(location.hash.slice(1))"
AT_THE_FIRST = "document.activeElement.closest('li') === document.querySelector('.cards li')"
TITLE = "document.querySelector('#large-title bdi').textContent"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gallery of é 100%")
    return write_gallery(folder / "report #1.html", animals(folder), FACTS, when=WHEN)[0]


@pytest.fixture
def browser(chromium: Chromium, page: Path) -> Iterator[Chromium]:
    """The report, opened on a wide window; JavaScript is allowed again afterwards."""
    chromium.show(1440, 900)
    chromium.open(page)
    yield chromium
    chromium.call("Emulation.setScriptExecutionDisabled", value=False)


def fill(browser: Chromium, name: str, value: str) -> None:
    """Give a control a value, as a user does; a list's by its words."""
    browser.value(
        f"""(() => {{
            const control = document.querySelector(".tools [name={name}]");
            const wanted = {json.dumps(value)};
            const word = (option) => option.text.replace(/ \\([\\d,]+\\)$/, "");
            const option = [...control.options ?? []].find((each) => word(each) === wanted);
            if (control.options && !option) throw new Error(wanted);
            control.value = option ? option.value : wanted;
            control.dispatchEvent(new Event("input", {{ bubbles: true }}));
        }})()"""
    )


def listed(browser: Chromium) -> list[int]:
    """Numbers of the photographs that the list shows."""
    return [int(name.removeprefix("photo").removesuffix(".png")) for name in browser.value(NAMES)]


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


def pictures_asked_for(browser: Chromium) -> list[str]:
    asked = [event["request"]["url"] for event in browser.reported("Network.requestWillBeSent")]
    return [url for url in asked if url.endswith(".png")]


def wrong(number: int) -> bool:
    return number % 7 == 6 and number % 10 != 9


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


def test_words(browser: Chromium) -> None:
    fill(browser, "words", "  PHOTO1 lynx ")
    expected = [n for n in range(100) if str(n).startswith("1") and "lynx" in (ANIMALS[n % 3], answer(n))]
    assert listed(browser) == expected
    assert browser.value(COUNT) == f"{len(expected)} of 100 photographs"


def answer(number: int) -> str:
    """What the model answers; nothing for a photograph that was not explained."""
    return "" if number % 10 == 9 else ANIMALS[(number % 3 + (number % 7 == 6)) % 3]


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
