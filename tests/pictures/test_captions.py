"""Captions: what they say, that they can be read, and that the score's bar is as long as the score."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import cv2
import numpy as np
import pytest

from ovxai_convert.photographs.image_files import Pixels
from ovxai_convert.pictures import captions, lettering
from ovxai_convert.pictures.captions import (
    Caption,
    captioned,
    captions_of,
    framed,
    letter_size,
    score_words,
    within_0_and_1,
)
from ovxai_convert.pictures.colormaps import COLOUR_TABLES, gradient

CAT: Final = Caption("tabby cat", "class 3", "0.92", 0.92, "jet")
SIZES: Final = [
    (1, 1),
    (64, 64),
    (30, 400),
    (300, 451),
    (224, 224),
    (1200, 1600),
    (100, 1600),
    (1600, 120),
    (300, 4800),
]
INK: Final = np.array(captions._INK)
TRACK: Final = np.array(captions._TRACK)
GROUND: Final = np.array(captions._GROUND)


@pytest.fixture(autouse=True, params=["as installed", "of OpenCV 4"])
def letters(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "of OpenCV 4":
        monkeypatch.setattr(lettering, "_has_outlines", lambda: False)
    return str(request.param)


def grey(rows: int, columns: int) -> Pixels:
    return np.full((rows, columns, 3), 90, np.uint8)


def strip(caption: Caption, rows: int = 300, columns: int = 451) -> Pixels:
    return framed(grey(rows, columns), caption)[rows:]


def columns_of(pixels: Pixels, colour: Any) -> np.ndarray:
    """Where a colour fills a column of some height, as it does in a bar and not in letters."""
    return np.flatnonzero((pixels == colour).all(axis=2).sum(axis=0) >= 4)


def filled(caption: Caption, columns: int = 451) -> float:
    """The part of the score's bar that is filled."""
    shown = strip(caption, 300, columns)
    tracks = (shown == TRACK).all(axis=2)
    row = shown[int(tracks.sum(axis=1).argmax())]
    track = np.flatnonzero((row == TRACK).all(axis=1))
    ink = np.flatnonzero((row == INK).all(axis=1))
    ink = ink[ink < track.min()]
    run = next((n for n in range(len(ink)) if ink[-1 - n] != track.min() - 1 - n), len(ink))
    return run / (run + len(track))


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_picture_itself_is_not_touched(size: tuple[int, int]) -> None:
    rows, columns = size
    picture = np.random.default_rng(0).integers(0, 256, (rows, columns, 3), np.uint8)
    shown = framed(picture, CAT)
    left = (shown.shape[1] - columns) // 2
    np.testing.assert_array_equal(shown[:rows, left : left + columns], picture)
    assert (shown[:rows, :left] == GROUND).all()
    assert (shown[:rows, left + columns :] == GROUND).all()


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_letters_can_be_read_where_the_whole_picture_is_seen(size: tuple[int, int]) -> None:
    """At its own size, and where its longest side is scaled to 1000 pixels."""
    letters = letter_size(*size)
    assert lettering.capital_height(letters) >= 10
    assert lettering.capital_height(letters) * 1000 / max(1000, *size) >= 7
    assert len(framed(grey(*size), CAT)) - size[0] <= max(80, 0.6 * size[0])


@pytest.mark.parametrize("columns", [64, 224, 300, 451, 900])
@pytest.mark.parametrize("share", [0.05, 0.5, 0.97])
def test_the_bar_is_as_long_as_the_score(share: float, columns: int) -> None:
    assert filled(replace(CAT, share=share), columns) == pytest.approx(share, abs=0.02)


def test_a_small_score_is_not_none() -> None:
    assert 0 < filled(replace(CAT, share=1e-9)) < 0.03
    assert filled(replace(CAT, share=0.0)) == 0


def test_without_a_share_there_is_no_bar() -> None:
    assert len(columns_of(strip(CAT), TRACK))
    assert not len(columns_of(strip(replace(CAT, value="7.31", share=None)), TRACK))


@pytest.mark.parametrize("columns", [64, 451, 1600])
@pytest.mark.parametrize("colormap", COLOUR_TABLES)
def test_colours_are_those_of_the_map(colormap: str, columns: int) -> None:
    shown = strip(replace(CAT, colormap=colormap), 300, columns)
    low, high = gradient(colormap, 2)[0]
    first, last = columns_of(shown, low), columns_of(shown, high)
    assert len(first)
    assert len(last)
    assert last.max() - first.min() > 50
    assert first.max() < last.min()


def test_a_grey_map_has_a_grey_scale() -> None:
    shown = strip(replace(CAT, colormap=None))
    assert len(columns_of(shown, (0, 0, 0)))
    assert len(columns_of(shown, (255, 255, 255)))


def test_every_part_of_a_caption_is_seen() -> None:
    shown = strip(CAT)
    for other in (
        replace(CAT, label="tabby bat"),
        replace(CAT, value="0.93"),
        replace(CAT, share=0.5),
        replace(CAT, colormap="magma"),
        replace(CAT, ends=(-0.25, 3)),
        replace(CAT, ends=(-0.25, 4)),
        replace(CAT, shows_something=False),
    ):
        assert strip(other).shape != shown.shape or (strip(other) != shown).any(), other
    np.testing.assert_array_equal(strip(replace(CAT, otherwise="class 4")), shown)


def test_a_map_that_shows_nothing_has_no_scale() -> None:
    shown = strip(replace(CAT, shows_something=False))
    low, high = gradient("jet", 2)[0]
    assert not len(columns_of(shown, low))
    assert not len(columns_of(shown, high))


def test_what_the_ends_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """Words and numbers where there is room, else words alone."""
    written: list[str] = []
    real = lettering.write

    def noted(canvas: Pixels, text: str, *others: Any, **more: Any) -> None:
        written.append(text)
        real(canvas, text, *others, **more)

    monkeypatch.setattr(lettering, "write", noted)
    strip(CAT)
    assert {"least important", "most important"} <= set(written)
    strip(replace(CAT, ends=(-0.00123456, 45678.9)))
    assert {"least important (-0.00123)", "most important (4.57e+04)"} <= set(written)
    written.clear()
    strip(replace(CAT, ends=(-0.00123456, 45678.9)), 64, 64)
    assert {"least", "most"} <= set(written)


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("label", ["x" * 300, "", "\n", "B\xe4r \u732b \U0001f408"], ids=ascii)
def test_nothing_is_cut_off_at_the_edges(size: tuple[int, int], label: str) -> None:
    shown = framed(grey(*size), replace(CAT, label=label, ends=(-12345.678, 9876.5)))[size[0] :]
    columns = np.flatnonzero((shown != GROUND).any(axis=(0, 2)))
    rows = np.flatnonzero((shown != GROUND).any(axis=(1, 2)))
    assert columns.min() >= 2
    assert columns.max() < shown.shape[1] - 2
    assert rows.min() >= 1
    assert rows.max() < len(shown) - 1


def test_a_long_label_has_a_line_of_its_own() -> None:
    assert len(strip(CAT)) < len(strip(replace(CAT, label="a cat having a striped coat " * 3)))
    assert len(strip(CAT, 300, 1600)) < len(strip(CAT)), "one line where all fits on it"


@pytest.mark.parametrize("size", [*SIZES, (4, 4), (9, 9), (20, 30), (40, 9)], ids=str)
@pytest.mark.parametrize("label", ["cat", "x" * 200, "", "\n", "B\xe4r \u732b \U0001f408"], ids=ascii)
def test_plate_stays_inside(size: tuple[int, int], label: str) -> None:
    picture = grey(*size)
    shown = captioned(picture, replace(CAT, label=label))
    assert (picture == 90).all(), "the picture itself is not drawn on"
    assert shown.shape == picture.shape
    rows, columns = np.nonzero((shown != picture).any(axis=2))
    if len(columns):
        assert columns.min() >= 1
        assert columns.max() < size[1] - 1
        assert rows.max() < size[0] - 1


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (300, 60), (224, 224), (900, 1200)], ids=str)
def test_plate_is_dark_and_its_letters_are_light(size: tuple[int, int]) -> None:
    for level in (0, 90, 255):
        picture = np.full((*size, 3), level, np.uint8)
        shown = captioned(picture, CAT)
        changed = shown[(shown != picture).any(axis=2)]
        assert changed.min() < 110
        assert changed.max() > 240 or level == 255
        assert (shown == INK).all(axis=2).any()


def test_plate_tells_the_score_first() -> None:
    """In a picture where there is no room for label and score, the score is there."""
    for size in ((32, 32), (300, 40)):
        shown = captioned(grey(*size), replace(CAT, label="x" * 99))
        np.testing.assert_array_equal(shown, captioned(grey(*size), replace(CAT, label="")))
        assert (shown != captioned(grey(*size), replace(CAT, label="", value="0.17"))).any()


def test_plate_grows_with_the_picture() -> None:
    """A caption of a phone's photograph, seen as a thumbnail of 500 pixels, is still there."""
    shown = captioned(grey(3000, 4000), CAT)
    thumbnail = cv2.resize(shown, (500, 375), interpolation=cv2.INTER_AREA)
    rows, columns = np.nonzero((thumbnail != 90).any(axis=2))
    assert np.ptp(rows) >= 10
    assert np.ptp(columns) >= 50


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (0.0, ("0.00", 0.0)),
        (1e-9, ("< 0.01", 1e-9)),
        (0.0049, ("< 0.01", 0.0049)),
        (0.0051, ("0.01", 0.0051)),
        (0.05, ("0.05", 0.05)),
        (0.97, ("0.97", 0.97)),
        (0.994, ("0.99", 0.994)),
        (0.9951, ("> 0.99", 0.9951)),
        (1.0, ("1.00", 1.0)),
        (1.0000005, ("1.00", 1.0)),
        (-1e-9, ("0.00", 0.0)),
    ],
)
def test_probabilities_in_words(score: float, expected: tuple[str, float]) -> None:
    assert score_words(score, is_share=True) == expected


@pytest.mark.parametrize(
    ("score", "text"),
    [(7.31415, "7.314"), (-3.0, "-3"), (0.4, "0.4"), (0.00042, "0.00042"), (51234.0, "5.123e+04")],
)
def test_other_numbers_in_words(score: float, text: str) -> None:
    assert score_words(score, is_share=False) == (text, None)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0, 1], True),
        ([0.2, 0.9, 0.8], True),
        ([-1e-7, 1 + 1e-7], True),
        ([0.5, 1.1], False),
        ([-0.1, 0.5], False),
    ],
)
def test_scores_that_may_be_probabilities(scores: list[float], expected: bool) -> None:
    assert within_0_and_1(np.array(scores)) == expected


GREY_MAP: Final = np.array([[0, 255]], np.uint8)
RAW_MAP: Final = np.array([[-1.5, 2.0]], np.float32)
ALL: Final = "all classes, answer: "


@pytest.mark.parametrize(
    ("target", "names", "saliency", "shares", "expected"),
    [
        (1, ("cat", "dog"), GREY_MAP, True, Caption("dog", "class 1", "0.30", 0.3, "jet")),
        (1, None, RAW_MAP, True, Caption("class 1", "class 1", "0.30", 0.3, "jet", (-1.5, 2.0))),
        (1, None, GREY_MAP, False, Caption("class 1", "class 1", "0.3", None, "jet")),
        ("all", ("cat", "dog"), GREY_MAP, True, Caption(f"{ALL}dog", f"{ALL}class 1", "0.30", 0.3, "jet")),
        (1, ("cat", "dog"), GREY_MAP * 0, True, Caption("dog", "class 1", "0.30", 0.3, "jet", None, False)),
    ],
    ids=["named", "raw", "no probability", "one for all", "constant"],
)
def test_captions_of_maps(target: Any, names: Any, saliency: Any, shares: bool, expected: Caption) -> None:
    assert captions_of({target: saliency}, {1: 0.3}, names, "jet", are_shares=shares) == {target: expected}


@pytest.mark.parametrize(
    ("label", "legible"),
    [("cat", True), ("really? yes", True), ("cat \U0001f408", False), ("\u0e41\u0e21\u0e27", False)],
)
def test_which_labels_can_be_drawn(label: str, legible: bool) -> None:
    assert Caption(label, "class 3").is_legible == legible
    assert (Caption(label, "class 3").name == label) == legible


def test_labels_without_end_are_not_looked_at_to_the_end() -> None:
    assert len(Caption("x" * 10**8).name) < 10_000


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_map_that_is_no_numbers_shows_nothing(value: float) -> None:
    maps: dict[int | str, Any] = {0: np.array([[0, value]], np.float32)}
    assert not captions_of(maps, {0: 0.5}, None, "jet", are_shares=True)[0].shows_something
