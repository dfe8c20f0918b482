"""When nothing is said of levels, what a graph lets one guess, and what is told against it."""

from __future__ import annotations

from typing import Any, Final

import openvino as ov
import pytest

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.anatomy.own_levels import OwnLevels
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_input import image_input
from ovxai_convert.photographs.recipes import RECIPES
from ovxai_convert.photographs.unsaid import doubt_by_graph, unsaid, wanted_by


def normalising(mean: Any, scale: Any) -> ov.Model:
    """A classifier whose graph does this first; OpenVINO multiplies its first weights by the scale."""
    steps = ov.preprocess.PrePostProcessor(cnn(CnnSpec()))
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().mean(mean).scale(scale)
    return steps.build()


PLAIN: Final = cnn(CnnSpec())
OF_PIXELS: Final = normalising([123.675, 116.28, 103.53], [58.395, 57.12, 57.375])
OF_UNIT: Final = normalising([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
OF_BOTH_SIDES: Final = normalising(-1.0, 2.0)


def asked(model: ov.Model, hints: PreprocessingHints = NO_HINTS) -> str | None:
    found = unsaid(model, image_input(model), hints)
    return None if found is None else str(found)


def test_nothing_is_said() -> None:
    text = "nothing says how levels of pixels become its input"
    assert asked(PLAIN) == text
    assert asked(PLAIN, PreprocessingHints(colour="bgr", resize="stretch", size=(10, 14))) == text
    assert asked(OF_UNIT) == (
        f"{text}; its graph begins with (x - 0.406..0.485) / 1, as for levels of 0 to 1 (unit)"
    )
    assert (
        asked(OF_BOTH_SIDES)
        == f"{text}; its graph begins with (x - -1) / 1, as for levels of -1 to 1 (inception)"
    )


@pytest.mark.parametrize(
    "hints", [PreprocessingHints(mean=(1.0,)), PreprocessingHints(scale=(2.0,)), RECIPES["raw"]]
)
def test_something_is_said(hints: PreprocessingHints) -> None:
    assert asked(PLAIN, hints) is None


def test_a_graph_that_normalises_pixels_says_enough() -> None:
    assert asked(OF_PIXELS) is None


def test_whole_numbers_say_enough() -> None:
    steps = ov.preprocess.PrePostProcessor(cnn(CnnSpec()))
    steps.input().tensor().set_element_type(ov.Type.u8)
    assert asked(steps.build()) is None


@pytest.mark.parametrize(
    ("levels", "wanted"),
    [
        (None, None),
        (OwnLevels((0, 0), (255, 255)), "raw"),
        (OwnLevels((127.5, 127.5), (127.5, 127.5)), "raw"),
        (OwnLevels((103.5, 123.7), (57.1, 58.4)), "raw"),
        (OwnLevels((104, 124), (1, 1)), "raw"),
        (OwnLevels((104, 124), (0.9, 1.2)), "raw"),
        (OwnLevels((0.406, 0.485), (0.224, 0.229)), "unit"),
        (OwnLevels((0.5, 0.5), (0.5, 0.5)), "unit"),
        (OwnLevels((0, 0), (1 / 255, 1 / 255)), "unit"),
        (OwnLevels((-1, -1), (2, 2)), "inception"),
        (OwnLevels((-1, -1), (1 / 127.5, 1 / 127.5)), "inception"),
        (OwnLevels((0, 0), (4, 4)), None),
        (OwnLevels((-0.3, 0.4), (0.8, 1.3)), None),
        (OwnLevels((-3, 300), (1, 2)), None),
    ],
    ids=str,
)
def test_recipe_that_fits_to_a_graph(levels: OwnLevels | None, wanted: str | None) -> None:
    assert wanted_by(levels) == wanted


@pytest.mark.parametrize(
    ("model", "recipe", "text"),
    [
        (OF_PIXELS, "imagenet", "given levels that are normalised already"),
        (OF_PIXELS, "unit", "given levels that are normalised already"),
        (OF_PIXELS, "raw", None),
        (OF_PIXELS, "caffe", None),
        (OF_UNIT, "raw", "as for levels of unit, and is given some 255 apart"),
        (OF_UNIT, "unit", None),
        (OF_UNIT, "inception", None),
        (OF_BOTH_SIDES, "raw", "as for levels of inception"),
        (PLAIN, "imagenet", None),
        (PLAIN, "raw", None),
    ],
)
def test_what_is_told_against_the_graph(model: ov.Model, recipe: str, text: str | None) -> None:
    doubt = doubt_by_graph(model, image_input(model), RECIPES[recipe])
    if text is None:
        assert doubt is None
    else:
        assert doubt is not None
        assert text in doubt


def test_no_scale_says_nothing_against_the_graph() -> None:
    assert doubt_by_graph(OF_PIXELS, image_input(OF_PIXELS), PreprocessingHints(mean=(3.0,))) is None
