"""What a notebook shows of an explanation: text, HTML and PNG, in the right colours, labels as text only."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pytest

from ovxai_convert.blackbox.metrics import ScoreCurve
from ovxai_convert.explain.explanation import Explanation
from ovxai_convert.explain.predictions import Prediction
from ovxai_convert.methods import Method
from ovxai_convert.photographs.given import Order
from ovxai_convert.pictures.chart import COLOURS, Line, charted
from ovxai_convert.pictures.display import MOST_FIGURES, Figure, fitted, html_of, sheet
from ovxai_convert.pictures.rendering import grey_levels

GREY: Final = (np.arange(30, dtype=np.uint8) * 8).reshape(5, 6)
COLOUR: Final = np.random.default_rng(0).integers(0, 256, (160, 200, 3), np.uint8)


def explained(
    saliency: Any,
    count: int = 1,
    labels: Sequence[str] | None = None,
    colour: Order = "bgr",
    **more: Any,
) -> Explanation:
    predictions = {index: Prediction(index, 0.5 / (index + 1)) for index in range(count)}
    names = None if labels is None else tuple(labels)
    maps = dict.fromkeys(range(count), saliency)
    return Explanation(maps, Method.RISE, predictions, names, colour=colour, **more)


def decoded(content: bytes) -> Any:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert picture is not None
    return picture


def pictures_in(html: str) -> list[Any]:
    return [decoded(base64.b64decode(each)) for each in re.findall(r"data:image/\w+;base64,([\w+/=]+)", html)]


def test_text_is_short() -> None:
    found = explained(COLOUR, 1000, [f"class of things {index}" for index in range(1000)])
    lines = repr(found).splitlines()
    assert lines == [
        "Explanation by rise",
        "  class of things 0 0.50, class of things 1 0.25, class of things 2 0.17, class of things 3 0.12"
        " and 996 more",
        "  1000 x uint8 (160, 200, 3), bgr",
    ]
    assert str(found) == repr(found)
    assert repr(explained(GREY)).splitlines()[1:] == ["  class 0 0.50", "  1 x uint8 (5, 6)"]
    of_all = Explanation({"per_image_map": GREY}, None, {3: Prediction(3, 0.5)})
    assert repr(of_all).splitlines()[:2] == ["Explanation by the model's own map", "  all classes"]


def test_html_and_png_show_the_map() -> None:
    found = explained(GREY, 2, ["cat", "dog"])
    html = found._repr_html_()
    assert re.findall(r"<b><bdi>(\w+)</bdi></b>", html) == ["cat", "dog"]
    assert "score 0.50" in html
    enlarged = np.repeat(np.repeat(GREY, 25, axis=0), 25, axis=1)
    for picture in pictures_in(html):
        np.testing.assert_array_equal(picture, enlarged)
    png = decoded(found._repr_png_())
    where = [corner for corner in np.argwhere(png[..., 0] == 0) if (png[tuple(corner)] == 0).all()]
    top, left = where[0]
    np.testing.assert_array_equal(png[top : top + 125, left : left + 150, 1], enlarged)


@pytest.mark.parametrize("colour", ["bgr", "rgb"])
def test_colours_are_right_in_either_order(colour: Order, tmp_path: Path) -> None:
    saliency = np.zeros((160, 200, 3), np.uint8)
    saliency[..., 2 if colour == "bgr" else 0] = 250  # red
    found = explained(saliency, colour=colour)
    (in_html,) = pictures_in(found._repr_html_())
    in_png = decoded(found._repr_png_())
    (path,) = found.save(tmp_path)
    for picture in (in_html, cv2.imread(str(path))):
        assert picture is not None
        assert abs(picture.astype(int) - (0, 0, 250)).max() < 8
    assert ((in_png == (0, 0, 250)).all(axis=2)).sum() == 160 * 200
    assert not (in_png == (250, 0, 0)).all(axis=2).any()


def test_raw_scores_are_shown_as_grey_levels() -> None:
    raw = np.linspace(-3, 8, 30, dtype=np.float32).reshape(5, 6)
    (picture,) = pictures_in(explained(raw)._repr_html_())
    np.testing.assert_array_equal(picture[::25, ::25], grey_levels(raw))


def test_a_map_that_shows_nothing_is_said_to() -> None:
    assert "shows nothing" in explained(GREY, raw={0: np.full((2, 2), 7.0)})._repr_html_()
    assert "shows nothing" not in explained(GREY, raw={0: np.eye(2)})._repr_html_()


def test_no_more_than_some_are_shown() -> None:
    found = explained(GREY, MOST_FIGURES + 9)
    assert len(pictures_in(found._repr_html_())) == MOST_FIGURES
    assert "9 more are not shown" in found._repr_html_()
    assert decoded(found._repr_png_()).shape[1] < 1000


@pytest.mark.parametrize("label", ['<script>alert("x")</script>', "a&b", "'\"><img src=x onerror=y>"])
def test_labels_are_text(label: str) -> None:
    html = explained(GREY, 1, [label])._repr_html_()
    assert label not in html
    assert html.count("<img") == 1
    assert "<script" not in html


def test_large_pictures_are_shown_small() -> None:
    large = np.tile(COLOUR, (10, 10, 1))
    found = explained(large, 3)
    assert all(max(picture.shape[:2]) <= 300 for picture in pictures_in(found._repr_html_()))
    assert len(found._repr_html_()) < 400_000
    assert fitted(np.zeros((4000, 10), np.uint8)).shape == (300, 1)
    assert fitted(np.zeros((1, 1), np.uint8)).shape == (150, 150)
    assert fitted(COLOUR) is COLOUR


def test_letters_that_cannot_be_drawn_become_the_index() -> None:
    """An explanation of a class with a Hebrew label, and one of the same class with its number as label."""
    hebrew, numbered = (explained(GREY, 1, [label])._repr_png_() for label in ("חתול", "class 0"))
    assert (decoded(hebrew) == decoded(numbered)).all()
    assert (decoded(explained(GREY, 1, ["class 1"])._repr_png_()) != decoded(numbered)).any()


def test_empty_sheets_and_notes() -> None:
    assert sheet("nothing", []).shape[2] == 3
    noted = sheet("x", [Figure(GREY, "y")], note="a note")
    assert len(noted) > len(sheet("x", [Figure(GREY, "y")]))
    assert "<small>a note</small>" in html_of("x", [], note="a note")


def curve(scores: Sequence[float]) -> ScoreCurve:
    return ScoreCurve(np.linspace(0, 1, len(scores)), np.asarray(scores, np.float32))


def rows_of(picture: Any, colour: tuple[int, int, int]) -> Any:
    """Rows in which a colour stands."""
    return np.flatnonzero((picture == colour).all(axis=2).any(axis=1))


@pytest.mark.parametrize(
    ("scores", "other"),
    [([1.0, 1.0], [0.0, 0.0]), ([0.5, 0.5], [0.25, 0.25]), ([7.0, 7.0], [-2.0, -2.0])],
    ids=str,
)
def test_a_higher_score_is_drawn_higher(scores: list[float], other: list[float]) -> None:
    picture = charted("x", "y", [Line(curve(scores), COLOURS[0]), Line(curve(other), COLOURS[1])])
    assert rows_of(picture, COLOURS[0]).max() < rows_of(picture, COLOURS[1]).min()
    if scores[0] == 1:
        assert abs(rows_of(picture, COLOURS[0]).mean() - 34) < 2
    if scores[0] == 0.5:  # the axis goes to 1, whatever the scores
        assert abs(rows_of(picture, COLOURS[0]).mean() - (34 + 111)) < 2


def test_a_curve_goes_from_left_to_right() -> None:
    picture = charted("x", "y", [Line(curve([1, 0, 0, 0]), COLOURS[0])])
    place = (picture == COLOURS[0]).all(axis=2)
    columns = np.flatnonzero(place.any(axis=0))
    assert columns.min() < 60
    assert columns.max() > 440
    assert np.flatnonzero(place[:, columns.min()]).mean() < np.flatnonzero(place[:, columns.max()]).mean()


def test_a_dashed_line_has_gaps() -> None:
    whole, dashed = (
        (charted("x", "y", [Line(curve([0.6, 0.6]), COLOURS[0], dashed)]) == COLOURS[0]).all(axis=2).sum()
        for dashed in (False, True)
    )
    assert 0.4 * whole < dashed < 0.9 * whole
