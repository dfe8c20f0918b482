"""Which map is the last one: whatever a head makes of the pooled vector, and what stands behind a pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pytest
from openvino import Model, Node
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, Draw, Tensor, classifier, image_parameter, named, reshaped, transposed
from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.feature_maps import feature_maps, find_feature_map
from ovxai_convert.anatomy.scores import find_scores
from ovxai_convert.errors import Refusal
from tests.mosaic import test_odd_heads as odd_heads
from tests.running import check_raw_map, check_reciprocam

CHANNELS, ROWS, COLUMNS = 4, 4, 6
CLASSES: Final = 3
Head = Callable[[Draw, Node], Node]


def _mean(x: Node) -> Node:
    return ops.reduce_mean(x, [2, 3], False)


def prototypes(draw: Draw, x: Node) -> Node:
    """Distances of the pooled vector to learned points."""
    differences = ops.subtract(reshaped(_mean(x), [0, 1, CHANNELS]), draw.numbers(1, 5, CHANNELS))
    distances = ops.reduce_sum(ops.power(differences, np.float32(2)), [2], False)
    return draw.linear(ops.exp(ops.negative(distances)), CLASSES)


def capsules(draw: Draw, x: Node) -> Node:
    """Lengths of vectors that the pooled one is dealt to, each turned by weights of its own."""
    parts = reshaped(draw.linear(_mean(x), 6), [0, 3, 2])
    turned = ops.matmul(
        ops.unsqueeze(parts, ops.constant([2], np.int64)), draw.numbers(1, 3, 2, 4), False, False
    )
    return ops.sqrt(
        ops.add(ops.reduce_sum(ops.power(turned, np.float32(2)), [2, 3], False), np.float32(1e-3))
    )


def convolution_1d(draw: Draw, x: Node) -> Node:
    """The pooled vector as a signal of one channel."""
    signal = reshaped(draw.linear(_mean(x), 8), [0, 1, 8])
    filtered = ops.relu(ops.convolution(signal, draw.numbers(3, 1, 3), [1], [1], [1], [1]))
    return draw.linear(reshaped(filtered, [0, 24]), CLASSES)


def gram_matrix(draw: Draw, x: Node) -> Node:
    """All products of two entries of the pooled vector."""
    vector = ops.tanh(_mean(x))
    column, row = reshaped(vector, [0, CHANNELS, 1]), reshaped(vector, [0, 1, CHANNELS])
    products = ops.matmul(column, row, False, False)
    return draw.linear(reshaped(ops.sqrt(ops.abs(products)), [0, CHANNELS * CHANNELS]), CLASSES)


def shuffled_channels(draw: Draw, x: Node) -> Node:
    """The pooled vector dealt to two groups that trade places with what is in them."""
    groups = reshaped(_mean(x), [0, 2, 2])
    shuffled = reshaped(
        ops.relu(ops.add(transposed(groups, [0, 2, 1]), draw.numbers(1, 2, 2))), [0, CHANNELS]
    )
    return draw.linear(shuffled, CLASSES)


def experts(draw: Draw, x: Node) -> Node:
    """Layers side by side, weighted by a softmax of what a gate says of the pooled vector."""
    pooled = _mean(x)
    gates = reshaped(ops.softmax(draw.linear(pooled, 2), 1), [0, 2, 1])
    votes = reshaped(draw.linear(pooled, 2 * CLASSES), [0, 2, CLASSES])
    return ops.reduce_sum(ops.multiply(gates, ops.tanh(votes)), [1], False)


FORMS_OF_A_VECTOR: Final[tuple[Head, ...]] = (
    prototypes,
    capsules,
    convolution_1d,
    gram_matrix,
    shuffled_channels,
    experts,
    *(head for head in odd_heads.HEADS if head is not odd_heads.pooled_by_a_mean_that_asks),
)
"""Without the one in which a mean stands among the tokens: there the walk ends."""
LATER: Final = (odd_heads.squeeze_excitation, odd_heads.branches_of_kernels, odd_heads.residual_block)
"""Heads that hold a later map than the one behind which they stand."""


def _model(head: Head, batch: int | None) -> Model:
    draw = Draw(61)
    image = image_parameter(CnnSpec(batch=batch, height=ROWS, width=COLUMNS))
    target = named(ops.tanh(draw.convolution(image, CHANNELS)), "target")
    return classifier(named(head(draw, target), "scores"), [image])


@pytest.mark.parametrize(
    ("head", "batch"),
    [(head, batch) for number, head in enumerate(FORMS_OF_A_VECTOR) for batch in (1 + number % 2, None)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_auto_takes_a_map_behind_any_form_of_the_vector(head: Head, batch: int | None) -> None:
    insertion = check_reciprocam(_model(head, batch))
    layer = insertion.place.target.port.get_node().get_friendly_name()
    if head not in (*LATER, odd_heads.maps_of_classes, odd_heads.log_sum_exp, odd_heads.generalised_mean):
        assert layer == "target"


def _scaled(draw: Draw, x: Tensor) -> Node:
    return ops.multiply(x, draw.numbers(1, CHANNELS, 1, 1))


def _normalised(draw: Draw, x: Tensor) -> Node:
    moments = [draw.numbers(CHANNELS) for _ in range(3)]
    return ops.batch_norm_inference(x, *moments, ops.abs(draw.numbers(CHANNELS)), 1e-3)


def _quantised(_: Draw, x: Tensor) -> Node:
    low, high = np.float32(-1), np.float32(1)
    return ops.fake_quantize(x, low, high, low, high, 256)


BEHIND_A_POOLING: Final[dict[str, Callable[[Draw, Tensor], Tensor]]] = {
    "nothing": lambda _, x: x,
    "scale": _scaled,
    "relu": lambda _, x: ops.relu(x),
    "prelu": lambda draw, x: ops.prelu(x, draw.numbers(CHANNELS)),
    "batch norm": _normalised,
    "copy": lambda _, x: ops.convert(ops.convert(x, "f32"), "f32"),
    "quantised": _quantised,
    "scale, then relu": lambda draw, x: ops.relu(_scaled(draw, x)),
}


def _pooled(behind: Callable[[Draw, Tensor], Tensor], kind: str, batch: int | None) -> Model:
    def head(draw: Draw, x: Node) -> Node:
        window = ([2, 2], [0, 0], [0, 0], [2, 2])
        if kind == "max":
            small = ops.max_pool(x, window[0], [1, 1], *window[1:]).output(0)
        else:
            small = ops.avg_pool(x, window[0], *window[1:], True).output(0)
        return draw.linear(reshaped(behind(draw, small), [0, CHANNELS * ROWS * COLUMNS // 4]), CLASSES)

    return _model(head, batch)


@pytest.mark.parametrize("behind", BEHIND_A_POOLING)
@pytest.mark.parametrize("kind", ["max", "mean"])
def test_a_pooling_is_passed_over_with_what_stands_behind_it(kind: str, behind: str) -> None:
    """Behind one kind at a batch of two, behind the other at an open one."""
    batch = 2 if (list(BEHIND_A_POOLING).index(behind) % 2 == 0) == (kind == "max") else None
    insertion = check_reciprocam(_pooled(BEHIND_A_POOLING[behind], kind, batch))
    assert insertion.place.target.port.get_node().get_friendly_name() == "target"
    assert insertion.place.target.grid == (ROWS, COLUMNS)


def test_a_convolution_behind_a_pooling_is_a_map_of_its_own() -> None:
    model = _pooled(lambda draw, x: named(draw.convolution(x, CHANNELS), "later"), "max", 1)
    assert check_reciprocam(model).place.target.port.get_node().get_friendly_name().startswith("later")


def test_a_sum_of_two_maps_behind_a_pooling_is_a_map_of_its_own() -> None:
    model = _pooled(lambda draw, x: named(ops.add(x, draw.convolution(x, CHANNELS)), "sum"), "max", 1)
    assert check_reciprocam(model).place.target.port.get_node().get_friendly_name() == "sum"


def _ensemble(*names: str) -> Model:
    """Two trunks and heads, whose logits are averaged."""
    draw = Draw(62)
    image = image_parameter(CnnSpec(batch=None, height=ROWS, width=COLUMNS))
    maps = [named(ops.tanh(draw.convolution(image, CHANNELS)), name) for name in names]
    heads = [draw.linear(_mean(each), CLASSES) for each in maps]
    return classifier(named(ops.multiply(ops.add(*heads), np.float32(0.5)), "scores"), [image])


def _flipped_twice() -> Model:
    """Test-time augmentation: one trunk run on the image and on its mirror image."""
    draw = Draw(63)
    image = image_parameter(CnnSpec(batch=None, height=ROWS, width=COLUMNS))
    kernel = draw.numbers(CHANNELS, 3, 3, 3)
    mirrored = ops.gather(image, ops.constant(np.arange(COLUMNS)[::-1].copy()), ops.constant(np.int64(3)))
    maps = [
        named(ops.tanh(ops.convolution(x, kernel, [1, 1], [1, 1], [1, 1], [1, 1])), name)
        for x, name in ((image, "upright"), (mirrored, "mirrored"))
    ]
    layer = draw.numbers(CHANNELS, CLASSES)
    heads = [ops.matmul(_mean(each), layer, False, False) for each in maps]
    return classifier(named(ops.add(*heads), "scores"), [image])


@pytest.mark.parametrize(
    ("model", "names"),
    [(_ensemble("one", "other"), {"one", "other"}), (_flipped_twice(), {"upright", "mirrored"})],
    ids=["ensemble", "augmentation"],
)
def test_paths_that_meet_behind_their_maps(model: Model, names: set[str]) -> None:
    """What was found is said, what can be named is listed, and each is exact when it is named."""
    anatomy = Anatomy(model)
    scores = find_scores(anatomy)
    assert not isinstance(scores, Refusal)
    refusal = find_feature_map(anatomy, scores)
    assert isinstance(refusal, Refusal)
    assert "several paths meet behind their last feature maps" in refusal.reason
    listed = feature_maps(anatomy, scores)
    assert {place.port.get_node().get_friendly_name() for place in listed if place.target} == names
    for name in names:
        assert f"'{name}'" in refusal.reason
        check_raw_map(model, name)
