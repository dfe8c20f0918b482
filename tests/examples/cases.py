"""Converted models of every way to prepare a photograph and to read scores and maps, and what they give."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import Model
from openvino import opset15 as ops
from openvino.preprocess import PrePostProcessor, ResizeAlgorithm

from fixtures.broken_files import save_ir
from fixtures.networks import CnnSpec, Draw, classifier, cnn, named
from ovxai_convert import PreprocessingHints, convert
from ovxai_convert.explain.files import FileExplainer
from ovxai_convert.photographs.image_files import read_image
from tests.answers import answering
from tests.endings import with_ending
from tests.transformers import VitSpec, transformer

SIZES: Final = ((61, 43), (64, 48), (97, 98), (301, 451))
"""Rows and columns of photographs: odd and even, upright and lying, larger and smaller than the inputs."""
NORMALISED: Final = PreprocessingHints(mean=(127,), scale=(128,), colour="rgb", resize="crop")


@dataclass(frozen=True)
class Case:
    """A model, how it is converted, and the class to explain (None: the one that it answers with)."""

    model: Callable[[], Model]
    hints: PreprocessingHints = NORMALISED
    options: Mapping[str, Any] = field(default_factory=dict)
    wanted: str | None = None


class Given(NamedTuple):
    """What the package gives: the input with its batch, and the map ``(h, w)`` as it is."""

    input: NDArray[Any]
    map: NDArray[Any]


def converted(case: Case, folder: Path) -> Path:
    """The .xml of a case's artifact."""
    source = save_ir(case.model(), folder / "net.xml")
    return convert(source, folder / "out", preprocessing=case.hints, reference="none", **case.options).xml


def renamed(xml: Path, folder: Path) -> Path:
    """A copy of a model under another name, without the file beside it."""
    copy = folder / "renamed.xml"
    for suffix in (".xml", ".bin"):
        shutil.copy(xml.with_suffix(suffix), copy.with_suffix(suffix))
    return copy


def photograph(folder: Path, rows: int, columns: int) -> Path:
    """A picture of random pixels."""
    path = folder / f"photo{rows}x{columns}.png"
    pixels = np.random.default_rng(rows).integers(0, 256, (rows, columns, 3), np.uint8)
    assert cv2.imwrite(str(path), pixels)
    return path


class Package:
    """What the package makes of photographs with one artifact."""

    def __init__(self, xml: Path, folder: Path) -> None:
        self._explainer, self._folder = FileExplainer(xml), folder
        batch = ov.Core().read_model(xml).inputs[0].get_partial_shape()[0]
        self._batch = batch.get_length() if batch.is_static else 1

    def gives(self, photo: Path, wanted: str | None = None) -> Given:
        """The input, and the map that ``ovxai-explain --raw`` writes for a class, or for the answer."""
        sample = self._explainer.preprocessing(read_image(photo))
        targets = None if wanted is None else [wanted]
        done = self._explainer.explain(photo, self._folder, targets, raw=True)
        first = next(path for path in done.files if path.suffix == ".npy")
        return Given(np.repeat(sample, self._batch, axis=0), np.load(first))


@dataclass(frozen=True)
class Run:
    """Files of one run of an example, and the arguments that name them."""

    xml: Path
    photo: Path
    folder: Path
    wanted: str | None = None

    @property
    def overlay(self) -> Path:
        """The picture."""
        return self.folder / "overlay.png"

    @property
    def map(self) -> Path:
        """The map as it is."""
        return self.folder / "map.npy"

    @property
    def input(self) -> Path:
        """What the model was given."""
        return self.folder / "input.npy"

    @property
    def arguments(self) -> list[str]:
        """For a command line."""
        wanted = [] if self.wanted is None else ["--class", self.wanted]
        files = [self.xml, self.photo, self.overlay, "--map", self.map, "--input", self.input]
        return [*map(str, files), *wanted]

    def assert_gave(self, expected: Given) -> None:
        """The same, to the type and the last bit."""
        for path, wanted in ((self.input, expected.input), (self.map, expected.map)):
            found = np.load(path)
            assert found.dtype == wanted.dtype, path
            np.testing.assert_array_equal(found, wanted, str(path))
        assert np.ptp(expected.map) > 0, "a constant map says nothing"


def with_model_info(**entries: str) -> Model:
    """A classifier whose metadata say how it is fed and read."""
    model = cnn(CnnSpec())
    for key, text in entries.items():
        model.set_rt_info(text, ["model_info", key])
    return model


def of_pixels(element_type: ov.Type) -> Model:
    """A classifier that takes whole numbers."""
    steps = PrePostProcessor(cnn(CnnSpec()))
    steps.input().tensor().set_element_type(element_type)
    steps.input().preprocess().convert_element_type(ov.Type.f32).scale(64.0)
    return steps.build()


def that_resizes() -> Model:
    """A classifier that takes pixels of any size, as Model API builds one in: the whole image, in 10x14."""
    model = with_model_info(
        embedded_processing="True", resize_type="fit_to_window", orig_height="10", orig_width="14"
    )
    steps = PrePostProcessor(model)
    steps.input().tensor().set_element_type(ov.Type.u8).set_spatial_dynamic_shape()
    steps.input().tensor().set_layout(ov.Layout("NHWC"))
    steps.input().model().set_layout(ov.Layout("NCHW"))
    steps.input().preprocess().convert_element_type(ov.Type.f32).resize(ResizeAlgorithm.RESIZE_LINEAR)
    steps.input().preprocess().scale(64.0)
    return steps.build()


def one_channel() -> Model:
    """A classifier of grey images."""
    draw = Draw(41)
    image = ops.parameter([1, 1, 9, 7], np.float32, name="image")
    image.output(0).get_tensor().set_names({"image"})
    target = named(ops.tanh(draw.convolution(image, 4)), "target")
    return classifier(named(draw.linear(ops.reduce_mean(target, [2, 3], False), 3), "scores"), [image])


def _prepared(**known: Any) -> PreprocessingHints:
    return PreprocessingHints(**{"mean": (10, 20, 30), "scale": (50, 60, 70), "colour": "bgr", **known})


def _net() -> Model:
    return cnn(CnnSpec(batch=None))


_GROUPS: Final = json.dumps(
    {"cls_heads_info": {"num_multiclass_heads": 1, "head_idx_to_logits_range": {"0": [0, 2]}}}
)

CASES: Final[Mapping[str, Case]] = {
    "crop": Case(_net),
    "crop upright": Case(lambda: cnn(CnnSpec(height=15, width=10)), _prepared(resize="crop")),
    "crop resize_to": Case(_net, _prepared(resize="crop", resize_to=17, interpolation="linear")),
    "crop of both sides": Case(_net, _prepared(resize="crop", resize_to=(21, 19), interpolation="linear")),
    "stretch": Case(_net, _prepared(resize="stretch", interpolation="linear")),
    "letterbox": Case(_net, _prepared(resize="letterbox", pad_value=114)),
    "fit_to_window": Case(lambda: with_model_info(resize_type="fit_to_window", pad_value="7")),
    "fit_to_window by metadata": Case(
        lambda: with_model_info(resize_type="fit_to_window", mean_values="1 2 3"), PreprocessingHints()
    ),
    "cubic": Case(_net, PreprocessingHints(mean=(0,), scale=(1,), resize="stretch", interpolation="cubic")),
    "nearest": Case(_net, _prepared(resize="crop", interpolation="nearest")),
    "own size": Case(lambda: cnn(CnnSpec(dynamic_size=True)), _prepared(resize="none")),
    "open size": Case(lambda: cnn(CnnSpec(dynamic_size=True)), _prepared(resize="letterbox", size=(32, 24))),
    "clip": Case(_net, PreprocessingHints(clip=(16.5, 200), mean=(16.5,), scale=(3,), resize="stretch")),
    "grey": Case(_net, _prepared(colour="grey", resize="letterbox")),
    "one channel": Case(one_channel, PreprocessingHints(mean=(120,), scale=(60,), resize="crop")),
    "NHWC": Case(lambda: cnn(CnnSpec(layout="NHWC")), _prepared(resize="letterbox", pad_where="around")),
    "u8": Case(lambda: of_pixels(ov.Type.u8), PreprocessingHints(scale=(2,), resize="crop")),
    "i8": Case(lambda: of_pixels(ov.Type.i8), PreprocessingHints(mean=(100,), resize="stretch")),
    "resizes itself": Case(that_resizes, PreprocessingHints()),
    "batch of 3": Case(lambda: cnn(CnnSpec(batch=3))),
    "top_k": Case(_net, options={"top_k": 2}),
    "classes": Case(_net, options={"classes": [2, 0]}, wanted="2"),
    "class token": Case(lambda: transformer(VitSpec()), options={"method": "vitreciprocam"}),
    "activationmap": Case(_net, options={"method": "activationmap"}),
    "raw scores": Case(_net, options={"embed_scaling": False}),
    "labels": Case(_net, options={"labels": ["cat", "2", "bird"]}, wanted="bird"),
    "multilabel": Case(_net, options={"multilabel": True}),
    "softmax": Case(lambda: cnn(CnnSpec(ending="softmax"))),
    "sigmoid": Case(lambda: cnn(CnnSpec(ending="sigmoid"))),
    "yes": Case(lambda: answering("one sigmoid"), options={"labels": ["no", "yes"]}, wanted="yes"),
    "no": Case(lambda: answering("one sigmoid"), options={"labels": ["yes"]}, wanted="not yes"),
    "no of raw scores": Case(lambda: answering("one sigmoid"), options={"embed_scaling": False}, wanted="0"),
    "joined heads": Case(lambda: answering("joined heads")),
    "quantity": Case(lambda: answering("quantity")),
    "groups": Case(lambda: with_model_info(hierarchical="True", hierarchical_config=_GROUPS)),
    "argmax": Case(lambda: with_ending("argmax")),
    "best indices": Case(lambda: with_ending("top 3 indices"), options={"top_k": 3}),
}
