"""A small model on disk with labels and its preprocessing, photographs for it, and what explains it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import openvino as ov
from numpy.typing import NDArray

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.artifact.notes import UserNotes
from ovxai_convert.datasets.sources import Item
from ovxai_convert.evaluation.evaluated_models import EvaluatedModel, evaluated_model
from ovxai_convert.photographs.hints import PreprocessingHints
from tests.running import compile_f32

LABELS: Final = ("cat", "dog", "bird")
MEAN, SCALE = 100.0, 64.0
HINTS: Final = PreprocessingHints(mean=(MEAN,), scale=(SCALE,), colour="rgb", resize="stretch")
SIZE: Final = (10, 14)
SMALL: Final = CnnSpec()


def picture(seed: int = 0, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """Random pixels, smooth enough that a map of them differs from place to place."""
    coarse = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), np.uint8)
    return np.asarray(cv2.resize(coarse, size[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def prepared(pixels: NDArray[Any]) -> NDArray[np.float32]:
    """Red, green, blue, ``(C, H, W)``, of a picture of the model's size."""
    return np.asarray((pixels[..., ::-1].astype(np.float32) - MEAN) / SCALE, np.float32).transpose(2, 0, 1)


@cache
def _compiled(spec: CnnSpec) -> ov.CompiledModel:
    return compile_f32(cnn(spec))


def probabilities(image: Any, spec: CnnSpec = SMALL) -> NDArray[np.float64]:
    """Softmax of the model's logits for one image ``(C, H, W)``."""
    logits = _compiled(spec)([np.asarray(image, np.float32)[np.newaxis]])[0][0].astype(np.float64)
    powers = np.exp(logits - logits.max())
    return np.asarray(powers / powers.sum())


def saved_model(path: Path, spec: CnnSpec = SMALL, *, described: bool = False) -> Path:
    """A model's file; ``described``: it says itself how photographs become its input."""
    path.parent.mkdir(parents=True, exist_ok=True)
    model = cnn(spec)
    if described:
        entries = {"model_type": "Classification", "labels": " ".join(LABELS[: spec.classes])}
        numbers = {"mean_values": f"{MEAN:g} " * 3, "scale_values": f"{SCALE:g} " * 3}
        more = {"reverse_input_channels": "YES", "resize_type": "standard"}
        for key, value in (entries | numbers | more).items():
            model.set_rt_info(value.strip(), ["model_info", key])
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def evaluated(
    folder: Path,
    methods: Sequence[str] = ("reciprocam",),
    layers: Sequence[str] = (),
    labels: tuple[str, ...] | None = LABELS,
    spec: CnnSpec = SMALL,
    name: str = "model.xml",
    hints: PreprocessingHints = HINTS,
    **settings: Any,
) -> EvaluatedModel:
    """The model, ready to be measured."""
    path = saved_model(folder / name, spec)
    return evaluated_model(path, methods, layers, UserNotes(labels, hints), **settings)


def photograph(path: Path, pixels: NDArray[Any] | None = None, truth: str | None = None) -> Item:
    """A file, and what is told of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), picture() if pixels is None else pixels)
    return Item(path, path.stem, truth)
