"""Token models that carry a class token, cut it off at the end, and average the tokens of the map."""

from __future__ import annotations

import numpy as np
import pytest
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, classifier, image_parameter, named, reshaped, transposed
from ovxai_convert.errors import RefusedError
from ovxai_convert.insertion.request import Request
from ovxai_convert.methods import Method
from ovxai_convert.ops.slicing import slice_bounds
from tests.running import check_reciprocam, insert_branch

HEIGHT, WIDTH, CHANNELS, CLASSES = 4, 6, 5, 3
TOKENS = HEIGHT * WIDTH


def _bounds(*values: int) -> Node:
    return ops.constant(np.array(values, np.int64))


def _sliced(tokens: Node, first: int) -> Node:
    """``tokens[:, first:]`` as recent exporters write it."""
    return ops.slice(tokens, _bounds(first), _bounds(2**31 - 1), _bounds(1), _bounds(1))


def _strided(tokens: Node, first: int) -> Node:
    """``tokens[:, first:]`` as OpenVINO's own readers write it."""
    begin, end, step = _bounds(0, first, 0), _bounds(0, 0, 0), _bounds(1, 1, 1)
    return ops.strided_slice(tokens, begin, end, step, [1, 0, 1], [1, 1, 1], [], [], [])


def _model(first: int, form: str, registers: int = 1) -> Model:
    """Joined tokens mixed by attention; ``tokens[:, first:]`` averaged and classified."""
    draw = Draw(31)
    image = image_parameter(CnnSpec(batch=1, height=HEIGHT, width=WIDTH))
    patches = transposed(reshaped(draw.convolution(image, CHANNELS), [0, CHANNELS, TOKENS]), [0, 2, 1])
    extra = draw.numbers(1, registers, CHANNELS)
    tokens = ops.concat([extra, patches], 1)
    mixing = ops.softmax(ops.matmul(tokens, tokens, False, True), 2)
    mixed = ops.add(ops.matmul(mixing, tokens, False, False), tokens)
    cut = named((_sliced if form == "Slice" else _strided)(mixed, first), "cut")
    mean = ops.reduce_mean(cut, [1], False)
    return classifier(named(draw.linear(mean, CLASSES), "scores"), [image])


@pytest.mark.parametrize("form", ["Slice", "StridedSlice"])
@pytest.mark.parametrize("registers", [1, 4])
def test_the_map_is_found_behind_the_cut(form: str, registers: int) -> None:
    insertion = check_reciprocam(_model(registers, form, registers))
    assert insertion.place.target.port.get_node().get_friendly_name() == "cut"
    assert insertion.place.target.layout == "NTC"
    assert insertion.place.target.grid == (HEIGHT, WIDTH)


@pytest.mark.parametrize("first", [0, 2])
def test_a_cut_in_another_place_leaves_no_grid(first: int) -> None:
    """With the class token among them, or a token of the map missing, tokens are no rows and columns."""
    with pytest.raises(RefusedError, match="no feature map before the scores"):
        insert_branch(_model(first, "Slice"), Request(Method.RECIPROCAM))


def test_bounds_of_slices() -> None:
    data = ops.parameter([2, 25, 5], np.float32)
    assert slice_bounds(_sliced(data, 1)) == {1: (1, 2**31 - 1)}
    assert slice_bounds(_strided(data, 3)) == {0: (0, 2**31 - 1), 1: (3, 2**31 - 1), 2: (0, 2**31 - 1)}
    backwards = ops.slice(data, _bounds(-1), _bounds(0), _bounds(-1), _bounds(1))
    assert slice_bounds(backwards) == {}
    shrinking = ops.strided_slice(
        data, _bounds(0, 0), _bounds(0, 1), _bounds(1, 1), [1, 0], [1, 0], [], [0, 1], []
    )
    assert slice_bounds(shrinking) == {}
    moving = ops.slice(data, ops.parameter([1], np.int64), _bounds(9), _bounds(1), _bounds(1))
    assert slice_bounds(moving) == {}
