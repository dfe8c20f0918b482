"""Cameras' formats: what OpenVINO makes of our bytes is the photograph, within the rounding of the format."""

from __future__ import annotations

from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
import pytest
from openvino import opset15 as ops

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.anatomy.interface import camera_format, cuts_last_channel
from ovxai_convert.errors import UsageError
from ovxai_convert.photographs.hints import NO_HINTS, PreprocessingHints
from ovxai_convert.photographs.model_input import image_input, preprocessing_for
from ovxai_convert.photographs.packed import PACKINGS, packed, unpacked
from tests.running import CORE

PHOTOGRAPH: Final = cv2.resize(
    np.random.default_rng(0).integers(0, 256, (5, 7, 3), np.uint8), (28, 20), interpolation=cv2.INTER_CUBIC
)
"""Smooth, as photographs are: four pixels share one colour."""
WITHIN: Final = 2
"""Levels that rounding brightness and two differences, which four pixels share, may cost."""


def camera(
    source: Any, size: tuple[int, int] | str | None = None, planes: tuple[str, ...] = (), **spec: Any
) -> ov.Model:
    """A network of 10x14 pixels that takes pictures of a camera's format, of another size perhaps."""
    steps = ov.preprocess.PrePostProcessor(cnn(CnnSpec(**spec)))
    tensor = steps.input().tensor().set_element_type(ov.Type.u8)
    tensor.set_color_format(source, list(planes)) if planes else tensor.set_color_format(source)
    inside = steps.input().preprocess()
    inside.convert_color(ov.preprocess.ColorFormat.RGB).convert_element_type(ov.Type.f32).scale(255.0)
    if size is not None:
        inside.resize(ov.preprocess.ResizeAlgorithm.RESIZE_LINEAR)
    if isinstance(size, tuple):
        tensor.set_spatial_static_shape(*size)
    elif size is not None:
        tensor.set_spatial_dynamic_shape()
    steps.input().model().set_layout(ov.Layout("NCHW"))
    return steps.build()


FORMATS: Final = ov.preprocess.ColorFormat
SINGLE: Final = {"nv12": FORMATS.NV12_SINGLE_PLANE, "i420": FORMATS.I420_SINGLE_PLANE}
PADDED: Final = {"rgb": FORMATS.RGBX, "bgr": FORMATS.BGRX}


def converter(packing: str) -> ov.CompiledModel:
    """OpenVINO's own way back to red, green, blue."""
    data = ops.parameter([1, 30, 28, 3], np.float32)
    steps = ov.preprocess.PrePostProcessor(ov.Model([ops.result(ops.abs(data))], [data]))
    steps.input().tensor().set_element_type(ov.Type.u8).set_color_format(SINGLE[packing])
    steps.input().preprocess().convert_color(FORMATS.RGB).convert_element_type(ov.Type.f32)
    steps.input().model().set_layout(ov.Layout("NHWC"))
    return CORE.compile_model(steps.build(), "CPU")


@pytest.mark.parametrize("packing", PACKINGS)
def test_openvino_makes_the_photograph_of_it_again(packing: str) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (15, 14, 3), np.uint8).repeat(2, 0).repeat(2, 1)
    data = packed(picture, packing)
    assert data.shape == (45, 28, 1)
    found = np.asarray(converter(packing)([data[np.newaxis]])[0][0])[..., ::-1]
    assert abs(found - picture).max() <= WITHIN
    assert abs(found[..., ::-1] - picture).mean() > 20, "colours that change places are seen"
    np.testing.assert_allclose(unpacked(data, packing), found, atol=2)
    other = packed(picture, {"nv12": "i420", "i420": "nv12"}[packing])
    wrong = np.asarray(converter(packing)([other[np.newaxis]])[0][0])[..., ::-1]
    assert abs(wrong - picture).mean() > 5, "one format in place of the other is seen"


@pytest.mark.parametrize("size", [(5, 6), (6, 5), (1, 1)], ids=str)
def test_odd_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match=f"even rows and columns, and not {size[0]}x{size[1]}"):
        packed(np.zeros((*size, 3), np.uint8), "nv12")


@pytest.mark.parametrize("size", [None, (20, 28), "open"], ids=str)
@pytest.mark.parametrize("packing", PACKINGS)
def test_input_is_known_by_what_the_graph_makes_of_it(packing: str, size: Any) -> None:
    image = image_input(camera(SINGLE[packing], size))
    assert (image.packing, image.layout, image.channels, image.padded) == (packing, "NHWC", 3, False)
    assert image.picture_size == {None: (10, 14), "open": (None, None)}.get(size, size)
    preprocessing, assumed = preprocessing_for(image, NO_HINTS)
    assert assumed == (("size", "resize") if size == "open" else ("resize",))
    assert preprocessing.colour == packing


def test_other_inputs_are_no_cameras() -> None:
    for model in (cnn(CnnSpec()), cnn(CnnSpec(layout="NHWC")), camera(FORMATS.RGBX)):
        assert camera_format(model.inputs[0]) is None
    assert not cuts_last_channel(cnn(CnnSpec()).inputs[0], 1)


@pytest.mark.parametrize("size", [None, (20, 28), "open"], ids=str)
@pytest.mark.parametrize("packing", PACKINGS)
def test_answer_is_that_of_the_network_on_the_photograph(packing: str, size: Any) -> None:
    model = camera(SINGLE[packing], size)
    hints = PreprocessingHints(size=(20, 28) if size == "open" else None, resize="stretch")
    preprocessing, _ = preprocessing_for(image_input(model), hints)
    sample = preprocessing(PHOTOGRAPH)
    rows, columns = preprocessing.size
    assert sample.shape == (1, rows * 3 // 2, columns, 1)
    assert sample.dtype == np.uint8
    found = np.asarray(CORE.compile_model(model, "CPU")([sample])[0])
    small = cv2.resize(PHOTOGRAPH, (14, 10), interpolation=cv2.INTER_AREA if rows == 10 else cv2.INTER_LINEAR)
    plain = CORE.compile_model(cnn(CnnSpec()), "CPU")
    batch = small[..., ::-1].transpose(2, 0, 1)[np.newaxis].astype(np.float32) / 255
    expected, swapped = (np.asarray(plain([each])[0]) for each in (batch, batch[:, ::-1]))
    assert abs(found - expected).max() < 0.05 * max(1.0, np.ptp(expected))
    assert abs(found - expected).max() < 0.5 * abs(swapped - expected).max()


@pytest.mark.parametrize(
    ("hints", "words"),
    [
        (PreprocessingHints(mean=(128.0,)), "NV12 bytes as they are: no mean, no scale"),
        (PreprocessingHints(scale=(255.0,)), "NV12 bytes as they are"),
        (PreprocessingHints(colour="grey"), "takes nv12, which is not grey"),
        (PreprocessingHints(colour="i420"), "does not take i420"),
        (PreprocessingHints(size=(20, 20)), "takes no image of 20x20"),
    ],
)
def test_hints_that_a_camera_does_not_have(hints: PreprocessingHints, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        preprocessing_for(image_input(camera(FORMATS.NV12_SINGLE_PLANE)), hints)
    preprocessing_for(
        image_input(camera(FORMATS.NV12_SINGLE_PLANE)),
        PreprocessingHints(mean=(0.0,), scale=(1.0,), colour="rgb"),
    )


@pytest.mark.parametrize(
    ("source", "planes", "name"),
    [(FORMATS.NV12_TWO_PLANES, ("y", "uv"), "NV12"), (FORMATS.I420_THREE_PLANES, ("y", "u", "v"), "I420")],
    ids=["two", "three"],
)
def test_planes_of_their_own_are_refused_with_a_way_on(source: Any, planes: Any, name: str) -> None:
    with pytest.raises(UsageError, match=rf"takes {name} in {len(planes)} inputs.*{name}_SINGLE_PLANE"):
        image_input(camera(source, None, planes))


@pytest.mark.parametrize("size", [None, (20, 28), "open"], ids=str)
@pytest.mark.parametrize("order", PADDED)
def test_channel_that_is_cut_off_again(order: Any, size: Any) -> None:
    model = camera(PADDED[order], size)
    image = image_input(model)
    assert (image.padded, image.channels, image.packing) == (True, 3, None)
    hints = PreprocessingHints(size=(10, 14), resize="stretch", colour=order)
    hints = PreprocessingHints(size=(20, 28), resize="stretch", colour=order) if size == (20, 28) else hints
    preprocessing, _ = preprocessing_for(image, hints)
    sample = preprocessing(PHOTOGRAPH)
    assert sample.shape[-1] == 4
    shown = sample[0, ..., :3] if order == "bgr" else sample[0, ..., 2::-1]
    np.testing.assert_array_equal(
        shown, cv2.resize(PHOTOGRAPH, sample.shape[2:0:-1], interpolation=cv2.INTER_AREA)
    )
    found = np.asarray(CORE.compile_model(model, "CPU")([sample])[0])
    small = cv2.resize(shown, (14, 10), interpolation=cv2.INTER_LINEAR)
    batch = small[..., ::-1].transpose(2, 0, 1)[np.newaxis].astype(np.float32) / 255
    expected = np.asarray(CORE.compile_model(cnn(CnnSpec()), "CPU")([batch])[0])
    np.testing.assert_allclose(found, expected, atol=0.01)
