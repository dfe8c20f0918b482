"""What a graph does to levels before all else: told of every form that exporters write, of no other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.anatomy.own_levels import OwnLevels, own_levels

MEAN: Final = np.array([123.675, 116.28, 103.53], np.float32).reshape(1, 3, 1, 1)
SCALE: Final = np.array([58.395, 57.12, 57.375], np.float32).reshape(1, 3, 1, 1)
IMAGENET: Final = ((103.53, 123.675), (57.12, 58.395))


def number(value: Any) -> Any:
    return ops.constant(np.array(value, np.float32))


def beginning(
    first: Callable[[Any], Any], shape: tuple[int, ...] = (1, 3, 8, 8), dtype: Any = np.float32
) -> ov.Model:
    """A classifier that does something to its image first."""
    image = ops.parameter(list(shape), dtype)
    begun = first(image)
    kernel = ops.constant(np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32))
    x = ops.relu(ops.convolution(begun, kernel, [1, 1], [1, 1], [1, 1], [1, 1]))
    return ov.Model([ops.result(ops.reduce_mean(x, np.array([2, 3]), False))], [image])


def imagenet(x: Any) -> Any:
    return ops.divide(ops.subtract(x, ops.constant(MEAN)), ops.constant(SCALE))


def keras(x: Any) -> Any:
    """Rescaling to 0 to 1, then a mean and a deviation of that, channel-last, then a permutation."""
    mean, deviation = (array.reshape(1, 1, 1, 3) / 255 for array in (MEAN, SCALE))
    x = ops.subtract(ops.multiply(x, number(1 / 255)), ops.constant(mean))
    return ops.transpose(ops.divide(x, ops.constant(deviation)), np.array([0, 3, 1, 2]))


def batch_norm(x: Any) -> Any:
    numbers = [
        ops.constant(array.ravel()) for array in (np.ones(3, np.float32), np.zeros(3, np.float32), MEAN)
    ]
    return ops.batch_norm_inference(x, *numbers, ops.constant((SCALE**2).ravel() - np.float32(1e-3)), 1e-3)


def half(x: Any) -> Any:
    return ops.divide(ops.convert(x, "f32"), number(255))


def quantised(x: Any) -> Any:
    return ops.fake_quantize(ops.divide(x, number(255)), *map(number, (0, 1, 0, 1)), 256)


def to_both_sides(x: Any) -> Any:
    return ops.subtract(ops.multiply(x, number(2)), number(1))


def mean_image(x: Any) -> Any:
    return ops.subtract(x, ops.constant(np.linspace(90, 130, 3 * 64, dtype=np.float32).reshape(1, 3, 8, 8)))


@pytest.mark.parametrize(
    ("model", "mean", "scale"),
    [
        (beginning(imagenet), *IMAGENET),
        (beginning(imagenet, (-1, 3, -1, -1)), *IMAGENET),
        (beginning(keras, (1, 8, 8, 3)), *IMAGENET),
        (beginning(keras, (-1, -1, -1, 3)), *IMAGENET),
        (beginning(batch_norm), *IMAGENET),
        (beginning(mean_image), (90, 130), (1, 1)),
        (beginning(lambda x: ops.multiply(number(1 / 255), x)), (0, 0), (255, 255)),
        (beginning(to_both_sides), (0.5, 0.5), (0.5, 0.5)),
        (beginning(half, dtype=np.float16), (0, 0), (255, 255)),
        (beginning(quantised), (0, 0), (255, 255)),
    ],
    ids=["imagenet", "open", "keras", "open keras", "norm", "mean image", "one", "-1 to 1", "half", "levels"],
)  # fmt: skip
def test_form_that_is_told(model: ov.Model, mean: tuple[float, float], scale: tuple[float, float]) -> None:
    found = own_levels(model)
    assert found is not None
    assert found.mean == pytest.approx(mean, rel=2e-3, abs=1e-3)
    assert found.scale == pytest.approx(scale, rel=2e-3)


@pytest.mark.parametrize(
    "model",
    [
        cnn(CnnSpec()),
        cnn(CnnSpec(layout="NHWC")),
        beginning(ops.sqrt),
        beginning(lambda x: ops.multiply(x, x)),
        beginning(lambda x: ops.add(x, ops.reduce_mean(x, np.array([2, 3]), True))),
        beginning(lambda x: ops.multiply(x, number(0))),
        beginning(lambda x: ops.add(ops.divide(x, number(255)), ops.relu(x))),
        beginning(half, dtype=np.uint8),
        beginning(lambda x: ops.subtract(x, number(0))),
    ],
    ids=["conv", "NHWC", "root", "square", "mean of itself", "nothing", "two ways", "integers", "as it is"],
)  # fmt: skip
def test_what_tells_nothing(model: ov.Model) -> None:
    assert own_levels(model) is None


def test_what_follows_a_line_is_left_out() -> None:
    """As an activation on normalised levels."""
    found = own_levels(beginning(lambda x: ops.relu(ops.divide(ops.subtract(x, number(100)), number(50)))))
    assert found is not None
    assert (*found.mean, *found.scale) == pytest.approx((100, 100, 50, 50))


def test_in_words() -> None:
    assert str(OwnLevels((104.0, 124.0), (58.8, 58.8))) == "(x - 104..124) / 58.8"
