from __future__ import annotations

import base64
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from ovxai_convert.explain.report import LONGEST_SIDE, ReportEntry, report_page, shrunk
from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.pictures.colormaps import COLOUR_TABLES, css_gradient
from tests.explain.report_cases import FACTS, GREEN, HOSTILE, VIOLET, Page, entry, plain

REFERENCES = (
    "src",
    "href",
    "srcset",
    "action",
    "data",
    "poster",
    "formaction",
    "background",
    "xlink:href",
    "ping",
)


def decoded(uri: str) -> Pixels:
    encoded = base64.b64decode(uri.partition("base64,")[2], validate=True)
    pixels = cv2.imdecode(np.frombuffer(encoded, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    return np.asarray(pixels, np.uint8)


def outside_references(text: str) -> list[str]:
    """What a page would ask the network for: nothing, if it stands alone."""
    inside = ("data:", "#")
    found = [value for value in Page(text).values(*REFERENCES) if not value.startswith(inside)]
    return found + re.findall(r"https?:|@import|url\(", text)


def photographs(text: str) -> list[Pixels]:
    return [decoded(str(attributes["href"])) for tag, attributes in Page(text).elements if tag == "image"]


def overlays(text: str) -> list[Pixels]:
    return [decoded(str(attributes["src"])) for tag, attributes in Page(text).elements if tag == "img"]


@pytest.fixture
def several() -> list[ReportEntry]:
    return [
        entry(score=0.9),
        entry(label="lynx", class_index=7, score=0.05),
        entry("cup.png", "cup", 11, 0.00001, photograph=plain((9, 99, 199)), seconds=12.3456, method="rise"),
        entry("map.png", "cat", None, 0.5, photograph=plain((99, 9, 199))),
    ]


def test_stands_alone(several: list[ReportEntry]) -> None:
    assert outside_references(report_page(FACTS, several)) == []


@pytest.mark.parametrize(
    "leak",
    [
        '<img src="//example.org/x.png">',
        '<link rel="stylesheet" href="report.css">',
        "<style>@import 'x.css'</style>",
        "<style>a { background: url(x.png) }</style>",
        "<script>fetch('https://example.org')</script>",
    ],
)
def test_a_reference_outside_is_seen(leak: str, several: list[ReportEntry]) -> None:
    page = report_page(FACTS, several).replace("</body>", leak + "</body>")
    assert outside_references(page)


def test_the_policy_forbids_what_the_page_does_not_hold(several: list[ReportEntry]) -> None:
    (policy,) = [
        str(attributes["content"])
        for _, attributes in Page(report_page(FACTS, several)).elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    directives = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert directives.pop("default-src") == "'none'"
    assert directives.pop("img-src") == "data:"
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives.pop("style-src"))
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", directives.pop("script-src"))
    assert set(directives.values()) == {"'none'"}


def test_same_arguments_same_page(several: list[ReportEntry]) -> None:
    page = report_page(FACTS, several)
    assert page == report_page(FACTS, [replace(each) for each in several])
    assert page != report_page(FACTS, several[::-1])


def test_every_map_has_a_row(several: list[ReportEntry]) -> None:
    page = Page(report_page(FACTS, several))
    assert page.count("tr") == 1 + len(several)
    for expected in ("cup.png", "lynx", "class 7", "0.900", "< 0.001", "rise", "12.3 ms", "12.35 s"):
        assert expected in page.text
    assert "one map for all classes" in page.text
    assert "4 maps of 3 images" in page.text
    assert page.values("data-value").count("1e-05") == 1, "sorted by the score itself, not as it is shown"


def test_one_map_is_not_called_maps() -> None:
    assert "1 map of 1 image" in Page(report_page(FACTS, [entry()])).text


def test_facts_and_notes_are_shown() -> None:
    page = Page(report_page(replace(FACTS, notes=("no feature map", "a second")), [entry()])).text
    for expected in (
        "classifier_xai.xml",
        "whitebox",
        "CPU",
        FACTS.preprocessing,
        "1.2.3",
        "2026.0",
        "a second",
    ):
        assert expected in page
    assert Page(report_page(FACTS, [entry()])).count("ul") == 0


def test_a_score_that_is_no_probability_has_no_bar() -> None:
    page = Page(report_page(FACTS, [entry(score=0.25), entry(score=1234.56, is_share=False)]))
    assert page.count("rect") == 1
    assert "0.250" in page.text
    assert "1235" in page.text


def test_what_the_colours_mean_is_said() -> None:
    page = Page(report_page(FACTS, [entry()]))
    assert "Each map is scaled by itself" in page.text
    assert "least  most important" in page.text


@pytest.mark.parametrize("colormap", COLOUR_TABLES)
def test_the_scale_has_the_colours_of_the_maps(colormap: str) -> None:
    page = report_page(replace(FACTS, colormap=colormap), [entry()])
    found = [name for name in COLOUR_TABLES if css_gradient(name) in page]
    assert found == [colormap]
    assert "background: var(--map)" in page


def test_no_entries() -> None:
    page = Page(report_page(FACTS, []))
    assert "No image was explained." in page.text
    assert (page.count("table"), page.count("img"), page.count("svg")) == (0, 0, 0)
    assert FACTS.model in page.text


def test_photograph_of_several_maps_is_embedded_once(several: list[ReportEntry]) -> None:
    text = report_page(FACTS, several)
    assert len(photographs(text)) == 3
    assert [value for value in Page(text).values("href") if value.startswith("#")] == [
        "#photograph-1",
        "#photograph-1",
        "#photograph-2",
        "#photograph-3",
    ]


def test_small_pictures_are_exact() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 20, 3), np.uint8)
    text = report_page(FACTS, [entry(photograph=pixels, overlay=pixels[::-1])])
    np.testing.assert_array_equal(photographs(text), [pixels])
    np.testing.assert_array_equal(overlays(text), [pixels[::-1]])


@pytest.mark.parametrize(
    ("size", "expected"),
    [((3000, 1500), (640, 320)), ((500, 2560), (125, 640)), ((640, 640), (640, 640)), ((1, 5000), (1, 640))],
)
def test_large_pictures_are_scaled_down(size: tuple[int, int], expected: tuple[int, int]) -> None:
    text = report_page(FACTS, [entry(photograph=plain(GREEN, *size), overlay=plain(VIOLET, *size))])
    for picture, colour in (
        *zip(photographs(text), [GREEN], strict=True),
        *zip(overlays(text), [VIOLET], strict=True),
    ):
        assert picture.shape == (*expected, 3)
        assert np.abs(picture.astype(int) - colour).max() <= 3
    assert max(expected) <= LONGEST_SIDE
    assert f'viewBox="0 0 {expected[1]} {expected[0]}"' in text


def test_shrunk_pictures_make_the_same_page() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (900, 1300, 3), np.uint8)
    whole = entry(photograph=noise, overlay=noise[::-1])
    small = replace(whole, photograph=shrunk(noise), overlay=shrunk(noise[::-1]))
    assert small.photograph.shape == (443, 640, 3)
    assert report_page(FACTS, [whole]) == report_page(FACTS, [small])


def test_grey_pictures() -> None:
    text = report_page(FACTS, [entry(photograph=np.full((300, 200), 77, np.uint8))])
    assert photographs(text)[0].shape == (300, 200, 3)


def test_a_hundred_photographs_make_a_reasonable_page() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    photograph = np.asarray(cv2.resize(noise, (1600, 1200), interpolation=cv2.INTER_CUBIC), np.uint8)
    assert len(report_page(FACTS, [entry(photograph=photograph, overlay=photograph)])) < 300_000


def test_any_text_is_only_text() -> None:
    facts = replace(FACTS, model=HOSTILE, mode=HOSTILE, method=HOSTILE, device=HOSTILE, notes=(HOSTILE,))
    facts = replace(facts, preprocessing=HOSTILE, version=HOSTILE, openvino_version=HOSTILE)
    hostile = Page(report_page(facts, [entry(HOSTILE, HOSTILE, method=HOSTILE)]))
    harmless = Page(report_page(FACTS, [entry()]))
    assert [tag for tag, _ in hostile.elements if tag not in ("ul", "li")] == [
        tag for tag, _ in harmless.elements
    ]
    shown = HOSTILE.replace("\udcff", "?")
    assert hostile.text.count(shown) == 1 + 1 + 4 + 1 + 2 + 3, "title, heading, facts, note, footer, row"
    assert hostile.values("data-value").count(shown) == 3


def test_dollars_are_not_filled_in() -> None:
    assert "$style ${rows} $$" in Page(report_page(FACTS, [entry("$style ${rows} $$")])).text


def test_the_page_can_be_written_as_utf_8() -> None:
    report_page(replace(FACTS, model=HOSTILE), [entry(HOSTILE)]).encode("utf-8")
