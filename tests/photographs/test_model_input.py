"""The image input: what a model's input takes, data of every layout, and one line for what does not fit."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import NO_HINTS, InputLayout, PreprocessingHints
from ovxai_convert.photographs.model_input import (
    ImageInput,
    as_samples,
    image_input,
    in_words,
    preprocessing_for,
)
from tests.special_networks import perceptron

Shape = tuple[int | None, ...]
ROWS, COLUMNS = 4, 6
FLOAT: Final = np.dtype(np.float32)
PIXELS: Final = np.arange(2 * ROWS * COLUMNS * 3, dtype=np.float32).reshape(2, ROWS, COLUMNS, 3)
"""Two images ``(N, H, W, C)`` in which no two numbers are alike."""
CHANNEL_FIRST: Final = PIXELS.transpose(0, 3, 1, 2)


def taking(shape: Shape, layout: InputLayout | None = "NCHW", dtype: Any = np.float32) -> ImageInput:
    return ImageInput(shape, np.dtype(dtype), layout)


def assert_misfit(data: Any, image: ImageInput, *texts: str) -> None:
    with pytest.raises(UsageError) as caught:
        as_samples(data, image)
    message = str(caught.value)
    assert "\n" not in message
    for text in texts:
        assert text in message


@pytest.mark.parametrize(
    ("spec", "shape", "layout", "batch", "axes"),
    [
        (CnnSpec(), (1, 3, 10, 14), "NCHW", 1, (1, 2)),
        (CnnSpec(batch=None, layout="NHWC"), (None, 10, 14, 3), "NHWC", None, (0, 1)),
        (CnnSpec(batch=3, dynamic_size=True), (3, 3, None, None), "NCHW", 3, (1, 2)),
    ],
    ids=["static", "channel-last", "open"],
)
def test_input_of_a_model(
    spec: CnnSpec, shape: Shape, layout: str, batch: int | None, axes: tuple[int, int]
) -> None:
    image = image_input(cnn(spec))
    assert (image.shape, image.layout, image.dtype) == (shape, layout, FLOAT)
    assert (image.batch, image.spatial_axes) == (batch, axes)


def test_element_type_of_an_input() -> None:
    steps = ov.preprocess.PrePostProcessor(cnn(CnnSpec()))
    steps.input().tensor().set_element_type(ov.Type.i8)
    assert image_input(steps.build()).dtype == np.int8


def test_layout_that_nothing_tells() -> None:
    model = perceptron(colours=4)
    image = image_input(model)
    assert image.layout is None
    for ask in (lambda: image.spatial_axes, image.known_layout, lambda: preprocessing_for(image, NO_HINTS)):
        with pytest.raises(UsageError, match=r"which axes of the input \[1,4,4,6\] are rows and columns"):
            ask()
    assert image_input(model, "NCHW").spatial_axes == (1, 2)
    fits = np.zeros((4, 4, 6), np.float32)
    assert as_samples(fits, image).shape == (1, 4, 4, 6)
    assert_misfit(fits.transpose(1, 2, 0), image, "(1, 4, 6, 4)", "[1,4,4,6]")


def test_layout_that_three_colours_tell() -> None:
    assert image_input(perceptron()).layout == "NCHW"


@pytest.mark.parametrize(
    ("shapes", "text"),
    [
        ([[1, 3, 4, 6], [1, 2]], "the model has 2 inputs"),
        ([[1, 12]], r"input \[1,12\] does not take an image"),
        ([[1, 1, 3, 4, 6]], r"input \[1,1,3,4,6\] does not take an image"),
        ([ov.PartialShape.dynamic()], r"input \[...\] does not take an image"),
    ],
    ids=["two", "vector", "video", "any-rank"],
)
def test_model_that_takes_no_image(shapes: list[Any], text: str) -> None:
    parameters = [ops.parameter(shape, np.float32) for shape in shapes]
    model = ov.Model([ops.result(ops.relu(each)) for each in parameters], parameters)
    with pytest.raises(UsageError, match=text):
        image_input(model)


@pytest.mark.parametrize(
    ("form", "count"),
    [("HWC", 1), ("CHW", 1), ("BHWC", 2), ("BCHW", 2), ("BHWC of one", 1), ("BCHW of one", 1)],
)
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("open_size", [False, True], ids=["static", "open"])
def test_every_layout_of_data(form: str, count: int, layout: InputLayout, open_size: bool) -> None:
    data = (PIXELS if "HWC" in form else CHANNEL_FIRST)[:count]
    if not form.startswith("B"):
        data = data[0]
    size: Shape = (None, None) if open_size else (ROWS, COLUMNS)
    image = taking((None, 3, *size) if layout == "NCHW" else (None, *size, 3), layout)
    samples = as_samples(data, image)
    np.testing.assert_array_equal(samples, (CHANNEL_FIRST if layout == "NCHW" else PIXELS)[:count])
    assert samples.flags.c_contiguous


@pytest.mark.parametrize("data", [PIXELS[0, ..., 0], PIXELS[0, ..., :1], CHANNEL_FIRST[0, :1]])
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
def test_grey_data(data: Any, layout: InputLayout) -> None:
    image = taking((1, 1, ROWS, COLUMNS) if layout == "NCHW" else (1, ROWS, COLUMNS, 1), layout)
    samples = as_samples(data, image)
    assert samples.shape == image.shape
    np.testing.assert_array_equal(samples.ravel(), PIXELS[0, ..., 0].ravel())


@pytest.mark.parametrize(
    ("given", "dtype", "expected"),
    [
        (np.array([-3.0, 0.4, 0.6, 254.6, 300.0]), np.uint8, [0, 0, 1, 255, 255]),
        (np.array([-3, 0, 1, 255, 300], np.int16), np.uint8, [0, 0, 1, 255, 255]),
        (np.array([0, 1, 127, 128, 255], np.uint8), np.int8, [0, 1, 127, 127, 127]),
        (np.array([-200.0, -128.4, 0, 127.4, 200.0]), np.int8, [-128, -128, 0, 127, 127]),
        (np.array([0, 1, 2, 254, 255], np.uint8), np.float32, [0, 1, 2, 254, 255]),
        (np.array([True, False, True, False, True]), np.float32, [1, 0, 1, 0, 1]),
        (np.array([0.25, 1, 2, 3, 4]), np.float16, [0.25, 1, 2, 3, 4]),
    ],
    ids=["float-u8", "i16-u8", "u8-i8", "float-i8", "u8-float", "bool-float", "float-half"],
)
def test_numbers_keep_their_value_or_the_nearest(given: Any, dtype: Any, expected: list[float]) -> None:
    samples = as_samples(given.reshape(1, 1, 1, 5), taking((1, 1, 1, 5), dtype=dtype))
    assert samples.dtype == dtype
    assert samples.ravel().tolist() == expected


@pytest.mark.parametrize(
    ("data", "texts"),
    [
        (np.zeros((5, 6, 3)), ["(1, 5, 6, 3)", "[1,3,4,6]", "resize it"]),
        (np.zeros((6, 4, 3)), ["(1, 6, 4, 3)", "resize it"]),
        (np.zeros((4, 6)), ["(1, 4, 6, 1)", "no 3 channels"]),
        (np.zeros((4, 6, 4)), ["(1, 4, 6, 4)", "no 3 channels", "[1,3,4,6]"]),
        (np.zeros((2, 1, 4, 6)), ["no 3 channels"]),
        (np.zeros(7), ["(H, W, C)", "(7,)"]),
        (np.float32(1), ["(H, W, C)", "()"]),
        (np.zeros((1, 1, 3, 4, 6)), ["(1, 1, 3, 4, 6)"]),
        (np.zeros((0, 3, 4, 6)), ["(0, 3, 4, 6)"]),
        (np.array([["a"]]), ["<U1", "not numbers"]),
        (np.zeros((4, 6, 3), np.complex64), ["complex64", "not numbers"]),
        (np.array([None]), ["object", "not numbers"]),
    ],
    ids=lambda value: "" if isinstance(value, list) else f"{np.shape(value)}{np.asarray(value).dtype}",
)
def test_data_that_do_not_fit(data: Any, texts: list[str]) -> None:
    assert_misfit(data, taking((1, 3, ROWS, COLUMNS)), *texts)


@pytest.mark.parametrize("shape", [(4, 6, 4), (2, 4, 6, 2)])
def test_open_channels_are_one_or_three(shape: tuple[int, ...]) -> None:
    image = taking((None, None, None, None))
    assert_misfit(np.zeros(shape), image, "no 3 channels", "[?,?,?,?]")
    assert as_samples(np.zeros((4, 6, 3)), image).shape == (1, 3, 4, 6)
    assert as_samples(np.zeros((1, 4, 6)), image).shape == (1, 1, 4, 6)


def test_preprocessing_of_an_input() -> None:
    hints = PreprocessingHints(None, (1.0, 2.0, 3.0), (4.0,), "bgr", "letterbox", None, 9)
    found, assumed = preprocessing_for(taking((1, 3, 4, 6)), hints)
    assert (found.size, found.channels, found.dtype, found.layout) == ((4, 6), 3, FLOAT, "NCHW")
    assert (found.mean, found.scale, found.colour) == ((1, 2, 3), (4,), "bgr")
    assert (found.resize, found.pad_value) == ("letterbox", 9)
    assert assumed == ()


@pytest.mark.parametrize(
    ("image", "assumed"),
    [
        (taking((1, 3, 4, 6)), ("colours rgb", "resize crop", "mean 0", "scale 1")),
        (taking((1, 4, 6, 1), "NHWC"), ("resize crop", "mean 0", "scale 1")),
        (
            taking((1, 3, None, 6), dtype=np.int8),
            ("size 224x6", "colours rgb", "resize crop", "mean 128", "scale 1"),
        ),
    ],
    ids=["float", "grey", "open-i8"],
)
def test_what_nobody_says_is_assumed_and_told(image: ImageInput, assumed: tuple[str, ...]) -> None:
    found, told = preprocessing_for(image, NO_HINTS)
    assert in_words(found, told) == assumed
    _, told = preprocessing_for(image, PreprocessingHints(size=found.size, mean=(0.0,)))
    remaining = tuple(each for each in assumed if not each.startswith(("size", "mean")))
    assert in_words(found, told) == remaining


@pytest.mark.parametrize(
    ("image", "hints", "text"),
    [
        (taking((1, 3, 4, 6)), PreprocessingHints(size=(6, 4)), r"\[1,3,4,6\] takes no image of 6x4"),
        (taking((1, 3, None, 6)), PreprocessingHints(size=(4, 4)), "takes no image of 4x4"),
        (taking((1, 4, 4, 6)), PreprocessingHints(mean=(1, 2, 3)), "per channel: 3 are told of 4"),
        (taking((1, 3, 4, 6)), PreprocessingHints(scale=(1, 2)), "per channel: 2 are told of 3"),
        (taking((1, 3, 4, 6)), PreprocessingHints(colour="nv12"), "does not take nv12"),
        (taking((1, 13, 4, 6)), PreprocessingHints(colour="grey"), "takes bands, which is not grey"),
        (taking((1, 1, 4, 6)), PreprocessingHints(mean=(1, 2, 3)), "one number each"),
        (taking((1, 1, 4, 6)), PreprocessingHints(scale=(1, 2, 3)), "one number each"),
    ],
    ids=["size", "half-open-size", "three-of-4", "two-of-3", "no-camera", "no-grey", "mean", "scale"],
)
def test_hints_that_contradict_the_input(image: ImageInput, hints: PreprocessingHints, text: str) -> None:
    with pytest.raises(UsageError, match=text):
        preprocessing_for(image, hints)
